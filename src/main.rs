//! The command line. What the subcommands do is in the library.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use chinwag::accounts::second_factor;
use chinwag::config::{self, BadValue, Config};
use chinwag::db::embedded::StartError;
use chinwag::error::Error;
use chinwag::id::JobId;
use chinwag::import::{self, Input, Options, SourceName};
use chinwag::jobs::{self, Which};
use chinwag::start::{self, Database};
use chinwag::users::{self, ServerRole};
use clap::{Parser, Subcommand};
use tokio::runtime::Runtime;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// 14 % less for a query than the system's.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Exit statuses beside 0.
const FAILED: u8 = 1;
const SOME_LINES_WERE_BAD: u8 = 2;
const INTERRUPTED: i32 = 130;

/// What is still running when a command has ended may take so long to end too.
const LAST_MOMENTS: Duration = Duration::from_secs(2);

/// A chat server with a GraphQL API and subscriptions.
///
/// Without a subcommand it serves. It needs no set-up: without DATABASE_URL it runs a PostgreSQL of its own in DATA_DIR.
#[derive(Parser)]
#[command(version, after_help = config::VARIABLES)]
struct CommandLine {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Run the server (the default)
    ///
    /// Prints where it is reached and where its data is, then serves until SIGINT or SIGTERM: it finishes what runs,
    /// closes sockets and stops its database. A second signal ends it at once.
    Serve,
    /// Bring the database to the newest schema
    ///
    /// The server does the same at each start; several may at once.
    Migrate,
    /// Print the GraphQL schema as SDL
    Schema,
    /// Load conversations from a file of JSON lines
    ///
    /// One object a line, plain or gzip, with the fields channel, id, at, kind (message, action, join, part, nick),
    /// nick, new_nick, text and reply_to; see the README. Works beside a running server, whose people see it happen.
    /// Run twice it adds nothing; interrupted, run it again.
    ///
    /// Exit status: 0 when all is loaded, 2 when lines were skipped (each is named on standard error), 1 when it failed.
    Import {
        /// The file; - for standard input
        file: PathBuf,
        /// Where it came from: usernames of its people end in ~NAME, and a later file of the same name goes on where
        /// this one ends [default: the file's name]
        #[arg(long, value_name = "NAME", value_parser = source_name)]
        source: Option<SourceName>,
        /// Put answers into threads, each under the first message of theirs that is in none
        #[arg(long)]
        threads: bool,
    },
    /// Sign access tokens by a new key from now on
    ///
    /// Works beside running servers, which take it up at once and ask nobody to sign in again: those before it are good
    /// until what they signed has run out, a quarter of an hour later.
    RotateKeys {
        /// The old keys are good no more, as after a theft: clients refresh their tokens
        #[arg(long)]
        drop_old: bool,
    },
    /// Manage people
    #[command(subcommand)]
    User(UserCommand),
    /// See to dead letters: work that failed for good
    ///
    /// Works beside a running server, which takes up what is to be tried again at once.
    #[command(subcommand)]
    Jobs(JobsCommand),
}

#[derive(Subcommand)]
enum JobsCommand {
    /// Print them as JSON lines, those that died first first
    List,
    /// Have them tried again
    Retry(Chosen),
    /// Forget them
    Drop(Chosen),
}

#[derive(clap::Args)]
#[group(required = true, multiple = false)]
struct Chosen {
    /// Which ones, as `list` names them
    #[arg(value_name = "ID", value_parser = job)]
    ids: Vec<JobId>,
    /// All of them
    #[arg(long)]
    all: bool,
}

#[derive(Subcommand)]
enum UserCommand {
    /// Give somebody a role on the server
    Promote {
        /// Their username
        name: String,
        /// ADMIN runs the server, MODERATOR handles reports and sanctions, USER uses it
        #[arg(long, value_parser = role)]
        role: ServerRole,
    },
    /// Let somebody sign in by their password alone, who has lost their authenticator app and the recovery codes
    ///
    /// Make sure that it is them who ask: whoever else knows the password is only kept out by this. They are told.
    DropSecondFactor {
        /// Their username
        name: String,
    },
}

/// Why a command failed, in a line for people.
struct Failure(String);

fn main() -> ExitCode {
    let command_line = match CommandLine::try_parse() {
        Ok(command_line) => command_line,
        // Not clap's own 2, which says something else here.
        Err(error) => {
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { FAILED } else { 0 });
        }
    };
    match run(command_line.command.unwrap_or(Command::Serve)) {
        Ok(status) => ExitCode::from(status),
        Err(Failure(why)) => {
            eprintln!("chinwag: {why}");
            ExitCode::from(FAILED)
        }
    }
}

fn run(command: Command) -> Result<u8, Failure> {
    if let Command::Schema = command {
        print!("{}", chinwag::api::sdl());
        return Ok(0);
    }
    config::read_env_files()?;
    let config = Config::from_env()?;
    config.log.start();
    match command {
        Command::Schema => unreachable!("it needs no configuration"),
        Command::Serve => serve(config).map(|()| 0),
        Command::Migrate => migrate(&config).map(|()| 0),
        Command::Import { file, source, threads } => import(config, file, source, threads),
        Command::RotateKeys { drop_old } => {
            println!("{} signs from now on.", start::rotate_keys(&config.data, drop_old)?);
            Ok(0)
        }
        Command::User(UserCommand::Promote { name, role }) => promote(config, &name, role).map(|()| 0),
        Command::User(UserCommand::DropSecondFactor { name }) => drop_second_factor(config, &name).map(|()| 0),
        Command::Jobs(command) => see_to_jobs(config, command).map(|()| 0),
    }
}

fn serve(config: Config) -> Result<(), Failure> {
    // Before a database is started for it.
    let executor = start::executor(&config)?;
    let database = Database::to_serve(&config.data)?;
    with_runtime(async {
        let keys = start::kept_keys(&config)?;
        let app = database.app(config, keys).await?;
        Ok(start::serve(app, executor, stop_by_signal()?).await?)
    })
}

fn migrate(config: &Config) -> Result<(), Failure> {
    let database = Database::to_use(&config.data)?;
    with_runtime(async {
        match database.migrate().await? {
            0 => println!("The database is up to date."),
            1 => println!("Ran one migration."),
            several => println!("Ran {several} migrations."),
        }
        Ok(())
    })
}

fn import(config: Config, file: PathBuf, source: Option<SourceName>, threads: bool) -> Result<u8, Failure> {
    let source = source.or_else(|| SourceName::of_file(&file)).ok_or("name the source with --source")?;
    // Before a database is started for it.
    let input = Input::open(&file).map_err(|error| format!("{}: {error}", file.display()))?;
    let database = Database::to_use(&config.data)?;
    with_runtime(async {
        let app = database.app(config, start::passing_keys()).await?;
        let mut progress = import::Progress::of(&input);
        let options = Options { source, is_threaded: threads };
        let done = import::import(&app, options, input, |news| progress.show(news)).await;
        progress.finish();
        let summary = done?;
        println!("{}", progress.summary(&summary));
        Ok(if summary.bad > 0 { SOME_LINES_WERE_BAD } else { 0 })
    })
}

fn promote(config: Config, name: &str, role: ServerRole) -> Result<(), Failure> {
    let database = Database::to_use(&config.data)?;
    with_runtime(async {
        let app = database.app(config, start::passing_keys()).await?;
        users::promote(&app, name, role).await?;
        println!("{name} has this role now.");
        Ok(())
    })
}

fn drop_second_factor(config: Config, name: &str) -> Result<(), Failure> {
    let database = Database::to_use(&config.data)?;
    with_runtime(async {
        let app = database.app(config, start::passing_keys()).await?;
        match second_factor::drop_from(&app, name).await? {
            true => println!("{name} signs in by password alone now."),
            false => println!("{name} has no second factor."),
        }
        Ok(())
    })
}

fn see_to_jobs(config: Config, command: JobsCommand) -> Result<(), Failure> {
    let database = Database::to_use(&config.data)?;
    with_runtime(async {
        let app = database.app(config, start::passing_keys()).await?;
        let (count, what) = match command {
            JobsCommand::List => {
                for dead in jobs::list(&app).await? {
                    println!("{}", dead.as_json());
                }
                return Ok(());
            }
            JobsCommand::Retry(chosen) => (jobs::retry(&app, &chosen.into()).await?, "tried again"),
            JobsCommand::Drop(chosen) => (jobs::drop(&app, &chosen.into()).await?, "dropped"),
        };
        match count {
            1 => println!("One job is {what}."),
            count => println!("{count} jobs are {what}."),
        }
        Ok(())
    })
}

/// The database is started before and stopped after: both block, and what runs here has connections to it.
fn with_runtime<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = Runtime::new().map_err(|error| format!("cannot start threads: {error}"))?;
    let done = runtime.block_on(work);
    runtime.shutdown_timeout(LAST_MOMENTS);
    done
}

/// Cancelled by the first SIGINT or SIGTERM; the second ends the process at once, and the kernel its database. On a thread
/// of its own, which still listens while the database stops.
fn stop_by_signal() -> Result<CancellationToken, Failure> {
    let failed = |error| format!("cannot listen for signals: {error}");
    let shutdown = CancellationToken::new();
    let first = shutdown.clone();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().map_err(failed)?;
    let (mut interrupt, mut terminate) = {
        let _context = runtime.enter();
        (signal(SignalKind::interrupt()).map_err(failed)?, signal(SignalKind::terminate()).map_err(failed)?)
    };
    let listen = async move {
        loop {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            if first.is_cancelled() {
                std::process::exit(INTERRUPTED);
            }
            first.cancel();
        }
    };
    std::thread::Builder::new().name("signals".into()).spawn(move || runtime.block_on(listen)).map_err(failed)?;
    Ok(shutdown)
}

impl From<Chosen> for Which {
    fn from(chosen: Chosen) -> Self {
        if chosen.all { Self::All } else { Self::These(chosen.ids) }
    }
}

fn job(text: &str) -> Result<JobId, &'static str> {
    JobId::parse(text).ok_or("wants a job's id, as `chinwag jobs list` shows it")
}

fn source_name(text: &str) -> Result<SourceName, &'static str> {
    SourceName::from(text).ok_or("wants 1 to 32 letters, digits, dots, dashes and underscores")
}

fn role(text: &str) -> Result<ServerRole, &'static str> {
    match text.to_uppercase().as_str() {
        "ADMIN" => Ok(ServerRole::Admin),
        "MODERATOR" => Ok(ServerRole::Moderator),
        "USER" => Ok(ServerRole::User),
        _ => Err("wants ADMIN, MODERATOR or USER"),
    }
}

impl From<String> for Failure {
    fn from(why: String) -> Self {
        Self(why)
    }
}

impl From<&str> for Failure {
    fn from(why: &str) -> Self {
        Self(why.into())
    }
}

impl From<BadValue> for Failure {
    fn from(BadValue(why): BadValue) -> Self {
        Self(why)
    }
}

impl From<StartError> for Failure {
    fn from(error: StartError) -> Self {
        Self(error.to_string())
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error.cause() {
            Some(cause) => Self(format!("{}: {cause}", error.message())),
            None => Self(error.message().to_owned()),
        }
    }
}
