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
//! | `question` `reading` | a condition → its parts, segments unfolded, each compiled; what leaves read |
//! | `answer` | one contact: parts → answers, values, turns |
//! | `evidence` | which events counted, in which stretch of time |
//! | `change` | what would turn a leaf |
//! | `value` | of a value of the contact's own |
//! | `events` `attempt` `measures` `script` `trial` | of what events amount to: more of them, tried |
//! | `solve` `number` `date` `texts` `lists` | values with which a test has the other answer |
//! | `smallest` | what decides, and the least that turns the whole |

mod answer;
mod attempt;
mod change;
mod date;
mod events;
mod evidence;
mod lists;
mod measures;
mod number;
mod question;
mod reading;
mod script;
mod smallest;
mod solve;
mod texts;
mod tree;
mod trial;
mod value;

pub use question::Question;
pub use tree::{
    Absence, Change, Counted, Doing, Evidence, Explanation, Leaf, Means, Part, PartKind, Placed, Target,
    Turn, WindowEnd,
};
