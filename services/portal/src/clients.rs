//! The services that the portal asks, each call with the caller's own token and a deadline.

use std::time::Duration;

use anyhow::Context;
use chassis_boot::settings::PeerSettings;
use chassis_rpc::Channel;
use proto::partners::v1::directory_service_client::DirectoryServiceClient;
use proto::partners::v1::referral_service_client::ReferralServiceClient;
use proto::plans::v1::delivery_service_client::DeliveryServiceClient;
use proto::plans::v1::follow_up_service_client::FollowUpServiceClient;
use proto::plans::v1::plan_service_client::PlanServiceClient;
use proto::reporting::v1::reporting_service_client::ReportingServiceClient;
use proto::reviews::v1::concern_service_client::ConcernServiceClient;
use proto::reviews::v1::review_service_client::ReviewServiceClient;
use proto::rosters::v1::roster_service_client::RosterServiceClient;
use secrecy::{ExposeSecret, SecretString};
use tonic::metadata::{Ascii, MetadataValue};
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
use tonic::{Request, Status};

use crate::session::Caller;

/// How long a file may take.
const LONG: Duration = Duration::from_secs(600);

/// A channel that speaks for one caller.
pub type Spoken = InterceptedService<Channel, OnBehalf>;

/// Puts the caller's token and the deadline on every call.
#[derive(Debug, Clone)]
pub struct OnBehalf {
    bearer: Option<MetadataValue<Ascii>>,
    timeout: Duration,
}

impl Interceptor for OnBehalf {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        let bearer = self.bearer.clone().ok_or_else(|| Status::unauthenticated("the session holds no usable token"))?;
        request.metadata_mut().insert("authorization", bearer);
        request.set_timeout(self.timeout);
        chassis_rpc::observe::inject(request.metadata_mut());
        Ok(request)
    }
}

/// Channels to the services. They connect when they are first used and again after a loss.
#[derive(Debug, Clone)]
pub struct Clients {
    rosters: Channel,
    reviews: Channel,
    plans: Channel,
    partners: Channel,
    reporting: Channel,
    timeout: Duration,
}

impl Clients {
    /// Prepares the channels; refuses addresses that are none.
    pub fn new(peers: &PeerSettings, timeout: Duration) -> anyhow::Result<Self> {
        let channel = |name: &str, uri: &str| {
            chassis_rpc::channel(&peers.channel(uri)).with_context(|| format!("peers.{name} = {uri:?} cannot be used; write it like http://127.0.0.1:7401"))
        };
        Ok(Self {
            rosters: channel("rosters", &peers.rosters)?,
            reviews: channel("reviews", &peers.reviews)?,
            plans: channel("plans", &peers.plans)?,
            partners: channel("partners", &peers.partners)?,
            reporting: channel("reporting", &peers.reporting)?,
            timeout,
        })
    }

    /// People, schools and classes.
    pub fn rosters(&self, caller: &Caller) -> RosterServiceClient<Spoken> {
        RosterServiceClient::with_interceptor(self.rosters.clone(), self.for_caller(caller))
    }

    /// As [`Clients::rosters`], for somebody who has no session yet.
    pub fn rosters_with(&self, token: &SecretString) -> RosterServiceClient<Spoken> {
        RosterServiceClient::with_interceptor(self.rosters.clone(), self.with(token))
    }

    /// Class reviews.
    pub fn reviews(&self, caller: &Caller) -> ReviewServiceClient<Spoken> {
        ReviewServiceClient::with_interceptor(self.reviews.clone(), self.for_caller(caller))
    }

    /// Plans.
    pub fn plans(&self, caller: &Caller) -> PlanServiceClient<Spoken> {
        PlanServiceClient::with_interceptor(self.plans.clone(), self.for_caller(caller))
    }

    /// Concerns and individual reviews.
    pub fn concerns(&self, caller: &Caller) -> ConcernServiceClient<Spoken> {
        ConcernServiceClient::with_interceptor(self.reviews.clone(), self.for_caller(caller))
    }

    /// Groups, attendance, aid, activities.
    pub fn deliveries(&self, caller: &Caller) -> DeliveryServiceClient<Spoken> {
        DeliveryServiceClient::with_interceptor(self.plans.clone(), self.for_caller(caller))
    }

    /// Imports of service logs, which take longer than a page may.
    pub fn service_logs(&self, caller: &Caller) -> DeliveryServiceClient<Spoken> {
        DeliveryServiceClient::with_interceptor(self.plans.clone(), OnBehalf { timeout: LONG, ..self.for_caller(caller) })
    }

    /// Follow-ups, ratings, transitions, September.
    pub fn follow_ups(&self, caller: &Caller) -> FollowUpServiceClient<Spoken> {
        FollowUpServiceClient::with_interceptor(self.plans.clone(), self.for_caller(caller))
    }

    /// Partners' services.
    pub fn directory(&self, caller: &Caller) -> DirectoryServiceClient<Spoken> {
        DirectoryServiceClient::with_interceptor(self.partners.clone(), self.for_caller(caller))
    }

    /// Referrals.
    pub fn referrals(&self, caller: &Caller) -> ReferralServiceClient<Spoken> {
        ReferralServiceClient::with_interceptor(self.partners.clone(), self.for_caller(caller))
    }

    /// Measures.
    pub fn reporting(&self, caller: &Caller) -> ReportingServiceClient<Spoken> {
        ReportingServiceClient::with_interceptor(self.reporting.clone(), self.for_caller(caller))
    }

    fn for_caller(&self, caller: &Caller) -> OnBehalf {
        self.with(&caller.token)
    }

    fn with(&self, token: &SecretString) -> OnBehalf {
        let bearer = MetadataValue::try_from(format!("Bearer {}", token.expose_secret())).ok().map(|mut value| {
            value.set_sensitive(true);
            value
        });
        OnBehalf { bearer, timeout: self.timeout }
    }
}
