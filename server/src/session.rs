//! One device online: its commands and their answers, whatever carries them.

use std::{collections::HashSet, pin::Pin, sync::Arc, time::Duration};

use bytes::Bytes;
use kith_protocol::{
    ClientFrame, Code, ConversationId, InstanceId, ServerFrame, UserId,
    frame::{BadFrame, Hello, Pong, Ready, Sync, Watch},
    limits::{HAVE_CONVERSATIONS, PAGE_ITEMS, WATCHED_CONVERSATIONS, WATCHED_USERS},
    problem::CloseCode,
    rest::are_features,
};

use crate::{
    Error,
    account::Actor,
    clock,
    conversation::{Have, Origin, Resume},
    delivery::{
        encoding,
        outbox::{Asker, Class, Outbox},
        roster::Joined,
    },
    frame, limits,
    node::Node,
    shed::Level,
};

/// The consequence of a frame.
pub enum Next {
    /// The next frame may be taken.
    On,
    /// The next frame may be taken when this is done, and [`Session::settle`] has its answer.
    Wait(Wait),
    /// The session is over.
    Close(CloseCode),
}

/// Something that a session waits for. Boxed, because a session rarely waits and lasts long.
pub type Wait = Pin<Box<dyn Future<Output = Settled> + Send>>;

/// The outcome of waiting.
pub enum Settled {
    /// Nothing to note.
    Done,
    /// The hello was good.
    Hello,
    /// The session is over.
    Close(CloseCode),
}

/// The end of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// The client left with 1000 or 1001.
    Clean,
    /// The connection broke.
    Broken,
    /// The server closed it.
    Closed(CloseCode),
}

/// The users and conversations on the client's screen.
#[derive(Default)]
struct Watched {
    users: HashSet<UserId>,
    conversations: HashSet<ConversationId>,
}

/// A device online.
pub struct Session {
    node: Arc<Node>,
    outbox: Arc<Outbox>,
    /// The hello was good: the outbox says whose it is.
    greeted: bool,
    watched: Option<Box<Watched>>,
    /// Frames that were refused as too many, one after the other.
    limited: u32,
    /// Pings that came before the hello.
    pings: u32,
}

impl Session {
    /// The session of a connection that has said nothing.
    pub fn new(node: Arc<Node>, outbox: Arc<Outbox>) -> Self {
        Self { node, outbox, greeted: false, watched: None, limited: 0, pings: 0 }
    }

    /// The frames that wait to be written.
    pub fn outbox(&self) -> &Arc<Outbox> {
        &self.outbox
    }

    /// Bytes of the longest frame that a client may send.
    pub fn frame_bytes(&self) -> usize {
        limits::FRAME_BYTES_AT_MOST
    }

    /// Notes that the client was heard.
    pub fn hear(&self) {
        self.outbox.hear(self.node.roster.now());
    }

    /// Answers a ping of RFC 6455.
    pub fn pong(&mut self, payload: &[u8]) {
        if self.admit_frame() {
            self.outbox.push(frame::pong_frame(payload), Class::Vital);
        }
    }

    /// Takes a frame of the client.
    pub fn take(&mut self, text: &str) -> Next {
        let frame = match ClientFrame::decode(text) {
            Ok(frame) => frame,
            Err(BadFrame::NotDecodable) => return Next::Close(CloseCode::NotDecodable),
            Err(BadFrame::UnknownKind) => return Next::Close(CloseCode::UnknownFrame),
            Err(BadFrame::Field { pointer, detail, client_id }) => {
                if !self.greeted {
                    return Next::Close(CloseCode::HelloExpected);
                }
                let mut error = encoding::error(&Error::field(pointer, detail));
                error.client_id = client_id;
                return self.refuse(error, "");
            }
        };
        let Some(actor) = self.actor() else {
            return match frame {
                ClientFrame::Hello(hello) => self.hello(hello),
                _ => Next::Close(CloseCode::HelloExpected),
            };
        };
        if !matches!(frame, ClientFrame::Send(_)) && !self.admit_frame() {
            return self.too_many(frame_name(&frame), Duration::from_secs(1));
        }
        match frame {
            ClientFrame::Send(send) => return self.send(actor, send),
            ClientFrame::Ping(ping) => {
                if ping.active {
                    self.node.presence.touch(actor);
                }
                self.put(&ServerFrame::Pong(Pong { at: clock::now() }));
            }
            ClientFrame::Delivered(pointer) => {
                let origin = self.outbox.connection();
                self.node.conversations.mark(actor.user, pointer.conversation, Some(pointer.seq), None, origin);
            }
            ClientFrame::Read(pointer) => {
                self.node.presence.touch(actor);
                let origin = self.outbox.connection();
                self.node.conversations.mark(actor.user, pointer.conversation, None, Some(pointer.seq), origin);
            }
            ClientFrame::Typing(typing) => {
                if self.node.shed.level() == Level::Nothing {
                    self.node.conversations.typing(actor.user, typing.conversation);
                }
            }
            ClientFrame::Sync(sync) => return self.sync(actor, sync),
            ClientFrame::Hello(hello) if hello.token.is_some() => return Next::Close(CloseCode::SecondHello),
            ClientFrame::Hello(hello) => return self.resume(actor, hello),
            ClientFrame::Watch(watch) => return self.watch(actor, watch),
            ClientFrame::Unwatch(watch) => self.unwatch(&watch),
        }
        Next::On
    }

    /// Takes the answer that was waited for.
    pub fn settle(&mut self, settled: Settled) {
        match settled {
            Settled::Done => {}
            Settled::Hello => self.greeted = true,
            Settled::Close(code) => self.outbox.close(code),
        }
    }

    /// Ends it.
    pub fn end(&mut self, end: End) {
        self.outbox.close(CloseCode::GoingAway);
        if let (Some(watched), Some(connection)) = (self.watched.take(), self.outbox.connection()) {
            self.node.presence.unwatch(connection, watched.users.iter());
        }
        if let Some(actor) = self.actor()
            && std::mem::take(&mut self.greeted)
            && self.node.roster.leave(&self.outbox)
        {
            let at_once = match end {
                End::Clean => true,
                End::Broken => false,
                End::Closed(code) => matches!(code, CloseCode::HeartbeatMissed | CloseCode::DeviceRevoked),
            };
            self.node.presence.left(actor.user, self.outbox.heard(), at_once);
        }
    }

    /// The device, once it has said hello.
    fn actor(&self) -> Option<Actor> {
        let (user, device) = self.outbox.identity().filter(|_| self.greeted)?;
        Some(Actor { user, device })
    }

    fn put(&self, frame: &ServerFrame) {
        self.outbox.push(encoding::frame(frame), Class::Vital);
    }

    /// Counts a frame; false when it is one too many of the user, or before anybody said hello.
    fn admit_frame(&mut self) -> bool {
        if let Some(allowance) = self.outbox.allowance() {
            return allowance.frame(self.node.roster.now());
        }
        self.pings += 1;
        self.pings <= limits::FRAMES_PER_S
    }

    fn refuse(&mut self, mut error: kith_protocol::frame::ErrorFrame, reference: &str) -> Next {
        error.reference = Some(reference.to_owned()).filter(|reference| !reference.is_empty());
        self.put(&ServerFrame::Error(error));
        if self.admit_frame() { Next::On } else { self.count_limited() }
    }

    fn too_many(&mut self, reference: &str, retry_after: Duration) -> Next {
        self.put(&ServerFrame::Error(rate_limited(reference, retry_after)));
        self.count_limited()
    }

    fn count_limited(&mut self) -> Next {
        self.limited += 1;
        metrics::counter!("kith_rate_limited_total", "bucket" => "frames").increment(1);
        if self.limited >= limits::RATE_LIMITED_IN_A_ROW { Next::Close(CloseCode::RateLimited) } else { Next::On }
    }

    /// Takes the hello, the first frame.
    pub fn hello(&mut self, hello: Hello) -> Next {
        let Some(token) = hello.token else { return Next::Close(CloseCode::BadToken) };
        let fits = hello.features.as_deref().is_none_or(are_features);
        if hello.have.len() > HAVE_CONVERSATIONS || !fits {
            return Next::Close(CloseCode::NotDecodable);
        }
        let (node, outbox) = (self.node.clone(), self.outbox.clone());
        Next::Wait(Box::pin(async move {
            let actor = match node.accounts.authenticate(&token).await {
                Ok(actor) => actor,
                Err(error) if error.code == Code::Unauthenticated => return Settled::Close(CloseCode::BadToken),
                Err(_) => return Settled::Close(CloseCode::UnknownError),
            };
            if let Err(after) = node.rates.hello(actor.user) {
                outbox.push(encoding::frame(&ServerFrame::Error(rate_limited("hello", after))), Class::Vital);
                return Settled::Close(CloseCode::RateLimited);
            }
            node.roster.identify(&outbox, actor.user, actor.device);
            if let Some(features) = hello.features
                && let Err(error) = node.accounts.name_features(actor, features).await
            {
                // The next hello names them again; a device without them can do less, and no less than before.
                tracing::warn!(user = %actor.user, device = %actor.device, %error, "the features of a device are not kept");
            }
            // From here on what happens waits behind the answer.
            outbox.hold();
            match node.roster.join(&outbox) {
                Joined::First => node.presence.came(actor.user),
                Joined::Another => {}
                Joined::TooMany => return Settled::Close(CloseCode::RateLimited),
            }
            // A token that was revoked between the look and the joining is not missed.
            let still = node.accounts.authenticate(&token).await;
            let resume = resume(&node, actor.user, &hello.have).await;
            let (instance, resume) = match (still, resume) {
                (Ok(_), Ok(resume)) => resume,
                (still, _) => {
                    let revoked = still.is_err_and(|error| error.code == Code::Unauthenticated);
                    outbox.close(if revoked { CloseCode::BadToken } else { CloseCode::UnknownError });
                    return Settled::Hello;
                }
            };
            let ready = Ready {
                user: actor.user,
                device: actor.device,
                node: node.config.node.clone(),
                heartbeat_ms: node.config.heartbeat_ms,
                degraded: node.shed.level().shed().to_vec(),
                instance: Some(instance),
            };
            let mut frames: Vec<Bytes> = vec![encoding::frame(&ServerFrame::Ready(ready))];
            frames.extend(resume.frames.into_iter().map(|frame| node.roster.budget.hold(frame)));
            outbox.release(frames, &resume.heads);
            Settled::Hello
        }))
    }

    fn resume(&mut self, actor: Actor, hello: Hello) -> Next {
        let limited = self.node.rates.request(actor.user).retry_after;
        if let Some(retry_after) = limited.or_else(|| self.node.rates.hello(actor.user).err()) {
            return self.too_many("hello", retry_after);
        }
        if hello.have.len() > HAVE_CONVERSATIONS {
            let error = Error::field("/have", format!("{HAVE_CONVERSATIONS} conversations at most"));
            return self.refuse(encoding::error(&error), "hello");
        }
        let (node, outbox) = (self.node.clone(), self.outbox.clone());
        Next::Wait(Box::pin(async move {
            outbox.hold();
            match resume(&node, actor.user, &hello.have).await {
                Ok((_, resume)) => {
                    let frames = resume.frames.into_iter().map(|frame| node.roster.budget.hold(frame)).collect();
                    outbox.release(frames, &resume.heads);
                }
                Err(_) => return Settled::Close(CloseCode::UnknownError),
            }
            Settled::Done
        }))
    }

    fn send(&mut self, actor: Actor, send: kith_protocol::frame::Send) -> Next {
        if let Err(error) = self.node.shed.check() {
            Origin::Socket(Asker::new(self.outbox.clone())).refuse(send.conversation, send.message.client_id, &error);
            return Next::On;
        }
        if let Err(retry_after) = self.node.rates.send(actor.user) {
            return self.send_limited(actor, send, retry_after);
        }
        self.limited = 0;
        self.node.presence.touch(actor);
        let origin = Origin::Socket(Asker::new(self.outbox.clone()));
        if send.message.attachments.is_empty() {
            self.node.conversations.send(actor, send.conversation, send.message, origin);
            return Next::On;
        }
        let node = self.node.clone();
        Next::Wait(Box::pin(async move {
            node.conversations.send_attached(actor, send.conversation, send.message, origin).await;
            Settled::Done
        }))
    }

    /// A repeat is answered whatever the limits say, so that a client in trouble gets out of it.
    fn send_limited(&mut self, actor: Actor, send: kith_protocol::frame::Send, retry_after: Duration) -> Next {
        if let Next::Close(code) = self.count_limited() {
            return Next::Close(code);
        }
        let (node, outbox) = (self.node.clone(), self.outbox.clone());
        Next::Wait(Box::pin(async move {
            let (conversation, client_id) = (send.conversation, send.message.client_id);
            match node.conversations.sent(actor.user, conversation, client_id).await {
                Ok(Some(sent)) => outbox.push(encoding::frame(&ServerFrame::Sent(sent)), Class::Vital),
                _ => {
                    let error = Error::new(Code::RateLimited).after(retry_after);
                    Origin::Socket(Asker::new(outbox)).refuse(conversation, client_id, &error);
                }
            }
            Settled::Done
        }))
    }

    fn sync(&mut self, actor: Actor, sync: Sync) -> Next {
        if let Some(retry_after) = self.node.rates.request(actor.user).retry_after {
            return self.too_many("sync", retry_after);
        }
        self.limited = 0;
        let (node, outbox) = (self.node.clone(), self.outbox.clone());
        Next::Wait(Box::pin(async move {
            let limit = sync.limit.map_or(PAGE_ITEMS, |limit| limit.clamp(1, PAGE_ITEMS as u32) as usize);
            // Room for it, until it waits in the outbox.
            let reserved = node.roster.budget.reserve(&node.roster.allowance(actor.user));
            let entries = match &reserved {
                Ok(_) => node.conversations.sync(actor.user, sync.conversation, sync.after, limit).await,
                Err(overloaded) => Err(overloaded.clone()),
            };
            match entries {
                Ok(entries) => {
                    drop(reserved);
                    outbox.push(node.roster.budget.hold(entries), Class::Vital);
                }
                Err(error) => {
                    let mut error = encoding::error(&error);
                    error.reference = Some("sync".into());
                    error.conversation = Some(sync.conversation);
                    outbox.push(encoding::frame(&ServerFrame::Error(error)), Class::Vital);
                }
            }
            Settled::Done
        }))
    }

    fn watch(&mut self, actor: Actor, watch: Watch) -> Next {
        let Some(connection) = self.outbox.connection() else { return Next::On };
        let watched = self.watched.get_or_insert_default();
        let users = watched.users.union(&watch.users.iter().copied().collect()).count();
        let conversations = watched.conversations.union(&watch.conversations.iter().copied().collect()).count();
        if users > WATCHED_USERS || conversations > WATCHED_CONVERSATIONS {
            let (field, most) = match users > WATCHED_USERS {
                true => ("/users", WATCHED_USERS),
                false => ("/conversations", WATCHED_CONVERSATIONS),
            };
            return self.refuse(encoding::error(&Error::field(field, format!("{most} at a time at most"))), "watch");
        }
        watched.users.extend(&watch.users);
        watched.conversations.extend(&watch.conversations);
        for conversation in &watch.conversations {
            self.node.conversations.watch(actor.user, connection, *conversation);
        }
        if watch.users.is_empty() {
            return Next::On;
        }
        if let Some(retry_after) = self.node.rates.request(actor.user).retry_after {
            return self.too_many("watch", retry_after);
        }
        let (node, outbox) = (self.node.clone(), self.outbox.clone());
        Next::Wait(Box::pin(async move {
            node.presence.watch(connection, &watch.users);
            for user in watch.users {
                if let Ok(presence) = node.presence.of(actor.user, user).await {
                    let frame = ServerFrame::Presence(kith_protocol::frame::Presence {
                        user,
                        state: presence.state,
                        last_seen: presence.last_seen,
                    });
                    outbox.push(encoding::frame(&frame), Class::Vital);
                }
            }
            Settled::Done
        }))
    }

    fn unwatch(&mut self, watch: &Watch) {
        let (Some(watched), Some(connection)) = (&mut self.watched, self.outbox.connection()) else { return };
        watched.users.retain(|user| !watch.users.contains(user));
        self.node.presence.unwatch(connection, watch.users.iter());
        for conversation in &watch.conversations {
            if watched.conversations.remove(conversation) {
                self.node.conversations.unwatch(connection, *conversation);
            }
        }
        if watched.users.is_empty() && watched.conversations.is_empty() {
            self.watched = None;
        }
    }
}

/// The entries that a device lacks, and the instance of the data.
async fn resume(node: &Node, user: UserId, have: &Have) -> Result<(InstanceId, Resume), Error> {
    let instance = node.instance().await?;
    Ok((instance, node.conversations.resume(user, have, instance).await?))
}

fn rate_limited(reference: &str, retry_after: Duration) -> kith_protocol::frame::ErrorFrame {
    let mut error = encoding::error(&Error::new(Code::RateLimited).after(retry_after));
    error.reference = Some(reference.to_owned());
    error
}

const fn frame_name(frame: &ClientFrame) -> &'static str {
    match frame {
        ClientFrame::Hello(_) => "hello",
        ClientFrame::Ping(_) => "ping",
        ClientFrame::Send(_) => "send",
        ClientFrame::Sync(_) => "sync",
        ClientFrame::Delivered(_) => "delivered",
        ClientFrame::Read(_) => "read",
        ClientFrame::Typing(_) => "typing",
        ClientFrame::Watch(_) => "watch",
        ClientFrame::Unwatch(_) => "unwatch",
    }
}
