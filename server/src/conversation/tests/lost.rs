//! Appends that another keeper comes before, or whose answer is lost, one at a time.

use std::sync::Arc;

use kith_protocol::entry::{Edit, Reaction};

use super::{
    super::{Amend, Change, rules::Rules},
    world::{Answer, Given, World, actor, conversation, user},
};
use crate::store::{faulty::Odds, memory::Memory};

async fn world(odds: Odds) -> World {
    World::new(Arc::new(Memory::new()), 1, odds, Rules::RIGHT).await
}

/// The frames that a client was given since it connected, as `sent 2` and `entry 3`.
fn given(world: &World, client: usize) -> Vec<String> {
    let given = world.clients[client].given.iter().filter_map(|given| match given {
        Given::Connected(_) | Given::Added => None,
        Given::Sent(seq) => Some(format!("sent {seq}")),
        Given::Entry(entry) => Some(format!("entry {}", entry.seq)),
    });
    // The first entry is in the answer to the hello.
    given.skip(1).collect()
}

/// Has the first keeper append something, so that it needs no more rows before it appends again.
async fn begin(world: &mut World) {
    let letter = world.letter(0, Vec::new());
    world.send(letter, 0).await;
    world.settle().await;
}

#[tokio::test]
async fn a_send_that_another_keeper_comes_before_is_taken_behind_what_that_one_wrote() {
    let mut world = world(Odds::default()).await;
    let (first, second) = (world.letter(1, Vec::new()), world.letter(2, Vec::new()));
    world.send(first, 4 + 1).await;
    world.settle().await;
    world.send(second, 2).await;
    world.settle().await;
    assert_eq!(given(&world, 2), ["entry 2", "sent 3"]);
    assert_eq!(given(&world, 1), ["entry 2", "entry 3"]);
    assert_eq!((world.letters[second].acknowledged, &world.wrong), (Some(3), &vec![]));
}

#[tokio::test]
async fn an_answer_does_not_overtake_what_another_keeper_wrote_before_it() {
    let mut world = world(Odds::default()).await;
    let (first, second) = (world.letter(1, Vec::new()), world.letter(2, Vec::new()));
    world.send(first, 4 + 1).await;
    world.send(second, 4 + 2).await;
    world.settle().await;
    // It is sent again at the keeper that knows of neither.
    world.send(second, 2).await;
    world.settle().await;
    assert_eq!(given(&world, 2), ["entry 2", "sent 3"]);
}

#[tokio::test]
async fn a_send_whose_answer_is_lost_is_acknowledged_in_its_place() {
    let mut world = world(Odds::default()).await;
    begin(&mut world).await;
    let letters = [1, 1, 1].map(|number| world.letter(number, Vec::new()));
    world.keepers[0].store.set_odds(Odds { answer_lost: 1000, ..Odds::default() });
    for letter in letters {
        world.send(letter, 1).await;
    }
    world.pass(8).await;
    world.keepers[0].store.set_odds(Odds::default());
    world.settle().await;
    assert_eq!(given(&world, 1), ["entry 2", "sent 3", "sent 4", "sent 5"]);
    assert_eq!(world.head().await, 5);
}

#[tokio::test]
async fn who_was_removed_by_the_other_keeper_writes_no_more() {
    let mut world = world(Odds::default()).await;
    let change = Change::Remove { user: user(2) };
    world.keepers[1].conversations.clone().request(actor(0, 1), conversation(), change).await.unwrap();
    let letter = world.letter(2, Vec::new());
    world.send(letter, 2).await;
    world.settle().await;
    assert!(world.letters[letter].refused);
    assert_eq!((given(&world, 2), world.head().await), (vec!["entry 2".to_owned()], 2));
    assert_eq!(world.wrong, Vec::<String>::new());
}

#[tokio::test]
async fn changes_and_amendments_are_judged_by_what_the_other_keeper_wrote() {
    let mut world = world(Odds::default()).await;
    let letter = world.letter(1, Vec::new());
    world.send(letter, 1).await;
    world.settle().await;
    let react = Amend::React(Reaction { target: 2, emoji: "👍".to_owned(), on: true });
    let edit = Amend::Edit(Edit { target: 2, text: "better".to_owned(), mentions: Vec::new() });
    for (amend, keeper) in [(edit, 1), (react.clone(), 0), (react.clone(), 1), (react, 0)] {
        let conversations = world.keepers[keeper].conversations.clone();
        conversations.amend(actor(1, keeper), conversation(), amend).await.unwrap();
    }
    let change = Change::Remove { user: user(3) };
    for keeper in [0, 1] {
        let conversations = world.keepers[keeper].conversations.clone();
        let change = change.clone();
        world.keepers[keeper].asked.spawn(async move {
            Answer::Changed(conversations.request(actor(0, keeper), conversation(), change).await)
        });
    }
    world.settle().await;
    // An edit, one reaction, one removal.
    assert_eq!((world.head().await, world.changed.len()), (5, 1));
}

#[tokio::test]
async fn a_change_whose_answer_is_lost_is_found_and_not_made_again() {
    let mut world = world(Odds::default()).await;
    begin(&mut world).await;
    world.keepers[0].store.set_odds(Odds { answer_lost: 1000, ..Odds::default() });
    let conversations = world.keepers[0].conversations.clone();
    let change = Change::Role { user: user(1), role: kith_protocol::entry::Role::Admin };
    let changed = conversations.request(actor(0, 0), conversation(), change).await;
    assert_eq!(changed.map(|record| record.seq), Ok(3));
    assert_eq!(world.head().await, 3);
}
