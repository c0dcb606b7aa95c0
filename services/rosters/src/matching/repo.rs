//! The students of a school with what tells them apart: SQL only.

use sqlx::PgConnection;
use uuid::Uuid;

use super::entity::Pupil;
use crate::roster::error::RosterError;

/// The active students of a school. Of the source's ids only those asked for are read.
pub async fn students_of_school(conn: &mut PgConnection, school: Uuid, identifiers: &[String]) -> Result<Vec<Pupil>, RosterError> {
    Ok(sqlx::query_as!(
        Pupil,
        r#"select s.student_id, p.given_name as given, p.middle_name as middle, p.family_name as family, p.preferred_given_name as preferred_given,
                  p.preferred_family_name as preferred_family, s.grade, d.birth_date, coalesce(p.identifier, '') as "number!",
                  coalesce(i.source_ids, '{}') as "source_ids!"
           from rosters.school_enrolment e
           join rosters.student_state s on s.student_id = e.student_id and s.active
           join rosters.person p on p.person_id = e.student_id
           left join rosters.demographics d on d.person_id = e.student_id
           left join (
               select person_id, array_agg(source_id order by source_id) as source_ids
               from rosters.source_identity where source_id = any($2) group by person_id
           ) i on i.person_id = e.student_id
           where e.school_id = $1 and e.end_on is null
           order by s.student_id"#,
        school,
        identifiers
    )
    .fetch_all(conn)
    .await?)
}
