use proptest::prelude::*;

use super::*;

/// The registries as published, one network a word: what is not to be dialled.
const CLOSED_V4: &str = "0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24 \
     192.0.2.0/24 192.88.99.0/24 192.168.0.0/16 198.18.0.0/15 198.51.100.0/24 203.0.113.0/24 224.0.0.0/4 \
     240.0.0.0/4 255.255.255.255/32";
const CLOSED_V6: &str = "::/128 ::1/128 64:ff9b:1::/48 100::/64 100:0:0:1::/64 2001::/23 2001::/32 2001:2::/48 \
     2001:10::/28 2001:20::/28 2001:db8::/32 3fff::/20 5f00::/16 fc00::/7 fe80::/10 fec0::/10 ff00::/8 \
     4000::/3 6000::/3 8000::/3 a000::/3 c000::/3 e000::/4 f000::/5 f800::/6 fe00::/9 200::/7 400::/6 800::/5 1000::/4";

fn nets(words: &str) -> Vec<IpNet> {
    words.split_whitespace().map(|word| word.parse().unwrap()).collect()
}

fn closed_v4(address: Ipv4Addr) -> bool {
    nets(CLOSED_V4).iter().any(|net| net.contains(&IpAddr::V4(address)))
}

/// Every way to write an IPv4 address inside an IPv6 one that a router would unwrap.
fn wrapped(v4: Ipv4Addr) -> Vec<Ipv6Addr> {
    let [a, b, c, d] = v4.octets();
    let hex = format!("{a:02x}{b:02x}:{c:02x}{d:02x}");
    ["::ffff:{}", "::ffff:0:{}", "64:ff9b::{}", "2002:{}::", "2002:{}::1"]
        .iter()
        .map(|form| form.replace("{}", &hex).parse().unwrap())
        .collect()
}

fn open(address: impl Into<IpAddr>) -> bool {
    Guard::default().check(address.into()).is_ok()
}

#[test]
fn both_ends_of_every_special_network_are_closed() {
    for net in nets(CLOSED_V4).into_iter().chain(nets(CLOSED_V6)) {
        for address in [net.network(), net.broadcast()] {
            assert!(!open(address), "{address} of {net}");
        }
    }
}

#[test]
fn the_neighbours_of_special_networks_are_open() {
    for address in [
        "1.0.0.0",
        "9.255.255.255",
        "11.0.0.0",
        "100.63.255.255",
        "100.128.0.0",
        "126.255.255.255",
        "128.0.0.0",
        "169.253.255.255",
        "169.255.0.0",
        "172.15.255.255",
        "172.32.0.0",
        "192.0.1.0",
        "192.0.3.0",
        "192.88.98.255",
        "192.88.100.0",
        "192.167.255.255",
        "192.169.0.0",
        "198.17.255.255",
        "198.20.0.0",
        "198.51.99.255",
        "198.51.101.0",
        "203.0.112.255",
        "203.0.114.0",
        "223.255.255.255",
        "8.8.8.8",
        "2000::",
        "2001:200::",
        "2001:db7:ffff::",
        "2001:db9::",
        "2003::1",
        "2606:4700::1111",
        "2620:4f:8000::1",
        "3ffe::1",
        "3fff:1000::",
        "2001:4860:4860::8888",
        "2404:6800::1",
    ] {
        assert!(open(address.parse::<IpAddr>().unwrap()), "{address}");
    }
}

#[test]
fn an_embedded_address_is_judged_as_itself() {
    for (inner, is_open) in
        [("8.8.8.8", true), ("10.0.0.1", false), ("127.0.0.1", false), ("224.0.0.1", false)]
    {
        for outer in wrapped(inner.parse().unwrap()) {
            assert_eq!(open(outer), is_open, "{outer} holds {inner}");
        }
    }
    assert!(!open("::10.0.0.1".parse::<Ipv6Addr>().unwrap()));
}

#[test]
fn listed_networks_are_open_and_nothing_beside_them() {
    let guard = Guard::new(&["127.0.0.0/8".parse().unwrap(), "fd00:1::/32".parse().unwrap()]);
    let open = |text: &str| guard.check(text.parse().unwrap()).is_ok();
    for address in ["127.0.0.1", "127.255.0.1", "::ffff:127.0.0.1", "fd00:1::5", "8.8.8.8"] {
        assert!(open(address), "{address}");
    }
    for address in ["10.0.0.1", "::1", "fd00:2::5", "::ffff:10.0.0.1"] {
        assert!(!open(address), "{address}");
    }
}

#[test]
fn every_spelling_of_an_address_in_a_url_is_seen() {
    for host in [
        "127.0.0.1",
        "127.1",
        "0x7f.1",
        "0x7f000001",
        "2130706433",
        "017700000001",
        "0177.0.0.01",
        "127.0.0.1.",
        "%31%32%37.0.0.1",
        "１２７.0.0.1",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[0:0:0:0:0:ffff:7f00:0001]",
        "[::1]",
        "[::]",
        "0",
        "0.0.0.0",
        "[fe80::1]",
        "169.254.169.254",
        "0xa9fea9fe",
    ] {
        let url = Url::parse(&format!("http://{host}/feed")).unwrap();
        assert!(Guard::default().check_literal(&url).is_err(), "{host} parsed as {:?}", url.host());
    }
}

proptest! {
    #[test]
    fn any_ipv4_address_is_judged_as_the_registry_does(bits: u32) {
        let address = Ipv4Addr::from_bits(bits);
        prop_assert_eq!(open(address), !closed_v4(address), "{}", address);
        for outer in wrapped(address) {
            prop_assert_eq!(open(outer), !closed_v4(address), "{}", outer);
        }
    }

    #[test]
    fn addresses_within_special_ipv4_networks_are_closed(net in 0usize..16, host: u32) {
        let IpNet::V4(net) = nets(CLOSED_V4)[net] else { panic!("v4") };
        let address = Ipv4Addr::from_bits(net.network().to_bits() | (host & net.hostmask().to_bits()));
        prop_assert!(!open(address), "{}", address);
    }

    #[test]
    fn addresses_within_special_ipv6_networks_are_closed(net in 0usize..30, host: u128) {
        let IpNet::V6(net) = nets(CLOSED_V6)[net] else { panic!("v6") };
        let address = Ipv6Addr::from_bits(net.network().to_bits() | (host & net.hostmask().to_bits()));
        prop_assert!(!open(address), "{}", address);
    }

    #[test]
    fn global_unicast_outside_the_registry_is_open(bits: u128) {
        // 2000::/3, without the blocks that the registry or 6to4 takes out of it.
        let address = Ipv6Addr::from_bits((bits >> 3) | (1 << 125));
        let special = nets(CLOSED_V6).iter().any(|net| net.contains(&IpAddr::V6(address)));
        prop_assume!(address.segments()[0] != 0x2002);
        prop_assert_eq!(open(address), !special, "{}", address);
    }
}
