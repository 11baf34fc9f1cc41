//! One request of a redirect chain, and what it carries to the next.

use reqwest::header::{
    ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, CONNECTION, COOKIE, HeaderMap, HeaderName, HeaderValue,
    IF_MODIFIED_SINCE, IF_NONE_MATCH, USER_AGENT,
};
use reqwest::{Method, StatusCode};
use url::Url;

use super::cookies::Cookies;
use super::{Connection, Failure, FailureKind, Request, unpack};

/// Redirects followed before giving up.
const MOST_HOPS: usize = 10;

/// The feed types; last anything, for servers that would answer 406.
const FEEDS: HeaderValue = HeaderValue::from_static(
    "application/atom+xml, application/rss+xml, application/feed+json, application/rdf+xml, \
     application/xml;q=0.9, text/xml;q=0.9, application/json;q=0.8, */*;q=0.5",
);

/// The chain as far as it has come.
#[derive(Debug)]
pub(super) struct Chain {
    /// Where the next request goes; without user, password and fragment.
    pub(super) url: Url,
    /// The end of the unbroken leading run of permanent redirects.
    pub(super) moved_to: Option<Url>,
    visited: Vec<Url>,
    permanent_so_far: bool,
    /// Headers for the origin the feed was configured with; none once it was left.
    own: Option<HeaderMap>,
    credentials: bool,
    agent: HeaderValue,
    cookies: Cookies,
}

impl Chain {
    /// Starts at the feed's own address.
    pub(super) fn new(request: &Request, agent: &HeaderValue) -> Result<Self, Failure> {
        let mut url = request.url.clone();
        let login = login(request);
        let _ = url.set_username("");
        let _ = url.set_password(None);
        url.set_fragment(None);
        let agent = match &request.user_agent {
            Some(own) => HeaderValue::from_str(own).map_err(|_| unfit("User-Agent"))?,
            None => agent.clone(),
        };
        let own = own_headers(request, login)?;
        let credentials = own.contains_key(AUTHORIZATION) || own.contains_key(COOKIE);
        Ok(Self {
            url,
            moved_to: None,
            visited: Vec::new(),
            permanent_so_far: true,
            own: Some(own),
            credentials,
            agent,
            cookies: Cookies::default(),
        })
    }

    /// Whether any redirect has been followed.
    pub(super) fn redirected(&self) -> bool {
        !self.visited.is_empty()
    }

    /// Whether the origin the feed was configured with has been left.
    pub(super) fn left_origin(&self) -> bool {
        self.own.is_none()
    }

    /// The request for the present hop.
    pub(super) fn request(&self, connection: Connection) -> reqwest::Request {
        let mut request = reqwest::Request::new(Method::GET, self.url.clone());
        let headers = request.headers_mut();
        headers.insert(ACCEPT, FEEDS);
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static(unpack::ACCEPTED));
        headers.insert(USER_AGENT, self.agent.clone());
        for (name, value) in self.own.iter().flatten() {
            headers.insert(name.clone(), value.clone());
        }
        // After the feed's own, which may name one too: the server's answer to it counts.
        if let Some(cookies) = self.cookies.header(&self.url) {
            headers.append(COOKIE, cookies);
        }
        if connection == Connection::Last {
            headers.insert(CONNECTION, HeaderValue::from_static("close"));
        }
        request
    }

    /// Moves on to where an answer points.
    pub(super) fn follow(&mut self, status: StatusCode, headers: &HeaderMap) -> Result<(), Failure> {
        let target = self.target(status, headers)?;
        let new_cookie = self.cookies.keep(&self.url, headers);
        let from = std::mem::replace(&mut self.url, target);
        self.visited.push(from.clone());
        let (here, target) = (host(&from), &self.url);
        let refuse = |kind, what| Failure { kind, what, status: Some(status.as_u16()), retry_after: None };
        if !matches!(target.scheme(), "http" | "https") {
            let what = format!("{here} redirects to {}, which is not http or https", shown(target));
            return Err(refuse(FailureKind::Refused, what));
        }
        let downgrade = from.scheme() == "https" && target.scheme() == "http";
        if downgrade && self.credentials && self.own.is_some() {
            let what = format!(
                "{here} redirects from https to {}, and this feed has a password: \
                 give the feed an address that stays on https",
                shown(target)
            );
            return Err(refuse(FailureKind::Redirects, what));
        }
        if downgrade {
            tracing::info!(from = %shown(&from), to = %shown(target), "a redirect leaves https for http");
        }
        if self.visited.contains(target) && !new_cookie {
            let what = format!("{here} redirects in a circle, back to {}", shown(target));
            return Err(refuse(FailureKind::Redirects, what));
        }
        if self.visited.len() > MOST_HOPS {
            let what = format!(
                "{} led to more than {MOST_HOPS} redirects, the last to {}",
                self.visited.first().map_or_else(String::new, shown),
                shown(target)
            );
            return Err(refuse(FailureKind::Redirects, what));
        }
        if from.origin() != target.origin() {
            self.own = None;
        }
        // A permanent address is never a less protected one, and a circle through a cookie is no move.
        self.permanent_so_far &= matches!(status.as_u16(), 301 | 308) && !downgrade && from != *target;
        if self.permanent_so_far {
            self.moved_to = Some(target.clone());
        }
        Ok(())
    }

    fn target(&self, status: StatusCode, headers: &HeaderMap) -> Result<Url, Failure> {
        let fail = |what| Failure {
            kind: FailureKind::Redirects,
            what,
            status: Some(status.as_u16()),
            retry_after: None,
        };
        let Some(location) = headers.get(reqwest::header::LOCATION) else {
            return Err(fail(format!("{} answered {status} without saying where to", host(&self.url))));
        };
        let location = String::from_utf8_lossy(location.as_bytes());
        let Ok(mut target) = self.url.join(location.trim()) else {
            return Err(fail(format!("{} redirects to an address that cannot be read", host(&self.url))));
        };
        target.set_fragment(None);
        // A server may not put a login of its choosing into our requests. Neither call fails on http(s).
        let _ = target.set_username("");
        let _ = target.set_password(None);
        Ok(target)
    }
}

/// The `Authorization` of a feed: `basic_auth`, else what its address carries.
fn login(request: &Request) -> Option<String> {
    if let Some((user, password)) = &request.basic_auth {
        return Some(format!("{user}:{}", password.expose()));
    }
    let (user, password) = (request.url.username(), request.url.password());
    if user.is_empty() && password.is_none() {
        return None;
    }
    Some(format!("{}:{}", unescaped(user), unescaped(password.unwrap_or_default())))
}

fn unescaped(text: &str) -> String {
    // A form's name is decoded like a URL's, but for the plus sign.
    let form = text.replace('+', "%2B").replace('&', "%26").replace('=', "%3D");
    url::form_urlencoded::parse(form.as_bytes())
        .next()
        .map_or_else(String::new, |(name, _)| name.into_owned())
}

fn own_headers(request: &Request, login: Option<String>) -> Result<HeaderMap, Failure> {
    let mut headers = HeaderMap::with_capacity(4);
    for (name, value) in &request.headers {
        let fits = HeaderName::from_bytes(name.as_bytes()).ok().zip(HeaderValue::from_str(value).ok());
        let (name, mut value) = fits.ok_or_else(|| unfit(name))?;
        value.set_sensitive(true);
        headers.insert(name, value);
    }
    let conditions =
        [(IF_NONE_MATCH, &request.validators.etag), (IF_MODIFIED_SINCE, &request.validators.last_modified)];
    for (name, validator) in conditions {
        let value = validator.as_ref().and_then(|text| HeaderValue::from_bytes(text.as_bytes()).ok());
        if let Some(value) = value {
            headers.insert(name, value);
        }
    }
    if let Some(login) = login {
        let encoded = format!("Basic {}", data_encoding::BASE64.encode(login.as_bytes()));
        let mut value = HeaderValue::from_str(&encoded).map_err(|_| unfit("Authorization"))?;
        value.set_sensitive(true);
        headers.insert(AUTHORIZATION, value);
    }
    Ok(headers)
}

fn unfit(header: &str) -> Failure {
    Failure {
        kind: FailureKind::Refused,
        what: format!(
            "the feed's header {header:?} cannot be sent: it has characters that HTTP does not allow"
        ),
        status: None,
        retry_after: None,
    }
}

/// Host and unusual port, as messages name a server.
pub(super) fn host(url: &Url) -> String {
    match (url.host_str(), url.port()) {
        (Some(host), Some(port)) => format!("{host}:{port}"),
        (Some(host), None) => host.to_owned(),
        (None, _) => "the server".to_owned(),
    }
}

/// A URL as messages show it: no login, no query (it may hold a key), not endless.
pub(super) fn shown(url: &Url) -> String {
    let path: String = url.path().chars().take(120).collect();
    let query = if url.query().is_some() { "?..." } else { "" };
    if url.has_host() {
        format!("{}://{}{path}{query}", url.scheme(), host(url))
    } else {
        format!("{}:{path}{query}", url.scheme())
    }
}

#[cfg(test)]
mod tests;
