//! A backup that becomes a server again: whole or not at all, and with what that brings back to life.

use std::{fs, path::Path, process::Command};

use kith_client::Error;
use kith_protocol::{Code, entry::ConversationKind, frame::NewMessage};

use super::{
    people::Person,
    program::{LIFTED, Program, alone, until},
};

/// Runs a command on a data directory of its own: its exit status, and all that it printed.
fn kith(arguments: &[&str], data: &Path) -> (Option<i32>, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kith"));
    let output = command.args(arguments).arg("--data").arg(data).output().unwrap();
    let [out, error] = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes).into_owned());
    (output.status.code(), out + &error)
}

/// Changes one bit in the middle of a file.
fn damage(file: &Path) {
    let mut bytes = fs::read(file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(file, bytes).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restore_says_what_comes_back_to_life_and_signing_out_answers_it() {
    let _alone = alone().await;
    let mut program = Program::started(LIFTED);
    let people = Person::several(&program, 3).await;
    let group = people[0].converse(ConversationKind::Group, &[&people[1], &people[2]]).await;
    let media = people[0].rest.send_media(vec![3; 5000], "application/octet-stream", None).await.unwrap();
    let message = NewMessage { attachments: vec![media.id], ..kith_client::connection::message("look") };
    people[0].rest.send_message(group, &message).await.unwrap();
    let lost = people[1].another_device(&program).await;
    let copy = program.home().join("copy");
    let copy = copy.to_str().unwrap();
    program.done(&["backup", copy]);
    let rest = program.rest().with_token(&lost).unwrap();
    rest.sign_out().await.unwrap();
    people[0].rest.send_message(group, &kith_client::connection::message("after the backup")).await.unwrap();
    assert_eq!(program.end().code(), Some(0));

    // It is not written over what is there.
    let (status, told) = kith(&["restore", copy], program.data());
    assert!(status == Some(1) && told.contains("is not empty"), "{told}");
    let data = program.home().join("restored");
    let (status, told) = kith(&["restore", copy], &data);
    assert_eq!(status, Some(0), "{told}");
    let command = format!("kith user sign-out --all --data {}", data.display());
    assert!(told.contains(&command) && told.contains("signed in again"), "{told}");
    program.verify(&data);

    let mut restored = Program::on(tempfile::tempdir().unwrap(), data, LIFTED);
    restored.start();
    let signed_in = |token: &str| restored.rest().with_token(token).unwrap();
    assert_eq!(signed_in(&lost).me().await.unwrap().id, people[1].id, "its token came back to life");
    assert_eq!(signed_in(&people[2].token).media(media.id).await.unwrap(), vec![3; 5000]);
    let mut socket = people[1].socket(&restored).await;
    assert_eq!(restored.done(&["user", "sign-out", "user1"]), "2 devices signed out\n");
    until("the socket is closed", async || match socket.receive().await {
        Ok(_) => false,
        Err(Error::Closed(closed)) => closed.code == 4100,
        Err(error) => panic!("{error}"),
    })
    .await;
    assert_eq!(signed_in(&lost).me().await.unwrap_err().code(), Some(Code::Unauthenticated));
    signed_in(&people[0].token).me().await.unwrap();
    assert_eq!(restored.command(&["user", "sign-out", "nobody"]).status.code(), Some(1));
    for wrong in [&["user", "sign-out"][..], &["user", "sign-out", "user0", "--all"]] {
        assert_eq!(restored.command(wrong).status.code(), Some(2));
    }
    assert_eq!(restored.end().code(), Some(0));
    // Where no server runs, too.
    assert_eq!(restored.done(&["user", "sign-out", "--all"]), "2 devices signed out\n");
    restored.start();
    for person in [&people[0], &people[2]] {
        let me = restored.rest().with_token(&person.token).unwrap().me().await;
        assert_eq!(me.unwrap_err().code(), Some(Code::Unauthenticated));
        person.another_device(&restored).await;
    }
    assert_eq!(restored.end().code(), Some(0));
    restored.verify(restored.data());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_damaged_backup_is_told_and_one_bad_byte_costs_no_more_than_it_must() {
    let _alone = alone().await;
    let mut program = Program::started(LIFTED);
    let people = Person::several(&program, 2).await;
    let direct = people[0].converse(ConversationKind::Direct, &[&people[1]]).await;
    let mut shown = Vec::new();
    for byte in 1..=2 {
        let media = people[0].rest.send_media(vec![byte; 5000], "application/octet-stream", None).await.unwrap();
        let message = NewMessage { attachments: vec![media.id], ..kith_client::connection::message("look") };
        people[0].rest.send_message(direct, &message).await.unwrap();
        shown.push(media);
    }
    let copy = program.home().join("copy");
    program.done(&["backup", copy.to_str().unwrap()]);
    assert_eq!(program.end().code(), Some(0));

    let [sound, unsound] = [&shown[0], &shown[1]];
    damage(&copy.join("media").join(&unsound.sha256[..2]).join(&unsound.sha256));
    let data = program.home().join("restored");
    let (status, told) = kith(&["restore", copy.to_str().unwrap()], &data);
    assert!(status == Some(1) && told.contains(&unsound.sha256) && !told.contains(&sound.sha256), "{told}");
    let mut restored = Program::on(tempfile::tempdir().unwrap(), data, LIFTED);
    restored.start();
    let reader = restored.rest().with_token(&people[1].token).unwrap();
    assert_eq!(reader.media(sound.id).await.unwrap(), vec![1; 5000]);
    reader.media(unsound.id).await.unwrap_err();
    assert_eq!(restored.end().code(), Some(0));

    // A list or a database that is not what it was is no backup any more.
    let data = program.home().join("again");
    for (file, begun) in [("store.db", true), ("media.sha256", false)] {
        damage(&copy.join(file));
        let (status, told) = kith(&["restore", copy.to_str().unwrap()], &data);
        assert!(status == Some(1) && told.contains(&format!("{file} is damaged")), "{told}");
        let (status, told) = kith(&["user", "list"], &data);
        assert!(status == Some(1) && (!begun || told.contains("is not whole")), "{told}");
        fs::remove_dir_all(&data).unwrap_or_default();
    }
    fs::write(copy.join("unfinished"), "").unwrap();
    let (status, told) = kith(&["restore", copy.to_str().unwrap()], &data);
    assert!(status == Some(1) && told.contains("is no whole backup") && !data.exists(), "{told}");
    let (status, told) = kith(&["restore", program.data().to_str().unwrap()], &data);
    assert!(status == Some(1) && told.contains("is no backup") && !data.exists(), "{told}");
}
