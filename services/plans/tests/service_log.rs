//! Service logs: read, matched, written whole or not at all, and never twice.
#![allow(clippy::unwrap_used, reason = "a panic in a test is its report")]

mod district;

use std::collections::HashMap;
use std::io::{Seek as _, Write as _};
use std::path::Path;

use chassis_access::Clearance;
use chrono::NaiveDate;
use district::{District, need, request};
use plans::delivery::{self, entity::Attendance, entity::Delivery};
use plans::enrolment::{
    self,
    entity::{Enrolment, EnrolmentTransition as T},
};
use plans::service_log::entity::Finding;
use plans::service_log::matching::Students;
use plans::service_log::{Import, Outcome, Told, import};
use plans::sight::Sight;
use proto::plans::v1::DeliveryLogged;
use proto::rosters::v1::{MatchConfidence, StudentClue, StudentMatch};
use proto::r#type::v1::Sensitivity;
use tonic::Status;
use uuid::Uuid;

/// A roster that knows a few students by identifier; other words stand for how sure it is.
struct Roster(HashMap<String, Uuid>);

#[tonic::async_trait]
impl Students for Roster {
    async fn find(&self, clues: Vec<StudentClue>) -> Result<Vec<StudentMatch>, Status> {
        assert!(clues.len() <= 500);
        let found = |clue: &StudentClue| {
            let (student, confidence) = match (self.0.get(&clue.identifier), clue.identifier.as_str()) {
                (Some(student), _) => (Some(*student), MatchConfidence::Identifier),
                (None, "similar") => (None, MatchConfidence::Similar),
                (None, "both") => (None, MatchConfidence::Contradicted),
                (None, "") if clue.grade == "3" => (self.0.values().next().copied(), MatchConfidence::NameAndGrade),
                (None, "") => (None, MatchConfidence::Ambiguous),
                _ => (None, MatchConfidence::Unspecified),
            };
            StudentMatch { student_id: student.map(|s| s.to_string()).unwrap_or_default(), confidence: confidence.into(), candidate_count: 1 }
        };
        Ok(clues.iter().map(found).collect())
    }
}

fn days_ago(days: i64) -> NaiveDate {
    district::days_ago(days).date_naive()
}

fn everything() -> Sight {
    let restricted_everywhere = chassis_access::decide::DOMAINS.map(str::to_owned).to_vec();
    Sight { restricted_everywhere, protected_everywhere: true, ..Sight::default() }
}

async fn running(d: &District, sensitivity: Sensitivity) -> Enrolment {
    let entry = need("ACA-RDG", sensitivity, 40);
    if sensitivity == Sensitivity::Protected {
        d.protected(1, std::slice::from_ref(&entry)).await
    } else {
        d.reviewed(1, std::slice::from_ref(&entry)).await
    }
    let item = d.add(&[&entry.entry_id]).await;
    let asked = enrolment::offered(Uuid::now_v7(), item.plan_item_id, None, (2, 45, 10));
    let mut e = enrolment::enrol(&d.pool, &enrolment::Enrol { enrolment: asked, request: request("plans.EnrolStudent") }, &Clearance::full()).await.unwrap();
    for transition in [T::Accept, T::Start] {
        let command = enrolment::Transition {
            enrolment_id: e.enrolment_id,
            transition,
            reason: String::new(),
            outcome: String::new(),
            override_reason: String::new(),
            on_date: Some(days_ago(20)),
            expected_version: e.version,
            request: request("plans.TransitionEnrolment"),
        };
        e = enrolment::transition(&d.pool, &command, &Clearance::full()).await.unwrap();
    }
    e
}

async fn run(d: &District, file: &str, dry_run: bool, sight: &Sight) -> (Outcome, Vec<Finding>) {
    let mut kept = tempfile::tempfile().unwrap();
    kept.write_all(file.as_bytes()).unwrap();
    kept.rewind().unwrap();
    let command = Import { file: kept, dry_run, no_show_limit: 3, request: request("plans.ImportServiceLog") };
    let (tell, mut heard) = tokio::sync::mpsc::channel(4);
    let roster = Roster(HashMap::from([("4711".to_owned(), d.student)]));
    let listening = async {
        let mut findings = Vec::new();
        while let Some(told) = heard.recv().await {
            if let Told::Finding(finding) = told {
                findings.push(finding);
            }
        }
        findings
    };
    let importing = async {
        let tell = tell;
        import(&d.pool, command, &roster, sight, &tell).await.unwrap()
    };
    tokio::join!(importing, listening)
}

async fn count(d: &District) -> (i64, i64) {
    let deliveries = sqlx::query_scalar("select count(*) from plans.delivery").fetch_one(&d.pool).await.unwrap();
    let told = d.told::<DeliveryLogged>("plans.delivery.v1").await.len();
    (deliveries, i64::try_from(told).unwrap())
}

const HEADER: &str = "student,date,service_category,minutes,attendance,note\n";

#[tokio::test]
async fn a_file_is_written_once_however_often_it_comes() {
    let d = District::open().await;
    let e = running(&d, Sensitivity::General).await;
    let rows = format!(
        "4711,{a},ED-TUT,40,,Marker\n4711,{b},ED-TUT,,present,\n4711,{b},ED-TUT,,present,\n4711,{c},ed-tut,0,absent unexcused,\n",
        a = days_ago(9),
        b = days_ago(8),
        c = days_ago(7)
    );
    let file = format!("{HEADER}{rows}");
    let (dry, findings) = run(&d, &file, true, &everything()).await;
    assert_eq!(findings, []);
    assert_eq!(dry, Outcome { rows: 4, deliveries: 4, ..Outcome::default() });
    assert_eq!(count(&d).await, (0, 0), "a dry run writes nothing");

    let (first, _) = run(&d, &file, false, &everything()).await;
    assert_eq!(first, Outcome { rows: 4, deliveries: 4, written: true, ..Outcome::default() });
    assert_eq!(count(&d).await, (4, 4));
    let (again, _) = run(&d, &file, false, &everything()).await;
    assert_eq!((again.deliveries, again.unchanged, again.written), (0, 4, true));
    let longer = format!("{file}4711,{},ED-TUT,30,,\n", days_ago(6));
    assert_eq!(run(&d, &longer, false, &everything()).await.0.deliveries, 1, "only what is new");
    let held = d.plan(&Clearance::full()).await.enrolments[0].clone();
    assert_eq!((held.enrolment_id, held.delivered_minutes, held.delivery_count), (e.enrolment_id, 40 + 45 + 45 + 30, 5));
}

#[tokio::test]
async fn one_error_stops_all_and_every_finding_says_where_and_how_to_mend_it() {
    let d = District::open().await;
    running(&d, Sensitivity::General).await;
    let day = days_ago(9);
    let file = format!(
        "student,given_name,family_name,grade,date,service_category,minutes\n\
         4711,,,,{day},ED-TUT,40\n\
         similar,,,,{day},ED-TUT,40\nboth,,,,{day},ED-TUT,40\nMarker,,,,{day},ED-TUT,40\n,Marker,Marker,4,{day},ED-TUT,40\n\
         4711,,,,{day},SE-GRP,40\n4711,,,,{},ED-TUT,40\n,Marker,Marker,3,{day},ED-TUT,40\n4711,,,,7/5/16,ED-TUT,40\n",
        days_ago(21)
    );
    let (outcome, findings) = run(&d, &file, false, &everything()).await;
    let found: Vec<(u64, &str)> = findings.iter().map(|f| (f.line, f.code)).collect();
    assert_eq!(
        found,
        [
            (3, "STUDENT_SIMILAR"),
            (4, "STUDENT_CONTRADICTED"),
            (5, "STUDENT_UNKNOWN"),
            (6, "STUDENT_AMBIGUOUS"),
            (7, "ENROLMENT_MISSING"),
            (8, "ENROLMENT_NOT_RUNNING"),
            (9, "STUDENT_BY_NAME_AND_GRADE"),
            (10, "DATE_NOT_ISO")
        ]
    );
    assert_eq!((outcome.rows, outcome.errors, outcome.warnings, outcome.written), (9, 7, 1, false));
    assert!(findings.iter().all(|f| !f.message.contains("Marker") && !f.message.is_empty()));
    assert_eq!(count(&d).await, (0, 0), "whole or not at all");
}

#[tokio::test]
async fn an_error_after_the_first_batch_takes_it_back() {
    let d = District::open().await;
    running(&d, Sensitivity::General).await;
    let good = format!("4711,{},ED-TUT,40,,\n", days_ago(9)).repeat(1200);
    let (outcome, findings) = run(&d, &format!("{HEADER}{good}4711,today,ED-TUT,40,,\n"), false, &everything()).await;
    assert_eq!((findings[0].line, findings[0].code), (1202, "DATE_NOT_ISO"));
    assert_eq!((outcome.rows, outcome.written), (1201, false));
    assert_eq!(count(&d).await, (0, 0));
    assert_eq!(run(&d, &format!("{HEADER}{good}"), false, &everything()).await.0.deliveries, 1200);
    assert_eq!(count(&d).await, (1200, 1200));
}

#[tokio::test]
async fn what_staff_logged_by_hand_is_not_counted_twice() {
    let d = District::open().await;
    let e = running(&d, Sensitivity::General).await;
    let by_hand = Delivery::plain(Uuid::now_v7(), e.enrolment_id, days_ago(9), (45, 40), Attendance::Present);
    let log = delivery::Log { deliveries: vec![by_hand], no_show_limit: 3, request: request("plans.LogDeliveries") };
    delivery::log(&d.pool, &log, &HashMap::from([(d.student, Clearance::full())])).await.unwrap();
    let row = |minutes| format!("{HEADER}4711,{},ED-TUT,{minutes},,\n", days_ago(9));
    assert_eq!(run(&d, &row(40), false, &everything()).await.0.unchanged, 1);
    let (outcome, findings) = run(&d, &row(20), false, &everything()).await;
    assert_eq!((outcome.errors, findings[0].code), (1, "ALREADY_LOGGED"));
}

#[tokio::test]
async fn a_protected_service_is_not_there_for_those_not_on_the_case() {
    let d = District::open().await;
    running(&d, Sensitivity::Protected).await;
    let file = format!("{HEADER}4711,{},ED-TUT,40,,\n", days_ago(9));
    let (_, hidden) = run(&d, &file, false, &Sight::default()).await;
    let (_, absent) = run(&d, &file.replace("ED-TUT", "HE-SUB"), false, &everything()).await;
    assert_eq!(hidden, absent, "hidden and not there look the same");
    let on_case = Sight { protected_students: vec![d.student], ..Sight::default() };
    assert!(run(&d, &file, false, &on_case).await.0.written);
    assert_eq!(count(&d).await, (1, 0), "told on the protected topic only");
    assert_eq!(d.told::<DeliveryLogged>("plans.protected-need.v1").await.len(), 1);
}

#[tokio::test]
async fn files_of_others_are_refused_with_findings_and_never_half_applied() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    if !folder.exists() {
        println!("skipped: there are no files of others at ../shared/data");
        return;
    }
    let d = District::open().await;
    running(&d, Sensitivity::General).await;
    let mut read = 0;
    for set in ["students/student-insights-fixtures/spec/fixtures", "csv/csv-spectrum/csvs", "students/uci-student-performance"] {
        for file in std::fs::read_dir(folder.join(set)).into_iter().flatten().flatten().filter(|f| f.path().extension().is_some_and(|e| e == "csv")) {
            let text = String::from_utf8_lossy(&std::fs::read(file.path()).unwrap()).into_owned();
            let (outcome, findings) = run(&d, &text, false, &everything()).await;
            assert!(outcome.errors > 0 && !outcome.written, "{}: {outcome:?}", file.path().display());
            assert!(findings.iter().all(|f| f.line >= 1 && !f.message.is_empty()));
            read += 1;
        }
    }
    assert!(read > 10, "only {read} files");
    assert_eq!(count(&d).await, (0, 0));
}
