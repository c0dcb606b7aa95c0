//! Tiers: what a student's needs suggest.

pub mod rule;
