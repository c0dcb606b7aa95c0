//! What can go wrong with the database, told apart by SQLSTATE and constraint name, never by message text.

use chassis_rpc::{Fault, Kind};

/// A failure of the database, or of the data in it.
#[derive(Debug, thiserror::Error)]
pub enum DbError {
    /// The driver, the server or the way to it.
    #[error("database error")]
    Driver(#[source] sqlx::Error),
    /// A row that our own rules say cannot exist.
    #[error("inconsistent data in {table}: {what}")]
    Inconsistent {
        /// Table.
        table: &'static str,
        /// What is wrong, without values.
        what: &'static str,
    },
    /// A write that should have touched one row touched another number.
    #[error("a write touched {rows} rows instead of one")]
    RowsAffected {
        /// How many.
        rows: u64,
    },
}

impl From<sqlx::Error> for DbError {
    fn from(error: sqlx::Error) -> Self {
        Self::Driver(error)
    }
}

impl DbError {
    /// Name of the constraint that refused a write.
    pub fn constraint(&self) -> Option<&str> {
        match self {
            Self::Driver(sqlx::Error::Database(error)) => error.constraint(),
            _ => None,
        }
    }

    /// Whether trying again later may help: the server is away, shutting down, or resolved a conflict against us.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Driver(sqlx::Error::Database(error)) => match error.code() {
                // 08 connection, 40 rollback, 53 resources, 57 operator intervention, 55P03 lock not available
                Some(code) => ["08", "40", "53", "57"].iter().any(|c| code.starts_with(c)) || code == "55P03",
                None => false,
            },
            Self::Driver(error) => matches!(
                error,
                sqlx::Error::Io(_)
                    | sqlx::Error::PoolTimedOut
                    | sqlx::Error::PoolClosed
                    | sqlx::Error::WorkerCrashed
                    | sqlx::Error::Tls(_)
                    | sqlx::Error::Protocol(_)
            ),
            _ => false,
        }
    }
}

impl Fault for DbError {
    fn kind(&self) -> Kind {
        if self.is_transient() { Kind::Unavailable } else { Kind::Internal }
    }
    fn reason(&self) -> &'static str {
        if self.is_transient() { "DATABASE_UNAVAILABLE" } else { "INTERNAL" }
    }
}

/// Refuses a single-row write that touched none or several.
pub fn expect_one(result: &sqlx::postgres::PgQueryResult) -> Result<(), DbError> {
    match result.rows_affected() {
        1 => Ok(()),
        rows => Err(DbError::RowsAffected { rows }),
    }
}
