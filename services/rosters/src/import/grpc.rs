//! The ImportService on the wire.

use std::pin::Pin;

use chassis_access::{Access, Caller, Record};
use chassis_rpc::fault::OrStatus as _;
use chassis_rpc::{PageToken, Parser, status};
use chrono::{DateTime, Utc};
use futures_util::Stream;
use proto::rosters::v1 as wire;
use proto::rosters::v1::import_service_server::ImportService;
use proto::rosters::v1::{run_import_request, run_import_response};
use tokio::io::AsyncWriteExt as _;
use tokio::sync::mpsc;
use tokio_stream::StreamExt as _;
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status, Streaming};
use uuid::Uuid;

use super::entity::{ImportRun, Progress, State};
use super::error::ImportError;
use super::{Imports, RunImport, Source, repo};
use crate::oneroster::Limits;

/// Bytes of one chunk at the most.
const MAX_CHUNK: usize = 1 << 20;
/// How often a waiting client is told how much has arrived.
const TELL_EVERY: u64 = 4 << 20;

/// Serves imports.
pub struct ImportServer {
    /// Runs them.
    pub imports: Imports,
    /// Decides who may.
    pub access: Access,
    /// Sizes that are refused.
    pub limits: Limits,
    /// Ends uploads when the process stops.
    pub stop: CancellationToken,
}

type Answers = Pin<Box<dyn Stream<Item = Result<wire::RunImportResponse, Status>> + Send>>;

#[tonic::async_trait]
impl ImportService for ImportServer {
    type RunImportStream = Answers;

    async fn run_import(&self, request: Request<Streaming<wire::RunImportRequest>>) -> Result<Response<Answers>, Status> {
        let caller = Caller::of(&request)?;
        self.access.authorize(&caller, "rosters.RunImport", &Record::district()).or_status()?;
        let mut upload = request.into_inner();
        let header = match upload.message().await?.and_then(|message| message.part) {
            Some(run_import_request::Part::Header(header)) => header,
            _ => return Err(status(ImportError::Upload("the first message of an upload must be its header"))),
        };
        let mut parser = Parser::new();
        let source_name = parser.required_text("header.source_name", &header.source_name, 200);
        let request_id = parser.uuid("header.request_id", &header.request_id);
        parser.finish().or_status()?;
        // Only the file's own name, whichever system it was written on.
        let source_name = source_name.rsplit(['/', '\\']).next().unwrap_or_default().to_owned();
        let (answers, listener) = mpsc::channel(16);
        let (imports, limits, stop) = (self.imports.clone(), self.limits, self.stop.clone());
        tokio::spawn(async move {
            let work = async {
                let file = receive(&mut upload, limits, &answers).await?;
                let command = RunImport {
                    source: Source { path: file.path().to_owned(), name: source_name, limits },
                    dry_run: header.dry_run,
                    accept_changes: header.accept_changes,
                    caller: caller.subject.clone(),
                    request_id,
                };
                follow(&imports, command, &answers).await
            };
            let ended = tokio::select! {
                ended = work => ended,
                () = stop.cancelled() => Err(Status::unavailable("the service is stopping; import again")),
            };
            let last = ended.map(|run| answer(run_import_response::Part::Run(render(run))));
            // A client that went away does not hear the end; the run's record tells it.
            let _ = answers.send(last).await;
        });
        Ok(Response::new(Box::pin(ReceiverStream::new(listener))))
    }

    async fn get_import_run(&self, request: Request<wire::GetImportRunRequest>) -> Result<Response<wire::GetImportRunResponse>, Status> {
        let caller = Caller::of(&request)?;
        self.access.authorize(&caller, "rosters.GetImportRun", &Record::district()).or_status()?;
        let mut parser = Parser::new();
        let id = parser.uuid("import_run_id", &request.get_ref().import_run_id);
        parser.finish().or_status()?;
        let run = self.find(id).await.or_status()?;
        Ok(Response::new(wire::GetImportRunResponse { run: Some(render(run)) }))
    }

    async fn list_import_runs(&self, request: Request<wire::ListImportRunsRequest>) -> Result<Response<wire::ListImportRunsResponse>, Status> {
        let caller = Caller::of(&request)?;
        self.access.authorize(&caller, "rosters.ListImportRuns", &Record::district()).or_status()?;
        let message = request.into_inner();
        let page = PageToken::page::<Uuid>(message.page_size, &message.page_token, "runs", 20, 100).or_status()?;
        let mut runs = async { repo::list_runs(&mut *self.imports.pool().acquire().await?, page.after, page.size + 1).await }.await.or_status()?;
        let next_page_token = PageToken::cut(&mut runs, page.size, "runs", |run| run.id);
        Ok(Response::new(wire::ListImportRunsResponse { runs: runs.into_iter().map(render).collect(), next_page_token }))
    }

    async fn list_import_issues(&self, request: Request<wire::ListImportIssuesRequest>) -> Result<Response<wire::ListImportIssuesResponse>, Status> {
        let caller = Caller::of(&request)?;
        self.access.authorize(&caller, "rosters.ListImportIssues", &Record::district()).or_status()?;
        let message = request.into_inner();
        let mut parser = Parser::new();
        let id = parser.uuid("import_run_id", &message.import_run_id);
        parser.finish().or_status()?;
        let filter = id.to_string();
        let page = PageToken::page::<i32>(message.page_size, &message.page_token, &filter, 100, 500).or_status()?;
        self.find(id).await.or_status()?;
        let mut issues =
            async { repo::list_issues(&mut *self.imports.pool().acquire().await?, id, page.after.unwrap_or(0), page.size + 1).await }.await.or_status()?;
        let next_page_token = PageToken::cut(&mut issues, page.size, &filter, |issue| issue.position);
        let issues = issues.into_iter().map(render_issue).collect();
        Ok(Response::new(wire::ListImportIssuesResponse { issues, next_page_token }))
    }
}

impl ImportServer {
    async fn find(&self, id: Uuid) -> Result<ImportRun, ImportError> {
        repo::find_run(&mut *self.imports.pool().acquire().await?, id).await?.ok_or(ImportError::NotFound)
    }
}

/// Takes the upload into a temporary file, which goes away with its handle.
async fn receive(
    upload: &mut Streaming<wire::RunImportRequest>,
    limits: Limits,
    answers: &mpsc::Sender<Result<wire::RunImportResponse, Status>>,
) -> Result<tempfile::NamedTempFile, Status> {
    let disk = |error| status(ImportError::Disk(error));
    let file = tempfile::NamedTempFile::new().map_err(disk)?;
    let mut out = tokio::fs::File::from_std(file.reopen().map_err(disk)?);
    let (mut got, mut told) = (0u64, 0u64);
    while let Some(message) = upload.message().await? {
        let Some(run_import_request::Part::Chunk(chunk)) = message.part else {
            return Err(status(ImportError::Upload("after the header come chunks only")));
        };
        if chunk.len() > MAX_CHUNK {
            return Err(status(ImportError::Upload("a chunk must not be larger than 1 MiB")));
        }
        got += chunk.len() as u64;
        if got > limits.zip_bytes {
            return Err(status(ImportError::Upload("the package is larger than this district takes")));
        }
        out.write_all(&chunk).await.map_err(disk)?;
        if got - told >= TELL_EVERY {
            told = got;
            let _ = answers.try_send(Ok(progress(Progress { phase: "receive", file: "", done: got, total: 0 })));
        }
    }
    out.flush().await.map_err(disk)?;
    Ok(file)
}

/// Runs the import and tells its progress, at most as fast as the client listens.
async fn follow(imports: &Imports, command: RunImport, answers: &mpsc::Sender<Result<wire::RunImportResponse, Status>>) -> Result<ImportRun, Status> {
    let (tell, told) = mpsc::channel(4);
    let mut told = ReceiverStream::new(told);
    let run = imports.run(command, tell);
    tokio::pin!(run);
    loop {
        tokio::select! {
            ended = &mut run => return ended.or_status(),
            Some(step) = told.next() => {
                let _ = answers.try_send(Ok(progress(step)));
            }
        }
    }
}

fn answer(part: run_import_response::Part) -> wire::RunImportResponse {
    wire::RunImportResponse { part: Some(part) }
}

fn progress(step: Progress) -> wire::RunImportResponse {
    answer(run_import_response::Part::Progress(wire::ImportProgress {
        phase: step.phase.to_owned(),
        file: step.file.to_owned(),
        done: i64::try_from(step.done).unwrap_or(i64::MAX),
        total: i64::try_from(step.total).unwrap_or(i64::MAX),
    }))
}

fn time(at: DateTime<Utc>) -> prost_types::Timestamp {
    prost_types::Timestamp { seconds: at.timestamp(), nanos: at.timestamp_subsec_nanos() as i32 }
}

fn render(run: ImportRun) -> wire::ImportRun {
    let state = match run.state {
        State::Validating => wire::ImportState::Validating,
        State::Refused => wire::ImportState::Refused,
        State::Checked => wire::ImportState::Checked,
        State::Applied => wire::ImportState::Applied,
        State::NeedsApproval => wire::ImportState::NeedsApproval,
    };
    let files = run.files.into_iter().map(|file| wire::ImportFileSummary {
        file: file.file,
        rows: file.rows,
        added: file.added,
        changed: file.changed,
        unchanged: file.unchanged,
        skipped: file.skipped,
        missing: file.missing,
    });
    wire::ImportRun {
        import_run_id: run.id.to_string(),
        state: state.into(),
        dry_run: run.dry_run,
        source_name: run.source_name,
        start_time: Some(time(run.started_at)),
        end_time: run.ended_at.map(time),
        error_count: run.error_count,
        warning_count: run.warning_count,
        files: files.collect(),
    }
}

fn render_issue(issue: repo::Issue) -> wire::ImportIssue {
    let severity = if issue.severity == "error" { wire::ImportIssueSeverity::Error } else { wire::ImportIssueSeverity::Warning };
    wire::ImportIssue {
        severity: severity.into(),
        file: issue.file,
        line: issue.line,
        column: issue.column_name,
        rule: issue.rule,
        value: issue.value,
        hint: issue.hint,
        occurrences: issue.occurrences,
    }
}
