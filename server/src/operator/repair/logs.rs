//! The logs: entries that are damaged, and ways to entries that are.

use kith_protocol::{
    ConversationId, Timestamp,
    entry::{Redacted, RedactedKind},
    limits::IDEMPOTENCY_S,
};
use serde_json::json;

use super::{Fix, Plan, Step, hex};
use crate::{
    clock,
    operator::verify::logs::follows,
    store::{
        Counts, Error, Kind,
        sqlite::{Met, RawEntry, Reader, Snapshot, Stored},
    },
};

/// A damaged entry that waits for the one behind it.
struct Damaged {
    seq: u64,
    row: i64,
    data: Vec<u8>,
    sum: i64,
    why: String,
}

/// The part of a log that has been read.
#[derive(Default)]
struct Reading {
    log: Option<ConversationId>,
    /// The last entry that is whole, or will be: when it was taken, and the totals up to it.
    before: Option<(Timestamp, Counts)>,
    /// The damaged ones behind it.
    damaged: Vec<Damaged>,
}

impl Plan {
    pub(super) fn entries(&mut self, snapshot: &Snapshot) -> Result<(), Error> {
        let mut reader = snapshot.reader();
        let mut reading = Reading::default();
        let mut broken = snapshot.unlinked()?;
        let mut gaps = Vec::new();
        snapshot.each_entry(|met| match met {
            Met::Gap(conv, error) => gaps.push((conv, error)),
            Met::Entry { log, seq, stored, raw, .. } => {
                if reading.log != Some(log) {
                    self.decide(&mut reader, &mut reading, None);
                    reading = Reading { log: Some(log), before: Some(Default::default()), damaged: Vec::new() };
                    self.logs.insert(log, true);
                }
                match stored {
                    Ok(stored) => {
                        self.decide(&mut reader, &mut reading, Some((seq, &stored)));
                        reading.before = Some((stored.at, stored.counts));
                        self.forgotten(&mut reader, (log, seq), &stored, raw.row);
                    }
                    Err(error) => self.damaged(&mut reader, &mut reading, (log, seq), raw, &error),
                }
            }
        })?;
        self.decide(&mut reader, &mut reading, None);
        broken.extend(gaps.iter().map(|(conv, _)| *conv));
        broken.sort_unstable();
        broken.dedup();
        for conv in broken {
            let log = reader.conversation(conv);
            if let Ok(log) = log {
                self.logs.insert(log, false);
            }
            let named = log.map_or_else(|_| format!("the log with the number {conv}"), |log| log.to_string());
            match snapshot.dense(conv)? {
                Some(rows) => self.step(
                    format!("{named}: where its entries lie is written anew"),
                    serde_json::Value::Null,
                    Fix::Links { conv, rows },
                ),
                None => self.left.push(format!("{named}: entries are missing; it stays closed: restore a backup")),
            }
        }
        Ok(())
    }

    /// Has the client_id of an entry remembered, if its sender may send it again and nobody would know it.
    fn forgotten(&mut self, reader: &mut Reader<'_>, (log, seq): (ConversationId, u64), stored: &Stored<'_>, row: i64) {
        let since = clock::now().since(stored.at).as_secs();
        let Some(client_id) = stored.client_id.filter(|_| since < IDEMPOTENCY_S) else { return };
        let Ok(sender) = reader.user(stored.sender) else { return };
        if reader.find(log, sender, client_id) == Ok(None) {
            let what = format!("{log}.{seq}: its client_id is remembered again");
            let fix = Fix::Remember { of: (log, sender, client_id), row, at: stored.at };
            self.step(what, serde_json::Value::Null, fix);
        }
    }

    /// A damaged entry: it is put right at once, or waits for the one behind it.
    fn damaged(
        &mut self,
        reader: &mut Reader<'_>,
        reading: &mut Reading,
        (log, seq): (ConversationId, u64),
        raw: RawEntry<'_>,
        error: &Error,
    ) {
        let RawEntry { row, data, sum } = raw;
        if let Some(back) = raw.one_bit_back(log, seq) {
            if let Ok(stored) = Stored::decode(&back) {
                self.decide(reader, reading, Some((seq, &stored)));
                reading.before = Some((stored.at, stored.counts));
            }
            let what = format!("{log}.{seq}: the one bit that was flipped is put back");
            self.step(what, before(log, seq, data, sum), Fix::Entry { log, seq, row, data: back });
            return;
        }
        reading.damaged.push(Damaged { seq, row, data: data.to_vec(), sum, why: error.to_string() });
    }

    /// Decides what becomes of the damaged entries in front of one that is whole, or at the end of their log.
    fn decide(&mut self, reader: &mut Reader<'_>, reading: &mut Reading, after: Option<(u64, &Stored<'_>)>) {
        let Some(log) = reading.log else { return };
        let damaged = std::mem::take(&mut reading.damaged);
        if damaged.is_empty() {
            return;
        }
        let redacted = reading.before.and_then(|before| redacted(reader, log, &damaged, before, after));
        match redacted {
            Some(steps) => self.steps.extend(steps),
            None => {
                self.logs.insert(log, false);
                self.left.extend(damaged.into_iter().map(|Damaged { seq, why, .. }| {
                    format!("{log}.{seq}: {why}. It cannot be told what it was, so the conversation stays closed: restore a backup")
                }));
            }
        }
    }
}

/// The steps that make the damaged entries of a log redacted ones, where each says that it is a message or an edit, and
/// what it says beside its text follows on what is in front of it and leads to what is behind.
fn redacted(
    reader: &mut Reader<'_>,
    log: ConversationId,
    damaged: &[Damaged],
    mut last: (Timestamp, Counts),
    after: Option<(u64, &Stored<'_>)>,
) -> Option<Vec<Step>> {
    let mut steps = Vec::new();
    for Damaged { seq, row, data, sum, .. } in damaged {
        let stored = Stored::decode(data).ok()?;
        let of_kind = matches!(stored.kind, Kind::Message | Kind::Edit | Kind::Redacted);
        if !of_kind || stored.at < last.0 || !follows(stored.kind, *seq, stored.counts, last.1) {
            return None;
        }
        reader.user(stored.sender).ok()?;
        stored.device.map_or(Ok(()), |device| reader.user(device).map(drop)).ok()?;
        let was = if stored.counts.messages > last.1.messages { RedactedKind::Message } else { RedactedKind::Edit };
        last = (stored.at, stored.counts);
        let body = serde_json::to_vec(&Redacted { was }).expect("it has a JSON form");
        let data_after = RawEntry { row: *row, data, sum: *sum }.redacted(&body).ok()?;
        steps.push(Step {
            what: format!("{log}.{seq}: it becomes redacted, as if it had been deleted"),
            before: before(log, *seq, data, *sum),
            fix: Fix::Entry { log, seq: *seq, row: *row, data: data_after },
        });
    }
    let fits =
        |(seq, stored): (u64, &Stored<'_>)| stored.at >= last.0 && follows(stored.kind, seq, stored.counts, last.1);
    after.is_none_or(fits).then_some(steps)
}

fn before(log: ConversationId, seq: u64, data: &[u8], sum: i64) -> serde_json::Value {
    json!({ "entry": format!("{log}.{seq}"), "data": hex(data), "sum": sum })
}
