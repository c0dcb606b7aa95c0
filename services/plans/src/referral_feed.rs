//! What partners say of referrals: each moves the plan item it is for, and its closing judges the needs.

use async_trait::async_trait;
use chassis_events::{ApplyError, Event, Handler};
use proto::partners::v1::{Outcome, ReferralChanged, ReferralMode, ReferralState};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::codes::{ItemKind, ItemState, NeedState, Sensitivity, UnmetReason};
use crate::feed;
use crate::plan_item::entity::Item;
use crate::plan_item::repo::HeldReferral;
use crate::{need, plan, plan_item};

/// Consumer of partners' referrals.
#[derive(Clone, Copy, Debug)]
pub struct ReferralFeed;

/// Who is said to have made these changes.
const BY: &str = "partners";
/// Protected referrals come by this topic.
const PROTECTED_REFERRALS: &str = "partners.protected-referral.v1";

/// What a referral says of its item: the state, and why where it ended without happening. None where it says nothing.
type Effect = (Option<ItemState>, Option<UnmetReason>);

/// What a referral in this state means for its item. `before` is what it meant until now.
pub fn effect(state: ReferralState, reason: &str, family: bool, outcome: Outcome, before: Option<ItemState>) -> Option<Effect> {
    use ReferralState as S;
    Some(match state {
        S::Unspecified => return None,
        S::Void => (None, None),
        S::Draft => (Some(ItemState::Planned), None),
        S::Sent | S::Received | S::NeedsFamilyAction | S::Waitlisted | S::Accepted => (Some(ItemState::Arranging), None),
        S::Started | S::Attending | S::Paused => (Some(ItemState::InPlace), None),
        S::Completed => (Some(ItemState::Done), None),
        S::Declined | S::UnableToContact | S::Withdrawn | S::StoppedEarly => ended(reason, family),
        S::Closed => match (outcome, before) {
            (Outcome::NeedMet | Outcome::NeedPartlyMet, _) => (Some(ItemState::Done), None),
            // Closing does not make happen what never did: the need stays open, and unmet for the same reason.
            (_, Some(before)) if before.is_unhappened() => return None,
            _ => (Some(ItemState::Done), None),
        },
    })
}

fn ended(reason: &str, family: bool) -> Effect {
    let state = if family { ItemState::DeclinedByFamily } else { ItemState::NotAvailable };
    let reason = match reason {
        "no_capacity" | "staffing" => UnmetReason::NoCapacity,
        "missing_documents" => UnmetReason::NotEligible,
        r if r.starts_with("not_eligible") => UnmetReason::NotEligible,
        "service_ended" | "wrong_service" | "provider_ended" => UnmetReason::NoService,
        "transport" => UnmetReason::Transport,
        "cost" => UnmetReason::Cost,
        "schedule" => UnmetReason::Schedule,
        "language" => UnmetReason::Language,
        _ if family => UnmetReason::FamilyDeclined,
        _ => UnmetReason::Other,
    };
    (Some(state), Some(reason))
}

/// What a closed referral comes to for its needs; none where it says nothing of them.
pub fn judgement(state: ReferralState, outcome: Outcome, item_state: Option<ItemState>) -> Option<NeedState> {
    match (state, outcome) {
        (ReferralState::Closed, Outcome::NeedMet) => Some(NeedState::Met),
        (ReferralState::Closed, Outcome::NeedPartlyMet) => Some(NeedState::PartlyMet),
        (ReferralState::Closed, Outcome::NeedNotMet) if !item_state.is_some_and(ItemState::is_unhappened) => Some(NeedState::NotMet),
        _ => None,
    }
}

#[async_trait]
impl Handler for ReferralFeed {
    fn topics(&self) -> Vec<&'static str> {
        vec!["partners.referral.v1", PROTECTED_REFERRALS]
    }

    async fn apply(&self, conn: &mut PgConnection, event: &Event) -> Result<(), ApplyError> {
        let Some(message) = event.decode::<ReferralChanged>()? else { return Ok(()) };
        let referral_id = feed::id("referral_id", &message.referral_id)?;
        let at = feed::time("time", message.time.as_ref())?;
        let student_id = feed::id("student_id", &message.student_id)?;
        let need_ids = feed::ids("need_ids", &message.need_ids)?;
        // A referral for needs alone gets an item of its own, with the same id.
        let item_id = if message.plan_item_id.is_empty() { referral_id } else { feed::id("plan_item_id", &message.plan_item_id)? };
        let protected = event.topic == PROTECTED_REFERRALS || message.mode() == ReferralMode::Protected;

        let item = lock_item(conn, item_id, student_id).await?;
        let held = plan_item::repo::referral(conn, referral_id).await?;
        if held.as_ref().is_some_and(|h| h.version >= message.version) {
            return Ok(());
        }
        let before = held.as_ref().and_then(|h| h.item_state);
        let said = effect(message.state(), &message.reason, message.reason_side == "family", message.outcome(), before);
        let (item_state, item_reason) = said.unwrap_or((before, held.and_then(|h| h.item_reason)));
        let now = HeldReferral { version: message.version, item_state, item_reason };
        if !plan_item::repo::put_referral(conn, referral_id, item_id, &now, at).await? {
            return Ok(());
        }
        let partner = if message.partner_id.is_empty() { None } else { Some(feed::id("partner_id", &message.partner_id)?) };
        plan_item::repo::address_referral(conn, referral_id, partner, student_id, &need_ids).await?;

        let item = match item {
            Some(item) => {
                let level = if protected { Sensitivity::Protected } else { Sensitivity::General };
                let item = plan_item::raise_sensitivity(conn, item, level, BY).await?;
                Some(plan_item::follow_sources(conn, item, BY).await?)
            }
            None if message.plan_item_id.is_empty() && item_state.is_some() => {
                create_item(conn, referral_id, student_id, &need_ids, &message.service_category, protected).await?
            }
            // An item that we have not heard of follows the referral once it is written.
            None => None,
        };
        if let Some(state) = judgement(message.state(), message.outcome(), item_state) {
            let about = if need_ids.is_empty() { item.map(|i| i.need_ids).unwrap_or_default() } else { need_ids };
            let judged = need::repo::settle_by_referral(conn, student_id, &about, state, at).await?;
            need::events::publish(conn, &judged, BY).await?;
        }
        Ok(())
    }
}

/// Locks the plan of an item and reads the item; none where it is not there, or another student's.
async fn lock_item(conn: &mut PgConnection, item_id: Uuid, student_id: Uuid) -> Result<Option<Item>, ApplyError> {
    let Some(plan_id) = plan_item::repo::plan_of(conn, item_id).await? else { return Ok(None) };
    plan::repo::lock(conn, plan_id).await?;
    let item = plan_item::repo::by_id(conn, item_id).await?;
    match item {
        Some(item) if item.student_id != student_id => Err(ApplyError::Reject("plan_item_id is an item of another student".to_owned())),
        item => Ok(item),
    }
}

/// Writes an item for a referral that has none, where its needs are known to us.
async fn create_item(
    conn: &mut PgConnection,
    id: Uuid,
    student_id: Uuid,
    need_ids: &[Uuid],
    category: &str,
    protected: bool,
) -> Result<Option<Item>, ApplyError> {
    let mut needs = need::repo::by_ids(conn, need_ids).await?;
    needs.retain(|n| n.student_id == student_id);
    let Some(plan_id) = needs.iter().max_by_key(|n| n.school_year).map(|n| n.plan_id) else { return Ok(None) };
    needs.retain(|n| n.plan_id == plan_id);
    plan::repo::lock(conn, plan_id).await?;
    let sensitivity = needs.iter().map(|n| n.sensitivity).max().unwrap_or(Sensitivity::General);
    let item = Item {
        plan_item_id: id,
        plan_id,
        student_id,
        school_id: Uuid::nil(),
        school_year: 0,
        need_ids: needs.iter().map(|n| n.need_id).collect(),
        builds_on_codes: vec![],
        kind: ItemKind::Referral,
        service_category: if category.is_empty() { String::new() } else { feed::code("service_category", category)? },
        description: String::new(),
        owner: Some(crate::codes::OwnerKind::Partner),
        first_step_owner: None,
        due_on: None,
        state: ItemState::Planned,
        ended_reason: None,
        referral_id: Some(id),
        sensitivity: if protected { Sensitivity::Protected } else { sensitivity },
        version: 1,
        arrangement: crate::plan_item::entity::Arrangement { priority: 2, ..Default::default() },
    };
    Ok(plan_item::create(conn, &item, BY).await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_referral_in_each_state_means_one_thing_for_its_item() {
        use ReferralState as S;
        let item = |state, reason, family| effect(state, reason, family, Outcome::Unspecified, None);
        for state in [S::Sent, S::Received, S::NeedsFamilyAction, S::Waitlisted, S::Accepted] {
            assert_eq!(item(state, "", false), Some((Some(ItemState::Arranging), None)));
        }
        for state in [S::Started, S::Attending, S::Paused] {
            assert_eq!(item(state, "", false), Some((Some(ItemState::InPlace), None)));
        }
        assert_eq!(item(S::Draft, "", false), Some((Some(ItemState::Planned), None)));
        assert_eq!(item(S::Void, "", false), Some((None, None)));
        assert_eq!(item(S::Unspecified, "", false), None);
        for (reason, family, state, why) in [
            ("no_capacity", false, ItemState::NotAvailable, UnmetReason::NoCapacity),
            ("not_eligible_age", false, ItemState::NotAvailable, UnmetReason::NotEligible),
            ("not_eligible_area", false, ItemState::NotAvailable, UnmetReason::NotEligible),
            ("service_ended", false, ItemState::NotAvailable, UnmetReason::NoService),
            ("safety", false, ItemState::NotAvailable, UnmetReason::Other),
            ("transport", true, ItemState::DeclinedByFamily, UnmetReason::Transport),
            ("language", true, ItemState::DeclinedByFamily, UnmetReason::Language),
            ("trust", true, ItemState::DeclinedByFamily, UnmetReason::FamilyDeclined),
        ] {
            for end in [S::Declined, S::UnableToContact, S::Withdrawn, S::StoppedEarly] {
                assert_eq!(item(end, reason, family), Some((Some(state), Some(why))), "{reason}");
            }
        }
    }

    #[test]
    fn closing_judges_the_need_but_never_makes_happen_what_did_not() {
        use Outcome as O;
        let closed = |outcome, before| effect(ReferralState::Closed, "", false, outcome, before);
        assert_eq!(closed(O::NeedMet, Some(ItemState::Done)), Some((Some(ItemState::Done), None)));
        assert_eq!(closed(O::NeedNotMet, Some(ItemState::Done)), Some((Some(ItemState::Done), None)));
        assert_eq!(closed(O::NeedNotMet, Some(ItemState::NotAvailable)), None);
        assert_eq!(judgement(ReferralState::Closed, O::NeedMet, Some(ItemState::Done)), Some(NeedState::Met));
        assert_eq!(judgement(ReferralState::Closed, O::NeedNotMet, Some(ItemState::Done)), Some(NeedState::NotMet));
        assert_eq!(judgement(ReferralState::Closed, O::NeedNotMet, Some(ItemState::NotAvailable)), None);
        assert_eq!(judgement(ReferralState::Closed, O::Unknown, Some(ItemState::Done)), None);
        assert_eq!(judgement(ReferralState::Completed, O::NeedMet, Some(ItemState::Done)), None);
    }
}
