//! A directory as the server leaves it is clean, and every damage is told; inspecting it shows no secret.

use std::{path::Path, sync::Arc};

use bytes::Bytes;
use kith_log::Settings;
use kith_protocol::{ConversationId, DeviceId, Timestamp, UserId, entry::Role, rest::Privacy};
use tempfile::{TempDir, tempdir};

use super::verify;
use crate::{
    clock,
    operator::inspect::{InspectError, Subject, inspect},
    store::{
        Change, Counts, Kind, Record, RowKey, Store as _, Turn,
        schema::{self, Device, Listed, Member, Pointer, Pointers, State, Token, User, Value},
        sqlite::{Ground, Sqlite},
    },
};

const TEXT: &str = "meet me at noon";
const PASSWORD: &str = "$argon2id$v=19$secret";

/// One user in one conversation with two entries, written as the server writes them.
struct World {
    dir: TempDir,
    store: Arc<Sqlite>,
    user: UserId,
    device: DeviceId,
    conversation: ConversationId,
}

impl World {
    async fn new() -> Self {
        let dir = tempdir().unwrap();
        let store = Sqlite::open_on(dir.path(), &Ground { sync: false, ..Ground::default() }).unwrap();
        let (user, device) = (UserId::new(clock::uuid()), DeviceId::new(clock::uuid()));
        let world = Self { dir, store, user, device, conversation: ConversationId::new(clock::uuid()) };
        world.sign_up().await;
        world.converse().await;
        world
    }

    fn path(&self) -> &Path {
        self.dir.path()
    }

    async fn put(&self, row: RowKey, value: Bytes) {
        self.store.commit(row.partition, vec![Change::Put(row.key, value)], vec![]).await.unwrap();
    }

    async fn delete(&self, row: RowKey) {
        self.store.commit(row.partition, vec![Change::Delete(row.key)], vec![]).await.unwrap();
    }

    fn of_user(&self, key: Vec<u8>) -> RowKey {
        RowKey { partition: schema::user::partition(self.user), key }
    }

    fn of_conversation(&self, key: Vec<u8>) -> RowKey {
        RowKey { partition: schema::conversation::partition(self.conversation), key }
    }

    async fn sign_up(&self) {
        let user = User {
            username: "anna".to_owned(),
            display_name: "Anna".to_owned(),
            about: None,
            avatar: None,
            email: None,
            phone: None,
            privacy: Privacy::default(),
            password: PASSWORD.to_owned(),
            created_at: clock::now(),
            last_seen: None,
            erased: false,
            suspended: false,
            vouched: false,
        };
        self.put(self.of_user(schema::user::profile()), user.encode()).await;
        self.put(schema::name::row("anna"), Bytes::copy_from_slice(&self.user.bytes())).await;
        let device = Device {
            name: "phone".to_owned(),
            platform: "test".to_owned(),
            created_at: clock::now(),
            token_hash: [0xab; 32],
            features: Vec::new(),
        };
        self.put(self.of_user(schema::user::device(self.device)), device.encode()).await;
        self.put(schema::token::row(&[0xab; 32]), Token { user: self.user, device: self.device }.encode()).await;
    }

    fn record(&self, seq: u64, counts: Counts, body: &str) -> Record {
        Record {
            seq,
            kind: if seq == 1 { Kind::Created } else { Kind::Message },
            sender: self.user,
            device: Some(self.device),
            client_id: Some(clock::uuid()),
            at: Timestamp::from_millis(clock::now().millis() + seq),
            true_at: None,
            expires_at: None,
            counts,
            body: Bytes::copy_from_slice(body.as_bytes()),
        }
    }

    async fn converse(&self) {
        self.put(self.of_user(schema::user::listed(self.conversation)), Listed::default().encode()).await;
        let first = self.record(1, Counts { rev: 1, ..Counts::default() }, "{}");
        let body = format!(r#"{{"text":"{TEXT}"}}"#);
        let second = self.record(2, Counts { messages: 1, mentioning: 0, rev: 1 }, &body);
        self.store.write(self.conversation, 0, Turn::append(vec![first, second])).await.unwrap();
        self.put(self.of_conversation(schema::conversation::state()), self.state(2, 1).encode()).await;
        let member = Member {
            log: kith_log::Member { role: Role::Owner, since: 1, joined: 1 },
            pointers: Pointers {
                read: Pointer { seq: 2, moves: vec![] },
                read_messages: 1,
                delivered: Pointer { seq: 2, moves: vec![] },
                mentions: vec![],
                has_written: true,
                accepted: true,
            },
        };
        self.put(self.of_conversation(schema::conversation::member(self.user)), member.encode()).await;
    }

    fn state(&self, seq: u64, messages: u64) -> State {
        State {
            seq,
            counts: Counts { messages, mentioning: 0, rev: 1 },
            settings: Settings { created_at: clock::now(), ..Settings::default() },
        }
    }

    /// The only problem there is.
    fn problem(&self) -> String {
        let report = verify(self.path(), |_| {}).unwrap();
        assert_eq!(report.problems.len(), 1, "{report}");
        report.problems[0].clone()
    }

    /// Everything that is shown of a subject.
    fn shown(&self, what: &str) -> String {
        let mut shown = String::new();
        inspect(self.path(), &what.parse().unwrap(), |line| shown.push_str(&format!("{line}\n"))).unwrap();
        shown
    }
}

#[tokio::test]
async fn what_the_server_wrote_is_clean_and_the_progress_is_told_to_the_end() {
    let world = World::new().await;
    let mut told = Vec::new();
    let report = verify(world.path(), |progress| told.push(progress)).unwrap();
    assert_eq!(report.to_string(), "1 conversations, 2 entries, 8 rows: all is well");
    assert_eq!((report.client_ids, report.is_clean()), (2, true));
    for step in ["structures", "entries", "client_ids", "rows"] {
        assert!(told.iter().any(|told| told.step == step && told.done == told.total), "{step}: {told:?}");
    }
}

#[tokio::test]
async fn rows_that_lead_nowhere_are_told() {
    let world = World::new().await;
    world.put(world.of_conversation(schema::conversation::state()), world.state(2, 7).encode()).await;
    assert!(world.problem().contains("its totals are"), "{}", world.problem());
    world.put(world.of_conversation(schema::conversation::state()), world.state(3, 1).encode()).await;
    assert!(world.problem().contains("it reflects 3, which is not in the log"), "{}", world.problem());
    world.put(world.of_conversation(schema::conversation::state()), world.state(2, 1).encode()).await;

    world.delete(world.of_user(schema::user::listed(world.conversation))).await;
    assert!(world.problem().contains("the conversation is not in the member's list"), "{}", world.problem());
    world.put(world.of_user(schema::user::listed(world.conversation)), Listed::default().encode()).await;

    world.delete(schema::token::row(&[0xab; 32])).await;
    assert!(world.problem().contains("its token leads elsewhere"), "{}", world.problem());
    world.put(schema::token::row(&[0xab; 32]), Token { user: world.user, device: world.device }.encode()).await;

    world.delete(schema::name::row("anna")).await;
    assert!(world.problem().contains("its name leads elsewhere"), "{}", world.problem());
    world.put(schema::name::row("anna"), Bytes::copy_from_slice(&world.user.bytes())).await;

    world.put(world.of_conversation(vec![9]), Bytes::new()).await;
    assert!(world.problem().contains("a conversation has no such row"), "{}", world.problem());
    world.delete(world.of_conversation(vec![9])).await;

    world.put(world.of_user(schema::user::listed(world.conversation)), Bytes::from_static(b"\x09")).await;
    assert!(world.problem().contains("unknown version"), "{}", world.problem());
}

#[tokio::test]
async fn logs_that_do_not_hold_together_are_told() {
    let world = World::new().await;
    let append = async |seq: u64, counts: Counts, body: &str| {
        world
            .store
            .write(world.conversation, seq - 1, Turn::append(vec![world.record(seq, counts, body)]))
            .await
            .unwrap();
    };
    append(3, Counts { messages: 1, mentioning: 0, rev: 1 }, "{}").await;
    assert!(world.problem().contains(".3: its totals"), "{}", world.problem());
    append(4, Counts { messages: 2, mentioning: 0, rev: 1 }, "no JSON").await;
    let report = verify(world.path(), |_| {}).unwrap().to_string();
    assert!(report.contains(".4: its body is no JSON object\n"), "{report}");
    assert!(report.ends_with("8 rows: 2 problems"), "{report}");
}

#[tokio::test]
async fn a_damaged_file_is_told() {
    let World { dir, store, .. } = World::new().await;
    drop(store);
    let file = dir.path().join("store.db");
    let mut bytes = std::fs::read(&file).unwrap();
    // The page of the entries: the third, as the tables were made.
    let text = bytes.windows(TEXT.len()).position(|window| window == TEXT.as_bytes()).unwrap();
    let page = text / 4096 * 4096;
    bytes[page + 8..page + 12].fill(0xff);
    std::fs::write(&file, bytes).unwrap();
    let report = verify(dir.path(), |_| {}).unwrap();
    assert!(!report.is_clean());
}

#[tokio::test]
async fn inspecting_shows_what_is_there_and_no_secret() {
    let world = World::new().await;
    let (user, conversation) = (world.user.to_string(), world.conversation.to_string());
    let shown = world.shown("@Anna");
    assert_eq!(shown, world.shown(&user));
    assert!(shown.contains("username: \"anna\"") && shown.contains("\"phone\" on \"test\""), "{shown}");
    assert!(shown.contains(&format!("Listed({user}, {conversation})")), "{shown}");
    let log = world.shown(&conversation);
    assert!(log.contains(&format!("message              {user} device {}", world.device)), "{log}");
    assert!(log.contains("body (26 bytes)"), "{log}");
    assert!(world.shown(&format!("{conversation}.2")).starts_with("       2  "));
    assert_eq!(world.shown("names"), format!("Name(anna): {user}\n"));
    assert_eq!(world.shown("server"), format!("Version: {}\n", schema::VERSION));
    for what in ["@anna", &conversation, "server", "names", "directs", "invites", "channels", "active", "expiring"] {
        let shown = world.shown(what);
        assert!(!shown.contains(TEXT) && !shown.contains("argon2id") && !shown.contains("abab"), "{shown}");
    }
    let nobody = inspect(world.path(), &Subject::Name("bob".to_owned()), |_| {});
    assert!(matches!(nobody, Err(InspectError::NoUser)));
    assert!("bob".parse::<Subject>().is_err());
}
