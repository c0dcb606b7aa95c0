//! The journey itself, step by step.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Context as _, ensure};
use proto::partners::v1::{Agreement, Outcome, Partner, PutAgreementRequest, PutPartnerRequest, PutServiceRequest, Referral, Service, SetCapacityRequest};
use proto::plans::v1::{Enrolment, GetPlanResponse, JudgeNeedRequest, NeedState, PlanItem, PlanItemKind, PlanItemState};
use proto::reviews::v1::{Entry, EntrySource, ListCodesRequest, Polarity};
use proto::rosters::v1::{Class, ListClassMembersRequest, ListClassesRequest, ListSchoolsRequest, School};
use proto::r#type::v1::Certainty;
use uuid::Uuid;

use super::chain::{Link, Step, Told};
use super::report;
use crate::acting::planning::{self, NewItem};
use crate::acting::referring::{self, NewReferral};
use crate::acting::reviewing::{self, Decision};
use crate::acting::{Cast, PATIENCE, Part, Person, Services, Told as _, day_of, eventually, patiently, request_id};
use crate::district::ready::Ready;
use crate::generate::{DistrictSpec, generate, school_year_of};
use crate::import::{self, Upload};
use crate::progress::say;
use crate::sample::mix::{Catalogue, dice, entries};

/// The need whose chain is followed.
const NEED: &str = "ACA-RDG";
/// What a partner does about it.
const CATEGORY: &str = "ED-RDG";

/// A journey through a district.
pub struct Journey {
    ready: Ready,
    roster: Option<PathBuf>,
    services: Services,
    cast: Cast,
    school_year: i32,
    /// What has been told so far.
    pub told: Told,
}

/// The class that is reviewed, and who does it.
struct Scene {
    school: School,
    class: Class,
    day: String,
    teacher: Option<Person>,
    principal: Person,
    coordinator: Person,
}

/// The student whose need is followed.
struct Followed {
    student: String,
    need: String,
}

impl Journey {
    /// Prepares it.
    pub fn new(ready: &Ready, roster: Option<PathBuf>) -> anyhow::Result<Self> {
        Ok(Self {
            services: Services::of(ready)?,
            cast: Cast::new(&ready.issuer)?,
            ready: ready.clone(),
            roster,
            school_year: school_year_of(chassis_clock::today()),
            told: Told::default(),
        })
    }

    /// All of it.
    pub async fn run(&mut self) -> anyhow::Result<()> {
        let began = Instant::now();
        self.import().await.context("the story failed at its step \"import\"")?;
        self.step("the roster is imported by the data clerk", began, "");

        let began = Instant::now();
        let scene = self.choose().await.context("the story failed at its step \"choose a class\"")?;
        self.step(&format!("a class is chosen ({})", if scene.day.is_empty() { "as of today".to_owned() } else { format!("as of {}", scene.day) }), began, "");

        let began = Instant::now();
        let followed = self.review(&scene).await.context("the story failed at its step \"review\"")?;
        self.step("the class is reviewed, tiers are assigned, both sign", began, "the roster's news to reach reviews");

        let began = Instant::now();
        let (plan, item, referral_id) = self.plan(&scene, &followed).await.context("the story failed at its step \"plan\"")?;
        self.step("the draft plan appears, is put in force and gets an item", began, "the review's news to reach plans");

        let began = Instant::now();
        let (partner, referral) = self.send(&scene, &followed, &item, referral_id).await.context("the story failed at its step \"send the referral\"")?;
        self.step("the family consents, the referral is sent", began, "the roster's news to reach partners");

        let began = Instant::now();
        self.attend(&scene, &followed, &item, &partner, &referral).await.context("the story failed at its step \"attend\"")?;
        self.step("the partner accepts, the student attends, a session is logged", began, "the partner's news to reach plans");

        let began = Instant::now();
        self.close(&scene, &followed, &partner, &referral).await.context("the story failed at its step \"close\"")?;
        self.step("the partner completes, the coordinator judges: the loop is closed", began, "the judgement to reach the need");

        let began = Instant::now();
        self.told.report = report::figures(&self.services, &scene.coordinator, &scene.school.school_id, plan.plan.map_or(self.school_year, |p| p.school_year))
            .await
            .context("the story failed at its step \"report\"")?;
        self.step("the report tells of it", began, "all news to reach reporting");
        Ok(())
    }

    fn step(&mut self, what: &str, began: Instant, waited_for: &'static str) {
        say(&format!("  {what}"));
        self.told.steps.push(Step { what: what.to_owned(), took: began.elapsed(), waited_for });
    }

    fn link(&mut self, kind: &'static str, id: &str, about: &str) {
        self.told.chain.push(Link { kind, id: id.to_owned(), about: about.to_owned() });
    }

    async fn import(&mut self) -> anyhow::Result<()> {
        let made;
        let path = match &self.roster {
            Some(path) => path.clone(),
            None => {
                made = tempfile::Builder::new().prefix("fictional-district-").suffix(".zip").tempfile()?;
                let spec = DistrictSpec { schools: 1, students: 60, seed: 1, school_year: self.school_year };
                generate(&spec, made.reopen()?, |_, _| {})?;
                made.path().to_owned()
            }
        };
        let clerk = self.cast.plays(&Part::district("data_clerk")).await?;
        let result = import::import(&self.ready.rosters, &self.ready.tls, &clerk, &Upload { path, dry_run: false, accept_changes: false }).await?;
        if !result.went_well() {
            let found: Vec<String> = result.issues.iter().take(5).map(|i| format!("{}:{} {} {}: {}", i.file, i.line, i.column, i.rule, i.hint)).collect();
            anyhow::bail!("the roster was refused ({} errors): {}", result.run.error_count, found.join("; "));
        }
        self.link("import_run_id", &result.run.import_run_id, &format!("{} warnings", result.run.warning_count));
        Ok(())
    }

    /// The first class that has students, review units first.
    async fn choose(&mut self) -> anyhow::Result<Scene> {
        let manager = self.cast.plays(&Part::district("program_manager")).await?;
        let request = ListSchoolsRequest { page_size: 500, ..ListSchoolsRequest::default() };
        let schools = self.services.rosters().list_schools(manager.asks(request)).await.told("list the schools")?.schools;
        for review_units_only in [true, false] {
            for school in &schools {
                let request = ListClassesRequest { school_id: school.school_id.clone(), review_units_only, page_size: 100, page_token: String::new() };
                for class in self.services.rosters().list_classes(manager.asks(request)).await.told("list the classes")?.classes {
                    let day = day_of(&class);
                    let request = ListClassMembersRequest { class_id: class.class_id.clone(), as_of_date: day.clone() };
                    let members = self.services.rosters().list_class_members(manager.asks(request)).await.told("read the class")?;
                    if members.students.is_empty() {
                        continue;
                    }
                    let place = school.school_id.as_str();
                    let teacher = match members.staff.first() {
                        Some(staff) => Some(self.cast.plays(&Part::at_school("teacher", place, Some(&staff.staff_id))).await?),
                        None => None,
                    };
                    // Not every roster has them; they sign, so they are two different people.
                    let coordinator = self.cast.plays(&Part::at_school("coordinator", place, Some(&request_id()))).await?;
                    let principal = self.cast.plays(&Part::at_school("principal", place, Some(&request_id()))).await?;
                    self.link("school_id", place, "");
                    self.link("class_id", &class.class_id, &format!("{} students", members.students.len()));
                    return Ok(Scene { school: school.clone(), class, day, teacher, principal, coordinator });
                }
            }
        }
        anyhow::bail!("no class of this roster has students on any day")
    }

    async fn review(&mut self, scene: &Scene) -> anyhow::Result<Followed> {
        let services = self.services.clone();
        let manager = self.cast.plays(&Part::district("program_manager")).await?;
        let cycle = reviewing::cycle(&services, &manager, self.school_year, &scene.day).await?;
        let coordinator = &scene.coordinator;
        let review = reviewing::start(&services, coordinator, &cycle, &scene.class.class_id, &scene.day).await?;
        let codes = services.reviews().list_codes(coordinator.asks(ListCodesRequest::default())).await.told("read the code list")?.codes;
        let catalogue = Catalogue::new(codes);
        let read = reviewing::read(&services, coordinator, &review.class_review_id).await?;
        ensure!(!read.students.is_empty(), "the class review has no students");
        let mut followed = None;
        let mut tiers = BTreeMap::new();
        for (n, student) in (0_u64..).zip(&read.students) {
            let written = if n == 0 { the_need() } else { entries(&catalogue, &student.student_id, &cycle, &mut dice([9, 9, n, 1])) };
            if n == 0 {
                let need = written.first().map(|e| e.entry_id.clone()).unwrap_or_default();
                followed = Some(Followed { student: student.student_id.clone(), need });
            }
            for entry in written {
                reviewing::put(&services, coordinator, student, entry).await?;
            }
            let done = reviewing::complete(&services, coordinator, &review.class_review_id, &student.student_id, Decision::AsSuggested).await?;
            *tiers.entry(done.assigned_tier().as_str_name().trim_start_matches("TIER_").to_lowercase()).or_insert(0) += 1;
        }
        let review = reviewing::read(&services, coordinator, &review.class_review_id).await?.class_review.unwrap_or_default();
        let review = reviewing::submit(&services, coordinator, &review).await?;
        let signed = match &scene.teacher {
            Some(teacher) => reviewing::sign(&services, teacher, &review, "").await,
            None => Err(anyhow::anyhow!("the class has no teacher")),
        };
        let review = match signed {
            Ok(review) => review,
            // A teacher of a past class is no longer its teacher; then the principal signs, with the reason.
            Err(_) => reviewing::sign(&services, &scene.principal, &review, "The teacher no longer teaches this class.").await?,
        };
        let review = reviewing::sign(&services, coordinator, &review, "").await?;
        self.told.tiers = tiers.into_iter().collect();
        let followed = followed.context("no student was reviewed")?;
        self.link("class_review_id", &review.class_review_id, review.state().as_str_name());
        self.link("student_id", &followed.student, "");
        self.link("need_id", &followed.need, NEED);
        Ok(followed)
    }

    async fn plan(&mut self, scene: &Scene, followed: &Followed) -> anyhow::Result<(GetPlanResponse, PlanItem, Uuid)> {
        let services = self.services.clone();
        let who = &scene.coordinator;
        let draft = eventually("wait for the need in the draft plan", || async {
            let plan = planning::read(&services, who, &followed.student).await?;
            Ok(plan.needs.iter().any(|n| n.need_id == followed.need).then_some(plan))
        })
        .await?;
        let plan = planning::activate(&services, who, &draft.plan.clone().unwrap_or_default()).await?;
        let referral = Uuid::now_v7();
        let new = NewItem {
            id: Uuid::now_v7(),
            needs: vec![followed.need.clone()],
            builds_on: Vec::new(),
            kind: PlanItemKind::Referral,
            category: CATEGORY.to_owned(),
            description: "Reading with a partner after school.".to_owned(),
            referral: Some(referral),
        };
        let item = planning::add(&services, who, &draft, &new).await?;
        self.link("plan_id", &plan.plan_id, plan.state().as_str_name());
        self.link("plan_item_id", &item.plan_item_id, CATEGORY);
        Ok((draft, item, referral))
    }

    async fn send(&mut self, scene: &Scene, followed: &Followed, item: &PlanItem, referral: Uuid) -> anyhow::Result<(Person, Referral)> {
        let services = self.services.clone();
        let (partner, service) = self.offer().await?;
        let consent = Uuid::now_v7();
        referring::consent(&services, &scene.coordinator, consent, &followed.student, &partner).await?;
        let new = NewReferral {
            id: referral,
            student: followed.student.clone(),
            needs: vec![(followed.need.clone(), NEED.to_owned())],
            item: item.plan_item_id.clone(),
            service: service.clone(),
        };
        let draft = referring::draft(&services, &scene.coordinator, &new).await?;
        let (sent, disclosure) = referring::send(&services, &scene.coordinator, &draft).await?;
        self.link("service_id", &service, CATEGORY);
        self.link("consent_id", &consent.to_string(), &referring::SCOPES.join(", "));
        self.link("referral_id", &sent.referral_id, sent.state().as_str_name());
        self.link("disclosure_id", &disclosure, "the line in the ledger");
        Ok((self.cast.plays(&Part::partner(&partner)).await?, sent))
    }

    /// A fictional partner with one service.
    async fn offer(&self) -> anyhow::Result<(String, String)> {
        let manager = self.cast.plays(&Part::district("partnership_manager")).await?;
        let mut directory = self.services.directory();
        let (partner_id, service_id) = (Uuid::now_v7().to_string(), Uuid::now_v7().to_string());
        let partner = Partner {
            partner_id: partner_id.clone(),
            name: "Bright Pages Tutoring (fictional)".to_owned(),
            sector: "SEC-VOL".to_owned(),
            status: "active".to_owned(),
            version: 0,
        };
        directory
            .put_partner(manager.asks(PutPartnerRequest { partner: Some(partner), expected_version: 0, request_id: request_id() }))
            .await
            .told("add a partner")?;
        let agreement = Agreement {
            agreement_id: Uuid::now_v7().to_string(),
            partner_id: partner_id.clone(),
            kind: "data_sharing".to_owned(),
            valid_from: format!("{}-07-01", self.school_year - 1),
            valid_to: format!("{}-06-30", self.school_year + 1),
        };
        directory
            .put_agreement(manager.asks(PutAgreementRequest { agreement: Some(agreement), request_id: request_id() }))
            .await
            .told("record an agreement")?;
        let service = Service {
            service_id: service_id.clone(),
            partner_id: partner_id.clone(),
            name: "Reading Partners".to_owned(),
            category: CATEGORY.to_owned(),
            description: "A fictional service.".to_owned(),
            status: "active".to_owned(),
            languages: vec!["en".to_owned()],
            ..Service::default()
        };
        directory
            .put_service(manager.asks(PutServiceRequest { service: Some(service), expected_version: 0, request_id: request_id() }))
            .await
            .told("add a service")?;
        directory
            .set_capacity(manager.asks(SetCapacityRequest { service_id: service_id.clone(), maximum: 5, request_id: request_id() }))
            .await
            .told("set its places")?;
        Ok((partner_id, service_id))
    }

    async fn attend(&mut self, scene: &Scene, followed: &Followed, item: &PlanItem, partner: &Person, referral: &Referral) -> anyhow::Result<()> {
        let services = self.services.clone();
        let who = &scene.coordinator;
        for transition in ["open", "accept", "start", "attend"] {
            referring::step(&services, partner, &referral.referral_id, transition, "", "").await?;
        }
        let plan = eventually("wait for the plan item to be in place", || async {
            let plan = planning::read(&services, who, &followed.student).await?;
            let in_place = plan.items.iter().any(|i| i.plan_item_id == item.plan_item_id && i.state() == PlanItemState::InPlace);
            Ok(in_place.then_some(plan))
        })
        .await?;
        let today = chassis_clock::today();
        let there = plan.enrolments.iter().find(|e| e.plan_item_id == item.plan_item_id).cloned();
        let enrolment: Enrolment = match there {
            Some(enrolment) => enrolment,
            None => planning::enrol(&services, who, item, Uuid::now_v7(), today).await?,
        };
        let deliveries = planning::deliver(&services, who, &enrolment, today).await?;
        self.link("enrolment_id", &enrolment.enrolment_id, enrolment.state().as_str_name());
        for delivery in deliveries {
            self.link("delivery_id", &delivery, "30 minutes");
        }
        Ok(())
    }

    async fn close(&mut self, scene: &Scene, followed: &Followed, partner: &Person, referral: &Referral) -> anyhow::Result<()> {
        let services = self.services.clone();
        let who = &scene.coordinator;
        referring::step(&services, partner, &referral.referral_id, "complete", "", "").await?;
        let closed = referring::judge(&services, who, &referral.referral_id, Outcome::NeedMet).await?;
        self.link("outcome", &closed.referral_id, &format!("{} {}", closed.state().as_str_name(), closed.outcome().as_str_name()));
        // The judgement of the referral reaches the need by its news; a need that stays as it was is judged by hand.
        let began = Instant::now();
        loop {
            let plan = planning::read(&services, who, &followed.student).await?;
            let need = plan.needs.into_iter().find(|n| n.need_id == followed.need).context("the need is no longer in the plan")?;
            if need.state() == NeedState::Met {
                self.link("need_id", &need.need_id, "NEED_STATE_MET");
                return Ok(());
            }
            if began.elapsed() > PATIENCE / 12 {
                let met = patiently("judge the need", || {
                    let request = JudgeNeedRequest {
                        need_id: need.need_id.clone(),
                        state: NeedState::Met.into(),
                        expected_version: need.version,
                        request_id: request_id(),
                    };
                    let mut client = services.plans();
                    let request = who.asks(request);
                    async move { client.judge_need(request).await }
                })
                .await?;
                self.link("need_id", &need.need_id, met.need.unwrap_or_default().state().as_str_name());
                return Ok(());
            }
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
    }
}

/// What is written about the student whose need is followed; the need first.
fn the_need() -> Vec<Entry> {
    let entry = |polarity: Polarity, code: &str| Entry {
        entry_id: Uuid::now_v7().to_string(),
        polarity: polarity.into(),
        code: code.to_owned(),
        source: EntrySource::Teacher.into(),
        ..Entry::default()
    };
    let need = Entry { severity: 2, certainty: Certainty::Observed.into(), ..entry(Polarity::Need, NEED) };
    vec![need, entry(Polarity::Strength, "SEB-EMP"), entry(Polarity::Interest, "INT-ART")]
}
