//! A line of the ledger and its hash: pure.

use chrono::{DateTime, SecondsFormat, Utc};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

/// Which way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// To the partner.
    Out,
    /// Taken out of the partner's view again.
    Recalled,
}

impl Direction {
    /// As tables write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Out => "out",
            Self::Recalled => "recalled",
        }
    }
}

/// One line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Id.
    pub disclosure_id: Uuid,
    /// Whose chain.
    pub student_id: Uuid,
    /// Place in the chain, from 1.
    pub sequence: i64,
    /// When, to the microsecond as the database keeps it.
    pub at: DateTime<Utc>,
    /// `out`, `recalled`.
    pub direction: String,
    /// Who received.
    pub partner_id: Uuid,
    /// `consent`.
    pub legal_basis: String,
    /// The consent.
    pub consent_id: Option<Uuid>,
    /// What.
    pub scopes: Vec<String>,
    /// With which referral.
    pub referral_id: Uuid,
    /// `grpc`.
    pub channel: String,
    /// Who sent it.
    pub by_staff_id: Uuid,
    /// Hash over the line before and this one.
    pub hash: Vec<u8>,
}

/// What the first line of a chain follows.
pub const GENESIS: [u8; 32] = [0; 32];

impl Line {
    /// The hash that this line must have after `previous`. Each field goes in with its length, so that no two lines
    /// read the same.
    pub fn expected_hash(&self, previous: &[u8]) -> Vec<u8> {
        let mut digest = Sha256::new();
        digest.update(previous);
        let mut field = |text: &str| {
            digest.update((text.len() as u64).to_be_bytes());
            digest.update(text.as_bytes());
        };
        field(&self.disclosure_id.to_string());
        field(&self.student_id.to_string());
        field(&self.sequence.to_string());
        field(&self.at.to_rfc3339_opts(SecondsFormat::Micros, true));
        field(&self.direction);
        field(&self.partner_id.to_string());
        field(&self.legal_basis);
        field(&self.consent_id.map(|id| id.to_string()).unwrap_or_default());
        field(&self.scopes.len().to_string());
        for scope in &self.scopes {
            field(scope);
        }
        field(&self.referral_id.to_string());
        field(&self.channel);
        field(&self.by_staff_id.to_string());
        digest.finalize().to_vec()
    }
}

/// Follows a chain from its beginning.
#[derive(Clone, Debug)]
pub struct Chain {
    sequence: i64,
    hash: Vec<u8>,
    whole: bool,
}

impl Default for Chain {
    fn default() -> Self {
        Self { sequence: 0, hash: GENESIS.to_vec(), whole: true }
    }
}

impl Chain {
    /// The next line.
    pub fn follow(&mut self, line: &Line) {
        self.sequence += 1;
        self.whole &= line.sequence == self.sequence && line.hash == line.expected_hash(&self.hash);
        self.hash.clone_from(&line.hash);
    }

    /// Whether nothing was changed, left out or taken away, given where the chain is said to end.
    pub fn intact(&self, head: Option<(i64, &[u8])>) -> bool {
        let (sequence, hash) = head.unwrap_or((0, &GENESIS));
        self.whole && self.sequence == sequence && self.hash == hash
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chain(length: i64) -> Vec<Line> {
        let mut previous = GENESIS.to_vec();
        let student_id = Uuid::now_v7();
        (1..=length)
            .map(|sequence| {
                let mut line = Line {
                    disclosure_id: Uuid::now_v7(),
                    student_id,
                    sequence,
                    at: Utc::now(),
                    direction: "out".to_owned(),
                    partner_id: Uuid::now_v7(),
                    legal_basis: "consent".to_owned(),
                    consent_id: Some(Uuid::now_v7()),
                    scopes: vec!["identity".to_owned(), "needs".to_owned()],
                    referral_id: Uuid::now_v7(),
                    channel: "grpc".to_owned(),
                    by_staff_id: Uuid::now_v7(),
                    hash: vec![],
                };
                line.hash = line.expected_hash(&previous);
                previous = line.hash.clone();
                line
            })
            .collect()
    }

    fn intact(lines: &[Line], head: &Line) -> bool {
        let mut chain = Chain::default();
        lines.iter().for_each(|line| chain.follow(line));
        chain.intact(Some((head.sequence, &head.hash)))
    }

    #[test]
    fn whatever_is_changed_in_a_chain_is_seen() {
        let lines = chain(4);
        let head = lines[3].clone();
        assert!(intact(&lines, &head));
        type Change = (&'static str, fn(&mut Vec<Line>));
        let changes: [Change; 12] = [
            ("id", |l| l[1].disclosure_id = Uuid::now_v7()),
            ("student", |l| l[1].student_id = Uuid::now_v7()),
            ("time", |l| l[1].at += chrono::Duration::microseconds(1)),
            ("direction", |l| l[1].direction = "recalled".to_owned()),
            ("partner", |l| l[1].partner_id = Uuid::now_v7()),
            ("consent", |l| l[1].consent_id = None),
            ("scopes", |l| l[1].scopes = vec!["identity".to_owned()]),
            ("scopes joined", |l| l[1].scopes = vec!["identityneeds".to_owned()]),
            ("staff", |l| l[3].by_staff_id = Uuid::now_v7()),
            ("a line left out", |l| drop(l.remove(1))),
            ("the last line taken away", |l| drop(l.pop())),
            ("two lines changed about", |l| l.swap(1, 2)),
        ];
        for (what, change) in changes {
            let mut changed = lines.clone();
            change(&mut changed);
            assert!(!intact(&changed, &head), "{what}");
        }
        assert!(Chain::default().intact(None));
        assert!(!Chain::default().intact(Some((4, &head.hash))), "all lines taken away");
    }
}
