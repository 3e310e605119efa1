//! Calls of the Segment tracking API (which `RudderStack`'s clients speak, too) to contacts and events.
//!
//! ```text
//! body ── body ──▶ calls ── call ──▶ arrivals ── writer ──▶ store
//!                              └────▶ refusals ───┘
//! ```
//!
//! | file | what |
//! |---|---|
//! | [`body`] | the bytes of a request to the calls in it, within the limits |
//! | [`call`] | one call to an event, and to what it says of a contact; or why not |
//! | `traits` | what an identify call says |
//! | `properties` | the JSON that is kept of a call |
//! | [`moment`] | when it happened, by clocks that may be wrong |
//! | [`writer`] | many requests, one transaction |
//!
//! What cannot be read of a call is refused, the rest of it is kept: a client that is told "no" drops
//! everything, so it hears of wrong JSON only, and people find the rest in `campaignd key rejects`.

pub mod body;
pub mod call;
pub mod moment;
mod properties;
mod traits;
pub mod writer;

pub use body::{Kind, Malformed, Request};
pub use call::Reader;
pub use writer::{NotWritten, Writer};
