//! What a disk changed is never served as true, and is named.

use std::{fs, path::Path};

use kith_client::rest::Place;
use kith_protocol::Code;

use crate::world::{World, code};

/// Flips a bit in the only place where the database holds `marker`.
fn damage(dir: &Path, marker: &str) {
    let file = dir.join("store.db");
    let mut bytes = fs::read(&file).unwrap();
    let at = bytes.windows(marker.len()).position(|part| part == marker.as_bytes()).expect("it is there");
    bytes[at] ^= 1;
    fs::write(&file, bytes).unwrap();
}

#[tokio::test]
async fn a_text_in_which_a_bit_was_flipped_is_not_served_as_true_and_is_named() {
    let mut world = World::start().await;
    let [mut anna, mut bela] = world.people(["anna", "bela"]).await;
    let (damaged, whole) = (anna.group(&[&bela]).await, anna.group(&[&bela]).await);
    let said = anna.say(damaged, "the door is at number 47411").await;
    anna.say(whole, "see you there").await;
    world.stop().await;
    damage(world.data_dir(), "47411");
    let report = kith::store::verify::verify(world.data_dir(), |_| {}).unwrap();
    assert_eq!(report.problems, [format!("{}: its checksum is wrong", said.id)], "{report}");
    world.restart(&mut [&mut anna, &mut bela]).await;
    assert_eq!(code(bela.rest.messages(damaged, Place::End, Some(20)).await), Some(Code::Internal));
    assert_eq!(code(bela.rest.log(damaged, Place::After(0), Some(20)).await), Some(Code::Internal));
    assert!(bela.log(whole).await.iter().any(|entry| crate::world::words(entry) == "see you there"));
}

#[tokio::test]
async fn a_permission_in_which_a_bit_was_flipped_is_not_served_as_true_and_is_named() {
    let mut world = World::start().await;
    let [mut anna, mut bela] = world.people(["anna", "bela"]).await;
    let group = anna.group(&[&bela]).await;
    anna.say(group, "hello").await;
    world.stop().await;
    damage_member(world.data_dir(), group, bela.id);
    let report = kith::store::verify::verify(world.data_dir(), |_| {}).unwrap();
    let named = format!("Member({group}, {}): its checksum is wrong", bela.id);
    assert_eq!(report.problems, [named], "{report}");
    world.restart(&mut [&mut anna, &mut bela]).await;
    assert_eq!(code(bela.rest.conversation(group).await), Some(Code::Internal));
}

/// Flips a bit of the role in a member's row.
fn damage_member(dir: &Path, group: kith_protocol::ConversationId, user: kith_protocol::UserId) {
    let file = dir.join("store.db");
    let mut bytes = fs::read(&file).unwrap();
    let key = [&b"c"[..], &group.bytes(), &[1], &user.bytes()].concat();
    let at = bytes.windows(key.len()).position(|part| part == key).expect("the row");
    // Behind the version.
    bytes[at + key.len() + 1] ^= 1;
    fs::write(&file, bytes).unwrap();
}
