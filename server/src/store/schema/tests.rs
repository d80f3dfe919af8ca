use kith_protocol::entry::{ConversationKind, Role, Writers};
use kith_protocol::{ReportId, Uuid};
use proptest::{collection::vec, option, prelude::*};

use super::{due::Task, *};

fn user_id() -> impl Strategy<Value = UserId> {
    any::<u128>().prop_map(|id| UserId::new(Uuid::from_u128(id)))
}

fn device_id() -> impl Strategy<Value = DeviceId> {
    any::<u128>().prop_map(|id| DeviceId::new(Uuid::from_u128(id)))
}

fn conversation_id() -> impl Strategy<Value = ConversationId> {
    any::<u128>().prop_map(|id| ConversationId::new(Uuid::from_u128(id)))
}

fn time() -> impl Strategy<Value = Timestamp> {
    any::<u64>().prop_map(Timestamp::from_millis)
}

fn text() -> impl Strategy<Value = String> {
    "\\PC{0,20}"
}

fn role() -> impl Strategy<Value = Role> {
    prop_oneof![Just(Role::Member), Just(Role::Admin), Just(Role::Owner)]
}

/// A privacy, enumerations and a flag of the protocol, which say themselves in JSON what they can be.
fn privacy() -> impl Strategy<Value = Privacy> {
    let last_seen = prop_oneof![Just("everyone"), Just("contacts"), Just("nobody")];
    let groups = prop_oneof![Just("everyone"), Just("contacts")];
    (last_seen, any::<bool>(), groups).prop_map(|(last_seen, read_receipts, groups)| {
        let json = serde_json::json!({ "last_seen": last_seen, "read_receipts": read_receipts, "groups": groups });
        serde_json::from_value(json).expect("a privacy")
    })
}

fn a_user() -> impl Strategy<Value = User> {
    let names = (text(), text(), option::of(text()), option::of(text()), option::of(text()), option::of(text()));
    (names, privacy(), text(), time(), option::of(time()), any::<[bool; 3]>()).prop_map(
        |(names, privacy, password, created_at, last_seen, [erased, suspended, vouched])| {
            let (username, display_name, about, avatar, email, phone) = names;
            User {
                username,
                display_name,
                about,
                avatar,
                email,
                phone,
                privacy,
                password,
                created_at,
                last_seen,
                erased,
                suspended,
                vouched,
            }
        },
    )
}

fn a_state() -> impl Strategy<Value = State> {
    let kind =
        prop_oneof![Just(ConversationKind::Direct), Just(ConversationKind::Group), Just(ConversationKind::Channel)];
    let writers = prop_oneof![Just(Writers::Everyone), Just(Writers::Admins)];
    let texts = (option::of(text()), option::of(text()), option::of(text()));
    (any::<(u64, u64, u64, u64)>(), kind, texts, option::of(any::<u32>()), writers, time()).prop_map(
        |((seq, messages, mentioning, rev), kind, (title, topic, avatar), expire_after_s, writers, created_at)| State {
            seq,
            counts: Counts { messages, mentioning, rev },
            settings: Settings { kind, title, topic, avatar, expire_after_s, writers, created_at },
        },
    )
}

fn pointer() -> impl Strategy<Value = Pointer> {
    (any::<u64>(), vec((any::<u64>(), time()), 0..5)).prop_map(|(seq, moves)| Pointer { seq, moves })
}

fn a_member() -> impl Strategy<Value = Member> {
    (role(), any::<(u64, u64, u64)>(), pointer(), pointer(), vec(any::<u64>(), 0..5), any::<(bool, bool)>()).prop_map(
        |(role, (since, joined, read_messages), read, delivered, mentions, (has_written, accepted))| Member {
            log: kith_log::Member { role, since, joined },
            pointers: Pointers { read, read_messages, delivered, mentions, has_written, accepted },
        },
    )
}

fn media_id() -> impl Strategy<Value = MediaId> {
    any::<u128>().prop_map(|id| MediaId::new(Uuid::from_u128(id)))
}

fn a_media() -> impl Strategy<Value = Media> {
    let picture = (any::<(u32, u32)>(), vec(any::<u8>(), 0..30), option::of(text()))
        .prop_map(|((width, height), thumbhash, thumbnail)| Picture { width, height, thumbhash, thumbnail });
    let says = (text(), option::of(text()), option::of(picture));
    (user_id(), any::<[u8; 32]>(), any::<u64>(), says, time(), any::<bool>()).prop_map(
        |(owner, sha256, size, (content_type, name, picture), created_at, doomed)| Media {
            owner,
            sha256,
            size,
            content_type,
            name,
            picture,
            created_at,
            doomed,
        },
    )
}

fn an_amendment() -> impl Strategy<Value = Amendment> {
    (vec(any::<u64>(), 0..5), any::<bool>(), vec((text(), vec(user_id(), 0..3)), 0..3))
        .prop_map(|(edits, deleted, reactions)| Amendment { edits, deleted, reactions })
}

/// Reads back what it wrote, and refuses it with another version, cut short, or with something behind it.
fn survives<V: Value + PartialEq + std::fmt::Debug>(value: &V) -> Result<(), TestCaseError> {
    let stored = value.encode();
    prop_assert_eq!(stored[0], V::VERSION);
    prop_assert_eq!(&V::decode(&stored).unwrap(), value);
    let newer = [&[V::VERSION + 1], &stored[1..]].concat();
    prop_assert!(matches!(V::decode(&newer), Err(Error::Corrupt(_))));
    prop_assert!(V::decode(&stored[..stored.len() - 1]).is_err());
    prop_assert!(V::decode(&[]).is_err());
    Ok(())
}

proptest! {
    #[test]
    fn every_value_survives_its_stored_form(
        user in a_user(),
        (name, platform, created_at, token_hash) in (text(), text(), time(), any::<[u8; 32]>()),
        (id, device, by, at) in (user_id(), device_id(), option::of(user_id()), time()),
        (body_hash, status, resource) in (any::<[u8; 32]>(), any::<u16>(), text()),
        (muted_until, pinned, archived) in (option::of(time()), any::<bool>(), any::<bool>()),
        state in a_state(),
        member in a_member(),
        amendment in an_amendment(),
        (media, size, metadata) in (a_media(), any::<u64>(), text()),
        (endpoint, key, auth, attempts) in (text(), vec(any::<u8>(), 65), any::<[u8; 16]>(), any::<u32>()),
    ) {
        survives(&Subscription { endpoint, key, auth, created_at: at })?;
        survives(&Pending { since: at, not_before: created_at, attempts })?;
        survives(&media)?;
        survives(&Upload { length: size, metadata })?;
        prop_assert_eq!(media::user_of(&media::user_value(id)).unwrap(), id);
        survives(&Collect { owner: id, sha256: media.sha256 })?;
        prop_assert_eq!(user::size_of(&user::size_value(size)).unwrap(), size);
        survives(&user)?;
        let first = older::Device { name, platform, created_at, token_hash };
        survives(&first)?;
        let row = Device::decode(&first.encode()).unwrap();
        prop_assert_eq!((row.token_hash, row.features.len()), (token_hash, 0));
        survives(&Device { features: vec![resource.clone()], ..row })?;
        survives(&Token { user: id, device })?;
        survives(&Invite { by, expires_at: at })?;
        survives(&Known { device, used_at: at })?;
        survives(&Replay { body_hash, status, resource: resource.clone(), at })?;
        survives(&Listed { muted_until, pinned, archived })?;
        survives(&Today { day: size, begun: attempts, stranger_directs: attempts, stranger_groups: 1, reports: 2 })?;
        survives(&Request { from: id, at, until: created_at })?;
        let conversation = ConversationId::from_bytes(auth);
        let reported = ReportedMessage {
            conversation,
            seq: size,
            sender: id,
            at,
            text: resource.clone(),
            attachments: vec![MediaId::from_bytes(auth)],
        };
        survives(&Report {
            by: id,
            at,
            user: by,
            conversation: by.map(|_| conversation),
            reason: resource.clone(),
            messages: vec![reported],
        })?;
        survives(&Kept { at, boot_us: size, boot: auth })?;
        survives(&state)?;
        survives(&member)?;
        survives(&amendment)?;
        prop_assert_eq!(server::version_of(&server::version_value(attempts)).unwrap(), attempts);
        prop_assert_eq!(user::time_of(&user::time_value(at)).unwrap(), at);
    }

    #[test]
    fn a_user_of_the_first_version_lets_everyone_add_them(mut user in a_user()) {
        let (last_seen, read_receipts) = (user.privacy.last_seen, user.privacy.read_receipts);
        let older = older::User {
            username: user.username.clone(),
            display_name: user.display_name.clone(),
            about: user.about.clone(),
            avatar: user.avatar.clone(),
            email: user.email.clone(),
            phone: user.phone.clone(),
            privacy: older::Privacy { last_seen, read_receipts },
            password: user.password.clone(),
            created_at: user.created_at,
            last_seen: user.last_seen,
            erased: user.erased,
        };
        survives(&older)?;
        (user.suspended, user.vouched) = (false, false);
        user.privacy = Privacy { last_seen, read_receipts, ..Privacy::default() };
        prop_assert_eq!(User::decode(&older.encode()).unwrap(), user);
    }

    #[test]
    fn a_member_of_the_first_version_has_accepted(mut member in a_member()) {
        let older = older::Member {
            role: member.log.role,
            since: member.log.since,
            joined: member.log.joined,
            read: member.pointers.read.clone(),
            read_messages: member.pointers.read_messages,
            delivered: member.pointers.delivered.clone(),
            mentions: member.pointers.mentions.clone(),
            has_written: member.pointers.has_written,
        };
        survives(&older)?;
        member.pointers.accepted = true;
        prop_assert_eq!(Member::decode(&older.encode()).unwrap(), member);
    }

    #[test]
    fn any_bytes_are_refused_or_read(bytes in vec(any::<u8>(), 0..80), key in vec(0..9u8, 0..40)) {
        let _ = User::decode(&bytes);
        let _ = State::decode(&bytes);
        let _ = Member::decode(&bytes);
        let _ = Amendment::decode(&bytes);
        let _ = Media::decode(&bytes);
        let _ = Upload::decode(&bytes);
        let _ = Subscription::decode(&bytes);
        let _ = Pending::decode(&bytes);
        let _ = place(&bytes, &key);
        let _ = place(&[b"umcaxhtdinkogpwqerf"[bytes.len() % 19]], &key);
    }

    #[test]
    fn every_key_says_what_it_is(
        (one, other, device) in (user_id(), user_id(), device_id()),
        (conversation, seq, at) in (conversation_id(), any::<u64>(), time()),
        (hash, half) in any::<([u8; 32], [u8; 16])>(),
        title in "[a-zA-ZäÖ0-9 ]{0,12}",
        media in media_id(),
    ) {
        let of_user = |key: Vec<u8>| place(&user::partition(one), &key).unwrap();
        prop_assert_eq!(of_user(user::profile()), Place::Profile(one));
        prop_assert_eq!(of_user(user::device(device)), Place::Device(one, device));
        prop_assert_eq!(of_user(user::blocked(other)), Place::Blocked(one, other));
        prop_assert_eq!(of_user(user::listed(conversation)), Place::Listed(one, conversation));
        prop_assert_eq!(of_user(user::mention(at, conversation, seq)), Place::Mention(one, at, conversation, seq));
        prop_assert_eq!(of_user(user::replay(half)), Place::Replay(one));
        prop_assert_eq!(of_user(user::contact(other)), Place::Contact(one, other));
        prop_assert_eq!(of_user(user::invite(&hash)), Place::UserInvite(one, hash));
        prop_assert_eq!(of_user(user::known(&hash)), Place::Known(one, hash));
        prop_assert_eq!(of_user(user::media(media)), Place::UserMedia(one, media));
        prop_assert_eq!(of_user(user::media_bytes()), Place::UserMediaBytes(one));
        prop_assert_eq!(of_user(user::today()), Place::Today(one));
        prop_assert_eq!(of_user(user::request(conversation)), Place::Request(one, conversation));
        let upload = UploadId::new(media.uuid());
        prop_assert_eq!(of_user(user::upload(upload)), Place::Upload(one, upload));
        prop_assert_eq!(of_user(user::uploaded(upload)), Place::Uploaded(one, upload));
        for key in [user::upload(upload), user::uploaded(upload)] {
            prop_assert!(holds(&user::all_uploads(), &key));
            prop_assert_eq!(holds(&user::open_uploads(), &key), key == user::upload(upload));
            prop_assert_eq!(user::upload_of(&key).unwrap(), upload);
        }

        let of_conversation = |key: Vec<u8>| place(&conversation::partition(conversation), &key).unwrap();
        prop_assert_eq!(of_conversation(conversation::state()), Place::State(conversation));
        prop_assert_eq!(of_conversation(conversation::member(one)), Place::Member(conversation, one));
        prop_assert_eq!(of_conversation(conversation::amendment(seq)), Place::Amendment(conversation, seq));

        let of_server = |key: Vec<u8>| place(&server::partition(), &key).unwrap();
        prop_assert_eq!(of_server(server::version()), Place::Version);
        prop_assert_eq!(of_server(server::probe()), Place::Probe);
        prop_assert_eq!(of_server(server::clock()), Place::Clock);
        prop_assert_eq!(of_server(server::media_key().key), Place::MediaKey);
        prop_assert_eq!(of_server(server::push_key().key), Place::PushKey);
        prop_assert_eq!(of_server(server::search_key().key), Place::SearchKey);
        prop_assert_eq!(of_server(server::instance().key), Place::Instance);
        prop_assert_eq!(of_server(server::erasing(one)), Place::Erasing(one));

        let of = |row: RowKey| place(&row.partition, &row.key).unwrap();
        let (low, high) = (one.min(other), one.max(other));
        prop_assert_eq!(of(name::row("anna")), Place::Name);
        prop_assert_eq!(of(token::row(&hash)), Place::Token(hash));
        prop_assert_eq!(of(invite::row(&hash)), Place::Invite);
        prop_assert_eq!(of(direct::row(one, other)), Place::Direct(low, high));
        prop_assert_eq!(direct::row(one, other), direct::row(other, one));
        prop_assert_eq!(of(channel::row(&title, conversation)), Place::Channel(conversation));
        prop_assert_eq!(of(active::row(conversation)), Place::Active(conversation));
        let RowKey { partition, key } = active::row(conversation);
        let unindexed = RowKey { partition, key: active::unindexed(conversation) };
        prop_assert!(key < unindexed.key && !active::is_unindexed(&key));
        let unpushed = RowKey { key: active::unpushed(conversation, seq), ..unindexed.clone() };
        prop_assert!(unindexed.key < unpushed.key && !active::is_unindexed(&unpushed.key));
        prop_assert_eq!(active::unpushed_seq(&unindexed.key), None);
        prop_assert_eq!(of(unindexed), Place::Unindexed(conversation));
        prop_assert_eq!(of(unpushed), Place::Unpushed(conversation, seq));
        let (subscription, pending) = (push::subscription(one, device), push::pending(one, device, conversation));
        prop_assert_eq!(&subscription.partition, &pending.partition);
        prop_assert!(holds(&push::all_subscriptions(), &subscription.key) && !holds(&push::all_subscriptions(), &pending.key));
        prop_assert!(holds(&push::all_pending(), &pending.key) && !holds(&push::all_pending(), &subscription.key));
        prop_assert!(holds(&push::pending_of(one, device), &pending.key));
        prop_assert_eq!(holds(&push::pending_of(other, device), &pending.key), one == other);
        prop_assert_eq!(of(subscription), Place::Subscription(one, device));
        prop_assert_eq!(of(pending), Place::Pending(one, device, conversation));
        prop_assert_eq!(of(due::row(at, Task::Expiry(conversation, seq))), Place::Expiring(at, conversation, seq));
        let report = ReportId::from_bytes(half);
        prop_assert_eq!(of(report::row(report)), Place::Report(report));
        let made = report::made(report, one);
        prop_assert_eq!(place(&report::partition(), &made).unwrap(), Place::ReportMade(report, one));
        prop_assert!(holds(&report::all_made(), &made) && !holds(&report::all_made(), &report::row(report).key));
        prop_assert_eq!(of(due::row(at, Task::Request(one, conversation))), Place::RequestDue(at, one, conversation));
        prop_assert_eq!(of(media::row(media)), Place::Media(media));
        prop_assert_eq!(of(due::row(at, Task::Media(media))), Place::Collect(at, media));
        prop_assert_eq!(of(due::row(at, Task::Upload(upload))), Place::UploadDue(at, upload));
        prop_assert_eq!(of(due::since()), Place::DueSince);
        for kind in due::Kind::ALL {
            let cursor = due::cursor(kind, half[0]);
            prop_assert!(holds(&due::cursors_of(kind), &cursor));
            prop_assert_eq!(place(&due::cursors(), &cursor).unwrap(), Place::DueCursor(kind, half[0]));
        }
        prop_assert_eq!(place(&quota::partition(), &quota::key(seq, one)).unwrap(), Place::Written(seq, one));
        let references = [
            media::Reference::Message(conversation, seq),
            media::Reference::User(one),
            media::Reference::Conversation(conversation),
        ];
        for reference in references {
            let key = media::reference(reference);
            prop_assert!(holds(&media::references(), &key));
            prop_assert_eq!(holds(&media::avatars(), &key), !matches!(reference, media::Reference::Message(..)));
            prop_assert_eq!(holds(&media::shown_from(&[]), &key), matches!(reference, media::Reference::Message(..)));
            prop_assert_eq!(place(&media::partition(media), &key).unwrap(), Place::Reference(media, reference));
        }
        let of_bytes = |key: Vec<u8>| place(&media::bytes_partition(&hash), &key).unwrap();
        prop_assert_eq!(of_bytes(media::bytes_of(media)), Place::BytesOf(hash, media));
        prop_assert_eq!(of_bytes(media::removing()), Place::BytesRemoving(hash));
        prop_assert!(holds(&media::all_bytes_of(), &media::bytes_of(media)));
        prop_assert!(!holds(&media::all_bytes_of(), &media::removing()));
    }

    #[test]
    fn keys_sort_as_what_they_name(
        (a, b) in (user_id(), user_id()),
        (c, d) in (conversation_id(), conversation_id()),
        ((s, t), (x, y)) in (any::<(u64, u64)>(), (time(), time())),
    ) {
        prop_assert_eq!(user::listed(c).cmp(&user::listed(d)), c.cmp(&d));
        prop_assert_eq!(conversation::member(a).cmp(&conversation::member(b)), a.cmp(&b));
        prop_assert_eq!(conversation::amendment(s).cmp(&conversation::amendment(t)), s.cmp(&t));
        prop_assert_eq!(user::mention(x, c, s).cmp(&user::mention(y, d, t)), (x, c, s).cmp(&(y, d, t)));
        let (early, late) = (due::row(x, Task::Expiry(c, s)), due::row(y, Task::Expiry(c, t)));
        prop_assert_eq!(early.key.cmp(&late.key), (x, s).cmp(&(y, t)));
    }

    #[test]
    fn a_range_holds_its_own_rows_and_no_others(
        (one, other, device) in (user_id(), user_id(), device_id()),
        (c, d) in (conversation_id(), conversation_id()),
        (seq, from, to, at, until) in (any::<u64>(), any::<u64>(), any::<u64>(), time(), time()),
        (hash, half) in any::<([u8; 32], [u8; 16])>(),
        media in media_id(),
    ) {
        let keys = [
            user::profile(), user::device(device), user::blocked(other), user::listed(c),
            user::mention(at, c, seq), user::replay(half), user::contact(other), user::invite(&hash),
            user::media(media), user::upload(UploadId::new(media.uuid())), user::request(c),
        ];
        let ranges = [
            user::devices(), user::all_blocked(), user::all_listed(), user::mentions(), user::replays(),
            user::contacts(), user::invites(), user::all_media(), user::all_uploads(), user::requests(),
        ];
        for (place, range) in ranges.iter().enumerate() {
            for (other, key) in keys.iter().enumerate() {
                prop_assert_eq!(holds(range, key), other == place + 1);
            }
        }
        for key in &keys {
            prop_assert!(holds(&user::everything(), key));
            prop_assert_eq!(holds(&user::after_profile(), key), *key != user::profile());
        }
        prop_assert_eq!(holds(&user::listed_after(d), &user::listed(c)), c > d);
        prop_assert_eq!(holds(&user::replays_from(half), &user::replay(half)), true);
        prop_assert_eq!(holds(&conversation::members_after(one), &conversation::member(other)), other > one);
        prop_assert_eq!(holds(&conversation::amendments(from..=to), &conversation::amendment(seq)), (from..=to).contains(&seq));
        prop_assert!(!holds(&conversation::members(), &conversation::amendment(seq)));
        prop_assert!(holds(&conversation::members(), &conversation::member(one)));
        let row = due::row(at, Task::Expiry(c, seq));
        prop_assert_eq!(holds(&due::from(until), &row.key), at >= until);
        prop_assert_eq!(due::of_key(due::Kind::Expiry, &row.key).unwrap(), (at, Task::Expiry(c, seq)));
        let window = due::Kind::Expiry.window(at);
        let next = due::Kind::Expiry.begin(window + 1);
        prop_assert!(due::Kind::Expiry.begin(window) <= at && (at < next || next == Timestamp::MAX));
        prop_assert!(holds(&server::all_erasing(), &server::erasing(one)));
        prop_assert!(!holds(&server::all_erasing(), &server::version()));
    }

    #[test]
    fn prefixes_find_names_and_titles(name in "[a-z0-9._-]{1,10}", other in "[a-z0-9._-]{1,10}", length in 1..10usize) {
        let prefix = &name[..length.min(name.len())];
        let row = name::row(&other);
        let found = row.partition == name::partition(prefix) && holds(&name::range(prefix, None), &row.key);
        prop_assert_eq!(found, other.starts_with(prefix));
        prop_assert!(!holds(&name::range(prefix, Some(&name)), &name::row(&name).key));
        prop_assert!(name::first_bytes().any(|first| name.as_bytes()[0] == first));
        let id = ConversationId::new(Uuid::nil());
        let row = channel::row(&other.to_uppercase(), id);
        let found = row.partition == channel::partition(prefix) && holds(&channel::range(prefix, None), &row.key);
        prop_assert_eq!(found, other.starts_with(prefix));
        prop_assert!(channel::partitions().any(|partition| partition == row.partition));
    }
}

fn holds(range: &KeyRange, key: &[u8]) -> bool {
    key >= &range.from[..] && range.to.as_ref().is_none_or(|to| key < &to[..])
}

#[test]
fn the_list_of_kinds_is_that_of_the_places() {
    let source = include_str!("place.rs");
    let variants = source.split_once("pub enum Place {").unwrap().1.split_once('}').unwrap().0;
    let names: Vec<_> = variants.lines().filter_map(|line| line.trim().split(['(', ',']).next()).collect();
    assert_eq!(names.into_iter().filter(|name| !name.is_empty()).collect::<Vec<_>>(), Place::KINDS);
}
