//! What the other services are told: where each student, class and member of staff stands today.
//!
//! The tables `*_state` hold what was published last. [`refresh`] computes what holds today, and whatever differs becomes
//! the next version and an event, in the caller's transaction. So an import, a membership that ends overnight and a student
//! who has been missing too long all reach the others by the same way.

mod events;
mod repo;

use sqlx::PgConnection;

use chassis_pg::DbError;

pub use events::{CLASS_TOPIC, STAFF_TOPIC, STUDENT_TOPIC};

/// How many states were published.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Published {
    /// Students.
    pub students: u64,
    /// Classes.
    pub classes: u64,
    /// Staff.
    pub staff: u64,
}

impl Published {
    /// All together.
    pub fn total(self) -> u64 {
        self.students + self.classes + self.staff
    }
}

/// Publishes whatever changed since the last time. Classes and staff come first, so that whoever follows knows the place
/// before the people.
pub async fn refresh(conn: &mut PgConnection, progress: &mut (dyn FnMut(u64) + Send)) -> Result<Published, DbError> {
    repo::refresh_classes(conn).await?;
    repo::refresh_staff(conn).await?;
    repo::refresh_students(conn).await?;
    publish(conn, true, progress).await
}

/// Publishes every state again as it is, for a consumer that lost its copy.
pub async fn republish(conn: &mut PgConnection) -> Result<Published, DbError> {
    publish(conn, false, &mut |_| {}).await
}

/// Students who have been missing for longer than the grace period leave the roster. Answers how many.
pub async fn let_go(conn: &mut PgConnection, grace_days: i32) -> Result<u64, DbError> {
    repo::let_go(conn, grace_days).await
}

async fn publish(conn: &mut PgConnection, only_changed: bool, progress: &mut (dyn FnMut(u64) + Send)) -> Result<Published, DbError> {
    let mut published = Published::default();
    let mut after = uuid::Uuid::nil();
    while let Some((last, states)) = repo::classes_after(conn, after, only_changed).await? {
        after = last;
        published.classes += states.len() as u64;
        events::append(conn, CLASS_TOPIC, states.iter().map(|state| (state.class_id.as_str(), state))).await?;
    }
    after = uuid::Uuid::nil();
    while let Some((last, states)) = repo::staff_after(conn, after, only_changed).await? {
        after = last;
        published.staff += states.len() as u64;
        events::append(conn, STAFF_TOPIC, states.iter().map(|state| (state.staff_id.as_str(), state))).await?;
    }
    after = uuid::Uuid::nil();
    while let Some((last, states)) = repo::students_after(conn, after, only_changed).await? {
        after = last;
        published.students += states.len() as u64;
        events::append(conn, STUDENT_TOPIC, states.iter().map(|state| (state.student_id.as_str(), state))).await?;
        progress(published.students);
    }
    Ok(published)
}
