//! The address guard: which addresses a feed may not lead us to.
//!
//! A feed's address, and more so a redirect's, is chosen by somebody else. So
//! nothing inside the machine or the network it stands in is reachable unless
//! `allow_networks` lists it. The table follows the IANA special-purpose
//! registries; addresses that carry an IPv4 address inside are judged by it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;
use url::{Host, Url};

/// An address the guard does not let through.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a {class} address {address}, which allow_networks does not list")]
pub struct Refusal {
    /// The address as dialled.
    pub address: IpAddr,
    /// What it is, in a word or two.
    pub class: &'static str,
}

/// Decides which addresses may be dialled.
#[derive(Debug, Clone, Default)]
pub struct Guard {
    allowed: Vec<IpNet>,
}

impl Guard {
    /// Makes a guard that lets public addresses and these networks through.
    pub fn new(allowed: &[IpNet]) -> Self {
        Self { allowed: allowed.to_vec() }
    }

    /// Judges one address.
    pub fn check(&self, address: IpAddr) -> Result<(), Refusal> {
        let Some(class) = special(address) else { return Ok(()) };
        let inner = embedded(address).map(IpAddr::V4);
        let listed = |candidate: IpAddr| self.allowed.iter().any(|net| net.contains(&candidate));
        if listed(address) || inner.is_some_and(listed) { Ok(()) } else { Err(Refusal { address, class }) }
    }

    /// Judges the host of a URL where it is an address; names are judged when they are resolved.
    pub fn check_literal(&self, url: &Url) -> Result<(), Refusal> {
        match url.host() {
            Some(Host::Ipv4(address)) => self.check(IpAddr::V4(address)),
            Some(Host::Ipv6(address)) => self.check(IpAddr::V6(address)),
            Some(Host::Domain(_)) | None => Ok(()),
        }
    }
}

/// Names the special class of an address; none for a public unicast address.
fn special(address: IpAddr) -> Option<&'static str> {
    match address {
        IpAddr::V4(v4) => special_v4(v4),
        IpAddr::V6(v6) => special_v6(v6),
    }
}

/// IANA IPv4 special-purpose registry and multicast: network, prefix length, class.
const V4: &[(Ipv4Addr, u32, &str)] = &[
    (Ipv4Addr::new(0, 0, 0, 0), 8, "unspecified"),
    (Ipv4Addr::new(10, 0, 0, 0), 8, "private"),
    (Ipv4Addr::new(100, 64, 0, 0), 10, "carrier NAT"),
    (Ipv4Addr::new(127, 0, 0, 0), 8, "loopback"),
    (Ipv4Addr::new(169, 254, 0, 0), 16, "link-local"),
    (Ipv4Addr::new(172, 16, 0, 0), 12, "private"),
    (Ipv4Addr::new(192, 0, 0, 0), 24, "protocol assignment"),
    (Ipv4Addr::new(192, 0, 2, 0), 24, "documentation"),
    (Ipv4Addr::new(192, 88, 99, 0), 24, "6to4 relay"),
    (Ipv4Addr::new(192, 168, 0, 0), 16, "private"),
    (Ipv4Addr::new(198, 18, 0, 0), 15, "benchmarking"),
    (Ipv4Addr::new(198, 51, 100, 0), 24, "documentation"),
    (Ipv4Addr::new(203, 0, 113, 0), 24, "documentation"),
    (Ipv4Addr::new(224, 0, 0, 0), 4, "multicast"),
    (Ipv4Addr::BROADCAST, 32, "broadcast"),
    (Ipv4Addr::new(240, 0, 0, 0), 4, "reserved"),
];

fn special_v4(address: Ipv4Addr) -> Option<&'static str> {
    let within = |net: Ipv4Addr, prefix: u32| (address.to_bits() ^ net.to_bits()).leading_zeros() >= prefix;
    V4.iter().find(|(net, prefix, _)| within(*net, *prefix)).map(|(_, _, class)| *class)
}

/// What lies inside the global unicast space 2000::/3 and is not global.
const V6_WITHIN_GLOBAL: &[(Ipv6Addr, u32, &str)] = &[
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 32, "Teredo"),
    (Ipv6Addr::new(0x2001, 2, 0, 0, 0, 0, 0, 0), 48, "benchmarking"),
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23, "protocol assignment"),
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32, "documentation"),
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20, "documentation"),
];

/// Classes outside 2000::/3; whatever is not named there is reserved.
const V6_OUTSIDE_GLOBAL: &[(Ipv6Addr, u32, &str)] = &[
    (Ipv6Addr::LOCALHOST, 128, "loopback"),
    (Ipv6Addr::UNSPECIFIED, 128, "unspecified"),
    (Ipv6Addr::new(0x64, 0xff9b, 1, 0, 0, 0, 0, 0), 48, "local translation"),
    (Ipv6Addr::new(0x100, 0, 0, 0, 0, 0, 0, 0), 63, "discard"),
    (Ipv6Addr::new(0xfc00, 0, 0, 0, 0, 0, 0, 0), 7, "private"),
    (Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0), 10, "link-local"),
    (Ipv6Addr::new(0xfec0, 0, 0, 0, 0, 0, 0, 0), 10, "site-local"),
    (Ipv6Addr::new(0xff00, 0, 0, 0, 0, 0, 0, 0), 8, "multicast"),
];

fn special_v6(address: Ipv6Addr) -> Option<&'static str> {
    if let Some(inner) = embedded(IpAddr::V6(address)) {
        return special_v4(inner);
    }
    let within = |net: Ipv6Addr, prefix: u32| (address.to_bits() ^ net.to_bits()).leading_zeros() >= prefix;
    let find = |table: &[(Ipv6Addr, u32, &'static str)]| {
        table.iter().find(|(net, prefix, _)| within(*net, *prefix)).map(|(_, _, class)| *class)
    };
    if within(Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3) {
        find(V6_WITHIN_GLOBAL)
    } else {
        find(V6_OUTSIDE_GLOBAL).or(Some("reserved"))
    }
}

/// The IPv4 address which packets to this IPv6 address end up at.
fn embedded(address: IpAddr) -> Option<Ipv4Addr> {
    let IpAddr::V6(v6) = address else { return None };
    let low = |bits: u128| Ipv4Addr::from_bits(u32::try_from(bits & 0xffff_ffff).unwrap_or(0));
    let bits = v6.to_bits();
    match v6.segments() {
        // mapped ::ffff:a.b.c.d, translated ::ffff:0:a.b.c.d (RFC 2765), NAT64 64:ff9b::a.b.c.d
        [0, 0, 0, 0, 0, 0xffff, ..] | [0, 0, 0, 0, 0xffff, 0, ..] | [0x64, 0xff9b, 0, 0, 0, 0, ..] => {
            Some(low(bits))
        }
        // compatible ::a.b.c.d, but not :: and ::1
        [0, 0, 0, 0, 0, 0, ..] if bits > 1 => Some(low(bits)),
        // 6to4 2002:aabb:ccdd::
        [0x2002, ..] => Some(low(bits >> 80)),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
