//! Takes connections: TLS where there is a certificate, then HTTP, of which some become sockets.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::{
    Router,
    extract::{ConnectInfo, Request},
};
use hyper::{body::Incoming, server::conn::http1};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinSet,
    time::timeout,
};
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt;

use super::stream::{Stream, Transport};
use crate::{
    limits,
    places::{Place, Places, Visit},
};

/// The bounds of one HTTP connection.
#[derive(Clone)]
pub struct Doorway {
    /// The routes.
    pub router: Router,
    /// TLS, if there is any.
    pub tls: Option<TlsAcceptor>,
    /// The places of connections.
    pub places: Arc<Places>,
    /// Turns true when no more are to be taken.
    pub closed: watch::Receiver<bool>,
}

/// Takes connections until the doorway closes, and then waits for those that are open to finish what they ask.
pub async fn serve(listener: TcpListener, doorway: Doorway) {
    let mut closed = doorway.closed.clone();
    let mut running = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            biased;
            _ = closed.wait_for(|closed| *closed) => break,
            Some(_) = running.join_next() => continue,
            accepted = listener.accept() => accepted,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // Out of file descriptors, mostly: those who leave make room.
                tracing::warn!(%error, "a connection was not accepted");
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        match doorway.places.take(peer) {
            Ok(place) => drop(running.spawn(http(stream, peer, place, doorway.clone()))),
            Err(full) => full.count(),
        }
    }
    while running.join_next().await.is_some() {}
}

async fn http(stream: TcpStream, peer: SocketAddr, place: Place, doorway: Doorway) {
    let Doorway { router, tls, places, mut closed } = doorway;
    let visit = places.enter(&place);
    let _ = stream.set_nodelay(true);
    // A download that nobody reads must end too: the kernel sees that, and nothing else has to watch.
    let _ = rustix::net::sockopt::set_tcp_user_timeout(&stream, limits::UNREAD_MS);
    let Some(transport) = transport(stream, tls, &visit).await else { return };
    let _ = transport.bound_send(limits::HTTP_SEND_BYTES);
    let stream = Stream::http(transport, place, visit.clone());
    let asked = visit.clone();
    let service = router.map_request(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(ConnectInfo(peer));
        request.extensions_mut().insert(asked.clone());
        request
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(Duration::from_secs(limits::HTTP_HEAD_S))
        .max_buf_size(limits::HTTP_HEAD_BYTES)
        .max_headers(limits::HTTP_HEADERS)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(service))
        .with_upgrades();
    tokio::pin!(connection);
    let mut closing = false;
    loop {
        tokio::select! {
            biased;
            // What a client got wrong was answered, as far as it could be.
            _ = &mut connection => return,
            finishing = visit.told_to_go() => if !finishing {
                return;
            },
            _ = closed.wait_for(|closed| *closed), if !closing => closing = true,
        }
        // What it has asked meanwhile is answered still.
        connection.as_mut().graceful_shutdown();
    }
}

/// Opens the transport, with TLS where there is a certificate; none where that fails or the place is needed.
async fn transport(stream: TcpStream, tls: Option<TlsAcceptor>, visit: &Visit) -> Option<Transport> {
    let Some(tls) = tls else { return Some(Transport::Plain(stream)) };
    tokio::select! {
        biased;
        _ = visit.told_to_go() => None,
        accepted = timeout(Duration::from_secs(limits::HTTP_HEAD_S), tls.accept(stream)) => {
            accepted.ok()?.ok().map(|stream| Transport::Tls(Box::new(stream)))
        }
    }
}
