//! What the class review shows: pure functions from the services' answers.

use std::collections::HashSet;

use proto::reviews::v1::{ClassReview, ClassReviewState, Entry, EntryOrigin, Polarity, StudentReview, StudentReviewState};
use proto::r#type::v1::{Domain, Sensitivity};

use crate::form::fresh_id;
use crate::lookup::{CodeList, is_restricted};
use crate::session::Caller;
use crate::words::{self, DOMAINS, DomainWords, TierWords};

use super::conflict::{DecisionConflict, EntryConflict};
use super::gaps::Gap;
use super::prior::PriorView;
use super::roster::is_finished;

/// A strength or interest.
#[derive(Debug, Clone)]
pub struct ChipView {
    /// Entry.
    pub entry_id: String,
    /// Style.
    pub kind: &'static str,
    /// Label.
    pub label: String,
    /// For the next write.
    pub version: i64,
    /// Whether it is closed to most.
    pub restricted: bool,
    /// Where it came from, in a word or two.
    pub from: &'static str,
    /// Id under which a removal is sent.
    pub request_id: String,
}

/// A need that somebody understood in another way, or an observation that became a need. Both stay.
#[derive(Debug, Clone)]
pub struct FormerView {
    /// Entry.
    pub entry_id: String,
    /// Label.
    pub label: String,
    /// What became of it.
    pub words: String,
}

/// A need, or an observation, which has neither severity nor certainty.
#[derive(Debug, Clone)]
pub struct NeedView {
    /// Entry.
    pub entry_id: String,
    /// Code.
    pub code: String,
    /// Label.
    pub label: String,
    /// 1 to 3.
    pub severity: i32,
    /// How sure.
    pub certainty: &'static str,
    /// Who confirmed it; empty where nobody did.
    pub confirmed_by: &'static str,
    /// Who said so.
    pub source: &'static str,
    /// Seen, and not yet a need.
    pub seen: bool,
    /// Where it came from, in a word or two.
    pub from: &'static str,
    /// Note.
    pub note: String,
    /// `general`, `restricted` or `protected`.
    pub sensitivity: &'static str,
    /// Which readers may be chosen.
    pub sensitivities: Vec<(&'static str, &'static str)>,
    /// For the next write.
    pub version: i64,
    /// Whether it is closed to most.
    pub restricted: bool,
    /// Whether this caller may change it.
    pub mine: bool,
    /// Id under which a change is sent.
    pub request_id: String,
    /// Id under which a removal is sent.
    pub remove_id: String,
    /// Id under which an observation becomes a need.
    pub promote_id: String,
    /// Id of that need.
    pub new_entry_id: String,
    /// Id under which other readers are set.
    pub readers_id: String,
    /// Another writer was faster.
    pub conflict: Option<EntryConflict>,
    /// Whether it replaces the one in the page.
    pub oob: bool,
}

/// A place where an entry can be added.
#[derive(Debug, Clone)]
pub struct Adder {
    /// `strength`, `need` or `interest`.
    pub polarity: &'static str,
    /// `aca`, `seb`, `hlt`, `fam` or `int`.
    pub domain: &'static str,
    /// In words.
    pub what: String,
    /// Where the new entry goes.
    pub target: String,
    /// How: at the end of a list, or before the adder that stands in it.
    pub swap: &'static str,
    /// Id under which it is sent.
    pub request_id: String,
    /// Id of the entry, chosen before it exists so that a repeat adds nothing twice.
    pub entry_id: String,
}

/// A domain of one student.
#[derive(Debug, Clone)]
pub struct DomainView {
    /// Its words.
    pub words: DomainWords,
    /// Strengths, oldest first.
    pub strengths: Vec<ChipView>,
    /// Needs and observations, oldest first.
    pub needs: Vec<NeedView>,
    /// What was understood in another way since.
    pub former: Vec<FormerView>,
    /// Marked "no concern noted".
    pub no_concern: bool,
    /// Adds a strength.
    pub add_strength: Adder,
    /// Adds a need.
    pub add_need: Adder,
    /// Notes something that was seen.
    pub add_observation: Adder,
}

/// What the rule suggests.
#[derive(Debug, Clone)]
pub struct Suggested {
    /// Tier; empty where there is none.
    pub key: &'static str,
    /// In words.
    pub words: &'static str,
}

/// One student in work.
#[derive(Debug, Clone)]
pub struct StudentView {
    /// Path of the student's review.
    pub path: String,
    /// Student.
    pub student_id: String,
    /// Name.
    pub name: String,
    /// Two letters.
    pub initials: String,
    /// Place in the list.
    pub position: String,
    /// Grade in words.
    pub grade: String,
    /// Whether anything can be changed.
    pub open: bool,
    /// Why nothing can be changed, or what was decided.
    pub finished: Option<String>,
    /// Whether "done" can be taken back.
    pub may_reopen: bool,
    /// Somebody else decided meanwhile.
    pub conflict: Option<DecisionConflict>,
    /// Restricted entries closed to this caller.
    pub closed: i32,
    /// Restricted entries that the caller may open, closed while the screen may be shared.
    pub shut: usize,
    /// Entries of an earlier review that wait for an answer.
    pub priors: Vec<PriorView>,
    /// Those that were answered.
    pub answered: Vec<PriorView>,
    /// Where focus goes; empty for the name.
    pub focus: String,
    /// The four domains.
    pub domains: Vec<DomainView>,
    /// Interests.
    pub interests: Vec<ChipView>,
    /// Adds an interest.
    pub add_interest: Adder,
    /// What the rule suggests.
    pub suggested: Suggested,
    /// Why it does.
    pub because: String,
    /// Tier that was chosen; empty while open.
    pub assigned: &'static str,
    /// The same in words.
    pub assigned_words: Option<TierWords>,
    /// Why it differs.
    pub reason: String,
    /// The same in words.
    pub reason_words: String,
    /// Words for another reason.
    pub reason_text: String,
    /// Why no strength was noted.
    pub no_strength_reason: String,
    /// Whether there is a strength.
    pub has_strength: bool,
    /// What is missing; filled only after "done" was refused.
    pub gaps: Vec<Gap>,
    /// For the next write.
    pub version: i64,
    /// Id under which the next command is sent.
    pub request_id: String,
    /// Id under which "not reviewed" is sent.
    pub skip_id: String,
    /// Path of the student before.
    pub previous: Option<String>,
    /// Path of the student after.
    pub next: Option<String>,
}

impl StudentView {
    /// What is decided, in one line: a page tells by it whether somebody else decided meanwhile.
    pub fn decided(&self) -> String {
        let marks: Vec<&str> = self.domains.iter().filter(|domain| domain.no_concern).map(|domain| domain.words.class).collect();
        format!("{}|{}|{}|{}|{}", self.assigned, self.reason, self.reason_text, self.no_strength_reason, marks.join(" "))
    }

    /// Whether the tier that was chosen is another than the suggested one.
    pub fn differs(&self) -> bool {
        !self.assigned.is_empty() && self.assigned != self.suggested.key
    }
}

/// Everything that a view of one student is made from.
pub struct Sources<'a> {
    /// The class review.
    pub review: &'a ClassReview,
    /// The code list.
    pub codes: &'a CodeList,
    /// Who looks.
    pub caller: &'a Caller,
    /// Restricted entries that are open on this screen.
    pub shown: &'a HashSet<String>,
}

impl Sources<'_> {
    /// Whether an entry stays closed, because others may look at the same screen.
    pub(super) fn shuts(&self, entry: &Entry) -> bool {
        is_restricted(entry.sensitivity()) && !self.shown.contains(&entry.entry_id)
    }
}

/// One student in work.
pub fn student(sources: &Sources<'_>, review: &StudentReview, name: String) -> StudentView {
    let path = format!("/reviews/{}/students/{}", review.class_review_id, review.student_id);
    let class_open = matches!(sources.review.state(), ClassReviewState::InProgress | ClassReviewState::Paused);
    let open = class_open && !is_finished(review);
    let tier = words::tier(review.assigned_tier());
    let domains = DOMAINS.into_iter().map(|domain| domain_view(sources, review, domain)).collect();
    StudentView {
        student_id: review.student_id.clone(),
        initials: words::initials(&name),
        name,
        position: String::new(),
        grade: words::grade(&review.grade),
        open,
        finished: (!open).then(|| finished_words(review, class_open)),
        may_reopen: class_open && matches!(review.state(), StudentReviewState::Reviewed | StudentReviewState::NotReviewed | StudentReviewState::Amended),
        conflict: None,
        closed: review.closed_entry_count,
        shut: review.entries.iter().filter(|entry| stands(entry) && sources.shuts(entry)).count(),
        priors: Vec::new(),
        answered: Vec::new(),
        focus: String::new(),
        domains,
        interests: entries(sources, review, Polarity::Interest, None).map(|entry| chip(sources.codes, entry)).collect(),
        add_interest: adder("interest", "int", "an interest".to_owned()),
        suggested: suggested(review),
        because: because(sources, review),
        assigned: tier.map_or("", |tier| tier.key),
        assigned_words: tier,
        reason: review.tier_reason.clone(),
        reason_words: words::label(words::TIER_REASONS, &review.tier_reason),
        reason_text: review.tier_reason_text.clone(),
        no_strength_reason: review.no_strength_reason.clone(),
        has_strength: review.entries.iter().any(|entry| stands(entry) && entry.polarity() == Polarity::Strength),
        gaps: Vec::new(),
        version: review.version,
        request_id: fresh_id(),
        skip_id: fresh_id(),
        previous: None,
        next: None,
        path,
    }
}

/// Places a student between its neighbours.
pub fn placed(mut view: StudentView, students: &[StudentReview]) -> StudentView {
    let Some(at) = students.iter().position(|student| student.student_id == view.student_id) else { return view };
    let path = |at: usize| students.get(at).map(|student| format!("/reviews/{}/students/{}", student.class_review_id, student.student_id));
    view.position = format!("{} of {}", at + 1, students.len());
    view.previous = at.checked_sub(1).and_then(path);
    view.next = path(at + 1);
    view
}

fn finished_words(review: &StudentReview, class_open: bool) -> String {
    match review.state() {
        StudentReviewState::Amended if class_open => "Reviewed, and amended since. Open it again to change something.".to_owned(),
        StudentReviewState::Reviewed if class_open => "Reviewed. Open it again to change something.".to_owned(),
        StudentReviewState::NotReviewed => format!("Not reviewed: {}.", words::label(words::NOT_REVIEWED_REASONS, &review.not_reviewed_reason).to_lowercase()),
        StudentReviewState::Left => "Left the class. What was written stays.".to_owned(),
        _ => "This review was handed in; it can only be read.".to_owned(),
    }
}

fn stands(entry: &Entry) -> bool {
    entry.superseded_by.is_empty()
}

fn entries<'r>(sources: &'r Sources<'_>, review: &'r StudentReview, polarity: Polarity, domain: Option<Domain>) -> impl Iterator<Item = &'r Entry> {
    let here = move |entry: &&Entry| entry.polarity() == polarity && domain.is_none_or(|domain| entry.domain() == domain);
    review.entries.iter().filter(here).filter(|entry| stands(entry) && !sources.shuts(entry))
}

fn domain_view(sources: &Sources<'_>, review: &StudentReview, domain: DomainWords) -> DomainView {
    let observations = entries(sources, review, Polarity::Observation, Some(domain.domain));
    DomainView {
        words: domain,
        strengths: entries(sources, review, Polarity::Strength, Some(domain.domain)).map(|entry| chip(sources.codes, entry)).collect(),
        needs: entries(sources, review, Polarity::Need, Some(domain.domain)).chain(observations).map(|entry| need(sources, entry)).collect(),
        former: review
            .entries
            .iter()
            .filter(|entry| !stands(entry) && entry.domain() == domain.domain && !sources.shuts(entry))
            .map(|entry| former(sources, review, entry))
            .collect(),
        no_concern: review.no_concern_domains().any(|marked| marked == domain.domain),
        add_strength: adder("strength", domain.class, format!("a strength, {}", domain.name)),
        add_need: adder("need", domain.class, format!("a need, {}", domain.name)),
        add_observation: adder("observation", domain.class, format!("something seen, {}", domain.name)),
    }
}

fn former(sources: &Sources<'_>, review: &StudentReview, entry: &Entry) -> FormerView {
    let successor = review.entries.iter().find(|other| other.entry_id == entry.superseded_by);
    let words = match successor {
        Some(now) if sources.shuts(now) => "understood differently since".to_owned(),
        Some(now) if now.origin() == EntryOrigin::Promoted => format!("became the need “{}”", sources.codes.label(&now.code)),
        Some(now) if words::source(now.source()).is_empty() => format!("now understood as “{}”", sources.codes.label(&now.code)),
        Some(now) => format!("now understood as “{}”, says: {}", sources.codes.label(&now.code), words::source(now.source())),
        None => "understood differently since".to_owned(),
    };
    FormerView { entry_id: entry.entry_id.clone(), label: sources.codes.label(&entry.code), words }
}

/// Where an entry came from, in a word or two.
fn from(origin: EntryOrigin) -> &'static str {
    match origin {
        EntryOrigin::Carried => "still true",
        EntryOrigin::Reclassified => "understood anew",
        EntryOrigin::Promoted => "was seen before",
        EntryOrigin::Unspecified => "",
    }
}

fn adder(polarity: &'static str, domain: &'static str, what: String) -> Adder {
    let (target, swap) = place_of_new(polarity, domain);
    Adder { polarity, domain, what, target, swap, request_id: fresh_id(), entry_id: fresh_id() }
}

/// Where a new entry goes in the page, and how.
pub fn place_of_new(polarity: &str, domain: &str) -> (String, &'static str) {
    if matches!(polarity, "need" | "observation") { (format!("#needs-{domain}"), "beforeend") } else { (format!("#more-{polarity}-{domain}"), "beforebegin") }
}

/// A strength or interest.
pub fn chip(codes: &CodeList, entry: &Entry) -> ChipView {
    ChipView {
        entry_id: entry.entry_id.clone(),
        kind: if entry.polarity() == Polarity::Interest { "interest" } else { "strength" },
        label: codes.label(&entry.code),
        version: entry.version,
        restricted: is_restricted(entry.sensitivity()),
        from: from(entry.origin()),
        request_id: fresh_id(),
    }
}

/// A need or an observation.
pub fn need(sources: &Sources<'_>, entry: &Entry) -> NeedView {
    let least = sources.codes.get(&entry.code).map_or(Sensitivity::General, |code| code.sensitivity());
    let mut sensitivities = Vec::new();
    if !is_restricted(least) {
        sensitivities.push(("general", "staff who work with the student"));
    }
    if least != Sensitivity::Protected {
        sensitivities.push(("restricted", "coordinator, support team, writer"));
    }
    if least == Sensitivity::Protected || entry.sensitivity() == Sensitivity::Protected {
        sensitivities.push(("protected", "only those on the case"));
    }
    let teacher_only = sources.caller.has_any(&["teacher"]) && !sources.caller.works_by_school();
    NeedView {
        entry_id: entry.entry_id.clone(),
        code: entry.code.clone(),
        label: sources.codes.label(&entry.code),
        severity: entry.severity,
        certainty: words::certainty(entry.certainty()),
        confirmed_by: words::source_key(entry.confirmed_by()),
        source: words::source(entry.source()),
        seen: entry.polarity() == Polarity::Observation,
        from: from(entry.origin()),
        note: entry.note.clone(),
        sensitivity: sensitivity(entry.sensitivity()),
        sensitivities,
        version: entry.version,
        restricted: is_restricted(entry.sensitivity()),
        // A teacher changes what teachers wrote; the service decides, this only leaves out buttons that it would refuse.
        mine: !teacher_only || matches!(words::source(entry.source()), "" | "teacher"),
        request_id: fresh_id(),
        remove_id: fresh_id(),
        promote_id: fresh_id(),
        new_entry_id: fresh_id(),
        readers_id: fresh_id(),
        conflict: None,
        oob: false,
    }
}

/// Who may see an entry, in forms.
pub fn sensitivity(sensitivity: Sensitivity) -> &'static str {
    match sensitivity {
        Sensitivity::Restricted => "restricted",
        Sensitivity::Protected => "protected",
        Sensitivity::General | Sensitivity::Unspecified => "general",
    }
}

fn suggested(review: &StudentReview) -> Suggested {
    let tier = words::tier(review.suggested_tier());
    Suggested { key: tier.map_or("", |tier| tier.key), words: tier.map_or("", |tier| tier.words) }
}

fn because(sources: &Sources<'_>, review: &StudentReview) -> String {
    let mut parts: Vec<String> = Vec::new();
    let mut shut = 0;
    for entry in review.suggested_because.iter().filter_map(|id| review.entries.iter().find(|entry| entry.entry_id == *id)) {
        if sources.shuts(entry) {
            shut += 1;
        } else {
            parts.push(format!("{} {} ({})", sources.codes.label(&entry.code), entry.severity, words::certainty(entry.certainty())));
        }
    }
    match shut {
        0 => {}
        1 => parts.push("a restricted entry".to_owned()),
        several => parts.push(format!("{several} restricted entries")),
    }
    match parts.as_slice() {
        [] => "No need is noted.".to_owned(),
        [one] => format!("Because: {one}."),
        [most @ .., last] => format!("Because: {} and {last}.", most.join(", ")),
    }
}
