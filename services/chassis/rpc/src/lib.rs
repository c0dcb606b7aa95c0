//! gRPC habits, the same in every service: one list of error kinds, field violations collected all at once,
//! page tokens, request ids, client channels with deadlines, and the server's outer layers.

pub mod again;
pub mod channel;
pub mod fault;
pub mod observe;
pub mod page;
pub mod parse;

pub use again::Channel;
pub use channel::{ChannelSettings, channel};
pub use fault::{Fault, Kind, OrStatus, Violation, status};
pub use page::{PageRequest, PageToken};
pub use parse::{InvalidInput, Parser};
