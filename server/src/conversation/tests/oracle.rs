//! The oracle: whatever happened, nothing acknowledged is lost, doubled or reordered, no connection has a hole, pointers
//! never go back, nobody writes who is no member, and the rows say what the log says.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use kith_log::Amendment;
use kith_protocol::{
    Body, Code, UserId,
    entry::{Redacted, RedactedKind, Role},
    frame::Receipt,
};

use super::world::{Client, Given, Letter, USERS, World, conversation, user};
use crate::{
    delivery::encoding,
    store::{
        Kind, Record,
        schema::{self, Listed, Member, State},
    },
};

/// The meaning of a log, told anew and naively.
#[derive(Default)]
struct Told {
    /// The members after each entry, with the seq that added them; before the first there are none.
    members: Vec<BTreeMap<UserId, u64>>,
    roles: BTreeMap<UserId, Role>,
    /// Senders of messages.
    messages: HashMap<u64, UserId>,
    deleted: BTreeSet<u64>,
    edits: BTreeMap<u64, Vec<u64>>,
    reactions: BTreeMap<u64, BTreeSet<UserId>>,
    wrong: Vec<String>,
}

impl Told {
    fn of(log: &[Record]) -> Self {
        let mut told = Self { members: vec![BTreeMap::new()], ..Self::default() };
        for (record, seq) in log.iter().zip(1..) {
            if record.seq != seq {
                told.wrong.push(format!("entry {seq} has the seq {}", record.seq));
            }
            told.tell(record);
        }
        for pair in log.windows(2) {
            if pair[1].at < pair[0].at || pair[1].counts.messages < pair[0].counts.messages {
                told.wrong.push(format!("entry {} goes back", pair[1].seq));
            }
        }
        told
    }

    fn tell(&mut self, record: &Record) {
        let seq = record.seq;
        let mut members = self.members.last().expect("those before").clone();
        let body = encoding::body(conversation(), record).expect("a body");
        let is_member = members.contains_key(&record.sender);
        let mut expect = |holds: bool, what: &str| {
            if !holds {
                self.wrong.push(format!("entry {seq}: {what}"));
            }
        };
        expect(is_member || seq == 1, "its sender is no member");
        let target = match &body {
            Body::Edit(edit) => Some(edit.target),
            Body::Delete(delete) => Some(delete.target),
            Body::Reaction(reaction) => Some(reaction.target),
            _ => None,
        };
        if let Some(target) = target {
            expect(self.messages.contains_key(&target), "its target is no message");
            expect(!self.deleted.contains(&target), "its target was deleted before");
        }
        match &body {
            Body::Created(created) => {
                for member in &created.members {
                    members.insert(member.user, seq);
                    self.roles.insert(member.user, member.role);
                }
            }
            Body::Message(_) | Body::Redacted(Redacted { was: RedactedKind::Message }) => {
                self.messages.insert(seq, record.sender);
            }
            Body::Edit(edit) => {
                expect(self.messages.get(&edit.target) == Some(&record.sender), "it edits what another wrote");
                self.edits.entry(edit.target).or_default().push(seq);
            }
            Body::Delete(delete) => drop(self.deleted.insert(delete.target)),
            Body::Reaction(reaction) => {
                let users = self.reactions.entry(reaction.target).or_default();
                let changed = if reaction.on { users.insert(record.sender) } else { users.remove(&record.sender) };
                expect(changed, "it changes no reaction");
            }
            Body::MemberAdded(added) => {
                expect(members.insert(added.user, seq).is_none(), "it adds a member");
                self.roles.insert(added.user, added.role);
            }
            Body::MemberRemoved(removed) => {
                expect(members.remove(&removed.user).is_some(), "it removes who is no member")
            }
            _ => {}
        }
        self.members.push(members);
    }

    fn is_member(&self, user: UserId, at: u64) -> bool {
        self.members.get(at as usize).is_some_and(|members| members.contains_key(&user))
    }
}

impl World {
    pub(super) fn acknowledged(&mut self, letter: usize, seq: u64) {
        let letter = &mut self.letters[letter];
        letter.under_way = None;
        let before = letter.acknowledged.replace(seq);
        if before.is_some_and(|before| before != seq) {
            self.wrong.push(format!("{} was acknowledged at {before:?} and at {seq}", letter.text));
        }
    }

    pub(super) fn refused(&mut self, letter: usize, code: Code) {
        let Some((_, from)) = self.letters[letter].under_way.take() else { return };
        if !code.retryable() {
            self.letters[letter].refused = true;
            self.refusals.push((letter, code, from));
        }
    }

    /// Judges those that were refused for good: they were no members at some moment from when they asked until now.
    pub(super) async fn judge_refusals(&mut self) {
        let refusals = std::mem::take(&mut self.refusals);
        if refusals.is_empty() {
            return;
        }
        let told = Told::of(&self.log().await);
        let head = self.head().await;
        for (letter, code, from) in refusals {
            let Letter { user: number, text, .. } = &self.letters[letter];
            if code != Code::NotFound || (from..=head).all(|at| told.is_member(user(*number), at)) {
                self.wrong.push(format!("{text} was refused with {code:?} between {from} and {head}"));
            }
        }
    }

    /// A connection is told of no pointer that goes back.
    pub(super) fn told_of(&mut self, client: usize, receipt: &Receipt) {
        let now = (receipt.delivered, receipt.read);
        let before = self.clients[client].pointers.insert(receipt.user, now).unwrap_or_default();
        if now.0 < before.0 || now.1 < before.1 {
            self.wrong
                .push(format!("client {client}: the pointers of {} went from {before:?} to {now:?}", receipt.user));
        }
    }

    /// Holds everything that happened against the log; what is wrong, a line each.
    pub async fn judge(mut self) -> Vec<String> {
        let log = self.log().await;
        let told = Told::of(&log);
        self.wrong.extend(told.wrong.iter().cloned());
        self.judge_letters(&log);
        for client in 0..self.clients.len() {
            self.judge_client(client, &log, &told);
        }
        for record in &self.changed {
            if log.get(record.seq as usize - 1).is_none_or(|kept| kept != record) {
                self.wrong.push(format!("the change {} was answered and is not in the log", record.seq));
            }
        }
        self.judge_rows(&log, &told).await;
        if !self.wrong.is_empty() {
            self.wrong.extend(log.iter().map(summary));
        }
        self.wrong
    }

    fn judge_letters(&mut self, log: &[Record]) {
        let mut seqs: HashMap<_, Vec<u64>> = HashMap::new();
        for record in log {
            if let Some(client_id) = record.client_id {
                seqs.entry(client_id).or_default().push(record.seq);
            }
        }
        for letter in &self.letters {
            let found = seqs.remove(&letter.client_id).unwrap_or_default();
            let right = match letter.acknowledged {
                Some(seq) => found == [seq],
                None => letter.refused && found.is_empty(),
            };
            if !right {
                let text = &letter.text;
                self.wrong.push(format!("{text} was acknowledged at {:?} and lies at {found:?}", letter.acknowledged));
            }
        }
        let lists = self.in_order.iter().chain(self.clients.iter().map(|client| &client.fresh));
        for letters in lists {
            let first = letters.iter().map(|letter| &self.letters[*letter]).filter(|letter| letter.attempts == 1);
            let seqs: Vec<u64> = first.filter_map(|letter| letter.acknowledged).collect();
            if !seqs.is_sorted() {
                self.wrong.push(format!("letters of one connection lie at {seqs:?}"));
            }
        }
    }

    /// A client is given what its user may see, in order, without a hole, and as it is in the log.
    fn judge_client(&mut self, client: usize, log: &[Record], told: &Told) {
        let Client { user: number, given, .. } = &self.clients[client];
        let (user, mut known, mut added, mut listed) = (user(*number), 0, false, true);
        let mut wrong = Vec::new();
        for given in given {
            let seq = match given {
                Given::Connected(in_list) => {
                    listed = *in_list;
                    continue;
                }
                Given::Added => {
                    added = true;
                    continue;
                }
                Given::Sent(seq) => *seq,
                Given::Entry(entry) => entry.seq,
            };
            let Some(record) = log.get(seq as usize - 1) else {
                wrong.push(format!("{seq} is not in the log"));
                continue;
            };
            if let Given::Entry(entry) = given {
                let said = encoding::entry(conversation(), record).expect("an entry");
                if record.kind != Kind::Redacted && **entry != said {
                    wrong.push(format!("{seq} is another entry in the log"));
                }
                if !told.is_member(user, seq) && !told.is_member(user, seq - 1) {
                    wrong.push(format!("{seq} is not for who is no member"));
                }
                if seq <= known {
                    wrong.push(format!("{seq} came behind {known}"));
                }
            }
            let joined = (seq - 1..=seq).rev().find_map(|at| told.members[at as usize].get(&user)).copied();
            let joined = joined.unwrap_or_default();
            // Who has accepted it is told that it was added, and asks for what they lack of it. So does who was told that it is
            // not in their list.
            let asks = added && joined > known || !listed;
            if seq > known + 1 && seq != joined && !asks {
                wrong.push(format!("{seq} came behind {known}: there is a hole"));
            }
            known = known.max(seq);
            (added, listed) = (false, true);
        }
        // Who left while they were not connected is not given their leaving.
        let last = log.len() as u64;
        if told.is_member(user, last) && known < last {
            wrong.push(format!("it has {known}, and the log ends at {last}"));
        }
        if !wrong.is_empty() {
            let given = given.iter().map(|given| match given {
                Given::Connected(listed) => format!("connected ({listed})"),
                Given::Added => "added".to_owned(),
                Given::Sent(seq) => format!("sent {seq}"),
                Given::Entry(entry) => entry.seq.to_string(),
            });
            wrong.push(format!("it was given {}", given.collect::<Vec<_>>().join(", ")));
        }
        self.wrong.extend(wrong.into_iter().map(|wrong| format!("client {client}: {wrong}")));
    }

    /// The rows say what the log says.
    async fn judge_rows(&mut self, log: &[Record], told: &Told) {
        let partition = schema::conversation::partition(conversation());
        let state: Option<State> = self.row(partition.clone(), schema::conversation::state()).await;
        let last = log.last().expect("an entry");
        let says = state.map(|state| (state.seq, state.counts.messages, state.counts.rev));
        if says != Some((last.seq, last.counts.messages, last.counts.rev)) {
            self.wrong.push(format!("the state says {says:?}"));
        }
        let members = told.members.last().expect("members");
        for number in 0..USERS {
            let joined = members.get(&user(number)).copied();
            let row: Option<Member> = self.row(partition.clone(), schema::conversation::member(user(number))).await;
            let says = row.as_ref().map(|row| (row.log.joined, row.log.role));
            if says != joined.map(|joined| (joined, told.roles[&user(number)])) {
                self.wrong.push(format!("the row of user {number} says {says:?}, and joined they have {joined:?}"));
            }
            let list = schema::user::partition(user(number));
            let listed: Option<Listed> = self.row(list, schema::user::listed(conversation())).await;
            if joined.is_some() && listed.is_none() {
                self.wrong.push(format!("user {number} does not have it in their list"));
            }
        }
        for target in told.messages.keys() {
            let row: Option<Amendment> = self.row(partition.clone(), schema::conversation::amendment(*target)).await;
            let row = row.unwrap_or_default();
            let mut reacted: Vec<_> = row.reactions.into_iter().flat_map(|(_, users)| users).collect();
            reacted.sort_unstable();
            // What is left of an edit does not say of which message.
            let is_there = |seq: &u64| log[*seq as usize - 1].kind != Kind::Redacted;
            let edits = row.edits.into_iter().filter(is_there).collect::<Vec<_>>();
            let says = (edits, row.deleted, reacted);
            let reacted = told.reactions.get(target).into_iter().flatten().copied().collect();
            let edits = told.edits.get(target).cloned().unwrap_or_default();
            let right = (edits, told.deleted.contains(target), reacted);
            if says != right {
                self.wrong.push(format!("the amendment of {target} says {says:?}, and the log {right:?}"));
            }
            let gone = log[*target as usize - 1].kind == Kind::Redacted;
            if gone != told.deleted.contains(target) {
                self.wrong.push(format!("the content of {target} is gone: {gone}"));
            }
        }
    }
}

/// An entry in short, for who looks for what went wrong.
fn summary(record: &Record) -> String {
    let sender = (0..USERS).find(|number| user(*number) == record.sender);
    let body = encoding::body(conversation(), record);
    format!("    {} by {sender:?}: {body:?}", record.seq)
}
