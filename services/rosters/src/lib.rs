//! The rosters service: people, schools and classes, and how they come in. The only place that holds names.
//!
//! Serves [`roster`] (who is where, with names; [`matching`] finds who the rows of a file are, [`tally`] counts demographic
//! groups) and [`import`] (OneRoster packages, read by [`oneroster`]).
//! Publishes the state topics of [`standing`]: `rosters.student.v1`, `rosters.class.v1`, `rosters.staff.v1`.
//! Listens to its own state topics only, for the relationships that access decisions need.

pub mod app;
pub mod import;
pub mod matching;
pub mod naming;
pub mod oneroster;
pub mod roster;
pub mod standing;
pub mod tally;

pub use app::{App, MIGRATIONS};
