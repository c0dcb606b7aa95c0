//! Acting as fictional people through the public APIs: the sample and the story do nothing that a person could not.

pub mod planning;
pub mod referring;
pub mod reviewing;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use chassis_rpc::Channel;
use chrono::NaiveDate;
use proto::partners::v1::directory_service_client::DirectoryServiceClient;
use proto::partners::v1::referral_service_client::ReferralServiceClient;
use proto::plans::v1::delivery_service_client::DeliveryServiceClient;
use proto::plans::v1::follow_up_service_client::FollowUpServiceClient;
use proto::plans::v1::plan_service_client::PlanServiceClient;
use proto::reporting::v1::reporting_service_client::ReportingServiceClient;
use proto::reviews::v1::concern_service_client::ConcernServiceClient;
use proto::reviews::v1::review_service_client::ReviewServiceClient;
use proto::rosters::v1::Class;
use proto::rosters::v1::import_service_client::ImportServiceClient;
use proto::rosters::v1::roster_service_client::RosterServiceClient;
use serde::Deserialize;
use tokio::sync::Mutex;
use tonic::{Code, Request, Status};
use tonic_types::StatusExt as _;
use uuid::Uuid;

use crate::district::ready::Ready;
use crate::tls::Tls;

/// Clients of every service.
#[derive(Clone, Debug)]
pub struct Services {
    rosters: Channel,
    reviews: Channel,
    plans: Channel,
    partners: Channel,
    reporting: Channel,
}

impl Services {
    /// Services at these addresses; nothing connects until the first call.
    pub fn new(tls: &Tls, rosters: &str, reviews: &str, plans: &str, partners: &str, reporting: &str) -> anyhow::Result<Self> {
        let channel = |uri: &str| chassis_rpc::channel(&tls.to(uri));
        Ok(Self {
            rosters: channel(rosters)?,
            reviews: channel(reviews)?,
            plans: channel(plans)?,
            partners: channel(partners)?,
            reporting: channel(reporting)?,
        })
    }

    /// Services of a running district.
    pub fn of(ready: &Ready) -> anyhow::Result<Self> {
        Self::new(&ready.tls, &ready.rosters, &ready.reviews, &ready.plans, &ready.partners, &ready.reporting)
    }

    /// The roster.
    pub fn rosters(&self) -> RosterServiceClient<Channel> {
        RosterServiceClient::new(self.rosters.clone())
    }
    /// Imports.
    pub fn imports(&self) -> ImportServiceClient<Channel> {
        ImportServiceClient::new(self.rosters.clone())
    }
    /// Class reviews.
    pub fn reviews(&self) -> ReviewServiceClient<Channel> {
        ReviewServiceClient::new(self.reviews.clone())
    }
    /// Plans.
    pub fn plans(&self) -> PlanServiceClient<Channel> {
        PlanServiceClient::new(self.plans.clone())
    }
    /// Concerns and individual reviews.
    pub fn concerns(&self) -> ConcernServiceClient<Channel> {
        ConcernServiceClient::new(self.reviews.clone())
    }
    /// Groups, attendance, aid, activities.
    pub fn deliveries(&self) -> DeliveryServiceClient<Channel> {
        DeliveryServiceClient::new(self.plans.clone())
    }
    /// Follow-ups, ratings, transitions, September.
    pub fn follow_ups(&self) -> FollowUpServiceClient<Channel> {
        FollowUpServiceClient::new(self.plans.clone())
    }
    /// The directory of partners.
    pub fn directory(&self) -> DirectoryServiceClient<Channel> {
        DirectoryServiceClient::new(self.partners.clone())
    }
    /// Referrals.
    pub fn referrals(&self) -> ReferralServiceClient<Channel> {
        ReferralServiceClient::new(self.partners.clone())
    }
    /// Reports.
    pub fn reporting(&self) -> ReportingServiceClient<Channel> {
        ReportingServiceClient::new(self.reporting.clone())
    }
}

/// A request with a bearer token.
pub fn bearing<T>(token: &str, message: T) -> Request<T> {
    let mut request = Request::new(message);
    if let Ok(mut value) = tonic::metadata::MetadataValue::try_from(format!("Bearer {token}")) {
        value.set_sensitive(true);
        request.metadata_mut().insert("authorization", value);
    }
    request
}

/// Somebody who acts.
#[derive(Clone, Debug)]
pub struct Person {
    token: Arc<str>,
}

impl Person {
    /// The bearer of a token.
    pub fn bearing(token: &str) -> Self {
        Self { token: token.into() }
    }

    /// Their request.
    pub fn asks<T>(&self, message: T) -> Request<T> {
        bearing(&self.token, message)
    }
}

/// Who a person is to be: a role at places, or a member of staff.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Part {
    /// Roles.
    pub roles: Vec<&'static str>,
    /// School at which they hold; the whole district where none.
    pub school: Option<String>,
    /// Roster id.
    pub staff: Option<String>,
    /// Organisation outside.
    pub organisation: Option<String>,
}

impl Part {
    /// A role at the whole district.
    pub fn district(role: &'static str) -> Self {
        Self { roles: vec![role], ..Self::default() }
    }
    /// A role at one school, perhaps of a known member of staff.
    pub fn at_school(role: &'static str, school: &str, staff: Option<&str>) -> Self {
        Self { roles: vec![role], school: Some(school.to_owned()), staff: staff.map(str::to_owned), ..Self::default() }
    }
    /// A partner's person.
    pub fn partner(organisation: &str) -> Self {
        Self { roles: vec!["partner_user"], organisation: Some(organisation.to_owned()), ..Self::default() }
    }
}

/// Gets tokens from a development issuer.
#[derive(Clone, Debug)]
pub struct Cast {
    issuer: String,
    http: reqwest::Client,
    known: Arc<Mutex<HashMap<Part, Person>>>,
}

#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    access_token: String,
    #[serde(default)]
    error_description: String,
}

impl Cast {
    /// Of this issuer.
    pub fn new(issuer: &str) -> anyhow::Result<Self> {
        let http = reqwest::Client::builder().timeout(Duration::from_secs(10)).build()?;
        Ok(Self { issuer: issuer.trim_end_matches('/').to_owned(), http, known: Arc::default() })
    }

    /// The token of a persona by its name.
    pub async fn persona(&self, name: &str) -> anyhow::Result<String> {
        self.token(&[("persona", name)]).await
    }

    /// Somebody for a part. Tokens last an hour, longer than any of our jobs.
    pub async fn plays(&self, part: &Part) -> anyhow::Result<Person> {
        let mut known = self.known.lock().await;
        if let Some(person) = known.get(part) {
            return Ok(person.clone());
        }
        let roles = part.roles.join(" ");
        let mut form = vec![("roles", roles.as_str())];
        form.extend(part.school.as_deref().map(|s| ("school_ids", s)));
        form.extend(part.staff.as_deref().map(|s| ("staff_id", s)));
        form.extend(part.organisation.as_deref().map(|o| ("organisation_id", o)));
        let person = Person::bearing(&self.token(&form).await?);
        known.insert(part.clone(), person.clone());
        Ok(person)
    }

    async fn token(&self, form: &[(&str, &str)]) -> anyhow::Result<String> {
        let mut all = vec![("grant_type", "urn:wraparound:grant:persona")];
        all.extend_from_slice(form);
        let uri = format!("{}/token", self.issuer);
        let answer = self
            .http
            .post(&uri)
            .form(&all)
            .send()
            .await
            .with_context(|| format!("the development issuer does not answer at {uri}: is the district running?"))?;
        let status = answer.status();
        let answer: Answer = answer.json().await.with_context(|| format!("{uri} is not a development issuer"))?;
        anyhow::ensure!(status.is_success() && !answer.access_token.is_empty(), "the development issuer refused: {}", answer.error_description);
        Ok(answer.access_token)
    }
}

/// A refusal in words: what, its reason and what was wrong with which field.
pub fn told(status: &Status) -> anyhow::Error {
    let details = status.get_error_details();
    let mut text = format!("{:?}: {}", status.code(), status.message());
    if let Some(info) = details.error_info() {
        text.push_str(&format!(" [{}]", info.reason));
    }
    if let Some(bad) = details.bad_request() {
        for violation in &bad.field_violations {
            text.push_str(&format!("; {}: {}", violation.field, violation.description));
        }
    }
    if let Some(failed) = details.precondition_failure() {
        for violation in &failed.violations {
            text.push_str(&format!("; {}: {}", violation.subject, violation.description));
        }
    }
    anyhow::anyhow!(text)
}

/// Adds what was being done to a refusal.
pub trait Told<T> {
    /// The answer, or the refusal in words.
    fn told(self, doing: &str) -> anyhow::Result<T>;
}

impl<T> Told<T> for Result<tonic::Response<T>, Status> {
    fn told(self, doing: &str) -> anyhow::Result<T> {
        self.map(tonic::Response::into_inner).map_err(|status| told(&status)).with_context(|| doing.to_owned())
    }
}

/// How long news may take from one service to another before we call it broken.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Asks again while the answer is "not there yet" or "not yours (yet)": news travel between services by events.
pub async fn patiently<T, F>(doing: &str, mut ask: impl FnMut() -> F) -> anyhow::Result<T>
where
    F: Future<Output = Result<tonic::Response<T>, Status>>,
{
    let began = Instant::now();
    loop {
        match ask().await {
            Ok(answer) => return Ok(answer.into_inner()),
            Err(status)
                if began.elapsed() < PATIENCE
                    && matches!(status.code(), Code::NotFound | Code::PermissionDenied | Code::Unavailable | Code::FailedPrecondition)
                    && may_pass(&status) =>
            {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            Err(status) => return Err(told(&status)).with_context(|| doing.to_owned()),
        }
    }
}

/// A precondition passes by itself only where a service waits for another's news.
fn may_pass(status: &Status) -> bool {
    status.code() != Code::FailedPrecondition || status.get_error_details().error_info().is_some_and(|info| info.reason.ends_with("_NOT_YET_KNOWN"))
}

/// Waits until `look` finds something.
pub async fn eventually<T, F>(doing: &str, mut look: impl FnMut() -> F) -> anyhow::Result<T>
where
    F: Future<Output = anyhow::Result<Option<T>>>,
{
    let began = Instant::now();
    loop {
        match look().await {
            Ok(Some(found)) => return Ok(found),
            Ok(None) | Err(_) if began.elapsed() < PATIENCE => tokio::time::sleep(Duration::from_millis(100)).await,
            Ok(None) => anyhow::bail!("{doing}: nothing came within {} s; the log in the data folder may say why", PATIENCE.as_secs()),
            Err(error) => return Err(error).with_context(|| doing.to_owned()),
        }
    }
}

/// A fresh request id.
pub fn request_id() -> String {
    Uuid::now_v7().to_string()
}

/// The day on which to look at a class: today, or the nearest day on which it has members. Empty for today.
pub fn day_of(class: &Class) -> String {
    let today = chassis_clock::today();
    let day = |text: &str| text.parse::<NaiveDate>().ok();
    match (day(&class.first_on), day(&class.last_on)) {
        (_, Some(last)) if last < today => last.to_string(),
        (Some(first), _) if first > today => first.to_string(),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_class_of_the_past_is_seen_on_its_last_day() {
        let class = |first: &str, last: &str| Class { first_on: first.to_owned(), last_on: last.to_owned(), ..Class::default() };
        assert_eq!(day_of(&class("2022-03-15", "2022-06-15")), "2022-06-15");
        assert_eq!(day_of(&class("2999-09-01", "3000-06-15")), "2999-09-01");
        assert_eq!(day_of(&class("", "")), "");
        assert_eq!(day_of(&class("2000-01-01", "2999-01-01")), "");
    }

    #[test]
    fn a_refusal_tells_its_reason_and_fields() {
        let mut details = tonic_types::ErrorDetails::with_error_info("WRONG_STATE", "wraparound", HashMap::new());
        details.add_bad_request_violation("entry.code", "is not in the code list");
        let text = told(&Status::with_error_details(Code::InvalidArgument, "no", details)).to_string();
        assert!(text.contains("WRONG_STATE") && text.contains("entry.code"), "{text}");
    }
}
