//! Enrolments of many students: who is to start, who waits.

use chassis_access::Caller;
use chassis_pg::DbError;
use chassis_rpc::{PageToken, Parser};
use chrono::NaiveDate;
use proto::plans::v1::{self as wire, ListEnrolmentsRequest, ListEnrolmentsResponse};
use sqlx::PgConnection;
use uuid::Uuid;

use super::entity::{Enrolment, EnrolmentState};
use crate::codes::Sensitivity;
use crate::error::PlanError;
use crate::grpc::Plans;
use crate::sight::{Sight, Whose};

/// Which enrolments.
#[derive(Clone, Debug)]
pub struct ListQuery<'q> {
    /// Whose.
    pub whose: &'q Whose,
    /// What of their items may be seen.
    pub sight: &'q Sight,
    /// In these states.
    pub states: &'q [EnrolmentState],
    /// Only those to start until this day.
    pub starts_until: Option<NaiveDate>,
    /// Enrolments after this one.
    pub after: Option<(NaiveDate, Uuid)>,
    /// How many.
    pub limit: i64,
}

/// One of a list, with what it is sorted by and how sensitive its item is.
#[derive(Clone, Debug)]
pub struct Listed {
    /// The enrolment.
    pub enrolment: Enrolment,
    /// Day of its start; the end of time where not known.
    pub day: NaiveDate,
    /// Of its item.
    pub sensitivity: Sensitivity,
}

/// Enrolments by the day of their start; those without one last.
pub async fn list(conn: &mut PgConnection, query: &ListQuery<'_>) -> Result<Vec<Listed>, DbError> {
    let states: Vec<String> = query.states.iter().map(|s| s.as_str().to_owned()).collect();
    let (after_day, after_id) = query.after.unzip();
    let page = sqlx::query!(
        r#"select e.enrolment_id, coalesce(e.started_on, e.starts_on, date '9999-12-31') as "day!", i.sensitivity as "sensitivity: Sensitivity"
           from plans.service_enrolment e join plans.plan_item i using (plan_item_id) join plans.plan p using (plan_id)
           where e.state = any($1) and ($2::date is null or coalesce(e.started_on, e.starts_on) <= $2)
             and ($3 or exists (select from plans.relationship r where r.subject = p.student_id and r.relation in ('attends', 'member') and r.object = any($4::uuid[])))
             and ($5::date is null or (coalesce(e.started_on, e.starts_on, date '9999-12-31'), e.enrolment_id) > ($5, $6::uuid))
             and (i.sensitivity <> 'protected' or plans.sees_need(p.student_id, 'protected', '', '{}', '{}', '{}', $10, $11::uuid[], $12::uuid[]))
             and not exists (
                 select from plans.plan_item_need l join plans.need n using (need_id)
                 where l.plan_item_id = i.plan_item_id
                   and not plans.sees_need(p.student_id, n.sensitivity, n.domain, $7::text[], $8::uuid[], $9::text[], $10, $11::uuid[], $12::uuid[]))
           order by 2, 1 limit $13"#,
        &states,
        query.starts_until,
        query.whose.everything,
        &query.whose.places,
        after_day,
        after_id,
        &query.sight.restricted_everywhere,
        &query.sight.restricted_places,
        &query.sight.restricted_domains,
        query.sight.protected_everywhere,
        &query.sight.protected_places,
        &query.sight.protected_students,
        query.limit
    )
    .fetch_all(&mut *conn)
    .await?;
    let ids: Vec<Uuid> = page.iter().map(|row| row.enrolment_id).collect();
    let found = super::repo::by_ids(conn, &ids).await?;
    let mut by_id: std::collections::HashMap<Uuid, Enrolment> = found.into_iter().map(|e| (e.enrolment_id, e)).collect();
    Ok(page.into_iter().filter_map(|r| Some(Listed { enrolment: by_id.remove(&r.enrolment_id)?, day: r.day, sensitivity: r.sensitivity })).collect())
}

/// States of enrolments that are not over.
pub const OPEN: [EnrolmentState; 5] =
    [EnrolmentState::Offered, EnrolmentState::Accepted, EnrolmentState::Waitlisted, EnrolmentState::Active, EnrolmentState::Paused];

impl Plans {
    pub(crate) async fn enrolment_list(&self, caller: &Caller, message: &ListEnrolmentsRequest) -> Result<ListEnrolmentsResponse, PlanError> {
        const ACTION: &str = "plans.ListEnrolments";
        let mut p = Parser::new();
        let school = p.optional_uuid("school_id", &message.school_id);
        let starts_until = p.optional_date("starts_until", &message.starts_until);
        let mut states: Vec<EnrolmentState> = Vec::new();
        for (i, state) in message.states.iter().enumerate().take(EnrolmentState::ALL.len()) {
            states.extend(p.required_enum::<wire::EnrolmentState>(&format!("states[{i}]"), *state).and_then(EnrolmentState::from_proto));
        }
        if message.states.len() > EnrolmentState::ALL.len() {
            p.violation("states", "must name each state at most once");
        }
        p.finish()?;
        if states.is_empty() {
            states.extend(OPEN);
        }
        let filter = format!("{school:?} {starts_until:?} {states:?}");
        let page = PageToken::page::<(NaiveDate, Uuid)>(message.page_size, &message.page_token, &filter, 100, 200)?;
        let (granted, whose, sight) = self.list(caller, ACTION, school, None).await?;
        let query = ListQuery { whose: &whose, sight: &sight, states: &states, starts_until, after: page.after, limit: page.size + 1 };
        let mut rows = list(&mut *self.pool.acquire().await?, &query).await?;
        let next_page_token = PageToken::cut(&mut rows, page.size, &filter, |r| (r.day, r.enrolment.enrolment_id));
        let sensitivity = rows.iter().map(|r| r.sensitivity).max().unwrap_or(Sensitivity::General);
        self.access.log_read(caller, ACTION, &granted.basis, sensitivity.into(), school, rows.len()).await?;
        Ok(ListEnrolmentsResponse {
            enrolments: rows.iter().map(|r| super::grpc::to_wire(&r.enrolment)).collect(),
            next_page_token,
            access_basis: granted.basis,
        })
    }
}
