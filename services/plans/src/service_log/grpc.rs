//! `ImportServiceLog`: a header and chunks up; progress, findings and the result down.

use std::io::Seek as _;
use std::pin::Pin;

use chassis_access::{Caller, Record};
use chassis_pg::idempotency;
use chassis_rpc::fault::OrStatus as _;
use chassis_rpc::{Parser, status};
use chrono::Utc;
use futures_util::Stream;
use prost::Message as _;
use proto::plans::v1::import_service_log_request::Kind as Up;
use proto::plans::v1::import_service_log_response::Kind as Down;
use proto::plans::v1::{ImportServiceLogRequest, ImportServiceLogResponse, ServiceLogFinding, ServiceLogProgress, ServiceLogResult};
use sha2::{Digest as _, Sha256};
use tokio::io::AsyncWriteExt as _;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status, Streaming};

use super::matching::Roster;
use super::{Import, Outcome, Told};
use crate::error::PlanError;
use crate::grpc::Plans;
use crate::sight::Sight;

/// Bytes of one chunk at the most.
const MAX_CHUNK: usize = 64 * 1024;
/// Bytes of a file at the most.
const MAX_FILE: u64 = 32 << 20;
/// How often a waiting client is told how much has arrived.
const TELL_EVERY: u64 = 1 << 20;

/// What comes down.
pub type Answers = Pin<Box<dyn Stream<Item = Result<ImportServiceLogResponse, Status>> + Send>>;
type Sender = mpsc::Sender<Result<ImportServiceLogResponse, Status>>;

fn upload(message: impl Into<String>) -> Status {
    status(PlanError::field("chunk", message))
}

fn down(kind: Down) -> ImportServiceLogResponse {
    ImportServiceLogResponse { kind: Some(kind) }
}

fn number(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

fn told(told: Told) -> ImportServiceLogResponse {
    down(match told {
        Told::Progress { rows, bytes } => Down::Progress(ServiceLogProgress { rows: number(rows), bytes: number(bytes) }),
        Told::Finding(finding) => Down::Finding(ServiceLogFinding {
            line: number(finding.line),
            column: finding.column.to_owned(),
            severity: finding.severity.as_str().to_owned(),
            code: finding.code.to_owned(),
            message: finding.message,
        }),
    })
}

fn result(outcome: Outcome) -> ImportServiceLogResponse {
    down(Down::Result(ServiceLogResult {
        rows: number(outcome.rows),
        deliveries: outcome.deliveries,
        unchanged: outcome.unchanged,
        errors: outcome.errors,
        warnings: outcome.warnings,
        written: outcome.written,
        time: Some(crate::plan::events::timestamp(Utc::now())),
    }))
}

/// Takes the file into a temporary one, which goes away with its handle. Answers it with its digest.
async fn receive(stream: &mut Streaming<ImportServiceLogRequest>, answers: &Sender) -> Result<(std::fs::File, Vec<u8>), Status> {
    let disk = |_| Status::internal("the file cannot be kept");
    let kept = tempfile::tempfile().map_err(disk)?;
    let mut out = tokio::fs::File::from_std(kept.try_clone().map_err(disk)?);
    let mut digest = Sha256::new();
    let (mut got, mut said) = (0_u64, 0_u64);
    while let Some(message) = stream.message().await? {
        let Some(Up::Chunk(chunk)) = message.kind else {
            return Err(upload("after the header come chunks only"));
        };
        if chunk.len() > MAX_CHUNK {
            return Err(upload("must not be larger than 64 KiB"));
        }
        got += chunk.len() as u64;
        if got > MAX_FILE {
            return Err(upload("the file must not be larger than 32 MiB; cut it into several"));
        }
        digest.update(&chunk);
        out.write_all(&chunk).await.map_err(disk)?;
        if got - said >= TELL_EVERY {
            said = got;
            answers.send(Ok(told(Told::Progress { rows: 0, bytes: got }))).await.map_err(|_| Status::cancelled("nobody listens any more"))?;
        }
    }
    out.flush().await.map_err(disk)?;
    drop(out);
    let mut kept = kept;
    kept.rewind().map_err(disk)?;
    Ok((kept, digest.finalize().to_vec()))
}

impl Plans {
    pub(crate) async fn service_log_import(&self, request: Request<Streaming<ImportServiceLogRequest>>) -> Result<Response<Answers>, Status> {
        const ACTION: &str = "plans.ImportServiceLog";
        let caller = Caller::of(&request)?;
        let mut stream = request.into_inner();
        let Some(Up::Header(header)) = stream.message().await?.and_then(|message| message.kind) else {
            self.access.role_suffices(&caller);
            return Err(upload("the first message must be the header"));
        };
        let mut p = Parser::new();
        let school_id = p.uuid("header.school_id", &header.school_id);
        let request_id = p.uuid("header.request_id", &header.request_id);
        p.required_text("header.file_name", &header.file_name, 200);
        let parsed = p.finish();
        self.access.authorize(&caller, ACTION, &Record::school(school_id)).or_status()?;
        parsed.or_status()?;

        let sight = Sight::of(&self.access, &caller);
        let client =
            self.rosters.clone().ok_or_else(|| Status::unavailable("students cannot be found: this service has no address of rosters ([peers] rosters)"))?;
        let students = Roster { client, caller: caller.clone(), school_id };
        let (answers, listener) = mpsc::channel(16);
        let (pool, no_show_limit, stop) = (self.pool.clone(), self.no_show_limit, self.stop.clone());
        tokio::spawn(async move {
            let work = async {
                let (file, digest) = receive(&mut stream, &answers).await?;
                let asked = [header.encode_to_vec(), digest].concat();
                let request = idempotency::Request::new(&caller.subject, ACTION, request_id, &asked);
                let command = Import { file, dry_run: header.dry_run, no_show_limit, request };
                let (tell, mut heard) = mpsc::channel(16);
                let passing = async {
                    while let Some(one) = heard.recv().await {
                        if answers.send(Ok(told(one))).await.is_err() {
                            // Dropping what is heard tells the import that nobody listens.
                            break;
                        }
                    }
                    drop(heard);
                };
                let importing = async move { super::import(&pool, command, &students, &sight, &tell).await };
                let (outcome, ()) = tokio::join!(importing, passing);
                outcome
            };
            let ended = tokio::select! {
                ended = work => ended,
                () = stop.cancelled() => Err(Status::unavailable("the service is stopping; nothing was written, import again")),
            };
            let _ = answers.send(ended.map(result)).await;
        });
        Ok(Response::new(Box::pin(ReceiverStream::new(listener))))
    }
}
