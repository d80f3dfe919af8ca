//! Long polling: the frames of the socket for clients that cannot hold one.
//!
//! A poll is a session whose frames are numbered and fetched. What a later `after` does not acknowledge comes again.

pub(super) mod open;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{
    extract::{Request, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use kith_protocol::{
    Code, Problem,
    frame::Hello,
    id::PollId,
    problem::CloseCode,
    rest::{Frames, Poll as Named, are_features},
};
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::time::timeout;
use utoipa::IntoParams;

use super::{
    Answer, App,
    auth::{Actor, bearer},
    extract::{Json, Path, Query, read_body, read_json},
};
use crate::{
    Error,
    delivery::outbox::Outbox,
    limits,
    session::{End, Next, Session},
};

/// Begins a poll. The body is a `hello` without token.
#[utoipa::path(post, path = "/v1/polls", tag = "polls", request_body = Hello,
    responses((status = 201, body = Named)),
)]
pub async fn create(State(app): State<Arc<App>>, actor: Actor, request: Request) -> Answer<Response> {
    let (parts, body) = request.into_parts();
    let token = bearer(&parts).map(str::to_owned);
    let hello: Hello = read_json(&read_body(Request::from_parts(parts, body)).await?)?;
    if app.polls.count(actor.user) >= limits::POLLS_PER_USER {
        return Err(Error::new(Code::RateLimited).after(Duration::from_secs(limits::POLL_IDLE_S)));
    }
    if !hello.features.as_deref().is_none_or(are_features) {
        return Err(Error::field("/features", "too many names, or one that is none"));
    }
    // It is not in the wheel of the silent: a poll that nobody fetches ends on its own.
    let outbox = Arc::new(Outbox::new(app.node.roster.now()));
    let mut session = Session::new(app.node.clone(), outbox.clone());
    match session.hello(Hello { token, ..hello }) {
        Next::Wait(wait) => session.settle(wait.await),
        _ => return Err(Error::field("/have", "too many conversations")),
    }
    if let Some(code) = outbox.closed() {
        session.end(End::Clean);
        return Err(match code {
            CloseCode::RateLimited => Error::new(Code::RateLimited).after(Duration::from_secs(limits::POLL_IDLE_S)),
            _ => Error::new(Code::Unavailable),
        });
    }
    let id = app.polls.begin(actor.user, outbox, session);
    Ok((StatusCode::CREATED, axum::Json(Named { poll: id })).into_response())
}

/// The query of a fetch.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Fetch {
    /// The number of the last frame that was got: it and those before do not come again.
    #[serde(default)]
    after: u64,
    /// The time to wait for a frame; 50 s at most.
    #[serde(default)]
    #[param(maximum = 50)]
    wait_s: u64,
}

/// Fetches frames, or waits for one. A second GET ends the first.
#[utoipa::path(get, path = "/v1/polls/{poll}", tag = "polls", params(("poll" = PollId, Path), Fetch),
    responses((status = 200, body = Frames), (status = 404, body = Problem)),
)]
pub async fn fetch(
    State(app): State<Arc<App>>,
    actor: Actor,
    Path(id): Path<PollId>,
    Query(fetch): Query<Fetch>,
) -> Answer<Response> {
    let poll = app.polls.find(id, actor.user)?;
    let wait = Duration::from_secs(fetch.wait_s.min(limits::POLL_WAIT_S));
    let mut gets = poll.gets.subscribe();
    let mut own = 0;
    poll.gets.send_modify(|count| {
        *count += 1;
        own = *count;
    });
    let repeated = poll.acknowledge(fetch.after);
    let mut over = false;
    if !repeated {
        tokio::select! {
            biased;
            _ = gets.wait_for(|count| *count > own) => {}
            taken = timeout(wait, poll.take()) => over = taken == Ok(false),
        }
    }
    poll.frames.lock().last_get = Instant::now();
    if over {
        app.polls.end(id, &poll, End::Broken);
        return Err(Code::NotFound.into());
    }
    let body = poll.frames.lock().json();
    Ok(([(header::CONTENT_TYPE, "application/json")], body).into_response())
}

/// Frames of a client.
#[derive(Deserialize)]
pub struct Commands {
    items: Vec<Box<RawValue>>,
}

/// Frames of a client, as the documents show them.
#[derive(utoipa::ToSchema)]
#[schema(as = PollCommands)]
pub struct CommandsSchema {
    /// In order, 100 at most; their answers come with the next GET.
    #[schema(max_items = 100)]
    #[expect(dead_code, reason = "only its schema is used")]
    items: Vec<kith_protocol::ClientFrame>,
}

/// Says what a client would say on the socket.
#[utoipa::path(post, path = "/v1/polls/{poll}/commands", tag = "polls", params(("poll" = PollId, Path)),
    request_body = CommandsSchema, responses((status = 204), (status = 404, body = Problem)),
)]
pub async fn commands(
    State(app): State<Arc<App>>,
    actor: Actor,
    Path(id): Path<PollId>,
    Json(commands): Json<Commands>,
) -> Answer<StatusCode> {
    let poll = app.polls.find(id, actor.user)?;
    if commands.items.len() > limits::POLL_COMMANDS {
        return Err(Error::field("/items", format!("{} frames at most", limits::POLL_COMMANDS)));
    }
    let mut session = poll.session.lock().await;
    session.hear();
    for command in commands.items {
        match session.take(command.get()) {
            Next::On => {}
            Next::Wait(wait) => {
                let settled = wait.await;
                session.settle(settled);
            }
            Next::Close(code) => {
                poll.outbox.close(code);
                break;
            }
        }
    }
    Ok(StatusCode::NO_CONTENT)
}

/// Ends a poll.
#[utoipa::path(delete, path = "/v1/polls/{poll}", tag = "polls", params(("poll" = PollId, Path)),
    responses((status = 204), (status = 404, body = Problem)),
)]
pub async fn end(State(app): State<Arc<App>>, actor: Actor, Path(id): Path<PollId>) -> Answer<StatusCode> {
    let poll = app.polls.find(id, actor.user)?;
    app.polls.end(id, &poll, End::Clean);
    Ok(StatusCode::NO_CONTENT)
}
