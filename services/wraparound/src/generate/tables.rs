//! The tables of the package, one function each, columns in the order of the specification.

use std::io::Write;

use csv::Writer;

use super::files::{DISTRICT, District, course_id, guardian_id, homeroom_id, letters, school_id, section_id, student_id, teacher_id};
use super::people;
use super::plan::{FIRST_SECONDARY_GRADE, GRADES, SUBJECTS};

/// Writes rows by column name; what is not named stays blank.
struct Table<'c, W: Write> {
    csv: &'c mut Writer<W>,
    columns: Vec<&'static str>,
    cells: Vec<String>,
}

impl<'c, W: Write> Table<'c, W> {
    fn new(csv: &'c mut Writer<W>, header: &'static str) -> csv::Result<Self> {
        let columns: Vec<_> = header.split(' ').collect();
        csv.write_record(&columns)?;
        let cells = vec![String::new(); columns.len()];
        Ok(Self { csv, columns, cells })
    }

    fn row(&mut self, named: &[(&str, &str)]) -> csv::Result<()> {
        for (column, cell) in self.columns.iter().zip(&mut self.cells) {
            cell.clear();
            if let Some((_, value)) = named.iter().find(|(name, _)| name == column) {
                cell.push_str(value);
            }
        }
        self.csv.write_record(&self.cells)
    }
}

const BULK: &str = "academicSessions classes courses demographics enrollments orgs roles users";
const ABSENT: &str = "categories classResources courseResources lineItemLearningObjectiveIds \
    lineItemScoreScales lineItems resources resultLearningObjectiveIds resultScoreScales results \
    scoreScales userProfiles userResources";
const ORGS: &str = "sourcedId status dateLastModified name type identifier parentSourcedId";
const SESSIONS: &str = "sourcedId status dateLastModified title type startDate endDate \
    parentSourcedId schoolYear";
const COURSES: &str = "sourcedId status dateLastModified schoolYearSourcedId title courseCode \
    grades orgSourcedId subjects subjectCodes";
const CLASSES: &str = "sourcedId status dateLastModified title grades courseSourcedId classCode \
    classType location schoolSourcedId termSourcedIds subjects subjectCodes periods";
const USERS: &str = "sourcedId status dateLastModified enabledUser username userIds givenName \
    familyName middleName identifier email sms phone agentSourcedIds grades password \
    userMasterIdentifier resourceSourcedIds preferredGivenName preferredMiddleName \
    preferredFamilyName primaryOrgSourcedId pronouns";
const ROLES: &str = "sourcedId status dateLastModified userSourcedId roleType role beginDate \
    endDate orgSourcedId userProfileSourcedId";
const ENROLLMENTS: &str = "sourcedId status dateLastModified classSourcedId schoolSourcedId \
    userSourcedId role primary beginDate endDate";
const DEMOGRAPHICS: &str = "sourcedId status dateLastModified birthDate sex \
    americanIndianOrAlaskaNative asian blackOrAfricanAmerican nativeHawaiianOrOtherPacificIslander \
    white demographicRaceTwoOrMoreRaces hispanicOrLatinoEthnicity countryOfBirthCode \
    stateOfBirthAbbreviation cityOfBirth publicSchoolResidenceStatus";

impl<P: FnMut(u64, u64)> District<'_, P> {
    /// The manifest.
    pub(super) fn manifest<W: Write>(&mut self, csv: &mut Writer<W>) -> csv::Result<()> {
        csv.write_record(["propertyName", "value"])?;
        csv.write_record(["manifest.version", "1.0"])?;
        csv.write_record(["oneroster.version", "1.2"])?;
        for file in BULK.split(' ') {
            csv.write_record([&format!("file.{file}"), "bulk"])?;
        }
        for file in ABSENT.split(' ') {
            csv.write_record([&format!("file.{file}"), "absent"])?;
        }
        csv.write_record(["source.systemName", "Wraparound generator (fictional people)"])?;
        csv.write_record(["source.systemCode", "fictional"])
    }

    /// The district and its schools.
    pub(super) fn orgs<W: Write>(&mut self, csv: &mut Writer<W>) -> csv::Result<()> {
        let mut table = Table::new(csv, ORGS)?;
        table.row(&[("sourcedId", DISTRICT), ("name", "Alder Valley Public Schools (fictional)"), ("type", "district"), ("identifier", "9900000")])?;
        for (n, school) in self.plan.schools.iter().enumerate() {
            table.row(&[
                ("sourcedId", &school_id(n)),
                ("name", &school.name),
                ("type", "school"),
                ("identifier", &format!("9900000{:05}", n + 1)),
                ("parentSourcedId", DISTRICT),
            ])?;
        }
        Ok(())
    }

    /// The school year and its two terms.
    pub(super) fn academic_sessions<W: Write>(&mut self, csv: &mut Writer<W>) -> csv::Result<()> {
        let mut table = Table::new(csv, SESSIONS)?;
        let year = self.spec.school_year;
        let (begin, middle, end) = self.year();
        let year_id = format!("sy-{year}");
        let title = format!("School year {}-{year}", year - 1);
        let sessions = [
            (year_id.clone(), title.as_str(), "schoolYear", begin, end, ""),
            (format!("t1-{year}"), "Fall term", "term", begin, middle, &year_id),
            (format!("t2-{year}"), "Spring term", "term", middle, end, &year_id),
        ];
        for (id, title, kind, begin, end, parent) in sessions {
            table.row(&[
                ("sourcedId", &id),
                ("title", title),
                ("type", kind),
                ("startDate", &begin.to_string()),
                ("endDate", &end.to_string()),
                ("parentSourcedId", parent),
                ("schoolYear", &year.to_string()),
            ])?;
        }
        Ok(())
    }

    /// One course for each grade's homeroom, and one for each subject of secondary grades.
    pub(super) fn courses<W: Write>(&mut self, csv: &mut Writer<W>) -> csv::Result<()> {
        let mut table = Table::new(csv, COURSES)?;
        let year_id = format!("sy-{}", self.spec.school_year);
        for (grade, code) in GRADES.iter().enumerate() {
            let secondary = grade >= FIRST_SECONDARY_GRADE;
            let subjects = SUBJECTS.iter().enumerate().filter(|_| secondary);
            for (n, subject) in std::iter::once((None, "")).chain(subjects.map(|(n, s)| (Some(n), *s))) {
                let title = match n {
                    None => format!("Homeroom {code}"),
                    Some(_) => format!("{subject} {}", code.trim_start_matches('0')),
                };
                let course_code = format!("{}{code}", title[..3].to_uppercase());
                table.row(&[
                    ("sourcedId", &course_id(grade, n)),
                    ("schoolYearSourcedId", &year_id),
                    ("title", &title),
                    ("courseCode", &course_code),
                    ("grades", code),
                    ("orgSourcedId", DISTRICT),
                    ("subjects", subject),
                ])?;
            }
        }
        Ok(())
    }

    /// Homerooms and sections.
    pub(super) fn classes<W: Write>(&mut self, csv: &mut Writer<W>) -> csv::Result<()> {
        let mut table = Table::new(csv, CLASSES)?;
        let terms = format!("t1-{0},t2-{0}", self.spec.school_year);
        for (s, school) in self.plan.schools.iter().enumerate() {
            let org = school_id(s);
            for plan in &school.grades {
                let code = GRADES[plan.grade];
                for n in 0..plan.homerooms {
                    let letters = letters(n);
                    table.row(&[
                        ("sourcedId", &homeroom_id(s, plan, n)),
                        ("title", &format!("Homeroom {code}{letters}")),
                        ("grades", code),
                        ("courseSourcedId", &course_id(plan.grade, None)),
                        ("classCode", &format!("{code}{letters}")),
                        ("classType", "homeroom"),
                        ("schoolSourcedId", &org),
                        ("termSourcedIds", &terms),
                        ("periods", "0"),
                    ])?;
                }
                for (k, subject) in SUBJECTS.iter().enumerate() {
                    for n in 0..plan.sections {
                        let grade = code.trim_start_matches('0');
                        table.row(&[
                            ("sourcedId", &section_id(s, plan, k, n)),
                            ("title", &format!("{subject} {grade} section {}", n + 1)),
                            ("grades", code),
                            ("courseSourcedId", &course_id(plan.grade, Some(k))),
                            ("classCode", &format!("{}", n + 1)),
                            ("classType", "scheduled"),
                            ("schoolSourcedId", &org),
                            ("termSourcedIds", &terms),
                            ("subjects", subject),
                            ("periods", &format!("{}", k + 1)),
                        ])?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Staff, students and guardians.
    pub(super) fn users<W: Write>(&mut self, csv: &mut Writer<W>) -> csv::Result<()> {
        let mut table = Table::new(csv, USERS)?;
        self.each_staff(|district, staff| {
            let (given, family) = people::staff_name(district.spec.seed, staff.number);
            let username = format!("staff{:06}", staff.number);
            table.row(&[
                ("sourcedId", &staff.id),
                ("enabledUser", "true"),
                ("username", &username),
                ("givenName", given),
                ("familyName", family),
                ("identifier", &format!("T{:06}", staff.number)),
                ("email", &format!("{username}@alder-valley.example")),
                ("primaryOrgSourcedId", staff.org),
            ])
        })?;
        self.each_student(|district, number, school, plan| {
            let student = people::student(district.spec.seed, number, district.first_of(school));
            let agents: Vec<String> = (0..student.household.guardians).map(|n| guardian_id(student.household, n)).collect();
            let identifier = format!("{}", 1_000_000 + number);
            table.row(&[
                ("sourcedId", &student_id(number)),
                ("enabledUser", "true"),
                ("username", &format!("s{:07}", number + 1)),
                ("userIds", &format!("{{SIS:{identifier}}}")),
                ("givenName", student.given),
                ("familyName", student.household.family),
                ("middleName", student.middle.unwrap_or_default()),
                ("identifier", &identifier),
                ("agentSourcedIds", &agents.join(",")),
                ("grades", GRADES[plan.grade]),
                ("preferredGivenName", student.preferred.unwrap_or_default()),
                ("primaryOrgSourcedId", &school_id(school)),
            ])
        })?;
        self.each_guardian(|district, household, nth, _| {
            let (given, family) = people::guardian_name(district.spec.seed, household, nth);
            let id = guardian_id(household, nth);
            let phone = format!("+1555{:07}", (household.number * 2 + nth) % 10_000_000);
            table.row(&[
                ("sourcedId", &id),
                ("enabledUser", "true"),
                ("username", &id.replace('-', "")),
                ("givenName", given),
                ("familyName", family),
                ("sms", &phone),
                ("phone", &phone),
            ])
        })
    }

    /// One primary role each.
    pub(super) fn roles<W: Write>(&mut self, csv: &mut Writer<W>) -> csv::Result<()> {
        let mut table = Table::new(csv, ROLES)?;
        let mut write = |user: &str, role: &str, org: &str| {
            table.row(&[("sourcedId", &format!("role-{user}")), ("userSourcedId", user), ("roleType", "primary"), ("role", role), ("orgSourcedId", org)])
        };
        self.each_staff(|_, staff| write(&staff.id, staff.role, staff.org))?;
        self.each_student(|_, number, s, _| write(&student_id(number), "student", &school_id(s)))?;
        self.each_guardian(|_, household, nth, s| write(&guardian_id(household, nth), "guardian", &school_id(s)))
    }

    /// Who is in which class.
    pub(super) fn enrollments<W: Write>(&mut self, csv: &mut Writer<W>) -> csv::Result<()> {
        let mut table = Table::new(csv, ENROLLMENTS)?;
        let (begin, _, end) = self.year();
        let (begin, end) = (begin.to_string(), end.to_string());
        let mut number = 0u64;
        let mut write = |class: &str, school: &str, user: &str, role: &str| {
            number += 1;
            table.row(&[
                ("sourcedId", &format!("enr-{number:08}")),
                ("classSourcedId", class),
                ("schoolSourcedId", school),
                ("userSourcedId", user),
                ("role", role),
                ("primary", if role == "teacher" { "true" } else { "false" }),
                ("beginDate", &begin),
                ("endDate", &end),
            ])
        };
        for (s, school) in self.plan.schools.iter().enumerate() {
            let org = school_id(s);
            let (mut rooms, mut sections) = (0, 0);
            for plan in &school.grades {
                for n in 0..plan.homerooms {
                    write(&homeroom_id(s, plan, n), &org, &teacher_id(s, rooms), "teacher")?;
                    rooms += 1;
                }
                for k in 0..SUBJECTS.len() {
                    for n in 0..plan.sections {
                        // A teacher keeps to one subject as far as the numbers allow.
                        let teacher = teacher_id(s, sections / 5 % school.teachers);
                        write(&section_id(s, plan, k, n), &org, &teacher, "teacher")?;
                        sections += 1;
                    }
                }
            }
        }
        self.each_student(|_, number, s, plan| {
            let (nth, org, user) = (number - plan.first, school_id(s), student_id(number));
            write(&homeroom_id(s, plan, plan.homeroom_of(nth)), &org, &user, "student")?;
            for k in (0..SUBJECTS.len()).filter(|_| plan.sections > 0) {
                let section = plan.section_of(nth, k as u64);
                write(&section_id(s, plan, k, section), &org, &user, "student")?;
            }
            Ok(())
        })
    }

    /// Birth dates and the rest.
    pub(super) fn demographics<W: Write>(&mut self, csv: &mut Writer<W>) -> csv::Result<()> {
        let mut table = Table::new(csv, DEMOGRAPHICS)?;
        self.each_student(|district, number, _, plan| {
            let spec = district.spec;
            let them = people::demographics(spec.seed, number, plan.grade, spec.school_year);
            let flag = |value: bool| if value { "true" } else { "false" };
            let several = them.race.iter().filter(|race| **race).count() > 1;
            let race = them.race.map(flag);
            table.row(&[
                ("sourcedId", &student_id(number)),
                ("birthDate", &them.birth_date.to_string()),
                ("sex", them.sex),
                ("americanIndianOrAlaskaNative", race[0]),
                ("asian", race[1]),
                ("blackOrAfricanAmerican", race[2]),
                ("nativeHawaiianOrOtherPacificIslander", race[3]),
                ("white", race[4]),
                ("demographicRaceTwoOrMoreRaces", flag(several)),
                ("hispanicOrLatinoEthnicity", flag(them.hispanic)),
            ])
        })
    }
}
