//! The commands: one file each. Data goes to stdout, everything else to stderr.

pub mod stories;

/// How a command ended, as an exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// 0.
    Success,
    /// 1: something failed, or needs a person.
    Failure,
    /// 2: the arguments make no sense.
    Usage,
    /// 78 (EX_CONFIG): the configuration is wrong; systemd does not restart on it.
    BadConfig,
}
