//! The server and the users of a measurement, and the addresses from which it connects.

use std::{
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};

use tokio::{
    net::{TcpSocket, TcpStream},
    time::timeout,
};

use crate::{
    error::{Error, Result},
    users,
};

/// Bytes that the kernel keeps for a client to send. With Linux' usual megabytes a sender would notice only after
/// thousands of messages that a server has stopped reading.
const SEND_BUFFER_BYTES: u32 = 32 * 1024;
const CONNECT_LIMIT: Duration = Duration::from_secs(30);

/// The server under load, and whose tokens speak to it.
#[derive(Debug, Clone, clap::Args)]
pub struct Target {
    /// The server's address: HOST:PORT or http://HOST:PORT, with an IP address as the host
    #[arg(long, default_value = "127.0.0.1:8080", value_parser = address)]
    pub server: SocketAddr,
    /// The prefix of the imported users' names
    #[arg(long, default_value = "bench")]
    pub prefix: String,
    /// The seed from which `kith-load users` made their tokens
    #[arg(long, default_value = "kith")]
    pub seed: String,
    /// The first of them to use, so that one server can carry several measurements
    #[arg(long, default_value_t = 0)]
    pub first_user: usize,
    /// The server's process on this machine; its memory and CPU time are read from /proc
    #[arg(long)]
    pub server_pid: Option<u32>,
    /// Connections for preparing over REST
    #[arg(long, default_value_t = 16)]
    pub rest: usize,
    /// Loopback addresses, from 127.0.0.2, that the clients come from
    #[arg(long, default_value_t = 8)]
    pub addresses: u8,
}

impl Target {
    /// Opens a connection from the source address that is `index`'s turn.
    ///
    /// # Errors
    /// Refused, or not there within 30 s.
    pub async fn connect(&self, index: usize) -> Result<TcpStream> {
        let what = || format!("cannot connect to {}", self.server);
        let socket = match self.server {
            SocketAddr::V4(_) => TcpSocket::new_v4(),
            SocketAddr::V6(_) => TcpSocket::new_v6(),
        }
        .map_err(Error::io(what()))?;
        socket.set_send_buffer_size(SEND_BUFFER_BYTES).map_err(Error::io(what()))?;
        if let SocketAddr::V4(server) = self.server
            && server.ip().is_loopback()
        {
            let turn = (index % usize::from(self.addresses.clamp(1, 250))) as u8;
            let source = SocketAddr::from((Ipv4Addr::new(127, 0, 0, 2 + turn), 0));
            socket.bind(source).map_err(Error::io(format!("cannot use the address {source}")))?;
        }
        let stream = timeout(CONNECT_LIMIT, socket.connect(self.server))
            .await
            .map_err(|_| Error::Refused(format!("{}: no answer within 30 s", what())))?
            .map_err(Error::io(what()))?;
        stream.set_nodelay(true).map_err(Error::io(what()))?;
        Ok(stream)
    }

    /// The token of the so-manieth user of this measurement.
    pub fn token(&self, user: usize) -> String {
        users::token(&self.seed, &self.prefix, self.first_user + user)
    }

    /// The name of the so-manieth user of this measurement.
    pub fn username(&self, user: usize) -> String {
        users::username(&self.prefix, self.first_user + user)
    }
}

fn address(text: &str) -> std::result::Result<SocketAddr, String> {
    let bare = text.strip_prefix("http://").unwrap_or(text).trim_end_matches('/');
    bare.replace("localhost", "127.0.0.1").parse().map_err(|_| "expected HOST:PORT with an IP address".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_may_be_a_url() {
        assert_eq!(address("http://127.0.0.1:8080/"), Ok(SocketAddr::from(([127, 0, 0, 1], 8080))));
        assert_eq!(address("localhost:1"), Ok(SocketAddr::from(([127, 0, 0, 1], 1))));
        assert!(address("https://127.0.0.1:1").is_err() && address("127.0.0.1").is_err());
    }
}
