//! Follow-ups and hand-overs (handbook 5.8).

use chrono::Days;
use integration_tests::acts::{in_time, new_id, today};
use integration_tests::clients::Clients;
use proto::plans::v1::{
    FollowUp, FollowUpKind, ListFollowUpsRequest, ListTransitionsRequest, RaiseFollowUpRequest, StartTransitionRequest, SubjectKind, Transition,
    TransitionFollowUpRequest, UpdateTransitionRequest,
};
use tonic::Status;

use super::{Driver, SEQUENCES, Table, seen_both, walk};
use crate::house::house;

const FOLLOW_UP: &str = "
    open|snoozed      done     done
    open|snoozed      snooze   snoozed
    open|snoozed      reassign =
    open|snoozed      cancel   cancelled
    done|cancelled|snoozed reopen   open
";

struct Due {
    id: String,
    student_id: String,
    owner_id: String,
    who: Clients,
}

impl Driver for Due {
    async fn act(&mut self, command: &str, version: i64, request_id: &str) -> Result<(), Status> {
        let given = |for_command: &str, value: String| if command == for_command { value } else { String::new() };
        let request = TransitionFollowUpRequest {
            follow_up_id: self.id.clone(),
            transition: command.to_owned(),
            result: given("done", "going_well".to_owned()),
            note: given("cancel", "not needed".to_owned()),
            due_on: given("snooze", (today() + Days::new(5)).to_string()),
            owner_id: given("reassign", self.owner_id.clone()),
            expected_version: version,
            request_id: request_id.to_owned(),
        };
        self.who.follow_ups.transition_follow_up(request).await.map(|_| ())
    }

    async fn look(&mut self) -> (String, i64) {
        let request = ListFollowUpsRequest { student_id: self.student_id.clone(), page_size: 200, ..ListFollowUpsRequest::default() };
        let all = self.who.follow_ups.list_follow_ups(request).await.unwrap().into_inner().follow_ups;
        let now = all.into_iter().find(|f| f.follow_up_id == self.id).unwrap();
        (now.state().as_str_name().trim_start_matches("FOLLOW_UP_STATE_").to_lowercase(), now.version)
    }
}

#[tokio::test]
async fn a_follow_up_moves_as_the_handbook_says() {
    let house = house().await;
    let who = house.district.clients(&house.coordinators[0]);
    let student_id = house.rooms[1].students[1].clone();
    let table = Table::read(FOLLOW_UP);
    let mut walks = Vec::new();
    for seed in 0..SEQUENCES * 2 {
        let follow_up = FollowUp {
            follow_up_id: new_id(),
            student_id: student_id.clone(),
            subject: SubjectKind::Family.into(),
            subject_id: student_id.clone(),
            kind: FollowUpKind::ContactFamily.into(),
            due_on: (today() + Days::new(3)).to_string(),
            note: "ask how the first week went".to_owned(),
            ..FollowUp::default()
        };
        in_time("raise a follow-up", || {
            let (mut who, request) = (who.clone(), RaiseFollowUpRequest { follow_up: Some(follow_up.clone()), request_id: new_id() });
            async move { who.follow_ups.raise_follow_up(request).await }
        })
        .await;
        let owner_id = house.coordinators[0].staff_id.clone().unwrap();
        walks.push(walk(&table, &mut Due { id: follow_up.follow_up_id, student_id: student_id.clone(), owner_id, who: who.clone() }, seed).await);
    }
    seen_both(&walks);
}

const HAND_OVER: &str = "
    offered           accept   accepted
    offered           return   returned
    returned          offer    offered
    offered|returned  withdraw withdrawn
    offered|returned  tick     =
    accepted          tick     =
";

struct HandOver {
    id: String,
    student_id: String,
    giving: Clients,
    receiving: Clients,
}

impl Driver for HandOver {
    async fn act(&mut self, command: &str, version: i64, request_id: &str) -> Result<(), Status> {
        let who = if matches!(command, "accept" | "return") { &mut self.receiving } else { &mut self.giving };
        let request = UpdateTransitionRequest {
            transition_id: self.id.clone(),
            transition: if command == "tick" { String::new() } else { command.to_owned() },
            note: if command == "return" { "which bus?".to_owned() } else { String::new() },
            done_steps: if command == "tick" { vec!["family_told".to_owned()] } else { Vec::new() },
            expected_version: version,
            request_id: request_id.to_owned(),
        };
        who.follow_ups.update_transition(request).await.map(|_| ())
    }

    async fn look(&mut self) -> (String, i64) {
        let request = ListTransitionsRequest { student_id: self.student_id.clone(), ..ListTransitionsRequest::default() };
        let all = self.giving.follow_ups.list_transitions(request).await.unwrap().into_inner().transitions;
        let now = all.into_iter().find(|t| t.transition_id == self.id).unwrap();
        (now.state().as_str_name().trim_start_matches("TRANSITION_STATE_").to_lowercase(), now.version)
    }
}

#[tokio::test]
async fn a_hand_over_moves_as_the_handbook_says() {
    let house = house().await;
    let [giving, receiving] = [0, 1].map(|at| house.district.clients(&house.coordinators[at]));
    let table = Table::read(HAND_OVER);
    let mut walks = Vec::new();
    // One is open a student at the most, so each walk has its own.
    for (seed, student_id) in (0..SEQUENCES).zip(house.rooms[0].students.iter().skip(2)) {
        let transition = Transition {
            transition_id: new_id(),
            student_id: student_id.clone(),
            to_school_id: house.rooms[2].school.school_id.clone(),
            kind: "school".to_owned(),
            first_day_on: (today() + Days::new(10)).to_string(),
            ..Transition::default()
        };
        in_time("hand a student over", || {
            let (mut who, request) = (giving.clone(), StartTransitionRequest { transition: Some(transition.clone()), request_id: new_id() });
            async move { who.follow_ups.start_transition(request).await }
        })
        .await;
        let mut driver = HandOver { id: transition.transition_id, student_id: student_id.clone(), giving: giving.clone(), receiving: receiving.clone() };
        walks.push(walk(&table, &mut driver, seed).await);
    }
    seen_both(&walks);
}
