//! `kill -9` between a message and its push: it comes all the same.

#[path = "../it/push/service.rs"]
mod service;

use std::time::{Duration, Instant};

use kith_client::Method;
use kith_protocol::{Uuid, entry::ConversationKind, frame::NewMessage, rest::Page};
use tokio::time::sleep;

use self::service::{Device, Service, vapid};
use super::{
    chance::Chance,
    people::Person,
    program::{LIFTED, Program, alone, say, until},
};

/// The number of times that the plug is pulled.
const ROUNDS: usize = 6;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_push_comes_though_the_plug_is_pulled_after_its_message() {
    let _alone = alone().await;
    let mut chance = Chance::new("push");
    let service = Service::start().await;
    let mut program = Program::started(&format!("{LIFTED}\n[push]\nallow_loopback_for_tests = true\n"));
    let people = Person::several(&program, 2).await;
    let [anna, bela] = &people[..] else { unreachable!("two") };
    let device = Device::new(&service);
    let devices: Page<kith_protocol::rest::Device> = bela.rest.devices().await.unwrap();
    let path = format!("/v1/users/me/devices/{}/push", devices.items[0].id);
    let body = serde_json::to_vec(&device.subscription()).unwrap();
    let told = bela.rest.request(Method::PUT, &path, &[("content-type", "application/json")], body).await.unwrap();
    assert_eq!(told.status.as_u16(), 204);
    let direct = anna.converse(ConversationKind::Direct, &[bela]).await;
    for round in 0..ROUNDS {
        // Nothing is taken before the plug is pulled, whatever comes.
        service.answer_always(Some((503, None)));
        let said = anna.rest.send_message(direct, &message(format!("round {round}"))).await.unwrap();
        sleep(Duration::from_millis(chance.within(0, 600))).await;
        program.kill();
        let before = service.requests(&device).len();
        service.answer_always(None);
        program.start();
        let started = Instant::now();
        let pushed = service.pushed(&device, before + 1).await;
        let came = service.requests(&device)[before].at;
        say(&format!("round {round}: pushed {:?} after the restart", came.saturating_duration_since(started)));
        let last = pushed.last().unwrap();
        assert_eq!((last["seq"].as_u64(), last["text"].as_str()), (Some(said.seq), Some(&*format!("round {round}"))));
        assert_eq!(last["unread"].as_u64(), Some(round as u64 + 1));
    }
    // It is the same server to the push service all the time.
    let mut keys: Vec<_> =
        service.requests(&device).iter().map(|request| vapid(&request.headers["authorization"]).1).collect();
    keys.dedup();
    assert_eq!(keys.len(), 1);
    // One that is refused for good is forgotten for good.
    service.answer_next(&device, [(410, None)]);
    anna.rest.send_message(direct, &message("to nobody".to_owned())).await.unwrap();
    until("the subscription is forgotten", async || program.done(&["inspect", "pushes"]).is_empty()).await;
    assert_eq!(program.end().code(), Some(0));
    program.verify(program.data());
}

fn message(text: String) -> NewMessage {
    let client_id: Uuid = kith::clock::uuid();
    NewMessage { client_id, text, mentions: Vec::new(), reply_to: None, attachments: Vec::new() }
}
