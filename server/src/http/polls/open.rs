//! The polls that are open, and the frames that each has given and that were not acknowledged.

use std::{
    collections::{HashMap, VecDeque},
    future::poll_fn,
    sync::Arc,
    task::Poll as Ready,
    time::{Duration, Instant},
};

use bytes::Bytes;
use kith_protocol::{Code, UserId, id::PollId, limits::PAGE_BYTES, problem::CloseCode};
use parking_lot::Mutex;
use tokio::sync::watch;

use crate::{
    Error, clock,
    delivery::outbox::{Outbox, Taken},
    frame, limits,
    page_bytes::PageBytes,
    session::{End, Session},
};

/// The long polls of the node.
#[derive(Default)]
pub struct Polls {
    polls: Mutex<HashMap<PollId, Arc<Poll>>>,
}

pub(super) struct Poll {
    user: UserId,
    pub(super) outbox: Arc<Outbox>,
    pub(super) session: tokio::sync::Mutex<Session>,
    pub(super) frames: Mutex<Numbered>,
    /// Counts the GETs: one that sees a higher number than its own ends.
    pub(super) gets: watch::Sender<u64>,
}

pub(super) struct Numbered {
    /// Frames that were given and not acknowledged, the oldest first.
    given: VecDeque<(u64, Bytes)>,
    /// Bytes of their buffers, which wait until all of them are acknowledged.
    waiting: usize,
    next: u64,
    pub(super) last_get: Instant,
}

impl Polls {
    /// Polls of a user.
    pub(super) fn count(&self, user: UserId) -> usize {
        self.polls.lock().values().filter(|poll| poll.user == user).count()
    }

    /// Opens a poll for a session that has said hello.
    pub(super) fn begin(&self, user: UserId, outbox: Arc<Outbox>, session: Session) -> PollId {
        let poll = Poll {
            user,
            outbox,
            session: tokio::sync::Mutex::new(session),
            frames: Mutex::new(Numbered { given: VecDeque::new(), waiting: 0, next: 1, last_get: Instant::now() }),
            gets: watch::channel(0).0,
        };
        let id = PollId::new(clock::uuid());
        self.polls.lock().insert(id, Arc::new(poll));
        id
    }

    /// The open poll of that name, if it is the user's.
    ///
    /// # Errors
    /// `not_found`.
    pub(super) fn find(&self, poll: PollId, user: UserId) -> Result<Arc<Poll>, Error> {
        let found = self.polls.lock().get(&poll).filter(|poll| poll.user == user).cloned();
        found.ok_or(Error::new(Code::NotFound))
    }

    /// Ends a poll, and its session in the background.
    pub(super) fn end(&self, id: PollId, poll: &Arc<Poll>, end: End) {
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

impl Poll {
    /// Forgets the frames up to the number `after`; true when others were given and have to be given again.
    pub(super) fn acknowledge(&self, after: u64) -> bool {
        let mut frames = self.frames.lock();
        frames.given.retain(|(n, _)| *n > after);
        if frames.given.is_empty() {
            self.outbox.wrote(std::mem::take(&mut frames.waiting));
        }
        !frames.given.is_empty()
    }

    /// Waits for frames and numbers them; false when there will be none any more.
    pub(super) async fn take(&self) -> bool {
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
    pub(super) fn json(&self) -> String {
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
