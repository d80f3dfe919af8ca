//! The task of a connection: it owns the socket, and does what the device says.

use std::{pin::pin, time::Duration};

use kith_device::{Closed, Config, Device, Due, Ended, Event, Next};
use tokio::{
    select,
    sync::{OwnedSemaphorePermit, mpsc, oneshot},
    time::{sleep, sleep_until, timeout},
};

use super::Order;
use crate::{Error, Server, Socket, clock, limits};

/// Connects, and connects again, until nobody is interested or the token is of no use.
pub(super) async fn run(server: Server, config: Config, orders: mpsc::Receiver<Order>, events: mpsc::Sender<Event>) {
    let device = Device::new(config, clock::seed(), clock::now());
    let doors = Doors { orders, events, room: Vec::new(), closing: None };
    let mut task = Task { device, doors };
    if task.stay_connected(&server).await.is_ok() {
        while let Some(event) = task.device.next_event() {
            if task.doors.events.send(event).await.is_err() {
                break;
            }
        }
    }
}

struct Task {
    device: Device,
    doors: Doors,
}

/// The channels to the program.
struct Doors {
    orders: mpsc::Receiver<Order>,
    events: mpsc::Sender<Event>,
    /// A permit for each message that is unsent, any one for any other.
    room: Vec<OwnedSemaphorePermit>,
    /// Dropped at the very end, which tells the caller of `close` that all is closed.
    closing: Option<oneshot::Sender<()>>,
}

/// The program is not interested any longer.
struct Abandoned;

impl Doors {
    /// Waits until the program wants something, or takes something.
    async fn turn(&mut self, device: &mut Device) -> Result<(), Abandoned> {
        select! {
            biased;
            () = self.events.closed() => Err(Abandoned),
            permit = self.events.reserve(), if device.has_events() => {
                let permit = permit.map_err(|_| Abandoned)?;
                if let Some(event) = device.next_event() {
                    permit.send(event);
                }
                Ok(())
            }
            order = self.orders.recv() => match order {
                None => Err(Abandoned),
                Some(Order::Close(done)) => {
                    self.closing = Some(done);
                    Err(Abandoned)
                }
                Some(Order::Look(look)) => {
                    look(device.timeline());
                    Ok(())
                }
                Some(Order::Device(command, room)) => {
                    self.room.extend(room);
                    device.command(command, clock::now());
                    Ok(())
                }
            }
        }
    }
}

impl Task {
    /// Ends well where no other connection may follow.
    async fn stay_connected(&mut self, home: &Server) -> Result<(), Abandoned> {
        let mut moved: Option<Server> = None;
        loop {
            // A node that was named once and is not there does not keep us from the address that was configured.
            let server = moved.take().unwrap_or_else(|| home.clone());
            let ended = match self.meanwhile(Socket::connect(&server)).await? {
                Ok(socket) => self.online(socket).await?,
                Err(error) => Ended::Unreached { reason: error.to_string(), retry_after: error.retry_after() },
            };
            let Next::Connect { after, url } = self.device.ended(ended, clock::now()) else { return Ok(()) };
            moved = url.and_then(|url| home.moved_to(&url));
            self.meanwhile(sleep(after)).await?;
        }
    }

    /// Waits for something, and serves the program meanwhile.
    async fn meanwhile<F: Future>(&mut self, something: F) -> Result<F::Output, Abandoned> {
        let mut something = pin!(something);
        loop {
            select! {
                biased;
                turn = self.doors.turn(&mut self.device) => turn?,
                output = &mut something => return Ok(output),
            }
        }
    }

    async fn online(&mut self, mut socket: Socket) -> Result<Ended, Abandoned> {
        self.device.opened(clock::now());
        loop {
            let now = clock::now();
            match self.device.due(now) {
                Ok(()) => {}
                Err(Due::Silent(closed)) => return Ok(Ended::Closed(closed)),
                Err(Due::Drained) => {
                    socket.close(4101).await;
                    return Ok(Ended::Drained);
                }
            }
            // What was answered makes room for what the program says next.
            self.doors.room.truncate(self.device.unsent());
            if let Err(closed) = self.write(&mut socket).await {
                return Ok(Ended::Closed(closed));
            }
            let listening = !self.device.is_full();
            if !listening {
                self.device.heard(now);
            }
            let deadline = self.device.deadline(now);
            select! {
                biased;
                turn = self.doors.turn(&mut self.device) => if let Err(Abandoned) = turn {
                    socket.close(1000).await;
                    return Err(Abandoned);
                },
                frame = socket.receive(), if listening => match frame {
                    Ok(frame) => self.device.received(frame, clock::now()),
                    Err(Error::Closed(closed)) => return Ok(Ended::Closed(closed)),
                    // What this version cannot read is as if it had been lost on the way: it is asked for again.
                    Err(_) => self.device.heard(clock::now()),
                },
                () = sleep_until(deadline.into()) => {}
            }
        }
    }

    async fn write(&mut self, socket: &mut Socket) -> Result<(), Closed> {
        let frames = self.device.take_frames();
        if frames.is_empty() {
            return Ok(());
        }
        let mut written = Ok(());
        for frame in &frames {
            written = socket.feed(frame).await;
            if written.is_err() {
                break;
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
