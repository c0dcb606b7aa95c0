//! What a student's page shows: pure functions from the services' answers.

use std::collections::HashMap;
use std::sync::Arc;

use askama::Template;
use proto::partners::v1::{Consent, Partner, Referral, Service};
use proto::plans::v1::{GetPlanResponse, Need, NeedState, PlanState};
use proto::reviews::v1::TierAssignment;
use proto::rosters::v1::Student;

use crate::form::fresh_id;
use crate::frame::Shell;
use crate::lookup::{CodeList, ServiceCategory, is_restricted, service_categories};
use crate::words::{self, DomainWords, TierWords};

use super::items::{ItemView, Move, item, moves};

/// What the page is made from.
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
    /// Today, ISO.
    pub today: String,
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

/// A tier that was decided.
pub struct TierLine {
    /// Day.
    pub day: String,
    /// Tier.
    pub tier: Option<TierWords>,
    /// Where from, what was suggested and why it differs.
    pub words: String,
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
    /// Tiers.
    pub tiers: Vec<TierLine>,
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
}

/// Puts the answers together.
pub fn page(shell: Shell, student: &Student, sources: &Sources) -> StudentPage {
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
        school_year: if plan.school_year > 0 { format!("{}–{}", plan.school_year - 1, plan.school_year % 100) } else { String::new() },
        summary: summary(&sources.plan.needs),
        rows,
        other_items,
        labels: labels(sources, &plan),
        closed: sources.plan.closed_need_count,
        tiers: sources.assignments.iter().map(|assignment| tier_line(sources, assignment)).collect(),
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
        year_end: year_end(&sources.today),
        today: sources.today.clone(),
        request_id: fresh_id(),
        item_id: fresh_id(),
        consent_id: fresh_id(),
        plan_id: plan.plan_id,
        shell,
    }
}

/// The end of the school year that a day lies in: consents end there unless the family says otherwise.
fn year_end(today: &str) -> String {
    let year: i32 = today.get(..4).and_then(|year| year.parse().ok()).unwrap_or(2027);
    let month: u32 = today.get(5..7).and_then(|month| month.parse().ok()).unwrap_or(1);
    format!("{}-06-30", if month >= 7 { year + 1 } else { year })
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

fn tier_line(sources: &Sources, assignment: &TierAssignment) -> TierLine {
    let source = match assignment.source.as_str() {
        "fall_wcr" => "Fall review",
        "spring_wcr" => "Spring review",
        "custom_wcr" => "Class review",
        "isr" => "Individual student review",
        "concern" => "Concern",
        "transfer_in" => "Came from another school",
        other => other,
    };
    let mut text = source.to_owned();
    if let Some(name) = sources.staff.get(&assignment.decided_by) {
        text.push_str(&format!(" with {name}"));
    }
    if assignment.tier != assignment.suggested_tier
        && let Some(suggested) = words::tier(assignment.suggested_tier())
    {
        text.push_str(&format!("; the rule suggested {}. Reason: {}", suggested.key, words::label(words::TIER_REASONS, &assignment.reason).to_lowercase()));
    }
    TierLine { day: words::day_of(assignment.effective_time.as_ref()), tier: words::tier(assignment.tier()), words: text }
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
        PlanState::Draft => &[("propose", "Show to the family"), ("activate", "Put in force")],
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
            assignments: vec![],
            referrals: vec![],
            consents: vec![],
            partners: vec![],
            services: vec![],
            codes: Arc::default(),
            staff: HashMap::new(),
            writes: true,
            manages: true,
            refers: true,
            today: "2026-10-22".into(),
        }
    }

    #[test]
    fn the_chain_shows_the_need_its_item_and_why_it_is_unmet() {
        let student = Student { student_id: "s1".into(), display_name: "Fictional Student".into(), ..Default::default() };
        let page = page(Shell::bare(None, "t"), &student, &sources());
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
        let page = page(Shell::bare(None, "t"), &student, &Sources { writes: false, manages: false, refers: false, ..sources() });
        assert!(!page.render().unwrap().contains("<form"));
    }

    #[test]
    fn consents_end_with_the_school_year() {
        assert_eq!(year_end("2026-10-22"), "2027-06-30");
        assert_eq!(year_end("2027-03-01"), "2027-06-30");
    }
}
