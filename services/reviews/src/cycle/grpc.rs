//! Cycles over gRPC.

use chassis_access::{Caller, Record};
use chassis_pg::idempotency;
use chassis_rpc::Parser;
use chassis_rpc::fault::OrStatus as _;
use prost::Message as _;
use proto::reviews::v1 as wire;
use tonic::{Request, Response, Status};

use super::Create;
use super::entity::{Cycle, REQUIRABLE};
use crate::grpc::Reviews;
use crate::words::Season;

impl From<Cycle> for wire::ReviewCycle {
    fn from(cycle: Cycle) -> Self {
        Self {
            review_cycle_id: cycle.id.to_string(),
            school_year: cycle.school_year,
            season: cycle.season.wire(),
            opens_on: cycle.opens_on.to_string(),
            closes_on: cycle.closes_on.to_string(),
            taxonomy_version: cycle.taxonomy_version,
            tier_rules_version: cycle.tier_rules_version,
            required_fields: cycle.required_fields,
        }
    }
}

impl Reviews {
    pub(crate) async fn create_cycle(&self, request: Request<wire::CreateReviewCycleRequest>) -> Result<Response<wire::CreateReviewCycleResponse>, Status> {
        const ACTION: &str = "reviews.CreateReviewCycle";
        let caller = Caller::of(&request)?;
        let message = request.into_inner();
        let mut p = Parser::new();
        let request_id = p.uuid("request_id", &message.request_id);
        let school_year = p.number("school_year", message.school_year, 2000..=2100);
        let season = p.required_enum::<wire::Season>("season", message.season).and_then(|s| Season::from_wire(s.into()));
        let opens_on = p.date("opens_on", &message.opens_on);
        let closes_on = p.date("closes_on", &message.closes_on);
        if closes_on < opens_on {
            p.violation("closes_on", "must not be before opens_on");
        }
        let mut required_fields = Vec::new();
        if message.required_fields.len() > REQUIRABLE.len() {
            p.violation("required_fields", format!("must have at most {} members", REQUIRABLE.len()));
        }
        for field in message.required_fields.iter().take(REQUIRABLE.len()) {
            let field = p.one_of("required_fields", field, &REQUIRABLE, false);
            if !required_fields.contains(&field) {
                required_fields.push(field);
            }
        }
        p.finish().or_status()?;
        self.access.authorize(&caller, ACTION, &Record::district()).or_status()?;
        let command = Create {
            request: idempotency::Request::new(&caller.subject, ACTION, request_id, &message.encode_to_vec()),
            author: caller.author(),
            school_year,
            season: season.unwrap_or(Season::Custom),
            opens_on,
            closes_on,
            required_fields,
        };
        let cycle = self.cycles.create(command).await.or_status()?;
        Ok(Response::new(wire::CreateReviewCycleResponse { cycle: Some(cycle.into()) }))
    }

    pub(crate) async fn list_cycles(&self, request: Request<wire::ListReviewCyclesRequest>) -> Result<Response<wire::ListReviewCyclesResponse>, Status> {
        let caller = Caller::of(&request)?;
        let school_year = request.into_inner().school_year;
        let mut p = Parser::new();
        if school_year != 0 {
            p.number("school_year", school_year, 2000..=2100);
        }
        p.finish().or_status()?;
        // Cycles are about no student and no school.
        self.access.role_suffices(&caller);
        let cycles = self.cycles.list((school_year != 0).then_some(school_year)).await.or_status()?;
        Ok(Response::new(wire::ListReviewCyclesResponse { cycles: cycles.into_iter().map(Into::into).collect() }))
    }
}
