//! Charset labels: where a document names its charset, and what the name means.

use encoding_rs::{EUC_JP, EUC_KR, Encoding, GB18030, ISO_2022_JP, SHIFT_JIS, WINDOWS_1252};

/// How far into a document its own label is looked for.
const HEAD: usize = 2048;

/// Returns the encoding a label means, with the names that feeds use and no standard lists.
pub(super) fn encoding(label: &str) -> Option<&'static Encoding> {
    let label = label.trim().trim_matches(['"', '\'']).to_ascii_lowercase();
    let alias = match label.replace(['-', '_', ' ', '.'], "").as_str() {
        "cp949" | "ms949" | "uhc" | "ksc56011987" | "ksc56011989" | "ksx1001" | "windows949" | "euckr"
        | "korean" | "iso2022kr" | "xwindows949" | "cseuckr" => EUC_KR,
        "cp932" | "xsjis" | "sjis" | "mskanji" | "shiftjis" | "windows31j" | "ms932" | "cswindows31j"
        | "xmscp932" | "windows932" | "shiftjisx0213" => SHIFT_JIS,
        "eucjp" | "xeucjp" | "ujis" | "cp51932" | "eucjpms" | "eucjpwin" => EUC_JP,
        "iso2022jp" | "iso2022jp1" | "iso2022jp2" | "iso2022jp3" | "jis" | "cp50220" | "cp50221"
        | "csiso2022jp" => ISO_2022_JP,
        "cp936" | "ms936" | "euccn" | "xeuccn" | "gb2312" | "gb231280" | "gbk" | "gb18030" | "windows936"
        | "hzgb2312" => GB18030,
        "cp950" | "ms950" | "big5" | "big5hkscs" | "windows950" | "xxbig5" => encoding_rs::BIG5,
        "latin1" | "ansi" | "cp1252" | "iso88591" | "usascii" | "ascii" | "windows1252" => WINDOWS_1252,
        "utf8" | "utf8mb4" | "utf8n" | "xutf8" | "unicode" => encoding_rs::UTF_8,
        _ => return Encoding::for_label(label.as_bytes()),
    };
    Some(alias)
}

/// Returns the charset that a `Content-Type` header names.
pub(super) fn of_header(content_type: &str) -> Option<&str> {
    content_type.split(';').skip(1).find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim().eq_ignore_ascii_case("charset").then(|| value.trim().trim_matches(['"', '\'']))
    })
}

/// Returns the charset that the document itself names: in its prolog, wherever that
/// stands, or in an HTML `meta`.
pub(super) fn of_document(bytes: &[u8]) -> Option<&str> {
    let head = bytes.get(..HEAD.min(bytes.len()))?;
    let named = |name: &[u8]| {
        let at = memchr::memmem::find(head, name)? + name.len();
        let rest = head.get(at..)?.trim_ascii_start().strip_prefix(b"=")?.trim_ascii_start();
        let rest = rest.strip_prefix(b"\"").or_else(|| rest.strip_prefix(b"'")).unwrap_or(rest);
        let end = rest.iter().position(|byte| !byte.is_ascii_alphanumeric() && !b"-_.:".contains(byte))?;
        std::str::from_utf8(rest.get(..end)?).ok().filter(|label| !label.is_empty())
    };
    named(b"encoding").or_else(|| named(b"charset"))
}
