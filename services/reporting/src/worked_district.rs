//! A district small enough to count by hand: the events that tell of it. Nobody in it is real.
//!
//! School A has students 1, 2, 3 and 6; school B has 5 and 6; student 4 has left. The measures' tests name the
//! figures. Most was recorded on Monday 2026-10-05, 34 school days before the day the tests ask about.

use chassis_events::{Event, Handler as _};
use chrono::{DateTime, NaiveDate, Utc};
use proto::partners::v1::{CapacityChanged, DisclosureRecorded, Outcome, ReferralChanged, ReferralMode, ReferralState};
use proto::plans::v1::{
    Attendance, DeliveryLogged, FamilyResponse, GoalChanged, GoalMeasure, GoalState, NeedChanged, NeedState, PlanChanged, PlanItemChanged, PlanItemState,
    PlanState, UnmetReason,
};
use proto::reviews::v1::{
    ClassReviewChanged, ClassReviewState, ConcernChanged, ConcernState, ConcernUrgency, DecisionFact, EntryFact, FamilyVoice, IndividualReviewChanged,
    IndividualReviewState, Polarity, Season, StudentReviewChanged, StudentReviewState, TierAssigned, TriageDecision,
};
use proto::rosters::v1::{ClassState, StudentState};
use proto::r#type::v1::{Domain, Sensitivity, Tier};
use sqlx::PgPool;
use uuid::Uuid;

use crate::fact::{OUTCOME_TOPICS, Outcomes, PEOPLE_TOPICS, People};

pub(crate) const YEAR: i32 = 2027;

/// The day the tests ask about: a Friday.
pub(crate) fn today() -> NaiveDate {
    day("2026-11-20")
}

pub(crate) fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

/// Ids by kind and number, the same in every run.
pub(crate) fn id(kind: u8, number: u32) -> Uuid {
    Uuid::from_u128((u128::from(kind) << 64) | u128::from(number) | 1 << 100)
}
pub(crate) fn school(number: u32) -> Uuid {
    id(1, number)
}
pub(crate) fn student(number: u32) -> Uuid {
    id(2, number)
}
pub(crate) fn need(number: u32) -> Uuid {
    id(3, number)
}

fn at(text: &str) -> DateTime<Utc> {
    day(text).and_hms_opt(15, 0, 0).unwrap().and_utc()
}
fn time(text: &str) -> Option<prost_types::Timestamp> {
    Some(prost_types::Timestamp { seconds: at(text).timestamp(), nanos: 0 })
}
fn text(id: Uuid) -> String {
    id.to_string()
}

fn roster(events: &mut Vec<Event>) {
    for (number, schools) in [(1, vec![1]), (2, vec![1]), (3, vec![1]), (4, vec![1]), (5, vec![2]), (6, vec![1, 2])] {
        let mut state = StudentState {
            student_id: text(student(number)),
            version: 1,
            active: true,
            grade: "04".to_owned(),
            school_ids: schools.into_iter().map(|s| text(school(s))).collect(),
            class_ids: vec![text(id(4, 1))],
        };
        events.push(Event::new("rosters.student.v1", student(number), &state, None));
        if number == 4 {
            state = StudentState { version: 2, active: false, ..state };
            events.push(Event::new("rosters.student.v1", student(number), &state, None));
        }
    }
    let class = ClassState { class_id: text(id(4, 1)), version: 1, active: true, school_id: text(school(1)), review_unit: true, ..Default::default() };
    events.push(Event::new("rosters.class.v1", id(4, 1), &class, None));
}

fn review(number: u32, class: u32, version: i64, state: StudentReviewState, reason: &str, strengths: usize, domains: i32) -> Event {
    let entries = std::iter::repeat_n(EntryFact { polarity: Polarity::Strength.into(), ..Default::default() }, strengths).collect();
    let review = StudentReviewChanged {
        class_review_id: text(id(5, class)),
        student_id: text(student(number)),
        school_id: text(school(class)),
        class_id: text(id(4, class)),
        school_year: YEAR,
        season: Season::Fall.into(),
        state: state.into(),
        not_reviewed_reason: reason.to_owned(),
        entries,
        answered_domains: domains,
        version,
        time: time("2026-10-01"),
        grade: "04".to_owned(),
        review_cycle_id: text(id(6, 1)),
    };
    Event::new("reviews.student-review.v1", student(number), &review, None)
}

/// `cycle` 1 is the fall's, 2 the spring's, 0 none.
pub(crate) fn tier(number: u32, assignment: u32, tier: Tier, suggested: Tier, cycle: u32, effective: &str) -> Event {
    let tier = TierAssigned {
        student_id: text(student(number)),
        school_id: text(school(1)),
        school_year: YEAR,
        tier: tier.into(),
        suggested_tier: suggested.into(),
        reason: if tier == suggested { String::new() } else { "knows_more".to_owned() },
        effective_time: time(effective),
        tier_assignment_id: text(id(7, assignment)),
        review_cycle_id: if cycle == 0 { String::new() } else { text(id(6, cycle)) },
        ..Default::default()
    };
    Event::new("reviews.tier.v1", student(number), &tier, None)
}

fn reviews(events: &mut Vec<Event>) {
    use StudentReviewState::{Amended, InProgress, NotReviewed, Reviewed};
    for (cycle, version, state, on) in
        [(1, 1, ClassReviewState::InProgress, "2026-09-21"), (1, 2, ClassReviewState::Complete, "2026-10-02"), (2, 1, ClassReviewState::Complete, "2027-04-01")]
    {
        let review = ClassReviewChanged {
            class_review_id: text(id(5, if cycle == 1 { 1 } else { 3 })),
            review_cycle_id: text(id(6, cycle)),
            class_id: text(id(4, 1)),
            school_id: text(school(1)),
            school_year: YEAR,
            season: if cycle == 1 { Season::Fall } else { Season::Spring }.into(),
            state: state.into(),
            version,
            time: time(on),
        };
        events.push(Event::new("reviews.class-review.v1", &review.class_review_id, &review, None));
    }
    events.extend([
        review(1, 1, 1, InProgress, "", 0, 1),
        review(1, 1, 2, Reviewed, "", 2, 4),
        review(2, 1, 1, Reviewed, "", 0, 4),
        review(3, 1, 1, NotReviewed, "time", 0, 0),
        review(5, 2, 1, Reviewed, "", 1, 3),
        review(6, 1, 1, Reviewed, "", 0, 4),
        review(6, 1, 2, Amended, "", 1, 4),
        review(6, 2, 1, NotReviewed, "family_declined", 0, 0),
        tier(1, 1, Tier::Tier3, Tier::Tier3, 1, "2026-10-02"),
        tier(2, 2, Tier::Tier2a, Tier::Tier1, 1, "2026-10-02"),
        tier(5, 3, Tier::Tier1, Tier::Tier1, 1, "2026-10-02"),
        tier(6, 4, Tier::Tier1, Tier::Tier1, 1, "2026-10-02"),
        tier(6, 5, Tier::Tier2b, Tier::Unspecified, 0, "2026-11-02"),
        tier(1, 6, Tier::Tier2b, Tier::Tier2b, 2, "2027-04-01"),
        tier(2, 7, Tier::Tier2a, Tier::Tier2a, 2, "2027-04-01"),
        tier(5, 8, Tier::Tier2a, Tier::Tier2a, 2, "2027-04-01"),
        tier(6, 9, Tier::Tier1, Tier::Tier1, 2, "2027-04-01"),
    ]);
}

fn need_event(number: u32, of: u32, domain: Domain, recorded: &str, change: NeedChanged) -> Event {
    let change = NeedChanged {
        need_id: text(need(number)),
        student_id: text(student(of)),
        school_id: text(school(if of == 5 { 2 } else { 1 })),
        school_year: YEAR,
        code: format!("{}-{number}", domain.as_str_name()),
        domain: domain.into(),
        severity: 2,
        recorded_time: time(recorded),
        sensitivity: if change.sensitivity == 0 { Sensitivity::General.into() } else { change.sensitivity },
        version: change.version.max(1),
        time: change.time.or(time(recorded)),
        ..change
    };
    Event::new("plans.need.v1", student(of), &change, None)
}

fn needs(events: &mut Vec<Event>) {
    let open = NeedChanged { state: NeedState::Open.into(), last_reason: UnmetReason::NotYetArranged.into(), ..Default::default() };
    let ended = NeedChanged { all_items_ended: true, last_reason: UnmetReason::NoCapacity.into(), version: 2, time: time("2026-11-12"), ..open.clone() };
    let addressed = NeedChanged { state: NeedState::BeingAddressed.into(), has_item_in_place: true, version: 2, time: time("2026-10-20"), ..open.clone() };
    let gone = NeedChanged { state: NeedState::NoLonger.into(), version: 3, time: time("2026-10-21"), ..open.clone() };
    let restricted = NeedChanged { sensitivity: Sensitivity::Restricted.into(), ..open.clone() };
    let raised = NeedChanged { sensitivity: Sensitivity::Protected.into(), version: 2, time: time("2026-10-06"), ..open.clone() };
    events.extend([
        need_event(1, 1, Domain::Family, "2026-10-05", open.clone()),
        need_event(2, 1, Domain::Academics, "2026-11-10", open.clone()),
        need_event(3, 2, Domain::Health, "2026-11-10", open.clone()),
        need_event(3, 2, Domain::Health, "2026-11-10", ended),
        need_event(4, 5, Domain::SocialEmotional, "2026-10-05", open.clone()),
        need_event(4, 5, Domain::SocialEmotional, "2026-10-05", addressed),
        need_event(5, 6, Domain::Academics, "2026-10-05", open.clone()),
        need_event(5, 6, Domain::Academics, "2026-10-05", gone.clone()),
        need_event(6, 3, Domain::Health, "2026-09-01", restricted),
        // Understood as another need, which is protected.
        need_event(8, 5, Domain::Academics, "2026-10-05", open.clone()),
        need_event(8, 5, Domain::Academics, "2026-10-05", gone),
        need_event(7, 1, Domain::Family, "2026-10-05", open),
        need_event(7, 1, Domain::Family, "2026-10-05", raised),
    ]);
}

fn plans(events: &mut Vec<Event>) {
    use FamilyResponse::{Agreed, NoReply, Shared, Unspecified};
    for (of, version, state, response, on) in [
        (1, 1, PlanState::Draft, Unspecified, "2026-10-02"),
        (1, 2, PlanState::Active, Agreed, "2026-10-05"),
        (2, 1, PlanState::Draft, Unspecified, "2026-10-02"),
        (5, 1, PlanState::Active, NoReply, "2026-10-05"),
        (5, 2, PlanState::Closed, NoReply, "2026-11-15"),
        (6, 1, PlanState::Active, Shared, "2026-10-05"),
    ] {
        let plan = PlanChanged {
            plan_id: text(id(8, of)),
            student_id: text(student(of)),
            school_id: text(school(1)),
            school_year: YEAR,
            state: state.into(),
            version,
            time: time(on),
            family_response: response.into(),
        };
        events.push(Event::new("plans.plan.v1", student(of), &plan, None));
    }
    for (number, of, version, state, strength) in [
        (1, 1, 1, PlanItemState::Planned, true),
        (1, 1, 2, PlanItemState::InPlace, true),
        (2, 1, 1, PlanItemState::Withdrawn, false),
        (3, 2, 1, PlanItemState::NotAvailable, false),
        (4, 5, 1, PlanItemState::Done, false),
        (5, 6, 1, PlanItemState::Replaced, true),
    ] {
        let item = PlanItemChanged {
            plan_item_id: text(id(9, number)),
            plan_id: text(id(8, of)),
            student_id: text(student(of)),
            state: state.into(),
            service_category: "tutoring".to_owned(),
            builds_on_strength: strength,
            version,
            time: time("2026-10-06"),
            school_id: text(school(1)),
            school_year: YEAR,
            ..Default::default()
        };
        events.push(Event::new("plans.item.v1", student(of), &item, None));
    }
    for (number, of, item, delivered, attendance, supersedes) in [
        (1, 1, 1, 30, Attendance::Present, 0),
        (2, 1, 1, 15, Attendance::Partial, 0),
        (3, 5, 4, 0, Attendance::AbsentUnexcused, 0),
        (4, 5, 4, 0, Attendance::CancelledByProvider, 0),
        // Corrected, and the correction corrected; taken back.
        (5, 1, 1, 30, Attendance::Present, 2),
        (6, 1, 1, 20, Attendance::Partial, 5),
        (7, 5, 4, 30, Attendance::Present, 0),
        (8, 5, 4, 0, Attendance::Unspecified, 7),
    ] {
        let delivery = DeliveryLogged {
            delivery_id: text(id(10, number)),
            plan_item_id: text(id(9, item)),
            student_id: text(student(of)),
            delivered_on: "2026-10-12".to_owned(),
            planned_minutes: 30,
            delivered_minutes: delivered,
            attendance: attendance.into(),
            school_id: text(school(1)),
            supersedes_id: if supersedes == 0 { String::new() } else { text(id(10, supersedes)) },
            ..Default::default()
        };
        events.push(Event::new("plans.delivery.v1", student(of), &delivery, None));
    }
}

fn referrals(events: &mut Vec<Event>) {
    use ReferralState::{Accepted, Closed, Completed, Declined, Draft, Received, Sent, Started, Withdrawn};
    let mut tell = |number: u32, of: u32, mode: ReferralMode, sent: &str, respond_by: &str, outcome: Outcome, story: &[(ReferralState, &str)]| {
        for ((state, on), version) in story.iter().zip(1..) {
            let referral = ReferralChanged {
                referral_id: text(id(11, number)),
                student_id: text(student(of)),
                school_id: text(school(1)),
                partner_id: text(id(12, 1)),
                state: (*state).into(),
                mode: mode.into(),
                outcome: if *state == Closed { outcome.into() } else { 0 },
                sent_time: if *state == Draft { None } else { time(sent) },
                respond_by: if *state == Draft { String::new() } else { respond_by.to_owned() },
                version,
                time: time(on),
                service_category: "tutoring".to_owned(),
                ..Default::default()
            };
            events.push(Event::new("partners.referral.v1", student(of), &referral, None));
        }
    };
    let normal = ReferralMode::Normal;
    let met = Outcome::NeedMet;
    tell(
        1,
        1,
        normal,
        "2026-10-01",
        "2026-10-08",
        met,
        &[(Draft, "2026-09-30"), (Sent, "2026-10-01"), (Accepted, "2026-10-06"), (Started, "2026-10-12"), (Completed, "2026-11-01"), (Closed, "2026-11-05")],
    );
    tell(2, 2, normal, "2026-10-02", "2026-10-09", met, &[(Sent, "2026-10-02"), (Declined, "2026-10-15")]);
    tell(3, 5, normal, "2026-10-05", "2026-10-12", met, &[(Sent, "2026-10-05"), (Received, "2026-10-06")]);
    tell(4, 6, normal, "2026-11-15", "2026-11-23", met, &[(Sent, "2026-11-15")]);
    tell(5, 5, ReferralMode::Protected, "2026-10-01", "2026-10-08", met, &[(Sent, "2026-10-01"), (Closed, "2026-10-08")]);
    tell(6, 6, normal, "2026-10-01", "2026-10-08", met, &[(Sent, "2026-10-01"), (Withdrawn, "2026-10-08")]);
    tell(7, 6, normal, "2026-10-01", "2026-10-08", met, &[(Draft, "2026-10-01")]);
    tell(8, 6, normal, "2026-10-01", "2026-10-08", Outcome::Unknown, &[(Sent, "2026-10-01"), (Accepted, "2026-10-07"), (Closed, "2026-11-10")]);
    let capacity = CapacityChanged { service_id: text(id(13, 1)), partner_id: text(id(12, 1)), maximum: 8, taken: 1, version: 1, ..Default::default() };
    let disclosure = DisclosureRecorded { disclosure_id: text(id(14, 1)), student_id: text(student(1)), time: time("2026-10-01"), ..Default::default() };
    events.push(Event::new("partners.capacity.v1", id(13, 1), &capacity, None));
    events.push(Event::new("partners.disclosure.v1", student(1), &disclosure, None));
}

pub(crate) fn concern(number: u32, of: u32, version: i64, urgency: ConcernUrgency, raised: &str, due: &str, triaged: &str) -> Event {
    let concern = ConcernChanged {
        concern_id: text(id(15, number)),
        student_id: text(student(of)),
        school_id: text(school(1)),
        school_year: YEAR,
        state: if triaged.is_empty() { ConcernState::Raised } else { ConcernState::Triaged }.into(),
        urgency: urgency.into(),
        triage: if triaged.is_empty() { TriageDecision::Unspecified } else { TriageDecision::Watch }.into(),
        raise_time: time(raised),
        due_time: time(due),
        triage_time: if triaged.is_empty() { None } else { time(triaged) },
        sensitivity: Sensitivity::General.into(),
        version,
        time: time(if triaged.is_empty() { raised } else { triaged }),
    };
    Event::new("reviews.concern.v1", student(of), &concern, None)
}

/// An individual review, with its state since a day: held on, look again on, how many decisions.
pub(crate) fn individual_review(number: u32, of: u32, version: i64, state: IndividualReviewState, on: &str, told: (FamilyVoice, &str, &str, usize)) -> Event {
    let (voice, held_on, review_on, decisions) = told;
    let review = IndividualReviewChanged {
        individual_review_id: text(id(16, number)),
        student_id: text(student(of)),
        school_id: text(school(1)),
        school_year: YEAR,
        state: state.into(),
        family_voice: voice.into(),
        held_on: held_on.to_owned(),
        review_on: review_on.to_owned(),
        decisions: vec![DecisionFact::default(); decisions],
        sensitivity: if number == 3 && version > 1 { Sensitivity::Protected } else { Sensitivity::General }.into(),
        version,
        time: time(on),
        ..Default::default()
    };
    Event::new("reviews.individual-review.v1", student(of), &review, None)
}

fn cases(events: &mut Vec<Event>) {
    use ConcernUrgency::{Routine, Urgent};
    use FamilyVoice::{Attended, Declined, Unspecified};
    use IndividualReviewState::{Decided, Held, Proposed, Scheduled, UnderReview};
    events.extend([
        concern(1, 1, 1, Urgent, "2026-10-05", "2026-10-05", ""),
        concern(1, 1, 2, Urgent, "2026-10-05", "2026-10-05", "2026-10-05"),
        concern(2, 2, 1, Routine, "2026-10-05", "2026-10-08", ""),
        concern(2, 2, 2, Routine, "2026-10-05", "2026-10-08", "2026-10-09"),
        concern(3, 3, 1, Routine, "2026-11-19", "2026-11-24", ""),
        concern(4, 5, 1, Urgent, "2026-10-12", "2026-10-12", ""),
        individual_review(1, 1, 1, Scheduled, "2026-10-10", (Unspecified, "", "", 0)),
        individual_review(1, 1, 2, Held, "2026-10-20", (Attended, "2026-10-20", "", 0)),
        individual_review(1, 1, 3, Decided, "2026-10-21", (Attended, "2026-10-20", "2026-11-10", 2)),
        individual_review(1, 1, 4, UnderReview, "2026-11-09", (Attended, "2026-10-20", "2026-11-10", 2)),
        individual_review(1, 1, 5, Decided, "2026-11-10", (Attended, "2026-10-20", "2026-12-20", 1)),
        individual_review(2, 2, 1, Held, "2026-10-22", (Declined, "2026-10-22", "", 0)),
        individual_review(2, 2, 2, Decided, "2026-10-23", (Declined, "2026-10-22", "2026-11-12", 3)),
        individual_review(2, 2, 3, UnderReview, "2026-11-16", (Declined, "2026-10-22", "2026-11-12", 3)),
        individual_review(3, 6, 1, Held, "2026-10-05", (Attended, "2026-10-05", "", 0)),
        individual_review(3, 6, 2, Decided, "2026-10-06", (Attended, "2026-10-05", "2026-11-10", 1)),
        individual_review(4, 5, 1, Proposed, "2026-10-12", (Unspecified, "", "", 0)),
    ]);
}

fn goals(events: &mut Vec<Event>) {
    use GoalMeasure::{Attendance, Behaviour, Coursework, Other};
    use GoalState::{Dropped, Met, Open, PartlyMet};
    for (number, of, version, measure, state, on) in [
        (1, 1, 1, Attendance, Open, "2026-10-05"),
        (1, 1, 2, Attendance, Met, "2026-11-01"),
        (2, 2, 1, Coursework, Open, "2026-10-05"),
        (3, 5, 1, Behaviour, PartlyMet, "2026-10-05"),
        (4, 6, 1, Other, Dropped, "2026-10-05"),
        // Six weeks before the end of June, and a day less.
        (5, 6, 1, Coursework, Met, "2027-05-19"),
        (6, 6, 1, Coursework, Met, "2027-05-20"),
    ] {
        let goal = GoalChanged {
            goal_id: text(id(17, number)),
            plan_id: text(id(8, of)),
            student_id: text(student(of)),
            school_id: text(school(1)),
            school_year: YEAR,
            domain: Domain::Academics.into(),
            measure: measure.into(),
            state: state.into(),
            version,
            time: time(on),
        };
        events.push(Event::new("plans.goal.v1", student(of), &goal, None));
    }
}

/// Everything that was told, each topic in order.
pub(crate) fn events() -> Vec<Event> {
    let mut events = Vec::new();
    roster(&mut events);
    reviews(&mut events);
    needs(&mut events);
    plans(&mut events);
    referrals(&mut events);
    cases(&mut events);
    goals(&mut events);
    events
}

/// Applies events as the consumers would.
pub(crate) async fn apply(pool: &PgPool, events: &[Event]) {
    let mut conn = pool.acquire().await.unwrap();
    for event in events {
        if PEOPLE_TOPICS.contains(&event.topic.as_str()) {
            People.apply(&mut conn, event).await.unwrap();
        } else {
            assert!(OUTCOME_TOPICS.contains(&event.topic.as_str()), "nobody follows {}", event.topic);
            Outcomes.apply(&mut conn, event).await.unwrap();
        }
    }
}
