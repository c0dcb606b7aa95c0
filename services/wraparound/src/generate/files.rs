//! Walks through the district: its files, its people in order, and the ids that hold it together.

use std::io::Write;

use chrono::NaiveDate;
use csv::Writer;

use super::DistrictSpec;
use super::people::{self, Household};
use super::plan::{GRADES, GradePlan, Plan, SUBJECTS, SchoolPlan};

/// The district's own id.
pub(super) const DISTRICT: &str = "org-district";
/// Rows between two reports of progress.
const REPORT_EVERY: u64 = 2_000;

/// Writes the files of one district.
pub struct District<'a, P> {
    pub(super) spec: &'a DistrictSpec,
    pub(super) plan: &'a Plan,
    progress: P,
    done: u64,
    total: u64,
}

/// The files, in the order in which they are written.
#[derive(Debug, Clone, Copy)]
pub enum FileName {
    Manifest,
    Orgs,
    AcademicSessions,
    Courses,
    Classes,
    Users,
    Roles,
    Enrollments,
    Demographics,
}

impl FileName {
    /// All of them.
    pub const ALL: [Self; 9] =
        [Self::Manifest, Self::Orgs, Self::AcademicSessions, Self::Courses, Self::Classes, Self::Users, Self::Roles, Self::Enrollments, Self::Demographics];

    /// Name inside the zip.
    pub fn name(self) -> &'static str {
        match self {
            Self::Manifest => "manifest.csv",
            Self::Orgs => "orgs.csv",
            Self::AcademicSessions => "academicSessions.csv",
            Self::Courses => "courses.csv",
            Self::Classes => "classes.csv",
            Self::Users => "users.csv",
            Self::Roles => "roles.csv",
            Self::Enrollments => "enrollments.csv",
            Self::Demographics => "demographics.csv",
        }
    }
}

/// One member of staff.
pub(super) struct Staff<'a> {
    pub(super) id: String,
    pub(super) number: u64,
    pub(super) role: &'a str,
    pub(super) org: &'a str,
}

impl<'p, P: FnMut(u64, u64)> District<'p, P> {
    /// Prepares the writing.
    pub fn new(spec: &'p DistrictSpec, plan: &'p Plan, progress: P) -> Self {
        let staff: u64 = plan.schools.iter().map(|school| school.teachers + school.coordinators + 2).sum();
        // Users, roles, demographics, enrollments; an estimate is good enough for a progress bar.
        let total = spec.students * 10 + staff * 3;
        Self { spec, plan, progress, done: 0, total }
    }

    /// Writes one file.
    pub fn write<W: Write>(&mut self, file: FileName, csv: &mut Writer<W>) -> csv::Result<()> {
        match file {
            FileName::Manifest => self.manifest(csv),
            FileName::Orgs => self.orgs(csv),
            FileName::AcademicSessions => self.academic_sessions(csv),
            FileName::Courses => self.courses(csv),
            FileName::Classes => self.classes(csv),
            FileName::Users => self.users(csv),
            FileName::Roles => self.roles(csv),
            FileName::Enrollments => self.enrollments(csv),
            FileName::Demographics => self.demographics(csv),
        }
    }

    /// First day, day between the terms, day after the last.
    pub(super) fn year(&self) -> (NaiveDate, NaiveDate, NaiveDate) {
        let day = |year, month, day| NaiveDate::from_ymd_opt(year, month, day).unwrap_or_default();
        let ends = self.spec.school_year;
        (day(ends - 1, 8, 24), day(ends, 1, 18), day(ends, 6, 12))
    }

    pub(super) fn first_of(&self, school: usize) -> u64 {
        self.plan.schools[school].grades.first().map_or(0, |grade| grade.first)
    }

    /// Tells the last progress.
    pub fn finish(&mut self) {
        (self.progress)(self.total, self.total);
    }

    fn row(&mut self) {
        self.done += 1;
        if self.done.is_multiple_of(REPORT_EVERY) {
            (self.progress)(self.done.min(self.total), self.total);
        }
    }

    pub(super) fn each_staff(&mut self, mut write: impl FnMut(&Self, Staff<'_>) -> csv::Result<()>) -> csv::Result<()> {
        let mut number = 0;
        let plan = self.plan;
        for n in 0..3 {
            let role = if n == 2 { "systemAdministrator" } else { "districtAdministrator" };
            number += 1;
            write(self, Staff { id: format!("staff-d-{}", n + 1), number, role, org: DISTRICT })?;
            self.row();
        }
        for (s, school) in plan.schools.iter().enumerate() {
            let org = school_id(s);
            for (id, role) in staff_of(s, school) {
                number += 1;
                write(self, Staff { id, number, role, org: &org })?;
                self.row();
            }
        }
        Ok(())
    }

    pub(super) fn each_student(&mut self, mut write: impl FnMut(&Self, u64, usize, &GradePlan) -> csv::Result<()>) -> csv::Result<()> {
        let plan = self.plan;
        for (s, school) in plan.schools.iter().enumerate() {
            for grade in &school.grades {
                for number in grade.first..grade.first + grade.students {
                    write(self, number, s, grade)?;
                    self.row();
                }
            }
        }
        Ok(())
    }

    pub(super) fn each_guardian(&mut self, mut write: impl FnMut(&Self, Household, u64, usize) -> csv::Result<()>) -> csv::Result<()> {
        self.each_student(|district, number, school, _| {
            let household = people::household(district.spec.seed, number, district.first_of(school));
            if household.number == number {
                for nth in 0..household.guardians {
                    write(district, household, nth, school)?;
                }
            }
            Ok(())
        })
    }
}

fn staff_of(s: usize, school: &SchoolPlan) -> impl Iterator<Item = (String, &'static str)> {
    let leaders = [(format!("staff-{:03}-p", s + 1), "principal"), (format!("staff-{:03}-n", s + 1), "aide")];
    let coordinators = (0..school.coordinators).map(move |n| (format!("staff-{:03}-c{}", s + 1, n + 1), "counselor"));
    let teachers = (0..school.teachers).map(move |n| (teacher_id(s, n), "teacher"));
    leaders.into_iter().chain(coordinators).chain(teachers)
}

pub(super) fn school_id(s: usize) -> String {
    format!("org-{:03}", s + 1)
}

pub(super) fn student_id(number: u64) -> String {
    format!("stu-{:07}", number + 1)
}

pub(super) fn teacher_id(s: usize, n: u64) -> String {
    format!("staff-{:03}-t{:03}", s + 1, n + 1)
}

pub(super) fn guardian_id(household: Household, nth: u64) -> String {
    format!("gua-{:07}-{}", household.number + 1, nth + 1)
}

pub(super) fn course_id(grade: usize, subject: Option<usize>) -> String {
    match subject {
        None => format!("crs-hr-{}", GRADES[grade]),
        Some(n) => format!("crs-{}-{}", &SUBJECTS[n][..3].to_lowercase(), GRADES[grade]),
    }
}

pub(super) fn homeroom_id(s: usize, plan: &GradePlan, n: u64) -> String {
    format!("cls-{:03}-hr-{}-{:02}", s + 1, GRADES[plan.grade], n + 1)
}

pub(super) fn section_id(s: usize, plan: &GradePlan, subject: usize, n: u64) -> String {
    format!("cls-{:03}-{}-{}-{:02}", s + 1, &SUBJECTS[subject][..3].to_lowercase(), GRADES[plan.grade], n + 1)
}

/// A, B, … Z, AA, AB …
pub(super) fn letters(n: u64) -> String {
    let letter = |n: u64| char::from(b'A' + (n % 26) as u8);
    if n < 26 { letter(n).to_string() } else { format!("{}{}", letter(n / 26 - 1), letter(n)) }
}
