//! Rows of packed members and reviews.

use super::PostgresBulk;
use crate::store::Result;
use crate::store::error::failed;
use crate::store::kept::{KeptRow, KeptTable, Wanted, postgres};

impl PostgresBulk {
    pub(in crate::store::bulk) async fn read_kept(
        &mut self,
        table: KeptTable,
        wanted: Wanted,
    ) -> Result<Vec<KeptRow>> {
        postgres::read(&mut self.transaction, table, wanted).await.map_err(failed(self.operation))
    }

    pub(in crate::store::bulk) async fn write_kept(
        &mut self,
        table: KeptTable,
        rows: Vec<KeptRow>,
        emptied: Vec<i64>,
    ) -> Result<()> {
        let written = postgres::write(&mut self.transaction, table, &rows, &emptied).await;
        written.map_err(failed(self.operation))
    }
}
