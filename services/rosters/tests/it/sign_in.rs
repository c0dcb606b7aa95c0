//! Who a token means, by the ids of the roster file: told by events, looked up by every service.

use chassis_access::relationships::Relationships;
use chassis_access::{RelationshipFeed, sign_in};
use chassis_events::{Event, Handler as _};
use chassis_pg::testing::database;
use prost::Message as _;
use proto::rosters::v1::StaffState;
use rosters::{MIGRATIONS, standing};
use sqlx::PgPool;
use uuid::Uuid;

use crate::package::{Package, import, number};

/// Takes the states that wait in the outbox, as a service would hear them.
async fn hear(pool: &PgPool) -> Vec<StaffState> {
    let rows: Vec<(String, Vec<u8>)> =
        sqlx::query_as("delete from outbox where aggregatetype = $1 returning aggregateid, payload").bind(standing::STAFF_TOPIC).fetch_all(pool).await.unwrap();
    let mut conn = pool.acquire().await.unwrap();
    let mut states = Vec::new();
    for (key, payload) in rows {
        let state = StaffState::decode(payload.as_slice()).unwrap();
        RelationshipFeed.apply(&mut conn, &Event::new(standing::STAFF_TOPIC, &key, &state, None)).await.unwrap();
        states.push(state);
    }
    states
}

/// As a service that has just started finds them.
async fn staff_of(pool: &PgPool, said: &str) -> Option<Uuid> {
    Relationships::new(pool.clone()).staff_of(said).await.unwrap()
}

async fn person(pool: &PgPool, name: &str) -> Uuid {
    sqlx::query_scalar("select person_id from rosters.person where given_name = $1").bind(name).fetch_one(pool).await.unwrap()
}

#[tokio::test]
async fn staff_are_found_by_every_id_of_the_file_and_nobody_else_is() {
    let pool = database(&MIGRATIONS).await;
    import(&pool, &Package::small()).await;
    let states = hear(&pool).await;
    let tara = person(&pool, "Tara").await;
    for said in ["t1", "T1", "tara@example.org", " Tara@Example.org ", &tara.to_string()] {
        assert_eq!(staff_of(&pool, said).await, Some(tara), "{said:?}");
    }
    // A student, a guardian, nobody, and the same with other letters.
    for said in ["u1", "1001", "g1", "tara", "tara@example.com", "", " "] {
        assert_eq!(staff_of(&pool, said).await, None, "{said:?}");
    }
    // An id and a number that differ in case alone are one digest, and only digests go out.
    let tara = states.iter().find(|state| state.staff_id == tara.to_string()).unwrap();
    let mut wanted = [sign_in::key_of("t1").to_vec(), sign_in::key_of("tara@example.org").to_vec()];
    wanted.sort();
    assert_eq!(tara.sign_in_keys, wanted);
}

#[tokio::test]
async fn a_uuid_of_the_source_is_told_from_ours() {
    let theirs = "4F9C2B1E-7C1D-4C8E-9D59-2B1A00000001";
    let pool = database(&MIGRATIONS).await;
    import(&pool, &Package::small().with("users", ",T1,tara@example.org", &format!(",{theirs},tara@example.org"))).await;
    hear(&pool).await;
    assert_eq!(staff_of(&pool, theirs).await, Some(person(&pool, "Tara").await));
    let nobodys = Uuid::now_v7();
    assert_eq!(staff_of(&pool, &nobodys.to_string()).await, Some(nobodys), "the roster may tell of them in a moment");
}

#[tokio::test]
async fn an_id_of_several_is_nobodys() {
    let pool = database(&MIGRATIONS).await;
    import(&pool, &Package::small().with("users", ",Q1,", ",Q1,TARA@example.org")).await;
    hear(&pool).await;
    assert_eq!(staff_of(&pool, "tara@example.org").await, None);
    assert_eq!(staff_of(&pool, "t1").await, Some(person(&pool, "Tara").await));
    // Once the source is mended it is hers again.
    import(&pool, &Package::small()).await;
    hear(&pool).await;
    assert_eq!(staff_of(&pool, "tara@example.org").await, Some(person(&pool, "Tara").await));
}

#[tokio::test]
async fn who_leaves_is_known_no_longer() {
    let pool = database(&MIGRATIONS).await;
    import(&pool, &Package::small()).await;
    hear(&pool).await;
    let gone = Package::small().delta(&[("users", "t1,tobedeleted,2026-09-01T00:00:00Z,true,t1,,Tara,Teach,,T1,tara@example.org,,,,,,,,,,,s1,")]);
    import(&pool, &gone).await;
    let states = hear(&pool).await;
    assert!(states.iter().any(|state| !state.active), "{states:?}");
    assert_eq!(staff_of(&pool, "tara@example.org").await, None);
}

#[tokio::test]
async fn a_district_from_before_is_told_at_the_next_look() {
    let pool = database(&MIGRATIONS).await;
    import(&pool, &Package::small()).await;
    sqlx::query("delete from outbox").execute(&pool).await.unwrap();
    sqlx::query("update rosters.staff_state set sign_in_keys = '{}'").execute(&pool).await.unwrap();
    let mut tx = pool.begin().await.unwrap();
    assert_eq!(standing::refresh(&mut tx, &mut |_| {}).await.unwrap().staff, 2);
    tx.commit().await.unwrap();
    hear(&pool).await;
    assert_eq!(staff_of(&pool, "t1").await, Some(person(&pool, "Tara").await));
    assert_eq!(number(&pool, "select count(*) from sign_in_key").await, 3);
}
