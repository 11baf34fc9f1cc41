//! The cookies of one redirect chain.
//!
//! Some servers answer a first visit with a redirect to the same address and
//! a cookie. The cookie is kept for its origin until the chain ends, and no longer.

use reqwest::header::{HeaderMap, HeaderValue, SET_COOKIE};
use url::{Origin, Url};

/// Cookies kept in one chain, and the bytes of one.
const MOST: usize = 32;
const LONGEST: usize = 4096;

#[derive(Debug, Default)]
pub(super) struct Cookies(Vec<Cookie>);

#[derive(Debug)]
struct Cookie {
    origin: Origin,
    name: String,
    value: String,
}

impl Cookies {
    /// Keeps the cookies of an answer; says whether any is new or changed.
    pub(super) fn keep(&mut self, url: &Url, headers: &HeaderMap) -> bool {
        let mut changed = false;
        for line in headers.get_all(SET_COOKIE) {
            let Some((name, value)) = line.to_str().ok().and_then(pair) else { continue };
            changed |= self.set(url.origin(), name, value);
        }
        changed
    }

    /// The `Cookie` header for a request to this address.
    pub(super) fn header(&self, url: &Url) -> Option<HeaderValue> {
        if self.0.is_empty() {
            return None;
        }
        let origin = url.origin();
        let mut line = String::new();
        for cookie in self.0.iter().filter(|cookie| cookie.origin == origin) {
            if !line.is_empty() {
                line.push_str("; ");
            }
            line.push_str(&cookie.name);
            line.push('=');
            line.push_str(&cookie.value);
        }
        let mut header = HeaderValue::from_str(&line).ok().filter(|_| !line.is_empty())?;
        header.set_sensitive(true);
        Some(header)
    }

    fn set(&mut self, origin: Origin, name: &str, value: &str) -> bool {
        if let Some(known) = self.0.iter_mut().find(|known| known.origin == origin && known.name == name) {
            let changed = known.value != value;
            value.clone_into(&mut known.value);
            return changed;
        }
        let room = self.0.len() < MOST && name.len().saturating_add(value.len()) <= LONGEST;
        if room {
            self.0.push(Cookie { origin, name: name.to_owned(), value: value.to_owned() });
        }
        room
    }
}

/// Name and value, without the attributes.
fn pair(line: &str) -> Option<(&str, &str)> {
    let (name, value) = line.split(';').next()?.split_once('=')?;
    let name = name.trim();
    (!name.is_empty()).then_some((name, value.trim()))
}
