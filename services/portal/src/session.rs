//! Sessions, kept in memory and known by a random cookie. The store holds only the hash of the cookie.

mod validity;

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::SecretString;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::said::Said;
use validity::Validity;

/// Name of the session cookie.
pub const COOKIE: &str = "wraparound_session";
/// Sessions held at most; beyond it the one that was idle for longest ends.
const MOST_SESSIONS: usize = 20_000;
/// A sign-in that was begun must end within this.
const SIGN_IN_WINDOW: Duration = Duration::from_secs(600);

/// Hash of a session cookie: the key in the store.
pub type SessionKey = [u8; 32];

/// Somebody who is signed in.
#[derive(Debug, Clone)]
pub struct Caller {
    /// Session that the request belongs to.
    pub key: SessionKey,
    /// Subject at the issuer.
    pub subject: String,
    /// Name to show.
    pub name: String,
    /// Roles.
    pub roles: Vec<String>,
    /// UUIDs of schools; may be empty.
    pub school_ids: Vec<String>,
    /// Sent to the services as bearer token.
    pub token: SecretString,
    /// Token that forms carry.
    pub csrf: String,
    /// What the last act answered, for the page that is shown next.
    pub said: Option<Said>,
}

impl Caller {
    /// Whether one of these roles is held.
    pub fn has_any(&self, roles: &[&str]) -> bool {
        self.roles.iter().any(|held| roles.contains(&held.as_str()))
    }

    /// Whether this is a user of a partner organisation.
    pub fn is_partner(&self) -> bool {
        self.has_any(&["partner_user", "partner_system"])
    }

    /// Whether this is somebody who works with students by name. The services decide; this only chooses links.
    pub fn sees_students(&self) -> bool {
        self.has_any(&[
            "teacher",
            "coordinator",
            "case_manager",
            "student_support_member",
            "nurse",
            "counsellor",
            "principal",
            "assistant_principal",
            "program_manager",
        ])
    }

    /// Whether this is somebody who works with a school rather than with single classes.
    pub fn works_by_school(&self) -> bool {
        self.has_any(&["coordinator", "case_manager", "student_support_member", "nurse", "counsellor", "principal", "assistant_principal", "program_manager"])
    }

    /// Whether reports are of use to this caller.
    pub fn sees_reports(&self) -> bool {
        self.has_any(&["coordinator", "student_support_member", "principal", "assistant_principal", "program_manager", "district_leader"])
    }
}

/// A sign-in that was begun.
#[derive(Debug, Clone)]
pub struct PendingSignIn {
    /// State sent to the issuer.
    pub state: String,
    /// Nonce expected in the ID token.
    pub nonce: String,
    /// PKCE verifier.
    pub verifier: String,
    /// Path to go to afterwards.
    pub next: String,
}

/// What the issuer gave.
#[derive(Debug, Clone)]
pub struct Tokens {
    /// For the services.
    pub access: SecretString,
    /// How long that one holds.
    pub lasts: Option<Duration>,
    /// For new ones, where the issuer gives such.
    pub refresh: Option<SecretString>,
    /// Says to the issuer who is leaving.
    pub id: Option<SecretString>,
}

/// What the issuer told us at the end of a sign-in.
#[derive(Debug, Clone)]
pub struct SignedIn {
    /// Subject at the issuer.
    pub subject: String,
    /// The issuer's name of its own session, where it tells.
    pub sid: Option<String>,
    /// Name to show.
    pub name: String,
    /// Roles.
    pub roles: Vec<String>,
    /// Schools.
    pub school_ids: Vec<String>,
    /// What the issuer gave.
    pub tokens: Tokens,
}

enum Stage {
    Pending(PendingSignIn),
    Signed(Box<Signed>),
}

struct Signed {
    who: SignedIn,
    validity: Validity,
    /// Whose turn it is to renew the tokens.
    turn: Arc<tokio::sync::Mutex<()>>,
    csrf: String,
    later: HashSet<(Uuid, Uuid)>,
    said: Option<Said>,
}

struct Session {
    ends: Instant,
    seen: Instant,
    stage: Stage,
}

/// All sessions of this process.
pub struct SessionStore {
    idle: Duration,
    max: Duration,
    sessions: Mutex<HashMap<SessionKey, Session>>,
}

impl SessionStore {
    /// An empty store.
    pub fn new(idle: Duration, max: Duration) -> Self {
        Self { idle, max, sessions: Mutex::new(HashMap::new()) }
    }

    /// Begins a sign-in; answers the cookie value.
    pub fn begin(&self, pending: PendingSignIn) -> String {
        let now = Instant::now();
        self.insert(Session { ends: now + SIGN_IN_WINDOW, seen: now, stage: Stage::Pending(pending) })
    }

    /// Takes a begun sign-in out: it can be finished once.
    pub fn take_pending(&self, cookie: &str) -> Option<PendingSignIn> {
        let mut sessions = self.lock();
        let key = key_of(cookie);
        match sessions.get(&key) {
            Some(session) if session.ends > Instant::now() => match &session.stage {
                Stage::Pending(pending) => {
                    let pending = pending.clone();
                    sessions.remove(&key);
                    Some(pending)
                }
                Stage::Signed(_) => None,
            },
            _ => None,
        }
    }

    /// Starts a session under a fresh cookie value, so that one known before sign-in is worth nothing after it.
    pub fn start(&self, who: SignedIn) -> String {
        let now = Instant::now();
        let validity = Validity::of(&who.tokens, now);
        // Without a way to renew it, the session cannot outlive the token.
        let ends = match (&who.tokens.refresh, validity.until) {
            (None, Some(until)) => until.min(now + self.max),
            _ => now + self.max,
        };
        let signed = Signed { who, validity, turn: Arc::default(), csrf: random_token(), later: HashSet::new(), said: None };
        self.insert(Session { ends, seen: now, stage: Stage::Signed(Box::new(signed)) })
    }

    /// The caller behind a cookie, where the session lives. Counts as activity.
    pub fn caller(&self, cookie: &str) -> Option<Caller> {
        let now = Instant::now();
        let key = key_of(cookie);
        let mut sessions = self.lock();
        let session = sessions.get_mut(&key)?;
        if session.ends <= now || now.duration_since(session.seen) > self.idle {
            sessions.remove(&key);
            return None;
        }
        session.seen = now;
        match &session.stage {
            Stage::Pending(_) => None,
            Stage::Signed(signed) => Some(Caller {
                key,
                subject: signed.who.subject.clone(),
                name: signed.who.name.clone(),
                roles: signed.who.roles.clone(),
                school_ids: signed.who.school_ids.clone(),
                token: signed.who.tokens.access.clone(),
                csrf: signed.csrf.clone(),
                said: None,
            }),
        }
    }

    /// Keeps a sentence for the next page.
    pub fn say(&self, key: &SessionKey, words: Said) {
        self.signed(key, |signed| signed.said = Some(words));
    }

    /// Takes the sentence for this page.
    pub fn take_said(&self, key: &SessionKey) -> Option<Said> {
        self.signed(key, |signed| signed.said.take()).flatten()
    }

    /// Ends a session; answers its tokens.
    pub fn end(&self, key: &SessionKey) -> Option<Tokens> {
        match self.lock().remove(key)?.stage {
            Stage::Signed(signed) => Some(signed.who.tokens),
            Stage::Pending(_) => None,
        }
    }

    /// Ends the session that the issuer knows by this name, or all of this subject where it names none. Answers how many.
    pub fn end_of(&self, subject: Option<&str>, sid: Option<&str>) -> usize {
        let mut sessions = self.lock();
        let before = sessions.len();
        sessions.retain(|_, held| match &held.stage {
            Stage::Pending(_) => true,
            Stage::Signed(signed) => !match sid {
                Some(sid) => signed.who.sid.as_deref() == Some(sid),
                None => subject == Some(signed.who.subject.as_str()),
            },
        });
        before - sessions.len()
    }

    /// Puts a student off for later in a class review, for this session.
    pub fn put_off(&self, key: &SessionKey, class_review: Uuid, student: Uuid) {
        self.signed(key, |signed| signed.later.insert((class_review, student)));
    }

    /// Takes "later" back.
    pub fn take_up(&self, key: &SessionKey, class_review: Uuid, student: Uuid) {
        self.signed(key, |signed| signed.later.remove(&(class_review, student)));
    }

    /// Students of a class review that this session put off.
    pub fn put_off_in(&self, key: &SessionKey, class_review: Uuid) -> HashSet<Uuid> {
        let of_review = |signed: &mut Signed| signed.later.iter().filter(|(review, _)| *review == class_review).map(|(_, student)| *student).collect();
        self.signed(key, of_review).unwrap_or_default()
    }

    /// Does something with a session of somebody who is signed in.
    fn signed<T>(&self, key: &SessionKey, act: impl FnOnce(&mut Signed) -> T) -> Option<T> {
        match &mut self.lock().get_mut(key)?.stage {
            Stage::Signed(signed) => Some(act(signed)),
            Stage::Pending(_) => None,
        }
    }

    fn insert(&self, session: Session) -> String {
        let cookie = random_token();
        let mut sessions = self.lock();
        if sessions.len() >= MOST_SESSIONS {
            let now = Instant::now();
            sessions.retain(|_, held| held.ends > now && now.duration_since(held.seen) <= self.idle);
        }
        if sessions.len() >= MOST_SESSIONS
            && let Some(oldest) = sessions.iter().min_by_key(|(_, held)| held.seen).map(|(key, _)| *key)
        {
            sessions.remove(&oldest);
        }
        sessions.insert(key_of(&cookie), session);
        cookie
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<SessionKey, Session>> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn key_of(cookie: &str) -> SessionKey {
    Sha256::digest(cookie.as_bytes()).into()
}

/// 32 random bytes as text.
pub fn random_token() -> String {
    URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>())
}

/// The value of our cookie in a `Cookie` header.
pub fn cookie_in(header: &str) -> Option<&str> {
    header.split(';').filter_map(|pair| pair.trim().split_once('=')).find(|(name, _)| *name == COOKIE).map(|(_, value)| value)
}

/// The `Set-Cookie` line for a session; an empty value ends it.
pub fn set_cookie(value: &str, secure: bool) -> String {
    let age = if value.is_empty() { "; Max-Age=0" } else { "" };
    let secure = if secure { "; Secure" } else { "" };
    format!("{COOKIE}={value}; Path=/; HttpOnly; SameSite=Lax{age}{secure}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn someone(lifetime: Option<Duration>) -> SignedIn {
        SignedIn {
            subject: "s".into(),
            sid: Some("x".into()),
            name: "Fictional Person".into(),
            roles: vec!["teacher".into()],
            school_ids: vec![],
            tokens: Tokens { access: "t".to_owned().into(), lasts: lifetime, refresh: None, id: None },
        }
    }

    #[test]
    fn a_session_is_found_by_its_cookie_alone() {
        let store = SessionStore::new(Duration::from_secs(60), Duration::from_secs(600));
        let cookie = store.start(someone(None));
        assert!(store.caller(&cookie).is_some());
        assert!(store.caller("another").is_none());
        let caller = store.caller(&cookie).unwrap();
        store.end(&caller.key);
        assert!(store.caller(&cookie).is_none());
    }

    #[test]
    fn a_session_ends_when_idle_and_when_its_token_does() {
        let store = SessionStore::new(Duration::ZERO, Duration::from_secs(600));
        let cookie = store.start(someone(None));
        std::thread::sleep(Duration::from_millis(2));
        assert!(store.caller(&cookie).is_none());
        let store = SessionStore::new(Duration::from_secs(60), Duration::from_secs(600));
        assert!(store.caller(&store.start(someone(Some(Duration::ZERO)))).is_none());
        // One that can be renewed outlives its token.
        let mut renewable = someone(Some(Duration::ZERO));
        renewable.tokens.refresh = Some("r".to_owned().into());
        assert!(store.caller(&store.start(renewable)).is_some());
    }

    #[test]
    fn the_issuer_ends_one_session_or_all_of_somebody() {
        let store = SessionStore::new(Duration::from_secs(60), Duration::from_secs(600));
        let here = store.start(someone(None));
        let there = store.start(SignedIn { sid: Some("y".into()), ..someone(None) });
        let other = store.start(SignedIn { subject: "t".into(), sid: None, ..someone(None) });
        assert_eq!(store.end_of(Some("s"), Some("x")), 1);
        assert!(store.caller(&here).is_none() && store.caller(&there).is_some());
        assert_eq!(store.end_of(Some("s"), None), 1);
        assert_eq!((store.end_of(None, Some("z")), store.end_of(Some("u"), None)), (0, 0));
        assert!(store.caller(&there).is_none() && store.caller(&other).is_some());
    }

    #[test]
    fn a_begun_sign_in_can_be_finished_once_and_is_no_session() {
        let store = SessionStore::new(Duration::from_secs(60), Duration::from_secs(600));
        let pending = PendingSignIn { state: "a".into(), nonce: "b".into(), verifier: "c".into(), next: "/".into() };
        let cookie = store.begin(pending);
        assert!(store.caller(&cookie).is_none());
        assert!(store.take_pending(&cookie).is_some());
        assert!(store.take_pending(&cookie).is_none());
    }

    #[test]
    fn the_cookie_is_closed_to_scripts_and_other_sites() {
        assert_eq!(set_cookie("v", true), "wraparound_session=v; Path=/; HttpOnly; SameSite=Lax; Secure");
        assert_eq!(cookie_in("a=b; wraparound_session=v"), Some("v"));
        assert_eq!(cookie_in("a=b"), None);
    }
}
