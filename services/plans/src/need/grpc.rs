//! Needs over the wire.

use chassis_access::Caller;
use chassis_pg::idempotency;
use chassis_rpc::{PageToken, Parser};
use chrono::{DateTime, NaiveDate, Utc};
use prost::Message as _;
use proto::plans::v1::{self as wire, JudgeNeedRequest, JudgeNeedResponse, ListUnmetNeedsRequest, ListUnmetNeedsResponse};
use uuid::Uuid;

use super::entity::{Domain, Need, NeedState, Sensitivity};
use super::repo::UnmetQuery;
use crate::calendar::{day_of, school_days, today};
use crate::error::PlanError;
use crate::grpc::Plans;
use crate::plan::events::timestamp;

/// As the contract writes a need, with what is derived of it on a day.
pub fn to_wire(need: &Need, as_of: NaiveDate, unmet_after: i32) -> wire::Need {
    let reason = need.unmet(as_of, unmet_after);
    wire::Need {
        need_id: need.need_id.to_string(),
        student_id: need.student_id.to_string(),
        code: need.code.clone(),
        domain: need.domain.into(),
        severity: need.severity.into(),
        certainty: need.certainty.into(),
        sensitivity: need.sensitivity.into(),
        state: need.state.into(),
        recorded_time: Some(timestamp(need.recorded_at)),
        unmet: reason.is_some(),
        unmet_reason: reason.map_or(0, i32::from),
        age_school_days: school_days(day_of(need.recorded_at), as_of),
        version: need.version,
    }
}

impl Plans {
    pub(crate) async fn need_judge(&self, caller: &Caller, message: &JudgeNeedRequest) -> Result<JudgeNeedResponse, PlanError> {
        const ACTION: &str = "plans.JudgeNeed";
        let mut p = Parser::new();
        let need_id = p.uuid("need_id", &message.need_id);
        let request_id = p.uuid("request_id", &message.request_id);
        let state = p.required_enum::<wire::NeedState>("state", message.state).and_then(NeedState::from_proto);
        if state == Some(NeedState::BeingAddressed) {
            p.violation("state", "being_addressed follows from the need's items and cannot be judged");
        }
        p.finish()?;
        let student = super::repo::student_of(&mut *self.pool.acquire().await?, need_id).await?;
        let (_, clearance) = self.student(caller, ACTION, student).await?;
        let command = super::Judge {
            need_id,
            state: state.ok_or_else(|| PlanError::field("state", "must be given"))?,
            expected_version: message.expected_version,
            request: idempotency::Request::new(&caller.subject, ACTION, request_id, &message.encode_to_vec()),
        };
        let need = super::judge(&self.pool, &command, &clearance).await?;
        Ok(JudgeNeedResponse { need: Some(to_wire(&need, today(), self.unmet_after)) })
    }

    pub(crate) async fn unmet_list(&self, caller: &Caller, message: &ListUnmetNeedsRequest) -> Result<ListUnmetNeedsResponse, PlanError> {
        const ACTION: &str = "plans.ListUnmetNeeds";
        let mut p = Parser::new();
        let school = p.optional_uuid("school_id", &message.school_id);
        let domain = Domain::from_proto(p.known_enum("domain", message.domain));
        let as_of = p.optional_date("as_of_date", &message.as_of_date).unwrap_or_else(today);
        p.finish()?;
        let filter = format!("{school:?} {domain:?} {as_of}");
        let page = PageToken::page::<(DateTime<Utc>, Uuid)>(message.page_size, &message.page_token, &filter, 100, 500)?;
        let (granted, whose, sight) = self.list(caller, ACTION, school, None).await?;
        let query = UnmetQuery { whose: &whose, sight: &sight, domain, as_of, unmet_after: self.unmet_after, after: page.after, limit: page.size + 1 };
        let mut needs = super::repo::list_unmet(&mut *self.pool.acquire().await?, &query).await?;
        let next_page_token = PageToken::cut(&mut needs, page.size, &filter, |n| (n.recorded_at, n.need_id));
        let highest = needs.iter().map(|n| n.sensitivity).max().unwrap_or(Sensitivity::General);
        self.access.log_read(caller, ACTION, &granted.basis, highest.into(), school, needs.len()).await?;
        Ok(ListUnmetNeedsResponse { needs: needs.iter().map(|n| to_wire(n, as_of, self.unmet_after)).collect(), next_page_token, access_basis: granted.basis })
    }
}
