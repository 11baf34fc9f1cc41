//! One burdenwatch a state directory: a lock that dies with its process.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::Path;

use crate::daemon::StartError;
use crate::store;

/// Held while this process owns the state directory.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

/// Takes the lock of a state directory.
pub fn take(state_dir: &Path) -> Result<Lock, StartError> {
    let path = state_dir.join("burdenwatch.lock");
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .map_err(|source| StartError::State { what: "open the lock file", path: path.clone(), source })?;
    store::hand_over(&path);
    match file.try_lock() {
        Ok(()) => Ok(Lock { _file: file }),
        Err(TryLockError::WouldBlock) => Err(StartError::Running(state_dir.to_owned())),
        Err(TryLockError::Error(source)) => Err(StartError::State { what: "lock", path, source }),
    }
}
