use std::collections::BTreeMap;
use std::time::Duration;

use chassis_access::{Caller, testing as people};
use chassis_pg::testing;
use chassis_rpc::fault::reason_of;
use futures_util::StreamExt as _;
use proto::reviews::v1 as wire;
use proto::rosters::v1::roster_service_client::RosterServiceClient;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;
use tonic::Status;
use tonic::transport::Channel;
use uuid::Uuid;
use wire::stream_class_review_request::Kind as Up;
use wire::stream_class_review_response::Kind as Down;

use super::{Answers, Live};
use crate::app::MIGRATIONS;
use crate::grpc::Reviews;
use crate::student_review::tests::{Fixture, clock, fixture};
use crate::{activity, amendment, class_review, cycle, prior, tier};

/// The service over a fixture's database, without a network.
pub(crate) fn service(f: &Fixture, stop: CancellationToken) -> Reviews {
    let pool = &f.pool;
    Reviews {
        access: people::access(pool.clone()),
        cycles: cycle::Cycles::new(pool.clone()),
        class_reviews: f.classes.clone(),
        student_reviews: f.reviews.clone(),
        activity: activity::Activity::new(pool.clone()),
        priors: prior::Priors::new(pool.clone(), clock()),
        amendments: amendment::Amendments::new(pool.clone(), clock()),
        live: Live::new(pool.clone(), stop),
        tiers: tier::Tiers::new(pool.clone()),
        places: class_review::places::Places::new(pool.clone()),
        rosters: RosterServiceClient::new(chassis_rpc::Channel::new(Channel::from_static("http://127.0.0.1:1").connect_lazy())),
    }
}

/// A request as the gate hands it on.
pub(crate) fn request<M>(caller: &Caller, message: M) -> tonic::Request<M> {
    let mut request = tonic::Request::new(message);
    request.extensions_mut().insert(caller.clone());
    request
}

/// One end of a stream, as a page holds it.
struct Page {
    class_review_id: String,
    up: mpsc::Sender<Result<wire::StreamClassReviewRequest, Status>>,
    down: Answers,
    students: BTreeMap<String, wire::StudentReview>,
}

impl Page {
    async fn open(service: &Reviews, caller: Caller, class_review_id: Uuid) -> (Self, wire::StreamOpened) {
        let (up, rest) = mpsc::channel(8);
        let class_review_id = class_review_id.to_string();
        up.send(Ok(wire::StreamClassReviewRequest { kind: Some(Up::Open(wire::StreamOpen { class_review_id: class_review_id.clone() })) })).await.unwrap();
        let mut down = service.follow(caller, ReceiverStream::new(rest)).await.unwrap();
        let Some(Down::Opened(opened)) = down.next().await.unwrap().unwrap().kind else { panic!("opened comes first") };
        (Self { class_review_id, up, down, students: BTreeMap::new() }, opened)
    }

    async fn send(&self, kind: Up) {
        self.up.send(Ok(wire::StreamClassReviewRequest { kind: Some(kind) })).await.unwrap();
    }

    async fn put(&self, student: Uuid, entry: wire::Entry, expected_version: i64) -> String {
        let request_id = Uuid::now_v7().to_string();
        let (class_review_id, student_id) = (self.class_review_id.clone(), student.to_string());
        self.send(Up::PutEntry(wire::PutEntryRequest { class_review_id, student_id, entry: Some(entry), expected_version, request_id: request_id.clone() }))
            .await;
        request_id
    }

    /// The next thing that is neither a student's review nor the class's: those are kept.
    async fn next(&mut self) -> Down {
        loop {
            let waited = tokio::time::timeout(Duration::from_secs(10), self.down.next()).await.expect("nothing comes down");
            match waited.expect("the stream ended").unwrap().kind.unwrap() {
                Down::StudentReview(review) => drop(self.students.insert(review.student_id.clone(), review)),
                Down::ClassReview(_) => {}
                other => return other,
            }
        }
    }

    /// Reads until nothing has come for a while; answers the students who were sent.
    async fn settle(&mut self) -> Vec<wire::StudentReview> {
        let mut sent = Vec::new();
        while let Ok(message) = tokio::time::timeout(Duration::from_millis(1500), self.down.next()).await {
            if let Down::StudentReview(review) = message.expect("the stream ended").unwrap().kind.unwrap() {
                self.students.insert(review.student_id.clone(), review.clone());
                sent.push(review);
            }
        }
        sent
    }
}

pub(crate) fn teacher(f: &Fixture) -> Caller {
    let mut caller = people::caller(Uuid::now_v7(), "teacher", &[]);
    caller.teaches.insert(f.overview.review.class_id);
    caller
}

pub(crate) fn coordinator(f: &Fixture) -> Caller {
    people::caller(Uuid::now_v7(), "coordinator", &[f.overview.review.school_id])
}

pub(crate) fn need(code: &str, severity: i32) -> wire::Entry {
    wire::Entry {
        entry_id: Uuid::now_v7().to_string(),
        polarity: wire::Polarity::Need.into(),
        code: code.to_owned(),
        severity,
        note: "a note for tests".to_owned(),
        ..Default::default()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_work_on_one_class_see_each_other_and_neither_overwrites_the_other() {
    let f = fixture(testing::database(&MIGRATIONS).await, 2).await;
    let service = service(&f, CancellationToken::new());
    let id = f.overview.review.id;
    let (coordinator, teacher) = (coordinator(&f), teacher(&f));
    let (mut one, opened) = Page::open(&service, coordinator.clone(), id).await;
    assert_eq!((opened.present.len(), opened.class_review.unwrap().student_count), (0, 2));
    let (mut two, opened) = Page::open(&service, teacher.clone(), id).await;
    assert_eq!(opened.present.iter().map(|p| p.staff_id.clone()).collect::<Vec<_>>(), [coordinator.staff_id.unwrap().to_string()]);
    let Down::Presence(came) = one.next().await else { panic!("somebody came") };
    assert_eq!((came.staff_id.as_str(), came.gone), (teacher.staff_id.unwrap().to_string().as_str(), false));
    two.settle().await;
    assert_eq!(two.students.len(), 2, "everything is sent at the opening");

    two.send(Up::Presence(wire::Presence { student_id: f.students[1].to_string(), ..Default::default() })).await;
    let Down::Presence(moved) = one.next().await else { panic!("somebody moved") };
    assert_eq!(moved.student_id, f.students[1].to_string());

    let reading = need("ACA-RDG", 2);
    let request_id = two.put(f.students[0], reading.clone(), 0).await;
    let Down::Saved(saved) = two.next().await else { panic!("it was saved") };
    assert_eq!((saved.request_id, saved.entry.unwrap().version), (request_id, 1));
    one.settle().await;
    let seen = &one.students[&f.students[0].to_string()];
    assert_eq!((seen.entries.len(), seen.state()), (1, wire::StudentReviewState::InProgress));

    // Both change the same entry from the version they saw.
    one.put(f.students[0], wire::Entry { severity: 3, ..reading.clone() }, 1).await;
    let Down::Saved(_) = one.next().await else { panic!("the first is saved") };
    two.put(f.students[0], wire::Entry { severity: 1, ..reading.clone() }, 1).await;
    let Down::Refused(refused) = two.next().await else { panic!("the second is refused") };
    assert_eq!((refused.reason.as_str(), refused.current_entry.map(|e| (e.version, e.severity))), ("ETAG_MISMATCH", Some((2, 3))));
    let update = wire::UpdateStudentReviewRequest {
        class_review_id: id.to_string(),
        student_id: f.students[1].to_string(),
        expected_version: 7,
        request_id: Uuid::now_v7().to_string(),
        ..Default::default()
    };
    two.send(Up::UpdateStudentReview(update.clone())).await;
    let Down::Refused(refused) = two.next().await else { panic!("stale") };
    assert_eq!((refused.reason.as_str(), refused.current_review.map(|r| r.version)), ("ETAG_MISMATCH", Some(1)));
    two.send(Up::UpdateStudentReview(wire::UpdateStudentReviewRequest { class_review_id: Uuid::now_v7().to_string(), ..update })).await;
    let Down::Refused(refused) = two.next().await else { panic!("another class review") };
    assert_eq!(refused.reason, "INVALID_INPUT");

    drop(two);
    loop {
        if let Down::Presence(left) = one.next().await
            && left.gone
        {
            assert_eq!(left.staff_id, teacher.staff_id.unwrap().to_string());
            break;
        }
    }
    drop(one);
    tokio::time::timeout(Duration::from_secs(10), async {
        while service.live.open() > 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await
    .expect("the room closes behind the last");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_protected_moves_nothing_for_those_who_may_not_know_of_it() {
    let f = fixture(testing::database(&MIGRATIONS).await, 2).await;
    let service = service(&f, CancellationToken::new());
    let id = f.overview.review.id;
    let mut on_case = teacher(&f);
    on_case.on_case.insert(f.students[0]);
    let (mut writer, _) = Page::open(&service, coordinator(&f), id).await;
    let (mut outside, _) = Page::open(&service, teacher(&f), id).await;
    let (mut inside, _) = Page::open(&service, on_case, id).await;
    for page in [&mut writer, &mut outside, &mut inside] {
        page.settle().await;
    }
    // One for the student on whose case the teacher is, one for another; on pending reviews, and on those begun.
    for round in 0..2 {
        for student in &f.students {
            writer.put(*student, need("FAM-VIO", 3), 0).await;
            let Down::Saved(_) = writer.next().await else { panic!("saved") };
        }
        assert_eq!(outside.settle().await, [], "round {round}");
        let seen = inside.settle().await;
        assert!(!seen.is_empty() && seen.iter().all(|r| r.student_id == f.students[0].to_string()), "round {round}: {seen:?}");
        assert_eq!(inside.students[&f.students[0].to_string()].entries.len(), 2 * round + 1);
        writer.settle().await;
        assert_eq!(writer.students[&f.students[1].to_string()].entries.len(), 2 * round + 1);
        for student in &f.students {
            writer.put(*student, need("ACA-RDG", 1), 0).await;
            let Down::Saved(_) = writer.next().await else { panic!("saved") };
        }
        for page in [&mut writer, &mut outside, &mut inside] {
            page.settle().await;
        }
        assert_eq!(outside.students[&f.students[1].to_string()].entries.len(), round + 1);
    }
    // A conflict about what they may not know of shows nothing either.
    let secret = writer.students[&f.students[0].to_string()].entries.iter().find(|e| e.code == "FAM-VIO").unwrap().clone();
    outside.put(f.students[0], wire::Entry { entry_id: secret.entry_id, ..need("ACA-MAT", 1) }, 1).await;
    let Down::Refused(refused) = outside.next().await else { panic!("refused") };
    assert_eq!((refused.reason.as_str(), refused.current_entry), ("ENTRY_NOT_FOUND", None));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_replica_sees_what_is_written_and_a_stop_ends_the_stream() {
    let f = fixture(testing::database(&MIGRATIONS).await, 1).await;
    let stop = CancellationToken::new();
    let (here, there) = (service(&f, CancellationToken::new()), service(&f, stop.clone()));
    let id = f.overview.review.id;
    let (mut page, _) = Page::open(&there, teacher(&f), id).await;
    page.settle().await;
    let put = wire::PutEntryRequest {
        class_review_id: id.to_string(),
        student_id: f.students[0].to_string(),
        entry: Some(need("ACA-RDG", 1)),
        expected_version: 0,
        request_id: Uuid::now_v7().to_string(),
    };
    here.put_by(&coordinator(&f), &put).await.unwrap();
    assert_eq!(page.settle().await.last().map(|r| r.entries.len()), Some(1));
    stop.cancel();
    let ended = tokio::time::timeout(Duration::from_secs(10), page.down.next()).await.unwrap().unwrap().unwrap_err();
    assert_eq!(ended.code(), tonic::Code::Unavailable);
    assert!(page.down.next().await.is_none());
}

#[tokio::test]
async fn a_stream_is_opened_by_its_first_message_and_only_for_those_who_may() {
    let f = fixture(testing::database(&MIGRATIONS).await, 1).await;
    let service = service(&f, CancellationToken::new());
    let open = |id: Uuid| wire::StreamClassReviewRequest { kind: Some(Up::Open(wire::StreamOpen { class_review_id: id.to_string() })) };
    let first = async |caller: Caller, message| service.follow(caller, tokio_stream::iter([Ok(message)])).await.err().expect("it is refused");
    let id = f.overview.review.id;
    let stranger = people::caller(Uuid::now_v7(), "teacher", &[]);
    assert_eq!(reason_of(&first(stranger.clone(), open(id)).await).as_deref(), Some("ACCESS_DENIED"));
    assert_eq!(reason_of(&first(stranger, open(Uuid::now_v7())).await).as_deref(), Some("ACCESS_DENIED"));
    let presence = wire::StreamClassReviewRequest { kind: Some(Up::Presence(wire::Presence::default())) };
    assert_eq!(first(teacher(&f), presence).await.code(), tonic::Code::InvalidArgument);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_reads_slowly_is_shown_where_things_stand_and_no_more() {
    let f = fixture(testing::database(&MIGRATIONS).await, 1).await;
    let service = service(&f, CancellationToken::new());
    let (mut slow, _) = Page::open(&service, coordinator(&f), f.overview.review.id).await;
    let (mut quick, _) = Page::open(&service, teacher(&f), f.overview.review.id).await;
    let mut entry = need("ACA-RDG", 1);
    for version in 0..150 {
        entry.severity = 1 + i32::try_from(version % 3).unwrap();
        quick.put(f.students[0], entry.clone(), version).await;
        let Down::Saved(_) = quick.next().await else { panic!("saved") };
        quick.send(Up::Presence(wire::Presence { student_id: f.students[0].to_string(), ..Default::default() })).await;
    }
    let sent = slow.settle().await;
    assert_eq!(sent.last().map(|r| r.entries[0].version), Some(150));
}
