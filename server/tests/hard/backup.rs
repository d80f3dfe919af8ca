//! Backups as an operator makes them: out of a server that may write to its data directory alone, of much that did not
//! change since the last one, and interrupted.

use std::{
    fs,
    os::unix::{fs::MetadataExt as _, process::ExitStatusExt as _},
    path::{Path, PathBuf},
    process::Command,
};

use kith_protocol::{ConversationId, MediaId, entry::ConversationKind, frame::NewMessage};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::UnixStream,
};

use super::{
    people::Person,
    program::{LIFTED, Program, alone, say, until},
};

/// Leaves the data directory as the only place that can be written to, as `ProtectSystem=strict` and `PrivateTmp` do.
/// `$1` is the data directory, `$2` a place outside it; the command follows.
const CONFINED: &str = r#"
    set -e
    mount --make-rprivate /
    mount --bind "$1" "$1"
    mount -o remount,bind,ro /
    outside=$2
    if touch "$outside/probe" 2>/dev/null; then echo "the place outside can be written to" >&2; exit 70; fi
    touch "$1/probe"; rm "$1/probe"
    shift 2
    exec "$@"
"#;

/// Returns true if this machine lets the test confine a process.
fn can_confine() -> bool {
    let tried = Command::new("unshare").args(["-rm", "sh", "-c", "mount --make-rprivate /"]).output();
    tried.is_ok_and(|output| output.status.success())
}

/// Shows bytes in a conversation.
async fn show(person: &Person, conversation: ConversationId, bytes: Vec<u8>) -> MediaId {
    let media = person.rest.send_media(bytes, "application/octet-stream", None).await.unwrap();
    let message = NewMessage { attachments: vec![media.id], ..kith_client::connection::message("look") };
    person.rest.send_message(conversation, &message).await.unwrap();
    media.id
}

/// The files of media below a folder, by their names.
fn media_files(backup: &Path) -> Vec<PathBuf> {
    let folders = fs::read_dir(backup.join("media")).unwrap().map(|folder| folder.unwrap().path());
    let mut files: Vec<PathBuf> =
        folders.flat_map(|folder| fs::read_dir(folder).unwrap().map(|file| file.unwrap().path())).collect();
    files.sort();
    files
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_can_write_to_its_data_alone_is_backed_up_to_where_the_command_stands() {
    let _alone = alone().await;
    if !can_confine() {
        return say("SKIPPED backup of a confined server: unshare is refused here");
    }
    let mut program = Program::new(LIFTED);
    fs::create_dir(program.data()).unwrap();
    let home = program.home().to_owned();
    let mut confined: Vec<String> = ["unshare", "-rm", "sh", "-c", CONFINED, "confined"].map(str::to_owned).into();
    confined.extend([program.data(), &home].map(|path| path.to_str().unwrap().to_owned()));
    program.confine(confined);
    program.start();
    let people = Person::several(&program, 2).await;
    let conversation = people[0].converse(ConversationKind::Direct, &[&people[1]]).await;
    let shown = show(&people[0], conversation, vec![7; 300_000]).await;
    // To a name as a person types it.
    let made = Command::new(env!("CARGO_BIN_EXE_kith"))
        .args(["backup", "copy", "--data"])
        .arg(program.data())
        .current_dir(&home)
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let copy = home.join("copy");
    program.verify(&copy);
    assert_eq!(media_files(&copy).len(), 1);
    let mode = |path: &Path| fs::metadata(path).unwrap().mode() & 0o777;
    assert_eq!((mode(&copy), mode(&copy.join("store.db"))), (0o700, 0o600));
    assert_eq!(people[1].rest.media(shown).await.unwrap(), vec![7; 300_000]);
    assert_eq!(program.end().code(), Some(0));
}

/// A folder's path as an argument.
fn word(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_later_backup_links_what_did_not_change_and_hands_no_damage_on() {
    let _alone = alone().await;
    let mut program = Program::started(LIFTED);
    let people = Person::several(&program, 2).await;
    let conversation = people[0].converse(ConversationKind::Direct, &[&people[1]]).await;
    for byte in 1..=3 {
        show(&people[0], conversation, vec![byte; 100_000]).await;
    }
    let [first, second] = ["first", "second"].map(|name| program.home().join(name));
    assert!(program.done(&["backup", word(&first)]).ends_with("3 media (0 were there)\n"));
    // What is in it can be checked without kith.
    let check = |backup: &Path| {
        Command::new("sha256sum").args(["--check", "--quiet", "media.sha256"]).current_dir(backup).status().unwrap()
    };
    assert!(check(&first).success());
    let damaged = media_files(&first).remove(0);
    let mut bytes = fs::read(&damaged).unwrap();
    bytes[77] ^= 1;
    fs::write(&damaged, bytes).unwrap();
    assert!(!check(&first).success());

    show(&people[0], conversation, vec![4; 100_000]).await;
    let made = program.done(&["backup", word(&second), "--since", word(&first)]);
    assert!(made.ends_with("4 media (2 were there)\n"), "{made}");
    assert!(check(&second).success());
    program.verify(&second);
    let links =
        |backup: &Path| media_files(backup).iter().filter(|file| fs::metadata(file).unwrap().nlink() == 2).count();
    assert_eq!((links(&first), links(&second)), (2, 2));
    // What is no backup is none to build on, and what is there is not written over.
    let none = program.command(&["backup", word(&program.home().join("third")), "--since", word(program.data())]);
    assert_eq!(none.status.code(), Some(1));
    assert!(!program.home().join("third").exists());
    let again = program.command(&["backup", word(&second)]);
    assert!(String::from_utf8_lossy(&again.stderr).contains("is not empty"));
    assert_eq!(program.end().code(), Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_that_was_interrupted_is_none_and_goes_on() {
    let _alone = alone().await;
    let mut program = Program::started(LIFTED);
    let people = Person::several(&program, 2).await;
    let conversation = people[0].converse(ConversationKind::Direct, &[&people[1]]).await;
    for byte in 1..=4 {
        show(&people[0], conversation, vec![byte; 1000]).await;
    }
    show(&people[0], conversation, vec![9; 6_000_000]).await;
    let copy = program.home().join("copy");
    // The kernel kills the command when it writes the third million of a file.
    let killed = Command::new("sh")
        .args(["-c", "ulimit -f 4000; exec \"$@\"", "limited", env!("CARGO_BIN_EXE_kith"), "backup", word(&copy)])
        .args(["--data", word(program.data())])
        .output()
        .unwrap();
    assert_eq!(killed.status.signal(), Some(25), "{}", String::from_utf8_lossy(&killed.stderr));
    assert!(program.lives());
    for arguments in [&["serve"][..], &["user", "list"]] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_kith"));
        let refused = command.args(arguments).args(["--data", word(&copy)]).output().unwrap();
        assert_eq!(refused.status.code(), Some(1));
        assert!(String::from_utf8_lossy(&refused.stderr).contains("is not whole"));
    }
    let made = program.done(&["backup", word(&copy)]);
    assert!(made.contains("5 media (") && !made.contains("(0 were there)"), "{made}");
    program.verify(&copy);
    assert_eq!(program.end().code(), Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_damaged_on_the_server_is_told_and_all_else_is_backed_up() {
    let _alone = alone().await;
    let mut program = Program::started(LIFTED);
    let people = Person::several(&program, 2).await;
    let conversation = people[0].converse(ConversationKind::Direct, &[&people[1]]).await;
    for byte in 1..=3 {
        show(&people[0], conversation, vec![byte; 100_000]).await;
    }
    let [damaged, short, _] = &media_files(program.data())[..] else { panic!("there are three") };
    let mut bytes = fs::read(damaged).unwrap();
    bytes[5] ^= 1;
    fs::write(damaged, bytes).unwrap();
    fs::write(short, "a part").unwrap();
    let copy = program.home().join("copy");
    let made = program.command(&["backup", word(&copy)]);
    let told = String::from_utf8_lossy(&made.stderr);
    assert_eq!(made.status.code(), Some(1), "{told}");
    let name = |file: &Path| file.file_name().unwrap().to_str().unwrap().to_owned();
    assert!(told.contains("but for 2 media") && told.contains(&name(damaged)) && told.contains(&name(short)), "{told}");
    // It is a backup nevertheless.
    assert!(copy.join("manifest.json").exists() && !copy.join("unfinished").exists());
    let restored = program.home().join("restored");
    let kith = |arguments: &[&str]| Command::new(env!("CARGO_BIN_EXE_kith")).args(arguments).output().unwrap();
    assert!(kith(&["restore", word(&copy), "--data", word(&restored)]).status.success());
    let verified = String::from_utf8(kith(&["verify", word(&restored)]).stdout).unwrap();
    assert!(verified.ends_with(": 2 problems\n"), "{verified}");
    assert_eq!(program.end().code(), Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_removed_during_a_backup_goes_when_that_has_ended() {
    let _alone = alone().await;
    let mut program = Program::started(LIFTED);
    let people = Person::several(&program, 2).await;
    let conversation = people[0].converse(ConversationKind::Direct, &[&people[1]]).await;
    show(&people[0], conversation, vec![1; 1000]).await;
    // A command that has begun, and that does not go on.
    let mut command = UnixStream::connect(program.data().join("operator.sock")).await.unwrap();
    command.write_all(b"GET /backup HTTP/1.1\r\nhost: operator\r\n\r\n").await.unwrap();
    let mut head = Vec::new();
    while !head.windows(14).any(|window| window == b"\"database_byte") {
        assert_ne!(command.read_buf(&mut head).await.unwrap(), 0, "{}", String::from_utf8_lossy(&head));
    }
    let copy = program.home().join("copy");
    let second = program.command(&["backup", word(&copy)]);
    assert_eq!(second.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&second.stderr).contains("another backup is under way"));
    program.done(&["user", "remove", "user0"]);
    assert_eq!(media_files(program.data()).len(), 1, "it was removed under the backup");
    drop(command);
    until("it is removed", async || media_files(program.data()).is_empty()).await;
    program.done(&["backup", word(&copy)]);
    program.verify(&copy);
    let names = fs::read_dir(program.data()).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap());
    assert!(!names.into_iter().any(|name| name.contains("copy")), "the server's copy is left");
    // A server that ends does not wait for who takes nothing.
    let mut command = UnixStream::connect(program.data().join("operator.sock")).await.unwrap();
    command.write_all(b"GET /backup HTTP/1.1\r\nhost: operator\r\n\r\n").await.unwrap();
    command.read_u8().await.unwrap();
    assert_eq!(program.end().code(), Some(0));
    assert!(program.log().contains("a backup ends, since the server does"));
    assert!(!program.log().contains("was not released in time"));
}
