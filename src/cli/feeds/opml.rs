//! OPML, as feed readers write it: often broken, never dangerous.

use quick_xml::Reader;
use quick_xml::escape::escape;
use quick_xml::events::{BytesStart, Event};

use crate::config::Feed;

/// A feed in a list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outline {
    /// Its title; may be empty.
    pub title: String,
    /// Its address, unchecked.
    pub url: String,
    /// Its language tag, when it has one.
    pub language: Option<String>,
    /// Categories, and the folders it is in.
    pub tags: Vec<String>,
}

/// What could be read of a list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct List {
    /// The feeds, in order.
    pub outlines: Vec<Outline>,
    /// Why reading stopped early.
    pub cut_short: Option<String>,
}

/// Folders within folders, and feeds, that are read.
const DEEPEST: usize = 32;
const MOST: usize = 10_000;

/// Reads the outlines of an OPML document.
pub fn read(bytes: &[u8]) -> List {
    let text = lenient(&decode(bytes));
    let mut reader = Reader::from_str(&text);
    let config = reader.config_mut();
    config.check_end_names = false;
    config.allow_unmatched_ends = true;
    let mut list = List::default();
    // One entry an open element: the folder it stands for, if it is one.
    let mut open: Vec<Option<String>> = Vec::new();
    loop {
        match reader.read_event() {
            Ok(Event::Start(tag)) => {
                let folder = take(&tag, &open, &mut list);
                open.push(folder);
            }
            Ok(Event::Empty(tag)) => {
                take(&tag, &open, &mut list);
            }
            Ok(Event::End(_)) => {
                open.pop();
            }
            Ok(Event::Eof) => return list,
            Ok(_) => {}
            Err(why) => {
                list.cut_short = Some(why.to_string());
                return list;
            }
        }
        if open.len() > DEEPEST || list.outlines.len() >= MOST {
            list.cut_short = Some(format!("more than {DEEPEST} folders within each other, or {MOST} feeds"));
            return list;
        }
    }
}

/// Takes a feed into the list, or returns the title of a folder.
fn take(tag: &BytesStart<'_>, open: &[Option<String>], list: &mut List) -> Option<String> {
    if !tag.local_name().as_ref().eq_ignore_ascii_case("outline") {
        return None;
    }
    let url = attribute(tag, "xmlUrl");
    let title = attribute(tag, "title").or_else(|| attribute(tag, "text")).unwrap_or_default();
    let Some(url) = url else { return Some(title).filter(|title| !title.is_empty()) };
    let categories = attribute(tag, "category").unwrap_or_default();
    let categories = categories.split(',').flat_map(|path| path.split('/'));
    let folders = open.iter().flatten().map(String::as_str);
    let mut tags: Vec<String> = Vec::new();
    for word in folders.chain(categories) {
        let word: String = word.trim().to_lowercase().chars().filter(|c| !c.is_control()).take(60).collect();
        if !word.is_empty() && !tags.contains(&word) {
            tags.push(word);
        }
    }
    let language = attribute(tag, "language").map(|tag| tag.to_ascii_lowercase().replace('_', "-"));
    let language = language.filter(|tag| {
        let first = tag.split('-').next().unwrap_or_default();
        (2..=3).contains(&first.len()) && tag.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    });
    list.outlines.push(Outline { title, url, language: language.filter(|tag| !tag.ends_with('-')), tags });
    None
}

/// An attribute's text, whatever the case of its name.
fn attribute(tag: &BytesStart<'_>, name: &str) -> Option<String> {
    let found = tag
        .html_attributes()
        .with_checks(false)
        .flatten()
        .find(|attribute| attribute.key.as_ref().eq_ignore_ascii_case(name))?;
    let raw = found.value.into_owned();
    let text = quick_xml::escape::unescape(&raw).map(|text| text.into_owned()).unwrap_or(raw);
    Some(text.trim().to_owned()).filter(|text| !text.is_empty())
}

/// Decodes by byte order mark, else by XML declaration, else as UTF-8.
fn decode(bytes: &[u8]) -> String {
    let head = String::from_utf8_lossy(bytes.get(..200).unwrap_or(bytes)).to_ascii_lowercase();
    let label = head.split_once("encoding=").and_then(|(_, rest)| rest.split(['"', '\'']).nth(1));
    let encoding = label.and_then(|label| encoding_rs::Encoding::for_label(label.as_bytes()));
    encoding.unwrap_or(encoding_rs::UTF_8).decode(bytes).0.into_owned()
}

/// Escapes every `&` that begins no entity, and drops what XML forbids.
fn lenient(text: &str) -> String {
    let mut parts = text.split('&');
    let mut out: String = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        out.push('&');
        if !begins_entity(part) {
            out.push_str("amp;");
        }
        out.push_str(part);
    }
    out.retain(|c| !c.is_control() || matches!(c, '\n' | '\r' | '\t'));
    out
}

/// Whether the text after an `&` completes one of the entities XML knows.
fn begins_entity(text: &str) -> bool {
    let Some((name, _)) = text.split_once(';') else { return false };
    match name.strip_prefix('#') {
        Some(number) => {
            let code = match number.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16).ok(),
                None => number.parse().ok(),
            };
            code.and_then(char::from_u32).is_some_and(|c| c != '\0')
        }
        None => matches!(name, "amp" | "lt" | "gt" | "quot" | "apos"),
    }
}

/// Writes the feeds as OPML 2.0; tags become categories.
pub fn write(feeds: &[Feed]) -> String {
    let mut out = String::from(concat!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n",
        "<opml version=\"2.0\">\n  <head>\n    <title>burdenwatch</title>\n  </head>\n  <body>\n",
    ));
    for feed in feeds {
        let name = escape(feed.name.as_str());
        let url = escape(feed.url.as_str());
        out += &format!("    <outline type=\"rss\" text=\"{name}\" title=\"{name}\" xmlUrl=\"{url}\"");
        if let Some(language) = &feed.language {
            out += &format!(" language=\"{}\"", escape(language.as_str()));
        }
        if !feed.tags.is_empty() {
            out += &format!(" category=\"{}\"", escape(feed.tags.join(",")));
        }
        out += "/>\n";
    }
    out + "  </body>\n</opml>\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn broken_lists_are_read() {
        let list = read(
            b"<opml><body><outline text='Asia & Pacific'><outline text=\"A &amp; B\" type=rss \
              XMLURL=\"https://a.example/f?x=1&y=2\" category='/wire/Korea,asia'/></outline>\
              <outline title='C' xmlUrl='https://c.example/' language='ko_KR'></outline></body>",
        );
        assert_eq!(list.cut_short, None);
        assert_eq!(
            list.outlines,
            [
                Outline {
                    title: "A & B".into(),
                    url: "https://a.example/f?x=1&y=2".into(),
                    language: None,
                    tags: vec!["asia & pacific".into(), "wire".into(), "korea".into(), "asia".into()],
                },
                Outline {
                    title: "C".into(),
                    url: "https://c.example/".into(),
                    language: Some("ko-kr".into()),
                    tags: Vec::new(),
                },
            ]
        );
    }

    #[test]
    fn depth_and_entities_are_bounded() {
        let deep = format!("<opml>{}", "<outline text='x'>".repeat(100_000));
        assert!(read(deep.as_bytes()).cut_short.is_some());
        let bomb = b"<!DOCTYPE o [<!ENTITY a 'aaaa'><!ENTITY b '&a;&a;'>]><opml><outline text='&b;' xmlUrl='https://x.example/'/></opml>";
        let list = read(bomb);
        assert_eq!(list.outlines.first().map(|outline| outline.title.as_str()), Some("&b;"));
    }

    #[test]
    fn declared_encodings_hold() {
        let (bytes, ..) = encoding_rs::EUC_KR
            .encode("<?xml version='1.0' encoding='euc-kr'?><outline text='연합' xmlUrl='u'/>");
        assert_eq!(read(&bytes).outlines.first().map(|outline| outline.title.clone()), Some("연합".into()));
    }
}
