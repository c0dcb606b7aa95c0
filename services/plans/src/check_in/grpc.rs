//! Check-ins over the wire.

use chassis_access::Caller;
use chassis_pg::idempotency;
use chassis_rpc::Parser;
use prost::Message as _;
use proto::plans::v1::{self as wire, PutCheckInRequest, PutCheckInResponse, RecordCheckInRequest, RecordCheckInResponse};

use super::entity::{CheckIn, Note};
use crate::calendar::today;
use crate::error::PlanError;
use crate::grpc::Plans;

/// As the contract writes a check-in.
pub fn to_wire(check_in: &CheckIn) -> wire::CheckIn {
    wire::CheckIn {
        check_in_id: check_in.check_in_id.to_string(),
        plan_id: check_in.plan_id.to_string(),
        staff_id: check_in.staff_id.to_string(),
        with: check_in.with_whom.clone(),
        every_weeks: check_in.every_weeks.into(),
        weekday: check_in.weekday.into(),
        about: check_in.about.clone(),
        starts_on: check_in.starts_on.to_string(),
        ends_on: check_in.ends_on.map(|d| d.to_string()).unwrap_or_default(),
        version: check_in.version,
        due_count: check_in.due_until(today()),
        happened_count: i32::try_from(check_in.happened).unwrap_or(i32::MAX),
        notes: check_in.notes.iter().map(note_to_wire).collect(),
    }
}

fn note_to_wire(note: &Note) -> wire::CheckInNote {
    wire::CheckInNote {
        note_id: note.note_id.to_string(),
        on_date: note.on_date.to_string(),
        happened: note.happened,
        from_staff: note.from_staff.clone(),
        from_family: note.from_family.clone(),
        recorded_by: note.recorded_by.to_string(),
    }
}

fn read(p: &mut Parser, asked: &wire::CheckIn) -> CheckIn {
    let small = |n: i32| i16::try_from(n).unwrap_or(i16::MAX);
    if ![1, 2, 4].contains(&asked.every_weeks) {
        p.violation("check_in.every_weeks", "must be 1, 2 or 4");
    }
    let read = CheckIn {
        check_in_id: p.uuid("check_in.check_in_id", &asked.check_in_id),
        plan_id: p.uuid("check_in.plan_id", &asked.plan_id),
        staff_id: p.uuid("check_in.staff_id", &asked.staff_id),
        with_whom: p.one_of("check_in.with", &asked.with, &["family", "student"], false),
        every_weeks: small(asked.every_weeks),
        weekday: small(p.number("check_in.weekday", asked.weekday, 1..=7)),
        about: p.text("check_in.about", &asked.about, 200),
        starts_on: p.date("check_in.starts_on", &asked.starts_on),
        ends_on: p.optional_date("check_in.ends_on", &asked.ends_on),
        version: 1,
        happened: 0,
        notes: Vec::new(),
    };
    if read.ends_on.is_some_and(|end| end < read.starts_on) {
        p.violation("check_in.ends_on", "must not be before starts_on");
    }
    read
}

impl Plans {
    pub(crate) async fn check_in_put(&self, caller: &Caller, message: &PutCheckInRequest) -> Result<PutCheckInResponse, PlanError> {
        const ACTION: &str = "plans.PutCheckIn";
        let mut p = Parser::new();
        let request_id = p.uuid("request_id", &message.request_id);
        let check_in = read(&mut p, message.check_in.as_ref().unwrap_or(&wire::CheckIn::default()));
        p.finish()?;
        let student = crate::plan::repo::student_of(&mut *self.pool.acquire().await?, check_in.plan_id).await?;
        self.student(caller, ACTION, student).await?;
        let request = idempotency::Request::new(&caller.subject, ACTION, request_id, &message.encode_to_vec());
        let check_in = super::put(&self.pool, &super::Put { check_in, expected_version: message.expected_version, request }).await?;
        Ok(PutCheckInResponse { check_in: Some(to_wire(&check_in)) })
    }

    pub(crate) async fn check_in_record(&self, caller: &Caller, message: &RecordCheckInRequest) -> Result<RecordCheckInResponse, PlanError> {
        const ACTION: &str = "plans.RecordCheckIn";
        let mut p = Parser::new();
        let check_in_id = p.uuid("check_in_id", &message.check_in_id);
        let request_id = p.uuid("request_id", &message.request_id);
        let asked = message.note.clone().unwrap_or_default();
        let note = Note {
            note_id: p.uuid("note.note_id", &asked.note_id),
            on_date: p.date("note.on_date", &asked.on_date),
            happened: asked.happened,
            from_staff: p.text("note.from_staff", &asked.from_staff, 1000),
            from_family: p.text("note.from_family", &asked.from_family, 1000),
            recorded_by: caller.author(),
        };
        if note.on_date > today() {
            p.violation("note.on_date", "must not be in the future");
        }
        p.finish()?;
        let place = super::repo::place_of(&mut *self.pool.acquire().await?, check_in_id).await?;
        self.student(caller, ACTION, place.map(|(_, student)| student)).await?;
        let request = idempotency::Request::new(&caller.subject, ACTION, request_id, &message.encode_to_vec());
        let check_in = super::record(&self.pool, &super::Record { check_in_id, note, request }).await?;
        Ok(RecordCheckInResponse { check_in: Some(to_wire(&check_in)) })
    }
}
