//! The review season at its peak: 400 coordinators at once, each 20 students a minute with 10 saves a student, on one
//! machine. Saves are sent when they are due, whether or not earlier ones were answered, and timed from when they were
//! due: a service that falls behind cannot hide it. At the end every save that was answered is looked for.

use std::collections::HashMap;
use std::time::Duration;

use integration_tests::clients::Clients;
use proto::reviews::v1::review_service_client::ReviewServiceClient;
use proto::reviews::v1::{CreateReviewCycleRequest, GetClassReviewRequest, Season, StartClassReviewRequest};
use proto::rosters::v1::{Class as RosterClass, ListClassesRequest, ListSchoolsRequest};
use tokio::time::Instant;
use tonic::transport::Channel;
use uuid::Uuid;

use crate::autosave::{Class, bearing, put};
use crate::ground::Ground;
use crate::{Row, percentiles};

const COORDINATORS: usize = 400;
const SAVES_A_STUDENT: u32 = 10;
/// 20 students a minute, 10 saves each.
const EVERY: Duration = Duration::from_millis(300);
const LASTS: Duration = Duration::from_secs(60);
/// Connections that the coordinators share, as they share a portal's.
const CONNECTIONS: usize = 8;

/// An entry that was saved: in which review, and with which version it was answered last.
type Saved = HashMap<String, (String, i64)>;

/// Classes of the district, until there are enough.
async fn classes(ground: &Ground) -> Vec<RosterClass> {
    let mut anybody: Clients = ground.district.clients_with(&ground.token("program_manager", &[]));
    let schools = anybody.rosters.list_schools(ListSchoolsRequest { page_size: 500, ..ListSchoolsRequest::default() }).await.unwrap().into_inner().schools;
    let mut classes = Vec::new();
    for school in schools {
        let request = ListClassesRequest { school_id: school.school_id, review_units_only: true, page_size: 500, page_token: String::new() };
        let found = anybody.rosters.list_classes(request).await.unwrap().into_inner().classes;
        classes.extend(found.into_iter().filter(|class| class.student_count > 0));
        if classes.len() >= COORDINATORS {
            break;
        }
    }
    classes.truncate(COORDINATORS);
    classes
}

async fn desks(ground: &Ground, client: &mut ReviewServiceClient<Channel>) -> Vec<Class> {
    let today = chassis_clock::today();
    let cycle = CreateReviewCycleRequest {
        school_year: chrono::Datelike::year(&today) + 1,
        season: Season::Custom.into(),
        opens_on: (today - chrono::Days::new(7)).to_string(),
        closes_on: (today + chrono::Days::new(60)).to_string(),
        request_id: Uuid::now_v7().to_string(),
        ..Default::default()
    };
    let opener = ground.token("program_manager", &[]);
    let cycle = client.create_review_cycle(bearing(&opener, cycle)).await.unwrap().into_inner().cycle.unwrap();
    let mut desks = Vec::new();
    for class in classes(ground).await {
        let token = ground.token("coordinator", &[&class.school_id]);
        let start = StartClassReviewRequest {
            review_cycle_id: cycle.review_cycle_id.clone(),
            class_id: class.class_id,
            roster_date: String::new(),
            request_id: Uuid::now_v7().to_string(),
        };
        let review = client.start_class_review(bearing(&token, start)).await.unwrap().into_inner().class_review.unwrap();
        let get = GetClassReviewRequest { class_review_id: review.class_review_id.clone() };
        let read = client.get_class_review(bearing(&token, get)).await.unwrap().into_inner();
        let students = read.students.into_iter().map(|student| student.student_id).collect();
        desks.push(Class { class_review_id: review.class_review_id, students, token });
    }
    desks
}

/// What the nth save of a student is: every third adds an entry, the others change the one before.
const CODES: [&str; 4] = ["ACA-WRI", "ACA-MAT", "SEB-REG", "HLT-SLP"];

/// One coordinator's minute: every save when it is due. Saves of one student follow one another; the clock does not wait.
async fn work(mut client: ReviewServiceClient<Channel>, desk: Class, first: Instant, until: Instant) -> (Vec<Duration>, Saved, usize) {
    let (mut took, mut saved, mut failed) = (Vec::new(), Saved::new(), 0);
    let (mut due, mut n) = (first, 0);
    let mut current = (String::new(), 0_i64);
    while due < until {
        tokio::time::sleep_until(due).await;
        let student = &desk.students[n / SAVES_A_STUDENT as usize % desk.students.len()];
        let step = n % SAVES_A_STUDENT as usize;
        if step.is_multiple_of(3) {
            current = (Uuid::now_v7().to_string(), 0);
        }
        let severity = i32::try_from(n % 3).unwrap() + 1;
        let request = put(&desk.class_review_id, student, &current.0, CODES[step / 3], 2, current.1, severity);
        match client.put_entry(bearing(&desk.token, request)).await {
            Ok(answer) => {
                current.1 = answer.into_inner().entry.unwrap().version;
                saved.insert(current.0.clone(), (desk.class_review_id.clone(), current.1));
            }
            Err(status) => {
                failed += 1;
                eprintln!("a save failed: {status}");
            }
        }
        took.push(due.elapsed());
        due += EVERY;
        n += 1;
    }
    (took, saved, failed)
}

/// Saves that were answered and are not there as they were answered.
async fn lost(client: &mut ReviewServiceClient<Channel>, desks: &[(String, String)], saved: &Saved) -> usize {
    let mut there: HashMap<String, i64> = HashMap::new();
    for (class_review_id, token) in desks {
        let get = GetClassReviewRequest { class_review_id: class_review_id.clone() };
        let read = client.get_class_review(bearing(token, get)).await.unwrap().into_inner();
        there.extend(read.students.into_iter().flat_map(|student| student.entries).map(|entry| (entry.entry_id, entry.version)));
    }
    saved.iter().filter(|(entry, (_, version))| there.get(*entry) != Some(version)).count()
}

/// The season, against the floor that the autosave was measured against. Answers one of its classes as well.
pub async fn measure(ground: &Ground, floor_rate: f64) -> (Row, Class) {
    let mut client = ReviewServiceClient::new(ground.district.channel("reviews"));
    let desks = desks(ground, &mut client).await;
    assert_eq!(desks.len(), COORDINATORS, "the district has too few classes; set BENCH_STUDENTS higher");
    let keys: Vec<(String, String)> = desks.iter().map(|desk| (desk.class_review_id.clone(), desk.token.clone())).collect();
    let connections: Vec<Channel> = (0..CONNECTIONS).map(|_| ground.district.channel("reviews")).collect();
    let start = Instant::now() + Duration::from_secs(1);
    let until = start + LASTS;
    let mut workers = Vec::new();
    for (at, desk) in desks.into_iter().enumerate() {
        let client = ReviewServiceClient::new(connections[at % CONNECTIONS].clone());
        // Nobody goes on to the next student at the same moment as everybody else.
        let share = f64::from(u32::try_from(at).unwrap()) / f64::from(u32::try_from(COORDINATORS).unwrap());
        let first = start + (EVERY * SAVES_A_STUDENT).mul_f64(share);
        workers.push(tokio::spawn(work(client, desk, first, until)));
    }
    let (mut took, mut saved, mut failed) = (Vec::new(), Saved::new(), 0);
    for worker in workers {
        let (times, theirs, failures) = worker.await.unwrap();
        took.extend(times);
        saved.extend(theirs);
        failed += failures;
    }
    let took_all = start.elapsed().as_secs_f64();
    let lost = lost(&mut client, &keys, &saved).await;
    #[expect(clippy::cast_precision_loss, reason = "counts of a minute")]
    let rate = took.len() as f64 / took_all;
    let most = took.iter().max().copied().unwrap_or_default();
    let (p50, p99) = percentiles(took);
    let row = Row {
        name: "season",
        ours: format!("{rate:.0} saves/s"),
        floor: format!("{floor_rate:.0} inserts/s"),
        ratio: rate / floor_rate,
        aim: "p99 < 100 ms, 0 lost",
        aside: format!("{COORDINATORS} coordinators; p50 {p50:.1?}, p99 {p99:.1?}, most {most:.1?}; {failed} failed, {lost} of {} entries lost", saved.len()),
    };
    let (class_review_id, token) = keys.into_iter().next().unwrap();
    (row, Class { class_review_id, students: Vec::new(), token })
}
