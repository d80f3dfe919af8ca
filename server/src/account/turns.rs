//! Fair queues: who waits for their turn, and whose turn is next.

use std::collections::VecDeque;

/// A queue that is fair between its kinds of clients.
pub trait Line: Default {
    /// One who waits.
    type Item;

    /// Takes the one whose turn it is.
    fn next(&mut self) -> Option<Self::Item>;

    /// Takes the newest of those who have most waiting, to make room.
    fn shed(&mut self) -> Option<Self::Item>;

    /// Keeps those only for whom `keep` holds.
    fn retain(&mut self, keep: &mut impl FnMut(&Self::Item) -> bool);

    /// Returns how many wait.
    fn len(&self) -> usize;
}

/// First in, first out.
impl<T> Line for VecDeque<T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        self.pop_front()
    }

    fn shed(&mut self) -> Option<T> {
        self.pop_back()
    }

    fn retain(&mut self, keep: &mut impl FnMut(&T) -> bool) {
        self.retain(|item| keep(item));
    }

    fn len(&self) -> usize {
        self.len()
    }
}

/// A round robin: keys take turns, each with its own line. Keys are found by looking at all of them, which is right for
/// some hundreds.
pub struct Turns<K, L> {
    order: VecDeque<(K, L)>,
}

impl<K, L> Default for Turns<K, L> {
    fn default() -> Self {
        Self { order: VecDeque::new() }
    }
}

impl<K: PartialEq, L: Line> Turns<K, L> {
    /// Returns the line of a key. A new key comes after all others.
    pub fn of(&mut self, key: K) -> &mut L {
        let at = self.order.iter().position(|(known, _)| *known == key).unwrap_or_else(|| {
            self.order.push_back((key, L::default()));
            self.order.len() - 1
        });
        &mut self.order[at].1
    }
}

impl<K, L: Line> Line for Turns<K, L> {
    type Item = L::Item;

    fn next(&mut self) -> Option<L::Item> {
        let (key, mut line) = self.order.pop_front()?;
        let item = line.next();
        if line.len() > 0 {
            self.order.push_back((key, line));
        }
        item
    }

    fn shed(&mut self) -> Option<L::Item> {
        let (at, _) = self.order.iter().enumerate().max_by_key(|(_, (_, line))| line.len())?;
        let item = self.order[at].1.shed();
        if self.order[at].1.len() == 0 {
            self.order.remove(at);
        }
        item
    }

    fn retain(&mut self, keep: &mut impl FnMut(&L::Item) -> bool) {
        self.order.iter_mut().for_each(|(_, line)| line.retain(keep));
        self.order.retain(|(_, line)| line.len() > 0);
    }

    fn len(&self) -> usize {
        self.order.iter().map(|(_, line)| line.len()).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Lines = Turns<&'static str, Turns<u8, VecDeque<u32>>>;

    fn all(mut lines: Lines) -> Vec<u32> {
        std::iter::from_fn(|| lines.next()).collect()
    }

    #[test]
    fn who_has_much_waiting_gets_one_turn_as_everybody_does() {
        let mut lines = Lines::default();
        for number in 0..4 {
            lines.of("much").of(1).push_back(number);
        }
        lines.of("much").of(2).push_back(10);
        lines.of("little").of(1).push_back(20);
        assert_eq!(lines.len(), 6);
        // In a network that has much waiting, its addresses take turns too.
        assert_eq!(all(lines), [0, 20, 10, 1, 2, 3]);
    }

    #[test]
    fn room_is_made_by_who_takes_most() {
        let mut lines = Lines::default();
        for number in 0..3 {
            lines.of("much").of(1).push_back(number);
        }
        lines.of("much").of(2).push_back(10);
        lines.of("little").of(1).push_back(20);
        assert_eq!(lines.shed(), Some(2));
        assert_eq!(lines.shed(), Some(1));
        // Among equals the newest goes.
        lines.shed();
        lines.of("newest").of(1).push_back(30);
        assert_eq!(lines.shed(), Some(30));
        assert_eq!(lines.len(), 2);
    }

    #[test]
    fn who_has_gone_takes_no_turn() {
        let mut lines = Lines::default();
        lines.of("a").of(1).extend([1, 2]);
        lines.of("b").of(1).push_back(3);
        lines.retain(&mut |number| *number == 2);
        assert_eq!(all(lines), [2]);
    }
}
