//! Tests of student reviews, and the class review that other tests start from.

mod autosave;
mod rules;
mod use_cases;

use chrono::NaiveDate;

use super::*;
use crate::class_review::{ClassReviews, Snapshot, Start};
use crate::cycle::{Create, Cycles};
use crate::words::{Polarity, Source};

/// A started class review of fictional students.
pub(crate) struct Fixture {
    pub pool: PgPool,
    pub classes: ClassReviews,
    pub reviews: StudentReviews,
    pub overview: Overview,
    pub students: Vec<Uuid>,
    pub author: Author,
}

fn date() -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 10, 5).unwrap()
}

/// A school day that ends at 15:30, five hours west.
pub(crate) fn clock() -> Clock {
    Clock::new(chassis_clock::Tz::America__New_York, chrono::NaiveTime::from_hms_opt(15, 30, 0).unwrap())
}

pub(crate) async fn fixture(pool: PgPool, students: usize) -> Fixture {
    fixture_requiring(pool, students, &[]).await
}

/// A class review in a cycle that requires these fields.
pub(crate) async fn fixture_requiring(pool: PgPool, students: usize, required: &[&str]) -> Fixture {
    let create = Create {
        request: idempotency::Request::new("tester", "reviews.CreateReviewCycle", Uuid::now_v7(), b"cycle"),
        author: Uuid::now_v7(),
        school_year: 2027,
        season: Season::Fall,
        opens_on: NaiveDate::from_ymd_opt(2026, 9, 14).unwrap(),
        closes_on: NaiveDate::from_ymd_opt(2026, 12, 18).unwrap(),
        required_fields: required.iter().map(|field| (*field).to_owned()).collect(),
    };
    let cycle = Cycles::new(pool.clone()).create(create).await.unwrap();
    let classes = ClassReviews::new(pool.clone());
    let students: Vec<Uuid> = (0..students).map(|_| Uuid::now_v7()).collect();
    let start = Start {
        request: idempotency::Request::new("tester", "reviews.StartClassReview", Uuid::now_v7(), b"start"),
        author: Uuid::now_v7(),
        cycle_id: cycle.id,
        class_id: Uuid::now_v7(),
        school_id: Uuid::now_v7(),
        roster_date: date(),
        snapshot: Snapshot { students: students.iter().map(|s| (*s, "03".to_owned())).collect() },
    };
    let overview = classes.start(start).await.unwrap();
    let author = coordinator(Uuid::now_v7());
    Fixture { reviews: StudentReviews::new(pool.clone(), clock()), pool, classes, overview, students, author }
}

/// Sees everything.
pub(crate) fn coordinator(id: Uuid) -> Author {
    let restricted = ["academics", "social_emotional", "health", "family", ""].map(str::to_owned).to_vec();
    Author { id, sight: Sight { restricted, protected: true, own: Some(id) }, may_change_others: true }
}

/// Sees what is general, and what they wrote that is restricted.
pub(crate) fn teacher(id: Uuid) -> Author {
    Author { id, sight: Sight { own: Some(id), ..Sight::default() }, may_change_others: false }
}

impl Fixture {
    /// The spring review of the same class and students.
    pub async fn spring(&self) -> Fixture {
        let create = Create {
            request: idempotency::Request::new("tester", "reviews.CreateReviewCycle", Uuid::now_v7(), b"spring"),
            author: Uuid::now_v7(),
            school_year: 2027,
            season: Season::Spring,
            opens_on: NaiveDate::from_ymd_opt(2027, 3, 1).unwrap(),
            closes_on: NaiveDate::from_ymd_opt(2027, 5, 28).unwrap(),
            required_fields: Vec::new(),
        };
        let cycle = Cycles::new(self.pool.clone()).create(create).await.unwrap();
        let roster_date = NaiveDate::from_ymd_opt(2027, 3, 15).unwrap();
        let overview = self.classes.start(Start { cycle_id: cycle.id, roster_date, ..self.start(Uuid::now_v7()) }).await.unwrap();
        Fixture {
            pool: self.pool.clone(),
            classes: self.classes.clone(),
            reviews: self.reviews.clone(),
            overview,
            students: self.students.clone(),
            author: self.author.clone(),
        }
    }

    /// Marks a student reviewed in tier 1, whatever was noted.
    pub async fn complete(&self, student: usize) -> StudentReview {
        let version = async || self.reviews.get(self.overview.review.id, self.students[student]).await.unwrap().version;
        let decision = Decision {
            no_concern: Domain::ALL.to_vec(),
            assigned_tier: Some(Tier::One),
            tier_reason: "strengths_buffer".to_owned(),
            no_strength_reason: "new here".to_owned(),
            ..Decision::default()
        };
        self.reviews.update(&self.fresh(student, version().await), decision, &self.author).await.unwrap();
        self.reviews.complete(&self.fresh(student, version().await), &self.author).await.unwrap()
    }

    /// Hands the class review in, and signs it for both.
    pub async fn sign(&self) {
        let change = async || {
            let version = self.classes.existing(self.overview.review.cycle_id, self.overview.review.class_id).await.unwrap().unwrap().review.version;
            class_review::Change {
                request: idempotency::Request::new("tester", "reviews.Sign", Uuid::now_v7(), b"sign"),
                id: self.overview.review.id,
                expected_version: version,
            }
        };
        self.classes.submit(change().await).await.unwrap();
        self.classes.sign(change().await, class_review::Signer { by: Uuid::now_v7(), teacher: true, ..class_review::Signer::default() }).await.unwrap();
        self.classes.sign(change().await, class_review::Signer { by: Uuid::now_v7(), coordinator: true, ..class_review::Signer::default() }).await.unwrap();
    }

    pub fn start(&self, request_id: Uuid) -> Start {
        let review = &self.overview.review;
        Start {
            request: idempotency::Request::new("tester", "reviews.StartClassReview", request_id, b"start"),
            author: Uuid::now_v7(),
            cycle_id: review.cycle_id,
            class_id: review.class_id,
            school_id: review.school_id,
            roster_date: review.roster_date,
            snapshot: Snapshot { students: self.students.iter().map(|s| (*s, "03".to_owned())).collect() },
        }
    }

    pub fn change(&self, request_id: Uuid, student: usize, expected_version: i64) -> Change {
        Change {
            request: idempotency::Request::new("tester", "reviews.Method", request_id, b"same"),
            class_review_id: self.overview.review.id,
            student_id: self.students[student],
            expected_version,
        }
    }

    pub fn fresh(&self, student: usize, expected_version: i64) -> Change {
        self.change(Uuid::now_v7(), student, expected_version)
    }

    /// A put of a new request.
    pub fn put(&self, author: &Author, entry: &Entry, expected_version: i64) -> Put {
        Put { change: self.fresh(0, expected_version), author: author.clone(), entry: entry.clone() }
    }

    /// How many events wait for a topic.
    pub async fn published(&self, topic: &str) -> i64 {
        sqlx::query_scalar("select count(*) from reviews.outbox where aggregatetype = $1").bind(topic).fetch_one(&self.pool).await.unwrap()
    }

    /// The newest message on a topic.
    pub async fn newest<M: prost::Message + Default>(&self, topic: &str) -> M {
        let payload: Vec<u8> = sqlx::query_scalar("select payload from reviews.outbox where aggregatetype = $1 order by position desc limit 1")
            .bind(topic)
            .fetch_one(&self.pool)
            .await
            .unwrap();
        M::decode(&*payload).unwrap()
    }

    pub async fn count(&self, table: &str) -> i64 {
        sqlx::query_scalar(sqlx::AssertSqlSafe(format!("select count(*) from reviews.{table}"))).fetch_one(&self.pool).await.unwrap()
    }
}

/// An entry by the code list: its domain and least sensitivity.
pub(crate) fn entry(code: &str, polarity: Polarity, severity: i16) -> Entry {
    let line = crate::taxonomy::get(code).unwrap();
    Entry {
        id: Uuid::now_v7(),
        polarity,
        code: code.to_owned(),
        domain: line.domain,
        severity,
        certainty: (polarity == Polarity::Need).then_some(crate::tier::rule::Certainty::Observed),
        source: Source::Teacher,
        note: "a note for tests".to_owned(),
        sensitivity: crate::words::sensitivity_of_code(line.sensitivity),
        version: 0,
        author: Uuid::nil(),
        recorded_at: DateTime::UNIX_EPOCH,
        updated_at: DateTime::UNIX_EPOCH,
        since: None,
        confirmed_by: None,
        origin: None,
        from: None,
        superseded_by: None,
    }
}
