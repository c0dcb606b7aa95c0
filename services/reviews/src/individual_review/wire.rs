//! An individual review as the contract says it.

use proto::reviews::v1 as wire;
use uuid::Uuid;

use super::entity::{Decision, IndividualReview, Invitation, Member};
use super::events::date;
use crate::case_access::sight::View;
use crate::words::{IndividualReviewState, domain_wire, sensitivity_wire, time_wire};

fn id(id: Option<Uuid>) -> String {
    id.map(|id| id.to_string()).unwrap_or_default()
}

impl From<Member> for wire::TeamMember {
    fn from(member: Member) -> Self {
        Self { staff_id: member.staff_id.to_string(), role: member.role, attended: member.attended, agreed: member.agreed }
    }
}

impl From<Invitation> for wire::FamilyInvitation {
    fn from(invitation: Invitation) -> Self {
        Self {
            channel: invitation.channel,
            language: invitation.language,
            interpreter: invitation.interpreter,
            sent_on: date(invitation.sent_on),
            not_invited_reason: invitation.not_invited_reason,
        }
    }
}

impl From<Decision> for wire::Decision {
    fn from(decision: Decision) -> Self {
        Self {
            decision_id: decision.id.to_string(),
            text: decision.text,
            need_ids: decision.need_ids.iter().map(Uuid::to_string).collect(),
            item_kind: decision.item_kind,
            service_category: decision.service_category,
            owner: decision.owner,
            owner_id: id(decision.owner_id),
            due_on: date(decision.due_on),
            outcome: decision.outcome,
            outcome_note: decision.outcome_note,
        }
    }
}

impl IndividualReview {
    /// As a caller with this view sees it; none where it does not exist for them.
    pub(crate) fn shown(self, view: View) -> Option<wire::IndividualReview> {
        let look_again = if self.state == IndividualReviewState::OnHold { self.look_again_on } else { self.review_on };
        let frame = wire::IndividualReview {
            individual_review_id: self.id.to_string(),
            student_id: self.student_id.to_string(),
            school_id: self.school_id.to_string(),
            school_year: self.school_year,
            state: self.state.wire(),
            meets_on: date(self.meets_on),
            review_on: date(look_again),
            sensitivity: sensitivity_wire(self.sensitivity),
            open_time: Some(time_wire(self.opened_at)),
            version: self.version,
            ..Default::default()
        };
        match view {
            View::Absent => None,
            View::Closed => Some(wire::IndividualReview { closed_to_caller: true, ..frame }),
            View::Open => Some(wire::IndividualReview {
                trigger: self.trigger.wire(),
                concern_id: id(self.concern_id),
                lead_id: id(self.lead_id),
                team: self.team.into_iter().map(Into::into).collect(),
                invitation: self.invitation.map(Into::into),
                family_voice: self.family_voice.map(|v| v.wire()).unwrap_or_default(),
                family_words: self.family_words,
                findings: self.findings.into_iter().map(|f| wire::Finding { domain: domain_wire(Some(f.domain)), text: f.text }).collect(),
                decisions: self.decisions.into_iter().map(Into::into).collect(),
                reason: self.reason,
                seconded_by: id(self.seconded_by),
                opened_by: self.opened_by.to_string(),
                ..frame
            }),
        }
    }
}
