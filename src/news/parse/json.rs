//! JSON Feed, whatever the types of its fields.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::draft::{Dates, Draft, Finisher, MOST_ENTRIES};
use super::field;
use crate::news::dates::Hints;
use crate::news::entry::{Context, Document, Flaw, Unreadable};

/// Text where text should be: numbers and truth values become text, all else is none.
#[derive(Debug, Default)]
struct Loose(Option<String>);

/// A name, an object with a name, or a list of them.
#[derive(Debug, Default)]
struct People(Vec<String>);

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Item {
    id: Loose,
    url: Loose,
    external_url: Loose,
    title: Loose,
    summary: Loose,
    content_html: Loose,
    content_text: Loose,
    date_published: Loose,
    date_modified: Loose,
    author: People,
    authors: People,
    language: Loose,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Element {
    Item(Box<Item>),
    Other(IgnoredAny),
}

#[derive(Debug, Default)]
struct Items(Vec<Item>);

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Feed {
    version: Loose,
    title: Loose,
    language: Loose,
    items: Option<Items>,
}

/// Reads a JSON Feed.
pub(super) fn read(text: &str, context: &Context<'_>) -> Result<Document, Unreadable> {
    let mut flaws = Vec::new();
    let text = without_controls(text, &mut flaws);
    // Where it breaks may be where it was cut off: the error does not tell reliably.
    let (feed, cut_off) = match serde_json::from_str::<Feed>(&text) {
        Ok(feed) => (feed, false),
        Err(error) => (salvage(&text, &error, &mut flaws)?, true),
    };
    let Some(items) = feed.items else {
        return Err(Unreadable::NotAFeed("it is JSON without a list of items".to_owned()));
    };
    let lang = feed.language.0.as_deref().map(field::tag).filter(|lang| !lang.is_empty());
    let hints = Hints { zone: context.zone.as_ref(), lang: lang.as_deref().or(context.lang) };
    let mut finisher = Finisher::new(context.base, hints);
    let mut document = Document {
        title: feed.title.0.as_deref().and_then(|title| finisher.title(title)),
        flaws,
        cut_off,
        ..Document::default()
    };
    let feed_lang = lang.as_deref().or(context.lang);
    document.entries = items.0.iter().filter_map(|item| finisher.finish(&draft(item), feed_lang)).collect();
    finisher.report(&mut document);
    document.lang = lang;
    Ok(document)
}

/// Control characters have to be escaped in JSON; where they are not, they are white space.
fn without_controls<'a>(text: &'a str, flaws: &mut Vec<Flaw>) -> Cow<'a, str> {
    let is_bad = |char: char| char < ' ' && !matches!(char, '\n' | '\r' | '\t');
    let in_string = |char: char| char < ' ';
    // Line breaks are fine between tokens; whether one stands in a string is not worth a parser.
    if !text.contains(is_bad) && serde_json::from_str::<IgnoredAny>(text).is_ok() {
        return text.into();
    }
    if text.contains(in_string) {
        if text.contains(is_bad) {
            flaws.push(Flaw {
                kind: "control-characters",
                note: "control characters stand unescaped; read as spaces".to_owned(),
            });
        }
        return text.replace(in_string, " ").into();
    }
    text.into()
}

/// Takes the items before the place where the JSON breaks.
fn salvage(text: &str, error: &serde_json::Error, flaws: &mut Vec<Flaw>) -> Result<Feed, Unreadable> {
    let broken = || Unreadable::NotAFeed(format!("it is broken JSON: {error}"));
    let (_, list) =
        text.split_once("\"items\"").and_then(|(_, rest)| rest.split_once('[')).ok_or_else(broken)?;
    let mut items = Vec::new();
    let mut rest = list;
    while items.len() < MOST_ENTRIES {
        let mut stream = serde_json::Deserializer::from_str(rest).into_iter::<Element>();
        let Some(Ok(element)) = stream.next() else { break };
        let used = stream.byte_offset();
        if let Element::Item(item) = element {
            items.push(*item);
        }
        let Some(after) = rest.get(used..).map(str::trim_start).and_then(|after| after.strip_prefix(','))
        else {
            break;
        };
        rest = after;
    }
    if items.is_empty() {
        return Err(broken());
    }
    let note = format!("the JSON breaks ({error}); the {} items before that were read", items.len());
    flaws.push(Flaw { kind: "truncated", note });
    Ok(Feed { items: Some(Items(items)), ..Feed::default() })
}

fn draft(item: &Item) -> Draft<'_> {
    fn text(loose: &Loose) -> Option<Cow<'_, str>> {
        loose.0.as_deref().filter(|text| !text.trim().is_empty()).map(Cow::Borrowed)
    }
    // Plain text may hold what looks like markup.
    let escaped = text(&item.content_text)
        .map(|text| Cow::Owned(text.replace('&', "&amp;").replace('<', "&lt;").replace('\n', "<br>")));
    let addresses = [&item.url, &item.external_url].into_iter().filter_map(text);
    let permalink = text(&item.id).filter(|id| id.starts_with("http"));
    Draft {
        id: text(&item.id),
        title: text(&item.title),
        links: addresses.chain(permalink).map(|href| (href, None)).collect(),
        published: Dates { best: text(&item.date_published), ..Dates::default() },
        updated: Dates { best: text(&item.date_modified), ..Dates::default() },
        summary: text(&item.summary),
        content: text(&item.content_html).or(escaped),
        authors: item
            .authors
            .0
            .iter()
            .chain(&item.author.0)
            .map(|name| Cow::Borrowed(name.as_str()))
            .collect(),
        lang: text(&item.language),
        source: None,
    }
}

struct LooseVisitor;

impl<'de> Visitor<'de> for LooseVisitor {
    type Value = Loose;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("anything")
    }

    fn visit_str<E>(self, value: &str) -> Result<Loose, E> {
        Ok(Loose(Some(value.to_owned())))
    }

    fn visit_string<E>(self, value: String) -> Result<Loose, E> {
        Ok(Loose(Some(value)))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Loose, E> {
        Ok(Loose(None))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Loose, E> {
        Ok(Loose(Some(value.to_string())))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Loose, E> {
        Ok(Loose(Some(value.to_string())))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Loose, E> {
        Ok(Loose(Some(value.to_string())))
    }

    fn visit_unit<E>(self) -> Result<Loose, E> {
        Ok(Loose(None))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Loose, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Loose(None))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Loose, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Loose(None))
    }
}

impl<'de> Deserialize<'de> for Loose {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(LooseVisitor)
    }
}

impl<'de> Deserialize<'de> for People {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Person {
            #[serde(default)]
            name: Loose,
        }
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Form {
            Name(String),
            Person(Person),
            List(Vec<Form>),
            Other(IgnoredAny),
        }
        fn collect(form: Form, names: &mut Vec<String>) {
            match form {
                Form::Name(name) => names.push(name),
                Form::Person(person) => names.extend(person.name.0),
                Form::List(list) => list.into_iter().take(20).for_each(|form| collect(form, names)),
                Form::Other(_) => {}
            }
        }
        let mut names = Vec::new();
        collect(Form::deserialize(deserializer)?, &mut names);
        Ok(Self(names))
    }
}

impl<'de> Deserialize<'de> for Items {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ItemsVisitor;
        impl<'de> Visitor<'de> for ItemsVisitor {
            type Value = Items;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a list of items")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Items, A::Error> {
                let mut items = Vec::new();
                while let Some(element) = list.next_element::<Element>()? {
                    if let Element::Item(item) = element
                        && items.len() < MOST_ENTRIES
                    {
                        items.push(*item);
                    }
                }
                Ok(Items(items))
            }

            fn visit_unit<E: serde::de::Error>(self) -> Result<Items, E> {
                Err(E::custom("items is null"))
            }
        }
        deserializer.deserialize_any(ItemsVisitor).map_err(D::Error::custom)
    }
}
