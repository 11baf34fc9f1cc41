//! What an answer that is not a redirect comes to.

use std::time::Duration;

use jiff::Timestamp;
use reqwest::StatusCode;
use reqwest::header::{
    CONTENT_ENCODING, CONTENT_TYPE, ETAG, HeaderMap, HeaderName, LAST_MODIFIED, TRANSFER_ENCODING,
};

use super::hop::{self, Chain};
use super::unpack::{Unpackable, Unpacker};
use super::{Failure, FailureKind, Response, Validators, fault, wall, wishes};

/// A validator longer than this is not one.
const LONGEST_VALIDATOR: usize = 1024;
/// Room made for a body before its first bytes; more only as they come.
const FIRST_ROOM: usize = 256 * 1024;

/// What a body is held to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    pub(super) body: u64,
    pub(super) idle: Duration,
    pub(super) whole: Duration,
}

/// Reads an answer to its end, or as far as its status makes it interesting.
pub(super) async fn read(
    got: reqwest::Response,
    chain: &Chain,
    sent: &Validators,
    limits: Limits,
    now: Timestamp,
) -> Result<Response, Failure> {
    let status = got.status();
    let conditional = !chain.left_origin() && *sent != Validators::default();
    // A 200 is the feed: some walls sign also what they let pass.
    let judged = status != StatusCode::OK && status != StatusCode::NOT_MODIFIED;
    if let Some(name) = wall::by_headers(got.headers()).filter(|_| judged) {
        return Err(wall::failure(&chain.url, status, name, wishes::read(got.headers(), now).retry_after));
    }
    if !(status.is_success() || status == StatusCode::NOT_MODIFIED && conditional) {
        return Err(failure(got, chain, now).await);
    }
    let headers = got.headers();
    let content_type = text(headers, &CONTENT_TYPE);
    let wishes = wishes::read(headers, now);
    let fresh =
        Validators { etag: validator(headers, &ETAG), last_modified: validator(headers, &LAST_MODIFIED) };
    let (validators, body) = if status == StatusCode::NOT_MODIFIED {
        (updated(sent, fresh), Vec::new())
    } else {
        (fresh, body(got, chain, limits).await?)
    };
    Ok(Response {
        status: if status == StatusCode::NOT_MODIFIED { 304 } else { 200 },
        final_url: chain.url.clone(),
        moved_to: chain.moved_to.clone(),
        content_type,
        validators,
        wishes,
        body,
    })
}

/// Streams a body, counting what comes out of its packing.
async fn body(mut got: reqwest::Response, chain: &Chain, limits: Limits) -> Result<Vec<u8>, Failure> {
    let announced = got.content_length();
    if announced.is_some_and(|length| length > limits.body) {
        return Err(fault::too_large(&chain.url, limits.body));
    }
    // An old server ends a body by hanging up, and some forget the TLS goodbye: that body is whole.
    let ends_by_closing = announced.is_none() && !got.headers().contains_key(TRANSFER_ENCODING);
    let room = announced.and_then(|length| usize::try_from(length).ok()).unwrap_or(0);
    // A feed comes out of its packing some five times as long.
    let room = if got.headers().contains_key(CONTENT_ENCODING) { room.saturating_mul(5) } else { room };
    let mut body = Unpacker::new(got.headers(), limits.body, room.min(FIRST_ROOM));
    let failed = |why: &Unpackable| match why {
        Unpackable::TooLarge => fault::too_large(&chain.url, limits.body),
        why => fault::packed(&chain.url, why),
    };
    loop {
        let Ok(next) = tokio::time::timeout(limits.idle, got.chunk()).await else {
            return Err(fault::stalled(&chain.url, limits.idle, body.len()));
        };
        match next {
            Ok(Some(chunk)) => {
                body.take(&chunk).map_err(|why| failed(&why))?;
            }
            Ok(None) => return body.finish().map_err(|why| failed(&why)),
            Err(error) if ends_by_closing && body.len() > 0 && fault::no_goodbye(&error) => {
                return body.finish().map_err(|why| failed(&why));
            }
            Err(error) => return Err(fault::of(&error, &chain.url, chain.redirected(), limits.whole)),
        }
    }
}

/// A status that is no answer, in words.
async fn failure(got: reqwest::Response, chain: &Chain, now: Timestamp) -> Failure {
    let (status, retry_after) = (got.status(), wishes::read(got.headers(), now).retry_after);
    let host = hop::host(&chain.url);
    let code = status.as_u16();
    let (kind, what) = match code {
        410 => (FailureKind::Gone, format!("{host} answered 410: the feed is gone for good")),
        429 => (FailureKind::Throttled, format!("{host} answered 429: we ask too often")),
        503 if retry_after.is_some() => {
            (FailureKind::Throttled, format!("{host} answered 503 and wants to be asked later"))
        }
        304 => (FailureKind::Status, format!("{host} answered 304 although nothing was asked conditionally")),
        401 => {
            (FailureKind::Status, format!("{host} answered 401: give the feed a basic_auth, or correct it"))
        }
        404 => {
            (FailureKind::Status, format!("{host} answered 404: there is no feed at this address (any more)"))
        }
        407 => (FailureKind::Status, "the proxy answered 407: it wants a login".to_owned()),
        403 | 503 => {
            if let Some(name) = wall::by_body(got).await {
                return wall::failure(&chain.url, status, name, retry_after);
            }
            let hint = if code == 403 { ": it may refuse this user_agent" } else { "" };
            (FailureKind::Status, format!("{host} answered {status}{hint}"))
        }
        _ => (FailureKind::Status, format!("{host} answered {status}")),
    };
    Failure { kind, what, status: Some(code), retry_after }
}

/// The validators of a 304: what it names replaces what was sent.
fn updated(sent: &Validators, fresh: Validators) -> Validators {
    Validators {
        etag: fresh.etag.or_else(|| sent.etag.clone()),
        last_modified: fresh.last_modified.or_else(|| sent.last_modified.clone()),
    }
}

fn validator(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    text(headers, name).filter(|text| !text.is_empty() && text.len() <= LONGEST_VALIDATOR)
}

/// A header verbatim; bytes beyond ASCII count where they are UTF-8.
fn text(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    std::str::from_utf8(headers.get(name)?.as_bytes()).ok().map(ToOwned::to_owned)
}
