//! What all parts of one engine share.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use super::claim::Claims;
use super::error::{Doing as _, EngineError};
use super::ledger::Ledger;
use super::numbers::LinkNumbers;
use super::parts::{Declared, EngineSettings};
use super::slot::LaneSlot;
use crate::domain::delivery::RunId;
use crate::domain::name::{CampaignName, SegmentName};
use crate::domain::time::Timestamp;
use crate::send::{Lease, Transport};
use crate::store::Store;
use crate::store::incarnations::Incarnation;

/// Between two signs of life; a longer gap means that the machine slept.
pub(super) const HEARTBEAT: Duration = Duration::from_secs(15);

/// What all parts of one engine share.
#[derive(Debug)]
pub(super) struct Core {
    pub(super) store: Store,
    pub(super) transport: Transport,
    pub(super) settings: EngineSettings,
    pub(super) declarations: Declarations,
    pub(super) incarnation: Incarnation,
    /// Until when mails may go out.
    pub(super) lease: Lease,
    pub(super) ledger: Ledger,
    pub(super) claims: Claims,
    pub(super) numbers: LinkNumbers,
    pub(super) memory: Mutex<Memory>,
    /// The lanes that nobody works at.
    pub(super) lanes: tokio::sync::Mutex<Vec<LaneSlot>>,
}

/// What an engine remembers between ticks; a new one learns it from the store.
#[derive(Debug, Clone)]
pub(super) struct Memory {
    /// Since when this engine has been up without a gap.
    pub(super) up_since: Timestamp,
    /// The last sign of life.
    pub(super) last_beat: Timestamp,
    /// Due times of a campaign up to here are dealt with …
    pub(super) considered: HashMap<CampaignName, Considered>,
    /// The declarations under which campaigns that vanished were forgotten.
    pub(super) edition: Option<u64>,
    /// When segments were evaluated last, and under which declarations.
    pub(super) refreshed: Option<(Timestamp, u64)>,
    /// The same of segments with a time of their own.
    pub(super) refreshed_alone: HashMap<SegmentName, (Timestamp, u64)>,
    /// When contacts are to be ranked next, when that was found out, and under which declarations.
    pub(super) ranked: Option<(Option<Timestamp>, Timestamp, u64)>,
    /// The declarations of the last tick.
    pub(super) declared: Option<(u64, Declared)>,
    /// The declarations under which it was noted what campaigns are like.
    pub(super) alike: Option<u64>,
    /// Campaigns with `include_current` that had their run.
    pub(super) current_included: HashSet<CampaignName>,
    /// Of campaigns with `time_zone: contact`.
    pub(super) zones: HashMap<CampaignName, NextInZones>,
    /// Runs whose rows say that their campaign is not declared.
    pub(super) undeclared: HashSet<RunId>,
}

/// When a campaign is due next in some zone.
#[derive(Debug, Clone, Copy)]
pub(super) struct NextInZones {
    /// Under which declarations …
    pub(super) edition: u64,
    /// … and when that was found out.
    pub(super) asked_at: Timestamp,
    /// When; `None`: never again.
    pub(super) at: Option<Timestamp>,
}

/// Up to when the due times of a campaign are dealt with.
#[derive(Debug, Clone, Copy)]
pub(super) struct Considered {
    /// When the campaign was first seen.
    pub(super) activated_at: Timestamp,
    /// As far as this engine knows.
    pub(super) until: Timestamp,
    /// As far as the store knows.
    pub(super) stored: Timestamp,
    /// The single instant (`at`) whose run is made.
    pub(super) last_single: Option<Timestamp>,
    /// The last look of this engine.
    pub(super) looked_at: Option<Timestamp>,
}

impl Memory {
    pub(super) fn new(now: Timestamp) -> Self {
        Self {
            up_since: now,
            last_beat: now,
            considered: HashMap::new(),
            edition: None,
            refreshed: None,
            refreshed_alone: HashMap::new(),
            ranked: None,
            declared: None,
            alike: None,
            current_included: HashSet::new(),
            zones: HashMap::new(),
            undeclared: HashSet::new(),
        }
    }

    /// A sign of life of the daemon. After a gap (the machine slept) it counts as started anew, so that
    /// what was due meanwhile is missed and not sent at night's end.
    pub(super) fn beat(&mut self, now: Timestamp) {
        if now.since(self.last_beat) > 2 * HEARTBEAT + super::occurrence::ON_TIME {
            tracing::warn!(
                gap.seconds = now.since(self.last_beat).as_secs(),
                "no sign of life for a while (did the machine sleep?): what was due meanwhile counts as missed"
            );
            self.up_since = now;
        }
        // After a clock was set back nothing is known of the time before.
        self.up_since = self.up_since.min(now);
        self.last_beat = now;
    }
}

impl Core {
    /// A new incarnation. Takes the lock of a sender and the rows of dead ones back.
    pub(super) async fn start(
        store: Store,
        transport: Transport,
        settings: EngineSettings,
        declarations: Declarations,
        memory: Memory,
        now: Timestamp,
    ) -> Result<Self, EngineError> {
        let incarnation =
            Incarnation::begin(&store, now).await.doing(|| "register this daemon as a sender".to_owned())?;
        let lease = Lease::default();
        let open = || LaneSlot::new(transport.open_under(&lease));
        let lanes: Vec<_> = (0..transport.connections()).map(|_| open()).collect();
        let core = Self {
            ledger: Ledger::open(store.clone(), incarnation.id()),
            claims: Claims::new(lanes.len(), &settings.limits),
            numbers: LinkNumbers::default(),
            lanes: tokio::sync::Mutex::new(lanes),
            memory: Mutex::new(memory),
            store,
            transport,
            settings,
            declarations,
            incarnation,
            lease,
        };
        core.recover(now).await?;
        Ok(core)
    }

    /// Gives the lock of the sender free, once nothing is in hand.
    pub(super) async fn end(self, now: Timestamp) -> Result<(), EngineError> {
        self.incarnation.end(&self.store, now).await.doing(|| "note that this daemon ends".to_owned())
    }

    /// A lane in the place of one that broke.
    pub(super) fn new_lane(&self) -> LaneSlot {
        LaneSlot::new(self.transport.open_under(&self.lease))
    }

    /// What is remembered; a panic elsewhere while it was changed leaves it usable.
    pub(super) fn memory(&self) -> std::sync::MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is declared now. Clones share it: whoever reads the files replaces it for the engine.
#[derive(Debug, Clone)]
pub struct Declarations {
    current: Arc<RwLock<(u64, Declared)>>,
}

impl Declarations {
    pub(super) fn new(declared: Declared) -> Self {
        Self { current: Arc::new(RwLock::new((0, declared))) }
    }

    /// From now on these hold. Mails that are being handed over are not touched.
    pub fn replace(&self, declared: Declared) {
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        *current = (current.0 + 1, declared);
    }

    /// What is declared now.
    pub fn current(&self) -> Declared {
        self.current.read().unwrap_or_else(PoisonError::into_inner).1.clone()
    }

    /// A number that is another one after each replacement.
    pub(super) fn edition(&self) -> u64 {
        self.current.read().unwrap_or_else(PoisonError::into_inner).0
    }
}
