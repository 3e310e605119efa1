//! `campaignd run`: the engine by the clock, the servers, and changed declarations taken up while it
//! runs.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::diagnostic::{Problem, Sources};
use crate::domain::catalogue::Catalogue;
use crate::domain::consent::ConsentState;
use crate::domain::provider::TransportLimits;
use crate::engine::{Declarations, Declared, Engine, EngineParts, EngineSettings};
use crate::http;
use crate::settings::{self, Settings};
use crate::track::Spool;

use super::project::{Checked, environment};
use super::report::pages;
use super::track::{keep_tracking, take_in_the_rest};
use super::transport::transport;
use super::watch::Stamps;
use super::{Failure, Installation};

/// How often the files are looked at: soon after somebody saved one, and cheap.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// A daemon that holds its lock and is ready to run.
#[derive(Debug)]
pub struct Daemon {
    installation: Installation,
    engine: Engine,
    server: http::Server,
    state: http::State,
    catalogue: watch::Sender<Arc<Catalogue>>,
    stamps: Stamps,
}

/// What the daemon has to say of its files while it runs.
#[derive(Debug)]
pub enum News {
    /// The declarations changed and hold from now on.
    Reloaded {
        /// How many segments there are now.
        segments: usize,
        /// How many campaigns there are now.
        campaigns: usize,
    },
    /// The declarations changed and are wrong: the old ones still hold.
    Kept {
        /// What is wrong.
        problems: Vec<Problem>,
        /// The files' texts.
        sources: Sources,
    },
    /// The settings changed; all but the keys that sign mails are read at the start only.
    SettingsChanged,
}

impl Daemon {
    /// Takes the lock of a sender, recovers what dead ones left and binds the listeners; sends and
    /// answers nothing yet.
    pub async fn build(installation: Installation) -> Result<Self, Failure> {
        let stamps =
            Stamps::of(&installation.project.settings.project, &key_files(&installation.project.settings));
        let engine = start_engine(&installation).await?;
        let (catalogue, current) = watch::channel(Arc::new(installation.project.catalogue.clone()));
        let bound = async {
            let state = http_state(&installation, current).await?;
            let listen = installation.project.settings.http;
            let listen = http::Listen { public: listen.listen, report: listen.report };
            let server = http::Server::bind(listen).await;
            Ok((server.map_err(|error| Failure::outside("could not serve pages", error))?, state))
        };
        match bound.await {
            Ok((server, state)) => Ok(Self { installation, engine, server, state, catalogue, stamps }),
            Err(failure) => {
                // The lock is free when the process ends, too.
                let _ = engine.stop(installation.clock.now()).await;
                Err(failure)
            }
        }
    }

    /// The servers' addresses.
    pub const fn server(&self) -> &http::Server {
        &self.server
    }

    /// Runs until `shutdown`, then stops clean: what is being handed over comes to its end.
    pub async fn run(
        self,
        shutdown: impl Future<Output = ()> + Send,
        tell: &(dyn Fn(News) + Send + Sync),
    ) -> Result<(), Failure> {
        let Self { installation, engine, server, state, catalogue, stamps } = self;
        let current = Current { declarations: engine.declarations(), catalogue };
        let clock = installation.clock.clone();
        let reload = keep_up(&installation, &current, stamps, tell);
        let shutdown = shutdown.shared();
        let spool = state.spool.clone();
        let mut tracking = JoinSet::new();
        tracking.spawn(keep_tracking(installation.clone(), spool.clone()));
        let serving = server.serve(state, shutdown.clone());
        let (ran, ()) = tokio::select! {
            ended = async { tokio::join!(engine.run(clock, shutdown), serving) } => ended,
            never = reload => match never {},
        };
        tracking.shutdown().await;
        take_in_the_rest(&installation, &spool).await;
        ran.map_err(|error| installation.engine_failed(error))?;
        installation.close().await
    }
}

/// An engine for an installation; it holds the lock of a sender.
pub async fn start_engine(installation: &Installation) -> Result<Engine, Failure> {
    let parts = EngineParts {
        store: installation.store.clone(),
        transport: transport(&installation.project.settings)?,
        declared: declared(installation).await?,
        settings: engine_settings(installation),
    };
    Engine::start(parts, installation.clock.now()).await.map_err(|error| installation.engine_failed(error))
}

/// What handlers of the servers may use.
pub async fn http_state(
    installation: &Installation,
    catalogue: watch::Receiver<Arc<Catalogue>>,
) -> Result<http::State, Failure> {
    let (store, clock) = (installation.store.clone(), installation.clock.clone());
    let spool = Spool::open(&installation.project.settings.spool, rand::random())
        .map_err(|error| Failure::outside("could not open the spool", error))?;
    let (links, redirects) = (installation.links().await?, http::Redirects::default());
    let reports = pages(installation);
    let calls = http::Calls::start(store.clone());
    let parts = http::Parts { store, clock, links, spool, redirects, reports, catalogue, calls };
    Ok(parts.into())
}

/// Where changed declarations go.
struct Current {
    declarations: Declarations,
    catalogue: watch::Sender<Arc<Catalogue>>,
}

async fn declared(installation: &Installation) -> Result<Declared, Failure> {
    Ok(Declared {
        catalogue: Arc::new(installation.project.catalogue.clone()),
        renderer: installation.renderer().await?,
    })
}

pub(super) fn engine_settings(installation: &Installation) -> EngineSettings {
    let settings = &installation.project.settings;
    EngineSettings {
        refresh: settings.refresh.clone(),
        refresh_ranks: settings.refresh_ranks.clone(),
        unknown_marketing_is_yes: settings.consent_unknown.marketing == ConsentState::Yes,
        unknown_tracking_is_yes: settings.consent_unknown.tracking == ConsentState::Yes,
        tracking: settings.tracking,
        limits: Arc::new(limits(&settings.transport)),
        ..EngineSettings::new(installation.project.evaluation_settings())
    }
}

/// How fast mails leave. Into a folder: as fast as they can.
fn limits(transport: &settings::Transport) -> TransportLimits {
    match transport {
        settings::Transport::Folder { .. } => TransportLimits::default(),
        settings::Transport::Smtp(smtp) => smtp.limits.clone(),
    }
}

/// Looks at the files and the signing secrets now and then, and hands changed declarations to the engine.
async fn keep_up(
    installation: &Installation,
    current: &Current,
    mut seen: Stamps,
    tell: &(dyn Fn(News) + Send + Sync),
) -> std::convert::Infallible {
    let folder = &installation.project.settings.project;
    let mut keys = key_files(&installation.project.settings);
    // What was wrong at the last look. It may be mended where no stamp shows it: a key's file that was not there is
    // not among the files that are looked at, and who may read a file is no part of its stamp.
    let mut wrong: Option<Vec<Problem>> = None;
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        // Where the database is away, the next time.
        let _ = installation.renew_links().await;
        let watched = keys.clone();
        let stamps = aside(folder, move |folder| Stamps::of(folder, &watched)).await;
        let Some(now) = stamps.filter(|now| wrong.is_some() || *now != seen) else { continue };
        if now.settings_differ(&seen) {
            tell(News::SettingsChanged);
        }
        seen = now;
        let Some(checked) = aside(folder, |folder| Checked::read(folder, &environment())).await else {
            continue;
        };
        let Some(project) = checked.project else {
            if wrong.as_ref() != Some(&checked.problems) {
                wrong = Some(checked.problems.clone());
                tell(News::Kept { problems: checked.problems, sources: checked.sources });
            }
            continue;
        };
        wrong = None;
        let (segments, campaigns) = (project.catalogue.segments.len(), project.catalogue.campaigns.len());
        // Files that are looked at for the first time count as changed: they are read once more.
        keys = key_files(&project.settings);
        // Settings stay those of the start, declarations, templates and keys that sign mails are the new ones.
        let mut renewed = installation.clone();
        renewed.project.settings.dkim = project.settings.dkim;
        renewed.project.catalogue = project.catalogue;
        renewed.project.templates = project.templates;
        match declared(&renewed).await {
            Ok(declared) => {
                current.catalogue.send_replace(Arc::clone(&declared.catalogue));
                current.declarations.replace(declared);
                tell(News::Reloaded { segments, campaigns });
            }
            // The database is away; look again at the next change or the next time.
            Err(_) => seen = Stamps::default(),
        }
    }
}

/// The files of keys that sign mails.
fn key_files(settings: &Settings) -> Vec<PathBuf> {
    settings.dkim.iter().map(|key| key.file.clone()).collect()
}

/// Reads files on a thread of its own, so that mails do not wait for a slow disk. `None`: it panicked.
async fn aside<T: Send + 'static>(
    folder: &Path,
    read: impl FnOnce(&Path) -> T + Send + 'static,
) -> Option<T> {
    let folder = folder.to_path_buf();
    tokio::task::spawn_blocking(move || read(&folder)).await.ok()
}
