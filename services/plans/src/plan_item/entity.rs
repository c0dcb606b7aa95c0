//! A plan item, its life by hand, and how it follows from what is behind it (handbook 5.5).

use chrono::{DateTime, NaiveDate, Utc};
use uuid::Uuid;

use crate::codes::coded;
pub use crate::codes::{ItemKind, ItemState, OwnerKind, Sensitivity, UnmetReason};
use crate::error::PlanError;

coded! {
    /// What can be done with an item by hand.
    ItemTransition {
        Arrange = "arrange",
        PutInPlace = "put_in_place",
        Finish = "finish",
        DeclineByFamily = "decline_by_family",
        NotAvailable = "not_available",
        Withdraw = "withdraw",
    }
}

impl ItemState {
    /// Whether it ended without happening.
    pub fn is_unhappened(self) -> bool {
        matches!(self, Self::DeclinedByFamily | Self::NotAvailable | Self::Withdrawn)
    }

    /// The state after a transition by hand, or why it cannot be. A small support may be in place the moment it is planned.
    pub fn transition(self, transition: ItemTransition) -> Result<Self, PlanError> {
        use ItemTransition as T;
        match (self, transition) {
            (Self::Planned, T::Arrange) => Ok(Self::Arranging),
            (Self::Planned | Self::Arranging, T::PutInPlace) => Ok(Self::InPlace),
            (Self::InPlace, T::Finish) => Ok(Self::Done),
            (Self::Planned | Self::Arranging | Self::InPlace, T::DeclineByFamily) => Ok(Self::DeclinedByFamily),
            (Self::Planned | Self::Arranging | Self::InPlace, T::NotAvailable) => Ok(Self::NotAvailable),
            (Self::Planned | Self::Arranging | Self::InPlace, T::Withdraw) => Ok(Self::Withdrawn),
            _ => Err(PlanError::WrongState { what: "plan item", state: self.as_str(), transition: transition.as_str() }),
        }
    }
}

/// What one enrolment or referral says of its item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Source {
    /// The state it gives.
    pub state: ItemState,
    /// Why, where it ended without happening.
    pub reason: Option<UnmetReason>,
    /// Since when.
    pub at: DateTime<Utc>,
    /// The referral it is, where it is one.
    pub referral_id: Option<Uuid>,
}

/// The source that an item's state follows from: whatever is furthest along and open, else what ended last.
pub fn leading(sources: &[Source]) -> Option<&Source> {
    sources.iter().max_by_key(|s| {
        let along = match s.state {
            ItemState::InPlace => 3,
            ItemState::Arranging => 2,
            ItemState::Planned => 1,
            _ => 0,
        };
        (along, s.at, s.referral_id)
    })
}

/// Something that is to happen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// Its id.
    pub plan_item_id: Uuid,
    /// The plan it belongs to.
    pub plan_id: Uuid,
    /// Whose.
    pub student_id: Uuid,
    /// School of the plan.
    pub school_id: Uuid,
    /// School year of the plan.
    pub school_year: i32,
    /// Needs it answers.
    pub need_ids: Vec<Uuid>,
    /// Strengths and interests it builds on.
    pub builds_on_codes: Vec<String>,
    /// Kind.
    pub kind: ItemKind,
    /// Category of service; may be empty.
    pub service_category: String,
    /// In words.
    pub description: String,
    /// Who does it.
    pub owner: Option<OwnerKind>,
    /// Who takes the first step.
    pub first_step_owner: Option<OwnerKind>,
    /// By when.
    pub due_on: Option<NaiveDate>,
    /// State.
    pub state: ItemState,
    /// Why it ended without happening.
    pub ended_reason: Option<UnmetReason>,
    /// The referral behind it.
    pub referral_id: Option<Uuid>,
    /// Never below its needs'.
    pub sensitivity: Sensitivity,
    /// For the next write.
    pub version: i64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_transition_from_every_state_is_as_the_table_says() {
        use ItemState as S;
        use ItemTransition as T;
        let mut allowed = vec![
            (S::Planned, T::Arrange, S::Arranging),
            (S::Planned, T::PutInPlace, S::InPlace),
            (S::Arranging, T::PutInPlace, S::InPlace),
            (S::InPlace, T::Finish, S::Done),
        ];
        for from in [S::Planned, S::Arranging, S::InPlace] {
            allowed.extend([(from, T::DeclineByFamily, S::DeclinedByFamily), (from, T::NotAvailable, S::NotAvailable), (from, T::Withdraw, S::Withdrawn)]);
        }
        for from in S::ALL {
            for transition in T::ALL {
                let expected = allowed.iter().find(|(f, t, _)| f == from && t == transition).map(|(_, _, to)| *to);
                assert_eq!(from.transition(*transition).ok(), expected, "{} {}", from.as_str(), transition.as_str());
            }
        }
    }

    #[test]
    fn what_is_open_and_furthest_along_leads_and_else_what_ended_last() {
        let at = |seconds| DateTime::from_timestamp(seconds, 0).unwrap();
        let source = |state, seconds| Source { state, reason: None, at: at(seconds), referral_id: None };
        let led = |sources: &[Source]| leading(sources).map(|s| s.state);
        assert_eq!(led(&[]), None);
        assert_eq!(led(&[source(ItemState::NotAvailable, 9), source(ItemState::Arranging, 1)]), Some(ItemState::Arranging));
        assert_eq!(led(&[source(ItemState::InPlace, 1), source(ItemState::Arranging, 9)]), Some(ItemState::InPlace));
        assert_eq!(led(&[source(ItemState::Done, 1), source(ItemState::NotAvailable, 9)]), Some(ItemState::NotAvailable));
    }
}
