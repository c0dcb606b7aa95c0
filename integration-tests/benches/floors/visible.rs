//! From the commit of a delivery to its place in reporting's numbers, at 500 events a second.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use proto::plans::v1::plan_service_client::PlanServiceClient;
use proto::plans::v1::{
    AddPlanItemRequest, Attendance, Delivery, EnrolStudentRequest, GetPlanRequest, LogDeliveriesRequest, OwnerKind, PlanItem, PlanItemKind,
    TransitionEnrolmentRequest,
};
use proto::reviews::v1::review_service_client::ReviewServiceClient;
use proto::reviews::v1::{CompleteStudentReviewRequest, GetStudentReviewRequest, UpdateStudentReviewRequest};
use proto::r#type::v1::Domain;
use sqlx::PgPool;
use tonic::transport::Channel;
use uuid::Uuid;

use crate::autosave::Class;
use crate::ground::Ground;
use crate::{Row, percentiles};

const CALLS_A_SECOND: u32 = 25;
const EVENTS_A_CALL: usize = 20;
const SECONDS: u32 = 20;

fn bearing<T>(token: &str, message: T) -> tonic::Request<T> {
    let mut request = tonic::Request::new(message);
    request.metadata_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
    request
}

fn new_id() -> String {
    Uuid::now_v7().to_string()
}

/// Completes one review, waits for the plan, and starts a service; answers its enrolment.
async fn enrolment(ground: &Ground, class: &Class) -> (PlanServiceClient<Channel>, String) {
    let token = &class.token;
    let student_id = class.students[0].clone();
    let class_review_id = class.class_review_id.clone();
    let mut reviews = ReviewServiceClient::new(ground.district.channel("reviews"));
    let get = GetStudentReviewRequest { class_review_id: class_review_id.clone(), student_id: student_id.clone() };
    let read = reviews.get_student_review(bearing(token, get)).await.unwrap().into_inner().student_review.unwrap();
    let all = [Domain::Academics, Domain::SocialEmotional, Domain::Health, Domain::Family];
    let update = UpdateStudentReviewRequest {
        class_review_id: class_review_id.clone(),
        student_id: student_id.clone(),
        no_concern_domains: all.into_iter().filter(|d| !read.entries.iter().any(|e| e.domain == i32::from(*d))).map(Into::into).collect(),
        assigned_tier: read.suggested_tier,
        expected_version: read.version,
        request_id: new_id(),
        ..UpdateStudentReviewRequest::default()
    };
    let updated = reviews.update_student_review(bearing(token, update)).await.unwrap().into_inner().student_review.unwrap();
    let complete = CompleteStudentReviewRequest { class_review_id, student_id: student_id.clone(), expected_version: updated.version, request_id: new_id() };
    reviews.complete_student_review(bearing(token, complete)).await.unwrap();

    let mut plans = PlanServiceClient::new(ground.district.channel("plans"));
    let until = Instant::now() + Duration::from_secs(30);
    let plan = loop {
        match plans.get_plan(bearing(token, GetPlanRequest { student_id: student_id.clone(), school_year: 0 })).await {
            Ok(answer) => break answer.into_inner(),
            Err(error) => assert!(Instant::now() < until, "the plan does not appear: {error}"),
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    let item = PlanItem {
        plan_item_id: new_id(),
        need_ids: plan.needs.iter().take(1).map(|n| n.need_id.clone()).collect(),
        kind: PlanItemKind::Service.into(),
        service_category: "ED-TUT".to_owned(),
        description: "a bench's tutoring".to_owned(),
        owner: OwnerKind::Staff.into(),
        first_step_owner: OwnerKind::Staff.into(),
        ..PlanItem::default()
    };
    let plan_item_id = item.plan_item_id.clone();
    plans.add_plan_item(bearing(token, AddPlanItemRequest { plan_id: plan.plan.unwrap().plan_id, item: Some(item), request_id: new_id() })).await.unwrap();
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
    let mut version = plans.enrol_student(bearing(token, enrol)).await.unwrap().into_inner().enrolment.unwrap().version;
    for transition in ["accept", "start"] {
        let step = TransitionEnrolmentRequest {
            enrolment_id: enrolment_id.clone(),
            transition: transition.to_owned(),
            expected_version: version,
            request_id: new_id(),
            ..TransitionEnrolmentRequest::default()
        };
        version = plans.transition_enrolment(bearing(token, step)).await.unwrap().into_inner().enrolment.unwrap().version;
    }
    (plans, enrolment_id)
}

/// Logs deliveries at a steady rate and watches them arrive.
pub async fn measure(ground: &Ground, class: &Class) -> Row {
    let (plans, enrolment_id) = enrolment(ground, class).await;
    let (send, mut receive) = tokio::sync::mpsc::unbounded_channel::<(Vec<Uuid>, Instant)>();
    let pool = PgPool::connect(ground.database()).await.unwrap();
    let watcher = tokio::spawn(async move {
        let mut waiting: HashMap<Uuid, Instant> = HashMap::new();
        let (mut took, mut open) = (Vec::new(), true);
        while open || !waiting.is_empty() {
            loop {
                match receive.try_recv() {
                    Ok((ids, at)) => waiting.extend(ids.into_iter().map(|id| (id, at))),
                    Err(tokio::sync::mpsc::error::TryRecvError::Empty) => break,
                    Err(tokio::sync::mpsc::error::TryRecvError::Disconnected) => {
                        open = false;
                        break;
                    }
                }
            }
            let asked: Vec<Uuid> = waiting.keys().copied().collect();
            let seen: Vec<Uuid> =
                sqlx::query_scalar("select delivery_id from reporting.delivery_fact where delivery_id = any($1)").bind(asked).fetch_all(&pool).await.unwrap();
            let now = Instant::now();
            took.extend(seen.iter().filter_map(|id| waiting.remove(id)).map(|at| now - at));
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        took
    });
    let mut tick = tokio::time::interval(Duration::from_secs(1) / CALLS_A_SECOND);
    let today = chassis_clock::today().to_string();
    let began = Instant::now();
    let mut calls = Vec::new();
    for _ in 0..CALLS_A_SECOND * SECONDS {
        tick.tick().await;
        let (mut plans, token, enrolment_id, today, send) = (plans.clone(), class.token.clone(), enrolment_id.clone(), today.clone(), send.clone());
        calls.push(tokio::spawn(async move {
            let ids: Vec<Uuid> = (0..EVENTS_A_CALL).map(|_| Uuid::now_v7()).collect();
            let deliveries = ids
                .iter()
                .map(|id| Delivery {
                    delivery_id: id.to_string(),
                    enrolment_id: enrolment_id.clone(),
                    delivered_on: today.clone(),
                    planned_minutes: 30,
                    delivered_minutes: 30,
                    attendance: Attendance::Present.into(),
                    ..Default::default()
                })
                .collect();
            plans.log_deliveries(bearing(&token, LogDeliveriesRequest { deliveries, request_id: new_id() })).await.unwrap();
            // The answer is a little later than the commit, which makes us look a little better; a loopback's worth.
            send.send((ids, Instant::now())).unwrap();
        }));
    }
    for call in calls {
        call.await.unwrap();
    }
    let lasted = began.elapsed();
    drop(send);
    let took = watcher.await.unwrap();
    #[expect(clippy::cast_precision_loss, reason = "counts of seconds")]
    let rate = took.len() as f64 / lasted.as_secs_f64();
    let (p50, p99) = percentiles(took);
    Row {
        name: "visible",
        ours: format!("p99 {:.0} ms", p99.as_secs_f64() * 1e3),
        floor: "1000 ms".to_owned(),
        ratio: p99.as_secs_f64(),
        aim: "p99 under 1 s",
        aside: format!("p50 {:.0} ms at {rate:.0} events/s", p50.as_secs_f64() * 1e3),
    }
}
