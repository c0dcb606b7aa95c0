//! `tier-rules/1`: which tier a student's needs suggest, and because of which of them.
//!
//! ```text
//! risk(d) = max severity of the needs in domain d, 0 if none; a suspected need counts one less, but at least 1
//! n1, n2, n3 = domains with risk of at least 1, 2, 3
//! acute = a need whose code has floor 3 and whose certainty is not "suspected"
//! acute or n3 >= 1 or n2 >= 3  -> 3
//! else n2 >= 1 or n1 = 4       -> 2b
//! else n1 >= 1                 -> 2a
//! else                         -> 1
//! ```
//!
//! The input holds nothing but needs, so nobody is tiered by demographics, marks or attendance. People decide;
//! this only suggests. A changed rule is a new version beside this one, never an edit: assigned tiers name theirs.

use crate::taxonomy;

#[cfg(test)]
mod tests;

/// Name of this rule set, kept with every tier it suggested.
pub const RULES_VERSION: &str = "tier-rules/1";

/// Tiers, from the least risk to the most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tier {
    /// Minimal risk.
    One,
    /// Mild risk.
    TwoA,
    /// Moderate risk.
    TwoB,
    /// Most or severe risk.
    Three,
}

impl Tier {
    /// As stored: `1`, `2a`, `2b` or `3`.
    pub fn as_str(self) -> &'static str {
        match self {
            Tier::One => "1",
            Tier::TwoA => "2a",
            Tier::TwoB => "2b",
            Tier::Three => "3",
        }
    }

    /// Reads what [`Tier::as_str`] writes.
    pub fn parse(text: &str) -> Option<Tier> {
        [Tier::One, Tier::TwoA, Tier::TwoB, Tier::Three].into_iter().find(|tier| tier.as_str() == text)
    }
}

/// How sure whoever recorded the need is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Certainty {
    /// Not seen, but there is reason to think so.
    Suspected,
    /// Seen.
    Observed,
    /// Known from the family, a record or a professional.
    Confirmed,
}

/// What the rule looks at in one entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleEntry<'a> {
    /// From the code list.
    pub code: &'a str,
    /// 1 to 3 for a need. 0 for a strength or an interest, which the rule passes over; above 3 counts as 3.
    pub severity: u8,
    /// How sure.
    pub certainty: Certainty,
}

/// What the rule says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suggestion {
    /// The tier.
    pub tier: Tier,
    /// Positions, ascending, of the entries that set the tier: without them it would be lower. Empty for tier 1.
    pub because: Vec<usize>,
    /// Risk 0 to 3 by domain: academics, social-emotional, health, family.
    pub domain_risk: [u8; 4],
    /// Positions of merely suspected needs whose code has floor 3. They do not set the tier, and because of
    /// that somebody has to look today: each calls for an urgent concern.
    pub urgent: Vec<usize>,
}

/// A need as the rule weighs it.
struct Weighed {
    at: usize,
    domain: usize,
    risk: u8,
    acute: bool,
}

/// Suggests a tier for the open needs of one student.
///
/// Passed over: severity 0, codes that cannot be a need, and codes that are not in the list. Whoever takes entries
/// in has refused those before, with a message.
pub fn suggest(entries: &[RuleEntry<'_>]) -> Suggestion {
    let mut needs = Vec::with_capacity(entries.len());
    let mut urgent = Vec::new();
    for (at, entry) in entries.iter().enumerate() {
        let Some(line) = taxonomy::get(entry.code) else {
            continue;
        };
        let Some(domain) = line.domain else { continue };
        if entry.severity == 0 || !line.allows_need() {
            continue;
        }
        let suspected = entry.certainty == Certainty::Suspected;
        if line.floor == 3 && suspected {
            urgent.push(at);
        }
        let severity = entry.severity.min(3);
        needs.push(Weighed {
            at,
            domain: domain.index(),
            risk: if suspected { (severity - 1).max(1) } else { severity },
            acute: line.floor == 3 && !suspected,
        });
    }

    let mut domain_risk = [0u8; 4];
    for need in &needs {
        domain_risk[need.domain] = domain_risk[need.domain].max(need.risk);
    }
    let domains_at = |least: u8| domain_risk.iter().filter(|&&risk| risk >= least).count();
    let wide_moderate = domains_at(2) >= 3;
    let wide_mild = domains_at(1) == 4;
    let acute = needs.iter().any(|need| need.acute);

    let tier = if acute || domains_at(3) >= 1 || wide_moderate {
        Tier::Three
    } else if domains_at(2) >= 1 || wide_mild {
        Tier::TwoB
    } else if domains_at(1) >= 1 {
        Tier::TwoA
    } else {
        Tier::One
    };
    // An entry is a reason if it takes part in any condition that holds, not only the first: else taking the
    // reasons away could leave another condition standing, and the explanation would be half the truth.
    let sets_it = |need: &Weighed| match tier {
        Tier::Three => need.acute || need.risk == 3 || (wide_moderate && need.risk >= 2),
        Tier::TwoB => need.risk >= 2 || wide_mild,
        Tier::TwoA => true,
        Tier::One => false,
    };
    let because = needs.iter().filter(|need| sets_it(need)).map(|need| need.at).collect();
    Suggestion { tier, because, domain_risk, urgent }
}
