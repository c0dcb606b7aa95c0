//! What could be added to a plan, and why (handbook 5.5): the services that the code list names for a need or an interest, and
//! what helped last year. The input can hold nothing else: no demographics, no marks, no tier.

use std::collections::BTreeSet;

use uuid::Uuid;

use crate::codes::{ItemKind, NeedState};

/// A need that nothing is done about yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenNeed {
    /// Its id.
    pub need_id: Uuid,
    /// Code.
    pub code: String,
}

/// An item of last year, by the code of the need that it answered, and how it went.
#[derive(Clone, Debug, PartialEq)]
pub struct Tried {
    /// Its id.
    pub plan_item_id: Uuid,
    /// Code of the need.
    pub code: String,
    /// Category of service.
    pub service_category: String,
    /// What became of the need.
    pub need_state: NeedState,
    /// Mean of the ratings 1 to 5, where somebody rated.
    pub points: Option<f64>,
}

/// All that is looked at.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Known {
    /// Needs.
    pub needs: Vec<OpenNeed>,
    /// Codes of strengths.
    pub strengths: Vec<String>,
    /// Codes of interests.
    pub interests: Vec<String>,
    /// What was tried last year.
    pub tried: Vec<Tried>,
    /// Categories that the plan has already.
    pub have: BTreeSet<String>,
}

/// Why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// Rated 4 or 5 last year, or its need was met.
    HelpedLastYear,
    /// The code list names it for the need.
    UsualForCode,
    /// The code list names it for the interest.
    BuildsOnInterest,
    /// Rated 1 or 2 last year, or its need was not met: not to be tried blindly again.
    DidNotHelpLastYear,
}

impl Reason {
    /// As the contract says it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::HelpedLastYear => "helped_last_year",
            Self::UsualForCode => "usual_for_code",
            Self::BuildsOnInterest => "builds_on_interest",
            Self::DidNotHelpLastYear => "did_not_help_last_year",
        }
    }
}

/// Something that could be added.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suggestion {
    /// The need it answers; none for what builds on an interest.
    pub need_id: Option<Uuid>,
    /// Codes it builds on.
    pub builds_on: Vec<String>,
    /// Category of service.
    pub service_category: String,
    /// Kind.
    pub kind: ItemKind,
    /// Why.
    pub reason: Reason,
    /// What the reason rests on.
    pub because: String,
}

fn verdict(tried: &Tried) -> Option<Reason> {
    match (tried.points, tried.need_state) {
        (Some(points), _) if points >= 4.0 => Some(Reason::HelpedLastYear),
        (Some(points), _) if points <= 2.0 => Some(Reason::DidNotHelpLastYear),
        (None, NeedState::Met | NeedState::PartlyMet) => Some(Reason::HelpedLastYear),
        (None, NeedState::NotMet) => Some(Reason::DidNotHelpLastYear),
        _ => None,
    }
}

/// Best first. `categories` answers the service categories that the code list names for a code.
pub fn suggest(known: &Known, categories: impl Fn(&str) -> Vec<String>) -> Vec<Suggestion> {
    let interests: Vec<String> = known.interests.iter().take(3).cloned().collect();
    let of = |need_id, service_category: &str, reason, because: &str| Suggestion {
        need_id,
        builds_on: if need_id.is_none() { vec![because.to_owned()] } else { interests.clone() },
        service_category: service_category.to_owned(),
        kind: ItemKind::Service,
        reason,
        because: because.to_owned(),
    };
    let mut found: Vec<Suggestion> = Vec::new();
    for need in &known.needs {
        for tried in known.tried.iter().filter(|t| t.code == need.code) {
            if let Some(reason) = verdict(tried) {
                found.push(of(Some(need.need_id), &tried.service_category, reason, &tried.plan_item_id.to_string()));
            }
        }
        for category in categories(&need.code) {
            found.push(of(Some(need.need_id), &category, Reason::UsualForCode, &need.code));
        }
    }
    for interest in &known.interests {
        for category in categories(interest) {
            found.push(of(None, &category, Reason::BuildsOnInterest, interest));
        }
    }
    // A category once for each need: what last year says of it comes before what the list says.
    let mut seen = BTreeSet::new();
    found.sort_by_key(|s| (s.need_id.is_none(), s.reason == Reason::DidNotHelpLastYear, s.reason));
    let mut told: Vec<Suggestion> = Vec::new();
    for suggestion in &found {
        let warned = found
            .iter()
            .any(|s| s.reason == Reason::DidNotHelpLastYear && (s.need_id, &s.service_category) == (suggestion.need_id, &suggestion.service_category));
        let is_warning = suggestion.reason == Reason::DidNotHelpLastYear;
        let category = &suggestion.service_category;
        if category.is_empty() || category.contains('*') || known.have.contains(category) || (warned && !is_warning) {
            continue;
        }
        if seen.insert((suggestion.need_id, category.clone())) {
            told.push(suggestion.clone());
        }
    }
    told
}

#[cfg(test)]
mod tests {
    use super::*;

    fn need(n: u128, code: &str) -> OpenNeed {
        OpenNeed { need_id: Uuid::from_u128(n), code: code.to_owned() }
    }

    fn tried(n: u128, category: &str, state: NeedState, points: Option<f64>) -> Tried {
        Tried { plan_item_id: Uuid::from_u128(n), code: "ACA-RDG".to_owned(), service_category: category.to_owned(), need_state: state, points }
    }

    fn list(code: &str) -> Vec<String> {
        match code {
            "ACA-RDG" => vec!["ED-TUT".to_owned(), "ED-RDG".to_owned()],
            "INT-ART" => vec!["ENR-ART".to_owned()],
            _ => vec!["ENR-*".to_owned()],
        }
    }

    fn words(known: &Known) -> Vec<(String, &'static str)> {
        suggest(known, list).into_iter().map(|s| (s.service_category, s.reason.as_str())).collect()
    }

    #[test]
    fn what_helped_comes_first_and_what_did_not_comes_last_with_a_warning() {
        let mut known = Known { needs: vec![need(1, "ACA-RDG")], interests: vec!["INT-ART".to_owned()], ..Known::default() };
        let usual = |category: &str| (category.to_owned(), "usual_for_code");
        let art = ("ENR-ART".to_owned(), "builds_on_interest");
        assert_eq!(words(&known), [usual("ED-TUT"), usual("ED-RDG"), art.clone()]);
        known.tried = vec![tried(7, "ED-RDG", NeedState::Met, None), tried(8, "ED-TUT", NeedState::Open, Some(1.5))];
        assert_eq!(words(&known), [("ED-RDG".to_owned(), "helped_last_year"), ("ED-TUT".to_owned(), "did_not_help_last_year"), art.clone()]);
        known.have.insert("ED-RDG".to_owned());
        assert_eq!(words(&known), [("ED-TUT".to_owned(), "did_not_help_last_year"), art]);
    }

    #[test]
    fn a_rating_outweighs_what_became_of_the_need() {
        for (state, points, wanted) in [
            (NeedState::NotMet, Some(4.5), Some(Reason::HelpedLastYear)),
            (NeedState::Met, Some(2.0), Some(Reason::DidNotHelpLastYear)),
            (NeedState::Met, Some(3.0), None),
            (NeedState::PartlyMet, None, Some(Reason::HelpedLastYear)),
            (NeedState::Open, None, None),
        ] {
            assert_eq!(verdict(&tried(1, "ED-TUT", state, points)), wanted, "{state:?} {points:?}");
        }
    }
}
