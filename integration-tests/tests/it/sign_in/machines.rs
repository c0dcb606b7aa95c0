//! Systems that ask for themselves by client credentials: partners', the services' own, and those that are not meant.

use integration_tests::acts::{Need, add_referral_item, complete, open_cycle, partner_with_service, plan_with, put_need, refer, start_review};
use integration_tests::patience::eventually;
use proto::partners::v1::{GetReferralRequest, ListReferralsRequest};
use proto::rosters::v1::{GetCallerRequest, ListSchoolsRequest};
use proto::r#type::v1::Sensitivity;
use serde_json::json;
use tonic::{Code, Status};

use super::place::{REALM, place};
use crate::house::rooms_of;

fn reason(status: &Status) -> (Code, Option<String>) {
    (status.code(), chassis_rpc::fault::reason_of(status))
}

#[tokio::test]
async fn a_partners_system_sees_its_own_referrals_and_no_roster() {
    let place = place().await;
    let keycloak = &place.keycloak;
    keycloak.machine(REALM, "partnerships-of-tests", &json!({ "roles": ["partnership_manager"] })).await;
    let at = json!({ "roles": ["coordinator"], "school_ids": [place.school.school_id] });
    keycloak.machine(REALM, "coordinator-of-tests", &at).await;
    let manager = place.machine("manager-of-tests").await;
    let coordinator = place.machine("coordinator-of-tests").await;
    let directory = place.machine("partnerships-of-tests").await;

    let room = rooms_of(&manager, &place.school).await.remove(0);
    let cycle = open_cycle(&manager).await;
    let review = start_review(&coordinator, &cycle, &room.class.class_id).await;
    let need = Need { code: "ACA-RDG", severity: 2, sensitivity: Sensitivity::General, note: "" };
    let student = &room.students[0];
    let need = put_need(&coordinator, &review, student, need).await;
    complete(&coordinator, &review, student).await;
    let plan = plan_with(&coordinator, student, 1).await;
    let mut systems = Vec::new();
    for name in ["Riverside Tutors (fictional)", "Hillside Tutors (fictional)"] {
        let (partner, service) = partner_with_service(&directory, name, "ED-TUT", 5).await;
        let item = add_referral_item(&coordinator, &plan, &need, "ED-TUT", name).await;
        let referral = refer(&coordinator, student, (&need, "ACA-RDG"), &item.plan_item_id, &service, &["identity"]).await;
        let client = format!("system-{}", partner.partner_id);
        keycloak.machine(REALM, &client, &json!({ "roles": ["partner_system"], "organisation_id": partner.partner_id })).await;
        systems.push((client, referral));
    }
    for (client, referral) in &systems {
        let mut system = place.machine(client).await;
        let listed =
            eventually("the partner's referral is there", || {
                let mut system = system.clone();
                async move {
                    system.referrals.list_referrals(ListReferralsRequest::default()).await.ok().map(|a| a.into_inner().referrals).filter(|r| !r.is_empty())
                }
            })
            .await;
        assert_eq!(listed.iter().map(|held| held.referral_id.as_str()).collect::<Vec<_>>(), [referral.referral_id.as_str()], "{client}");
        // The name comes from rosters, whom partners asks as itself, by a token of Keycloak's.
        let own = system.referrals.get_referral(GetReferralRequest { referral_id: referral.referral_id.clone() }).await.unwrap().into_inner();
        assert!(format!("{own:?}").contains("display_name"), "{own:?}");
        for (_, other) in systems.iter().filter(|(other, _)| other != client) {
            let refused = system.referrals.get_referral(GetReferralRequest { referral_id: other.referral_id.clone() }).await.unwrap_err();
            assert_eq!(refused.code(), Code::PermissionDenied);
        }
        let refused = system.rosters.list_schools(ListSchoolsRequest::default()).await.unwrap_err();
        assert_eq!(reason(&refused), (Code::PermissionDenied, Some("ACCESS_DENIED".to_owned())));
    }
}

#[tokio::test]
async fn callers_are_told_who_they_are() {
    let place = place().await;
    place.keycloak.machine(REALM, "teacher-of-tests", &json!({ "staff_id": place.teachers[0] })).await;
    let told = eventually("the teacher is known", || async {
        place.machine("teacher-of-tests").await.rosters.get_caller(GetCallerRequest {}).await.ok().map(tonic::Response::into_inner)
    })
    .await;
    assert_eq!(told.roles.iter().map(|held| held.role.as_str()).collect::<Vec<_>>(), ["teacher"]);
    assert_eq!(told.school_ids, std::slice::from_ref(&place.school.school_id));
    assert!(!told.staff_id.is_empty() && told.organisation_id.is_empty());
    let manager = place.machine("manager-of-tests").await.rosters.get_caller(GetCallerRequest {}).await.unwrap().into_inner();
    assert!(manager.staff_id.is_empty() && manager.roles[0].whole_district);
    place.keycloak.machine(REALM, "nobody-of-tests", &json!({ "staff_id": "nobody@alder-valley.example" })).await;
    let refused = place.machine("nobody-of-tests").await.rosters.get_caller(GetCallerRequest {}).await.unwrap_err();
    assert_eq!(refused.code(), Code::PermissionDenied);
}

#[tokio::test]
async fn tokens_for_others_and_of_others_are_not_taken() {
    let place = place().await;
    let elsewhere = "another-district";
    place.keycloak.realm(elsewhere, |_| ()).await;
    for (what, token) in [
        ("for another audience", place.keycloak.token(REALM, "lunch-accounts").await),
        ("of another realm", place.keycloak.token(elsewhere, "roster-upload").await),
    ] {
        let clients = place.fleet.clients_with(&token);
        let refused = clients.rosters.clone().list_schools(ListSchoolsRequest::default()).await.expect_err(what);
        assert_eq!(reason(&refused), (Code::Unauthenticated, Some("TOKEN_INVALID".to_owned())), "{what}");
        let refused = clients.referrals.clone().list_referrals(ListReferralsRequest::default()).await.expect_err(what);
        assert_eq!(refused.code(), Code::Unauthenticated, "{what}");
    }
}
