//! Goals over the wire.

use chassis_access::Caller;
use chassis_pg::idempotency;
use chassis_rpc::Parser;
use chrono::Days;
use prost::Message as _;
use proto::plans::v1::{
    self as wire, PutGoalRequest, PutGoalResponse, RecordProgressRequest, RecordProgressResponse, TransitionGoalRequest, TransitionGoalResponse,
};
use uuid::Uuid;

use super::entity::{Domain, Goal, GoalMeasure, GoalState, GoalTransition, Progress, Sensitivity};
use crate::calendar::today;
use crate::error::PlanError;
use crate::grpc::Plans;

/// Needs that one goal is about.
const MANY: usize = 20;
/// A goal is looked at after six weeks, where nobody said when.
const SIX_WEEKS: Days = Days::new(42);

/// As the contract writes a goal.
pub fn to_wire(goal: &Goal) -> wire::Goal {
    wire::Goal {
        goal_id: goal.goal_id.to_string(),
        plan_id: goal.plan_id.to_string(),
        need_ids: goal.need_ids.iter().map(ToString::to_string).collect(),
        domain: goal.domain.into(),
        description: goal.description.clone(),
        measure: goal.measure.into(),
        baseline: goal.baseline,
        target: goal.target,
        on_scale: goal.on_scale,
        unit: goal.unit.clone(),
        starts_on: goal.starts_on.to_string(),
        target_on: goal.target_on.to_string(),
        state: goal.state.into(),
        progress: goal.progress.iter().map(point_to_wire).collect(),
        version: goal.version,
        sensitivity: goal.sensitivity.into(),
    }
}

fn point_to_wire(point: &Progress) -> wire::ProgressPoint {
    wire::ProgressPoint {
        progress_id: point.progress_id.to_string(),
        observed_on: point.observed_on.to_string(),
        value: point.value,
        note: point.note.clone(),
        recorded_by: point.recorded_by.to_string(),
    }
}

fn read(p: &mut Parser, goal: &wire::Goal) -> Goal {
    let measure = p.required_enum::<wire::GoalMeasure>("goal.measure", goal.measure).and_then(GoalMeasure::from_proto);
    let need_ids = p.uuids("goal.need_ids", &goal.need_ids, MANY);
    let domain = Domain::from_proto(p.known_enum("goal.domain", goal.domain));
    if need_ids.is_empty() && domain.is_none() {
        p.violation("goal.need_ids", "must name a need, or domain a part of the child's life");
    }
    let starts_on = p.optional_date("goal.starts_on", &goal.starts_on).unwrap_or_else(today);
    let target_on = p.optional_date("goal.target_on", &goal.target_on).unwrap_or(starts_on + SIX_WEEKS);
    if target_on < starts_on {
        p.violation("goal.target_on", "must not be before starts_on");
    }
    let read = Goal {
        goal_id: p.uuid("goal.goal_id", &goal.goal_id),
        plan_id: p.uuid("goal.plan_id", &goal.plan_id),
        student_id: Uuid::nil(),
        school_id: Uuid::nil(),
        school_year: 0,
        need_ids,
        domain: domain.unwrap_or(Domain::Academics),
        description: p.required_text("goal.description", &goal.description, 500),
        measure: measure.unwrap_or(GoalMeasure::Other),
        baseline: goal.baseline,
        target: goal.target,
        on_scale: goal.on_scale,
        unit: p.text("goal.unit", &goal.unit, 50),
        starts_on,
        target_on,
        state: GoalState::Open,
        sensitivity: Sensitivity::General,
        version: 1,
        progress: Vec::new(),
    };
    for (field, value) in [("goal.baseline", read.baseline), ("goal.target", read.target)] {
        if !read.fits(value) {
            p.violation(field, "must be 0 to 4 on the scale, or a plain number up to a million");
        }
    }
    read
}

impl Plans {
    pub(crate) async fn goal_put(&self, caller: &Caller, message: &PutGoalRequest) -> Result<PutGoalResponse, PlanError> {
        const ACTION: &str = "plans.PutGoal";
        let mut p = Parser::new();
        let request_id = p.uuid("request_id", &message.request_id);
        let goal = read(&mut p, message.goal.as_ref().unwrap_or(&wire::Goal::default()));
        p.finish()?;
        let student = crate::plan::repo::student_of(&mut *self.pool.acquire().await?, goal.plan_id).await?;
        let (_, clearance) = self.student(caller, ACTION, student).await?;
        let request = idempotency::Request::new(&caller.subject, ACTION, request_id, &message.encode_to_vec());
        let goal = super::put(&self.pool, &super::Put { goal, expected_version: message.expected_version, request }, &clearance).await?;
        Ok(PutGoalResponse { goal: Some(to_wire(&goal)) })
    }

    pub(crate) async fn goal_transition(&self, caller: &Caller, message: &TransitionGoalRequest) -> Result<TransitionGoalResponse, PlanError> {
        const ACTION: &str = "plans.TransitionGoal";
        let mut p = Parser::new();
        let goal_id = p.uuid("goal_id", &message.goal_id);
        let request_id = p.uuid("request_id", &message.request_id);
        p.one_of("transition", &message.transition, GoalTransition::CODES, false);
        p.finish()?;
        let student = super::repo::student_of(&mut *self.pool.acquire().await?, goal_id).await?;
        let (_, clearance) = self.student(caller, ACTION, student).await?;
        let command = super::Transition {
            goal_id,
            transition: GoalTransition::from_code(&message.transition).ok_or_else(|| PlanError::field("transition", "is not known"))?,
            expected_version: message.expected_version,
            request: idempotency::Request::new(&caller.subject, ACTION, request_id, &message.encode_to_vec()),
        };
        let goal = super::transition(&self.pool, &command, &clearance).await?;
        Ok(TransitionGoalResponse { goal: Some(to_wire(&goal)) })
    }

    pub(crate) async fn progress_record(&self, caller: &Caller, message: &RecordProgressRequest) -> Result<RecordProgressResponse, PlanError> {
        const ACTION: &str = "plans.RecordProgress";
        let mut p = Parser::new();
        let goal_id = p.uuid("goal_id", &message.goal_id);
        let request_id = p.uuid("request_id", &message.request_id);
        let asked = message.point.clone().unwrap_or_default();
        let point = Progress {
            progress_id: p.uuid("point.progress_id", &asked.progress_id),
            observed_on: p.date("point.observed_on", &asked.observed_on),
            value: asked.value,
            note: p.text("point.note", &asked.note, 500),
            recorded_by: caller.author(),
        };
        if point.observed_on > today() {
            p.violation("point.observed_on", "must not be in the future");
        }
        p.finish()?;
        let student = super::repo::student_of(&mut *self.pool.acquire().await?, goal_id).await?;
        let (_, clearance) = self.student(caller, ACTION, student).await?;
        let request = idempotency::Request::new(&caller.subject, ACTION, request_id, &message.encode_to_vec());
        let goal = super::record(&self.pool, &super::Record { goal_id, point, request }, &clearance).await?;
        Ok(RecordProgressResponse { goal: Some(to_wire(&goal)) })
    }
}
