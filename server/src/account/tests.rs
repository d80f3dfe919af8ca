//! Accounts on the model of the store: the rules, the races and the crashes between commits.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use kith_protocol::{
    Code, ConversationId, Timestamp, Uuid,
    limits::Limits,
    rest::{Audience, ChangePassword, ChangePrivacy, ChangeProfile, NewSession, NewUser, Registration, SignedIn},
};

use super::*;
use crate::{
    clock,
    media::{self, objects::Objects},
    store::{
        Answer, CommitError, Direction, Error as StoreError, Head, KeyRange, LogRange, Raise, Record, Row, RowKey,
        WriteError, memory::Memory,
    },
};

const PASSWORD: &str = "correct horse";
const LOCAL: Turn = Turn::Unknown(None);

fn accounts_on(store: Arc<dyn Store>, registration: Registration) -> Arc<Accounts> {
    let limits = Limits { devices: 3, ..Limits::default() };
    let settings = Settings {
        registration,
        invites_by: InvitesBy::Everyone,
        limits,
        newness: Newness::default(),
        signups_per_network: 1,
        signups: 2,
    };
    let objects = Arc::new(Objects::in_memory());
    let room = Arc::new(crate::room::Room::of("/nowhere".as_ref(), None));
    let media = Arc::new(Media::new(store.clone(), objects, room, media::Settings::default()));
    let subscriptions = Arc::new(Subscriptions::new(store.clone(), super::subscriptions::Settings::default()));
    Arc::new(Accounts::new(store, Arc::default(), media, subscriptions, settings))
}

fn accounts() -> Arc<Accounts> {
    accounts_on(Arc::new(Memory::new()), Registration::Open)
}

fn new_user(name: &str) -> NewUser {
    NewUser { username: name.to_owned(), password: PASSWORD.to_owned(), display_name: None, invite: None, device: None }
}

fn credentials(name: &str, password: &str) -> NewSession {
    NewSession { username: name.to_owned(), password: password.to_owned(), device: None, device_secret: None }
}

fn session(signed_in: &SignedIn) -> Actor {
    Actor { user: signed_in.user.id, device: signed_in.device.id }
}

fn code<T>(result: Result<T, Error>) -> Option<Code> {
    result.err().map(|error| error.code)
}

#[tokio::test]
async fn who_signs_up_can_sign_in_and_is_known_by_their_token() {
    let accounts = accounts();
    let anna = accounts.sign_up(new_user("anna"), LOCAL).await.unwrap();
    assert_eq!(accounts.authenticate(&anna.token).await, Ok(session(&anna)));
    let again = accounts.sign_in(credentials("Anna", PASSWORD), LOCAL).await.unwrap();
    assert_eq!(again.user.id, anna.user.id);
    assert_ne!(again.token, anna.token);
    assert_eq!(accounts.devices(session(&anna)).await.unwrap().len(), 2);
    for (name, password) in [("anna", "wrong horse"), ("nobody", PASSWORD)] {
        let refused = accounts.sign_in(credentials(name, password), LOCAL).await;
        assert_eq!(code(refused), Some(Code::WrongPassword));
    }
    for token in ["", "kith_", &anna.token[..anna.token.len() - 1], &token::new_token()] {
        assert_eq!(code(accounts.authenticate(token).await), Some(Code::Unauthenticated));
    }
}

#[tokio::test]
async fn of_many_who_want_one_name_one_gets_it_and_nothing_of_the_others_stays() {
    let store = Arc::new(Memory::new());
    let accounts = accounts_on(store.clone(), Registration::Open);
    let mut wishes = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let accounts = accounts.clone();
        wishes.spawn(async move { accounts.sign_up(new_user("anna"), LOCAL).await });
    }
    let results = wishes.join_all().await;
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1);
    let refused = results.into_iter().filter_map(code);
    assert!(refused.eq([Code::UsernameTaken; 7]));
    let listed = accounts.list_all(None).await.unwrap();
    assert_eq!(listed.items.len(), 1);
}

#[tokio::test]
async fn a_new_password_signs_all_other_devices_out() {
    let accounts = accounts();
    let here = accounts.sign_up(new_user("anna"), LOCAL).await.unwrap();
    let there = accounts.sign_in(credentials("anna", PASSWORD), LOCAL).await.unwrap();
    let change = |old: &str, new: &str| ChangePassword { old: old.to_owned(), new: new.to_owned() };
    let wrong = accounts.change_password(session(&here), change("wrong horse", "new password"));
    assert_eq!(code(wrong.await), Some(Code::WrongPassword));
    let short = accounts.change_password(session(&here), change(PASSWORD, "short")).await.unwrap_err();
    assert_eq!(short.fields[0].pointer, "/new");
    accounts.change_password(session(&here), change(PASSWORD, "new password")).await.unwrap();
    assert!(accounts.authenticate(&here.token).await.is_ok());
    assert_eq!(code(accounts.authenticate(&there.token).await), Some(Code::Unauthenticated));
    assert!(accounts.sign_in(credentials("anna", PASSWORD), LOCAL).await.is_err());
    accounts.sign_in(credentials("anna", "new password"), LOCAL).await.unwrap();
}

#[tokio::test]
async fn a_reset_password_signs_in_once_and_is_good_to_be_replaced() {
    let accounts = accounts();
    let before = accounts.sign_up(new_user("anna"), LOCAL).await.unwrap();
    let once = accounts.reset("anna").await.unwrap();
    assert!(accounts.authenticate(&before.token).await.is_err());
    assert!(accounts.sign_in(credentials("anna", PASSWORD), LOCAL).await.is_err());
    let anna = accounts.sign_in(credentials("anna", &once), LOCAL).await.unwrap();
    assert_eq!(code(accounts.sign_in(credentials("anna", &once), LOCAL).await), Some(Code::WrongPassword));
    let change = ChangePassword { old: once, new: "brand new".to_owned() };
    accounts.change_password(session(&anna), change).await.unwrap();
    accounts.sign_in(credentials("anna", "brand new"), LOCAL).await.unwrap();
    assert_eq!(code(accounts.reset("nobody").await), Some(Code::NotFound));
}

#[tokio::test]
async fn a_reset_password_that_nobody_used_ends_after_a_day() {
    let accounts = accounts();
    let user = accounts.sign_up(new_user("anna"), LOCAL).await.unwrap().user.id;
    let once = accounts.reset("anna").await.unwrap();
    let kept = accounts.living(user).await.unwrap().0.password;
    let [prefix, until, hash] = kept.split(':').collect::<Vec<_>>()[..] else { panic!("{kept}") };
    let left_ms = until.parse::<u64>().unwrap() - clock::now().millis();
    assert!(left_ms > 23 * 3_600_000 && left_ms <= 24 * 3_600_000, "{left_ms}");
    // A day later; and one that an older program gave out, nobody knows when.
    for ended in [format!("{prefix}:{}:{hash}", clock::now().millis()), format!("{prefix}:{hash}")] {
        let put = |row: &mut User| {
            row.password.clone_from(&ended);
            Ok(Vec::new())
        };
        accounts.change(user, put).await.unwrap();
        // Told only to who has the password.
        assert_eq!(code(accounts.sign_in(credentials("anna", "wrong"), LOCAL).await), Some(Code::WrongPassword));
        let refused = accounts.sign_in(credentials("anna", &once), LOCAL).await;
        assert_eq!(code(refused), Some(Code::PasswordExpired));
    }
    let once = accounts.reset("anna").await.unwrap();
    accounts.sign_in(credentials("anna", &once), LOCAL).await.unwrap();
}

#[tokio::test]
async fn one_device_more_than_allowed_signs_the_oldest_out() {
    let accounts = accounts();
    let first = accounts.sign_up(new_user("anna"), LOCAL).await.unwrap();
    let mut last = None;
    for _ in 0..3 {
        last = Some(accounts.sign_in(credentials("anna", PASSWORD), LOCAL).await.unwrap());
    }
    assert!(accounts.authenticate(&first.token).await.is_err());
    let devices = accounts.devices(session(&last.unwrap())).await.unwrap();
    assert_eq!(devices.iter().map(|device| device.current).collect::<Vec<_>>(), [false, false, true]);
}

#[tokio::test]
async fn a_revoked_device_is_gone_at_once_and_only_once() {
    let accounts = accounts();
    let anna = accounts.sign_up(new_user("anna"), LOCAL).await.unwrap();
    let bela = accounts.sign_up(new_user("bela"), LOCAL).await.unwrap();
    assert_eq!(code(accounts.revoke(session(&bela), anna.device.id).await), Some(Code::NotFound));
    accounts.revoke(session(&anna), anna.device.id).await.unwrap();
    assert!(accounts.authenticate(&anna.token).await.is_err());
    assert_eq!(code(accounts.revoke(session(&anna), anna.device.id).await), Some(Code::NotFound));
}

#[tokio::test]
async fn a_profile_tells_others_less_than_oneself() {
    let accounts = accounts();
    let anna = accounts.sign_up(new_user("anna"), LOCAL).await.unwrap().user.id;
    let bela = accounts.sign_up(new_user("bela"), LOCAL).await.unwrap().user.id;
    let change = ChangeProfile {
        display_name: Some("Anna".to_owned()),
        about: Some("two\nlines".to_owned()),
        email: Some("anna@example.org".to_owned()),
        privacy: Some(ChangePrivacy { last_seen: Some(Audience::Nobody), ..Default::default() }),
        ..ChangeProfile::default()
    };
    let own = accounts.change_profile(anna, change).await.unwrap();
    assert_eq!(own, accounts.profile(anna, anna).await.unwrap());
    assert_eq!(own.email.as_deref(), Some("anna@example.org"));
    assert!(own.privacy.is_some_and(|privacy| privacy.read_receipts));
    let seen = accounts.profile(bela, anna).await.unwrap();
    assert_eq!((seen.display_name.as_str(), seen.email, seen.privacy), ("Anna", None, None));
    assert_eq!(accounts.card(anna).await.unwrap().privacy.last_seen, Audience::Nobody);
    let unset = ChangeProfile { email: Some(String::new()), ..ChangeProfile::default() };
    assert_eq!(accounts.change_profile(anna, unset).await.unwrap().email, None);
    for (change, pointer) in [
        (ChangeProfile { display_name: Some(" ".into()), ..Default::default() }, "/display_name"),
        (ChangeProfile { display_name: Some("a\nb".into()), ..Default::default() }, "/display_name"),
        (ChangeProfile { about: Some("x".repeat(1001)), ..Default::default() }, "/about"),
        (ChangeProfile { email: Some("anna".into()), ..Default::default() }, "/email"),
        (ChangeProfile { phone: Some("call".into()), ..Default::default() }, "/phone"),
    ] {
        let error = accounts.change_profile(anna, change).await.unwrap_err();
        assert_eq!(error.fields[0].pointer, pointer);
    }
}

#[tokio::test]
async fn the_first_people_are_found_by_the_beginning_of_their_name() {
    let accounts = accounts();
    for name in ["anna", "anne", "ann", "bela", "an.x"] {
        accounts.sign_up(new_user(name), LOCAL).await.unwrap();
    }
    let page = accounts.search("ANN", 2).await.unwrap();
    let names: Vec<_> = page.items.into_iter().filter_map(|profile| profile.username).collect();
    assert_eq!((names, page.next_cursor), (vec!["ann".to_owned(), "anna".to_owned()], None));
    for short in ["", "a"] {
        assert_eq!(accounts.search(short, 2).await.unwrap_err().fields[0].pointer, "?username");
    }
    let all: Vec<_> = accounts.list_all(None).await.unwrap().items;
    assert_eq!(
        all.iter().map(|user| user.username.as_str()).collect::<Vec<_>>(),
        ["an.x", "ann", "anna", "anne", "bela"]
    );
}

#[tokio::test]
async fn a_card_follows_every_change() {
    let accounts = accounts();
    let anna = accounts.sign_up(new_user("anna"), LOCAL).await.unwrap().user.id;
    let bela = accounts.sign_up(new_user("bela"), LOCAL).await.unwrap().user.id;
    assert!(accounts.card(anna).await.unwrap().blocked.is_empty());
    accounts.block(anna, bela).await.unwrap();
    accounts.block(anna, bela).await.unwrap();
    assert!(accounts.card(anna).await.unwrap().blocked.contains(&bela));
    accounts.unblock(anna, bela).await.unwrap();
    assert!(accounts.card(anna).await.unwrap().blocked.is_empty());
    let at = clock::now();
    accounts.set_last_seen(anna, at).await.unwrap();
    accounts.set_last_seen(anna, Timestamp::from_millis(1)).await.unwrap();
    assert_eq!(accounts.card(anna).await.unwrap().last_seen, Some(at));
    assert_eq!(code(accounts.block(anna, anna).await), Some(Code::InvalidRequest));
    let nobody = UserId::new(clock::uuid());
    assert_eq!(code(accounts.block(anna, nobody).await), Some(Code::NotFound));
    assert!(!accounts.card(nobody).await.unwrap().exists);
    accounts.add_contact(anna, bela).await.unwrap();
    assert_eq!(accounts.contacts(anna).await.unwrap(), [bela]);
    assert!(accounts.is_contact(anna, bela).await.unwrap());
    assert!(!accounts.is_contact(bela, anna).await.unwrap());
}

#[tokio::test]
async fn an_invite_is_good_for_one() {
    let store = Arc::new(Memory::new());
    let accounts = accounts_on(store.clone(), Registration::Invite);
    let with = |name: &str, invite: &str| NewUser { invite: Some(invite.to_owned()), ..new_user(name) };
    assert_eq!(accounts.sign_up(new_user("anna"), LOCAL).await.err().unwrap().fields[0].pointer, "/invite");
    let first = accounts.invite(None).await.unwrap();
    let anna = accounts.sign_up(with("anna", &first.code), LOCAL).await.unwrap();
    assert!(accounts.sign_up(with("bela", &first.code), LOCAL).await.is_err());
    let second = accounts.invite(Some(anna.user.id)).await.unwrap();
    // A sign-up that fails leaves it good.
    assert_eq!(code(accounts.sign_up(with("anna", &second.code), LOCAL).await), Some(Code::UsernameTaken));
    accounts.sign_up(with("bela", &second.code), LOCAL).await.unwrap();
    let closed = accounts_on(store, Registration::Closed);
    assert_eq!(code(closed.sign_up(new_user("cora"), LOCAL).await), Some(Code::RegistrationClosed));
}

#[tokio::test]
async fn who_comes_with_the_operator_s_invite_is_counted_by_no_network() {
    let accounts = accounts_on(Arc::new(Memory::new()), Registration::Invite);
    let from = Turn::Unknown(Some(crate::network::Networks::of([198, 51, 100, 7].into())));
    let with = |name: &str, invite: &str| NewUser { invite: Some(invite.to_owned()), ..new_user(name) };
    let mut anna = None;
    for name in ["anna", "bela", "cora"] {
        let invite = accounts.invite(None).await.unwrap();
        anna = Some(accounts.sign_up(with(name, &invite.code), from).await.unwrap().user.id);
    }
    let by_a_user = accounts.invite(anna).await.unwrap();
    accounts.sign_up(with("dora", &by_a_user.code), from).await.unwrap();
    let by_a_user = accounts.invite(anna).await.unwrap();
    assert_eq!(code(accounts.sign_up(with("elsa", &by_a_user.code), from).await), Some(Code::RateLimited));
    // What was refused used nothing up.
    accounts.sign_up(with("elsa", &by_a_user.code), LOCAL).await.unwrap();
}

#[tokio::test]
async fn what_is_erased_is_gone_and_its_name_is_free() {
    let store = Arc::new(Memory::new());
    let accounts = accounts_on(store.clone(), Registration::Open);
    let marker = "unmistakable";
    let anna = accounts.sign_up(new_user("anna"), LOCAL).await.unwrap();
    let bela = accounts.sign_up(new_user("bela"), LOCAL).await.unwrap().user.id;
    let id = anna.user.id;
    let change = ChangeProfile { about: Some(marker.to_owned()), ..ChangeProfile::default() };
    accounts.change_profile(id, change).await.unwrap();
    accounts.block(id, bela).await.unwrap();
    let invite = accounts.invite(Some(id)).await.unwrap();
    assert_eq!(code(accounts.prove(id, "wrong horse".to_owned()).await), Some(Code::WrongPassword));
    accounts.prove(id, PASSWORD.to_owned()).await.unwrap();
    accounts.erase(id).await.unwrap();

    assert_eq!(code(accounts.authenticate(&anna.token).await), Some(Code::Unauthenticated));
    assert!(accounts.sign_in(credentials("anna", PASSWORD), LOCAL).await.is_err());
    let seen = accounts.profile(bela, id).await.unwrap();
    assert_eq!((seen.deleted, seen.username, seen.about), (true, None, None));
    let card = accounts.card(id).await.unwrap();
    assert!(card.exists && card.erased && card.username.is_empty());
    let left = accounts.store.all(schema::user::partition(id), schema::user::everything()).await.unwrap();
    assert_eq!(left.len(), 1);
    assert!(accounts.good_invite(&invite.code).await.is_err());
    let notes = accounts.store.all(schema::server::partition(), schema::server::all_erasing()).await.unwrap();
    assert!(notes.is_empty());
    assert_eq!(code(accounts.change_profile(id, ChangeProfile::default()).await), Some(Code::NotFound));
    let again = accounts.sign_up(new_user("anna"), LOCAL).await.unwrap();
    assert_ne!(again.user.id, id);
}

#[tokio::test]
async fn an_import_makes_those_who_are_not_there() {
    let accounts = accounts();
    accounts.sign_up(new_user("anna"), LOCAL).await.unwrap();
    let hash = accounts.passwords.hash(PASSWORD.to_owned(), LOCAL).await.unwrap();
    let token = token::new_token();
    let token_hash: String = token::sha256(token.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
    let line = |name: &str| format!(r#"{{"username":"{name}","password_hash":"{hash}","token_hash":"{token_hash}"}}"#);
    let users = ["anna", "bela"].map(|name| Imported::read(line(name).as_bytes()).unwrap());
    let summary = accounts.import(users.to_vec()).await.unwrap();
    assert_eq!(summary, ImportSummary { imported: 1, existing: vec!["anna".to_owned()] });
    let bela = accounts.sign_in(credentials("bela", PASSWORD), LOCAL).await.unwrap();
    assert_eq!(accounts.authenticate(&token).await.unwrap().user, bela.user.id);
    for (line, why) in [
        ("{}".to_owned(), "username"),
        ("nonsense".to_owned(), "expected"),
        (line("X"), "username must be"),
        (line("cora").replace("$argon2id", "$argon2i"), "password_hash is"),
        (line("cora").replace(&token_hash, "zz"), "token_hash must be"),
        (line("cora").replace("token_hash", "token"), "unknown field"),
    ] {
        let error = Imported::read(line.as_bytes()).unwrap_err();
        assert!(error.contains(why), "{error}");
    }
}

#[tokio::test]
async fn a_used_key_is_remembered_for_its_user_alone() {
    let accounts = accounts();
    let (anna, bela) = (UserId::new(clock::uuid()), UserId::new(clock::uuid()));
    let now = clock::now();
    let replay = |at| Replay { body_hash: [1; 32], status: 201, resource: "conv".to_owned(), at };
    accounts.remember(anna, [1; 16], &replay(now)).await.unwrap();
    assert_eq!(accounts.replay(anna, [1; 16]).await.unwrap(), Some(replay(now)));
    assert_eq!(accounts.replay(bela, [1; 16]).await.unwrap(), None);
    let old = Timestamp::from_millis(now.millis() - 8 * 24 * 3600 * 1000);
    accounts.remember(anna, [255; 16], &replay(old)).await.unwrap();
    assert_eq!(accounts.replay(anna, [255; 16]).await.unwrap(), None);
    // The sweep begins at a random key, so the highest one is in every sample that is not full.
    accounts.remember(anna, [0; 16], &replay(now)).await.unwrap();
    let rows = accounts.store.all(schema::user::partition(anna), schema::user::replays()).await.unwrap();
    assert_eq!(rows.len(), 2);
}

/// A store whose commits stop working after some: the process has crashed there.
struct Crashing {
    inner: Arc<Memory>,
    commits_left: AtomicUsize,
}

impl Store for Crashing {
    fn write(&self, log: ConversationId, head: u64, turn: crate::store::Turn) -> Answer<'_, (), WriteError> {
        self.inner.write(log, head, turn)
    }
    fn confirm(&self, log: ConversationId, head: u64) -> Answer<'_, (), WriteError> {
        self.inner.confirm(log, head)
    }
    fn find(&self, log: ConversationId, user: UserId, client_id: Uuid) -> Answer<'_, Option<u64>> {
        self.inner.find(log, user, client_id)
    }
    fn read_within(&self, ranges: Vec<LogRange>, bytes: usize) -> Answer<'_, Vec<Vec<Record>>> {
        self.inner.read_within(ranges, bytes)
    }
    fn heads(&self, logs: Vec<ConversationId>) -> Answer<'_, Vec<Option<Head>>> {
        self.inner.heads(logs)
    }
    fn get(&self, rows: Vec<RowKey>) -> Answer<'_, Vec<Option<Bytes>>> {
        self.inner.get(rows)
    }
    fn scan(&self, partition: Vec<u8>, range: KeyRange, direction: Direction, limit: usize) -> Answer<'_, Vec<Row>> {
        self.inner.scan(partition, range, direction, limit)
    }
    fn commit(
        &self,
        partition: Vec<u8>,
        changes: Vec<Change>,
        conditions: Vec<Condition>,
    ) -> Answer<'_, (), CommitError> {
        let left = |left: usize| left.checked_sub(1);
        match self.commits_left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, left) {
            Ok(_) => self.inner.commit(partition, changes, conditions),
            Err(_) => Box::pin(async { Err(StoreError::Unavailable("crashed".to_owned()).into()) }),
        }
    }
    fn raise(&self, rows: Vec<Raise>) -> Answer<'_, ()> {
        self.inner.raise(rows)
    }
    fn ready(&self) -> Answer<'_, ()> {
        self.inner.ready()
    }
}

#[tokio::test]
async fn a_crash_at_any_commit_of_a_sign_up_leaves_the_name_to_be_had() {
    for crash_after in 0..4 {
        let inner = Arc::new(Memory::new());
        let crashing = Crashing { inner: inner.clone(), commits_left: crash_after.into() };
        let invited = accounts_on(inner.clone(), Registration::Invite);
        let invite = invited.invite(None).await.unwrap();
        let with = NewUser { invite: Some(invite.code), ..new_user("anna") };
        let crashed = accounts_on(Arc::new(crashing), Registration::Invite).sign_up(with, LOCAL).await;
        assert_eq!(code(crashed), Some(Code::Unavailable), "after {crash_after} commits");
        let after = accounts_on(inner, Registration::Open);
        assert!(after.list_all(None).await.unwrap().items.is_empty());
        let anna = after.sign_up(new_user("anna"), LOCAL).await.unwrap();
        assert!(after.authenticate(&anna.token).await.is_ok());
    }
}

#[tokio::test]
async fn an_erasure_that_a_crash_interrupted_is_finished() {
    for crash_after in 1.. {
        let inner = Arc::new(Memory::new());
        let before = accounts_on(inner.clone(), Registration::Open);
        let anna = before.sign_up(new_user("anna"), LOCAL).await.unwrap();
        before.invite(Some(anna.user.id)).await.unwrap();
        let crashing = Crashing { inner: inner.clone(), commits_left: crash_after.into() };
        let erased = accounts_on(Arc::new(crashing), Registration::Open).erase(anna.user.id).await;
        let after = accounts_on(inner, Registration::Open);
        let begun = after.erasures().await.unwrap();
        assert_eq!(after.finish_erasures(begun).await, []);
        assert!(after.authenticate(&anna.token).await.is_err());
        let partition = schema::user::partition(anna.user.id);
        assert_eq!(after.store.all(partition, schema::user::everything()).await.unwrap().len(), 1);
        assert!(after.store.one(schema::name::row("anna")).await.unwrap().is_none());
        after.sign_up(new_user("anna"), LOCAL).await.unwrap();
        if erased.is_ok() {
            assert!(crash_after > 4, "an erasure has more commits than {crash_after}");
            return;
        }
    }
}

#[tokio::test]
async fn a_login_storm_is_refused_in_part_and_everybody_else_is_served() {
    let accounts = accounts();
    let anna = accounts.sign_up(new_user("anna"), LOCAL).await.unwrap();
    let mut storm = tokio::task::JoinSet::new();
    for _ in 0..2 * limits::PASSWORDS_WAITING {
        let accounts = accounts.clone();
        storm.spawn(async move { accounts.sign_in(credentials("nobody", PASSWORD), LOCAL).await });
    }
    let mut refused = 0;
    while refused == 0 {
        if let Err(error) = storm.join_next().await.unwrap().unwrap() {
            refused += usize::from(error.code == Code::Overloaded);
            assert!(error.code == Code::WrongPassword || error.retry_after > Some(Duration::ZERO));
        }
    }
    assert!(accounts.authenticate(&anna.token).await.is_ok());
}
