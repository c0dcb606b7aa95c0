//! Places: one statement takes or gives back, so that none is ever sold twice, and each change is told.

use chassis_events::{Event, outbox};
use chassis_pg::DbError;
use chrono::Utc;
use proto::partners::v1::CapacityChanged;
use sqlx::PgConnection;
use uuid::Uuid;

use super::error::ServiceError;
use crate::referral::events::timestamp;

/// The newest state of each service's places.
pub const TOPIC: &str = "partners.capacity.v1";

struct Line {
    service_id: Uuid,
    partner_id: Uuid,
    maximum: i32,
    taken: i32,
    waitlisted: i32,
    version: i64,
}

/// The line of a new service: not limited until somebody sets a maximum.
pub async fn open(conn: &mut PgConnection, service_id: Uuid) -> Result<(), ServiceError> {
    sqlx::query!("insert into partners.capacity (service_id) values ($1)", service_id).execute(&mut *conn).await?;
    set_maximum(conn, service_id, -1).await
}

/// Sets the maximum.
pub async fn set_maximum(conn: &mut PgConnection, service_id: Uuid, maximum: i32) -> Result<(), ServiceError> {
    let line = sqlx::query_as!(
        Line,
        "update partners.capacity as c set maximum = $2, version = c.version + 1, updated_at = now() from partners.service as s
         where c.service_id = $1 and s.service_id = c.service_id
         returning c.service_id, s.partner_id, c.maximum, c.taken, c.waitlisted, c.version",
        service_id,
        maximum,
    )
    .fetch_optional(&mut *conn)
    .await?
    .ok_or(ServiceError::NotFound)?;
    tell(conn, &line).await
}

/// Takes a place (1) or gives one back (-1), and the same for the waiting list. A place is taken only while one is
/// left: the database decides that under the row's lock, whoever else asks.
pub async fn shift(conn: &mut PgConnection, service_id: Uuid, taken: i32, waitlisted: i32) -> Result<(), ServiceError> {
    if taken == 0 && waitlisted == 0 {
        return Ok(());
    }
    let line = sqlx::query_as!(
        Line,
        "update partners.capacity as c set taken = c.taken + $2, waitlisted = c.waitlisted + $3, version = c.version + 1 from partners.service as s
         where c.service_id = $1 and s.service_id = c.service_id and ($2 <= 0 or c.maximum < 0 or c.taken < c.maximum)
         returning c.service_id, s.partner_id, c.maximum, c.taken, c.waitlisted, c.version",
        service_id,
        taken,
        waitlisted,
    )
    .fetch_optional(&mut *conn)
    .await?
    .ok_or(ServiceError::NoCapacity)?;
    tell(conn, &line).await
}

async fn tell(conn: &mut PgConnection, line: &Line) -> Result<(), ServiceError> {
    let message = CapacityChanged {
        service_id: line.service_id.to_string(),
        partner_id: line.partner_id.to_string(),
        maximum: line.maximum,
        taken: line.taken,
        waitlisted: line.waitlisted,
        version: line.version,
        time: Some(timestamp(Utc::now())),
    };
    outbox::append(conn, &Event::new(TOPIC, line.service_id, &message, chassis_rpc::observe::traceparent())).await?;
    Ok(())
}

/// Tells the present state of every service's places again.
pub async fn republish(conn: &mut PgConnection) -> Result<u64, ServiceError> {
    let lines = sqlx::query_as!(
        Line,
        "select c.service_id, s.partner_id, c.maximum, c.taken, c.waitlisted, c.version
         from partners.capacity as c join partners.service as s on s.service_id = c.service_id",
    )
    .fetch_all(&mut *conn)
    .await
    .map_err(DbError::from)?;
    for line in &lines {
        tell(conn, line).await?;
    }
    Ok(lines.len() as u64)
}
