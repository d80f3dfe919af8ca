//! Secrets: an operator is shown nothing that people said, and nothing that opens a door.

use kith_client::{Method, Socket};
use kith_protocol::{
    ClientFrame, MessageId, ServerFrame,
    entry::ConversationKind,
    frame,
    rest::{ChangePassword, EditMessage, NewSession},
};

use sha2::{Digest, Sha256};

use super::{
    people::{PASSWORD, Person},
    program::{Program, alone},
};

const TEXT: &str = "marker-text-of-a-message";
const EDITED: &str = "marker-text-of-an-edit";
const TRIED: &str = "marker-password-that-is-wrong";
const NEW: &str = "marker-password-that-is-new";
const MALFORMED: &str = "marker-within-garbage";
/// The endpoint at which nobody is woken; whoever knew it could.
const ENDPOINT: &str = "endpoint-marker-6ab1";
const AUTH: &str = "BTBZMqHH6r4Tts7J_aSIgg";
/// A public key: that of the example of RFC 8291.
const POINT: &str = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4";

/// None of what must not be shown is in `text`.
fn is_discreet(what: &str, text: &str, secrets: &[&str]) {
    for secret in secrets {
        assert!(!text.contains(secret), "{what} shows {secret}:\n{text}");
    }
}

/// People who say and do what must not be seen, in every way that there is.
async fn live(program: &Program) -> (Vec<Person>, MessageId, Vec<String>) {
    let mut people = Person::several(program, 3).await;
    let direct = people[0].converse(ConversationKind::Direct, &[&people[1]]).await;
    let group = people[0].converse(ConversationKind::Group, &[&people[1], &people[2]]).await;
    let json = [("content-type", "application/json")];
    let device = people[2].rest.devices().await.unwrap().items[0].id;
    let keys = format!("{{\"p256dh\":\"{POINT}\",\"auth\":\"{AUTH}\"}}");
    let subscription = format!("{{\"endpoint\":\"https://push.invalid/{ENDPOINT}\",\"keys\":{keys}}}");
    let path = format!("/v1/users/me/devices/{device}/push");
    assert_eq!(people[2].rest.request(Method::PUT, &path, &json, subscription).await.unwrap().status.as_u16(), 204);
    let message = kith_client::connection::message(TEXT);
    let entry = people[0].rest.send_message(direct, &message).await.unwrap();
    people[0].rest.edit(entry.id, &EditMessage { text: EDITED.to_owned(), mentions: Vec::new() }).await.unwrap();
    people[1].rest.react(entry.id, "👍").await.unwrap();
    let mut tokens: Vec<String> = people.iter().map(|person| person.token.clone()).collect();
    tokens.push(people[1].another_device(program).await);

    let mut socket = people[1].socket(program).await;
    let message = kith_client::connection::message(TEXT);
    socket.send(&ClientFrame::Send(frame::Send { conversation: group, message })).await.unwrap();
    while !matches!(socket.receive().await.unwrap(), ServerFrame::Sent(_)) {}
    socket.close(1000).await;

    // What is wrong is not repeated either.
    let wrong =
        NewSession { username: people[0].name.clone(), password: TRIED.to_owned(), device: None, device_secret: None };
    assert!(program.rest().sign_in(&wrong).await.is_err());
    for body in [format!("{{\"text\":\"{MALFORMED}"), format!("{{\"client_id\":\"{MALFORMED}\",\"text\":7}}")] {
        let path = format!("/v1/conversations/{group}/messages");
        let answer = people[0].rest.request(Method::POST, &path, &json, body).await.unwrap();
        assert_eq!(answer.status.as_u16(), 400);
    }
    let token = format!("kith_{MALFORMED}");
    let stranger = program.rest().with_token(&token).unwrap();
    assert!(stranger.me().await.is_err());
    for hello in [token, people[0].token.clone() + MALFORMED] {
        let mut socket = Socket::connect(&program.server()).await.unwrap();
        socket.hello(&hello, Vec::new()).await.unwrap();
        assert!(socket.receive().await.is_err());
    }
    let change = ChangePassword { old: PASSWORD.to_owned(), new: NEW.to_owned() };
    people[2].rest.change_password(&change).await.unwrap();
    people.truncate(3);
    (people, entry.id, tokens)
}

#[tokio::test]
async fn inspect_shows_every_partition_and_no_secret() {
    let _alone = alone().await;
    let mut program = Program::started("drain_s = 0");
    let (people, message, tokens) = live(&program).await;
    program.done(&["invite"]);
    let mut secrets = vec![TEXT, EDITED, PASSWORD, NEW, ENDPOINT, AUTH, "$argon2"];
    secrets.extend(tokens.iter().map(String::as_str));
    let hashes: Vec<String> = tokens.iter().map(|token| hex(&Sha256::digest(token))).collect();
    secrets.extend(hashes.iter().map(String::as_str));
    for running in [true, false] {
        if !running {
            assert_eq!(program.end().code(), Some(0));
        }
        let mut subjects = vec![message.to_string(), message.conversation.to_string(), "@user1".to_owned()];
        subjects.extend(people.iter().map(|person| person.id.to_string()));
        subjects.extend(["server", "names", "directs", "invites", "pushes"].map(str::to_owned));
        for subject in &subjects {
            let shown = program.done(&["inspect", subject]);
            assert!(!shown.trim().is_empty(), "{subject} is empty");
            is_discreet(subject, &shown, &secrets);
        }
        for subject in ["channels", "active", "expiring"] {
            is_discreet(subject, &program.done(&["inspect", subject]), &secrets);
        }
    }
}

#[tokio::test]
async fn the_log_at_its_most_talkative_holds_no_secret() {
    let _alone = alone().await;
    let mut program = Program::started("drain_s = 0\n[log]\nlevel = 'debug'\n");
    let (_, _, tokens) = live(&program).await;
    let one_time = program.done(&["user", "reset", "user0"]);
    assert_eq!(program.end().code(), Some(0));
    let log = program.log();
    assert!(log.contains("DEBUG") && log.contains("listening"), "it says nothing:\n{log}");
    // Whose sign-in failed is told by an address and a hash.
    let failed: Vec<_> = log.lines().filter(|line| line.contains("a sign-in failed")).collect();
    assert!(failed.len() == 1 && failed[0].contains("address=\"local\"") && !failed[0].contains("user0"), "{failed:?}");
    let mut secrets = vec![TEXT, EDITED, PASSWORD, TRIED, NEW, MALFORMED, ENDPOINT, AUTH, "$argon2", one_time.trim()];
    secrets.extend(tokens.iter().map(String::as_str));
    is_discreet("the log", &log, &secrets);
}

#[tokio::test]
async fn a_key_that_may_be_in_other_hands_is_replaced_beside_a_server_and_without_one() {
    let _alone = alone().await;
    let mut program = Program::started("drain_s = 0\n[media]\nmin_free_bytes = 0");
    let anna = Person::new(&program, "anna").await;
    let media = anna.rest.send_media("bytes", "text/plain", None).await.unwrap();
    let device = anna.rest.devices().await.unwrap().items[0].id;
    let push = format!("/v1/users/me/devices/{device}/push");
    let keys = format!("{{\"p256dh\":\"{POINT}\",\"auth\":\"{AUTH}\"}}");
    let subscription = format!("{{\"endpoint\":\"https://push.invalid/{ENDPOINT}\",\"keys\":{keys}}}");
    let subscribe = async || {
        let json = [("content-type", "application/json")];
        let answer = anna.rest.request(Method::PUT, &push, &json, subscription.clone()).await.unwrap();
        assert_eq!(answer.status.as_u16(), 204);
    };
    let opens = async |program: &Program, url: &str| {
        program.rest().request(Method::GET, url, &[], "").await.unwrap().status.as_u16()
    };
    let vapid = async || anna.rest.info().await.unwrap().push.unwrap().vapid_key;
    for runs in [true, false] {
        let url = anna.rest.media_url(media.id).await.unwrap().url;
        let key = vapid().await;
        subscribe().await;
        assert_eq!(opens(&program, &url).await, 200);
        if !runs {
            assert_eq!(program.end().code(), Some(0));
        }
        program.done(&["secrets", "rotate", "--media"]);
        let told = program.done(&["secrets", "rotate", "--push"]);
        assert!(told.contains(": 1 devices are not woken"), "{told}");
        assert!(!program.done(&["inspect", "pushes"]).contains(&device.to_string()));
        if !runs {
            program.start();
        }
        assert_eq!(opens(&program, &url).await, 404);
        let other = anna.rest.media_url(media.id).await.unwrap().url;
        assert_eq!(opens(&program, &other).await, 200);
        assert_ne!(vapid().await, key);
    }
    // Each apart, and nothing that was not asked for.
    for wrong in [&["secrets", "rotate"][..], &["secrets", "rotate", "--media", "--push"]] {
        assert_eq!(program.command(wrong).status.code(), Some(2));
    }
    program.verify(program.data());
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
