//! Calls against a server that follows a script, byte by byte.

use kith_protocol::Code;
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
};

use super::*;

async fn open() -> (TcpListener, Rest) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let server = Server::new(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
    (listener, Rest::new(server))
}

async fn accept(listener: &TcpListener) -> BufReader<TcpStream> {
    BufReader::new(listener.accept().await.unwrap().0)
}

/// The next request on a connection: its lines in lower case, and its body.
async fn hear(stream: &mut BufReader<TcpStream>) -> (Vec<String>, String) {
    let mut lines = Vec::new();
    let mut length = 0;
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await.unwrap();
        let line = line.trim_end().to_lowercase();
        if line.is_empty() {
            break;
        }
        if let Some(value) = line.strip_prefix("content-length: ") {
            length = value.parse().unwrap();
        }
        lines.push(line);
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.unwrap();
    (lines, String::from_utf8(body).unwrap())
}

async fn answer(stream: &mut BufReader<TcpStream>, head: &str, body: &str) {
    let text = format!("HTTP/1.1 {head}\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    stream.write_all(text.as_bytes()).await.unwrap();
}

#[tokio::test]
async fn calls_share_a_connection_until_it_is_closed() {
    let (listener, rest) = open().await;
    let rest = rest.with_token("secret").unwrap();
    let served = async {
        let mut stream = accept(&listener).await;
        for _ in 0..2 {
            let (lines, _) = hear(&mut stream).await;
            assert_eq!(lines[0], "post /v1/invites http/1.1");
            assert!(lines.contains(&"authorization: bearer secret".to_owned()), "{lines:?}");
            let body = r#"{"code":"c","expires_at":"2026-01-31T12:34:56.789Z","new":1}"#;
            answer(&mut stream, "201 Created", body).await;
        }
        drop(stream);
        let mut stream = accept(&listener).await;
        hear(&mut stream).await;
        answer(&mut stream, "204 No Content", "").await;
    };
    let called = async {
        for _ in 0..2 {
            assert_eq!(rest.invite().await.unwrap().code, "c");
        }
        rest.sign_out().await.unwrap();
    };
    tokio::join!(served, called);
}

#[tokio::test]
async fn a_refusal_tells_its_code_and_when_to_come_again() {
    let (listener, rest) = open().await;
    let served = async {
        let mut stream = accept(&listener).await;
        hear(&mut stream).await;
        let body = r#"{"type":"about:blank","title":"t","status":429,"detail":"slower","code":"rate_limited","request_id":"r","retryable":true}"#;
        answer(&mut stream, "429 Too Many Requests\r\nretry-after: 3", body).await;
        hear(&mut stream).await;
        let later = body.replace("rate_limited", "stale_epoch").replace("429", "409");
        answer(&mut stream, "409 Conflict", &later).await;
        hear(&mut stream).await;
        answer(&mut stream, "502 Bad Gateway", "<html>").await;
        hear(&mut stream).await;
        answer(&mut stream, "200 OK", "{}").await;
        hear(&mut stream).await;
        let endless = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", limits::ANSWER_BYTES + 1);
        stream.write_all(endless.as_bytes()).await.unwrap();
        stream
    };
    let called = async {
        let error = rest.me().await.unwrap_err();
        assert_eq!((error.code(), error.retry_after()), (Some(Code::RateLimited), Some(Duration::from_secs(3))));
        assert_eq!(error.to_string(), "slower");
        let error = rest.me().await.unwrap_err();
        assert_eq!((error.code(), error.to_string().as_str()), (Some(Code::Unknown), "slower"));
        assert!(matches!(error, Error::Problem { problem, .. } if problem.retryable && problem.status == 409));
        for _ in 0..3 {
            assert!(matches!(rest.me().await, Err(Error::Protocol(_))));
        }
    };
    tokio::join!(served, called);
}

#[tokio::test]
async fn a_server_that_is_not_there_is_said_so() {
    let (listener, rest) = open().await;
    drop(listener);
    assert!(matches!(rest.info().await, Err(Error::Transport(_))));
}
