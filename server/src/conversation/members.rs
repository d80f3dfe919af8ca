//! The members of a conversation, their roles, and its settings: every change is an entry of the log.

use bytes::Bytes;
use kith_protocol::{
    Body, Code, ServerFrame, UserId,
    entry::{ConversationChanged, ConversationKind, Created, MemberAdded, MemberRemoved, Role, RoleChanged},
    frame::{self, ConversationFrame},
    limits::Limits,
};
use serde::Serialize;

use super::{
    Change,
    catch_up::{Unmade, must_look},
    live::Live,
};
use crate::{
    Error,
    account::{Actor, check},
    clock,
    delivery::{encoding, fanout, outbox::Class},
    limits,
    media::Reference,
    store::{self, Kind, Record, RowKey, RowWrite, StoreExt as _, schema},
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
    /// Makes a change that the actor asks for; the record of its entry. What others appended first has it judged anew.
    pub(super) async fn change(&mut self, actor: Actor, change: Change) -> Result<Record, Error> {
        for _ in 0..limits::APPEND_TRIES {
            match self.try_to_change(actor, change.clone()).await {
                Ok(record) => return Ok(record),
                Err(Unmade::Refused(error)) => return Err(error),
                Err(Unmade::Overtaken) => {}
            }
        }
        Err(Code::Unavailable.into())
    }

    async fn try_to_change(&mut self, actor: Actor, change: Change) -> Result<Record, Unmade> {
        if self.state.seq > 0 && matches!(change, Change::Create { .. }) {
            return Ok(self.record(1).await?);
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
                self.append(actor, &[Body::Created(Created { kind, title, expire_after_s, members })], Vec::new()).await
            }
            Change::Add { user, role } => self.add(actor, user, role).await,
            Change::Remove { user } => self.remove(actor, user).await,
            Change::Role { user, role } => self.change_role(actor, user, role).await,
            Change::Settings(changes) => self.change_settings(actor, changes).await,
        }
    }

    async fn add(&mut self, actor: Actor, user: UserId, role: Option<Role>) -> Result<Record, Unmade> {
        let role = role.unwrap_or(Role::Member);
        self.state.may_add(actor.user, user, role)?;
        if let Some(joined) = self.state.members.get(&user).map(|member| member.joined) {
            if actor.user == user {
                self.accept(user).await?;
            }
            return Ok(self.record(joined).await?);
        }
        let card = self.context.accounts.card(user).await?;
        if !card.exists || card.erased {
            return Err(Error::field("/user", "there is no such user").into());
        }
        if actor.user != user {
            self.context.accounts.may_add(actor.user, user).await?;
        }
        if self.state.members.len() >= self.members_at_most() {
            return Err(Code::ConversationFull.into());
        }
        let bringing = self.context.bringing(self.id, self.state.settings.kind, user, actor.user).await?;
        let added = MemberAdded { user, role, by: actor.user };
        self.append(actor, &[Body::MemberAdded(added)], of_user(user, bringing)).await
    }

    fn members_at_most(&self) -> usize {
        let limits = &self.context.limits;
        match self.state.settings.kind {
            ConversationKind::Direct => 2,
            ConversationKind::Group => limits.group_members as usize,
            ConversationKind::Channel => limits.channel_members as usize,
        }
    }

    async fn remove(&mut self, actor: Actor, user: UserId) -> Result<Record, Unmade> {
        self.state.may_remove(actor.user, user)?;
        let mut bodies = vec![Body::MemberRemoved(MemberRemoved { user, by: actor.user })];
        if let Some(heir) = self.state.heir_of(user) {
            bodies.push(Body::RoleChanged(RoleChanged { user: heir, role: Role::Owner, by: actor.user }));
        }
        // The last entry that who leaves gets is their leaving; the succession is for those who stay.
        let gone = [schema::user::listed(self.id), schema::user::request(self.id)].map(store::Change::Delete);
        self.append(actor, &bodies, of_user(user, gone)).await
    }

    async fn change_role(&mut self, actor: Actor, user: UserId, role: Role) -> Result<Record, Unmade> {
        self.state.may_change_role(actor.user, user, role)?;
        let member = self.member(user)?;
        if member.role == role {
            return Ok(self.record(member.joined).await?);
        }
        self.append(actor, &[Body::RoleChanged(RoleChanged { user, role, by: actor.user })], Vec::new()).await
    }

    async fn change_settings(&mut self, actor: Actor, changes: ConversationChanged) -> Result<Record, Unmade> {
        self.state.may_change(actor.user, &changes)?;
        if changes == ConversationChanged::default() {
            return Ok(self.record(self.state.seq).await?);
        }
        let settings = &self.state.settings;
        let retitled = changes.title.clone().filter(|_| settings.kind == ConversationKind::Channel);
        let (before, avatar_before) = (settings.title.clone(), settings.avatar.clone());
        if let Some(title) = &retitled {
            let row = schema::channel::row(title, self.id);
            self.context.store.put(row, Bytes::new()).await?;
        }
        let record = self.append(actor, &[Body::ConversationChanged(changes)], Vec::new()).await?;
        if let (Some(before), Some(after)) = (before, retitled)
            && before.to_lowercase() != after.to_lowercase()
        {
            let row = schema::channel::row(&before, self.id);
            self.context.store.delete(row).await?;
        }
        if avatar_before != self.state.settings.avatar
            && let Some(before) = avatar_before.and_then(|before| before.parse().ok())
        {
            self.context.media.release(before, Reference::Conversation(self.id)).await?;
        }
        Ok(record)
    }

    /// Appends entries of the server's own making, with rows that change in the same turn, takes them in, and tells everybody; the
    /// record of the first.
    pub(super) async fn append(
        &mut self,
        actor: Actor,
        bodies: &[Body],
        rows: Vec<RowWrite>,
    ) -> Result<Record, Unmade> {
        self.activate().await?;
        loop {
            let mut records = self.entries(actor, bodies);
            match self.append_records(&records, rows.clone()).await {
                Ok(()) => self.take_in(&records).await,
                Err(error) if !must_look(&error) => return Err(error.into()),
                Err(_) if self.find_appended(&records).await? => {}
                Err(_) if self.context.rules.judges_anew => return Err(Unmade::Overtaken),
                Err(_) => continue,
            }
            return Ok(records.swap_remove(0));
        }
    }

    /// The records of entries of the server's own making, behind the head.
    fn entries(&self, actor: Actor, bodies: &[Body]) -> Vec<Record> {
        let ((at, true_at), mut counts) = (self.next_at(), self.state.counts);
        let record = |(seq, body): (u64, &Body)| {
            counts = counts.with(seq, &body.into());
            let (kind, json) = stored(body);
            Record {
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
            }
        };
        (self.state.seq + 1..).zip(bodies).map(record).collect()
    }

    /// Tells users how their list of conversations changed.
    pub(super) fn tell_conversation(&self, users: impl Iterator<Item = UserId>, change: frame::Change) {
        let told = ConversationFrame { id: self.id, rev: self.state.counts.rev, change };
        let frame = encoding::frame(&ServerFrame::Conversation(told));
        fanout::tell(&self.context.roster, users, &frame, Class::Vital, None);
    }
}

/// Changes of a user's rows, as those of a turn.
fn of_user(user: UserId, changes: impl IntoIterator<Item = store::Change>) -> Vec<RowWrite> {
    let row = |key| RowKey { partition: schema::user::partition(user), key };
    let write = |change| match change {
        store::Change::Put(key, value) => RowWrite::Put(row(key), value),
        store::Change::Delete(key) => RowWrite::Delete(row(key)),
    };
    changes.into_iter().map(write).collect()
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
