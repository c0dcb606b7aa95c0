//! The autosave of one student's review by eight callers, against bare durable single-row inserts on eight connections.

use std::time::{Duration, Instant};

use proto::reviews::v1::review_service_client::ReviewServiceClient;
use proto::reviews::v1::{CreateReviewCycleRequest, Entry, EntrySource, GetClassReviewRequest, Polarity, PutEntryRequest, Season, StartClassReviewRequest};
use proto::r#type::v1::Certainty;
use sqlx::{Connection as _, PgConnection};
use uuid::Uuid;

use crate::ground::Ground;
use crate::{Row, percentiles};

const CALLERS: usize = 8;
const LASTS: Duration = Duration::from_secs(10);

/// A class under review, and who reviews it.
pub struct Class {
    pub class_review_id: String,
    pub students: Vec<String>,
    pub token: String,
}

/// A request with a token.
pub fn bearing<T>(token: &str, message: T) -> tonic::Request<T> {
    let mut request = tonic::Request::new(message);
    request.metadata_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
    request
}

/// Starts the review of the largest homeroom, with eight entries a student.
pub async fn review(ground: &Ground) -> Class {
    let class = ground.largest_homeroom().await;
    let token = ground.token("coordinator", &[&class.school_id]);
    let opener = ground.token("program_manager", &[]);
    let mut client = ReviewServiceClient::new(ground.district.channel("reviews"));
    let today = chassis_clock::today();
    let cycle = client
        .create_review_cycle(bearing(
            &opener,
            CreateReviewCycleRequest {
                school_year: chrono::Datelike::year(&today) + 1,
                season: Season::Fall.into(),
                opens_on: (today - chrono::Days::new(7)).to_string(),
                closes_on: (today + chrono::Days::new(60)).to_string(),
                request_id: Uuid::now_v7().to_string(),
                ..Default::default()
            },
        ))
        .await
        .unwrap()
        .into_inner()
        .cycle
        .unwrap();
    let started = client
        .start_class_review(bearing(
            &token,
            StartClassReviewRequest {
                review_cycle_id: cycle.review_cycle_id,
                class_id: class.class_id,
                roster_date: String::new(),
                request_id: Uuid::now_v7().to_string(),
            },
        ))
        .await
        .unwrap()
        .into_inner()
        .class_review
        .unwrap();
    let read = client.get_class_review(bearing(&token, GetClassReviewRequest { class_review_id: started.class_review_id.clone() })).await.unwrap().into_inner();
    let students: Vec<String> = read.students.into_iter().map(|s| s.student_id).collect();
    let codes = [("ACA-RDG", 1), ("SEB-EMP", 1), ("HLT-ACT", 1), ("FAM-ENG", 1), ("ACA-MAT", 2), ("SEB-REG", 2), ("HLT-SLP", 2), ("FAM-TRN", 2)];
    for student in &students {
        for (code, polarity) in codes {
            // Codes that the list does not know in that polarity are refused; what remains is what a class looks like.
            let _ = client.put_entry(bearing(&token, put(&started.class_review_id, student, &Uuid::now_v7().to_string(), code, polarity, 0, 1))).await;
        }
    }
    Class { class_review_id: started.class_review_id, students, token }
}

/// An entry to save.
pub fn put(class_review_id: &str, student_id: &str, entry_id: &str, code: &str, polarity: i32, version: i64, severity: i32) -> PutEntryRequest {
    let need = polarity == i32::from(Polarity::Need);
    PutEntryRequest {
        class_review_id: class_review_id.to_owned(),
        student_id: student_id.to_owned(),
        entry: Some(Entry {
            entry_id: entry_id.to_owned(),
            polarity,
            code: code.to_owned(),
            severity: if need { severity } else { 0 },
            certainty: if need { Certainty::Observed.into() } else { 0 },
            source: EntrySource::Teacher.into(),
            note: "seen in class, more than once this month".to_owned(),
            ..Entry::default()
        }),
        expected_version: version,
        request_id: Uuid::now_v7().to_string(),
    }
}

async fn ours(ground: &Ground, class: &Class) -> Vec<Duration> {
    let until = Instant::now() + LASTS;
    let mut callers = Vec::new();
    for caller in 0..CALLERS {
        let mut client = ReviewServiceClient::new(ground.district.channel("reviews"));
        let (token, review) = (class.token.clone(), class.class_review_id.clone());
        let student = class.students[caller % class.students.len()].clone();
        callers.push(tokio::spawn(async move {
            let entry = Uuid::now_v7().to_string();
            let (mut took, mut version) = (Vec::new(), 0);
            while Instant::now() < until {
                let severity = i32::try_from(version % 3).unwrap() + 1;
                let began = Instant::now();
                let saved = client.put_entry(bearing(&token, put(&review, &student, &entry, "ACA-WRI", 2, version, severity))).await.unwrap();
                took.push(began.elapsed());
                version = saved.into_inner().entry.unwrap().version;
            }
            took
        }));
    }
    let mut all = Vec::new();
    for caller in callers {
        all.extend(caller.await.unwrap());
    }
    all
}

async fn floor(ground: &Ground) -> usize {
    let mut setup = PgConnection::connect(ground.database()).await.unwrap();
    sqlx::raw_sql(
        "create schema if not exists bench; create table bench.saved (id uuid primary key, at timestamptz not null default now(), body text not null)",
    )
    .execute(&mut setup)
    .await
    .unwrap();
    let until = Instant::now() + LASTS;
    let mut callers = Vec::new();
    for _ in 0..CALLERS {
        let url = ground.database().to_owned();
        callers.push(tokio::spawn(async move {
            let mut connection = PgConnection::connect(&url).await.unwrap();
            let mut count = 0_usize;
            while Instant::now() < until {
                sqlx::query("insert into bench.saved (id, body) values ($1, $2)")
                    .bind(Uuid::now_v7())
                    .bind("seen in class, more than once this month")
                    .execute(&mut connection)
                    .await
                    .unwrap();
                count += 1;
            }
            count
        }));
    }
    let mut all = 0;
    for caller in callers {
        all += caller.await.unwrap();
    }
    all
}

/// Both, one after the other.
pub async fn measure(ground: &Ground, class: &Class) -> (Row, f64) {
    let ours = ours(ground, class).await;
    let floor = floor(ground).await;
    let seconds = LASTS.as_secs_f64();
    #[expect(clippy::cast_precision_loss, reason = "counts of seconds")]
    let (ours_rate, floor_rate) = (ours.len() as f64 / seconds, floor as f64 / seconds);
    let (p50, p99) = percentiles(ours);
    let row = Row {
        name: "autosave",
        ours: format!("{ours_rate:.0} saves/s"),
        floor: format!("{floor_rate:.0} inserts/s"),
        ratio: ours_rate / floor_rate,
        aim: "at least 0.5",
        aside: format!("p50 {p50:.1?}, p99 {p99:.1?}, {CALLERS} callers"),
    };
    (row, floor_rate)
}
