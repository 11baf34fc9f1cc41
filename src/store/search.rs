//! The search over matched articles, and its index, which is only ever a copy of the texts.
//!
//! So a damaged index may cost nothing else: no commit depends on it, the search
//! reads the texts themselves meanwhile, and the writer makes it new in slices.

use rusqlite::{ErrorCode, ToSql, named_params, params};

use crate::store::Doing;
use crate::store::MatchRow;
use crate::store::StoreError;
use crate::store::Tx;
use crate::store::matches::{LIST, matched};

/// The articles whose texts the index does not know yet, each with the wording it knows instead, if any:
/// a connection's own, empty between transactions.
pub(super) const UNINDEXED: &str =
    "CREATE TEMP TABLE unindexed (article_id INTEGER PRIMARY KEY, title TEXT, summary TEXT, body TEXT)";

/// The fact that the index is incomplete: `damaged`, or the last article that a rebuilt one has.
const INCOMPLETE: &str = "search.incomplete";
const DAMAGED: &str = "damaged";
/// Texts that one step of a rebuild indexes: other work waits for no more than these.
const SLICE: u32 = 200;

/// Which matched articles the index has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Searchable {
    /// All.
    All,
    /// Those up to this one, while it is made new.
    UpTo(i64),
}

impl Tx<'_> {
    /// Returns which articles the index has.
    pub fn searchable(&self) -> Result<Searchable, StoreError> {
        Ok(match self.fact(INCOMPLETE)? {
            None => Searchable::All,
            Some(last) => Searchable::UpTo(last.parse().unwrap_or(0)),
        })
    }

    /// Notes that the wording of an article is about to change, before it does.
    pub(super) fn index_later(&self, article_id: i64) -> Result<(), StoreError> {
        const LATER: &str = "
            INSERT INTO unindexed (article_id, title, summary, body)
            SELECT :id, t.title, t.summary, t.body FROM (SELECT 1) LEFT JOIN article_text t ON t.article_id = :id
            WHERE true ON CONFLICT DO NOTHING";
        // A rebuild comes to the others by itself.
        if let Searchable::UpTo(last) = self.searchable()?
            && article_id > last
        {
            return Ok(());
        }
        self.prepared(LATER)?
            .execute(named_params! { ":id": article_id })
            .doing("note a text to be indexed")?;
        Ok(())
    }

    /// Lets the search find the texts recorded in this transaction; its last step.
    ///
    /// One by one they would cost far more: the index writes out what it holds at
    /// every savepoint. An index that is damaged is left alone from then on, and the
    /// transaction stands without it; returns whether that has just happened.
    pub(super) fn index_texts(&self) -> Result<bool, StoreError> {
        let doing = "index the texts of articles";
        if !self.prepared("SELECT 1 FROM unindexed LIMIT 1")?.exists([]).doing(doing)? {
            return Ok(false);
        }
        self.db.execute_batch("SAVEPOINT search").doing(doing)?;
        let done = self.index();
        let lost = match done {
            Err(why) if is_damage(&why) && !self.db.is_autocommit() => {
                self.db.execute_batch("ROLLBACK TO search").doing(doing)?;
                self.note_damage(&why)?;
                true
            }
            done => {
                done?;
                false
            }
        };
        self.db.execute_batch("RELEASE search; DELETE FROM unindexed").doing(doing)?;
        Ok(lost)
    }

    fn index(&self) -> Result<(), StoreError> {
        const FORGET: &str = "
            INSERT INTO article_fts (article_fts, rowid, title, summary, body)
            SELECT 'delete', article_id, title, summary, body FROM unindexed WHERE title IS NOT NULL";
        const INDEX: &str = "
            INSERT INTO article_fts (rowid, title, summary, body)
            SELECT article_id, title, summary, body FROM article_text WHERE article_id IN (SELECT article_id FROM unindexed)";
        let doing = "index the texts of articles";
        self.prepared(FORGET)?.execute([]).doing(doing)?;
        self.prepared(INDEX)?.execute([]).doing(doing)?;
        self.write_out()
    }

    /// Makes the index write what it holds back: else it would fail at the commit, and the commit with it.
    fn write_out(&self) -> Result<(), StoreError> {
        self.db.execute_batch("SAVEPOINT written; RELEASE written").doing("write the search index")
    }

    /// Keeps in mind that the index is damaged; it is made new.
    pub(super) fn note_damage(&self, why: &dyn std::fmt::Display) -> Result<(), StoreError> {
        tracing::error!("the search index is damaged ({why}); nothing else is, and it is made new");
        self.set_fact(INCOMPLETE, Some(DAMAGED))
    }

    /// Makes an incomplete index new, a slice at a time; returns whether more is to be done.
    pub(super) fn rebuild_index(&self) -> Result<bool, StoreError> {
        const NEXT: &str = "
            SELECT max(article_id) FROM (
                SELECT article_id FROM article_text WHERE article_id > :last ORDER BY article_id LIMIT :slice)";
        const INDEX: &str = "
            INSERT INTO article_fts (rowid, title, summary, body)
            SELECT article_id, title, summary, body FROM article_text WHERE article_id > ?1 AND article_id <= ?2";
        let doing = "make the search index new";
        let Some(state) = self.fact(INCOMPLETE)? else { return Ok(false) };
        let last = state.parse::<i64>().unwrap_or(0);
        if state == DAMAGED {
            self.db
                .execute_batch("INSERT INTO article_fts (article_fts) VALUES ('delete-all')")
                .doing(doing)?;
        }
        let next: Option<i64> = self
            .prepared(NEXT)?
            .query_row(named_params! { ":last": last, ":slice": SLICE }, |row| row.get(0))
            .doing(doing)?;
        let Some(next) = next else {
            tracing::info!("the search index is whole again");
            self.set_fact(INCOMPLETE, None)?;
            return Ok(false);
        };
        self.prepared(INDEX)?.execute(params![last, next]).doing(doing)?;
        self.set_fact(INCOMPLETE, Some(&next.to_string()))?;
        Ok(true)
    }

    /// Searches matched articles: every word must stand somewhere in title, summary or body.
    ///
    /// Words of three characters and more use the trigram index; shorter ones,
    /// common in Korean and Japanese, are looked for in the rows the others leave.
    /// While the index is incomplete or cannot be read, all are looked for in the texts.
    pub fn search(&self, words: &[&str], limit: u32) -> Result<Vec<MatchRow>, StoreError> {
        if self.searchable()? == Searchable::All {
            match self.look_up(words, limit, 3) {
                Err(why) if is_damage(&why) => {}
                done => return done,
            }
        }
        self.look_up(words, limit, usize::MAX)
    }

    /// Searches by the index for words of at least so many characters, for others in the texts.
    fn look_up(&self, words: &[&str], limit: u32, indexed: usize) -> Result<Vec<MatchRow>, StoreError> {
        let (long, short): (Vec<&str>, Vec<&str>) =
            words.iter().partition(|word| word.chars().count() >= indexed);
        let mut sql = LIST.to_owned();
        let mut values: Vec<String> = Vec::new();
        let mut conditions: Vec<String> = Vec::new();
        if !long.is_empty() {
            values.push(
                long.iter()
                    .map(|word| format!("\"{}\"", word.replace('"', "\"\"")))
                    .collect::<Vec<_>>()
                    .join(" AND "),
            );
            conditions.push(
                "m.article_id IN (SELECT rowid FROM article_fts WHERE article_fts MATCH ?1)".to_owned(),
            );
        }
        for word in short {
            values.push(format!("%{}%", word.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_")));
            let n = values.len();
            conditions.push(format!(
                "(t.title LIKE ?{n} ESCAPE '\\' OR t.summary LIKE ?{n} ESCAPE '\\' OR t.body LIKE ?{n} ESCAPE '\\')"
            ));
        }
        if conditions.is_empty() {
            return Ok(Vec::new());
        }
        sql.push_str(&format!(" WHERE {} ORDER BY m.seq DESC LIMIT {limit}", conditions.join(" AND ")));
        let mut sql = self.db.prepare(&sql).doing("prepare a search")?;
        let values: Vec<&dyn ToSql> = values.iter().map(|value| value as &dyn ToSql).collect();
        let rows = sql.query_map(values.as_slice(), matched).doing("search")?;
        rows.collect::<Result<_, _>>().doing("search")
    }
}

/// Whether an error of the index speaks of the index: the disk, memory and locks are everybody's.
fn is_damage(why: &StoreError) -> bool {
    use ErrorCode::{
        CannotOpen, DatabaseBusy, DatabaseLocked, DiskFull, OperationInterrupted, OutOfMemory, ReadOnly,
        SystemIoFailure,
    };
    let StoreError::Sql { source, .. } = why else { return false };
    !matches!(
        source.sqlite_error_code(),
        Some(
            CannotOpen
                | DatabaseBusy
                | DatabaseLocked
                | DiskFull
                | OperationInterrupted
                | OutOfMemory
                | ReadOnly
                | SystemIoFailure
        )
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{ArticleRow, NewText, Store};
    use jiff::Timestamp;

    fn text(title: &str) -> NewText {
        NewText { title: title.to_owned(), ..NewText::default() }
    }

    fn match_of(tx: Tx<'_>, id: i64) -> Result<(), StoreError> {
        let feed_id =
            tx.sync_feeds(&[("a".to_owned(), "https://a.example/".to_owned())], |_| Timestamp::UNIX_EPOCH)?;
        let feed_id = feed_id.first().map_or(0, |feed| feed.id);
        let now = Timestamp::UNIX_EPOCH;
        tx.record_articles(&[ArticleRow {
            id,
            feed_id,
            seen_at: now,
            published_at: None,
            text_hash: 0,
            path_hash: 0,
            batch: None,
        }])?;
        tx.record_match(id, now, (crate::rules::outcome::Level::Digest, 1), "fresh", "")?;
        Ok(())
    }

    #[tokio::test]
    async fn the_search_finds_each_wording_while_it_stands_and_nothing_of_what_was_undone() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(&dir.path().join("a.db"), Timestamp::UNIX_EPOCH, true).unwrap();
        let first = store.write(|tx| {
            match_of(tx, 1)?;
            tx.record_text(1, &text("Talks open in Seoul"))?;
            tx.record_text(1, &text("Talks begin in Tokyo"))
        });
        let undone = store.write(|tx| {
            match_of(tx, 2)?;
            tx.record_text(2, &text("Talks fail in Warsaw"))?;
            Err::<(), _>(StoreError::Closed)
        });
        let last = store.write(|tx| {
            match_of(tx, 3)?;
            tx.record_text(3, &text("Budget passes in Oslo"))
        });
        let (first, undone, last) = tokio::join!(first, undone, last);
        assert!(first.is_ok() && undone.is_err() && last.is_ok());
        let found = |words: &[&str]| store.read(|tx| tx.search(words, 9)).unwrap().len();
        assert_eq!(["Seoul", "Tokyo", "Warsaw", "Oslo"].map(|word| found(&[word])), [0, 1, 0, 1]);
        store.write(|tx| tx.record_text(3, &text("Budget falls in Madrid"))).await.unwrap();
        assert_eq!(["Oslo", "Madrid"].map(|word| found(&[word])), [0, 1]);
        let sound = "INSERT INTO article_fts (article_fts, rank) VALUES ('integrity-check', 1)";
        store.write(move |tx| tx.db.execute_batch(sound).doing("check the index")).await.unwrap();
    }

    /// Ways in which a part of the index was found broken, some of them seen by SQLite's check and some not.
    const DAMAGE: [&str; 4] = [
        "DELETE FROM article_fts_data WHERE id = 10",
        "UPDATE article_fts_data SET block = x'00' WHERE id = 10",
        "UPDATE article_fts_data SET block = x'ffff' WHERE id > 10",
        "DELETE FROM article_fts_idx",
    ];

    const SOUND: &str = "INSERT INTO article_fts (article_fts, rank) VALUES ('integrity-check', 1)";

    #[tokio::test]
    async fn a_damaged_index_costs_no_commit_and_is_rebuilt() {
        // The others are noticed by the check of a start.
        for damage in &DAMAGE[..2] {
            let dir = tempfile::tempdir().unwrap();
            let store = Store::open(&dir.path().join("a.db"), Timestamp::UNIX_EPOCH, true).unwrap();
            let first = store.write(|tx| {
                match_of(tx, 1)?;
                tx.record_text(1, &text("Talks open in Seoul"))
            });
            first.await.unwrap();
            store.write(move |tx| tx.db.execute_batch(damage).doing("break the index")).await.unwrap();
            let article = store.write(|tx| {
                match_of(tx, 2)?;
                tx.record_text(2, &text("Talks open in Oslo"))?;
                tx.record_text(1, &text("Talks open in Busan"))
            });
            let mark = store.write(|tx| tx.set_fact("mail 7", Some("sent")));
            let (article, mark) = tokio::join!(article, mark);
            assert!(article.is_ok() && mark.is_ok(), "{damage}: {article:?} {mark:?}");
            let found = |word: &str| store.read(|tx| tx.search(&[word], 9)).unwrap().len();
            let whole = || ["Seoul", "Busan", "Oslo", "open"].map(found) == [0, 1, 1, 2];
            assert!(whole(), "{damage}: found in the texts while the index is none");
            while store.read(|tx| tx.searchable()).unwrap() != Searchable::All {
                store.write(|_| Ok(())).await.unwrap();
            }
            assert!(whole(), "{damage}: found by the new index");
            store.write(|tx| tx.db.execute_batch(SOUND).doing("check the index")).await.unwrap();
        }
    }

    #[tokio::test]
    async fn a_start_refuses_no_database_for_its_index_and_makes_it_new() {
        for damage in DAMAGE {
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join("a.db");
            let store = Store::open(&path, Timestamp::UNIX_EPOCH, true).unwrap();
            for id in 1..=3 {
                let add = move |tx: Tx<'_>| {
                    match_of(tx, id)?;
                    tx.record_text(id, &text("Talks open in Seoul"))
                };
                store.write(add).await.unwrap();
            }
            store.write(move |tx| tx.db.execute_batch(damage).doing("break the index")).await.unwrap();
            store.close();
            let backup = crate::store::Db::open(&path).unwrap().backup(&dir.path().join("b.db"));
            assert!(backup.is_ok(), "{damage}: {backup:?}");
            let store = Store::open(&path, Timestamp::UNIX_EPOCH, true).unwrap();
            store.write(|tx| tx.record_text(2, &text("Talks end in Oslo"))).await.unwrap();
            while store.read(|tx| tx.searchable()).unwrap() != Searchable::All {
                store.write(|_| Ok(())).await.unwrap();
            }
            let found = |word: &str| store.read(|tx| tx.search(&[word], 9)).unwrap().len();
            assert_eq!(["Seoul", "Oslo"].map(found), [2, 1], "{damage}");
            store.write(|tx| tx.db.execute_batch(SOUND).doing("check the index")).await.unwrap();
        }
    }
}
