//! Short lists: as the contract names them, as tables write them, and as the rules match on them.

use proto::{plans::v1 as plans, r#type::v1 as types};

/// An enum whose values have a code in tables, read straight from a text column.
macro_rules! coded {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $code:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$variant_doc])* #[doc = concat!("`", $code, "`.")] $variant),+ }

        impl $name {
            /// Every value.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];
            /// Every code, for error messages.
            pub const CODES: &'static [&'static str] = &[$($code),+];
            /// As tables write it.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $code),+ }
            }
            /// From its code.
            pub fn from_code(code: &str) -> Option<Self> {
                match code { $($code => Some(Self::$variant),)+ _ => None }
            }
        }

        impl sqlx::Type<sqlx::Postgres> for $name {
            fn type_info() -> sqlx::postgres::PgTypeInfo {
                <str as sqlx::Type<sqlx::Postgres>>::type_info()
            }
            fn compatible(known: &sqlx::postgres::PgTypeInfo) -> bool {
                <str as sqlx::Type<sqlx::Postgres>>::compatible(known)
            }
        }

        impl<'r> sqlx::Decode<'r, sqlx::Postgres> for $name {
            fn decode(value: sqlx::postgres::PgValueRef<'r>) -> Result<Self, sqlx::error::BoxDynError> {
                let code = <&str as sqlx::Decode<sqlx::Postgres>>::decode(value)?;
                Self::from_code(code).ok_or_else(|| concat!("not a code of ", stringify!($name)).into())
            }
        }
    };
}
pub(crate) use coded;

/// The same, for a list that the contract has too.
macro_rules! contract {
    ($(#[$doc:meta])* $name:ident: $proto:ty { $($variant:ident = $code:literal),+ $(,)? }) => {
        coded! { $(#[$doc])* $name { $($variant = $code),+ } }

        impl $name {
            /// From the contract; none where it is not given.
            pub fn from_proto(value: $proto) -> Option<Self> {
                $(if value == <$proto>::$variant { return Some(Self::$variant); })+
                None
            }
        }

        impl From<$name> for $proto {
            fn from(value: $name) -> Self {
                match value { $($name::$variant => Self::$variant),+ }
            }
        }

        impl From<$name> for i32 {
            fn from(value: $name) -> Self {
                <$proto>::from(value) as Self
            }
        }
    };
}

contract! { /// State of a plan.
PlanState: plans::PlanState { Draft = "draft", Proposed = "proposed", Active = "active", UnderRevision = "under_revision", Paused = "paused", Closed = "closed" } }
contract! { /// State of a need.
NeedState: plans::NeedState { Open = "open", BeingAddressed = "being_addressed", Met = "met", PartlyMet = "partly_met", NotMet = "not_met", NoLonger = "no_longer" } }
contract! { /// Why a need is unmet, or an item ended without happening.
UnmetReason: plans::UnmetReason {
    NotYetArranged = "not_yet_arranged", NoService = "no_service", NoCapacity = "no_capacity", NotEligible = "not_eligible", Transport = "transport",
    Cost = "cost", Schedule = "schedule", Language = "language", FamilyDeclined = "family_declined", Other = "other"
} }
contract! { /// What kind of help an item is.
ItemKind: plans::PlanItemKind {
    Service = "service", Referral = "referral", SchoolSupport = "school_support", HomeStrategy = "home_strategy", FamilyAction = "family_action",
    Accommodation = "accommodation", InformationOnly = "information_only"
} }
contract! { /// State of an item.
ItemState: plans::PlanItemState {
    Planned = "planned", Arranging = "arranging", InPlace = "in_place", Done = "done", DeclinedByFamily = "declined_by_family",
    NotAvailable = "not_available", Withdrawn = "withdrawn", Replaced = "replaced"
} }
contract! { /// What the family answered to the plan.
FamilyResponse: plans::FamilyResponse {
    Shared = "shared", Agreed = "agreed", AgreedInPart = "agreed_in_part", AskedChanges = "asked_changes", Declined = "declined", NoReply = "no_reply"
} }
contract! { /// What a goal is measured by.
GoalMeasure: plans::GoalMeasure {
    Attendance = "attendance", Behaviour = "behaviour", Coursework = "coursework", SocialEmotional = "social_emotional", Health = "health",
    Family = "family", Other = "other"
} }
contract! { /// State of a goal.
GoalState: plans::GoalState { Open = "open", Met = "met", PartlyMet = "partly_met", NotMet = "not_met", Dropped = "dropped" } }
contract! { /// Where an item happens.
Setting: plans::Setting { School = "school", Home = "home", Community = "community" } }
contract! { /// How much help an item is.
Band: plans::IntensityBand {
    PreventionEnrichment = "prevention_enrichment", EarlyIntervention = "early_intervention", Intensive = "intensive", Crisis = "crisis"
} }
contract! { /// How the first step is made easy.
WarmHandoff: plans::WarmHandoff {
    CallTogether = "call_together", Escorted = "escorted", AppointmentMade = "appointment_made", TransportArranged = "transport_arranged"
} }
contract! { /// Who owns an item or takes its first step.
OwnerKind: plans::OwnerKind { Staff = "staff", Partner = "partner", Family = "family", Student = "student" } }
contract! { /// State of a service enrolment.
EnrolmentState: plans::EnrolmentState {
    Offered = "offered", Accepted = "accepted", Declined = "declined", Waitlisted = "waitlisted", Active = "active", Paused = "paused",
    Completed = "completed", Stopped = "stopped", Void = "void"
} }
contract! { /// Whether the student was there.
Attendance: plans::Attendance {
    Present = "present", Partial = "partial", AbsentExcused = "absent_excused", AbsentUnexcused = "absent_unexcused",
    CancelledByProvider = "cancelled_by_provider", SchoolClosed = "school_closed"
} }
contract! { /// How a session was done.
DeliveryMode: plans::DeliveryMode { Individual = "individual", SmallGroup = "small_group", WholeClass = "whole_class", Family = "family", Online = "online" } }
contract! { /// Part of a child's life.
Domain: types::Domain { Academics = "academics", SocialEmotional = "social_emotional", Health = "health", Family = "family" } }
contract! { /// Who may see a record.
Sensitivity: types::Sensitivity { General = "general", Restricted = "restricted", Protected = "protected" } }
contract! { /// How much support a student gets.
Tier: types::Tier { Tier1 = "1", Tier2a = "2a", Tier2b = "2b", Tier3 = "3" } }
contract! { /// How sure we are of a need.
Certainty: types::Certainty { Observed = "observed", Suspected = "suspected", Confirmed = "confirmed" } }
contract! { /// What a follow-up is to do.
FollowUpKind: plans::FollowUpKind {
    ContactFamily = "contact_family", ContactPartner = "contact_partner", CheckAttendance = "check_attendance", CheckGoal = "check_goal",
    ReOffer = "re_offer", NextYearStart = "next_year_start", IndividualReview = "individual_review"
} }
contract! { /// State of a follow-up.
FollowUpState: plans::FollowUpState { Open = "open", Done = "done", Snoozed = "snoozed", Cancelled = "cancelled" } }
contract! { /// What a follow-up is about.
SubjectKind: plans::SubjectKind {
    PlanItem = "plan_item", Referral = "referral", Enrolment = "enrolment", Need = "need", Family = "family", Goal = "goal",
    IndividualReview = "individual_review", Transition = "transition"
} }
contract! { /// Who says how much something helped.
Rater: plans::Rater { Coordinator = "coordinator", Teacher = "teacher", Family = "family", Student = "student", Partner = "partner" } }
contract! { /// State of a transition between schools.
TransitionState: plans::TransitionState { Offered = "offered", Accepted = "accepted", Returned = "returned", Withdrawn = "withdrawn" } }

impl From<Sensitivity> for chassis_access::Sensitivity {
    fn from(value: Sensitivity) -> Self {
        match value {
            Sensitivity::General => Self::General,
            Sensitivity::Restricted => Self::Restricted,
            Sensitivity::Protected => Self::Protected,
        }
    }
}
