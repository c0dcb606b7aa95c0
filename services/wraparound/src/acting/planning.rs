//! Plans: what is done about each need.

use chrono::{Datelike as _, Days, NaiveDate};
use proto::plans::v1::{
    AddPlanItemRequest, Attendance, Delivery, EnrolStudentRequest, Enrolment, FamilyAnswer, FamilyResponse, GetPlanRequest, GetPlanResponse, ListPlansRequest,
    LogDeliveriesRequest, OwnerKind, Plan, PlanItem, PlanItemKind, PlanState, RecordFamilyResponseRequest, TransitionEnrolmentRequest,
    TransitionPlanItemRequest, TransitionPlanRequest, UnmetReason,
};
use uuid::Uuid;

use super::{Person, Services, Told as _, eventually, patiently, request_id};

/// The plan of a student with all that hangs on it. Waits for the draft to appear.
pub async fn read(services: &Services, who: &Person, student: &str) -> anyhow::Result<GetPlanResponse> {
    patiently("wait for the student's draft plan", || {
        let mut client = services.plans();
        let request = who.asks(GetPlanRequest { student_id: student.to_owned(), school_year: 0 });
        async move { client.get_plan(request).await }
    })
    .await
}

/// Waits until a school has at least so many plans of these students.
pub async fn of_school(services: &Services, who: &Person, school: &str, school_year: i32, students: &[String]) -> anyhow::Result<Vec<Plan>> {
    eventually("wait for the draft plans", || async {
        let mut plans = Vec::new();
        let mut page_token = String::new();
        loop {
            let request = ListPlansRequest { school_id: school.to_owned(), class_id: String::new(), school_year, page_size: 500, page_token };
            let page = services.plans().list_plans(who.asks(request)).await.told("list the plans")?;
            plans.extend(page.plans);
            page_token = page.next_page_token;
            if page_token.is_empty() {
                break;
            }
        }
        plans.retain(|p| students.contains(&p.student_id));
        Ok((plans.len() >= students.len()).then_some(plans))
    })
    .await
}

/// Brings a draft into force: shown to the family, who agree.
pub async fn activate(services: &Services, who: &Person, plan: &Plan) -> anyhow::Result<Plan> {
    let mut plan = plan.clone();
    while let Some(transition) = match plan.state() {
        PlanState::Draft => Some("propose"),
        PlanState::Proposed => Some("activate"),
        _ => None,
    } {
        let request = TransitionPlanRequest {
            plan_id: plan.plan_id.clone(),
            transition: transition.to_owned(),
            reason: String::new(),
            expected_version: plan.version,
            request_id: request_id(),
        };
        plan = services.plans().transition_plan(who.asks(request)).await.told(&format!("{transition} the plan"))?.plan.unwrap_or_default();
        if transition == "propose" {
            plan = agree(services, who, &plan).await?;
        }
    }
    Ok(plan)
}

/// The family agrees to a plan, in a call.
pub async fn agree(services: &Services, who: &Person, plan: &Plan) -> anyhow::Result<Plan> {
    let answer = FamilyAnswer { response: FamilyResponse::Agreed.into(), channel: "call".to_owned(), language: "en".to_owned(), ..FamilyAnswer::default() };
    let request = RecordFamilyResponseRequest { plan_id: plan.plan_id.clone(), answer: Some(answer), expected_version: plan.version, request_id: request_id() };
    Ok(services.plans().record_family_response(who.asks(request)).await.told("write the family's answer down")?.plan.unwrap_or_default())
}

/// What to write into a plan.
#[derive(Clone, Debug)]
pub struct NewItem {
    /// Its id; an item that is there already is left as it is.
    pub id: Uuid,
    /// The needs it answers.
    pub needs: Vec<String>,
    /// Strengths and interests it builds on.
    pub builds_on: Vec<String>,
    /// Kind.
    pub kind: PlanItemKind,
    /// Category, e.g. `ED-TUT`.
    pub category: String,
    /// In words.
    pub description: String,
    /// The referral that will be behind it.
    pub referral: Option<Uuid>,
}

/// Adds an item.
pub async fn add(services: &Services, who: &Person, plan: &GetPlanResponse, new: &NewItem) -> anyhow::Result<PlanItem> {
    let id = new.id.to_string();
    if let Some(item) = plan.items.iter().find(|i| i.plan_item_id == id) {
        return Ok(item.clone());
    }
    let owner = if new.kind == PlanItemKind::Referral { OwnerKind::Partner } else { OwnerKind::Staff };
    let item = PlanItem {
        plan_item_id: id,
        need_ids: new.needs.clone(),
        builds_on_codes: new.builds_on.clone(),
        kind: new.kind.into(),
        service_category: new.category.clone(),
        description: new.description.clone(),
        owner: owner.into(),
        first_step_owner: OwnerKind::Staff.into(),
        referral_id: new.referral.map(|r| r.to_string()).unwrap_or_default(),
        ..PlanItem::default()
    };
    let plan_id = plan.plan.as_ref().map(|p| p.plan_id.clone()).unwrap_or_default();
    let request = AddPlanItemRequest { plan_id, item: Some(item), request_id: request_id() };
    Ok(services.plans().add_plan_item(who.asks(request)).await.told("add the plan item")?.item.unwrap_or_default())
}

/// Moves an item.
pub async fn move_item(services: &Services, who: &Person, item: &PlanItem, transition: &str, reason: UnmetReason) -> anyhow::Result<PlanItem> {
    let request = TransitionPlanItemRequest {
        plan_item_id: item.plan_item_id.clone(),
        transition: transition.to_owned(),
        reason: reason.into(),
        expected_version: item.version,
        request_id: request_id(),
        ..Default::default()
    };
    Ok(services.plans().transition_plan_item(who.asks(request)).await.told(&format!("{transition} the plan item"))?.item.unwrap_or_default())
}

/// Enrols the student in a group of the school's own, starts it and logs what was delivered since.
pub async fn enrol(services: &Services, who: &Person, item: &PlanItem, id: Uuid, since: NaiveDate) -> anyhow::Result<Enrolment> {
    let request = EnrolStudentRequest {
        plan_item_id: item.plan_item_id.clone(),
        enrolment_id: id.to_string(),
        service_id: String::new(),
        sessions_per_week: 2,
        minutes_per_session: 30,
        weeks: 10,
        request_id: request_id(),
        ..Default::default()
    };
    let mut enrolment = services.plans().enrol_student(who.asks(request)).await.told("enrol the student")?.enrolment.unwrap_or_default();
    for (transition, on) in [("accept", String::new()), ("start", since.to_string())] {
        let request = TransitionEnrolmentRequest {
            enrolment_id: enrolment.enrolment_id.clone(),
            transition: transition.to_owned(),
            reason: String::new(),
            on_date: on,
            expected_version: enrolment.version,
            request_id: request_id(),
            ..Default::default()
        };
        enrolment = services.plans().transition_enrolment(who.asks(request)).await.told(&format!("{transition} the enrolment"))?.enrolment.unwrap_or_default();
    }
    Ok(enrolment)
}

/// Logs a session a Tuesday and a Thursday from the start on; answers their ids.
pub async fn deliver(services: &Services, who: &Person, enrolment: &Enrolment, since: NaiveDate) -> anyhow::Result<Vec<String>> {
    let namespace = Uuid::parse_str(&enrolment.enrolment_id)?;
    let deliveries: Vec<Delivery> = sessions(since, chassis_clock::today())
        .into_iter()
        .enumerate()
        .map(|(n, day)| {
            let (delivered, attendance) = match n % 5 {
                3 => (0, Attendance::AbsentExcused),
                4 => (20, Attendance::Partial),
                _ => (30, Attendance::Present),
            };
            Delivery {
                delivery_id: Uuid::new_v5(&namespace, day.to_string().as_bytes()).to_string(),
                enrolment_id: enrolment.enrolment_id.clone(),
                delivered_on: day.to_string(),
                planned_minutes: 30,
                delivered_minutes: delivered,
                attendance: attendance.into(),
                ..Default::default()
            }
        })
        .collect();
    if deliveries.is_empty() {
        return Ok(Vec::new());
    }
    let ids = deliveries.iter().map(|d| d.delivery_id.clone()).collect();
    services.plans().log_deliveries(who.asks(LogDeliveriesRequest { deliveries, request_id: request_id() })).await.told("log the deliveries")?;
    Ok(ids)
}

/// Tuesdays and Thursdays; the first day itself where there is none yet.
fn sessions(since: NaiveDate, until: NaiveDate) -> Vec<NaiveDate> {
    let days = (0..).map_while(|n| since.checked_add_days(Days::new(n)).filter(|day| *day <= until));
    let found: Vec<_> = days.filter(|day| matches!(day.weekday(), chrono::Weekday::Tue | chrono::Weekday::Thu)).collect();
    if found.is_empty() && since <= until { vec![since] } else { found }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sessions_are_on_two_days_a_week() {
        let day = |d| NaiveDate::from_ymd_opt(2026, 11, d).unwrap();
        assert_eq!(sessions(day(2), day(13)).len(), 4);
        assert_eq!(sessions(day(6), day(6)), [day(6)]);
        assert!(sessions(day(7), day(6)).is_empty());
    }
}
