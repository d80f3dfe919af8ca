//! Accounts are free, and bounded all the same: how many are made, what a new one may do, and who reads the list of all.

use kith::config::Config;
use kith_client::{Error, Method, Rest, StatusCode, rest::Answer};
use kith_protocol::{Code, entry::ConversationKind, limits::PAGE_ITEMS, rest::NewConversation};
use serde_json::{Value, json};

use crate::world::{PASSWORD, Person, World, raw, text};

async fn sign_up(rest: &Rest, from: Option<&str>, name: &str) -> Answer {
    let headers: Vec<_> = from.map(|from| ("x-forwarded-for", from)).into_iter().collect();
    let body = json!({ "username": name, "password": PASSWORD });
    raw(rest, Method::POST, "/v1/users", &headers, Some(body)).await
}

fn code_of(answer: &Answer) -> Value {
    serde_json::from_slice::<Value>(&answer.body).unwrap()["code"].clone()
}

fn code<T>(result: Result<T, Error>) -> Option<Code> {
    result.err().and_then(|error| error.code())
}

#[tokio::test]
async fn a_network_makes_so_many_accounts_a_day_and_others_go_on() {
    let world = World::with(|config| {
        config.limits.signups_per_day_network = 3;
        config.limits.signups_per_day = 5;
    })
    .await;
    let guest = world.guest();
    for number in 1..=3 {
        let answer = sign_up(guest, Some(&format!("198.51.100.{number}")), &format!("greedy{number}")).await;
        assert_eq!(answer.status, StatusCode::CREATED);
    }
    for from in ["198.51.100.1", "198.51.100.200"] {
        let refused = sign_up(guest, Some(from), "greedy4").await;
        assert_eq!((refused.status, code_of(&refused)), (StatusCode::TOO_MANY_REQUESTS, json!("rate_limited")));
        assert!(refused.headers["retry-after"].to_str().unwrap().parse::<u64>().unwrap() <= 24 * 3600);
    }
    // A name that is taken counts for nobody.
    let taken = sign_up(guest, Some("2001:db8:1:2300::1"), "greedy1").await;
    assert_eq!(taken.status, StatusCode::CONFLICT);
    for (from, name) in [("2001:db8:1:2300::1", "anna"), ("2001:db8:1:23ff::1", "bela")] {
        assert_eq!(sign_up(guest, Some(from), name).await.status, StatusCode::CREATED);
    }
    // All of the day's are made, but those of programs on the machine itself.
    assert_eq!(sign_up(guest, Some("203.0.113.1"), "cora").await.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(sign_up(guest, None, "cora").await.status, StatusCode::CREATED);
}

fn new_accounts(config: &mut Config) {
    config.limits.new_account_hours = 24;
    config.limits.sends_per_s = 1;
    config.limits.sends_burst = 200;
    config.limits.begins_per_day = 20;
    config.media.quota_bytes = 10_000;
}

/// Begins groups until one is refused: how many there are.
async fn groups(person: &Person) -> usize {
    for number in 0..100 {
        let new = NewConversation {
            kind: ConversationKind::Group,
            members: Vec::new(),
            title: Some(format!("group {number}")),
            expire_after_s: None,
            encryption: None,
        };
        if let Err(error) = person.rest.create_conversation(&new).await {
            assert_eq!(error.code(), Some(Code::RateLimited));
            return number;
        }
    }
    panic!("nobody was refused")
}

#[tokio::test]
async fn a_new_account_may_do_a_tenth_of_what_others_may() {
    let mut world = World::with(new_accounts).await;
    let [mut anna, mut bela] = world.people(["anna", "bela"]).await;
    let direct = anna.direct(&bela).await;
    let path = format!("/v1/conversations/{direct}/messages");
    let mut sent = 0;
    loop {
        let body = serde_json::to_value(text("x")).unwrap();
        let answer = raw(&anna.rest, Method::POST, &path, &[], Some(body)).await;
        assert!(sent < 100, "nobody was limited");
        match answer.status {
            StatusCode::CREATED => sent += 1,
            _ => {
                break assert_eq!(
                    (answer.status, answer.headers["x-ratelimit-limit"].to_str().ok()),
                    (StatusCode::TOO_MANY_REQUESTS, Some("20"))
                );
            }
        }
    }
    assert!(sent >= 20);
    // Bela's bounds are her own.
    bela.say(direct, "I am new too").await;
    // One was begun by anna already.
    assert_eq!((groups(&anna).await, groups(&bela).await), (1, 2));
    let media = async |person: &Person, bytes: usize| {
        let headers = [("content-type", "application/octet-stream")];
        person.rest.request(Method::POST, "/v1/media", &headers, vec![7; bytes]).await.unwrap()
    };
    assert_eq!(media(&anna, 900).await.status, StatusCode::CREATED);
    let refused = media(&anna, 900).await;
    assert_eq!(code_of(&refused), json!("quota_exceeded"));
    assert_eq!(media(&bela, 900).await.status, StatusCode::CREATED);

    // The day is over.
    world.config.limits.new_account_hours = 0;
    world.restart(&mut [&mut anna, &mut bela]).await;
    assert_eq!(groups(&anna).await, 18);
    assert_eq!(media(&anna, 9000).await.status, StatusCode::CREATED);
}

#[tokio::test]
async fn nobody_reads_the_list_of_all_users_off() {
    let world = World::start().await;
    let [anna, bela] = world.people(["anna", "bela"]).await;
    for number in 0..25 {
        world.person(&format!("someone{number:02}")).await;
    }
    for short in ["", "s"] {
        assert_eq!(code(anna.rest.users(short, &Default::default()).await), Some(Code::InvalidRequest));
    }
    let path = format!("/v1/users?username=some&limit={PAGE_ITEMS}");
    let (_, page) = anna.raw(Method::GET, &path, None).await;
    assert_eq!((page["items"].as_array().unwrap().len(), &page["next_cursor"]), (20, &Value::Null));
    // A whole name finds its user, whoever else begins so.
    let (_, page) = anna.raw(Method::GET, "/v1/users?username=someone24", None).await;
    assert_eq!(page["items"][0]["username"], "someone24");
    let mut found = 0;
    while anna.raw(Method::GET, "/v1/users?username=so", None).await.0 == StatusCode::OK {
        found += 1;
        assert!(found < 200, "nobody was limited");
    }
    // What anna does otherwise goes on, and so does bela's search.
    anna.rest.me().await.unwrap();
    assert_eq!(bela.raw(Method::GET, "/v1/users?username=anna", None).await.0, StatusCode::OK);
}
