//! Concerns over gRPC.

use chassis_access::{Caller, Clearance, Sensitivity};
use chassis_pg::idempotency;
use chassis_rpc::fault::OrStatus as _;
use chassis_rpc::{PageToken, Parser};
use prost::Message as _;
use proto::reviews::v1 as wire;
use proto::r#type::v1 as types;
use tonic::{Request, Response, Status};
use uuid::Uuid;

use super::Change;
use super::clock::{self, school_year};
use super::entity::Concern;
use crate::case_access::sight::{Clearances, Place, View};
use crate::cases::{Cases, Student, denied};
use crate::taxonomy;
use crate::words::{
    ConcernSource, ConcernState, Triage, Urgency, domain_from_wire, domain_wire, domain_word, sensitivity_from_wire, sensitivity_of_code, sensitivity_wire,
    time_wire,
};

/// Needs that a concern is about, at the most.
const MOST_NEEDS: usize = 20;

impl Concern {
    /// How much of it a caller sees.
    pub(crate) fn view(&self, caller: &Caller, clearance: &Clearance) -> View {
        let cleared = if self.domain.is_none() { clearance.all_restricted() } else { clearance.restricted(domain_word(self.domain)) };
        let own = caller.staff_id == Some(self.raised_by);
        View::of(self.sensitivity, cleared, own, clearance.protected())
    }

    /// As this caller may see it.
    fn shown(self, view: View) -> Option<wire::Concern> {
        let id = |id: Option<Uuid>| id.map(|id| id.to_string()).unwrap_or_default();
        let frame = wire::Concern {
            concern_id: self.id.to_string(),
            student_id: self.student_id.to_string(),
            school_id: self.school_id.to_string(),
            school_year: self.school_year,
            state: self.state.wire(),
            urgency: self.urgency.wire(),
            sensitivity: sensitivity_wire(self.sensitivity),
            raise_time: Some(time_wire(self.raised_at)),
            due_time: Some(time_wire(self.due_at)),
            triage_time: self.answer.as_ref().map(|a| time_wire(a.at)),
            version: self.version,
            ..Default::default()
        };
        match view {
            View::Absent => None,
            View::Closed => Some(wire::Concern { closed_to_caller: true, ..frame }),
            View::Open => {
                let answer = self.answer.as_ref();
                Some(wire::Concern {
                    source: self.source.wire(),
                    domain: domain_wire(self.domain),
                    raised_by: self.raised_by.to_string(),
                    triage: answer.map(|a| a.triage.wire()).unwrap_or_default(),
                    triaged_by: id(answer.map(|a| a.by)),
                    triage_note: self.answer.map(|a| a.note).unwrap_or_default(),
                    code: self.code,
                    text: self.words,
                    individual_review_id: id(self.individual_review_id),
                    close_note: self.close_note,
                    need_ids: self.need_ids.iter().map(Uuid::to_string).collect(),
                    ..frame
                })
            }
        }
    }
}

/// What was sent of a concern; student, school and times are added once access is decided.
fn parse(p: &mut Parser, sent: &wire::Concern) -> Concern {
    let urgency: wire::ConcernUrgency = p.known_enum("concern.urgency", sent.urgency);
    let source: wire::ConcernSource = p.known_enum("concern.source", sent.source);
    let named: types::Domain = p.known_enum("concern.domain", sent.domain);
    let sensitivity: types::Sensitivity = p.known_enum("concern.sensitivity", sent.sensitivity);
    let line = if sent.code.is_empty() { None } else { taxonomy::get(&sent.code).filter(|line| line.allows_need()) };
    if line.is_none() && !sent.code.is_empty() {
        p.violation("concern.code", "is not a need in the code list; ListCodes has them");
    }
    let named = domain_from_wire(named.into());
    let of_code = line.and_then(|line| line.domain);
    if named.is_some() && of_code.is_some() && named != of_code {
        p.violation("concern.domain", "must be the code's domain, or empty");
    }
    let least = line.map_or(Sensitivity::General, |line| sensitivity_of_code(line.sensitivity));
    let now = clock::now();
    Concern {
        id: p.uuid("concern.concern_id", &sent.concern_id),
        student_id: p.uuid("concern.student_id", &sent.student_id),
        school_id: Uuid::nil(),
        school_year: 0,
        state: ConcernState::Raised,
        urgency: Urgency::from_wire(urgency.into()).unwrap_or(Urgency::Routine),
        source: ConcernSource::from_wire(source.into()).unwrap_or(ConcernSource::Staff),
        domain: of_code.or(named),
        code: sent.code.clone(),
        words: p.required_text("concern.text", &sent.text, 2000),
        sensitivity: sensitivity_from_wire(sensitivity).max(least),
        need_ids: p.uuids("concern.need_ids", &sent.need_ids, MOST_NEEDS),
        urgent_need_id: None,
        raised_by: Uuid::nil(),
        raised_at: now,
        due_at: now,
        answer: None,
        individual_review_id: None,
        close_note: String::new(),
        version: 1,
    }
}

impl Cases {
    /// A concern as the caller may see it. One that is not there looks like one that is forbidden.
    async fn seen_concern(&self, caller: &Caller, action: &'static str, id: Uuid) -> Result<(Concern, Student, View), Status> {
        let Some(concern) = self.concerns.get(id).await.or_status()? else { return Err(self.refuse(caller, action)) };
        let student = self.student(caller, action, concern.student_id).await?;
        let view = concern.view(caller, &student.clearance);
        if view == View::Absent { Err(denied(action)) } else { Ok((concern, student, view)) }
    }

    /// A concern that the caller may answer: one that is open to them.
    async fn writable_concern(&self, caller: &Caller, action: &'static str, id: Uuid) -> Result<Student, Status> {
        let (_, student, view) = self.seen_concern(caller, action, id).await?;
        if view == View::Open { Ok(student) } else { Err(denied(action)) }
    }

    pub(crate) async fn raise(&self, request: Request<wire::RaiseConcernRequest>) -> Result<Response<wire::RaiseConcernResponse>, Status> {
        const ACTION: &str = "reviews.RaiseConcern";
        let caller = Caller::of(&request)?;
        let message = request.into_inner();
        let mut p = Parser::new();
        let request_id = p.uuid("request_id", &message.request_id);
        let concern = parse(&mut p, message.concern.as_ref().unwrap_or(&wire::Concern::default()));
        p.finish().or_status()?;
        let student = self.student(&caller, ACTION, concern.student_id).await?;
        let concern = Concern {
            school_id: student.school_id,
            school_year: school_year(self.clock.day(concern.raised_at)),
            due_at: self.clock.due(concern.urgency, concern.raised_at),
            raised_by: caller.author(),
            ..concern
        };
        let request = idempotency::Request::new(&caller.subject, ACTION, request_id, &message.encode_to_vec());
        let concern = self.concerns.raise(&request, concern).await.or_status()?;
        let crisis_instruction = if concern.urgency == Urgency::Urgent { self.crisis_instruction.clone() } else { String::new() };
        // Who raises a protected concern without being on the case is thanked, and sees no more of it.
        let view = concern.view(&caller, &student.clearance);
        Ok(Response::new(wire::RaiseConcernResponse { concern: concern.shown(view), crisis_instruction }))
    }

    pub(crate) async fn concern(&self, request: Request<wire::GetConcernRequest>) -> Result<Response<wire::GetConcernResponse>, Status> {
        const ACTION: &str = "reviews.GetConcern";
        let caller = Caller::of(&request)?;
        let mut p = Parser::new();
        let id = p.uuid("concern_id", &request.into_inner().concern_id);
        p.finish().or_status()?;
        let (concern, student, view) = self.seen_concern(&caller, ACTION, id).await?;
        if view == View::Open {
            self.access.log_read(&caller, ACTION, &student.granted.basis, concern.sensitivity, Some(concern.student_id), 1).await.or_status()?;
        }
        Ok(Response::new(wire::GetConcernResponse { concern: concern.shown(view), access_basis: student.granted.basis }))
    }

    pub(crate) async fn concern_list(&self, request: Request<wire::ListConcernsRequest>) -> Result<Response<wire::ListConcernsResponse>, Status> {
        const ACTION: &str = "reviews.ListConcerns";
        let caller = Caller::of(&request)?;
        let message = request.into_inner();
        let mut p = Parser::new();
        let student_id = p.optional_uuid("student_id", &message.student_id);
        let school_id = p.optional_uuid("school_id", &message.school_id);
        p.finish().or_status()?;
        let filter = format!("{student_id:?} {school_id:?} {}", message.open_only);
        let page = PageToken::page::<Place>(message.page_size, &message.page_token, &filter, 50, 200).or_status()?;
        let (reach, basis) = self.reach(&caller, ACTION, student_id, school_id).await?;
        let mut rows = self.concerns.list(&reach, message.open_only, &page).await.or_status()?;
        let next_page_token = PageToken::cut(&mut rows, page.size, &filter, |row| row.place);
        let mut clearances = Clearances::new(&self.access, &caller);
        let mut concerns = Vec::with_capacity(rows.len());
        let mut highest = Sensitivity::General;
        for row in rows {
            let view = row.record.view(&caller, clearances.of(row.record.student_id, &row.schools));
            if view == View::Open {
                highest = highest.max(row.record.sensitivity);
            }
            concerns.extend(row.record.shown(view));
        }
        self.access.log_read(&caller, ACTION, &basis, highest, student_id.or(school_id), concerns.len()).await.or_status()?;
        Ok(Response::new(wire::ListConcernsResponse { concerns, next_page_token, access_basis: basis }))
    }

    pub(crate) async fn triage(&self, request: Request<wire::TriageConcernRequest>) -> Result<Response<wire::TriageConcernResponse>, Status> {
        const ACTION: &str = "reviews.TriageConcern";
        let caller = Caller::of(&request)?;
        let message = request.into_inner();
        let mut p = Parser::new();
        let request_id = p.uuid("request_id", &message.request_id);
        let id = p.uuid("concern_id", &message.concern_id);
        let decision: Option<wire::TriageDecision> = p.required_enum("decision", message.decision);
        let decision = decision.and_then(|d| Triage::from_wire(d.into())).unwrap_or(Triage::Watch);
        let note = p.text("note", &message.note, 2000);
        p.finish().or_status()?;
        let student = self.writable_concern(&caller, ACTION, id).await?;
        let request = idempotency::Request::new(&caller.subject, ACTION, request_id, &message.encode_to_vec());
        let change = Change { request, id, expected_version: message.expected_version, author: caller.author() };
        let (concern, review) = self.concerns.triage(change, decision, note).await.or_status()?;
        let view = concern.view(&caller, &student.clearance);
        let individual_review = review.and_then(|review| {
            let view = review.view(&caller, &student.clearance);
            review.shown(view)
        });
        Ok(Response::new(wire::TriageConcernResponse { concern: concern.shown(view), individual_review }))
    }

    pub(crate) async fn close(&self, request: Request<wire::CloseConcernRequest>) -> Result<Response<wire::CloseConcernResponse>, Status> {
        const ACTION: &str = "reviews.CloseConcern";
        let caller = Caller::of(&request)?;
        let message = request.into_inner();
        let mut p = Parser::new();
        let request_id = p.uuid("request_id", &message.request_id);
        let id = p.uuid("concern_id", &message.concern_id);
        let note = p.text("note", &message.note, 2000);
        p.finish().or_status()?;
        let student = self.writable_concern(&caller, ACTION, id).await?;
        let request = idempotency::Request::new(&caller.subject, ACTION, request_id, &message.encode_to_vec());
        let change = Change { request, id, expected_version: message.expected_version, author: caller.author() };
        let concern = self.concerns.close(change, note).await.or_status()?;
        let view = concern.view(&caller, &student.clearance);
        Ok(Response::new(wire::CloseConcernResponse { concern: concern.shown(view) }))
    }
}
