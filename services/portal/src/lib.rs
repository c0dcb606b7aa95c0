//! The web pages; a gRPC client of the other services, owns no data.
