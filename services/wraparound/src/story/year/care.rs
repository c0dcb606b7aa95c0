//! A concern, the individual review that follows it, and the need that is understood anew there.

use chrono::Days;
use proto::reviews::v1::{
    AssignTierRequest, Concern, ConcernSource, ConcernUrgency, DecideIndividualReviewRequest, Decision, Entry, EntrySource, FamilyInvitation, FamilyVoice,
    Finding, GetStudentReviewRequest, HoldIndividualReviewRequest, IndividualReview, ListTierAssignmentsRequest, Polarity, PrepareIndividualReviewRequest,
    PromoteObservationRequest, RaiseConcernRequest, ReclassifyNeedRequest, ScheduleIndividualReviewRequest, StudentReview, TeamMember, TriageConcernRequest,
    TriageDecision,
};
use proto::r#type::v1::{Certainty, Domain, Sensitivity, Tier};
use uuid::Uuid;

use super::told::{Thing, thing};
use super::{Scene, Year};
use crate::acting::{Told as _, patiently, request_id};

/// What came of it.
pub(super) struct Care {
    /// The need as it is understood now.
    pub need: String,
    /// Decisions, which become plan items.
    pub decisions: Vec<String>,
    /// The individual review.
    pub individual_review: String,
}

fn told(review: &IndividualReview) -> Vec<Thing> {
    vec![thing("individual_review_id", &review.individual_review_id, review.state().as_str_name())]
}

impl Year {
    pub(super) async fn care(&mut self, scene: &Scene) -> anyhow::Result<Care> {
        let review = self.concern(scene).await?;
        let review = self.meeting(scene, review).await?;
        let need = self.understood_anew(scene).await?;
        let decided = self.decide(scene, review, &need).await?;
        self.tier(scene, &decided).await?;
        let decisions = decided.decisions.iter().map(|d| d.decision_id.clone()).collect();
        Ok(Care { need, decisions, individual_review: decided.individual_review_id })
    }

    async fn concern(&mut self, scene: &Scene) -> anyhow::Result<IndividualReview> {
        let services = self.services.clone();
        let concern = Concern {
            concern_id: Uuid::now_v7().to_string(),
            student_id: scene.grieving().to_owned(),
            urgency: ConcernUrgency::Routine.into(),
            source: ConcernSource::Staff.into(),
            domain: Domain::SocialEmotional.into(),
            code: "SEB-SUD".to_owned(),
            text: "Left the room in tears when the timed sheets came out, twice this week.".to_owned(),
            ..Concern::default()
        };
        let raised = patiently("raise a concern", || {
            let mut client = services.concerns();
            let request = scene.teacher.who.asks(RaiseConcernRequest { concern: Some(concern.clone()), request_id: request_id() });
            async move { client.raise_concern(request).await }
        })
        .await?
        .concern
        .unwrap_or_default();
        self.step("the teacher raises a concern", vec![thing("concern_id", &concern.concern_id, raised.state().as_str_name())]);
        let request = TriageConcernRequest {
            concern_id: concern.concern_id.clone(),
            decision: TriageDecision::IndividualReview.into(),
            note: "Three of us should look at this together, with the family.".to_owned(),
            expected_version: raised.version.max(1),
            request_id: request_id(),
        };
        let answer = services.concerns().triage_concern(scene.coordinator.who.asks(request)).await.told("triage the concern")?;
        let review = answer.individual_review.unwrap_or_default();
        let mut things = vec![thing("concern_id", &concern.concern_id, answer.concern.unwrap_or_default().triage().as_str_name())];
        things.extend(told(&review));
        self.step("the coordinator answers it the same day: an individual review", things);
        Ok(review)
    }

    async fn meeting(&mut self, scene: &Scene, review: IndividualReview) -> anyhow::Result<IndividualReview> {
        let services = self.services.clone();
        let who = &scene.coordinator.who;
        let member = |staff: &super::Staff, role: &str| TeamMember { staff_id: staff.id.clone(), role: role.to_owned(), ..TeamMember::default() };
        let request = PrepareIndividualReviewRequest {
            individual_review_id: review.individual_review_id.clone(),
            lead_id: scene.coordinator.id.clone(),
            team: vec![member(&scene.teacher, "teacher"), member(&scene.coordinator, "coordinator"), member(&scene.counsellor, "counsellor")],
            expected_version: review.version,
            request_id: request_id(),
        };
        let review = services.concerns().prepare_individual_review(who.asks(request)).await.told("name the team")?.individual_review.unwrap_or_default();
        self.step("a team is named", told(&review));
        let today = chassis_clock::today();
        let request = ScheduleIndividualReviewRequest {
            individual_review_id: review.individual_review_id.clone(),
            meets_on: today.to_string(),
            invitation: Some(FamilyInvitation {
                channel: "call".to_owned(),
                language: "es".to_owned(),
                interpreter: true,
                sent_on: (today - Days::new(3)).to_string(),
                not_invited_reason: String::new(),
            }),
            expected_version: review.version,
            request_id: request_id(),
        };
        let review = services.concerns().schedule_individual_review(who.asks(request)).await.told("set the date")?.individual_review.unwrap_or_default();
        self.step("a date is set and the family invited by a call in Spanish, with an interpreter", told(&review));
        let request = HoldIndividualReviewRequest {
            individual_review_id: review.individual_review_id.clone(),
            attended_staff_ids: vec![scene.teacher.id.clone(), scene.coordinator.id.clone(), scene.counsellor.id.clone()],
            family_voice: FamilyVoice::Attended.into(),
            family_words: "It is not the numbers. His grandfather, who did sums with him every evening, died in August.".to_owned(),
            expected_version: review.version,
            request_id: request_id(),
        };
        let review = services.concerns().hold_individual_review(who.asks(request)).await.told("hold the meeting")?.individual_review.unwrap_or_default();
        self.step("the meeting is held; the mother tells what it is", told(&review));
        Ok(review)
    }

    async fn student_review(&self, scene: &Scene) -> anyhow::Result<StudentReview> {
        let who = &scene.coordinator.who;
        let request = ListTierAssignmentsRequest { student_id: scene.grieving().to_owned() };
        self.services.reviews().list_tier_assignments(who.asks(request)).await.told("read the student's tiers")?;
        let reviews = self.services.reviews().list_class_reviews(who.asks(Default::default())).await.told("list the class reviews")?.class_reviews;
        let review = reviews.into_iter().find(|r| r.class_id == scene.class.class_id).unwrap_or_default();
        let request = GetStudentReviewRequest { class_review_id: review.class_review_id, student_id: scene.grieving().to_owned() };
        Ok(self.services.reviews().get_student_review(who.asks(request)).await.told("read the student's review")?.student_review.unwrap_or_default())
    }

    /// Mathematics was what it looked like; the family knows that it is grief. What was seen becomes a need of its own.
    async fn understood_anew(&mut self, scene: &Scene) -> anyhow::Result<String> {
        let services = self.services.clone();
        let who = &scene.coordinator.who;
        let review = self.student_review(scene).await?;
        let find = |polarity: Polarity| review.entries.iter().find(|e| e.polarity() == polarity).cloned().unwrap_or_default();
        let former = find(Polarity::Need);
        let grief = Entry {
            entry_id: Uuid::now_v7().to_string(),
            polarity: Polarity::Need.into(),
            code: "SEB-GRF".to_owned(),
            severity: 2,
            certainty: Certainty::Confirmed.into(),
            source: EntrySource::Family.into(),
            confirmed_by: EntrySource::Family.into(),
            ..Entry::default()
        };
        let request = ReclassifyNeedRequest {
            student_id: scene.grieving().to_owned(),
            entry_id: former.entry_id.clone(),
            entry: Some(grief),
            reason: "His mother told us at the meeting.".to_owned(),
            expected_version: former.version,
            request_id: request_id(),
        };
        let answer = services.reviews().reclassify_need(who.asks(request)).await.told("understand the need anew")?;
        let (need, kept) = (answer.entry.unwrap_or_default(), answer.former.unwrap_or_default());
        anyhow::ensure!(kept.superseded_by == need.entry_id && need.from_entry_id == kept.entry_id, "both entries are kept and know each other");
        self.step(
            "the need is understood anew by what the family knows; both entries are kept",
            vec![thing("need_id", &kept.entry_id, format!("{} (superseded)", kept.code)), thing("need_id", &need.entry_id, format!("{} confirmed", need.code))],
        );
        let seen = find(Polarity::Observation);
        let request = PromoteObservationRequest {
            student_id: scene.grieving().to_owned(),
            entry_id: seen.entry_id.clone(),
            entry: Some(Entry {
                entry_id: Uuid::now_v7().to_string(),
                polarity: Polarity::Need.into(),
                code: seen.code.clone(),
                severity: 1,
                certainty: Certainty::Observed.into(),
                source: EntrySource::Teacher.into(),
                ..Entry::default()
            }),
            expected_version: seen.version,
            request_id: request_id(),
        };
        let promoted = services.reviews().promote_observation(who.asks(request)).await.told("make a need of what was seen")?.entry.unwrap_or_default();
        self.step(
            "what the teacher had only observed becomes a need",
            vec![thing("entry_id", &seen.entry_id, "observation"), thing("need_id", &promoted.entry_id, promoted.code.clone())],
        );
        Ok(need.entry_id)
    }

    async fn decide(&mut self, scene: &Scene, review: IndividualReview, need: &str) -> anyhow::Result<IndividualReview> {
        let who = &scene.coordinator.who;
        let due = chassis_clock::today() + Days::new(7);
        let decision = |text: &str, kind: &str, category: &str, owner: &str, owner_id: &str| Decision {
            decision_id: Uuid::now_v7().to_string(),
            text: text.to_owned(),
            need_ids: vec![need.to_owned()],
            item_kind: kind.to_owned(),
            service_category: category.to_owned(),
            owner: owner.to_owned(),
            owner_id: owner_id.to_owned(),
            due_on: due.to_string(),
            ..Decision::default()
        };
        let request = DecideIndividualReviewRequest {
            individual_review_id: review.individual_review_id.clone(),
            findings: vec![
                Finding { domain: Domain::Academics.into(), text: "Knows the work; freezes when it is timed.".to_owned() },
                Finding { domain: Domain::SocialEmotional.into(), text: "Grieves for his grandfather.".to_owned() },
            ],
            decisions: vec![
                decision("A group for children who have lost somebody.", "service", "SE-GRF", "staff", &scene.counsellor.id),
                decision("Sums with his aunt in the evening, never timed.", "home_strategy", "", "family", ""),
            ],
            review_on: String::new(),
            family_words: "After school, not during it.".to_owned(),
            agreed_staff_ids: vec![scene.teacher.id.clone(), scene.coordinator.id.clone(), scene.counsellor.id.clone()],
            expected_version: review.version,
            request_id: request_id(),
        };
        let decided = self.services.concerns().decide_individual_review(who.asks(request)).await.told("decide")?.individual_review.unwrap_or_default();
        anyhow::ensure!(!decided.review_on.is_empty(), "there is a date to look again");
        let mut things = told(&decided);
        things.extend(decided.decisions.iter().map(|d| thing("decision_id", &d.decision_id, format!("{}, {} owns it", d.item_kind, d.owner))));
        self.step(&format!("findings and two decisions; the team looks again on {}", decided.review_on), things);
        Ok(decided)
    }

    async fn tier(&mut self, scene: &Scene, decided: &IndividualReview) -> anyhow::Result<()> {
        let who = &scene.coordinator.who;
        let request = AssignTierRequest {
            student_id: scene.grieving().to_owned(),
            tier: Tier::Tier2b.into(),
            source: "isr".to_owned(),
            reason: String::new(),
            reason_text: String::new(),
            request_id: request_id(),
            origin_id: decided.individual_review_id.clone(),
        };
        let assigned = self.services.reviews().assign_tier(who.asks(request)).await.told("decide the tier")?.assignment.unwrap_or_default();
        anyhow::ensure!(decided.sensitivity() != Sensitivity::General, "an individual review is restricted unless said otherwise");
        self.step("the tier is set again, from 2a to 2b", vec![thing("tier_assignment_id", &assigned.tier_assignment_id, assigned.tier().as_str_name())]);
        Ok(())
    }
}
