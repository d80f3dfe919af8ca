//! The command line. One clear line on standard error where something fails: 2 for what was asked wrongly, 1 for what
//! failed while it was done, 3 where `kith upgrade --check` finds something to be done.

mod backup;

use std::{
    fmt::Display,
    io::{self, Write},
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::{Parser, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};
use kith::{
    config::{Config, example},
    operator::{
        self, ImportError,
        client::Operator,
        inspect::{self, Subject},
        repair,
        verify::{self, Progress},
    },
    reports::{ReportLine, ReportText},
    server,
    store::sqlite::upgrade::{self, Due},
    telemetry,
};
use kith_protocol::{ReportId, visible};

#[derive(Parser)]
#[command(name = "kith", version, about = "A messenger server that people run themselves")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
    /// The configuration file.
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The data directory, instead of the configured one.
    #[arg(long, global = true, value_name = "DIR")]
    data: Option<PathBuf>,
}

#[derive(Subcommand)]
enum Command {
    /// Run the server.
    Serve {
        /// The address for people, instead of the configured one.
        #[arg(long, value_name = "ADDRESS")]
        listen: Option<std::net::SocketAddr>,
        /// The address for the operator, instead of the configured one.
        #[arg(long, value_name = "ADDRESS")]
        operator_listen: Option<std::net::SocketAddr>,
    },
    /// Print a documented example of a configuration file.
    Config,
    /// List, reset, sign out, suspend or remove a user.
    #[command(subcommand)]
    User(User),
    /// Make many users.
    #[command(subcommand)]
    Users(Users),
    /// Replace a key of the server that may be in other hands.
    #[command(subcommand)]
    Secrets(Secrets),
    /// List, show or close what users have reported.
    #[command(subcommand)]
    Reports(Reports),
    /// Make an invite, with which one person can sign up.
    Invite,
    /// Print what is kept of something, without texts and secrets, beside a server that runs.
    Inspect {
        /// user_…, conv_…, conv_….SEQ, media_…, @NAME, or one of server, names, directs, invites, channels, active, pushes,
        /// expiring, requests, reports, collects, uploads, due.
        what: Subject,
    },
    /// Check that a data directory or a backup holds together; nothing is changed.
    Verify {
        /// The directory, instead of the configured one.
        dir: Option<PathBuf>,
    },
    /// Repair what can be repaired of a damaged data directory without inventing anything. It must not be in use. What is
    /// changed is copied to a file in the directory first. Exit status: 0 where nothing is damaged any longer, 1 where
    /// something stays damaged.
    Repair {
        /// Only print what would be done; nothing is changed. Exit status: 0 where nothing is to be done, 3 where something
        /// is, 1 where it cannot be said or something would stay damaged and nothing can be done.
        #[arg(long)]
        dry_run: bool,
    },
    /// Upgrade a data directory that an older version wrote, as the first start of the server does too. It must not be in
    /// use, and older versions do not read it any longer: back it up before.
    Upgrade {
        /// Only print the directory's version and the steps that would be made, also beside a server that runs; nothing is
        /// changed. Exit status: 0 where nothing is to be done, 3 where something is, 1 where it cannot be said.
        #[arg(long)]
        check: bool,
    },
    /// Say that the machine's clock is right.
    #[command(subcommand)]
    Clock(Clock),
    /// Make the search index anew from the messages, while the server runs or not.
    Reindex,
    /// Copy what is kept, as of one moment, into a new or empty folder, while the server runs or not. The command writes it,
    /// so that it may be any place that whoever runs it can write to. One that was interrupted goes on when it is repeated.
    Backup {
        /// The folder.
        dir: PathBuf,
        /// Link the media that this earlier backup has, instead of copying them. It must be on the same file system.
        #[arg(long, value_name = "BACKUP")]
        since: Option<PathBuf>,
    },
    /// Copy a backup into a data directory that is new or empty, and check every byte of it. It says what a restore brings
    /// back to life.
    Restore {
        /// The backup.
        backup: PathBuf,
    },
}

#[derive(Subcommand)]
enum User {
    /// List all users.
    List,
    /// Print a new password that signs in once, within a day; all devices are signed out.
    Reset {
        /// The username.
        name: String,
    },
    /// Sign all devices of a user out, or of everybody; passwords stay.
    #[command(name = "sign-out", arg_required_else_help = true)]
    SignOut {
        /// The username.
        #[arg(required_unless_present = "all")]
        name: Option<String>,
        /// Everybody.
        #[arg(long, conflicts_with = "name")]
        all: bool,
    },
    /// Suspend a user: all devices are signed out, and none signs in. All else stays.
    Suspend {
        /// The username.
        name: String,
    },
    /// Let a user who is suspended sign in again.
    Unsuspend {
        /// The username.
        name: String,
    },
    /// Erase a user: account, devices and profile. Messages stay, as from a deleted user.
    Remove {
        /// The username.
        name: String,
    },
}

#[derive(Subcommand)]
enum Clock {
    /// Believe the machine's clock as it is now, while the server runs or not. One that jumped by more than an hour is
    /// believed by itself once it has been steady for an hour; until then nothing expires.
    Accept,
}

#[derive(Subcommand)]
enum Secrets {
    /// Make another key. What was signed with the one before is void.
    Rotate(Rotate),
}

#[derive(clap::Args)]
#[group(required = true, multiple = false)]
struct Rotate {
    /// The key that signs the urls of media: those that were given out open nothing any longer, and clients ask for others.
    #[arg(long)]
    media: bool,
    /// The key that signs pushes: no device is woken until the app was opened on it again.
    #[arg(long)]
    push: bool,
}

#[derive(Subcommand)]
enum Reports {
    /// List all reports, the oldest first.
    List,
    /// Print one report, with the messages that it shows.
    Show {
        /// report_…
        report: ReportId,
    },
    /// Forget a report that is done with. One that nobody closes is forgotten after 90 days.
    Close {
        /// report_…
        report: ReportId,
    },
}

#[derive(Subcommand)]
enum Users {
    /// Make the users of a file: JSON lines of username, password_hash, display_name?, token_hash?.
    Import {
        /// The file.
        file: PathBuf,
    },
}

/// Names that an import prints of those that were there already.
const NAMES_SHOWN: usize = 20;

/// The reason why a command failed.
enum Failure {
    /// The command line is wrong.
    Usage(String),
    /// The command did not work.
    Run(String),
    /// There is something to be done.
    Due(String),
}

fn usage(error: impl Display) -> Failure {
    Failure::Usage(error.to_string())
}

fn run(error: impl Display) -> Failure {
    Failure::Run(error.to_string())
}

/// Runs what the command line asks for.
pub fn main() -> ExitCode {
    let (line, code) = match execute(Arguments::parse()) {
        Ok(()) => return ExitCode::SUCCESS,
        Err(Failure::Usage(line)) => (line, 2),
        Err(Failure::Run(line)) => (line, 1),
        Err(Failure::Due(line)) => (line, 3),
    };
    eprintln!("kith: {line}");
    ExitCode::from(code)
}

fn execute(arguments: Arguments) -> Result<(), Failure> {
    if matches!(arguments.command, Command::Config) {
        return print(&example::text());
    }
    let mut config = match &arguments.config {
        Some(file) => Config::read(file).map_err(usage)?,
        None => Config::default(),
    };
    if let Some(data) = arguments.data {
        config.data_dir = data;
    }
    match &arguments.command {
        Command::Inspect { what } => return inspect(&config.data_dir, what),
        Command::Verify { dir } => return verify(dir.as_ref().unwrap_or(&config.data_dir)),
        Command::Upgrade { check } => return upgrade(&config.data_dir, *check),
        Command::Restore { backup } => return self::backup::restore(backup, &config.data_dir),
        Command::Repair { dry_run } => return repair(&config.data_dir, *dry_run),
        _ => {}
    }
    let runtime = kith::server::runtime().map_err(run)?;
    runtime.block_on(async {
        match arguments.command {
            Command::Config
            | Command::Inspect { .. }
            | Command::Verify { .. }
            | Command::Repair { .. }
            | Command::Upgrade { .. }
            | Command::Restore { .. } => Ok(()),
            Command::Serve { listen, operator_listen } => {
                config.listen = listen.unwrap_or(config.listen);
                config.operator_listen = operator_listen.unwrap_or(config.operator_listen);
                serve(config).await
            }
            Command::User(User::List) => list(&find(&config).await?).await,
            Command::User(User::Reset { name }) => {
                let password = find(&config).await?.reset(&name).await.map_err(run)?;
                print(&format!("{password}\n"))
            }
            Command::User(User::SignOut { name, .. }) => sign_out(&find(&config).await?, name.as_deref()).await,
            Command::User(User::Suspend { name }) => find(&config).await?.suspend(&name, true).await.map_err(run),
            Command::User(User::Unsuspend { name }) => find(&config).await?.suspend(&name, false).await.map_err(run),
            Command::User(User::Remove { name }) => find(&config).await?.remove(&name).await.map_err(run),
            Command::Users(Users::Import { file }) => import(&find(&config).await?, &file).await,
            Command::Secrets(Secrets::Rotate(Rotate { push, .. })) => rotate(&find(&config).await?, push).await,
            Command::Reports(reports) => self::reports(&find(&config).await?, reports).await,
            Command::Invite => {
                let invite = find(&config).await?.invite().await.map_err(run)?;
                print(&format!("{}  good until {}\n", invite.code, invite.expires_at))
            }
            Command::Clock(Clock::Accept) => {
                let now = find(&config).await?.accept_clock().await.map_err(run)?;
                print(&format!("the time is {now}\n"))
            }
            Command::Reindex => {
                let messages = find(&config).await?.reindex().await.map_err(run)?;
                print(&format!("{messages} messages indexed\n"))
            }
            Command::Backup { dir, since } => backup::backup(&config, &dir, since.as_deref()).await,
        }
    })
}

async fn serve(config: Config) -> Result<(), Failure> {
    telemetry::logs(&config.log);
    let scheme = if config.tls.certificate.is_some() { "https" } else { "http" };
    let data = config.data_dir.clone();
    let started = |server: &server::Server| {
        // Not through `print`: a server whose standard output is closed serves all the same.
        let _ = writeln!(
            io::stdout(),
            "kith listens on {scheme}://{} (operator: http://{}), data in {}",
            server.address,
            server.operator_address,
            data.display()
        );
    };
    server::serve(config, started).await.map_err(run)
}

async fn find(config: &Config) -> Result<Operator, Failure> {
    Operator::find(config).await.map_err(run)
}

async fn sign_out(operator: &Operator, name: Option<&str>) -> Result<(), Failure> {
    let devices = match name {
        Some(name) => operator.sign_out(name).await.map_err(run)?.devices,
        None => operator.sign_out_all().await.map_err(run)?,
    };
    print(&format!("{devices} devices signed out\n"))
}

async fn rotate(operator: &Operator, push: bool) -> Result<(), Failure> {
    if push {
        let devices = operator.rotate_push_key().await.map_err(run)?;
        return print(&format!(
            "pushes are signed with another key: {devices} devices are not woken until the app is opened on them\n"
        ));
    }
    operator.rotate_media_key().await.map_err(run)?;
    print("urls of media are signed with another key: those that were given out are void\n")
}

async fn list(operator: &Operator) -> Result<(), Failure> {
    let mut cursor: Option<String> = None;
    loop {
        let page = operator.users(cursor.as_deref()).await.map_err(run)?;
        let mut text = String::new();
        for user in page.items {
            let last_seen = user.last_seen.map_or_else(|| "never".to_owned(), |at| at.to_string());
            let (devices, suspended) = (user.devices, if user.suspended { "\tsuspended" } else { "" });
            let (name, id) = (user.username, user.id);
            text.push_str(&format!("{name}\t{id}\t{devices} devices\tlast seen {last_seen}{suspended}\n"));
        }
        print(&text)?;
        cursor = page.next_cursor;
        if cursor.is_none() {
            return Ok(());
        }
    }
}

async fn reports(operator: &Operator, what: Reports) -> Result<(), Failure> {
    let line = |ReportLine { id, at, by, about, messages, reason }: ReportLine| {
        let about = about.map_or_else(String::new, |about| format!("\tabout {about}"));
        format!("{id}\t{at}\tby {by}{about}\t{messages} messages\t{}\n", plain(&reason))
    };
    match what {
        Reports::List => {
            let lines = operator.reports().await.map_err(run)?.into_iter().map(line);
            print(&lines.collect::<String>())
        }
        Reports::Show { report } => {
            let ReportText { line: head, conversation, shown } = operator.report(report).await.map_err(run)?;
            let mut text = line(head);
            text.extend(conversation.map(|id| format!("in {id}\n")));
            for (at, who, said) in shown {
                text.push_str(&format!("{at}  {who}: {}\n", plain(&said)));
            }
            print(&text)
        }
        Reports::Close { report } => operator.close_report(report).await.map_err(run),
    }
}

/// Prints a foreign text on one line, without the characters that would steer the terminal or turn the line around.
fn plain(text: &str) -> String {
    let plain: String = text.chars().map(|char| if visible::is_control(char) { ' ' } else { char }).collect();
    visible::isolated(&plain).into_owned()
}

async fn import(operator: &Operator, file: &Path) -> Result<(), Failure> {
    // Draws nothing where standard error is no terminal.
    let bar = ProgressBar::new(0);
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} users, {eta} left").map_err(run)?;
    bar.set_style(style);
    let progress = |done, total| {
        bar.set_length(total);
        bar.set_position(done);
    };
    let result = operator::import(operator, file, progress).await;
    bar.finish_and_clear();
    let summary = result.map_err(|error| match error {
        ImportError::File(line) => Failure::Usage(line),
        ImportError::Stopped(line) => Failure::Run(line),
    })?;
    let mut text = format!("{} users made\n", summary.imported);
    if !summary.existing.is_empty() {
        let (shown, rest) = summary.existing.split_at(summary.existing.len().min(NAMES_SHOWN));
        let rest = if rest.is_empty() { String::new() } else { format!(" and {} more", rest.len()) };
        text.push_str(&format!("{} were there already: {}{rest}\n", summary.existing.len(), shown.join(" ")));
    }
    print(&text)
}

fn inspect(dir: &Path, what: &Subject) -> Result<(), Failure> {
    let mut written = Ok(());
    let show = |line: &str| {
        if written.is_ok() {
            written = print(&format!("{line}\n"));
        }
    };
    inspect::inspect(dir, what, show).map_err(run)?;
    written
}

fn verify(dir: &Path) -> Result<(), Failure> {
    // Draws nothing where standard error is no terminal.
    let bar = ProgressBar::new(0);
    bar.set_style(ProgressStyle::with_template("{bar:40} {pos}/{len} {msg}").map_err(run)?);
    let progress = |progress: Progress| {
        bar.set_message(progress.step);
        bar.set_length(progress.total);
        bar.set_position(progress.done);
    };
    let report = verify::verify(dir, progress);
    bar.finish_and_clear();
    let report = report.map_err(run)?;
    print(&format!("{report}\n"))?;
    if report.is_clean() { Ok(()) } else { Err(run(format!("{} does not hold together", dir.display()))) }
}

fn repair(dir: &Path, dry_run: bool) -> Result<(), Failure> {
    let report = if dry_run { repair::look(dir) } else { repair::repair(dir) }.map_err(run)?;
    print(&format!("{report}\n"))?;
    if dry_run && !report.steps.is_empty() {
        Err(Failure::Due("this is what `kith repair` would do".to_owned()))
    } else if report.left.is_empty() {
        Ok(())
    } else {
        Err(run(format!("{} stays damaged", dir.display())))
    }
}

fn upgrade(dir: &Path, check: bool) -> Result<(), Failure> {
    let Due { version, steps, summed } = if check { upgrade::due(dir) } else { upgrade::upgrade(dir) }.map_err(run)?;
    let shown = dir.display();
    let summed = (summed > 0).then(|| format!("{summed} entries and rows of before were given checksums\n"));
    if steps.is_empty() && summed.is_none() {
        return print(&format!("{shown} is of data version {version}: nothing is to be done\n"));
    }
    let mut text = format!("{shown} {} of data version {version}\n", if check { "is" } else { "was" });
    for (step, to) in steps.iter().zip(version + 1..) {
        text.push_str(&format!("to version {to}: {}\n", step.name));
    }
    text.extend(summed);
    print(&text)?;
    if check {
        Err(Failure::Due(format!("{shown} is upgraded by `kith upgrade` or by the next start")))
    } else {
        Ok(())
    }
}

/// Writes to standard output. Who closes it early has read enough.
fn print(text: &str) -> Result<(), Failure> {
    match io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(run(error)),
        _ => Ok(()),
    }
}
