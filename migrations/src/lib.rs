//! The history of the tables, step by step. A step that was released is never changed: a database
//! that took it will not take it again. It imports nothing of the program, and spells its names out.

pub use sea_orm_migration::{MigrationName, MigrationTrait, MigratorTrait};

mod m20261123_000001_foundation;
mod m20261123_000002_facts;
mod m20261123_000003_links;
mod m20261123_000004_tracking;
mod m20261123_000005_consent;
mod m20261123_000006_campaigns;
mod m20261123_000007_ingest;
mod m20261124_000001_ranks;
mod m20261124_000002_delivery;
mod m20261124_000003_kept;
mod m20261124_000005_attributes;
mod m20261124_000008_limits;
mod m20261124_000009_senders;
mod m20261124_000010_readings;
mod spelling;
mod step;

/// All steps, oldest first.
#[derive(Debug)]
pub struct Migrator;

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m20261123_000001_foundation::STEP),
            Box::new(m20261123_000002_facts::STEP),
            Box::new(m20261123_000003_links::STEP),
            Box::new(m20261123_000004_tracking::STEP),
            Box::new(m20261123_000005_consent::STEP),
            Box::new(m20261123_000006_campaigns::STEP),
            Box::new(m20261123_000007_ingest::STEP),
            Box::new(m20261124_000001_ranks::STEP),
            Box::new(m20261124_000002_delivery::STEP),
            Box::new(m20261124_000003_kept::STEP),
            Box::new(m20261124_000005_attributes::STEP),
            Box::new(m20261124_000008_limits::STEP),
            Box::new(m20261124_000009_senders::STEP),
            Box::new(m20261124_000010_readings::STEP),
        ]
    }
}
