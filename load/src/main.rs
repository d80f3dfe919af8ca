//! Load for a Kith server, and what it took to carry it.
//!
//! A measurement is a command. It prepares over REST ([`setup`]), opens its sockets ([`conn`], on [`wire`] and [`scan`]),
//! and reads what the server used from [`proc`]. Whatever sends messages is a [`room`]: conversations with [`member`]s,
//! some of them [`sender`]s; what their sockets hear is checked by [`order`] and counted in [`tally`].
//!
//! Everything runs on one thread, and much cheaper than the server does: the two share a machine.
//!
//! It ends with 0 where every check was good, with 1 where one was not (a message lost, doubled, out of order),
//! and with 2 where it could not measure.

mod arrival;
mod beat;
mod chance;
mod channel;
mod compare;
mod conn;
mod device;
mod error;
mod fsync;
mod gather;
mod group;
mod history;
mod idle;
mod latency;
mod mark;
mod member;
mod neighbour;
mod order;
mod overload;
mod pairs;
#[cfg(test)]
mod peer;
mod proc;
mod report;
mod rest;
mod room;
mod scan;
mod search;
mod sender;
mod setup;
#[cfg(test)]
mod stories;
mod storm;
mod sustain;
mod table;
mod tally;
mod target;
mod users;
mod wire;

use std::process::ExitCode;

use clap::Parser;
use serde_json::Value;

use crate::error::{Error, Result};

/// Puts load on a Kith server and tells what it took
#[derive(Debug, Parser)]
#[command(version)]
struct Cli {
    /// Print one JSON object
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Write the file of users that `kith users import` takes
    Users(users::Args),
    /// Connections that only ping: memory and CPU of each
    Idle(idle::Args),
    /// Direct conversations: messages a second, and their times
    Pairs(pairs::Args),
    /// The highest rate that the server carries in an open loop
    Sustain(sustain::Args),
    /// One group, a few writers: deliveries a second
    Group(group::Args),
    /// A large channel: a message's way to the last socket
    Channel(channel::Args),
    /// Devices that come back all at once after a restart
    Storm(storm::Args),
    /// Pages of history at random places, and what a message weighs on the disk
    History(history::Args),
    /// Searches by members of few and of many conversations, while others say the same words
    Search(search::Args),
    /// One user's sends while another stands at a bound of the server
    Neighbour(neighbour::Args),
    /// More than the server can take, in an open loop
    Overload(overload::Args),
    /// Measure how long the disk itself takes to keep 4 KiB; needs no server
    Fsync(fsync::Args),
    /// Make one table of the reports of a bench
    Table(table::Args),
    /// Compare two servers that a bench measured in turns
    Compare(compare::Args),
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build_local(Default::default());
    let result = runtime.map_err(Error::io("cannot start")).and_then(|runtime| runtime.block_on(run(&cli.command)));
    match result {
        Ok(report) => {
            if cli.json {
                println!("{report}");
            } else {
                print!("{}", report::lines(&report));
            }
            if report::is_good(&report) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(error) => {
            eprintln!("kith-load: {error}");
            ExitCode::from(2)
        }
    }
}

async fn run(command: &Command) -> Result<Value> {
    match command {
        Command::Users(args) => users::run(args),
        Command::Idle(args) => idle::run(args).await,
        Command::Pairs(args) => pairs::run(args).await,
        Command::Sustain(args) => sustain::run(args).await,
        Command::Group(args) => group::run(args).await,
        Command::Channel(args) => channel::run(args).await,
        Command::Storm(args) => storm::run(args).await,
        Command::History(args) => history::run(args).await,
        Command::Search(args) => search::run(args).await,
        Command::Neighbour(args) => neighbour::run(args).await,
        Command::Overload(args) => overload::run(args).await,
        Command::Fsync(args) => fsync::run(args),
        Command::Table(args) => table::run(args),
        Command::Compare(args) => compare::run(args),
    }
}
