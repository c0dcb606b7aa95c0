//! Who is calling, and may they. Deny by default.
//!
//! [`token`] names the caller from an OpenID Connect bearer token; [`relationships`] adds what the roster says of them
//! (which classes, which schools, in which role); [`gate`] refuses calls that no policy lets the caller's roles make;
//! [`Access::authorize`] decides on the record in hand by the Cedar policies in `policies/`; [`log`] keeps sensitive reads.

pub mod caller;
pub mod claims;
pub mod decide;
pub mod feed;
pub mod gate;
pub mod identity;
pub mod log;
pub mod policy;
pub mod relationships;
mod remembered;
pub mod sign_in;
pub mod testing;
pub mod token;

pub use caller::Caller;
pub use claims::ClaimSettings;
pub use decide::{Access, AccessError, Clearance, Granted, Scope};
pub use feed::RelationshipFeed;
pub use gate::Gate;
pub use identity::ServiceIdentity;
pub use policy::{Policies, Record, Sensitivity};
pub use token::{TokenSettings, TokenVerifier};
