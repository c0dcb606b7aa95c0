//! Plans as people work with them: the family's answer, what waits for what, needs understood anew, decisions, the next year.
#![allow(clippy::unwrap_used, reason = "a panic in a test is its report")]

mod district;

use chassis_access::Clearance;
use chrono::Utc;
use district::{District, YEAR, days_ago, id, need, request, stamp};
use plans::case_feed::CaseFeed;
use plans::goal::{self, entity as goals};
use plans::need::entity::NeedState;
use plans::plan::carry_over::{CarryOver, carry_over};
use plans::plan::entity::{FamilyAnswer, FamilyResponse, PlanState, PlanTransition};
use plans::plan::{self, header};
use plans::plan_item::entity::{Item, ItemKind, ItemState, ItemTransition};
use plans::{PlanError, plan_item, suggestion};
use proto::plans::v1::{GoalChanged, PlanItemChanged};
use proto::reviews::v1::{DecisionFact, EntryFact, IndividualReviewChanged, IndividualReviewState, NeedReclassified};
use proto::r#type::v1::{Sensitivity, Tier};
use uuid::Uuid;

const PROTECTED: &str = "plans.protected-need.v1";

impl District {
    async fn step(&self, transition: PlanTransition) -> Result<plan::entity::Plan, PlanError> {
        let held = self.plan(&Clearance::full()).await.plan;
        let step =
            plan::Transition { plan_id: held.plan_id, transition, reason: None, expected_version: held.version, request: request("plans.TransitionPlan") };
        plan::transition(&self.pool, &step).await
    }

    async fn answered(&self, response: FamilyResponse) -> Result<(), PlanError> {
        let held = self.plan(&Clearance::full()).await.plan;
        let change = header::Change { plan_id: held.plan_id, expected_version: held.version, request: request("plans.RecordFamilyResponse") };
        let answer = FamilyAnswer {
            response,
            answered_on: Utc::now().date_naive(),
            channel: "call".to_owned(),
            language: "es".to_owned(),
            interpreter: true,
            words: "We will try it.".to_owned(),
            recorded_by: Uuid::now_v7(),
            recorded_at: Utc::now(),
        };
        header::answer(&self.pool, &change, &answer).await.map(|_| ())
    }

    async fn move_item(&self, item: &Item, transition: ItemTransition) -> Result<Item, PlanError> {
        let step = plan_item::Transition {
            plan_item_id: item.plan_item_id,
            transition,
            reason: None,
            replaced_by: None,
            expected_version: self.item_now(item).await.version,
            request: request("plans.TransitionPlanItem"),
        };
        plan_item::transition(&self.pool, &step, &Clearance::full()).await
    }

    async fn wait_for(&self, item: &Item, others: &[&Item]) -> Result<Item, PlanError> {
        let mut next = self.item_now(item).await;
        next.arrangement.depends_on = others.iter().map(|o| o.plan_item_id).collect();
        let update = plan_item::Update { expected_version: next.version, item: next, request: request("plans.UpdatePlanItem") };
        plan_item::update(&self.pool, &update, &Clearance::full()).await
    }

    async fn understood(&self, topic: &str, former: &EntryFact, now: &EntryFact) {
        let message = NeedReclassified {
            student_id: self.student.to_string(),
            school_id: self.school.to_string(),
            school_year: YEAR,
            from_entry_id: former.entry_id.clone(),
            need: Some(now.clone()),
            class_review_id: self.class_review.to_string(),
            time: Some(stamp(Utc::now())),
            version: 9,
        };
        self.apply(&CaseFeed, topic, &message).await;
    }

    async fn decided(&self, topic: &str, sensitivity: Sensitivity, decisions: &[DecisionFact]) -> Uuid {
        let review = Uuid::now_v7();
        let message = IndividualReviewChanged {
            individual_review_id: review.to_string(),
            student_id: self.student.to_string(),
            school_id: self.school.to_string(),
            school_year: YEAR,
            state: IndividualReviewState::Decided.into(),
            decisions: decisions.to_vec(),
            sensitivity: sensitivity.into(),
            version: 3,
            time: Some(stamp(Utc::now())),
            ..IndividualReviewChanged::default()
        };
        self.apply(&CaseFeed, topic, &message).await;
        self.apply(&CaseFeed, topic, &message).await;
        review
    }

    async fn goal(&self, needs: &[&EntryFact]) -> goals::Goal {
        let plan = self.plan(&Clearance::full()).await.plan;
        let day = Utc::now().date_naive();
        let goal = goals::Goal {
            goal_id: Uuid::now_v7(),
            plan_id: plan.plan_id,
            student_id: Uuid::nil(),
            school_id: Uuid::nil(),
            school_year: 0,
            need_ids: needs.iter().map(|n| id(&n.entry_id)).collect(),
            domain: goals::Domain::Academics,
            description: "Reads a page aloud".to_owned(),
            measure: goals::GoalMeasure::Coursework,
            baseline: 1.0,
            target: 3.0,
            on_scale: true,
            unit: String::new(),
            starts_on: day,
            target_on: day,
            state: goals::GoalState::Open,
            sensitivity: goals::Sensitivity::General,
            version: 0,
            progress: vec![],
        };
        goal::put(&self.pool, &goal::Put { goal, expected_version: 0, request: request("plans.PutGoal") }, &Clearance::full()).await.unwrap()
    }
}

fn decision(needs: &[&EntryFact]) -> DecisionFact {
    DecisionFact {
        decision_id: Uuid::now_v7().to_string(),
        need_ids: needs.iter().map(|n| n.entry_id.clone()).collect(),
        item_kind: "school_support".to_owned(),
        service_category: "SE-GRF".to_owned(),
        owner: "staff".to_owned(),
        due_on: "2027-01-15".to_owned(),
        owner_id: String::new(),
    }
}

#[tokio::test]
async fn a_plan_of_tier_2b_begins_once_the_family_agreed_or_with_what_stays_inside_the_school() {
    let d = District::open().await;
    d.tier(Tier::Tier2b, days_ago(1)).await;
    let entry = need("ACA-RDG", Sensitivity::General, 3);
    d.reviewed(1, std::slice::from_ref(&entry)).await;
    let plan_id = d.plan(&Clearance::full()).await.plan.plan_id;
    let mut outside = d.item(plan_id, &[&entry.entry_id]);
    outside.kind = ItemKind::Referral;
    let outside = plan_item::add(&d.pool, &plan_item::Add { item: outside, request: request("plans.AddPlanItem") }, &Clearance::full()).await.unwrap();

    assert!(matches!(d.answered(FamilyResponse::Agreed).await, Err(PlanError::WrongState { .. })), "a draft was not shown yet");
    d.step(PlanTransition::Propose).await.unwrap();
    let refused = |result: Result<plan::entity::Plan, PlanError>| matches!(result, Err(PlanError::FamilyAnswer(_)));
    assert!(refused(d.step(PlanTransition::Activate).await));
    for response in [FamilyResponse::Shared, FamilyResponse::AskedChanges, FamilyResponse::Declined, FamilyResponse::NoReply] {
        d.answered(response).await.unwrap();
        assert!(refused(d.step(PlanTransition::Activate).await), "{response:?}");
    }
    d.move_item(&outside, ItemTransition::Withdraw).await.unwrap();
    assert_eq!(d.step(PlanTransition::Activate).await.unwrap().state, PlanState::Active);
    let whole = d.plan(&Clearance::full()).await;
    assert_eq!(whole.header.next_look_on, Some(Utc::now().date_naive() + chrono::Days::new(42)));
    assert_eq!((whole.header.family_response, whole.family_answers.len()), (Some(FamilyResponse::NoReply), 4));
}

#[tokio::test]
async fn camp_waits_for_transport_and_nothing_waits_for_itself() {
    let d = District::open().await;
    let entry = need("ACA-RDG", Sensitivity::General, 3);
    d.reviewed(1, std::slice::from_ref(&entry)).await;
    let (camp, transport, pass) = (d.add(&[&entry.entry_id]).await, d.add(&[&entry.entry_id]).await, d.add(&[&entry.entry_id]).await);
    d.wait_for(&camp, &[&transport]).await.unwrap();
    d.wait_for(&transport, &[&pass]).await.unwrap();
    assert!(matches!(d.wait_for(&pass, &[&camp]).await, Err(PlanError::Invalid(_))));
    assert!(matches!(d.wait_for(&pass, &[&pass]).await, Err(PlanError::Invalid(_))));
    match d.move_item(&camp, ItemTransition::PutInPlace).await {
        Err(PlanError::Waits(items)) => assert_eq!(items, [transport.plan_item_id]),
        other => panic!("{other:?}"),
    }
    d.move_item(&pass, ItemTransition::PutInPlace).await.unwrap();
    d.move_item(&transport, ItemTransition::PutInPlace).await.unwrap();
    assert_eq!(d.move_item(&camp, ItemTransition::PutInPlace).await.unwrap().state, ItemState::InPlace);
}

#[tokio::test]
async fn what_becomes_protected_takes_its_goals_along_and_nothing_open_names_it() {
    let d = District::open().await;
    let (open, mut secret) = (need("ACA-RDG", Sensitivity::General, 3), need("FAM-SAF", Sensitivity::General, 3));
    d.reviewed(1, &[open.clone(), secret.clone()]).await;
    let (camp, shelter) = (d.add(&[&open.entry_id]).await, d.add(&[&secret.entry_id]).await);
    d.wait_for(&camp, &[&shelter]).await.unwrap();
    let goal = d.goal(&[&secret]).await;
    let told = d.told::<GoalChanged>("plans.goal.v1").await.len();
    secret.sensitivity = Sensitivity::Protected.into();
    d.protected(1, std::slice::from_ref(&secret)).await;
    assert_eq!(d.told::<GoalChanged>("plans.goal.v1").await.len(), told, "only what was told before");
    assert_eq!(d.told::<GoalChanged>(PROTECTED).await[0].goal_id, goal.goal_id.to_string());
    let seen = d.plan(&Clearance::default()).await;
    assert_eq!(seen.items.iter().map(|i| i.plan_item_id).collect::<Vec<_>>(), [camp.plan_item_id]);
    assert!(seen.items[0].arrangement.depends_on.is_empty() && seen.items[0].arrangement.waits_for.is_empty());
    assert_eq!((seen.goals.len(), seen.closed_item_count, seen.closed_need_count), (0, 0, 0));
    d.move_item(&camp, ItemTransition::PutInPlace).await.unwrap();
    assert_eq!(d.plan(&Clearance::full()).await.goals.len(), 1);
}

#[tokio::test]
async fn a_need_understood_anew_keeps_one_chain_and_an_observation_is_no_need() {
    let d = District::open().await;
    let (maths, grief) = (need("ACA-MAT", Sensitivity::General, 9), need("SEB-ANX", Sensitivity::Restricted, 1));
    d.reviewed(1, std::slice::from_ref(&maths)).await;
    let (goes_on, over) = (d.add(&[&maths.entry_id]).await, d.add(&[&maths.entry_id]).await);
    d.move_item(&over, ItemTransition::Withdraw).await.unwrap();
    d.understood("reviews.need-reclassified.v1", &maths, &grief).await;
    let size = d.outbox_size().await;
    d.understood("reviews.need-reclassified.v1", &maths, &grief).await;
    assert_eq!(d.outbox_size().await, size, "the same news changes nothing");
    assert_eq!(d.need_now(&maths.entry_id).await.state, NeedState::NoLonger);
    assert_eq!(d.need_now(&grief.entry_id).await.state, NeedState::Open);
    let mut both = vec![id(&maths.entry_id), id(&grief.entry_id)];
    both.sort();
    assert_eq!(d.item_now(&goes_on).await.need_ids, both);
    assert_eq!(d.item_now(&goes_on).await.sensitivity.as_str(), "restricted");
    assert_eq!(d.item_now(&over).await.need_ids, [id(&maths.entry_id)]);
    // An observation that becomes a need has no former need here.
    let (seen, confirmed) = (need("SEB-MOO", Sensitivity::General, 1), need("SEB-MOO", Sensitivity::General, 1));
    d.understood("reviews.need-reclassified.v1", &seen, &confirmed).await;
    assert_eq!(d.plan(&Clearance::full()).await.needs.len(), 3);
}

#[tokio::test]
async fn a_need_understood_as_a_protected_one_is_told_of_on_the_protected_topic_only() {
    let d = District::open().await;
    let (former, secret) = (need("SEB-MOO", Sensitivity::General, 9), need("FAM-SAF", Sensitivity::Protected, 1));
    d.reviewed(1, std::slice::from_ref(&former)).await;
    let item = d.add(&[&former.entry_id]).await;
    d.understood("reviews.protected-need.v1", &former, &secret).await;
    assert_eq!(d.item_now(&item).await.sensitivity.as_str(), "protected");
    let payloads: Vec<Vec<u8>> = sqlx::query_scalar("select payload from outbox where aggregatetype <> $1").bind(PROTECTED).fetch_all(&d.pool).await.unwrap();
    assert!(payloads.iter().all(|p| !p.windows(36).any(|w| w == secret.entry_id.as_bytes())));
    assert!(d.plan(&Clearance::default()).await.items.is_empty());
}

#[tokio::test]
async fn decisions_become_items_once_and_wait_for_needs_that_have_not_arrived() {
    let d = District::open().await;
    let entry = need("ACA-RDG", Sensitivity::Restricted, 3);
    let decided = decision(&[&entry]);
    let review = d.decided("reviews.individual-review.v1", Sensitivity::General, std::slice::from_ref(&decided)).await;
    let items = d.plan(&Clearance::full()).await.items;
    assert_eq!(items.len(), 1);
    assert_eq!((items[0].plan_item_id, items[0].arrangement.individual_review_id), (id(&decided.decision_id), Some(review)));
    assert!(items[0].need_ids.is_empty() && items[0].description.is_empty());
    d.reviewed(1, std::slice::from_ref(&entry)).await;
    let linked = d.item_now(&items[0]).await;
    assert_eq!((linked.need_ids, linked.sensitivity.as_str()), (vec![id(&entry.entry_id)], "restricted"));
}

#[tokio::test]
async fn decisions_of_guarded_reviews_are_as_guarded_even_without_a_need() {
    let d = District::open().await;
    d.reviewed(1, &[]).await;
    d.decided("reviews.individual-review.v1", Sensitivity::Restricted, &[decision(&[])]).await;
    d.decided("reviews.protected-case.v1", Sensitivity::Protected, &[decision(&[])]).await;
    let seen = d.plan(&Clearance::default()).await;
    assert_eq!((seen.items.len(), seen.closed_item_count), (0, 1), "the restricted one is counted, the protected one is not there");
    assert_eq!(d.plan(&Clearance::full()).await.items.len(), 2);
    assert_eq!(d.told::<PlanItemChanged>(PROTECTED).await.len(), 1);
}

#[tokio::test]
async fn open_needs_go_on_into_the_next_year_and_last_years_items_stay_to_be_seen() {
    let d = District::open().await;
    let (open, met) = (need("ACA-RDG", Sensitivity::General, 60), need("ACA-MAT", Sensitivity::General, 60));
    d.reviewed(1, &[open.clone(), met.clone()]).await;
    let item = d.add(&[&open.entry_id]).await;
    d.move_item(&item, ItemTransition::PutInPlace).await.unwrap();
    sqlx::query("update plans.need set state = 'met', judged_by = 'staff' where need_id = $1").bind(id(&met.entry_id)).execute(&d.pool).await.unwrap();
    let old = d.plan(&Clearance::full()).await.plan;
    let command = |school_year| CarryOver { plan_id: old.plan_id, school_year, request: request("plans.CarryOverPlan") };
    assert!(matches!(carry_over(&d.pool, &command(YEAR + 2)).await, Err(PlanError::Invalid(_))));
    let (draft, header) = carry_over(&d.pool, &command(YEAR + 1)).await.unwrap();
    assert_eq!((draft.state, draft.school_year, header.carried_from_plan_id), (PlanState::Draft, YEAR + 1, Some(old.plan_id)));
    let next = plan::get(&d.pool, d.student, Some(YEAR + 1), &Clearance::full()).await.unwrap();
    assert_eq!(next.needs.iter().map(|n| n.need_id).collect::<Vec<_>>(), [id(&open.entry_id)]);
    assert!(next.items.is_empty(), "items are suggested, not copied");
    let last = plan::get(&d.pool, d.student, Some(YEAR), &Clearance::default()).await.unwrap();
    assert_eq!((last.items.len(), last.closed_item_count), (1, 0), "last year's items stay to be seen");
    let (again, _) = carry_over(&d.pool, &command(YEAR + 1)).await.unwrap();
    assert_eq!(again.plan_id, draft.plan_id);
}

#[tokio::test]
async fn suggestions_tell_nobody_of_needs_that_they_may_not_see() {
    let d = District::open().await;
    d.reviewed(1, &[need("ACA-RDG", Sensitivity::General, 3), need("SEB-ANX", Sensitivity::Restricted, 3)]).await;
    d.protected(1, &[need("SEB-SUB", Sensitivity::Protected, 3)]).await;
    let plan_id = d.plan(&Clearance::full()).await.plan.plan_id;
    let (few, highest) = suggestion::for_plan(&d.pool, plan_id, &Clearance::default()).await.unwrap();
    assert!(!few.is_empty() && few.iter().all(|s| s.because == "ACA-RDG"));
    assert_eq!(highest.as_str(), "general");
    let (all, highest) = suggestion::for_plan(&d.pool, plan_id, &Clearance::full()).await.unwrap();
    assert!(["ACA-RDG", "SEB-ANX", "SEB-SUB"].iter().all(|code| all.iter().any(|s| s.because == *code)));
    assert_eq!(highest.as_str(), "protected");
}

#[tokio::test]
async fn what_was_rated_well_last_year_is_suggested_first() {
    let d = District::open().await;
    let entry = need("ACA-RDG", Sensitivity::General, 60);
    d.reviewed(1, std::slice::from_ref(&entry)).await;
    let item = d.add(&[&entry.entry_id]).await;
    d.move_item(&item, ItemTransition::PutInPlace).await.unwrap();
    for points in [5_i16, 4] {
        sqlx::query("insert into plans.rating (rating_id, student_id, need_id, plan_item_id, rater, points, words, rated_on, recorded_by) values ($1, $2, $3, $4, 'teacher', $5, '', now(), $1)")
            .bind(Uuid::now_v7())
            .bind(d.student)
            .bind(id(&entry.entry_id))
            .bind(item.plan_item_id)
            .bind(points)
            .execute(&d.pool)
            .await
            .unwrap();
    }
    let old = d.plan(&Clearance::full()).await.plan;
    let command = CarryOver { plan_id: old.plan_id, school_year: YEAR + 1, request: request("plans.CarryOverPlan") };
    let (draft, _) = carry_over(&d.pool, &command).await.unwrap();
    let (suggestions, _) = suggestion::for_plan(&d.pool, draft.plan_id, &Clearance::default()).await.unwrap();
    assert_eq!((suggestions[0].reason.as_str(), suggestions[0].because.clone()), ("helped_last_year", item.plan_item_id.to_string()));
}
