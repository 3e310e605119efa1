//! The table `runs`.

use sea_orm::entity::prelude::*;

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
    pub local_due: Option<i64>,
    pub marketing: i64,
    pub resumed_at: Option<i64>,
}

#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub(in crate::store) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
