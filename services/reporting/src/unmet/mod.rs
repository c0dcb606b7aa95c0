//! The list of students whose needs nobody meets, for those entitled to it.

pub mod repo;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use chassis_access::{Access, AccessError, Caller, Record, Scope, Sensitivity};
use chassis_rpc::PageToken;
use chrono::NaiveDate;
use sqlx::PgPool;
use uuid::Uuid;

use crate::error::ReportError;
use crate::measure::school_year_of;

/// The action that policies name.
pub const ACTION: &str = "reporting.ListStudentsWithUnmetNeeds";

/// What is asked.
#[derive(Clone, Debug)]
pub struct Question {
    /// Of one school; the caller's own where none.
    pub school: Option<Uuid>,
    /// Only needs of this domain.
    pub domain: Option<&'static str>,
    /// At the end of this day.
    pub as_of: NaiveDate,
    /// At most so many students; the default where 0.
    pub page_size: i32,
    /// From an earlier answer.
    pub page_token: String,
}

/// A need that nobody meets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnmetNeed {
    /// Need.
    pub need_id: Uuid,
    /// Code.
    pub code: String,
    /// Domain as policies name it.
    pub domain: String,
    /// 1 to 3.
    pub severity: i32,
    /// Reason code.
    pub reason: String,
    /// School days since it was recorded.
    pub age_school_days: i32,
    /// Whether it is restricted.
    pub restricted: bool,
}

/// A student and their unmet needs, oldest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Student {
    /// Student.
    pub student_id: Uuid,
    /// A school of theirs that the caller asked for or may see.
    pub school_id: Uuid,
    /// Grade.
    pub grade: String,
    /// Needs that the caller may see.
    pub needs: Vec<UnmetNeed>,
}

/// One page.
#[derive(Debug)]
pub struct Page {
    /// Most unmet needs first.
    pub students: Vec<Student>,
    /// Empty at the end.
    pub next_page_token: String,
    /// Why the caller sees this.
    pub access_basis: String,
}

/// What the caller may see: students by school or class, and restricted needs by school and domain.
#[derive(Clone, Debug, Default)]
pub struct Sight {
    /// All students.
    pub everything: bool,
    /// Students of these schools.
    pub schools: Vec<Uuid>,
    /// Students of these classes.
    pub classes: Vec<Uuid>,
    /// Domains whose restricted needs are seen everywhere.
    pub restricted: Vec<String>,
    /// Schools and, beside them, domains whose restricted needs are seen there.
    pub restricted_at: (Vec<Uuid>, Vec<String>),
}

impl Sight {
    fn of(access: &Access, caller: &Caller, scope: &Scope) -> Self {
        let domains = |record: &Record| {
            let clearance = access.clearance(caller, record);
            chassis_access::decide::DOMAINS.into_iter().filter(move |domain| clearance.restricted(domain)).map(str::to_owned)
        };
        let mut sight = Self { everything: scope.everything, schools: scope.schools.clone(), classes: scope.classes.clone(), ..Self::default() };
        if scope.everything {
            sight.restricted = domains(&Record::district()).collect();
        }
        // Someone may teach at one school and lead another: clearance goes by where the student is.
        for school in scope.schools.iter().copied().chain(caller.schools()).collect::<BTreeSet<_>>() {
            for domain in domains(&Record::school(school)) {
                sight.restricted_at.0.push(school);
                sight.restricted_at.1.push(domain);
            }
        }
        sight
    }
}

/// Lists one page, and logs the read where it must be.
pub async fn list(pool: &PgPool, access: &Access, caller: &Caller, question: &Question) -> Result<Page, ReportError> {
    let mut scope = access.scope(caller, ACTION)?;
    if let Some(school) = question.school {
        // The school's own basis where it is granted as a whole; else only the caller's classes there, if they have any.
        match access.authorize(caller, ACTION, &Record::school(school)) {
            Ok(granted) => scope.basis = granted.basis,
            Err(refused) if scope.classes.is_empty() => return Err(refused.into()),
            Err(AccessError::Denied { .. }) => scope.schools.clear(),
            Err(error) => return Err(error.into()),
        }
    }
    let sight = Sight::of(access, caller, &scope);
    let filter = format!("{:?} {:?} {} {}", question.school, question.domain, question.as_of, caller.subject);
    let page = PageToken::page::<(i64, Uuid)>(question.page_size, &question.page_token, &filter, 100, 500)?;
    let asked = repo::Asked { school: question.school, domain: question.domain, school_year: school_year_of(question.as_of), as_of: question.as_of };
    let mut students = repo::page(pool, &sight, &asked, page.after, page.size + 1).await?;
    let next_page_token = PageToken::cut(&mut students, page.size, &filter, |s| (i64::try_from(s.needs.len()).unwrap_or(i64::MAX), s.student_id));
    let restricted = students.iter().flat_map(|s| &s.needs).any(|n| n.restricted);
    let sensitivity = if restricted { Sensitivity::Restricted } else { Sensitivity::General };
    access.log_read(caller, ACTION, &scope.basis, sensitivity, None, students.len()).await?;
    Ok(Page { students, next_page_token, access_basis: scope.basis })
}
