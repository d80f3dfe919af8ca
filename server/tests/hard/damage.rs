//! Damage in one conversation, or in one row of one user, is met by those whom it concerns and by nobody else.

use std::path::Path;

use kith::store::{
    Kind, RowKey,
    schema::{
        self, Place,
        due::{self, Task},
        media::Reference,
    },
};
use kith_client::{
    Socket,
    rest::{Paging, Search},
};
use kith_protocol::{
    Code, ConversationId, DeviceId, MediaId, MessageId, ReportId, ServerFrame, Timestamp, UploadId, Uuid,
    entry::ConversationKind,
    frame::{Heads, NewMessage},
    rest::{ConversationItem, EditMessage, NewParticipant},
};
use rusqlite::Connection;

use super::{
    people::Person,
    program::{LIFTED, Program, alone, until},
};

/// Bytes that are no form of anything.
const GARBAGE: &[u8] = b"\xff\xfe no row and no entry";

/// A directory in which a group of two is about to be damaged, and what has nothing to do with it.
struct Scene {
    program: Program,
    anna: Person,
    bela: Person,
    cora: Person,
    /// Anna's and Bela's group, with an entry of each kind.
    sick: ConversationId,
    /// Anna's and Cora's.
    well: ConversationId,
}

/// A message without anything beside its text.
pub fn text(text: &str) -> NewMessage {
    NewMessage {
        client_id: kith::clock::uuid(),
        text: text.to_owned(),
        mentions: Vec::new(),
        reply_to: None,
        attachments: Vec::new(),
    }
}

impl Scene {
    /// The scene after the plug was pulled.
    async fn new() -> Self {
        let mut program = Program::started(LIFTED);
        let people: [Person; 4] = Person::several(&program, 4).await.try_into().ok().expect("four");
        let [anna, bela, cora, dora] = people;
        let sick = anna.converse(ConversationKind::Group, &[&bela]).await;
        let well = anna.converse(ConversationKind::Group, &[&cora]).await;
        for said in ["the first", "the second", "to be deleted"] {
            anna.rest.send_message(sick, &text(said)).await.unwrap();
        }
        let of = |seq| MessageId { conversation: sick, seq };
        anna.rest.edit(of(2), &EditMessage { text: "the first, edited".into(), mentions: Vec::new() }).await.unwrap();
        bela.rest.react(of(3), "👍").await.unwrap();
        anna.rest.delete(of(4)).await.unwrap();
        let new = NewParticipant { user: dora.id, role: None };
        anna.rest.add_participant(sick, &new).await.unwrap();
        anna.rest.change_role(sick, dora.id, kith_protocol::entry::Role::Admin).await.unwrap();
        anna.rest.remove_participant(sick, dora.id).await.unwrap();
        let titled = kith_protocol::rest::ChangeConversation { title: Some("sick".into()), ..Default::default() };
        anna.rest.change_conversation(sick, &titled).await.unwrap();
        bela.rest.send_message(sick, &text("the last in sick")).await.unwrap();
        cora.rest.send_message(well, &text("the last in well")).await.unwrap();
        program.kill();
        Self { program, anna, bela, cora, sick, well }
    }

    /// A copy of it, damaged by `damage`, that is not started.
    fn copy(&self, damage: impl FnOnce(&Connection)) -> Program {
        let home = tempfile::tempdir().unwrap();
        let data = home.path().join("data");
        copy(self.program.data(), &data);
        let database = Connection::open(data.join("store.db")).unwrap();
        damage(&database);
        database.close().unwrap();
        Program::on(home, data, LIFTED)
    }

    fn with(&self, program: &Program, person: &Person) -> Person {
        Person { rest: program.rest().with_token(&person.token).unwrap(), ..person.clone() }
    }

    /// Whoever does not ask for what is damaged meets nothing of it.
    async fn serves_the_others(&self, program: &Program, what: &str) {
        let (anna, cora) = (self.with(program, &self.anna), self.with(program, &self.cora));
        let (mut heard, heads) = hello(program, &cora).await;
        assert!(heads.conversations.iter().any(|head| head.id == self.well), "{what}: {heads:?}");
        let said = anna.rest.send_message(self.well, &text("hello")).await;
        let said = said.unwrap_or_else(|error| panic!("{what}: nothing can be sent: {error}"));
        loop {
            match heard.receive().await.unwrap() {
                ServerFrame::Entry(entry) if entry.entry.id == said.id => break,
                _ => {}
            }
        }
        let (_, heads) = hello(program, &anna).await;
        assert!(heads.conversations.iter().any(|head| head.id == self.well), "{what}: {heads:?}");
        for person in [&anna, &cora] {
            let list = person.rest.conversations(&Paging::default()).await;
            let list = list.unwrap_or_else(|error| panic!("{what}: no list: {error}"));
            assert!(list.items.iter().any(|item| item.head.id == self.well), "{what}: {list:?}");
            person.rest.mentions(&Paging::default()).await.unwrap_or_else(|error| panic!("{what}: {error}"));
            person.rest.users("user", &Paging::default()).await.unwrap_or_else(|error| panic!("{what}: {error}"));
        }
    }
}

/// Copies a data directory.
pub fn copy(from: &Path, to: &Path) {
    std::fs::create_dir(to).unwrap();
    for file in std::fs::read_dir(from).unwrap() {
        let path = file.unwrap().path();
        let name = to.join(path.file_name().unwrap());
        // What is neither is the operator's door.
        if path.is_dir() {
            copy(&path, &name);
        } else if path.is_file() {
            std::fs::copy(&path, &name).unwrap();
        }
    }
}

/// A socket that said hello, and the heads that it was told.
async fn hello(program: &Program, person: &Person) -> (Socket, Heads) {
    let mut socket = person.socket(program).await;
    let mut all = Heads { conversations: Vec::new(), more: false, instance: None };
    loop {
        let ServerFrame::Heads(heads) = socket.receive().await.unwrap() else { panic!("heads follow ready") };
        all.conversations.extend(heads.conversations);
        if !heads.more {
            return (socket, all);
        }
    }
}

/// The key of a row in the table.
fn full_key(row: &RowKey) -> Vec<u8> {
    [&[row.partition.len() as u8], &row.partition[..], &row.key[..]].concat()
}

/// Puts a row with a checksum; 0 is that of one which was written before there were any.
fn put(database: &Connection, row: &RowKey, value: &[u8], sum: i64) {
    let put = "REPLACE INTO rows (key, value, sum) VALUES (?1, ?2, ?3)";
    database.execute(put, (full_key(row), value, sum)).unwrap();
}

/// The number that an identifier has in the database.
fn number(database: &Connection, id: Uuid) -> i64 {
    database.query_row("SELECT id FROM ids WHERE uuid = ?1", (id.as_bytes(),), |row| row.get(0)).unwrap()
}

/// Makes a conversation one whose rows were never written before the plug was pulled.
pub fn forget_rows(database: &Connection, conversation: ConversationId) {
    let state = full_key(&RowKey {
        partition: schema::conversation::partition(conversation),
        key: schema::conversation::state(),
    });
    let rows = state[..state.len() - 1].to_vec();
    let after = [&rows[..], &[0xff]].concat();
    database.execute("DELETE FROM rows WHERE key >= ?1 AND key < ?2", (rows, after)).unwrap();
    put(database, &schema::active::row(conversation), b"", 0);
}

/// Damages an entry of a kind; false where the conversation has none.
fn damage_entry(database: &Connection, conversation: ConversationId, kind: Kind) -> bool {
    let conv = number(database, conversation.uuid());
    let mut select = database.prepare("SELECT id, data FROM entries WHERE conv = ?1 ORDER BY seq").unwrap();
    let entries = select.query_map((conv,), |row| Ok((row.get::<_, i64>(0)?, row.get::<_, Vec<u8>>(1)?))).unwrap();
    let of_kind = entries.map(Result::unwrap).find(|(_, data)| data[0] & 0x0f == kind as u8);
    let Some((id, _)) = of_kind else { return false };
    database.execute("UPDATE entries SET data = ?2 WHERE id = ?1", (id, GARBAGE)).unwrap();
    true
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_damaged_entry_of_any_kind_closes_one_conversation() {
    let _alone = alone().await;
    let scene = Scene::new().await;
    for kind in Kind::ALL {
        let mut program = scene.copy(|database| {
            assert!(damage_entry(database, scene.sick, kind), "there is an entry of {kind:?}");
            forget_rows(database, scene.sick);
        });
        program.start();
        let what = format!("an entry of {kind:?}");
        scene.serves_the_others(&program, &what).await;
        let bela = scene.with(&program, &scene.bela);
        let (_, heads) = hello(&program, &bela).await;
        let head = heads.conversations.iter().find(|head| head.id == scene.sick);
        assert!(head.is_some_and(|head| head.damaged), "{what}: {heads:?}");
        let list = bela.rest.conversations(&Paging::default()).await.unwrap();
        assert!(list.items.iter().all(|item: &ConversationItem| item.head.id != scene.sick), "{what}: {list:?}");
        for _ in 0..3 {
            let refused = bela.rest.send_message(scene.sick, &text("is anybody here?")).await.unwrap_err();
            assert_eq!(refused.code(), Some(Code::Internal), "{what}");
            let refused = bela.rest.conversation(scene.sick).await.unwrap_err();
            assert_eq!(refused.code(), Some(Code::Internal), "{what}");
        }
        assert_eq!(program.metric("kith_damaged_conversations").await, Some(1.0), "{what}");
        // One line for the conversation, and one for the entry where the index came by it too: none for each request.
        let log = program.log();
        let named = |line: &&str| line.contains("damaged") && line.contains(&scene.sick.to_string());
        let [closed, met] = ["a conversation is damaged", "telemetry: damaged: "]
            .map(|of| log.lines().filter(named).filter(|line| line.contains(of)).count());
        assert_eq!((closed, closed + met), (1, log.lines().filter(named).count()), "{what}: {log}");
        assert!(met <= 1, "{what}: {log}");
        until("it is ready", async || program.probe("/readyz").await.0 == 200).await;
        assert!(program.lives(), "{what}");
        assert_eq!(program.end().code(), Some(0));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_retry_that_meets_a_damaged_entry_neither_doubles_it_nor_ends_the_server() {
    let _alone = alone().await;
    let mut program = Program::started(LIFTED);
    let people = Person::several(&program, 2).await;
    let [anna, bela] = &people[..] else { unreachable!("two") };
    let group = anna.converse(ConversationKind::Group, &[bela]).await;
    let message = text("once");
    let said = anna.rest.send_message(group, &message).await.unwrap();
    bela.rest.send_message(group, &text("the last")).await.unwrap();
    // Its rows reflect its log, so that nobody needs the entry but who sends it again.
    assert_eq!(program.end().code(), Some(0));
    let open = || Connection::open(program.data().join("store.db")).unwrap();
    let entries = |database: &Connection| {
        database.query_row("SELECT count(*) FROM entries", [], |row| row.get::<_, i64>(0)).unwrap()
    };
    let database = open();
    let conv = number(&database, group.uuid());
    let damaged = "UPDATE entries SET data = ?3 WHERE conv = ?1 AND seq = ?2";
    assert_eq!(database.execute(damaged, (conv, said.seq as i64, GARBAGE)), Ok(1));
    let before = entries(&database);
    database.close().unwrap();
    for _ in 0..2 {
        program.start();
        for _ in 0..3 {
            let again = anna.rest.send_message(group, &message).await.unwrap_err();
            assert_eq!(again.code(), Some(Code::Internal));
        }
        bela.rest.send_message(group, &text("it goes on")).await.unwrap();
        assert!(program.lives());
        program.kill();
    }
    assert_eq!(entries(&Connection::open(program.data().join("store.db")).unwrap()), before + 2);
}

/// One row of each kind that the schema lists, each Bela's or of the group where the kind has such ones. What is to be done
/// at a time is due.
fn rows(scene: &Scene) -> Vec<RowKey> {
    let (bela, sick) = (scene.bela.id, scene.sick);
    let of_user = |key| RowKey { partition: schema::user::partition(bela), key };
    let of_server = |key| RowKey { partition: schema::server::partition(), key };
    let of_sick = |key| RowKey { partition: schema::conversation::partition(sick), key };
    let device = DeviceId::from_bytes([7; 16]);
    let (media, hash) = (MediaId::from_bytes([7; 16]), [7; 32]);
    let (upload, report) = (UploadId::from_bytes([7; 16]), ReportId::from_bytes([7; 16]));
    let of_media = |key| RowKey { partition: schema::media::partition(media), key };
    let of_bytes = |key| RowKey { partition: schema::media::bytes_partition(&hash), key };
    let of_reports = |key| RowKey { partition: schema::report::partition(), key };
    let active = schema::active::row(sick);
    let behind = |key| RowKey { partition: active.partition.clone(), key };
    let (long_ago, due_now) = (Timestamp::from_millis(1), kith::clock::now());
    let is_due = |task| due::row(due_now, task);
    let today = kith::clock::now().millis() / (24 * 3600 * 1000);
    vec![
        of_server(schema::server::version()),
        of_server(schema::server::probe()),
        of_server(schema::server::clock()),
        schema::server::media_key(),
        schema::server::push_key(),
        schema::server::search_key(),
        schema::server::instance(),
        of_server(schema::server::erasing(bela)),
        schema::user::profile_row(bela),
        of_user(schema::user::device(device)),
        of_user(schema::user::blocked(scene.anna.id)),
        of_user(schema::user::listed(sick)),
        of_user(schema::user::mention(long_ago, sick, 2)),
        of_user(schema::user::replay([7; 16])),
        of_user(schema::user::contact(scene.anna.id)),
        of_user(schema::user::invite(&hash)),
        of_user(schema::user::known(&hash)),
        schema::name::row(&scene.bela.name),
        schema::token::row(&kith::account::sha256(scene.bela.token.as_bytes())),
        schema::direct::row(bela, scene.anna.id),
        schema::invite::row(&hash),
        of_sick(schema::conversation::state()),
        of_sick(schema::conversation::member(bela)),
        of_sick(schema::conversation::amendment(2)),
        schema::channel::row("sick", sick),
        active.clone(),
        behind(schema::active::unindexed(sick)),
        behind(schema::active::unpushed(sick, 1)),
        schema::push::subscription(bela, device),
        schema::push::pending(bela, device, sick),
        is_due(Task::Expiry(sick, 2)),
        of_user(schema::user::media(media)),
        of_user(schema::user::media_bytes()),
        of_media(schema::media::about()),
        of_media(schema::media::reference(Reference::Message(sick, 2))),
        of_bytes(schema::media::bytes_of(media)),
        of_bytes(schema::media::removing()),
        is_due(Task::Media(media)),
        of_user(schema::user::upload(upload)),
        of_user(schema::user::uploaded(upload)),
        is_due(Task::Upload(upload)),
        of_user(schema::user::today()),
        RowKey { partition: schema::quota::partition(), key: schema::quota::key(today, bela) },
        of_user(schema::user::request(sick)),
        is_due(Task::Request(bela, sick)),
        schema::report::row(report),
        of_reports(schema::report::made(report, bela)),
        due::since(),
        RowKey { partition: due::cursors(), key: due::cursor(due::Kind::Expiry, 7) },
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_damaged_row_of_any_kind_concerns_those_whose_it_is() {
    let _alone = alone().await;
    let scene = Scene::new().await;
    let rows = rows(&scene);
    let kinds: Vec<_> = rows.iter().map(|row| schema::place(&row.partition, &row.key).unwrap().kind()).collect();
    assert_eq!(kinds, Place::KINDS, "there is a row of each kind");
    // As the disk changes it, and as a program that is wrong writes it.
    for ((row, kind), sum) in rows.iter().zip(kinds).flat_map(|row| [(row, 4711), (row, 0)]) {
        let mut program = scene.copy(|database| put(database, row, GARBAGE, sum));
        if kind == "Version" {
            // Nobody can know what else is there. It says so, and touches nothing.
            let refused = program.serve().output().unwrap();
            let line = String::from_utf8(refused.stderr).unwrap();
            assert_eq!(refused.status.code(), Some(1));
            assert!(line.contains("version"), "{line}");
            continue;
        }
        program.start();
        let what = format!("a row of {kind}");
        scene.serves_the_others(&program, &what).await;
        until("it is ready", async || program.probe("/readyz").await.0 == 200).await;
        assert!(program.lives(), "{what}");
        assert_eq!(program.end().code(), Some(0), "{what}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_due_is_done_beside_a_damaged_conversation() {
    let _alone = alone().await;
    let mut program = Program::started(LIFTED);
    let people = Person::several(&program, 2).await;
    let [anna, bela] = &people[..] else { unreachable!("two") };
    let bucket = |id: ConversationId| Task::Expiry(id, 2).bucket();
    let sick = anna.converse(ConversationKind::Group, &[bela]).await;
    anna.rest.send_message(sick, &text("it cannot expire")).await.unwrap();
    // One that is looked at after the damaged one, and so is everything that it refers to.
    let well = loop {
        let well = anna.converse(ConversationKind::Group, &[bela]).await;
        if bucket(well) >= bucket(sick) {
            break well;
        }
    };
    anna.rest.send_message(well, &text("it expires")).await.unwrap();
    anna.rest.send_message(well, &text("findable")).await.unwrap();
    program.kill();
    let database = Connection::open(program.data().join("store.db")).unwrap();
    assert!(damage_entry(&database, sick, Kind::Message));
    for id in [sick, well] {
        forget_rows(&database, id);
        put(&database, &due::row(kith::clock::now(), Task::Expiry(id, 2)), b"", 0);
    }
    database.close().unwrap();
    program.start();
    let of = MessageId { conversation: well, seq: 2 };
    until("the message has expired", async || anna.rest.message(of).await.is_ok_and(|message| message.deleted)).await;
    until("the other one is found", async || {
        let asked = Search { words: "findable".to_owned(), ..Search::default() };
        let found = anna.rest.search(&asked, &Paging::default()).await;
        found.is_ok_and(|found| found.items.iter().any(|item| item.message.entry.conversation == well))
    })
    .await;
    assert_eq!(program.metric("kith_postponed_total").await, Some(1.0));
    assert!(program.lives());
    assert_eq!(program.end().code(), Some(0));
}
