//! The threads that parse documents: few, and always the same.
//!
//! The runtime's own pool starts another thread whenever a document comes while
//! the last one is being put away, and each thread holds on to memory.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::oneshot;

type Job = Box<dyn FnOnce() + Send>;

/// A handle on the threads; they end when the last one is gone.
#[derive(Clone)]
pub struct Parsers(mpsc::Sender<Job>);

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
        Ok(Self(jobs))
    }

    /// Runs `parse` when its turn comes; `None` when it panicked.
    pub async fn run<T: Send + 'static>(&self, parse: impl FnOnce() -> T + Send + 'static) -> Option<T> {
        let (reply, answer) = oneshot::channel();
        let job = move || {
            // Whoever asked may have been cancelled, before or meanwhile.
            if !reply.is_closed() {
                drop(reply.send(parse()));
            }
        };
        self.0.send(Box::new(job)).ok()?;
        answer.await.ok()
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
}
