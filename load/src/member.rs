//! One member of a conversation under load: a socket that hears everything, checks it, and perhaps writes.

use std::{
    cell::{Cell, RefCell},
    future::poll_fn,
    rc::Rc,
    task::{Context, Poll, ready},
    time::Duration,
};

use crate::{
    arrival::Arrival,
    beat::{Beats, Listener, beat_of},
    conn::Conn,
    error::{Error, Result},
    order::{Check, Order},
    scan::{self, Heard},
    sender::Sender,
    tally::{Tally, add},
};

/// The period at which a member checks if it has to ping, and if the run is over.
const TICK: Duration = Duration::from_millis(250);
const TYPING_EVERY_US: u64 = 1_000_000;

/// A conversation that is being written to.
#[derive(Debug)]
pub struct Room {
    /// Its id as text.
    pub name: String,
    /// The highest seq that was acknowledged.
    pub acknowledged: Cell<u64>,
    /// Senders that are not done.
    pub sending: Cell<usize>,
    /// The number of sockets that hear each message, where the time of the last one is wanted.
    pub hearers: Option<u32>,
    /// The number that have heard each message so far.
    pub heard: RefCell<Vec<u32>>,
}

/// The behaviour of a member beside hearing.
#[derive(Debug, Clone, Copy)]
pub struct Manners {
    /// The period of its pings.
    pub heartbeat: Duration,
    /// True where it says `delivered` after each read that brought something.
    pub receipts: bool,
    /// True where it says `typing` once a second, as a sender does.
    pub typing: bool,
    /// The end of its life, in µs of the run's clock.
    pub end_us: u64,
}

/// A member's task.
pub struct Member {
    conn: Conn,
    ears: Ears,
    manners: Manners,
    beats: Rc<Beats>,
    listener: Listener,
    /// The beat at which it has something to do.
    next_us: u64,
    wrote_us: u64,
    typed_us: u64,
    receipted: u64,
}

struct Ears {
    room: Rc<Room>,
    tally: Rc<Tally>,
    order: Order,
    check: Check,
    sender: Option<Sender>,
    /// The count after the last one heard of each sender.
    counts: Vec<u32>,
}

impl Member {
    /// A member on an open socket, who has heard the conversation up to `head`.
    pub fn new(
        conn: Conn,
        room: Rc<Room>,
        tally: Rc<Tally>,
        head: u64,
        sender: Option<Sender>,
        manners: Manners,
        beats: Rc<Beats>,
    ) -> Self {
        let ears = Ears { room, tally, order: Order::from(head), check: Check::default(), sender, counts: Vec::new() };
        let listener = Listener::default();
        Self { conn, ears, manners, beats, listener, next_us: 0, wrote_us: 0, typed_us: 0, receipted: head }
    }

    /// Speaks and hears until everything acknowledged has been heard, or time is up. `phase` spreads the pings of the members.
    ///
    /// # Errors
    /// The server breaks the protocol. A closed connection is no error: it stands in the check.
    pub async fn run(mut self, phase: f64) -> Result<Check> {
        let heartbeat_us = self.manners.heartbeat.as_micros() as u64;
        let clock = self.ears.tally.clock;
        self.wrote_us = (clock.now_us()).saturating_sub((phase * heartbeat_us as f64) as u64);
        loop {
            let ended = poll_fn(|context| self.poll(context)).await;
            match ended {
                Ok(false) => {}
                Ok(true) => break,
                Err(Error::Closed(code)) => {
                    *self.ears.check.closed.entry(code).or_default() += 1;
                    break;
                }
                Err(error) => return Err(error),
            }
        }
        self.conn.close();
        let _gone_already = self.conn.flush();
        Ok(self.ears.end())
    }

    /// Hears what was said, or does what is to be done at a beat: whether all is over.
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Result<bool>> {
        let clock = self.ears.tally.clock;
        let struck = self.beats.poll(self.next_us, &mut self.listener, context);
        if struck.map_err(Error::io("the timer of the run failed"))?.is_ready() {
            let now_us = clock.now_us();
            self.tick(now_us);
            let ended = self.speak(now_us);
            let next_us = beat_of((now_us + TICK.as_micros() as u64) as f64);
            let wakes_us = self.ears.sender.as_ref().and_then(Sender::wakes_us);
            self.next_us = wakes_us.map_or(next_us, |wakes_us| wakes_us.min(next_us));
            return Poll::Ready(ended);
        }
        let frames = ready!(self.conn.poll_recv(context, |frame, arrival| self.ears.hear(frame, arrival)))?;
        add(&self.ears.tally.reads, 1);
        add(&self.ears.tally.frames, frames as u64);
        Poll::Ready(self.speak(clock.now_us()))
    }

    fn tick(&mut self, now_us: u64) {
        if now_us.saturating_sub(self.wrote_us) >= self.manners.heartbeat.as_micros() as u64 {
            self.conn.text(br#"{"t":"ping"}"#);
        }
        if self.manners.typing && self.ears.sender.is_some() && now_us - self.typed_us >= TYPING_EVERY_US {
            self.conn.text(format!(r#"{{"t":"typing","conversation":"{}"}}"#, self.ears.room.name).as_bytes());
            add(&self.ears.tally.typing_sent, 1);
            self.typed_us = now_us;
        }
    }

    /// Says what there is to say; true when all is over.
    fn speak(&mut self, now_us: u64) -> Result<bool> {
        if let Some(sender) = &mut self.ears.sender {
            sender.offer(&mut self.conn, now_us, &self.ears.tally);
            if sender.is_done(now_us) {
                self.ears.stop_sending();
            }
        }
        let head = self.ears.order.head();
        if self.manners.receipts && head > self.receipted {
            let name = &self.ears.room.name;
            self.conn.text(format!(r#"{{"t":"delivered","conversation":"{name}","seq":{head}}}"#).as_bytes());
            self.receipted = head;
        }
        if self.conn.backlog() > 0 {
            self.wrote_us = now_us;
            self.conn.flush()?;
        }
        let room = &self.ears.room;
        let whole = room.sending.get() == 0 && self.ears.order.is_whole_to(room.acknowledged.get());
        Ok(whole || now_us >= self.manners.end_us)
    }
}

impl Ears {
    fn hear(&mut self, frame: &[u8], arrival: Arrival) -> Result<()> {
        match scan::hear(frame)? {
            Heard::Entry { conversation, seq, client_id } if conversation == self.room.name.as_bytes() => {
                if self.order.hear(seq, &mut self.check) {
                    add(&self.tally.delivered, 1);
                    if let Some(client_id) = client_id {
                        self.heard(client_id, arrival);
                    }
                }
            }
            Heard::Sent { client_id, conversation, seq } if conversation == self.room.name.as_bytes() => {
                self.order.hear(seq, &mut self.check);
                self.room.acknowledged.set(self.room.acknowledged.get().max(seq));
                if let Some((due_us, written_us)) = self.answered(client_id) {
                    let now_us = self.tally.clock.us(arrival.read);
                    add(&self.tally.sent, 1);
                    self.tally.record(&self.tally.sent_latency, due_us, now_us);
                    self.tally.record(&self.tally.written_latency, written_us, now_us);
                }
            }
            Heard::Error { code, client_id } => {
                let code = String::from_utf8_lossy(code).into_owned();
                let Some(client_id) = client_id else {
                    return Err(Error::Protocol(format!("an error without client_id: {code}")));
                };
                self.answered(client_id);
                self.sender.iter_mut().for_each(Sender::refused);
                *self.tally.refused.borrow_mut().entry(code).or_default() += 1;
            }
            Heard::Degraded(shed) => {
                self.tally.degraded.borrow_mut().insert(String::from_utf8_lossy(shed).into_owned());
            }
            Heard::Other(b"typing") => add(&self.tally.typing_heard, 1),
            Heard::Entry { .. } | Heard::Sent { .. } | Heard::Other(_) => {}
        }
        Ok(())
    }

    /// Checks a sender's order, and times the way of its message.
    fn heard(&mut self, client_id: uuid::Uuid, arrival: Arrival) {
        let Some(mark) = self.tally.clock.mark(client_id) else {
            self.check.mixed_up += 1;
            return;
        };
        let sender = usize::from(mark.sender);
        if self.counts.len() <= sender {
            self.counts.resize(sender + 1, 0);
        }
        if mark.count < self.counts[sender] {
            self.check.mixed_up += 1;
        }
        self.counts[sender] = mark.count + 1;
        let arrived_us = self.tally.clock.us(arrival.at);
        self.tally.record(&self.tally.delivered_latency, mark.at_us, arrived_us);
        self.tally.record(&self.tally.read_latency, mark.at_us, self.tally.clock.us(arrival.read));
        if let Some(hearers) = self.room.hearers {
            let mut heard = self.room.heard.borrow_mut();
            let count = mark.count as usize;
            if heard.len() <= count {
                heard.resize(count + 1, 0);
            }
            heard[count] += 1;
            if heard[count] == hearers {
                self.tally.record(&self.tally.last_latency, mark.at_us, arrived_us);
            }
        }
    }

    fn answered(&mut self, client_id: uuid::Uuid) -> Option<(u64, u64)> {
        let mark = self.tally.clock.mark(client_id);
        let answered = mark.zip(self.sender.as_mut()).and_then(|(mark, sender)| sender.answered(mark.count));
        if answered.is_none() {
            self.check.mixed_up += 1;
        }
        answered
    }

    fn stop_sending(&mut self) {
        if let Some(sender) = self.sender.take() {
            self.check.unanswered += sender.unanswered();
            self.room.sending.set(self.room.sending.get() - 1);
        }
    }

    fn end(mut self) -> Check {
        self.stop_sending();
        self.order.end(self.room.acknowledged.get(), &mut self.check);
        self.check
    }
}
