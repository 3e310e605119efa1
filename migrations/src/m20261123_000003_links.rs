//! Addresses that stand in mails, and how a mail was tracked.

use sea_orm_migration::prelude::*;

use crate::spelling;

/// See the module.
pub(crate) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m20261123_000003_links"
    }
}

const STATEMENTS: &[&str] = &[
    // The number is made from run and address, not drawn.
    "CREATE TABLE links (number {id}, run {int} NOT NULL, url TEXT NOT NULL) {strict}",
    "CREATE INDEX links_run ON links (run)",
    // How the mail was tracked: none, aggregate, individual. NULL before it was handed over.
    "ALTER TABLE deliveries ADD COLUMN tracking TEXT",
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        spelling::execute(manager, STATEMENTS, &[]).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let statements = ["ALTER TABLE deliveries DROP COLUMN tracking", "DROP TABLE links"];
        spelling::execute(manager, &statements, &[]).await
    }
}
