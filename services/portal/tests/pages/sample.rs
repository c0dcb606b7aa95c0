//! A small fictional class, its plan, referrals and numbers.

use prost_types::Timestamp;
use proto::partners::v1 as partners;
use proto::plans::v1 as plans;
use proto::reporting::v1 as reporting;
use proto::reviews::v1 as reviews;
use proto::rosters::v1 as rosters;
use proto::r#type::v1::{Certainty, Domain, Sensitivity, Tier};

use super::services::{World, need};

pub const REVIEW: &str = "01900000-0000-7000-8000-00000000000a";

pub fn id(number: usize) -> String {
    format!("01900000-0000-7000-8000-{number:012}")
}

const NAMES: [&str; 8] =
    ["Amira Haddad", "Benjamin Osei", "Camila Restrepo", "Daniyar Akhmetov", "Destiny Walker", "Kiara Thompson", "Mateo Delgado Ríos", "Mei-Lin Zhao"];

pub fn students() -> Vec<rosters::Student> {
    NAMES
        .iter()
        .enumerate()
        .map(|(at, name)| rosters::Student { student_id: id(at + 1), display_name: (*name).into(), grade: "04".into(), ..Default::default() })
        .collect()
}

pub fn schools() -> Vec<rosters::School> {
    vec![rosters::School { school_id: id(900), name: "Juniper Street School".into(), ..Default::default() }]
}

pub fn classes() -> Vec<rosters::Class> {
    let class = |number: usize, title: &str| rosters::Class {
        class_id: id(number),
        school_id: id(900),
        title: title.into(),
        grades: vec!["04".into()],
        review_unit: true,
        student_count: 8,
        ..Default::default()
    };
    vec![class(800, "Grade 4, Room 112"), class(801, "Grade 4, Room 114")]
}

pub fn cycle() -> reviews::ReviewCycle {
    reviews::ReviewCycle {
        review_cycle_id: id(700),
        school_year: 2027,
        season: reviews::Season::Fall.into(),
        opens_on: "2026-09-01".into(),
        closes_on: "2026-12-18".into(),
        ..Default::default()
    }
}

pub fn codes() -> Vec<reviews::Code> {
    let code = |code: &str, domain: Domain, label: &str, synonyms: &[&str], restricted: bool| reviews::Code {
        code: code.into(),
        domain: domain.into(),
        label: label.into(),
        strength: !restricted,
        need: true,
        sensitivity: if restricted { Sensitivity::Restricted } else { Sensitivity::General }.into(),
        synonyms: synonyms.iter().map(|word| (*word).to_owned()).collect(),
        ..Default::default()
    };
    vec![
        code("ACA-RDG", Domain::Academics, "Reading and early literacy", &["books"], false),
        code("ACA-CUR", Domain::Academics, "Curiosity, creativity", &["inventive"], false),
        code("ACA-ORG", Domain::Academics, "Organization, homework", &["planner"], false),
        code("SEB-REG", Domain::SocialEmotional, "Self-regulation of feelings and behavior", &["anger"], false),
        code("SEB-REL", Domain::SocialEmotional, "Relationships with peers", &["friends"], false),
        code("SEB-BUL", Domain::SocialEmotional, "Bullied", &["peers"], true),
        code("HLT-VIS", Domain::Health, "Vision", &["glasses"], false),
        code("HLT-ACT", Domain::Health, "Physical activity, sport", &["soccer"], false),
        code("FAM-FOD", Domain::Family, "Food at home", &["hungry"], true),
        code("FAM-HOP", Domain::Family, "High hopes for the child", &[], false),
        reviews::Code { code: "INT-BUI".into(), label: "Building things".into(), interest: true, ..Default::default() },
        reviews::Code { code: "INT-SOC".into(), label: "Soccer".into(), interest: true, ..Default::default() },
    ]
}

pub fn world() -> World {
    use reviews::StudentReviewState as S;
    let states = [S::Reviewed, S::Reviewed, S::NotReviewed, S::Reviewed, S::Reviewed, S::Left, S::InProgress, S::Pending];
    let students = states
        .iter()
        .enumerate()
        .map(|(at, state)| reviews::StudentReview {
            class_review_id: REVIEW.into(),
            student_id: id(at + 1),
            state: (*state).into(),
            version: 1,
            grade: "04".into(),
            suggested_tier: Tier::Tier1.into(),
            ..Default::default()
        })
        .collect();
    let mut world = World {
        review: reviews::ClassReview {
            class_review_id: REVIEW.into(),
            review_cycle_id: id(700),
            class_id: id(800),
            school_id: id(900),
            state: reviews::ClassReviewState::InProgress.into(),
            student_count: 7,
            done_count: 5,
            current_student_id: id(7),
            version: 3,
            school_year: 2027,
            ..Default::default()
        },
        students,
        priors: vec![],
        roster_roles: None,
    };
    let strength = |entry: &str, code: &str, domain: Domain| reviews::Entry {
        entry_id: entry.into(),
        polarity: reviews::Polarity::Strength.into(),
        code: code.into(),
        domain: domain.into(),
        version: 1,
        ..Default::default()
    };
    let mateo = &mut world.students[6];
    mateo.entries = vec![
        strength(&id(51), "ACA-RDG", Domain::Academics),
        strength(&id(52), "HLT-ACT", Domain::Health),
        need(&id(53), "SEB-REG", Domain::SocialEmotional, 2),
        reviews::Entry { sensitivity: Sensitivity::Restricted.into(), ..need(&id(54), "FAM-FOD", Domain::Family, 1) },
        reviews::Entry { entry_id: id(55), polarity: reviews::Polarity::Interest.into(), code: "INT-BUI".into(), version: 1, ..Default::default() },
    ];
    mateo.no_concern_domains = vec![Domain::Health.into()];
    mateo.suggested_tier = Tier::Tier2b.into();
    mateo.suggested_because = vec![id(53), id(54)];
    mateo.assigned_tier = Tier::Tier2a.into();
    mateo.tier_reason = "supports_in_place".into();
    mateo.closed_entry_count = 1;
    let last =
        |entry: reviews::Entry| reviews::PriorEntry { entry: Some(entry), school_year: 2026, season: reviews::Season::Fall.into(), ..Default::default() };
    world.priors = vec![
        last(strength(&id(71), "ACA-CUR", Domain::Academics)),
        last(need(&id(72), "ACA-ORG", Domain::Academics, 1)),
        last(reviews::Entry { sensitivity: Sensitivity::Restricted.into(), ..need(&id(73), "SEB-BUL", Domain::SocialEmotional, 2) }),
    ];
    world
}

fn time(day: i64) -> Option<Timestamp> {
    Some(Timestamp { seconds: 1_790_000_000 + day * 86_400, nanos: 0 })
}

pub fn tiers() -> Vec<reviews::TierAssignment> {
    vec![reviews::TierAssignment {
        tier: Tier::Tier2a.into(),
        suggested_tier: Tier::Tier2b.into(),
        source: "fall_wcr".into(),
        reason: "supports_in_place".into(),
        effective_time: time(31),
        ..Default::default()
    }]
}

pub fn plan() -> plans::GetPlanResponse {
    let need = |number: usize, code: &str, domain: Domain, severity: i32| plans::Need {
        need_id: id(number),
        student_id: id(7),
        code: code.into(),
        domain: domain.into(),
        severity,
        certainty: Certainty::Observed.into(),
        state: plans::NeedState::BeingAddressed.into(),
        recorded_time: time(0),
        version: 1,
        ..Default::default()
    };
    let item = |number: usize, need: usize, kind: plans::PlanItemKind, words: &str| plans::PlanItem {
        plan_item_id: id(number),
        need_ids: vec![id(need)],
        kind: kind.into(),
        description: words.into(),
        state: plans::PlanItemState::InPlace.into(),
        builds_on_codes: vec!["ACA-CUR".into()],
        version: 1,
        ..Default::default()
    };
    plans::GetPlanResponse {
        plan: Some(plans::Plan {
            plan_id: id(600),
            state: plans::PlanState::Active.into(),
            school_year: 2027,
            strength_codes: vec!["ACA-RDG".into(), "HLT-ACT".into()],
            interest_codes: vec!["INT-BUI".into()],
            version: 2,
            ..Default::default()
        }),
        needs: vec![
            need(53, "SEB-REG", Domain::SocialEmotional, 2),
            need(54, "FAM-FOD", Domain::Family, 1),
            plans::Need {
                state: plans::NeedState::Open.into(),
                unmet: true,
                unmet_reason: plans::UnmetReason::NotYetArranged.into(),
                age_school_days: 25,
                ..need(56, "HLT-VIS", Domain::Health, 1)
            },
        ],
        items: vec![
            item(61, 53, plans::PlanItemKind::Service, "Learn to name and settle strong feelings"),
            item(62, 54, plans::PlanItemKind::Referral, "Weekend food for the household of five"),
        ],
        enrolments: vec![plans::Enrolment {
            enrolment_id: id(71),
            plan_item_id: id(61),
            state: plans::EnrolmentState::Active.into(),
            sessions_per_week: 2,
            minutes_per_session: 30,
            weeks: 7,
            delivery_count: 12,
            version: 1,
            ..Default::default()
        }],
        access_basis: "school_coordinator".into(),
        ..Default::default()
    }
}

pub fn partners() -> Vec<partners::Partner> {
    vec![partners::Partner { partner_id: id(400), name: "Millrace Community Pantry".into(), ..Default::default() }]
}

pub fn services() -> Vec<partners::Service> {
    vec![partners::Service {
        service_id: id(410),
        partner_id: id(400),
        name: "Weekend food bag".into(),
        partner_name: "Millrace Community Pantry".into(),
        category: "BN-FOOD".into(),
        capacity: Some(partners::Capacity { maximum: 20, taken: 17, ..Default::default() }),
        ..Default::default()
    }]
}

pub fn referrals() -> Vec<partners::Referral> {
    use partners::ReferralState as S;
    [(S::Received, 7), (S::Waitlisted, 4), (S::Attending, 3), (S::Completed, 1), (S::Sent, 8)]
        .into_iter()
        .enumerate()
        .map(|(at, (state, student))| partners::Referral {
            referral_id: id(500 + at),
            student_id: id(student),
            plan_item_id: if student == 7 { id(62) } else { String::new() },
            partner_id: id(400),
            service_id: id(410),
            state: state.into(),
            respond_by: if at == 4 { "2026-10-20" } else { "2099-10-23" }.into(),
            shared_scopes: vec!["identity".into(), "plan_item".into()],
            first_step_owner: "coordinator".into(),
            allowed_transitions: vec!["withdraw".into()],
            version: 2,
            ..Default::default()
        })
        .collect()
}

pub fn referral() -> partners::GetReferralResponse {
    let step = |day: i64, transition: &str, side: &str| partners::ReferralStep {
        time: time(day),
        transition: transition.into(),
        side: side.into(),
        ..Default::default()
    };
    partners::GetReferralResponse {
        referral: referrals().into_iter().next(),
        steps: vec![step(28, "create", "requester"), step(28, "send", "requester"), step(29, "open", "partner")],
        access_basis: "school_coordinator".into(),
    }
}

pub fn consents() -> Vec<partners::Consent> {
    vec![partners::Consent {
        partner_id: id(400),
        scopes: vec!["identity".into(), "plan_item".into()],
        expires_on: "2027-06-30".into(),
        state: "active".into(),
        ..Default::default()
    }]
}

pub fn measures() -> Vec<reporting::Measure> {
    let measure = |id: &str, title: &str, numerator: &str, denominator: &str, groupings: &[&str]| reporting::Measure {
        measure_id: id.into(),
        title: title.into(),
        numerator: numerator.into(),
        denominator: denominator.into(),
        groupings: groupings.iter().map(|by| (*by).to_owned()).collect(),
        ..Default::default()
    };
    vec![
        measure("RV-1", "Students reviewed this fall", "students reviewed in this cycle", "students enrolled", &[]),
        measure("TR-1", "Tiers", "students in the tier", "students with a tier", &["tier"]),
        measure("ND-2", "Needs without support", "needs unmet", "needs recorded this year", &["domain", "reason"]),
        measure("PL-1", "Students with a plan", "students with an active plan", "students enrolled", &[]),
        measure("RV-3", "Strengths recorded", "reviewed students with a strength", "reviewed students", &[]),
        measure("RF-5", "Referrals closed with a known outcome", "closed with a known outcome", "sent 30 or more days ago", &[]),
    ]
}

pub fn measure(request: &reporting::GetMeasureRequest) -> reporting::GetMeasureResponse {
    let cell = |group: &str, numerator: i64, denominator: i64| reporting::Cell {
        group: group.into(),
        numerator: Some(numerator),
        denominator: Some(denominator),
        value: Some(numerator as f64 / denominator as f64),
        ..Default::default()
    };
    let held = |group: &str, why: reporting::Withheld| reporting::Cell { group: group.into(), withheld: why.into(), ..Default::default() };
    let cells = match (request.measure_id.as_str(), request.group_by.as_str()) {
        ("TR-1", _) => vec![
            cell("", 84, 84),
            cell("Tier 1", 35, 84),
            cell("Tier 2a", 22, 84),
            held("Tier 2b", reporting::Withheld::Complementary),
            held("Tier 3", reporting::Withheld::Small),
        ],
        ("ND-2", "domain") => {
            vec![cell("", 216, 942), cell("academics", 48, 312), cell("social_emotional", 71, 286), cell("health", 33, 141), cell("family", 64, 203)]
        }
        ("ND-2", "reason") => {
            vec![cell("", 216, 942), cell("not_yet_arranged", 79, 216), cell("no_capacity", 69, 216), held("transport", reporting::Withheld::Small)]
        }
        ("RV-1", _) => vec![cell("", 755, 796)],
        ("PL-1", _) => vec![cell("", 566, 796)],
        ("RF-5", _) => vec![held("", reporting::Withheld::Small)],
        _ => vec![cell("", 216, 942)],
    };
    reporting::GetMeasureResponse {
        measure: measures().into_iter().find(|measure| measure.measure_id == request.measure_id),
        cells,
        as_of_date: "2026-10-22".into(),
        school_year: 2027,
        access_basis: "school_leader".into(),
        suppression_applied: true,
    }
}
