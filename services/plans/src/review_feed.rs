//! What reviews say: a student reviewed makes or renews a draft plan; tiers and protected needs come beside it.

use async_trait::async_trait;
use chassis_events::{ApplyError, Event, Handler};
use chassis_pg::DbError;
use proto::reviews::v1::{EntryFact, Polarity, ProtectedNeedsRecorded, StudentReviewChanged, StudentReviewState, TierAssigned};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::codes::{Certainty, Domain, Sensitivity, Tier};
use crate::feed;
use crate::history::{self, Step};
use crate::need::repo::{Origin, Recorded, Version};
use crate::plan::repo::Owner;
use crate::{goal, need, plan, plan_item};

/// Consumer of the topics of reviews.
#[derive(Clone, Copy, Debug)]
pub struct ReviewFeed;

/// Who is said to have made these changes.
const BY: &str = "reviews";

#[async_trait]
impl Handler for ReviewFeed {
    fn topics(&self) -> Vec<&'static str> {
        vec!["reviews.student-review.v1", "reviews.protected-need.v1", "reviews.tier.v1"]
    }

    async fn apply(&self, conn: &mut PgConnection, event: &Event) -> Result<(), ApplyError> {
        if let Some(review) = event.decode::<StudentReviewChanged>()? {
            // Only a finished review says what a student needs; one that is opened again keeps what it said.
            if !matches!(review.state(), StudentReviewState::Reviewed | StudentReviewState::Amended) {
                return Ok(());
            }
            let owner = Owner {
                student_id: feed::id("student_id", &review.student_id)?,
                school_id: feed::id("school_id", &review.school_id)?,
                school_year: feed::school_year(review.school_year)?,
                reviewed_at: feed::time("time", review.time.as_ref())?,
            };
            let message = Message::read(&review.class_review_id, review.version, &review.entries, false)?;
            renew(conn, owner, &message).await?;
        } else if let Some(recorded) = event.decode::<ProtectedNeedsRecorded>()? {
            let owner = Owner {
                student_id: feed::id("student_id", &recorded.student_id)?,
                school_id: feed::id("school_id", &recorded.school_id)?,
                school_year: feed::school_year(recorded.school_year)?,
                reviewed_at: feed::time("time", recorded.time.as_ref())?,
            };
            let message = Message::read(&recorded.class_review_id, recorded.version, &recorded.entries, true)?;
            renew(conn, owner, &message).await?;
        } else if let Some(assigned) = event.decode::<TierAssigned>()? {
            let tier = feed::known("tier", Tier::from_proto(assigned.tier()))?;
            let student = feed::id("student_id", &assigned.student_id)?;
            let assignment = feed::id("tier_assignment_id", &assigned.tier_assignment_id)?;
            let effective = feed::time("effective_time", assigned.effective_time.as_ref())?;
            plan::repo::put_tier(conn, student, feed::school_year(assigned.school_year)?, tier, effective, assignment).await?;
        }
        Ok(())
    }
}

/// What one message of a class review says of a student.
struct Message {
    class_review_id: Uuid,
    version: i64,
    protected: bool,
    strengths: Vec<String>,
    interests: Vec<String>,
    needs: Vec<Recorded>,
}

impl Message {
    fn read(class_review_id: &str, version: i64, entries: &[EntryFact], protected: bool) -> Result<Self, ApplyError> {
        let class_review_id = feed::id("class_review_id", class_review_id)?;
        let mut message = Self { class_review_id, version, protected, strengths: vec![], interests: vec![], needs: vec![] };
        for entry in entries {
            let code = feed::code("entries.code", &entry.code)?;
            let open = Sensitivity::from_proto(entry.sensitivity()).is_none_or(|sensitivity| sensitivity == Sensitivity::General);
            match entry.polarity() {
                // The plan shows these to everybody who sees it.
                Polarity::Strength | Polarity::Interest if !open => {}
                Polarity::Strength => message.strengths.push(code),
                Polarity::Interest => message.interests.push(code),
                Polarity::Need => message.needs.push(need_of(entry, code, protected)?),
                // What was seen is not yet a need.
                Polarity::Observation => {}
                Polarity::Unspecified => return Err(ApplyError::Reject("entries.polarity is not a known value".to_owned())),
            }
        }
        message.needs.sort_by_key(|n| n.need_id);
        message.needs.dedup_by_key(|n| n.need_id);
        Ok(message)
    }
}

pub(crate) fn need_of(entry: &EntryFact, code: String, protected: bool) -> Result<Recorded, ApplyError> {
    let sensitivity = Sensitivity::from_proto(entry.sensitivity()).unwrap_or(Sensitivity::General);
    Ok(Recorded {
        need_id: feed::id("entries.entry_id", &entry.entry_id)?,
        code,
        domain: feed::known("entries.domain", Domain::from_proto(entry.domain()))?,
        severity: feed::known("entries.severity", i16::try_from(entry.severity).ok().filter(|s| (1..=3).contains(s)))?,
        certainty: Certainty::from_proto(entry.certainty()).unwrap_or(Certainty::Observed),
        // Whatever comes by the protected topic is protected.
        sensitivity: if protected { Sensitivity::Protected } else { sensitivity },
        recorded_at: feed::time("entries.recorded_time", entry.recorded_time.as_ref())?,
    })
}

/// Makes the plan where there is none, and brings its needs, strengths and interests up to this version of the review.
async fn renew(conn: &mut PgConnection, owner: Owner, message: &Message) -> Result<(), DbError> {
    let (mut plan, created) = plan::repo::ensure(conn, owner).await?;
    if !newer(conn, plan.plan_id, owner.student_id, message).await? {
        return Ok(());
    }
    let moved = plan::repo::follow_school(conn, plan.plan_id, owner).await?;
    if moved {
        plan.school_id = owner.school_id;
        plan.version += 1;
    }
    if created || moved {
        history::append(conn, Step { aggregate: "plan", id: plan.plan_id, version: plan.version, state: plan.state.as_str(), reason: "", by: BY }).await?;
        plan::events::publish(conn, &plan).await?;
    }
    if !message.protected {
        plan::repo::gather_codes(conn, plan.plan_id).await?;
    }
    let origin = Origin { plan_id: plan.plan_id, student_id: owner.student_id, class_review_id: message.class_review_id, protected: message.protected };
    let kept: Vec<Uuid> = message.needs.iter().map(|n| n.need_id).collect();
    let mut changed = need::repo::record(conn, origin, &message.needs).await?;
    plan_item::link_awaited(conn, &changed, BY).await?;
    // An item is never less sensitive than its needs, and is told of as such before its needs are.
    for item in plan_item::repo::of_needs(conn, &changed).await? {
        let highest = message.needs.iter().filter(|n| item.need_ids.contains(&n.need_id)).map(|n| n.sensitivity).max();
        plan_item::raise_sensitivity(conn, item, highest.unwrap_or(Sensitivity::General), BY).await?;
    }
    goal::follow_needs(conn, &changed, BY).await?;
    // One that is a need again follows its items again.
    need::repo::derive(conn, &changed, Version::AlreadyRaised).await?;
    changed.extend(need::repo::call_off_missing(conn, origin, &kept).await?);
    need::events::publish(conn, &changed, BY).await
}

/// Whether this version is newer than the one we have; remembers it where it is. General and protected messages of one
/// review are counted apart: they come by different topics.
async fn newer(conn: &mut PgConnection, plan_id: Uuid, student_id: Uuid, message: &Message) -> Result<bool, DbError> {
    let done = if message.protected {
        sqlx::query!(
            "insert into plans.review_source as held (class_review_id, student_id, plan_id, protected_version) values ($1, $2, $3, $4)
             on conflict (class_review_id, student_id) do update set protected_version = excluded.protected_version
             where held.protected_version < excluded.protected_version",
            message.class_review_id,
            student_id,
            plan_id,
            message.version
        )
        .execute(conn)
        .await?
    } else {
        sqlx::query!(
            "insert into plans.review_source as held (class_review_id, student_id, plan_id, version, strength_codes, interest_codes) values ($1, $2, $3, $4, $5, $6)
             on conflict (class_review_id, student_id) do update set version = excluded.version, strength_codes = excluded.strength_codes, interest_codes = excluded.interest_codes
             where held.version < excluded.version",
            message.class_review_id,
            student_id,
            plan_id,
            message.version,
            &message.strengths,
            &message.interests
        )
        .execute(conn)
        .await?
    };
    Ok(done.rows_affected() == 1)
}
