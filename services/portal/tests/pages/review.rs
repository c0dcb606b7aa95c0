//! The class review beyond adding and deciding: earlier entries, observations, what is restricted, the class as a whole.

use super::{Browser, at, location, sample};

fn prior(number: usize) -> String {
    format!("{}/prior/{}", at(7), sample::id(number))
}

#[tokio::test]
async fn entries_of_last_year_wait_for_one_tap_and_are_never_copied_by_themselves() {
    let browser = Browser::signed_in(vec!["coordinator"]).await;
    let html = browser.text(&at(7)).await;
    assert!(html.contains("Last year:") && html.contains(&format!("id=\"prior-{}\"", sample::id(72))));
    assert!(!html.contains("Bullied"), "a restricted one stays closed on a screen that others may see");
    assert_eq!(browser.world.lock().unwrap().students[6].entries.len(), 5);

    let fields = [("answer", "still_true"), ("new_entry_id", &*sample::id(80))];
    let told = browser.post(&prior(71), &fields, true).await.text().await.unwrap();
    assert!(told.contains("hx-swap-oob=\"beforebegin:#more-strength-aca\"") && told.contains("still true"), "{told}");
    assert!(told.contains("id=\"undo\""));
    let changed = [("answer", "changed"), ("new_entry_id", &*sample::id(81)), ("severity", "2")];
    let told = browser.post(&prior(72), &changed, true).await.text().await.unwrap();
    assert!(told.contains("hx-swap-oob=\"beforeend:#needs-aca\""), "{told}");
    {
        let world = browser.world.lock().unwrap();
        let made = world.students[6].entries.iter().find(|entry| entry.entry_id == sample::id(81)).unwrap();
        assert_eq!((made.severity, made.from_entry_id.as_str()), (2, sample::id(72).as_str()));
    }
    let html = browser.text(&at(7)).await;
    assert!(html.contains("Answered from earlier reviews: 2") && !html.contains(&format!("id=\"prior-{}\"", sample::id(72))));

    let back = browser.post(&prior(72), &[("answer", "")], true).await.text().await.unwrap();
    assert!(back.contains(&format!("id=\"prior-{}\"", sample::id(72))));
    assert!(browser.world.lock().unwrap().students[6].entries.iter().all(|entry| entry.entry_id != sample::id(81)));
}

#[tokio::test]
async fn a_restricted_entry_is_opened_by_an_act_and_closes_when_the_page_is_left() {
    let browser = Browser::signed_in(vec!["coordinator"]).await;
    let html = browser.text(&at(7)).await;
    assert!(html.contains("2 restricted entries are closed while the screen is shared") && !html.contains("Food at home"));
    let opened = browser.post(&format!("{}/open", at(7)), &[], true).await.text().await.unwrap();
    assert!(opened.contains("Food at home") && opened.contains("Bullied") && !opened.contains("while the screen is shared"));
    let by_live = browser.http.get(format!("{}{}", browser.url, at(7))).header("Cookie", &browser.cookie).header("X-Live", "1").send().await.unwrap();
    assert!(by_live.text().await.unwrap().contains("Food at home"), "a look at what others changed closes nothing");
    assert!(!browser.text(&at(7)).await.contains("Food at home"));
    assert!(!browser.text(&format!("/reviews/{}/keep", sample::REVIEW)).await.contains("Food at home"));
}

#[tokio::test]
async fn what_was_seen_becomes_a_need_and_what_was_understood_otherwise_stays_struck() {
    let browser = Browser::signed_in(vec!["coordinator"]).await;
    let seen = [("polarity", "observation"), ("domain", "seb"), ("code", "SEB-REL"), ("entry_id", &*sample::id(82))];
    let told = browser.post(&format!("{}/entries", at(7)), &seen, true).await.text().await.unwrap();
    assert!(told.contains("Seen:") && told.contains("Make it a need") && !told.contains("name=\"severity\""), "{told}");
    let promoted = browser.post(&format!("{}/entries/{}/promote", at(7), sample::id(82)), &[("version", "1"), ("new_entry_id", &*sample::id(83))], true).await;
    let html = promoted.text().await.unwrap();
    assert!(html.contains(&format!("data-focus=\"e-{}\"", sample::id(83))) && html.contains("became the need “Relationships with peers”"), "{html}");

    let understood = format!("{}/entries/{}/understood", at(7), sample::id(53));
    assert!(browser.text(&understood).await.contains("noted as “Self-regulation of feelings and behavior”"));
    let fields = [("code", "HLT-VIS"), ("source", "family"), ("severity", "2"), ("certainty", "observed"), ("reason", "He needs glasses."), ("version", "1")];
    let answer = browser.post(&understood, &fields, false).await;
    assert!(location(&answer).starts_with(&at(7)));
    let html = browser.text(&at(7)).await;
    assert!(html.contains("<del>Self-regulation of feelings and behavior</del>") && html.contains("now understood as “Vision”, says: family"), "{html}");
}

#[tokio::test]
async fn who_may_see_an_entry_changes_with_a_reason() {
    let browser = Browser::signed_in(vec!["coordinator"]).await;
    let path = format!("{}/entries/{}/readers", at(7), sample::id(53));
    let html = browser.post(&path, &[("sensitivity", "restricted"), ("reason", "The family asked."), ("version", "1")], true).await.text().await.unwrap();
    assert!(html.contains(&format!("id=\"e-{}\"", sample::id(53))), "it stays open on the screen of whoever closed it");
    let late = browser.post(&path, &[("sensitivity", "general"), ("reason", "x"), ("version", "1")], true).await;
    assert_eq!(late.status(), 409);
}

#[tokio::test]
async fn a_decision_that_met_another_is_shown_beside_it() {
    let browser = Browser::signed_in(vec!["coordinator"]).await;
    let fields = [("tier", "2b"), ("nc_hlt", "1"), ("version", "1")];
    assert_eq!(browser.post(&format!("{}/decision", at(7)), &fields, true).await.status(), 200);
    let late = browser.post(&format!("{}/decision", at(7)), &[("tier", "3"), ("nc_hlt", "1"), ("version", "1")], true).await;
    assert_eq!(late.status(), 409);
    let html = late.text().await.unwrap();
    assert!(html.contains("It now says tier 2b, no concern in: Physical health; you set tier 3, no concern in: Physical health."), "{html}");
    assert!(html.contains("Keep theirs") && html.contains("Keep mine"));
}

#[tokio::test]
async fn a_class_review_is_paused_gone_on_with_and_taken_anew() {
    let browser = Browser::signed_in(vec!["coordinator"]).await;
    let path = |act: &str| format!("/reviews/{}/{act}", sample::REVIEW);
    browser.post(&path("move"), &[("transition", "pause"), ("version", "3")], false).await;
    assert!(browser.text(&at(7)).await.contains("put aside") && browser.text(&at(7)).await.contains("Go on"));
    browser.post(&path("move"), &[("transition", "resume"), ("version", "3")], false).await;
    browser.post(&path("refresh"), &[], false).await;
    assert!(browser.text(&at(7)).await.contains("1 added"));
    let minutes = browser.post(&path("activity"), &[("student", &sample::id(7)), ("done", "12")], true).await;
    assert_eq!(minutes.text().await.unwrap(), "31 min so far, about 2½ each");
    assert_eq!(browser.get(&path("stream")).await.status(), 204, "a service without the stream is not asked again");
}

#[tokio::test]
async fn beside_the_review_stands_what_is_in_place_and_a_class_can_be_booked() {
    let browser = Browser::signed_in(vec!["coordinator"]).await;
    let beside = browser.text(&format!("{}/beside", at(7))).await;
    assert!(beside.contains("In place now") && beside.contains("Open concerns"), "{beside}");
    let book = format!("/classes/{}/book", sample::id(801));
    assert!(browser.text(&book).await.contains("Ms. Okafor"));
    let booked = browser.post(&book, &[("day", "2026-10-12"), ("minutes", "60"), ("teacher", &sample::id(950))], false).await;
    assert_eq!(location(&booked), "/classes");
    assert_eq!(browser.world.lock().unwrap().review.booked_minutes, 60);
}
