//! What the fake services say about the practice: concerns, follow-ups, groups, hand-overs. Every person is fictional.

use prost::Message;
use prost_types::Timestamp;
use proto::plans::v1 as plans;
use proto::reviews::v1 as reviews;
use proto::r#type::v1::{Domain, Sensitivity};
use tonic::Status;

use super::sample::id;

fn time(day: i64) -> Option<Timestamp> {
    Some(Timestamp { seconds: 1_790_000_000 + day * 86_400, nanos: 0 })
}

pub fn concerns() -> Vec<reviews::Concern> {
    let concern = |number: usize, student: usize, text: &str| reviews::Concern {
        concern_id: id(number),
        student_id: id(student),
        state: reviews::ConcernState::Raised.into(),
        urgency: reviews::ConcernUrgency::Routine.into(),
        domain: Domain::SocialEmotional.into(),
        text: text.into(),
        sensitivity: Sensitivity::General.into(),
        raise_time: time(15),
        due_time: time(18),
        version: 1,
        ..Default::default()
    };
    vec![
        reviews::Concern {
            urgency: reviews::ConcernUrgency::Urgent.into(),
            sensitivity: Sensitivity::Restricted.into(),
            ..concern(301, 5, "What only the support team reads")
        },
        concern(302, 7, "Left the game upset three times"),
    ]
}

pub fn follow_ups() -> Vec<plans::FollowUp> {
    vec![plans::FollowUp {
        follow_up_id: id(310),
        student_id: id(7),
        subject: plans::SubjectKind::Family.into(),
        kind: plans::FollowUpKind::ContactFamily.into(),
        due_on: "2026-10-20".into(),
        state: plans::FollowUpState::Open.into(),
        note: "about winter coats".into(),
        raised_as: "two_weeks".into(),
        version: 4,
        ..Default::default()
    }]
}

/// The answer to a call of the practice; none where it is not one.
pub fn answer(method: &str, bytes: &[u8]) -> Option<Result<Vec<u8>, Status>> {
    let told = match method {
        "reviews.v1.ConcernService/ListConcerns" => reviews::ListConcernsResponse { concerns: concerns(), ..Default::default() }.encode_to_vec(),
        "reviews.v1.ConcernService/GetConcern" => {
            let request = reviews::GetConcernRequest::decode(bytes).ok()?;
            let concern = concerns().into_iter().find(|concern| concern.concern_id == request.concern_id);
            reviews::GetConcernResponse { concern, access_basis: "school_coordinator".into() }.encode_to_vec()
        }
        "reviews.v1.ConcernService/RaiseConcern" => {
            let concern = reviews::RaiseConcernRequest::decode(bytes).ok()?.concern?;
            let urgent = concern.urgency() == reviews::ConcernUrgency::Urgent;
            let crisis_instruction = if urgent { "Call the crisis line first." } else { "" }.to_owned();
            reviews::RaiseConcernResponse { concern: Some(concern), crisis_instruction }.encode_to_vec()
        }
        "plans.v1.FollowUpService/ListFollowUps" => plans::ListFollowUpsResponse { follow_ups: follow_ups(), ..Default::default() }.encode_to_vec(),
        "plans.v1.FollowUpService/TransitionFollowUp" => {
            let follow_up = plans::FollowUp { version: 5, ..follow_ups().remove(0) };
            plans::TransitionFollowUpResponse { follow_up: Some(follow_up) }.encode_to_vec()
        }
        _ => return None,
    };
    Some(Ok(told))
}
