//! Counting: SQL only.

use sqlx::PgConnection;
use uuid::Uuid;

use super::GroupBy;
use crate::roster::error::RosterError;

/// Students of one group with one label.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tally {
    /// Group; `not_recorded` where the roster does not say.
    pub group: String,
    /// The caller's label.
    pub label: String,
    /// Students.
    pub count: i64,
}

/// Counts students by group and label. `labels` and `students` are pairs; one pair twice counts once.
pub async fn tally(conn: &mut PgConnection, by: GroupBy, labels: &[String], students: &[Uuid]) -> Result<Vec<Tally>, RosterError> {
    let by = match by {
        GroupBy::Sex => "sex",
        GroupBy::Race => "race",
        GroupBy::Grade => "grade",
    };
    Ok(sqlx::query_as!(
        Tally,
        r#"with asked as (select distinct label, student_id from unnest($1::text[], $2::uuid[]) as asked (label, student_id))
           select coalesce(nullif(
                      case $3
                          when 'sex' then d.sex
                          when 'grade' then s.grade
                          when 'race' then case
                              when d.hispanic_or_latino then 'hispanic_or_latino'
                              when d.two_or_more_races or races.number > 1 then 'two_or_more'
                              when d.american_indian_or_alaska_native then 'american_indian_or_alaska_native'
                              when d.asian then 'asian'
                              when d.black_or_african_american then 'black_or_african_american'
                              when d.native_hawaiian_or_other_pacific_islander then 'native_hawaiian_or_other_pacific_islander'
                              when d.white then 'white' end
                      end, ''), 'not_recorded') as "group!",
                  a.label as "label!", count(*) as "count!"
           from asked a
           left join rosters.student_state s on s.student_id = a.student_id
           left join rosters.demographics d on d.person_id = a.student_id
           cross join lateral (
               select coalesce(d.american_indian_or_alaska_native, false)::int + coalesce(d.asian, false)::int
                    + coalesce(d.black_or_african_american, false)::int + coalesce(d.native_hawaiian_or_other_pacific_islander, false)::int
                    + coalesce(d.white, false)::int as number
           ) races
           group by 1, 2
           order by 1, 2"#,
        labels,
        students,
        by
    )
    .fetch_all(conn)
    .await?)
}
