//! One tap: everybody who is active was there unless it is said otherwise. Taking a session again corrects what differs.

use std::collections::{HashMap, HashSet};

use chassis_pg::idempotency::{self, Claim, Request};
use chassis_rpc::InvalidInput;
use chassis_rpc::fault::Violation;
use chrono::NaiveDate;
use sqlx::PgPool;
use uuid::Uuid;

use super::entity::Group;
use super::repo;
use crate::calendar::today;
use crate::codes::{Attendance, DeliveryMode};
use crate::delivery::{self, entity::Delivery, no_shows};
use crate::error::PlanError;
use crate::plan_item::{self, entity::Item};
use crate::sight::Sight;

/// How one member did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// Who.
    pub enrolment_id: Uuid,
    /// Whether they were there.
    pub attendance: Attendance,
    /// Delivered minutes; 0 where not given.
    pub delivered_minutes: i16,
    /// In words.
    pub note: String,
}

/// Takes attendance of one session.
#[derive(Clone, Debug)]
pub struct Take {
    /// Which group.
    pub group_id: Uuid,
    /// The caller sees its members as its leader.
    pub leads: bool,
    /// Day of the session.
    pub session_on: NaiveDate,
    /// Those who were not simply there.
    pub marks: Vec<Mark>,
    /// The session was called off for everybody.
    pub for_all: Option<Attendance>,
    /// Absences in a row that raise a follow-up.
    pub no_show_limit: i64,
    /// So that it happens once.
    pub request: Request,
}

/// What came of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Taken {
    /// Deliveries that were stored.
    pub stored: i64,
    /// Enrolments that a follow-up was raised for.
    pub no_shows: Vec<Uuid>,
}

/// The delivery that a mark, or none, comes to.
pub fn session(group: &Group, enrolment_id: Uuid, day: NaiveDate, mark: Option<&Mark>, for_all: Option<Attendance>) -> Delivery {
    let attendance = for_all.or_else(|| mark.map(|m| m.attendance)).unwrap_or(Attendance::Present);
    let planned = group.minutes_per_session;
    let delivered = match (attendance, mark) {
        (Attendance::Present, Some(mark)) if mark.delivered_minutes > 0 => mark.delivered_minutes,
        (Attendance::Present, _) => planned,
        (Attendance::Partial, mark) => mark.map_or(0, |m| m.delivered_minutes),
        _ => 0,
    };
    Delivery {
        mode: Some(DeliveryMode::SmallGroup),
        note: mark.map(|m| m.note.clone()).unwrap_or_default(),
        group_id: Some(group.group_id),
        ..Delivery::plain(Uuid::now_v7(), enrolment_id, day, (planned, delivered), attendance)
    }
}

/// What is wrong with the marks; `known` are the members that the caller may see and who were in the group on that day.
fn violations(command: &Take, known: &HashSet<Uuid>) -> Vec<Violation> {
    let mut violations = Vec::new();
    let mut seen = HashSet::new();
    for (i, mark) in command.marks.iter().enumerate() {
        let mut say = |field: &str, description: &str| {
            violations.push(Violation { field: format!("marks[{i}].{field}"), description: description.to_owned() });
        };
        if !known.contains(&mark.enrolment_id) {
            say("enrolment_id", "is not an active member of this group on that day; GetGroup answers them");
        } else if !seen.insert(mark.enrolment_id) {
            say("enrolment_id", "is marked twice");
        }
        match mark.attendance {
            Attendance::Partial if mark.delivered_minutes == 0 => say("delivered_minutes", "must say for how long, where attendance is partial"),
            a if (a.is_absence() || a.is_called_off()) && mark.delivered_minutes > 0 => say("delivered_minutes", "must be 0 where the student was not there"),
            _ => {}
        }
    }
    violations
}

/// Takes attendance of the members that the caller may see: all or none.
pub async fn take(pool: &PgPool, command: &Take, sight: &Sight) -> Result<Taken, PlanError> {
    let mut tx = pool.begin().await?;
    let claim = idempotency::claim(&mut tx, &command.request).await?;
    if claim == Claim::Replay {
        let stored = delivery::repo::count_of_request(&mut tx, command.request.request_id, &command.request.caller).await?;
        return Ok(Taken { stored, no_shows: Vec::new() });
    }
    let group = repo::lock(&mut tx, command.group_id).await?.ok_or_else(|| PlanError::unknown(command.request.method))?;
    if command.session_on > today() {
        return Err(PlanError::field("session_on", "must not be in the future"));
    }
    if command.session_on < group.first_on || command.session_on > group.last_on {
        return Err(PlanError::field("session_on", format!("must be from {} to {}, the days of the group", group.first_on, group.last_on)));
    }
    let mut members = repo::members(&mut tx, group.group_id, command.leads, sight).await?;
    members.retain(|m| m.active && m.started_on.is_some_and(|start| start <= command.session_on));
    let ids: Vec<Uuid> = members.iter().map(|m| m.enrolment_id).collect();
    let wrong = violations(command, &ids.iter().copied().collect());
    if !wrong.is_empty() {
        return Err(InvalidInput(wrong).into());
    }
    // Kept from ending meanwhile; one that ended in between is left out.
    let mut held = delivery::repo::enrolments(&mut tx, &ids).await?;
    held.retain(|e| e.ended_on.is_none());
    let item_ids: Vec<Uuid> = held.iter().map(|e| e.plan_item_id).collect();
    let items: HashMap<Uuid, Item> = plan_item::repo::by_ids(&mut tx, &item_ids).await?.into_iter().map(|i| (i.plan_item_id, i)).collect();
    let of: HashMap<Uuid, &Item> = held.iter().filter_map(|e| Some((e.enrolment_id, items.get(&e.plan_item_id)?))).collect();

    let marks: HashMap<Uuid, &Mark> = command.marks.iter().map(|m| (m.enrolment_id, m)).collect();
    let before: HashMap<Uuid, Delivery> =
        delivery::repo::of_session(&mut tx, group.group_id, command.session_on).await?.into_iter().map(|d| (d.enrolment_id, d)).collect();
    let mut fresh = Vec::new();
    let mut pairs = Vec::new();
    for id in of.keys() {
        let mut now = session(&group, *id, command.session_on, marks.get(id).copied(), command.for_all);
        // Who corrects the others takes no note away.
        if let Some(stood) = before.get(id).filter(|stood| stood.attendance == now.attendance && now.note.is_empty()) {
            now.note.clone_from(&stood.note);
        }
        match before.get(id) {
            Some(stood) if stood.says_the_same(&now) => continue,
            Some(stood) => {
                now.supersedes_id = Some(stood.delivery_id);
                pairs.push((stood.delivery_id, now.delivery_id));
            }
            None => {}
        }
        fresh.push(now);
    }
    let stored = delivery::store(&mut tx, &fresh.iter().collect::<Vec<_>>(), &of, &command.request).await?;
    if delivery::repo::supersede(&mut tx, &pairs, "", &command.request.caller).await? != pairs.len() {
        return Err(PlanError::Stale);
    }
    let no_shows = no_shows::look(&mut tx, &of, command.no_show_limit).await?;
    tx.commit().await?;
    Ok(Taken { stored: i64::try_from(stored.len()).unwrap_or(i64::MAX), no_shows })
}
