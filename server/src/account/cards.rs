//! Cards: the part of a user that every message to or from them needs, kept in memory.

use std::{
    collections::{HashMap, HashSet},
    mem,
    sync::Arc,
};

use kith_protocol::{Timestamp, UserId, rest::Privacy};
use parking_lot::Mutex;
use tokio::sync::OnceCell;

use super::Accounts;
use crate::{
    Error, limits,
    store::{
        self, Row, StoreExt as _,
        schema::{self, Request, Value},
    },
};

/// A user in short.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Card {
    /// True if there is, or was, such a user.
    pub exists: bool,
    /// True if they have erased their account.
    pub erased: bool,
    /// The privacy settings: which parts others may know.
    pub privacy: Privacy,
    /// The people whom they block.
    pub blocked: HashSet<UserId>,
    /// Empty once erased.
    pub username: String,
    /// The name to show.
    pub display_name: String,
    /// The time at which a person last did something.
    pub last_seen: Option<Timestamp>,
    /// True once the operator vouches for the account.
    pub vouched: bool,
    /// The strangers whose requests wait for an answer; read when somebody asks.
    requests: OnceCell<HashSet<UserId>>,
}

/// The number of counters that tell that a card changed while it was read.
const STAMPS: usize = 256;

/// The cards used lately: those of the current generation, and of the one before. When the current one is full it
/// becomes the old one, whose cards are dropped unless they were used again.
pub(super) struct Cards {
    kept: Mutex<Kept>,
}

struct Kept {
    current: HashMap<UserId, Arc<Card>>,
    old: HashMap<UserId, Arc<Card>>,
    /// Counts how often a card of each part of the users was forgotten: one that was read before must not be kept after.
    stamps: [u32; STAMPS],
}

impl Default for Cards {
    fn default() -> Self {
        Self { kept: Mutex::new(Kept { current: HashMap::new(), old: HashMap::new(), stamps: [0; STAMPS] }) }
    }
}

impl Kept {
    fn stamp(&mut self, user: UserId) -> &mut u32 {
        // The last byte of an identifier is random.
        &mut self.stamps[usize::from(user.bytes()[15]) % STAMPS]
    }

    fn keep(&mut self, user: UserId, card: Arc<Card>) {
        if self.current.len() >= limits::CARDS / 2 {
            self.old = mem::take(&mut self.current);
        }
        self.current.insert(user, card);
    }
}

impl Cards {
    /// The card, or the stamp to keep it with once it was read.
    fn get(&self, user: UserId) -> Result<Arc<Card>, u32> {
        let mut kept = self.kept.lock();
        if let Some(card) = kept.current.get(&user) {
            return Ok(card.clone());
        }
        let Some(card) = kept.old.remove(&user) else { return Err(*kept.stamp(user)) };
        kept.keep(user, card.clone());
        Ok(card)
    }

    fn put(&self, user: UserId, card: Arc<Card>, stamp: u32) {
        let mut kept = self.kept.lock();
        if *kept.stamp(user) == stamp {
            kept.keep(user, card);
        }
    }

    /// Forgets a card, since what it says may have changed.
    pub fn forget(&self, user: UserId) {
        let mut kept = self.kept.lock();
        let stamp = kept.stamp(user);
        *stamp = stamp.wrapping_add(1);
        kept.current.remove(&user);
        kept.old.remove(&user);
    }
}

impl Accounts {
    /// A user in short, if memory has it.
    pub fn cached_card(&self, user: UserId) -> Option<Arc<Card>> {
        self.cards.get(user).ok()
    }

    /// Forgets what memory has of a user, since their requests have changed.
    pub fn forget_card(&self, user: UserId) {
        self.cards.forget(user);
    }

    /// Returns true where a request of `from` waits for the user's answer.
    pub async fn has_requested(&self, user: UserId, from: UserId) -> Result<bool, Error> {
        let card = self.card(user).await?;
        let read = || async {
            let rows = self.store.all(schema::user::partition(user), schema::user::requests()).await?;
            let of = || format!("a request of {user}");
            let from = |row: &Row| Some(store::unless_damaged(of, Request::decode(&row.value))?.from);
            Ok::<_, Error>(rows.iter().filter_map(from).collect())
        };
        card.requests.get_or_try_init(read).await.map(|requests| requests.contains(&from))
    }

    /// A user in short, mostly from memory. One who never was has a card that says so.
    pub async fn card(&self, user: UserId) -> Result<Arc<Card>, Error> {
        let stamp = match self.cards.get(user) {
            Ok(card) => return Ok(card),
            Err(stamp) => stamp,
        };
        let Some((row, _)) = self.user(user).await? else {
            // Not kept, so that whoever asks for what is not there pushes nobody out.
            return Ok(Arc::default());
        };
        let blocked = self.store.all(schema::user::partition(user), schema::user::all_blocked()).await?;
        let blocked = blocked.iter().map(|row| schema::user::user_of(&row.key)).collect::<Result<_, _>>()?;
        let card = Arc::new(Card {
            exists: true,
            erased: row.erased,
            privacy: row.privacy,
            blocked,
            requests: OnceCell::new(),
            username: row.username,
            display_name: row.display_name,
            last_seen: row.last_seen,
            vouched: row.vouched,
        });
        self.cards.put(user, card.clone(), stamp);
        Ok(card)
    }
}

#[cfg(test)]
mod tests {
    use kith_protocol::Uuid;

    use super::*;

    #[test]
    fn what_was_read_before_a_change_is_not_kept_after_it() {
        let cards = Cards::default();
        let user = UserId::new(Uuid::from_u128(1));
        let stamp = cards.get(user).unwrap_err();
        cards.forget(user);
        cards.put(user, Arc::default(), stamp);
        let stamp = cards.get(user).unwrap_err();
        cards.put(user, Arc::default(), stamp);
        cards.get(user).unwrap();
    }

    #[test]
    fn their_number_is_bounded_and_those_in_use_stay() {
        let cards = Cards::default();
        let user = |number: usize| UserId::new(Uuid::from_u128(number as u128));
        for number in 0..2 * limits::CARDS {
            let stamp = cards.get(user(number)).unwrap_err();
            cards.put(user(number), Arc::default(), stamp);
            cards.get(user(0)).unwrap();
        }
        let kept = cards.kept.lock();
        assert!(kept.current.len() + kept.old.len() <= limits::CARDS);
    }
}
