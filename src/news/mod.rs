//! What the news is: entries read out of feed bytes, and which of them tell one story.
//!
//! Everything here is a function of its arguments. There is no clock, no
//! randomness, no I/O and no `async`: callers pass `now` in and act on what
//! comes back. So `burdenwatch explain` and `parse` answer exactly as the
//! daemon would.
//!
//! Reading order: [`entry`] → [`parse`] → [`identity`] → [`story`] → [`schedule`].

pub mod dates;
mod decode;
pub mod entry;
pub mod identity;
pub mod link;
pub mod parse;
pub mod schedule;
pub mod story;
pub mod text;
