//! Who the rows are: asked of the roster, never guessed.

use std::collections::HashMap;

use chassis_access::Caller;
use chassis_rpc::Channel;
use proto::rosters::v1::roster_service_client::RosterServiceClient;
use proto::rosters::v1::{MatchConfidence, MatchStudentsRequest, StudentClue, StudentMatch};
use tonic::Status;
use uuid::Uuid;

use super::entity::{Clue, Finding};

/// Finds students by what rows say of them.
#[tonic::async_trait]
pub trait Students: Send + Sync {
    /// One match a clue, in order; at most 500.
    async fn find(&self, clues: Vec<StudentClue>) -> Result<Vec<StudentMatch>, Status>;
}

/// The roster, asked as the caller.
pub struct Roster {
    /// The service.
    pub client: RosterServiceClient<Channel>,
    /// Who asks.
    pub caller: Caller,
    /// Of which school.
    pub school_id: Uuid,
}

#[tonic::async_trait]
impl Students for Roster {
    async fn find(&self, clues: Vec<StudentClue>) -> Result<Vec<StudentMatch>, Status> {
        let request = MatchStudentsRequest { school_id: self.school_id.to_string(), clues };
        Ok(self.client.clone().match_students(self.caller.forward(request)).await?.into_inner().matches)
    }
}

/// Finds the students of many clues, each asked once.
pub async fn find<'c>(students: &dyn Students, clues: impl Iterator<Item = &'c Clue>) -> Result<HashMap<Clue, StudentMatch>, Status> {
    let mut wanted: Vec<&Clue> = clues.collect::<std::collections::HashSet<_>>().into_iter().collect();
    wanted.sort_by(|a, b| (&a.identifier, &a.family_name, &a.given_name).cmp(&(&b.identifier, &b.family_name, &b.given_name)));
    if wanted.is_empty() {
        return Ok(HashMap::new());
    }
    let asked = wanted.iter().map(|clue| StudentClue {
        identifier: clue.identifier.clone(),
        given_name: clue.given_name.clone(),
        family_name: clue.family_name.clone(),
        birth_date: clue.birth_date.clone(),
        grade: clue.grade.clone(),
    });
    let found = students.find(asked.collect()).await?;
    if found.len() != wanted.len() {
        return Err(Status::internal("the roster answered another number of matches than was asked for"));
    }
    Ok(wanted.into_iter().cloned().zip(found).collect())
}

/// The student of a match, with a warning where a person should look; else what is wrong and how to mend it.
pub fn judge(line: u64, found: &StudentMatch) -> Result<(Uuid, Option<Finding>), Finding> {
    use MatchConfidence as C;
    let error = |code, message: &str| Err(Finding::error(line, "student", code, format!("{message}; give the student's identifier")));
    let sure = match found.confidence() {
        C::Identifier | C::NameAndBirthDate => None,
        C::NameAndGrade => Some(Finding::warning(
            line,
            "student",
            "STUDENT_BY_NAME_AND_GRADE",
            "found by name and grade only; give the identifier or the birth date to be sure",
        )),
        C::Similar => return error("STUDENT_SIMILAR", "only a student with a similar name fits, and similar is not taken"),
        C::Ambiguous => return error("STUDENT_AMBIGUOUS", "several students of the school fit"),
        C::Contradicted => return error("STUDENT_CONTRADICTED", "the identifier is one student's and the name another's; mend whichever is wrong"),
        C::Unspecified => return error("STUDENT_UNKNOWN", "no student of the school fits"),
    };
    match found.student_id.parse() {
        Ok(student) => Ok((student, sure)),
        Err(_) => error("STUDENT_UNKNOWN", "no student of the school fits"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_sure_matches_are_taken() {
        let judged = |confidence: MatchConfidence| {
            let found = StudentMatch { student_id: Uuid::max().to_string(), confidence: confidence.into(), candidate_count: 1 };
            match judge(7, &found) {
                Ok((_, None)) => "taken",
                Ok((_, Some(warning))) => warning.code,
                Err(error) => error.code,
            }
        };
        use MatchConfidence as C;
        for (confidence, expected) in [
            (C::Unspecified, "STUDENT_UNKNOWN"),
            (C::Identifier, "taken"),
            (C::NameAndBirthDate, "taken"),
            (C::NameAndGrade, "STUDENT_BY_NAME_AND_GRADE"),
            (C::Similar, "STUDENT_SIMILAR"),
            (C::Ambiguous, "STUDENT_AMBIGUOUS"),
            (C::Contradicted, "STUDENT_CONTRADICTED"),
        ] {
            assert_eq!(judged(confidence), expected);
        }
        assert!(judge(7, &StudentMatch { confidence: C::Identifier.into(), ..StudentMatch::default() }).is_err());
    }
}
