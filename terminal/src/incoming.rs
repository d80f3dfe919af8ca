//! The events of a device, as a line each.

use kith_client::Event;
use kith_protocol::{
    Body, ConversationId, Entry,
    frame::{Change, ConversationFrame, Presence, Receipt, Sent, Sheddable},
    rest::{HeadItem, PresenceState},
};

use crate::{
    chat::Chat,
    screen::{Line, called},
};

impl Chat {
    /// Shows what happened.
    pub async fn event(&mut self, event: Event) {
        match event {
            Event::Connected { .. } => self.screen.note("— connected"),
            Event::Restored => self.restored(),
            Event::CaughtUp => {
                if !self.caught_up {
                    self.note_requests().await;
                }
                self.caught_up = true;
                self.read_open().await;
            }
            Event::Behind { conversation, .. } => {
                let title = self.title(conversation).await;
                self.screen.fault(&format!("— what is new in {title} could not be had; /history may show it"));
            }
            Event::Disconnected { reason, retry_in, .. } => {
                let seconds = retry_in.as_secs_f32();
                self.screen.fault(&format!("— not connected ({reason}), again in {seconds:.1} s"));
            }
            Event::Head(head) if head.damaged => self.damaged(head.id).await,
            Event::Head(head) => self.head(head),
            Event::Entry(entry) => self.entry(entry).await,
            Event::Sent(sent) => self.sent(sent),
            Event::Failed { reason, client_id, .. } => {
                self.own.remove(&client_id);
                self.screen.fault(&format!("✗ not sent: {reason}"));
            }
            Event::Receipt(receipt) => self.receipt(receipt).await,
            Event::Presence(presence) => self.presence(presence).await,
            Event::Typing(typing) => {
                if self.open == Some(typing.conversation) && self.begins_to_write(typing.user) {
                    let name = self.name(typing.user).await;
                    self.screen.note(&format!("… {name} is writing"));
                }
            }
            Event::ConversationChanged(frame) => self.conversation(frame).await,
            Event::Requests(waiting) => self.note_waiting(waiting as usize),
            Event::Expired(id) => {
                if self.open == Some(id.conversation) {
                    self.screen.note("— a message has expired");
                }
            }
            Event::Rewound { conversation, .. } => {
                let title = self.title(conversation).await;
                self.screen.fault(&format!("— the server was restored from a backup; {title} may lack messages"));
            }
            Event::Degraded(shed) => self.degraded(&shed),
            // The caller has seen to it.
            Event::Stopped { .. } => {}
        }
    }

    /// Tells once of a conversation that the server cannot read.
    async fn damaged(&mut self, id: ConversationId) {
        if std::mem::replace(&mut self.room(id).damaged, true) {
            return;
        }
        let title = self.title(id).await;
        self.screen.fault(&format!("— {title} is damaged on the server; its operator can repair it"));
    }

    fn head(&mut self, head: HeadItem) {
        let room = self.room(head.id);
        room.damaged = false;
        room.read_before.get_or_insert(head.read);
    }

    /// Nothing that was shown need be so any longer: what is unread is shown as at the beginning.
    fn restored(&mut self) {
        for room in self.rooms.values_mut() {
            (room.read_before, room.own) = (None, 0);
            room.others.clear();
        }
        self.screen.fault("— the server was restored from a backup; what was said after it is lost");
    }

    fn sent(&mut self, sent: Sent) {
        let room = self.room(sent.conversation);
        room.own = room.own.max(sent.seq);
        self.own.remove(&sent.client_id);
        self.screen.note("  ✓ sent");
    }

    async fn entry(&mut self, entry: Entry) {
        let (id, seq) = (entry.conversation, entry.seq);
        let from_here = entry.client_id.is_some_and(|client_id| self.own.contains(&client_id));
        let seen = self.room(id).read_before.is_some_and(|read| seq <= read);
        if (from_here && self.typed) || (seen && !from_here) {
            return;
        }
        let Some(text) = self.describe(&entry).await else { return };
        let title = if self.open == Some(id) { Line::default() } else { self.bracket(id).await };
        self.screen.timed(entry.time(), &title.then(&text));
        if self.open == Some(id) && entry.sender != self.me {
            self.read(id, seq);
        }
    }

    async fn bracket(&mut self, id: ConversationId) -> Line {
        let title = self.title(id).await;
        self.screen.title(&title).and(" ")
    }

    /// An entry as a line.
    async fn describe(&mut self, entry: &Entry) -> Option<Line> {
        let who = self.shown(entry.sender).await;
        Some(match &entry.body {
            Body::Message(message) if message.attachments.is_empty() => who.and(": ").and(&message.text),
            Body::Message(message) => {
                who.and(": ").and(&message.text).and(&format!(" ({} attached)", message.attachments.len()))
            }
            Body::Edit(edit) => who.and(" edited: ").and(&edit.text),
            Body::Delete(_) => who.and(" deleted a message"),
            Body::Reaction(reaction) => {
                who.and(if reaction.on { " reacted " } else { " took back " }).and(&reaction.emoji)
            }
            Body::Created(_) => who.and(" began the conversation"),
            Body::MemberAdded(added) if added.user == added.by => who.and(" joined"),
            Body::MemberAdded(added) => who.and(" added ").then(&self.shown(added.user).await),
            Body::MemberRemoved(removed) if removed.user == removed.by => who.and(" left"),
            Body::MemberRemoved(removed) => who.and(" removed ").then(&self.shown(removed.user).await),
            Body::RoleChanged(changed) => {
                let role = format!(" {:?}", changed.role).to_lowercase();
                who.and(" made ").then(&self.shown(changed.user).await).and(&role)
            }
            Body::ConversationChanged(changed) => match changed.title.as_deref().and_then(called) {
                Some(title) => {
                    let line = who.and(" called it ").and(&title);
                    self.room(entry.conversation).title = Some(title);
                    line
                }
                None => who.and(" changed the settings"),
            },
            Body::Redacted(_) | Body::Unknown => return None,
        })
    }

    async fn receipt(&mut self, receipt: Receipt) {
        if receipt.user == self.me {
            return;
        }
        let room = self.room(receipt.conversation);
        let (delivered, read) = room.others.insert(receipt.user, (receipt.delivered, receipt.read)).unwrap_or_default();
        let own = room.own;
        let passed = |before: u64, now: u64| before < own && own <= now;
        let what = if passed(read, receipt.read) {
            "  read by"
        } else if passed(delivered, receipt.delivered) {
            "  ✓✓ delivered to"
        } else {
            return;
        };
        let name = self.name(receipt.user).await;
        self.screen.note(&format!("{what} {name}"));
    }

    async fn presence(&mut self, presence: Presence) {
        let before = self.present.insert(presence.user, presence.state);
        let direct = self.open.is_some_and(|id| self.room(id).direct);
        if before == Some(presence.state) || (before.is_none() && !direct) || presence.user == self.me {
            return;
        }
        let name = self.name(presence.user).await;
        let since = presence.last_seen.map(|at| format!(", last seen {}", self.screen.clock(at))).unwrap_or_default();
        self.screen.note(&match presence.state {
            PresenceState::Online => format!("— {name} is online"),
            PresenceState::Offline => format!("— {name} is offline{since}"),
        });
    }

    async fn conversation(&mut self, frame: ConversationFrame) {
        match frame.change {
            Change::Added => {
                // What was said before one came is not shown again; all that comes now is new.
                self.room(frame.id).read_before.get_or_insert(0);
                let title = self.title(frame.id).await;
                // A conversation of two shows with its first message, and what one has just begun oneself is open.
                if !self.room(frame.id).direct && self.open != Some(frame.id) {
                    self.screen.note(&format!("— you are in {title}"));
                }
            }
            // What changed comes as an entry too.
            Change::Changed => {}
            Change::Left => {
                let title = self.rooms.get(&frame.id).and_then(|room| room.title.clone());
                self.screen
                    .note(&format!("— you are not in {} any longer", title.as_deref().unwrap_or("a conversation")));
                if self.open == Some(frame.id) {
                    self.open = None;
                }
            }
        }
    }

    fn degraded(&self, shed: &[Sheddable]) {
        let names = shed.iter().map(|shed| match shed {
            Sheddable::Typing => "typing",
            Sheddable::Presence => "presence",
            Sheddable::Receipts => "receipts",
            Sheddable::Unknown => "something else",
        });
        let names: Vec<&str> = names.collect();
        self.screen.note(&match names.as_slice() {
            [] => "— the server is well again".to_owned(),
            names => format!("— the server is busy and does not show {}", names.join(", ")),
        });
    }

    /// Everything that is here of the open conversation is on the screen.
    pub(crate) async fn read_open(&mut self) {
        let Some(id) = self.open else { return };
        if let Ok(have) = self.client.look(move |timeline| timeline.have_of(id)).await {
            self.read(id, have);
        }
    }

    fn read(&mut self, id: ConversationId, seq: u64) {
        if seq > 0 && self.client.read(id, seq).is_err() {
            self.screen.fault("✗ too much at once: not told that this was read");
        }
    }
}
