//! The one door by which mail leaves, whatever is behind it.

use std::time::Duration;

use crate::config;
use crate::mail::directory::Directory;
use crate::mail::sendmail::Sendmail;
use crate::mail::smtp;
use crate::mail::{Outcome, OutcomeKind};

/// How long the local `sendmail` may take; some talk to a distant server themselves (RFC 5321 section 4.5.3.2).
const SENDMAIL_LIMIT: Duration = Duration::from_secs(600);

/// Why mail cannot be set up at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SetupError {
    /// The certificates to trust cannot be read.
    #[error(
        "mail: no certificate authority to trust was found ({0}); install ca-certificates, or name a file in SSL_CERT_FILE"
    )]
    Roots(String),
    /// The server's name is neither a name nor an address.
    #[error("mail: `{0}` is neither a host name nor an address")]
    Host(String),
}

/// Hands mail over, in the way the configuration names.
#[derive(Debug, Clone)]
pub struct Mailer {
    way: Way,
}

#[derive(Debug, Clone)]
enum Way {
    Smtp(Box<smtp::Server>),
    Sendmail(Sendmail),
    Directory(Directory),
}

impl Mailer {
    /// Prepares the configured way; TLS trusts the system's store.
    pub fn new(mail: &config::Mail) -> Result<Self, SetupError> {
        Self::trusting(mail, &[])
    }

    /// Does the same and trusts these certificates (DER) besides.
    pub fn trusting(mail: &config::Mail, extra_roots: &[Vec<u8>]) -> Result<Self, SetupError> {
        let way = match &mail.transport {
            config::Transport::Smtp(smtp) => Way::Smtp(Box::new(smtp::Server::new(smtp, extra_roots)?)),
            config::Transport::Sendmail { command } => Way::Sendmail(Sendmail::new(command, SENDMAIL_LIMIT)),
            config::Transport::Directory(path) => Way::Directory(Directory::new(path)),
        };
        Ok(Self { way })
    }

    /// Bounds the local `sendmail` program's time.
    pub fn with_sendmail_limit(mut self, limit: Duration) -> Self {
        if let Way::Sendmail(sendmail) = &mut self.way {
            sendmail.limit = limit;
        }
        self
    }

    /// Opens a fresh connection for a batch; a directory and a program have none to open.
    pub async fn connect(&self) -> Result<Session, Outcome> {
        let open = match &self.way {
            Way::Smtp(server) => Open::Smtp(Box::new(server.connect().await?)),
            Way::Sendmail(sendmail) => Open::Sendmail(sendmail.clone()),
            Way::Directory(directory) => Open::Directory(directory.clone()),
        };
        Ok(Session { open })
    }

    /// Tries everything short of sending, and says in words what was found.
    pub async fn probe(&self) -> Result<String, Outcome> {
        match &self.way {
            Way::Smtp(server) => {
                let session = server.connect().await?;
                let words = session.describe();
                session.close().await;
                Ok(words)
            }
            Way::Sendmail(sendmail) => sendmail.probe(),
            Way::Directory(directory) => directory.probe(),
        }
    }
}

/// An open way out: for one batch, never kept.
#[derive(Debug)]
pub struct Session {
    open: Open,
}

#[derive(Debug)]
enum Open {
    Smtp(Box<smtp::Dialogue>),
    Sendmail(Sendmail),
    Directory(Directory),
}

impl Session {
    /// Hands one message over to one recipient; `file_name` names it in a directory.
    ///
    /// A future dropped half-way leaves the session unusable.
    pub async fn send(&mut self, from: &str, to: &str, mime: &[u8], file_name: &str) -> Outcome {
        if let Some((wrong, kind)) = [(from, OutcomeKind::Misconfigured), (to, OutcomeKind::RecipientRefused)]
            .into_iter()
            .find(|(address, _)| !is_plain(address))
        {
            return Outcome::new(
                kind,
                None,
                &format!("`{wrong}` is not an address to give to a mail server"),
            );
        }
        match &mut self.open {
            Open::Smtp(dialogue) => dialogue.send(from, to, mime).await,
            Open::Sendmail(sendmail) => sendmail.send(from, to, mime).await,
            Open::Directory(directory) => directory.store(mime, file_name).await,
        }
    }

    /// Says goodbye, without waiting long for the answer.
    pub async fn close(self) {
        if let Open::Smtp(dialogue) = self.open {
            dialogue.close().await;
        }
    }

    /// Whether another message may be sent; after a misunderstanding it may not.
    pub fn usable(&self) -> bool {
        match &self.open {
            Open::Smtp(dialogue) => dialogue.usable(),
            Open::Sendmail(_) | Open::Directory(_) => true,
        }
    }
}

/// Whether `address` stays one argument of MAIL, RCPT and a command line.
fn is_plain(address: &str) -> bool {
    !address.is_empty()
        && address.len() <= 254
        && !address.starts_with('-')
        && address.bytes().all(|b| b.is_ascii_graphic() && !matches!(b, b'<' | b'>'))
}
