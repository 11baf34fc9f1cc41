//! Schema steps, and the care taken when applying them.

use std::path::{Path, PathBuf};

use rusqlite::Connection;
use rusqlite::TransactionBehavior;

use crate::store::Doing;
use crate::store::StoreError;

/// Every schema step, oldest first. Append only: a released step never changes.
const STEPS: &[&str] = &[
    include_str!("migrations/0001_init.sql"),
    include_str!("migrations/0002_near_keys.sql"),
    include_str!("migrations/0003_cut_and_speaker.sql"),
];

/// The schema this program writes.
pub const SCHEMA: usize = STEPS.len();

/// Brings the database to [`SCHEMA`], and returns the copy made before an upgrade, if one was due.
///
/// A newer schema is refused: an older program must not guess at it. The copy
/// lies beside the database, named after the schema it holds.
pub fn migrate(db: &mut Connection, path: &Path) -> Result<Option<PathBuf>, StoreError> {
    let found = version(db)?;
    if found > SCHEMA {
        return Err(StoreError::Newer { path: path.to_owned(), found, known: SCHEMA });
    }
    let copy = if found > 0 && found < SCHEMA { Some(copy_before(db, path, found)?) } else { None };
    for (done, step) in STEPS.iter().enumerate().skip(found) {
        let tx = db.transaction_with_behavior(TransactionBehavior::Immediate).doing("begin a migration")?;
        // Another process may have done this step while we waited for the lock.
        if version(&tx)? > done {
            continue;
        }
        tx.execute_batch(step).doing("migrate the database")?;
        tx.pragma_update(None, "user_version", i64::try_from(done + 1).unwrap_or(i64::MAX))
            .doing("record a migration")?;
        tx.commit().doing("commit a migration")?;
    }
    Ok(copy)
}

/// Returns the schema the database is at; 0 for an empty one.
pub fn version(db: &Connection) -> Result<usize, StoreError> {
    db.pragma_query_value(None, "user_version", |row| row.get::<_, i64>(0))
        .map(|version| usize::try_from(version).unwrap_or(usize::MAX))
        .doing("read the schema version")
}

fn copy_before(db: &Connection, path: &Path, found: usize) -> Result<PathBuf, StoreError> {
    let copy = path.with_extension(format!("schema-{found}.db"));
    if copy.exists() {
        // An upgrade was begun and cut off: the first copy is the one that counts.
        return Ok(copy);
    }
    let unfinished = path.with_extension(format!("schema-{found}.partial"));
    if unfinished.exists() {
        std::fs::remove_file(&unfinished).map_err(|source| StoreError::File {
            what: "remove",
            path: unfinished.clone(),
            source,
        })?;
    }
    db.execute("VACUUM INTO ?1", [unfinished.to_string_lossy()])
        .doing("copy the database before an upgrade")?;
    std::fs::rename(&unfinished, &copy).map_err(|source| StoreError::File {
        what: "rename",
        path: unfinished,
        source,
    })?;
    Ok(copy)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What SQLite says a database is made of.
    fn shape(db: &Connection) -> Vec<(String, String, String)> {
        db.prepare("SELECT type, name, coalesce(sql, '') FROM sqlite_schema ORDER BY type, name")
            .unwrap()
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
            .unwrap()
            .collect::<Result<_, _>>()
            .unwrap()
    }

    #[test]
    fn every_version_becomes_what_a_new_database_is() {
        let dir = tempfile::tempdir().unwrap();
        let mut fresh = Connection::open_in_memory().unwrap();
        assert_eq!(migrate(&mut fresh, Path::new("")).unwrap(), None, "nothing to copy");
        for found in 1..SCHEMA {
            let path = dir.path().join(format!("{found}.db"));
            let mut old = Connection::open(&path).unwrap();
            for step in STEPS.iter().take(found) {
                old.execute_batch(step).unwrap();
            }
            old.pragma_update(None, "user_version", i64::try_from(found).unwrap()).unwrap();
            let copy = migrate(&mut old, &path).unwrap().unwrap();
            assert_eq!(shape(&old), shape(&fresh));
            assert_eq!(version(&old).unwrap(), SCHEMA);
            assert_eq!(version(&Connection::open(copy).unwrap()).unwrap(), found);
            assert_eq!(migrate(&mut old, &path).unwrap(), None, "done once");
        }
    }
}
