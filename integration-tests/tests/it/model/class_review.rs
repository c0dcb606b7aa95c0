//! A class review (handbook 5.2). Its students are all marked as not reviewed beforehand, so that it can be handed in.

use integration_tests::acts::{new_id, open_custom_cycle, start_review};
use integration_tests::clients::Clients;
use integration_tests::tokens::Claims;
use proto::reviews::v1::{GetClassReviewRequest, SignClassReviewRequest, SkipStudentReviewRequest, SubmitClassReviewRequest, TransitionClassReviewRequest};
use tonic::Status;

use super::{Driver, SEQUENCES, Table, seen_both, walk};
use crate::house::house;

/// `t` and `c` say who has signed.
const TABLE: &str = "
    in_progress                                   pause            paused
    paused                                        resume           in_progress
    in_progress                                   submit           awaiting
    awaiting                                      teacher_sign     awaiting+t
    awaiting                                      coordinator_sign awaiting+c
    awaiting+c                                    teacher_sign     complete
    awaiting+t                                    coordinator_sign complete
    complete                                      reopen           in_progress
    in_progress|paused|awaiting|awaiting+t|awaiting+c cancel       cancelled
";

struct Review {
    id: String,
    coordinator: Clients,
    teacher: Clients,
}

impl Driver for Review {
    async fn act(&mut self, command: &str, version: i64, request_id: &str) -> Result<(), Status> {
        let (class_review_id, request_id) = (self.id.clone(), request_id.to_owned());
        match command {
            "submit" => {
                let request = SubmitClassReviewRequest { class_review_id, expected_version: version, request_id };
                self.coordinator.reviews.submit_class_review(request).await.map(|_| ())
            }
            "teacher_sign" | "coordinator_sign" => {
                let who = if command == "teacher_sign" { &mut self.teacher } else { &mut self.coordinator };
                let instead_of_teacher_reason = String::new();
                let request = SignClassReviewRequest { class_review_id, expected_version: version, request_id, instead_of_teacher_reason };
                who.reviews.sign_class_review(request).await.map(|_| ())
            }
            transition => {
                let request = TransitionClassReviewRequest {
                    class_review_id,
                    transition: transition.to_owned(),
                    reason: "the bell".to_owned(),
                    expected_version: version,
                    request_id,
                };
                self.coordinator.reviews.transition_class_review(request).await.map(|_| ())
            }
        }
    }

    async fn look(&mut self) -> (String, i64) {
        let request = GetClassReviewRequest { class_review_id: self.id.clone() };
        let review = self.coordinator.reviews.get_class_review(request).await.unwrap().into_inner().class_review.unwrap();
        let word = review.state().as_str_name().trim_start_matches("CLASS_REVIEW_STATE_").to_lowercase();
        let signed = match (review.teacher_signed_by.is_empty(), review.coordinator_signed_by.is_empty()) {
            (false, true) => "+t",
            (true, false) => "+c",
            _ => "",
        };
        let state = if word == "awaiting_signoff" { format!("awaiting{signed}") } else { word };
        (state, review.version)
    }
}

#[tokio::test]
async fn a_class_review_moves_as_the_handbook_says() {
    let house = house().await;
    let manager = house.district.clients(&Claims::role("program_manager"));
    let room = &house.rooms[1];
    let coordinator = house.district.clients(&house.coordinators[0]);
    let teacher = house.district.clients(&Claims::staff(&room.teacher.staff_id));
    let table = Table::read(TABLE);
    let mut walks = Vec::new();
    for seed in 0..SEQUENCES {
        let cycle = open_custom_cycle(&manager).await;
        let review = start_review(&coordinator, &cycle, &room.class.class_id).await;
        let read = GetClassReviewRequest { class_review_id: review.class_review_id.clone() };
        for student in coordinator.clone().reviews.get_class_review(read).await.unwrap().into_inner().students {
            let skip = SkipStudentReviewRequest {
                class_review_id: review.class_review_id.clone(),
                student_id: student.student_id,
                reason: "time".to_owned(),
                expected_version: student.version,
                request_id: new_id(),
            };
            coordinator.clone().reviews.skip_student_review(skip).await.unwrap();
        }
        let mut driver = Review { id: review.class_review_id, coordinator: coordinator.clone(), teacher: teacher.clone() };
        walks.push(walk(&table, &mut driver, seed).await);
    }
    seen_both(&walks);
}
