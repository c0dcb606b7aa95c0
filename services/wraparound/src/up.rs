//! `up`: the whole district until Ctrl-C.

use anyhow::Context as _;

use crate::cli::{Ending, UpArgs};
use crate::district::{DataFolder, District, DistrictOptions, ready};
use crate::progress::say;
use crate::sample;

/// Starts the district, fills it where asked, says where it is and waits.
pub async fn run(args: UpArgs) -> anyhow::Result<Ending> {
    let began = std::time::Instant::now();
    // Held to the end: the ready file of a district that is running must stay.
    let _folder = DataFolder::take(&args.data_dir)?;
    let files: Vec<_> = std::iter::once(ready::in_data_dir(&args.data_dir)).chain(args.ready_file.clone()).collect();
    for file in &files {
        // One of an earlier run that was killed would say "ready" too early.
        if let Err(error) = std::fs::remove_file(file)
            && error.kind() != std::io::ErrorKind::NotFound
        {
            return Err(error).with_context(|| format!("cannot remove the old ready file {}", file.display()));
        }
    }
    let options = DistrictOptions {
        data_dir: args.data_dir.clone(),
        ports_from: args.ports_from,
        database: args.database.map(Into::into),
        kafka: args.kafka,
        throw_away: false,
    };
    say("Starting a development district on 127.0.0.1 …");
    let district = tokio::select! {
        started = District::start(&options) => started?,
        _ = tokio::signal::ctrl_c() => { say("Stopped before the district was up. Nothing is half done; start it again."); return Ok(Ending::Done); }
    };
    let stop = tokio::select! {
        filled = fill(args.sample, &district, &options) => { filled?; false }
        () = interrupted() => true,
    };
    if stop {
        say("Stopped while the sample was being filled. The next start with --sample goes on from there.");
        district.stop().await?;
        return Ok(Ending::Done);
    }
    for file in &files {
        district.ready.write(file)?;
    }
    summary(&district, &options, began.elapsed());
    district.until_stopped().await?;
    for file in &files {
        // Gone already is as good.
        let _ = std::fs::remove_file(file);
    }
    say("Stopped. The data stays; the next start takes seconds.");
    Ok(Ending::Done)
}

async fn interrupted() {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut term) = signal(SignalKind::terminate()) else { return std::future::pending().await };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = term.recv() => {}
    }
}

async fn fill(wanted: bool, district: &District, options: &DistrictOptions) -> anyhow::Result<()> {
    if wanted {
        sample::fill(&district.ready, &options.data_dir, sample::Size::default())
            .await
            .context("the sample could not be filled; what is there stays, and the next start with --sample goes on")?;
    }
    Ok(())
}

fn summary(district: &District, options: &DistrictOptions, took: std::time::Duration) {
    let ready = &district.ready;
    say(&format!(
        "\nThe district is ready ({:.1} s).\n\n\
         \x20 Portal       {}\n\
         \x20 Sign in      press \"Sign in\" there and choose who to be: teacher, coordinator, principal, partner …\n\
         \x20 Services     rosters {}  reviews {}  plans {}\n\
         \x20              partners {}  reporting {}   (gRPC with reflection)\n\
         \x20 Operators    {}/livez /readyz /metrics\n\
         \x20 A token      wraparound token --as coordinator --data-dir {}\n\
         \x20 Database     {}\n\
         \x20 Log          {}\n\n\
         Every person in it is fictional, and sign-in asks for no password: for development only, on this machine only.\n\
         Press Ctrl-C to stop; the data stays in {}.\n",
        took.as_secs_f32(),
        ready.portal,
        ready.rosters,
        ready.reviews,
        ready.plans,
        ready.partners,
        ready.reporting,
        ready.admin,
        options.data_dir.display(),
        ready.database,
        options.data_dir.join("wraparound.log").display(),
        options.data_dir.display(),
    ));
}
