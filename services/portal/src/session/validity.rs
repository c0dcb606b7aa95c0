//! How long a session's token is good, and when it is to be renewed.

use std::sync::Arc;
use std::time::{Duration, Instant};

use secrecy::SecretString;

use super::{SessionKey, SessionStore, Signed, Tokens};

/// Renewed this long before it ends, or in the last third of a token that is very short.
const BEFORE_END: Duration = Duration::from_secs(60);
/// An issuer that did not help is asked again after this long.
const AGAIN: Duration = Duration::from_secs(5);

/// Until when a token is good.
#[derive(Debug, Clone, Copy)]
pub(super) struct Validity {
    /// Its end; none where the issuer did not say.
    pub(super) until: Option<Instant>,
    renew: Option<Instant>,
}

impl Validity {
    pub(super) fn of(tokens: &Tokens, now: Instant) -> Self {
        let renew = tokens.lasts.filter(|_| tokens.refresh.is_some()).map(|lasts| now + (lasts - BEFORE_END.min(lasts / 3)));
        Self { until: tokens.lasts.map(|lasts| now + lasts), renew }
    }
}

/// Tokens that are to be renewed.
#[derive(Debug, Clone)]
pub struct Due {
    /// The old ones.
    pub tokens: Tokens,
    /// Whose.
    pub subject: String,
    /// Whether the old one is still good.
    pub holds: bool,
    /// Held by whoever renews.
    pub turn: Arc<tokio::sync::Mutex<()>>,
}

impl SessionStore {
    /// The tokens of a session, where it is time to renew them.
    pub fn due(&self, key: &SessionKey) -> Option<Due> {
        let now = Instant::now();
        let due = |signed: &mut Signed| {
            let Signed { who, validity, turn, .. } = signed;
            let is_due = validity.renew.is_some_and(|at| at <= now);
            let holds = validity.until.is_none_or(|until| until > now);
            is_due.then(|| Due { tokens: who.tokens.clone(), subject: who.subject.clone(), holds, turn: Arc::clone(turn) })
        };
        self.signed(key, due).flatten()
    }

    /// The token of a session that lives.
    pub fn token(&self, key: &SessionKey) -> Option<SecretString> {
        self.signed(key, |signed| signed.who.tokens.access.clone())
    }

    /// Takes new tokens into a session.
    pub fn renewed(&self, key: &SessionKey, tokens: Tokens) {
        self.signed(key, |signed| {
            signed.validity = Validity::of(&tokens, Instant::now());
            signed.who.tokens = tokens;
        });
    }

    /// Leaves the tokens as they are for a moment: the issuer does not help now. Once the token has ended, every request
    /// asks, since none can do without.
    pub fn later(&self, key: &SessionKey) {
        self.signed(key, |signed| {
            let again = Instant::now() + AGAIN;
            signed.validity.renew = Some(signed.validity.until.map_or(again, |until| until.min(again)));
        });
    }

    /// Takes what somebody is now into a session.
    pub fn stands(&self, key: &SessionKey, roles: Vec<String>, school_ids: Vec<String>) {
        self.signed(key, |signed| {
            signed.who.roles = roles;
            signed.who.school_ids = school_ids;
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(seconds: u64, refresh: bool) -> Tokens {
        let refresh = refresh.then(|| SecretString::from("r".to_owned()));
        Tokens { access: "a".to_owned().into(), lasts: Some(Duration::from_secs(seconds)), refresh, id: None }
    }

    #[test]
    fn a_token_is_renewed_a_minute_before_it_ends_and_a_short_one_in_its_last_third() {
        let now = Instant::now();
        for (lasts, renew) in [(300, 240), (180, 120), (60, 40), (21, 14), (0, 0)] {
            let validity = Validity::of(&tokens(lasts, true), now);
            assert_eq!((validity.until, validity.renew), (Some(now + Duration::from_secs(lasts)), Some(now + Duration::from_secs(renew))), "{lasts}");
        }
        assert_eq!(Validity::of(&tokens(300, false), now).renew, None, "there is nothing to renew it with");
        let endless = Tokens { lasts: None, ..tokens(0, true) };
        assert!(Validity::of(&endless, now).until.is_none());
    }
}
