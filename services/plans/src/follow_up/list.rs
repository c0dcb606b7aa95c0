//! Lists of follow-ups, by what their readers may see.

use chassis_pg::DbError;
use chrono::NaiveDate;
use sqlx::PgConnection;
use uuid::Uuid;

use super::entity::FollowUp;
use super::repo;
use crate::sight::{Sight, Whose};

/// Which.
#[derive(Clone, Debug)]
pub struct ListQuery<'q> {
    /// Of these students.
    pub whose: &'q Whose,
    /// What of theirs may be seen.
    pub sight: &'q Sight,
    /// Only of this student.
    pub student_id: Option<Uuid>,
    /// Owned by, or raised by and closed by another.
    pub mine: Option<Uuid>,
    /// Schools at which the caller is the coordinator: what nobody else owns there is theirs.
    pub coordinates: &'q [Uuid],
    /// About referrals addressed to this organisation, and nothing else.
    pub partner_id: Option<Uuid>,
    /// Due until this day.
    pub due_until: Option<NaiveDate>,
    /// Only what is to do.
    pub open_only: bool,
    /// After this one.
    pub after: Option<(NaiveDate, Uuid)>,
    /// How many.
    pub limit: i64,
}

/// Follow-ups, those due first.
pub async fn list(conn: &mut PgConnection, query: &ListQuery<'_>) -> Result<Vec<FollowUp>, DbError> {
    let (after_day, after_id) = query.after.unzip();
    let sight = query.sight;
    let ids = sqlx::query_scalar!(
        r#"select f.follow_up_id as "follow_up_id!" from plans.follow_up_now f
           where case when $1::uuid is not null then f.partner_id = $1 and f.sensitivity <> 'protected'
                     and (f.raised_by = $1 or (f.raised_as = 'staff' and f.sensitivity = 'general' and f.kind in ('contact_partner', 'check_attendance', 're_offer')))
                 else ($2 or exists (select from plans.relationship r
                           where r.subject = f.student_id and r.relation in ('attends', 'member') and r.object = any($3::uuid[])))
                     and plans.sees(f.student_id, f.sensitivity, f.domains, $4, $5, $6, $7, $8, $9) end
             and ($10::uuid is null or f.student_id = $10)
             and ($11::uuid is null or f.owner_id = $11 or (f.owner_id is null and f.school_id = any($17::uuid[])) or (f.raised_by = $11 and f.closed_by is not null and f.closed_by <> $11))
             and ($12::date is null or f.due_on <= $12)
             and (not $13 or f.state in ('open', 'snoozed'))
             and ($14::date is null or (f.due_on, f.follow_up_id) > ($14, $15::uuid))
           order by f.due_on, f.follow_up_id limit $16"#,
        query.partner_id,
        query.whose.everything,
        &query.whose.places,
        &sight.restricted_everywhere,
        &sight.restricted_places,
        &sight.restricted_domains,
        sight.protected_everywhere,
        &sight.protected_places,
        &sight.protected_students,
        query.student_id,
        query.mine,
        query.due_until,
        query.open_only,
        after_day,
        after_id,
        query.limit,
        query.coordinates
    )
    .fetch_all(&mut *conn)
    .await?;
    repo::by_ids(conn, &ids).await
}
