//! One reply of the server, read with distrust.

/// The longest line accepted; the protocol's own limit is 512.
pub(super) const MAX_LINE: usize = 4096;
/// The most lines accepted in one reply.
const MAX_LINES: usize = 100;

/// A complete reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reply {
    pub(super) code: u16,
    pub(super) lines: Vec<String>,
}

impl Reply {
    /// The text of all lines.
    pub(super) fn text(&self) -> String {
        self.lines.join(" ")
    }

    pub(super) fn is(&self, hundreds: u16) -> bool {
        self.code / 100 == hundreds
    }
}

/// Puts a reply together, line by line.
#[derive(Debug, Default)]
pub(super) struct Collector {
    code: Option<u16>,
    lines: Vec<String>,
}

impl Collector {
    /// Takes a line without its end; returns the reply when it was the last, and what is wrong when it cannot be one.
    pub(super) fn take(&mut self, line: &[u8]) -> Result<Option<Reply>, String> {
        let nonsense = || format!("not an SMTP reply: `{}`", String::from_utf8_lossy(line));
        let (digits, rest) = line.split_at_checked(3).ok_or_else(nonsense)?;
        let code: u16 =
            std::str::from_utf8(digits).ok().and_then(|digits| digits.parse().ok()).ok_or_else(nonsense)?;
        if !(200..600).contains(&code) || self.code.is_some_and(|earlier| earlier != code) {
            return Err(nonsense());
        }
        let (more, text) = match rest.split_first() {
            None => (false, rest),
            Some((b' ', text)) => (false, text),
            Some((b'-', text)) => (true, text),
            Some(_) => return Err(nonsense()),
        };
        self.code = Some(code);
        self.lines.push(String::from_utf8_lossy(text).trim().to_owned());
        if !more {
            return Ok(Some(Reply { code, lines: std::mem::take(&mut self.lines) }));
        }
        if self.lines.len() >= MAX_LINES {
            return Err(format!("a reply of more than {MAX_LINES} lines"));
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::{Collector, Reply};

    fn read(lines: &[&str]) -> Result<Option<Reply>, String> {
        let mut collector = Collector::default();
        let mut last = Ok(None);
        for line in lines {
            last = collector.take(line.as_bytes());
            if last.is_err() {
                break;
            }
        }
        last
    }

    #[test]
    fn replies_of_one_and_several_lines() {
        assert_eq!(read(&["250"]).unwrap().unwrap().code, 250);
        let reply = read(&["250-mx.example", "250-SIZE 10", "250 AUTH PLAIN"]).unwrap().unwrap();
        assert_eq!(reply.text(), "mx.example SIZE 10 AUTH PLAIN");
        assert_eq!(read(&["250-mx.example"]), Ok(None));
    }

    #[test]
    fn nonsense_is_refused() {
        for lines in [
            &["25"][..],
            &["+OK pop3"],
            &["999 x"],
            &["150 x"],
            &["250_x"],
            &["250-a", "550 b"],
            &[""],
            &["2é0 x"],
        ] {
            assert!(read(lines).is_err(), "{lines:?}");
        }
        assert!(read(&vec!["250-x"; 1000]).is_err());
    }
}
