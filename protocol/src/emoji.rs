//! Emojis as reactions: which texts are one emoji, and which emojis are the same.

use std::ops::RangeInclusive;

use icu_properties::props::{
    BinaryProperty, Emoji, EmojiModifier, EmojiPresentation, ExtendedPictographic, RegionalIndicator,
};

use crate::limits::EMOJI_BYTES;

/// Asks for the picture of the character before it, and changes nothing else.
const PRESENTATION: char = '\u{fe0f}';
const JOINER: char = '\u{200d}';
const KEYCAP: char = '\u{20e3}';
const BLACK_FLAG: char = '\u{1f3f4}';
const TAGS: RangeInclusive<char> = '\u{e0020}'..='\u{e007e}';
const LAST_TAG: char = '\u{e007f}';

/// Returns the fully qualified form (UTS #51, ED-18) of a text that is one emoji, and nothing for any other text.
///
/// An emoji is a flag of two regional indicators, a flag of tags, a keycap, or pictographs (`Extended_Pictographic`), each
/// with a tone of skin where it has one, between zero-width joiners. Each of them is one grapheme cluster.
pub fn qualified(text: &str) -> Option<String> {
    if text.len() > EMOJI_BYTES {
        return None;
    }
    let chars: Vec<char> = text.chars().collect();
    match chars[..] {
        [first, second] if RegionalIndicator::for_char(first) && RegionalIndicator::for_char(second) => {
            Some(text.to_owned())
        }
        [key, KEYCAP] | [key, PRESENTATION, KEYCAP] if key.is_ascii_digit() || matches!(key, '#' | '*') => {
            Some([key, PRESENTATION, KEYCAP].iter().collect())
        }
        [BLACK_FLAG, ref tags @ .., LAST_TAG] if !tags.is_empty() && tags.iter().all(|tag| TAGS.contains(tag)) => {
            Some(text.to_owned())
        }
        _ => {
            let parts: Option<Vec<String>> = chars.split(|char| *char == JOINER).map(pictograph).collect();
            parts.map(|parts| parts.join("\u{200d}"))
        }
    }
}

/// One pictograph, as it is in a fully qualified emoji.
fn pictograph(chars: &[char]) -> Option<String> {
    let (&base, rest) = chars.split_first()?;
    let tone = match rest {
        [] | [PRESENTATION] => None,
        [tone] if EmojiModifier::for_char(*tone) => Some(*tone),
        _ => return None,
    };
    if !ExtendedPictographic::for_char(base) {
        return None;
    }
    let is_text = Emoji::for_char(base) && !EmojiPresentation::for_char(base);
    let mark = tone.or(is_text.then_some(PRESENTATION));
    Some(std::iter::once(base).chain(mark).collect())
}

/// Returns the form in which a reaction shows: fully qualified, or as it was stored before only emojis were taken.
pub fn shown(text: &str) -> String {
    qualified(text).unwrap_or_else(|| text.to_owned())
}

/// Returns true for two forms of one emoji, which differ in U+FE0F at most.
pub fn same(one: &str, other: &str) -> bool {
    let plain = |char: &char| *char != PRESENTATION;
    one.chars().filter(plain).eq(other.chars().filter(plain))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::visible::tests::vectors;

    #[test]
    fn one_emoji_is_qualified_and_anything_else_is_none() {
        for [given, expected] in vectors().emoji {
            let given = given.expect("a text");
            assert_eq!(qualified(&given), expected, "{}", given.escape_unicode());
            if let Some(expected) = expected {
                assert!(same(&given, &expected));
                assert_eq!(qualified(&expected).as_deref(), Some(expected.as_str()), "it is its own form");
            }
        }
        assert_eq!(qualified(&"👍\u{200d}".repeat(20)), None, "too long");
    }

    #[test]
    fn what_is_no_emoji_any_longer_shows_as_it_was_stored() {
        assert_eq!((shown("ok👍"), shown("❤")), ("ok👍".to_owned(), "❤\u{fe0f}".to_owned()));
        assert!(same("❤", "❤\u{fe0f}") && !same("❤", "👍"));
    }
}
