//! The table `contacts`.

use sea_orm::entity::prelude::*;

#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "contacts")]
pub(in crate::store) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: i64,
    pub key: String,
    pub external_id: Option<String>,
    pub email: Option<String>,
    pub email_folded: Option<String>,
    pub time_zone: Option<String>,
    pub language: Option<String>,
    pub created_at: i64,
    pub marketing: i64,
    pub marketing_since: Option<i64>,
    pub tracking: i64,
    pub tracking_since: Option<i64>,
    pub change: i64,
    pub updated_at: i64,
    pub attributes: String,
}

#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub(in crate::store) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
