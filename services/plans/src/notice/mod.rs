//! Students of whom nothing was noted for a while: nobody scrolls past a quiet child.

pub(crate) mod grpc;
pub mod repo;
