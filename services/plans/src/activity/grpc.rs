//! Whole-school activities over the wire.

use chassis_access::{Caller, Record};
use chassis_pg::idempotency;
use chassis_rpc::Parser;
use prost::Message as _;
use proto::plans::v1::{
    self as wire, ListActivitiesRequest, ListActivitiesResponse, PutActivityRequest, PutActivityResponse, RecordParticipationRequest,
    RecordParticipationResponse,
};

use super::entity::Activity;
use super::repo;
use crate::calendar::{school_year, today};
use crate::error::PlanError;
use crate::grpc::{Plans, is_code};

/// Students who may be named of one day.
const MANY: usize = 2_000;

fn to_wire(activity: &Activity) -> wire::Activity {
    let count = |n: i64| i32::try_from(n).unwrap_or(i32::MAX);
    wire::Activity {
        activity_id: activity.activity_id.to_string(),
        school_id: activity.school_id.to_string(),
        school_year: activity.school_year,
        name: activity.name.clone(),
        service_category: activity.service_category.clone(),
        first_on: activity.first_on.to_string(),
        last_on: activity.last_on.to_string(),
        participation_count: count(activity.participation_count),
        student_count: count(activity.student_count),
        version: activity.version,
    }
}

impl Plans {
    pub(crate) async fn activity_put(&self, caller: &Caller, message: &PutActivityRequest) -> Result<PutActivityResponse, PlanError> {
        const ACTION: &str = "plans.PutActivity";
        let mut p = Parser::new();
        let request_id = p.uuid("request_id", &message.request_id);
        let given = message.activity.clone().unwrap_or_default();
        if !is_code(&given.service_category) {
            p.violation("activity.service_category", "must be a code such as CC-EXP");
        }
        let activity = Activity {
            activity_id: p.uuid("activity.activity_id", &given.activity_id),
            school_id: p.uuid("activity.school_id", &given.school_id),
            school_year: p.number("activity.school_year", given.school_year, 1900..=2200),
            name: p.required_text("activity.name", &given.name, 100),
            service_category: given.service_category,
            first_on: p.date("activity.first_on", &given.first_on),
            last_on: p.date("activity.last_on", &given.last_on),
            participation_count: 0,
            student_count: 0,
            version: 1,
        };
        if activity.last_on < activity.first_on {
            p.violation("activity.last_on", "must not be before first_on");
        }
        p.finish()?;
        self.access.authorize(caller, ACTION, &Record::school(activity.school_id))?;
        let command = super::Put {
            activity,
            expected_version: message.expected_version,
            request: idempotency::Request::new(&caller.subject, ACTION, request_id, &message.encode_to_vec()),
        };
        let stored = super::put(&self.pool, &command).await?;
        // An id may name an activity of another school; its school decides too.
        self.access.authorize(caller, ACTION, &Record::school(stored.school_id))?;
        Ok(PutActivityResponse { activity: Some(to_wire(&stored)) })
    }

    pub(crate) async fn participation_record(&self, caller: &Caller, message: &RecordParticipationRequest) -> Result<RecordParticipationResponse, PlanError> {
        const ACTION: &str = "plans.RecordParticipation";
        let mut p = Parser::new();
        let activity_id = p.uuid("activity_id", &message.activity_id);
        let on_date = p.date("on_date", &message.on_date);
        let count = p.number("count", message.count, 0..=100_000);
        let student_ids = p.uuids("student_ids", &message.student_ids, MANY);
        let request_id = p.uuid("request_id", &message.request_id);
        p.finish()?;
        let school = repo::school_of(&mut *self.pool.acquire().await?, activity_id).await?;
        self.access.authorize(caller, ACTION, &school.map(Record::school).unwrap_or_default())?;
        let request = idempotency::Request::new(&caller.subject, ACTION, request_id, &message.encode_to_vec());
        let activity = super::count(&self.pool, &super::Count { activity_id, on_date, count, student_ids, request }).await?;
        Ok(RecordParticipationResponse { activity: Some(to_wire(&activity)) })
    }

    pub(crate) async fn activity_list(&self, caller: &Caller, message: &ListActivitiesRequest) -> Result<ListActivitiesResponse, PlanError> {
        const ACTION: &str = "plans.ListActivities";
        let mut p = Parser::new();
        let school_id = p.uuid("school_id", &message.school_id);
        let year = if message.school_year == 0 { school_year(today()) } else { p.number("school_year", message.school_year, 1900..=2200) };
        p.finish()?;
        let granted = self.access.authorize(caller, ACTION, &Record::school(school_id))?;
        let activities = repo::list(&mut *self.pool.acquire().await?, None, Some(school_id), year).await?;
        Ok(ListActivitiesResponse { activities: activities.iter().map(to_wire).collect(), access_basis: granted.basis })
    }
}
