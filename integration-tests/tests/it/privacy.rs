//! Names stay in rosters: everybody in this roster is called by a marker word, and after a whole journey the words are
//! looked for wherever they must not be.

use std::io::{Cursor, Read as _, Write as _};

use integration_tests::acts::{
    Need, add_referral_item, complete, done, move_referral, new_id, open_cycle, partner_with_service, plan_with, put_need, refer, start_review,
};
use integration_tests::clients::Clients;
use integration_tests::district::{District, DistrictOptions};
use integration_tests::otlp::receive;
use integration_tests::patience::eventually;
use integration_tests::tokens::Claims;
use proto::partners::v1::GetReferralRequest;
use proto::reporting::v1::GetFreshnessRequest;
use proto::reviews::v1::{Entry, Polarity, PutEntryRequest};
use proto::rosters::v1::{ImportState, ListImportIssuesRequest, SearchStudentsRequest};
use proto::r#type::v1::Sensitivity;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use zip::write::SimpleFileOptions;
use zip::{ZipArchive, ZipWriter};

use crate::house::{coordinator_of, rooms_of, roster, schools};
use crate::rules::none;

/// In every name, address, number and e-mail of the roster.
const PERSON: &str = "zqxperson";
/// In every note that staff write.
const NOTE: &str = "zqxnoted";
/// In every telephone number.
const NUMBER: &str = "5550987";

/// Columns of users.csv that tell of a person.
fn marked(column: &str, row: usize) -> Option<String> {
    let word = |what: &str| Some(format!("Zqxperson{what}{row}"));
    match column {
        "username" | "identifier" | "userMasterIdentifier" => word("id"),
        "givenName" | "preferredGivenName" | "preferredFirstName" => word("given"),
        "familyName" | "preferredFamilyName" | "preferredLastName" => word("family"),
        "middleName" | "preferredMiddleName" => word("middle"),
        "email" => Some(format!("zqxperson{row}@mail.example")),
        "sms" | "phone" => Some(format!("{NUMBER}{row:04}")),
        _ => None,
    }
}

/// The same roster with marker words for everything personal, and with one wrong role where asked.
fn with_markers(zip: Vec<u8>, broken: bool) -> Vec<u8> {
    let mut from = ZipArchive::new(Cursor::new(zip)).unwrap();
    let mut to = ZipWriter::new(Cursor::new(Vec::new()));
    for at in 0..from.len() {
        let mut file = from.by_index(at).unwrap();
        let name = file.name().unwrap().into_owned();
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).unwrap();
        to.start_file(name.as_str(), SimpleFileOptions::default()).unwrap();
        if name != "users.csv" && !(broken && name == "roles.csv") {
            to.write_all(&bytes).unwrap();
            continue;
        }
        let mut reader = csv::Reader::from_reader(bytes.as_slice());
        let header = reader.headers().unwrap().clone();
        let mut writer = csv::Writer::from_writer(&mut to);
        writer.write_record(&header).unwrap();
        for (row, record) in reader.records().enumerate() {
            let record = record.unwrap();
            let cells = header.iter().zip(&record).map(|(column, cell)| match marked(column, row) {
                _ if broken && row == 3 && column == "role" => "Zqxpersonwrong".to_owned(),
                Some(marker) if name == "users.csv" => marker,
                _ => cell.to_owned(),
            });
            writer.write_record(cells).unwrap();
        }
        writer.flush().unwrap();
    }
    to.finish().unwrap().into_inner()
}

/// Everybody does something with somebody, also something wrong.
async fn journey(district: &District) {
    let mut clerk = district.clients(&Claims::role("data_clerk"));
    let refused = clerk.import(with_markers(roster(1, 60, 5), true), false).await.unwrap();
    assert_eq!(refused.state(), ImportState::Refused, "{refused:?}");
    let issues = ListImportIssuesRequest { import_run_id: refused.import_run_id, ..Default::default() };
    let issues = done("list findings", clerk.imports.list_import_issues(issues).await).issues;
    assert!(!issues.is_empty());
    clerk.import_all(with_markers(roster(1, 60, 5), false)).await;

    let manager = district.clients(&Claims::role("program_manager"));
    let school = schools(&manager).await.remove(0);
    let mut room = rooms_of(&manager, &school).await.remove(0);
    let coordinator = district.clients(&coordinator_of(&manager, &school).await);
    let mut teacher = district.clients(&Claims::staff(&room.teacher.staff_id));
    let search = SearchStudentsRequest { query: "Zqxperson".to_owned(), ..Default::default() };
    let found = eventually("the teacher finds students", || {
        let (mut teacher, search) = (teacher.clone(), search.clone());
        async move { teacher.rosters.search_students(search).await.ok().map(|a| a.into_inner().students).filter(|found| !found.is_empty()) }
    })
    .await;
    assert!(found[0].display_name.to_lowercase().contains(PERSON));
    // What is asked wrongly is not repeated either.
    teacher.rosters.search_students(SearchStudentsRequest { query: "Zqxperson".repeat(40), ..Default::default() }).await.unwrap_err();

    let cycle = open_cycle(&manager).await;
    room.review = start_review(&coordinator, &cycle, &room.class.class_id).await;
    let student = room.student().to_owned();
    let note = "Zqxnoted: tells of Zqxnoted things";
    let need = Need { code: "ACA-RDG", severity: 2, sensitivity: Sensitivity::General, note };
    let need_id = put_need(&coordinator, &room.review, &student, need).await;
    let closed = Need { code: "SEB-SUI", severity: 3, sensitivity: Sensitivity::Protected, note };
    put_need(&coordinator, &room.review, &student, closed).await;
    wrong_entries(&coordinator, &room.review.class_review_id, &student).await;
    complete(&coordinator, &room.review, &student).await;
    let plan = plan_with(&coordinator, &student, 2).await;
    let item = add_referral_item(&coordinator, &plan, &need_id, "ED-TUT", note).await;
    let directory = district.clients(&Claims::role("partnership_manager"));
    let (partner, service) = partner_with_service(&directory, "Riverside Tutors (fictional)", "ED-TUT", 3).await;
    let scopes = ["identity", "contact", "needs", "plan_item", "strengths"];
    let sent = refer(&coordinator, &student, (&need_id, "ACA-RDG"), &item.plan_item_id, &service, &scopes).await;
    let partner = district.clients(&Claims::partner(&partner.partner_id));
    let read = GetReferralRequest { referral_id: sent.referral_id.clone() };
    let read = done("read as the partner", partner.clone().referrals.get_referral(read).await).referral.unwrap();
    assert!(read.shared_student.unwrap().display_name.to_lowercase().contains(PERSON), "the partner reads the name");
    for step in ["open", "accept", "start", "attend", "complete"] {
        move_referral(&partner, &sent.referral_id, step).await;
    }
    eventually("reporting has heard of it", || {
        let mut manager = manager.clone();
        async move {
            let topics = manager.reporting.get_freshness(GetFreshnessRequest {}).await.ok()?.into_inner().topics;
            topics.iter().any(|topic| topic.topic.starts_with("partners.") && topic.applied_count > 0).then_some(())
        }
    })
    .await;
}

/// Entries that are refused, each because of a text that must not come back.
async fn wrong_entries(who: &Clients, class_review_id: &str, student_id: &str) {
    let entry = || Entry { entry_id: new_id(), polarity: Polarity::Strength.into(), code: "ACA-RDG".to_owned(), ..Entry::default() };
    let wrong = [
        Entry { code: "Zqxnoted".to_owned(), ..entry() },
        Entry { note: "Zqxnoted ".repeat(100), ..entry() },
        Entry { entry_id: "Zqxperson".to_owned(), ..entry() },
    ];
    for entry in wrong {
        let request = PutEntryRequest {
            class_review_id: class_review_id.to_owned(),
            student_id: student_id.to_owned(),
            entry: Some(entry),
            expected_version: 0,
            request_id: new_id(),
        };
        who.clone().reviews.put_entry(request).await.unwrap_err();
    }
}

/// Places where one of these words stands, in any case, as text or in bytes.
fn hits(place: &str, bytes: &[u8], words: &[&str]) -> Vec<String> {
    let text = String::from_utf8_lossy(bytes).to_lowercase();
    let around = |at: usize| text.chars().skip(text[..at].chars().count().saturating_sub(120)).take(260).collect::<String>();
    words.iter().filter_map(|word| text.find(word).map(|at| format!("{place}: {word} in …{}…", around(at).replace('\n', " ")))).collect()
}

/// Tables that every service has for requests and events, also the roster.
const CHASSIS: [&str; 6] = ["idempotency", "outbox", "inbox", "consumer_position", "dead_letter", "access_log"];

async fn database_hits(url: &str) -> Vec<String> {
    let mut connection = PgConnection::connect(url).await.unwrap();
    let tables: Vec<(String, String)> = sqlx::query_as(
        "select n.nspname::text, c.relname::text from pg_class c join pg_namespace n on n.oid = c.relnamespace
         where c.relkind in ('r', 'p', 'm') and n.nspname not like 'pg\\_%' and n.nspname <> 'information_schema' order by 1, 2",
    )
    .fetch_all(&mut connection)
    .await
    .unwrap();
    assert!(tables.iter().any(|(schema, _)| schema == "event_log") && tables.len() > 30, "{tables:?}");
    let mut found = Vec::new();
    for (schema, table) in tables {
        let is_chassis = CHASSIS.contains(&table.as_str()) || schema == "event_log";
        let mut words = Vec::new();
        if is_chassis || schema != "rosters" {
            words.extend([PERSON, NUMBER]);
        }
        // Notes are kept where they were written, and nowhere else.
        if is_chassis || !["reviews", "plans"].contains(&schema.as_str()) {
            words.push(NOTE);
        }
        for word in words {
            // Bytes are printed as hexadecimal digits; the markers begin with a capital or not.
            let hex = |word: &str| word.bytes().map(|byte| format!("{byte:02x}")).collect::<String>();
            let pattern = format!("{word}|{}|{}", hex(word), hex(&format!("Z{}", &word[1..])));
            let query = format!(r#"select count(*) from "{schema}"."{table}" as t where t::text ~* $1"#);
            let rows: i64 = sqlx::query_scalar(AssertSqlSafe(query)).bind(pattern).fetch_one(&mut connection).await.unwrap();
            if rows > 0 {
                found.push(format!("{rows} rows of {schema}.{table} hold {word}"));
            }
        }
    }
    found
}

#[tokio::test]
async fn planted_names_are_found_nowhere() {
    let (collector, received) = receive().await;
    let options = DistrictOptions {
        // Everything that our code says; the transport's own chatter below would drown it and the receiver.
        log: Some("debug,h2=info,hyper_util=info,tower=info,tonic=info,opentelemetry_sdk=info".to_owned()),
        otlp_endpoint: Some(format!("http://{collector}")),
        ..DistrictOptions::default()
    };
    let mut district = District::start(options).await;
    journey(&district).await;
    let metrics = reqwest::get(format!("{}/metrics", district.ready().admin)).await.unwrap().bytes().await.unwrap();
    let database = district.database().to_owned();
    // The exporters send what they hold when they stop.
    assert!(district.stop().await.success(), "{}", district.log());

    let words = [PERSON, NOTE, NUMBER];
    let (log, traces, exported) = (district.log(), received.traces(), received.metrics());
    assert!(log.len() > 1000 && traces.len() > 1000 && metrics.len() > 100, "there is something to look at: {} {} {}", log.len(), traces.len(), metrics.len());
    let mut found = hits("log", log.as_bytes(), &words);
    found.extend(hits("traces", &traces, &words));
    found.extend(hits("exported metrics", &exported, &words));
    found.extend(hits("/metrics", &metrics, &words));
    found.extend(database_hits(&database).await);
    none(&found, "names or notes are where they must not be:");
}

#[test]
fn the_search_finds_what_it_looks_for() {
    assert_eq!(hits("here", b"..\xffZqxPERSONgiven7..", &[PERSON, NOTE]).len(), 1);
    let marked = with_markers(roster(1, 20, 5), true);
    let mut zip = ZipArchive::new(Cursor::new(marked)).unwrap();
    let mut text = String::new();
    zip.by_name("users.csv").unwrap().read_to_string(&mut text).unwrap();
    zip.by_name("roles.csv").unwrap().read_to_string(&mut text).unwrap();
    assert!(text.contains("Zqxpersongiven0") && text.contains("Zqxpersonwrong") && text.contains(NUMBER));
}
