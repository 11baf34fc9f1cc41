//! The outbox: one row a mail and recipient, from the moment there is a reason for it.

use jiff::Timestamp;
use rusqlite::{OptionalExtension, Row, named_params};

use crate::store::Doing;
use crate::store::StoreError;
use crate::store::Tx;
use crate::store::at;
use crate::store::ms;
use crate::store::text;
use crate::store::text_if_any;

/// A mail to be queued, its bytes final.
#[derive(Debug, Clone)]
pub struct NewMail<'a> {
    /// What it is about; with the recipient it makes the Message-ID.
    pub dedup_key: &'a str,
    /// `alert`, `digest`, `rollup`, `notice`.
    pub kind: &'a str,
    /// The subscription, or empty for the operator.
    pub subscription: &'a str,
    /// Envelope sender.
    pub sender: &'a str,
    /// Envelope recipient.
    pub recipient: &'a str,
    /// With angle brackets.
    pub message_id: &'a str,
    /// For lists.
    pub subject: &'a str,
    /// The message.
    pub mime: &'a [u8],
}

/// A mail's row, without its bytes.
#[derive(Debug, Clone)]
pub struct OutboxRow {
    /// Row id.
    pub id: i64,
    /// What it is about.
    pub dedup_key: String,
    /// `alert`, `digest`, `rollup`, `notice`.
    pub kind: String,
    /// The subscription.
    pub subscription: String,
    /// Envelope sender.
    pub sender: String,
    /// Envelope recipient.
    pub recipient: String,
    /// With angle brackets.
    pub message_id: String,
    /// For lists.
    pub subject: String,
    /// `queued`, `sending`, `sent`, `deferred`, `failed`, `uncertain`.
    pub state: String,
    /// Tries so far.
    pub attempts: u32,
    /// When it was queued.
    pub created_at: Timestamp,
    /// When it is tried next.
    pub next_at: Timestamp,
    /// The server's last code.
    pub last_code: Option<u16>,
    /// The server's last words.
    pub last_reply: Option<String>,
    /// When it was sent or given up.
    pub done_at: Option<Timestamp>,
}

/// One try to deliver, or a person's word that it is to be tried again (`retry`).
#[derive(Debug, Clone)]
pub struct Try {
    /// When.
    pub at: Timestamp,
    /// How it ended.
    pub outcome: String,
    /// The server's code.
    pub code: Option<u16>,
    /// The server's words.
    pub reply: String,
}

const COLUMNS: &str = "id, dedup_key, kind, subscription, sender, recipient, message_id, subject, state, attempts, \
    created_at, next_at, last_code, last_reply, done_at";

fn mail(row: &Row<'_>) -> rusqlite::Result<OutboxRow> {
    Ok(OutboxRow {
        id: row.get(0)?,
        dedup_key: text(row, 1)?,
        kind: text(row, 2)?,
        subscription: text(row, 3)?,
        sender: text(row, 4)?,
        recipient: text(row, 5)?,
        message_id: text(row, 6)?,
        subject: text(row, 7)?,
        state: text(row, 8)?,
        attempts: u32::try_from(row.get::<_, i64>(9)?).unwrap_or(0),
        created_at: at(row.get(10)?),
        next_at: at(row.get(11)?),
        last_code: row.get::<_, Option<i64>>(12)?.and_then(|code| u16::try_from(code).ok()),
        last_reply: text_if_any(row, 13)?,
        done_at: row.get::<_, Option<i64>>(14)?.map(at),
    })
}

impl Tx<'_> {
    /// Queues a mail; the same reason and recipient is queued once.
    ///
    /// A recipient whose address is suspended gets a row that says so instead of
    /// a try, so that nothing is dropped silently.
    pub fn queue_mail(&self, new: &NewMail<'_>, now: Timestamp) -> Result<(), StoreError> {
        const SQL: &str = "
            INSERT INTO outbox (dedup_key, kind, subscription, sender, recipient, message_id, subject, mime, state,
                                created_at, next_at, last_reply, done_at)
            SELECT :key, :kind, :subscription, :sender, :recipient, :message_id, :subject, :mime,
                   CASE WHEN held.address IS NULL THEN 'queued' ELSE 'failed' END, :now, :now,
                   CASE WHEN held.address IS NULL THEN NULL
                        ELSE 'not tried: the server refused this recipient for days; resume with `outbox retry`' END,
                   CASE WHEN held.address IS NULL THEN NULL ELSE :now END
            FROM (SELECT 1) LEFT JOIN recipient held ON held.address = :recipient AND held.suspended_at IS NOT NULL
            WHERE true ON CONFLICT DO NOTHING";
        self.prepared(SQL)?
            .execute(named_params! {
                ":key": new.dedup_key, ":kind": new.kind, ":subscription": new.subscription, ":sender": new.sender,
                ":recipient": new.recipient, ":message_id": new.message_id, ":subject": new.subject,
                ":mime": new.mime, ":now": ms(now),
            })
            .doing("queue a mail")?;
        Ok(())
    }

    /// Claims mails that are due: they are ours until `until`, then anybody's again.
    pub fn claim_mails(
        &self,
        owner: &str,
        now: Timestamp,
        until: Timestamp,
        limit: u32,
    ) -> Result<Vec<OutboxRow>, StoreError> {
        const CLAIM: &str = "
            UPDATE outbox SET state = 'sending', lease_owner = :owner, lease_until_at = :until
            WHERE id IN (
                SELECT id FROM outbox
                WHERE (state IN ('queued', 'deferred', 'uncertain') AND next_at <= :now)
                   OR (state = 'sending' AND lease_until_at <= :now)
                ORDER BY CASE kind WHEN 'alert' THEN 0 WHEN 'rollup' THEN 1 ELSE 2 END, next_at, id LIMIT :limit)";
        self.prepared(CLAIM)?
            .execute(named_params! { ":owner": owner, ":until": ms(until), ":now": ms(now), ":limit": limit })
            .doing("claim mails")?;
        self.mails_where(
            "state = 'sending' AND lease_owner = :owner ORDER BY CASE kind WHEN 'alert' THEN 0 WHEN 'rollup' THEN 1 ELSE 2 END, next_at, id",
            named_params! { ":owner": owner },
        )
    }

    /// Makes every lease void: called by the one who holds the instance lock, so all owners are dead.
    ///
    /// A mail that was being sent may have arrived: it is uncertain, and due at once.
    pub fn void_leases(&self, now: Timestamp) -> Result<usize, StoreError> {
        const TRY: &str = "
            INSERT INTO outbox_try (outbox_id, at, outcome, reply)
            SELECT id, :now, 'uncertain', 'burdenwatch stopped while this was being sent' FROM outbox WHERE state = 'sending'";
        const SQL: &str = "
            UPDATE outbox SET state = 'uncertain', next_at = :now, lease_owner = NULL, lease_until_at = NULL,
                   last_reply = 'burdenwatch stopped while this was being sent'
            WHERE state = 'sending'";
        self.prepared(TRY)?.execute(named_params! { ":now": ms(now) }).doing("void old leases")?;
        self.prepared(SQL)?.execute(named_params! { ":now": ms(now) }).doing("void old leases")
    }

    /// Makes the leases of one run void, whose rounds they outlived: such a mail may have arrived, and is due.
    pub fn void_own(&self, run: &str, now: Timestamp) -> Result<usize, StoreError> {
        const SQL: &str = "
            UPDATE outbox SET state = 'uncertain', next_at = :now, lease_owner = NULL, lease_until_at = NULL,
                   last_reply = 'the database failed while this was being sent'
            WHERE state = 'sending' AND substr(lease_owner, 1, length(:run) + 1) = :run || '.'";
        self.prepared(SQL)?
            .execute(named_params! { ":run": run, ":now": ms(now) })
            .doing("void our own leases")
    }

    /// Gives claimed mails back untried: what may have arrived before may still have.
    pub fn release_mails(&self, owner: &str, next_at: Timestamp) -> Result<(), StoreError> {
        const SQL: &str = "
            UPDATE outbox SET state = CASE
                       WHEN 'uncertain' = (SELECT t.outcome FROM outbox_try t WHERE t.outbox_id = outbox.id
                                           AND t.outcome <> 'retry' ORDER BY t.rowid DESC LIMIT 1) THEN 'uncertain'
                       WHEN attempts > 0 THEN 'deferred' ELSE 'queued' END,
                   next_at = max(next_at, :next), lease_owner = NULL, lease_until_at = NULL
            WHERE state = 'sending' AND lease_owner = :owner";
        self.prepared(SQL)?
            .execute(named_params! { ":next": ms(next_at), ":owner": owner })
            .doing("give mails back")?;
        Ok(())
    }

    /// Returns the bytes of a mail; none where they are no longer kept.
    pub fn mail_bytes(&self, id: i64) -> Result<Vec<u8>, StoreError> {
        self.prepared("SELECT mime FROM outbox WHERE id = :id")?
            .query_row(named_params! { ":id": id }, |row| row.get(0))
            .doing("read a mail")
    }

    /// Records how a try ended; `next_at` is when to try again, where the state is not final.
    pub fn record_try(
        &self,
        id: i64,
        now: Timestamp,
        state: &str,
        next_at: Option<Timestamp>,
        outcome: (&str, Option<u16>, &str),
    ) -> Result<(), StoreError> {
        const SQL: &str = "
            UPDATE outbox SET state = :state, attempts = attempts + 1, next_at = coalesce(:next, next_at),
                   lease_owner = NULL, lease_until_at = NULL, last_code = :code, last_reply = :reply,
                   done_at = CASE WHEN :state IN ('sent', 'failed') THEN :now END
            WHERE id = :id";
        const TRY: &str = "
            INSERT INTO outbox_try (outbox_id, at, outcome, code, reply) VALUES (:id, :now, :outcome, :code, :reply)";
        let (outcome, code, reply) = outcome;
        self.prepared(SQL)?
            .execute(named_params! {
                ":state": state, ":next": next_at.map(ms), ":code": code, ":reply": reply, ":now": ms(now), ":id": id,
            })
            .doing("record a try")?;
        self.prepared(TRY)?
            .execute(named_params! { ":id": id, ":now": ms(now), ":outcome": outcome, ":code": code, ":reply": reply })
            .doing("record a try")?;
        Ok(())
    }

    /// Gives up on a mail without another try; the reason is kept.
    pub fn give_up(&self, id: i64, now: Timestamp, why: &str) -> Result<bool, StoreError> {
        const SQL: &str = "
            UPDATE outbox SET state = 'failed', last_reply = :why, done_at = :now, lease_owner = NULL
            WHERE id = :id AND state NOT IN ('sent', 'failed')";
        let rows = self
            .prepared(SQL)?
            .execute(named_params! { ":why": why, ":now": ms(now), ":id": id })
            .doing("give up on a mail")?;
        Ok(rows == 1)
    }

    /// Makes a mail due now, whatever became of it; returns whether there is such a mail that was not sent and whose
    /// bytes are still kept.
    pub fn retry_mail(&self, id: i64, now: Timestamp) -> Result<bool, StoreError> {
        const SQL: &str = "
            UPDATE outbox SET state = CASE WHEN state = 'uncertain' THEN 'uncertain' ELSE 'queued' END, next_at = :now,
                   lease_owner = NULL, lease_until_at = NULL, done_at = NULL
            WHERE id = :id AND state IN ('queued', 'deferred', 'uncertain', 'failed') AND length(mime) > 0";
        // A person's word counts from now: what was too old to be tried on is not too old again at once.
        const MARK: &str = "
            INSERT INTO outbox_try (outbox_id, at, outcome, reply)
            SELECT id, :now, 'retry', 'asked for by hand' FROM outbox
            WHERE id = :id AND state IN ('queued', 'deferred', 'uncertain', 'failed') AND length(mime) > 0";
        const RESUME: &str = "
            DELETE FROM recipient WHERE address = (SELECT recipient FROM outbox WHERE id = :id)";
        self.prepared(RESUME)?.execute(named_params! { ":id": id }).doing("resume a recipient")?;
        self.prepared(MARK)?.execute(named_params! { ":now": ms(now), ":id": id }).doing("retry a mail")?;
        let rows = self
            .prepared(SQL)?
            .execute(named_params! { ":now": ms(now), ":id": id })
            .doing("retry a mail")?;
        Ok(rows == 1)
    }

    /// Returns one mail.
    pub fn mail(&self, id: i64) -> Result<Option<OutboxRow>, StoreError> {
        self.prepared(&format!("SELECT {COLUMNS} FROM outbox WHERE id = :id"))?
            .query_row(named_params! { ":id": id }, mail)
            .optional()
            .doing("find a mail")
    }

    /// Returns mails, the newest first; of one state, or all that are not sent, or all.
    pub fn mails(&self, state: Option<&str>, limit: u32) -> Result<Vec<OutboxRow>, StoreError> {
        self.mails_where(
            ":state IS NULL OR state = :state ORDER BY id DESC LIMIT :limit",
            named_params! { ":state": state, ":limit": limit },
        )
    }

    /// Returns the mails of one reason.
    pub fn mails_of(&self, dedup_key: &str) -> Result<Vec<OutboxRow>, StoreError> {
        self.mails_where("dedup_key = :key ORDER BY id", named_params! { ":key": dedup_key })
    }

    /// Returns how many mails of one reason still wait to be delivered.
    pub fn waiting_of(&self, dedup_key: &str) -> Result<u32, StoreError> {
        const SQL: &str = "
            SELECT count(*) FROM outbox
            WHERE dedup_key = :key AND state IN ('queued', 'deferred', 'uncertain', 'sending')";
        self.prepared(SQL)?
            .query_row(named_params! { ":key": dedup_key }, |row| row.get(0))
            .doing("count the mails of an alert")
    }

    /// Returns undelivered mails of a kind queued before `before`, and not made due by a person since.
    pub fn overdue_mails(&self, kind: &str, before: Timestamp) -> Result<Vec<OutboxRow>, StoreError> {
        self.mails_where(
            "state IN ('queued', 'deferred', 'uncertain') AND kind = :kind AND created_at < :before
             AND NOT EXISTS (SELECT 1 FROM outbox_try t
                             WHERE t.outbox_id = outbox.id AND t.outcome = 'retry' AND t.at >= :before)
             ORDER BY id",
            named_params! { ":kind": kind, ":before": ms(before) },
        )
    }

    /// Returns mails that were given up since `since`.
    pub fn failed_since(&self, subscription: &str, since: Timestamp) -> Result<Vec<OutboxRow>, StoreError> {
        self.mails_where(
            "state = 'failed' AND subscription = :name AND done_at >= :since ORDER BY id",
            named_params! { ":name": subscription, ":since": ms(since) },
        )
    }

    fn mails_where(
        &self,
        condition: &str,
        values: &[(&str, &dyn rusqlite::ToSql)],
    ) -> Result<Vec<OutboxRow>, StoreError> {
        let mut sql = self.prepared(&format!("SELECT {COLUMNS} FROM outbox WHERE {condition}"))?;
        let rows = sql.query_map(values, mail).doing("list the outbox")?;
        rows.collect::<Result<_, _>>().doing("list the outbox")
    }

    /// Returns the tries of a mail, oldest first.
    pub fn tries(&self, id: i64) -> Result<Vec<Try>, StoreError> {
        const SQL: &str =
            "SELECT at, outcome, code, reply FROM outbox_try WHERE outbox_id = :id ORDER BY rowid";
        let mut sql = self.prepared(SQL)?;
        let rows = sql
            .query_map(named_params! { ":id": id }, |row| {
                Ok(Try {
                    at: at(row.get(0)?),
                    outcome: text(row, 1)?,
                    code: row.get::<_, Option<i64>>(2)?.and_then(|code| u16::try_from(code).ok()),
                    reply: text(row, 3)?,
                })
            })
            .doing("list the tries")?;
        rows.collect::<Result<_, _>>().doing("list the tries")
    }

    /// Returns when the next mail is due.
    pub fn next_mail(&self) -> Result<Option<Timestamp>, StoreError> {
        const SQL: &str = "
            SELECT min(CASE state WHEN 'sending' THEN lease_until_at ELSE next_at END) FROM outbox
            WHERE state IN ('queued', 'deferred', 'uncertain', 'sending')";
        self.prepared(SQL)?
            .query_row([], |row| row.get::<_, Option<i64>>(0))
            .doing("find the next mail")
            .map(|due| due.map(at))
    }

    /// Counts a permanent refusal of a recipient; suspended after three over at least `spread_ms`. Returns whether it now is.
    pub fn count_refusal(&self, address: &str, now: Timestamp, spread_ms: i64) -> Result<bool, StoreError> {
        const SQL: &str = "
            INSERT INTO recipient (address, refusals, first_refused_at, last_refused_at) VALUES (:address, 1, :now, :now)
            ON CONFLICT (address) DO UPDATE SET refusals = refusals + 1, last_refused_at = :now,
                suspended_at = CASE WHEN suspended_at IS NULL AND refusals + 1 >= 3 AND :now - first_refused_at >= :spread
                                    THEN :now ELSE suspended_at END
            RETURNING suspended_at IS NOT NULL";
        self.prepared(SQL)?
            .query_row(named_params! { ":address": address, ":now": ms(now), ":spread": spread_ms }, |row| {
                row.get(0)
            })
            .doing("count a refusal")
    }

    /// Forgets a recipient's refusals: it accepted a mail, or a person wants it tried again.
    pub fn forget_refusals(&self, address: Option<&str>) -> Result<(), StoreError> {
        self.prepared("DELETE FROM recipient WHERE :address IS NULL OR address = :address")?
            .execute(named_params! { ":address": address })
            .doing("forget refusals")?;
        Ok(())
    }

    /// Returns the suspended recipients, and since when.
    pub fn suspended(&self) -> Result<Vec<(String, Timestamp)>, StoreError> {
        const SQL: &str = "
            SELECT address, suspended_at FROM recipient WHERE suspended_at IS NOT NULL ORDER BY address";
        let mut sql = self.prepared(SQL)?;
        let rows = sql
            .query_map([], |row| Ok((text(row, 0)?, at(row.get(1)?))))
            .doing("list suspended recipients")?;
        rows.collect::<Result<_, _>>().doing("list suspended recipients")
    }
}
