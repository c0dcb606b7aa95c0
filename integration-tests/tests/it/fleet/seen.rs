//! What operators see of it: traces, metrics, reports.

use std::collections::{BTreeMap, BTreeSet};

use integration_tests::authority::Authority;
use integration_tests::fleet::{Fleet, SERVICES};
use integration_tests::otlp::{Received, Span};
use integration_tests::patience::eventually;
use integration_tests::tokens::Claims;
use proto::plans::v1::ListPlansRequest;
use proto::reporting::v1::{GetMeasureRequest, ListMeasuresRequest};
use proto::rosters::v1::ListSchoolsRequest;
use reqwest::header::{COOKIE, LOCATION, SET_COOKIE};
use reqwest::{Client, Response};

use crate::rules::root;

/// A concern that a coordinator raises on a page: from the page through the service and its event to every consumer, in one trace.
pub async fn one_trace_from_page_to_consumer(fleet: &Fleet, authority: &Authority, received: &Received) {
    let visitor = Visitor::signed_in(fleet, authority, "coordinator").await;
    let student = some_student(fleet).await;
    let path = format!("/students/{student}/concern");
    let form = visitor.get(&path).await.text().await.unwrap();
    let field = |name: &str| {
        let value = form.split(&format!("name=\"{name}\" value=\"")).nth(1).unwrap_or_else(|| panic!("no {name} in {form}"));
        value.split('"').next().unwrap().to_owned()
    };
    let fields = [
        ("csrf", field("csrf")),
        ("request_id", field("request_id")),
        ("to", path.clone()),
        ("concern_id", field("concern_id")),
        ("urgency", "routine".to_owned()),
        ("source", field("source")),
        ("text", "Something was seen.".to_owned()),
        ("code", String::new()),
        ("sensitivity", "general".to_owned()),
    ];
    let raised = visitor.http.post(format!("{}{path}", visitor.url)).header(COOKIE, &visitor.cookie).form(&fields).send().await.unwrap();
    assert!(raised.status().is_redirection(), "{} {}", raised.status(), raised.text().await.unwrap());
    let trace = eventually("the trace of a concern reaches its consumers", || async {
        let spans = received.spans();
        let page = spans.iter().find(|span| span.service == "portal" && span.name == "POST /students/{student_id}/concern")?;
        let trace: Vec<Span> = spans.iter().filter(|span| span.trace_id == page.trace_id).cloned().collect();
        let consumed = |service: &str| trace.iter().any(|span| span.service == service && span.name == format!("{service} consumes reviews.concern.v1"));
        // Each process sends its spans when it likes: a trace is whole once nothing in it hangs on what has not come yet.
        let whole = trace.iter().all(|span| span.parent_id.is_empty() || trace.iter().any(|parent| parent.span_id == span.parent_id));
        (consumed("reporting") && whole).then_some(trace)
    })
    .await;
    let call = trace.iter().find(|span| span.service == "reviews" && span.name.ends_with("/RaiseConcern")).expect("the call");
    let page = trace.iter().find(|span| span.service == "portal").expect("the page");
    assert_eq!(call.parent_id, page.span_id, "the call is part of the page: {trace:#?}");
    assert!(page.parent_id.is_empty(), "the page begins the trace");
}

/// Every metric of the page on logs and metrics is told by some process.
pub async fn every_metric_that_is_documented(fleet: &Fleet) {
    let page = std::fs::read_to_string(root().join("docs/LOGGING.md")).unwrap();
    let documented: BTreeSet<String> = page
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split('`').next().map(str::to_owned))
        .filter(|name| name.contains('_') && !name.contains('.'))
        .collect();
    assert!(documented.len() > 10, "{documented:?}");
    // These tell of what has not gone wrong here.
    let rare = ["access_denied_total", "consumer_dead_letters_total", "disclosure_chain_broken_total"];
    let missing = eventually("every metric is told", || async {
        let mut told = String::new();
        for service in SERVICES {
            told += &fleet.metrics(service, "serve").await;
            if service != "portal" {
                told += &fleet.metrics(service, "work").await;
            }
        }
        let missing: Vec<&String> = documented.iter().filter(|name| !told.contains(name.as_str()) && !rare.contains(&name.as_str())).collect();
        missing.is_empty().then_some(told)
    })
    .await;
    assert!(missing.contains("_bucket{"), "durations come in buckets, which alerts and dashboards add up");
}

/// Every measure of the district, whole and by every grouping, as the program manager reads it.
pub async fn reports(fleet: &Fleet) -> BTreeMap<String, String> {
    let mut manager = fleet.clients(&Claims::role("program_manager"));
    let mut told = BTreeMap::new();
    for measure in manager.reporting.list_measures(ListMeasuresRequest::default()).await.unwrap().into_inner().measures {
        for group_by in std::iter::once(String::new()).chain(measure.groupings.clone()) {
            let request = GetMeasureRequest { measure_id: measure.measure_id.clone(), group_by: group_by.clone(), ..GetMeasureRequest::default() };
            let answer = match manager.reporting.get_measure(request).await {
                Ok(answer) => format!("{:?}", answer.into_inner().cells),
                Err(status) => format!("{:?}", status.code()),
            };
            told.insert(format!("{} by {group_by}", measure.measure_id), answer);
        }
    }
    assert!(told.values().filter(|answer| answer.contains("numerator: Some")).count() > 10, "the reports tell of nothing: {told:#?}");
    told
}

/// A student with a plan.
async fn some_student(fleet: &Fleet) -> String {
    let mut manager = fleet.clients(&Claims::role("program_manager"));
    let schools = manager.rosters.list_schools(ListSchoolsRequest::default()).await.unwrap().into_inner().schools;
    for school in schools {
        let mut coordinator = fleet.clients(&Claims::role("coordinator").at(&[&school.school_id]));
        let request = ListPlansRequest { school_id: school.school_id.clone(), page_size: 1, ..ListPlansRequest::default() };
        if let Some(plan) = coordinator.plans.list_plans(request).await.unwrap().into_inner().plans.first() {
            return plan.student_id.clone();
        }
    }
    panic!("nobody has a plan");
}

/// Somebody at the portal, without a browser.
pub struct Visitor {
    pub http: Client,
    pub url: String,
    pub cookie: String,
}

impl Visitor {
    async fn signed_in(fleet: &Fleet, authority: &Authority, persona: &str) -> Self {
        let pem = std::fs::read(authority.issue("operator").ca_file).unwrap();
        let authority = reqwest::Certificate::from_pem(&pem).unwrap();
        let http = Client::builder().redirect(reqwest::redirect::Policy::none()).tls_certs_only([authority]).build().unwrap();
        let url = fleet.ready().portal.clone();
        let begun = http.get(format!("{url}/sign-in/start")).send().await.unwrap();
        let to = reqwest::Url::parse(&header(&begun, LOCATION)).unwrap();
        let mut form: Vec<(String, String)> = to.query_pairs().into_owned().collect();
        form.push(("persona".to_owned(), persona.to_owned()));
        let chosen = http.post(to.as_str().split('?').next().unwrap()).form(&form).send().await.unwrap();
        let done = http.get(header(&chosen, LOCATION)).header(COOKIE, cookie(&begun)).send().await.unwrap();
        assert_eq!(header(&done, LOCATION), "/", "{}", fleet.log_of("portal"));
        assert!(header(&done, SET_COOKIE).contains("; Secure"), "the cookie travels over TLS alone");
        Self { cookie: cookie(&done), http, url }
    }

    async fn get(&self, path: &str) -> Response {
        let answer = self.http.get(format!("{}{path}", self.url)).header(COOKIE, &self.cookie).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{path}");
        answer
    }
}

fn header(answer: &Response, name: reqwest::header::HeaderName) -> String {
    answer.headers().get(name).unwrap_or_else(|| panic!("{answer:?}")).to_str().unwrap().to_owned()
}

fn cookie(answer: &Response) -> String {
    header(answer, SET_COOKIE).split(';').next().unwrap().to_owned()
}
