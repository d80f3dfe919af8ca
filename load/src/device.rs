//! A device that was away: says what it has, and listens until it has everything.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use kith_protocol::ConversationId;
use tokio::time::timeout;

use crate::{
    conn::Conn,
    error::{Error, Result},
    order::{Check, Order},
    scan::{self, Heard},
    target::Target,
};

/// The conversations of a storm and where each ends.
#[derive(Debug)]
pub struct Logs {
    /// Their ids as text.
    pub names: Vec<String>,
    /// Their places in `names`.
    pub places: HashMap<Vec<u8>, usize>,
    /// The last seq of each.
    pub ends: Vec<u64>,
}

/// A device and what it has.
#[derive(Debug)]
pub struct Device {
    user: usize,
    orders: HashMap<usize, Order>,
    /// Entries that its socket got twice. The protocol allows it while a device resumes; they are reported all the same.
    pub repeats: Check,
}

impl Logs {
    /// These conversations, each ending at seq 1.
    pub fn new(ids: &[ConversationId]) -> Self {
        let names: Vec<String> = ids.iter().map(ToString::to_string).collect();
        let places = names.iter().enumerate().map(|(place, name)| (name.as_bytes().to_vec(), place)).collect();
        Self { ends: vec![1; names.len()], names, places }
    }
}

impl Device {
    /// A new device of a user: it takes the heads that it is told as what it has, and leaves.
    ///
    /// # Errors
    /// It cannot sign in, or is told of other conversations than its own.
    pub async fn first_seen(target: &Target, user: usize, own: &[usize], logs: &Logs) -> Result<Self> {
        let mut conn = Conn::open(target, user).await?;
        let signed_in = conn.sign_in(&target.token(user), "", |_, _| Ok(())).await?;
        let mut orders = HashMap::with_capacity(own.len());
        for item in signed_in.heads {
            if let Some(place) = logs.places.get(item.id.to_string().as_bytes()) {
                orders.insert(*place, Order::from(item.head));
            }
        }
        if own.iter().any(|place| !orders.contains_key(place)) {
            let name = target.username(user);
            return Err(Error::Protocol(format!("{name} was not told of all conversations that it is a member of")));
        }
        conn.close();
        conn.flush()?;
        Ok(Self { user, orders, repeats: Check::default() })
    }

    /// Comes back and stays until it has everything; tells how long after `began` that was.
    /// Where it takes longer than `limit`, what lacks stays for [`Self::end`] to count.
    ///
    /// # Errors
    /// The server refuses it or breaks the protocol.
    pub async fn come_back(
        &mut self,
        target: &Target,
        logs: &Logs,
        began: Instant,
        limit: Duration,
    ) -> Result<Duration> {
        match timeout(limit, self.catch_up(target, logs)).await {
            Ok(caught_up) => caught_up?,
            Err(_) => return Ok(began.elapsed()),
        };
        Ok(began.elapsed())
    }

    async fn catch_up(&mut self, target: &Target, logs: &Logs) -> Result<Conn> {
        let have: Vec<String> = (self.orders.iter())
            .map(|(place, order)| format!(r#"["{}",{}]"#, logs.names[*place], order.head()))
            .collect();
        let mut conn = Conn::open(target, self.user).await?;
        conn.sign_in(&target.token(self.user), &have.join(","), |frame, _| self.hear(frame, logs)).await?;
        loop {
            let mut whole = true;
            for (place, order) in self.orders.iter().filter(|(place, order)| !order.is_whole_to(logs.ends[**place])) {
                let (name, after) = (&logs.names[*place], order.head());
                conn.text(format!(r#"{{"t":"sync","conversation":"{name}","after":{after}}}"#).as_bytes());
                whole = false;
            }
            if whole {
                return Ok(conn);
            }
            conn.text(br#"{"t":"ping"}"#);
            conn.flush()?;
            let mut answered = false;
            while !answered {
                conn.recv(|frame, _| {
                    answered |= scan::kind(frame)? == b"pong";
                    self.hear(frame, logs)
                })
                .await?;
            }
        }
    }

    fn hear(&mut self, frame: &[u8], logs: &Logs) -> Result<()> {
        if scan::kind(frame)? == b"entries" {
            let (mut conversation, mut entries) = (&b""[..], &b"[]"[..]);
            scan::fields(frame, |key, value| {
                match key {
                    b"conversation" => conversation = scan::text(value),
                    b"entries" => entries = value,
                    _ => {}
                }
                true
            })?;
            return scan::items(entries, |entry| {
                self.heard(conversation, scan::place(entry)?.0, logs);
                Ok(())
            });
        }
        match scan::hear(frame)? {
            Heard::Entry { conversation, seq, .. } => self.heard(conversation, seq, logs),
            Heard::Error { code, .. } => {
                return Err(Error::Refused(format!("a device was refused: {}", String::from_utf8_lossy(code))));
            }
            _ => {}
        }
        Ok(())
    }

    fn heard(&mut self, conversation: &[u8], seq: u64, logs: &Logs) {
        if let Some(order) = logs.places.get(conversation).and_then(|place| self.orders.get_mut(place)) {
            order.hear(seq, &mut self.repeats);
        }
    }

    /// Counts what it still lacks.
    pub fn end(&self, logs: &Logs) -> Check {
        let mut check = Check::default();
        self.orders.iter().for_each(|(place, order)| order.end(logs.ends[*place], &mut check));
        check.out_of_order = self.repeats.out_of_order;
        check
    }
}
