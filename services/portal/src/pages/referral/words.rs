//! The words for referrals.

use proto::partners::v1::ReferralState;

/// State in words.
pub fn referral_state(state: ReferralState) -> &'static str {
    use ReferralState as S;
    match state {
        S::Unspecified => "",
        S::Draft => "draft",
        S::Sent => "sent",
        S::Received => "received",
        S::NeedsFamilyAction => "needs something from the family",
        S::Waitlisted => "waiting for a place",
        S::Accepted => "accepted",
        S::Declined => "declined",
        S::UnableToContact => "family not reached",
        S::Started => "started",
        S::Attending => "attending",
        S::Paused => "paused",
        S::Completed => "completed",
        S::StoppedEarly => "stopped early",
        S::Withdrawn => "withdrawn",
        S::Closed => "closed",
        S::Void => "entered in error",
    }
}

/// Style of a state.
pub fn referral_tag(state: ReferralState) -> &'static str {
    use ReferralState as S;
    match state {
        S::Sent | S::Received | S::Accepted => "info",
        S::NeedsFamilyAction | S::Waitlisted | S::Paused => "warn",
        S::Started | S::Attending | S::Completed => "ok",
        _ => "",
    }
}

/// Whose move it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lane {
    /// The partner's.
    Partner,
    /// The family's, or a place is waited for.
    Waiting,
    /// Nobody's: it runs.
    Running,
    /// The requester's.
    Requester,
    /// Nobody's any more.
    Over,
}

/// Whose move a state waits for.
pub fn lane(state: ReferralState) -> Lane {
    use ReferralState as S;
    match state {
        S::Sent | S::Received => Lane::Partner,
        S::NeedsFamilyAction | S::Waitlisted => Lane::Waiting,
        S::Accepted | S::Started | S::Attending | S::Paused => Lane::Running,
        S::Draft | S::Declined | S::UnableToContact | S::Completed | S::StoppedEarly | S::Withdrawn => Lane::Requester,
        S::Closed | S::Void | S::Unspecified => Lane::Over,
    }
}

/// Steps of the main line, for the track: words and how far each state is.
pub const TRACK: [&str; 5] = ["Sent", "Received", "Accepted", "Started", "Outcome"];

/// How far a state is on the track; the step that is current.
pub fn step_of(state: ReferralState) -> usize {
    use ReferralState as S;
    match state {
        S::Draft | S::Unspecified | S::Void => 0,
        S::Sent => 1,
        S::Received | S::NeedsFamilyAction | S::Waitlisted => 2,
        S::Accepted => 3,
        S::Started | S::Attending | S::Paused => 4,
        _ => 5,
    }
}

/// What the button of a transition says; none for one that we do not know.
pub fn transition(name: &str) -> Option<&'static str> {
    Some(match name {
        "open" => "Open it",
        "need_info" => "Ask for something",
        "waitlist" => "Waiting list",
        "seat" => "Give the place",
        "accept" => "Accept",
        "decline" => "Cannot take…",
        "unable" => "Family not reached",
        "start" => "Started",
        "attend" => "The student attends",
        "pause" => "Pause…",
        "resume" => "Resume",
        "complete" => "Complete",
        "withdraw" => "Withdraw…",
        "info_given" => "Information given",
        "void" => "Entered in error",
        "stop" => "Stop early…",
        _ => return None,
    })
}

/// What was done, in the history.
pub fn step(name: &str) -> String {
    match name {
        "create" => "Written".to_owned(),
        "send" => "Sent".to_owned(),
        "open" => "Opened".to_owned(),
        "need_info" => "Asked for something".to_owned(),
        "info_given" => "Information given".to_owned(),
        "waitlist" => "Put on the waiting list".to_owned(),
        "seat" | "accept" => "Accepted".to_owned(),
        "decline" => "Declined".to_owned(),
        "unable" => "Family not reached".to_owned(),
        "start" => "Started".to_owned(),
        "attend" => "Attends".to_owned(),
        "pause" => "Paused".to_owned(),
        "resume" => "Resumed".to_owned(),
        "complete" => "Completed".to_owned(),
        "stop" => "Stopped early".to_owned(),
        "withdraw" => "Withdrawn".to_owned(),
        "judge" | "close" => "Judged and closed".to_owned(),
        "void" => "Marked as entered in error".to_owned(),
        other => crate::words::sentence(&other.replace('_', " ")),
    }
}

/// Who did it, in the history.
pub fn side(side: &str) -> &'static str {
    match side {
        "requester" => "the school",
        "partner" => "the partner",
        "family" => "the family",
        "system" => "by the clock",
        _ => "",
    }
}
