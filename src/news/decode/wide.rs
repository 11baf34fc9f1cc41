//! UTF-16 and UTF-32, with a byte order mark or without.

/// Bytes of a code unit, and whether the first is the lowest.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Form {
    width: usize,
    little: bool,
}

/// Decodes a document in UTF-16 or UTF-32; `None` when it is in neither.
pub(super) fn decode(bytes: &[u8]) -> Option<String> {
    let (form, skip) = marked(bytes).or_else(|| bare(bytes).map(|form| (form, 0)))?;
    let body = bytes.get(skip..)?;
    let mut text = String::with_capacity(body.len());
    if form.width == 4 {
        let units = body
            .as_chunks::<4>()
            .0
            .iter()
            .map(|unit| if form.little { u32::from_le_bytes(*unit) } else { u32::from_be_bytes(*unit) });
        text.extend(units.map(|code| char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER)));
    } else {
        let units = body
            .as_chunks::<2>()
            .0
            .iter()
            .map(|unit| if form.little { u16::from_le_bytes(*unit) } else { u16::from_be_bytes(*unit) });
        text.extend(char::decode_utf16(units).map(|char| char.unwrap_or(char::REPLACEMENT_CHARACTER)));
    }
    Some(text)
}

/// Reads a byte order mark, and doubts one that the next bytes contradict.
fn marked(bytes: &[u8]) -> Option<(Form, usize)> {
    let marks: [(&[u8], Form); 4] = [
        (b"\xff\xfe\0\0", Form { width: 4, little: true }),
        (b"\0\0\xfe\xff", Form { width: 4, little: false }),
        (b"\xff\xfe", Form { width: 2, little: true }),
        (b"\xfe\xff", Form { width: 2, little: false }),
    ];
    let (mark, form) = marks.into_iter().find(|(mark, _)| bytes.starts_with(mark))?;
    let lies = bytes.len() > 8 && !bytes.iter().take(512).any(|byte| *byte == 0);
    (!lies).then_some((form, mark.len()))
}

/// Recognises the form by the zero bytes round the first two characters, which are
/// ASCII in every feed: white space, `<`, `{` and what follows.
fn bare(bytes: &[u8]) -> Option<Form> {
    match bytes.get(..8)? {
        [a, 0, 0, 0, b, 0, 0, 0] if *a > 0 && *b > 0 => Some(Form { width: 4, little: true }),
        [0, 0, 0, a, 0, 0, 0, b] if *a > 0 && *b > 0 => Some(Form { width: 4, little: false }),
        [a, 0, b, 0, c, 0, ..] if *a > 0 && *b > 0 && *c > 0 => Some(Form { width: 2, little: true }),
        [0, a, 0, b, 0, c, ..] if *a > 0 && *b > 0 && *c > 0 => Some(Form { width: 2, little: false }),
        _ => None,
    }
}
