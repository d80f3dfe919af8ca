//! Messages: sending, reading the past, edits, deletions, reactions, receipts, mentions.

use std::sync::Arc;

use axum::{
    Json as Answered,
    extract::State,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode},
    response::{IntoResponse, Response},
};
use kith_protocol::{
    ConversationId, Entry, Message, MessageId, Problem, Timestamp,
    entry::{Edit, Reaction, Target},
    frame::NewMessage,
    rest::{EditMessage, Log, Messages, Page, PostMessage, ReadReceipts},
};
use serde::Deserialize;
use utoipa::IntoParams;

use super::{
    Answer, App,
    auth::{Actor, Reader, Sender},
    conversations::Paging,
    extract::{Json, Path, Query, page_items},
};
use crate::{
    Error,
    conversation::{Amend, Place},
    delivery::encoding,
};

const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// Sends a message; durable when it is answered.
#[utoipa::path(post, path = "/v1/conversations/{conversation}/messages", tag = "messages",
    params(
        ("conversation" = ConversationId, Path),
        ("Idempotency-Key" = Option<String>, Header, description = "The client_id, where the body has none"),
    ),
    request_body = PostMessage,
    responses(
        (status = 201, body = Entry),
        (status = 403, body = Problem, description = "blocked, user_gone, not_admin"),
        (status = 404, body = Problem),
    ),
)]
pub async fn send(
    State(app): State<Arc<App>>,
    sender: Sender,
    Path(conversation): Path<ConversationId>,
    headers: HeaderMap,
    Json(post): Json<PostMessage>,
) -> Answer<Response> {
    let key = headers.get("idempotency-key").and_then(|key| key.to_str().ok());
    let client_id = match (post.client_id, key.map(str::parse)) {
        (Some(client_id), _) | (None, Some(Ok(client_id))) => client_id,
        (None, Some(Err(_))) => return Err(Error::field("/client_id", "the Idempotency-Key of a message is a UUIDv7")),
        (None, None) => return Err(Error::field("/client_id", "missing field `client_id`")),
    };
    let PostMessage { text, mentions, reply_to, attachments, .. } = post;
    let message = NewMessage { client_id, text, mentions, reply_to, attachments };
    let actor = sender.actor;
    // What was sent before is found again whatever the limits say.
    if let Some(refused) = sender.refused {
        let sent = app.node.conversations.sent(actor.user, conversation, client_id).await?;
        sent.ok_or(refused)?;
    } else {
        app.node.presence.touch(actor);
    }
    let (record, replayed) = app.node.conversations.send_and_wait(actor, conversation, message).await?;
    let mut response = (StatusCode::CREATED, Answered(encoding::entry(conversation, &record)?)).into_response();
    if replayed {
        response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
    }
    Ok(response)
}

/// The place to read at; one of them at most, the end where none.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Selector {
    /// Messages before this seq.
    #[param(minimum = 1)]
    before: Option<u64>,
    /// Messages after this seq.
    after: Option<u64>,
    /// This seq in the middle.
    around: Option<u64>,
    /// The first at or after this time in the middle.
    at: Option<Timestamp>,
    /// Items at most; 50 where absent.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
}

impl Selector {
    fn read(&self) -> Answer<(Place, usize)> {
        let place = match (self.before, self.after, self.around, self.at) {
            (None, None, None, None) => Place::End,
            (Some(seq), None, None, None) => Place::Before(seq),
            (None, Some(seq), None, None) => Place::After(seq),
            (None, None, Some(seq), None) => Place::Around(seq),
            (None, None, None, Some(time)) => Place::At(time),
            _ => return Err(Error::field("?before", "only one of before, after, around and at")),
        };
        Ok((place, page_items(self.limit)?))
    }
}

/// Folded messages, ascending.
#[utoipa::path(get, path = "/v1/conversations/{conversation}/messages", tag = "messages",
    params(("conversation" = ConversationId, Path), Selector),
    responses((status = 200, body = Messages), (status = 404, body = Problem)),
)]
pub async fn page(
    State(app): State<Arc<App>>,
    Reader(actor): Reader,
    Path(conversation): Path<ConversationId>,
    Query(selector): Query<Selector>,
) -> Answer<Answered<Messages>> {
    let (place, limit) = selector.read()?;
    Ok(Answered(app.node.conversations.messages(actor.user, conversation, place, limit).await?))
}

/// Raw entries, ascending.
#[utoipa::path(get, path = "/v1/conversations/{conversation}/log", tag = "messages",
    params(("conversation" = ConversationId, Path), Selector),
    responses((status = 200, body = Log), (status = 404, body = Problem)),
)]
pub async fn log(
    State(app): State<Arc<App>>,
    Reader(actor): Reader,
    Path(conversation): Path<ConversationId>,
    Query(selector): Query<Selector>,
) -> Answer<Answered<Log>> {
    let (place, limit) = selector.read()?;
    Ok(Answered(app.node.conversations.log(actor.user, conversation, place, limit).await?))
}

/// One folded message.
#[utoipa::path(get, path = "/v1/messages/{message}", tag = "messages", params(("message" = MessageId, Path)),
    responses((status = 200, body = Message), (status = 404, body = Problem)),
)]
pub async fn one(
    State(app): State<Arc<App>>,
    actor: Actor,
    Path(message): Path<MessageId>,
) -> Answer<Answered<Message>> {
    Ok(Answered(app.node.conversations.message(actor.user, message).await?))
}

/// Gives one's own message another text.
#[utoipa::path(patch, path = "/v1/messages/{message}", tag = "messages", params(("message" = MessageId, Path)),
    request_body = EditMessage,
    responses(
        (status = 200, body = Message),
        (status = 403, body = Problem, description = "not_admin, blocked, user_gone"),
        (status = 404, body = Problem),
        (status = 409, body = Problem, description = "too_many"),
    ),
)]
pub async fn edit(
    State(app): State<Arc<App>>,
    actor: Actor,
    Path(message): Path<MessageId>,
    Json(edit): Json<EditMessage>,
) -> Answer<Answered<Message>> {
    let edit = Amend::Edit(Edit { target: message.seq, text: edit.text, mentions: edit.mentions });
    app.node.conversations.amend(actor, message.conversation, edit).await?;
    Ok(Answered(app.node.conversations.message(actor.user, message).await?))
}

/// Deletes a message for everyone: one's own, or as an admin.
#[utoipa::path(delete, path = "/v1/messages/{message}", tag = "messages", params(("message" = MessageId, Path)),
    responses((status = 204), (status = 403, body = Problem, description = "not_admin"), (status = 404, body = Problem)),
)]
pub async fn delete(State(app): State<Arc<App>>, actor: Actor, Path(message): Path<MessageId>) -> Answer<StatusCode> {
    let delete = Amend::Delete(Target { target: message.seq });
    app.node.conversations.amend(actor, message.conversation, delete).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Puts an emoji to a message.
#[utoipa::path(put, path = "/v1/messages/{message}/reactions/{emoji}", tag = "messages",
    params(("message" = MessageId, Path), ("emoji" = String, Path)),
    responses(
        (status = 204),
        (status = 403, body = Problem, description = "blocked, user_gone"),
        (status = 404, body = Problem),
        (status = 409, body = Problem, description = "too_many"),
    ),
)]
pub async fn react(
    State(app): State<Arc<App>>,
    actor: Actor,
    Path((message, emoji)): Path<(MessageId, String)>,
) -> Answer<StatusCode> {
    reaction(&app, actor, message, emoji, true).await
}

/// Takes an emoji back.
#[utoipa::path(delete, path = "/v1/messages/{message}/reactions/{emoji}", tag = "messages",
    params(("message" = MessageId, Path), ("emoji" = String, Path)),
    responses(
        (status = 204),
        (status = 403, body = Problem, description = "blocked, user_gone"),
        (status = 404, body = Problem),
    ),
)]
pub async fn unreact(
    State(app): State<Arc<App>>,
    actor: Actor,
    Path((message, emoji)): Path<(MessageId, String)>,
) -> Answer<StatusCode> {
    reaction(&app, actor, message, emoji, false).await
}

async fn reaction(app: &App, actor: Actor, message: MessageId, emoji: String, on: bool) -> Answer<StatusCode> {
    let react = Amend::React(Reaction { target: message.seq, emoji, on });
    app.node.conversations.amend(actor, message.conversation, react).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Says that everything up to and including this message is read.
#[utoipa::path(post, path = "/v1/messages/{message}/read_receipts", tag = "messages",
    params(("message" = MessageId, Path)), responses((status = 204), (status = 404, body = Problem)),
)]
pub async fn read(State(app): State<Arc<App>>, actor: Actor, Path(message): Path<MessageId>) -> Answer<StatusCode> {
    app.node.presence.touch(actor);
    app.node.conversations.mark_read(actor.user, message).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Tells when each other member got and read a message; of a channel only how many.
#[utoipa::path(get, path = "/v1/messages/{message}/read_receipts", tag = "messages",
    params(("message" = MessageId, Path), Paging),
    responses((status = 200, body = ReadReceipts), (status = 404, body = Problem)),
)]
pub async fn read_receipts(
    State(app): State<Arc<App>>,
    Reader(actor): Reader,
    Path(message): Path<MessageId>,
    Query(paging): Query<Paging>,
) -> Answer<Answered<ReadReceipts>> {
    let limit = page_items(paging.limit)?;
    let after = paging.cursor.map(|cursor| cursor.parse());
    let after = after.transpose().map_err(|_| Error::field("?cursor", "not a cursor of this list"))?;
    Ok(Answered(app.node.conversations.read_receipts(actor.user, message, after, limit).await?))
}

/// The messages that mention the caller, newest first.
#[utoipa::path(get, path = "/v1/users/me/mentions", tag = "messages", params(Paging),
    responses((status = 200, body = Page<Message>)),
)]
pub async fn mentions(
    State(app): State<Arc<App>>,
    Reader(actor): Reader,
    Query(paging): Query<Paging>,
) -> Answer<Answered<Page<Message>>> {
    let limit = page_items(paging.limit)?;
    Ok(Answered(app.node.conversations.mentions(actor.user, paging.cursor.as_deref(), limit).await?))
}
