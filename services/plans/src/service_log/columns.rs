//! The header: which column is which, and what is missing. Names are taken as people write them.

use super::entity::Finding;

/// A column that is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Column {
    /// Who: identifier of the student information system, or our id.
    Student,
    /// Who: given name.
    GivenName,
    /// Who: family name.
    FamilyName,
    /// Who: birth date.
    BirthDate,
    /// Who: grade.
    Grade,
    /// When.
    Date,
    /// In what: category.
    ServiceCategory,
    /// In what: group.
    Group,
    /// In what: item.
    PlanItem,
    /// For how long.
    Minutes,
    /// Whether they were there.
    Attendance,
    /// How.
    Mode,
    /// In words.
    Note,
}

impl Column {
    const ALL: [Self; 13] = [
        Self::Student,
        Self::GivenName,
        Self::FamilyName,
        Self::BirthDate,
        Self::Grade,
        Self::Date,
        Self::ServiceCategory,
        Self::Group,
        Self::PlanItem,
        Self::Minutes,
        Self::Attendance,
        Self::Mode,
        Self::Note,
    ];

    /// As the documents write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Student => "student",
            Self::GivenName => "given_name",
            Self::FamilyName => "family_name",
            Self::BirthDate => "birth_date",
            Self::Grade => "grade",
            Self::Date => "date",
            Self::ServiceCategory => "service_category",
            Self::Group => "group",
            Self::PlanItem => "plan_item",
            Self::Minutes => "minutes",
            Self::Attendance => "attendance",
            Self::Mode => "mode",
            Self::Note => "note",
        }
    }

    /// Other names that exports have for it.
    fn also(self) -> &'static [&'static str] {
        match self {
            Self::Student => &["student_id", "student_identifier", "identifier", "lasid", "local_id"],
            Self::GivenName => &["first_name"],
            Self::FamilyName => &["last_name", "surname"],
            Self::BirthDate => &["date_of_birth", "dob", "birthdate"],
            Self::Grade => &["grade_level"],
            Self::Date => &["delivered_on", "session_date"],
            Self::ServiceCategory => &["service", "category"],
            Self::Group => &["group_name"],
            Self::PlanItem => &["plan_item_id"],
            Self::Minutes => &["delivered_minutes"],
            Self::Mode => &[],
            Self::Attendance => &["attended"],
            Self::Note => &["notes", "comment"],
        }
    }

    fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|c| c.name() == name || c.also().contains(&name))
    }
}

/// Which column stands where.
#[derive(Clone, Debug, Default)]
pub struct Header {
    columns: Vec<Option<Column>>,
}

impl Header {
    /// Reads a header. Where it cannot be used, the findings say why.
    pub fn read<'c>(cells: impl Iterator<Item = &'c str>) -> (Self, Vec<Finding>) {
        let mut header = Self::default();
        let mut findings = Vec::new();
        let mut unknown = 0;
        for (at, cell) in cells.enumerate() {
            let name = cell.trim().to_lowercase().replace([' ', '-'], "_");
            let column = Column::of(&name);
            if let Some(column) = column.filter(|c| header.columns.contains(&Some(*c))) {
                let message = format!("column {} says {} a second time; leave one of them out", at + 1, column.name());
                findings.push(Finding::error(1, column.name(), "COLUMN_TWICE", message));
            }
            if column.is_none() {
                unknown += 1;
            }
            header.columns.push(column);
        }
        if unknown == header.columns.len() {
            let names = Column::ALL.map(Column::name).join(", ");
            let message = format!("the first line must name the columns, out of {names}; the file seems to have no header");
            return (header, vec![Finding::error(1, "", "HEADER_MISSING", message)]);
        }
        if unknown > 0 {
            findings.push(Finding::warning(1, "", "COLUMN_UNKNOWN", format!("{unknown} columns are not known and are left out")));
        }
        let has = |columns: &[Column]| columns.iter().any(|c| header.columns.contains(&Some(*c)));
        let mut need = |columns: &[Column], message: &str| {
            if !has(columns) {
                findings.push(Finding::error(1, columns.first().map_or("", |c| c.name()), "COLUMN_MISSING", message));
            }
        };
        need(&[Column::Student, Column::FamilyName], "add the column student with an identifier, or given_name and family_name with birth_date or grade");
        need(&[Column::Date], "add the column date with ISO dates such as 2026-10-05");
        need(&[Column::ServiceCategory, Column::Group, Column::PlanItem], "add the column service_category, group or plan_item");
        need(&[Column::Minutes, Column::Attendance], "add the column minutes or attendance");
        (header, findings)
    }

    /// How many columns.
    pub fn len(&self) -> usize {
        self.columns.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.columns.is_empty()
    }

    /// The cell of a column, trimmed; empty where it is not there or says nothing.
    pub fn cell<'c>(&self, cells: &[&'c str], column: Column) -> &'c str {
        let at = self.columns.iter().position(|c| *c == Some(column));
        let cell = at.and_then(|at| cells.get(at)).map_or("", |c| c.trim());
        // What databases write for nothing.
        if matches!(cell, "NULL" | "null" | "\\N") { "" } else { cell }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes(header: &str) -> Vec<&'static str> {
        Header::read(header.split(',')).1.iter().map(|f| f.code).collect()
    }

    #[test]
    fn headers_are_taken_as_people_write_them() {
        assert!(codes("student,date,service_category,minutes").is_empty());
        assert!(codes("LASID,Session Date,Service,Attendance").is_empty());
        assert!(codes("first-name,Last Name,DOB,date,group,attended").is_empty());
        assert_eq!(codes("student,date,service,minutes,room"), ["COLUMN_UNKNOWN"]);
        assert_eq!(codes("student,date,service,minutes,Student ID"), ["COLUMN_TWICE"]);
        assert_eq!(codes("student,grade"), ["COLUMN_MISSING"; 3]);
        assert_eq!(codes("4711,2026-10-05,ED-TUT,45"), ["HEADER_MISSING"]);
        assert_eq!(codes(""), ["HEADER_MISSING"]);
    }

    #[test]
    fn a_cell_says_nothing_where_it_is_away_blank_or_null() {
        let (header, _) = Header::read("student,date,service,minutes,note".split(','));
        let cells = [" 4711 ", "NULL", "", "45"];
        assert_eq!(header.cell(&cells, Column::Student), "4711");
        assert_eq!(header.cell(&cells, Column::Date), "");
        assert_eq!(header.cell(&cells, Column::Note), "", "a short row");
        assert_eq!(header.cell(&cells, Column::Group), "", "no such column");
    }
}
