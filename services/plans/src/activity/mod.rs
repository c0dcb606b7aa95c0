//! Whole-school activities: for everybody, counted by heads; students are named where somebody wants to.

pub mod entity;
pub(crate) mod grpc;
pub mod repo;

use chassis_pg::idempotency::{self, Claim, Request};
use chassis_rpc::InvalidInput;
use chassis_rpc::fault::Violation;
use chrono::NaiveDate;
use sqlx::PgPool;
use uuid::Uuid;

use crate::calendar::today;
use crate::error::PlanError;
use crate::history::{self, Step};

use entity::Activity;

/// Adds or changes an activity.
#[derive(Clone, Debug)]
pub struct Put {
    /// As it is to be.
    pub activity: Activity,
    /// 0 for a new one, else the version read.
    pub expected_version: i64,
    /// So that it happens once.
    pub request: Request,
}

/// Adds or changes an activity. It keeps its school and year, and the days that were counted.
pub async fn put(pool: &PgPool, command: &Put) -> Result<Activity, PlanError> {
    let asked = &command.activity;
    let unknown = || PlanError::unknown(command.request.method);
    let mut tx = pool.begin().await?;
    let claim = idempotency::claim(&mut tx, &command.request).await?;
    let held = repo::lock(&mut tx, asked.activity_id).await?;
    if claim == Claim::New {
        let version = match held {
            Some(_) if command.expected_version == 0 => return Err(PlanError::Exists("activity")),
            Some(held) if held.version != command.expected_version => return Err(PlanError::Stale),
            Some(held) => {
                if (asked.school_id, asked.school_year) != (held.school_id, held.school_year) {
                    return Err(PlanError::field("activity.school_id", "and school_year cannot change; make another activity"));
                }
                if repo::counted_days(&mut tx, held.activity_id).await?.is_some_and(|(first, last)| first < asked.first_on || last > asked.last_on) {
                    return Err(PlanError::field("activity.first_on", "and last_on must hold every day that was counted"));
                }
                repo::update(&mut tx, &Activity { version: held.version + 1, ..asked.clone() }).await?;
                held.version + 1
            }
            None if command.expected_version > 0 => return Err(unknown()),
            None if repo::insert(&mut tx, asked).await? => 1,
            None => return Err(PlanError::Exists("activity")),
        };
        let step = Step { aggregate: "activity", id: asked.activity_id, version, state: "open", reason: "", by: &command.request.caller };
        history::append(&mut tx, step).await?;
    }
    let stored = repo::lock(&mut tx, asked.activity_id).await?.ok_or_else(unknown)?;
    tx.commit().await?;
    Ok(stored)
}

/// Counts a day.
#[derive(Clone, Debug)]
pub struct Count {
    /// Which activity.
    pub activity_id: Uuid,
    /// Day.
    pub on_date: NaiveDate,
    /// How many took part.
    pub count: i32,
    /// Those of them who are named.
    pub student_ids: Vec<Uuid>,
    /// So that it happens once.
    pub request: Request,
}

/// Counts a day; a second count takes the place of the first.
pub async fn count(pool: &PgPool, command: &Count) -> Result<Activity, PlanError> {
    let unknown = || PlanError::unknown(command.request.method);
    let mut tx = pool.begin().await?;
    let claim = idempotency::claim(&mut tx, &command.request).await?;
    let activity = repo::lock(&mut tx, command.activity_id).await?.ok_or_else(unknown)?;
    if claim == Claim::Replay {
        return Ok(activity);
    }
    let mut students = command.student_ids.clone();
    students.sort_unstable();
    students.dedup();
    if let Some((field, description)) = entity::refusal(&activity, command.on_date, command.count, students.len(), today()) {
        return Err(PlanError::field(field, description));
    }
    let strangers = repo::strangers(&mut tx, activity.school_id, &students).await?;
    if !strangers.is_empty() {
        let at = command.student_ids.iter().enumerate().filter(|(_, id)| strangers.contains(id));
        let violation = |(i, _)| Violation { field: format!("student_ids[{i}]"), description: "is not a student of this school".to_owned() };
        return Err(InvalidInput(at.map(violation).collect()).into());
    }
    repo::count(&mut tx, activity.activity_id, command.on_date, command.count, &students, &command.request.caller).await?;
    let counted = repo::lock(&mut tx, command.activity_id).await?.ok_or_else(unknown)?;
    tx.commit().await?;
    Ok(counted)
}
