//! Services in SQL.

use chassis_pg::DbError;
use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::entity::{Capacity, Service};
use super::error::ServiceError;

struct Row {
    service_id: Uuid,
    partner_id: Uuid,
    partner_name: String,
    name: String,
    category: String,
    description: String,
    status: String,
    minimum_age: i32,
    maximum_age: i32,
    languages: Vec<String>,
    school_ids: Vec<Uuid>,
    version: i64,
    maximum: i32,
    taken: i32,
    waitlisted: i32,
    updated_at: DateTime<Utc>,
}

impl From<Row> for Service {
    fn from(r: Row) -> Self {
        Self {
            service_id: r.service_id,
            partner_id: r.partner_id,
            partner_name: r.partner_name,
            name: r.name,
            category: r.category,
            description: r.description,
            status: r.status,
            minimum_age: r.minimum_age,
            maximum_age: r.maximum_age,
            languages: r.languages,
            school_ids: r.school_ids,
            version: r.version,
            capacity: Capacity { maximum: r.maximum, taken: r.taken, waitlisted: r.waitlisted, updated_at: r.updated_at },
        }
    }
}

/// Adds one.
pub async fn insert(conn: &mut PgConnection, s: &Service) -> Result<(), ServiceError> {
    sqlx::query!(
        "insert into partners.service (service_id, partner_id, name, category, description, status, minimum_age, maximum_age, languages, school_ids)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        s.service_id,
        s.partner_id,
        s.name,
        s.category,
        s.description,
        s.status,
        s.minimum_age,
        s.maximum_age,
        &s.languages,
        &s.school_ids,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Changes one; false where it is not there in that version and of that organisation.
pub async fn update(conn: &mut PgConnection, s: &Service, expected_version: i64) -> Result<bool, DbError> {
    let done = sqlx::query!(
        "update partners.service
         set name = $3, category = $4, description = $5, status = $6, minimum_age = $7, maximum_age = $8, languages = $9, school_ids = $10,
             version = version + 1, updated_at = now()
         where service_id = $1 and partner_id = $2 and version = $11",
        s.service_id,
        s.partner_id,
        s.name,
        s.category,
        s.description,
        s.status,
        s.minimum_age,
        s.maximum_age,
        &s.languages,
        &s.school_ids,
        expected_version,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// One.
pub async fn load(conn: &mut PgConnection, service_id: Uuid) -> Result<Option<Service>, DbError> {
    let found = sqlx::query_as!(
        Row,
        "select s.service_id, s.partner_id, p.name as partner_name, s.name, s.category, s.description, s.status, s.minimum_age, s.maximum_age,
                s.languages, s.school_ids, s.version, c.maximum, c.taken, c.waitlisted, c.updated_at
         from partners.service as s
         join partners.partner as p on p.partner_id = s.partner_id
         join partners.capacity as c on c.service_id = s.service_id
         where s.service_id = $1",
        service_id,
    )
    .fetch_optional(conn)
    .await?;
    Ok(found.map(Into::into))
}

/// What is searched for.
#[derive(Clone, Debug, Default)]
pub struct Search {
    /// Category.
    pub category: Option<String>,
    /// Words, as [`words`] makes them.
    pub words: Option<String>,
    /// Serves this school.
    pub school_id: Option<Uuid>,
    /// After this one: whether full, name, id.
    pub after: Option<(bool, String, Uuid)>,
}

/// The words of a query as `to_tsquery` takes them: each begins a word of the text. None where there is none.
pub fn words(query: &str) -> Option<String> {
    let words: Vec<String> =
        query.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty()).take(10).map(|w| format!("{}:*", w.to_lowercase())).collect();
    (!words.is_empty()).then(|| words.join(" & "))
}

/// Active services of active organisations, those with places first, then by name.
pub async fn search(conn: &mut PgConnection, search: &Search, limit: i64) -> Result<Vec<Service>, DbError> {
    let (full, name, id) = match &search.after {
        Some((full, name, id)) => (Some(*full), Some(name.as_str()), Some(*id)),
        None => (None, None, None),
    };
    let found = sqlx::query_as!(
        Row,
        "select s.service_id, s.partner_id, p.name as partner_name, s.name, s.category, s.description, s.status, s.minimum_age, s.maximum_age,
                s.languages, s.school_ids, s.version, c.maximum, c.taken, c.waitlisted, c.updated_at
         from partners.service as s
         join partners.partner as p on p.partner_id = s.partner_id
         join partners.capacity as c on c.service_id = s.service_id
         where s.status = 'active' and p.status = 'active'
           and ($1::text is null or s.category = $1)
           and ($2::text is null or s.words @@ to_tsquery('simple', $2))
           and ($3::uuid is null or s.school_ids = '{}' or $3 = any (s.school_ids))
           and ($4::boolean is null or (c.maximum >= 0 and c.taken >= c.maximum, s.name, s.service_id) > ($4, $5::text, $6::uuid))
         order by c.maximum >= 0 and c.taken >= c.maximum, s.name, s.service_id
         limit $7",
        search.category.as_deref(),
        search.words.as_deref(),
        search.school_id,
        full,
        name,
        id,
        limit,
    )
    .fetch_all(conn)
    .await?;
    Ok(found.into_iter().map(Into::into).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_of_any_kind_becomes_words() {
        assert_eq!(words("Reading, tutor").as_deref(), Some("reading:* & tutor:*"));
        assert_eq!(words("a' & !('b'):*|").as_deref(), Some("a:* & b:*"));
        assert_eq!(words(" &|! "), None);
        assert_eq!(words("niños").as_deref(), Some("niños:*"));
    }
}
