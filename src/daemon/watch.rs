//! Evidence for machines: `/healthz` and `/metrics` on a loopback listener, off by default.

use std::collections::HashSet;
use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Registry, Unit};
use tokio::net::TcpListener;

use crate::daemon::House;
use crate::daemon::StartError;
use crate::flow::dispatch;
use crate::flow::dispatch::Delivered;
use crate::flow::ingest::{Ended, Report};
use crate::store::{Counts, StoreError};

/// What happened since the start. Counters only: what can be asked of the database is asked there.
#[derive(Debug, Default)]
pub struct Tally {
    read: AtomicU64,
    unchanged: AtomicU64,
    failed: AtomicU64,
    entries: AtomicU64,
    new: AtomicU64,
    sent: AtomicU64,
    put_off: AtomicU64,
    refused: AtomicU64,
    in_flight: AtomicUsize,
    due: AtomicUsize,
}

impl Tally {
    pub(crate) fn set_polls(&self, in_flight: usize, due: usize) {
        self.in_flight.store(in_flight, Ordering::Relaxed);
        self.due.store(due, Ordering::Relaxed);
    }

    pub(crate) fn count_poll(&self, report: &Result<Report, StoreError>) {
        let add = |counter: &AtomicU64, n: usize| counter.fetch_add(n as u64, Ordering::Relaxed);
        match report.as_ref().map(|report| &report.ended) {
            Ok(Ended::Unchanged) => add(&self.unchanged, 1),
            Ok(Ended::Read { entries, new, .. }) => {
                add(&self.entries, *entries);
                add(&self.new, *new);
                add(&self.read, 1)
            }
            Ok(Ended::Failed { .. }) | Err(_) => add(&self.failed, 1),
        };
    }

    pub(crate) fn count_mail(&self, done: Delivered) {
        let add = |counter: &AtomicU64, n: usize| counter.fetch_add(n as u64, Ordering::Relaxed);
        add(&self.sent, done.sent);
        add(&self.put_off, done.put_off);
        add(&self.refused, done.failed);
    }
}

/// Opens the listener, where one is configured.
pub(crate) async fn bind(house: &House) -> Result<Option<TcpListener>, StartError> {
    let Some(address) = house.setup().config.service.listen else { return Ok(None) };
    TcpListener::bind(address).await.map(Some).map_err(|source| StartError::Listen { address, source })
}

/// Answers until the stop.
pub(crate) async fn serve(house: House, listener: TcpListener) {
    let stop = house.stop.clone();
    let app = Router::new()
        .route("/healthz", get(health))
        .route("/metrics", get(metrics))
        .with_state(Arc::new(house));
    let served =
        axum::serve(listener, app).with_graceful_shutdown(async move { stop.cancelled().await }).await;
    if let Err(why) = served {
        tracing::error!("the status listener ended: {why}");
    }
}

/// Beyond loopback a token is required; configuration sees to it that there is one.
fn refused(house: &House, headers: &HeaderMap) -> Option<Response> {
    let setup = house.setup();
    let token = setup.config.service.listen_token.as_ref()?;
    let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let given = given.strip_prefix("Bearer ").unwrap_or_default();
    let wanted = token.expose();
    // The comparison takes the same time wherever the first difference stands.
    let same = given.len() == wanted.len()
        && given.bytes().zip(wanted.bytes()).fold(0, |all, (a, b)| all | (a ^ b)) == 0;
    (!same).then(|| (StatusCode::UNAUTHORIZED, "a bearer token is needed\n").into_response())
}

async fn counts(house: &House) -> Result<(Counts, dispatch::Channel), StoreError> {
    let setup = house.setup();
    let now = setup.clock.now();
    let read = tokio::task::spawn_blocking(move || {
        setup.store.read(|tx| Ok((tx.counts(now)?, dispatch::channel(tx)?)))
    });
    read.await.unwrap_or(Err(StoreError::Closed))
}

async fn health(State(house): State<Arc<House>>, headers: HeaderMap) -> Response {
    if let Some(refusal) = refused(&house, &headers) {
        return refusal;
    }
    let now = house.setup().clock.now();
    let mut reasons = Vec::new();
    match counts(&house).await {
        Err(why) => reasons.push(why.to_string()),
        Ok((counts, channel)) => {
            if counts.feeds > 0 && counts.failing == counts.feeds {
                reasons.push("every feed is failing".to_owned());
            }
            if counts.oldest_due.is_some_and(|due| now.duration_since(due).as_mins() > 30) {
                reasons.push("polling is more than 30 minutes behind".to_owned());
            }
            if channel.misconfigured {
                reasons.push("the mail server refuses this configuration".to_owned());
            }
            if counts.oldest_unsent.is_some_and(|at| now.duration_since(at).as_hours() >= 1) {
                reasons.push("mail has been waiting for more than an hour".to_owned());
            }
        }
    }
    let ready = reasons.is_empty();
    let body = serde_json::json!({ "live": true, "ready": ready, "reasons": reasons });
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, [(header::CONTENT_TYPE, "application/json")], format!("{body}\n")).into_response()
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Labelled {
    kind: String,
}

async fn metrics(State(house): State<Arc<House>>, headers: HeaderMap) -> Response {
    if let Some(refusal) = refused(&house, &headers) {
        return refusal;
    }
    match exposition(&house).await {
        Ok(text) => {
            let kind = "text/plain; version=0.0.4; charset=utf-8";
            ([(header::CONTENT_TYPE, kind)], text).into_response()
        }
        Err(why) => (StatusCode::INTERNAL_SERVER_ERROR, format!("{why}\n")).into_response(),
    }
}

/// Writes all metrics; label values come from fixed lists and the rule files, never from feeds.
async fn exposition(house: &House) -> Result<String, StoreError> {
    let setup = house.setup();
    let now = setup.clock.now();
    let (counts, channel) = counts(house).await?;
    let reader = Arc::clone(&setup);
    let hits = tokio::task::spawn_blocking(move || {
        reader.store.read(|tx| tx.hits_by_rule(jiff::Timestamp::UNIX_EPOCH))
    });
    let hits = hits.await.unwrap_or(Err(StoreError::Closed))?;
    let tally = &house.tally;
    let mut registry = Registry::with_prefix("burdenwatch");
    let number = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
    let family = |registry: &mut Registry, name: &str, help: &str, values: &[(&str, u64)]| {
        let family = Family::<Labelled, Gauge>::default();
        for (kind, value) in values {
            family.get_or_create(&Labelled { kind: (*kind).to_owned() }).set(number(*value));
        }
        registry.register(name, help, family);
    };
    let load = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
    for (name, help, value) in [
        ("polls_read", "Polls that brought a document", load(&tally.read)),
        ("polls_unchanged", "Polls answered 304", load(&tally.unchanged)),
        ("polls_failed", "Polls that failed", load(&tally.failed)),
        ("entries_read", "Entries in documents read", load(&tally.entries)),
        ("articles_new", "Articles not seen before", load(&tally.new)),
        ("mails_sent", "Mails the server accepted", load(&tally.sent)),
        ("mails_put_off", "Tries that ended deferred or uncertain", load(&tally.put_off)),
        ("mails_refused", "Mails refused for good", load(&tally.refused)),
        ("store_commits", "Transactions committed", setup.store.commits()),
    ] {
        registry.register(name, help, ConstCounter::new(value));
    }
    let seconds = |at: Option<jiff::Timestamp>| at.map_or(0, |at| now.duration_since(at).as_secs().max(0));
    for (name, help, value) in [
        (
            "polls_in_flight",
            "Polls under way",
            i64::try_from(tally.in_flight.load(Ordering::Relaxed)).unwrap_or(0),
        ),
        (
            "feeds_due",
            "Feeds that are due and wait for their turn",
            i64::try_from(tally.due.load(Ordering::Relaxed)).unwrap_or(0),
        ),
        ("articles", "Articles in the archive", number(counts.articles)),
        ("matches", "Articles flagged", number(counts.matches)),
        ("stories", "Stories", number(counts.stories)),
        ("alerts_waiting", "Alerts that wait to be mailed", number(counts.waiting_alerts)),
        ("mail_channel_failures", "Failures of the mail server in a row", i64::from(channel.failures)),
    ] {
        let gauge = Gauge::<i64>::default();
        gauge.set(value);
        registry.register(name, help, gauge);
    }
    for (name, help, value) in [
        ("polling_lag", "How long the most overdue feed is overdue", seconds(counts.oldest_due)),
        ("outbox_oldest_age", "Age of the oldest undelivered mail", seconds(counts.oldest_unsent)),
        ("last_poll_age", "Time since any feed was polled", seconds(counts.last_poll)),
    ] {
        let gauge = Gauge::<i64>::default();
        gauge.set(value);
        registry.register_with_unit(name, help, Unit::Seconds, gauge);
    }
    let size = Gauge::<i64>::default();
    size.set(std::fs::metadata(setup.store.path()).map_or(0, |file| number(file.len())));
    registry.register_with_unit("database_size", "Size of the database file", Unit::Bytes, size);
    family(
        &mut registry,
        "feeds",
        "Feeds by state",
        &[("healthy", counts.feeds - counts.failing), ("failing", counts.failing)],
    );
    let outbox = [
        ("queued", counts.queued),
        ("deferred", counts.deferred),
        ("uncertain", counts.uncertain),
        ("sent", counts.sent),
        ("failed", counts.failed),
    ];
    family(&mut registry, "outbox_mails", "Mails by state", &outbox);
    let by_rule: Vec<(&str, u64)> = hits.iter().map(|(rule, hits)| (rule.as_str(), *hits)).collect();
    family(&mut registry, "rule_matches", "Articles flagged, by rule", &by_rule);
    let mut text = String::new();
    if encode(&mut text, &registry).is_err() {
        text.clear();
    }
    Ok(classic(&text))
}

/// Puts OpenMetrics into the older text format, which every scraper reads: a counter is described under its full name.
fn classic(text: &str) -> String {
    let counters: HashSet<&str> =
        text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.strip_suffix(" counter")).collect();
    let mut classic = String::with_capacity(text.len() + 256);
    for line in text.lines().filter(|line| !line.starts_with("# UNIT ") && *line != "# EOF") {
        let mut words = line.splitn(4, ' ');
        match (words.next(), words.next(), words.next(), words.next()) {
            (Some("#"), Some(what), Some(name), Some(rest)) if counters.contains(name) => {
                let _ = writeln!(classic, "# {what} {name}_total {rest}");
            }
            _ => {
                let _ = writeln!(classic, "{line}");
            }
        }
    }
    classic
}

#[cfg(test)]
mod tests {
    use super::classic;

    #[test]
    fn a_counter_is_described_under_its_full_name() {
        let open = "# HELP a_polls Polls, all.\n# TYPE a_polls counter\na_polls_total 3\n\
                    # HELP a_age_seconds Age.\n# TYPE a_age_seconds gauge\n# UNIT a_age_seconds seconds\na_age_seconds 1\n# EOF\n";
        let text = "# HELP a_polls_total Polls, all.\n# TYPE a_polls_total counter\na_polls_total 3\n\
                    # HELP a_age_seconds Age.\n# TYPE a_age_seconds gauge\na_age_seconds 1\n";
        assert_eq!(classic(open), text);
    }
}
