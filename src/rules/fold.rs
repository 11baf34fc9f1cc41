//! What each character becomes, looked up in pages that are made when first needed.
//!
//! A page covers 256 code points. Most articles touch a handful, so a process
//! that lives for one poll never pays for the whole table.

use std::sync::{LazyLock, OnceLock};

use icu_casemap::{CaseMapper, CaseMapperBorrowed};
use icu_normalizer::properties::{CanonicalCombiningClassMap, CanonicalCombiningClassMapBorrowed};
use icu_normalizer::{
    ComposingNormalizer, ComposingNormalizerBorrowed, DecomposingNormalizer, DecomposingNormalizerBorrowed,
};

use crate::rules::script::{Class, class, digit, loses_accents};
use crate::rules::variants::unify;

const NFKC: ComposingNormalizerBorrowed<'static> = ComposingNormalizer::new_nfkc();
const NFD: DecomposingNormalizerBorrowed<'static> = DecomposingNormalizer::new_nfd();
const CASES: CaseMapperBorrowed<'static> = CaseMapper::new();
const COMBINING: CanonicalCombiningClassMapBorrowed<'static> = CanonicalCombiningClassMap::new();

/// One folded character.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Folded {
    /// What stands in the normalised text.
    pub(crate) out: char,
    /// Its class.
    pub(crate) class: Class,
    /// Whether it was a capital before case folding.
    pub(crate) upper: bool,
}

/// What one character becomes when nothing follows that changes it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fold {
    /// The only, or first, character it becomes.
    pub(crate) first: Folded,
    /// Whether it becomes something else than exactly one character.
    pub(crate) many: bool,
    /// Whether it joins the character before it: accents, voicing marks, jamo.
    pub(crate) extends: bool,
}

impl Fold {
    /// Whether it is a full stop and nothing else.
    pub(crate) fn is_dot(self) -> bool {
        self.first.class == Class::Dot && !self.many
    }
}

const NOTHING: Folded = Folded { out: '\0', class: Class::Gone, upper: false };

type Page = [Fold; 256];

/// The pages of the Basic Multilingual Plane.
static PAGES: [OnceLock<Box<Page>>; 256] = [const { OnceLock::new() }; 256];

/// The page that holds plain Latin, one step nearer than the others.
static LATIN: LazyLock<&'static Page> = LazyLock::new(|| page(0));

fn page(number: usize) -> &'static Page {
    static EMPTY: Page = [Fold { first: NOTHING, many: false, extends: false }; 256];
    let Some(slot) = PAGES.get(number) else { return &EMPTY };
    slot.get_or_init(|| {
        let mut page = Box::new(EMPTY);
        for (code, fold) in (number as u32 * 256..).zip(page.iter_mut()) {
            *fold = char::from_u32(code).map_or(*fold, look_at);
        }
        page
    })
}

/// Looks a character up.
#[inline]
pub(crate) fn fold(c: char) -> Fold {
    let code = c as usize;
    let page = if code < 256 { *LATIN } else { page(code >> 8) };
    match page.get(code & 255) {
        Some(fold) if code < 0x1_0000 => *fold,
        _ => look_at(c),
    }
}

/// Works out what a character becomes.
fn look_at(c: char) -> Fold {
    let whole = |out, class| Fold { first: Folded { out, class, upper: false }, many: false, extends: false };
    match c {
        // Nearly all of these stay what they are: no need to ask the big tables.
        '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' => return whole(unify(c), Class::Han),
        '\u{ac00}'..='\u{d7a3}' => return whole(c, Class::Hangul),
        _ => {}
    }
    let mut buffer = [0; 4];
    let mut folded = Vec::new();
    cluster(c.encode_utf8(&mut buffer), &mut folded);
    let first = folded.first().copied().unwrap_or(NOTHING);
    Fold { first, many: folded.len() > 1, extends: extends(c) }
}

/// Folds a character with everything that joins it, as one; replaces what `out` holds.
pub(crate) fn cluster(text: &str, out: &mut Vec<Folded>) {
    out.clear();
    let Some(base) = text.chars().next() else { return };
    match class(base) {
        Class::Gone => return,
        // Compatibility forms would make letters of some middle dots (U+318D).
        class @ Class::Soft => return out.push(Folded { out: base, class, upper: false }),
        _ => {}
    }
    for composed in NFKC.normalize(text).chars() {
        let mut buffer = [0; 4];
        for c in CASES.fold_string(composed.encode_utf8(&mut buffer)).chars() {
            push(c, composed.is_uppercase(), out);
        }
    }
}

fn push(c: char, upper: bool, out: &mut Vec<Folded>) {
    let both = |first, second| [first, second].map(|out| Folded { out, class: Class::Alpha, upper });
    match c {
        'æ' => return out.extend(both('a', 'e')),
        'œ' => return out.extend(both('o', 'e')),
        'þ' => return out.extend(both('t', 'h')),
        '٪' => return out.push(Folded { out: '%', class: Class::Percent, upper }),
        _ => {}
    }
    let mut buffer = [0; 4];
    let base = NFD.normalize(c.encode_utf8(&mut buffer)).chars().next().unwrap_or(c);
    let kept = digit(c).unwrap_or_else(|| unify(if loses_accents(base) { base } else { c }));
    let class = class(kept);
    // A mark that found no letter to join is dropped, unless its script writes vowels with it.
    let is_vowel = class == Class::Free || matches!(kept, '\u{900}'..='\u{df3}');
    if class == Class::Gone || COMBINING.get_u8(kept) != 0 && !is_vowel {
        return;
    }
    out.push(Folded { out: kept, class, upper });
}

/// Whether a character joins the one before it.
fn extends(c: char) -> bool {
    matches!(c, '\u{ff9e}' | '\u{ff9f}' | '\u{1160}'..='\u{11ff}' | '\u{314f}'..='\u{3163}' | '\u{ffc2}'..='\u{ffdc}')
        && c != '\u{119e}'
        || COMBINING.get_u8(c) != 0
}
