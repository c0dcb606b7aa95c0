//! The reviews service.
