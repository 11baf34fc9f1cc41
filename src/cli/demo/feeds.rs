//! The sample feeds of the demo, in our own words: a wire story with its copies,
//! look-alikes, one damaged document. `{…}` is filled in with times of the demo's clock.

use jiff::{SignedDuration, Timestamp};

/// A sample feed: its path, name, language, content type, and its document by phase.
#[derive(Debug)]
pub(super) struct Sample {
    pub(super) path: &'static str,
    pub(super) name: &'static str,
    pub(super) language: &'static str,
    pub(super) content_type: &'static str,
    /// The character set the document is sent in.
    pub(super) charset: &'static str,
    first: &'static str,
    /// What the second poll finds; the same document when empty.
    second: &'static str,
}

pub(super) const SAMPLES: [Sample; 6] = [
    Sample {
        path: "/pacific-wire.xml",
        name: "Pacific Wire",
        language: "en",
        content_type: "application/rss+xml",
        charset: "utf-8",
        first: include_str!("pacific-wire.xml"),
        second: "",
    },
    Sample {
        path: "/harbour-times.xml",
        name: "Harbour Times",
        language: "en",
        content_type: "application/rss+xml; charset=utf-8",
        charset: "utf-8",
        first: include_str!("harbour-times.xml"),
        second: "",
    },
    Sample {
        path: "/island-courier.json",
        name: "Island Courier",
        language: "en",
        content_type: "application/feed+json",
        charset: "utf-8",
        first: include_str!("island-courier-1.json"),
        second: include_str!("island-courier-2.json"),
    },
    Sample {
        path: "/hangang.atom",
        name: "한강신문",
        language: "ko",
        content_type: "application/atom+xml",
        charset: "utf-8",
        first: include_str!("hangang.atom"),
        second: "",
    },
    Sample {
        path: "/minato.rdf",
        name: "みなと新報",
        language: "ja",
        content_type: "application/xml",
        charset: "shift_jis",
        first: include_str!("minato.rdf"),
        second: "",
    },
    Sample {
        path: "/damaged.xml",
        name: "Damaged Gazette",
        language: "en",
        content_type: "text/html",
        charset: "utf-8",
        first: include_str!("damaged.xml"),
        second: "",
    },
];

impl Sample {
    /// Returns the document as its server sends it: `phase` 0 is the first poll, `start` the demo's first instant.
    pub(super) fn document(&self, phase: usize, start: Timestamp) -> Vec<u8> {
        let text = if phase > 0 && !self.second.is_empty() { self.second } else { self.first };
        let ago = |minutes: i64| start.saturating_sub(SignedDuration::from_mins(minutes)).unwrap_or(start);
        let mut text = text.to_owned();
        for (name, minutes) in [("now", 10), ("hour", 60), ("later", -150), ("week", 7 * 24 * 60)] {
            let at = ago(minutes);
            text =
                text.replace(&format!("{{{name}}}"), &at.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string());
            text = text.replace(&format!("{{{name}:iso}}"), &at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string());
        }
        let charset = encoding_rs::Encoding::for_label(self.charset.as_bytes()).unwrap_or(encoding_rs::UTF_8);
        charset.encode(&text).0.into_owned()
    }
}
