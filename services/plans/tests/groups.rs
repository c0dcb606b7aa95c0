//! Groups: places, attendance by one tap, corrections, the no-show rule, and what a leader sees.
#![allow(clippy::unwrap_used, reason = "a panic in a test is its report")]

mod district;

use chassis_access::Clearance;
use chrono::{Datelike as _, NaiveDate};
use district::{District, need, request};
use plans::PlanError;
use plans::calendar::today;
use plans::delivery::correct::{Correct, correct};
use plans::delivery::entity::{Attendance, Delivery};
use plans::delivery::repo::{ListQuery, list, runs};
use plans::enrolment::{
    self,
    entity::{Enrolment, EnrolmentState, EnrolmentTransition as T},
};
use plans::group::attendance::{Mark, Take, Taken, take};
use plans::group::{self, entity::Group};
use plans::plan_item::entity::Item;
use plans::sight::Sight;
use proto::plans::v1::DeliveryLogged;
use proto::r#type::v1::Sensitivity;
use uuid::Uuid;

fn days_ago(days: i64) -> NaiveDate {
    district::days_ago(days).date_naive()
}

fn new_group(d: &District, capacity: i16) -> Group {
    Group {
        group_id: Uuid::now_v7(),
        school_id: d.school,
        school_year: district::YEAR,
        name: "Lunch bunch".to_owned(),
        service_category: "SE-GRP".to_owned(),
        leader_id: Uuid::now_v7(),
        weekdays: vec![1, 2, 3, 4, 5],
        starts_at: "12:10".to_owned(),
        minutes_per_session: 30,
        first_on: days_ago(60),
        last_on: today() + chrono::Days::new(60),
        capacity,
        no_show_limit: 0,
        member_count: 0,
        version: 1,
    }
}

async fn put(d: &District, group: &Group, expected_version: i64) -> Result<Group, PlanError> {
    let command = group::Put { group: group.clone(), expected_version, request: request("plans.PutGroup") };
    group::put(&d.pool, &command, &everything()).await
}

fn everything() -> Sight {
    let restricted_everywhere = chassis_access::decide::DOMAINS.map(str::to_owned).to_vec();
    Sight { restricted_everywhere, protected_everywhere: true, ..Sight::default() }
}

async fn enrol(d: &District, item: &Item, group: &Group) -> Enrolment {
    let enrolment = Enrolment { group_id: Some(group.group_id), ..enrolment::offered(Uuid::now_v7(), item.plan_item_id, None, (0, 0, 0)) };
    enrolment::enrol(&d.pool, &enrolment::Enrol { enrolment, request: request("plans.EnrolStudent") }, &Clearance::full()).await.unwrap()
}

async fn step(d: &District, e: &Enrolment, transition: T, reason: &str, on: NaiveDate) -> Result<Enrolment, PlanError> {
    let command = enrolment::Transition {
        enrolment_id: e.enrolment_id,
        transition,
        reason: reason.to_owned(),
        outcome: String::new(),
        override_reason: String::new(),
        on_date: Some(on),
        expected_version: e.version,
        request: request("plans.TransitionEnrolment"),
    };
    enrolment::transition(&d.pool, &command, &Clearance::full()).await
}

/// A student of the district with an item for a need, and a member of the group since `since`.
async fn member(d: &mut District, group: &Group, sensitivity: Sensitivity, since: NaiveDate) -> Enrolment {
    d.student = Uuid::now_v7();
    sqlx::query("insert into relationship (subject, relation, object) values ($1, 'attends', $2)")
        .bind(d.student)
        .bind(d.school)
        .execute(&d.pool)
        .await
        .unwrap();
    let entry = need("ACA-RDG", sensitivity, 70);
    if sensitivity == Sensitivity::Protected {
        d.protected(1, std::slice::from_ref(&entry)).await
    } else {
        d.reviewed(1, std::slice::from_ref(&entry)).await
    }
    let item = d.add(&[&entry.entry_id]).await;
    let offered = enrol(d, &item, group).await;
    let accepted = step(d, &offered, T::Accept, "", today()).await.unwrap();
    step(d, &accepted, T::Start, "", since).await.unwrap()
}

fn mark(enrolment: &Enrolment, attendance: Attendance, delivered_minutes: i16) -> Mark {
    Mark { enrolment_id: enrolment.enrolment_id, attendance, delivered_minutes, note: String::new() }
}

fn session(group: &Group, session_on: NaiveDate, marks: Vec<Mark>) -> Take {
    Take { group_id: group.group_id, leads: false, session_on, marks, for_all: None, no_show_limit: 3, request: request("plans.TakeAttendance") }
}

async fn now(d: &District, e: &Enrolment) -> Enrolment {
    enrolment::repo::by_ids(&mut d.pool.acquire().await.unwrap(), &[e.enrolment_id]).await.unwrap().pop().unwrap()
}

async fn all_of(d: &District, e: &Enrolment) -> Vec<Delivery> {
    let query = ListQuery { enrolment_ids: &[e.enrolment_id], all: true, after: None, limit: 500 };
    list(&mut d.pool.acquire().await.unwrap(), &query).await.unwrap()
}

#[tokio::test]
async fn a_group_is_written_once_and_never_gets_fewer_places_than_are_held() {
    let mut d = District::open().await;
    let group = new_group(&d, 2);
    let stored = put(&d, &group, 0).await.unwrap();
    assert_eq!((stored.version, stored.member_count), (1, 0));
    assert!(matches!(put(&d, &group, 0).await, Err(PlanError::Exists(_))));
    for _ in 0..2 {
        member(&mut d, &group, Sensitivity::General, days_ago(3)).await;
    }
    assert!(matches!(put(&d, &Group { capacity: 1, ..group.clone() }, 1).await, Err(PlanError::Invalid(_))));
    assert!(matches!(put(&d, &Group { school_id: Uuid::now_v7(), ..group.clone() }, 1).await, Err(PlanError::Invalid(_))));
    let more = put(&d, &Group { capacity: 3, name: "Lunch crew".to_owned(), ..group.clone() }, 1).await.unwrap();
    assert_eq!((more.version, more.member_count, more.name.as_str()), (2, 2, "Lunch crew"));
    assert!(matches!(put(&d, &group, 1).await, Err(PlanError::Stale)));
}

#[tokio::test]
async fn places_are_never_oversold_and_those_without_one_wait_in_order() {
    let d = District::open().await;
    let group = put(&d, &new_group(&d, 2), 0).await.unwrap();
    let entry = need("ACA-RDG", Sensitivity::General, 40);
    d.reviewed(1, std::slice::from_ref(&entry)).await;
    let mut items = Vec::new();
    for _ in 0..6 {
        items.push(d.add(&[&entry.entry_id]).await);
    }
    let enrolled = futures_util::future::join_all(items.iter().map(|item| enrol(&d, item, &group))).await;
    let placed: Vec<&Enrolment> = enrolled.iter().filter(|e| e.state == EnrolmentState::Offered).collect();
    assert_eq!(placed.len(), 2, "two places, however many ask at once");
    assert_eq!((placed[0].sessions_per_week, placed[0].minutes_per_session), (5, 30), "the group's dose");
    let mut waiting = Vec::new();
    for e in enrolled.iter().filter(|e| e.state == EnrolmentState::Waitlisted) {
        waiting.push(now(&d, e).await);
    }
    waiting.sort_by_key(|e| e.waitlist_position);
    assert_eq!(waiting.iter().map(|e| e.waitlist_position).collect::<Vec<_>>(), [1, 2, 3, 4]);
    assert!(matches!(step(&d, &waiting[0], T::Seat, "", today()).await, Err(PlanError::GroupFull)));
    step(&d, placed[0], T::Decline, "schedule", today()).await.unwrap();
    let seated = step(&d, &waiting[0], T::Seat, "", today()).await.unwrap();
    assert_eq!((seated.state, seated.waitlist_position), (EnrolmentState::Accepted, 0));
    assert_eq!(now(&d, &waiting[1]).await.waitlist_position, 1, "the next one moves up");
    assert!(matches!(step(&d, &waiting[1], T::Seat, "", today()).await, Err(PlanError::GroupFull)));
}

#[tokio::test]
async fn one_tap_logs_everybody_and_a_second_taking_corrects_what_differs() {
    let mut d = District::open().await;
    let group = put(&d, &new_group(&d, 5), 0).await.unwrap();
    let a = member(&mut d, &group, Sensitivity::General, days_ago(20)).await;
    let b = member(&mut d, &group, Sensitivity::General, days_ago(20)).await;
    let late = member(&mut d, &group, Sensitivity::General, days_ago(1)).await;
    let sight = everything();
    let first = session(&group, days_ago(5), vec![]);
    assert_eq!(take(&d.pool, &first, &sight).await.unwrap().stored, 2, "those who had started");
    assert_eq!(take(&d.pool, &first, &sight).await.unwrap().stored, 2, "the same request answers the same");
    assert_eq!((now(&d, &a).await.delivered_minutes, now(&d, &late).await.delivered_minutes), (30, 0));
    assert_eq!(all_of(&d, &a).await[0].mode.unwrap().as_str(), "small_group");

    let again = session(&group, days_ago(5), vec![mark(&b, Attendance::Partial, 10)]);
    assert_eq!(take(&d.pool, &again, &sight).await.unwrap().stored, 1, "only what differs");
    let rows = all_of(&d, &b).await;
    assert_eq!(rows.len(), 2, "nothing is overwritten");
    let right = rows.iter().find(|r| r.superseded_by.is_none()).unwrap();
    assert_eq!((right.delivered_minutes, rows.iter().filter(|r| r.superseded_by == Some(right.delivery_id)).count()), (10, 1));
    let told: Vec<DeliveryLogged> = d.told("plans.delivery.v1").await;
    assert_eq!(told.last().unwrap().supersedes_id, right.supersedes_id.unwrap().to_string());
    assert_eq!((now(&d, &b).await.delivered_minutes, now(&d, &b).await.delivery_count), (10, 1));

    let off = Take { for_all: Some(Attendance::CancelledByProvider), ..session(&group, days_ago(5), vec![]) };
    assert_eq!(take(&d.pool, &off, &sight).await.unwrap().stored, 2);
    assert_eq!(now(&d, &a).await.delivered_minutes + now(&d, &b).await.delivered_minutes, 0);

    // All or none: one wrong mark refuses everything.
    let wrong = session(&group, days_ago(4), vec![mark(&a, Attendance::Partial, 0), mark(&late, Attendance::AbsentExcused, 0)]);
    let PlanError::Invalid(invalid) = take(&d.pool, &wrong, &sight).await.unwrap_err() else { panic!("must be refused") };
    assert_eq!(invalid.0.iter().map(|v| v.field.as_str()).collect::<Vec<_>>(), ["marks[0].delivered_minutes", "marks[1].enrolment_id"]);
    assert_eq!(all_of(&d, &b).await.len(), 3);
    assert!(matches!(take(&d.pool, &session(&group, today() + chrono::Days::new(1), vec![]), &sight).await, Err(PlanError::Invalid(_))));
}

#[tokio::test]
async fn two_who_take_one_session_at_once_do_not_count_it_twice() {
    let mut d = District::open().await;
    let group = put(&d, &new_group(&d, 5), 0).await.unwrap();
    let a = member(&mut d, &group, Sensitivity::General, days_ago(20)).await;
    let (one, two) = (session(&group, days_ago(5), vec![]), session(&group, days_ago(5), vec![mark(&a, Attendance::Partial, 10)]));
    let sight = everything();
    let (x, y) = tokio::join!(take(&d.pool, &one, &sight), take(&d.pool, &two, &sight));
    assert_eq!(x.unwrap().stored + y.unwrap().stored, 2);
    let held = now(&d, &a).await;
    assert!(held.delivery_count == 1 && [10, 30].contains(&held.delivered_minutes), "{held:?}");
}

#[tokio::test]
async fn a_correction_supersedes_once_and_void_takes_back() {
    let mut d = District::open().await;
    let group = put(&d, &new_group(&d, 5), 0).await.unwrap();
    let a = member(&mut d, &group, Sensitivity::General, days_ago(20)).await;
    take(&d.pool, &session(&group, days_ago(5), vec![]), &everything()).await.unwrap();
    let wrong = all_of(&d, &a).await.pop().unwrap();
    let command = |delivery_id, corrected| Correct {
        delivery_id,
        new_id: Uuid::now_v7(),
        corrected,
        reason: "was ill".to_owned(),
        no_show_limit: 3,
        request: request("plans.CorrectDelivery"),
    };
    let ill = Delivery::plain(Uuid::nil(), Uuid::nil(), days_ago(5), (30, 0), Attendance::AbsentExcused);
    let first = command(wrong.delivery_id, Some(ill.clone()));
    let corrected = correct(&d.pool, &first, &Clearance::full()).await.unwrap();
    assert_eq!(correct(&d.pool, &first, &Clearance::full()).await.unwrap(), corrected, "the same request answers the same");
    assert_eq!((now(&d, &a).await.delivered_minutes, now(&d, &a).await.absences_in_row), (0, 1));
    assert!(matches!(correct(&d.pool, &command(wrong.delivery_id, Some(ill.clone())), &Clearance::full()).await, Err(PlanError::Superseded)));
    let early = Delivery { delivered_on: days_ago(21), ..ill };
    assert!(matches!(correct(&d.pool, &command(corrected.delivery_id, Some(early)), &Clearance::full()).await, Err(PlanError::Invalid(_))));
    let void = correct(&d.pool, &command(corrected.delivery_id, None), &Clearance::full()).await.unwrap();
    assert!(matches!(correct(&d.pool, &command(void.delivery_id, None), &Clearance::full()).await, Err(PlanError::Superseded)));
    let held = now(&d, &a).await;
    assert_eq!((held.delivery_count, held.absences_in_row, all_of(&d, &a).await.len()), (0, 0, 3));
    let told: Vec<DeliveryLogged> = d.told("plans.delivery.v1").await;
    let last = told.last().unwrap();
    assert_eq!((last.attendance, last.delivered_minutes, last.supersedes_id.as_str()), (0, 0, corrected.delivery_id.to_string().as_str()));
    assert!(d.plan(&Clearance::full()).await.deliveries.is_empty(), "a plan shows what stands");
    let refused = sqlx::query("update plans.delivery set delivered_minutes = 1").execute(&d.pool).await;
    assert!(refused.unwrap_err().to_string().contains("append-only"));
}

#[tokio::test]
async fn three_no_shows_in_a_row_are_noticed_once_and_stop_nothing() {
    let mut d = District::open().await;
    let group = put(&d, &new_group(&d, 5), 0).await.unwrap();
    let a = member(&mut d, &group, Sensitivity::General, days_ago(30)).await;
    let sight = everything();
    let absent = |day| session(&group, days_ago(day), vec![mark(&a, if day % 2 == 0 { Attendance::AbsentExcused } else { Attendance::AbsentUnexcused }, 0)]);
    let noticed = async |taking: Take| -> Vec<Uuid> {
        let Taken { no_shows, .. } = take(&d.pool, &taking, &sight).await.unwrap();
        no_shows
    };
    assert!(noticed(absent(10)).await.is_empty());
    assert!(noticed(absent(9)).await.is_empty());
    assert!(noticed(Take { for_all: Some(Attendance::SchoolClosed), ..session(&group, days_ago(8), vec![]) }).await.is_empty());
    assert_eq!(now(&d, &a).await.absences_in_row, 2);
    assert_eq!(noticed(absent(7)).await, [a.enrolment_id]);
    assert_eq!(now(&d, &a).await.state, EnrolmentState::Active, "it stops nothing");
    assert!(noticed(absent(6)).await.is_empty(), "once a run");
    assert!(noticed(session(&group, days_ago(5), vec![])).await.is_empty());
    for day in [4, 3] {
        assert!(noticed(absent(day)).await.is_empty());
    }
    assert_eq!(noticed(absent(2)).await, [a.enrolment_id], "another run");
}

#[tokio::test]
async fn a_leader_sees_members_and_never_those_of_protected_items() {
    let mut d = District::open().await;
    let group = put(&d, &new_group(&d, 5), 0).await.unwrap();
    let open = member(&mut d, &group, Sensitivity::General, days_ago(20)).await;
    let closed = member(&mut d, &group, Sensitivity::Restricted, days_ago(20)).await;
    let secret = member(&mut d, &group, Sensitivity::Protected, days_ago(20)).await;
    let nothing = Sight::default();
    let see = async |leads: bool, sight: &Sight| {
        let found = group::find(&mut d.pool.acquire().await.unwrap(), group.group_id, sight).await.unwrap().unwrap();
        group::get(&d.pool, found, leads, None, sight).await.unwrap()
    };
    let led = see(true, &nothing).await;
    assert_eq!(
        led.members.iter().map(|m| (m.enrolment.enrolment_id, m.item_seen)).collect::<Vec<_>>(),
        [(open.enrolment_id, true), (closed.enrolment_id, false)]
    );
    assert_eq!(led.group.member_count, 2, "the third does not exist for them");
    assert_eq!(see(false, &nothing).await.members.len(), 1);
    assert_eq!(see(false, &everything()).await.members.len(), 3);
    let on_case = Sight { protected_students: vec![secret.student_id], ..Sight::default() };
    assert_eq!(see(true, &on_case).await.members.len(), 3);

    let taking = Take { leads: true, ..session(&group, days_ago(5), vec![]) };
    assert_eq!(take(&d.pool, &taking, &nothing).await.unwrap().stored, 2);
    assert_eq!(now(&d, &secret).await.delivery_count, 0, "not even by taking attendance");
    let marked = Take { leads: true, ..session(&group, days_ago(4), vec![mark(&secret, Attendance::AbsentExcused, 0)]) };
    let PlanError::Invalid(hidden) = take(&d.pool, &marked, &nothing).await.unwrap_err() else { panic!("must be refused") };
    let stranger = Enrolment { enrolment_id: Uuid::now_v7(), ..secret.clone() };
    let unknown = Take { leads: true, ..session(&group, days_ago(4), vec![mark(&stranger, Attendance::AbsentExcused, 0)]) };
    let PlanError::Invalid(absent) = take(&d.pool, &unknown, &nothing).await.unwrap_err() else { panic!("must be refused") };
    assert_eq!(hidden.0, absent.0, "hidden and not there look the same");
    assert_eq!(take(&d.pool, &session(&group, days_ago(5), vec![]), &everything()).await.unwrap().stored, 1, "those on the case add theirs");
    assert_eq!(d.told::<DeliveryLogged>("plans.delivery.v1").await.len(), 2);
    assert_eq!(d.told::<DeliveryLogged>("plans.protected-need.v1").await.len(), 1);
}

#[tokio::test]
async fn a_group_answers_what_stands_of_the_session_that_is_asked_for() {
    let mut d = District::open().await;
    let group = put(&d, &new_group(&d, 5), 0).await.unwrap();
    let came = member(&mut d, &group, Sensitivity::General, days_ago(20)).await;
    let away = member(&mut d, &group, Sensitivity::General, days_ago(20)).await;
    let secret = member(&mut d, &group, Sensitivity::Protected, days_ago(20)).await;
    let sight = everything();
    let standing = async |day: Option<NaiveDate>, sight: &Sight| -> Vec<(Uuid, Option<(Attendance, i16)>)> {
        let found = group::find(&mut d.pool.acquire().await.unwrap(), group.group_id, sight).await.unwrap().unwrap();
        let whole = group::get(&d.pool, found, true, day, sight).await.unwrap();
        let mut read: Vec<_> = whole.members.iter().map(|m| (m.enrolment.enrolment_id, m.standing)).collect();
        read.sort_by_key(|(id, _)| *id);
        read
    };
    let expected = |marks: &[(&Enrolment, Option<(Attendance, i16)>)]| {
        let mut all: Vec<_> = marks.iter().map(|(e, mark)| (e.enrolment_id, *mark)).collect();
        all.sort_by_key(|(id, _)| *id);
        all
    };
    let present = Some((Attendance::Present, 30));
    take(&d.pool, &session(&group, days_ago(5), vec![mark(&away, Attendance::AbsentUnexcused, 0)]), &sight).await.unwrap();
    let absent = Some((Attendance::AbsentUnexcused, 0));
    assert_eq!(standing(Some(days_ago(5)), &sight).await, expected(&[(&came, present), (&away, absent), (&secret, present)]));
    assert_eq!(standing(Some(days_ago(5)), &Sight::default()).await, expected(&[(&came, present), (&away, absent)]), "only of members who are seen");
    let nothing = expected(&[(&came, None), (&away, None), (&secret, None)]);
    assert_eq!(standing(Some(days_ago(4)), &sight).await, nothing, "nothing is noted for another day");
    assert_eq!(standing(None, &sight).await, nothing, "no day was asked for");

    take(&d.pool, &session(&group, days_ago(5), vec![mark(&away, Attendance::Partial, 10)]), &sight).await.unwrap();
    let part = Some((Attendance::Partial, 10));
    assert_eq!(standing(Some(days_ago(5)), &sight).await, expected(&[(&came, present), (&away, part), (&secret, present)]), "the correction stands");
}

#[tokio::test]
async fn whoever_corrects_the_others_takes_no_note_away() {
    let mut d = District::open().await;
    let group = put(&d, &new_group(&d, 5), 0).await.unwrap();
    let (came, away) = (member(&mut d, &group, Sensitivity::General, days_ago(20)).await, member(&mut d, &group, Sensitivity::General, days_ago(20)).await);
    let day = days_ago(5);
    let ill = Mark { note: "Ill; her father called.".to_owned(), ..mark(&away, Attendance::AbsentExcused, 0) };
    take(&d.pool, &session(&group, day, vec![ill]), &everything()).await.unwrap();
    let again = vec![mark(&away, Attendance::AbsentExcused, 0), mark(&came, Attendance::Partial, 10)];
    assert_eq!(take(&d.pool, &session(&group, day, again), &everything()).await.unwrap().stored, 1, "only what differs");
    let held = plans::delivery::repo::of_session(&mut d.pool.acquire().await.unwrap(), group.group_id, day).await.unwrap();
    let note = |e: &Enrolment| held.iter().find(|one| one.enrolment_id == e.enrolment_id).unwrap().note.clone();
    assert_eq!((note(&away).as_str(), note(&came).as_str()), ("Ill; her father called.", ""));
}

#[tokio::test]
async fn open_sessions_are_school_days_without_attendance() {
    let mut d = District::open().await;
    let group = put(&d, &new_group(&d, 5), 0).await.unwrap();
    member(&mut d, &group, Sensitivity::General, days_ago(14)).await;
    let school_day = (3..).map(days_ago).find(|day| day.weekday().num_days_from_monday() < 5).unwrap();
    take(&d.pool, &session(&group, school_day, vec![]), &everything()).await.unwrap();
    let found = group::find(&mut d.pool.acquire().await.unwrap(), group.group_id, &everything()).await.unwrap().unwrap();
    let whole = group::get(&d.pool, found, false, None, &everything()).await.unwrap();
    assert_eq!(whole.taken_sessions, [school_day]);
    assert!(!whole.open_sessions.contains(&school_day) && whole.open_sessions.len() >= 8, "{:?}", whole.open_sessions);
    assert!(whole.open_sessions.iter().all(|day| day.weekday().num_days_from_monday() < 5 && *day >= days_ago(14) && *day <= today()));
    assert_eq!(whole.members[0].sessions, [Attendance::Present]);
    assert!(runs(&mut d.pool.acquire().await.unwrap(), &[whole.members[0].enrolment.enrolment_id]).await.unwrap()[0].run.length == 0);
}

#[tokio::test]
async fn lists_of_enrolments_hold_what_each_sight_opens_by_the_day_of_their_start() {
    let mut d = District::open().await;
    let group = put(&d, &new_group(&d, 9), 0).await.unwrap();
    let later = member(&mut d, &group, Sensitivity::General, days_ago(3)).await;
    let closed = member(&mut d, &group, Sensitivity::Restricted, days_ago(4)).await;
    let secret = member(&mut d, &group, Sensitivity::Protected, days_ago(5)).await;
    let listed = async |sight: &Sight, states: &[EnrolmentState], until: Option<NaiveDate>| -> Vec<Uuid> {
        let whose = plans::sight::Whose::of(d.school);
        let query = enrolment::list::ListQuery { whose: &whose, sight, states, starts_until: until, after: None, limit: 10 };
        let mut conn = d.pool.acquire().await.unwrap();
        enrolment::list::list(&mut conn, &query).await.unwrap().iter().map(|l| l.enrolment.enrolment_id).collect()
    };
    let all = [secret.enrolment_id, closed.enrolment_id, later.enrolment_id];
    let open = &enrolment::list::OPEN;
    assert_eq!(listed(&everything(), open, None).await, all);
    assert_eq!(listed(&everything(), open, Some(days_ago(4))).await, all[..2]);
    assert!(listed(&everything(), &[EnrolmentState::Waitlisted], None).await.is_empty());
    assert_eq!(listed(&Sight::default(), open, None).await, [later.enrolment_id]);
    let on_case = Sight { protected_students: vec![secret.student_id], ..Sight::default() };
    assert_eq!(listed(&on_case, open, None).await, [secret.enrolment_id, later.enrolment_id]);
    let mut elsewhere = Sight::default();
    elsewhere.add(Uuid::now_v7(), &Clearance::full());
    assert_eq!(listed(&elsewhere, open, None).await, [later.enrolment_id]);
    let mut here = Sight::default();
    here.add(d.school, &Clearance::full());
    assert_eq!(listed(&here, open, None).await, all);
}

#[tokio::test]
async fn who_waits_for_something_protected_takes_no_place_that_others_count() {
    let mut d = District::open().await;
    let group = put(&d, &new_group(&d, 1), 0).await.unwrap();
    member(&mut d, &group, Sensitivity::General, days_ago(3)).await;
    let mut waiting = Vec::new();
    for sensitivity in [Sensitivity::Protected, Sensitivity::General] {
        d.student = Uuid::now_v7();
        let entry = need("ACA-RDG", sensitivity, 9);
        if sensitivity == Sensitivity::Protected {
            d.protected(1, std::slice::from_ref(&entry)).await
        } else {
            d.reviewed(1, std::slice::from_ref(&entry)).await
        }
        let item = d.add(&[&entry.entry_id]).await;
        waiting.push(enrol(&d, &item, &group).await);
    }
    assert!(waiting.iter().all(|e| e.state == EnrolmentState::Waitlisted));
    assert_eq!(now(&d, &waiting[1]).await.waitlist_position, 1);
}

#[tokio::test]
async fn a_service_starts_after_what_it_depends_on_or_with_a_reason_that_is_kept() {
    let d = District::open().await;
    let entry = need("ACA-RDG", Sensitivity::General, 9);
    d.reviewed(1, std::slice::from_ref(&entry)).await;
    let transport = d.add(&[&entry.entry_id]).await;
    let mut camp = d.item(transport.plan_id, &[&entry.entry_id]);
    camp.arrangement.depends_on = vec![transport.plan_item_id];
    let command = plans::plan_item::Add { item: camp, request: request("plans.AddPlanItem") };
    let camp = plans::plan_item::add(&d.pool, &command, &Clearance::full()).await.unwrap();
    let offered = {
        let enrolment = enrolment::offered(Uuid::now_v7(), camp.plan_item_id, None, (5, 60, 2));
        enrolment::enrol(&d.pool, &enrolment::Enrol { enrolment, request: request("plans.EnrolStudent") }, &Clearance::full()).await.unwrap()
    };
    let accepted = step(&d, &offered, T::Accept, "", today()).await.unwrap();
    assert!(matches!(step(&d, &accepted, T::Start, "", today()).await, Err(PlanError::Waits(_))));
    let start = |override_reason: &str| enrolment::Transition {
        enrolment_id: accepted.enrolment_id,
        transition: T::Start,
        reason: String::new(),
        outcome: String::new(),
        override_reason: override_reason.to_owned(),
        on_date: None,
        expected_version: accepted.version,
        request: request("plans.TransitionEnrolment"),
    };
    let started = enrolment::transition(&d.pool, &start("an aunt drives"), &Clearance::full()).await.unwrap();
    assert_eq!((started.state, started.override_reason.as_str()), (EnrolmentState::Active, "an aunt drives"));
    let note: String = sqlx::query_scalar("select note from plans.state_change where aggregate = 'enrolment' and id = $1 and version = $2")
        .bind(started.enrolment_id)
        .bind(started.version)
        .fetch_one(&d.pool)
        .await
        .unwrap();
    assert_eq!(note, "an aunt drives");
}
