//! Histories from a seed: logs as servers leave them, with everything that they may hold, older oddities included.

use kith_protocol::{
    Body, ConversationId, Entry, MessageId, Timestamp, UserId, Uuid,
    entry::{
        ConversationChanged, ConversationKind, Created, Edit, MemberAdded, MemberRemoved, MemberRole, Reaction,
        Redacted, RedactedKind, Role, RoleChanged, Target, Text, Writers,
    },
};

/// Texts that were put as reactions: forms of one emoji, others, and one from before only emojis were taken.
const EMOJIS: [&str; 6] = ["❤", "❤\u{fe0f}", "👍", "🎉", "👍🏽", "ok👍"];
const ROLES: [Role; 3] = [Role::Member, Role::Admin, Role::Owner];
const USERS: u64 = 5;

/// Numbers by chance, always the same from one seed (SplitMix64).
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }

    fn one_in(&mut self, bound: u64) -> bool {
        self.below(bound) == 0
    }

    fn of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len() as u64) as usize]
    }

    fn text(&mut self) -> String {
        (0..1 + self.below(6)).map(|_| self.of(&['a', 'b', 'ä', '😀', ' '])).collect()
    }
}

/// The state of the log that the generator writes.
struct History {
    chance: Chance,
    kind: ConversationKind,
    members: Vec<UserId>,
    log: Vec<Entry>,
}

/// The history of a seed.
pub fn history(seed: u64) -> Vec<Entry> {
    let mut chance = Chance(seed);
    let kind = chance.of(&[ConversationKind::Direct, ConversationKind::Group, ConversationKind::Channel]);
    let founders = if kind == ConversationKind::Direct { 2 } else { 1 + chance.below(3) };
    let members: Vec<UserId> = (0..founders).map(user).collect();
    let role = |index| if index == 0 && kind != ConversationKind::Direct { Role::Owner } else { Role::Member };
    let created = Created {
        kind,
        title: chance.one_in(2).then(|| "a title".to_owned()),
        expire_after_s: chance.one_in(3).then_some(60),
        members: members
            .iter()
            .enumerate()
            .map(|(index, user)| MemberRole { user: *user, role: role(index) })
            .collect(),
    };
    let mut history = History { chance, kind, members, log: Vec::new() };
    history.say(user(0), Body::Created(created));
    for _ in 0..8 + history.chance.below(32) {
        history.go_on();
    }
    history.redact();
    history.log
}

/// An entry in its wire form. One of an unknown kind gets a name and a body that no version has.
pub fn json(entry: &Entry) -> serde_json::Value {
    if entry.body != Body::Unknown {
        return serde_json::to_value(entry).expect("an entry has a JSON form");
    }
    let known = Entry { body: Body::Message(Text::default()), ..entry.clone() };
    let mut json = serde_json::to_value(&known).expect("an entry has a JSON form");
    json["kind"] = "of_a_later_version".into();
    json["body"] = serde_json::json!({ "target": 1, "counted": true });
    json
}

fn user(number: u64) -> UserId {
    UserId::new(Uuid::from_u128(u128::from(number) + 1))
}

impl History {
    fn say(&mut self, sender: UserId, body: Body) {
        let conversation = ConversationId::new(Uuid::from_u128(7));
        let seq = self.log.len() as u64 + 1;
        let at = self.log.last().map_or(1_000_000, |last| last.at.millis()) + self.chance.below(3) * 1000;
        let true_at = self.chance.one_in(8).then(|| Timestamp::from_millis(at - 500));
        let is_message = matches!(body, Body::Message(_));
        self.log.push(Entry {
            id: MessageId { conversation, seq },
            conversation,
            seq,
            sender,
            device: None,
            client_id: None,
            at: Timestamp::from_millis(at),
            true_at,
            expires_at: (is_message && self.chance.one_in(4)).then(|| Timestamp::from_millis(at + 60_000)),
            body,
        });
    }

    /// An earlier message, or now and then any other entry, at which nobody may aim.
    fn target(&mut self) -> u64 {
        let messages: Vec<u64> =
            self.log.iter().filter(|entry| matches!(entry.body, Body::Message(_))).map(|entry| entry.seq).collect();
        match messages.is_empty() || self.chance.one_in(12) {
            true => 1 + self.chance.below(self.log.len() as u64),
            // Few of them get much.
            false => messages[self.chance.below(messages.len().min(4) as u64) as usize],
        }
    }

    fn go_on(&mut self) {
        let sender = self.chance.of(&self.members);
        let body = match self.chance.below(20) {
            0..=5 => self.message(),
            6..=8 => Body::Edit(Edit { target: self.target(), text: self.chance.text(), mentions: self.some_users() }),
            9 => Body::Delete(Target { target: self.target() }),
            10..=14 => Body::Reaction(Reaction {
                target: self.target(),
                emoji: self.chance.of(&EMOJIS).to_owned(),
                on: !self.chance.one_in(3),
            }),
            15 => Body::Unknown,
            16 => self.settings(),
            _ if self.kind == ConversationKind::Direct => self.message(),
            17 => self.added(sender),
            18 => self.removed(sender),
            _ => {
                let (user, role) = (self.chance.of(&self.members), self.chance.of(&ROLES));
                Body::RoleChanged(RoleChanged { user, role, by: sender })
            }
        };
        self.say(sender, body);
    }

    fn some_users(&mut self) -> Vec<UserId> {
        (0..USERS).filter(|_| self.chance.one_in(8)).map(user).collect()
    }

    fn message(&mut self) -> Body {
        let reply_to = self.chance.one_in(6).then(|| 1 + self.chance.below(self.log.len() as u64));
        Body::Message(Text { text: self.chance.text(), mentions: self.some_users(), reply_to, attachments: Vec::new() })
    }

    fn settings(&mut self) -> Body {
        let text = |chance: &mut Chance| match chance.below(4) {
            0 => Some(String::new()),
            1 => Some(chance.text()),
            _ => None,
        };
        let chance = &mut self.chance;
        Body::ConversationChanged(ConversationChanged {
            title: text(chance),
            topic: text(chance),
            avatar: text(chance),
            expire_after_s: chance.one_in(3).then(|| chance.below(2) as u32 * 3600),
            writers: chance.one_in(3).then(|| chance.of(&[Writers::Everyone, Writers::Admins])),
        })
    }

    fn added(&mut self, by: UserId) -> Body {
        let others: Vec<UserId> = (0..USERS).map(user).filter(|user| !self.members.contains(user)).collect();
        if others.is_empty() {
            return self.message();
        }
        let (user, role) = (self.chance.of(&others), self.chance.of(&ROLES));
        self.members.push(user);
        Body::MemberAdded(MemberAdded { user, role, by })
    }

    fn removed(&mut self, by: UserId) -> Body {
        if self.members.len() == 1 {
            return self.message();
        }
        let user = self.chance.of(&self.members);
        self.members.retain(|member| *member != user);
        Body::MemberRemoved(MemberRemoved { user, by })
    }

    /// Takes content as the server does: that of deleted messages, and of messages whose time is over, with their edits.
    fn redact(&mut self) {
        let seqs: Vec<u64> = (1..=self.log.len() as u64).collect();
        for seq in seqs {
            let is_deleted = |entry: &Entry| matches!(&entry.body, Body::Delete(delete) if delete.target == seq);
            let is_over = self.log[seq as usize - 1].expires_at.is_some() && self.chance.one_in(2);
            let goes = is_over || self.log.iter().any(is_deleted) && !self.chance.one_in(3);
            if !goes || !matches!(self.log[seq as usize - 1].body, Body::Message(_)) {
                continue;
            }
            for entry in &mut self.log {
                let was = match &entry.body {
                    Body::Message(_) if entry.seq == seq => RedactedKind::Message,
                    Body::Edit(edit) if edit.target == seq => RedactedKind::Edit,
                    _ => continue,
                };
                entry.expires_at = None;
                entry.body = Body::Redacted(Redacted { was });
            }
        }
    }
}
