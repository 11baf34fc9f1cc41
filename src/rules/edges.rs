//! What must be true at both ends of a variant: in each script words begin and end in their own way.

use crate::rules::normal::{Normal, class_in_normal};
use crate::rules::pattern::{Edge, Ends};
use crate::rules::script::{Class, PARTICLE_BYTES, is_arabic_prefix, is_particle};

/// Checks what goes on where a variant ends; returns where all of it ends, and whether it counts only when another
/// pattern of its rule follows.
pub(crate) fn fits(ends: Ends, normal: &Normal, end: usize) -> Option<(usize, bool)> {
    if ends.star {
        return Some((normal.word_end(end), false));
    }
    let ending = |end: usize| {
        Some((end, right_edge(ends.right, normal, end))).filter(|(_, verdict)| *verdict != Verdict::No)
    };
    let plural = || match normal.text().as_bytes().get(end..)? {
        [b's', ..] => ending(end + 1),
        [b'e', b's', ..] => ending(end + 2),
        _ => None,
    };
    let (end, verdict) = ending(end).or_else(|| ends.plural.then(plural).flatten())?;
    Some((end, verdict == Verdict::WithFollower))
}

/// Whether a variant may begin here.
pub(crate) fn left_edge(edge: Edge, normal: &Normal, at: usize) -> bool {
    let follows = |class: Class| normal.class_before(at) == Some(class);
    match edge {
        Edge::Free => true,
        Edge::Alpha => match normal.text().as_bytes().get(at.wrapping_sub(1)) {
            // Most of these stand in the middle of a word, and one look at a byte tells.
            Some(byte) if byte.is_ascii() => !byte.is_ascii_alphanumeric(),
            _ => !follows(Class::Alpha),
        },
        Edge::Katakana => !follows(Class::Katakana) || normal.is_break(at),
        Edge::Hangul => !follows(Class::Hangul) || normal.is_break(at),
        Edge::Arabic => {
            // One letter more than the longest prefix decides, however long the word is.
            let nearest = normal.text().get(normal.text().ceil_char_boundary(at.saturating_sub(18))..at);
            let nearest = nearest.unwrap_or_default();
            let word = nearest.trim_end_matches(|c| class_in_normal(c) == Class::Arabic).len();
            nearest.len() - word <= 16 && is_arabic_prefix(nearest.get(word..).unwrap_or_default())
        }
    }
}

/// What an edge says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Yes,
    No,
    WithFollower,
}

fn right_edge(edge: Edge, normal: &Normal, at: usize) -> Verdict {
    let after = normal.class_at(at);
    let free = match edge {
        Edge::Free => true,
        Edge::Alpha => after != Some(Class::Alpha),
        Edge::Arabic => after != Some(Class::Arabic),
        Edge::Katakana => after != Some(Class::Katakana) || normal.is_break(at),
        Edge::Hangul => {
            let ends = |at: usize| normal.class_at(at) != Some(Class::Hangul) || normal.is_break(at);
            let particle = |length: usize| {
                normal.text().get(at..at + length).is_some_and(is_particle) && ends(at + length)
            };
            if !ends(at) && !PARTICLE_BYTES.into_iter().any(particle) {
                return Verdict::WithFollower;
            }
            true
        }
    };
    if free { Verdict::Yes } else { Verdict::No }
}
