//! What the pages about referrals show: pure functions from the services' answers.

use std::collections::HashMap;

use askama::Template;
use proto::partners::v1::{CheckSharingResponse, GetReferralResponse, Outcome, Referral, ReferralMode, ReferralState, Service};
use proto::rosters::v1::Student;

use crate::frame::Shell;
use crate::lookup::{CodeList, service_category_label};
use crate::words;

use super::words::{Lane, TRACK, lane, referral_state, referral_tag, side, step, step_of, transition};

/// A referral on the board.
pub struct Card {
    /// Where it opens.
    pub href: String,
    /// Student, as the caller may see one.
    pub name: String,
    /// What is asked for.
    pub service: String,
    /// Who is asked.
    pub partner: String,
    /// State in words.
    pub state: &'static str,
    /// Style.
    pub tag: &'static str,
    /// When an answer or the next step is due; empty where nothing is.
    pub due: String,
    /// Whether that day is past.
    pub late: bool,
}

/// A column of the board.
pub struct LaneView {
    /// Id in the page.
    pub id: &'static str,
    /// Whose move it is.
    pub title: &'static str,
    /// What that means.
    pub words: &'static str,
    /// Referrals.
    pub cards: Vec<Card>,
}

/// The board.
#[derive(Template)]
#[template(path = "referral/list.html")]
pub struct BoardPage {
    /// Around it.
    pub shell: Shell,
    /// Columns.
    pub lanes: Vec<LaneView>,
    /// Referrals that are over.
    pub over: Vec<Card>,
    /// How many are open.
    pub open: usize,
    /// Schools to choose from: id, name, chosen.
    pub schools: Vec<(String, String, bool)>,
    /// Why the caller sees this.
    pub basis: String,
}

/// Names that the board needs.
pub struct Names<'a> {
    /// Students by id.
    pub students: &'a HashMap<String, Student>,
    /// Services by id.
    pub services: &'a HashMap<String, Service>,
    /// Whether the caller is the partner.
    pub partner: bool,
    /// Today, ISO.
    pub today: &'a str,
}

impl Names<'_> {
    /// The student, as the caller may see one.
    pub fn student(&self, referral: &Referral) -> String {
        if let Some(shared) = referral.shared_student.as_ref().filter(|shared| !shared.display_name.is_empty()) {
            return shared.display_name.clone();
        }
        match self.students.get(&referral.student_id) {
            Some(student) => student.display_name.clone(),
            None if self.partner => "A student".to_owned(),
            None => "A student you support".to_owned(),
        }
    }

    fn card(&self, referral: &Referral) -> Card {
        let service = self.services.get(&referral.service_id);
        let waits = matches!(referral.state(), ReferralState::Sent | ReferralState::Received);
        Card {
            href: format!("/referrals/{}", referral.referral_id),
            name: self.student(referral),
            service: service.map_or_else(|| "A service".to_owned(), |service| service.name.clone()),
            partner: service.map(|service| service.partner_name.clone()).unwrap_or_default(),
            state: referral_state(referral.state()),
            tag: referral_tag(referral.state()),
            due: if waits && !referral.respond_by.is_empty() { format!("answer by {}", words::day(&referral.respond_by)) } else { String::new() },
            late: waits && !referral.respond_by.is_empty() && referral.respond_by.as_str() < self.today,
        }
    }
}

/// Puts the board together.
pub fn board(shell: Shell, referrals: &[Referral], names: &Names<'_>, schools: Vec<(String, String, bool)>, basis: &str) -> BoardPage {
    let of = |wanted: Lane| referrals.iter().filter(|referral| lane(referral.state()) == wanted).map(|referral| names.card(referral)).collect::<Vec<_>>();
    let (partner_title, partner_words) =
        if names.partner { ("You", "Sent to you, waiting for your answer") } else { ("Partner", "Sent, waiting for an answer") };
    let (requester_title, requester_words) = if names.partner { ("The school", "Ended; the school judges") } else { ("You", "Send, or judge and close") };
    let lanes = vec![
        LaneView { id: "l1", title: partner_title, words: partner_words, cards: of(Lane::Partner) },
        LaneView { id: "l2", title: "Family or seat", words: "Waiting", cards: of(Lane::Waiting) },
        LaneView { id: "l3", title: "Running", words: "Accepted to attending", cards: of(Lane::Running) },
        LaneView { id: "l4", title: requester_title, words: requester_words, cards: of(Lane::Requester) },
    ];
    BoardPage { shell, open: lanes.iter().map(|lane| lane.cards.len()).sum(), over: of(Lane::Over), lanes, schools, basis: words::basis(basis) }
}

/// A step on the track.
pub struct TrackStep {
    /// Words.
    pub words: &'static str,
    /// Style.
    pub class: &'static str,
    /// Whether it is the current one.
    pub current: bool,
}

/// A line of the history.
pub struct StepLine {
    /// Day.
    pub day: String,
    /// What was done.
    pub words: String,
    /// By whom, and why.
    pub meta: String,
}

/// A button, with the reasons it asks for.
pub struct Act {
    /// Transition.
    pub name: String,
    /// What the button says.
    pub words: &'static str,
    /// Reasons to choose from; none where no reason is asked for.
    pub reasons: words::Choices,
    /// Whether it is the one obvious action.
    pub primary: bool,
}

/// One referral.
#[derive(Template)]
#[template(path = "referral/page.html")]
pub struct ReferralPage {
    /// Around it.
    pub shell: Shell,
    /// Path.
    pub path: String,
    /// Where the student's page is; empty for partners.
    pub student_href: String,
    /// State in words.
    pub state: &'static str,
    /// Style.
    pub tag: &'static str,
    /// How far it is.
    pub track: Vec<TrackStep>,
    /// What is asked for and by when.
    pub facts: Vec<(&'static str, String)>,
    /// What is shared, in words.
    pub shared: Vec<String>,
    /// Why it may be shared, or what is missing.
    pub sharing: Vec<String>,
    /// Whether a draft can be sent now.
    pub may_send: bool,
    /// Whether it is a draft of the caller's side.
    pub draft: bool,
    /// Buttons.
    pub acts: Vec<Act>,
    /// Whether the outcome can be judged.
    pub judges: bool,
    /// History.
    pub steps: Vec<StepLine>,
    /// Whether the caller is the partner.
    pub partner: bool,
    /// For the next write.
    pub version: i64,
    /// Why the caller sees this.
    pub basis: String,
}

/// Puts one referral together.
pub fn page(
    caller: impl FnOnce(String) -> Shell,
    answer: GetReferralResponse,
    names: &Names<'_>,
    codes: &CodeList,
    sharing: Option<CheckSharingResponse>,
    notes: Vec<String>,
) -> ReferralPage {
    let referral = answer.referral.unwrap_or_default();
    let name = names.student(&referral);
    let state = referral.state();
    let at = step_of(state);
    let track =
        TRACK.iter().enumerate().map(|(index, words)| TrackStep { words, class: if index + 1 < at { "past" } else { "" }, current: index + 1 == at }).collect();
    let draft = state == ReferralState::Draft && !names.partner;
    let judged = matches!(
        state,
        ReferralState::Completed | ReferralState::StoppedEarly | ReferralState::Declined | ReferralState::UnableToContact | ReferralState::Withdrawn
    );
    let service = names.services.get(&referral.service_id);
    ReferralPage {
        path: format!("/referrals/{}", referral.referral_id),
        student_href: if names.partner || referral.student_id.is_empty() { String::new() } else { format!("/students/{}", referral.student_id) },
        state: referral_state(state),
        tag: referral_tag(state),
        track,
        facts: facts(&referral, service, codes),
        shared: match referral.mode() {
            ReferralMode::Protected | ReferralMode::InformationOnly => Vec::new(),
            _ => referral.shared_scopes.iter().map(|scope| words::label(words::SCOPES, scope)).collect(),
        },
        may_send: draft && sharing.as_ref().is_some_and(|check| check.allowed),
        sharing: sharing.as_ref().map(sharing_words).unwrap_or_default().into_iter().chain(notes).collect(),
        draft,
        acts: acts(&referral, names.partner),
        judges: judged && !names.partner,
        steps: answer
            .steps
            .iter()
            .map(|line| StepLine {
                day: words::day_of(line.time.as_ref()),
                words: step(&line.transition),
                meta: [side(&line.side).to_owned(), reason(&line.reason)].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" · "),
            })
            .collect(),
        partner: names.partner,
        version: referral.version,
        basis: words::basis(&answer.access_basis),
        shell: caller(name),
    }
}

fn reason(code: &str) -> String {
    if let Some((_, label)) = words::WITHDRAW_REASONS.iter().find(|(known, _)| *known == code) {
        (*label).to_owned()
    } else if words::STOP_REASONS.iter().any(|(known, _)| *known == code) {
        words::label(words::STOP_REASONS, code)
    } else {
        words::label(words::DECLINE_REASONS, code)
    }
}

fn facts(referral: &Referral, service: Option<&Service>, codes: &CodeList) -> Vec<(&'static str, String)> {
    let mut facts: Vec<(&'static str, String)> = Vec::new();
    if let Some(service) = service {
        facts.push(("Asked for", service.name.clone()));
        facts.push(("Partner", service.partner_name.clone()));
    }
    if let Some(shared) = &referral.shared_student {
        facts.push(("Grade", words::grade(&shared.grade)));
        facts.push(("School", shared.school_name.clone()));
        facts.push(("Needs", shared.need_codes.iter().map(|code| codes.label(code)).collect::<Vec<_>>().join(", ")));
        if !shared.service_category.is_empty() {
            facts.push(("Kind of help", service_category_label(&shared.service_category)));
        }
    }
    facts.push((
        "First step",
        match referral.first_step_owner.as_str() {
            "coordinator" => "the coordinator calls".to_owned(),
            "partner" => "the partner calls".to_owned(),
            "" => String::new(),
            other => format!("the {other}"),
        },
    ));
    facts.push(("Answer by", words::day(&referral.respond_by)));
    facts.push(("Reason", reason(&referral.reason)));
    facts.push((
        "Outcome",
        match referral.outcome() {
            Outcome::Unspecified => String::new(),
            Outcome::NeedMet => "Need met".to_owned(),
            Outcome::NeedPartlyMet => "Need partly met".to_owned(),
            Outcome::NeedNotMet => "Need not met".to_owned(),
            Outcome::Unknown => "Not known".to_owned(),
        },
    ));
    facts.retain(|(_, words)| !words.is_empty());
    facts
}

fn sharing_words(check: &CheckSharingResponse) -> Vec<String> {
    if check.allowed {
        return vec![if check.legal_basis == "consent" {
            "The family agreed to this. Sending is written into the disclosure record.".to_owned()
        } else {
            "This may be sent. Sending is written into the disclosure record.".to_owned()
        }];
    }
    check
        .missing
        .iter()
        .map(|missing| match missing.as_str() {
            "CONSENT_MISSING" => {
                "It cannot be sent yet: the family has not agreed that this partner receives anything. Record the consent on the student's page.".to_owned()
            }
            "SCOPE_NOT_COVERED" => "It cannot be sent yet: the family's consent does not cover all of it.".to_owned(),
            "AGREEMENT_MISSING" => "It cannot be sent yet: there is no data agreement with this partner today. The partnership manager can add one.".to_owned(),
            other => format!("It cannot be sent yet: {}.", other.to_lowercase().replace('_', " ")),
        })
        .collect()
}

fn acts(referral: &Referral, partner: bool) -> Vec<Act> {
    let mut primary_taken = false;
    referral
        .allowed_transitions
        .iter()
        // Accepting somebody who waits is giving them the seat; one button is enough.
        .filter(|name| *name != "seat" || !referral.allowed_transitions.iter().any(|other| other == "accept"))
        .filter_map(|name| transition(name).map(|words| (name, words)))
        .map(|(name, words)| {
            let primary = partner && !primary_taken && matches!(name.as_str(), "open" | "accept" | "seat" | "start" | "attend" | "complete");
            primary_taken |= primary;
            Act {
                name: name.clone(),
                words,
                reasons: match name.as_str() {
                    "decline" => words::DECLINE_REASONS,
                    "withdraw" => words::WITHDRAW_REASONS,
                    "stop" | "pause" => words::STOP_REASONS,
                    _ => &[],
                },
                primary,
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proto::partners::v1::SharedStudent;

    fn names<'a>(students: &'a HashMap<String, Student>, services: &'a HashMap<String, Service>, partner: bool) -> Names<'a> {
        Names { students, services, partner, today: "2026-10-22" }
    }

    #[test]
    fn the_board_groups_by_whose_move_it_is_and_says_what_is_late() {
        let (students, services) = (HashMap::new(), HashMap::new());
        let referral = |state: ReferralState, respond_by: &str| Referral { state: state.into(), respond_by: respond_by.into(), ..Default::default() };
        let all = [
            referral(ReferralState::Sent, "2026-10-20"),
            referral(ReferralState::Attending, ""),
            referral(ReferralState::Completed, ""),
            referral(ReferralState::Closed, ""),
        ];
        let page = board(Shell::bare(None, "Referrals"), &all, &names(&students, &services, false), vec![], "");
        assert_eq!(page.lanes.iter().map(|lane| lane.cards.len()).collect::<Vec<_>>(), [1, 0, 1, 1]);
        assert!(page.lanes[0].cards[0].late);
        assert_eq!((page.open, page.over.len()), (3, 1));
        assert!(page.render().unwrap().contains("answer by 20 Oct 2026"));
    }

    #[test]
    fn a_partner_sees_only_what_is_shared_and_only_its_buttons() {
        let (students, services) = (HashMap::new(), HashMap::new());
        let referral = Referral {
            referral_id: "r1".into(),
            state: ReferralState::Received.into(),
            shared_student: Some(SharedStudent { display_name: "Fictional Student".into(), ..Default::default() }),
            shared_scopes: vec!["identity".into()],
            allowed_transitions: vec!["accept".into(), "decline".into()],
            ..Default::default()
        };
        let answer = GetReferralResponse { referral: Some(referral), ..Default::default() };
        let page = page(|name| Shell::bare(None, name), answer, &names(&students, &services, true), &CodeList::default(), None, vec![]);
        assert!(page.student_href.is_empty() && !page.judges && !page.draft);
        assert!(page.acts[0].primary && !page.acts[1].reasons.is_empty());
        let html = page.render().unwrap();
        assert!(html.contains("Fictional Student"));
        assert!(html.contains("name, grade and school"));
        assert!(!html.contains("/students/"));
    }
}
