//! My day, concerns and follow-ups.

use super::{Browser, location, sample};

#[tokio::test]
async fn my_day_puts_the_urgent_first_and_tells_no_content_of_what_is_closed() {
    let browser = Browser::signed_in(vec!["coordinator"]).await;
    let html = browser.text("/").await;
    assert!(html.contains("Urgent concerns") && html.contains("1 of them urgent"));
    assert!(html.find("Urgent concerns") < html.find("Follow-ups due"));
    assert!(!html.contains("What only the support team reads"));
    assert!(html.contains("contact the family: about winter coats"));
}

#[tokio::test]
async fn a_follow_up_is_done_with_one_button_and_taken_back_with_another() {
    let browser = Browser::signed_in(vec!["coordinator"]).await;
    let done = browser.post(&format!("/follow-ups/{}", sample::id(310)), &[("transition", "done"), ("version", "4"), ("to", "/")], false).await;
    assert_eq!(location(&done), "/");
    let html = browser.text("/").await;
    assert!(
        html.contains("Whoever raised it is told") && html.contains("name=\"transition\" value=\"reopen\"") && html.contains("name=\"version\" value=\"5\"")
    );
    assert!(!browser.text("/").await.contains("Whoever raised it is told"), "it is said once");
    let elsewhere = browser.post(&format!("/follow-ups/{}", sample::id(310)), &[("transition", "done"), ("to", "https://elsewhere.example")], false).await;
    assert_eq!(location(&elsewhere), "/");
}

#[tokio::test]
async fn a_restricted_concern_opens_only_by_an_act() {
    let browser = Browser::signed_in(vec!["coordinator"]).await;
    let path = format!("/concerns/{}", sample::id(301));
    let closed = browser.text(&path).await;
    assert!(closed.contains("Open (recorded)") && !closed.contains("What only the support team reads"));
    let open = browser.post(&format!("{path}/open"), &[], false).await;
    assert!(open.text().await.unwrap().contains("What only the support team reads"));
}

#[tokio::test]
async fn an_urgent_concern_shows_the_districts_instruction_first() {
    let browser = Browser::signed_in(vec!["teacher"]).await;
    let path = format!("/students/{}/concern", sample::id(7));
    let urgent = browser.post(&path, &[("urgency", "urgent"), ("text", "x"), ("sensitivity", "general")], false).await;
    assert!(urgent.text().await.unwrap().contains("Call the crisis line first."));
    let routine = browser.post(&path, &[("urgency", "routine"), ("text", "x")], false).await;
    assert_eq!(location(&routine), format!("/students/{}", sample::id(7)));
}

#[tokio::test]
async fn attendance_is_one_tap_and_says_what_it_stored() {
    let browser = Browser::signed_in(vec!["coordinator"]).await;
    let path = format!("/groups/{}/attendance", sample::id(330));
    let member = sample::id(71);
    let all = browser.post(&path, &[("session_on", "2026-10-20"), ("enrolment_id", &member)], false).await;
    assert!(browser.text(&location(&all)).await.contains("Everybody was there on 20 Oct 2026."));
    let mark = format!("mark-{member}");
    let fields = [("session_on", "2026-10-20"), ("enrolment_id", member.as_str()), (mark.as_str(), "absent_unexcused")];
    let one = browser.post(&path, &fields, false).await;
    let html = browser.text(&location(&one)).await;
    assert!(html.contains("1 not simply present") && html.contains("a follow-up is on the list"), "{html}");
}

#[tokio::test]
async fn a_students_tabs_hold_the_forms_of_their_own() {
    let browser = Browser::signed_in(vec!["coordinator"]).await;
    let student = format!("/students/{}", sample::id(7));
    let overview = browser.text(&student).await;
    assert!(overview.contains("Timeline") && overview.contains("Concern from staff") && overview.contains("Self-regulation"));
    assert!(browser.text(&format!("{student}/plan")).await.contains("The family’s answer"));
    let access = browser.text(&format!("{student}/access")).await;
    assert!(access.contains("Put on the case") && !access.contains("Open for four hours"));
    let teacher = Browser::signed_in(vec!["teacher"]).await;
    let access = teacher.text(&format!("{student}/access")).await;
    assert!(!access.contains("Put on the case") && !access.contains("Open for four hours"));
    let manager = Browser::signed_in(vec!["program_manager"]).await;
    assert!(manager.text(&format!("{student}/access")).await.contains("Open for four hours"));
}
