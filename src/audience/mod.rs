//! Who is in: keeps memberships of segments true, selects the audience of a run, looks at some
//! contacts or at one. Decides nothing itself: all of it asks [`evaluate`](crate::evaluate).
//!
//! | file | what it does |
//! |---|---|
//! | [`refresh`](refresh()) | segments, for those contacts whose answer can have changed; what is declared anew, for all |
//! | `concerns` | whom news concern, and which conditions |
//! | `answers`, `causes` | what a pass finds; why contacts entered and left |
//! | [`verify`](verify()), [`misfits`](misfits()) | what is kept, held against a full pass; values that do not fit their type |
//! | [`select`](select()) | everybody who meets a campaign's audience, with the version each gets |
//! | `groups` | what is evaluated together, and what by itself |
//! | `fingerprint` | what answers rest on but data |
//! | [`population`] | thresholds of rankings: which stand, and when they are computed anew |
//! | `ranking` | a pass over all contacts to thresholds |
//! | [`explain`](explain()) | why one contact is in, or is not |
//! | [`survey`](survey()) | who meets a condition, how it overlaps with others, and with which values |
//! | [`tally`](tally()) | how many meet each of some conditions; writes nothing |
//! | [`inspect`] | a condition's size and a sample; conditions and traits of given contacts |

mod answers;
mod causes;
mod concerns;
mod error;
mod explain;
mod fingerprint;
mod groups;
pub mod inspect;
mod misfits;
pub mod population;
mod program;
mod ranking;
mod refresh;
mod select;
mod survey;
mod tally;
mod verify;

pub use error::AudienceError;
pub use explain::explain;
pub use fingerprint::fingerprint;
pub use groups::{segments_of, shared, with_own_time};
pub use inspect::{Counted, Seen, count_and_sample, drawn, evaluate_contact, look_at};
pub use misfits::{Misfit, Unfit, ValueOf, misfits};
pub use population::{Ranks, keep_ranks, of_declaration};
pub use refresh::{Refreshed, SegmentMoves, kept, refresh, refresh_alone, refresh_shared};
pub use select::{Selected, select, select_among, version_of};
pub use survey::{Overlap, Surveyed, Values, survey, values};
pub use tally::{Tally, tally};
pub use verify::{Compared, Difference, verify};
