//! Bits that are flipped anywhere in the database: each that changes something is found, and the server starts or says why
//! it does not.

use std::{
    collections::BTreeSet,
    fs,
    io::{BufRead as _, BufReader, Read as _},
    path::Path,
    process::{Command, Stdio},
};

use kith::{
    operator::{repair::repair, verify::verify},
    store::schema::place,
};
use kith_protocol::{
    MessageId,
    entry::{ConversationKind, Role},
    frame::NewMessage,
    rest::{EditMessage, NewConversation, NewParticipant},
};
use rusqlite::{Connection, types::Value};

use super::{
    chance::Chance,
    people::Person,
    program::{LIFTED, Program, alone},
};

/// Bits that are flipped, one at a time; `KITH_BITS` is another number.
const BITS: u64 = 200;
/// Every so many of them the server is started on what is left.
const STARTS: u64 = 20;
/// Starts in which a server must have come to run, or to say what is wrong.
const ATTEMPTS: usize = 3;

fn text(words: &str, mentions: &[&Person]) -> NewMessage {
    NewMessage {
        client_id: kith::clock::uuid(),
        text: words.to_owned(),
        mentions: mentions.iter().map(|person| person.id).collect(),
        reply_to: None,
        attachments: Vec::new(),
    }
}

/// Kinds of rows that the directory has at least.
const KINDS: usize = 25;

/// A directory of an older program, which has rows of most kinds, with checksums.
fn older() -> Program {
    let home = tempfile::tempdir().unwrap();
    let data = home.path().join("data");
    fs::create_dir(&data).unwrap();
    let archive = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/data-1.tar.gz");
    assert!(Command::new("tar").arg("-xzf").arg(archive).arg("-C").arg(&data).status().unwrap().success());
    let program = Program::on(home, data, LIFTED);
    program.done(&["upgrade"]);
    program
}

/// The kinds of its rows.
fn kinds(file: &Path) -> BTreeSet<String> {
    let database = Connection::open(file).unwrap();
    let mut select = database.prepare("SELECT key FROM rows").unwrap();
    let keys = select.query_map([], |row| row.get::<_, Vec<u8>>(0)).unwrap().map(Result::unwrap);
    let kind = |key: Vec<u8>| {
        let (partition, key) = key[1..].split_at(usize::from(key[0]));
        let place = format!("{:?}", place(partition, key).unwrap());
        place.split('(').next().unwrap().to_owned()
    };
    keys.map(kind).collect()
}

/// The directory after it was used for a while more, and left as it should be.
async fn used() -> Program {
    let mut program = older();
    program.start();
    let people = Person::several(&program, 4).await;
    let [anna, bela, cora, dora] = &people[..] else { unreachable!("four") };
    for kind in [ConversationKind::Group, ConversationKind::Direct] {
        let id = anna.converse(kind, &[bela]).await;
        for number in 0..40 {
            let (words, by) = ("words of it ".repeat(number * 12 + 1), if number % 3 == 0 { bela } else { anna });
            by.rest.send_message(id, &text(&words, &[anna])).await.unwrap();
        }
        let of = |seq| MessageId { conversation: id, seq };
        bela.rest.react(of(4), "👍").await.unwrap();
        bela.rest.delete(of(2)).await.unwrap();
        anna.rest.edit(of(3), &EditMessage { text: "otherwise".into(), mentions: Vec::new() }).await.unwrap();
    }
    let group = cora.converse(ConversationKind::Group, &[anna, bela]).await;
    cora.rest.add_participant(group, &NewParticipant { user: dora.id, role: None }).await.unwrap();
    cora.rest.change_role(group, dora.id, Role::Admin).await.unwrap();
    dora.rest.remove_participant(group, bela.id).await.unwrap();
    dora.rest.block(anna.id).await.unwrap();
    program.done(&["invite"]);
    assert!(program.end().success());
    program.verify(program.data());
    program
}

/// All that the database says, but for what only says where it is remembered and checksums; nothing where it cannot be read.
fn dump(file: &Path) -> Option<Vec<Vec<Value>>> {
    let database = Connection::open(file).ok()?;
    let mut said = Vec::new();
    let mut ask = |sql: &str, columns: usize| -> rusqlite::Result<()> {
        let mut select = database.prepare(sql)?;
        let mut rows = select.query([])?;
        while let Some(row) = rows.next()? {
            said.push((0..columns).map(|column| row.get(column)).collect::<rusqlite::Result<_>>()?);
        }
        Ok(())
    };
    ask("SELECT id, conv, seq, back, data FROM entries ORDER BY id", 5).ok()?;
    ask("SELECT key, value FROM rows ORDER BY key", 2).ok()?;
    ask("SELECT id, uuid FROM ids NOT INDEXED ORDER BY id", 2).ok()?;
    ask("SELECT conv, seq, entry FROM heads ORDER BY conv", 3).ok()?;
    ask("SELECT conv, seq, entry FROM milestones ORDER BY conv, seq", 3).ok()?;
    Some(said)
}

/// Repairs the directory, if that is possible: what is not left damaged is clean.
fn repaired(dir: &Path, what: &str) {
    let Ok(report) = repair(dir) else { return forget_log(dir) };
    let problems = verify(dir, |_| {}).unwrap().problems;
    assert!(!report.left.is_empty() || problems.is_empty(), "{what}: {report}, and then {problems:?}");
    report.copy.iter().for_each(|copy| fs::remove_file(copy).unwrap());
    forget_log(dir);
}

/// Removes what a process left that has the database changed at the next start.
fn forget_log(dir: &Path) {
    for beside in ["store.db-wal", "store.db-shm"] {
        let _ = fs::remove_file(dir.join(beside));
    }
}

/// Starts the server until it runs, or has said in a line what is wrong.
fn starts_or_says_why(program: &Program, what: &str) {
    for _ in 0..ATTEMPTS {
        let mut child = program.serve().stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        if line.starts_with("kith listens") {
            child.kill().unwrap();
            child.wait().unwrap();
            return;
        }
        let mut told = String::new();
        child.stderr.take().unwrap().read_to_string(&mut told).unwrap();
        let code = child.wait().unwrap().code();
        let last = told.lines().last().unwrap_or_default();
        if code == Some(1) {
            assert!(last.starts_with("kith: "), "{what}: {told}");
            return;
        }
        // It met in the database what it cannot go on with, and the next start says what that is.
        assert_eq!(code, Some(70), "{what}: {told}");
    }
    panic!("{what}: it neither runs nor says why");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bit_that_is_flipped_is_found_and_the_server_starts_or_says_why_not() {
    let _alone = alone().await;
    let mut chance = Chance::new("bits");
    let program = used().await;
    let file = program.data().join("store.db");
    let whole = fs::read(&file).unwrap();
    let kinds = kinds(&file);
    assert!(kinds.len() >= KINDS, "{kinds:?}");
    let (said, pages) = (dump(&file).expect("it is whole"), whole.len() as u64 / 4096);
    let bits = std::env::var("KITH_BITS").map_or(BITS, |bits| bits.parse().expect("KITH_BITS is a number"));
    let mut changed = 0;
    for number in 0..bits {
        let (page, byte, bit) = (chance.within(0, pages), chance.within(0, 4096), chance.within(0, 8));
        let mut bytes = whole.clone();
        bytes[(page * 4096 + byte) as usize] ^= 1 << bit;
        fs::write(&file, &bytes).unwrap();
        let what = format!("bit {bit} of byte {byte} of page {}", page + 1);
        let found = verify(program.data(), |_| {}).map_or(true, |report| !report.is_clean());
        let same = dump(&file).as_ref() == Some(&said);
        assert!(same || found, "{what} changed something, and nothing was found");
        changed += u64::from(!same);
        if found {
            repaired(program.data(), &what);
            fs::write(&file, &bytes).unwrap();
        }
        if number % STARTS == 0 {
            starts_or_says_why(&program, &what);
            forget_log(program.data());
            let _ = fs::remove_file(program.data().join("store.failed"));
        }
    }
    super::program::say(&format!("{changed} of {bits} bits changed what was kept, in {pages} pages; {kinds:?}"));
    assert!(changed > bits / 10, "too few to say anything");
    fs::write(&file, whole).unwrap();
    program.verify(program.data());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_that_the_writer_cannot_use_ends_the_server_once_and_is_named_at_the_next_start() {
    let _alone = alone().await;
    let mut program = Program::started(LIFTED);
    let people = Person::several(&program, 2).await;
    assert!(program.end().success());
    let file = program.data().join("store.db");
    let page: u32 = {
        let database = Connection::open(&file).unwrap();
        let sql = "SELECT rootpage FROM sqlite_master WHERE name = 'heads'";
        database.query_row(sql, [], |row| row.get(0)).unwrap()
    };
    let whole = fs::read(&file).unwrap();
    let mut bytes = whole.clone();
    let start = (page as usize - 1) * 4096;
    bytes[start..start + 8].fill(0xff);
    fs::write(&file, bytes).unwrap();
    program.start();
    let anna = Person { rest: program.rest().with_token(&people[0].token).unwrap(), ..people[0].clone() };
    let members = vec![people[1].id];
    let kind = ConversationKind::Group;
    let new = NewConversation { kind, members, title: None, expire_after_s: None, encryption: None };
    anna.rest.create_conversation(&new).await.unwrap_err();
    assert_eq!(program.ended().code(), Some(70));
    for _ in 0..2 {
        let output = program.serve().output().unwrap();
        let told = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{told}");
        let last = told.lines().last().unwrap();
        assert!(last.starts_with("kith: ") && last.contains("store.db is damaged: heads: Tree "), "{told}");
        assert!(last.contains(&format!("page {page}")) && last.contains("`kith verify`"), "{told}");
    }
    // A mark of which the cause is gone keeps nobody out.
    forget_log(program.data());
    fs::write(&file, whole).unwrap();
    program.start();
    anna.rest.create_conversation(&new).await.unwrap();
    program.kill();
    program.verify(program.data());
}
