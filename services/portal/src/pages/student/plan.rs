//! The plan of a student as its tab shows it: header, family, goals, suggestions, check-ins, promises.

use std::collections::HashMap;

use proto::plans::v1::{CheckIn, Commitment, FamilyAnswer, FamilyResponse, GetPlanResponse, Goal, GoalMeasure, GoalState, ItemSuggestion, OwnerKind};

use crate::lookup::{CodeList, is_restricted, service_category_label};
use crate::words::{self, Choices, DomainWords};

use super::items::{Move, moves};

/// Answers of a family, in forms.
pub const RESPONSES: Choices = &[
    ("agreed", "They agreed"),
    ("agreed_in_part", "They agreed to part of it"),
    ("shared", "It was shared; no answer needed"),
    ("asked_changes", "They asked for changes"),
    ("declined", "They said no"),
    ("no_reply", "They did not answer by the date"),
];

/// How a family was asked, in forms.
pub const CHANNELS: Choices = &[
    ("call", "Call"),
    ("interpreter_call", "Call with an interpreter"),
    ("in_person", "In person"),
    ("text", "Text"),
    ("email", "Email"),
    ("letter", "Letter"),
];

/// What goals are measured by, in forms.
pub const MEASURES: Choices = &[
    ("attendance", "Attendance"),
    ("behaviour", "Behavior"),
    ("coursework", "Coursework"),
    ("social_emotional", "Feelings and relationships"),
    ("health", "Health"),
    ("family", "Family"),
    ("other", "Something else"),
];

/// How a first step is made easy, in forms.
pub const HANDOFFS: Choices = &[
    ("unspecified", "No help with the first step"),
    ("call_together", "Call together"),
    ("escorted", "Somebody goes along"),
    ("appointment_made", "The appointment is made"),
    ("transport_arranged", "Transport is arranged"),
];

/// What the family answered.
pub fn family_response(response: FamilyResponse) -> &'static str {
    match response {
        FamilyResponse::Unspecified => "Not asked yet",
        FamilyResponse::Shared => "Shared with the family",
        FamilyResponse::Agreed => "Agreed by the family",
        FamilyResponse::AgreedInPart => "Agreed in part",
        FamilyResponse::AskedChanges => "The family asked for changes",
        FamilyResponse::Declined => "The family said no",
        FamilyResponse::NoReply => "No answer from the family",
    }
}

/// A point of a chart.
pub struct Dot {
    /// Across.
    pub x: i32,
    /// Down.
    pub y: i32,
    /// The newest.
    pub last: bool,
}

/// A goal with its chart.
pub struct GoalView {
    /// Goal.
    pub id: String,
    /// What is to be.
    pub words: String,
    /// Domain.
    pub domain: Option<DomainWords>,
    /// Measure, target, where it is now.
    pub meta: String,
    /// `x,y x,y`.
    pub line: String,
    /// Points.
    pub dots: Vec<Dot>,
    /// Where the target is.
    pub target_y: i32,
    /// The target as text.
    pub target: String,
    /// The chart in a sentence.
    pub label: String,
    /// State in words.
    pub state: &'static str,
    /// What can happen.
    pub moves: Vec<Move>,
    /// Whether points are added.
    pub open: bool,
    /// Points of the scale 0 to 4.
    pub on_scale: bool,
    /// Closed to most.
    pub restricted: bool,
    /// Notes, newest first.
    pub notes: Vec<String>,
    /// For the next write.
    pub version: i64,
}

/// An answer of the family.
pub struct AnswerLine {
    /// Answer and day.
    pub words: String,
    /// Their words.
    pub quote: String,
    /// How and who heard it.
    pub meta: String,
}

/// Something that could be added.
pub struct SuggestionView {
    /// What.
    pub words: String,
    /// Why.
    pub why: String,
    /// Whether it is shown as a warning only.
    pub warning: bool,
    /// For the form.
    pub need_ids: Vec<String>,
    /// For the form.
    pub builds_on: Vec<String>,
    /// For the form.
    pub category: String,
    /// For the form.
    pub kind: String,
    /// For the form.
    pub owner: &'static str,
    /// Id of the item that it becomes.
    pub item_id: String,
}

/// A regular check-in.
pub struct CheckInView {
    /// Check-in.
    pub id: String,
    /// Who with whom, how often.
    pub words: String,
    /// How often it happened.
    pub kept: String,
    /// Notes, newest first: day and words.
    pub notes: Vec<(String, String)>,
    /// Whether it goes on.
    pub open: bool,
}

/// A promise.
pub struct CommitmentView {
    /// Promise.
    pub id: String,
    /// Who promises.
    pub who: String,
    /// What.
    pub text: String,
    /// Until when.
    pub due: String,
    /// State.
    pub state: String,
    /// Whether it can be kept or dropped.
    pub open: bool,
    /// For the next write.
    pub version: i64,
}

/// An adult whom the student can go to.
pub struct AdultView {
    /// Name or relation.
    pub who: String,
    /// When and where.
    pub note: String,
}

/// The tab.
#[derive(Default)]
pub struct PlanView {
    /// Who leads it.
    pub lead: String,
    /// For the form.
    pub lead_id: String,
    /// The family's words.
    pub family_words: String,
    /// Whose.
    pub family_words_by: String,
    /// When to look next, in words.
    pub next_look: String,
    /// The same, ISO.
    pub next_look_on: String,
    /// Languages, with commas.
    pub languages: String,
    /// What the family answered last.
    pub response: &'static str,
    /// Style of that.
    pub response_tag: &'static str,
    /// Answers, newest first.
    pub answers: Vec<AnswerLine>,
    /// Goals.
    pub goals: Vec<GoalView>,
    /// Suggestions.
    pub suggestions: Vec<SuggestionView>,
    /// Check-ins.
    pub check_ins: Vec<CheckInView>,
    /// Promises.
    pub commitments: Vec<CommitmentView>,
    /// Trusted adults.
    pub adults: Vec<AdultView>,
    /// Items closed to this caller.
    pub closed_items: i32,
}

/// From the services' answers.
pub fn view(answer: &GetPlanResponse, suggestions: &[ItemSuggestion], codes: &CodeList, staff: &HashMap<String, String>) -> PlanView {
    let plan = answer.plan.clone().unwrap_or_default();
    let name = |id: &str| staff.get(id).cloned().unwrap_or_default();
    PlanView {
        lead: name(&plan.lead_id),
        next_look: words::day(&plan.next_look_on),
        languages: plan.languages.join(", "),
        response: family_response(plan.family_response()),
        response_tag: match plan.family_response() {
            FamilyResponse::Agreed | FamilyResponse::Shared => "ok",
            FamilyResponse::AgreedInPart | FamilyResponse::AskedChanges => "info",
            FamilyResponse::Declined | FamilyResponse::NoReply => "warn",
            FamilyResponse::Unspecified => "",
        },
        answers: answer.family_answers.iter().map(|one| answer_line(one, staff)).collect(),
        goals: answer.goals.iter().map(goal).collect(),
        suggestions: suggestions.iter().map(|one| suggestion(one, answer, codes)).collect(),
        check_ins: answer.check_ins.iter().map(|one| check_in(one, staff)).collect(),
        commitments: answer.commitments.iter().map(|one| commitment(one, staff)).collect(),
        adults: plan
            .trusted_adults
            .iter()
            .map(|adult| AdultView {
                who: if adult.relation.is_empty() {
                    staff.get(&adult.staff_id).cloned().unwrap_or_else(|| "A member of staff".to_owned())
                } else {
                    words::sentence(&adult.relation)
                },
                note: adult.note.clone(),
            })
            .collect(),
        closed_items: answer.closed_item_count,
        lead_id: plan.lead_id,
        family_words: plan.family_words,
        family_words_by: plan.family_words_by,
        next_look_on: plan.next_look_on,
    }
}

fn answer_line(answer: &FamilyAnswer, staff: &HashMap<String, String>) -> AnswerLine {
    let mut meta = vec![words::within(&words::label(CHANNELS, &answer.channel))];
    if !answer.language.is_empty() {
        meta.push(format!("in {}", answer.language));
    }
    if answer.interpreter {
        meta.push("with an interpreter".to_owned());
    }
    if let Some(name) = staff.get(&answer.recorded_by) {
        meta.push(format!("heard by {name}"));
    }
    AnswerLine {
        words: format!("{}, {}", family_response(answer.response()), words::day(&answer.answered_on)),
        quote: answer.words.clone(),
        meta: words::sentence(&meta.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ")),
    }
}

fn number(value: f64) -> String {
    if value.fract().abs() < 0.005 { format!("{value:.0}") } else { format!("{value:.1}") }
}

const LEFT: f64 = 8.0;
const RIGHT: f64 = 146.0;
const FLOOR: f64 = 34.0;
const CEILING: f64 = 6.0;
const MOST_POINTS: usize = 12;

fn goal(goal: &Goal) -> GoalView {
    let points: Vec<f64> = goal.progress.iter().map(|point| point.value).collect();
    let points = &points[points.len().saturating_sub(MOST_POINTS)..];
    let most = if goal.on_scale { 4.0 } else { points.iter().copied().fold(goal.target.max(goal.baseline).max(1.0), f64::max) };
    let y = |value: f64| (FLOOR - (value / most).clamp(0.0, 1.0) * (FLOOR - CEILING)).round() as i32;
    let step = if points.len() > 1 { ((RIGHT - LEFT) / (points.len() - 1) as f64).min(26.0) } else { 0.0 };
    let dots: Vec<Dot> =
        points.iter().enumerate().map(|(at, value)| Dot { x: (LEFT + step * at as f64).round() as i32, y: y(*value), last: at + 1 == points.len() }).collect();
    let unit = if goal.on_scale { "0 to 4".to_owned() } else { goal.unit.clone() };
    let now = points.last().map_or_else(|| format!("Starts at {}", number(goal.baseline)), |value| format!("Now {}", number(*value)));
    let measure = MEASURES
        .iter()
        .find(|(value, _)| GoalMeasure::from_str_name(&format!("GOAL_MEASURE_{}", value.to_uppercase())) == Some(goal.measure()))
        .map_or("", |(_, words)| words);
    let said: Vec<String> = points.iter().map(|value| number(*value)).collect();
    GoalView {
        id: goal.goal_id.clone(),
        words: goal.description.clone(),
        domain: words::domain(goal.domain()),
        meta: format!("{measure}, {unit}, target {} by {}. {now}.", number(goal.target), words::day(&goal.target_on)),
        line: dots.iter().map(|dot| format!("{},{}", dot.x, dot.y)).collect::<Vec<_>>().join(" "),
        dots,
        target_y: y(goal.target),
        target: number(goal.target),
        label: if said.is_empty() {
            format!("No progress noted yet. Target {}.", number(goal.target))
        } else {
            format!("Progress: {}. Target {}.", said.join(", "), number(goal.target))
        },
        state: match goal.state() {
            GoalState::Unspecified | GoalState::Open => "being worked on",
            GoalState::Met => "met",
            GoalState::PartlyMet => "partly met",
            GoalState::NotMet => "not met",
            GoalState::Dropped => "given up for something that matters more",
        },
        moves: match goal.state() {
            GoalState::Unspecified | GoalState::Open => moves(&[("meet", "Met"), ("partly_meet", "Partly met"), ("miss", "Not met"), ("drop", "Give it up")]),
            _ => moves(&[("reopen", "Open again")]),
        },
        open: matches!(goal.state(), GoalState::Unspecified | GoalState::Open),
        on_scale: goal.on_scale,
        restricted: is_restricted(goal.sensitivity()),
        notes: goal
            .progress
            .iter()
            .rev()
            .filter(|point| !point.note.is_empty())
            .take(3)
            .map(|point| format!("{}: {}", words::day(&point.observed_on), point.note))
            .collect(),
        version: goal.version,
    }
}

fn suggestion(one: &ItemSuggestion, answer: &GetPlanResponse, codes: &CodeList) -> SuggestionView {
    let needs: Vec<String> =
        answer.needs.iter().filter(|need| one.need_ids.contains(&need.need_id)).map(|need| words::within(&codes.label(&need.code))).collect();
    let code = codes.label(&one.because);
    let why = match one.reason.as_str() {
        "usual_for_code" => format!("The code list names it for {}.", words::within(&code)),
        "helped_last_year" => "It helped this student last year.".to_owned(),
        "builds_on_interest" => format!("It builds on an interest: {}.", words::within(&code)),
        "did_not_help_last_year" => "It did not help last year. Talk about what to do in another way before it is tried again.".to_owned(),
        other => other.replace('_', " "),
    };
    let kind = one.kind().as_str_name().trim_start_matches("PLAN_ITEM_KIND_").to_lowercase();
    let label = service_category_label(&one.service_category);
    SuggestionView {
        words: if needs.is_empty() { label } else { format!("{label}, for {}", needs.join(", ")) },
        why,
        warning: one.reason == "did_not_help_last_year",
        need_ids: one.need_ids.clone(),
        builds_on: one.builds_on_codes.clone(),
        category: one.service_category.clone(),
        owner: match kind.as_str() {
            "referral" => "partner",
            "home_strategy" | "family_action" => "family",
            _ => "staff",
        },
        kind,
        item_id: crate::form::fresh_id(),
    }
}

fn check_in(one: &CheckIn, staff: &HashMap<String, String>) -> CheckInView {
    const DAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
    let with = if one.with == "student" { "the student" } else { "the family" };
    let who = staff.get(&one.staff_id).cloned().unwrap_or_else(|| "A member of staff".to_owned());
    let day = usize::try_from(one.weekday - 1).ok().and_then(|at| DAYS.get(at)).copied().unwrap_or("a day");
    let often = match one.every_weeks {
        1 => format!("every {day}"),
        weeks => format!("every {weeks} weeks on {day}"),
    };
    let about = if one.about.is_empty() { String::new() } else { format!(": {}", one.about) };
    let notes = one
        .notes
        .iter()
        .map(|note| {
            let mut parts = Vec::new();
            if !note.happened {
                parts.push("It did not happen.".to_owned());
            }
            if !note.from_staff.is_empty() {
                parts.push(note.from_staff.clone());
            }
            if !note.from_family.is_empty() {
                parts.push(format!("{}: “{}”", words::sentence(with), note.from_family));
            }
            (words::day(&note.on_date), parts.join(" "))
        })
        .collect();
    CheckInView {
        id: one.check_in_id.clone(),
        words: format!("{who} and {with}, {often}{about}"),
        kept: format!("{} of {} happened", one.happened_count, one.due_count),
        notes,
        open: one.ends_on.is_empty() || one.ends_on >= crate::lookup::today(),
    }
}

fn commitment(one: &Commitment, staff: &HashMap<String, String>) -> CommitmentView {
    let who = match one.by() {
        OwnerKind::Staff | OwnerKind::Unspecified => staff.get(&one.staff_id).cloned().unwrap_or_else(|| "The school".to_owned()),
        OwnerKind::Family => "The family".to_owned(),
        OwnerKind::Student => "The student".to_owned(),
        OwnerKind::Partner => "The partner".to_owned(),
    };
    CommitmentView {
        id: one.commitment_id.clone(),
        who,
        text: one.text.clone(),
        due: words::day(&one.due_on),
        open: one.state == "open" || one.state.is_empty(),
        state: one.state.clone(),
        version: one.version,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proto::plans::v1::ProgressPoint;

    #[test]
    fn a_goal_is_drawn_from_zero_to_four_with_its_numbers_said() {
        let point = |value: f64| ProgressPoint { value, ..Default::default() };
        let drawn = goal(&Goal { on_scale: true, target: 3.0, progress: vec![point(1.0), point(2.0), point(3.0)], ..Default::default() });
        assert_eq!(drawn.line, "8,27 34,20 60,13");
        assert_eq!((drawn.target_y, drawn.target.as_str()), (13, "3"));
        assert_eq!(drawn.label, "Progress: 1, 2, 3. Target 3.");
        let empty = goal(&Goal { target: 5.0, baseline: 2.0, ..Default::default() });
        assert!(empty.dots.is_empty() && empty.meta.ends_with("Starts at 2."));
    }

    #[test]
    fn a_suggestion_says_its_reason() {
        let one = ItemSuggestion { reason: "did_not_help_last_year".into(), service_category: "ED-TUT".into(), ..Default::default() };
        let shown = suggestion(&one, &GetPlanResponse::default(), &CodeList::default());
        assert!(shown.warning && shown.words == "Tutoring" && shown.why.starts_with("It did not help last year"));
    }
}
