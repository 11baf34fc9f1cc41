//! Whether a document is of the shape that feed-rs reads without loss.
//!
//! One cheap pass over the tags. What is said to be faithful here is read by
//! feed-rs; all else, broken or merely rich, goes to the lenient reader. So a
//! doubt costs a little time and never an entry.

/// Elements of an RSS item that may stand once.
const ONCE: [&str; 6] = ["title", "link", "guid", "description", "pubDate", "content:encoded"];
/// Elements of an RSS item that may repeat, or that nobody here reads.
const OFTEN: [&str; 11] = [
    "category",
    "comments",
    "enclosure",
    "author",
    "dc:creator",
    "dc:subject",
    "media:thumbnail",
    "media:credit",
    "media:keywords",
    "media:rating",
    "media:copyright",
];
/// Elements of an Atom entry that may stand once.
const ATOM_ONCE: [&str; 6] = ["title", "id", "published", "updated", "summary", "content"];
/// Elements of an Atom entry that may repeat.
const ATOM_OFTEN: [&str; 4] = ["link", "category", "author", "rights"];

/// Where a faithful document begins behind its prolog, and how many entries it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Shape {
    pub(super) root: usize,
    pub(super) entries: usize,
}

/// Looks at a document.
pub(super) fn faithful(text: &str) -> Option<Shape> {
    let bytes = text.as_bytes();
    // No control characters: a branch per byte would cost more than the parse.
    let controls = bytes
        .iter()
        .fold(0u8, |seen, byte| seen | u8::from(*byte < b' ' && !matches!(byte, b'\t' | b'\n' | b'\r')));
    if controls != 0 {
        return None;
    }
    let root = root(text)?;
    let mut walk = Walk {
        text: text.get(root..)?,
        at: 0,
        depth: 0,
        atom: false,
        entry: None,
        entries: 0,
        field: "",
        declared: "",
    };
    walk.run().then_some(Shape { root, entries: walk.entries })
}

/// Returns where the root element begins: behind the prolog and style sheets, nothing else.
fn root(text: &str) -> Option<usize> {
    let mut rest = text.trim_start_matches(['\u{feff}', ' ', '\t', '\r', '\n']);
    while rest.starts_with("<?xml") {
        let (_, after) = rest.split_once("?>")?;
        rest = after.trim_start();
    }
    rest.starts_with('<').then(|| text.len() - rest.len())
}

struct Walk<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
    atom: bool,
    /// Which fields of the current entry have been seen, a bit each.
    entry: Option<u8>,
    entries: usize,
    /// The field being read, or the element of the channel.
    field: &'a str,
    /// The root's attributes, where prefixes are declared.
    declared: &'a str,
}

impl<'a> Walk<'a> {
    fn run(&mut self) -> bool {
        while let Some(step) = self.text.as_bytes().get(self.at..).and_then(|rest| memchr::memchr(b'<', rest))
        {
            self.at += step;
            if self.tag().is_none() {
                return false;
            }
            if self.depth == 0 {
                break;
            }
        }
        // Nothing but white space behind the root.
        self.depth == 0 && self.text.get(self.at..).is_some_and(|rest| rest.trim().is_empty())
    }

    /// Takes one tag; `None` when it is not as it should be.
    fn tag(&mut self) -> Option<()> {
        let rest = self.text.get(self.at..)?;
        if rest.starts_with("<![CDATA[") {
            let end = memchr::memmem::find(rest.as_bytes(), b"]]>")?;
            self.at += end + 3;
            return (self.depth > 1).then_some(());
        }
        let end = memchr::memchr(b'>', rest.as_bytes())?;
        let inner = rest.get(1..end)?;
        let begin = self.at;
        self.at += end + 1;
        if inner.starts_with(['!', '?']) || inner.contains('<') {
            return None;
        }
        if inner.starts_with('/') {
            self.depth = self.depth.checked_sub(1)?;
            let item_depth = if self.atom { 1 } else { 2 };
            if self.depth == item_depth
                && let Some(seen) = self.entry.take()
            {
                // Without an address of its own, guid and others have to stand in.
                return (self.atom || seen & 2 != 0).then_some(());
            }
            return Some(());
        }
        let empty = inner.ends_with('/');
        let name_end =
            inner.find(|char: char| char.is_ascii_whitespace() || char == '/').unwrap_or(inner.len());
        let (name, attributes) = inner.split_at(name_end);
        if self.depth > 0 && attributes.contains("xml:") {
            return None;
        }
        match (self.depth, self.atom) {
            (0, _) => self.begin(name, attributes)?,
            (1, false) => (name == "channel" && !empty).then_some(())?,
            (2, false) | (1, true) => self.feed_child(name, empty, begin)?,
            (3, false) | (2, true) if self.entry.is_some() => {
                self.entry_child(name, attributes, empty, begin)?
            }
            // Markup inside a field is what feed-rs loses.
            _ if self.entry.is_some() && self.field != "author" => return None,
            _ => {}
        }
        self.depth += usize::from(!empty);
        Some(())
    }

    fn begin(&mut self, name: &str, attributes: &'a str) -> Option<()> {
        if attributes.contains("xml:base") {
            return None;
        }
        self.declared = attributes;
        match name {
            "rss" => {
                let version = attributes.contains("version=\"2.0\"") || attributes.contains("version='2.0'");
                (version && !attributes.contains("xmlns=") && usual_prefixes(attributes)).then_some(())
            }
            "feed" => {
                self.atom = true;
                let known = attributes.contains("xmlns=\"http://www.w3.org/2005/Atom\"");
                (known && usual_prefixes(attributes)).then_some(())
            }
            _ => None,
        }
    }

    fn feed_child(&mut self, name: &'a str, empty: bool, begin: usize) -> Option<()> {
        self.entry = None;
        self.field = name;
        let prefix = name.split_once(':').map(|(prefix, _)| prefix);
        if name == if self.atom { "entry" } else { "item" } {
            self.entry = Some(0);
            self.entries += 1;
            return (!empty).then_some(());
        }
        if matches!(name, "skipHours" | "skipDays" | "item" | "entry")
            || matches!(prefix, Some("dc" | "itunes" | "podcast" | "googleplay"))
        {
            return None;
        }
        matches!(name, "managingEditor" | "webMaster").then(|| self.harmless(begin)).unwrap_or(Some(()))
    }

    fn entry_child(&mut self, name: &'a str, attributes: &str, empty: bool, begin: usize) -> Option<()> {
        self.field = name;
        // An undeclared prefix is nothing to feed-rs.
        if let Some((prefix, _)) = name.split_once(':')
            && !self.declared.match_indices(prefix).any(|(at, _)| {
                self.declared.get(at + prefix.len()..).is_some_and(|rest| rest.starts_with('='))
            })
        {
            return None;
        }
        let (once, often) = if self.atom { (&ATOM_ONCE, &ATOM_OFTEN[..]) } else { (&ONCE, &OFTEN[..]) };
        if let Some(bit) = once.iter().position(|own| *own == name) {
            let seen = self.entry.get_or_insert(0);
            let bit = 1u8 << bit;
            let first = *seen & bit == 0;
            *seen |= bit;
            let plain = !self.atom
                || ["type=\"html\"", "type=\"text\""].iter().any(|kind| attributes.trim() == *kind)
                || attributes.trim().is_empty();
            return (first && !empty && plain).then_some(());
        }
        if matches!(name, "author" | "dc:creator") && !self.atom {
            return self.harmless(begin);
        }
        let ignored = name.starts_with("slash:") || name.starts_with("wfw:") || name.starts_with("georss:");
        (often.contains(&name) || ignored).then_some(())
    }

    /// feed-rs cuts names from addresses by bytes, which no CJK text survives.
    fn harmless(&self, begin: usize) -> Option<()> {
        let rest = self.text.get(begin..)?;
        let end = memchr::memmem::find(rest.as_bytes(), b"</")?;
        let value = rest.get(..end)?;
        (value.is_ascii() || memchr::memchr2(b'@', b'&', value.as_bytes()).is_none()).then_some(())
    }
}

/// Tells whether the prefixes that matter mean what they usually do.
fn usual_prefixes(attributes: &str) -> bool {
    let usual = [
        ("xmlns:dc=", "http://purl.org/dc/elements/1.1/"),
        ("xmlns:content=", "http://purl.org/rss/1.0/modules/content/"),
    ];
    usual.iter().all(|(name, uri)| {
        let Some((_, value)) = attributes.split_once(name) else { return true };
        value.get(1..).is_some_and(|value| value.starts_with(uri))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clean_documents_are_faithful_and_rich_or_broken_ones_are_not() {
        let rss = |head: &str, item: &str| {
            format!(
                "<?xml version=\"1.0\"?>\n<rss version=\"2.0\"{head}><channel><title>t</title><item>{item}</item></channel></rss>"
            )
        };
        let good =
            "<title>a</title><link>https://x.test/</link><description><![CDATA[<p>x</p>]]></description>";
        assert_eq!(faithful(&rss("", good)).map(|shape| shape.entries), Some(1));
        let bad = [
            rss(" xmlns=\"http://backend.userland.com/rss2\"", good),
            rss("", "<title>a</title>"),
            rss("", "<title>a <b>b</b></title><link>https://x.test/</link>"),
            rss("", &format!("{good}<author>a@b.c（홍길동）</author>")),
            rss("", &format!("{good}<dcterms:created>2020</dcterms:created>")),
            rss("", &format!("{good}<link>https://x.test/2</link>")),
            rss("", &format!("{good}\u{8}")),
            rss("", &format!("{good}<!-- c -->")),
            rss("", good).replace("</rss>", ""),
            rss("", good).replace("2.0", "2.00"),
        ];
        for text in bad {
            assert_eq!(faithful(&text), None, "{text}");
        }
    }
}
