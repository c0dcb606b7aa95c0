//! What holds on every page: ends, refusals, focus, colours.

use super::{PLANNED, Visitor, town};

#[tokio::test]
async fn signing_out_ends_the_session_and_troubles_are_told_in_words() {
    let town = town().await;
    let teacher = Visitor::sign_in(town, "teacher").await;
    let browser = &teacher.browser;
    teacher.look("a teacher's classes").await;
    teacher.open(&town.portal("/no/such/page"), "an unknown page").await;
    assert_eq!(browser.text("h1").await, "Nothing here");
    assert!(browser.has("main a[href='/']").await);
    teacher.open(&town.portal("/students"), "find a student").await;

    // Another teacher's class.
    let shown = browser.script("return document.querySelector('header .end').innerText;").await;
    let other = town.rooms.iter().find(|room| !shown.as_str().unwrap().contains(&room.teacher.display_name) && !room.review.class_review_id.is_empty());
    let other = other.expect("a class of another teacher");
    teacher.open(&town.portal(&format!("/reviews/{}", other.review.class_review_id)), "another's class").await;
    assert_eq!(browser.text("h1").await, "Not yours to open");
    teacher.open(&town.portal(&format!("/students/{}", other.student())), "another's student").await;
    assert!(!browser.has("table.chain").await);

    browser.open(&town.portal("/classes")).await;
    let cookies = browser.cookies().await;
    assert!(!cookies.is_empty());
    browser.follow("form[action='/sign-out'] button").await;
    teacher.look("signed out").await;
    browser.open(&town.portal("/classes")).await;
    assert!(browser.address().await.contains("/sign-in"), "{}", browser.address().await);
    // The old cookie is worth nothing to whoever kept it.
    for cookie in cookies {
        let (name, value) = (cookie["name"].as_str().unwrap(), cookie["value"].as_str().unwrap());
        let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        let answer = client.get(town.portal("/classes")).header("cookie", format!("{name}={value}")).send().await.unwrap();
        assert!(answer.status().is_redirection(), "{}", answer.status());
    }
    teacher.leave();
}

#[tokio::test]
async fn focus_is_seen_and_follows_the_reading_order() {
    let town = town().await;
    let visitor = Visitor::sign_in(town, "coordinator").await;
    let browser = &visitor.browser;
    let room = &town.rooms[PLANNED];
    let student = room.students.last().unwrap();
    for path in ["/classes".to_owned(), format!("/students/{}", room.student()), format!("/reviews/{}/students/{student}", room.review.class_review_id)] {
        browser.open(&town.portal(&path)).await;
        browser.script("if (document.activeElement) document.activeElement.blur(); window.before = null; document.getSelection().removeAllRanges();").await;
        let mut stops = 0;
        for _ in 0..40 {
            browser.press("Tab").await;
            let fault = browser
                .script(
                    "const now = document.activeElement, style = getComputedStyle(now), box = now.getBoundingClientRect();
                     if (now === document.body) return 'end';
                     const host = now.matches('input[type=radio], input[type=checkbox]') ? now.closest('label') || now : now, around = getComputedStyle(host);
                     const marked = [style, around].some((s) => (s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) >= 2) || s.boxShadow !== 'none');
                     const behind = window.before && (window.before.compareDocumentPosition(now) & Node.DOCUMENT_POSITION_PRECEDING);
                     window.before = now;
                     const words = now.outerHTML.slice(0, 120);
                     if (!marked) return 'focus is not seen: ' + words;
                     if (behind) return 'focus goes back: ' + words;
                     if (box.bottom < 0 || box.top > innerHeight) return 'focus is out of view: ' + words;
                     const at = document.elementFromPoint(Math.min(Math.max(box.left + box.width / 2, 0), innerWidth - 1), Math.min(Math.max(box.top + box.height / 2, 0), innerHeight - 1));
                     const bar = at && at.closest('.decide');
                     return bar && !bar.contains(now) ? 'focus is hidden by the bar: ' + words : '';",
                )
                .await;
            match fault.as_str().unwrap_or_default() {
                "end" => break,
                "" => stops += 1,
                fault => panic!("{path}: {fault}"),
            }
        }
        assert!(stops > 5, "{path} has {stops} stops");
    }
}

#[tokio::test]
async fn colours_keep_their_contrast_in_both_themes() {
    let town = town().await;
    let visitor = Visitor::sign_in(town, "district-leader").await;
    let mut grounds = Vec::new();
    for scheme in ["light", "dark"] {
        visitor.browser.prefer(scheme).await;
        visitor.open(&town.portal("/reports"), scheme).await;
        let read = visitor.browser.script(include_str!("contrast.js")).await;
        assert!(super::strings(&read["short"]).is_empty(), "{scheme}: {read:#}");
        assert!(read["measured"].as_u64().unwrap() > 40, "{read:#}");
        grounds.push(read["page"].clone());
    }
    assert_ne!(grounds[0], grounds[1], "there are two themes");
    visitor.leave();
}
