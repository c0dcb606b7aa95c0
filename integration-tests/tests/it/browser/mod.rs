//! The portal in a real browser: by keyboard, without scripts, across a plan and a referral, and for every reader.

mod class_review;
mod every_page;
mod no_script;
mod plan_and_referral;
mod practice;
mod reports;
mod services;
mod together;
mod year;

use std::sync::Mutex;

use integration_tests::acts::{complete, open_cycle, partner_with_service, start_review};
use integration_tests::browser::{Browser, BrowserOptions};
use integration_tests::clients::Clients;
use integration_tests::district::{District, DistrictOptions};
use integration_tests::tokens::Claims;
use proto::partners::v1::Partner;
use proto::reviews::v1::ListClassReviewsRequest;
use tokio::sync::OnceCell;

use crate::house::{Room, coordinator_of, rooms_of, roster, schools};

/// The district that these tests share; each has a class of its own.
pub struct Town {
    pub district: District,
    pub rooms: Vec<Room>,
    /// The coordinator, who is also the persona of that name.
    pub coordinator: Claims,
    /// The partner of the persona of that name.
    pub partner: Partner,
}

/// Whose class is which.
pub const BY_KEYS: usize = 0;
pub const NO_SCRIPT: usize = 1;
pub const PLANNED: usize = 2;
pub const REPORTED: usize = 3;
/// Has entries of an earlier review.
pub const TOGETHER: usize = 4;
/// Has its whole year.
pub const YEAR: usize = 5;

impl Town {
    /// A district with one class in which others than the browser's tests look around.
    pub fn alone(district: District, room: Room, coordinator: Claims) -> Self {
        Self { district, rooms: vec![room], coordinator, partner: Partner::default() }
    }

    pub fn portal(&self, path: &str) -> String {
        format!("{}{path}", self.district.ready().portal.trim_end_matches('/'))
    }

    pub fn coordinator(&self) -> Clients {
        self.district.clients(&self.coordinator)
    }

    /// The id of the review that somebody has started of a class.
    pub async fn review_of(&self, room: &Room) -> proto::reviews::v1::ClassReview {
        let request = ListClassReviewsRequest { school_id: room.school.school_id.clone(), page_size: 100, ..ListClassReviewsRequest::default() };
        let reviews = self.coordinator().reviews.list_class_reviews(request).await.unwrap().into_inner().class_reviews;
        reviews.into_iter().find(|review| review.class_id == room.class.class_id).expect("the class has a review")
    }
}

pub async fn town() -> &'static Town {
    static TOWN: OnceCell<Town> = OnceCell::const_new();
    TOWN.get_or_init(build).await
}

async fn build() -> Town {
    let district = District::start(DistrictOptions::default()).await;
    district.clients(&Claims::role("data_clerk")).import_all(roster(1, 140, 23)).await;
    let manager = district.clients(&Claims::role("program_manager"));
    let school = schools(&manager).await.remove(0);
    let mut rooms = rooms_of(&manager, &school).await;
    assert!(rooms.len() > YEAR, "{} classes", rooms.len());
    let coordinator = coordinator_of(&manager, &school).await;
    let clients = district.clients(&coordinator);
    let earlier = together::earlier_cycle(&manager).await;
    let last_year = start_review(&clients, &earlier, &rooms[TOGETHER].class.class_id).await;
    together::note_strengths(&clients, &last_year, &rooms[TOGETHER]).await;
    let cycle = open_cycle(&manager).await;
    for at in [PLANNED, REPORTED, TOGETHER] {
        rooms[at].review = start_review(&clients, &cycle, &rooms[at].class.class_id).await;
    }
    for student in &rooms[REPORTED].students {
        complete(&clients, &rooms[REPORTED].review, student).await;
    }
    let directory = district.clients(&Claims::role("partnership_manager"));
    let (partner, _) = partner_with_service(&directory, "Harbor Tutors (fictional)", "ED-TUT", 5).await;
    Town { district, rooms, coordinator, partner }
}

/// Somebody at a browser.
pub struct Visitor {
    pub browser: Browser,
    scripts: bool,
    faults: Mutex<Vec<String>>,
}

impl Visitor {
    /// Signs in by the page that offers personas: a whole round trip of OpenID Connect.
    pub async fn sign_in(town: &Town, persona: &str) -> Self {
        Self::sign_in_with(town, persona, BrowserOptions::default()).await
    }

    pub async fn sign_in_with(town: &Town, persona: &str, options: BrowserOptions) -> Self {
        let visitor = Self { browser: Browser::start(options).await, scripts: options.scripts, faults: Mutex::default() };
        visitor.browser.open(&town.portal("/")).await;
        visitor.look("the sign-in page").await;
        visitor.browser.follow(".btn.primary").await;
        visitor.look("the choice of personas").await;
        visitor.browser.follow(&format!(r#"button[name=persona][value="{persona}"]"#)).await;
        assert!(visitor.browser.has("form[action='/sign-out']").await, "{persona} is signed in: {}", visitor.browser.text("body").await);
        visitor
    }

    pub async fn open(&self, address: &str, what: &str) {
        self.browser.open(address).await;
        self.look(what).await;
    }

    /// Notes what of all that every page must keep this one does not.
    pub async fn look(&self, what: &str) {
        self.console_is_quiet(what).await;
        let mut faults = self.found(include_str!("audit.js")).await;
        if self.scripts {
            faults.extend(self.headers().await);
        }
        self.browser.resize(320, 700).await;
        faults.extend(self.found(include_str!("narrow.js")).await.into_iter().map(|fault| format!("at 320 px: {fault}")));
        self.browser.unsize().await;
        if let (true, Ok(axe)) = (self.scripts, std::env::var("WRAPAROUND_AXE")) {
            faults.extend(self.axe(&axe).await);
        }
        for cookie in self.browser.cookies().await {
            let strict = ["Lax", "Strict"].contains(&cookie["sameSite"].as_str().unwrap_or_default());
            if cookie["httpOnly"] != true || !strict {
                faults.push(format!("the cookie {} is open to scripts or to other sites", cookie["name"]));
            }
        }
        self.faults.lock().unwrap().extend(faults.into_iter().map(|fault| format!("{what}: {fault}")));
    }

    /// The end of a visit: every fault of every page that was looked at, at once.
    pub fn leave(self) {
        let faults = self.faults.into_inner().unwrap();
        assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
    }

    /// Nothing went wrong that the browser tells only its console, such as a breach of the content security policy.
    pub async fn console_is_quiet(&self, what: &str) {
        let said = self.browser.console().await;
        // A refusal by status is an answer like others.
        let wrong: Vec<_> = said
            .iter()
            .filter(|line| {
                line.contains("Security Policy")
                    || (line.starts_with("SEVERE") && !line.contains("status of 4") && !line.contains("Response Status Error Code 4"))
            })
            .collect();
        self.faults.lock().unwrap().extend(wrong.into_iter().map(|line| format!("{what}: {line}")));
    }

    async fn found(&self, script: &str) -> Vec<String> {
        strings(&self.browser.script(script).await)
    }

    /// The headers of the page, asked for once more.
    async fn headers(&self) -> Vec<String> {
        if self.browser.address().await.contains("/dev-issuer/") {
            return Vec::new();
        }
        let script = "const done = arguments[arguments.length - 1];
            fetch(location.href).then((a) => done([a.headers.get('cache-control'), a.headers.get('content-security-policy'), a.headers.get('x-content-type-options')]));";
        let headers = strings(&self.browser.slow_script(script).await);
        let mut faults = Vec::new();
        if !headers.first().is_some_and(|value| value.contains("no-store")) {
            faults.push(format!("may be kept by browsers: {headers:?}"));
        }
        if !headers.get(1).is_some_and(|value| value.contains("default-src 'none'") && !value.contains("unsafe")) {
            faults.push(format!("no strict content security policy: {headers:?}"));
        }
        faults
    }

    /// The checks of axe-core, where its script is at hand.
    async fn axe(&self, path: &str) -> Vec<String> {
        self.browser.script(&std::fs::read_to_string(path).unwrap()).await;
        let script = "const done = arguments[arguments.length - 1];
            window.axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa']})
              .then((r) => done(r.violations.map((v) => 'axe ' + v.id + ': ' + v.nodes.map((n) => n.html.slice(0, 120)).slice(0, 3).join(' | '))));";
        strings(&self.browser.slow_script(script).await)
    }
}

fn strings(value: &serde_json::Value) -> Vec<String> {
    value.as_array().into_iter().flatten().map(|text| text.as_str().unwrap_or_default().to_owned()).collect()
}
