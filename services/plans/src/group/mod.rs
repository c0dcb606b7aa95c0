//! A school's own groups: their schedule, their places, and attendance by one tap.

pub mod attendance;
pub mod entity;
pub(crate) mod grpc;
pub mod repo;

use std::collections::HashMap;

use chassis_pg::idempotency::{self, Claim, Request};
use chrono::NaiveDate;
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use crate::calendar::today;
use crate::codes::Attendance;
use crate::enrolment::{self, entity::Enrolment};
use crate::error::PlanError;
use crate::history::{self, Step};
use crate::sight::Sight;

use entity::Group;

/// Adds or changes a group.
#[derive(Clone, Debug)]
pub struct Put {
    /// As it is to be.
    pub group: Group,
    /// 0 for a new one, else the version read.
    pub expected_version: i64,
    /// So that it happens once.
    pub request: Request,
}

/// Adds or changes a group. It keeps its school and year, and never has fewer places than are held.
pub async fn put(pool: &PgPool, command: &Put, sight: &Sight) -> Result<Group, PlanError> {
    let asked = &command.group;
    let mut tx = pool.begin().await?;
    let claim = idempotency::claim(&mut tx, &command.request).await?;
    let held = repo::lock(&mut tx, asked.group_id).await?;
    if claim == Claim::New {
        let version = match held {
            None if command.expected_version == 0 => {
                if !repo::insert(&mut tx, asked).await? {
                    return Err(PlanError::Exists("group"));
                }
                1
            }
            Some(_) if command.expected_version == 0 => return Err(PlanError::Exists("group")),
            None => return Err(PlanError::unknown(command.request.method)),
            Some(held) => {
                change(&mut tx, &held, command).await?;
                held.version + 1
            }
        };
        let step = Step { aggregate: "group", id: asked.group_id, version, state: "open", reason: "", by: &command.request.caller };
        history::append(&mut tx, step).await?;
    }
    let stored = find(&mut tx, asked.group_id, sight).await?.ok_or_else(|| PlanError::unknown(command.request.method))?;
    tx.commit().await?;
    Ok(stored)
}

async fn change(conn: &mut PgConnection, held: &Group, command: &Put) -> Result<(), PlanError> {
    let asked = &command.group;
    if held.version != command.expected_version {
        return Err(PlanError::Stale);
    }
    if (asked.school_id, asked.school_year) != (held.school_id, held.school_year) {
        return Err(PlanError::field("group.school_id", "and school_year cannot change; make another group"));
    }
    if repo::taken_places(conn, held.group_id).await? > i64::from(asked.capacity) {
        return Err(PlanError::field("group.capacity", "must not be below the places that are held"));
    }
    Ok(repo::update(conn, &Group { version: held.version + 1, ..asked.clone() }).await?)
}

/// One group.
pub async fn find(conn: &mut PgConnection, group_id: Uuid, sight: &Sight) -> Result<Option<Group>, PlanError> {
    let query = repo::ListQuery { ids: Some(&[group_id]), limit: 1, ..repo::ListQuery::default() };
    Ok(repo::list(conn, &query, sight).await?.pop())
}

/// A member as a caller may see them.
#[derive(Clone, Debug)]
pub struct SeenMember {
    /// The enrolment; without its item, needs and reason where only the membership may be seen.
    pub enrolment: Enrolment,
    /// Whether the item may be seen too.
    pub item_seen: bool,
    /// Attendance, newest first.
    pub sessions: Vec<Attendance>,
    /// What stands of the session that was asked for, with its delivered minutes.
    pub standing: Option<(Attendance, i16)>,
}

/// A group with its members and sessions.
#[derive(Clone, Debug)]
pub struct WholeGroup {
    /// The group.
    pub group: Group,
    /// Members that may be seen.
    pub members: Vec<SeenMember>,
    /// Sessions that are due and have no attendance, newest first.
    pub open_sessions: Vec<NaiveDate>,
    /// Sessions with attendance, newest first.
    pub taken_sessions: Vec<NaiveDate>,
}

const SESSIONS: usize = 20;

/// A group as its leader or somebody of its school sees it, and what stands of one of its sessions.
pub async fn get(pool: &PgPool, group: Group, leads: bool, session_on: Option<NaiveDate>, sight: &Sight) -> Result<WholeGroup, PlanError> {
    let mut conn = pool.acquire().await?;
    let members = repo::members(&mut conn, group.group_id, leads, sight).await?;
    let ids: Vec<Uuid> = members.iter().map(|m| m.enrolment_id).collect();
    let mut sessions: HashMap<Uuid, Vec<_>> = HashMap::new();
    for (enrolment, attendance) in repo::attendance(&mut conn, &ids).await? {
        sessions.entry(enrolment).or_default().push(attendance);
    }
    let stands = match session_on {
        Some(day) => repo::standing(&mut conn, group.group_id, day, &ids).await?,
        None => Vec::new(),
    };
    let stands: HashMap<Uuid, (Attendance, i16)> = stands.into_iter().map(|(enrolment, attendance, minutes)| (enrolment, (attendance, minutes))).collect();
    // A session is taken for this caller once one of the members they see has it: others say nothing of what is hidden.
    let most = i64::try_from(SESSIONS * 10).unwrap_or(i64::MAX);
    let mut taken_sessions = repo::taken_sessions(&mut conn, group.group_id, &ids, most).await?;
    let mut open_sessions = group.sessions_until(today(), SESSIONS * 10);
    let earliest = members.iter().filter_map(|m| m.started_on).min();
    open_sessions.retain(|day| !taken_sessions.contains(day) && earliest.is_some_and(|first| *day >= first));
    open_sessions.truncate(SESSIONS);
    taken_sessions.truncate(SESSIONS);
    let seen: HashMap<Uuid, bool> = members.iter().map(|m| (m.enrolment_id, m.item_seen)).collect();
    let members = enrolment::repo::by_ids(&mut conn, &ids).await?.into_iter().map(|enrolment| SeenMember {
        item_seen: seen.get(&enrolment.enrolment_id).copied().unwrap_or(false),
        sessions: sessions.remove(&enrolment.enrolment_id).unwrap_or_default(),
        standing: stands.get(&enrolment.enrolment_id).copied(),
        enrolment,
    });
    Ok(WholeGroup { group, members: members.collect(), open_sessions, taken_sessions })
}
