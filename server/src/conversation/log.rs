//! The path of a message: who may write, what was sent before, one append for all that waited, then `sent` and fan-out.

use std::{collections::HashSet, mem};

use kith_log::Content;
use kith_protocol::{
    Code, ConversationId, Timestamp, UserId, Uuid,
    entry::Text,
    frame::{NewMessage, Sent},
    limits::Limits,
};

use super::{Conversations, Reply, catch_up::must_look, live::Live, shown::Attached};
use crate::{
    Error,
    account::Actor,
    clock,
    delivery::{encoding, fanout, outbox::Asker},
    limits,
    media::described,
    shed::Ticket,
    store::{self, Counts, Direction, Kind, LogRange, Record, RowWrite, Turn, WriteError},
};

/// Bytes of the body of a message that is nothing but a text, beside the text.
const BODY_BESIDE_TEXT: usize = 16;

/// The asker to whom the answer to a send goes.
pub enum Origin {
    /// To the connection that it came from.
    Socket(Asker),
    /// To who waits for it.
    Rest(Reply<(Record, bool)>),
}

impl Origin {
    /// Tells the sender that it was not taken.
    pub fn refuse(self, conversation: ConversationId, client_id: Uuid, error: &Error) {
        match self {
            Origin::Rest(reply) => drop(reply.send(Err(error.clone()))),
            Origin::Socket(asker) => asker.answer(encoding::refusal(conversation, client_id, error)),
        }
    }
}

/// A message under way.
pub(super) struct Submission {
    pub actor: Actor,
    pub message: NewMessage,
    /// Its attachments, if its sender may see them.
    pub attached: Result<Attached, Error>,
    pub origin: Origin,
    pub ticket: Ticket,
}

/// One is long, and goes through several hands.
pub(super) type Submitted = Box<Submission>;

/// Checks what can be checked of a message without its conversation.
pub(super) fn check(message: &NewMessage, limits: &Limits) -> Result<(), Error> {
    if message.client_id.get_version_num() != 7 {
        return Err(Error::field("/client_id", "expected a UUIDv7"));
    }
    if message.text.is_empty() && message.attachments.is_empty() {
        return Err(Error::field("/text", "a message has a text or an attachment"));
    }
    check_text(&message.text, &message.mentions, limits)?;
    if message.attachments.len() > limits.attachments as usize {
        return Err(Error::field("/attachments", format!("{} attachments at most", limits.attachments)));
    }
    Ok(())
}

/// Checks a text and its mentions.
pub(super) fn check_text(text: &str, mentions: &[UserId], limits: &Limits) -> Result<(), Error> {
    if text.len() > limits.text_bytes as usize {
        return Err(Error::field("/text", format!("{} bytes at most", limits.text_bytes)));
    }
    if mentions.len() > limits.mentions as usize {
        return Err(Error::field("/mentions", format!("{} mentions at most", limits.mentions)));
    }
    Ok(())
}

impl Conversations {
    /// Returns the message that a `client_id` of a user's became, if it was taken within the last 7 days.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn sent(
        &self,
        user: UserId,
        conversation: ConversationId,
        client_id: Uuid,
    ) -> Result<Option<Sent>, Error> {
        let Some(seq) = self.context.store.find(conversation, user, client_id).await? else { return Ok(None) };
        let range = LogRange { log: conversation, seqs: seq..=seq, direction: Direction::Ascending, limit: 1 };
        let record = self.context.store.read(vec![range]).await?.into_iter().flatten().next();
        Ok(record.map(|record| Sent { client_id, conversation, seq, at: record.at, true_at: record.true_at }))
    }
}

impl Live {
    /// Appends what waits, in its order, and answers each. What others appended first has the rest admitted anew, and proposed
    /// behind it; after [`limits::APPEND_TRIES`] times in a row it is refused with `unavailable`.
    pub(super) async fn append_sends(&mut self, sends: &mut Vec<Submitted>) {
        let (mut waiting, repeats) = once_each(mem::take(sends));
        let (mut tries, mut proposed_before) = (0, false);
        while !waiting.is_empty() {
            if tries == limits::APPEND_TRIES {
                return self.refuse(waiting.into_iter().chain(repeats), &Code::Unavailable.into());
            }
            let (before, head) = (waiting.len(), self.state.seq);
            waiting = match proposed_before && !self.context.rules.admits_anew {
                true => waiting,
                false => self.admit_all(waiting).await,
            };
            if self.state.seq == head {
                waiting = self.propose(waiting).await;
                proposed_before = true;
            }
            tries = if waiting.len() < before { 0 } else { tries + 1 };
        }
        for send in repeats {
            self.refuse_unless_known(send, Code::Unavailable.into()).await;
        }
    }

    /// Returns those of the sends that may be written as of the head, and refuses the others; but where the head moves
    /// meanwhile, those that are left are to be admitted anew.
    async fn admit_all(&mut self, mut sends: Vec<Submitted>) -> Vec<Submitted> {
        let (head, mut refusals) = (self.state.seq, Vec::new());
        for (index, send) in sends.iter().enumerate() {
            if let Err(error) = self.admit(send).await {
                refusals.push((index, error));
            }
        }
        if refusals.is_empty() {
            return sends;
        }
        // A refusal may be for good: it must not come from a memory that others have left behind.
        let confirmed = self.confirm().await;
        if confirmed.is_ok() && self.state.seq != head {
            return sends;
        }
        let refused: Vec<_> = refusals.into_iter().rev().map(|(index, error)| (sends.remove(index), error)).collect();
        for (send, error) in refused.into_iter().rev() {
            match &confirmed {
                Ok(()) => self.refuse_unless_known(send, error).await,
                Err(unknown) => self.refuse([send], unknown),
            }
        }
        sends
    }

    /// Checks that the sender may write this here, now. A sender has accepted the conversation.
    async fn admit(&mut self, send: &Submission) -> Result<(), Error> {
        let user = send.actor.user;
        self.member(user)?;
        if let Err(error) = &send.attached {
            return Err(error.clone());
        }
        self.may_write(user)?;
        self.context.media.room.for_texts()?;
        self.context.quota.check(user, clock::now(), || self.context.accounts.trust(user))?;
        if let Some(peer) = self.peer(user) {
            self.may_reach(user, peer).await?;
        }
        let since = self.member(user)?.since;
        if send.message.reply_to.is_some_and(|seq| seq < since || seq > self.state.seq) {
            return Err(Error::field("/reply_to", "there is no such message here"));
        }
        self.accept(user).await
    }

    /// Checks that two users may write to each other directly.
    pub(super) async fn may_reach(&self, user: UserId, peer: UserId) -> Result<(), Error> {
        let accounts = &self.context.accounts;
        let (own, other) = (accounts.card(user).await?, accounts.card(peer).await?);
        if other.erased {
            return Err(Code::UserGone.into());
        }
        if own.blocked.contains(&peer) || other.blocked.contains(&user) {
            return Err(Code::Blocked.into());
        }
        Ok(())
    }

    /// Answers a send that may not be taken: with its place, if it was taken before, else with the error.
    pub(super) async fn refuse_unless_known(&mut self, send: Submitted, error: Error) {
        let key = (send.actor.user, send.message.client_id);
        match self.context.store.find(self.id, key.0, key.1).await {
            Ok(Some(seq)) => self.acknowledge(send, seq).await,
            // Nobody can tell whether it is there: trying again would not tell either.
            Err(unread @ store::Error::Corrupt(_)) => self.refuse([send], &unread.into()),
            // Nor now: trying again will.
            Err(unread) if !error.code.retryable() => self.refuse([send], &unread.into()),
            _ => self.refuse([send], &error),
        }
    }

    /// Answers a send that the log has at `seq`; behind those before it, where others have appended them.
    async fn acknowledge(&mut self, send: Submitted, seq: u64) {
        let mut waiting = vec![send];
        if seq > self.state.seq
            && self.context.rules.publishes_first
            && let Err(error) = self.catch_up(&mut waiting).await
        {
            return self.refuse(waiting, &error);
        }
        // It may have been answered in its place.
        let Some(send) = waiting.pop() else { return };
        match self.record(seq).await {
            Ok(record) => self.answer_known(send, record),
            Err(error) => self.refuse([send], &error.into()),
        }
    }

    fn answer_known(&self, send: Submitted, record: Record) {
        match send.origin {
            Origin::Rest(reply) => drop(reply.send(Ok((record, true)))),
            Origin::Socket(asker) => {
                let mut sent = Vec::new();
                encoding::write_sent(&mut sent, &self.id.to_string(), &record);
                asker.answer(sent.into());
            }
        }
        send.ticket.acknowledged();
    }

    /// One record of the log, from memory or from the store.
    pub(super) async fn record(&self, seq: u64) -> Result<Record, store::Error> {
        if let Some(record) = self.tailed(seq) {
            return Ok(record.clone());
        }
        let range = LogRange { log: self.id, seqs: seq..=seq, direction: Direction::Ascending, limit: 1 };
        let records = self.context.store.read(vec![range]).await?;
        let record = records.into_iter().flatten().next();
        record.ok_or_else(|| store::Error::Corrupt(format!("{} has no entry {seq}", self.id)))
    }

    /// Appends sends that were admitted, and answers them; returns those that are to be admitted and proposed anew.
    async fn propose(&mut self, sends: Vec<Submitted>) -> Vec<Submitted> {
        let head = self.state.seq;
        if let Err(error) = self.activate().await {
            self.refuse(sends, &Error::from(error));
            return Vec::new();
        }
        let mut sends = self.refer_attached(sends).await;
        if sends.is_empty() || self.state.seq != head {
            return sends;
        }
        let records = self.records(&mut sends);
        match self.append_records(&records, Vec::new()).await {
            Ok(()) => self.take_appended(sends, records),
            Err(error) if error.is_unknown() && !self.context.rules.looks => self.take_appended(sends, records),
            // Together they are too large for one turn: each half is none, at last.
            Err(WriteError::TooLarge) if sends.len() > 1 => {
                let mut rest = sends.split_off(sends.len() / 2);
                Box::pin(self.append_sends(&mut sends)).await;
                Box::pin(self.append_sends(&mut rest)).await;
            }
            // One of them met damage: the others are taken without it.
            Err(WriteError::Store(store::Error::Corrupt(_))) if sends.len() > 1 => {
                for send in sends {
                    Box::pin(self.append_sends(&mut vec![send])).await;
                }
            }
            Err(error) if must_look(&error) => return self.look_again(sends, &error).await,
            // Nothing was changed.
            Err(error) => {
                let error = Error::from(error);
                for send in sends {
                    self.reconsider_attached(&send).await;
                    self.refuse_unless_known(send, error.clone()).await;
                }
            }
        }
        Vec::new()
    }

    /// After an append that found the log changed, or of which the outcome is unknown: gives what is there to everybody, answers
    /// those of the sends that are among it, and returns the others.
    async fn look_again(&mut self, mut sends: Vec<Submitted>, error: &WriteError) -> Vec<Submitted> {
        for send in &sends {
            self.reconsider_attached(send).await;
        }
        match error {
            WriteError::Known(known)
                if !self.context.rules.publishes_first || known.iter().all(|(_, seq)| *seq <= self.state.seq) =>
            {
                for (index, seq) in known.iter().rev() {
                    let send = sends.remove(*index);
                    self.acknowledge(send, *seq).await;
                }
            }
            WriteError::Conflict { head } if !self.context.rules.catches_up => self.state.seq = *head,
            _ => {
                if let Err(error) = self.catch_up(&mut sends).await {
                    self.refuse(mem::take(&mut sends), &error);
                }
            }
        }
        sends
    }

    /// Appends records behind the head, with rows that change in the same turn, and counts them against those whose doing they
    /// are.
    pub(super) async fn append_records(&self, records: &[Record], rows: Vec<RowWrite>) -> Result<(), WriteError> {
        let turn = Turn { rows, ..Turn::append(records.to_vec()) };
        self.context.store.write(self.id, self.state.seq, turn).await?;
        self.context.quota.count(records);
        Ok(())
    }

    /// The sends are durable: folds them, gives them to everybody and answers their senders.
    fn take_appended(&mut self, sends: Vec<Submitted>, records: Vec<Record>) {
        let mut origins = Vec::with_capacity(sends.len());
        let mut replies = Vec::new();
        for (send, record) in sends.into_iter().zip(&records) {
            let first_words = self.pointers.get(&record.sender).is_some_and(|sender| !sender.has_written);
            let had_unread = self.unread(record.sender) > 0;
            self.apply_message(record, &send.message.mentions);
            if had_unread {
                // The sending socket knows by its `sent`.
                let origin = if let Origin::Socket(asker) = &send.origin { asker.connection() } else { None };
                self.tell_moved(record.sender, origin);
            }
            if let Some(peer) = self.peer(record.sender).filter(|_| first_words) {
                self.befriend(record.sender, peer);
            }
            match send.origin {
                Origin::Socket(asker) => origins.push(Some(asker)),
                Origin::Rest(reply) => {
                    origins.push(None);
                    replies.push((reply, record.clone()));
                }
            }
            send.ticket.acknowledged();
        }
        self.flush_soon();
        self.publish(&records, &origins);
        for (reply, record) in replies {
            let _ = reply.send(Ok((record, false)));
        }
        self.context.messages.increment(records.len() as u64);
        records.into_iter().for_each(|record| self.keep(record));
    }

    /// Gives appended records to every member whom the conversation reaches.
    pub(super) fn publish(&mut self, records: &[Record], origins: &[Option<Asker>]) {
        let roster = self.context.roster.clone();
        let run = encoding::run(self.id, records, &roster.budget);
        fanout::deliver(&roster, self.online(), records, &run, origins);
    }

    /// Notes that `user` has now written to `peer`, or accepted to be written to, which makes `peer` a contact.
    pub(super) fn befriend(&self, user: UserId, peer: UserId) {
        let accounts = self.context.accounts.clone();
        tokio::spawn(async move {
            if let Err(error) = accounts.add_contact(user, peer).await {
                tracing::warn!(%user, %error, "a contact was not noted");
            }
        });
    }

    /// The records of sends, behind the head.
    fn records(&self, sends: &mut [Submitted]) -> Vec<Record> {
        let ((at, true_at), mut counts) = (self.next_at(), self.state.counts);
        let lasts = |seconds: u32| true_at.unwrap_or(at).plus(std::time::Duration::from_secs(seconds.into()));
        let expires_at = self.state.settings.expire_after_s.map(lasts);
        let record = |(seq, send): (u64, &mut Submitted)| {
            counts = counts.with(seq, &Content::Message { mentions: &send.message.mentions });
            message(seq, Times { at, true_at, expires_at }, counts, send)
        };
        (self.state.seq + 1..).zip(sends).map(record).collect()
    }

    fn refuse(&self, sends: impl IntoIterator<Item = Submitted>, error: &Error) {
        for send in sends {
            send.origin.refuse(self.id, send.message.client_id, error);
        }
    }
}

/// Parts sends from those that repeat one of them.
fn once_each(sends: Vec<Submitted>) -> (Vec<Submitted>, Vec<Submitted>) {
    if sends.len() < 2 {
        return (sends, Vec::new());
    }
    if sends.len() < 2 {
        return (sends, Vec::new());
    }
    let mut keys = HashSet::with_capacity(sends.len());
    sends.into_iter().partition(|send| keys.insert((send.actor.user, send.message.client_id)))
}

/// The times of sends that are appended together.
#[derive(Clone, Copy)]
struct Times {
    at: Timestamp,
    true_at: Option<Timestamp>,
    expires_at: Option<Timestamp>,
}

/// The record of a send. The text is lent to what is written of it, and comes back.
fn message(seq: u64, times: Times, counts: Counts, send: &mut Submission) -> Record {
    let NewMessage { client_id, text, mentions, reply_to, .. } = &mut send.message;
    let attachments = send.attached.iter().flatten().map(|(id, row)| described(*id, row)).collect();
    let body = Text { text: mem::take(text), mentions: mentions.clone(), reply_to: *reply_to, attachments };
    let mut json = Vec::with_capacity(body.text.len() + BODY_BESIDE_TEXT);
    serde_json::to_writer(&mut json, &body).expect("a text has a JSON form");
    *text = body.text;
    Record {
        seq,
        kind: Kind::Message,
        sender: send.actor.user,
        device: Some(send.actor.device),
        client_id: Some(*client_id),
        at: times.at,
        true_at: times.true_at,
        expires_at: times.expires_at,
        counts,
        body: json.into(),
    }
}

impl From<store::CommitError> for Error {
    fn from(error: store::CommitError) -> Self {
        match error {
            store::CommitError::Store(error) => error.into(),
            store::CommitError::Condition { .. } => Code::Unavailable.into(),
        }
    }
}

impl From<WriteError> for Error {
    fn from(error: WriteError) -> Self {
        match error {
            WriteError::Store(error) => error.into(),
            WriteError::TooLarge => Code::TooLarge.into(),
            WriteError::Conflict { .. } | WriteError::Known(_) | WriteError::Lost => Code::Unavailable.into(),
        }
    }
}
