//! Who is where, with names: schools, classes, students and staff, as each caller may see them.

pub mod error;
mod grpc;
pub mod people;
pub mod places;
mod who;

use chassis_access::{Access, Scope};
use sqlx::PgPool;
use uuid::Uuid;

/// Serves the roster.
#[derive(Clone)]
pub struct Roster {
    /// The database.
    pub pool: PgPool,
    /// Decides who sees what.
    pub access: Access,
}

/// What a list is narrowed to: everything, or what belongs to these schools or classes.
#[derive(Debug, Clone, Default)]
pub struct Within {
    /// No narrowing.
    pub everything: bool,
    /// Schools.
    pub schools: Vec<Uuid>,
    /// Classes.
    pub classes: Vec<Uuid>,
}

impl From<&Scope> for Within {
    fn from(scope: &Scope) -> Self {
        Self { everything: scope.everything, schools: scope.schools.clone(), classes: scope.classes.clone() }
    }
}
