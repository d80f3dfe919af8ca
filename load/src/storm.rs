//! `kith-load storm`: many devices, each in many conversations, come back at once after a restart.
//!
//! The conversations are groups: with 5 000 devices of 50 groups each, groups of 100 make it 2 500. Each device notes what
//! it has and leaves; messages are sent; the server is restarted; all devices come back with what they have, and the
//! storm is over when the last one has every entry of every conversation.

use std::{
    cell::RefCell,
    rc::Rc,
    time::{Duration, Instant},
};

use kith_protocol::entry::ConversationKind;
use serde::Serialize;
use serde_json::Value;
use tokio::{process::Command, time::sleep};

use crate::{
    device::{Device, Logs},
    error::{Error, Result},
    gather::gather,
    latency::{Latency, Summary},
    mark::{Clock, Mark},
    order::Check,
    proc::{self, Spent, Usage},
    report::report,
    rest::Pool,
    setup::{self, Setup},
    target::Target,
};

/// The arguments of `kith-load storm`.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    #[command(flatten)]
    target: Target,
    /// Devices, each of its own user; a multiple of the members of a group
    #[arg(long, default_value_t = 5_000)]
    devices: usize,
    /// Conversations of each
    #[arg(long, default_value_t = 50)]
    conversations: usize,
    /// Members of each conversation
    #[arg(long, default_value_t = 100)]
    members: usize,
    /// Messages sent to each conversation while the devices are away
    #[arg(long, default_value_t = 2)]
    messages: u32,
    /// Ends the server and starts it again, in `sh`; returns when the new one may start listening. Nothing is restarted where absent
    #[arg(long)]
    restart_cmd: Option<String>,
    /// Devices that may be on their way back at a time; fewer than all, because one process plays them all
    #[arg(long, default_value_t = 1_000)]
    in_flight: usize,
    /// Seconds after which a device gives up
    #[arg(long, default_value_t = 60.0)]
    limit: f64,
}

#[derive(Serialize)]
struct Measured {
    devices: usize,
    conversations: usize,
    memberships: usize,
    missed_entries: u64,
    /// From the order to restart to the first accepted connection.
    restart_s: Option<f64>,
    /// From the first device's way back to the last one's having everything.
    catch_up_s: f64,
    /// Each device's, from the same beginning.
    device_catch_up: Summary,
    repeated_entries: u64,
    /// The resources that playing all the devices took meanwhile.
    generator: Spent,
    check: Check,
}

/// Seats devices in conversations, the maker first: in each round every device is in one of the groups, and no two rounds
/// part them alike.
fn seats(devices: usize, rounds: usize, size: usize) -> Vec<Vec<usize>> {
    let groups = devices / size;
    let seat = |round: usize, group: usize, row: usize| row * groups + (group + row * round) % groups;
    (0..rounds)
        .flat_map(|round| (0..groups).map(move |group| (0..size).map(|row| seat(round, group, row)).collect()))
        .map(|mut members: Vec<usize>| {
            // Makers take turns too, so that no user's rate limit is met.
            let turn = members[0] % members.len();
            members.rotate_left(turn);
            members
        })
        .collect()
}

/// Measures.
///
/// # Errors
/// It cannot run.
pub async fn run(args: &Args) -> Result<Value> {
    if args.members < 2 || args.devices < args.members || !args.devices.is_multiple_of(args.members) {
        return Err(Error::Refused("the devices must be a multiple of the members of a group, at least two".into()));
    }
    proc::has_files_for(args.devices)?;
    let members = seats(args.devices, args.conversations, args.members);
    let makers: Vec<usize> = members.iter().map(|members| members[0]).collect();
    let mut own = vec![Vec::with_capacity(args.conversations); args.devices];
    for (place, members) in members.iter().enumerate() {
        members.iter().for_each(|device| own[*device].push(place));
    }
    let setup = Setup::new(&args.target);
    let users = setup.users(args.devices).await?;
    let ids = setup.conversations(setup::Plan { kind: ConversationKind::Group, members }, users).await?;

    let logs = Rc::new(Logs::new(&ids));
    let (target, noted) = (args.target.clone(), logs.clone());
    let devices = gather(args.devices, args.in_flight.min(64), async move |user| {
        Device::first_seen(&target, user, &own[user], &noted).await
    })
    .await?;
    let ends = send(args, &logs, makers).await?;
    let logs = Rc::new(Logs { ends, names: logs.names.clone(), places: logs.places.clone() });

    let restart_s = match &args.restart_cmd {
        Some(command) => Some(restart(command, &args.target).await?.as_secs_f64()),
        None => None,
    };
    let limit = Duration::from_secs_f64(args.limit.max(0.0));
    let (target, here) = (args.target.clone(), logs.clone());
    let away: RefCell<Vec<Option<Device>>> = RefCell::new(devices.into_iter().map(Some).collect());
    let (began, before) = (Instant::now(), Usage::own()?);
    let back = gather(args.devices, args.in_flight, async move |index| {
        let device = away.borrow_mut()[index].take();
        let mut device = device.ok_or_else(|| Error::Refused("a device came back twice".into()))?;
        let time = device.come_back(&target, &here, began, limit).await?;
        Ok((device, time))
    })
    .await?;

    let generator = Usage::own()?.since(&before, began.elapsed());
    let (mut times, mut check, mut repeated, mut last) = (Latency::default(), Check::default(), 0, Duration::ZERO);
    for (device, time) in &back {
        times.record(time.as_micros() as u64);
        check += device.end(&logs);
        repeated += device.repeats.doubled;
        last = last.max(*time);
    }
    let measured = Measured {
        devices: args.devices,
        conversations: logs.names.len(),
        memberships: args.devices * args.conversations,
        missed_entries: logs.ends.iter().map(|end| (end - 1) * args.members as u64).sum(),
        restart_s,
        catch_up_s: last.as_secs_f64(),
        device_catch_up: times.summary(),
        repeated_entries: repeated,
        generator,
        check,
    };
    report("storm", measured.check.is_good(), measured)
}

/// Sends to every conversation while nobody is there; tells where each ends now.
async fn send(args: &Args, logs: &Logs, makers: Vec<usize>) -> Result<Vec<u64>> {
    let (pool, clock, messages) = (Pool::new(&args.target), Clock::new(), args.messages);
    let paths: Vec<String> = logs.names.iter().map(|name| format!("/v1/conversations/{name}/messages")).collect();
    gather(paths.len(), args.target.rest, async move |place| {
        for count in 0..messages {
            let client_id = clock.name(Mark { sender: 0, count, at_us: clock.now_us() });
            let body = format!(r#"{{"client_id":"{client_id}","text":"while you were away"}}"#);
            pool.ask(makers[place], "POST", &paths[place], &body).await?;
        }
        Ok(1 + u64::from(messages))
    })
    .await
}

/// Restarts the server and waits until it accepts connections again.
async fn restart(command: &str, target: &Target) -> Result<Duration> {
    const LIMIT: Duration = Duration::from_secs(60);
    let began = Instant::now();
    let status = Command::new("sh").arg("-c").arg(command).status().await.map_err(Error::io("cannot run sh"))?;
    if !status.success() {
        return Err(Error::Refused(format!("the command to restart the server ended with {status}")));
    }
    while target.connect(0).await.is_err() {
        if began.elapsed() > LIMIT {
            return Err(Error::Refused("the server did not come back within 60 s".into()));
        }
        sleep(Duration::from_millis(10)).await;
    }
    Ok(began.elapsed())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn everybody_has_a_seat_in_every_round() {
        let groups = seats(60, 7, 12);
        assert_eq!(groups.len(), 5 * 7);
        for round in groups.chunks(5) {
            assert!(round.iter().all(|group| group.len() == 12));
            let seated: BTreeSet<usize> = round.iter().flatten().copied().collect();
            assert_eq!(seated.len(), 60);
        }
        let makers: BTreeSet<usize> = groups.iter().map(|group| group[0]).collect();
        assert!(makers.len() > 5, "{makers:?}");
    }
}
