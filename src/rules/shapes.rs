//! What variants ask for beyond their first literal: capitals, and pieces after stars.
//!
//! A pack has tens of thousands of them, so all lie in four lists instead of on the heap one by one.

use std::ops::Range;

use crate::rules::normal::Normal;
use crate::rules::pattern::{Ends, Piece, Variant};
use crate::rules::script::Class;

/// How many characters a Hangul word may go on for after a star.
const SYLLABLES: usize = 4;

/// Many shapes, known by their numbers.
#[derive(Debug, Default)]
pub(crate) struct Shapes {
    shapes: Vec<Shape>,
    /// The head and the rest of each shape.
    pieces: Vec<Held>,
    /// What stands after stars.
    texts: String,
    /// For each byte of a piece where it matters, whether it must be a capital.
    capitals: Vec<bool>,
}

/// One shape.
#[derive(Debug, Clone, Copy)]
struct Shape {
    /// Its pieces, the head first.
    first: u32,
    count: u32,
    ends: Ends,
}

/// A piece and where its text is.
#[derive(Debug, Clone, Copy)]
struct Held {
    text: Part,
    /// Empty where capitals do not matter.
    capitals: Part,
}

/// A part of a list that all share.
#[derive(Debug, Clone, Copy)]
struct Part {
    from: u32,
    to: u32,
}

impl Part {
    fn range(self) -> Range<usize> {
        self.from as usize..self.to as usize
    }
}

impl Shapes {
    /// Keeps a variant's shape and returns its number.
    pub(crate) fn add(&mut self, variant: &Variant) -> u32 {
        let first = self.pieces.len() as u32;
        // The automaton has read the head; its capitals are left to look at.
        self.hold("", &variant.head);
        variant.rest.iter().for_each(|piece| self.hold(&piece.text, piece));
        let count = self.pieces.len() as u32 - first;
        self.shapes.push(Shape { first, count, ends: variant.ends });
        self.shapes.len() as u32 - 1
    }

    fn hold(&mut self, text: &str, piece: &Piece) {
        let (from, at) = (self.texts.len() as u32, self.capitals.len() as u32);
        self.texts.push_str(text);
        self.capitals.extend(piece.capitals.iter().flatten());
        let text = Part { from, to: self.texts.len() as u32 };
        self.pieces.push(Held { text, capitals: Part { from: at, to: self.capitals.len() as u32 } });
    }

    pub(crate) fn shrink(&mut self) {
        self.shapes.shrink_to_fit();
        self.pieces.shrink_to_fit();
        self.texts.shrink_to_fit();
        self.capitals.shrink_to_fit();
    }

    /// Returns what must be true at the ends of a shape.
    pub(crate) fn ends(&self, shape: u32) -> Option<Ends> {
        self.shapes.get(shape as usize).map(|shape| shape.ends)
    }

    /// Checks a shape whose head stands at `start..end`, but for its ends; returns where all of it ends.
    pub(crate) fn follow(&self, shape: u32, normal: &Normal, start: usize, end: usize) -> Option<usize> {
        let shape = self.shapes.get(shape as usize)?;
        let first = shape.first as usize;
        let (head, rest) = self.pieces.get(first..first + shape.count as usize)?.split_first()?;
        if self.same_case(*head, normal, start) { self.go_on(rest, normal, end) } else { None }
    }

    fn same_case(&self, piece: Held, normal: &Normal, start: usize) -> bool {
        let capitals = self.capitals.get(piece.capitals.range()).unwrap_or_default();
        capitals.iter().zip(start..).all(|(capital, at)| normal.is_upper(at) == *capital)
    }

    /// Matches the pieces after stars; Hangul words may go on for up to four syllables.
    fn go_on(&self, rest: &[Held], normal: &Normal, end: usize) -> Option<usize> {
        let Some((piece, rest)) = rest.split_first() else { return Some(end) };
        let text = self.texts.get(piece.text.range())?.as_bytes();
        let here = |at: usize| {
            let read = normal.text().as_bytes().get(at..)?;
            // Nearly always the first byte says no.
            let stands = read.first() == text.first() && read.starts_with(text);
            if stands && self.same_case(*piece, normal, at) {
                self.go_on(rest, normal, at + text.len())
            } else {
                None
            }
        };
        if normal.class_before(end) != Some(Class::Hangul) {
            return here(normal.word_end(end));
        }
        let syllables =
            normal.text().get(end..)?.char_indices().map(|(at, _)| end + at).chain([normal.text().len()]);
        syllables
            .take_while(|at| *at == end || normal.class_before(*at) == Some(Class::Hangul))
            .take(SYLLABLES + 1)
            .find_map(here)
    }
}
