//! Bot walls: answers that judge the client, not the address.

use std::time::Duration;

use reqwest::StatusCode;
use reqwest::header::{HeaderMap, SERVER};
use url::Url;

use super::unpack::Unpacker;
use super::{Failure, FailureKind, hop};

/// As much of an error page as is looked at, and for how long.
const LOOK: u64 = 16 * 1024;
const PATIENCE: Duration = Duration::from_secs(2);

/// Headers that only a wall sends: name, what its value contains, whose wall.
const HEADERS: &[(&str, &str, &str)] = &[
    ("cf-mitigated", "challenge", "Cloudflare challenge"),
    ("x-amzn-waf-action", "", "AWS WAF challenge"),
    ("x-datadome", "protected", "DataDome wall"),
    ("x-sucuri-block", "", "Sucuri wall"),
    ("x-vercel-mitigated", "", "Vercel challenge"),
];

/// Words that only a wall's page has, in lower case.
const PAGES: &[(&str, &str)] = &[
    ("challenge-platform", "Cloudflare challenge"),
    ("cf-chl", "Cloudflare challenge"),
    ("cf_chl", "Cloudflare challenge"),
    ("cf-error-details", "Cloudflare block"),
    ("attention required! | cloudflare", "Cloudflare block"),
    ("_incapsula_resource", "Imperva wall"),
    ("px-captcha", "HUMAN wall"),
    ("captcha-delivery.com", "DataDome wall"),
    ("ddos-guard", "DDoS-Guard wall"),
    ("errors.edgesuite.net", "Akamai block"),
    ("sucuri website firewall", "Sucuri wall"),
    ("within.website/x/cmd/anubis", "Anubis wall"),
];

/// Recognises a wall by its headers.
pub(super) fn by_headers(headers: &HeaderMap) -> Option<&'static str> {
    let shows = |name: &str, part: &str| {
        headers.get(name).is_some_and(|value| value.to_str().is_ok_and(|value| value.contains(part)))
    };
    HEADERS.iter().find(|(name, part, _)| shows(name, part)).map(|(_, _, whose)| *whose)
}

/// Recognises a wall by the beginning of its page.
pub(super) async fn by_body(mut got: reqwest::Response) -> Option<&'static str> {
    let akamai =
        got.headers().get(SERVER).is_some_and(|server| server.as_bytes().starts_with(b"AkamaiGHost"));
    // As much as comes out before it is too much is all that is looked at.
    let mut page = Unpacker::new(got.headers(), LOOK, 0);
    let reading = async {
        while let Ok(Some(chunk)) = got.chunk().await {
            if page.take(&chunk).is_err() {
                break;
            }
        }
    };
    // A page that does not come in time is judged by what came.
    let _ = tokio::time::timeout(PATIENCE, reading).await;
    let page = String::from_utf8_lossy(page.so_far()).to_ascii_lowercase();
    let known = PAGES.iter().find(|(mark, _)| page.contains(mark)).map(|(_, whose)| *whose);
    known.or((akamai && page.contains("access denied")).then_some("Akamai block"))
}

/// The words for the operator.
pub(super) fn failure(url: &Url, status: StatusCode, whose: &str, retry_after: Option<Duration>) -> Failure {
    let what = format!(
        "{} answered {}; {whose}: try a user_agent the site knows, a proxy in another network, \
         or another feed of the same outlet",
        hop::host(url),
        status.as_u16()
    );
    Failure { kind: FailureKind::Blocked, what, status: Some(status.as_u16()), retry_after }
}
