//! The sample: an empty district is filled with a fictional one, by people who call the public APIs.
//!
//! What is written has ids that follow from its place, and everything looks before it writes. So a fill that was
//! interrupted goes on where it stopped.

pub mod directory;
pub mod mix;
mod plans;
mod practice;
mod reviews;

use std::path::Path;
use std::time::Instant;

use anyhow::{Context as _, ensure};
use proto::reviews::v1::ListCodesRequest;
use proto::rosters::v1::{Class, ListClassMembersRequest, ListClassesRequest, ListSchoolsRequest, ListStaffRequest, School};
use serde::{Deserialize, Serialize};

use crate::acting::{Cast, Part, Person, Services, Told as _, day_of, planning, reviewing};
use crate::district::ready::Ready;
use crate::district::secrets::write_whole;
use crate::generate::{DistrictSpec, generate, school_year_of};
use crate::import::{self, Upload};
use crate::progress::{Progress, grouped, say};

use mix::Catalogue;
use reviews::{Goal, Planned};

const SEED: u64 = 2_027;

/// How large a sample is.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    /// Schools; at the first three, the work after the reviews is acted out, too.
    pub schools: u64,
    /// Students of all schools together.
    pub students: u64,
}

impl Default for Size {
    fn default() -> Self {
        Self { schools: 8, students: 3_000 }
    }
}

/// What the data folder remembers of the sample.
#[derive(Debug, Deserialize, PartialEq, Serialize)]
struct Marker {
    /// Whether all of it is there.
    complete: bool,
    /// Of which school year it is; an interrupted one is gone on with in the same.
    school_year: i32,
}

/// Fills an empty district, goes on with an interrupted fill, and leaves any other district alone.
pub async fn fill(ready: &Ready, data_dir: &Path, size: Size) -> anyhow::Result<()> {
    let began = Instant::now();
    let path = data_dir.join("sample.json");
    let services = Services::of(ready)?;
    let cast = Cast::new(&ready.issuer)?;
    let manager = cast.plays(&Part::district("program_manager")).await?;
    let known = schools(&services, &manager).await?;
    let marker: Option<Marker> = std::fs::read(&path).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
    let school_year = match marker {
        // A database that was emptied meanwhile is filled again.
        Some(Marker { complete: true, .. }) if !known.is_empty() => return Ok(()),
        Some(Marker { complete: false, school_year }) => {
            say("The sample was not complete: going on with it.");
            school_year
        }
        None if !known.is_empty() => {
            say("This district is not empty, so --sample leaves it as it is.");
            return Ok(());
        }
        _ => school_year_of(chassis_clock::today()),
    };
    let mark = |complete: bool| -> anyhow::Result<()> { write_whole(&path, &serde_json::to_vec(&Marker { complete, school_year })?) };
    mark(false)?;
    say("Filling the district with fictional people, through the public APIs:");
    if u64::try_from(known.len()).unwrap_or(0) < size.schools {
        roster(ready, &cast, size, school_year).await?;
    }
    school_work(&services, &cast, &manager, school_year).await?;
    mark(true)?;
    say(&format!("The sample is complete ({:.0} s).", began.elapsed().as_secs_f32()));
    Ok(())
}

async fn roster(ready: &Ready, cast: &Cast, size: Size, school_year: i32) -> anyhow::Result<()> {
    let spec = DistrictSpec { schools: size.schools, students: size.students, seed: SEED, school_year };
    let file = tempfile::Builder::new().prefix("fictional-district-").suffix(".zip").tempfile().context("no room for a temporary file")?;
    generate(&spec, file.reopen()?, |_, _| {})?;
    let clerk = cast.plays(&Part::district("data_clerk")).await?;
    let upload = Upload { path: file.path().to_owned(), dry_run: false, accept_changes: false };
    let result = import::import(&ready.rosters, &ready.tls, &clerk, &upload).await?;
    ensure!(result.went_well(), "the fictional roster was not taken: {:?}", result.issues.first());
    say(&format!("  {} schools with {} students imported as the data clerk", spec.schools, grouped(spec.students)));
    Ok(())
}

async fn schools(services: &Services, manager: &Person) -> anyhow::Result<Vec<School>> {
    let request = ListSchoolsRequest { page_size: 500, ..ListSchoolsRequest::default() };
    Ok(services.rosters().list_schools(manager.asks(request)).await.told("list the schools")?.schools)
}

/// How far the reviews of a school's first classes go.
fn goals(school: usize) -> &'static [Goal] {
    match school {
        0 => &[Goal::HalfDone, Goal::Complete, Goal::Complete, Goal::HandedIn],
        1..=4 => &[Goal::Complete, Goal::Complete],
        _ => &[Goal::Complete],
    }
}

async fn school_work(services: &Services, cast: &Cast, manager: &Person, school_year: i32) -> anyhow::Result<()> {
    let cycle = reviewing::cycle(services, manager, school_year, "").await?;
    let codes = services.reviews().list_codes(manager.asks(ListCodesRequest::default())).await.told("read the code list")?.codes;
    let catalogue = Catalogue::new(codes);
    let today = chassis_clock::today();
    let valid = (format!("{}-07-01", school_year - 1), format!("{}-06-30", school_year.max(school_year_of(today)) + 1));
    let partnership = cast.plays(&Part::district("partnership_manager")).await?;
    let offers = directory::fill(services, &partnership, (&valid.0, &valid.1)).await?;
    say(&format!("  {} services of fictional partners, with places and agreements", offers.len()));

    let mut planned = Vec::new();
    for (n, school) in schools(services, manager).await?.iter().enumerate() {
        planned.extend(plan_school(services, manager, n, school).await?);
    }
    let students = planned.iter().map(|p| p.students).sum();
    let progress = Progress::new("Reviewing students", students);
    reviews::hold(services, cast, &cycle, &catalogue, &planned, &progress).await?;
    progress.done(&format!("  {} class reviews, one of them half done", planned.len()));
    plan_work(services, cast, &cycle, school_year, &catalogue, &offers, &planned).await?;
    practice_work(services, cast, school_year, &planned).await
}

async fn plan_school(services: &Services, manager: &Person, n: usize, school: &School) -> anyhow::Result<Vec<Planned>> {
    let request = ListStaffRequest { school_id: school.school_id.clone(), role: "coordinator".to_owned(), page_size: 10, page_token: String::new() };
    let coordinator = services.rosters().list_staff(manager.asks(request)).await.told("list the coordinators")?.staff.into_iter().next().map(|s| s.staff_id);
    let request = ListClassesRequest { school_id: school.school_id.clone(), review_units_only: true, page_size: 100, page_token: String::new() };
    let classes: Vec<Class> = services.rosters().list_classes(manager.asks(request)).await.told("list the classes")?.classes;
    let mut planned = Vec::new();
    for ((k, class), goal) in classes.iter().enumerate().zip(goals(n)) {
        let day = day_of(class);
        let request = ListClassMembersRequest { class_id: class.class_id.clone(), as_of_date: day.clone() };
        let members = services.rosters().list_class_members(manager.asks(request)).await.told("read a class")?;
        let Some(teacher) = members.staff.iter().find(|s| s.roles.iter().any(|r| r == "teacher")).or(members.staff.first()) else { continue };
        planned.push(Planned {
            place: (n as u64, k as u64),
            school: school.school_id.clone(),
            class: class.class_id.clone(),
            day,
            teacher: teacher.staff_id.clone(),
            coordinator: coordinator.clone(),
            students: members.students.len() as u64,
            goal: *goal,
        });
    }
    Ok(planned)
}

async fn plan_work(
    services: &Services,
    cast: &Cast,
    cycle: &str,
    school_year: i32,
    catalogue: &Catalogue,
    offers: &[directory::Offered],
    planned: &[Planned],
) -> anyhow::Result<()> {
    let desk = plans::Desk { services, cast, catalogue, offers };
    let total = planned.iter().filter(|p| p.goal != Goal::HalfDone).map(|p| p.students).sum();
    let progress = Progress::new("Making plans", total);
    let mut schools: Vec<&str> = planned.iter().map(|p| p.school.as_str()).collect();
    schools.dedup();
    for (n, school) in (0_u64..).zip(schools) {
        let of_school: Vec<&Planned> = planned.iter().filter(|p| p.school == school && p.goal != Goal::HalfDone).collect();
        let Some(first) = of_school.first() else { continue };
        let coordinator = cast.plays(&Part::at_school("coordinator", school, first.coordinator.as_deref())).await?;
        let mut students = Vec::new();
        for class in of_school {
            let review = reviewing::start(services, &coordinator, cycle, &class.class, &class.day).await?;
            let read = reviewing::read(services, &coordinator, &review.class_review_id).await?;
            students.extend(read.students.into_iter().filter(|s| s.state() == proto::reviews::v1::StudentReviewState::Reviewed).map(|s| s.student_id));
        }
        let drafts = planning::of_school(services, &coordinator, school, school_year, &students).await?;
        plans::make(&desk, n, &coordinator, drafts, &progress).await?;
    }
    progress.done("  plans with items, groups, deliveries and referrals in every state");
    Ok(())
}

/// Schools at which the work after the reviews is acted out, too.
const PRACTISING: usize = 3;

async fn practice_work(services: &Services, cast: &Cast, school_year: i32, planned: &[Planned]) -> anyhow::Result<()> {
    let mut schools: Vec<&str> = planned.iter().map(|p| p.school.as_str()).collect();
    schools.dedup();
    for (school, other_school) in schools.iter().zip(schools.iter().cycle().skip(1)).take(PRACTISING) {
        let complete = planned.iter().find(|p| p.school == *school && p.goal == Goal::Complete);
        let Some((class, coordinator_id)) = complete.and_then(|class| Some((class, class.coordinator.as_deref()?))) else { continue };
        let coordinator = cast.plays(&Part::at_school("coordinator", school, Some(coordinator_id))).await?;
        let teacher = cast.plays(&Part::at_school("teacher", school, Some(&class.teacher))).await?;
        let request = proto::plans::v1::ListPlansRequest { class_id: class.class.clone(), school_year, page_size: 100, ..Default::default() };
        let plans = services.plans().list_plans(teacher.asks(request)).await.told("list the class's plans")?.plans;
        let in_force = plans.into_iter().filter(|p| p.state() == proto::plans::v1::PlanState::Active && p.need_count > 0);
        let students: Vec<String> = in_force.map(|p| p.student_id).collect();
        let desk = practice::Desk {
            services,
            school,
            other_school,
            school_year,
            coordinator: (&coordinator, coordinator_id),
            teacher: (&teacher, &class.teacher),
            students: &students,
        };
        desk.work().await?;
    }
    say("  concerns, individual reviews, goals, groups, follow-ups and a hand-over at three schools");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_class_is_left_half_done_and_some_are_complete() {
        let all: Vec<Goal> = (0..8).flat_map(|n| goals(n).iter().copied()).collect();
        assert_eq!(all.iter().filter(|g| **g == Goal::HalfDone).count(), 1);
        assert!(all.iter().filter(|g| **g == Goal::Complete).count() >= 8);
    }
}
