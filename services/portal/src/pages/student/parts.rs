//! What the other tabs of a student's page show: reviews, services, who sees what.

use std::collections::HashMap;

use proto::plans::v1::{Aid, Attendance, Delivery, GetPlanResponse, Rater, Rating, RatingSummary};
use proto::reviews::v1::{CaseAccess, ClassReview, Entry, EntryOrigin, Polarity, StudentReview};

use crate::lookup::{CodeList, is_restricted, service_category_label};
use crate::words::{self, Choices, DomainWords};

/// Who rates, in forms.
pub const RATERS: Choices = &[("coordinator", "The coordinator"), ("teacher", "The teacher"), ("family", "The family said"), ("student", "The student said")];

/// An entry of a review.
pub struct EntryView {
    /// Entry.
    pub id: String,
    /// Label.
    pub label: String,
    /// Domain.
    pub domain: Option<DomainWords>,
    /// Style of its chip.
    pub kind: &'static str,
    /// 1 to 3; 0 where it has none.
    pub severity: i32,
    /// How sure, who said so, since when.
    pub meta: String,
    /// Note.
    pub note: String,
    /// What it was before, where it had another code.
    pub was: String,
    /// Whether another entry took its place; kept.
    pub former: bool,
    /// Closed to most.
    pub restricted: bool,
    /// Can be given another code.
    pub is_need: bool,
    /// Can be made a need.
    pub is_observation: bool,
    /// For the next write.
    pub version: i64,
    /// Id of the entry that would take its place.
    pub next_id: String,
}

/// A class review's part about the student.
pub struct ReviewView {
    /// Season and year.
    pub title: String,
    /// State and what was found.
    pub words: String,
    /// Entries.
    pub entries: Vec<EntryView>,
    /// Entries closed to this caller.
    pub closed: i32,
    /// Where it can be opened.
    pub href: String,
}

/// Reviews of a student, the newest first.
pub fn reviews(list: &[(ClassReview, StudentReview)], codes: &CodeList) -> Vec<ReviewView> {
    list.iter()
        .map(|(class, part)| {
            use proto::reviews::v1::Season as S;
            let season = match class.season() {
                S::Fall => "Fall",
                S::Spring => "Spring",
                S::Custom | S::Unspecified => "Class",
            };
            ReviewView {
                title: format!("{season} review {}", crate::words::school_year(class.school_year)),
                words: super::timeline::found(part),
                entries: part.entries.iter().map(|entry| entry_view(entry, &part.entries, codes)).collect(),
                closed: part.closed_entry_count,
                href: format!("/reviews/{}/students/{}", class.class_review_id, part.student_id),
            }
        })
        .collect()
}

fn entry_view(entry: &Entry, all: &[Entry], codes: &CodeList) -> EntryView {
    let mut meta = Vec::new();
    if matches!(entry.polarity(), Polarity::Need) {
        meta.push(words::certainty(entry.certainty()).to_owned());
    }
    let source = words::source(entry.source());
    if !source.is_empty() {
        meta.push(format!("from the {source}"));
    }
    if !entry.since.is_empty() {
        meta.push(format!("since {}", words::day(&entry.since)));
    }
    let before = all.iter().find(|former| former.entry_id == entry.from_entry_id);
    let was = match (entry.origin(), before) {
        (EntryOrigin::Reclassified, Some(former)) => format!("Was understood as {} before", words::within(&codes.label(&former.code))),
        (EntryOrigin::Reclassified, None) => "Was understood in another way before".to_owned(),
        (EntryOrigin::Promoted, _) => "Was an observation before".to_owned(),
        (EntryOrigin::Carried, _) => "Confirmed from an earlier review".to_owned(),
        (EntryOrigin::Unspecified, _) => String::new(),
    };
    let former = !entry.superseded_by.is_empty();
    if let Some(later) = all.iter().find(|later| former && later.entry_id == entry.superseded_by) {
        meta.push(format!("now understood as {}", words::within(&codes.label(&later.code))));
    }
    EntryView {
        id: entry.entry_id.clone(),
        label: codes.label(&entry.code),
        domain: words::domain(entry.domain()),
        kind: match entry.polarity() {
            Polarity::Strength => "strength",
            Polarity::Interest => "interest",
            Polarity::Observation => "need suspected",
            Polarity::Need | Polarity::Unspecified => "need",
        },
        severity: entry.severity,
        meta: meta.join(", "),
        note: entry.note.clone(),
        was,
        former,
        restricted: is_restricted(entry.sensitivity()),
        is_need: entry.polarity() == Polarity::Need && !former,
        is_observation: entry.polarity() == Polarity::Observation && !former,
        version: entry.version,
        next_id: crate::form::fresh_id(),
    }
}

/// A session.
pub struct DeliveryView {
    /// Session.
    pub id: String,
    /// Day, attendance, minutes.
    pub words: String,
    /// ISO day, for the form.
    pub on: String,
    /// For the form.
    pub planned: i32,
    /// For the form: those delivered, or the planned ones where the student was not there.
    pub delivered: i32,
    /// Code of the attendance, for the form.
    pub attendance: String,
    /// Note.
    pub note: String,
    /// What became of it: corrected, or a correction.
    pub correction: &'static str,
    /// Whether it stands.
    pub stands: bool,
}

/// A service with its sessions.
pub struct ServiceView {
    /// Enrolment.
    pub id: String,
    /// What.
    pub name: String,
    /// State.
    pub state: &'static str,
    /// Planned a week.
    pub dose: String,
    /// Minutes delivered and planned until today.
    pub delivered: i32,
    /// Planned until today.
    pub planned: i32,
    /// Width of the outline, of 98.
    pub planned_width: i32,
    /// Width of the fill.
    pub delivered_width: i32,
    /// Absences in a row.
    pub absences: i32,
    /// Sessions, newest first.
    pub sessions: Vec<DeliveryView>,
}

/// Attendance in words.
pub fn attendance(attendance: Attendance) -> &'static str {
    match attendance {
        Attendance::Unspecified => "not noted",
        Attendance::Present => "present",
        Attendance::Partial => "part of it",
        Attendance::AbsentExcused => "away, excused",
        Attendance::AbsentUnexcused => "away, not excused",
        Attendance::CancelledByProvider => "called off by the provider",
        Attendance::SchoolClosed => "school was closed",
    }
}

/// Services of a student.
pub fn services(answer: &GetPlanResponse) -> Vec<ServiceView> {
    answer
        .enrolments
        .iter()
        .map(|enrolment| {
            let item = answer.items.iter().find(|item| item.plan_item_id == enrolment.plan_item_id);
            let name = item.map_or_else(
                || "A service".to_owned(),
                |item| if item.description.is_empty() { service_category_label(&item.service_category) } else { item.description.clone() },
            );
            let planned = enrolment.planned_minutes_to_date;
            let most = planned.max(enrolment.delivered_minutes).max(1);
            ServiceView {
                id: enrolment.enrolment_id.clone(),
                name,
                state: words::enrolment_state(enrolment.state()),
                dose: format!("{} a week, {} minutes, {} weeks", enrolment.sessions_per_week, enrolment.minutes_per_session, enrolment.weeks),
                delivered: enrolment.delivered_minutes,
                planned,
                planned_width: 98 * planned / most,
                delivered_width: 98 * enrolment.delivered_minutes / most,
                absences: enrolment.absences_in_row,
                sessions: answer.deliveries.iter().filter(|one| one.enrolment_id == enrolment.enrolment_id).take(30).map(delivery).collect(),
            }
        })
        .collect()
}

fn delivery(one: &Delivery) -> DeliveryView {
    let was_there = matches!(one.attendance(), Attendance::Present | Attendance::Partial);
    DeliveryView {
        id: one.delivery_id.clone(),
        words: format!("{}: {}, {} of {} minutes", words::day(&one.delivered_on), attendance(one.attendance()), one.delivered_minutes, one.planned_minutes),
        on: one.delivered_on.clone(),
        planned: one.planned_minutes,
        delivered: if was_there { one.delivered_minutes } else { one.planned_minutes },
        attendance: one.attendance().as_str_name().trim_start_matches("ATTENDANCE_").to_lowercase(),
        note: one.note.clone(),
        correction: if !one.superseded_by.is_empty() {
            "corrected since"
        } else if !one.supersedes_id.is_empty() {
            "a correction"
        } else {
            ""
        },
        stands: one.superseded_by.is_empty(),
    }
}

/// Aid in a sentence.
pub fn aid(one: &Aid) -> String {
    let item = if one.item.is_empty() { service_category_label(&one.service_category) } else { one.item.clone() };
    format!("{}: {} × {item}, received by the {}", words::day(&one.given_on), one.quantity, one.received_by)
}

/// Ratings of a need, staff's and the family's apart.
pub struct RatingView {
    /// Need.
    pub need_id: String,
    /// Label.
    pub label: String,
    /// Mean of staff's; empty where none.
    pub staff: String,
    /// Mean of the family's and the student's; empty where none.
    pub family: String,
    /// Their words.
    pub quotes: Vec<String>,
}

/// Ratings by need.
pub fn ratings(answer: &GetPlanResponse, list: &[Rating], summaries: &[RatingSummary], codes: &CodeList) -> Vec<RatingView> {
    let points = |value: Option<f64>| value.map(|value| format!("{value:.1} of 5")).unwrap_or_default();
    answer
        .needs
        .iter()
        .map(|need| {
            let summary = summaries
                .iter()
                .find(|one| one.need_id == need.need_id && one.plan_item_id.is_empty())
                .or_else(|| summaries.iter().find(|one| one.need_id == need.need_id));
            let quotes = list
                .iter()
                .filter(|one| one.need_id == need.need_id && !one.words.is_empty())
                .take(3)
                .map(|one| format!("{}: “{}” ({} of 5, {})", rater(one.rater()), one.words, one.points, words::day(&one.rated_on)))
                .collect();
            RatingView {
                need_id: need.need_id.clone(),
                label: codes.label(&need.code),
                staff: points(summary.and_then(|one| one.staff_points)),
                family: points(summary.and_then(|one| one.family_points)),
                quotes,
            }
        })
        .collect()
}

fn rater(rater: Rater) -> &'static str {
    match rater {
        Rater::Unspecified => "Somebody",
        Rater::Coordinator => "Coordinator",
        Rater::Teacher => "Teacher",
        Rater::Family => "Family",
        Rater::Student => "Student",
        Rater::Partner => "Partner",
    }
}

/// Somebody on the case.
pub struct AccessView {
    /// Access.
    pub id: String,
    /// Name.
    pub who: String,
    /// How, since when, until when.
    pub meta: String,
    /// Why.
    pub reason: String,
    /// It holds now.
    pub active: bool,
    /// Opened in an emergency.
    pub break_glass: bool,
    /// For the next write.
    pub version: i64,
}

/// Who is and was on the case.
pub fn access(list: &[CaseAccess], staff: &HashMap<String, String>) -> Vec<AccessView> {
    list.iter()
        .map(|one| {
            let break_glass = one.kind == "break_glass";
            let mut meta = vec![if break_glass { "opened with a reason".to_owned() } else { "named".to_owned() }, words::day_of(one.grant_time.as_ref())];
            if let Some(name) = staff.get(&one.granted_by).filter(|_| !break_glass) {
                meta.push(format!("by {name}"));
            }
            if let Some(until) = words::local(one.expire_time.as_ref()) {
                meta.push(format!("{} {}", if one.active { "ends" } else { "ended" }, until.format("%-d %b %Y, %H:%M")));
            }
            AccessView {
                id: one.case_access_id.clone(),
                who: staff.get(&one.staff_id).cloned().unwrap_or_else(|| "A member of staff".to_owned()),
                meta: words::sentence(&meta.join(", ")),
                reason: one.reason.clone(),
                active: one.active,
                break_glass,
                version: one.version,
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_need_that_had_another_name_shows_both() {
        let former = Entry { entry_id: "a".into(), polarity: Polarity::Need.into(), code: "ACA-MAT".into(), superseded_by: "b".into(), ..Default::default() };
        let now = Entry {
            entry_id: "b".into(),
            polarity: Polarity::Need.into(),
            code: "SEB-GRF".into(),
            origin: EntryOrigin::Reclassified.into(),
            from_entry_id: "a".into(),
            ..Default::default()
        };
        let all = [former.clone(), now.clone()];
        let codes = CodeList::default();
        let shown = entry_view(&now, &all, &codes);
        assert_eq!(shown.was, "Was understood as mathematics before");
        assert!(shown.is_need);
        let kept = entry_view(&former, &all, &codes);
        assert!(kept.former && !kept.is_need && kept.meta.contains("now understood as"));
    }
}
