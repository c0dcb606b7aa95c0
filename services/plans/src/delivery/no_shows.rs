//! The no-show rule (handbook 5.6): so many absences in a row raise a follow-up, once a run, and stop nothing.

use std::collections::HashMap;

use chassis_pg::DbError;
use chrono::NaiveDate;
use sqlx::PgConnection;
use uuid::Uuid;

use super::entity::Attendance;
use super::repo;
use crate::follow_up;
use crate::plan_item::entity::Item;

/// Absences at the end of an enrolment's sessions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Run {
    /// How many.
    pub length: i64,
    /// Day of the first; none where there is none.
    pub since: Option<NaiveDate>,
}

/// The run of absences at the end. Sessions that were called off are left out; of one day's sessions, one that the student
/// came to ends the run.
pub fn run(sessions: &[(NaiveDate, Attendance)]) -> Run {
    let came = sessions.iter().filter(|(_, a)| !a.is_absence() && !a.is_called_off()).map(|(day, _)| *day).max();
    let missed = sessions.iter().filter(|(day, a)| a.is_absence() && came.is_none_or(|came| *day > came));
    missed.fold(Run::default(), |run, (day, _)| Run { length: run.length + 1, since: Some(run.since.map_or(*day, |since| since.min(*day))) })
}

/// Whether a run is long enough. `group_limit` 0 leaves it to the district.
pub fn reached(run: Run, group_limit: i16, district_limit: i64) -> bool {
    run.length >= if group_limit > 0 { i64::from(group_limit) } else { district_limit }
}

/// Notices the runs that are long enough now. Answers their enrolments; a run that was noticed before is not noticed again.
pub(crate) async fn look(conn: &mut PgConnection, enrolments: &HashMap<Uuid, &Item>, district_limit: i64) -> Result<Vec<Uuid>, DbError> {
    let ids: Vec<Uuid> = enrolments.keys().copied().collect();
    let mut noticed = Vec::new();
    for held in repo::runs(conn, &ids).await? {
        let Some(since) = held.run.since else { continue };
        if reached(held.run, held.group_limit, district_limit) && repo::notice_run(conn, held.enrolment_id, since).await? {
            follow_up::hooks::no_shows(conn, held.enrolment_id, since).await?;
            noticed.push(held.enrolment_id);
        }
    }
    Ok(noticed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn absences_at_the_end_count_and_what_was_called_off_does_not() {
        use Attendance as A;
        let day = |n: u32| NaiveDate::from_ymd_opt(2026, 10, n).unwrap();
        let length = |sessions: &[A]| run(&sessions.iter().zip(1..).map(|(a, n)| (day(n), *a)).collect::<Vec<_>>()).length;
        assert_eq!(length(&[]), 0);
        assert_eq!(length(&[A::AbsentExcused, A::AbsentUnexcused, A::AbsentExcused]), 3);
        assert_eq!(length(&[A::AbsentExcused, A::Present, A::AbsentExcused]), 1);
        assert_eq!(length(&[A::AbsentExcused, A::Partial]), 0);
        assert_eq!(length(&[A::AbsentExcused, A::CancelledByProvider, A::SchoolClosed, A::AbsentUnexcused]), 2);
        assert_eq!(run(&[(day(5), A::AbsentExcused), (day(5), A::Present), (day(7), A::AbsentExcused)]), Run { length: 1, since: Some(day(7)) });
    }

    #[test]
    fn a_group_may_have_its_own_limit() {
        let run = |length| Run { length, since: None };
        assert!(reached(run(3), 0, 3) && !reached(run(2), 0, 3));
        assert!(reached(run(2), 2, 3) && !reached(run(3), 5, 3));
    }
}
