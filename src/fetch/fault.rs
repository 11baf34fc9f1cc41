//! What went wrong below HTTP, in words for the operator.

use std::error::Error;
use std::io;
use std::time::Duration;

use url::Url;

use super::clients::SetupError;
use super::guard::Refusal;
use super::resolve::Unresolved;
use super::unpack::Unpackable;
use super::{Failure, FailureKind, hop};

/// Classifies an error of the HTTP client.
pub(super) fn of(failed: &reqwest::Error, url: &Url, redirected: bool, limit: Duration) -> Failure {
    let host = hop::host(url);
    if let Some(refusal) = find::<Refusal>(failed) {
        return refused(url, redirected, refusal);
    }
    if let Some(unresolved) = find::<Unresolved>(failed) {
        let kind = if matches!(unresolved, Unresolved::Slow(_)) {
            FailureKind::Timeout
        } else {
            FailureKind::Unreachable
        };
        return plain(kind, format!("{host} cannot be found: {unresolved}"));
    }
    // A time limit also calls itself a decoding or a connection error: asked first.
    if failed.is_timeout() {
        return match failed.is_connect() {
            true => plain(FailureKind::Timeout, format!("{host} did not accept a connection in time")),
            false => late(url, limit),
        };
    }
    let chain = chain(failed);
    if let Some(what) = certificate(&host, &chain) {
        return plain(FailureKind::Tls, what);
    }
    if chain.contains("message head is too large") || chain.contains("header list") {
        return plain(FailureKind::TooLarge, format!("{host} sent more headers than allowed"));
    }
    let (kind, what) = match reason(failed) {
        Some(io::ErrorKind::ConnectionRefused) => {
            (FailureKind::Unreachable, format!("{host} refused the connection"))
        }
        Some(io::ErrorKind::NetworkUnreachable | io::ErrorKind::HostUnreachable) => {
            (FailureKind::Unreachable, format!("there is no route to {host}"))
        }
        _ if failed.is_connect() => (FailureKind::Unreachable, format!("no connection to {host}: {chain}")),
        _ if failed.is_decode() || failed.is_body() => {
            (FailureKind::Body, format!("the body from {host} is cut short or does not decompress: {chain}"))
        }
        _ if hung_up(failed) => (FailureKind::Unreachable, format!("{host} hung up before it answered")),
        _ => (FailureKind::Unreachable, format!("{host} did not answer in HTTP: {chain}")),
    };
    plain(kind, what)
}

fn reason(failed: &reqwest::Error) -> Option<io::ErrorKind> {
    find::<io::Error>(failed).map(io::Error::kind)
}

/// Whether the server took the request's connection, and closed it without an answer.
pub(super) fn hung_up(failed: &reqwest::Error) -> bool {
    if failed.is_connect() || failed.is_timeout() || failed.is_decode() || failed.is_body() {
        return false;
    }
    matches!(
        reason(failed),
        Some(io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe | io::ErrorKind::UnexpectedEof)
    ) || chain(failed).contains("connection closed before message completed")
}

/// The whole time is over.
pub(super) fn late(url: &Url, limit: Duration) -> Failure {
    plain(FailureKind::Timeout, format!("{} did not answer within {}", hop::host(url), span(limit)))
}

/// A body stands still.
pub(super) fn stalled(url: &Url, idle: Duration, came: usize) -> Failure {
    let what = format!("{} sent nothing for {} after {came} bytes of the body", hop::host(url), span(idle));
    plain(FailureKind::Timeout, what)
}

/// The guard says no.
pub(super) fn refused(url: &Url, redirected: bool, refusal: &Refusal) -> Failure {
    let what = match (url.host(), redirected) {
        (Some(url::Host::Domain(name)), false) => format!("{name} is {refusal}"),
        (Some(url::Host::Domain(name)), true) => format!("the feed redirects to {name}, {refusal}"),
        (_, false) => format!("the feed's address is {refusal}"),
        (_, true) => format!("the feed redirects to {refusal}"),
    };
    plain(FailureKind::Refused, what)
}

/// More than the limit.
pub(super) fn too_large(url: &Url, limit: u64) -> Failure {
    let what = format!("the body from {} is larger than max_body, {}", hop::host(url), size(limit));
    plain(FailureKind::TooLarge, what)
}

/// A body does not unpack.
pub(super) fn packed(url: &Url, why: &Unpackable) -> Failure {
    let what = format!("the body from {} is cut short or does not decompress: {why}", hop::host(url));
    plain(FailureKind::Body, what)
}

/// The machine lacks something.
pub(super) fn setup(url: &Url, lack: &SetupError) -> Failure {
    plain(FailureKind::Tls, format!("{} was not asked: {lack}", hop::host(url)))
}

/// Whether a TLS stream ended without its goodbye.
pub(super) fn no_goodbye(failed: &reqwest::Error) -> bool {
    find::<io::Error>(failed).is_some_and(|error| error.kind() == io::ErrorKind::UnexpectedEof)
}

/// An error and its causes in one line, without the URL (it may hold a key) and without repetition.
pub(super) fn chain(failed: &reqwest::Error) -> String {
    let mut line = String::new();
    let mut next = failed.source();
    while let Some(cause) = next {
        let words = cause.to_string();
        if !line.contains(&words) {
            if !line.is_empty() {
                line.push_str(": ");
            }
            line.extend(words.chars().take(200));
        }
        next = cause.source();
    }
    if line.is_empty() { "no reason given".to_owned() } else { line }
}

/// TLS failures name themselves only in words.
fn certificate(host: &str, chain: &str) -> Option<String> {
    let reason = if chain.contains("UnknownIssuer") || chain.contains("SelfSigned") {
        "its issuer is unknown to this system"
    } else if chain.contains("certificate expired") || chain.contains("Expired") {
        "it has expired"
    } else if chain.contains("NotValidYet") || chain.contains("not valid yet") {
        "it is not valid yet (is the clock right?)"
    } else if chain.contains("not valid for name") || chain.contains("NotValidForName") {
        "it belongs to another name"
    } else if chain.contains("invalid peer certificate") {
        return Some(format!("the certificate of {host} is not trusted: {chain}"));
    } else if chain.contains("fatal alert")
        || chain.contains("corrupt message")
        || chain.contains("peer is incompatible")
    {
        return Some(format!("no TLS with {host}: {chain}"));
    } else {
        return None;
    };
    Some(format!("the certificate of {host} is not trusted: {reason}"))
}

fn find<E: Error + 'static>(failed: &reqwest::Error) -> Option<&E> {
    let mut next = failed.source();
    while let Some(cause) = next {
        if let Some(found) = cause.downcast_ref::<E>() {
            return Some(found);
        }
        next = cause.source();
    }
    None
}

fn plain(kind: FailureKind, what: String) -> Failure {
    Failure { kind, what, status: None, retry_after: None }
}

fn span(time: Duration) -> String {
    if time.subsec_millis() == 0 {
        format!("{} s", time.as_secs())
    } else {
        format!("{} ms", time.as_millis())
    }
}

fn size(bytes: u64) -> String {
    match (bytes >> 20, bytes & ((1 << 20) - 1)) {
        (mib, 0) => format!("{mib} MiB"),
        _ => format!("{bytes} bytes"),
    }
}
