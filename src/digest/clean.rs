//! Feed text made fit to be shown: nothing that steers a terminal, a mail
//! header or the direction of the line, and nothing without an end.

use unicode_width::UnicodeWidthChar;

/// Longest headline shown, in characters.
pub(super) const HEADLINE: usize = 300;
/// Longest name of an outlet, a rule or a topic, in characters.
pub(super) const NAME: usize = 60;
/// Longest free line: a change, a notice, a fact.
pub(super) const SENTENCE: usize = 300;
/// Longest address, in bytes; what is longer is no address a reader can follow.
const ADDRESS: usize = 3000;
/// Marks without width (accents, joiners) that may follow one letter.
const MARKS: usize = 4;
/// Bytes looked at: a title of a megabyte costs no more than its beginning.
const LOOK: usize = 16 * 1024;

/// Whether a character is invisible or turns the direction of what follows.
fn unwanted(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180e}'
            | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{3164}' | '\u{feff}' | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

/// Returns `text` on one line of at most `max` characters, without control,
/// bidi and invisible characters; what is longer ends in an ellipsis.
pub(super) fn line(text: &str, max: usize) -> String {
    let mut out = String::new();
    let (mut count, mut marks, mut gap) = (0_usize, 0_usize, false);
    for (at, c) in text.char_indices() {
        if c.is_whitespace() || matches!(c, '\u{2028}' | '\u{2029}') {
            gap = !out.is_empty();
            continue;
        }
        if unwanted(c) {
            continue;
        }
        let mark = c.width() == Some(0);
        marks = if mark { marks + 1 } else { 0 };
        // A mark with no letter before it, or the fifth on one letter, shows nothing but mischief.
        if marks > MARKS || (mark && (out.is_empty() || gap)) {
            continue;
        }
        if at > LOOK || (count + usize::from(gap) >= max && !mark) {
            return shorten(out);
        }
        if gap {
            out.push(' ');
            count += 1;
            gap = false;
        }
        out.push(c);
        count += 1;
    }
    out
}

/// Ends a text that was cut with an ellipsis in the place of its last character.
fn shorten(mut text: String) -> String {
    while text.pop().is_some_and(|c| c.width() == Some(0)) {}
    let kept = text.trim_end_matches(|c: char| c.is_whitespace() || matches!(c, ',' | ';' | ':' | '-')).len();
    text.truncate(kept);
    text.push('…');
    text
}

/// Returns the address when it is one a reader may follow: http or https,
/// without white space, control and bidi characters.
pub(super) fn link(address: Option<&str>) -> Option<String> {
    let address = address?;
    if address.len() > ADDRESS {
        return None;
    }
    let kept: String = address
        .trim()
        .chars()
        .filter(|c| !unwanted(*c) && !matches!(c, '\u{200c}' | '\u{200d}' | '\u{2028}' | '\u{2029}'))
        .flat_map(|c| if c.is_whitespace() { vec!['%', '2', '0'] } else { vec![c] })
        .collect();
    let (scheme, rest) = kept.split_once("://")?;
    let web = scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https");
    (web && rest.starts_with(|c: char| c.is_alphanumeric() || c == '[')).then_some(kept)
}

/// Returns the language tag when it can be one.
pub(super) fn lang(tag: Option<&str>) -> Option<String> {
    let tag = tag?;
    let plain = tag.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    let shaped = (2..=35).contains(&tag.len()) && tag.starts_with(|c: char| c.is_ascii_alphabetic());
    (plain && shaped).then(|| tag.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_steers_is_gone_and_what_is_written_stays() {
        assert_eq!(line("Seoul\r\nBcc: x\u{202e}y\u{200b}z\u{1b}[31m", 99), "Seoul Bcc: xyz[31m");
        assert_eq!(line("  a \t b\u{2028}c  ", 99), "a b c");
        assert_eq!(line("방위비 分担金 Größe e\u{301}", 99), "방위비 分担金 Größe e\u{301}");
        assert_eq!(line(&format!("z{}", "\u{301}".repeat(900)), 99), format!("z{}", "\u{301}".repeat(4)));
    }

    #[test]
    fn a_cut_ends_in_an_ellipsis_within_the_limit() {
        assert_eq!(line("abcdef", 6), "abcdef");
        assert_eq!(line("abcdefg", 6), "abcde…");
        assert_eq!(line("Talks, and more", 7), "Talks…");
        assert_eq!(line(&"x".repeat(1_000_000), 300).chars().count(), 300);
        assert_eq!(line("abcde e\u{301}fg", 8), "abcde…");
    }

    #[test]
    fn only_web_addresses_are_links() {
        assert_eq!(link(Some("https://a.example/x y")).as_deref(), Some("https://a.example/x%20y"));
        assert_eq!(
            link(Some("https://a.example/\u{202e}gpj\r\nX: y")).as_deref(),
            Some("https://a.example/gpjX:%20y")
        );
        for bad in ["javascript:alert(1)", "data:text/html,x", "//a.example", "https://", "file:///etc", ""] {
            assert_eq!(link(Some(bad)), None, "{bad}");
        }
    }

    #[test]
    fn a_language_tag_is_letters() {
        assert_eq!(lang(Some("zh-Hant")).as_deref(), Some("zh-Hant"));
        assert_eq!(lang(Some("\" onload=x")), None);
        assert_eq!(lang(Some("")), None);
    }
}
