//! gRPC habits: one list of error kinds, page tokens, etags, request ids, client channels.
