//! What concerns show: pure functions from the services' answers.

use std::collections::HashMap;

use askama::Template;
use proto::reviews::v1::{Concern, ConcernState, ConcernUrgency};
use proto::r#type::v1::Sensitivity;

use crate::frame::Shell;
use crate::lookup::{CodeList, is_restricted, name_in};
use crate::words::{self, DomainWords};

use super::words as ours;

/// A concern as a line and as a page.
pub struct ConcernView {
    /// Concern.
    pub id: String,
    /// Student.
    pub student_id: String,
    /// Name of the student.
    pub who: String,
    /// One line: urgency, who said so, what it may be.
    pub words: String,
    /// When an answer is due, or how it ended.
    pub due: String,
    /// Whether that is past or today and urgent.
    pub late: bool,
    /// Urgent.
    pub urgent: bool,
    /// State in words.
    pub state: &'static str,
    /// Style.
    pub tag: &'static str,
    /// Waits for triage.
    pub raised: bool,
    /// Waits to be closed.
    pub triaged: bool,
    /// Closed to most: its content is opened by an act that is recorded.
    pub restricted: bool,
    /// `restricted` or `protected`; empty for general ones.
    pub sensitivity: &'static str,
    /// What was seen or said.
    pub text: String,
    /// Domain.
    pub domain: Option<DomainWords>,
    /// What it may be.
    pub label: String,
    /// Who raised it, when.
    pub raised_by: String,
    /// What triage decided, who and when; empty before.
    pub decided: String,
    /// Words of triage.
    pub triage_note: String,
    /// How it ended.
    pub close_note: String,
    /// Individual review that was opened; empty where none.
    pub individual_review_id: String,
    /// For the next write.
    pub version: i64,
}

/// What views are written with.
pub struct Around<'a> {
    /// Names of students.
    pub students: &'a HashMap<String, String>,
    /// Names of staff.
    pub staff: &'a HashMap<String, String>,
    /// Code list.
    pub codes: &'a CodeList,
    /// Seconds since the epoch.
    pub now: i64,
}

/// One concern.
pub fn view(concern: &Concern, around: &Around<'_>) -> ConcernView {
    let urgent = concern.urgency() == ConcernUrgency::Urgent;
    let open = concern.state() == ConcernState::Raised;
    let due_at = concern.due_time.as_ref().map_or(i64::MAX, |time| time.seconds);
    let by = |id: &String| around.staff.get(id).map(|name| format!(" by {name}")).unwrap_or_default();
    let raised_by = format!("raised {}{}", words::day_of(concern.raise_time.as_ref()), by(&concern.raised_by));
    let label = if concern.code.is_empty() { String::new() } else { around.codes.label(&concern.code) };
    let late = open && (urgent || due_at < around.now);
    let due = if !open {
        format!("{}, {raised_by}", words::sentence(ours::state(concern.state())))
    } else if urgent {
        format!("Answer today, {raised_by}")
    } else if due_at < around.now {
        format!("Answer was due {}, {raised_by}", words::day_of(concern.due_time.as_ref()))
    } else {
        format!("Answer by {}, {raised_by}", words::day_of(concern.due_time.as_ref()))
    };
    let sensitivity = match concern.sensitivity() {
        Sensitivity::Restricted => "restricted",
        Sensitivity::Protected => "protected",
        Sensitivity::General | Sensitivity::Unspecified => "",
    };
    let restricted = is_restricted(concern.sensitivity());
    let mut parts = vec![format!("{} {}", if urgent { "urgent concern" } else { "concern" }, ours::source(concern.source()))];
    if !label.is_empty() && !restricted {
        parts.push(words::within(&label));
    }
    ConcernView {
        id: concern.concern_id.clone(),
        student_id: concern.student_id.clone(),
        who: name_in(around.students, &concern.student_id),
        words: parts.join(": "),
        due,
        late,
        urgent,
        state: ours::state(concern.state()),
        tag: ours::tag(concern.state()),
        raised: open,
        triaged: concern.state() == ConcernState::Triaged,
        restricted,
        sensitivity,
        text: concern.text.clone(),
        domain: words::domain(concern.domain()),
        label,
        raised_by: words::sentence(&raised_by),
        decided: if concern.triage_time.is_some() {
            format!("{}, {}{}", ours::decision(concern.triage()), words::day_of(concern.triage_time.as_ref()), by(&concern.triaged_by))
        } else {
            String::new()
        },
        triage_note: concern.triage_note.clone(),
        close_note: concern.close_note.clone(),
        individual_review_id: concern.individual_review_id.clone(),
        version: concern.version,
    }
}

/// One concern, open or with its content closed.
#[derive(Template)]
#[template(path = "concern/page.html")]
pub struct ConcernPage {
    /// Around it.
    pub shell: Shell,
    /// Its own path, for forms.
    pub here: String,
    /// The concern.
    pub concern: ConcernView,
    /// Whether its content is shown.
    pub opened: bool,
    /// Whether the caller may answer; the service decides.
    pub answers: bool,
    /// Why the caller sees this.
    pub basis: String,
}

/// Concerns that wait.
#[derive(Template)]
#[template(path = "concern/list.html")]
pub struct ConcernListPage {
    /// Around it.
    pub shell: Shell,
    /// Concerns, those due first.
    pub concerns: Vec<ConcernView>,
    /// Whether closed ones are shown too.
    pub all: bool,
    /// Why the caller sees this.
    pub basis: String,
}

/// A domain's codes to choose from.
pub struct CodeGroup {
    /// Domain.
    pub name: &'static str,
    /// Code and label.
    pub codes: Vec<(String, String)>,
}

/// The form.
#[derive(Template)]
#[template(path = "concern/raise.html")]
pub struct RaisePage {
    /// Around it.
    pub shell: Shell,
    /// Where forms come back to.
    pub here: String,
    /// Student.
    pub student_id: String,
    /// Name of the student.
    pub who: String,
    /// Codes of needs by domain.
    pub groups: Vec<CodeGroup>,
    /// Id of the concern.
    pub concern_id: String,
}

/// After it was raised: the district's crisis instruction first.
#[derive(Template)]
#[template(path = "concern/raised.html")]
pub struct RaisedPage {
    /// Around it.
    pub shell: Shell,
    /// Student.
    pub student_id: String,
    /// Name of the student.
    pub who: String,
    /// What the district wants done first.
    pub crisis_instruction: String,
    /// The concern, where the caller may read it.
    pub concern_id: String,
}

/// Codes of needs by domain.
pub fn code_groups(codes: &CodeList) -> Vec<CodeGroup> {
    words::DOMAINS
        .into_iter()
        .map(|domain| CodeGroup {
            name: domain.name,
            codes: codes.codes.iter().filter(|code| code.need && code.domain() == domain.domain).map(|code| (code.code.clone(), code.label.clone())).collect(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_urgent_concern_is_answered_today_and_a_restricted_one_says_no_more_than_that() {
        let codes = CodeList::default();
        let (students, staff) = (HashMap::new(), HashMap::new());
        let around = Around { students: &students, staff: &staff, codes: &codes, now: 100 };
        let concern = Concern {
            state: ConcernState::Raised.into(),
            urgency: ConcernUrgency::Urgent.into(),
            code: "SEB-BUL".into(),
            sensitivity: Sensitivity::Restricted.into(),
            ..Default::default()
        };
        let shown = view(&concern, &around);
        assert!(shown.late && shown.urgent && shown.restricted);
        assert_eq!(shown.words, "urgent concern from staff");
        assert!(shown.due.starts_with("Answer today"));
        let routine = Concern { state: ConcernState::Closed.into(), ..Default::default() };
        assert!(!view(&routine, &around).late);
    }
}
