//! What the list of classes shows.

use std::collections::HashMap;

use askama::Template;
use proto::reviews::v1::{ClassReview, ClassReviewState, ReviewCycle, Season};
use proto::rosters::v1::{ListClassesResponse, School};

use crate::form::fresh_id;
use crate::frame::Shell;
use crate::words;

/// A class and its review.
#[derive(Debug, Clone)]
pub struct ClassLine {
    /// Class.
    pub class_id: String,
    /// Title.
    pub title: String,
    /// Grades in words.
    pub grades: String,
    /// Review; empty where there is none.
    pub review_id: String,
    /// Reviewed or not reviewed with a reason.
    pub done: i32,
    /// Of how many.
    pub students: i32,
    /// State in words.
    pub state: &'static str,
    /// Style of the state.
    pub tag: &'static str,
    /// What the one button says; empty where there is nothing to do but look.
    pub act: &'static str,
    /// Day and minutes that are booked, in words; empty where none.
    pub booked: String,
    /// Whether it can be booked.
    pub may_book: bool,
    /// Id under which a start is sent.
    pub request_id: String,
}

/// A school to choose.
#[derive(Debug, Clone)]
pub struct Choice {
    /// Value.
    pub value: String,
    /// Words.
    pub words: String,
    /// Whether it is chosen.
    pub chosen: bool,
}

/// The page.
#[derive(Template)]
#[template(path = "class_list/page.html")]
pub struct ClassListPage {
    /// Around it.
    pub shell: Shell,
    /// Schools to choose from, where there are several.
    pub schools: Vec<Choice>,
    /// Which classes are shown.
    pub shown: Vec<Choice>,
    /// Season in words; empty where none is open.
    pub season: String,
    /// Window in words.
    pub window: String,
    /// Classes.
    pub classes: Vec<ClassLine>,
    /// Classes that are complete or to sign.
    pub finished: usize,
    /// All classes, whatever is shown.
    pub all: usize,
    /// Why the caller sees this.
    pub basis: String,
}

/// Puts the answers together.
pub fn list(
    shell: Shell,
    schools: &[School],
    school_id: &str,
    show: &str,
    classes: ListClassesResponse,
    cycle: Option<ReviewCycle>,
    reviews: Vec<ClassReview>,
) -> ClassListPage {
    let by_class: HashMap<&str, &ClassReview> = reviews.iter().map(|review| (review.class_id.as_str(), review)).collect();
    let lines: Vec<ClassLine> = classes
        .classes
        .iter()
        .map(|class| {
            let review = by_class.get(class.class_id.as_str()).copied();
            line(class, review)
        })
        .collect();
    let all = lines.len();
    let finished = lines.iter().filter(|line| matches!(line.state, "complete" | "to sign")).count();
    let keeps = |line: &ClassLine| match show {
        "todo" => !matches!(line.state, "complete" | "to sign"),
        "sign" => line.state == "to sign",
        "done" => line.state == "complete",
        _ => true,
    };
    let shown = [("", "All classes"), ("todo", "Still to review"), ("sign", "To sign"), ("done", "Complete")]
        .into_iter()
        .map(|(value, words)| Choice { value: value.to_owned(), words: words.to_owned(), chosen: value == show })
        .collect();
    ClassListPage {
        shell,
        schools: schools
            .iter()
            .map(|school| Choice { value: school.school_id.clone(), words: school.name.clone(), chosen: school.school_id == school_id })
            .collect(),
        shown,
        season: cycle.as_ref().map(season).unwrap_or_default(),
        window: cycle.as_ref().map(|cycle| format!("{} to {}", words::day(&cycle.opens_on), words::day(&cycle.closes_on))).unwrap_or_default(),
        classes: lines.into_iter().filter(keeps).collect(),
        finished,
        all,
        basis: words::basis(&classes.access_basis),
    }
}

/// A cycle in words.
pub fn season(cycle: &ReviewCycle) -> String {
    let name = match cycle.season() {
        Season::Fall => "Fall review",
        Season::Spring => "Spring review",
        Season::Custom | Season::Unspecified => "Review",
    };
    format!("{name} {}", crate::words::school_year(cycle.school_year))
}

fn line(class: &proto::rosters::v1::Class, review: Option<&ClassReview>) -> ClassLine {
    let state = review.map_or(ClassReviewState::Unspecified, ClassReview::state);
    let (tag, act) = match state {
        ClassReviewState::Unspecified | ClassReviewState::Cancelled => ("", "Start review"),
        ClassReviewState::Scheduled => ("", "Start review"),
        ClassReviewState::InProgress => ("info", "Continue"),
        ClassReviewState::Paused => ("warn", "Continue"),
        ClassReviewState::AwaitingSignoff => ("warn", "Read and sign"),
        ClassReviewState::Complete => ("ok", "Look at it"),
    };
    let grades: Vec<String> = class.grades.iter().map(|code| words::grade(code)).collect();
    ClassLine {
        class_id: class.class_id.clone(),
        title: class.title.clone(),
        grades: grades.join(", "),
        review_id: review.map(|review| review.class_review_id.clone()).unwrap_or_default(),
        done: review.map_or(0, |review| review.done_count),
        // A booked review has no students yet: they are taken from the roster on the day.
        students: review.filter(|review| review.student_count > 0).map_or(class.student_count, |review| review.student_count),
        state: words::class_review_state(state),
        tag,
        act,
        booked: review.filter(|_| state == ClassReviewState::Scheduled).map(booked).unwrap_or_default(),
        may_book: matches!(state, ClassReviewState::Unspecified | ClassReviewState::Cancelled),
        request_id: fresh_id(),
    }
}

fn booked(review: &ClassReview) -> String {
    match (review.scheduled_on.as_str(), review.booked_minutes) {
        ("", _) => String::new(),
        (day, 0) => words::day(day),
        (day, minutes) => format!("{}, {minutes} min", words::day(day)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proto::rosters::v1::Class;

    fn classes() -> ListClassesResponse {
        let class = |id: &str| Class { class_id: id.into(), title: format!("Room {id}"), student_count: 20, ..Default::default() };
        ListClassesResponse { classes: vec![class("a"), class("b")], access_basis: "class_teacher".into(), ..Default::default() }
    }

    fn review() -> ClassReview {
        ClassReview {
            class_review_id: "r".into(),
            class_id: "b".into(),
            state: ClassReviewState::InProgress.into(),
            student_count: 21,
            done_count: 12,
            ..Default::default()
        }
    }

    #[test]
    fn each_class_has_one_obvious_action() {
        let page = list(Shell::bare(None, "t"), &[], "", "", classes(), None, vec![review()]);
        assert_eq!((page.classes[0].act, page.classes[0].students), ("Start review", 20));
        assert_eq!((page.classes[1].act, page.classes[1].done, page.classes[1].students), ("Continue", 12, 21));
        assert_eq!(page.basis, "You see this because you teach this class.");
        let html = page.render().unwrap();
        assert!(html.contains("12 of 21"));
        assert!(html.contains("/reviews/r"));
    }

    #[test]
    fn the_filter_leaves_out_what_is_not_asked_for() {
        let page = list(Shell::bare(None, "t"), &[], "", "sign", classes(), None, vec![review()]);
        assert!(page.classes.is_empty());
        assert_eq!(page.all, 2);
    }
}
