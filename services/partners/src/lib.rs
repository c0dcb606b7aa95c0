//! Partners: organisations, what they offer, how many places there are, and closed-loop referrals with the consents
//! and the disclosure ledger that sharing stands on.
//!
//! Serves `DirectoryService` and `ReferralService`. Publishes `partners.referral.v1`, `partners.protected-referral.v1`,
//! `partners.capacity.v1` and `partners.disclosure.v1`. Listens to the roster's state topics, for relationships.
//!
//! [`partner`] organisations and agreements · [`service`] offers and places · [`consent`] what families agreed to ·
//! [`disclosure`] the ledger · [`referral`] the loop itself.

pub mod app;
pub mod consent;
pub mod directory;
pub mod disclosure;
pub mod names;
pub mod partner;
pub mod referral;
pub mod referrals;
pub mod scope;
pub mod service;
pub mod taxonomy;

pub use app::{App, MIGRATIONS};
