//! Enrolments (handbook 5.6), and the sums of what was delivered under random corrections.

use std::collections::BTreeMap;

use chrono::Days;
use integration_tests::acts::{Need, complete, done, new_id, open_custom_cycle, plan_with, put_need, start_review, today};
use integration_tests::clients::Clients;
use integration_tests::tokens::Claims;
use proto::plans::v1::{
    AddPlanItemRequest, Attendance, CorrectDeliveryRequest, Delivery, EnrolStudentRequest, Enrolment, GetPlanRequest, ListDeliveriesRequest,
    LogDeliveriesRequest, PlanItem, PlanItemKind, TransitionEnrolmentRequest,
};
use proto::r#type::v1::Sensitivity;
use rand::rngs::Xoshiro256PlusPlus;
use rand::{RngExt as _, SeedableRng as _};
use tonic::Status;

use super::{Driver, SEQUENCES, Table, seen_both, walk};
use crate::house::{House, house};

const TABLE: &str = "
    offered                                        accept   accepted
    offered                                        decline  declined
    offered|accepted                               waitlist waitlisted
    waitlisted                                     seat     accepted
    accepted                                       start    active
    active                                         pause    paused
    paused                                         resume   active
    active                                         complete completed
    active|paused                                  stop     stopped
    offered|accepted|waitlisted|active|paused      void     void
";

/// A student of the second room with a plan and a need: `at` tells them apart, each test has its own.
pub async fn planned(house: &House, at: usize) -> (Clients, String, String, String) {
    let who = house.district.clients(&house.coordinators[0]);
    let manager = house.district.clients(&Claims::role("program_manager"));
    let room = &house.rooms[1];
    let student = room.students[at].clone();
    let cycle = open_custom_cycle(&manager).await;
    let review = start_review(&who, &cycle, &room.class.class_id).await;
    let need = put_need(&who, &review, &student, Need { code: "ACA-RDG", severity: 1, sensitivity: Sensitivity::General, note: "" }).await;
    complete(&who, &review, &student).await;
    let plan = plan_with(&who, &student, 1).await.plan.unwrap();
    (who, student, plan.plan_id, need)
}

async fn item(who: &Clients, plan_id: &str, need: &str) -> PlanItem {
    let item = PlanItem {
        plan_item_id: new_id(),
        need_ids: vec![need.to_owned()],
        kind: PlanItemKind::Service.into(),
        service_category: "ED-TUT".to_owned(),
        description: "reading aloud".to_owned(),
        ..PlanItem::default()
    };
    let request = AddPlanItemRequest { plan_id: plan_id.to_owned(), item: Some(item), request_id: new_id() };
    done("add an item", who.clone().plans.add_plan_item(request).await).item.unwrap()
}

async fn enrol(who: &Clients, item: &PlanItem) -> Enrolment {
    let request = EnrolStudentRequest {
        plan_item_id: item.plan_item_id.clone(),
        enrolment_id: new_id(),
        sessions_per_week: 2,
        minutes_per_session: 30,
        weeks: 10,
        request_id: new_id(),
        ..EnrolStudentRequest::default()
    };
    done("enrol", who.clone().plans.enrol_student(request).await).enrolment.unwrap()
}

struct Place {
    id: String,
    student_id: String,
    who: Clients,
}

impl Place {
    async fn read(&mut self) -> Enrolment {
        let request = GetPlanRequest { student_id: self.student_id.clone(), school_year: 0 };
        let plan = self.who.plans.get_plan(request).await.unwrap().into_inner();
        plan.enrolments.into_iter().find(|e| e.enrolment_id == self.id).unwrap()
    }
}

impl Driver for Place {
    async fn act(&mut self, command: &str, version: i64, request_id: &str) -> Result<(), Status> {
        let reason = match command {
            "stop" | "pause" | "decline" => "schedule",
            _ => "",
        };
        let request = TransitionEnrolmentRequest {
            enrolment_id: self.id.clone(),
            transition: command.to_owned(),
            reason: reason.to_owned(),
            on_date: String::new(),
            expected_version: version,
            request_id: request_id.to_owned(),
            outcome: if command == "complete" { "need_met".to_owned() } else { String::new() },
            override_reason: String::new(),
        };
        self.who.plans.transition_enrolment(request).await.map(|_| ())
    }

    async fn look(&mut self) -> (String, i64) {
        let now = self.read().await;
        (now.state().as_str_name().trim_start_matches("ENROLMENT_STATE_").to_lowercase(), now.version)
    }
}

#[tokio::test]
async fn an_enrolment_moves_as_the_handbook_says() {
    let (who, student_id, plan_id, need) = planned(house().await, 2).await;
    let table = Table::read(TABLE);
    let mut walks = Vec::new();
    for seed in 0..SEQUENCES * 2 {
        let item = item(&who, &plan_id, &need).await;
        let id = enrol(&who, &item).await.enrolment_id;
        walks.push(walk(&table, &mut Place { id, student_id: student_id.clone(), who: who.clone() }, seed).await);
    }
    seen_both(&walks);
}

/// What the model says of one session.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Session {
    minutes: i32,
    taken_back: bool,
}

#[tokio::test]
async fn sums_of_what_was_delivered_follow_every_correction() {
    let (mut who, student_id, plan_id, need) = planned(house().await, 3).await;
    let item = item(&who, &plan_id, &need).await;
    let mut place = Place { id: enrol(&who, &item).await.enrolment_id, student_id, who: who.clone() };
    let start = today() - Days::new(60);
    for (command, on) in [("accept", String::new()), ("start", start.to_string())] {
        let version = place.read().await.version;
        let request = TransitionEnrolmentRequest {
            enrolment_id: place.id.clone(),
            transition: command.to_owned(),
            on_date: on,
            expected_version: version,
            request_id: new_id(),
            ..TransitionEnrolmentRequest::default()
        };
        done(command, who.plans.transition_enrolment(request).await);
    }
    let mut dice = Xoshiro256PlusPlus::seed_from_u64(3);
    // By the id of the row that stands for the session now.
    let mut model: BTreeMap<String, Session> = BTreeMap::new();
    let mut dead: Vec<String> = Vec::new();
    let enrolment_id = place.id.clone();
    let session = |id: &str, day: u64, minutes: i32| Delivery {
        delivery_id: id.to_owned(),
        enrolment_id: enrolment_id.clone(),
        delivered_on: (start + Days::new(day)).to_string(),
        planned_minutes: 30,
        delivered_minutes: minutes,
        attendance: if minutes == 0 { Attendance::AbsentUnexcused.into() } else { Attendance::Present.into() },
        ..Delivery::default()
    };
    for n in 0..40_u64 {
        let standing: Vec<String> = model.iter().filter(|(_, s)| !s.taken_back).map(|(id, _)| id.clone()).collect();
        let minutes = [0, 15, 30, 45][dice.random_range(0..4)];
        let id = new_id();
        match dice.random_range(0..4) {
            0 | 1 => {
                let request = LogDeliveriesRequest { deliveries: vec![session(&id, n, minutes)], request_id: new_id() };
                done("log a session", who.plans.log_deliveries(request).await);
                model.insert(id, Session { minutes, taken_back: false });
            }
            2 if !standing.is_empty() => {
                let wrong = standing[dice.random_range(0..standing.len())].clone();
                let void = dice.random_range(0..3) == 0;
                let request = CorrectDeliveryRequest {
                    delivery_id: wrong.clone(),
                    corrected: Some(session(&id, n, minutes)),
                    void,
                    reason: "the wrong row".to_owned(),
                    request_id: new_id(),
                };
                done("correct a session", who.deliveries.correct_delivery(request).await);
                model.remove(&wrong);
                dead.push(wrong);
                model.insert(id, Session { minutes: if void { 0 } else { minutes }, taken_back: void });
            }
            _ if !dead.is_empty() => {
                let request = CorrectDeliveryRequest {
                    delivery_id: dead[dice.random_range(0..dead.len())].clone(),
                    corrected: Some(session(&id, n, minutes)),
                    void: false,
                    reason: "again".to_owned(),
                    request_id: new_id(),
                };
                who.deliveries.correct_delivery(request).await.expect_err("what was corrected is corrected no more");
            }
            _ => {}
        }
        let now = place.read().await;
        let standing: Vec<&Session> = model.values().filter(|s| !s.taken_back).collect();
        assert_eq!(now.delivered_minutes, standing.iter().map(|s| s.minutes).sum::<i32>(), "after {n} steps: {model:?}");
        assert_eq!(now.delivery_count, i32::try_from(standing.len()).unwrap(), "after {n} steps: {model:?}");
    }
    assert!(dead.len() > 4, "some corrections were tried");
    let request = ListDeliveriesRequest { enrolment_id: place.id.clone(), page_size: 200, page_token: String::new() };
    let rows = done("list the sessions", who.deliveries.list_deliveries(request).await).deliveries;
    assert_eq!(rows.len(), model.len() + dead.len(), "nothing that was delivered is overwritten");
    for row in &rows {
        assert_eq!(row.superseded_by.is_empty(), model.contains_key(&row.delivery_id), "{row:?}");
    }
}
