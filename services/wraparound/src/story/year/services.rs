//! A group, its sessions, and what came of it.

use chrono::{Datelike as _, Days, NaiveDate, Weekday};
use proto::plans::v1::{
    Aid, Attendance, AttendanceMark, CorrectDeliveryRequest, Delivery, EnrolStudentRequest, Enrolment, FollowUp, FollowUpState, GetGroupRequest, Group,
    ListDeliveriesRequest, ListFollowUpsRequest, ListRatingsRequest, PutGroupRequest, RateEffectivenessRequest, Rater, Rating, RecordAidRequest,
    TakeAttendanceRequest, TransitionEnrolmentRequest, TransitionFollowUpRequest, TransitionGoalRequest,
};
use uuid::Uuid;

use super::plan::Planned;
use super::told::thing;
use super::{Scene, Year};
use crate::acting::{Told as _, eventually, planning, request_id};

/// The latest Tuesdays and Thursdays, oldest first.
fn sessions(today: NaiveDate, count: usize) -> Vec<NaiveDate> {
    let mut days: Vec<NaiveDate> =
        (0..60).filter_map(|n| today.checked_sub_days(Days::new(n))).filter(|day| matches!(day.weekday(), Weekday::Tue | Weekday::Thu)).take(count).collect();
    days.reverse();
    days
}

impl Year {
    pub(super) async fn services_and_doses(&mut self, scene: &Scene, planned: &Planned) -> anyhow::Result<Enrolment> {
        let group = self.group(scene).await?;
        let enrolment = self.enrol(scene, planned, &group).await?;
        self.attend(scene, &group, &enrolment).await?;
        let request = RecordAidRequest {
            aid: Some(Aid {
                aid_id: Uuid::now_v7().to_string(),
                student_id: scene.most_support().to_owned(),
                service_category: "BN-CLO".to_owned(),
                item: "Winter coat".to_owned(),
                quantity: 1,
                given_on: chassis_clock::today().to_string(),
                received_by: "family".to_owned(),
                ..Aid::default()
            }),
            request_id: request_id(),
        };
        let aid = self.services.deliveries().record_aid(scene.coordinator.who.asks(request)).await.told("note tangible aid")?.aid.unwrap_or_default();
        self.step("another family gets a winter coat", vec![thing("aid_id", &aid.aid_id, aid.service_category.clone())]);
        Ok(enrolment)
    }

    async fn group(&mut self, scene: &Scene) -> anyhow::Result<Group> {
        let today = chassis_clock::today();
        let group = Group {
            group_id: Uuid::now_v7().to_string(),
            school_id: scene.school.school_id.clone(),
            school_year: self.school_year,
            name: "Remembering group".to_owned(),
            service_category: "SE-GRF".to_owned(),
            leader_id: scene.counsellor.id.clone(),
            weekdays: vec![2, 4],
            starts_at: "15:10".to_owned(),
            minutes_per_session: 30,
            first_on: (today - Days::new(60)).to_string(),
            last_on: (today + Days::new(60)).to_string(),
            capacity: 8,
            ..Group::default()
        };
        let request = PutGroupRequest { group: Some(group), expected_version: 0, request_id: request_id() };
        let group = self.services.deliveries().put_group(scene.coordinator.who.asks(request)).await.told("set the group up")?.group.unwrap_or_default();
        self.step("a group meets on Tuesdays and Thursdays", vec![thing("group_id", &group.group_id, format!("{} places", group.capacity))]);
        Ok(group)
    }

    async fn enrol(&mut self, scene: &Scene, planned: &Planned, group: &Group) -> anyhow::Result<Enrolment> {
        let who = &scene.coordinator.who;
        let first = sessions(chassis_clock::today(), 6).first().copied().unwrap_or_else(chassis_clock::today);
        let mut plans = self.services.plans();
        let request = EnrolStudentRequest {
            plan_item_id: planned.group_item.plan_item_id.clone(),
            enrolment_id: Uuid::now_v7().to_string(),
            service_id: String::new(),
            sessions_per_week: 2,
            minutes_per_session: 30,
            weeks: 10,
            request_id: request_id(),
            group_id: group.group_id.clone(),
            starts_on: first.to_string(),
        };
        let mut enrolment = plans.enrol_student(who.asks(request)).await.told("offer a place")?.enrolment.unwrap_or_default();
        let mut things = vec![thing("enrolment_id", &enrolment.enrolment_id, enrolment.state().as_str_name())];
        for (transition, on) in [("accept", String::new()), ("start", first.to_string())] {
            let request = TransitionEnrolmentRequest {
                enrolment_id: enrolment.enrolment_id.clone(),
                transition: transition.to_owned(),
                on_date: on,
                expected_version: enrolment.version,
                request_id: request_id(),
                ..TransitionEnrolmentRequest::default()
            };
            enrolment = plans.transition_enrolment(who.asks(request)).await.told(&format!("{transition} the place"))?.enrolment.unwrap_or_default();
            things.push(thing("enrolment_id", &enrolment.enrolment_id, enrolment.state().as_str_name()));
        }
        self.step("a place is offered, the family says yes, he starts", things);
        Ok(enrolment)
    }

    /// Three sessions attended, then three missed in a row; one of them was a mistake of ours.
    async fn attend(&mut self, scene: &Scene, group: &Group, enrolment: &Enrolment) -> anyhow::Result<()> {
        let who = &scene.counsellor.who;
        let mut deliveries = self.services.deliveries();
        let mut missed = Vec::new();
        for (n, day) in sessions(chassis_clock::today(), 6).into_iter().enumerate() {
            let absent =
                AttendanceMark { enrolment_id: enrolment.enrolment_id.clone(), attendance: Attendance::AbsentUnexcused.into(), ..AttendanceMark::default() };
            let request = TakeAttendanceRequest {
                group_id: group.group_id.clone(),
                session_on: day.to_string(),
                marks: if n < 3 { vec![] } else { vec![absent] },
                request_id: request_id(),
                ..TakeAttendanceRequest::default()
            };
            let taken = deliveries.take_attendance(who.asks(request)).await.told("take attendance")?;
            missed.extend(taken.no_show_enrolment_ids);
        }
        anyhow::ensure!(missed == [enrolment.enrolment_id.clone()], "three absences in a row are noticed once, not {missed:?}");
        let request = GetGroupRequest { group_id: group.group_id.clone(), ..GetGroupRequest::default() };
        let read = deliveries.get_group(who.asks(request)).await.told("read the group")?;
        let member = read.members.into_iter().filter_map(|m| m.enrolment).find(|e| e.enrolment_id == enrolment.enrolment_id).unwrap_or_default();
        let dose = format!("{} of {} planned minutes", member.delivered_minutes, member.planned_minutes_to_date);
        self.step(
            "attendance of six sessions is taken with a tap each; three absences in a row raise a follow-up",
            vec![thing("enrolment_id", &member.enrolment_id, format!("{}; {dose}", member.state().as_str_name()))],
        );
        let request = ListDeliveriesRequest { enrolment_id: enrolment.enrolment_id.clone(), ..ListDeliveriesRequest::default() };
        let newest = deliveries.list_deliveries(who.asks(request)).await.told("list the sessions")?.deliveries.into_iter().next().unwrap_or_default();
        let corrected = Delivery {
            delivery_id: Uuid::now_v7().to_string(),
            delivered_on: newest.delivered_on.clone(),
            planned_minutes: 30,
            delivered_minutes: 30,
            attendance: Attendance::Present.into(),
            mode: newest.mode,
            ..Delivery::default()
        };
        let request = CorrectDeliveryRequest {
            delivery_id: newest.delivery_id.clone(),
            corrected: Some(corrected),
            void: false,
            reason: "He was there; the wrong row was marked.".to_owned(),
            request_id: request_id(),
        };
        let correction = deliveries.correct_delivery(who.asks(request)).await.told("correct a session")?.delivery.unwrap_or_default();
        self.step(
            "a wrong mark is corrected by a new one; the old one is kept",
            vec![
                thing("delivery_id", &newest.delivery_id, format!("{}, superseded", newest.attendance().as_str_name())),
                thing("delivery_id", &correction.delivery_id, correction.attendance().as_str_name()),
            ],
        );
        Ok(())
    }

    pub(super) async fn follow_ups(&mut self, scene: &Scene, planned: &Planned, enrolment: &Enrolment) -> anyhow::Result<()> {
        let services = self.services.clone();
        let who = &scene.coordinator.who;
        let raised: Vec<FollowUp> = eventually("wait for the follow-ups", || async {
            let request = ListFollowUpsRequest { student_id: scene.grieving().to_owned(), open_only: true, ..ListFollowUpsRequest::default() };
            let found = services.follow_ups().list_follow_ups(who.asks(request)).await.told("list the follow-ups")?.follow_ups;
            let rules = ["two_weeks", "six_weeks", "no_show", "individual_review"];
            Ok(rules.iter().all(|rule| found.iter().any(|f| f.raised_as == *rule)).then_some(found))
        })
        .await?;
        let things = raised.iter().map(|f| thing("follow_up_id", &f.follow_up_id, format!("{} due {}", f.raised_as, f.due_on))).collect();
        self.step(&format!("{} follow-ups were raised by rule", raised.len()), things);
        let no_show = raised.iter().find(|f| f.raised_as == "no_show").cloned().unwrap_or_default();
        let request = TransitionFollowUpRequest {
            follow_up_id: no_show.follow_up_id.clone(),
            transition: "done".to_owned(),
            result: "going_well".to_owned(),
            note: "He had the flu; he is back.".to_owned(),
            expected_version: no_show.version,
            request_id: request_id(),
            ..TransitionFollowUpRequest::default()
        };
        let done = services.follow_ups().transition_follow_up(who.asks(request)).await.told("close the follow-up")?.follow_up.unwrap_or_default();
        anyhow::ensure!(done.state() == FollowUpState::Done, "the follow-up is done");
        self.step("the coordinator calls the family and closes one of them", vec![thing("follow_up_id", &done.follow_up_id, done.result.clone())]);

        let mut things = Vec::new();
        for (rater, points) in [(Rater::Coordinator, 4), (Rater::Family, 5)] {
            let rating = Rating {
                rating_id: Uuid::now_v7().to_string(),
                student_id: scene.grieving().to_owned(),
                need_id: planned.need.clone(),
                plan_item_id: planned.group_item.plan_item_id.clone(),
                rater: rater.into(),
                points,
                rated_on: chassis_clock::today().to_string(),
                ..Rating::default()
            };
            let request = RateEffectivenessRequest { rating: Some(rating), request_id: request_id() };
            let kept = services.follow_ups().rate_effectiveness(who.asks(request)).await.told("rate what helped")?.rating.unwrap_or_default();
            things.push(thing("rating_id", &kept.rating_id, format!("{}: {} of 5", rater.as_str_name(), kept.points)));
        }
        let request = ListRatingsRequest { student_id: scene.grieving().to_owned() };
        let summaries = services.follow_ups().list_ratings(who.asks(request)).await.told("read the ratings")?.summaries;
        let apart = summaries.iter().any(|s| s.staff_points == Some(4.0) && s.family_points == Some(5.0));
        anyhow::ensure!(apart, "staff's and the family's ratings are kept apart");
        self.step("staff and family say how much it helped, each for themselves", things);
        self.end(scene, planned, enrolment).await
    }

    /// The group has done its work: goal met, place completed, need met.
    async fn end(&mut self, scene: &Scene, planned: &Planned, enrolment: &Enrolment) -> anyhow::Result<()> {
        let who = &scene.coordinator.who;
        let mut plans = self.services.plans();
        let read = planning::read(&self.services, who, scene.grieving()).await?;
        let goal = read.goals.iter().find(|g| g.goal_id == planned.goal).cloned().unwrap_or_default();
        let request =
            TransitionGoalRequest { goal_id: goal.goal_id.clone(), transition: "meet".to_owned(), expected_version: goal.version, request_id: request_id() };
        let goal = plans.transition_goal(who.asks(request)).await.told("meet the goal")?.goal.unwrap_or_default();
        let now = read.enrolments.iter().find(|e| e.enrolment_id == enrolment.enrolment_id).cloned().unwrap_or_default();
        let request = TransitionEnrolmentRequest {
            enrolment_id: now.enrolment_id.clone(),
            transition: "complete".to_owned(),
            outcome: "need_partly_met".to_owned(),
            expected_version: now.version,
            request_id: request_id(),
            ..TransitionEnrolmentRequest::default()
        };
        let ended = plans.transition_enrolment(who.asks(request)).await.told("complete the group")?.enrolment.unwrap_or_default();
        let dose = format!("{}; {} of {} planned minutes", ended.state().as_str_name(), ended.delivered_minutes, ended.planned_minutes_to_date);
        self.step(
            "the goal is met and the group ends for him",
            vec![thing("goal_id", &goal.goal_id, goal.state().as_str_name()), thing("enrolment_id", &ended.enrolment_id, dose)],
        );
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sessions_are_the_latest_tuesdays_and_thursdays() {
        let day = |d| NaiveDate::from_ymd_opt(2026, 11, d).unwrap();
        assert_eq!(sessions(day(26), 3), [day(19), day(24), day(26)]);
        assert_eq!(sessions(day(23), 2), [day(17), day(19)]);
    }
}
