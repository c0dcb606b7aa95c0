//! SQL of follow-ups.

use chassis_pg::{DbError, expect_one};
use chrono::NaiveDate;
use sqlx::PgConnection;
use uuid::Uuid;

use super::entity::{FollowUp, FollowUpKind, FollowUpState, Sensitivity, SubjectKind};

/// What a follow-up is to be about: whose it is, and what decides on who may see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct About {
    /// What.
    pub subject: SubjectKind,
    /// Which.
    pub subject_id: Uuid,
    /// Whose.
    pub student_id: Uuid,
    /// The school of the plan it belongs to, or that the student attends.
    pub school_id: Uuid,
    /// The item it belongs to.
    pub plan_item_id: Option<Uuid>,
    /// The needs behind it.
    pub need_ids: Vec<Uuid>,
    /// The organisation of a referral.
    pub partner_id: Option<Uuid>,
    /// Never less sensitive than this.
    pub floor: Sensitivity,
    /// Domains that must be cleared as well.
    pub domains: Vec<String>,
}

/// Finds what is in a plan. None where it is not there, or we have not heard of it.
pub async fn about(conn: &mut PgConnection, subject: SubjectKind, subject_id: Uuid) -> Result<Option<About>, DbError> {
    let row = sqlx::query!(
        r#"with item as (
               select plan_item_id, null::uuid as partner_id, null::uuid as student_id, '{}'::uuid[] as need_ids from plans.plan_item where $1 = 'plan_item' and plan_item_id = $2
               union all
               select plan_item_id, null, null, '{}' from plans.service_enrolment where $1 = 'enrolment' and enrolment_id = $2
               union all
               select plan_item_id, partner_id, student_id, need_ids from plans.referral where $1 = 'referral' and referral_id = $2 and item_state is not null)
           select p.student_id as "student_id!", p.school_id as "school_id!", i.plan_item_id, x.partner_id,
                  array(select need_id from plans.plan_item_need l where l.plan_item_id = i.plan_item_id
                        union select unnest(x.need_ids)) as "need_ids!"
           from item x join plans.plan_item i using (plan_item_id) join plans.plan p using (plan_id)
           union all
           select p.student_id, p.school_id, null, null, array[n.need_id] from plans.need n join plans.plan p using (plan_id) where $1 = 'need' and n.need_id = $2
           union all
           select r.subject, min(r.object::text)::uuid, null, null, '{}' from plans.relationship r where $1 = 'family' and r.subject = $2 and r.relation = 'attends' group by r.subject
           union all
           select p.student_id, p.school_id, null, null, array(select need_id from plans.goal_need l where l.goal_id = g.goal_id)
           from plans.goal g join plans.plan p using (plan_id) where $1 = 'goal' and g.goal_id = $2
           union all
           select t.student_id, coalesce(case when t.state = 'accepted' then t.to_school_id end, t.from_school_id, t.to_school_id), null, null, '{}'
           from plans.transition t where $1 = 'transition' and t.transition_id = $2
           limit 1"#,
        subject.as_str(),
        subject_id
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|r| About {
        subject,
        subject_id,
        student_id: r.student_id,
        school_id: r.school_id,
        plan_item_id: r.plan_item_id,
        need_ids: r.need_ids,
        partner_id: r.partner_id,
        floor: Sensitivity::General,
        domains: vec![],
    }))
}

/// A follow-up before it is written.
#[derive(Clone, Debug)]
pub struct New<'n> {
    /// Its id.
    pub follow_up_id: Uuid,
    /// What it is about.
    pub about: &'n About,
    /// What to do.
    pub kind: FollowUpKind,
    /// By when.
    pub due_on: NaiveDate,
    /// By whom.
    pub owner_id: Option<Uuid>,
    /// What to know.
    pub note: &'n str,
    /// Who raised it.
    pub raised_by: Option<Uuid>,
    /// `staff`, `partner` or the rule.
    pub raised_as: &'n str,
    /// The one occasion for it, where a rule raises it.
    pub run_key: Option<&'n str>,
}

/// Writes a follow-up. False where its id is taken, or the rule raised it before on this occasion.
pub async fn insert(conn: &mut PgConnection, new: &New<'_>) -> Result<bool, DbError> {
    let done = sqlx::query!(
        "insert into plans.follow_up (follow_up_id, student_id, school_id, subject, subject_id, plan_item_id, need_ids, floor_sensitivity, floor_domains,
                                      partner_id, kind, due_on, owner_id, note, raised_by, raised_as, run_key)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17) on conflict do nothing",
        new.follow_up_id,
        new.about.student_id,
        new.about.school_id,
        new.about.subject.as_str(),
        new.about.subject_id,
        new.about.plan_item_id,
        &new.about.need_ids,
        new.about.floor.as_str(),
        &new.about.domains,
        new.about.partner_id,
        new.kind.as_str(),
        new.due_on,
        new.owner_id,
        new.note,
        new.raised_by,
        new.raised_as,
        new.run_key
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Follow-ups by id, locked, with the sensitivity that they have now.
pub async fn lock(conn: &mut PgConnection, ids: &[Uuid]) -> Result<Vec<FollowUp>, DbError> {
    sqlx::query!("select follow_up_id from plans.follow_up where follow_up_id = any($1) order by follow_up_id for update", ids).fetch_all(&mut *conn).await?;
    by_ids(conn, ids).await
}

/// Follow-ups by id, those due first, with the sensitivity that they have now.
pub async fn by_ids(conn: &mut PgConnection, ids: &[Uuid]) -> Result<Vec<FollowUp>, DbError> {
    Ok(sqlx::query_as!(
        FollowUp,
        r#"select follow_up_id as "follow_up_id!", student_id as "student_id!", school_id as "school_id!", subject as "subject!: SubjectKind",
                  subject_id as "subject_id!", need_ids as "need_ids!", partner_id, kind as "kind!: FollowUpKind", due_on as "due_on!", owner_id,
                  state as "state!: FollowUpState", note as "note!", result as "result!", result_note as "result_note!", raised_by, raised_as as "raised_as!",
                  raised_at as "raised_at!", closed_by, closed_at, nudged_at, version as "version!", sensitivity as "sensitivity!: Sensitivity", domains as "domains!"
           from plans.follow_up_now where follow_up_id = any($1) order by due_on, follow_up_id"#,
        ids
    )
    .fetch_all(conn)
    .await?)
}

/// Writes a follow-up over the version before it.
pub async fn update(conn: &mut PgConnection, follow_up: &FollowUp) -> Result<(), DbError> {
    let done = sqlx::query!(
        "update plans.follow_up set school_id = $2, due_on = $3, owner_id = $4, state = $5, result = $6, result_note = $7, closed_by = $8, closed_at = $9,
                                    nudged_at = $10, version = $11
         where follow_up_id = $1 and version = $11::bigint - 1",
        follow_up.follow_up_id,
        follow_up.school_id,
        follow_up.due_on,
        follow_up.owner_id,
        follow_up.state.as_str(),
        follow_up.result,
        follow_up.result_note,
        follow_up.closed_by,
        follow_up.closed_at,
        follow_up.nudged_at,
        follow_up.version
    )
    .execute(conn)
    .await?;
    expect_one(&done)
}

/// Ids of what rules raised about something and is still to do.
pub async fn open_by_rule(conn: &mut PgConnection, subject_id: Uuid) -> Result<Vec<Uuid>, DbError> {
    Ok(sqlx::query_scalar!(
        "select follow_up_id from plans.follow_up where subject_id = $1 and state in ('open', 'snoozed') and run_key is not null",
        subject_id
    )
    .fetch_all(conn)
    .await?)
}

/// Whether a student is in a service for an item now.
pub async fn is_enrolled(conn: &mut PgConnection, item_id: Uuid) -> Result<bool, DbError> {
    Ok(sqlx::query_scalar!(
        r#"select exists (select from plans.service_enrolment where plan_item_id = $1 and state in ('active', 'paused')) as "enrolled!""#,
        item_id
    )
    .fetch_one(conn)
    .await?)
}

/// Keeps whose referral it is, and to whom it is addressed.
pub async fn put_addressee(conn: &mut PgConnection, referral_id: Uuid, student_id: Uuid, partner_id: Option<Uuid>, need_ids: &[Uuid]) -> Result<(), DbError> {
    sqlx::query!(
        "update plans.referral set student_id = $2, partner_id = $3, need_ids = $4 where referral_id = $1",
        referral_id,
        student_id,
        partner_id,
        need_ids
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Whether no rule has raised something about this on this occasion.
pub async fn is_new(conn: &mut PgConnection, subject_id: Uuid, run_key: &str) -> Result<bool, DbError> {
    Ok(sqlx::query_scalar!(r#"select not exists (select from plans.follow_up where subject_id = $1 and run_key = $2) as "new!""#, subject_id, run_key)
        .fetch_one(conn)
        .await?)
}
