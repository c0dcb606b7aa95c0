//! Concerns and individual reviews (handbook 5.4).

use chrono::Days;
use integration_tests::acts::{in_time, new_id, today};
use integration_tests::clients::Clients;
use proto::reviews::v1::{
    CloseConcernRequest, Concern, ConcernUrgency, DecideIndividualReviewRequest, Decision, DecisionOutcome, DeclineIndividualReviewRequest, FamilyInvitation,
    FamilyVoice, Finding, GetConcernRequest, GetIndividualReviewRequest, HoldIndividualReviewRequest, IndividualReview, IndividualReviewTrigger,
    OpenIndividualReviewRequest, PrepareIndividualReviewRequest, RaiseConcernRequest, ReviewIndividualReviewRequest, ScheduleIndividualReviewRequest,
    SuspendIndividualReviewRequest, TeamMember, TriageConcernRequest, TriageDecision,
};
use proto::r#type::v1::Domain;
use tonic::Status;

use super::{Driver, SEQUENCES, Table, seen_both, walk};
use crate::house::house;

const CONCERN: &str = "
    raised  triage triaged
    triaged close  closed
";

struct Raised {
    id: String,
    who: Clients,
}

impl Driver for Raised {
    async fn act(&mut self, command: &str, version: i64, request_id: &str) -> Result<(), Status> {
        let (concern_id, expected_version, request_id) = (self.id.clone(), version, request_id.to_owned());
        let note = "as it was".to_owned();
        match command {
            "triage" => {
                let request = TriageConcernRequest { concern_id, decision: TriageDecision::Watch.into(), note, expected_version, request_id };
                self.who.concerns.triage_concern(request).await.map(|_| ())
            }
            _ => self.who.concerns.close_concern(CloseConcernRequest { concern_id, note, expected_version, request_id }).await.map(|_| ()),
        }
    }

    async fn look(&mut self) -> (String, i64) {
        let concern = self.who.concerns.get_concern(GetConcernRequest { concern_id: self.id.clone() }).await.unwrap().into_inner().concern.unwrap();
        (concern.state().as_str_name().trim_start_matches("CONCERN_STATE_").to_lowercase(), concern.version)
    }
}

#[tokio::test]
async fn a_concern_moves_as_the_handbook_says() {
    let house = house().await;
    let who = house.district.clients(&house.coordinators[0]);
    let table = Table::read(CONCERN);
    let mut walks = Vec::new();
    for seed in 0..SEQUENCES * 3 {
        let concern = Concern {
            concern_id: new_id(),
            student_id: house.rooms[1].students[0].clone(),
            urgency: ConcernUrgency::Routine.into(),
            text: "quieter than last week".to_owned(),
            ..Concern::default()
        };
        in_time("raise a concern", || {
            let (mut who, request) = (who.clone(), RaiseConcernRequest { concern: Some(concern.clone()), request_id: new_id() });
            async move { who.concerns.raise_concern(request).await }
        })
        .await;
        walks.push(walk(&table, &mut Raised { id: concern.concern_id, who: who.clone() }, seed).await);
    }
    seen_both(&walks);
}

/// A `suspend` remembers where it was: the state is then written `on_hold:` with that.
const INDIVIDUAL_REVIEW: &str = "
    proposed               decline  not_needed
    proposed|preparing     prepare  preparing
    scheduled              prepare  scheduled
    preparing|scheduled    schedule scheduled
    scheduled              hold     held
    held|under_review      decide   decided
    decided|under_review   review   under_review
    decided|under_review   end      closed
    proposed               suspend  on_hold:proposed
    preparing              suspend  on_hold:preparing
    scheduled              suspend  on_hold:scheduled
    held                   suspend  on_hold:held
    decided                suspend  on_hold:decided
    under_review           suspend  on_hold:under_review
    on_hold:proposed       resume   proposed
    on_hold:preparing      resume   preparing
    on_hold:scheduled      resume   scheduled
    on_hold:held           resume   held
    on_hold:decided        resume   decided
    on_hold:under_review   resume   under_review
";

struct Individual {
    id: String,
    who: Clients,
    me: String,
    others: [String; 2],
    decision_id: String,
    /// Where it was before it was put on hold.
    before: String,
}

impl Individual {
    async fn read(&mut self) -> IndividualReview {
        let request = GetIndividualReviewRequest { individual_review_id: self.id.clone() };
        self.who.concerns.get_individual_review(request).await.unwrap().into_inner().individual_review.unwrap()
    }

    fn team(&self) -> Vec<TeamMember> {
        let member = |id: &str, role: &str| TeamMember { staff_id: id.to_owned(), role: role.to_owned(), ..TeamMember::default() };
        vec![member(&self.me, "coordinator"), member(&self.others[0], "teacher"), member(&self.others[1], "counsellor")]
    }
}

impl Driver for Individual {
    async fn act(&mut self, command: &str, version: i64, request_id: &str) -> Result<(), Status> {
        let (individual_review_id, expected_version, request_id) = (self.id.clone(), version, request_id.to_owned());
        let reason = "as it was".to_owned();
        let (team, me) = (self.team(), self.me.clone());
        let concerns = &mut self.who.concerns;
        match command {
            "decline" => {
                let seconded_by = self.others[0].clone();
                let request = DeclineIndividualReviewRequest { individual_review_id, reason, seconded_by, expected_version, request_id };
                concerns.decline_individual_review(request).await.map(|_| ())
            }
            "prepare" => {
                let request = PrepareIndividualReviewRequest { individual_review_id, lead_id: me, team, expected_version, request_id };
                concerns.prepare_individual_review(request).await.map(|_| ())
            }
            "schedule" => {
                let invitation = FamilyInvitation { not_invited_reason: "cannot_reach_after_3".to_owned(), ..FamilyInvitation::default() };
                let meets_on = today().to_string();
                let request = ScheduleIndividualReviewRequest { individual_review_id, meets_on, invitation: Some(invitation), expected_version, request_id };
                concerns.schedule_individual_review(request).await.map(|_| ())
            }
            "hold" => {
                let request = HoldIndividualReviewRequest {
                    individual_review_id,
                    attended_staff_ids: vec![me],
                    family_voice: FamilyVoice::Unreachable.into(),
                    family_words: String::new(),
                    expected_version,
                    request_id,
                };
                concerns.hold_individual_review(request).await.map(|_| ())
            }
            "decide" => {
                let decision = Decision {
                    decision_id: self.decision_id.clone(),
                    text: "a morning greeting".to_owned(),
                    item_kind: "school_support".to_owned(),
                    owner: "staff".to_owned(),
                    owner_id: me.clone(),
                    due_on: (today() + Days::new(7)).to_string(),
                    ..Decision::default()
                };
                let request = DecideIndividualReviewRequest {
                    individual_review_id,
                    findings: vec![Finding { domain: Domain::SocialEmotional.into(), text: "misses a friend".to_owned() }],
                    decisions: vec![decision],
                    review_on: String::new(),
                    family_words: String::new(),
                    agreed_staff_ids: vec![me],
                    expected_version,
                    request_id,
                };
                concerns.decide_individual_review(request).await.map(|_| ())
            }
            "review" | "end" => {
                let outcome = DecisionOutcome { decision_id: self.decision_id.clone(), outcome: "helped".to_owned(), note: String::new() };
                let (close, outcomes) = (command == "end", vec![outcome]);
                let request = ReviewIndividualReviewRequest { individual_review_id, outcomes, close, reason, expected_version, request_id };
                concerns.review_individual_review(request).await.map(|_| ())
            }
            _ => {
                let suspend = command == "suspend";
                let look_again_on = if suspend { (today() + Days::new(14)).to_string() } else { String::new() };
                let reason = if suspend { reason } else { String::new() };
                let request = SuspendIndividualReviewRequest { individual_review_id, suspend, reason, look_again_on, expected_version, request_id };
                concerns.suspend_individual_review(request).await.map(|_| ())
            }
        }
    }

    async fn look(&mut self) -> (String, i64) {
        let review = self.read().await;
        let word = review.state().as_str_name().trim_start_matches("INDIVIDUAL_REVIEW_STATE_").to_lowercase();
        if word == "on_hold" {
            return (format!("on_hold:{}", self.before), review.version);
        }
        self.before.clone_from(&word);
        (word, review.version)
    }
}

#[tokio::test]
async fn an_individual_review_moves_as_the_handbook_says() {
    let house = house().await;
    let claims = &house.coordinators[0];
    let who = house.district.clients(claims);
    let table = Table::read(INDIVIDUAL_REVIEW);
    let mut walks = Vec::new();
    for (seed, student_id) in (0..SEQUENCES * 2).zip(house.rooms[1].students.iter().skip(1)) {
        let request = OpenIndividualReviewRequest {
            student_id: student_id.clone(),
            trigger: IndividualReviewTrigger::FamilyRequest.into(),
            request_id: new_id(),
            ..OpenIndividualReviewRequest::default()
        };
        let opened = in_time("open an individual review", || {
            let (mut who, request) = (who.clone(), request.clone());
            async move { who.concerns.open_individual_review(request).await }
        })
        .await
        .individual_review
        .unwrap();
        let mut driver = Individual {
            id: opened.individual_review_id,
            who: who.clone(),
            me: claims.staff_id.clone().unwrap(),
            others: [house.rooms[1].teacher.staff_id.clone(), new_id()],
            decision_id: new_id(),
            before: "proposed".to_owned(),
        };
        walks.push(walk(&table, &mut driver, seed).await);
    }
    seen_both(&walks);
}
