//! The logs: dense, with totals that add up, and with every young client_id remembered; and the rows derived from them.

use kith_protocol::{Body, ConversationId, Timestamp};
use serde::de::IgnoredAny;

use super::{Check, Progress, derived::Derived, why};
use crate::{
    clock,
    delivery::encoding,
    store::{
        Counts, Error, Kind,
        sqlite::{Met, Reader, Snapshot, Stored},
    },
};

/// The entry before.
#[derive(Default)]
struct Before {
    log: Option<ConversationId>,
    seq: u64,
    /// The time at which it was taken and the totals up to it; none where it is damaged.
    says: Option<(Timestamp, Counts)>,
}

impl<P: FnMut(Progress)> Check<P> {
    pub(super) fn entries(&mut self, snapshot: &Snapshot) -> Result<(), Error> {
        let total = self.report.entries;
        let (mut done, mut failed) = (0, Ok(()));
        let mut before = Before::default();
        let mut derived: Option<Derived> = None;
        let mut reader = snapshot.reader();
        snapshot.each_entry(|met| {
            let (log, seq, stored) = match met {
                Met::Entry { log, seq, stored, unchecked, .. } => {
                    self.report.unchecked += u64::from(unchecked);
                    (log, seq, stored)
                }
                Met::Gap(_, error) => {
                    derived.iter_mut().for_each(Derived::break_off);
                    return self.report.problem(|| why(error));
                }
            };
            if before.log != Some(log) {
                self.report.logs += 1;
                let begun = self.derived(&mut reader, derived.take(), Some(log));
                derived = begun.unwrap_or_else(|error| {
                    failed = Err(error);
                    None
                });
                before = Before { log: Some(log), seq: 0, says: Some(Default::default()) };
            }
            if seq != before.seq + 1 {
                self.report.problem(|| format!("{log}.{seq}: follows on {}", before.seq));
                before.says = None;
            }
            before = match stored {
                Ok(stored) => {
                    let body = self.entry((log, seq), &stored, before.says);
                    if failed.is_ok() {
                        failed = self.remembered(&mut reader, (log, seq), &stored);
                    }
                    if let (Ok(()), Some(derived)) = (&failed, &mut derived) {
                        failed = self.fold(&mut reader, derived, (seq, &stored), body);
                    }
                    Before { log: Some(log), seq, says: Some((stored.at, stored.counts)) }
                }
                Err(error) => {
                    derived.iter_mut().for_each(Derived::break_off);
                    self.report.problem(|| why(error));
                    Before { log: Some(log), seq, says: None }
                }
            };
            done += 1;
            self.told("entries", done, total);
        })?;
        let ended = self.derived(&mut reader, derived.take(), None);
        failed = failed.and(ended.map(drop));
        if done != total {
            self.report.problem(|| format!("{total} entries are there, and {done} are found by their conversation"));
        }
        let misplaced = snapshot.misplaced()?;
        if misplaced > 0 {
            self.report.problem(|| format!("{misplaced} entries are not where their conversation says that they are"));
        }
        failed
    }

    /// Ends the log that was read before, and begins another one.
    fn derived(
        &mut self,
        reader: &mut Reader<'_>,
        before: Option<Derived>,
        log: Option<ConversationId>,
    ) -> Result<Option<Derived>, Error> {
        if let Some(before) = before {
            before.end(reader)?.into_iter().for_each(|what| self.report.problem(|| what));
        }
        log.map(|log| Derived::begin(log, reader)).transpose()
    }

    fn fold(
        &mut self,
        reader: &mut Reader<'_>,
        derived: &mut Derived,
        (seq, stored): (u64, &Stored<'_>),
        body: Option<Body>,
    ) -> Result<(), Error> {
        let Some(body) = body else {
            derived.break_off();
            return Ok(());
        };
        let sender = reader.user(stored.sender)?;
        let problems = derived.entry(reader, (seq, sender, stored.at), &body)?;
        problems.into_iter().for_each(|what| self.report.problem(|| what));
        Ok(())
    }

    /// Checks one entry; its body, if that is of its kind.
    fn entry(
        &mut self,
        (log, seq): (ConversationId, u64),
        stored: &Stored<'_>,
        before: Option<(Timestamp, Counts)>,
    ) -> Option<Body> {
        let body = encoding::body_of(stored.kind, stored.body).ok();
        let mut wrong = |what: &str| self.report.problem(|| format!("{log}.{seq}: {what}"));
        if (seq == 1) != (stored.kind == Kind::Created) {
            wrong(&format!("is of kind {}", stored.kind.name()));
        }
        if before.is_some_and(|(at, _)| stored.at < at) {
            wrong("was taken before the one before it");
        }
        let follows = |counts: &Counts| match &body {
            Some(body) if *body != Body::Unknown => stored.counts.follow(*counts, seq, &body.into()),
            _ => follows(stored.kind, seq, stored.counts, *counts),
        };
        if let Some((_, counts)) = before.filter(|(_, counts)| !follows(counts)) {
            wrong(&format!("its totals {:?} do not follow on {counts:?}", stored.counts));
        }
        let is_object = stored.body.first() == Some(&b'{') && serde_json::from_slice::<IgnoredAny>(stored.body).is_ok();
        if !is_object {
            wrong("its body is no JSON object");
        } else if body.is_none() {
            wrong(&format!("its body is none of the kind {}", stored.kind.name()));
        }
        body
    }

    /// A resend of what was taken within the last week must be found.
    fn remembered(
        &mut self,
        reader: &mut Reader<'_>,
        (log, seq): (ConversationId, u64),
        stored: &Stored<'_>,
    ) -> Result<(), Error> {
        let since = clock::now().since(stored.true_at.unwrap_or(stored.at));
        let Some(client_id) = stored.client_id.filter(|_| since.as_secs() < kith_protocol::limits::IDEMPOTENCY_S)
        else {
            return Ok(());
        };
        let found = reader.user(stored.sender).and_then(|sender| reader.find(log, sender, client_id));
        match found {
            Ok(Some(_)) => {}
            Ok(None) => self.report.problem(|| format!("{log}.{seq}: its client_id is not remembered")),
            Err(Error::Corrupt(why)) => self.report.problem(|| format!("{log}.{seq}: {why}")),
            Err(error) => return Err(error),
        }
        Ok(())
    }
}

/// Returns true if an entry's totals are those of the one before and its own.
pub(crate) fn follows(kind: Kind, seq: u64, counts: Counts, before: Counts) -> bool {
    let messages = counts.messages.wrapping_sub(before.messages);
    let mentioning = counts.mentioning.wrapping_sub(before.mentioning);
    let counted = match kind {
        Kind::Message => messages == 1,
        // It may have been one, or may count as one.
        Kind::Redacted | Kind::Sealed => messages <= 1,
        _ => messages == 0,
    };
    let rev = match kind {
        Kind::Created | Kind::MemberAdded | Kind::MemberRemoved | Kind::RoleChanged | Kind::ConversationChanged => {
            counts.rev == seq
        }
        Kind::Message | Kind::Edit | Kind::Delete | Kind::Reaction => counts.rev == before.rev,
        Kind::Redacted | Kind::Sealed | Kind::Commit | Kind::DevicesChanged => {
            counts.rev == before.rev || counts.rev == seq
        }
    };
    counted && mentioning <= messages && rev
}
