//! Reading beside whoever writes, or alone, as any user who may read, and leaving nothing of ours behind.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::ErrorCode;
use rusqlite::{Connection, OpenFlags};
use rustix::fs::Access;

use crate::store::Db;
use crate::store::Doing;
use crate::store::StoreError;
use crate::store::check;
use crate::store::migrations;
use crate::store::opening;

/// How often a read is begun anew when a run comes between.
const TRIES: u32 = 5;

/// A file as it was when it was opened without any lock.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Frozen {
    path: PathBuf,
    stamp: Stamp,
}

/// What changes whenever the file does.
type Stamp = (u64, u64, i64, i64);

fn stamp(path: &Path) -> Option<Stamp> {
    let data = std::fs::metadata(path).ok()?;
    Some((data.ino(), data.len(), data.mtime(), data.mtime_nsec()))
}

fn log_of(path: &Path) -> PathBuf {
    path.with_extension("db-wal")
}

impl Db {
    /// Opens the database for reading only; works beside a daemon and leaves no file behind.
    ///
    /// Returns `None` when there is no database yet.
    pub fn open_reader(path: &Path) -> Result<Option<Self>, StoreError> {
        if !path.exists() {
            return Ok(None);
        }
        let mut tries = 0;
        loop {
            tries += 1;
            match Self::reader(path) {
                // The log that was there, or was not, came or went between the look and the open.
                Err(StoreError::Open { source, .. } | StoreError::Sql { source, .. })
                    if tries < TRIES && source.sqlite_error_code() == Some(ErrorCode::CannotOpen) => {}
                done => return done.map(Some),
            }
        }
    }

    fn reader(path: &Path) -> Result<Self, StoreError> {
        let plain = OpenFlags::SQLITE_OPEN_NO_MUTEX;
        if log_of(path).exists() {
            // A write-ahead log that lies there must be read; its shared memory may be
            // made by us, then, only if we may write there as the owner would.
            return Self::ready(
                Connection::open_with_flags(path, plain | OpenFlags::SQLITE_OPEN_READ_ONLY),
                path,
            );
        }
        if is_ours(path) {
            // Nobody has it open now, and somebody may at any time: with a log and locks of our own we see one
            // state throughout. SQLite gives them the database's owner, and takes them away when we close.
            let db = Self::ready(
                Connection::open_with_flags(path, plain | OpenFlags::SQLITE_OPEN_READ_WRITE),
                path,
            )
            .and_then(|db| {
                db.db.pragma_update(None, "query_only", true).doing("set up a reader").map(|()| db)
            });
            match db {
                Err(StoreError::Open { .. } | StoreError::Sql { .. }) => {}
                done => return done,
            }
        }
        Self::immutable(path)
    }

    /// Opens the database where no log may be made: `immutable` keeps SQLite from trying, and from any lock.
    fn immutable(path: &Path) -> Result<Self, StoreError> {
        let frozen = stamp(path).map(|stamp| Frozen { path: path.to_owned(), stamp });
        let uri = url::Url::from_file_path(std::path::absolute(path).unwrap_or_else(|_| path.to_owned()))
            .map(|mut uri| {
                uri.set_query(Some("immutable=1"));
                uri.to_string()
            })
            .unwrap_or_default();
        let flags =
            OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
        Ok(Self { frozen, ..Self::ready(Connection::open_with_flags(uri, flags), path)? })
    }

    fn ready(opened: rusqlite::Result<Connection>, path: &Path) -> Result<Self, StoreError> {
        let db = opened.map_err(|source| opening(path, source))?;
        db.busy_timeout(Duration::from_secs(5)).map_err(|source| opening(path, source))?;
        // Only now are the files beside it opened.
        let found = migrations::version(&db).map_err(|source| opening(path, source))?;
        if found > migrations::SCHEMA {
            return Err(StoreError::Newer { path: path.to_owned(), found, known: migrations::SCHEMA });
        }
        Ok(Self { db, frozen: None })
    }

    /// Fails when a run began while we read without a lock: the end of every long read.
    pub fn unchanged(&self) -> Result<(), StoreError> {
        match &self.frozen {
            Some(Frozen { path, stamp: before }) if log_of(path).exists() || stamp(path) != Some(*before) => {
                Err(StoreError::Changed(path.clone()))
            }
            _ => Ok(()),
        }
    }

    /// Writes a consistent, compact copy of the database to `file`, and checks it.
    pub fn backup(&self, file: &Path) -> Result<(), StoreError> {
        let mut anew: Option<Self> = None;
        for more in (0..TRIES).rev() {
            let db = anew.as_ref().unwrap_or(self);
            let copied = db.copy(file);
            let Err(changed) = db.unchanged() else { return copied };
            if more == 0 {
                return Err(changed);
            }
            std::fs::remove_file(file).or_else(|why| match why.kind() {
                std::io::ErrorKind::NotFound => Ok(()),
                _ => Err(StoreError::File { what: "remove", path: file.to_owned(), source: why }),
            })?;
            if let Some(Frozen { path, .. }) = &db.frozen {
                anew = Self::open_reader(path)?;
            }
        }
        Ok(())
    }

    fn copy(&self, file: &Path) -> Result<(), StoreError> {
        // It writes to the copy only, which SQLite takes for writing all the same.
        self.db.pragma_update(None, "query_only", false).doing("write the backup")?;
        self.db.execute("VACUUM INTO ?1", [file.to_string_lossy()]).doing("write the backup")?;
        let copy = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY)
            .map_err(|source| opening(file, source))?;
        // A damaged search index is made new when the copy is put to work.
        check(&copy, file, "integrity_check").map(|_| ())
    }
}

/// Whether files that we make beside the database are its owner's: then we may make them, for as long as we read.
fn is_ours(path: &Path) -> bool {
    let own = rustix::process::geteuid();
    let owner = std::fs::metadata(path).map(|data| data.uid());
    let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // What is mounted read-only is nobody's, not even root's.
    let may = |path: &Path| rustix::fs::access(path, Access::WRITE_OK).is_ok();
    owner.is_ok_and(|owner| own.is_root() || own.as_raw() == owner) && may(dir) && may(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Store;
    use jiff::Timestamp;

    const ROWS: i64 = 4000;

    /// A database whose rows all have one byte; more of them than a cache holds.
    async fn filled(path: &Path, with: u8) {
        let store = Store::open(path, Timestamp::UNIX_EPOCH, false).unwrap();
        let fill = move |tx: crate::store::Tx<'_>| {
            tx.db
                .execute_batch("DELETE FROM label; DELETE FROM fact WHERE name LIKE 'row %'")
                .doing("empty")?;
            for row in 0..ROWS {
                tx.set_fact(&format!("row {row}"), Some(&char::from(with).to_string().repeat(1000)))?;
            }
            Ok(())
        };
        store.write(fill).await.unwrap();
        store.close();
        assert!(!log_of(path).exists(), "nobody has it open");
    }

    fn bytes(db: &Db) -> rusqlite::Result<Vec<String>> {
        let sql = "SELECT DISTINCT substr(value, 1, 1) FROM fact WHERE name LIKE 'row %' ORDER BY 1";
        let mut sql = db.db.prepare(sql)?;
        sql.query_map([], |row| row.get(0))?.collect()
    }

    #[tokio::test]
    async fn a_run_that_begins_and_ends_while_we_read_shows_us_one_state_and_leaves_one_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.db");
        filled(&path, b'a').await;
        let reader = Db::open_reader(&path).unwrap().unwrap();
        reader.db.execute_batch("BEGIN; SELECT count(*) FROM fact WHERE name < 'row 2'").unwrap();
        change(&path).await;
        assert_eq!(bytes(&reader).unwrap(), ["a"]);
        reader.unchanged().unwrap();
        drop(reader);
        let names: Vec<_> =
            std::fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names, ["a.db"]);
        assert_eq!(bytes(&Db::open_reader(&path).unwrap().unwrap()).unwrap(), ["b"]);
    }

    /// What a run does meanwhile; its log stays for as long as we read.
    async fn change(path: &Path) {
        let store = Store::open(path, Timestamp::UNIX_EPOCH, false).unwrap();
        let fill = |tx: crate::store::Tx<'_>| {
            let all = "UPDATE fact SET value = replace(value, 'a', 'b') WHERE name LIKE 'row %'";
            tx.db.execute_batch(all).doing("change")
        };
        store.write(fill).await.unwrap();
        store.close();
    }

    #[tokio::test]
    async fn who_may_not_read_what_a_run_left_behind_is_told_what_to_do() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.db");
        filled(&path, b'a').await;
        // Nobody, root neither, can open this as a file.
        std::fs::create_dir(log_of(&path)).unwrap();
        let error = Db::open_reader(&path).unwrap_err().to_string();
        assert!(error.contains("a.db") && error.contains("run this as the user of the service"), "{error}");
    }

    #[tokio::test]
    async fn without_a_lock_a_change_meanwhile_is_seen_and_a_backup_begins_anew() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.db");
        filled(&path, b'a').await;
        let reader = Db::immutable(&path).unwrap();
        assert_eq!(bytes(&reader).unwrap(), ["a"]);
        reader.unchanged().unwrap();
        filled(&path, b'b').await;
        assert!(matches!(reader.unchanged(), Err(StoreError::Changed(_))));
        let copy = dir.path().join("copy.db");
        reader.backup(&copy).unwrap();
        assert_eq!(bytes(&Db::open_reader(&copy).unwrap().unwrap()).unwrap(), ["b"]);
    }
}
