//! The two class reviews of the year.

use chrono::Days;
use proto::reviews::v1::{
    AnswerPriorEntryRequest, ClassReview, CreateReviewCycleRequest, Entry, EntrySource, GetStudentReviewRequest, ListCodesRequest, ListPriorEntriesRequest,
    ListReviewCyclesRequest, ListTierMovementsRequest, Polarity, PriorAnswer, ScheduleClassReviewRequest, Season, StudentReview, TierMovement,
    TransitionClassReviewRequest,
};
use proto::r#type::v1::Certainty;
use uuid::Uuid;

use super::told::thing;
use super::{Scene, Year};
use crate::acting::reviewing::{self, Decision};
use crate::acting::{Told as _, patiently, request_id};
use crate::sample::mix::{Catalogue, dice, entries};

fn entry(polarity: Polarity, code: &str, severity: i32, certainty: Certainty, source: EntrySource) -> Entry {
    Entry {
        entry_id: Uuid::now_v7().to_string(),
        polarity: polarity.into(),
        code: code.to_owned(),
        severity,
        certainty: if polarity == Polarity::Need { certainty.into() } else { 0 },
        source: source.into(),
        ..Entry::default()
    }
}

/// What is seen in the student who is good at mathematics but freezes when it is timed: not yet what it is.
fn freezes() -> Vec<Entry> {
    use EntrySource::Teacher;
    vec![
        entry(Polarity::Need, "ACA-MAT", 2, Certainty::Suspected, Teacher),
        entry(Polarity::Observation, "SEB-WDR", 0, Certainty::Observed, Teacher),
        entry(Polarity::Strength, "SEB-EMP", 0, Certainty::Observed, Teacher),
        entry(Polarity::Interest, "INT-ART", 0, Certainty::Observed, EntrySource::Student),
    ]
}

fn much() -> Vec<Entry> {
    use EntrySource::Teacher;
    vec![
        entry(Polarity::Need, "ACA-FAL", 2, Certainty::Observed, Teacher),
        entry(Polarity::Need, "SEB-REG", 2, Certainty::Observed, Teacher),
        entry(Polarity::Need, "FAM-TRN", 2, Certainty::Observed, EntrySource::Family),
        entry(Polarity::Strength, "SEB-HUM", 0, Certainty::Observed, Teacher),
    ]
}

impl Year {
    async fn cycle(&self, scene: &Scene, season: Season) -> anyhow::Result<String> {
        let request = ListReviewCyclesRequest { school_year: self.school_year };
        let cycles = self.services.reviews().list_review_cycles(scene.manager.asks(request)).await.told("list the review cycles")?.cycles;
        if let Some(cycle) = cycles.iter().find(|c| c.season() == season) {
            return Ok(cycle.review_cycle_id.clone());
        }
        let today = chassis_clock::today();
        let request = CreateReviewCycleRequest {
            school_year: self.school_year,
            season: season.into(),
            // What was said before is what was said in the season that opened before.
            opens_on: (today - Days::new(if season == Season::Fall { 31 } else { 30 })).to_string(),
            closes_on: (today + Days::new(60)).to_string(),
            request_id: request_id(),
            required_fields: Vec::new(),
        };
        let cycle = self.services.reviews().create_review_cycle(scene.manager.asks(request)).await.told("open a review cycle")?.cycle;
        Ok(cycle.unwrap_or_default().review_cycle_id)
    }

    /// Booked, started, put aside and taken up, every student reviewed, handed in, signed by both.
    pub(super) async fn fall(&mut self, scene: &Scene) -> anyhow::Result<ClassReview> {
        let services = self.services.clone();
        let who = &scene.coordinator.who;
        let cycle = self.cycle(scene, Season::Fall).await?;
        let booked = patiently("book the class review", || {
            let request = ScheduleClassReviewRequest {
                review_cycle_id: cycle.clone(),
                class_id: scene.class.class_id.clone(),
                scheduled_on: chassis_clock::today().to_string(),
                booked_minutes: 45,
                teacher_ids: vec![scene.teacher.id.clone()],
                coordinator_id: scene.coordinator.id.clone(),
                request_id: request_id(),
            };
            let mut client = services.reviews();
            let request = who.asks(request);
            async move { client.schedule_class_review(request).await }
        })
        .await?
        .class_review
        .unwrap_or_default();
        self.step(
            "the class review is booked for 45 minutes",
            vec![thing("review_cycle_id", &cycle, "SEASON_FALL"), thing("class_review_id", &booked.class_review_id, booked.state().as_str_name())],
        );

        let started = reviewing::start(&services, who, &cycle, &scene.class.class_id, "").await?;
        let mut tiers = std::collections::BTreeMap::<String, usize>::new();
        let catalogue = Catalogue::new(services.reviews().list_codes(who.asks(ListCodesRequest::default())).await.told("read the code list")?.codes);
        let read = reviewing::read(&services, who, &started.class_review_id).await?;
        let middle = read.students.len() / 2;
        for (n, student) in read.students.iter().enumerate() {
            if n == middle {
                let paused = self.move_review(scene, &started.class_review_id, "pause").await?;
                let resumed = self.move_review(scene, &started.class_review_id, "resume").await?;
                let things = [&paused, &resumed].map(|r| thing("class_review_id", &r.class_review_id, r.state().as_str_name()));
                self.step(&format!("after {n} students the bell rings; the review goes on the next day where it stopped"), things.to_vec());
            }
            let written = match student.student_id.as_str() {
                id if id == scene.grieving() => freezes(),
                id if id == scene.most_support() => much(),
                id => entries(&catalogue, id, &cycle, &mut dice([2, 0, 2, u64::try_from(n).unwrap_or_default()])),
            };
            for entry in written {
                reviewing::put(&services, who, student, entry).await?;
            }
            let done = reviewing::complete(&services, who, &started.class_review_id, &student.student_id, Decision::AsSuggested).await?;
            *tiers.entry(done.assigned_tier().as_str_name().to_owned()).or_insert(0) += 1;
        }
        let tiers: Vec<String> = tiers.into_iter().map(|(tier, n)| format!("{tier}: {n}")).collect();
        let signed = self.sign(scene, &started.class_review_id).await?;
        self.step(
            &format!("every student is reviewed and has a tier ({}); teacher and coordinator sign", tiers.join(", ")),
            vec![thing("class_review_id", &signed.class_review_id, signed.state().as_str_name())],
        );
        Ok(signed)
    }

    async fn move_review(&self, scene: &Scene, id: &str, transition: &str) -> anyhow::Result<ClassReview> {
        let who = &scene.coordinator.who;
        let review = reviewing::read(&self.services, who, id).await?.class_review.unwrap_or_default();
        let request = TransitionClassReviewRequest {
            class_review_id: id.to_owned(),
            transition: transition.to_owned(),
            reason: String::new(),
            expected_version: review.version,
            request_id: request_id(),
        };
        let moved = self.services.reviews().transition_class_review(who.asks(request)).await.told(&format!("{transition} the class review"))?;
        Ok(moved.class_review.unwrap_or_default())
    }

    async fn sign(&self, scene: &Scene, id: &str) -> anyhow::Result<ClassReview> {
        let review = reviewing::read(&self.services, &scene.coordinator.who, id).await?.class_review.unwrap_or_default();
        let review = reviewing::submit(&self.services, &scene.coordinator.who, &review).await?;
        let review = reviewing::sign(&self.services, &scene.teacher.who, &review, "").await?;
        reviewing::sign(&self.services, &scene.coordinator.who, &review, "").await
    }

    /// Spring: the fall's entries are asked for again, one tap each; the tiers are set anew.
    pub(super) async fn spring(&mut self, scene: &Scene, fall: &ClassReview) -> anyhow::Result<()> {
        let services = self.services.clone();
        let who = &scene.coordinator.who;
        let cycle = self.cycle(scene, Season::Spring).await?;
        let started = reviewing::start(&services, who, &cycle, &scene.class.class_id, "").await?;
        let read = reviewing::read(&services, who, &started.class_review_id).await?;
        let (mut kept, mut gone) = (0, 0);
        for student in &read.students {
            let (still, over) = self.answer_priors(scene, student).await?;
            (kept, gone) = (kept + still, gone + over);
            let request = GetStudentReviewRequest { class_review_id: started.class_review_id.clone(), student_id: student.student_id.clone() };
            let now = services.reviews().get_student_review(who.asks(request)).await.told("read the student's review")?.student_review.unwrap_or_default();
            anyhow::ensure!(now.open_prior_count == 0, "every entry of the fall is answered, yet {} are open", now.open_prior_count);
            reviewing::complete(&services, who, &started.class_review_id, &student.student_id, Decision::AsSuggested).await?;
        }
        let signed = self.sign(scene, &started.class_review_id).await?;
        self.step(
            &format!("the fall's entries are answered one by one ({kept} still true or changed, {gone} no longer) and the tiers set again"),
            vec![
                thing("class_review_id", &fall.class_review_id, "the fall's"),
                thing("class_review_id", &signed.class_review_id, signed.state().as_str_name()),
            ],
        );
        let request = ListTierMovementsRequest { school_year: self.school_year, class_id: scene.class.class_id.clone(), ..Default::default() };
        let moved = services.reviews().list_tier_movements(who.asks(request)).await.told("list the tier movements")?;
        let student = way(moved.movements.iter().find(|m| m.student_id == scene.grieving()));
        self.step(
            &format!("between fall and spring {} get less support, {} the same, {} more", moved.less_count, moved.same_count, moved.more_count),
            vec![thing("student_id", scene.grieving(), student)],
        );
        Ok(())
    }

    /// Needs of the grieving student have eased; everybody else's every third entry is over.
    async fn answer_priors(&self, scene: &Scene, student: &StudentReview) -> anyhow::Result<(usize, usize)> {
        let services = self.services.clone();
        let who = &scene.coordinator.who;
        let (class_review_id, student_id) = (student.class_review_id.clone(), student.student_id.clone());
        let request = ListPriorEntriesRequest { class_review_id: class_review_id.clone(), student_id: student_id.clone(), include_answered: false };
        let priors = services.reviews().list_prior_entries(who.asks(request)).await.told("list the earlier entries")?.entries;
        let (mut kept, mut gone) = (0, 0);
        for (n, prior) in priors.into_iter().filter_map(|p| p.entry).enumerate() {
            let is_need = prior.polarity() == Polarity::Need;
            let answer = match is_need {
                true if student_id == scene.grieving() => PriorAnswer::Changed,
                true if n % 3 == 0 => PriorAnswer::NoLonger,
                _ => PriorAnswer::StillTrue,
            };
            let changed = Entry { severity: 1, certainty: Certainty::Observed.into(), confirmed_by: 0, ..prior.clone() };
            let request = AnswerPriorEntryRequest {
                class_review_id: class_review_id.clone(),
                student_id: student_id.clone(),
                prior_entry_id: prior.entry_id.clone(),
                answer: answer.into(),
                new_entry_id: if answer == PriorAnswer::NoLonger { String::new() } else { Uuid::now_v7().to_string() },
                changed: (answer == PriorAnswer::Changed).then_some(changed),
                request_id: request_id(),
            };
            services.reviews().answer_prior_entry(who.asks(request)).await.told("answer an earlier entry")?;
            if answer == PriorAnswer::NoLonger { gone += 1 } else { kept += 1 }
        }
        Ok((kept, gone))
    }
}

/// What is told of one student's way.
fn way(movement: Option<&TierMovement>) -> String {
    movement.map(|m| format!("{} then {}", m.fall_tier().as_str_name(), m.spring_tier().as_str_name())).unwrap_or_default()
}
