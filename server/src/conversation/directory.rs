//! The directory of conversations: making them, one's own list, one's own settings of them, mentions, channels.

use std::collections::HashMap;

use bytes::Bytes;
use kith_protocol::{
    Code, ConversationId, Message, ServerFrame, UserId,
    entry::{ConversationKind, Role},
    frame::{self, ConversationFrame},
    limits::PAGE_BYTES,
    rest::{
        ChangePersonal, ChannelItem, ConversationItem, ConversationList, DamagedConversation, HeadItem,
        NewConversation, Page, Personal,
    },
};

use super::{Change, Conversations, members, resume::Standing};
use crate::{
    Error,
    account::Actor,
    clock,
    delivery::{encoding, fanout, outbox::Class},
    page_bytes::{PageBytes, json_bytes},
    store::{
        self, CommitError, Condition, Direction, LogRange, Record, RowKey, StoreExt as _,
        schema::{self, Listed, State, Value},
    },
};

/// Conversations of a list.
#[derive(Default)]
pub(super) struct Items {
    pub items: Vec<ConversationItem>,
    /// Conversations that cannot be shown.
    pub damaged: Vec<ConversationId>,
    /// The first that the page does not take.
    pub cut: Option<ConversationId>,
}

impl Conversations {
    /// Begins a conversation: its name, and whether it was there before, as a direct one of the same two may be.
    ///
    /// # Errors
    /// The field that is not valid, `blocked`, `not_contact`, `user_gone`, `conversation_full`, `too_many`, `rate_limited`.
    pub async fn create(&self, actor: Actor, new: NewConversation) -> Result<(ConversationId, bool), Error> {
        self.check_new(actor, &new).await?;
        if new.kind == ConversationKind::Direct
            && let Some(id) = self.begun_direct(actor.user, new.members[0]).await?
        {
            // Who asks for it anew has it reach them.
            self.accept(actor.user, id).await?;
            return Ok((id, true));
        }
        self.context.media.room.for_texts()?;
        self.context.quota.check(actor.user, clock::now(), || self.context.accounts.trust(actor.user))?;
        self.count_begun(actor.user).await?;
        let id = ConversationId::new(clock::uuid());
        let id = match new.kind {
            ConversationKind::Direct => self.direct(id, actor.user, new.members[0]).await?,
            _ => id,
        };
        let founders = kith_log::founders(new.kind, actor.user, &new.members);
        for member in &founders {
            self.context.bring(id, new.kind, member.user, actor.user).await?;
        }
        if let (ConversationKind::Channel, Some(title)) = (new.kind, &new.title) {
            let row = schema::channel::row(title, id);
            self.context.store.put(row, Bytes::new()).await?;
        }
        let expire_after_s = new.expire_after_s.filter(|seconds| *seconds > 0);
        let change = Change::Create { kind: new.kind, title: new.title, expire_after_s, members: founders };
        self.request(actor, id, change).await?;
        Ok((id, false))
    }

    async fn check_new(&self, actor: Actor, new: &NewConversation) -> Result<(), Error> {
        let limits = &self.context.limits;
        if new.encryption.as_deref().is_some_and(|encryption| encryption != "none") {
            return Err(Error::field("/encryption", "only `none` exists"));
        }
        members::check_title(new.title.as_deref(), limits)?;
        members::check_expiry(new.expire_after_s)?;
        let at_most = match new.kind {
            ConversationKind::Direct => 2,
            ConversationKind::Group => limits.group_members as usize,
            ConversationKind::Channel => limits.channel_members as usize,
        };
        match new.kind {
            ConversationKind::Direct if new.members.len() != 1 => {
                return Err(Error::field("/members", "a direct conversation has one other member"));
            }
            ConversationKind::Direct if new.title.is_some() => {
                return Err(Error::field("/title", "a direct conversation has no title"));
            }
            ConversationKind::Channel if new.title.as_deref().unwrap_or_default().is_empty() => {
                return Err(Error::field("/title", "a channel has a title"));
            }
            _ if new.members.len() >= at_most => return Err(Code::ConversationFull.into()),
            _ => {}
        }
        for (index, user) in new.members.iter().enumerate() {
            let pointer = || format!("/members/{index}");
            if *user == actor.user {
                return Err(Error::field(pointer(), "you are a member already"));
            }
            if new.members[..index].contains(user) {
                return Err(Error::field(pointer(), "named twice"));
            }
            let card = self.context.accounts.card(*user).await?;
            if !card.exists {
                return Err(Error::field(pointer(), "there is no such user"));
            }
            if card.erased {
                return Err(Code::UserGone.into());
            }
            match new.kind {
                ConversationKind::Direct => {
                    let own = self.context.accounts.card(actor.user).await?;
                    if card.blocked.contains(&actor.user) || own.blocked.contains(user) {
                        return Err(Code::Blocked.into());
                    }
                }
                _ => self.context.accounts.may_add(actor.user, *user).await?,
            }
        }
        Ok(())
    }

    /// The direct conversation of two users, if one of them has begun it.
    async fn begun_direct(&self, one: UserId, other: UserId) -> Result<Option<ConversationId>, Error> {
        let row = self.context.store.one(schema::direct::row(one, other)).await?;
        let Some(id) = row.map(|row| schema::direct::conversation_of(&row)).transpose()? else { return Ok(None) };
        let head = self.context.store.head(id).await?;
        Ok(head.map(|_| id))
    }

    /// The name of the direct conversation of two users: the first that was taken for it.
    async fn direct(&self, id: ConversationId, one: UserId, other: UserId) -> Result<ConversationId, Error> {
        let row = schema::direct::row(one, other);
        let put = store::Change::Put(row.key.clone(), id.bytes().to_vec().into());
        match self.context.store.commit(row.partition, vec![put], vec![Condition::Absent(row.key)]).await {
            Ok(()) => Ok(id),
            Err(CommitError::Condition { current: Some(first), .. }) => Ok(schema::direct::conversation_of(&first)?),
            Err(error) => Err(error.into()),
        }
    }

    /// A user's conversations, the newest activity first; with those that are damaged apart.
    ///
    /// # Errors
    /// When the store does not answer, or the cursor is none of ours.
    pub async fn list(&self, user: UserId, cursor: Option<&str>, limit: usize) -> Result<ConversationList, Error> {
        let skip: usize = match cursor {
            Some(cursor) => cursor.parse().map_err(|_| Error::field("?cursor", "not a cursor of this list"))?,
            None => 0,
        };
        let mut ids = Vec::new();
        loop {
            let page = self.listed(user, ids.last().copied(), 1000).await?;
            let more = page.len() == 1000;
            ids.extend(page);
            if !more {
                break;
            }
        }
        let heads = self.context.heads(ids.clone()).await?;
        let mut closed: Vec<_> = match skip {
            0 => ids.iter().copied().filter(|id| self.is_damaged(*id)).take(limit).collect(),
            _ => Vec::new(),
        };
        let mut newest: Vec<_> = ids.into_iter().zip(heads).filter_map(|(id, head)| Some((head?.at, id))).collect();
        newest.retain(|(_, id)| !self.is_damaged(*id));
        newest.sort_unstable_by(|one, other| other.cmp(one));
        let total = newest.len();
        let page: Vec<_> = newest.into_iter().skip(skip).take(limit).map(|(_, id)| id).collect();
        let order: HashMap<_, _> = page.iter().enumerate().map(|(index, id)| (*id, index)).collect();
        let mut standings = self.standings(user, page, &HashMap::new()).await?;
        standings.sort_unstable_by_key(|standing| order.get(&standing.item.id).copied());
        let Items { items, damaged, cut } = self.items(user, standings).await?;
        closed.extend(damaged);
        let end = skip.saturating_add(cut.and_then(|cut| order.get(&cut).copied()).unwrap_or(limit));
        let next_cursor = (end < total).then(|| end.to_string());
        Ok(ConversationList { items, next_cursor, damaged: self.closed(closed).await? })
    }

    /// Returns what is still known of conversations that are damaged.
    async fn closed(&self, ids: Vec<ConversationId>) -> Result<Vec<DamagedConversation>, Error> {
        let state = |id: &ConversationId| RowKey {
            partition: schema::conversation::partition(*id),
            key: schema::conversation::state(),
        };
        let rows = self.context.store.get(ids.iter().map(state).collect()).await?;
        let known = ids.into_iter().zip(rows).map(|(id, row)| {
            let state = row.and_then(|row| State::decode(&row).ok());
            let kind = state.as_ref().map(|state| state.settings.kind);
            DamagedConversation { id, kind, title: state.and_then(|state| state.settings.title) }
        });
        Ok(known.collect())
    }

    /// Items of the list.
    pub(super) async fn items(&self, user: UserId, mut standings: Vec<Standing>) -> Result<Items, Error> {
        let mut items = Items::default();
        items.damaged.extend(standings.iter().map(|it| it.item).filter(|item| item.damaged).map(|item| item.id));
        standings.retain(|standing| !standing.item.damaged);
        let store = &self.context.store;
        let last = |standing: &Standing| LogRange {
            log: standing.item.id,
            seqs: standing.item.head..=standing.item.head,
            direction: Direction::Ascending,
            limit: 1,
        };
        let lasts = self.read_apart(standings.iter().map(last).collect(), PAGE_BYTES).await?;
        let listed = |standing: &Standing| RowKey {
            partition: schema::user::partition(user),
            key: schema::user::listed(standing.item.id),
        };
        let listed = store.get(standings.iter().map(listed).collect()).await?;
        let mut page = PageBytes::new(PAGE_BYTES);
        for ((standing, last), listed) in standings.into_iter().zip(lasts).zip(listed) {
            let id = standing.item.id;
            let Some(last) = last else {
                items.damaged.push(id);
                continue;
            };
            let Some(last) = last.first() else {
                // What was not read of the later ones is beyond the page.
                match items.items.is_empty() {
                    true => continue,
                    false => return Ok(Items { cut: Some(id), ..items }),
                }
            };
            let of = || format!("{id} in the list of {user}");
            let personal = listed.and_then(|row| store::unless_damaged(of, Listed::decode(&row))).unwrap_or_default();
            match self.item(user, standing.item, last, personal).await {
                Ok(item) if !page.takes(json_bytes(&item)) => return Ok(Items { cut: Some(id), ..items }),
                Ok(item) => items.items.push(item),
                Err(error) if error.damaged => items.damaged.push(id),
                Err(error) => return Err(error),
            }
        }
        Ok(items)
    }

    async fn item(
        &self,
        user: UserId,
        head: HeadItem,
        last: &Record,
        personal: Listed,
    ) -> Result<ConversationItem, Error> {
        let info = self.info(user, head.id).await?;
        let peer_user = match info.kind {
            ConversationKind::Direct => {
                let members = self.participants(user, head.id, None, 2).await?.items;
                members.iter().map(|item| item.member.user).find(|other| *other != user)
            }
            _ => None,
        };
        Ok(ConversationItem {
            kind: info.kind,
            title: info.title,
            avatar: info.avatar,
            peer_user,
            head,
            muted_until: personal.muted_until.filter(|until| *until > clock::now()),
            pinned: personal.pinned,
            archived: personal.archived,
            last: encoding::entry(head.id, last)?,
            request: None,
        })
    }

    /// Changes one's own settings of a conversation, and tells one's devices.
    ///
    /// # Errors
    /// `not_found` for who is no member.
    pub async fn personalize(
        &self,
        user: UserId,
        conversation: ConversationId,
        changes: ChangePersonal,
    ) -> Result<Personal, Error> {
        let info = self.info(user, conversation).await?;
        let partition = schema::user::partition(user);
        let key = schema::user::listed(conversation);
        let row = RowKey { partition: partition.clone(), key: key.clone() };
        let before = self.context.store.one(row).await?;
        // What a user has not accepted is not in their list, and has no settings there.
        let before = before.ok_or(Error::new(Code::NotFound))?;
        // What is damaged is set anew.
        let of = || format!("{conversation} in the list of {user}");
        let mut listed = store::unless_damaged(of, Listed::decode(&before)).unwrap_or_default();
        listed.muted_until = changes.muted_until.or(listed.muted_until).filter(|until| *until > clock::now());
        listed.pinned = changes.pinned.unwrap_or(listed.pinned);
        listed.archived = changes.archived.unwrap_or(listed.archived);
        let condition = Condition::Equals(key.clone(), before);
        let put = store::Change::Put(key, listed.encode());
        self.context.store.commit(partition, vec![put], vec![condition]).await?;
        let told = ConversationFrame { id: conversation, rev: info.rev, change: frame::Change::Changed };
        let frame = encoding::frame(&ServerFrame::Conversation(told));
        fanout::tell(&self.context.roster, std::iter::once(user), &frame, Class::Vital, None);
        Ok(Personal { muted_until: listed.muted_until, pinned: listed.pinned, archived: listed.archived })
    }

    /// The messages that mention a user, newest first.
    ///
    /// # Errors
    /// When the store does not answer, or the cursor is none of ours.
    pub async fn mentions(&self, user: UserId, cursor: Option<&str>, limit: usize) -> Result<Page<Message>, Error> {
        let mut range = schema::user::mentions();
        if let Some(cursor) = cursor {
            let key = read_cursor(cursor).filter(|key| schema::user::is_mention(key));
            range.to = Some(key.ok_or(Error::field("?cursor", "not a cursor of this list"))?);
        }
        // Their rows are written behind the entries.
        self.recovered().await?;
        let partition = schema::user::partition(user);
        let rows = self.context.store.scan(partition, range, Direction::Descending, limit).await?;
        let (mut items, mut page) = (Vec::with_capacity(rows.len()), PageBytes::new(PAGE_BYTES));
        let mut looked = None;
        for row in &rows {
            let (_, conversation, seq) = schema::user::mention_of(&row.key)?;
            let message = kith_protocol::MessageId { conversation, seq };
            match self.message(user, message).await {
                Ok(message) if message.deleted => {}
                Ok(message) if !page.takes(json_bytes(&message)) => break,
                Ok(message) => items.push(message),
                // The user has left, or never was there again: what they may not see is not there.
                Err(error) if error.code == Code::NotFound || error.damaged => {}
                Err(error) => return Err(error),
            }
            looked = Some(row);
        }
        let next_cursor = looked.filter(|_| rows.len() == limit || page.is_cut()).map(|row| write_cursor(&row.key));
        Ok(Page { items, next_cursor })
    }

    /// The channels whose title begins with `prefix`, in the order of their titles.
    ///
    /// # Errors
    /// When the store does not answer, or the cursor is none of ours.
    pub async fn channels(&self, prefix: &str, cursor: Option<&str>, limit: usize) -> Result<Page<ChannelItem>, Error> {
        let prefix = prefix.to_lowercase();
        let after = match cursor {
            Some(cursor) => Some(read_cursor(cursor).ok_or(Error::field("?cursor", "not a cursor of this list"))?),
            None => None,
        };
        let partitions: Vec<Vec<u8>> = match prefix.as_bytes().first() {
            Some(_) => vec![schema::channel::partition(&prefix)],
            None => schema::channel::partitions().collect(),
        };
        let mut rows = Vec::new();
        for partition in partitions {
            let range = schema::channel::range(&prefix, after.as_deref());
            rows.extend(self.context.store.scan(partition, range, Direction::Ascending, limit + 1 - rows.len()).await?);
            if rows.len() > limit {
                break;
            }
        }
        let more = rows.len() > limit;
        rows.truncate(limit);
        let mut items = Vec::with_capacity(rows.len());
        for row in &rows {
            let id = schema::channel::conversation_of(&row.key)?;
            let partition = schema::conversation::partition(id);
            let state = RowKey { partition, key: schema::conversation::state() };
            let Some(state) = self.context.store.one(state).await? else { continue };
            let of = || format!("the state of {id}");
            if let Some(title) = store::unless_damaged(of, State::decode(&state)).and_then(|state| state.settings.title)
            {
                items.push(ChannelItem { id, title });
            }
        }
        let next_cursor = rows.last().filter(|_| more).map(|row| write_cursor(&row.key));
        Ok(Page { items, next_cursor })
    }

    /// Adds a user, or joins a channel.
    ///
    /// # Errors
    /// `not_found`, `not_admin`, `not_contact`, `blocked`, `conversation_full`, `too_many`.
    pub async fn add(
        &self,
        actor: Actor,
        conversation: ConversationId,
        user: UserId,
        role: Option<Role>,
    ) -> Result<(), Error> {
        if actor.user == user {
            self.may_join(user, conversation).await?;
        }
        self.request(actor, conversation, Change::Add { user, role }).await.map(drop)
    }

    /// Takes an erased user out of every group and channel; direct conversations stay, as those of one who is gone.
    ///
    /// # Errors
    /// When the store does not answer; calling it again goes on where it stopped.
    pub async fn leave_all(&self, actor: Actor) -> Result<(), Error> {
        self.decline_all(actor).await?;
        let mut after = None;
        loop {
            let page = self.listed(actor.user, after, 1000).await?;
            let Some(last) = page.last() else { return Ok(()) };
            after = Some(*last);
            for conversation in page {
                match self.remove(actor, conversation, actor.user).await {
                    Ok(()) => {}
                    // One that is damaged keeps nobody from leaving.
                    Err(error) if matches!(error.code, Code::NotFound | Code::InvalidRequest) || error.damaged => {}
                    Err(error) => return Err(error),
                }
            }
        }
    }
}

/// A row's key as a cursor: opaque to clients, and nothing in it that they do not know.
fn write_cursor(key: &[u8]) -> String {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    URL_SAFE_NO_PAD.encode(key)
}

fn read_cursor(cursor: &str) -> Option<Vec<u8>> {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    URL_SAFE_NO_PAD.decode(cursor).ok().filter(|key| key.len() <= 1024)
}
