//! What `check` can say only with the database at hand. Where there is none it says nothing: the files
//! alone are its subject. It only reads, and leaves the database as it was.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use secrecy::ExposeSecret as _;

use crate::audience::{AudienceError, Tally, tally};
use crate::diagnostic::Problem;
use crate::domain::campaign::Campaign;
use crate::domain::catalogue::Catalogue;
use crate::domain::condition::{AttributeRef, Condition, Operator, Test};
use crate::domain::name::AttributeName;
use crate::domain::time::Timestamp;
use crate::engine;
use crate::render::{self, Needed, Required};
use crate::store::Store;

use super::installation::connect_to_read;
use super::{Failure, Project};

/// How long a database may take to answer.
const PATIENCE: Duration = Duration::from_secs(3);

/// How long a count of all contacts may take: a million are counted in a few seconds.
const COUNTING: Duration = Duration::from_secs(20);

/// What the database adds.
#[derive(Debug, Default)]
pub struct Said {
    /// Warnings.
    pub problems: Vec<Problem>,
    /// Why something was not looked at.
    pub notes: Vec<String>,
}

/// Campaigns that seem to have been renamed without saying so, attributes without data, and how many of an
/// audience lack what its template needs.
pub async fn with_database(project: &Project, now: Timestamp) -> Said {
    let address = project.settings.database.expose_secret();
    // A project without data has no file yet.
    let file = address.strip_prefix("sqlite://").and_then(|path| path.split('?').next());
    if file.is_some_and(|file| !Path::new(file).exists()) {
        return Said::default();
    }
    let shown = &project.settings.database_shown;
    let unasked = |why: String| Said {
        notes: vec![format!("what needs data was not looked at: {why}")],
        ..Said::default()
    };
    let store = match tokio::time::timeout(PATIENCE, open(project)).await {
        Ok(Ok(store)) => store,
        Ok(Err(error)) => return unasked(error),
        Err(_) => return unasked(format!("database {shown} does not answer")),
    };
    let mut said = Said::default();
    match engine::lookalikes(&store, &project.catalogue, project.evaluation_settings()).await {
        Ok(found) => said.problems.extend(found.iter().filter_map(|one| renamed(project, one))),
        Err(error) => said.notes.push(format!("whether a campaign was renamed was not looked at: {error}")),
    }
    match lacking(&store, project, now).await {
        Ok(Some(problems)) => said.problems.extend(problems),
        Ok(None) => {
            let seconds = COUNTING.as_secs();
            said.notes.push(format!(
                "which data are missing was not looked at: counting took more than {seconds} s"
            ));
        }
        Err(error) => said.notes.push(format!("which data are missing was not looked at: {error}")),
    }
    if let Err(error) = store.close().await {
        said.notes.push(error.to_string());
    }
    said
}

/// The database, if it has the tables of this program; else why not.
async fn open(project: &Project) -> Result<Store, String> {
    let store = connect_to_read(project).await.map_err(|failure| match failure {
        Failure::Call { message, .. } => message,
        Failure::Outside(error) => format!("{error:#}"),
        Failure::Files { .. } => "the files are wrong".to_owned(),
    })?;
    store.require_migrated().await.map_err(|error| error.to_string())?;
    Ok(store)
}

fn renamed(project: &Project, one: &engine::Lookalike) -> Option<Problem> {
    let (former, name) = (&one.former, &one.name);
    let message = format!(
        "the campaign `{former}` is gone, and `{name}`, which is new, has its {}: it mails everybody anew",
        one.shares
    );
    let place = project.places.of(&format!("campaigns.{name}"))?.clone();
    let problem = Problem::warning("renamed-campaign", message, place);
    Some(problem.hint(format!("if it was renamed, write `renamed_from: {former}`")))
}

/// Something to count, and what to say of the count.
enum Question<'p> {
    /// Who has a value of an attribute that a condition tests.
    Has(&'p AttributeName),
    /// Who gets a version of a campaign.
    Gets,
    /// Which of those counted by the last [`Question::Gets`] lack what it needs.
    Lacks(&'p Campaign, Required),
}

/// What is missing in the data; `None`: it takes too long to say.
async fn lacking(
    store: &Store,
    project: &Project,
    now: Timestamp,
) -> Result<Option<Vec<Problem>>, AudienceError> {
    let catalogue = &project.catalogue;
    let mut asked: Vec<(Question<'_>, Condition)> = Vec::new();
    for name in &tested(catalogue) {
        if let Some((name, _)) = catalogue.attributes.get_key_value(name) {
            asked.push((Question::Has(name), has(&Needed::Attribute(name.clone()), true)));
        }
    }
    for campaign in catalogue.campaigns.values() {
        for (place, version) in campaign.versions.iter().enumerate() {
            let one = Campaign { versions: vec![version.clone()], ..campaign.clone() };
            let required = render::required(&project.templates, catalogue, &one);
            if required.is_empty() {
                continue;
            }
            let earlier = campaign.versions[..place].iter().map(|version| version.condition.clone());
            let gets =
                [campaign.audience.clone(), Condition::None(earlier.collect()), version.condition.clone()];
            asked.push((Question::Gets, Condition::All(gets.to_vec())));
            for one in required {
                let lacks = gets.iter().cloned().chain([has(&one.needed, false)]);
                let condition = Condition::All(lacks.collect());
                asked.push((Question::Lacks(campaign, one), condition));
            }
        }
    }
    if asked.is_empty() {
        return Ok(Some(Vec::new()));
    }
    let conditions: Vec<&Condition> = asked.iter().map(|(_, condition)| condition).collect();
    let stop = Arc::new(AtomicBool::new(false));
    let settings = project.evaluation_settings();
    let mut counting = std::pin::pin!(tally(store, catalogue, settings, &conditions, &stop, now));
    let counted = if let Ok(counted) = tokio::time::timeout(COUNTING, &mut counting).await {
        counted?
    } else {
        stop.store(true, Ordering::Relaxed);
        counting.await?
    };
    Ok(counted.map(|tally| problems(project, &asked, &tally)))
}

fn problems(project: &Project, asked: &[(Question<'_>, Condition)], tally: &Tally) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut readers = 0;
    for ((question, _), members) in asked.iter().zip(&tally.members) {
        match question {
            Question::Gets => readers = *members,
            Question::Has(name) if *members == 0 && tally.contacts > 0 => {
                problems.extend(without_data(project, name, tally.contacts));
            }
            Question::Lacks(campaign, required) if *members > 0 => {
                let Required { needed, place } = required;
                let message = format!(
                    "{members} of {readers} contacts who would get `{}` lack `{needed}`, without which it cannot be written to them",
                    campaign.name
                );
                let problem = Problem::warning("lacking-data", message, place.clone());
                problems.push(problem.hint(format!(
                    "say what to write instead (`{{% if {needed} %}}`), or leave them out of the audience"
                )));
            }
            _ => {}
        }
    }
    problems
}

fn without_data(project: &Project, name: &AttributeName, contacts: u64) -> Option<Problem> {
    let declared = project.catalogue.attributes.get(name)?;
    let word = declared.value_type.word();
    let message = format!("none of {contacts} contacts has a {word} in `{name}`, which conditions test");
    let place = project.places.of(&format!("attributes.{name}"))?.clone();
    let problem = Problem::warning("no-data", message, place);
    Some(problem.hint("import it; if your data call it otherwise, say how: `from: …`"))
}

/// Whether a contact has a value, or lacks it.
fn has(needed: &Needed, wanted: bool) -> Condition {
    let test = Test { operators: vec![Operator::Exists(wanted)], exact_case: false };
    match needed {
        Needed::Attribute(name) => Condition::Attribute(AttributeRef::Declared(name.clone()), test),
        Needed::Trait(name) => Condition::Trait(name.clone(), test),
    }
}

/// The attributes that a condition of the catalogue tests for a value.
fn tested(catalogue: &Catalogue) -> BTreeSet<AttributeName> {
    let segments = catalogue.segments.values().map(|segment| &segment.condition);
    let campaigns = catalogue.campaigns.values().flat_map(|campaign| {
        campaign.versions.iter().map(|version| &version.condition).chain([&campaign.audience])
    });
    let mut found = BTreeSet::new();
    let mut waiting: Vec<&Condition> = segments.chain(campaigns).collect();
    while let Some(condition) = waiting.pop() {
        match condition {
            Condition::All(parts) | Condition::Any(parts) | Condition::None(parts) => waiting.extend(parts),
            Condition::Attribute(AttributeRef::Declared(name), _) => {
                found.insert(name.clone());
            }
            _ => {}
        }
    }
    found
}
