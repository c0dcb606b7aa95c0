//! Who the rows of a file are, and how many students are in which group: the queries.

use chassis_pg::testing::database;
use rosters::MIGRATIONS;
use rosters::matching::entity::{Clue, Found};
use rosters::matching::match_students;
use rosters::tally::GroupBy;
use rosters::tally::repo::tally;
use sqlx::PgPool;
use uuid::Uuid;

use crate::package::{Package, import};

async fn student(pool: &PgPool, number: &str) -> Uuid {
    sqlx::query_scalar("select person_id from rosters.person where identifier = $1").bind(number).fetch_one(pool).await.unwrap()
}

#[tokio::test]
async fn students_of_one_school_are_found_and_no_others() {
    let pool = database(&MIGRATIONS).await;
    let package = Package::small()
        .with("orgs", "s1,,,North School,school,100,d\n", "s1,,,North School,school,100,d\ns2,,,South School,school,200,d\n")
        .with(
            "users",
            "u2,,,true,u2,,Ann,De la Cruz,,1002,,,,,04,,,,,,,s1,\n",
            "u2,,,true,u2,,Ann,De la Cruz,,1002,,,,,04,,,,,,,s1,\nu3,,,true,u3,,Eve,Stone,,1003,,,,,04,,,,,,,s2,\n",
        )
        .with("roles", "r4,,,u2,primary,student,,,s1,\n", "r4,,,u2,primary,student,,,s1,\nr6,,,u3,primary,student,,,s2,\n");
    import(&pool, &package).await;
    let mut conn = pool.acquire().await.unwrap();
    let school: Uuid = sqlx::query_scalar("select org_id from rosters.org where identifier = '100'").fetch_one(&pool).await.unwrap();
    let (jose, ann) = (student(&pool, "1001").await, student(&pool, "1002").await);
    let clue = |identifier: &str, given: &str, family: &str, born: &str, grade: &str| Clue {
        identifier: identifier.to_owned(),
        given: given.to_owned(),
        family: family.to_owned(),
        birth_date: born.parse().ok(),
        grade: grade.to_owned(),
    };
    let clues = [
        clue("1001", "Jose", "Nunez", "", ""),
        clue("u1", "Pepe", "Núñez", "", ""),
        clue(&jose.to_string(), "", "", "", ""),
        clue("", "José", "Nuñez", "2016-03-04", ""),
        clue("", "Ann", "De La Cruz", "2016-01-01", "04"),
        clue("1002", "José", "Núñez", "", ""),
        // A student of the other school, a teacher and a guardian are nobody here.
        clue("1003", "Eve", "Stone", "", "04"),
        clue("u3", "Eve", "Stone", "", "04"),
        clue("T1", "Tara", "Teach", "", ""),
        clue("", "Rosa", "Núñez", "", "04"),
    ];
    let found = match_students(&mut conn, school, &clues).await.unwrap();
    let nobody = Found::Nobody;
    let by_identifier = Found::ByIdentifier(jose);
    assert_eq!(
        found,
        [
            by_identifier,
            by_identifier,
            by_identifier,
            Found::ByNameAndBirthDate(jose),
            Found::ByNameAndGrade(ann),
            Found::Contradicted(1),
            nobody,
            nobody,
            nobody,
            nobody
        ]
    );
    let other = match_students(&mut conn, Uuid::now_v7(), &clues).await.unwrap();
    assert_eq!(other, vec![nobody; clues.len()]);
}

#[tokio::test]
async fn groups_are_counted_in_the_federal_order() {
    let pool = database(&MIGRATIONS).await;
    // sex, the five races, two or more, hispanic; and the race that is counted.
    let people: [(&str, Option<&str>, &str, &str); 11] = [
        ("04", Some("female"), "t,f,f,f,f,f,t", "hispanic_or_latino"),
        ("04", Some("female"), "f,t,f,f,t,t,t", "hispanic_or_latino"),
        ("04", Some("male"), "f,t,f,f,t,f,f", "two_or_more"),
        ("05", Some("male"), "f,f,f,f,f,t,f", "two_or_more"),
        ("05", Some("male"), "f,t,f,f,f,t,", "two_or_more"),
        ("05", Some("female"), "t,f,f,f,f,f,f", "american_indian_or_alaska_native"),
        ("05", Some("female"), "f,t,f,f,f,f,", "asian"),
        ("05", Some("other"), ",,t,,,,", "black_or_african_american"),
        ("", Some(""), "f,f,f,t,f,f,f", "native_hawaiian_or_other_pacific_islander"),
        ("", None, "f,f,f,f,t,f,f", "white"),
        ("KG", None, "f,f,f,f,f,f,f", "not_recorded"),
    ];
    let mut conn = pool.acquire().await.unwrap();
    let mut ids = Vec::new();
    for (grade, sex, races, _) in people {
        let id = Uuid::now_v7();
        ids.push(id);
        sqlx::query("insert into rosters.student_state values ($1, 1, true, $2, '{}', '{}', now())").bind(id).bind(grade).execute(&mut *conn).await.unwrap();
        let races: Vec<Option<bool>> = races.split(',').map(|flag| (!flag.is_empty()).then_some(flag == "t")).collect();
        let mut insert = sqlx::query("insert into rosters.demographics values ($1, null, $2, $3, $4, $5, $6, $7, $8, $9)").bind(id).bind(sex);
        for flag in races {
            insert = insert.bind(flag);
        }
        insert.execute(&mut *conn).await.unwrap();
    }
    // Each alone has the race named above.
    for ((.., race), id) in people.iter().zip(&ids) {
        let counted = tally(&mut conn, GroupBy::Race, &["1".to_owned()], &[*id]).await.unwrap();
        assert_eq!((counted.len(), counted[0].group.as_str(), counted[0].count), (1, *race, 1));
    }
    // The first six have tier 1, the others and one whom the roster does not know tier 3; a pair twice counts once.
    ids.extend([Uuid::now_v7(), ids[0]]);
    let labels: Vec<String> = (0..ids.len()).map(|at| if at < 6 || at == 12 { "1" } else { "3" }.to_owned()).collect();
    let lines = |by| {
        let (labels, ids, pool) = (labels.clone(), ids.clone(), pool.clone());
        async move {
            let counted = tally(&mut pool.acquire().await.unwrap(), by, &labels, &ids).await.unwrap();
            counted.into_iter().map(|line| format!("{} {} {}", line.group, line.label, line.count)).collect::<Vec<_>>()
        }
    };
    assert_eq!(lines(GroupBy::Sex).await, ["female 1 3", "female 3 1", "male 1 3", "not_recorded 3 4", "other 3 1"]);
    assert_eq!(lines(GroupBy::Grade).await, ["04 1 3", "05 1 3", "05 3 2", "KG 3 1", "not_recorded 3 3"]);
    assert!(lines(GroupBy::Race).await.contains(&"not_recorded 3 2".to_owned()));
    assert!(tally(&mut conn, GroupBy::Race, &[], &[]).await.unwrap().is_empty());
}
