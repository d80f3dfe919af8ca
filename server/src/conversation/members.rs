//! Who belongs to a conversation, as what, and its settings: every change is an entry of the log.

use kith_protocol::{
    Body, Code, ServerFrame, UserId,
    entry::{
        ConversationChanged, ConversationKind, Created, MemberAdded, MemberRemoved, MemberRole, Role, RoleChanged,
        Writers,
    },
    frame::{self, ConversationFrame},
    limits::Limits,
};
use serde::Serialize;

use super::{Change, fold::brought, live::Live};
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
        if self.head > 0 && matches!(change, Change::Create { .. }) {
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

    fn not_direct(&self) -> Result<(), Error> {
        match self.state.kind {
            ConversationKind::Direct => {
                Err(Error::new(Code::InvalidRequest).because("a direct conversation keeps its two members"))
            }
            _ => Ok(()),
        }
    }

    fn admin(&self, user: UserId) -> Result<Role, Error> {
        match self.member(user)?.role {
            Role::Member => Err(Code::NotAdmin.into()),
            role => Ok(role),
        }
    }

    async fn add(&mut self, actor: Actor, user: UserId, role: Option<Role>) -> Result<Record, Error> {
        let joins = self.state.kind == ConversationKind::Channel && actor.user == user;
        let role = role.unwrap_or(Role::Member);
        // A stranger may know of a channel, and of nothing else.
        if !joins || self.head == 0 {
            self.member(actor.user)?;
        }
        self.not_direct()?;
        if !joins && self.admin(actor.user)? < role
            || joins && role != Role::Member && !self.members.contains_key(&user)
        {
            return Err(Code::NotAdmin.into());
        }
        if self.members.contains_key(&user) {
            if actor.user == user {
                self.accept(user).await?;
            }
            return self.record(self.members[&user].joined).await.map_err(Error::from);
        }
        let card = self.context.accounts.card(user).await?;
        if !card.exists || card.erased {
            return Err(Error::field("/user", "there is no such user"));
        }
        if actor.user != user {
            self.context.accounts.may_add(actor.user, user).await?;
        }
        if self.members.len() >= self.members_at_most() {
            return Err(Code::ConversationFull.into());
        }
        self.context.bring(self.id, self.state.kind, user, actor.user).await?;
        let added = MemberAdded { user, role, by: actor.user };
        let record = self.append_changes(actor, vec![Body::MemberAdded(added)]).await?;
        self.tell_brought(user).await;
        Ok(record)
    }

    fn members_at_most(&self) -> usize {
        let limits = &self.context.limits;
        match self.state.kind {
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
        let own = self.member(actor.user)?.role;
        self.not_direct()?;
        let role = self.member(user)?.role;
        if actor.user != user && (own == Role::Member || own < role || own == Role::Admin && role == Role::Admin) {
            return Err(Code::NotAdmin.into());
        }
        let mut bodies = vec![Body::MemberRemoved(MemberRemoved { user, by: actor.user })];
        if let Some(heir) = self.heir_of(user) {
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

    /// Who becomes owner when `user`, the last owner, leaves: the longest-serving admin, else member.
    fn heir_of(&self, user: UserId) -> Option<UserId> {
        let owners = self.members.iter().filter(|(_, member)| member.role == Role::Owner);
        if self.members.get(&user)?.role != Role::Owner || owners.count() > 1 {
            return None;
        }
        let others = self.members.iter().filter(|(other, _)| **other != user);
        others
            .min_by_key(|(other, member)| (std::cmp::Reverse(member.role), member.joined, **other))
            .map(|(heir, _)| *heir)
    }

    async fn change_role(&mut self, actor: Actor, user: UserId, role: Role) -> Result<Record, Error> {
        let own = self.admin(actor.user)?;
        self.not_direct()?;
        let member = self.member(user)?;
        let (before, joined) = (member.role, member.joined);
        if own != Role::Owner && (role > own || before > own || before == own && actor.user != user) {
            return Err(Code::NotAdmin.into());
        }
        let owners = self.members.values().filter(|member| member.role == Role::Owner).count();
        if before == Role::Owner && role != Role::Owner && owners == 1 {
            return Err(Error::field("/role", "a conversation keeps an owner: make somebody else owner first"));
        }
        if before == role {
            return self.record(joined).await.map_err(Error::from);
        }
        self.append_changes(actor, vec![Body::RoleChanged(RoleChanged { user, role, by: actor.user })]).await
    }

    async fn change_settings(&mut self, actor: Actor, changes: ConversationChanged) -> Result<Record, Error> {
        match self.state.kind {
            ConversationKind::Direct => {
                self.member(actor.user)?;
                let only_expiry = ConversationChanged { expire_after_s: changes.expire_after_s, ..Default::default() };
                if changes != only_expiry {
                    return Err(Error::new(Code::InvalidRequest)
                        .because("of a direct conversation only expire_after_s can be changed"));
                }
            }
            kind => {
                self.admin(actor.user)?;
                if kind != ConversationKind::Channel && changes.writers == Some(Writers::Admins) {
                    return Err(Error::field("/writers", "in a group everybody writes"));
                }
                if kind == ConversationKind::Channel && changes.title.as_deref() == Some("") {
                    return Err(Error::field("/title", "a channel has a title"));
                }
            }
        }
        if changes == ConversationChanged::default() {
            return self.record(self.head).await.map_err(Error::from);
        }
        let retitled = changes.title.clone().filter(|_| self.state.kind == ConversationKind::Channel);
        let (before, avatar_before) = (self.state.title.clone(), self.state.avatar.clone());
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
        if avatar_before != self.state.avatar
            && let Some(before) = avatar_before.and_then(|before| before.parse().ok())
        {
            self.context.media.release(before, Reference::Conversation(self.id)).await?;
        }
        Ok(record)
    }

    /// Appends entries that change the conversation, applies them, and tells everybody; the record of the first.
    async fn append_changes(&mut self, actor: Actor, bodies: Vec<Body>) -> Result<Record, Error> {
        let began = self.head == 0;
        let removed: Vec<UserId> = bodies
            .iter()
            .filter_map(|body| if let Body::MemberRemoved(removed) = body { Some(removed.user) } else { None })
            .collect();
        let reached: Vec<UserId> = removed.iter().copied().filter(|user| self.reaches(*user)).collect();
        let records = self.append(actor, &bodies, true).await?;
        let retitled = self.state.kind == ConversationKind::Channel
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
            let apart: Vec<_> = self.members.keys().copied().filter(|user| !self.reaches(*user)).collect();
            for user in apart {
                self.context.tell_requests(user).await;
            }
        }
        records.iter().for_each(|record| self.keep(record.clone()));
        records.into_iter().next().ok_or(Error::new(Code::Internal))
    }

    /// Appends entries of the server's own making and applies them. Those with `changes` move the conversation's `rev`.
    pub(super) async fn append(&mut self, actor: Actor, bodies: &[Body], changes: bool) -> Result<Vec<Record>, Error> {
        self.activate().await?;
        let (at, true_at) = self.next_at();
        let mut counts = self.counts;
        let mut records = Vec::with_capacity(bodies.len());
        for (seq, body) in (self.head + 1..).zip(bodies) {
            if changes {
                counts.rev = seq;
            }
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
            self.head = record.seq;
        }
        self.flush_soon();
        // They are durable, and everybody is to hear of them, whatever the store says now.
        if let Err(error) = self.recall_accepted(bodies.iter().flat_map(brought).collect()).await {
            tracing::warn!(conversation = %self.id, %error, "whether new members have accepted was not read back");
        }
        Ok(records)
    }

    /// Tells users how their list of conversations changed.
    pub(super) fn tell_conversation(&self, users: impl Iterator<Item = UserId>, change: frame::Change) {
        let told = ConversationFrame { id: self.id, rev: self.counts.rev, change };
        let frame = encoding::frame(&ServerFrame::Conversation(told));
        fanout::tell(&self.context.roster, users, &frame, Class::Vital, None);
    }
}

/// The members with which a conversation begins: its maker as owner, or two equals.
pub(super) fn founders(kind: ConversationKind, maker: UserId, others: &[UserId]) -> Vec<MemberRole> {
    let role = if kind == ConversationKind::Direct { Role::Member } else { Role::Owner };
    let others = others.iter().map(|&user| MemberRole { user, role: Role::Member });
    std::iter::once(MemberRole { user: maker, role }).chain(others).collect()
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
