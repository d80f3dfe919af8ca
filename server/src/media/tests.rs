//! Media without anybody around them, on the model of the store.

use kith_protocol::{ConversationId, Timestamp, Uuid, rest::Privacy};

use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use hmac::Mac as _;

use super::*;
use crate::{
    clock,
    store::{
        memory::Memory,
        schema::{User, Value as _},
    },
};

fn user(erased: bool) -> User {
    User {
        username: "anna".to_owned(),
        display_name: "Anna".to_owned(),
        about: None,
        avatar: None,
        email: None,
        phone: None,
        privacy: Privacy::default(),
        password: String::new(),
        created_at: Timestamp::default(),
        last_seen: None,
        erased,
        suspended: false,
        vouched: false,
    }
}

async fn put_user(media: &Media, id: UserId, erased: bool) {
    let row = Change::Put(schema::user::profile(), user(erased).encode());
    media.put(schema::user::partition(id), vec![row]).await.unwrap();
}

fn media() -> Media {
    let objects = Arc::new(Objects::in_memory());
    let room = Arc::new(Room::of("/nowhere".as_ref(), None));
    let settings = Settings { quota_bytes: 1000, keep_s: 3600, ..Settings::default() };
    Media::new(Arc::new(Memory::new()), objects, room, settings)
}

/// Looks at the media whose time has come.
async fn collect(media: &Media) {
    media.looks.pass(&super::collect::Collection(media)).await.unwrap();
}

#[tokio::test]
async fn who_leaves_during_a_backup_leaves_nothing_after_it() {
    let (media, owner) = (media(), UserId::new(Uuid::from_u128(1)));
    put_user(&media, owner, false).await;
    let new = New { owner, content_type: String::new(), name: None, source: Source::Bytes("hers".into()) };
    let (id, row) = media.add(new).await.unwrap();
    let shown = Reference::Message(ConversationId::new(Uuid::from_u128(2)), 7);
    media.refer(id, &row, shown).await.unwrap();
    let there = async || media.objects.read(&row.sha256, Part::Whole, None).await.is_ok();

    let copying = media.objects.copying();
    put_user(&media, owner, true).await;
    media.erase(owner).await.unwrap();
    assert_eq!(media.row(id).await.map_err(|error| error.code), Err(Code::NotFound), "nobody sees it");
    assert_eq!(media.refer(id, &row, shown).await.map_err(|error| error.code), Err(Code::NotFound));
    collect(&media).await;
    assert!(there().await, "the backup may still need it");
    drop(copying);
    collect(&media).await;
    assert!(!there().await);
    assert_eq!(media.maybe(id).await, Ok(None));
}

#[tokio::test]
async fn what_a_message_is_about_to_show_is_not_removed() {
    let (media, owner) = (media(), UserId::new(Uuid::from_u128(1)));
    put_user(&media, owner, false).await;
    let new = New { owner, content_type: String::new(), name: None, source: Source::Bytes("hers".into()) };
    let (id, row) = media.add(new).await.unwrap();
    let shown = Reference::Message(ConversationId::new(Uuid::from_u128(2)), 7);
    media.refer(id, &row, shown).await.unwrap();
    // Another message let go of it.
    media.release(id, Reference::User(owner)).await.unwrap();
    collect(&media).await;
    assert_eq!(media.row(id).await, Ok(row));
    media.release(id, shown).await.unwrap();
    collect(&media).await;
    assert_eq!(media.maybe(id).await, Ok(None));
}

#[tokio::test]
async fn a_url_opens_for_an_hour_at_most_whatever_the_clock_said_when_it_was_signed() {
    let (media, owner) = (media(), UserId::new(Uuid::from_u128(1)));
    put_user(&media, owner, false).await;
    let new = New { owner, content_type: String::new(), name: None, source: Source::Bytes("hers".into()) };
    let (id, _) = media.add(new).await.unwrap();
    let now_s = clock::now().millis() / 1000;
    for (expires_s, opens) in [
        (now_s - 1, false),
        (now_s + 60, true),
        (now_s + limits::MEDIA_URL_S, true),
        (now_s + limits::MEDIA_URL_S + 60, false),
        (now_s + 30 * 24 * 3600, false),
        (u64::MAX, false),
    ] {
        let signature = media.signature(id, expires_s).await.unwrap().finalize().into_bytes();
        let opened = media.opened(id, expires_s, &BASE64_URL_SAFE_NO_PAD.encode(signature)).await;
        assert_eq!(opened.is_ok(), opens, "{expires_s}");
    }
}
