//! Fictional people. Each follows from the seed and a number alone, so that no file needs another in memory.

use chrono::{Days, NaiveDate};
use rand::rngs::Xoshiro256PlusPlus;
use rand::{RngExt as _, SeedableRng as _};

use super::names::{FAMILY, GIVEN};

/// What a number stands for; keeps the random streams of different people apart.
#[derive(Debug, Clone, Copy)]
pub enum Stream {
    /// A student.
    Student = 1,
    /// A household: its name and how many guardians it has.
    Household = 2,
    /// A guardian.
    Guardian = 3,
    /// A member of staff.
    Staff = 4,
    /// Demographics of a student.
    Demographics = 5,
}

/// The random stream of one person.
pub fn stream(seed: u64, stream: Stream, number: u64) -> Xoshiro256PlusPlus {
    // Odd multipliers keep neighbouring numbers far apart; seed_from_u64 then mixes them.
    let mixed = seed ^ (stream as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ number.wrapping_mul(0xd1b5_4a32_d192_ed03).rotate_left(17);
    Xoshiro256PlusPlus::seed_from_u64(mixed)
}

fn pick<'a>(list: &[&'a str], rng: &mut Xoshiro256PlusPlus) -> &'a str {
    list[rng.random_range(0..list.len())]
}

/// Given and family name of a member of staff.
pub fn staff_name(seed: u64, number: u64) -> (&'static str, &'static str) {
    let mut rng = stream(seed, Stream::Staff, number);
    (pick(GIVEN, &mut rng), pick(FAMILY, &mut rng))
}

/// A household: the student it is numbered after, and perhaps siblings.
#[derive(Debug, Clone, Copy)]
pub struct Household {
    /// Number of its eldest student.
    pub number: u64,
    /// Family name.
    pub family: &'static str,
    /// One or two.
    pub guardians: u64,
}

/// The household that a student heads, siblings aside.
fn own_household(seed: u64, student: u64) -> Household {
    let mut rng = stream(seed, Stream::Household, student);
    let family = pick(FAMILY, &mut rng);
    let guardians = if rng.random_range(0..100) < 62 { 2 } else { 1 };
    Household { number: student, family, guardians }
}

/// Distance to the possible sibling; about one student in six is a younger sibling at the same school.
fn sibling_offset(seed: u64, student: u64) -> Option<u64> {
    let mut rng = stream(seed, Stream::Household, student ^ (1 << 62));
    (rng.random_range(0..100) < 17).then(|| rng.random_range(20..120))
}

/// A student's household. `school_first` is the number of the school's first student: siblings share a school.
pub fn household(seed: u64, student: u64, school_first: u64) -> Household {
    if let Some(offset) = sibling_offset(seed, student)
        && let Some(other) = student.checked_sub(offset)
        && other >= school_first
        && sibling_offset(seed, other).is_none()
    {
        return own_household(seed, other);
    }
    own_household(seed, student)
}

/// A student.
#[derive(Debug, Clone)]
pub struct Student {
    /// Given name.
    pub given: &'static str,
    /// Middle name; often none.
    pub middle: Option<&'static str>,
    /// A name that the student prefers; seldom.
    pub preferred: Option<&'static str>,
    /// Household.
    pub household: Household,
}

/// Makes a student.
pub fn student(seed: u64, number: u64, school_first: u64) -> Student {
    let mut rng = stream(seed, Stream::Student, number);
    Student {
        given: pick(GIVEN, &mut rng),
        middle: (rng.random_range(0..100) < 45).then(|| pick(GIVEN, &mut rng)),
        preferred: (rng.random_range(0..100) < 4).then(|| pick(GIVEN, &mut rng)),
        household: household(seed, number, school_first),
    }
}

/// A guardian's name: most share the household's, some do not.
pub fn guardian_name(seed: u64, household: Household, nth: u64) -> (&'static str, &'static str) {
    let mut rng = stream(seed, Stream::Guardian, household.number * 2 + nth);
    let given = pick(GIVEN, &mut rng);
    let family = if rng.random_range(0..100) < 80 { household.family } else { pick(FAMILY, &mut rng) };
    (given, family)
}

/// Demographics of a student: birth date, sex, five race flags, Hispanic or Latino.
#[derive(Debug, Clone)]
pub struct Demographics {
    /// Day of birth, right for the grade; a few students are a year older.
    pub birth_date: NaiveDate,
    /// As the specification writes it.
    pub sex: &'static str,
    /// American Indian or Alaska Native, Asian, Black, Pacific Islander, White.
    pub race: [bool; 5],
    /// Hispanic or Latino.
    pub hispanic: bool,
}

/// Makes the demographics of a student in `grade` (0 is kindergarten) of the school year that ends in `school_year`.
pub fn demographics(seed: u64, number: u64, grade: usize, school_year: i32) -> Demographics {
    let mut rng = stream(seed, Stream::Demographics, number);
    let repeated = i32::from(rng.random_range(0..100) < 3);
    let youngest = school_year - 1 - 5 - grade as i32 - repeated;
    // A kindergartner turns five by the first of September, and was born in the year before that day.
    let last_day = NaiveDate::from_ymd_opt(youngest, 9, 1).unwrap_or_default();
    let birth_date = last_day.checked_sub_days(Days::new(rng.random_range(0..365))).unwrap_or(last_day);
    let sex = match rng.random_range(0..200) {
        0 => "other",
        1..=2 => "unspecified",
        n if n % 2 == 0 => "female",
        _ => "male",
    };
    let mut race = [false; 5];
    let main = match rng.random_range(0..100) {
        0..=2 => 0,
        3..=10 => 1,
        11..=28 => 2,
        29 => 3,
        _ => 4,
    };
    race[main] = true;
    if rng.random_range(0..100) < 6 {
        race[rng.random_range(0..5)] = true;
    }
    Demographics { birth_date, sex, race, hispanic: rng.random_range(0..100) < 27 }
}
