//! PostgreSQL: pool, constraint mapping, idempotency records, migrator, advisory lock.
