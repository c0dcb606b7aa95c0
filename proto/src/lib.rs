//! The contract: messages, services and events of every Wraparound service.
