//! The arguments, and what each verb does.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::tls::Tls;
use crate::{generate_command, import, service_log, story, token_command, up};

/// What ended a command.
#[derive(Debug)]
pub enum Ending {
    /// All went well.
    Done,
    /// The work was refused; the findings have been printed.
    Refused,
}

/// Arguments of `wraparound`.
#[derive(Debug, Parser)]
#[command(name = "wraparound", version, about = "A student support district on one machine", long_about = LONG, max_term_width = 110)]
struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

const LONG: &str = "A student support district on one machine.\n\n\
    `wraparound up --sample` starts every service on loopback, fills the district with fictional people and says where its pages are. \
    Its sign-in asks for no password: it is for development and for looking around, never for real students.";

#[derive(Debug, Subcommand)]
enum Verb {
    /// Start the whole district in this process.
    Up(UpArgs),
    /// Write a fictional district as a OneRoster 1.2 zip.
    Generate(GenerateArgs),
    /// Bring data in.
    Import {
        #[command(subcommand)]
        what: ImportVerb,
    },
    /// Bring sessions of services from a file into the plans.
    ServiceLog {
        #[command(subcommand)]
        what: ServiceLogVerb,
    },
    /// Print a bearer token of a running development district.
    Token(TokenArgs),
    /// Act the main job out: roster, review, tiers, plan, referral, report.
    Story(StoryArgs),
}

/// How results are printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    #[default]
    Text,
    /// One JSON object.
    Json,
}

/// Arguments of `up`.
#[derive(Debug, Args)]
pub struct UpArgs {
    /// Where the district's data lives. Made where it is missing; kept between starts.
    #[arg(long, value_name = "DIR", default_value = "data", env = "WRAPAROUND_DATA_DIR")]
    pub data_dir: PathBuf,
    /// First of eight ports on 127.0.0.1: portal, rosters, reviews, plans, partners, (families), reporting, admin. 0 takes free ones.
    #[arg(long, value_name = "PORT", default_value_t = 7400, value_parser = clap::value_parser!(u16).range(0..=65528))]
    pub ports_from: u16,
    /// Fill an empty district with a fictional one: 8 schools, about 3,000 students, reviews, plans and referrals.
    #[arg(long)]
    pub sample: bool,
    /// Write the addresses as JSON to this file once everything is ready.
    #[arg(long, value_name = "PATH")]
    pub ready_file: Option<PathBuf>,
    /// Use this PostgreSQL (postgres://user:password@host:port/database) instead of a private one.
    /// The variable keeps the password out of the process list.
    #[arg(long, value_name = "URL", env = "WRAPAROUND_DATABASE_URL", hide_env_values = true)]
    pub database: Option<String>,
    /// Carry events by this Apache Kafka instead of PostgreSQL.
    #[arg(long, value_name = "HOST:PORT", env = "WRAPAROUND_KAFKA")]
    pub kafka: Option<String>,
}

/// Arguments of `generate`.
#[derive(Debug, Args)]
pub struct GenerateArgs {
    /// Schools, 1 to 1,000.
    #[arg(long)]
    pub schools: u64,
    /// Students, at least one a school, at most 2,000,000.
    #[arg(long)]
    pub students: u64,
    /// The same seed gives the same file.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// The year in which the school year ends; the current one where not given.
    #[arg(long, value_name = "YEAR")]
    pub school_year: Option<i32>,
    /// The zip to write.
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
}

#[derive(Debug, Subcommand)]
enum ImportVerb {
    /// A OneRoster 1.1 or 1.2 CSV package. Ends with 0 where it was applied (or checked), 1 where it was refused.
    Oneroster(ImportArgs),
}

/// Arguments of `import oneroster`.
#[derive(Debug, Args)]
pub struct ImportArgs {
    /// The zip, or the folder with its files.
    pub path: PathBuf,
    /// Read and check everything, write nothing.
    #[arg(long)]
    pub dry_run: bool,
    /// Go on although many students would be gone or a school be empty.
    #[arg(long)]
    pub accept_changes: bool,
    /// Address of the rosters service, e.g. http://127.0.0.1:7401; the running development district's where not given.
    #[arg(long, value_name = "ADDR")]
    pub address: Option<String>,
    /// For an address that begins with https://.
    #[command(flatten)]
    pub tls: Tls,
    /// File that holds the bearer token of a data clerk; the running development district's data clerk where not given.
    #[arg(long, value_name = "FILE")]
    pub token_file: Option<PathBuf>,
    /// Data folder of the running development district.
    #[arg(long, value_name = "DIR", default_value = "data", env = "WRAPAROUND_DATA_DIR")]
    pub data_dir: PathBuf,
    /// How the result is printed.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

#[derive(Debug, Subcommand)]
enum ServiceLogVerb {
    /// A CSV file, one session of one student a row. Ends with 0 where it was written (or checked), 1 where it was refused.
    Import(ServiceLogArgs),
}

fn school_id(text: &str) -> Result<String, String> {
    uuid::Uuid::parse_str(text).map(|id| id.to_string()).map_err(|_| "the id of a school is a UUID, as RosterService.ListSchools answers it".to_owned())
}

/// Arguments of `service-log import`.
#[derive(Debug, Args)]
pub struct ServiceLogArgs {
    /// The CSV file; its columns are in docs/COORDINATORS.md.
    pub path: PathBuf,
    /// Id of the school whose students these are.
    #[arg(long, value_name = "ID", value_parser = school_id)]
    pub school: String,
    /// Read and check everything, write nothing.
    #[arg(long)]
    pub dry_run: bool,
    /// Address of the plans service, e.g. http://127.0.0.1:7403; the running development district's where not given.
    #[arg(long, value_name = "ADDR")]
    pub address: Option<String>,
    /// For an address that begins with https://.
    #[command(flatten)]
    pub tls: Tls,
    /// File that holds the bearer token of a coordinator; one of the running development district where not given.
    #[arg(long, value_name = "FILE")]
    pub token_file: Option<PathBuf>,
    /// Data folder of the running development district.
    #[arg(long, value_name = "DIR", default_value = "data", env = "WRAPAROUND_DATA_DIR")]
    pub data_dir: PathBuf,
    /// How the result is printed.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

/// Arguments of `token`.
#[derive(Debug, Args)]
pub struct TokenArgs {
    /// Whose token: teacher, coordinator, principal, partner, data-clerk and so on; an unknown name lists all.
    #[arg(long = "as", value_name = "PERSONA")]
    pub persona: String,
    /// The development issuer, e.g. http://127.0.0.1:7407/dev-issuer; found through the data folder where not given.
    #[arg(long, value_name = "URL")]
    pub issuer: Option<String>,
    /// Ready file of the running district; data folder's own where not given.
    #[arg(long, value_name = "PATH")]
    pub ready_file: Option<PathBuf>,
    /// Data folder of the running district.
    #[arg(long, value_name = "DIR", default_value = "data", env = "WRAPAROUND_DATA_DIR")]
    pub data_dir: PathBuf,
}

/// Arguments of `story`.
#[derive(Debug, Args)]
pub struct StoryArgs {
    /// A whole school year of one class instead: reviews, a concern, a plan, services, follow-ups, spring, September.
    #[arg(long)]
    pub year: bool,
    /// A OneRoster zip or folder; a small fictional district where not given.
    #[arg(long, value_name = "PATH", conflicts_with = "year")]
    pub roster: Option<PathBuf>,
    /// Ready file of a running development district; a throw-away one is started where not given.
    #[arg(long, value_name = "READY_FILE")]
    pub address: Option<PathBuf>,
    /// PostgreSQL for the throw-away district instead of a private one.
    #[arg(long, value_name = "URL", env = "WRAPAROUND_DATABASE_URL", hide_env_values = true, conflicts_with = "address")]
    pub database: Option<String>,
    /// Apache Kafka for the throw-away district instead of the PostgreSQL log.
    #[arg(long, value_name = "HOST:PORT", env = "WRAPAROUND_KAFKA", conflicts_with = "address")]
    pub kafka: Option<String>,
    /// How the result is printed.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

/// The whole of the command. Exit codes: 0 done, 1 refused or failed, 2 wrong arguments.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("wraparound: cannot start: {error}");
            return ExitCode::FAILURE;
        }
    };
    chassis_boot::run::install_crypto();
    let done = runtime.block_on(async {
        match cli.verb {
            Verb::Up(args) => up::run(args).await,
            Verb::Generate(args) => generate_command::run(&args),
            Verb::Import { what: ImportVerb::Oneroster(args) } => import::run(args).await,
            Verb::ServiceLog { what: ServiceLogVerb::Import(args) } => service_log::run(args).await,
            Verb::Token(args) => token_command::run(args).await,
            Verb::Story(args) => story::run(args).await,
        }
    });
    // A second of patience for blocking calls; the rest of the process has ended already.
    runtime.shutdown_timeout(Duration::from_secs(1));
    match done {
        Ok(Ending::Done) => ExitCode::SUCCESS,
        Ok(Ending::Refused) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("wraparound: {error:#}");
            ExitCode::FAILURE
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_arguments_are_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn ports_leave_room_for_eight() {
        assert!(Cli::try_parse_from(["wraparound", "up", "--ports-from", "65530"]).is_err());
        assert!(Cli::try_parse_from(["wraparound", "up", "--ports-from", "0"]).is_ok());
    }
}
