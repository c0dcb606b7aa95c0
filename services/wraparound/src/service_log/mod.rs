//! `service-log import`: brings sessions from a file into the plans, and says what came of it.

mod report;

use anyhow::Context as _;
use proto::plans::v1::delivery_service_client::DeliveryServiceClient;
use proto::plans::v1::import_service_log_request::Kind as Up;
use proto::plans::v1::import_service_log_response::Kind as Down;
use proto::plans::v1::{ImportServiceLogRequest, ServiceLogFinding, ServiceLogHeader, ServiceLogResult};
use tokio::io::AsyncReadExt as _;
use tokio_stream::wrappers::ReceiverStream;

use crate::acting::{Cast, Part, Person, request_id, told};
use crate::cli::{Ending, Format, ServiceLogArgs};
use crate::district;
use crate::progress::Progress;

/// What came of it.
#[derive(Clone, Debug)]
pub struct Import {
    /// The end.
    pub result: ServiceLogResult,
    /// Findings, as many as the service tells.
    pub findings: Vec<ServiceLogFinding>,
    /// Only looked.
    pub dry_run: bool,
}

impl Import {
    /// Whether the file is in, or was found good by a dry run.
    pub fn went_well(&self) -> bool {
        self.result.errors == 0
    }
}

const CHUNK: usize = 64 * 1024;

/// The command.
pub async fn run(args: ServiceLogArgs) -> anyhow::Result<Ending> {
    let (address, who) = place(&args).await?;
    let import = import(&address, &who, &args).await?;
    match args.format {
        Format::Text => print!("{}", report::text(&import)),
        Format::Json => println!("{}", report::json(&import)?),
    }
    Ok(if import.went_well() { Ending::Done } else { Ending::Refused })
}

async fn place(args: &ServiceLogArgs) -> anyhow::Result<(String, Person)> {
    let ready = if args.address.is_none() || args.token_file.is_none() { Some(district::find(None, &args.data_dir)?) } else { None };
    let address = args.address.clone().or_else(|| ready.as_ref().map(|r| r.plans.clone())).context("no address")?;
    let person = match (&args.token_file, ready) {
        (Some(file), _) => {
            let token = std::fs::read_to_string(file).with_context(|| format!("cannot read the token in {}", file.display()))?;
            Person::bearing(token.trim())
        }
        (None, Some(ready)) => Cast::new(&ready.issuer)?.plays(&Part::at_school("coordinator", &args.school, None)).await?,
        (None, None) => anyhow::bail!("name the coordinator's token with --token-file"),
    };
    Ok((address, person))
}

/// Imports a file with a progress bar.
async fn import(address: &str, who: &Person, args: &ServiceLogArgs) -> anyhow::Result<Import> {
    let file = tokio::fs::File::open(&args.path).await.with_context(|| format!("cannot read {}", args.path.display()))?;
    let about = file.metadata().await?;
    anyhow::ensure!(about.is_file(), "{} is not a file", args.path.display());
    let size = about.len();
    let header = ServiceLogHeader {
        school_id: args.school.clone(),
        dry_run: args.dry_run,
        file_name: args.path.file_name().map_or_else(|| "log.csv".to_owned(), |name| name.to_string_lossy().into_owned()),
        request_id: request_id(),
    };
    // An import has no deadline: a year's log takes a while.
    let endpoint = args.tls.endpoint(address).with_context(|| format!("{address:?} is not an address such as http://127.0.0.1:7403"))?;
    let channel = endpoint.connect().await.with_context(|| format!("the plans service does not answer at {address}"))?;
    let (send, parts) = tokio::sync::mpsc::channel(8);
    let sending = tokio::spawn(stream(file, header, send));
    let progress = Progress::new("Sending the service log", size);
    let answered = DeliveryServiceClient::new(channel).import_service_log(who.asks(ReceiverStream::new(parts))).await;
    let mut answers = answered.map_err(|status| told(&status)).context("the import was refused")?.into_inner();
    let (mut result, mut findings) = (None, Vec::new());
    while let Some(message) = answers.message().await.map_err(|status| told(&status)).context("the import broke off; nothing was written")? {
        match message.kind {
            Some(Down::Progress(p)) => {
                progress.at(if p.rows > 0 { "Checking" } else { "Sending" }, u64::try_from(p.bytes).unwrap_or(0), size);
            }
            Some(Down::Finding(finding)) => findings.push(finding),
            Some(Down::Result(end)) => result = Some(end),
            None => {}
        }
    }
    drop(progress);
    // The service may answer before it has taken everything; what it answered counts.
    sending.abort();
    Ok(Import {
        result: result.context("the import ended without a result; run it again: rows that are there are not written twice")?,
        findings,
        dry_run: args.dry_run,
    })
}

async fn stream(mut file: tokio::fs::File, header: ServiceLogHeader, send: tokio::sync::mpsc::Sender<ImportServiceLogRequest>) -> anyhow::Result<()> {
    // Nobody listens any more once the service has answered.
    if send.send(ImportServiceLogRequest { kind: Some(Up::Header(header)) }).await.is_err() {
        return Ok(());
    }
    loop {
        let mut chunk = vec![0; CHUNK];
        let read = file.read(&mut chunk).await?;
        chunk.truncate(read);
        if read == 0 || send.send(ImportServiceLogRequest { kind: Some(Up::Chunk(chunk)) }).await.is_err() {
            return Ok(());
        }
    }
}
