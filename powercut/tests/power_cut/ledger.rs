//! A ledger of the requests to the store and of its promises, and the check that the store kept them.

use bytes::Bytes;
use kith::{
    clock,
    store::{Counts, Direction, Kind, LogRange, Record, RowKey, RowWrite, Store, Turn, schema},
};
use kith_protocol::{ConversationId, Timestamp, UserId, Uuid};

/// One writer's log and row.
#[derive(Clone)]
pub struct Ledger {
    pub log: ConversationId,
    pub user: UserId,
    /// The client_id of every entry that was ever asked for; its place is its seq less 1.
    pub asked: Vec<Uuid>,
    /// The highest seq that was promised.
    pub promised: u64,
    /// The seqs whose redaction was promised, and those for which it was asked.
    pub redacted: Vec<u64>,
    pub redacting: Vec<u64>,
    /// The number put into the row last, and the last one that was promised.
    pub put: u64,
    pub put_promised: u64,
}

/// The partition of a writer's row: one that the schema knows, so that the store can be verified.
pub fn row(log: ConversationId) -> RowKey {
    schema::active::row(log)
}

/// The value of the rows that travel with every turn: where the log ends with it, and which entry it redacted.
fn mark(head: u64, redacted: u64) -> Bytes {
    [head.to_be_bytes(), redacted.to_be_bytes()].concat().into()
}

pub fn value(number: u64) -> Bytes {
    // Of all lengths, so that pages split and overflow.
    let mut value = number.to_be_bytes().to_vec();
    value.resize(8 + (number * 271 % 3000) as usize, number as u8);
    value.into()
}

impl Ledger {
    pub fn new() -> Self {
        Self {
            log: ConversationId::new(clock::uuid()),
            user: UserId::new(clock::uuid()),
            asked: Vec::new(),
            promised: 0,
            redacted: Vec::new(),
            redacting: Vec::new(),
            put: 0,
            put_promised: 0,
        }
    }

    /// The rows that travel with every turn, in partitions of their own.
    fn marks(&self) -> [RowKey; 2] {
        let key = schema::user::contact(self.user);
        let other = RowKey { partition: schema::user::partition(self.user), key };
        [schema::due::row(Timestamp::default(), schema::due::Task::Expiry(self.log, 1)), other]
    }

    /// Asks for `count` more entries, in a turn that redacts the entry before it every other time; its rows say what it does.
    pub fn turn(&mut self, count: u64) -> Turn {
        let head = self.promised;
        self.asked.extend((0..count).map(|_| clock::uuid()));
        let redacted = head - head % 2;
        self.redacting.extend((redacted > 1).then_some(redacted));
        let value = mark(head + count, redacted);
        Turn {
            append: (head + 1..=head + count).map(|seq| self.record(seq)).collect(),
            redact: (redacted > 1).then(|| self.redaction(redacted)).into_iter().collect(),
            rows: self.marks().into_iter().map(|row| RowWrite::Put(row, value.clone())).collect(),
        }
    }

    /// The entry at `seq`, as it was asked for.
    pub fn record(&self, seq: u64) -> Record {
        let client_id = self.asked[seq as usize - 1];
        let text = "x".repeat((client_id.as_u128() % 700) as usize);
        let body = match seq {
            1 => format!(r#"{{"kind":"group","members":[{{"user":"{}","role":"owner"}}]}}"#, self.user),
            _ => format!(r#"{{"text":"{text}"}}"#),
        };
        Record {
            seq,
            kind: if seq == 1 { Kind::Created } else { Kind::Message },
            sender: self.user,
            device: None,
            client_id: Some(client_id),
            at: Timestamp::from_millis((client_id.as_u128() >> 80) as u64),
            true_at: None,
            expires_at: None,
            counts: Counts { messages: seq - 1, mentioning: 0, rev: 1 },
            body: body.into(),
        }
    }

    /// The record that replaces the entry at `seq`.
    pub fn redaction(&self, seq: u64) -> Record {
        Record { kind: Kind::Redacted, body: r#"{"was":"message"}"#.into(), ..self.record(seq) }
    }

    /// Compares the rows that travel with every turn with the log: a turn is there whole, or not at all.
    async fn marked(&self, store: &dyn Store, found: &[Record]) -> Result<(), String> {
        let head = found.len() as u64;
        let marks = store.get(self.marks().to_vec()).await.map_err(|error| error.to_string())?;
        let redacted = marks[0].as_deref().and_then(<[u8]>::last_chunk).map_or(0, |seq| u64::from_be_bytes(*seq));
        let expected = (head > 0).then(|| mark(head, redacted));
        if marks.iter().any(|mark| *mark != expected) {
            return Err(format!("a turn is there by half: the log ends at {head}, and its rows are {marks:?}"));
        }
        if redacted > 1 && found[redacted as usize - 1] != self.redaction(redacted) {
            return Err(format!("a turn is there by half: entry {redacted} is not redacted"));
        }
        Ok(())
    }

    /// Compares the store with what was promised, and takes what else is there for granted.
    pub async fn settle(&mut self, store: &dyn Store) -> Result<(), String> {
        let range = LogRange { log: self.log, seqs: 1..=u64::MAX, direction: Direction::Ascending, limit: usize::MAX };
        let found = store.read(vec![range]).await.map_err(|error| error.to_string())?.remove(0);
        let head = found.len() as u64;
        if head < self.promised {
            return Err(format!("{} entries of {} promised ones are lost", self.promised - head, self.promised));
        }
        if head > self.asked.len() as u64 {
            return Err(format!("{head} entries where {} were asked for", self.asked.len()));
        }
        for (record, seq) in found.iter().zip(1..) {
            let redaction = self.redaction(seq);
            let may = [self.record(seq), redaction.clone()];
            let must = if self.redacted.contains(&seq) { &may[1..] } else { &may[..1] };
            let in_flight = self.redacting.contains(&seq) && may.contains(record);
            if !must.contains(record) && !in_flight {
                return Err(format!("entry {seq} is {record:?}"));
            }
            if in_flight && *record == redaction {
                self.redacted.push(seq);
            }
            let known = store.find(self.log, self.user, self.asked[seq as usize - 1]).await;
            if known != Ok(Some(seq)) {
                return Err(format!("the client_id of entry {seq} is {known:?}"));
            }
        }
        for lost in &self.asked[head as usize..] {
            let known = store.find(self.log, self.user, *lost).await;
            if known != Ok(None) {
                return Err(format!("the client_id of an entry that is not there is {known:?}"));
            }
        }
        self.marked(store, &found).await?;
        self.asked.truncate(head as usize);
        self.promised = head;
        self.redacting.clear();

        let found = store.get(vec![row(self.log)]).await.map_err(|error| error.to_string())?.remove(0);
        let number = (self.put_promised..=self.put).find(|number| match &found {
            Some(found) => *number > 0 && *found == value(*number),
            None => *number == 0,
        });
        let number = number.ok_or_else(|| format!("the row is none of {} to {}", self.put_promised, self.put))?;
        (self.put, self.put_promised) = (number, number);
        Ok(())
    }
}
