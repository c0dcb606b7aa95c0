//! Every read that names somebody's school, class, student, review or referral.

use integration_tests::clients::Clients;
use proto::partners::v1::{GetReferralRequest, ListConsentsRequest, ListDisclosuresRequest, ListReferralsRequest};
use proto::plans::v1::{
    GetPlanRequest, ListActivitiesRequest, ListAidsRequest, ListEnrolmentsRequest, ListFollowUpsRequest, ListGroupsRequest, ListNotNoticedRequest,
    ListPlansRequest, ListRatingsRequest, ListSeptemberRequest, ListTransitionsRequest, ListUnmetNeedsRequest,
};
use proto::reporting::v1::{GetMeasureRequest, ListStudentsWithUnmetNeedsRequest};
use proto::reviews::v1::{
    GetClassReviewRequest, GetStudentReviewRequest, ListCaseAccessRequest, ListClassReviewsRequest, ListConcernsRequest, ListIndividualReviewsRequest,
    ListPriorEntriesRequest, ListStudentReviewHistoryRequest, ListTierAssignmentsRequest, ListTierMovementsRequest,
};
use proto::rosters::v1::{GetClassRequest, GetSchoolRequest, GetStudentRequest, ListClassMembersRequest, ListClassesRequest, ListStaffRequest};
use tonic::{Response, Status};

use crate::house::{House, Room, unknown};

/// What is asked for.
#[derive(Clone, Debug)]
pub struct Ids {
    pub school: String,
    pub class: String,
    pub student: String,
    pub review: String,
    pub referral: String,
}

impl Ids {
    /// Of a room.
    pub fn of(room: &Room, referral: &str) -> Self {
        Self {
            school: room.school.school_id.clone(),
            class: room.class.class_id.clone(),
            student: room.student().to_owned(),
            review: room.review.class_review_id.clone(),
            referral: referral.to_owned(),
        }
    }

    /// Of nothing.
    pub fn unknown() -> Self {
        Self { school: unknown(), class: unknown(), student: unknown(), review: unknown(), referral: unknown() }
    }
}

fn told<T: std::fmt::Debug>(answer: Result<Response<T>, Status>) -> Result<String, Status> {
    answer.map(|answer| format!("{:?}", answer.into_inner()))
}

/// Asks for everything. Answers what each call said, in words.
pub async fn every_read(who: &Clients, ids: &Ids) -> Vec<(&'static str, Result<String, Status>)> {
    let Clients { mut rosters, mut reviews, mut concerns, mut plans, mut deliveries, mut follow_ups, mut referrals, mut reporting, .. } = who.clone();
    let Ids { school, class, student, review, referral } = ids.clone();
    let s = || school.clone();
    let of_student = || student.clone();
    let prior = ListPriorEntriesRequest { class_review_id: review.clone(), student_id: of_student(), include_answered: true };
    let mut read = vec![
        ("reviews.ListPriorEntries", told(reviews.list_prior_entries(prior).await)),
        (
            "reviews.ListTierMovements",
            told(reviews.list_tier_movements(ListTierMovementsRequest { class_id: class.clone(), school_year: year(), ..Default::default() }).await),
        ),
        ("reviews.ListConcerns of a student", told(concerns.list_concerns(ListConcernsRequest { student_id: of_student(), ..Default::default() }).await)),
        ("reviews.ListConcerns of a school", told(concerns.list_concerns(ListConcernsRequest { school_id: s(), ..Default::default() }).await)),
        (
            "reviews.ListIndividualReviews of a student",
            told(concerns.list_individual_reviews(ListIndividualReviewsRequest { student_id: of_student(), ..Default::default() }).await),
        ),
        (
            "reviews.ListIndividualReviews of a school",
            told(concerns.list_individual_reviews(ListIndividualReviewsRequest { school_id: s(), ..Default::default() }).await),
        ),
        ("reviews.ListCaseAccess", told(concerns.list_case_access(ListCaseAccessRequest { student_id: of_student(), ..Default::default() }).await)),
        ("plans.ListGroups", told(deliveries.list_groups(ListGroupsRequest { school_id: s(), ..Default::default() }).await)),
        ("plans.ListEnrolments", told(deliveries.list_enrolments(ListEnrolmentsRequest { school_id: s(), ..Default::default() }).await)),
        ("plans.ListAids", told(deliveries.list_aids(ListAidsRequest { student_id: of_student() }).await)),
        ("plans.ListActivities", told(deliveries.list_activities(ListActivitiesRequest { school_id: s(), school_year: 0 }).await)),
        ("plans.ListFollowUps of a student", told(follow_ups.list_follow_ups(ListFollowUpsRequest { student_id: of_student(), ..Default::default() }).await)),
        ("plans.ListFollowUps of a school", told(follow_ups.list_follow_ups(ListFollowUpsRequest { school_id: s(), ..Default::default() }).await)),
        ("plans.ListRatings", told(follow_ups.list_ratings(ListRatingsRequest { student_id: of_student() }).await)),
        ("plans.ListTransitions", told(follow_ups.list_transitions(ListTransitionsRequest { student_id: of_student(), ..Default::default() }).await)),
        ("plans.ListSeptember", told(follow_ups.list_september(ListSeptemberRequest { school_id: s(), ..Default::default() }).await)),
        ("plans.ListNotNoticed", told(follow_ups.list_not_noticed(ListNotNoticedRequest { school_id: s(), ..Default::default() }).await)),
    ];
    read.extend(vec![
        ("rosters.GetSchool", told(rosters.get_school(GetSchoolRequest { school_id: s() }).await)),
        ("rosters.ListClasses", told(rosters.list_classes(ListClassesRequest { school_id: s(), ..Default::default() }).await)),
        ("rosters.GetClass", told(rosters.get_class(GetClassRequest { class_id: class.clone() }).await)),
        ("rosters.ListClassMembers", told(rosters.list_class_members(ListClassMembersRequest { class_id: class.clone(), as_of_date: String::new() }).await)),
        ("rosters.GetStudent", told(rosters.get_student(GetStudentRequest { student_id: student.clone() }).await)),
        ("rosters.ListStaff", told(rosters.list_staff(ListStaffRequest { school_id: s(), ..Default::default() }).await)),
        ("reviews.GetClassReview", told(reviews.get_class_review(GetClassReviewRequest { class_review_id: review.clone() }).await)),
        ("reviews.ListClassReviews", told(reviews.list_class_reviews(ListClassReviewsRequest { school_id: s(), ..Default::default() }).await)),
        (
            "reviews.GetStudentReview",
            told(reviews.get_student_review(GetStudentReviewRequest { class_review_id: review.clone(), student_id: student.clone() }).await),
        ),
        (
            "reviews.ListStudentReviewHistory",
            told(
                reviews
                    .list_student_review_history(ListStudentReviewHistoryRequest { class_review_id: review, student_id: student.clone(), ..Default::default() })
                    .await,
            ),
        ),
        ("reviews.ListTierAssignments", told(reviews.list_tier_assignments(ListTierAssignmentsRequest { student_id: student.clone() }).await)),
        ("plans.GetPlan", told(plans.get_plan(GetPlanRequest { student_id: student.clone(), school_year: 0 }).await)),
        ("plans.ListPlans of a school", told(plans.list_plans(ListPlansRequest { school_id: s(), ..Default::default() }).await)),
        ("plans.ListPlans of a class", told(plans.list_plans(ListPlansRequest { class_id: class, ..Default::default() }).await)),
        ("plans.ListUnmetNeeds", told(plans.list_unmet_needs(ListUnmetNeedsRequest { school_id: s(), ..Default::default() }).await)),
        ("partners.GetReferral", told(referrals.get_referral(GetReferralRequest { referral_id: referral }).await)),
        ("partners.ListReferrals of a school", told(referrals.list_referrals(ListReferralsRequest { school_id: s(), ..Default::default() }).await)),
        (
            "partners.ListReferrals of a student",
            told(referrals.list_referrals(ListReferralsRequest { student_id: student.clone(), ..Default::default() }).await),
        ),
        ("partners.ListConsents", told(referrals.list_consents(ListConsentsRequest { student_id: student.clone() }).await)),
        ("partners.ListDisclosures", told(referrals.list_disclosures(ListDisclosuresRequest { student_id: student }).await)),
        ("reporting.GetMeasure", told(reporting.get_measure(GetMeasureRequest { measure_id: "TR-1".to_owned(), school_id: s(), ..Default::default() }).await)),
        (
            "reporting.ListStudentsWithUnmetNeeds",
            told(reporting.list_students_with_unmet_needs(ListStudentsWithUnmetNeedsRequest { school_id: s(), ..Default::default() }).await),
        ),
    ]);
    read
}

fn year() -> i32 {
    wraparound::generate::school_year_of(integration_tests::acts::today())
}

/// Ids that must not come up in what somebody reads.
pub fn foreign(house: &House, rooms: &[usize], referrals: &[usize]) -> Vec<String> {
    let rooms = rooms.iter().map(|at| &house.rooms[*at]);
    let mut ids: Vec<String> =
        rooms.flat_map(|room| room.students.iter().cloned().chain([room.class.class_id.clone(), room.review.class_review_id.clone()])).collect();
    ids.extend(referrals.iter().map(|at| house.referrals[*at].referral_id.clone()));
    ids
}
