//! Clean documents, read by feed-rs.

use std::borrow::Cow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, Utc};
use feed_rs::model;
use feed_rs::parser::Builder;

use super::draft::{Draft, Finisher};
use super::field;
use super::shape::Shape;
use crate::news::dates::Hints;
use crate::news::entry::{Context, Document};

/// The dates of one document as written. feed-rs gets their numbers for instants,
/// so that each comes back with its entry and can be read once the language is known.
#[derive(Clone, Default)]
struct Dates(Arc<Mutex<Vec<String>>>);

impl Dates {
    fn keep(&self, raw: &str) -> Option<DateTime<Utc>> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.push(raw.to_owned());
        DateTime::from_timestamp(i64::try_from(kept.len() - 1).ok()?, 0)
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Reads a document of a faithful shape; `None` when feed-rs disagrees with the shape.
pub(super) fn read(text: &str, shape: Shape, context: &Context<'_>) -> Option<Document> {
    let dates = Dates::default();
    let keeper = dates.clone();
    let parser = Builder::new()
        .base_uri(context.base.map(url::Url::as_str))
        .id_generator(|_, _, _| String::new())
        .timestamp_parser(move |raw| keeper.keep(raw))
        .sanitize_content(false)
        .build();
    let body = text.get(shape.root..)?;
    // The shape keeps away from what is known to panic; this is for what is not known.
    let parsed = catch_unwind(AssertUnwindSafe(|| parser.parse(body.as_bytes())));
    let feed = parsed.ok()?.ok()?;
    if feed.entries.len() != shape.entries {
        return None;
    }
    Some(document(&feed, &dates.take(), context))
}

fn document(feed: &model::Feed, dates: &[String], context: &Context<'_>) -> Document {
    let lang = feed.language.as_deref().map(field::tag).filter(|lang| !lang.is_empty());
    let hints = Hints { zone: context.zone.as_ref(), lang: lang.as_deref().or(context.lang) };
    let mut finisher = Finisher::new(context.base, hints);
    let mut document = Document {
        title: feed.title.as_ref().and_then(|title| finisher.title(&title.content)),
        ..Document::default()
    };
    document.ttl_minutes = feed.ttl;
    let feed_lang = lang.as_deref().or(context.lang);
    if feed.entries.len() > super::draft::MOST_ENTRIES {
        let note = format!(
            "the document has more than {} entries; the rest was not read",
            super::draft::MOST_ENTRIES
        );
        document.flaws.push(crate::news::entry::Flaw { kind: "too-many-entries", note });
    }
    document.entries.reserve(feed.entries.len().min(super::draft::MOST_ENTRIES));
    for entry in feed.entries.iter().take(super::draft::MOST_ENTRIES) {
        document.entries.extend(finisher.finish(&draft(entry, dates), feed_lang));
    }
    finisher.report(&mut document);
    document.lang = lang;
    document
}

fn draft<'a>(entry: &'a model::Entry, dates: &'a [String]) -> Draft<'a> {
    let raw = |instant: Option<DateTime<Utc>>| {
        let number = usize::try_from(instant?.timestamp()).ok()?;
        dates.get(number).map(|raw| Cow::Borrowed(raw.as_str()))
    };
    // feed-rs copies RSS dates into `updated`.
    let updated = entry.updated.filter(|updated| entry.published != Some(*updated));
    let mut links: Vec<(u8, &str)> = entry
        .links
        .iter()
        .filter(|link| link.target.is_none())
        .filter_map(|link| {
            let rank = field::rank(
                link.rel.as_deref().unwrap_or_default(),
                link.media_type.as_deref().unwrap_or_default(),
            );
            rank.map(|rank| (rank, link.href.as_str()))
        })
        .collect();
    links.sort_by_key(|(rank, _)| *rank);
    let text = |text: &'a model::Text| Cow::Borrowed(text.content.as_str());
    Draft {
        id: Some(Cow::Borrowed(entry.id.as_str())),
        title: entry.title.as_ref().map(text),
        links: links.into_iter().map(|(_, href)| (Cow::Borrowed(href), None)).collect(),
        published: raw(entry.published),
        updated: raw(updated),
        summary: entry.summary.as_ref().map(text),
        content: entry.content.as_ref().and_then(|content| content.body.as_deref()).map(Cow::Borrowed),
        authors: entry
            .authors
            .iter()
            .filter_map(|person| person.name.as_deref().or(person.email.as_deref()))
            .map(Cow::Borrowed)
            .collect(),
        lang: None,
        source: None,
    }
}
