//! The daemon's handle on the database: one writing thread, committing in groups.

use std::fmt;
use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use crate::store::Db;
use crate::store::Doing;
use crate::store::Searchable;
use crate::store::Soundness;
use crate::store::StoreError;
use crate::store::Tx;
use crate::store::check;

/// Jobs committed together at most. More would make one failed commit costly.
const GROUP: usize = 64;

/// How long a commit waits for the next job that may join it.
const MOMENT: Duration = Duration::from_millis(2);

/// The fact that tells when the file was last checked, and how long that holds.
const CHECKED: &str = "store.checked";
const CHECK_HOLDS: SignedDuration = SignedDuration::from_hours(24);

/// Tells the caller how its job ended, once the transaction has or has not committed.
type Finish = Box<dyn FnOnce(Result<(), StoreError>) + Send>;
/// Runs inside the transaction, the first of a group being told so.
type Work = Box<dyn FnOnce(Tx<'_>, First) -> Finish + Send>;

/// What is to be done in a transaction.
struct Job {
    work: Work,
    /// Whether it may wait a moment for company.
    patient: bool,
}

/// Whether nothing else stands in the transaction yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct First(bool);

/// Whether the search index turned out to be damaged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct IndexLost(bool);

/// A handle on the database, cheap to clone.
#[derive(Clone)]
pub struct Store {
    jobs: mpsc::Sender<Job>,
    readers: Arc<Mutex<Vec<Connection>>>,
    path: Arc<PathBuf>,
    thread: Arc<Mutex<Option<std::thread::JoinHandle<()>>>>,
    /// Commits so far: proof that the writer lives, for the watchdog.
    commits: Arc<AtomicU64>,
}

impl fmt::Debug for Store {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Store").field("path", &self.path).finish_non_exhaustive()
    }
}

impl Store {
    /// Opens the database, checks it, migrates it, and starts the writing thread.
    ///
    /// A check reads the whole file. One that passed less than a day before `now`
    /// is enough unless `thorough`: `run --once` may be called every minute.
    pub fn open(path: &Path, now: Timestamp, thorough: bool) -> Result<Self, StoreError> {
        let existed = path.exists();
        let mut db = Db::open(path)?;
        let checked = db.read().fact(CHECKED)?.and_then(|at| at.parse::<Timestamp>().ok());
        let recently = checked.is_some_and(|at| now.duration_since(at).abs() < CHECK_HOLDS);
        if existed
            && (thorough || !recently)
            && let Soundness::IndexDamaged(why) = check(&db.db, path, "quick_check")?
        {
            db.write(|tx| tx.note_damage(&why))?;
        }
        if !recently {
            db.write(|tx| tx.set_fact(CHECKED, Some(&now.to_string())))?;
        }
        let db = db.into_connection();
        let (jobs, queue) = mpsc::channel(256);
        let commits = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&commits);
        let thread = std::thread::Builder::new()
            .name("store".to_owned())
            .spawn(move || write_until_closed(db, queue, &counted))
            .map_err(|source| StoreError::File {
                what: "start a thread for",
                path: path.to_owned(),
                source,
            })?;
        Ok(Self {
            jobs,
            readers: Arc::default(),
            path: Arc::new(path.to_owned()),
            thread: Arc::new(Mutex::new(Some(thread))),
            commits,
        })
    }

    /// Runs `work` in a transaction, together with whatever else is waiting, and returns once it is on disk.
    ///
    /// An error of `work` undoes only its own changes.
    pub async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(Tx<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.queue(false, work).await
    }

    /// Does the same, and lets the work wait a few milliseconds for more that can.
    ///
    /// For polls, which come in bursts: a commit costs more than what most of them change.
    pub async fn write_in_company<T: Send + 'static>(
        &self,
        work: impl FnOnce(Tx<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.queue(true, work).await
    }

    async fn queue<T: Send + 'static>(
        &self,
        patient: bool,
        work: impl FnOnce(Tx<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (reply, answer) = oneshot::channel();
        let work: Work = Box::new(move |tx, first| {
            let result = if first == First(true) { at_first(tx, work) } else { in_savepoint(tx, work) };
            Box::new(move |committed| {
                // Whoever asked may have been cancelled; the work stands all the same.
                drop(reply.send(committed.and(result)));
            })
        });
        self.jobs.send(Job { work, patient }).await.map_err(|_| StoreError::Closed)?;
        answer.await.map_err(|_| StoreError::Closed)?
    }

    /// Runs `work` on a connection that only reads; for blocking threads.
    pub fn read<T>(&self, work: impl FnOnce(Tx<'_>) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let pooled = self.readers.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let db = match pooled {
            Some(db) => db,
            None => {
                let reader = Db::open_reader(&self.path)?.ok_or(StoreError::Closed)?;
                let db = reader.into_connection();
                db.pragma_update(None, "cache_size", -512).doing("set up a reader")?;
                db
            }
        };
        let value = work(Tx { db: &db });
        self.readers.lock().unwrap_or_else(PoisonError::into_inner).push(db);
        value
    }

    /// Returns how many transactions were committed since the start.
    pub fn commits(&self) -> u64 {
        self.commits.load(Ordering::Relaxed)
    }

    /// Returns the file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Ends the writing thread once its queue is empty, and leaves one tidy file.
    ///
    /// Call it when every other handle is done; blocks until the thread ends.
    pub fn close(self) {
        let Self { jobs, readers, thread, .. } = self;
        drop(jobs);
        readers.lock().unwrap_or_else(PoisonError::into_inner).clear();
        let thread = thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            // A panic there was a bug in a job; everything committed is safe.
            drop(thread.join());
        }
    }
}

/// A job that panics is a bug in one job: the thread goes on for all others.
fn guarded<T>(tx: Tx<'_>, work: impl FnOnce(Tx<'_>) -> Result<T, StoreError>) -> Result<T, StoreError> {
    std::panic::catch_unwind(AssertUnwindSafe(|| work(tx)))
        .unwrap_or_else(|_| Err(StoreError::NotCommitted("the work on it panicked".to_owned())))
}

/// Runs the first job of a transaction: undoing it is undoing everything, so it needs no savepoint, which is dear.
fn at_first<T>(tx: Tx<'_>, work: impl FnOnce(Tx<'_>) -> Result<T, StoreError>) -> Result<T, StoreError> {
    let result = guarded(tx, work);
    if result.is_err() && !tx.db.is_autocommit() {
        tx.db.execute_batch("ROLLBACK; BEGIN IMMEDIATE").doing("undo a job")?;
    }
    result
}

fn in_savepoint<T>(tx: Tx<'_>, work: impl FnOnce(Tx<'_>) -> Result<T, StoreError>) -> Result<T, StoreError> {
    tx.db.execute_batch("SAVEPOINT job").doing("begin a job")?;
    let result = guarded(tx, work);
    // A full disk rolls everything back by itself; then there is nothing to undo.
    if result.is_err() && !tx.db.is_autocommit() {
        tx.db.execute_batch("ROLLBACK TO job").doing("undo a job")?;
    }
    if !tx.db.is_autocommit() {
        tx.db.execute_batch("RELEASE job").doing("end a job")?;
    }
    result
}

fn write_until_closed(db: Connection, mut queue: mpsc::Receiver<Job>, commits: &AtomicU64) {
    let mut rebuilding = Tx { db: &db }.searchable().is_ok_and(|has| has != Searchable::All);
    loop {
        // The search index is made new when there is nothing better to do, and a little after each commit.
        while rebuilding && queue.is_empty() && !queue.is_closed() {
            rebuilding = rebuild(&db);
        }
        let Some(first) = queue.blocking_recv() else { break };
        if first.patient {
            gather(&queue);
        }
        if write_group(&db, first, &mut queue) == IndexLost(true) {
            rebuilding = true;
        }
        commits.fetch_add(1, Ordering::Relaxed);
        rebuilding = rebuilding && rebuild(&db);
    }
    // Best effort: the file is consistent without them, only larger. Nobody waits here for a long reader to end.
    drop(db.busy_timeout(MOMENT));
    drop(db.execute_batch("PRAGMA optimize; PRAGMA wal_checkpoint(TRUNCATE);"));
}

/// Takes one step of making the search index new; returns whether more is to be done.
fn rebuild(db: &Connection) -> bool {
    let step = || -> Result<bool, StoreError> {
        db.execute_batch("BEGIN IMMEDIATE").doing("begin")?;
        let more = Tx { db }.rebuild_index()?;
        db.execute_batch("COMMIT").doing("commit")?;
        Ok(more)
    };
    step().unwrap_or_else(|why| {
        if !db.is_autocommit() {
            drop(db.execute_batch("ROLLBACK"));
        }
        tracing::warn!(
            "the search index cannot be made new: {why}; the search reads all texts, and the next start tries again"
        );
        false
    })
}

/// Waits as long as more work keeps coming.
#[expect(clippy::disallowed_methods, reason = "this thread is the store's own")]
fn gather(queue: &mpsc::Receiver<Job>) {
    let mut waiting = queue.len();
    while waiting < GROUP {
        std::thread::sleep(MOMENT);
        if queue.len() == waiting {
            break;
        }
        waiting = queue.len();
    }
}

fn write_group(db: &Connection, first: Job, queue: &mut mpsc::Receiver<Job>) -> IndexLost {
    let mut finishes: Vec<Finish> = Vec::new();
    let mut next = Some(first);
    if let Err(why) = db.execute_batch("BEGIN IMMEDIATE").doing("begin") {
        // The job still has to hear of it, and runs on nothing.
        if let Some(job) = next.take() {
            refuse(db, job, why);
        }
        return IndexLost(false);
    }
    while let Some(job) = next.take() {
        finishes.push((job.work)(Tx { db }, First(finishes.is_empty())));
        if db.is_autocommit() || finishes.len() >= GROUP {
            break;
        }
        next = queue.try_recv().ok();
    }
    let committed = if db.is_autocommit() {
        Err("SQLite rolled the transaction back (is the disk full?)".to_owned())
    } else {
        let indexed = Tx { db }.index_texts().map_err(|why| why.to_string());
        let committed =
            indexed.and_then(|lost| db.execute_batch("COMMIT").map(|()| lost).map_err(|why| why.to_string()));
        committed.inspect_err(|_| drop(db.execute_batch("ROLLBACK")))
    };
    let lost = IndexLost(committed == Ok(true));
    for finish in finishes {
        finish(committed.clone().map(|_| ()).map_err(StoreError::NotCommitted));
    }
    lost
}

/// Lets a job fail without a transaction: its savepoint opens and is undone.
fn refuse(db: &Connection, job: Job, why: StoreError) {
    let query_only = db.execute_batch("PRAGMA query_only = 1");
    let finish = (job.work)(Tx { db }, First(false));
    drop(query_only.and_then(|()| db.execute_batch("PRAGMA query_only = 0")));
    finish(Err(why));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn work_that_keeps_company_shares_commits_and_other_work_does_not_wait_for_it() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(&dir.path().join("a.db"), Timestamp::UNIX_EPOCH, true).unwrap();
        let mut polls = tokio::task::JoinSet::new();
        for feed in 0..40 {
            let store = store.clone();
            polls.spawn(async move {
                store.write_in_company(move |tx| tx.set_fact(&format!("feed {feed}"), Some("polled"))).await
            });
        }
        store.write(|tx| tx.set_fact("mail", Some("sent"))).await.unwrap();
        assert!(polls.join_all().await.iter().all(Result::is_ok));
        assert!(store.commits() < 20, "{} commits for 41 jobs", store.commits());
        assert!(store.read(|tx| tx.fact("feed 39")).unwrap().is_some());
    }

    #[tokio::test]
    async fn the_end_does_not_wait_for_whoever_reads() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.db");
        let store = Store::open(&path, Timestamp::UNIX_EPOCH, true).unwrap();
        let reader = Db::open_reader(&path).unwrap().unwrap();
        reader.db.execute_batch("BEGIN; SELECT count(*) FROM fact").unwrap();
        store.write(|tx| tx.set_fact("one", Some("here"))).await.unwrap();
        let begun = std::time::Instant::now();
        store.close();
        assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    }

    #[tokio::test]
    async fn a_job_that_fails_undoes_its_own_changes_wherever_it_stands_in_a_group() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(&dir.path().join("a.db"), Timestamp::UNIX_EPOCH, true).unwrap();
        let put = |name: &'static str, fails: bool| {
            store.write(move |tx| {
                tx.set_fact(name, Some("here"))?;
                if fails { Err(StoreError::Closed) } else { Ok(()) }
            })
        };
        let (first, second, third, fourth) =
            tokio::join!(put("one", true), put("two", false), put("three", true), put("four", false));
        assert!(first.is_err() && second.is_ok() && third.is_err() && fourth.is_ok());
        let kept = |name: &str| store.read(|tx| tx.fact(name)).unwrap().is_some();
        assert_eq!(["one", "two", "three", "four"].map(kept), [false, true, false, true]);
    }
}
