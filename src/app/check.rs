//! What `check` can say only with the database at hand. Where there is none, or it does not answer, it
//! says nothing: the files alone are its subject.

use std::path::Path;
use std::time::Duration;

use secrecy::ExposeSecret as _;

use crate::diagnostic::Problem;
use crate::engine;

use super::Project;
use super::installation::connect;

/// How long a database may take to answer.
const PATIENCE: Duration = Duration::from_secs(3);

/// Campaigns that seem to have been renamed without saying so: they would mail everybody anew.
pub async fn renamed(project: &Project) -> Vec<Problem> {
    let address = project.settings.database.expose_secret();
    // Looking must not make a file.
    let file = address.strip_prefix("sqlite://").and_then(|path| path.split('?').next());
    if file.is_some_and(|file| !Path::new(file).exists()) {
        return Vec::new();
    }
    tokio::time::timeout(PATIENCE, look(project)).await.ok().flatten().unwrap_or_default()
}

async fn look(project: &Project) -> Option<Vec<Problem>> {
    let store = connect(project).await.ok()?;
    let found = match store.require_migrated().await {
        Ok(()) => engine::lookalikes(&store, &project.catalogue, project.evaluation_settings()).await.ok(),
        Err(_) => None,
    };
    store.close().await.ok()?;
    let problem = |one: &engine::Lookalike| {
        let (former, name) = (&one.former, &one.name);
        let message = format!(
            "the campaign `{former}` is gone, and `{name}`, which is new, has its {}: it mails everybody anew",
            one.shares
        );
        let place = project.places.of(&format!("campaigns.{name}"))?.clone();
        let problem = Problem::warning("renamed-campaign", message, place);
        Some(problem.hint(format!("if it was renamed, write `renamed_from: {former}`")))
    };
    found.map(|found| found.iter().filter_map(problem).collect())
}
