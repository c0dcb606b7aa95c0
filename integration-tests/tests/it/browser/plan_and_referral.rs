//! From a need to its outcome on the pages: plan, enrolment, delivery, referral, partner, outcome.

use integration_tests::acts::{Need, complete, plan_with, put_need};
use proto::partners::v1::ListReferralsRequest;
use proto::r#type::v1::Sensitivity;

use super::{PLANNED, Visitor, town};

#[tokio::test]
async fn a_need_is_followed_to_its_outcome() {
    let town = town().await;
    let room = &town.rooms[PLANNED];
    let (student, clients) = (room.student(), town.coordinator());
    put_need(&clients, &room.review, student, Need { code: "ACA-RDG", severity: 2, sensitivity: Sensitivity::General, note: "" }).await;
    complete(&clients, &room.review, student).await;
    plan_with(&clients, student, 1).await;

    let visitor = Visitor::sign_in(town, "coordinator").await;
    let browser = &visitor.browser;
    let page = town.portal(&format!("/students/{student}"));
    visitor.open(&page, "a student").await;
    assert!(browser.text("table.chain").await.contains("Nothing planned yet"));

    // A service inside the school: planned, offered, accepted, begun, and one session.
    let plan = format!("{page}/plan");
    visitor.open(&plan, "a student's plan").await;
    browser.choose("#kind", "service").await;
    browser.choose("#category", "ED-TUT").await;
    browser.write("#description", "Reading group on Tuesdays").await;
    browser.follow("form[action$='/items']:has(#kind) button").await;
    assert!(browser.text("#toasts").await.contains("added to the plan"), "{}", browser.text("#toasts").await);
    browser.open(&page).await;
    browser.click("details:has(form[action$='/enrolments']) summary").await;
    visitor.look("an enrolment").await;
    browser.follow("form[action$='/enrolments'] button").await;
    for step in ["accept", "start"] {
        browser.follow(&format!("form[action*='/enrolments/'] button[value={step}]")).await;
    }
    browser.click("details:has(form[action$='/deliveries']) summary").await;
    visitor.look("a session to log").await;
    browser.follow("form[action$='/deliveries'] button").await;
    assert!(browser.text("table.chain").await.contains("1 of 16 sessions"), "{}", browser.text("table.chain").await);

    // A service of a partner.
    browser.open(&plan).await;
    browser.choose("#kind", "referral").await;
    browser.choose("#category", "ED-TUT").await;
    browser.write("#description", "Tutoring near home").await;
    browser.follow("form[action$='/items']:has(#kind) button").await;
    browser.open(&page).await;
    browser.follow("a[href*='/refer?']").await;
    visitor.look("the choice of a service").await;
    browser.follow("form.side button.primary").await;
    visitor.look("a draft of a referral").await;
    let referral = browser.address().await;
    assert!(browser.text("main").await.contains("the family has not agreed"), "it says what is missing");
    browser.follow("form[action$='/send'] button").await;
    assert!(browser.text("main").await.contains("has not agreed"), "sending is refused: {}", browser.text("main").await);

    browser.open(&format!("{page}/family")).await;
    browser.click("details:has(form[action$='/consents']) summary").await;
    browser.choose("#partner", &town.partner.partner_id).await;
    visitor.look("a consent").await;
    browser.follow("form[action$='/consents'] button").await;
    assert!(browser.text("section:has(#co)").await.contains(&town.partner.name));
    browser.open(&referral).await;
    assert!(browser.text("main").await.contains("The family agreed"));
    browser.follow("form[action$='/send'] button").await;
    visitor.look("a referral that was sent").await;

    // The partner, at another browser.
    let partner = Visitor::sign_in(town, "partner").await;
    partner.look("what a partner sees first").await;
    partner.open(&referral, "a referral as the partner sees it").await;
    for step in ["open", "accept", "start", "attend", "complete"] {
        let button = format!("button[name=transition][value={step}]");
        if partner.browser.has(&button).await {
            partner.browser.follow(&button).await;
        } else {
            assert!(step == "open" || step == "attend", "no button to {step}: {}", partner.browser.text("main").await);
        }
    }
    partner.open(&page, "a student that a partner may not see").await;
    assert!(!partner.browser.has("table.chain").await);

    // The coordinator judges; the chain shows it.
    browser.open(&referral).await;
    visitor.look("a referral to judge").await;
    browser.follow("button[name=outcome][value=need_not_met]").await;
    visitor.look("a closed referral").await;
    visitor.open(&town.portal("/referrals"), "the board of referrals").await;
    browser.open(&page).await;
    browser
        .until("the chain shows the outcome", async || {
            browser.reload().await;
            browser.text("table.chain").await.contains("Need not met")
        })
        .await;
    visitor.look("a student with a whole chain").await;
    let request = ListReferralsRequest { student_id: student.to_owned(), ..ListReferralsRequest::default() };
    let referrals = town.coordinator().referrals.list_referrals(request).await.unwrap().into_inner().referrals;
    assert_eq!(referrals.len(), 1, "{referrals:?}");
    visitor.open(&town.portal("/unmet"), "unmet needs").await;
    visitor.leave();
    partner.leave();
}
