//! What no single value shows: duplicates, and settings that work but are hardly meant.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::time::Duration;

use ipnet::IpNet;
use url::{Host, Url};

use super::feed;
use super::subscription;
use super::tree::{Place, Sink};
use super::{Config, Polling};
use crate::problem::{Problem, did_you_mean};

/// Remarks on topics of subscriptions that no rule has; `known` holds topics and rule ids.
pub fn check_topics(config: &Config, known: &BTreeSet<String>) -> Vec<Problem> {
    let unknown = |wanted: &&super::TopicPlace| wanted.topic != "*" && !known.contains(&wanted.topic);
    let complain = |wanted: &super::TopicPlace| {
        let hint = match did_you_mean(&wanted.topic, known.iter().map(String::as_str)) {
            Some(meant) => format!("did you mean \"{meant}\"?"),
            None if known.is_empty() => "no rule is loaded".to_owned(),
            None => "`burdenwatch rules list` shows topics and ids; \"*\" is all".to_owned(),
        };
        wanted.place.warning(format!("no rule has the topic or id `{}`", wanted.topic)).hint(hint)
    };
    config.topic_places.iter().filter(unknown).map(complain).collect()
}

/// Complains about feeds with one name or one address.
pub(super) fn repeated_feeds(feeds: &[feed::Written], sink: &Sink) {
    let mut names: BTreeMap<&str, &Place> = BTreeMap::new();
    let mut exact: BTreeMap<&str, &Place> = BTreeMap::new();
    let mut alike: BTreeMap<String, &Place> = BTreeMap::new();
    for feed in feeds {
        if let Some((name, place)) = &feed.name
            && let Some(first) = insert(&mut names, name.as_str(), place)
        {
            sink.push(place.error(format!("a second feed is named `{name}`")).hint(first_at(first)));
        }
        let Some((url, place)) = &feed.url else { continue };
        if let Some(first) = insert(&mut exact, url.as_str(), place) {
            sink.push(place.error("a second feed has this address").hint(first_at(first)));
        } else if let Some(first) = insert(&mut alike, canonical(url), place) {
            sink.push(place.warning("a second feed has nearly this address").hint(first_at(first)));
        }
    }
}

/// Complains about subscriptions with one name.
pub(super) fn repeated_subscriptions(subscriptions: &[subscription::Written], sink: &Sink) {
    let mut names: BTreeMap<&str, &Place> = BTreeMap::new();
    for (name, place) in subscriptions.iter().filter_map(|written| written.name.as_ref()) {
        if let Some(first) = insert(&mut names, name.as_str(), place) {
            sink.push(place.error(format!("a second subscription is named `{name}`")).hint(first_at(first)));
        }
    }
}

/// Puts a key in, or returns what is there already.
fn insert<'p, K: Ord>(map: &mut BTreeMap<K, &'p Place>, key: K, place: &'p Place) -> Option<&'p Place> {
    if let Some(first) = map.get(&key) {
        return Some(first);
    }
    map.insert(key, place);
    None
}

fn first_at(first: &Place) -> String {
    let place = first.error("").place().unwrap_or_default();
    format!("the first stands at {place}")
}

/// An address without what rarely makes a difference.
fn canonical(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    let host = host.strip_prefix("www.").unwrap_or(host);
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    let query =
        url.query().filter(|query| !query.is_empty()).map(|query| format!("?{query}")).unwrap_or_default();
    format!("{host}{port}{}{query}", url.path().trim_end_matches('/'))
}

/// Remarks on feeds that would be polled too often, or refused.
pub(super) fn feeds(
    feeds: &[feed::Written],
    polling: &Polling,
    written: &Intervals,
    main: &Place,
    sink: &Sink,
) {
    let enabled =
        || feeds.iter().filter_map(|written| Some((written, written.feed.as_ref().filter(|f| f.enabled)?)));
    if sink.has_errors() {
        // What is missing may be in what could not be read.
    } else if feeds.is_empty() {
        sink.push(main.warning("there is no feed: nothing will be read").hint("write a [[feed]]"));
    } else if enabled().next().is_none() {
        sink.push(
            main.warning("every feed is disabled: nothing will be read")
                .hint("take an `enabled = false` out"),
        );
    }
    for (written, feed) in enabled() {
        if let Some(place) = &written.every
            && feed.every.is_some_and(too_often)
            && !is_loopback(&feed.url)
        {
            sink.push(place.warning(OFTEN).hint(OFTEN_HINT));
        }
        if let Some((_, place)) = &written.url
            && polling.proxy.is_none()
            && let Some(range) = refused(&feed.url, &polling.allow_networks)
        {
            let what = "this address is in a private network, and will be refused";
            sink.push(
                place.warning(what).hint(format!("write allow_networks = [\"{range}\"] under [polling]")),
            );
        }
    }
    let shared = enabled().any(|(_, feed)| feed.every.is_none() && !is_loopback(&feed.url));
    let fast = written.every.iter().filter(|_| too_often(polling.every));
    let adaptive = written.min_every.iter().filter(|_| polling.adaptive && too_often(polling.min_every));
    for place in fast.chain(adaptive).filter(|_| shared) {
        sink.push(place.warning(OFTEN).hint(OFTEN_HINT));
    }
}

/// Where `[polling]` says how often.
#[derive(Debug, Default)]
pub(super) struct Intervals {
    pub(super) every: Option<Place>,
    pub(super) min_every: Option<Place>,
}

const OFTEN: &str = "this polls other people's servers more often than once a minute";
const OFTEN_HINT: &str = "write \"1m\" or more, unless the server is yours";

fn too_often(every: Duration) -> bool {
    every < Duration::from_secs(60)
}

/// The address in a URL; names are not looked up, but for `localhost`.
fn address(url: &Url) -> Option<IpAddr> {
    match url.host()? {
        Host::Ipv4(address) => Some(address.into()),
        Host::Ipv6(address) => Some(address.into()),
        Host::Domain(name) => {
            name.eq_ignore_ascii_case("localhost").then_some(std::net::Ipv4Addr::LOCALHOST.into())
        }
    }
}

fn is_loopback(url: &Url) -> bool {
    address(url).is_some_and(|address| address.is_loopback())
}

/// The private network an address is in, when nothing allows it.
fn refused(url: &Url, allowed: &[IpNet]) -> Option<&'static str> {
    const PRIVATE: [&str; 8] = [
        "127.0.0.0/8",
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "169.254.0.0/16",
        "::1/128",
        "fc00::/7",
        "fe80::/10",
    ];
    let address = address(url)?;
    if allowed.iter().any(|net| net.contains(&address)) {
        return None;
    }
    PRIVATE.into_iter().find(|net| net.parse().is_ok_and(|net: IpNet| net.contains(&address)))
}
