//! The nouns and their rules. Knows no database, no file, no clock.
//!
//! | file | noun |
//! |---|---|
//! | [`name`] [`number`] [`text`] [`language`] [`json`] [`value`] [`time`] [`calendar`] | the plain values |
//! | [`address`] [`contact`] [`consent`] | people |
//! | [`event`] [`history`] | what they did |
//! | [`facts`] [`attributes`] | what is packed of people for a pass over all of them |
//! | [`membership`] [`roster`] | in which segments they are |
//! | [`condition`] [`ranking`] [`score`] [`catalogue`] | what is declared of them |
//! | [`population`] | what is not a contact's own: thresholds of rankings |
//! | [`written`] | conditions in the words of the YAML |
//! | [`campaign`] [`schedule`] [`email`] [`delivery`] [`link`] | what is sent to them |
//! | [`caps`] [`pace`] [`provider`] [`quiet_hours`] [`stop`] | how much of it, how fast, to whom, when not, and when no more |
//! | [`suppression`] | who is not mailed |
//! | [`engagement`] | what came of it |

pub mod address;
pub mod arrow;
pub mod attributes;
pub mod calendar;
pub mod campaign;
pub mod caps;
pub mod catalogue;
pub mod condition;
pub mod consent;
pub mod contact;
pub mod delivery;
pub mod email;
pub mod engagement;
pub mod event;
pub mod facts;
pub mod history;
pub mod json;
pub mod language;
pub mod link;
pub mod membership;
pub mod name;
pub mod number;
pub mod pace;
pub mod population;
pub mod provider;
pub mod quiet_hours;
pub mod ranking;
pub mod roster;
pub mod schedule;
pub mod score;
pub mod stop;
pub mod suppression;
pub mod text;
pub mod time;
pub mod value;
mod varint;
pub mod written;
