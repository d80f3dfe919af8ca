//! A disk that is full: sends are refused, what was acknowledged stays, what frees room works, and sending works again when
//! there is some.
//!
//! The disk is a small tmpfs. Without the right to mount one, the check is skipped, and says so.

use std::{fs::File, io::Write as _, path::PathBuf, process::Command};

use kith_protocol::{Body, ClientFrame, Code, ServerFrame, entry::ConversationKind, frame, rest::NewUser};

use super::{
    people::{PASSWORD, Person},
    program::{LIFTED, Program, alone, say, until},
};

const MIB: usize = 1024 * 1024;
/// MiB of the disk.
const DISK_MIB: usize = 48;
/// Bytes of a text, many of which fill a disk.
const TEXT_BYTES: usize = 8 * 1024;

/// A small disk, gone when this is dropped.
struct Disk(PathBuf);

impl Disk {
    fn mount(at: PathBuf) -> Self {
        std::fs::create_dir(&at).unwrap();
        let size = format!("size={DISK_MIB}m,mode=0700");
        let output = Command::new("mount").args(["-t", "tmpfs", "-o", &size, "kith-test"]).arg(&at).output().unwrap();
        let why = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "cannot mount a tmpfs, though this is root: {}", why.trim());
        Self(at)
    }

    /// Writes a file until only `left` bytes have room beside it.
    fn fill(&self, left: usize) {
        let mut ballast = File::create(self.ballast()).unwrap();
        let block = vec![1; 64 * 1024];
        while ballast.write_all(&block).is_ok() {}
        let full = ballast.metadata().unwrap().len();
        ballast.set_len(full.saturating_sub(left as u64)).unwrap();
    }

    fn ballast(&self) -> PathBuf {
        self.0.join("ballast")
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let done = Command::new("umount").arg("--lazy").arg(&self.0).status();
        if !done.is_ok_and(|status| status.success()) {
            say(&format!("{} is still mounted", self.0.display()));
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_refuses_and_loses_nothing() {
    let _alone = alone().await;
    if !rustix::process::geteuid().is_root() {
        return say("SKIPPED disk_full: cannot mount tmpfs");
    }
    let home = tempfile::tempdir().unwrap();
    // Dropped after the program, whatever happens.
    let disk = Disk::mount(home.path().join("disk"));
    let mut program = Program::on(tempfile::tempdir().unwrap(), disk.0.join("data"), LIFTED);
    program.start();
    let people = Person::several(&program, 2).await;
    let conversation = people[0].converse(ConversationKind::Direct, &[&people[1]]).await;
    let rest = &people[0].rest;

    // Filled up to the brim with messages, of which each is acknowledged or refused.
    disk.fill(2 * 1024 * 1024);
    let (mut kept, mut refused) = (Vec::new(), Vec::new());
    while refused.len() < 20 {
        let message = kith_client::connection::message("m".repeat(TEXT_BYTES));
        match rest.send_message(conversation, &message).await {
            Ok(entry) => kept.push((entry.seq, message.client_id)),
            Err(error) => {
                assert_eq!(error.code(), Some(Code::StorageFull), "{error}");
                refused.push(message);
            }
        }
        assert!(kept.len() < DISK_MIB * 1024 * 1024 / TEXT_BYTES, "it takes more than there is room for");
    }
    assert!(!kept.is_empty(), "it took nothing");
    // It says so, though smaller things may still have room.
    let (status, why) = program.probe("/readyz").await;
    assert!(status == 503 && why.contains("full"), "{status} {why}");

    // A socket is told the same, and stays.
    let mut socket = people[0].socket(&program).await;
    let message = kith_client::connection::message("m".repeat(TEXT_BYTES));
    socket.send(&ClientFrame::Send(frame::Send { conversation, message: message.clone() })).await.unwrap();
    loop {
        match socket.receive().await.unwrap() {
            ServerFrame::Error(error) => {
                assert_eq!((error.code, error.client_id), (Code::StorageFull, Some(message.client_id)));
                break;
            }
            ServerFrame::Sent(sent) => panic!("there was room for {sent:?}"),
            _ => {}
        }
    }
    refused.push(message);

    // What was acknowledged is read, and the server knows how it is.
    check(&people[1], conversation, &kept).await;
    assert_eq!(program.probe("/healthz").await.0, 200);
    assert!(program.lives());
    // A backup has no room for its copy, and leaves nothing.
    let copy = program.home().join("copy");
    let backup = ["backup", copy.to_str().unwrap()];
    let made = program.command(&backup);
    let why = String::from_utf8_lossy(&made.stderr);
    assert!(made.status.code() == Some(1) && (why.contains("are needed in") || why.contains("full")), "{why}");
    assert!(!program.data().join("store.db.copy").exists());

    // There is room again.
    std::fs::remove_file(disk.ballast()).unwrap();
    until("a backup has room", async || program.command(&backup).status.success()).await;
    program.verify(&copy);
    for message in &refused {
        until("there is room again", async || match rest.send_message(conversation, message).await {
            Ok(entry) => {
                kept.push((entry.seq, message.client_id));
                true
            }
            Err(error) => {
                assert_eq!(error.code(), Some(Code::StorageFull), "{error}");
                false
            }
        })
        .await;
    }
    assert_eq!(program.probe("/readyz").await.0, 200);
    check(&people[1], conversation, &kept).await;
    say(&format!("disk_full: {} kept, {} refused and kept later", kept.len() - refused.len(), refused.len()));

    // The plug is pulled on a disk that is full to its last byte, and it starts again when there is room.
    disk.fill(0);
    let message = kith_client::connection::message("m".repeat(TEXT_BYTES));
    while let Ok(entry) =
        rest.send_message(conversation, &kith_client::connection::message("m".repeat(TEXT_BYTES))).await
    {
        kept.push((entry.seq, entry.client_id.unwrap()));
    }
    program.kill();
    std::fs::remove_file(disk.ballast()).unwrap();
    program.start();
    kept.push((rest.send_message(conversation, &message).await.unwrap().seq, message.client_id));
    check(&people[1], conversation, &kept).await;
    drop(socket);
    assert_eq!(program.end().code(), Some(0));
    program.verify(program.data());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disk_that_others_have_filled_lets_room_be_made() {
    let _alone = alone().await;
    if !rustix::process::geteuid().is_root() {
        return say("SKIPPED disk_full: cannot mount tmpfs");
    }
    let home = tempfile::tempdir().unwrap();
    let disk = Disk::mount(home.path().join("disk"));
    // So that texts keep 3 MiB free, a sixteenth of the disk, and the ballast holds a quarter of that.
    let config = LIFTED.replace("min_free_bytes = 0", &format!("min_free_bytes = {}", 16 * MIB));
    let mut program = Program::on(tempfile::tempdir().unwrap(), disk.0.join("data"), &config);
    program.start();
    let people = Person::several(&program, 3).await;
    let conversation = people[0].converse(ConversationKind::Direct, &[&people[1]]).await;
    let rest = &people[0].rest;
    let say = async |text: &str| rest.send_message(conversation, &kith_client::connection::message(text)).await;
    let entries = [say("one").await.unwrap(), say("two").await.unwrap(), say("three").await.unwrap()];
    let held = || std::fs::metadata(program.data().join("ballast")).map_or(0, |file| file.len());
    assert_eq!(held(), DISK_MIB as u64 * MIB as u64 / 16 / 4);

    // Little is free: media are refused, and it says so; texts are not.
    disk.fill(8 * MIB);
    until("media are refused", async || rest.send_media("x", "text/plain", None).await.is_err()).await;
    let refused = rest.send_media("x", "text/plain", None).await.unwrap_err();
    assert_eq!(refused.code(), Some(Code::StorageFull));
    let (status, body) = program.probe("/readyz").await;
    assert!(status == 200 && body.starts_with("ok\nmedia are refused: "), "{status} {body}");
    say("four").await.unwrap();

    // Less is free: texts are refused, and accounts; what takes away is not.
    disk.fill(2 * MIB);
    until("texts are refused", async || say("five").await.is_err()).await;
    assert_eq!(say("five").await.unwrap_err().code(), Some(Code::StorageFull));
    let (status, body) = program.probe("/readyz").await;
    assert!(status == 503 && body.starts_with("messages are refused: "), "{status} {body}");
    let new = NewUser {
        username: "late".to_owned(),
        password: PASSWORD.to_owned(),
        display_name: None,
        invite: None,
        device: None,
    };
    let late = program.rest().sign_up(&new).await.err();
    assert_eq!(late.and_then(|error| error.code()), Some(Code::StorageFull));
    rest.delete(entries[0].id).await.unwrap();

    // Nothing is free at all: the ballast goes, and so what has to work does.
    disk.fill(0);
    until("the ballast is freed", async || held() == 0).await;
    rest.delete(entries[1].id).await.unwrap();
    people[1].another_device(&program).await;
    program.done(&["user", "remove", &people[2].name]);
    assert!(people[1].log(conversation).await.len() >= 7, "it can be read");

    // There is room again, and the ballast with it.
    std::fs::remove_file(disk.ballast()).unwrap();
    until("texts are taken", async || say("six").await.is_ok()).await;
    until("media are taken", async || rest.send_media("x", "text/plain", None).await.is_ok()).await;
    until("the ballast is back", async || held() > 0).await;
    assert_eq!(program.probe("/readyz").await, (200, "ok\n".to_owned()));

    // Where no server runs, the commands free it.
    assert_eq!(program.end().code(), Some(0));
    disk.fill(0);
    program.done(&["user", "remove", &people[1].name]);
    std::fs::remove_file(disk.ballast()).unwrap();
    program.start();
    assert_eq!(say("seven").await.unwrap_err().code(), Some(Code::UserGone));
    assert_eq!(program.end().code(), Some(0));
    program.verify(program.data());
}

/// Somebody reads all that was acknowledged, each at its place, and nothing else.
async fn check(reader: &Person, conversation: kith_protocol::ConversationId, kept: &[(u64, kith_protocol::Uuid)]) {
    let log = reader.log(conversation).await;
    let mut messages: Vec<_> = log
        .iter()
        .filter(|entry| matches!(&entry.body, Body::Message(body) if body.text.len() == TEXT_BYTES))
        .map(|entry| (entry.seq, entry.client_id.unwrap()))
        .collect();
    let mut kept = kept.to_vec();
    messages.sort();
    kept.sort();
    assert_eq!(messages, kept);
    assert_eq!(log.last().map(|entry| entry.seq), Some(log.len() as u64));
}
