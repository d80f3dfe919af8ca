//! `kith-chat`: the smallest program to chat with, one line at a time. It works in a pipe too.

mod account;
mod chat;
mod commands;
mod incoming;
mod requests;
mod screen;

use std::{
    io::{self, BufRead, IsTerminal, Read},
    process::ExitCode,
    thread,
    time::Duration,
};

use clap::Parser;
use kith_client::{Client, Config, Event, Rest, Server};
use tokio::{
    select,
    sync::mpsc::{self, Receiver},
    time::{Instant, timeout_at},
};

use crate::{
    account::Account,
    chat::{Chat, Turn},
    screen::Screen,
};

/// Bytes of a line that is typed; what is longer is cut into several.
const LINE_BYTES: u64 = 64 * 1024;
/// Lines that may wait to be sent.
const LINES: usize = 16;
/// Entries of each conversation that are caught up at the start.
const BACKLOG: u64 = 50;
/// Seconds that the end of a pipe waits for what is on its way.
const SETTLE_S: u64 = 15;

/// Chat on a Kith server, one line at a time.
///
/// Plain text goes to the open conversation; /help lists the commands. The password is asked for, or taken from
/// KITH_PASSWORD. One is signed in until the server forgets the token, which lies in $XDG_STATE_HOME/kith.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// The address of the server.
    #[arg(long, default_value = "http://127.0.0.1:8080")]
    server: String,
    /// Your username there; asked for where it is not given.
    #[arg(long)]
    name: Option<String>,
    /// Make the account if there is none, without asking.
    #[arg(long)]
    sign_up: bool,
    /// The invite to sign up with, where the server wants one.
    #[arg(long)]
    invite: Option<String>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run(Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            screen::end(&reason);
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> Result<(), String> {
    let server = Server::new(&arguments.server).map_err(|error| error.to_string())?;
    let nobody = Rest::new(server.clone());
    let account = account::enter(&arguments, &nobody).await?;
    let mut config = Config::new(&account.token);
    config.backlog = BACKLOG;
    config.program = Some(concat!("kith-chat/", env!("CARGO_PKG_VERSION")).to_owned());
    let (client, events) = Client::connect(server, config);
    let mut chat = Chat::new(account.rest.clone(), client.clone(), account.profile.id, Screen::new());
    let outcome = talk(&mut chat, events, lines(), &account).await;
    drop(chat);
    client.close().await;
    outcome
}

/// Until the person or the server wants no more.
async fn talk(
    chat: &mut Chat,
    mut events: Receiver<Event>,
    mut lines: Receiver<String>,
    account: &Account,
) -> Result<(), String> {
    loop {
        select! {
            biased;
            event = events.recv() => match event {
                Some(Event::Stopped { .. }) | None => {
                    account.forget();
                    return Err("this device was signed out".to_owned());
                }
                Some(event) => chat.event(event).await,
            },
            line = lines.recv() => match line {
                None => return finish(chat, &mut events).await,
                Some(line) => if chat.line(&line).await == Turn::Quit {
                    return Ok(());
                },
            }
        }
    }
}

/// The pipe has ended: what it said is still sent, and what came meanwhile is still shown.
async fn finish(chat: &mut Chat, events: &mut Receiver<Event>) -> Result<(), String> {
    let deadline = Instant::now() + Duration::from_secs(SETTLE_S);
    while !chat.is_settled() {
        match timeout_at(deadline, events.recv()).await {
            Ok(Some(event)) => chat.event(event).await,
            Ok(None) | Err(_) if chat.own.is_empty() => {
                return Err("the server does not answer".to_owned());
            }
            Ok(None) | Err(_) => return Err(format!("{} messages were not sent", chat.own.len())),
        }
    }
    Ok(())
}

/// Reads what is typed, line by line. A thread of its own reads, because a terminal cannot be waited for otherwise.
fn lines() -> Receiver<String> {
    let (typed, lines) = mpsc::channel(LINES);
    thread::spawn(move || {
        let mut input = io::stdin().lock();
        loop {
            let mut line = Vec::new();
            match input.by_ref().take(LINE_BYTES).read_until(b'\n', &mut line) {
                Ok(0) | Err(_) => return,
                Ok(_) if typed.blocking_send(String::from_utf8_lossy(&line).trim().to_owned()).is_err() => {
                    return;
                }
                Ok(_) => {}
            }
        }
    });
    lines
}

/// Returns true if a person types.
fn is_typed() -> bool {
    io::stdin().is_terminal()
}
