//! Service logs: a file of sessions, read a batch at a time, whole or not at all, and never twice.

pub mod columns;
pub mod entity;
pub(crate) mod grpc;
mod line_ends;
pub mod matching;
pub mod reader;
pub mod repo;
pub mod row;

use std::collections::{HashMap, HashSet};
use std::fs::File;

use chassis_pg::idempotency::{self, Request};
use chassis_rpc::status;
use chrono::NaiveDate;
use sqlx::{PgConnection, PgPool, Postgres, Transaction};
use tokio::sync::mpsc;
use tonic::Status;
use uuid::Uuid;

use crate::calendar::today;
use crate::delivery::{self, entity::Delivery, no_shows};
use crate::error::PlanError;
use crate::plan_item::{self, entity::Item};
use crate::sight::Sight;

use entity::{Candidate, Finding, Row, Severity};
use matching::Students;
use reader::Batch;

/// Findings that are told; all are counted.
pub const MOST_FINDINGS: i64 = 1_000;

/// A file to import.
#[derive(Debug)]
pub struct Import {
    /// The file, at its beginning.
    pub file: File,
    /// Only look.
    pub dry_run: bool,
    /// Absences in a row that raise a follow-up.
    pub no_show_limit: i64,
    /// So that it happens once.
    pub request: Request,
}

/// What is told on the way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    /// How far it is.
    Progress {
        /// Rows read.
        rows: u64,
        /// Bytes read.
        bytes: u64,
    },
    /// Something about a row.
    Finding(Finding),
}

/// The end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Rows read.
    pub rows: u64,
    /// Deliveries written, or that would be.
    pub deliveries: i64,
    /// Rows that were there already.
    pub unchanged: i64,
    /// Errors.
    pub errors: i64,
    /// Warnings.
    pub warnings: i64,
    /// Whether it was written.
    pub written: bool,
}

/// Imports a file: all of its rows in one transaction, or none where one has an error or it is a dry run.
pub async fn import(pool: &PgPool, command: Import, students: &dyn Students, sight: &Sight, tell: &mpsc::Sender<Told>) -> Result<Outcome, Status> {
    let (send, mut batches) = mpsc::channel(2);
    let file = command.file;
    let reading = tokio::task::spawn_blocking(move || reader::read(file, |batch| send.blocking_send(batch).is_ok()));
    let mut tx = if command.dry_run { None } else { Some(begin(pool, &command.request).await.map_err(status)?) };
    let mut run = Run { outcome: Outcome::default(), said: HashMap::new(), of: HashMap::new(), today: today(), tell };
    while let Some(batch) = batches.recv().await {
        run.batch(pool, &mut tx, batch, students, sight, &command.request).await?;
        if run.outcome.errors > 0 {
            // Nothing will be written: what was is taken back now, and the rest is only checked.
            tx = None;
        }
    }
    reading.await.map_err(|_| Status::internal("reading the file broke off"))?.map_err(|_| Status::internal("the file cannot be read"))?;
    if let Some(mut tx) = tx {
        let of: HashMap<Uuid, &Item> = run.of.iter().map(|(id, item)| (*id, item)).collect();
        no_shows::look(&mut tx, &of, command.no_show_limit).await.map_err(status)?;
        tx.commit().await.map_err(|e| status(PlanError::from(e)))?;
        run.outcome.written = true;
    }
    Ok(run.outcome)
}

async fn begin(pool: &PgPool, request: &Request) -> Result<Transaction<'static, Postgres>, PlanError> {
    let mut tx = pool.begin().await?;
    // Done before, every row is there already: the file is read again and changes nothing.
    idempotency::claim(&mut tx, request).await?;
    Ok(tx)
}

struct Run<'t> {
    outcome: Outcome,
    /// How often the file said the same of an enrolment.
    said: HashMap<Uuid, u32>,
    /// Items of the enrolments that were written to.
    of: HashMap<Uuid, Item>,
    today: NaiveDate,
    tell: &'t mpsc::Sender<Told>,
}

impl Run<'_> {
    async fn say(&self, told: Told) -> Result<(), Status> {
        self.tell.send(told).await.map_err(|_| Status::cancelled("nobody listens any more"))
    }

    async fn found(&mut self, finding: Finding) -> Result<(), Status> {
        match finding.severity {
            Severity::Error => self.outcome.errors += 1,
            Severity::Warning => self.outcome.warnings += 1,
        }
        if self.outcome.errors + self.outcome.warnings <= MOST_FINDINGS { self.say(Told::Finding(finding)).await } else { Ok(()) }
    }

    async fn batch(
        &mut self,
        pool: &PgPool,
        tx: &mut Option<Transaction<'static, Postgres>>,
        batch: Batch,
        students: &dyn Students,
        sight: &Sight,
        request: &Request,
    ) -> Result<(), Status> {
        self.outcome.rows = batch.read;
        let mut findings = batch.findings;
        let matches = matching::find(students, batch.rows.iter().map(|row| &row.clue)).await?;
        let mut known = Vec::new();
        for row in &batch.rows {
            match matches.get(&row.clue).map(|found| matching::judge(row.line, found)) {
                Some(Ok((student, warning))) => {
                    findings.extend(warning);
                    known.push((row, student));
                }
                Some(Err(error)) => findings.push(error),
                None => return Err(Status::internal("a row has no match")),
            }
        }
        let written = match tx {
            Some(tx) => self.sessions(tx, &known, sight, Some(request), &mut findings).await,
            None => match pool.acquire().await {
                Ok(mut conn) => self.sessions(&mut conn, &known, sight, None, &mut findings).await,
                Err(error) => Err(error.into()),
            },
        };
        written.map_err(status)?;
        findings.sort_by_key(|f| f.line);
        for finding in findings {
            self.found(finding).await?;
        }
        self.say(Told::Progress { rows: batch.read, bytes: batch.bytes }).await
    }

    /// Makes deliveries of rows, and writes those that are new where there is a request and no error so far.
    async fn sessions(
        &mut self,
        conn: &mut PgConnection,
        rows: &[(&Row, Uuid)],
        sight: &Sight,
        request: Option<&Request>,
        findings: &mut Vec<Finding>,
    ) -> Result<(), PlanError> {
        let students: Vec<Uuid> = rows.iter().map(|(_, student)| *student).collect::<HashSet<_>>().into_iter().collect();
        let mut candidates: HashMap<Uuid, Vec<Candidate>> = HashMap::new();
        for candidate in repo::candidates(conn, &students, sight).await? {
            candidates.entry(candidate.student_id).or_default().push(candidate);
        }
        let mut made: Vec<(u64, Delivery)> = Vec::new();
        let mut item_of: HashMap<Uuid, Uuid> = HashMap::new();
        for (row, student) in rows {
            let said = &mut self.said;
            let occurrence = |first| {
                let times = said.entry(first).or_insert(0);
                *times += 1;
                *times - 1
            };
            let chosen = entity::choose(row, candidates.get(student).into_iter().flatten());
            match chosen.and_then(|c| entity::delivery(row, c, occurrence, self.today).map(|d| (c, d))) {
                Ok((candidate, delivery)) => {
                    item_of.insert(candidate.enrolment_id, candidate.plan_item_id);
                    made.push((row.line, delivery));
                }
                Err(finding) => findings.push(finding),
            }
        }
        let ids: Vec<Uuid> = made.iter().map(|(_, d)| d.delivery_id).collect();
        let there = repo::known(conn, &ids).await?;
        let enrolments: Vec<Uuid> = item_of.keys().copied().collect();
        let days: Vec<NaiveDate> = made.iter().map(|(_, d)| d.delivered_on).collect::<HashSet<_>>().into_iter().collect();
        let by_hand = repo::by_hand(conn, &enrolments, &days).await?;
        let mut fresh = Vec::new();
        for (line, delivery) in made {
            let other = by_hand.iter().find(|(enrolment, day, ..)| (*enrolment, *day) == (delivery.enrolment_id, delivery.delivered_on));
            match other {
                _ if there.contains(&delivery.delivery_id) => self.outcome.unchanged += 1,
                Some((_, _, attendance, minutes)) if (*attendance, *minutes) == (delivery.attendance, delivery.delivered_minutes) => {
                    self.outcome.unchanged += 1
                }
                Some(_) => findings.push(Finding::error(
                    line,
                    "date",
                    "ALREADY_LOGGED",
                    "staff logged this session with other minutes or attendance; correct it there, or leave the row out",
                )),
                None => fresh.push(delivery),
            }
        }
        self.outcome.deliveries += i64::try_from(fresh.len()).unwrap_or(i64::MAX);
        let clean = self.outcome.errors == 0 && findings.iter().all(|f| f.severity == Severity::Warning);
        if let Some(request) = request.filter(|_| clean) {
            self.write(conn, &fresh, &item_of, request).await?;
        }
        Ok(())
    }

    async fn write(&mut self, conn: &mut PgConnection, fresh: &[Delivery], item_of: &HashMap<Uuid, Uuid>, request: &Request) -> Result<(), PlanError> {
        let enrolments: Vec<Uuid> = fresh.iter().map(|d| d.enrolment_id).collect::<HashSet<_>>().into_iter().collect();
        // Kept from ending meanwhile.
        let held: HashMap<Uuid, _> = delivery::repo::enrolments(conn, &enrolments).await?.into_iter().map(|e| (e.enrolment_id, e.span())).collect();
        if fresh.iter().any(|d| held.get(&d.enrolment_id).is_none_or(|span| delivery::entity::refusal(d, *span, self.today).is_some())) {
            return Err(PlanError::Stale);
        }
        let missing: Vec<Uuid> = enrolments.iter().filter(|id| !self.of.contains_key(id)).filter_map(|id| item_of.get(id).copied()).collect();
        let items: HashMap<Uuid, Item> = plan_item::repo::by_ids(conn, &missing).await?.into_iter().map(|i| (i.plan_item_id, i)).collect();
        for id in &enrolments {
            if let Some(item) = item_of.get(id).and_then(|item| items.get(item)) {
                self.of.insert(*id, item.clone());
            }
        }
        let of: HashMap<Uuid, &Item> = enrolments.iter().filter_map(|id| Some((*id, self.of.get(id)?))).collect();
        delivery::store(conn, &fresh.iter().collect::<Vec<_>>(), &of, request).await?;
        Ok(())
    }
}
