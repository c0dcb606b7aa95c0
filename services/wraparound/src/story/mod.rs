//! `story`: the main job, acted out over gRPC: roster, one class reviewed, tiers, plan, a referral sent, accepted,
//! attended and closed, the report. It prints each link of one need's chain. With `--year`, a whole school year instead.

mod chain;
mod journey;
mod report;
mod year;

use std::path::PathBuf;

use anyhow::Context as _;

use crate::cli::{Ending, Format, StoryArgs};
use crate::district::ready::Ready;
use crate::district::{District, DistrictOptions};
use crate::progress::say;

use journey::Journey;

/// The command: against a running district, or a throw-away one of its own.
pub async fn run(args: StoryArgs) -> anyhow::Result<Ending> {
    if let Some(ready_file) = &args.address {
        let ready = Ready::read(ready_file)?;
        ready.keep_its_time()?;
        act(&ready, &args).await?;
        return Ok(Ending::Done);
    }
    let folder = tempfile::Builder::new().prefix("wraparound-story-").tempdir().context("no room for a temporary folder")?;
    let options = DistrictOptions {
        data_dir: folder.path().join("data"),
        ports_from: 0,
        database: args.database.clone().map(Into::into),
        kafka: args.kafka.clone(),
        throw_away: true,
    };
    say("Starting a throw-away district for the story …");
    let district = District::start(&options).await?;
    let acted = tokio::select! {
        acted = act(&district.ready, &args) => acted,
        _ = tokio::signal::ctrl_c() => Err(anyhow::anyhow!("the story was interrupted")),
    };
    let log = options.data_dir.join("wraparound.log");
    let kept = acted.is_err().then(|| keep_log(&log)).flatten();
    district.stop().await?;
    match (acted, kept) {
        (Err(error), Some(path)) => Err(error.context(format!("the story did not come to its end (the district's log is kept as {})", path.display()))),
        (acted, _) => acted.map(|()| Ending::Done),
    }
}

/// The throw-away folder goes; its log may say why the story failed.
fn keep_log(log: &std::path::Path) -> Option<PathBuf> {
    let to = std::env::temp_dir().join(format!("wraparound-story-{}.log", std::process::id()));
    std::fs::copy(log, &to).ok().map(|_| to)
}

async fn act(ready: &Ready, args: &StoryArgs) -> anyhow::Result<()> {
    if args.year {
        let mut year = year::Year::new(ready)?;
        let told = year.run().await;
        match args.format {
            Format::Text => print!("{}", year::text(&year.steps)),
            Format::Json => println!("{}", year::json(&year.steps, year.school_year, told.is_ok())?),
        }
        return told;
    }
    let mut journey = Journey::new(ready, args.roster.clone())?;
    let told = journey.run().await;
    // Where it failed, what went before still says how far it came.
    match args.format {
        Format::Text => print!("{}", chain::text(&journey.told)),
        Format::Json => println!("{}", chain::json(&journey.told, told.is_ok())?),
    }
    told
}
