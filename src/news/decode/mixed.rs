//! Documents put together from pieces in UTF-8 and pieces in their old charset.

use encoding_rs::Encoding;

use super::{Decoded, few_lost, flaw, mostly_utf8, patched};

/// Decodes what stands between two tags by itself, as UTF-8 or in `encoding`; `None` when that explains nothing.
pub(super) fn decode(bytes: &[u8], encoding: &'static Encoding) -> Option<Decoded<'static>> {
    let mut text = String::with_capacity(bytes.len());
    let mut strangers = 0usize;
    // No charset has a bracket within a character.
    for piece in bytes.split_inclusive(|byte| matches!(byte, b'<' | b'>')) {
        let (own, bad) = encoding.decode_without_bom_handling(piece);
        if !piece.is_ascii() && (bad || has_wide(piece)) && mostly_utf8(piece) {
            strangers += 1;
            text.push_str(&patched(piece).text);
        } else {
            text.push_str(&own);
        }
    }
    let note =
        format!("{strangers} pieces are in UTF-8, the rest in {}; each read as it is", encoding.name());
    (strangers > 0 && few_lost(&text))
        .then(|| Decoded { text: text.into(), flaws: vec![flaw("mixed-charset", note)] })
}

/// Tells whether there is a character that takes three bytes in UTF-8; two bytes fit by accident.
fn has_wide(piece: &[u8]) -> bool {
    piece.utf8_chunks().any(|chunk| chunk.valid().chars().any(|char| char >= '\u{800}'))
}
