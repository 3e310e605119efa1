//! A project with its database: what every use case but `check` works on.

use std::sync::Arc;

use secrecy::ExposeSecret;
use tokio::sync::OnceCell;

use crate::audience::AudienceError;
use crate::clock::Clock;
use crate::diagnostic;
use crate::domain::campaign::Campaign;
use crate::domain::name::CampaignName;
use crate::engine::EngineError;
use crate::links::Links;
use crate::render::Renderer;
use crate::settings;
use crate::store::{self, Store, StoreError, StoreOptions};

use super::{Failure, Project};

/// A project with its database open and up to date.
#[derive(Debug, Clone)]
pub struct Installation {
    /// The declarations, settings and templates.
    pub project: Project,
    /// The database.
    pub store: Store,
    /// What time it is.
    pub clock: Clock,
    /// See [`links`](Self::links).
    pub(super) links: Arc<OnceCell<Links>>,
}

impl Installation {
    /// Opens the project's database and brings its tables up to date.
    pub async fn open(project: Project, clock: Clock) -> Result<Self, Failure> {
        let store = connect(&project).await?;
        store.migrate().await.map_err(|error| database(&project, error))?;
        Ok(Self { project, store, clock, links: Arc::default() })
    }

    /// A campaign by its name.
    pub fn campaign(&self, name: &str) -> Result<&Campaign, Failure> {
        let campaigns = &self.project.catalogue.campaigns;
        let found = CampaignName::parse(name).ok().and_then(|name| campaigns.get(&name));
        found.ok_or_else(|| unknown("campaign", name, campaigns.keys().map(CampaignName::as_str)))
    }

    /// What makes mails of this installation: its templates and links.
    pub async fn renderer(&self) -> Result<Renderer, Failure> {
        let links = self.links().await?;
        let settings = self.project.render_settings();
        Ok(Renderer::new(self.project.templates.clone(), &self.project.catalogue, links, settings))
    }

    /// A failure of the database, with its name.
    pub fn failed(&self, error: StoreError) -> Failure {
        database(&self.project, error)
    }

    /// A failure while contacts were looked at.
    pub fn audience_failed(&self, error: AudienceError) -> Failure {
        Failure::outside(format!("database {}", self.project.settings.database_shown), error)
    }

    /// A failure of the engine.
    pub fn engine_failed(&self, error: EngineError) -> Failure {
        Failure::outside(format!("database {}", self.project.settings.database_shown), error)
    }

    /// Closes the database.
    pub async fn close(self) -> Result<(), Failure> {
        let project = self.project;
        self.store.close().await.map_err(|error| database(&project, error))
    }
}

/// Opens the database without touching its tables.
pub(super) async fn connect(project: &Project) -> Result<Store, Failure> {
    open(project, false).await
}

/// Opens the database for somebody who only looks.
pub(super) async fn connect_to_read(project: &Project) -> Result<Store, Failure> {
    open(project, true).await
}

async fn open(project: &Project, read_only: bool) -> Result<Store, Failure> {
    let options = StoreOptions {
        read_only,
        durability: match project.settings.durability {
            settings::Durability::Process => store::Durability::Process,
            settings::Durability::Power => store::Durability::Power,
        },
        ..StoreOptions::default()
    };
    Store::connect(project.settings.database.expose_secret(), &options)
        .await
        .map_err(|error| database(project, error))
}

/// A failure of a project's database, with its name.
pub(super) fn database(project: &Project, error: StoreError) -> Failure {
    match error {
        StoreError::InvalidAddress { .. } => Failure::call(error.to_string()),
        error => Failure::outside(format!("database {}", project.settings.database_shown), error),
    }
}

/// A name that is not declared, with the one that was probably meant or all there are.
pub(super) fn unknown<'a>(
    kind: &str,
    name: &str,
    declared: impl Iterator<Item = &'a str> + Clone,
) -> Failure {
    let message = format!("no {kind} is called `{name}`");
    let hint = diagnostic::did_you_mean(name, declared.clone()).unwrap_or_else(|| {
        let names: Vec<&str> = declared.collect();
        match names.as_slice() {
            [] => format!("the project declares no {kind}"),
            names => format!("there are: {}", names.join(", ")),
        }
    });
    Failure::call_with_hint(message, hint)
}
