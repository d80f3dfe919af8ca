//! Takes connections: TLS where there is a certificate, then HTTP, of which some become sockets.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{Extension, Router, extract::ConnectInfo};
use hyper::server::conn::http1;
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

use super::stream::Stream;
use crate::limits;

/// What one HTTP connection may be.
pub struct Doorway {
    /// The routes.
    pub router: Router,
    /// TLS, if there is any.
    pub tls: Option<TlsAcceptor>,
    /// Connections at a time, sockets not counted, which count themselves.
    pub connections: usize,
    /// Turns true when no more are to be taken.
    pub closed: watch::Receiver<bool>,
}

/// Takes connections until the doorway closes, and then waits for those that are open to finish what they ask.
pub async fn serve(listener: TcpListener, doorway: Doorway) {
    let Doorway { router, tls, connections, mut closed } = doorway;
    let open = Arc::new(AtomicUsize::new(0));
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
        if open.load(Ordering::Relaxed) >= connections {
            metrics::counter!("kith_connections_refused_total").increment(1);
            continue;
        }
        let place = Place::take(&open);
        let (router, tls, closed) = (router.clone(), tls.clone(), closed.clone());
        running.spawn(async move {
            let _place = place;
            http(stream, peer, router, tls, closed).await;
        });
    }
    while running.join_next().await.is_some() {}
}

/// One of the connections that may be open.
struct Place(Arc<AtomicUsize>);

impl Place {
    fn take(open: &Arc<AtomicUsize>) -> Self {
        open.fetch_add(1, Ordering::Relaxed);
        Self(open.clone())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

async fn http(
    stream: TcpStream,
    peer: SocketAddr,
    router: Router,
    tls: Option<TlsAcceptor>,
    mut closed: watch::Receiver<bool>,
) {
    let _ = stream.set_nodelay(true);
    // A download that nobody reads must end too: the kernel sees that, and nothing else has to watch.
    let _ = rustix::net::sockopt::set_tcp_user_timeout(&stream, limits::UNREAD_MS);
    let stream = match tls {
        None => Stream::Plain(stream),
        Some(tls) => match timeout(Duration::from_secs(limits::HTTP_HEAD_S), tls.accept(stream)).await {
            Ok(Ok(stream)) => Stream::Tls(Box::new(stream)),
            _ => return,
        },
    };
    let service = TowerToHyperService::new(router.layer(Extension(ConnectInfo(peer))));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(Duration::from_secs(limits::HTTP_HEAD_S))
        .max_buf_size(limits::HTTP_HEAD_BYTES)
        .max_headers(limits::HTTP_HEADERS)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    tokio::pin!(connection);
    tokio::select! {
        biased;
        // What a client got wrong was answered, as far as it could be.
        _ = &mut connection => return,
        _ = closed.wait_for(|closed| *closed) => connection.as_mut().graceful_shutdown(),
    }
    let _ = connection.await;
}
