//! Who belongs to a conversation, as what, and its settings: every change is an entry of the log.

use kith_log::Content;
use kith_protocol::{
    Body, Code, ServerFrame, UserId,
    entry::{ConversationChanged, ConversationKind, Created, MemberAdded, MemberRemoved, Role, RoleChanged},
    frame::{self, ConversationFrame},
    limits::Limits,
};
use serde::Serialize;

use super::{Change, live::Live};
use crate::{
    Error,
    account::{Actor, check},
    clock,
    delivery::{encoding, fanout, outbox::Class},
    media::Reference,
    store::{self, Kind, Record, schema},
};

/// The longest time after which messages may disappear: a year.
const EXPIRE_AFTER_S: u32 = 366 * 24 * 3600;

/// Checks settings without their conversation.
pub(super) fn check_settings(changes: &ConversationChanged, limits: &Limits) -> Result<(), Error> {
    check_title(changes.title.as_deref(), limits)?;
    check::prose("/topic", changes.topic.as_deref().unwrap_or_default(), limits.topic_chars)?;
    check_expiry(changes.expire_after_s)
}

/// Checks a title, of which an empty one is none.
pub(super) fn check_title(title: Option<&str>, limits: &Limits) -> Result<(), Error> {
    check::line("/title", title.unwrap_or_default(), limits.title_chars)
}

/// Checks after how many seconds messages disappear.
pub(super) fn check_expiry(expire_after_s: Option<u32>) -> Result<(), Error> {
    match expire_after_s {
        Some(seconds) if seconds > EXPIRE_AFTER_S => {
            Err(Error::field("/expire_after_s", format!("{EXPIRE_AFTER_S} seconds at most")))
        }
        _ => Ok(()),
    }
}

impl Live {
    /// Makes a change that the actor asks for; the record of its entry.
    pub(super) async fn change(&mut self, actor: Actor, change: Change) -> Result<Record, Error> {
        if self.state.seq > 0 && matches!(change, Change::Create { .. }) {
            return self.record(1).await.map_err(Error::from);
        }
        // Leaving is possible on a disk that is full, too.
        if !matches!(change, Change::Remove { .. } | Change::Role { .. }) {
            self.context.media.room.for_texts()?;
        }
        // So it is for who may write no more today.
        if !matches!(change, Change::Remove { .. }) {
            self.context.quota.check(actor.user, clock::now(), || self.context.accounts.trust(actor.user))?;
        }
        match change {
            Change::Create { kind, title, expire_after_s, members } => {
                self.append_changes(actor, vec![Body::Created(Created { kind, title, expire_after_s, members })]).await
            }
            Change::Add { user, role } => self.add(actor, user, role).await,
            Change::Remove { user } => self.remove(actor, user).await,
            Change::Role { user, role } => self.change_role(actor, user, role).await,
            Change::Settings(changes) => self.change_settings(actor, changes).await,
        }
    }

    async fn add(&mut self, actor: Actor, user: UserId, role: Option<Role>) -> Result<Record, Error> {
        let role = role.unwrap_or(Role::Member);
        self.state.may_add(actor.user, user, role)?;
        if let Some(joined) = self.state.members.get(&user).map(|member| member.joined) {
            if actor.user == user {
                self.accept(user).await?;
            }
            return self.record(joined).await.map_err(Error::from);
        }
        let card = self.context.accounts.card(user).await?;
        if !card.exists || card.erased {
            return Err(Error::field("/user", "there is no such user"));
        }
        if actor.user != user {
            self.context.accounts.may_add(actor.user, user).await?;
        }
        if self.state.members.len() >= self.members_at_most() {
            return Err(Code::ConversationFull.into());
        }
        self.context.bring(self.id, self.state.settings.kind, user, actor.user).await?;
        let added = MemberAdded { user, role, by: actor.user };
        let record = self.append_changes(actor, vec![Body::MemberAdded(added)]).await?;
        self.tell_brought(user).await;
        Ok(record)
    }

    fn members_at_most(&self) -> usize {
        let limits = &self.context.limits;
        match self.state.settings.kind {
            ConversationKind::Direct => 2,
            ConversationKind::Group => limits.group_members as usize,
            ConversationKind::Channel => limits.channel_members as usize,
        }
    }

    /// Tells a user that they are a member from now on, or that a request waits for them.
    async fn tell_brought(&self, user: UserId) {
        if self.reaches(user) {
            self.tell_conversation(std::iter::once(user), frame::Change::Added);
        } else {
            self.context.tell_requests(user).await;
        }
    }

    async fn remove(&mut self, actor: Actor, user: UserId) -> Result<Record, Error> {
        self.state.may_remove(actor.user, user)?;
        let mut bodies = vec![Body::MemberRemoved(MemberRemoved { user, by: actor.user })];
        if let Some(heir) = self.state.heir_of(user) {
            bodies.push(Body::RoleChanged(RoleChanged { user: heir, role: Role::Owner, by: actor.user }));
        }
        let reached = self.reaches(user);
        // The last entry that who leaves gets is their leaving; the succession is for those who stay.
        let record = self.append_changes(actor, bodies).await?;
        if reached {
            self.tell_conversation(std::iter::once(user), frame::Change::Left);
        } else {
            self.context.tell_requests(user).await;
        }
        Ok(record)
    }

    async fn change_role(&mut self, actor: Actor, user: UserId, role: Role) -> Result<Record, Error> {
        self.state.may_change_role(actor.user, user, role)?;
        let member = self.member(user)?;
        if member.role == role {
            return self.record(member.joined).await.map_err(Error::from);
        }
        self.append_changes(actor, vec![Body::RoleChanged(RoleChanged { user, role, by: actor.user })]).await
    }

    async fn change_settings(&mut self, actor: Actor, changes: ConversationChanged) -> Result<Record, Error> {
        self.state.may_change(actor.user, &changes)?;
        if changes == ConversationChanged::default() {
            return self.record(self.state.seq).await.map_err(Error::from);
        }
        let settings = &self.state.settings;
        let retitled = changes.title.clone().filter(|_| settings.kind == ConversationKind::Channel);
        let (before, avatar_before) = (settings.title.clone(), settings.avatar.clone());
        if let Some(title) = &retitled {
            let row = schema::channel::row(title, self.id);
            let put = store::Change::Put(row.key, Default::default());
            self.context.store.commit(row.partition, vec![put], Vec::new()).await?;
        }
        let record = self.append_changes(actor, vec![Body::ConversationChanged(changes)]).await?;
        if let (Some(before), Some(after)) = (before, retitled)
            && before.to_lowercase() != after.to_lowercase()
        {
            let row = schema::channel::row(&before, self.id);
            self.context.store.commit(row.partition, vec![store::Change::Delete(row.key)], Vec::new()).await?;
        }
        if avatar_before != self.state.settings.avatar
            && let Some(before) = avatar_before.and_then(|before| before.parse().ok())
        {
            self.context.media.release(before, Reference::Conversation(self.id)).await?;
        }
        Ok(record)
    }

    /// Appends entries that change the conversation, applies them, and tells everybody; the record of the first.
    async fn append_changes(&mut self, actor: Actor, bodies: Vec<Body>) -> Result<Record, Error> {
        let began = self.state.seq == 0;
        let removed: Vec<UserId> = bodies
            .iter()
            .filter_map(|body| if let Body::MemberRemoved(removed) = body { Some(removed.user) } else { None })
            .collect();
        let reached: Vec<UserId> = removed.iter().copied().filter(|user| self.reaches(*user)).collect();
        let records = self.append(actor, &bodies).await?;
        let retitled = self.state.settings.kind == ConversationKind::Channel
            && bodies.iter().any(|body| matches!(body, Body::Created(_) | Body::ConversationChanged(_)));
        // Who looks for a channel reads its title from the store; who has left one has room for another.
        if retitled || !removed.is_empty() {
            self.flush().await;
        }
        for user in reached {
            // The removal itself was the last entry that they got.
            fanout::tell(
                &self.context.roster,
                std::iter::once(user),
                &encoding::run(self.id, &records[..1], &self.context.roster.budget).frames,
                Class::Vital,
                None,
            );
        }
        self.publish(&records, &[]);
        let change = if began { frame::Change::Added } else { frame::Change::Changed };
        self.tell_conversation(self.reached(), change);
        if began {
            let apart: Vec<_> = self.pointers.keys().copied().filter(|user| !self.reaches(*user)).collect();
            for user in apart {
                self.context.tell_requests(user).await;
            }
        }
        records.iter().for_each(|record| self.keep(record.clone()));
        records.into_iter().next().ok_or(Error::new(Code::Internal))
    }

    /// Appends entries of the server's own making and applies them.
    pub(super) async fn append(&mut self, actor: Actor, bodies: &[Body]) -> Result<Vec<Record>, Error> {
        self.activate().await?;
        let (at, true_at) = self.next_at();
        let mut counts = self.state.counts;
        let mut records = Vec::with_capacity(bodies.len());
        for (seq, body) in (self.state.seq + 1..).zip(bodies) {
            counts = counts.with(seq, &body.into());
            let (kind, json) = stored(body);
            records.push(Record {
                seq,
                kind,
                sender: actor.user,
                // What the operator does comes from no device.
                device: Some(actor.device).filter(|device| device.bytes() != [0; 16]),
                client_id: None,
                at,
                true_at,
                expires_at: None,
                counts,
                body: json.into(),
            });
        }
        if let Err(error) = self.append_records(&records).await {
            if let Err(error) = self.catch_up().await {
                tracing::warn!(conversation = %self.id, %error, "the head was not read back");
            }
            return Err(error.into());
        }
        for (record, body) in records.iter().zip(bodies) {
            self.apply(record, body);
        }
        self.flush_soon();
        // They are durable, and everybody is to hear of them, whatever the store says now.
        if let Err(error) =
            self.recall_accepted(bodies.iter().flat_map(|body| Content::from(body).joining()).collect()).await
        {
            tracing::warn!(conversation = %self.id, %error, "whether new members have accepted was not read back");
        }
        Ok(records)
    }

    /// Tells users how their list of conversations changed.
    pub(super) fn tell_conversation(&self, users: impl Iterator<Item = UserId>, change: frame::Change) {
        let told = ConversationFrame { id: self.id, rev: self.state.counts.rev, change };
        let frame = encoding::frame(&ServerFrame::Conversation(told));
        fanout::tell(&self.context.roster, users, &frame, Class::Vital, None);
    }
}

fn stored(body: &Body) -> (Kind, Vec<u8>) {
    fn json(kind: Kind, body: &impl Serialize) -> (Kind, Vec<u8>) {
        (kind, serde_json::to_vec(body).expect("a body has a JSON form"))
    }
    match body {
        Body::Created(body) => json(Kind::Created, body),
        Body::Message(body) => json(Kind::Message, body),
        Body::Edit(body) => json(Kind::Edit, body),
        Body::Delete(body) => json(Kind::Delete, body),
        Body::Reaction(body) => json(Kind::Reaction, body),
        Body::MemberAdded(body) => json(Kind::MemberAdded, body),
        Body::MemberRemoved(body) => json(Kind::MemberRemoved, body),
        Body::RoleChanged(body) => json(Kind::RoleChanged, body),
        Body::ConversationChanged(body) => json(Kind::ConversationChanged, body),
        Body::Redacted(body) => json(Kind::Redacted, body),
        Body::Unknown => unreachable!("the server writes no kind that it does not know"),
    }
}
