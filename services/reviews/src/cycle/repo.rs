//! SQL of cycles.

use chassis_pg::DbError;
use chrono::NaiveDate;
use sqlx::PgConnection;
use uuid::Uuid;

use super::entity::Cycle;
use crate::words::Season;

struct Row {
    review_cycle_id: Uuid,
    school_year: i32,
    season: String,
    opens_on: NaiveDate,
    closes_on: NaiveDate,
    taxonomy_version: String,
    tier_rules_version: String,
    required_fields: Vec<String>,
}

impl TryFrom<Row> for Cycle {
    type Error = DbError;
    fn try_from(row: Row) -> Result<Self, DbError> {
        Ok(Self {
            id: row.review_cycle_id,
            school_year: row.school_year,
            season: Season::read(&row.season)?,
            opens_on: row.opens_on,
            closes_on: row.closes_on,
            taxonomy_version: row.taxonomy_version,
            tier_rules_version: row.tier_rules_version,
            required_fields: row.required_fields,
        })
    }
}

pub(super) async fn insert(conn: &mut PgConnection, cycle: &Cycle, created_by: Uuid) -> Result<(), DbError> {
    sqlx::query!(
        "insert into reviews.review_cycle
             (review_cycle_id, school_year, season, opens_on, closes_on, taxonomy_version, tier_rules_version, created_by, required_fields)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        cycle.id,
        cycle.school_year,
        cycle.season.word(),
        cycle.opens_on,
        cycle.closes_on,
        cycle.taxonomy_version,
        cycle.tier_rules_version,
        created_by,
        &cycle.required_fields
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// One cycle.
pub async fn find(conn: &mut PgConnection, id: Uuid) -> Result<Option<Cycle>, DbError> {
    let row = sqlx::query_as!(
        Row,
        "select review_cycle_id, school_year, season, opens_on, closes_on, taxonomy_version, tier_rules_version, required_fields
         from reviews.review_cycle where review_cycle_id = $1",
        id
    )
    .fetch_optional(conn)
    .await?;
    row.map(Cycle::try_from).transpose()
}

pub(super) async fn list(conn: &mut PgConnection, school_year: Option<i32>) -> Result<Vec<Cycle>, DbError> {
    let rows = sqlx::query_as!(
        Row,
        "select review_cycle_id, school_year, season, opens_on, closes_on, taxonomy_version, tier_rules_version, required_fields
         from reviews.review_cycle where $1::integer is null or school_year = $1
         order by opens_on desc, review_cycle_id desc limit 100",
        school_year
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(Cycle::try_from).collect()
}
