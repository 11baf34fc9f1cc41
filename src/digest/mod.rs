//! What a reader gets: an alert or a digest, chosen, ordered and phrased.
//!
//! Pure: the facts come in as [`brief`] types, text and HTML go out as
//! [`Rendered`](brief::Rendered).

pub mod brief;
