//! Demographic groups, counted by the roster for this service itself, after access is decided. Nothing is stored.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use chassis_access::ServiceIdentity;
use chassis_rpc::Channel;
use proto::rosters::v1::roster_service_client::RosterServiceClient;
use proto::rosters::v1::{LabelledStudents, TallyStudentGroupsRequest};
use uuid::Uuid;

use super::entity::GroupTally;
use crate::error::ReportError;

/// Students of one question at the most.
const MOST: usize = 200_000;

/// Where groups are counted.
#[async_trait]
pub trait Groups: Send + Sync {
    /// How many of these students, each with one tier, are of which group.
    async fn tally(&self, group_by: &'static str, students: BTreeMap<String, Vec<Uuid>>) -> Result<Vec<GroupTally>, ReportError>;
}

/// The rosters service.
pub struct Roster {
    channel: Channel,
    identity: Arc<ServiceIdentity>,
}

impl Roster {
    /// By this channel, as this service.
    pub fn new(channel: Channel, identity: Arc<ServiceIdentity>) -> Self {
        Self { channel, identity }
    }
}

#[async_trait]
impl Groups for Roster {
    async fn tally(&self, group_by: &'static str, students: BTreeMap<String, Vec<Uuid>>) -> Result<Vec<GroupTally>, ReportError> {
        let mut tallies = Vec::new();
        for labelled in questions(students, MOST) {
            let message = TallyStudentGroupsRequest { group_by: group_by.to_owned(), labelled };
            let request = self.identity.request(message).await.map_err(|error| away(&error))?;
            let answer = RosterServiceClient::new(self.channel.clone()).tally_student_groups(request).await.map_err(|status| away(&status))?;
            tallies.extend(answer.into_inner().tallies.into_iter().map(|line| GroupTally { group: line.group, tier: line.label, count: line.count }));
        }
        Ok(tallies)
    }
}

/// The roster's refusals, and that we have no token for it, are our failures: the caller asked for nothing wrong.
fn away(error: &(dyn std::error::Error + 'static)) -> ReportError {
    tracing::warn!(error, "the roster did not count groups");
    ReportError::RosterAway
}

/// Students as questions of at most `most` each. Every student is in one, so the answers add up.
fn questions(students: BTreeMap<String, Vec<Uuid>>, most: usize) -> Vec<Vec<LabelledStudents>> {
    let mut questions: Vec<Vec<LabelledStudents>> = Vec::new();
    let mut room = 0;
    for (label, students) in students {
        let mut rest = students.as_slice();
        while !rest.is_empty() {
            if room == 0 {
                questions.push(Vec::new());
                room = most;
            }
            let (now, later) = rest.split_at(room.min(rest.len()));
            let student_ids = now.iter().flat_map(|id| id.into_bytes()).collect();
            if let Some(question) = questions.last_mut() {
                question.push(LabelledStudents { label: label.clone(), student_ids });
            }
            room -= now.len();
            rest = later;
        }
    }
    questions
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_district_is_asked_for_in_parts() {
        let id = Uuid::from_u128;
        let students = BTreeMap::from([("Tier 1".to_owned(), (1..=5).map(id).collect()), ("Tier 3".to_owned(), (6..=7).map(id).collect())]);
        let parts: Vec<Vec<(String, usize)>> =
            questions(students, 4).into_iter().map(|part| part.into_iter().map(|one| (one.label, one.student_ids.len() / 16)).collect()).collect();
        assert_eq!(parts, [vec![("Tier 1".to_owned(), 4)], vec![("Tier 1".to_owned(), 1), ("Tier 3".to_owned(), 2)]]);
        assert!(questions(BTreeMap::new(), 4).is_empty());
    }
}
