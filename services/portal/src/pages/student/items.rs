//! Items of a plan: enrolments, sessions and referrals, and what can happen to each next.

use proto::partners::v1::{Outcome, Referral, ReferralState};
use proto::plans::v1::{Attendance, Enrolment, EnrolmentState, OwnerKind, PlanItem, PlanItemKind, PlanItemState, WarmHandoff};

use crate::form::fresh_id;
use crate::lookup::service_category_label;
use crate::pages::referral::words::{referral_state, referral_tag};
use crate::words;

use super::view::{Sources, partner_name};

/// A button that moves something on.
#[derive(Debug, Clone)]
pub struct Move {
    /// Transition.
    pub value: &'static str,
    /// What the button says.
    pub words: &'static str,
}

/// An enrolment in a service.
pub struct EnrolmentView {
    /// Enrolment.
    pub id: String,
    /// State in words.
    pub state: &'static str,
    /// Style.
    pub tag: &'static str,
    /// For the next write.
    pub version: i64,
    /// What can happen next.
    pub moves: Vec<Move>,
    /// Whether sessions can be logged.
    pub logs: bool,
    /// Minutes of one session, as planned.
    pub minutes: i32,
    /// Sessions logged.
    pub delivered: i32,
    /// Sessions planned in all.
    pub planned: i32,
    /// Width of what was delivered in a bar of 98.
    pub width: i32,
    /// Ids for the next commands.
    pub request_id: String,
    /// Id of the next session logged.
    pub delivery_id: String,
}

/// A referral behind an item.
pub struct ReferralLine {
    /// Referral.
    pub id: String,
    /// Partner.
    pub partner: String,
    /// State in words.
    pub state: &'static str,
    /// Style.
    pub tag: &'static str,
    /// Outcome in words; empty while open.
    pub outcome: String,
}

/// A plan item.
pub struct ItemView {
    /// Item.
    pub id: String,
    /// What is to happen.
    pub description: String,
    /// Kind and category in words.
    pub kind: String,
    /// What it builds on.
    pub builds_on: String,
    /// State in words.
    pub state: &'static str,
    /// Style.
    pub tag: &'static str,
    /// By when.
    pub due: String,
    /// For the next write.
    pub version: i64,
    /// What can happen next, where nothing else decides the state.
    pub moves: Vec<Move>,
    /// Enrolments.
    pub enrolments: Vec<EnrolmentView>,
    /// Referrals.
    pub referrals: Vec<ReferralLine>,
    /// Whether an enrolment can be added.
    pub may_enrol: bool,
    /// Groups of the school that give this help: id and words.
    pub groups: Vec<(String, String)>,
    /// Whether a referral can be made.
    pub may_refer: bool,
    /// Id under which the next command is sent.
    pub request_id: String,
    /// Id of the next enrolment.
    pub enrolment_id: String,
    /// Needs it answers, for a referral's link.
    pub need_ids: String,
    /// What must be in place first and is not; empty where nothing.
    pub waits_for: String,
    /// Ids of what it depends on.
    pub depends_on: Vec<String>,
    /// Who does it and takes the first step, and how that is made easy.
    pub hands: String,
    /// For the form.
    pub owner: &'static str,
    /// For the form.
    pub first_step: &'static str,
    /// For the form.
    pub handoff: String,
    /// By when, ISO.
    pub due_on: String,
    /// Whether it can be changed.
    pub open: bool,
}

/// A plan item with what hangs on it.
pub fn item(sources: &Sources, item: &PlanItem, writes: bool) -> ItemView {
    let enrolments: Vec<EnrolmentView> = sources
        .plan
        .enrolments
        .iter()
        .filter(|enrolment| enrolment.plan_item_id == item.plan_item_id)
        .map(|enrolment| enrolment_view(sources, enrolment, writes))
        .collect();
    let referrals: Vec<ReferralLine> = sources
        .referrals
        .iter()
        .filter(|referral| referral.plan_item_id == item.plan_item_id || referral.referral_id == item.referral_id)
        .map(|referral| ReferralLine {
            id: referral.referral_id.clone(),
            partner: partner_name(sources, &referral.partner_id),
            state: referral_state(referral.state()),
            tag: referral_tag(referral.state()),
            outcome: outcome(referral),
        })
        .collect();
    let open = matches!(item.state(), PlanItemState::Planned | PlanItemState::Arranging | PlanItemState::InPlace);
    let by_itself = enrolments.is_empty() && referrals.is_empty() && item.referral_id.is_empty();
    let kind = ITEM_KIND_WORDS.iter().find(|(kind, _)| *kind == item.kind()).map_or("", |(_, words)| words);
    ItemView {
        id: item.plan_item_id.clone(),
        description: name_of(sources, item),
        kind: if item.service_category.is_empty() {
            kind.to_owned()
        } else {
            format!("{kind}: {}", service_category_label(&item.service_category).to_lowercase())
        },
        builds_on: item.builds_on_codes.iter().map(|code| sources.codes.label(code).to_lowercase()).collect::<Vec<_>>().join(", "),
        state: words::item_state(item.state()),
        tag: match item.state() {
            PlanItemState::InPlace | PlanItemState::Done => "ok",
            PlanItemState::Arranging => "info",
            _ => "",
        },
        due: words::day(&item.due_on),
        version: item.version,
        moves: if writes && by_itself { item_moves(item.state()) } else { Vec::new() },
        may_enrol: writes && sources.manages && open && enrolments.is_empty() && referrals.is_empty() && item.kind() == PlanItemKind::Service,
        groups: sources
            .groups
            .iter()
            .filter(|group| group.service_category == item.service_category && group.last_on >= sources.today)
            .map(|group| (group.group_id.clone(), format!("{}, {} of {} places", group.name, group.member_count, group.capacity)))
            .collect(),
        may_refer: writes
            && sources.refers
            && open
            && enrolments.is_empty()
            && item.kind() == PlanItemKind::Referral
            && referrals.iter().all(|line| matches!(line.state, "closed" | "declined" | "withdrawn" | "entered in error")),
        need_ids: item.need_ids.join(","),
        waits_for: waits_for(sources, item),
        depends_on: item.depends_on_item_ids.clone(),
        hands: hands(sources, item),
        owner: owner_value(item.owner()),
        first_step: owner_value(item.first_step_owner()),
        handoff: item.warm_handoff().as_str_name().trim_start_matches("WARM_HANDOFF_").to_lowercase(),
        due_on: item.due_on.clone(),
        open: writes && open,
        enrolments,
        referrals,
        request_id: fresh_id(),
        enrolment_id: fresh_id(),
    }
}

/// What is to happen. What a team decided has its words with the individual review, for those who may read it.
fn name_of(sources: &Sources, item: &PlanItem) -> String {
    if !item.description.is_empty() {
        return item.description.clone();
    }
    let decided = sources.individual.iter().flat_map(|review| &review.decisions).find(|decision| decision.decision_id == item.plan_item_id);
    match decided {
        Some(decision) if !decision.text.is_empty() => decision.text.clone(),
        _ if item.service_category.is_empty() => "Decided in an individual review".to_owned(),
        _ => service_category_label(&item.service_category),
    }
}

/// What it waits for, in words.
fn waits_for(sources: &Sources, item: &PlanItem) -> String {
    let words: Vec<String> = sources
        .plan
        .items
        .iter()
        .filter(|other| item.waits_for_item_ids.contains(&other.plan_item_id))
        .map(|other| words::within(&name_of(sources, other)))
        .collect();
    words.join(", ")
}

fn owner_value(owner: OwnerKind) -> &'static str {
    match owner {
        OwnerKind::Unspecified | OwnerKind::Staff => "staff",
        OwnerKind::Partner => "partner",
        OwnerKind::Family => "family",
        OwnerKind::Student => "student",
    }
}

/// Who does it and takes the first step, and how that is made easy.
fn hands(sources: &Sources, item: &PlanItem) -> String {
    let named = |id: &str, owner: OwnerKind| sources.staff.get(id).cloned().unwrap_or_else(|| words::within(&words::label(words::OWNERS, owner_value(owner))));
    let mut parts = Vec::new();
    if item.owner() != OwnerKind::Unspecified {
        parts.push(format!("done by {}", named(&item.owner_id, item.owner())));
    }
    if item.first_step_owner() != OwnerKind::Unspecified {
        parts.push(format!("first step: {}", named(&item.first_step_owner_id, item.first_step_owner())));
    }
    if item.warm_handoff() != WarmHandoff::Unspecified {
        let value = item.warm_handoff().as_str_name().trim_start_matches("WARM_HANDOFF_").to_lowercase();
        parts.push(words::within(&words::label(super::plan::HANDOFFS, &value)));
    }
    parts.join(" · ")
}

const ITEM_KIND_WORDS: [(PlanItemKind, &str); 7] = [
    (PlanItemKind::Service, "Service inside the school"),
    (PlanItemKind::Referral, "Service of a partner"),
    (PlanItemKind::SchoolSupport, "Small support by staff"),
    (PlanItemKind::HomeStrategy, "At home"),
    (PlanItemKind::FamilyAction, "The family does it"),
    (PlanItemKind::Accommodation, "A change in teaching"),
    (PlanItemKind::InformationOnly, "Information"),
];

fn outcome(referral: &Referral) -> String {
    match referral.outcome() {
        Outcome::Unspecified => String::new(),
        Outcome::NeedMet => "Need met".to_owned(),
        Outcome::NeedPartlyMet => "Need partly met".to_owned(),
        Outcome::NeedNotMet => "Need not met".to_owned(),
        Outcome::Unknown if referral.state() == ReferralState::Closed => "Outcome not known".to_owned(),
        Outcome::Unknown => String::new(),
    }
}

fn enrolment_view(sources: &Sources, enrolment: &Enrolment, writes: bool) -> EnrolmentView {
    let of_it = sources.plan.deliveries.iter().filter(|one| one.enrolment_id == enrolment.enrolment_id && one.superseded_by.is_empty());
    let attended = of_it.filter(|one| matches!(one.attendance(), Attendance::Present | Attendance::Partial)).count();
    let attended = i32::try_from(attended).unwrap_or(i32::MAX);
    let planned = enrolment.sessions_per_week * enrolment.weeks;
    EnrolmentView {
        id: enrolment.enrolment_id.clone(),
        state: words::enrolment_state(enrolment.state()),
        tag: match enrolment.state() {
            EnrolmentState::Active | EnrolmentState::Completed => "ok",
            EnrolmentState::Offered | EnrolmentState::Accepted => "info",
            EnrolmentState::Waitlisted | EnrolmentState::Paused => "warn",
            _ => "",
        },
        version: enrolment.version,
        moves: if writes && sources.manages { enrolment_moves(enrolment.state()) } else { Vec::new() },
        logs: writes && enrolment.state() == EnrolmentState::Active,
        minutes: enrolment.minutes_per_session,
        delivered: attended,
        planned,
        width: if planned > 0 { (98 * attended / planned).clamp(0, 98) } else { 0 },
        request_id: fresh_id(),
        delivery_id: fresh_id(),
    }
}

/// Buttons from transitions and their words.
pub fn moves(list: &[(&'static str, &'static str)]) -> Vec<Move> {
    list.iter().map(|(value, words)| Move { value, words }).collect()
}

fn item_moves(state: PlanItemState) -> Vec<Move> {
    moves(match state {
        PlanItemState::Planned => &[("arrange", "Being arranged"), ("put_in_place", "In place"), ("withdraw", "Withdraw")],
        PlanItemState::Arranging => &[("put_in_place", "In place"), ("withdraw", "Withdraw")],
        PlanItemState::InPlace => &[("finish", "Finished")],
        _ => &[],
    })
}

fn enrolment_moves(state: EnrolmentState) -> Vec<Move> {
    moves(match state {
        EnrolmentState::Offered => &[("accept", "Family says yes"), ("decline", "Family says no"), ("waitlist", "Waiting list")],
        EnrolmentState::Waitlisted => &[("seat", "Has a place")],
        EnrolmentState::Accepted => &[("start", "Start today")],
        EnrolmentState::Active => &[("complete", "Complete"), ("pause", "Pause")],
        EnrolmentState::Paused => &[("resume", "Resume")],
        _ => &[],
    })
}
