//! Where passwords and tokens come from: a file, a systemd credential, the environment.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use super::Secret;
use super::files::regular;
use super::tree::Section;

/// Looks up an environment variable; a parameter, so that tests need no global state.
pub type Env<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Asked of the environment by what reads the mail password; no shell can set it.
///
/// A command that mails nothing answers it, so that whoever may read the archive needs no secrets.
pub(super) const NO_SECRETS: &str = "(no secrets)";

/// A variable that is set to something.
pub(super) fn variable(env: Env<'_>, name: &str) -> Option<String> {
    env(name).filter(|value| !value.is_empty())
}

/// A complaint was made about the secret.
#[derive(Debug)]
pub(super) struct Unreadable;

/// Reads the secret in the file that `key` names, else the systemd credential of that name.
pub(super) fn find(
    section: &Section<'_>,
    key: &'static str,
    credential: &str,
    env: Env<'_>,
) -> Result<Option<Secret>, Unreadable> {
    if section.value(key).is_some() {
        return named(section, key).map(Some).ok_or(Unreadable);
    }
    let Some(given) = variable(env, "CREDENTIALS_DIRECTORY") else { return Ok(beside(credential)) };
    let path = PathBuf::from(given).join(credential);
    match read(&path) {
        Ok(secret) => Ok(Some(secret)),
        Err(why) if why.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(why) => {
            let hint = "see LoadCredential= in the systemd unit";
            section.error(
                &section.head().span,
                format!("cannot read the credential {}: {why}", path.display()),
                hint,
            );
            Err(Unreadable)
        }
    }
}

/// Finds the service's credential for a command that root types beside it: systemd tells only the service where it is.
fn beside(credential: &str) -> Option<Secret> {
    const PLACES: [&str; 4] =
        ["/run/credentials/burdenwatch.service", "/etc/credstore", "/run/credstore", "/usr/lib/credstore"];
    PLACES.iter().find_map(|place| read(&Path::new(place).join(credential)).ok())
}

/// Reads the secret in the file that `key` names, and complains when that fails.
pub(super) fn named(section: &Section<'_>, key: &'static str) -> Option<Secret> {
    let path = section.parsed(key, "\"/run/secrets/watch\"", |text| Ok(section.file().resolve(text)))?;
    read(&path.value)
        .map_err(|why| {
            let hint = "it must be readable by the user burdenwatch runs as, and hold nothing but the secret";
            section.error(&path.span, format!("cannot read {}: {why}", path.value.display()), hint);
        })
        .ok()
}

/// Reads one short secret, and drops one line end after it.
fn read(path: &Path) -> io::Result<Secret> {
    const LONGEST: u64 = 16 * 1024;
    regular(path)?;
    let mut text = String::new();
    File::open(path)?.take(LONGEST + 1).read_to_string(&mut text)?;
    let secret = text.strip_suffix('\n').unwrap_or(&text);
    let secret = secret.strip_suffix('\r').unwrap_or(secret);
    match secret {
        "" => Err(io::Error::other("it is empty")),
        _ if text.len() as u64 > LONGEST => Err(io::Error::other("it is too long for a secret")),
        _ if secret.contains(['\n', '\r', '\0']) => Err(io::Error::other("it holds more than one line")),
        _ => Ok(Secret::new(secret)),
    }
}
