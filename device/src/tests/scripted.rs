//! A device against a server that follows a script.

use kith_protocol::{
    InstanceId,
    entry::MemberRemoved,
    frame::{Change, ConversationFrame, Reset},
};

use super::*;
use crate::limits;

fn failed(events: Vec<Event>) -> Vec<(Uuid, Code)> {
    let failed = |event| if let Event::Failed { client_id, code, .. } = event { Some((client_id, code)) } else { None };
    events.into_iter().filter_map(failed).collect()
}

#[test]
fn one_s_own_message_needs_no_receipt_but_what_else_one_did_does() {
    let mut desk = Desk::connected(vec![head(0, 0)]);
    let own = |seq, body| {
        let entry = Entry { sender: anna(), body, ..entry(seq) };
        ServerFrame::Entry(EntryFrame { conversation: room(), entry })
    };
    let text = Body::Message(Text { text: "from another device".into(), ..Text::default() });
    desk.take(own(1, text));
    assert_eq!(desk.seqs(), [1]);
    desk.quiet();
    desk.take(own(2, Body::MemberRemoved(MemberRemoved { user: bert(), by: anna() })));
    assert_eq!(desk.hear(), delivered(2));
}

#[test]
fn it_pulls_what_a_hello_does_not_bring_page_by_page() {
    let mut desk = Desk::connected(vec![head(7, 7)]);
    desk.take(entries(1..=2, 7));
    for after in [2, 4, 6] {
        assert_eq!(desk.hear(), sync(after));
        desk.take(entries(after + 1..=(after + 2).min(7), 7));
    }
    desk.quiet();
    let told = desk.events();
    let last = told.iter().rposition(|event| matches!(event, Event::Entry(entry) if entry.seq == 7));
    let caught_up: Vec<_> = told.iter().enumerate().filter(|(_, event)| **event == Event::CaughtUp).collect();
    assert_eq!(caught_up.len(), 1);
    assert!(Some(caught_up[0].0) > last, "{told:?}");
}

#[test]
fn a_refusal_that_may_pass_is_tried_again_and_nothing_overtakes_it() {
    let mut desk = Desk::connected(vec![]);
    for id in 1..=3 {
        desk.command(Command::Send(room(), message(id, "hello")));
    }
    for code in [Code::RateLimited, Code::Overloaded] {
        let send = desk.hear_send();
        assert_eq!(send.message.client_id, Uuid::from_u128(1));
        desk.take(ServerFrame::Error(refusal(&send, code)));
    }
    let send = desk.hear_send();
    assert_eq!(send.message.client_id, Uuid::from_u128(1));
    desk.take(sent(&send, 1));
    let send = desk.hear_send();
    assert_eq!(send.message.client_id, Uuid::from_u128(2));
    desk.take(ServerFrame::Error(refusal(&send, Code::Blocked)));
    assert_eq!(desk.hear_send().message.client_id, Uuid::from_u128(3));
    assert_eq!(failed(desk.events()), [(Uuid::from_u128(2), Code::Blocked)]);
    assert_eq!(desk.device.unsent(), 1);
}

#[test]
fn a_full_disk_is_told_after_a_few_tries() {
    let mut desk = Desk::connected(vec![]);
    for id in [1, 2] {
        desk.command(Command::Send(room(), message(id, "hello")));
    }
    for name in [1, 2].map(Uuid::from_u128) {
        for _ in 0..limits::STORAGE_FULL_TRIES {
            let send = desk.hear_send();
            assert_eq!(send.message.client_id, name);
            desk.take(ServerFrame::Error(refusal(&send, Code::StorageFull)));
        }
        assert_eq!(failed(desk.events()), [(name, Code::StorageFull)]);
    }
    assert_eq!(desk.device.unsent(), 0);
}

#[test]
fn pointers_are_repeated_where_the_server_lost_them() {
    let mut desk = Desk::connected(vec![head(3, 0)]);
    desk.take(entries(1..=3, 3));
    assert_eq!(desk.hear(), delivered(3));
    desk.command(Command::Read(room(), 2));
    let read = ClientFrame::Read(Pointer { conversation: room(), seq: 2 });
    assert_eq!(desk.hear(), read);
    desk.connect(vec![head(3, 1)]);
    assert_eq!([desk.hear(), desk.hear()], [read, delivered(3)]);
}

#[test]
fn after_a_reset_it_says_again_what_it_has() {
    let mut desk = Desk::connected(vec![head(2, 2)]);
    desk.take(entries(1..=2, 2));
    assert_eq!(desk.seqs(), [1, 2]);
    desk.take(ServerFrame::Reset(Reset { spread_ms: 1 }));
    assert_eq!(desk.hear(), ClientFrame::Hello(Hello { token: None, have: vec![(room(), 2)], ..Hello::default() }));
    desk.take(heads(vec![head(3, 3)]));
    assert_eq!(desk.hear(), sync(2));
    desk.take(entries(3..=3, 3));
    assert_eq!(desk.seqs(), [3]);
}

#[test]
fn one_who_was_removed_asks_no_more() {
    let mut desk = Desk::connected(vec![head(9, 9)]);
    assert_eq!(desk.hear(), sync(0));
    let nothing = SendFrame { conversation: room(), message: message(1, "") };
    let error = ErrorFrame { reference: Some("sync".into()), client_id: None, ..refusal(&nothing, Code::NotFound) };
    desk.take(ServerFrame::Error(error));
    let frame = ConversationFrame { id: room(), rev: 9, change: Change::Left };
    desk.take(ServerFrame::Conversation(frame));
    desk.quiet();
    let told = desk.events();
    assert!(told.contains(&Event::ConversationChanged(frame)) && told.contains(&Event::CaughtUp), "{told:?}");
    assert_eq!(desk.device.timeline().lacks().count(), 0);
}

#[test]
fn of_one_that_is_damaged_nothing_is_asked_and_nothing_said_twice() {
    let broken = HeadItem { damaged: true, ..head(0, 0) };
    let mut desk = Desk::connected(vec![broken]);
    desk.quiet();
    let told = desk.events();
    assert!(told.contains(&Event::Head(broken)) && told.contains(&Event::CaughtUp), "{told:?}");
    desk.command(Command::Send(room(), message(1, "hello")));
    let send = desk.hear_send();
    desk.take(ServerFrame::Error(ErrorFrame { damaged: true, ..refusal(&send, Code::Internal) }));
    assert_eq!(failed(desk.events()), [(Uuid::from_u128(1), Code::Internal)]);
    assert_eq!(desk.device.unsent(), 0);
    desk.quiet();
}

#[test]
fn a_message_expires_by_the_server_s_time_whatever_the_device_s_clock_says() {
    let mut desk = Desk::connected(vec![head(0, 0)]);
    // Late in the year 9999, which no device's clock says.
    let time = |millis| Timestamp::from_millis(Timestamp::MAX.millis() - 10_000 + millis);
    let at = |millis| ServerFrame::Pong(Pong { at: time(millis) });
    let short = Entry { expires_at: Some(time(5000)), ..entry(1) };
    desk.take(ServerFrame::Entry(EntryFrame { conversation: room(), entry: short }));
    desk.take(at(4999));
    desk.take(live(2));
    desk.take(at(5000));
    let seen = desk.events().into_iter().filter_map(|event| match event {
        Event::Entry(entry) => Some(entry.seq),
        Event::Expired(id) => Some(100 + id.seq),
        _ => None,
    });
    assert_eq!(seen.collect::<Vec<_>>(), [1, 2, 101]);
}

#[test]
fn a_page_that_answers_what_was_had_of_another_instance_leaves_no_hole() {
    let mut desk = Desk::connected(vec![head(3, 3)]);
    desk.take(entries(1..=3, 3));
    assert_eq!(desk.seqs(), [1, 2, 3]);
    // The hello of the next connection says 3, and the server, restored since and gone on to 5, answers from there.
    desk.device.opened(desk.now);
    desk.device.take_frames();
    let instance = Some(InstanceId::new(Uuid::from_u128(9)));
    desk.take(ServerFrame::Ready(Ready { instance, ..ready() }));
    desk.take(heads(vec![head(5, 0)]));
    // The page is so slow that it is asked for before.
    let asked = desk.hear_unanswered();
    assert_eq!(asked, sync(0));
    desk.take(entries(4..=5, 5));
    assert_eq!(desk.seqs(), [0_u64; 0], "nothing is known of what is before");
    desk.take(ServerFrame::Pong(Pong { at: Timestamp::from_millis(1) }));
    desk.take(entries(1..=5, 5));
    assert_eq!(desk.seqs(), [1, 2, 3, 4, 5]);
}

#[test]
fn kinds_redactions_and_codes_of_a_later_version_end_nothing() {
    let mut desk = Desk::connected(vec![head(0, 0)]);
    let text = |frame: &ServerFrame| serde_json::to_string(frame).expect("a frame");
    let of = |seq, kind: &str, body: &str| {
        let plain = text(&live(seq));
        let (before, _) = plain.split_once(r#","kind":"#).expect("an entry with its kind last");
        let frame = format!(r#"{before},"kind":"{kind}","body":{body},"new":1}},"new":[]}}"#);
        serde_json::from_str::<ServerFrame>(&frame).expect("a frame with an entry of a later version")
    };
    desk.take(of(1, "sealed", r#"{"box":[1,{"a":null}]}"#));
    desk.take(live(2));
    desk.take(of(3, "redacted", r#"{"was":"sealed"}"#));
    desk.take(of(4, "redacted", r#"{"was":"message"}"#));
    desk.take(live(5));
    assert_eq!(desk.seqs(), [1, 2, 3, 4, 5]);
    let shown: Vec<_> = desk.device.timeline().messages(room()).iter().map(|message| message.entry.seq).collect();
    assert_eq!(shown, [2, 4, 5]);
    assert_eq!(desk.hear(), delivered(5));
    for id in [1, 2] {
        desk.command(Command::Send(room(), message(id, "hello")));
    }
    let send = desk.hear_send();
    let refused = text(&ServerFrame::Error(refusal(&send, Code::Blocked))).replace(r#""blocked""#, r#""stale_epoch""#);
    desk.take(serde_json::from_str(&refused).expect("an error with a code of a later version"));
    assert_eq!(failed(desk.events()), [(Uuid::from_u128(1), Code::Unknown)]);
    assert_eq!(desk.hear_send().message.client_id, Uuid::from_u128(2));
}

#[test]
fn a_gap_is_repaired() {
    let mut desk = Desk::connected(vec![head(1, 9)]);
    desk.take(entries(1..=1, 1));
    desk.quiet();
    assert!(desk.events().contains(&Event::CaughtUp));
    for seq in [1, 4, 3] {
        desk.take(live(seq));
    }
    assert_eq!(desk.hear(), sync(1));
    desk.take(entries(2..=4, 4));
    desk.take(live(5));
    assert_eq!(desk.seqs(), [2, 3, 4, 5]);
    let log: Vec<_> = desk.device.timeline().log(room()).map(|entry| entry.seq).collect();
    assert_eq!(log, [1, 2, 3, 4, 5]);
}
