//! What the list of unmet needs shows.

use std::collections::{BTreeMap, HashMap};

use askama::Template;
use proto::plans::v1::Need;
use proto::reporting::v1::StudentUnmetNeeds;
use proto::rosters::v1::Student;

use crate::frame::Shell;
use crate::lookup::{CodeList, is_restricted};
use crate::words::{self, DOMAINS, DomainWords};

use super::UnmetQuery;

/// One unmet need, whoever told us.
#[derive(Debug, Clone)]
pub struct Line {
    /// Student.
    pub student_id: String,
    code: String,
    domain: Option<DomainWords>,
    severity: i32,
    reason: String,
    age: i32,
    restricted: bool,
}

impl From<&Need> for Line {
    fn from(need: &Need) -> Self {
        Self {
            student_id: need.student_id.clone(),
            code: need.code.clone(),
            domain: words::domain(need.domain()),
            severity: need.severity,
            reason: words::unmet_reason(need.unmet_reason()).to_owned(),
            age: need.age_school_days,
            restricted: is_restricted(need.sensitivity()),
        }
    }
}

/// The needs of the report, a line each.
pub fn from_report(students: &[StudentUnmetNeeds]) -> Vec<Line> {
    let lines = |student: &StudentUnmetNeeds| {
        let of = |need: &proto::reporting::v1::UnmetNeed| Line {
            student_id: student.student_id.clone(),
            code: need.code.clone(),
            domain: words::domain(need.domain()),
            severity: need.severity,
            reason: words::unmet_reason_code(&need.reason),
            age: need.age_school_days,
            restricted: is_restricted(need.sensitivity()),
        };
        student.needs.iter().map(of).collect::<Vec<_>>()
    };
    students.iter().flat_map(lines).collect()
}

/// A line of the table.
pub struct Row {
    /// Where the student's page is.
    pub href: String,
    /// Name.
    pub name: String,
    /// Grade in words.
    pub grade: String,
    /// Need.
    pub need: String,
    /// Domain.
    pub domain: Option<DomainWords>,
    /// 1 to 3.
    pub severity: i32,
    /// Why it is unmet.
    pub reason: String,
    /// School days since it was recorded.
    pub age: i32,
    /// Whether it is closed to most.
    pub restricted: bool,
}

/// The page.
#[derive(Template)]
#[template(path = "unmet/page.html")]
pub struct UnmetPage {
    /// Around it.
    pub shell: Shell,
    /// Schools to choose from: id, name, chosen.
    pub schools: Vec<(String, String, bool)>,
    /// Domains to choose from.
    pub domains: Vec<(&'static str, &'static str, bool)>,
    /// Reasons on this page and how often: words, count, chosen.
    pub reasons: Vec<(String, usize, bool)>,
    /// Needs.
    pub rows: Vec<Row>,
    /// Students among them.
    pub students: usize,
    /// Day the list speaks of.
    pub as_of: String,
    /// Why the caller sees this.
    pub basis: String,
    /// Link to the next page; empty at the end.
    pub next: String,
}

/// Puts the page together: the longest unmet first.
#[expect(clippy::too_many_arguments, reason = "one call, each argument is one answer of another service")]
pub fn page(
    shell: Shell,
    mut lines: Vec<Line>,
    names: &HashMap<String, Student>,
    codes: &CodeList,
    schools: Vec<(String, String, bool)>,
    query: &UnmetQuery,
    basis: &str,
    as_of: &str,
    next: String,
) -> UnmetPage {
    let mut reasons: BTreeMap<String, usize> = BTreeMap::new();
    for line in &lines {
        *reasons.entry(line.reason.clone()).or_default() += 1;
    }
    lines.retain(|line| query.reason.is_empty() || line.reason == query.reason);
    lines.sort_by_key(|line| std::cmp::Reverse(line.age));
    let students: std::collections::BTreeSet<&str> = lines.iter().map(|line| line.student_id.as_str()).collect();
    UnmetPage {
        students: students.len(),
        rows: lines
            .iter()
            .map(|line| {
                let student = names.get(&line.student_id);
                Row {
                    href: format!("/students/{}", line.student_id),
                    name: student.map_or_else(|| "A student you support".to_owned(), |student| student.display_name.clone()),
                    grade: student.map(|student| words::grade(&student.grade)).unwrap_or_default(),
                    need: codes.label(&line.code),
                    domain: line.domain,
                    severity: line.severity,
                    reason: line.reason.clone(),
                    age: line.age,
                    restricted: line.restricted,
                }
            })
            .collect(),
        domains: DOMAINS.into_iter().map(|domain| (domain.class, domain.name, domain.class == query.domain)).collect(),
        reasons: reasons
            .into_iter()
            .map(|(reason, count)| {
                let chosen = reason == query.reason;
                (reason, count, chosen)
            })
            .collect(),
        next: if next.is_empty() {
            String::new()
        } else {
            let encoded: String = openidconnect::url::form_urlencoded::Serializer::new(String::new())
                .append_pair("school", &query.school)
                .append_pair("domain", &query.domain)
                .append_pair("page", &next)
                .finish();
            format!("/unmet?{encoded}")
        },
        schools,
        as_of: words::day(as_of),
        basis: words::basis(basis),
        shell,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proto::reporting::v1::UnmetNeed;

    #[test]
    fn the_longest_wait_is_first_and_the_reason_filters() {
        let need = |age: i32, reason: &str| UnmetNeed { age_school_days: age, reason: reason.into(), severity: 1, ..Default::default() };
        let students = [StudentUnmetNeeds { student_id: "s1".into(), needs: vec![need(3, "cost"), need(40, "no_capacity")], ..Default::default() }];
        let query = UnmetQuery::default();
        let show = |query: &UnmetQuery| {
            page(
                Shell::bare(None, "Unmet needs"),
                from_report(&students),
                &HashMap::new(),
                &CodeList::default(),
                vec![],
                query,
                "",
                "2026-10-22",
                String::new(),
            )
        };
        let all = show(&query);
        assert_eq!((all.rows[0].age, all.students, all.reasons.len()), (40, 1, 2));
        let html = all.render().unwrap();
        assert!(html.contains("No room at the provider"));
        let some = show(&UnmetQuery { reason: "Cost".into(), ..Default::default() });
        assert_eq!(some.rows.len(), 1);
    }
}
