//! What stands waiting, looked at every few seconds: connections of the pool, the outbox, dead letters.

use std::time::Duration;

use sqlx::PgPool;
use tokio_util::sync::CancellationToken;

const EVERY: Duration = Duration::from_secs(15);

/// Tells how many connections a pool has, until the process stops.
pub async fn pool(schema: &'static str, pool: PgPool, most: u32, stop: CancellationToken) {
    metrics::gauge!("db_pool_max_connections", "schema" => schema).set(f64::from(most));
    loop {
        let idle = u32::try_from(pool.num_idle()).unwrap_or(u32::MAX);
        metrics::gauge!("db_pool_connections", "schema" => schema, "state" => "idle").set(f64::from(idle));
        metrics::gauge!("db_pool_connections", "schema" => schema, "state" => "used").set(f64::from(pool.size().saturating_sub(idle)));
        // Connections come and go much faster than events pile up.
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(EVERY / 5) => {}
        }
    }
}

/// Tells what waits to be published and what could not be applied, until the process stops. Every worker of a schema tells the
/// same, whoever of them publishes: a relay that hangs cannot hide it.
pub async fn waiting(schema: &'static str, consumers: Vec<&'static str>, pool: PgPool, stop: CancellationToken) {
    loop {
        if let Err(error) = look(schema, &consumers, &pool).await {
            tracing::debug!(schema, error = &error as &dyn std::error::Error, "what waits could not be counted");
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(EVERY) => {}
        }
    }
}

async fn look(schema: &'static str, consumers: &[&'static str], pool: &PgPool) -> Result<(), sqlx::Error> {
    let (rows, age): (i64, f64) =
        sqlx::query_as("select count(*), coalesce(extract(epoch from clock_timestamp() - min(occurred_at)), 0)::float8 from outbox").fetch_one(pool).await?;
    metrics::gauge!("outbox_rows", "schema" => schema).set(float(rows));
    metrics::gauge!("outbox_oldest_age_seconds", "schema" => schema).set(age.max(0.0));
    let letters: Vec<(String, i64)> = sqlx::query_as("select consumer, count(*) from dead_letter group by consumer").fetch_all(pool).await?;
    for consumer in consumers {
        let count = letters.iter().find(|(name, _)| name == consumer).map_or(0, |(_, count)| *count);
        metrics::gauge!("dead_letters", "schema" => schema, "consumer" => *consumer).set(float(count));
    }
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "counts of rows are far below 2^52")]
fn float(count: i64) -> f64 {
    count as f64
}
