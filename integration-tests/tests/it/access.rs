//! Who may do what, over the running services.

mod credentials;
mod matrix;
mod partners;
pub mod reads;
mod relationships;
mod sensitivity;

use tonic::{Code, Status};

/// What a refused caller is told.
#[derive(Debug, PartialEq, Eq)]
pub struct Refusal {
    pub code: Code,
    pub reason: Option<String>,
    pub message: String,
}

impl From<&Status> for Refusal {
    fn from(status: &Status) -> Self {
        Self { code: status.code(), reason: chassis_rpc::fault::reason_of(status), message: status.message().to_owned() }
    }
}
