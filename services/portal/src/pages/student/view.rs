//! What a student's page shows: pure functions from the services' answers.

use std::collections::HashMap;
use std::sync::Arc;

use askama::Template;
use proto::partners::v1::{Consent, Partner, Referral, Service};
use proto::plans::v1::{Aid, FollowUp, GetPlanResponse, Group, ItemSuggestion, Need, NeedState, PlanState, Rating, RatingSummary, Transition};
use proto::reviews::v1::{CaseAccess, ClassReview, Concern, IndividualReview, StudentReview, TierAssignment};
use proto::rosters::v1::{School, Student};

use crate::form::fresh_id;
use crate::frame::Shell;
use crate::lookup::{CodeList, ServiceCategory, is_restricted, service_categories};
use crate::words::{self, DomainWords, TierWords};

use super::items::{ItemView, Move, item, moves};
use super::parts::{self, AccessView, RatingView, ReviewView, ServiceView};
use super::plan::{self, PlanView};
use super::tab::Tab;
use super::timeline::{self, Event, last_year_begins};
use super::years;

/// What the page is made from.
#[derive(Default)]
pub struct Sources {
    /// Plan with all that hangs on it; empty where there is none.
    pub plan: GetPlanResponse,
    /// Tiers, newest first.
    pub assignments: Vec<TierAssignment>,
    /// Referrals.
    pub referrals: Vec<Referral>,
    /// Consents.
    pub consents: Vec<Consent>,
    /// Partners.
    pub partners: Vec<Partner>,
    /// Services of partners.
    pub services: Vec<Service>,
    /// Code list.
    pub codes: Arc<CodeList>,
    /// Names of staff.
    pub staff: HashMap<String, String>,
    /// Whether the caller writes items and logs sessions.
    pub writes: bool,
    /// Whether the caller moves plans and enrolments and judges needs.
    pub manages: bool,
    /// Whether the caller makes referrals.
    pub refers: bool,
    /// Whether the caller may open protected records in an emergency.
    pub breaks_glass: bool,
    /// Today, ISO.
    pub today: String,
    /// The student's part in class reviews.
    pub reviews: Vec<(ClassReview, StudentReview)>,
    /// Concerns.
    pub concerns: Vec<Concern>,
    /// Individual reviews.
    pub individual: Vec<IndividualReview>,
    /// Plans of earlier years.
    pub earlier: Vec<GetPlanResponse>,
    /// Filter of the timeline.
    pub filter: String,
    /// Whether all years are shown.
    pub all_years: bool,
    /// Follow-ups.
    pub follow_ups: Vec<FollowUp>,
    /// Ratings.
    pub ratings: Vec<Rating>,
    /// Their means.
    pub rating_summaries: Vec<RatingSummary>,
    /// Aid.
    pub aids: Vec<Aid>,
    /// Hand-overs.
    pub transitions: Vec<Transition>,
    /// Who is on the case; `None` where that is not the caller's to know.
    pub access: Option<Vec<CaseAccess>>,
    /// What could be added.
    pub suggestions: Vec<ItemSuggestion>,
    /// Staff to choose from.
    pub colleagues: Vec<(String, String)>,
    /// Schools to hand over to.
    pub schools: Vec<School>,
    /// Groups of the student's school.
    pub groups: Vec<Group>,
    /// Whether the plan of a certain year was asked for.
    pub plan_year_asked: bool,
}

impl Sources {
    /// Ids of staff whose names the page shows.
    pub fn staff_ids(&self) -> Vec<String> {
        let mut ids: std::collections::BTreeSet<String> = self.assignments.iter().map(|one| one.decided_by.clone()).collect();
        ids.extend(self.concerns.iter().map(|one| one.raised_by.clone()));
        ids.extend(self.follow_ups.iter().map(|one| one.closed_by.clone()));
        ids.extend(self.access.iter().flatten().flat_map(|one| [one.staff_id.clone(), one.granted_by.clone()]));
        for answer in self.earlier.iter().chain([&self.plan]) {
            ids.extend(answer.plan.iter().flat_map(|plan| plan.trusted_adults.iter().map(|adult| adult.staff_id.clone()).chain([plan.lead_id.clone()])));
            ids.extend(answer.family_answers.iter().map(|one| one.recorded_by.clone()));
            ids.extend(answer.check_ins.iter().flat_map(|one| one.notes.iter().map(|note| note.recorded_by.clone()).chain([one.staff_id.clone()])));
            ids.extend(answer.commitments.iter().map(|one| one.staff_id.clone()));
            ids.extend(answer.items.iter().flat_map(|one| [one.owner_id.clone(), one.first_step_owner_id.clone()]));
        }
        ids.into_iter().filter(|id| !id.is_empty()).collect()
    }
}

/// A need and its chain.
pub struct ChainRow {
    /// Need.
    pub need_id: String,
    /// Label.
    pub label: String,
    /// Domain.
    pub domain: Option<DomainWords>,
    /// 1 to 3.
    pub severity: i32,
    /// How sure, since when.
    pub meta: String,
    /// Whether it is closed to most.
    pub restricted: bool,
    /// State in words.
    pub state: String,
    /// Why it is unmet; empty where it is not.
    pub unmet: String,
    /// For the next write.
    pub version: i64,
    /// Items that answer it.
    pub items: Vec<ItemView>,
    /// Whether a judgement can be made.
    pub judges: bool,
    /// Id under which a judgement is sent.
    pub request_id: String,
}

/// Somebody's consent.
pub struct ConsentLine {
    /// Partner.
    pub partner: String,
    /// What may be shared.
    pub scopes: String,
    /// Until when, or why not any more.
    pub until: String,
    /// Whether it holds.
    pub active: bool,
}

/// A strength or interest.
pub struct Label {
    /// Words.
    pub words: String,
    /// Style.
    pub kind: &'static str,
    /// Code.
    pub code: String,
}

/// The page.
#[derive(Template)]
#[template(path = "student/page.html")]
pub struct StudentPage {
    /// Around it.
    pub shell: Shell,
    /// Path of the student.
    pub path: String,
    /// Student.
    pub student_id: String,
    /// Two letters.
    pub initials: String,
    /// Grade in words.
    pub grade: String,
    /// Tier now.
    pub tier: Option<TierWords>,
    /// Since when.
    pub tier_since: String,
    /// Plan; empty where there is none.
    pub plan_id: String,
    /// State of the plan in words.
    pub plan_state: &'static str,
    /// For the next write.
    pub plan_version: i64,
    /// What can happen to the plan.
    pub plan_moves: Vec<Move>,
    /// School year in words.
    pub school_year: String,
    /// The same as a number, for forms.
    pub plan_year: i32,
    /// Plans of other years: link and school year in words.
    pub other_years: Vec<(String, String)>,
    /// The school year into which the plan can be taken now, in words; empty where it is not time.
    pub next_year: String,
    /// Where a tier decided outside a class review comes from: value and words.
    pub tier_sources: Vec<(String, String)>,
    /// Needs in short.
    pub summary: String,
    /// Needs and their chains.
    pub rows: Vec<ChainRow>,
    /// Items that build on strengths and interests alone.
    pub other_items: Vec<ItemView>,
    /// Strengths and interests.
    pub labels: Vec<Label>,
    /// Needs closed to this caller.
    pub closed: i32,
    /// Consents.
    pub consents: Vec<ConsentLine>,
    /// Partners to choose from.
    pub partners: Vec<(String, String)>,
    /// Services to choose from.
    pub services: Vec<(String, String)>,
    /// Categories to choose from.
    pub categories: &'static [ServiceCategory],
    /// Why the caller sees this.
    pub basis: String,
    /// Whether forms are shown.
    pub writes: bool,
    /// Whether consents are recorded here.
    pub refers: bool,
    /// Today, ISO.
    pub today: String,
    /// Last day that a consent may name, ISO.
    pub year_end: String,
    /// Id under which the plan's next command is sent.
    pub request_id: String,
    /// Id of the next item.
    pub item_id: String,
    /// Id of the next consent.
    pub consent_id: String,
    /// The tab that is shown.
    pub tab: Tab,
    /// Its path, for forms to come back to.
    pub here: String,
    /// Events of the timeline, newest first.
    pub events: Vec<Event>,
    /// Filter of the timeline.
    pub filter: String,
    /// Whether all years are shown.
    pub all_years: bool,
    /// The plan's tab.
    pub plan: PlanView,
    /// Class reviews.
    pub reviews: Vec<ReviewView>,
    /// Concerns and individual reviews alone.
    pub meetings: Vec<Event>,
    /// Codes of needs by domain.
    pub code_groups: Vec<crate::pages::concern::view::CodeGroup>,
    /// Enrolments with their sessions.
    pub service_views: Vec<ServiceView>,
    /// Aid, newest first.
    pub aids: Vec<String>,
    /// Ratings by need.
    pub ratings: Vec<RatingView>,
    /// Who is and was on the case.
    pub access: Vec<AccessView>,
    /// Whether that is the caller's to know.
    pub knows_access: bool,
    /// Staff to choose from.
    pub colleagues: Vec<(String, String)>,
    /// Schools to hand over to: id and name.
    pub schools: Vec<(String, String)>,
    /// Items to wait for: id and words.
    pub item_choices: Vec<(String, String)>,
    /// Whether the caller moves plans.
    pub manages: bool,
    /// Whether the caller may open protected records in an emergency.
    pub breaks_glass: bool,
}

/// Puts the answers together.
pub fn page(shell: Shell, student: &Student, tab: Tab, sources: &Sources) -> StudentPage {
    let plan = sources.plan.plan.clone().unwrap_or_default();
    let current = sources.assignments.first();
    let in_force = matches!(plan.state(), PlanState::Draft | PlanState::Proposed | PlanState::Active | PlanState::UnderRevision);
    let writes = sources.writes && in_force && !plan.plan_id.is_empty();
    let rows: Vec<ChainRow> = sources.plan.needs.iter().map(|need| row(sources, need, writes)).collect();
    let other_items = sources.plan.items.iter().filter(|item| item.need_ids.is_empty()).map(|one| item(sources, one, writes)).collect();
    let partner_name = |id: &str| partner_name(sources, id);
    StudentPage {
        path: format!("/students/{}", student.student_id),
        student_id: student.student_id.clone(),
        initials: words::initials(&student.display_name),
        grade: words::grade(&student.grade),
        tier: current.and_then(|assignment| words::tier(assignment.tier())),
        tier_since: current.map(|assignment| words::day_of(assignment.effective_time.as_ref())).unwrap_or_default(),
        plan_state: words::plan_state(plan.state()),
        plan_version: plan.version,
        plan_moves: if sources.manages { plan_moves(plan.state()) } else { Vec::new() },
        school_year: if plan.school_year > 0 { words::school_year(plan.school_year) } else { String::new() },
        plan_year: plan.school_year,
        other_years: if tab == Tab::Plan { years::other_years(sources, &format!("/students/{}/plan", student.student_id)) } else { Vec::new() },
        next_year: if sources.manages { years::next_year(&plan, &sources.today) } else { String::new() },
        tier_sources: if tab == Tab::Reviews && sources.manages { years::tier_sources(sources) } else { Vec::new() },
        summary: summary(&sources.plan.needs),
        rows,
        other_items,
        labels: labels(sources, &plan),
        closed: sources.plan.closed_need_count,
        consents: sources
            .consents
            .iter()
            .map(|consent| ConsentLine {
                partner: partner_name(&consent.partner_id),
                scopes: consent.scopes.iter().map(|scope| words::label(words::SCOPES, scope)).collect::<Vec<_>>().join(", "),
                until: if consent.state == "active" { format!("until {}", words::day(&consent.expires_on)) } else { consent.state.clone() },
                active: consent.state == "active",
            })
            .collect(),
        partners: sources.partners.iter().map(|partner| (partner.partner_id.clone(), partner.name.clone())).collect(),
        services: sources.services.iter().map(|service| (service.service_id.clone(), format!("{}, {}", service.name, service.partner_name))).collect(),
        categories: service_categories(),
        basis: words::basis(&sources.plan.access_basis),
        writes,
        refers: sources.refers,
        year_end: years::year_end(&sources.today),
        today: sources.today.clone(),
        request_id: fresh_id(),
        item_id: fresh_id(),
        consent_id: fresh_id(),
        here: if sources.plan_year_asked {
            format!("/students/{}{}?year={}", student.student_id, tab.path(), plan.school_year)
        } else {
            format!("/students/{}{}", student.student_id, tab.path())
        },
        tab,
        events: if tab == Tab::Overview { events(sources, &sources.filter) } else { Vec::new() },
        filter: if sources.filter.is_empty() { "all".to_owned() } else { sources.filter.clone() },
        all_years: sources.all_years,
        plan: plan::view(&sources.plan, &sources.suggestions, &sources.codes, &sources.staff),
        reviews: parts::reviews(&sources.reviews, &sources.codes),
        meetings: if tab == Tab::Reviews { events(sources, "reviews").into_iter().filter(|event| !event.href.is_empty()).collect() } else { Vec::new() },
        code_groups: if tab == Tab::Reviews { crate::pages::concern::view::code_groups(&sources.codes) } else { Vec::new() },
        service_views: parts::services(&sources.plan),
        aids: sources.aids.iter().map(parts::aid).collect(),
        ratings: parts::ratings(&sources.plan, &sources.ratings, &sources.rating_summaries, &sources.codes),
        access: parts::access(sources.access.as_deref().unwrap_or_default(), &sources.staff),
        knows_access: sources.access.is_some(),
        colleagues: sources.colleagues.clone(),
        schools: sources.schools.iter().map(|school| (school.school_id.clone(), school.name.clone())).collect(),
        item_choices: item_choices(&sources.plan),
        manages: sources.manages,
        breaks_glass: sources.breaks_glass,
        plan_id: plan.plan_id,
        shell,
    }
}

/// The timeline with one filter.
fn events(sources: &Sources, filter: &str) -> Vec<Event> {
    let plans: Vec<GetPlanResponse> = sources.earlier.iter().chain([&sources.plan]).cloned().collect();
    let partners = sources.partners.iter().map(|partner| (partner.partner_id.clone(), partner.name.clone())).collect();
    let since = if sources.all_years || filter != sources.filter { String::new() } else { last_year_begins(&sources.today) };
    let sources = timeline::Sources {
        plans: &plans,
        tiers: &sources.assignments,
        reviews: &sources.reviews,
        concerns: &sources.concerns,
        individual: &sources.individual,
        referrals: &sources.referrals,
        partners: &partners,
        follow_ups: &sources.follow_ups,
        aids: &sources.aids,
        transitions: &sources.transitions,
        staff: &sources.staff,
        codes: &sources.codes,
    };
    timeline::events(&sources, filter, &since)
}

/// Items that another may wait for.
fn item_choices(answer: &GetPlanResponse) -> Vec<(String, String)> {
    let words = |item: &proto::plans::v1::PlanItem| {
        if item.description.is_empty() { crate::lookup::service_category_label(&item.service_category) } else { item.description.clone() }
    };
    answer.items.iter().map(|item| (item.plan_item_id.clone(), words(item))).collect()
}

fn summary(needs: &[Need]) -> String {
    if needs.is_empty() {
        return "No need is noted".to_owned();
    }
    let count = |state: NeedState| needs.iter().filter(|need| need.state() == state).count();
    let unmet = needs.iter().filter(|need| need.unmet).count();
    let in_place = count(NeedState::BeingAddressed);
    let met = count(NeedState::Met);
    let mut parts = Vec::new();
    for (number, words) in [(in_place, "with support in place"), (met, "met"), (unmet, "unmet")] {
        if number > 0 {
            parts.push(format!("{number} {words}"));
        }
    }
    let all = if needs.len() == 1 { "1 need".to_owned() } else { format!("{} needs", needs.len()) };
    if parts.is_empty() { all } else { format!("{all}: {}", parts.join(", ")) }
}

fn labels(sources: &Sources, plan: &proto::plans::v1::Plan) -> Vec<Label> {
    let label = |kind: &'static str| move |code: &String| Label { words: sources.codes.label(code), kind, code: code.clone() };
    plan.strength_codes.iter().map(label("strength")).chain(plan.interest_codes.iter().map(label("interest"))).collect()
}

/// A partner's name; words where the directory does not give one.
pub fn partner_name(sources: &Sources, id: &str) -> String {
    sources.partners.iter().find(|partner| partner.partner_id == id).map_or_else(|| "A partner".to_owned(), |partner| partner.name.clone())
}

fn row(sources: &Sources, need: &Need, writes: bool) -> ChainRow {
    ChainRow {
        need_id: need.need_id.clone(),
        label: sources.codes.label(&need.code),
        domain: words::domain(need.domain()),
        severity: need.severity,
        meta: format!("{}, {}", words::certainty(need.certainty()), words::day_of(need.recorded_time.as_ref())),
        restricted: is_restricted(need.sensitivity()),
        state: words::need_state(need.state()).to_owned(),
        unmet: if need.unmet {
            format!("Unmet for {} school days. Reason: {}", need.age_school_days, words::unmet_reason(need.unmet_reason()).to_lowercase())
        } else {
            String::new()
        },
        version: need.version,
        items: sources.plan.items.iter().filter(|item| item.need_ids.contains(&need.need_id)).map(|one| item(sources, one, writes)).collect(),
        judges: writes && sources.manages,
        request_id: fresh_id(),
    }
}

fn plan_moves(state: PlanState) -> Vec<Move> {
    moves(match state {
        PlanState::Draft => &[("propose", "Show to the family")],
        PlanState::Proposed => &[("activate", "Put in force")],
        PlanState::Active => &[("revise", "Change the plan"), ("pause", "Put aside")],
        PlanState::UnderRevision => &[("activate", "Put in force again")],
        PlanState::Paused => &[("resume", "Take up again")],
        PlanState::Closed | PlanState::Unspecified => &[],
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proto::plans::v1::{Plan, PlanItem, PlanItemKind, PlanItemState, UnmetReason};
    use proto::r#type::v1::Domain;

    fn sources() -> Sources {
        let need = Need {
            need_id: "n1".into(),
            code: "HLT-VIS".into(),
            domain: Domain::Health.into(),
            severity: 1,
            unmet: true,
            unmet_reason: UnmetReason::NotYetArranged.into(),
            age_school_days: 25,
            ..Default::default()
        };
        let item = PlanItem {
            plan_item_id: "i1".into(),
            need_ids: vec!["n1".into()],
            kind: PlanItemKind::Service.into(),
            state: PlanItemState::Planned.into(),
            description: "Glasses".into(),
            ..Default::default()
        };
        Sources {
            plan: GetPlanResponse {
                plan: Some(Plan { plan_id: "p1".into(), state: PlanState::Active.into(), school_year: 2027, ..Default::default() }),
                needs: vec![need],
                items: vec![item],
                ..Default::default()
            },
            writes: true,
            manages: true,
            refers: true,
            today: "2026-10-22".into(),
            ..Sources::default()
        }
    }

    #[test]
    fn the_chain_shows_the_need_its_item_and_why_it_is_unmet() {
        let student = Student { student_id: "s1".into(), display_name: "Fictional Student".into(), ..Default::default() };
        let page = page(Shell::bare(None, "t"), &student, Tab::Overview, &sources());
        assert_eq!(page.summary, "1 need: 1 unmet");
        assert_eq!(page.school_year, "2026–27");
        let html = page.render().unwrap();
        assert!(html.contains("Unmet for 25 school days. Reason: not yet arranged"));
        assert!(html.contains("Glasses"));
        assert!(html.contains("/students/s1/items/i1/enrolments"));
    }

    #[test]
    fn a_reader_gets_no_forms() {
        let student = Student { student_id: "s1".into(), ..Default::default() };
        let page = page(Shell::bare(None, "t"), &student, Tab::Overview, &Sources { writes: false, manages: false, refers: false, ..sources() });
        assert!(!page.render().unwrap().contains("<form"));
    }
}
