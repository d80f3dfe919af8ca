//! Registration, and what is left of who has erased their account.

use kith::account::InvitesBy;
use kith_protocol::{
    Code,
    rest::{DeleteUser, NewUser, Registration},
};

use crate::world::{PASSWORD, World, code, new_user, text};

fn invited(name: &str, invite: &str) -> NewUser {
    NewUser { invite: Some(invite.into()), ..new_user(name) }
}

#[tokio::test]
async fn where_registration_is_closed_nobody_signs_up() {
    let world = World::with(|config| config.registration = Registration::Closed).await;
    assert_eq!(world.guest().info().await.unwrap().registration, Registration::Closed);
    assert_eq!(code(world.guest().sign_up(&new_user("anna")).await), Some(Code::RegistrationClosed));
}

#[tokio::test]
async fn an_invite_lets_one_person_in() {
    let mut world = World::with(|config| config.invites_by = InvitesBy::Everyone).await;
    let mut anna = world.person("anna").await;
    world.config.registration = Registration::Invite;
    world.restart(&mut [&mut anna]).await;
    assert_eq!(code(world.guest().sign_up(&new_user("bela")).await), Some(Code::InvalidRequest));
    assert_eq!(code(world.guest().sign_up(&invited("bela", "guessed")).await), Some(Code::InvalidRequest));
    let invite = anna.rest.invite().await.unwrap();
    world.guest().sign_up(&invited("bela", &invite.code)).await.unwrap();
    assert_eq!(code(world.guest().sign_up(&invited("cora", &invite.code)).await), Some(Code::InvalidRequest));
}

#[tokio::test]
async fn nobody_writes_to_who_is_gone() {
    let world = World::start().await;
    let [anna, bela] = world.people(["anna", "bela"]).await;
    let direct = anna.direct(&bela).await;
    let said = bela.say(direct, "good bye").await;
    let group = anna.group(&[&bela]).await;
    bela.rest.delete_user(&DeleteUser { password: PASSWORD.into() }).await.unwrap();
    assert_eq!(code(anna.rest.send_message(direct, &text("are you there?")).await), Some(Code::UserGone));
    let profile = anna.rest.user(bela.id).await.unwrap();
    assert_eq!((profile.deleted, profile.username), (true, None));
    assert!(anna.log(direct).await.contains(&said), "what was said stays");
    let members = anna.rest.participants(group, &Default::default()).await.unwrap().items;
    assert_eq!(members.iter().map(|item| item.member.user).collect::<Vec<_>>(), [anna.id]);
}
