//! Students who leave a class leave its open review; those who come back are pending again, those who join are added.

use async_trait::async_trait;
use chassis_events::{ApplyError, Event, Handler};
use proto::rosters::v1::StudentState;
use sqlx::PgConnection;
use uuid::Uuid;

use super::entity::Step;
use super::repo;
use crate::class_review::membership;

/// Consumer of `rosters.student.v1`.
#[derive(Clone, Copy, Debug)]
pub struct Leavers;

fn id(text: &str) -> Result<Uuid, ApplyError> {
    text.parse().map_err(|_| ApplyError::Reject("an id is not a UUID".to_owned()))
}

#[async_trait]
impl Handler for Leavers {
    fn topics(&self) -> Vec<&'static str> {
        vec!["rosters.student.v1"]
    }

    async fn apply(&self, conn: &mut PgConnection, event: &Event) -> Result<(), ApplyError> {
        let Some(state) = event.decode::<StudentState>()? else { return Ok(()) };
        let student_id = id(&state.student_id)?;
        let newer = sqlx::query!(
            "insert into reviews.roster_state as held (student_id, version) values ($1, $2)
             on conflict (student_id) do update set version = excluded.version where held.version < excluded.version",
            student_id,
            state.version
        )
        .execute(&mut *conn)
        .await?;
        if newer.rows_affected() == 0 {
            return Ok(());
        }
        let classes: Vec<Uuid> = match state.active {
            true => state.class_ids.iter().map(|c| id(c)).collect::<Result<_, _>>()?,
            false => Vec::new(),
        };
        // Only reviews whose membership the event changes; most events touch none.
        let touched = sqlx::query_scalar!(
            "select class_review_id from reviews.student_review s join reviews.class_review r using (class_review_id)
             where s.student_id = $1 and r.state in ('in_progress', 'paused')
               and case when r.class_id = any($2) then s.state = 'left' else s.state in ('pending', 'in_progress') end
             order by class_review_id",
            student_id,
            &classes
        )
        .fetch_all(&mut *conn)
        .await?;
        for class_review_id in touched {
            let Some(frame) = repo::frame(conn, class_review_id).await? else { continue };
            if !membership::is_open(frame.state) {
                continue;
            }
            repo::lock(conn, class_review_id, student_id).await?;
            let Some(review) = repo::find(conn, class_review_id, student_id).await? else { continue };
            let step = if classes.contains(&frame.class_id) { Step::Return } else { Step::Leave };
            // Somebody may have completed it a moment ago: then it stays as it is.
            membership::move_student(conn, &frame, &review, step).await?;
        }
        let joined = sqlx::query_scalar!(
            "select class_review_id from reviews.class_review r
             where r.class_id = any($2) and r.state in ('in_progress', 'paused')
               and not exists (select from reviews.student_review s where s.class_review_id = r.class_review_id and s.student_id = $1)
             order by class_review_id",
            student_id,
            &classes
        )
        .fetch_all(&mut *conn)
        .await?;
        for class_review_id in joined {
            let Some(frame) = repo::frame(conn, class_review_id).await? else { continue };
            if membership::is_open(frame.state) {
                membership::add(conn, &frame, &[(student_id, state.grade.clone())]).await?;
            }
        }
        Ok(())
    }
}
