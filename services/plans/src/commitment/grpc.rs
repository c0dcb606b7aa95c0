//! Commitments over the wire.

use chassis_access::Caller;
use chassis_pg::idempotency;
use chassis_rpc::Parser;
use prost::Message as _;
use proto::plans::v1::{self as wire, PutCommitmentRequest, PutCommitmentResponse};

use super::entity::{Commitment, OwnerKind, STATES};
use crate::error::PlanError;
use crate::grpc::Plans;

/// As the contract writes a commitment.
pub fn to_wire(commitment: &Commitment) -> wire::Commitment {
    wire::Commitment {
        commitment_id: commitment.commitment_id.to_string(),
        plan_id: commitment.plan_id.to_string(),
        by: commitment.promised_by.into(),
        staff_id: commitment.staff_id.map(|id| id.to_string()).unwrap_or_default(),
        text: commitment.promise.clone(),
        due_on: commitment.due_on.map(|d| d.to_string()).unwrap_or_default(),
        state: commitment.state.clone(),
        version: commitment.version,
    }
}

impl Plans {
    pub(crate) async fn commitment_put(&self, caller: &Caller, message: &PutCommitmentRequest) -> Result<PutCommitmentResponse, PlanError> {
        const ACTION: &str = "plans.PutCommitment";
        let mut p = Parser::new();
        let request_id = p.uuid("request_id", &message.request_id);
        let asked = message.commitment.clone().unwrap_or_default();
        let by = p.required_enum::<wire::OwnerKind>("commitment.by", asked.by).and_then(OwnerKind::from_proto);
        let state = p.one_of("commitment.state", &asked.state, &STATES, true);
        let commitment = Commitment {
            commitment_id: p.uuid("commitment.commitment_id", &asked.commitment_id),
            plan_id: p.uuid("commitment.plan_id", &asked.plan_id),
            promised_by: by.unwrap_or(OwnerKind::Staff),
            staff_id: p.optional_uuid("commitment.staff_id", &asked.staff_id),
            promise: p.required_text("commitment.text", &asked.text, 500),
            due_on: p.optional_date("commitment.due_on", &asked.due_on),
            state: if state.is_empty() { "open".to_owned() } else { state },
            version: 1,
        };
        p.finish()?;
        let student = crate::plan::repo::student_of(&mut *self.pool.acquire().await?, commitment.plan_id).await?;
        self.student(caller, ACTION, student).await?;
        let request = idempotency::Request::new(&caller.subject, ACTION, request_id, &message.encode_to_vec());
        let commitment = super::put(&self.pool, &super::Put { commitment, expected_version: message.expected_version, request }).await?;
        Ok(PutCommitmentResponse { commitment: Some(to_wire(&commitment)) })
    }
}
