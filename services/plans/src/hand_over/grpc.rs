//! Hand-overs over the wire.

use chassis_access::{Caller, Record};
use chassis_pg::idempotency;
use chassis_rpc::Parser;
use chrono::Utc;
use prost::Message as _;
use proto::plans::v1::{
    self as wire, ListTransitionsRequest, ListTransitionsResponse, StartTransitionRequest, StartTransitionResponse, UpdateTransitionRequest,
    UpdateTransitionResponse,
};
use uuid::Uuid;

use super::entity::{HandOver, KINDS, Move, STEPS, TransitionState};
use super::{Change, repo};
use crate::error::PlanError;
use crate::grpc::Plans;
use crate::need;
use crate::plan::events::timestamp;
use crate::sight::{Whose, may_see};

fn to_wire(hand_over: &HandOver, need_ids: Vec<String>) -> wire::Transition {
    let id = |id: Option<Uuid>| id.map(|id| id.to_string()).unwrap_or_default();
    let steps = hand_over.checklist.iter();
    wire::Transition {
        transition_id: hand_over.transition_id.to_string(),
        student_id: hand_over.student_id.to_string(),
        from_school_id: id(hand_over.from_school_id),
        to_school_id: id(hand_over.to_school_id),
        kind: hand_over.kind.clone(),
        first_day_on: hand_over.first_day_on.to_string(),
        state: hand_over.state.into(),
        note: hand_over.note.clone(),
        answer_note: hand_over.answer_note.clone(),
        checklist: steps.map(|(step, done)| wire::ChecklistStep { step: step.clone(), done_on: done.map(|d| d.to_string()).unwrap_or_default() }).collect(),
        offered_by: hand_over.offered_by.to_string(),
        accepted_by: id(hand_over.accepted_by),
        offer_time: Some(timestamp(hand_over.offered_at)),
        answer_time: hand_over.answered_at.map(timestamp),
        version: hand_over.version,
        need_ids,
    }
}

impl Plans {
    /// As the contract writes hand-overs, with the open needs that this caller may see: until the roster says so, the receiving
    /// school is told of what is general only.
    async fn hand_overs_shown(&self, caller: &Caller, hand_overs: &[HandOver]) -> Result<Vec<wire::Transition>, PlanError> {
        let students: Vec<Uuid> = hand_overs.iter().map(|h| h.student_id).collect();
        let needs = need::repo::open_of_students(&mut *self.pool.acquire().await?, &students).await?;
        let mut shown = Vec::with_capacity(hand_overs.len());
        for hand_over in hand_overs {
            // Remembered for seconds; a list names few students twice.
            let record = self.access.relationships().record_of_student(hand_over.student_id).await?;
            let clearance = self.access.clearance(caller, &record);
            let seen = needs.iter().filter(|n| n.student_id == hand_over.student_id && may_see(&clearance, n.sensitivity, n.domain));
            shown.push(to_wire(hand_over, seen.map(|n| n.need_id.to_string()).collect()));
        }
        Ok(shown)
    }

    async fn hand_over_shown(&self, caller: &Caller, hand_over: &HandOver) -> Result<Option<wire::Transition>, PlanError> {
        Ok(self.hand_overs_shown(caller, std::slice::from_ref(hand_over)).await?.pop())
    }

    pub(crate) async fn hand_over_start(&self, caller: &Caller, message: &StartTransitionRequest) -> Result<StartTransitionResponse, PlanError> {
        const ACTION: &str = "plans.StartTransition";
        let mut p = Parser::new();
        let request_id = p.uuid("request_id", &message.request_id);
        let asked = message.transition.clone().unwrap_or_default();
        let student_id = p.uuid("transition.student_id", &asked.student_id);
        let to_school_id = p.optional_uuid("transition.to_school_id", &asked.to_school_id);
        let kind = p.one_of("transition.kind", &asked.kind, &KINDS, false);
        if to_school_id.is_none() && kind != "out_of_district" {
            p.violation("transition.to_school_id", "must name the receiving school, unless the student leaves the district");
        }
        let transition_id = p.uuid("transition.transition_id", &asked.transition_id);
        let first_day_on = p.date("transition.first_day_on", &asked.first_day_on);
        let note = p.text("transition.note", &asked.note, 2000);
        p.finish()?;
        let record = self.access.relationships().record_of_student(student_id).await?;
        self.access.authorize(caller, ACTION, &record)?;
        let own = caller.at.get("coordinator").and_then(|schools| record.schools.iter().find(|s| schools.contains(s)).copied());
        let from_school_id = own.or_else(|| record.schools.first().copied());
        if from_school_id.is_some() && from_school_id == to_school_id && kind != "grade" {
            return Err(PlanError::field("transition.to_school_id", "must be another school than the student's own"));
        }
        let hand_over = HandOver {
            transition_id,
            student_id,
            from_school_id,
            to_school_id,
            kind,
            first_day_on,
            state: TransitionState::Offered,
            note,
            answer_note: String::new(),
            offered_by: caller.author(),
            accepted_by: None,
            offered_at: Utc::now(),
            answered_at: None,
            version: 1,
            checklist: Vec::new(),
        };
        let request = idempotency::Request::new(&caller.subject, ACTION, request_id, &message.encode_to_vec());
        let stored = super::start(&self.pool, &hand_over, &request).await?;
        Ok(StartTransitionResponse { transition: self.hand_over_shown(caller, &stored).await? })
    }

    pub(crate) async fn hand_over_update(&self, caller: &Caller, message: &UpdateTransitionRequest) -> Result<UpdateTransitionResponse, PlanError> {
        const ACTION: &str = "plans.UpdateTransition";
        let mut p = Parser::new();
        let transition_id = p.uuid("transition_id", &message.transition_id);
        let request_id = p.uuid("request_id", &message.request_id);
        p.one_of("transition", &message.transition, Move::CODES, true);
        let by = Move::from_code(&message.transition);
        let note = if by == Some(Move::Return) { p.required_text("note", &message.note, 1000) } else { p.text("note", &message.note, 1000) };
        if message.done_steps.len() > STEPS.len() || !message.done_steps.iter().all(|s| STEPS.contains(&s.as_str())) {
            p.violation("done_steps", format!("must be steps of the checklist: {}", STEPS.join(", ")));
        }
        if by.is_none() && message.done_steps.is_empty() {
            p.violation("transition", "must be given, or done_steps");
        }
        p.finish()?;
        let held = repo::by_id(&mut *self.pool.acquire().await?, transition_id).await?.ok_or_else(|| PlanError::unknown(ACTION))?;
        // Each side does its own; ticks are either's.
        let side = |school: Option<Uuid>| school.map(|s| self.access.authorize(caller, ACTION, &Record::school(s)));
        match by {
            Some(by) => {
                let school = if by.is_receiving() { held.to_school_id } else { held.from_school_id };
                side(school).unwrap_or_else(|| Err(chassis_access::AccessError::Denied { action: ACTION.to_owned() }))?;
            }
            None => {
                side(held.from_school_id)
                    .into_iter()
                    .chain(side(held.to_school_id))
                    .find(Result::is_ok)
                    .unwrap_or_else(|| Err(chassis_access::AccessError::Denied { action: ACTION.to_owned() }))?;
            }
        }
        let command = Change {
            transition_id,
            by,
            note,
            done_steps: message.done_steps.clone(),
            staff_id: caller.author(),
            expected_version: message.expected_version,
            request: idempotency::Request::new(&caller.subject, ACTION, request_id, &message.encode_to_vec()),
        };
        let stored = super::change(&self.pool, &command).await?;
        Ok(UpdateTransitionResponse { transition: self.hand_over_shown(caller, &stored).await? })
    }

    pub(crate) async fn hand_over_list(&self, caller: &Caller, message: &ListTransitionsRequest) -> Result<ListTransitionsResponse, PlanError> {
        const ACTION: &str = "plans.ListTransitions";
        let mut p = Parser::new();
        let school = p.optional_uuid("school_id", &message.school_id);
        let student_id = p.optional_uuid("student_id", &message.student_id);
        p.finish()?;
        let (basis, whose) = match (school, student_id) {
            (Some(school), _) => (self.access.authorize(caller, ACTION, &Record::school(school))?.basis, Whose::of(school)),
            (None, Some(student)) => (self.student(caller, ACTION, Some(student)).await?.0.basis, Whose { everything: true, places: Vec::new() }),
            (None, None) => {
                let scope = self.access.scope(caller, ACTION)?;
                (scope.basis.clone(), Whose { everything: scope.everything, places: scope.schools })
            }
        };
        let rows = repo::list(&mut *self.pool.acquire().await?, &whose, student_id, message.open_only).await?;
        self.access.log_read(caller, ACTION, &basis, chassis_access::Sensitivity::General, student_id.or(school), rows.len()).await?;
        Ok(ListTransitionsResponse { transitions: self.hand_overs_shown(caller, &rows).await?, access_basis: basis })
    }
}
