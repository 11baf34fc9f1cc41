//! The part of an address that belongs to one owner.

use url::{Host, Url};

/// Returns the registrable domain of a URL, or its address: the key of a hold after 429.
///
/// `feeds.bbc.co.uk` and `www.bbc.co.uk` are one owner's, two blogs on
/// `github.io` are not. A name without a known suffix stands for itself.
pub fn domain(url: &Url) -> String {
    match url.host() {
        Some(Host::Domain(name)) => {
            let name = name.trim_end_matches('.');
            psl::domain_str(name).unwrap_or(name).to_owned()
        }
        Some(Host::Ipv4(address)) => address.to_string(),
        Some(Host::Ipv6(address)) => address.to_string(),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn owners_are_told_apart() {
        for (url, owner) in [
            ("https://feeds.bbc.co.uk/a?x=1", "bbc.co.uk"),
            ("https://en.yna.co.kr./RSS/nk.xml", "yna.co.kr"),
            ("http://one.github.io/", "one.github.io"),
            ("http://192.0.2.7:8080/f", "192.0.2.7"),
            ("http://[::1]/f", "::1"),
            ("http://localhost:1/f", "localhost"),
            ("https://github.io/f", "github.io"),
        ] {
            assert_eq!(domain(&Url::parse(url).unwrap()), owner, "{url}");
        }
    }
}
