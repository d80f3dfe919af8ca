//! Messages, from frames (RFC 6455, section 5.4).

use std::borrow::Cow;

use super::{Frame, Kind, Violation};

/// The close frame of a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Close<'a> {
    /// The close code, one that may be sent back to the client.
    pub code: u16,
    /// The reason, for a person.
    pub reason: &'a str,
}

/// The meaning of one or more frames.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event<'a> {
    /// A whole text, in the caller's buffer where it came in one frame.
    Text(Cow<'a, str>),
    /// To be answered with a pong of the same payload.
    Ping(&'a [u8]),
    /// The answer to a ping, asked for or not.
    Pong,
    /// The client leaves, with or without a word; it is answered with the same code, and nothing after it counts.
    Close(Option<Close<'a>>),
}

/// Puts the fragments of a connection's messages together.
///
/// It owns memory only while a message is under way.
#[derive(Debug, Default)]
pub struct Assembler {
    partial: Option<Box<Partial>>,
}

/// A message of which the last fragment is not there yet.
#[derive(Debug, Default)]
struct Partial {
    text: Vec<u8>,
    /// Bytes of `text` that are known to be UTF-8: all but the beginning of a character at its end.
    checked: usize,
}

impl Assembler {
    /// Bytes that the next data frame may have, where a message may have `max_message`: what [`super::decode`] is called with.
    pub fn room(&self, max_message: usize) -> usize {
        max_message.saturating_sub(self.partial.as_ref().map_or(0, |partial| partial.text.len()))
    }

    /// Returns true if no message is under way, and so no memory is held.
    pub const fn is_idle(&self) -> bool {
        self.partial.is_none()
    }

    /// Takes the next frame, which [`super::decode`] found, with its unmasked payload.
    /// None where the message has further fragments.
    ///
    /// # Errors
    /// [`Violation`]; the connection cannot go on.
    pub fn take<'a>(
        &mut self,
        frame: &Frame,
        payload: &'a [u8],
        max_message: usize,
    ) -> Result<Option<Event<'a>>, Violation> {
        match (frame.kind, &self.partial) {
            (Kind::Ping, _) => Ok(Some(Event::Ping(payload))),
            (Kind::Pong, _) => Ok(Some(Event::Pong)),
            (Kind::Close, _) => close(payload).map(|close| Some(Event::Close(close))),
            (Kind::Text, Some(_)) | (Kind::Continuation, None) => Err(Violation::Sequence),
            (Kind::Text | Kind::Continuation, _) if payload.len() > self.room(max_message) => Err(Violation::TooBig),
            (Kind::Text, None) if frame.fin => {
                let text = std::str::from_utf8(payload).map_err(|_| Violation::NotUtf8)?;
                Ok(Some(Event::Text(Cow::Borrowed(text))))
            }
            (Kind::Text | Kind::Continuation, _) => {
                let mut partial = self.partial.take().unwrap_or_default();
                partial.extend(payload, max_message);
                if frame.fin {
                    let text = String::from_utf8(partial.text).map_err(|_| Violation::NotUtf8)?;
                    return Ok(Some(Event::Text(Cow::Owned(text))));
                }
                partial.check()?;
                self.partial = Some(partial);
                Ok(None)
            }
        }
    }
}

impl Partial {
    /// Appends, growing by doubling as a [`Vec`] does, but not past the longest message.
    fn extend(&mut self, payload: &[u8], max_message: usize) {
        let length = self.text.len() + payload.len();
        if length > self.text.capacity() {
            let capacity = (2 * self.text.capacity()).clamp(length, max_message);
            self.text.reserve_exact(capacity - self.text.len());
        }
        self.text.extend_from_slice(payload);
    }

    /// Refuses what no further fragment can make UTF-8, so that it is not kept until the last one.
    fn check(&mut self) -> Result<(), Violation> {
        match std::str::from_utf8(&self.text[self.checked..]) {
            Ok(text) => self.checked += text.len(),
            Err(error) if error.error_len().is_none() => self.checked += error.valid_up_to(),
            Err(_) => return Err(Violation::NotUtf8),
        }
        Ok(())
    }
}

fn close(payload: &[u8]) -> Result<Option<Close<'_>>, Violation> {
    let Some((code, reason)) = payload.split_first_chunk() else {
        return if payload.is_empty() { Ok(None) } else { Err(Violation::Close) };
    };
    let code = u16::from_be_bytes(*code);
    // Those that are defined and may stand in a frame (section 7.4.1 and its registry), and those for libraries and applications.
    if !matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999) {
        return Err(Violation::Close);
    }
    let reason = std::str::from_utf8(reason).map_err(|_| Violation::Close)?;
    Ok(Some(Close { code, reason }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fragment(kind: Kind, fin: bool) -> Frame {
        Frame { kind, fin, payload: 0..0, consumed: 0 }
    }

    #[test]
    fn an_idle_assembler_is_small() {
        assert!(size_of::<Assembler>() <= 32, "{} bytes", size_of::<Assembler>());
        assert!(Assembler::default().is_idle());
    }

    #[test]
    fn a_message_in_single_bytes_takes_no_more_than_a_message_may_have() {
        let max = 1000;
        let mut assembler = Assembler::default();
        assembler.take(&fragment(Kind::Text, false), b"", max).unwrap();
        for sent in 1..=max {
            assert_eq!(assembler.take(&fragment(Kind::Continuation, false), b"a", max), Ok(None));
            assert_eq!(assembler.room(max), max - sent);
            let partial = assembler.partial.as_ref().unwrap();
            assert!(partial.text.capacity() <= max, "{} bytes after {sent}", partial.text.capacity());
        }
        assert_eq!(assembler.take(&fragment(Kind::Continuation, true), b"a", max), Err(Violation::TooBig));
    }

    #[test]
    fn half_a_character_may_wait_for_its_other_half_but_nonsense_may_not_wait() {
        let mut assembler = Assembler::default();
        assert_eq!(assembler.take(&fragment(Kind::Text, false), b"gr\xc3", 9), Ok(None));
        let whole = assembler.take(&fragment(Kind::Continuation, true), b"\xbcn", 9);
        assert_eq!(whole, Ok(Some(Event::Text("gr\u{fc}n".into()))));
        assert!(assembler.is_idle());

        assert_eq!(assembler.take(&fragment(Kind::Text, false), b"gr\xc3", 9), Ok(None));
        assert_eq!(assembler.take(&fragment(Kind::Continuation, false), b"n", 9), Err(Violation::NotUtf8));
        assert!(assembler.is_idle());
        assert_eq!(assembler.take(&fragment(Kind::Text, true), b"gr\xc3", 9), Err(Violation::NotUtf8));
    }
}
