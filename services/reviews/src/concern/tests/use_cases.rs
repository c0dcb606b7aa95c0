use chassis_access::Caller;
use proto::reviews::v1::{self as wire, *};
use proto::r#type::v1::Sensitivity;
use tonic::{Code, Response};
use uuid::Uuid;

use crate::cases::tests::{CRISIS, District, as_, district, id, no_access, refusal};
use crate::student_review::tests::{entry, fixture};
use crate::tier::rule::{Certainty, Tier};
use crate::words::Polarity;

async fn get(d: &District, caller: &Caller, concern_id: &str) -> Result<GetConcernResponse, tonic::Status> {
    d.cases.concern(as_(caller, GetConcernRequest { concern_id: concern_id.to_owned() })).await.map(Response::into_inner)
}

/// Ids in a list, and of which of them the words are closed.
async fn list(d: &District, caller: &Caller, request: ListConcernsRequest) -> Vec<(String, bool)> {
    let answer = d.cases.concern_list(as_(caller, request)).await.unwrap().into_inner();
    for concern in &answer.concerns {
        assert_eq!(concern.closed_to_caller, concern.text.is_empty(), "{concern:?}");
    }
    answer.concerns.into_iter().map(|c| (c.concern_id, c.closed_to_caller)).collect()
}

fn triage(concern: &wire::Concern, decision: TriageDecision) -> TriageConcernRequest {
    TriageConcernRequest {
        concern_id: concern.concern_id.clone(),
        decision: decision.into(),
        note: "a note for tests".to_owned(),
        expected_version: concern.version,
        request_id: id(),
    }
}

#[tokio::test]
async fn a_concern_is_raised_once_answered_and_ended() {
    let d = district().await;
    let (teacher, coordinator) = (d.teacher(), d.coordinator());
    let sent = wire::Concern { urgency: ConcernUrgency::Urgent.into(), ..d.concern(Sensitivity::General) };
    let message = RaiseConcernRequest { concern: Some(sent.clone()), request_id: id() };
    let raised = d.cases.raise(as_(&teacher, message.clone())).await.unwrap().into_inner();
    assert_eq!(raised.crisis_instruction, CRISIS);
    let again = d.cases.raise(as_(&teacher, message)).await.unwrap().into_inner();
    assert_eq!(again.concern.as_ref().unwrap().concern_id, sent.concern_id);
    assert_eq!((d.count("concern").await, d.published("reviews.concern.v1").await), (1, 1));
    assert_eq!(refusal(d.raise(&teacher, sent.clone()).await), (Code::AlreadyExists, "CONCERN_EXISTS".to_owned()));
    let routine = d.raise(&teacher, d.concern(Sensitivity::General)).await.unwrap();
    assert_eq!(routine.crisis_instruction, "");

    let concern = raised.concern.unwrap();
    assert_eq!((concern.raised_by.clone(), concern.version, concern.state()), (teacher.author().to_string(), 1, ConcernState::Raised));
    let stale = TriageConcernRequest { expected_version: 9, ..triage(&concern, TriageDecision::Watch) };
    assert_eq!(refusal(d.cases.triage(as_(&coordinator, stale)).await).1, "ETAG_MISMATCH");
    let silent = TriageConcernRequest { note: String::new(), ..triage(&concern, TriageDecision::NotAConcern) };
    assert_eq!(refusal(d.cases.triage(as_(&coordinator, silent)).await), (Code::InvalidArgument, "INVALID_INPUT".to_owned()));
    let answered = d.cases.triage(as_(&coordinator, triage(&concern, TriageDecision::ActNow))).await.unwrap().into_inner();
    let answered = answered.concern.unwrap();
    assert_eq!((answered.triage(), answered.triaged_by.clone(), answered.version), (TriageDecision::ActNow, coordinator.author().to_string(), 2));
    let told: ConcernChanged = d.newest("reviews.concern.v1").await;
    assert_eq!((told.state(), told.triage(), told.version), (ConcernState::Triaged, TriageDecision::ActNow, 2));
    assert_eq!(refusal(d.cases.triage(as_(&coordinator, triage(&answered, TriageDecision::Watch))).await).1, "WRONG_STATE");
    let close = CloseConcernRequest { concern_id: concern.concern_id, note: "it passed".to_owned(), expected_version: 2, request_id: id() };
    let closed = d.cases.close(as_(&coordinator, close)).await.unwrap().into_inner().concern.unwrap();
    assert_eq!((closed.state(), closed.close_note.as_str(), closed.version), (ConcernState::Closed, "it passed", 3));
    assert_eq!(d.count("case_revision where subject = 'concern'").await, 4);
    assert!(sqlx::query("delete from reviews.case_revision").execute(&d.pool).await.is_err());
}

#[tokio::test]
async fn the_code_and_the_needs_set_the_least_sensitivity() {
    let d = district().await;
    let coordinator = d.coordinator();
    let coded = wire::Concern { code: "FAM-VIO".to_owned(), ..d.concern(Sensitivity::General) };
    let raised = d.raise(&coordinator, coded).await.unwrap().concern.unwrap();
    assert_eq!((raised.sensitivity(), raised.domain()), (Sensitivity::Protected, proto::r#type::v1::Domain::Family));
    assert_eq!((d.published("reviews.concern.v1").await, d.published("reviews.protected-case.v1").await), (0, 1));
    let unknown = wire::Concern { code: "ZZZ-ZZZ".to_owned(), ..d.concern(Sensitivity::General) };
    assert_eq!(refusal(d.raise(&coordinator, unknown).await).0, Code::InvalidArgument);
}

#[tokio::test]
async fn who_sees_what_of_concerns_one_by_one_and_in_lists() {
    let d = district().await;
    let (teacher, coordinator, counsellor) = (d.teacher(), d.coordinator(), d.staff("student_support_member", d.school));
    let raise = async |caller: &Caller, sensitivity| d.raise(caller, d.concern(sensitivity)).await.unwrap();
    let general = raise(&coordinator, Sensitivity::General).await.concern.unwrap().concern_id;
    let restricted = raise(&coordinator, Sensitivity::Restricted).await.concern.unwrap().concern_id;
    let own = raise(&teacher, Sensitivity::Restricted).await.concern.unwrap().concern_id;
    let sent = d.concern(Sensitivity::Protected);
    let protected = sent.concern_id.clone();
    // The teacher who raises a protected concern gets nothing of it back, then or later.
    assert_eq!(d.raise(&teacher, sent).await.unwrap().concern, None);
    assert_eq!(refusal(get(&d, &teacher, &protected).await), no_access());
    assert_eq!(refusal(get(&d, &teacher, &id()).await), no_access());

    let seen = async |caller: &Caller, id: &str| get(&d, caller, id).await.ok().map(|a| a.concern.unwrap().closed_to_caller);
    for (caller, expected) in [
        (&coordinator, [Some(false), Some(false), Some(false), Some(false)]),
        (&teacher, [Some(false), Some(true), Some(false), None]),
        (&counsellor, [Some(false), Some(true), Some(true), None]),
        (&d.staff("principal", d.school), [Some(false), Some(false), Some(false), None]),
        (&d.staff("coordinator", d.other_school), [None; 4]),
        (&d.staff("teacher", d.school), [None; 4]),
    ] {
        let ids = [&general, &restricted, &own, &protected];
        for (id, expected) in ids.iter().zip(expected) {
            assert_eq!(seen(caller, id).await, expected, "{:?} {id}", caller.roles);
        }
        // Every list says the same as one by one, page by page.
        let by_student = ListConcernsRequest { student_id: d.student.to_string(), ..ListConcernsRequest::default() };
        let own_scope = list(&d, caller, ListConcernsRequest { page_size: 200, ..ListConcernsRequest::default() }).await;
        let mut wanted: Vec<(String, bool)> = ids.iter().zip(expected).filter_map(|(id, e)| e.map(|closed| ((*id).clone(), closed))).collect();
        wanted.sort();
        let sorted = |mut rows: Vec<(String, bool)>| {
            rows.sort();
            rows
        };
        assert_eq!(sorted(own_scope), wanted, "{:?}", caller.roles);
        if wanted.is_empty() {
            assert_eq!(refusal(d.cases.concern_list(as_(caller, by_student)).await), no_access());
            continue;
        }
        assert_eq!(sorted(list(&d, caller, by_student.clone()).await), wanted);
        let mut paged = Vec::new();
        let mut request = ListConcernsRequest { page_size: 1, ..by_student };
        loop {
            let answer = d.cases.concern_list(as_(caller, request.clone())).await.unwrap().into_inner();
            assert_eq!(answer.concerns.len(), 1, "a page is as long as it says: no gap tells of a protected row");
            paged.extend(answer.concerns.into_iter().map(|c| (c.concern_id, c.closed_to_caller)));
            if answer.next_page_token.is_empty() {
                break;
            }
            request.page_token = answer.next_page_token;
        }
        assert_eq!(sorted(paged), wanted);
    }
    // A teacher does not list the school, and who does not see a concern does not answer it.
    let by_school = ListConcernsRequest { school_id: d.school.to_string(), ..ListConcernsRequest::default() };
    assert_eq!(refusal(d.cases.concern_list(as_(&teacher, by_school.clone())).await), no_access());
    assert_eq!(list(&d, &coordinator, by_school).await.len(), 4);
    for concern_id in [&restricted, &protected] {
        let request = TriageConcernRequest { concern_id: concern_id.clone(), decision: 1, expected_version: 1, request_id: id(), ..Default::default() };
        assert_eq!(refusal(d.cases.triage(as_(&counsellor, request)).await), no_access());
    }
    assert!(d.count("access_log where sensitivity = 'protected'").await > 0);
    assert_eq!(d.count(&format!("access_log where sensitivity = 'protected' and caller = '{}'", teacher.subject)).await, 0);
}

#[tokio::test]
async fn those_that_wait_come_first_by_when_they_are_due() {
    let d = district().await;
    let coordinator = d.coordinator();
    let routine = d.raise(&coordinator, d.concern(Sensitivity::General)).await.unwrap().concern.unwrap();
    let urgent = wire::Concern { urgency: ConcernUrgency::Urgent.into(), ..d.concern(Sensitivity::General) };
    let urgent = d.raise(&coordinator, urgent).await.unwrap().concern.unwrap();
    let answered = d.raise(&coordinator, wire::Concern { urgency: 2, ..d.concern(Sensitivity::General) }).await.unwrap().concern.unwrap();
    d.cases.triage(as_(&coordinator, triage(&answered, TriageDecision::Watch))).await.unwrap();
    let ids = async |open_only| {
        let rows = list(&d, &coordinator, ListConcernsRequest { open_only, ..ListConcernsRequest::default() }).await;
        rows.into_iter().map(|(id, _)| id).collect::<Vec<_>>()
    };
    let all = [urgent.concern_id, routine.concern_id, answered.concern_id.clone()];
    assert_eq!(ids(true).await, all);
    let close = CloseConcernRequest { concern_id: answered.concern_id, note: "it passed".to_owned(), expected_version: 2, request_id: id() };
    d.cases.close(as_(&coordinator, close)).await.unwrap();
    assert_eq!(ids(true).await, all[..2]);
    assert_eq!(ids(false).await, all);
}

#[tokio::test]
async fn triage_opens_the_individual_review_or_finds_the_open_one() {
    let d = district().await;
    let coordinator = d.coordinator();
    let answer = async |sensitivity| {
        let concern = d.raise(&coordinator, d.concern(sensitivity)).await.unwrap().concern.unwrap();
        let request = triage(&concern, TriageDecision::IndividualReview);
        let first = d.cases.triage(as_(&coordinator, request.clone())).await.unwrap().into_inner();
        assert_eq!(d.cases.triage(as_(&coordinator, request)).await.unwrap().into_inner(), first, "a repeat answers the same");
        let review = first.individual_review.unwrap();
        assert_eq!(first.concern.unwrap().individual_review_id, review.individual_review_id);
        review
    };
    let first = answer(Sensitivity::General).await;
    assert_eq!(
        (first.sensitivity(), first.state(), first.trigger()),
        (Sensitivity::Restricted, IndividualReviewState::Proposed, IndividualReviewTrigger::Concern)
    );
    assert_eq!(answer(Sensitivity::Restricted).await.individual_review_id, first.individual_review_id);
    // A protected one stands apart: refusing a second would tell of it.
    let protected = answer(Sensitivity::Protected).await;
    assert_ne!(protected.individual_review_id, first.individual_review_id);
    assert_eq!(protected.sensitivity(), Sensitivity::Protected);
    assert_eq!((d.published("reviews.individual-review.v1").await, d.count("individual_review").await), (1, 2));
}

#[tokio::test]
async fn a_suspected_need_that_calls_for_a_look_today_raises_one_concern_however_often_its_review_is_completed() {
    let pool = district().await.pool;
    let f = fixture(pool, 1).await;
    let mut need = entry("FAM-VIO", Polarity::Need, 2);
    need.certainty = Some(Certainty::Suspected);
    let observed = entry("FAM-HML", Polarity::Need, 1);
    for entry in [&need, &observed, &entry("ACA-MAT", Polarity::Strength, 0)] {
        f.reviews.put(&f.put(&f.author, entry, 0)).await.unwrap();
    }
    let decision = || crate::student_review::Decision {
        no_concern: crate::taxonomy::Domain::ALL.to_vec(),
        assigned_tier: Some(Tier::Three),
        ..crate::student_review::Decision::default()
    };
    f.reviews.update(&f.fresh(0, 1), decision(), &f.author).await.unwrap();
    assert_eq!(f.count("concern").await, 0);
    f.reviews.complete(&f.fresh(0, 2), &f.author).await.unwrap();
    f.reviews.reopen(&f.fresh(0, 3), &f.author).await.unwrap();
    f.reviews.complete(&f.fresh(0, 4), &f.author).await.unwrap();
    let kept: (String, String, Uuid, String, Uuid) =
        sqlx::query_as("select urgency, sensitivity, urgent_need_id, code, student_id from reviews.concern").fetch_one(&f.pool).await.unwrap();
    assert_eq!(kept, ("urgent".to_owned(), "protected".to_owned(), need.id, "FAM-VIO".to_owned(), f.students[0]));
    let told: ConcernChanged = f.newest("reviews.protected-case.v1").await;
    assert_eq!((told.urgency(), told.state(), f.published("reviews.concern.v1").await), (ConcernUrgency::Urgent, ConcernState::Raised, 0));
}

#[tokio::test]
async fn a_need_that_is_understood_otherwise_raises_nothing() {
    let pool = district().await.pool;
    let mut need = entry("FAM-VIO", Polarity::Need, 2);
    need.certainty = Some(Certainty::Suspected);
    let whose = crate::concern::Whose { student_id: Uuid::now_v7(), school_id: Uuid::now_v7(), school_year: 2027 };
    let mut conn = pool.acquire().await.unwrap();
    let clock = crate::student_review::tests::clock();
    let mut raise = async |need: &crate::student_review::entity::Entry| {
        crate::concern::raise_for_urgent(&mut conn, &clock, whose, std::slice::from_ref(need), chrono::Utc::now()).await.unwrap();
        sqlx::query_scalar::<_, i64>("select count(*) from reviews.concern").fetch_one(&mut *conn).await.unwrap()
    };
    assert_eq!(raise(&crate::student_review::entity::Entry { superseded_by: Some(Uuid::now_v7()), ..need.clone() }).await, 0);
    assert_eq!(raise(&need).await, 1);
    assert_eq!(raise(&need).await, 1);
}
