//! People, at Keycloak's own page.

use std::time::Duration;

use integration_tests::browser::{Browser, BrowserOptions};
use reqwest::header::{COOKIE, LOCATION, SET_COOKIE};
use reqwest::{Client, Method, Response, Url};
use serde_json::json;

use super::place::{Place, REALM, TOKEN_LASTS, place};

/// A browser on the portal's sign-in page, which goes on to Keycloak's.
async fn at_keycloak(place: &Place, path: &str) -> Browser {
    let browser = Browser::start(BrowserOptions::default()).await;
    browser.open(&place.portal(path)).await;
    browser.click("main a.btn.primary").await;
    browser.wait_for("#kc-login").await;
    browser
}

async fn give_password(browser: &Browser, name: &str) {
    browser.write("#username", name).await;
    browser.write("#password", &format!("{name}-password")).await;
    browser.click("#kc-login").await;
}

async fn signed_in(place: &Place, path: &str, name: &str) -> Browser {
    let browser = at_keycloak(place, path).await;
    give_password(&browser, name).await;
    browser.wait_for("header.bar form[action='/sign-out']").await;
    browser
}

async fn links(browser: &Browser) -> Vec<String> {
    browser.texts("nav.nav a").await
}

#[tokio::test]
async fn a_coordinator_by_group_comes_in_with_pkce_and_sees_their_school() {
    let place = place().await;
    place.keycloak.person(REALM, "coral", &place.teachers[0], &["/Wraparound/Coordinators"]).await;
    let browser = at_keycloak(place, "/classes").await;
    let asked = Url::parse(&browser.address().await).unwrap();
    let sent = |name: &str| asked.query_pairs().find(|(held, _)| held == name).map(|(_, value)| value.into_owned()).unwrap_or_default();
    assert_eq!((sent("response_type").as_str(), sent("code_challenge_method").as_str()), ("code", "S256"));
    assert_eq!(sent("code_challenge").len(), 43);
    assert!(sent("state").len() >= 16 && sent("nonce").len() >= 16);
    assert!(sent("scope").split(' ').any(|scope| scope == "openid"));
    give_password(&browser, "coral").await;
    browser.wait_for("nav.nav").await;
    assert_eq!(browser.address().await, place.portal("/classes"), "back at the page that was asked for");
    let links = links(&browser).await;
    assert!(["My day", "Classes", "Students", "Referrals", "Reports"].iter().all(|link| links.iter().any(|l| l == link)), "{links:?}");
    assert!(browser.text("header.bar .end").await.contains("Coordinator"));
    // The group says what, the roster where: every class of the school is there.
    assert!(browser.text("main").await.contains(&place.school.name));
}

#[tokio::test]
async fn a_teacher_known_by_their_address_alone_finds_their_class() {
    let place = place().await;
    // Addresses are written as people like.
    place.keycloak.person(REALM, "tamsin", &place.teachers[1].to_uppercase(), &[]).await;
    let browser = signed_in(place, "/classes", "tamsin").await;
    assert!(browser.text("header.bar .end").await.contains("Teacher"));
    let links = links(&browser).await;
    assert!(links.iter().any(|link| link == "Classes") && !links.iter().any(|link| link == "Reports"), "{links:?}");
    browser.until("a class of theirs", async || browser.text("main").await.contains("you teach this class")).await;
}

#[tokio::test]
async fn somebody_without_a_role_is_told_so_and_what_to_do() {
    let place = place().await;
    let browser = signed_in(place, "/classes", "bram.ostler").await;
    assert_eq!(browser.text("h1").await, "You have no role here yet");
    assert!(browser.text("main").await.contains("Ask the people who keep the district’s accounts"));
    assert!(links(&browser).await.is_empty());
}

#[tokio::test]
async fn work_goes_on_beyond_the_token_and_ends_with_the_account() {
    let place = place().await;
    let id = place.keycloak.person(REALM, "petra", "petra@alder-valley.example", &["/Wraparound/Program managers"]).await;
    let browser = signed_in(place, "/reports", "petra").await;
    for _ in 0..2 {
        tokio::time::sleep(Duration::from_secs(TOKEN_LASTS + 1)).await;
        browser.open(&place.portal("/reports")).await;
        browser.wait_for("header.bar form[action='/sign-out']").await;
    }
    place.keycloak.admin(Method::PUT, &format!("/{REALM}/users/{id}"), &json!({ "enabled": false })).await;
    tokio::time::sleep(Duration::from_secs(TOKEN_LASTS + 1)).await;
    browser.open(&place.portal("/reports")).await;
    browser.wait_for("main a.btn.primary").await;
    assert!(browser.address().await.ends_with("/sign-in?next=%2Freports"), "{}", browser.address().await);
    assert!(browser.text("main").await.contains("your session has ended"));
    browser.click("main a.btn.primary").await;
    give_password(&browser, "petra").await;
    browser.until("Keycloak refuses", async || browser.texts("body").await.join(" ").contains("disabled")).await;
}

#[tokio::test]
async fn keycloak_tells_when_it_ends_a_session() {
    let place = place().await;
    let id = place.keycloak.person(REALM, "ursa", "ursa@alder-valley.example", &["/Wraparound/Program managers"]).await;
    let browser = signed_in(place, "/reports", "ursa").await;
    place.keycloak.admin(Method::POST, &format!("/{REALM}/users/{id}/logout"), &json!({})).await;
    browser.open(&place.portal("/reports")).await;
    browser.wait_for("main a.btn.primary").await;
    assert!(place.fleet.log_of("portal").contains("the issuer told of a logout"));
}

#[tokio::test]
async fn signing_out_signs_out_of_keycloak_too() {
    let place = place().await;
    place.keycloak.person(REALM, "olga", "olga@alder-valley.example", &["/Wraparound/Program managers"]).await;
    let browser = signed_in(place, "/reports", "olga").await;
    browser.click("header.bar form[action='/sign-out'] button").await;
    browser.until("back from Keycloak", async || browser.address().await.starts_with(&place.portal("/sign-in/ended"))).await;
    assert!(browser.text("main").await.contains("You are signed out."));
    browser.click("main a.btn.primary").await;
    browser.wait_for("#password").await;
}

fn header(answer: &Response, name: reqwest::header::HeaderName) -> String {
    answer.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
}

/// An attempt to sign in that has come as far as the way back: the cookie, and the address with the code.
async fn attempt(place: &Place, http: &Client, name: &str) -> (String, Url) {
    let begun = http.get(place.portal("/sign-in/start")).send().await.unwrap();
    let cookie = header(&begun, SET_COOKIE).split(';').next().unwrap().to_owned();
    (cookie, place.keycloak.back_to(&header(&begun, LOCATION), name).await)
}

fn with(address: &Url, name: &str, value: &str) -> Url {
    let pairs: Vec<(String, String)> = address.query_pairs().into_owned().map(|(n, v)| if n == name { (n, value.to_owned()) } else { (n, v) }).collect();
    let mut changed = address.clone();
    changed.query_pairs_mut().clear().extend_pairs(pairs);
    changed
}

#[tokio::test]
async fn a_wrong_state_and_a_used_code_are_refused() {
    let place = place().await;
    place.keycloak.person(REALM, "sven", "sven@alder-valley.example", &["/Wraparound/Program managers"]).await;
    let http = Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let go = async |address: Url, cookie: &str| http.get(address).header(COOKIE, cookie).send().await.unwrap();

    let (cookie, back) = attempt(place, &http, "sven").await;
    assert_eq!(go(with(&back, "state", "another"), &cookie).await.status(), 422, "another state");
    assert_eq!(go(back, &cookie).await.status(), 422, "an attempt is over after one try");

    let (cookie, back) = attempt(place, &http, "sven").await;
    assert_eq!(go(back.clone(), "").await.status(), 422, "another browser");
    let used = back.query_pairs().find(|(name, _)| name == "code").unwrap().1.into_owned();
    assert!(go(back, &cookie).await.status().is_redirection());
    // Keycloak itself does not take a code twice, whoever brings it.
    let (cookie, back) = attempt(place, &http, "sven").await;
    let replayed = go(with(&back, "code", &used), &cookie).await;
    assert_eq!(replayed.status(), 422);
    assert!(replayed.text().await.unwrap().contains("Begin again"));
}
