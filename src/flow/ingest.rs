//! One feed, once: fetch, read, match, group, commit.
//!
//! Everything a poll brings is committed in one transaction: articles, keys,
//! matches, stories, what is to be mailed, the validators and the next poll's
//! time. A crash before it repeats the fetch; after it nothing can be lost.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::config;
use crate::fetch::{Connection, Failure, FailureKind, Response};
use crate::flow::Setup;
use crate::flow::feed as feed_state;
use crate::flow::newsroom::{Desk, FRESH, Newsroom, language, outlet, text};
use crate::flow::register::Register;
use crate::flow::resolve::{Resolved, resolve};
use crate::news::entry::{Context, Document, Entry};
use crate::news::identity::{Candidate, candidates};
use crate::news::parse;
use crate::rules::outcome::{Article, Match};
use crate::rules::set::RuleSet;
use crate::store::{FeedRow, StoreError, Tx};

/// What could not be stored is fetched again this much later, and never later than usual.
pub const TROUBLE: SignedDuration = SignedDuration::from_mins(1);

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
    /// What came of an entry that the document was cut off in.
    cut_key: Option<i64>,
    /// Whether that much came of it before, so that it may never come whole.
    cut_again: bool,
    /// Whether it is the last find.
    cut_taken: bool,
}

/// An entry, and what the rules say of it where that may matter.
struct Find {
    one: Candidate,
    matches: Option<Vec<Match>>,
}

/// Polls a feed and commits what came of it.
pub async fn poll(
    setup: &Setup,
    feed: &config::Feed,
    row: FeedRow,
    connection: Connection,
) -> Result<Report, StoreError> {
    let request = feed_state::request(&setup.config.polling, feed, &row, setup.clock.now());
    let answer = setup.fetcher.get_on(&request, connection).await;
    let now = setup.clock.now();
    let desk = Desk {
        config: Arc::clone(&setup.config),
        rules: Arc::clone(&setup.rules),
        feed: feed.clone(),
        stories: Arc::clone(&setup.stories),
        now,
    };
    let run = setup.run.clone();
    let id = row.id;
    let polled = match answer {
        Err(failure) => commit_failure(setup, desk, row, failure).await,
        Ok(response) if response.status == 304 => {
            let next = feed_state::after_unchanged(&setup.config.polling, feed, row, &response, now, &run);
            let next_at = next.next_poll_at;
            setup.store.write_in_company(move |tx| tx.record_feed(&next)).await?;
            Ok(Report { ended: Ended::Unchanged, next_at, hold: None })
        }
        Ok(mut response) => {
            let body = std::mem::take(&mut response.body);
            match harvest(setup, &desk, &row, &response, body).await {
                Err(failure) => commit_failure(setup, desk, row, failure).await,
                Ok(harvest) => {
                    setup
                        .store
                        .write_in_company(move |tx| commit(tx, &desk, row, &response, harvest, &run))
                        .await
                }
            }
        }
    };
    match polled {
        Err(why) => commit_trouble(setup, feed, id, now, why).await,
        polled => polled,
    }
}

/// Counts a poll that could not be stored as the feed's failure, so that its silence has a reason.
///
/// In a transaction of its own: when that fails too, the database is ill, and whoever polls decides.
async fn commit_trouble(
    setup: &Setup,
    feed: &config::Feed,
    id: i64,
    now: Timestamp,
    why: StoreError,
) -> Result<Report, StoreError> {
    let what = format!("what was fetched could not be stored: {why}");
    let failure = Failure { kind: FailureKind::Body, what, status: None, retry_after: None };
    let (polling, feed) = (setup.config.polling.clone(), feed.clone());
    let counted = setup.store.write(move |tx| {
        let Some(row) = tx.feed(id)? else { return Ok(None) };
        let (mut next, hold) = feed_state::after_failure(&polling, &feed, row, &failure, now);
        next.failure_kind = Some("store".to_owned());
        if next.failures == 1 {
            // Most likely it is no fault of the document, and soon over.
            next.next_poll_at = next.next_poll_at.min(now.saturating_add(TROUBLE).unwrap_or(now));
        }
        tx.record_feed(&next)?;
        let ended = Ended::Failed { what: failure.what, in_a_row: next.failures };
        Ok(Some(Report { ended, next_at: next.next_poll_at, hold }))
    });
    match counted.await {
        Ok(Some(report)) => Ok(report),
        Ok(None) | Err(_) => Err(why),
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
        .write_in_company(move |tx| {
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
    let (feed, feed_id) = (desk.feed.clone(), row.id);
    let cut_before = row.cut_key;
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
        let mut entries = std::mem::take(&mut document.entries);
        let cut = document.cut_entry.take();
        let last = if document.last_is_cut { entries.last() } else { cut.as_ref() };
        let cut_key = last.and_then(|cut| Some(as_it_came(candidates(feed_id, vec![cut.clone()]).first()?)));
        let cut_again = cut_key.is_some() && cut_key == cut_before;
        let cut_taken = document.last_is_cut || cut_again;
        entries.extend(cut.filter(|_| cut_taken));
        let all = candidates(feed_id, entries);
        let finds = judge(&store, &rules, &feed, &document, feed_id, all);
        Ok(Harvest { document, finds, cut_key, cut_again, cut_taken })
    });
    let panicked = || Err(unreadable("the document made the parser fail; it was skipped".to_owned()));
    work.await.unwrap_or_else(panicked)
}

/// An entry as far as it came, in a number.
fn as_it_came(one: &Candidate) -> i64 {
    one.full_key.wrapping_add(one.text_hash)
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
    feed_id: i64,
    all: Vec<Candidate>,
) -> Vec<Find> {
    let look_up = |tx: Tx<'_>| {
        if !tx.has_sightings(feed_id)? {
            return Ok(None);
        }
        let keys: Vec<i64> = all.iter().map(|one| one.key).collect();
        let seen = tx.sightings(feed_id, &keys)?;
        Ok(Some(seen.into_iter().map(|one| (one.key, one.text_hash)).collect::<HashMap<_, _>>()))
    };
    // Should the look-up fail, all are judged: more work, the same result.
    let seen = store.read(look_up).unwrap_or_else(|_| Some(HashMap::new()));
    all.into_iter()
        .map(|mut one| {
            let known = seen.as_ref().is_some_and(|seen| seen.get(&one.key) == Some(&one.text_hash));
            let matches = (!known).then(|| evaluate(rules, feed, document, &one.entry));
            // Nothing of a new feed is revised, so only what is flagged will need its full text.
            if seen.is_none() && !matches.iter().flatten().any(Match::counts) {
                one.entry.content = None;
            }
            Find { one, matches }
        })
        .collect()
}

fn evaluate(rules: &RuleSet, feed: &config::Feed, document: &Document, entry: &Entry) -> Vec<Match> {
    rules.evaluate(&Article {
        title: text(&entry.title),
        summary: text(&entry.summary),
        body: text(&entry.content),
        url: text(&entry.link),
        source: outlet(feed, entry),
        lang: language(feed, document, entry).unwrap_or_default(),
    })
}

/// Whether a document in which nothing is known shows what was there before its feed was watched.
fn may_be_first(row: &FeedRow, entries: usize, now: Timestamp) -> bool {
    let Some(answered) = row.first_ok_at else { return true };
    // A server in trouble answers with an empty document at first, and a day later with what it always had. A feed
    // that only ever has what is news, such as a search, fills up from nothing too, but not many at once.
    let nothing_yet = row.entries == 0 && row.last_new_at.is_none_or(|new| new < answered);
    nothing_yet && entries as u64 >= BUSY && now.duration_since(answered).abs() <= FRESH
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
    let Harvest { document, finds, cut_key, cut_again, cut_taken } = harvest;
    let entries = finds.len();
    let register = Register::open(tx, row.id, finds.iter().map(|find| &find.one))?;
    let first_poll =
        may_be_first(&row, entries, desk.now) && !finds.iter().any(|find| register.has_shown(&find.one));
    let mut newsroom =
        Newsroom { desk, document: &document, feed: &row, first_poll, register, revised: None, matched: 0 };
    let mut fresh: Vec<(Candidate, i64, Vec<Match>)> = Vec::new();
    let mut known = 0_usize;
    for (place, Find { one, matches }) in finds.into_iter().enumerate() {
        let cut = cut_taken && place + 1 == entries;
        let (resolved, key) = resolve(&newsroom.register, row.id, &one, desk.now)?;
        // Judged just now unless it was known as it stands; a reload in between may need it after all.
        let judged = |matches: Option<Vec<Match>>, one: &Candidate| {
            matches.unwrap_or_else(|| evaluate(&desk.rules, &desk.feed, &document, &one.entry))
        };
        match resolved {
            Resolved::Same(_) => known += 1,
            // Half a text is no new wording, unless there never is more of it.
            Resolved::Revised(_) if cut && !cut_again => known += 1,
            Resolved::Revised(article) => {
                known += 1;
                let matches = judged(matches, &one);
                newsroom.revise(tx, article, key, one, &matches)?;
            }
            Resolved::Sighted(article) => {
                let matches = judged(matches, &one);
                newsroom.sight_again(tx, article, key, &one, &matches)?;
            }
            // Under this headline it was here before, and whole.
            Resolved::New if cut && !document.last_is_cut && newsroom.register.knows(one.title_key) => {
                known += 1
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
    newsroom.register.close()?;
    let gap = !first_poll && known == 0 && row.entries >= BUSY && entries as u64 >= BUSY && new == entries;
    let read = feed_state::Reading {
        document: &document,
        entries,
        new,
        published: &published,
        baseline,
        gap,
        cut_key,
    };
    let next =
        feed_state::after_reading(&desk.config.polling, &desk.feed, row, response, &read, desk.now, run);
    tx.record_feed(&next)?;
    Ok(Report { ended: Ended::Read { entries, new, matched, gap }, next_at: next.next_poll_at, hold: None })
}
