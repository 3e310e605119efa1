//! Where declarations and their keys stand.

use std::collections::BTreeMap;

use crate::diagnostic::Place;

/// Places by dotted path: `campaigns.vip_discount.template`, `segments.vip`, `traits.spend_12m.of`.
/// Items of lists are numbered from 0: `campaigns.launch.versions.0.template`.
#[derive(Debug, Clone, Default)]
pub struct Places {
    by_path: BTreeMap<String, Place>,
}

impl Places {
    /// The place of a value (for a declaration: of its name). Where the path is not written in
    /// any file, the nearest one above it that is; `None` when there is none.
    pub fn of(&self, path: &str) -> Option<&Place> {
        let mut path = path;
        loop {
            if let Some(place) = self.by_path.get(path) {
                return Some(place);
            }
            path = path.rsplit_once('.')?.0;
        }
    }

    /// Notes a place; the first one of a path stays.
    pub fn note(&mut self, path: String, place: Place) {
        self.by_path.entry(path).or_insert(place);
    }
}
