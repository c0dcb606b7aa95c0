//! What the source's ids stand for: new things, or things we hold already.

use sqlx::PgConnection;

use super::error::ImportError;
use crate::oneroster::{FileKind, Manifest, Mode};

/// Fills the maps of organisations, classes and people.
pub async fn resolve(conn: &mut PgConnection, manifest: &Manifest) -> Result<(), ImportError> {
    roles_from_users(conn).await?;
    // A bulk file is the whole truth; beside a delta or absent one, what we hold counts too.
    let held = |kind| manifest.mode(kind) != Mode::Bulk;
    orgs(conn, held(FileKind::Orgs)).await?;
    classes(conn, held(FileKind::Classes)).await?;
    people(conn, held(FileKind::Users)).await?;
    sqlx::query!("analyze rosters.map_person").execute(&mut *conn).await?;
    sqlx::query!("analyze rosters.map_class").execute(conn).await?;
    Ok(())
}

/// Version 1.1 has the role and the organisations in `users.csv`.
async fn roles_from_users(conn: &mut PgConnection) -> Result<(), ImportError> {
    sqlx::query!(
        "insert into rosters.stage_role (line, source_id, deleted, user_id, role_type, role, org_id, from_users)
         select u.line, u.source_id, u.deleted, u.source_id, case when o.n = 1 then 'primary' else 'secondary' end, u.role,
                o.org_id, true
         from rosters.stage_user u left join lateral unnest(u.org_ids) with ordinality as o (org_id, n) on true
         where u.role is not null
           and not exists (select from rosters.stage_role r where r.user_id = u.source_id)"
    )
    .execute(conn)
    .await?;
    Ok(())
}

async fn orgs(conn: &mut PgConnection, held: bool) -> Result<(), ImportError> {
    sqlx::query!(
        "insert into rosters.map_org (source_id, org_id, type, is_school, live)
         select s.source_id, coalesce(o.org_id, s.new_id), coalesce(s.type, o.type, 'school'),
                coalesce(s.type = 'school', o.is_school, true)
                    or s.source_id in (select c.school_id from rosters.stage_class c where not c.deleted),
                not s.deleted
         from rosters.stage_org s left join rosters.org o on o.source_id = s.source_id
         union all
         select o.source_id, o.org_id, o.type,
                o.is_school or o.source_id in (select c.school_id from rosters.stage_class c where not c.deleted), o.active
         from rosters.org o
         where $1 and not exists (select from rosters.stage_org s where s.source_id = o.source_id)",
        held
    )
    .execute(conn)
    .await?;
    Ok(())
}

async fn classes(conn: &mut PgConnection, held: bool) -> Result<(), ImportError> {
    sqlx::query!(
        "insert into rosters.map_class (source_id, class_id, school_source_id, live)
         select s.source_id, coalesce(c.class_id, s.new_id), s.school_id, not s.deleted and coalesce(o.live, false)
         from rosters.stage_class s
         left join rosters.class_section c on c.source_id = s.source_id
         left join rosters.map_org o on o.source_id = s.school_id
         union all
         select c.source_id, c.class_id, o.source_id, c.active
         from rosters.class_section c join rosters.org o on o.org_id = c.school_id
         where $1 and not exists (select from rosters.stage_class s where s.source_id = c.source_id)",
        held
    )
    .execute(conn)
    .await?;
    Ok(())
}

async fn people(conn: &mut PgConnection, held: bool) -> Result<(), ImportError> {
    // A student is a student whatever else they are; a member of staff may be a parent too.
    sqlx::query!(
        "insert into rosters.map_person (source_id, person_id, kind, is_new, live, staged)
         select u.source_id, coalesce(i.person_id, u.new_id),
                case when r.student then 'student' when r.staff then 'staff' when r.guardian then 'guardian'
                     else coalesce(p.kind, 'none') end,
                i.person_id is null, not u.deleted, true
         from rosters.stage_user u
         left join rosters.source_identity i on i.source_id = u.source_id
         left join rosters.person p on p.person_id = i.person_id
         left join (
             select user_id, bool_or(role = 'student') as student, bool_or(role in ('guardian', 'parent', 'relative')) as guardian,
                    bool_or(role not in ('student', 'guardian', 'parent', 'relative')) as staff
             from rosters.stage_role where not deleted group by user_id
         ) r on r.user_id = u.source_id
         union all
         select i.source_id, i.person_id, p.kind, false, p.active, false
         from rosters.source_identity i join rosters.person p on p.person_id = i.person_id
         where $1 and not exists (select from rosters.stage_user u where u.source_id = i.source_id)",
        held
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// People whom an enrollment makes students although their role says otherwise, and people without any role, who are
/// what their enrollments say.
pub async fn kinds_from_enrollments(conn: &mut PgConnection) -> Result<(), ImportError> {
    sqlx::query!(
        "update rosters.map_person m set kind = e.kind
         from (
             select e.user_id, case when bool_or(e.role = 'student') then 'student' else 'staff' end as kind
             from rosters.stage_enrollment e join rosters.map_person m on m.source_id = e.user_id
             where not e.deleted and m.staged and m.kind <> 'student' and (e.role = 'student' or m.kind = 'none')
             group by e.user_id
         ) e
         where m.source_id = e.user_id"
    )
    .execute(conn)
    .await?;
    Ok(())
}
