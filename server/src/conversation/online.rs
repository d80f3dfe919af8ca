//! The members of a large conversation who are connected to this node: a message in a channel of 100 000 costs those who get
//! it, and not those who are away.

use std::collections::HashSet;

use kith_protocol::UserId;

use super::live::Live;
use crate::limits;

/// The members who are connected, and perhaps some who were.
pub(super) struct Online {
    users: HashSet<UserId>,
    /// The number of users who had come online on this node when they were looked up.
    arrivals: u64,
    /// The [`crate::store::Counts::rev`] of the members among whom they were looked up.
    rev: u64,
    /// The number of users when those who had left were last taken out.
    kept: usize,
}

impl Live {
    /// The members whom the conversation reaches, without those of a large one who are not connected to this node.
    pub(super) fn online(&mut self) -> impl Iterator<Item = UserId> {
        let large = self.pointers.len() > limits::MEMBERS_ASKED;
        if large {
            self.look_online();
        } else {
            self.online = None;
        }
        let online = self.online.iter().flat_map(|online| &online.users).copied();
        let all = self.reached().take(if large { 0 } else { usize::MAX });
        online.filter(|user| self.reaches(*user)).chain(all)
    }

    /// Brings `online` up to now: by those who came since, where the members are the same and that is not too long ago.
    fn look_online(&mut self) {
        let (roster, members) = (&self.context.roster, &self.pointers);
        let known = self.online.take().filter(|online| online.rev == self.state.counts.rev);
        let (arrived, arrivals) = roster.arrived_since(known.as_ref().map_or(u64::MAX, |online| online.arrivals));
        if let (Some(mut online), Some(arrived)) = (known, arrived) {
            online.arrivals = arrivals;
            online.users.extend(arrived.into_iter().filter(|user| members.contains_key(user)));
            if online.users.len() > 2 * online.kept + limits::MEMBERS_ASKED {
                online.users.retain(|user| roster.is_online(*user));
                online.kept = online.users.len();
            }
            self.online = Some(online);
            return;
        }
        let users: HashSet<UserId> = match roster.users() < members.len() {
            true => roster.online(|user| members.contains_key(&user)).into_iter().collect(),
            false => members.keys().copied().filter(|user| roster.is_online(*user)).collect(),
        };
        let kept = users.len();
        self.online = Some(Online { users, arrivals, rev: self.state.counts.rev, kept });
    }
}
