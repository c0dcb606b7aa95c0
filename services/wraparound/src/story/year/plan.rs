//! The plan, and what the family says to it.

use chrono::Days;
use proto::plans::v1::{
    AddPlanItemRequest, CheckIn, CheckInNote, Commitment, FamilyAnswer, FamilyResponse, GetPlanResponse, Goal, GoalMeasure, OwnerKind, Plan, PlanItem,
    PlanItemKind, ProgressPoint, PutCheckInRequest, PutCommitmentRequest, PutGoalRequest, RecordCheckInRequest, RecordFamilyResponseRequest,
    RecordProgressRequest, SuggestPlanItemsRequest, TransitionPlanRequest, TrustedAdult, UpdatePlanRequest, WarmHandoff,
};
use uuid::Uuid;

use super::care::Care;
use super::told::thing;
use super::{Scene, Year};
use crate::acting::{Told as _, eventually, planning, request_id};

/// What the rest of the year goes on with.
pub(super) struct Planned {
    /// The plan item for the group.
    pub group_item: PlanItem,
    /// The need behind it.
    pub need: String,
    /// The goal.
    pub goal: String,
}

impl Year {
    pub(super) async fn plan(&mut self, scene: &Scene, care: &Care) -> anyhow::Result<Planned> {
        let services = self.services.clone();
        let who = &scene.coordinator.who;
        let read = eventually("wait for the decisions in the plan", || async {
            let plan = planning::read(&services, who, scene.grieving()).await?;
            let all = care.decisions.iter().all(|d| plan.items.iter().any(|i| i.plan_item_id == *d));
            Ok((all && plan.needs.iter().any(|n| n.need_id == care.need)).then_some(plan))
        })
        .await?;
        let plan = read.plan.clone().unwrap_or_default();
        let item = |id: &str| read.items.iter().find(|i| i.plan_item_id == id).cloned().unwrap_or_default();
        anyhow::ensure!(
            care.decisions.iter().all(|d| item(d).individual_review_id == care.individual_review),
            "items know the individual review they come from"
        );
        let mut things = vec![thing("plan_id", &plan.plan_id, plan.state().as_str_name()), thing("need_id", &care.need, "SEB-GRF")];
        things.extend(care.decisions.iter().map(|d| thing("plan_item_id", d, item(d).state().as_str_name())));
        self.step("the draft plan has the new need, and the decisions as items", things);

        let plan = self.header(scene, &plan).await?;
        let goal = self.goal(scene, &plan, &care.need).await?;
        self.camp(scene, &plan, &care.need).await?;
        self.suggestions(scene, &plan).await?;
        self.together(scene, &plan).await?;
        let plan = self.agreed(scene, &read, plan).await?;
        self.step("the plan is in force", vec![thing("plan_id", &plan.plan_id, plan.state().as_str_name())]);
        let group_item = care.decisions.first().map(|d| item(d)).unwrap_or_default();
        Ok(Planned { group_item, need: care.need.clone(), goal })
    }

    async fn header(&mut self, scene: &Scene, plan: &Plan) -> anyhow::Result<Plan> {
        let request = UpdatePlanRequest {
            plan_id: plan.plan_id.clone(),
            lead_id: scene.coordinator.id.clone(),
            contributor_ids: vec![scene.teacher.id.clone(), scene.counsellor.id.clone()],
            trusted_adults: vec![
                TrustedAdult { staff_id: scene.counsellor.id.clone(), relation: String::new(), note: "No questions asked, at any time.".to_owned() },
                TrustedAdult { staff_id: String::new(), relation: "aunt".to_owned(), note: "Collects him on Fridays.".to_owned() },
            ],
            family_words: "I want him to be able to talk about his grandfather.".to_owned(),
            family_words_by: "mother".to_owned(),
            next_look_on: String::new(),
            languages: vec!["es".to_owned()],
            expected_version: plan.version,
            request_id: request_id(),
        };
        let plan = self.services.plans().update_plan(scene.coordinator.who.asks(request)).await.told("write the plan's header")?.plan.unwrap_or_default();
        self.step("lead, two trusted adults and the mother's own words are written down", vec![thing("plan_id", &plan.plan_id, plan.state().as_str_name())]);
        Ok(plan)
    }

    async fn goal(&mut self, scene: &Scene, plan: &Plan, need: &str) -> anyhow::Result<String> {
        let today = chassis_clock::today();
        let who = &scene.coordinator.who;
        let goal = Goal {
            goal_id: Uuid::now_v7().to_string(),
            plan_id: plan.plan_id.clone(),
            need_ids: vec![need.to_owned()],
            description: "Stays in the room and says when it is too much.".to_owned(),
            measure: GoalMeasure::SocialEmotional.into(),
            baseline: 1.0,
            target: 3.0,
            on_scale: true,
            starts_on: (today - Days::new(35)).to_string(),
            ..Goal::default()
        };
        let request = PutGoalRequest { goal: Some(goal), expected_version: 0, request_id: request_id() };
        let mut goal = self.services.plans().put_goal(who.asks(request)).await.told("set a goal")?.goal.unwrap_or_default();
        for (days, value) in [(21, 1.0), (14, 2.0), (0, 3.0)] {
            let point = ProgressPoint {
                progress_id: Uuid::now_v7().to_string(),
                observed_on: (today - Days::new(days)).to_string(),
                value,
                ..ProgressPoint::default()
            };
            let request = RecordProgressRequest { goal_id: goal.goal_id.clone(), point: Some(point), request_id: request_id() };
            goal = self.services.plans().record_progress(scene.counsellor.who.asks(request)).await.told("note the progress")?.goal.unwrap_or_default();
        }
        self.step(
            "a goal from 1 to 3 is set, and three points of progress are seen",
            vec![thing("goal_id", &goal.goal_id, format!("{}, {} points", goal.state().as_str_name(), goal.progress.len()))],
        );
        Ok(goal.goal_id)
    }

    /// The camp can only begin once there is a ride.
    async fn camp(&mut self, scene: &Scene, plan: &Plan, need: &str) -> anyhow::Result<()> {
        let who = &scene.coordinator.who;
        let item = |category: &str, description: &str, depends: Vec<String>| PlanItem {
            plan_item_id: Uuid::now_v7().to_string(),
            need_ids: vec![need.to_owned()],
            builds_on_codes: vec!["INT-ART".to_owned()],
            kind: PlanItemKind::SchoolSupport.into(),
            service_category: category.to_owned(),
            description: description.to_owned(),
            owner: OwnerKind::Staff.into(),
            owner_id: scene.coordinator.id.clone(),
            first_step_owner: OwnerKind::Staff.into(),
            first_step_owner_id: scene.coordinator.id.clone(),
            warm_handoff: WarmHandoff::CallTogether.into(),
            depends_on_item_ids: depends,
            ..PlanItem::default()
        };
        let add = |item: PlanItem| {
            let request = AddPlanItemRequest { plan_id: plan.plan_id.clone(), item: Some(item), request_id: request_id() };
            let (mut client, request) = (self.services.plans(), who.asks(request));
            async move { anyhow::Ok(client.add_plan_item(request).await.told("add an item")?.item.unwrap_or_default()) }
        };
        let ride = add(item("TR-SCH", "A ride to the camp and back.", vec![])).await?;
        let camp = add(item("ENR-ART", "The art camp in the holidays.", vec![ride.plan_item_id.clone()])).await?;
        anyhow::ensure!(camp.waits_for_item_ids == [ride.plan_item_id.clone()], "the camp waits for the ride");
        let early = planning::move_item(&self.services, who, &camp, "put_in_place", proto::plans::v1::UnmetReason::Unspecified).await;
        anyhow::ensure!(early.is_err(), "the camp cannot be in place before the ride");
        let ride = planning::move_item(&self.services, who, &ride, "put_in_place", proto::plans::v1::UnmetReason::Unspecified).await?;
        let camp = planning::move_item(&self.services, who, &camp, "put_in_place", proto::plans::v1::UnmetReason::Unspecified).await?;
        self.step(
            "the camp waits for a ride: first refused, then the ride is there, then the camp",
            vec![thing("plan_item_id", &ride.plan_item_id, ride.state().as_str_name()), thing("plan_item_id", &camp.plan_item_id, camp.state().as_str_name())],
        );
        Ok(())
    }

    async fn suggestions(&mut self, scene: &Scene, plan: &Plan) -> anyhow::Result<()> {
        let request = SuggestPlanItemsRequest { plan_id: plan.plan_id.clone() };
        let suggested = self.services.plans().suggest_plan_items(scene.coordinator.who.asks(request)).await.told("ask for suggestions")?.suggestions;
        let told = suggested.iter().take(3).map(|s| thing("suggestion", &s.service_category, format!("{} ({})", s.reason, s.because))).collect();
        self.step(&format!("{} more things could be added, each with its reason", suggested.len()), told);
        Ok(())
    }

    async fn together(&mut self, scene: &Scene, plan: &Plan) -> anyhow::Result<()> {
        let today = chassis_clock::today();
        let mut plans = self.services.plans();
        let check_in = CheckIn {
            check_in_id: Uuid::now_v7().to_string(),
            plan_id: plan.plan_id.clone(),
            staff_id: scene.teacher.id.clone(),
            with: "family".to_owned(),
            every_weeks: 1,
            weekday: 5,
            about: "How the week went.".to_owned(),
            starts_on: (today - Days::new(14)).to_string(),
            ..CheckIn::default()
        };
        let request = PutCheckInRequest { check_in: Some(check_in), expected_version: 0, request_id: request_id() };
        let check_in = plans.put_check_in(scene.teacher.who.asks(request)).await.told("agree on a weekly check-in")?.check_in.unwrap_or_default();
        let note = CheckInNote {
            note_id: Uuid::now_v7().to_string(),
            on_date: (today - Days::new(7)).to_string(),
            happened: true,
            from_staff: "Two good days.".to_owned(),
            from_family: "He slept better.".to_owned(),
            ..CheckInNote::default()
        };
        let request = RecordCheckInRequest { check_in_id: check_in.check_in_id.clone(), note: Some(note), request_id: request_id() };
        let check_in = plans.record_check_in(scene.teacher.who.asks(request)).await.told("note the check-in")?.check_in.unwrap_or_default();
        let mut things = vec![thing("check_in_id", &check_in.check_in_id, format!("{} of {} happened", check_in.happened_count, check_in.due_count))];
        for (by, text) in [(OwnerKind::Family, "The aunt sits with him at seven."), (OwnerKind::Staff, "No timed sheets until spring.")] {
            let commitment = Commitment {
                commitment_id: Uuid::now_v7().to_string(),
                plan_id: plan.plan_id.clone(),
                by: by.into(),
                staff_id: if by == OwnerKind::Staff { scene.teacher.id.clone() } else { String::new() },
                text: text.to_owned(),
                ..Commitment::default()
            };
            let request = PutCommitmentRequest { commitment: Some(commitment), expected_version: 0, request_id: request_id() };
            let kept = plans.put_commitment(scene.teacher.who.asks(request)).await.told("write a promise down")?.commitment.unwrap_or_default();
            things.push(thing("commitment_id", &kept.commitment_id, format!("{} by {}", kept.state, by.as_str_name())));
        }
        self.step("teacher and mother speak every Friday; each side promises something", things);
        Ok(())
    }

    async fn agreed(&mut self, scene: &Scene, read: &GetPlanResponse, plan: Plan) -> anyhow::Result<Plan> {
        let who = &scene.coordinator.who;
        let mut plans = self.services.plans();
        // Goals, items and promises have versions of their own; the plan is read again all the same.
        let plan_now = planning::read(&self.services, who, scene.grieving()).await?.plan.unwrap_or(plan);
        anyhow::ensure!(read.plan.as_ref().is_some_and(|p| p.plan_id == plan_now.plan_id), "it is the same plan");
        let step = |plan: &Plan, transition: &str| TransitionPlanRequest {
            plan_id: plan.plan_id.clone(),
            transition: transition.to_owned(),
            reason: String::new(),
            expected_version: plan.version,
            request_id: request_id(),
        };
        let shown = plans.transition_plan(who.asks(step(&plan_now, "propose"))).await.told("show the plan to the family")?.plan.unwrap_or_default();
        let early = plans.transition_plan(who.asks(step(&shown, "activate"))).await;
        anyhow::ensure!(early.is_err(), "a plan of tier 2b needs the family's answer");
        self.step("the plan is shown to the family; without their answer it cannot begin", vec![thing("plan_id", &shown.plan_id, shown.state().as_str_name())]);
        let answer = FamilyAnswer {
            response: FamilyResponse::Agreed.into(),
            channel: "interpreter_call".to_owned(),
            language: "es".to_owned(),
            interpreter: true,
            words: "Yes. After school is better.".to_owned(),
            ..FamilyAnswer::default()
        };
        let request =
            RecordFamilyResponseRequest { plan_id: shown.plan_id.clone(), answer: Some(answer), expected_version: shown.version, request_id: request_id() };
        let agreed = plans.record_family_response(who.asks(request)).await.told("write the family's answer down")?.plan.unwrap_or_default();
        self.step("the family agrees, in Spanish", vec![thing("plan_id", &agreed.plan_id, agreed.family_response().as_str_name())]);
        Ok(plans.transition_plan(who.asks(step(&agreed, "activate"))).await.told("bring the plan into force")?.plan.unwrap_or_default())
    }
}
