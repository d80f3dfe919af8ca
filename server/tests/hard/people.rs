//! People with accounts and conversations, through the doors that everybody uses.

use kith_client::{Rest, Socket, rest::Place};
use kith_protocol::{
    ConversationId, Entry, ServerFrame, UserId,
    entry::ConversationKind,
    rest::{NewConversation, NewSession, NewUser},
};

use super::program::Program;

/// The password of everybody.
pub const PASSWORD: &str = "a password of them all";

/// Somebody who is signed in.
#[derive(Clone)]
pub struct Person {
    pub id: UserId,
    pub name: String,
    pub token: String,
    pub rest: Rest,
}

impl Person {
    /// Somebody new.
    pub async fn new(program: &Program, name: &str) -> Self {
        let new = NewUser {
            username: name.to_owned(),
            password: PASSWORD.to_owned(),
            display_name: None,
            invite: None,
            device: None,
        };
        let signed = program.rest().sign_up(&new).await.unwrap();
        let rest = program.rest().with_token(&signed.token).unwrap();
        Self { id: signed.user.id, name: name.to_owned(), token: signed.token, rest }
    }

    /// Several people.
    pub async fn several(program: &Program, count: usize) -> Vec<Self> {
        let mut people = Vec::new();
        for index in 0..count {
            people.push(Self::new(program, &format!("user{index}")).await);
        }
        people
    }

    /// The token of another device.
    pub async fn another_device(&self, program: &Program) -> String {
        let session = NewSession {
            username: self.name.clone(),
            password: PASSWORD.to_owned(),
            device: None,
            device_secret: None,
        };
        program.rest().sign_in(&session).await.unwrap().token
    }

    /// A conversation with others.
    pub async fn converse(&self, kind: ConversationKind, with: &[&Self]) -> ConversationId {
        let title = (kind == ConversationKind::Group).then(|| "a group".to_owned());
        let members = with.iter().map(|person| person.id).collect();
        let new = NewConversation { kind, members, title, expire_after_s: None, encryption: None };
        self.rest.create_conversation(&new).await.unwrap().id
    }

    /// The whole log of a conversation.
    pub async fn log(&self, conversation: ConversationId) -> Vec<Entry> {
        let mut entries: Vec<Entry> = Vec::new();
        loop {
            let after = entries.last().map_or(0, |entry| entry.seq);
            let page = self.rest.log(conversation, Place::After(after), Some(200)).await.unwrap();
            if page.items.is_empty() {
                assert_eq!(after, page.head, "the log ends before its head");
                return entries;
            }
            entries.extend(page.items);
        }
    }

    /// A socket that has said hello and been answered.
    pub async fn socket(&self, program: &Program) -> Socket {
        let mut socket = Socket::connect(&program.server()).await.unwrap();
        socket.hello(&self.token, Vec::new()).await.unwrap();
        assert!(matches!(socket.receive().await.unwrap(), ServerFrame::Ready(_)));
        socket
    }
}
