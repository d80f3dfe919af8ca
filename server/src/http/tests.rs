//! The routes, asked as HTTP, on the model of the store.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use axum::{
    body::Body,
    extract::ConnectInfo,
    http::{HeaderMap, Method, Request, StatusCode},
};
use http_body_util::BodyExt;
use kith_protocol::{limits::Limits as Stated, rest::Registration};
use serde_json::{Value, json};
use tower::ServiceExt;

use super::*;
use crate::{
    account::InvitesBy,
    config::{self, Config},
    limits,
    media::objects::Objects,
    node::Node,
    search::fts::Index,
    store::memory::Memory,
};

struct Http {
    router: Router,
}

fn objects() -> Arc<Objects> {
    Arc::new(Objects::in_memory())
}

/// An index in a folder that goes with it.
fn index() -> Arc<Index> {
    let dir = Arc::new(tempfile::tempdir().unwrap());
    Index::new(dir.path(), dir.clone())
}

fn app(config: Config) -> Arc<App> {
    App::new(Node::new(config, Arc::new(Memory::new()), objects(), index()))
}

struct Got<B = Value> {
    status: StatusCode,
    headers: HeaderMap,
    body: B,
}

impl Got {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
    fn code(&self) -> &str {
        assert_eq!(self.header("content-type"), "application/problem+json");
        assert_eq!(self.body["request_id"], self.header("x-request-id"));
        assert_eq!(self.body["status"], self.status.as_u16());
        assert_eq!(self.body["type"], format!("/v1/problems/{}", self.body["code"].as_str().unwrap()));
        self.body["code"].as_str().unwrap()
    }
    fn pointer(&self) -> &str {
        assert_eq!(self.code(), "invalid_request");
        self.body["errors"][0]["pointer"].as_str().unwrap_or("none")
    }
}

impl Http {
    fn new(config: Config) -> Self {
        Self { router: router(app(config), MethodRouter::new()) }
    }

    async fn raw(&self, request: axum::http::request::Builder, body: impl Into<Body>) -> Got {
        let got = self.whole(request, body).await;
        Got { status: got.status, headers: got.headers, body: serde_json::from_slice(&got.body).unwrap_or(Value::Null) }
    }

    async fn bytes(&self, request: axum::http::request::Builder) -> Got<Vec<u8>> {
        self.whole(request, Body::empty()).await
    }

    async fn whole(&self, request: axum::http::request::Builder, body: impl Into<Body>) -> Got<Vec<u8>> {
        let mut request = request.body(body.into()).unwrap();
        if request.extensions().get::<ConnectInfo<SocketAddr>>().is_none() {
            request.extensions_mut().insert(ConnectInfo(SocketAddr::from(([127, 0, 0, 1], 9))));
        }
        let answer = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = answer.into_parts();
        let body = body.collect().await.unwrap().to_bytes().to_vec();
        Got { status: parts.status, headers: parts.headers, body }
    }

    async fn ask(&self, method: Method, path: &str, token: &str, body: Option<Value>) -> Got {
        let mut request = Request::builder().method(method).uri(path);
        if !token.is_empty() {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        match body {
            None => self.raw(request, Body::empty()).await,
            Some(body) => self.raw(request.header("content-type", "application/json"), body.to_string()).await,
        }
    }

    async fn sign_up(&self, name: &str) -> (String, String) {
        let body = json!({ "username": name, "password": "correct horse", "device": { "name": "test" } });
        let got = self.ask(Method::POST, "/v1/users", "", Some(body)).await;
        assert_eq!(got.status, StatusCode::CREATED);
        assert_eq!(got.body["device"]["current"], true);
        (got.body["user"]["id"].as_str().unwrap().to_owned(), got.body["token"].as_str().unwrap().to_owned())
    }
}

#[tokio::test]
async fn an_account_from_its_first_day_to_its_last() {
    let http = Http::new(Config::default());
    let (anna, token) = http.sign_up("anna").await;
    let (bela, other) = http.sign_up("bela").await;

    let me = http.ask(Method::GET, "/v1/users/me", &token, None).await;
    assert_eq!((me.status, &me.body["id"], &me.body["username"]), (StatusCode::OK, &json!(anna), &json!("anna")));
    assert_eq!(me.header("cache-control"), "no-store");
    assert_eq!(me.header("x-content-type-options"), "nosniff");
    assert_eq!(me.header("x-ratelimit-bucket"), "requests");
    assert_eq!(me.header("x-ratelimit-limit"), "100");

    let body = json!({ "display_name": "Anna", "email": "anna@example.org", "new_field": 1 });
    let path = format!("/v1/users/{anna}");
    let changed = http.ask(Method::PUT, &path, &token, Some(body.clone())).await;
    assert_eq!((changed.status, &changed.body["email"]), (StatusCode::OK, &json!("anna@example.org")));
    let seen = http.ask(Method::GET, &path, &other, None).await;
    assert_eq!((&seen.body["display_name"], &seen.body["email"]), (&json!("Anna"), &Value::Null));
    assert_eq!(http.ask(Method::PUT, &path, &other, Some(body)).await.code(), "not_found");
    let found = http.ask(Method::GET, "/v1/users?username=an&limit=5", &other, None).await;
    assert_eq!(found.body["items"][0]["id"], json!(anna));

    let signed_in = json!({ "username": "anna", "password": "correct horse" });
    let second = http.ask(Method::POST, "/v1/sessions", "", Some(signed_in)).await;
    assert_eq!(second.status, StatusCode::CREATED);
    let devices = http.ask(Method::GET, "/v1/users/me/devices", &token, None).await;
    assert_eq!(devices.body["items"].as_array().unwrap().len(), 2);
    let device = devices.body["items"][1]["id"].as_str().unwrap().to_owned();
    let path = format!("/v1/users/me/devices/{device}");
    assert_eq!(http.ask(Method::DELETE, &path, &other, None).await.code(), "not_found");
    assert_eq!(http.ask(Method::DELETE, &path, &token, None).await.status, StatusCode::NO_CONTENT);
    let revoked = second.body["token"].as_str().unwrap();
    let refused = http.ask(Method::GET, "/v1/users/me", revoked, None).await;
    assert_eq!((refused.code(), refused.header("www-authenticate")), ("unauthenticated", "Bearer"));

    let block = format!("/v1/users/me/blocked/{bela}");
    assert_eq!(http.ask(Method::PUT, &block, &token, None).await.status, StatusCode::NO_CONTENT);
    assert_eq!(http.ask(Method::DELETE, &block, &token, None).await.status, StatusCode::NO_CONTENT);

    let change = json!({ "old": "correct horse", "new": "correct mouse" });
    let path = "/v1/users/me/password";
    assert_eq!(http.ask(Method::PUT, path, &token, Some(change.clone())).await.status, StatusCode::NO_CONTENT);
    assert_eq!(http.ask(Method::PUT, path, &token, Some(change)).await.code(), "wrong_password");
    let sure = json!({ "password": "correct mouse" });
    assert_eq!(http.ask(Method::DELETE, "/v1/users/me", &token, Some(sure)).await.status, StatusCode::ACCEPTED);
    assert_eq!(http.ask(Method::GET, "/v1/users/me", &token, None).await.code(), "unauthenticated");
    let gone = http.ask(Method::GET, &format!("/v1/users/{anna}"), &other, None).await;
    assert_eq!((&gone.body["deleted"], &gone.body["username"]), (&json!(true), &Value::Null));
    assert_eq!(http.ask(Method::DELETE, "/v1/sessions/current", &other, None).await.status, StatusCode::NO_CONTENT);
    assert_eq!(http.ask(Method::GET, "/v1/users/me", &other, None).await.code(), "unauthenticated");
}

#[tokio::test]
async fn bad_input_names_its_field_and_is_a_problem_document() {
    let http = Http::new(Config::default());
    let (_, token) = http.sign_up("anna").await;
    for (body, pointer) in [
        (json!({}), "/username"),
        (json!({ "username": "x", "password": "correct horse" }), "/username"),
        (json!({ "username": "cora", "password": 8 }), "/password"),
        (json!({ "username": "cora", "password": "short" }), "/password"),
        (json!({ "username": "cora", "password": "correct horse", "device": { "name": 1 } }), "/device/name"),
    ] {
        assert_eq!(http.ask(Method::POST, "/v1/users", "", Some(body)).await.pointer(), pointer);
    }
    let taken = json!({ "username": "anna", "password": "correct horse" });
    assert_eq!(http.ask(Method::POST, "/v1/users", "", Some(taken)).await.code(), "username_taken");
    for (path, pointer) in [
        ("/v1/users", "?username"),
        ("/v1/users?username=", "?username"),
        ("/v1/users?username=an&limit=0", "?limit"),
        ("/v1/users?username=an&limit=201", "?limit"),
        ("/v1/users?username=an&limit=x", "?limit"),
        ("/v1/users?username=a", "?username"),
    ] {
        assert_eq!(http.ask(Method::GET, path, &token, None).await.pointer(), pointer, "{path}");
    }
    for path in ["/", "/v1/users/me"] {
        let got = http.ask(Method::PATCH, path, &token, None).await;
        assert_eq!((got.code(), got.status.as_u16()), ("method_not_allowed", 405));
        assert!(got.header("allow").contains("GET"), "{:?}", got.headers);
    }
    for path in ["/v1", "/v1/users/you", "/v1/users/user_1", "/v1/users/%ff", "/v1/users/me/"] {
        assert_eq!(http.ask(Method::GET, path, &token, None).await.code(), "not_found", "{path}");
    }
    let post = || Request::builder().method(Method::POST).uri("/v1/sessions");
    assert_eq!(http.raw(post(), "a=b").await.code(), "unsupported_media_type");
    let json_post = || post().header("content-type", "application/json; charset=utf-8");
    let broken = http.raw(json_post(), "{").await;
    assert_eq!((broken.code(), broken.status.as_u16()), ("invalid_request", 400));
    assert_eq!(http.raw(json_post(), vec![b' '; Stated::default().body_bytes as usize + 1]).await.code(), "too_large");
    for authorization in ["", "Bearer", "Bearer ", "Basic YTpi", "Bearer kith_x", "Bearer \u{fffd}"] {
        let request = Request::builder().uri("/v1/users/me").header("authorization", authorization);
        assert_eq!(http.raw(request, Body::empty()).await.code(), "unauthenticated", "{authorization}");
    }
}

#[tokio::test]
async fn who_asks_too_often_is_told_when_to_come_back() {
    let limits =
        config::Limits { requests_per_s: 1, requests_burst: 2, signins_per_min: 2, ..config::Limits::default() };
    let http = Http::new(Config { limits, ..Config::default() });
    let (_, token) = http.sign_up("anna").await;
    let mut got = http.ask(Method::GET, "/v1/users/me", &token, None).await;
    assert_eq!((got.header("x-ratelimit-remaining"), got.header("x-ratelimit-bucket")), ("1", "requests"));
    let mut asked = Instant::now();
    for _ in 0..100 {
        asked = Instant::now();
        got = http.ask(Method::GET, "/v1/users/me", &token, None).await;
        if got.status != StatusCode::OK {
            break;
        }
    }
    assert_eq!((got.code(), got.header("x-ratelimit-remaining")), ("rate_limited", "0"));
    assert_eq!((got.header("retry-after"), &got.body["retryable"]), ("1", &json!(true)));
    // Who does not come back later, but at once, waits for each refusal.
    assert!(asked.elapsed() >= Duration::from_millis(limits::REFUSED_PAUSE_MS));

    let from = |address: &str| Request::builder().uri("/v1/info").header("x-forwarded-for", address);
    for _ in 0..100 {
        got = http.raw(from("198.51.100.7"), Body::empty()).await;
        if got.status != StatusCode::OK {
            break;
        }
    }
    assert_eq!((got.code(), got.header("x-ratelimit-bucket")), ("rate_limited", "address"));
    assert_eq!(http.raw(from("198.51.100.8"), Body::empty()).await.status, StatusCode::OK);

    let wrong = json!({ "username": "bela", "password": "correct horse" });
    for code in ["wrong_password", "wrong_password", "rate_limited"] {
        assert_eq!(http.ask(Method::POST, "/v1/sessions", "", Some(wrong.clone())).await.code(), code);
    }
}

#[tokio::test]
async fn an_idempotency_key_repeats_the_answer_and_not_the_deed() {
    let config = Config { invites_by: InvitesBy::Everyone, registration: Registration::Open, ..Config::default() };
    let http = Http::new(config);
    let (_, anna) = http.sign_up("anna").await;
    let (_, bela) = http.sign_up("bela").await;
    let post = |token: &str, key: &str| {
        let request = Request::builder().method(Method::POST).uri("/v1/invites");
        request
            .header("authorization", format!("Bearer {token}"))
            .header("content-type", "application/json")
            .header("idempotency-key", key)
    };
    let first = http.raw(post(&anna, "one"), Body::empty()).await;
    assert_eq!((first.status, first.header("idempotency-replayed")), (StatusCode::CREATED, ""));
    let again = http.raw(post(&anna, "one"), Body::empty()).await;
    assert_eq!((again.status, again.header("idempotency-replayed")), (StatusCode::CREATED, "true"));
    assert_eq!(again.body, first.body);
    assert_eq!(http.raw(post(&anna, "one"), r#"{"other":1}"#).await.code(), "idempotency_mismatch");
    for other in [post(&anna, "two"), post(&bela, "one")] {
        let got = http.raw(other, Body::empty()).await;
        assert_eq!((got.status, got.header("idempotency-replayed")), (StatusCode::CREATED, ""));
        assert_ne!(got.body["code"], first.body["code"]);
    }
    assert_eq!(http.raw(post(&anna, &"x".repeat(256)), Body::empty()).await.code(), "invalid_request");
    // Of many at once, one is the first.
    let mut storm = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let (http, request) = (Http { router: http.router.clone() }, post(&anna, "storm"));
        storm.spawn(async move { http.raw(request, Body::empty()).await });
    }
    let all = storm.join_all().await;
    assert!(all.iter().all(|got| got.body["code"] == all[0].body["code"]));
    assert_eq!(all.iter().filter(|got| got.header("idempotency-replayed").is_empty()).count(), 1);
}

#[tokio::test]
async fn whoever_may_not_invite_is_told_so() {
    let http = Http::new(Config { registration: Registration::Closed, ..Config::default() });
    let body = json!({ "username": "anna", "password": "correct horse" });
    assert_eq!(http.ask(Method::POST, "/v1/users", "", Some(body)).await.code(), "registration_closed");
    let http = Http::new(Config::default());
    let (_, token) = http.sign_up("anna").await;
    assert_eq!(http.ask(Method::POST, "/v1/invites", &token, None).await.code(), "registration_closed");
}

#[tokio::test]
async fn the_server_says_what_it_is_and_where_its_socket_is() {
    let http = Http::new(Config { name: "The <Smiths>".to_owned(), ..Config::default() });
    let info = http.ask(Method::GET, "/v1/info", "", None).await;
    assert_eq!((&info.body["name"], &info.body["protocol"]), (&json!("The <Smiths>"), &json!(1)));
    assert_eq!(info.body, http.ask(Method::GET, "/.well-known/kith", "", None).await.body);
    let at = |host: &str| Request::builder().uri("/v1/gateway?region=x").header("host", host);
    let gateway = http.raw(at("chat.example.org:8080"), Body::empty()).await;
    assert_eq!(gateway.body["url"], "ws://chat.example.org:8080/v1/socket");
    assert_eq!(http.raw(at("a\"b"), Body::empty()).await.body["url"], "ws://127.0.0.1:8080/v1/socket");
    let public = Config { public_url: Some("https://chat.example.org/".to_owned()), ..Config::default() };
    let gateway = Http::new(public).raw(at("inside"), Body::empty()).await;
    assert_eq!(gateway.body["url"], "wss://chat.example.org/v1/socket");
}

/// Built with the web client or without it: what a browser gets is one or the other, whole.
#[tokio::test]
async fn a_browser_gets_the_web_client_or_learns_how_to_get_it() {
    let http = Http::new(Config { name: "The <Smiths>".to_owned(), ..Config::default() });
    let get = |path: &str| Request::builder().uri(path);
    let page = http.bytes(get("/")).await;
    assert_eq!(page.headers["content-type"], "text/html; charset=utf-8");
    let html = String::from_utf8(page.body).unwrap();
    let policy = page.headers["content-security-policy"].to_str().unwrap();
    let Some((_, rest)) = html.split_once("src=\"/assets/") else {
        assert!(policy.contains("default-src 'none'"));
        assert!(html.contains("The &lt;Smiths&gt;") && html.contains("script/server"));
        assert_eq!(http.bytes(get("/icon.svg")).await.status, StatusCode::NOT_FOUND);
        return;
    };
    assert!(policy.starts_with("default-src 'self';") && !policy.contains("unsafe"));
    assert_eq!(page.headers["cache-control"], "no-cache");
    assert!(!html.contains("<style") && !html.contains("javascript:"), "the policy forbids code in the page");
    let script = format!("/assets/{}", rest.split('"').next().unwrap());
    let plain = http.bytes(get(&script)).await;
    assert_eq!(plain.headers["content-type"], "text/javascript; charset=utf-8");
    assert_eq!(plain.headers["cache-control"], "public, max-age=31536000, immutable");
    let small = http.bytes(get(&script).header("accept-encoding", "gzip, br;q=1.0")).await;
    assert_eq!(
        (&small.headers["content-encoding"], &small.headers["vary"]),
        (&"br".parse().unwrap(), &"accept-encoding".parse().unwrap())
    );
    assert!(small.body.len() < plain.body.len() / 2);
    let same = http.bytes(get(&script).header("if-none-match", &plain.headers["etag"])).await;
    assert_eq!((same.status, same.body.len()), (StatusCode::NOT_MODIFIED, 0));
    for nothing in ["/assets/index.html", "/assets/..%2Findex.html", "/assets/none.js"] {
        assert_eq!(http.bytes(get(nothing)).await.status, StatusCode::NOT_FOUND, "{nothing}");
    }
}

#[tokio::test]
async fn every_documented_route_is_there_and_answers_what_is_documented() {
    let http = Http::new(Config::default());
    let (_, token) = http.sign_up("anna").await;
    let document = http.ask(Method::GET, "/v1/openapi.json", "", None).await.body;
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
    for (method, pattern) in openapi::documented() {
        let method = serde_json::to_value(&method).unwrap().as_str().unwrap().to_uppercase();
        let path = pattern
            .replace("{user}", "user_01h455vb4pex5vsknk084sn02q")
            .replace("{device}", "device_01h455vb4pex5vsknk084sn02q")
            .replace("{conversation}", "conv_01h455vb4pex5vsknk084sn02q")
            .replace("{message}", "conv_01h455vb4pex5vsknk084sn02q.1")
            .replace("{emoji}", "%F0%9F%91%8D")
            .replace("{poll}", "poll_01h455vb4pex5vsknk084sn02q");
        let operation = &document["paths"][&pattern][method.to_lowercase()];
        for token in ["", &token] {
            let got = http.ask(method.parse().unwrap(), &path, token, Some(json!({}))).await;
            let documented = &operation["responses"][got.status.as_str()];
            assert!(documented.is_object(), "{method} {pattern} answers {} {}", got.status, got.body);
            assert_ne!(got.body["code"], "method_not_allowed", "{method} {pattern}");
        }
    }
    let text = document.to_string();
    for reference in text.split("\"$ref\":\"#").skip(1).map(|rest| rest.split('"').next().unwrap()) {
        assert!(document.pointer(reference).is_some(), "{reference} leads nowhere");
    }
}

#[tokio::test]
async fn a_panic_is_a_problem_of_ours() {
    let app = app(Config::default());
    let fails = Router::<Arc<App>>::new()
        .route("/", get(async || -> &'static str { panic!("as it should") }))
        .layer(CatchPanicLayer::custom(exchange::panicked))
        .layer(from_fn_with_state(app.clone(), exchange::finish))
        .with_state(app);
    let got = Http { router: fails }.raw(Request::builder().uri("/"), Body::empty()).await;
    assert_eq!((got.code(), got.status.as_u16()), ("internal", 500));
}
