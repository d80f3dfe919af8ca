//! Signing in while others guess: known devices are served, and nobody is locked out by their name.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use kith_client::{Method, Rest, StatusCode, rest::Answer};
use kith_protocol::rest::{ChangePassword, SignedIn};
use serde_json::{Value, json};
use tokio::{task::JoinSet, time::sleep};

use crate::world::{MOMENT, PASSWORD, Person, World, new_user, raw};

/// Attempts of the attacker, more than may wait.
const ATTEMPTS: usize = 300;

/// A server on which people are bounded as an operator who changes nothing bounds them.
async fn bounded() -> World {
    World::with(|config| config.limits.signins_per_min = 10).await
}

/// A sign-in from an address, as a proxy on the machine tells it.
async fn attempt(rest: &Rest, from: &str, name: &str, password: &str, secret: Option<&str>) -> Answer {
    let mut body = json!({ "username": name, "password": password });
    if let Some(secret) = secret {
        body["device_secret"] = json!(secret);
    }
    raw(rest, Method::POST, "/v1/sessions", &[("x-forwarded-for", from)], Some(body)).await
}

fn body(answer: &Answer) -> Value {
    serde_json::from_slice(&answer.body).expect("JSON")
}

fn signed_in(answer: &Answer) -> SignedIn {
    assert_eq!(answer.status, StatusCode::CREATED, "{}", String::from_utf8_lossy(&answer.body));
    serde_json::from_slice(&answer.body).expect("a device")
}

fn secret_of(signed_in: &SignedIn) -> String {
    signed_in.device_secret.clone().expect("every sign-in gives one")
}

/// Signs somebody up on a device that keeps its secret.
async fn known(world: &World, name: &str) -> (Person, String) {
    let signed_in = world.guest().sign_up(&new_user(name)).await.expect("a sign-up");
    let secret = secret_of(&signed_in);
    (world.signed_in(signed_in), secret)
}

/// Uses up what may be tried for a name at an address. Who is known is admitted there all the same, and only they.
async fn use_up(world: &World, from: &str, name: &str) {
    while attempt(world.guest(), from, name, "wrong horse", None).await.status != StatusCode::TOO_MANY_REQUESTS {}
}

/// Asserts whether a secret makes its device known.
async fn is_known(world: &World, from: &str, name: &str, secret: &str) -> bool {
    let answer = attempt(world.guest(), from, name, PASSWORD, Some(secret)).await;
    match answer.status {
        StatusCode::CREATED => true,
        StatusCode::TOO_MANY_REQUESTS => false,
        status => panic!("{status}"),
    }
}

#[tokio::test]
async fn a_known_device_signs_in_while_hundreds_guess() {
    let world = bounded().await;
    let (_, secret) = known(&world, "anna").await;
    let answered = Arc::new(AtomicUsize::new(0));
    let mut attack = JoinSet::new();
    for number in 0..ATTEMPTS {
        let (rest, answered) = (world.guest().clone(), answered.clone());
        attack.spawn(async move {
            let from = format!("198.{}.{}.7", 18 + number / 256, number % 256);
            let answer = attempt(&rest, &from, &format!("guess-{number}"), "wrong horse", None).await;
            answered.fetch_add(1, Ordering::Relaxed);
            answer.status
        });
    }
    // The queue is full by now: the first have had their turn, or were refused.
    while answered.load(Ordering::Relaxed) == 0 {
        sleep(MOMENT / 10).await;
    }
    let answer = attempt(world.guest(), "203.0.113.1", "anna", PASSWORD, Some(&secret)).await;
    let before = answered.load(Ordering::Relaxed);
    assert_eq!(secret_of(&signed_in(&answer)), secret);
    assert!(before < ATTEMPTS, "anna waited for all {before} of them");
    let statuses = attack.join_all().await;
    let possible = [StatusCode::UNAUTHORIZED, StatusCode::SERVICE_UNAVAILABLE];
    assert!(statuses.iter().all(|status| possible.contains(status)), "{statuses:?}");
}

#[tokio::test]
async fn nobody_locks_another_out_by_their_name() {
    let world = bounded().await;
    let (_, secret) = known(&world, "anna").await;
    for number in 0..40 {
        let guess = attempt(world.guest(), &format!("198.51.{number}.1"), "anna", "wrong horse", None).await;
        assert_eq!(guess.status, StatusCode::UNAUTHORIZED, "{}", body(&guess));
    }
    // A device of anna's, and one that is new, at an address that is.
    signed_in(&attempt(world.guest(), "203.0.113.1", "anna", PASSWORD, Some(&secret)).await);
    signed_in(&attempt(world.guest(), "203.0.113.2", "anna", PASSWORD, None).await);
    // Who goes on at one address is refused there, and nobody else with them.
    use_up(&world, "198.51.100.1", "anna").await;
    let refused = attempt(world.guest(), "198.51.100.1", "anna", PASSWORD, None).await;
    assert_eq!((refused.status, &body(&refused)["code"]), (StatusCode::TOO_MANY_REQUESTS, &json!("rate_limited")));
    assert!(refused.headers.contains_key("retry-after"));
    signed_in(&attempt(world.guest(), "198.51.100.1", "anna", PASSWORD, Some(&secret)).await);
    signed_in(&attempt(world.guest(), "203.0.113.2", "anna", PASSWORD, None).await);
}

#[tokio::test]
async fn a_device_is_known_until_its_owner_has_a_reason_that_it_is_not() {
    let world = bounded().await;
    let (first, secret) = known(&world, "anna").await;
    // A sign-out of its own: it is still the device that it was.
    first.rest.sign_out().await.unwrap();
    let at = "198.51.100.1";
    use_up(&world, at, "anna").await;
    let first = attempt(world.guest(), at, "anna", PASSWORD, Some(&secret)).await;
    let first = world.signed_in(signed_in(&first));
    let other = signed_in(&attempt(world.guest(), "203.0.113.1", "anna", PASSWORD, None).await);
    assert_ne!(secret_of(&other), secret);
    assert!(is_known(&world, at, "anna", &secret_of(&other)).await);
    assert!(!is_known(&world, at, "anna", &format!("{}x", &secret[..secret.len() - 1])).await);
    // A secret is good for its own user only.
    let (_, belas) = known(&world, "bela").await;
    assert!(!is_known(&world, at, "anna", &belas).await);

    // The device was lost: another one signs it out.
    let mut devices = first.rest.devices().await.unwrap().items;
    devices.retain(|device| device.id != first.device);
    for device in devices {
        first.rest.revoke(device.id).await.unwrap();
    }
    assert!(!is_known(&world, at, "anna", &secret_of(&other)).await);
    assert!(is_known(&world, at, "anna", &secret).await);

    // The password was: only the device that changes it is still known.
    let again = world.signed_in(signed_in(&attempt(world.guest(), at, "anna", PASSWORD, Some(&secret)).await));
    let third = signed_in(&attempt(world.guest(), "203.0.113.3", "anna", PASSWORD, None).await);
    let change = ChangePassword { old: PASSWORD.to_owned(), new: "correct mouse battery".to_owned() };
    again.rest.change_password(&change).await.unwrap();
    let change = ChangePassword { old: change.new, new: PASSWORD.to_owned() };
    again.rest.change_password(&change).await.unwrap();
    assert!(!is_known(&world, at, "anna", &secret_of(&third)).await);
    assert!(is_known(&world, at, "anna", &secret).await);
}

#[tokio::test]
async fn a_password_that_proves_who_is_there_is_guessed_no_faster_than_one_that_signs_in() {
    let world = bounded().await;
    let [anna, bela] = world.people(["anna", "bela"]).await;
    let own = &anna.rest;
    let change = json!({ "old": "wrong horse", "new": "correct mouse" });
    let mut statuses = Vec::new();
    for number in 0..14 {
        let (method, path, body) = if number % 2 == 0 {
            (Method::PUT, "/v1/users/me/password", change.clone())
        } else {
            (Method::DELETE, "/v1/users/me", json!({ "password": "wrong horse" }))
        };
        statuses.push(raw(own, method, path, &[], Some(body)).await.status);
    }
    assert_eq!(statuses[..10], [StatusCode::UNAUTHORIZED; 10]);
    assert_eq!(statuses.last(), Some(&StatusCode::TOO_MANY_REQUESTS));
    let change = ChangePassword { old: PASSWORD.to_owned(), new: "correct mouse battery".to_owned() };
    bela.rest.change_password(&change).await.unwrap();
    // What anna does with her token goes on.
    anna.rest.me().await.unwrap();
}
