//! What changed on a class review since it was last looked at.
//!
//! The history has an identity that is given before the commit, so a revision may come to light after later ones. Each
//! look therefore counts what is newer than a floor that trails behind, instead of going by the newest alone. It reads
//! a few index entries a student, and costs writers nothing.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use chassis_pg::DbError;
use sqlx::PgConnection;
use uuid::Uuid;

/// A transaction that writes an entry takes no longer than this.
const LONGEST_WRITE: Duration = Duration::from_secs(30);

/// Newest revision and how many there are above the floor.
type Mark = (i64, i64);

/// What the last look found.
#[derive(Debug, Default)]
pub(super) struct Watermark {
    students: HashMap<Uuid, Mark>,
    class_version: i64,
    floor: i64,
    /// The newest revision when this was noted: the next floor, once it is old enough.
    rising: Option<(Instant, i64)>,
}

/// What is new.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct News {
    /// These students' reviews or entries.
    pub students: Vec<Uuid>,
    /// The class review itself.
    pub class: bool,
}

impl Watermark {
    /// Looks, and remembers.
    pub(super) async fn look(&mut self, conn: &mut PgConnection, class_review_id: Uuid) -> Result<News, DbError> {
        let version = sqlx::query_scalar!("select version from reviews.class_review where class_review_id = $1", class_review_id).fetch_optional(&mut *conn);
        let class_version = version.await?.unwrap_or_default();
        if self.rising.is_none() {
            let floor = sqlx::query_scalar!(
                "select max(revision_id) from reviews.student_review_revision
                 where class_review_id = $1 and written_at < now() - make_interval(secs => $2)",
                class_review_id,
                LONGEST_WRITE.as_secs_f64()
            );
            self.floor = floor.fetch_one(&mut *conn).await?.unwrap_or_default();
        }
        let rows = sqlx::query!(
            r#"select s.student_id, v.newest as "newest!", v.count as "count!"
               from reviews.student_review s
               cross join lateral (
                   select coalesce(max(r.revision_id), 0) as newest, count(*) as count
                   from reviews.student_review_revision r
                   where r.class_review_id = s.class_review_id and r.student_id = s.student_id and r.revision_id > $2
               ) v
               where s.class_review_id = $1"#,
            class_review_id,
            self.floor
        )
        .fetch_all(conn)
        .await?;
        let found: HashMap<Uuid, Mark> = rows.into_iter().map(|row| (row.student_id, (row.newest, row.count))).collect();
        Ok(self.take(found, class_version, Instant::now()))
    }

    /// Holds what was found against what is remembered. Marks below a floor that has risen compare as nothing new.
    fn take(&mut self, found: HashMap<Uuid, Mark>, class_version: i64, now: Instant) -> News {
        let mut students: Vec<Uuid> = found.iter().filter(|(student, mark)| self.students.get(student) != Some(mark)).map(|(student, _)| *student).collect();
        students.sort_unstable();
        let news = News { students, class: class_version != self.class_version };
        self.class_version = class_version;
        let newest = found.values().map(|(newest, _)| *newest).max().unwrap_or_default();
        self.students = found;
        match self.rising {
            None => self.rising = Some((now, newest)),
            Some((since, floor)) if now.duration_since(since) > LONGEST_WRITE => {
                self.rising = Some((now, newest));
                self.raise(floor);
            }
            Some(_) => {}
        }
        news
    }

    /// What is remembered is counted anew above the new floor at the next look; until then every student who has
    /// revisions counts as changed once, and streams find that nothing is different for their readers.
    fn raise(&mut self, floor: i64) {
        self.floor = self.floor.max(floor);
        for mark in self.students.values_mut().filter(|mark| mark.0 <= floor) {
            *mark = (0, 0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_revision_that_comes_to_light_late_is_seen_and_an_old_one_is_not_seen_twice() {
        let (one, other) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let start = Instant::now();
        let mut mark = Watermark::default();
        mark.take(HashMap::from([(one, (0, 0)), (other, (7, 1))]), 1, start);
        assert_eq!(mark.take(HashMap::from([(one, (9, 1)), (other, (7, 1))]), 1, start).students, [one]);
        // 8 was given before 9, and committed after it.
        assert_eq!(mark.take(HashMap::from([(one, (9, 2)), (other, (7, 1))]), 1, start).students, [one]);
        assert_eq!(mark.take(HashMap::from([(one, (9, 2)), (other, (7, 1))]), 2, start), News { students: vec![], class: true });
        let later = start + LONGEST_WRITE * 2;
        assert_eq!(mark.take(HashMap::from([(one, (9, 2)), (other, (7, 1))]), 2, later), News::default());
        assert_eq!(mark.floor, 7);
        // Above the floor there is nothing of the other any more, and that is no news.
        assert_eq!(mark.take(HashMap::from([(one, (9, 2)), (other, (0, 0))]), 2, later), News::default());
    }
}
