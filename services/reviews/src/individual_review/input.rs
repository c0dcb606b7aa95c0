//! What is sent about individual reviews, read with every wrong field collected.

use std::collections::HashSet;

use chassis_rpc::Parser;
use chrono::NaiveDate;
use proto::reviews::v1 as wire;

use super::entity::{Decision, Finding, Invitation, Member, Outcome};
use crate::taxonomy::Taxonomy;
use crate::words::domain_from_wire;

const MOST_MEMBERS: usize = 20;
/// Decisions in one request at the most.
const MOST_DECISIONS: usize = 30;
/// Outcomes in one request at the most: one for each decision there may be.
const MOST_OUTCOMES: usize = super::entity::MOST_DECISIONS;
const MOST_NEEDS: usize = 20;

const ROLES: [&str; 9] = ["teacher", "coordinator", "counsellor", "nurse", "psychologist", "social_worker", "principal", "specialist", "other"];
const CHANNELS: [&str; 5] = ["call", "text", "email", "letter", "in_person"];
const NOT_INVITED: [&str; 3] = ["safety", "cannot_reach_after_3", "court_order"];
const ITEM_KINDS: [&str; 7] = ["service", "referral", "school_support", "home_strategy", "family_action", "accommodation", "information_only"];
const OWNERS: [&str; 4] = ["staff", "partner", "family", "student"];
const OUTCOMES: [&str; 5] = ["done", "helped", "partly_helped", "did_not_help", "not_done"];

fn too_many(p: &mut Parser, field: &str, count: usize, most: usize) {
    if count > most {
        p.violation(field, format!("must have at most {most} members, has {count}"));
    }
}

pub(super) fn team(p: &mut Parser, sent: &[wire::TeamMember]) -> Vec<Member> {
    too_many(p, "team", sent.len(), MOST_MEMBERS);
    let mut seen = HashSet::new();
    let mut team = Vec::new();
    for (at, member) in sent.iter().take(MOST_MEMBERS).enumerate() {
        let staff_id = p.uuid(&format!("team[{at}].staff_id"), &member.staff_id);
        if !staff_id.is_nil() && !seen.insert(staff_id) {
            p.violation(&format!("team[{at}].staff_id"), "is in the team already");
        }
        let role = p.one_of(&format!("team[{at}].role"), &member.role, &ROLES, false);
        team.push(Member { staff_id, role, attended: false, agreed: false });
    }
    team
}

pub(super) fn invitation(p: &mut Parser, sent: &wire::FamilyInvitation, today: NaiveDate) -> Invitation {
    let channel = p.one_of("invitation.channel", &sent.channel, &CHANNELS, true);
    let not_invited_reason = p.one_of("invitation.not_invited_reason", &sent.not_invited_reason, &NOT_INVITED, true);
    if channel.is_empty() == not_invited_reason.is_empty() {
        p.violation("invitation", "give either the channel of the invitation, or not_invited_reason");
    }
    let language = p.text("invitation.language", &sent.language, 35);
    if !language.chars().all(|c| c.is_ascii_alphanumeric() || c == '-') {
        p.violation("invitation.language", "must be a BCP 47 language such as es or pt-BR");
    }
    if !channel.is_empty() && language.is_empty() {
        p.violation("invitation.language", "must say the language of the invitation, e.g. en");
    }
    let sent_on = p.optional_date("invitation.sent_on", &sent.sent_on).or((!channel.is_empty()).then_some(today));
    Invitation { channel, language, interpreter: sent.interpreter, sent_on, not_invited_reason }
}

pub(super) fn findings(p: &mut Parser, sent: &[wire::Finding]) -> Vec<Finding> {
    too_many(p, "findings", sent.len(), 4);
    if sent.is_empty() {
        p.violation("findings", "must have at least one");
    }
    let mut findings: Vec<Finding> = Vec::new();
    for (at, finding) in sent.iter().take(4).enumerate() {
        let text = p.required_text(&format!("findings[{at}].text"), &finding.text, 2000);
        match domain_from_wire(finding.domain) {
            Some(domain) if findings.iter().all(|f| f.domain != domain) => findings.push(Finding { domain, text }),
            Some(_) => p.violation(&format!("findings[{at}].domain"), "has a finding already"),
            None => p.violation(&format!("findings[{at}].domain"), "must be given"),
        }
    }
    findings
}

pub(super) fn decisions(p: &mut Parser, sent: &[wire::Decision]) -> Vec<Decision> {
    too_many(p, "decisions", sent.len(), MOST_DECISIONS);
    if sent.is_empty() {
        p.violation("decisions", "must have at least one");
    }
    let mut seen = HashSet::new();
    let mut decisions = Vec::new();
    for (at, decision) in sent.iter().take(MOST_DECISIONS).enumerate() {
        let field = |name: &str| format!("decisions[{at}].{name}");
        let id = p.uuid(&field("decision_id"), &decision.decision_id);
        if !id.is_nil() && !seen.insert(id) {
            p.violation(&field("decision_id"), "is there twice");
        }
        if !decision.service_category.is_empty() && !Taxonomy::load().is_ok_and(|t| t.has_category(&decision.service_category)) {
            p.violation(&field("service_category"), "is not a category of service; ListCodes has them");
        }
        decisions.push(Decision {
            id,
            text: p.required_text(&field("text"), &decision.text, 500),
            need_ids: p.uuids(&field("need_ids"), &decision.need_ids, MOST_NEEDS),
            item_kind: p.one_of(&field("item_kind"), &decision.item_kind, &ITEM_KINDS, false),
            service_category: decision.service_category.clone(),
            owner: p.one_of(&field("owner"), &decision.owner, &OWNERS, false),
            owner_id: p.optional_uuid(&field("owner_id"), &decision.owner_id),
            due_on: Some(p.date(&field("due_on"), &decision.due_on)),
            outcome: String::new(),
            outcome_note: String::new(),
            round: 0,
        });
    }
    decisions
}

pub(super) fn outcomes(p: &mut Parser, sent: &[wire::DecisionOutcome]) -> Vec<Outcome> {
    too_many(p, "outcomes", sent.len(), MOST_OUTCOMES);
    let each = sent.iter().take(MOST_OUTCOMES).enumerate().map(|(at, outcome)| Outcome {
        decision_id: p.uuid(&format!("outcomes[{at}].decision_id"), &outcome.decision_id),
        outcome: p.one_of(&format!("outcomes[{at}].outcome"), &outcome.outcome, &OUTCOMES, false),
        note: p.text(&format!("outcomes[{at}].note"), &outcome.note, 500),
    });
    each.collect()
}
