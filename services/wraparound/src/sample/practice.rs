//! What coordinators do after the reviews, at the first schools of the sample: concerns, individual reviews, goals, a group with
//! its sessions, check-ins, aid, activities, a hand-over. My day and the students' pages have something to show.
//!
//! A step that an earlier, interrupted fill has done is refused as known and passed over.

use chrono::{Datelike as _, Days, NaiveDate, Weekday};
use proto::plans::v1::{
    Activity, AddPlanItemRequest, Aid, Attendance, AttendanceMark, CheckIn, CheckInNote, EnrolStudentRequest, GetPlanResponse, Goal, GoalMeasure, Group,
    OwnerKind, PlanItem, PlanItemKind, ProgressPoint, PutActivityRequest, PutCheckInRequest, PutGoalRequest, PutGroupRequest, RateEffectivenessRequest, Rater,
    Rating, RecordAidRequest, RecordCheckInRequest, RecordParticipationRequest, RecordProgressRequest, StartTransitionRequest, TakeAttendanceRequest,
    Transition, TransitionEnrolmentRequest, TrustedAdult, UpdatePlanRequest,
};
use proto::reviews::v1::{
    Concern, ConcernSource, ConcernUrgency, FamilyInvitation, IndividualReview, IndividualReviewTrigger, OpenIndividualReviewRequest,
    PrepareIndividualReviewRequest, RaiseConcernRequest, ScheduleIndividualReviewRequest, TeamMember, TriageConcernRequest, TriageDecision,
};
use proto::r#type::v1::{Domain, Sensitivity, Tier};
use tonic::{Code, Response, Status};
use uuid::Uuid;

use crate::acting::{Person, Services, planning, request_id, told};

/// A school's people and students.
pub struct Desk<'d> {
    /// Clients.
    pub services: &'d Services,
    /// The school.
    pub school: &'d str,
    /// Another school, for those who move.
    pub other_school: &'d str,
    /// By its ending year.
    pub school_year: i32,
    /// The coordinator, with their roster id.
    pub coordinator: (&'d Person, &'d str),
    /// A teacher of one of the classes, with their roster id.
    pub teacher: (&'d Person, &'d str),
    /// Students of that teacher whose plan is in force.
    pub students: &'d [String],
}

/// An answer; none where an earlier fill has done the step, or the state says that it went on since.
fn known<T>(doing: &str, answer: Result<Response<T>, Status>) -> anyhow::Result<Option<T>> {
    match answer {
        Ok(answer) => Ok(Some(answer.into_inner())),
        Err(status) if matches!(status.code(), Code::AlreadyExists | Code::FailedPrecondition | Code::Aborted) => Ok(None),
        Err(status) => Err(told(&status).context(doing.to_owned())),
    }
}

fn today() -> NaiveDate {
    chassis_clock::today()
}

fn ago(days: u64) -> String {
    (today() - Days::new(days)).to_string()
}

fn ahead(days: u64) -> String {
    (today() + Days::new(days)).to_string()
}

/// An id that follows from what it is of.
fn id(of: &str, what: &str) -> String {
    Uuid::new_v5(&Uuid::parse_str(of).unwrap_or_default(), what.as_bytes()).to_string()
}

impl Desk<'_> {
    /// All of it, for one school.
    pub async fn work(&self) -> anyhow::Result<()> {
        self.group().await?;
        self.activities().await?;
        for (n, student) in self.students.iter().enumerate().take(8) {
            let plan = planning::read(self.services, self.coordinator.0, student).await?;
            self.concern(n, student).await?;
            if n < 4 {
                self.header(n, &plan).await?;
                self.goal(n, &plan).await?;
            }
            if n < 2 {
                self.check_in(&plan).await?;
                self.aid(student).await?;
                self.rate(&plan).await?;
            }
            if plan.plan.as_ref().is_some_and(|p| p.tier() >= Tier::Tier2b) || n == 5 {
                self.individual_review(n, student).await?;
            }
        }
        if let Some(student) = self.students.last() {
            self.hand_over(student).await?;
        }
        Ok(())
    }

    async fn concern(&self, n: usize, student: &str) -> anyhow::Result<()> {
        let (urgency, text) = match n {
            0 => (ConcernUrgency::Urgent, "Cried at the gate and would not say why. Not like her at all."),
            1 => (ConcernUrgency::Routine, "Falls asleep before noon three days in a row."),
            2 => (ConcernUrgency::Routine, "Asked to sit alone at lunch since Monday."),
            _ => return Ok(()),
        };
        let concern = Concern {
            concern_id: id(student, "concern"),
            student_id: student.to_owned(),
            urgency: urgency.into(),
            source: ConcernSource::Staff.into(),
            domain: Domain::SocialEmotional.into(),
            text: text.to_owned(),
            ..Concern::default()
        };
        let request = RaiseConcernRequest { concern: Some(concern.clone()), request_id: request_id() };
        let raised = known("raise a concern", self.services.concerns().raise_concern(self.teacher.0.asks(request)).await)?;
        if let (2, Some(raised)) = (n, raised) {
            let request = TriageConcernRequest {
                concern_id: concern.concern_id,
                decision: TriageDecision::Watch.into(),
                note: "The lunch team keeps a seat beside her.".to_owned(),
                expected_version: raised.concern.map_or(1, |c| c.version),
                request_id: request_id(),
            };
            known("answer a concern", self.services.concerns().triage_concern(self.coordinator.0.asks(request)).await)?;
        }
        Ok(())
    }

    async fn individual_review(&self, n: usize, student: &str) -> anyhow::Result<()> {
        let (who, me) = self.coordinator;
        let request = OpenIndividualReviewRequest {
            student_id: student.to_owned(),
            trigger: IndividualReviewTrigger::StalledPlan.into(),
            request_id: request_id(),
            ..OpenIndividualReviewRequest::default()
        };
        let opened = known("open an individual review", self.services.concerns().open_individual_review(who.asks(request)).await)?;
        let Some(review) = opened.and_then(|o| o.individual_review) else { return Ok(()) };
        let member = |id: &str, role: &str| TeamMember { staff_id: id.to_owned(), role: role.to_owned(), ..TeamMember::default() };
        let request = PrepareIndividualReviewRequest {
            individual_review_id: review.individual_review_id.clone(),
            lead_id: me.to_owned(),
            team: vec![member(me, "coordinator"), member(self.teacher.1, "teacher"), member(&id(self.school, "counsellor"), "counsellor")],
            expected_version: review.version,
            request_id: request_id(),
        };
        let prepared = known("name a team", self.services.concerns().prepare_individual_review(who.asks(request)).await)?;
        let Some(review) = prepared.and_then(|p| p.individual_review) else { return Ok(()) };
        if n.is_multiple_of(2) { self.schedule(review).await } else { Ok(()) }
    }

    async fn schedule(&self, review: IndividualReview) -> anyhow::Result<()> {
        let request = ScheduleIndividualReviewRequest {
            individual_review_id: review.individual_review_id,
            meets_on: ahead(6),
            invitation: Some(FamilyInvitation {
                channel: "call".to_owned(),
                language: "es".to_owned(),
                interpreter: true,
                sent_on: ago(1),
                ..Default::default()
            }),
            expected_version: review.version,
            request_id: request_id(),
        };
        known("set a date", self.services.concerns().schedule_individual_review(self.coordinator.0.asks(request)).await)?;
        Ok(())
    }

    async fn header(&self, n: usize, plan: &GetPlanResponse) -> anyhow::Result<()> {
        let Some(plan) = plan.plan.as_ref().filter(|p| p.family_words.is_empty()) else { return Ok(()) };
        const HOPES: [&str; 4] = [
            "I want her to like school again and have one good friend.",
            "He should be able to ask for help without being ashamed.",
            "We want to know early when something is wrong.",
            "That she reads to her little brother by summer.",
        ];
        let aunt = TrustedAdult { staff_id: String::new(), relation: "aunt".to_owned(), note: "Collects on Fridays.".to_owned() };
        let teacher = TrustedAdult { staff_id: self.teacher.1.to_owned(), relation: String::new(), note: "Before the first bell.".to_owned() };
        let request = UpdatePlanRequest {
            plan_id: plan.plan_id.clone(),
            lead_id: self.coordinator.1.to_owned(),
            contributor_ids: vec![self.teacher.1.to_owned()],
            trusted_adults: vec![teacher, aunt],
            family_words: HOPES[n % HOPES.len()].to_owned(),
            family_words_by: "mother".to_owned(),
            next_look_on: ahead(28),
            languages: vec!["es".to_owned()],
            expected_version: plan.version,
            request_id: request_id(),
        };
        known("write a plan's header", self.services.plans().update_plan(self.coordinator.0.asks(request)).await)?;
        Ok(())
    }

    async fn goal(&self, n: usize, plan: &GetPlanResponse) -> anyhow::Result<()> {
        // A goal is as guarded as its needs, and the teacher notes the progress of this one.
        let open = plan.needs.iter().find(|need| need.sensitivity() == Sensitivity::General);
        let Some((plan_id, need)) = plan.plan.as_ref().zip(open).map(|(p, n)| (p.plan_id.clone(), n)) else { return Ok(()) };
        let goal = Goal {
            goal_id: id(&need.need_id, "goal"),
            plan_id,
            need_ids: vec![need.need_id.clone()],
            description: ["Stays in the game at recess.", "Hands homework in four days of five.", "Says when it is too much.", "Reads aloud once a day."]
                [n % 4]
                .to_owned(),
            measure: GoalMeasure::Other.into(),
            baseline: 1.0,
            target: 3.0,
            on_scale: true,
            starts_on: ago(35),
            ..Goal::default()
        };
        let request = PutGoalRequest { goal: Some(goal.clone()), expected_version: 0, request_id: request_id() };
        if known("set a goal", self.services.plans().put_goal(self.coordinator.0.asks(request)).await)?.is_none() {
            return Ok(());
        }
        for (days, value) in [(28, 1.0), (21, 1.0), (14, 2.0), (7, if n.is_multiple_of(2) { 3.0 } else { 2.0 })] {
            let point = ProgressPoint { progress_id: id(&goal.goal_id, &days.to_string()), observed_on: ago(days), value, ..ProgressPoint::default() };
            let request = RecordProgressRequest { goal_id: goal.goal_id.clone(), point: Some(point), request_id: request_id() };
            known("note progress", self.services.plans().record_progress(self.teacher.0.asks(request)).await)?;
        }
        Ok(())
    }

    async fn check_in(&self, plan: &GetPlanResponse) -> anyhow::Result<()> {
        let Some(plan) = plan.plan.as_ref() else { return Ok(()) };
        let check_in = CheckIn {
            check_in_id: id(&plan.plan_id, "check-in"),
            plan_id: plan.plan_id.clone(),
            staff_id: self.teacher.1.to_owned(),
            with: "family".to_owned(),
            every_weeks: 1,
            weekday: 5,
            about: "How the week went.".to_owned(),
            starts_on: ago(21),
            ..CheckIn::default()
        };
        let request = PutCheckInRequest { check_in: Some(check_in.clone()), expected_version: 0, request_id: request_id() };
        known("agree on a check-in", self.services.plans().put_check_in(self.teacher.0.asks(request)).await)?;
        let note = CheckInNote {
            note_id: id(&plan.plan_id, "check-in note"),
            on_date: ago(7),
            happened: true,
            from_staff: "Three good mornings.".to_owned(),
            from_family: "Sleeps better since the bedtime changed.".to_owned(),
            ..CheckInNote::default()
        };
        let request = RecordCheckInRequest { check_in_id: check_in.check_in_id, note: Some(note), request_id: request_id() };
        known("note a check-in", self.services.plans().record_check_in(self.teacher.0.asks(request)).await)?;
        Ok(())
    }

    async fn aid(&self, student: &str) -> anyhow::Result<()> {
        let aid = Aid {
            aid_id: id(student, "aid"),
            student_id: student.to_owned(),
            service_category: "BN-CLO".to_owned(),
            item: "Winter coat".to_owned(),
            quantity: 1,
            given_on: ago(10),
            received_by: "family".to_owned(),
            ..Aid::default()
        };
        let request = RecordAidRequest { aid: Some(aid), request_id: request_id() };
        known("note aid", self.services.deliveries().record_aid(self.coordinator.0.asks(request)).await)?;
        Ok(())
    }

    async fn rate(&self, plan: &GetPlanResponse) -> anyhow::Result<()> {
        let Some(need) = plan.needs.first() else { return Ok(()) };
        for (rater, points) in [(Rater::Coordinator, 4), (Rater::Family, 5)] {
            let rating = Rating {
                rating_id: id(&need.need_id, rater.as_str_name()),
                student_id: need.student_id.clone(),
                need_id: need.need_id.clone(),
                rater: rater.into(),
                points,
                words: if rater == Rater::Family { "It helps a lot.".to_owned() } else { String::new() },
                rated_on: ago(2),
                ..Rating::default()
            };
            let request = RateEffectivenessRequest { rating: Some(rating), request_id: request_id() };
            known("rate what helped", self.services.follow_ups().rate_effectiveness(self.coordinator.0.asks(request)).await)?;
        }
        Ok(())
    }

    async fn hand_over(&self, student: &str) -> anyhow::Result<()> {
        let transition = Transition {
            transition_id: id(student, "hand-over"),
            student_id: student.to_owned(),
            to_school_id: self.other_school.to_owned(),
            kind: "school".to_owned(),
            first_day_on: ahead(14),
            note: "Likes to be shown around before the first day.".to_owned(),
            ..Transition::default()
        };
        let request = StartTransitionRequest { transition: Some(transition), request_id: request_id() };
        known("hand a student over", self.services.follow_ups().start_transition(self.coordinator.0.asks(request)).await)?;
        Ok(())
    }

    async fn activities(&self) -> anyhow::Result<()> {
        for (name, category, days, count) in [("Breakfast for everybody", "BN-FOOD", 14, 212), ("Reading night", "FA-ENG", 20, 96)] {
            let activity = Activity {
                activity_id: id(self.school, name),
                school_id: self.school.to_owned(),
                school_year: self.school_year,
                name: name.to_owned(),
                service_category: category.to_owned(),
                first_on: ago(days),
                last_on: ago(days - 5),
                ..Activity::default()
            };
            let request = PutActivityRequest { activity: Some(activity.clone()), expected_version: 0, request_id: request_id() };
            known("add an activity", self.services.deliveries().put_activity(self.coordinator.0.asks(request)).await)?;
            let request =
                RecordParticipationRequest { activity_id: activity.activity_id, on_date: ago(days), count, student_ids: Vec::new(), request_id: request_id() };
            known("count who took part", self.services.deliveries().record_participation(self.coordinator.0.asks(request)).await)?;
        }
        Ok(())
    }

    /// A group of five with the sessions of three weeks; the latest one still waits for its attendance.
    async fn group(&self) -> anyhow::Result<()> {
        let (who, _) = self.coordinator;
        let group = Group {
            group_id: id(self.school, "friendship group"),
            school_id: self.school.to_owned(),
            school_year: self.school_year,
            name: "Friendship group".to_owned(),
            service_category: "SE-GRP".to_owned(),
            leader_id: self.teacher.1.to_owned(),
            weekdays: vec![2, 4],
            starts_at: "15:10".to_owned(),
            minutes_per_session: 30,
            first_on: ago(30),
            last_on: ahead(60),
            capacity: 8,
            ..Group::default()
        };
        let request = PutGroupRequest { group: Some(group.clone()), expected_version: 0, request_id: request_id() };
        if known("set a group up", self.services.deliveries().put_group(who.asks(request)).await)?.is_none() {
            return Ok(());
        }
        let sessions = sessions(today(), 6);
        let Some(first) = sessions.first().map(ToString::to_string) else { return Ok(()) };
        let mut members = Vec::new();
        for student in self.students.iter().take(5) {
            members.extend(self.member(student, &group, &first).await?);
        }
        let Some(absent) = members.first() else { return Ok(()) };
        for (n, day) in sessions.iter().take(sessions.len() - 1).enumerate() {
            let mark = AttendanceMark { enrolment_id: absent.clone(), attendance: Attendance::AbsentUnexcused.into(), ..AttendanceMark::default() };
            let request = TakeAttendanceRequest {
                group_id: group.group_id.clone(),
                session_on: day.to_string(),
                // One of them comes twice and then no more.
                marks: if n < 2 { Vec::new() } else { vec![mark] },
                request_id: request_id(),
                ..TakeAttendanceRequest::default()
            };
            known("take attendance", self.services.deliveries().take_attendance(who.asks(request)).await)?;
        }
        Ok(())
    }

    async fn member(&self, student: &str, group: &Group, first: &str) -> anyhow::Result<Option<String>> {
        let (who, _) = self.coordinator;
        let plan = planning::read(self.services, who, student).await?;
        let plan_id = plan.plan.map(|p| p.plan_id).unwrap_or_default();
        let item = PlanItem {
            plan_item_id: id(student, "friendship item"),
            need_ids: plan.needs.first().map(|n| n.need_id.clone()).into_iter().collect(),
            builds_on_codes: vec!["SEB-HUM".to_owned()],
            kind: PlanItemKind::Service.into(),
            service_category: "SE-GRP".to_owned(),
            description: "Makes one friend in a small group.".to_owned(),
            owner: OwnerKind::Staff.into(),
            owner_id: self.teacher.1.to_owned(),
            first_step_owner: OwnerKind::Staff.into(),
            ..PlanItem::default()
        };
        let request = AddPlanItemRequest { plan_id, item: Some(item.clone()), request_id: request_id() };
        if known("add an item", self.services.plans().add_plan_item(who.asks(request)).await)?.is_none() {
            return Ok(None);
        }
        let request = EnrolStudentRequest {
            plan_item_id: item.plan_item_id,
            enrolment_id: id(student, "friendship place"),
            service_id: String::new(),
            sessions_per_week: 2,
            minutes_per_session: 30,
            weeks: 10,
            request_id: request_id(),
            group_id: group.group_id.clone(),
            starts_on: first.to_owned(),
        };
        let Some(mut enrolment) = known("offer a place", self.services.plans().enrol_student(who.asks(request)).await)?.and_then(|e| e.enrolment) else {
            return Ok(None);
        };
        for (transition, on) in [("accept", String::new()), ("start", first.to_owned())] {
            let request = TransitionEnrolmentRequest {
                enrolment_id: enrolment.enrolment_id.clone(),
                transition: transition.to_owned(),
                on_date: on,
                expected_version: enrolment.version,
                request_id: request_id(),
                ..TransitionEnrolmentRequest::default()
            };
            let Some(moved) = known(transition, self.services.plans().transition_enrolment(who.asks(request)).await)?.and_then(|e| e.enrolment) else {
                return Ok(None);
            };
            enrolment = moved;
        }
        Ok(Some(enrolment.enrolment_id))
    }
}

/// The latest Tuesdays and Thursdays, oldest first.
fn sessions(today: NaiveDate, count: usize) -> Vec<NaiveDate> {
    let days = (0..60).filter_map(|n| today.checked_sub_days(Days::new(n)));
    let mut days: Vec<NaiveDate> = days.filter(|day| matches!(day.weekday(), Weekday::Tue | Weekday::Thu)).take(count).collect();
    days.reverse();
    days
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sessions_are_the_latest_tuesdays_and_thursdays() {
        let day = |d| NaiveDate::from_ymd_opt(2026, 11, d).unwrap();
        assert_eq!(sessions(day(26), 3), [day(19), day(24), day(26)]);
    }

    #[test]
    fn a_step_that_was_done_before_is_passed_over() {
        let done: Result<Response<()>, Status> = Err(Status::already_exists("there"));
        assert!(known("raise a concern", done).unwrap().is_none());
        let wrong: Result<Response<()>, Status> = Err(Status::invalid_argument("no"));
        assert!(known("raise a concern", wrong).is_err());
    }
}
