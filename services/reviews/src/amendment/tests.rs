use chassis_pg::testing;
use chassis_rpc::PageRequest;
use proto::reviews::v1 as wire;

use super::*;
use crate::app::MIGRATIONS;
use crate::student_review::tests::{Fixture, clock, entry, fixture, teacher};
use crate::tier::rule::{Certainty, Tier};
use crate::words::{Source, StudentReviewState};

fn confirmed(code: &str, severity: i16, source: Source) -> Entry {
    Entry { certainty: Some(Certainty::Confirmed), confirmed_by: Some(source), source, ..entry(code, Polarity::Need, severity) }
}

fn replace(f: &Fixture, former: &Entry, need: Entry) -> Replace {
    Replace { change: f.fresh(0, former.version), author: f.author.clone(), former: former.id, need, reason: "told by the mother".to_owned() }
}

async fn review(f: &Fixture) -> StudentReview {
    f.reviews.get(f.overview.review.id, f.students[0]).await.unwrap()
}

async fn actions(f: &Fixture, author: &Author) -> Vec<(String, String)> {
    let page = PageRequest { size: 50, after: None };
    let rows = f.reviews.history(f.overview.review.id, f.students[0], &author.sight, &page).await.unwrap();
    rows.into_iter().filter_map(|r| Some((r.action, r.entry?.code))).collect()
}

#[tokio::test]
async fn mathematics_becomes_grief_because_the_family_says_so_and_both_are_kept() {
    let f = fixture(testing::database(&MIGRATIONS).await, 1).await;
    let maths = Entry { certainty: Some(Certainty::Suspected), ..entry("ACA-MAT", Polarity::Need, 2) };
    let maths = f.reviews.put(&f.put(&teacher(Uuid::now_v7()), &maths, 0)).await.unwrap();
    let suggested = |review: &StudentReview| crate::student_review::entity::suggest(&review.entries).tier;
    assert_eq!(suggested(&review(&f).await), Tier::TwoA);
    f.complete(0).await;
    f.sign().await;
    let version = review(&f).await.version;

    let amendments = Amendments::new(f.pool.clone(), clock());
    let command = replace(&f, &maths, confirmed("SEB-GRF", 2, Source::Family));
    let (grief, former) = amendments.reclassify(&command).await.unwrap();
    assert_eq!((grief.origin, grief.from, grief.confirmed_by), (Some(Origin::Reclassified), Some(maths.id), Some(Source::Family)));
    assert_eq!((former.superseded_by, former.code.as_str(), former.version), (Some(grief.id), "ACA-MAT", 2));
    assert_eq!(amendments.reclassify(&command).await.unwrap(), (grief.clone(), former), "a repeat is answered");

    let after = review(&f).await;
    assert_eq!((after.state, after.version, after.entries.len()), (StudentReviewState::Amended, version + 1, 2));
    assert_eq!(suggested(&after), Tier::TwoB, "the old need counts no longer");
    assert!(!after.gaps(&[], |_| true).iter().any(|g| g.field == "no_concern_domains"));
    let told: wire::StudentReviewChanged = f.newest("reviews.student-review.v1").await;
    assert_eq!((told.state(), told.version), (wire::StudentReviewState::Amended, version + 1));
    assert_eq!(told.entries.iter().map(|e| e.code.as_str()).collect::<Vec<_>>(), ["SEB-GRF"]);
    let told: wire::NeedReclassified = f.newest("reviews.need-reclassified.v1").await;
    assert_eq!((told.from_entry_id, told.need.unwrap().entry_id, told.version), (maths.id.to_string(), grief.id.to_string(), version + 1));
    assert_eq!(f.published("reviews.need-reclassified.v1").await, 1);
    let done = [("reclassified", "SEB-GRF"), ("reclassified", "ACA-MAT")].map(|(a, c)| (a.to_owned(), c.to_owned()));
    assert_eq!(actions(&f, &f.author).await[..2], done);

    // The old need is done with: it is neither replaced again nor changed.
    let again = replace(&f, &Entry { version: 2, ..maths.clone() }, confirmed("SEB-ANX", 1, Source::Counsellor));
    assert!(matches!(amendments.reclassify(&again).await, Err(StudentReviewError::Superseded)));
    let stale = replace(&f, &Entry { version: 9, ..grief.clone() }, confirmed("SEB-ANX", 1, Source::Counsellor));
    assert!(matches!(amendments.reclassify(&stale).await, Err(StudentReviewError::Refused(crate::error::Refusal::Stale))));
    let same = replace(&f, &grief, confirmed("SEB-GRF", 1, Source::Counsellor));
    assert!(matches!(amendments.reclassify(&same).await, Err(StudentReviewError::Refused(crate::error::Refusal::Invalid(_)))));
    assert!(matches!(amendments.promote(&replace(&f, &grief, confirmed("SEB-ANX", 1, Source::Family))).await, Err(StudentReviewError::NotThat(_))));
}

#[tokio::test]
async fn a_need_that_turns_out_to_be_protected_is_told_to_those_on_the_case_and_to_nobody_else() {
    let f = fixture(testing::database(&MIGRATIONS).await, 1).await;
    let outside = teacher(Uuid::now_v7());
    let maths = f.reviews.put(&f.put(&outside, &entry("ACA-MAT", Polarity::Need, 2), 0)).await.unwrap();
    f.complete(0).await;
    let amendments = Amendments::new(f.pool.clone(), clock());
    amendments.reclassify(&replace(&f, &maths, confirmed("FAM-VIO", 3, Source::Family))).await.unwrap();
    assert_eq!(f.published("reviews.need-reclassified.v1").await, 0);
    let told: wire::StudentReviewChanged = f.newest("reviews.student-review.v1").await;
    assert_eq!(told.entries, []);
    // For those outside it is as if the old need had been taken out: no word on what took its place.
    let shown = review(&f).await.shown_to(&outside.sight);
    assert_eq!((shown.entries.len(), shown.closed_entry_count), (0, 0));
    assert_eq!(actions(&f, &outside).await[0].0, "entry_removed");
    assert!(actions(&f, &outside).await.iter().all(|(action, code)| action != "reclassified" && code != "FAM-VIO"));
    assert_eq!(review(&f).await.shown_to(&f.author.sight).entries.len(), 2);
}

#[tokio::test]
async fn a_need_that_comes_from_a_protected_one_does_not_say_so_to_others() {
    let f = fixture(testing::database(&MIGRATIONS).await, 1).await;
    let outside = teacher(Uuid::now_v7());
    let violence = f.reviews.put(&f.put(&f.author, &entry("FAM-VIO", Polarity::Need, 2), 0)).await.unwrap();
    let amendments = Amendments::new(f.pool.clone(), clock());
    amendments.reclassify(&replace(&f, &violence, confirmed("ACA-ORG", 2, Source::Family))).await.unwrap();
    let shown = review(&f).await.shown_to(&outside.sight);
    let order = &shown.entries[0];
    assert_eq!((shown.entries.len(), order.origin(), order.from_entry_id.as_str()), (1, wire::EntryOrigin::Unspecified, ""));
    assert_eq!(actions(&f, &outside).await, [("entry_put".to_owned(), "ACA-ORG".to_owned())]);
    let known = review(&f).await.shown_to(&f.author.sight);
    assert_eq!(known.entries.iter().find(|e| e.code == "ACA-ORG").unwrap().from_entry_id, violence.id.to_string());
    assert_eq!((f.published("reviews.need-reclassified.v1").await, f.published("reviews.protected-need.v1").await), (0, 1));
}

#[tokio::test]
async fn an_observation_is_no_need_until_it_is_made_one() {
    let f = fixture(testing::database(&MIGRATIONS).await, 1).await;
    let author = teacher(Uuid::now_v7());
    let seen = Entry { domain: crate::taxonomy::get("SEB-CON").unwrap().domain, ..entry("SEB-CON", Polarity::Observation, 0) };
    let seen = f.reviews.put(&f.put(&author, &seen, 0)).await.unwrap();
    let before = review(&f).await;
    assert_eq!(crate::student_review::entity::suggest(&before.entries).tier, Tier::One);
    assert_eq!(before.answered(|_| true), 1, "it answers its domain");
    f.complete(0).await;
    let told: wire::StudentReviewChanged = f.newest("reviews.student-review.v1").await;
    assert_eq!(told.entries, []);
    let amendments = Amendments::new(f.pool.clone(), clock());
    let other = Replace { author: teacher(Uuid::now_v7()), ..replace(&f, &seen, entry("SEB-CON", Polarity::Need, 2)) };
    assert!(matches!(amendments.promote(&other).await, Err(StudentReviewError::NotYours)));
    let need = amendments.promote(&Replace { author, ..replace(&f, &seen, entry("SEB-CON", Polarity::Need, 2)) }).await.unwrap();
    assert_eq!((need.origin, need.from), (Some(Origin::Promoted), Some(seen.id)));
    let after = review(&f).await;
    assert_eq!((after.state, after.entries.len()), (StudentReviewState::Amended, 2));
    let told: wire::StudentReviewChanged = f.newest("reviews.student-review.v1").await;
    assert_eq!(told.entries.iter().map(|e| e.entry_id.clone()).collect::<Vec<_>>(), [need.id.to_string()]);
}

#[tokio::test]
async fn a_need_is_recorded_on_any_day_on_the_latest_review_of_the_year() {
    let f = fixture(testing::database(&MIGRATIONS).await, 1).await;
    let amendments = Amendments::new(f.pool.clone(), clock());
    let (id, student) = (f.overview.review.id, f.students[0]);
    assert_eq!(amendments.latest(student, 2027).await.unwrap(), id);
    assert!(matches!(amendments.latest(student, 2026).await, Err(StudentReviewError::NoReviewYet)));
    assert!(matches!(amendments.latest(Uuid::now_v7(), 2027).await, Err(StudentReviewError::NoReviewYet)));
    f.complete(0).await;
    f.sign().await;
    let change = f.fresh(0, 0);
    let need = entry("FAM-FOD", Polarity::Need, 2);
    let stored = amendments.record(&change, need.clone(), &f.author).await.unwrap();
    assert_eq!(amendments.record(&change, need.clone(), &f.author).await.unwrap(), stored);
    assert!(matches!(amendments.record(&f.fresh(0, 0), need, &f.author).await, Err(StudentReviewError::Refused(crate::error::Refusal::Stale))));
    let told: wire::StudentReviewChanged = f.newest("reviews.student-review.v1").await;
    assert_eq!((told.state(), told.entries.len()), (wire::StudentReviewState::Amended, 1));
    let spring = f.spring().await;
    assert_eq!(amendments.latest(student, 2027).await.unwrap(), spring.overview.review.id);
    // What cannot wait does not.
    let violence = Entry { certainty: Some(Certainty::Suspected), ..entry("FAM-VIO", Polarity::Need, 2) };
    let open_events = f.published("reviews.student-review.v1").await;
    let before = review(&f).await;
    amendments.record(&f.fresh(0, 0), violence, &f.author).await.unwrap();
    let raised: i64 = sqlx::query_scalar("select count(*) from reviews.concern").fetch_one(&f.pool).await.unwrap();
    assert_eq!(raised, 1);
    // And it moves nothing that others see.
    let after = review(&f).await;
    assert_eq!((after.version, after.state, after.protected_changes), (before.version, before.state, before.protected_changes + 1));
    assert_eq!(f.published("reviews.student-review.v1").await, open_events);
    let told: wire::ProtectedNeedsRecorded = f.newest("reviews.protected-need.v1").await;
    assert_eq!((told.entries.len(), told.version), (1, after.version + after.protected_changes));
}

#[tokio::test]
async fn an_entry_is_closed_to_some_with_a_reason_and_never_opened_below_its_code() {
    let f = fixture(testing::database(&MIGRATIONS).await, 1).await;
    let amendments = Amendments::new(f.pool.clone(), clock());
    let (one, other) = (teacher(Uuid::now_v7()), teacher(Uuid::now_v7()));
    let reading = f.reviews.put(&f.put(&one, &entry("ACA-RDG", Polarity::Need, 2), 0)).await.unwrap();
    f.complete(0).await;
    let refused = amendments.guard(&f.fresh(0, 1), reading.id, Sensitivity::Restricted, "asked", &other).await;
    assert!(matches!(refused, Err(StudentReviewError::NotYours)));
    let closed = amendments.guard(&f.fresh(0, 1), reading.id, Sensitivity::Protected, "the family asked for it", &one).await.unwrap();
    assert_eq!((closed.sensitivity, closed.version), (Sensitivity::Protected, 2));
    assert!(!one.sight.sees(&closed));
    let told: wire::StudentReviewChanged = f.newest("reviews.student-review.v1").await;
    assert_eq!((told.state(), told.entries.len()), (wire::StudentReviewState::Reviewed, 0));
    let told: wire::ProtectedNeedsRecorded = f.newest("reviews.protected-need.v1").await;
    assert_eq!(told.entries.len(), 1);
    assert!(matches!(amendments.guard(&f.fresh(0, 2), reading.id, Sensitivity::General, "no", &one).await, Err(StudentReviewError::NoEntry)));
    let reason: String =
        sqlx::query_scalar("select reason from reviews.student_review_revision where action = 'sensitivity_set'").fetch_one(&f.pool).await.unwrap();
    assert_eq!(reason, "the family asked for it");
    amendments.guard(&f.fresh(0, 2), reading.id, Sensitivity::General, "no longer needed", &f.author).await.unwrap();
    let violence = f.reviews.put(&f.put(&f.author, &entry("FAM-VIO", Polarity::Need, 2), 0)).await;
    assert!(violence.is_err(), "a done review takes no autosave");
    let sleep = amendments.record(&f.fresh(0, 0), entry("FAM-VIO", Polarity::Need, 1), &f.author).await.unwrap();
    let lowered = amendments.guard(&f.fresh(0, 1), sleep.id, Sensitivity::Restricted, "no", &f.author).await;
    assert!(matches!(lowered, Err(StudentReviewError::Refused(crate::error::Refusal::Invalid(_)))));
}

#[tokio::test]
async fn a_need_is_reclassified_only_on_the_word_of_somebody_who_knew_better() {
    use crate::live::tests::{coordinator, need, request, service, teacher};
    let f = fixture(testing::database(&MIGRATIONS).await, 1).await;
    let service = service(&f, tokio_util::sync::CancellationToken::new());
    let relate = "insert into reviews.relationship (subject, relation, object) values ($1, 'attends', $2), ($1, 'member', $3)";
    let review = &f.overview.review;
    sqlx::query(relate).bind(f.students[0]).bind(review.school_id).bind(review.class_id).execute(&f.pool).await.unwrap();
    let maths = f.reviews.put(&f.put(&f.author, &entry("ACA-MAT", Polarity::Need, 2), 0)).await.unwrap();
    let ask = async |caller: &chassis_access::Caller, source: wire::EntrySource, student: Uuid| {
        let message = wire::ReclassifyNeedRequest {
            student_id: student.to_string(),
            entry_id: maths.id.to_string(),
            entry: Some(wire::Entry { source: source.into(), ..need("SEB-GRF", 2) }),
            reason: "told by the mother".to_owned(),
            expected_version: 1,
            request_id: Uuid::now_v7().to_string(),
        };
        service.reclassify(request(caller, message)).await.map(tonic::Response::into_inner).map_err(|s| chassis_rpc::fault::reason_of(&s).unwrap())
    };
    let (coordinator, student) = (coordinator(&f), f.students[0]);
    for source in [wire::EntrySource::Unspecified, wire::EntrySource::Teacher] {
        assert_eq!(ask(&coordinator, source, student).await.unwrap_err(), "INVALID_INPUT");
    }
    assert_eq!(ask(&teacher(&f), wire::EntrySource::Family, student).await.unwrap_err(), "ACCESS_DENIED");
    assert_eq!(ask(&coordinator, wire::EntrySource::Family, Uuid::now_v7()).await.unwrap_err(), "ACCESS_DENIED");
    let answer = ask(&coordinator, wire::EntrySource::Family, student).await.unwrap();
    let (new, former) = (answer.entry.unwrap(), answer.former.unwrap());
    assert_eq!((new.origin(), new.from_entry_id.as_str(), former.superseded_by), (wire::EntryOrigin::Reclassified, former.entry_id.as_str(), new.entry_id));
}
