//! Takes out of a text what has no place in a mail: line breaks in a header, controls, bidirectional overrides.

/// Returns `text` as one line of at most `max` characters, white space collapsed.
pub(super) fn line(text: &str, max: usize) -> String {
    let mut out = String::new();
    let mut left = max;
    let mut gap = false;
    for c in text.chars() {
        if left == 0 {
            break;
        }
        if c.is_whitespace() {
            gap = !out.is_empty();
        } else if !is_hostile(c) {
            if gap {
                if left < 2 {
                    break;
                }
                out.push(' ');
                left -= 1;
            }
            gap = false;
            out.push(c);
            left -= 1;
        }
    }
    out
}

/// Returns `text` as a header value that is read as it is written: one line, and no encoded word of its own.
pub(super) fn header(text: &str, max: usize) -> String {
    // "=?" opens an encoded word (RFC 2047), whose decoded text nobody has cleaned
    line(&line(text, max).replace("=?", "= ?"), max)
}

/// Returns the printable ASCII of `text` without white space, at most `max` bytes.
pub(super) fn token(text: &str, max: usize) -> String {
    text.chars().filter(char::is_ascii_graphic).take(max).collect()
}

/// Returns `text` with `\n` line ends, and without controls other than those and tabs.
pub(super) fn body(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\r' => {
                if chars.peek() != Some(&'\n') {
                    out.push('\n');
                }
            }
            '\n' | '\t' => out.push(c),
            _ if is_hostile(c) => {}
            _ => out.push(c),
        }
    }
    out
}

fn is_hostile(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{061C}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
        || matches!(
            c,
            '\u{2028}' | '\u{2029}' | '\u{FEFF}' | '\u{FFFE}' | '\u{FFFF}' | '\u{FFF9}'..='\u{FFFB}'
        )
}

#[cfg(test)]
mod tests {
    use super::{body, header, line, token};

    #[test]
    fn a_line_is_one_line() {
        assert_eq!(line(" a\r\nBcc: b\u{202E}\u{0}\u{85}c\u{2028}d ", 99), "a Bcc: b c d");
        assert_eq!(line("abcdef", 3), "abc");
        assert_eq!(line("ab  cd", 3), "ab");
        assert_eq!(line("", 3), "");
    }

    #[test]
    fn a_header_holds_no_encoded_word_of_the_senders() {
        assert!(!header("=?utf-8?B?DQpCY2M6IHg=?= =?=?", 99).contains("=?"));
        assert_eq!(token("<a b\r\n@c\u{e9}>", 99), "<ab@c>");
    }

    #[test]
    fn a_body_keeps_lines_and_tabs() {
        assert_eq!(body("a\r\nb\rc\n\td\u{1b}[0m\u{2066}"), "a\nb\nc\n\td[0m");
    }
}
