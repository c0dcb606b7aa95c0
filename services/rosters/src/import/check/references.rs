//! References of everything but enrollments. What a row can live without is a warning, and the link is left out.

use sqlx::PgConnection;

use super::Found;
use crate::import::error::ImportError;

/// Organisations, sessions, courses and classes.
pub(super) async fn of_orgs_and_classes(conn: &mut PgConnection) -> Result<Vec<Found>, ImportError> {
    let found = sqlx::query_as!(
        Found,
        r#"select severity as "severity!", rule as "rule!", file as "file!", column_name as "column!", count(*) as "rows!",
                  min(line) as "line!", (array_agg(value order by line))[1] as "value!"
           from (
               select 'warning' as severity, 'reference.dropped' as rule, 'orgs.csv' as file, 'parentSourcedId' as column_name, s.line, s.parent_id as value
               from rosters.stage_org s
               where not s.deleted and s.parent_id is not null
                 and not exists (select from rosters.map_org o where o.source_id = s.parent_id)
               union all
               select 'warning', 'reference.dropped', 'academicSessions.csv', 'parentSourcedId', s.line, s.parent_id
               from rosters.stage_session s
               where not s.deleted and s.parent_id is not null
                 and not exists (select from rosters.stage_session p where p.source_id = s.parent_id)
                 and not exists (select from rosters.academic_session p where p.source_id = s.parent_id)
               union all
               select 'warning', 'reference.dropped', 'courses.csv', 'orgSourcedId', s.line, s.org_id
               from rosters.stage_course s
               where not s.deleted and s.org_id is not null
                 and not exists (select from rosters.map_org o where o.source_id = s.org_id)
               union all
               select 'warning', case when y.source_id is null then 'reference.dropped' else 'session.type' end, 'courses.csv',
                      'schoolYearSourcedId', s.line, s.school_year_id
               from rosters.stage_course s
               left join (select source_id, type from rosters.stage_session
                          union select source_id, type from rosters.academic_session) y on y.source_id = s.school_year_id
               where not s.deleted and s.school_year_id is not null and y.type is distinct from 'schoolYear'
               union all
               select 'warning', 'reference.dropped', 'classes.csv', 'courseSourcedId', s.line, s.course_id
               from rosters.stage_class s
               where not s.deleted and s.course_id is not null
                 and not exists (select from rosters.stage_course c where c.source_id = s.course_id)
                 and not exists (select from rosters.course c where c.source_id = s.course_id)
               union all
               select 'warning', 'reference.dropped', 'classes.csv', 'termSourcedIds', s.line, t.term_id
               from rosters.stage_class s cross join unnest(s.term_ids) as t (term_id)
               where not s.deleted
                 and not exists (select from rosters.stage_session p where p.source_id = t.term_id)
                 and not exists (select from rosters.academic_session p where p.source_id = t.term_id)
               union all
               select case when o.source_id is null then 'error' else 'warning' end,
                      case when o.source_id is null then 'reference.missing' when not o.live then 'reference.deleted' else 'class.school_type' end,
                      'classes.csv', 'schoolSourcedId', s.line, s.school_id
               from rosters.stage_class s left join rosters.map_org o on o.source_id = s.school_id
               where not s.deleted and s.school_id is not null and (o.source_id is null or not o.live or o.type <> 'school')
           ) found
           group by severity, rule, file, column_name"#
    )
    .fetch_all(conn)
    .await?;
    Ok(found)
}

/// Users, roles and demographics.
pub(super) async fn of_people(conn: &mut PgConnection, role_rule: &[String]) -> Result<Vec<Found>, ImportError> {
    let found = sqlx::query_as!(
        Found,
        r#"select severity as "severity!", rule as "rule!", file as "file!", column_name as "column!", count(*) as "rows!",
                  min(line) as "line!", (array_agg(value order by line))[1] as "value!"
           from (
               select 'warning' as severity, case when a.source_id is null then 'reference.dropped' else 'user.agent_kind' end as rule,
                      'users.csv' as file, 'agentSourcedIds' as column_name, u.line, u.agent_id as value
               from (select u.line, m.kind, unnest(u.agent_ids) as agent_id
                     from rosters.stage_user u join rosters.map_person m on m.source_id = u.source_id
                     where not u.deleted and u.agent_ids is not null) u
               left join rosters.map_person a on a.source_id = u.agent_id
               where a.source_id is null or (u.kind = 'student' and a.live and a.kind <> 'guardian')
               union all
               select 'warning', 'reference.dropped', 'users.csv', 'primaryOrgSourcedId', u.line, u.primary_org_id
               from rosters.stage_user u
               where not u.deleted and u.primary_org_id is not null
                 and not exists (select from rosters.map_org o where o.source_id = u.primary_org_id)
               union all
               select 'warning', 'user.master_identifier', 'users.csv', 'userMasterIdentifier', max(u.line), u.master_id
               from rosters.stage_user u where not u.deleted and u.master_id is not null
               group by u.master_id having count(*) > 1
               union all
               select 'warning', 'user.no_role', 'users.csv', '', u.line, u.source_id
               from rosters.map_person m join rosters.stage_user u on u.source_id = m.source_id
               where m.live and m.kind = 'none'
               union all
               select 'warning', 'reference.dropped', 'users.csv', 'orgSourcedIds', r.line, r.org_id
               from rosters.stage_role r left join rosters.map_org o on o.source_id = r.org_id
               where r.from_users and not r.deleted and r.org_id is not null and o.source_id is null
               union all
               select case when m.source_id is null then 'error' else 'warning' end,
                      case when m.source_id is null then 'reference.missing' else 'reference.deleted' end,
                      'roles.csv', 'userSourcedId', r.line, r.user_id
               from rosters.stage_role r left join rosters.map_person m on m.source_id = r.user_id
               where not r.from_users and not r.deleted and r.user_id is not null and (m.source_id is null or not m.live)
               union all
               select case when o.source_id is null then 'error' else 'warning' end,
                      case when o.source_id is null then 'reference.missing' else 'reference.deleted' end,
                      'roles.csv', 'orgSourcedId', r.line, r.org_id
               from rosters.stage_role r left join rosters.map_org o on o.source_id = r.org_id
               where not r.from_users and not r.deleted and r.org_id is not null and (o.source_id is null or not o.live)
               union all
               select 'warning', 'role.unmapped', case when r.from_users then 'users.csv' else 'roles.csv' end, 'role', r.line, r.role
               from rosters.stage_role r
               where not r.deleted and r.role is not null
                 and r.role not in ('student', 'guardian', 'parent', 'relative') and r.role <> all($1)
               union all
               select 'warning', 'demographics.no_user', 'demographics.csv', 'sourcedId', d.line, d.source_id
               from rosters.stage_demographics d left join rosters.map_person m on m.source_id = d.source_id
               where not d.deleted and m.source_id is null
           ) found
           group by severity, rule, file, column_name"#,
        role_rule
    )
    .fetch_all(conn)
    .await?;
    Ok(found)
}
