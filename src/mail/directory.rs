//! Mail as files: one `.eml` a message, complete or absent, the same bytes under the same name on every try.

use std::fs::{DirBuilder, File};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::mail::{Outcome, OutcomeKind};

#[derive(Debug, Clone)]
pub(super) struct Directory {
    path: PathBuf,
}

impl Directory {
    pub(super) fn new(path: &Path) -> Self {
        Self { path: path.to_owned() }
    }

    pub(super) async fn store(&self, mime: &[u8], name: &str) -> Outcome {
        let (directory, bytes, name) = (self.path.clone(), mime.to_owned(), file_name(name));
        let target = directory.join(&name);
        // to the end even when nobody waits any more: half a file is worse than a late one
        let written = tokio::task::spawn_blocking(move || write(&directory, &name, &bytes)).await;
        match written.unwrap_or_else(|error| Err(io::Error::other(error))) {
            Ok(()) => Outcome::new(OutcomeKind::Sent, None, &format!("written to {}", target.display())),
            Err(error) => failed(&target, &error),
        }
    }

    pub(super) fn probe(&self) -> Result<String, Outcome> {
        match std::fs::metadata(&self.path) {
            Ok(found) if !found.is_dir() => {
                Err(failed(&self.path, &io::Error::from(ErrorKind::NotADirectory)))
            }
            Ok(found) if found.permissions().readonly() => {
                Err(failed(&self.path, &io::Error::from(ErrorKind::PermissionDenied)))
            }
            Ok(_) => Ok(format!("mail is written to {}", self.path.display())),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                Ok(format!("mail is written to {}, which will be made", self.path.display()))
            }
            Err(error) => Err(failed(&self.path, &error)),
        }
    }
}

fn write(directory: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    DirBuilder::new().recursive(true).create(directory)?;
    let temporary = directory.join(format!(".{name}.part"));
    let mut file = File::create(&temporary)?;
    let written = file.write_all(bytes).and_then(|()| file.sync_all());
    if let Err(error) = written.and_then(|()| std::fs::rename(&temporary, directory.join(name))) {
        // a full disk is not helped by what is left of the try; the first error is the one to report
        let _ = std::fs::remove_file(&temporary);
        return Err(error);
    }
    // the new name itself must survive a power cut
    File::open(directory)?.sync_all()
}

fn failed(target: &Path, error: &io::Error) -> Outcome {
    use ErrorKind::{NotADirectory, PermissionDenied, ReadOnlyFilesystem};
    let (kind, advice) = match error.kind() {
        PermissionDenied | NotADirectory | ReadOnlyFilesystem => {
            (OutcomeKind::Misconfigured, "; make it a directory that burdenwatch may write to")
        }
        _ => (OutcomeKind::Deferred, ""),
    };
    Outcome::new(kind, None, &format!("writing {}: {error}{advice}", target.display()))
}

/// Returns a name that is one path component, ends in `.eml`, and is another for another `name`.
fn file_name(name: &str) -> String {
    let stem = name.strip_suffix(".eml").unwrap_or(name);
    let safe: String = stem
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '@' | '+' | '#') { c } else { '-' }
        })
        .take(120)
        .collect();
    if safe == stem && !safe.is_empty() && !safe.starts_with(['.', '-']) {
        return format!("{safe}.eml");
    }
    // two names must not become one, or one message would replace the other
    let hash = data_encoding::HEXLOWER.encode(&Sha256::digest(name.as_bytes()));
    let hash: String = hash.chars().take(12).collect();
    format!("{}-{hash}.eml", safe.trim_start_matches(['.', '-']).chars().take(100).collect::<String>())
        .trim_start_matches('-')
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::file_name;

    #[test]
    fn a_file_name_is_one_component_and_stays_distinct() {
        assert_eq!(file_name("20261124-alert-17@a.example"), "20261124-alert-17@a.example.eml");
        assert_eq!(file_name("x.eml"), "x.eml");
        for hostile in
            ["../../etc/passwd", "/abs", "..", "", ".hidden", "a\0b", "a\nb", "-rf", &"한".repeat(500)]
        {
            let safe = file_name(hostile);
            assert!(!safe.contains(['/', '\0', '\n']) && !safe.starts_with(['.', '-']), "{safe}");
            assert!(safe.ends_with(".eml") && safe.len() < 160, "{safe}");
        }
        assert_ne!(file_name("a/b"), file_name("a b"));
    }
}
