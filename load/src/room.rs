//! Runs conversations under load: opens every member's socket, lets the senders send, and tells what it took.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    time::Duration,
};

use kith_protocol::ConversationId;
use tokio::{task::JoinSet, time::sleep_until};

use crate::{
    beat::Beats,
    conn::Conn,
    error::{Error, Result},
    gather::gather,
    member::{Manners, Member, Room},
    order::Check,
    proc,
    sender::{Bounds, Pace, Sender},
    tally::{Measured, Tally},
    target::Target,
};

/// Sockets that may be on their way to being open.
const OPENING: usize = 64;
/// From the last socket's opening to the first message.
const BREATH: Duration = Duration::from_millis(300);

/// A conversation and who takes part.
#[derive(Debug, Clone)]
pub struct RoomPlan {
    /// The identifier of the conversation.
    pub conversation: ConversationId,
    /// The members that are connected, by the number of their user.
    pub members: Vec<usize>,
    /// The number of members, from the first, that write.
    pub senders: usize,
}

/// The pacing of a load.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Load {
    /// Closed loop: each sender has so many messages unanswered.
    Window(usize),
    /// Open loop: so many messages a second in all, evenly spread.
    Rate(f64),
}

/// A run.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The conversations.
    pub rooms: Vec<RoomPlan>,
    /// The pacing of its senders.
    pub load: Load,
    /// Bytes of a message's text.
    pub text_bytes: usize,
    /// The time before anything is measured.
    pub warm_up: Duration,
    /// The measured part.
    pub duration: Duration,
    /// The time for the answers and deliveries that are under way when it ends.
    pub drain: Duration,
    /// Messages of each sender, at most, those that are refused not counted.
    pub quota: u64,
    /// Receivers say `delivered`.
    pub receipts: bool,
    /// Senders say `typing` once a second.
    pub typing: bool,
    /// Time the last socket that hears a message.
    pub time_last: bool,
}

/// Runs it.
///
/// # Errors
/// It cannot run; what it finds wrong stands in [`Measured::check`].
pub async fn run(target: &Target, plan: Plan) -> Result<Measured> {
    let seats: Vec<(usize, usize)> = (plan.rooms.iter().enumerate())
        .flat_map(|(room, plan)| (0..plan.members.len()).map(move |member| (room, member)))
        .collect();
    proc::has_files_for(seats.len())?;
    let opened = open(target, &plan, seats.clone()).await?;

    let start_us = BREATH.as_micros() as u64;
    let warm_us = start_us + plan.warm_up.as_micros() as u64;
    let tally = Rc::new(Tally::new(warm_us));
    let beats = Rc::new(Beats::of(tally.clock).map_err(Error::io("the system gives no timer (timerfd)"))?);
    let stop_us = warm_us + plan.duration.as_micros() as u64;
    let bounds = Bounds { start_us, stop_us, quota: plan.quota };
    let rooms: Vec<Rc<Room>> = plan.rooms.iter().map(|room| Rc::new(room_of(room, plan.time_last))).collect();
    let all_senders: usize = plan.rooms.iter().map(|room| room.senders).sum();
    let mut sender_turn = 0.0;
    let mut members = JoinSet::new();
    let count = seats.len() as f64;
    for (turn, ((room, member), (conn, head, heartbeat))) in seats.into_iter().zip(opened).enumerate() {
        let shared = rooms[room].clone();
        shared.acknowledged.set(shared.acknowledged.get().max(head));
        let sender = (member < plan.rooms[room].senders).then(|| {
            let pace = match plan.load {
                Load::Window(window) => Pace::Window(window),
                Load::Rate(rate) => Pace::Every(all_senders as f64 * 1e6 / rate, sender_turn * 1e6 / rate),
            };
            sender_turn += 1.0;
            Sender::new(&shared.name, member as u16, plan.text_bytes, pace, bounds)
        });
        let end_us = stop_us + plan.drain.as_micros() as u64;
        let manners = Manners { heartbeat, receipts: plan.receipts, typing: plan.typing, end_us };
        let member = Member::new(conn, shared, tally.clone(), head, sender, manners, beats.clone());
        members.spawn_local(member.run(turn as f64 / count));
    }
    tokio::select! {
        failed = beats.strike() => Err(Error::io("the timer of the run failed")(failed.expect_err("it goes on for ever"))),
        measured = watch(target, &tally, members, stop_us) => measured,
    }
}

/// Takes the moments of the run and waits for its end.
async fn watch(target: &Target, tally: &Tally, mut members: JoinSet<Result<Check>>, stop_us: u64) -> Result<Measured> {
    sleep_until(tally.clock.at(tally.from_us).into()).await;
    let from = tally.moment(target.server_pid)?;
    let mut to = None;
    let mut check = Check::default();
    let mut stop = std::pin::pin!(sleep_until(tally.clock.at(stop_us).into()));
    loop {
        tokio::select! {
            biased;
            () = &mut stop, if to.is_none() => {
                to = Some(tally.moment(target.server_pid)?);
            }
            ended = members.join_next() => match ended {
                Some(ended) => check += ended.map_err(|panic| Error::Refused(format!("a member ended early: {panic}")))??,
                None => break,
            },
        }
    }
    let to = to.map_or_else(|| tally.moment(target.server_pid), Ok)?;
    Ok(tally.tell(&from, &to, check))
}

type Opened = (Conn, u64, Duration);

/// Opens a socket for every seat, and learns where its conversation stands.
async fn open(target: &Target, plan: &Plan, seats: Vec<(usize, usize)>) -> Result<Vec<Opened>> {
    let target = target.clone();
    let rooms: Rc<Vec<RoomPlan>> = Rc::new(plan.rooms.clone());
    gather(seats.len(), OPENING, async move |seat| {
        let (room, member) = seats[seat];
        let (conversation, user) = (rooms[room].conversation, rooms[room].members[member]);
        let mut conn = Conn::open(&target, user).await?;
        let signed_in = conn.sign_in(&target.token(user), "", |_, _| Ok(())).await?;
        let head = signed_in.heads.iter().find(|item| item.id == conversation).map(|item| item.head);
        let head = head.ok_or_else(|| {
            Error::Protocol(format!("{} is a member of {conversation}, but its heads lack it", target.username(user)))
        })?;
        Ok((conn, head, Duration::from_millis(u64::from(signed_in.ready.heartbeat_ms))))
    })
    .await
}

fn room_of(plan: &RoomPlan, time_last: bool) -> Room {
    Room {
        name: plan.conversation.to_string(),
        acknowledged: Cell::new(0),
        sending: Cell::new(plan.senders),
        hearers: time_last.then(|| plan.members.len() as u32 - 1),
        heard: RefCell::default(),
    }
}
