//! The class review: every student, four domains, saved at each change, resumed where it stopped.

pub mod acts;
pub mod beside;
pub mod conflict;
pub mod decision;
pub mod entries;
pub mod gaps;
pub mod keep;
pub mod live;
pub mod prior;
pub mod rare;
pub mod roster;
pub mod view;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, State};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::{Json, http};
use proto::reviews::v1::Polarity as P;
use proto::reviews::v1::{ClassReview, Entry, GetClassReviewRequest, GetStudentReviewRequest, StudentReview};
use proto::rosters::v1::{GetClassRequest, Student};
use uuid::Uuid;

use crate::app::Portal;
use crate::fault::Fault;
use crate::form::ByHtmx;
use crate::frame::{Area, Shell, render};
use crate::lookup::{CodeList, is_restricted};
use crate::session::Caller;
use crate::words;

use roster::{Head, RosterLine};
use view::{ChipView, NeedView, Sources, StudentView};

/// A class review with all that its pages need.
pub struct Loaded {
    /// The review.
    pub review: ClassReview,
    /// Its students, in order.
    pub students: Vec<StudentReview>,
    /// Their names.
    pub names: HashMap<String, Student>,
    /// The code list.
    pub codes: Arc<CodeList>,
    class_title: String,
    staff: HashMap<String, String>,
    basis: String,
    shown: HashSet<String>,
}

/// Words where a review has no student left to do.
pub struct Finish {
    title: String,
    words: String,
}

/// An undo that can be pressed.
pub struct Toast {
    /// What was done.
    pub words: String,
    /// Where the reverse goes.
    pub action: String,
    /// What it replaces.
    pub target: String,
    /// How.
    pub swap: &'static str,
    /// What it carries.
    pub fields: Vec<(&'static str, String)>,
}

#[derive(Template)]
#[template(path = "class_review/page.html")]
struct ReviewPage {
    shell: Shell,
    csrf: String,
    codes_url: String,
    review_id: String,
    owner: String,
    blank: StudentView,
    blank_need: NeedView,
    blank_seen: NeedView,
    blank_chips: Vec<ChipView>,
    basis: String,
    head: Head,
    roster: Vec<RosterLine>,
    student: Option<StudentView>,
    finish: Finish,
    oob: bool,
}

#[derive(Template)]
#[template(path = "class_review/arrived.html")]
struct ArrivedFragment {
    csrf: String,
    head: Head,
    roster: Vec<RosterLine>,
    student: Option<StudentView>,
    finish: Finish,
    saved_at: Option<String>,
    saved_at_words: String,
    toast: Option<Toast>,
}

#[derive(Template)]
#[template(path = "class_review/updates.html")]
struct UpdatesFragment {
    csrf: String,
    student: StudentView,
    place: Option<String>,
    own: bool,
    new_need: Option<NeedView>,
    new_chip: Option<ChipView>,
    new_version: Option<(String, i64)>,
    unmarked: Option<view::DomainView>,
    toast: Option<Toast>,
    gone: bool,
    saved_at: String,
    saved_at_words: String,
    oob: bool,
}

/// Reads a class review with the names of its students.
pub async fn load(app: &Portal, caller: &Caller, review_id: Uuid) -> Result<Loaded, Fault> {
    let request = GetClassReviewRequest { class_review_id: review_id.to_string() };
    let answer = app.clients.reviews(caller).get_class_review(request).await?.into_inner();
    let review = answer.class_review.ok_or_else(Fault::not_found)?;
    let ids = answer.students.iter().map(|student| student.student_id.clone()).collect();
    let signed = vec![review.teacher_signed_by.clone(), review.coordinator_signed_by.clone()];
    let mut rosters = app.clients.rosters(caller);
    let (names, class, codes, staff) = tokio::join!(
        app.students(caller, ids),
        rosters.get_class(GetClassRequest { class_id: review.class_id.clone() }),
        app.code_list(caller),
        app.staff_names(caller, signed),
    );
    Ok(Loaded {
        students: answer.students,
        names: names?,
        codes: codes?,
        class_title: class?.into_inner().class.map(|class| class.title).unwrap_or_default(),
        staff,
        basis: words::basis(&answer.access_basis),
        shown: app.desk.shown(&caller.key),
        review,
    })
}

/// Reads one student's review anew.
async fn fresh(app: &Portal, caller: &Caller, at: &At) -> Result<StudentReview, Fault> {
    let request = GetStudentReviewRequest { class_review_id: at.review_id.to_string(), student_id: at.student_id.to_string() };
    let answer = app.clients.reviews(caller).get_student_review(request).await?.into_inner();
    answer.student_review.ok_or_else(Fault::not_found)
}

/// Which student of which review.
#[derive(Debug, Clone, Copy, serde::Deserialize)]
pub struct At {
    pub(super) review_id: Uuid,
    pub(super) student_id: Uuid,
}

impl At {
    fn path(self) -> String {
        format!("/reviews/{}/students/{}", self.review_id, self.student_id)
    }
}

impl Loaded {
    fn head(&self, app: &Portal, caller: &Caller) -> Head {
        let later = app.sessions.put_off_in(&caller.key, self.id());
        roster::head(&self.class_title, &self.review, &self.students, &later, &self.staff, caller)
    }

    fn roster(&self, app: &Portal, caller: &Caller, current: &str) -> Vec<RosterLine> {
        let later = app.sessions.put_off_in(&caller.key, self.id());
        roster::roster(&self.review.class_review_id, &self.students, &self.names, &later, current)
    }

    fn student(&self, caller: &Caller, student_id: &str) -> Option<StudentView> {
        let review = self.students.iter().find(|student| student.student_id == student_id)?;
        let sources = self.sources(caller);
        let name = roster::name_of(&self.names, student_id);
        Some(view::placed(view::student(&sources, review, name), &self.students))
    }

    fn sources<'l>(&'l self, caller: &'l Caller) -> Sources<'l> {
        Sources { review: &self.review, codes: &self.codes, caller, shown: &self.shown }
    }

    /// Adds the entries of an earlier review, where a student has any or may have had.
    async fn with_priors(&self, app: &Portal, caller: &Caller, mut view: StudentView) -> Result<StudentView, Fault> {
        if view.open {
            let priors = prior::list(app, caller, &self.review.class_review_id, &view.student_id).await?;
            prior::place(&self.sources(caller), &mut view, &priors);
        }
        Ok(view)
    }

    fn id(&self) -> Uuid {
        Uuid::parse_str(&self.review.class_review_id).unwrap_or_default()
    }

    fn finish(&self) -> Finish {
        let left = self.review.student_count - self.review.done_count;
        if left > 0 {
            return Finish { title: "Choose a student".to_owned(), words: format!("{left} are still to review.") };
        }
        Finish {
            title: "Every student of this class has been looked at".to_owned(),
            words: match self.review.state() {
                proto::reviews::v1::ClassReviewState::AwaitingSignoff => "The review was handed in and waits to be signed by the teacher and the coordinator.",
                proto::reviews::v1::ClassReviewState::Complete => "The review is complete and signed by both.",
                _ => "Finish the review to hand it in for signing.",
            }
            .to_owned(),
        }
    }
}

/// Goes to where work stopped: the student in work, else the first one still open, else the end.
pub async fn resume(State(app): State<Arc<Portal>>, caller: Caller, Path(review_id): Path<Uuid>) -> Result<Response, Fault> {
    let loaded = load(&app, &caller, review_id).await?;
    let later = app.sessions.put_off_in(&caller.key, review_id);
    let stopped = loaded
        .students
        .iter()
        .find(|student| student.student_id == loaded.review.current_student_id && !roster::is_finished(student))
        .map(|student| student.student_id.clone());
    match stopped.or_else(|| roster::next_open(&loaded.students, &later, "")) {
        Some(student) if view_is_open(&loaded.review) => Ok(Redirect::to(&format!("/reviews/{review_id}/students/{student}")).into_response()),
        _ => whole_page(&app, &caller, &loaded, None).await,
    }
}

fn view_is_open(review: &ClassReview) -> bool {
    use proto::reviews::v1::ClassReviewState as S;
    matches!(review.state(), S::InProgress | S::Paused)
}

/// One student of the review: the whole page, or for htmx the student with the bar and the list beside.
pub async fn page(
    State(app): State<Arc<Portal>>,
    caller: Caller,
    ByHtmx(by_htmx): ByHtmx,
    headers: http::HeaderMap,
    Path(at): Path<At>,
) -> Result<Response, Fault> {
    // A look at what others changed is no new visit: what was opened on this screen stays open.
    if !headers.contains_key("x-live") {
        app.desk.close(&caller.key);
        app.desk.at(&caller.key, at.review_id, at.student_id);
    }
    let loaded = load(&app, &caller, at.review_id).await?;
    let student = loaded.student(&caller, &at.student_id.to_string()).ok_or_else(Fault::not_found)?;
    app.sessions.take_up(&caller.key, at.review_id, at.student_id);
    if by_htmx { arrived(&app, &caller, &loaded, Some(student), false, None).await } else { whole_page(&app, &caller, &loaded, Some(student)).await }
}

/// The whole page of one student as it is.
async fn shown_page(app: &Portal, caller: &Caller, loaded: &Loaded, at: At) -> Result<Response, Fault> {
    let student = loaded.student(caller, &at.student_id.to_string()).ok_or_else(Fault::not_found)?;
    whole_page(app, caller, loaded, Some(student)).await
}

async fn whole_page(app: &Portal, caller: &Caller, loaded: &Loaded, student: Option<StudentView>) -> Result<Response, Fault> {
    let head = loaded.head(app, caller);
    let current = student.as_ref().map(|student| student.student_id.clone()).unwrap_or_default();
    let student = match student {
        Some(student) => Some(loaded.with_priors(app, caller, student).await?),
        None => None,
    };
    let sources = loaded.sources(caller);
    let blank = |polarity, kind: &str| Entry {
        entry_id: format!("ENTRY-ID-{kind}"),
        code: "ENTRY-CODE".to_owned(),
        polarity: i32::from(polarity),
        severity: 1,
        version: 1,
        ..Default::default()
    };
    let mut open = loaded.review.clone();
    open.set_state(proto::reviews::v1::ClassReviewState::InProgress);
    let mut blank_student = view::student(&Sources { review: &open, ..loaded.sources(caller) }, &StudentReview::default(), String::new());
    blank_student.path = "STUDENT-PATH".to_owned();
    render(&ReviewPage {
        shell: Shell::of(caller, app.settings.notice(), Area::Classes, head.title.clone()),
        csrf: caller.csrf.clone(),
        codes_url: format!("/codes/{}", loaded.codes.version.replace('/', "-")),
        review_id: loaded.review.class_review_id.clone(),
        owner: owner(caller),
        blank: blank_student,
        blank_need: view::need(&sources, &blank(P::Need, "need")),
        blank_seen: view::need(&sources, &blank(P::Observation, "observation")),
        blank_chips: [(P::Strength, "strength"), (P::Interest, "interest")]
            .into_iter()
            .map(|(polarity, kind)| view::chip(&loaded.codes, &blank(polarity, kind)))
            .collect(),
        basis: loaded.basis.clone(),
        roster: loaded.roster(app, caller, &current),
        finish: loaded.finish(),
        head,
        student,
        oob: false,
    })
}

/// Whose writes wait on a device: a mark of the person that says nothing about them.
fn owner(caller: &Caller) -> String {
    use sha2::Digest as _;
    sha2::Sha256::digest(format!("kept:{}", caller.subject)).iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

async fn arrived(app: &Portal, caller: &Caller, loaded: &Loaded, student: Option<StudentView>, saved: bool, toast: Option<Toast>) -> Result<Response, Fault> {
    let current = student.as_ref().map(|student| student.student_id.clone()).unwrap_or_default();
    let student = match student {
        Some(student) => Some(loaded.with_priors(app, caller, student).await?),
        None => None,
    };
    let (saved_at, saved_at_words) = now();
    render(&ArrivedFragment {
        csrf: caller.csrf.clone(),
        head: loaded.head(app, caller),
        roster: loaded.roster(app, caller, &current),
        finish: loaded.finish(),
        student,
        saved_at: saved.then_some(saved_at),
        saved_at_words,
        toast,
    })
}

/// The student once more, after something that changes more than a line; focus goes to one of its parts.
async fn redrawn(app: &Portal, caller: &Caller, at: At, focus: String) -> Result<Response, Fault> {
    let loaded = load(app, caller, at.review_id).await?;
    let mut student = loaded.student(caller, &at.student_id.to_string()).ok_or_else(Fault::not_found)?;
    student.focus = focus;
    arrived(app, caller, &loaded, Some(student), true, None).await
}

/// Now, for machines and for people; a script turns the latter into the reader's own time.
fn now() -> (String, String) {
    let now = chrono::Utc::now();
    (now.format("%Y-%m-%dT%H:%M:%SZ").to_string(), now.with_timezone(&chassis_clock::zone()).format("%H:%M:%S").to_string())
}

/// What an autosave answers beside the suggestion and the version, which it always does.
#[derive(Default)]
struct Also {
    need: Option<NeedView>,
    chip: Option<ChipView>,
    version: Option<(String, i64)>,
    unmarked: Option<view::DomainView>,
    place: Option<String>,
    own: bool,
    toast: Option<Toast>,
    /// What was saved is protected and not the caller's to see.
    gone: bool,
}

/// The answer to an autosave: what changed around the control, never the control in use.
fn updates(caller: &Caller, student: StudentView, also: Also) -> Result<Response, Fault> {
    let (saved_at, saved_at_words) = now();
    render(&UpdatesFragment {
        csrf: caller.csrf.clone(),
        student,
        place: also.place,
        own: also.own || also.unmarked.is_some(),
        new_need: also.need,
        new_chip: also.chip,
        new_version: also.version,
        unmarked: also.unmarked,
        toast: also.toast,
        gone: also.gone,
        saved_at,
        saved_at_words,
        oob: true,
    })
}

/// A student's view for an autosave's answer, without the neighbours and the name, which do not change.
async fn student_view(app: &Portal, caller: &Caller, review: &StudentReview) -> Result<StudentView, Fault> {
    let codes = app.code_list(caller).await?;
    // A write went through a moment ago, so the class review is open.
    let open =
        ClassReview { class_review_id: review.class_review_id.clone(), state: proto::reviews::v1::ClassReviewState::InProgress.into(), ..Default::default() };
    let shown = app.desk.shown(&caller.key);
    let sources = Sources { review: &open, codes: &codes, caller, shown: &shown };
    Ok(view::student(&sources, review, String::new()))
}

/// A line of the code list, as the type-ahead reads it.
#[derive(serde::Serialize)]
struct CodeLine<'a> {
    code: &'a str,
    domain: &'a str,
    label: &'a str,
    strength: bool,
    need: bool,
    interest: bool,
    restricted: bool,
    synonyms: &'a [String],
}

/// The code list for the type-ahead. It holds nothing personal, so browsers may keep it for a day.
pub async fn codes(State(app): State<Arc<Portal>>, caller: Caller, Path(_version): Path<String>) -> Result<Response, Fault> {
    let list = app.code_list(&caller).await?;
    let lines: Vec<CodeLine<'_>> = list
        .codes
        .iter()
        .map(|code| CodeLine {
            code: &code.code,
            domain: words::domain(code.domain()).map_or("int", |domain| domain.class),
            label: &code.label,
            strength: code.strength,
            need: code.need,
            interest: code.interest,
            restricted: is_restricted(code.sensitivity()),
            synonyms: &code.synonyms,
        })
        .collect();
    let mut response = Json(lines).into_response();
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("private, max-age=86400"));
    Ok(response)
}

fn find_entry<'a>(review: &'a StudentReview, entry_id: &str) -> Option<&'a Entry> {
    review.entries.iter().find(|entry| entry.entry_id == entry_id)
}

/// Puts the headers on a refusal that htmx swaps: where it goes and which control mends it.
fn refused(mut response: Response, status: http::StatusCode, target: &'static str, swap: &'static str, focus: Option<&str>) -> Response {
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert("HX-Retarget", HeaderValue::from_static(target));
    headers.insert("HX-Reswap", HeaderValue::from_static(swap));
    if let Some(focus) = focus
        && let Ok(value) = HeaderValue::from_str(&format!(r#"{{"focus-gap":{{"id":"{focus}"}}}}"#))
    {
        headers.insert("HX-Trigger-After-Settle", value);
    }
    response
}
