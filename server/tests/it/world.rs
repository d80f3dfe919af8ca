//! A real server on a folder of its own, and people who use it through the real client.

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use kith::{
    config::Config,
    server::{Server, StartError},
};
use kith_client::{Error, Method, Rest, Socket, StatusCode, rest::Answer, rest::Place};
use kith_protocol::{
    ClientFrame, Code, ConversationId, DeviceId, Entry, MediaId, MessageId, ServerFrame, UserId, Uuid,
    entry::{Body, ConversationKind},
    frame::{self, Entries, Hello, NewMessage, Ping, Pointer, Sent, Watch},
    rest::{ConversationInfo, NewConversation, NewSession, NewUser, SignedIn},
};
use serde_json::Value;
use tempfile::TempDir;

/// The time within which anything that must come comes: promise 6.
pub const SOON: Duration = Duration::from_secs(10);
/// The pause between two looks at what must become so.
pub const MOMENT: Duration = Duration::from_millis(50);
/// Everybody's password.
pub const PASSWORD: &str = "correct horse battery";

/// A server that runs.
pub struct World {
    pub config: Config,
    server: Option<Server>,
    _dir: TempDir,
    rest: Rest,
}

/// Somebody with one device.
pub struct Person {
    pub name: String,
    pub id: UserId,
    pub device: DeviceId,
    pub token: String,
    pub rest: Rest,
}

impl World {
    /// A server that nobody has used, and that nobody uses too much.
    pub async fn start() -> Self {
        Self::with(|_| {}).await
    }

    /// The same, with another configuration.
    pub async fn with(change: impl FnOnce(&mut Config)) -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        let mut config = Config {
            listen: ([127, 0, 0, 1], 0).into(),
            operator_listen: ([127, 0, 0, 1], 0).into(),
            data_dir: dir.path().join("data"),
            drain_s: 0,
            ..Config::default()
        };
        let limits = &mut config.limits;
        for limit in [
            &mut limits.sends_per_s,
            &mut limits.sends_burst,
            &mut limits.requests_per_s,
            &mut limits.requests_burst,
            &mut limits.signins_per_min,
            &mut limits.conversations,
            &mut limits.begins_per_day,
            &mut limits.stranger_directs_per_day,
            &mut limits.stranger_groups_per_day,
        ] {
            *limit = 1_000_000;
        }
        // Nor one whose disk is rather full.
        config.media.min_free_bytes = Some(0);
        // In a story everybody is new, and that is another story.
        config.limits.new_account_hours = 0;
        // A busy machine must not make a story another one.
        config.load.shed_ms = 50_000;
        config.load.shed_receipts_ms = 55_000;
        config.load.refuse_ms = 60_000;
        change(&mut config);
        let server = Server::start(config.clone()).await.expect("a server starts");
        let rest = Rest::new(address(&server, &config));
        Self { config, server: Some(server), _dir: dir, rest }
    }

    /// Stops the server and starts it on the same folder; it has another address then, which `people` learn.
    pub async fn restart(&mut self, people: &mut [&mut Person]) {
        self.stop().await;
        let until = Instant::now() + SOON;
        let server = loop {
            match Server::start(self.config.clone()).await {
                Ok(server) => break server,
                // The process would have ended: here its last connections still say goodbye.
                Err(StartError::Data(_)) if Instant::now() < until => tokio::time::sleep(MOMENT).await,
                Err(error) => panic!("{error}"),
            }
        };
        self.rest = Rest::new(address(&server, &self.config));
        self.server = Some(server);
        for person in people {
            person.rest = self.rest.with_token(&person.token).expect("a token");
        }
    }

    /// Stops the server.
    pub async fn stop(&mut self) {
        if let Some(server) = self.server.take() {
            server.stop(Duration::from_secs(5)).await;
        }
    }

    /// As nobody.
    pub fn guest(&self) -> &Rest {
        &self.rest
    }

    /// The address on which the server listens.
    pub fn authority(&self) -> String {
        self.server.as_ref().expect("it runs").address.to_string()
    }

    /// The metrics, as the operator reads them.
    pub async fn metrics(&self) -> String {
        let operator = self.server.as_ref().expect("it runs").operator_address;
        let rest = Rest::new(kith_client::Server::new(&format!("http://{operator}")).expect("an address"));
        let answer = rest.request(Method::GET, "/metrics", &[], "").await.expect("metrics");
        String::from_utf8(answer.body.to_vec()).expect("text")
    }

    /// The data directory.
    pub fn data_dir(&self) -> &Path {
        &self.config.data_dir
    }

    /// Signs somebody up.
    pub async fn person(&self, name: &str) -> Person {
        let signed_in = self.rest.sign_up(&new_user(name)).await.expect("a sign-up");
        self.signed_in(signed_in)
    }

    /// Signs several people up.
    pub async fn people<const N: usize>(&self, names: [&str; N]) -> [Person; N] {
        let mut people = Vec::with_capacity(N);
        for name in names {
            people.push(self.person(name).await);
        }
        people.try_into().unwrap_or_else(|_| unreachable!("one for each name"))
    }

    /// Another device of the same user.
    pub async fn device(&self, of: &Person) -> Person {
        let session =
            NewSession { username: of.name.clone(), password: PASSWORD.into(), device: None, device_secret: None };
        self.signed_in(self.rest.sign_in(&session).await.expect("a sign-in"))
    }

    pub fn signed_in(&self, signed_in: SignedIn) -> Person {
        let rest = self.rest.with_token(&signed_in.token).expect("a token");
        let name = signed_in.user.username.expect("one's own name");
        Person { name, id: signed_in.user.id, device: signed_in.device.id, token: signed_in.token, rest }
    }

    /// Waits until no file of the server holds `marker`, for at most `limit`.
    pub async fn forgets(&self, marker: &str, limit: Duration) {
        let until = Instant::now() + limit;
        loop {
            let found = files_with(self.data_dir(), marker);
            if found.is_empty() {
                return;
            }
            assert!(Instant::now() < until, "{marker} is still in {found:?}");
            tokio::time::sleep(5 * MOMENT).await;
        }
    }

    /// The files of the server that hold `marker`.
    pub fn files_with(&self, marker: &str) -> Vec<PathBuf> {
        files_with(self.data_dir(), marker)
    }
}

fn address(server: &Server, config: &Config) -> kith_client::Server {
    let address = match &config.tls.certificate {
        None => kith_client::Server::new(&format!("http://{}", server.address)),
        Some(certificate) => {
            let roots = std::fs::read(certificate).expect("a certificate");
            kith_client::Server::with_roots(&format!("https://{}", server.address), &roots)
        }
    };
    address.expect("an address")
}

fn files_with(dir: &Path, marker: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for file in fs::read_dir(dir).into_iter().flatten().flatten() {
        let path = file.path();
        if path.is_dir() {
            found.extend(files_with(&path, marker));
        } else if let Ok(bytes) = fs::read(&path)
            && bytes.windows(marker.len()).any(|part| part == marker.as_bytes())
        {
            found.push(path);
        }
    }
    found
}

/// The body of a sign-up.
pub fn new_user(name: &str) -> NewUser {
    NewUser { username: name.into(), password: PASSWORD.into(), display_name: None, invite: None, device: None }
}

/// A name for a message that nobody has used.
pub fn client_id() -> Uuid {
    kith::clock::uuid()
}

/// A message of plain text.
pub fn text(text: impl Into<String>) -> NewMessage {
    NewMessage {
        client_id: client_id(),
        text: text.into(),
        mentions: Vec::new(),
        reply_to: None,
        attachments: Vec::new(),
    }
}

/// The text of an entry that is a message.
pub fn words(entry: &Entry) -> &str {
    match &entry.body {
        Body::Message(body) => &body.text,
        Body::Edit(body) => &body.text,
        _ => "",
    }
}

/// The code of a call that must fail.
pub fn code<T>(result: Result<T, Error>) -> Option<Code> {
    result.err().and_then(|error| error.code())
}

impl Person {
    /// A conversation of this person with others.
    pub async fn begin(&self, kind: ConversationKind, title: Option<&str>, others: &[&Person]) -> ConversationInfo {
        let new = NewConversation {
            kind,
            members: others.iter().map(|other| other.id).collect(),
            title: title.map(str::to_owned),
            expire_after_s: None,
            encryption: None,
        };
        self.rest.create_conversation(&new).await.expect("a conversation")
    }

    pub async fn direct(&self, other: &Person) -> ConversationId {
        self.begin(ConversationKind::Direct, None, &[other]).await.id
    }

    pub async fn group(&self, others: &[&Person]) -> ConversationId {
        self.begin(ConversationKind::Group, Some("a group"), others).await.id
    }

    /// Sends over REST.
    pub async fn say(&self, conversation: ConversationId, words: impl Into<String>) -> Entry {
        self.rest.send_message(conversation, &text(words)).await.expect("a message is taken")
    }

    /// Sends a message that shows a file with these words.
    pub async fn show(&self, conversation: ConversationId, words: &str) -> MediaId {
        let media = self.rest.send_media(words.to_owned(), "text/plain", Some("words.txt")).await.expect("a media");
        self.attach(conversation, media.id).await.expect("a message is taken");
        media.id
    }

    /// Sends a message that shows a picture.
    pub async fn picture(&self, conversation: ConversationId) -> MediaId {
        let media = self.rest.send_media(crate::media::red(), "image/png", None).await.expect("a media");
        self.attach(conversation, media.id).await.expect("a message is taken");
        media.id
    }

    /// Sends a message that shows a media, and nothing else.
    pub async fn attach(&self, conversation: ConversationId, media: MediaId) -> Result<Entry, Error> {
        self.rest.send_message(conversation, &NewMessage { attachments: vec![media], ..text("") }).await
    }

    /// The whole log that this person may see.
    pub async fn log(&self, conversation: ConversationId) -> Vec<Entry> {
        let mut entries = Vec::new();
        loop {
            let after = entries.last().map_or(0, |entry: &Entry| entry.seq);
            let page = self.rest.log(conversation, Place::After(after), Some(200)).await.expect("a log");
            if page.items.is_empty() {
                return entries;
            }
            entries.extend(page.items);
        }
    }

    /// A request as raw as HTTP: its status and its body as JSON (null where there is none).
    pub async fn raw(&self, method: Method, path: &str, body: Option<Value>) -> (StatusCode, Value) {
        let answer = raw(&self.rest, method, path, &[], body).await;
        (answer.status, serde_json::from_slice(&answer.body).unwrap_or(Value::Null))
    }

    /// Opens a socket and says hello; everything up to the heads is read.
    pub async fn connect(&self) -> Wire {
        self.connect_with(Vec::new()).await
    }

    /// The same, with what the device has.
    pub async fn connect_with(&self, have: Vec<(ConversationId, u64)>) -> Wire {
        let mut wire = Wire::open(self.rest.server()).await;
        wire.socket.hello(&self.token, have).await.expect("a hello is taken");
        let ServerFrame::Ready(ready) = wire.next().await else { panic!("the answer to hello is ready") };
        assert_eq!((ready.user, ready.device), (self.id, self.device));
        loop {
            let ServerFrame::Heads(page) = wire.next().await else { panic!("heads follow ready") };
            wire.heads.extend(page.conversations);
            wire.pages += 1;
            if !page.more {
                return wire;
            }
        }
    }
}

/// A request as raw as HTTP.
pub async fn raw(rest: &Rest, method: Method, path: &str, headers: &[(&str, &str)], body: Option<Value>) -> Answer {
    let mut headers = headers.to_vec();
    let body = match body {
        None => Vec::new(),
        Some(body) => {
            headers.push(("content-type", "application/json"));
            serde_json::to_vec(&body).expect("JSON")
        }
    };
    rest.request(method, path, &headers, body).await.expect("an answer")
}

/// A socket, frame by frame.
pub struct Wire {
    pub socket: Socket,
    /// The heads that the last hello told.
    pub heads: Vec<kith_protocol::rest::HeadItem>,
    /// On so many pages.
    pub pages: usize,
}

impl Wire {
    /// A socket that has said nothing.
    pub async fn open(server: &kith_client::Server) -> Self {
        let socket = Socket::connect(server).await.expect("a socket opens");
        Self { socket, heads: Vec::new(), pages: 0 }
    }

    /// The next frame, which must come soon.
    pub async fn next(&mut self) -> ServerFrame {
        let received = tokio::time::timeout(SOON, self.socket.receive()).await;
        received.expect("a frame comes soon").expect("the socket is open")
    }

    /// The first frame of which `pick` makes something; what comes before is dropped.
    pub async fn find<T>(&mut self, mut pick: impl FnMut(&ServerFrame) -> Option<T>) -> T {
        let until = Instant::now() + SOON;
        loop {
            assert!(Instant::now() < until, "what was waited for did not come");
            let frame = self.next().await;
            if let Some(found) = pick(&frame) {
                return found;
            }
        }
    }

    /// The code with which the server closes, soon.
    pub async fn closed(&mut self) -> u16 {
        let end = async {
            loop {
                match self.socket.receive().await {
                    Ok(_) => {}
                    Err(Error::Closed(closed)) => return closed.code,
                    Err(error) => panic!("{error}"),
                }
            }
        };
        tokio::time::timeout(SOON, end).await.expect("the server closes soon")
    }

    /// The frames that came up to the answer to a ping that is sent now.
    pub async fn so_far(&mut self) -> Vec<ServerFrame> {
        self.say(ClientFrame::Ping(Ping::default())).await;
        let mut frames = Vec::new();
        loop {
            match self.next().await {
                ServerFrame::Pong(_) => return frames,
                frame => frames.push(frame),
            }
        }
    }

    /// Nothing has come but the answer to a ping that is sent now.
    pub async fn quiet(&mut self) {
        assert_eq!(self.so_far().await, Vec::new());
    }

    pub async fn say(&mut self, frame: ClientFrame) {
        self.socket.send(&frame).await.expect("a frame is taken");
    }

    pub async fn send(&mut self, conversation: ConversationId, message: NewMessage) {
        self.say(ClientFrame::Send(frame::Send { conversation, message })).await;
    }

    /// Sends a message and waits for its `sent`.
    pub async fn tell(&mut self, conversation: ConversationId, message: NewMessage) -> Sent {
        let client_id = message.client_id;
        self.send(conversation, message).await;
        self.find(|frame| match frame {
            ServerFrame::Sent(sent) if sent.client_id == client_id => Some(*sent),
            ServerFrame::Error(error) => panic!("{error:?}"),
            _ => None,
        })
        .await
    }

    /// The next entry that is no own one.
    pub async fn entry(&mut self) -> Entry {
        self.find(|frame| if let ServerFrame::Entry(it) = frame { Some(it.entry.clone()) } else { None }).await
    }

    pub async fn entries(&mut self) -> Entries {
        self.find(|frame| if let ServerFrame::Entries(it) = frame { Some(it.clone()) } else { None }).await
    }

    pub async fn receipt(&mut self) -> frame::Receipt {
        self.find(|frame| if let ServerFrame::Receipt(it) = frame { Some(*it) } else { None }).await
    }

    pub async fn presence(&mut self) -> frame::Presence {
        self.find(|frame| if let ServerFrame::Presence(it) = frame { Some(*it) } else { None }).await
    }

    pub async fn change(&mut self) -> frame::ConversationFrame {
        self.find(|frame| if let ServerFrame::Conversation(it) = frame { Some(*it) } else { None }).await
    }

    pub async fn error(&mut self) -> frame::ErrorFrame {
        self.find(|frame| if let ServerFrame::Error(it) = frame { Some(it.clone()) } else { None }).await
    }

    pub async fn sync(&mut self, conversation: ConversationId, after: u64, limit: Option<u32>) -> Entries {
        self.say(ClientFrame::Sync(frame::Sync { conversation, after, limit })).await;
        self.entries().await
    }

    pub async fn read(&mut self, conversation: ConversationId, seq: u64) {
        self.say(ClientFrame::Read(Pointer { conversation, seq })).await;
    }

    pub async fn delivered(&mut self, conversation: ConversationId, seq: u64) {
        self.say(ClientFrame::Delivered(Pointer { conversation, seq })).await;
    }

    pub async fn watch(&mut self, users: &[UserId], conversations: &[ConversationId]) {
        let (users, conversations) = (users.to_vec(), conversations.to_vec());
        self.say(ClientFrame::Watch(Watch { users, conversations })).await;
    }

    /// Says `have` again on the open socket.
    pub async fn resume(&mut self, have: Vec<(ConversationId, u64)>) {
        self.say(ClientFrame::Hello(Hello { token: None, have, ..Hello::default() })).await;
    }
}

/// The name of a message.
pub fn message(conversation: ConversationId, seq: u64) -> MessageId {
    MessageId { conversation, seq }
}
