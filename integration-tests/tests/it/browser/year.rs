//! A school year of one class on the pages: reviewed by two people, the network gone for a while, a concern, an individual
//! review, the plan and the family's answer, help and its sessions, follow-ups, the list for September.

use integration_tests::acts::{plan_with, today};
use proto::reviews::v1::{ClassReview, ClassReviewState, StudentReviewState};
use proto::r#type::v1::Tier;

use super::class_review::{Hands, focus_is, stored, stored_when, student_after};
use super::{Town, Visitor, YEAR, town};

#[tokio::test]
async fn a_year_of_one_class() {
    let town = town().await;
    let coordinator = Visitor::sign_in(town, "coordinator").await;
    let support = Visitor::sign_in(town, "support").await;
    let review = review_together(town, &coordinator, &support).await;
    let student = &town.rooms[YEAR].students[0];
    sign(&coordinator, town, &review).await;
    team_meets(town, &coordinator, &support, student).await;
    family_agrees(town, &coordinator, student).await;
    help_arrives(town, &coordinator, student).await;
    follow_ups_are_done(town, &coordinator, student).await;
    september(town, &coordinator, student).await;
    coordinator.leave();
    support.leave();
}

/// Two people take the students of the class in turn; the first one is reviewed while the network is gone.
async fn review_together(town: &Town, coordinator: &Visitor, support: &Visitor) -> ClassReview {
    let room = &town.rooms[YEAR];
    coordinator.browser.open(&town.portal("/classes?show=all")).await;
    coordinator.browser.follow(&format!("form[action='/classes/{}/start'] button", room.class.class_id)).await;
    let review = town.review_of(room).await;
    let class = town.portal(&format!("/reviews/{}", review.class_review_id));
    let student = &room.students[0];
    coordinator.browser.open(&format!("{class}/students/{student}")).await;
    support.browser.open(&format!("{class}/students/{}", room.students[1])).await;
    coordinator.browser.until("the other is seen", async || coordinator.browser.texts("#presence").await.join(" ").contains("is here")).await;

    let browser = &coordinator.browser;
    let hands = Hands::on(browser);
    focus_is(browser, "the student's name", |id| id == "student-name").await;
    hands.press("1 1 r e a d i n g Enter").await;
    focus_is(browser, "the new need", |id| id.starts_with("e-")).await;
    stored_when(town, &review, student, "the need", |now| now.entries.len() == 1).await;
    // The other students come to the device a moment after the page.
    tokio::time::sleep(std::time::Duration::from_secs(3)).await;
    browser.network(false).await;
    hands.press("3").await;
    browser.until("the change is kept", async || browser.text("#save").await.contains("kept here")).await;
    hands.press("Enter 1 c u r Enter").await;
    focus_is(browser, "the strength that waits", |id| id.starts_with("e-")).await;
    hands.press("0 0 0").await;
    browser.choose("#tier", "3").await;
    browser.choose("#why", "recent_change").await;
    browser.script("document.getElementById('done').focus();").await;
    hands.press("d").await;
    student_after(browser, student).await;
    // Meanwhile the other goes on with the next student.
    take(town, support, &review, &room.students[1]).await;
    assert_ne!(stored(town, &review, student).await.state(), StudentReviewState::Reviewed, "it waits at the other device");
    browser.network(true).await;
    let now = stored_when(town, &review, student, "what waited has arrived", |now| now.state() == StudentReviewState::Reviewed).await;
    assert_eq!((now.assigned_tier(), now.entries.len()), (Tier::Tier3, 2));
    // The browser notes each request that found no network, which is no fault of the page.
    browser.console().await;

    for (n, student) in room.students.iter().enumerate().skip(2) {
        take(town, [coordinator, support][n % 2], &review, student).await;
    }
    review
}

/// A student without concerns: a strength, no concern, the suggested tier.
async fn take(town: &Town, who: &Visitor, review: &ClassReview, student: &str) {
    who.browser.open(&town.portal(&format!("/reviews/{}/students/{student}", review.class_review_id))).await;
    focus_is(&who.browser, "the student's name", |id| id == "student-name").await;
    Hands::on(&who.browser).press("1 c u r Enter 0 0 0 t Enter d").await;
    stored_when(town, review, student, "the student is reviewed", |now| now.state() == StudentReviewState::Reviewed).await;
}

async fn sign(coordinator: &Visitor, town: &Town, review: &ClassReview) {
    let browser = &coordinator.browser;
    browser.open(&town.portal(&format!("/reviews/{}", review.class_review_id))).await;
    browser.until("everybody is reviewed", async || browser.has("form[action$='/submit'] button.primary").await).await;
    coordinator.look("a class review that is done").await;
    browser.follow("form[action$='/submit'] button").await;
    assert_ne!(town.review_of(&town.rooms[YEAR]).await.state(), ClassReviewState::InProgress, "{}", browser.text("main").await);
}

/// A concern becomes a meeting with the family there, and a decision.
async fn team_meets(town: &Town, coordinator: &Visitor, support: &Visitor, student: &str) {
    let browser = &coordinator.browser;
    support.browser.open(&town.portal(&format!("/students/{student}/concern"))).await;
    support.browser.write("#text", "Has stopped reading aloud since last week").await;
    support.browser.follow("form[action$='/concern'] button.primary").await;
    browser.open(&town.portal("/concerns")).await;
    browser.follow(&format!("li:has(a[href='/students/{student}']) a[href^='/concerns/']")).await;
    browser.click("input[name=decision][value=individual_review]").await;
    browser.follow("form[action$='/triage'] button").await;
    browser.until("the review is open", async || browser.address().await.contains("/individual-reviews/")).await;

    for at in [0, 1] {
        browser.click(&format!("select[name=staff-{at}] option:nth-child({})", at + 2)).await;
    }
    browser.choose("select[name=role-1]", "counsellor").await;
    browser.follow("form[action$='/prepare'] button").await;
    browser.set_date("#meets", today()).await;
    coordinator.look("a review whose team is named").await;
    browser.follow("form[action$='/schedule'] button").await;
    browser.click("input[name=voice][value=attended]").await;
    browser.write("#fw", "He reads at bedtime, but not when others listen.").await;
    coordinator.look("a meeting").await;
    browser.follow("form[action$='/hold'] button").await;
    browser.write("#f-aca", "Reads well alone").await;
    browser.write("input[name=text-0]", "Reading with one adult, twice a week").await;
    browser.choose("select[name=kind-0]", "service").await;
    coordinator.look("what a team decides").await;
    browser.follow("form[action$='/decide'] button").await;
    assert!(browser.text("main").await.contains("Reading with one adult"), "{}", browser.text("main").await);
    let recap = format!("{}/recap", browser.address().await.split('?').next().unwrap_or_default());
    browser.open(&recap).await;
    browser.follow("form[action$='/open'] button").await;
    coordinator.look("a recap to print").await;
    assert!(browser.text("main").await.contains("He reads at bedtime"), "{}", browser.text("main").await);
}

/// A goal, the family's words and its answer; then the plan is in force.
async fn family_agrees(town: &Town, coordinator: &Visitor, student: &str) {
    let browser = &coordinator.browser;
    // What the review noted comes to the plan by itself.
    plan_with(&town.coordinator(), student, 1).await;
    browser.open(&town.portal(&format!("/students/{student}/plan"))).await;
    browser.click("details:has(form[action$='/goals']) summary").await;
    browser.write("#gwords", "Reads aloud to one person").await;
    browser.follow("form[action$='/goals'] button").await;
    browser.follow("form[action$='/plan'] button[value=propose]").await;
    browser.open(&town.portal(&format!("/students/{student}/plan"))).await;
    browser.choose("#resp", "agreed").await;
    browser.write("#awords", "Yes, with his brother there.").await;
    browser.follow("form[action$='/plan/answer'] button").await;
    browser.open(&town.portal(&format!("/students/{student}/plan"))).await;
    if browser.has("form[action$='/plan'] button[value=activate]").await {
        browser.follow("form[action$='/plan'] button[value=activate]").await;
    }
    coordinator.open(&town.portal(&format!("/students/{student}/plan")), "a plan that the family agreed to").await;
    let said = browser.text("main").await;
    assert!(said.contains("with his brother there") && said.contains("Reads aloud to one person"), "{said}");
}

async fn help_arrives(town: &Town, coordinator: &Visitor, student: &str) {
    let browser = &coordinator.browser;
    browser.open(&town.portal(&format!("/students/{student}/plan"))).await;
    browser.choose("#kind", "service").await;
    browser.choose("#category", "ED-TUT").await;
    browser.write("#description", "Reading with Ms. Kaur on Tuesdays").await;
    browser.follow("form[action$='/items']:has(#kind) button").await;
    browser.open(&town.portal(&format!("/students/{student}"))).await;
    browser.click("details:has(form[action$='/enrolments']) summary").await;
    browser.follow("form[action$='/enrolments'] button").await;
    for step in ["accept", "start"] {
        browser.follow(&format!("form[action*='/enrolments/'] button[value={step}]")).await;
    }
    browser.click("details:has(form[action$='/deliveries']) summary").await;
    browser.follow("form[action$='/deliveries'] button").await;
    assert!(browser.text("table.chain").await.contains("1 of 16 sessions"), "{}", browser.text("table.chain").await);
    coordinator.open(&town.portal(&format!("/students/{student}/services")), "the services of a student").await;
}

/// Help that starts is followed up by itself, and so are decisions.
async fn follow_ups_are_done(town: &Town, coordinator: &Visitor, student: &str) {
    let browser = &coordinator.browser;
    browser.open(&town.portal("/follow-ups?show=mine")).await;
    let mine = format!("li:has(a[href^='/students/{student}']) .acts button[value=done]");
    browser
        .until("a follow-up of the student", async || {
            browser.reload().await;
            browser.has(&mine).await
        })
        .await;
    let before = browser.texts(&mine).await.len();
    browser.follow(&mine).await;
    browser.open(&town.portal("/follow-ups?show=mine")).await;
    assert_eq!(browser.texts(&mine).await.len(), before - 1);
}

async fn september(town: &Town, coordinator: &Visitor, student: &str) {
    let browser = &coordinator.browser;
    let contacted = format!("form[action='/september/{student}'] button[value=contacted]");
    browser.open(&town.portal("/september")).await;
    browser
        .until("the student is on the list", async || {
            browser.reload().await;
            browser.has(&contacted).await
        })
        .await;
    browser.follow(&contacted).await;
    coordinator.open(&town.portal("/september"), "the list for September").await;
    assert!(!browser.has(&contacted).await, "nobody waits any more");
    // The year is on one page.
    coordinator.open(&town.portal(&format!("/students/{student}")), "a student's year").await;
    let told = browser.text("main").await;
    for word in ["Reading", "session"] {
        assert!(told.contains(word), "{word}: {told}");
    }
}
