//! The core files of OneRoster 1.1 and 1.2 as data: columns in their order, what a cell may hold, and how
//! badly we need it.

/// A core file that we read. The order is the order of dependence, in which they are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FileKind {
    /// `orgs.csv`.
    Orgs,
    /// `academicSessions.csv`.
    AcademicSessions,
    /// `courses.csv`.
    Courses,
    /// `classes.csv`.
    Classes,
    /// `users.csv`.
    Users,
    /// `roles.csv`, new in 1.2.
    Roles,
    /// `enrollments.csv`.
    Enrollments,
    /// `demographics.csv`.
    Demographics,
}

impl FileKind {
    /// Every core file, in order of dependence.
    pub const ALL: [FileKind; 8] = [
        FileKind::Orgs,
        FileKind::AcademicSessions,
        FileKind::Courses,
        FileKind::Classes,
        FileKind::Users,
        FileKind::Roles,
        FileKind::Enrollments,
        FileKind::Demographics,
    ];

    /// Name inside the zip.
    pub fn file_name(self) -> &'static str {
        match self {
            FileKind::Orgs => "orgs.csv",
            FileKind::AcademicSessions => "academicSessions.csv",
            FileKind::Courses => "courses.csv",
            FileKind::Classes => "classes.csv",
            FileKind::Users => "users.csv",
            FileKind::Roles => "roles.csv",
            FileKind::Enrollments => "enrollments.csv",
            FileKind::Demographics => "demographics.csv",
        }
    }

    /// Property of the manifest that says how the file is given.
    pub fn manifest_property(self) -> &'static str {
        match self {
            FileKind::Orgs => "file.orgs",
            FileKind::AcademicSessions => "file.academicSessions",
            FileKind::Courses => "file.courses",
            FileKind::Classes => "file.classes",
            FileKind::Users => "file.users",
            FileKind::Roles => "file.roles",
            FileKind::Enrollments => "file.enrollments",
            FileKind::Demographics => "file.demographics",
        }
    }

    /// Columns in the order of the specification.
    pub fn columns(self) -> &'static [Column] {
        match self {
            FileKind::Orgs => ORGS,
            FileKind::AcademicSessions => ACADEMIC_SESSIONS,
            FileKind::Courses => COURSES,
            FileKind::Classes => CLASSES,
            FileKind::Users => USERS,
            FileKind::Roles => ROLES,
            FileKind::Enrollments => ENROLLMENTS,
            FileKind::Demographics => DEMOGRAPHICS,
        }
    }
}

/// Files of the specification that we do not import (yet): gradebook, resources, profiles.
pub const OTHER_FILES: &[&str] = &[
    "categories.csv",
    "classResources.csv",
    "courseResources.csv",
    "lineItems.csv",
    "resources.csv",
    "results.csv",
    "lineItemLearningObjectiveIds.csv",
    "lineItemScoreScales.csv",
    "resultLearningObjectiveIds.csv",
    "resultScoreScales.csv",
    "scoreScales.csv",
    "userProfiles.csv",
    "userResources.csv",
];

/// Version of the binding that a package follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// 1.1.
    V11,
    /// 1.2 and 1.2.1.
    V12,
}

/// How badly we need a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// A row cannot live without it: blank or invalid is an error.
    Must,
    /// The specification demands it, we can do without: blank or invalid is a warning.
    Should,
    /// Optional.
    May,
}

/// What a cell may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A `sourcedId`, of this row or another.
    Id,
    /// A list of `sourcedId`s.
    IdList,
    /// Free text.
    Text,
    /// A part of a person's name, in which `NULL` is a name.
    Name,
    /// A list of free texts.
    TextList,
    /// `YYYY-MM-DD`.
    Date,
    /// `dateLastModified`: checked for form only.
    Stamp,
    /// `true` or `false`.
    Bool,
    /// A list of CEDS grade codes.
    Grades,
    /// `YYYY`.
    Year,
    /// `active` or `tobedeleted`.
    Status,
    /// A list of `{type:identifier}`.
    UserIds,
    /// Read past and never kept.
    Secret,
    /// One of the first list; one of the second is taken with a warning, being of another version.
    Word(&'static [&'static str], &'static [&'static str]),
}

/// In which versions a column is standard. In the other it is taken where present, but never asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Since {
    /// Both.
    Both,
    /// Only 1.1.
    V11,
    /// Only 1.2.
    V12,
}

/// A column of a file.
#[derive(Debug, Clone, Copy)]
pub struct Column {
    /// Name in the header.
    pub name: &'static str,
    /// Names seen in the wild for the same thing.
    pub aliases: &'static [&'static str],
    /// What a cell may hold.
    pub kind: Kind,
    /// How badly we need it.
    pub need: Need,
    /// In which versions it is standard.
    pub since: Since,
    /// Column of the staging table; empty where the value is only checked.
    pub stage: &'static str,
}

impl Column {
    /// Whether the column is standard in `version`.
    pub fn is_in(&self, version: Version) -> bool {
        match self.since {
            Since::Both => true,
            Since::V11 => version == Version::V11,
            Since::V12 => version == Version::V12,
        }
    }

    const fn to(mut self, stage: &'static str) -> Self {
        self.stage = stage;
        self
    }

    const fn or(mut self, aliases: &'static [&'static str]) -> Self {
        self.aliases = aliases;
        self
    }

    const fn only(mut self, since: Since) -> Self {
        self.since = since;
        self
    }
}

const fn must(name: &'static str, kind: Kind) -> Column {
    Column { name, aliases: &[], kind, need: Need::Must, since: Since::Both, stage: "" }
}

const fn should(name: &'static str, kind: Kind) -> Column {
    Column { name, aliases: &[], kind, need: Need::Should, since: Since::Both, stage: "" }
}

const fn may(name: &'static str, kind: Kind) -> Column {
    Column { name, aliases: &[], kind, need: Need::May, since: Since::Both, stage: "" }
}

const ID: Column = must("sourcedId", Kind::Id).to("source_id");
const STATUS: Column = may("status", Kind::Status).to("deleted");
const MODIFIED: Column = may("dateLastModified", Kind::Stamp);

const SESSION_TYPES: &[&str] = &["gradingPeriod", "semester", "schoolYear", "term"];
const ORG_TYPES: &[&str] = &["department", "school", "district", "local", "state", "national"];
const CLASS_TYPES: &[&str] = &["homeroom", "scheduled"];
const USER_ROLES: &[&str] = &["administrator", "aide", "guardian", "parent", "proctor", "relative", "student", "teacher"];
const ROLES_12: &[&str] = &[
    "aide",
    "counselor",
    "districtAdministrator",
    "guardian",
    "parent",
    "principal",
    "proctor",
    "relative",
    "siteAdministrator",
    "student",
    "systemAdministrator",
    "teacher",
];
const USER_ROLES_WILD: &[&str] = &["counselor", "districtAdministrator", "principal", "siteAdministrator", "systemAdministrator"];
const ENROLLMENT_ROLES: &[&str] = &["administrator", "proctor", "student", "teacher"];
const ENROLLMENT_ROLES_WILD: &[&str] = &["aide", "parent", "guardian", "relative"];

const ORGS: &[Column] = &[
    ID,
    STATUS,
    MODIFIED,
    must("name", Kind::Text).to("name"),
    must("type", Kind::Word(ORG_TYPES, &[])).to("type"),
    may("identifier", Kind::Text).to("identifier"),
    may("parentSourcedId", Kind::Id).to("parent_id"),
];

const ACADEMIC_SESSIONS: &[Column] = &[
    ID,
    STATUS,
    MODIFIED,
    should("title", Kind::Text).to("title"),
    must("type", Kind::Word(SESSION_TYPES, &[])).to("type"),
    must("startDate", Kind::Date).to("start_on"),
    must("endDate", Kind::Date).to("end_on"),
    may("parentSourcedId", Kind::Id).to("parent_id"),
    should("schoolYear", Kind::Year).to("school_year"),
];

const COURSES: &[Column] = &[
    ID,
    STATUS,
    MODIFIED,
    may("schoolYearSourcedId", Kind::Id).or(&["schoolYearId"]).to("school_year_id"),
    should("title", Kind::Text).to("title"),
    may("courseCode", Kind::Text),
    may("grades", Kind::Grades).or(&["grade"]),
    should("orgSourcedId", Kind::Id).to("org_id"),
    may("subjects", Kind::TextList),
    may("subjectCodes", Kind::TextList),
];

const CLASSES: &[Column] = &[
    ID,
    STATUS,
    MODIFIED,
    should("title", Kind::Text).to("title"),
    may("grades", Kind::Grades).or(&["grade"]).to("grades"),
    should("courseSourcedId", Kind::Id).to("course_id"),
    may("classCode", Kind::Text).to("class_code"),
    should("classType", Kind::Word(CLASS_TYPES, &[])).to("class_type"),
    may("location", Kind::Text),
    must("schoolSourcedId", Kind::Id).or(&["schoolSourcedIds"]).to("school_id"),
    should("termSourcedIds", Kind::IdList).or(&["termSourcedId"]).to("term_ids"),
    may("subjects", Kind::TextList).or(&["subject"]),
    may("subjectCodes", Kind::TextList).or(&["subjectCode"]),
    may("periods", Kind::TextList).or(&["period"]),
];

const USERS: &[Column] = &[
    ID,
    STATUS,
    MODIFIED,
    should("enabledUser", Kind::Bool),
    should("orgSourcedIds", Kind::IdList).or(&["orgSourcedId"]).only(Since::V11).to("org_ids"),
    must("role", Kind::Word(USER_ROLES, USER_ROLES_WILD)).only(Since::V11).to("role"),
    should("username", Kind::Text),
    may("userIds", Kind::UserIds).or(&["userId"]),
    should("givenName", Kind::Name).to("given_name"),
    should("familyName", Kind::Name).to("family_name"),
    may("middleName", Kind::Name).to("middle_name"),
    may("identifier", Kind::Text).to("identifier"),
    may("email", Kind::Text).to("email"),
    may("sms", Kind::Text),
    may("phone", Kind::Text),
    may("agentSourcedIds", Kind::IdList).or(&["agents", "agentSourcedId"]).to("agent_ids"),
    may("grades", Kind::Grades).or(&["grade"]).to("grades"),
    may("password", Kind::Secret),
    may("userMasterIdentifier", Kind::Text).only(Since::V12).to("master_id"),
    may("resourceSourcedIds", Kind::IdList).only(Since::V12),
    may("preferredGivenName", Kind::Name).only(Since::V12).to("preferred_given_name"),
    may("preferredMiddleName", Kind::Name).only(Since::V12),
    may("preferredFamilyName", Kind::Name).only(Since::V12).to("preferred_family_name"),
    may("primaryOrgSourcedId", Kind::Id).only(Since::V12).to("primary_org_id"),
    may("pronouns", Kind::Text).only(Since::V12),
];

const ROLES: &[Column] = &[
    ID,
    STATUS,
    MODIFIED,
    must("userSourcedId", Kind::Id).to("user_id"),
    should("roleType", Kind::Word(&["primary", "secondary"], &[])).to("role_type"),
    must("role", Kind::Word(ROLES_12, &["administrator"])).to("role"),
    may("beginDate", Kind::Date).to("begin_on"),
    may("endDate", Kind::Date).to("end_on"),
    must("orgSourcedId", Kind::Id).to("org_id"),
    may("userProfileSourcedId", Kind::Id),
];

const ENROLLMENTS: &[Column] = &[
    ID,
    STATUS,
    MODIFIED,
    must("classSourcedId", Kind::Id).to("class_id"),
    should("schoolSourcedId", Kind::Id).to("school_id"),
    must("userSourcedId", Kind::Id).to("user_id"),
    must("role", Kind::Word(ENROLLMENT_ROLES, ENROLLMENT_ROLES_WILD)).to("role"),
    may("primary", Kind::Bool).to("is_primary"),
    may("beginDate", Kind::Date).to("begin_on"),
    may("endDate", Kind::Date).to("end_on"),
];

const DEMOGRAPHICS: &[Column] = &[
    ID.or(&["userSourcedId"]),
    STATUS,
    MODIFIED,
    may("birthDate", Kind::Date).or(&["birthdate"]).to("birth_date"),
    may("sex", Kind::Word(&["male", "female", "unspecified", "other"], &[])).to("sex"),
    may("americanIndianOrAlaskaNative", Kind::Bool).to("american_indian_or_alaska_native"),
    may("asian", Kind::Bool).to("asian"),
    may("blackOrAfricanAmerican", Kind::Bool).to("black_or_african_american"),
    may("nativeHawaiianOrOtherPacificIslander", Kind::Bool).or(&["nativeAmericanOrOtherPacificIslander"]).to("native_hawaiian_or_other_pacific_islander"),
    may("white", Kind::Bool).to("white"),
    may("demographicRaceTwoOrMoreRaces", Kind::Bool).to("two_or_more_races"),
    may("hispanicOrLatinoEthnicity", Kind::Bool).to("hispanic_or_latino"),
    may("countryOfBirthCode", Kind::Text),
    may("stateOfBirthAbbreviation", Kind::Text),
    may("cityOfBirth", Kind::Text),
    may("publicSchoolResidenceStatus", Kind::Text),
];

/// CEDS entry grade level codes.
pub const GRADES: &[&str] = &["IT", "PR", "PK", "TK", "KG", "01", "02", "03", "04", "05", "06", "07", "08", "09", "10", "11", "12", "13", "PS", "UG", "Other"];
