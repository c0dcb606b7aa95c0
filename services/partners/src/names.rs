//! Names from the roster, asked for as this service itself, after access is decided. Nothing is stored.

use std::collections::HashMap;

use async_trait::async_trait;
use chassis_access::ServiceIdentity;
use chassis_rpc::Channel;
use chassis_rpc::OrStatus as _;
use proto::rosters::v1::roster_service_client::RosterServiceClient;
use proto::rosters::v1::{BatchGetStudentsRequest, GetSchoolRequest};
use std::sync::Arc;
use tonic::{Code, Status};
use uuid::Uuid;

/// What a partner may hear of a student with the scope `identity`.
#[derive(Clone, Debug, Default)]
pub struct Named {
    /// The name that staff use.
    pub display_name: String,
    /// Grade code.
    pub grade: String,
}

/// Where names come from.
#[async_trait]
pub trait Names: Send + Sync {
    /// Those of these students that the roster has.
    async fn students(&self, ids: Vec<Uuid>) -> Result<HashMap<Uuid, Named>, Status>;
    /// Names of these schools that the roster has.
    async fn schools(&self, ids: Vec<Uuid>) -> Result<HashMap<Uuid, String>, Status>;
}

/// The rosters service.
pub struct Roster {
    channel: Channel,
    identity: Arc<ServiceIdentity>,
}

impl Roster {
    /// By this channel, as this service.
    pub fn new(channel: Channel, identity: Arc<ServiceIdentity>) -> Self {
        Self { channel, identity }
    }
}

/// The roster's own refusals are our failures: the caller asked for nothing wrong.
fn away(status: Status) -> Status {
    tracing::warn!(code = ?status.code(), "the roster did not answer with names");
    Status::unavailable("temporarily unavailable, try again")
}

#[async_trait]
impl Names for Roster {
    async fn students(&self, ids: Vec<Uuid>) -> Result<HashMap<Uuid, Named>, Status> {
        let mut found = HashMap::with_capacity(ids.len());
        for part in ids.chunks(200) {
            let message = BatchGetStudentsRequest { student_ids: part.iter().map(ToString::to_string).collect() };
            let request = self.identity.request(message).await.or_status()?;
            let answer = RosterServiceClient::new(self.channel.clone()).batch_get_students(request).await.map_err(away)?.into_inner();
            for student in answer.students {
                if let Ok(id) = student.student_id.parse() {
                    found.insert(id, Named { display_name: student.display_name, grade: student.grade });
                }
            }
        }
        Ok(found)
    }

    async fn schools(&self, ids: Vec<Uuid>) -> Result<HashMap<Uuid, String>, Status> {
        let mut found = HashMap::with_capacity(ids.len());
        for id in ids {
            let request = self.identity.request(GetSchoolRequest { school_id: id.to_string() }).await.or_status()?;
            match RosterServiceClient::new(self.channel.clone()).get_school(request).await {
                Ok(answer) => {
                    if let Some(school) = answer.into_inner().school {
                        found.insert(id, school.name);
                    }
                }
                // A school that closed has no name any more.
                Err(status) if matches!(status.code(), Code::NotFound | Code::PermissionDenied) => {}
                Err(status) => return Err(away(status)),
            }
        }
        Ok(found)
    }
}
