//! Adding, changing and removing strengths, needs and interests: the autosave.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use proto::reviews::v1::{Entry, EntrySource, Polarity, PutEntryRequest, RemoveEntryRequest, StudentReview, UpdateStudentReviewRequest};
use proto::r#type::v1::{Certainty, Domain, Sensitivity};
use serde::Deserialize;
use uuid::Uuid;

use crate::app::Portal;
use crate::fault::Fault;
use crate::form::{Post, fresh_id};
use crate::frame::{Area, Shell, render};
use crate::said::Said;
use crate::words::{self, DOMAINS};

use super::conflict::EntryConflict;
use super::view::{self, Sources};
use super::{Also, At, Toast, find_entry, fresh, refused, student_view, updates};

#[derive(Template)]
#[template(path = "class_review/pick.html")]
struct PickPage {
    shell: Shell,
    path: String,
    words: String,
    polarity: String,
    domain: String,
    options: Vec<PickOption>,
}

struct PickOption {
    code: String,
    label: String,
    request_id: String,
}

/// Which entry of which student.
#[derive(Debug, Clone, Copy, Deserialize)]
pub struct EntryAt {
    review_id: Uuid,
    student_id: Uuid,
    entry_id: Uuid,
}

impl EntryAt {
    pub(super) fn entry(self) -> String {
        self.entry_id.to_string()
    }

    pub(super) fn student(self) -> At {
        At { review_id: self.review_id, student_id: self.student_id }
    }
}

/// Said where what was written goes to those on the case only.
pub const GONE: &str = "It is saved for those on the case only, and you will not see it here again. If anybody may be in danger now, call 911 first. \
    Then raise an urgent concern and tell the coordinator in person; do not wait.";

fn polarity_of(value: &str) -> Polarity {
    match value {
        "strength" => Polarity::Strength,
        "need" => Polarity::Need,
        "interest" => Polarity::Interest,
        "observation" => Polarity::Observation,
        _ => Polarity::Unspecified,
    }
}

fn domain_of(class: &str) -> Domain {
    DOMAINS.into_iter().find(|domain| domain.class == class).map_or(Domain::Unspecified, |domain| domain.domain)
}

pub(super) fn sensitivity_of(value: &str) -> Sensitivity {
    match value {
        "general" => Sensitivity::General,
        "restricted" => Sensitivity::Restricted,
        "protected" => Sensitivity::Protected,
        _ => Sensitivity::Unspecified,
    }
}

/// Adds an entry. Without a code, the words are looked up: one match is added, several are offered.
pub async fn add(State(app): State<Arc<Portal>>, Path(at): Path<At>, post: Post) -> Result<Response, Fault> {
    let polarity = polarity_of(post.text("polarity"));
    let codes = app.code_list(&post.caller).await?;
    let code = match post.text("code") {
        "" => {
            let found = codes.matching(domain_of(post.text("domain")), polarity, post.text("q"));
            match found.as_slice() {
                [only] if !post.text("q").is_empty() => only.code.clone(),
                several => {
                    return render(&PickPage {
                        shell: Shell::of(&post.caller, app.settings.notice(), Area::Classes, "Choose from the code list"),
                        path: at.path(),
                        words: post.text("q").to_owned(),
                        polarity: post.text("polarity").to_owned(),
                        domain: post.text("domain").to_owned(),
                        options: several.iter().map(|code| PickOption { code: code.code.clone(), label: code.label.clone(), request_id: fresh_id() }).collect(),
                    });
                }
            }
        }
        code => code.to_owned(),
    };
    let is_need = polarity == Polarity::Need;
    let entry = Entry {
        entry_id: post.id_or_new("entry_id"),
        polarity: polarity.into(),
        code,
        severity: if is_need { post.small("severity").clamp(1, 3) } else { 0 },
        certainty: if is_need { words::certainty_of(post.text("certainty")) } else { Certainty::Unspecified }.into(),
        // An interest is what the student tells; some are taken from nobody else. All others are the caller's own word.
        source: if polarity == Polarity::Interest { EntrySource::Student } else { EntrySource::Unspecified }.into(),
        note: post.text("note").to_owned(),
        sensitivity: sensitivity_of(post.text("sensitivity")).into(),
        ..Default::default()
    };
    let request = PutEntryRequest {
        class_review_id: at.review_id.to_string(),
        student_id: at.student_id.to_string(),
        entry: Some(entry),
        expected_version: 0,
        request_id: post.request_id(),
    };
    let stored = app.clients.reviews(&post.caller).put_entry(request).await?.into_inner().entry.unwrap_or_default();
    app.desk.show(&post.caller.key, [stored.entry_id.clone()]);
    let mut review = fresh(&app, &post.caller, &at).await?;
    // Those who are not on the case do not read a protected entry again, though they wrote it.
    let gone = find_entry(&review, &stored.entry_id).is_none();
    let unmarked = is_need && review.no_concern_domains().any(|marked| marked == stored.domain());
    if unmarked {
        review = without_mark(&app, &post, &review, stored.domain()).await?;
    }
    if !post.by_htmx {
        if gone {
            app.sessions.say(&post.caller.key, Said::plain(GONE));
        }
        return Ok(Redirect::to(&at.path()).into_response());
    }
    let student = student_view(&app, &post.caller, &review).await?;
    let mut also = Also { gone, ..Also::default() };
    if gone {
        // Nothing of it stays on the page.
    } else if matches!(polarity, Polarity::Need | Polarity::Observation) {
        let shown = app.desk.shown(&post.caller.key);
        let sources = Sources { review: &Default::default(), codes: &codes, caller: &post.caller, shown: &shown };
        also.need = Some(view::need(&sources, &stored));
    } else {
        also.chip = Some(view::chip(&codes, &stored));
    }
    if unmarked {
        also.unmarked = student.domains.iter().find(|domain| domain.words.domain == stored.domain()).cloned();
    }
    updates(&post.caller, student, also)
}

/// "No concern" and a need cannot both stand: the need wins.
async fn without_mark(app: &Portal, post: &Post, review: &StudentReview, domain: Domain) -> Result<StudentReview, Fault> {
    let request = UpdateStudentReviewRequest {
        class_review_id: review.class_review_id.clone(),
        student_id: review.student_id.clone(),
        no_concern_domains: review.no_concern_domains().filter(|marked| *marked != domain).map(Into::into).collect(),
        assigned_tier: review.assigned_tier,
        tier_reason: review.tier_reason.clone(),
        tier_reason_text: review.tier_reason_text.clone(),
        no_strength_reason: review.no_strength_reason.clone(),
        expected_version: review.version,
        request_id: fresh_id(),
    };
    let answer = app.clients.reviews(&post.caller).update_student_review(request).await?.into_inner();
    answer.student_review.ok_or_else(Fault::not_found)
}

/// Changes severity, certainty, note or readers of a need.
pub async fn change(State(app): State<Arc<Portal>>, Path(at): Path<EntryAt>, post: Post) -> Result<Response, Fault> {
    let entry_id = at.entry_id.to_string();
    // Who said so is not in the form: a change of severity must not make the family's word a teacher's.
    let before = fresh(&app, &post.caller, &at.student()).await?;
    let held = find_entry(&before, &entry_id).cloned().unwrap_or_default();
    let is_need = held.polarity() != Polarity::Observation;
    let certainty = if is_need { words::certainty_of(post.text("certainty")) } else { Certainty::Unspecified };
    let confirmed_by = if certainty == Certainty::Confirmed { words::source_of(post.text("confirmed_by")) } else { EntrySource::Unspecified };
    let entry = Entry {
        entry_id: entry_id.clone(),
        polarity: if is_need { Polarity::Need } else { Polarity::Observation }.into(),
        code: post.text("code").to_owned(),
        severity: if is_need { post.small("severity").clamp(1, 3) } else { 0 },
        certainty: certainty.into(),
        confirmed_by: confirmed_by.into(),
        source: held.source,
        since: held.since.clone(),
        note: post.text("note").to_owned(),
        // Who may see it has a form of its own, with a reason.
        sensitivity: if post.ticked("sensitivity") { sensitivity_of(post.text("sensitivity")).into() } else { held.sensitivity },
        ..Default::default()
    };
    let request = PutEntryRequest {
        class_review_id: at.review_id.to_string(),
        student_id: at.student_id.to_string(),
        entry: Some(entry.clone()),
        expected_version: post.number("version"),
        request_id: post.request_id(),
    };
    let outcome = app.clients.reviews(&post.caller).put_entry(request).await.map_err(Fault::from);
    if !post.by_htmx {
        outcome?;
        return Ok(Redirect::to(&at.student().path()).into_response());
    }
    match outcome {
        Ok(answer) => {
            let stored = answer.into_inner().entry.unwrap_or_default();
            let review = fresh(&app, &post.caller, &at.student()).await?;
            let student = student_view(&app, &post.caller, &review).await?;
            let mut also = Also { version: Some((entry_id, stored.version)), ..Default::default() };
            if post.ticked("redraw") {
                let codes = app.code_list(&post.caller).await?;
                let shown = app.desk.shown(&post.caller.key);
                let sources = Sources { review: &Default::default(), codes: &codes, caller: &post.caller, shown: &shown };
                also.need = Some(view::NeedView { oob: true, ..view::need(&sources, &stored) });
                also.version = None;
            }
            updates(&post.caller, student, also)
        }
        Err(fault) if fault.is_conflict() => conflict(&app, &post, &at, entry).await,
        Err(fault) => Err(fault),
    }
}

/// Both values side by side; nothing is overwritten before a choice.
async fn conflict(app: &Portal, post: &Post, at: &EntryAt, mine: Entry) -> Result<Response, Fault> {
    let review = fresh(app, &post.caller, &at.student()).await?;
    let Some(theirs) = find_entry(&review, &mine.entry_id) else {
        return Err(Fault::refused("Somebody removed this entry a moment ago. Load the page again to see what is there."));
    };
    let codes = app.code_list(&post.caller).await?;
    let staff = app.staff_names(&post.caller, vec![theirs.author_id.clone()]).await;
    let shown = app.desk.shown(&post.caller.key);
    let sources = Sources { review: &Default::default(), codes: &codes, caller: &post.caller, shown: &shown };
    let mut need = view::need(&sources, theirs);
    need.oob = true;
    need.conflict = Some(EntryConflict {
        who: staff.get(&theirs.author_id).cloned().unwrap_or_else(|| "A colleague".to_owned()),
        words: conflict_words(theirs, &mine),
        severity: mine.severity,
        certainty: words::certainty(mine.certainty()).to_owned(),
        note: mine.note.clone(),
        request_id: fresh_id(),
    });
    let student = student_view(app, &post.caller, &review).await?;
    let response = updates(&post.caller, student, Also { need: Some(need), ..Default::default() })?;
    Ok(refused(response, StatusCode::CONFLICT, "#trouble", "none", None))
}

fn conflict_words(theirs: &Entry, mine: &Entry) -> String {
    let said = |entry: &Entry| format!("severity {}, {}", entry.severity, words::certainty(entry.certainty()));
    if said(theirs) == said(mine) {
        "The note or its readers differ from yours.".to_owned()
    } else {
        format!("It now says {}; you set {}.", said(theirs), said(mine))
    }
}

/// Takes an entry out, and offers to put it back.
pub async fn remove(State(app): State<Arc<Portal>>, Path(at): Path<EntryAt>, post: Post) -> Result<Response, Fault> {
    let before = fresh(&app, &post.caller, &at.student()).await?;
    let entry_id = at.entry_id.to_string();
    let version = if post.ticked("version") { post.number("version") } else { post.number("version_then") };
    let request = RemoveEntryRequest {
        class_review_id: at.review_id.to_string(),
        student_id: at.student_id.to_string(),
        entry_id: entry_id.clone(),
        expected_version: version,
        request_id: post.request_id(),
    };
    app.clients.reviews(&post.caller).remove_entry(request).await?;
    if !post.by_htmx {
        return Ok(Redirect::to(&at.student().path()).into_response());
    }
    let review = fresh(&app, &post.caller, &at.student()).await?;
    let codes = app.code_list(&post.caller).await?;
    let toast = find_entry(&before, &entry_id).map(|entry| removed(&at, entry, codes.label(&entry.code)));
    let student = student_view(&app, &post.caller, &review).await?;
    updates(&post.caller, student, Also { toast, ..Default::default() })
}

fn removed(at: &EntryAt, entry: &Entry, label: String) -> Toast {
    let domain = words::domain(entry.domain()).map_or("int", |domain| domain.class);
    let polarity = match entry.polarity() {
        Polarity::Need => "need",
        Polarity::Interest => "interest",
        Polarity::Observation => "observation",
        Polarity::Strength | Polarity::Unspecified => "strength",
    };
    let (target, swap) = view::place_of_new(polarity, domain);
    Toast {
        words: format!("Removed “{label}”"),
        action: format!("{}/entries", at.student().path()),
        target,
        swap,
        fields: vec![
            ("request_id", fresh_id()),
            ("entry_id", fresh_id()),
            ("polarity", polarity.to_owned()),
            ("domain", domain.to_owned()),
            ("code", entry.code.clone()),
            ("severity", entry.severity.to_string()),
            ("certainty", words::certainty(entry.certainty()).to_owned()),
            ("note", entry.note.clone()),
            ("sensitivity", view::sensitivity(entry.sensitivity()).to_owned()),
        ],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_conflict_says_what_each_wrote() {
        let theirs = Entry { severity: 1, certainty: Certainty::Observed.into(), ..Default::default() };
        let mine = Entry { severity: 2, certainty: Certainty::Observed.into(), ..Default::default() };
        assert_eq!(conflict_words(&theirs, &mine), "It now says severity 1, observed; you set severity 2, observed.");
        assert!(conflict_words(&mine, &mine).contains("note"));
    }

    #[test]
    fn a_removed_entry_can_be_put_back_as_it_was() {
        let at = EntryAt { review_id: Uuid::nil(), student_id: Uuid::nil(), entry_id: Uuid::nil() };
        let entry =
            Entry { polarity: Polarity::Need.into(), domain: Domain::Family.into(), severity: 2, certainty: Certainty::Suspected.into(), ..Default::default() };
        let toast = removed(&at, &entry, "Food at home".into());
        assert_eq!(toast.target, "#needs-fam");
        assert!(toast.fields.contains(&("severity", "2".to_owned())));
        assert!(toast.fields.contains(&("certainty", "suspected".to_owned())));
    }
}
