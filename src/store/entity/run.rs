//! The table `runs`.

use sea_orm::entity::prelude::*;

use crate::domain::delivery::{RunId, RunState, RunTrigger};
use crate::domain::time::Timestamp;
use crate::store::campaigns::campaign_name;
use crate::store::error::unknown_word;
use crate::store::runs::Run;
use crate::store::{Result, StoreError};

#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "runs")]
pub(in crate::store) struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    pub campaign: String,
    pub due_at: i64,
    pub zone: String,
    pub state: String,
    pub made_by: String,
    pub created_at: i64,
    pub fixed_at: Option<i64>,
    pub finished_at: Option<i64>,
    pub note: Option<String>,
}

#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub(in crate::store) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl TryFrom<Model> for Run {
    type Error = StoreError;

    fn try_from(row: Model) -> Result<Self> {
        let micros = |at: Option<i64>| at.map(Timestamp::from_micros);
        Ok(Self {
            id: RunId(row.id),
            campaign: campaign_name("runs", &row.campaign)?,
            due_at: Timestamp::from_micros(row.due_at),
            state: RunState::from_word(&row.state)
                .ok_or_else(|| unknown_word("runs", "state", &row.state))?,
            trigger: RunTrigger::from_word(&row.made_by)
                .ok_or_else(|| unknown_word("runs", "made_by", &row.made_by))?,
            created_at: Timestamp::from_micros(row.created_at),
            fixed_at: micros(row.fixed_at),
            finished_at: micros(row.finished_at),
            note: row.note,
        })
    }
}
