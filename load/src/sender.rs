//! One who writes: in a closed loop, so many unanswered at a time, or in an open one, at fixed times whatever happens.

use std::collections::VecDeque;

use crate::{
    beat::beat_of,
    conn::Conn,
    mark::{Clock, Mark},
    tally::{Tally, add},
    wire::{self, opcode},
};

/// Bytes that a socket may be behind before what is due is held back: the server has stopped reading long before.
const BACKLOG_BYTES: usize = 16 * 1024;
/// Messages of one sender that may be unanswered in an open loop.
const FLIGHTS: usize = 100_000;
const UUID_CHARS: usize = 36;

/// The pacing of a sender.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Pace {
    /// Closed loop: so many messages unanswered at a time.
    Window(usize),
    /// Open loop: one message every so many µs, the first after the second number, each due at the end of its beat.
    Every(f64, f64),
}

struct Flight {
    count: u32,
    due_us: u64,
    written_us: u64,
}

/// A sender's side of its socket.
pub struct Sender {
    index: u16,
    pace: Pace,
    /// A `send` in its wire form, with room for the `client_id` here:
    frame: Vec<u8>,
    id_at: usize,
    flights: VecDeque<Flight>,
    next: u32,
    due_us: f64,
    bounds: Bounds,
}

/// The times of the run, and the number of messages that a sender may send in it.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// The first moment to send, in µs of the run's clock.
    pub start_us: u64,
    /// No message is due from here on.
    pub stop_us: u64,
    /// Messages at most, refused ones not counted.
    pub quota: u64,
}

impl Sender {
    /// The sender number `index` of a conversation, whose messages have `text_bytes` of text.
    pub fn new(conversation: &str, index: u16, text_bytes: usize, pace: Pace, bounds: Bounds) -> Self {
        let words = b"the quick brown fox jumps over the lazy dog, then ";
        let text: String = words.iter().cycle().take(text_bytes).map(|byte| char::from(*byte)).collect();
        let id = "_".repeat(UUID_CHARS);
        let head = format!(r#"{{"t":"send","conversation":"{conversation}","client_id":""#);
        let json = format!(r#"{head}{id}","text":"{text}"}}"#);
        let mut frame = Vec::new();
        wire::write(&mut frame, opcode::TEXT, json.as_bytes());
        let id_at = frame.len() - json.len() + head.len();
        let due_us = bounds.start_us as f64 + if let Pace::Every(_, first) = pace { first } else { 0.0 };
        Self { index, pace, frame, id_at, flights: VecDeque::new(), next: 0, due_us, bounds }
    }

    /// The time at which it has to be asked again, where time decides that.
    pub fn wakes_us(&self) -> Option<u64> {
        match self.pace {
            Pace::Window(_) if self.next == 0 => Some(beat_of(self.bounds.start_us as f64)),
            Pace::Every(..) if self.due_us < self.bounds.stop_us as f64 => Some(beat_of(self.due_us)),
            _ => None,
        }
    }

    /// Nothing more to send, and everything answered.
    pub fn is_done(&self, now_us: u64) -> bool {
        let over = match self.pace {
            Pace::Window(_) => now_us >= self.bounds.stop_us,
            Pace::Every(..) => self.due_us >= self.bounds.stop_us as f64,
        };
        (over || u64::from(self.next) >= self.bounds.quota) && self.flights.is_empty()
    }

    /// Sends that got no answer.
    pub fn unanswered(&self) -> u64 {
        self.flights.len() as u64
    }

    /// Queues whatever may be sent now.
    pub fn offer(&mut self, conn: &mut Conn, now_us: u64, tally: &Tally) {
        match self.pace {
            Pace::Window(window) => {
                let now_is_time = (self.bounds.start_us..self.bounds.stop_us).contains(&now_us);
                while self.flights.len() < window && now_is_time && u64::from(self.next) < self.bounds.quota {
                    self.queue(conn, now_us, now_us, &tally.clock);
                }
            }
            Pace::Every(step, _) => {
                while self.due_us < self.bounds.stop_us as f64 && u64::from(self.next) < self.bounds.quota {
                    let due_us = beat_of(self.due_us);
                    if due_us > now_us {
                        break;
                    }
                    if conn.backlog() > BACKLOG_BYTES || self.flights.len() >= FLIGHTS {
                        add(&tally.held_back, 1);
                    } else {
                        tally.record(&tally.late, due_us, now_us);
                        self.queue(conn, due_us, now_us, &tally.clock);
                    }
                    self.due_us += step;
                }
            }
        }
    }

    fn queue(&mut self, conn: &mut Conn, due_us: u64, written_us: u64, clock: &Clock) {
        let name = clock.name(Mark { sender: self.index, count: self.next, at_us: due_us });
        name.hyphenated().encode_lower(&mut self.frame[self.id_at..self.id_at + UUID_CHARS]);
        conn.raw(&self.frame);
        self.flights.push_back(Flight { count: self.next, due_us, written_us });
        self.next += 1;
    }

    /// Notes that a message was refused: another may be sent in its place.
    pub fn refused(&mut self) {
        self.bounds.quota = self.bounds.quota.saturating_add(1);
    }

    /// Takes the answer to one message: when it was due and when it was written; `None` where it was answered before or never sent.
    pub fn answered(&mut self, count: u32) -> Option<(u64, u64)> {
        let place = self.flights.iter().position(|flight| flight.count == count)?;
        self.flights.remove(place).map(|flight| (flight.due_us, flight.written_us))
    }
}

#[cfg(test)]
mod tests {
    use kith_protocol::ClientFrame;

    use super::*;

    #[test]
    fn what_is_sent_is_a_send() {
        let clock = Clock::new();
        let conversation = kith_protocol::ConversationId::new(uuid::Uuid::from_u128(5));
        let bounds = Bounds { start_us: 0, stop_us: 10, quota: 1 };
        let mut sender = Sender::new(&conversation.to_string(), 3, 200, Pace::Window(1), bounds);
        let name = clock.name(Mark { sender: 3, count: 0, at_us: 7 });
        name.hyphenated().encode_lower(&mut sender.frame[sender.id_at..sender.id_at + UUID_CHARS]);
        // Two bytes of head, two of length, four of the zero mask.
        let text = str::from_utf8(&sender.frame[8..]).unwrap();
        let Ok(ClientFrame::Send(send)) = ClientFrame::decode(text) else { panic!("no send") };
        assert_eq!((send.conversation, send.message.client_id, send.message.text.len()), (conversation, name, 200));
    }
}
