//! A class review with all that surrounds it: entries of an earlier year, somebody else at the same class, a network
//! that goes away in the middle.

use std::time::Duration;

use chrono::Days;
use integration_tests::acts::{done, new_id, today};
use integration_tests::clients::Clients;
use proto::reviews::v1::{
    ClassReview, CreateReviewCycleRequest, Entry, EntryOrigin, Polarity, PutEntryRequest, ReviewCycle, Season, StudentReviewState, UpdateStudentReviewRequest,
};
use proto::r#type::v1::{Domain, Tier};

use super::class_review::{Hands, focus_is, stored, stored_when, student_after};
use super::{TOGETHER, Visitor, town};
use crate::house::Room;

/// A season of the last school year that is still open, so that the test may write in it.
pub async fn earlier_cycle(manager: &Clients) -> ReviewCycle {
    let request = CreateReviewCycleRequest {
        school_year: wraparound::generate::school_year_of(today()) - 1,
        season: Season::Spring.into(),
        opens_on: today().checked_sub_days(Days::new(30)).unwrap_or_default().to_string(),
        closes_on: today().checked_add_days(Days::new(30)).unwrap_or_default().to_string(),
        request_id: new_id(),
        ..Default::default()
    };
    done("open an earlier cycle", manager.clone().reviews.create_review_cycle(request).await).cycle.unwrap_or_default()
}

/// Two strengths of the first two students, in last year's review.
pub async fn note_strengths(who: &Clients, review: &ClassReview, room: &Room) {
    for student in &room.students[..2] {
        for code in ["ACA-RDG", "ACA-MAT"] {
            put(who, review, student, Entry { entry_id: new_id(), polarity: Polarity::Strength.into(), code: code.into(), ..Entry::default() }, 0).await;
        }
    }
}

async fn put(who: &Clients, review: &ClassReview, student: &str, entry: Entry, expected_version: i64) {
    let request = PutEntryRequest {
        class_review_id: review.class_review_id.clone(),
        student_id: student.to_owned(),
        entry: Some(entry),
        expected_version,
        request_id: new_id(),
    };
    done("put an entry", who.clone().reviews.put_entry(request).await);
}

#[tokio::test]
async fn a_student_without_concerns_takes_thirteen_keys() {
    let town = town().await;
    let (review, first) = (&town.rooms[TOGETHER].review, &town.rooms[TOGETHER].students[0]);
    let visitor = Visitor::sign_in(town, "coordinator").await;
    let browser = &visitor.browser;
    browser.open(&town.portal(&format!("/reviews/{}/students/{first}", review.class_review_id))).await;
    assert_eq!(browser.texts("[data-prior]").await.len(), 2);
    assert!(stored(town, review, first).await.entries.is_empty(), "nothing is carried over by itself");
    visitor.look("entries of last year").await;
    focus_is(browser, "the student's name", |id| id == "student-name").await;
    let hands = Hands::on(browser);
    hands.press("y y 1 c u r Enter 0 0 0 t Enter d").await;
    student_after(browser, first).await;
    assert_eq!(hands.keys.get(), 13);
    let now = stored(town, review, first).await;
    assert_eq!((now.state(), now.assigned_tier()), (StudentReviewState::Reviewed, Tier::Tier1));
    assert_eq!(now.entries.iter().filter(|entry| entry.origin() == EntryOrigin::Carried).count(), 2);
    assert_eq!(now.entries.len(), 3);
    visitor.leave();
}

#[tokio::test]
async fn two_people_at_one_class_see_each_other_and_nothing_is_overwritten() {
    let town = town().await;
    let (review, student) = (&town.rooms[TOGETHER].review, &town.rooms[TOGETHER].students[2]);
    let address = town.portal(&format!("/reviews/{}/students/{student}", review.class_review_id));
    let visitor = Visitor::sign_in(town, "coordinator").await;
    let other = Visitor::sign_in(town, "support").await;
    let browser = &visitor.browser;
    browser.open(&address).await;
    other.browser.open(&address).await;
    browser.until("the other is seen", async || browser.texts("#presence").await.join(" ").contains("is here")).await;
    visitor.look("somebody else is here").await;

    // What the other writes appears; the field in use is left alone.
    browser.click("#dom-seb .adder[data-polarity=need] summary").await;
    browser.write("#add-need-seb", "pee").await;
    let hands = Hands::on(&other.browser);
    focus_is(&other.browser, "the student's name", |id| id == "student-name").await;
    hands.press("1 1 r e a d i n g Enter").await;
    browser.wait_for("#needs-aca .entry").await;
    assert_eq!(browser.property("#add-need-seb", "value").await, "pee");
    assert_eq!(browser.focus().await, "add-need-seb");
    let now = stored_when(town, review, student, "the need", |now| now.entries.len() == 1).await;

    // A decision of the other shows; then one from elsewhere meets mine and both are shown.
    hands.press("Enter").await;
    other.browser.click("#nc-hlt").await;
    browser.until("the mark is seen", async || browser.property("#nc-hlt", "checked").await == "true").await;
    hands.press("Escape").await;
    let seen = stored_when(town, review, student, "the mark", |now| now.no_concern_domains == [i32::from(Domain::Health)]).await;
    browser.script("document.getElementById('tier').focus();").await;
    let update = UpdateStudentReviewRequest {
        class_review_id: review.class_review_id.clone(),
        student_id: student.clone(),
        no_concern_domains: seen.no_concern_domains.clone(),
        assigned_tier: Tier::Tier3.into(),
        tier_reason: "recent_change".into(),
        expected_version: seen.version,
        request_id: new_id(),
        ..Default::default()
    };
    done("decide elsewhere", town.coordinator().reviews.update_student_review(update).await);
    tokio::time::sleep(Duration::from_millis(900)).await;
    browser.choose("#tier", "2a").await;
    let said = browser.text("#decide-conflict").await;
    assert!(said.contains("tier 3") && said.contains("tier 2a") && said.contains("Nothing was overwritten"), "{said}");
    assert_eq!(stored(town, review, student).await.assigned_tier(), Tier::Tier3);
    visitor.look("two decisions").await;
    browser.click("#decide-conflict form button").await;
    stored_when(town, review, student, "mine is kept", |now| now.assigned_tier() == Tier::Tier2a).await;
    assert_eq!(now.entries.len(), 1);
    visitor.leave();
    other.leave();
}

#[tokio::test]
async fn a_network_that_goes_away_loses_nothing() {
    let town = town().await;
    let room = &town.rooms[TOGETHER];
    let (review, student, after) = (&room.review, &room.students[3], &room.students[4]);
    let visitor = Visitor::sign_in(town, "coordinator").await;
    let browser = &visitor.browser;
    browser.open(&town.portal(&format!("/reviews/{}/students/{student}", review.class_review_id))).await;
    let hands = Hands::on(browser);
    focus_is(browser, "the student's name", |id| id == "student-name").await;
    hands.press("1 1 r e a d i n g Enter").await;
    focus_is(browser, "the new need", |id| id.starts_with("e-")).await;
    let before = stored_when(town, review, student, "the need", |now| now.entries.len() == 1).await;
    // The other students come to the device a moment after the page.
    tokio::time::sleep(Duration::from_secs(3)).await;

    browser.network(false).await;
    hands.press("3").await;
    browser.until("the change is kept", async || browser.text("#save").await.contains("1 change kept here")).await;
    assert!(browser.text("#away").await.contains("You are offline since"));
    hands.press("2 s Enter").await;
    hands.press("1 c u r Enter").await;
    focus_is(browser, "the strength that waits", |id| id.starts_with("e-")).await;
    hands.press("0 0 0 t Enter").await;
    browser.choose("#tier", "3").await;
    browser.choose("#why", "recent_change").await;
    browser.script("document.getElementById('done').focus();").await;
    hands.press("d").await;
    assert_eq!(student_after(browser, student).await, *after, "the next student is at hand");
    hands.press("4 ArrowDown Enter").await;
    focus_is(browser, "the next strength", |id| id.starts_with("e-")).await;
    // Meanwhile somebody else changes the need.
    let need = before.entries[0].clone();
    put(&town.coordinator(), review, student, Entry { note: "Reads to his sister.".into(), severity: 1, ..need.clone() }, need.version).await;
    assert!(stored(town, review, after).await.entries.is_empty());
    // What waits is not readable on the device.
    let kept = browser.slow_script(KEPT).await.to_string();
    assert!(kept.contains("owner") && kept.contains("waits") && !kept.contains("ACA-CUR"), "{kept}");

    // What waits is sent by itself as soon as the network is back.
    browser.network(true).await;
    stored_when(town, review, after, "the next student's strength", |now| now.entries.len() == 1).await;
    browser.until("nothing waits", async || !browser.text("#save").await.contains("kept here")).await;
    let now = stored(town, review, student).await;
    assert_eq!(now.entries.iter().filter(|entry| entry.polarity() == Polarity::Strength).count(), 1, "once, however often it was sent: {now:?}");
    assert_eq!(now.no_concern_domains.len(), 3);
    let theirs = now.entries.iter().find(|entry| entry.polarity() == Polarity::Need).unwrap();
    assert_eq!(theirs.severity, 1, "not overwritten");

    // Both values are shown where the student is, and mine can be kept.
    browser.follow("#away a").await;
    browser.wait_for("#student").await;
    assert!(browser.text("#away").await.is_empty() || browser.has(".conflict").await, "{}", browser.text("main").await);
    visitor.leave();
}

const KEPT: &str = r"const done = arguments[arguments.length - 1];
    const asked = indexedDB.open('wraparound-kept', 1);
    asked.onsuccess = () => {
      const store = asked.result.transaction('kept').objectStore('kept');
      const keys = store.getAllKeys(), all = store.getAll();
      all.onsuccess = () => done([keys.result, all.result.map((value) => value.data ? new TextDecoder('latin1').decode(value.data) : String(value))]);
    };";
