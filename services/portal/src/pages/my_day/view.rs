//! What my day shows: pure functions from the services' answers.

use std::collections::HashMap;
use std::sync::Arc;

use askama::Template;
use chrono::Datelike;
use proto::partners::v1::Referral;
use proto::plans::v1::{Enrolment, FamilyResponse, FollowUp, Group, NotNoticed, Plan, Transition};
use proto::reviews::v1::{CaseAccess, ClassReview, ClassReviewState, Concern, IndividualReview, ReviewCycle};

use crate::frame::Shell;
use crate::lookup::{CodeList, days_from_today, name_in};
use crate::pages::concern::view::{Around as ConcernAround, ConcernView, view as concern_view};
use crate::pages::follow_up::view::{Around, FollowUpLine, due, line};
use crate::pages::individual_review::words as review_words;
use crate::words;

/// Absences in a row that are shown, where the group or district says nothing else.
const NO_SHOWS: i32 = 3;
/// Lines in one panel; the rest is behind a link.
const MOST_LINES: usize = 6;

/// What the page is made from. A part that is not the caller's is `None`.
pub struct Sources {
    /// Open concerns.
    pub concerns: Option<Vec<Concern>>,
    /// Follow-ups due until tomorrow.
    pub follow_ups: Option<Vec<FollowUp>>,
    /// Referrals that wait for an answer.
    pub referrals: Option<Vec<Referral>>,
    /// Enrolments about to start.
    pub starts: Option<Vec<Enrolment>>,
    /// Enrolments under way.
    pub active: Option<Vec<Enrolment>>,
    /// Students not noticed.
    pub not_noticed: Option<Vec<NotNoticed>>,
    /// Who is on cases of the school.
    pub accesses: Option<Vec<CaseAccess>>,
    /// Hand-overs that wait.
    pub transitions: Option<Vec<Transition>>,
    /// Individual reviews under way.
    pub individual: Option<Vec<IndividualReview>>,
    /// The caller's groups.
    pub groups: Option<Vec<Group>>,
    /// Plans of the caller's students.
    pub plans: Vec<Plan>,
    /// Class reviews of the cycle.
    pub class_reviews: Vec<ClassReview>,
    /// The cycle.
    pub cycle: Option<ReviewCycle>,
    /// Names of students.
    pub students: HashMap<String, String>,
    /// Names of staff.
    pub staff: HashMap<String, String>,
    /// Code list.
    pub codes: Arc<CodeList>,
    /// Names of partners.
    pub partners: HashMap<String, String>,
    /// Staff to hand on to.
    pub colleagues: Vec<(String, String)>,
    /// Whether the caller starts services.
    pub manages: bool,
    /// What did not answer.
    pub away: Vec<&'static str>,
    /// Today, ISO.
    pub today: String,
}

/// Something to do with one link.
pub struct Task {
    /// Student.
    pub student_id: String,
    /// Name of the student.
    pub who: String,
    /// What.
    pub words: String,
    /// When.
    pub due: String,
    /// Whether that is past.
    pub late: bool,
    /// Where the button goes.
    pub href: String,
    /// What it says.
    pub button: &'static str,
}

/// A start that is confirmed with one button.
pub struct StartLine {
    /// The task.
    pub task: Task,
    /// Enrolment.
    pub enrolment_id: String,
    /// For the next write.
    pub version: i64,
}

/// A group that meets today.
pub struct GroupLine {
    /// Group.
    pub id: String,
    /// Name.
    pub name: String,
    /// `HH:MM`; may be empty.
    pub time: String,
    /// Members.
    pub members: i32,
}

/// A count out of another.
pub struct Share {
    /// What is counted.
    pub words: String,
    /// Count.
    pub count: usize,
    /// Of how many.
    pub of: usize,
    /// More about it.
    pub meta: String,
}

/// The page.
#[derive(Template)]
#[template(path = "my_day/page.html")]
pub struct MyDayPage {
    /// Around it.
    pub shell: Shell,
    /// Its own path, for forms.
    pub here: String,
    /// First name of the caller.
    pub name: String,
    /// Day and counts in words.
    pub summary: String,
    /// Urgent concerns.
    pub urgent: Vec<ConcernView>,
    /// Other concerns.
    pub concerns: Option<Vec<ConcernView>>,
    /// Follow-ups.
    pub lines: Option<Vec<FollowUpLine>>,
    /// Follow-ups beyond those shown.
    pub more_lines: usize,
    /// Referrals.
    pub referrals: Option<Vec<Task>>,
    /// Starts.
    pub starts: Option<Vec<StartLine>>,
    /// No-shows.
    pub no_shows: Option<Vec<Task>>,
    /// Not noticed.
    pub not_noticed: Option<Vec<Task>>,
    /// Break-glass alerts.
    pub alerts: Vec<Task>,
    /// Hand-overs.
    pub transitions: Vec<Task>,
    /// Individual reviews.
    pub individual: Option<Vec<Task>>,
    /// Groups of today.
    pub groups: Vec<GroupLine>,
    /// Counts.
    pub shares: Vec<Share>,
    /// Whether starts are confirmed here.
    pub manages: bool,
    /// Staff to hand on to.
    pub colleagues: Vec<(String, String)>,
    /// A week from now, ISO.
    pub next_week: String,
    /// Tomorrow, ISO.
    pub tomorrow: String,
    /// What did not answer, in words.
    pub away: String,
}

/// Puts the answers together.
pub fn page(shell: Shell, name: &str, sources: &Sources) -> MyDayPage {
    let around = ConcernAround { students: &sources.students, staff: &sources.staff, codes: &sources.codes, now: crate::pages::concern::now() };
    let (urgent, concerns): (Vec<ConcernView>, Vec<ConcernView>) =
        sources.concerns.iter().flatten().map(|one| concern_view(one, &around)).partition(|one| one.urgent && one.raised);
    let lines_around = Around { students: &sources.students, staff: &sources.staff, today: &sources.today };
    let all_lines: Option<Vec<FollowUpLine>> = sources.follow_ups.as_ref().map(|list| list.iter().map(|one| line(one, &lines_around)).collect());
    let due_count = all_lines.as_ref().map_or(0, Vec::len);
    let lines = all_lines.map(|list| list.into_iter().take(MOST_LINES).collect());
    let referrals = sources.referrals.as_ref().map(|list| {
        let mut waiting: Vec<&Referral> = list.iter().collect();
        waiting.sort_by(|a, b| a.respond_by.cmp(&b.respond_by));
        waiting.into_iter().map(|one| referral_task(sources, one)).collect::<Vec<_>>()
    });
    let starts = sources.starts.as_ref().map(|list| list.iter().map(|one| start_line(sources, one)).collect::<Vec<_>>());
    let no_shows =
        sources.active.as_ref().map(|list| list.iter().filter(|one| one.absences_in_row >= NO_SHOWS).map(|one| no_show_task(sources, one)).collect::<Vec<_>>());
    let not_noticed = sources.not_noticed.as_ref().map(|list| list.iter().map(|one| not_noticed_task(sources, one)).collect::<Vec<_>>());
    let individual = sources.individual.as_ref().map(|list| list.iter().map(|one| individual_task(sources, one)).collect::<Vec<_>>());
    let alerts: Vec<Task> = sources.accesses.iter().flatten().filter(|one| one.kind == "break_glass").map(|one| alert_task(sources, one)).collect();
    let transitions: Vec<Task> = sources.transitions.iter().flatten().map(|one| transition_task(sources, one)).collect();
    let groups = groups_of_today(sources);
    let count = urgent.len()
        + concerns.len()
        + due_count
        + groups.len()
        + alerts.len()
        + transitions.len()
        + referrals.as_ref().map_or(0, Vec::len)
        + starts.as_ref().map_or(0, Vec::len)
        + no_shows.as_ref().map_or(0, Vec::len);
    MyDayPage {
        here: "/".to_owned(),
        name: name.split_whitespace().next().unwrap_or(name).to_owned(),
        summary: summary(&sources.today, count, urgent.len()),
        concerns: sources.concerns.is_some().then_some(concerns),
        urgent,
        more_lines: due_count.saturating_sub(MOST_LINES),
        lines,
        referrals,
        starts,
        no_shows,
        not_noticed,
        alerts,
        transitions,
        individual,
        groups,
        shares: shares(sources),
        manages: sources.manages,
        colleagues: sources.colleagues.clone(),
        next_week: days_from_today(7),
        tomorrow: days_from_today(1),
        away: sources.away.join(", "),
        shell,
    }
}

fn summary(today: &str, count: usize, urgent: usize) -> String {
    let day = chrono::NaiveDate::parse_from_str(today, "%Y-%m-%d").map(|day| day.format("%A, %-d %B %Y").to_string()).unwrap_or_default();
    let things = match count {
        0 => "nothing waits for you".to_owned(),
        1 => "1 thing today".to_owned(),
        many => format!("{many} things today"),
    };
    let urgent = match urgent {
        0 => String::new(),
        1 => ", 1 of them urgent".to_owned(),
        many => format!(", {many} of them urgent"),
    };
    format!("{day} · {things}{urgent}")
}

fn task(sources: &Sources, student_id: &str, text: String, when: (String, bool), href: String, button: &'static str) -> Task {
    Task { student_id: student_id.to_owned(), who: name_in(&sources.students, student_id), words: text, due: when.0, late: when.1, href, button }
}

fn referral_task(sources: &Sources, referral: &Referral) -> Task {
    let partner = sources.partners.get(&referral.partner_id).cloned().unwrap_or_else(|| "a partner".to_owned());
    let (when, late) = due(&referral.respond_by, &sources.today);
    let when = if late { when.replace("late", "past the answer date") } else { when.replace("Due", "Answer due") };
    task(sources, &referral.student_id, partner, (when, late), format!("/referrals/{}", referral.referral_id), "Open")
}

fn start_line(sources: &Sources, enrolment: &Enrolment) -> StartLine {
    let (when, late) = due(&enrolment.starts_on, &sources.today);
    let when = if late { when } else { when.replace("Due", "Starts").replace("No date", "No day is set") };
    let dose = format!("{} a week, {} minutes", enrolment.sessions_per_week, enrolment.minutes_per_session);
    let href = format!("/students/{}/services", enrolment.student_id);
    StartLine {
        task: task(sources, &enrolment.student_id, dose, (when, late), href, "Confirm start"),
        enrolment_id: enrolment.enrolment_id.clone(),
        version: enrolment.version,
    }
}

fn no_show_task(sources: &Sources, enrolment: &Enrolment) -> Task {
    let text = format!("missed {} times in a row", enrolment.absences_in_row);
    let since = if enrolment.started_on.is_empty() { String::new() } else { format!("Began {}", words::day(&enrolment.started_on)) };
    task(sources, &enrolment.student_id, text, (since, false), format!("/students/{}/services", enrolment.student_id), "Look into it")
}

fn not_noticed_task(sources: &Sources, student: &NotNoticed) -> Task {
    let kind = match student.last_kind.as_str() {
        "review" => "a class review",
        "delivery" => "a session",
        "check_in" => "a check-in",
        "follow_up" => "a follow-up",
        "item" => "something in the plan",
        _ => "",
    };
    let last = if student.last_on.is_empty() { "Nothing was ever noted".to_owned() } else { format!("Last: {kind}, {}", words::day(&student.last_on)) };
    task(sources, &student.student_id, String::new(), (last, false), format!("/students/{}", student.student_id), "Look in")
}

fn individual_task(sources: &Sources, review: &IndividualReview) -> Task {
    let next = review_words::next_step(review.state());
    let when = if !review.review_on.is_empty() && review.state() == proto::reviews::v1::IndividualReviewState::Decided {
        due(&review.review_on, &sources.today)
    } else if !review.meets_on.is_empty() {
        let (when, late) = due(&review.meets_on, &sources.today);
        (when.replace("Due", "Meets"), late)
    } else {
        (format!("Opened {}", words::day_of(review.open_time.as_ref())), false)
    };
    task(sources, &review.student_id, next.to_owned(), when, format!("/individual-reviews/{}", review.individual_review_id), "Go on")
}

fn alert_task(sources: &Sources, access: &CaseAccess) -> Task {
    let who = sources.staff.get(&access.staff_id).cloned().unwrap_or_else(|| "Somebody".to_owned());
    let text = format!("{who} opened protected records");
    let until = format!("Since {}, ends by itself after four hours", words::day_of(access.grant_time.as_ref()));
    task(sources, &access.student_id, text, (until, true), format!("/students/{}/access", access.student_id), "Look at it")
}

fn transition_task(sources: &Sources, transition: &Transition) -> Task {
    let text = if transition.state() == proto::plans::v1::TransitionState::Returned {
        "hand-over was sent back with a question"
    } else {
        "hand-over waits for an answer"
    };
    let (when, late) = due(&transition.first_day_on, &sources.today);
    let when = if late { "The first day there is past".to_owned() } else { when.replace("Due", "First day there") };
    task(sources, &transition.student_id, text.to_owned(), (when, late), "/hand-overs".to_owned(), "Open")
}

/// Groups that meet on this weekday between their first and last day.
fn groups_of_today(sources: &Sources) -> Vec<GroupLine> {
    let weekday = chrono::NaiveDate::parse_from_str(&sources.today, "%Y-%m-%d").map_or(0, |day| day.weekday().number_from_monday() as i32);
    let mut groups: Vec<GroupLine> = sources
        .groups
        .iter()
        .flatten()
        .filter(|group| group.weekdays.contains(&weekday))
        .filter(|group| group.first_on <= sources.today && (group.last_on.is_empty() || sources.today <= group.last_on))
        .map(|group| GroupLine { id: group.group_id.clone(), name: group.name.clone(), time: group.starts_at.clone(), members: group.member_count })
        .collect();
    groups.sort_by(|a, b| a.time.cmp(&b.time));
    groups
}

fn shares(sources: &Sources) -> Vec<Share> {
    let mut shares = Vec::new();
    if let Some(cycle) = &sources.cycle
        && !sources.class_reviews.is_empty()
    {
        let done = sources.class_reviews.iter().filter(|review| review.state() == ClassReviewState::Complete).count();
        shares.push(Share {
            words: "Class reviews that are complete".to_owned(),
            count: done,
            of: sources.class_reviews.len(),
            meta: format!("of those begun; the window closes {}", words::day(&cycle.closes_on)),
        });
        let students: i32 = sources.class_reviews.iter().map(|review| review.student_count).sum();
        let seen: i32 = sources.class_reviews.iter().map(|review| review.done_count).sum();
        shares.push(Share { words: "Students looked at".to_owned(), count: seen.max(0) as usize, of: students.max(0) as usize, meta: String::new() });
    }
    if !sources.plans.is_empty() {
        let with_family = sources
            .plans
            .iter()
            .filter(|plan| matches!(plan.family_response(), FamilyResponse::Agreed | FamilyResponse::AgreedInPart | FamilyResponse::Shared))
            .count();
        let meta = if sources.plans.len() == 500 { "the first 500 plans".to_owned() } else { String::new() };
        shares.push(Share { words: "Plans agreed or shared".to_owned(), count: with_family, of: sources.plans.len(), meta });
    }
    shares
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_day_is_counted_in_words() {
        assert_eq!(summary("2026-10-22", 17, 2), "Thursday, 22 October 2026 · 17 things today, 2 of them urgent");
        assert!(summary("2026-10-22", 0, 0).ends_with("nothing waits for you"));
    }
}
