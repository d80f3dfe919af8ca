//! Reports: what a user tells the operator, and what the operator sees of it.

use std::{sync::Arc, time::Instant};

use kith::{
    backends::Backends,
    node::Node,
    operator::{Operations, verify::verify},
    store::{
        Change,
        schema::{self, Report, Value},
    },
};
use kith_client::{Method, StatusCode};
use kith_protocol::{
    Code, ReportId, Timestamp, UserId,
    rest::{EditMessage, NewReport},
};
use serde_json::json;

use crate::world::{MOMENT, SOON, World, code, message};

/// The operator's operations where no server runs: on the folder itself.
async fn operator(world: &mut World) -> (Operations, Arc<dyn kith::store::Store>) {
    world.stop().await;
    let end = Instant::now() + SOON;
    loop {
        match Backends::open(world.data_dir()) {
            Ok(backends) => {
                let store = backends.store();
                let node = Node::new(world.config.clone(), store.clone(), backends.objects(), backends.index());
                let stopping = tokio::sync::watch::channel(false).1;
                return (Operations::new(node, Arc::new(backends), stopping), store);
            }
            // The server's last connections still say goodbye.
            Err(error) => assert!(Instant::now() < end, "{error}"),
        }
        tokio::time::sleep(MOMENT).await;
    }
}

#[tokio::test]
async fn the_operator_sees_a_message_as_the_reporter_saw_it() {
    let mut world = World::start().await;
    let [anna, mut bert, mallory] = world.people(["anna", "bert", "mallory"]).await;
    let chat = mallory.direct(&bert).await;
    let rude = mallory.say(chat, "something rude").await;
    let hidden = mallory.say(mallory.direct(&anna).await, "to anna only").await;
    let report = NewReport {
        user: Some(mallory.id),
        conversation: Some(chat),
        messages: vec![rude.id],
        reason: Some("he is\nrude".into()),
    };
    let made = bert.rest.report(&report).await.unwrap();
    // What becomes of the message later does not matter.
    let edit = EditMessage { text: "something nice".into(), mentions: Vec::new() };
    mallory.rest.edit(rude.id, &edit).await.unwrap();
    mallory.rest.delete(rude.id).await.unwrap();

    // Only what one may see can be reported, and what is not there is as what one may not see.
    for messages in [vec![hidden.id], vec![message(chat, 99)], vec![rude.id]] {
        let refused = bert.rest.report(&NewReport { messages, ..NewReport::default() }).await;
        assert_eq!(code(refused), Some(Code::InvalidRequest));
    }
    for bad in [
        json!({}),
        json!({ "user": bert.id }),
        json!({ "conversation": hidden.conversation }),
        json!({ "user": mallory.id, "reason": "x".repeat(1001) }),
        json!({ "messages": vec![message(chat, 2); 21] }),
    ] {
        let refused = bert.raw(Method::POST, "/v1/reports", Some(bad.clone())).await;
        assert_eq!(refused.0, StatusCode::BAD_REQUEST, "{bad}");
    }

    let (operations, _) = operator(&mut world).await;
    let lines = operations.reports().await.unwrap();
    assert_eq!(lines.len(), 1);
    assert_eq!((lines[0].id, lines[0].by.as_str(), lines[0].about.as_deref()), (made.id, "bert", Some("mallory")));
    let shown = operations.report(made.id).await.unwrap();
    assert_eq!(shown.shown.len(), 1);
    assert_eq!((shown.shown[0].1.as_str(), shown.shown[0].2.as_str()), ("mallory", "something rude"));
    assert!(verify(world.data_dir(), |_| {}).unwrap().is_clean());
    operations.close_report(made.id).await.unwrap();
    assert_eq!(code_of(operations.report(made.id).await), Some(Code::NotFound));
    assert!(operations.reports().await.unwrap().is_empty());
    drop(operations);
    world.restart(&mut [&mut bert]).await;
    bert.say(chat, "still here").await;
}

fn code_of<T>(result: Result<T, kith::Error>) -> Option<Code> {
    result.err().map(|error| error.code)
}

#[tokio::test]
async fn one_user_reports_so_often_and_a_report_is_forgotten_after_a_while() {
    let mut world = World::start().await;
    let [mut bert, mallory] = world.people(["bert", "mallory"]).await;
    let about_bert = NewReport { user: Some(bert.id), ..NewReport::default() };
    for _ in 0..20 {
        mallory.rest.report(&about_bert).await.unwrap();
    }
    assert_eq!(code(mallory.rest.report(&about_bert).await), Some(Code::RateLimited));
    let about_mallory = NewReport { user: Some(mallory.id), ..NewReport::default() };
    let last = bert.rest.report(&about_mallory).await.unwrap();

    let (operations, store) = operator(&mut world).await;
    let lines = operations.reports().await.unwrap();
    assert_eq!((lines.len(), lines[20].id), (21, last.id));
    // As many as there may be.
    let mut changes = Vec::new();
    for _ in lines.len()..1000 {
        let (id, by) = (ReportId::new(kith::clock::uuid()), mallory.id);
        changes.extend(stored(id, by, kith::clock::now()));
    }
    store.commit(schema::report::partition(), changes, Vec::new()).await.unwrap();
    assert_eq!(operations.reports().await.unwrap().len(), 1000);
    drop((operations, store));

    world.restart(&mut [&mut bert]).await;
    let newest = bert.rest.report(&about_mallory).await.unwrap();
    let (operations, store) = operator(&mut world).await;
    let ids: Vec<_> = operations.reports().await.unwrap().iter().map(|line| line.id).collect();
    assert_eq!(ids.len(), 1000);
    // The oldest of who made the most has made room, and nobody else's.
    assert!(!ids.contains(&lines[0].id) && ids.contains(&lines[1].id));
    assert!(ids.contains(&last.id) && ids.contains(&newest.id));

    let old = stored(lines[1].id, mallory.id, Timestamp::from_millis(1));
    store.commit(schema::report::partition(), old.to_vec(), Vec::new()).await.unwrap();
    drop((operations, store));
    let end = Instant::now() + SOON;
    loop {
        world.restart(&mut [&mut bert]).await;
        tokio::time::sleep(4 * MOMENT).await;
        let (operations, _) = operator(&mut world).await;
        let left = operations.reports().await.unwrap();
        if left.iter().all(|line| line.id != lines[1].id) {
            return assert_eq!(left.len(), 999);
        }
        assert!(Instant::now() < end, "an old report is still there");
    }
}

/// The rows of a report.
fn stored(id: ReportId, by: UserId, at: Timestamp) -> [Change; 2] {
    let report = Report { by, at, user: None, conversation: None, reason: String::new(), messages: Vec::new() };
    let made = Change::Put(schema::report::made(id, by), Default::default());
    [Change::Put(schema::report::row(id).key, report.encode()), made]
}
