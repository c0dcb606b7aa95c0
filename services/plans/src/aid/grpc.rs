//! Tangible aid over the wire.

use chassis_access::Caller;
use chassis_pg::idempotency;
use chassis_rpc::Parser;
use prost::Message as _;
use proto::plans::v1::{self as wire, ListAidsRequest, ListAidsResponse, RecordAidRequest, RecordAidResponse};
use uuid::Uuid;

use super::SeenAid;
use super::entity::{Aid, Receiver};
use crate::codes::Sensitivity;
use crate::error::PlanError;
use crate::grpc::{Plans, is_code};

fn to_wire((aid, sensitivity): &SeenAid) -> wire::Aid {
    wire::Aid {
        aid_id: aid.aid_id.to_string(),
        student_id: aid.student_id.to_string(),
        need_ids: aid.need_ids.iter().map(ToString::to_string).collect(),
        service_category: aid.service_category.clone(),
        item: aid.item.clone(),
        quantity: aid.quantity,
        value_cents: aid.value_cents,
        given_on: aid.given_on.to_string(),
        received_by: aid.received_by.as_str().to_owned(),
        sensitivity: (*sensitivity).into(),
    }
}

impl Plans {
    pub(crate) async fn aid_record(&self, caller: &Caller, message: &RecordAidRequest) -> Result<RecordAidResponse, PlanError> {
        const ACTION: &str = "plans.RecordAid";
        let mut p = Parser::new();
        let request_id = p.uuid("request_id", &message.request_id);
        let given = message.aid.clone().unwrap_or_default();
        if !is_code(&given.service_category) {
            p.violation("aid.service_category", "must be a code such as BN-CLO");
        }
        if given.value_cents.is_some_and(|v| !(0..=100_000_000).contains(&v)) {
            p.violation("aid.value_cents", "must be from 0 to 100000000");
        }
        p.one_of("aid.received_by", &given.received_by, Receiver::CODES, false);
        let mut aid = Aid {
            aid_id: p.uuid("aid.aid_id", &given.aid_id),
            student_id: p.uuid("aid.student_id", &given.student_id),
            school_id: Uuid::nil(),
            need_ids: p.uuids("aid.need_ids", &given.need_ids, 20),
            item: p.required_text("aid.item", &given.item, 200),
            quantity: p.number("aid.quantity", given.quantity, 1..=1000),
            value_cents: given.value_cents,
            given_on: p.date("aid.given_on", &given.given_on),
            received_by: Receiver::from_code(&given.received_by).unwrap_or(Receiver::Student),
            service_category: given.service_category,
        };
        p.finish()?;
        let (_, record) = self.access.authorize_student(caller, ACTION, aid.student_id).await?;
        let clearance = self.access.clearance(caller, &record);
        aid.school_id = record.schools.first().copied().unwrap_or_default();
        let command = super::Record { aid, request: idempotency::Request::new(&caller.subject, ACTION, request_id, &message.encode_to_vec()) };
        let stored = super::record(&self.pool, &command, &clearance).await?;
        Ok(RecordAidResponse { aid: Some(to_wire(&stored)) })
    }

    pub(crate) async fn aid_list(&self, caller: &Caller, message: &ListAidsRequest) -> Result<ListAidsResponse, PlanError> {
        const ACTION: &str = "plans.ListAids";
        let mut p = Parser::new();
        let student = p.uuid("student_id", &message.student_id);
        p.finish()?;
        let (granted, clearance) = self.student(caller, ACTION, Some(student)).await?;
        let aids = super::list(&self.pool, student, &clearance).await?;
        let sensitivity = aids.iter().map(|(_, s)| *s).max().unwrap_or(Sensitivity::General);
        self.access.log_read(caller, ACTION, &granted.basis, sensitivity.into(), Some(student), 1).await?;
        Ok(ListAidsResponse { aids: aids.iter().map(to_wire).collect(), access_basis: granted.basis })
    }
}
