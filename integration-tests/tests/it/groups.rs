//! What is answered about many students at once: who the rows of a file are, and the equity view.

use integration_tests::acts::done;
use integration_tests::patience::eventually;
use integration_tests::tokens::Claims;
use proto::reporting::v1::{GetMeasureRequest, Withheld};
use proto::rosters::v1::{GetStudentRequest, MatchConfidence, MatchStudentsRequest, StudentClue, StudentMatch};
use tonic::Code;

use crate::house::house;

fn equity(school_id: &str, group_by: &str) -> GetMeasureRequest {
    GetMeasureRequest { measure_id: "TR-4".to_owned(), school_id: school_id.to_owned(), group_by: group_by.to_owned(), ..Default::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_equity_view_is_for_those_who_lead_the_district_and_tells_no_small_number() {
    let house = house().await;
    let school = &house.rooms[0].school.school_id;
    for leader in ["district_leader", "program_manager"] {
        let who = house.district.clients(&Claims::role(leader));
        for by in ["sex", "race", "grade"] {
            // Three students have a tier; that has to come from reviews first.
            let answer = eventually("groups with tiers", || {
                let mut who = who.clone();
                async move {
                    let answer = done("ask for the equity view", who.reporting.get_measure(equity("", by)).await);
                    (answer.cells.len() > 1).then_some(answer)
                }
            })
            .await;
            assert!(answer.suppression_applied);
            for cell in &answer.cells {
                assert!(cell.numerator.is_none() && cell.denominator.is_none() && cell.withheld() != Withheld::Unspecified, "{cell:?}");
            }
            assert!(answer.cells.iter().skip(1).all(|cell| cell.group.contains(", Tier ")), "{:?}", answer.cells);
        }
        let refused = who.clone().reporting.get_measure(equity(school, "sex")).await.unwrap_err();
        assert_eq!(refused.code(), Code::InvalidArgument, "{refused:?}");
    }
    let others = [Claims::role("partnership_manager"), Claims::role("program_manager").at(&[school]), house.coordinators[0].clone()];
    for other in others {
        let refused = house.district.clients(&other).reporting.get_measure(equity("", "race")).await.unwrap_err();
        assert_eq!(refused.code(), Code::PermissionDenied, "{refused:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_of_a_file_are_matched_within_the_callers_school_only() {
    let house = house().await;
    let (here, there) = (&house.rooms[0], &house.rooms[2]);
    let who = house.district.clients(&house.coordinators[0]);
    let student = done("read a student", who.clone().rosters.get_student(GetStudentRequest { student_id: here.student().to_owned() }).await).student.unwrap();
    let (given, family) = student.display_name.split_once(' ').unwrap();
    let clue = |identifier: &str, given: &str, family: &str, birth_date: &str| StudentClue {
        identifier: identifier.to_owned(),
        given_name: given.to_owned(),
        family_name: family.to_owned(),
        birth_date: birth_date.to_owned(),
        grade: String::new(),
    };
    let clues = vec![
        clue(here.student(), given, family, ""),
        clue("", given, family, &student.birth_date),
        clue(here.student(), "Zzyzx", "Nobody", ""),
        clue(there.student(), "", "", ""),
    ];
    let request = |school: &str, clues: Vec<StudentClue>| MatchStudentsRequest { school_id: school.to_owned(), clues };
    let matches = done("match", who.clone().rosters.match_students(request(&here.school.school_id, clues.clone())).await).matches;
    let found = |student: &str, confidence: MatchConfidence, count| StudentMatch {
        student_id: student.to_owned(),
        confidence: confidence.into(),
        candidate_count: count,
    };
    assert_eq!(matches[0], found(here.student(), MatchConfidence::Identifier, 1));
    assert_eq!(matches[1], found(here.student(), MatchConfidence::NameAndBirthDate, 1));
    assert_eq!(matches[2], found("", MatchConfidence::Contradicted, 1));
    assert_eq!(matches[3], found("", MatchConfidence::Unspecified, 0));

    // Another school, and a school that is not there, look the same; teachers do not ask at all.
    let unknown = crate::house::unknown();
    for (claims, school) in [(&house.coordinators[0], &there.school.school_id), (&house.coordinators[0], &unknown)] {
        let refused = house.district.clients(claims).rosters.match_students(request(school, clues.clone())).await.unwrap_err();
        assert_eq!(refused.code(), Code::PermissionDenied, "{refused:?}");
    }
    let teacher = house.district.clients(&Claims::staff(&here.teacher.staff_id));
    let refused = teacher.clone().rosters.match_students(request(&here.school.school_id, clues.clone())).await.unwrap_err();
    assert_eq!(refused.code(), Code::PermissionDenied);
    let too_many = who.clone().rosters.match_students(request(&here.school.school_id, vec![clue("", "", "", ""); 501])).await.unwrap_err();
    assert_eq!(too_many.code(), Code::InvalidArgument);
    let wrong_day = who.clone().rosters.match_students(request(&here.school.school_id, vec![clue("", "", "", "yesterday")])).await.unwrap_err();
    assert_eq!(wrong_day.code(), Code::InvalidArgument);
}
