//! A step of the history, as data: what it does, and what takes it back.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::{ConnectionTrait, DatabaseBackend};

use crate::spelling::spelled;

/// Statements for both databases, in order.
type Statements = &'static [&'static str];

/// A step of the history.
#[derive(Debug)]
pub(crate) struct Step {
    /// The name of its file; a database keeps which names it took.
    pub(crate) name: &'static str,
    pub(crate) up: Statements,
    /// What only `PostgreSQL` needs, behind `up`.
    pub(crate) up_postgres: Statements,
    pub(crate) down: Statements,
    /// What only `PostgreSQL` needs, behind `down`.
    pub(crate) down_postgres: Statements,
}

impl MigrationName for Step {
    fn name(&self) -> &str {
        self.name
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Step {
    /// On both databases: a step that failed half-way leaves nothing behind.
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        execute(manager, self.up, self.up_postgres).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        execute(manager, self.down, self.down_postgres).await
    }
}

async fn execute(
    manager: &SchemaManager<'_>,
    statements: Statements,
    only_postgres: Statements,
) -> Result<(), DbErr> {
    let postgres = manager.get_database_backend() == DatabaseBackend::Postgres;
    let more = if postgres { only_postgres } else { &[] };
    for statement in statements.iter().chain(more) {
        manager.get_connection().execute_unprepared(&spelled(statement, postgres)).await?;
    }
    Ok(())
}
