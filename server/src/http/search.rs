//! Search.

use std::sync::Arc;

use axum::{Json as Answered, extract::State};
use kith_protocol::{
    ConversationId, Problem, Timestamp, UserId,
    rest::{Page, SearchItem},
};
use serde::Deserialize;
use utoipa::IntoParams;

use super::{
    Answer, App,
    auth::Reader,
    extract::{Query, page_items},
};
use crate::search::Asked;

/// The words to search for, and the place to search in.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Words {
    /// Words that must all be there, `"phrases"`; the last word may be the beginning of one.
    #[param(min_length = 1, max_length = 256)]
    q: String,
    /// Only in this conversation.
    conversation: Option<ConversationId>,
    /// Only by this user.
    from: Option<UserId>,
    /// Only before this time.
    before: Option<Timestamp>,
    /// Items at most; 50 where absent. There may be fewer, or none, and still a next page.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
    /// The `next_cursor` of the page before.
    cursor: Option<String>,
}

/// The messages that have the words and that the caller may read, best first.
#[utoipa::path(get, path = "/v1/search", tag = "search", params(Words),
    responses(
        (status = 200, body = Page<SearchItem>),
        (status = 404, body = Problem, description = "not_found: the conversation"),
    ),
)]
pub async fn find(
    State(app): State<Arc<App>>,
    Reader(actor): Reader,
    Query(words): Query<Words>,
) -> Answer<Answered<Page<SearchItem>>> {
    let limit = page_items(words.limit)?;
    let Words { q: text, conversation, from, before, cursor, .. } = words;
    let asked = Asked { text, conversation, from, before, cursor, limit };
    Ok(Answered(app.node.search.find(actor.user, &asked).await?))
}
