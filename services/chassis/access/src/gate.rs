//! The layer in front of every handler: names the caller, refuses calls that no policy grants their roles, and
//! withholds answers on which nobody decided.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use chassis_rpc::{Fault, status};
use http::{Request, Response};
use secrecy::SecretString;
use tonic::Status;
use tonic::body::Body;
use tower::{Layer, Service};

use crate::caller::{Caller, DISTRICT};
use crate::decide::{Access, AccessError};
use crate::token::{TokenError, TokenVerifier};

/// Adds [`Gated`] around a service.
#[derive(Clone)]
pub struct Gate {
    verifier: Arc<TokenVerifier>,
    access: Access,
}

impl Gate {
    /// A gate that believes this verifier and asks these policies.
    pub fn new(verifier: Arc<TokenVerifier>, access: Access) -> Self {
        Self { verifier, access }
    }

    /// The caller behind a bearer token, with what the roster says of them.
    pub async fn caller(&self, authorization: Option<&str>) -> Result<Caller, Status> {
        let token = authorization.and_then(|v| v.strip_prefix("Bearer ").or_else(|| v.strip_prefix("bearer "))).ok_or(TokenError::Missing).map_err(status)?;
        let claims = self.verifier.verify(token).await.map_err(status)?;
        let said = &claims.said;
        let staff_id = match &said.staff {
            Some(staff) => self.access.relationships().staff_of(staff).await.map_err(status)?,
            None => None,
        };
        let mut roles: BTreeSet<String> = said.roles.iter().cloned().collect();
        let mut teaches = BTreeSet::new();
        let mut on_case = BTreeSet::new();
        let mut works_at = BTreeSet::new();
        let mut at: BTreeMap<String, BTreeSet<_>> = BTreeMap::new();
        // A role in the token holds at the schools that the token names; where it names none, for the district where policies allow that.
        for role in &said.roles {
            let places = at.entry(role.clone()).or_default();
            match &said.school_ids {
                Some(schools) => places.extend(schools.iter().copied()),
                None => {
                    places.insert(DISTRICT);
                }
            }
        }
        if let Some(staff_id) = staff_id {
            for (relation, object) in self.access.relationships().of(staff_id).await.map_err(status)?.iter() {
                if relation == "teaches" {
                    teaches.insert(*object);
                } else if relation == "on_case" {
                    on_case.insert(*object);
                } else {
                    roles.insert(relation.clone());
                    at.entry(relation.clone()).or_default().insert(*object);
                    works_at.insert(*object);
                }
            }
        }
        // A group says what somebody is, the roster where.
        if said.school_ids.is_none() {
            for role in &said.roles {
                at.entry(role.clone()).or_default().extend(works_at.iter().copied());
            }
        }
        Ok(Caller {
            subject: claims.subject.clone(),
            staff_id,
            organisation_id: said.organisation_id,
            roles,
            teaches,
            on_case,
            at,
            token: Arc::new(SecretString::from(token.to_owned())),
            decided: Arc::new(AtomicBool::new(false)),
        })
    }
}

/// `reviews.PutEntry` from `/wraparound.reviews.v1.ReviewService/PutEntry`.
pub fn action_of(path: &str) -> Option<String> {
    let (service, method) = path.strip_prefix('/')?.split_once('/')?;
    let mut parts = service.split('.');
    (parts.next() == Some("wraparound")).then_some(())?;
    Some(format!("{}.{method}", parts.next()?))
}

fn is_open(path: &str) -> bool {
    path.starts_with("/grpc.health.v1.Health/") || path.starts_with("/grpc.reflection.")
}

impl<S> Layer<S> for Gate {
    type Service = Gated<S>;
    fn layer(&self, inner: S) -> Gated<S> {
        Gated { inner, gate: self.clone() }
    }
}

/// A service behind the gate.
#[derive(Clone)]
pub struct Gated<S> {
    inner: S,
    gate: Gate,
}

impl<S> Service<Request<Body>> for Gated<S>
where
    S: Service<Request<Body>, Response = Response<Body>> + Clone + Send + 'static,
    S::Future: Send + 'static,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = std::pin::Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        // The clone that was polled ready is the one to call.
        let fresh = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, fresh);
        let gate = self.gate.clone();
        Box::pin(async move {
            let path = request.uri().path().to_owned();
            if is_open(&path) {
                return inner.call(request).await;
            }
            let authorization = request.headers().get(http::header::AUTHORIZATION).and_then(|v| v.to_str().ok()).map(str::to_owned);
            let caller = match gate.caller(authorization.as_deref()).await {
                Ok(caller) => caller,
                Err(refusal) => return Ok(refusal.into_http()),
            };
            let action = action_of(&path).unwrap_or_default();
            if !gate.access.policies().role_may(caller.roles.iter(), &action) {
                metrics::counter!("access_denied_total", "action" => action.clone()).increment(1);
                return Ok(status(AccessError::Denied { action }).into_http());
            }
            let decided = caller.decided.clone();
            request.extensions_mut().insert(caller);
            let answer = inner.call(request).await?;
            let refused = answer.headers().get("grpc-status").is_some_and(|code| code != "0");
            if !refused && !decided.load(Ordering::Relaxed) {
                return Ok(status(Undecided { action }).into_http());
            }
            Ok(answer)
        })
    }
}

/// A handler answered without a decision: our bug, and the answer stays here.
#[derive(Debug, thiserror::Error)]
#[error("{action} answered without an access decision")]
struct Undecided {
    action: String,
}

impl Fault for Undecided {
    fn kind(&self) -> chassis_rpc::Kind {
        chassis_rpc::Kind::Internal
    }
    fn reason(&self) -> &'static str {
        "INTERNAL"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn actions_are_named_after_the_method() {
        assert_eq!(action_of("/wraparound.reviews.v1.ReviewService/PutEntry").as_deref(), Some("reviews.PutEntry"));
        assert_eq!(action_of("/other.v1.Service/Do"), None);
        assert_eq!(action_of("nonsense"), None);
    }
}
