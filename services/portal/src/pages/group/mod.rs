//! Services of a school: its groups with one-tap attendance, and whole-school activities.

pub mod log;

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use proto::plans::v1::{
    Activity, Attendance, AttendanceMark, EnrolmentState, GetGroupRequest, Group, ListActivitiesRequest, ListGroupsRequest, PutActivityRequest,
    PutGroupRequest, RecordParticipationRequest, TakeAttendanceRequest,
};
use serde::Deserialize;
use uuid::Uuid;

use crate::app::Portal;
use crate::fault::Fault;
use crate::form::{Post, fresh_id};
use crate::frame::{Area, Shell, render};
use crate::lookup::{ServiceCategory, name_in, school_year_of, service_categories, service_category_label, today};
use crate::pages::student::parts::attendance;
use crate::said::Said;
use crate::session::Caller;
use crate::words;

/// Who adds groups and activities. The services decide; this only leaves out forms they would refuse.
const MANAGERS: &[&str] = &["coordinator", "case_manager", "student_support_member", "program_manager"];
const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

/// A group in the list.
pub struct GroupLine {
    /// Group.
    pub id: String,
    /// Name.
    pub name: String,
    /// What it is.
    pub category: String,
    /// When it meets.
    pub when: String,
    /// Who leads it.
    pub leader: String,
    /// Members of places.
    pub places: String,
}

/// An activity.
pub struct ActivityLine {
    /// Activity.
    pub id: String,
    /// Name.
    pub name: String,
    /// What it is, from when to when.
    pub meta: String,
    /// Last day that can be counted, ISO.
    pub last_on: String,
    /// People counted.
    pub counted: i32,
}

#[derive(Template)]
#[template(path = "group/list.html")]
struct ListPage {
    shell: Shell,
    here: String,
    groups: Vec<GroupLine>,
    activities: Vec<ActivityLine>,
    schools: Vec<(String, String, bool)>,
    school_id: String,
    colleagues: Vec<(String, String)>,
    categories: &'static [ServiceCategory],
    manages: bool,
    today: String,
    basis: String,
}

/// A member as the attendance page shows it.
pub struct MemberLine {
    /// Enrolment.
    pub enrolment_id: String,
    /// Student.
    pub student_id: String,
    /// Name.
    pub who: String,
    /// Share of sessions and what the latest were.
    pub recent: String,
    /// Takes part now.
    pub active: bool,
    /// State in words.
    pub state: &'static str,
    /// Minutes delivered and planned until today.
    pub delivered: i32,
    /// Planned until today.
    pub planned: i32,
    /// Width of the outline, of 98.
    pub planned_width: i32,
    /// Width of the fill.
    pub delivered_width: i32,
    /// What the form is preset with: what stands for the session, else `present`.
    pub mark: &'static str,
    /// Minutes there, where only for a part.
    pub part_minutes: i32,
    /// At most.
    pub part_most: i32,
}

#[derive(Template)]
#[template(path = "group/page.html")]
struct GroupPage {
    shell: Shell,
    here: String,
    group_id: String,
    line: GroupLine,
    members: Vec<MemberLine>,
    open: Vec<(String, String)>,
    taken: Vec<(String, String)>,
    session_on: String,
    session_words: String,
    is_taken: bool,
    is_noted: bool,
    today: String,
    basis: String,
}

/// Which school's groups, or which session.
#[derive(Debug, Default, Deserialize)]
pub struct GroupQuery {
    #[serde(default)]
    school: String,
    #[serde(default)]
    on: String,
}

fn when(group: &Group) -> String {
    let days: Vec<&str> = group.weekdays.iter().filter_map(|day| usize::try_from(day - 1).ok().and_then(|at| DAYS.get(at)).copied()).collect();
    let time = if group.starts_at.is_empty() { String::new() } else { format!(" at {}", group.starts_at) };
    format!("{}{time}, {} minutes", days.join(", "), group.minutes_per_session)
}

fn line(group: &Group, staff: &std::collections::HashMap<String, String>) -> GroupLine {
    GroupLine {
        id: group.group_id.clone(),
        name: group.name.clone(),
        category: service_category_label(&group.service_category),
        when: when(group),
        leader: staff.get(&group.leader_id).cloned().unwrap_or_default(),
        places: format!("{} of {}", group.member_count, group.capacity),
    }
}

/// The list.
pub async fn list(State(app): State<Arc<Portal>>, caller: Caller, Query(query): Query<GroupQuery>) -> Result<Response, Fault> {
    let schools = if caller.works_by_school() { app.schools(&caller).await? } else { Vec::new() };
    let school_id =
        schools.iter().find(|school| school.school_id == query.school).or(schools.first()).map(|school| school.school_id.clone()).unwrap_or_default();
    let mut groups = app.clients.deliveries(&caller);
    let mut activities = app.clients.deliveries(&caller);
    let (groups, activities) = tokio::join!(
        groups.list_groups(ListGroupsRequest { school_id: school_id.clone(), page_size: 200, ..Default::default() }),
        activities.list_activities(ListActivitiesRequest { school_id: school_id.clone(), ..Default::default() }),
    );
    let groups = groups?.into_inner();
    let activities = activities.map(|answer| answer.into_inner().activities).unwrap_or_default();
    let staff = app.staff_names(&caller, groups.groups.iter().map(|group| group.leader_id.clone()).collect()).await;
    render(&ListPage {
        shell: Shell::of(&caller, app.settings.notice(), Area::Services, "Groups and activities"),
        here: if school_id.is_empty() { "/groups".to_owned() } else { format!("/groups?school={school_id}") },
        groups: groups.groups.iter().map(|group| line(group, &staff)).collect(),
        activities: activities
            .iter()
            .map(|one| ActivityLine {
                id: one.activity_id.clone(),
                name: one.name.clone(),
                meta: format!("{}, {} to {}", service_category_label(&one.service_category), words::day(&one.first_on), words::day(&one.last_on)),
                last_on: one.last_on.clone().min(today()),
                counted: one.participation_count,
            })
            .collect(),
        colleagues: if school_id.is_empty() { Vec::new() } else { app.staff_choices(&caller, &school_id).await },
        schools: schools.into_iter().map(|school| (school.school_id.clone(), school.name, school.school_id == school_id)).collect(),
        categories: service_categories(),
        manages: caller.has_any(MANAGERS) && !school_id.is_empty(),
        today: today(),
        basis: words::basis(&groups.access_basis),
        school_id,
    })
}

/// What the form is preset with. A session that was called off is preset like one that nothing is noted of.
fn preset(standing: Attendance) -> &'static str {
    match standing {
        Attendance::AbsentExcused => "absent_excused",
        Attendance::AbsentUnexcused => "absent_unexcused",
        Attendance::Partial => "partial",
        Attendance::Unspecified | Attendance::Present | Attendance::CancelledByProvider | Attendance::SchoolClosed => "present",
    }
}

/// A group: its attendance as it stands, all present until somebody is tapped.
pub async fn page(State(app): State<Arc<Portal>>, caller: Caller, Path(group_id): Path<Uuid>, Query(query): Query<GroupQuery>) -> Result<Response, Fault> {
    let asked = |session_on: &str| GetGroupRequest { group_id: group_id.to_string(), session_on: session_on.to_owned() };
    let mut answer = app.clients.deliveries(&caller).get_group(asked(&query.on)).await?.into_inner();
    let session_on = [&query.on]
        .into_iter()
        .chain(answer.open_sessions.first())
        .chain(answer.taken_sessions.first())
        .find(|day| !day.is_empty())
        .cloned()
        .unwrap_or_else(today);
    if query.on.is_empty() && answer.taken_sessions.contains(&session_on) {
        answer = app.clients.deliveries(&caller).get_group(asked(&session_on)).await?.into_inner();
    }
    let group = answer.group.ok_or_else(Fault::not_found)?;
    let enrolments: Vec<_> = answer.members.iter().filter_map(|member| member.enrolment.as_ref()).collect();
    let students = app.student_names(&caller, enrolments.iter().map(|one| one.student_id.clone())).await;
    let staff = app.staff_names(&caller, vec![group.leader_id.clone()]).await;
    let standing = |is: fn(Attendance) -> bool| answer.members.iter().any(|member| is(member.session_attendance()));
    let is_taken = answer.taken_sessions.contains(&session_on) || standing(|mark| mark != Attendance::Unspecified);
    let is_noted = standing(|mark| !matches!(mark, Attendance::Unspecified | Attendance::CancelledByProvider | Attendance::SchoolClosed));
    let mut members: Vec<MemberLine> = answer
        .members
        .iter()
        .filter_map(|member| {
            let enrolment = member.enrolment.as_ref()?;
            let recent = match (member.attendance_rate, member.recent()) {
                (None, _) => "No session yet".to_owned(),
                (Some(rate), mut recent) => {
                    let last = recent.next().map(|last| format!(", last time {}", attendance(last))).unwrap_or_default();
                    format!("Came to {:.0}%{last}", rate * 100.0)
                }
            };
            let most = enrolment.planned_minutes_to_date.max(enrolment.delivered_minutes).max(1);
            let mark = preset(member.session_attendance());
            let part_minutes = if mark == "partial" { member.session_minutes } else { group.minutes_per_session / 2 }.max(1);
            Some(MemberLine {
                enrolment_id: enrolment.enrolment_id.clone(),
                student_id: enrolment.student_id.clone(),
                who: name_in(&students, &enrolment.student_id),
                recent,
                active: enrolment.state() == EnrolmentState::Active,
                state: words::enrolment_state(enrolment.state()),
                delivered: enrolment.delivered_minutes,
                planned: enrolment.planned_minutes_to_date,
                planned_width: 98 * enrolment.planned_minutes_to_date / most,
                delivered_width: 98 * enrolment.delivered_minutes / most,
                mark,
                part_minutes,
                part_most: part_minutes.max(group.minutes_per_session),
            })
        })
        .collect();
    members.sort_by(|a, b| b.active.cmp(&a.active).then(a.who.cmp(&b.who)));
    let days = |list: &[String]| list.iter().map(|day| (day.clone(), words::day(day))).collect();
    render(&GroupPage {
        shell: Shell::of(&caller, app.settings.notice(), Area::Services, group.name.clone()),
        here: format!("/groups/{group_id}?on={session_on}"),
        group_id: group_id.to_string(),
        line: line(&group, &staff),
        members,
        open: days(&answer.open_sessions),
        taken: days(&answer.taken_sessions),
        session_words: words::day(&session_on),
        is_taken,
        is_noted,
        session_on,
        today: today(),
        basis: words::basis(&answer.access_basis),
    })
}

/// Logs a session: everybody who is not marked was there. Taking it again corrects it.
pub async fn take(State(app): State<Arc<Portal>>, Path(group_id): Path<Uuid>, post: Post) -> Result<Response, Fault> {
    let marks = post
        .all("enrolment_id")
        .into_iter()
        .filter_map(|enrolment_id| {
            let kind = match post.text(&format!("mark-{enrolment_id}")) {
                "absent_excused" => Attendance::AbsentExcused,
                "absent_unexcused" => Attendance::AbsentUnexcused,
                "partial" => Attendance::Partial,
                _ => return None,
            };
            let delivered_minutes = if kind == Attendance::Partial { post.small(&format!("minutes-{enrolment_id}")) } else { 0 };
            Some(AttendanceMark { enrolment_id, attendance: kind.into(), delivered_minutes, note: String::new() })
        })
        .collect::<Vec<_>>();
    let for_all = match post.text("for_all") {
        "cancelled_by_provider" => Attendance::CancelledByProvider,
        "school_closed" => Attendance::SchoolClosed,
        _ => Attendance::Unspecified,
    };
    let on = post.text("session_on").to_owned();
    let away = marks.len();
    let request = TakeAttendanceRequest {
        group_id: group_id.to_string(),
        session_on: on.clone(),
        marks: if for_all == Attendance::Unspecified { marks } else { Vec::new() },
        for_all: for_all.into(),
        request_id: post.request_id(),
    };
    let answer = app.clients.deliveries(&post.caller).take_attendance(request).await?.into_inner();
    let mut said = match (for_all, away) {
        (Attendance::Unspecified, 0) => format!("Everybody was there on {}. To correct it, take it again.", words::day(&on)),
        (Attendance::Unspecified, _) => format!("Attendance of {} is noted, {away} not simply present. To correct it, take it again.", words::day(&on)),
        _ => format!("The session of {} was called off.", words::day(&on)),
    };
    if !answer.no_show_enrolment_ids.is_empty() {
        said.push_str(&format!(" {} missed several in a row; a follow-up is on the list.", answer.no_show_enrolment_ids.len()));
    }
    app.done(&post, &format!("/groups/{group_id}?on={on}"), Said::plain(said))
}

/// Adds a group.
pub async fn add(State(app): State<Arc<Portal>>, post: Post) -> Result<Response, Fault> {
    let first_on = post.text("first_on").to_owned();
    let group = Group {
        group_id: fresh_id(),
        school_id: post.text("school_id").to_owned(),
        school_year: school_year_of(&first_on),
        name: post.text("name").to_owned(),
        service_category: post.text("service_category").to_owned(),
        leader_id: post.text("leader_id").to_owned(),
        weekdays: post.all("weekday").iter().filter_map(|day| day.parse().ok()).collect(),
        starts_at: post.text("starts_at").to_owned(),
        minutes_per_session: post.small("minutes"),
        first_on,
        last_on: post.text("last_on").to_owned(),
        capacity: post.small("capacity"),
        ..Default::default()
    };
    app.clients.deliveries(&post.caller).put_group(PutGroupRequest { group: Some(group), expected_version: 0, request_id: post.request_id() }).await?;
    app.done(&post, "/groups", Said::plain("The group is added."))
}

/// Adds an activity.
pub async fn add_activity(State(app): State<Arc<Portal>>, post: Post) -> Result<Response, Fault> {
    let first_on = post.text("first_on").to_owned();
    let activity = Activity {
        activity_id: fresh_id(),
        school_id: post.text("school_id").to_owned(),
        school_year: school_year_of(&first_on),
        name: post.text("name").to_owned(),
        service_category: post.text("service_category").to_owned(),
        first_on,
        last_on: post.text("last_on").to_owned(),
        ..Default::default()
    };
    let request = PutActivityRequest { activity: Some(activity), expected_version: 0, request_id: post.request_id() };
    app.clients.deliveries(&post.caller).put_activity(request).await?;
    app.done(&post, "/groups", Said::plain("The activity is added."))
}

/// Counts who took part on a day.
pub async fn count(State(app): State<Arc<Portal>>, Path(activity_id): Path<Uuid>, post: Post) -> Result<Response, Fault> {
    let request = RecordParticipationRequest {
        activity_id: activity_id.to_string(),
        on_date: post.text("on_date").to_owned(),
        count: post.small("count"),
        student_ids: Vec::new(),
        request_id: post.request_id(),
    };
    app.clients.deliveries(&post.caller).record_participation(request).await?;
    app.done(&post, "/groups", Said::plain("The count is noted. A second count of the same day takes its place."))
}
