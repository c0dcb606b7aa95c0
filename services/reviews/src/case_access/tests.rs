use std::time::Duration;

use chassis_access::Caller;
use chassis_access::caller::DISTRICT;
use proto::reviews::v1::*;
use proto::r#type::v1::Sensitivity;
use tonic::{Code, Response, Status};
use uuid::Uuid;

use super::entity::{CaseAccess as Kept, Kind, WrongStep};
use crate::cases::tests::{District, as_, district, id, no_access, refusal};

fn grant_to(d: &District, staff: &Caller) -> GrantCaseAccessRequest {
    GrantCaseAccessRequest {
        case_access_id: id(),
        student_id: d.student.to_string(),
        staff_id: staff.author().to_string(),
        reason: "a reason for tests".to_owned(),
        request_id: id(),
    }
}

async fn break_glass(d: &District, caller: &Caller, reason: &str) -> Result<CaseAccess, Status> {
    let request = BreakGlassRequest { case_access_id: id(), student_id: d.student.to_string(), reason: reason.to_owned(), request_id: id() };
    d.cases.break_glass(as_(caller, request)).await.map(|a| a.into_inner().case_access.unwrap())
}

async fn sees(d: &District, caller: &Caller, concern: &str) -> bool {
    let request = GetConcernRequest { concern_id: concern.to_owned() };
    let listed = d.cases.concern_list(as_(caller, ListConcernsRequest::default())).await.unwrap().into_inner();
    let one = d.cases.concern(as_(caller, request)).await.is_ok();
    assert_eq!(listed.concerns.iter().any(|c| c.concern_id == concern), one, "lists and single answers agree");
    one
}

async fn protected_concern(d: &District) -> String {
    d.raise(&d.coordinator(), d.concern(Sensitivity::Protected)).await.unwrap().concern.unwrap().concern_id
}

#[test]
fn an_access_ends_once() {
    let now = chrono::Utc::now();
    let access = |kind: Kind| Kept {
        id: Uuid::now_v7(),
        student_id: Uuid::now_v7(),
        school_id: Uuid::now_v7(),
        staff_id: Uuid::now_v7(),
        kind,
        reason: "a reason for tests".to_owned(),
        granted_by: Uuid::now_v7(),
        granted_at: now,
        expires_at: kind.lasts().map(|lasts| now + lasts),
        revoked: None,
        version: 1,
    };
    let (named, broken) = (access(Kind::Named), access(Kind::BreakGlass));
    let after = |hours, minutes| now + chrono::Duration::hours(hours) + chrono::Duration::minutes(minutes);
    assert!(named.active(after(10_000, 0)));
    assert!(broken.active(after(3, 59)) && !broken.active(after(4, 0)));
    assert_eq!(broken.transition(Uuid::nil(), after(4, 0)), Err(WrongStep::Ended));
    let ended = named.transition(Uuid::nil(), now).unwrap();
    assert_eq!((ended.version, ended.active(now)), (2, false));
    assert_eq!(ended.transition(Uuid::nil(), now), Err(WrongStep::Ended));
}

#[tokio::test]
async fn who_is_named_sees_the_case_at_once_and_until_taken_off() {
    let d = district().await;
    let (coordinator, teacher) = (d.coordinator(), d.teacher());
    let concern = protected_concern(&d).await;
    assert!(!sees(&d, &d.now(&teacher).await, &concern).await);
    let request = grant_to(&d, &teacher);
    assert_eq!(refusal(d.cases.grant(as_(&d.staff("coordinator", d.other_school), request.clone())).await), no_access());
    let granted = d.cases.grant(as_(&coordinator, request.clone())).await.unwrap().into_inner().case_access.unwrap();
    assert_eq!((granted.kind.as_str(), granted.active, granted.expire_time), ("named", true, None));
    assert_eq!(d.cases.grant(as_(&coordinator, request.clone())).await.unwrap().into_inner().case_access.unwrap(), granted);
    let taken = GrantCaseAccessRequest { request_id: id(), ..request };
    assert_eq!(refusal(d.cases.grant(as_(&coordinator, taken)).await), (Code::AlreadyExists, "CASE_ACCESS_EXISTS".to_owned()));
    // At once, although the teacher's relationships were read a moment ago.
    let on_case = d.now(&teacher).await;
    assert!(sees(&d, &on_case, &concern).await);
    assert_eq!(d.count("access_log where basis = 'on_case' and sensitivity = 'protected'").await, 1);
    // Of that student only.
    let other = Concern { student_id: d.classmate.to_string(), ..d.concern(Sensitivity::Protected) };
    let other = d.raise(&coordinator, other).await.unwrap().concern.unwrap().concern_id;
    assert!(!sees(&d, &on_case, &other).await);

    let revoke = RevokeCaseAccessRequest { case_access_id: granted.case_access_id, expected_version: 1, request_id: id() };
    assert_eq!(refusal(d.cases.revoke(as_(&teacher, RevokeCaseAccessRequest { case_access_id: id(), ..revoke.clone() })).await), no_access());
    let ended = d.cases.revoke(as_(&coordinator, revoke)).await.unwrap().into_inner().case_access.unwrap();
    assert_eq!((ended.active, ended.version), (false, 2));
    assert!(!sees(&d, &d.now(&teacher).await, &concern).await);
    let told: CaseAccessChanged = d.newest("reviews.case-access.v1").await;
    assert_eq!((told.revoked, told.version, told.kind.as_str(), d.published("reviews.case-access.v1").await), (true, 2, "named", 2));
    assert_eq!(d.count("case_revision where subject = 'case_access'").await, 2);
}

#[tokio::test]
async fn breaking_the_glass_takes_a_reason_and_a_person_and_lasts_four_hours() {
    let d = district().await;
    let concern = protected_concern(&d).await;
    let supervisor = d.staff("program_manager", DISTRICT);
    assert!(!sees(&d, &d.now(&supervisor).await, &concern).await);
    assert_eq!(refusal(break_glass(&d, &supervisor, "too short").await), (Code::InvalidArgument, "INVALID_INPUT".to_owned()));
    let mut nobody = supervisor.clone();
    nobody.staff_id = None;
    assert_eq!(refusal(break_glass(&d, &nobody, "a child is in danger").await), (Code::FailedPrecondition, "STAFF_ID_NEEDED".to_owned()));
    assert_eq!(refusal(break_glass(&d, &d.teacher(), "a child is in danger").await), no_access());
    let broken = break_glass(&d, &supervisor, "a child is in danger").await.unwrap();
    let lasts = broken.expire_time.unwrap().seconds - broken.grant_time.unwrap().seconds;
    assert_eq!((broken.kind.as_str(), broken.active, lasts), ("break_glass", true, 4 * 3600));
    assert!(sees(&d, &d.now(&supervisor).await, &concern).await);
    assert_eq!(d.count("access_log where action = 'reviews.BreakGlass' and basis = 'break_glass'").await, 1);
    assert_eq!(d.count("access_log where action = 'reviews.GetConcern' and basis = 'on_case' and sensitivity = 'protected'").await, 1);
}

#[tokio::test]
async fn what_is_remembered_of_a_grant_ends_with_it() {
    let d = district().await;
    let supervisor = d.staff("program_manager", DISTRICT);
    break_glass(&d, &supervisor, "a child is in danger").await.unwrap();
    sqlx::query("update reviews.relationship_grant set expires_at = now() + interval '400 milliseconds'").execute(&d.pool).await.unwrap();
    assert_eq!(d.now(&supervisor).await.on_case.len(), 1);
    assert_eq!(d.now(&supervisor).await.on_case.len(), 1, "remembered");
    tokio::time::sleep(Duration::from_millis(450)).await;
    assert_eq!(d.now(&supervisor).await.on_case.len(), 0, "not for longer than the grant, though other relationships are remembered for seconds");
}

#[tokio::test]
async fn alerts_are_for_leaders_and_names_for_those_who_keep_cases() {
    let d = district().await;
    let (coordinator, teacher, principal) = (d.coordinator(), d.teacher(), d.staff("principal", d.school));
    d.cases.grant(as_(&coordinator, grant_to(&d, &teacher))).await.unwrap();
    let broken = break_glass(&d, &d.staff("program_manager", d.school), "a child is in danger").await.unwrap();
    let list = async |caller: &Caller, request: ListCaseAccessRequest| {
        d.cases.case_access_list(as_(caller, request)).await.map(Response::into_inner).map(|a| a.case_accesses)
    };
    let of_school = ListCaseAccessRequest { school_id: d.school.to_string(), ..ListCaseAccessRequest::default() };
    let of_student = ListCaseAccessRequest { student_id: d.student.to_string(), ..ListCaseAccessRequest::default() };
    let privacy_officer = d.staff("privacy_officer", DISTRICT);
    for request in [&of_school, &of_student] {
        let rows = list(&coordinator, request.clone()).await.unwrap();
        assert_eq!(rows.iter().map(|r| r.kind.as_str()).collect::<Vec<_>>(), ["break_glass", "named"], "newest first");
        assert_eq!(list(&privacy_officer, request.clone()).await.unwrap().len(), 2);
        assert_eq!(list(&principal, request.clone()).await.unwrap(), std::slice::from_ref(&broken));
        assert_eq!(refusal(list(&teacher, request.clone()).await), no_access());
    }
    sqlx::query("update reviews.case_access set expires_at = granted_at where kind = 'break_glass'").execute(&d.pool).await.unwrap();
    assert_eq!(list(&coordinator, ListCaseAccessRequest { active_only: true, ..of_school }).await.unwrap().len(), 1);
    assert_eq!(refusal(list(&coordinator, ListCaseAccessRequest::default()).await).0, Code::InvalidArgument);
}
