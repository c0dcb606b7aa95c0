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

pub fn individual_reviews() -> Vec<reviews::IndividualReview> {
    vec![reviews::IndividualReview {
        individual_review_id: id(320),
        student_id: id(7),
        state: reviews::IndividualReviewState::Held.into(),
        trigger: reviews::IndividualReviewTrigger::Concern.into(),
        sensitivity: Sensitivity::General.into(),
        meets_on: "2026-10-20".into(),
        family_voice: reviews::FamilyVoice::Attended.into(),
        open_time: time(16),
        version: 4,
        ..Default::default()
    }]
}

pub fn group() -> plans::Group {
    plans::Group {
        group_id: id(330),
        school_id: id(900),
        name: "Lunch group".into(),
        weekdays: vec![2, 4],
        minutes_per_session: 30,
        capacity: 8,
        member_count: 1,
        ..Default::default()
    }
}

pub fn transitions() -> Vec<plans::Transition> {
    vec![plans::Transition {
        transition_id: id(340),
        student_id: id(5),
        from_school_id: id(900),
        to_school_id: id(901),
        state: plans::TransitionState::Offered.into(),
        first_day_on: "2026-11-02".into(),
        version: 1,
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
        "reviews.v1.ConcernService/ListIndividualReviews" => {
            reviews::ListIndividualReviewsResponse { individual_reviews: individual_reviews(), ..Default::default() }.encode_to_vec()
        }
        "reviews.v1.ConcernService/GetIndividualReview" => {
            reviews::GetIndividualReviewResponse { individual_review: individual_reviews().into_iter().next(), ..Default::default() }.encode_to_vec()
        }
        "reviews.v1.ConcernService/ListCaseAccess" => {
            let access = reviews::CaseAccess {
                case_access_id: id(350),
                student_id: id(5),
                kind: "break_glass".into(),
                reason: "Safety".into(),
                active: true,
                grant_time: time(20),
                expire_time: time(20),
                version: 1,
                ..Default::default()
            };
            reviews::ListCaseAccessResponse { case_accesses: vec![access], ..Default::default() }.encode_to_vec()
        }
        "plans.v1.DeliveryService/ListGroups" => plans::ListGroupsResponse { groups: vec![group()], ..Default::default() }.encode_to_vec(),
        "plans.v1.DeliveryService/GetGroup" => {
            let enrolment = plans::Enrolment {
                enrolment_id: id(71),
                student_id: id(7),
                state: plans::EnrolmentState::Active.into(),
                planned_minutes_to_date: 240,
                delivered_minutes: 210,
                ..Default::default()
            };
            let recent = vec![plans::Attendance::Present.into()];
            let member = plans::GroupMember { enrolment: Some(enrolment), attendance_rate: Some(0.875), recent, ..Default::default() };
            plans::GetGroupResponse { group: Some(group()), members: vec![member], open_sessions: vec!["2026-10-20".into()], ..Default::default() }
                .encode_to_vec()
        }
        "plans.v1.DeliveryService/TakeAttendance" => {
            let marks = plans::TakeAttendanceRequest::decode(bytes).ok()?.marks;
            plans::TakeAttendanceResponse { stored_count: 1, no_show_enrolment_ids: marks.into_iter().map(|mark| mark.enrolment_id).collect() }.encode_to_vec()
        }
        "plans.v1.DeliveryService/ListEnrolments" => plans::ListEnrolmentsResponse::default().encode_to_vec(),
        "plans.v1.FollowUpService/ListTransitions" => plans::ListTransitionsResponse { transitions: transitions(), ..Default::default() }.encode_to_vec(),
        "plans.v1.FollowUpService/ListSeptember" => {
            let entry = plans::SeptemberEntry { student_id: id(4), school_year: 2027, attention: true, because: "tier_3".into(), ..Default::default() };
            plans::ListSeptemberResponse { entries: vec![entry], ..Default::default() }.encode_to_vec()
        }
        "plans.v1.FollowUpService/ListNotNoticed" => {
            let student = plans::NotNoticed { student_id: id(2), last_on: "2026-04-21".into(), last_kind: "review".into() };
            plans::ListNotNoticedResponse { students: vec![student], ..Default::default() }.encode_to_vec()
        }
        _ => return None,
    };
    Some(Ok(told))
}
