use chassis_access::Caller;
use proto::reviews::v1::*;
use proto::r#type::v1::{Domain, Sensitivity};
use tonic::{Code, Response, Status};
use uuid::Uuid;

use crate::cases::tests::{District, as_, district, id, no_access, refusal};

fn opening(d: &District, sensitivity: Sensitivity) -> OpenIndividualReviewRequest {
    OpenIndividualReviewRequest {
        student_id: d.student.to_string(),
        trigger: IndividualReviewTrigger::Tier3.into(),
        sensitivity: sensitivity.into(),
        request_id: id(),
        ..OpenIndividualReviewRequest::default()
    }
}

async fn open(d: &District, caller: &Caller, sensitivity: Sensitivity) -> Result<IndividualReview, Status> {
    let answer = d.cases.open(as_(caller, opening(d, sensitivity))).await?;
    Ok(answer.into_inner().individual_review.unwrap())
}

async fn get(d: &District, caller: &Caller, review: &IndividualReview) -> Result<IndividualReview, Status> {
    let request = GetIndividualReviewRequest { individual_review_id: review.individual_review_id.clone() };
    d.cases.individual_review(as_(caller, request)).await.map(|a| a.into_inner().individual_review.unwrap())
}

async fn list(d: &District, caller: &Caller) -> Vec<IndividualReview> {
    d.cases.individual_review_list(as_(caller, ListIndividualReviewsRequest::default())).await.unwrap().into_inner().individual_reviews
}

fn member(caller: &Caller, role: &str) -> TeamMember {
    TeamMember { staff_id: caller.author().to_string(), role: role.to_owned(), ..TeamMember::default() }
}

async fn prepare(d: &District, caller: &Caller, review: &IndividualReview, team: Vec<TeamMember>) -> Result<IndividualReview, Status> {
    let request = PrepareIndividualReviewRequest {
        individual_review_id: review.individual_review_id.clone(),
        lead_id: team[0].staff_id.clone(),
        team,
        expected_version: review.version,
        request_id: id(),
    };
    d.cases.prepare(as_(caller, request)).await.map(|a| a.into_inner().individual_review.unwrap())
}

#[tokio::test]
async fn a_review_goes_its_whole_way_and_tells_of_it() {
    let d = district().await;
    let (coordinator, nurse, teacher) = (d.coordinator(), d.staff("student_support_member", d.school), d.teacher());
    let review = open(&d, &coordinator, Sensitivity::Unspecified).await.unwrap();
    assert_eq!((review.sensitivity(), review.state(), review.version), (Sensitivity::Restricted, IndividualReviewState::Proposed, 1));
    assert_eq!(open(&d, &coordinator, Sensitivity::Unspecified).await.unwrap(), review, "the open one is the answer");
    let individual_review_id = review.individual_review_id.clone();
    let team = vec![member(&coordinator, "coordinator"), member(&nurse, "nurse"), member(&teacher, "teacher")];
    let narrow = vec![member(&coordinator, "coordinator"), member(&teacher, "teacher")];
    assert_eq!(refusal(prepare(&d, &coordinator, &review, narrow).await), (Code::InvalidArgument, "INVALID_INPUT".to_owned()));
    prepare(&d, &coordinator, &review, team).await.unwrap();

    let schedule = |invitation| ScheduleIndividualReviewRequest {
        individual_review_id: individual_review_id.clone(),
        meets_on: "2026-11-05".to_owned(),
        invitation: Some(invitation),
        expected_version: 2,
        request_id: id(),
    };
    assert_eq!(refusal(d.cases.schedule(as_(&coordinator, schedule(FamilyInvitation::default()))).await).0, Code::InvalidArgument);
    let invitation = FamilyInvitation { channel: "call".to_owned(), language: "es".to_owned(), interpreter: true, ..FamilyInvitation::default() };
    d.cases.schedule(as_(&coordinator, schedule(invitation))).await.unwrap();
    let hold = HoldIndividualReviewRequest {
        individual_review_id: individual_review_id.clone(),
        attended_staff_ids: vec![nurse.author().to_string()],
        family_voice: FamilyVoice::Attended.into(),
        family_words: "the family's words".to_owned(),
        expected_version: 3,
        request_id: id(),
    };
    // The nurse is in the team, so she may write, too.
    let held = d.cases.hold(as_(&nurse, hold)).await.unwrap().into_inner().individual_review.unwrap();
    assert_eq!(held.team.iter().map(|m| m.attended).collect::<Vec<_>>(), [false, true, false]);
    let decision_id = id();
    let decide = DecideIndividualReviewRequest {
        individual_review_id: individual_review_id.clone(),
        findings: vec![Finding { domain: Domain::Health.into(), text: "a finding for tests".to_owned() }],
        decisions: vec![Decision {
            decision_id: decision_id.clone(),
            text: "a decision for tests".to_owned(),
            item_kind: "school_support".to_owned(),
            owner: "staff".to_owned(),
            due_on: "2026-11-20".to_owned(),
            ..Decision::default()
        }],
        expected_version: 4,
        request_id: id(),
        ..DecideIndividualReviewRequest::default()
    };
    let decided = d.cases.decide(as_(&coordinator, decide)).await.unwrap().into_inner().individual_review.unwrap();
    let today = d.cases.clock.day(chrono::Utc::now());
    assert_eq!(decided.review_on, (today + chrono::Duration::days(42)).to_string(), "six weeks, where nobody says when");
    assert_eq!((decided.family_words.as_str(), decided.version), ("the family's words", 5));
    let told: IndividualReviewChanged = d.newest("reviews.individual-review.v1").await;
    assert_eq!((told.state(), told.held_on.as_str(), told.family_voice()), (IndividualReviewState::Decided, "2026-11-05", FamilyVoice::Attended));
    assert_eq!(told.decisions.iter().map(|f| (f.decision_id.clone(), f.item_kind.as_str())).collect::<Vec<_>>(), [(decision_id.clone(), "school_support")]);

    let suspend = |suspend, version| SuspendIndividualReviewRequest {
        individual_review_id: individual_review_id.clone(),
        suspend,
        reason: "holidays".to_owned(),
        look_again_on: "2027-01-04".to_owned(),
        expected_version: version,
        request_id: id(),
    };
    let aside = d.cases.suspend(as_(&coordinator, suspend(true, 5))).await.unwrap().into_inner().individual_review.unwrap();
    assert_eq!((aside.state(), aside.review_on.as_str()), (IndividualReviewState::OnHold, "2027-01-04"));
    let back = d.cases.suspend(as_(&coordinator, suspend(false, 6))).await.unwrap().into_inner().individual_review.unwrap();
    assert_eq!((back.state(), back.review_on), (IndividualReviewState::Decided, decided.review_on));
    let look = |outcomes| ReviewIndividualReviewRequest {
        individual_review_id: individual_review_id.clone(),
        outcomes,
        close: true,
        reason: "it helped".to_owned(),
        expected_version: 7,
        request_id: id(),
    };
    assert_eq!(refusal(d.cases.review(as_(&coordinator, look(Vec::new()))).await), (Code::FailedPrecondition, "OUTCOMES_MISSING".to_owned()));
    let outcome = DecisionOutcome { decision_id, outcome: "helped".to_owned(), note: String::new() };
    let closed = d.cases.review(as_(&coordinator, look(vec![outcome]))).await.unwrap().into_inner().individual_review.unwrap();
    assert_eq!((closed.state(), closed.version), (IndividualReviewState::Closed, 8));
    assert_eq!((d.published("reviews.individual-review.v1").await, d.count("case_revision").await), (8, 8));
    // Once it is closed, another may be opened.
    assert_ne!(open(&d, &coordinator, Sensitivity::Unspecified).await.unwrap().individual_review_id, individual_review_id);
}

#[tokio::test]
async fn declining_takes_a_second_person() {
    let d = district().await;
    let coordinator = d.coordinator();
    let review = open(&d, &coordinator, Sensitivity::General).await.unwrap();
    let decline = |seconded_by: Uuid| DeclineIndividualReviewRequest {
        individual_review_id: review.individual_review_id.clone(),
        reason: "it is not needed".to_owned(),
        seconded_by: seconded_by.to_string(),
        expected_version: 1,
        request_id: id(),
    };
    assert_eq!(refusal(d.cases.decline(as_(&coordinator, decline(coordinator.author()))).await).0, Code::InvalidArgument);
    let declined = d.cases.decline(as_(&coordinator, decline(Uuid::now_v7()))).await.unwrap().into_inner().individual_review.unwrap();
    assert_eq!((declined.state(), declined.reason.as_str()), (IndividualReviewState::NotNeeded, "it is not needed"));
}

#[tokio::test]
async fn who_sees_what_of_individual_reviews() {
    let d = district().await;
    let (coordinator, teacher) = (d.coordinator(), d.teacher());
    let (nurse, counsellor) = (d.staff("student_support_member", d.school), d.staff("student_support_member", d.school));
    let review = open(&d, &coordinator, Sensitivity::Restricted).await.unwrap();
    let team = vec![member(&coordinator, "coordinator"), member(&nurse, "nurse")];
    let review = prepare(&d, &coordinator, &review, team).await.unwrap();
    let protected = open(&d, &coordinator, Sensitivity::Protected).await.unwrap();
    // Who is not cleared opens none that is protected, so that no answer tells of one.
    assert_eq!(refusal(open(&d, &counsellor, Sensitivity::Protected).await), no_access());

    for (caller, restricted_is_closed, sees_protected) in [
        (&coordinator, false, true),
        (&nurse, false, false),
        (&d.staff("principal", d.school), false, false),
        (&counsellor, true, false),
        (&teacher, true, false),
    ] {
        let seen = get(&d, caller, &review).await.unwrap();
        assert_eq!(seen.closed_to_caller, restricted_is_closed, "{:?}", caller.roles);
        assert_eq!(seen.state(), IndividualReviewState::Preparing);
        assert_eq!(
            (seen.team.is_empty(), seen.lead_id.is_empty(), seen.opened_by.is_empty()),
            (seen.closed_to_caller, seen.closed_to_caller, seen.closed_to_caller)
        );
        assert_eq!(get(&d, caller, &protected).await.is_ok(), sees_protected, "{:?}", caller.roles);
        let rows = list(&d, caller).await;
        assert_eq!(rows.len(), if sees_protected { 2 } else { 1 }, "{:?}", caller.roles);
        let listed = rows.iter().find(|r| r.individual_review_id == review.individual_review_id).unwrap();
        assert_eq!(listed, &seen);
    }
    assert_eq!(refusal(get(&d, &teacher, &protected).await), no_access());
    assert_eq!(refusal(get(&d, &d.staff("coordinator", d.other_school), &review).await), no_access());
    // Support staff write where they take part, others not.
    let everybody = || vec![member(&nurse, "nurse"), member(&coordinator, "coordinator"), member(&counsellor, "counsellor")];
    assert_eq!(refusal(prepare(&d, &counsellor, &review, everybody()).await), no_access());
    prepare(&d, &nurse, &review, everybody()).await.unwrap();
    assert!(!get(&d, &counsellor, &review).await.unwrap().closed_to_caller, "in the team by now");
    let told: IndividualReviewChanged = d.newest("reviews.protected-case.v1").await;
    assert_eq!(told.individual_review_id, protected.individual_review_id);
}

#[tokio::test]
async fn an_opening_names_a_concern_of_the_student_that_the_caller_sees() {
    let d = district().await;
    let (coordinator, counsellor) = (d.coordinator(), d.staff("student_support_member", d.school));
    let concern = d.raise(&coordinator, d.concern(Sensitivity::Restricted)).await.unwrap().concern.unwrap();
    let request =
        |concern_id: String| OpenIndividualReviewRequest { trigger: IndividualReviewTrigger::Concern.into(), concern_id, ..opening(&d, Sensitivity::General) };
    let absent = refusal(d.cases.open(as_(&counsellor, request(id()))).await);
    assert_eq!(absent, (Code::NotFound, "CONCERN_NOT_FOUND".to_owned()));
    assert_eq!(refusal(d.cases.open(as_(&counsellor, request(concern.concern_id.clone()))).await), absent);
    assert_eq!(refusal(d.cases.open(as_(&counsellor, request(String::new()))).await).0, Code::InvalidArgument);
    let opened = d.cases.open(as_(&coordinator, request(concern.concern_id.clone()))).await.map(Response::into_inner).unwrap().individual_review.unwrap();
    assert_eq!((opened.sensitivity(), opened.concern_id), (Sensitivity::Restricted, concern.concern_id));
}

#[tokio::test]
async fn many_at_once_open_one() {
    let d = district().await;
    let coordinator = d.coordinator();
    let opened = futures_util::future::join_all((0..8).map(|_| open(&d, &coordinator, Sensitivity::Restricted))).await;
    let ids: std::collections::HashSet<String> = opened.into_iter().map(|r| r.unwrap().individual_review_id).collect();
    assert_eq!((ids.len(), d.count("individual_review").await, d.published("reviews.individual-review.v1").await), (1, 1, 1));
}
