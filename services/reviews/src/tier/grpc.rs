//! Tiers over gRPC.

use chassis_access::Caller;
use chassis_rpc::Parser;
use chassis_rpc::fault::OrStatus as _;
use proto::reviews::v1 as wire;
use proto::r#type::v1::Certainty;
use tonic::{Request, Response, Status};

use super::Assignment;
use super::rule::{self, RULES_VERSION, RuleEntry};
use crate::grpc::Reviews;
use crate::taxonomy;
use crate::words::{certainty_from_wire, tier_wire, time_wire};

/// Entries in one question at the most.
const MOST_ENTRIES: usize = 200;

impl From<Assignment> for wire::TierAssignment {
    fn from(assignment: Assignment) -> Self {
        Self {
            student_id: assignment.student_id.to_string(),
            tier: tier_wire(Some(assignment.tier)),
            suggested_tier: tier_wire(Some(assignment.suggested)),
            tier_rules_version: assignment.rules_version,
            source: assignment.source,
            reason: assignment.reason,
            effective_time: Some(time_wire(assignment.effective_at)),
            decided_by: assignment.decided_by.to_string(),
            ..Default::default()
        }
    }
}

impl Reviews {
    pub(crate) async fn suggest(&self, request: Request<wire::SuggestTierRequest>) -> Result<Response<wire::SuggestTierResponse>, Status> {
        let caller = Caller::of(&request)?;
        let message = request.into_inner();
        let mut p = Parser::new();
        if message.entries.len() > MOST_ENTRIES {
            p.violation("entries", format!("must have at most {MOST_ENTRIES} members, has {}", message.entries.len()));
        }
        let mut asked = Vec::with_capacity(message.entries.len().min(MOST_ENTRIES));
        for (at, entry) in message.entries.iter().take(MOST_ENTRIES).enumerate() {
            let field = |name: &str| format!("entries[{at}].{name}");
            if taxonomy::get(&entry.code).is_none() {
                p.violation(&field("code"), "is not in the code list; ListCodes has it");
            }
            let severity = p.number(&field("severity"), entry.severity, 0..=3);
            let certainty: Certainty = p.known_enum(&field("certainty"), entry.certainty);
            asked.push(RuleEntry { code: &entry.code, severity: u8::try_from(severity).unwrap_or(0), certainty: certainty_from_wire(certainty) });
        }
        p.finish().or_status()?;
        // A calculation over what was sent: nobody's data is read.
        self.access.role_suffices(&caller);
        let said = rule::suggest(&asked);
        Ok(Response::new(wire::SuggestTierResponse {
            tier: tier_wire(Some(said.tier)),
            tier_rules_version: RULES_VERSION.to_owned(),
            because: said.because.into_iter().filter_map(|at| i32::try_from(at).ok()).collect(),
            domain_risk: said.domain_risk.into_iter().map(i32::from).collect(),
        }))
    }

    pub(crate) async fn tier_assignments(
        &self,
        request: Request<wire::ListTierAssignmentsRequest>,
    ) -> Result<Response<wire::ListTierAssignmentsResponse>, Status> {
        const ACTION: &str = "reviews.ListTierAssignments";
        let caller = Caller::of(&request)?;
        let mut p = Parser::new();
        let student_id = p.uuid("student_id", &request.into_inner().student_id);
        p.finish().or_status()?;
        let (granted, _) = self.access.authorize_student(&caller, ACTION, student_id).await.or_status()?;
        let assignments = self.tiers.of_student(student_id).await.or_status()?;
        Ok(Response::new(wire::ListTierAssignmentsResponse { assignments: assignments.into_iter().map(Into::into).collect(), access_basis: granted.basis }))
    }
}
