//! Plans and their items (handbook 5.5). The family's answer is part of the state: `+a` says that they agreed.

use integration_tests::acts::{done, new_id};
use integration_tests::clients::Clients;
use proto::plans::v1::{
    AddPlanItemRequest, FamilyAnswer, FamilyResponse, GetPlanRequest, PlanItem, PlanItemKind, RecordFamilyResponseRequest, TransitionPlanItemRequest,
    TransitionPlanRequest, UnmetReason,
};
use tonic::Status;

use super::enrolment::planned;
use super::{Driver, SEQUENCES, Table, seen_both, walk};
use crate::house::house;

const ITEM: &str = "
    planned                        arrange           arranging
    planned|arranging              put_in_place      in_place
    in_place                       finish            done
    planned|arranging|in_place     decline_by_family declined_by_family
    planned|arranging|in_place     not_available     not_available
    planned|arranging|in_place     withdraw          withdrawn
    planned|arranging|in_place     replace           replaced
";

struct Item {
    id: String,
    other: String,
    student_id: String,
    who: Clients,
}

impl Driver for Item {
    async fn act(&mut self, command: &str, version: i64, request_id: &str) -> Result<(), Status> {
        let reason = match command {
            "decline_by_family" => UnmetReason::Schedule,
            "not_available" => UnmetReason::NoCapacity,
            _ => UnmetReason::Unspecified,
        };
        let request = TransitionPlanItemRequest {
            plan_item_id: self.id.clone(),
            transition: command.to_owned(),
            reason: reason.into(),
            expected_version: version,
            request_id: request_id.to_owned(),
            replaced_by: if command == "replace" { self.other.clone() } else { String::new() },
        };
        self.who.plans.transition_plan_item(request).await.map(|_| ())
    }

    async fn look(&mut self) -> (String, i64) {
        let request = GetPlanRequest { student_id: self.student_id.clone(), school_year: 0 };
        let plan = self.who.plans.get_plan(request).await.unwrap().into_inner();
        let item = plan.items.into_iter().find(|item| item.plan_item_id == self.id).unwrap();
        (item.state().as_str_name().trim_start_matches("PLAN_ITEM_STATE_").to_lowercase(), item.version)
    }
}

#[tokio::test]
async fn a_plan_item_moves_as_the_handbook_says() {
    let (who, student_id, plan_id, need) = planned(house().await, 4).await;
    let table = Table::read(ITEM);
    let add = |need: String| {
        let item = PlanItem {
            plan_item_id: new_id(),
            need_ids: vec![need],
            kind: PlanItemKind::SchoolSupport.into(),
            service_category: "MEN-ADU".to_owned(),
            description: "a greeting at the door".to_owned(),
            ..PlanItem::default()
        };
        let (mut who, request) = (who.clone(), AddPlanItemRequest { plan_id: plan_id.clone(), item: Some(item), request_id: new_id() });
        async move { done("add an item", who.plans.add_plan_item(request).await).item.unwrap().plan_item_id }
    };
    let other = add(need.clone()).await;
    let mut walks = Vec::new();
    for seed in 0..SEQUENCES * 2 {
        let id = add(need.clone()).await;
        walks.push(walk(&table, &mut Item { id, other: other.clone(), student_id: student_id.clone(), who: who.clone() }, seed).await);
    }
    seen_both(&walks);
}

const PLAN: &str = "
    draft                                       propose  proposed
    proposed|proposed+a                         answer   proposed+a
    active+a                                    answer   active+a
    under_revision+a                            answer   under_revision+a
    paused+a                                    answer   paused+a
    proposed+a|under_revision+a                 activate active+a
    active+a                                    revise   under_revision+a
    active+a|under_revision+a                   pause    paused+a
    paused+a                                    resume   active+a
    draft|proposed                              close    closed
    proposed+a|active+a|under_revision+a|paused+a close  closed+a
";

struct Plan {
    student_id: String,
    plan_id: String,
    who: Clients,
}

impl Driver for Plan {
    async fn act(&mut self, command: &str, version: i64, request_id: &str) -> Result<(), Status> {
        let (plan_id, request_id) = (self.plan_id.clone(), request_id.to_owned());
        if command == "answer" {
            let answer = FamilyAnswer {
                response: FamilyResponse::Agreed.into(),
                channel: "call".to_owned(),
                language: "en".to_owned(),
                words: "Yes.".to_owned(),
                ..FamilyAnswer::default()
            };
            let request = RecordFamilyResponseRequest { plan_id, answer: Some(answer), expected_version: version, request_id };
            return self.who.plans.record_family_response(request).await.map(|_| ());
        }
        let reason = if command == "close" { "year_end".to_owned() } else { String::new() };
        let request = TransitionPlanRequest { plan_id, transition: command.to_owned(), reason, expected_version: version, request_id };
        self.who.plans.transition_plan(request).await.map(|_| ())
    }

    async fn look(&mut self) -> (String, i64) {
        let request = GetPlanRequest { student_id: self.student_id.clone(), school_year: 0 };
        let plan = self.who.plans.get_plan(request).await.unwrap().into_inner().plan.unwrap();
        let word = plan.state().as_str_name().trim_start_matches("PLAN_STATE_").to_lowercase();
        let agreed = if plan.family_response() == FamilyResponse::Agreed { "+a" } else { "" };
        (format!("{word}{agreed}"), plan.version)
    }
}

#[tokio::test]
async fn a_plan_moves_as_the_handbook_says() {
    let table = Table::read(PLAN);
    let mut walks = Vec::new();
    for seed in 0..SEQUENCES {
        let at = 5 + usize::try_from(seed).unwrap();
        let (who, student_id, plan_id, _) = planned(house().await, at).await;
        walks.push(walk(&table, &mut Plan { student_id, plan_id, who }, seed).await);
    }
    seen_both(&walks);
}
