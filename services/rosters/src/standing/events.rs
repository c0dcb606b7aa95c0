//! States as events. A hundred thousand at once after a first import, so they go into the outbox by COPY.

use std::fmt::Write as _;

use chassis_events::Event;
use chassis_pg::DbError;
use prost::{Message, Name};
use sqlx::PgConnection;

/// Bytes of COPY text sent at a time.
const PIECE: usize = 256 << 10;

/// State topic of students.
pub const STUDENT_TOPIC: &str = "rosters.student.v1";
/// State topic of classes.
pub const CLASS_TOPIC: &str = "rosters.class.v1";
/// State topic of staff.
pub const STAFF_TOPIC: &str = "rosters.staff.v1";

/// Fewer events than this are inserted: a COPY costs more round trips.
const FEW: usize = 500;

/// Appends states by key, in their order.
pub(super) async fn append<'m, M: Message + Name + 'm>(
    conn: &mut PgConnection,
    topic: &str,
    states: impl ExactSizeIterator<Item = (&'m str, &'m M)>,
) -> Result<(), DbError> {
    let traceparent = chassis_rpc::observe::traceparent();
    let few = states.len() < FEW;
    let mut events = states.map(|(key, message)| Event::new(topic, key, message, traceparent.clone()));
    if few {
        let events: Vec<Event> = events.collect();
        return chassis_events::outbox::append_all(conn, &events).await;
    }
    let statement = "copy rosters.outbox (id, aggregatetype, aggregateid, type, payload, headers, occurred_at) from stdin";
    let mut copy = conn.copy_in_raw(statement).await?;
    let mut text = String::with_capacity(PIECE + (PIECE >> 2));
    let mut headers: Option<String> = None;
    for event in events.by_ref() {
        // The same for every event of one call.
        let headers = headers.get_or_insert_with(|| chassis_events::outbox::headers(&event).to_string().replace('\\', "\\\\"));
        // Writing to a string cannot fail. Topics, keys and types hold nothing that COPY would read as its own.
        let _ = write!(text, "{}\t{}\t{}\t{}\t\\\\x", event.id, event.topic, event.key, event.r#type);
        push_hex(&mut text, &event.payload);
        let _ = writeln!(text, "\t{headers}\t{}", event.time.to_rfc3339());
        if text.len() >= PIECE {
            copy.send(text.as_bytes()).await?;
            text.clear();
        }
    }
    copy.send(text.as_bytes()).await?;
    copy.finish().await?;
    Ok(())
}

fn push_hex(text: &mut String, bytes: &[u8]) {
    const DIGITS: [char; 16] = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'];
    for byte in bytes {
        text.push(DIGITS[usize::from(byte >> 4)]);
        text.push(DIGITS[usize::from(byte & 15)]);
    }
}
