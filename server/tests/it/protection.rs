//! Protection of the server: limits, keys of repeated requests, and what it says to bad input.

use kith_client::{Method, StatusCode};
use kith_protocol::{Code, ServerFrame, limits::PAGE_ITEMS};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::world::{PASSWORD, Wire, World, client_id, raw, text};

#[tokio::test]
async fn who_asks_too_much_is_told_when_to_ask_again() {
    let world = World::with(|config| {
        config.limits.requests_per_s = 1;
        config.limits.requests_burst = 5;
        config.limits.sends_per_s = 1;
        config.limits.sends_burst = 3;
    })
    .await;
    let [anna, bela] = world.people(["anna", "bela"]).await;
    let direct = anna.direct(&bela).await;
    let path = format!("/v1/conversations/{direct}/messages");
    let mut sent = Vec::new();
    let refused = loop {
        assert!(sent.len() < 50, "nobody was limited");
        let body = serde_json::to_value(text("x")).unwrap();
        let answer = raw(&anna.rest, Method::POST, &path, &[], Some(body.clone())).await;
        assert_eq!(answer.headers["x-ratelimit-limit"], "3");
        for name in ["x-ratelimit-remaining", "x-ratelimit-reset-after", "x-ratelimit-bucket"] {
            assert!(answer.headers.contains_key(name), "{name}");
        }
        if answer.status != StatusCode::CREATED {
            break answer;
        }
        sent.push(body);
    };
    assert!(sent.len() >= 3);
    assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(refused.headers["x-ratelimit-remaining"], "0");
    assert!(refused.headers["retry-after"].to_str().unwrap().parse::<u64>().unwrap() >= 1);
    let problem: Value = serde_json::from_slice(&refused.body).unwrap();
    assert_eq!((&problem["code"], &problem["retryable"]), (&json!("rate_limited"), &json!(true)));
    // What was taken is answered all the same.
    let again = raw(&anna.rest, Method::POST, &path, &[], sent.pop()).await;
    assert_eq!((again.status, &again.headers["idempotency-replayed"]), (StatusCode::CREATED, &"true".parse().unwrap()));
    // The same bucket on the socket; the other one's is their own.
    let mut wire = anna.connect().await;
    let error = loop {
        wire.send(direct, text("x")).await;
        match wire.next().await {
            ServerFrame::Error(error) => break error,
            ServerFrame::Sent(_) => {}
            frame => panic!("{frame:?}"),
        }
    };
    assert!(error.code == Code::RateLimited && error.retry_after_ms.is_some_and(|ms| ms > 0), "{error:?}");
    bela.say(direct, "not limited").await;
}

#[tokio::test]
async fn a_request_with_a_key_is_done_once() {
    let mut world = World::start().await;
    let [mut anna, mut bela] = world.people(["anna", "bela"]).await;
    let body = json!({ "kind": "group", "title": "once", "members": [bela.id.to_string()] });
    let key = [("idempotency-key", "a key of the client's")];
    let first = raw(&anna.rest, Method::POST, "/v1/conversations", &key, Some(body.clone())).await;
    assert_eq!((first.status, first.headers.get("idempotency-replayed")), (StatusCode::CREATED, None));
    for _ in 0..2 {
        let again = raw(&anna.rest, Method::POST, "/v1/conversations", &key, Some(body.clone())).await;
        assert_eq!((again.status, &again.headers["idempotency-replayed"]), (first.status, &"true".parse().unwrap()));
        assert_eq!(again.body, first.body);
        let other = raw(&anna.rest, Method::POST, "/v1/conversations", &key, Some(json!({ "kind": "group" }))).await;
        assert_eq!(other.status, StatusCode::UNPROCESSABLE_ENTITY);
        world.restart(&mut [&mut anna, &mut bela]).await;
    }
    assert_eq!(anna.connect().await.heads.len(), 1);
    // Another user's key is another key.
    let mine = json!({ "kind": "group", "title": "once", "members": [anna.id.to_string()] });
    let other = raw(&bela.rest, Method::POST, "/v1/conversations", &key, Some(mine)).await;
    assert_eq!((other.status, other.headers.get("idempotency-replayed")), (StatusCode::CREATED, None));
}

#[tokio::test]
async fn bad_input_is_named_and_changes_nothing() {
    let world = World::start().await;
    let [anna, bela] = world.people(["anna", "bela"]).await;
    let direct = anna.direct(&bela).await;
    let messages = format!("/v1/conversations/{direct}/messages");
    let many: Vec<_> = (0..101).map(|_| bela.id.to_string()).collect();
    for (path, body, pointer) in [
        ("/v1/users", json!({ "username": "x", "password": PASSWORD }), "/username"),
        ("/v1/users", json!({ "username": "cora", "password": "short" }), "/password"),
        ("/v1/users", json!({ "username": "cora" }), "/password"),
        ("/v1/conversations", json!({ "kind": "party" }), "/kind"),
        ("/v1/conversations", json!({ "kind": "group", "members": ["nobody"] }), "/members/0"),
        ("/v1/conversations", json!({ "kind": "group", "title": "x".repeat(201) }), "/title"),
        (&messages, json!({ "client_id": client_id() }), "/text"),
        (&messages, json!({ "text": "x" }), "/client_id"),
        (&messages, json!({ "client_id": "x", "text": "x" }), "/client_id"),
        (&messages, json!({ "client_id": "936da01f-9abd-4d9d-80c7-02af85c822a8", "text": "x" }), "/client_id"),
        (&messages, json!({ "client_id": client_id(), "text": "x".repeat(16_385) }), "/text"),
        (&messages, json!({ "client_id": client_id(), "text": "x", "mentions": many }), "/mentions"),
    ] {
        let (status, problem) = anna.raw(Method::POST, path, Some(body.clone())).await;
        assert_eq!((status, &problem["code"]), (StatusCode::BAD_REQUEST, &json!("invalid_request")), "{body}");
        assert_eq!(problem["errors"][0]["pointer"], pointer, "{path} {problem}");
    }
    let json_body = [("content-type", "application/json")];
    let answer = anna.rest.request(Method::POST, &messages, &json_body, "{\"text\":").await.unwrap();
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    let answer = anna.rest.request(Method::POST, &messages, &[("content-type", "text/plain")], "hello").await.unwrap();
    assert_eq!(answer.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    let answer = anna.rest.request(Method::POST, &messages, &json_body, vec![b' '; 65 * 1024]).await.unwrap();
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(anna.raw(Method::DELETE, "/v1/conversations", None).await.0, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(anna.raw(Method::GET, "/v1/nowhere", None).await.0, StatusCode::NOT_FOUND);
    assert_eq!(anna.log(direct).await.len(), 1);
    assert_eq!(anna.connect().await.heads.len(), 1);
}

#[tokio::test]
async fn a_socket_closes_with_a_code_that_says_why() {
    let world = World::start().await;
    let anna = world.person("anna").await;
    let hello = format!(r#"{{"t":"hello","token":"{}"}}"#, anna.token);
    let big = format!(r#"{{"t":"ping","x":"{}"}}"#, "x".repeat(64 * 1024));
    let no_pings = r#"{"t":"ping"}"#;
    for (said, expected) in [
        (&["hi"][..], 4002),
        (&["[]"], 4002),
        (&[&hello, "hi"], 4002),
        (&[&hello, &big], 4002),
        (&[&hello, r#"{"t":"dance"}"#], 4001),
        (&[no_pings], 4003),
        (&[r#"{"t":"hello","token":"not-a-token"}"#], 4004),
        (&[r#"{"t":"hello"}"#], 4004),
        (&[&hello, &hello], 4005),
    ] {
        let mut wire = Wire::open(anna.rest.server()).await;
        for text in said {
            wire.socket.send_text(*text).await.unwrap();
        }
        assert_eq!(wire.closed().await, expected, "{:.60?}", said);
    }
    let mut wire = anna.connect().await;
    wire.socket.send_binary(b"{}".to_vec()).await.unwrap();
    assert!([1003, 4002].contains(&wire.closed().await));
    // A bad field of a known frame is an error, and the socket stays.
    let mut wire = anna.connect().await;
    wire.socket.send_text(r#"{"t":"sync","after":3}"#).await.unwrap();
    let error = wire.error().await;
    assert_eq!((error.code, error.pointer.as_deref()), (Code::InvalidRequest, Some("/conversation")));
    wire.quiet().await;
    // Who goes on for too long is closed with 4008.
    let mut refused = 0;
    for _ in 0..2 * (100 + PAGE_ITEMS) {
        if wire.socket.send_text(no_pings).await.is_err() {
            break;
        }
        refused += 1;
    }
    assert!(refused > 100);
    assert_eq!(wire.closed().await, 4008);
}

#[tokio::test]
async fn a_cursor_that_is_none_of_ours_is_refused_or_finds_nothing() {
    let world = World::start().await;
    let anna = world.person("anna").await;
    for path in ["/v1/users/me/mentions", "/v1/users/me/conversations", "/v1/channels", "/v1/users"] {
        for cursor in ["__main__", "AAAA", "BAAA", "x", "%00", "-1", "18446744073709551615"] {
            let (status, answer) = anna.raw(Method::GET, &format!("{path}?username=a&cursor={cursor}"), None).await;
            assert!(status == 200 || answer["code"] == "invalid_request", "{path} {cursor}: {status} {answer}");
        }
    }
}

#[tokio::test]
async fn who_makes_up_methods_and_paths_leaves_no_labels() {
    const MANY: usize = 10_000;
    let world = World::start().await;
    let (mut answers, mut requests) = TcpStream::connect(world.authority()).await.unwrap().into_split();
    let asking = tokio::spawn(async move {
        for n in 0..MANY {
            let last = if n + 1 == MANY { "Connection: close\r\n" } else { "" };
            let path = if n % 2 == 0 { "/v1/info".to_owned() } else { format!("/made-up/{n}") };
            let request = format!("MADE-UP-{n} {path} HTTP/1.1\r\nHost: kith\r\n{last}\r\n");
            requests.write_all(request.as_bytes()).await.unwrap();
        }
        requests
    });
    let mut text = String::new();
    answers.read_to_string(&mut text).await.unwrap();
    drop(asking.await.unwrap());
    assert_eq!(text.matches("HTTP/1.1 40").count(), MANY);
    let metrics = world.metrics().await;
    let lines = metrics.lines().filter(|line| line.starts_with("kith_http_requests_total{")).count();
    assert!(metrics.contains(r#"method="other""#) && !metrics.to_lowercase().contains("made-up"), "a label is made up");
    assert!((1..1000).contains(&lines) && metrics.len() < 512 * 1024, "{lines} lines, {} bytes", metrics.len());
}

#[tokio::test]
async fn what_nobody_signed_in_asks_counts_against_their_address() {
    let world = World::with(|config| {
        config.limits.requests_per_s = 1;
        config.limits.requests_burst = 5;
    })
    .await;
    let made_up = Method::from_bytes(b"MADE-UP").unwrap();
    let asked = [
        (Method::GET, "/v1/nowhere"),
        (Method::DELETE, "/v1/info"),
        (made_up, "/"),
        (Method::GET, "/assets/app.js"),
        (Method::GET, "/icon.svg"),
        (Method::GET, "/v1/socket"),
        (Method::POST, "/v1/sessions"),
        (Method::PATCH, "/v1/uploads/x"),
    ];
    for (number, (method, path)) in asked.into_iter().enumerate() {
        // Each from a network of its own.
        let address = format!("198.51.{number}.1");
        let forwarded = [("x-forwarded-for", address.as_str())];
        let mut refused = None;
        for _ in 0..20 {
            let answer = raw(world.guest(), method.clone(), path, &forwarded, None).await;
            assert_eq!(answer.headers["x-ratelimit-bucket"], "address", "{method} {path}");
            assert_eq!(answer.headers["x-ratelimit-limit"], "5", "{method} {path}");
            if answer.status == StatusCode::TOO_MANY_REQUESTS {
                refused = Some(answer);
                break;
            }
        }
        let refused = refused.unwrap_or_else(|| panic!("{method} {path} may be asked for ever"));
        let problem: Value = serde_json::from_slice(&refused.body).unwrap();
        assert_eq!((&problem["code"], refused.headers.contains_key("retry-after")), (&json!("rate_limited"), true));
        // Others are answered, and who asks from the machine itself is not counted.
        let other = format!("203.0.113.{number}");
        let answer = raw(world.guest(), Method::GET, "/v1/info", &[("x-forwarded-for", &other)], None).await;
        assert_eq!(answer.status, StatusCode::OK);
        for _ in 0..20 {
            let answer = raw(world.guest(), method.clone(), path, &[], None).await;
            assert_ne!(answer.status, StatusCode::TOO_MANY_REQUESTS, "{method} {path}");
        }
    }
}
