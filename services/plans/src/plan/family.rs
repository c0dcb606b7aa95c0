//! The head of a plan, the family's answer and the next year over the wire.

use chassis_access::Caller;
use chassis_pg::idempotency;
use chassis_rpc::Parser;
use prost::Message as _;
use proto::plans::v1::{
    self as wire, CarryOverPlanRequest, CarryOverPlanResponse, RecordFamilyResponseRequest, RecordFamilyResponseResponse, UpdatePlanRequest, UpdatePlanResponse,
};
use uuid::Uuid;

use super::carry_over::{self, CarryOver};
use super::entity::{FamilyAnswer, FamilyResponse, Header, Plan, TrustedAdult};
use super::grpc::to_wire;
use super::header::{self, Change};
use crate::calendar::today;
use crate::error::PlanError;
use crate::grpc::Plans;

const CHANNELS: [&str; 6] = ["call", "text", "email", "letter", "in_person", "interpreter_call"];

/// Whether a text looks like a BCP 47 language.
fn is_language(text: &str) -> bool {
    (2..=35).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

/// As the contract writes what stands at the head of a plan.
pub fn with_header(plan: wire::Plan, header: &Header) -> wire::Plan {
    let id = |id: Option<Uuid>| id.map(|id| id.to_string()).unwrap_or_default();
    let adults = header.trusted_adults.iter().map(|a| wire::TrustedAdult { staff_id: id(a.staff_id), relation: a.relation.clone(), note: a.note.clone() });
    wire::Plan {
        lead_id: id(header.lead_id),
        contributor_ids: header.contributor_ids.iter().map(ToString::to_string).collect(),
        trusted_adults: adults.collect(),
        family_words: header.family_words.clone(),
        family_words_by: header.family_words_by.clone(),
        next_look_on: header.next_look_on.map(|d| d.to_string()).unwrap_or_default(),
        languages: header.languages.clone(),
        family_response: header.family_response.map_or(0, i32::from),
        family_responded_on: header.family_responded_on.map(|d| d.to_string()).unwrap_or_default(),
        carried_from_plan_id: id(header.carried_from_plan_id),
        ..plan
    }
}

/// As the contract writes an answer of the family.
pub fn answer_to_wire(answer: &FamilyAnswer) -> wire::FamilyAnswer {
    wire::FamilyAnswer {
        response: answer.response.into(),
        answered_on: answer.answered_on.to_string(),
        channel: answer.channel.clone(),
        language: answer.language.clone(),
        interpreter: answer.interpreter,
        words: answer.words.clone(),
        recorded_by: answer.recorded_by.to_string(),
        record_time: Some(super::events::timestamp(answer.recorded_at)),
    }
}

fn read_header(p: &mut Parser, message: &UpdatePlanRequest) -> Header {
    if message.trusted_adults.len() > 10 {
        p.violation("trusted_adults", format!("must have at most 10 members, has {}", message.trusted_adults.len()));
    }
    let trusted_adults = message.trusted_adults.iter().take(10).enumerate().map(|(i, adult)| {
        let field = |name: &str| format!("trusted_adults[{i}].{name}");
        if adult.staff_id.is_empty() && adult.relation.is_empty() {
            p.violation(&field("relation"), "must say who it is, where it is nobody of the staff");
        }
        TrustedAdult {
            staff_id: p.optional_uuid(&field("staff_id"), &adult.staff_id),
            relation: p.text(&field("relation"), &adult.relation, 100),
            note: p.text(&field("note"), &adult.note, 200),
        }
    });
    let trusted_adults = trusted_adults.collect();
    if message.languages.len() > 5 || !message.languages.iter().all(|l| is_language(l)) {
        p.violation("languages", "must be at most 5 languages such as es or zh-Hans");
    }
    Header {
        lead_id: p.optional_uuid("lead_id", &message.lead_id),
        contributor_ids: p.uuids("contributor_ids", &message.contributor_ids, 20),
        trusted_adults,
        family_words: p.text("family_words", &message.family_words, 2000),
        family_words_by: p.text("family_words_by", &message.family_words_by, 100),
        next_look_on: p.optional_date("next_look_on", &message.next_look_on),
        languages: message.languages.clone(),
        ..Header::default()
    }
}

fn read_answer(p: &mut Parser, caller: &Caller, asked: &wire::FamilyAnswer) -> Option<FamilyAnswer> {
    let response = p.required_enum::<wire::FamilyResponse>("answer.response", asked.response).and_then(FamilyResponse::from_proto);
    if !asked.language.is_empty() && !is_language(&asked.language) {
        p.violation("answer.language", "must be a language such as es or zh-Hans");
    }
    let answered_on = p.optional_date("answer.answered_on", &asked.answered_on).unwrap_or_else(today);
    if answered_on > today() {
        p.violation("answer.answered_on", "must not be in the future");
    }
    // Sharing and silence need no channel; an answer comes by one.
    let silent = matches!(response, Some(FamilyResponse::Shared | FamilyResponse::NoReply));
    let channel = p.one_of("answer.channel", &asked.channel, &CHANNELS, silent);
    let words = p.text("answer.words", &asked.words, 2000);
    response.map(|response| FamilyAnswer {
        response,
        answered_on,
        channel,
        language: asked.language.clone(),
        interpreter: asked.interpreter,
        words,
        recorded_by: caller.author(),
        recorded_at: chrono::Utc::now(),
    })
}

impl Plans {
    /// A plan with its header and what the caller may count of its needs.
    async fn shown(&self, caller: &Caller, action: &str, plan: &Plan, header: &Header) -> Result<wire::Plan, PlanError> {
        let (_, clearance) = self.student(caller, action, Some(plan.student_id)).await?;
        let (needs, unmet) = super::counts(&self.pool, plan.plan_id, &clearance, self.unmet_after).await?;
        Ok(with_header(to_wire(plan, needs, unmet), header))
    }

    pub(crate) async fn plan_update(&self, caller: &Caller, message: &UpdatePlanRequest) -> Result<UpdatePlanResponse, PlanError> {
        const ACTION: &str = "plans.UpdatePlan";
        let mut p = Parser::new();
        let plan_id = p.uuid("plan_id", &message.plan_id);
        let request_id = p.uuid("request_id", &message.request_id);
        let asked = read_header(&mut p, message);
        p.finish()?;
        let student = super::repo::student_of(&mut *self.pool.acquire().await?, plan_id).await?;
        self.student(caller, ACTION, student).await?;
        let request = idempotency::Request::new(&caller.subject, ACTION, request_id, &message.encode_to_vec());
        let (plan, header) = header::update(&self.pool, &Change { plan_id, expected_version: message.expected_version, request }, &asked).await?;
        Ok(UpdatePlanResponse { plan: Some(self.shown(caller, ACTION, &plan, &header).await?) })
    }

    pub(crate) async fn family_answer(&self, caller: &Caller, message: &RecordFamilyResponseRequest) -> Result<RecordFamilyResponseResponse, PlanError> {
        const ACTION: &str = "plans.RecordFamilyResponse";
        let mut p = Parser::new();
        let plan_id = p.uuid("plan_id", &message.plan_id);
        let request_id = p.uuid("request_id", &message.request_id);
        let answer = read_answer(&mut p, caller, message.answer.as_ref().unwrap_or(&wire::FamilyAnswer::default()));
        p.finish()?;
        let answer = answer.ok_or_else(|| PlanError::field("answer.response", "must be given"))?;
        let student = super::repo::student_of(&mut *self.pool.acquire().await?, plan_id).await?;
        self.student(caller, ACTION, student).await?;
        let request = idempotency::Request::new(&caller.subject, ACTION, request_id, &message.encode_to_vec());
        let (plan, header) = header::answer(&self.pool, &Change { plan_id, expected_version: message.expected_version, request }, &answer).await?;
        Ok(RecordFamilyResponseResponse { plan: Some(self.shown(caller, ACTION, &plan, &header).await?) })
    }

    pub(crate) async fn plan_carry_over(&self, caller: &Caller, message: &CarryOverPlanRequest) -> Result<CarryOverPlanResponse, PlanError> {
        const ACTION: &str = "plans.CarryOverPlan";
        let mut p = Parser::new();
        let plan_id = p.uuid("plan_id", &message.plan_id);
        let request_id = p.uuid("request_id", &message.request_id);
        let school_year = p.number("school_year", message.school_year, 1900..=2200);
        p.finish()?;
        let student = super::repo::student_of(&mut *self.pool.acquire().await?, plan_id).await?;
        self.student(caller, ACTION, student).await?;
        let request = idempotency::Request::new(&caller.subject, ACTION, request_id, &message.encode_to_vec());
        let (plan, header) = carry_over::carry_over(&self.pool, &CarryOver { plan_id, school_year, request }).await?;
        Ok(CarryOverPlanResponse { plan: Some(self.shown(caller, ACTION, &plan, &header).await?) })
    }
}
