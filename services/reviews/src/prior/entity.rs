//! An entry of an earlier review, and what is made of it.

use uuid::Uuid;

use crate::student_review::entity::Entry;
use crate::words::{Origin, PriorAnswer, Season};

/// An entry of the latest earlier review.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prior {
    /// Student.
    pub student_id: Uuid,
    /// As it was noted then.
    pub entry: Entry,
    /// School year of that review.
    pub school_year: i32,
    /// Season of that review.
    pub season: Season,
    /// What was answered here.
    pub answer: Option<PriorAnswer>,
    /// The entry that was made of it here.
    pub made: Option<Uuid>,
}

/// An answer to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// As it was: an entry under this id.
    StillTrue(Uuid),
    /// In another way: this entry.
    Changed(Box<Entry>),
    /// Not any more.
    NoLonger,
}

impl Answer {
    /// As tables write it.
    pub fn word(&self) -> PriorAnswer {
        match self {
            Self::StillTrue(_) => PriorAnswer::StillTrue,
            Self::Changed(_) => PriorAnswer::Changed,
            Self::NoLonger => PriorAnswer::NoLonger,
        }
    }

    /// Id of the entry that it makes.
    pub fn new_id(&self) -> Option<Uuid> {
        match self {
            Self::StillTrue(id) => Some(*id),
            Self::Changed(entry) => Some(entry.id),
            Self::NoLonger => None,
        }
    }
}

impl Prior {
    /// The entry that an answer makes of it: with where it came from, since when it is so, and no more open than it was.
    pub fn carried(&self, answer: Answer, author: Uuid) -> Option<Entry> {
        let known_since = self.entry.since.unwrap_or_else(|| chassis_clock::day_of(self.entry.recorded_at));
        let new = match answer {
            Answer::StillTrue(id) => Entry { id, since: Some(known_since), ..self.entry.clone() },
            Answer::Changed(entry) => Entry {
                polarity: self.entry.polarity,
                since: Some(entry.since.unwrap_or(known_since)),
                sensitivity: entry.sensitivity.max(self.entry.sensitivity),
                ..*entry
            },
            Answer::NoLonger => return None,
        };
        Some(Entry { version: 0, author, origin: Some(Origin::Carried), from: Some(self.entry.id), superseded_by: None, ..new })
    }
}
