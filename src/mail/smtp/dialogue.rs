//! The dialogue itself: one transaction per recipient, on a connection that is dropped at the first misunderstanding.

use std::time::Duration;

use crate::mail::smtp::judge::{self, Step};
use crate::mail::smtp::login::{self, Mechanism};
use crate::mail::smtp::reply::Reply;
use crate::mail::smtp::server::Server;
use crate::mail::smtp::wire::{Stream, Trouble, Wire};
use crate::mail::{Outcome, OutcomeKind};

/// How long QUIT may keep us.
const GOODBYE: Duration = Duration::from_secs(2);

/// A connection past its greeting.
#[derive(Debug)]
pub(in crate::mail) struct Dialogue {
    wire: Wire,
    server: Server,
    pub(super) hello: String,
    /// What EHLO offered, the greeting line first.
    offers: Vec<String>,
    logged_in: bool,
    protected: bool,
    inside_body: bool,
    usable: bool,
}

impl Dialogue {
    pub(super) fn new(wire: Wire, server: Server, hello: String, protected: bool) -> Self {
        Self {
            wire,
            server,
            hello,
            offers: Vec::new(),
            logged_in: false,
            protected,
            inside_body: false,
            usable: true,
        }
    }

    /// Waits for the greeting and introduces us.
    pub(super) async fn greet(&mut self) -> Result<(), Outcome> {
        let greeting = self.answer(Step::Greeting, self.server.timeout).await?;
        self.expect(Step::Greeting, &greeting, 2)?;
        self.ehlo().await
    }

    pub(super) async fn ehlo(&mut self) -> Result<(), Outcome> {
        let reply = self.say(Step::Hello, &format!("EHLO {}", self.hello)).await?;
        self.expect(Step::Hello, &reply, 2)?;
        self.offers = reply.lines;
        Ok(())
    }

    /// Asks for TLS and gives the bare stream back; fails closed.
    pub(super) async fn start_tls(&mut self) -> Result<Box<dyn Stream>, Outcome> {
        if self.offer("STARTTLS").is_none() {
            return Err(self.misconfigured(
                Step::StartTls,
                "the server offers none, and mail.smtp.security asks for it; use its TLS port, or another server",
            ));
        }
        let reply = self.say(Step::StartTls, "STARTTLS").await?;
        self.expect(Step::StartTls, &reply, 2)?;
        let bare: Box<dyn Stream> = Box::new(tokio::io::empty());
        let wire = std::mem::replace(&mut self.wire, Wire::new(bare));
        wire.into_stream().map_err(|trouble| self.lost(Step::StartTls, &trouble))
    }

    pub(super) async fn log_in(&mut self) -> Result<(), Outcome> {
        let Some((user, password)) = self.server.login.clone() else { return Ok(()) };
        let offered = self.offer("AUTH").unwrap_or_default();
        let Some(mechanism) = Mechanism::pick(&offered) else {
            let what =
                "the server offers neither PLAIN nor LOGIN; remove mail.smtp.username if it needs none";
            return Err(self.misconfigured(Step::Login, what));
        };
        let mut last = None;
        for line in mechanism.lines(&user, &password) {
            if let Some(reply) = last {
                self.expect(Step::Login, &reply, 3)?;
            }
            last = Some(self.say(Step::Login, &line).await?);
        }
        if let Some(reply) = last {
            self.expect(Step::Login, &reply, 2)?;
        }
        self.logged_in = true;
        Ok(())
    }

    /// One transaction for one recipient.
    pub(in crate::mail) async fn send(&mut self, from: &str, to: &str, mime: &[u8]) -> Outcome {
        if !self.usable {
            let what = "the connection is out of step and must not be used again";
            return Outcome::new(OutcomeKind::Deferred, None, &self.server.words(Step::Mail, what));
        }
        // a future dropped between a command and its reply must leave this behind
        self.usable = false;
        match self.transaction(from, to, mime).await {
            Ok(reply) => {
                self.usable = true;
                Outcome::new(OutcomeKind::Sent, Some(reply.code), &self.said(&reply))
            }
            Err(outcome) => {
                // inside a message RSET would be one more line of it
                let refused = outcome.code.is_some_and(|code| code != 421) && !self.inside_body;
                self.usable = refused && self.reset().await;
                outcome
            }
        }
    }

    async fn transaction(&mut self, from: &str, to: &str, mime: &[u8]) -> Result<Reply, Outcome> {
        let size = if self.offer("SIZE").is_some() { format!(" SIZE={}", mime.len()) } else { String::new() };
        let reply = self.say(Step::Mail, &format!("MAIL FROM:<{from}>{size}")).await?;
        self.expect(Step::Mail, &reply, 2)?;
        let reply = self.say(Step::Recipient, &format!("RCPT TO:<{to}>")).await?;
        self.expect(Step::Recipient, &reply, 2)?;
        let reply = self.say(Step::Data, "DATA").await?;
        self.expect(Step::Data, &reply, 3)?;
        self.pour(&stuffed(mime)).await?;
        // from here on the message may be theirs, whatever we hear
        let limit = self.server.timeout;
        self.wire.write(b".\r\n", limit).await.map_err(|trouble| self.lost(Step::Dot, &trouble))?;
        let reply = self.answer(Step::Dot, self.server.data_timeout).await?;
        self.expect(Step::Dot, &reply, 2)?;
        Ok(reply)
    }

    /// Writes the message without its final dot; a server that refuses meanwhile is heard.
    async fn pour(&mut self, body: &[u8]) -> Result<(), Outcome> {
        self.inside_body = true;
        let written = self.wire.write(body, self.server.timeout).await;
        if !self.wire.spoke_out_of_turn().await {
            self.inside_body = written.is_err();
            return written.map_err(|trouble| self.lost(Step::Body, &trouble));
        }
        let reply = self.answer(Step::Body, self.server.timeout).await?;
        // 2xx and 3xx have no meaning here
        Err(self.expect(Step::Body, &reply, 0).err().unwrap_or_else(|| self.nonsense(Step::Body, &reply)))
    }

    async fn reset(&mut self) -> bool {
        match self.say(Step::Reset, "RSET").await {
            Ok(reply) => reply.is(2),
            Err(_) => false,
        }
    }

    pub(in crate::mail) async fn close(mut self) {
        if self.usable {
            let limit = self.server.timeout.min(GOODBYE);
            if self.wire.write(b"QUIT\r\n", limit).await.is_ok() {
                // the answer changes nothing, but leaving before it looks like a fault in the server's log
                let _ = self.wire.reply(limit).await;
            }
        }
    }

    pub(in crate::mail) fn usable(&self) -> bool {
        self.usable
    }

    /// What was found, for a person.
    pub(in crate::mail) fn describe(&self) -> String {
        let name = self.offers.first().and_then(|line| line.split(' ').next()).unwrap_or_default();
        let tls = if self.protected { "TLS with a trusted certificate" } else { "no TLS" };
        let login = if self.logged_in { "login accepted" } else { "no login" };
        crate::mail::clean::line(&format!("{name} answers, {tls}, {login}"), 500)
    }

    fn offer(&self, name: &str) -> Option<String> {
        let named = |line: &&String| {
            line.split([' ', '=']).next().is_some_and(|word| word.eq_ignore_ascii_case(name))
        };
        self.offers.iter().skip(1).find(named).cloned()
    }

    async fn say(&mut self, step: Step, line: &str) -> Result<Reply, Outcome> {
        let limit = self.server.timeout;
        if self.wire.spoke_out_of_turn().await {
            // a farewell (421), or replies one step ahead of us: what we would ask now is answered by chance
            let reply = self.answer(step, limit).await?;
            self.expect(step, &reply, 0)?;
            return Err(self.nonsense(step, &reply));
        }
        let line = format!("{line}\r\n");
        match self.wire.write(line.as_bytes(), limit).await {
            Ok(()) => self.answer(step, limit).await,
            Err(trouble) => Err(self.lost(step, &trouble)),
        }
    }

    async fn answer(&mut self, step: Step, limit: Duration) -> Result<Reply, Outcome> {
        self.wire.reply(limit).await.map_err(|trouble| self.lost(step, &trouble))
    }

    fn expect(&self, step: Step, reply: &Reply, hundreds: u16) -> Result<(), Outcome> {
        if reply.is(hundreds) {
            Ok(())
        } else if reply.is(4) || reply.is(5) {
            let kind = judge::refusal(step, reply.code);
            Err(Outcome::new(kind, Some(reply.code), &self.said(reply)))
        } else {
            Err(self.nonsense(step, reply))
        }
    }

    /// A reply that does not fit the step; without a code, so that nobody takes it for an answer.
    fn nonsense(&self, step: Step, reply: &Reply) -> Outcome {
        let what = format!("{} {} is no answer to this", reply.code, self.said(reply));
        Outcome::new(judge::loss(step), None, &self.server.words(step, &what))
    }

    fn lost(&self, step: Step, trouble: &Trouble) -> Outcome {
        Outcome::new(judge::loss(step), None, &self.redact(&self.server.words(step, &trouble.to_string())))
    }

    fn misconfigured(&self, step: Step, what: &str) -> Outcome {
        Outcome::new(OutcomeKind::Misconfigured, None, &self.server.words(step, what))
    }

    fn said(&self, reply: &Reply) -> String {
        self.redact(&reply.text())
    }

    fn redact(&self, text: &str) -> String {
        match &self.server.login {
            Some((user, password)) => login::redact(text, user, password),
            None => text.to_owned(),
        }
    }
}

/// Returns the message with CRLF line ends, its leading dots doubled, and a line end at its end.
fn stuffed(mime: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(mime.len() + mime.len() / 50);
    for line in mime.split_inclusive(|byte| *byte == b'\n') {
        if line.first() == Some(&b'.') {
            out.push(b'.');
        }
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        // a lone CR is not a line end, and some servers take it for one
        out.extend(line.iter().map(|byte| if *byte == b'\r' { b' ' } else { *byte }));
        out.extend_from_slice(b"\r\n");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::stuffed;

    #[test]
    fn a_message_cannot_end_itself() {
        assert_eq!(stuffed(b"a\r\n.\r\nQUIT\r\n"), b"a\r\n..\r\nQUIT\r\n");
        assert_eq!(stuffed(b".a\n\r.\r\nb"), b"..a\r\n .\r\nb\r\n");
        assert_eq!(stuffed(b""), b"");
    }
}
