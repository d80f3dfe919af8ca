//! A whole log, folded.

use std::collections::BTreeMap;

use kith_protocol::entry::RedactedKind;

use crate::{Amendment, Content, Entry, State, Wrong};

/// Everything that the entries of a log come to, from the first one on.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Fold {
    /// The state as of the last entry.
    pub state: State,
    /// The amendments of the entries that have any, by their seqs.
    pub amendments: BTreeMap<u64, Amendment>,
}

impl Fold {
    /// Applies the next entry.
    ///
    /// # Errors
    /// [`Wrong`] for one that no log may hold there; it is applied all the same, as every reader does.
    pub fn apply(&mut self, entry: &Entry<'_>) -> Result<(), Wrong> {
        let checked = self.state.check(entry);
        self.state.apply(entry);
        if let Some(target) = entry.content.target() {
            self.amendments.entry(target).or_default().apply(entry);
        }
        if matches!(entry.content, Content::Redacted(RedactedKind::Message)) {
            self.amendments.entry(entry.seq).or_default().deleted = true;
        }
        checked
    }
}
