//! The fate of received entries: put into the timeline, asked for again, or let go.

use super::*;

#[tokio::test]
async fn a_message_expires_by_the_server_s_time_whatever_the_device_s_clock_says() {
    let door = Door::open().await;
    let (_client, mut events) = door.device();
    let (mut peer, _) = door.welcome(vec![head(0, 0)]).await;
    // Late in the year 9999, which no device's clock says.
    let time = |millis| Timestamp::from_millis(Timestamp::MAX.millis() - 10_000 + millis);
    let at = |millis| ServerFrame::Pong(Pong { at: time(millis) });
    let short = Entry { expires_at: Some(time(5000)), ..entry(1) };
    peer.say(ServerFrame::Entry(EntryFrame { conversation: room(), entry: short })).await;
    peer.say(at(4999)).await;
    peer.say(live(2)).await;
    peer.say(at(5000)).await;
    let mut seen = Vec::new();
    while seen.len() < 3 {
        match events.next().await {
            Event::Entry(entry) => seen.push(entry.seq),
            Event::Expired(id) => seen.push(100 + id.seq),
            _ => {}
        }
    }
    assert_eq!(seen, [1, 2, 101]);
}

#[tokio::test]
async fn a_gap_is_repaired() {
    let door = Door::open().await;
    let (client, mut events) = door.device();
    let (mut peer, _) = door.welcome(vec![head(1, 9)]).await;
    peer.say(entries(1..=1, 1)).await;
    assert_eq!(events.seqs(1).await, [1]);
    events.until(|event| (event == Event::CaughtUp).then_some(())).await;
    for seq in [1, 4, 3] {
        peer.say(live(seq)).await;
    }
    assert_eq!(peer.hear().await, sync(1));
    peer.say(entries(2..=4, 4)).await;
    peer.say(live(5)).await;
    assert_eq!(events.seqs(4).await, [2, 3, 4, 5]);
    let log = client.look(|timeline| timeline.log(room()).map(|entry| entry.seq).collect::<Vec<_>>()).await;
    assert_eq!(log, Ok(vec![1, 2, 3, 4, 5]));
}
