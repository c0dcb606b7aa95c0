//! What somebody is here. The token may not say: most people's roles come from the roster, which the services know.

use proto::rosters::v1::GetCallerRequest;
use secrecy::SecretString;
use tonic::Code;

use crate::clients::Clients;

/// Roles and schools.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// Roles; none where the services know of none.
    pub roles: Vec<String>,
    /// UUIDs of schools.
    pub school_ids: Vec<String>,
}

/// Asks rosters. None where it does not say, and what the token says must do.
pub async fn ask(clients: &Clients, token: &SecretString) -> Option<Standing> {
    match clients.rosters_with(token).get_caller(GetCallerRequest {}).await {
        Ok(answer) => {
            let answer = answer.into_inner();
            Some(Standing { roles: answer.roles.into_iter().map(|held| held.role).collect(), school_ids: answer.school_ids })
        }
        Err(status) if status.code() == Code::PermissionDenied => Some(Standing { roles: Vec::new(), school_ids: Vec::new() }),
        Err(status) if status.code() == Code::Unauthenticated => {
            tracing::error!(
                why = status.message(),
                "the services do not believe the token that the issuer gave the portal: compare [auth] issuer and audience with what the issuer puts into access tokens"
            );
            None
        }
        Err(status) => {
            tracing::warn!(code = ?status.code(), "rosters does not say who signed in; the token's own roles are shown");
            None
        }
    }
}
