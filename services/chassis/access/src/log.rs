//! The log of sensitive reads.

use chassis_pg::DbError;
use uuid::Uuid;

use crate::caller::Caller;
use crate::decide::Access;
use crate::policy::Sensitivity;

/// Lists longer than this are logged whatever they hold.
pub const LONG_LIST: usize = 50;

impl Access {
    /// Logs a read where it must be: of restricted or protected records, or of more than [`LONG_LIST`] students.
    pub async fn log_read(
        &self,
        caller: &Caller,
        action: &str,
        basis: &str,
        sensitivity: Sensitivity,
        subject: Option<Uuid>,
        rows: usize,
    ) -> Result<(), DbError> {
        if sensitivity == Sensitivity::General && rows <= LONG_LIST {
            return Ok(());
        }
        // Who is on the case of a student, by name or by breaking the glass, sees protected records because of that.
        let on_case = sensitivity == Sensitivity::Protected && subject.is_some_and(|about| caller.on_case.contains(&about));
        let basis = if on_case { "on_case" } else { basis };
        sqlx::query("insert into access_log (caller, action, basis, sensitivity, subject, row_count) values ($1, $2, $3, $4, $5, $6)")
            .bind(&caller.subject)
            .bind(action)
            .bind(basis)
            .bind(sensitivity.as_str())
            .bind(subject)
            .bind(i32::try_from(rows).unwrap_or(i32::MAX))
            .execute(self.pool())
            .await?;
        Ok(())
    }
}
