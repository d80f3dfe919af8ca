//! The quota of a user's writing in a day, and that the others go on.

use std::time::Duration;

use kith_client::{Error, Method, StatusCode};
use kith_protocol::{
    Code, ConversationId,
    entry::{Body, ConversationKind},
    frame::NewMessage,
    rest::{ChangeConversation, EditMessage, NewConversation, NewParticipant},
};
use serde_json::json;

use crate::world::{Person, World, code, text};

/// Bytes of entries that one user causes in a day, in these stories.
const A_DAY: u64 = 300 * 1024;

async fn world() -> World {
    World::with(|config| config.limits.entry_bytes_per_day = A_DAY).await
}

/// Writes until that is refused: how many messages were taken, the last of them, and the refusal.
async fn write_all(person: &Person, conversation: ConversationId) -> (u64, Option<NewMessage>, Error) {
    let (mut taken, mut last) = (0, None);
    loop {
        let message = text("x".repeat(16 * 1024));
        match person.rest.send_message(conversation, &message).await {
            Ok(_) => (taken, last) = (taken + 1, Some(message)),
            Err(error) => return (taken, last, error),
        }
        assert!(taken <= A_DAY, "it never ends");
    }
}

#[tokio::test]
async fn who_has_written_enough_for_a_day_waits_and_nobody_else_does() {
    let mut world = world().await;
    let [mut anna, mut bela, cora, dora] = world.people(["anna", "bela", "cora", "dora"]).await;
    let group = anna.group(&[&bela, &cora]).await;
    let said = anna.say(group, "first").await;
    anna.rest.react(said.id, "👍").await.unwrap();
    let (taken, last, refused) = write_all(&anna, group).await;
    assert_eq!(taken, A_DAY.div_ceil(16 * 1024), "one message may pass the bound");
    assert_eq!(refused.code(), Some(Code::QuotaExceeded));
    let after = refused.retry_after().expect("it says when");
    assert!(Duration::ZERO < after && after <= Duration::from_secs(24 * 3600), "{after:?}");
    // What was taken is answered as ever, at both doors.
    let last = last.unwrap();
    let again = anna.rest.send_message(group, &last).await.unwrap();
    assert!(matches!(&again.body, Body::Message(body) if body.text.len() == last.text.len()));
    let mut annas = anna.connect().await;
    assert_eq!(annas.tell(group, last).await.seq, again.seq);
    annas.send(group, text("y")).await;
    let error = annas.error().await;
    assert_eq!(error.code, Code::QuotaExceeded);
    assert!(error.retry_after_ms.is_some_and(|ms| 0 < ms && ms <= 24 * 3600 * 1000), "{error:?}");
    // Nothing else that would be kept is taken either.
    let head = bela.log(group).await.len();
    let edit = EditMessage { text: "z".into(), mentions: Vec::new() };
    assert_eq!(code(anna.rest.edit(said.id, &edit).await), Some(Code::QuotaExceeded));
    assert_eq!(code(anna.rest.react(said.id, "❤️").await), Some(Code::QuotaExceeded));
    let add = NewParticipant { user: dora.id, role: None };
    assert_eq!(code(anna.rest.add_participant(group, &add).await), Some(Code::QuotaExceeded));
    let change = ChangeConversation { title: Some("more".into()), ..Default::default() };
    assert_eq!(code(anna.rest.change_conversation(group, &change).await), Some(Code::QuotaExceeded));
    let new = NewConversation {
        kind: ConversationKind::Group,
        members: vec![bela.id],
        title: None,
        expire_after_s: None,
        encryption: None,
    };
    assert_eq!(code(anna.rest.create_conversation(&new).await), Some(Code::QuotaExceeded));
    let (status, problem) = anna.raw(Method::POST, "/v1/conversations", Some(json!(new))).await;
    assert_eq!((status, &problem["retryable"]), (StatusCode::PAYLOAD_TOO_LARGE, &json!(false)));
    assert_eq!(bela.log(group).await.len(), head, "a refusal writes nothing");
    // The others write on, also to her.
    let mut belas = bela.connect().await;
    bela.direct(&anna).await;
    belas.tell(group, text("still here")).await;
    bela.rest.react(said.id, "👍").await.unwrap();
    cora.say(group, "me too").await;
    // A restart forgets none of it once the bound is noted, and what takes away stays possible.
    world.restart(&mut [&mut anna, &mut bela]).await;
    assert_eq!(code(anna.rest.send_message(group, &text("y")).await), Some(Code::QuotaExceeded));
    anna.rest.unreact(said.id, "👍").await.unwrap();
    anna.rest.delete(said.id).await.unwrap();
    anna.rest.remove_participant(group, cora.id).await.unwrap();
    anna.rest.remove_participant(group, anna.id).await.unwrap();
    bela.say(group, "goodbye").await;
    world.stop().await;
    let report = kith::operator::verify::verify(world.data_dir(), |_| {}).unwrap();
    assert!(report.is_clean(), "{report}");
}
