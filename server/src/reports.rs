//! Reports: what a user tells the operator of a person, a conversation, or chosen messages as they saw them.

use std::{collections::HashMap, sync::Arc, time::Duration};

use kith_protocol::{
    Body, Code, MessageId, ReportId, Timestamp, UserId,
    rest::{NewReport, ReportMade},
};
use serde::{Deserialize, Serialize};

use crate::{
    Error,
    account::Accounts,
    clock,
    conversation::Conversations,
    limits,
    store::{
        Change, Direction, Store, StoreExt as _,
        schema::{self, Report, ReportedMessage, Value},
    },
};

/// The reports of users.
pub struct Reports {
    store: Arc<dyn Store>,
    accounts: Arc<Accounts>,
    conversations: Conversations,
}

/// A report in the operator's list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportLine {
    /// Its name.
    pub id: ReportId,
    /// The time at which it was made.
    pub at: Timestamp,
    /// The username of who made it.
    pub by: String,
    /// The username of the user whom it is about, or of who wrote its first message.
    pub about: Option<String>,
    /// The number of messages that it shows.
    pub messages: usize,
    /// The reason, in the words of who made it.
    pub reason: String,
}

/// A report as the operator reads it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportText {
    /// Its line in the list.
    pub line: ReportLine,
    /// The conversation that it is about.
    pub conversation: Option<String>,
    /// The reported messages: when, by whom, and what they say.
    pub shown: Vec<(Timestamp, String, String)>,
}

impl Reports {
    /// Opens the reports that `store` keeps.
    pub fn new(store: Arc<dyn Store>, accounts: Arc<Accounts>, conversations: Conversations) -> Self {
        Self { store, accounts, conversations }
    }

    /// Takes a report. The texts of its messages are kept as they stand now, whatever becomes of them.
    ///
    /// # Errors
    /// The field that is not valid, or names what the reporter may not see; `rate_limited` until the next day.
    pub async fn make(&self, by: UserId, new: NewReport) -> Result<ReportMade, Error> {
        let reason = new.reason.unwrap_or_default();
        if reason.chars().count() > limits::REPORT_REASON_CHARS {
            return Err(Error::field("/reason", format!("{} characters at most", limits::REPORT_REASON_CHARS)));
        }
        if new.messages.len() > limits::REPORT_MESSAGES {
            return Err(Error::field("/messages", format!("{} messages at most", limits::REPORT_MESSAGES)));
        }
        if new.user.is_none() && new.conversation.is_none() && new.messages.is_empty() {
            return Err(Error::field("", "a report names a user, a conversation or messages"));
        }
        if let Some(user) = new.user
            && (user == by || !self.accounts.card(user).await?.exists)
        {
            return Err(Error::field("/user", "there is no such user"));
        }
        if let Some(conversation) = new.conversation
            && let Err(error) = self.conversations.info(by, conversation).await
        {
            return Err(not_seen(error, "/conversation"));
        }
        let mut messages = Vec::with_capacity(new.messages.len());
        for (index, id) in new.messages.into_iter().enumerate() {
            let seen = self.seen(by, id).await;
            messages.push(seen.map_err(|error| not_seen(error, &format!("/messages/{index}")))?);
        }
        self.conversations.count_report(by).await?;
        let id = ReportId::new(clock::uuid());
        let report = Report { by, at: clock::now(), user: new.user, conversation: new.conversation, reason, messages };
        self.keep(id, report).await?;
        tracing::info!(report = %id, "a report waits for the operator");
        Ok(ReportMade { id })
    }

    /// A message as the reporter sees it.
    async fn seen(&self, by: UserId, id: MessageId) -> Result<ReportedMessage, Error> {
        let message = self.conversations.shown(by, id).await?.ok_or(Error::new(Code::NotFound))?;
        let at = message.entry.time();
        let Body::Message(body) = message.entry.body else { return Err(Error::new(Code::NotFound)) };
        let text = cut(body.text, limits::REPORT_TEXT_BYTES);
        Ok(ReportedMessage {
            conversation: id.conversation,
            seq: id.seq,
            sender: message.entry.sender,
            at,
            text,
            attachments: body.attachments.iter().map(|media| media.id).collect(),
        })
    }

    /// Keeps a report. Beyond [`limits::REPORTS`] the oldest of who made the most of them makes room.
    async fn keep(&self, id: ReportId, report: Report) -> Result<(), Error> {
        let mut changes = vec![
            Change::Put(schema::report::made(id, report.by), Default::default()),
            Change::Put(schema::report::row(id).key, report.encode()),
        ];
        let waiting = self.waiting().await?;
        if waiting.len() >= limits::REPORTS {
            let mut counts: HashMap<UserId, usize> = HashMap::from([(report.by, 1)]);
            waiting.iter().for_each(|(_, by)| *counts.entry(*by).or_default() += 1);
            let most = waiting.iter().map(|(_, by)| counts[by]).max().unwrap_or_default();
            // They are in the order of time.
            let oldest = waiting.iter().find(|(_, by)| counts[by] == most);
            changes.extend(oldest.into_iter().flat_map(|(id, by)| forgotten(*id, *by)));
        }
        self.store.change(schema::report::partition(), changes).await?;
        Ok(())
    }

    /// The names of all reports and of who made them, the oldest first.
    async fn waiting(&self) -> Result<Vec<(ReportId, UserId)>, Error> {
        let mut waiting = Vec::new();
        let mut range = schema::report::all_made();
        loop {
            let scan =
                self.store.scan(schema::report::partition(), range.clone(), Direction::Ascending, limits::SCAN_ROWS);
            let rows = scan.await?;
            for row in &rows {
                waiting.push(schema::report::made_of(&row.key)?);
            }
            match rows.last() {
                Some(last) if rows.len() == limits::SCAN_ROWS => {
                    range.from = schema::behind(&last.key);
                }
                _ => return Ok(waiting),
            }
        }
    }

    /// All reports, the oldest first; without what they show.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn list(&self) -> Result<Vec<ReportLine>, Error> {
        let mut lines = Vec::new();
        for (id, _) in self.waiting().await? {
            match self.find(id).await {
                Ok(Some(report)) => lines.push(self.line(id, &report).await?),
                Ok(None) => {}
                Err(error) if error.damaged => {}
                Err(error) => return Err(error),
            }
        }
        Ok(lines)
    }

    /// One report, with what it shows.
    ///
    /// # Errors
    /// `not_found` where there is none of this name.
    pub async fn show(&self, id: ReportId) -> Result<ReportText, Error> {
        let report = self.find(id).await?.ok_or(Error::new(Code::NotFound))?;
        let mut shown = Vec::with_capacity(report.messages.len());
        for message in &report.messages {
            let mut text = message.text.clone();
            for media in &message.attachments {
                text.push_str(&format!(" [{media}]"));
            }
            shown.push((message.at, self.name(message.sender).await?, text));
        }
        let first = report.messages.first().map(|message| message.conversation);
        let conversation = report.conversation.or(first).map(|id| id.to_string());
        Ok(ReportText { line: self.line(id, &report).await?, conversation, shown })
    }

    /// Forgets a report that the operator has done with.
    ///
    /// # Errors
    /// `not_found` where there is none of this name.
    pub async fn close(&self, id: ReportId) -> Result<(), Error> {
        let report = self.find(id).await?.ok_or(Error::new(Code::NotFound))?;
        self.store.change(schema::report::partition(), forgotten(id, report.by).to_vec()).await?;
        Ok(())
    }

    /// Forgets the reports that nobody has closed for [`limits::REPORT_S`]; how many there were.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn sweep(&self) -> Result<usize, Error> {
        let mut swept = 0;
        for (id, by) in self.waiting().await? {
            let kept = Duration::from_secs(limits::REPORT_S);
            // They are in the order of time.
            match self.find(id).await {
                Ok(Some(report)) if clock::forget_until().since(report.at) <= kept => break,
                Ok(_) => {}
                Err(error) if error.damaged => continue,
                Err(error) => return Err(error),
            }
            self.store.change(schema::report::partition(), forgotten(id, by).to_vec()).await?;
            swept += 1;
        }
        Ok(swept)
    }

    async fn find(&self, id: ReportId) -> Result<Option<Report>, Error> {
        Ok(self.store.value(schema::report::row(id)).await?)
    }

    async fn line(&self, id: ReportId, report: &Report) -> Result<ReportLine, Error> {
        let about = report.user.or(report.messages.first().map(|message| message.sender));
        let about = match about {
            Some(user) => Some(self.name(user).await?),
            None => None,
        };
        let (by, messages) = (self.name(report.by).await?, report.messages.len());
        Ok(ReportLine { id, at: report.at, by, about, messages, reason: report.reason.clone() })
    }

    /// Names a user: the name they sign in with, or their identifier once they are gone, or cannot be read.
    async fn name(&self, user: UserId) -> Result<String, Error> {
        let card = match self.accounts.card(user).await {
            Err(error) if error.damaged => return Ok(user.to_string()),
            card => card?,
        };
        Ok(if card.username.is_empty() { user.to_string() } else { card.username.clone() })
    }
}

fn forgotten(id: ReportId, by: UserId) -> [Change; 2] {
    [Change::Delete(schema::report::row(id).key), Change::Delete(schema::report::made(id, by))]
}

/// Refuses as not found a message that the reporter may not see.
fn not_seen(error: Error, pointer: &str) -> Error {
    match error.code {
        Code::NotFound => Error::field(pointer, "there is no such thing that you may see"),
        _ => error,
    }
}

/// The beginning of a text, of so many bytes at most.
fn cut(mut text: String, bytes: usize) -> String {
    let end = (0..=bytes.min(text.len())).rev().find(|end| text.is_char_boundary(*end));
    text.truncate(end.unwrap_or(0));
    text
}
