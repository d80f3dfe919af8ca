//! The task of a connection: it owns the socket, and does what the state says.

use std::{pin::pin, time::Duration};

use tokio::{
    select,
    sync::{mpsc, oneshot},
    time::{Instant, sleep_until, timeout},
};

use super::{
    Command, Config, Event,
    state::{End, State},
};
use crate::{Closed, Error, Server, Socket, clock, limits};

/// Connects, and connects again, until nobody is interested or the token is of no use.
pub(super) async fn run(config: Config, commands: mpsc::Receiver<Command>, events: mpsc::Sender<Event>) {
    let state = State::new(&config, Instant::now());
    let doors = Doors { commands, events, closing: None };
    let mut task = Task { state, doors };
    let stopped = task.stay_connected(&config).await;
    if let Some(closed) = stopped {
        task.state.events.push_back(Event::Stopped { code: closed.code });
        while let Some(event) = task.state.events.pop_front() {
            if task.doors.events.send(event).await.is_err() {
                break;
            }
        }
    }
}

struct Task {
    state: State,
    doors: Doors,
}

/// The channels to the program.
struct Doors {
    commands: mpsc::Receiver<Command>,
    events: mpsc::Sender<Event>,
    /// Dropped at the very end, which tells the caller of `close` that all is closed.
    closing: Option<oneshot::Sender<()>>,
}

/// The program is not interested any longer.
struct Abandoned;

/// How a connection ended.
enum Ended {
    Closed(Closed),
    Drained,
    Abandoned,
}

impl Doors {
    /// Waits until the program wants something, or takes something.
    async fn turn(&mut self, state: &mut State) -> Result<(), Abandoned> {
        select! {
            biased;
            () = self.events.closed() => Err(Abandoned),
            permit = self.events.reserve(), if !state.events.is_empty() => {
                let permit = permit.map_err(|_| Abandoned)?;
                if let Some(event) = state.events.pop_front() {
                    permit.send(event);
                }
                Ok(())
            }
            command = self.commands.recv() => match command {
                None => Err(Abandoned),
                Some(Command::Close(done)) => {
                    self.closing = Some(done);
                    Err(Abandoned)
                }
                Some(command) => {
                    state.command(command, Instant::now());
                    Ok(())
                }
            }
        }
    }
}

impl Task {
    /// Gives how the last connection was closed, where no other may follow; nothing where the program has gone.
    async fn stay_connected(&mut self, config: &Config) -> Option<Closed> {
        let mut backoff = Backoff::new(config.reconnect);
        let mut moved: Option<Server> = None;
        loop {
            // A node that was named once and is not there does not keep us from the address that was configured.
            let server = moved.take().unwrap_or_else(|| config.server.clone());
            let (code, reason, wait) = match self.meanwhile(Socket::connect(&server)).await.ok()? {
                Err(error) => (None, error.to_string(), error.retry_after()),
                Ok(socket) => {
                    let ended = self.online(socket).await;
                    let now = Instant::now();
                    if self.state.stood(now) >= Duration::from_secs(limits::STEADY_S) {
                        backoff.reset();
                    }
                    self.state.lost();
                    let leave = self.state.leave();
                    moved = leave.as_ref().and_then(|leave| config.server.moved_to(leave.url.as_deref()?));
                    match ended {
                        Ended::Abandoned => return None,
                        Ended::Closed(closed) if closed.is_final() => return Some(closed),
                        Ended::Closed(closed) => (
                            Some(closed.code),
                            closed.reason,
                            leave.map(|leave| leave.at.saturating_duration_since(now)),
                        ),
                        Ended::Drained => (None, "the server drains".to_owned(), Some(Duration::ZERO)),
                    }
                }
            };
            // What the server asked for is spread over its clients by the server.
            let retry_in = wait.unwrap_or_else(|| backoff.next());
            if self.state.events.len() < limits::EVENTS_BEHIND {
                self.state.events.push_back(Event::Disconnected { code, reason, retry_in });
            }
            self.meanwhile(sleep_until(Instant::now() + retry_in)).await.ok()?;
        }
    }

    /// Waits for something, and serves the program meanwhile.
    async fn meanwhile<F: Future>(&mut self, something: F) -> Result<F::Output, Abandoned> {
        let mut something = pin!(something);
        loop {
            select! {
                biased;
                turn = self.doors.turn(&mut self.state) => turn?,
                output = &mut something => return Ok(output),
            }
        }
    }

    async fn online(&mut self, mut socket: Socket) -> Ended {
        self.state.opened(Instant::now());
        loop {
            let now = Instant::now();
            match self.state.due(now) {
                Ok(()) => {}
                Err(End::Silent(closed)) => return Ended::Closed(closed),
                Err(End::Drained) => {
                    // Not 1000 or 1001, which would mean that the person has gone.
                    socket.close(4101).await;
                    return Ended::Drained;
                }
            }
            if let Err(closed) = self.write(&mut socket).await {
                return Ended::Closed(closed);
            }
            let listening = self.state.events.len() < limits::EVENTS_BEHIND;
            if !listening {
                self.state.heard(now);
            }
            let deadline = self.state.deadline(now);
            select! {
                biased;
                turn = self.doors.turn(&mut self.state) => if let Err(Abandoned) = turn {
                    socket.close(1000).await;
                    return Ended::Abandoned;
                },
                frame = socket.receive(), if listening => match frame {
                    Ok(frame) => self.state.frame(frame, Instant::now()),
                    Err(Error::Closed(closed)) => return Ended::Closed(closed),
                    // What this version cannot read is as if it had been lost on the way: it is asked for again.
                    Err(_) => self.state.heard(Instant::now()),
                },
                () = sleep_until(deadline) => {}
            }
        }
    }

    async fn write(&mut self, socket: &mut Socket) -> Result<(), Closed> {
        if self.state.frames.is_empty() {
            return Ok(());
        }
        let mut written = Ok(());
        for frame in self.state.frames.drain(..) {
            if written.is_ok() {
                written = socket.feed(&frame).await;
            }
        }
        if written.is_ok() {
            written = socket.flush().await;
        }
        let Err(cause) = written else { return Ok(()) };
        // The server may have said why before it went.
        let last_words = async {
            loop {
                if let Err(Error::Closed(closed)) = socket.receive().await {
                    return closed;
                }
            }
        };
        let closed = timeout(Duration::from_secs(limits::CLOSE_S), last_words).await;
        Err(closed.unwrap_or_else(|_| Closed::broken(cause)))
    }
}

/// How long to wait before the next attempt: a random part of a time that doubles ("full jitter", Brooker 2015).
struct Backoff {
    bounds: (Duration, Duration),
    next: Duration,
}

impl Backoff {
    fn new(bounds: (Duration, Duration)) -> Self {
        Self { bounds, next: bounds.0 }
    }

    fn reset(&mut self) {
        self.next = self.bounds.0;
    }

    fn next(&mut self) -> Duration {
        let whole = self.next.min(self.bounds.1);
        self.next = (whole * 2).min(self.bounds.1);
        clock::random_part(whole)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_doubles_up_to_its_bound_and_begins_again() {
        let second = Duration::from_secs(1);
        let mut backoff = Backoff::new((second, second * 30));
        let mut bounds = Vec::new();
        for _ in 0..7 {
            bounds.push(backoff.next.as_secs());
            let bound = backoff.next;
            assert!(backoff.next() < bound);
        }
        assert_eq!(bounds, [1, 2, 4, 8, 16, 30, 30]);
        backoff.reset();
        assert!(backoff.next() < second);
    }
}
