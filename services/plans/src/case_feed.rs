//! What reviews say of cases: needs that are understood anew, and decisions of individual reviews, which become items.

use async_trait::async_trait;
use chassis_events::{ApplyError, Event, Handler};
use proto::reviews::v1::{DecisionFact, IndividualReviewChanged, IndividualReviewState, NeedReclassified};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::codes::{ItemKind, OwnerKind, Sensitivity};
use crate::feed;
use crate::need::repo::{Origin, Recorded, Version};
use crate::plan::entity::{Plan, PlanState};
use crate::plan::repo::Owner;
use crate::plan_item::entity::{Arrangement, Item, ItemState};
use crate::review_feed::need_of;
use crate::{follow_up, need, plan, plan_item, suggestion};

/// Consumer of the topics of needs understood anew and of individual reviews.
#[derive(Clone, Copy, Debug)]
pub struct CaseFeed;

/// Who is said to have made these changes.
const BY: &str = "reviews";

#[async_trait]
impl Handler for CaseFeed {
    fn topics(&self) -> Vec<&'static str> {
        vec!["reviews.need-reclassified.v1", "reviews.protected-need.v1", "reviews.individual-review.v1", "reviews.protected-case.v1"]
    }

    async fn apply(&self, conn: &mut PgConnection, event: &Event) -> Result<(), ApplyError> {
        if let Some(changed) = event.decode::<NeedReclassified>()? {
            let need = changed.need.clone().unwrap_or_default();
            let code = feed::code("need.code", &need.code)?;
            let owner = owner(&changed.student_id, &changed.school_id, changed.school_year, changed.time.as_ref())?;
            let understood = Understood {
                former: feed::id("from_entry_id", &changed.from_entry_id)?,
                class_review_id: feed::id("class_review_id", &changed.class_review_id)?,
                // It comes by the protected topic where the former one was protected, and need not be protected itself.
                need: need_of(&need, code, false)?,
            };
            understand(conn, owner, &understood).await?;
        } else if let Some(review) = event.decode::<IndividualReviewChanged>()? {
            let owner = owner(&review.student_id, &review.school_id, review.school_year, review.time.as_ref())?;
            let protected = event.topic == "reviews.protected-case.v1";
            let review_id = feed::id("individual_review_id", &review.individual_review_id)?;
            let case = (review_id, owner.student_id, owner.school_id);
            let floor = if protected { Sensitivity::Protected } else { Sensitivity::from_proto(review.sensitivity()).unwrap_or(Sensitivity::Restricted) };
            if review.state() == IndividualReviewState::Closed {
                follow_up::hooks::individual_review(conn, case, floor, None, BY).await?;
            }
            if review.state() == IndividualReviewState::Decided {
                let (plan, _) = plan::repo::ensure(conn, owner).await?;
                if let Ok(again) = review.review_on.parse() {
                    follow_up::hooks::individual_review(conn, case, floor, Some(again), BY).await?;
                }
                for decision in &review.decisions {
                    decided(conn, &plan, review_id, decision, floor).await?;
                }
            }
        }
        Ok(())
    }
}

fn owner(student: &str, school: &str, year: i32, time: Option<&prost_types::Timestamp>) -> Result<Owner, ApplyError> {
    Ok(Owner {
        student_id: feed::id("student_id", student)?,
        school_id: feed::id("school_id", school)?,
        school_year: feed::school_year(year)?,
        reviewed_at: feed::time("time", time)?,
    })
}

/// A need as it is understood now.
struct Understood {
    former: Uuid,
    class_review_id: Uuid,
    need: Recorded,
}

/// The new need is there, the former one is none any more, and what goes on for the former goes on for the new one: the chain from
/// need to delivery stays one. The news of the review itself may come before or after.
async fn understand(conn: &mut PgConnection, owner: Owner, understood: &Understood) -> Result<(), ApplyError> {
    let (plan, _) = plan::repo::ensure(conn, owner).await?;
    let protected = understood.need.sensitivity == Sensitivity::Protected;
    let origin = Origin { plan_id: plan.plan_id, student_id: owner.student_id, class_review_id: understood.class_review_id, protected };
    let id = understood.need.need_id;
    let mut changed = need::repo::record(conn, origin, std::slice::from_ref(&understood.need)).await?;
    plan_item::link_awaited(conn, &[id], BY).await?;
    let items = plan_item::repo::of_needs(conn, &[understood.former]).await?;
    let goes_on: Vec<Uuid> = items.iter().filter(|i| i.plan_id == plan.plan_id && !i.state.is_unhappened()).map(|i| i.plan_item_id).collect();
    plan_item::repo::answer_also(conn, &goes_on, id).await?;
    for item in plan_item::repo::by_ids(conn, &goes_on).await? {
        plan_item::raise_sensitivity(conn, item, understood.need.sensitivity, BY).await?;
    }
    if need::repo::supersede(conn, owner.student_id, understood.former).await? {
        changed.push(understood.former);
    }
    changed.extend(need::repo::derive(conn, &[id], Version::Raise).await?);
    changed.sort();
    changed.dedup();
    Ok(need::events::publish(conn, &changed, BY).await?)
}

/// A decision becomes an item, once. What it is in words stays with the individual review.
async fn decided(conn: &mut PgConnection, plan: &Plan, review_id: Uuid, decision: &DecisionFact, own: Sensitivity) -> Result<(), ApplyError> {
    if plan.state == PlanState::Closed {
        return Ok(());
    }
    let wanted = feed::ids("decisions.need_ids", &decision.need_ids)?;
    let there: Vec<_> = need::repo::by_ids(conn, &wanted).await?.into_iter().filter(|n| n.plan_id == plan.plan_id).collect();
    let optional = |text: &str| if text.is_empty() { Ok(None) } else { feed::id("decisions.owner_id", text).map(Some) };
    let category = if decision.service_category.is_empty() { String::new() } else { feed::code("decisions.service_category", &decision.service_category)? };
    let kind = feed::known("decisions.item_kind", ItemKind::from_code(&decision.item_kind))?;
    let owner = OwnerKind::from_code(&decision.owner);
    let item = Item {
        plan_item_id: feed::id("decisions.decision_id", &decision.decision_id)?,
        plan_id: plan.plan_id,
        student_id: plan.student_id,
        school_id: plan.school_id,
        school_year: plan.school_year,
        need_ids: there.iter().map(|n| n.need_id).collect(),
        builds_on_codes: Vec::new(),
        kind,
        arrangement: Arrangement {
            owner_id: optional(&decision.owner_id)?,
            band: suggestion::band_of(&category),
            priority: 2,
            individual_review_id: Some(review_id),
            ..Arrangement::default()
        },
        service_category: category,
        description: String::new(),
        owner,
        first_step_owner: owner,
        due_on: if decision.due_on.is_empty() { None } else { decision.due_on.parse().ok() },
        state: ItemState::Planned,
        ended_reason: None,
        referral_id: None,
        sensitivity: there.iter().map(|n| n.sensitivity).max().unwrap_or(Sensitivity::General).max(own),
        version: 1,
    };
    if plan_item::create(conn, &item, BY).await?.is_some() {
        let missing: Vec<Uuid> = wanted.into_iter().filter(|id| !item.need_ids.contains(id)).collect();
        plan_item::repo::await_needs(conn, item.plan_item_id, &missing).await?;
    }
    Ok(())
}
