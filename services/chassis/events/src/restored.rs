//! Consumers whose schema was restored from a backup. They read the log from its beginning as a new group, since the group's own
//! offsets are ahead of what their tables hold now, and pass over what is in the backup already or was undone with it.

use std::collections::HashMap;

use chassis_pg::DbError;
use chrono::{DateTime, Utc};
use sqlx::{PgConnection, PgPool};

use crate::log::{Positions, Record};

/// What became of the event log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogAfter {
    /// It is the one from before: its offsets are the ones that the backup knows.
    Kept,
    /// It is a new one and empty.
    Lost,
}

/// Prepares a schema that was just restored. Nothing of the service may run meanwhile. With `undone`, every service was set
/// back from its end to its beginning: what was published between them tells of writes that are gone, and is passed over.
pub async fn stand_again(pool: &PgPool, log: LogAfter, undone: Option<(DateTime<Utc>, DateTime<Utc>)>) -> Result<(), DbError> {
    let mut tx = pool.begin().await?;
    sqlx::query("update consumer_generation set generation = gen_random_uuid(), undone_from = $1, undone_until = $2")
        .bind(undone.map(|(from, _)| from))
        .bind(undone.map(|(_, until)| until))
        .execute(&mut *tx)
        .await?;
    let sql = match log {
        LogAfter::Kept => "update consumer_position set resume_offset = next_offset",
        LogAfter::Lost => "delete from consumer_position",
    };
    sqlx::query(sql).execute(&mut *tx).await?;
    tx.commit().await?;
    Ok(())
}

/// Where a consumer stands when it begins to follow its topics.
pub(crate) struct Standing {
    undone: Option<(DateTime<Utc>, DateTime<Utc>)>,
    resume: HashMap<(String, i32), i64>,
}

#[derive(sqlx::FromRow)]
struct Generation {
    undone_from: Option<DateTime<Utc>>,
    undone_until: Option<DateTime<Utc>>,
}

impl Standing {
    pub(crate) async fn read(conn: &mut PgConnection, consumer: &str) -> Result<(Self, Positions), sqlx::Error> {
        let generation: Generation = sqlx::query_as("select undone_from, undone_until from consumer_generation").fetch_one(&mut *conn).await?;
        let rows: Vec<(String, i32, i64, Option<i64>)> =
            sqlx::query_as("select topic, partition, next_offset, resume_offset from consumer_position where consumer = $1")
                .bind(consumer)
                .fetch_all(conn)
                .await?;
        let resume = rows.iter().filter_map(|(topic, partition, _, resume)| Some(((topic.clone(), *partition), (*resume)?))).collect();
        let positions = rows.into_iter().map(|(topic, partition, next, _)| ((topic, partition), next)).collect();
        Ok((Self { undone: generation.undone_from.zip(generation.undone_until), resume }, positions))
    }

    /// Whether a record is in the tables already, or tells of a write that a restore has undone.
    pub(crate) fn passes_over(&self, record: &Record) -> bool {
        let held = self.resume.get(&(record.topic.clone(), record.partition)).is_some_and(|resume| record.offset < *resume);
        let undone = || self.undone.zip(record.event.as_ref().ok()).is_some_and(|((from, until), event)| from < event.time && event.time < until);
        held || undone()
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::envelope::Event;

    fn record(offset: i64, minute: i64) -> Record {
        let time = DateTime::UNIX_EPOCH + chrono::Duration::minutes(minute);
        let event = Event {
            id: Uuid::nil(),
            topic: "a.b.v1".into(),
            key: "k".into(),
            r#type: "t".into(),
            source: "/wraparound/a".into(),
            time,
            traceparent: None,
            payload: vec![],
        };
        Record { event: Ok(event), topic: "a.b.v1".into(), partition: 2, offset }
    }

    #[test]
    fn what_the_backup_holds_and_what_was_undone_with_it_are_passed_over() {
        let minute = |minutes| DateTime::UNIX_EPOCH + chrono::Duration::minutes(minutes);
        let standing = Standing { undone: Some((minute(10), minute(20))), resume: HashMap::from([(("a.b.v1".to_owned(), 2), 100)]) };
        for (offset, at, passed) in [(99, 5, true), (100, 5, false), (100, 9, false), (105, 15, true), (110, 25, false)] {
            assert_eq!(standing.passes_over(&record(offset, at)), passed, "offset {offset} of minute {at}");
        }
        let other = Record { partition: 3, ..record(5, 5) };
        assert!(!standing.passes_over(&other), "another partition has its own position");
    }
}
