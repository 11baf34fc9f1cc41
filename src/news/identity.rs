//! Which article an entry is: the keys it can be known by.
//!
//! A feed's ids are a hint, not a truth: they change, repeat, get reused and are
//! missing. So an entry carries several keys, and who meets a known one decides
//! with [`Candidate`]'s hashes whether it is the same article, a new wording of
//! it, or another article behind a reused id.

use std::collections::hash_map;
use std::collections::{HashMap, HashSet};
use std::hash::Hash;

use sha2::{Digest, Sha256};

use crate::news::entry::Entry;
use crate::news::link;

/// A key that holds across feeds.
///
/// One host's addresses, and one outlet's headlines, are looked up and kept
/// together: `near` puts them side by side, so that a poll touches few pages of
/// the database. Hashes alone would scatter them over all of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Key {
    /// The hash with its first 16 bits those of the host or outlet: what is kept.
    pub near: i64,
    /// The hash as schema 1 kept it.
    pub far: i64,
}

impl Key {
    fn new(place: i64, far: i64) -> Self {
        const PLACE: i64 = !0 << 48;
        Self { near: place & PLACE | far & !PLACE, far }
    }
}

/// The places of one document's keys: most are those of the entry before.
#[derive(Default)]
struct Places {
    host: Option<(String, i64)>,
    outlet: Option<(String, i64)>,
}

fn place(last: &mut Option<(String, i64)>, whose: &str) -> i64 {
    match last {
        Some((name, place)) if name == whose => *place,
        _ => last.insert((whose.to_owned(), hash(&["place", whose]))).1,
    }
}

/// An entry with the keys it can be known by. Keys are 64-bit hashes.
#[derive(Debug, Clone)]
pub struct Candidate {
    /// What the feed says.
    pub entry: Entry,
    /// The entry within its feed: its id, else its address, else its title and date; where the document has
    /// all that for different texts, the text.
    pub key: i64,
    /// The same with address, title and text added, for ids that turn out to be reused; where the text is the
    /// key, the key it would have in a document of its own.
    pub full_key: i64,
    /// The address, where it names one article.
    pub link_key: Option<Key>,
    /// Title and outlet.
    pub title_key: Option<Key>,
    /// The address without its host; 0 when there is none that names an article and lasts.
    pub path_hash: i64,
    /// Title, summary and text.
    pub text_hash: i64,
    /// Whether the feed gave it an id.
    pub has_id: bool,
    /// Whether its address is an aggregator's, which changes while the article does not.
    pub shifting: bool,
}

/// Makes candidates of a document's entries, in document order; exact repeats are dropped.
///
/// `feed` is a number that stays the feed's own for ever.
pub fn candidates(feed: i64, entries: Vec<Entry>) -> Vec<Candidate> {
    let mut places = Places::default();
    let mut all: Vec<Candidate> =
        entries.into_iter().map(|entry| candidate(feed, entry, &mut places)).collect();
    // What several different entries of a document share names none of them: an address, a title at an
    // address, an id.
    let addresses = shared(all.iter().filter_map(|one| Some((one.link_key?, one.title_key))));
    let titles = shared(all.iter().filter_map(|one| Some(((one.link_key?, one.title_key), one.text_hash))));
    let ids = shared(all.iter().map(|one| ((one.key, one.full_key), one.text_hash)));
    let mut seen: HashMap<i64, i64> = HashMap::new();
    all.retain_mut(|one| {
        let (plain, full) = (one.key, one.full_key);
        let link = one.link_key;
        if link.is_some_and(|link| titles.contains(&(link, one.title_key))) {
            (one.link_key, one.title_key) = (None, None);
        }
        if link.is_some_and(|link| addresses.contains(&link)) {
            one.link_key = None;
            if !one.has_id {
                one.key = full;
            }
        }
        if ids.contains(&(plain, full)) {
            one.key = hash(&["full text", &full.to_string(), &one.text_hash.to_string()]);
            one.full_key = plain;
        }
        match seen.get(&one.key) {
            None => {
                seen.insert(one.key, one.full_key);
                true
            }
            Some(first) if *first == one.full_key => false,
            // The id is used twice in one document, for different things.
            Some(_) => {
                one.key = one.full_key;
                seen.insert(one.key, one.full_key).is_none()
            }
        }
    });
    all
}

/// Returns the keys that stand for more than one thing.
fn shared<K: Copy + Eq + Hash, T: PartialEq>(pairs: impl Iterator<Item = (K, T)>) -> HashSet<K> {
    let mut first = HashMap::new();
    let mut shared = HashSet::new();
    for (key, thing) in pairs {
        match first.entry(key) {
            hash_map::Entry::Vacant(free) => drop(free.insert(thing)),
            hash_map::Entry::Occupied(held) if *held.get() != thing => drop(shared.insert(key)),
            hash_map::Entry::Occupied(_) => {}
        }
    }
    shared
}

fn candidate(feed: i64, entry: Entry, places: &mut Places) -> Candidate {
    let title = squeeze(entry.title.as_deref().unwrap_or_default());
    let link = entry.link.as_deref().unwrap_or_default();
    let link_key = link::key(link);
    let names_an_article = link_key.as_deref().is_some_and(|key| !is_front_page(key));
    let shifting = link_key.as_deref().is_some_and(|key| key.contains("//news.google."));
    let id = entry.id.as_deref().filter(|id| !id.is_empty());
    let date = entry.claimed_date.as_deref().unwrap_or_default();
    let summary = entry.summary.as_deref().unwrap_or_default();
    let text_hash = hash(&[&title, summary, entry.content.as_deref().unwrap_or_default()]);
    let key = match (id, &link_key) {
        (Some(id), _) => hash(&["id", id]),
        (None, Some(link)) if names_an_article => hash(&["link", link]),
        _ if title.is_empty() => hash(&["text", summary, date]),
        _ => hash(&["title", &title, date]),
    };
    let own_outlet = feed.to_string();
    let outlet = entry.source.as_deref().unwrap_or(&own_outlet);
    Candidate {
        key,
        full_key: hash(&[
            "full",
            id.unwrap_or_default(),
            link_key.as_deref().unwrap_or(link),
            &title,
            &if link.is_empty() { text_hash.to_string() } else { String::new() },
        ]),
        link_key: link_key
            .as_deref()
            .filter(|_| names_an_article && !shifting)
            .map(|link| Key::new(place(&mut places.host, host(link)), hash(&["address", link]))),
        title_key: (!title.is_empty())
            .then(|| Key::new(place(&mut places.outlet, outlet), hash(&["headline", &title, outlet]))),
        path_hash: link_key
            .as_deref()
            .filter(|_| names_an_article && !shifting)
            .map_or(0, |key| hash(&["path", path(key)])),
        text_hash,
        has_id: id.is_some(),
        shifting,
        entry,
    }
}

/// Letters and digits only, in lower case: what stays when a headline is typeset anew.
fn squeeze(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            // What nearly all headlines are made of needs no tables.
            'a'..='z' | '0'..='9' | '가'..='힣' | '一'..='鿿' | 'ぁ'..='ゖ' | 'ァ'..='ヺ' => {
                out.push(char)
            }
            'A'..='Z' => out.push(char.to_ascii_lowercase()),
            '\0'..='\x7f' => {}
            _ if char.is_alphanumeric() => out.extend(char.to_lowercase()),
            _ => {}
        }
    }
    out
}

fn host(key: &str) -> &str {
    let rest = key.split_once("//").map_or(key, |(_, rest)| rest);
    rest.split_once('/').map_or(rest, |(host, _)| host)
}

fn path(key: &str) -> &str {
    let rest = key.split_once("//").map_or(key, |(_, rest)| rest);
    rest.split_once('/').map_or("", |(_, path)| path)
}

fn is_front_page(key: &str) -> bool {
    path(key).is_empty()
}

/// The first eight bytes of a SHA-256 over length-prefixed parts.
fn hash(parts: &[&str]) -> i64 {
    let mut sha = Sha256::new();
    for part in parts {
        sha.update(part.len().to_le_bytes());
        sha.update(part.as_bytes());
    }
    let digest = sha.finalize();
    digest.iter().take(8).fold(0_i64, |all, byte| (all << 8) | i64::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(id: &str, link: &str, title: &str) -> Entry {
        let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        Entry { id: some(id), link: some(link), title: some(title), ..Entry::default() }
    }

    fn keys(entries: &[(&str, &str, &str)]) -> Vec<Candidate> {
        candidates(1, entries.iter().map(|(id, link, title)| entry(id, link, title)).collect())
    }

    #[test]
    fn one_id_for_two_things_makes_two_articles_and_a_repeat_makes_one() {
        let two = keys(&[("7", "https://a.example/x", "X"), ("7", "https://a.example/y", "Y")]);
        assert_ne!(two[0].key, two[1].key);
        assert_eq!(keys(&[("7", "https://a.example/x", "X"), ("7", "https://a.example/x", "X")]).len(), 1);
    }

    #[test]
    fn an_address_shared_by_different_entries_names_none() {
        let shared = keys(&[("", "https://a.example/all", "X"), ("", "https://a.example/all", "Y")]);
        assert_eq!(shared.len(), 2);
        assert!(shared.iter().all(|one| one.link_key.is_none()));
        assert!(
            keys(&[("", "https://a.example/", "X")])[0].link_key.is_none(),
            "a front page names no article"
        );
    }

    /// Entries that differ in their texts only, and the keys each would have alone.
    fn texts(id: &str, link: &str, title: &str) -> (Vec<Candidate>, Vec<Candidate>) {
        let all: Vec<Entry> = ["Rain in Paris", "Troops cost talks", "Sports", "Troops cost talks"]
            .map(|text| Entry { summary: Some(text.to_owned()), ..entry(id, link, title) })
            .to_vec();
        let alone = all.iter().map(|one| candidates(1, vec![one.clone()]).remove(0)).collect();
        (candidates(1, all), alone)
    }

    #[test]
    fn different_texts_under_one_id_or_address_are_different_and_a_repeat_is_dropped() {
        for (id, link, title) in [
            ("", "https://a.example/ticker", ""),
            ("", "https://a.example/ticker", "Press release"),
            ("7", "https://a.example/ticker", "Press release"),
            ("7", "https://a.example/", "Press release"),
            ("", "https://a.example/", "Press release"),
            ("7", "", "Press release"),
        ] {
            let (together, alone) = texts(id, link, title);
            assert_eq!(together.len(), 3, "{id:?} {link} {title:?}");
            let keys: HashSet<i64> = together.iter().map(|one| one.key).collect();
            assert_eq!(keys.len(), 3);
            assert!(together.iter().all(|one| one.link_key.is_none()));
            if !link.is_empty() {
                assert!(together.iter().zip(&alone).all(|(one, alone)| one.full_key == alone.key));
            }
        }
    }

    #[test]
    fn a_title_that_stands_for_different_texts_at_one_address_names_none() {
        let at = |id: &str, text: &str| Entry {
            summary: Some(text.to_owned()),
            ..entry(id, &format!("https://a.example/live#{id}"), "Live")
        };
        let all = candidates(1, vec![at("1", "Rain"), at("2", "Troops cost talks")]);
        assert_eq!(all.len(), 2);
        assert!(all.iter().all(|one| one.link_key.is_none() && one.title_key.is_none()));
        let alone = candidates(1, vec![at("1", "Rain")]);
        assert_eq!(alone[0].key, all[0].key, "an id of its own stays the key");
    }

    #[test]
    fn an_entry_without_id_and_address_is_known_by_title_and_date() {
        let mut first = entry("", "", "Talks open");
        first.claimed_date = Some("today".to_owned());
        let mut edited = first.clone();
        edited.summary = Some("More text".to_owned());
        let (first, edited) = (candidates(1, vec![first]), candidates(1, vec![edited]));
        assert_eq!(first[0].key, edited[0].key);
        assert_ne!(first[0].text_hash, edited[0].text_hash);
    }

    #[test]
    fn keys_of_one_host_or_outlet_lie_together_and_apart_from_others() {
        let all = keys(&[
            ("1", "https://a.example/x", "X"),
            ("2", "https://a.example/y", "Y"),
            ("3", "https://b.example/z", "Z"),
        ]);
        let place = |key: Option<Key>| key.unwrap().near >> 48;
        assert_eq!(place(all[0].link_key), place(all[1].link_key));
        assert_ne!(place(all[0].link_key), place(all[2].link_key));
        assert_eq!(place(all[0].title_key), place(all[2].title_key));
        assert_ne!(all[0].link_key, all[1].link_key);
    }

    #[test]
    fn squeezing_keeps_every_letter_and_digit_in_lower_case() {
        for char in '\0'..=char::MAX {
            let expected: String = Some(char)
                .filter(|char| char.is_alphanumeric())
                .into_iter()
                .flat_map(char::to_lowercase)
                .collect();
            assert_eq!(squeeze(char.encode_utf8(&mut [0; 4])), expected, "{char:?}");
        }
    }

    #[test]
    fn kept_hashes_never_change() {
        // In databases everywhere: another value here would make every article new.
        let one = &keys(&[("tag:a,1", "https://www.a.example/x?utm_source=rss", "Talks Open")])[0];
        let kept = [one.key, one.full_key, one.path_hash, one.text_hash];
        assert_eq!(
            kept,
            [-5901229016958046446, 919069588509944888, 6041146929467511868, -8484235304693516897]
        );
        let (link, title) = (one.link_key.unwrap(), one.title_key.unwrap());
        assert_eq!([link.near, link.far], [-7753209916181988688, 3417687484533815984]);
        assert_eq!([title.near, title.far], [-1053188360314832285, -1467238051056207261]);
    }

    #[test]
    fn hashing_is_not_fooled_by_where_parts_end() {
        assert_ne!(hash(&["ab", "c"]), hash(&["a", "bc"]));
    }
}
