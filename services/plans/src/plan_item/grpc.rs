//! Plan items over the wire.

use chassis_access::Caller;
use chassis_pg::idempotency;
use chassis_rpc::Parser;
use prost::Message as _;
use proto::plans::v1::{
    self as wire, AddPlanItemRequest, AddPlanItemResponse, TransitionPlanItemRequest, TransitionPlanItemResponse, UpdatePlanItemRequest, UpdatePlanItemResponse,
};
use uuid::Uuid;

use super::entity::{Arrangement, Band, Item, ItemKind, ItemState, ItemTransition, OwnerKind, Sensitivity, Setting, UnmetReason, WarmHandoff};
use crate::error::PlanError;
use crate::grpc::{Plans, is_code};
use crate::suggestion;

/// Needs an item may answer, and codes it may build on.
const MANY: usize = 20;

/// As the contract writes an item.
pub fn to_wire(item: &Item) -> wire::PlanItem {
    wire::PlanItem {
        plan_item_id: item.plan_item_id.to_string(),
        plan_id: item.plan_id.to_string(),
        need_ids: item.need_ids.iter().map(ToString::to_string).collect(),
        builds_on_codes: item.builds_on_codes.clone(),
        kind: item.kind.into(),
        service_category: item.service_category.clone(),
        description: item.description.clone(),
        owner: item.owner.map_or(0, i32::from),
        first_step_owner: item.first_step_owner.map_or(0, i32::from),
        due_on: item.due_on.map(|d| d.to_string()).unwrap_or_default(),
        state: item.state.into(),
        ended_reason: item.ended_reason.map_or(0, i32::from),
        referral_id: item.referral_id.map(|id| id.to_string()).unwrap_or_default(),
        version: item.version,
        sensitivity: item.sensitivity.into(),
        depends_on_item_ids: texts(&item.arrangement.depends_on),
        waits_for_item_ids: texts(&item.arrangement.waits_for),
        goal_ids: texts(&item.arrangement.goal_ids),
        setting: item.arrangement.setting.map_or(0, i32::from),
        band: item.arrangement.band.map_or(0, i32::from),
        owner_id: text(item.arrangement.owner_id),
        first_step_owner_id: text(item.arrangement.first_step_owner_id),
        warm_handoff: item.arrangement.warm_handoff.map_or(0, i32::from),
        priority: item.arrangement.priority.into(),
        funding_note: item.arrangement.funding_note.clone(),
        replaced_by: text(item.arrangement.replaced_by),
        individual_review_id: text(item.arrangement.individual_review_id),
        sessions_per_week: item.arrangement.sessions_per_week.into(),
        minutes_per_session: item.arrangement.minutes_per_session.into(),
        weeks: item.arrangement.weeks.into(),
    }
}

fn text(id: Option<Uuid>) -> String {
    id.map(|id| id.to_string()).unwrap_or_default()
}

fn texts(ids: &[Uuid]) -> Vec<String> {
    ids.iter().map(ToString::to_string).collect()
}

/// Reads how an item is to be arranged; what is not said follows from its kind and category.
fn read_arrangement(p: &mut Parser, kind: Option<ItemKind>, item: &wire::PlanItem) -> Arrangement {
    let small = |n: i32| i16::try_from(n).unwrap_or(i16::MAX);
    let home = matches!(kind, Some(ItemKind::HomeStrategy | ItemKind::FamilyAction));
    let setting = Setting::from_proto(p.known_enum("item.setting", item.setting));
    Arrangement {
        setting: setting.or(if home { Some(Setting::Home) } else { None }),
        band: Band::from_proto(p.known_enum("item.band", item.band)).or_else(|| suggestion::band_of(&item.service_category)),
        owner_id: p.optional_uuid("item.owner_id", &item.owner_id),
        first_step_owner_id: p.optional_uuid("item.first_step_owner_id", &item.first_step_owner_id),
        warm_handoff: WarmHandoff::from_proto(p.known_enum("item.warm_handoff", item.warm_handoff)),
        priority: if item.priority == 0 { 2 } else { small(p.number("item.priority", item.priority, 1..=3)) },
        funding_note: p.text("item.funding_note", &item.funding_note, 200),
        sessions_per_week: small(p.number("item.sessions_per_week", item.sessions_per_week, 0..=14)),
        minutes_per_session: small(p.number("item.minutes_per_session", item.minutes_per_session, 0..=600)),
        weeks: small(p.number("item.weeks", item.weeks, 0..=60)),
        depends_on: p.uuids("item.depends_on_item_ids", &item.depends_on_item_ids, MANY),
        waits_for: Vec::new(),
        goal_ids: p.uuids("item.goal_ids", &item.goal_ids, MANY),
        replaced_by: None,
        individual_review_id: None,
    }
}

/// Reads an item as a client asks for it.
fn read(p: &mut Parser, plan_id: Uuid, item: &wire::PlanItem) -> Option<Item> {
    let kind = p.required_enum::<wire::PlanItemKind>("item.kind", item.kind).and_then(ItemKind::from_proto);
    let need_ids = p.uuids("item.need_ids", &item.need_ids, MANY);
    if item.builds_on_codes.len() > MANY || !item.builds_on_codes.iter().all(|c| is_code(c)) {
        p.violation("item.builds_on_codes", format!("must be at most {MANY} codes of strengths or interests, such as INT-ART"));
    }
    if item.need_ids.is_empty() && item.builds_on_codes.is_empty() {
        p.violation("item.need_ids", "must name a need, or builds_on_codes a strength or interest");
    }
    if item.service_category.is_empty() {
        if matches!(kind, Some(ItemKind::Service | ItemKind::Referral)) {
            p.violation("item.service_category", "must be given for a service or a referral, such as ED-TUT");
        }
    } else if !is_code(&item.service_category) {
        p.violation("item.service_category", "must be a code such as ED-TUT");
    }
    let arrangement = read_arrangement(p, kind, item);
    let owner = OwnerKind::from_proto(p.known_enum("item.owner", item.owner));
    let home = matches!(kind, Some(ItemKind::HomeStrategy | ItemKind::FamilyAction));
    let read = Item {
        plan_item_id: p.uuid("item.plan_item_id", &item.plan_item_id),
        plan_id,
        student_id: Uuid::nil(),
        school_id: Uuid::nil(),
        school_year: 0,
        need_ids,
        builds_on_codes: item.builds_on_codes.clone(),
        kind: kind.unwrap_or(ItemKind::Service),
        service_category: item.service_category.clone(),
        description: p.text("item.description", &item.description, 500),
        owner: owner.or(if home { Some(OwnerKind::Family) } else { None }),
        first_step_owner: OwnerKind::from_proto(p.known_enum("item.first_step_owner", item.first_step_owner)),
        due_on: p.optional_date("item.due_on", &item.due_on),
        state: ItemState::Planned,
        ended_reason: None,
        referral_id: p.optional_uuid("item.referral_id", &item.referral_id),
        sensitivity: Sensitivity::General,
        version: 1,
        arrangement,
    };
    kind.map(|_| read)
}

impl Plans {
    pub(crate) async fn item_add(&self, caller: &Caller, message: &AddPlanItemRequest) -> Result<AddPlanItemResponse, PlanError> {
        const ACTION: &str = "plans.AddPlanItem";
        let mut p = Parser::new();
        let plan_id = p.uuid("plan_id", &message.plan_id);
        let request_id = p.uuid("request_id", &message.request_id);
        let item = match &message.item {
            Some(item) => read(&mut p, plan_id, item),
            None => {
                p.violation("item", "must be given");
                None
            }
        };
        p.finish()?;
        let student = crate::plan::repo::student_of(&mut *self.pool.acquire().await?, plan_id).await?;
        let (_, clearance) = self.student(caller, ACTION, student).await?;
        let command = super::Add {
            item: item.ok_or_else(|| PlanError::field("item", "must be given"))?,
            request: idempotency::Request::new(&caller.subject, ACTION, request_id, &message.encode_to_vec()),
        };
        let item = super::add(&self.pool, &command, &clearance).await?;
        Ok(AddPlanItemResponse { item: Some(to_wire(&item)) })
    }

    pub(crate) async fn item_transition(&self, caller: &Caller, message: &TransitionPlanItemRequest) -> Result<TransitionPlanItemResponse, PlanError> {
        const ACTION: &str = "plans.TransitionPlanItem";
        let mut p = Parser::new();
        let plan_item_id = p.uuid("plan_item_id", &message.plan_item_id);
        let request_id = p.uuid("request_id", &message.request_id);
        p.one_of("transition", &message.transition, ItemTransition::CODES, false);
        let reason = UnmetReason::from_proto(p.known_enum("reason", message.reason));
        let replaced_by = p.optional_uuid("replaced_by", &message.replaced_by);
        p.finish()?;
        let student = super::repo::student_of(&mut *self.pool.acquire().await?, plan_item_id).await?;
        let (_, clearance) = self.student(caller, ACTION, student).await?;
        let command = super::Transition {
            plan_item_id,
            transition: ItemTransition::from_code(&message.transition).ok_or_else(|| PlanError::field("transition", "is not known"))?,
            reason,
            replaced_by,
            expected_version: message.expected_version,
            request: idempotency::Request::new(&caller.subject, ACTION, request_id, &message.encode_to_vec()),
        };
        let item = super::transition(&self.pool, &command, &clearance).await?;
        Ok(TransitionPlanItemResponse { item: Some(to_wire(&item)) })
    }

    pub(crate) async fn item_update(&self, caller: &Caller, message: &UpdatePlanItemRequest) -> Result<UpdatePlanItemResponse, PlanError> {
        const ACTION: &str = "plans.UpdatePlanItem";
        let mut p = Parser::new();
        let request_id = p.uuid("request_id", &message.request_id);
        let asked = message.item.clone().unwrap_or_default();
        let plan_item_id = p.uuid("item.plan_item_id", &asked.plan_item_id);
        // What an item answers and what kind it is stay; so they need not be said again.
        let whole = wire::PlanItem { kind: wire::PlanItemKind::SchoolSupport.into(), need_ids: vec![asked.plan_item_id.clone()], ..asked };
        let item = read(&mut p, Uuid::nil(), &whole);
        p.finish()?;
        let student = super::repo::student_of(&mut *self.pool.acquire().await?, plan_item_id).await?;
        let (_, clearance) = self.student(caller, ACTION, student).await?;
        let command = super::Update {
            item: item.ok_or_else(|| PlanError::field("item", "must be given"))?,
            expected_version: message.expected_version,
            request: idempotency::Request::new(&caller.subject, ACTION, request_id, &message.encode_to_vec()),
        };
        let item = super::update(&self.pool, &command, &clearance).await?;
        Ok(UpdatePlanItemResponse { item: Some(to_wire(&item)) })
    }
}
