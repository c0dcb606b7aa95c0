//! Asks the issuer; follows no redirects and reads no more than it must.

use std::pin::Pin;
use std::time::Duration;

use openidconnect::{AsyncHttpClient, HttpRequest, HttpResponse};

/// The issuer's answers may be this large.
const MOST_BYTES: usize = 1024 * 1024;

/// Why the issuer could not be asked.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// No connection, or it broke.
    #[error("it could not be reached")]
    Unreachable(#[from] reqwest::Error),
    /// More than we read.
    #[error("its answer is larger than 1 MiB")]
    TooLarge,
    /// It is in trouble itself.
    #[error("it answers {0}")]
    InTrouble(u16),
}

/// A client for the issuer.
pub struct Http(reqwest::Client);

impl Http {
    /// One that waits as long at the most.
    pub fn new(patience: Duration) -> anyhow::Result<Self> {
        let builder = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none());
        Ok(Self(builder.connect_timeout(Duration::from_secs(3)).timeout(patience).build()?))
    }
}

impl<'c> AsyncHttpClient<'c> for Http {
    type Error = AskError;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, AskError>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(async move {
            let (parts, body) = request.into_parts();
            let mut answer = self.0.request(parts.method, parts.uri.to_string()).headers(parts.headers).body(body).send().await?;
            if answer.status().is_server_error() {
                return Err(AskError::InTrouble(answer.status().as_u16()));
            }
            let mut bytes = Vec::new();
            while let Some(chunk) = answer.chunk().await? {
                if bytes.len() + chunk.len() > MOST_BYTES {
                    return Err(AskError::TooLarge);
                }
                bytes.extend_from_slice(&chunk);
            }
            let mut response = HttpResponse::new(bytes);
            *response.status_mut() = answer.status();
            *response.headers_mut() = answer.headers().clone();
            Ok(response)
        })
    }
}
