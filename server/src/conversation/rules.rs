//! The rules by which several keepers of one conversation get along, as a value, so that a test can break each of them and see
//! that its stories notice.

/// The rules of a keeper that finds that it is not alone, or does not know what became of a write. Every program has
/// [`Rules::RIGHT`]; only a test can make others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Rules {
    /// Sends that are proposed again are admitted anew, by what others wrote meanwhile.
    pub admits_anew: bool,
    /// Changes and amendments that are proposed again are judged anew.
    pub judges_anew: bool,
    /// Entries of others are given to everybody before a send behind it is answered.
    pub publishes_first: bool,
    /// After a conflict the log is read, and memory follows it.
    pub catches_up: bool,
    /// After an outcome that is unknown the log is asked.
    pub looks: bool,
    /// An answer from memory is given once the store has confirmed that nobody else has appended.
    pub confirms: bool,
}

impl Rules {
    /// The rules that every program keeps.
    pub const RIGHT: Self = Self {
        admits_anew: true,
        judges_anew: true,
        publishes_first: true,
        catches_up: true,
        looks: true,
        confirms: true,
    };
}
