//! The bar above a class review, the list of its students, and who comes next.

use std::collections::{HashMap, HashSet};

use proto::reviews::v1::{ClassReview, ClassReviewState, StudentReview, StudentReviewState};
use proto::rosters::v1::Student;
use uuid::Uuid;

use crate::form::fresh_id;
use crate::session::Caller;
use crate::words;

/// The bar above a class review.
#[derive(Debug, Clone)]
pub struct Head {
    /// Class and season.
    pub title: String,
    /// Path of the review.
    pub path: String,
    /// Reviewed, or not with a reason.
    pub done: i32,
    /// Students on the snapshot who have not left.
    pub total: i32,
    /// Put off in this session.
    pub later: usize,
    /// Left the class.
    pub left: usize,
    /// Joined after the snapshot.
    pub added: i32,
    /// Work so far, in words; empty where none was measured.
    pub minutes: String,
    /// Why it was paused or opened again, and how often the latter.
    pub because: String,
    /// Whether what is written is an amendment.
    pub amending: bool,
    /// Still to review.
    pub to_do: i32,
    /// State in words.
    pub state: &'static str,
    /// Who has signed.
    pub signatures: Vec<String>,
    /// Whether it can be handed in.
    pub may_submit: bool,
    /// Under way: it can be paused.
    pub may_pause: bool,
    /// Put aside: work can go on.
    pub may_resume: bool,
    /// Complete: it can be opened again, with a reason.
    pub may_reopen: bool,
    /// Whether this caller can sign now.
    pub may_sign: bool,
    /// Whether this caller can sign in the teacher's place, with a reason.
    pub may_sign_instead: bool,
    /// For the next write.
    pub version: i64,
    /// Id under which a move is sent.
    pub request_id: String,
    /// Id under which the roster is taken anew.
    pub refresh_id: String,
    /// Id under which it is handed in.
    pub submit_id: String,
}

/// A student in the list.
#[derive(Debug, Clone)]
pub struct RosterLine {
    /// Where it goes.
    pub href: String,
    /// Student.
    pub student_id: String,
    /// Name.
    pub name: String,
    /// Style.
    pub class: &'static str,
    /// Icon.
    pub icon: &'static str,
    /// One word beside the name.
    pub mark: &'static str,
    /// State in words.
    pub words: &'static str,
    /// Whether this is the student in work.
    pub current: bool,
}

/// The bar above a class review.
pub fn head(
    class_title: &str,
    review: &ClassReview,
    students: &[StudentReview],
    later: &HashSet<Uuid>,
    staff: &HashMap<String, String>,
    caller: &Caller,
) -> Head {
    let name = |id: &str| staff.get(id).cloned().unwrap_or_else(|| "a colleague".to_owned());
    let mut signatures = Vec::new();
    if !review.teacher_signed_by.is_empty() {
        signatures.push(format!("signed by {} as teacher", name(&review.teacher_signed_by)));
    }
    if !review.coordinator_signed_by.is_empty() {
        signatures.push(format!("signed by {} as coordinator", name(&review.coordinator_signed_by)));
    }
    let state = review.state();
    let teacher = caller.has_any(&["teacher"]) && review.teacher_signed_by.is_empty();
    let coordinator = caller.has_any(&["coordinator", "program_manager"]) && review.coordinator_signed_by.is_empty();
    Head {
        title: format!("{class_title}: {}", words::review_of_season(review.season())),
        path: format!("/reviews/{}", review.class_review_id),
        done: review.done_count,
        total: review.student_count,
        later: students.iter().filter(|student| !is_finished(student) && is_put_off(student, later)).count(),
        left: students.iter().filter(|student| student.state() == StudentReviewState::Left).count(),
        added: review.added_count,
        minutes: minutes(review.active_seconds, review.done_count),
        because: review.reason.clone(),
        amending: review.reopen_count > 0,
        to_do: review.student_count - review.done_count,
        state: words::class_review_state(state),
        signatures,
        may_submit: matches!(state, ClassReviewState::InProgress | ClassReviewState::Paused),
        may_pause: state == ClassReviewState::InProgress,
        may_resume: state == ClassReviewState::Paused,
        may_reopen: state == ClassReviewState::Complete && caller.has_any(&["coordinator", "program_manager"]),
        may_sign: state == ClassReviewState::AwaitingSignoff && (teacher || coordinator),
        may_sign_instead: state == ClassReviewState::AwaitingSignoff && review.teacher_signed_by.is_empty() && caller.has_any(&["principal"]),
        version: review.version,
        request_id: fresh_id(),
        refresh_id: fresh_id(),
        submit_id: fresh_id(),
    }
}

/// Minutes of work so far, and about how many a student took.
pub fn minutes(seconds: i32, done: i32) -> String {
    if seconds < 60 {
        return String::new();
    }
    let so_far = format!("{} min so far", seconds / 60);
    if done < 1 {
        return so_far;
    }
    let halves = (f64::from(seconds) / 30.0 / f64::from(done)).round();
    let whole = (halves / 2.0).floor();
    match (whole as i64, halves % 2.0 > 0.5) {
        (0, false) => format!("{so_far}, under ½ each"),
        (0, true) => format!("{so_far}, about ½ each"),
        (whole, false) => format!("{so_far}, about {whole} each"),
        (whole, true) => format!("{so_far}, about {whole}½ each"),
    }
}

fn is_put_off(student: &StudentReview, later: &HashSet<Uuid>) -> bool {
    Uuid::parse_str(&student.student_id).is_ok_and(|id| later.contains(&id))
}

/// Whether nothing more is to do for a student.
pub fn is_finished(student: &StudentReview) -> bool {
    matches!(student.state(), StudentReviewState::Reviewed | StudentReviewState::Amended | StudentReviewState::NotReviewed | StudentReviewState::Left)
}

/// The list of students.
pub fn roster(review_id: &str, students: &[StudentReview], names: &HashMap<String, Student>, later: &HashSet<Uuid>, current: &str) -> Vec<RosterLine> {
    students
        .iter()
        .map(|student| {
            let now = student.student_id == current;
            let (class, icon, mark, words) = match student.state() {
                StudentReviewState::Reviewed => ("is-done", "check", "", "reviewed"),
                StudentReviewState::Amended => ("is-done", "check", "amended", "reviewed, amended since"),
                StudentReviewState::NotReviewed => ("is-done", "x", "not", "not reviewed, with a reason"),
                StudentReviewState::Left => ("is-left", "left", "left", "left the class"),
                _ if is_put_off(student, later) => ("is-later", "later", "later", "put off for later"),
                _ if student.added => ("is-added", "added", "added", "joined the class later, not yet reviewed"),
                StudentReviewState::InProgress => ("is-todo", "todo", "begun", "begun, not yet reviewed"),
                _ => ("is-todo", "todo", "", "not yet reviewed"),
            };
            RosterLine {
                href: format!("/reviews/{review_id}/students/{}", student.student_id),
                student_id: student.student_id.clone(),
                name: name_of(names, &student.student_id),
                class: if now { "is-now" } else { class },
                icon: if now { "now" } else { icon },
                mark: if now { "now" } else { mark },
                words: if now { "in review now" } else { words },
                current: now,
            }
        })
        .collect()
}

/// A student's name; words where the roster does not give one.
pub fn name_of(names: &HashMap<String, Student>, id: &str) -> String {
    names.get(id).map_or_else(|| "A student no longer in this class".to_owned(), |student| student.display_name.clone())
}

/// The next student to work on after one: the next open one in order, those put off last.
pub fn next_open(students: &[StudentReview], later: &HashSet<Uuid>, after: &str) -> Option<String> {
    let at = students.iter().position(|student| student.student_id == after).map_or(0, |at| at + 1);
    let in_order = || students[at..].iter().chain(&students[..at.min(students.len())]);
    let open = |student: &&StudentReview| !is_finished(student) && student.student_id != after;
    in_order().filter(open).find(|student| !is_put_off(student, later)).or_else(|| in_order().find(open)).map(|student| student.student_id.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn student(number: u128, state: StudentReviewState) -> StudentReview {
        StudentReview { student_id: Uuid::from_u128(number).to_string(), state: state.into(), ..Default::default() }
    }

    #[test]
    fn the_minutes_are_those_measured() {
        assert_eq!(minutes(30, 3), "");
        assert_eq!(minutes(31 * 60, 12), "31 min so far, about 2½ each");
        assert_eq!(minutes(120, 0), "2 min so far");
        assert_eq!(minutes(60, 20), "1 min so far, under ½ each");
    }

    #[test]
    fn the_next_student_is_the_next_open_one_and_those_put_off_come_last() {
        use StudentReviewState as S;
        let students = [student(1, S::Pending), student(2, S::Reviewed), student(3, S::InProgress), student(4, S::Pending), student(5, S::Left)];
        let id = |number: u128| Uuid::from_u128(number).to_string();
        assert_eq!(next_open(&students, &HashSet::new(), &id(1)), Some(id(3)));
        assert_eq!(next_open(&students, &HashSet::new(), &id(4)), Some(id(1)));
        let later = HashSet::from([Uuid::from_u128(3)]);
        assert_eq!(next_open(&students, &later, &id(1)), Some(id(4)));
        assert_eq!(next_open(&students[2..3], &later, ""), Some(id(3)));
        assert_eq!(next_open(&students[1..2], &HashSet::new(), ""), None);
    }
}
