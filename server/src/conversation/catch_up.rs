//! Catching up with a log to which others have appended, or of which it is not known what became of the last append.
//!
//! Nobody decides which process keeps a conversation: the head that an append names decides which append happens. So a keeper
//! may find entries that are not its own, at any append. It takes them in as it takes in its own: folds them, gives them to
//! everybody, and only then answers what comes behind them.

use std::slice;

use kith_protocol::{
    Body, UserId,
    entry::{ConversationKind, MemberAdded, MemberRemoved},
    frame,
};

use super::{
    live::Live,
    log::{Origin, Submission, Submitted},
};
use crate::{
    Error,
    delivery::{
        encoding, fanout,
        outbox::{Asker, Class},
    },
    store::{self, Record, StoreExt as _, WriteError},
};

/// The reason why a change or an amendment was not made.
pub(super) enum Unmade {
    /// Others appended first: it is to be judged anew, by what they wrote.
    Overtaken,
    /// It may not be made, or the store does not take it.
    Refused(Error),
}

impl<E> From<E> for Unmade
where
    Error: From<E>,
{
    fn from(error: E) -> Self {
        Self::Refused(error.into())
    }
}

/// The news of an entry beside itself, as of before it was folded.
pub(super) struct News {
    body: Body,
    /// True for the first entry.
    began: bool,
    /// The member whom it removes, and whether the conversation reached them.
    leaver: Option<(UserId, bool)>,
    /// True where its sender had messages to read before it.
    had_unread: bool,
    /// True where its sender had written nothing here before it.
    first_words: bool,
}

impl News {
    /// Returns true where others read from the store what the entry changes: the titles of channels.
    fn needs_rows(&self, kind: ConversationKind) -> bool {
        match self.body {
            Body::Created(_) | Body::ConversationChanged(_) => kind == ConversationKind::Channel,
            _ => false,
        }
    }
}

impl Live {
    /// Makes sure that memory has the whole log as of now, so that what is answered from memory is true.
    ///
    /// # Errors
    /// `unavailable` where the store does not say.
    pub async fn confirm(&mut self) -> Result<(), Error> {
        if !self.context.rules.confirms {
            return Ok(());
        }
        match self.context.store.confirm(self.id, self.state.seq).await {
            Ok(()) if !self.behind => Ok(()),
            _ => self.catch_up(&mut Vec::new()).await,
        }
    }

    /// Takes in what the log has behind the head, and answers those of the waiting sends that are there, each in its place. A
    /// conversation of which that cannot be read is closed.
    ///
    /// # Errors
    /// When the store does not answer: until it does, memory answers nothing.
    pub async fn catch_up(&mut self, waiting: &mut Vec<Submitted>) -> Result<(), Error> {
        let caught_up = self.try_to_catch_up(waiting).await;
        self.behind = caught_up.is_err();
        self.flush_soon();
        caught_up.map_err(|error| self.context.failed(self.id, error))
    }

    async fn try_to_catch_up(&mut self, waiting: &mut Vec<Submitted>) -> Result<(), store::Error> {
        let head = self.context.store.head(self.id).await?.map_or(0, |head| head.seq);
        while self.state.seq < head {
            for record in self.page_behind(head).await? {
                let news = self.fold_in(&record, head).await?;
                self.context.quota.count(slice::from_ref(&record));
                self.announce(&record, news, own(waiting, &record)).await;
                self.keep(record);
            }
        }
        Ok(())
    }

    /// Takes in entries that were just appended. They are durable, and everybody is to hear of them: where one cannot be folded
    /// now, because the store does not answer, the conversation catches up with it later.
    pub async fn take_in(&mut self, records: &[Record]) {
        let mut all_news = Vec::with_capacity(records.len());
        for record in records {
            match self.fold_in(record, records.last().map_or(0, |last| last.seq)).await {
                Ok(news) => all_news.push(news),
                Err(error) => {
                    tracing::warn!(conversation = %self.id, %error, "an entry was not folded yet");
                    self.behind = true;
                    break;
                }
            }
        }
        self.flush_soon();
        if all_news.iter().any(|news| news.needs_rows(self.state.settings.kind)) {
            self.write_or_wait().await;
        }
        for (record, news) in records.iter().zip(all_news) {
            self.announce(record, news, None).await;
            self.keep(record.clone());
        }
    }

    /// After an append of records without a client_id that found another head, or of which the outcome is unknown: catches up,
    /// and returns whether they are there.
    ///
    /// An entry at the same place that says the same of the same device at the same time is taken for it. Should another keeper
    /// have written it, what was asked for has happened all the same.
    ///
    /// # Errors
    /// `unavailable` where the store does not say.
    pub async fn find_appended(&mut self, records: &[Record]) -> Result<bool, Error> {
        self.catch_up(&mut Vec::new()).await?;
        match records.first() {
            Some(first) if first.seq <= self.state.seq => Ok(self.record(first.seq).await? == *first),
            _ => Ok(false),
        }
    }

    async fn fold_in(&mut self, record: &Record, head: u64) -> Result<News, store::Error> {
        let body = encoding::body(self.id, record)?;
        let sender = self.pointers.get(&record.sender);
        let news = News {
            began: self.state.seq == 0,
            leaver: match &body {
                Body::MemberRemoved(removed) => Some((removed.user, self.reaches(removed.user))),
                _ => None,
            },
            had_unread: matches!(body, Body::Message(_)) && self.unread(record.sender) > 0,
            first_words: matches!(body, Body::Message(_)) && sender.is_some_and(|sender| !sender.has_written),
            body,
        };
        self.fold(record, &news.body, head).await?;
        Ok(news)
    }

    /// Gives an entry that was folded to everybody whom it concerns. Where it is a send that waits here, that is answered: on its
    /// socket in the place of the entry.
    async fn announce(&mut self, record: &Record, news: News, own: Option<Submitted>) {
        let (asker, reply) = match own.map(|own| *own) {
            Some(Submission { origin, ticket, .. }) => {
                ticket.acknowledged();
                self.context.messages.increment(1);
                match origin {
                    Origin::Socket(asker) => (Some(asker), None),
                    Origin::Rest(reply) => (None, Some(reply)),
                }
            }
            None => (None, None),
        };
        if news.had_unread {
            self.tell_moved(record.sender, asker.as_ref().and_then(Asker::connection));
        }
        if let Some(peer) = self.peer(record.sender).filter(|_| news.first_words) {
            self.befriend(record.sender, peer);
        }
        if let Some((user, true)) = news.leaver {
            // The last entry that who leaves gets is their leaving.
            let run = encoding::run(self.id, slice::from_ref(record), &self.context.roster.budget);
            fanout::tell(&self.context.roster, std::iter::once(user), &run.frames, Class::Vital, None);
        }
        self.publish(slice::from_ref(record), slice::from_ref(&asker));
        self.tell_change(&news).await;
        if let Some(reply) = reply {
            let _ = reply.send(Ok((record.clone(), true)));
        }
    }

    /// Tells those whose lists of conversations an entry changes.
    async fn tell_change(&self, news: &News) {
        let change = if news.began { frame::Change::Added } else { frame::Change::Changed };
        match &news.body {
            Body::Created(_)
            | Body::MemberAdded(_)
            | Body::MemberRemoved(_)
            | Body::RoleChanged(_)
            | Body::ConversationChanged(_) => self.tell_conversation(self.reached(), change),
            _ => {}
        }
        if let Body::MemberAdded(MemberAdded { user, .. }) | Body::MemberRemoved(MemberRemoved { user, .. }) = news.body
        {
            self.context.accounts.forget_card(user);
        }
        match (&news.body, news.leaver) {
            (Body::Created(_), _) => {
                let apart: Vec<_> = self.pointers.keys().copied().filter(|user| !self.reaches(*user)).collect();
                for user in apart {
                    self.context.tell_requests(user).await;
                }
            }
            (Body::MemberAdded(added), _) if self.reaches(added.user) => {
                self.tell_conversation(std::iter::once(added.user), frame::Change::Added);
            }
            (Body::MemberAdded(added), _) => self.context.tell_requests(added.user).await,
            (_, Some((user, true))) => self.tell_conversation(std::iter::once(user), frame::Change::Left),
            (_, Some((user, false))) => self.context.tell_requests(user).await,
            _ => {}
        }
    }
}

/// Returns true after an error of a write after which the log must be read: it has another head, or may have.
pub(super) fn must_look(error: &WriteError) -> bool {
    matches!(error, WriteError::Conflict { .. } | WriteError::Known(_)) || error.is_unknown()
}

/// Takes the send that a record is out of those that wait.
fn own(waiting: &mut Vec<Submitted>, record: &Record) -> Option<Submitted> {
    let is_own = |send: &Submitted| {
        send.actor.user == record.sender && record.client_id.is_some_and(|id| id == send.message.client_id)
    };
    let place = waiting.iter().position(is_own)?;
    Some(waiting.remove(place))
}
