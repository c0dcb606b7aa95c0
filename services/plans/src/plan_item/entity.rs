//! A plan item, its life by hand, and how it follows from what is behind it (handbook 5.5).

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, NaiveDate, Utc};
use uuid::Uuid;

use crate::codes::coded;
pub use crate::codes::{Band, ItemKind, ItemState, OwnerKind, Sensitivity, Setting, UnmetReason, WarmHandoff};
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
        Replace = "replace",
    }
}

impl ItemState {
    /// Whether it ended without happening.
    pub fn is_unhappened(self) -> bool {
        matches!(self, Self::DeclinedByFamily | Self::NotAvailable | Self::Withdrawn | Self::Replaced)
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
            (Self::Planned | Self::Arranging | Self::InPlace, T::Replace) => Ok(Self::Replaced),
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
    /// How it is arranged.
    pub arrangement: Arrangement,
}

/// How an item is arranged: where, by whom, how much, after what.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Arrangement {
    /// Where.
    pub setting: Option<Setting>,
    /// How much help.
    pub band: Option<Band>,
    /// Who of the staff does it.
    pub owner_id: Option<Uuid>,
    /// Who of the staff takes the first step.
    pub first_step_owner_id: Option<Uuid>,
    /// How the first step is made easy.
    pub warm_handoff: Option<WarmHandoff>,
    /// 1 first to 3.
    pub priority: i16,
    /// Money.
    pub funding_note: String,
    /// Planned sessions a week; 0 where none.
    pub sessions_per_week: i16,
    /// Planned minutes a session.
    pub minutes_per_session: i16,
    /// Planned weeks.
    pub weeks: i16,
    /// Items that must be in place first.
    pub depends_on: Vec<Uuid>,
    /// Of these, not in place yet.
    pub waits_for: Vec<Uuid>,
    /// Goals that it serves.
    pub goal_ids: Vec<Uuid>,
    /// The item that took its place.
    pub replaced_by: Option<Uuid>,
    /// The individual review whose decision it is.
    pub individual_review_id: Option<Uuid>,
}

/// Whether making `item` depend on `wanted` would close a circle, given what the items of the plan depend on.
pub fn closes_circle(item: Uuid, wanted: &[Uuid], depends_on: &HashMap<Uuid, Vec<Uuid>>) -> bool {
    let mut open = wanted.to_vec();
    let mut seen = HashSet::new();
    while let Some(next) = open.pop() {
        if next == item {
            return true;
        }
        if seen.insert(next) {
            open.extend(depends_on.get(&next).into_iter().flatten().copied());
        }
    }
    false
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
            allowed.extend([
                (from, T::DeclineByFamily, S::DeclinedByFamily),
                (from, T::NotAvailable, S::NotAvailable),
                (from, T::Withdraw, S::Withdrawn),
                (from, T::Replace, S::Replaced),
            ]);
        }
        for from in S::ALL {
            for transition in T::ALL {
                let expected = allowed.iter().find(|(f, t, _)| f == from && t == transition).map(|(_, _, to)| *to);
                assert_eq!(from.transition(*transition).ok(), expected, "{} {}", from.as_str(), transition.as_str());
            }
        }
    }

    proptest::proptest! {
        #[test]
        fn items_that_wait_for_one_another_never_make_a_circle(wishes in proptest::collection::vec((0..6_u128, 0..6_u128), 0..40)) {
            let mut depends_on: HashMap<Uuid, Vec<Uuid>> = HashMap::new();
            for (from, to) in wishes {
                let (from, to) = (Uuid::from_u128(from), Uuid::from_u128(to));
                if !closes_circle(from, &[to], &depends_on) {
                    depends_on.entry(from).or_default().push(to);
                }
            }
            // Taking away again and again what waits for nothing leaves nothing, unless there is a circle.
            while let Some(free) = depends_on.keys().copied().find(|k| depends_on[k].iter().all(|d| !depends_on.contains_key(d))) {
                depends_on.remove(&free);
            }
            proptest::prop_assert!(depends_on.is_empty());
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
