//! One person's chat: the open conversation, and what is known of names and rooms.

use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

use kith_client::{Client, Error, Rest, rest::Paging};
use kith_protocol::{ConversationId, UserId, Uuid, entry::ConversationKind, rest::PresenceState};
use tokio::time::Instant;

use crate::{
    is_typed,
    screen::{Line, Screen, called},
};

/// Names that are remembered.
const NAMES: usize = 10_000;
/// Seconds in which somebody who goes on writing is not shown again.
const TYPING_S: u64 = 10;
/// The name of somebody who has none that anybody would see.
const SOMEBODY: &str = "somebody";

/// The next step of the program.
#[derive(PartialEq, Eq)]
pub enum Turn {
    /// The program goes on.
    On,
    /// The person wants to go.
    Quit,
}

/// All of it.
pub struct Chat {
    pub(crate) rest: Rest,
    pub(crate) client: Client,
    pub(crate) me: UserId,
    pub(crate) screen: Screen,
    pub(crate) open: Option<ConversationId>,
    pub(crate) rooms: HashMap<ConversationId, Room>,
    pub(crate) present: HashMap<UserId, PresenceState>,
    /// Messages that were sent from here and are not answered yet.
    pub(crate) own: HashSet<Uuid>,
    /// The requests as they were listed last.
    pub(crate) asked: Vec<ConversationId>,
    /// True once what came while away is here.
    pub(crate) caught_up: bool,
    /// True if what is sent is on the screen already, because it was typed there.
    pub(crate) typed: bool,
    names: HashMap<UserId, String>,
    writing: Option<(UserId, Instant)>,
}

/// The state of a conversation.
#[derive(Default)]
pub struct Room {
    pub(crate) title: Option<String>,
    pub(crate) direct: bool,
    /// The seq that was read before this program began; up to there nothing is shown again.
    pub(crate) read_before: Option<u64>,
    /// True where the server cannot read it.
    pub(crate) damaged: bool,
    /// The last message of one's own.
    pub(crate) own: u64,
    /// The seqs up to which the others got and read.
    pub(crate) others: HashMap<UserId, (u64, u64)>,
}

impl Chat {
    /// Nothing is open.
    pub fn new(rest: Rest, client: Client, me: UserId, screen: Screen) -> Self {
        Self {
            rest,
            client,
            me,
            screen,
            open: None,
            rooms: HashMap::new(),
            present: HashMap::new(),
            own: HashSet::new(),
            asked: Vec::new(),
            caught_up: false,
            typed: is_typed(),
            names: HashMap::new(),
            writing: None,
        }
    }

    /// Returns true if nothing is on its way, in either direction.
    pub fn is_settled(&self) -> bool {
        self.own.is_empty() && self.caught_up
    }

    /// Returns the name of somebody, as it may stand within a sentence.
    pub(crate) async fn name(&mut self, user: UserId) -> String {
        if let Some(name) = self.names.get(&user) {
            return name.clone();
        }
        match self.rest.user(user).await {
            Ok(profile) => {
                let name = profile.username.as_deref().and_then(called).or_else(|| called(&profile.display_name));
                let name = name.unwrap_or_else(|| SOMEBODY.to_owned());
                self.call(user, &name);
                name
            }
            // It is asked for again at the next time.
            Err(_) => SOMEBODY.to_owned(),
        }
    }

    /// Remembers what somebody is called.
    pub(crate) fn call(&mut self, user: UserId, name: &str) {
        if self.names.len() >= NAMES {
            self.names.clear();
        }
        self.names.insert(user, name.to_owned());
    }

    /// The same, as it is shown.
    pub(crate) async fn shown(&mut self, user: UserId) -> Line {
        let name = self.name(user).await;
        self.screen.name(user, &name)
    }

    /// Returns the title of a conversation, as it may stand within a sentence: a direct one by the other side.
    pub(crate) async fn title(&mut self, id: ConversationId) -> String {
        if let Some(title) = self.rooms.get(&id).and_then(|room| room.title.clone()) {
            return title;
        }
        let Ok((title, direct)) = self.ask_title(id).await else {
            return "a conversation".to_owned();
        };
        let room = self.room(id);
        (room.title, room.direct) = (Some(title.clone()), direct);
        title
    }

    async fn ask_title(&mut self, id: ConversationId) -> Result<(String, bool), Error> {
        let info = self.rest.conversation(id).await?;
        if info.kind != ConversationKind::Direct {
            let title = info.title.as_deref().and_then(called);
            return Ok((title.unwrap_or_else(|| "a group".to_owned()), false));
        }
        let members = self.rest.participants(id, &Paging::default()).await?.items;
        let peer = members.iter().map(|participant| participant.member.user).find(|user| *user != self.me);
        Ok((self.name(peer.unwrap_or(self.me)).await, true))
    }

    pub(crate) fn room(&mut self, id: ConversationId) -> &mut Room {
        self.rooms.entry(id).or_default()
    }

    /// Returns true if it is worth a line that somebody is writing.
    pub(crate) fn begins_to_write(&mut self, user: UserId) -> bool {
        let now = Instant::now();
        let goes_on = self.writing.is_some_and(|(last, until)| last == user && now < until);
        if !goes_on {
            self.writing = Some((user, now + Duration::from_secs(TYPING_S)));
        }
        !goes_on
    }
}
