//! Schools and classes: SQL only.

use chrono::NaiveDate;
use sqlx::PgConnection;
use uuid::Uuid;

use super::Within;
use super::error::RosterError;

/// A school.
#[derive(Debug, Clone)]
pub struct School {
    /// Id.
    pub school_id: Uuid,
    /// Name.
    pub name: String,
    /// The name as lists sort by it.
    pub sort_name: String,
    /// The district's own number.
    pub identifier: String,
    /// Active students.
    pub student_count: i64,
}

/// A class.
#[derive(Debug, Clone)]
pub struct Class {
    /// Id.
    pub class_id: Uuid,
    /// Its school.
    pub school_id: Uuid,
    /// Title.
    pub title: String,
    /// The title as lists sort by it.
    pub sort_title: String,
    /// CEDS codes.
    pub grades: Vec<String>,
    /// Whether reviews are held on it.
    pub review_unit: bool,
    /// Active students today.
    pub student_count: i64,
    /// First day with students.
    pub first_on: Option<NaiveDate>,
    /// Last day with students.
    pub last_on: Option<NaiveDate>,
}

/// Schools by name.
pub async fn list_schools(conn: &mut PgConnection, within: &Within, after: Option<(String, Uuid)>, limit: i64) -> Result<Vec<School>, RosterError> {
    let (after_name, after_id) = after.unzip();
    Ok(sqlx::query_as!(
        School,
        r#"select o.org_id as school_id, o.name, lower(o.name) as "sort_name!", coalesce(o.identifier, '') as "identifier!",
                  (select count(*) from rosters.school_enrolment e where e.school_id = o.org_id and e.end_on is null) as "student_count!"
           from rosters.org o
           where o.is_school and o.active
             and ($1 or o.org_id = any($2) or o.org_id in (select c.school_id from rosters.class_section c where c.class_id = any($3)))
             and ($4::text is null or (lower(o.name), o.org_id) > ($4, $5::uuid))
           order by lower(o.name), o.org_id
           limit $6"#,
        within.everything,
        &within.schools,
        &within.classes,
        after_name,
        after_id,
        limit
    )
    .fetch_all(conn)
    .await?)
}

/// One school.
pub async fn find_school(conn: &mut PgConnection, id: Uuid) -> Result<Option<School>, RosterError> {
    let within = Within { schools: vec![id], ..Within::default() };
    Ok(list_schools(conn, &within, None, 1).await?.pop())
}

/// What to list of classes.
#[derive(Debug, Clone, Default)]
pub struct ClassFilter {
    /// Of one school.
    pub school: Option<Uuid>,
    /// Only this class.
    pub class: Option<Uuid>,
    /// Only those on which reviews are held.
    pub review_units_only: bool,
    /// What the caller may see.
    pub within: Within,
}

/// Classes by title.
pub async fn list_classes(conn: &mut PgConnection, filter: &ClassFilter, after: Option<(String, Uuid)>, limit: i64) -> Result<Vec<Class>, RosterError> {
    let (after_title, after_id) = after.unzip();
    Ok(sqlx::query_as!(
        Class,
        r#"select c.class_id, c.school_id, c.title, lower(c.title) as "sort_title!", c.grades, c.review_unit,
                  m.today as "student_count!", case when m.open_begin then null else m.first_on end as first_on,
                  case when m.open_end then null else m.last_on end as last_on
           from (
               select * from rosters.class_section c
               where c.active and c.missing_since is null
                 and ($1::uuid is null or c.school_id = $1) and ($2::uuid is null or c.class_id = $2)
                 and (not $3 or c.review_unit) and ($4 or c.school_id = any($5) or c.class_id = any($6))
                 and ($7::text is null or (lower(c.title), c.class_id) > ($7, $8::uuid))
               order by lower(c.title), c.class_id
               limit $9
           ) c
           cross join lateral (
               select count(distinct m.person_id) filter (where coalesce(m.begin_on, '-infinity') <= current_date
                                                            and coalesce(m.end_on, 'infinity') > current_date) as today,
                      min(m.begin_on) as first_on, max(m.end_on) - 1 as last_on,
                      bool_or(m.begin_on is null) as open_begin, bool_or(m.end_on is null) as open_end
               from rosters.class_member m
               where m.class_id = c.class_id and m.role = 'student' and m.missing_since is null
           ) m
           order by lower(c.title), c.class_id"#,
        filter.school,
        filter.class,
        filter.review_units_only,
        filter.within.everything,
        &filter.within.schools,
        &filter.within.classes,
        after_title,
        after_id,
        limit
    )
    .fetch_all(conn)
    .await?)
}

/// One class.
pub async fn find_class(conn: &mut PgConnection, id: Uuid) -> Result<Option<Class>, RosterError> {
    let filter = ClassFilter { class: Some(id), within: Within { everything: true, ..Within::default() }, ..ClassFilter::default() };
    Ok(list_classes(conn, &filter, None, 1).await?.pop())
}
