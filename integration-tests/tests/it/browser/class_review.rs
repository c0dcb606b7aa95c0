//! A class review by keyboard alone, with what others do meanwhile.

use std::cell::Cell;
use std::time::Duration;

use integration_tests::acts::{new_id, student_review};
use integration_tests::browser::Browser;
use proto::reviews::v1::{ClassReview, Entry, Polarity, PutEntryRequest, StudentReview, StudentReviewState};
use proto::r#type::v1::{Certainty, Domain, Tier};

use super::{BY_KEYS, Town, Visitor, town};

/// Somebody's hands: single keys at the pace of a quick typist, counted.
pub struct Hands<'b> {
    browser: &'b Browser,
    pub keys: Cell<usize>,
}

impl<'b> Hands<'b> {
    pub fn on(browser: &'b Browser) -> Self {
        Self { browser, keys: Cell::new(0) }
    }

    pub async fn press(&self, keys: &str) {
        for key in keys.split(' ') {
            self.browser.press(key).await;
            self.keys.set(self.keys.get() + 1);
            tokio::time::sleep(Duration::from_millis(120)).await;
        }
    }
}

pub async fn focus_is(browser: &Browser, what: &str, wanted: impl Fn(&str) -> bool) {
    let deadline = std::time::Instant::now() + Duration::from_secs(5);
    loop {
        let focus = browser.focus().await;
        if wanted(&focus) {
            return;
        }
        assert!(std::time::Instant::now() < deadline, "focus is on {focus}, not on {what}");
        tokio::time::sleep(Duration::from_millis(30)).await;
    }
}

/// The student in work, once it is another than before.
pub async fn student_after(browser: &Browser, before: &str) -> String {
    let current = async || browser.script("return (document.getElementById('student') || {dataset: {}}).dataset.path || '';").await;
    browser
        .until("the next student", async || {
            let now = current().await;
            now.as_str().is_some_and(|path| !path.is_empty() && !path.ends_with(before))
        })
        .await;
    current().await.as_str().unwrap().rsplit('/').next().unwrap().to_owned()
}

pub async fn stored(town: &Town, review: &ClassReview, student: &str) -> StudentReview {
    student_review(&town.coordinator(), review, student).await
}

pub async fn stored_when(town: &Town, review: &ClassReview, student: &str, what: &str, holds: impl Fn(&StudentReview) -> bool) -> StudentReview {
    for _ in 0..100 {
        let now = stored(town, review, student).await;
        if holds(&now) {
            return now;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{what}: {:?}", stored(town, review, student).await)
}

#[tokio::test]
async fn a_class_is_reviewed_by_keyboard_and_resumed() {
    let town = town().await;
    let room = &town.rooms[BY_KEYS];
    let visitor = Visitor::sign_in(town, "coordinator").await;
    let browser = &visitor.browser;
    browser.open(&town.portal("/classes?show=all")).await;
    visitor.look("my classes").await;
    browser.follow(&format!("form[action='/classes/{}/start'] button", room.class.class_id)).await;
    browser.wait_for("#student").await;
    visitor.look("a class review").await;
    let review = town.review_of(room).await;

    // `d` refuses, in words, and goes to the first gap.
    let first = student_after(browser, "nobody").await;
    let hands = Hands::on(browser);
    focus_is(browser, "the student's name", |id| id == "student-name").await;
    hands.press("d").await;
    browser.wait_for("#gaps .banner").await;
    focus_is(browser, "the first gap", |id| id == "nc-aca").await;
    assert_eq!(browser.texts("#gaps li").await.len(), 6, "{:?}", browser.texts("#gaps li").await);
    visitor.look("what is missing").await;
    assert_ne!(stored(town, &review, &first).await.state(), StudentReviewState::Reviewed);

    // A student without concerns, with the keys that the design documents, beginning at the name.
    browser.reload().await;
    focus_is(browser, "the student's name", |id| id == "student-name").await;
    let hands = Hands::on(browser);
    hands.press("1 c u r Enter 0 0 0 t Enter d").await;
    let second = student_after(browser, &first).await;
    assert!(hands.keys.get() < 20, "{} keys", hands.keys.get());
    let done = stored(town, &review, &first).await;
    assert_eq!(done.state(), StudentReviewState::Reviewed);
    assert_eq!((done.suggested_tier(), done.assigned_tier()), (Tier::Tier1, Tier::Tier1));
    assert_eq!(done.entries.iter().map(|entry| (entry.code.as_str(), entry.polarity())).collect::<Vec<_>>(), [("ACA-CUR", Polarity::Strength)]);
    let marked: Vec<Domain> = done.no_concern_domains().collect();
    assert_eq!(marked, [Domain::SocialEmotional, Domain::Health, Domain::Family]);

    // A student with a need; single keys work again once the entry is there.
    focus_is(browser, "the next student's name", |id| id == "student-name").await;
    hands.press("1 1 r e a d i n g Enter").await;
    focus_is(browser, "the new need", |id| id.starts_with("e-")).await;
    hands.press("2 s Enter").await;
    focus_is(browser, "its domain", |id| id == "dom-aca").await;
    hands.press("2 ArrowDown Enter").await;
    focus_is(browser, "the new strength", |id| id.starts_with("e-")).await;
    hands.press("0 0").await;
    stored_when(town, &review, &second, "the need, as it was set, and a strength", |now| {
        let need = now.entries.iter().find(|entry| entry.polarity() == Polarity::Need);
        now.entries.len() == 2
            && now.no_concern_domains.len() == 2
            && need.is_some_and(|need| need.code == "ACA-RDG" && need.severity == 2 && need.certainty() == Certainty::Suspected)
    })
    .await;
    visitor.look("a student with a need").await;

    // What was removed comes back by one key.
    browser.click(".chip.strength .x").await;
    stored_when(town, &review, &second, "the strength is removed", |now| now.entries.len() == 1).await;
    browser.wait_for("#undo").await;
    browser.script("document.getElementById('student-name').focus();").await;
    hands.press("u").await;
    stored_when(town, &review, &second, "the strength is back", |now| now.entries.len() == 2).await;

    // Loaded again, everything is as it was left.
    browser.open(&town.portal(&format!("/reviews/{}", review.class_review_id))).await;
    assert_eq!(student_after(browser, &first).await, second, "work goes on where it stopped");
    assert_eq!(browser.property("#domains .entry input[name=severity]:checked", "value").await, "2");
    focus_is(browser, "the student's name", |id| id == "student-name").await;
    hands.press("t Enter").await;
    stored_when(town, &review, &second, "the tier", |now| now.assigned_tier() != Tier::Unspecified).await;
    hands.press("d").await;
    let third = student_after(browser, &second).await;
    assert_eq!(stored(town, &review, &second).await.state(), StudentReviewState::Reviewed);
    browser.reload().await;
    assert_eq!(student_after(browser, &second).await, third, "work goes on with the next student");
    visitor.console_is_quiet("after a review").await;
    visitor.leave();
}

#[tokio::test]
async fn a_change_by_somebody_else_is_shown_and_not_overwritten() {
    let town = town().await;
    let room = &town.rooms[super::PLANNED];
    let (review, student) = (&room.review, &room.students[1]);
    let visitor = Visitor::sign_in(town, "coordinator").await;
    let browser = &visitor.browser;
    browser.open(&town.portal(&format!("/reviews/{}/students/{student}", review.class_review_id))).await;
    let hands = Hands::on(browser);
    focus_is(browser, "the student's name", |id| id == "student-name").await;
    hands.press("1 1 r e a d i n g Enter").await;
    focus_is(browser, "the new need", |id| id.starts_with("e-")).await;
    let now = stored_when(town, review, student, "the need", |now| now.entries.len() == 1).await;
    // The same person at another machine.
    let elsewhere = PutEntryRequest {
        class_review_id: review.class_review_id.clone(),
        student_id: student.clone(),
        expected_version: now.entries[0].version,
        entry: Some(Entry { severity: 3, ..now.entries[0].clone() }),
        request_id: new_id(),
    };
    town.coordinator().reviews.put_entry(elsewhere).await.unwrap();
    hands.press("2").await;
    let said = browser.text(".entry .conflict").await;
    assert!(said.contains("severity 3") && said.contains("severity 2") && said.contains("Nothing was overwritten"), "{said}");
    visitor.look("a conflict").await;
    assert_eq!(stored(town, review, student).await.entries[0].severity, 3);
    browser.click(".entry .conflict form button").await;
    stored_when(town, review, student, "mine is kept", |now| now.entries[0].severity == 2).await;
    browser.until("the conflict is over", async || !browser.has(".conflict").await).await;
    visitor.leave();
}

#[tokio::test]
async fn what_is_protected_leaves_the_page_of_who_wrote_it_with_words() {
    let town = town().await;
    let (review, student) = (&town.rooms[super::PLANNED].review, &town.rooms[super::PLANNED].students[4]);
    let visitor = Visitor::sign_in(town, "support").await;
    let browser = &visitor.browser;
    browser.open(&town.portal(&format!("/reviews/{}/students/{student}", review.class_review_id))).await;
    let hands = Hands::on(browser);
    focus_is(browser, "the student's name", |id| id == "student-name").await;
    hands.press("2 2 s u i c Enter").await;
    browser.wait_for("#trouble [role=alert]").await;
    let said = browser.text("#trouble").await;
    assert!(said.contains("those on the case only") && said.contains("911") && said.contains("urgent concern"), "{said}");
    assert!(!browser.has("#needs-seb .entry").await, "nothing of it stays");
    visitor.look("a protected need was saved").await;
    // The work goes on.
    browser.script("document.getElementById('student-name').focus();").await;
    hands.press("1 c u r Enter").await;
    stored_when(town, review, student, "the strength", |now| now.entries.iter().any(|entry| entry.code == "ACA-CUR")).await;
    visitor.leave();
}
