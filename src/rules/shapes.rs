//! What variants ask for beyond their first literal: capitals, and pieces after stars.
//!
//! A pack has tens of thousands of them, so all lie in three lists instead of on the heap one by one.

use std::ops::Range;

use crate::rules::normal::{Normal, class_in_normal};
use crate::rules::pattern::{Piece, Variant};
use crate::rules::script::Class;

/// How many characters a Hangul word may go on for after a star.
const SYLLABLES: usize = 4;
/// Stands for the capitals of a piece where they do not matter.
const ANY_CASE: u32 = u32::MAX;

/// Many shapes, known by the number of their head.
#[derive(Debug, Default)]
pub(crate) struct Shapes {
    /// The head and the rest of each shape.
    pieces: Vec<Held>,
    /// What stands after stars.
    texts: String,
    /// For each byte of a piece where it matters, whether it must be a capital.
    capitals: Vec<bool>,
}

/// A piece and where its text and capitals are.
#[derive(Debug, Clone, Copy)]
struct Held {
    from: u32,
    to: u32,
    /// Where its capitals begin, or [`ANY_CASE`].
    capitals: u32,
    then: Then,
}

/// How a shape goes on after a piece.
#[derive(Debug, Clone, Copy)]
enum Then {
    /// Not at all.
    End,
    /// With the next piece where the word ends, which in scripts without spaces is at once.
    Word,
    /// With the next piece after up to four syllables, the first that fits.
    Syllables,
}

impl Held {
    fn range(&self) -> Range<usize> {
        self.from as usize..self.to as usize
    }
}

impl Shapes {
    /// Keeps a variant's shape and returns its number.
    pub(crate) fn add(&mut self, variant: &Variant) -> u32 {
        let number = self.pieces.len() as u32;
        // The automaton has read the head; its capitals are left to look at.
        self.hold("", &variant.head);
        variant.rest.iter().for_each(|piece| self.hold(&piece.text, piece));
        self.pieces.last_mut().into_iter().for_each(|piece| piece.then = Then::End);
        number
    }

    fn hold(&mut self, text: &str, piece: &Piece) {
        let from = self.texts.len() as u32;
        self.texts.push_str(text);
        let capitals = if piece.capitals.is_some() { self.capitals.len() as u32 } else { ANY_CASE };
        self.capitals.extend(piece.capitals.iter().flatten());
        let is_hangul = piece.text.chars().next_back().map(class_in_normal) == Some(Class::Hangul);
        let then = if is_hangul { Then::Syllables } else { Then::Word };
        self.pieces.push(Held { from, to: self.texts.len() as u32, capitals, then });
    }

    pub(crate) fn shrink(&mut self) {
        self.pieces.shrink_to_fit();
        self.texts.shrink_to_fit();
        self.capitals.shrink_to_fit();
    }

    /// Returns how the text after the word of the head must go on: nearly always enough to say no.
    pub(crate) fn follower(&self, shape: u32) -> Option<[u8; 3]> {
        let at = shape as usize;
        let (head, next) = (self.pieces.get(at)?, self.pieces.get(at + 1)?);
        match head.then {
            Then::Word => self.texts.get(next.range())?.as_bytes().first_chunk().copied(),
            Then::End | Then::Syllables => None,
        }
    }

    /// Checks a shape whose head stands at `start..end`, but for its ends; returns where all of it ends.
    pub(crate) fn follow(&self, shape: u32, normal: &Normal, start: usize, end: usize) -> Option<usize> {
        let head = self.pieces.get(shape as usize)?;
        self.same_case(head, normal, start..end).then(|| self.go_on(shape as usize, head, normal, end))?
    }

    fn same_case(&self, piece: &Held, normal: &Normal, range: Range<usize>) -> bool {
        if piece.capitals == ANY_CASE {
            return true;
        }
        let capitals = self.capitals.get(piece.capitals as usize..).unwrap_or_default();
        capitals.iter().zip(range).all(|(capital, at)| normal.is_upper(at) == *capital)
    }

    /// Matches what follows a piece that ends at `end`; returns where all of it ends.
    fn go_on(&self, number: usize, piece: &Held, normal: &Normal, end: usize) -> Option<usize> {
        match piece.then {
            Then::End => Some(end),
            Then::Word => self.stands(number + 1, normal, normal.word_end(end)),
            Then::Syllables => {
                let text = normal.text();
                let ends = text.get(end..)?.char_indices().map(|(at, _)| end + at).chain([text.len()]);
                ends.take_while(|at| *at == end || normal.class_before(*at) == Some(Class::Hangul))
                    .take(SYLLABLES + 1)
                    .find_map(|at| self.stands(number + 1, normal, at))
            }
        }
    }

    /// Matches a piece at `at` and what follows it.
    fn stands(&self, number: usize, normal: &Normal, at: usize) -> Option<usize> {
        let piece = self.pieces.get(number)?;
        let read = normal.text().as_bytes().get(at..)?;
        let text = self.texts.get(piece.range())?.as_bytes();
        let to = at + text.len();
        (read.starts_with(text) && self.same_case(piece, normal, at..to))
            .then(|| self.go_on(number, piece, normal, to))?
    }
}
