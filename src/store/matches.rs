//! Matches: what the rules flagged, with the evidence.

use jiff::Timestamp;
use rusqlite::{OptionalExtension, Row, named_params, params};

use crate::rules::outcome::{Level, Match};
use crate::store::Doing;
use crate::store::StoreError;
use crate::store::SubscriptionRow;
use crate::store::Tx;
use crate::store::at;
use crate::store::ms;
use crate::store::text;
use crate::store::text_if_any;

/// A match as lists show it.
#[derive(Debug, Clone)]
pub struct MatchRow {
    /// The article, and the number a person uses.
    pub article_id: i64,
    /// Commit order of the last change that a digest may have to tell.
    pub seq: i64,
    /// When it matched.
    pub at: Timestamp,
    /// The highest level among its rules.
    pub level: Level,
    /// The highest score among its rules.
    pub score: i64,
    /// `fresh`, `late` or `baseline`.
    pub disposition: String,
    /// Headline.
    pub title: String,
    /// Outlet.
    pub source: String,
    /// Address.
    pub link: Option<String>,
    /// Language tag.
    pub lang: Option<String>,
    /// As the feed claims.
    pub published_at: Option<Timestamp>,
    /// First sight.
    pub seen_at: Timestamp,
    /// The story it belongs to.
    pub story_id: Option<i64>,
}

/// One rule of a match.
#[derive(Debug, Clone)]
pub struct RuleRow {
    /// The evidence as it was recorded.
    pub matched: Match,
    /// Whether it counted: not vetoed, level alert or digest.
    pub counts: bool,
}

pub(super) const LIST: &str = "
    SELECT m.article_id, m.seq, m.at, m.level, m.score, m.disposition, t.title, t.source, t.link, t.lang,
           a.published_at, a.seen_at, s.story_id
    FROM match m
    JOIN article a ON a.id = m.article_id
    JOIN article_text t ON t.article_id = m.article_id
    LEFT JOIN story_member s ON s.article_id = m.article_id";

fn level(name: &str) -> Level {
    match name {
        "alert" => Level::Alert,
        "digest" => Level::Digest,
        _ => Level::Log,
    }
}

pub(super) fn matched(row: &Row<'_>) -> rusqlite::Result<MatchRow> {
    Ok(MatchRow {
        article_id: row.get(0)?,
        seq: row.get(1)?,
        at: at(row.get(2)?),
        level: level(&text(row, 3)?),
        score: row.get(4)?,
        disposition: text(row, 5)?,
        title: text(row, 6)?,
        source: text(row, 7)?,
        link: text_if_any(row, 8)?,
        lang: text_if_any(row, 9)?,
        published_at: row.get::<_, Option<i64>>(10)?.map(at),
        seen_at: at(row.get(11)?),
        story_id: row.get(12)?,
    })
}

impl Tx<'_> {
    /// Records that an article matched, and returns whether it had not before.
    ///
    /// Level and score only rise: what was flagged stays flagged as highly.
    pub fn record_match(
        &self,
        article_id: i64,
        now: Timestamp,
        top: (Level, i64),
        disposition: &str,
        rule_set: &str,
    ) -> Result<bool, StoreError> {
        const SQL: &str = "
            INSERT INTO match (article_id, at, level, score, disposition, rule_set)
            VALUES (:article, :at, :level, :score, :disposition, :rule_set) ON CONFLICT (article_id) DO NOTHING";
        const RAISE: &str = "
            UPDATE match SET score = max(score, :score), rule_set = :rule_set,
                   level = CASE WHEN :level = 'alert' THEN 'alert' ELSE level END
            WHERE article_id = :article";
        let (level, score) = (top.0.name(), top.1);
        let new = self
            .prepared(SQL)?
            .execute(named_params! {
                ":article": article_id, ":at": ms(now), ":level": level, ":score": score,
                ":disposition": disposition, ":rule_set": rule_set,
            })
            .doing("record a match")?
            == 1;
        if !new {
            self.prepared(RAISE)?
                .execute(named_params! { ":article": article_id, ":level": level, ":score": score, ":rule_set": rule_set })
                .doing("raise a match")?;
        }
        Ok(new)
    }

    /// Records the rules that fired, replacing what the same rules said of an earlier wording.
    ///
    /// When one counts that did not before, the match is as good as new: digests that passed over it choose again.
    pub fn record_rules(&self, article_id: i64, now: Timestamp, rules: &[Match]) -> Result<(), StoreError> {
        const SQL: &str = "
            INSERT INTO match_rule (article_id, rule_id, topic, level, score, counts, at, evidence)
            VALUES (:article, :rule, :topic, :level, :score, :counts, :at, :evidence)
            ON CONFLICT (article_id, rule_id) DO UPDATE SET topic = :topic, level = :level, score = :score,
                counts = :counts, evidence = :evidence";
        const COUNTED: &str = "
            SELECT 1 FROM match_rule WHERE article_id = ?1 AND rule_id = ?2 AND topic = ?3 AND counts";
        const RENEW: &str = "
            UPDATE match SET seq = (SELECT max(seq) + 1 FROM match)
            WHERE article_id = ?1 AND seq <= (SELECT max(from_seq) FROM subscription)";
        let mut gained = false;
        for rule in rules {
            gained |= rule.counts()
                && !self
                    .prepared(COUNTED)?
                    .exists(params![article_id, rule.id, rule.topic])
                    .doing("look up the rules of a match")?;
            let evidence = serde_json::to_string(rule).unwrap_or_default();
            self.prepared(SQL)?
                .execute(named_params! {
                    ":article": article_id, ":rule": rule.id, ":topic": rule.topic, ":level": rule.level.name(),
                    ":score": rule.score, ":counts": rule.counts(), ":at": ms(now), ":evidence": evidence,
                })
                .doing("record the rules of a match")?;
        }
        if gained {
            self.prepared(RENEW)?.execute(params![article_id]).doing("record the rules of a match")?;
        }
        Ok(())
    }

    /// Returns the rules that fired on an article, the best first.
    pub fn rules_of(&self, article_id: i64) -> Result<Vec<RuleRow>, StoreError> {
        const SQL: &str = "
            SELECT evidence, counts FROM match_rule WHERE article_id = :id ORDER BY counts DESC, score DESC, rule_id";
        let mut sql = self.prepared(SQL)?;
        let rows = sql
            .query_map(named_params! { ":id": article_id }, |row| Ok((text(row, 0)?, row.get(1)?)))
            .doing("list the rules of a match")?;
        let mut found = Vec::new();
        for row in rows {
            let (evidence, counts) = row.doing("list the rules of a match")?;
            // Evidence from an older program that no longer reads is dropped, not fatal.
            if let Ok(matched) = serde_json::from_str(&evidence) {
                found.push(RuleRow { matched, counts });
            }
        }
        Ok(found)
    }

    /// Returns one match.
    pub fn match_of(&self, article_id: i64) -> Result<Option<MatchRow>, StoreError> {
        self.prepared(&format!("{LIST} WHERE m.article_id = :id"))?
            .query_row(named_params! { ":id": article_id }, matched)
            .optional()
            .doing("find a match")
    }

    /// Returns matches, the newest first, of a topic or rule where one is named.
    pub fn matches(
        &self,
        since: Option<Timestamp>,
        wanted: Option<&str>,
        limit: u32,
    ) -> Result<Vec<MatchRow>, StoreError> {
        let sql = format!(
            "{LIST} WHERE m.at >= :since AND (:wanted IS NULL OR EXISTS (
                SELECT 1 FROM match_rule r WHERE r.article_id = m.article_id AND r.counts
                AND (r.topic = :wanted OR r.rule_id = :wanted)))
             ORDER BY m.seq DESC LIMIT :limit"
        );
        let mut sql = self.prepared(&sql)?;
        let rows = sql
            .query_map(
                named_params! { ":since": since.map_or(i64::MIN, ms), ":wanted": wanted, ":limit": limit },
                matched,
            )
            .doing("list the matches")?;
        rows.collect::<Result<_, _>>().doing("list the matches")
    }

    /// Returns the matches a subscription's next digest chooses from, oldest first: not baseline, not in one before.
    ///
    /// All that came after its digests' newest match are, and of older ones those of after `since`: the rest was chosen
    /// from already, and whoever wants more topics from now on is not told of years.
    pub fn undigested(
        &self,
        subscription: &SubscriptionRow,
        since: Timestamp,
    ) -> Result<Vec<MatchRow>, StoreError> {
        let sql = format!(
            "{LIST} WHERE m.article_id IN (
                   SELECT article_id FROM match WHERE seq > :from UNION SELECT article_id FROM match WHERE at >= :since)
               AND m.disposition <> 'baseline'
               AND NOT EXISTS (SELECT 1 FROM digest_item d
                               WHERE d.subscription = :name AND d.article_id = m.article_id)
             ORDER BY m.seq"
        );
        let mut sql = self.prepared(&sql)?;
        let rows = sql
            .query_map(
                named_params! {
                    ":name": subscription.name, ":from": subscription.from_seq, ":since": ms(since),
                },
                matched,
            )
            .doing("choose for a digest")?;
        rows.collect::<Result<_, _>>().doing("choose for a digest")
    }

    /// Returns how many baseline matches each feed took in since `since`.
    pub fn baseline_matches(&self, since: Timestamp) -> Result<Vec<(String, u64)>, StoreError> {
        const SQL: &str = "
            SELECT f.name, count(*) FROM match m JOIN article a ON a.id = m.article_id JOIN feed f ON f.id = a.feed_id
            WHERE m.disposition = 'baseline' AND m.at >= :since GROUP BY f.id ORDER BY f.name";
        let mut sql = self.prepared(SQL)?;
        let rows = sql
            .query_map(named_params! { ":since": ms(since) }, |row| {
                Ok((text(row, 0)?, row.get::<_, i64>(1)?.unsigned_abs()))
            })
            .doing("count the baseline")?;
        rows.collect::<Result<_, _>>().doing("count the baseline")
    }

    /// Returns matches by rule since `since`.
    pub fn hits_by_rule(&self, since: Timestamp) -> Result<Vec<(String, u64)>, StoreError> {
        const SQL: &str = "
            SELECT rule_id, count(*) FROM match_rule WHERE at >= :since AND counts GROUP BY rule_id ORDER BY rule_id";
        let mut sql = self.prepared(SQL)?;
        let rows = sql
            .query_map(named_params! { ":since": ms(since) }, |row| {
                Ok((text(row, 0)?, row.get::<_, i64>(1)?.unsigned_abs()))
            })
            .doing("count hits by rule")?;
        rows.collect::<Result<_, _>>().doing("count hits by rule")
    }
}
