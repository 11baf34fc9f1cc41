//! Mail addresses, read strictly: what passes here no mail server has a reason to refuse.

use super::Address;
use super::unit::{Complaint, shown};

/// Reads `desk@example.org` or `Name <desk@example.org>`.
pub fn address(text: &str) -> Result<Address, Complaint> {
    if text.chars().any(char::is_control) {
        return Err(Complaint::new(format!("{} holds a control character", shown(text)), "remove it"));
    }
    let text = text.trim();
    let (name, email) = match text.strip_suffix('>').and_then(|inner| inner.rsplit_once('<')) {
        Some((name, email)) => (display_name(name, text)?, email.trim()),
        None => (None, text),
    };
    let wrong = |hint: &str| Complaint::new(format!("{} is not a mail address", shown(text)), hint);
    let (local, domain) = email
        .rsplit_once('@')
        .ok_or_else(|| wrong("write \"desk@example.org\" or \"Name <desk@example.org>\""))?;
    if !domain.is_ascii() {
        return Err(wrong(&domain_in_ascii(domain)));
    }
    if !local.is_ascii() {
        return Err(wrong("only ASCII is accepted before the @: few mail servers take anything else"));
    }
    if !is_local_part(local) {
        return Err(wrong("before the @ stand letters, digits and single dots, at most 64 characters"));
    }
    if !is_domain(domain) {
        return Err(wrong("after the @ stands a full domain name, such as example.org, or localhost"));
    }
    Ok(Address { name, email: email.to_owned() })
}

/// The words before `<`, without their quotes.
fn display_name(name: &str, text: &str) -> Result<Option<String>, Complaint> {
    let name = name.trim();
    let bare = name.strip_prefix('"').and_then(|name| name.strip_suffix('"')).unwrap_or(name).trim();
    if bare.contains(['<', '>', '"', '\\']) {
        return Err(Complaint::new(
            format!("{} is not a mail address", shown(text)),
            "a display name holds no quotes, backslashes or angle brackets",
        ));
    }
    Ok((!bare.is_empty()).then(|| bare.to_owned()))
}

/// Says how an international domain is written in ASCII.
fn domain_in_ascii(domain: &str) -> String {
    match url::Host::parse(domain) {
        Ok(host) => format!("write the domain in ASCII: {host}"),
        Err(_) => "write the domain in ASCII".to_owned(),
    }
}

/// A dot-atom of RFC 5322, at most 64 bytes.
fn is_local_part(local: &str) -> bool {
    let atom = |atom: &str| {
        !atom.is_empty()
            && atom.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&b))
    };
    local.len() <= 64 && local.split('.').all(atom)
}

/// Two or more labels, or `localhost`.
fn is_domain(domain: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let known = domain.contains('.') || domain.eq_ignore_ascii_case("localhost");
    known && domain.len() <= 190 && domain.split('.').all(label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_that_are_fine() {
        for (text, name, email) in [
            ("desk@example.org", None, "desk@example.org"),
            ("bench@localhost", None, "bench@localhost"),
            ("burdenwatch <watch@example.org>", Some("burdenwatch"), "watch@example.org"),
            ("\"Desk, Seoul\" <d.s+x@a-b.example.org>", Some("Desk, Seoul"), "d.s+x@a-b.example.org"),
            ("방위비 <ko@example.org>", Some("방위비"), "ko@example.org"),
            ("<desk@example.org>", None, "desk@example.org"),
        ] {
            let expected = Address { name: name.map(str::to_owned), email: email.to_owned() };
            assert_eq!(address(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn addresses_that_are_not() {
        for text in [
            "",
            "desk",
            "@example.org",
            "desk@",
            "desk@mailhost",
            "desk@exa mple.org",
            "a b@example.org",
            "desk@-example.org",
            "desk@example..org",
            ".desk@example.org",
            "desk@example.org.",
            "a@b@example.org",
            "desk@example.org\r\nBcc: x@example.org",
            "Desk <desk@example.org> <x@example.org>",
            "Desk <desk@example.org",
            "dësk@example.org",
            "desk@[127.0.0.1]",
        ] {
            assert!(address(text).is_err(), "{text}");
        }
        assert_eq!(
            address("desk@münchen.example").map_err(|why| why.hint),
            Err("write the domain in ASCII: xn--mnchen-3ya.example".to_owned())
        );
    }
}
