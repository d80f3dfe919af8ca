//! The rows: those that are derived are made again, those of which nothing hangs are forgotten, all others stay.

use std::collections::BTreeSet;

use bytes::Bytes;
use kith_protocol::{ConversationId, UserId};
use serde_json::json;

use super::{Fix, Plan, hex};
use crate::{
    clock,
    store::{
        Error, RowKey,
        schema::{self, Listed, Member, Place, Value as _, shown},
        sqlite::{RawRow, Reader, Snapshot},
    },
};

/// The cure of a damaged row.
enum Cure {
    /// Deleted, and its conversation is folded from its log.
    Fold(ConversationId),
    /// Deleted; the text says why that does no harm.
    Forget(&'static str),
    /// Written again.
    Again(Bytes),
    /// Left as it is; the text says what the operator can do.
    Stay(&'static str),
}

impl Plan {
    pub(super) fn rows(&mut self, snapshot: &Snapshot) -> Result<(), Error> {
        let mut reader = snapshot.reader();
        let mut folded = BTreeSet::new();
        let read = snapshot.each_row(|row| {
            let place = schema::place(row.partition, row.key);
            let says = place.as_ref().is_ok_and(|place| shown(*place, row.value).is_ok());
            if row.holds && says {
                return;
            }
            self.row(&mut reader, &row, place.ok(), &mut folded);
        });
        if let Err(error) = read {
            self.left.push(format!("the rows: {error}: restore a backup"));
        }
        for log in folded {
            self.fold(&mut reader, log)?;
        }
        Ok(())
    }

    fn row(
        &mut self,
        reader: &mut Reader<'_>,
        row: &RawRow<'_>,
        place: Option<Place>,
        folded: &mut BTreeSet<ConversationId>,
    ) {
        let named = schema::named(row.partition, row.key);
        let before = json!({ "row": named, "key": hex(row.full), "value": hex(row.value), "sum": row.sum });
        let back = row.one_bit_back().filter(|(row, value)| {
            schema::place(&row.partition, &row.key).is_ok_and(|place| shown(place, value).is_ok())
        });
        let full = row.full.to_vec();
        if let Some((row, value)) = back {
            let named = schema::named(&row.partition, &row.key);
            let what = format!("{named}: the one bit that was flipped is put back");
            return self.step(what, before, Fix::Row { full, put: Some((row, value)) });
        }
        let cure = place.map_or(Cure::Stay(BACKUP), |place| self.cure(reader, place));
        match cure {
            Cure::Fold(log) if self.is_whole(log) => {
                folded.insert(log);
                self.step(format!("{named}: it goes, and is folded again"), before, Fix::Row { full, put: None });
            }
            Cure::Fold(log) => {
                self.left.push(format!("{named}: the log of {log} is not whole, so it stays closed: restore a backup"));
            }
            Cure::Forget(why) => {
                self.step(format!("{named}: it goes; {why}"), before, Fix::Row { full, put: None });
            }
            Cure::Again(value) => {
                let name = RowKey { partition: row.partition.to_vec(), key: row.key.to_vec() };
                let put = Some((name, value.to_vec()));
                self.step(format!("{named}: it is written again"), before, Fix::Row { full, put });
            }
            Cure::Stay(choices) => self.left.push(format!("{named}: it stays damaged; {choices}")),
        }
    }

    fn cure(&self, reader: &mut Reader<'_>, place: Place) -> Cure {
        match place {
            Place::State(log) | Place::Member(log, _) | Place::Amendment(log, _) => Cure::Fold(log),
            Place::Mention(_, _, log, _) | Place::Expiring(_, log, _) => Cure::Fold(log),
            Place::Active(log) if self.logs.contains_key(&log) => Cure::Again(Bytes::new()),
            Place::Unindexed(log) if self.logs.contains_key(&log) => {
                Cure::Again(Bytes::copy_from_slice(clock::uuid().as_bytes()))
            }
            Place::Active(_) | Place::Unindexed(_) => Cure::Forget("there is no such conversation"),
            Place::Unpushed(..) | Place::Pending(..) => Cure::Forget("a push may be missing"),
            Place::Probe => Cure::Forget("it is written again when it is needed"),
            Place::Today(_) | Place::Written(..) => Cure::Forget("what was done today is not counted"),
            Place::Replay(_) => Cure::Forget("a request that is repeated may be done again"),
            Place::Listed(user, log) => listed(reader, user, log),
            Place::Device(..) | Place::Token(_) | Place::Known(..) => {
                Cure::Stay("the device cannot sign in with it: its user signs in anew, or restore a backup")
            }
            Place::Profile(_) => Cure::Stay("the user cannot sign in: restore a backup"),
            _ => Cure::Stay(BACKUP),
        }
    }

    /// Has a conversation folded from its log at the next start.
    fn fold(&mut self, reader: &mut Reader<'_>, log: ConversationId) -> Result<(), Error> {
        let state = RowKey { partition: schema::conversation::partition(log), key: schema::conversation::state() };
        let value = reader.get(&state).unwrap_or_default();
        let named = schema::named(&state.partition, &state.key);
        let before = value.map_or(serde_json::Value::Null, |value| json!({ "row": named, "value": hex(&value) }));
        let full = Snapshot::key_of(&state);
        let put = Some((schema::active::row(log), Vec::new()));
        self.step(format!("{log}: its rows are folded from its log at the next start"), before, Fix::Row { full, put });
        Ok(())
    }
}

const BACKUP: &str = "it cannot be made from anything else: restore a backup, or go on without it";

/// The row of a conversation in a list says no more than that it is there, but for what its user set.
fn listed(reader: &mut Reader<'_>, user: UserId, log: ConversationId) -> Cure {
    let member = RowKey { partition: schema::conversation::partition(log), key: schema::conversation::member(user) };
    match reader.get(&member).map(|row| row.map(|row| Member::decode(&row))) {
        Ok(Some(Ok(member))) if member.pointers.accepted => Cure::Again(Listed::default().encode()),
        Ok(None | Some(Ok(_))) => Cure::Forget("the conversation is not in the user's list"),
        _ => Cure::Stay("whether the user is a member has to be told first: repair again after a start"),
    }
}
