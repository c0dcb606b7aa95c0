//! A partner's system written in another language, with no code generated from our contract: it works by reflection alone.

use std::process::Command;

use integration_tests::acts::{Need, add_referral_item, complete, plan_with, put_need, refer};
use integration_tests::tokens::Claims;
use proto::partners::v1::{GetReferralRequest, ReferralState};
use proto::r#type::v1::Sensitivity;
use serde_json::Value;

use crate::house::house;
use crate::rules::root;

#[tokio::test]
async fn python_drives_the_partners_side_of_a_referral() {
    let house = house().await;
    let (room, service) = (&house.rooms[1], &house.partners[0].1);
    let coordinator = house.district.clients(&house.coordinators[0]);
    // A student whom no other test looks at.
    let student = room.students.last().unwrap();
    let need = Need { code: "ACA-RDG", severity: 3, sensitivity: Sensitivity::General, note: "" };
    let need_id = put_need(&coordinator, &room.review, student, need).await;
    complete(&coordinator, &room.review, student).await;
    let plan = plan_with(&coordinator, student, 1).await;
    let item = add_referral_item(&coordinator, &plan, &need_id, "ED-TUT", "reading group").await;
    let sent = refer(&coordinator, student, (&need_id, "ACA-RDG"), &item.plan_item_id, service, &["identity"]).await;

    let python = root().join("target/venv/bin/python");
    assert!(python.exists(), "Python's gRPC is not installed: run scripts/setup.sh test");
    let mut command = Command::new(python);
    command.arg(root().join("integration-tests/tests/python/partner.py"));
    command.arg(house.district.address("partners").trim_start_matches("http://")).arg(&sent.referral_id);
    command.env("TOKEN", house.district.tokens().mint(&Claims::partner(&service.partner_id)));
    let output = tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let seen: Value = serde_json::from_slice(&output.stdout).unwrap();

    let told: Vec<&str> = seen["services"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    assert!(told.contains(&"wraparound.partners.v1.ReferralService"), "{told:?}");
    assert!(!told.contains(&"wraparound.reviews.v1.ReviewService"), "{told:?}");
    let states: Vec<&str> = seen["states"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    let wanted = ["RECEIVED", "ACCEPTED", "STARTED", "ATTENDING", "COMPLETED"].map(|state| format!("REFERRAL_STATE_{state}"));
    assert_eq!(states, wanted);
    assert_eq!(seen["refused"], "PERMISSION_DENIED");
    assert!(seen["listed"].as_array().unwrap().iter().any(|referral| referral["referral_id"] == sent.referral_id.as_str()));
    for referral in [&seen["watched"], &seen["read"]["referral"]] {
        let shared = &referral["shared_student"];
        assert!(shared["display_name"].is_string() && shared["grade"].is_string() && shared["school_name"].is_string(), "identity is shared: {referral}");
        // Empty fields are left out of the JSON.
        for closed in ["need_ids", "plan_item_id", "requested_by"] {
            assert!(referral.get(closed).is_none(), "a partner sees {closed}: {referral}");
        }
        for closed in ["need_codes", "service_category"] {
            assert!(shared.get(closed).is_none(), "a partner sees {closed}: {referral}");
        }
    }
    let request = GetReferralRequest { referral_id: sent.referral_id };
    let stored = coordinator.clone().referrals.get_referral(request).await.unwrap().into_inner().referral.unwrap();
    assert_eq!(stored.state(), ReferralState::Completed);
}
