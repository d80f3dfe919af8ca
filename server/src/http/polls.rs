//! Long polling: the frames of the socket for clients that cannot hold one.
//!
//! A poll is a session whose frames are numbered and fetched. What a later `after` does not acknowledge comes again.

use std::{
    collections::{HashMap, VecDeque},
    future::poll_fn,
    sync::Arc,
    task::Poll as Ready,
    time::{Duration, Instant},
};

use axum::{
    extract::{Request, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use kith_protocol::{
    Code, Problem, UserId,
    frame::Hello,
    id::PollId,
    limits::PAGE_BYTES,
    problem::CloseCode,
    rest::{Frames, Poll as Named},
};
use parking_lot::Mutex;
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::{sync::watch, time::timeout};
use utoipa::IntoParams;

use super::{
    Answer, App,
    auth::{Actor, bearer},
    extract::{Json, Path, Query, read_body, read_json},
};
use crate::{
    Error, clock,
    delivery::outbox::{Outbox, Taken},
    frame, limits,
    page_bytes::PageBytes,
    session::{End, Next, Session},
};

/// The long polls of the node.
#[derive(Default)]
pub struct Polls {
    polls: Mutex<HashMap<PollId, Arc<Poll>>>,
}

struct Poll {
    user: UserId,
    outbox: Arc<Outbox>,
    session: tokio::sync::Mutex<Session>,
    frames: Mutex<Numbered>,
    /// Counts the GETs: one that sees a higher number than its own ends.
    gets: watch::Sender<u64>,
}

struct Numbered {
    /// Frames that were given and not acknowledged, the oldest first.
    given: VecDeque<(u64, Bytes)>,
    /// Bytes of their buffers, which wait until all of them are acknowledged.
    waiting: usize,
    next: u64,
    last_get: Instant,
}

impl Polls {
    fn find(&self, poll: PollId, user: UserId) -> Answer<Arc<Poll>> {
        let found = self.polls.lock().get(&poll).filter(|poll| poll.user == user).cloned();
        found.ok_or(Error::new(Code::NotFound))
    }

    fn end(&self, id: PollId, poll: &Arc<Poll>, end: End) {
        self.polls.lock().remove(&id);
        let poll = poll.clone();
        tokio::spawn(async move { poll.session.lock().await.end(end) });
    }

    /// Ends the polls that nobody fetches, and those of devices that were signed out. To be called every second.
    pub fn tick(&self) {
        let idle = Duration::from_secs(limits::POLL_IDLE_S);
        let waiting = |poll: &Poll| poll.gets.receiver_count() > 0;
        let over: Vec<_> = {
            let polls = self.polls.lock();
            let ended = |poll: &Poll| match poll.outbox.closed() {
                // Nobody may fetch from it any longer.
                Some(code @ CloseCode::DeviceRevoked) => Some(End::Closed(code)),
                _ if !waiting(poll) && poll.frames.lock().last_get.elapsed() > idle => Some(End::Broken),
                _ => None,
            };
            polls.iter().filter_map(|(id, poll)| Some((*id, poll.clone(), ended(poll)?))).collect()
        };
        for (id, poll, end) in over {
            self.end(id, &poll, end);
        }
    }
}

/// Begins a poll. The body is a `hello` without token.
#[utoipa::path(post, path = "/v1/polls", tag = "polls", request_body = Hello,
    responses((status = 201, body = Named)),
)]
pub async fn create(State(app): State<Arc<App>>, actor: Actor, request: Request) -> Answer<Response> {
    let (parts, body) = request.into_parts();
    let token = bearer(&parts).map(str::to_owned);
    let hello: Hello = read_json(&read_body(Request::from_parts(parts, body)).await?)?;
    if app.polls.polls.lock().values().filter(|poll| poll.user == actor.user).count() >= limits::POLLS_PER_USER {
        return Err(Error::new(Code::RateLimited).after(Duration::from_secs(limits::POLL_IDLE_S)));
    }
    // It is not in the wheel of the silent: a poll that nobody fetches ends on its own.
    let outbox = Arc::new(Outbox::new(app.roster.now()));
    let mut session = Session::new(app.clone(), outbox.clone());
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
    let poll = Poll {
        user: actor.user,
        outbox,
        session: tokio::sync::Mutex::new(session),
        frames: Mutex::new(Numbered { given: VecDeque::new(), waiting: 0, next: 1, last_get: Instant::now() }),
        gets: watch::channel(0).0,
    };
    let id = PollId::new(clock::uuid());
    app.polls.polls.lock().insert(id, Arc::new(poll));
    Ok((StatusCode::CREATED, axum::Json(Named { poll: id })).into_response())
}

/// What to fetch.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Fetch {
    /// The number of the last frame that was got: it and those before do not come again.
    #[serde(default)]
    after: u64,
    /// How long to wait for a frame; 50 s at most.
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
    let repeated = {
        let mut frames = poll.frames.lock();
        frames.given.retain(|(n, _)| *n > fetch.after);
        if frames.given.is_empty() {
            poll.outbox.wrote(std::mem::take(&mut frames.waiting));
        }
        !frames.given.is_empty()
    };
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

impl Poll {
    /// Waits for frames and numbers them; false when there will be none any more.
    async fn take(&self) -> bool {
        let mut taken = VecDeque::new();
        let end = poll_fn(|context| match self.outbox.poll_take(0, &mut taken, context) {
            Ready::Ready(end) => Ready::Ready(end),
            Ready::Pending => Ready::Pending,
        })
        .await;
        let mut frames = self.frames.lock();
        for buffer in taken {
            frames.waiting += buffer.len();
            for text in frame::texts(&buffer) {
                let n = frames.next;
                frames.next += 1;
                frames.given.push_back((n, text));
            }
        }
        end == Taken::Frames
    }
}

impl Numbered {
    /// The oldest of them, a page at most; the others come when these were acknowledged.
    fn json(&self) -> String {
        let mut out = String::from(r#"{"items":["#);
        let mut page = PageBytes::new(PAGE_BYTES);
        let fit = self.given.iter().take_while(|(_, frame)| page.takes(frame.len()));
        for (index, (n, frame)) in fit.enumerate() {
            let comma = if index > 0 { "," } else { "" };
            out.push_str(&format!(r#"{comma}{{"n":{n},"frame":"#));
            out.push_str(&String::from_utf8_lossy(frame));
            out.push('}');
        }
        out.push_str("]}");
        out
    }
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
