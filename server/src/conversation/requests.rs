//! Requests: a conversation into which a stranger brings a user waits apart until the user accepts it.
//!
//! The user's rows decide. Where the conversation is in their list they have accepted it; else nothing of it reaches them,
//! and a [`Request`] tells them of it for [`limits::REQUEST_S`]. [`Pointers::accepted`](schema::Pointers::accepted) says the same to the conversation, and
//! is read back from the list whenever an entry that adds members is applied, or a crash may have come between.

use std::{collections::HashMap, time::Duration};

use bytes::Bytes;
use kith_protocol::{
    Code, ConversationId, DeviceId, ServerFrame, Timestamp, UserId,
    entry::ConversationKind,
    frame::Requests,
    rest::{ConversationItem, Page, RequestAnswer, RequestInfo},
};

use super::{Command, Context, Conversations, live::Live};
use crate::{
    Error,
    account::Actor,
    clock,
    delivery::{encoding, fanout, outbox::Class},
    limits,
    store::{
        self, Change, Direction, RowKey, StoreExt as _,
        schema::{self, Listed, Request, Value, due::Task},
    },
    work::Job,
};

impl Context {
    /// Writes a conversation into a user's list, or into their requests where a stranger brings them into it. Before the
    /// conversation begins.
    pub(super) async fn bring(
        &self,
        conversation: ConversationId,
        kind: ConversationKind,
        user: UserId,
        by: UserId,
    ) -> Result<(), Error> {
        let changes = self.bringing(conversation, kind, user, by).await?;
        self.store.change(schema::user::partition(user), changes).await?;
        self.accounts.forget_card(user);
        Ok(())
    }

    /// The changes of a user's rows that bring them into a conversation: they are made with the entry that makes them a member,
    /// so that no other keeper's removal of them comes between the two.
    pub(super) async fn bringing(
        &self,
        conversation: ConversationId,
        kind: ConversationKind,
        user: UserId,
        by: UserId,
    ) -> Result<Vec<Change>, Error> {
        if by != user && !self.arrives(kind, user, by).await? {
            return self.requesting(conversation, user, by).await;
        }
        let put = Change::Put(schema::user::listed(conversation), Listed::default().encode());
        Ok(vec![put, Change::Delete(schema::user::request(conversation))])
    }

    /// Returns true where what `by` begins with a user arrives as an ordinary conversation.
    async fn arrives(&self, kind: ConversationKind, user: UserId, by: UserId) -> Result<bool, Error> {
        let known = self.accounts.is_contact(user, by).await? || self.count_stranger(kind, user).await?;
        Ok(known && self.has_room(user).await?)
    }

    /// The changes that make a request. Beyond [`limits::REQUESTS`] the oldest of the stranger with the most of them makes room: so one
    /// stranger pushes out their own, and many must be many.
    async fn requesting(&self, conversation: ConversationId, user: UserId, by: UserId) -> Result<Vec<Change>, Error> {
        let now = clock::now();
        let until = now.plus(Duration::from_secs(limits::REQUEST_S));
        let mut waiting = self.requests_of(user).await?;
        waiting.retain(|(other, _)| *other != conversation);
        let mut changes = vec![
            Change::Put(schema::user::request(conversation), Request { from: by, at: now, until }.encode()),
            Change::Delete(schema::user::listed(conversation)),
        ];
        self.request_due(until, user, conversation).await?;
        if waiting.len() >= limits::REQUESTS
            && let Some((other, row)) = least(&waiting, by)
        {
            // It is over at once; the sweep takes the user out of it.
            self.request_due(now, user, other).await?;
            changes.push(Change::Put(schema::user::request(other), Request { until: now, ..row }.encode()));
        }
        Ok(changes)
    }

    async fn request_due(&self, at: Timestamp, user: UserId, conversation: ConversationId) -> Result<(), Error> {
        Ok(self.request_ends.put(at, Task::Request(user, conversation), Bytes::new()).await?)
    }

    /// The requests of a user that wait, in no order.
    async fn requests_of(&self, user: UserId) -> Result<Vec<(ConversationId, Request)>, Error> {
        let mut requests = self.all_requests_of(user).await?;
        let now = clock::now();
        requests.retain(|(_, request)| request.until > now);
        Ok(requests)
    }

    /// The same, with those that are over and not swept yet.
    async fn all_requests_of(&self, user: UserId) -> Result<Vec<(ConversationId, Request)>, Error> {
        let (mut requests, mut range) = (Vec::new(), schema::user::requests());
        loop {
            let partition = schema::user::partition(user);
            let rows = self.store.scan(partition, range.clone(), Direction::Ascending, limits::SCAN_ROWS).await?;
            for row in &rows {
                let conversation = schema::user::conversation_of(&row.key)?;
                let of = || format!("the request of {user} in {conversation}");
                requests.extend(store::unless_damaged(of, Request::decode(&row.value)).map(|row| (conversation, row)));
            }
            match rows.last() {
                Some(last) if rows.len() == limits::SCAN_ROWS => range.from = schema::behind(&last.key),
                _ => return Ok(requests),
            }
        }
    }

    /// Tells a user's devices how many requests wait.
    pub(super) async fn tell_requests(&self, user: UserId) {
        if !self.roster.is_online(user) {
            return;
        }
        let waiting = match self.requests_of(user).await {
            Ok(requests) => requests.len().min(limits::REQUESTS) as u32,
            // The next hello asks again.
            Err(error) => return tracing::warn!(%user, %error, "requests were not told of"),
        };
        let frame = encoding::frame(&ServerFrame::Requests(Requests { waiting }));
        fanout::tell(&self.roster, std::iter::once(user), &frame, Class::Light, None);
    }
}

/// The request that makes room for another of `by`.
fn least(waiting: &[(ConversationId, Request)], by: UserId) -> Option<(ConversationId, Request)> {
    let mut counts: HashMap<UserId, usize> = HashMap::from([(by, 1)]);
    for (_, request) in waiting {
        *counts.entry(request.from).or_default() += 1;
    }
    let most = waiting.iter().map(|(_, request)| counts[&request.from]).max()?;
    let of_the_most = waiting.iter().filter(|(_, request)| counts[&request.from] == most);
    of_the_most.min_by_key(|(id, request)| (request.at, *id)).copied()
}

impl Live {
    /// Reads from the lists of members whether they have accepted the conversation.
    pub(super) async fn recall_accepted(&mut self, users: Vec<UserId>) -> Result<(), store::Error> {
        let accepted = self.accepted_by(users).await?;
        self.recall(accepted);
        Ok(())
    }

    /// Reads which of the users have accepted the conversation.
    pub(super) async fn accepted_by(&self, users: Vec<UserId>) -> Result<Vec<(UserId, bool)>, store::Error> {
        if users.is_empty() {
            return Ok(Vec::new());
        }
        let row =
            |user: &UserId| RowKey { partition: schema::user::partition(*user), key: schema::user::listed(self.id) };
        let rows = self.context.store.get(users.iter().map(row).collect()).await?;
        Ok(users.into_iter().zip(rows).map(|(user, row)| (user, row.is_some())).collect())
    }

    /// Notes which members have accepted the conversation.
    pub(super) fn recall(&mut self, accepted: Vec<(UserId, bool)>) {
        for (user, accepted) in accepted {
            if let Some(pointers) = self.pointers.get_mut(&user)
                && pointers.accepted != accepted
            {
                pointers.accepted = accepted;
                self.dirty.members.insert(user);
            }
        }
    }

    /// The members whom the conversation reaches.
    pub(super) fn reached(&self) -> impl Iterator<Item = UserId> {
        self.pointers.iter().filter(|(_, pointers)| pointers.accepted).map(|(user, _)| *user)
    }

    /// Returns true where the conversation reaches the user.
    pub(super) fn reaches(&self, user: UserId) -> bool {
        self.pointers.get(&user).is_some_and(|pointers| pointers.accepted)
    }

    /// Has the conversation reach a member from now on, who accepts it. The other side of a direct one becomes a contact.
    ///
    /// # Errors
    /// `not_found` for who is no member, `too_many` for who has as many conversations as they may have.
    pub(super) async fn accept(&mut self, user: UserId) -> Result<(), Error> {
        if self.pointers_of(user)?.accepted {
            return Ok(());
        }
        self.context.room_for_one_more(user).await?;
        // The member's row is behind the list from here on; a crash has it read back.
        self.activate().await?;
        let put = Change::Put(schema::user::listed(self.id), Listed::default().encode());
        let forget = Change::Delete(schema::user::request(self.id));
        self.context.store.change(schema::user::partition(user), vec![put, forget]).await?;
        self.context.accounts.forget_card(user);
        if let Some(pointers) = self.pointers.get_mut(&user) {
            pointers.accepted = true;
        }
        self.dirty.members.insert(user);
        self.looked = None;
        // What others appended meanwhile comes behind it.
        self.tell_conversation(std::iter::once(user), kith_protocol::frame::Change::Added);
        self.flush().await;
        if let Some(peer) = self.peer(user) {
            self.befriend(user, peer);
        }
        self.context.tell_requests(user).await;
        Ok(())
    }
}

impl Conversations {
    /// The requests of a user, the newest first, as many as a page has room for.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn requests(&self, user: UserId) -> Result<Page<ConversationItem>, Error> {
        let mut waiting = self.context.requests_of(user).await?;
        waiting.sort_unstable_by_key(|(id, request)| std::cmp::Reverse((request.at, *id)));
        let heads = self.context.heads(waiting.iter().map(|(id, _)| *id).collect()).await?;
        // What a crash left unbegun is none.
        let begun = waiting.into_iter().zip(heads).filter_map(|(request, head)| head.map(|_| request));
        let order: Vec<_> = begun.take(limits::REQUESTS).collect();
        let ids = order.iter().map(|(id, _)| *id).collect();
        let places: HashMap<_, _> = order.iter().enumerate().map(|(place, (id, _))| (*id, place)).collect();
        let mut standings = self.standings(user, ids, &HashMap::new()).await?;
        standings.sort_unstable_by_key(|standing| places.get(&standing.item.id).copied());
        let mut items = self.items(user, standings).await?.items;
        for item in &mut items {
            let request = places.get(&item.head.id).map(|place| order[*place].1);
            item.request = request.map(|request| RequestInfo { from: request.from, at: request.at });
        }
        Ok(Page { items, next_cursor: None })
    }

    /// Answers a request.
    ///
    /// # Errors
    /// `not_found` where there is none; `too_many` for who has as many conversations as they may have.
    pub async fn answer(&self, actor: Actor, conversation: ConversationId, answer: RequestAnswer) -> Result<(), Error> {
        let row = RowKey { partition: schema::user::partition(actor.user), key: schema::user::request(conversation) };
        let row = self.context.store.one(row).await?.ok_or(Error::new(Code::NotFound))?;
        let Request { from, .. } = Request::decode(&row)?;
        match answer {
            RequestAnswer::Accepted => self.accept(actor.user, conversation).await,
            RequestAnswer::Declined => self.decline(actor, conversation).await,
            RequestAnswer::Blocked => {
                match self.context.accounts.block(actor.user, from).await {
                    Ok(()) => {}
                    // Who is gone writes no more.
                    Err(error) if error.code == Code::NotFound => {}
                    Err(error) => return Err(error),
                }
                self.decline(actor, conversation).await
            }
        }
    }

    /// Has a conversation reach a member who has not accepted it.
    ///
    /// # Errors
    /// See [`Live::accept`].
    pub(super) async fn accept(&self, user: UserId, conversation: ConversationId) -> Result<(), Error> {
        self.ask(conversation, |reply| Command::Accept(user, reply)).await
    }

    /// Takes a user out of a conversation that they have not accepted. A direct one stays, and reaches them no more until
    /// they write in it.
    async fn decline(&self, actor: Actor, conversation: ConversationId) -> Result<(), Error> {
        let kind = match self.info(actor.user, conversation).await {
            Ok(info) => Some(info.kind),
            Err(error) if error.code == Code::NotFound => None,
            Err(error) => return Err(error),
        };
        if kind.is_some_and(|kind| kind != ConversationKind::Direct) {
            match self.remove(actor, conversation, actor.user).await {
                Ok(()) => {}
                Err(error) if error.code == Code::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        let forget = Change::Delete(schema::user::request(conversation));
        self.context.store.change(schema::user::partition(actor.user), vec![forget]).await?;
        self.context.accounts.forget_card(actor.user);
        self.context.tell_requests(actor.user).await;
        Ok(())
    }

    /// Declines every request of a user who erases their account.
    pub(super) async fn decline_all(&self, actor: Actor) -> Result<(), Error> {
        for (conversation, _) in self.context.all_requests_of(actor.user).await? {
            self.decline(actor, conversation).await?;
        }
        Ok(())
    }

    /// Declines what nobody has answered for too long, or what made room for others, for ever.
    pub async fn end_requests(&self) {
        self.context.request_ends.run(&RequestEnd(self)).await;
    }

    /// Declines a request if it is over.
    async fn end_request(&self, user: UserId, conversation: ConversationId) -> Result<(), Error> {
        let row = RowKey { partition: schema::user::partition(user), key: schema::user::request(conversation) };
        let Some(row) = self.context.store.one(row).await? else { return Ok(()) };
        if Request::decode(&row)?.until > clock::forget_until() {
            return Ok(());
        }
        let nobody = DeviceId::from_bytes([0; 16]);
        self.decline(Actor { user, device: nobody }, conversation).await
    }
}

/// Ends requests.
struct RequestEnd<'c>(&'c Conversations);

impl Job for RequestEnd<'_> {
    async fn perform(&self, task: Task, _: Bytes) -> Result<(), Error> {
        let Task::Request(user, conversation) = task else { return Ok(()) };
        self.0.end_request(user, conversation).await
    }
}
