//! The list's query.

use chrono::NaiveDate;
use sqlx::PgPool;
use uuid::Uuid;

use super::{Sight, Student, UnmetNeed};

/// What is asked, after the caller's sight.
#[derive(Clone, Copy, Debug)]
pub struct Asked {
    /// Of one school.
    pub school: Option<Uuid>,
    /// Only needs of this domain.
    pub domain: Option<&'static str>,
    /// School year of the needs.
    pub school_year: i32,
    /// At the end of this day.
    pub as_of: NaiveDate,
}

/// Students after a key of (number of needs, student), with the needs that the caller may see; others neither appear
/// nor count.
pub async fn page(pool: &PgPool, sight: &Sight, asked: &Asked, after: Option<(i64, Uuid)>, limit: i64) -> Result<Vec<Student>, sqlx::Error> {
    let (after_count, after_student) = after.unzip();
    let rows = sqlx::query!(
        r#"with seen_student as (
               -- Students whom the caller may see, each with one school of theirs.
               select distinct on (r.subject) r.subject as student_id, r.object as school_id
               from reporting.relationship r
               where r.relation = 'attends'
                 and ($1::uuid is null or r.object = $1)
                 and ($2 or r.object = any($3)
                      or exists (select from reporting.relationship m where m.subject = r.subject and m.relation = 'member' and m.object = any($4)))
               order by r.subject, r.object
           ), seen_need as (
               select n.student_id, s.school_id, n.need_id, n.code, n.domain, n.severity, n.sensitivity, n.last_reason, n.recorded_time,
                      reporting.school_days(reporting.day_of(n.recorded_time), $9) as age
               from reporting.need_at($8, $9) n
               join seen_student s using (student_id)
               where reporting.is_unmet(n, $9)
                 and ($7::text is null or n.domain = $7)
                 and (n.sensitivity = 'general'
                      or (n.sensitivity = 'restricted'
                          and (n.domain = any($5)
                               or exists (select from unnest($6::uuid[], $10::text[]) as cleared (school, domain)
                                          join reporting.relationship a on a.subject = n.student_id and a.relation = 'attends' and a.object = cleared.school
                                          where cleared.domain = n.domain))))
           ), page as (
               select student_id, count(*) as needs
               from seen_need
               group by student_id
               having $11::bigint is null or (count(*), student_id) < ($11, $12::uuid)
               order by count(*) desc, student_id desc
               limit $13
           )
           select n.student_id as "student_id!", n.school_id as "school_id!", coalesce(f.grade, '') as "grade!", n.need_id as "need_id!", n.code as "code!",
                  n.domain as "domain!", n.severity as "severity!", n.last_reason as "reason!", n.age as "age!", n.sensitivity = 'restricted' as "restricted!"
           from page p
           join seen_need n using (student_id)
           left join reporting.student_fact f using (student_id)
           order by p.needs desc, n.student_id desc, n.recorded_time, n.need_id"#,
        asked.school,
        sight.everything,
        &sight.schools,
        &sight.classes,
        &sight.restricted,
        &sight.restricted_at.0,
        asked.domain,
        asked.school_year,
        asked.as_of,
        &sight.restricted_at.1,
        after_count,
        after_student,
        limit,
    )
    .fetch_all(pool)
    .await?;
    let mut students: Vec<Student> = Vec::new();
    for row in rows {
        let need = UnmetNeed {
            need_id: row.need_id,
            code: row.code,
            domain: row.domain,
            severity: row.severity,
            reason: row.reason,
            age_school_days: row.age,
            restricted: row.restricted,
        };
        match students.last_mut() {
            Some(student) if student.student_id == row.student_id => student.needs.push(need),
            _ => students.push(Student { student_id: row.student_id, school_id: row.school_id, grade: row.grade, needs: vec![need] }),
        }
    }
    Ok(students)
}
