//! Rows of packed members and reviews.

use super::SqliteBulk;
use crate::store::Result;
use crate::store::kept::{KeptRow, KeptTable, Wanted, sqlite};

impl SqliteBulk {
    pub(in crate::store::bulk) async fn read_kept(
        &mut self,
        table: KeptTable,
        wanted: Wanted,
    ) -> Result<Vec<KeptRow>> {
        self.run(move |connection| sqlite::read(connection, table, &wanted)).await
    }

    pub(in crate::store::bulk) async fn write_kept(
        &mut self,
        table: KeptTable,
        rows: Vec<KeptRow>,
        emptied: Vec<i64>,
    ) -> Result<()> {
        self.run(move |connection| sqlite::write(connection, table, &rows, &emptied)).await
    }
}
