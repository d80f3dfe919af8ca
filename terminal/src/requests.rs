//! Requests: what strangers began with the person, or added them to, and waits for an answer.

use kith_protocol::{
    Body, ConversationId,
    entry::ConversationKind,
    rest::{ConversationItem, RequestAnswer},
};

use crate::{chat::Chat, commands::said, screen::Line};

/// Characters of a request's last message that are shown.
const GLIMPSE: usize = 120;

impl Chat {
    /// Lists the requests, with the numbers by which they are answered.
    pub(crate) async fn requests(&mut self) -> Result<(), String> {
        let page = self.rest.requests().await.map_err(said)?;
        self.asked = page.items.iter().map(|item| item.head.id).collect();
        for (index, item) in page.items.iter().enumerate() {
            let line = self.request(item).await;
            self.screen.line(&Line::of(&format!("{:>3}  ", index + 1)).then(&line));
        }
        match page.items.is_empty() {
            true => self.screen.note("no requests"),
            false => self.screen.note("/accept N, /decline N or /block N; nobody sees that you have looked"),
        }
        Ok(())
    }

    /// Says how many requests came while the person was away. Where the server does not tell, nothing waits.
    pub(crate) async fn note_requests(&mut self) {
        let waiting = self.rest.requests().await.map_or(0, |page| page.items.len());
        self.note_waiting(waiting);
    }

    /// Says how many requests wait.
    pub(crate) fn note_waiting(&self, waiting: usize) {
        match waiting {
            0 => {}
            1 => self.screen.note("— a request waits for your answer; /requests"),
            _ => self.screen.note(&format!("— {waiting} requests wait for your answer; /requests")),
        }
    }

    async fn request(&mut self, item: &ConversationItem) -> Line {
        let from = match item.request {
            Some(request) => self.shown(request.from).await,
            None => Line::of("somebody"),
        };
        let said = match &item.last.body {
            Body::Message(text) => text.text.chars().take(GLIMPSE).collect(),
            _ => String::new(),
        };
        match (item.kind, &item.title) {
            (ConversationKind::Direct, _) => from.and(": ").and(&said),
            (_, Some(title)) => from.and(" added you to ").then(&self.screen.title(title)).and(" ").and(&said),
            (_, None) => from.and(" added you to a group ").and(&said),
        }
    }

    /// Answers the request with this number.
    pub(crate) async fn answer(&mut self, number: &str, answer: RequestAnswer) -> Result<(), String> {
        let id = self.asked_for(number)?;
        self.rest.answer_request(id, answer).await.map_err(said)?;
        // Its number is not given to another before they are listed again.
        self.screen.note(match answer {
            RequestAnswer::Accepted => "— accepted; it is in your /list",
            RequestAnswer::Declined => "— declined",
            RequestAnswer::Blocked => "— declined, and its sender is blocked",
        });
        Ok(())
    }

    fn asked_for(&self, number: &str) -> Result<ConversationId, String> {
        let index = number.parse::<usize>().ok().and_then(|number| number.checked_sub(1));
        let id = index.and_then(|index| self.asked.get(index));
        id.copied().ok_or_else(|| "there is no such number in /requests".to_owned())
    }
}
