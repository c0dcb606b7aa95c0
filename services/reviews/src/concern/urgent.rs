//! Suspected needs that call for a look today raise a concern by themselves, once each.

use chassis_events::outbox;
use chassis_pg::DbError;
use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::clock::Clock;
use super::entity::Concern;
use super::{events, repo};
use crate::student_review::entity::Entry;
use crate::tier::rule::{self, Certainty, RuleEntry};
use crate::words::{ConcernSource, ConcernState, Polarity, Urgency};

const WORDS: &str = "Raised by the software: a need that somebody has to look at today is suspected. The student's needs hold what was seen.";

/// Whose needs they are.
#[derive(Clone, Copy, Debug)]
pub struct Whose {
    /// Student.
    pub student_id: Uuid,
    /// School.
    pub school_id: Uuid,
    /// School year.
    pub school_year: i32,
}

/// Raises an urgent concern for each of these entries that calls for one and has none yet. In the transaction that records
/// the need or completes its review.
pub async fn raise_for_urgent(conn: &mut PgConnection, clock: &Clock, whose: Whose, entries: &[Entry], now: DateTime<Utc>) -> Result<(), DbError> {
    let needs: Vec<&Entry> = entries.iter().filter(|e| e.polarity == Polarity::Need && e.stands()).collect();
    let asked: Vec<RuleEntry<'_>> = needs
        .iter()
        .map(|e| RuleEntry { code: &e.code, severity: u8::try_from(e.severity).unwrap_or(0), certainty: e.certainty.unwrap_or(Certainty::Observed) })
        .collect();
    let mut told = Vec::new();
    for need in rule::suggest(&asked).urgent.into_iter().filter_map(|at| needs.get(at)) {
        let concern = Concern {
            id: Uuid::now_v7(),
            student_id: whose.student_id,
            school_id: whose.school_id,
            school_year: whose.school_year,
            state: ConcernState::Raised,
            urgency: Urgency::Urgent,
            source: ConcernSource::Staff,
            domain: need.domain,
            code: need.code.clone(),
            words: WORDS.to_owned(),
            sensitivity: need.sensitivity,
            need_ids: vec![need.id],
            urgent_need_id: Some(need.id),
            raised_by: need.author,
            raised_at: now,
            due_at: clock.due(Urgency::Urgent, now),
            answer: None,
            individual_review_id: None,
            close_note: String::new(),
            version: 1,
        };
        if repo::insert(conn, &concern).await? {
            told.push(events::changed(&concern, now));
        }
    }
    outbox::append_all(conn, &told).await
}
