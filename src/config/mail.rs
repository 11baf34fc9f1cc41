//! `[mail]` and `[mail.smtp]`.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::address::address;
use super::feed::choice;
use super::polling::limit;
use super::secret::{self, Env, variable};
use super::tree::{At, Section};
use super::unit::{Complaint, duration, shown};
use super::{Mail, Secret, Security, Smtp, Transport};

/// The ways mail can leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Smtp,
    Sendmail,
    Directory,
}

/// Reads `[mail]`; `None` when `from` could not be had.
pub(super) fn read(root: &Section<'_>, state_dir: Option<&Path>, env: Env<'_>) -> Option<Mail> {
    let section = root.section("mail", "[mail]", "write [mail] above its keys");
    let way = section.parsed("transport", "\"directory\"", |text| {
        let ways = [("smtp", Way::Smtp), ("sendmail", Way::Sendmail), ("directory", Way::Directory)];
        choice("transport", text, &ways)
    });
    let way = way.map_or(Way::Directory, |way| way.value);
    let from = section.parsed("from", "\"burdenwatch <watch@example.org>\"", address);
    section.missing(
        "from",
        "write from = \"burdenwatch <watch@example.org>\" under [mail], with your own address",
    );
    let reply_to = section.parsed("reply_to", "\"desk@example.org\"", address);
    let path = |key, example| section.parsed(key, example, |text| Ok(section.file().resolve(text)));
    let directory = path("directory", "\"outbox\"").map(|at| at.value);
    let templates = path("templates", "\"templates\"");
    if let Some(templates) = templates.as_ref().filter(|templates| !templates.value.is_dir()) {
        let what = format!("there is no directory {}", templates.value.display());
        section.error(&templates.span, what, "make it, or leave `templates` out");
    }
    let sendmail = path("sendmail", "\"/usr/sbin/sendmail\"");
    if let Some(program) =
        sendmail.as_ref().filter(|program| way == Way::Sendmail && !program.value.is_file())
    {
        section.warn(
            &program.span,
            format!("there is no program {}", program.value.display()),
            "mail waits in the outbox until there is one",
        );
    }
    let retry = retries(&section);
    let smtp = smtp(&section, way == Way::Smtp, env);
    section.finish();
    let transport = match way {
        Way::Smtp => Transport::Smtp(smtp),
        Way::Sendmail => Transport::Sendmail {
            command: sendmail.map_or_else(|| PathBuf::from("/usr/sbin/sendmail"), |program| program.value),
        },
        Way::Directory => Transport::Directory(directory.or_else(|| Some(state_dir?.join("outbox")))?),
    };
    Some(Mail {
        transport,
        from: from?.value,
        reply_to: reply_to.map(|at| at.value),
        retry,
        templates: templates.map(|at| at.value),
    })
}

/// The waits between tries.
fn retries(section: &Section<'_>) -> Vec<Duration> {
    const USUAL: [u64; 5] = [60, 300, 900, 3_600, 14_400];
    match section.list("retry", "\"1m\", \"5m\", \"15m\"", duration) {
        None => USUAL.map(Duration::from_secs).to_vec(),
        Some(list) => {
            if section.is_empty_list("retry") {
                section.error(
                    &list.span,
                    "`retry` names no wait",
                    "write one at least; the last one repeats",
                );
            }
            list.value.into_iter().map(|wait| wait.value).collect()
        }
    }
}

/// Reads `[mail.smtp]`; the password only when it is `used`.
fn smtp(mail: &Section<'_>, used: bool, env: Env<'_>) -> Smtp {
    let section = mail.section("smtp", "[mail.smtp]", "write [mail.smtp] above its keys");
    let host = section.parsed("host", "\"mail.example.org\"", host);
    let security = section.parsed("security", "\"starttls\"", |text| {
        let kinds = [("tls", Security::Tls), ("starttls", Security::StartTls), ("none", Security::None)];
        choice("security", text, &kinds)
    });
    let port = section.number("port", 1..=65_535);
    protection(&section, host.as_ref(), port.as_ref(), security.as_ref());
    let security = security.map_or(Security::StartTls, |security| security.value);
    let usual_port = match security {
        Security::Tls => 465,
        Security::StartTls => 587,
        Security::None => 25,
    };
    let smtp = Smtp {
        host: host.map_or_else(|| "localhost".to_owned(), |host| host.value),
        port: port.and_then(|port| u16::try_from(port.value).ok()).unwrap_or(usual_port),
        security,
        login: login(&section, used, env),
        hello: section.parsed("hello", "\"watch.example.org\"", self::host).map(|at| at.value),
        timeout: section.parsed("timeout", "\"30s\"", limit).map_or(Duration::from_secs(30), |at| at.value),
        data_timeout: section
            .parsed("data_timeout", "\"10m\"", limit)
            .map_or(Duration::from_secs(600), |at| at.value),
    };
    section.finish();
    smtp
}

/// Complains about a connection that would be in the clear, or would never come about.
fn protection(
    section: &Section<'_>,
    host: Option<&At<String>>,
    port: Option<&At<u32>>,
    security: Option<&At<Security>>,
) {
    let host = host.map_or("localhost", |host| host.value.as_str());
    if let Some(security) = security.filter(|at| at.value == Security::None && !is_loopback(host)) {
        section.error(
            &security.span,
            format!("mail and password would go to {host} unprotected"),
            "write security = \"starttls\" (or \"tls\"); \"none\" is for this machine only",
        );
    }
    let chosen = security.map_or(Security::StartTls, |at| at.value);
    match (port.map(|port| port.value), chosen, port) {
        (Some(465), Security::StartTls, Some(port)) => section.warn(
            &port.span,
            "port 465 speaks TLS from the first byte, and STARTTLS would wait in vain",
            "write security = \"tls\", or port = 587",
        ),
        (Some(25 | 587), Security::Tls, Some(port)) => section.warn(
            &port.span,
            format!("port {} begins in the clear, and TLS would wait in vain", port.value),
            "write security = \"starttls\", or port = 465",
        ),
        _ => {}
    }
}

/// User name and password.
fn login(section: &Section<'_>, used: bool, env: Env<'_>) -> Option<(String, Secret)> {
    const FILE: &str = "password_file";
    let username = section.parsed("username", "\"watch\"", |text| match text.trim() {
        "" => Err(Complaint::new("`username` is empty", "leave it out when the server wants no login")),
        _ => Ok(text.to_owned()),
    });
    section.refuse_secret(
        "password",
        "put it into a file of its own and name that in `password_file`, or use $CREDENTIALS_DIRECTORY/smtp_password",
    );
    let file = section.value(FILE);
    if let (Some(file), false) = (file, section.has("username")) {
        let hint = "write username = \"...\", or leave `password_file` out";
        section.error(&file.span(), "there is a password, and nobody to log in as", hint);
        return None;
    }
    // An unused section may name a file that exists only where mail is really sent.
    let username = username.filter(|_| used && !section.has("password"))?;
    if variable(env, secret::NO_SECRETS).is_some() {
        return Some((username.value, Secret::new("")));
    }
    let password = secret::find(section, FILE, "smtp_password", env).ok()?;
    let password = password.or_else(|| variable(env, "BURDENWATCH_SMTP_PASSWORD").map(Secret::new));
    if password.is_none() {
        section.error(
            &username.span,
            format!("there is no password for {}", shown(&username.value)),
            "name a file in `password_file`, or set $CREDENTIALS_DIRECTORY/smtp_password or $BURDENWATCH_SMTP_PASSWORD",
        );
    }
    Some((username.value, password?))
}

/// A host name or an IP address.
fn host(text: &str) -> Result<String, Complaint> {
    let hint = "write a name such as \"mail.example.org\" or an address; the port has a key of its own";
    let wrong = || Complaint::new(format!("{} is not a host", shown(text)), hint);
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    if bare.parse::<IpAddr>().is_ok() {
        return Ok(bare.to_owned());
    }
    let name = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_');
    let plain =
        !text.is_empty() && text.len() <= 253 && text.bytes().all(name) && !text.starts_with(['-', '.']);
    if plain { Ok(text.to_owned()) } else { Err(wrong()) }
}

/// Whether a host is this machine.
fn is_loopback(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost")
        || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}
