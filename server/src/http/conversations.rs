//! Conversations: the caller's list, making, settings, members.

use std::sync::Arc;

use axum::{Json as Answered, extract::State, http::StatusCode, response::Response};
use kith_protocol::{
    Code, ConversationId, Problem, UserId,
    rest::{
        AnswerRequest, ChangeConversation, ChangePersonal, ChangeRole, ChannelItem, ConversationInfo, ConversationItem,
        ConversationList, NewConversation, NewParticipant, Page, Participant, Personal,
    },
};
use serde::Deserialize;
use utoipa::IntoParams;

use super::{
    Answer, App,
    auth::{Actor, Reader},
    extract::{Json, Path, Query, Who, page_items},
    idempotency::{Key, Once},
};
use crate::Error;

/// A page of a list.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Paging {
    /// Items at most; 50 where absent.
    #[param(minimum = 1, maximum = 200)]
    pub limit: Option<u32>,
    /// The `next_cursor` of the page before.
    pub cursor: Option<String>,
}

/// The caller's conversations, newest activity first.
#[utoipa::path(get, path = "/v1/users/{user}/conversations", tag = "conversations",
    params(("user" = String, Path, description = "One's own id, or `me`"), Paging),
    responses((status = 200, body = ConversationList)),
)]
pub async fn list(
    State(app): State<Arc<App>>,
    Reader(actor): Reader,
    Path(who): Path<Who>,
    Query(paging): Query<Paging>,
) -> Answer<Answered<ConversationList>> {
    if who.user(actor.user) != actor.user {
        return Err(Code::NotFound.into());
    }
    let limit = page_items(paging.limit)?;
    Ok(Answered(app.node.conversations.list(actor.user, paging.cursor.as_deref(), limit).await?))
}

/// Changes one's own settings of a conversation, on all of one's devices.
#[utoipa::path(put, path = "/v1/users/me/conversations/{conversation}", tag = "conversations",
    params(("conversation" = ConversationId, Path)), request_body = ChangePersonal,
    responses((status = 200, body = Personal), (status = 404, body = Problem)),
)]
pub async fn personalize(
    State(app): State<Arc<App>>,
    actor: Actor,
    Path(conversation): Path<ConversationId>,
    Json(change): Json<ChangePersonal>,
) -> Answer<Answered<Personal>> {
    Ok(Answered(app.node.conversations.personalize(actor.user, conversation, change).await?))
}

/// Lists the conversations that strangers began with the caller, or added them to, and that wait for an answer; newest
/// first, 100 at most.
#[utoipa::path(get, path = "/v1/users/me/requests", tag = "conversations",
    responses((status = 200, body = Page<ConversationItem>)),
)]
pub async fn requests(State(app): State<Arc<App>>, actor: Actor) -> Answer<Answered<Page<ConversationItem>>> {
    Ok(Answered(app.node.conversations.requests(actor.user).await?))
}

/// Answers a request.
#[utoipa::path(put, path = "/v1/users/me/requests/{conversation}", tag = "conversations",
    params(("conversation" = ConversationId, Path)), request_body = AnswerRequest,
    responses(
        (status = 204),
        (status = 404, body = Problem),
        (status = 409, body = Problem, description = "too_many"),
    ),
)]
pub async fn answer(
    State(app): State<Arc<App>>,
    actor: Actor,
    Path(conversation): Path<ConversationId>,
    Json(answer): Json<AnswerRequest>,
) -> Answer<StatusCode> {
    app.node.conversations.answer(actor, conversation, answer.answer).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Begins a conversation. A second direct one of the same two is the first.
#[utoipa::path(post, path = "/v1/conversations", tag = "conversations", request_body = NewConversation,
    params(("Idempotency-Key" = Option<String>, Header, description = "Names this request in its repetitions")),
    responses(
        (status = 200, body = ConversationInfo, description = "the direct conversation that was there"),
        (status = 201, body = ConversationInfo),
        (status = 403, body = Problem, description = "blocked, not_contact, user_gone"),
        (status = 409, body = Problem, description = "conversation_full, too_many"),
        (status = 422, body = Problem, description = "idempotency_mismatch"),
    ),
)]
pub async fn create(State(app): State<Arc<App>>, actor: Actor, once: Once<NewConversation>) -> Answer<Response> {
    let make = async |new: NewConversation, _: Option<&Key>| {
        let (id, was_there) = app.node.conversations.create(actor, new).await?;
        let status = if was_there { StatusCode::OK } else { StatusCode::CREATED };
        Ok((status, id.to_string()))
    };
    let show = async |id: String, _: Option<&Key>| {
        let id = id.parse().map_err(|_| Error::new(Code::Internal))?;
        app.node.conversations.info(actor.user, id).await
    };
    once.answer(&app, actor.user, make, show).await
}

/// A conversation.
#[utoipa::path(get, path = "/v1/conversations/{conversation}", tag = "conversations",
    params(("conversation" = ConversationId, Path)),
    responses((status = 200, body = ConversationInfo), (status = 404, body = Problem)),
)]
pub async fn info(
    State(app): State<Arc<App>>,
    actor: Actor,
    Path(conversation): Path<ConversationId>,
) -> Answer<Answered<ConversationInfo>> {
    Ok(Answered(app.node.conversations.info(actor.user, conversation).await?))
}

/// Changes settings. Absent fields stay as they are.
#[utoipa::path(patch, path = "/v1/conversations/{conversation}", tag = "conversations",
    params(("conversation" = ConversationId, Path)), request_body = ChangeConversation,
    responses(
        (status = 200, body = ConversationInfo),
        (status = 403, body = Problem, description = "not_admin"),
        (status = 404, body = Problem),
    ),
)]
pub async fn change(
    State(app): State<Arc<App>>,
    actor: Actor,
    Path(conversation): Path<ConversationId>,
    Json(change): Json<ChangeConversation>,
) -> Answer<Answered<ConversationInfo>> {
    app.node.conversations.change(actor, conversation, change).await?;
    Ok(Answered(app.node.conversations.info(actor.user, conversation).await?))
}

/// The members, in the order of their ids.
#[utoipa::path(get, path = "/v1/conversations/{conversation}/participants", tag = "conversations",
    params(("conversation" = ConversationId, Path), Paging),
    responses((status = 200, body = Page<Participant>), (status = 404, body = Problem)),
)]
pub async fn participants(
    State(app): State<Arc<App>>,
    Reader(actor): Reader,
    Path(conversation): Path<ConversationId>,
    Query(paging): Query<Paging>,
) -> Answer<Answered<Page<Participant>>> {
    let after = paging.cursor.map(|cursor| cursor.parse());
    let after = after.transpose().map_err(|_| Error::field("?cursor", "not a cursor of this list"))?;
    let limit = page_items(paging.limit)?;
    Ok(Answered(app.node.conversations.participants(actor.user, conversation, after, limit).await?))
}

/// Adds a member, or joins a channel.
#[utoipa::path(post, path = "/v1/conversations/{conversation}/participants", tag = "conversations",
    params(
        ("conversation" = ConversationId, Path),
        ("Idempotency-Key" = Option<String>, Header, description = "Names this request in its repetitions"),
    ),
    request_body = NewParticipant,
    responses(
        (status = 201, body = Participant),
        (status = 403, body = Problem, description = "not_admin, not_contact, blocked"),
        (status = 404, body = Problem),
        (status = 409, body = Problem, description = "conversation_full, too_many"),
        (status = 422, body = Problem, description = "idempotency_mismatch"),
    ),
)]
pub async fn add(
    State(app): State<Arc<App>>,
    actor: Actor,
    Path(conversation): Path<ConversationId>,
    once: Once<NewParticipant>,
) -> Answer<Response> {
    let make = async |new: NewParticipant, _: Option<&Key>| {
        app.node.conversations.add(actor, conversation, new.user, new.role).await?;
        Ok((StatusCode::CREATED, new.user.to_string()))
    };
    let show = async |user: String, _: Option<&Key>| {
        let user = user.parse().map_err(|_| Error::new(Code::Internal))?;
        app.node.conversations.participant(actor.user, conversation, user).await
    };
    once.answer(&app, actor.user, make, show).await
}

/// Gives a member another role.
#[utoipa::path(patch, path = "/v1/conversations/{conversation}/participants/{user}", tag = "conversations",
    params(("conversation" = ConversationId, Path), ("user" = UserId, Path)), request_body = ChangeRole,
    responses(
        (status = 200, body = Participant),
        (status = 403, body = Problem, description = "not_admin"),
        (status = 404, body = Problem),
    ),
)]
pub async fn change_role(
    State(app): State<Arc<App>>,
    actor: Actor,
    Path((conversation, user)): Path<(ConversationId, UserId)>,
    Json(change): Json<ChangeRole>,
) -> Answer<Answered<Participant>> {
    app.node.conversations.change_role(actor, conversation, user, change.role).await?;
    Ok(Answered(app.node.conversations.participant(actor.user, conversation, user).await?))
}

/// Removes a member, or leaves.
#[utoipa::path(delete, path = "/v1/conversations/{conversation}/participants/{user}", tag = "conversations",
    params(("conversation" = ConversationId, Path), ("user" = String, Path, description = "A user's id, or `me`")),
    responses((status = 204), (status = 403, body = Problem, description = "not_admin"), (status = 404, body = Problem)),
)]
pub async fn remove(
    State(app): State<Arc<App>>,
    actor: Actor,
    Path((conversation, who)): Path<(ConversationId, Who)>,
) -> Answer<StatusCode> {
    app.node.conversations.remove(actor, conversation, who.user(actor.user)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The channels to look for.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Search {
    /// The beginning of the title; all channels where absent.
    q: Option<String>,
    /// Items at most; 50 where absent.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
    /// The `next_cursor` of the page before.
    cursor: Option<String>,
}

/// The channels of the server, by title.
#[utoipa::path(get, path = "/v1/channels", tag = "conversations", params(Search),
    responses((status = 200, body = Page<ChannelItem>)),
)]
pub async fn channels(
    State(app): State<Arc<App>>,
    _: Reader,
    Query(search): Query<Search>,
) -> Answer<Answered<Page<ChannelItem>>> {
    let limit = page_items(search.limit)?;
    let prefix = search.q.unwrap_or_default();
    Ok(Answered(app.node.conversations.channels(&prefix, search.cursor.as_deref(), limit).await?))
}
