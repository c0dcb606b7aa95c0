//! Nothing leaves without consent, agreement and ledger line; and what is taken back is gone from view.
#![allow(clippy::unwrap_used, reason = "a panic here is the report")]

mod district;

use std::collections::HashMap;

use chassis_rpc::Fault as _;
use district::{PARTNER, STAFF, advance, draft, request};
use partners::disclosure::ledger;
use partners::names::{Named, Names};
use partners::referral::repo::{self, Filter};
use partners::referral::{self, Audience, Mode, Referral, State, Transition, view};
use sqlx::PgPool;
use tonic::Status;
use uuid::Uuid;

/// A roster that names everybody the same.
struct OneName;

#[tonic::async_trait]
impl Names for OneName {
    async fn students(&self, ids: Vec<Uuid>) -> Result<HashMap<Uuid, Named>, Status> {
        Ok(ids.into_iter().map(|id| (id, Named { display_name: "Zoe Fiction".into(), grade: "04".into() })).collect())
    }
    async fn schools(&self, ids: Vec<Uuid>) -> Result<HashMap<Uuid, String>, Status> {
        Ok(ids.into_iter().map(|id| (id, "Fictional School".into())).collect())
    }
}

async fn seen_by(pool: &PgPool, audience: &Audience) -> Vec<Referral> {
    let mut conn = pool.acquire().await.unwrap();
    repo::list(&mut conn, audience, &Filter::default(), 100).await.unwrap()
}

async fn partner_sees(pool: &PgPool, partner_id: Uuid) -> Vec<proto::partners::v1::Referral> {
    view::for_partner(&OneName, &seen_by(pool, &Audience::of_partner(partner_id)).await).await.unwrap()
}

async fn intact(pool: &PgPool, student: Uuid) -> (Vec<String>, bool) {
    let mut tx = pool.begin().await.unwrap();
    let (lines, intact) = ledger::read(&mut tx, student, 500).await.unwrap();
    (lines.into_iter().map(|l| l.direction).collect(), intact)
}

#[tokio::test]
async fn nothing_is_sent_before_everything_is_there() {
    let pool = district::database().await;
    let partner_id = district::partner(&pool, "SEC-CBO").await;
    let service_id = district::service(&pool, partner_id, "ED-TUT", 5).await;
    let student = Uuid::now_v7();
    let id = referral::create(&pool, draft(student, service_id, Mode::Normal, &["identity", "needs"]), &request()).await.unwrap().referral_id;
    let refused = async || {
        let error = referral::send(&pool, id, STAFF, 1, &request()).await.unwrap_err();
        assert_eq!(district::count(&pool, "select count(*) from partners.disclosure").await, 0);
        assert_eq!(district::count(&pool, "select count(*) from partners.outbox where aggregatetype like 'partners.disclosure%'").await, 0);
        (error.reason(), error.preconditions().len())
    };
    assert_eq!(refused().await, ("CONSENT_MISSING", 2), "neither consent nor agreement");
    district::agreement(&pool, partner_id).await;
    assert_eq!(refused().await, ("CONSENT_MISSING", 1));
    district::consent(&pool, student, partner_id, &["identity"]).await;
    let error = referral::send(&pool, id, STAFF, 1, &request()).await.unwrap_err();
    assert_eq!(error.preconditions()[0].field, "SCOPE_NOT_COVERED");
    // For another partner, for another student: of no use.
    let other = district::partner(&pool, "SEC-CBO").await;
    district::consent(&pool, student, other, &["identity", "needs"]).await;
    district::consent(&pool, Uuid::now_v7(), partner_id, &["identity", "needs"]).await;
    assert!(partner_sees(&pool, partner_id).await.is_empty(), "a draft is not the partner's");
    district::consent(&pool, student, partner_id, &["identity", "needs"]).await;
    let (covered, missing) = referral::check_sharing(&pool, &referral_of(&pool, id).await).await.unwrap();
    assert!(covered.is_some() && missing.is_empty());
    let once = request();
    let sent = referral::send(&pool, id, STAFF, 1, &once).await.unwrap();
    assert_eq!((sent.state(), sent.consent_id, sent.respond_by.is_some()), (State::Sent, covered, true));
    let again = referral::send(&pool, id, STAFF, 1, &once).await.unwrap();
    assert_eq!((again.version, again.disclosure_id), (sent.version, sent.disclosure_id), "the same request is the same sending");
    assert_eq!(referral::send(&pool, id, STAFF, 1, &request()).await.unwrap_err().reason(), "ETAG_MISMATCH");
    assert_eq!(district::count(&pool, "select count(*) from partners.disclosure").await, 1);
    assert_eq!(intact(&pool, student).await, (vec!["out".to_owned()], true));
    // The second lock, below the types: the table itself.
    let forced = sqlx::query("update partners.referral set disclosure_id = null where referral_id = $1").bind(id).execute(&pool).await;
    assert!(forced.is_err());
}

async fn referral_of(pool: &PgPool, id: Uuid) -> Referral {
    let mut conn = pool.acquire().await.unwrap();
    repo::load(&mut conn, id).await.unwrap().unwrap()
}

#[tokio::test]
async fn police_receive_on_a_legal_basis_only() {
    let pool = district::database().await;
    let partner_id = district::partner(&pool, "SEC-LAW").await;
    district::agreement(&pool, partner_id).await;
    let service_id = district::service(&pool, partner_id, "ENR-SPO", 5).await;
    let student = Uuid::now_v7();
    district::consent(&pool, student, partner_id, &["identity"]).await;
    let id = referral::create(&pool, draft(student, service_id, Mode::Normal, &["identity"]), &request()).await.unwrap().referral_id;
    assert_eq!(referral::send(&pool, id, STAFF, 1, &request()).await.unwrap_err().reason(), "LEGAL_BASIS_REQUIRED");
}

#[tokio::test]
async fn a_consent_taken_back_ends_what_relied_on_it() {
    let pool = district::database().await;
    let (partner_id, service_id) = district::ready(&pool, 3).await;
    let accepted = district::sent(&pool, partner_id, service_id).await;
    let id = accepted.referral_id;
    for transition in [Transition::Open, Transition::Accept] {
        advance(&pool, id, PARTNER, transition).await.unwrap();
    }
    // One that ended before: nothing to withdraw, but its data goes too.
    let ended = referral::create(&pool, draft(accepted.student_id, service_id, Mode::Normal, &["identity"]), &request()).await.unwrap().referral_id;
    referral::send(&pool, ended, STAFF, 0, &request()).await.unwrap();
    for transition in [Transition::Open, Transition::Decline] {
        advance(&pool, ended, PARTNER, transition).await.unwrap();
    }
    let untouched = district::sent(&pool, partner_id, service_id).await;
    let seen = partner_sees(&pool, partner_id).await;
    let shared = seen.iter().find(|r| r.referral_id == id.to_string()).unwrap().shared_student.clone().unwrap();
    assert_eq!((shared.display_name.as_str(), shared.school_name.as_str(), shared.service_category.as_str()), ("Zoe Fiction", "Fictional School", "ED-TUT"));
    assert_eq!(shared.need_codes, ["ACA-RDG"], "general codes only");
    assert!(seen.iter().all(|r| r.need_ids.is_empty() && r.requested_by.is_empty() && r.plan_item_id.is_empty()));

    let request = request();
    for _ in 0..2 {
        let consent = partners::consent::revoke(&pool, accepted.consent_id.unwrap(), STAFF.staff_id, &request).await.unwrap();
        assert_eq!(consent.state(chrono::Utc::now().date_naive()), "revoked");
    }
    let withdrawn = referral_of(&pool, id).await;
    assert_eq!((withdrawn.state(), withdrawn.reason.as_str(), withdrawn.recalled, withdrawn.holds_place()), (State::Withdrawn, "consent_revoked", true, false));
    assert_eq!((referral_of(&pool, ended).await.state(), referral_of(&pool, ended).await.recalled), (State::Declined, true));
    assert_eq!(referral_of(&pool, untouched.referral_id).await.state(), State::Sent);
    assert_eq!(district::count(&pool, "select taken::bigint from partners.capacity").await, 0);
    let (lines, whole) = intact(&pool, accepted.student_id).await;
    assert_eq!((lines.iter().filter(|d| *d == "recalled").count(), lines.len(), whole), (2, 4, true));
    for referral in partner_sees(&pool, partner_id).await {
        let gone = referral.referral_id != untouched.referral_id.to_string();
        assert_eq!((referral.shared_student.is_none(), referral.student_id.is_empty()), (gone, gone));
    }
}

#[tokio::test]
async fn a_partner_sees_its_own_and_nothing_that_shares_nothing() {
    let pool = district::database().await;
    let (a, of_a) = district::ready(&pool, 5).await;
    let (b, of_b) = district::ready(&pool, 5).await;
    let mine = district::sent(&pool, a, of_a).await;
    let theirs = district::sent(&pool, b, of_b).await;
    let student = Uuid::now_v7();
    for mode in [Mode::Protected, Mode::InformationOnly] {
        let id = referral::create(&pool, draft(student, of_a, mode, &[]), &request()).await.unwrap().referral_id;
        let sent = referral::send(&pool, id, STAFF, 1, &request()).await.unwrap();
        assert_eq!((sent.state(), sent.disclosure_id), (State::Sent, None));
        // The school records what it was told; no place of ours is taken.
        advance(&pool, id, STAFF, Transition::Open).await.unwrap();
        assert!(!advance(&pool, id, STAFF, Transition::Accept).await.unwrap().holds_place());
        assert!(advance(&pool, id, PARTNER, Transition::Start).await.is_err());
    }
    assert_eq!(intact(&pool, student).await, (vec![], true));
    let ids = |seen: Vec<Referral>| seen.into_iter().map(|r| r.referral_id).collect::<Vec<_>>();
    assert_eq!(ids(seen_by(&pool, &Audience::of_partner(a)).await), [mine.referral_id]);
    assert_eq!(ids(seen_by(&pool, &Audience::of_partner(b)).await), [theirs.referral_id]);
    let topics = "select count(*) from partners.outbox where aggregatetype = 'partners.protected-referral.v1'";
    assert_eq!(district::count(&pool, topics).await, 4, "created, sent, opened, accepted");
    // For a shelter there is no normal mode.
    let shelter = district::service(&pool, a, "CRI-DV", 5).await;
    let error = referral::create(&pool, draft(student, shelter, Mode::Normal, &["identity"]), &request()).await.unwrap_err();
    assert_eq!(error.violations()[0].field, "referral.mode");
}

#[tokio::test]
async fn staff_see_their_students_and_protected_ones_only_on_the_case() {
    let pool = district::database().await;
    let (_, service_id) = district::ready(&pool, 5).await;
    let (student, elsewhere) = (Uuid::now_v7(), Uuid::now_v7());
    let (school, class) = (Uuid::now_v7(), Uuid::now_v7());
    for (relation, object) in [("attends", school), ("member", class)] {
        sqlx::query("insert into partners.relationship values ($1, $2, $3)").bind(student).bind(relation).bind(object).execute(&pool).await.unwrap();
    }
    let open = referral::create(&pool, draft(student, service_id, Mode::Normal, &["identity"]), &request()).await.unwrap().referral_id;
    let hidden = referral::create(&pool, draft(student, service_id, Mode::Protected, &[]), &request()).await.unwrap().referral_id;
    referral::create(&pool, draft(elsewhere, service_id, Mode::Normal, &["identity"]), &request()).await.unwrap();
    let teacher = Audience { classes: vec![class], ..Audience::default() };
    let principal = Audience { schools: vec![school], ..Audience::default() };
    let coordinator = Audience { schools: vec![school], protected_schools: vec![school], ..Audience::default() };
    for (audience, expected) in [(teacher, vec![open]), (principal, vec![open]), (coordinator, vec![hidden, open]), (Audience::default(), vec![])] {
        assert_eq!(seen_by(&pool, &audience).await.into_iter().map(|r| r.referral_id).collect::<Vec<_>>(), expected);
    }
    assert_eq!(seen_by(&pool, &Audience { everything: true, ..Audience::default() }).await.len(), 2, "a supervisor without clearance");
}

#[tokio::test]
async fn a_changed_ledger_is_seen_and_not_easily_made() {
    let pool = district::database().await;
    let (partner_id, service_id) = district::ready(&pool, 5).await;
    let student = district::sent(&pool, partner_id, service_id).await.student_id;
    for _ in 0..2 {
        let id = referral::create(&pool, draft(student, service_id, Mode::Normal, &["identity"]), &request()).await.unwrap().referral_id;
        referral::send(&pool, id, STAFF, 1, &request()).await.unwrap();
    }
    assert_eq!(intact(&pool, student).await, (vec!["out".to_owned(); 3], true));
    for change in ["update partners.disclosure set scopes = '{identity}'", "delete from partners.disclosure", "truncate partners.disclosure cascade"] {
        assert!(sqlx::query(change).execute(&pool).await.is_err(), "{change}");
    }
    // Somebody who owns the tables gets past the trigger, but not past the chain.
    for change in [
        "update partners.disclosure set scopes = '{identity}' where sequence = 1",
        "update partners.disclosure set at = at + interval '1 second' where sequence = 2",
        "update partners.disclosure_head set sequence = 4",
        "update partners.disclosure set sequence = sequence + 10 where sequence = 3",
    ] {
        let mut tx = pool.begin().await.unwrap();
        sqlx::query("alter table partners.disclosure disable trigger disclosure_append_only").execute(&mut *tx).await.unwrap();
        sqlx::query(change).execute(&mut *tx).await.unwrap();
        assert!(!ledger::read(&mut tx, student, 500).await.unwrap().1, "{change}");
        tx.rollback().await.unwrap();
    }
    assert!(intact(&pool, student).await.1);
}
