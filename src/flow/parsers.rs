//! The threads that parse documents: few, and always the same.
//!
//! The runtime's own pool starts another thread whenever a document comes while
//! the last one is being put away, and each thread holds on to memory.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::oneshot;

type Job = Box<dyn FnOnce() + Send>;

/// Documents waiting to be parsed, beyond which there is no use in fetching more.
const ENOUGH: usize = 4;

/// A handle on the threads; they end when the last one is gone.
#[derive(Clone)]
pub struct Parsers {
    jobs: mpsc::Sender<Job>,
    waiting: Arc<AtomicUsize>,
}

impl fmt::Debug for Parsers {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Parsers")
    }
}

impl Parsers {
    /// Starts so many threads.
    ///
    /// # Errors
    ///
    /// When the system gives none.
    pub fn start(threads: usize) -> std::io::Result<Self> {
        let (jobs, queue) = mpsc::channel::<Job>();
        let queue = Arc::new(Mutex::new(queue));
        for _ in 0..threads {
            let queue = Arc::clone(&queue);
            std::thread::Builder::new().name("parser".to_owned()).spawn(move || work(&queue))?;
        }
        Ok(Self { jobs, waiting: Arc::default() })
    }

    /// Whether so many documents wait that fetching more would only take memory.
    pub fn are_behind(&self) -> bool {
        self.waiting.load(Ordering::Relaxed) >= ENOUGH
    }

    /// Runs `parse` when its turn comes; `None` when it panicked.
    pub async fn run<T: Send + 'static>(&self, parse: impl FnOnce() -> T + Send + 'static) -> Option<T> {
        let (reply, answer) = oneshot::channel();
        let waiting = Waiting::new(&self.waiting);
        let job = move || {
            drop(waiting);
            // Whoever asked may have been cancelled, before or meanwhile.
            if !reply.is_closed() {
                drop(reply.send(parse()));
            }
        };
        self.jobs.send(Box::new(job)).ok()?;
        answer.await.ok()
    }
}

/// One document that waits; counted until it is dropped, with its turn come or not.
struct Waiting(Arc<AtomicUsize>);

impl Waiting {
    fn new(count: &Arc<AtomicUsize>) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(count))
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

fn work(queue: &Mutex<mpsc::Receiver<Job>>) {
    loop {
        let next = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(job) = next else { return };
        // The reply dies with the job, which tells whoever asked.
        drop(catch_unwind(AssertUnwindSafe(job)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_costs_one_document_and_no_thread() {
        let parsers = Parsers::start(1).unwrap();
        assert_eq!(parsers.run(|| -> u8 { panic!("a document that no parser survives") }).await, None);
        assert_eq!(parsers.run(|| 7).await, Some(7));
    }

    #[tokio::test]
    async fn they_are_behind_while_documents_wait_and_no_longer() {
        let parsers = Parsers::start(1).unwrap();
        let (open, gate) = mpsc::channel::<()>();
        let (begin, begun) = mpsc::channel();
        let mut all = tokio::task::JoinSet::new();
        let first = parsers.clone();
        all.spawn(async move { first.run(move || begin.send(()).is_ok() && gate.recv().is_err()).await });
        tokio::task::yield_now().await;
        begun.recv().unwrap();
        for _ in 0..ENOUGH {
            assert!(!parsers.are_behind());
            let parsers = parsers.clone();
            all.spawn(async move { parsers.run(|| true).await });
            tokio::task::yield_now().await;
        }
        assert!(parsers.are_behind());
        drop(open);
        assert_eq!(all.join_all().await, [Some(true); ENOUGH + 1]);
        assert!(!parsers.are_behind());
    }
}
