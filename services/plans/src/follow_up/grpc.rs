//! Follow-ups over the wire.

use chassis_access::{Caller, Record};
use chassis_pg::idempotency;
use chassis_rpc::{PageToken, Parser};
use chrono::NaiveDate;
use prost::Message as _;
use proto::plans::v1::{
    self as wire, ListFollowUpsRequest, ListFollowUpsResponse, NudgeFollowUpRequest, NudgeFollowUpResponse, RaiseFollowUpRequest, RaiseFollowUpResponse,
    TransitionFollowUpRequest, TransitionFollowUpResponse,
};
use uuid::Uuid;

use super::acts::{self, Raise, Transition, visible};
use super::entity::{FollowUp, FollowUpKind, FollowUpTransition, RESULTS, Sensitivity, SubjectKind, weekday};
use super::list::{self, ListQuery};
use super::repo;
use crate::calendar::today;
use crate::error::PlanError;
use crate::grpc::Plans;
use crate::plan::events::timestamp;
use crate::plan_item;
use crate::sight::{Sight, Whose};

/// As the contract writes a follow-up.
pub fn to_wire(follow_up: &FollowUp) -> wire::FollowUp {
    let id = |id: Option<Uuid>| id.map(|id| id.to_string()).unwrap_or_default();
    wire::FollowUp {
        follow_up_id: follow_up.follow_up_id.to_string(),
        student_id: follow_up.student_id.to_string(),
        school_id: follow_up.school_id.to_string(),
        subject: follow_up.subject.into(),
        subject_id: follow_up.subject_id.to_string(),
        kind: follow_up.kind.into(),
        due_on: follow_up.due_on.to_string(),
        owner_id: id(follow_up.owner_id),
        state: follow_up.state.into(),
        note: follow_up.note.clone(),
        result: follow_up.result.clone(),
        result_note: follow_up.result_note.clone(),
        raised_by: id(follow_up.raised_by),
        raised_as: follow_up.raised_as.clone(),
        raise_time: Some(timestamp(follow_up.raised_at)),
        closed_by: id(follow_up.closed_by),
        close_time: follow_up.closed_at.map(timestamp),
        nudge_time: follow_up.nudged_at.map(timestamp),
        version: follow_up.version,
        sensitivity: follow_up.sensitivity.into(),
        need_ids: follow_up.need_ids.iter().map(ToString::to_string).collect(),
    }
}

/// What a partner is told: of the referral, and nothing behind it.
fn to_partner(follow_up: &FollowUp) -> wire::FollowUp {
    let own = follow_up.raised_by.filter(|by| follow_up.partner_id == Some(*by)).map(|id| id.to_string()).unwrap_or_default();
    wire::FollowUp { need_ids: Vec::new(), owner_id: String::new(), closed_by: String::new(), raised_by: own, ..to_wire(follow_up) }
}

impl Plans {
    /// Decides on a follow-up, and answers whether the caller sees it.
    async fn follow_up_sight(&self, caller: &Caller, action: &str, id: Uuid) -> Result<impl Fn(&FollowUp) -> bool + Send + use<>, PlanError> {
        let held = repo::by_ids(&mut *self.pool.acquire().await?, &[id]).await?.pop().ok_or_else(|| PlanError::unknown(action))?;
        let partner = caller.organisation_id;
        let clearance = match partner {
            Some(organisation) => {
                self.access.authorize(caller, action, &Record::organisation(held.partner_id.unwrap_or(Uuid::nil())))?;
                if held.partner_id != Some(organisation) {
                    return Err(PlanError::unknown(action));
                }
                chassis_access::Clearance::default()
            }
            None => self.student(caller, action, Some(held.student_id)).await?.1,
        };
        Ok(move |f: &FollowUp| match partner {
            Some(organisation) => acts::is_partners(f, organisation),
            None => visible(f, &clearance),
        })
    }

    pub(crate) async fn follow_up_raise(&self, caller: &Caller, message: &RaiseFollowUpRequest) -> Result<RaiseFollowUpResponse, PlanError> {
        const ACTION: &str = "plans.RaiseFollowUp";
        let mut p = Parser::new();
        let request_id = p.uuid("request_id", &message.request_id);
        let asked = message.follow_up.clone().unwrap_or_default();
        let follow_up_id = p.uuid("follow_up.follow_up_id", &asked.follow_up_id);
        let student_id = p.uuid("follow_up.student_id", &asked.student_id);
        let subject = p.required_enum::<wire::SubjectKind>("follow_up.subject", asked.subject).and_then(SubjectKind::from_proto);
        let subject_id = p.uuid("follow_up.subject_id", &asked.subject_id);
        let kind = p.required_enum::<wire::FollowUpKind>("follow_up.kind", asked.kind).and_then(FollowUpKind::from_proto);
        let due_on = weekday(p.date("follow_up.due_on", &asked.due_on));
        let owner_id = p.optional_uuid("follow_up.owner_id", &asked.owner_id);
        let note = p.text("follow_up.note", &asked.note, 500);
        p.finish()?;
        let (Some(subject), Some(kind)) = (subject, kind) else { return Err(PlanError::field("follow_up.subject", "must be given")) };
        let about = repo::about(&mut *self.pool.acquire().await?, subject, subject_id).await?.filter(|a| a.student_id == student_id);
        let unknown = || PlanError::field("follow_up.subject_id", "is not something of this student; take what GetPlan answers, or the student for the family");
        let (raised_by, raised_as) = match caller.organisation_id {
            Some(organisation) => {
                self.access.authorize(caller, ACTION, &Record::organisation(organisation))?;
                let open = match about.as_ref().and_then(|a| a.plan_item_id) {
                    Some(item) => {
                        plan_item::repo::by_id(&mut *self.pool.acquire().await?, item).await?.is_some_and(|i| i.sensitivity != Sensitivity::Protected)
                    }
                    None => false,
                };
                if !open || about.as_ref().and_then(|a| a.partner_id) != Some(organisation) {
                    return Err(PlanError::unknown(ACTION));
                }
                (organisation, "partner")
            }
            None => {
                let (_, clearance) = self.student(caller, ACTION, Some(student_id)).await?;
                let mut conn = self.pool.acquire().await?;
                let needs = about.as_ref().map(|a| a.need_ids.clone()).unwrap_or_default();
                let needs = crate::need::repo::by_ids(&mut conn, &needs).await?;
                let seen = needs.iter().all(|n| crate::sight::may_see(&clearance, n.sensitivity, n.domain));
                // An item may be protected by its referral although none of its needs is.
                let item = match about.as_ref().and_then(|a| a.plan_item_id) {
                    Some(id) => plan_item::repo::by_id(&mut conn, id).await?,
                    None => None,
                };
                if !seen || item.is_some_and(|i| !plan_item::visible(&i, &needs, &clearance)) {
                    return Err(unknown());
                }
                (caller.author(), "staff")
            }
        };
        let request = idempotency::Request::new(&caller.subject, ACTION, request_id, &message.encode_to_vec());
        let about = about.ok_or_else(unknown)?;
        let raise = Raise { follow_up_id, about, kind, due_on, owner_id, note, raised_by, raised_as, request };
        let stored = acts::raise(&self.pool, &raise).await?;
        let shown = if caller.organisation_id.is_some() { to_partner(&stored) } else { to_wire(&stored) };
        Ok(RaiseFollowUpResponse { follow_up: Some(shown) })
    }

    pub(crate) async fn follow_up_list(&self, caller: &Caller, message: &ListFollowUpsRequest) -> Result<ListFollowUpsResponse, PlanError> {
        const ACTION: &str = "plans.ListFollowUps";
        let mut p = Parser::new();
        let school = p.optional_uuid("school_id", &message.school_id);
        let student_id = p.optional_uuid("student_id", &message.student_id);
        let due_until = p.optional_date("due_until", &message.due_until);
        p.finish()?;
        let filter = format!("{school:?} {student_id:?} {} {due_until:?} {}", message.mine, message.open_only);
        let page = PageToken::page::<(NaiveDate, Uuid)>(message.page_size, &message.page_token, &filter, 50, 200)?;
        let (basis, whose, sight) = match (caller.organisation_id, student_id) {
            (Some(organisation), _) => (self.access.authorize(caller, ACTION, &Record::organisation(organisation))?.basis, Whose::default(), Sight::default()),
            (None, Some(student)) => {
                let (granted, _) = self.student(caller, ACTION, Some(student)).await?;
                (granted.basis, Whose { everything: true, places: Vec::new() }, Sight::of(&self.access, caller))
            }
            (None, None) => {
                let (granted, whose, sight) = self.list(caller, ACTION, school, None).await?;
                (granted.basis, whose, sight)
            }
        };
        let coordinates: Vec<Uuid> = caller.at.get("coordinator").into_iter().flatten().copied().collect();
        let query = ListQuery {
            whose: &whose,
            sight: &sight,
            student_id,
            mine: message.mine.then(|| caller.organisation_id.unwrap_or_else(|| caller.author())),
            coordinates: &coordinates,
            partner_id: caller.organisation_id,
            due_until,
            open_only: message.open_only,
            after: page.after,
            limit: page.size + 1,
        };
        let mut rows = list::list(&mut *self.pool.acquire().await?, &query).await?;
        let next_page_token = PageToken::cut(&mut rows, page.size, &filter, |f| (f.due_on, f.follow_up_id));
        let highest = rows.iter().map(|f| f.sensitivity).max().unwrap_or(Sensitivity::General);
        self.access.log_read(caller, ACTION, &basis, highest.into(), student_id.or(school), rows.len()).await?;
        let shown = if caller.organisation_id.is_some() { to_partner } else { to_wire };
        Ok(ListFollowUpsResponse { follow_ups: rows.iter().map(shown).collect(), next_page_token, access_basis: basis })
    }

    pub(crate) async fn follow_up_transition(&self, caller: &Caller, message: &TransitionFollowUpRequest) -> Result<TransitionFollowUpResponse, PlanError> {
        const ACTION: &str = "plans.TransitionFollowUp";
        let mut p = Parser::new();
        let follow_up_id = p.uuid("follow_up_id", &message.follow_up_id);
        let request_id = p.uuid("request_id", &message.request_id);
        p.one_of("transition", &message.transition, FollowUpTransition::CODES, false);
        let transition = FollowUpTransition::from_code(&message.transition);
        let is = |wanted| transition == Some(wanted);
        let result = p.one_of("result", &message.result, &RESULTS, !is(FollowUpTransition::Done));
        let due_on = if is(FollowUpTransition::Snooze) { Some(weekday(p.date("due_on", &message.due_on))) } else { None };
        if due_on.is_some_and(|day| day <= today()) {
            p.violation("due_on", "must be after today");
        }
        let owner_id = p.optional_uuid("owner_id", &message.owner_id);
        let note = p.text("note", &message.note, 1000);
        p.finish()?;
        let sees = self.follow_up_sight(caller, ACTION, follow_up_id).await?;
        let command = Transition {
            follow_up_id,
            transition: transition.ok_or_else(|| PlanError::field("transition", "is not known"))?,
            result,
            note,
            due_on,
            owner_id,
            by: caller.organisation_id.unwrap_or_else(|| caller.author()),
            expected_version: message.expected_version,
            request: idempotency::Request::new(&caller.subject, ACTION, request_id, &message.encode_to_vec()),
        };
        let stored = acts::transition(&self.pool, &command, sees).await?;
        let shown = if caller.organisation_id.is_some() { to_partner(&stored) } else { to_wire(&stored) };
        Ok(TransitionFollowUpResponse { follow_up: Some(shown) })
    }

    pub(crate) async fn follow_up_nudge(&self, caller: &Caller, message: &NudgeFollowUpRequest) -> Result<NudgeFollowUpResponse, PlanError> {
        const ACTION: &str = "plans.NudgeFollowUp";
        let mut p = Parser::new();
        let follow_up_id = p.uuid("follow_up_id", &message.follow_up_id);
        let request_id = p.uuid("request_id", &message.request_id);
        p.finish()?;
        let sees = self.follow_up_sight(caller, ACTION, follow_up_id).await?;
        let request = idempotency::Request::new(&caller.subject, ACTION, request_id, &message.encode_to_vec());
        let stored = acts::nudge(&self.pool, follow_up_id, &request, sees).await?;
        Ok(NudgeFollowUpResponse { follow_up: Some(to_wire(&stored)) })
    }
}
