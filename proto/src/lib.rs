//! The contract: messages, services and events of every Wraparound service.
//!
//! Generated from `proto/wraparound/**`; the comments there are the documentation.
#![expect(missing_docs, clippy::all, clippy::allow_attributes_without_reason, reason = "generated code; the .proto files carry the comments")]

/// Everything, compiled, for reflection.
pub const FILE_DESCRIPTOR_SET: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptor.bin"));

macro_rules! package {
    ($name:ident, $package:literal) => {
        pub mod $name {
            pub mod v1 {
                tonic::include_proto!($package);
            }
        }
    };
}

package!(r#type, "wraparound.r#type.v1");
package!(rosters, "wraparound.rosters.v1");
package!(reviews, "wraparound.reviews.v1");
package!(plans, "wraparound.plans.v1");
package!(partners, "wraparound.partners.v1");
package!(reporting, "wraparound.reporting.v1");
