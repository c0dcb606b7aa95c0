//! Plans of the sample: items for most needs, in every state, with referrals whose loops are open and closed.

use chrono::{Days, NaiveDate};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use proto::partners::v1::{Outcome, ReferralState};
use proto::plans::v1::{GetPlanResponse, Need, Plan, PlanItem, PlanItemKind, PlanItemState, UnmetReason};
use tonic::Code;
use uuid::Uuid;

use super::directory::{Offered, matching};
use super::mix::{Catalogue, Dice, dice, weighted};
use crate::acting::planning::{self, NewItem};
use crate::acting::referring::{self, NewReferral};
use crate::acting::{Cast, Part, Person, Services};
use crate::progress::Progress;

/// What a school's plans are made with.
pub struct Desk<'d> {
    /// Clients.
    pub services: &'d Services,
    /// Tokens.
    pub cast: &'d Cast,
    /// The code list.
    pub catalogue: &'d Catalogue,
    /// What partners offer.
    pub offers: &'d [Offered],
}

/// What becomes of a need.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Support,
    Group,
    Referral,
    NotAvailable(UnmetReason),
    FamilyDeclined,
    Open,
}

fn fate(dice: &mut Dice) -> Fate {
    const REASONS: [UnmetReason; 5] = [UnmetReason::NoService, UnmetReason::NoCapacity, UnmetReason::Transport, UnmetReason::Cost, UnmetReason::Schedule];
    match weighted(&[28, 16, 27, 14, 5, 10], dice) {
        0 => Fate::Support,
        1 => Fate::Group,
        2 => Fate::Referral,
        3 => Fate::NotAvailable(REASONS[weighted(&[4, 4, 2, 1, 1], dice)]),
        4 => Fate::FamilyDeclined,
        _ => Fate::Open,
    }
}

/// How far a referral goes: transitions of the partner, with reason and side, and perhaps the judgement.
type Way = (&'static [(&'static str, &'static str, &'static str)], Option<Outcome>);

/// Weighted ways; the first two stop at the draft and at "sent".
const WAYS: [(u32, Way); 11] = [
    (6, (&[], None)),
    (10, (&[], None)),
    (8, (&[("open", "", "")], None)),
    (10, (&[("open", "", ""), ("accept", "", "")], None)),
    (6, (&[("open", "", ""), ("waitlist", "", "")], None)),
    (22, (&[("open", "", ""), ("accept", "", ""), ("start", "", ""), ("attend", "", "")], None)),
    (8, (&[("open", "", ""), ("accept", "", ""), ("start", "", ""), ("attend", "", ""), ("complete", "", "")], None)),
    (16, (&[("open", "", ""), ("accept", "", ""), ("start", "", ""), ("attend", "", ""), ("complete", "", "")], Some(Outcome::NeedMet))),
    (5, (&[("open", "", ""), ("accept", "", ""), ("start", "", ""), ("attend", "", ""), ("complete", "", "")], Some(Outcome::NeedPartlyMet))),
    (6, (&[("open", "", ""), ("decline", "no_capacity", "partner")], Some(Outcome::NeedNotMet))),
    (3, (&[("open", "", ""), ("decline", "transport", "family")], None)),
];

const DRAFT: usize = 0;

/// Makes the plans of one school. `plans` are those of reviewed students.
pub async fn make(desk: &Desk<'_>, school: u64, coordinator: &Person, plans: Vec<Plan>, progress: &Progress) -> anyhow::Result<()> {
    stream::iter(plans).map(|plan| one_plan(desk, school, coordinator, plan, progress)).buffer_unordered(4).try_collect().await
}

async fn one_plan(desk: &Desk<'_>, school: u64, coordinator: &Person, plan: Plan, progress: &Progress) -> anyhow::Result<()> {
    let student = Uuid::parse_str(&plan.student_id)?;
    let mut dice = dice([school, 0, student.as_u64_pair().1, 2]);
    // One in eight stays a draft that the coordinator has not looked at.
    if weighted(&[7, 1], &mut dice) == 0 {
        let plan = planning::activate(desk.services, coordinator, &plan).await?;
        let mut whole = planning::read(desk.services, coordinator, &plan.student_id).await?;
        for need in std::mem::take(&mut whole.needs) {
            one_need(desk, coordinator, &whole, &need, &mut dice).await?;
        }
    }
    progress.add(1);
    Ok(())
}

async fn one_need(desk: &Desk<'_>, coordinator: &Person, plan: &GetPlanResponse, need: &Need, dice: &mut Dice) -> anyhow::Result<()> {
    let fate = fate(dice);
    let way = weighted(&WAYS.map(|(weight, _)| weight), dice);
    let namespace = Uuid::parse_str(&need.need_id)?;
    let item = Uuid::new_v5(&namespace, b"item");
    let categories = desk.catalogue.categories(&need.code);
    let offer = matching(desk.offers, &categories);
    let (kind, category, description) = match fate {
        Fate::Open => return Ok(()),
        Fate::Support => (PlanItemKind::SchoolSupport, String::new(), "A check-in with an adult of the school twice a week."),
        Fate::Group => (PlanItemKind::Service, own(&categories), "A small group of the school's own, on Tuesdays and Thursdays."),
        Fate::Referral if offer.is_some() => {
            (PlanItemKind::Referral, offer.map(|o| o.category.clone()).unwrap_or_default(), "By a partner, once the family agrees.")
        }
        Fate::Referral | Fate::NotAvailable(_) | Fate::FamilyDeclined => (PlanItemKind::Service, own(&categories), "A service outside the class."),
    };
    let referral = (kind == PlanItemKind::Referral).then(|| Uuid::new_v5(&namespace, b"referral"));
    let new = NewItem { id: item, needs: vec![need.need_id.clone()], builds_on: Vec::new(), kind, category, description: description.to_owned(), referral };
    let item = planning::add(desk.services, coordinator, plan, &new).await?;
    match (fate, offer) {
        (Fate::Referral, Some(offer)) => refer(desk, coordinator, &item, need, offer, way).await,
        (Fate::Group, _) => group(desk, coordinator, plan, &item, &namespace).await,
        _ if item.state() != PlanItemState::Planned => Ok(()),
        (Fate::Support, _) => move_on(desk, coordinator, &item, "put_in_place", UnmetReason::Unspecified).await,
        (Fate::NotAvailable(reason), _) => move_on(desk, coordinator, &item, "not_available", reason).await,
        (Fate::FamilyDeclined, _) => move_on(desk, coordinator, &item, "decline_by_family", UnmetReason::FamilyDeclined).await,
        // Nobody offers it.
        (Fate::Referral, None) => move_on(desk, coordinator, &item, "not_available", UnmetReason::NoService).await,
        (Fate::Open, _) => Ok(()),
    }
}

/// The category for a service of the school's own.
fn own(categories: &[String]) -> String {
    categories.iter().find(|c| !c.contains('*')).cloned().unwrap_or_else(|| "SE-GRP".to_owned())
}

async fn move_on(desk: &Desk<'_>, who: &Person, item: &PlanItem, transition: &str, reason: UnmetReason) -> anyhow::Result<()> {
    let item = planning::move_item(desk.services, who, item, "arrange", UnmetReason::Unspecified).await?;
    planning::move_item(desk.services, who, &item, transition, reason).await?;
    Ok(())
}

async fn group(desk: &Desk<'_>, who: &Person, plan: &GetPlanResponse, item: &PlanItem, namespace: &Uuid) -> anyhow::Result<()> {
    if plan.enrolments.iter().any(|e| e.plan_item_id == item.plan_item_id) {
        return Ok(());
    }
    let today = chassis_clock::today();
    let since: NaiveDate = today.checked_sub_days(Days::new(21)).unwrap_or(today);
    let enrolment = planning::enrol(desk.services, who, item, Uuid::new_v5(namespace, b"enrolment"), since).await?;
    planning::deliver(desk.services, who, &enrolment, since).await?;
    Ok(())
}

async fn refer(desk: &Desk<'_>, who: &Person, item: &PlanItem, need: &Need, offer: &Offered, way: usize) -> anyhow::Result<()> {
    let namespace = Uuid::parse_str(&need.need_id)?;
    let new = NewReferral {
        id: Uuid::new_v5(&namespace, b"referral"),
        student: need.student_id.clone(),
        needs: vec![(need.need_id.clone(), need.code.clone())],
        item: item.plan_item_id.clone(),
        service: offer.service.clone(),
    };
    let (_, (steps, outcome)) = WAYS[way];
    if way != DRAFT {
        referring::consent(desk.services, who, Uuid::new_v5(&namespace, b"consent"), &need.student_id, &offer.partner).await?;
    }
    let referral = referring::draft(desk.services, who, &new).await?;
    // One that went on in an earlier run stays as it is.
    if way == DRAFT || referral.state() != ReferralState::Draft {
        return Ok(());
    }
    referring::send(desk.services, who, &referral).await?;
    let partner = desk.cast.plays(&Part::partner(&offer.partner)).await?;
    let mut full = false;
    for (transition, reason, side) in steps {
        match step(desk, &partner, &referral.referral_id, transition, reason, side).await? {
            Stepped::On => {}
            Stepped::Full => {
                step(desk, &partner, &referral.referral_id, "decline", "no_capacity", "partner").await?;
                full = true;
                break;
            }
        }
    }
    if let Some(outcome) = outcome {
        referring::judge(desk.services, who, &referral.referral_id, if full { Outcome::NeedNotMet } else { outcome }).await?;
    }
    Ok(())
}

enum Stepped {
    On,
    Full,
}

async fn step(desk: &Desk<'_>, partner: &Person, referral: &str, transition: &str, reason: &str, side: &str) -> anyhow::Result<Stepped> {
    let request = proto::partners::v1::TransitionReferralRequest {
        referral_id: referral.to_owned(),
        transition: transition.to_owned(),
        reason: reason.to_owned(),
        reason_side: side.to_owned(),
        expected_version: 0,
        request_id: crate::acting::request_id(),
    };
    match desk.services.referrals().transition_referral(partner.asks(request)).await {
        Ok(_) => Ok(Stepped::On),
        Err(status) if status.code() == Code::ResourceExhausted => Ok(Stepped::Full),
        Err(status) => Err(crate::acting::told(&status).context(format!("{transition} the referral"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_judged_referral_has_come_to_an_end() {
        for (_, (steps, outcome)) in WAYS {
            let last = steps.last().map(|(transition, ..)| *transition);
            assert!(outcome.is_none() || matches!(last, Some("complete" | "decline")));
        }
    }
}
