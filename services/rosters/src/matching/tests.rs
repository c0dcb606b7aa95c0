//! Who a clue is taken for, and above all who it is not. Nobody here is real.

use uuid::Uuid;

use super::entity::{Clue, Found, Known, Pupil};

fn id(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

fn pupil(number: u128, given: &str, family: &str, born: &str, grade: &str) -> Pupil {
    let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    Pupil {
        student_id: id(number),
        given: text(given),
        family: text(family),
        grade: grade.to_owned(),
        birth_date: born.parse().ok(),
        number: format!("10{number:02}"),
        source_ids: vec![format!("sis-{number}")],
        ..Pupil::default()
    }
}

fn clue(identifier: &str, given: &str, family: &str, born: &str, grade: &str) -> Clue {
    Clue { identifier: identifier.to_owned(), given: given.to_owned(), family: family.to_owned(), birth_date: born.parse().ok(), grade: grade.to_owned() }
}

/// Twins Jonah and Jonas, and Mara; two Alex Kims of one day; Taylor James and James Taylor; and others.
fn school() -> Known {
    Known::new(vec![
        pupil(1, "Jonah", "Weber", "2016-02-03", "04"),
        pupil(2, "Jonas", "Weber", "2016-02-03", "04"),
        pupil(3, "Mara", "Weber", "2016-02-03", "04"),
        pupil(4, "Alex", "Kim", "2015-05-05", "05"),
        pupil(5, "Alex", "Kim", "2015-05-05", "05"),
        pupil(6, "Taylor", "James", "2014-09-09", "06"),
        pupil(7, "James", "Taylor", "2014-09-09", "06"),
        Pupil { preferred_given: Some("Pepe".to_owned()), ..pupil(8, "José", "Núñez-Peña", "2016-03-04", "04") },
        pupil(9, "William", "Okafor", "2013-01-01", "07"),
        Pupil { middle: Some("Sofía".to_owned()), ..pupil(10, "Ana", "de la Cruz", "2016-06-06", "04") },
        pupil(11, "Robin", "Lee", "2016-01-01", "03"),
        pupil(12, "Robin", "Lee", "2016-11-11", "03"),
        pupil(13, "Quinn", "Baker", "", "02"),
        pupil(14, "Cher", "", "2012-12-12", "08"),
    ])
}

#[track_caller]
fn check(cases: &[(Clue, Found)]) {
    let school = school();
    for (clue, found) in cases {
        assert_eq!(school.find(clue), *found, "{clue:?}");
    }
}

#[test]
fn an_identifier_finds_where_the_names_do_not_contradict_it() {
    let jonah = Found::ByIdentifier(id(1));
    check(&[
        (clue("1001", "Jonah", "Weber", "2016-02-03", "04"), jonah),
        (clue("sis-1", "JONAH", "weber", "", ""), jonah),
        (clue(&id(1).to_string(), "", "", "", ""), jonah),
        // What neither says is no contradiction, nor is a second name that one leaves out.
        (clue("1001", "", "Weber", "", ""), jonah),
        (clue("1014", "Cher", "Sarkis", "", ""), Found::ByIdentifier(id(14))),
        (clue("1010", "Ana", "Cruz", "", ""), Found::ByIdentifier(id(10))),
        (clue("1010", "Ana Sofia", "De la Cruz", "", ""), Found::ByIdentifier(id(10))),
        (clue("1008", "Jose Luis", "Nunez", "", ""), Found::ByIdentifier(id(8))),
        // A slip of the hand.
        (clue("1009", "Wiliam", "Okafor", "2013-01-01", ""), Found::ByIdentifier(id(9))),
        // The grade and the day may be wrong where number and whole name agree.
        (clue("1009", "William", "Okafor", "2013-01-02", "02"), Found::ByIdentifier(id(9))),
    ]);
}

#[test]
fn an_identifier_with_another_name_takes_nobody() {
    let contradicted = Found::Contradicted(1);
    check(&[
        (clue("1001", "Mara", "Weber", "2016-02-03", "04"), contradicted),
        // One letter from the holder's name, but exactly the twin's.
        (clue("1001", "Jonas", "Weber", "2016-02-03", "04"), contradicted),
        (clue("1002", "Jonah", "Weber", "2016-02-03", "04"), contradicted),
        // Given and family name changed places: here that is another student.
        (clue("1006", "James", "Taylor", "", ""), contradicted),
        (clue("1009", "Okafor", "William", "2013-01-01", ""), contradicted),
        // A nickname may be a brother's name as well.
        (clue("1009", "Bill", "Okafor", "2013-01-01", ""), contradicted),
        // A slip in the name and another day; no name and another day.
        (clue("1009", "Wiliam", "Okafor", "2013-01-02", ""), contradicted),
        (clue("1009", "", "", "2013-01-02", ""), contradicted),
        // The day says that it is the other one of that name.
        (clue("1011", "Robin", "Lee", "2016-11-11", ""), contradicted),
    ]);
    let shared = Known::new(vec![
        Pupil { number: "7".to_owned(), ..pupil(1, "Ada", "Moss", "", "") },
        Pupil { number: "7".to_owned(), ..pupil(2, "Ben", "Moss", "", "") },
    ]);
    assert_eq!(shared.find(&clue("7", "Ada", "Moss", "", "")), Found::Ambiguous(2));
    assert_eq!(shared.find(&clue("7", "Cleo", "Reed", "", "")), Found::Contradicted(2));
}

#[test]
fn a_name_finds_with_the_day_of_birth_else_with_the_grade() {
    let (pepe, ana) = (Found::ByNameAndBirthDate(id(8)), Found::ByNameAndBirthDate(id(10)));
    check(&[
        (clue("", "Jonas", "Weber", "2016-02-03", ""), Found::ByNameAndBirthDate(id(2))),
        // Accents, hyphens, blanks and capitals make no other name, and the preferred one is as good.
        (clue("", "jose", "NUNEZ PENA", "2016-03-04", ""), pepe),
        (clue("", "Jose\u{301}", "Nun\u{303}ez Pen\u{303}a", "2016-03-04", ""), pepe),
        (clue("", "Pepe", "Núñezpeña", "2016-03-04", ""), pepe),
        (clue("", "Ana", "Delacruz", "2016-06-06", ""), ana),
        (clue("", "Ana-Sofia", "De La Cruz", "2016-06-06", ""), ana),
        // An identifier that nobody here has may be the sender's own.
        (clue("A-77", "Mara", "Weber", "2016-02-03", ""), Found::ByNameAndBirthDate(id(3))),
        (clue("", "Mara", "Weber", "", "04"), Found::ByNameAndGrade(id(3))),
        (clue("", "Quinn", "Baker", "2017-01-01", "02"), Found::ByNameAndGrade(id(13))),
        (clue("", "Robin", "Lee", "2016-11-11", "03"), Found::ByNameAndBirthDate(id(12))),
        (clue("", "Taylor", "James", "2014-09-09", "06"), Found::ByNameAndBirthDate(id(6))),
    ]);
}

#[test]
fn several_are_none() {
    check(&[
        (clue("", "Alex", "Kim", "2015-05-05", "05"), Found::Ambiguous(2)),
        (clue("", "Alex", "Kim", "", "05"), Found::Ambiguous(2)),
        (clue("", "Robin", "Lee", "", "03"), Found::Ambiguous(2)),
        // As near to one twin as to the other.
        (clue("", "Jonaz", "Weber", "2016-02-03", ""), Found::Ambiguous(2)),
    ]);
}

#[test]
fn nearly_the_name_needs_the_same_day() {
    check(&[
        (clue("", "Wiliam", "Okafor", "2013-01-01", ""), Found::Similar(id(9))),
        (clue("", "Willaim", "Okafro", "2013-01-01", ""), Found::Similar(id(9))),
        (clue("", "Wiliam", "Okafor", "2013-01-02", ""), Found::Nobody),
        (clue("", "Wiliam", "Okafor", "", "07"), Found::Nobody),
        (clue("", "Jose", "Nunes Pena", "2016-03-04", ""), Found::Similar(id(8))),
    ]);
}

#[test]
fn nothing_is_guessed() {
    check(&[
        // Nicknames, short names one letter off, columns that changed places, half a name.
        (clue("", "Bill", "Okafor", "2013-01-01", "07"), Found::Nobody),
        (clue("", "Will", "Okafor", "2013-01-01", "07"), Found::Nobody),
        (clue("", "Anna", "de la Cruz", "2016-06-06", "04"), Found::Nobody),
        (clue("", "Mary", "Weber", "2016-02-03", "04"), Found::Nobody),
        (clue("", "Okafor", "William", "2013-01-01", "07"), Found::Nobody),
        (clue("", "Ana", "Cruz", "2016-06-06", "04"), Found::Nobody),
        (clue("", "William", "", "2013-01-01", "07"), Found::Nobody),
        (clue("", "", "", "2013-01-01", "07"), Found::Nobody),
        (clue("", "", "", "", ""), Found::Nobody),
        // A name alone, and one with another day or another grade.
        (clue("", "William", "Okafor", "", ""), Found::Nobody),
        (clue("", "William", "Okafor", "2013-01-02", "07"), Found::Nobody),
        (clue("", "William", "Okafor", "", "06"), Found::Nobody),
        (clue("9999", "", "", "", ""), Found::Nobody),
    ]);
}
