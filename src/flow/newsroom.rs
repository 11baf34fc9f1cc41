//! The newsroom: files what a document brought, flags what the rules say, groups it into stories.
//!
//! All of it runs inside the poll's transaction.

use std::sync::Arc;

use jiff::SignedDuration;
use jiff::Timestamp;

use crate::config;
use crate::flow::alerts;
use crate::flow::recent::RecentStories;
use crate::flow::register::Register;
use crate::flow::resolve::{Resolved, resolve};
use crate::news::entry::{Document, Entry};
use crate::news::identity::Candidate;
use crate::news::story;
use crate::rules::outcome::{Level, Match};
use crate::rules::set::RuleSet;
use crate::store::{ArchivedText, ArticleRow, FeedRow, NewText, StoreError, Tx, pack};

/// An article older than this when first seen is not news to be alerted.
pub(super) const FRESH: SignedDuration = SignedDuration::from_hours(24);

/// What of the setup a commit needs, in a thread of its own.
pub(super) struct Desk {
    pub(super) config: Arc<config::Config>,
    pub(super) rules: Arc<RuleSet>,
    pub(super) feed: config::Feed,
    pub(super) stories: Arc<RecentStories>,
    pub(super) now: Timestamp,
}

/// Files articles: the steps of a commit that share what was looked up once.
pub(super) struct Newsroom<'d> {
    pub(super) desk: &'d Desk,
    pub(super) document: &'d Document,
    pub(super) feed: &'d FeedRow,
    /// Whether the document shows what was there before the feed was watched.
    pub(super) first_poll: bool,
    pub(super) register: Register<'d>,
    /// The archive's new batch, once an entry has a place in it, and the entries that do.
    pub(super) revised: Option<(i64, Vec<Entry>)>,
    /// Articles flagged for the first time.
    pub(super) matched: usize,
}

impl Newsroom<'_> {
    /// Records new articles: matched ones with their text, the others' texts compressed together with those of
    /// revised ones.
    pub(super) fn take_in(
        &mut self,
        tx: Tx<'_>,
        mut fresh: Vec<(Candidate, i64, Vec<Match>)>,
    ) -> Result<(), StoreError> {
        let unmatched = fresh.iter().filter(|(.., matches)| !matches.iter().any(Match::counts));
        let (mut begun, revised) = self.revised.take().unzip();
        let revised = revised.unwrap_or_default();
        let archive: Vec<_> =
            revised.iter().chain(unmatched.map(|(one, ..)| &one.entry)).map(archived).collect();
        let batch = if archive.is_empty() {
            None
        } else {
            let packed = pack(&archive).map_err(|why| StoreError::NotCommitted(why.to_string()))?;
            match begun {
                Some(begun) => tx.fill_batch(begun, &packed)?,
                None => begun = Some(tx.record_batch(self.feed.id, self.desk.now, &packed)?),
            }
            begun
        };
        let mut place = revised.len();
        let mut filed: Vec<(i64, bool)> = Vec::with_capacity(fresh.len());
        for (one, key, matches) in &mut fresh {
            let archived = (!matches.iter().any(Match::counts)).then_some(place);
            place += usize::from(archived.is_some());
            // Two entries of one document may be one article (an address under two ids).
            if self.repeats(one)
                && let (Resolved::Sighted(article), again) =
                    resolve(&self.register, self.feed.id, one, self.desk.now)?
            {
                *key = again;
                filed.push((article, true));
                continue;
            }
            let article = self.register.add(|id| ArticleRow {
                id,
                feed_id: self.feed.id,
                seen_at: self.desk.now,
                published_at: one.entry.published,
                text_hash: one.text_hash,
                path_hash: one.path_hash,
                batch: batch.zip(archived),
            });
            self.register.sight(*key, article, one.text_hash);
            self.know(article, one);
            filed.push((article, false));
        }
        self.register.record_articles()?;
        for ((article, again), (one, key, matches)) in filed.into_iter().zip(fresh) {
            if again {
                self.sight_again(tx, article, key, &one, &matches)?;
            } else if matches.iter().any(Match::counts) {
                self.flag(tx, article, &one, &matches)?;
            }
        }
        Ok(())
    }

    /// Whether an entry has a key of an article that is new in this very document.
    fn repeats(&self, one: &Candidate) -> bool {
        let stands_for = |key| self.register.article_by_key(key);
        [one.link_key, one.title_key]
            .into_iter()
            .flatten()
            .filter_map(stands_for)
            .any(|article| self.register.is_new(article))
    }

    fn know(&mut self, article: i64, one: &Candidate) {
        for key in [one.link_key, one.title_key].into_iter().flatten() {
            self.register.know(key, article);
        }
    }

    /// A known article in another place: one outlet more, and another text for the rules.
    pub(super) fn sight_again(
        &mut self,
        tx: Tx<'_>,
        article: i64,
        key: i64,
        one: &Candidate,
        matches: &[Match],
    ) -> Result<(), StoreError> {
        self.register.sight(key, article, one.text_hash);
        if let Some(title) = one.title_key
            && self.register.article_by_key(title).is_none()
        {
            self.register.know(title, article);
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
    pub(super) fn revise(
        &mut self,
        tx: Tx<'_>,
        article: i64,
        key: i64,
        one: Candidate,
        matches: &[Match],
    ) -> Result<(), StoreError> {
        self.register.sight(key, article, one.text_hash);
        self.know(article, &one);
        let flagged = matches.iter().any(Match::counts);
        let Some(old) = tx.text(article)? else {
            // It had matched nothing: its archived text is replaced by the new wording.
            if flagged {
                tx.revise_article(article, one.text_hash, None)?;
                return self.flag(tx, article, &one, matches);
            }
            return self.archive_revised(tx, article, one);
        };
        let new = self.text(&one.entry);
        // Only the feed whose text is kept speaks for the wording: another's may be a bare headline.
        if old.feed_id != Some(self.feed.id) {
            return if flagged { self.flag(tx, article, &one, matches) } else { Ok(()) };
        }
        let changed = self.material_change(&old, &new);
        tx.record_revision(article, self.desk.now, (&old.title, &old.summary), changed.as_deref())?;
        tx.revise_article(article, one.text_hash, None)?;
        tx.record_text(article, &new)?;
        if flagged {
            self.flag(tx, article, &one, matches)?;
        }
        if let (Some(changed), Some(story)) = (changed, tx.story_of(article)?) {
            alerts::follow_up(tx, &self.desk.config, story, article, &changed, self.desk.now)?;
        }
        Ok(())
    }

    /// Gives an article's new wording a place in the batch of this poll: one for all, not one each.
    fn archive_revised(&mut self, tx: Tx<'_>, article: i64, one: Candidate) -> Result<(), StoreError> {
        let (batch, entries) = match &mut self.revised {
            Some(revised) => revised,
            none => none.insert((tx.record_batch(self.feed.id, self.desk.now, &[])?, Vec::new())),
        };
        tx.revise_article(article, one.text_hash, Some((*batch, entries.len())))?;
        entries.push(Entry { content: None, ..one.entry });
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
        let (story, evidence) = match recent.find(tx, &print)? {
            Some((story, verdict)) => (story, serde_json::to_string(&verdict.evidence).ok()),
            None => (tx.open_story(now)?, None),
        };
        tx.join_story(story, article, now, &json, evidence.as_deref())?;
        recent.join(tx, story, print)
    }

    /// Whether an article is news, late news, or what a new feed already carried.
    pub(super) fn disposition(&self, entry: &Entry) -> &'static str {
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
            feed_id: Some(self.feed.id),
        }
    }
}

/// What an entry has, or nothing.
pub(super) fn text(text: &Option<String>) -> &str {
    text.as_deref().unwrap_or_default()
}

fn archived(entry: &Entry) -> ArchivedText<&str> {
    ArchivedText {
        title: text(&entry.title),
        summary: text(&entry.summary),
        body: "",
        link: text(&entry.link),
        source: text(&entry.source),
        lang: text(&entry.lang),
    }
}

/// What stands for an article's text where only a summary is wanted.
fn lead(summary: &str, body: &str) -> String {
    if summary.is_empty() { body.chars().take(2000).collect() } else { summary.to_owned() }
}

pub(super) fn outlet<'e>(feed: &'e config::Feed, entry: &'e Entry) -> &'e str {
    entry.source.as_deref().unwrap_or(&feed.name)
}

pub(super) fn language<'e>(
    feed: &'e config::Feed,
    document: &'e Document,
    entry: &'e Entry,
) -> Option<&'e str> {
    entry.lang.as_deref().or(feed.language.as_deref()).or(document.lang.as_deref())
}
