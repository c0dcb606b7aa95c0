//! One student's review (handbook 5.2), while its class review is under way. `write` writes all that completion asks for.

use integration_tests::acts::{open_custom_cycle, start_review};
use integration_tests::clients::Clients;
use integration_tests::tokens::Claims;
use proto::reviews::v1::{
    CompleteStudentReviewRequest, GetStudentReviewRequest, ReopenStudentReviewRequest, SkipStudentReviewRequest, UpdateStudentReviewRequest,
};
use proto::r#type::v1::{Domain, Tier};
use tonic::Status;

use super::{Driver, SEQUENCES, Table, seen_both, walk};
use crate::house::house;

/// A review in which nothing was written yet has no tier and no domains: `empty` is in progress all the same.
const TABLE: &str = "
    pending|empty|in_progress write    in_progress
    in_progress               complete reviewed
    pending                   skip     skipped_empty
    empty                     skip     skipped_empty
    in_progress               skip     not_reviewed
    reviewed|not_reviewed     reopen   in_progress
    skipped_empty             reopen   empty
";

struct Review {
    class_review_id: String,
    student_id: String,
    who: Clients,
}

impl Driver for Review {
    async fn act(&mut self, command: &str, version: i64, request_id: &str) -> Result<(), Status> {
        let (class_review_id, student_id) = (self.class_review_id.clone(), self.student_id.clone());
        let (expected_version, request_id) = (version, request_id.to_owned());
        let reviews = &mut self.who.reviews;
        match command {
            "write" => {
                let request = UpdateStudentReviewRequest {
                    class_review_id,
                    student_id,
                    no_concern_domains: [Domain::Academics, Domain::SocialEmotional, Domain::Health, Domain::Family].map(i32::from).to_vec(),
                    assigned_tier: Tier::Tier1.into(),
                    tier_reason: String::new(),
                    tier_reason_text: String::new(),
                    no_strength_reason: "new to the class".to_owned(),
                    expected_version,
                    request_id,
                };
                reviews.update_student_review(request).await.map(|_| ())
            }
            "complete" => {
                let request = CompleteStudentReviewRequest { class_review_id, student_id, expected_version, request_id };
                reviews.complete_student_review(request).await.map(|_| ())
            }
            "skip" => {
                let request = SkipStudentReviewRequest { class_review_id, student_id, reason: "time".to_owned(), expected_version, request_id };
                reviews.skip_student_review(request).await.map(|_| ())
            }
            _ => {
                let request = ReopenStudentReviewRequest { class_review_id, student_id, expected_version, request_id };
                reviews.reopen_student_review(request).await.map(|_| ())
            }
        }
    }

    async fn look(&mut self) -> (String, i64) {
        let request = GetStudentReviewRequest { class_review_id: self.class_review_id.clone(), student_id: self.student_id.clone() };
        let review = self.who.reviews.get_student_review(request).await.unwrap().into_inner().student_review.unwrap();
        let word = review.state().as_str_name().trim_start_matches("STUDENT_REVIEW_STATE_").to_lowercase();
        let written = review.assigned_tier() == Tier::Tier1;
        let state = match word.as_str() {
            "in_progress" if !written => "empty".to_owned(),
            "not_reviewed" if !written => "skipped_empty".to_owned(),
            _ => word,
        };
        (state, review.version)
    }
}

#[tokio::test]
async fn a_student_review_moves_as_the_handbook_says() {
    let house = house().await;
    let manager = house.district.clients(&Claims::role("program_manager"));
    let room = &house.rooms[1];
    let who = house.district.clients(&house.coordinators[0]);
    let cycle = open_custom_cycle(&manager).await;
    let review = start_review(&who, &cycle, &room.class.class_id).await;
    let table = Table::read(TABLE);
    let mut walks = Vec::new();
    for (seed, student_id) in (0..SEQUENCES).zip(&room.students) {
        let mut driver = Review { class_review_id: review.class_review_id.clone(), student_id: student_id.clone(), who: who.clone() };
        walks.push(walk(&table, &mut driver, seed).await);
    }
    seen_both(&walks);
}
