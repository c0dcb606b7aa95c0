//! The pages, one folder an area: `mod.rs` asks the services, `view.rs` turns their answers into what a template shows.

pub mod class_list;
pub mod class_review;
