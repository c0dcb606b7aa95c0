//! Sessions from a file: checked first, then brought into the plans. The file goes through to the service as it comes.

use std::sync::Arc;

use askama::Template;
use axum::extract::multipart::{Field, Multipart, MultipartError};
use axum::extract::{Query, State};
use axum::response::Response;
use futures_util::stream;
use proto::plans::v1::import_service_log_request::Kind as Up;
use proto::plans::v1::import_service_log_response::Kind as Down;
use proto::plans::v1::{ImportServiceLogRequest, ServiceLogFinding, ServiceLogHeader, ServiceLogResult};
use tokio::sync::mpsc;

use crate::app::Portal;
use crate::fault::Fault;
use crate::form::{fresh_id, same_token};
use crate::frame::{Area, Shell, render};
use crate::session::Caller;

use super::{GroupQuery, MANAGERS};

/// The service takes 32 MiB; a form has some bytes around the file.
pub const MOST_BYTES: usize = 33 << 20;
/// The service takes pieces up to this size.
const PIECE: usize = 64 << 10;
/// Findings that a page shows; the rest is counted.
const SHOWN: usize = 200;
/// A field that is no file, in bytes.
const MOST_FIELD: usize = 200;

/// What came of a file.
struct Outcome {
    result: ServiceLogResult,
    findings: Vec<ServiceLogFinding>,
    more: i64,
    dry_run: bool,
    file_name: String,
}

#[derive(Template)]
#[template(path = "group/log.html")]
struct LogPage {
    shell: Shell,
    schools: Vec<(String, String, bool)>,
    request_id: String,
    outcome: Option<Outcome>,
}

async fn show(app: &Portal, caller: &Caller, school_id: &str, outcome: Option<Outcome>) -> Result<Response, Fault> {
    if !caller.has_any(MANAGERS) {
        return Err(Fault::forbidden());
    }
    let schools = app.schools(caller).await?;
    let chosen = if school_id.is_empty() { schools.first().map(|school| school.school_id.clone()).unwrap_or_default() } else { school_id.to_owned() };
    render(&LogPage {
        shell: Shell::of(caller, app.settings.notice(), Area::Services, "Sessions from a file"),
        schools: schools.into_iter().map(|school| (school.school_id.clone(), school.name, school.school_id == chosen)).collect(),
        request_id: fresh_id(),
        outcome,
    })
}

/// The form.
pub async fn page(State(app): State<Arc<Portal>>, caller: Caller, Query(query): Query<GroupQuery>) -> Result<Response, Fault> {
    show(&app, &caller, &query.school, None).await
}

/// Checks a file, or brings it in. The fields come before the file, so that nothing of it is read for a forged form.
pub async fn import(State(app): State<Arc<Portal>>, caller: Caller, mut form: Multipart) -> Result<Response, Fault> {
    let (mut token, mut header) = (String::new(), ServiceLogHeader { dry_run: true, request_id: fresh_id(), ..ServiceLogHeader::default() });
    while let Some(field) = form.next_field().await.map_err(|error| unread(&error))? {
        match field.name().unwrap_or_default() {
            "csrf" => token = short(field).await?,
            "school_id" => header.school_id = short(field).await?,
            "act" => header.dry_run = short(field).await? != "import",
            "request_id" => header.request_id = short(field).await?,
            "file" => {
                if !same_token(&token, &caller.csrf) {
                    return Err(Fault::forged());
                }
                header.file_name = field.file_name().filter(|name| !name.is_empty()).ok_or_else(no_file)?.chars().take(200).collect();
                let school_id = header.school_id.clone();
                let outcome = send(&app, &caller, header, field).await?;
                return show(&app, &caller, &school_id, Some(outcome)).await;
            }
            _ => {}
        }
    }
    Err(no_file())
}

fn no_file() -> Fault {
    Fault::refused("Choose a file first: sessions saved as CSV UTF-8.")
}

fn unread(error: &MultipartError) -> Fault {
    if error.status() == axum::http::StatusCode::PAYLOAD_TOO_LARGE {
        return Fault::refused("The file is larger than 32 MiB. Cut it into several.");
    }
    Fault::refused("The file did not come through. Load the page again and send it once more.")
}

async fn short(mut field: Field<'_>) -> Result<String, Fault> {
    let mut bytes = Vec::new();
    while let Some(piece) = field.chunk().await.map_err(|error| unread(&error))? {
        if bytes.len() + piece.len() > MOST_FIELD {
            return Err(Fault::forged());
        }
        bytes.extend_from_slice(&piece);
    }
    String::from_utf8(bytes).map_err(|_| Fault::forged())
}

async fn send(app: &Portal, caller: &Caller, header: ServiceLogHeader, file: Field<'_>) -> Result<Outcome, Fault> {
    let (dry_run, file_name) = (header.dry_run, header.file_name.clone());
    let (pieces, taken) = mpsc::channel(4);
    let requests = stream::unfold(taken, |mut taken| async move { taken.recv().await.map(|message| (message, taken)) });
    let mut service = app.clients.service_logs(caller);
    let (sent, answered) = tokio::join!(pump(header, file, pieces), async {
        let mut answers = service.import_service_log(requests).await?.into_inner();
        let (mut result, mut findings) = (None, Vec::new());
        while let Some(message) = answers.message().await? {
            match message.kind {
                Some(Down::Finding(finding)) if findings.len() < SHOWN => findings.push(finding),
                Some(Down::Result(end)) => result = Some(end),
                _ => {}
            }
        }
        Ok::<_, tonic::Status>((result, findings))
    });
    // What the service refuses says more than a piece that nobody took any more.
    let (result, findings) = answered?;
    sent?;
    let result = result.ok_or_else(|| Fault::internal("a service log import ended without a result"))?;
    let more = (result.errors + result.warnings - i64::try_from(findings.len()).unwrap_or(0)).max(0);
    Ok(Outcome { result, findings, more, dry_run, file_name })
}

async fn pump(header: ServiceLogHeader, mut file: Field<'_>, pieces: mpsc::Sender<ImportServiceLogRequest>) -> Result<(), Fault> {
    let asks = |kind| ImportServiceLogRequest { kind: Some(kind) };
    if pieces.send(asks(Up::Header(header))).await.is_err() {
        return Ok(());
    }
    while let Some(bytes) = file.chunk().await.map_err(|error| unread(&error))? {
        for piece in bytes.chunks(PIECE) {
            // Nobody listens any more once the service has answered.
            if pieces.send(asks(Up::Chunk(piece.to_vec()))).await.is_err() {
                return Ok(());
            }
        }
    }
    Ok(())
}
