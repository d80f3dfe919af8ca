//! A server from its configuration: what is opened in which order, and how it ends.

use std::{
    future::Future,
    io,
    net::SocketAddr,
    path::{Path, PathBuf},
    pin::Pin,
    sync::Arc,
    time::Duration,
};

use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use tokio::{
    net::TcpListener,
    runtime::{Builder, Runtime},
    signal::unix::{SignalKind, signal},
    sync::watch,
    task::JoinSet,
};
use tokio_rustls::TlsAcceptor;

use crate::{
    backends::{Backends, OpenError},
    config::{Config, Tls},
    http,
    node::Node,
    operator,
    socket::{
        self,
        accept::Doorway,
        lanes::{self, Lanes},
    },
    telemetry, timekeeper,
};

/// The reason why a server did not start: one line for its operator. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// An address cannot be had.
    #[error("cannot listen on {address}: {why}")]
    Address {
        /// The address.
        address: SocketAddr,
        /// The error of the operating system.
        why: io::Error,
    },
    /// The data directory cannot be had.
    #[error(transparent)]
    Data(#[from] OpenError),
    /// The operator's socket cannot be made.
    #[error("cannot make the operator's socket in {}: {why}", .dir.display())]
    Door {
        /// The folder.
        dir: PathBuf,
        /// The error of the operating system.
        why: io::Error,
    },
    /// The certificate or its key cannot be used.
    #[error("cannot use {} for TLS: {why}", .file.display())]
    Certificate {
        /// The file.
        file: PathBuf,
        /// The error.
        why: String,
    },
    /// The data cannot be read.
    #[error("cannot read what is kept: {0}")]
    Recovery(crate::Error),
}

/// A server that runs.
pub struct Server {
    /// The address to which people connect.
    pub address: SocketAddr,
    /// The address to which the operator does.
    pub operator_address: SocketAddr,
    node: Arc<Node>,
    /// The threads of the sockets.
    lanes: Arc<Lanes>,
    released: Pin<Box<dyn Future<Output = ()> + Send>>,
    stop: watch::Sender<bool>,
    tasks: JoinSet<()>,
}

impl Server {
    /// Starts a server. The addresses are taken first and the data directory is opened then, so that a server which
    /// cannot start has touched nothing.
    ///
    /// # Errors
    /// [`StartError`], one line for the operator.
    pub async fn start(config: Config) -> Result<Self, StartError> {
        let metrics = telemetry::metrics();
        let listener = listen(config.listen).await?;
        let operator_listener = listen(config.operator_listen).await?;
        let backends = Arc::new(Backends::open(&config.data_dir)?);
        let released = Box::pin(backends.released());
        let tls = tls(&config.tls)?;
        let node = Node::new(config.clone(), backends.store(), backends.objects(), backends.index());
        timekeeper::open(&*backends.store()).await.map_err(|error| StartError::Recovery(error.into()))?;
        node.instance().await.map_err(StartError::Recovery)?;
        node.open().await.map_err(StartError::Recovery)?;
        let dir = config.data_dir.clone();
        let door = operator::bind(&dir).map_err(|why| StartError::Door { dir, why })?;

        let here = |listener: &TcpListener, asked| listener.local_addr().unwrap_or(asked);
        let address = here(&listener, config.listen);
        let operator_address = here(&operator_listener, config.operator_listen);
        let (stop, stopping) = watch::channel(false);
        let mut tasks = JoinSet::new();
        let probes = operator::router(backends.store(), node.clone(), metrics.clone());
        let commands = operator::door(operator::Operations::new(node.clone(), backends, stopping.clone()));
        let stopped = || {
            let mut stopping = stopping.clone();
            async move {
                let _ = stopping.wait_for(|stop| *stop).await;
            }
        };
        let (app, lanes) = (http::App::new(node.clone()), Arc::new(Lanes::start()));
        let router = http::router(app.clone(), socket::upgrade::route(lanes.clone()));
        let doorway = Doorway { router, tls, places: node.places.clone(), closed: stopping.clone() };
        tasks.spawn(socket::accept::serve(listener, doorway));
        let serving = axum::serve(operator_listener, probes).with_graceful_shutdown(stopped());
        tasks.spawn(async move { ended("operator", serving.await) });
        let operator::Bound { listener: socket, file } = door;
        let serving = axum::serve(socket, commands).with_graceful_shutdown(stopped());
        tasks.spawn(async move {
            ended("door", serving.await);
            drop(file);
        });
        let done = stopped();
        let node_run = node.clone().run();
        tasks.spawn(async move {
            tokio::select! {
                biased;
                () = done => {}
                () = node_run => {}
                () = app.run() => {}
                () = upkeep(&metrics) => {}
            }
        });
        tracing::info!(%address, operator = %operator_address, "listening");
        Ok(Self { address, operator_address, node, lanes, released, stop, tasks })
    }

    /// Ends the server: takes no more connections, tells clients to go elsewhere, finishes what was begun, and writes what
    /// is in memory. What is not finished within `limit` of that is cut off. Then another may have the data directory.
    pub async fn stop(mut self, limit: Duration) {
        self.stop.send_replace(true);
        self.node.drain().await;
        let all = async { while self.tasks.join_next().await.is_some() {} };
        if tokio::time::timeout(limit, all).await.is_err() {
            tracing::warn!("some connections did not end in time");
            self.tasks.shutdown().await;
        }
        self.lanes.stop();
        drop(self.node);
        // What still ends on its own holds the store until it has.
        if tokio::time::timeout(limit, self.released).await.is_err() {
            tracing::warn!("the data directory was not released in time");
        }
        tracing::info!("stopped");
    }
}

/// The runtime of a server: its workers have the cores that the lanes leave.
///
/// # Errors
/// When the system gives no threads.
pub fn runtime() -> io::Result<Runtime> {
    let workers = lanes::cores().saturating_sub(lanes::count()).max(1);
    Builder::new_multi_thread().worker_threads(workers).enable_all().build()
}

/// Runs a server until the process is told to end. `started` is told where it listens.
///
/// # Errors
/// [`StartError`], one line for the operator.
pub async fn serve(config: Config, started: impl FnOnce(&Server)) -> Result<(), StartError> {
    let drain = Duration::from_secs(config.drain_s.into());
    let server = Server::start(config).await?;
    let mut terminate = signal(SignalKind::terminate()).expect("a process may ask for its signals");
    let mut interrupt = signal(SignalKind::interrupt()).expect("a process may ask for its signals");
    // Whoever is told of it may end it at once.
    started(&server);
    tokio::select! {
        biased;
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    server.stop(drain).await;
    Ok(())
}

/// TLS from the certificate and key files, in PEM; none where there are none.
fn tls(files: &Tls) -> Result<Option<TlsAcceptor>, StartError> {
    let (Some(certificate), Some(key)) = (&files.certificate, &files.key) else { return Ok(None) };
    let bad = |file: &Path, why: String| StartError::Certificate { file: file.to_owned(), why };
    let chain = CertificateDer::pem_file_iter(certificate)
        .and_then(|chain| chain.collect::<Result<Vec<_>, _>>())
        .map_err(|why| bad(certificate, why.to_string()))?;
    let private = PrivateKeyDer::from_pem_file(key).map_err(|why| bad(key, why.to_string()))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, private));
    let mut config = config.map_err(|why| bad(certificate, why.to_string()))?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Some(TlsAcceptor::from(Arc::new(config))))
}

async fn listen(address: SocketAddr) -> Result<TcpListener, StartError> {
    TcpListener::bind(address).await.map_err(|why| StartError::Address { address, why })
}

fn ended(what: &str, result: io::Result<()>) {
    if let Err(error) = result {
        tracing::error!(what, %error, "no longer served");
    }
}

/// Keeps the memory of the metrics bounded.
async fn upkeep(metrics: &metrics_exporter_prometheus::PrometheusHandle) {
    let mut every = tokio::time::interval(Duration::from_secs(5));
    loop {
        every.tick().await;
        metrics.run_upkeep();
    }
}
