//! What follow-ups show: pure functions from the services' answers.

use std::collections::HashMap;

use askama::Template;
use proto::plans::v1::{FollowUp, FollowUpState};

use crate::frame::Shell;
use crate::lookup::{is_restricted, name_in};
use crate::words;

use super::words as ours;

/// A follow-up as a line.
pub struct FollowUpLine {
    /// Follow-up.
    pub id: String,
    /// Student.
    pub student_id: String,
    /// Name of the student.
    pub who: String,
    /// What to do and to know.
    pub words: String,
    /// When, in words.
    pub due: String,
    /// Whether that is past.
    pub late: bool,
    /// Why it is there and who has it.
    pub meta: String,
    /// Whether it is still to do.
    pub open: bool,
    /// How it ended; empty while open.
    pub ended: String,
    /// Whether it is closed to most.
    pub restricted: bool,
    /// For the next write.
    pub version: i64,
}

/// Names and the day that lines are written with.
pub struct Around<'a> {
    /// Names of students.
    pub students: &'a HashMap<String, String>,
    /// Names of staff.
    pub staff: &'a HashMap<String, String>,
    /// Today, ISO.
    pub today: &'a str,
}

/// A due day in words, and whether it is past.
pub fn due(on: &str, today: &str) -> (String, bool) {
    let parse = |iso: &str| chrono::NaiveDate::parse_from_str(iso, "%Y-%m-%d").ok();
    match (parse(on), parse(today)) {
        (Some(on), Some(today)) => match (on - today).num_days() {
            0 => ("Due today".to_owned(), false),
            1 => ("Due tomorrow".to_owned(), false),
            -1 => ("1 day late".to_owned(), true),
            days if days < 0 => (format!("{} days late", -days), true),
            _ => (format!("Due {}", on.format("%-d %b %Y")), false),
        },
        _ => ("No date".to_owned(), false),
    }
}

/// One line.
pub fn line(follow_up: &FollowUp, around: &Around<'_>) -> FollowUpLine {
    let open = matches!(follow_up.state(), FollowUpState::Open | FollowUpState::Snoozed | FollowUpState::Unspecified);
    let (when, late) = due(&follow_up.due_on, around.today);
    let mut meta: Vec<String> = Vec::new();
    if follow_up.state() == FollowUpState::Snoozed {
        meta.push("put off".to_owned());
    }
    let raised = ours::raised_as(&follow_up.raised_as);
    if !raised.is_empty() {
        meta.push(raised.to_owned());
    }
    if let Some(name) = around.staff.get(&follow_up.owner_id) {
        meta.push(format!("with {name}"));
    }
    if follow_up.nudge_time.is_some() {
        meta.push(format!("reminded {}", words::day_of(follow_up.nudge_time.as_ref())));
    }
    let mut text = words::within(ours::kind(follow_up.kind()));
    if !follow_up.note.is_empty() {
        text = format!("{text}: {}", follow_up.note);
    }
    let mut ended = String::new();
    if !open {
        ended = format!("{} {}", words::sentence(ours::state(follow_up.state())), words::day_of(follow_up.close_time.as_ref()));
        if let Some(name) = around.staff.get(&follow_up.closed_by) {
            ended.push_str(&format!(" by {name}"));
        }
        if !follow_up.result.is_empty() && follow_up.result != "done" {
            ended.push_str(&format!(": {}", words::within(&words::label(ours::RESULTS, &follow_up.result))));
        }
        if !follow_up.result_note.is_empty() {
            ended.push_str(&format!(". {}", follow_up.result_note));
        }
    }
    FollowUpLine {
        id: follow_up.follow_up_id.clone(),
        student_id: follow_up.student_id.clone(),
        who: name_in(around.students, &follow_up.student_id),
        words: text,
        due: when,
        late: late && open,
        meta: meta.join(" · "),
        open,
        ended,
        restricted: is_restricted(follow_up.sensitivity()),
        version: follow_up.version,
    }
}

/// The list.
#[derive(Template)]
#[template(path = "follow_up/page.html")]
pub struct FollowUpPage {
    /// Around it.
    pub shell: Shell,
    /// Its own path, for forms.
    pub here: String,
    /// Lines, those due first.
    pub lines: Vec<FollowUpLine>,
    /// Staff to hand on to.
    pub colleagues: Vec<(String, String)>,
    /// Whose are shown: `mine` or `school`.
    pub show: String,
    /// Whether those of the school can be shown.
    pub by_school: bool,
    /// Whether ended ones are shown too.
    pub all: bool,
    /// The day a week from now, ISO.
    pub next_week: String,
    /// Tomorrow, ISO.
    pub tomorrow: String,
    /// Why the caller sees this.
    pub basis: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_due_day_is_said_in_words() {
        assert_eq!(due("2026-10-22", "2026-10-22"), ("Due today".to_owned(), false));
        assert_eq!(due("2026-10-21", "2026-10-22"), ("1 day late".to_owned(), true));
        assert_eq!(due("2026-10-12", "2026-10-22"), ("10 days late".to_owned(), true));
        assert_eq!(due("2026-10-30", "2026-10-22"), ("Due 30 Oct 2026".to_owned(), false));
        assert_eq!(due("", "2026-10-22").0, "No date");
    }

    #[test]
    fn a_line_says_what_came_of_it() {
        let follow_up = FollowUp {
            state: FollowUpState::Done.into(),
            due_on: "2026-10-01".into(),
            result: "going_well".into(),
            result_note: "She reads at home".into(),
            ..Default::default()
        };
        let (students, staff) = (HashMap::new(), HashMap::new());
        let line = line(&follow_up, &Around { students: &students, staff: &staff, today: "2026-10-22" });
        assert!(!line.open && !line.late);
        assert!(line.ended.contains("it is going well. She reads at home"), "{}", line.ended);
        assert_eq!(line.who, "A student you support");
    }
}
