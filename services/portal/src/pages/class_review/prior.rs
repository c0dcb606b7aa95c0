//! Entries of an earlier review: each waits for one tap, and nothing is carried over without it.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use proto::reviews::v1::{AnswerPriorEntryRequest, ClassReview, Entry, ListPriorEntriesRequest, Polarity, PriorAnswer, PriorEntry};
use serde::Deserialize;
use uuid::Uuid;

use crate::app::Portal;
use crate::fault::Fault;
use crate::form::{Post, fresh_id};
use crate::session::Caller;
use crate::words;

use super::view::{self, Sources, StudentView};
use super::{Also, At, Toast, fresh, redrawn, student_view, updates};

/// An entry of an earlier review.
#[derive(Debug, Clone)]
pub struct PriorView {
    /// Entry, as it was then.
    pub entry_id: String,
    /// `strength`, `need`, `observation` or `interest`.
    pub kind: &'static str,
    /// `aca`, `seb`, `hlt`, `fam` or `int`.
    pub domain: &'static str,
    /// Label.
    pub label: String,
    /// 1 to 3; 0 where it is no need.
    pub severity: i32,
    /// When that was.
    pub when: &'static str,
    /// What was answered, in words; empty while open.
    pub answer: &'static str,
    /// Id under which an answer is sent.
    pub request_id: String,
    /// Id of the entry that an answer makes.
    pub new_entry_id: String,
}

/// Which earlier entry.
#[derive(Debug, Clone, Copy, Deserialize)]
pub struct PriorAt {
    review_id: Uuid,
    student_id: Uuid,
    prior_id: Uuid,
}

impl PriorAt {
    fn student(self) -> At {
        At { review_id: self.review_id, student_id: self.student_id }
    }
}

fn answer_of(value: &str) -> PriorAnswer {
    match value {
        "still_true" => PriorAnswer::StillTrue,
        "changed" => PriorAnswer::Changed,
        "no_longer" => PriorAnswer::NoLonger,
        _ => PriorAnswer::Unspecified,
    }
}

fn answer_words(answer: PriorAnswer) -> &'static str {
    match answer {
        PriorAnswer::Unspecified => "",
        PriorAnswer::StillTrue => "still true",
        PriorAnswer::Changed => "changed",
        PriorAnswer::NoLonger => "no longer",
    }
}

fn polarity_key(polarity: Polarity) -> &'static str {
    match polarity {
        Polarity::Need => "need",
        Polarity::Interest => "interest",
        Polarity::Observation => "observation",
        Polarity::Strength | Polarity::Unspecified => "strength",
    }
}

/// All earlier entries of a student. A service that does not have the call yet has none.
pub async fn list(app: &Portal, caller: &Caller, class_review_id: &str, student_id: &str) -> Result<Vec<PriorEntry>, Fault> {
    let request = ListPriorEntriesRequest { class_review_id: class_review_id.to_owned(), student_id: student_id.to_owned(), include_answered: true };
    match app.clients.reviews(caller).list_prior_entries(request).await {
        Ok(answer) => Ok(answer.into_inner().entries),
        Err(status) if status.code() == tonic::Code::Unimplemented => Ok(Vec::new()),
        Err(status) => Err(status.into()),
    }
}

/// Puts the earlier entries on the student's page; restricted ones stay closed with the others.
pub fn place(sources: &Sources<'_>, student: &mut StudentView, priors: &[PriorEntry]) {
    for prior in priors {
        let Some(entry) = &prior.entry else { continue };
        if sources.shuts(entry) {
            if prior.answer() == PriorAnswer::Unspecified {
                student.shut += 1;
            }
            continue;
        }
        let line = line(sources, prior, entry);
        if line.answer.is_empty() { student.priors.push(line) } else { student.answered.push(line) }
    }
}

fn line(sources: &Sources<'_>, prior: &PriorEntry, entry: &Entry) -> PriorView {
    PriorView {
        entry_id: entry.entry_id.clone(),
        kind: polarity_key(entry.polarity()),
        domain: words::domain(entry.domain()).map_or("int", |domain| domain.class),
        label: sources.codes.label(&entry.code),
        severity: entry.severity,
        when: when(sources.review, prior),
        answer: answer_words(prior.answer()),
        request_id: fresh_id(),
        new_entry_id: fresh_id(),
    }
}

fn when(review: &ClassReview, prior: &PriorEntry) -> &'static str {
    use proto::reviews::v1::Season as S;
    match prior.season() {
        _ if prior.school_year < review.school_year => "Last year",
        S::Fall => "In the fall",
        S::Spring => "In the spring",
        S::Custom | S::Unspecified => "Earlier this year",
    }
}

/// Answers one of them, or takes the answer back.
pub async fn answer(State(app): State<Arc<Portal>>, Path(at): Path<PriorAt>, post: Post) -> Result<Response, Fault> {
    let prior_id = at.prior_id.to_string();
    let answer = answer_of(post.text("answer"));
    let codes = app.code_list(&post.caller).await?;
    let changed = match answer {
        PriorAnswer::Changed => {
            let priors = list(&app, &post.caller, &at.review_id.to_string(), &at.student_id.to_string()).await?;
            let before = priors.into_iter().filter_map(|prior| prior.entry).find(|entry| entry.entry_id == prior_id).ok_or_else(Fault::not_found)?;
            Some(Entry { severity: if post.small("severity") > 0 { post.small("severity").clamp(1, 3) } else { before.severity }, ..before })
        }
        _ => None,
    };
    let request = AnswerPriorEntryRequest {
        class_review_id: at.review_id.to_string(),
        student_id: at.student_id.to_string(),
        prior_entry_id: prior_id,
        answer: answer.into(),
        new_entry_id: if matches!(answer, PriorAnswer::StillTrue | PriorAnswer::Changed) { post.id_or_new("new_entry_id") } else { String::new() },
        changed,
        request_id: post.request_id(),
    };
    let made = app.clients.reviews(&post.caller).answer_prior_entry(request).await?.into_inner().entry;
    if let Some(made) = &made {
        app.desk.show(&post.caller.key, [made.entry_id.clone()]);
    }
    if !post.by_htmx {
        return Ok(Redirect::to(&at.student().path()).into_response());
    }
    if answer == PriorAnswer::Unspecified {
        return redrawn(&app, &post.caller, at.student(), format!("prior-{}", at.prior_id)).await;
    }
    let review = fresh(&app, &post.caller, &at.student()).await?;
    let student = student_view(&app, &post.caller, &review).await?;
    let shown = app.desk.shown(&post.caller.key);
    let sources = Sources { review: &Default::default(), codes: &codes, caller: &post.caller, shown: &shown };
    let mut also = Also { toast: Some(taken_back(&at, answer)), ..Default::default() };
    if let Some(made) = made {
        let domain = words::domain(made.domain()).map_or("int", |domain| domain.class);
        let (target, swap) = view::place_of_new(polarity_key(made.polarity()), domain);
        also.place = Some(format!("{swap}:{target}"));
        match made.polarity() {
            Polarity::Need | Polarity::Observation => also.need = Some(view::need(&sources, &made)),
            _ => also.chip = Some(view::chip(&codes, &made)),
        }
        also.unmarked = student.domains.iter().find(|domain| domain.words.domain == made.domain()).cloned();
    }
    updates(&post.caller, student, also)
}

fn taken_back(at: &PriorAt, answer: PriorAnswer) -> Toast {
    Toast {
        words: words::sentence(answer_words(answer)),
        action: format!("{}/prior/{}", at.student().path(), at.prior_id),
        target: "#student".to_owned(),
        swap: "outerHTML",
        fields: vec![("request_id", fresh_id()), ("answer", String::new())],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_earlier_entry_says_when_it_was_noted() {
        use proto::reviews::v1::Season;
        let review = ClassReview { school_year: 2027, ..Default::default() };
        let prior = |year: i32, season: Season| PriorEntry { school_year: year, season: season.into(), ..Default::default() };
        assert_eq!(when(&review, &prior(2026, Season::Spring)), "Last year");
        assert_eq!(when(&review, &prior(2027, Season::Fall)), "In the fall");
    }

    #[test]
    fn every_answer_of_the_page_is_one_of_the_service() {
        for (value, words) in [("still_true", "still true"), ("changed", "changed"), ("no_longer", "no longer"), ("", "")] {
            assert_eq!(answer_words(answer_of(value)), words);
        }
    }
}
