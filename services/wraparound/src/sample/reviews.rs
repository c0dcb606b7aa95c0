//! Class reviews of the sample: most complete, some handed in, one half done so that it can be resumed.

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use proto::reviews::v1::{ClassReviewState, StudentReview, StudentReviewState};
use proto::r#type::v1::Sensitivity;
use rand::RngExt as _;

use super::mix::{Catalogue, dice, entries, weighted};
use crate::acting::reviewing::{self, Decision};
use crate::acting::{Cast, Part, Person, Services};
use crate::progress::Progress;

/// How far a class's review goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Goal {
    /// Half of the students.
    HalfDone,
    /// Signed by the teacher only.
    HandedIn,
    /// Signed by both.
    Complete,
}

/// A class to review.
#[derive(Clone, Debug)]
pub struct Planned {
    /// Place in the district: school and class.
    pub place: (u64, u64),
    /// School.
    pub school: String,
    /// Class.
    pub class: String,
    /// Day of the snapshot; today where empty.
    pub day: String,
    /// Roster id of the teacher.
    pub teacher: String,
    /// Roster id of the coordinator; a stand-in where none.
    pub coordinator: Option<String>,
    /// Students.
    pub students: u64,
    /// How far it goes.
    pub goal: Goal,
}

/// Students in review at once.
const AT_ONCE: usize = 6;

/// Holds the reviews.
pub async fn hold(services: &Services, cast: &Cast, cycle: &str, catalogue: &Catalogue, classes: &[Planned], progress: &Progress) -> anyhow::Result<()> {
    stream::iter(classes).map(|class| one_class(services, cast, cycle, catalogue, class, progress)).buffer_unordered(AT_ONCE).try_collect().await
}

async fn one_class(services: &Services, cast: &Cast, cycle: &str, catalogue: &Catalogue, class: &Planned, progress: &Progress) -> anyhow::Result<()> {
    let teacher = cast.plays(&Part::at_school("teacher", &class.school, Some(&class.teacher))).await?;
    let coordinator = cast.plays(&Part::at_school("coordinator", &class.school, class.coordinator.as_deref())).await?;
    let review = reviewing::start(services, &coordinator, cycle, &class.class, &class.day).await?;
    if review.state() == ClassReviewState::Complete {
        progress.add(class.students);
        return Ok(());
    }
    let read = reviewing::read(services, &coordinator, &review.class_review_id).await?;
    let take = if class.goal == Goal::HalfDone { read.students.len() / 2 } else { read.students.len() };
    for (n, student) in (0_u64..).zip(read.students.iter().take(take)) {
        if matches!(student.state(), StudentReviewState::Pending | StudentReviewState::InProgress) {
            one_student(services, &teacher, &coordinator, catalogue, cycle, class, n, student).await?;
        }
        progress.add(1);
    }
    if class.goal == Goal::HalfDone {
        return Ok(());
    }
    let mut review = reviewing::read(services, &coordinator, &review.class_review_id).await?.class_review.unwrap_or_default();
    if review.state() == ClassReviewState::InProgress {
        review = reviewing::submit(services, &coordinator, &review).await?;
    }
    if review.teacher_signed_by.is_empty() {
        review = reviewing::sign(services, &teacher, &review, "").await?;
    }
    if class.goal == Goal::Complete {
        reviewing::sign(services, &coordinator, &review, "").await?;
    }
    Ok(())
}

#[expect(clippy::too_many_arguments, reason = "the place of one student is all of these")]
async fn one_student(
    services: &Services,
    teacher: &Person,
    coordinator: &Person,
    catalogue: &Catalogue,
    cycle: &str,
    class: &Planned,
    n: u64,
    student: &StudentReview,
) -> anyhow::Result<()> {
    let mut dice = dice([class.place.0, class.place.1, n, 1]);
    for entry in entries(catalogue, &student.student_id, cycle, &mut dice) {
        // Restricted things are the coordinator's to write.
        let who = if entry.sensitivity() == Sensitivity::Restricted { coordinator } else { teacher };
        reviewing::put(services, who, student, entry).await?;
    }
    let decision = match weighted(&[88, 8, 4], &mut dice) {
        0 => Decision::AsSuggested,
        1 => Decision::Otherwise(-1, ["strengths_buffer", "supports_in_place"][dice.random_range(0..2)]),
        _ => Decision::Otherwise(1, ["family_information", "recent_change"][dice.random_range(0..2)]),
    };
    reviewing::complete(services, coordinator, &student.class_review_id, &student.student_id, decision).await?;
    Ok(())
}
