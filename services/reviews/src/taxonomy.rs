//! The code lists of `taxonomy/1`: what may be recorded about a student, and how guarded it is.
//!
//! The CSV files are compiled into the binary, so a running service needs no file. They are parsed once,
//! on first use, into a `Result`: nothing here can panic. A unit test loads the same bytes, so a list that
//! does not parse never leaves the build; a service still calls [`Taxonomy::load`] at start and refuses to
//! run on an error, so that the lookups below never answer from a missing list.

use std::collections::HashMap;
use std::sync::LazyLock;

use serde::Deserialize;

mod parse;
#[cfg(test)]
mod tests;

/// Version of the embedded lists, as review cycles record it.
pub const TAXONOMY_VERSION: &str = "taxonomy/1";

const NEEDS: &str = include_str!("../../../taxonomy/1/needs.csv");
const INTERESTS: &str = include_str!("../../../taxonomy/1/interests.csv");
const SERVICE_CATEGORIES: &str = include_str!("../../../taxonomy/1/service_categories.csv");
const REASONS: &str = include_str!("../../../taxonomy/1/reasons.csv");

/// The four domains of the whole child, in the order in which every list shows them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
pub enum Domain {
    /// `ACA`.
    #[serde(rename = "ACA")]
    Academics,
    /// `SEB`: social, emotional, behavioural.
    #[serde(rename = "SEB")]
    SocialEmotional,
    /// `HLT`: physical health.
    #[serde(rename = "HLT")]
    Health,
    /// `FAM`.
    #[serde(rename = "FAM")]
    Family,
}

impl Domain {
    /// All four, in order.
    pub const ALL: [Domain; 4] = [Domain::Academics, Domain::SocialEmotional, Domain::Health, Domain::Family];

    /// Position in [`Domain::ALL`].
    pub fn index(self) -> usize {
        self as usize
    }

    /// The three letters with which its codes begin.
    pub fn as_str(self) -> &'static str {
        match self {
            Domain::Academics => "ACA",
            Domain::SocialEmotional => "SEB",
            Domain::Health => "HLT",
            Domain::Family => "FAM",
        }
    }

    /// The domain with these three letters.
    pub fn parse(text: &str) -> Option<Domain> {
        Domain::ALL.into_iter().find(|domain| domain.as_str() == text)
    }
}

/// As what a code may be recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
pub enum PolarityAllowed {
    /// Only as a strength.
    #[serde(rename = "S")]
    Strength,
    /// Only as a need.
    #[serde(rename = "N")]
    Need,
    /// As a strength or as a need.
    #[serde(rename = "B")]
    Both,
    /// Only as an interest. Never in `needs.csv`; the lines of `interests.csv` have it.
    #[serde(skip)]
    Interest,
}

/// The least sensitivity of an entry with a code; the order is from open to closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
pub enum Sensitivity {
    /// Whoever may see the student's review.
    #[serde(rename = "g")]
    General,
    /// Fewer roles.
    #[serde(rename = "r")]
    Restricted,
    /// Only named people on the case.
    #[serde(rename = "p")]
    Protected,
}

/// One line of the code list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodeLine {
    /// E.g. `ACA-RDG` or `INT-ART`.
    pub code: String,
    /// None for interests.
    pub domain: Option<Domain>,
    /// What people read.
    pub label: String,
    /// As what it may be recorded.
    pub polarity: PolarityAllowed,
    /// 3 where the need, observed or confirmed, suggests tier 3 by itself; else 0.
    pub floor: u8,
    /// The least sensitivity of its entries.
    pub sensitivity: Sensitivity,
    /// Usual service categories, `ENR-*` already replaced by the categories it stands for.
    pub service_categories: Vec<String>,
    /// Other words people search by.
    pub synonyms: Vec<String>,
    /// Only the family or the student may say so (interests in faith groups).
    pub family_stated_only: bool,
}

impl CodeLine {
    /// May it be recorded as a strength?
    pub fn allows_strength(&self) -> bool {
        matches!(self.polarity, PolarityAllowed::Strength | PolarityAllowed::Both)
    }

    /// May it be recorded as a need?
    pub fn allows_need(&self) -> bool {
        matches!(self.polarity, PolarityAllowed::Need | PolarityAllowed::Both)
    }

    /// Is it an interest?
    pub fn is_interest(&self) -> bool {
        self.polarity == PolarityAllowed::Interest
    }
}

/// One coded reason.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reason {
    /// The list, e.g. `tier_override`.
    pub list: String,
    /// The code, unique within list and side.
    pub code: String,
    /// `partner`, `family` or `system` for declined referrals, else empty.
    pub side: String,
    /// What people read.
    pub label: String,
}

/// Why the embedded lists cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("taxonomy/1/{file}{}: {what}", line.map(|n| format!(", line {n}")).unwrap_or_default())]
pub struct TaxonomyError {
    /// The file.
    pub file: &'static str,
    /// The line, where one can be named.
    pub line: Option<u64>,
    /// What is wrong and how to mend it.
    pub what: String,
}

/// The code lists, ready to look up.
#[derive(Debug)]
pub struct Taxonomy {
    lines: Vec<CodeLine>,
    by_code: HashMap<String, usize>,
    reasons: Vec<Reason>,
    categories: Vec<String>,
}

static EMBEDDED: LazyLock<Result<Taxonomy, TaxonomyError>> = LazyLock::new(|| Taxonomy::parse(NEEDS, INTERESTS, SERVICE_CATEGORIES, REASONS));

/// The line of a code in the embedded lists.
pub fn get(code: &str) -> Option<&'static CodeLine> {
    Taxonomy::load().ok().and_then(|taxonomy| taxonomy.get(code))
}

impl Taxonomy {
    /// The embedded lists. Call it once at start: an error here must end the process.
    pub fn load() -> Result<&'static Taxonomy, &'static TaxonomyError> {
        EMBEDDED.as_ref()
    }

    /// The line of a code.
    pub fn get(&self, code: &str) -> Option<&CodeLine> {
        self.by_code.get(code).and_then(|&at| self.lines.get(at))
    }

    /// Every line, in the lists' order: academics, social, health, family, interests.
    pub fn lines(&self) -> &[CodeLine] {
        &self.lines
    }

    /// The reasons of one list, in its order.
    pub fn reasons<'a>(&'a self, list: &'a str) -> impl Iterator<Item = &'a Reason> {
        self.reasons.iter().filter(move |reason| reason.list == list)
    }

    /// Is this a category of services?
    pub fn has_category(&self, code: &str) -> bool {
        self.categories.iter().any(|category| category == code)
    }

    /// Is this a code of that list of reasons?
    pub fn has_reason(&self, list: &str, code: &str) -> bool {
        self.reasons(list).any(|reason| reason.code == code)
    }
}
