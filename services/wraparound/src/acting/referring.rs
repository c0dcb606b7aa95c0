//! Referrals: consent, sending, the partner's answer, the judgement.

use chrono::Days;
use proto::partners::v1::{
    Consent, CreateReferralRequest, GetReferralRequest, JudgeReferralRequest, Outcome, PutConsentRequest, Referral, ReferralMode, SendReferralRequest,
    TransitionReferralRequest, Urgency,
};
use tonic::Code;
use uuid::Uuid;

use super::{Person, Services, Told as _, patiently, request_id};

/// What the family agreed to share.
pub const SCOPES: [&str; 3] = ["identity", "plan_item", "needs"];

/// Records a family's consent, where it is not recorded yet.
pub async fn consent(services: &Services, who: &Person, id: Uuid, student: &str, partner: &str) -> anyhow::Result<()> {
    patiently("record the family's consent", || {
        let today = chassis_clock::today();
        let consent = Consent {
            consent_id: id.to_string(),
            student_id: student.to_owned(),
            partner_id: partner.to_owned(),
            scopes: SCOPES.map(str::to_owned).to_vec(),
            purpose: "service".to_owned(),
            signer_kind: "guardian".to_owned(),
            method: "in_person".to_owned(),
            valid_from: today.to_string(),
            expires_on: today.checked_add_days(Days::new(300)).unwrap_or(today).to_string(),
            state: String::new(),
            language: "en".to_owned(),
        };
        let mut client = services.referrals();
        let request = who.asks(PutConsentRequest { consent: Some(consent), request_id: request_id() });
        async move {
            match client.put_consent(request).await {
                // Of an earlier run that was stopped: ids follow from the need, so it is this very consent.
                Err(status) if status.code() == Code::AlreadyExists => Ok(tonic::Response::new(())),
                other => other.map(|_| tonic::Response::new(())),
            }
        }
    })
    .await
}

/// What to ask of whom.
#[derive(Clone, Debug)]
pub struct NewReferral {
    /// Its id.
    pub id: Uuid,
    /// About whom.
    pub student: String,
    /// Needs and their codes.
    pub needs: Vec<(String, String)>,
    /// The plan item.
    pub item: String,
    /// The partner's service.
    pub service: String,
}

/// Writes a draft, or finds the one of an earlier run.
pub async fn draft(services: &Services, who: &Person, new: &NewReferral) -> anyhow::Result<Referral> {
    if let Some(found) = find(services, who, new.id).await? {
        return Ok(found);
    }
    let referral = Referral {
        referral_id: new.id.to_string(),
        student_id: new.student.clone(),
        need_ids: new.needs.iter().map(|(id, _)| id.clone()).collect(),
        plan_item_id: new.item.clone(),
        service_id: new.service.clone(),
        urgency: Urgency::Routine.into(),
        mode: ReferralMode::Normal.into(),
        shared_scopes: SCOPES.map(str::to_owned).to_vec(),
        first_step_owner: "family".to_owned(),
        ..Referral::default()
    };
    let need_codes = new.needs.iter().map(|(_, code)| code.clone()).collect();
    let request = CreateReferralRequest { referral: Some(referral), request_id: request_id(), need_codes };
    Ok(services.referrals().create_referral(who.asks(request)).await.told("write the referral")?.referral.unwrap_or_default())
}

async fn find(services: &Services, who: &Person, id: Uuid) -> anyhow::Result<Option<Referral>> {
    match services.referrals().get_referral(who.asks(GetReferralRequest { referral_id: id.to_string() })).await {
        Ok(found) => Ok(found.into_inner().referral),
        Err(status) if matches!(status.code(), Code::NotFound | Code::PermissionDenied) => Ok(None),
        Err(status) => Err(super::told(&status)),
    }
}

/// Reads one.
pub async fn read(services: &Services, who: &Person, id: &str) -> anyhow::Result<Referral> {
    Ok(services
        .referrals()
        .get_referral(who.asks(GetReferralRequest { referral_id: id.to_owned() }))
        .await
        .told("read the referral")?
        .referral
        .unwrap_or_default())
}

/// Sends a draft; answers the referral and its line in the disclosure ledger.
pub async fn send(services: &Services, who: &Person, referral: &Referral) -> anyhow::Result<(Referral, String)> {
    let request = SendReferralRequest { referral_id: referral.referral_id.clone(), expected_version: referral.version, request_id: request_id() };
    let sent = services.referrals().send_referral(who.asks(request)).await.told("send the referral")?;
    Ok((sent.referral.unwrap_or_default(), sent.disclosure_id))
}

/// Moves a referral, whatever its version.
pub async fn step(services: &Services, who: &Person, referral: &str, transition: &str, reason: &str, side: &str) -> anyhow::Result<Referral> {
    let request = TransitionReferralRequest {
        referral_id: referral.to_owned(),
        transition: transition.to_owned(),
        reason: reason.to_owned(),
        reason_side: side.to_owned(),
        expected_version: 0,
        request_id: request_id(),
    };
    Ok(services.referrals().transition_referral(who.asks(request)).await.told(&format!("{transition} the referral"))?.referral.unwrap_or_default())
}

/// Closes the loop.
pub async fn judge(services: &Services, who: &Person, referral: &str, outcome: Outcome) -> anyhow::Result<Referral> {
    let version = read(services, who, referral).await?.version;
    let request = JudgeReferralRequest { referral_id: referral.to_owned(), outcome: outcome.into(), expected_version: version, request_id: request_id() };
    Ok(services.referrals().judge_referral(who.asks(request)).await.told("judge the referral")?.referral.unwrap_or_default())
}
