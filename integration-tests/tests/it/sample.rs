//! The sample that `make run` fills a district with.

use integration_tests::district::{District, DistrictOptions};
use integration_tests::tokens::Claims;
use proto::plans::v1::ListFollowUpsRequest;
use proto::reviews::v1::{ListConcernsRequest, ListIndividualReviewsRequest};
use wraparound::sample::{Size, fill};

use crate::house::{coordinator_of, schools};

#[tokio::test]
async fn the_sample_fills_a_district_with_all_that_coordinators_do() {
    let district = District::start(DistrictOptions::default()).await;
    let folder = tempfile::tempdir().unwrap();
    let size = Size { schools: 3, students: 500 };
    fill(district.ready(), folder.path(), size).await.unwrap();
    let manager = district.clients(&Claims::role("program_manager"));
    let mut seen = [0; 3];
    for school in schools(&manager).await {
        let coordinator = coordinator_of(&manager, &school).await;
        let mut clients = district.clients(&coordinator);
        let school_id = school.school_id;
        let concerns = ListConcernsRequest { school_id: school_id.clone(), page_size: 100, ..Default::default() };
        seen[0] += clients.concerns.list_concerns(concerns).await.unwrap().into_inner().concerns.len();
        let reviews = ListIndividualReviewsRequest { page_size: 100, ..Default::default() };
        seen[1] += clients.concerns.list_individual_reviews(reviews).await.unwrap().into_inner().individual_reviews.len();
        let follow_ups = ListFollowUpsRequest { school_id, page_size: 100, ..Default::default() };
        seen[2] += clients.follow_ups.list_follow_ups(follow_ups).await.unwrap().into_inner().follow_ups.len();
    }
    assert!(seen.iter().all(|count| *count >= 3), "concerns, individual reviews and follow-ups: {seen:?}");
    // Once it is complete, it is left alone.
    fill(district.ready(), folder.path(), size).await.unwrap();
}
