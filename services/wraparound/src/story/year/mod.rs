//! `story --year`: a whole school year of one fictional class, acted out through the public APIs: fall review, a concern,
//! an individual review, a need that is understood anew, the plan and the family's answer, services and doses, follow-ups,
//! spring re-tiering, the hand-over of a student who moves, the September list.
//!
//! The clock is today's: the year is acted in a minute, and what needs the past (sessions) is dated in it.

mod care;
mod next;
mod plan;
mod review;
mod services;
mod told;

use std::time::Instant;

use anyhow::{Context as _, ensure};
use proto::rosters::v1::{Class, ListClassMembersRequest, ListClassesRequest, ListSchoolsRequest, School};

use crate::acting::{Cast, Part, Person, Services, Told as _, request_id};
use crate::district::ready::Ready;
use crate::generate::{DistrictSpec, generate, school_year_of};
use crate::import::{self, Upload};
use crate::progress::say;

use told::{Step, Thing, thing};
pub use told::{json, text};

/// A member of staff who acts.
#[derive(Clone, Debug)]
struct Staff {
    id: String,
    who: Person,
}

/// Where the year happens, and who acts.
#[derive(Clone, Debug)]
struct Scene {
    school: School,
    other_school: School,
    class: Class,
    students: Vec<String>,
    teacher: Staff,
    coordinator: Staff,
    counsellor: Staff,
    other_coordinator: Staff,
    manager: Person,
}

impl Scene {
    /// The student of the individual review: mathematics at first, grief in truth.
    fn grieving(&self) -> &str {
        &self.students[0]
    }
    /// The student who moves to another school.
    fn moving(&self) -> &str {
        &self.students[1]
    }
    /// The student with most support.
    fn most_support(&self) -> &str {
        &self.students[2]
    }
}

/// A school year of one class.
pub struct Year {
    ready: Ready,
    services: Services,
    cast: Cast,
    /// By its ending year.
    pub school_year: i32,
    /// What has been told so far.
    pub steps: Vec<Step>,
    part: &'static str,
    began: Instant,
}

impl Year {
    /// Prepares it.
    pub fn new(ready: &Ready) -> anyhow::Result<Self> {
        Ok(Self {
            services: Services::of(ready)?,
            cast: Cast::new(&ready.issuer)?,
            ready: ready.clone(),
            school_year: school_year_of(chassis_clock::today()),
            steps: Vec::new(),
            part: "",
            began: Instant::now(),
        })
    }

    /// All of it.
    pub async fn run(&mut self) -> anyhow::Result<()> {
        self.begin("before school");
        let scene = self.scene().await.context("the year failed before it began")?;
        self.begin("fall review");
        let fall = self.fall(&scene).await.context("the year failed at the fall review")?;
        self.begin("concern and individual review");
        let care = self.care(&scene).await.context("the year failed at the concern and its individual review")?;
        self.begin("plan");
        let planned = self.plan(&scene, &care).await.context("the year failed at the plan")?;
        self.begin("services and doses");
        let enrolment = self.services_and_doses(&scene, &planned).await.context("the year failed at the services")?;
        self.begin("follow-ups");
        self.follow_ups(&scene, &planned, &enrolment).await.context("the year failed at the follow-ups")?;
        self.begin("spring re-tiering");
        self.spring(&scene, &fall).await.context("the year failed at the spring review")?;
        self.begin("hand-over");
        self.hand_over(&scene).await.context("the year failed at the hand-over")?;
        self.begin("September list");
        self.september(&scene).await.context("the year failed at the September list")
    }

    fn begin(&mut self, part: &'static str) {
        say(part);
        self.part = part;
        self.began = Instant::now();
    }

    fn step(&mut self, what: &str, things: Vec<Thing>) {
        say(&format!("  {what}"));
        self.steps.push(Step { part: self.part, what: what.to_owned(), took: self.began.elapsed(), things });
        self.began = Instant::now();
    }

    /// A fictional district of two schools, and a class of it with everybody around it.
    async fn scene(&mut self) -> anyhow::Result<Scene> {
        let made = tempfile::Builder::new().prefix("fictional-district-").suffix(".zip").tempfile()?;
        let spec = DistrictSpec { schools: 2, students: 120, seed: 7, school_year: self.school_year };
        generate(&spec, made.reopen()?, |_, _| {})?;
        let clerk = self.cast.plays(&Part::district("data_clerk")).await?;
        let upload = Upload { path: made.path().to_owned(), dry_run: false, accept_changes: false };
        let result = import::import(&self.ready.rosters, &self.ready.tls, &clerk, &upload).await?;
        ensure!(result.went_well(), "the fictional roster was refused");
        self.step("a fictional roster is imported", vec![thing("import_run_id", &result.run.import_run_id, "applied")]);

        let manager = self.cast.plays(&Part::district("program_manager")).await?;
        let request = ListSchoolsRequest { page_size: 500, ..ListSchoolsRequest::default() };
        let schools = self.services.rosters().list_schools(manager.asks(request)).await.told("list the schools")?.schools;
        ensure!(schools.len() >= 2, "the year needs two schools");
        for (school, other) in schools.iter().zip(schools.iter().cycle().skip(1)) {
            let request = ListClassesRequest { school_id: school.school_id.clone(), review_units_only: true, page_size: 100, page_token: String::new() };
            for class in self.services.rosters().list_classes(manager.asks(request)).await.told("list the classes")?.classes {
                let request = ListClassMembersRequest { class_id: class.class_id.clone(), as_of_date: String::new() };
                let members = self.services.rosters().list_class_members(manager.asks(request)).await.told("read the class")?;
                let Some(teacher) = members.staff.first().filter(|_| members.students.len() >= 5) else { continue };
                let scene = self.cast_of(school, other, &class, &teacher.staff_id, manager.clone()).await?;
                let students = members.students.into_iter().map(|s| s.student_id).collect();
                let scene = Scene { students, ..scene };
                let about = format!("{} students", scene.students.len());
                self.step("a class is chosen", vec![thing("school_id", &school.school_id, "receives nobody yet"), thing("class_id", &class.class_id, about)]);
                return Ok(scene);
            }
        }
        anyhow::bail!("no class of the fictional roster has a teacher and five students today")
    }

    async fn cast_of(&self, school: &School, other: &School, class: &Class, teacher: &str, manager: Person) -> anyhow::Result<Scene> {
        let at = |role: &'static str, place: &School, id: String| {
            let (cast, place) = (self.cast.clone(), place.school_id.clone());
            async move { anyhow::Ok(Staff { who: cast.plays(&Part::at_school(role, &place, Some(&id))).await?, id }) }
        };
        Ok(Scene {
            school: school.clone(),
            other_school: other.clone(),
            class: class.clone(),
            students: Vec::new(),
            teacher: at("teacher", school, teacher.to_owned()).await?,
            coordinator: at("coordinator", school, request_id()).await?,
            counsellor: at("student_support_member", school, request_id()).await?,
            other_coordinator: at("coordinator", other, request_id()).await?,
            manager,
        })
    }
}
