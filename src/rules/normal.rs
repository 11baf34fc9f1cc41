//! The normaliser: one form for every way of writing the same words.
//!
//! Patterns and texts both go through [`Normal::read`], so a pattern matches
//! when its normal form stands in the text's normal form. Every byte of the
//! normal form knows which character of the original it came from.

use std::cell::Cell;

use crate::rules::fold::{Fold, Folded, cluster, fold};
use crate::rules::script::{Class, DECIMAL};

/// Stands for a run of punctuation; no pattern contains it.
pub(crate) const HARD: char = '\u{1}';
/// Stands for the end of a sentence; no pattern contains it.
pub(crate) const STOP: char = '\u{2}';

/// Texts are read up to here; one byte offset must fit beside two flags.
const LONGEST: usize = (1 << 30) - 1;
/// In the map: the character was a capital.
const UPPER: u32 = 1 << 31;
/// In the map: a separator between two CJK characters vanished before this one.
const BREAK: u32 = 1 << 30;

/// What separates the next letter from the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Gap {
    None,
    Soft,
    Hard,
    Stop,
}

/// A text in normal form, with the way back.
#[derive(Debug, Default)]
pub(crate) struct Normal {
    text: String,
    /// For each byte of `text`: the original offset, and two flags.
    map: Vec<u32>,
    /// Where the word asked for last goes on, and where it ends: several patterns ask for the same one.
    word: Cell<(usize, usize)>,
    folded: Vec<Folded>,
}

/// The state between two characters.
struct Pen<'n> {
    normal: &'n mut Normal,
    gap: Gap,
    last: Class,
}

impl Pen<'_> {
    fn separate(&mut self, gap: Gap) {
        self.gap = self.gap.max(gap);
    }

    #[inline]
    fn letter(&mut self, letter: Folded, start: u32) {
        let mut mark = start | if letter.upper { UPPER } else { 0 };
        if self.gap != Gap::None {
            let between = match self.gap {
                _ if self.normal.text.is_empty() => None,
                Gap::Soft if self.last.is_cjk() && letter.class.is_cjk() => {
                    mark |= BREAK;
                    None
                }
                // `5 %` is `5%`, and `% 5` is `%5`.
                Gap::Soft if letter.class == Class::Percent && self.ends_in_digit() => None,
                Gap::Soft if letter.out.is_ascii_digit() && self.is_leading_percent() => None,
                Gap::None | Gap::Soft => Some(' '),
                Gap::Hard => Some(HARD),
                Gap::Stop => Some(STOP),
            };
            if let Some(between) = between {
                self.normal.text.push(between);
                self.normal.map.push(start);
            }
            self.gap = Gap::None;
        }
        self.normal.text.push(letter.out);
        self.normal.map.extend(std::iter::repeat_n(mark, letter.out.len_utf8()));
        self.last = letter.class;
    }

    /// Goes on in a run that [`plain_run`] found.
    fn go_on(&mut self, run: &str, start: u32) {
        let (from, bytes) = (self.normal.text.len(), run.len() as u32);
        self.normal.text.push_str(run);
        if run.is_ascii() {
            self.normal.text.get_mut(from..).into_iter().for_each(str::make_ascii_lowercase);
            self.normal.map.extend(start..start + bytes);
            for (mark, byte) in self.normal.map.get_mut(from..).into_iter().flatten().zip(run.bytes()) {
                // A space comes from where the next word does.
                *mark = (*mark + u32::from(byte == b' ')) | if byte.is_ascii_uppercase() { UPPER } else { 0 };
            }
        } else {
            // Three bytes a syllable.
            self.normal.map.extend((0..bytes).map(|byte| start + byte / 3 * 3));
        }
    }

    fn ends_in_digit(&self) -> bool {
        self.normal.text.ends_with(|c: char| c.is_ascii_digit())
    }

    /// Whether the last character is a percent sign that no number stands before.
    fn is_leading_percent(&self) -> bool {
        self.normal.text.strip_suffix('%').is_some_and(|text| !text.ends_with(|c: char| c.is_ascii_digit()))
    }

    /// Whether a point or comma that stands here belongs to a number, a digit following.
    fn is_within_number(&self, mark: Folded, follower: Option<Fold>) -> bool {
        matches!(mark.out, '.' | ',')
            && self.gap == Gap::None
            && self.ends_in_digit()
            && follower.is_some_and(|fold| fold.first.out.is_ascii_digit() && !fold.many)
    }

    fn put(&mut self, folded: Folded, start: u32, letter_follows: bool) {
        match folded.class {
            Class::Gone => {}
            Class::Soft => self.separate(Gap::Soft),
            Class::Hard => self.separate(Gap::Hard),
            Class::Stop => self.separate(Gap::Stop),
            Class::Dot if letter_follows => self.separate(Gap::Hard),
            Class::Dot => self.separate(Gap::Stop),
            _ => self.letter(folded, start),
        }
    }
}

impl Normal {
    /// Normalises a text by itself.
    pub(crate) fn of(text: &str) -> Self {
        let mut normal = Self::default();
        normal.read(text);
        normal
    }

    /// Replaces what it holds by the normal form of `text`.
    pub(crate) fn read(&mut self, text: &str) {
        self.read_in_runs(text, plain_run);
    }

    fn read_in_runs(&mut self, text: &str, run: impl Fn(&str, usize) -> Option<usize>) {
        self.text.clear();
        self.map.clear();
        // No word: the second is before the first.
        self.word.set((1, 0));
        if text.is_empty() {
            return;
        }
        self.text.reserve(text.len() + 16);
        self.map.reserve(text.len() + 16);
        let mut folded = std::mem::take(&mut self.folded);
        let text = text.get(..text.floor_char_boundary(LONGEST)).unwrap_or(text);
        let mut pen = Pen { normal: self, gap: Gap::None, last: Class::Hard };
        // Where the run of letters and digits before the next character ends: an initial starts outside of one.
        let mut run_end = usize::MAX;
        let mut cursor = Cursor::at(text, 0);
        let mut next = cursor.step();
        while let Some((at, this)) = next {
            next = cursor.step();
            let start = at as u32;
            let follower = next.map(|(_, follower)| follower);
            if this.many || follower.is_some_and(|follower| follower.extends) {
                let end = joined_end(text, at);
                cluster(text.get(at..end).unwrap_or_default(), &mut folded);
                folded.iter().for_each(|folded| pen.put(*folded, start, false));
                run_end = if folded.last().is_some_and(|last| last.class == Class::Alpha) {
                    end
                } else {
                    usize::MAX
                };
                cursor = Cursor::at(text, end);
                next = cursor.step();
            } else if let Some(end) = run(text, at) {
                pen.letter(this.first, start);
                let second = next.map_or(end, |(at, _)| at);
                pen.go_on(text.get(second..end).unwrap_or_default(), second as u32);
                run_end = end;
                cursor = Cursor::at(text, end);
                next = cursor.step();
            } else if this.first.class == Class::Alpha {
                let dotted = run_end != at && follower.is_some_and(Fold::is_dot);
                if dotted && let Some(end) = acronym(text, at, &mut pen) {
                    cursor = Cursor::at(text, end);
                    next = cursor.step();
                    run_end = usize::MAX;
                } else {
                    pen.letter(this.first, start);
                    run_end = next.map_or(text.len(), |(at, _)| at);
                }
            } else if pen.is_within_number(this.first, follower) {
                pen.letter(Folded { out: DECIMAL, class: Class::Alpha, upper: false }, start);
                run_end = next.map_or(text.len(), |(at, _)| at);
            } else {
                pen.put(this.first, start, follower.is_some_and(|follower| follower.first.class.is_letter()));
            }
        }
        self.folded = folded;
    }

    /// Returns the normal form.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Whether the character at `at` was written as a capital.
    pub(crate) fn is_upper(&self, at: usize) -> bool {
        self.map.get(at).is_some_and(|mark| mark & UPPER != 0)
    }

    /// Whether a separator vanished before `at`.
    pub(crate) fn is_break(&self, at: usize) -> bool {
        self.map.get(at).is_some_and(|mark| mark & BREAK != 0)
    }

    /// Returns the range in `original` that the normal range came from.
    pub(crate) fn original(&self, original: &str, start: usize, end: usize) -> std::ops::Range<usize> {
        let place =
            |at: usize| self.map.get(at).map_or(original.len(), |mark| (mark & !(UPPER | BREAK)) as usize);
        let last = place(end.saturating_sub(1));
        place(start)..joined_end(original, last).max(place(start))
    }

    /// Returns the class of the character that ends at `at`.
    pub(crate) fn class_before(&self, at: usize) -> Option<Class> {
        self.text.get(..at)?.chars().next_back().map(class_in_normal)
    }

    /// Returns the class of the character that begins at `at`.
    pub(crate) fn class_at(&self, at: usize) -> Option<Class> {
        self.text.get(at..)?.chars().next().map(class_in_normal)
    }

    /// Returns how the text goes on after the spaced-script word that goes on at `at`.
    pub(crate) fn after_word(&self, at: usize) -> Option<[u8; 3]> {
        self.text.as_bytes().get(self.word_end(at)..)?.first_chunk().copied()
    }

    /// Returns the end of the spaced-script word that goes on at `at`.
    pub(crate) fn word_end(&self, at: usize) -> usize {
        let (from, to) = self.word.get();
        if (from..=to).contains(&at) {
            return to;
        }
        match self.class_before(at) {
            Some(class) if class.has_words() => {
                let rest = self.text.get(at..).unwrap_or_default();
                let end = at + rest.len() - rest.trim_start_matches(|c| class_in_normal(c) == class).len();
                self.word.set((at, end));
                end
            }
            _ => at,
        }
    }
}

/// Returns the class of a character of a normal form; for nearly all of them without a look into the tables.
pub(crate) fn class_in_normal(c: char) -> Class {
    match c {
        'a'..='z' | '0'..='9' => Class::Alpha,
        ' ' => Class::Soft,
        '\u{ac00}'..='\u{d7a3}' => Class::Hangul,
        '\u{4e00}'..='\u{9fff}' => Class::Han,
        '\u{3041}'..='\u{3096}' => Class::Hiragana,
        'ァ'..='ヺ' | 'ー' => Class::Katakana,
        'а'..='я' => Class::Alpha,
        HARD => Class::Hard,
        STOP => Class::Stop,
        _ => fold(c).first.class,
    }
}

/// Returns the end of a run that begins at `at` and is its own normal form but for capitals: words of ASCII with
/// single spaces, or Hangul syllables. What follows may change the last character of a word, so that is left out.
fn plain_run(text: &str, at: usize) -> Option<usize> {
    let bytes = text.as_bytes().get(at..)?;
    let run = if bytes.first()?.is_ascii_alphanumeric() { words(bytes) } else { syllables(bytes) };
    (run > 0).then_some(at + run)
}

fn words(bytes: &[u8]) -> usize {
    let (mut at, mut word) = (0, 0);
    loop {
        at += bytes.iter().skip(at).take_while(|byte| byte.is_ascii_alphanumeric()).count();
        // A space changes nothing, so the word before it is whole.
        if at == word || bytes.get(at) != Some(&b' ') {
            break;
        }
        at += 1;
        word = at;
    }
    match at - word {
        // No word, or one letter, which may be an initial: all ends with the word before.
        0 | 1 => word.saturating_sub(1),
        _ => at - 1,
    }
}

fn syllables(bytes: &[u8]) -> usize {
    let is_syllable = |bytes: &[u8]| {
        matches!(
            bytes,
            [0xea, 0xb0..=0xbf, _] | [0xeb | 0xec, _, _] | [0xed, 0..=0x9d, _] | [0xed, 0x9e, 0..=0xa3]
        )
    };
    bytes.chunks_exact(3).take_while(|bytes| is_syllable(bytes)).count().saturating_sub(1) * 3
}

/// Walks a text from any character on, looking each one up.
struct Cursor<'t> {
    base: usize,
    chars: std::str::CharIndices<'t>,
}

impl<'t> Cursor<'t> {
    fn at(text: &'t str, base: usize) -> Self {
        Self { base, chars: text.get(base..).unwrap_or_default().char_indices() }
    }

    #[inline]
    fn step(&mut self) -> Option<(usize, Fold)> {
        self.chars.next().map(|(at, c)| (self.base + at, fold(c)))
    }
}

/// Returns the end of the character at `at` and all that joins it.
fn joined_end(text: &str, at: usize) -> usize {
    let mut cursor = Cursor::at(text, at);
    cursor.step();
    loop {
        match cursor.step() {
            Some((_, follower)) if follower.extends => {}
            Some((end, _)) => return end,
            None => return text.len(),
        }
    }
}

/// Reads initials such as `S.M.A.` that begin at `at`, puts their letters down as
/// one word and returns where they end; none when no such thing begins there.
///
/// The longest run of letter, dot, letter counts that no further letter or digit
/// follows, so that every slice from letter to letter reads the same again.
fn acronym(text: &str, at: usize, pen: &mut Pen<'_>) -> Option<usize> {
    let is_initial =
        |fold: &Fold| fold.first.class == Class::Alpha && !fold.many && !fold.first.out.is_numeric();
    let mut cursor = Cursor::at(text, at);
    let mut step = cursor.step().filter(|(_, fold)| is_initial(fold));
    let (mut letters, mut whole) = (0, None);
    while step.is_some() {
        letters += 1;
        let after = cursor.step();
        let dot = matches!(after, Some((_, fold)) if fold.is_dot());
        if !matches!(after, Some((_, fold)) if fold.first.class == Class::Alpha || fold.extends) {
            whole = Some((letters, after.map_or(text.len(), |(end, _)| end), dot));
        }
        if !dot {
            break;
        }
        step = cursor.step().filter(|(_, fold)| is_initial(fold));
    }
    let (letters, end, dot) = whole.filter(|(letters, ..)| *letters > 1)?;
    let mut cursor = Cursor::at(text, at);
    for _ in 0..letters {
        if let Some((at, fold)) = cursor.step() {
            pen.letter(fold.first, at as u32);
        }
        cursor.step();
    }
    if !dot {
        return Some(end);
    }
    // The closing dot belongs to the initials and separates softly.
    pen.separate(Gap::Soft);
    Some(joined_end(text, end))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn n(text: &str) -> String {
        Normal::of(text).text.replace(HARD, "|").replace(STOP, "||")
    }

    /// The expected form, with its Han characters in whichever spelling stands for their group.
    fn n_each(expected: &str) -> String {
        expected.chars().map(crate::rules::variants::unify).collect()
    }

    #[test]
    fn writings_of_one_thing_become_one() {
        for (written, normal) in [
            ("Host-Nation  Support", "host nation support"),
            ("U.S.-Japan S.M.A. expires", "us japan sma expires"),
            ("Ｓ．Ｍ．Ａ．talks", "sma talks"),
            ("S.M.A.talks", "sma talks"),
            ("e.g. x", "eg x"),
            ("v1.2.3 a.b", "v1٫2٫3 ab"),
            ("1,519 1.519 2,Next 2. Next", "1٫519 1٫519 2|next 2||next"),
            ("5 % 5% ５％ 5\u{a0}% of", "5% 5% 5% 5% of"),
            ("yüzde %5 ya da % 5", "yuzde %5 ya da %5"),
            ("٥٫٣٪ ۵ २", "5٫3% 5 2"),
            ("xU.S. y", "xu|s||y"),
            ("8.3%増", "8٫3%増"),
            ("Ends. Begins", "ends||begins"),
            ("ﾎｽﾄ・ﾈｰｼｮﾝ・ｻﾎﾟｰﾄ", "ホストネーションサポート"),
            ("カ\u{3099}", "ガ"),
            ("「思いやり」予算", "思いやり予算"),
            ("同盟強靭化", "同盟強靱化"),
            ("주한 미군", "주한미군"),
            ("한·미 한ㆍ미 한・미", "한미한미한미"),
            ("\u{1112}\u{1161}\u{11ab}", "한"),
            ("coût élevé Ærø Łódź", "cout eleve aero lodz"),
            ("Straße STRASSE", "strasse strasse"),
            ("ΣΊΣΥΦΟΣ σίσυφος", "σισυφοσ σισυφοσ"),
            ("İstanbul Istanbul ısı", "istanbul istanbul isi"),
            ("ещё Йод й", "еще йод й"),
            ("ガ か\u{309a}", "ガか"),
            ("soft\u{ad}hyphen zero\u{200b}width", "softhyphen zerowidth"),
            ("أعباء الدفاعـــ دِفَاع", "اعباء الدفاع دفاع"),
            ("駐韓美軍 費用 / 驻韩美军 费用", "駐韓美軍費用駐韓美軍費用"),
            ("㈱ ①", "株|1"),
            ("a…b", "a||b"),
            ("one\ntwo", "one||two"),
            ("NATO、日本", "nato|日本"),
            ("", ""),
            (" - ", ""),
        ] {
            assert_eq!(n(written), n_each(normal), "{written}");
        }
    }

    proptest::proptest! {
        #[test]
        fn a_run_reads_as_its_characters_do(
            text in "([a-cA-C0-9.,% -]|[a-bU5]{1,3} ?|[가힣갛\u{1100}\u{11ff}\u{314f}\u{d7b0}éæß思ィﾎ\u{ff9e}\u{301}\u{ad}]){0,24}"
        ) {
            let (mut slow, fast) = (Normal::default(), Normal::of(&text));
            slow.read_in_runs(&text, |_, _| None);
            proptest::prop_assert_eq!(fast.text, slow.text);
            proptest::prop_assert_eq!(fast.map, slow.map);
        }
    }

    #[test]
    fn classes_without_a_look_are_those_of_the_tables() {
        for c in '\0'..='\u{ffff}' {
            if n(&c.to_string()) == c.to_string() || [HARD, STOP, ' '].contains(&c) {
                assert_eq!(class_in_normal(c), fold(c).first.class, "{c:?}");
            }
        }
    }

    #[test]
    fn every_byte_knows_where_it_came_from() {
        let text = "ﾎﾟ S.M.A. 「思い」予算";
        let normal = Normal::of(text);
        let at = normal.text().find("思い予算").unwrap();
        assert_eq!(text.get(normal.original(text, at, at + 12)), Some("思い」予算"));
        let at = normal.text().find("sma").unwrap();
        assert_eq!(text.get(normal.original(text, at, at + 3)), Some("S.M.A"));
        assert!(normal.is_upper(at));
        assert_eq!(text.get(normal.original(text, 0, 3)), Some("ﾎﾟ"));
    }
}
