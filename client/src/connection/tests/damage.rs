use super::*;

#[tokio::test]
async fn of_one_that_is_damaged_nothing_is_asked_and_nothing_said_twice() {
    let door = Door::open().await;
    let (client, mut events) = door.device();
    let broken = HeadItem { damaged: true, ..head(0, 0) };
    let (mut peer, _) = door.welcome(vec![broken]).await;
    events.until(|event| (event == Event::Head(broken)).then_some(())).await;
    events.until(|event| (event == Event::CaughtUp).then_some(())).await;
    client.send(room(), "hello").unwrap();
    let ClientFrame::Send(send) = peer.hear().await else { panic!("it is sent") };
    let ServerFrame::Error(error) = refusal(&send, Code::Internal) else { unreachable!("it is one") };
    peer.say(ServerFrame::Error(ErrorFrame { damaged: true, ..error })).await;
    let failed = |event| matches!(event, Event::Failed { code: Code::Internal, .. }).then_some(());
    events.until(failed).await;
    assert_eq!(client.unsent(), 0);
}
