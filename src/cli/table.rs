//! Columns that line up under wide characters too.

use std::io;
use std::io::Write;

use unicode_width::UnicodeWidthStr;

use crate::news::text;

/// Prints rows under a head, columns two spaces apart, without trailing spaces.
///
/// Whatever came from a feed or a server is stripped of control and bidi
/// characters: a terminal obeys them.
pub fn print(out: &mut dyn Write, head: &[&str], rows: &[Vec<String>]) -> io::Result<()> {
    let clean = |cell: &str| text::safe(cell).replace('\n', " ");
    let head: Vec<String> = head.iter().map(|cell| (*cell).to_owned()).collect();
    let rows: Vec<Vec<String>> =
        rows.iter().map(|row| row.iter().map(|cell| clean(cell)).collect()).collect();
    let all = || std::iter::once(&head).chain(rows.iter());
    let width =
        |column: usize| all().filter_map(|row| row.get(column)).map(|cell| cell.width()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..head.len()).map(width).collect();
    for row in all() {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(&widths) {
            line.push_str(cell);
            line.extend(std::iter::repeat_n(' ', 2 + width.saturating_sub(cell.width())));
        }
        writeln!(out, "{}", line.trim_end())?;
    }
    Ok(())
}

/// Shortens to so many columns.
pub fn short(text: &str, columns: usize) -> String {
    if text.width() <= columns {
        return text.to_owned();
    }
    let mut taken = String::new();
    for c in text.chars() {
        if taken.width() + unicode_width::UnicodeWidthChar::width(c).unwrap_or(0) + 1 > columns {
            break;
        }
        taken.push(c);
    }
    taken + "…"
}
