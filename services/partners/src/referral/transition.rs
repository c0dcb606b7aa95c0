//! The loop as one pure table: which transition leads where, who may make it, and which reason it needs.

use chassis_rpc::{Fault, InvalidInput, Kind};

use super::state::{Mode, Side, State, Transition};
use crate::taxonomy;

/// A reason, and whose it is: `partner`, `family`, `system` or empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reason {
    /// Code of `taxonomy/1/reasons.csv`, or one of our own rules'.
    pub code: String,
    /// Whose.
    pub side: String,
}

impl Reason {
    /// The reason that a consent was taken back, or ended.
    pub fn of_consent(code: &'static str) -> Self {
        Self { code: code.to_owned(), side: "family".to_owned() }
    }

    /// Reads a caller's reason. The list says whose it is, where it does.
    pub fn read(code: &str, side: &str) -> Result<Option<Self>, InvalidInput> {
        let mut parser = chassis_rpc::Parser::new();
        let side = parser.one_of("reason_side", side, &["partner", "family", "system"], true);
        if code.is_empty() {
            parser.finish()?;
            return Ok(None);
        }
        let known = [DECLINE, STOP].iter().any(|list| taxonomy::reason_on(list, code));
        if !known {
            parser.violation("reason", "must be a code of the lists referral_decline or service_stop");
        }
        let listed = taxonomy::side_of_reason(code);
        if let Some(listed) = listed
            && !side.is_empty()
            && side != listed
        {
            parser.violation("reason_side", format!("must be {listed} for this reason, or empty"));
        }
        parser.finish()?;
        Ok(Some(Self { code: code.to_owned(), side: listed.map_or(side, str::to_owned) }))
    }
}

const DECLINE: &str = "referral_decline";
const STOP: &str = "service_stop";

/// Why a referral does not move.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// There is no such way from here.
    #[error("{} is not possible while the referral is {}; read it again for what is", .transition.as_str(), .state.as_str())]
    WrongState {
        /// Where it stands.
        state: State,
        /// What was asked.
        transition: Transition,
    },
    /// There is, but it is the other side's.
    #[error("{} is for the other side to do", .transition.as_str())]
    WrongSide {
        /// What was asked.
        transition: Transition,
    },
    /// It needs a reason.
    #[error("{} needs a reason: a code of the list {list}", .transition.as_str())]
    ReasonMissing {
        /// What was asked.
        transition: Transition,
        /// Where its reasons are.
        list: &'static str,
    },
    /// The token that proves the disclosure is of something else.
    #[error("the disclosure is not of this referral")]
    OtherDisclosure,
}

impl Fault for Refusal {
    fn kind(&self) -> Kind {
        match self {
            Self::WrongState { .. } => Kind::WrongState,
            Self::WrongSide { .. } => Kind::Forbidden,
            Self::ReasonMissing { .. } => Kind::InvalidInput,
            Self::OtherDisclosure => Kind::Internal,
        }
    }
    fn reason(&self) -> &'static str {
        match self {
            Self::WrongState { .. } => "WRONG_STATE",
            Self::WrongSide { .. } => "WRONG_SIDE",
            Self::ReasonMissing { .. } => "REASON_MISSING",
            Self::OtherDisclosure => "INTERNAL",
        }
    }
    fn violations(&self) -> Vec<chassis_rpc::Violation> {
        match self {
            Self::ReasonMissing { .. } => vec![chassis_rpc::Violation { field: "reason".to_owned(), description: self.to_string() }],
            _ => Vec::new(),
        }
    }
}

/// The state after a transition, or why not. Everything that moves a referral asks here; so does the list of what a
/// caller can do now.
pub fn transition(state: State, mode: Mode, side: Side, transition: Transition, reason: Option<&Reason>) -> Result<State, Refusal> {
    let (next, who) = way(state, transition).ok_or(Refusal::WrongState { state, transition })?;
    let allowed = match side {
        // Where the partner never hears of the referral, the school records what it was told.
        Side::Requester => who.requester || (who.partner && mode != Mode::Normal),
        Side::Partner => who.partner && mode == Mode::Normal,
        Side::System => who.system,
    };
    if !allowed {
        // From where only a rule withdraws, the way does not exist for people.
        return Err(if who.requester || who.partner { Refusal::WrongSide { transition } } else { Refusal::WrongState { state, transition } });
    }
    if let Some(list) = reasons(transition)
        && !reason.is_some_and(|r| suits(transition, &r.code, side))
    {
        return Err(Refusal::ReasonMissing { transition, list });
    }
    Ok(next)
}

/// What a side can do with a referral now, reasons aside.
pub fn allowed(state: State, mode: Mode, side: Side) -> Vec<Transition> {
    let any = |t| transition(state, mode, side, t, None).is_ok() || matches!(transition(state, mode, side, t, None), Err(Refusal::ReasonMissing { .. }));
    Transition::ALL.into_iter().filter(|t| any(*t)).collect()
}

#[derive(Clone, Copy)]
struct Who {
    requester: bool,
    partner: bool,
    system: bool,
}

const REQUESTER: Who = Who { requester: true, partner: false, system: false };
const PARTNER: Who = Who { requester: false, partner: true, system: false };
const SYSTEM: Who = Who { requester: false, partner: false, system: true };
const BOTH: Who = Who { requester: true, partner: true, system: false };
const REQUESTER_OR_SYSTEM: Who = Who { requester: true, partner: false, system: true };
const ANYONE: Who = Who { requester: true, partner: true, system: true };

/// The handbook's table.
fn way(state: State, transition: Transition) -> Option<(State, Who)> {
    use State::{
        Accepted, Attending, Closed, Completed, Declined, Draft, NeedsFamilyAction, Paused, Received, Sent, Started, StoppedEarly, UnableToContact, Void,
        Waitlisted, Withdrawn,
    };
    use Transition as T;
    Some(match (state, transition) {
        (Draft, T::Send) => (Sent, REQUESTER),
        (Draft | Sent | Received, T::Withdraw) => (Withdrawn, REQUESTER_OR_SYSTEM),
        (Sent, T::Open) => (Received, PARTNER),
        (Received, T::NeedInfo) => (NeedsFamilyAction, PARTNER),
        (NeedsFamilyAction, T::InfoGiven) => (Received, REQUESTER),
        (Received, T::Waitlist) => (Waitlisted, PARTNER),
        // Accepting somebody who waits is giving them a seat, under either name.
        (Waitlisted, T::Seat) | (Received | Waitlisted, T::Accept) => (Accepted, PARTNER),
        (Waitlisted, T::Lapse) => (Withdrawn, SYSTEM),
        (Received | Waitlisted, T::Decline) => (Declined, PARTNER),
        (Received | Accepted, T::Unable) => (UnableToContact, PARTNER),
        (Accepted, T::Start) => (Started, BOTH),
        (Started, T::Attend) => (Attending, PARTNER),
        (Attending, T::Pause) => (Paused, PARTNER),
        (Paused, T::Resume) => (Attending, PARTNER),
        (Started | Attending, T::Complete) => (Completed, PARTNER),
        (Accepted | Started | Attending | Paused, T::Stop) => (StoppedEarly, ANYONE),
        (state, T::Judge) if state.awaits_judgement() => (Closed, REQUESTER),
        (state, T::Void) if state.is_open() => (Void, REQUESTER),
        // A family takes its consent back whenever it wants; what relied on it ends there.
        (state, T::Withdraw) if state.is_open() => (Withdrawn, SYSTEM),
        _ => return None,
    })
}

/// The list that a transition's reason comes from, where it needs one.
fn reasons(transition: Transition) -> Option<&'static str> {
    match transition {
        Transition::Decline | Transition::Withdraw => Some(DECLINE),
        Transition::Stop | Transition::Pause => Some(STOP),
        Transition::Lapse => Some("consent_expired, student_left"),
        _ => None,
    }
}

fn suits(transition: Transition, code: &str, side: Side) -> bool {
    // Rules have reasons of their own.
    if side == Side::System {
        return !code.is_empty();
    }
    match transition {
        Transition::Decline | Transition::Withdraw => taxonomy::reason_on(DECLINE, code),
        _ => taxonomy::reason_on(STOP, code) || taxonomy::reason_on(DECLINE, code),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The handbook's table again, as text, so that a slip in one is seen by the other: from, transition, who, to.
    const HANDBOOK: &str = "
        draft send R sent
        draft withdraw RS withdrawn
        sent withdraw RS withdrawn
        received withdraw RS withdrawn
        needs_family_action withdraw S withdrawn
        waitlisted withdraw S withdrawn
        accepted withdraw S withdrawn
        started withdraw S withdrawn
        attending withdraw S withdrawn
        paused withdraw S withdrawn
        sent open P received
        received need_info P needs_family_action
        needs_family_action info_given R received
        received waitlist P waitlisted
        waitlisted seat P accepted
        waitlisted accept P accepted
        waitlisted lapse S withdrawn
        received accept P accepted
        received decline P declined
        waitlisted decline P declined
        received unable P unable_to_contact
        accepted unable P unable_to_contact
        accepted start RP started
        started attend P attending
        attending pause P paused
        paused resume P attending
        started complete P completed
        attending complete P completed
        accepted stop RPS stopped_early
        started stop RPS stopped_early
        attending stop RPS stopped_early
        paused stop RPS stopped_early
        completed judge R closed
        stopped_early judge R closed
        declined judge R closed
        unable_to_contact judge R closed
        withdrawn judge R closed
        sent void R void
        received void R void
        needs_family_action void R void
        waitlisted void R void
        accepted void R void
        started void R void
        attending void R void
        paused void R void";

    fn by_handbook(state: State, asked: Transition, side: Side, mode: Mode) -> Option<State> {
        HANDBOOK.lines().map(|l| l.split_whitespace().collect::<Vec<_>>()).find_map(|row| {
            let [from, name, who, to] = row[..] else { return None };
            let letter = match side {
                Side::Requester => who.contains('R') || (mode != Mode::Normal && who.contains('P')),
                Side::Partner => mode == Mode::Normal && who.contains('P'),
                Side::System => who.contains('S'),
            };
            (from == state.as_str() && name == asked.as_str() && letter).then(|| State::read(to)).flatten()
        })
    }

    #[test]
    fn every_state_transition_side_and_mode_is_as_the_handbook_says() {
        let reasons = [Reason::read("no_longer_interested", "").unwrap().unwrap(), Reason::read("no_shows", "").unwrap().unwrap()];
        let mut ways = 0;
        for state in State::ALL {
            for asked in Transition::ALL {
                for side in Side::ALL {
                    for mode in Mode::ALL {
                        let reason = if matches!(asked, Transition::Stop | Transition::Pause) { &reasons[1] } else { &reasons[0] };
                        let got = transition(state, mode, side, asked, Some(reason)).ok();
                        assert_eq!(got, by_handbook(state, asked, side, mode), "{state:?} {asked:?} {side:?} {mode:?}");
                        assert_eq!(allowed(state, mode, side).contains(&asked), got.is_some(), "{state:?} {asked:?} {side:?} {mode:?}");
                        ways += usize::from(got.is_some());
                    }
                }
            }
        }
        assert!(ways > 100);
    }

    #[test]
    fn what_ends_a_referral_needs_its_reason() {
        let asked = |t, reason: Option<&Reason>| transition(State::Received, Mode::Normal, Side::Partner, t, reason);
        assert!(matches!(asked(Transition::Decline, None), Err(Refusal::ReasonMissing { .. })));
        assert!(matches!(asked(Transition::Decline, Reason::read("no_shows", "").unwrap().as_ref()), Err(Refusal::ReasonMissing { .. })));
        assert_eq!(asked(Transition::Decline, Reason::read("no_capacity", "").unwrap().as_ref()), Ok(State::Declined));
        assert_eq!(asked(Transition::Accept, None), Ok(State::Accepted));
    }

    #[test]
    fn a_reason_is_on_a_list_and_of_its_own_side() {
        assert_eq!(Reason::read("", "").unwrap(), None);
        assert_eq!(Reason::read("cost", "").unwrap().unwrap().side, "family");
        assert!(Reason::read("cost", "partner").is_err());
        assert!(Reason::read("because", "").is_err());
        assert!(Reason::read("", "neighbour").is_err());
    }
}
