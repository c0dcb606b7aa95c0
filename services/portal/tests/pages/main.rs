//! The portal as a browser meets it: sign-in, pages, autosave, conflicts, refusals, headers.

#![expect(clippy::unwrap_used, reason = "a test that fails here has said enough")]

mod day;
mod issuer;
mod practice;
mod review;
mod sample;
mod services;
mod sign_in;

use std::sync::{Arc, Mutex};

use chassis_access::ClaimSettings;
use chassis_boot::settings::PeerSettings;
use portal::{Portal, PortalSettings, router};
use reqwest::header::{CONTENT_SECURITY_POLICY, COOKIE, LOCATION, SET_COOKIE};
use reqwest::{Client, Response};

use services::Shared;

struct Browser {
    http: Client,
    url: String,
    cookie: String,
    csrf: String,
    world: Shared,
}

/// Claims as the defaults name them, and one group.
fn claims() -> ClaimSettings {
    ClaimSettings {
        staff_id_claim: "staff_id".into(),
        organisation_id_claim: "organisation_id".into(),
        roles_claim: "roles".into(),
        groups_claim: "groups".into(),
        school_ids_claim: "school_ids".into(),
        roles_of_groups: [("/Wraparound/Coordinators".to_owned(), "coordinator".to_owned())].into(),
    }
}

async fn portal(roles: Vec<&'static str>, port: u16) -> (String, Shared) {
    portal_at(issuer::Issuer::start(roles).await.url(), port).await
}

async fn portal_at(issuer: &str, port: u16) -> (String, Shared) {
    let world: Shared = Arc::new(Mutex::new(sample::world()));
    let services = services::start(Arc::clone(&world)).await;
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let settings = PortalSettings {
        public_url: url.clone(),
        issuer_url: issuer.to_owned(),
        client_id: issuer::CLIENT.into(),
        client_secret: issuer::SECRET.to_owned().into(),
        scopes: vec!["profile".into()],
        call_timeout_ms: 5000,
        session_idle_minutes: 30,
        session_max_hours: 10,
        notice: "Development district: fictional data, development sign-in.".into(),
    };
    let peers = PeerSettings {
        rosters: services.clone(),
        reviews: services.clone(),
        plans: services.clone(),
        partners: services.clone(),
        reporting: services,
        ca_file: String::new(),
        certificate: String::new(),
        key: String::new(),
    };
    let app = Arc::new(Portal::new(settings, &peers, claims()).unwrap());
    tokio::spawn(async move { axum::serve(listener, router(app)).await.unwrap() });
    (url, world)
}

fn cookie_of(response: &Response) -> String {
    response.headers()[SET_COOKIE].to_str().unwrap().split(';').next().unwrap().to_owned()
}

fn location(response: &Response) -> String {
    response.headers()[LOCATION].to_str().unwrap().to_owned()
}

impl Browser {
    async fn signed_in(roles: Vec<&'static str>) -> Self {
        let (url, world) = portal(roles, 0).await;
        Self::at(url, world).await
    }

    async fn at(url: String, world: Shared) -> Self {
        let http = Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        let begun = http.get(format!("{url}/sign-in/start?next=%2Fclasses")).send().await.unwrap();
        let cookie = cookie_of(&begun);
        let back = http.get(location(&begun)).send().await.unwrap();
        let done = http.get(location(&back)).header(COOKIE, &cookie).send().await.unwrap();
        assert_eq!(location(&done), "/classes");
        let mut browser = Self { http, url, cookie: cookie_of(&done), csrf: String::new(), world };
        assert_ne!(browser.cookie, cookie, "the cookie known before sign-in must not become the session");
        let page = browser.get("/").await;
        let page = if page.status().is_redirection() { browser.get(&location(&page)).await } else { page };
        let page = page.text().await.unwrap();
        browser.csrf = page.split("name=\"csrf\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
        browser
    }

    async fn get(&self, path: &str) -> Response {
        self.http.get(format!("{}{path}", self.url)).header(COOKIE, &self.cookie).send().await.unwrap()
    }

    async fn text(&self, path: &str) -> String {
        let response = self.get(path).await;
        assert_eq!(response.status(), 200, "{path}");
        response.text().await.unwrap()
    }

    async fn post(&self, path: &str, fields: &[(&str, &str)], by_htmx: bool) -> Response {
        let mut all = vec![("csrf", self.csrf.as_str())];
        all.extend_from_slice(fields);
        let mut request = self.http.post(format!("{}{path}", self.url)).header(COOKIE, &self.cookie).form(&all);
        if by_htmx {
            request = request.header("HX-Request", "true");
        }
        request.send().await.unwrap()
    }
}

fn at(student: usize) -> String {
    format!("/reviews/{}/students/{}", sample::REVIEW, sample::id(student))
}

#[tokio::test]
async fn nobody_sees_a_page_before_sign_in() {
    let (url, _) = portal(vec!["teacher"], 0).await;
    let http = Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let page = http.get(format!("{url}/classes")).send().await.unwrap();
    assert_eq!(location(&page), "/sign-in?next=%2Fclasses");
    let fragment = http.get(format!("{url}/classes")).header("HX-Request", "true").send().await.unwrap();
    assert_eq!(fragment.headers()["HX-Redirect"], "/sign-in?next=%2Fclasses");
    let forged = http.get(format!("{url}/sign-in/done?code=x&state=y")).send().await.unwrap();
    assert_eq!(forged.status(), 422);
}

#[tokio::test]
async fn every_page_renders_with_one_heading_and_a_strict_policy() {
    let browser = Browser::signed_in(vec!["coordinator"]).await;
    let paths = [
        "/".to_owned(),
        "/concerns".to_owned(),
        format!("/concerns/{}", sample::id(301)),
        format!("/students/{}/concern", sample::id(7)),
        "/follow-ups".to_owned(),
        "/follow-ups?show=school&all=yes".to_owned(),
        "/individual-reviews".to_owned(),
        format!("/individual-reviews/{}", sample::id(320)),
        format!("/individual-reviews/{}/recap", sample::id(320)),
        "/groups".to_owned(),
        format!("/groups/{}", sample::id(330)),
        "/hand-overs".to_owned(),
        "/september".to_owned(),
        "/recap".to_owned(),
        format!("/students/{}?show=services&years=all", sample::id(7)),
        format!("/students/{}/reviews", sample::id(7)),
        format!("/students/{}/plan", sample::id(7)),
        format!("/students/{}/services", sample::id(7)),
        format!("/students/{}/family", sample::id(7)),
        format!("/students/{}/access", sample::id(7)),
        "/classes".to_owned(),
        "/students".to_owned(),
        at(7),
        format!("/students/{}", sample::id(7)),
        format!("/students/{}/refer?item={}", sample::id(7), sample::id(62)),
        "/referrals".to_owned(),
        format!("/referrals/{}", sample::id(500)),
        "/unmet".to_owned(),
        "/reports".to_owned(),
    ];
    for path in paths {
        let response = browser.get(&path).await;
        assert_eq!(response.status(), 200, "{path}");
        let policy = response.headers()[CONTENT_SECURITY_POLICY].to_str().unwrap().to_owned();
        assert!(policy.contains("default-src 'none'") && policy.contains("script-src 'self'") && !policy.contains("unsafe"));
        assert_eq!(response.headers()["cache-control"], "no-store");
        let html = response.text().await.unwrap();
        assert_eq!(html.matches("<h1").count(), 1, "{path}");
        assert!(html.contains("<html lang=\"en\"") && html.contains("class=\"skip\"") && html.contains("<main id=\"main\""), "{path}");
        assert!(!html.contains(" style=") && !html.contains("<style") && !html.contains(" onclick"), "{path}");
        assert!(html.contains("Development district"), "{path}");
        let ids: Vec<&str> = html.split(" id=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
        let mut once = ids.clone();
        once.sort_unstable();
        once.dedup();
        assert_eq!(once.len(), ids.len(), "an id is given twice on {path}");
    }
}

#[tokio::test]
async fn a_form_from_elsewhere_changes_nothing() {
    let browser = Browser::signed_in(vec!["teacher"]).await;
    let forged = browser.http.post(format!("{}{}/done", browser.url, at(7))).header(COOKIE, &browser.cookie).form(&[("csrf", "guess")]).send().await.unwrap();
    assert_eq!(forged.status(), 403);
    assert_eq!(browser.world.lock().unwrap().review.done_count, 5);
}

#[tokio::test]
async fn work_resumes_where_it_stopped() {
    let browser = Browser::signed_in(vec!["teacher"]).await;
    let page = browser.get(&format!("/reviews/{}", sample::REVIEW)).await;
    assert_eq!(location(&page), at(7));
    let html = browser.text(&at(7)).await;
    assert!(html.contains("5 of 7 reviewed"));
    assert!(html.contains("Because: Self-regulation of feelings and behavior 2 (observed) and a restricted entry."));
    assert!(html.contains("1 restricted entry is closed to you"));
}

#[tokio::test]
async fn a_change_saves_by_itself_and_a_faster_colleague_is_not_overwritten() {
    let browser = Browser::signed_in(vec!["coordinator"]).await;
    let path = format!("{}/entries/{}", at(7), sample::id(53));
    let fields = [("code", "SEB-REG"), ("severity", "3"), ("certainty", "observed"), ("version", "1"), ("sensitivity", "general")];
    let saved = browser.post(&path, &fields, true).await;
    assert_eq!(saved.status(), 200);
    let html = saved.text().await.unwrap();
    assert!(html.contains("Tier 3") && html.contains("Saved"));
    assert!(html.contains(&format!("id=\"ver-{}\" value=\"2\"", sample::id(53))));
    let fields = [("code", "SEB-REG"), ("severity", "1"), ("certainty", "observed"), ("version", "1"), ("sensitivity", "general")];
    let late = browser.post(&path, &fields, true).await;
    assert_eq!(late.status(), 409);
    let html = late.text().await.unwrap();
    assert!(html.contains("It now says severity 3, observed; you set severity 1, observed."), "{html}");
    assert!(html.contains("Keep mine") && html.contains("role=\"alert\""));
}

#[tokio::test]
async fn done_refuses_in_words_with_the_first_gap_and_then_goes_on() {
    let browser = Browser::signed_in(vec!["teacher"]).await;
    let refused = browser.post(&format!("{}/done", at(8)), &[("version", "1")], true).await;
    assert_eq!(refused.status(), 422);
    assert!(refused.headers()["HX-Trigger-After-Settle"].to_str().unwrap().contains("nc-aca"));
    assert!(refused.text().await.unwrap().contains("Choose a tier."));

    let added = browser.post(&format!("{}/entries", at(8)), &[("polarity", "strength"), ("domain", "aca"), ("code", "ACA-CUR")], true).await;
    assert!(added.text().await.unwrap().contains("Curiosity, creativity"));
    let fields = [("version", "1"), ("nc_seb", "1"), ("nc_hlt", "1"), ("nc_fam", "1"), ("tier", "1")];
    let done = browser.post(&format!("{}/done", at(8)), &fields, true).await;
    assert_eq!(done.status(), 200);
    assert_eq!(done.headers()["HX-Push-Url"].to_str().unwrap(), at(7));
    let html = done.text().await.unwrap();
    assert!(html.contains("Mateo Delgado Ríos") && html.contains("6 of 7 reviewed") && html.contains("Undo"));

    let version = browser.world.lock().unwrap().students[7].version.to_string();
    let undone = browser.post(&format!("{}/reopen", at(8)), &[("version", &version)], true).await;
    assert!(undone.text().await.unwrap().contains("Mei-Lin Zhao"));
}

#[tokio::test]
async fn all_of_it_works_without_a_script() {
    let browser = Browser::signed_in(vec!["teacher"]).await;
    let several = browser.post(&format!("{}/entries", at(8)), &[("polarity", "need"), ("domain", "seb"), ("q", "peer")], false).await;
    assert!(several.text().await.unwrap().contains("Relationships with peers"));
    let one = browser.post(&format!("{}/entries", at(8)), &[("polarity", "need"), ("domain", "aca"), ("q", "homework")], false).await;
    assert_eq!(location(&one), at(8));
    assert_eq!(browser.world.lock().unwrap().students[7].entries[0].code, "ACA-ORG");
    let refused = browser.post(&format!("{}/done", at(8)), &[("version", "1")], false).await;
    assert_eq!(refused.status(), 422);
    assert!(refused.text().await.unwrap().contains("Not done yet"));
    let later = browser.post(&format!("{}/later", at(8)), &[("version", "1")], false).await;
    assert_eq!(location(&later), at(7));
    assert!(browser.text(&at(7)).await.contains("put off for later"));
}

#[tokio::test]
async fn a_removed_entry_can_be_put_back() {
    let browser = Browser::signed_in(vec!["teacher"]).await;
    let removed = browser.post(&format!("{}/entries/{}/remove", at(7), sample::id(51)), &[("version", "1")], true).await;
    let html = removed.text().await.unwrap();
    assert!(html.contains("Removed “Reading and early literacy”") && html.contains("id=\"undo\""));
    assert_eq!(browser.world.lock().unwrap().students[6].entries.len(), 4);
}

#[tokio::test]
async fn a_name_that_is_looked_for_stands_in_no_address() {
    let browser = Browser::signed_in(vec!["coordinator"]).await;
    let found = browser.post("/students", &[("q", "Mat")], false).await;
    assert_eq!(found.status(), 200);
    assert!(found.text().await.unwrap().contains(&format!("/students/{}", sample::id(7))));
    assert!(!browser.text("/students").await.contains("method=\"get\""));
}

#[tokio::test]
async fn a_partner_sees_its_referrals_and_no_way_to_students() {
    let browser = Browser::signed_in(vec!["partner_user"]).await;
    let board = browser.text("/referrals").await;
    assert!(!board.contains("href=\"/classes\"") && !board.contains("href=\"/students") && !board.contains("Haddad"));
    let one = browser.text(&format!("/referrals/{}", sample::id(500))).await;
    assert!(one.contains("What the family lets you see") && !one.contains("/students/"));
}

#[tokio::test]
async fn what_is_not_there_is_said_in_words() {
    let browser = Browser::signed_in(vec!["teacher"]).await;
    let page = browser.get("/nowhere").await;
    assert_eq!(page.status(), 404);
    assert!(page.text().await.unwrap().contains("Nothing here"));
    let unknown = browser.get(&at(99)).await;
    assert_eq!(unknown.status(), 404);
    let broken = browser.post(&format!("/reviews/{}/submit", sample::REVIEW), &[("version", "1")], true).await;
    assert_eq!((broken.status().as_u16(), broken.headers()["HX-Reswap"].to_str().unwrap()), (500, "none"));
    assert!(broken.text().await.unwrap().contains("Reference code"));
}

#[tokio::test]
async fn signing_out_ends_the_session() {
    let browser = Browser::signed_in(vec!["teacher"]).await;
    browser.post("/sign-out", &[], false).await;
    assert!(location(&browser.get("/classes").await).starts_with("/sign-in"));
}
