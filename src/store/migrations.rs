//! Schema steps, and the care taken when applying them.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
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
    let found = version(db).doing("read the schema version")?;
    if found > SCHEMA {
        return Err(StoreError::Newer { path: path.to_owned(), found, known: SCHEMA });
    }
    let copy = if found > 0 && found < SCHEMA { Some(copy_before(db, path, found)?) } else { None };
    for (done, step) in STEPS.iter().enumerate().skip(found) {
        let tx = db.transaction_with_behavior(TransactionBehavior::Immediate).doing("begin a migration")?;
        // Another process may have done this step while we waited for the lock.
        if version(&tx).doing("read the schema version")? > done {
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
pub fn version(db: &Connection) -> rusqlite::Result<usize> {
    db.pragma_query_value(None, "user_version", |row| row.get::<_, i64>(0))
        .map(|version| usize::try_from(version).unwrap_or(usize::MAX))
}

/// Writes a copy of the database as it is now; one that lies there from an earlier upgrade is renamed with its time.
///
/// It holds what the database was then: who went back and worked on would lose all of that with it.
fn copy_before(db: &Connection, path: &Path, found: usize) -> Result<PathBuf, StoreError> {
    let copy = path.with_extension(format!("schema-{found}.db"));
    let unfinished = path.with_extension(format!("schema-{found}.partial"));
    if unfinished.exists() {
        std::fs::remove_file(&unfinished).map_err(failed("remove", &unfinished))?;
    }
    db.execute("VACUUM INTO ?1", [unfinished.to_string_lossy()])
        .doing("copy the database before an upgrade")?;
    // The upgrade must not reach the disk before what it can be taken back with.
    File::open(&unfinished).and_then(|file| file.sync_all()).map_err(failed("write", &unfinished))?;
    if copy.exists() {
        // An upgrade that fails again and again must not fill the disk with one and the same.
        if same(&copy, &unfinished).map_err(failed("read", &copy))? {
            std::fs::remove_file(&unfinished).map_err(failed("remove", &unfinished))?;
            return Ok(copy);
        }
        let made =
            std::fs::metadata(&copy).and_then(|data| data.modified()).map_err(failed("read", &copy))?;
        let made = Timestamp::try_from(made).unwrap_or(Timestamp::UNIX_EPOCH);
        let earlier =
            path.with_extension(format!("schema-{found}.{}.db", made.strftime("%Y%m%dT%H%M%S%.3fZ")));
        std::fs::rename(&copy, &earlier).map_err(failed("rename", &copy))?;
        tracing::info!("an earlier copy of the database is now {}", earlier.display());
    }
    std::fs::rename(&unfinished, &copy).map_err(failed("rename", &unfinished))?;
    let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(dir).and_then(|dir| dir.sync_all()).map_err(failed("write", dir))?;
    Ok(copy)
}

fn failed(what: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> StoreError {
    let path = path.to_owned();
    move |source| StoreError::File { what, path, source }
}

/// Whether two files have the same bytes.
fn same(one: &Path, other: &Path) -> std::io::Result<bool> {
    if std::fs::metadata(one)?.len() != std::fs::metadata(other)?.len() {
        return Ok(false);
    }
    let (mut one, mut other) = (BufReader::new(File::open(one)?), BufReader::new(File::open(other)?));
    loop {
        let (left, right) = (one.fill_buf()?, other.fill_buf()?);
        let many = left.len().min(right.len());
        if left.get(..many) != right.get(..many) {
            return Ok(false);
        }
        if many == 0 {
            return Ok(left.len() == right.len());
        }
        one.consume(many);
        other.consume(many);
    }
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

    /// A database of schema 1 that knows one fact.
    fn old(path: &Path, fact: &str) {
        let old = Connection::open(path).unwrap();
        old.execute_batch(STEPS[0]).unwrap();
        old.pragma_update(None, "user_version", 1).unwrap();
        old.execute("INSERT INTO fact (name, value) VALUES ('work', ?1)", [fact]).unwrap();
    }

    fn work(path: &Path) -> String {
        let db = Connection::open(path).unwrap();
        db.query_row("SELECT value FROM fact WHERE name = 'work'", [], |row| row.get(0)).unwrap()
    }

    #[test]
    fn the_copy_is_of_what_is_upgraded_and_earlier_ones_are_kept_by_their_time() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.db");
        let copies = || {
            let names = std::fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().file_name());
            let mut names: Vec<String> = names.map(|name| name.into_string().unwrap()).collect();
            names.retain(|name| name.contains("schema"));
            names.sort();
            names
        };
        for (times, fact) in [(1, "first"), (2, "a month later"), (2, "a month later"), (3, "a year later")] {
            // Whoever went back has the old schema, and works on.
            drop(std::fs::remove_file(&path));
            old(&path, fact);
            let copy = migrate(&mut Connection::open(&path).unwrap(), &path).unwrap().unwrap();
            assert_eq!(copy, dir.path().join("a.schema-1.db"));
            assert_eq!(work(&copy), fact);
            assert_eq!(copies().len(), times, "{:?}", copies());
        }
        let kept: Vec<String> = copies().iter().map(|name| work(&dir.path().join(name))).collect();
        assert_eq!(kept.iter().filter(|work| *work == "first").count(), 1, "{:?}", copies());
    }
}
