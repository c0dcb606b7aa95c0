//! What goes on after the year: a student who moves, and the list for September.

use chrono::Days;
use proto::plans::v1::{ListSeptemberRequest, ListTransitionsRequest, MarkSeptemberRequest, StartTransitionRequest, Transition, UpdateTransitionRequest};
use uuid::Uuid;

use super::told::thing;
use super::{Scene, Year};
use crate::acting::{Told as _, eventually, request_id};

impl Year {
    pub(super) async fn hand_over(&mut self, scene: &Scene) -> anyhow::Result<()> {
        let services = self.services.clone();
        let transition = Transition {
            transition_id: Uuid::now_v7().to_string(),
            student_id: scene.moving().to_owned(),
            to_school_id: scene.other_school.school_id.clone(),
            kind: "school".to_owned(),
            first_day_on: (chassis_clock::today() + Days::new(14)).to_string(),
            note: "Likes to be shown around before the first day.".to_owned(),
            ..Transition::default()
        };
        let request = StartTransitionRequest { transition: Some(transition), request_id: request_id() };
        let offered =
            services.follow_ups().start_transition(scene.coordinator.who.asks(request)).await.told("hand the student over")?.transition.unwrap_or_default();
        let told = |t: &Transition| thing("transition_id", &t.transition_id, t.state().as_str_name());
        self.step("a student moves: the coordinator hands over to the other school", vec![thing("student_id", scene.moving(), "moves"), told(&offered)]);
        let update = |t: &Transition, transition: &str, note: &str, steps: &[&str]| UpdateTransitionRequest {
            transition_id: t.transition_id.clone(),
            transition: transition.to_owned(),
            note: note.to_owned(),
            done_steps: steps.iter().map(|s| (*s).to_owned()).collect(),
            expected_version: t.version,
            request_id: request_id(),
        };
        let request = update(&offered, "", "", &["records_sent", "family_told", "call_between_coordinators"]);
        let ticked =
            services.follow_ups().update_transition(scene.coordinator.who.asks(request)).await.told("tick the checklist")?.transition.unwrap_or_default();
        let seen = eventually("wait for the hand-over at the other school", || async {
            let request = ListTransitionsRequest { school_id: scene.other_school.school_id.clone(), open_only: true, ..ListTransitionsRequest::default() };
            let found = services.follow_ups().list_transitions(scene.other_coordinator.who.asks(request)).await.told("list the hand-overs")?.transitions;
            Ok(found.into_iter().find(|t| t.transition_id == ticked.transition_id))
        })
        .await?;
        let request = update(&seen, "accept", "The counsellor meets the family on the first day.", &["first_day_adult_named"]);
        let accepted =
            services.follow_ups().update_transition(scene.other_coordinator.who.asks(request)).await.told("accept the student")?.transition.unwrap_or_default();
        let done = accepted.checklist.iter().filter(|s| !s.done_on.is_empty()).count();
        self.step(&format!("the other school's coordinator accepts; {done} of {} steps are done", accepted.checklist.len()), vec![told(&accepted)]);
        Ok(())
    }

    pub(super) async fn september(&mut self, scene: &Scene) -> anyhow::Result<()> {
        let services = self.services.clone();
        let who = &scene.coordinator.who;
        let school_year = self.school_year + 1;
        let request = MarkSeptemberRequest {
            student_id: scene.grieving().to_owned(),
            school_year,
            attention: true,
            note: "The first summer without his grandfather.".to_owned(),
            contacted: false,
            expected_version: 0,
            request_id: request_id(),
        };
        let marked = services.follow_ups().mark_september(who.asks(request)).await.told("mark for September")?.entry.unwrap_or_default();
        self.step("the coordinator marks a student for September", vec![thing("student_id", &marked.student_id, marked.because.clone())]);
        let request = ListSeptemberRequest { school_id: scene.school.school_id.clone(), school_year, open_only: true };
        let list = services.follow_ups().list_september(who.asks(request)).await.told("read the September list")?.entries;
        anyhow::ensure!(list.iter().any(|e| e.student_id == scene.grieving()), "the marked student is on the list");
        let things = list.iter().take(10).map(|e| thing("student_id", &e.student_id, e.because.clone())).collect();
        let said =
            if list.len() == 1 { "1 student needs attention in September".to_owned() } else { format!("{} students need attention in September", list.len()) };
        self.step(&said, things);
        let contacted = MarkSeptemberRequest {
            student_id: scene.grieving().to_owned(),
            school_year,
            attention: true,
            note: marked.note.clone(),
            contacted: true,
            expected_version: marked.version,
            request_id: request_id(),
        };
        let entry = services.follow_ups().mark_september(who.asks(contacted)).await.told("note the contact")?.entry.unwrap_or_default();
        self.step("and are contacted by the tenth school day", vec![thing("student_id", &entry.student_id, format!("contacted on {}", entry.contacted_on))]);
        Ok(())
    }
}
