//! Why a condition holds for one contact, or does not: every part of it with its own answer, every leaf
//! with the value that it found, what decides, what little would turn the answer, and when it turns by
//! itself.
//!
//! There is one meaning: a [`Question`] compiles each part of the condition into one
//! [`Program`](super::Program), and all that an explanation says of what holds is that program's answer. It
//! takes its time, of one contact: parts are asked at many instants to come.
//!
//! | file | what it does |
//! |---|---|
//! | `tree` | the explanation as a value |
//! | `question` | a condition → its parts, segments unfolded, each compiled |
//! | `answer` | one contact: parts → answers, values, turns |
//! | `evidence` | which events counted, in which stretch of time |
//! | `change` `value` `number` `date` | what would turn a leaf |
//! | `smallest` | what decides, and the least that turns the whole |

mod answer;
mod change;
mod date;
mod evidence;
mod number;
mod question;
mod smallest;
mod tree;
mod value;

pub use question::Question;
pub use tree::{
    Absence, Change, Counted, Evidence, Explanation, Leaf, Means, Part, PartKind, Placed, Target, Turn,
    WindowEnd,
};
