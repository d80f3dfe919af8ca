//! The queue of pushes, in memory: when each is due, and whose turn it is. Each has a row in the store too.
//!
//! There is one for each device and conversation, however many messages there are. The registrable domains of push services
//! take turns, and inside each the users do, so that who names many hosts, silent or slow ones, delays their own pushes only.
//! A user has [`limits::PUSHES_PER_USER`] here; the rows of the others are all that is kept of them (`behind`).

#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeSet, HashMap, VecDeque},
    sync::Arc,
};

use kith_protocol::{ConversationId, DeviceId, UserId};
use tokio::time::Instant;

use super::hosts::Hosts;
use crate::{account::endpoint::Site, limits, store::schema::Pending};

/// The recipient and the conversation of a push.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Target {
    /// The user.
    pub user: UserId,
    /// Their device.
    pub device: DeviceId,
    /// The conversation.
    pub conversation: ConversationId,
}

/// The place of a push.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    /// In `timers`, and in `waiting` of its user.
    Waiting(Instant),
    /// In `ready` of its domain.
    Ready,
    /// Under way; whether there is something newer.
    Running { again: bool },
}

struct Item {
    row: Pending,
    /// True where the push service takes a short text only.
    small: bool,
    site: Site,
    at: At,
}

/// The items of a user.
#[derive(Default)]
struct User {
    items: usize,
    running: usize,
    /// The pushes that wait for their time; the last one is the first to give way.
    waiting: BTreeSet<(Instant, Target)>,
    /// The domains that passed the user over while too much was under way.
    passed_by: Vec<Arc<str>>,
}

/// The items that are due at the hosts of a domain.
#[derive(Default)]
struct Domain {
    running: usize,
    ready: HashMap<UserId, VecDeque<Target>>,
    /// The users of `ready`, but for those that were passed over.
    turns: VecDeque<UserId>,
    /// True while it stands in the `turns` of the queue.
    in_turn: bool,
}

/// A push that is begun now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Begun {
    /// The recipient and the conversation.
    pub target: Target,
    /// Its row.
    pub row: Pending,
    /// True where the text must be short.
    pub small: bool,
}

/// The outcome of a put.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Room {
    /// There was room.
    Free,
    /// Another one of the user, which is due later, gave way: its row is all that is kept of it.
    Made,
    /// Not put: its row is all that is kept of it.
    None,
}

/// The outcome of an attempt, as far as it tells of the host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reached {
    /// The host answered, whatever it said.
    Answered,
    /// The host did not answer.
    Silent,
    /// The host was not asked.
    Unasked,
}

/// The queue.
#[derive(Default)]
pub struct Queue {
    items: HashMap<Target, Item>,
    timers: BTreeSet<(Instant, Target)>,
    users: HashMap<UserId, User>,
    domains: HashMap<Arc<str>, Domain>,
    turns: VecDeque<Arc<str>>,
    hosts: Hosts,
    running: usize,
}

impl Queue {
    /// The number of pushes that wait or are under way.
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// The row of one that is there.
    pub fn row(&self, target: &Target) -> Option<Pending> {
        self.items.get(target).map(|item| item.row)
    }

    /// The row of one that is there. One that is under way is begun again when it has ended, since there is something newer.
    pub fn renew(&mut self, target: &Target) -> Option<Pending> {
        let item = self.items.get_mut(target)?;
        if let At::Running { again } = &mut item.at {
            *again = true;
        }
        Some(item.row)
    }

    /// Another row of one that is there.
    pub fn rewrite(&mut self, target: &Target, row: Pending) {
        if let Some(item) = self.items.get_mut(target) {
            item.row = row;
        }
    }

    /// Puts one that is not there, whose row is written, to be begun at a time.
    pub fn put(&mut self, target: Target, row: Pending, site: Site, at: Instant) -> Room {
        let of_user = self.users.get(&target.user).map_or(0, |user| user.items);
        let room = match of_user < limits::PUSHES_PER_USER && self.items.len() < limits::PUSHES_PENDING {
            true => Room::Free,
            false if self.give_way(target.user, at) => Room::Made,
            false => return Room::None,
        };
        self.items.insert(target, Item { row, small: false, site, at: At::Ready });
        self.users.entry(target.user).or_default().items += 1;
        self.wait(target, at);
        room
    }

    /// Drops that one of a user which is to wait longest, and beyond a time.
    fn give_way(&mut self, user: UserId, beyond: Instant) -> bool {
        let last = self.users.get(&user).and_then(|user| user.waiting.last().copied());
        let Some((at, target)) = last.filter(|(at, _)| *at > beyond) else { return false };
        self.wait_no_longer(target, at);
        self.drop(&target);
        true
    }

    /// Returns the time at which the next is due that has to wait for time alone.
    pub fn next_due(&self) -> Option<Instant> {
        self.timers.first().map(|(at, _)| *at)
    }

    fn wait(&mut self, target: Target, at: Instant) {
        if let (Some(item), Some(user)) = (self.items.get_mut(&target), self.users.get_mut(&target.user)) {
            item.at = At::Waiting(at);
            user.waiting.insert((at, target));
            self.timers.insert((at, target));
        }
    }

    fn wait_no_longer(&mut self, target: Target, at: Instant) {
        self.timers.remove(&(at, target));
        if let Some(user) = self.users.get_mut(&target.user) {
            user.waiting.remove(&(at, target));
        }
    }

    /// Begins one, if one is due and there is room.
    pub fn begin(&mut self, now: Instant) -> Option<Begun> {
        while let Some((at, target)) = self.timers.first().copied().filter(|(at, _)| *at <= now) {
            self.wait_no_longer(target, at);
            self.make_ready(target);
        }
        while self.running < limits::PUSHES_AT_ONCE {
            let name = self.turns.pop_front()?;
            let begun = self.begin_at(&name, now);
            self.take_turn(&name);
            if begun.is_some() {
                return begun;
            }
        }
        None
    }

    fn make_ready(&mut self, target: Target) {
        let Some(item) = self.items.get_mut(&target) else { return };
        item.at = At::Ready;
        let name = item.site.domain.clone();
        let domain = self.domains.entry(name.clone()).or_default();
        let ready = domain.ready.entry(target.user).or_default();
        if ready.is_empty() {
            domain.turns.push_back(target.user);
        }
        ready.push_back(target);
        self.take_turn(&name);
    }

    /// Begins one at a domain whose turn it is.
    fn begin_at(&mut self, name: &Arc<str>, now: Instant) -> Option<Begun> {
        self.domains.get_mut(name)?.in_turn = false;
        loop {
            let target = self.next_at(name)?;
            let Some(item) = self.items.get_mut(&target) else { continue };
            if let Some(until) = self.hosts.paused(&item.site.host, now) {
                self.wait(target, until);
                continue;
            }
            item.at = At::Running { again: false };
            let begun = Begun { target, row: item.row, small: item.small };
            self.running += 1;
            self.domains.entry(name.clone()).or_default().running += 1;
            self.users.entry(target.user).or_default().running += 1;
            return Some(begun);
        }
    }

    /// Takes the next of a domain, of the user whose turn it is there.
    fn next_at(&mut self, name: &Arc<str>) -> Option<Target> {
        let domain = self.domains.get_mut(name)?;
        while let Some(id) = domain.turns.pop_front() {
            let user = self.users.entry(id).or_default();
            if user.running >= limits::PUSHES_PER_USER_AT_ONCE {
                user.passed_by.push(name.clone());
                continue;
            }
            let Some(ready) = domain.ready.get_mut(&id) else { continue };
            let target = ready.pop_front();
            match ready.is_empty() {
                true => drop(domain.ready.remove(&id)),
                false => domain.turns.push_back(id),
            }
            if target.is_some() {
                return target;
            }
        }
        None
    }

    /// One has ended, which told something of its host; whether there is something newer.
    pub fn ended(&mut self, target: &Target, reached: Reached, now: Instant) -> bool {
        let Some(item) = self.items.get(target) else { return false };
        let At::Running { again } = item.at else { return false };
        let Site { host, domain: name } = item.site.clone();
        match reached {
            Reached::Answered => self.hosts.answered(&host, now),
            Reached::Silent => self.hosts.was_silent(&host, now),
            Reached::Unasked => {}
        }
        self.running -= 1;
        if let Some(domain) = self.domains.get_mut(&name) {
            domain.running -= 1;
        }
        let passed_by = self.users.get_mut(&target.user).map_or_else(Vec::new, |user| {
            user.running -= 1;
            std::mem::take(&mut user.passed_by)
        });
        for other in passed_by {
            if let Some(domain) = self.domains.get_mut(&other) {
                domain.turns.push_back(target.user);
            }
            self.take_turn(&other);
        }
        self.take_turn(&name);
        again
    }

    /// Has one that has ended begun again at a time.
    pub fn again(&mut self, target: Target, row: Pending, small: bool, at: Instant) {
        if let Some(item) = self.items.get_mut(&target) {
            (item.row, item.small) = (row, small);
            self.wait(target, at);
        }
    }

    /// Drops one that has ended.
    pub fn drop(&mut self, target: &Target) {
        if self.items.remove(target).is_none() {
            return;
        }
        if let Some(user) = self.users.get_mut(&target.user) {
            user.items -= 1;
            if user.items == 0 {
                self.users.remove(&target.user);
            }
        }
    }

    /// Puts a domain behind the others if it has something that may be begun, and forgets it if it has nothing at all.
    fn take_turn(&mut self, name: &Arc<str>) {
        let Some(domain) = self.domains.get_mut(name) else { return };
        if domain.running == 0 && domain.ready.is_empty() {
            self.domains.remove(name);
        } else if !domain.in_turn && !domain.turns.is_empty() && domain.running < limits::PUSHES_PER_DOMAIN {
            domain.in_turn = true;
            self.turns.push_back(name.clone());
        }
    }
}
