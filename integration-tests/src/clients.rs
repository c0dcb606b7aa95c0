//! Typed clients of a running district, with a caller's token on every call.

use proto::partners::v1::directory_service_client::DirectoryServiceClient;
use proto::partners::v1::referral_service_client::ReferralServiceClient;
use proto::plans::v1::delivery_service_client::DeliveryServiceClient;
use proto::plans::v1::follow_up_service_client::FollowUpServiceClient;
use proto::plans::v1::plan_service_client::PlanServiceClient;
use proto::reporting::v1::reporting_service_client::ReportingServiceClient;
use proto::reviews::v1::concern_service_client::ConcernServiceClient;
use proto::reviews::v1::review_service_client::ReviewServiceClient;
use proto::rosters::v1::import_service_client::ImportServiceClient;
use proto::rosters::v1::roster_service_client::RosterServiceClient;
use proto::rosters::v1::{ImportRun, ImportState, RunImportHeader, RunImportRequest, run_import_request, run_import_response};
use tonic::metadata::{Ascii, MetadataValue};
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::Channel;
use tonic::{Request, Status};
use uuid::Uuid;
use wraparound::district::ready::Ready;

use crate::district::connect;
use crate::tokens::Claims;

/// Puts a token on every call.
#[derive(Clone, Debug)]
pub struct Bearer(Option<MetadataValue<Ascii>>);

impl Bearer {
    /// With this token; none where it is empty.
    ///
    /// # Panics
    /// For a token that no header can hold.
    pub fn new(token: &str) -> Self {
        let value = || format!("Bearer {token}").parse().unwrap_or_else(|_| panic!("a token is plain text"));
        Self((!token.is_empty()).then(value))
    }
}

impl Interceptor for Bearer {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        if let Some(value) = &self.0 {
            request.metadata_mut().insert("authorization", value.clone());
        }
        Ok(request)
    }
}

/// A connection with a token.
pub type Connection = InterceptedService<Channel, Bearer>;

/// Clients of every service for one caller. Cheap to clone; clone one to call several things at once.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "each is the client of the service it names")]
pub struct Clients {
    pub rosters: RosterServiceClient<Connection>,
    pub imports: ImportServiceClient<Connection>,
    pub reviews: ReviewServiceClient<Connection>,
    pub plans: PlanServiceClient<Connection>,
    pub concerns: ConcernServiceClient<Connection>,
    pub deliveries: DeliveryServiceClient<Connection>,
    pub follow_ups: FollowUpServiceClient<Connection>,
    pub directory: DirectoryServiceClient<Connection>,
    pub referrals: ReferralServiceClient<Connection>,
    pub reporting: ReportingServiceClient<Connection>,
}

/// A district that answers, however it is run.
pub trait Reached {
    /// Clients of every service, for a caller with these claims.
    fn clients(&self, claims: &Claims) -> Clients;
}

impl Clients {
    /// Clients of a running district.
    pub fn new(ready: &Ready, token: &str) -> Self {
        let bearer = Bearer::new(token);
        let to = |address: &str| InterceptedService::new(connect(address, &ready.tls), bearer.clone());
        Self {
            rosters: RosterServiceClient::new(to(&ready.rosters)),
            imports: ImportServiceClient::new(to(&ready.rosters)),
            reviews: ReviewServiceClient::new(to(&ready.reviews)),
            plans: PlanServiceClient::new(to(&ready.plans)),
            concerns: ConcernServiceClient::new(to(&ready.reviews)),
            deliveries: DeliveryServiceClient::new(to(&ready.plans)),
            follow_ups: FollowUpServiceClient::new(to(&ready.plans)),
            directory: DirectoryServiceClient::new(to(&ready.partners)),
            referrals: ReferralServiceClient::new(to(&ready.partners)),
            reporting: ReportingServiceClient::new(to(&ready.reporting)),
        }
    }

    /// Uploads a OneRoster zip and follows its import to the end.
    ///
    /// # Errors
    /// What the service answers instead of a run.
    pub async fn import(&mut self, zip: Vec<u8>, dry_run: bool) -> Result<ImportRun, Status> {
        let header = RunImportHeader { source_name: "roster.zip".to_owned(), dry_run, accept_changes: false, request_id: Uuid::now_v7().to_string() };
        let mut parts = vec![run_import_request::Part::Header(header)];
        parts.extend(zip.chunks(256 << 10).map(|chunk| run_import_request::Part::Chunk(chunk.to_vec())));
        let upload = tokio_stream::iter(parts.into_iter().map(|part| RunImportRequest { part: Some(part) }));
        let mut answers = self.imports.run_import(upload).await?.into_inner();
        let mut run = None;
        while let Some(answer) = answers.message().await? {
            if let Some(run_import_response::Part::Run(ended)) = answer.part {
                run = Some(ended);
            }
        }
        run.ok_or_else(|| Status::data_loss("the import ended without a run"))
    }

    /// As [`Clients::import`], for a roster that must be applied.
    ///
    /// # Panics
    /// When it is not.
    pub async fn import_all(&mut self, zip: Vec<u8>) -> ImportRun {
        let run = self.import(zip, false).await.unwrap_or_else(|status| panic!("the import failed: {status}"));
        assert_eq!(run.state(), ImportState::Applied, "the import was not applied: {run:?}");
        run
    }
}
