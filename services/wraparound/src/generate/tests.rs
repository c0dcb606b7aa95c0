use std::collections::{HashMap, HashSet};
use std::io::Cursor;

use super::*;

const SPEC: DistrictSpec = DistrictSpec { schools: 8, students: 1_500, seed: 42, school_year: 2027 };

fn make(spec: &DistrictSpec) -> Vec<u8> {
    let mut out = Cursor::new(Vec::new());
    generate(spec, &mut out, |done, total| assert!(done <= total)).unwrap();
    out.into_inner()
}

fn table(zip: &[u8], name: &str) -> Vec<HashMap<String, String>> {
    let mut archive = zip::ZipArchive::new(Cursor::new(zip)).unwrap();
    let mut reader = csv::Reader::from_reader(archive.by_name(name).unwrap());
    reader.deserialize().map(Result::unwrap).collect()
}

fn column<'a>(rows: &'a [HashMap<String, String>], name: &str) -> HashSet<&'a str> {
    rows.iter().map(|row| row[name].as_str()).collect()
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    assert!(make(&SPEC) == make(&SPEC));
    assert!(make(&SPEC) != make(&DistrictSpec { seed: 43, ..SPEC }));
}

#[test]
fn every_reference_leads_somewhere_and_ids_are_unique() {
    let zip = make(&SPEC);
    let (orgs, users, classes) = (table(&zip, "orgs.csv"), table(&zip, "users.csv"), table(&zip, "classes.csv"));
    let (roles, enrollments, demographics) = (table(&zip, "roles.csv"), table(&zip, "enrollments.csv"), table(&zip, "demographics.csv"));
    for rows in [&orgs, &users, &classes, &roles, &enrollments, &demographics] {
        assert_eq!(column(rows, "sourcedId").len(), rows.len());
    }
    let ids = column(&users, "sourcedId");
    assert!(column(&roles, "userSourcedId").is_subset(&ids));
    assert!(column(&enrollments, "userSourcedId").is_subset(&ids));
    assert!(column(&demographics, "sourcedId").is_subset(&ids));
    assert!(column(&enrollments, "classSourcedId").is_subset(&column(&classes, "sourcedId")));
    assert!(column(&classes, "schoolSourcedId").is_subset(&column(&orgs, "sourcedId")));
    assert!(column(&classes, "courseSourcedId").is_subset(&column(&table(&zip, "courses.csv"), "sourcedId")));
    for agent in users.iter().flat_map(|user| user["agentSourcedIds"].split(',')).filter(|agent| !agent.is_empty()) {
        assert!(ids.contains(agent), "{agent}");
    }
    let students = roles.iter().filter(|role| role["role"] == "student").count();
    assert_eq!((students, demographics.len()), (1_500, 1_500));
    let without_teacher = classes.iter().filter(|class| !enrollments.iter().any(|e| e["classSourcedId"] == class["sourcedId"] && e["role"] == "teacher"));
    assert_eq!(without_teacher.count(), 0);
}

#[test]
fn ages_fit_grades() {
    let zip = make(&SPEC);
    let grades: HashMap<String, String> =
        table(&zip, "users.csv").into_iter().map(|mut user| (user.remove("sourcedId").unwrap(), user.remove("grades").unwrap())).collect();
    for row in table(&zip, "demographics.csv") {
        let born: NaiveDate = row["birthDate"].parse().unwrap();
        let age = NaiveDate::from_ymd_opt(2026, 9, 1).unwrap().years_since(born).unwrap();
        let grade = plan::GRADES.iter().position(|code| *code == grades[&row["sourcedId"]]).unwrap() as u32;
        assert!((5 + grade..=6 + grade).contains(&age), "age {age} in grade {grade}");
    }
}

#[test]
fn a_school_year_begins_in_july() {
    let day = |month| NaiveDate::from_ymd_opt(2026, month, 23).unwrap();
    assert_eq!((school_year_of(day(6)), school_year_of(day(11))), (2026, 2027));
}
