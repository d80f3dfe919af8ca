//! Messages, from frames (RFC 6455, section 5.4).

use std::borrow::Cow;

use super::{Frame, Kind, Violation};

/// What a client says in its last frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Close<'a> {
    /// Why; one that may be sent back to it.
    pub code: u16,
    /// Why, for a person.
    pub reason: &'a str,
}

/// What one or more frames amount to.
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
    /// The fragments so far.
    partial: Option<Vec<u8>>,
}

impl Assembler {
    /// Bytes that the next data frame may have, where a message may have `max_message`: what [`super::decode`] is called with.
    pub fn room(&self, max_message: usize) -> usize {
        max_message.saturating_sub(self.partial.as_ref().map_or(0, Vec::len))
    }

    /// Whether a message is under way.
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
            (Kind::Text | Kind::Continuation, _) if payload.len() > self.room(max_message) => {
                Err(Violation::TooBig)
            }
            (Kind::Text, None) if frame.fin => {
                let text = std::str::from_utf8(payload).map_err(|_| Violation::NotUtf8)?;
                Ok(Some(Event::Text(Cow::Borrowed(text))))
            }
            (Kind::Text | Kind::Continuation, _) => {
                let mut partial = self.partial.take().unwrap_or_default();
                extend(&mut partial, payload, max_message);
                if !frame.fin {
                    self.partial = Some(partial);
                    return Ok(None);
                }
                let text = String::from_utf8(partial).map_err(|_| Violation::NotUtf8)?;
                Ok(Some(Event::Text(Cow::Owned(text))))
            }
        }
    }
}

/// Appends, growing by doubling as a [`Vec`] does, but not past the longest message.
fn extend(partial: &mut Vec<u8>, payload: &[u8], max_message: usize) {
    let length = partial.len() + payload.len();
    if length > partial.capacity() {
        let capacity = (2 * partial.capacity()).clamp(length, max_message);
        partial.reserve_exact(capacity - partial.len());
    }
    partial.extend_from_slice(payload);
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
