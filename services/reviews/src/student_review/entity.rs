//! One student's review: entries, states, and what must be there before it is done.

use chassis_access::Sensitivity;
use chassis_rpc::fault::Violation;
use chrono::{DateTime, NaiveDate, Utc};
use uuid::Uuid;

use crate::cycle::entity::{FAMILY_VOICE, INTEREST, NEED_NOTE};
use crate::taxonomy::Domain;
use crate::tier::rule::{self, Certainty, RuleEntry, Tier};
use crate::words::{Origin, Polarity, Source, StudentReviewState, domain_word};

/// A strength, need, interest or observation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Id; the need_id of a need.
    pub id: Uuid,
    /// What it is.
    pub polarity: Polarity,
    /// From the code list.
    pub code: String,
    /// None for interests.
    pub domain: Option<Domain>,
    /// 1 to 3 for needs, else 0.
    pub severity: i16,
    /// Needs only.
    pub certainty: Option<Certainty>,
    /// Who said so.
    pub source: Source,
    /// Words. Never leave this service but in answers to those who may see the entry.
    pub note: String,
    /// At least the code's own.
    pub sensitivity: Sensitivity,
    /// Grows with each change.
    pub version: i64,
    /// Who wrote it first.
    pub author: Uuid,
    /// When it was first noted.
    pub recorded_at: DateTime<Utc>,
    /// Last write.
    pub updated_at: DateTime<Utc>,
    /// Since when it is so, where somebody said.
    pub since: Option<NaiveDate>,
    /// Who confirmed a confirmed need.
    pub confirmed_by: Option<Source>,
    /// Where it came from, if from another entry.
    pub origin: Option<Origin>,
    /// The entry that it came from.
    pub from: Option<Uuid>,
    /// The entry that took its place.
    pub superseded_by: Option<Uuid>,
}

impl Entry {
    /// Whether nothing took its place: others are kept, and count no longer.
    pub fn stands(&self) -> bool {
        self.superseded_by.is_none()
    }
}

/// One student in a class review.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StudentReview {
    /// Class review.
    pub class_review_id: Uuid,
    /// Student.
    pub student_id: Uuid,
    /// Grade on the snapshot.
    pub grade: String,
    /// State.
    pub state: StudentReviewState,
    /// Grows with each change but those of entries, which have versions of their own.
    pub version: i64,
    /// Domains without concern.
    pub no_concern: Vec<Domain>,
    /// What was decided.
    pub assigned_tier: Option<Tier>,
    /// Why it differs from the suggestion.
    pub tier_reason: String,
    /// Words for `other`.
    pub tier_reason_text: String,
    /// Why no strength was noted.
    pub no_strength_reason: String,
    /// Why not reviewed.
    pub not_reviewed_reason: String,
    /// Oldest first.
    pub entries: Vec<Entry>,
    /// Joined the class after the snapshot.
    pub added: bool,
    /// Grows with each change of protected entries after the review was done: the version must not tell of them.
    pub protected_changes: i64,
    /// Seconds of work on this student, longer gaps left out.
    pub active_seconds: i32,
    /// Entries of the latest earlier review that nobody has answered here.
    pub open_priors: Vec<Entry>,
}

/// What may be done to a student's review. `reopened` says that the class review was complete once: from then on what
/// is written amends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Write something.
    Write {
        /// Whether the class review was complete once.
        reopened: bool,
    },
    /// Done, with these gaps.
    Complete {
        /// What is missing.
        gaps: Vec<Violation>,
    },
    /// Not reviewed.
    Skip {
        /// Out of the list `not_reviewed`.
        reason: String,
    },
    /// Take "reviewed" or "not reviewed" back.
    Reopen {
        /// Whether the class review was complete once.
        reopened: bool,
    },
    /// The student left the class.
    Leave,
    /// The student is in the class again.
    Return,
    /// A need was recorded or understood in another way, on any day.
    Amend,
    /// Who may see an entry was changed.
    Guard,
}

/// Why a step is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WrongStep {
    /// Done already.
    #[error("this student's review is {}; reopen it first", state.word())]
    Closed {
        /// Present state.
        state: StudentReviewState,
    },
    /// Nothing to take back.
    #[error("this student's review is {}; only one that is reviewed or not_reviewed can be reopened", state.word())]
    NotClosed {
        /// Present state.
        state: StudentReviewState,
    },
    /// Left.
    #[error("this student has left the class; nothing more is written here")]
    Left,
    /// The roster's word does not apply.
    #[error("the state {} stays as it is", state.word())]
    Stays {
        /// Present state.
        state: StudentReviewState,
    },
    /// Something is missing.
    #[error("the review is not complete: {}", gaps.iter().map(|g| g.description.as_str()).collect::<Vec<_>>().join("; "))]
    Gaps {
        /// What, and how to mend it.
        gaps: Vec<Violation>,
    },
}

/// What the rule says of some of the entries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suggested {
    /// Tier.
    pub tier: Tier,
    /// Entries that set it.
    pub because: Vec<Uuid>,
}

/// Asks the rule about those of these entries that are needs and stand.
pub fn suggest<'e>(entries: impl IntoIterator<Item = &'e Entry>) -> Suggested {
    let needs: Vec<&Entry> = entries.into_iter().filter(|e| e.polarity == Polarity::Need && e.stands()).collect();
    let asked: Vec<RuleEntry<'_>> = needs
        .iter()
        .map(|e| RuleEntry { code: &e.code, severity: u8::try_from(e.severity).unwrap_or(0), certainty: e.certainty.unwrap_or(Certainty::Observed) })
        .collect();
    let said = rule::suggest(&asked);
    Suggested { tier: said.tier, because: said.because.into_iter().filter_map(|at| needs.get(at)).map(|e| e.id).collect() }
}

impl StudentReview {
    /// What follows from a step: the one place where a student review's state changes.
    pub fn transition(&self, step: Step) -> Result<Self, WrongStep> {
        use StudentReviewState::{Amended, InProgress, Left, NotReviewed, Pending, Reviewed};
        let mut next = Self { version: self.version + 1, ..self.clone() };
        next.state = match (self.state, step) {
            (Pending | InProgress, Step::Write { .. } | Step::Amend) => InProgress,
            (Pending | InProgress, Step::Complete { gaps }) if gaps.is_empty() => Reviewed,
            (Amended, Step::Complete { gaps }) if gaps.is_empty() => Amended,
            (Pending | InProgress | Amended, Step::Complete { gaps }) => return Err(WrongStep::Gaps { gaps }),
            (Pending | InProgress, Step::Skip { reason }) => {
                next.not_reviewed_reason = reason;
                NotReviewed
            }
            // What was done once stays done, and changes with its past kept.
            (Reviewed, Step::Write { reopened: true } | Step::Reopen { reopened: true } | Step::Amend) | (Amended, Step::Write { .. } | Step::Amend) => Amended,
            (Reviewed | NotReviewed, Step::Reopen { .. }) => {
                next.not_reviewed_reason = String::new();
                InProgress
            }
            // A need is recorded whether there was time for the review or not.
            (state @ (NotReviewed | Left), Step::Amend) | (state, Step::Guard) => state,
            // A review that was done before the student left stays done.
            (Pending | InProgress, Step::Leave) => Left,
            (Left, Step::Return) => Pending,
            (state @ (Reviewed | NotReviewed | Amended), Step::Write { .. } | Step::Complete { .. } | Step::Skip { .. }) => {
                return Err(WrongStep::Closed { state });
            }
            (state @ (Pending | InProgress | Amended), Step::Reopen { .. }) => return Err(WrongStep::NotClosed { state }),
            (Left, Step::Write { .. } | Step::Complete { .. } | Step::Skip { .. } | Step::Reopen { .. }) => return Err(WrongStep::Left),
            (state, Step::Leave | Step::Return) => return Err(WrongStep::Stays { state }),
        };
        Ok(next)
    }

    /// Whether it was reviewed, amended since or not: then other services know of its entries.
    pub fn is_reviewed(&self) -> bool {
        matches!(self.state, StudentReviewState::Reviewed | StudentReviewState::Amended)
    }

    /// Domains with an entry that stands among these, or marked as without concern.
    pub fn answered(&self, counts: impl Fn(&Entry) -> bool) -> usize {
        let answered = |domain: Domain| self.no_concern.contains(&domain) || self.entries.iter().any(|e| e.domain == Some(domain) && e.stands() && counts(e));
        Domain::ALL.into_iter().filter(|d| answered(*d)).count()
    }

    /// Everything that is missing before this is done, as somebody sees it who sees these entries. Restricted ones
    /// that are closed to the caller still answer their domain; the tier is held against what is on the caller's page.
    /// `required` is what the cycle asks for beyond that.
    pub fn gaps(&self, required: &[String], sees: impl Fn(&Entry) -> bool) -> Vec<Violation> {
        let mut gaps = Vec::new();
        let mut gap = |field: &str, description: String| gaps.push(Violation { field: field.to_owned(), description });
        let counts = |e: &Entry| e.stands() && (e.sensitivity != Sensitivity::Protected || sees(e));
        for domain in Domain::ALL {
            if !self.no_concern.contains(&domain) && !self.entries.iter().any(|e| e.domain == Some(domain) && counts(e)) {
                let word = domain_word(Some(domain));
                gap("no_concern_domains", format!("{word}: add a strength or a need, or mark it as without concern"));
            }
        }
        let suggested = suggest(self.entries.iter().filter(|e| sees(e))).tier;
        match self.assigned_tier {
            None => gap("assigned_tier", "assign a tier".to_owned()),
            Some(tier) if tier != suggested && self.tier_reason.is_empty() => {
                gap("tier_reason", format!("the assigned tier {} differs from the suggested tier {}; give tier_reason", tier.as_str(), suggested.as_str()))
            }
            Some(_) if self.tier_reason == "other" && self.tier_reason_text.is_empty() => {
                gap("tier_reason_text", "tier_reason is other; say it in words".to_owned());
            }
            Some(_) => {}
        }
        if self.no_strength_reason.is_empty() && !self.entries.iter().any(|e| e.polarity == Polarity::Strength && counts(e)) {
            gap("no_strength_reason", "add a strength, or say why none is noted".to_owned());
        }
        let any = |what: &dyn Fn(&Entry) -> bool| self.entries.iter().any(|e| counts(e) && what(e));
        for field in required {
            match field.as_str() {
                INTEREST if !any(&|e| e.polarity == Polarity::Interest) => gap(INTEREST, "add an interest".to_owned()),
                FAMILY_VOICE if !any(&|e| matches!(e.source, Source::Family | Source::Student)) => {
                    gap(FAMILY_VOICE, "add what the family or the student said".to_owned());
                }
                NEED_NOTE => {
                    let wordless = |e: &&Entry| e.polarity == Polarity::Need && e.stands() && sees(e) && e.note.trim().is_empty();
                    for need in self.entries.iter().filter(wordless) {
                        gap(NEED_NOTE, format!("{}: say in words what was seen", need.code));
                    }
                }
                _ => {}
            }
        }
        gaps
    }
}
