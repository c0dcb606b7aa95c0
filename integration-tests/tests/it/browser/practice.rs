//! The pages of the practice as a coordinator and a teacher meet them: every one keeps what every page must.

use super::{PLANNED, Visitor, town};

#[tokio::test]
async fn every_page_of_the_practice_keeps_what_pages_must() {
    let town = town().await;
    let visitor = Visitor::sign_in(town, "coordinator").await;
    for path in ["/", "/concerns", "/follow-ups", "/individual-reviews", "/groups", "/hand-overs", "/september", "/recap"] {
        visitor.open(&town.portal(path), path).await;
        assert!(!visitor.browser.text("h1").await.contains("does not answer"), "{path}: {}", visitor.browser.text("main").await);
    }
    let student = town.rooms[PLANNED].students.last().unwrap();
    for tab in ["", "?years=all", "/reviews", "/plan", "/services", "/family", "/access", "/concern"] {
        visitor.open(&town.portal(&format!("/students/{student}{tab}")), &format!("a student{tab}")).await;
        assert!(visitor.browser.has("main h1").await);
    }
    visitor.leave();
}

#[tokio::test]
async fn a_concern_goes_from_the_teacher_to_a_review_and_the_day_shows_it() {
    let town = town().await;
    let visitor = Visitor::sign_in(town, "coordinator").await;
    let browser = &visitor.browser;
    let student = &town.rooms[PLANNED].students[1];
    browser.open(&town.portal(&format!("/students/{student}/concern"))).await;
    browser.write("#text", "Left the game upset three times").await;
    browser.follow("form[action$='/concern'] button.primary").await;
    assert!(browser.text("#toasts").await.contains("3 school days"), "{}", browser.text("body").await);
    visitor.open(&town.portal("/"), "a day with a concern").await;
    browser.follow("a[href^='/concerns/']").await;
    visitor.look("a concern").await;
    browser.click("input[name=decision][value=individual_review]").await;
    browser.follow("form[action$='/triage'] button").await;
    browser.until("the review is open", async || browser.address().await.contains("/individual-reviews/")).await;
    visitor.look("an individual review").await;
    assert!(browser.has("form[action$='/prepare']").await, "who has just opened the review goes on in it");
    // Coming back, what is restricted opens on purpose only.
    browser.reload().await;
    assert!(!browser.has("form[action$='/prepare']").await);
    browser.follow("form[action$='/open'] button").await;
    browser.wait_for("form[action$='/prepare']").await;
    visitor.leave();
}

#[tokio::test]
async fn numbers_are_numbers_and_what_was_typed_stays() {
    let town = town().await;
    let visitor = Visitor::sign_in(town, "coordinator").await;
    let browser = &visitor.browser;
    let student = &town.rooms[super::REPORTED].students[2];
    browser.open(&town.portal(&format!("/students/{student}/plan"))).await;
    browser.click("details:has(form[action$='/goals']) summary").await;
    browser.write("#gwords", "Comes on time").await;
    browser.clear("#gbase").await;
    browser.write("#gbase", "60 %").await;
    browser.click("form[action$='/goals'] button").await;
    browser.until("it is refused", async || browser.text("#trouble").await.contains("as a number")).await;
    assert_eq!(browser.property("#gwords", "value").await, "Comes on time");
    browser.clear("#gbase").await;
    browser.write("#gbase", "1,5").await;
    browser.follow("form[action$='/goals'] button").await;
    assert!(browser.text("main").await.contains("Starts at 1.5"), "{}", browser.text("main").await);
    // An address that names nothing is answered in words.
    for path in ["/students/abc", "/individual-reviews/1/open"] {
        browser.open(&town.portal(path)).await;
        assert!(browser.text("main").await.contains("There is no such page"), "{path}");
    }
    visitor.leave();
}
