//! Enrolments over the wire.

use chassis_access::Caller;
use chassis_pg::idempotency;
use chassis_rpc::Parser;
use prost::Message as _;
use proto::plans::v1::{self as wire, EnrolStudentRequest, EnrolStudentResponse, TransitionEnrolmentRequest, TransitionEnrolmentResponse};

use super::entity::{Enrolment, EnrolmentState, EnrolmentTransition};
use crate::calendar::today;
use crate::error::PlanError;
use crate::grpc::Plans;

/// As the contract writes an enrolment.
pub fn to_wire(enrolment: &Enrolment) -> wire::Enrolment {
    wire::Enrolment {
        enrolment_id: enrolment.enrolment_id.to_string(),
        plan_item_id: enrolment.plan_item_id.to_string(),
        student_id: enrolment.student_id.to_string(),
        service_id: enrolment.service_id.map(|id| id.to_string()).unwrap_or_default(),
        state: enrolment.state.into(),
        sessions_per_week: enrolment.sessions_per_week.into(),
        minutes_per_session: enrolment.minutes_per_session.into(),
        weeks: enrolment.weeks.into(),
        started_on: enrolment.started_on.map(|d| d.to_string()).unwrap_or_default(),
        ended_on: enrolment.ended_on.map(|d| d.to_string()).unwrap_or_default(),
        delivered_minutes: i32::try_from(enrolment.delivered_minutes).unwrap_or(i32::MAX),
        delivery_count: i32::try_from(enrolment.delivery_count).unwrap_or(i32::MAX),
        version: enrolment.version,
        group_id: enrolment.group_id.map(|id| id.to_string()).unwrap_or_default(),
        planned_minutes_to_date: i32::try_from(enrolment.planned_minutes(today())).unwrap_or(i32::MAX),
        absences_in_row: i32::try_from(enrolment.absences_in_row).unwrap_or(i32::MAX),
        reason: if matches!(enrolment.state, EnrolmentState::Declined | EnrolmentState::Stopped) { enrolment.reason.clone() } else { String::new() },
        need_ids: enrolment.need_ids.iter().map(ToString::to_string).collect(),
        starts_on: enrolment.starts_on.map(|d| d.to_string()).unwrap_or_default(),
        waitlist_position: i32::try_from(enrolment.waitlist_position).unwrap_or(i32::MAX),
    }
}

impl Plans {
    pub(crate) async fn enrolment_offer(&self, caller: &Caller, message: &EnrolStudentRequest) -> Result<EnrolStudentResponse, PlanError> {
        const ACTION: &str = "plans.EnrolStudent";
        let mut p = Parser::new();
        let plan_item_id = p.uuid("plan_item_id", &message.plan_item_id);
        let enrolment_id = p.uuid("enrolment_id", &message.enrolment_id);
        let service_id = p.optional_uuid("service_id", &message.service_id);
        let group_id = p.optional_uuid("group_id", &message.group_id);
        let starts_on = p.optional_date("starts_on", &message.starts_on);
        // A group has its own dose.
        let least = i32::from(group_id.is_none());
        let sessions = p.number("sessions_per_week", message.sessions_per_week, least..=14);
        let minutes = p.number("minutes_per_session", message.minutes_per_session, least..=600);
        let weeks = p.number("weeks", message.weeks, least..=60);
        let request_id = p.uuid("request_id", &message.request_id);
        p.finish()?;
        let small = |n: i32| i16::try_from(n).unwrap_or(i16::MAX);
        let student = crate::plan_item::repo::student_of(&mut *self.pool.acquire().await?, plan_item_id).await?;
        let (_, clearance) = self.student(caller, ACTION, student).await?;
        let command = super::Enrol {
            enrolment: Enrolment {
                group_id,
                starts_on,
                ..super::offered(enrolment_id, plan_item_id, service_id, (small(sessions), small(minutes), small(weeks)))
            },
            request: idempotency::Request::new(&caller.subject, ACTION, request_id, &message.encode_to_vec()),
        };
        let enrolment = super::enrol(&self.pool, &command, &clearance).await?;
        Ok(EnrolStudentResponse { enrolment: Some(to_wire(&enrolment)) })
    }

    pub(crate) async fn enrolment_transition(&self, caller: &Caller, message: &TransitionEnrolmentRequest) -> Result<TransitionEnrolmentResponse, PlanError> {
        const ACTION: &str = "plans.TransitionEnrolment";
        let mut p = Parser::new();
        let enrolment_id = p.uuid("enrolment_id", &message.enrolment_id);
        let request_id = p.uuid("request_id", &message.request_id);
        p.one_of("transition", &message.transition, EnrolmentTransition::CODES, false);
        let on_date = p.optional_date("on_date", &message.on_date);
        let override_reason = p.text("override_reason", &message.override_reason, 200);
        p.finish()?;
        let mut conn = self.pool.acquire().await?;
        let student = super::repo::students_of(&mut conn, &[enrolment_id]).await?.first().map(|(_, student)| *student);
        drop(conn);
        let (_, clearance) = self.student(caller, ACTION, student).await?;
        let command = super::Transition {
            enrolment_id,
            transition: EnrolmentTransition::from_code(&message.transition).ok_or_else(|| PlanError::field("transition", "is not known"))?,
            reason: message.reason.clone(),
            outcome: message.outcome.clone(),
            override_reason,
            on_date,
            expected_version: message.expected_version,
            request: idempotency::Request::new(&caller.subject, ACTION, request_id, &message.encode_to_vec()),
        };
        let enrolment = super::transition(&self.pool, &command, &clearance).await?;
        Ok(TransitionEnrolmentResponse { enrolment: Some(to_wire(&enrolment)) })
    }
}
