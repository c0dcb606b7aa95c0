//! The pages, one folder an area: `mod.rs` asks the services, `view.rs` turns their answers into what a template shows.

pub mod class_list;
pub mod class_review;
pub mod concern;
pub mod find_student;
pub mod follow_up;
pub mod group;
pub mod hand_over;
pub mod individual_review;
pub mod my_day;
pub mod recap;
pub mod referral;
pub mod report;
pub mod september;
pub mod student;
pub mod unmet;
