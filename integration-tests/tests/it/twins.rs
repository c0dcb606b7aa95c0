//! Two students whom nothing tells apart but protected records of one of them. To whoever is not on the case every answer
//! about the one must be the answer about the other, word for word once ids and times are taken out: content, counts,
//! versions, states, order and refusals. Restricted records may be counted, and their words are for those cleared only.

use std::collections::BTreeSet;

use chrono::Days;
use integration_tests::acts::{Need, complete, done, in_time, new_id, open_cycle, plan_with, put_need, start_review, today};
use integration_tests::clients::Clients;
use integration_tests::district::{District, DistrictOptions};
use integration_tests::patience::eventually;
use integration_tests::tokens::Claims;
use proto::plans::v1::{
    AddPlanItemRequest, Aid, EnrolStudentRequest, FollowUp, FollowUpKind, Goal, GoalMeasure, ListDeliveriesRequest, PlanItem, PlanItemKind, PutGoalRequest,
    RaiseFollowUpRequest, RateEffectivenessRequest, Rater, Rating, RecordAidRequest, RecordProgressRequest, SubjectKind, TransitionFollowUpRequest,
    TransitionGoalRequest, TransitionPlanItemRequest, UpdatePlanItemRequest,
};
use proto::reviews::v1::{
    CloseConcernRequest, Concern, ConcernUrgency, GetConcernRequest, GetIndividualReviewRequest, IndividualReviewTrigger, OpenIndividualReviewRequest,
    RaiseConcernRequest, ReclassifyNeedRequest, SuspendIndividualReviewRequest, TriageConcernRequest, TriageDecision,
};
use proto::r#type::v1::Sensitivity;
use tokio::sync::OnceCell;
use tonic::Status;

use crate::access::reads::{Ids, every_read};
use crate::browser::{Town, Visitor};
use crate::house::{Room, coordinator_of, rooms_of, roster, schools};
use crate::rules::none;

/// Stands in every word that is written into something protected.
const PROTECTED: &str = "zqprotected";
/// Stands in every word that is written into something restricted.
const RESTRICTED: &str = "zqrestricted";

/// Protected records of the first twin.
#[derive(Debug)]
struct Hidden {
    need: String,
    item: String,
    goal: String,
    enrolment: String,
    follow_up: String,
    concern: String,
    individual_review: String,
}

impl Hidden {
    fn ids(&self) -> [&String; 7] {
        [&self.need, &self.item, &self.goal, &self.enrolment, &self.follow_up, &self.concern, &self.individual_review]
    }
}

struct Twins {
    town: Town,
    room: Room,
    hidden: Hidden,
    /// A restricted need, concern, goal and follow-up of both twins, by twin.
    restricted: [Vec<String>; 2],
}

impl Twins {
    fn student(&self, at: usize) -> &str {
        &self.room.students[at]
    }
}

async fn twins() -> &'static Twins {
    static TWINS: OnceCell<Twins> = OnceCell::const_new();
    TWINS.get_or_init(build).await
}

/// What is noted about one need: an item with a place in a group, a goal, a follow-up, aid and a rating.
async fn about(who: &Clients, student: &str, plan_id: &str, need: &str, word: &str) -> [String; 4] {
    let mut who = who.clone();
    let item = PlanItem {
        plan_item_id: new_id(),
        need_ids: vec![need.to_owned()],
        kind: PlanItemKind::Service.into(),
        service_category: "SE-CNS".to_owned(),
        description: word.to_owned(),
        ..PlanItem::default()
    };
    let request = AddPlanItemRequest { plan_id: plan_id.to_owned(), item: Some(item), request_id: new_id() };
    let item = done("add an item", who.plans.add_plan_item(request).await).item.unwrap();
    let request = EnrolStudentRequest {
        plan_item_id: item.plan_item_id.clone(),
        enrolment_id: new_id(),
        sessions_per_week: 1,
        minutes_per_session: 30,
        weeks: 6,
        request_id: new_id(),
        ..EnrolStudentRequest::default()
    };
    let enrolment = done("enrol", who.plans.enrol_student(request).await).enrolment.unwrap();
    let goal = Goal {
        goal_id: new_id(),
        plan_id: plan_id.to_owned(),
        need_ids: vec![need.to_owned()],
        description: word.to_owned(),
        measure: GoalMeasure::SocialEmotional.into(),
        baseline: 1.0,
        target: 3.0,
        on_scale: true,
        starts_on: today().to_string(),
        ..Goal::default()
    };
    let request = PutGoalRequest { goal: Some(goal), expected_version: 0, request_id: new_id() };
    let goal = done("set a goal", who.plans.put_goal(request).await).goal.unwrap();
    let follow_up = FollowUp {
        follow_up_id: new_id(),
        student_id: student.to_owned(),
        subject: SubjectKind::Need.into(),
        subject_id: need.to_owned(),
        kind: FollowUpKind::CheckGoal.into(),
        due_on: (today() + Days::new(2)).to_string(),
        note: word.to_owned(),
        ..FollowUp::default()
    };
    let request = RaiseFollowUpRequest { follow_up: Some(follow_up), request_id: new_id() };
    let follow_up = done("raise a follow-up", who.follow_ups.raise_follow_up(request).await).follow_up.unwrap();
    let aid = Aid {
        aid_id: new_id(),
        student_id: student.to_owned(),
        need_ids: vec![need.to_owned()],
        service_category: "BN-CLO".to_owned(),
        item: word.to_owned(),
        quantity: 1,
        given_on: today().to_string(),
        received_by: "family".to_owned(),
        ..Aid::default()
    };
    done("note aid", who.deliveries.record_aid(RecordAidRequest { aid: Some(aid), request_id: new_id() }).await);
    let rating = Rating {
        rating_id: new_id(),
        student_id: student.to_owned(),
        need_id: need.to_owned(),
        rater: Rater::Coordinator.into(),
        points: 3,
        words: word.to_owned(),
        rated_on: today().to_string(),
        ..Rating::default()
    };
    done("rate", who.follow_ups.rate_effectiveness(RateEffectivenessRequest { rating: Some(rating), request_id: new_id() }).await);
    [item.plan_item_id, enrolment.enrolment_id, goal.goal_id, follow_up.follow_up_id]
}

async fn concern(who: &Clients, student: &str, sensitivity: Sensitivity, word: &str) -> String {
    let concern = Concern {
        concern_id: new_id(),
        student_id: student.to_owned(),
        urgency: ConcernUrgency::Routine.into(),
        text: word.to_owned(),
        sensitivity: sensitivity.into(),
        ..Concern::default()
    };
    in_time("raise a concern", || {
        let (mut who, request) = (who.clone(), RaiseConcernRequest { concern: Some(concern.clone()), request_id: new_id() });
        async move { who.concerns.raise_concern(request).await }
    })
    .await;
    concern.concern_id
}

async fn build() -> Twins {
    let district = District::start(DistrictOptions::default()).await;
    district.clients(&Claims::role("data_clerk")).import_all(roster(1, 60, 17)).await;
    let manager = district.clients(&Claims::role("program_manager"));
    let school = schools(&manager).await.remove(0);
    let mut room = rooms_of(&manager, &school).await.remove(0);
    let coordinator = coordinator_of(&manager, &school).await;
    let who = district.clients(&coordinator);
    let cycle = open_cycle(&manager).await;
    room.review = start_review(&who, &cycle, &room.class.class_id).await;

    let mut needs = Vec::new();
    for (at, student) in room.students.iter().take(2).enumerate() {
        let general = Need { code: "ACA-RDG", severity: 1, sensitivity: Sensitivity::General, note: "reads slowly" };
        put_need(&who, &room.review, student, general).await;
        let closed = Need { code: "SEB-ANX", severity: 1, sensitivity: Sensitivity::Restricted, note: RESTRICTED };
        needs.push(put_need(&who, &room.review, student, closed).await);
        if at == 0 {
            // Suspected would be an urgent concern by itself; the protected need changes no tier that others see.
            let hidden = Need { code: "FAM-PRI", severity: 1, sensitivity: Sensitivity::Protected, note: PROTECTED };
            needs.push(put_need(&who, &room.review, student, hidden).await);
        }
        complete(&who, &room.review, student).await;
    }
    let [shown, hidden, other] = needs.try_into().unwrap();
    let mut restricted = [Vec::new(), Vec::new()];
    for (at, (need, count)) in [(&shown, 3), (&other, 2)].into_iter().enumerate() {
        let plan = plan_with(&who, &room.students[at], count).await.plan.unwrap();
        restricted[at].push(need.clone());
        restricted[at].extend(about(&who, &room.students[at], &plan.plan_id, need, RESTRICTED).await);
        restricted[at].push(concern(&who, &room.students[at], Sensitivity::Restricted, RESTRICTED).await);
    }
    let student = &room.students[0];
    let plan = plan_with(&who, student, 3).await.plan.unwrap();
    let [item, enrolment, goal, follow_up] = about(&who, student, &plan.plan_id, &hidden, PROTECTED).await;
    let concern = concern(&who, student, Sensitivity::Protected, PROTECTED).await;
    let request = OpenIndividualReviewRequest {
        student_id: student.clone(),
        trigger: IndividualReviewTrigger::FamilyRequest.into(),
        sensitivity: Sensitivity::Protected.into(),
        request_id: new_id(),
        ..OpenIndividualReviewRequest::default()
    };
    let review = done("open an individual review", who.clone().concerns.open_individual_review(request).await).individual_review.unwrap();
    let hidden = Hidden { need: hidden, item, goal, enrolment, follow_up, concern, individual_review: review.individual_review_id };
    let town = Town::alone(district, room.clone(), coordinator);
    Twins { town, room, hidden, restricted }
}

/// Whoever is not on the case, by name.
async fn outsiders(twins: &Twins) -> Vec<(&'static str, Clients)> {
    let district = &twins.town.district;
    let school = twins.room.school.school_id.as_str();
    let at = |role: &str| district.clients(&Claims::role(role).at(&[school]));
    let mut outsiders = vec![("teacher", district.clients(&Claims::staff(&twins.room.teacher.staff_id)))];
    outsiders.extend(["student_support_member", "principal", "program_manager"].map(|role| (role, at(role))));
    outsiders.extend(
        ["district_leader", "partnership_manager", "data_clerk", "privacy_officer", "auditor"].map(|role| (role, district.clients(&Claims::role(role)))),
    );
    outsiders.push(("partner_user", district.clients(&Claims::partner(&new_id()))));
    for (name, who) in outsiders.iter().take(4) {
        eventually("the services know the caller's own", || {
            let ids = Ids::of(&twins.room, "");
            async move {
                let reads = every_read(who, &ids).await;
                reads.iter().filter(|(call, _)| ["reviews.GetClassReview", "plans.GetPlan"].contains(call)).all(|(_, a)| a.is_ok()).then_some(name)
            }
        })
        .await;
    }
    outsiders
}

/// Takes out what is a record's own: ids, times, and how long somebody was at work.
fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let bytes = text.as_bytes();
    let is_id = |at: usize| {
        text.get(at..at + 36)
            .is_some_and(|id| id.bytes().enumerate().all(|(n, b)| if [8, 13, 18, 23].contains(&n) { b == b'-' } else { b.is_ascii_hexdigit() }))
    };
    let mut at = 0;
    while at < bytes.len() {
        let rest = &text[at..];
        let number = ["seconds: ", "nanos: ", "active_seconds: "].into_iter().find(|word| rest.starts_with(word));
        if is_id(at) {
            out.push_str("<id>");
            at += 36;
        } else if let Some(word) = number {
            out.push_str(word);
            at += word.len();
            at += bytes[at..].iter().take_while(|b| b.is_ascii_digit() || **b == b'-').count();
        } else {
            let next = rest.chars().next().unwrap();
            out.push(next);
            at += next.len_utf8();
        }
    }
    out
}

fn said(answer: &Result<String, Status>) -> String {
    match answer {
        Ok(text) => plain(text),
        Err(status) => format!("{:?} {:?} {}", status.code(), chassis_rpc::fault::reason_of(status), plain(status.message())),
    }
}

/// Where two texts part.
fn difference(one: &str, other: &str) -> String {
    let at = one.chars().zip(other.chars()).take_while(|(a, b)| a == b).count();
    let around = |text: &str| text.chars().skip(at.saturating_sub(120)).take(240).collect::<String>();
    format!("…{}…\n  but …{}…", around(one), around(other))
}

#[tokio::test]
async fn every_answer_about_one_twin_is_the_answer_about_the_other() {
    let twins = twins().await;
    let ids = |at: usize| Ids { student: twins.student(at).to_owned(), ..Ids::of(&twins.room, &new_id()) };
    let mut found = Vec::new();
    for (name, who) in outsiders(twins).await {
        let (one, other) = (every_read(&who, &ids(0)).await, every_read(&who, &ids(1)).await);
        // Names and birthdays are their own.
        for ((call, one), (_, other)) in one.iter().zip(&other).filter(|((call, _), _)| !call.starts_with("rosters.")) {
            let (one_said, other_said) = (said(one), said(other));
            // What is asked of a school or class is the same question twice.
            if one_said != other_said {
                found.push(format!("{call} for a {name}: {}", difference(&one_said, &other_said)));
            }
            if let Ok(text) = one {
                found.extend(twins.hidden.ids().into_iter().filter(|id| text.contains(id.as_str())).map(|id| format!("{call} tells a {name} the id {id}")));
                if text.contains(PROTECTED) || text.contains("FAM-PRI") {
                    found.push(format!("{call} tells a {name} what is protected"));
                }
            }
        }
    }
    none(&found, "these tell the twins apart:");
}

/// What a call by id says of the hidden record, and of one that is not there.
async fn by_id(who: &Clients, hidden: &Hidden) -> Vec<(&'static str, Result<String, Status>)> {
    let Clients { mut concerns, mut plans, mut deliveries, mut follow_ups, mut reviews, .. } = who.clone();
    macro_rules! said {
        ($call:expr) => {
            $call.await.map(|answer| format!("{:?}", answer.into_inner()))
        };
    }
    let (id, note) = (new_id, || "as it was".to_owned());
    let Hidden { need, item, goal, enrolment, follow_up, concern, individual_review } = hidden;
    let entry = proto::reviews::v1::Entry {
        entry_id: id(),
        polarity: proto::reviews::v1::Polarity::Need.into(),
        code: "SEB-GRF".to_owned(),
        severity: 1,
        source: proto::reviews::v1::EntrySource::Family.into(),
        ..Default::default()
    };
    vec![
        ("GetConcern", said!(concerns.get_concern(GetConcernRequest { concern_id: concern.clone() }))),
        (
            "TriageConcern",
            said!(concerns.triage_concern(TriageConcernRequest {
                concern_id: concern.clone(),
                decision: TriageDecision::Watch.into(),
                note: note(),
                expected_version: 1,
                request_id: id()
            })),
        ),
        (
            "CloseConcern",
            said!(concerns.close_concern(CloseConcernRequest { concern_id: concern.clone(), note: note(), expected_version: 1, request_id: id() })),
        ),
        ("GetIndividualReview", said!(concerns.get_individual_review(GetIndividualReviewRequest { individual_review_id: individual_review.clone() }))),
        (
            "SuspendIndividualReview",
            said!(concerns.suspend_individual_review(SuspendIndividualReviewRequest {
                individual_review_id: individual_review.clone(),
                suspend: true,
                reason: note(),
                look_again_on: (today() + Days::new(9)).to_string(),
                expected_version: 1,
                request_id: id()
            })),
        ),
        (
            "ReclassifyNeed",
            said!(reviews.reclassify_need(ReclassifyNeedRequest {
                student_id: String::new(),
                entry_id: need.clone(),
                entry: Some(entry),
                reason: note(),
                expected_version: 1,
                request_id: id()
            })),
        ),
        (
            "TransitionPlanItem",
            said!(plans.transition_plan_item(TransitionPlanItemRequest {
                plan_item_id: item.clone(),
                transition: "arrange".to_owned(),
                expected_version: 1,
                request_id: id(),
                ..Default::default()
            })),
        ),
        (
            "UpdatePlanItem",
            said!(plans.update_plan_item(UpdatePlanItemRequest {
                item: Some(PlanItem { plan_item_id: item.clone(), description: note(), ..PlanItem::default() }),
                expected_version: 1,
                request_id: id()
            })),
        ),
        (
            "RecordProgress",
            said!(plans.record_progress(RecordProgressRequest {
                goal_id: goal.clone(),
                point: Some(proto::plans::v1::ProgressPoint { progress_id: id(), observed_on: today().to_string(), value: 2.0, ..Default::default() }),
                request_id: id()
            })),
        ),
        (
            "TransitionGoal",
            said!(plans.transition_goal(TransitionGoalRequest { goal_id: goal.clone(), transition: "meet".to_owned(), expected_version: 1, request_id: id() })),
        ),
        ("ListDeliveries", said!(deliveries.list_deliveries(ListDeliveriesRequest { enrolment_id: enrolment.clone(), ..Default::default() }))),
        (
            "TransitionFollowUp",
            said!(follow_ups.transition_follow_up(TransitionFollowUpRequest {
                follow_up_id: follow_up.clone(),
                transition: "done".to_owned(),
                result: "done".to_owned(),
                expected_version: 1,
                request_id: id(),
                ..Default::default()
            })),
        ),
    ]
}

#[tokio::test]
async fn what_is_protected_is_answered_as_what_is_not_there() {
    let twins = twins().await;
    let nothing =
        Hidden { need: new_id(), item: new_id(), goal: new_id(), enrolment: new_id(), follow_up: new_id(), concern: new_id(), individual_review: new_id() };
    let mut found = Vec::new();
    for (name, who) in outsiders(twins).await {
        let (hidden, missing) = (by_id(&who, &twins.hidden).await, by_id(&who, &nothing).await);
        for ((call, hidden), (_, missing)) in hidden.iter().zip(&missing) {
            if hidden.is_ok() || said(hidden) != said(missing) {
                found.push(format!("{call} for a {name}: {} but {}", said(hidden), said(missing)));
            }
        }
    }
    none(&found, "these tell that a protected record is there:");
}

#[tokio::test]
async fn words_of_restricted_records_are_for_those_cleared() {
    let twins = twins().await;
    let ids = Ids { student: twins.student(1).to_owned(), ..Ids::of(&twins.room, &new_id()) };
    let mut found = Vec::new();
    for (name, who) in outsiders(twins).await {
        // Feelings are what support staff are cleared for; principals and programme managers read all that is restricted.
        let cleared = ["student_support_member", "principal", "program_manager"].contains(&name);
        let mut seen = false;
        for (call, answer) in every_read(&who, &ids).await {
            let Ok(text) = answer else { continue };
            // That a restricted concern was raised, and when it is answered, is told to those with a relationship; what it is, is not.
            let ids = twins.restricted[1].iter().take(5);
            let ids_told: BTreeSet<&String> = ids.filter(|id| text.contains(id.as_str())).collect();
            seen |= text.contains(RESTRICTED);
            if !cleared && (text.contains(RESTRICTED) || !ids_told.is_empty() || text.contains("SEB-ANX")) {
                found.push(format!("{call} tells a {name} of what is restricted: {ids_told:?}"));
            }
        }
        if cleared && !seen {
            found.push(format!("a {name} is cleared and sees nothing"));
        }
    }
    none(&found, "restricted records are shown to the wrong people:");
}

/// Every page that can be reached from the student's by links, as somebody at the portal sees them.
async fn pages(twins: &Twins, persona: &str, at: usize) -> Vec<(String, String)> {
    let visitor = Visitor::sign_in(&twins.town, persona).await;
    let cookies: Vec<String> = visitor
        .browser
        .cookies()
        .await
        .iter()
        .map(|cookie| format!("{}={}", cookie["name"].as_str().unwrap_or_default(), cookie["value"].as_str().unwrap_or_default()))
        .collect();
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let (student, other) = (twins.student(at), twins.student(1 - at));
    let review = &twins.room.review.class_review_id;
    let mut open = vec!["/".to_owned(), format!("/students/{student}"), format!("/reviews/{review}/students/{student}"), "/unmet".to_owned()];
    let mut seen = BTreeSet::new();
    let mut read = Vec::new();
    while let Some(path) = open.pop() {
        // Other students' pages are other people's; the sign-out is a form and no link.
        if path.contains("/static/") || path.contains(other) || !seen.insert(path.clone()) || seen.len() > 60 {
            continue;
        }
        let text = client.get(twins.town.portal(&path)).header("cookie", cookies.join("; ")).send().await.unwrap().text().await.unwrap();
        let links = text.split("href=\"/").skip(1).filter_map(|rest| rest.split('"').next()).map(|link| format!("/{}", link.replace("&amp;", "&")));
        open.extend(links.filter(|link| link.contains(student)));
        read.push((path, text));
    }
    read
}

#[tokio::test]
async fn no_page_tells_of_what_is_protected() {
    let twins = twins().await;
    let mut found = Vec::new();
    for persona in ["teacher", "principal"] {
        let pages = pages(twins, persona, 0).await;
        assert!(pages.len() > 3, "{persona} reads {} pages", pages.len());
        for (path, text) in pages {
            found.extend(twins.hidden.ids().into_iter().filter(|id| text.contains(id.as_str())).map(|id| format!("{path} tells the {persona} the id {id}")));
            // Forms offer the whole code list to everybody.
            let told: String =
                text.split("<option").enumerate().map(|(n, part)| if n == 0 { part } else { part.split("</option>").nth(1).unwrap_or("") }).collect();
            if told.contains(PROTECTED) || told.contains("FAM-PRI") || told.contains("Incarcerated") {
                found.push(format!("{path} tells the {persona} what is protected"));
            }
            if persona == "teacher" && text.contains(RESTRICTED) {
                found.push(format!("{path} tells the teacher what is restricted"));
            }
        }
    }
    none(&found, "these pages tell too much:");
}
