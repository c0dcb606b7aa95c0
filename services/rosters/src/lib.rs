//! The rosters service.
