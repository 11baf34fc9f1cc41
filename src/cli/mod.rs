//! The command line: one file a subcommand.

pub mod check;
pub mod feeds;

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// All went well.
    Done,
    /// Something failed.
    Failed,
    /// The command line makes no sense.
    Usage,
    /// The configuration does not hold.
    Configuration,
}

impl Outcome {
    /// The exit code; 78 is EX_CONFIG, on which systemd must not restart.
    pub fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Configuration => 78,
        }
    }
}
