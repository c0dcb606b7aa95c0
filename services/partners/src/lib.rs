//! The partners service.
