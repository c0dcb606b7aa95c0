//! An import run and its states. Pure.

use chrono::{DateTime, Utc};
use uuid::Uuid;

/// Where a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Reading and checking.
    Validating,
    /// Refused; nothing was written.
    Refused,
    /// A dry run without errors.
    Checked,
    /// Applied whole.
    Applied,
    /// Stopped by the delta guard.
    NeedsApproval,
}

impl State {
    /// As the table writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Validating => "validating",
            Self::Refused => "refused",
            Self::Checked => "checked",
            Self::Applied => "applied",
            Self::NeedsApproval => "needs_approval",
        }
    }

    /// From the table.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Validating, Self::Refused, Self::Checked, Self::Applied, Self::NeedsApproval].into_iter().find(|state| state.as_str() == text)
    }
}

/// What checking and applying came to, from which the state follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verdict {
    /// Errors were found.
    pub errors: bool,
    /// The delta guard would stop.
    pub guarded: bool,
    /// The caller goes on although the guard would stop.
    pub accept_changes: bool,
    /// The caller only looks.
    pub dry_run: bool,
}

impl Verdict {
    /// The one place where a validating run gets its final state. Only `Applied` is committed.
    pub fn state(self) -> State {
        match self {
            Self { errors: true, .. } => State::Refused,
            Self { guarded: true, accept_changes: false, .. } => State::NeedsApproval,
            Self { dry_run: true, .. } => State::Checked,
            _ => State::Applied,
        }
    }
}

/// What became of one file's rows.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct FileSummary {
    /// File name inside the zip.
    pub file: String,
    /// Data rows read.
    pub rows: i64,
    /// New to us.
    pub added: i64,
    /// Changed what we hold.
    pub changed: i64,
    /// As we hold them.
    pub unchanged: i64,
    /// Left out.
    pub skipped: i64,
    /// Held, and no longer named by a bulk file.
    pub missing: i64,
}

/// One import.
#[derive(Debug, Clone)]
pub struct ImportRun {
    /// Id.
    pub id: Uuid,
    /// State.
    pub state: State,
    /// Whether it only looked.
    pub dry_run: bool,
    /// Name of the source.
    pub source_name: String,
    /// When it began.
    pub started_at: DateTime<Utc>,
    /// When it ended.
    pub ended_at: Option<DateTime<Utc>>,
    /// Findings that stop a run.
    pub error_count: i64,
    /// Findings that do not.
    pub warning_count: i64,
    /// By file.
    pub files: Vec<FileSummary>,
}

/// What a run is doing, told while it runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    /// `receive`, `validate`, `check`, `apply` or `publish`.
    pub phase: &'static str,
    /// File in hand.
    pub file: &'static str,
    /// Rows done.
    pub done: u64,
    /// Of how many; 0 where unknown.
    pub total: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_clean_accepted_run_is_applied() {
        let clean = Verdict { errors: false, guarded: false, accept_changes: false, dry_run: false };
        assert_eq!(clean.state(), State::Applied);
        assert_eq!(Verdict { dry_run: true, ..clean }.state(), State::Checked);
        assert_eq!(Verdict { guarded: true, ..clean }.state(), State::NeedsApproval);
        assert_eq!(Verdict { guarded: true, accept_changes: true, ..clean }.state(), State::Applied);
        assert_eq!(Verdict { errors: true, guarded: true, accept_changes: true, dry_run: true }.state(), State::Refused);
    }
}
