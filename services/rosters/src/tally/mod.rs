//! How many students of each demographic group have which label. Answers counts, never students.

mod grpc;
pub mod repo;

pub(crate) use grpc::{read_labelled, render_tally};

/// What students are grouped by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GroupBy {
    /// As the roster says it.
    Sex,
    /// In the order of federal reports: Hispanic or Latino of any race, two or more races, one race.
    Race,
    /// CEDS code of today.
    Grade,
}

impl GroupBy {
    /// By its name in requests.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "sex" => Some(Self::Sex),
            "race" => Some(Self::Race),
            "grade" => Some(Self::Grade),
            _ => None,
        }
    }
}
