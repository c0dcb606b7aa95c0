//! How far the read models have come.

use chrono::{DateTime, Utc};
use sqlx::PgPool;

/// How far one topic has been read.
#[derive(Clone, Debug)]
pub struct TopicFreshness {
    /// Topic.
    pub topic: String,
    /// Events applied since the read models were built.
    pub applied_count: i64,
    /// Time of the newest applied event.
    pub newest_event_time: Option<DateTime<Utc>>,
}

/// One line a topic. Roster topics are read twice; the line tells of the read models, and of the relationships only for
/// the topic that nothing else follows.
pub async fn freshness(pool: &PgPool) -> Result<Vec<TopicFreshness>, sqlx::Error> {
    sqlx::query_as!(
        TopicFreshness,
        r#"select topic, sum(applied_count)::bigint as "applied_count!", max(newest_event_time) as newest_event_time
           from reporting.consumer_position
           where consumer <> 'relationships' or topic = 'rosters.staff.v1'
           group by topic
           order by topic"#
    )
    .fetch_all(pool)
    .await
}
