//! States as events. A hundred thousand at once after a first import, so they go into the outbox by COPY.

use std::fmt::Write as _;

use chassis_events::Event;
use chassis_pg::DbError;
use prost::{Message, Name};
use sqlx::PgConnection;

/// State topic of students.
pub const STUDENT_TOPIC: &str = "rosters.student.v1";
/// State topic of classes.
pub const CLASS_TOPIC: &str = "rosters.class.v1";
/// State topic of staff.
pub const STAFF_TOPIC: &str = "rosters.staff.v1";

/// Appends states by key, in their order.
pub(super) async fn append<'m, M: Message + Name + 'm>(
    conn: &mut PgConnection,
    topic: &str,
    states: impl Iterator<Item = (&'m str, &'m M)>,
) -> Result<(), DbError> {
    let traceparent = chassis_rpc::observe::traceparent();
    let mut text = String::new();
    for (key, message) in states {
        let event = Event::new(topic, key, message, traceparent.clone());
        let headers = chassis_events::outbox::headers(&event).to_string();
        // Writing to a string cannot fail. Topics, keys and types hold nothing that COPY would read as its own.
        let _ = write!(text, "{}\t{}\t{}\t{}\t\\\\x", event.id, event.topic, event.key, event.r#type);
        for byte in &event.payload {
            let _ = write!(text, "{byte:02x}");
        }
        let _ = writeln!(text, "\t{}\t{}", headers.replace('\\', "\\\\"), event.time.to_rfc3339());
    }
    let statement = "copy rosters.outbox (id, aggregatetype, aggregateid, type, payload, headers, occurred_at) from stdin";
    let mut copy = conn.copy_in_raw(statement).await?;
    copy.send(text.into_bytes()).await?;
    copy.finish().await?;
    Ok(())
}
