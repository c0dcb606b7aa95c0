//! SQL of groups.

use chassis_pg::{DbError, expect_one};
use chrono::NaiveDate;
use sqlx::PgConnection;
use uuid::Uuid;

use super::entity::Group;
use crate::codes::Attendance;
use crate::sight::Sight;

/// Writes a new group. False where its id is taken.
pub async fn insert(conn: &mut PgConnection, group: &Group) -> Result<bool, DbError> {
    let done = sqlx::query!(
        "insert into plans.service_group (group_id, school_id, school_year, name, service_category, leader_id, weekdays, starts_at, minutes_per_session, first_on,
                                          last_on, capacity, no_show_limit)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) on conflict do nothing",
        group.group_id,
        group.school_id,
        group.school_year,
        group.name,
        group.service_category,
        group.leader_id,
        &group.weekdays,
        group.starts_at,
        group.minutes_per_session,
        group.first_on,
        group.last_on,
        group.capacity,
        group.no_show_limit
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Writes a group over the version before it.
pub async fn update(conn: &mut PgConnection, group: &Group) -> Result<(), DbError> {
    let done = sqlx::query!(
        "update plans.service_group set name = $2, service_category = $3, leader_id = $4, weekdays = $5, starts_at = $6, minutes_per_session = $7, first_on = $8,
                last_on = $9, capacity = $10, no_show_limit = $11, version = $12, updated_at = now()
         where group_id = $1 and version = $12::bigint - 1",
        group.group_id,
        group.name,
        group.service_category,
        group.leader_id,
        &group.weekdays,
        group.starts_at,
        group.minutes_per_session,
        group.first_on,
        group.last_on,
        group.capacity,
        group.no_show_limit,
        group.version
    )
    .execute(conn)
    .await?;
    expect_one(&done)
}

/// A group, locked: who takes a place and who takes attendance wait for one another. Members are not counted.
pub async fn lock(conn: &mut PgConnection, group_id: Uuid) -> Result<Option<Group>, DbError> {
    Ok(sqlx::query_as!(
        Group,
        r#"select group_id, school_id, school_year, name, service_category, leader_id, weekdays, starts_at, minutes_per_session, first_on, last_on, capacity,
                  no_show_limit, 0::bigint as "member_count!", version
           from plans.service_group where group_id = $1 for update"#,
        group_id
    )
    .fetch_optional(conn)
    .await?)
}

/// Places that are held: from the offer until the service ends.
pub async fn taken_places(conn: &mut PgConnection, group_id: Uuid) -> Result<i64, DbError> {
    Ok(sqlx::query_scalar!(
        r#"select count(*) as "count!" from plans.service_enrolment where group_id = $1 and state in ('offered', 'accepted', 'active', 'paused')"#,
        group_id
    )
    .fetch_one(conn)
    .await?)
}

/// Which groups.
#[derive(Clone, Debug, Default)]
pub struct ListQuery<'q> {
    /// Only these.
    pub ids: Option<&'q [Uuid]>,
    /// Only of this school.
    pub school_id: Option<Uuid>,
    /// Only those that they lead.
    pub leader_id: Option<Uuid>,
    /// Only of this school year.
    pub school_year: Option<i32>,
    /// Groups after this one, by name.
    pub after: Option<(String, Uuid)>,
    /// How many.
    pub limit: i64,
}

/// Groups by name, with the members that a caller may see.
pub async fn list(conn: &mut PgConnection, query: &ListQuery<'_>, sight: &Sight) -> Result<Vec<Group>, DbError> {
    let (after_name, after_id) = query.after.clone().unzip();
    Ok(sqlx::query_as!(
        Group,
        r#"select g.group_id, g.school_id, g.school_year, g.name, g.service_category, g.leader_id, g.weekdays, g.starts_at, g.minutes_per_session, g.first_on,
                  g.last_on, g.capacity, g.no_show_limit, m.number as "member_count!", g.version
           from plans.service_group g
           cross join lateral (
               select count(*) as number from plans.service_enrolment e join plans.plan_item i using (plan_item_id) join plans.plan p using (plan_id)
               where e.group_id = g.group_id and e.state in ('active', 'paused')
                 and (i.sensitivity <> 'protected' or plans.sees_need(p.student_id, 'protected', '', '{}', '{}', '{}', $7, $8::uuid[], $9::uuid[]))) m
           where ($1::uuid[] is null or g.group_id = any($1)) and ($2::uuid is null or g.school_id = $2) and ($3::uuid is null or g.leader_id = $3)
             and ($4::integer is null or g.school_year = $4) and ($5::text is null or (g.name, g.group_id) > ($5, $6::uuid))
           order by g.name, g.group_id limit $10"#,
        query.ids,
        query.school_id,
        query.leader_id,
        query.school_year,
        after_name,
        after_id,
        sight.protected_everywhere,
        &sight.protected_places,
        &sight.protected_students,
        query.limit
    )
    .fetch_all(conn)
    .await?)
}

/// Somebody in a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Member {
    /// The enrolment.
    pub enrolment_id: Uuid,
    /// Who.
    pub student_id: Uuid,
    /// Whether attendance is taken of them.
    pub active: bool,
    /// First day.
    pub started_on: Option<NaiveDate>,
    /// Last day.
    pub ended_on: Option<NaiveDate>,
    /// Whether the caller may see all that the item answers, and not only that the student is a member.
    pub item_seen: bool,
}

/// Members of a group whose enrolment goes on. A leader sees all but those of protected items; others as their sight is.
pub async fn members(conn: &mut PgConnection, group_id: Uuid, leads: bool, sight: &Sight) -> Result<Vec<Member>, DbError> {
    Ok(sqlx::query_as!(
        Member,
        r#"select e.enrolment_id, p.student_id, e.state = 'active' as "active!", e.started_on, e.ended_on, s.item_seen as "item_seen!"
           from plans.service_enrolment e join plans.plan_item i using (plan_item_id) join plans.plan p using (plan_id)
           cross join lateral (
               select not exists (
                   select from plans.plan_item_need l join plans.need n using (need_id)
                   where l.plan_item_id = i.plan_item_id
                     and not plans.sees_need(p.student_id, n.sensitivity, n.domain, $3::text[], $4::uuid[], $5::text[], $6, $7::uuid[], $8::uuid[])) as item_seen,
                   i.sensitivity <> 'protected' or plans.sees_need(p.student_id, 'protected', '', '{}', '{}', '{}', $6, $7::uuid[], $8::uuid[]) as on_case) s
           where e.group_id = $1 and e.state in ('active', 'paused') and s.on_case and (s.item_seen or $2)
           order by e.enrolment_id"#,
        group_id,
        leads,
        &sight.restricted_everywhere,
        &sight.restricted_places,
        &sight.restricted_domains,
        sight.protected_everywhere,
        &sight.protected_places,
        &sight.protected_students
    )
    .fetch_all(conn)
    .await?)
}

/// Days of which attendance was taken, newest first.
pub async fn taken_sessions(conn: &mut PgConnection, group_id: Uuid, enrolment_ids: &[Uuid], limit: i64) -> Result<Vec<NaiveDate>, DbError> {
    Ok(sqlx::query_scalar!(
        r#"select distinct delivered_on as "day!" from plans.standing_delivery where group_id = $1 and enrolment_id = any($2) order by 1 desc limit $3"#,
        group_id,
        enrolment_ids,
        limit
    )
    .fetch_all(conn)
    .await?)
}

/// What stands of one session of a group: the enrolment, its attendance and the delivered minutes.
pub async fn standing(conn: &mut PgConnection, group_id: Uuid, day: NaiveDate, enrolment_ids: &[Uuid]) -> Result<Vec<(Uuid, Attendance, i16)>, DbError> {
    let rows = sqlx::query!(
        r#"select enrolment_id as "enrolment_id!", attendance as "attendance!: Attendance", delivered_minutes as "minutes!" from plans.standing_delivery
           where group_id = $1 and delivered_on = $2 and enrolment_id = any($3) order by delivery_id"#,
        group_id,
        day,
        enrolment_ids
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|r| (r.enrolment_id, r.attendance, r.minutes)).collect())
}

/// Attendance of enrolments, newest first.
pub async fn attendance(conn: &mut PgConnection, enrolment_ids: &[Uuid]) -> Result<Vec<(Uuid, Attendance)>, DbError> {
    let rows = sqlx::query!(
        r#"select enrolment_id as "enrolment_id!", attendance as "attendance!: Attendance" from plans.standing_delivery
           where enrolment_id = any($1) order by delivered_on desc, delivery_id desc"#,
        enrolment_ids
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|r| (r.enrolment_id, r.attendance)).collect())
}
