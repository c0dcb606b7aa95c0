//! Student reviews over gRPC.

use chassis_access::{Caller, Granted, Record, Sensitivity};
use chassis_pg::idempotency;
use chassis_rpc::fault::OrStatus as _;
use chassis_rpc::{PageToken, Parser};
use prost::Message;
use proto::reviews::v1 as wire;
use proto::r#type::v1 as types;
use tonic::{Request, Response, Status};
use uuid::Uuid;

use super::entity::{Entry, StudentReview, suggest};
use super::history::Revision;
use super::sight::Sight;
use super::{Author, Change, Decision, Put, input};
use crate::grpc::Reviews;
use crate::taxonomy::{Domain, Taxonomy};
use crate::words::{Source, StudentReviewState, certainty_wire, domain_from_wire, domain_wire, sensitivity_wire, tier_from_wire, tier_wire, time_wire};

impl From<Entry> for wire::Entry {
    fn from(entry: Entry) -> Self {
        Self {
            entry_id: entry.id.to_string(),
            polarity: entry.polarity.wire(),
            code: entry.code,
            domain: domain_wire(entry.domain),
            severity: i32::from(entry.severity),
            certainty: entry.certainty.map(certainty_wire).unwrap_or_default(),
            source: entry.source.wire(),
            note: entry.note,
            sensitivity: sensitivity_wire(entry.sensitivity),
            version: entry.version,
            author_id: entry.author.to_string(),
            update_time: Some(time_wire(entry.updated_at)),
            since: entry.since.map(|day| day.to_string()).unwrap_or_default(),
            confirmed_by: entry.confirmed_by.map(|s| s.wire()).unwrap_or_default(),
            origin: entry.origin.map(|o| o.wire()).unwrap_or_default(),
            from_entry_id: entry.from.map(|id| id.to_string()).unwrap_or_default(),
            superseded_by: entry.superseded_by.map(|id| id.to_string()).unwrap_or_default(),
        }
    }
}

impl StudentReview {
    /// Domains without concern as this caller may know them. A review that is done has an answer in each domain; where the only one is
    /// protected, a domain without any would tell of it, so that it looks as it would without.
    fn no_concern_shown_to(&self, sight: &Sight) -> Vec<Domain> {
        let done = matches!(self.state, StudentReviewState::Reviewed | StudentReviewState::Amended);
        let is_hidden = |e: &Entry| e.sensitivity == Sensitivity::Protected && !sight.sees(e);
        let covered = |domain: Domain| {
            let mut of_domain = self.entries.iter().filter(|e| e.domain == Some(domain)).peekable();
            done && of_domain.peek().is_some() && of_domain.all(is_hidden)
        };
        Domain::ALL.into_iter().filter(|d| self.no_concern.contains(d) || covered(*d)).collect()
    }

    /// As this caller may see it: closed restricted entries are counted, protected ones do not exist.
    pub(crate) fn shown_to(mut self, sight: &Sight) -> wire::StudentReview {
        let closed = self.entries.iter().filter(|e| e.sensitivity == Sensitivity::Restricted && !sight.sees(e)).count();
        let shown: Vec<bool> = self.entries.iter().map(|e| sight.shows(&self, e)).collect();
        let secret: Vec<Uuid> = self.entries.iter().filter(|e| e.sensitivity == Sensitivity::Protected && !sight.sees(e)).map(|e| e.id).collect();
        for entry in self.entries.iter_mut().filter(|e| e.from.is_some_and(|from| secret.contains(&from))) {
            // Where it came from is not to be known: it looks as if it had been written as it is.
            (entry.origin, entry.from) = (None, None);
        }
        self.no_concern = self.no_concern_shown_to(sight);
        let mut shown = shown.into_iter();
        self.entries.retain(|_| shown.next().unwrap_or(false));
        let suggested = suggest(&self.entries);
        let open_priors = self.open_priors.iter().filter(|e| sight.sees(e)).count();
        wire::StudentReview {
            class_review_id: self.class_review_id.to_string(),
            student_id: self.student_id.to_string(),
            state: self.state.wire(),
            entries: self.entries.into_iter().map(Into::into).collect(),
            closed_entry_count: i32::try_from(closed).unwrap_or(i32::MAX),
            no_concern_domains: self.no_concern.into_iter().map(|d| domain_wire(Some(d))).collect(),
            suggested_tier: tier_wire(Some(suggested.tier)),
            suggested_because: suggested.because.into_iter().map(|id| id.to_string()).collect(),
            assigned_tier: tier_wire(self.assigned_tier),
            tier_reason: self.tier_reason,
            tier_reason_text: self.tier_reason_text,
            no_strength_reason: self.no_strength_reason,
            not_reviewed_reason: self.not_reviewed_reason,
            version: self.version,
            grade: self.grade,
            added: self.added,
            active_seconds: self.active_seconds,
            open_prior_count: i32::try_from(open_priors).unwrap_or(i32::MAX),
        }
    }
}

impl From<Revision> for wire::StudentReviewRevision {
    fn from(revision: Revision) -> Self {
        Self { time: Some(time_wire(revision.at)), author_id: revision.author.to_string(), action: revision.action, entry: revision.entry.map(Into::into) }
    }
}

/// The ids and the version that every write names.
struct Target<'m> {
    class_review_id: &'m str,
    student_id: &'m str,
    expected_version: i64,
    request_id: &'m str,
}

impl Target<'_> {
    fn change(&self, p: &mut Parser, caller: &Caller, action: &'static str, message: &impl Message) -> Change {
        let request_id = p.uuid("request_id", self.request_id);
        if self.expected_version < 0 {
            p.violation("expected_version", "must be the version read");
        }
        Change {
            request: idempotency::Request::new(&caller.subject, action, request_id, &message.encode_to_vec()),
            class_review_id: p.uuid("class_review_id", self.class_review_id),
            student_id: p.uuid("student_id", self.student_id),
            expected_version: self.expected_version,
        }
    }
}

/// The write's target out of a request message.
macro_rules! target {
    ($message:expr) => {
        Target {
            class_review_id: &$message.class_review_id,
            student_id: &$message.student_id,
            expected_version: $message.expected_version,
            request_id: &$message.request_id,
        }
    };
}

fn reasons(list: &'static str) -> Vec<&'static str> {
    Taxonomy::load().map(|t| t.reasons(list).map(|r| r.code.as_str()).collect()).unwrap_or_default()
}

/// The caller's own word, where an entry says not whose it is.
pub(crate) fn own_source(caller: &Caller) -> Source {
    if caller.has("coordinator") {
        Source::Coordinator
    } else if caller.has("student_support_member") {
        Source::Counsellor
    } else {
        Source::Teacher
    }
}

impl Reviews {
    pub(crate) fn author(&self, caller: &Caller, record: &Record, school_id: Uuid) -> Author {
        let at = |role: &str| caller.at.get(role).is_some_and(|schools| schools.contains(&school_id));
        Author {
            id: caller.author(),
            sight: Sight::of(caller, &self.access.clearance(caller, record)),
            may_change_others: at("coordinator") || at("student_support_member"),
        }
    }

    /// Decides, and says who writes: what they see of this student's entries.
    pub(crate) async fn author_of(&self, caller: &Caller, action: &'static str, class_review_id: Uuid, student_id: Uuid) -> Result<(Granted, Author), Status> {
        let (granted, record, place) = self.decide(caller, action, class_review_id).await?;
        Ok((granted, self.author(caller, &record.about(student_id), place.school_id)))
    }

    pub(crate) async fn student_review(&self, request: Request<wire::GetStudentReviewRequest>) -> Result<Response<wire::GetStudentReviewResponse>, Status> {
        const ACTION: &str = "reviews.GetStudentReview";
        let caller = Caller::of(&request)?;
        let message = request.into_inner();
        let mut p = Parser::new();
        let class_review_id = p.uuid("class_review_id", &message.class_review_id);
        let student_id = p.uuid("student_id", &message.student_id);
        p.finish().or_status()?;
        let (granted, author) = self.author_of(&caller, ACTION, class_review_id, student_id).await?;
        let review = self.student_reviews.get(class_review_id, student_id).await.or_status()?;
        let shown = author.sight.highest(review.entries.iter());
        self.access.log_read(&caller, ACTION, &granted.basis, shown, Some(student_id), 1).await.or_status()?;
        Ok(Response::new(wire::GetStudentReviewResponse { student_review: Some(review.shown_to(&author.sight)), access_basis: granted.basis }))
    }

    pub(crate) async fn put(&self, request: Request<wire::PutEntryRequest>) -> Result<Response<wire::PutEntryResponse>, Status> {
        let caller = Caller::of(&request)?;
        Ok(Response::new(self.put_by(&caller, &request.into_inner()).await?))
    }

    /// The same for a call and for a stream.
    pub(crate) async fn put_by(&self, caller: &Caller, message: &wire::PutEntryRequest) -> Result<wire::PutEntryResponse, Status> {
        const ACTION: &str = "reviews.PutEntry";
        let mut p = Parser::new();
        let change = target!(message).change(&mut p, caller, ACTION, message);
        let entry = input::entry(&mut p, message.entry.as_ref().unwrap_or(&wire::Entry::default()), own_source(caller));
        p.finish().or_status()?;
        let (_, record, place) = self.decide(caller, ACTION, change.class_review_id).await?;
        let author = match change.expected_version {
            // A new entry hides nothing from its author, so nothing need be asked about what they see.
            0 => Author { id: caller.author(), ..Author::default() },
            _ => self.author(caller, &record.about(change.student_id), place.school_id),
        };
        let entry = self.student_reviews.put(&Put { change, author, entry }).await.or_status()?;
        Ok(wire::PutEntryResponse { entry: Some(entry.into()) })
    }

    pub(crate) async fn remove(&self, request: Request<wire::RemoveEntryRequest>) -> Result<Response<wire::RemoveEntryResponse>, Status> {
        let caller = Caller::of(&request)?;
        Ok(Response::new(self.remove_by(&caller, &request.into_inner()).await?))
    }

    /// The same for a call and for a stream.
    pub(crate) async fn remove_by(&self, caller: &Caller, message: &wire::RemoveEntryRequest) -> Result<wire::RemoveEntryResponse, Status> {
        const ACTION: &str = "reviews.RemoveEntry";
        let mut p = Parser::new();
        let change = target!(message).change(&mut p, caller, ACTION, message);
        let entry_id = p.uuid("entry_id", &message.entry_id);
        p.finish().or_status()?;
        let (_, author) = self.author_of(caller, ACTION, change.class_review_id, change.student_id).await?;
        self.student_reviews.remove(&change, entry_id, &author).await.or_status()?;
        Ok(wire::RemoveEntryResponse {})
    }

    pub(crate) async fn update(&self, request: Request<wire::UpdateStudentReviewRequest>) -> Result<Response<wire::UpdateStudentReviewResponse>, Status> {
        let caller = Caller::of(&request)?;
        Ok(Response::new(self.update_by(&caller, &request.into_inner()).await?))
    }

    /// The same for a call and for a stream.
    pub(crate) async fn update_by(&self, caller: &Caller, message: &wire::UpdateStudentReviewRequest) -> Result<wire::UpdateStudentReviewResponse, Status> {
        const ACTION: &str = "reviews.UpdateStudentReview";
        let mut p = Parser::new();
        let change = target!(message).change(&mut p, caller, ACTION, message);
        let mut no_concern = Vec::new();
        if message.no_concern_domains.len() > 4 {
            p.violation("no_concern_domains", "must have at most 4 members");
        }
        for domain in message.no_concern_domains.iter().take(4) {
            match domain_from_wire(*domain) {
                Some(domain) if !no_concern.contains(&domain) => no_concern.push(domain),
                Some(_) => {}
                None => p.violation("no_concern_domains", format!("{domain} is not a domain")),
            }
        }
        let assigned_tier: types::Tier = p.known_enum("assigned_tier", message.assigned_tier);
        let decision = Decision {
            no_concern,
            assigned_tier: tier_from_wire(assigned_tier),
            tier_reason: p.one_of("tier_reason", &message.tier_reason, &reasons("tier_override"), true),
            tier_reason_text: p.text("tier_reason_text", &message.tier_reason_text, 500),
            no_strength_reason: p.text("no_strength_reason", &message.no_strength_reason, 500),
        };
        p.finish().or_status()?;
        let (_, author) = self.author_of(caller, ACTION, change.class_review_id, change.student_id).await?;
        let review = self.student_reviews.update(&change, decision, &author).await.or_status()?;
        Ok(wire::UpdateStudentReviewResponse { student_review: Some(review.shown_to(&author.sight)) })
    }

    pub(crate) async fn complete(&self, request: Request<wire::CompleteStudentReviewRequest>) -> Result<Response<wire::CompleteStudentReviewResponse>, Status> {
        const ACTION: &str = "reviews.CompleteStudentReview";
        let caller = Caller::of(&request)?;
        let message = request.into_inner();
        let mut p = Parser::new();
        let change = target!(message).change(&mut p, &caller, ACTION, &message);
        p.finish().or_status()?;
        let (_, author) = self.author_of(&caller, ACTION, change.class_review_id, change.student_id).await?;
        let review = self.student_reviews.complete(&change, &author).await.or_status()?;
        Ok(Response::new(wire::CompleteStudentReviewResponse { student_review: Some(review.shown_to(&author.sight)) }))
    }

    pub(crate) async fn skip(&self, request: Request<wire::SkipStudentReviewRequest>) -> Result<Response<wire::SkipStudentReviewResponse>, Status> {
        const ACTION: &str = "reviews.SkipStudentReview";
        let caller = Caller::of(&request)?;
        let message = request.into_inner();
        let mut p = Parser::new();
        let change = target!(message).change(&mut p, &caller, ACTION, &message);
        let reason = p.one_of("reason", &message.reason, &reasons("not_reviewed"), false);
        p.finish().or_status()?;
        let (_, author) = self.author_of(&caller, ACTION, change.class_review_id, change.student_id).await?;
        let review = self.student_reviews.skip(&change, reason, &author).await.or_status()?;
        Ok(Response::new(wire::SkipStudentReviewResponse { student_review: Some(review.shown_to(&author.sight)) }))
    }

    pub(crate) async fn reopen(&self, request: Request<wire::ReopenStudentReviewRequest>) -> Result<Response<wire::ReopenStudentReviewResponse>, Status> {
        const ACTION: &str = "reviews.ReopenStudentReview";
        let caller = Caller::of(&request)?;
        let message = request.into_inner();
        let mut p = Parser::new();
        let change = target!(message).change(&mut p, &caller, ACTION, &message);
        p.finish().or_status()?;
        let (_, author) = self.author_of(&caller, ACTION, change.class_review_id, change.student_id).await?;
        let review = self.student_reviews.reopen(&change, &author).await.or_status()?;
        Ok(Response::new(wire::ReopenStudentReviewResponse { student_review: Some(review.shown_to(&author.sight)) }))
    }

    pub(crate) async fn history(
        &self,
        request: Request<wire::ListStudentReviewHistoryRequest>,
    ) -> Result<Response<wire::ListStudentReviewHistoryResponse>, Status> {
        const ACTION: &str = "reviews.ListStudentReviewHistory";
        let caller = Caller::of(&request)?;
        let message = request.into_inner();
        let mut p = Parser::new();
        let class_review_id = p.uuid("class_review_id", &message.class_review_id);
        let student_id = p.uuid("student_id", &message.student_id);
        p.finish().or_status()?;
        let filter = format!("{class_review_id} {student_id}");
        let page = PageToken::page::<i64>(message.page_size, &message.page_token, &filter, 50, 200).or_status()?;
        let (granted, author) = self.author_of(&caller, ACTION, class_review_id, student_id).await?;
        let mut rows = self.student_reviews.history(class_review_id, student_id, &author.sight, &page).await.or_status()?;
        let next_page_token = PageToken::cut(&mut rows, page.size, &filter, |row| row.id);
        let shown = author.sight.highest(rows.iter().filter_map(|row| row.entry.as_ref()));
        // One student's history, however long, is a read of one student.
        self.access.log_read(&caller, ACTION, &granted.basis, shown, Some(student_id), 1).await.or_status()?;
        Ok(Response::new(wire::ListStudentReviewHistoryResponse {
            revisions: rows.into_iter().map(Into::into).collect(),
            next_page_token,
            access_basis: granted.basis,
        }))
    }
}
