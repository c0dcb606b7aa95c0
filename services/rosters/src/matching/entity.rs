//! When a clue is a student: pure rules.

use std::collections::{BTreeSet, HashMap};

use chrono::NaiveDate;
use uuid::Uuid;

use crate::naming::words;

/// What a row says of a student.
#[derive(Debug, Clone, Default)]
pub struct Clue {
    /// The student's number, the source's id or our own; may be empty.
    pub identifier: String,
    /// Given name; may be empty.
    pub given: String,
    /// Family name; may be empty.
    pub family: String,
    /// Day of birth.
    pub birth_date: Option<NaiveDate>,
    /// CEDS code; may be empty.
    pub grade: String,
}

/// A student of the school, with what tells one from another.
#[derive(Debug, Clone, Default)]
pub struct Pupil {
    /// Id.
    pub student_id: Uuid,
    /// Given name.
    pub given: Option<String>,
    /// Middle name.
    pub middle: Option<String>,
    /// Family name.
    pub family: Option<String>,
    /// Given name that the student prefers.
    pub preferred_given: Option<String>,
    /// Family name that the student prefers.
    pub preferred_family: Option<String>,
    /// CEDS code.
    pub grade: String,
    /// Day of birth, where the roster has it.
    pub birth_date: Option<NaiveDate>,
    /// The student's number; may be empty.
    pub number: String,
    /// Ids by which the source knows the student, as far as they were asked for.
    pub source_ids: Vec<String>,
}

/// What became of a clue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// Nobody fits.
    Nobody,
    /// One student, by identifier, and the names do not contradict it.
    ByIdentifier(Uuid),
    /// The one student with this name and day of birth.
    ByNameAndBirthDate(Uuid),
    /// The one student with this name and grade.
    ByNameAndGrade(Uuid),
    /// The one student with nearly this name and the same day of birth.
    Similar(Uuid),
    /// So many fit.
    Ambiguous(usize),
    /// The identifier is of one or more students whose names are clearly others.
    Contradicted(usize),
}

/// How much two spellings have in common. The order counts: the later, the more alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Likeness {
    /// Clearly two names.
    Different,
    /// Off by a letter or two, as by a slip of the hand.
    Near,
    /// The same letters, whatever the accents, hyphens, blanks and capitals.
    Same,
}

/// A name as it is compared: its folded words, and these without anything between them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Spelling {
    plain: String,
    words: Vec<String>,
}

impl Spelling {
    fn of(name: &str) -> Self {
        let words: Vec<String> = words(name).collect();
        Self { plain: words.concat(), words }
    }

    fn is_empty(&self) -> bool {
        self.plain.is_empty()
    }

    /// Whether one has all the words of the other, and more: a middle name or a second family name that was left out.
    fn is_part_of(&self, other: &Self) -> bool {
        !self.is_empty() && self.words.iter().all(|word| other.words.contains(word))
    }
}

/// Slips that a name of this length may hold. Short ones that differ by a letter are two names: Ana and Ann.
fn slips(length: usize) -> usize {
    match length {
        0..=4 => 0,
        5..=8 => 1,
        _ => 2,
    }
}

fn likeness(one: &str, other: &str) -> Likeness {
    if one == other {
        return Likeness::Same;
    }
    let length = one.chars().count().min(other.chars().count());
    // Two letters that changed places are one slip.
    if strsim::osa_distance(one, other) <= slips(length) { Likeness::Near } else { Likeness::Different }
}

/// A student's names in every form in which a file may write them.
#[derive(Debug)]
struct Forms {
    given: Vec<Spelling>,
    family: Vec<Spelling>,
}

impl Forms {
    fn of(pupil: &Pupil) -> Self {
        let form = |name: &Option<String>| name.as_deref().map(Spelling::of).filter(|name| !name.is_empty());
        let mut given: Vec<Spelling> = [form(&pupil.given), form(&pupil.preferred_given)].into_iter().flatten().collect();
        if let (Some(first), Some(middle)) = (&pupil.given, &pupil.middle) {
            given.push(Spelling::of(&format!("{first} {middle}")));
        }
        Self { given, family: [form(&pupil.family), form(&pupil.preferred_family)].into_iter().flatten().collect() }
    }

    /// How alike a clue's name is to this one: as its less alike part.
    fn likeness(&self, name: &Named) -> Likeness {
        let part = |said: &Spelling, held: &[Spelling]| held.iter().map(|name| likeness(&said.plain, &name.plain)).max().unwrap_or(Likeness::Different);
        part(&name.given, &self.given).min(part(&name.family, &self.family))
    }

    /// The same with an identifier beside it: a part that either lacks says nothing, and words may be left out.
    fn likeness_of_holder(&self, name: &Named) -> Likeness {
        let part = |said: &Spelling, held: &[Spelling]| {
            if said.is_empty() || held.is_empty() || held.iter().any(|name| said.is_part_of(name) || name.is_part_of(said)) {
                let same = held.iter().any(|name| name.plain == said.plain);
                return if same { Likeness::Same } else { Likeness::Near };
            }
            held.iter().map(|name| likeness(&said.plain, &name.plain)).max().unwrap_or(Likeness::Different)
        };
        part(&name.given, &self.given).min(part(&name.family, &self.family))
    }
}

/// A clue's name.
struct Named {
    given: Spelling,
    family: Spelling,
}

impl Named {
    fn key(&self) -> (String, String) {
        (self.given.plain.clone(), self.family.plain.clone())
    }
}

/// The students of one school, ready to be found.
#[derive(Debug)]
pub struct Known {
    pupils: Vec<(Pupil, Forms)>,
    by_identifier: HashMap<String, BTreeSet<usize>>,
    by_name: HashMap<(String, String), BTreeSet<usize>>,
    by_birth_date: HashMap<NaiveDate, Vec<usize>>,
}

impl Known {
    /// Of these students.
    pub fn new(pupils: Vec<Pupil>) -> Self {
        let with_forms = |pupil: Pupil| {
            let forms = Forms::of(&pupil);
            (pupil, forms)
        };
        let pupils: Vec<(Pupil, Forms)> = pupils.into_iter().map(with_forms).collect();
        let (mut by_identifier, mut by_name) = (HashMap::<_, BTreeSet<_>>::new(), HashMap::<_, BTreeSet<_>>::new());
        let mut by_birth_date = HashMap::<_, Vec<_>>::new();
        for (at, (pupil, forms)) in pupils.iter().enumerate() {
            let identifiers = std::iter::once(pupil.student_id.to_string()).chain(pupil.source_ids.iter().cloned()).chain([pupil.number.clone()]);
            for identifier in identifiers.filter(|identifier| !identifier.is_empty()) {
                by_identifier.entry(identifier).or_default().insert(at);
            }
            for given in &forms.given {
                for family in &forms.family {
                    by_name.entry((given.plain.clone(), family.plain.clone())).or_default().insert(at);
                }
            }
            if let Some(day) = pupil.birth_date {
                by_birth_date.entry(day).or_default().push(at);
            }
        }
        Self { pupils, by_identifier, by_name, by_birth_date }
    }

    /// Who a clue is.
    pub fn find(&self, clue: &Clue) -> Found {
        let name = Named { given: Spelling::of(&clue.given), family: Spelling::of(&clue.family) };
        if let Some(holders) = self.by_identifier.get(&clue.identifier) {
            return self.of_identifier(clue, holders, &name);
        }
        if name.given.is_empty() || name.family.is_empty() {
            return Found::Nobody;
        }
        if let Some(day) = clue.birth_date {
            let born = self.namesakes(&name).filter(|pupil| pupil.birth_date == Some(day));
            if let Some(found) = only(born, Found::ByNameAndBirthDate) {
                return found;
            }
        }
        // Who is known to be born on another day is somebody else.
        let possible = |pupil: &&Pupil| pupil.birth_date.is_none() || clue.birth_date.is_none();
        let of_grade = self.namesakes(&name).filter(possible).filter(|pupil| !clue.grade.is_empty() && pupil.grade == clue.grade);
        if let Some(found) = only(of_grade, Found::ByNameAndGrade) {
            return found;
        }
        let same_day = clue.birth_date.and_then(|day| self.by_birth_date.get(&day)).into_iter().flatten().map(|at| &self.pupils[*at]);
        let similar = same_day.filter(|(_, forms)| forms.likeness(&name) == Likeness::Near).map(|(pupil, _)| pupil);
        only(similar, Found::Similar).unwrap_or(Found::Nobody)
    }

    fn namesakes(&self, name: &Named) -> impl Iterator<Item = &Pupil> {
        self.by_name.get(&name.key()).into_iter().flatten().map(|at| &self.pupils[*at].0)
    }

    fn of_identifier(&self, clue: &Clue, holders: &BTreeSet<usize>, name: &Named) -> Found {
        let fits = |at: &usize| {
            let (pupil, forms) = &self.pupils[*at];
            let other_day = matches!((clue.birth_date, pupil.birth_date), (Some(said), Some(held)) if said != held);
            // Of twins, or of two with one name, it may be the other: then the name is not the holder's alone.
            let others = || self.namesakes(name).any(|other| other.student_id != pupil.student_id);
            match forms.likeness_of_holder(name) {
                Likeness::Same => !other_day || !others(),
                Likeness::Near => !other_day && !others(),
                Likeness::Different => false,
            }
        };
        let mut fitting = holders.iter().filter(|at| fits(at)).map(|at| self.pupils[*at].0.student_id);
        // An identifier of several students tells nobody, even where the name would.
        match (holders.len(), fitting.next()) {
            (n, None) => Found::Contradicted(n),
            (1, Some(student)) => Found::ByIdentifier(student),
            (n, Some(_)) => Found::Ambiguous(n),
        }
    }
}

/// The only one; that there are several; or none where nobody fits.
fn only<'p>(fitting: impl Iterator<Item = &'p Pupil>, one: impl Fn(Uuid) -> Found) -> Option<Found> {
    let fitting: Vec<Uuid> = fitting.map(|pupil| pupil.student_id).collect();
    match fitting.as_slice() {
        [] => None,
        [student] => Some(one(*student)),
        several => Some(Found::Ambiguous(several.len())),
    }
}
