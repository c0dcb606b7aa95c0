//! People at work who never give up: each write is repeated with its request id until it is acknowledged.

use std::io::Cursor;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, RwLock};
use std::time::{Duration, Instant};

use integration_tests::acts::open_custom_cycle;
use integration_tests::clients::{Clients, Reached};
use integration_tests::patience::eventually;
use integration_tests::tokens::Claims;
use proto::partners::v1::{
    CreateReferralRequest, Partner, PutPartnerRequest, PutServiceRequest, Referral, ReferralMode, SendReferralRequest, Service, TransitionReferralRequest,
};
use proto::plans::v1::{
    AddPlanItemRequest, Attendance, Delivery, EnrolStudentRequest, GetPlanRequest, JudgeNeedRequest, LogDeliveriesRequest, NeedState, OwnerKind, PlanItem,
    PlanItemKind, TransitionEnrolmentRequest,
};
use proto::reviews::v1::{
    CompleteStudentReviewRequest, Entry, EntrySource, GetClassReviewRequest, Polarity, PutEntryRequest, StartClassReviewRequest, UpdateStudentReviewRequest,
};
use proto::rosters::v1::{ListClassesRequest, ListSchoolsRequest};
use proto::r#type::v1::{Certainty, Domain};
use tokio::task::JoinHandle;
use tonic::{Code, Status};
use uuid::Uuid;
use wraparound::generate::{DistrictSpec, generate, school_year_of};

/// What was acknowledged.
#[derive(Debug, Default)]
pub struct Ledger {
    pub deliveries: Vec<(Uuid, i32)>,
    /// Entry, version, severity.
    pub entries: Vec<(Uuid, i64, i32)>,
    /// Referral and the state it was brought to.
    pub referrals: Vec<(Uuid, &'static str)>,
    /// Need, version, state.
    pub needs: Vec<(Uuid, i64, &'static str)>,
}

/// The district as the writers see it.
pub struct World {
    clients: RwLock<Clients>,
    claims: Claims,
    stopped: AtomicBool,
    acknowledged: AtomicU64,
    ledger: Mutex<Ledger>,
    class_review_id: String,
    unreviewed: Vec<String>,
    enrolments: Vec<String>,
    needs: Vec<(String, i64)>,
    /// Whose need is referred; nobody judges that one.
    student_id: String,
    referred_need: String,
    service_id: String,
}

fn new_id() -> String {
    Uuid::now_v7().to_string()
}

fn entry(class_review_id: &str, student_id: &str, entry_id: &str, code: &str, severity: i32, version: i64, request_id: &str) -> PutEntryRequest {
    let need = severity > 0;
    PutEntryRequest {
        class_review_id: class_review_id.to_owned(),
        student_id: student_id.to_owned(),
        entry: Some(Entry {
            entry_id: entry_id.to_owned(),
            polarity: if need { Polarity::Need.into() } else { Polarity::Strength.into() },
            code: code.to_owned(),
            severity,
            certainty: if need { Certainty::Observed.into() } else { 0 },
            source: EntrySource::Teacher.into(),
            ..Entry::default()
        }),
        expected_version: version,
        request_id: request_id.to_owned(),
    }
}

impl World {
    /// A school with one class half reviewed, plans with a service under way, and a partner.
    pub async fn prepare(district: &impl Reached) -> Self {
        let mut zip = Cursor::new(Vec::new());
        let school_year = school_year_of(chassis_clock::today());
        generate(&DistrictSpec { schools: 1, students: 300, seed: 11, school_year }, &mut zip, |_, _| {}).unwrap();
        district.clients(&Claims::role("data_clerk")).import_all(zip.into_inner()).await;
        let mut everybody = district.clients(&Claims::role("program_manager"));
        let school_id = everybody.rosters.list_schools(ListSchoolsRequest::default()).await.unwrap().into_inner().schools.remove(0).school_id;
        let claims = Claims::role("coordinator").at(&[&school_id]);
        let mut me = district.clients(&claims);
        let class_id = eventually("a homeroom", || {
            let (mut me, school_id) = (me.clone(), school_id.clone());
            async move {
                let request = ListClassesRequest { school_id, review_units_only: true, ..ListClassesRequest::default() };
                me.rosters.list_classes(request).await.ok()?.into_inner().classes.into_iter().find(|c| c.student_count > 8).map(|c| c.class_id)
            }
        })
        .await;
        let review_cycle_id = open_custom_cycle(&everybody).await.review_cycle_id;
        let class_review_id = eventually("the class review", || {
            let mut me = me.clone();
            let request = StartClassReviewRequest {
                review_cycle_id: review_cycle_id.clone(),
                class_id: class_id.clone(),
                roster_date: String::new(),
                request_id: new_id(),
            };
            async move { me.reviews.start_class_review(request).await.ok()?.into_inner().class_review.map(|r| r.class_review_id) }
        })
        .await;
        let request = GetClassReviewRequest { class_review_id: class_review_id.clone() };
        let students: Vec<_> = me.reviews.get_class_review(request).await.unwrap().into_inner().students;

        let (mut enrolments, mut needs) = (Vec::new(), Vec::new());
        for student in students.iter().take(4) {
            let (enrolment, need) = reviewed_and_enrolled(&mut me, &class_review_id, &student.student_id).await;
            enrolments.push(enrolment);
            needs.push(need);
        }
        let service_id = partner_with_service(district).await;
        Self {
            clients: RwLock::new(me),
            claims,
            stopped: AtomicBool::new(false),
            acknowledged: AtomicU64::new(0),
            ledger: Mutex::default(),
            class_review_id,
            unreviewed: students.iter().skip(4).map(|s| s.student_id.clone()).collect(),
            enrolments,
            student_id: students[3].student_id.clone(),
            referred_need: needs[3].0.clone(),
            service_id,
            needs,
        }
    }

    /// Where the district listens now.
    pub fn point_at(&self, district: &impl Reached) {
        *self.clients.write().unwrap() = district.clients(&self.claims);
    }

    /// How many writes were acknowledged.
    pub fn acknowledged(&self) -> u64 {
        self.acknowledged.load(Ordering::Relaxed)
    }

    /// Waits until work has gone on.
    pub async fn progress_beyond(&self, before: u64) {
        let until = Instant::now() + Duration::from_secs(60);
        while self.acknowledged() <= before + 20 {
            assert!(Instant::now() < until, "nothing is acknowledged any more");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Lets every writer finish what it has begun.
    pub async fn stop(&self, writers: Vec<JoinHandle<()>>) -> Ledger {
        self.stopped.store(true, Ordering::Relaxed);
        for writer in writers {
            tokio::time::timeout(Duration::from_secs(60), writer).await.expect("a writer never gets its acknowledgement").unwrap();
        }
        std::mem::take(&mut *self.ledger.lock().unwrap())
    }

    /// Repeats a call until it is acknowledged. Only what a client is told to repeat is repeated.
    async fn until_acknowledged<T, F: Future<Output = Result<T, Status>>>(&self, what: &str, call: impl Fn(Clients) -> F) -> T {
        loop {
            let clients = self.clients.read().unwrap().clone();
            match call(clients).await {
                Ok(answer) => {
                    self.acknowledged.fetch_add(1, Ordering::Relaxed);
                    return answer;
                }
                Err(status) if matches!(status.code(), Code::Unavailable | Code::Unknown | Code::DeadlineExceeded | Code::Cancelled) => {
                    tokio::time::sleep(Duration::from_millis(30)).await;
                }
                // A connection that the server ended in good order while the call was about to go out: the client says so as its own
                // failure, with what it met as the source. A server's answer has none.
                Err(status) if status.code() == Code::Internal && std::error::Error::source(&status).is_some() => {
                    tokio::time::sleep(Duration::from_millis(30)).await;
                }
                // A token of the district as it was before its restart, under its old address.
                Err(status) if status.code() == Code::Unauthenticated => tokio::time::sleep(Duration::from_millis(30)).await,
                Err(status) => panic!("{what}: {status:?}"),
            }
        }
    }
}

async fn reviewed_and_enrolled(me: &mut Clients, class_review_id: &str, student_id: &str) -> (String, (String, i64)) {
    for (code, severity) in [("ACA-CUR", 0), ("ACA-RDG", 2)] {
        me.reviews.put_entry(entry(class_review_id, student_id, &new_id(), code, severity, 0, &new_id())).await.unwrap();
    }
    let update = UpdateStudentReviewRequest {
        class_review_id: class_review_id.to_owned(),
        student_id: student_id.to_owned(),
        no_concern_domains: [Domain::SocialEmotional, Domain::Health, Domain::Family].map(Into::into).to_vec(),
        assigned_tier: proto::r#type::v1::Tier::Tier2b.into(),
        expected_version: version_of(me, class_review_id, student_id).await,
        request_id: new_id(),
        ..UpdateStudentReviewRequest::default()
    };
    let expected_version = me.reviews.update_student_review(update).await.unwrap().into_inner().student_review.unwrap().version;
    let complete =
        CompleteStudentReviewRequest { class_review_id: class_review_id.to_owned(), student_id: student_id.to_owned(), expected_version, request_id: new_id() };
    me.reviews.complete_student_review(complete).await.unwrap();
    let plan =
        eventually("the draft plan", || {
            let (mut me, student_id) = (me.clone(), student_id.to_owned());
            async move {
                me.plans.get_plan(GetPlanRequest { student_id, school_year: 0 }).await.ok().map(tonic::Response::into_inner).filter(|p| !p.needs.is_empty())
            }
        })
        .await;
    let need = (plan.needs[0].need_id.clone(), plan.needs[0].version);
    let item = PlanItem {
        plan_item_id: new_id(),
        builds_on_codes: vec!["ACA-CUR".to_owned()],
        kind: PlanItemKind::Service.into(),
        service_category: "ENR-ART".to_owned(),
        description: "art club".to_owned(),
        owner: OwnerKind::Staff.into(),
        first_step_owner: OwnerKind::Staff.into(),
        ..PlanItem::default()
    };
    let plan_item_id = item.plan_item_id.clone();
    me.plans.add_plan_item(AddPlanItemRequest { plan_id: plan.plan.unwrap().plan_id, item: Some(item), request_id: new_id() }).await.unwrap();
    let enrolment_id = new_id();
    let enrol = EnrolStudentRequest {
        plan_item_id,
        enrolment_id: enrolment_id.clone(),
        service_id: String::new(),
        sessions_per_week: 2,
        minutes_per_session: 30,
        weeks: 10,
        request_id: new_id(),
        ..Default::default()
    };
    let mut expected_version = me.plans.enrol_student(enrol).await.unwrap().into_inner().enrolment.unwrap().version;
    for transition in ["accept", "start"] {
        let step = TransitionEnrolmentRequest {
            enrolment_id: enrolment_id.clone(),
            transition: transition.to_owned(),
            expected_version,
            request_id: new_id(),
            ..TransitionEnrolmentRequest::default()
        };
        expected_version = me.plans.transition_enrolment(step).await.unwrap().into_inner().enrolment.unwrap().version;
    }
    (enrolment_id, need)
}

async fn version_of(me: &mut Clients, class_review_id: &str, student_id: &str) -> i64 {
    let request = proto::reviews::v1::GetStudentReviewRequest { class_review_id: class_review_id.to_owned(), student_id: student_id.to_owned() };
    me.reviews.get_student_review(request).await.unwrap().into_inner().student_review.unwrap().version
}

async fn partner_with_service(district: &impl Reached) -> String {
    let mut manager = district.clients(&Claims::role("partnership_manager"));
    let partner =
        Partner { partner_id: new_id(), name: "Fictional Youth House".to_owned(), sector: "SEC-CBO".to_owned(), status: "active".to_owned(), version: 0 };
    let service = Service {
        service_id: new_id(),
        partner_id: partner.partner_id.clone(),
        name: "Homework club".to_owned(),
        category: "ED-HWK".to_owned(),
        status: "active".to_owned(),
        ..Service::default()
    };
    manager.directory.put_partner(PutPartnerRequest { partner: Some(partner), expected_version: 0, request_id: new_id() }).await.unwrap();
    let service_id = service.service_id.clone();
    manager.directory.put_service(PutServiceRequest { service: Some(service), expected_version: 0, request_id: new_id() }).await.unwrap();
    service_id
}

/// Starts everybody.
pub fn start(world: &Arc<World>) -> Vec<JoinHandle<()>> {
    let mut writers = Vec::new();
    for enrolment in world.enrolments.clone() {
        writers.push(tokio::spawn(log_deliveries(world.clone(), enrolment)));
    }
    for student in world.unreviewed.iter().take(2).cloned() {
        writers.push(tokio::spawn(save_entries(world.clone(), student)));
    }
    for need in world.needs.iter().take(2).cloned() {
        writers.push(tokio::spawn(judge(world.clone(), need)));
    }
    writers.push(tokio::spawn(refer(world.clone())));
    writers
}

async fn log_deliveries(world: Arc<World>, enrolment_id: String) {
    let today = chassis_clock::today().to_string();
    while !world.stopped.load(Ordering::Relaxed) {
        let deliveries: Vec<Delivery> = (1..=5)
            .map(|minutes| Delivery {
                delivery_id: new_id(),
                enrolment_id: enrolment_id.clone(),
                delivered_on: today.clone(),
                planned_minutes: 30,
                delivered_minutes: minutes,
                attendance: Attendance::Present.into(),
                ..Default::default()
            })
            .collect();
        let request = LogDeliveriesRequest { deliveries: deliveries.clone(), request_id: new_id() };
        world
            .until_acknowledged("deliveries", |mut me| {
                let asked = request.clone();
                async move { me.plans.log_deliveries(asked).await }
            })
            .await;
        world.ledger.lock().unwrap().deliveries.extend(deliveries.iter().map(|d| (d.delivery_id.parse().unwrap(), d.delivered_minutes)));
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

async fn save_entries(world: Arc<World>, student_id: String) {
    let (entry_id, mut version) = (new_id(), 0);
    while !world.stopped.load(Ordering::Relaxed) {
        let severity = i32::try_from(version % 3).unwrap() + 1;
        let request = entry(&world.class_review_id, &student_id, &entry_id, "ACA-MAT", severity, version, &new_id());
        let saved = world
            .until_acknowledged("entry", |mut me| {
                let asked = request.clone();
                async move { me.reviews.put_entry(asked).await }
            })
            .await;
        let saved = saved.into_inner().entry.unwrap();
        assert_eq!(saved.version, version + 1, "a repeated save took effect twice");
        version = saved.version;
        world.ledger.lock().unwrap().entries.push((entry_id.parse().unwrap(), version, saved.severity));
    }
}

async fn judge(world: Arc<World>, (need_id, mut version): (String, i64)) {
    let states = [(NeedState::PartlyMet, "partly_met"), (NeedState::Open, "open"), (NeedState::Met, "met")];
    for (state, name) in states.into_iter().cycle() {
        if world.stopped.load(Ordering::Relaxed) {
            return;
        }
        let request = JudgeNeedRequest { need_id: need_id.clone(), state: state.into(), expected_version: version, request_id: new_id() };
        let judged = world
            .until_acknowledged("need", |mut me| {
                let asked = request.clone();
                async move { me.plans.judge_need(asked).await }
            })
            .await;
        version = judged.into_inner().need.unwrap().version;
        world.ledger.lock().unwrap().needs.push((need_id.parse().unwrap(), version, name));
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

async fn refer(world: Arc<World>) {
    while !world.stopped.load(Ordering::Relaxed) {
        let referral = Referral {
            referral_id: new_id(),
            student_id: world.student_id.clone(),
            need_ids: vec![world.referred_need.clone()],
            service_id: world.service_id.clone(),
            // The family goes by itself: nothing is shared, so no consent is asked for.
            mode: ReferralMode::InformationOnly.into(),
            first_step_owner: "family".to_owned(),
            ..Referral::default()
        };
        let referral_id = referral.referral_id.clone();
        let create = CreateReferralRequest { referral: Some(referral), request_id: new_id(), need_codes: vec!["ACA-RDG".to_owned()] };
        let created = world
            .until_acknowledged("referral", |mut me| {
                let asked = create.clone();
                async move { me.referrals.create_referral(asked).await }
            })
            .await;
        let send =
            SendReferralRequest { referral_id: referral_id.clone(), expected_version: created.into_inner().referral.unwrap().version, request_id: new_id() };
        let sent = world
            .until_acknowledged("sending", |mut me| {
                let asked = send.clone();
                async move { me.referrals.send_referral(asked).await }
            })
            .await;
        let withdraw = TransitionReferralRequest {
            referral_id: referral_id.clone(),
            transition: "withdraw".to_owned(),
            reason: "no_longer_interested".to_owned(),
            reason_side: "family".to_owned(),
            expected_version: sent.into_inner().referral.unwrap().version,
            request_id: new_id(),
        };
        world
            .until_acknowledged("withdrawal", |mut me| {
                let asked = withdraw.clone();
                async move { me.referrals.transition_referral(asked).await }
            })
            .await;
        world.ledger.lock().unwrap().referrals.push((referral_id.parse().unwrap(), "withdrawn"));
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
