//! Individual student reviews.

pub mod words;
