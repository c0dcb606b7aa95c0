//! Partners: what was sent to them, and of the student what the family agreed to.

use std::time::Duration;

use integration_tests::acts::new_id;
use integration_tests::clients::Clients;
use integration_tests::tokens::Claims;
use proto::partners::v1::{GetReferralRequest, ListReferralsRequest, SetCapacityRequest, TransitionReferralRequest, WatchReferralsRequest};
use tonic::Code;

use super::Refusal;
use super::reads::{Ids, every_read};
use crate::house::{House, house};
use crate::rules::none;

fn partner(house: &House, at: usize) -> Clients {
    house.district.clients(&Claims::partner(&house.partners[at].0.partner_id))
}

#[tokio::test]
async fn a_partner_never_sees_anothers_referral() {
    let house = house().await;
    for (own, other) in [(0, 1), (1, 0)] {
        let mut who = partner(house, own);
        let (mine, theirs) = (&house.referrals[own].referral_id, &house.referrals[other].referral_id);
        who.referrals.get_referral(GetReferralRequest { referral_id: mine.clone() }).await.unwrap();
        let get = |referral_id: String| {
            let mut who = who.clone();
            async move { Refusal::from(&who.referrals.get_referral(GetReferralRequest { referral_id }).await.unwrap_err()) }
        };
        let (forbidden, missing) = (get(theirs.clone()).await, get(new_id()).await);
        assert_eq!(forbidden.code, Code::PermissionDenied);
        assert_eq!(forbidden, missing);

        let listed = who.referrals.list_referrals(ListReferralsRequest::default()).await.unwrap().into_inner().referrals;
        assert!(listed.iter().any(|referral| referral.referral_id == *mine) && listed.iter().all(|referral| referral.referral_id != *theirs), "{listed:?}");
        let request = ListReferralsRequest { student_id: house.rooms[if other == 0 { 0 } else { 2 }].student().to_owned(), ..Default::default() };
        if let Ok(answer) = who.referrals.list_referrals(request).await {
            assert!(answer.into_inner().referrals.is_empty());
        }

        let mut watched = who.referrals.watch_referrals(WatchReferralsRequest { changes_only: false }).await.unwrap().into_inner();
        while let Ok(Ok(Some(message))) = tokio::time::timeout(Duration::from_millis(500), watched.message()).await {
            assert!(message.referral.is_none_or(|referral| referral.referral_id != *theirs));
        }

        let moved = TransitionReferralRequest { referral_id: theirs.clone(), transition: "open".to_owned(), request_id: new_id(), ..Default::default() };
        assert_eq!(who.referrals.transition_referral(moved).await.unwrap_err().code(), Code::PermissionDenied);
        let places = SetCapacityRequest { service_id: house.partners[other].1.service_id.clone(), maximum: 0, request_id: new_id() };
        assert_eq!(who.directory.set_capacity(places).await.unwrap_err().code(), Code::PermissionDenied);
    }
}

#[tokio::test]
async fn a_partner_sees_of_a_student_what_the_family_agreed_to() {
    let house = house().await;
    let scopes = [(0, "ED-TUT"), (1, "")];
    for (at, category) in scopes {
        let request = GetReferralRequest { referral_id: house.referrals[at].referral_id.clone() };
        let referral = partner(house, at).referrals.get_referral(request).await.unwrap().into_inner().referral.unwrap();
        let shared = referral.shared_student.clone().expect("identity is shared");
        assert!(!shared.display_name.is_empty() && !shared.grade.is_empty() && !shared.school_name.is_empty(), "identity is shared: {shared:?}");
        assert_eq!(shared.service_category, category);
        assert!(shared.need_codes.is_empty(), "needs are not shared: {shared:?}");
        let staff_only = [&referral.plan_item_id, &referral.requested_by];
        assert!(referral.need_ids.is_empty() && staff_only.iter().all(|field| field.is_empty()), "{referral:?}");
    }
}

#[tokio::test]
async fn a_partner_reads_nothing_else_of_a_student() {
    let house = house().await;
    let who = partner(house, 0);
    let mut found = Vec::new();
    for (call, answer) in every_read(&who, &Ids::of(&house.rooms[0], &house.referrals[0].referral_id)).await {
        if answer.is_ok() && !["partners.GetReferral", "partners.ListReferrals of a student", "partners.ListReferrals of a school"].contains(&call)
            // What they raised, and what staff ask of them; here nobody did.
            && !(call.starts_with("plans.ListFollowUps") && answer.as_ref().is_ok_and(|text| text.contains("follow_ups: []")))
        {
            found.push(call.to_owned());
        }
    }
    none(&found, "these answer a partner:");
}

#[tokio::test]
async fn a_partner_without_an_organisation_has_nothing() {
    let house = house().await;
    let mut nobody = house.district.clients(&Claims::role("partner_user"));
    if let Ok(answer) = nobody.referrals.list_referrals(ListReferralsRequest::default()).await {
        assert!(answer.into_inner().referrals.is_empty());
    }
    let refused = nobody.referrals.get_referral(GetReferralRequest { referral_id: house.referrals[0].referral_id.clone() }).await.unwrap_err();
    assert_eq!(refused.code(), Code::PermissionDenied);
}
