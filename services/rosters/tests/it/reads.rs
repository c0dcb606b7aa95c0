//! What the roster answers, and to whom.

use chassis_pg::testing::database;
use chrono::NaiveDate;
use rosters::MIGRATIONS;
use rosters::roster::Within;
use rosters::roster::people::{list_staff, search_students, staff_of_class, students_of_class};
use rosters::roster::places::{ClassFilter, find_class, list_classes, list_schools};
use uuid::Uuid;

use crate::package::{Package, import};

fn everything() -> Within {
    Within { everything: true, ..Within::default() }
}

async fn id(pool: &sqlx::PgPool, sql: &'static str) -> Uuid {
    sqlx::query_scalar(sql).fetch_one(pool).await.unwrap()
}

#[tokio::test]
async fn students_are_found_by_the_beginnings_of_their_names() {
    let pool = database(&MIGRATIONS).await;
    import(&pool, &Package::small()).await;
    let mut conn = pool.acquire().await.unwrap();
    let school = id(&pool, "select org_id from rosters.org where is_school").await;
    let class = id(&pool, "select class_id from rosters.class_section where type = 'homeroom'").await;
    for (words, found) in [
        (["nun"].as_slice(), vec!["Pepe Núñez"]),
        (&["jose", "nunez"], vec!["Pepe Núñez"]),
        (&["cruz"], vec!["Ann De la Cruz"]),
        (&["100"], vec!["Ann De la Cruz", "Pepe Núñez"]),
        (&["teach"], vec![]),
        (&["rosa"], vec![]),
    ] {
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        let students = search_students(&mut conn, &words, None, &everything(), 20).await.unwrap();
        assert_eq!(students.iter().map(|s| s.display_name.as_str()).collect::<Vec<_>>(), found, "{words:?}");
    }
    let ann = vec!["ann".to_owned()];
    for (within, found) in [
        (Within { schools: vec![school], ..Within::default() }, 1),
        (Within { classes: vec![class], ..Within::default() }, 1),
        (Within { schools: vec![Uuid::now_v7()], ..Within::default() }, 0),
        (Within::default(), 0),
    ] {
        assert_eq!(search_students(&mut conn, &ann, None, &within, 20).await.unwrap().len(), found, "{within:?}");
    }
}

#[tokio::test]
async fn a_class_has_the_members_of_the_day() {
    let pool = database(&MIGRATIONS).await;
    let package = Package::small().with("enrollments", "u2,student,false,2020-08-01,2099-06-30", "u2,student,false,2022-03-15,2022-06-15");
    import(&pool, &package).await;
    let mut conn = pool.acquire().await.unwrap();
    let class = id(&pool, "select class_id from rosters.class_section where type = 'homeroom'").await;
    let day = |y, m, d| NaiveDate::from_ymd_opt(y, m, d).unwrap();
    for (on, students) in [(day(2022, 3, 14), 1), (day(2022, 3, 15), 2), (day(2022, 6, 14), 2), (day(2022, 6, 15), 1), (day(2019, 1, 1), 0)] {
        assert_eq!(students_of_class(&mut conn, class, on).await.unwrap().len(), students, "{on}");
    }
    assert_eq!(staff_of_class(&mut conn, class, day(2022, 3, 15)).await.unwrap()[0].display_name, "Tara Teach");
    let class = find_class(&mut conn, class).await.unwrap().unwrap();
    assert_eq!((class.student_count, class.first_on, class.last_on), (1, Some(day(2020, 8, 1)), Some(day(2099, 6, 29))));
}

#[tokio::test]
async fn lists_are_narrowed_and_paged() {
    let pool = database(&MIGRATIONS).await;
    import(&pool, &Package::small()).await;
    let mut conn = pool.acquire().await.unwrap();
    let school = id(&pool, "select org_id from rosters.org where is_school").await;
    let music = id(&pool, "select class_id from rosters.class_section where title = 'Music'").await;
    let schools = list_schools(&mut conn, &everything(), None, 10).await.unwrap();
    assert_eq!((schools.len(), schools[0].student_count, schools[0].identifier.as_str()), (1, 2, "100"));
    assert_eq!(list_schools(&mut conn, &Within { classes: vec![music], ..Within::default() }, None, 10).await.unwrap().len(), 1);
    assert_eq!(list_schools(&mut conn, &Within::default(), None, 10).await.unwrap().len(), 0);

    let all = ClassFilter { within: everything(), ..ClassFilter::default() };
    let first = list_classes(&mut conn, &all, None, 1).await.unwrap().remove(0);
    assert_eq!((first.title.as_str(), first.student_count, first.review_unit), ("Homeroom 4A", 2, true));
    let second = list_classes(&mut conn, &all, Some((first.sort_title, first.class_id)), 5).await.unwrap();
    assert_eq!(second.iter().map(|class| class.title.as_str()).collect::<Vec<_>>(), ["Music"]);
    let own = ClassFilter { within: Within { classes: vec![music], ..Within::default() }, ..ClassFilter::default() };
    assert_eq!(list_classes(&mut conn, &own, None, 5).await.unwrap().len(), 1);
    let reviewed = ClassFilter { review_units_only: true, ..own };
    assert_eq!(list_classes(&mut conn, &reviewed, None, 5).await.unwrap().len(), 0);

    let staff = list_staff(&mut conn, school, "coordinator", None, 10).await.unwrap();
    assert_eq!(
        (staff[0].display_name.as_str(), staff[0].roles.as_slice(), staff[0].school_ids.as_slice()),
        ("Carl Counsel", ["coordinator".to_owned()].as_slice(), [school].as_slice())
    );
    assert_eq!(list_staff(&mut conn, school, "", None, 10).await.unwrap().len(), 2);
}
