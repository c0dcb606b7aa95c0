//! The gRPC service of concerns, individual reviews and case access: every method goes to the folder of what it is about.

use chassis_access::{Access, AccessError, Caller, Clearance, Granted, Record, Scope};
use chassis_rpc::fault::OrStatus as _;
use chassis_rpc::status;
use proto::reviews::v1::concern_service_server::ConcernService;
use proto::reviews::v1::*;
use tonic::{Request, Response, Status};
use uuid::Uuid;

use crate::case_access::CaseAccesses;
use crate::case_access::sight::Reach;
use crate::concern::Concerns;
use crate::concern::clock::Clock;
use crate::individual_review::IndividualReviews;

#[cfg(test)]
pub(crate) mod tests;

/// What the methods need.
pub(crate) struct Cases {
    pub(crate) access: Access,
    pub(crate) concerns: Concerns,
    pub(crate) individual_reviews: IndividualReviews,
    pub(crate) case_accesses: CaseAccesses,
    pub(crate) clock: Clock,
    pub(crate) crisis_instruction: String,
}

/// A student as the caller stands to them.
pub(crate) struct Student {
    pub(crate) granted: Granted,
    pub(crate) record: Record,
    pub(crate) clearance: Clearance,
    /// The caller's school of those that the student attends, else the first.
    pub(crate) school_id: Uuid,
}

/// The refusal that looks the same whether something is there or not.
pub(crate) fn denied(action: &str) -> Status {
    status(AccessError::Denied { action: action.to_owned() })
}

impl Cases {
    /// Refuses what is not there as what is forbidden, with the decision made.
    pub(crate) fn refuse(&self, caller: &Caller, action: &str) -> Status {
        self.access.role_suffices(caller);
        denied(action)
    }

    /// Decides on a student.
    pub(crate) async fn student(&self, caller: &Caller, action: &str, student_id: Uuid) -> Result<Student, Status> {
        let (granted, record) = self.access.authorize_student(caller, action, student_id).await.or_status()?;
        let own = caller.schools();
        let school_id = record.schools.iter().find(|s| own.contains(s)).or(record.schools.first()).copied().ok_or_else(|| denied(action))?;
        let clearance = self.access.clearance(caller, &record);
        Ok(Student { granted, record, clearance, school_id })
    }

    /// Decides on a list of a student, of a school, or of the caller's own students.
    pub(crate) async fn reach(&self, caller: &Caller, action: &str, student: Option<Uuid>, school: Option<Uuid>) -> Result<(Reach, String), Status> {
        if let Some(student_id) = student {
            let (granted, record) = self.access.authorize_student(caller, action, student_id).await.or_status()?;
            if school.is_some_and(|school| !record.schools.contains(&school)) {
                return Err(denied(action));
            }
            return Ok((Reach::of_student(&self.access, caller, &record, student_id), granted.basis));
        }
        let scope = match school {
            Some(school) => {
                let granted = self.access.authorize(caller, action, &Record::school(school)).or_status()?;
                Scope { schools: vec![school], basis: granted.basis, ..Scope::default() }
            }
            None => self.access.scope(caller, action).or_status()?,
        };
        Ok((Reach::of_scope(&self.access, caller, &scope), scope.basis))
    }
}

/// One method each: its name in the contract, its messages, and where it is.
macro_rules! methods {
    ($($name:ident($request:ty) -> $response:ty = $target:ident;)+) => {
        #[tonic::async_trait]
        impl ConcernService for Cases {
            $(async fn $name(&self, request: Request<$request>) -> Result<Response<$response>, Status> {
                self.$target(request).await
            })+
        }
    };
}

methods! {
    raise_concern(RaiseConcernRequest) -> RaiseConcernResponse = raise;
    get_concern(GetConcernRequest) -> GetConcernResponse = concern;
    list_concerns(ListConcernsRequest) -> ListConcernsResponse = concern_list;
    triage_concern(TriageConcernRequest) -> TriageConcernResponse = triage;
    close_concern(CloseConcernRequest) -> CloseConcernResponse = close;
    open_individual_review(OpenIndividualReviewRequest) -> OpenIndividualReviewResponse = open;
    get_individual_review(GetIndividualReviewRequest) -> GetIndividualReviewResponse = individual_review;
    list_individual_reviews(ListIndividualReviewsRequest) -> ListIndividualReviewsResponse = individual_review_list;
    decline_individual_review(DeclineIndividualReviewRequest) -> DeclineIndividualReviewResponse = decline;
    prepare_individual_review(PrepareIndividualReviewRequest) -> PrepareIndividualReviewResponse = prepare;
    schedule_individual_review(ScheduleIndividualReviewRequest) -> ScheduleIndividualReviewResponse = schedule;
    hold_individual_review(HoldIndividualReviewRequest) -> HoldIndividualReviewResponse = hold;
    decide_individual_review(DecideIndividualReviewRequest) -> DecideIndividualReviewResponse = decide;
    review_individual_review(ReviewIndividualReviewRequest) -> ReviewIndividualReviewResponse = review;
    suspend_individual_review(SuspendIndividualReviewRequest) -> SuspendIndividualReviewResponse = suspend;
    grant_case_access(GrantCaseAccessRequest) -> GrantCaseAccessResponse = grant;
    revoke_case_access(RevokeCaseAccessRequest) -> RevokeCaseAccessResponse = revoke;
    break_glass(BreakGlassRequest) -> BreakGlassResponse = break_glass;
    list_case_access(ListCaseAccessRequest) -> ListCaseAccessResponse = case_access_list;
}
