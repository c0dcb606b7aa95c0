//! The reviews service.

pub mod taxonomy;
pub mod tier;
