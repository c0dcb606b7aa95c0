//! What goes wrong with the issuer: a line that tells operators what to mend, a page that tells people what to do. Neither
//! ever holds a token, nor what the issuer says in its own words beyond a short code.

use std::error::Error;

use openidconnect::core::{CoreErrorResponseType, CoreRequestTokenError};
use openidconnect::{DiscoveryError, StandardErrorResponse};

use super::http::AskError;
use crate::fault::Fault;

/// Why the issuer did not help.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    /// It does not answer; it may in a moment.
    #[error("the issuer does not answer: {0}")]
    Away(String),
    /// It and our settings do not fit together.
    #[error("{0}")]
    Setup(String),
    /// The code or the refresh token is not, or no longer, good.
    #[error("the issuer does not take it ({0})")]
    NoGrant(String),
    /// What it sent cannot be believed.
    #[error("what the issuer sent is not sound: {0}")]
    Unsound(String),
}

/// An error with all that is behind it. Of transport only: these tell addresses, never what was sent.
fn whole(error: &dyn Error) -> String {
    let mut words = error.to_string();
    let mut behind = error.source();
    while let Some(error) = behind {
        words = format!("{words}: {error}");
        behind = error.source();
    }
    words
}

impl From<DiscoveryError<AskError>> for Trouble {
    fn from(error: DiscoveryError<AskError>) -> Self {
        match error {
            DiscoveryError::Request(error) => Self::Away(whole(&error)),
            DiscoveryError::Response(status, ..) => {
                Self::Setup(format!("service.issuer_url describes no OpenID Connect issuer: its .well-known/openid-configuration answers {}", status.as_u16()))
            }
            DiscoveryError::Validation(why) => Self::Setup(format!("service.issuer_url must be written exactly as the issuer names itself: {why}")),
            _ => Self::Setup("service.issuer_url describes no OpenID Connect issuer: its .well-known/openid-configuration cannot be read".to_owned()),
        }
    }
}

impl From<CoreRequestTokenError<AskError>> for Trouble {
    fn from(error: CoreRequestTokenError<AskError>) -> Self {
        match error {
            CoreRequestTokenError::ServerResponse(refusal) => of_refusal(&refusal),
            CoreRequestTokenError::Request(error) => Self::Away(whole(&error)),
            // What could not be read may hold a token.
            _ => Self::Away("its token endpoint's answer cannot be read".to_owned()),
        }
    }
}

fn of_refusal(refusal: &StandardErrorResponse<CoreErrorResponseType>) -> Trouble {
    let code = coded(refusal.error().as_ref());
    match refusal.error() {
        CoreErrorResponseType::InvalidGrant => Trouble::NoGrant(code),
        CoreErrorResponseType::InvalidClient | CoreErrorResponseType::UnauthorizedClient => Trouble::Setup(format!(
            "the issuer refuses the portal itself ({code}): compare service.client_id and service.client_secret with how the portal is registered there"
        )),
        CoreErrorResponseType::Extension(word) if matches!(word.as_str(), "temporarily_unavailable" | "server_error") => Trouble::Away(code),
        _ => Trouble::Setup(format!("the issuer refuses the portal's request ({code}): look at how the portal is registered there")),
    }
}

/// An error code as RFC 6749 has them; whatever else comes is not repeated.
pub fn coded(text: &str) -> String {
    let sound = !text.is_empty() && text.len() <= 60 && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.'));
    if sound { text.to_owned() } else { "an unknown code".to_owned() }
}

impl Trouble {
    /// Whether the same may succeed in a moment, or once an operator has mended the settings.
    pub fn may_pass(&self) -> bool {
        matches!(self, Self::Away(_) | Self::Setup(_))
    }
}

impl From<Trouble> for Fault {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::Away(_) => Self::sign_in_away(&trouble),
            Trouble::Setup(_) => Self::sign_in_not_set_up(&trouble),
            Trouble::NoGrant(_) => {
                tracing::warn!(
                    cause = %trouble,
                    "a sign-in could not be finished; where none can, the address that the issuer sends people back to is not the one that is registered there"
                );
                Self::refused("This sign-in cannot be used any more. Begin again.")
            }
            Trouble::Unsound(_) => Self::internal(format_args!("sign-in: {trouble}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(code: &str) -> Trouble {
        let refusal: StandardErrorResponse<CoreErrorResponseType> =
            serde_json::from_value(serde_json::json!({ "error": code, "error_description": "the secret words of a.reyes@district.example" })).unwrap();
        of_refusal(&refusal)
    }

    #[test]
    fn operators_read_what_to_mend() {
        let cases = [
            (refused("invalid_client"), "service.client_secret"),
            (refused("unauthorized_client"), "service.client_id"),
            (refused("invalid_scope"), "registered"),
            (DiscoveryError::Validation("unexpected issuer URI `https://a` (expected `https://b`)".to_owned()).into(), "exactly"),
            (DiscoveryError::Response(axum::http::StatusCode::NOT_FOUND, vec![], String::new()).into(), "answers 404"),
        ];
        for (trouble, words) in cases {
            assert!(matches!(trouble, Trouble::Setup(_)) && trouble.to_string().contains(words), "{trouble}");
            assert!(!trouble.to_string().contains("district.example"), "{trouble}");
        }
    }

    #[test]
    fn what_passes_is_told_from_what_does_not() {
        assert!(refused("server_error").may_pass() && refused("invalid_client").may_pass());
        assert!(!refused("invalid_grant").may_pass());
        assert!(Trouble::from(DiscoveryError::Request(AskError::InTrouble(503))).to_string().contains("503"));
    }

    #[test]
    fn codes_are_repeated_and_nothing_else() {
        assert_eq!(coded("access_denied"), "access_denied");
        for other in ["", "a b", "a.reyes@district.example", &"a".repeat(61)] {
            assert_eq!(coded(other), "an unknown code");
        }
    }
}
