//! The Message-ID: the same on every try, so that a duplicate can be recognised as one.

use data_encoding::BASE32_NOPAD;
use sha2::{Digest, Sha256};

use crate::mail::Kind;
use crate::mail::clean;

/// Returns the Message-ID of the message that `dedup_key` names, for one recipient.
pub fn message_id(dedup_key: &str, recipient: &str, kind: Kind, domain: &str) -> String {
    let mut hash = Sha256::new();
    hash.update(dedup_key.as_bytes());
    hash.update([0]);
    hash.update(recipient.as_bytes());
    let name: String =
        BASE32_NOPAD.encode(&hash.finalize()).chars().take(26).collect::<String>().to_ascii_lowercase();
    format!("<{name}.{}@{}>", kind.as_str(), clean::token(domain, 200))
}

#[cfg(test)]
mod tests {
    use super::message_id;
    use crate::mail::Kind;

    #[test]
    fn is_the_same_for_the_same_and_different_for_another() {
        let id = message_id("digest|asia|2026-11-24", "a@example.org", Kind::Digest, "example.org");
        // sha256("digest|asia|2026-11-24\0a@example.org"), checked with coreutils
        assert_eq!(id, "<ydwt5gzbpyfjymwrsfxmjiketb.digest@example.org>");
        assert_ne!(id, message_id("digest|asia|2026-11-24", "b@example.org", Kind::Digest, "example.org"));
        assert_ne!(message_id("a", "bc", Kind::Alert, "x"), message_id("ab", "c", Kind::Alert, "x"));
    }
}
