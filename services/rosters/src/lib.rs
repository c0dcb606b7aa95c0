//! The rosters service.

pub mod oneroster;
