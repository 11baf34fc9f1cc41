//! Tells the operator when the watch itself is ill: once, and once when it is well again.

use jiff::{SignedDuration, Timestamp};

use crate::config::Config;
use crate::digest;
use crate::digest::Templates;
use crate::flow::Setup;
use crate::flow::health::FAILING;
use crate::flow::letters::{Letter, queue};
use crate::mail::Kind;
use crate::store::{StoreError, Tx};

/// Mail that waits this long is stuck.
const STUCK: SignedDuration = SignedDuration::from_mins(60);
/// Below this share of free space, and this many bytes, the disk is nearly full.
const FREE_SHARE: u64 = 20;
const FREE_BYTES: u64 = 1 << 30;

/// An illness, by the name under which it is remembered.
struct Symptom {
    name: String,
    /// What is wrong; none when it is well.
    ill: Option<String>,
    /// What to say when it is over.
    well: String,
}

/// Looks at everything an operator wants to be told, and queues the notices. Does nothing without `[service] operator`.
pub async fn watch(setup: &Setup) -> Result<(), StoreError> {
    if setup.config.service.operator.is_none() {
        return Ok(());
    }
    let (config, templates, now) = (setup.config.clone(), setup.templates.clone(), setup.clock.now());
    let space = free_space(setup);
    setup
        .store
        .write(move |tx| {
            let mut symptoms = critical_feeds(tx, &config)?;
            symptoms.push(stuck_mail(tx, now)?);
            symptoms.push(full_disk(space));
            symptoms.push(refused(tx)?);
            symptoms.iter().try_for_each(|symptom| tell(tx, &config, &templates, symptom, now))
        })
        .await
}

fn critical_feeds(tx: Tx<'_>, config: &Config) -> Result<Vec<Symptom>, StoreError> {
    let mut symptoms = Vec::new();
    for critical in config.feeds.iter().filter(|feed| feed.critical) {
        let Some(feed) = tx.feed_named(&critical.name)? else { continue };
        symptoms.push(Symptom {
            name: format!("feed {}", feed.name),
            ill: (feed.failures >= FAILING).then(|| {
                format!(
                    "the critical feed \"{}\" failed {} times in a row: {}",
                    feed.name,
                    feed.failures,
                    feed.failure.unwrap_or_default()
                )
            }),
            well: format!("the critical feed \"{}\" can be read again", feed.name),
        });
    }
    Ok(symptoms)
}

fn stuck_mail(tx: Tx<'_>, now: Timestamp) -> Result<Symptom, StoreError> {
    let oldest = tx.counts(now)?.oldest_unsent;
    let age = oldest.map_or(SignedDuration::ZERO, |at| now.duration_since(at));
    Ok(Symptom {
        name: "mail".to_owned(),
        ill: (age > STUCK).then(|| {
            format!("mail has been waiting for {} minutes; `burdenwatch outbox list` says why", age.as_mins())
        }),
        well: "mail goes out again".to_owned(),
    })
}

fn refused(tx: Tx<'_>) -> Result<Symptom, StoreError> {
    let why = tx.fact("rules.refused")?.or(tx.fact("config.refused")?);
    Ok(Symptom {
        name: "configuration".to_owned(),
        ill: why.map(|why| {
            format!("a changed configuration or rule set was refused and the one before goes on: {why}")
        }),
        well: "the configuration and the rule set are accepted".to_owned(),
    })
}

fn full_disk(space: Option<(u64, u64)>) -> Symptom {
    let nearly = space.filter(|(free, total)| *free < FREE_BYTES && free.saturating_mul(FREE_SHARE) < *total);
    Symptom {
        name: "disk".to_owned(),
        ill: nearly.map(|(free, _)| {
            format!("the disk of the state directory is nearly full: {} MiB left", free >> 20)
        }),
        well: "the disk has space again".to_owned(),
    }
}

/// Free and total bytes where the database lies.
fn free_space(setup: &Setup) -> Option<(u64, u64)> {
    let at = rustix::fs::statvfs(setup.store.path()).ok()?;
    Some((at.f_bavail.saturating_mul(at.f_frsize), at.f_blocks.saturating_mul(at.f_frsize)))
}

/// Queues a notice when a symptom came or went; what was told is remembered across restarts.
fn tell(
    tx: Tx<'_>,
    config: &Config,
    templates: &Templates,
    symptom: &Symptom,
    now: Timestamp,
) -> Result<(), StoreError> {
    let Some(operator) = &config.service.operator else { return Ok(()) };
    let fact = format!("told {}", symptom.name);
    let told = tx.fact(&fact)?;
    let words = match (&symptom.ill, &told) {
        (Some(ill), None) => ill,
        (None, Some(_)) => &symptom.well,
        _ => return Ok(()),
    };
    tx.set_fact(&fact, symptom.ill.is_some().then(|| now.to_string()).as_deref())?;
    let headline = if symptom.ill.is_some() { "needs attention" } else { "is well again" };
    let rendered = digest::notice(
        &format!("burdenwatch {headline}: {}", symptom.name),
        std::slice::from_ref(words),
        templates,
    );
    let key = format!("notice|{}|{}|{}", symptom.name, headline, now.as_millisecond());
    let letter = Letter {
        kind: Kind::Notice,
        subscription: "",
        dedup_key: &key,
        to: std::slice::from_ref(operator),
        words: &rendered,
        thread: None,
        marks: Vec::new(),
    };
    queue(tx, config, &letter, now)
}
