//! What a reply means, by the step it came in. The table of the module `mail` is this file.

use crate::mail::OutcomeKind;
use crate::mail::OutcomeKind::{ContentRefused, Deferred, Misconfigured, RecipientRefused, Uncertain};

/// Where in the dialogue we are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    Connect,
    Greeting,
    Hello,
    StartTls,
    Handshake,
    Login,
    Mail,
    Recipient,
    Data,
    Body,
    Dot,
    Reset,
}

impl Step {
    /// The step in words, for the operator.
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Connect => "connecting",
            Self::Greeting => "waiting for the greeting",
            Self::Hello => "EHLO",
            Self::StartTls => "STARTTLS",
            Self::Handshake => "the TLS handshake",
            Self::Login => "AUTH",
            Self::Mail => "MAIL FROM",
            Self::Recipient => "RCPT TO",
            Self::Data => "DATA",
            Self::Body => "sending the message",
            Self::Dot => "waiting for the reply to the message",
            Self::Reset => "RSET",
        }
    }
}

/// Returns what a refusal with `code` means.
pub(super) fn refusal(step: Step, code: u16) -> OutcomeKind {
    match (step, code) {
        (_, 400..500) => Deferred,
        (Step::StartTls | Step::Login, _) => Misconfigured,
        (Step::Greeting | Step::Hello | Step::Reset | Step::Connect | Step::Handshake, _) => Deferred,
        // authentication required, a weak mechanism, bad credentials: whatever the step
        (Step::Mail | Step::Recipient | Step::Data | Step::Body | Step::Dot, 530 | 534 | 535 | 538) => {
            Misconfigured
        }
        // larger than the server takes (RFC 1870)
        (Step::Mail, 552) => ContentRefused,
        (Step::Mail, _) => Misconfigured,
        (Step::Recipient, _) => RecipientRefused,
        (Step::Data | Step::Body | Step::Dot, _) => ContentRefused,
    }
}

/// Returns what silence, nonsense or a lost connection means.
pub(super) fn loss(step: Step) -> OutcomeKind {
    if step == Step::Dot { Uncertain } else { Deferred }
}

#[cfg(test)]
mod tests {
    use super::{Step, loss, refusal};
    use crate::mail::OutcomeKind::{
        self, ContentRefused, Deferred, Misconfigured, RecipientRefused, Uncertain,
    };

    #[test]
    fn the_table() {
        let rows: &[(Step, u16, OutcomeKind)] = &[
            (Step::Greeting, 421, Deferred),
            (Step::Greeting, 554, Deferred),
            (Step::Hello, 550, Deferred),
            (Step::StartTls, 454, Deferred),
            (Step::StartTls, 502, Misconfigured),
            (Step::Login, 454, Deferred),
            (Step::Login, 504, Misconfigured),
            (Step::Login, 534, Misconfigured),
            (Step::Login, 535, Misconfigured),
            (Step::Mail, 421, Deferred),
            (Step::Mail, 452, Deferred),
            (Step::Mail, 530, Misconfigured),
            (Step::Mail, 550, Misconfigured),
            (Step::Mail, 552, ContentRefused),
            (Step::Recipient, 450, Deferred),
            (Step::Recipient, 451, Deferred),
            (Step::Recipient, 530, Misconfigured),
            (Step::Recipient, 550, RecipientRefused),
            (Step::Recipient, 553, RecipientRefused),
            (Step::Data, 451, Deferred),
            (Step::Data, 554, ContentRefused),
            (Step::Dot, 421, Deferred),
            (Step::Dot, 451, Deferred),
            (Step::Dot, 552, ContentRefused),
            (Step::Dot, 554, ContentRefused),
        ];
        for (step, code, kind) in rows {
            assert_eq!(refusal(*step, *code), *kind, "{step:?} {code}");
        }
        assert_eq!(loss(Step::Body), Deferred);
        assert_eq!(loss(Step::Dot), Uncertain);
    }
}
