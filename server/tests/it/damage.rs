//! Damage on the disk is never served as true, is named, and is repaired where nothing has to be invented for that.

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path, process::Command};

use kith_client::rest::Place;
use kith_protocol::{
    Body, Code, ConversationId, UserId,
    entry::{Redacted, RedactedKind, Role},
    rest::{EditMessage, NewParticipant},
};

use crate::world::{Person, World, code, words};

/// Changes what follows the only place where the database holds `marker`, at `offset` from its end.
fn damage(dir: &Path, marker: &[u8], offset: isize, change: impl Fn(&mut [u8])) {
    let file = dir.join("store.db");
    let mut bytes = fs::read(&file).unwrap();
    let at: Vec<usize> =
        bytes.windows(marker.len()).enumerate().filter(|(_, part)| *part == marker).map(|(at, _)| at).collect();
    assert_eq!(at.len(), 1, "it is there once");
    change(&mut bytes[(at[0] + marker.len()).saturating_add_signed(offset)..]);
    fs::write(&file, bytes).unwrap();
}

/// Flips a bit.
fn flip(bytes: &mut [u8]) {
    bytes[0] ^= 1;
}

/// Makes four bytes others, whatever they were.
fn garble(bytes: &mut [u8]) {
    bytes[..4].iter_mut().for_each(|byte| *byte ^= 0x5a);
}

/// The key of a member's row, in front of its value.
fn member(group: ConversationId, user: UserId) -> Vec<u8> {
    [&b"c"[..], &group.bytes(), &[1], &user.bytes()].concat()
}

/// Runs the program itself on the directory: its exit code, and what it printed.
fn kith(dir: &Path, arguments: &[&str]) -> (i32, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_kith")).args(arguments).arg("--data").arg(dir).output().unwrap();
    (output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap())
}

/// Repairs the directory, with a look before: what was printed. All is well then.
fn repaired(dir: &Path) -> String {
    let before = fs::read(dir.join("store.db")).unwrap();
    let (code, looked) = kith(dir, &["repair", "--dry-run"]);
    assert_eq!(code, 3, "{looked}");
    assert_eq!(fs::read(dir.join("store.db")).unwrap(), before, "a look changed something");
    let (code, made) = kith(dir, &["repair"]);
    assert_eq!(code, 0, "{made}");
    assert_eq!(looked.lines().next(), made.lines().next());
    assert_eq!(kith(dir, &["repair", "--dry-run"]), (0, "0 to be repaired, 0 beyond repair\n".to_owned()));
    let (code, told) = kith(dir, &["verify"]);
    assert_eq!(code, 0, "{told}");
    made
}

/// The copy of what a repair changed.
fn copy(dir: &Path) -> String {
    let is_copy = |path: &std::path::PathBuf| path.extension().is_some_and(|end| end == "jsonl");
    let copy = fs::read_dir(dir).unwrap().map(|file| file.unwrap().path()).find(is_copy).expect("a copy");
    assert_eq!(fs::metadata(&copy).unwrap().permissions().mode() & 0o777, 0o600);
    fs::read_to_string(copy).unwrap()
}

async fn scene() -> (World, Person, Person, ConversationId) {
    let world = World::start().await;
    let [anna, bela] = world.people(["anna", "bela"]).await;
    let group = anna.group(&[&bela]).await;
    (world, anna, bela, group)
}

#[tokio::test]
async fn a_text_in_which_a_bit_was_flipped_is_not_served_as_true_and_is_put_right() {
    let (mut world, mut anna, mut bela, damaged) = scene().await;
    let whole = anna.group(&[&bela]).await;
    let said = anna.say(damaged, "the door is at number 47411").await;
    anna.say(whole, "see you there").await;
    world.stop().await;
    damage(world.data_dir(), b"47411", -1, flip);
    let report = kith::operator::verify::verify(world.data_dir(), |_| {}).unwrap();
    assert_eq!(report.problems, [format!("{}: its checksum is wrong", said.id)], "{report}");
    world.restart(&mut [&mut anna, &mut bela]).await;
    assert_eq!(code(bela.rest.messages(damaged, Place::End, Some(20)).await), Some(Code::Internal));
    assert_eq!(code(bela.rest.log(damaged, Place::After(0), Some(20)).await), Some(Code::Internal));
    assert!(bela.log(whole).await.iter().any(|entry| words(entry) == "see you there"));
    world.stop().await;
    let made = repaired(world.data_dir());
    assert!(made.starts_with(&format!("{}: the one bit that was flipped is put back\n", said.id)), "{made}");
    world.restart(&mut [&mut anna, &mut bela]).await;
    assert_eq!(words(&bela.log(damaged).await[1]), "the door is at number 47411");
}

#[tokio::test]
async fn a_message_and_an_edit_that_are_damaged_become_redacted_and_the_rest_is_there() {
    let (mut world, mut anna, mut bela, group) = scene().await;
    anna.say(group, "before it").await;
    let said = anna.say(group, "a text that is lost").await;
    let edited = anna.say(group, "as it was at first").await;
    let edit = EditMessage { text: "as it was changed".into(), mentions: Vec::new() };
    anna.rest.edit(edited.id, &edit).await.unwrap();
    bela.say(group, "behind it").await;
    world.stop().await;
    damage(world.data_dir(), b"that is lost", -8, garble);
    damage(world.data_dir(), b"was changed", -8, garble);
    let made = repaired(world.data_dir());
    assert!(made.starts_with(&format!("{}: it becomes redacted", said.id)), "{made}");
    let kept = copy(world.data_dir());
    assert!(kept.lines().count() == 2 && kept.contains("{\"data\":\""), "{kept}");
    world.restart(&mut [&mut anna, &mut bela]).await;
    let log = bela.log(group).await;
    let of = |was| Body::Redacted(Redacted { was });
    assert_eq!((log[2].sender, &log[2].body), (anna.id, &of(RedactedKind::Message)));
    assert_eq!(log[4].body, of(RedactedKind::Edit));
    assert_eq!([&log[1], &log[3], &log[5]].map(words), ["before it", "as it was at first", "behind it"]);
    anna.say(group, "it goes on").await;
}

#[tokio::test]
async fn a_membership_in_the_log_that_is_damaged_leaves_its_conversation_closed_and_nobody_comes_in() {
    let (mut world, mut anna, mut bela, group) = scene().await;
    let mut cora = world.person("cora").await;
    let whole = anna.group(&[&bela]).await;
    anna.rest.add_participant(group, &NewParticipant { user: cora.id, role: None }).await.unwrap();
    anna.say(group, "hello").await;
    anna.say(whole, "hello here").await;
    world.stop().await;
    let dir = world.data_dir().to_owned();
    damage(&dir, format!("{{\"user\":\"{}\"", cora.id).as_bytes(), -8, garble);
    damage(&dir, &member(group, cora.id), 1, garble);
    let (exit, told) = kith(&dir, &["repair", "--dry-run"]);
    assert_eq!(exit, 1, "{told}");
    for left in [format!("{group}.2: "), format!("Member({group}, {}): ", cora.id)] {
        assert!(told.lines().any(|line| line.starts_with(&left) && line.contains("stays closed")), "{told}");
    }
    assert_eq!(kith(&dir, &["repair"]), (1, told), "and nothing is changed");
    world.restart(&mut [&mut anna, &mut bela, &mut cora]).await;
    for person in [&anna, &bela, &cora] {
        assert_eq!(code(person.rest.conversation(group).await), Some(Code::Internal));
    }
    bela.say(whole, "it goes on here").await;
}

#[tokio::test]
async fn a_permission_that_is_damaged_is_not_served_as_true_and_is_folded_again() {
    let (mut world, mut anna, mut bela, group) = scene().await;
    let cora = world.person("cora").await;
    anna.rest.add_participant(group, &NewParticipant { user: cora.id, role: None }).await.unwrap();
    anna.rest.change_role(group, bela.id, Role::Admin).await.unwrap();
    anna.rest.remove_participant(group, cora.id).await.unwrap();
    let said = anna.say(group, "hello").await;
    let mut annas = anna.connect().await;
    bela.say(group, "hello to you").await;
    annas.read(group, said.seq + 1).await;
    world.stop().await;
    let dir = world.data_dir().to_owned();
    // The version and the role stand first.
    damage(&dir, &member(group, bela.id), 1, flip);
    let report = kith::operator::verify::verify(&dir, |_| {}).unwrap();
    let named = format!("Member({group}, {}): its checksum is wrong", bela.id);
    assert_eq!(report.problems, [named], "{report}");
    world.restart(&mut [&mut anna, &mut bela]).await;
    assert_eq!(code(bela.rest.conversation(group).await), Some(Code::Internal));
    world.stop().await;
    damage(&dir, &member(group, bela.id), 1, garble);
    let made = repaired(&dir);
    assert!(made.contains("it goes, and is folded again"), "{made}");
    world.restart(&mut [&mut anna, &mut bela]).await;
    assert_eq!(bela.rest.conversation(group).await.unwrap().role, Role::Admin);
    let list = anna.rest.conversations(&Default::default()).await.unwrap();
    assert_eq!((list.items[0].head.read, list.items[0].head.unread), (said.seq + 1, 0), "what was read stays read");
    let cora = world.device(&cora).await;
    assert_eq!(code(cora.rest.conversation(group).await), Some(Code::NotFound), "nobody comes in");
    bela.say(group, "it goes on").await;
    world.stop().await;
    assert_eq!(kith(&dir, &["verify"]).0, 0);
}
