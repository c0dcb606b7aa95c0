//! Whose class, whose school: what is not one's own does not exist.

use integration_tests::acts::new_id;
use integration_tests::clients::Clients;
use integration_tests::patience::eventually;
use integration_tests::tokens::Claims;
use proto::partners::v1::ListReferralsRequest;
use proto::plans::v1::{AddPlanItemRequest, GetPlanRequest, ListPlansRequest, ListUnmetNeedsRequest, PlanItem, PlanItemKind};
use proto::reporting::v1::ListStudentsWithUnmetNeedsRequest;
use proto::reviews::v1::{Entry, ListClassReviewsRequest, Polarity, PutEntryRequest, SkipStudentReviewRequest, StartClassReviewRequest};
use proto::rosters::v1::{BatchGetStudentsRequest, ListClassesRequest, SearchStudentsRequest};
use tonic::{Code, Status};

use super::Refusal;
use super::reads::{Ids, every_read, foreign};
use crate::house::{House, Room, house};
use crate::rules::none;

/// Waits until each service has heard who this is, lest a refusal comes from not knowing them yet.
async fn is_known(house: &House, who: &Clients, own: &Room) {
    let ids = Ids::of(own, &house.referrals[0].referral_id);
    eventually("the services know the caller's own", || async {
        let reads = every_read(who, &ids).await;
        let wanted = ["rosters.GetClass", "reviews.GetClassReview", "plans.GetPlan"];
        reads.iter().filter(|(call, _)| wanted.contains(call)).all(|(_, answer)| answer.is_ok()).then_some(())
    })
    .await;
}

/// Every read of what is another's is refused, and in the same words as a read of what is not there.
async fn closed(who: &Clients, theirs: &Ids) {
    let (forbidden, missing) = (every_read(who, theirs).await, every_read(who, &Ids::unknown()).await);
    let mut found = Vec::new();
    for ((call, forbidden), (_, missing)) in forbidden.iter().zip(&missing) {
        match (forbidden, missing) {
            (Err(forbidden), Err(missing)) => {
                let (forbidden, missing) = (Refusal::from(forbidden), Refusal::from(missing));
                if forbidden.code != Code::PermissionDenied || forbidden != missing {
                    found.push(format!("{call}: {forbidden:?}, where nothing is {missing:?}"));
                }
            }
            // A list may be empty instead, and must not say which of both it is.
            (Ok(forbidden), Ok(missing)) if may_be_empty(call) && forbidden == missing && holds_nothing(forbidden, theirs) => {}
            _ => found.push(format!("{call}: {forbidden:?}, where nothing is {missing:?}")),
        }
    }
    none(&found, "these answer about what is another's:");
}

fn may_be_empty(call: &str) -> bool {
    call.contains(".List") && !call.ends_with("Members") && !call.ends_with("History")
}

fn holds_nothing(text: &str, ids: &Ids) -> bool {
    [&ids.school, &ids.class, &ids.student, &ids.review, &ids.referral].iter().all(|id| !text.contains(id.as_str()))
}

async fn lists(who: &Clients, students: &[String], name: &str) -> Vec<(&'static str, Result<String, Status>)> {
    let Clients { mut rosters, mut reviews, mut plans, mut referrals, mut reporting, .. } = who.clone();
    let told = |answer: Result<String, Status>| answer;
    let far_day = integration_tests::acts::today().checked_add_days(chrono::Days::new(90)).unwrap().to_string();
    macro_rules! said {
        ($call:expr) => {
            told($call.await.map(|answer| format!("{:?}", answer.into_inner())))
        };
    }
    vec![
        ("rosters.ListClasses", said!(rosters.list_classes(ListClassesRequest::default()))),
        ("rosters.BatchGetStudents", said!(rosters.batch_get_students(BatchGetStudentsRequest { student_ids: students.to_vec() }))),
        ("rosters.SearchStudents", said!(rosters.search_students(SearchStudentsRequest { query: name.to_owned(), ..Default::default() }))),
        ("reviews.ListClassReviews", said!(reviews.list_class_reviews(ListClassReviewsRequest::default()))),
        ("plans.ListPlans", said!(plans.list_plans(ListPlansRequest::default()))),
        ("plans.ListUnmetNeeds", said!(plans.list_unmet_needs(ListUnmetNeedsRequest { as_of_date: far_day.clone(), ..Default::default() }))),
        ("partners.ListReferrals", said!(referrals.list_referrals(ListReferralsRequest::default()))),
        (
            "reporting.ListStudentsWithUnmetNeeds",
            said!(reporting.list_students_with_unmet_needs(ListStudentsWithUnmetNeedsRequest { as_of_date: far_day, ..Default::default() })),
        ),
    ]
}

/// No list holds what is another's, though each holds something.
async fn not_listed(who: &Clients, house: &House, foreign: &[String], other: &Room) {
    let manager = house.district.clients(&Claims::role("program_manager"));
    let request = BatchGetStudentsRequest { student_ids: vec![other.student().to_owned()] };
    let theirs = manager.clone().rosters.batch_get_students(request).await.unwrap().into_inner().students;
    let name = theirs[0].display_name.split(' ').next().unwrap().to_owned();
    let mut found = Vec::new();
    for (call, answer) in lists(who, &other.students, &name).await {
        match answer {
            Ok(text) => found.extend(foreign.iter().filter(|id| text.contains(id.as_str())).map(|id| format!("{call} holds {id}"))),
            Err(status) => found.push(format!("{call} is refused: {status:?}")),
        }
    }
    none(&found, "these lists hold what is another's:");
}

/// Writes about what is another's are refused.
async fn not_written(who: &Clients, house: &House, other: &Room) {
    let Clients { mut reviews, mut plans, .. } = who.clone();
    let entry = Entry { entry_id: new_id(), polarity: Polarity::Strength.into(), code: "ACA-RDG".to_owned(), ..Entry::default() };
    let put = PutEntryRequest {
        class_review_id: other.review.class_review_id.clone(),
        student_id: other.student().to_owned(),
        entry: Some(entry),
        expected_version: 0,
        request_id: new_id(),
    };
    assert_eq!(reviews.put_entry(put).await.unwrap_err().code(), Code::PermissionDenied);
    let skip = SkipStudentReviewRequest {
        class_review_id: other.review.class_review_id.clone(),
        student_id: other.students[1].clone(),
        reason: "time".to_owned(),
        expected_version: 1,
        request_id: new_id(),
    };
    assert_eq!(reviews.skip_student_review(skip).await.unwrap_err().code(), Code::PermissionDenied);
    let start = StartClassReviewRequest {
        review_cycle_id: house.cycle.review_cycle_id.clone(),
        class_id: other.class.class_id.clone(),
        roster_date: String::new(),
        request_id: new_id(),
    };
    assert_eq!(reviews.start_class_review(start).await.unwrap_err().code(), Code::PermissionDenied);
    let manager = house.district.clients(&Claims::role("program_manager"));
    let plan = manager.clone().plans.get_plan(GetPlanRequest { student_id: other.student().to_owned(), school_year: 0 }).await.unwrap().into_inner();
    let item =
        PlanItem { plan_item_id: new_id(), kind: PlanItemKind::SchoolSupport.into(), builds_on_codes: vec!["INT-ART".to_owned()], ..PlanItem::default() };
    let add = AddPlanItemRequest { plan_id: plan.plan.unwrap().plan_id, item: Some(item), request_id: new_id() };
    assert_eq!(plans.add_plan_item(add).await.unwrap_err().code(), Code::PermissionDenied);
}

#[tokio::test]
async fn a_teacher_never_sees_anothers_class() {
    let house = house().await;
    let [own, beside, away] = &house.rooms;
    let teacher = house.district.clients(&Claims::staff(&own.teacher.staff_id));
    is_known(house, &teacher, own).await;
    // The school is the teacher's own, too; only the class beside is not.
    let beside_ids = Ids { school: away.school.school_id.clone(), ..Ids::of(beside, &house.referrals[1].referral_id) };
    closed(&teacher, &beside_ids).await;
    closed(&teacher, &Ids::of(away, &house.referrals[1].referral_id)).await;
    for other in [beside, away] {
        not_listed(&teacher, house, &foreign(house, &[1, 2], &[1]), other).await;
        not_written(&teacher, house, other).await;
    }
}

#[tokio::test]
async fn a_coordinator_never_sees_another_school() {
    let house = house().await;
    let away = &house.rooms[2];
    let coordinator = house.district.clients(&house.coordinators[0]);
    is_known(house, &coordinator, &house.rooms[0]).await;
    closed(&coordinator, &Ids::of(away, &house.referrals[1].referral_id)).await;
    not_listed(&coordinator, house, &foreign(house, &[2], &[1]), away).await;
    not_written(&coordinator, house, away).await;
}

#[tokio::test]
async fn a_role_of_the_token_holds_at_its_schools_only() {
    let house = house().await;
    let [here, _, away] = &house.rooms;
    for role in ["principal", "student_support_member", "program_manager"] {
        let who = house.district.clients(&Claims::role(role).at(&[&here.school.school_id]));
        is_known(house, &who, here).await;
        closed(&who, &Ids::of(away, &house.referrals[1].referral_id)).await;
        not_listed(&who, house, &foreign(house, &[2], &[1]), away).await;
    }
}

#[tokio::test]
async fn district_roles_see_no_student() {
    let house = house().await;
    let ids = Ids::of(&house.rooms[0], &house.referrals[0].referral_id);
    for role in ["district_leader", "partnership_manager", "data_clerk", "auditor"] {
        let who = house.district.clients(&Claims::role(role));
        for (call, answer) in every_read(&who, &ids).await {
            if let Ok(text) = answer {
                let students: Vec<&String> = house.rooms[0].students.iter().filter(|student| text.contains(student.as_str())).collect();
                // The ledger is an auditor's work; it tells of the student that was asked for.
                let is_ledger = call == "partners.ListDisclosures" && role == "auditor";
                assert!(students.is_empty() || is_ledger, "{call} tells a {role} of students");
            }
        }
    }
}
