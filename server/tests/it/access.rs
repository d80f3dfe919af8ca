//! Permissions: every route and every frame as a stranger, a removed member, one who is blocked, and with a revoked token.

use kith_client::{Method, StatusCode, rest::Paging};
use kith_protocol::{
    ClientFrame, Code, ConversationId, MediaId, ServerFrame, UploadId, UserId,
    entry::{ConversationKind, Role},
    frame::{Pointer, Send, Sync, TypingIn, Watch},
    id::PollId,
    rest::{ChangePrivacy, ChangeProfile, NewConversation, NewParticipant, PresenceState},
};
use serde_json::{Value, json};

use crate::world::{Person, Wire, World, client_id, code, message, raw, text};

/// The people for whom a route does something.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Concerns {
    /// Everybody, signed in or not.
    Everybody,
    /// Whoever is signed in: it answers of themselves or of what all may see.
    SignedIn,
    /// Only the user whom it names.
    OneUser,
    /// Only the members of its conversation.
    Members,
}

use Concerns::{Everybody, Members, OneUser, SignedIn};

/// Every route: how it is called, and whom it concerns.
const ROUTES: &[(&str, &str, Concerns)] = &[
    ("GET", "/v1/info", Everybody),
    ("GET", "/v1/gateway", Everybody),
    ("POST", "/v1/users", Everybody),
    ("POST", "/v1/sessions", Everybody),
    ("GET", "/v1/users", SignedIn),
    ("GET", "/v1/users/{user}", SignedIn),
    ("PUT", "/v1/users/{user}", OneUser),
    ("DELETE", "/v1/users/{user}", OneUser),
    ("GET", "/v1/users/{user}/presence", SignedIn),
    ("GET", "/v1/users/{user}/conversations", OneUser),
    ("PUT", "/v1/users/me/password", SignedIn),
    ("GET", "/v1/users/me/devices", SignedIn),
    ("DELETE", "/v1/users/me/devices/{device}", OneUser),
    ("PUT", "/v1/users/me/devices/{device}/push", OneUser),
    ("DELETE", "/v1/users/me/devices/{device}/push", OneUser),
    ("GET", "/v1/users/me/blocked", SignedIn),
    ("PUT", "/v1/users/me/blocked/{user}", SignedIn),
    ("DELETE", "/v1/users/me/blocked/{user}", SignedIn),
    ("GET", "/v1/users/me/mentions", SignedIn),
    ("PUT", "/v1/users/me/conversations/{conversation}", Members),
    ("GET", "/v1/users/me/requests", SignedIn),
    ("PUT", "/v1/users/me/requests/{conversation}", Members),
    ("DELETE", "/v1/sessions/current", SignedIn),
    ("POST", "/v1/invites", SignedIn),
    ("POST", "/v1/reports", SignedIn),
    ("GET", "/v1/channels", SignedIn),
    ("POST", "/v1/conversations", SignedIn),
    ("GET", "/v1/conversations/{conversation}", Members),
    ("PATCH", "/v1/conversations/{conversation}", Members),
    ("GET", "/v1/conversations/{conversation}/participants", Members),
    ("POST", "/v1/conversations/{conversation}/participants", Members),
    ("PATCH", "/v1/conversations/{conversation}/participants/{user}", Members),
    ("DELETE", "/v1/conversations/{conversation}/participants/{user}", Members),
    ("GET", "/v1/conversations/{conversation}/messages", Members),
    ("POST", "/v1/conversations/{conversation}/messages", Members),
    ("GET", "/v1/conversations/{conversation}/log", Members),
    ("GET", "/v1/messages/{message}", Members),
    ("PATCH", "/v1/messages/{message}", Members),
    ("DELETE", "/v1/messages/{message}", Members),
    ("PUT", "/v1/messages/{message}/reactions/{emoji}", Members),
    ("DELETE", "/v1/messages/{message}/reactions/{emoji}", Members),
    ("GET", "/v1/messages/{message}/read_receipts", Members),
    ("POST", "/v1/messages/{message}/read_receipts", Members),
    ("POST", "/v1/media", SignedIn),
    ("GET", "/v1/media/{media}", Members),
    ("GET", "/v1/media/{media}/thumbnail", Members),
    ("GET", "/v1/media/{media}/url", Members),
    ("OPTIONS", "/v1/uploads", Everybody),
    ("POST", "/v1/uploads", SignedIn),
    ("GET", "/v1/uploads/{upload}", OneUser),
    ("HEAD", "/v1/uploads/{upload}", OneUser),
    ("PATCH", "/v1/uploads/{upload}", OneUser),
    ("DELETE", "/v1/uploads/{upload}", OneUser),
    ("POST", "/v1/uploads/{upload}", OneUser),
    ("GET", "/v1/search", SignedIn),
    ("POST", "/v1/polls", SignedIn),
    ("GET", "/v1/polls/{poll}", OneUser),
    ("POST", "/v1/polls/{poll}/commands", OneUser),
    ("DELETE", "/v1/polls/{poll}", OneUser),
];

/// The parts of a path in one call.
#[derive(Clone)]
struct Named {
    user: String,
    device: String,
    conversation: ConversationId,
    seq: u64,
    media: String,
    upload: String,
    poll: String,
}

impl Named {
    fn path(&self, template: &str) -> String {
        let path = template
            .replace("{user}", &self.user)
            .replace("{device}", &self.device)
            .replace("{conversation}", &self.conversation.to_string())
            .replace("{message}", &message(self.conversation, self.seq).to_string())
            .replace("{emoji}", "%F0%9F%91%8D")
            .replace("{media}", &self.media)
            .replace("{upload}", &self.upload)
            .replace("{poll}", &self.poll);
        match template {
            "/v1/users" => path + "?username=an",
            "/v1/search" => path + "?q=secret",
            _ => path,
        }
    }

    /// A body that the route would take.
    fn body(&self, method: &str, template: &str) -> Option<Value> {
        let body = match (method, template.rsplit('/').next().unwrap_or_default()) {
            ("GET" | "DELETE", "{user}") if !template.contains("participants") => {
                json!({ "password": crate::world::PASSWORD })
            }
            ("GET" | "DELETE", _) => return None,
            ("PUT", "{user}") if template.contains("blocked") => return None,
            ("PUT", "{emoji}") => return None,
            ("PUT", "push") => json!({ "endpoint": "https://push.example.net/anna", "keys": {
                // The keys of RFC 8291, section 5.
                "p256dh": "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
                "auth": "BTBZMqHH6r4Tts7J_aSIgg",
            } }),
            ("PUT", "{user}") => json!({ "about": "taken over" }),
            ("PUT", "password") => json!({ "old": "not the old one", "new": "something new" }),
            ("PUT", "{conversation}") if template.contains("requests") => json!({ "answer": "declined" }),
            ("PUT", "{conversation}") => json!({ "pinned": true }),
            ("PATCH", "{conversation}") => json!({ "title": "taken over" }),
            ("PATCH", "{user}") => json!({ "role": "owner" }),
            ("PATCH", "{message}") => json!({ "text": "taken over" }),
            ("POST", "participants") => json!({ "user": self.user }),
            ("POST", "messages") => json!({ "client_id": client_id(), "text": "let me in" }),
            ("POST", "read_receipts") => return None,
            ("POST", "conversations") => json!({ "kind": "group", "members": [], "title": "own" }),
            ("POST", "commands") => json!({ "items": [{ "t": "ping" }] }),
            _ => json!({}),
        };
        Some(body)
    }
}

async fn call(who: &Person, route: (&str, &str, Concerns), named: &Named) -> (StatusCode, Value) {
    let (method, template, _) = route;
    let method_ = method.parse::<Method>().unwrap();
    let (status, mut body) = if template.contains("uploads") {
        let part = ("content-type", "application/offset+octet-stream");
        let instead = ("x-http-method-override", "PATCH");
        let headers = [("tus-resumable", "1.0.0"), ("upload-length", "9"), ("upload-offset", "0"), part, instead];
        let answer = raw(&who.rest, method_, &named.path(template), &headers, None).await;
        (answer.status, serde_json::from_slice(&answer.body).unwrap_or(Value::Null))
    } else {
        who.raw(method_, &named.path(template), named.body(method, template)).await
    };
    if let Some(problem) = body.as_object_mut() {
        problem.remove("request_id");
    }
    (status, body)
}

#[tokio::test]
async fn the_table_names_every_documented_route() {
    let world = World::start().await;
    let answer = raw(world.guest(), Method::GET, "/v1/openapi.json", &[], None).await;
    let document: Value = serde_json::from_slice(&answer.body).unwrap();
    let mut documented = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for method in item.as_object().unwrap().keys().filter(|key| *key != "parameters") {
            documented.push((method.to_uppercase(), path.clone()));
        }
    }
    let mut tabled: Vec<_> = ROUTES.iter().map(|(method, path, _)| (method.to_string(), path.to_string())).collect();
    documented.sort();
    tabled.sort();
    assert_eq!(documented, tabled, "a new route is added to the table of who may use it");
}

/// A group of anna's with a message in it, from which bela was removed.
struct Scene {
    world: World,
    anna: Person,
    removed: Person,
    stranger: Person,
    group: ConversationId,
    real: Named,
}

const SECRET: &str = "the-secret-of-the-group";

async fn scene() -> Scene {
    let world = World::start().await;
    let [anna, removed, stranger] = world.people(["anna", "bela", "dora"]).await;
    let group = anna.group(&[&removed]).await;
    anna.say(group, SECRET).await;
    removed.say(group, "of one who is removed").await;
    anna.rest.remove_participant(group, removed.id).await.unwrap();
    let media = anna.picture(group).await;
    let upload = anna.rest.create_upload(9, None).await.unwrap();
    let poll = anna.rest.open_poll().await.unwrap().poll;
    let real = Named {
        user: anna.id.to_string(),
        device: anna.device.to_string(),
        conversation: group,
        seq: 2,
        media: media.to_string(),
        upload: upload.to_string(),
        poll: poll.to_string(),
    };
    Scene { world, anna, removed, stranger, group, real }
}

#[tokio::test]
async fn who_does_not_belong_finds_nothing_there() {
    let Scene { world: _world, anna, removed, stranger, group, real } = scene().await;
    // What is not there at all, to compare with.
    let nowhere = Named {
        user: UserId::from_bytes([1; 16]).to_string(),
        device: kith_protocol::DeviceId::from_bytes([1; 16]).to_string(),
        conversation: ConversationId::from_bytes([1; 16]),
        seq: 2,
        media: MediaId::from_bytes([1; 16]).to_string(),
        upload: UploadId::from_bytes([1; 16]).to_string(),
        poll: PollId::from_bytes([1; 16]).to_string(),
    };
    let before = anna.log(group).await;
    for who in [&stranger, &removed] {
        for route in ROUTES.iter().filter(|route| matches!(route.2, OneUser | Members)) {
            let found = call(who, *route, &real).await;
            assert_eq!(found.0, StatusCode::NOT_FOUND, "{} {} as {}: {}", route.0, route.1, who.name, found.1);
            assert!(route.0 == "HEAD" || found.1["code"] == "not_found", "{}", found.1);
            let missing = call(who, *route, &nowhere).await;
            assert_eq!(found, missing, "{} {} tells what is there from what is not", route.0, route.1);
        }
        // A removed member's own message is no longer theirs to see.
        for route in ROUTES.iter().filter(|route| route.1.contains("{message}")) {
            let own = Named { seq: 3, ..real.clone() };
            assert_eq!(call(who, *route, &own).await.0, StatusCode::NOT_FOUND, "{} {}", route.0, route.1);
        }
        let everything = who.raw(Method::GET, "/v1/users/me/conversations", None).await.1.to_string()
            + &who.raw(Method::GET, "/v1/users/me/mentions", None).await.1.to_string()
            + &who.raw(Method::GET, "/v1/channels", None).await.1.to_string();
        assert!(!everything.contains(SECRET) && !everything.contains(&group.to_string()), "{everything}");
    }
    assert_eq!(anna.log(group).await, before, "nobody changed anything");
    assert_eq!(anna.rest.me().await.unwrap().about, None);
    assert_eq!(anna.rest.devices().await.unwrap().items.len(), 1);
    // What the table calls there is there for who may.
    for route in ROUTES.iter().filter(|route| matches!(route.2, OneUser | Members) && route.0 == "GET") {
        assert_eq!(call(&anna, *route, &real).await.0, StatusCode::OK, "{} {}", route.0, route.1);
    }
}

#[tokio::test]
async fn what_was_said_before_one_came_is_not_there() {
    let world = World::start().await;
    let [anna, bela, cora] = world.people(["anna", "bela", "cora"]).await;
    let group = anna.group(&[&bela]).await;
    let media = anna.picture(group).await;
    anna.rest.add_participant(group, &NewParticipant { user: cora.id, role: None }).await.unwrap();
    let old = Named {
        user: anna.id.to_string(),
        device: anna.device.to_string(),
        conversation: group,
        seq: 2,
        media: media.to_string(),
        upload: UploadId::from_bytes([1; 16]).to_string(),
        poll: PollId::from_bytes([1; 16]).to_string(),
    };
    for route in ROUTES.iter().filter(|route| route.1.contains("{message}") || route.1.contains("{media}")) {
        assert_eq!(call(&cora, *route, &old).await.0, StatusCode::NOT_FOUND, "{} {}", route.0, route.1);
    }
    assert_eq!(cora.log(group).await[0].seq, 3);
    let entries = cora.connect().await.sync(group, 0, None).await.entries;
    assert_eq!(entries.iter().map(|entry| entry.seq).collect::<Vec<_>>(), [3]);
    let resumed = cora.connect_with(vec![(group, 0)]).await.entries().await.entries;
    assert_eq!(resumed.iter().map(|entry| entry.seq).collect::<Vec<_>>(), [3]);
}

/// Every frame that a client may say about a conversation.
fn frames_about(group: ConversationId) -> Vec<ClientFrame> {
    let pointer = Pointer { conversation: group, seq: 2 };
    let watch = Watch { users: Vec::new(), conversations: vec![group] };
    vec![
        ClientFrame::Hello(kith_protocol::frame::Hello { have: vec![(group, 0)], ..Default::default() }),
        ClientFrame::Ping(kith_protocol::frame::Ping::default()),
        ClientFrame::Send(Send { conversation: group, message: text("let me in") }),
        ClientFrame::Sync(Sync { conversation: group, after: 0, limit: None }),
        ClientFrame::Delivered(pointer),
        ClientFrame::Read(pointer),
        ClientFrame::Typing(TypingIn { conversation: group }),
        ClientFrame::Watch(watch.clone()),
        ClientFrame::Unwatch(watch),
    ]
}

#[tokio::test]
async fn no_frame_opens_what_one_may_not_see() {
    let Scene { world, anna, removed, stranger, group, .. } = scene().await;
    let cora = world.person("cora").await;
    anna.rest.add_participant(group, &NewParticipant { user: cora.id, role: None }).await.unwrap();
    let frames = frames_about(group);
    let kinds: Vec<String> =
        frames.iter().map(|frame| serde_json::to_value(frame).unwrap()["t"].as_str().unwrap().to_owned()).collect();
    assert_eq!(kinds, ClientFrame::KINDS, "a new frame is added to the table of who may say it");
    let (mut annas, mut coras) = (anna.connect().await, cora.connect().await);
    let before = anna.log(group).await;
    let mut outside = Vec::new();
    for who in [&stranger, &removed] {
        let mut wire = who.connect_with(vec![(group, 0)]).await;
        assert_eq!(wire.heads, []);
        for frame in frames.iter().filter(|frame| !matches!(frame, ClientFrame::Unwatch(_))) {
            wire.say(frame.clone()).await;
        }
        let mut refused = Vec::new();
        while refused.len() < 2 {
            match wire.next().await {
                ServerFrame::Error(error) => refused.push((error.reference.unwrap(), error.code)),
                ServerFrame::Heads(heads) => assert_eq!(heads.conversations, []),
                ServerFrame::Pong(_) => {}
                frame => panic!("{frame:?}"),
            }
        }
        refused.sort_by(|one, other| one.0.cmp(&other.0));
        assert_eq!(refused, [("send".to_owned(), Code::NotFound), ("sync".to_owned(), Code::NotFound)]);
        wire.quiet().await;
        outside.push(wire);
    }
    // All that they said has come to the conversation before this answer, and nobody heard of it.
    assert_eq!(anna.log(group).await, before);
    annas.quiet().await;
    coras.quiet().await;
    // Who really watches is told of the next read; who only said so is not.
    let said = anna.say(group, "among us").await;
    assert_eq!(annas.entry().await, said);
    annas.watch(&[], &[group]).await;
    annas.quiet().await;
    anna.rest.conversation(group).await.unwrap();
    coras.read(group, u64::MAX).await;
    assert_eq!(annas.receipt().await.user, cora.id);
    for wire in &mut outside {
        wire.quiet().await;
        wire.say(frames[8].clone()).await;
        wire.quiet().await;
    }
    let receipts = anna.rest.read_receipts(said.id, &Paging::default()).await.unwrap().items;
    assert_eq!(receipts.iter().map(|item| item.user).collect::<Vec<_>>(), [cora.id]);
}

#[tokio::test]
async fn who_is_blocked_reaches_nobody() {
    let world = World::start().await;
    let [anna, bela, cora] = world.people(["anna", "bela", "cora"]).await;
    let direct = anna.direct(&bela).await;
    let own = bela.say(direct, "before the block").await;
    let hers = anna.say(direct, "before it, too").await;
    let group = bela.group(&[&cora]).await;
    let mut annas = anna.connect().await;
    let mut belas = bela.connect().await;
    belas.watch(&[anna.id], &[]).await;
    assert_eq!(belas.presence().await.state, PresenceState::Online);

    anna.rest.block(bela.id).await.unwrap();
    let late = text("after the block");
    assert_eq!(code(bela.rest.send_message(direct, &late).await), Some(Code::Blocked));
    assert_eq!(code(anna.rest.send_message(direct, &text("and back")).await), Some(Code::Blocked), "both ways");
    belas.send(direct, late.clone()).await;
    let error = belas.error().await;
    assert_eq!((error.code, error.client_id), (Code::Blocked, Some(late.client_id)));
    let edit = kith_protocol::rest::EditMessage { text: "changed".into(), mentions: Vec::new() };
    assert_eq!(code(bela.rest.edit(own.id, &edit).await), Some(Code::Blocked));
    assert_eq!(code(bela.rest.react(hers.id, "👍").await), Some(Code::Blocked));
    for (kind, title) in [(ConversationKind::Direct, None), (ConversationKind::Group, Some("a trap"))] {
        let new = NewConversation {
            kind,
            members: vec![anna.id],
            title: title.map(str::to_owned),
            expire_after_s: None,
            encryption: None,
        };
        assert_eq!(code(bela.rest.create_conversation(&new).await), Some(Code::Blocked));
    }
    let add = NewParticipant { user: anna.id, role: None };
    assert_eq!(code(bela.rest.add_participant(group, &add).await), Some(Code::Blocked));
    // Nothing of it came to her, and what was said before is still there for both.
    belas.say(ClientFrame::Typing(TypingIn { conversation: direct })).await;
    belas.quiet().await;
    assert_eq!(bela.log(direct).await.len(), 3);
    let mut seen = annas.so_far().await;
    seen.retain(|frame| !matches!(frame, ServerFrame::Receipt(_)));
    assert_eq!(seen, []);

    // She is not there for him any longer, and when she goes and comes he does not hear of it.
    let hidden = bela.rest.presence(anna.id).await.unwrap();
    assert_eq!((hidden.state, hidden.last_seen), (PresenceState::Offline, None));
    let hidden = anna.rest.presence(bela.id).await.unwrap();
    assert_eq!((hidden.state, hidden.last_seen), (PresenceState::Offline, None), "both ways");
    let mut coras = cora.connect().await;
    coras.watch(&[anna.id], &[]).await;
    assert_eq!(coras.presence().await.state, PresenceState::Online);
    annas.socket.close(1000).await;
    assert_eq!(coras.presence().await.state, PresenceState::Offline);
    belas.quiet().await;
    assert_eq!(bela.rest.presence(anna.id).await.unwrap().last_seen, None);

    // She alone knows whom she blocks.
    anna.rest.block(cora.id).await.unwrap();
    let first = anna.rest.blocked(&Paging { limit: Some(1), cursor: None }).await.unwrap();
    let rest = anna.rest.blocked(&Paging { limit: Some(1), cursor: first.next_cursor.clone() }).await.unwrap();
    let mut both: Vec<_> = first.items.iter().chain(&rest.items).map(|blocked| blocked.id).collect();
    both.sort_unstable();
    let mut blocked = [bela.id, cora.id];
    blocked.sort_unstable();
    assert_eq!((both, rest.next_cursor), (blocked.to_vec(), None));
    assert_eq!(bela.rest.blocked(&Paging::default()).await.unwrap().items, []);
    anna.rest.unblock(cora.id).await.unwrap();

    anna.rest.unblock(bela.id).await.unwrap();
    assert_eq!(anna.rest.blocked(&Paging::default()).await.unwrap().items, []);
    assert_eq!(bela.rest.send_message(direct, &late).await.unwrap().seq, 4);
}

#[tokio::test]
async fn a_revoked_token_opens_nothing() {
    let Scene { world, anna, real, group, .. } = scene().await;
    let lost = world.device(&anna).await;
    let mut wire = lost.connect().await;
    let mut kept = anna.connect().await;
    anna.rest.revoke(lost.device).await.unwrap();
    assert_eq!(wire.closed().await, 4100, "at once, not at the next frame");
    for route in ROUTES.iter().filter(|route| route.2 != Everybody) {
        let (status, body) = call(&lost, *route, &real).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{} {}: {body}", route.0, route.1);
        assert!(route.0 == "HEAD" || body["code"] == "unauthenticated", "{body}");
    }
    let mut again = Wire::open(lost.rest.server()).await;
    again.socket.hello(&lost.token, Vec::new()).await.unwrap();
    assert_eq!(again.closed().await, 4004);
    // The other device of the same user goes on.
    assert_eq!(kept.tell(group, text("still here")).await.seq, 6);
    assert_eq!(anna.rest.devices().await.unwrap().items.len(), 1);

    // Signing out is revoking oneself.
    anna.rest.sign_out().await.unwrap();
    assert_eq!(kept.closed().await, 4100);
    assert_eq!(code(anna.rest.me().await), Some(Code::Unauthenticated));
}

#[tokio::test]
async fn nobody_is_not_let_in() {
    let Scene { world, real, .. } = scene().await;
    let tokens = ["", "not-a-token", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"];
    for route in ROUTES.iter().filter(|route| route.2 != Everybody) {
        let (method, template, _) = *route;
        for token in tokens {
            let authorization = format!("Bearer {token}");
            let headers = [("authorization", authorization.as_str())];
            let headers = if token.is_empty() { &[][..] } else { &headers[..] };
            let (method, body) = (method.parse().unwrap(), real.body(method, template));
            let answer = raw(world.guest(), method, &real.path(template), headers, body).await;
            assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{} {template}", route.0);
            assert_eq!(answer.headers["content-type"], "application/problem+json");
        }
    }
}

#[tokio::test]
async fn only_admins_of_a_group_change_it() {
    let world = World::start().await;
    let [anna, bela, cora] = world.people(["anna", "bela", "cora"]).await;
    let group = anna.group(&[&bela]).await;
    let said = anna.say(group, "hers").await;
    let before = anna.log(group).await;
    let title = kith_protocol::rest::ChangeConversation { title: Some("his".into()), ..Default::default() };
    let add = NewParticipant { user: cora.id, role: None };
    let edit = kith_protocol::rest::EditMessage { text: "changed".into(), mentions: Vec::new() };
    let tried = [
        code(bela.rest.change_conversation(group, &title).await),
        code(bela.rest.add_participant(group, &add).await),
        code(bela.rest.change_role(group, bela.id, Role::Admin).await),
        code(bela.rest.change_role(group, anna.id, Role::Member).await),
        code(bela.rest.remove_participant(group, anna.id).await),
        code(bela.rest.edit(said.id, &edit).await),
        code(bela.rest.delete(said.id).await),
    ];
    assert_eq!(tried, [Some(Code::NotAdmin); 7]);
    assert_eq!(anna.log(group).await, before);
    // An admin may delete what others said, but not put words into their mouths.
    let his = bela.say(group, "his").await;
    assert_eq!(code(anna.rest.edit(his.id, &edit).await), Some(Code::NotAdmin));
    anna.rest.delete(his.id).await.unwrap();
    assert!(anna.rest.message(his.id).await.unwrap().deleted);
}

#[tokio::test]
async fn email_phone_and_settings_are_one_s_own() {
    let world = World::start().await;
    let [anna, bela] = world.people(["anna", "bela"]).await;
    let change = ChangeProfile {
        about: Some("gardener".into()),
        email: Some("anna@example.org".into()),
        phone: Some("+49 30 1234".into()),
        privacy: Some(ChangePrivacy { read_receipts: Some(false), ..Default::default() }),
        ..Default::default()
    };
    let own = anna.rest.change_profile(&change).await.unwrap();
    assert_eq!(own.email.as_deref(), Some("anna@example.org"));
    assert_eq!(own.privacy.map(|privacy| privacy.read_receipts), Some(false));
    let found = bela.rest.users("an", &Default::default()).await.unwrap().items.remove(0);
    for seen in [bela.rest.user(anna.id).await.unwrap(), found] {
        assert_eq!(seen.about.as_deref(), Some("gardener"));
        assert_eq!((seen.email, seen.phone, seen.privacy), (None, None, None));
    }
}
