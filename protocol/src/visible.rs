//! Texts that show: names, titles and file names that are seen, and that turn no other text around.
//!
//! The web client has the same rules (`web/src/core/words.ts`); both pass the vectors in `protocol/vectors/words.json`.

use std::borrow::Cow;

use icu_properties::props::{
    BidiClass, BinaryProperty, DefaultIgnorableCodePoint, EnumeratedProperty, GeneralCategory, GeneralCategoryGroup,
    WhiteSpace,
};

const LRI: char = '\u{2066}';
const FSI: char = '\u{2068}';
const PDI: char = '\u{2069}';
const LRE: char = '\u{202a}';
const RLE: char = '\u{202b}';
const PDF: char = '\u{202c}';
const LRO: char = '\u{202d}';
const RLO: char = '\u{202e}';

/// Returns true for a text with at least one grapheme that is seen.
pub fn is_visible(text: &str) -> bool {
    text.chars().any(shows)
}

/// Returns true for a character that is seen by itself: no space, control, format character or mark, and no letter that is
/// drawn as nothing.
fn shows(char: char) -> bool {
    let category = GeneralCategory::for_char(char);
    !GeneralCategoryGroup::Mark.contains(category)
        && !matches!(category, GeneralCategory::Control | GeneralCategory::Format)
        && !WhiteSpace::for_char(char)
        && !is_blank(char)
}

/// Returns true for a character that is drawn as nothing: the ignorable ones, the blank of Braille, the null note, and
/// the marks of interlinear annotations.
fn is_blank(char: char) -> bool {
    DefaultIgnorableCodePoint::for_char(char) || matches!(char, '\u{2800}' | '\u{1d159}' | '\u{fff9}'..='\u{fffb}')
}

/// Returns true for a character that has no place in a line of text: the controls, and the separators of lines.
pub fn is_control(char: char) -> bool {
    char.is_control() || matches!(char, '\u{2028}' | '\u{2029}')
}

/// Returns true for a text that closes in each line every embedding, override and isolate (UAX #9) that it opens there, and
/// no other.
pub fn is_balanced(text: &str) -> bool {
    matches!(closed(text), Cow::Borrowed(_))
}

/// Returns the text with its bidi controls balanced: those that close nothing are left out, those that are missing are put
/// at the end of their line.
pub fn closed(text: &str) -> Cow<'_, str> {
    if !text.contains(is_bidi_control) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut open = Vec::new();
    for char in text.chars() {
        match char {
            LRE | RLE | LRO | RLO => open.push(PDF),
            LRI..=FSI => open.push(PDI),
            PDF if open.last() == Some(&PDF) => drop(open.pop()),
            PDI if open.contains(&PDI) => {
                while open.pop_if(|closer| *closer == PDF).is_some() {
                    out.push(PDF);
                }
                open.pop();
            }
            PDF | PDI => continue,
            '\n' => out.extend(open.drain(..).rev()),
            _ => {}
        }
        out.push(char);
    }
    out.extend(open.drain(..).rev());
    if out == text { Cow::Borrowed(text) } else { Cow::Owned(out) }
}

fn is_bidi_control(char: char) -> bool {
    matches!(char, LRE..=RLO | LRI..=PDI)
}

/// Returns a line as it may stand within another: balanced, and in an isolate (FSI … PDI) where it may run from right to
/// left.
pub fn isolated(line: &str) -> Cow<'_, str> {
    let turns = |char: char| {
        is_bidi_control(char) || matches!(BidiClass::for_char(char), BidiClass::RightToLeft | BidiClass::ArabicLetter)
    };
    if line.contains(turns) { Cow::Owned(format!("{FSI}{}{PDI}", closed(line))) } else { Cow::Borrowed(line) }
}

/// Returns a stored name or title as it may be shown: in one line, with its bidi controls balanced; nothing where it would
/// not be seen.
pub fn name(text: &str) -> Option<String> {
    let line: String = text.chars().filter(|char| !is_control(*char)).collect();
    is_visible(&line).then(|| closed(&line).into_owned())
}

/// Returns the name of a file without what is not seen: controls, bidi controls and blank characters. The joiners and the
/// marks of direction (ZWJ, ZWNJ, LRM, RLM) stay, and so do marks, which belong to the character before them. Nothing where
/// nothing is seen.
pub fn file_name(name: &str) -> Option<String> {
    let stays = |char: &char| {
        matches!(char, '\u{200c}'..='\u{200f}')
            || GeneralCategoryGroup::Mark.contains(GeneralCategory::for_char(*char))
            || !(is_control(*char) || is_blank(*char))
    };
    let name: String = name.chars().filter(stays).collect();
    is_visible(&name).then_some(name)
}

#[cfg(test)]
pub(crate) mod tests {
    use serde::Deserialize;

    use super::*;

    /// Texts and what the rules make of them, which the web client must make of them too.
    #[derive(Deserialize)]
    pub(crate) struct Vectors {
        /// A text, and its fully qualified form if it is one emoji.
        pub emoji: Vec<[Option<String>; 2]>,
        visible: Vec<String>,
        invisible: Vec<String>,
        /// A text, and its balanced form.
        closed: Vec<[String; 2]>,
        /// A stored name, and how it is shown.
        names: Vec<[Option<String>; 2]>,
        /// The name of a file, and what is kept of it.
        files: Vec<[Option<String>; 2]>,
    }

    pub(crate) fn vectors() -> Vectors {
        serde_json::from_str(include_str!("../vectors/words.json")).expect("vectors")
    }

    #[test]
    fn a_text_is_seen_or_not() {
        let vectors = vectors();
        for text in vectors.visible {
            assert!(is_visible(&text), "{}", text.escape_unicode());
        }
        for text in vectors.invisible {
            assert!(!is_visible(&text), "{}", text.escape_unicode());
        }
    }

    #[test]
    fn what_turns_a_text_around_ends_in_its_line() {
        for [given, expected] in vectors().closed {
            assert_eq!(closed(&given), expected, "{}", given.escape_unicode());
            assert_eq!(is_balanced(&given), given == expected);
            assert!(is_balanced(&expected));
        }
    }

    #[test]
    fn a_stored_name_is_shown_safely() {
        for [given, expected] in vectors().names {
            assert_eq!(name(&given.expect("a name")), expected);
        }
    }

    #[test]
    fn the_name_of_a_file_loses_what_is_not_seen() {
        for [given, expected] in vectors().files {
            assert_eq!(file_name(&given.expect("a name")), expected);
        }
    }
}
