//! A delivery: claim what is due, hand it over, record what the server said.
//!
//! At least once, with the same bytes and Message-ID on every try. What each
//! reply means is fixed here, in `settle`; nothing is dropped silently.

use std::collections::VecDeque;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::flow::Setup;
use crate::flow::undelivered;
use crate::mail::{Outcome, OutcomeKind, Session};
use crate::store::{OutboxRow, StoreError, Tx};

/// Mails claimed at once; each batch has a fresh connection.
const BATCH: u32 = 100;
/// A lease outlives the longest a batch may take with one slow reply; a dead owner's are void at once.
const LEASE: SignedDuration = SignedDuration::from_mins(60);
/// Three refusals over this long suspend a recipient.
const SUSPEND_AFTER: SignedDuration = SignedDuration::from_hours(72);
/// How often recording an outcome is tried, two seconds apart: for an hour, as long as the lease.
const RECORD_TRIES: u32 = 1800;
/// The fact that holds the mail server's pause.
const CHANNEL: &str = "mail.channel";

/// What a round of deliveries did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Delivered {
    /// Accepted by the server.
    pub sent: usize,
    /// To be tried again.
    pub put_off: usize,
    /// Given up.
    pub failed: usize,
}

/// The mail server's state as a whole: a server that is down is asked rarely, not once a mail.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Channel {
    /// Failures in a row.
    pub failures: u32,
    /// Since when.
    pub since: Option<Timestamp>,
    /// When it is tried again.
    pub until: Option<Timestamp>,
    /// What it said.
    pub why: String,
    /// Whether our configuration is at fault.
    pub misconfigured: bool,
}

/// Returns the mail server's state.
pub fn channel(tx: Tx<'_>) -> Result<Channel, StoreError> {
    Ok(tx.fact(CHANNEL)?.and_then(|json| serde_json::from_str(&json).ok()).unwrap_or_default())
}

/// Ends a pause that lasts beyond `latest`: a clock that was ahead began it.
pub fn bound_pause(tx: Tx<'_>, latest: Timestamp) -> Result<(), StoreError> {
    let mut state = channel(tx)?;
    if state.until.take_if(|until| *until > latest).is_some() {
        tx.set_fact(CHANNEL, serde_json::to_string(&state).ok().as_deref())?;
    }
    Ok(())
}

/// Moves the mail server's pause: the clock was set by `step`.
pub fn move_pause(tx: Tx<'_>, step: SignedDuration) -> Result<(), StoreError> {
    let state = channel(tx)?;
    if state.until.is_none() {
        return Ok(());
    }
    let moved = |at: Option<Timestamp>| at.and_then(|at| at.checked_add(step).ok());
    let state = Channel { until: moved(state.until), since: moved(state.since), ..state };
    tx.set_fact(CHANNEL, serde_json::to_string(&state).ok().as_deref())
}

/// Delivers everything that is due now.
pub async fn deliver_due(
    setup: &Setup,
    stop: &tokio_util::sync::CancellationToken,
) -> Result<Delivered, StoreError> {
    let mut done = Delivered::default();
    let (run, now) = (setup.run.id.clone(), setup.clock.now());
    // Claims of an earlier round of ours that the database failed: nobody works on them.
    setup.store.write(move |tx| tx.void_own(&run, now)).await?;
    undelivered::fold_overdue(setup).await?;
    let mut turn = 0_u64;
    while !stop.is_cancelled() {
        turn += 1;
        let now = setup.clock.now();
        // A single run tries once whatever the server did before; the daemon keeps its pauses.
        let server = setup.store.write(channel).await?;
        if server.until.is_some_and(|until| until > now) && !setup.run.once {
            break;
        }
        let owner = format!("{}.{turn}", setup.run.id);
        let (claimer, until) = (owner.clone(), now.saturating_add(LEASE).unwrap_or(Timestamp::MAX));
        let batch = setup.store.write(move |tx| tx.claim_mails(&claimer, now, until, BATCH)).await?;
        if batch.is_empty() {
            break;
        }
        let sent_before = done.sent;
        let open = deliver_batch(setup, &owner, batch, &mut done, stop).await?;
        if done.sent > sent_before && server.failures > 0 {
            resume(setup).await?;
        }
        if !open {
            break;
        }
    }
    Ok(done)
}

/// Delivers a batch over one connection, and another where the server drops it; returns whether the server is there.
async fn deliver_batch(
    setup: &Setup,
    owner: &str,
    batch: Vec<OutboxRow>,
    done: &mut Delivered,
    stop: &tokio_util::sync::CancellationToken,
) -> Result<bool, StoreError> {
    let mut session: Option<Session> = None;
    let mut mails: VecDeque<OutboxRow> = batch.into();
    // Mails this connection has carried: one that was dropped after some proves nothing about the next.
    let mut carried = 0_usize;
    while let Some(mail) = mails.pop_front() {
        if stop.is_cancelled() {
            // What was not begun goes back as it was.
            give_back(setup, owner, setup.clock.now()).await?;
            break;
        }
        if session.as_ref().is_none_or(|session| !session.usable()) {
            session = match setup.mailer.connect().await {
                Ok(session) => {
                    carried = 0;
                    Some(session)
                }
                Err(outcome) => {
                    let next = settle(setup, &mail, &outcome, done).await?;
                    pause(setup, &outcome).await?;
                    give_back(setup, owner, next).await?;
                    return Ok(false);
                }
            };
        }
        let Some(open) = session.as_mut() else { break };
        let id = mail.id;
        let bytes = setup.store.read(|tx| tx.mail_bytes(id))?;
        let outcome = open.send(&mail.sender, &mail.recipient, &bytes, &file_name(&mail)).await;
        if carried > 0 && hung_up(open, &outcome) {
            // The server takes so many mails a connection: this one has a fresh connection at once.
            mails.push_front(mail);
            session = None;
            continue;
        }
        carried += 1;
        let next = settle(setup, &mail, &outcome, done).await?;
        if outcome.kind == OutcomeKind::Misconfigured {
            pause(setup, &outcome).await?;
            give_back(setup, owner, next).await?;
            return Ok(false);
        }
    }
    if let Some(session) = session {
        session.close().await;
    }
    Ok(true)
}

/// Whether the connection ended before the server said anything about the mail.
fn hung_up(session: &Session, outcome: &Outcome) -> bool {
    outcome.kind == OutcomeKind::Deferred && !session.usable() && outcome.code.is_none_or(|code| code == 421)
}

/// Records what a try means; returns when the mail is next due.
async fn settle(
    setup: &Setup,
    mail: &OutboxRow,
    outcome: &Outcome,
    done: &mut Delivered,
) -> Result<Timestamp, StoreError> {
    let now = setup.clock.now();
    let again = setup
        .clock
        .now()
        .saturating_add(wait(&setup.config.mail.retry, mail.attempts))
        .unwrap_or(Timestamp::MAX);
    let (state, next) = match outcome.kind {
        OutcomeKind::Sent => ("sent", None),
        OutcomeKind::RecipientRefused | OutcomeKind::ContentRefused => ("failed", None),
        OutcomeKind::Deferred | OutcomeKind::Misconfigured => ("deferred", Some(again)),
        OutcomeKind::Uncertain => ("uncertain", Some(again)),
    };
    match state {
        "sent" => done.sent += 1,
        "failed" => done.failed += 1,
        _ => done.put_off += 1,
    }
    let (id, code, reply, address) = (mail.id, outcome.code, outcome.reply.clone(), mail.recipient.clone());
    let (kind, name) = (outcome.kind, outcome_name(outcome.kind));
    for more in (0..RECORD_TRIES).rev() {
        let (reply, address) = (reply.clone(), address.clone());
        let (config, key, of) = (setup.config.clone(), mail.dedup_key.clone(), mail.kind.clone());
        let recorded = setup
            .store
            .write(move |tx| {
                tx.record_try(id, now, state, next, (name, code, &reply))?;
                match kind {
                    OutcomeKind::Sent => tx.forget_refusals(Some(&address)),
                    OutcomeKind::RecipientRefused => {
                        let spread = i64::try_from(SUSPEND_AFTER.as_millis()).unwrap_or(i64::MAX);
                        tx.count_refusal(&address, now, spread)?;
                        undelivered::fold_if_refused(tx, &config, &key)
                    }
                    // A digest whose content is refused would be refused again with the same content:
                    // the next one says so, and `digest show` has it.
                    OutcomeKind::ContentRefused if of != "digest" => {
                        undelivered::fold_if_refused(tx, &config, &key)
                    }
                    _ => Ok(()),
                }
            })
            .await;
        match recorded {
            Ok(()) => break,
            // A full disk ends; what the server took is not to be sent again for it.
            Err(why) if more > 0 && !setup.run.once => {
                tracing::error!(
                    outbox = id,
                    "what became of mail {id} ({state}) cannot be recorded: {why}; tried again in 2 s, no other mail is sent meanwhile"
                );
                tokio::time::sleep(std::time::Duration::from_secs(2)).await;
            }
            Err(why) => return Err(why),
        }
    }
    log(mail, outcome, state, again.duration_since(now));
    Ok(again)
}

/// One line a mail, with its ids as fields; the recipient's address stays out of the log.
fn log(mail: &OutboxRow, outcome: &Outcome, state: &str, wait: SignedDuration) {
    let id = mail.message_id.trim_matches(['<', '>']);
    let (outbox, reply, minutes) = (mail.id, outcome.reply.as_str(), wait.as_mins());
    match state {
        "sent" => {
            tracing::info!(message_id = id, outbox, kind = mail.kind, "sent mail {outbox} ({})", mail.kind)
        }
        "failed" => tracing::warn!(
            message_id = id,
            outbox,
            kind = mail.kind,
            "mail {outbox} was refused for good: {reply}; the next digest says so, `burdenwatch outbox show {outbox}` has the details"
        ),
        _ => tracing::info!(
            message_id = id,
            outbox,
            kind = mail.kind,
            "mail {outbox} is {state}: {reply}; tried again in {minutes} min with the same bytes"
        ),
    }
}

fn outcome_name(kind: OutcomeKind) -> &'static str {
    match kind {
        OutcomeKind::Sent => "sent",
        OutcomeKind::Deferred => "deferred",
        OutcomeKind::RecipientRefused => "recipient refused",
        OutcomeKind::ContentRefused => "content refused",
        OutcomeKind::Misconfigured => "misconfigured",
        OutcomeKind::Uncertain => "uncertain",
    }
}

/// The wait after a try, with 20 % jitter so that many mails do not come back together.
fn wait(retry: &[std::time::Duration], attempts: u32) -> SignedDuration {
    let place = usize::try_from(attempts).unwrap_or(usize::MAX);
    let base = retry.get(place).or(retry.last()).copied().unwrap_or(std::time::Duration::from_secs(60));
    let jittered = base.mul_f64(0.8 + 0.4 * fastrand::f64());
    SignedDuration::try_from(jittered).unwrap_or(SignedDuration::from_hours(4))
}

/// The name of a mail in a directory: its time, its id, its kind.
pub fn file_name(mail: &OutboxRow) -> String {
    let id = mail.message_id.trim_matches(['<', '>']);
    let stem = id.split_once('@').map_or(id, |(stem, _)| stem);
    let day = mail.created_at.strftime("%Y%m%dT%H%M%SZ");
    format!("{day}-{stem}.eml")
}

async fn give_back(setup: &Setup, owner: &str, next: Timestamp) -> Result<(), StoreError> {
    let owner = owner.to_owned();
    setup.store.write(move |tx| tx.release_mails(&owner, next)).await
}

/// Leaves the server alone for a while after it could not be reached or refused us as a whole.
async fn pause(setup: &Setup, outcome: &Outcome) -> Result<(), StoreError> {
    let now = setup.clock.now();
    let (retry, why) = (setup.config.mail.retry.clone(), outcome.reply.clone());
    let misconfigured = outcome.kind == OutcomeKind::Misconfigured;
    let state = setup
        .store
        .write(move |tx| {
            let before = channel(tx)?;
            let state = Channel {
                until: now.checked_add(wait(&retry, before.failures)).ok(),
                failures: before.failures.saturating_add(1),
                since: before.since.or(Some(now)),
                why,
                misconfigured,
            };
            tx.set_fact(CHANNEL, serde_json::to_string(&state).ok().as_deref())?;
            Ok(state)
        })
        .await?;
    if misconfigured {
        tracing::error!(
            failures = state.failures,
            "the mail server refuses this configuration: {}; mail stays queued. Check [mail.smtp] with `burdenwatch check --online`",
            outcome.reply
        );
    } else {
        tracing::warn!(
            failures = state.failures,
            "the mail server cannot be used: {}; mail stays queued",
            outcome.reply
        );
    }
    Ok(())
}

/// Ends the pause: the server took a mail.
async fn resume(setup: &Setup) -> Result<(), StoreError> {
    setup.store.write(|tx| tx.set_fact(CHANNEL, None)).await?;
    tracing::info!("the mail server takes mail again");
    Ok(())
}
