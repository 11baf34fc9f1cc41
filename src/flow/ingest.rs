//! One feed, once: fetch, read, match, group, commit.
//!
//! Everything a poll brings is committed in one transaction: articles, keys,
//! matches, stories, what is to be mailed, the validators and the next poll's
//! time. A crash before it repeats the fetch; after it nothing can be lost.

use std::collections::HashSet;
use std::sync::Arc;

use jiff::SignedDuration;
use jiff::Timestamp;

use crate::config;
use crate::fetch::{Failure, FailureKind, Response};
use crate::flow::Setup;
use crate::flow::alerts;
use crate::flow::feed as feed_state;
use crate::flow::recent::RecentStories;
use crate::flow::resolve::{Resolved, resolve};
use crate::news::entry::{Context, Document, Entry};
use crate::news::identity::{Candidate, candidates};
use crate::news::parse;
use crate::news::story;
use crate::rules::outcome::{Article, Level, Match};
use crate::rules::set::RuleSet;
use crate::store::{ArchivedText, FeedRow, NewArticle, NewText, StoreError, Tx, pack};

/// An article older than this when first seen is not news to be alerted.
const FRESH: SignedDuration = SignedDuration::from_hours(24);
/// A document this long that shares nothing with the one before may hide missed entries.
const BUSY: u64 = 5;

/// What a poll did.
#[derive(Debug, Clone)]
pub struct Report {
    /// How it ended.
    pub ended: Ended,
    /// When the feed is polled next.
    pub next_at: Timestamp,
    /// The feed's registrable domain is to be left alone until then.
    pub hold: Option<(String, Timestamp)>,
}

/// How a poll ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
    /// 304.
    Unchanged,
    /// A document was read.
    Read {
        /// Entries in it.
        entries: usize,
        /// Articles not seen before.
        new: usize,
        /// Articles flagged for the first time.
        matched: usize,
        /// Entries may have been missed since the last poll.
        gap: bool,
    },
    /// The feed could not be had or read.
    Failed {
        /// Why, for its operator.
        what: String,
        /// How often in a row by now.
        in_a_row: u32,
    },
}

/// What reading a document yielded, before the database is asked.
struct Harvest {
    document: Document,
    finds: Vec<Find>,
}

/// An entry, and what the rules say of it where that may matter.
struct Find {
    one: Candidate,
    matches: Option<Vec<Match>>,
}

/// What of the setup a commit needs, in a thread of its own.
struct Desk {
    config: Arc<config::Config>,
    rules: Arc<RuleSet>,
    feed: config::Feed,
    stories: Arc<RecentStories>,
    now: Timestamp,
}

/// Polls a feed and commits what came of it.
pub async fn poll(setup: &Setup, feed: &config::Feed, row: FeedRow) -> Result<Report, StoreError> {
    let request = feed_state::request(&setup.config.polling, feed, &row, setup.clock.now());
    let answer = setup.fetcher.get(&request).await;
    let now = setup.clock.now();
    let desk = Desk {
        config: Arc::clone(&setup.config),
        rules: Arc::clone(&setup.rules),
        feed: feed.clone(),
        stories: Arc::clone(&setup.stories),
        now,
    };
    let run = setup.run.clone();
    match answer {
        Err(failure) => commit_failure(setup, desk, row, failure).await,
        Ok(response) if response.status == 304 => {
            let next = feed_state::after_unchanged(&setup.config.polling, feed, row, &response, now, &run);
            let next_at = next.next_poll_at;
            setup.store.write(move |tx| tx.record_feed(&next)).await?;
            Ok(Report { ended: Ended::Unchanged, next_at, hold: None })
        }
        Ok(mut response) => {
            let body = std::mem::take(&mut response.body);
            match harvest(setup, &desk, &row, &response, body).await {
                Err(failure) => commit_failure(setup, desk, row, failure).await,
                Ok(harvest) => {
                    setup.store.write(move |tx| commit(tx, &desk, row, &response, harvest, &run)).await
                }
            }
        }
    }
}

async fn commit_failure(
    setup: &Setup,
    desk: Desk,
    row: FeedRow,
    failure: Failure,
) -> Result<Report, StoreError> {
    let polling = &setup.config.polling;
    let (next, hold) = feed_state::after_failure(polling, &desk.feed, row, &failure, desk.now);
    let report = Report {
        ended: Ended::Failed { what: failure.what.clone(), in_a_row: next.failures },
        next_at: next.next_poll_at,
        hold: hold.clone(),
    };
    setup
        .store
        .write(move |tx| {
            if let Some((domain, until)) = &hold {
                tx.hold(domain, *until, &failure.what)?;
            }
            tx.record_feed(&next)
        })
        .await?;
    Ok(report)
}

/// Reads a document off the runtime's threads. A panic in a parser is a failed feed.
async fn harvest(
    setup: &Setup,
    desk: &Desk,
    row: &FeedRow,
    response: &Response,
    body: Vec<u8>,
) -> Result<Harvest, Failure> {
    let (store, rules) = (setup.store.clone(), Arc::clone(&desk.rules));
    let (content_type, base) = (response.content_type.clone(), response.final_url.clone());
    let (feed, feed_id, first_poll) = (desk.feed.clone(), row.id, row.first_ok_at.is_none());
    let zone = feed.time_zone.clone();
    let work = setup.parsers.run(move || {
        let context = Context {
            content_type: content_type.as_deref(),
            base: Some(&base),
            zone,
            lang: feed.language.as_deref(),
        };
        let mut document = parse::read(&body, &context).map_err(|why| unreadable(why.to_string()))?;
        drop(body);
        let entries = std::mem::take(&mut document.entries);
        let all = candidates(feed_id, entries);
        let finds = judge(&store, &rules, &feed, &document, (feed_id, first_poll), all);
        Ok(Harvest { document, finds })
    });
    let panicked = || Err(unreadable("the document made the parser fail; it was skipped".to_owned()));
    work.await.unwrap_or_else(panicked)
}

fn unreadable(what: String) -> Failure {
    Failure { kind: FailureKind::Body, what, status: Some(200), retry_after: None }
}

/// Asks the rules about the entries that are not known as they stand.
fn judge(
    store: &crate::store::Store,
    rules: &RuleSet,
    feed: &config::Feed,
    document: &Document,
    (feed_id, first_poll): (i64, bool),
    all: Vec<Candidate>,
) -> Vec<Find> {
    // Should the look-up fail, all are judged: more work, the same result. At the
    // first poll nothing can be known.
    let look_up = |tx: Tx<'_>| {
        let known = |one: &Candidate| {
            Ok(tx.sighting(feed_id, one.key)?.is_some_and(|(_, text)| text == one.text_hash))
        };
        all.iter().map(known).collect::<Result<Vec<_>, StoreError>>()
    };
    let known = if first_poll { Vec::new() } else { store.read(look_up).unwrap_or_default() };
    all.into_iter()
        .enumerate()
        .map(|(place, one)| {
            let known = known.get(place).copied().unwrap_or(false);
            let matches = (!known).then(|| evaluate(rules, feed, document, &one.entry));
            Find { one, matches }
        })
        .collect()
}

fn evaluate(rules: &RuleSet, feed: &config::Feed, document: &Document, entry: &Entry) -> Vec<Match> {
    fn text(text: &Option<String>) -> &str {
        text.as_deref().unwrap_or_default()
    }
    rules.evaluate(&Article {
        title: text(&entry.title),
        summary: text(&entry.summary),
        body: text(&entry.content),
        url: text(&entry.link),
        source: outlet(feed, entry),
        lang: language(feed, document, entry).unwrap_or_default(),
    })
}

fn outlet<'e>(feed: &'e config::Feed, entry: &'e Entry) -> &'e str {
    entry.source.as_deref().unwrap_or(&feed.name)
}

fn language<'e>(feed: &'e config::Feed, document: &'e Document, entry: &'e Entry) -> Option<&'e str> {
    entry.lang.as_deref().or(feed.language.as_deref()).or(document.lang.as_deref())
}

/// Commits a document: what is new, what it means, and what follows from it.
fn commit(
    tx: Tx<'_>,
    desk: &Desk,
    row: FeedRow,
    response: &Response,
    harvest: Harvest,
    run: &crate::flow::Run,
) -> Result<Report, StoreError> {
    let Harvest { document, finds } = harvest;
    let first_poll = row.first_ok_at.is_none();
    let entries = finds.len();
    let mut newsroom = Newsroom { desk, document: &document, feed: &row, first_poll, matched: 0 };
    let mut fresh: Vec<(Candidate, i64, Vec<Match>)> = Vec::new();
    let mut known = 0_usize;
    for Find { one, matches } in finds {
        let (resolved, key) = resolve(tx, row.id, &one, desk.now)?;
        // Judged just now unless it was known as it stands; a reload in between may need it after all.
        let judged = |matches: Option<Vec<Match>>, one: &Candidate| {
            matches.unwrap_or_else(|| evaluate(&desk.rules, &desk.feed, &document, &one.entry))
        };
        match resolved {
            Resolved::Same(_) => known += 1,
            Resolved::Revised(article) => {
                known += 1;
                let matches = judged(matches, &one);
                newsroom.revise(tx, article, key, &one, &matches)?;
            }
            Resolved::Sighted(article) => {
                let matches = judged(matches, &one);
                newsroom.sight_again(tx, article, key, &one, &matches)?;
            }
            Resolved::New => {
                let matches = judged(matches, &one);
                fresh.push((one, key, matches));
            }
        }
    }
    let new = fresh.len();
    let published: Vec<Option<Timestamp>> = fresh.iter().map(|(one, ..)| one.entry.published).collect();
    let baseline = fresh.iter().filter(|(one, ..)| newsroom.disposition(&one.entry) == "baseline").count();
    newsroom.take_in(tx, fresh)?;
    let matched = newsroom.matched;
    let gap = !first_poll && known == 0 && row.entries >= BUSY && entries as u64 >= BUSY && new == entries;
    let read =
        feed_state::Reading { document: &document, entries, new, published: &published, baseline, gap };
    let next =
        feed_state::after_reading(&desk.config.polling, &desk.feed, row, response, &read, desk.now, run);
    tx.record_feed(&next)?;
    Ok(Report { ended: Ended::Read { entries, new, matched, gap }, next_at: next.next_poll_at, hold: None })
}

/// Files articles: the steps of [`commit`] that share what was looked up once.
struct Newsroom<'d> {
    desk: &'d Desk,
    document: &'d Document,
    feed: &'d FeedRow,
    first_poll: bool,
    matched: usize,
}

impl Newsroom<'_> {
    /// Records new articles: matched ones with their text, the others' texts compressed together.
    fn take_in(&mut self, tx: Tx<'_>, fresh: Vec<(Candidate, i64, Vec<Match>)>) -> Result<(), StoreError> {
        let mut archive: Vec<ArchivedText> = Vec::new();
        for (one, _, matches) in &fresh {
            if !matches.iter().any(Match::counts) {
                archive.push(self.archived(&one.entry));
            }
        }
        let batch = if archive.is_empty() {
            None
        } else {
            let packed = pack(&archive).map_err(|why| StoreError::NotCommitted(why.to_string()))?;
            Some(tx.record_batch(self.feed.id, self.desk.now, &packed)?)
        };
        let mut place = 0_usize;
        let mut keys: HashSet<i64> = HashSet::new();
        for (one, key, matches) in fresh {
            let flagged = matches.iter().any(Match::counts);
            // Two entries of one document may be one article (an address under two ids).
            let repeated =
                [one.link_key, one.title_key].into_iter().flatten().filter(|key| !keys.insert(*key)).count();
            if repeated > 0
                && let (Resolved::Sighted(article), key) = resolve(tx, self.feed.id, &one, self.desk.now)?
            {
                place += usize::from(!flagged);
                self.sight_again(tx, article, key, &one, &matches)?;
                continue;
            }
            let article = tx.record_article(&NewArticle {
                feed_id: self.feed.id,
                seen_at: self.desk.now,
                published_at: one.entry.published,
                text_hash: one.text_hash,
                path_hash: one.path_hash,
                batch: batch.filter(|_| !flagged).map(|batch| (batch, place)),
            })?;
            place += usize::from(!flagged);
            tx.record_sighting(self.feed.id, key, article, one.text_hash)?;
            self.record_keys(tx, article, &one)?;
            if flagged {
                self.flag(tx, article, &one, &matches)?;
            }
        }
        Ok(())
    }

    fn record_keys(&self, tx: Tx<'_>, article: i64, one: &Candidate) -> Result<(), StoreError> {
        for key in [one.link_key, one.title_key].into_iter().flatten() {
            tx.record_key(key, article)?;
        }
        Ok(())
    }

    /// A known article in another place: one outlet more, and another text for the rules.
    fn sight_again(
        &mut self,
        tx: Tx<'_>,
        article: i64,
        key: i64,
        one: &Candidate,
        matches: &[Match],
    ) -> Result<(), StoreError> {
        tx.record_sighting(self.feed.id, key, article, one.text_hash)?;
        if let Some(title) = one.title_key
            && tx.article_by_key(title)?.is_none()
        {
            tx.record_key(title, article)?;
        }
        if tx.match_of(article)?.is_some() {
            let outlet = outlet(&self.desk.feed, &one.entry);
            tx.record_appearance(article, self.feed.id, outlet, one.entry.link.as_deref(), self.desk.now)?;
        }
        if matches.iter().any(Match::counts) {
            self.flag(tx, article, one, matches)?;
        }
        Ok(())
    }

    /// A new wording: judged again; what is materially new about a flagged article is told once.
    fn revise(
        &mut self,
        tx: Tx<'_>,
        article: i64,
        key: i64,
        one: &Candidate,
        matches: &[Match],
    ) -> Result<(), StoreError> {
        tx.record_sighting(self.feed.id, key, article, one.text_hash)?;
        self.record_keys(tx, article, one)?;
        let flagged = matches.iter().any(Match::counts);
        let Some(old) = tx.text(article)? else {
            // It had matched nothing: its archived text is replaced by the new wording.
            if flagged {
                tx.revise_article(article, one.text_hash, None)?;
                return self.flag(tx, article, one, matches);
            }
            let packed = pack(&[self.archived(&one.entry)])
                .map_err(|why| StoreError::NotCommitted(why.to_string()))?;
            let batch = tx.record_batch(self.feed.id, self.desk.now, &packed)?;
            return tx.revise_article(article, one.text_hash, Some((batch, 0)));
        };
        let new = self.text(&one.entry);
        // Only the feed that brought an article speaks for its wording.
        if tx.article(article)?.is_none_or(|row| row.feed_id != self.feed.id) {
            return if flagged { self.flag(tx, article, one, matches) } else { Ok(()) };
        }
        let changed = self.material_change(&old, &new);
        tx.record_revision(article, self.desk.now, (&old.title, &old.summary), changed.as_deref())?;
        tx.revise_article(article, one.text_hash, None)?;
        tx.record_text(article, &new)?;
        if flagged {
            self.flag(tx, article, one, matches)?;
        }
        if let (Some(changed), Some(story)) = (changed, tx.story_of(article)?) {
            alerts::follow_up(tx, &self.desk.config, story, article, &changed, self.desk.now)?;
        }
        Ok(())
    }

    fn material_change(&self, old: &NewText, new: &NewText) -> Option<String> {
        let (before, after) = (lead(&old.summary, &old.body), lead(&new.summary, &new.body));
        let lang = new.lang.as_deref().unwrap_or_default();
        let (source, at) = (old.source.as_str(), self.desk.now);
        story::material_change(
            &story::Text { title: &old.title, summary: &before, source, lang, at },
            &story::Text { title: &new.title, summary: &after, source, lang, at },
        )
    }

    /// Records that the rules flag an article, attaches it to its story, and owes the alerts.
    fn flag(
        &mut self,
        tx: Tx<'_>,
        article: i64,
        one: &Candidate,
        matches: &[Match],
    ) -> Result<(), StoreError> {
        let counting: Vec<&Match> = matches.iter().filter(|one| one.counts()).collect();
        let top = (
            counting.iter().map(|one| one.level).max().unwrap_or(Level::Digest),
            counting.iter().map(|one| one.score).max().unwrap_or(0),
        );
        let now = self.desk.now;
        let disposition = self.disposition(&one.entry);
        let hash = self.desk.rules.hash();
        let new = tx.record_match(article, now, top, disposition, hash)?;
        tx.record_rules(article, now, matches)?;
        if new {
            self.matched += 1;
            let text = self.text(&one.entry);
            tx.revise_article(article, one.text_hash, None)?;
            tx.record_text(article, &text)?;
            tx.record_appearance(article, self.feed.id, &text.source, text.link.as_deref(), now)?;
            self.attach(tx, article, &text)?;
        }
        if disposition == "fresh"
            && let Some(story) = tx.story_of(article)?
        {
            alerts::owe(tx, &self.desk.config, story, article, matches, now)?;
        }
        Ok(())
    }

    /// Attaches a flagged article to the story it is a copy in, or opens one.
    fn attach(&mut self, tx: Tx<'_>, article: i64, text: &NewText) -> Result<(), StoreError> {
        let now = self.desk.now;
        let mut recent = self.desk.stories.open(tx, now)?;
        let summary = lead(&text.summary, &text.body);
        let print = story::print(&story::Text {
            title: &text.title,
            summary: &summary,
            source: &text.source,
            lang: text.lang.as_deref().unwrap_or_default(),
            at: now,
        });
        let json = serde_json::to_string(&print).unwrap_or_default();
        let (story, evidence) = match story::attach(&print, recent.groups()) {
            Some((story, verdict)) => (story, serde_json::to_string(&verdict.evidence).ok()),
            None => (tx.open_story(now)?, None),
        };
        tx.join_story(story, article, now, &json, evidence.as_deref())?;
        recent.join(tx, story, print)
    }

    /// Whether an article is news, late news, or what a new feed already carried.
    fn disposition(&self, entry: &Entry) -> &'static str {
        let old = entry.published.is_some_and(|at| self.desk.now.duration_since(at) > FRESH);
        match (self.first_poll, entry.published) {
            (true, None) => "baseline",
            (true, Some(_)) if old => "baseline",
            (false, Some(_)) if old => "late",
            _ => "fresh",
        }
    }

    fn text(&self, entry: &Entry) -> NewText {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let (title, summary) = (text(&entry.title), text(&entry.summary));
        NewText {
            wire: story::wire(&title, &lead(&summary, &text(&entry.content)), &entry.authors),
            title,
            summary,
            body: text(&entry.content),
            link: entry.link.clone(),
            source: outlet(&self.desk.feed, entry).to_owned(),
            authors: entry.authors.join(", "),
            lang: language(&self.desk.feed, self.document, entry).map(str::to_owned),
            claimed_date: entry.claimed_date.clone(),
            official: self.desk.feed.official,
        }
    }

    fn archived(&self, entry: &Entry) -> ArchivedText {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        ArchivedText {
            title: text(&entry.title),
            summary: text(&entry.summary),
            body: String::new(),
            link: text(&entry.link),
            source: entry.source.clone().unwrap_or_default(),
            lang: entry.lang.clone().unwrap_or_default(),
        }
    }
}

/// What stands for an article's text where only a summary is wanted.
fn lead(summary: &str, body: &str) -> String {
    if summary.is_empty() { body.chars().take(2000).collect() } else { summary.to_owned() }
}
