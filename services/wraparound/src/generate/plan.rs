//! The shape of a district: which schools, which grades in each, how many students, homerooms and sections.

use rand::rngs::Xoshiro256PlusPlus;
use rand::seq::SliceRandom as _;
use rand::{RngExt as _, SeedableRng as _};

use super::DistrictSpec;
use super::names::{SCHOOL_FIRST, SCHOOL_SECOND};

/// CEDS codes of the thirteen grades, kindergarten first.
pub const GRADES: [&str; 13] = ["KG", "01", "02", "03", "04", "05", "06", "07", "08", "09", "10", "11", "12"];
/// From this grade on students have subjects with teachers of their own.
pub const FIRST_SECONDARY_GRADE: usize = 6;
/// What secondary students take beside their homeroom.
pub const SUBJECTS: [&str; 5] = ["English", "Mathematics", "Science", "Social Studies", "Spanish"];

const HOMEROOM_SIZE: u64 = 24;
const SECTION_SIZE: u64 = 25;
const SECTIONS_A_TEACHER: u64 = 5;
const STUDENTS_A_COORDINATOR: u64 = 400;

/// A grade of a school: a run of consecutive students.
#[derive(Debug, Clone)]
pub struct GradePlan {
    /// Index into [`GRADES`].
    pub grade: usize,
    /// First student's number in the district.
    pub first: u64,
    /// Students.
    pub students: u64,
    /// Homerooms.
    pub homerooms: u64,
    /// Sections of each subject; 0 below secondary.
    pub sections: u64,
}

impl GradePlan {
    /// Homeroom of the grade's `nth` student: rooms are filled evenly.
    pub fn homeroom_of(&self, nth: u64) -> u64 {
        nth * self.homerooms / self.students.max(1)
    }

    /// Section of the grade's `nth` student in a subject: each subject mixes the grade anew.
    pub fn section_of(&self, nth: u64, subject: u64) -> u64 {
        (nth + subject * (nth / self.sections.max(1))) % self.sections.max(1)
    }
}

/// A school.
#[derive(Debug, Clone)]
pub struct SchoolPlan {
    /// Name, its kind included.
    pub name: String,
    /// Its grades.
    pub grades: Vec<GradePlan>,
    /// Teachers.
    pub teachers: u64,
    /// Coordinators.
    pub coordinators: u64,
}

/// The whole district.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Schools.
    pub schools: Vec<SchoolPlan>,
}

impl Plan {
    /// Lays out a district.
    pub fn new(spec: &DistrictSpec) -> Self {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(spec.seed);
        let spans = grade_spans(spec.schools);
        let by_grade = shares(spec.students, &[1; GRADES.len()]);
        let mut students: Vec<Vec<u64>> = vec![vec![0; GRADES.len()]; spans.len()];
        for (grade, total) in by_grade.iter().enumerate() {
            let serving: Vec<usize> = (0..spans.len()).filter(|&s| spans[s].0 <= grade && grade < spans[s].1).collect();
            // Schools of one kind differ in size, by up to a third.
            let mut sizes = Xoshiro256PlusPlus::seed_from_u64(spec.seed ^ 0x5eed);
            let weights: Vec<u64> = serving.iter().map(|_| sizes.random_range(75..=100)).collect();
            for (school, share) in serving.iter().zip(shares(*total, &weights)) {
                students[*school][grade] = share;
            }
        }
        let names = school_names(&spans, &mut rng);
        let mut first = 0;
        let schools = names
            .into_iter()
            .zip(students)
            .map(|(name, by_grade)| {
                let mut grades = Vec::new();
                for (grade, students) in by_grade.into_iter().enumerate().filter(|(_, students)| *students > 0) {
                    let secondary = grade >= FIRST_SECONDARY_GRADE;
                    let sections = if secondary { students.div_ceil(SECTION_SIZE) } else { 0 };
                    let homerooms = students.div_ceil(HOMEROOM_SIZE);
                    grades.push(GradePlan { grade, first, students, homerooms, sections });
                    first += students;
                }
                school(name, grades)
            })
            .collect();
        Self { schools }
    }
}

fn school(name: String, grades: Vec<GradePlan>) -> SchoolPlan {
    let homerooms: u64 = grades.iter().map(|grade| grade.homerooms).sum();
    let sections: u64 = grades.iter().map(|grade| grade.sections * SUBJECTS.len() as u64).sum();
    let students: u64 = grades.iter().map(|grade| grade.students).sum();
    SchoolPlan { name, grades, teachers: homerooms.max(sections.div_ceil(SECTIONS_A_TEACHER)), coordinators: students.div_ceil(STUDENTS_A_COORDINATOR).max(1) }
}

/// First and last (exclusive) grade of each school: about six in ten are elementary.
fn grade_spans(schools: u64) -> Vec<(usize, usize)> {
    let schools = schools as usize;
    match schools {
        0 | 1 => vec![(0, 13); schools],
        2 => vec![(0, 6), (6, 13)],
        _ => {
            let elementary = (schools * 6 / 10).max(1);
            let high = ((schools - elementary) * 2 / 5).max(1);
            let middle = schools - elementary - high;
            let mut spans = vec![(0, 6); elementary];
            spans.extend(vec![(6, 9); middle]);
            spans.extend(vec![(9, 13); high]);
            spans
        }
    }
}

/// Divides a total by weights, losing and adding nobody.
fn shares(total: u64, weights: &[u64]) -> Vec<u64> {
    let sum: u64 = weights.iter().sum::<u64>().max(1);
    let mut given = 0;
    let mut weight = 0;
    weights
        .iter()
        .map(|w| {
            weight += w;
            let upto = (u128::from(total) * u128::from(weight) / u128::from(sum)) as u64;
            let share = upto - given;
            given = upto;
            share
        })
        .collect()
}

fn school_names(spans: &[(usize, usize)], rng: &mut Xoshiro256PlusPlus) -> Vec<String> {
    let mut pairs: Vec<(&str, &str)> = SCHOOL_FIRST.iter().flat_map(|first| SCHOOL_SECOND.iter().map(|second| (*first, *second))).collect();
    pairs.shuffle(rng);
    spans
        .iter()
        .enumerate()
        .map(|(n, span)| {
            let (first, second) = pairs[n % pairs.len()];
            let kind = match span {
                (0, 6) => "Elementary School",
                (6, 9) => "Middle School",
                (0, _) => "School",
                _ => "High School",
            };
            let again = if n < pairs.len() { String::new() } else { format!(" {}", n / pairs.len() + 1) };
            format!("{first} {second}{again} {kind}")
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_lost_and_rooms_have_the_size_of_rooms() {
        for (schools, students) in [(1, 300), (2, 900), (8, 3_000), (200, 100_000)] {
            let plan = Plan::new(&DistrictSpec { schools, students, seed: 7, school_year: 2027 });
            assert_eq!(plan.schools.len() as u64, schools);
            assert_eq!(plan.schools.iter().flat_map(|school| &school.grades).map(|grade| grade.students).sum::<u64>(), students);
            for grade in plan.schools.iter().flat_map(|school| &school.grades) {
                let mut rooms = vec![0u64; grade.homerooms as usize];
                (0..grade.students).for_each(|nth| rooms[grade.homeroom_of(nth) as usize] += 1);
                assert!(rooms.iter().all(|size| *size <= 27), "{rooms:?}");
                if grade.students >= 60 {
                    assert!(rooms.iter().all(|size| *size >= 18), "{rooms:?}");
                }
            }
        }
    }

    #[test]
    fn sections_are_even() {
        let grade = GradePlan { grade: 9, first: 0, students: 231, homerooms: 10, sections: 10 };
        for subject in 0..5 {
            let mut sizes = vec![0; 10];
            (0..grade.students).for_each(|nth| sizes[grade.section_of(nth, subject) as usize] += 1);
            assert!(sizes.iter().all(|size| (20..=27).contains(size)), "{sizes:?}");
        }
    }
}
