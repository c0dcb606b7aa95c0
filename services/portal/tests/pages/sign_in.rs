//! Sessions that outlive their tokens, the ways in which they end, and what people are told when sign-in fails.

use std::sync::Arc;
use std::time::Duration;

use reqwest::header::COOKIE;
use reqwest::{Client, Response};
use serde_json::json;

use super::issuer::Issuer;
use super::{Browser, cookie_of, location, portal_at};

async fn signed_in(issuer: &Arc<Issuer>) -> Browser {
    let (url, world) = portal_at(issuer.url(), 0).await;
    Browser::at(url, world).await
}

/// An issuer whose tokens last as long, in seconds, and can be renewed.
async fn renewable(lasts: u64) -> Arc<Issuer> {
    let issuer = Issuer::start(vec!["teacher"]).await;
    issuer.manner(|manner| {
        manner.lasts = lasts;
        manner.refresh = true;
    });
    issuer
}

/// What a sign-in ends with, against an issuer.
async fn attempt(issuer: &str, between: impl FnOnce()) -> Response {
    let (url, _) = portal_at(issuer, 0).await;
    let http = Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let begun = http.get(format!("{url}/sign-in/start")).send().await.unwrap();
    if !begun.status().is_redirection() {
        return begun;
    }
    let cookie = cookie_of(&begun);
    let back = http.get(location(&begun)).send().await.unwrap();
    between();
    http.get(location(&back)).header(COOKIE, &cookie).send().await.unwrap()
}

#[tokio::test]
async fn roles_come_from_groups_where_the_services_do_not_say() {
    let issuer = Issuer::start(vec![]).await;
    issuer.manner(|manner| manner.claims = json!({ "groups": ["/Wraparound/Coordinators", "/Other"] }));
    assert!(signed_in(&issuer).await.text("/").await.contains("Coordinator"));
}

#[tokio::test]
async fn roles_of_the_roster_count() {
    let issuer = Issuer::start(vec![]).await;
    let (url, world) = portal_at(issuer.url(), 0).await;
    world.lock().unwrap().roster_roles = Some(vec!["teacher"]);
    let page = Browser::at(url, world).await.text("/").await;
    assert!(page.contains("Teacher") && page.contains("href=\"/classes\""));
}

#[tokio::test]
async fn without_a_role_people_are_told_what_to_do() {
    let issuer = Issuer::start(vec![]).await;
    let (url, world) = portal_at(issuer.url(), 0).await;
    world.lock().unwrap().roster_roles = Some(vec![]);
    let http = Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let begun = http.get(format!("{url}/sign-in/start?next=%2Fclasses")).send().await.unwrap();
    let cookie = cookie_of(&begun);
    let back = http.get(location(&begun)).send().await.unwrap();
    let done = http.get(location(&back)).header(COOKIE, &cookie).send().await.unwrap();
    assert_eq!(location(&done), "/", "the page they wanted would only refuse");
    let home = |cookie: String| async { http.get(format!("{url}/")).header(COOKIE, cookie).send().await.unwrap() };
    let page = home(cookie_of(&done)).await;
    assert_eq!(page.status(), 200);
    let page = page.text().await.unwrap();
    assert!(page.contains("You have no role here yet") && page.contains("Sign out") && !page.contains("href=\"/classes\""), "{page}");
    // Once the roster has them, loading the page again is enough.
    world.lock().unwrap().roster_roles = Some(vec!["teacher"]);
    assert_eq!(location(&home(cookie_of(&done)).await), "/");
    assert!(home(cookie_of(&done)).await.text().await.unwrap().contains("href=\"/classes\""));
}

#[tokio::test]
async fn a_session_outlives_its_token() {
    let issuer = renewable(1).await;
    let browser = signed_in(&issuer).await;
    for renewals in 1..=3 {
        tokio::time::sleep(Duration::from_millis(1100)).await;
        assert_eq!(browser.get("/classes").await.status(), 200);
        assert!(issuer.renewals() >= renewals, "{}", issuer.renewals());
    }
}

#[tokio::test]
async fn requests_at_once_renew_once() {
    let issuer = renewable(1).await;
    let browser = signed_in(&issuer).await;
    let before = issuer.renewals();
    issuer.manner(|manner| manner.lasts = 600);
    tokio::time::sleep(Duration::from_millis(1100)).await;
    let answers = futures_util::future::join_all((0..8).map(|_| browser.get("/classes"))).await;
    assert!(answers.iter().all(|answer| answer.status() == 200));
    assert_eq!(issuer.renewals(), before + 1);
}

#[tokio::test]
async fn without_a_refresh_token_the_session_ends_with_its_token() {
    let issuer = Issuer::start(vec!["teacher"]).await;
    issuer.manner(|manner| manner.lasts = 2);
    let browser = signed_in(&issuer).await;
    tokio::time::sleep(Duration::from_millis(2100)).await;
    assert_eq!(location(&browser.get("/classes").await), "/sign-in?next=%2Fclasses");
}

#[tokio::test]
async fn a_refused_renewal_ends_the_session_and_comes_back_to_the_page() {
    let issuer = renewable(1).await;
    let browser = signed_in(&issuer).await;
    issuer.manner(|manner| manner.refuses = Some((400, "invalid_grant")));
    tokio::time::sleep(Duration::from_millis(1100)).await;
    assert_eq!(location(&browser.get("/classes").await), "/sign-in?next=%2Fclasses");
    issuer.manner(|manner| manner.refuses = None);
    assert_eq!(location(&browser.get("/classes").await), "/sign-in?next=%2Fclasses", "the session is over");
    let page = browser.text("/sign-in?next=%2Fclasses").await;
    assert!(page.contains("your session has ended") && page.contains("/sign-in/start?next=%2Fclasses"), "{page}");
}

#[tokio::test]
async fn renewed_tokens_of_somebody_else_end_the_session() {
    let issuer = renewable(1).await;
    let browser = signed_in(&issuer).await;
    issuer.manner(|manner| manner.renewed_for = "s-2");
    tokio::time::sleep(Duration::from_millis(1100)).await;
    assert_eq!(location(&browser.get("/classes").await), "/sign-in?next=%2Fclasses");
}

#[tokio::test]
async fn an_issuer_that_is_away_ends_no_session() {
    let issuer = renewable(6).await;
    let browser = signed_in(&issuer).await;
    issuer.manner(|manner| manner.refuses = Some((503, "temporarily_unavailable")));
    tokio::time::sleep(Duration::from_millis(4200)).await;
    assert_eq!(browser.get("/classes").await.status(), 200, "the token still holds");
    tokio::time::sleep(Duration::from_millis(2000)).await;
    let away = browser.get("/classes").await;
    assert_eq!(away.status(), 503);
    let page = away.text().await.unwrap();
    assert!(page.contains("Sign-in cannot be reached") && page.contains("Reference code"), "{page}");
    issuer.manner(|manner| manner.refuses = None);
    assert_eq!(browser.get("/classes").await.status(), 200, "and goes on when it is back");
}

#[tokio::test]
async fn signing_out_ends_the_issuers_session_too() {
    let issuer = Issuer::start(vec!["teacher"]).await;
    issuer.manner(|manner| manner.logout = true);
    let browser = signed_in(&issuer).await;
    let page = browser.post("/sign-out", &[], false).await;
    assert_eq!(page.status(), 200);
    assert!(cookie_of(&page).ends_with('='), "the cookie is taken back");
    let page = page.text().await.unwrap();
    let to = page.split("http-equiv=\"refresh\" content=\"0; url=").nth(1).unwrap().split('"').next().unwrap().replace("&#38;", "&").replace("&amp;", "&");
    let to = reqwest::Url::parse(&to).unwrap();
    assert!(to.as_str().starts_with(&format!("{}/logout?", issuer.url())), "{to}");
    let sent: std::collections::HashMap<_, _> = to.query_pairs().collect();
    assert_eq!(sent["client_id"], super::issuer::CLIENT);
    assert_eq!(sent["post_logout_redirect_uri"], format!("{}/sign-in/ended", browser.url));
    assert!(sent["id_token_hint"].split('.').count() == 3 && !sent["state"].is_empty());
    assert!(location(&browser.get("/classes").await).starts_with("/sign-in"));
    assert!(browser.text("/sign-in/ended").await.contains("You are signed out."));
    // Where htmx posts, the browser goes there as a whole.
    let browser = signed_in(&issuer).await;
    let answer = browser.post("/sign-out", &[], true).await;
    assert!(answer.headers()["HX-Redirect"].to_str().unwrap().contains("/logout?"));
}

#[tokio::test]
async fn a_code_or_state_that_is_not_ours_or_used_is_refused() {
    let issuer = Issuer::start(vec!["teacher"]).await;
    let (url, _) = portal_at(issuer.url(), 0).await;
    let http = Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let begin = || async {
        let begun = http.get(format!("{url}/sign-in/start")).send().await.unwrap();
        let cookie = cookie_of(&begun);
        (cookie, location(&http.get(location(&begun)).send().await.unwrap()))
    };
    let (cookie, back) = begin().await;
    let wrong = back.replace("&state=", "&state=x");
    assert_eq!(http.get(&wrong).header(COOKIE, &cookie).send().await.unwrap().status(), 422);
    assert_eq!(http.get(&back).header(COOKIE, &cookie).send().await.unwrap().status(), 422, "an attempt is good once");
    // A good code replayed in another attempt: our side takes it for its own state, the issuer does not know it any more.
    let (cookie, back) = begin().await;
    assert!(http.get(&back).header(COOKIE, &cookie).send().await.unwrap().status().is_redirection());
    let used = back.split("code=").nth(1).unwrap().split('&').next().unwrap().to_owned();
    let (cookie, back) = begin().await;
    let fresh = back.split("code=").nth(1).unwrap().split('&').next().unwrap().to_owned();
    let replayed = http.get(back.replace(&format!("code={fresh}"), &format!("code={used}"))).header(COOKIE, &cookie).send().await.unwrap();
    assert_eq!(replayed.status(), 422);
    assert!(replayed.text().await.unwrap().contains("Begin again"));
}

#[tokio::test]
async fn people_are_told_whether_to_wait_or_to_call() {
    let nowhere = attempt("http://127.0.0.1:9", || ()).await;
    assert_eq!(nowhere.status(), 503);
    assert!(nowhere.text().await.unwrap().contains("Sign-in cannot be reached"));
    let issuer = Issuer::start(vec!["teacher"]).await;
    let misnamed = attempt(&format!("{}/", issuer.url()), || ()).await;
    assert_eq!(misnamed.status(), 500, "an issuer names itself to the letter");
    assert!(misnamed.text().await.unwrap().contains("Sign-in is not set up right"));
    let elsewhere = attempt(&format!("{}/realms/none", issuer.url()), || ()).await;
    assert_eq!(elsewhere.status(), 500);
    let wrong_secret = attempt(issuer.url(), || issuer.manner(|manner| manner.refuses = Some((401, "invalid_client")))).await;
    assert_eq!(wrong_secret.status(), 500);
    let page = wrong_secret.text().await.unwrap();
    assert!(page.contains("Call the help desk") && !page.contains("invalid_client"), "{page}");
    let wrong_address = attempt(issuer.url(), || issuer.manner(|manner| manner.refuses = Some((400, "invalid_grant")))).await;
    assert_eq!(wrong_address.status(), 422);
}
