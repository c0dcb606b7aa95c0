//! What people of a district do, call by call: the steps that several tests take on their way.
//!
//! Everything goes through the public APIs. What follows by an event is asked for until it is there.

use chrono::{Days, NaiveDate};
use proto::partners::v1::{
    Agreement, Consent, CreateReferralRequest, Partner, PutAgreementRequest, PutConsentRequest, PutPartnerRequest, PutServiceRequest, Referral, ReferralMode,
    SendReferralRequest, Service, SetCapacityRequest, TransitionReferralRequest, Urgency,
};
use proto::plans::v1::{AddPlanItemRequest, GetPlanRequest, GetPlanResponse, OwnerKind, PlanItem, PlanItemKind};
use proto::reviews::v1::{
    ClassReview, CompleteStudentReviewRequest, CreateReviewCycleRequest, Entry, GetStudentReviewRequest, Polarity, PutEntryRequest, ReviewCycle, Season,
    StartClassReviewRequest, StudentReview, UpdateStudentReviewRequest,
};
use proto::r#type::v1::{Certainty, Domain, Sensitivity};
use tonic::{Code, Response, Status};
use uuid::Uuid;

use crate::clients::Clients;
use crate::patience::eventually;

/// A new id, for requests and for things that the client names.
pub fn new_id() -> String {
    Uuid::now_v7().to_string()
}

/// Today, as the services reckon.
pub fn today() -> NaiveDate {
    chassis_clock::today()
}

/// The answer of a call that must succeed.
///
/// # Panics
/// With what was being done and why it was refused.
pub fn done<T>(doing: &str, answer: Result<Response<T>, Status>) -> T {
    match answer {
        Ok(answer) => answer.into_inner(),
        Err(status) => panic!("{doing}: {:?} {} {:?}", status.code(), status.message(), chassis_rpc::fault::reason_of(&status)),
    }
}

/// The answer of a call once the service has heard of what it is about; any other refusal fails at once.
pub async fn in_time<T, F: Future<Output = Result<Response<T>, Status>>>(doing: &str, mut call: impl FnMut() -> F) -> T {
    eventually(doing, || {
        let answer = call();
        async {
            match answer.await {
                Err(status) if matches!(status.code(), Code::PermissionDenied | Code::NotFound | Code::Unavailable) => None,
                answer => Some(done(doing, answer)),
            }
        }
    })
    .await
}

/// Opens a review season that is open today. Done by a programme manager.
///
/// # Panics
/// When it is refused.
pub async fn open_cycle(manager: &Clients) -> ReviewCycle {
    let year = wraparound::generate::school_year_of(today());
    let request = CreateReviewCycleRequest {
        school_year: year,
        season: Season::Fall.into(),
        opens_on: today().checked_sub_days(Days::new(7)).unwrap_or_default().to_string(),
        closes_on: today().checked_add_days(Days::new(60)).unwrap_or_default().to_string(),
        request_id: new_id(),
        ..Default::default()
    };
    done("open a cycle", manager.clone().reviews.create_review_cycle(request).await).cycle.unwrap_or_default()
}

/// Opens a season of its own for one test, open today. Done by a programme manager.
///
/// # Panics
/// When it is refused.
pub async fn open_custom_cycle(manager: &Clients) -> ReviewCycle {
    let request = CreateReviewCycleRequest {
        school_year: wraparound::generate::school_year_of(today()),
        season: Season::Custom.into(),
        // Reviews reckon "today" where the district is, which is yesterday for a part of the day.
        opens_on: today().pred_opt().unwrap_or_default().to_string(),
        closes_on: today().to_string(),
        request_id: new_id(),
        ..Default::default()
    };
    done("open a cycle", manager.clone().reviews.create_review_cycle(request).await).cycle.unwrap_or_default()
}

/// Starts the review of a class, once the reviews service knows the class.
pub async fn start_review(who: &Clients, cycle: &ReviewCycle, class_id: &str) -> ClassReview {
    let request = StartClassReviewRequest {
        review_cycle_id: cycle.review_cycle_id.clone(),
        class_id: class_id.to_owned(),
        roster_date: String::new(),
        request_id: new_id(),
    };
    let answer = in_time("start a class review", || {
        let (mut who, request) = (who.clone(), request.clone());
        async move { who.reviews.start_class_review(request).await }
    })
    .await;
    answer.class_review.unwrap_or_default()
}

/// A need of a student, as somebody writes it down.
#[derive(Clone, Copy, Debug)]
pub struct Need<'n> {
    /// From the code list.
    pub code: &'n str,
    /// 1 to 3.
    pub severity: i32,
    /// Who may see it.
    pub sensitivity: Sensitivity,
    /// In words.
    pub note: &'n str,
}

/// Writes a need down. Answers its id.
///
/// # Panics
/// When it is refused.
pub async fn put_need(who: &Clients, review: &ClassReview, student_id: &str, need: Need<'_>) -> String {
    let entry_id = new_id();
    let entry = Entry {
        entry_id: entry_id.clone(),
        polarity: Polarity::Need.into(),
        code: need.code.to_owned(),
        severity: need.severity,
        certainty: Certainty::Observed.into(),
        note: need.note.to_owned(),
        sensitivity: need.sensitivity.into(),
        ..Entry::default()
    };
    let request = PutEntryRequest {
        class_review_id: review.class_review_id.clone(),
        student_id: student_id.to_owned(),
        entry: Some(entry),
        expected_version: 0,
        request_id: new_id(),
    };
    done(&format!("write down {}", need.code), who.clone().reviews.put_entry(request).await);
    entry_id
}

/// One student's review, as somebody sees it.
///
/// # Panics
/// When it is refused.
pub async fn student_review(who: &Clients, review: &ClassReview, student_id: &str) -> StudentReview {
    let request = GetStudentReviewRequest { class_review_id: review.class_review_id.clone(), student_id: student_id.to_owned() };
    done("read a student's review", who.clone().reviews.get_student_review(request).await).student_review.unwrap_or_default()
}

/// Marks a student as reviewed: the tier that was suggested, and no concern where nothing was written.
///
/// # Panics
/// When it is refused.
pub async fn complete(who: &Clients, review: &ClassReview, student_id: &str) -> StudentReview {
    let seen = student_review(who, review, student_id).await;
    let noted: Vec<i32> = seen.entries.iter().map(|entry| entry.domain).collect();
    let domains = [Domain::Academics, Domain::SocialEmotional, Domain::Health, Domain::Family];
    let update = UpdateStudentReviewRequest {
        class_review_id: review.class_review_id.clone(),
        student_id: student_id.to_owned(),
        no_concern_domains: domains.into_iter().map(i32::from).filter(|domain| !noted.contains(domain)).collect(),
        assigned_tier: seen.suggested_tier,
        tier_reason: String::new(),
        tier_reason_text: String::new(),
        no_strength_reason: "not yet well known".to_owned(),
        expected_version: seen.version,
        request_id: new_id(),
    };
    let updated = done("assign a tier", who.clone().reviews.update_student_review(update).await).student_review.unwrap_or_default();
    let request = CompleteStudentReviewRequest {
        class_review_id: review.class_review_id.clone(),
        student_id: student_id.to_owned(),
        expected_version: updated.version,
        request_id: new_id(),
    };
    done("complete a student's review", who.clone().reviews.complete_student_review(request).await).student_review.unwrap_or_default()
}

/// The plan of a student, once it is there with so many needs.
pub async fn plan_with(who: &Clients, student_id: &str, needs: usize) -> GetPlanResponse {
    let request = GetPlanRequest { student_id: student_id.to_owned(), school_year: 0 };
    eventually("the plan has its needs", || {
        let (mut who, request) = (who.clone(), request.clone());
        async move { who.plans.get_plan(request).await.ok().map(Response::into_inner).filter(|answer| answer.needs.len() >= needs) }
    })
    .await
}

/// An organisation with an agreement and a service of a category. Done by a partnership manager.
///
/// # Panics
/// When it is refused.
pub async fn partner_with_service(manager: &Clients, name: &str, category: &str, places: i32) -> (Partner, Service) {
    let mut manager = manager.clone();
    let partner = Partner { partner_id: new_id(), name: name.to_owned(), sector: "SEC-YTH".to_owned(), status: "active".to_owned(), version: 0 };
    let request = PutPartnerRequest { partner: Some(partner), expected_version: 0, request_id: new_id() };
    let partner = done("add a partner", manager.directory.put_partner(request).await).partner.unwrap_or_default();
    let agreement = Agreement {
        agreement_id: new_id(),
        partner_id: partner.partner_id.clone(),
        kind: "data_sharing".to_owned(),
        valid_from: today().checked_sub_days(Days::new(30)).unwrap_or_default().to_string(),
        valid_to: today().checked_add_days(Days::new(300)).unwrap_or_default().to_string(),
    };
    done("add an agreement", manager.directory.put_agreement(PutAgreementRequest { agreement: Some(agreement), request_id: new_id() }).await);
    let service = Service {
        service_id: new_id(),
        partner_id: partner.partner_id.clone(),
        name: format!("{name}, afternoons"),
        category: category.to_owned(),
        description: "A fictional offer.".to_owned(),
        status: "active".to_owned(),
        languages: vec!["en".to_owned()],
        ..Service::default()
    };
    let request = PutServiceRequest { service: Some(service), expected_version: 0, request_id: new_id() };
    let service = done("add a service", manager.directory.put_service(request).await).service.unwrap_or_default();
    let request = SetCapacityRequest { service_id: service.service_id.clone(), maximum: places, request_id: new_id() };
    done("set the capacity", manager.directory.set_capacity(request).await);
    (partner, service)
}

/// Adds a plan item that is answered by a referral.
///
/// # Panics
/// When it is refused.
pub async fn add_referral_item(who: &Clients, plan: &GetPlanResponse, need_id: &str, category: &str, description: &str) -> PlanItem {
    let item = PlanItem {
        plan_item_id: new_id(),
        need_ids: vec![need_id.to_owned()],
        kind: PlanItemKind::Referral.into(),
        service_category: category.to_owned(),
        description: description.to_owned(),
        owner: OwnerKind::Partner.into(),
        first_step_owner: OwnerKind::Family.into(),
        ..PlanItem::default()
    };
    let plan_id = plan.plan.as_ref().map(|plan| plan.plan_id.clone()).unwrap_or_default();
    let request = AddPlanItemRequest { plan_id, item: Some(item), request_id: new_id() };
    done("add a plan item", who.clone().plans.add_plan_item(request).await).item.unwrap_or_default()
}

/// Refers a student to a service: consent, draft, sent. Retries the draft until the partners service knows the student.
pub async fn refer(who: &Clients, student_id: &str, need: (&str, &str), plan_item_id: &str, service: &Service, scopes: &[&str]) -> Referral {
    let scopes: Vec<String> = scopes.iter().map(|scope| (*scope).to_owned()).collect();
    let consent = Consent {
        consent_id: new_id(),
        student_id: student_id.to_owned(),
        partner_id: service.partner_id.clone(),
        scopes: scopes.clone(),
        purpose: "service".to_owned(),
        signer_kind: "guardian".to_owned(),
        method: "paper".to_owned(),
        valid_from: today().to_string(),
        expires_on: today().checked_add_days(Days::new(200)).unwrap_or_default().to_string(),
        state: String::new(),
        language: "en".to_owned(),
    };
    let request = PutConsentRequest { consent: Some(consent), request_id: new_id() };
    in_time("record a consent", || {
        let (mut who, request) = (who.clone(), request.clone());
        async move { who.referrals.put_consent(request).await }
    })
    .await;
    let draft = Referral {
        referral_id: new_id(),
        student_id: student_id.to_owned(),
        need_ids: vec![need.0.to_owned()],
        plan_item_id: plan_item_id.to_owned(),
        service_id: service.service_id.clone(),
        urgency: Urgency::Routine.into(),
        mode: ReferralMode::Normal.into(),
        shared_scopes: scopes,
        first_step_owner: "partner".to_owned(),
        ..Referral::default()
    };
    let request = CreateReferralRequest { referral: Some(draft), request_id: new_id(), need_codes: vec![need.1.to_owned()] };
    let draft = in_time("write a referral", || {
        let (mut who, request) = (who.clone(), request.clone());
        async move { who.referrals.create_referral(request).await }
    })
    .await
    .referral
    .unwrap_or_default();
    let request = SendReferralRequest { referral_id: draft.referral_id, expected_version: draft.version, request_id: new_id() };
    done("send a referral", who.clone().referrals.send_referral(request).await).referral.unwrap_or_default()
}

/// Moves a referral whatever its version.
///
/// # Panics
/// When it is refused.
pub async fn move_referral(who: &Clients, referral_id: &str, transition: &str) -> Referral {
    let request = TransitionReferralRequest {
        referral_id: referral_id.to_owned(),
        transition: transition.to_owned(),
        reason: String::new(),
        reason_side: String::new(),
        expected_version: 0,
        request_id: new_id(),
    };
    done(transition, who.clone().referrals.transition_referral(request).await).referral.unwrap_or_default()
}
