//! SQL of what was tried last year.

use chassis_access::Clearance;
use chassis_pg::DbError;
use sqlx::PgConnection;
use uuid::Uuid;

use super::entity::Tried;
use crate::codes::{Domain, NeedState, Sensitivity};
use crate::sight::may_see;

/// Items of a school year that happened, one row a need that they answered, as far as the need may be seen.
pub async fn tried(conn: &mut PgConnection, student_id: Uuid, school_year: i32, clearance: &Clearance) -> Result<Vec<Tried>, DbError> {
    let rows = sqlx::query!(
        r#"select i.plan_item_id, n.code, i.service_category, n.state as "state: NeedState", n.sensitivity as "sensitivity: Sensitivity",
                  n.domain as "domain: Domain",
                  (select avg(r.points)::float8 from plans.rating r where r.need_id = n.need_id and r.plan_item_id = i.plan_item_id) as points
           from plans.plan p join plans.plan_item i using (plan_id) join plans.plan_item_need l using (plan_item_id) join plans.need n using (need_id)
           where p.student_id = $1 and p.school_year = $2 and i.state in ('in_place', 'done') and i.service_category <> ''
           order by i.created_at, i.plan_item_id limit 500"#,
        student_id,
        school_year
    )
    .fetch_all(conn)
    .await?;
    let seen = rows.into_iter().filter(|r| may_see(clearance, r.sensitivity, r.domain));
    Ok(seen
        .map(|r| Tried { plan_item_id: r.plan_item_id, code: r.code, service_category: r.service_category, need_state: r.state, points: r.points })
        .collect())
}
