//! `import oneroster`: brings a roster in through the import service, and says what came of it.

mod package;
mod report;

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use proto::rosters::v1::import_service_client::ImportServiceClient;
use proto::rosters::v1::run_import_request::Part as Up;
use proto::rosters::v1::run_import_response::Part as Down;
use proto::rosters::v1::{ImportIssue, ImportRun, ImportState, ListImportIssuesRequest, RunImportHeader, RunImportRequest};
use tokio::io::AsyncReadExt as _;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::Channel;

use crate::acting::{Cast, Part, Person, Told as _, request_id, told};
use crate::cli::{Ending, Format, ImportArgs};
use crate::district;
use crate::progress::Progress;
use crate::tls::Tls;

/// What to import and how.
#[derive(Clone, Debug)]
pub struct Upload {
    /// A zip or a folder.
    pub path: PathBuf,
    /// Only look.
    pub dry_run: bool,
    /// Go on although the delta guard would stop.
    pub accept_changes: bool,
}

/// What came of it.
#[derive(Clone, Debug)]
pub struct Result {
    /// The run.
    pub run: ImportRun,
    /// Its findings, at most [`MOST_ISSUES`].
    pub issues: Vec<ImportIssue>,
}

impl Result {
    /// Whether the roster is in, or was found good by a dry run.
    pub fn went_well(&self) -> bool {
        matches!(self.run.state(), ImportState::Applied | ImportState::Checked)
    }
}

/// Findings that are fetched; the run's counts tell how many there are in all.
pub const MOST_ISSUES: usize = 2_000;
const CHUNK: usize = 256 * 1024;

/// The command.
pub async fn run(args: ImportArgs) -> anyhow::Result<Ending> {
    let (address, who) = place(&args).await?;
    let tls = args.tls;
    let upload = Upload { path: args.path, dry_run: args.dry_run, accept_changes: args.accept_changes };
    let result = import(&address, &tls, &who, &upload).await?;
    match args.format {
        Format::Text => print!("{}", report::text(&result)),
        Format::Json => println!("{}", report::json(&result)?),
    }
    Ok(if result.went_well() { Ending::Done } else { Ending::Refused })
}

async fn place(args: &ImportArgs) -> anyhow::Result<(String, Person)> {
    let ready = if args.address.is_none() || args.token_file.is_none() { Some(district::find(None, &args.data_dir)?) } else { None };
    let address = args.address.clone().or_else(|| ready.as_ref().map(|r| r.rosters.clone())).context("no address")?;
    let person = match (&args.token_file, ready) {
        (Some(file), _) => {
            let token = std::fs::read_to_string(file).with_context(|| format!("cannot read the token in {}", file.display()))?;
            Person::bearing(token.trim())
        }
        (None, Some(ready)) => Cast::new(&ready.issuer)?.plays(&Part::district("data_clerk")).await?,
        (None, None) => anyhow::bail!("name the data clerk's token with --token-file"),
    };
    Ok((address, person))
}

/// Imports a package with a progress bar.
pub async fn import(address: &str, tls: &Tls, who: &Person, upload: &Upload) -> anyhow::Result<Result> {
    let package = package::open(&upload.path)?;
    let size = package.size;
    // An import has no deadline: a large district takes minutes.
    let endpoint = tls.endpoint(address).with_context(|| format!("{address:?} is not an address such as http://127.0.0.1:7401"))?;
    let channel = endpoint.connect().await.with_context(|| format!("the rosters service does not answer at {address}"))?;
    let mut client = ImportServiceClient::new(channel);
    let header =
        RunImportHeader { source_name: package.name.clone(), dry_run: upload.dry_run, accept_changes: upload.accept_changes, request_id: request_id() };
    let (send, parts) = tokio::sync::mpsc::channel(8);
    let sending = tokio::spawn(stream(package, header, send));
    let progress = Progress::new("Sending the roster", size);
    let answered = client.run_import(who.asks(ReceiverStream::new(parts))).await;
    let mut answers = answered.map_err(|status| told(&status)).context("the import was refused")?.into_inner();
    let mut run = None;
    while let Some(message) = answers.message().await.map_err(|status| told(&status)).context("the import broke off; nothing was written")? {
        match message.part {
            Some(Down::Progress(p)) => {
                let label = if p.file.is_empty() { phase(&p.phase).to_owned() } else { format!("{} {}", phase(&p.phase), p.file) };
                progress.at(&label, u64::try_from(p.done).unwrap_or(0), u64::try_from(p.total).unwrap_or(0));
            }
            Some(Down::Run(found)) => run = Some(found),
            None => {}
        }
    }
    drop(progress);
    // The server may answer before it has taken everything; what it answered counts.
    sending.abort();
    let run = run.context("the import ended without a result; look at its list of runs before you try again")?;
    let issues = issues(&mut client, who, &run).await?;
    Ok(Result { run, issues })
}

fn phase(code: &str) -> &str {
    match code {
        "receive" => "Receiving",
        "validate" => "Checking",
        "stage" => "Staging",
        "check" => "Checking references",
        "apply" => "Writing",
        "publish" => "Telling the other services",
        other => other,
    }
}

async fn stream(package: package::Package, header: RunImportHeader, send: tokio::sync::mpsc::Sender<RunImportRequest>) -> anyhow::Result<()> {
    let mut file = tokio::fs::File::from_std(package.file.reopen()?);
    // Nobody listens any more once the server has answered.
    if send.send(RunImportRequest { part: Some(Up::Header(header)) }).await.is_err() {
        return Ok(());
    }
    loop {
        let mut chunk = vec![0; CHUNK];
        let read = file.read(&mut chunk).await?;
        chunk.truncate(read);
        if read == 0 || send.send(RunImportRequest { part: Some(Up::Chunk(chunk)) }).await.is_err() {
            return Ok(());
        }
    }
}

async fn issues(client: &mut ImportServiceClient<Channel>, who: &Person, run: &ImportRun) -> anyhow::Result<Vec<ImportIssue>> {
    let mut issues = Vec::new();
    let mut page_token = String::new();
    while run.error_count + run.warning_count > 0 && issues.len() < MOST_ISSUES {
        let request = ListImportIssuesRequest { import_run_id: run.import_run_id.clone(), page_size: 500, page_token };
        let page = client.list_import_issues(who.asks(request)).await.told("the findings cannot be read")?;
        issues.extend(page.issues);
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    Ok(issues)
}

/// The file name to show for a path.
fn shown_name(path: &Path) -> String {
    path.file_name().map_or_else(|| "roster".to_owned(), |name| name.to_string_lossy().into_owned())
}
