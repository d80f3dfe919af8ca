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
        schema::{self, Amendment, Device, Listed, Member, Pointer, Pointers, State, Token, User, Value},
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
    /// Just before the conversation began.
    began: Timestamp,
}

impl World {
    async fn new() -> Self {
        let dir = tempdir().unwrap();
        let store = Sqlite::open_on(dir.path(), &Ground { sync: false, ..Ground::default() }).unwrap();
        let (user, device) = (UserId::new(clock::uuid()), DeviceId::new(clock::uuid()));
        let (conversation, began) = (ConversationId::new(clock::uuid()), clock::now());
        let world = Self { dir, store, user, device, conversation, began };
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

    fn at(&self, seq: u64) -> Timestamp {
        Timestamp::from_millis(self.began.millis() + seq)
    }

    fn record(&self, seq: u64, counts: Counts, body: &str) -> Record {
        Record {
            seq,
            kind: if seq == 1 { Kind::Created } else { Kind::Message },
            sender: self.user,
            device: Some(self.device),
            client_id: Some(clock::uuid()),
            at: self.at(seq),
            true_at: None,
            expires_at: None,
            counts,
            body: Bytes::copy_from_slice(body.as_bytes()),
        }
    }

    async fn converse(&self) {
        self.put(self.of_user(schema::user::listed(self.conversation)), Listed::default().encode()).await;
        let created = format!(r#"{{"kind":"group","members":[{{"user":"{}","role":"owner"}}]}}"#, self.user);
        let first = self.record(1, Counts { rev: 1, ..Counts::default() }, &created);
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
            settings: Settings { created_at: self.at(1), ..Settings::default() },
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

/// A second member who joined by themselves, whom the third entry mentions, and who put an emoji to it after it was edited.
async fn a_second_member(world: &World) -> UserId {
    let (other, user) = (UserId::new(clock::uuid()), world.user);
    let entries = [
        (Kind::MemberAdded, other, (1, 0, 3), format!(r#"{{"user":"{other}","role":"member","by":"{other}"}}"#)),
        (Kind::Message, user, (2, 1, 3), format!(r#"{{"text":"{TEXT}","mentions":["{other}"]}}"#)),
        (Kind::Edit, user, (2, 1, 3), format!(r#"{{"target":4,"text":"{TEXT}"}}"#)),
        (Kind::Reaction, other, (2, 1, 3), r#"{"target":4,"emoji":"👍","on":true}"#.to_owned()),
    ];
    let records = entries.into_iter().zip(3..).map(|((kind, sender, (messages, mentioning, rev), body), seq)| Record {
        kind,
        sender,
        ..world.record(seq, Counts { messages, mentioning, rev }, &body)
    });
    world.store.write(world.conversation, 2, Turn::append(records.collect())).await.unwrap();
    let mut state = world.state(6, 2);
    state.counts = Counts { messages: 2, mentioning: 1, rev: 3 };
    world.put(world.of_conversation(schema::conversation::state()), state.encode()).await;
    world.put(world.of_conversation(schema::conversation::member(other)), joined(vec![4]).encode()).await;
    let amendment = Amendment { edits: vec![5], deleted: false, reactions: vec![("👍".to_owned(), vec![other])] };
    world.put(world.of_conversation(schema::conversation::amendment(4)), amendment.encode()).await;
    world.put(mention(world, other), Bytes::new()).await;
    let profile = world.store.get(vec![world.of_user(schema::user::profile())]).await.unwrap().remove(0).unwrap();
    let profile = User { username: "bert".to_owned(), ..User::decode(&profile).unwrap() };
    world.put(schema::user::profile_row(other), profile.encode()).await;
    world.put(schema::name::row("bert"), Bytes::copy_from_slice(&other.bytes())).await;
    let listed = RowKey { partition: schema::user::partition(other), key: schema::user::listed(world.conversation) };
    world.put(listed, Listed::default().encode()).await;
    other
}

fn joined(mentions: Vec<u64>) -> Member {
    let at_joined = Pointer { seq: 3, moves: vec![] };
    let (read, delivered) = (at_joined.clone(), at_joined);
    let pointers = Pointers { read, read_messages: 1, delivered, mentions, has_written: false, accepted: true };
    Member { log: kith_log::Member { role: Role::Member, since: 3, joined: 3 }, pointers }
}

fn mention(world: &World, user: UserId) -> RowKey {
    RowKey { partition: schema::user::partition(user), key: schema::user::mention(world.at(4), world.conversation, 4) }
}

#[tokio::test]
async fn a_row_that_is_not_what_its_log_comes_to_is_told() {
    let world = World::new().await;
    let other = a_second_member(&world).await;
    let report = verify(world.path(), |_| {}).unwrap();
    assert!(report.is_clean(), "{report}");
    let told = |row: String, what: &str| {
        let problem = world.problem();
        assert!(problem.starts_with(&format!("{row}: ")) && problem.contains(what), "{problem}");
    };

    let row = world.of_conversation(schema::conversation::member(other));
    let named = schema::named(&row.partition, &row.key);
    for role in [Role::Admin, Role::Owner] {
        let member = Member { log: kith_log::Member { role, ..joined(vec![]).log }, ..joined(vec![4]) };
        world.put(row.clone(), member.encode()).await;
        told(named.clone(), "it says Member { role: ");
    }
    world.put(row.clone(), joined(vec![]).encode()).await;
    told(named.clone(), "its log says that 4 is an unread mention, and it does not");
    world.put(row.clone(), joined(vec![4, 6]).encode()).await;
    told(named.clone(), "it says that 6 is an unread mention, and its log does not");
    world.delete(row.clone()).await;
    told(named, "it is missing, though the log makes them a member");
    world.put(row, joined(vec![4]).encode()).await;
    let stranger = world.of_conversation(schema::conversation::member(UserId::new(clock::uuid())));
    world.put(stranger.clone(), joined(vec![]).encode()).await;
    told(schema::named(&stranger.partition, &stranger.key), "the log makes them no member");
    world.delete(stranger).await;

    let row = world.of_conversation(schema::conversation::amendment(4));
    let named = schema::named(&row.partition, &row.key);
    let amendment = Amendment { edits: vec![5], deleted: false, reactions: vec![("👍".to_owned(), vec![other])] };
    for (wrong, what) in [
        (Amendment { edits: vec![6], ..amendment.clone() }, "its edits are not those of its log"),
        (Amendment { reactions: vec![], ..amendment.clone() }, "its reactions are not those of its log"),
        (Amendment { deleted: true, ..amendment.clone() }, "its log does not delete the message"),
    ] {
        world.put(row.clone(), wrong.encode()).await;
        told(named.clone(), what);
    }
    world.delete(row.clone()).await;
    told(named, "it is missing, though later entries amend the message");
    world.put(row, amendment.encode()).await;

    let row = mention(&world, other);
    world.delete(row.clone()).await;
    told(schema::named(&row.partition, &row.key), "it is missing, though the message mentions them");
    world.put(row, Bytes::new()).await;
    let row = RowKey {
        partition: schema::user::partition(other),
        key: schema::user::mention(world.at(2), world.conversation, 2),
    };
    world.put(row.clone(), Bytes::new()).await;
    told(schema::named(&row.partition, &row.key), "its message does not mention the user");
    world.delete(row).await;

    let row = world.of_conversation(schema::conversation::state());
    let mut state = world.state(6, 2);
    state.counts = Counts { messages: 2, mentioning: 1, rev: 3 };
    state.settings.expire_after_s = Some(60);
    world.put(row.clone(), state.encode()).await;
    told(schema::named(&row.partition, &row.key), "its settings are not those of its log");
    // Rows that say themselves that they wait for the rest of the log are not damaged.
    state.seq = 5;
    world.put(row, state.encode()).await;
    assert!(verify(world.path(), |_| {}).unwrap().is_clean());
}

#[tokio::test]
async fn a_log_that_no_server_appends_is_told() {
    let world = World::new().await;
    let stranger = UserId::new(clock::uuid());
    let from_stranger = Record {
        sender: stranger,
        ..world.record(3, Counts { messages: 2, mentioning: 0, rev: 1 }, r#"{"text":"x"}"#)
    };
    let twice = format!(r#"{{"user":"{0}","role":"admin","by":"{0}"}}"#, world.user);
    let twice =
        Record { kind: Kind::MemberAdded, ..world.record(4, Counts { messages: 2, mentioning: 0, rev: 4 }, &twice) };
    let uncounted = format!(r#"{{"text":"x","mentions":["{}"]}}"#, world.user);
    let uncounted = world.record(5, Counts { messages: 3, mentioning: 0, rev: 4 }, &uncounted);
    world.store.write(world.conversation, 2, Turn::append(vec![from_stranger, twice, uncounted])).await.unwrap();
    let report = verify(world.path(), |_| {}).unwrap().to_string();
    assert!(report.contains(&format!(".3: its sender {stranger} is no member\n")), "{report}");
    assert!(report.contains(&format!(".4: it adds {}, who is a member already\n", world.user)), "{report}");
    assert!(report.contains(".5: its totals"), "{report}");
    assert!(report.ends_with(": 3 problems"), "{report}");
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
