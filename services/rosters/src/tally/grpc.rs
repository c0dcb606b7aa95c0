//! TallyStudentGroups on the wire.

use chassis_rpc::Parser;
use proto::rosters::v1 as wire;
use uuid::Uuid;

use super::repo::Tally;

/// Students of one question at the most: a large district.
const MAX_STUDENTS: usize = 200_000;
const MAX_LABELS: usize = 100;
const ID_BYTES: usize = 16;

/// Pairs of label and student.
pub(crate) fn read_labelled(parser: &mut Parser, labelled: &[wire::LabelledStudents]) -> (Vec<String>, Vec<Uuid>) {
    let asked: usize = labelled.iter().map(|one| one.student_ids.len() / ID_BYTES).sum();
    if asked > MAX_STUDENTS {
        parser.violation("labelled", format!("must have at most {MAX_STUDENTS} students, has {asked}"));
    }
    if labelled.len() > MAX_LABELS {
        parser.violation("labelled", format!("must have at most {MAX_LABELS} members, has {}", labelled.len()));
        return (Vec::new(), Vec::new());
    }
    let (mut labels, mut students) = (Vec::new(), Vec::new());
    for (at, one) in labelled.iter().enumerate() {
        let label = parser.required_text(&format!("labelled[{at}].label"), &one.label, 50);
        let ids = one.student_ids.chunks_exact(ID_BYTES);
        if !ids.remainder().is_empty() {
            parser.violation(&format!("labelled[{at}].student_ids"), format!("must have {ID_BYTES} bytes a student"));
        }
        students.extend(ids.filter_map(|bytes| Uuid::from_slice(bytes).ok()));
        labels.resize(students.len(), label);
    }
    (labels, students)
}

/// A count as it is sent.
pub(crate) fn render_tally(tally: Tally) -> wire::GroupTally {
    wire::GroupTally { group: tally.group, label: tally.label, count: tally.count }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labelled(label: &str, student_ids: Vec<u8>) -> wire::LabelledStudents {
        wire::LabelledStudents { label: label.to_owned(), student_ids }
    }

    #[test]
    fn ids_are_read_with_their_labels() {
        let mut parser = Parser::new();
        let (labels, students) = read_labelled(&mut parser, &[labelled("3", [[1; 16], [2; 16]].concat()), labelled("2a", vec![3; 16]), labelled("1", vec![])]);
        parser.finish().unwrap();
        assert_eq!(labels, ["3", "3", "2a"]);
        assert_eq!(students, [[1; 16], [2; 16], [3; 16]].map(Uuid::from_bytes));
    }

    #[test]
    fn what_is_not_whole_or_too_much_is_refused() {
        for wrong in
            [labelled("3", vec![1; 15]), labelled("", vec![1; 16]), labelled(&"x".repeat(51), vec![]), labelled("3", vec![1; ID_BYTES * (MAX_STUDENTS + 1)])]
        {
            let mut parser = Parser::new();
            read_labelled(&mut parser, &[wrong]);
            assert!(parser.finish().is_err());
        }
    }
}
