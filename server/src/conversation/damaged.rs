//! The conversations that cannot be read: each is closed to everybody until the operator has repaired it, and keeps nobody
//! from anything else.
//!
//! They are found to be damaged when they are asked for, and remembered in memory only: a restart finds them again.

use std::{
    collections::{HashMap, HashSet},
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use kith_protocol::ConversationId;
use parking_lot::Mutex;
use tokio::time::Instant;

use super::{Context, Conversations};
use crate::{
    Error, limits,
    store::{self, Head},
};

/// The text for a person who asks for one.
const DETAIL: &str = "This conversation is damaged on the server; its operator can repair it.";

/// The conversations that were found to be damaged, [`limits::CONVERSATIONS_DAMAGED`] at most.
#[derive(Default)]
pub(super) struct Damaged {
    found: Mutex<HashSet<ConversationId>>,
    /// The number of them, for those who ask before every command.
    count: AtomicUsize,
}

impl Damaged {
    pub fn has(&self, conversation: ConversationId) -> bool {
        self.count.load(Ordering::Relaxed) > 0 && self.found.lock().contains(&conversation)
    }

    /// Closes a conversation, and logs why the first time. Returns what those are told who ask for it.
    pub fn close(&self, conversation: ConversationId, why: &str) -> Error {
        let mut found = self.found.lock();
        if found.len() < limits::CONVERSATIONS_DAMAGED && found.insert(conversation) {
            tracing::error!(%conversation, why, "a conversation is damaged: it is closed until `kith repair`");
            self.count.store(found.len(), Ordering::Relaxed);
            metrics::gauge!("kith_damaged_conversations").set(found.len() as f64);
        }
        Self::error()
    }

    /// The error for those who ask for one.
    pub fn error() -> Error {
        Error::damaged(DETAIL)
    }
}

impl Context {
    /// Tells what went wrong with a conversation to those who asked for it. It is closed where it cannot be read.
    pub(super) fn failed(&self, conversation: ConversationId, error: store::Error) -> Error {
        match error {
            store::Error::Corrupt(why) => self.damaged.close(conversation, &why),
            error => error.into(),
        }
    }

    /// The heads of several logs; of one that is damaged there is none, and the conversation is closed.
    pub(super) async fn heads(&self, logs: Vec<ConversationId>) -> Result<Vec<Option<Head>>, store::Error> {
        match self.store.heads(logs.clone()).await {
            Err(store::Error::Corrupt(_)) => {}
            heads => return heads,
        }
        let mut heads = Vec::with_capacity(logs.len());
        for log in logs {
            heads.push(match self.store.heads(vec![log]).await {
                Err(store::Error::Corrupt(why)) => {
                    self.damaged.close(log, &why);
                    None
                }
                head => head?.pop().flatten(),
            });
        }
        Ok(heads)
    }
}

impl Conversations {
    /// Returns true for a conversation that was found to be damaged.
    pub fn is_damaged(&self, conversation: ConversationId) -> bool {
        self.context.damaged.has(conversation)
    }

    /// The heads of several logs; of one that is damaged there is none.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn heads(&self, logs: Vec<ConversationId>) -> Result<Vec<Option<Head>>, store::Error> {
        self.context.heads(logs).await
    }
}

/// Conversations that met damage in work which goes through many: when that is tried again.
#[derive(Debug, Default)]
pub struct Postponed(HashMap<ConversationId, Instant>);

impl Postponed {
    /// Returns true while the conversation is left alone.
    pub fn has(&mut self, conversation: ConversationId, now: Instant) -> bool {
        match self.0.get(&conversation) {
            Some(until) if *until > now => true,
            Some(_) => self.0.remove(&conversation).is_none(),
            None => false,
        }
    }

    /// Leaves a conversation alone for [`limits::DAMAGE_AGAIN_S`].
    pub fn put(&mut self, conversation: ConversationId, now: Instant) {
        if self.0.len() >= limits::CONVERSATIONS_DAMAGED {
            self.0.clear();
        }
        self.0.insert(conversation, now + Duration::from_secs(limits::DAMAGE_AGAIN_S));
    }
}

pub(super) fn describe_metrics() {
    let help = "Conversations that were found to be damaged since the server was started.";
    metrics::describe_gauge!("kith_damaged_conversations", metrics::Unit::Count, help);
    let help = "Reads that met something damaged.";
    metrics::describe_counter!("kith_damaged_reads_total", metrics::Unit::Count, help);
    metrics::gauge!("kith_damaged_conversations").set(0.0);
}
