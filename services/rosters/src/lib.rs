//! The rosters service.

pub mod import;
pub mod naming;
pub mod oneroster;
pub mod standing;
