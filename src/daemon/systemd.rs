//! What systemd is told; without a notify socket all of this is nothing.

use std::time::Duration;

use sd_notify::NotifyState;

/// The configuration, the database and the outbox are open, the first poll is scheduled.
pub(crate) fn ready() {
    send(&[NotifyState::Ready]);
}

/// A stop has begun.
pub(crate) fn stopping() {
    send(&[NotifyState::Stopping]);
}

/// A reload has begun; `ready` ends it.
pub(crate) fn reloading() {
    match NotifyState::monotonic_usec_now() {
        Ok(now) => send(&[NotifyState::Reloading, now]),
        Err(_) => send(&[NotifyState::Reloading]),
    }
}

/// The line `systemctl status` shows.
pub(crate) fn status(line: &str) {
    // A newline would start another assignment.
    let line: String = line.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    send(&[NotifyState::Status(&line)]);
}

/// Work goes on.
pub(crate) fn alive() {
    send(&[NotifyState::Watchdog]);
}

/// How often systemd wants to hear that work goes on.
pub(crate) fn watchdog() -> Option<Duration> {
    sd_notify::watchdog_enabled()
}

fn send(states: &[NotifyState<'_>]) {
    if let Err(why) = sd_notify::notify(states) {
        tracing::debug!("systemd was not told: {why}");
    }
}
