//! Text set in 78 columns, counted as a terminal does: a wide character is two.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Columns of the text part.
pub(super) const WIDTH: usize = 78;

/// What may not begin a line in Chinese and Japanese.
const CLOSING: &str = "、。，．・：；？！」』）】〕》〉〟’”ー々ぁぃぅぇぉっゃゅょァィゥェォッャュョ…％";
/// What may not end one.
const OPENING: &str = "「『（【〔《〈〝‘“￥";

/// Sets `text` in lines of at most 78 columns, the first begun with `first`,
/// the others with `rest`; both are kept as they are. Ends without a newline.
pub(super) fn wrap(text: &str, first: &str, rest: &str) -> String {
    set(text, first, rest, false)
}

/// Sets `text` like [`wrap`], but lets an address run over the edge, on a line
/// of its own: for our words, where one that was cut would be no address.
pub(super) fn flow(text: &str, first: &str, rest: &str) -> String {
    set(text, first, rest, true)
}

fn set(text: &str, first: &str, rest: &str, whole: bool) -> String {
    let mut out = String::from(first);
    let (mut column, mut fresh) = (first.width(), true);
    let room = WIDTH.saturating_sub(rest.width()).max(20);
    for word in text.split_whitespace() {
        let mut space = true;
        let whole = whole && address(word);
        for piece in if whole { vec![word] } else { pieces(word) } {
            let gap = usize::from(space && !fresh);
            space = false;
            if !fresh && column + gap + piece.width() > WIDTH {
                column = break_line(&mut out, rest);
            } else if gap == 1 {
                out.push(' ');
                column += 1;
            }
            if column + piece.width() <= WIDTH || whole {
                out.push_str(piece);
                column += piece.width();
            } else {
                column = hack(&mut out, piece, rest, column, room);
            }
            fresh = false;
        }
    }
    out
}

/// Begins a new line; returns its column.
fn break_line(out: &mut String, rest: &str) -> usize {
    out.push('\n');
    out.push_str(rest);
    rest.width()
}

/// Writes a piece wider than a line, cut where the line ends.
fn hack(out: &mut String, piece: &str, rest: &str, mut column: usize, room: usize) -> usize {
    let limit = rest.width() + room;
    for c in piece.chars() {
        let width = c.width().unwrap_or(0);
        if column + width > limit {
            column = break_line(out, rest);
        }
        out.push(c);
        column += width;
    }
    column
}

/// Cuts a word where a line may end inside it: between ideographs and kana, not
/// in Hangul, which puts spaces between its words.
fn pieces(word: &str) -> Vec<&str> {
    let mut cuts = Vec::new();
    let mut before = None;
    for (at, c) in word.char_indices() {
        if let Some(last) = before
            && c.width() != Some(0)
            && (breakable(last) || breakable(c))
            && !CLOSING.contains(c)
            && !OPENING.contains(last)
        {
            cuts.push(at);
        }
        before = Some(c);
    }
    let mut out = Vec::with_capacity(cuts.len() + 1);
    let (mut tail, mut done) = (word, 0);
    for cut in cuts {
        if let Some((head, after)) = tail.split_at_checked(cut - done) {
            out.push(head);
            (tail, done) = (after, cut);
        }
    }
    out.push(tail);
    out
}

/// Whether a word is a web address.
fn address(word: &str) -> bool {
    word.starts_with("https://") || word.starts_with("http://")
}

/// Whether a line may end next to the character.
fn breakable(c: char) -> bool {
    let hangul = matches!(c, '\u{1100}'..='\u{11ff}' | '\u{3130}'..='\u{318f}' | '\u{ac00}'..='\u{d7ff}');
    c.width() == Some(2) && !hangul
}

/// Puts `right` at the right margin of the line `left` begins, or under it
/// where there is no room.
pub(super) fn margin(left: &str, right: &str) -> String {
    let used = left.width() + right.width();
    if right.is_empty() || used + 2 > WIDTH {
        return if right.is_empty() {
            wrap(left, "", "")
        } else {
            format!("{}\n{right}", wrap(left, "", ""))
        };
    }
    format!("{left}{}{right}", " ".repeat(WIDTH - used))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn widest(text: &str) -> usize {
        text.lines().map(UnicodeWidthStr::width).max().unwrap_or(0)
    }

    #[test]
    fn a_line_ends_between_words_and_the_rest_is_indented() {
        let text = wrap(&"burden sharing ".repeat(9), "1. ", "   ");
        assert!(text.starts_with("1. burden sharing") && widest(&text) <= WIDTH);
        assert!(
            text.lines().skip(1).all(|line| line.starts_with("   burden") || line.starts_with("   sharing"))
        );
    }

    #[test]
    fn ideographs_break_anywhere_but_before_a_full_stop_and_hangul_at_spaces() {
        let text = wrap(&format!("{}。", "日米両政府".repeat(8)), "", "");
        assert!(widest(&text) <= WIDTH && text.lines().count() == 2);
        assert!(!text.lines().any(|line| line.starts_with('。')));
        let korean = wrap(&"방위비분담금 ".repeat(12), "", "");
        assert!(korean.lines().all(|line| line.split(' ').all(|word| word == "방위비분담금")));
    }

    #[test]
    fn a_word_wider_than_the_line_is_cut() {
        let text = wrap(&"x".repeat(400), "  ", "  ");
        assert!(widest(&text) == WIDTH && text.matches('x').count() == 400);
    }

    #[test]
    fn an_address_in_our_words_stays_whole_on_its_own_line() {
        let address = format!("https://a.example/{}", "x".repeat(99));
        let text = flow(&format!("Look at {address} and act."), "", "");
        assert_eq!(text.lines().collect::<Vec<_>>(), ["Look at", &address, "and act."]);
        assert!(widest(&wrap(&address, "", "")) <= WIDTH);
    }

    #[test]
    fn the_margin_counts_columns() {
        assert_eq!(margin("방위비", "▁█").width(), WIDTH);
        assert!(margin(&"방".repeat(60), "▁█").lines().all(|line| line.width() <= WIDTH));
    }
}
