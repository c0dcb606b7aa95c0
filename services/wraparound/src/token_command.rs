//! `token`: a bearer token of the running development district.

use crate::acting::Cast;
use crate::cli::{Ending, TokenArgs};
use crate::district;

/// Prints the token alone, so that it can be taken by a shell.
pub async fn run(args: TokenArgs) -> anyhow::Result<Ending> {
    let issuer = match args.issuer {
        Some(issuer) => issuer,
        None => district::find(args.ready_file.as_deref(), &args.data_dir)?.issuer,
    };
    println!("{}", Cast::new(&issuer)?.persona(&args.persona).await?);
    Ok(Ending::Done)
}
