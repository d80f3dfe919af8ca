//! Cuts a page by the bytes of its items.

use std::io;

use serde::Serialize;

/// Counts what the items of one page take, of which the first is taken whatever its size.
#[derive(Debug, Clone)]
pub struct PageBytes {
    left: usize,
    begun: bool,
    cut: bool,
}

impl PageBytes {
    /// Begins a page of `bytes`.
    pub const fn new(bytes: usize) -> Self {
        Self { left: bytes, begun: false, cut: false }
    }

    /// Returns true if the page takes another item of `bytes`; once it has not, it takes none any more.
    pub const fn takes(&mut self, bytes: usize) -> bool {
        self.cut |= self.begun && bytes > self.left;
        self.begun = true;
        self.left = self.left.saturating_sub(bytes);
        !self.cut
    }

    /// The bytes that are left.
    pub const fn left(&self) -> usize {
        self.left
    }

    /// Returns true once an item was not taken.
    pub const fn is_cut(&self) -> bool {
        self.cut
    }
}

/// Counts the bytes of a value's JSON form without making it.
pub fn json_bytes(value: &impl Serialize) -> usize {
    struct Counter(usize);
    impl io::Write for Counter {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0 += bytes.len();
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut counter = Counter(0);
    serde_json::to_writer(&mut counter, value).expect("what is answered has a JSON form");
    counter.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_has_one_item_at_least_and_none_behind_the_one_that_it_does_not_take() {
        let taken = |bytes, items: &[usize]| {
            let mut page = PageBytes::new(bytes);
            items.iter().map(|item| page.takes(*item)).collect::<Vec<_>>()
        };
        assert_eq!(taken(10, &[4, 6, 1, 0]), [true, true, false, false]);
        assert_eq!(taken(10, &[11, 1]), [true, false]);
        assert_eq!(taken(0, &[0, 0]), [true, true]);
    }

    #[test]
    fn what_is_counted_is_what_is_written() {
        let value = serde_json::json!({ "text": "\u{1}\"ü\n", "items": [1, null] });
        assert_eq!(json_bytes(&value), serde_json::to_vec(&value).unwrap().len());
    }
}
