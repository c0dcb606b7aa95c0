//! What is missing before a student's review is done, and where to put it right.

use proto::reviews::v1::{Polarity, StudentReview};

use crate::words::{self, DOMAINS};

/// Something that is missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    /// Id of the control that mends it; empty where there is none.
    pub focus: String,
    /// In words.
    pub words: String,
}

/// Everything that is missing, in the order of the page. The service decides in the end; this is the same rule, so
/// that the focus can go to the first gap.
pub fn gaps(review: &StudentReview) -> Vec<Gap> {
    let mut found = Vec::new();
    let mut add = |focus: String, words: String| found.push(Gap { focus, words });
    for domain in DOMAINS {
        let answered = review.no_concern_domains().any(|marked| marked == domain.domain)
            || review.entries.iter().any(|entry| entry.superseded_by.is_empty() && entry.domain() == domain.domain && entry.polarity() != Polarity::Interest);
        if !answered {
            add(format!("nc-{}", domain.class), format!("{}: add a strength or a need, or tick “no concern noted”.", domain.name));
        }
    }
    let assigned = words::tier(review.assigned_tier());
    match assigned {
        None => add("tier".to_owned(), "Choose a tier.".to_owned()),
        Some(tier) if tier.tier != review.suggested_tier() && review.tier_reason.is_empty() => {
            add("why".to_owned(), "The tier differs from the suggested one: say why.".to_owned());
        }
        Some(_) if review.tier_reason == "other" && review.tier_reason_text.trim().is_empty() => {
            add("why-text".to_owned(), "Write the other reason in words.".to_owned());
        }
        Some(_) => {}
    }
    if !review.entries.iter().any(|entry| entry.superseded_by.is_empty() && entry.polarity() == Polarity::Strength)
        && review.no_strength_reason.trim().is_empty()
    {
        add("no-strength".to_owned(), "Add a strength, or say why none is noted.".to_owned());
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use proto::reviews::v1::Entry;
    use proto::r#type::v1::{Domain, Tier};

    fn entry(domain: Domain, polarity: Polarity) -> Entry {
        Entry { domain: domain.into(), polarity: polarity.into(), ..Default::default() }
    }

    #[test]
    fn an_empty_review_names_every_gap_and_the_first_place_to_go() {
        let found = gaps(&StudentReview { suggested_tier: Tier::Tier1.into(), ..Default::default() });
        let focus: Vec<&str> = found.iter().map(|gap| gap.focus.as_str()).collect();
        assert_eq!(focus, ["nc-aca", "nc-seb", "nc-hlt", "nc-fam", "tier", "no-strength"]);
    }

    #[test]
    fn a_student_without_concerns_has_no_gap() {
        let review = StudentReview {
            entries: vec![entry(Domain::Academics, Polarity::Strength)],
            no_concern_domains: vec![Domain::SocialEmotional.into(), Domain::Health.into(), Domain::Family.into()],
            suggested_tier: Tier::Tier1.into(),
            assigned_tier: Tier::Tier1.into(),
            ..Default::default()
        };
        assert!(gaps(&review).is_empty());
    }

    #[test]
    fn another_tier_wants_its_reason_and_an_interest_answers_no_domain() {
        let mut review = StudentReview {
            entries: vec![entry(Domain::Academics, Polarity::Strength), entry(Domain::Unspecified, Polarity::Interest)],
            no_concern_domains: vec![Domain::SocialEmotional.into(), Domain::Health.into()],
            suggested_tier: Tier::Tier1.into(),
            assigned_tier: Tier::Tier2a.into(),
            ..Default::default()
        };
        let focus = |review: &StudentReview| gaps(review).into_iter().map(|gap| gap.focus).collect::<Vec<_>>();
        assert_eq!(focus(&review), ["nc-fam", "why"]);
        review.tier_reason = "other".into();
        assert_eq!(focus(&review), ["nc-fam", "why-text"]);
    }
}
