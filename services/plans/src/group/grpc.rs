//! Groups over the wire.

use chassis_access::{Caller, Granted, Record};
use chassis_pg::idempotency;
use chassis_rpc::{PageToken, Parser};
use prost::Message as _;
use proto::plans::v1::{
    self as wire, GetGroupRequest, GetGroupResponse, ListGroupsRequest, ListGroupsResponse, PutGroupRequest, PutGroupResponse, TakeAttendanceRequest,
    TakeAttendanceResponse,
};
use uuid::Uuid;

use super::attendance::{Mark, Take};
use super::entity::{Group, attendance_rate};
use super::{SeenMember, repo};
use crate::calendar::{school_year, today};
use crate::codes::{Attendance, Sensitivity};
use crate::error::PlanError;
use crate::grpc::{Plans, is_code};
use crate::sight::Sight;

/// Members of one group at the most.
const MANY: usize = 500;
/// Latest sessions that a member is shown with.
const RECENT: usize = 10;

fn to_wire(group: &Group) -> wire::Group {
    wire::Group {
        group_id: group.group_id.to_string(),
        school_id: group.school_id.to_string(),
        school_year: group.school_year,
        name: group.name.clone(),
        service_category: group.service_category.clone(),
        leader_id: group.leader_id.to_string(),
        weekdays: group.weekdays.iter().map(|d| i32::from(*d)).collect(),
        starts_at: group.starts_at.clone(),
        minutes_per_session: group.minutes_per_session.into(),
        first_on: group.first_on.to_string(),
        last_on: group.last_on.to_string(),
        capacity: group.capacity.into(),
        member_count: i32::try_from(group.member_count).unwrap_or(i32::MAX),
        version: group.version,
        no_show_limit: group.no_show_limit.into(),
    }
}

fn member_to_wire(member: &SeenMember) -> wire::GroupMember {
    let mut enrolment = crate::enrolment::grpc::to_wire(&member.enrolment);
    if !member.item_seen {
        // That they are in the group is all that its leader is to know.
        enrolment.plan_item_id.clear();
        enrolment.need_ids.clear();
        enrolment.reason.clear();
    }
    wire::GroupMember {
        enrolment: Some(enrolment),
        attendance_rate: attendance_rate(&member.sessions),
        recent: member.sessions.iter().take(RECENT).map(|a| i32::from(*a)).collect(),
        session_attendance: member.standing.map_or(0, |(attendance, _)| attendance.into()),
        session_minutes: member.standing.map_or(0, |(_, minutes)| minutes.into()),
    }
}

fn read(p: &mut Parser, group: &wire::Group) -> Group {
    let small = |n: i32| i16::try_from(n).unwrap_or(i16::MAX);
    let mut weekdays: Vec<i16> = group.weekdays.iter().copied().map(small).collect();
    weekdays.sort_unstable();
    weekdays.dedup();
    if weekdays.is_empty() || weekdays.len() != group.weekdays.len() || !weekdays.iter().all(|d| (1..=7).contains(d)) {
        p.violation("group.weekdays", "must be ISO weekdays, 1 Monday to 7, each at most once");
    }
    let is_time = |text: &str| chrono::NaiveTime::parse_from_str(text, "%H:%M").is_ok() && text.len() == 5;
    if !group.starts_at.is_empty() && !is_time(&group.starts_at) {
        p.violation("group.starts_at", "must be a time such as 09:30");
    }
    if !is_code(&group.service_category) {
        p.violation("group.service_category", "must be a code such as SE-GRP");
    }
    let read = Group {
        group_id: p.uuid("group.group_id", &group.group_id),
        school_id: p.uuid("group.school_id", &group.school_id),
        school_year: p.number("group.school_year", group.school_year, 1900..=2200),
        name: p.required_text("group.name", &group.name, 100),
        service_category: group.service_category.clone(),
        leader_id: p.uuid("group.leader_id", &group.leader_id),
        weekdays,
        starts_at: group.starts_at.clone(),
        minutes_per_session: small(p.number("group.minutes_per_session", group.minutes_per_session, 1..=600)),
        first_on: p.date("group.first_on", &group.first_on),
        last_on: p.date("group.last_on", &group.last_on),
        capacity: small(p.number("group.capacity", group.capacity, 1..=500)),
        no_show_limit: small(p.number("group.no_show_limit", group.no_show_limit, 0..=100)),
        member_count: 0,
        version: 1,
    };
    if read.last_on < read.first_on {
        p.violation("group.last_on", "must not be before first_on");
    }
    read
}

impl Plans {
    pub(crate) async fn group_put(&self, caller: &Caller, message: &PutGroupRequest) -> Result<PutGroupResponse, PlanError> {
        const ACTION: &str = "plans.PutGroup";
        let mut p = Parser::new();
        let request_id = p.uuid("request_id", &message.request_id);
        let group = read(&mut p, message.group.as_ref().unwrap_or(&wire::Group::default()));
        p.finish()?;
        self.access.authorize(caller, ACTION, &Record::school(group.school_id))?;
        let command = super::Put {
            group,
            expected_version: message.expected_version,
            request: idempotency::Request::new(&caller.subject, ACTION, request_id, &message.encode_to_vec()),
        };
        let group = super::put(&self.pool, &command, &Sight::of(&self.access, caller)).await?;
        Ok(PutGroupResponse { group: Some(to_wire(&group)) })
    }

    pub(crate) async fn group_list(&self, caller: &Caller, message: &ListGroupsRequest) -> Result<ListGroupsResponse, PlanError> {
        const ACTION: &str = "plans.ListGroups";
        let mut p = Parser::new();
        let school_id = p.optional_uuid("school_id", &message.school_id);
        let year = if message.school_year == 0 { school_year(today()) } else { p.number("school_year", message.school_year, 1900..=2200) };
        p.finish()?;
        let filter = format!("{school_id:?} {year}");
        let page = PageToken::page::<(String, Uuid)>(message.page_size, &message.page_token, &filter, 100, 200)?;
        // Those of a whole school, or else those that the caller leads, there or anywhere.
        let whole = school_id.and_then(|school| self.access.authorize(caller, ACTION, &Record::school(school)).ok());
        let (granted, leader_id) = match whole {
            Some(granted) => (granted, None),
            None => {
                let schools = if school_id.is_none() { caller.schools() } else { std::collections::BTreeSet::new() };
                let own = Record { author: caller.staff_id, schools, ..Record::default() };
                match self.access.authorize(caller, ACTION, &own) {
                    Ok(granted) => (granted, Some(caller.author())),
                    // Who leads no group yet sees an empty list, not a refusal.
                    Err(_) if school_id.is_none() => (Granted { basis: self.access.scope(caller, ACTION)?.basis }, Some(caller.author())),
                    Err(refused) => return Err(refused.into()),
                }
            }
        };
        let sight = Sight::of(&self.access, caller);
        let query = repo::ListQuery { ids: None, school_id, leader_id, school_year: Some(year), after: page.after, limit: page.size + 1 };
        let mut groups = repo::list(&mut *self.pool.acquire().await?, &query, &sight).await?;
        let next_page_token = PageToken::cut(&mut groups, page.size, &filter, |g| (g.name.clone(), g.group_id));
        Ok(ListGroupsResponse { groups: groups.iter().map(to_wire).collect(), next_page_token, access_basis: granted.basis })
    }

    /// Decides on a group, which may not be there: that is refused in the same words.
    async fn group(&self, caller: &Caller, action: &str, group_id: Uuid, sight: &Sight) -> Result<(Group, Granted, bool), PlanError> {
        let found = super::find(&mut *self.pool.acquire().await?, group_id, sight).await?;
        let record = match &found {
            Some(group) => Record { author: Some(group.leader_id), ..Record::school(group.school_id) },
            None => Record::default(),
        };
        let granted = self.access.authorize(caller, action, &record)?;
        let group = found.ok_or_else(|| PlanError::unknown(action))?;
        let leads = caller.staff_id == Some(group.leader_id);
        Ok((group, granted, leads))
    }

    pub(crate) async fn group_get(&self, caller: &Caller, message: &GetGroupRequest) -> Result<GetGroupResponse, PlanError> {
        const ACTION: &str = "plans.GetGroup";
        let mut p = Parser::new();
        let group_id = p.uuid("group_id", &message.group_id);
        let session_on = p.optional_date("session_on", &message.session_on);
        p.finish()?;
        let sight = Sight::of(&self.access, caller);
        let (group, granted, leads) = self.group(caller, ACTION, group_id, &sight).await?;
        let whole = super::get(&self.pool, group, leads, session_on, &sight).await?;
        let general = whole.members.iter().all(|m| m.enrolment.need_ids.is_empty());
        let item_ids: Vec<Uuid> = whole.members.iter().map(|m| m.enrolment.plan_item_id).collect();
        let items = if general { Vec::new() } else { crate::plan_item::repo::by_ids(&mut *self.pool.acquire().await?, &item_ids).await? };
        let sensitivity = items.iter().map(|i| i.sensitivity).max().unwrap_or(Sensitivity::General);
        self.access.log_read(caller, ACTION, &granted.basis, sensitivity.into(), Some(group_id), whole.members.len()).await?;
        let days = |days: &[chrono::NaiveDate]| days.iter().map(ToString::to_string).collect();
        Ok(GetGroupResponse {
            group: Some(to_wire(&whole.group)),
            members: whole.members.iter().map(member_to_wire).collect(),
            open_sessions: days(&whole.open_sessions),
            taken_sessions: days(&whole.taken_sessions),
            access_basis: granted.basis,
        })
    }

    pub(crate) async fn attendance_take(&self, caller: &Caller, message: &TakeAttendanceRequest) -> Result<TakeAttendanceResponse, PlanError> {
        const ACTION: &str = "plans.TakeAttendance";
        let mut p = Parser::new();
        let group_id = p.uuid("group_id", &message.group_id);
        let session_on = p.date("session_on", &message.session_on);
        let request_id = p.uuid("request_id", &message.request_id);
        let for_all = Attendance::from_proto(p.known_enum::<wire::Attendance>("for_all", message.for_all));
        if for_all.is_some_and(|a| !a.is_called_off()) {
            p.violation("for_all", "must be cancelled_by_provider or school_closed, or not given");
        }
        if message.marks.len() > MANY || for_all.is_some() && !message.marks.is_empty() {
            p.violation("marks", format!("must have at most {MANY} members, and none where for_all is given"));
        }
        let read = |(i, mark): (usize, &wire::AttendanceMark)| {
            let at = |field: &str| format!("marks[{i}].{field}");
            let attendance = p.required_enum::<wire::Attendance>(&at("attendance"), mark.attendance).and_then(Attendance::from_proto);
            let enrolment_id = p.uuid(&at("enrolment_id"), &mark.enrolment_id);
            let minutes = p.number(&at("delivered_minutes"), mark.delivered_minutes, 0..=600);
            let note = p.text(&at("note"), &mark.note, 500);
            let delivered_minutes = i16::try_from(minutes).unwrap_or(i16::MAX);
            attendance.map(|attendance| Mark { enrolment_id, attendance, delivered_minutes, note })
        };
        let marks = message.marks.iter().take(MANY).enumerate().filter_map(read).collect();
        p.finish()?;
        let sight = Sight::of(&self.access, caller);
        let (_, _, leads) = self.group(caller, ACTION, group_id, &sight).await?;
        let command = Take {
            group_id,
            leads,
            session_on,
            marks,
            for_all,
            no_show_limit: self.no_show_limit,
            request: idempotency::Request::new(&caller.subject, ACTION, request_id, &message.encode_to_vec()),
        };
        let taken = super::attendance::take(&self.pool, &command, &sight).await?;
        Ok(TakeAttendanceResponse {
            stored_count: i32::try_from(taken.stored).unwrap_or(i32::MAX),
            no_show_enrolment_ids: taken.no_shows.iter().map(ToString::to_string).collect(),
        })
    }
}
