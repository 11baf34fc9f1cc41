//! Bytes into text: which charset a document is really in.
//!
//! A byte order mark decides; then valid UTF-8, which nothing else looks like by
//! accident; then what HTTP and the document say, if the bytes agree; then a guess.

mod label;
mod mixed;
mod wide;

use std::borrow::Cow;

use encoding_rs::{Encoding, ISO_2022_JP, UTF_8, WINDOWS_1252};

use crate::news::entry::Flaw;

/// A document's text, and what was wrong with its bytes.
#[derive(Debug)]
pub(super) struct Decoded<'a> {
    pub(super) text: Cow<'a, str>,
    pub(super) flaws: Vec<Flaw>,
}

/// Decodes a document.
pub(super) fn decode<'a>(bytes: &'a [u8], content_type: Option<&str>) -> Decoded<'a> {
    if let Some(text) = wide::decode(bytes) {
        return Decoded { text: text.into(), flaws: Vec::new() };
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let header = content_type.and_then(label::of_header);
    let own = label::of_document(bytes);
    // The same as the standard library's, several times as fast.
    let utf8 = UTF_8.decode_without_bom_handling_and_without_replacement(bytes);
    if has_jis_escapes(bytes) && utf8.is_some() {
        let (text, bad) = ISO_2022_JP.decode_without_bom_handling(bytes);
        if !bad {
            return Decoded { text, flaws: Vec::new() };
        }
    }
    if let Some(text) = utf8 {
        return Decoded { text, flaws: wrong_label(bytes, header, own) };
    }
    labelled(bytes, header, own).unwrap_or_else(|| unlabelled(bytes))
}

/// ISO-2022-JP is pure ASCII with escapes, so it is valid UTF-8 too.
fn has_jis_escapes(bytes: &[u8]) -> bool {
    let escapes: [&[u8]; 4] = [b"$B", b"$@", b"(J", b"(I"];
    memchr::memchr_iter(0x1b, bytes)
        .take(64)
        .any(|at| bytes.get(at + 1..at + 3).is_some_and(|escape| escapes.contains(&escape)))
}

/// Notes a label that valid UTF-8 contradicts; pure ASCII contradicts none.
fn wrong_label(bytes: &[u8], header: Option<&str>, own: Option<&str>) -> Vec<Flaw> {
    let wrong = |name: &&str| label::encoding(name) != Some(UTF_8);
    match header.or(own).filter(wrong) {
        Some(name) if !bytes.is_ascii() => {
            vec![flaw("wrong-charset", format!("says it is in {}, is UTF-8; read as UTF-8", short(name)))]
        }
        _ => Vec::new(),
    }
}

/// Decodes by what HTTP or the document says, if the bytes agree.
fn labelled<'a>(bytes: &'a [u8], header: Option<&str>, own: Option<&str>) -> Option<Decoded<'a>> {
    let mut labels: Vec<(&str, &'static Encoding)> = [header, own]
        .into_iter()
        .flatten()
        .filter_map(|name| Some((name, label::encoding(name)?)))
        .filter(|(_, encoding)| encoding.is_ascii_compatible() && *encoding != UTF_8)
        .collect();
    // A single-byte charset fits everything, so its label proves nothing against a
    // multi-byte one that fits too; and Latin-1 is what servers say when nobody told them.
    labels.sort_by_key(|(_, encoding)| (encoding.is_single_byte(), *encoding == WINDOWS_1252));
    for (name, encoding) in labels {
        // Under a single-byte label, UTF-8 with a few stray bytes is still UTF-8.
        if encoding.is_single_byte() && mostly_utf8(bytes) {
            continue;
        }
        if encoding == WINDOWS_1252
            && let Some((text, guess)) = not_latin(bytes)
        {
            let note = format!("says it is in {}, looks like {}; read as that", short(name), guess.name());
            return Some(Decoded { text, flaws: vec![flaw("wrong-charset", note)] });
        }
        let (text, bad) = encoding.decode_without_bom_handling(bytes);
        if !bad {
            return Some(Decoded { text, flaws: Vec::new() });
        }
        if !encoding.is_single_byte()
            && let Some(decoded) = mixed::decode(bytes, encoding)
        {
            return Some(decoded);
        }
        let at_the_end = lost(&text) == 1 && text.ends_with('\u{fffd}');
        if (few_lost(&text) || at_the_end) && !mostly_utf8(bytes) {
            let note =
                format!("{} bytes are not {}; shown as a replacement character", lost(&text), short(name));
            return Some(Decoded { text, flaws: vec![flaw("bad-bytes", note)] });
        }
    }
    None
}

fn lost(text: &str) -> usize {
    text.chars().filter(|char| *char == '\u{fffd}').count()
}

/// Tells whether hardly any of a text's characters were lost, of those beyond ASCII.
fn few_lost(text: &str) -> bool {
    lost(text) * 20 <= text.chars().filter(|char| !char.is_ascii()).count()
}

/// Decodes what is labelled Latin-1 and is a multi-byte charset beyond doubt.
fn not_latin(bytes: &[u8]) -> Option<(Cow<'_, str>, &'static Encoding)> {
    // In the languages of Latin-1 a letter beyond ASCII stands alone among others, so most documents are
    // known by one look; to ask the detector about all would cost more than to read them.
    let wide = bytes.iter().filter(|byte| !byte.is_ascii()).count();
    let paired = bytes.array_windows().filter(|[one, two]| !one.is_ascii() && !two.is_ascii()).count();
    if paired * 4 < wide {
        return None;
    }
    let guess = guess(bytes);
    let text = guess.decode_without_bom_handling_and_without_replacement(bytes)?;
    (!guess.is_single_byte()).then_some((text, guess))
}

fn guess(bytes: &[u8]) -> &'static Encoding {
    // A megabyte is evidence enough. Its end may cut a character, which is no fault of the document's.
    let most = 1 << 20;
    let mut detector = chardetng::EncodingDetector::new(chardetng::Iso2022JpDetection::Deny);
    detector.feed(bytes.get(..bytes.len().min(most)).unwrap_or_default(), bytes.len() <= most);
    detector.guess(None, chardetng::Utf8Detection::Deny)
}

/// Decodes what no label explains.
fn unlabelled(bytes: &[u8]) -> Decoded<'_> {
    if mostly_utf8(bytes) {
        return patched(bytes);
    }
    let guess = guess(bytes);
    let (text, bad) = guess.decode_without_bom_handling(bytes);
    let (text, guess) = if bad && guess.is_single_byte() {
        (WINDOWS_1252.decode_without_bom_handling(bytes).0, WINDOWS_1252)
    } else {
        (text, guess)
    };
    Decoded {
        text,
        flaws: vec![flaw(
            "guessed-charset",
            format!("no charset that fits is named; read as {}", guess.name()),
        )],
    }
}

/// Tells whether bytes that are not UTF-8 are nearly so.
///
/// Legacy text hardly ever makes a valid multi-byte sequence, so a few of them
/// outweigh strays; and a lone stray among ASCII is a character pasted in.
fn mostly_utf8(bytes: &[u8]) -> bool {
    let (mut good, mut bad) = (0usize, 0usize);
    for chunk in bytes.utf8_chunks() {
        good += chunk.valid().chars().filter(|char| !char.is_ascii()).count();
        bad += chunk.invalid().len();
    }
    good >= bad * 2 && good > 0
}

/// Reads stray bytes in UTF-8 as Windows-1252, which is what they are when a person pasted them. What is left
/// of a character that a program cut in the middle is dropped.
fn patched(bytes: &[u8]) -> Decoded<'_> {
    let mut text = String::with_capacity(bytes.len());
    let (mut strays, mut cuts) = (0usize, 0usize);
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        let rest = chunk.invalid();
        // The beginning of a dash or a curly quote, of a character off the basic plane; or of one of three bytes
        // among its like. \xe0\xbb may be the end of a French quotation.
        let among = || text.chars().next_back().is_some_and(|char| char.len_utf8() > 2);
        let cut = match rest {
            [0xe2, 0x80] | [0xf0..=0xf4, _, ..] => true,
            [0xe0..=0xf4, ..] => among(),
            _ => false,
        };
        if cut {
            cuts += 1;
            continue;
        }
        strays += rest.len();
        text.push_str(&WINDOWS_1252.decode_without_bom_handling(rest).0);
    }
    let mut flaws = Vec::new();
    if strays > 0 {
        flaws.push(flaw("stray-bytes", format!("{strays} bytes are not UTF-8; read as Windows-1252")));
    }
    if cuts > 0 {
        flaws.push(flaw("cut-characters", format!("{cuts} characters are cut in the middle; left out")));
    }
    Decoded { text: text.into(), flaws }
}

fn flaw(kind: &'static str, note: String) -> Flaw {
    Flaw { kind, note }
}

fn short(name: &str) -> String {
    name.chars().filter(|char| !char.is_control()).take(32).collect()
}

#[cfg(test)]
#[path = "decode/tests.rs"]
mod tests;
