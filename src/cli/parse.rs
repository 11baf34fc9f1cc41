//! `burdenwatch parse`: the entries of a feed as burdenwatch reads them.

use std::fs;
use std::io::{self, BufRead, Read, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};
use url::Url;

use crate::news::entry::{Context, Document, Entry};
use crate::news::parse;
use crate::news::text;

/// The largest document read from a file or a pipe.
const LARGEST: u64 = 256 * 1024 * 1024;

/// Arguments of `parse`.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct Args {
    /// A file, `-` for standard input, or an address to fetch
    #[arg(value_name = "FILE|-|URL", required_unless_present = "batch")]
    pub document: Option<String>,
    /// The Content-Type header the document came with
    #[arg(long, value_name = "CT")]
    pub content_type: Option<String>,
    /// The address the document came from, for relative links
    #[arg(long, value_name = "URL")]
    pub base: Option<Url>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
    /// Read lines of JSON {"path","content_type","base"} and answer each with one line of JSON
    #[arg(long, conflicts_with = "document")]
    pub batch: bool,
}

/// A document as fetched.
#[derive(Debug, Clone, Default)]
pub struct Fetched {
    /// The body.
    pub body: Vec<u8>,
    /// The `Content-Type` header.
    pub content_type: Option<String>,
    /// The final address.
    pub address: Option<Url>,
}

/// Runs `parse`; `fetch` gets what is named by address. Returns whether everything could be read.
pub fn run(
    args: &Args,
    input: &mut dyn BufRead,
    out: &mut dyn Write,
    err: &mut dyn Write,
    fetch: &mut dyn FnMut(&Url) -> Result<Fetched, String>,
) -> io::Result<bool> {
    if args.batch {
        return batch(input, out);
    }
    let name = args.document.as_deref().unwrap_or("-");
    let fetched = match load(name, input, fetch) {
        Ok(fetched) => fetched,
        Err(problem) => {
            writeln!(err, "error: cannot read {name}: {problem}")?;
            return Ok(false);
        }
    };
    let content_type = args.content_type.as_deref().or(fetched.content_type.as_deref());
    let base = args.base.as_ref().or(fetched.address.as_ref());
    let answer = Answer::of(&fetched.body, content_type, base);
    if args.json {
        serde_json::to_writer(&mut *out, &answer)?;
        writeln!(out)?;
    } else {
        answer.print(out)?;
    }
    if let Some(error) = &answer.error {
        writeln!(err, "error: {name}: {error}")?;
    }
    Ok(answer.error.is_none())
}

fn load(
    name: &str,
    input: &mut dyn BufRead,
    fetch: &mut dyn FnMut(&Url) -> Result<Fetched, String>,
) -> Result<Fetched, String> {
    if name.starts_with("http://") || name.starts_with("https://") {
        let url = Url::parse(name).map_err(|error| error.to_string())?;
        return fetch(&url);
    }
    let body = if name == "-" {
        let mut body = Vec::new();
        input.take(LARGEST).read_to_end(&mut body).map_err(|error| error.to_string())?;
        body
    } else {
        file(Path::new(name))?
    };
    Ok(Fetched { body, ..Fetched::default() })
}

fn file(path: &Path) -> Result<Vec<u8>, String> {
    let file = fs::File::open(path).map_err(|error| error.to_string())?;
    let mut body = Vec::new();
    file.take(LARGEST).read_to_end(&mut body).map_err(|error| error.to_string())?;
    Ok(body)
}

/// One request of `--batch`.
#[derive(Deserialize)]
struct Request {
    path: String,
    #[serde(default)]
    content_type: Option<String>,
    #[serde(default)]
    base: Option<String>,
}

fn batch(input: &mut dyn BufRead, out: &mut dyn Write) -> io::Result<bool> {
    let mut line = Vec::new();
    loop {
        line.clear();
        if input.read_until(b'\n', &mut line)? == 0 {
            return Ok(true);
        }
        if line.trim_ascii().is_empty() {
            continue;
        }
        serde_json::to_writer(&mut *out, &answer(&line))?;
        out.write_all(b"\n")?;
        out.flush()?;
    }
}

fn answer(line: &[u8]) -> Answer {
    let request: Request = match serde_json::from_slice(line) {
        Ok(request) => request,
        Err(error) => return Answer::error(format!("the request is not JSON with a path: {error}")),
    };
    let body = match file(Path::new(&request.path)) {
        Ok(body) => body,
        Err(error) => return Answer::error(format!("cannot read {}: {error}", request.path)),
    };
    let base = request.base.as_deref().and_then(|base| Url::parse(base).ok());
    Answer::of(&body, request.content_type.as_deref(), base.as_ref())
}

/// What is printed for one document.
#[derive(Serialize)]
struct Answer {
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    entries: Vec<Line>,
    #[serde(skip_serializing_if = "Option::is_none")]
    flaws: Option<Vec<Flaw>>,
}

#[derive(Serialize)]
struct Line {
    id: Option<String>,
    title: Option<String>,
    /// As the feed gives it.
    link: Option<String>,
    /// What the link is a wrapper round, where that can be told.
    #[serde(skip_serializing_if = "Option::is_none")]
    article: Option<String>,
    published: Option<String>,
    updated: Option<String>,
    summary: Option<String>,
    content: Option<String>,
    authors: Vec<String>,
    lang: Option<String>,
}

#[derive(Serialize)]
struct Flaw {
    kind: &'static str,
    note: String,
}

impl Answer {
    fn error(error: String) -> Self {
        Self { error: Some(error), entries: Vec::new(), flaws: None }
    }

    fn of(body: &[u8], content_type: Option<&str>, base: Option<&Url>) -> Self {
        let context = Context { content_type, base, zone: None, lang: None };
        match parse::read(body, &context) {
            Ok(document) => Self::from(document),
            Err(error) => Self::error(error.to_string()),
        }
    }

    fn print(&self, out: &mut dyn Write) -> io::Result<()> {
        for entry in &self.entries {
            let field = |value: &Option<String>| text::safe(value.as_deref().unwrap_or("-"));
            writeln!(out, "{}  {}", field(&entry.published), field(&entry.title))?;
            writeln!(out, "    {}", field(&entry.link))?;
            if let Some(summary) = &entry.summary {
                let short: String = summary.chars().take(160).collect();
                writeln!(out, "    {}", text::safe(&short))?;
            }
        }
        for flaw in self.flaws.iter().flatten() {
            writeln!(out, "flaw {}: {}", flaw.kind, text::safe(&flaw.note))?;
        }
        Ok(())
    }
}

impl From<Document> for Answer {
    fn from(document: Document) -> Self {
        let flaws =
            document.flaws.into_iter().map(|flaw| Flaw { kind: flaw.kind, note: flaw.note }).collect();
        Self {
            error: None,
            entries: document.entries.into_iter().map(Line::from).collect(),
            flaws: Some(flaws),
        }
    }
}

impl From<Entry> for Line {
    fn from(entry: Entry) -> Self {
        // Newlines are hard separators inside; outside they are white space.
        let line = |text: Option<String>| text.map(|text| text.replace('\n', " "));
        let (link, article) = match entry.given_link {
            Some(given) => (Some(given), entry.link),
            None => (entry.link, None),
        };
        Self {
            id: entry.id,
            title: entry.title,
            link,
            article,
            published: entry.published.map(|instant| instant.to_string()),
            updated: entry.updated.map(|instant| instant.to_string()),
            summary: line(entry.summary),
            content: line(entry.content),
            authors: entry.authors,
            lang: entry.lang,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batched(input: &str) -> Vec<serde_json::Value> {
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let args = Args { batch: true, ..Args::default() };
        let fetched =
            run(&args, &mut input.as_bytes(), &mut out, &mut err, &mut |_| Err("offline".to_owned()));
        assert!(fetched.unwrap() && err.is_empty());
        String::from_utf8(out).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    #[test]
    fn a_batch_answers_every_request_in_order() {
        let dir = tempfile::tempdir().unwrap();
        let good = dir.path().join("good.xml");
        let page = dir.path().join("page.html");
        fs::write(&good, "<rss><channel><item><title>A</title><link>/a</link><pubDate>2020-11-16</pubDate><description>x<p>y</description></item></channel></rss>").unwrap();
        fs::write(&page, "<html><body>no feed</body></html>").unwrap();
        let request = |path: &Path| {
            serde_json::json!({"path": path, "content_type": null, "base": "https://x.test/f"}).to_string()
        };
        let lines =
            format!("{}\nnonsense\n{}\n{}\n", request(&page), request(Path::new("/nowhere")), request(&good));
        let answers = batched(&lines);
        assert_eq!(answers.len(), 4);
        for broken in &answers[..3] {
            assert!(broken["error"].is_string() && broken["entries"] == serde_json::json!([]));
        }
        let entry = &answers[3]["entries"][0];
        assert_eq!(
            (&entry["title"], &entry["link"], &entry["summary"]),
            (&"A".into(), &"https://x.test/a".into(), &"x y".into())
        );
        assert_eq!(
            (&entry["published"], &entry["updated"]),
            (&"2020-11-16T00:00:00Z".into(), &serde_json::Value::Null)
        );
    }

    #[test]
    fn an_address_is_fetched_by_the_caller() {
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let args = Args { document: Some("https://x.test/feed".to_owned()), json: true, ..Args::default() };
        let read = run(&args, &mut &b""[..], &mut out, &mut err, &mut |url| {
            Ok(Fetched {
                body: b"<rss><channel><item><title>T</title><link>1</link></item></channel></rss>".to_vec(),
                content_type: None,
                address: Some(url.clone()),
            })
        });
        assert!(read.unwrap());
        assert!(String::from_utf8(out).unwrap().contains("\"link\":\"https://x.test/1\""));
    }
}
