//! Conversations, their members, and one's own settings of them.

use hyper::Method;
use kith_protocol::{
    ConversationId, UserId,
    entry::Role,
    rest::{
        AnswerRequest, ChangeConversation, ChangePersonal, ChangeRole, ChannelItem, ConversationInfo, ConversationItem,
        ConversationList, NewConversation, NewParticipant, Page, Participant, Personal, RequestAnswer,
    },
};

use super::{Paging, Rest, path::Query};
use crate::Error;

impl Rest {
    /// One's conversations, newest activity first: `GET /v1/users/me/conversations`.
    pub async fn conversations(&self, paging: &Paging) -> Result<ConversationList, Error> {
        self.get(&Query::new("/v1/users/me/conversations").paging(paging)).await
    }

    /// Begins a conversation: `POST /v1/conversations`. A second direct one with the same user is the first one.
    pub async fn create_conversation(&self, conversation: &NewConversation) -> Result<ConversationInfo, Error> {
        self.send(Method::POST, "/v1/conversations", conversation).await
    }

    /// One conversation: `GET /v1/conversations/{id}`.
    pub async fn conversation(&self, id: ConversationId) -> Result<ConversationInfo, Error> {
        self.get(&format!("/v1/conversations/{id}")).await
    }

    /// Changes a conversation's settings: `PATCH /v1/conversations/{id}`.
    pub async fn change_conversation(
        &self,
        id: ConversationId,
        change: &ChangeConversation,
    ) -> Result<ConversationInfo, Error> {
        self.send(Method::PATCH, &format!("/v1/conversations/{id}"), change).await
    }

    /// Changes one's own settings of a conversation: `PUT /v1/users/me/conversations/{id}`.
    pub async fn change_personal(&self, id: ConversationId, change: &ChangePersonal) -> Result<Personal, Error> {
        self.send(Method::PUT, &format!("/v1/users/me/conversations/{id}"), change).await
    }

    /// Lists the conversations that strangers began with one, or added one to, newest first: `GET /v1/users/me/requests`.
    pub async fn requests(&self) -> Result<Page<ConversationItem>, Error> {
        self.get("/v1/users/me/requests").await
    }

    /// Answers one of them: `PUT /v1/users/me/requests/{id}`.
    pub async fn answer_request(&self, id: ConversationId, answer: RequestAnswer) -> Result<(), Error> {
        let path = format!("/v1/users/me/requests/{id}");
        self.tell(Method::PUT, &path, &AnswerRequest { answer }).await
    }

    /// Lists the members of a conversation: `GET /v1/conversations/{id}/participants`.
    pub async fn participants(&self, id: ConversationId, paging: &Paging) -> Result<Page<Participant>, Error> {
        self.get(&Query::new(format!("/v1/conversations/{id}/participants")).paging(paging)).await
    }

    /// Adds somebody, or oneself to a channel: `POST /v1/conversations/{id}/participants`.
    pub async fn add_participant(
        &self,
        id: ConversationId,
        participant: &NewParticipant,
    ) -> Result<Participant, Error> {
        self.send(Method::POST, &format!("/v1/conversations/{id}/participants"), participant).await
    }

    /// Gives a member another role: `PATCH /v1/conversations/{id}/participants/{user}`.
    pub async fn change_role(&self, id: ConversationId, user: UserId, role: Role) -> Result<Participant, Error> {
        let path = format!("/v1/conversations/{id}/participants/{user}");
        self.send(Method::PATCH, &path, &ChangeRole { role }).await
    }

    /// Removes a member, or leaves: `DELETE /v1/conversations/{id}/participants/{user}`.
    pub async fn remove_participant(&self, id: ConversationId, user: UserId) -> Result<(), Error> {
        self.order(Method::DELETE, &format!("/v1/conversations/{id}/participants/{user}")).await
    }

    /// Channels whose title fits, which anybody may join: `GET /v1/channels?q=`.
    pub async fn channels(&self, q: &str, paging: &Paging) -> Result<Page<ChannelItem>, Error> {
        self.get(&Query::new("/v1/channels").with("q", Some(q)).paging(paging)).await
    }
}
