//! What individual reviews show: pure functions from the services' answers.

use std::collections::HashMap;

use askama::Template;
use proto::reviews::v1::{IndividualReview, IndividualReviewState as S};
use proto::r#type::v1::Sensitivity;

use crate::form::fresh_id;
use crate::frame::Shell;
use crate::lookup::{is_restricted, name_in};
use crate::words::{self, DomainWords};

use super::words as ours;

/// A member of the team.
pub struct MemberView {
    /// Staff member.
    pub id: String,
    /// Name.
    pub who: String,
    /// Role.
    pub role: String,
    /// Role, for the form.
    pub role_code: String,
    /// Was there.
    pub attended: bool,
    /// Was there, agreed; in words.
    pub meta: String,
}

/// A finding.
pub struct FindingView {
    /// Domain.
    pub domain: DomainWords,
    /// Words; empty where none.
    pub text: String,
}

/// A decision.
pub struct DecisionView {
    /// Decision.
    pub id: String,
    /// What.
    pub text: String,
    /// Who, by when.
    pub who: String,
    /// How it went; empty before.
    pub outcome: String,
    /// For the form.
    pub outcome_code: String,
}

/// The page.
#[derive(Template)]
#[template(path = "individual_review/page.html")]
pub struct ReviewPage {
    /// Around it.
    pub shell: Shell,
    /// Its own path, for forms.
    pub here: String,
    /// Review.
    pub id: String,
    /// Student.
    pub student_id: String,
    /// Name.
    pub who: String,
    /// State in words.
    pub state: &'static str,
    /// Steps passed, now and to come: words and `past`, `now` or empty.
    pub track: Vec<(&'static str, &'static str)>,
    /// What comes next.
    pub next: &'static str,
    /// Why and when it was opened.
    pub opened: String,
    /// Concern it comes from.
    pub concern_id: String,
    /// Content is closed to this caller, or not opened yet.
    pub closed: bool,
    /// Content can be opened by an act.
    pub may_open: bool,
    /// Closed to most.
    pub restricted: bool,
    /// Lead.
    pub lead_id: String,
    /// Team.
    pub team: Vec<MemberView>,
    /// Day of the meeting.
    pub meets: String,
    /// Invitation in words.
    pub invitation: String,
    /// How the family took part.
    pub voice: &'static str,
    /// Their words.
    pub family_words: String,
    /// Findings, one a domain.
    pub findings: Vec<FindingView>,
    /// Decisions.
    pub decisions: Vec<DecisionView>,
    /// When to look again.
    pub review_on: String,
    /// Why it was declined, put on hold or closed.
    pub reason: String,
    /// Which forms are shown.
    pub stage: Stage,
    /// Whether the caller may act; the service decides.
    pub acts: bool,
    /// Staff to choose from.
    pub colleagues: Vec<(String, String)>,
    /// Ids for new decisions.
    pub new_ids: Vec<String>,
    /// For the next write.
    pub version: i64,
    /// Today, ISO.
    pub today: String,
    /// Six weeks from now, ISO.
    pub in_six_weeks: String,
    /// Why the caller sees this.
    pub basis: String,
    /// The meeting recap instead of the page.
    pub recap: bool,
}

/// Which forms a state calls for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Decline or name the team.
    Proposed,
    /// Set the date.
    Preparing,
    /// Hold it.
    Scheduled,
    /// Decide.
    Deciding,
    /// Look again.
    Looking,
    /// Go on.
    Held,
    /// Nothing.
    Over,
}

/// The stage of a state.
pub fn stage(state: S) -> Stage {
    match state {
        S::Proposed => Stage::Proposed,
        S::Preparing => Stage::Preparing,
        S::Scheduled => Stage::Scheduled,
        S::Held | S::UnderReview => Stage::Deciding,
        S::Decided => Stage::Looking,
        S::OnHold => Stage::Held,
        S::Closed | S::NotNeeded | S::Unspecified => Stage::Over,
    }
}

/// What views are written with.
pub struct Around<'a> {
    /// Names of students.
    pub students: &'a HashMap<String, String>,
    /// Names of staff.
    pub staff: &'a HashMap<String, String>,
    /// Staff to choose from.
    pub colleagues: Vec<(String, String)>,
    /// Today, ISO.
    pub today: String,
    /// Whether the caller may act.
    pub acts: bool,
    /// Whether restricted content was opened.
    pub opened: bool,
}

fn track(state: S) -> Vec<(&'static str, &'static str)> {
    const STEPS: [(&str, i32); 6] = [("Proposed", 0), ("Team", 1), ("Date", 2), ("Meeting", 3), ("Decided", 4), ("Looked at again", 5)];
    let at = match state {
        S::Proposed | S::NotNeeded | S::Unspecified | S::OnHold => 0,
        S::Preparing => 1,
        S::Scheduled => 2,
        S::Held => 3,
        S::Decided => 4,
        S::UnderReview => 5,
        S::Closed => 6,
    };
    STEPS
        .iter()
        .map(|(words, step)| {
            (
                *words,
                if *step < at {
                    "past"
                } else if *step == at {
                    "now"
                } else {
                    ""
                },
            )
        })
        .collect()
}

/// One individual review as a page or as a recap.
pub fn page(shell: Shell, review: &IndividualReview, basis: &str, recap: bool, around: Around<'_>) -> ReviewPage {
    let restricted = is_restricted(review.sensitivity());
    let may_open = restricted && !review.closed_to_caller && !around.opened;
    let closed = review.closed_to_caller || may_open;
    let name = |id: &str| around.staff.get(id).cloned().unwrap_or_else(|| "A member of staff".to_owned());
    let held = matches!(review.state(), S::Held | S::Decided | S::UnderReview | S::Closed);
    let invitation = review.invitation.clone().unwrap_or_default();
    ReviewPage {
        here: format!("/individual-reviews/{}", review.individual_review_id),
        id: review.individual_review_id.clone(),
        student_id: review.student_id.clone(),
        who: name_in(around.students, &review.student_id),
        state: ours::state(review.state()),
        track: track(review.state()),
        next: ours::next_step(review.state()),
        opened: format!("Opened {} because: {}", words::day_of(review.open_time.as_ref()), ours::trigger(review.trigger())),
        concern_id: review.concern_id.clone(),
        closed,
        may_open,
        restricted,
        lead_id: review.lead_id.clone(),
        team: if closed {
            Vec::new()
        } else {
            review
                .team
                .iter()
                .map(|member| {
                    let mut meta = Vec::new();
                    if member.staff_id == review.lead_id {
                        meta.push("leads the case");
                    }
                    if held {
                        meta.push(if member.attended { "was there" } else { "was not there" });
                    }
                    if member.agreed {
                        meta.push("agrees");
                    }
                    MemberView {
                        id: member.staff_id.clone(),
                        who: name(&member.staff_id),
                        role: words::label(ours::ROLES, &member.role),
                        role_code: member.role.clone(),
                        attended: member.attended,
                        meta: meta.join(", "),
                    }
                })
                .collect()
        },
        meets: words::day(&review.meets_on),
        invitation: if !invitation.not_invited_reason.is_empty() {
            format!("The family is not invited: {}", words::within(&words::label(ours::NOT_INVITED, &invitation.not_invited_reason)))
        } else if invitation.channel.is_empty() {
            String::new()
        } else {
            let interpreter = if invitation.interpreter { ", with an interpreter" } else { "" };
            format!(
                "The family was invited {} by {} in {}{interpreter}",
                words::day(&invitation.sent_on),
                words::within(&words::label(ours::CHANNELS, &invitation.channel)),
                invitation.language
            )
        },
        voice: ours::voice(review.family_voice()),
        family_words: if closed { String::new() } else { review.family_words.clone() },
        findings: words::DOMAINS
            .into_iter()
            .map(|domain| FindingView {
                domain,
                text: if closed {
                    String::new()
                } else {
                    review.findings.iter().find(|one| one.domain() == domain.domain).map(|one| one.text.clone()).unwrap_or_default()
                },
            })
            .collect(),
        decisions: if closed {
            Vec::new()
        } else {
            review
                .decisions
                .iter()
                .map(|one| DecisionView {
                    id: one.decision_id.clone(),
                    text: one.text.clone(),
                    who: format!(
                        "{}, by {}",
                        around.staff.get(&one.owner_id).cloned().unwrap_or_else(|| words::label(words::OWNERS, &one.owner)),
                        words::day(&one.due_on)
                    ),
                    outcome: if one.outcome.is_empty() {
                        String::new()
                    } else {
                        format!("{} {}", words::label(ours::OUTCOMES, &one.outcome), one.outcome_note)
                    },
                    outcome_code: one.outcome.clone(),
                })
                .collect()
        },
        review_on: words::day(&review.review_on),
        reason: if closed { String::new() } else { review.reason.clone() },
        stage: stage(review.state()),
        acts: around.acts && !closed,
        colleagues: around.colleagues,
        new_ids: (0..3).map(|_| fresh_id()).collect(),
        version: review.version,
        in_six_weeks: crate::lookup::days_from_today(42),
        today: around.today,
        basis: words::basis(basis),
        recap,
        shell,
    }
}

/// A review in the list.
pub struct ReviewLine {
    /// Review.
    pub id: String,
    /// Student.
    pub student_id: String,
    /// Name.
    pub who: String,
    /// State and what comes next.
    pub words: String,
    /// When.
    pub due: String,
    /// Whether it is protected or restricted.
    pub sensitivity: &'static str,
}

/// The list.
#[derive(Template)]
#[template(path = "individual_review/list.html")]
pub struct ListPage {
    /// Around it.
    pub shell: Shell,
    /// Lines.
    pub lines: Vec<ReviewLine>,
    /// Whether closed ones are shown.
    pub all: bool,
    /// Why the caller sees this.
    pub basis: String,
}

/// A line.
pub fn line(review: &IndividualReview, students: &HashMap<String, String>) -> ReviewLine {
    let due = if !review.review_on.is_empty() {
        format!("Look again {}", words::day(&review.review_on))
    } else if !review.meets_on.is_empty() {
        format!("Meets {}", words::day(&review.meets_on))
    } else {
        format!("Opened {}", words::day_of(review.open_time.as_ref()))
    };
    ReviewLine {
        id: review.individual_review_id.clone(),
        student_id: review.student_id.clone(),
        who: name_in(students, &review.student_id),
        words: format!("{}: {}", ours::state(review.state()), ours::next_step(review.state())),
        due,
        sensitivity: match review.sensitivity() {
            Sensitivity::Protected => "protected",
            Sensitivity::Restricted => "restricted",
            Sensitivity::General | Sensitivity::Unspecified => "",
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn restricted_content_stays_out_until_it_is_opened() {
        let review = IndividualReview {
            state: S::Decided.into(),
            sensitivity: Sensitivity::Restricted.into(),
            family_words: "Closed words".into(),
            ..Default::default()
        };
        let (students, staff) = (HashMap::new(), HashMap::new());
        let around = |opened: bool| Around { students: &students, staff: &staff, colleagues: vec![], today: String::new(), acts: true, opened };
        let shut = page(Shell::bare(None, "t"), &review, "", false, around(false));
        assert!(shut.closed && shut.may_open && !shut.acts && !shut.render().unwrap().contains("Closed words"));
        let open = page(Shell::bare(None, "t"), &review, "", false, around(true));
        assert!(!open.closed && open.render().unwrap().contains("Closed words"));
        let recap = page(Shell::bare(None, "t"), &review, "", true, around(false));
        assert!(!recap.render().unwrap().contains("Closed words"), "a recap prints restricted content only when it was opened");
    }

    #[test]
    fn every_state_has_its_forms() {
        assert_eq!(stage(S::Proposed), Stage::Proposed);
        assert_eq!(stage(S::UnderReview), Stage::Deciding);
        assert_eq!(stage(S::Decided), Stage::Looking);
        assert_eq!(stage(S::Closed), Stage::Over);
        assert_eq!(track(S::Scheduled)[2], ("Date", "now"));
    }
}
