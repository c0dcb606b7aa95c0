//! What nearly every page needs to know from other services: the code list, names, schools, the cycle.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use proto::reviews::v1::{Code, ListCodesRequest, ListReviewCyclesRequest, Polarity, ReviewCycle};
use proto::rosters::v1::{BatchGetStaffRequest, BatchGetStudentsRequest, ListClassesRequest, ListSchoolsRequest, ListStaffRequest, School, Student};
use proto::r#type::v1::{Domain, Sensitivity};
use tokio::sync::RwLock;

use crate::app::Portal;
use crate::fault::Fault;
use crate::session::Caller;

/// The code list is asked for again after this long.
const CODES_KEPT: Duration = Duration::from_secs(600);
/// Ids in one batch call.
const BATCH: usize = 200;
/// Lists are followed for at most this many pages.
const MOST_PAGES: usize = 10;

/// The code list, ready for lookups.
#[derive(Debug, Default)]
pub struct CodeList {
    /// E.g. `taxonomy/1`.
    pub version: String,
    /// In the list's order.
    pub codes: Vec<Code>,
    by_code: HashMap<String, usize>,
}

impl CodeList {
    /// From the service's answer.
    pub fn new(version: String, codes: Vec<Code>) -> Self {
        let by_code = codes.iter().enumerate().map(|(at, code)| (code.code.clone(), at)).collect();
        Self { version, codes, by_code }
    }

    /// A code.
    pub fn get(&self, code: &str) -> Option<&Code> {
        self.by_code.get(code).and_then(|at| self.codes.get(*at))
    }

    /// A code's label; the code itself where we do not know it.
    pub fn label(&self, code: &str) -> String {
        self.get(code).map_or_else(|| built_in_label(code), |known| known.label.clone())
    }

    /// Codes that may be recorded so, those that match the words first: code, label, then synonyms.
    pub fn matching(&self, domain: Domain, polarity: Polarity, words: &str) -> Vec<&Code> {
        let words = words.trim().to_lowercase();
        let fits = |code: &&Code| match polarity {
            Polarity::Strength => code.strength && code.domain() == domain,
            Polarity::Need | Polarity::Observation => code.need && code.domain() == domain,
            Polarity::Interest => code.interest,
            Polarity::Unspecified => false,
        };
        let mut found: Vec<(u8, &Code)> = self.codes.iter().filter(fits).filter_map(|code| rank(code, &words).map(|rank| (rank, code))).collect();
        found.sort_by_key(|(rank, _)| *rank);
        found.into_iter().map(|(_, code)| code).collect()
    }
}

fn rank(code: &Code, words: &str) -> Option<u8> {
    let label = code.label.to_lowercase();
    if words.is_empty() || code.code.to_lowercase() == words || label == words {
        Some(0)
    } else if label.starts_with(words) {
        Some(1)
    } else if label.split(|letter: char| !letter.is_alphanumeric()).any(|word| word.starts_with(words)) {
        Some(2)
    } else if code.synonyms.iter().any(|synonym| synonym.to_lowercase().starts_with(words)) {
        Some(3)
    } else if label.contains(words) || code.code.to_lowercase().contains(words) {
        Some(4)
    } else {
        None
    }
}

/// Whether an entry with this sensitivity is closed to most.
pub fn is_restricted(sensitivity: Sensitivity) -> bool {
    matches!(sensitivity, Sensitivity::Restricted | Sensitivity::Protected)
}

/// The code list, kept for a while.
#[derive(Debug, Default)]
pub struct CodeCache {
    held: RwLock<Option<(Instant, Arc<CodeList>)>>,
}

impl Portal {
    /// The code list.
    pub async fn code_list(&self, caller: &Caller) -> Result<Arc<CodeList>, Fault> {
        if let Some((since, list)) = self.codes.held.read().await.as_ref()
            && since.elapsed() < CODES_KEPT
        {
            return Ok(Arc::clone(list));
        }
        let answer = self.clients.reviews(caller).list_codes(ListCodesRequest::default()).await?.into_inner();
        let list = Arc::new(CodeList::new(answer.taxonomy_version, answer.codes));
        *self.codes.held.write().await = Some((Instant::now(), Arc::clone(&list)));
        Ok(list)
    }

    /// The code list where it can be had, else an empty one: codes then stand for themselves.
    pub async fn code_list_or_none(&self, caller: &Caller) -> Arc<CodeList> {
        self.code_list(caller).await.unwrap_or_default()
    }

    /// Students by id. Those that the caller may not see are left out.
    pub async fn students(&self, caller: &Caller, ids: Vec<String>) -> Result<HashMap<String, Student>, Fault> {
        let mut found = HashMap::new();
        for batch in ids.chunks(BATCH) {
            let request = BatchGetStudentsRequest { student_ids: batch.to_vec() };
            let answer = self.clients.rosters(caller).batch_get_students(request).await?.into_inner();
            found.extend(answer.students.into_iter().map(|student| (student.student_id.clone(), student)));
        }
        Ok(found)
    }

    /// Names of staff by id; where they cannot be had the page does without.
    pub async fn staff_names(&self, caller: &Caller, ids: Vec<String>) -> HashMap<String, String> {
        let ids: Vec<String> = ids.into_iter().filter(|id| !id.is_empty()).take(BATCH).collect();
        if ids.is_empty() {
            return HashMap::new();
        }
        match self.clients.rosters(caller).batch_get_staff(BatchGetStaffRequest { staff_ids: ids }).await {
            Ok(answer) => answer.into_inner().staff.into_iter().map(|member| (member.staff_id, member.display_name)).collect(),
            Err(_) => HashMap::new(),
        }
    }

    /// Names of students by id; where they cannot be had the page says "a student you support".
    pub async fn student_names(&self, caller: &Caller, ids: impl IntoIterator<Item = String>) -> HashMap<String, String> {
        let ids: std::collections::BTreeSet<String> = ids.into_iter().filter(|id| !id.is_empty()).collect();
        let found = self.students(caller, ids.into_iter().collect()).await.unwrap_or_default();
        found.into_values().map(|student| (student.student_id, student.display_name)).collect()
    }

    /// Staff of a school to choose from: id and name with what they do there. Empty where they cannot be had.
    pub async fn staff_choices(&self, caller: &Caller, school_id: &str) -> Vec<(String, String)> {
        let mut found = Vec::new();
        let mut page_token = String::new();
        for _ in 0..MOST_PAGES {
            let request = ListStaffRequest { school_id: school_id.to_owned(), role: String::new(), page_size: 500, page_token };
            let Ok(answer) = self.clients.rosters(caller).list_staff(request).await else { break };
            let answer = answer.into_inner();
            found.extend(answer.staff.into_iter().map(|member| {
                let roles = crate::words::within(&crate::words::roles(&member.roles));
                (member.staff_id, if roles.is_empty() { member.display_name } else { format!("{}, {roles}", member.display_name) })
            }));
            page_token = answer.next_page_token;
            if page_token.is_empty() {
                break;
            }
        }
        found
    }

    /// The schools that the caller works with.
    pub async fn schools(&self, caller: &Caller) -> Result<Vec<School>, Fault> {
        self.schools_of(caller, false).await
    }

    /// All schools of the district, for those who hand a student over to one.
    pub async fn all_schools(&self, caller: &Caller) -> Result<Vec<School>, Fault> {
        self.schools_of(caller, true).await
    }

    async fn schools_of(&self, caller: &Caller, everywhere: bool) -> Result<Vec<School>, Fault> {
        let mut all = Vec::new();
        let mut page_token = String::new();
        for _ in 0..MOST_PAGES {
            let request = ListSchoolsRequest { page_size: 500, page_token, all: everywhere };
            let answer = self.clients.rosters(caller).list_schools(request).await?.into_inner();
            all.extend(answer.schools);
            page_token = answer.next_page_token;
            if page_token.is_empty() {
                break;
            }
        }
        Ok(all)
    }

    /// Titles of classes of a school, or of the caller's own, by id; where they cannot be had the page does without.
    pub async fn class_titles(&self, caller: &Caller, school_id: &str) -> HashMap<String, String> {
        let request = ListClassesRequest { school_id: school_id.to_owned(), page_size: 500, ..Default::default() };
        match self.clients.rosters(caller).list_classes(request).await {
            Ok(answer) => answer.into_inner().classes.into_iter().map(|class| (class.class_id, class.title)).collect(),
            Err(_) => HashMap::new(),
        }
    }

    /// The cycle that is open today, else the newest.
    pub async fn cycle(&self, caller: &Caller) -> Result<Option<ReviewCycle>, Fault> {
        let answer = self.clients.reviews(caller).list_review_cycles(ListReviewCyclesRequest::default()).await?.into_inner();
        Ok(current(answer.cycles, &today()))
    }
}

/// A name from a lookup; words that name nobody where it is not there.
pub fn name_in(names: &HashMap<String, String>, id: &str) -> String {
    names.get(id).cloned().unwrap_or_else(|| "A student you support".to_owned())
}

/// So many days from today, ISO.
pub fn days_from_today(days: i64) -> String {
    (chassis_clock::today() + chrono::Duration::days(days)).to_string()
}

/// The year in which the school year of a day ends.
pub fn school_year_of(iso: &str) -> i32 {
    let year: i32 = iso.get(..4).and_then(|year| year.parse().ok()).unwrap_or(2027);
    let month: u32 = iso.get(5..7).and_then(|month| month.parse().ok()).unwrap_or(1);
    if month >= 7 { year + 1 } else { year }
}

/// Today, ISO.
pub fn today() -> String {
    chassis_clock::today().to_string()
}

fn current(cycles: Vec<ReviewCycle>, today: &str) -> Option<ReviewCycle> {
    let open = cycles.iter().position(|cycle| cycle.opens_on.as_str() <= today && today <= cycle.closes_on.as_str());
    cycles.into_iter().nth(open.unwrap_or(0))
}

#[derive(serde::Deserialize)]
struct LabelRow {
    code: String,
    label: String,
}

/// A code's label from the list that comes with the binary: partners read labels, though the code list's service is
/// closed to them.
fn built_in_label(code: &str) -> String {
    static LABELS: OnceLock<HashMap<String, String>> = OnceLock::new();
    let labels = LABELS.get_or_init(|| {
        [include_str!("../../../taxonomy/1/needs.csv"), include_str!("../../../taxonomy/1/interests.csv")]
            .into_iter()
            .flat_map(|list| csv::Reader::from_reader(list.as_bytes()).into_deserialize().filter_map(|row: Result<LabelRow, _>| row.ok()).collect::<Vec<_>>())
            .map(|row| (row.code, row.label))
            .collect()
    });
    labels.get(code).cloned().unwrap_or_else(|| code.to_owned())
}

/// A category of service.
#[derive(Debug, Clone, serde::Deserialize)]
pub struct ServiceCategory {
    /// E.g. `ED-TUT`.
    pub code: String,
    /// What people read.
    pub label: String,
    protected: String,
}

/// The categories of service that any page may name; protected ones are chosen only on the case.
pub fn service_categories() -> &'static [ServiceCategory] {
    static LIST: OnceLock<Vec<ServiceCategory>> = OnceLock::new();
    LIST.get_or_init(|| {
        csv::Reader::from_reader(include_str!("../../../taxonomy/1/service_categories.csv").as_bytes())
            .deserialize()
            .filter_map(|row: Result<ServiceCategory, _>| row.ok())
            .filter(|category| category.protected != "yes")
            .collect()
    })
}

/// The label of a category; the code where we do not know it.
pub fn service_category_label(code: &str) -> String {
    service_categories().iter().find(|known| known.code == code).map_or_else(|| code.to_owned(), |known| known.label.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(code: &str, label: &str, synonyms: &[&str]) -> Code {
        Code {
            code: code.into(),
            domain: Domain::Academics.into(),
            label: label.into(),
            strength: true,
            synonyms: synonyms.iter().map(|word| (*word).to_owned()).collect(),
            ..Default::default()
        }
    }

    #[test]
    fn search_finds_by_label_synonym_and_code_the_nearest_first() {
        let list = CodeList::new(
            "taxonomy/1".into(),
            vec![code("ACA-RDG", "Reading and early literacy", &["books"]), code("ACA-CUR", "Curiosity, creativity", &["inventive"])],
        );
        let find = |words: &str| -> Vec<String> { list.matching(Domain::Academics, Polarity::Strength, words).iter().map(|code| code.code.clone()).collect() };
        assert_eq!(find("cur"), ["ACA-CUR"]);
        assert_eq!(find("book"), ["ACA-RDG"]);
        assert_eq!(find("aca-r"), ["ACA-RDG"]);
        assert_eq!(find("").len(), 2);
        assert!(find("zebra").is_empty());
        assert!(list.matching(Domain::Health, Polarity::Strength, "cur").is_empty());
    }

    #[test]
    fn the_open_cycle_wins_over_the_newest() {
        let cycle = |id: &str, opens: &str, closes: &str| ReviewCycle {
            review_cycle_id: id.into(),
            opens_on: opens.into(),
            closes_on: closes.into(),
            ..Default::default()
        };
        let cycles = vec![cycle("spring", "2027-03-01", "2027-04-30"), cycle("fall", "2026-09-01", "2026-11-30")];
        assert_eq!(current(cycles.clone(), "2026-10-10").unwrap().review_cycle_id, "fall");
        assert_eq!(current(cycles, "2026-12-24").unwrap().review_cycle_id, "spring");
        assert!(current(vec![], "2026-12-24").is_none());
    }

    #[test]
    fn the_list_of_categories_is_read() {
        assert_eq!(CodeList::default().label("ACA-MAT"), "Mathematics");
        assert_eq!(service_category_label("ED-TUT"), "Tutoring");
        assert!(service_categories().len() > 50);
        assert!(service_categories().iter().all(|category| category.code != "CRI-DV"));
    }
}
