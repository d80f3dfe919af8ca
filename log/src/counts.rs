//! The running totals of a log.

use kith_protocol::entry::RedactedKind;
use serde::{Deserialize, Serialize};

use crate::Content;

/// Running totals of a log up to and including an entry: what makes an unread count a subtraction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Counts {
    /// Entries that are [`Content::counted`], those redacted since included.
    pub messages: u64,
    /// The number of them that mention somebody.
    pub mentioning: u64,
    /// The seq of the last entry that changed the conversation or its members.
    pub rev: u64,
}

impl Counts {
    /// The totals up to and including the entry `seq`, which follows on these. Of a redacted message it is not known
    /// whether it mentioned somebody: here it did not.
    #[must_use]
    pub fn with(self, seq: u64, content: &Content<'_>) -> Counts {
        Counts {
            messages: self.messages + u64::from(content.counted()),
            mentioning: self.mentioning + u64::from(content.counted() && !content.mentions().is_empty()),
            rev: if content.changes() { seq } else { self.rev },
        }
    }

    /// Returns true where these may be the totals up to and including the entry `seq` behind `before`.
    pub fn follow(self, before: Counts, seq: u64, content: &Content<'_>) -> bool {
        let expected = before.with(seq, content);
        let mentioned = Counts { mentioning: expected.mentioning + 1, ..expected };
        match content {
            Content::Redacted(RedactedKind::Message) => self == expected || self == mentioned,
            // Nobody here knows how a later version counts its own.
            Content::Unknown | Content::Redacted(RedactedKind::Unknown) => {
                self.messages >= before.messages && self.mentioning >= before.mentioning
            }
            _ => self == expected,
        }
    }
}
