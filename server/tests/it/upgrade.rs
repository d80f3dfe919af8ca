//! A data directory that an older program wrote: it is upgraded, and everything in it is there.
//!
//! `server/tests/fixtures/make.mjs` says what is in it and how it was made.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use kith_client::{
    Rest,
    rest::{Paging, Place, Search},
};
use kith_protocol::{
    Body, Message,
    entry::{ConversationKind, Role, Writers},
    rest::{Audience, ConversationItem, NewSession},
};

use super::world::{MOMENT, PASSWORD, SOON, World, words};

/// A copy of the directory.
fn fixture(to: &Path) -> PathBuf {
    let archive = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/data-1.tar.gz");
    let dir = to.join("data");
    fs::create_dir(&dir).unwrap();
    let unpacked = Command::new("tar").arg("-xzf").arg(archive).arg("-C").arg(&dir).status().unwrap();
    assert!(unpacked.success());
    dir
}

/// Runs the program itself on the directory: its exit code, and what it printed.
fn kith(dir: &Path, arguments: &[&str]) -> (i32, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_kith")).args(arguments).arg("--data").arg(dir).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap().trim_end().to_owned();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

#[test]
fn a_backup_of_an_older_version_is_restored_and_upgraded() {
    let home = tempfile::tempdir().unwrap();
    let backup = fixture(home.path());
    // As this program writes it, of data that are older.
    let sum = |of: &str| {
        let command = format!("LC_ALL=C; export LC_ALL; sha256sum $({of})");
        let output = Command::new("sh").args(["-c", &command]).current_dir(&backup).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    fs::write(backup.join("media.sha256"), sum("find media -type f | sort")).unwrap();
    let summed = |file: &str| {
        let bytes = fs::metadata(backup.join(file)).unwrap().len();
        let sha256 = sum(&format!("echo {file}"))[..64].to_owned();
        serde_json::json!({ "bytes": bytes, "sha256": sha256 })
    };
    let mut manifest = serde_json::json!({
        "version": 1, "program": "0.1.0", "data_version": 1, "at": "2026-01-02T03:04:05.678Z",
        "database": summed("store.db"), "media_list": summed("media.sha256"), "media": 2, "media_bytes": 2,
    });
    let write = |manifest: &serde_json::Value| fs::write(backup.join("manifest.json"), manifest.to_string()).unwrap();
    write(&manifest);
    let data = home.path().join("restored");
    let (code, told, line) = kith(&data, &["restore", backup.to_str().unwrap()]);
    assert_eq!(code, 0, "{line}");
    assert!(told.contains("as of 2026-01-02T03:04:05.678Z"), "{told}");
    assert_eq!(kith(&data, &["upgrade"]).0, 0);
    assert!(kith(&data, &["verify"]).1.ends_with("all is well"));

    manifest["data_version"] = 9999.into();
    write(&manifest);
    let (code, _, line) = kith(&home.path().join("newer"), &["restore", backup.to_str().unwrap()]);
    assert!(code == 1 && line.contains("by a newer version of kith"), "{line}");
}

#[test]
fn the_operator_sees_what_an_upgrade_would_do_and_does_it() {
    let home = tempfile::tempdir().unwrap();
    let dir = fixture(home.path());
    let before = fs::read(dir.join("store.db")).unwrap();
    let shown = dir.display();
    let (code, told, line) = kith(&dir, &["upgrade", "--check"]);
    assert_eq!(code, 3);
    assert!(told.starts_with(&format!("{shown} is of data version 1\nto version 2: ")), "{told}");
    assert_eq!(line, format!("kith: {shown} is upgraded by `kith upgrade` or by the next start"));
    let told = kith(&dir, &["verify"]).1;
    assert!(told.ends_with("from before there were checksums): all is well"), "what is older can be looked at: {told}");
    assert_eq!(fs::read(dir.join("store.db")).unwrap(), before, "it was changed");

    let (code, told, line) = kith(&dir, &["upgrade"]);
    assert_eq!((code, line.as_str()), (0, ""));
    assert!(told.starts_with(&format!("{shown} was of data version 1\nto version 2: ")), "{told}");
    assert!(told.ends_with("entries and rows of before were given checksums"), "{told}");
    for arguments in [&["upgrade", "--check"][..], &["upgrade"]] {
        let (code, told, _) = kith(&dir, arguments);
        assert_eq!(code, 0);
        assert!(told.ends_with(": nothing is to be done"), "{told}");
    }
    let told = kith(&dir, &["verify"]).1;
    assert!(told.ends_with("all is well") && !told.contains("before there were checksums"), "{told}");

    // What goes with time is looked for where no server would see to it.
    for (what, rows) in [
        ("pushes", &["Subscription(", "Pending("][..]),
        ("uploads", &["UploadDue("]),
        ("expiring", &["Expiring("]),
        ("invites", &["Invite: "]),
        ("@anna", &["Device(", "Blocked(", "Contact(", "Replay(", "UserInvite(", "Upload(", "Uploaded("]),
        ("@bert", &["Mention("]),
    ] {
        let (_, told, _) = kith(&dir, &["inspect", what]);
        rows.iter().for_each(|row| assert!(told.lines().any(|line| line.starts_with(row)), "{row} in {told}"));
    }
    let parts: Vec<_> = fs::read_dir(dir.join("uploads")).unwrap().map(|file| file.unwrap().path()).collect();
    assert_eq!(parts.len(), 1);
    assert_eq!(fs::read_to_string(&parts[0]).unwrap(), "the first half of it");
}

#[test]
fn an_upgrade_says_in_a_line_what_is_in_its_way() {
    let home = tempfile::tempdir().unwrap();
    let none = home.path().join("none");
    for arguments in [&["upgrade", "--check"][..], &["upgrade"]] {
        let (code, _, line) = kith(&none, arguments);
        assert_eq!((code, line), (1, format!("kith: {} holds no data of kith", none.display())));
    }
    assert!(!none.exists());
    let dir = fixture(home.path());
    let store = kith::store::sqlite::Sqlite::open(&dir).unwrap();
    let (code, _, line) = kith(&dir, &["upgrade"]);
    assert_eq!((code, line), (1, format!("kith: {} is in use by another process", dir.display())));
    assert_eq!(kith(&dir, &["upgrade", "--check"]).0, 0, "looking is possible beside a server");
    drop(store);
}

async fn sign_in(world: &World, username: &str) -> Rest {
    let session =
        NewSession { username: username.into(), password: PASSWORD.into(), device: None, device_secret: None };
    let signed_in = world.guest().sign_in(&session).await.expect("a sign-in");
    world.guest().with_token(&signed_in.token).expect("a token")
}

async fn list(rest: &Rest) -> Vec<ConversationItem> {
    rest.conversations(&Paging::default()).await.expect("a list").items
}

fn titled<'a>(list: &'a [ConversationItem], title: &str) -> &'a ConversationItem {
    list.iter().find(|item| item.title.as_deref() == Some(title)).expect("a conversation")
}

async fn history(rest: &Rest, item: &ConversationItem) -> Vec<Message> {
    rest.messages(item.head.id, Place::End, Some(200)).await.expect("a history").items
}

fn saying<'a>(history: &'a [Message], text: &str) -> &'a Message {
    history.iter().find(|message| words(&message.entry) == text).unwrap_or_else(|| panic!("{text} is not there"))
}

#[tokio::test]
async fn everything_that_an_older_program_kept_is_read() {
    let home = tempfile::tempdir().unwrap();
    let dir = fixture(home.path());
    let mut world = World::with(|config| config.data_dir = dir.clone()).await;
    let [anna, bert, carla] =
        [sign_in(&world, "anna").await, sign_in(&world, "bert").await, sign_in(&world, "carla").await];
    accounts(&anna).await;
    direct(&anna, &bert).await;
    group(&anna, &bert, &carla).await;

    let channel = anna.channels("news", &Paging::default()).await.unwrap().items.remove(0);
    let channel = bert.conversation(channel.id).await.unwrap();
    assert_eq!((channel.writers, channel.topic.as_deref()), (Writers::Admins, Some("of the house")));
    let lists = list(&carla).await;
    let brief = titled(&lists, "For a year");
    let messages = history(&carla, brief).await;
    let message = messages.last().expect("a message");
    let over = message.entry.at.plus(Duration::from_secs(365 * 24 * 3600)) <= kith::clock::now();
    assert!(words(&message.entry) == "This will disappear" || over, "{message:?}");

    // Whatever is kept can be changed, which writes it in its newest form, and read again.
    let hello = super::world::text("Hello from a newer program");
    anna.send_message(channel.id, &hello).await.unwrap();
    anna.read(message_id(&anna, "Holidays", "The sea").await).await.unwrap();
    world.stop().await;
    let report = kith::operator::verify::verify(&dir, |_| {}).unwrap();
    assert!(report.is_clean(), "{report}");
}

async fn message_id(rest: &Rest, title: &str, text: &str) -> kith_protocol::MessageId {
    let lists = list(rest).await;
    saying(&history(rest, titled(&lists, title)).await, text).entry.id
}

async fn accounts(anna: &Rest) {
    let me = anna.me().await.unwrap();
    let says = (me.display_name.as_str(), me.about.as_deref(), me.email.as_deref());
    assert_eq!(says, ("Anna A.", Some("in the garden"), Some("anna@example.org")));
    let privacy = me.privacy.unwrap();
    assert_eq!((privacy.last_seen, privacy.read_receipts), (Audience::Nobody, false));
    let avatar = anna.media(me.avatar.unwrap().parse().unwrap()).await.unwrap();
    assert!(avatar.starts_with(b"\x89PNG"));
    let blocked = anna.blocked(&Paging::default()).await.unwrap().items;
    assert_eq!(blocked.len(), 1);
    assert_eq!(blocked[0].username.as_deref(), Some("dora"));
    let devices = anna.devices().await.unwrap().items;
    let mut names: Vec<&str> = devices.iter().map(|device| device.name.as_str()).collect();
    names.sort_unstable();
    assert!(names.ends_with(&["anna's phone", "desk"]), "{names:?}");
}

async fn direct(anna: &Rest, bert: &Rest) {
    let me = bert.me().await.unwrap().id;
    let lists = list(anna).await;
    let direct = lists.iter().find(|item| item.kind == ConversationKind::Direct).unwrap();
    assert_eq!(direct.peer_user, Some(me));
    let messages = history(anna, direct).await;
    let question = saying(&messages, "Hello Bert, can you read this?");
    let reactions: Vec<&str> = question.reactions.iter().map(|reaction| reaction.emoji.as_str()).collect();
    assert_eq!(reactions.len(), 2, "{reactions:?}");
    assert!(reactions.contains(&"👍"));
    let answer = saying(&messages, "Loud and clear.");
    let Body::Message(body) = &answer.entry.body else { panic!("{answer:?}") };
    assert_eq!((answer.entry.sender, body.reply_to), (me, Some(question.entry.seq)));
    assert!(saying(&messages, "Good.").edited_at.is_some());
    assert!(messages.iter().any(|message| message.deleted));
    assert!(!messages.iter().any(|message| words(&message.entry) == "Forget this."));
    // The entries themselves, one of each kind that there was.
    let log = anna.log(direct.head.id, Place::After(0), Some(200)).await.unwrap();
    assert_eq!(log.items.len() as u64, log.head);
    assert!(log.items.iter().all(|entry| !matches!(entry.body, Body::Unknown)));
}

async fn group(anna: &Rest, bert: &Rest, carla: &Rest) {
    let lists = list(carla).await;
    let group = titled(&lists, "Holidays");
    assert!(group.pinned && group.muted_until.is_some());
    let id = group.head.id;
    assert_eq!(bert.conversation(id).await.unwrap().role, Role::Admin);
    let messages = history(carla, group).await;
    for number in 1..=70 {
        saying(&messages, &format!("Idea number {number}"));
    }
    let emil = saying(&messages, "Yours, Emil").entry.sender;
    assert!(anna.user(emil).await.unwrap().deleted);
    let asked = saying(&messages, "What does @bert say?");
    let mentions = bert.mentions(&Paging::default()).await.unwrap().items;
    assert!(mentions.iter().any(|mention| mention.entry.id == asked.entry.id));
    let attached = |message: &Message| match &message.entry.body {
        Body::Message(body) => body.attachments[0].clone(),
        _ => panic!("{message:?}"),
    };
    let picture = attached(saying(&messages, "The sea"));
    assert_eq!((picture.width, picture.height, picture.thumbnail), (Some(2), Some(2), true));
    bert.media(picture.id).await.unwrap();
    bert.thumbnail(picture.id).await.unwrap();
    let is_note = |message: &&Message| match &message.entry.body {
        Body::Message(body) => body.text.is_empty() && !body.attachments.is_empty(),
        _ => false,
    };
    let note = messages.iter().find(is_note).expect("the list");
    assert_eq!(bert.media(attached(note).id).await.unwrap(), "a list of what to take along");
    let search = Search { words: "lift".into(), ..Search::default() };
    // A search answers with what is indexed so far.
    let until = std::time::Instant::now() + SOON;
    while bert.search(&search, &Paging::default()).await.unwrap().items.is_empty() {
        assert!(std::time::Instant::now() < until, "what was said is not found");
        tokio::time::sleep(MOMENT).await;
    }
}
