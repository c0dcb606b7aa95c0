//! SQL of check-ins.

use std::collections::HashMap;

use chassis_pg::DbError;
use sqlx::PgConnection;
use uuid::Uuid;

use super::entity::{CheckIn, Note};

/// Notes that a check-in is shown with.
const NEWEST: i64 = 50;

/// Check-ins by id with their newest notes, oldest first.
pub async fn by_ids(conn: &mut PgConnection, ids: &[Uuid]) -> Result<Vec<CheckIn>, DbError> {
    let mut notes: HashMap<Uuid, Vec<Note>> = HashMap::new();
    let rows = sqlx::query!(
        r#"select c.check_in_id as "check_in_id!", n.note_id, n.on_date, n.happened, n.from_staff, n.from_family, n.recorded_by
           from unnest($1::uuid[]) as c(check_in_id)
           cross join lateral (select * from plans.check_in_note h where h.check_in_id = c.check_in_id order by h.on_date desc limit $2) n
           order by n.on_date desc"#,
        ids,
        NEWEST
    )
    .fetch_all(&mut *conn)
    .await?;
    for r in rows {
        let note = Note {
            note_id: r.note_id,
            on_date: r.on_date,
            happened: r.happened,
            from_staff: r.from_staff,
            from_family: r.from_family,
            recorded_by: r.recorded_by,
        };
        notes.entry(r.check_in_id).or_default().push(note);
    }
    let rows = sqlx::query!(
        r#"select check_in_id, plan_id, staff_id, with_whom, every_weeks, weekday, about, starts_on, ends_on, version,
                  (select count(*) from plans.check_in_note n where n.check_in_id = c.check_in_id and n.happened) as "happened!"
           from plans.check_in c where check_in_id = any($1) order by created_at, check_in_id"#,
        ids
    )
    .fetch_all(conn)
    .await?;
    let found = rows.into_iter().map(|r| CheckIn {
        notes: notes.remove(&r.check_in_id).unwrap_or_default(),
        check_in_id: r.check_in_id,
        plan_id: r.plan_id,
        staff_id: r.staff_id,
        with_whom: r.with_whom,
        every_weeks: r.every_weeks,
        weekday: r.weekday,
        about: r.about,
        starts_on: r.starts_on,
        ends_on: r.ends_on,
        version: r.version,
        happened: r.happened,
    });
    Ok(found.collect())
}

/// Check-ins of a plan.
pub async fn of_plan(conn: &mut PgConnection, plan_id: Uuid) -> Result<Vec<CheckIn>, DbError> {
    let ids = sqlx::query_scalar!("select check_in_id from plans.check_in where plan_id = $1", plan_id).fetch_all(&mut *conn).await?;
    by_ids(conn, &ids).await
}

/// The plan of a check-in, and whose it is.
pub async fn place_of(conn: &mut PgConnection, check_in_id: Uuid) -> Result<Option<(Uuid, Uuid)>, DbError> {
    let found = sqlx::query!("select c.plan_id, p.student_id from plans.check_in c join plans.plan p using (plan_id) where c.check_in_id = $1", check_in_id)
        .fetch_optional(conn)
        .await?;
    Ok(found.map(|r| (r.plan_id, r.student_id)))
}

/// Writes a check-in; false where it is to be new and its id is taken.
pub async fn put(conn: &mut PgConnection, check_in: &CheckIn, new: bool) -> Result<bool, DbError> {
    let done = sqlx::query!(
        "insert into plans.check_in as held (check_in_id, plan_id, staff_id, with_whom, every_weeks, weekday, about, starts_on, ends_on, version)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
         on conflict (check_in_id) do update set staff_id = excluded.staff_id, with_whom = excluded.with_whom, every_weeks = excluded.every_weeks,
             weekday = excluded.weekday, about = excluded.about, starts_on = excluded.starts_on, ends_on = excluded.ends_on, version = excluded.version
         where not $11 and held.plan_id = excluded.plan_id and held.version + 1 = excluded.version",
        check_in.check_in_id,
        check_in.plan_id,
        check_in.staff_id,
        check_in.with_whom,
        check_in.every_weeks,
        check_in.weekday,
        check_in.about,
        check_in.starts_on,
        check_in.ends_on,
        check_in.version,
        new
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Writes a note; false where the day or the id has one.
pub async fn add_note(conn: &mut PgConnection, check_in_id: Uuid, note: &Note) -> Result<bool, DbError> {
    let done = sqlx::query!(
        "insert into plans.check_in_note (note_id, check_in_id, on_date, happened, from_staff, from_family, recorded_by)
         values ($1, $2, $3, $4, $5, $6, $7) on conflict do nothing",
        note.note_id,
        check_in_id,
        note.on_date,
        note.happened,
        note.from_staff,
        note.from_family,
        note.recorded_by
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}
