//! Computes and keeps the states. All that changes in one transaction carries its time.

use chassis_pg::DbError;
use proto::rosters::v1::{ClassState, StaffRole, StaffState, StudentState};
use sqlx::PgConnection;
use uuid::Uuid;

/// States that are read and published at a time.
const BATCH: i64 = 20_000;

pub(super) async fn refresh_students(conn: &mut PgConnection) -> Result<(), DbError> {
    sqlx::query!(
        "insert into rosters.student_state as held (student_id, version, active, grade, school_ids, class_ids, changed_at)
         select p.person_id, 1, p.active, coalesce(p.grade, ''), coalesce(s.ids, '{}'), coalesce(c.ids, '{}'), now()
         from rosters.person p
         left join (select student_id, array_agg(school_id order by is_primary desc, school_id) as ids
                    from rosters.school_enrolment where end_on is null group by student_id) s on s.student_id = p.person_id
         left join (select m.person_id, array_agg(distinct m.class_id) as ids
                    from rosters.class_member m join rosters.class_section k on k.class_id = m.class_id and k.active and k.missing_since is null
                    where m.role = 'student' and m.missing_since is null
                      and coalesce(m.begin_on, '-infinity') <= current_date and coalesce(m.end_on, 'infinity') > current_date
                    group by m.person_id) c on c.person_id = p.person_id
         where p.kind = 'student'
         on conflict (student_id) do update
         set version = held.version + 1, active = excluded.active, grade = excluded.grade, school_ids = excluded.school_ids,
             class_ids = excluded.class_ids, changed_at = excluded.changed_at
         where (held.active, held.grade, held.school_ids, held.class_ids)
             is distinct from (excluded.active, excluded.grade, excluded.school_ids, excluded.class_ids)"
    )
    .execute(&mut *conn)
    .await?;
    // Somebody held as a student who turned out to be none.
    sqlx::query!(
        "update rosters.student_state s set active = false, version = version + 1, changed_at = now()
         where s.active and not exists (select from rosters.person p where p.person_id = s.student_id and p.kind = 'student')"
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub(super) async fn refresh_classes(conn: &mut PgConnection) -> Result<(), DbError> {
    sqlx::query!(
        "insert into rosters.class_state as held (class_id, version, active, school_id, review_unit, grades, teacher_ids, changed_at)
         select k.class_id, 1, k.active and k.missing_since is null, k.school_id, k.review_unit, k.grades, coalesce(t.ids, '{}'), now()
         from rosters.class_section k
         left join (select m.class_id, array_agg(distinct m.person_id) as ids
                    from rosters.class_member m join rosters.person p on p.person_id = m.person_id and p.active and p.missing_since is null
                    where m.role = 'teacher' and m.missing_since is null
                      and coalesce(m.begin_on, '-infinity') <= current_date and coalesce(m.end_on, 'infinity') > current_date
                    group by m.class_id) t on t.class_id = k.class_id
         on conflict (class_id) do update
         set version = held.version + 1, active = excluded.active, school_id = excluded.school_id, review_unit = excluded.review_unit,
             grades = excluded.grades, teacher_ids = excluded.teacher_ids, changed_at = excluded.changed_at
         where (held.active, held.school_id, held.review_unit, held.grades, held.teacher_ids)
             is distinct from (excluded.active, excluded.school_id, excluded.review_unit, excluded.grades, excluded.teacher_ids)"
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub(super) async fn refresh_staff(conn: &mut PgConnection) -> Result<(), DbError> {
    // Staff who are missing lose their access at once; students who are missing keep their place for a while.
    sqlx::query!(
        r#"insert into rosters.staff_state as held (staff_id, version, active, roles, sign_in_keys, changed_at)
         select p.person_id, 1, p.kind = 'staff' and p.active and p.missing_since is null, coalesce(r.roles, '{}'), coalesce(k.keys, '{}'), now()
         from rosters.person p
         left join (select i.person_id, array_agg(distinct sha256(convert_to(lower(i.folded collate "C"), 'UTF8'))) as keys
                    from (select s.person_id, btrim(s.source_id, E' \t\r\n') as folded
                          from rosters.source_identity s join rosters.person q on q.person_id = s.person_id and q.kind = 'staff'
                          union all
                          select q.person_id, btrim(named, E' \t\r\n') from rosters.person q, unnest(array[q.identifier, q.email]) as named
                          where q.kind = 'staff') i
                    where i.folded <> ''
                    group by i.person_id) k on k.person_id = p.person_id
         left join (select person_id, array_agg(role || '/' || school_id order by role, school_id) as roles
                    from rosters.staff_role
                    where coalesce(begin_on, '-infinity') <= current_date and coalesce(end_on, 'infinity') > current_date
                    group by person_id) r on r.person_id = p.person_id
         where p.kind = 'staff' or exists (select from rosters.staff_state s where s.staff_id = p.person_id)
         on conflict (staff_id) do update
         set version = held.version + 1, active = excluded.active, roles = excluded.roles, sign_in_keys = excluded.sign_in_keys,
             changed_at = excluded.changed_at
         where (held.active, held.roles, held.sign_in_keys) is distinct from (excluded.active, excluded.roles, excluded.sign_in_keys)"#
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub(super) async fn let_go(conn: &mut PgConnection, grace_days: i32) -> Result<u64, DbError> {
    let gone = sqlx::query!(
        "update rosters.person set active = false
         where active and missing_since is not null and missing_since < now() - make_interval(days => $1)",
        grace_days
    )
    .execute(&mut *conn)
    .await?
    .rows_affected();
    sqlx::query!(
        "update rosters.school_enrolment s set end_on = current_date
         from rosters.person p
         where p.person_id = s.student_id and not p.active and p.missing_since is not null and s.end_on is null"
    )
    .execute(conn)
    .await?;
    Ok(gone)
}

pub(super) async fn students_after(conn: &mut PgConnection, after: Uuid, only_changed: bool) -> Result<Option<(Uuid, Vec<StudentState>)>, DbError> {
    let rows = sqlx::query!(
        "select student_id, version, active, grade, school_ids, class_ids from rosters.student_state
         where student_id > $1 and (not $2 or changed_at = now()) order by student_id limit $3",
        after,
        only_changed,
        BATCH
    )
    .fetch_all(conn)
    .await?;
    let Some(last) = rows.last().map(|row| row.student_id) else { return Ok(None) };
    let states = rows.into_iter().map(|row| StudentState {
        student_id: row.student_id.to_string(),
        version: row.version,
        active: row.active,
        grade: row.grade,
        school_ids: texts(&row.school_ids),
        class_ids: texts(&row.class_ids),
    });
    Ok(Some((last, states.collect())))
}

pub(super) async fn classes_after(conn: &mut PgConnection, after: Uuid, only_changed: bool) -> Result<Option<(Uuid, Vec<ClassState>)>, DbError> {
    let rows = sqlx::query!(
        "select class_id, version, active, school_id, review_unit, grades, teacher_ids from rosters.class_state
         where class_id > $1 and (not $2 or changed_at = now()) order by class_id limit $3",
        after,
        only_changed,
        BATCH
    )
    .fetch_all(conn)
    .await?;
    let Some(last) = rows.last().map(|row| row.class_id) else { return Ok(None) };
    let states = rows.into_iter().map(|row| ClassState {
        class_id: row.class_id.to_string(),
        version: row.version,
        active: row.active,
        school_id: row.school_id.to_string(),
        review_unit: row.review_unit,
        grades: row.grades,
        teacher_ids: texts(&row.teacher_ids),
    });
    Ok(Some((last, states.collect())))
}

pub(super) async fn staff_after(conn: &mut PgConnection, after: Uuid, only_changed: bool) -> Result<Option<(Uuid, Vec<StaffState>)>, DbError> {
    let rows = sqlx::query!(
        "select staff_id, version, active, roles, sign_in_keys from rosters.staff_state
         where staff_id > $1 and (not $2 or changed_at = now()) order by staff_id limit $3",
        after,
        only_changed,
        BATCH
    )
    .fetch_all(conn)
    .await?;
    let Some(last) = rows.last().map(|row| row.staff_id) else { return Ok(None) };
    let states = rows.into_iter().map(|row| StaffState {
        staff_id: row.staff_id.to_string(),
        version: row.version,
        active: row.active,
        roles: row.roles.iter().filter_map(|pair| role(pair)).collect(),
        sign_in_keys: row.sign_in_keys,
    });
    Ok(Some((last, states.collect())))
}

/// A pair `role/school`; the nil school is the whole district, which events write as an empty text.
fn role(pair: &str) -> Option<StaffRole> {
    let (role, school) = pair.rsplit_once('/')?;
    let school_id = if school == Uuid::nil().to_string() { String::new() } else { school.to_owned() };
    Some(StaffRole { role: role.to_owned(), school_id })
}

fn texts(ids: &[Uuid]) -> Vec<String> {
    ids.iter().map(Uuid::to_string).collect()
}
