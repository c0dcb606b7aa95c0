//! Two values side by side, where somebody else was faster; nothing is overwritten before a choice.

use proto::reviews::v1::{StudentReview, UpdateStudentReviewRequest};

use crate::words::{self, DOMAINS};

/// Another writer's value beside the caller's.
#[derive(Debug, Clone)]
pub struct EntryConflict {
    /// Who was faster.
    pub who: String,
    /// What is there now and what the caller had set.
    pub words: String,
    /// The caller's severity.
    pub severity: i32,
    /// The caller's certainty.
    pub certainty: String,
    /// The caller's note.
    pub note: String,
    /// Id under which "keep mine" is sent.
    pub request_id: String,
}

/// What somebody else decided about a student, beside what the caller set.
#[derive(Debug, Clone)]
pub struct DecisionConflict {
    /// What is there now.
    pub theirs: String,
    /// What the caller set.
    pub mine: String,
    /// The caller's form, to be sent again.
    pub fields: Vec<(String, String)>,
}

impl DecisionConflict {
    /// From what is stored and what the caller wanted.
    pub fn between(stored: &StudentReview, wanted: &UpdateStudentReviewRequest) -> Self {
        let said = |tier: i32, marks: &[i32]| {
            let tier = words::tier(tier.try_into().unwrap_or_default()).map_or("no tier".to_owned(), |tier| format!("tier {}", tier.key));
            let names: Vec<&str> = DOMAINS.iter().filter(|domain| marks.contains(&domain.domain.into())).map(|domain| domain.name).collect();
            if names.is_empty() { format!("{tier}, no domain without concern") } else { format!("{tier}, no concern in: {}", names.join("; ")) }
        };
        let marks = DOMAINS.iter().filter(|domain| wanted.no_concern_domains.contains(&domain.domain.into()));
        let mut fields: Vec<(String, String)> = marks.map(|domain| (format!("nc_{}", domain.class), "1".to_owned())).collect();
        fields.push(("tier".to_owned(), words::tier(wanted.assigned_tier()).map_or("", |tier| tier.key).to_owned()));
        fields.push(("reason".to_owned(), wanted.tier_reason.clone()));
        fields.push(("reason_text".to_owned(), wanted.tier_reason_text.clone()));
        fields.push(("no_strength".to_owned(), wanted.no_strength_reason.clone()));
        Self { theirs: said(stored.assigned_tier, &stored.no_concern_domains), mine: said(wanted.assigned_tier, &wanted.no_concern_domains), fields }
    }
}
