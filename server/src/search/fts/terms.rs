//! The terms and the row numbers of the index, which both begin with the number of a conversation.
//!
//! FTS5 keeps for each term the rows that have it. Since a term belongs to one conversation, a search reads the lists of
//! the caller's conversations and no other: its cost does not depend on what is said elsewhere, and says nothing about it.

/// Bits of a row number that are the seq of the message.
const SEQ_BITS: u32 = 32;

/// The row of a message: the number of its conversation above its seq, so that FTS5 walks a conversation from its newest
/// message on. None beyond the 4 billionth entry of a conversation, which is not indexed.
pub(super) fn row(conversation: i64, seq: u64) -> Option<i64> {
    let fits = seq <= last_seq() && (0..1 << (63 - SEQ_BITS)).contains(&conversation);
    fits.then_some(conversation << SEQ_BITS | seq as i64)
}

/// The last seq that a row has room for.
pub(super) fn last_seq() -> u64 {
    u64::from(u32::MAX)
}

/// The number of the conversation of a row.
pub(super) fn conversation_of(row: i64) -> i64 {
    row >> SEQ_BITS
}

/// The seq of the message of a row.
pub(super) fn seq_of(row: i64) -> u64 {
    row as u64 & last_seq()
}

/// The beginning of each term that is a word of a conversation. No word has an underscore in it.
pub(super) fn beginning(conversation: i64) -> String {
    format!("{conversation}_")
}

/// The term of all that a sender wrote in a conversation. No word's term has a hyphen in it.
pub(super) fn sender(conversation: i64, sender: i64) -> String {
    format!("{conversation}-{sender}")
}

/// The terms of a message, given its words with a space between any two.
pub(super) fn indexed(conversation: i64, by: i64, words: &str) -> String {
    let beginning = beginning(conversation);
    let mut terms = sender(conversation, by);
    for word in words.split(' ') {
        terms.push(' ');
        terms.push_str(&beginning);
        terms.push_str(word);
    }
    terms
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_term_belongs_to_one_conversation() {
        assert_eq!(indexed(12, 3, "tea 京都"), "12-3 12_tea 12_京都");
        assert!(!beginning(12).starts_with(&beginning(1)), "that of another is no beginning of it");
    }

    #[test]
    fn rows_follow_the_log_of_a_conversation() {
        let at = row(7, 9).unwrap();
        assert_eq!((conversation_of(at), seq_of(at)), (7, 9));
        assert!(row(6, last_seq()) < row(7, 0) && row(7, 9) < row(7, 10));
        assert_eq!((row(7, last_seq() + 1), row(1 << 31, 1)), (None, None));
    }
}
