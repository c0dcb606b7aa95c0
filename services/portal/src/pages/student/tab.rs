//! The tabs of a student's page.

/// A tab of the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tab {
    /// Chain and timeline.
    Overview,
    /// Class reviews, concerns and individual reviews.
    Reviews,
    /// The plan.
    Plan,
    /// Services, aid, ratings.
    Services,
    /// What the family said and lets us share.
    Family,
    /// Who is on the case.
    Access,
}

impl Tab {
    /// Part of the path; empty for the overview.
    pub fn path(self) -> &'static str {
        match self {
            Self::Overview => "",
            Self::Reviews => "/reviews",
            Self::Plan => "/plan",
            Self::Services => "/services",
            Self::Family => "/family",
            Self::Access => "/access",
        }
    }
}

/// The tabs in their order.
pub const TABS: [(Tab, &str); 6] = [
    (Tab::Overview, "Overview"),
    (Tab::Reviews, "Reviews"),
    (Tab::Plan, "Plan"),
    (Tab::Services, "Services"),
    (Tab::Family, "Family"),
    (Tab::Access, "Who sees what"),
];
