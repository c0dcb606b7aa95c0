//! What is given and what is for everybody: tangible aid and whole-school activities.
#![allow(clippy::unwrap_used, reason = "a panic in a test is its report")]

mod district;

use chassis_access::Clearance;
use district::{District, days_ago, id, need, request};
use plans::PlanError;
use plans::activity::{self, entity::Activity};
use plans::aid::{
    self,
    entity::{Aid, Receiver},
};
use plans::calendar::today;
use proto::r#type::v1::Sensitivity;
use uuid::Uuid;

fn coat(d: &District, need_ids: &[&str]) -> Aid {
    Aid {
        aid_id: Uuid::now_v7(),
        student_id: d.student,
        school_id: d.school,
        need_ids: need_ids.iter().map(|n| id(n)).collect(),
        service_category: "BN-CLO".to_owned(),
        item: "Winter coat".to_owned(),
        quantity: 1,
        value_cents: Some(4_500),
        given_on: days_ago(2).date_naive(),
        received_by: Receiver::Family,
    }
}

async fn give(d: &District, aid: Aid, clearance: &Clearance) -> Result<aid::SeenAid, PlanError> {
    aid::record(&d.pool, &aid::Record { aid, request: request("plans.RecordAid") }, clearance).await
}

#[tokio::test]
async fn aid_is_as_closed_as_its_needs_and_follows_them() {
    let d = District::open().await;
    let (mut open, closed) = (need("FAM-MAT", Sensitivity::General, 9), need("SEB-MOO", Sensitivity::Restricted, 9));
    d.reviewed(1, &[open.clone(), closed.clone()]).await;
    let full = Clearance::full();
    let (plain, sensitivity) = give(&d, coat(&d, &[&open.entry_id]), &full).await.unwrap();
    assert_eq!(sensitivity.as_str(), "general");
    let (_, sensitivity) = give(&d, coat(&d, &[&open.entry_id, &closed.entry_id, &open.entry_id]), &full).await.unwrap();
    assert_eq!(sensitivity.as_str(), "restricted");
    give(&d, coat(&d, &[]), &full).await.unwrap();
    let seen = aid::list(&d.pool, d.student, &Clearance::default()).await.unwrap();
    assert_eq!((seen.len(), aid::list(&d.pool, d.student, &full).await.unwrap().len()), (2, 3));

    // A need that becomes protected takes what was given along.
    open.sensitivity = Sensitivity::Protected.into();
    d.protected(1, std::slice::from_ref(&open)).await;
    let seen = aid::list(&d.pool, d.student, &Clearance::default()).await.unwrap();
    assert!(seen.iter().all(|(aid, _)| aid.aid_id != plain.aid_id) && seen.len() == 1);

    // A need that may not be seen and one that is not there look the same.
    let words = async |need: &str| match give(&d, coat(&d, &[need]), &Clearance::default()).await {
        Err(PlanError::Invalid(invalid)) => invalid.0,
        other => panic!("{other:?}"),
    };
    assert_eq!(words(&closed.entry_id).await, words(&Uuid::now_v7().to_string()).await);
    assert_eq!(words(&open.entry_id).await, words(&closed.entry_id).await);
}

#[tokio::test]
async fn aid_is_noted_once_and_not_before_it_is_given() {
    let d = District::open().await;
    let command = aid::Record { aid: coat(&d, &[]), request: request("plans.RecordAid") };
    let first = aid::record(&d.pool, &command, &Clearance::full()).await.unwrap();
    assert_eq!(aid::record(&d.pool, &command, &Clearance::full()).await.unwrap(), first);
    assert!(matches!(give(&d, command.aid.clone(), &Clearance::full()).await, Err(PlanError::Exists(_))));
    let tomorrow = Aid { given_on: today() + chrono::Days::new(1), ..coat(&d, &[]) };
    assert!(matches!(give(&d, tomorrow, &Clearance::full()).await, Err(PlanError::Invalid(_))));
    assert_eq!(aid::list(&d.pool, d.student, &Clearance::full()).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_second_count_of_a_day_takes_the_place_of_the_first() {
    let d = District::open().await;
    let asked = Activity {
        activity_id: Uuid::now_v7(),
        school_id: d.school,
        school_year: district::YEAR,
        name: "Career week".to_owned(),
        service_category: "CC-EXP".to_owned(),
        first_on: days_ago(5).date_naive(),
        last_on: days_ago(1).date_naive(),
        participation_count: 0,
        student_count: 0,
        version: 1,
    };
    let put = async |activity: Activity, expected_version| {
        activity::put(&d.pool, &activity::Put { activity, expected_version, request: request("plans.PutActivity") }).await
    };
    put(asked.clone(), 0).await.unwrap();
    assert!(matches!(put(asked.clone(), 0).await, Err(PlanError::Exists(_))));
    let count = async |days, count, student_ids: Vec<Uuid>| {
        let command = activity::Count {
            activity_id: asked.activity_id,
            on_date: days_ago(days).date_naive(),
            count,
            student_ids,
            request: request("plans.RecordParticipation"),
        };
        activity::count(&d.pool, &command).await
    };
    let seen = |a: &Activity| (a.participation_count, a.student_count);
    assert_eq!(seen(&count(4, 120, vec![]).await.unwrap()), (120, 0));
    assert_eq!(seen(&count(3, 80, vec![d.student, d.student]).await.unwrap()), (200, 1));
    assert_eq!(seen(&count(4, 100, vec![d.student]).await.unwrap()), (180, 1), "named on two days, one student");
    assert_eq!(seen(&count(3, 80, vec![]).await.unwrap()), (180, 1));
    assert_eq!(seen(&count(4, 100, vec![]).await.unwrap()), (180, 0));
    assert!(matches!(count(6, 1, vec![]).await, Err(PlanError::Invalid(_))), "outside its days");
    assert!(matches!(count(4, 0, vec![d.student]).await, Err(PlanError::Invalid(_))), "fewer than are named");
    let PlanError::Invalid(stranger) = count(4, 9, vec![d.student, Uuid::now_v7()]).await.unwrap_err() else { panic!("must be refused") };
    assert_eq!(stranger.0[0].field, "student_ids[1]");
    let later = Activity { first_on: days_ago(3).date_naive(), ..asked.clone() };
    assert!(matches!(put(later, 1).await, Err(PlanError::Invalid(_))), "counted days stay within");
    assert_eq!(put(Activity { name: "Career days".to_owned(), ..asked.clone() }, 1).await.unwrap().version, 2);
    assert!(matches!(put(asked.clone(), 1).await, Err(PlanError::Stale)));
    let mut conn = d.pool.acquire().await.unwrap();
    assert_eq!(activity::repo::list(&mut conn, None, Some(d.school), district::YEAR).await.unwrap().len(), 1);
    assert!(activity::repo::list(&mut conn, None, Some(Uuid::now_v7()), district::YEAR).await.unwrap().is_empty());
}
