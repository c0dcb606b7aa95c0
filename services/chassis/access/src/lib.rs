//! Who is calling, and may they: tokens, Cedar decisions, relationships, the access log.
