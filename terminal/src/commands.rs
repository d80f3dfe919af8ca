//! The commands that a person types.

use kith_client::{
    Error,
    rest::{Paging, Place},
};
use kith_protocol::{
    Body, ConversationId, Message, UserId,
    entry::ConversationKind,
    limits::PAGE_ITEMS,
    rest::{EditMessage, NewConversation, NewReport, PresenceState, RequestAnswer},
};

use crate::{
    chat::{Chat, Turn},
    screen::{Line, called},
};

const HELP: &str = "\
/open NAME           talk to somebody, or go to a group by its title
/group TITLE NAME…   begin a group; a title of several words stands in \"…\"
/list                your conversations
/who                 who is in the open one
/history [N]         its last messages
/edit TEXT           give your last message another text
/delete              delete your last message for everyone
/react 👍            react to the last message of somebody else
/leave               leave the open group
/report [WHY]        tell who runs the server of the last message of somebody else
/requests            what strangers sent you, and waits for an answer
/accept N            let the one with this number be in your list
/decline N           refuse it; /block N refuses it and blocks who sent it
/quit                go; what you missed is shown when you come back";

/// Messages that `/history` shows unless it is told how many.
const HISTORY: u32 = 20;

impl Chat {
    /// Does what a line says.
    pub async fn line(&mut self, line: &str) -> Turn {
        if line.is_empty() {
            return Turn::On;
        }
        let (command, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        let rest = rest.trim();
        let done = match command {
            "/open" => self.open(rest).await,
            "/group" => self.group(rest).await,
            "/list" => self.list().await,
            "/who" => self.who().await,
            "/history" => self.history(rest).await,
            "/edit" => self.edit(rest).await,
            "/delete" => self.delete().await,
            "/react" => self.react(rest).await,
            "/leave" => self.leave().await,
            "/requests" => self.requests().await,
            "/report" => self.report(rest).await,
            "/accept" => self.answer(rest, RequestAnswer::Accepted).await,
            "/decline" => self.answer(rest, RequestAnswer::Declined).await,
            "/block" => self.answer(rest, RequestAnswer::Blocked).await,
            "/help" => {
                HELP.lines().for_each(|line| self.screen.line(&Line::of(line)));
                Ok(())
            }
            "/quit" => return Turn::Quit,
            _ if line.starts_with('/') => Err(format!("there is no command {command}; /help lists them")),
            _ => self.say(line),
        };
        if let Err(reason) = done {
            self.screen.fault(&format!("✗ {reason}"));
        }
        Turn::On
    }

    fn say(&mut self, text: &str) -> Result<(), String> {
        let id = self.opened()?;
        let client_id = self.client.send(id, text).map_err(|refused| refused.to_string())?;
        self.own.insert(client_id);
        Ok(())
    }

    fn opened(&self) -> Result<ConversationId, String> {
        self.open.ok_or_else(|| "nothing is open; /open NAME".to_owned())
    }

    async fn open(&mut self, name: &str) -> Result<(), String> {
        if name.is_empty() {
            return Err("/open whom?".to_owned());
        }
        if let Some(id) = self.titled(name).await? {
            return self.go_to(id).await;
        }
        let user = self.find(name).await?;
        let direct = conversation(ConversationKind::Direct, vec![user], None);
        let info = self.rest.create_conversation(&direct).await.map_err(said)?;
        self.go_to(info.id).await
    }

    /// A group or channel that the person is in, by its title.
    async fn titled(&self, title: &str) -> Result<Option<ConversationId>, String> {
        let mut paging = Paging::default();
        loop {
            let page = self.rest.conversations(&paging).await.map_err(said)?;
            let fits = |other: &Option<String>| other.as_ref().is_some_and(|other| other.eq_ignore_ascii_case(title));
            if let Some(item) = page.items.iter().find(|item| fits(&item.title)) {
                return Ok(Some(item.head.id));
            }
            if page.next_cursor.is_none() {
                return Ok(None);
            }
            paging.cursor = page.next_cursor;
        }
    }

    async fn find(&mut self, name: &str) -> Result<UserId, String> {
        let page = self.rest.users(name, &Paging::default()).await.map_err(said)?;
        let user = page.items.iter().find(|profile| profile.username.as_deref() == Some(name));
        let user = user.map(|profile| profile.id).ok_or_else(|| format!("there is nobody called {name}"))?;
        self.call(user, name);
        Ok(user)
    }

    async fn go_to(&mut self, id: ConversationId) -> Result<(), String> {
        let title = self.title(id).await;
        let page = self.rest.participants(id, &Paging::default()).await.map_err(said)?;
        let members: Vec<UserId> = page.items.iter().map(|participant| participant.member.user).collect();
        self.screen.note(&format!("— {title} is open"));
        let others = members.into_iter().filter(|user| *user != self.me).collect();
        let watched = self.open.replace(id).map_or(Ok(()), |before| self.client.unwatch(Vec::new(), vec![before]));
        watched.and_then(|()| self.client.watch(others, vec![id])).map_err(|refused| refused.to_string())?;
        self.read_open().await;
        Ok(())
    }

    async fn group(&mut self, rest: &str) -> Result<(), String> {
        let (title, names) = match rest.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"').ok_or("the title has no end")?,
            None => rest.split_once(char::is_whitespace).unwrap_or((rest, "")),
        };
        if title.is_empty() {
            return Err("/group TITLE NAME…".to_owned());
        }
        let mut members = Vec::new();
        for name in names.split_whitespace() {
            members.push(self.find(name).await?);
        }
        let group = conversation(ConversationKind::Group, members, Some(title.to_owned()));
        let info = self.rest.create_conversation(&group).await.map_err(said)?;
        self.go_to(info.id).await
    }

    async fn list(&mut self) -> Result<(), String> {
        let page = self.rest.conversations(&Paging::default()).await.map_err(said)?;
        for item in &page.items {
            let title = self.title(item.head.id).await;
            let open = if self.open == Some(item.head.id) { "›" } else { " " };
            let unread = match (item.head.unread, item.head.mentions) {
                (0, _) => String::new(),
                (unread, 0) => format!("  {unread} unread"),
                (unread, mentions) => format!("  {unread} unread, {mentions} with your name"),
            };
            self.screen.line(&Line::of(open).and(" ").and(&title).and(&unread));
        }
        for damaged in &page.damaged {
            let title = damaged.title.as_deref().and_then(called).unwrap_or_else(|| "a conversation".to_owned());
            self.screen.fault(&format!("  {title} is damaged on the server; its operator can repair it"));
        }
        match (page.items.is_empty(), page.next_cursor) {
            (true, _) => self.screen.note("nothing yet; /open NAME"),
            (false, Some(_)) => self.screen.note("  … and older ones"),
            (false, None) => {}
        }
        Ok(())
    }

    async fn who(&mut self) -> Result<(), String> {
        let id = self.opened()?;
        let page = self.rest.participants(id, &Paging::default()).await.map_err(said)?;
        for participant in page.items {
            let user = participant.member.user;
            let presence = self.rest.presence(user).await.map_err(said)?;
            let name = self.shown(user).await;
            let role = format!("{:?}", participant.member.role).to_lowercase();
            let there = match (presence.state, presence.last_seen) {
                (PresenceState::Online, _) => "online".to_owned(),
                (PresenceState::Offline, Some(at)) => {
                    format!("last seen {}", self.screen.clock(at))
                }
                (PresenceState::Offline, None) => "offline".to_owned(),
            };
            self.screen.line(&Line::of("  ").then(&name).and("  ").and(&role).and(", ").and(&there));
        }
        if page.next_cursor.is_some() {
            self.screen.note("  … and more");
        }
        Ok(())
    }

    async fn history(&mut self, count: &str) -> Result<(), String> {
        let id = self.opened()?;
        let count = if count.is_empty() { Ok(HISTORY) } else { count.parse() };
        let count = count.map_err(|_| "/history takes a number")?.clamp(1, PAGE_ITEMS as u32);
        let messages = self.rest.messages(id, Place::End, Some(count)).await.map_err(said)?;
        for message in messages.items {
            self.old(&message).await;
        }
        Ok(())
    }

    /// A message of the history, as it stands now.
    async fn old(&mut self, message: &Message) {
        let Body::Message(text) = &message.entry.body else {
            if message.deleted {
                let who = self.shown(message.entry.sender).await;
                self.screen.timed(message.entry.time(), &who.and(": (deleted)"));
            }
            return;
        };
        let who = self.shown(message.entry.sender).await;
        let edited = if message.edited_at.is_some() { " (edited)" } else { "" };
        let mut line = who.and(": ").and(&text.text).and(edited);
        for reaction in &message.reactions {
            line = line.and(" ").and(&reaction.emoji).and(&reaction.users.len().to_string());
        }
        self.screen.timed(message.entry.time(), &line);
    }

    async fn edit(&mut self, text: &str) -> Result<(), String> {
        if text.is_empty() {
            return Err("/edit to what?".to_owned());
        }
        let last = self.last(true).await?;
        let edit = EditMessage { text: text.to_owned(), mentions: Vec::new() };
        self.rest.edit(last.entry.id, &edit).await.map(drop).map_err(said)
    }

    async fn delete(&mut self) -> Result<(), String> {
        let last = self.last(true).await?;
        self.rest.delete(last.entry.id).await.map_err(said)
    }

    async fn react(&mut self, emoji: &str) -> Result<(), String> {
        if emoji.is_empty() {
            return Err("/react with what?".to_owned());
        }
        let last = self.last(false).await?;
        self.rest.react(last.entry.id, emoji).await.map_err(said)
    }

    /// The last message of one's own, or of somebody else, in the open conversation.
    async fn last(&self, own: bool) -> Result<Message, String> {
        let (id, me) = (self.opened()?, self.me);
        let messages = self.client.look(move |timeline| timeline.messages(id)).await;
        let messages = messages.map_err(|refused| refused.to_string())?;
        let fits =
            |message: &Message| matches!(message.entry.body, Body::Message(_)) && (message.entry.sender == me) == own;
        messages.into_iter().rev().find(fits).ok_or_else(|| "there is no such message".to_owned())
    }

    async fn report(&mut self, why: &str) -> Result<(), String> {
        let last = self.last(false).await?;
        let reason = Some(why.to_owned()).filter(|why| !why.is_empty());
        let report = NewReport {
            user: Some(last.entry.sender),
            conversation: Some(last.entry.conversation),
            messages: vec![last.entry.id],
            reason,
        };
        self.rest.report(&report).await.map_err(said)?;
        self.screen.note("— reported to who runs the server");
        Ok(())
    }

    async fn leave(&mut self) -> Result<(), String> {
        let id = self.opened()?;
        if self.room(id).direct {
            return Err("a conversation of two cannot be left".to_owned());
        }
        self.rest.remove_participant(id, self.me).await.map_err(said)
    }
}

fn conversation(kind: ConversationKind, members: Vec<UserId>, title: Option<String>) -> NewConversation {
    NewConversation { kind, members, title, expire_after_s: None, encryption: None }
}

#[expect(clippy::needless_pass_by_value, reason = "it stands in map_err")]
pub(crate) fn said(error: Error) -> String {
    error.to_string()
}
