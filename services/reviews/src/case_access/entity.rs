//! Who is on the case of a student: named by the coordinator, or for a few hours by breaking the glass.

use chrono::{DateTime, Duration, Utc};
use uuid::Uuid;

/// How it came about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Named, until taken off.
    Named,
    /// By breaking the glass, for a few hours.
    BreakGlass,
}

impl Kind {
    /// As tables and the contract write it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Named => "named",
            Self::BreakGlass => "break_glass",
        }
    }

    /// How long it lasts; none without end.
    pub fn lasts(self) -> Option<Duration> {
        match self {
            Self::Named => None,
            Self::BreakGlass => Some(Duration::hours(4)),
        }
    }
}

/// Somebody on a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaseAccess {
    /// Id; also that of the relationship that it grants.
    pub id: Uuid,
    /// Student.
    pub student_id: Uuid,
    /// School.
    pub school_id: Uuid,
    /// Who is on the case.
    pub staff_id: Uuid,
    /// How it came about.
    pub kind: Kind,
    /// Why.
    pub reason: String,
    /// Who gave it.
    pub granted_by: Uuid,
    /// When.
    pub granted_at: DateTime<Utc>,
    /// Until when; none without end.
    pub expires_at: Option<DateTime<Utc>>,
    /// Who took it back, and when.
    pub revoked: Option<(Uuid, DateTime<Utc>)>,
    /// Grows with each change.
    pub version: i64,
}

/// Why a step is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WrongStep {
    /// Taken back already, or at its end.
    #[error("this case access has ended already")]
    Ended,
}

impl CaseAccess {
    /// Whether it holds at a time.
    pub fn active(&self, now: DateTime<Utc>) -> bool {
        self.revoked.is_none() && self.expires_at.is_none_or(|end| end > now)
    }

    /// Takes it back: the one way in which it changes.
    pub fn transition(&self, by: Uuid, now: DateTime<Utc>) -> Result<Self, WrongStep> {
        if !self.active(now) {
            return Err(WrongStep::Ended);
        }
        Ok(Self { version: self.version + 1, revoked: Some((by, now)), ..self.clone() })
    }
}
