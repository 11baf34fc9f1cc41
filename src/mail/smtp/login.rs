//! AUTH, in the two forms every server has (RFC 4616 and the older LOGIN).

use data_encoding::BASE64;

use crate::config::Secret;

/// The form to use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mechanism {
    Plain,
    Login,
}

impl Mechanism {
    /// Picks from the words after `AUTH` in the server's list.
    pub(super) fn pick(offered: &str) -> Option<Self> {
        let has = |name: &str| offered.split([' ', '=']).any(|word| word.eq_ignore_ascii_case(name));
        if has("PLAIN") {
            Some(Self::Plain)
        } else if has("LOGIN") {
            Some(Self::Login)
        } else {
            None
        }
    }

    /// What is said, in order; all but the first answer a 334.
    pub(super) fn lines(self, user: &str, password: &Secret) -> Vec<String> {
        let password = password.expose();
        match self {
            Self::Plain => {
                vec![format!("AUTH PLAIN {}", BASE64.encode(format!("\0{user}\0{password}").as_bytes()))]
            }
            Self::Login => {
                vec!["AUTH LOGIN".into(), BASE64.encode(user.as_bytes()), BASE64.encode(password.as_bytes())]
            }
        }
    }
}

/// Takes the password out of what a server said, however it repeats it.
pub(super) fn redact(text: &str, user: &str, password: &Secret) -> String {
    let plain = Mechanism::Plain.lines(user, password).concat();
    let plain = plain.trim_start_matches("AUTH PLAIN ");
    let login = BASE64.encode(password.expose().as_bytes());
    let mut text = text.to_owned();
    for secret in [plain, login.as_str(), password.expose()] {
        if !secret.is_empty() {
            text = text.replace(secret, "***");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{Mechanism, redact};
    use crate::config::Secret;

    #[test]
    fn picks_what_is_offered() {
        assert_eq!(Mechanism::pick("AUTH LOGIN PLAIN"), Some(Mechanism::Plain));
        assert_eq!(Mechanism::pick("AUTH=login"), Some(Mechanism::Login));
        assert_eq!(Mechanism::pick("AUTH GSSAPI PLAINISH"), None);
    }

    #[test]
    fn the_forms_are_those_of_the_rfc() {
        // RFC 4616 section 4, "tim" with "tanstaaftanstaaf"
        let secret = Secret::new("tanstaaftanstaaf");
        assert_eq!(Mechanism::Plain.lines("tim", &secret), ["AUTH PLAIN AHRpbQB0YW5zdGFhZnRhbnN0YWFm"]);
        assert_eq!(
            Mechanism::Login.lines("tim", &secret),
            ["AUTH LOGIN", "dGlt", "dGFuc3RhYWZ0YW5zdGFhZg=="]
        );
        let said = redact("no: AHRpbQB0YW5zdGFhZnRhbnN0YWFm / tanstaaftanstaaf", "tim", &secret);
        assert_eq!(said, "no: *** / ***");
    }
}
