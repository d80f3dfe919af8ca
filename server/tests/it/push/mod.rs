//! Waking devices: a real push service behind which a device decrypts.

mod service;

use std::{
    collections::HashSet,
    time::{Duration, Instant},
};

use kith::operator::inspect::{Subject, inspect};
use kith_client::{Method, StatusCode};
use kith_protocol::{
    ClientFrame, ConversationId, Timestamp,
    frame::{Ping, Pointer},
    rest::{DeleteUser, EditMessage, PresenceState},
};
use serde_json::{Value, json};

use self::service::{Device, Request, Service, vapid};
use crate::world::{MOMENT, PASSWORD, Person, SOON, Wire, World};

const CONTACT: &str = "mailto:operator@example.org";

/// A server that may push to this machine.
async fn world() -> World {
    World::with(|config| {
        config.push.allow_loopback_for_tests = true;
        config.push.contact = Some(CONTACT.to_owned());
    })
    .await
}

fn path(person: &Person) -> String {
    format!("/v1/users/me/devices/{}/push", person.device)
}

/// Has a person's device woken at a service.
async fn subscribe(person: &Person, service: &Service) -> Device {
    let device = Device::new(service);
    let (status, answer) = person.raw(Method::PUT, &path(person), Some(device.subscription())).await;
    assert_eq!(status, StatusCode::NO_CONTENT, "{answer}");
    device
}

/// Services that say nothing.
impl Service {
    /// Another host of the same service.
    async fn beside(&self) -> Self {
        Self::on(self.state.clone()).await
    }

    /// Has it answer nothing, or answer again what waits and what comes.
    fn be_silent(&self, silent: bool) {
        self.state.lock().silent = silent;
    }

    /// The most requests that ever waited for an answer at a time.
    fn most_waiting(&self) -> usize {
        self.state.lock().waiting.1
    }

    /// Everything that came, to whichever of its hosts and devices.
    fn all_requests(&self) -> Vec<Request> {
        self.state.lock().requests.clone()
    }
}

/// The rows of one kind, a line each.
fn kept(world: &World, kind: &str) -> Vec<String> {
    let mut lines = Vec::new();
    inspect(world.data_dir(), &kind.parse::<Subject>().expect("a subject"), |line| lines.push(line.to_owned()))
        .unwrap();
    lines
}

/// Waits until nothing is to be pushed: what was not pushed by then never is.
async fn settled(world: &World) {
    let until = Instant::now() + SOON;
    loop {
        let (active, pushes) = (kept(world, "active"), kept(world, "pushes"));
        let left =
            active.iter().any(|line| line.contains("Unpushed")) || pushes.iter().any(|line| line.contains("Pending"));
        if !left {
            return;
        }
        assert!(Instant::now() < until, "{active:?} {pushes:?}");
        tokio::time::sleep(MOMENT).await;
    }
}

fn texts(pushed: &[Value]) -> Vec<&str> {
    pushed.iter().map(|payload| payload["text"].as_str().expect("a text")).collect()
}

async fn mute(person: &Person, conversation: ConversationId, until: Timestamp) {
    let path = format!("/v1/users/me/conversations/{conversation}");
    let (status, _) = person.raw(Method::PUT, &path, Some(json!({ "muted_until": until }))).await;
    assert_eq!(status, StatusCode::OK);
}

#[tokio::test]
async fn a_message_wakes_a_device_that_is_not_connected() {
    let (world, service) = (world().await, Service::start().await);
    let [anna, bela] = world.people(["anna", "bela"]).await;
    let (own, device) = (subscribe(&anna, &service).await, subscribe(&bela, &service).await);
    let direct = anna.direct(&bela).await;
    let said = anna.say(direct, "Tea at five? 🫖").await;
    let pushed = service.pushed(&device, 1).await;
    let expected = json!({
        "conversation": direct, "seq": said.seq, "at": said.at, "title": "anna", "sender": "anna", "text": "Tea at five? 🫖",
        "unread": 1, "direct": true,
    });
    assert_eq!(pushed, [expected]);
    let headers = &service.requests(&device)[0].headers;
    assert_eq!((&*headers["content-encoding"], &*headers["urgency"]), ("aes128gcm", "high"));
    assert!((86_000..=86_400).contains(&headers["ttl"].parse::<u32>().unwrap()), "a day");
    assert_eq!(headers["host"], service.address.to_string());
    let topic = &headers["topic"];
    assert!(topic.len() == 32 && topic.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)));
    let (claims, key) = vapid(&headers["authorization"]);
    let info = world.guest().info().await.unwrap();
    assert_eq!(info.push.expect("it pushes").vapid_key, key);
    assert_eq!((&claims["aud"], &claims["sub"]), (&json!(format!("http://{}", service.address)), &json!(CONTACT)));
    let now_s = kith::clock::now().millis() / 1000;
    assert!((now_s..=now_s + 24 * 3600).contains(&claims["exp"].as_u64().unwrap()));
    // In a group the title is the group's.
    let group = anna.group(&[&bela]).await;
    anna.say(group, "and who brings cake?").await;
    let pushed = service.pushed(&device, 2).await;
    assert_eq!((&pushed[1]["title"], &pushed[1]["sender"]), (&json!("a group"), &json!("anna")));
    let requests = service.requests(&device);
    assert_eq!(requests[1].headers["urgency"], "normal");
    assert_ne!(requests[0].headers["topic"], requests[1].headers["topic"]);
    settled(&world).await;
    assert!(service.requests(&own).is_empty(), "who wrote it knows it");
}

#[tokio::test]
async fn what_is_said_while_a_push_waits_is_one_push_with_the_newest() {
    let (world, service) = (world().await, Service::start().await);
    let [anna, bela] = world.people(["anna", "bela"]).await;
    let device = subscribe(&bela, &service).await;
    service.answer_next(&device, [(503, Some(4))]);
    let direct = anna.direct(&bela).await;
    anna.say(direct, "one").await;
    service.pushed(&device, 1).await;
    for words in ["two", "three"] {
        anna.say(direct, words).await;
    }
    let last = anna.say(direct, "fuor").await;
    anna.rest.edit(last.id, &EditMessage { text: "four".into(), mentions: vec![] }).await.unwrap();
    let pushed = service.pushed(&device, 2).await;
    assert_eq!((texts(&pushed), pushed[1]["unread"].as_u64()), (vec!["one", "four"], Some(4)));
    let requests = service.requests(&device);
    assert_eq!(requests[0].headers["topic"], requests[1].headers["topic"], "the second replaces the first");
    assert!(requests[1].at - requests[0].at >= Duration::from_secs(4), "not before the service wants it");
    settled(&world).await;
    assert_eq!(service.requests(&device).len(), 2);
}

#[tokio::test]
async fn nobody_is_woken_for_what_they_know_or_do_not_want_to_hear() {
    let (world, service) = (world().await, Service::start().await);
    let [anna, bela, cora] = world.people(["anna", "bela", "cora"]).await;
    let device = subscribe(&bela, &service).await;
    let group = anna.group(&[&bela, &cora]).await;
    // Muted,
    mute(&bela, group, Timestamp::from_millis(kith::clock::now().millis() + 3_600_000)).await;
    anna.say(group, "muted").await;
    settled(&world).await;
    mute(&bela, group, Timestamp::default()).await;
    // by somebody whom they block,
    bela.rest.block(cora.id).await.unwrap();
    cora.say(group, "blocked").await;
    settled(&world).await;
    // while the device is connected,
    let mut wire = bela.connect().await;
    let said = anna.say(group, "connected").await;
    wire.say(ClientFrame::Delivered(Pointer { conversation: group, seq: said.seq })).await;
    wire.so_far().await;
    settled(&world).await;
    leave(wire, &bela, &anna).await;
    // while the person does something on another device.
    let other = world.device(&bela).await;
    let mut wire = other.connect().await;
    wire.say(ClientFrame::Ping(Ping { active: true })).await;
    wire.so_far().await;
    anna.say(group, "active elsewhere").await;
    settled(&world).await;
    assert_eq!(service.requests(&device).len(), 0);
    // Once they do nothing there any longer,
    leave(wire, &bela, &anna).await;
    anna.say(group, "heard").await;
    assert_eq!(texts(&service.pushed(&device, 1).await), ["heard"]);
    // and not for what they have read meanwhile.
    service.answer_next(&device, [(503, Some(1))]);
    let said = anna.say(group, "read").await;
    service.pushed(&device, 2).await;
    other.rest.read(said.id).await.unwrap();
    settled(&world).await;
    assert_eq!(texts(&service.pushed(&device, 2).await), ["heard", "read"]);
}

#[tokio::test]
async fn who_went_without_a_word_is_told_what_did_not_arrive() {
    let service = Service::start().await;
    let world = World::with(|config| {
        config.push.allow_loopback_for_tests = true;
        // A connection may be silent for a second, once it was looked at for its hello.
        config.heartbeat_ms = 200;
    })
    .await;
    let [anna, bela] = world.people(["anna", "bela"]).await;
    let device = subscribe(&bela, &service).await;
    let direct = anna.direct(&bela).await;
    let mut wire = bela.connect().await;
    let said = anna.say(direct, "arrived").await;
    assert_eq!(wire.entry().await.id, said.id);
    wire.say(ClientFrame::Delivered(Pointer { conversation: direct, seq: said.seq })).await;
    wire.so_far().await;
    // From here on nobody hears of it.
    let lost = anna.say(direct, "lost").await;
    let pushed = service.pushed(&device, 1).await;
    assert_eq!((texts(&pushed), pushed[0]["seq"].as_u64()), (vec!["lost"], Some(lost.seq)));
    settled(&world).await;
    assert_eq!(service.requests(&device).len(), 1);
    assert_eq!(wire.closed().await, 4009);
}

/// Closes a person's only connection, and waits until everybody sees it.
async fn leave(wire: Wire, person: &Person, other: &Person) {
    wire.socket.close(1000).await;
    let until = Instant::now() + SOON;
    while other.rest.presence(person.id).await.unwrap().state == PresenceState::Online {
        assert!(Instant::now() < until, "the connection stays");
        tokio::time::sleep(MOMENT).await;
    }
}

#[tokio::test]
async fn a_subscription_that_is_no_more_is_forgotten() {
    let (world, service) = (world().await, Service::start().await);
    let [anna, bela] = world.people(["anna", "bela"]).await;
    let second = world.device(&bela).await;
    let (device, other) = (subscribe(&bela, &service).await, subscribe(&second, &service).await);
    let direct = anna.direct(&bela).await;
    service.answer_next(&device, [(410, None)]);
    anna.say(direct, "one").await;
    service.pushed(&device, 1).await;
    settled(&world).await;
    let left = kept(&world, "pushes");
    assert!(left.len() == 1 && left[0].contains(&second.device.to_string()), "{left:?}");
    anna.say(direct, "two").await;
    service.pushed(&other, 2).await;
    settled(&world).await;
    assert_eq!(service.requests(&device).len(), 1);
    // What is refused for ever is not tried again, and one that is too long is made shorter.
    service.answer_next(&other, [(400, None), (413, None)]);
    anna.say(direct, "three").await;
    service.pushed(&other, 3).await;
    settled(&world).await;
    let long = format!("{} the end", "😀 long ".repeat(1000));
    anna.say(direct, long.clone()).await;
    let pushed = service.pushed(&other, 5).await;
    let [first, second] = [&texts(&pushed)[3], &texts(&pushed)[4]];
    assert!(long.starts_with(first.trim_end_matches('…')) && first.len() > 3000, "{first}");
    assert!(long.starts_with(second.trim_end_matches('…')) && second.len() <= 128, "{second}");
    settled(&world).await;
    assert_eq!(service.requests(&other).len(), 5);
}

#[tokio::test]
async fn who_is_signed_out_or_erased_is_woken_no_longer() {
    let (world, service) = (world().await, Service::start().await);
    let [anna, bela, cora] = world.people(["anna", "bela", "cora"]).await;
    let second = world.device(&bela).await;
    let devices = [subscribe(&bela, &service).await, subscribe(&second, &service).await];
    let gone = subscribe(&cora, &service).await;
    let off = subscribe(&anna, &service).await;
    let group = anna.group(&[&bela, &cora]).await;
    bela.rest.revoke(second.device).await.unwrap();
    let (status, _) = anna.raw(Method::DELETE, &path(&anna), None).await;
    assert_eq!(status, StatusCode::NO_CONTENT);
    // What waits for them goes too.
    service.answer_next(&gone, [(503, Some(600))]);
    anna.say(group, "one").await;
    service.pushed(&gone, 1).await;
    let sure = DeleteUser { password: PASSWORD.to_owned() };
    cora.rest.delete_user(&sure).await.unwrap();
    bela.say(group, "two").await;
    let until = Instant::now() + SOON;
    while kept(&world, "pushes").len() > 1 {
        assert!(Instant::now() < until, "{:?}", kept(&world, "pushes"));
        tokio::time::sleep(MOMENT).await;
    }
    let left = kept(&world, "pushes");
    assert!(left.len() == 1 && left[0].contains(&bela.device.to_string()), "{left:?}");
    assert_eq!(texts(&service.pushed(&devices[0], 1).await), ["one"]);
    let counts = [&devices[1], &gone, &off].map(|device| service.requests(device).len());
    assert_eq!(counts, [0, 1, 0]);
    // No secret of theirs is left in what a person can look at.
    assert!(!left[0].contains("/push/"), "{left:?}");
}

#[tokio::test]
async fn a_restart_forgets_nothing() {
    let (mut world, service) = (world().await, Service::start().await);
    let [mut anna, mut bela] = world.people(["anna", "bela"]).await;
    let device = subscribe(&bela, &service).await;
    let direct = anna.direct(&bela).await;
    let key = world.guest().info().await.unwrap().push;
    service.answer_always(Some((503, Some(1))));
    anna.say(direct, "before").await;
    world.restart(&mut [&mut anna, &mut bela]).await;
    service.answer_always(None);
    assert_eq!(world.guest().info().await.unwrap().push, key);
    // It may have come before too, and been refused.
    settled(&world).await;
    let pushed = service.pushed(&device, 1).await;
    assert!(texts(&pushed).iter().all(|text| *text == "before"));
    anna.say(direct, "after").await;
    let pushed = service.pushed(&device, pushed.len() + 1).await;
    assert_eq!(texts(&pushed).last(), Some(&"after"));
    // A server that does not push says so and forgets nothing of it either. What was pushed is known to have been only when
    // the answer was read.
    settled(&world).await;
    world.config.push.enabled = false;
    world.restart(&mut [&mut anna, &mut bela]).await;
    assert_eq!(world.guest().info().await.unwrap().push, None);
    let (status, _) = bela.raw(Method::PUT, &path(&bela), Some(device.subscription())).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    assert_eq!(kept(&world, "pushes").len(), 1);
}

/// Mallory has many devices, each at a host of its own that takes pushes and says nothing, and is told of much.
#[tokio::test]
async fn who_has_very_much_to_be_pushed_to_silent_hosts_delays_nobody_else() {
    const DEVICES: usize = 12;
    const GROUPS: usize = 30;
    let (world, silent, quick) = (world().await, Service::start().await, Service::start().await);
    silent.be_silent(true);
    let [mallory, mona, anna, bela] = world.people(["mallory", "mona", "anna", "bela"]).await;
    for _ in 0..DEVICES {
        subscribe(&world.device(&mallory).await, &silent.beside().await).await;
    }
    let device = subscribe(&bela, &quick).await;
    let direct = bela.direct(&anna).await;
    bela.say(direct, "I am at home").await;
    let known = mallory.direct(&mona).await;
    mallory.say(known, "write to me").await;
    for _ in 0..GROUPS {
        let group = mona.group(&[&mallory]).await;
        mona.say(group, "wake up").await;
    }
    let pending = || kept(&world, "pushes").iter().filter(|line| line.contains("Pending")).count();
    let until = Instant::now() + 6 * SOON;
    while pending() < DEVICES * GROUPS {
        assert!(Instant::now() < until, "{} of what was said is to be pushed", pending());
        tokio::time::sleep(MOMENT).await;
    }
    anna.say(direct, "Tea at five?").await;
    assert_eq!(texts(&quick.pushed(&device, 1).await), ["Tea at five?"]);
    assert!(pending() > 0, "mallory's pushes wait all the while");
    assert_eq!(silent.most_waiting(), kith::limits::PUSHES_PER_USER_AT_ONCE);

    // Nothing of mallory's is lost, not even what had no room in memory.
    silent.be_silent(false);
    let until = Instant::now() + 12 * SOON;
    while pending() > 0 {
        assert!(Instant::now() < until, "{} still wait", pending());
        tokio::time::sleep(MOMENT).await;
    }
    let told: HashSet<_> = silent.all_requests().into_iter().map(|it| (it.path, it.headers["topic"].clone())).collect();
    assert_eq!(told.len(), DEVICES * GROUPS);
}

#[tokio::test]
async fn only_the_public_internet_is_reached() {
    let (mut world, service) = (world().await, Service::start().await);
    let [mut anna, mut bela] = world.people(["anna", "bela"]).await;
    let device = subscribe(&bela, &service).await;
    let direct = anna.direct(&bela).await;
    let good = device.subscription();
    let with = |pointer: &str, value: Value| {
        let mut told = good.clone();
        *told.pointer_mut(pointer).unwrap() = value;
        told
    };
    for (pointer, value) in [
        ("/endpoint", json!("http://push.example.org/x")),
        ("/endpoint", json!("https://10.0.0.1/x")),
        ("/endpoint", json!("https://[fd00::1]/x")),
        ("/endpoint", json!("https://localhost/x")),
        ("/endpoint", json!("https://me:secret@push.example.org/x")),
        ("/endpoint", json!(format!("https://push.example.org/{}", "x".repeat(2048)))),
        ("/endpoint", json!("nowhere")),
        ("/endpoint", json!(3)),
        ("/keys", json!([])),
        ("/keys/p256dh", json!("")),
        ("/keys/p256dh", json!("A".repeat(87))),
        ("/keys/p256dh", good["keys"]["auth"].clone()),
        ("/keys/auth", json!("AAAA")),
        ("/keys/auth", json!("A".repeat(5000))),
        ("/keys/auth", json!("!".repeat(22))),
    ] {
        let (status, problem) = bela.raw(Method::PUT, &path(&bela), Some(with(pointer, value.clone()))).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{pointer} {value}");
        assert_eq!(problem["errors"][0]["pointer"], *pointer, "{problem}");
    }
    let (status, problem) = bela.raw(Method::PUT, &path(&bela), Some(json!({}))).await;
    assert_eq!((status, &problem["errors"][0]["pointer"]), (StatusCode::BAD_REQUEST, &json!("/endpoint")));
    let (status, _) = bela.raw(Method::PUT, &path(&anna), Some(good.clone())).await;
    assert_eq!(status, StatusCode::NOT_FOUND, "another's device");
    let (status, _) = bela.raw(Method::DELETE, &path(&anna), None).await;
    assert_eq!(status, StatusCode::NOT_FOUND, "nor can it be put to sleep");
    let (status, _) = bela.raw(Method::DELETE, &path(&bela), None).await;
    assert_eq!(status, StatusCode::NO_CONTENT, "there was nothing to forget");
    // An address that was good once is looked at again before each connection.
    world.config.push.allow_loopback_for_tests = false;
    world.restart(&mut [&mut anna, &mut bela]).await;
    let (status, _) = bela.raw(Method::PUT, &path(&bela), Some(good)).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    anna.say(direct, "to nobody").await;
    settled(&world).await;
    assert_eq!(service.requests(&device).len(), 0);
}
