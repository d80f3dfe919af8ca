//! Silent connections: before hello, after it, and after the connection broke.

use std::time::Duration;

use kith_client::{Error, Socket};
use kith_protocol::{
    ClientFrame, ServerFrame,
    frame::{Ping, Watch},
    rest::PresenceState,
};
use tokio::time::timeout;

use crate::world::World;

/// Longer than every silence that the server bears.
const PATIENCE: Duration = Duration::from_secs(90);

/// The code with which the server closes a connection that says nothing.
async fn code_of_silence(socket: &mut Socket) -> u16 {
    let closed = async {
        loop {
            match socket.receive().await {
                Ok(_) => {}
                Err(Error::Closed(closed)) => return closed.code,
                Err(error) => panic!("{error}"),
            }
        }
    };
    timeout(PATIENCE, closed).await.expect("the server closes what is silent")
}

#[tokio::test]
async fn who_says_no_hello_is_closed() {
    let world = World::start().await;
    let mut socket = Socket::connect(world.guest().server()).await.unwrap();
    assert_eq!(code_of_silence(&mut socket).await, 4003);
}

#[tokio::test]
async fn who_misses_three_heartbeats_is_closed_and_gone_at_once() {
    let world = World::with(|config| config.heartbeat_ms = 5000).await;
    let anna = world.person("anna").await;
    let mut wire = anna.connect().await;
    assert_eq!(code_of_silence(&mut wire.socket).await, 4009);
    let state = anna.rest.presence(anna.id).await.unwrap().state;
    assert_eq!(state, PresenceState::Offline, "there is no grace for who was silent that long");
}

#[tokio::test]
async fn whose_connection_broke_is_gone_when_the_grace_is_over() {
    let world = World::start().await;
    let [anna, bela] = world.people(["anna", "bela"]).await;
    let belas = bela.connect().await;
    let mut annas = anna.connect().await;
    annas.say(ClientFrame::Watch(Watch { users: vec![bela.id], conversations: Vec::new() })).await;
    drop(belas.socket);
    let told = async {
        let mut states = Vec::new();
        loop {
            match timeout(Duration::from_secs(5), annas.socket.receive()).await {
                Err(_) => annas.socket.send(&ClientFrame::Ping(Ping::default())).await.unwrap(),
                Ok(Ok(ServerFrame::Presence(presence))) => {
                    states.push(presence.state);
                    if presence.state == PresenceState::Offline {
                        return states;
                    }
                }
                Ok(frame) => drop(frame.unwrap()),
            }
        }
    };
    let states = timeout(PATIENCE, told).await.expect("the grace ends");
    assert_eq!(states, [PresenceState::Online, PresenceState::Offline], "within the grace he counts as there");
}
