//! Everything that waits: the poller, the scribe, the postman, the keeper, signals and systemd.
//!
//! One straight wiring function, [`run`]; each task is a loop that stops between
//! turns. What a task does in a turn stands in [`flow`](crate::flow).

pub mod agenda;
mod keeper;
pub mod lock;
pub mod open;
mod poller;
mod postman;
mod reload;
mod steps;
mod systemd;
pub mod watch;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, mpsc, watch as channel};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::config::load::Loaded;
use crate::flow::Setup;
use crate::flow::dispatch::Delivered;
use crate::store::StoreError;
use crate::time::Clock;

/// How long tasks may take to end after a stop; systemd waits a little longer.
const GRACE: Duration = Duration::from_secs(10);

/// Why the daemon could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The state directory cannot be used.
    #[error("cannot {what} {}: {source}", path.display())]
    State {
        /// What was tried.
        what: &'static str,
        /// The path.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Another burdenwatch works there.
    #[error("another burdenwatch is running on {}; stop it first, or give this one a state_dir of its own", .0.display())]
    Running(PathBuf),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// HTTP or TLS could not be set up.
    #[error("cannot set up fetching: {0}")]
    Fetch(String),
    /// Mail could not be set up.
    #[error("cannot set up mail: {0}")]
    Mail(String),
    /// No threads are to be had.
    #[error(
        "cannot start the threads that read documents: {0}; raise the limit on threads (TasksMax, ulimit -u)"
    )]
    Threads(std::io::Error),
    /// The status listener.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The configured address.
        address: std::net::SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
}

/// What the tasks share.
#[derive(Debug, Clone)]
pub(crate) struct House {
    /// The setup in force.
    pub(crate) setup: channel::Receiver<Arc<Setup>>,
    /// Wakes the scribe: something may be due to be composed.
    pub(crate) news: Arc<Notify>,
    /// Wakes the postman: something was queued.
    pub(crate) mail: Arc<Notify>,
    /// Told to stop.
    pub(crate) stop: CancellationToken,
    /// What happened so far, for `/metrics`.
    pub(crate) tally: Arc<watch::Tally>,
}

impl House {
    pub(crate) fn setup(&self) -> Arc<Setup> {
        self.setup.borrow().clone()
    }
}

/// Runs the daemon until `stop`; each message on `reloads` re-reads the configuration.
///
/// # Errors
///
/// Fails only before it is ready; afterwards every trouble is logged, shown in
/// `status`, and tried again.
pub async fn run(
    loaded: Loaded,
    clock: Arc<dyn Clock>,
    stop: CancellationToken,
    reloads: mpsc::Receiver<()>,
) -> Result<(), StartError> {
    let (setup, lock) = open::open_soon(loaded, Arc::clone(&clock), false).await?;
    let feeds = open::sync(&setup).await?;
    let store = setup.store.clone();
    let (installed, current) = channel::channel(Arc::new(setup));
    let house = House {
        setup: current,
        news: Arc::new(Notify::new()),
        mail: Arc::new(Notify::new()),
        stop: stop.clone(),
        tally: Arc::default(),
    };
    let listener = watch::bind(&house).await?;
    let tasks = TaskTracker::new();
    let (pulse, pulses) = mpsc::channel(4);
    let agenda = agenda::Agenda::new(&house.setup().config.polling);
    let (changes, changed) = mpsc::channel(4);
    tasks.spawn(poller::run(house.clone(), agenda, feeds, pulses, changed));
    tasks.spawn(postman::compose(house.clone()));
    tasks.spawn(postman::deliver(house.clone()));
    tasks.spawn(postman::listen_to_neighbours(house.clone()));
    tasks.spawn(keeper::run(house.clone(), pulse));
    tasks.spawn(keeper::retain(house.clone()));
    tasks.spawn(steps::run(house.clone(), changes.clone()));
    tasks.spawn(reload::run(house.clone(), installed, reloads, changes));
    if let Some(listener) = listener {
        tasks.spawn(watch::serve(house.clone(), listener));
    }
    systemd::ready();
    tracing::info!(
        feeds = house.setup().config.feeds.len(),
        "burdenwatch {} is watching",
        env!("CARGO_PKG_VERSION")
    );
    stop.cancelled().await;
    systemd::stopping();
    tracing::info!("stopping; what is queued stays queued");
    tasks.close();
    if tokio::time::timeout(GRACE, tasks.wait()).await.is_err() {
        tracing::warn!(
            "some work did not end within {} s and is cut off; it is repeated at the next start",
            GRACE.as_secs()
        );
    }
    drop(house);
    // The writer ends once its queue is empty; a job cut off above is not in it.
    let closed = tokio::task::spawn_blocking(move || store.close());
    drop(tokio::time::timeout(Duration::from_secs(3), closed).await);
    drop(lock);
    Ok(())
}

/// What a single run did.
#[derive(Debug, Clone, Default)]
pub struct OnceReport {
    /// Feeds polled.
    pub polled: usize,
    /// Feeds that could not be had or read, with the reason.
    pub failed: Vec<(String, String)>,
    /// New articles.
    pub new: usize,
    /// Flagged articles.
    pub matched: usize,
    /// What became of the mail.
    pub mail: Delivered,
    /// The database failed somewhere.
    pub trouble: Vec<String>,
}

/// Polls what is due (or everything), delivers what is due, and ends.
///
/// # Errors
///
/// Fails when it cannot start; what goes wrong later is in the report.
pub async fn run_once(
    loaded: Loaded,
    clock: Arc<dyn Clock>,
    all: bool,
    stop: CancellationToken,
) -> Result<OnceReport, StartError> {
    let (setup, lock) = open::open_soon(loaded, clock, true).await?;
    let report = once(&setup, all, &stop).await?;
    let store = setup.store.clone();
    drop(setup);
    drop(tokio::task::spawn_blocking(move || store.close()).await);
    drop(lock);
    Ok(report)
}

/// The work of a single run, on a setup that is open.
pub async fn once(setup: &Setup, all: bool, stop: &CancellationToken) -> Result<OnceReport, StartError> {
    open::sync(setup).await?;
    let mut report = poller::once(setup, all, stop).await?;
    // Before the digest is composed that is to carry it.
    if let Err(why) = crate::flow::undelivered::fold_overdue(setup).await {
        report.trouble.push(why.to_string());
    }
    report.trouble.extend(postman::compose_all(setup).await.failed);
    // A mail server that stalls does not hold up a stop.
    let delivered = tokio::select! {
        delivered = crate::flow::dispatch::deliver_due(setup, stop) => delivered,
        () = postman::stalled(stop) => Ok(Delivered::default()),
    };
    match delivered {
        Ok(mail) => report.mail = mail,
        Err(why) => report.trouble.push(why.to_string()),
    }
    // Where nothing but single runs ever works, one of them has to.
    if let Err(why) = crate::flow::retention::sweep_daily(setup, stop).await {
        report.trouble.push(why.to_string());
    }
    Ok(report)
}
