//! Keeps relationships from the roster's state topics. The one place of the chassis that reads a service's events:
//! every service that decides needs it, and it stores ids and relations only.

use async_trait::async_trait;
use chassis_events::{ApplyError, Event, Handler};
use chrono::{DateTime, Utc};
use proto::reviews::v1::CaseAccessChanged;
use proto::rosters::v1::{ClassState, StaffState, StudentState};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::caller::DISTRICT;

/// Consumer of `rosters.student.v1`, `rosters.class.v1`, `rosters.staff.v1` and `reviews.case-access.v1`.
#[derive(Clone, Copy, Debug)]
pub struct RelationshipFeed;

fn id(text: &str) -> Result<Uuid, ApplyError> {
    text.parse().map_err(|_| ApplyError::Reject("an id is not a UUID".to_owned()))
}

fn ids<'i>(texts: impl IntoIterator<Item = &'i String>) -> Result<Vec<Uuid>, ApplyError> {
    texts.into_iter().map(|t| id(t)).collect()
}

#[async_trait]
impl Handler for RelationshipFeed {
    fn topics(&self) -> Vec<&'static str> {
        vec!["rosters.student.v1", "rosters.class.v1", "rosters.staff.v1", "reviews.case-access.v1"]
    }

    async fn apply(&self, conn: &mut PgConnection, event: &Event) -> Result<(), ApplyError> {
        if let Some(student) = event.decode::<StudentState>()? {
            let subject = id(&student.student_id)?;
            if newer(conn, subject, student.version).await? {
                let mut pairs = Vec::new();
                if student.active {
                    pairs.extend(ids(&student.class_ids)?.into_iter().map(|o| ("member", o)));
                    pairs.extend(ids(&student.school_ids)?.into_iter().map(|o| ("attends", o)));
                }
                replace(conn, subject, &pairs, &["member", "attends"]).await?;
            }
        } else if let Some(class) = event.decode::<ClassState>()? {
            let subject = id(&class.class_id)?;
            if newer(conn, subject, class.version).await? {
                let schools = if class.active { vec![("of", id(&class.school_id)?)] } else { vec![] };
                let teachers = if class.active { ids(&class.teacher_ids)? } else { vec![] };
                replace(conn, subject, &schools, &["of"]).await?;
                sqlx::query("delete from relationship where object = $1 and relation = 'teaches' and subject <> all($2)")
                    .bind(subject)
                    .bind(&teachers)
                    .execute(&mut *conn)
                    .await?;
                sqlx::query("insert into relationship (subject, relation, object) select t, 'teaches', $1 from unnest($2::uuid[]) as t on conflict do nothing")
                    .bind(subject)
                    .bind(&teachers)
                    .execute(conn)
                    .await?;
            }
        } else if let Some(staff) = event.decode::<StaffState>()? {
            let subject = id(&staff.staff_id)?;
            if newer(conn, subject, staff.version).await? {
                let mut pairs = Vec::new();
                for role in staff.roles.iter().filter(|_| staff.active) {
                    pairs.push((role.role.as_str(), if role.school_id.is_empty() { DISTRICT } else { id(&role.school_id)? }));
                }
                // Everything but the classes they teach, which come with the classes.
                sqlx::query("delete from relationship where subject = $1 and relation <> 'teaches'").bind(subject).execute(&mut *conn).await?;
                insert(conn, subject, &pairs).await?;
                let keys: Vec<Vec<u8>> = staff.sign_in_keys.into_iter().filter(|key| staff.active && key.len() == 32).collect();
                sqlx::query("delete from sign_in_key where staff_id = $1").bind(subject).execute(&mut *conn).await?;
                sqlx::query("insert into sign_in_key (key, staff_id) select key, $1 from unnest($2::bytea[]) as key on conflict do nothing")
                    .bind(subject)
                    .bind(keys)
                    .execute(conn)
                    .await?;
            }
        } else if let Some(grant) = event.decode::<CaseAccessChanged>()? {
            let expires = grant.expire_time.and_then(|t| DateTime::<Utc>::from_timestamp(t.seconds, u32::try_from(t.nanos).unwrap_or(0)));
            sqlx::query(
                "insert into relationship_grant as held (grant_id, subject, relation, object, expires_at, revoked, version)
                 values ($1, $2, 'on_case', $3, $4, $5, $6)
                 on conflict (grant_id) do update set expires_at = excluded.expires_at, revoked = excluded.revoked, version = excluded.version
                 where held.version < excluded.version",
            )
            .bind(id(&grant.case_access_id)?)
            .bind(id(&grant.staff_id)?)
            .bind(id(&grant.student_id)?)
            .bind(expires)
            .bind(grant.revoked)
            .bind(grant.version)
            .execute(conn)
            .await?;
        }
        Ok(())
    }
}

/// Whether a state is newer than the one we have; remembers it where it is.
async fn newer(conn: &mut PgConnection, subject: Uuid, version: i64) -> Result<bool, ApplyError> {
    let done = sqlx::query(
        "insert into relationship_version as held (subject, version) values ($1, $2)
         on conflict (subject) do update set version = excluded.version where held.version < excluded.version",
    )
    .bind(subject)
    .bind(version)
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

async fn replace(conn: &mut PgConnection, subject: Uuid, pairs: &[(&str, Uuid)], relations: &[&str]) -> Result<(), ApplyError> {
    sqlx::query("delete from relationship where subject = $1 and relation = any($2)").bind(subject).bind(relations).execute(&mut *conn).await?;
    insert(conn, subject, pairs).await
}

async fn insert(conn: &mut PgConnection, subject: Uuid, pairs: &[(&str, Uuid)]) -> Result<(), ApplyError> {
    let (relations, objects): (Vec<&str>, Vec<Uuid>) = pairs.iter().copied().unzip();
    sqlx::query("insert into relationship (subject, relation, object) select $1, * from unnest($2::text[], $3::uuid[]) on conflict do nothing")
        .bind(subject)
        .bind(relations)
        .bind(objects)
        .execute(conn)
        .await?;
    Ok(())
}
