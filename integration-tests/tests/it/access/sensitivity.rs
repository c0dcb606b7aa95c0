//! Restricted and protected entries: seen by those cleared for them, and by nobody else, neither as content nor, where
//! protected, as a number.

use integration_tests::acts::{plan_with, student_review, today};
use integration_tests::clients::Clients;
use integration_tests::patience::eventually;
use integration_tests::tokens::Claims;
use proto::plans::v1::{GetPlanRequest, ListPlansRequest, ListUnmetNeedsRequest};
use proto::reporting::v1::ListStudentsWithUnmetNeedsRequest;
use proto::reviews::v1::{GetClassReviewRequest, ListStudentReviewHistoryRequest};

use super::reads::{Ids, every_read};
use crate::house::{CLOSED_NOTE, House, house};

/// What one reader may see of the first room's student.
struct Reader<'h> {
    name: &'static str,
    who: Clients,
    /// Needs that are open to them.
    sees: Vec<&'h String>,
    /// Restricted needs of whose existence they know, and no more.
    closed: usize,
}

fn readers(house: &House) -> Vec<Reader<'_>> {
    let (needs, school) = (&house.needs, house.rooms[0].school.school_id.as_str());
    let [feelings, health, learning] = &needs.restricted;
    let at = |role: &str| house.district.clients(&Claims::role(role).at(&[school]));
    vec![
        Reader { name: "teacher", who: house.district.clients(&Claims::staff(&house.rooms[0].teacher.staff_id)), sees: vec![&needs.general], closed: 3 },
        Reader { name: "support", who: at("student_support_member"), sees: vec![&needs.general, feelings, health], closed: 1 },
        Reader { name: "principal", who: at("principal"), sees: vec![&needs.general, feelings, health, learning], closed: 0 },
        Reader { name: "program manager", who: at("program_manager"), sees: vec![&needs.general, feelings, health, learning], closed: 0 },
        Reader {
            name: "coordinator",
            who: house.district.clients(&house.coordinators[0]),
            sees: vec![&needs.general, feelings, health, learning, &needs.protected],
            closed: 0,
        },
    ]
}

fn hidden<'h>(house: &'h House, reader: &Reader<'h>) -> Vec<&'h String> {
    let needs = &house.needs;
    needs.restricted.iter().chain([&needs.general, &needs.protected]).filter(|need| !reader.sees.contains(need)).collect()
}

/// Fails where a text holds anything of an entry that is hidden from this reader.
fn tells_nothing(house: &House, reader: &Reader<'_>, call: &str, text: &str) {
    for need in hidden(house, reader) {
        assert!(!text.contains(need.as_str()), "{call} tells a {} of an entry that is closed to them", reader.name);
    }
    let codes = [("SEB-ANX", 0), ("HLT-DEN", 1), ("ACA-SPE", 2)];
    for (code, at) in codes {
        assert!(reader.sees.contains(&&house.needs.restricted[at]) || !text.contains(code), "{call} tells a {} the code {code}", reader.name);
    }
    assert!(reader.sees.contains(&&house.needs.protected) || !text.contains("SEB-SUI"), "{call} tells a {} a protected code", reader.name);
    assert!(reader.sees.len() > 1 || !text.contains(CLOSED_NOTE), "{call} tells a {} a note", reader.name);
}

#[tokio::test]
async fn a_review_shows_each_reader_their_part() {
    let house = house().await;
    let room = &house.rooms[0];
    for reader in readers(house) {
        eventually("the reader is known", || {
            let (mut who, class_review_id) = (reader.who.clone(), room.review.class_review_id.clone());
            async move { who.reviews.get_class_review(GetClassReviewRequest { class_review_id }).await.ok() }
        })
        .await;
        let seen = student_review(&reader.who, &room.review, room.student()).await;
        let mut ids: Vec<&String> = seen.entries.iter().map(|entry| &entry.entry_id).collect();
        let mut wanted = reader.sees.clone();
        ids.sort();
        wanted.sort();
        assert_eq!(ids, wanted, "entries that a {} sees", reader.name);
        assert_eq!(usize::try_from(seen.closed_entry_count).unwrap(), reader.closed, "closed entries that a {} is told of", reader.name);
        tells_nothing(house, &reader, "reviews.GetStudentReview", &format!("{seen:?}"));
        let mut who = reader.who.clone();
        let whole = who.reviews.get_class_review(GetClassReviewRequest { class_review_id: room.review.class_review_id.clone() }).await.unwrap().into_inner();
        tells_nothing(house, &reader, "reviews.GetClassReview", &format!("{whole:?}"));
        let history = ListStudentReviewHistoryRequest {
            class_review_id: room.review.class_review_id.clone(),
            student_id: room.student().to_owned(),
            ..Default::default()
        };
        let history = reader.who.clone().reviews.list_student_review_history(history).await.unwrap().into_inner();
        tells_nothing(house, &reader, "reviews.ListStudentReviewHistory", &format!("{history:?}"));
        assert!(
            history.revisions.iter().filter(|revision| revision.action == "entry_put").count() == reader.sees.len(),
            "the history counts what a {} must not know of: {history:?}",
            reader.name
        );
    }
}

#[tokio::test]
async fn a_plan_shows_each_reader_their_part() {
    let house = house().await;
    let room = &house.rooms[0];
    plan_with(&house.district.clients(&house.coordinators[0]), room.student(), 5).await;
    for reader in readers(house) {
        let plan = eventually("the plan is there for the reader", || {
            let (mut who, request) = (reader.who.clone(), GetPlanRequest { student_id: room.student().to_owned(), school_year: 0 });
            async move { who.plans.get_plan(request).await.ok() }
        })
        .await
        .into_inner();
        let mut ids: Vec<&String> = plan.needs.iter().map(|need| &need.need_id).collect();
        let mut wanted = reader.sees.clone();
        ids.sort();
        wanted.sort();
        assert_eq!(ids, wanted, "needs that a {} sees", reader.name);
        assert_eq!(usize::try_from(plan.closed_need_count).unwrap(), reader.closed, "closed needs that a {} is told of", reader.name);
        assert_eq!(usize::try_from(plan.plan.as_ref().unwrap().need_count).unwrap(), reader.sees.len(), "needs counted for a {}", reader.name);
        tells_nothing(house, &reader, "plans.GetPlan", &format!("{plan:?}"));
        let listed = reader.who.clone().plans.list_plans(ListPlansRequest { class_id: room.class.class_id.clone(), ..Default::default() }).await.unwrap();
        let listed = listed.into_inner().plans.into_iter().find(|plan| plan.student_id == room.student()).expect("the plan is listed");
        assert_eq!(usize::try_from(listed.need_count).unwrap(), reader.sees.len(), "needs counted in a list for a {}", reader.name);
    }
}

#[tokio::test]
async fn lists_of_unmet_needs_show_each_reader_their_part() {
    let house = house().await;
    let room = &house.rooms[0];
    // In a quarter of a year nothing of it has been met.
    let as_of_date = today().checked_add_days(chrono::Days::new(90)).unwrap().to_string();
    for reader in readers(house) {
        let listed =
            eventually("the student's needs are unmet", || {
                let (mut who, request) = (reader.who.clone(), ListUnmetNeedsRequest { as_of_date: as_of_date.clone(), page_size: 500, ..Default::default() });
                async move {
                    who.plans.list_unmet_needs(request).await.ok().map(|a| a.into_inner()).filter(|a| a.needs.iter().any(|n| n.student_id == room.student()))
                }
            })
            .await;
        tells_nothing(house, &reader, "plans.ListUnmetNeeds", &format!("{listed:?}"));
        let count = listed.needs.iter().filter(|need| need.student_id == room.student()).count();
        assert_eq!(count, reader.sees.len(), "unmet needs that a {} sees", reader.name);
        let reported = eventually("the student is reported", || {
            let request = ListStudentsWithUnmetNeedsRequest { as_of_date: as_of_date.clone(), page_size: 500, ..Default::default() };
            let mut who = reader.who.clone();
            async move {
                let answer = who.reporting.list_students_with_unmet_needs(request).await.ok()?.into_inner();
                answer.students.iter().any(|student| student.student_id == room.student()).then_some(answer)
            }
        })
        .await;
        tells_nothing(house, &reader, "reporting.ListStudentsWithUnmetNeeds", &format!("{reported:?}"));
    }
}

#[tokio::test]
async fn no_read_of_any_service_tells_more() {
    let house = house().await;
    let ids = Ids::of(&house.rooms[0], &house.referrals[0].referral_id);
    for reader in readers(house) {
        for (call, answer) in every_read(&reader.who, &ids).await {
            if let Ok(text) = answer {
                tells_nothing(house, &reader, call, &text);
            }
        }
    }
}
