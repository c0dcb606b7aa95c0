//! The pages, one folder an area: `mod.rs` asks the services, `view.rs` turns their answers into what a template shows.

pub mod class_list;
pub mod class_review;
pub mod find_student;
pub mod referral;
pub mod report;
pub mod student;
pub mod unmet;
