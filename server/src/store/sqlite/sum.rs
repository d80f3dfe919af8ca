//! Checksums. A row in which the disk has flipped a bit decodes well now and then, and would be served as true.
//!
//! Each row of `entries`, `rows` and `ids` has one in a column of its own: the CRC-32 of IEEE 802.3, which finds every
//! flipped bit and every burst of 32, over the row's name as well as its value, so that a row which is found under another
//! name is found out too. A row from before there were checksums has 0, and is read unchecked until it is next written.

use kith_protocol::{ConversationId, Uuid};

/// The first version of a directory whose rows have checksums.
pub(super) const SINCE: u32 = 3;

/// The tables whose rows have them.
pub(super) const TABLES: [&str; 3] = ["entries", "rows", "ids"];

/// Bytes of the longest row in which a flipped bit is looked for: as many times as it has bits, all are added up.
const MENDED_BYTES: usize = 4096;

/// The mark of a row that was written before there were checksums.
const NONE: i64 = 0;

/// The checksum of an entry.
pub(super) fn of_entry(log: ConversationId, seq: u64, data: &[u8]) -> i64 {
    sum(&[&log.bytes(), &seq.to_be_bytes(), data])
}

/// The checksum of a row, by its key in the table.
pub(super) fn of_row(key: &[u8], value: &[u8]) -> i64 {
    sum(&[&key.len().to_be_bytes(), key, value])
}

/// The checksum of the number of an identifier.
pub(super) fn of_id(id: i64, uuid: Uuid) -> i64 {
    sum(&[&id.to_be_bytes(), uuid.as_bytes()])
}

/// Returns true if the checksum of a row allows it to be read.
pub(super) fn holds(kept: i64, sum: i64) -> bool {
    kept == NONE || kept == sum
}

/// Returns true for a row without a checksum.
pub(super) fn is_none(kept: i64) -> bool {
    kept == NONE
}

/// The bytes from which what is there differs by one flipped bit, where the checksum says so; itself, where that is all
/// that was hit. A checksum of 32 bits is met by chance, among so few bits, once in a hundred thousand damaged rows.
pub(super) fn one_bit_back(bytes: &[u8], kept: i64, of: impl Fn(&[u8]) -> i64) -> Option<Vec<u8>> {
    if kept == NONE || bytes.len() > MENDED_BYTES {
        return None;
    }
    let mut bytes = bytes.to_vec();
    if ((kept ^ of(&bytes)) as u32).is_power_of_two() {
        return Some(bytes);
    }
    for bit in 0..8 * bytes.len() {
        bytes[bit / 8] ^= 1 << (bit % 8);
        if of(&bytes) == kept {
            return Some(bytes);
        }
        bytes[bit / 8] ^= 1 << (bit % 8);
    }
    None
}

fn sum(parts: &[&[u8]]) -> i64 {
    let mut hasher = crc32fast::Hasher::new();
    parts.iter().for_each(|part| hasher.update(part));
    // As a signed number it never takes more than four bytes.
    i64::from(hasher.finalize().max(1) as i32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_under_another_name_is_another_row() {
        let log = |byte| ConversationId::from_bytes([byte; 16]);
        let sum = of_entry(log(1), 7, b"{}");
        assert!(holds(sum, of_entry(log(1), 7, b"{}")) && holds(NONE, sum));
        for other in [of_entry(log(2), 7, b"{}"), of_entry(log(1), 8, b"{}"), of_entry(log(1), 7, b"{|")] {
            assert!(!holds(sum, other));
        }
        assert!(!holds(of_row(b"ab", b"c"), of_row(b"a", b"bc")), "where the key ends counts");
        assert!(!holds(of_id(1, Uuid::nil()), of_id(2, Uuid::nil())));
    }

    #[test]
    fn one_flipped_bit_is_found_and_two_are_not_guessed() {
        let of = |bytes: &[u8]| of_row(b"key", bytes);
        let (right, kept) = (b"the words", of(b"the words"));
        for (bit, byte) in [(0, 0), (7, 3), (4, 8)] {
            let mut wrong = right.to_vec();
            wrong[byte] ^= 1 << bit;
            assert_eq!(one_bit_back(&wrong, kept, of).as_deref(), Some(&right[..]));
            wrong[1] ^= 1;
            assert_eq!(one_bit_back(&wrong, kept, of), None);
        }
        assert_eq!(one_bit_back(right, kept ^ 64, of).as_deref(), Some(&right[..]), "the checksum itself");
    }
}
