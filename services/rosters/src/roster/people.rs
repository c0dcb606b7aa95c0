//! Students and staff: SQL only.

use chrono::NaiveDate;
use sqlx::PgConnection;
use uuid::Uuid;

use super::Within;
use super::error::RosterError;

/// A student as staff see one.
#[derive(Debug, Clone)]
pub struct Student {
    /// Id.
    pub student_id: Uuid,
    /// The name that staff use.
    pub display_name: String,
    /// What lists sort by.
    pub sort_name: String,
    /// CEDS code.
    pub grade: String,
    /// Schools today, the primary one first.
    pub school_ids: Vec<Uuid>,
    /// Classes today.
    pub class_ids: Vec<Uuid>,
}

/// A member of staff.
#[derive(Debug, Clone)]
pub struct Staff {
    /// Id.
    pub staff_id: Uuid,
    /// Name.
    pub display_name: String,
    /// What lists sort by.
    pub sort_name: String,
    /// Roles.
    pub roles: Vec<String>,
    /// Schools where they hold one.
    pub school_ids: Vec<Uuid>,
}

/// Students by id, as far as `within` reaches. Those who left are still found, for records that name them.
pub async fn find_students(conn: &mut PgConnection, ids: &[Uuid], within: &Within) -> Result<Vec<Student>, RosterError> {
    Ok(sqlx::query_as!(
        Student,
        "select s.student_id, p.display_name, p.sort_name, s.grade, s.school_ids, s.class_ids
         from rosters.student_state s join rosters.person p on p.person_id = s.student_id
         where s.student_id = any($1) and ($2 or s.school_ids && $3 or s.class_ids && $4)",
        ids,
        within.everything,
        &within.schools,
        &within.classes
    )
    .fetch_all(conn)
    .await?)
}

/// A student's day of birth.
pub async fn birth_date(conn: &mut PgConnection, student: Uuid) -> Result<Option<NaiveDate>, RosterError> {
    Ok(sqlx::query_scalar!("select birth_date from rosters.demographics where person_id = $1", student).fetch_optional(conn).await?.flatten())
}

/// Active students each of whose names or numbers begins with each of the words. `words` are folded.
///
/// There is no index on names: a caller's schools or classes narrow the search to hundreds, and the few who may search a
/// whole district read a hundred thousand short texts in the time that an answer takes anyway.
pub async fn search_students(
    conn: &mut PgConnection,
    words: &[String],
    school: Option<Uuid>,
    within: &Within,
    limit: i64,
) -> Result<Vec<Student>, RosterError> {
    // Words are letters and digits only, so nothing in them is syntax of a pattern.
    let patterns: Vec<String> = words.iter().map(|word| format!("% {word}%")).collect();
    let first = words.first().map(|word| format!("{word}%")).unwrap_or_default();
    Ok(sqlx::query_as!(
        Student,
        "select s.student_id, p.display_name, p.sort_name, s.grade, s.school_ids, s.class_ids
         from rosters.student_state s join rosters.person p on p.person_id = s.student_id
         where s.student_id in (
                   select student_id from rosters.student_state where $3 and $2::uuid is null
                   union all
                   select student_id from rosters.school_enrolment where end_on is null and (school_id = $2 or ($2 is null and school_id = any($4)))
                   union all
                   select person_id from rosters.class_member where class_id = any($5) and role = 'student')
           and p.search_text like all ($1) and s.active
           and ($2 is null or $2 = any(s.school_ids))
           and ($3 or s.school_ids && $4 or s.class_ids && $5)
         order by p.sort_name like $6 desc, p.sort_name, s.student_id
         limit $7",
        &patterns,
        school,
        within.everything,
        &within.schools,
        &within.classes,
        first,
        limit
    )
    .fetch_all(conn)
    .await?)
}

/// The students of a class on a day, by sort key.
pub async fn students_of_class(conn: &mut PgConnection, class: Uuid, on: NaiveDate) -> Result<Vec<Student>, RosterError> {
    Ok(sqlx::query_as!(
        Student,
        "select s.student_id, p.display_name, p.sort_name, s.grade, s.school_ids, s.class_ids
         from rosters.student_state s join rosters.person p on p.person_id = s.student_id
         where s.student_id in (
                   select m.person_id from rosters.class_member m
                   where m.class_id = $1 and m.role = 'student' and coalesce(m.begin_on, '-infinity') <= $2
                     and coalesce(m.end_on, 'infinity') > $2 and coalesce(m.missing_since, 'infinity')::date > $2)
           and (s.active or $2 < current_date)
         order by p.sort_name, s.student_id",
        class,
        on
    )
    .fetch_all(conn)
    .await?)
}

struct StaffRow {
    staff_id: Uuid,
    display_name: String,
    sort_name: String,
    roles: Vec<String>,
}

impl From<StaffRow> for Staff {
    fn from(row: StaffRow) -> Self {
        let mut staff = Self { staff_id: row.staff_id, display_name: row.display_name, sort_name: row.sort_name, roles: vec![], school_ids: vec![] };
        for (role, school) in row.roles.iter().filter_map(|pair| pair.rsplit_once('/')) {
            if !staff.roles.iter().any(|held| held == role) {
                staff.roles.push(role.to_owned());
            }
            if let Ok(school) = school.parse::<Uuid>()
                && !school.is_nil()
                && !staff.school_ids.contains(&school)
            {
                staff.school_ids.push(school);
            }
        }
        staff
    }
}

/// Staff by id.
pub async fn find_staff(conn: &mut PgConnection, ids: &[Uuid]) -> Result<Vec<Staff>, RosterError> {
    let rows = sqlx::query_as!(
        StaffRow,
        "select s.staff_id, p.display_name, p.sort_name, s.roles
         from rosters.staff_state s join rosters.person p on p.person_id = s.staff_id
         where s.staff_id = any($1) and p.kind = 'staff'",
        ids
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(Staff::from).collect())
}

/// Teachers and others of a class on a day.
pub async fn staff_of_class(conn: &mut PgConnection, class: Uuid, on: NaiveDate) -> Result<Vec<Staff>, RosterError> {
    let rows = sqlx::query_as!(
        StaffRow,
        "select s.staff_id, p.display_name, p.sort_name, s.roles
         from rosters.staff_state s join rosters.person p on p.person_id = s.staff_id
         where s.staff_id in (
                   select m.person_id from rosters.class_member m
                   where m.class_id = $1 and m.role <> 'student' and coalesce(m.begin_on, '-infinity') <= $2
                     and coalesce(m.end_on, 'infinity') > $2 and coalesce(m.missing_since, 'infinity')::date > $2)
         order by p.sort_name, s.staff_id",
        class,
        on
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(Staff::from).collect())
}

/// Active staff of a school, by name.
pub async fn list_staff(conn: &mut PgConnection, school: Uuid, role: &str, after: Option<(String, Uuid)>, limit: i64) -> Result<Vec<Staff>, RosterError> {
    let (after_name, after_id) = after.unzip();
    let rows = sqlx::query_as!(
        StaffRow,
        "select s.staff_id, p.display_name, p.sort_name, s.roles
         from rosters.staff_state s join rosters.person p on p.person_id = s.staff_id
         where s.active and s.staff_id in (select r.person_id from rosters.staff_role r where r.school_id = $1 and ($2 = '' or r.role = $2))
           and ($3::text is null or (p.sort_name, s.staff_id) > ($3, $4::uuid))
         order by p.sort_name, s.staff_id
         limit $5",
        school,
        role,
        after_name,
        after_id,
        limit
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(Staff::from).collect())
}
