//! Everything works without scripts too: forms, links and nothing else.

use integration_tests::acts::student_review;
use integration_tests::browser::BrowserOptions;
use proto::reviews::v1::{Polarity, StudentReviewState};

use super::{NO_SCRIPT, Visitor, town};

#[tokio::test]
async fn a_student_is_reviewed_by_plain_forms() {
    let town = town().await;
    let room = &town.rooms[NO_SCRIPT];
    let visitor = Visitor::sign_in_with(town, "coordinator", BrowserOptions { scripts: false, ..BrowserOptions::default() }).await;
    let browser = &visitor.browser;
    browser.open(&town.portal("/classes?show=all")).await;
    browser.follow(&format!("form[action='/classes/{}/start'] button", room.class.class_id)).await;
    browser.wait_for("#student").await;
    assert!(!browser.has("html.scripted").await, "scripts are off");
    visitor.look("a class review without scripts").await;
    let address = browser.address().await;
    let student = address.rsplit('/').next().unwrap();
    let review = town.review_of(room).await;

    browser.click("#dom-aca .adder[data-polarity=strength] summary").await;
    browser.write("#add-strength-aca", "curio").await;
    browser.follow("#dom-aca .adder[data-polarity=strength] button").await;
    // Words that fit several codes are answered by the list to choose from.
    browser.click("#dom-aca .adder[data-polarity=need] summary").await;
    browser.write("#add-need-aca", "read").await;
    browser.follow("#dom-aca .adder[data-polarity=need] button").await;
    if !browser.has("#student").await {
        visitor.look("a choice of codes").await;
        browser.follow("main form button").await;
    }
    browser.click(r#"#dom-aca .entry input[name=severity][value="2"]"#).await;
    browser.follow("#dom-aca .entry form.tools button").await;
    let entries = student_review(&town.coordinator(), &review, student).await.entries;
    assert_eq!(entries.iter().filter(|entry| entry.polarity() == Polarity::Strength).count(), 1, "{entries:?}");
    assert!(entries.iter().any(|entry| entry.polarity() == Polarity::Need && entry.severity == 2), "{entries:?}");

    for domain in ["seb", "hlt", "fam"] {
        browser.click(&format!("#nc-{domain}")).await;
    }
    // Done too early is refused with the gap in words.
    browser.follow("#done").await;
    assert!(browser.text("#gaps").await.contains("Choose a tier"), "{}", browser.text("main").await);
    browser.choose("#tier", "2b").await;
    browser.follow("#done").await;
    assert!(!browser.address().await.contains(student), "it goes on to the next student: {}", browser.address().await);
    assert_eq!(student_review(&town.coordinator(), &review, student).await.state(), StudentReviewState::Reviewed);
    visitor.leave();
}
