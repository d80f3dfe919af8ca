//! The path of a message: who may write, what was sent before, one append for all that waited, then `sent` and fan-out.

use std::mem;

use kith_log::Content;
use kith_protocol::{
    Code, ConversationId, Timestamp, UserId, Uuid,
    entry::Text,
    frame::{NewMessage, Sent},
    limits::Limits,
};

use super::{Conversations, Reply, live::Live, shown::Attached};
use crate::{
    Error,
    account::Actor,
    clock,
    delivery::{encoding, fanout, outbox::Asker},
    media::described,
    shed::Ticket,
    store::{self, Counts, Direction, Kind, LogRange, Record, Turn, WriteError},
};

/// Bytes of the body of a message that is nothing but a text, beside the text.
const BODY_BESIDE_TEXT: usize = 16;

/// Where the answer to a send goes.
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
    /// What a `client_id` of a user's became, if it was taken within the last 7 days.
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
    /// Appends what waits, in its order, and answers each.
    pub(super) async fn append_sends(&mut self, sends: &mut Vec<Submitted>) {
        if sends.is_empty() {
            return;
        }
        let mut admitted: Vec<Submitted> = Vec::with_capacity(sends.len());
        let mut repeats = Vec::new();
        for send in sends.drain(..) {
            let key = (send.actor.user, send.message.client_id);
            if admitted.iter().any(|other| (other.actor.user, other.message.client_id) == key) {
                repeats.push(send);
            } else if let Err(error) = self.admit(&send).await {
                self.refuse_unless_known(send, error).await;
            } else {
                admitted.push(send);
            }
        }
        self.append_admitted(admitted).await;
        for send in repeats {
            self.refuse_unless_known(send, Code::Unavailable.into()).await;
        }
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

    /// Whether two users may write to each other directly.
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
        let known = self.context.store.find(self.id, key.0, key.1).await;
        match known {
            Ok(Some(seq)) => match self.record(seq).await {
                Ok(record) => self.answer_known(send, record),
                Err(error) => send.origin.refuse(self.id, key.1, &error.into()),
            },
            // Nobody can tell whether it is there: trying again would not tell either.
            Err(unread @ store::Error::Corrupt(_)) => send.origin.refuse(self.id, key.1, &unread.into()),
            _ => send.origin.refuse(self.id, key.1, &error),
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

    async fn append_admitted(&mut self, mut sends: Vec<Submitted>) {
        let mut records = Vec::new();
        while !sends.is_empty() {
            if let Err(error) = self.activate().await {
                return self.refuse(sends, &Error::from(error));
            }
            sends = self.refer_attached(sends).await;
            if sends.is_empty() {
                return;
            }
            records = self.records(&mut sends);
            match self.append_records(&records).await {
                Ok(()) => break,
                Err(WriteError::Known(known)) => {
                    for (index, seq) in known.into_iter().rev() {
                        let send = sends.remove(index);
                        match self.record(seq).await {
                            Ok(record) => self.answer_known(send, record),
                            Err(error) => send.origin.refuse(self.id, send.message.client_id, &error.into()),
                        }
                    }
                }
                Err(WriteError::TooLarge) if sends.len() > 1 => {
                    let rest = sends.split_off(sends.len() / 2);
                    Box::pin(self.append_admitted(sends)).await;
                    return Box::pin(self.append_admitted(rest)).await;
                }
                // One of them met damage: the others are taken without it.
                Err(WriteError::Store(store::Error::Corrupt(_))) if sends.len() > 1 => {
                    for send in sends {
                        Box::pin(self.append_admitted(vec![send])).await;
                    }
                    return;
                }
                Err(error) => return self.fail(sends, error).await,
            }
        }
        if sends.is_empty() {
            return;
        }
        self.take_appended(sends, records);
    }

    /// Appends records behind the head, and counts them against those whose doing they are.
    pub(super) async fn append_records(&self, records: &[Record]) -> Result<(), WriteError> {
        self.context.store.write(self.id, self.state.seq, Turn::append(records.to_vec())).await?;
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

    /// An append failed. Where its outcome is unknown, the store is asked what became of it.
    async fn fail(&mut self, sends: Vec<Submitted>, error: WriteError) {
        let told = Error::from(error);
        for send in sends {
            self.reconsider_attached(&send).await;
            self.refuse_unless_known(send, told.clone()).await;
        }
        if let Err(error) = self.catch_up().await {
            tracing::warn!(conversation = %self.id, %error, "the head was not read back");
        }
    }

    fn refuse(&self, sends: Vec<Submitted>, error: &Error) {
        for send in sends {
            send.origin.refuse(self.id, send.message.client_id, error);
        }
    }
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
