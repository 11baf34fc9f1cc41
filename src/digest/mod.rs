//! What a reader gets: an alert or a digest, chosen, ordered and phrased.
//!
//! Pure: the facts come in as [`brief`] types, text and HTML go out as
//! [`Rendered`]. Whatever came from a feed is cleaned before a template sees
//! it, and a template's HTML is escaped besides; both parts stay within a size
//! that mail programs show whole, and what does not fit is counted.

pub mod brief;
mod clean;
mod columns;
mod compose;
mod fill;
mod glance;
mod lists;
pub mod sample;
mod story;
mod subject;
mod templates;
mod trend;
mod trial;
mod words;

use crate::digest::brief::Alert;
use crate::digest::brief::Digest;
use crate::digest::brief::Rendered;
use crate::digest::brief::Rollup;
use crate::digest::compose::Part;
pub use crate::digest::templates::Templates;

/// Writes the mail about one story.
pub fn alert(alert: &Alert, templates: &Templates) -> Rendered {
    let part = |part: Part| {
        templates.render(|environment| compose::alert_part(alert, environment, part), part.limit())
    };
    Rendered { subject: subject::alert(alert), text: part(Part::Text), html: part(Part::Html) }
}

/// Writes the one mail about the alerts beyond the cap.
pub fn rollup(rollup: &Rollup, templates: &Templates) -> Rendered {
    let part = |part: Part| {
        templates.render(|environment| compose::rollup_part(rollup, environment, part), part.limit())
    };
    Rendered { subject: subject::rollup(rollup), text: part(Part::Text), html: part(Part::Html) }
}

/// Writes a digest, quiet ones included.
pub fn digest(digest: &Digest, templates: &Templates) -> Rendered {
    let part = |part: Part| {
        templates.render(|environment| compose::digest_part(digest, environment, part), part.limit())
    };
    Rendered { subject: subject::digest(digest), text: part(Part::Text), html: part(Part::Html) }
}

/// Writes a mail about burdenwatch itself, a paragraph a line.
pub fn notice(subject: &str, lines: &[String], templates: &Templates) -> Rendered {
    let part = |part: Part| {
        templates.render(|environment| compose::notice_part(subject, lines, environment, part), part.limit())
    };
    Rendered { subject: subject::notice(subject), text: part(Part::Text), html: part(Part::Html) }
}
