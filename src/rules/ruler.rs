//! Distances in a text: half-units, of which a word of a spaced script counts two and a character of Chinese, Japanese
//! or Korean one.

use crate::rules::normal::{STOP, class_in_normal};
use crate::rules::script::Class;

/// A distance of at most so many half-units is counted there and then, unless so many bytes do not decide it.
const STEP: (u32, u32) = (64, 600);

/// Counts the half-units that begin, character by character.
#[derive(Debug, Clone, Copy)]
struct Count {
    last: Class,
    /// Characters of this class before the last one, without a break.
    run: u32,
}

impl Count {
    const START: Self = Self { last: Class::Hard, run: 0 };

    /// Returns the half-units that begin with a character.
    fn step(&mut self, c: char) -> u32 {
        let class = class_in_normal(c);
        self.run = if class == self.last { self.run + 1 } else { 0 };
        self.last = class;
        match class {
            _ if class.is_cjk() => 1,
            // Scripts without spaces: three characters are about half a word.
            Class::Free => u32::from(self.run.is_multiple_of(3)),
            Class::Alpha | Class::Arabic if self.run == 0 => 2,
            _ => 0,
        }
    }
}

/// Distances and sentences of a whole text, for whoever asks often.
#[derive(Debug, Default)]
pub(crate) struct Ruler {
    /// For each byte: half-units of the words that begin before it, and sentence ends before it.
    marks: Vec<(u32, u32)>,
}

impl Ruler {
    pub(crate) fn read(&mut self, text: &str) {
        self.marks.clear();
        self.marks.reserve(text.len() + 1);
        let (mut units, mut sentence, mut count) = (0, 0, Count::START);
        for c in text.chars() {
            self.marks.push((units, sentence));
            units += count.step(c);
            sentence += u32::from(c == STOP);
            for _ in 1..c.len_utf8() {
                self.marks.push((units, sentence));
            }
        }
        self.marks.push((units, sentence));
    }

    fn mark(&self, at: u32) -> (u32, u32) {
        self.marks.get(at as usize).copied().unwrap_or_default()
    }

    /// Returns the half-units of the words that begin between two positions.
    pub(crate) fn gap(&self, from: u32, to: u32) -> u32 {
        self.mark(to).0.saturating_sub(self.mark(from).0)
    }

    /// Whether no sentence ends between two positions.
    pub(crate) fn same_sentence(&self, from: u32, to: u32) -> bool {
        self.mark(from).1 == self.mark(to).1
    }
}

/// Whether at most `most` half-units begin between two positions; `None` where a [`Ruler`] is the better answer.
pub(crate) fn is_within(text: &str, from: u32, to: u32, most: u32) -> Option<bool> {
    if most > STEP.0 {
        return None;
    }
    let before = text.get(..from as usize)?.chars().next_back();
    let mut count = before.map_or(Count::START, |c| Count { last: class_in_normal(c), run: 0 });
    // How far into its run this is only a look further back could tell.
    if count.last == Class::Free {
        return None;
    }
    let mut units = 0;
    for (at, c) in text.get(from as usize..to as usize)?.char_indices() {
        units += count.step(c);
        if units > most {
            return Some(false);
        }
        if at > STEP.1 as usize {
            return None;
        }
    }
    Some(true)
}

/// Whether no sentence ends between two positions; `None` where a [`Ruler`] is the better answer.
pub(crate) fn is_one_sentence(text: &str, from: u32, to: u32) -> Option<bool> {
    if to.saturating_sub(from) > STEP.1 {
        return None;
    }
    text.get(from as usize..to as usize).map(|between| !between.contains(STOP))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::normal::Normal;

    proptest::proptest! {
        #[test]
        fn both_ways_to_measure_agree(text in "([a-c1٢] ?|[日本かカ가나,.]|ไทย?|اب|9%){0,16}", most in 0_u32..24) {
            let normal = Normal::of(&text);
            let text = normal.text();
            let mut ruler = Ruler::default();
            ruler.read(text);
            let places: Vec<u32> =
                (0..=text.len()).filter(|at| text.is_char_boundary(*at)).map(|at| at as u32).collect();
            for from in &places {
                for to in places.iter().filter(|to| *to >= from) {
                    let near = ruler.gap(*from, *to) <= most;
                    proptest::prop_assert_eq!(is_within(text, *from, *to, most).unwrap_or(near), near, "{}..{}", from, to);
                    proptest::prop_assert_eq!(is_one_sentence(text, *from, *to), Some(ruler.same_sentence(*from, *to)));
                }
            }
        }
    }
}
