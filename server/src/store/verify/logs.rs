//! The logs: dense, with totals that add up, and with every young client_id remembered.

use kith_protocol::{ConversationId, Timestamp};
use serde::de::IgnoredAny;

use super::{
    super::{
        Counts, Error, Kind,
        sqlite::{Raw, Reader, Snapshot},
    },
    Check, Progress,
};
use crate::clock;

/// The entry before.
#[derive(Default)]
struct Before {
    log: Option<ConversationId>,
    seq: u64,
    at: Timestamp,
    counts: Counts,
}

impl<P: FnMut(Progress)> Check<P> {
    pub(super) fn entries(&mut self, snapshot: &Snapshot) -> Result<(), Error> {
        let total = self.report.entries;
        let (mut done, mut failed) = (0, Ok(()));
        let mut before = Before::default();
        let mut reader = snapshot.reader();
        snapshot.each_entry(|entry| {
            if before.log != Some(entry.log) {
                self.report.logs += 1;
                before = Before { log: Some(entry.log), ..Before::default() };
            }
            self.entry(&entry, &before);
            if failed.is_ok() {
                failed = self.remembered(&mut reader, &entry);
            }
            before = Before { log: before.log, seq: entry.seq, at: entry.stored.at, counts: entry.stored.counts };
            done += 1;
            self.told("entries", done, total);
        })?;
        if done != total {
            self.report.problem(|| format!("{total} entries are there, and {done} are found by their conversation"));
        }
        let misplaced = snapshot.misplaced()?;
        if misplaced > 0 {
            self.report.problem(|| format!("{misplaced} entries are not where their conversation says that they are"));
        }
        failed
    }

    fn entry(&mut self, entry: &Raw<'_>, before: &Before) {
        let Raw { log, seq, stored } = entry;
        let mut wrong = |what: &str| self.report.problem(|| format!("{log}.{seq}: {what}"));
        if *seq != before.seq + 1 {
            wrong(&format!("follows on {}", before.seq));
        }
        if (*seq == 1) != (stored.kind == Kind::Created) {
            wrong(&format!("is of kind {}", stored.kind.name()));
        }
        if stored.at < before.at {
            wrong("was taken before the one before it");
        }
        if !follows(stored.kind, *seq, stored.counts, before.counts) {
            wrong(&format!("its totals {:?} do not follow on {:?}", stored.counts, before.counts));
        }
        let is_object = stored.body.first() == Some(&b'{') && serde_json::from_slice::<IgnoredAny>(stored.body).is_ok();
        if !is_object {
            wrong("its body is no JSON object");
        }
    }

    /// A resend of what was taken within the last week must be found.
    fn remembered(&mut self, reader: &mut Reader<'_>, entry: &Raw<'_>) -> Result<(), Error> {
        let Raw { log, seq, stored } = entry;
        let since = clock::now().since(stored.at);
        let Some(client_id) = stored.client_id.filter(|_| since.as_secs() < kith_protocol::limits::IDEMPOTENCY_S)
        else {
            return Ok(());
        };
        let sender = reader.user(stored.sender)?;
        let found = reader.find(*log, sender, client_id)?;
        if found.is_none() {
            self.report.problem(|| format!("{log}.{seq}: its client_id is not remembered"));
        }
        Ok(())
    }
}

/// Whether an entry's totals are those of the one before and its own.
fn follows(kind: Kind, seq: u64, counts: Counts, before: Counts) -> bool {
    let messages = counts.messages.wrapping_sub(before.messages);
    let mentioning = counts.mentioning.wrapping_sub(before.mentioning);
    let counted = match kind {
        Kind::Message => messages == 1,
        // It may have been one.
        Kind::Redacted => messages <= 1,
        _ => messages == 0,
    };
    let rev = match kind {
        Kind::Created | Kind::MemberAdded | Kind::MemberRemoved | Kind::RoleChanged | Kind::ConversationChanged => {
            counts.rev == seq
        }
        Kind::Message | Kind::Edit | Kind::Delete | Kind::Reaction => counts.rev == before.rev,
        Kind::Redacted => counts.rev == before.rev || counts.rev == seq,
    };
    counted && mentioning <= messages && rev
}
