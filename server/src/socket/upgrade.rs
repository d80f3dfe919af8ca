//! `GET /v1/socket`: an HTTP request becomes a WebSocket, and hyper lets go of its stream.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::{Request, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{MethodRouter, get},
};
use bytes::Bytes;
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;

use super::{
    connection,
    lanes::Lanes,
    stream::{Stream, Transport},
};
use crate::{
    Error, frame,
    http::{App, auth::Guest},
    limits,
    node::Node,
    places::Visit,
};

/// The route of the socket; the `lanes` carry the connections without TLS.
pub fn route(lanes: Arc<Lanes>) -> MethodRouter<Arc<App>> {
    get(async move |State(app): State<Arc<App>>, _: Guest, request: Request| upgrade(&app.node, lanes, request))
}

/// Answers 101 and serves the connection (RFC 6455, section 4.2). Who opens it is nobody yet, and counts as their address.
fn upgrade(node: &Arc<Node>, lanes: Arc<Lanes>, mut request: Request) -> Response {
    let key = match accept(request.headers()) {
        Ok(key) => key,
        Err(detail) => {
            let mut response = Error::new(kith_protocol::Code::InvalidRequest).because(detail).into_response();
            response.headers_mut().insert(header::SEC_WEBSOCKET_VERSION, header::HeaderValue::from_static("13"));
            return response;
        }
    };
    let Some(on_upgrade) = request.extensions_mut().remove::<OnUpgrade>() else {
        return Error::new(kith_protocol::Code::InvalidRequest)
            .because("this connection cannot be upgraded")
            .into_response();
    };
    let counted = request.extensions().get::<Arc<Visit>>().and_then(|visit| visit.become_socket());
    let node = node.clone();
    tokio::spawn(async move {
        let Ok(upgraded) = on_upgrade.await else { return };
        let Ok(parts) = upgraded.downcast::<TokioIo<Stream>>() else { return };
        let (transport, place) = parts.io.into_inner().upgrade(counted);
        // Without the bounds it is served as well as any.
        let _ = transport.bound_receive(limits::SOCKET_RECEIVE_BYTES);
        let _ = transport.bound_send(limits::SOCKET_SEND_BYTES);
        match transport {
            Transport::Plain(stream) => {
                // In a box, which is gone when the connection has begun: the task lasts.
                let begin = Box::new((place, parts.read_buf, node));
                let serve = move |stream| {
                    let (place, first, node) = *begin;
                    connection::run(Stream::socket(Transport::Plain(stream), place), first, node)
                };
                if let Err(error) = lanes.carry(stream, serve) {
                    tracing::warn!(%error, "a connection was not taken over");
                }
            }
            // TLS is work for all workers. A task of its own: what the upgrade needed goes with this one.
            tls @ Transport::Tls(_) => {
                drop(tokio::spawn(connection::run(Stream::socket(tls, place), parts.read_buf, node)));
            }
        }
    });
    (
        StatusCode::SWITCHING_PROTOCOLS,
        [(header::UPGRADE, "websocket"), (header::CONNECTION, "Upgrade"), (header::SEC_WEBSOCKET_ACCEPT, key.as_str())],
        Body::from(Bytes::new()),
    )
        .into_response()
}

/// The `Sec-WebSocket-Accept` of a request that asks for a WebSocket, or what is wrong with it.
fn accept(headers: &HeaderMap) -> Result<String, &'static str> {
    let has = |name: header::HeaderName, token: &str| {
        headers.get_all(name).iter().any(|value| {
            value.to_str().is_ok_and(|value| value.split(',').any(|part| part.trim().eq_ignore_ascii_case(token)))
        })
    };
    if !has(header::CONNECTION, "upgrade") || !has(header::UPGRADE, "websocket") {
        return Err("a WebSocket handshake is expected here (RFC 6455)");
    }
    if !has(header::SEC_WEBSOCKET_VERSION, "13") {
        return Err("only version 13 of WebSocket is spoken");
    }
    let key = headers.get(header::SEC_WEBSOCKET_KEY).ok_or("Sec-WebSocket-Key is missing")?;
    frame::accept_key(key.as_bytes()).ok_or("Sec-WebSocket-Key is not 16 bytes in base64")
}
