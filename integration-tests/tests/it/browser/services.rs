//! Help in a group, sessions from a file, and a tier between class reviews.

use std::io::Write as _;

use integration_tests::acts::{Need, complete, plan_with, put_need, today};
use integration_tests::browser::Browser;
use proto::reviews::v1::ListTierAssignmentsRequest;
use proto::rosters::v1::GetStudentRequest;
use proto::r#type::v1::{Sensitivity, Tier};

use super::{PLANNED, REPORTED, Town, Visitor, town};

#[tokio::test]
async fn a_student_joins_a_group_and_its_sessions_come_from_a_file() {
    let town = town().await;
    let (room, clients) = (&town.rooms[PLANNED], town.coordinator());
    let student = &room.students[2];
    put_need(&clients, &room.review, student, Need { code: "ACA-RDG", severity: 1, sensitivity: Sensitivity::General, note: "" }).await;
    complete(&clients, &room.review, student).await;
    plan_with(&clients, student, 1).await;
    let visitor = Visitor::sign_in(town, "coordinator").await;
    let browser = &visitor.browser;
    browser.open(&town.portal("/groups")).await;
    browser.write("#name", "Reading circle").await;
    browser.choose("#cat", "ED-TUT").await;
    browser.click("#leader option:nth-child(2)").await;
    for day in ["1", "3"] {
        browser.click(&format!("input[name=weekday][value='{day}']")).await;
    }
    let (first, last) = (today() - chrono::Days::new(28), today() + chrono::Days::new(28));
    browser.set_date("#first", first).await;
    browser.set_date("#last", last).await;
    browser.follow("form[action='/groups'] button[type=submit]:not([name])").await;

    join(town, browser, student).await;
    assert!(browser.text("table.chain").await.contains("0 of 10 sessions"), "{}", browser.text("table.chain").await);
    browser.open(&town.portal("/groups")).await;
    browser.follow("a.who[href^='/groups/']").await;
    visitor.look("a group").await;
    assert!(browser.has(&format!("a[href='/students/{student}']")).await, "{}", browser.text("main").await);

    visitor.open(&town.portal("/groups/log"), "sessions from a file").await;
    let folder = tempfile::tempdir().unwrap();
    let wrong = file(&folder, "wrong.csv", "pupil,date\n1,2026-10-05\n");
    browser.write("#file", &wrong).await;
    browser.click("#log button").await;
    browser.wait_for("#outcome h2").await;
    let said = browser.text("#outcome").await;
    assert!(said.contains("Nothing was written") && said.contains("wrong.csv"), "{said}");
    visitor.look("a file with errors").await;

    let known = town.coordinator().rosters.get_student(GetStudentRequest { student_id: student.clone() }).await.unwrap().into_inner().student.unwrap();
    let (family, given) = known.sort_name.split_once(", ").unwrap();
    let rows = format!("given_name,family_name,birth_date,date,group,minutes\n{given},{family},{},{},Reading circle,25\n", known.birth_date, today());
    let good = file(&folder, "good.csv", &rows);
    browser.clear("#file").await;
    browser.write("#file", &good).await;
    browser.click("#log button").await;
    browser.until("the file is checked", async || browser.text("#outcome").await.contains("can be brought in")).await;
    browser.click("#log input[value=import]").await;
    browser.click("#log button").await;
    browser.until("the sessions are in", async || browser.text("#outcome").await.contains("are in the plans")).await;
    browser.open(&town.portal(&format!("/students/{student}"))).await;
    assert!(browser.text("table.chain").await.contains("1 of 10 sessions"), "{}", browser.text("table.chain").await);
    visitor.leave();
}

/// An item for the group's kind of help, an enrolment in the group, and the start.
async fn join(town: &Town, browser: &Browser, student: &str) {
    browser.open(&town.portal(&format!("/students/{student}/plan"))).await;
    browser.choose("#kind", "service").await;
    browser.choose("#category", "ED-TUT").await;
    browser.write("#description", "Reads in a circle").await;
    browser.follow("form[action$='/items']:has(#kind) button").await;
    browser.open(&town.portal(&format!("/students/{student}"))).await;
    browser.click("details:has(form[action$='/enrolments']) summary").await;
    browser.click("select[name=group_id] option:nth-child(2)").await;
    browser.follow("form[action$='/enrolments'] button").await;
    for step in ["accept", "start"] {
        browser.follow(&format!("form[action*='/enrolments/'] button[value={step}]")).await;
    }
}

#[tokio::test]
async fn a_tier_is_decided_between_class_reviews_with_its_reason() {
    let town = town().await;
    let student = &town.rooms[REPORTED].students[1];
    let visitor = Visitor::sign_in(town, "coordinator").await;
    let browser = &visitor.browser;
    browser.open(&town.portal(&format!("/students/{student}/reviews"))).await;
    browser.click("details:has(form[action$='/tier']) summary").await;
    browser.choose("#ntier", "2b").await;
    visitor.look("a tier between reviews").await;
    browser.click("form[action$='/tier'] button").await;
    browser.wait_for("#trouble [role=alert]").await;
    let said = browser.text("#trouble").await;
    assert!(said.contains("reason"), "{said}");
    assert_eq!(browser.property("#ntier", "value").await, "2b", "what was chosen stays");
    browser.choose("#nwhy", "recent_change").await;
    browser.follow("form[action$='/tier'] button").await;
    assert!(browser.text("#toasts").await.contains("Tier 2b"), "{}", browser.text("body").await);
    let request = ListTierAssignmentsRequest { student_id: student.clone() };
    let tiers = town.coordinator().reviews.list_tier_assignments(request).await.unwrap().into_inner().assignments;
    assert_eq!((tiers[0].tier(), tiers[0].source.as_str(), tiers[1].tier()), (Tier::Tier2b, "transfer_in", Tier::Tier1));
    visitor.leave();
}

fn file(folder: &tempfile::TempDir, name: &str, text: &str) -> String {
    let path = folder.path().join(name);
    std::fs::File::create(&path).unwrap().write_all(text.as_bytes()).unwrap();
    path.to_string_lossy().into_owned()
}
