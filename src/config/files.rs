//! The files a file names, and how they are read.

use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use super::tree::{At, Place, Section};
use super::unit::{Complaint, shown};

/// A file to read, and the line that named it.
#[derive(Debug)]
pub(super) struct Named {
    pub(super) path: PathBuf,
    pub(super) place: Place,
}

/// Reads `files = [...]`: names and patterns relative to the file, each file once, patterns in order of name.
pub(super) fn named(section: &Section<'_>, example: &str) -> Vec<Named> {
    let patterns = section.list("files", example, |text| match text {
        "" => Err(Complaint::new("a file without a name", format!("write files = [{example}]"))),
        _ => Ok(text.to_owned()),
    });
    let mut found: Vec<Named> = Vec::new();
    for pattern in patterns.into_iter().flat_map(|list| list.value) {
        for path in matching(section, &pattern) {
            if found.iter().all(|known| known.path != path) && path != section.file().source.path {
                found.push(Named { path, place: section.place(&pattern.span) });
            }
        }
    }
    found
}

/// The paths a pattern stands for.
fn matching(section: &Section<'_>, pattern: &At<String>) -> Vec<PathBuf> {
    let full = section.file().resolve(&pattern.value);
    let (Some(dir), Some(last)) = (full.parent(), full.file_name().and_then(|name| name.to_str())) else {
        section.error(&pattern.span, format!("{} is not a file", shown(&pattern.value)), "name a file in it");
        return Vec::new();
    };
    if !last.contains(['*', '?']) {
        return vec![full];
    }
    if dir.to_string_lossy().contains(['*', '?']) && !dir.is_dir() {
        let hint = "write the directory in full: patterns hold in the last part of a path only";
        section.error(
            &pattern.span,
            format!("{} has a pattern for a directory", shown(&pattern.value)),
            hint,
        );
        return Vec::new();
    }
    let names = match names_in(dir) {
        Ok(names) => names,
        Err(why) if why.kind() == io::ErrorKind::NotFound => Vec::new(),
        Err(why) => {
            let what = format!("cannot list {}: {why}", dir.display());
            section.error(&pattern.span, what, "the user burdenwatch runs as must be able to read it");
            return Vec::new();
        }
    };
    let mut paths: Vec<PathBuf> = names
        .iter()
        .filter(|name| is_match(last, name))
        .map(|name| dir.join(name))
        .filter(|p| !p.is_dir())
        .collect();
    paths.sort();
    if paths.is_empty() {
        let hint = "add a file there, or take the pattern out";
        section.warn(&pattern.span, format!("{} matches no file", shown(&pattern.value)), hint);
    }
    paths
}

/// Names in a directory that are text.
fn names_in(dir: &Path) -> io::Result<Vec<String>> {
    let here = if dir.as_os_str().is_empty() { Path::new(".") } else { dir };
    let names = std::fs::read_dir(here)?.map(|entry| entry.map(|entry| entry.file_name().into_string().ok()));
    names.filter_map(io::Result::transpose).collect()
}

/// Whether a name fits a pattern of `*` (any run) and `?` (any character); neither begins a hidden file's name.
fn is_match(pattern: &str, name: &str) -> bool {
    if name.starts_with('.') && !pattern.starts_with('.') {
        return false;
    }
    let (pattern, name): (Vec<char>, Vec<char>) = (pattern.chars().collect(), name.chars().collect());
    // Cells of one row of the usual table: does the pattern so far fit the first n characters?
    let mut fits: Vec<bool> = std::iter::once(true).chain(name.iter().map(|_| false)).collect();
    for wanted in pattern {
        let mut row = Vec::with_capacity(fits.len());
        row.push(wanted == '*' && fits.first() == Some(&true));
        for ((before, above), c) in fits.iter().zip(fits.iter().skip(1)).zip(&name) {
            row.push(match wanted {
                '*' => *above || row.last() == Some(&true),
                '?' => *before,
                _ => *before && wanted == *c,
            });
        }
        fits = row;
    }
    fits.last() == Some(&true)
}

/// What could be read of a file, and why it was not all.
#[derive(Debug)]
pub(super) struct Text {
    pub(super) text: String,
    /// Byte offset of the first byte that is not UTF-8.
    pub(super) broken_at: Option<usize>,
}

/// Reads a regular file; opening a pipe would wait for its writer for ever.
pub(super) fn read_regular(path: &Path) -> io::Result<Text> {
    regular(path).and_then(|()| read(path))
}

/// Refuses what is there and no regular file.
pub(super) fn regular(path: &Path) -> io::Result<()> {
    match std::fs::metadata(path)?.is_file() {
        true => Ok(()),
        false => Err(io::Error::other("it is not a regular file")),
    }
}

/// Reads a text of bounded length.
pub(super) fn read(path: &Path) -> io::Result<Text> {
    const LONGEST: u64 = 16 * 1024 * 1024;
    let mut bytes = Vec::new();
    std::fs::File::open(path)?.take(LONGEST + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LONGEST {
        return Err(io::Error::other("it is larger than 16 MiB"));
    }
    Ok(match String::from_utf8(bytes) {
        Ok(text) => Text { text, broken_at: None },
        Err(why) => {
            let broken_at = Some(why.utf8_error().valid_up_to());
            Text { text: String::from_utf8_lossy(why.as_bytes()).into_owned(), broken_at }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::is_match;

    #[test]
    fn patterns() {
        for (pattern, name, fits) in [
            ("*.toml", "a.toml", true),
            ("*.toml", ".toml", false),
            ("*.toml", ".hidden.toml", false),
            (".*", ".hidden", true),
            ("*.toml", "a.toml.bak", false),
            ("a?c*", "abcd", true),
            ("a?c*", "ac", false),
            ("*", "방위비.toml", true),
            ("**a**", "bab", true),
            ("?", "", false),
            ("*a*a*a*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaa", false),
        ] {
            assert_eq!(is_match(pattern, name), fits, "{pattern} {name}");
        }
    }
}
