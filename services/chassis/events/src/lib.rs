//! CloudEvents over Kafka or PostgreSQL: outbox, relay, consumer, inbox, dead letters.
