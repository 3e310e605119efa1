//! Where declarations and their keys stand.

use std::collections::BTreeMap;

use crate::diagnostic::Place;
use crate::yaml::{Kind, Node};

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

    /// Notes the place of everything in a file's tree.
    pub(super) fn note_all(&mut self, root: &Node) {
        if let Kind::Map(sections) = &root.kind {
            for section in sections {
                self.note(section.key.text.clone(), &section.key.place);
                let Kind::Map(declarations) = &section.value.kind else { continue };
                for entry in declarations {
                    let path = format!("{}.{}", section.key.text, entry.key.text);
                    self.note(path.clone(), &entry.key.place);
                    self.below(&path, &entry.value);
                }
            }
        }
    }

    fn below(&mut self, path: &str, node: &Node) {
        match &node.kind {
            Kind::Map(entries) => {
                for entry in entries {
                    let path = format!("{path}.{}", entry.key.text);
                    let is_scalar = matches!(entry.value.kind, Kind::Scalar(_));
                    self.note(path.clone(), if is_scalar { &entry.value.place } else { &entry.key.place });
                    self.below(&path, &entry.value);
                }
            }
            Kind::List(items) => {
                for (index, item) in items.iter().enumerate() {
                    let path = format!("{path}.{index}");
                    self.note(path.clone(), &item.place);
                    self.below(&path, item);
                }
            }
            _ => {}
        }
    }

    /// Notes a place; the first one of a path stays.
    fn note(&mut self, path: String, place: &Place) {
        self.by_path.entry(path).or_insert_with(|| place.clone());
    }
}
