//! Who sees which unmet needs, in the worked district.

use chassis_access::RelationshipFeed;
use chassis_events::Handler as _;
use sqlx::PgPool;

use super::repo::{Asked, page};
use super::{Sight, Student};
use crate::app::MIGRATIONS;
use crate::worked_district::{YEAR, apply, events, id, need, school, student, today};

async fn district() -> PgPool {
    let pool = chassis_pg::testing::database(&MIGRATIONS).await;
    apply(&pool, &events()).await;
    let mut conn = pool.acquire().await.unwrap();
    for event in events().iter().filter(|e| e.topic.starts_with("rosters.")) {
        RelationshipFeed.apply(&mut conn, event).await.unwrap();
    }
    pool
}

async fn seen(pool: &PgPool, sight: &Sight, asked: Asked) -> Vec<Student> {
    page(pool, sight, &asked, None, 100).await.unwrap()
}

fn asked() -> Asked {
    Asked { school: None, domain: None, school_year: YEAR, as_of: today() }
}

fn needs(students: &[Student]) -> Vec<uuid::Uuid> {
    let mut needs: Vec<_> = students.iter().flat_map(|s| &s.needs).map(|n| n.need_id).collect();
    needs.sort();
    needs
}

#[tokio::test]
async fn a_coordinator_sees_the_schools_unmet_needs_with_their_reasons() {
    let pool = district().await;
    let health = "health".to_owned();
    let sight = Sight { schools: vec![school(1)], restricted_at: (vec![school(1)], vec![health]), ..Sight::default() };
    let students = seen(&pool, &sight, asked()).await;
    assert_eq!(needs(&students), [need(1), need(3), need(6)]);
    let third = students.iter().find(|s| s.student_id == student(3)).unwrap();
    assert_eq!((third.school_id, third.grade.as_str()), (school(1), "04"));
    assert_eq!((third.needs[0].age_school_days, third.needs[0].restricted, third.needs[0].reason.as_str()), (58, true, "not_yet_arranged"));
    let only_health = Asked { domain: Some("health"), ..asked() };
    assert_eq!(needs(&seen(&pool, &sight, only_health).await), [need(3), need(6)]);
    let elsewhere = Asked { school: Some(school(2)), ..asked() };
    assert!(seen(&pool, &sight, elsewhere).await.is_empty());
}

#[tokio::test]
async fn restricted_needs_neither_appear_nor_count_for_the_uncleared() {
    let pool = district().await;
    let teacher = Sight { classes: vec![id(4, 1)], ..Sight::default() };
    assert_eq!(needs(&seen(&pool, &teacher, asked()).await), [need(1), need(3)]);
    // Cleared for another domain, or at another school, is not cleared.
    let other_domain = Sight { schools: vec![school(1)], restricted_at: (vec![school(1)], vec!["family".to_owned()]), ..Sight::default() };
    assert_eq!(needs(&seen(&pool, &other_domain, asked()).await), [need(1), need(3)]);
    let other_school = Sight { schools: vec![school(1)], restricted_at: (vec![school(2)], vec!["health".to_owned()]), ..Sight::default() };
    assert_eq!(needs(&seen(&pool, &other_school, asked()).await), [need(1), need(3)]);
    let everything = Sight { everything: true, restricted: vec!["health".to_owned()], ..Sight::default() };
    assert_eq!(needs(&seen(&pool, &everything, asked()).await), [need(1), need(3), need(6)]);
    assert!(seen(&pool, &Sight::default(), asked()).await.is_empty());
}

#[tokio::test]
async fn pages_join_without_gap_or_overlap() {
    let pool = district().await;
    let sight = Sight { everything: true, restricted: vec!["health".to_owned()], ..Sight::default() };
    let all = seen(&pool, &sight, asked()).await;
    let (mut after, mut joined) = (None, Vec::new());
    loop {
        let one = page(&pool, &sight, &asked(), after, 1).await.unwrap();
        let Some(last) = one.last() else { break };
        after = Some((i64::try_from(last.needs.len()).unwrap(), last.student_id));
        joined.extend(one);
    }
    assert_eq!(joined, all);
    assert_eq!(all.len(), 3);
}
