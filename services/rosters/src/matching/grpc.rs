//! MatchStudents on the wire.

use chassis_rpc::Parser;
use proto::rosters::v1 as wire;
use uuid::Uuid;

use super::entity::{Clue, Found};
use crate::oneroster;

/// Clues of one call at the most.
const MAX_CLUES: usize = 500;

/// The clues of a request.
pub(crate) fn read_clues(parser: &mut Parser, clues: &[wire::StudentClue]) -> Vec<Clue> {
    if clues.len() > MAX_CLUES {
        parser.violation("clues", format!("must have at most {MAX_CLUES} members, has {}", clues.len()));
        return Vec::new();
    }
    clues.iter().enumerate().map(|(at, clue)| read_clue(parser, &format!("clues[{at}]"), clue)).collect()
}

fn read_clue(parser: &mut Parser, field: &str, clue: &wire::StudentClue) -> Clue {
    let grade = parser.text(&format!("{field}.grade"), &clue.grade, 20);
    Clue {
        identifier: parser.text(&format!("{field}.identifier"), &clue.identifier, 255),
        given: parser.text(&format!("{field}.given_name"), &clue.given_name, 200),
        family: parser.text(&format!("{field}.family_name"), &clue.family_name, 200),
        birth_date: parser.optional_date(&format!("{field}.birth_date"), &clue.birth_date),
        // A grade that we do not know is nobody's.
        grade: oneroster::grade_code(&grade).map_or(grade, str::to_owned),
    }
}

/// A match as it is sent.
pub(crate) fn render_match(found: Found) -> wire::StudentMatch {
    use wire::MatchConfidence as Confidence;
    let count = |n: usize| i32::try_from(n).unwrap_or(i32::MAX);
    let (student, confidence, candidates): (Option<Uuid>, _, _) = match found {
        Found::Nobody => (None, Confidence::Unspecified, 0),
        Found::ByIdentifier(student) => (Some(student), Confidence::Identifier, 1),
        Found::ByNameAndBirthDate(student) => (Some(student), Confidence::NameAndBirthDate, 1),
        Found::ByNameAndGrade(student) => (Some(student), Confidence::NameAndGrade, 1),
        Found::Similar(student) => (Some(student), Confidence::Similar, 1),
        Found::Ambiguous(n) => (None, Confidence::Ambiguous, count(n)),
        Found::Contradicted(n) => (None, Confidence::Contradicted, count(n)),
    };
    wire::StudentMatch { student_id: student.map(|id| id.to_string()).unwrap_or_default(), confidence: confidence.into(), candidate_count: candidates }
}
