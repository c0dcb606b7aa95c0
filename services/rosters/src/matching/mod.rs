//! Who the rows of a file are, among the students of one school. Nothing is guessed: where it is not clear, nobody is taken.

pub mod entity;
pub(crate) mod grpc;
pub mod repo;
#[cfg(test)]
mod tests;

use sqlx::PgConnection;
use uuid::Uuid;

use crate::roster::error::RosterError;
use entity::{Clue, Found, Known};

/// One answer a clue, in their order. The school's students are read once, however many clues there are.
pub async fn match_students(conn: &mut PgConnection, school: Uuid, clues: &[Clue]) -> Result<Vec<Found>, RosterError> {
    let identifiers: Vec<String> = clues.iter().map(|clue| clue.identifier.clone()).filter(|identifier| !identifier.is_empty()).collect();
    let known = Known::new(repo::students_of_school(conn, school, &identifiers).await?);
    Ok(clues.iter().map(|clue| known.find(clue)).collect())
}
