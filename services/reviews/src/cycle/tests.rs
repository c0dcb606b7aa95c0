use chassis_pg::testing;

use super::*;
use crate::app::MIGRATIONS;

fn create(request_id: Uuid, season: Season) -> Create {
    Create {
        request: idempotency::Request::new("tester", "reviews.CreateReviewCycle", request_id, season.word().as_bytes()),
        author: Uuid::now_v7(),
        school_year: 2027,
        season,
        opens_on: NaiveDate::from_ymd_opt(2026, 9, 14).unwrap(),
        closes_on: NaiveDate::from_ymd_opt(2026, 12, 18).unwrap(),
        required_fields: vec![entity::NEED_NOTE.to_owned()],
    }
}

#[tokio::test]
async fn a_cycle_is_made_once_however_often_it_is_asked_for() {
    let cycles = Cycles::new(testing::database(&MIGRATIONS).await);
    let request_id = Uuid::now_v7();
    let first = cycles.create(create(request_id, Season::Fall)).await.unwrap();
    assert_eq!(first.required_fields, [entity::NEED_NOTE]);
    assert_eq!(cycles.create(create(request_id, Season::Fall)).await.unwrap(), first);
    assert!(matches!(cycles.create(create(Uuid::now_v7(), Season::Fall)).await, Err(CycleError::Exists)));
    // The id that was used for the fall cannot open the spring.
    assert!(cycles.create(create(request_id, Season::Spring)).await.is_err());
    for _ in 0..2 {
        cycles.create(create(Uuid::now_v7(), Season::Custom)).await.unwrap();
    }
    assert_eq!(cycles.list(None).await.unwrap().len(), 3);
    assert_eq!(cycles.list(Some(2026)).await.unwrap(), []);
}
