//! Small packages made in code. Everybody in them is fictional.

use std::collections::BTreeMap;
use std::io::Write as _;

use rosters::import::entity::ImportRun;
use rosters::import::repo::{Issue, list_issues};
use rosters::import::{Imports, RunImport, Source};
use rosters::oneroster::Limits;
use sqlx::PgPool;
use uuid::Uuid;

/// Files of a package by name, without `.csv`.
#[derive(Clone)]
pub struct Package {
    pub version: &'static str,
    pub mode: &'static str,
    pub files: BTreeMap<&'static str, String>,
}

impl Package {
    /// A district of one school and one homeroom, in version 1.2: two students, a teacher, a counselor, a guardian.
    pub fn small() -> Self {
        let files = BTreeMap::from([
            ("orgs", "sourcedId,status,dateLastModified,name,type,identifier,parentSourcedId\nd,,,District,district,,\ns1,,,North School,school,100,d\n".to_owned()),
            (
                "academicSessions",
                "sourcedId,status,dateLastModified,title,type,startDate,endDate,parentSourcedId,schoolYear\n\
                 y,,,Year,schoolYear,2020-08-01,2099-06-30,,2099\n"
                    .to_owned(),
            ),
            (
                "courses",
                "sourcedId,status,dateLastModified,schoolYearSourcedId,title,courseCode,grades,orgSourcedId,subjects,subjectCodes\nc1,,,y,Homeroom,HR,04,s1,,\n"
                    .to_owned(),
            ),
            (
                "classes",
                "sourcedId,status,dateLastModified,title,grades,courseSourcedId,classCode,classType,location,schoolSourcedId,termSourcedIds,subjects,subjectCodes,periods\n\
                 k1,,,Homeroom 4A,04,c1,4A,homeroom,,s1,y,,,\nk2,,,Music,04,c1,M,scheduled,,s1,y,,,\n"
                    .to_owned(),
            ),
            (
                "users",
                "sourcedId,status,dateLastModified,enabledUser,username,userIds,givenName,familyName,middleName,identifier,email,sms,phone,agentSourcedIds,grades,password,userMasterIdentifier,resourceSourcedIds,preferredGivenName,preferredMiddleName,preferredFamilyName,primaryOrgSourcedId,pronouns\n\
                 t1,,,true,t1,,Tara,Teach,,T1,tara@example.org,,,,,,,,,,,s1,\n\
                 q1,,,true,q1,,Carl,Counsel,,Q1,,,,,,,,,,,,s1,\n\
                 u1,,,true,u1,,José,Núñez,,1001,,,,g1,04,,,,Pepe,,,s1,\n\
                 u2,,,true,u2,,Ann,De la Cruz,,1002,,,,,04,,,,,,,s1,\n\
                 g1,,,true,g1,,Rosa,Núñez,,,,,,,,,,,,,,,\n"
                    .to_owned(),
            ),
            (
                "roles",
                "sourcedId,status,dateLastModified,userSourcedId,roleType,role,beginDate,endDate,orgSourcedId,userProfileSourcedId\n\
                 r1,,,t1,primary,teacher,,,s1,\nr2,,,q1,primary,counselor,,,s1,\nr3,,,u1,primary,student,,,s1,\nr4,,,u2,primary,student,,,s1,\nr5,,,g1,primary,guardian,,,s1,\n"
                    .to_owned(),
            ),
            (
                "enrollments",
                "sourcedId,status,dateLastModified,classSourcedId,schoolSourcedId,userSourcedId,role,primary,beginDate,endDate\n\
                 e1,,,k1,s1,t1,teacher,true,2020-08-01,2099-06-30\ne2,,,k1,s1,u1,student,false,2020-08-01,2099-06-30\ne3,,,k1,s1,u2,student,false,2020-08-01,2099-06-30\n"
                    .to_owned(),
            ),
            (
                "demographics",
                "sourcedId,status,dateLastModified,birthDate,sex,americanIndianOrAlaskaNative,asian,blackOrAfricanAmerican,nativeHawaiianOrOtherPacificIslander,white,demographicRaceTwoOrMoreRaces,hispanicOrLatinoEthnicity,countryOfBirthCode,stateOfBirthAbbreviation,cityOfBirth,publicSchoolResidenceStatus\n\
                 u1,,,2016-03-04,male,false,false,false,false,true,false,true,,,,\n"
                    .to_owned(),
            ),
        ]);
        Self { version: "1.2", mode: "bulk", files }
    }

    /// Replaces text in a file; it must be there.
    #[must_use]
    pub fn with(mut self, file: &'static str, from: &str, to: &str) -> Self {
        let text = self.files.get_mut(file).unwrap();
        assert!(text.contains(from), "{file} has no {from}");
        *text = text.replace(from, to);
        self
    }

    /// Only these rows of a file, under its header; the other files are absent.
    #[must_use]
    pub fn delta(mut self, rows: &[(&'static str, &str)]) -> Self {
        self.mode = "delta";
        self.files.retain(|file, _| rows.iter().any(|(name, _)| name == file));
        for (file, rows) in rows {
            let header = self.files[file].lines().next().unwrap().to_owned();
            self.files.insert(file, format!("{header}\n{rows}\n"));
        }
        self
    }

    pub fn zip(&self) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        let mut zip = zip::ZipWriter::new(file.reopen().unwrap());
        let options = zip::write::SimpleFileOptions::default();
        zip.start_file("manifest.csv", options).unwrap();
        let mut manifest = format!("propertyName,value\nmanifest.version,1.0\noneroster.version,{}\n", self.version);
        for name in ["orgs", "academicSessions", "courses", "classes", "users", "roles", "enrollments", "demographics"] {
            let mode = if self.files.contains_key(name) { self.mode } else { "absent" };
            manifest.push_str(&format!("file.{name},{mode}\n"));
        }
        zip.write_all(manifest.as_bytes()).unwrap();
        for (name, text) in &self.files {
            zip.start_file(format!("{name}.csv"), options).unwrap();
            zip.write_all(text.as_bytes()).unwrap();
        }
        zip.finish().unwrap();
        file
    }
}

pub fn imports(pool: &PgPool) -> Imports {
    let roles = [
        ("teacher", "teacher"),
        ("counselor", "coordinator"),
        ("principal", "principal"),
        ("siteAdministrator", "principal"),
        ("districtAdministrator", "district_leader"),
        ("systemAdministrator", "data_clerk"),
        ("aide", "student_support_member"),
    ];
    Imports::new(pool.clone(), &roles.map(|(from, to)| (from.to_owned(), to.to_owned())).into())
}

pub fn command(path: &std::path::Path) -> RunImport {
    RunImport {
        source: Source { path: path.to_owned(), name: "set.zip".to_owned(), limits: Limits::default() },
        dry_run: false,
        accept_changes: false,
        caller: "clerk".to_owned(),
        request_id: Uuid::now_v7(),
    }
}

pub async fn import(pool: &PgPool, package: &Package) -> (ImportRun, Vec<Issue>) {
    let zip = package.zip();
    import_as(pool, command(zip.path())).await
}

pub async fn import_as(pool: &PgPool, command: RunImport) -> (ImportRun, Vec<Issue>) {
    let (tell, _told) = tokio::sync::mpsc::channel(8);
    let run = imports(pool).run(command, tell).await.unwrap();
    let issues = list_issues(&mut pool.acquire().await.unwrap(), run.id, 0, 1_000).await.unwrap();
    (run, issues)
}

/// How many rows a query answers, or its one number.
pub async fn number(pool: &PgPool, sql: &'static str) -> i64 {
    sqlx::query_scalar(sql).fetch_one(pool).await.unwrap()
}
