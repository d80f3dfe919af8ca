//! The address of a server, and a connection to it: TCP, and TLS where the address says so.

use std::{sync::Arc, time::Duration};

use hyper::Uri;
use rustls::{
    ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, ServerName, pem::PemObject},
};
use rustls_platform_verifier::BuilderVerifierExt;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::TlsConnector;

use crate::{Error, limits};

/// The address of a server. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Server {
    host: String,
    port: u16,
    tls: Option<Arc<ClientConfig>>,
}

/// A connection, whatever it runs over.
pub(crate) trait Io: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Io for T {}

impl Server {
    /// The server at `http://host:port` or `https://host:port`. With `https` it must have a certificate that this machine trusts.
    ///
    /// # Errors
    /// [`Error::Protocol`] where the address is not of that form, or this machine's certificates cannot be read.
    pub fn new(url: &str) -> Result<Self, Error> {
        let (mut server, tls) = Self::parse(url)?;
        if tls {
            let config = tls_versions()?.with_platform_verifier().map_err(Error::protocol)?;
            server.tls = Some(Arc::new(config.with_no_client_auth()));
        }
        Ok(server)
    }

    /// The same, but with `https` only certificates under these roots, in PEM, are trusted.
    ///
    /// # Errors
    /// As [`Server::new`], and where a root is no certificate.
    pub fn with_roots(url: &str, pem: &[u8]) -> Result<Self, Error> {
        let (mut server, tls) = Self::parse(url)?;
        if tls {
            let mut roots = RootCertStore::empty();
            for root in CertificateDer::pem_slice_iter(pem) {
                roots.add(root.map_err(Error::protocol)?).map_err(Error::protocol)?;
            }
            server.tls = Some(Arc::new(tls_versions()?.with_root_certificates(roots).with_no_client_auth()));
        }
        Ok(server)
    }

    /// The node of the same installation at `url`, as `goaway` names it; none where the address is bad or less protected than this one.
    pub(crate) fn moved_to(&self, url: &str) -> Option<Self> {
        let (server, tls) = Self::parse(url).ok()?;
        (tls == self.tls.is_some()).then(|| Self { tls: self.tls.clone(), ..server })
    }

    /// `host:port`, which names the server in requests and to people.
    pub fn authority(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }

    fn parse(url: &str) -> Result<(Self, bool), Error> {
        let bad = || Error::protocol("expected an address such as http://127.0.0.1:8080");
        let uri: Uri = url.parse().map_err(|_| bad())?;
        let (tls, usual) = match uri.scheme_str() {
            Some("http" | "ws") => (false, 80),
            Some("https" | "wss") => (true, 443),
            _ => return Err(bad()),
        };
        let host = uri.host().filter(|host| !host.is_empty()).ok_or_else(bad)?;
        Ok((Self { host: host.to_owned(), port: uri.port_u16().unwrap_or(usual), tls: None }, tls))
    }

    /// Connects, within [`limits::CONNECT_S`].
    pub(crate) async fn dial(&self) -> Result<Box<dyn Io>, Error> {
        timeout(Duration::from_secs(limits::CONNECT_S), self.dial_slowly())
            .await
            .map_err(|_| Error::transport(format!("{} does not answer", self.authority())))?
    }

    async fn dial_slowly(&self) -> Result<Box<dyn Io>, Error> {
        let unreached = |cause| Error::transport(format!("{} cannot be reached: {cause}", self.authority()));
        let host = self.host.trim_start_matches('[').trim_end_matches(']');
        let stream = TcpStream::connect((host, self.port)).await.map_err(unreached)?;
        stream.set_nodelay(true).map_err(unreached)?;
        let Some(config) = &self.tls else { return Ok(Box::new(stream)) };
        let name = ServerName::try_from(host.to_owned()).map_err(Error::protocol)?;
        let stream = TlsConnector::from(config.clone()).connect(name, stream).await.map_err(unreached)?;
        Ok(Box::new(stream))
    }
}

fn tls_versions() -> Result<rustls::ConfigBuilder<ClientConfig, rustls::WantsVerifier>, Error> {
    ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(Error::protocol)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read() {
        for (url, authority) in [
            ("http://127.0.0.1:8080", "127.0.0.1:8080"),
            ("http://kith.example/", "kith.example:80"),
            ("https://[::1]", "[::1]:443"),
        ] {
            let server = Server::with_roots(url, b"").unwrap();
            assert_eq!((server.authority().as_str(), server.tls.is_some()), (authority, url.starts_with("https")));
        }
        for url in ["", "kith.example", "ftp://kith.example", "http://", "http://a b"] {
            assert!(Server::new(url).is_err(), "{url}");
        }
    }

    #[test]
    fn a_node_is_only_followed_to_where_it_is_as_safe() {
        let open = Server::new("http://a").unwrap();
        let safe = Server::with_roots("https://a", b"").unwrap();
        assert_eq!(safe.moved_to("wss://b:1/v1/socket").unwrap().authority(), "b:1");
        assert!(safe.moved_to("ws://b").is_none());
        assert!(open.moved_to("ws://b").is_some());
        assert!(open.moved_to("nowhere").is_none());
    }
}
