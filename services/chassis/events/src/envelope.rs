//! CloudEvents 1.0, in the Kafka binding's binary mode: attributes are headers, the payload is the protobuf message.

use chrono::{DateTime, Utc};
use prost::{Message, Name};
use uuid::Uuid;

/// One event, on its way to a topic or come from one. Carries ids, codes, states and times: no names, no free text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// `ce_id`.
    pub id: Uuid,
    /// Topic, e.g. `reviews.tier.v1`.
    pub topic: String,
    /// Record key: the student's id, else the aggregate's. Events of one key stay in order.
    pub key: String,
    /// `ce_type`: full name of the payload's message.
    pub r#type: String,
    /// `ce_source`, e.g. `/wraparound/reviews`.
    pub source: String,
    /// `ce_time`.
    pub time: DateTime<Utc>,
    /// W3C `traceparent` of the write.
    pub traceparent: Option<String>,
    /// The encoded message. Empty is a tombstone on a compacted topic.
    pub payload: Vec<u8>,
}

/// A record that is not one of our events.
#[derive(Debug, thiserror::Error)]
pub enum EnvelopeError {
    /// A header is missing or unreadable.
    #[error("header {0} is missing or not readable")]
    Header(&'static str),
}

/// The content type of every payload.
pub const CONTENT_TYPE: &str = "application/protobuf";

impl Event {
    /// An event for `topic` about `key`, of now. The source is the topic's first part.
    pub fn new<M: Message + Name>(topic: &str, key: impl ToString, message: &M, traceparent: Option<String>) -> Self {
        let service = topic.split('.').next().unwrap_or_default();
        Self {
            id: Uuid::now_v7(),
            topic: topic.to_owned(),
            key: key.to_string(),
            r#type: M::full_name(),
            source: format!("/wraparound/{service}"),
            time: Utc::now(),
            traceparent,
            payload: message.encode_to_vec(),
        }
    }

    /// Whether the payload is an `M`.
    pub fn is<M: Name>(&self) -> bool {
        self.r#type == M::full_name()
    }

    /// Reads the payload as an `M`, where it is one.
    pub fn decode<M: Message + Name + Default>(&self) -> Result<Option<M>, prost::DecodeError> {
        if self.is::<M>() { M::decode(&*self.payload).map(Some) } else { Ok(None) }
    }

    /// The headers of the record, in binary mode.
    pub fn headers(&self) -> Vec<(&'static str, String)> {
        let mut headers = vec![
            ("ce_specversion", "1.0".to_owned()),
            ("ce_id", self.id.to_string()),
            ("ce_type", self.r#type.clone()),
            ("ce_source", self.source.clone()),
            ("ce_subject", self.key.clone()),
            ("ce_time", self.time.to_rfc3339_opts(chrono::SecondsFormat::Micros, true)),
            ("content-type", CONTENT_TYPE.to_owned()),
        ];
        if let Some(traceparent) = &self.traceparent {
            headers.push(("traceparent", traceparent.clone()));
        }
        headers
    }

    /// Reads a record back from its parts.
    pub fn from_record(topic: &str, key: String, headers: &dyn Fn(&str) -> Option<String>, payload: Vec<u8>) -> Result<Self, EnvelopeError> {
        let header = |name: &'static str| headers(name).ok_or(EnvelopeError::Header(name));
        Ok(Self {
            id: header("ce_id")?.parse().map_err(|_| EnvelopeError::Header("ce_id"))?,
            topic: topic.to_owned(),
            key,
            r#type: header("ce_type")?,
            source: header("ce_source")?,
            time: DateTime::parse_from_rfc3339(&header("ce_time")?).map_err(|_| EnvelopeError::Header("ce_time"))?.to_utc(),
            traceparent: headers("traceparent"),
            payload,
        })
    }
}
