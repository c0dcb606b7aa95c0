//! The whole district in one process: up, import, generate, story and the like.
