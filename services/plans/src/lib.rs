//! The plans service.
