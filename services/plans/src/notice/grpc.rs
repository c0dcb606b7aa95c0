//! Who was not noticed, over the wire.

use chassis_access::Caller;
use chassis_rpc::{PageToken, Parser};
use chrono::NaiveDate;
use proto::plans::v1::{self as wire, ListNotNoticedRequest, ListNotNoticedResponse};
use uuid::Uuid;

use super::repo::{self, NEVER, Query};
use crate::error::PlanError;
use crate::grpc::Plans;
use crate::need::entity::Sensitivity;

/// School days where nothing is asked for.
const USUAL: i32 = 60;

impl Plans {
    pub(crate) async fn not_noticed_list(&self, caller: &Caller, message: &ListNotNoticedRequest) -> Result<ListNotNoticedResponse, PlanError> {
        const ACTION: &str = "plans.ListNotNoticed";
        let mut p = Parser::new();
        let school = p.optional_uuid("school_id", &message.school_id);
        let school_days = if message.school_days == 0 { USUAL } else { p.number("school_days", message.school_days, 10..=200) };
        p.finish()?;
        let filter = format!("{school:?} {school_days}");
        let page = PageToken::page::<(NaiveDate, Uuid)>(message.page_size, &message.page_token, &filter, 50, 200)?;
        let (granted, whose, sight) = self.list(caller, ACTION, school, None).await?;
        let query = Query { whose: &whose, sight: &sight, school_days, after: page.after, limit: page.size + 1 };
        let mut rows = repo::list(&mut *self.pool.acquire().await?, &query).await?;
        let next_page_token = PageToken::cut(&mut rows, page.size, &filter, |r| (r.last_on.unwrap_or(NEVER), r.student_id));
        self.access.log_read(caller, ACTION, &granted.basis, Sensitivity::General.into(), school, rows.len()).await?;
        let students = rows.into_iter().map(|r| wire::NotNoticed {
            student_id: r.student_id.to_string(),
            last_on: r.last_on.map(|d| d.to_string()).unwrap_or_default(),
            last_kind: r.last_kind.unwrap_or_default(),
        });
        Ok(ListNotNoticedResponse { students: students.collect(), next_page_token, access_basis: granted.basis })
    }
}
