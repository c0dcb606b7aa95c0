//! Tiers over gRPC.

use chassis_access::{AccessError, Caller, Record, Sensitivity};
use chassis_pg::idempotency;
use chassis_rpc::fault::OrStatus as _;
use chassis_rpc::{Parser, status};
use prost::Message as _;
use proto::reviews::v1 as wire;
use proto::r#type::v1::{self as types, Certainty};
use tonic::{Request, Response, Status};

use super::error::TierError;
use super::rule::{self, RULES_VERSION, RuleEntry, Tier};
use super::{Assign, Assignment, Movement};
use crate::concern::clock::school_year;
use crate::grpc::Reviews;
use crate::student_review::sight::Sight;
use crate::taxonomy::{self, Taxonomy};
use crate::words::{certainty_from_wire, tier_from_wire, tier_wire, time_wire};

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
            tier_assignment_id: assignment.id.to_string(),
            school_year: assignment.school_year,
            reason_text: assignment.reason_text,
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
        // Tiers are restricted: who sees them is seen.
        self.access.log_read(&caller, ACTION, &granted.basis, Sensitivity::Restricted, Some(student_id), assignments.len()).await.or_status()?;
        Ok(Response::new(wire::ListTierAssignmentsResponse { assignments: assignments.into_iter().map(Into::into).collect(), access_basis: granted.basis }))
    }

    pub(crate) async fn assign_tier(&self, request: Request<wire::AssignTierRequest>) -> Result<Response<wire::AssignTierResponse>, Status> {
        const ACTION: &str = "reviews.AssignTier";
        let caller = Caller::of(&request)?;
        let message = request.into_inner();
        let mut p = Parser::new();
        let request_id = p.uuid("request_id", &message.request_id);
        let student_id = p.uuid("student_id", &message.student_id);
        let tier: Option<types::Tier> = p.required_enum("tier", message.tier);
        let source = p.one_of("source", &message.source, &["isr", "concern", "transfer_in"], false);
        let reason = p.one_of("reason", &message.reason, &reasons("tier_override"), true);
        let reason_text = p.text("reason_text", &message.reason_text, 500);
        if reason == "other" && reason_text.is_empty() {
            p.violation("reason_text", "reason is other; say it in words");
        }
        let origin_id = p.optional_uuid("origin_id", &message.origin_id);
        p.finish().or_status()?;
        let (_, record) = self.access.authorize_student(&caller, ACTION, student_id).await.or_status()?;
        let own = caller.schools();
        let gone = || status(AccessError::Denied { action: ACTION.to_owned() });
        let school_id = record.schools.iter().find(|s| own.contains(s)).or(record.schools.first()).copied().ok_or_else(gone)?;
        let clearance = self.access.clearance(&caller, &record);
        if let Some(origin) = origin_id {
            let sees = self.tiers.origin(&source, origin, student_id, &caller, &clearance).await.or_status()?;
            sees.then_some(()).ok_or(TierError::NoOrigin).or_status()?;
        }
        let assign = Assign {
            request: idempotency::Request::new(&caller.subject, ACTION, request_id, &message.encode_to_vec()),
            student_id,
            school_id,
            school_year: school_year(chassis_clock::today()),
            tier: tier.and_then(tier_from_wire).unwrap_or(Tier::One),
            source,
            reason,
            reason_text,
            origin_id,
            author: caller.author(),
            sight: Sight::of(&caller, &clearance),
        };
        let assignment = self.tiers.assign(assign).await.or_status()?;
        Ok(Response::new(wire::AssignTierResponse { assignment: Some(assignment.into()) }))
    }

    pub(crate) async fn tier_movements(&self, request: Request<wire::ListTierMovementsRequest>) -> Result<Response<wire::ListTierMovementsResponse>, Status> {
        const ACTION: &str = "reviews.ListTierMovements";
        let caller = Caller::of(&request)?;
        let message = request.into_inner();
        let mut p = Parser::new();
        let school_year = p.number("school_year", message.school_year, 2000..=2100);
        let school_id = p.optional_uuid("school_id", &message.school_id);
        let class_id = p.optional_uuid("class_id", &message.class_id);
        if school_id.is_none() && class_id.is_none() {
            p.violation("school_id", "give a school or a class");
        }
        p.finish().or_status()?;
        let granted = match class_id {
            Some(class) => {
                let (granted, record) = self.access.authorize_class(&caller, ACTION, class).await.or_status()?;
                // A class that is not of the school has nobody who moved there.
                if school_id.is_some_and(|school| !record.schools.contains(&school)) {
                    return Err(status(AccessError::Denied { action: ACTION.to_owned() }));
                }
                granted
            }
            None => self.access.authorize(&caller, ACTION, &Record::school(school_id.unwrap_or_default())).or_status()?,
        };
        let said = self.tiers.movements(school_year, school_id, class_id).await.or_status()?;
        if !said.each.is_empty() {
            let about = class_id.or(school_id);
            self.access.log_read(&caller, ACTION, &granted.basis, Sensitivity::Restricted, about, said.each.len()).await.or_status()?;
        }
        let movement = |m: Movement| wire::TierMovement {
            student_id: m.student_id.to_string(),
            fall_tier: tier_wire(Some(m.fall)),
            spring_tier: tier_wire(Some(m.spring)),
        };
        Ok(Response::new(wire::ListTierMovementsResponse {
            movements: said.each.into_iter().map(movement).collect(),
            less_count: said.less,
            same_count: said.same,
            more_count: said.more,
            access_basis: granted.basis,
        }))
    }
}

/// Reason codes of a list.
fn reasons(list: &'static str) -> Vec<&'static str> {
    Taxonomy::load().map(|t| t.reasons(list).map(|r| r.code.as_str()).collect()).unwrap_or_default()
}
