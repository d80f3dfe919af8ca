//! A disk that is full: sends are refused, what was acknowledged stays, and sending works again when there is room.
//!
//! The disk is a small tmpfs. Without the right to mount one, the check is skipped, and says so.

use std::{fs::File, io::Write, path::PathBuf, process::Command};

use kith_protocol::{Body, ClientFrame, Code, ServerFrame, entry::ConversationKind, frame};

use super::{
    people::Person,
    program::{LIFTED, Program, alone, say, until},
};

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
                assert_eq!(error.code(), Some(Code::Unavailable), "{error}");
                refused.push(message);
            }
        }
        assert!(kept.len() < DISK_MIB * 1024 * 1024 / TEXT_BYTES, "it takes more than there is room for");
    }
    assert!(!kept.is_empty(), "it took nothing");

    // A socket is told the same, and stays.
    let mut socket = people[0].socket(&program).await;
    let message = kith_client::connection::message("m".repeat(TEXT_BYTES));
    socket.send(&ClientFrame::Send(frame::Send { conversation, message: message.clone() })).await.unwrap();
    loop {
        match socket.receive().await.unwrap() {
            ServerFrame::Error(error) => {
                assert_eq!((error.code, error.client_id), (Code::Unavailable, Some(message.client_id)));
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

    // There is room again.
    std::fs::remove_file(disk.ballast()).unwrap();
    for message in &refused {
        until("there is room again", async || match rest.send_message(conversation, message).await {
            Ok(entry) => {
                kept.push((entry.seq, message.client_id));
                true
            }
            Err(error) => {
                assert_eq!(error.code(), Some(Code::Unavailable), "{error}");
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
