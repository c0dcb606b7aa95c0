//! Appending events to the outbox, in the transaction of the change they tell of.

use sqlx::PgConnection;

use chassis_pg::DbError;

use crate::envelope::Event;

/// Appends one event.
pub async fn append(conn: &mut PgConnection, event: &Event) -> Result<(), DbError> {
    append_all(conn, std::slice::from_ref(event)).await
}

/// Appends events in order, in one statement.
pub async fn append_all(conn: &mut PgConnection, events: &[Event]) -> Result<(), DbError> {
    if events.is_empty() {
        return Ok(());
    }
    let ids: Vec<_> = events.iter().map(|e| e.id).collect();
    let topics: Vec<_> = events.iter().map(|e| e.topic.as_str()).collect();
    let keys: Vec<_> = events.iter().map(|e| e.key.as_str()).collect();
    let types: Vec<_> = events.iter().map(|e| e.r#type.as_str()).collect();
    let payloads: Vec<_> = events.iter().map(|e| e.payload.as_slice()).collect();
    let headers: Vec<_> = events.iter().map(headers).collect();
    let times: Vec<_> = events.iter().map(|e| e.time).collect();
    sqlx::query(
        "insert into outbox (id, aggregatetype, aggregateid, type, payload, headers, occurred_at)
         select * from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::bytea[], $6::jsonb[], $7::timestamptz[])",
    )
    .bind(ids)
    .bind(topics)
    .bind(keys)
    .bind(types)
    .bind(payloads)
    .bind(headers)
    .bind(times)
    .execute(conn)
    .await?;
    Ok(())
}

/// The JSON kept in the outbox's `headers` column: what the columns do not say.
pub fn headers(event: &Event) -> serde_json::Value {
    match &event.traceparent {
        Some(traceparent) => serde_json::json!({ "ce_source": event.source, "traceparent": traceparent }),
        None => serde_json::json!({ "ce_source": event.source }),
    }
}
