//! From words to outbox rows: one frozen mail a recipient, in the caller's transaction.

use jiff::Timestamp;
use sha2::{Digest, Sha256};

use crate::config::{Address, Config};
use crate::digest::brief::Rendered;
use crate::mail;
use crate::mail::{Kind, Message};
use crate::store::{AlertRow, NewMail, StoreError, Tx};

/// A mail to be written to every recipient of a list.
#[derive(Debug)]
pub struct Letter<'a> {
    /// What kind of mail.
    pub kind: Kind,
    /// The subscription; empty for a notice to the operator.
    pub subscription: &'a str,
    /// What it is about: with a recipient it makes the Message-ID, so it never changes.
    pub dedup_key: &'a str,
    /// Who gets it.
    pub to: &'a [Address],
    /// The words.
    pub words: &'a Rendered,
    /// The phantom Message-ID that threads a story's alerts.
    pub thread: Option<String>,
    /// `X-Burdenwatch-*` headers.
    pub marks: Vec<(String, String)>,
}

/// Returns what tells these alerts, each with its story's leader, from any that another database had under their numbers.
///
/// A state directory that was lost or restored numbers its stories anew, and who suppresses duplicates by Message-ID
/// would drop the second mail of a number. The same alert, composed once more from a backup, is the same.
pub(super) fn fingerprint<'a>(
    tx: Tx<'_>,
    alerts: impl Iterator<Item = (&'a AlertRow, i64)>,
) -> Result<String, StoreError> {
    let mut hash = Sha256::new();
    for (alert, leader) in alerts {
        let text = tx.article(leader)?.map_or(0, |article| article.text_hash);
        hash.update(alert.created_at.as_millisecond().to_le_bytes());
        hash.update(text.to_le_bytes());
    }
    Ok(hash.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect())
}

/// Queues a letter to each of its recipients.
pub fn queue(tx: Tx<'_>, config: &Config, letter: &Letter<'_>, now: Timestamp) -> Result<(), StoreError> {
    let from = &config.mail.from;
    for to in letter.to {
        let message_id = mail::message_id(letter.dedup_key, &to.email, letter.kind, from.domain());
        let mut headers = letter.marks.clone();
        headers.push(("X-Burdenwatch-Id".to_owned(), letter.dedup_key.to_owned()));
        let message = Message {
            from: from.clone(),
            reply_to: config.mail.reply_to.clone(),
            to: to.clone(),
            subject: letter.words.subject.clone(),
            text: letter.words.text.clone(),
            html: letter.words.html.clone(),
            message_id: message_id.clone(),
            date: now,
            list_id: (!letter.subscription.is_empty())
                .then(|| format!("<{}.burdenwatch.{}>", letter.subscription, from.domain())),
            kind: letter.kind,
            references: letter.thread.clone().into_iter().collect(),
            headers,
        };
        let mime = mail::build(&message).map_err(|why| StoreError::NotCommitted(why.to_string()))?;
        let new = NewMail {
            dedup_key: letter.dedup_key,
            kind: letter.kind.as_str(),
            subscription: letter.subscription,
            sender: &from.email,
            recipient: &to.email,
            message_id: &message_id,
            subject: &letter.words.subject,
            mime: &mime,
        };
        tx.queue_mail(&new, now)?;
    }
    Ok(())
}
