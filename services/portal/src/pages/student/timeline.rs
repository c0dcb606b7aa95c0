//! A student's timeline: what happened, from every service, newest first.

use std::collections::{BTreeMap, HashMap};

use prost_types::Timestamp;
use proto::partners::v1::Referral;
use proto::plans::v1::{Aid, Attendance, FollowUp, FollowUpState, GetPlanResponse, Transition, TransitionState};
use proto::reviews::v1::{ClassReview, Concern, IndividualReview, Polarity, StudentReview, StudentReviewState, TierAssignment};

use crate::lookup::{CodeList, is_restricted, school_year_of, service_category_label};
use crate::pages::concern::words as concern_words;
use crate::pages::follow_up::words as follow_up_words;
use crate::pages::individual_review::words as review_words;
use crate::pages::referral::words::{referral_state, referral_tag};
use crate::words;

/// What can be shown alone.
pub const FILTERS: [(&str, &str); 5] = [("all", "All"), ("reviews", "Reviews"), ("services", "Services"), ("referrals", "Referrals"), ("family", "Family")];

/// Something that happened.
#[derive(Debug, Clone, Default)]
pub struct Event {
    /// ISO date, for the order.
    pub on: String,
    /// The day in words.
    pub day: String,
    /// Icon.
    pub icon: &'static str,
    /// What.
    pub title: String,
    /// More about it.
    pub lines: Vec<String>,
    /// Somebody's own words.
    pub quote: String,
    /// Who and when.
    pub meta: String,
    /// Where it can be read; empty where nowhere.
    pub href: String,
    /// State and its style.
    pub state: Option<(&'static str, &'static str)>,
    /// The content is closed until it is opened where it can be read.
    pub closed: bool,
    /// Filter it belongs to.
    pub kind: &'static str,
}

/// What the timeline is made from.
pub struct Sources<'a> {
    /// Plans of the years that are shown.
    pub plans: &'a [GetPlanResponse],
    /// Tiers.
    pub tiers: &'a [TierAssignment],
    /// Class reviews with the student's part.
    pub reviews: &'a [(ClassReview, StudentReview)],
    /// Concerns.
    pub concerns: &'a [Concern],
    /// Individual reviews.
    pub individual: &'a [IndividualReview],
    /// Referrals.
    pub referrals: &'a [Referral],
    /// Names of partners.
    pub partners: &'a HashMap<String, String>,
    /// Follow-ups.
    pub follow_ups: &'a [FollowUp],
    /// Aid.
    pub aids: &'a [Aid],
    /// Hand-overs.
    pub transitions: &'a [Transition],
    /// Names of staff.
    pub staff: &'a HashMap<String, String>,
    /// Code list.
    pub codes: &'a CodeList,
}

fn iso(time: Option<&Timestamp>) -> String {
    words::local(time).map(|time| time.date_naive().to_string()).unwrap_or_default()
}

fn counted(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

/// All events from `since` on (ISO; empty for all), newest first, those of one filter.
pub fn events(sources: &Sources<'_>, filter: &str, since: &str) -> Vec<Event> {
    let mut all = Vec::new();
    reviews(sources, &mut all);
    concerns(sources, &mut all);
    individual(sources, &mut all);
    referrals(sources, &mut all);
    plans(sources, &mut all);
    services(sources, &mut all);
    others(sources, &mut all);
    let known = FILTERS.iter().any(|(value, _)| *value == filter) && filter != "all";
    all.retain(|event| !event.on.is_empty() && event.on.as_str() >= since && (!known || event.kind == filter));
    for event in &mut all {
        event.day = words::day(&event.on);
    }
    all.sort_by(|a, b| b.on.cmp(&a.on));
    all
}

/// The first day of the school year before the one of `today`.
pub fn last_year_begins(today: &str) -> String {
    format!("{}-07-01", school_year_of(today) - 2)
}

fn tier_words(tier: &TierAssignment) -> String {
    let mut text = words::tier(tier.tier()).map_or_else(String::new, |tier| format!("Tier {}, {}", tier.key, tier.words));
    if tier.tier != tier.suggested_tier
        && let Some(suggested) = words::tier(tier.suggested_tier())
    {
        text.push_str(&format!("; the rule suggested {}. Reason: {}", suggested.key, words::within(&words::label(words::TIER_REASONS, &tier.reason))));
        if !tier.reason_text.is_empty() {
            text.push_str(&format!(" ({})", tier.reason_text));
        }
    }
    text.push('.');
    text
}

fn by(staff: &HashMap<String, String>, id: &str) -> String {
    staff.get(id).cloned().unwrap_or_default()
}

fn reviews(sources: &Sources<'_>, all: &mut Vec<Event>) {
    for tier in sources.tiers {
        let on = iso(tier.effective_time.as_ref());
        let with = by(sources.staff, &tier.decided_by);
        let source = match tier.source.as_str() {
            "fall_wcr" => "Fall review",
            "spring_wcr" => "Spring review",
            "custom_wcr" => "Class review",
            "isr" => "Tier decided after a student review",
            "concern" => "Tier decided after a concern",
            "transfer_in" => "Tier decided when the student came",
            _ => "Tier decided",
        };
        let review = sources
            .reviews
            .iter()
            .find(|(class, part)| class.school_year == tier.school_year && part.assigned_tier == tier.tier && tier.source.starts_with(season(class.season())));
        let mut lines = Vec::new();
        if let Some((_, part)) = review {
            lines.push(found(part));
        }
        lines.push(tier_words(tier));
        let title = if with.is_empty() { source.to_owned() } else { format!("{source} with {with}") };
        all.push(Event { on, icon: "people", title, lines, meta: "The tier is seen by staff only.".to_owned(), kind: "reviews", ..Event::default() });
    }
    for (class, part) in sources.reviews {
        if part.state() == StudentReviewState::NotReviewed {
            let reason = words::within(&words::label(words::NOT_REVIEWED_REASONS, &part.not_reviewed_reason));
            all.push(Event {
                on: iso(class.start_time.as_ref()),
                icon: "people",
                title: "Not reviewed with the class".to_owned(),
                lines: vec![format!("Reason: {reason}.")],
                kind: "reviews",
                ..Event::default()
            });
        }
    }
}

fn season(season: proto::reviews::v1::Season) -> &'static str {
    use proto::reviews::v1::Season as S;
    match season {
        S::Fall => "fall",
        S::Spring => "spring",
        S::Custom => "custom",
        S::Unspecified => "none",
    }
}

/// What a review found, in numbers.
pub fn found(part: &StudentReview) -> String {
    let count = |polarity: Polarity| part.entries.iter().filter(|entry| entry.polarity() == polarity && entry.superseded_by.is_empty()).count();
    format!(
        "{}, {}, {}.",
        counted(count(Polarity::Strength), "strength", "strengths"),
        counted(count(Polarity::Need), "need", "needs"),
        counted(count(Polarity::Interest), "interest", "interests")
    )
}

fn concerns(sources: &Sources<'_>, all: &mut Vec<Event>) {
    for concern in sources.concerns {
        let closed = is_restricted(concern.sensitivity());
        let mut lines = Vec::new();
        if !closed && !concern.text.is_empty() {
            lines.push(concern.text.clone());
        }
        if concern.triage_time.is_some() {
            lines.push(format!("{}.", concern_words::decision(concern.triage())));
        }
        let raised = by(sources.staff, &concern.raised_by);
        all.push(Event {
            on: iso(concern.raise_time.as_ref()),
            icon: "flag",
            title: format!("Concern {}", concern_words::source(concern.source())),
            lines,
            meta: if raised.is_empty() { String::new() } else { format!("Raised by {raised}") },
            href: format!("/concerns/{}", concern.concern_id),
            state: Some((concern_words::state(concern.state()), concern_words::tag(concern.state()))),
            closed,
            kind: "reviews",
            ..Event::default()
        });
    }
}

fn individual(sources: &Sources<'_>, all: &mut Vec<Event>) {
    for review in sources.individual {
        let mut lines = vec![format!("Because: {}.", review_words::trigger(review.trigger()))];
        if !review.closed_to_caller && !review.decisions.is_empty() {
            lines.push(counted(review.decisions.len(), "decision.", "decisions."));
        }
        all.push(Event {
            on: if review.meets_on.is_empty() { iso(review.open_time.as_ref()) } else { review.meets_on.clone() },
            icon: "people",
            title: "Individual student review".to_owned(),
            lines,
            href: format!("/individual-reviews/{}", review.individual_review_id),
            state: Some((review_words::state(review.state()), "")),
            closed: review.closed_to_caller,
            kind: "reviews",
            ..Event::default()
        });
    }
}

fn referrals(sources: &Sources<'_>, all: &mut Vec<Event>) {
    for referral in sources.referrals {
        let partner = sources.partners.get(&referral.partner_id).cloned().unwrap_or_else(|| "a partner".to_owned());
        let when = referral.sent_time.as_ref().or(referral.update_time.as_ref());
        all.push(Event {
            on: iso(when),
            icon: "send",
            title: format!("Referral to {partner}"),
            lines: if referral.first_step_owner.is_empty() { Vec::new() } else { vec![format!("First step: {}.", referral.first_step_owner)] },
            href: format!("/referrals/{}", referral.referral_id),
            state: Some((referral_state(referral.state()), referral_tag(referral.state()))),
            kind: "referrals",
            ..Event::default()
        });
    }
}

fn plans(sources: &Sources<'_>, all: &mut Vec<Event>) {
    for answer in sources.plans {
        let Some(plan) = &answer.plan else { continue };
        all.push(Event {
            on: iso(plan.create_time.as_ref()),
            icon: "plan",
            title: format!("Support plan {}", crate::words::school_year(plan.school_year)),
            lines: vec!["The draft appeared.".to_owned()],
            kind: "family",
            ..Event::default()
        });
        for said in &answer.family_answers {
            let mut meta: Vec<String> = Vec::new();
            if !said.language.is_empty() && said.language != "en" {
                meta.push(format!("in {}", said.language));
            }
            if said.interpreter {
                meta.push("with an interpreter".to_owned());
            }
            let heard = by(sources.staff, &said.recorded_by);
            if !heard.is_empty() {
                meta.push(format!("heard by {heard}"));
            }
            all.push(Event {
                on: said.answered_on.clone(),
                icon: "phone",
                title: format!("The family’s answer to the plan: {}", words::within(super::plan::family_response(said.response()))),
                quote: said.words.clone(),
                meta: words::sentence(&meta.join(", ")),
                kind: "family",
                ..Event::default()
            });
        }
        for check_in in &answer.check_ins {
            for note in &check_in.notes {
                let with = if check_in.with == "student" { "the student" } else { "the family" };
                let mut lines = Vec::new();
                if !note.from_staff.is_empty() {
                    lines.push(note.from_staff.clone());
                }
                all.push(Event {
                    on: note.on_date.clone(),
                    icon: "phone",
                    title: if note.happened { format!("Check-in with {with}") } else { format!("Check-in with {with} did not happen") },
                    lines,
                    quote: note.from_family.clone(),
                    meta: by(sources.staff, &note.recorded_by),
                    kind: "family",
                    ..Event::default()
                });
            }
        }
    }
}

/// Sessions of a service in one month, on one line.
fn services(sources: &Sources<'_>, all: &mut Vec<Event>) {
    for answer in sources.plans {
        for enrolment in &answer.enrolments {
            let item = answer.items.iter().find(|item| item.plan_item_id == enrolment.plan_item_id);
            let name = item
                .map(|item| if item.description.is_empty() { service_category_label(&item.service_category) } else { item.description.clone() })
                .unwrap_or_else(|| "A service".to_owned());
            let name = name.trim_end_matches('.');
            if !enrolment.started_on.is_empty() {
                all.push(Event { on: enrolment.started_on.clone(), icon: "added", title: format!("{name}: began"), kind: "services", ..Event::default() });
            }
            if !enrolment.ended_on.is_empty() {
                let reason = if enrolment.reason.is_empty() { Vec::new() } else { vec![format!("{}.", words::label(words::STOP_REASONS, &enrolment.reason))] };
                all.push(Event {
                    on: enrolment.ended_on.clone(),
                    icon: "check",
                    title: format!("{name}: {}", words::enrolment_state(enrolment.state())),
                    lines: reason,
                    kind: "services",
                    ..Event::default()
                });
            }
            let mut months: BTreeMap<&str, (String, usize, usize, i32)> = BTreeMap::new();
            for delivery in answer.deliveries.iter().filter(|one| one.enrolment_id == enrolment.enrolment_id && one.superseded_by.is_empty()) {
                if matches!(delivery.attendance(), Attendance::CancelledByProvider | Attendance::SchoolClosed) {
                    continue;
                }
                let month = months.entry(delivery.delivered_on.get(..7).unwrap_or_default()).or_default();
                month.0 = month.0.clone().max(delivery.delivered_on.clone());
                month.1 += usize::from(matches!(delivery.attendance(), Attendance::Present | Attendance::Partial));
                month.2 += 1;
                month.3 += delivery.delivered_minutes;
            }
            for (_, (on, there, held, minutes)) in months {
                let month = chrono::NaiveDate::parse_from_str(&on, "%Y-%m-%d").map(|day| day.format("%B").to_string()).unwrap_or_default();
                all.push(Event {
                    on,
                    icon: "check",
                    title: format!("{name}: {there} of {} in {month}", counted(held, "session", "sessions")),
                    meta: format!("{minutes} minutes delivered"),
                    kind: "services",
                    ..Event::default()
                });
            }
        }
    }
    for aid in sources.aids {
        let item = if aid.item.is_empty() { service_category_label(&aid.service_category) } else { aid.item.clone() };
        all.push(Event {
            on: aid.given_on.clone(),
            icon: "home",
            title: format!("Given: {} × {item}", aid.quantity),
            meta: format!("Received by the {}", aid.received_by),
            kind: "services",
            ..Event::default()
        });
    }
}

fn others(sources: &Sources<'_>, all: &mut Vec<Event>) {
    for follow_up in sources.follow_ups.iter().filter(|one| one.state() == FollowUpState::Done) {
        let mut lines = Vec::new();
        if !follow_up.result.is_empty() {
            lines.push(format!("{}.", words::label(follow_up_words::RESULTS, &follow_up.result)));
        }
        if !follow_up.result_note.is_empty() {
            lines.push(follow_up.result_note.clone());
        }
        all.push(Event {
            on: iso(follow_up.close_time.as_ref()),
            icon: "check",
            title: format!("Follow-up: {}", words::within(follow_up_words::kind(follow_up.kind()))),
            lines,
            meta: by(sources.staff, &follow_up.closed_by),
            kind: if follow_up.kind() == proto::plans::v1::FollowUpKind::ContactFamily { "family" } else { "services" },
            ..Event::default()
        });
    }
    for transition in sources.transitions {
        let state = match transition.state() {
            TransitionState::Accepted => ("accepted", "ok"),
            TransitionState::Returned => ("sent back with a question", "warn"),
            TransitionState::Withdrawn => ("withdrawn", ""),
            TransitionState::Offered | TransitionState::Unspecified => ("waits for an answer", "info"),
        };
        all.push(Event {
            on: iso(transition.offer_time.as_ref()),
            icon: "left",
            title: "Handed over to another school".to_owned(),
            lines: vec![format!("First day there: {}.", words::day(&transition.first_day_on))],
            href: "/hand-overs?all=yes".to_owned(),
            state: Some(state),
            kind: "reviews",
            ..Event::default()
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proto::plans::v1::{Delivery, Enrolment, PlanItem};
    use proto::r#type::v1::Sensitivity;

    #[test]
    fn sessions_of_a_month_are_one_line_and_corrections_do_not_count_twice() {
        let delivery = |on: &str, attendance: Attendance, superseded: &str| Delivery {
            enrolment_id: "e".into(),
            delivered_on: on.into(),
            attendance: attendance.into(),
            delivered_minutes: if attendance == Attendance::Present { 30 } else { 0 },
            superseded_by: superseded.into(),
            ..Default::default()
        };
        let plan = GetPlanResponse {
            items: vec![PlanItem { plan_item_id: "i".into(), description: "Reading group".into(), ..Default::default() }],
            enrolments: vec![Enrolment { enrolment_id: "e".into(), plan_item_id: "i".into(), ..Default::default() }],
            deliveries: vec![
                delivery("2026-10-06", Attendance::Present, ""),
                delivery("2026-10-08", Attendance::AbsentExcused, ""),
                delivery("2026-10-13", Attendance::Present, "later"),
                delivery("2026-10-15", Attendance::SchoolClosed, ""),
            ],
            ..Default::default()
        };
        let concern = Concern {
            text: "Closed words".into(),
            sensitivity: Sensitivity::Restricted.into(),
            raise_time: Some(Timestamp { seconds: 1_790_000_000, nanos: 0 }),
            ..Default::default()
        };
        let (partners, staff, codes) = (HashMap::new(), HashMap::new(), CodeList::default());
        let sources = Sources {
            plans: &[plan],
            tiers: &[],
            reviews: &[],
            concerns: &[concern],
            individual: &[],
            referrals: &[],
            partners: &partners,
            follow_ups: &[],
            aids: &[],
            transitions: &[],
            staff: &staff,
            codes: &codes,
        };
        let all = events(&sources, "all", "");
        assert_eq!(all.len(), 2);
        assert_eq!(all[0].title, "Reading group: 1 of 2 sessions in October");
        assert!(all[1].closed && all[1].lines.iter().all(|line| !line.contains("Closed words")));
        assert_eq!(events(&sources, "services", "").len(), 1);
        assert!(events(&sources, "all", "2027-01-01").is_empty());
        assert_eq!(last_year_begins("2026-10-22"), "2025-07-01");
    }
}
