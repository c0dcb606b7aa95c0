//! People, their roles and schools, guardians and demographics.

use sqlx::PgConnection;

use super::{Counts, Modes};
use crate::import::error::ImportError;
use crate::oneroster::FileKind;

/// Students, staff and guardians.
pub async fn people(conn: &mut PgConnection, modes: Modes<'_>) -> Result<Counts, ImportError> {
    let added = sqlx::query!(
        "insert into rosters.person (person_id, kind, given_name, middle_name, family_name, preferred_given_name, preferred_family_name,
                                     display_name, sort_name, identifier, email, grade, search_text)
         select m.person_id, m.kind, u.given_name, u.middle_name, u.family_name, u.preferred_given_name, u.preferred_family_name,
                u.display_name, u.sort_name, u.identifier, case when m.kind = 'staff' then u.email end,
                case when m.kind = 'student' then u.grades[1] end, case when m.kind = 'student' then u.search_text end
         from rosters.map_person m join rosters.stage_user u on u.source_id = m.source_id
         where m.live and m.is_new and m.staged and m.kind <> 'none'"
    )
    .execute(&mut *conn)
    .await?
    .rows_affected();
    sqlx::query!(
        "insert into rosters.source_identity (source_id, person_id)
         select m.source_id, m.person_id from rosters.map_person m where m.live and m.is_new and m.staged and m.kind <> 'none'"
    )
    .execute(&mut *conn)
    .await?;
    let mut counts = Counts { added: added as i64, ..Counts::default() };
    if !modes.held {
        return Ok(counts);
    }
    counts.changed = sqlx::query!(
        "update rosters.person p
         set kind = w.kind, given_name = w.given_name, middle_name = w.middle_name, family_name = w.family_name,
             preferred_given_name = w.preferred_given_name, preferred_family_name = w.preferred_family_name,
             display_name = w.display_name, sort_name = w.sort_name, identifier = w.identifier, email = w.email, grade = w.grade,
             search_text = w.search_text, active = true, missing_since = null
         from (
             select m.person_id, m.kind, u.given_name, u.middle_name, u.family_name, u.preferred_given_name, u.preferred_family_name,
                    u.display_name, u.sort_name, u.identifier, case when m.kind = 'staff' then u.email end as email,
                    case when m.kind = 'student' then u.grades[1] end as grade,
                    case when m.kind = 'student' then u.search_text end as search_text
             from rosters.map_person m join rosters.stage_user u on u.source_id = m.source_id
             where m.live and not m.is_new and m.kind <> 'none'
         ) w
         where w.person_id = p.person_id
           and (p.kind, p.given_name, p.middle_name, p.family_name, p.preferred_given_name, p.preferred_family_name, p.display_name,
                p.sort_name, p.identifier, p.email, p.grade, p.search_text, p.active, p.missing_since)
               is distinct from
               (w.kind, w.given_name, w.middle_name, w.family_name, w.preferred_given_name, w.preferred_family_name, w.display_name,
                w.sort_name, w.identifier, w.email, w.grade, w.search_text, true, null::timestamptz)"
    )
    .execute(&mut *conn)
    .await?
    .rows_affected() as i64;
    let left = sqlx::query!(
        "update rosters.person p set active = false, missing_since = null
         from rosters.map_person m where m.person_id = p.person_id and m.staged and not m.live and p.active"
    )
    .execute(&mut *conn)
    .await?;
    counts.changed += left.rows_affected() as i64;
    sqlx::query!(
        "update rosters.school_enrolment s set end_on = current_date
         from rosters.map_person m where m.person_id = s.student_id and m.staged and not m.live and s.end_on is null"
    )
    .execute(&mut *conn)
    .await?;
    if modes.is_whole(FileKind::Users) {
        counts.missing = sqlx::query!(
            "update rosters.person p set missing_since = now()
             where p.active and p.missing_since is null
               and not exists (select from rosters.map_person m where m.person_id = p.person_id and m.staged)"
        )
        .execute(conn)
        .await?
        .rows_affected() as i64;
    }
    Ok(counts)
}

/// The schools of students: by role, and where they have classes.
pub async fn school_enrolments(conn: &mut PgConnection, modes: Modes<'_>) -> Result<Counts, ImportError> {
    sqlx::query!(
        "insert into rosters.wanted_enrolment
         select o.org_id, m.person_id, bool_or(w.is_primary)
         from (
             select r.user_id, r.org_id, r.role_type is not distinct from 'primary' as is_primary
             from rosters.stage_role r
             where not r.deleted and (r.role = 'student' or r.from_users)
             union all
             (select distinct e.user_id, c.school_source_id, false
              from rosters.stage_enrollment e join rosters.map_class c on c.source_id = e.class_id and c.live
              where not $1 and not e.deleted and e.role = 'student')
         ) w
         join rosters.map_person m on m.source_id = w.user_id and m.live and m.kind = 'student'
         join rosters.map_org o on o.source_id = w.org_id and o.live and o.is_school
         group by o.org_id, m.person_id",
        modes.schools_are_told
    )
    .execute(&mut *conn)
    .await?;
    let mut counts = Counts::default();
    if !modes.held {
        let added = sqlx::query!(
            "insert into rosters.school_enrolment (school_id, student_id, is_primary, begin_on)
             select school_id, student_id, is_primary, current_date from rosters.wanted_enrolment"
        )
        .execute(conn)
        .await?;
        counts.added = added.rows_affected() as i64;
        return Ok(counts);
    }
    let up = sqlx::query!(
        r#"with up as (
             insert into rosters.school_enrolment as held (school_id, student_id, is_primary, begin_on)
             select school_id, student_id, is_primary, current_date from rosters.wanted_enrolment
             on conflict (school_id, student_id) do update
             set is_primary = excluded.is_primary, end_on = null,
                 begin_on = case when held.end_on is null then held.begin_on else excluded.begin_on end
             where held.end_on is not null or held.is_primary <> excluded.is_primary
             returning xmax = 0 as added
         )
         select count(*) filter (where added) as "added!", count(*) filter (where not added) as "changed!" from up"#
    )
    .fetch_one(&mut *conn)
    .await?;
    counts.added = up.added;
    counts.changed = up.changed;
    // Students who are missing altogether keep their school until they leave the roster; others have moved.
    let ended = if modes.roles_are_whole() {
        sqlx::query!(
            "update rosters.school_enrolment s set end_on = current_date
             where s.end_on is null
               and exists (select from rosters.map_person m where m.person_id = s.student_id and m.staged and m.live)
               and not exists (select from rosters.wanted_enrolment w where w.school_id = s.school_id and w.student_id = s.student_id)"
        )
        .execute(conn)
        .await?
    } else {
        sqlx::query!(
            "update rosters.school_enrolment s set end_on = current_date
             from rosters.stage_role r
             join rosters.map_person m on m.source_id = r.user_id
             join rosters.map_org o on o.source_id = r.org_id
             where r.deleted and not r.from_users and s.school_id = o.org_id and s.student_id = m.person_id and s.end_on is null"
        )
        .execute(conn)
        .await?
    };
    counts.missing = ended.rows_affected() as i64;
    Ok(counts)
}

/// Roles of staff by the district's rule: `from` in the roster become `to` here.
pub async fn staff_roles(conn: &mut PgConnection, modes: Modes<'_>, from: &[String], to: &[String]) -> Result<Counts, ImportError> {
    let up = sqlx::query!(
        r#"with rule as (
               select * from unnest($1::text[], $2::text[]) as rule (source_role, role)
           ), wanted as (
               select distinct on (m.person_id, rule.role, school_id) m.person_id, rule.role,
                      case when o.is_school then o.org_id else '00000000-0000-0000-0000-000000000000'::uuid end as school_id,
                      r.role as source_role, r.begin_on, r.end_on
               from rosters.stage_role r
               join rule on rule.source_role = r.role
               join rosters.map_person m on m.source_id = r.user_id and m.live and m.kind = 'staff'
               join rosters.map_org o on o.source_id = r.org_id and o.live
               where not r.deleted
               order by m.person_id, rule.role, school_id, r.line
           ), teaching as (
               -- Who teaches a class belongs to its school, whatever the roles say.
               select distinct m.person_id, rule.role, o.org_id as school_id
               from rosters.stage_enrollment e
               join rule on rule.source_role = 'teacher'
               join rosters.map_class c on c.source_id = e.class_id and c.live
               join rosters.map_org o on o.source_id = c.school_source_id and o.live
               join rosters.map_person m on m.source_id = e.user_id and m.live and m.kind = 'staff'
               where not e.deleted and e.role = 'teacher'
           ), everything as (
               select * from wanted
               union all
               select t.person_id, t.role, t.school_id, 'teacher', null::date, null::date from teaching t
               where not exists (select from wanted w where (w.person_id, w.role, w.school_id) = (t.person_id, t.role, t.school_id))
           ), up as (
               insert into rosters.staff_role as held (person_id, role, school_id, source_role, begin_on, end_on)
               select * from everything
               on conflict (person_id, role, school_id) do update
               set source_role = excluded.source_role, begin_on = excluded.begin_on, end_on = excluded.end_on
               where (held.source_role, held.begin_on, held.end_on) is distinct from (excluded.source_role, excluded.begin_on, excluded.end_on)
               returning xmax = 0 as added
           ), named as (
               -- Whose roles this package tells in full, and single roles that it takes away.
               select s.person_id, s.role, s.school_id
               from rosters.staff_role s join rosters.map_person m on m.person_id = s.person_id
               where $3 and m.staged
               union
               select m.person_id, rule.role, case when o.is_school then o.org_id else '00000000-0000-0000-0000-000000000000'::uuid end
               from rosters.stage_role r
               join rule on rule.source_role = r.role
               join rosters.map_person m on m.source_id = r.user_id
               join rosters.map_org o on o.source_id = r.org_id
               where r.deleted and not r.from_users
           ), gone as (
               delete from rosters.staff_role s using (
                   select n.* from named n
                   where not exists (select from everything e where (e.person_id, e.role, e.school_id) = (n.person_id, n.role, n.school_id))
               ) n
               where (s.person_id, s.role, s.school_id) = (n.person_id, n.role, n.school_id)
               returning 1
           )
           select (select count(*) from up where added) as "added!", (select count(*) from up where not added) as "changed!",
                  (select count(*) from gone) as "missing!""#,
        from,
        to,
        modes.roles_are_whole()
    )
    .fetch_one(conn)
    .await?;
    Ok(Counts { added: up.added, changed: up.changed, missing: up.missing, skipped: 0 })
}

/// Who is whose guardian. Sources name the agent on the student, or the student on the agent.
pub async fn guardians(conn: &mut PgConnection, modes: Modes<'_>) -> Result<(), ImportError> {
    sqlx::query!(
        "insert into rosters.wanted_guardian (student_id, guardian_id)
         select distinct case when a.kind = 'student' then a.person_id else b.person_id end,
                case when a.kind = 'student' then b.person_id else a.person_id end
         from (select source_id, unnest(agent_ids) as agent_id from rosters.stage_user where not deleted and agent_ids is not null) u
         join rosters.map_person a on a.source_id = u.source_id and a.live
         join rosters.map_person b on b.source_id = u.agent_id and b.live
         where (a.kind = 'student' and b.kind = 'guardian') or (a.kind = 'guardian' and b.kind = 'student')"
    )
    .execute(&mut *conn)
    .await?;
    if !modes.held {
        sqlx::query!("insert into rosters.guardian_link (student_id, guardian_id) select student_id, guardian_id from rosters.wanted_guardian")
            .execute(conn)
            .await?;
        return Ok(());
    }
    sqlx::query!(
        "insert into rosters.guardian_link as held (student_id, guardian_id)
         select student_id, guardian_id from rosters.wanted_guardian
         on conflict (student_id, guardian_id) do update set missing_since = null where held.missing_since is not null"
    )
    .execute(&mut *conn)
    .await?;
    if modes.is_whole(FileKind::Users) {
        sqlx::query!(
            "update rosters.guardian_link g set missing_since = now()
             where g.missing_since is null
               and not exists (select from rosters.wanted_guardian w where w.student_id = g.student_id and w.guardian_id = g.guardian_id)"
        )
        .execute(conn)
        .await?;
    }
    Ok(())
}

/// Birth dates and the rest, in their own table.
pub async fn demographics(conn: &mut PgConnection, modes: Modes<'_>) -> Result<Counts, ImportError> {
    if !modes.held {
        let added = sqlx::query!(
            "insert into rosters.demographics
             select m.person_id, d.birth_date, d.sex, d.american_indian_or_alaska_native, d.asian, d.black_or_african_american,
                    d.native_hawaiian_or_other_pacific_islander, d.white, d.two_or_more_races, d.hispanic_or_latino
             from rosters.stage_demographics d
             join rosters.map_person m on m.source_id = d.source_id and m.live and m.kind <> 'none'
             where not d.deleted"
        )
        .execute(conn)
        .await?;
        return Ok(Counts { added: added.rows_affected() as i64, ..Counts::default() });
    }
    let up = sqlx::query!(
        r#"with up as (
               insert into rosters.demographics as held
               select m.person_id, d.birth_date, d.sex, d.american_indian_or_alaska_native, d.asian, d.black_or_african_american,
                      d.native_hawaiian_or_other_pacific_islander, d.white, d.two_or_more_races, d.hispanic_or_latino
               from rosters.stage_demographics d
               join rosters.map_person m on m.source_id = d.source_id and m.live and m.kind <> 'none'
               where not d.deleted
               on conflict (person_id) do update
               set birth_date = excluded.birth_date, sex = excluded.sex,
                   american_indian_or_alaska_native = excluded.american_indian_or_alaska_native, asian = excluded.asian,
                   black_or_african_american = excluded.black_or_african_american,
                   native_hawaiian_or_other_pacific_islander = excluded.native_hawaiian_or_other_pacific_islander,
                   white = excluded.white, two_or_more_races = excluded.two_or_more_races,
                   hispanic_or_latino = excluded.hispanic_or_latino
               where held.* is distinct from excluded.*
               returning xmax = 0 as added
           )
           select count(*) filter (where added) as "added!", count(*) filter (where not added) as "changed!" from up"#
    )
    .fetch_one(conn)
    .await?;
    Ok(Counts { added: up.added, changed: up.changed, ..Counts::default() })
}
