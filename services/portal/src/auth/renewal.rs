//! Keeps a session's token good for as long as the session is: issuers give tokens of a few minutes, and a class review
//! takes an hour. One renewal at a time a session, since many issuers take each refresh token once only.

use std::sync::Arc;

use crate::app::Portal;
use crate::fault::Fault;
use crate::session::{Caller, SessionKey};

/// The caller with a token that is good for this request.
pub async fn fresh(app: &Arc<Portal>, mut caller: Caller) -> Result<Caller, Fault> {
    let Some(due) = app.sessions.due(&caller.key) else { return Ok(caller) };
    let turn = if due.holds {
        // One request renews while the others go on with what they have.
        let Ok(turn) = Arc::clone(&due.turn).try_lock_owned() else { return Ok(caller) };
        turn
    } else {
        Arc::clone(&due.turn).lock_owned().await
    };
    // A task of its own: a browser that hangs up in the middle must not lose the new refresh token.
    let (app_there, key) = (Arc::clone(app), caller.key);
    let renewed = tokio::spawn(async move {
        let renewed = renew(&app_there, &key).await;
        drop(turn);
        renewed
    });
    renewed.await.map_err(Fault::internal)??;
    caller.token = app.sessions.token(&caller.key).ok_or_else(Fault::signed_out)?;
    Ok(caller)
}

async fn renew(app: &Arc<Portal>, key: &SessionKey) -> Result<(), Fault> {
    // Somebody else may have had the turn before.
    let Some(due) = app.sessions.due(key) else { return Ok(()) };
    match app.sign_in.renew(&due.tokens, &due.subject).await {
        Ok(tokens) => {
            app.sessions.renewed(key, tokens);
            // What the person may do can have changed meanwhile.
            let (app, key) = (Arc::clone(app), *key);
            tokio::spawn(async move {
                if let Some(token) = app.sessions.token(&key)
                    && let Some(standing) = super::standing::ask(&app.clients, &token).await
                {
                    app.sessions.stands(&key, standing.roles, standing.school_ids);
                }
            });
            Ok(())
        }
        Err(trouble) if trouble.may_pass() => {
            app.sessions.later(key);
            if due.holds {
                tracing::warn!(cause = %trouble, "a session's token could not be renewed; it is good for a little longer");
                Ok(())
            } else {
                Err(trouble.into())
            }
        }
        Err(trouble) => {
            tracing::info!(cause = %trouble, "a session has ended at the issuer");
            app.sessions.end(key);
            Err(Fault::signed_out())
        }
    }
}
