//! SQLite: the archive, the schedule and the outbox, and every SQL statement of the house.
//!
//! [`Tx`] carries the statements; whoever holds one is inside a transaction.
//! [`Store`] is the daemon's handle: one thread owns the writing connection and
//! commits what queued up meanwhile in one go, so a burst of polls costs few
//! syncs. [`Db`] is the same for commands that do one thing and end.
//!
//! Delivery promises rest on `synchronous = FULL`: what is committed survives a
//! power cut. Nothing here decides; it records and finds.

mod alerts;
mod archive;
mod articles;
mod counts;
mod digests;
mod feeds;
mod matches;
pub mod migrations;
mod notes;
mod outbox;
mod reader;
mod retention;
mod search;
mod stories;
mod texts;
mod waits;
mod writer;

use std::fmt;
use std::fs::OpenOptions;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, fchown};
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ValueRef};
use rusqlite::{Connection, Row, TransactionBehavior};
use rustix::fs::OFlags;

pub use alerts::{AlertRow, NewAlert};
pub use archive::{ArchivedText, pack};
pub use articles::{ArticleRow, Sighting};
pub use counts::Counts;
pub use digests::{DigestRow, NewDigest, SubscriptionRow};
pub use feeds::{FeedRow, PollRecord, Scheduled};
pub use matches::{MatchRow, RuleRow};
pub use notes::{Label, Mute, MuteKind};
pub use outbox::{NewMail, OutboxRow, Try};
pub use search::Searchable;
pub use stories::Member;
pub use texts::NewText;
pub use waits::Bounds;
pub use writer::Store;

/// Why the database could not do something.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A statement failed.
    #[error("cannot {doing}: {source}{}", remedy(source))]
    Sql {
        /// What was tried.
        doing: &'static str,
        /// What SQLite said.
        source: rusqlite::Error,
    },
    /// The file cannot be opened.
    #[error("cannot open the database {}: {source}{}", path.display(), remedy(source))]
    Open {
        /// The file.
        path: PathBuf,
        /// What SQLite said.
        source: rusqlite::Error,
    },
    /// The file was written by a newer burdenwatch.
    #[error(
        "the database {} has schema {found}, this burdenwatch knows {known}: install the newer version again, \
         or restore the copy it made before upgrading ({}.schema-{known}.db)",
        path.display(), path.with_extension("").display()
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its schema.
        found: usize,
        /// Ours.
        known: usize,
    },
    /// The file is damaged.
    #[error("the database {} is damaged: {what}; nothing was changed. Restore a backup, or move the file away", path.display())]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// What the check found.
        what: String,
    },
    /// A file operation beside the database failed.
    #[error("cannot {what} {}: {source}", path.display())]
    File {
        /// What was tried.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A run began while a command read, where no lock could be had.
    #[error("the database {} was changed by a run while this read it, and what was printed may be of two minds: do it again", .0.display())]
    Changed(PathBuf),
    /// The thread that writes has ended.
    #[error("the database is closed")]
    Closed,
    /// The transaction this was part of did not commit.
    #[error("the database did not commit: {0}")]
    NotCommitted(String),
}

/// What a person can do about a failed statement, where it is theirs to do.
fn remedy(source: &rusqlite::Error) -> &'static str {
    use rusqlite::ErrorCode::{CannotOpen, DatabaseCorrupt, DiskFull, ReadOnly};
    match source.sqlite_error_code() {
        Some(DatabaseCorrupt) => {
            "; stop the service and restore a backup, or restart it to have the file checked"
        }
        Some(DiskFull) => "; make room on the disk of the state directory",
        Some(ReadOnly) => "; run this as the user of the service",
        Some(CannotOpen) => {
            "; see that the directory is there, and run this as the user of the service: \
             files that a run left beside the database are read with it"
        }
        _ => "",
    }
}

/// Names what was tried when a statement fails.
pub(crate) trait Doing<T> {
    fn doing(self, doing: &'static str) -> Result<T, StoreError>;
}

impl<T> Doing<T> for rusqlite::Result<T> {
    fn doing(self, doing: &'static str) -> Result<T, StoreError> {
        self.map_err(|source| StoreError::Sql { doing, source })
    }
}

/// Milliseconds since 1970, as the database keeps instants.
pub(crate) fn ms(at: Timestamp) -> i64 {
    at.as_millisecond()
}

/// The instant kept as `ms`; a value out of range is an old row gone bad and reads as the epoch.
pub(crate) fn at(ms: i64) -> Timestamp {
    Timestamp::from_millisecond(ms).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// Text as the database has it, with what is no UTF-8 replaced: one damaged row must not keep others from being read.
struct Words(String);

impl FromSql for Words {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        match value {
            ValueRef::Text(bytes) => Ok(Self(String::from_utf8_lossy(bytes).into_owned())),
            _ => Err(FromSqlError::InvalidType),
        }
    }
}

/// Reads a column of text.
pub(crate) fn text(row: &Row<'_>, column: usize) -> rusqlite::Result<String> {
    row.get(column).map(|Words(text)| text)
}

/// Reads a column of text that may have none.
pub(crate) fn text_if_any(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<String>> {
    Ok(row.get::<_, Option<Words>>(column)?.map(|Words(text)| text))
}

/// An open transaction, or a connection that only reads.
#[derive(Clone, Copy)]
pub struct Tx<'c> {
    pub(crate) db: &'c Connection,
}

impl fmt::Debug for Tx<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Tx")
    }
}

/// A connection for a command that does one thing and ends.
pub struct Db {
    pub(crate) db: Connection,
    /// The file as it was opened, where nothing but luck keeps it from being changed while we read.
    frozen: Option<reader::Frozen>,
}

impl fmt::Debug for Db {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Db")
    }
}

impl Db {
    /// Opens the database for writing, making and migrating it when due.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        if !path.exists() {
            // An empty file is a new database. Made here, it belongs to the right user before anything
            // is made beside it; should it fail, opening says why.
            drop(OpenOptions::new().create(true).append(true).open(path));
        }
        hand_over(path);
        let mut db = Connection::open(path).map_err(|source| opening(path, source))?;
        prepare(&db).map_err(|source| opening(path, source))?;
        migrations::migrate(&mut db, path)?;
        Ok(Self { db, frozen: None })
    }

    /// Reads.
    pub fn read(&self) -> Tx<'_> {
        Tx { db: &self.db }
    }

    /// Runs `work` in one transaction; all of it counts, or nothing.
    pub fn write<T>(&mut self, work: impl FnOnce(Tx<'_>) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let tx = self.db.transaction_with_behavior(TransactionBehavior::Immediate).doing("begin")?;
        let value = work(Tx { db: &tx })?;
        let _lost = Tx { db: &tx }.index_texts()?;
        tx.commit().doing("commit")?;
        Ok(value)
    }

    pub(crate) fn into_connection(self) -> Connection {
        self.db
    }
}

/// Gives a file that root made to the owner of its directory: the daemon, who is not root, must write it too.
pub fn hand_over(path: &Path) {
    // Never through a link, of either kind: the owner of the directory could have laid it to a file of root's.
    let flags = i32::try_from((OFlags::NOFOLLOW | OFlags::NONBLOCK).bits()).unwrap_or_default();
    let file = OpenOptions::new().read(true).custom_flags(flags).open(path);
    let (Ok(file), Some(Ok(directory))) = (file, path.parent().map(std::fs::metadata)) else { return };
    let roots = file.metadata().is_ok_and(|file| file.uid() == 0 && file.is_file() && file.nlink() == 1);
    if roots
        && directory.uid() != 0
        && let Err(why) = fchown(&file, Some(directory.uid()), Some(directory.gid()))
    {
        tracing::warn!("{} cannot be given to the owner of its directory: {why}", path.display());
    }
}

fn opening(path: &Path, source: rusqlite::Error) -> StoreError {
    use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase};
    match source.sqlite_error_code() {
        Some(DatabaseCorrupt | NotADatabase) => {
            StoreError::Corrupt { path: path.to_owned(), what: source.to_string() }
        }
        _ => StoreError::Open { path: path.to_owned(), source },
    }
}

/// Sets what every writing connection needs.
fn prepare(db: &Connection) -> rusqlite::Result<()> {
    db.busy_timeout(Duration::from_secs(10))?;
    db.pragma_update(None, "journal_mode", "WAL")?;
    db.pragma_update(None, "synchronous", "FULL")?;
    db.pragma_update(None, "foreign_keys", true)?;
    db.pragma_update(None, "trusted_schema", false)?;
    db.pragma_update(None, "cache_size", -1024)?;
    db.pragma_update(None, "journal_size_limit", 16 << 20)?;
    db.pragma_update(None, "temp_store", "MEMORY")?;
    db.set_prepared_statement_cache_capacity(96);
    db.execute_batch(search::UNINDEXED)?;
    Ok(())
}

/// What SQLite's own check found where the database can be worked with.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Soundness {
    /// Nothing.
    Whole,
    /// The search index alone is damaged, in these words: it can be made new.
    IndexDamaged(String),
}

/// Runs SQLite's own check and turns its findings into words.
pub(crate) fn check(db: &Connection, path: &Path, pragma: &str) -> Result<Soundness, StoreError> {
    let mut findings = Vec::new();
    let mut look = || -> rusqlite::Result<()> {
        let mut sql = db.prepare(&format!("PRAGMA {pragma}(3)"))?;
        let mut rows = sql.query([])?;
        while let Some(row) = rows.next()? {
            findings.push(text(row, 0)?);
        }
        Ok(())
    };
    // The index is looked at after everything else, and what it finds there may end the check.
    if let Err(why) = look() {
        findings.push(why.to_string());
    }
    findings.retain(|line| line != "ok");
    let of_index = |line: &String| line.contains("article_fts") && line.to_lowercase().contains("fts5");
    if findings.is_empty() {
        Ok(Soundness::Whole)
    } else if findings.iter().all(of_index) {
        Ok(Soundness::IndexDamaged(findings.join("; ")))
    } else {
        Err(StoreError::Corrupt { path: path.to_owned(), what: findings.join("; ") })
    }
}
