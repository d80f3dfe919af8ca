//! `kith-chat` in a pipe, against a server that follows a script: anna signs in, writes to bert, and comes back.

use std::{
    path::Path,
    process::{Output, Stdio},
};

use futures_util::{SinkExt, StreamExt};
use kith_protocol::{
    ClientFrame, ConversationId, DeviceId, ServerFrame, Timestamp, UserId, Uuid,
    frame::{Entries, Heads, Pong, Ready, Sent},
    rest::HeadItem,
};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    process::Command,
};
use tokio_tungstenite::{accept_async, tungstenite::Message};

fn anna() -> UserId {
    UserId::new(Uuid::from_u128(1))
}

fn bert() -> UserId {
    UserId::new(Uuid::from_u128(2))
}

fn device() -> DeviceId {
    DeviceId::new(Uuid::from_u128(3))
}

fn room() -> ConversationId {
    ConversationId::new(Uuid::from_u128(7))
}

fn at(second: u64) -> Timestamp {
    Timestamp::from_millis(1_770_000_000_000 + second * 1000)
}

fn profile(user: UserId, name: &str) -> Value {
    json!({"id": user, "username": name, "display_name": name})
}

/// The answer of each route; anna's password is right, and her token too.
fn answer(request: &str) -> Value {
    let member = |user: UserId| json!({"user": user, "role": "member", "since": 1});
    let info = json!({
        "id": room(), "kind": "direct", "writers": "everyone", "rev": 1, "head": 2, "members": 2,
        "role": "member", "since": 1, "created_at": at(0),
    });
    let participants = format!("GET /v1/conversations/{}/participants", room());
    match request {
        "POST /v1/sessions" => json!({
            "user": profile(anna(), "anna"),
            "device": {"id": device(), "name": "", "platform": "", "created_at": at(0)},
            "token": "the-token",
        }),
        "GET /v1/users/me" => profile(anna(), "anna"),
        "GET /v1/users?username=bert" => json!({"items": [profile(bert(), "bert")]}),
        "GET /v1/users/me/conversations" => json!({"items": []}),
        "GET /v1/users/me/requests" => json!({"items": [{
            "kind": "group", "title": "Free \u{1b}coins", "id": room(), "rev": 1, "head": 2, "read": 1, "delivered": 1, "unread": 1,
            "mentions": 0, "pinned": false, "archived": false, "last": message_of_bert(2, "only \u{1b} today"),
            "request": {"from": bert(), "at": at(2)},
        }]}),
        "POST /v1/conversations" => info,
        path if path == format!("PUT /v1/users/me/requests/{}", room()) => json!({}),
        "POST /v1/reports" => json!({"id": kith_protocol::ReportId::from_bytes([5; 16])}),
        path if path == participants => json!({"items": [member(anna()), member(bert())]}),
        path if path == format!("GET /v1/conversations/{}", room()) => info,
        path if path == format!("GET /v1/users/{}", bert()) => profile(bert(), "bert"),
        path if path == format!("GET /v1/users/{}", anna()) => profile(anna(), "anna"),
        "GET /v1/users?username=eve" => json!({
            "type": "/problems/blocked", "title": "", "status": 403, "detail": "no \u{1b}]0;mine\u{7}\u{9b}2J", "code": "blocked",
            "request_id": "r", "retryable": false,
        }),
        other => panic!("an unexpected request: {other}"),
    }
}

async fn serve(stream: TcpStream) {
    let mut start = [0; 14];
    while stream.peek(&mut start).await.is_ok_and(|read| 0 < read && read < start.len()) {
        tokio::task::yield_now().await;
    }
    if start.starts_with(b"GET /v1/socket") { speak(stream).await } else { rest(stream).await }
}

async fn rest(stream: TcpStream) {
    let mut stream = BufReader::new(stream);
    let mut first = String::new();
    while stream.read_line(&mut first).await.is_ok_and(|read| read > 0) {
        let (mut length, mut line) = (0, String::new());
        while stream.read_line(&mut line).await.is_ok() && line != "\r\n" {
            if let Some(value) = line.to_lowercase().strip_prefix("content-length: ") {
                length = value.trim().parse().unwrap();
            }
            line.clear();
        }
        stream.read_exact(&mut vec![0; length]).await.unwrap();
        let body = answer(first.trim_end().trim_end_matches(" HTTP/1.1"));
        let (status, body) = (body["status"].as_u64().unwrap_or(200), body.to_string());
        let text = format!("HTTP/1.1 {status} x\r\ncontent-length: {}\r\n\r\n{body}", body.len());
        stream.write_all(text.as_bytes()).await.unwrap();
        first.clear();
    }
}

/// Bert has written something that anna has not read, with something in it that would clear her terminal.
async fn speak(stream: TcpStream) {
    let mut socket = accept_async(stream).await.unwrap();
    while let Some(Ok(message)) = socket.next().await {
        let Message::Text(text) = message else { continue };
        let frames = match ClientFrame::decode(&text).unwrap() {
            ClientFrame::Hello(hello) => {
                assert_eq!(hello.token.as_deref(), Some("the-token"));
                let ready = Ready {
                    user: anna(),
                    device: device(),
                    node: "n".into(),
                    heartbeat_ms: 10_000,
                    degraded: vec![],
                    instance: None,
                };
                let (read, delivered, unread, mentions, peer) = (1, 1, 1, 0, None);
                let head =
                    HeadItem { id: room(), rev: 1, head: 3, read, delivered, unread, mentions, peer, damaged: false };
                vec![
                    ServerFrame::Ready(ready),
                    ServerFrame::Heads(Heads { conversations: vec![head], more: false, instance: None }),
                    ServerFrame::Entries(Entries {
                        conversation: room(),
                        entries: vec![
                            message_of_bert(1, "old"),
                            message_of_bert(2, "new \u{1b}[2J"),
                            entry_of_bert(
                                3,
                                "reaction",
                                &json!({"target": 1, "emoji": "\u{9d}52;c;aGk=\u{9c}", "on": true}),
                            ),
                        ],
                        head: 3,
                        more: false,
                        ahead: false,
                    }),
                ]
            }
            ClientFrame::Ping(_) => vec![ServerFrame::Pong(Pong { at: at(9) })],
            ClientFrame::Send(send) => {
                let client_id = send.message.client_id;
                vec![ServerFrame::Sent(Sent {
                    client_id,
                    conversation: send.conversation,
                    seq: 4,
                    at: at(4),
                    true_at: None,
                })]
            }
            _ => vec![],
        };
        for frame in frames {
            socket.send(Message::text(serde_json::to_string(&frame).unwrap())).await.unwrap();
        }
    }
}

fn message_of_bert(seq: u64, text: &str) -> kith_protocol::Entry {
    entry_of_bert(seq, "message", &json!({"text": text}))
}

fn entry_of_bert(seq: u64, kind: &str, body: &Value) -> kith_protocol::Entry {
    let entry = json!({
        "id": format!("{}.{seq}", room()), "conversation": room(), "seq": seq, "sender": bert(), "at": at(seq),
        "kind": kind, "body": body,
    });
    serde_json::from_value(entry).unwrap()
}

async fn chat(server: &str, state: &Path, password: Option<&str>, lines: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kith-chat"));
    command.args(["--server", server, "--name", "anna"]).env("XDG_STATE_HOME", state).env_remove("KITH_PASSWORD");
    if let Some(password) = password {
        command.env("KITH_PASSWORD", password);
    }
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(lines.as_bytes()).await.unwrap();
    child.wait_with_output().await.unwrap()
}

#[tokio::test]
async fn anna_writes_in_a_pipe_and_comes_back_without_her_password() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let server = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream));
        }
    });
    let state = std::env::temp_dir().join(format!("kith-chat-story-{}", std::process::id()));

    let output = chat(&server, &state, None, "").await;
    assert!(!output.status.success() && String::from_utf8_lossy(&output.stderr).contains("KITH_PASSWORD"));

    let output = chat(
        &server,
        &state,
        Some("open sesame"),
        "/open bert\nhello bert\n/dance\n/requests\n/accept 1\n/decline 2\n/report rude\n/open eve\n",
    )
    .await;
    let shown = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{shown}{}", String::from_utf8_lossy(&output.stderr));
    for line in [
        "— bert is open",
        "— connected",
        "bert: new \u{fffd}[2J",
        "bert reacted \u{fffd}52;c;aGk=\u{fffd}",
        "anna: hello bert",
        "✓ sent",
        "/help lists",
        "✗ no \u{fffd}]0;mine\u{fffd}\u{fffd}2J",
        "— a request waits for your answer",
        "  1  bert added you to [Free \u{fffd}coins] only \u{fffd} today",
        "— accepted",
        "no such number",
        "— reported to who runs the server",
    ] {
        assert!(shown.contains(line), "{line} is missing in:\n{shown}");
    }
    let steers = |char: char| char.is_control() && char != '\n';
    assert!(!shown.contains("bert: old") && !shown.contains(steers), "{shown}");

    let output = chat(&server, &state, None, "").await;
    let shown = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success() && shown.contains("[bert] bert: new"), "{shown}");
    std::fs::remove_dir_all(state).unwrap();
}
