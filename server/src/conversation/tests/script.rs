//! The script of people at two keepers of one conversation, by a seed.

use kith_protocol::entry::{Edit, Reaction, Target};

use super::{
    super::{Amend, Change, Command},
    world::{Answer, USERS, World, actor, conversation, user},
};
use crate::store::faulty::Odds;

/// Steps of one run.
const STEPS: usize = 60;
/// Most turns that others have between two steps.
const TURNS: u64 = 12;
/// The odds of each fault meanwhile.
pub const ODDS: Odds = Odds { answer_lost: 40, write_lost: 20, full: 5, conflict: 15, read_lost: 10, delay: 4 };

/// Has people do what the world's chance says, and then has everything come to an end.
pub async fn play(world: &mut World) {
    for _ in 0..STEPS {
        step(world).await;
        let turns = world.chance.below(TURNS);
        world.pass(turns).await;
    }
    world.calm();
    world.settle().await;
    finish(world).await;
}

/// Sends what is not done until it is; then has each keeper give everybody what they lack.
async fn finish(world: &mut World) {
    for letter in 0..world.letters.len() {
        while !world.letters[letter].is_done() {
            let client = client(world.letters[letter].user, letter % 2);
            world.send(letter, client).await;
            world.settle().await;
            if !world.wrong.is_empty() {
                return;
            }
        }
    }
    for keeper in 0..2 {
        let last = world.letter(0, Vec::new());
        world.send(last, client(0, keeper)).await;
        world.settle().await;
    }
    // The first catches up with what the second wrote last.
    ask(world, 0);
    world.settle().await;
    for keeper in 0..2 {
        world.keepers[keeper].conversations.clone().stop().await;
    }
    world.pass(0).await;
}

fn client(number: usize, keeper: usize) -> usize {
    keeper * USERS + number
}

async fn step(world: &mut World) {
    let keeper = world.chance.below(2) as usize;
    let number = world.chance.below(USERS as u64) as usize;
    match world.chance.below(100) {
        0..38 => {
            for _ in 0..=world.chance.below(3) {
                let mentions = if world.chance.hits(200) { vec![user((number + 1) % USERS)] } else { Vec::new() };
                let letter = world.letter(number, mentions);
                world.send(letter, client(number, keeper)).await;
            }
        }
        38..44 => {
            let letter = world.letter(number, Vec::new());
            world.post(letter, keeper).await;
        }
        44..58 => send_again(world).await,
        58..72 => amend(world, number, keeper).await,
        72..84 => change(world, number, keeper),
        84..91 => mark(world, client(number, keeper)),
        91..97 => ask(world, keeper),
        97..99 => world.crash(keeper).await,
        _ => world.stop(keeper).await,
    }
}

/// Sends what was not acknowledged under the same client_id, at either keeper.
async fn send_again(world: &mut World) {
    let keeper = world.chance.below(2) as usize;
    let left = |world: &World| {
        let waits = world.letters.iter().enumerate().filter(|(_, it)| !it.is_done() && it.under_way.is_none());
        waits.map(|(index, _)| index).collect::<Vec<_>>()
    };
    for letter in left(world).into_iter().take(3) {
        match world.chance.hits(300) {
            true => world.post(letter, keeper).await,
            false => world.send(letter, client(world.letters[letter].user, keeper)).await,
        }
    }
}

async fn amend(world: &mut World, number: usize, keeper: usize) {
    let head = world.head().await;
    let target = 2 + world.chance.below(head.max(2));
    let amend = match world.chance.below(6) {
        0..2 => {
            let text = format!("edit {}", world.chance.below(1000));
            Amend::Edit(Edit { target, text, mentions: Vec::new() })
        }
        2 => Amend::Delete(Target { target }),
        _ => Amend::React(Reaction { target, emoji: "👍".to_owned(), on: world.chance.hits(600) }),
    };
    let (conversations, actor) = (world.keepers[keeper].conversations.clone(), actor(number, keeper));
    let amended = async move { Answer::Amended(conversations.amend(actor, conversation(), amend).await) };
    world.keepers[keeper].asked.spawn(amended);
}

/// Has the owner add or remove somebody, or somebody leave.
fn change(world: &mut World, number: usize, keeper: usize) {
    let other = 1 + world.chance.below(USERS as u64 - 1) as usize;
    let (by, change) = match world.chance.below(10) {
        0..5 => (0, Change::Add { user: user(other), role: None }),
        5..8 => (0, Change::Remove { user: user(other) }),
        _ if number > 0 => (number, Change::Remove { user: user(number) }),
        _ => (0, Change::Add { user: user(other), role: None }),
    };
    let (conversations, actor) = (world.keepers[keeper].conversations.clone(), actor(by, keeper));
    world.keepers[keeper]
        .asked
        .spawn(async move { Answer::Changed(conversations.request(actor, conversation(), change).await) });
}

fn mark(world: &mut World, client: usize) {
    let (keeper, number, known) =
        (world.clients[client].keeper, world.clients[client].user, world.clients[client].known);
    let seq = 1 + world.chance.below(known.max(1));
    let (delivered, read) = if world.chance.hits(500) { (Some(seq), None) } else { (None, Some(seq)) };
    world.keepers[keeper].conversations.mark(user(number), conversation(), delivered, read, None);
}

/// Asks for what only memory says.
fn ask(world: &mut World, keeper: usize) {
    let acknowledged = world.letters.iter().filter_map(|letter| letter.acknowledged).max().unwrap_or(0);
    let conversations = world.keepers[keeper].conversations.clone();
    world.keepers[keeper].asked.spawn(async move {
        let access = conversations.ask(conversation(), |reply| Command::Access(user(0), reply)).await;
        Answer::Head(acknowledged, access.map(|access| access.head))
    });
}
