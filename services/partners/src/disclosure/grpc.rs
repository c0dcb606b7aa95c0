//! `ListDisclosures`.

use chassis_access::{Caller, Sensitivity};
use chassis_pg::DbError;
use chassis_rpc::{OrStatus as _, Parser};
use proto::partners::v1::{Disclosure, ListDisclosuresRequest, ListDisclosuresResponse};
use tonic::{Request, Response, Status};

use super::{Line, ledger};
use crate::referral::events::timestamp;
use crate::referrals::Referrals;

const ACTION: &str = "partners.ListDisclosures";
const MOST: usize = 500;

fn proto(line: Line) -> Disclosure {
    Disclosure {
        disclosure_id: line.disclosure_id.to_string(),
        student_id: line.student_id.to_string(),
        time: Some(timestamp(line.at)),
        direction: line.direction,
        partner_id: line.partner_id.to_string(),
        legal_basis: line.legal_basis,
        consent_id: line.consent_id.map(|id| id.to_string()).unwrap_or_default(),
        scopes: line.scopes,
        referral_id: line.referral_id.to_string(),
        channel: line.channel,
        by_staff_id: if line.by_staff_id.is_nil() { String::new() } else { line.by_staff_id.to_string() },
        hash: line.hash.iter().map(|b| format!("{b:02x}")).collect(),
    }
}

impl Referrals {
    pub(crate) async fn list_disclosures_of(&self, request: Request<ListDisclosuresRequest>) -> Result<Response<ListDisclosuresResponse>, Status> {
        let caller = Caller::of(&request)?;
        let mut parser = Parser::new();
        let student_id = parser.uuid("student_id", &request.get_ref().student_id);
        parser.finish().or_status()?;
        let (granted, _) = self.access.authorize_student(&caller, ACTION, student_id).await.or_status()?;
        let mut tx = self.pool.begin().await.map_err(DbError::from).or_status()?;
        let (lines, chain_intact) = ledger::read(&mut tx, student_id, MOST).await.or_status()?;
        tx.commit().await.map_err(DbError::from).or_status()?;
        if !chain_intact {
            metrics::counter!("disclosure_chain_broken_total").increment(1);
            tracing::error!("a student's disclosure chain is not intact");
        }
        self.access.log_read(&caller, ACTION, &granted.basis, Sensitivity::Restricted, Some(student_id), lines.len()).await.or_status()?;
        Ok(Response::new(ListDisclosuresResponse { disclosures: lines.into_iter().map(proto).collect(), chain_intact, access_basis: granted.basis }))
    }
}
