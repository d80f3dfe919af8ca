//! The text that a person types into a search field, and the places of a text that it finds.
//!
//! Words must all be there, in any order. Words between quotation marks must follow one another. The last word may be the
//! beginning of one, since it may still be being typed, once it has three letters. Nothing else has a meaning, and nothing is wrong.

use std::ops::Range;

use super::words::{Word, words};
use crate::limits;

/// A query of at least one word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    terms: Vec<Term>,
}

/// Words that follow one another.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Term {
    words: Vec<String>,
    /// True where the last of them may be the beginning of a word.
    begins: bool,
    /// True where it ends in a script without spaces,
    spaceless: bool,
    /// and there with one character alone, with which any pair may begin.
    single: bool,
}

/// A text that cannot be looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadQuery {
    /// There is no word in it.
    #[error("expected a word: letters or digits")]
    Empty,
    /// There is too much of it.
    #[error("{} characters and {} words at most", limits::SEARCH_QUERY_CHARS, limits::SEARCH_WORDS)]
    Long,
}

impl Query {
    /// Reads what a person typed.
    ///
    /// # Errors
    /// [`BadQuery`].
    pub fn read(text: &str) -> Result<Self, BadQuery> {
        if text.chars().count() > limits::SEARCH_QUERY_CHARS {
            return Err(BadQuery::Long);
        }
        let mut terms = Vec::new();
        for (index, part) in text.split(['"', '“', '”', '„']).enumerate() {
            let quoted = index % 2 == 1;
            match quoted {
                true => terms.extend(Term::new(part)),
                false => terms.extend(part.split_whitespace().filter_map(Term::new)),
            }
        }
        let quoted_to_the_end = text.trim_end().ends_with(['"', '“', '”']);
        if let Some(last) = terms.last_mut().filter(|_| !quoted_to_the_end) {
            let letters = last.words.last().map_or(0, |word| word.chars().count());
            last.begins |= last.spaceless || letters >= limits::SEARCH_BEGINNING_CHARS;
        }
        match terms.iter().map(|term| term.words.len()).sum::<usize>() {
            0 => Err(BadQuery::Empty),
            words if words > limits::SEARCH_WORDS => Err(BadQuery::Long),
            _ => Ok(Self { terms }),
        }
    }

    /// The same in the language of FTS5, where each word is a term that begins with `beginning`.
    pub fn fts5(&self, beginning: &str) -> String {
        let term = |term: &Term| {
            let words: Vec<_> = term.words.iter().map(|word| format!("{beginning}{word}")).collect();
            format!("\"{}\"{}", words.join(" "), if term.begins { " *" } else { "" })
        };
        self.terms.iter().map(term).collect::<Vec<_>>().join(" AND ")
    }

    /// Ranks a text that has all the words, given in its indexed form: 2 where each is a whole word of it, and 1 more where
    /// they follow one another as in the query.
    pub fn rank(&self, indexed: &str) -> u8 {
        let text: Vec<&str> = indexed.split(' ').collect();
        let whole = |term: &Term| {
            let whole = Term { begins: term.begins && term.single, ..term.clone() };
            (0..text.len()).any(|at| whole.matches(&text[at..]))
        };
        let together = self.terms.len() > 1
            && (0..text.len()).any(|start| {
                let mut at = start;
                self.terms.iter().all(|term| {
                    let matches = text.get(at..).is_some_and(|rest| term.matches(rest));
                    at += term.words.len();
                    matches
                })
            });
        2 * u8::from(self.terms.iter().all(whole)) + u8::from(together)
    }

    /// The places in a text that show why it was found, in bytes, ascending and apart, [`limits::SEARCH_HIGHLIGHTS`] at most;
    /// none where it lacks a word.
    pub fn places(&self, text: &str) -> Vec<Range<usize>> {
        let words = words(text);
        let folded: Vec<&str> = words.iter().map(|word| word.folded.as_str()).collect();
        let mut places = Vec::new();
        for term in &self.terms {
            let before = places.len();
            places
                .extend((0..words.len()).filter(|at| term.matches(&folded[*at..])).map(|at| term.place(&words[at..])));
            if places.len() == before {
                return Vec::new();
            }
        }
        places.sort_unstable_by_key(|place| (place.start, place.end));
        let mut apart: Vec<Range<usize>> = Vec::new();
        for place in places {
            match apart.last_mut() {
                Some(last) if place.start <= last.end => last.end = last.end.max(place.end),
                _ => apart.push(place),
            }
        }
        apart.truncate(limits::SEARCH_HIGHLIGHTS);
        apart
    }
}

impl Term {
    fn new(text: &str) -> Option<Self> {
        let mut found = words(text);
        // The last character of a run stands for itself too; in what is looked for the pair before it says it.
        if let [.., pair, last] = &found[..]
            && last.first == Some(last.at.end)
            && pair.first.is_some_and(|first| first < pair.at.end)
            && pair.at.end == last.at.end
        {
            found.pop();
        }
        let last = found.last()?;
        let (spaceless, single) = (last.first.is_some(), last.first == Some(last.at.end));
        Some(Self { begins: single, spaceless, single, words: found.into_iter().map(|word| word.folded).collect() })
    }

    /// Returns true if a text begins with it.
    fn matches(&self, text: &[&str]) -> bool {
        let Some((last, rest)) = self.words.split_last() else { return false };
        let Some(end) = text.get(rest.len()) else { return false };
        let ends = if self.begins { end.starts_with(last.as_str()) } else { *end == last.as_str() };
        ends && rest.iter().zip(text).all(|(word, other)| word == other)
    }

    /// Returns its place in a text that begins with it.
    fn place(&self, text: &[Word]) -> Range<usize> {
        let last = &text[self.words.len() - 1];
        let end = if self.single { last.first.unwrap_or(last.at.end) } else { last.at.end };
        text[0].at.start..end
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn found<'t>(query: &str, text: &'t str) -> Vec<&'t str> {
        Query::read(query).unwrap().places(text).into_iter().map(|place| &text[place]).collect()
    }

    #[test]
    fn words_phrases_and_the_beginning_of_the_last_word() {
        let fts5 = |query: &str| Query::read(query).unwrap().fts5("");
        assert_eq!(fts5("Tea at FIVE"), r#""tea" AND "at" AND "five" *"#);
        assert_eq!(fts5(r#"tea "at five""#), r#""tea" AND "at five""#);
        assert_eq!(fts5(r#"tea "at fiv"#), r#""tea" AND "at fiv" *"#);
        assert_eq!(fts5("don't at"), r#""don t" AND "at""#);
        assert_eq!(fts5("北京 京"), r#""北京" AND "京" *"#);
        assert_eq!(fts5("北京 我在北京"), r#""北京" AND "我在 在北 北京" *"#);
        assert_eq!(fts5("手机abc"), r#""手机 机 abc" *"#);
        assert_eq!(fts5("iphone手"), r#""iphone 手" *"#);
        assert_eq!(Query::read("don't at").unwrap().fts5("7_"), r#""7_don 7_t" AND "7_at""#);
        // What means something to FTS5 means nothing here.
        assert_eq!(
            fts5(r#"NEAR(a b) OR "x" - ^c* text:d"#),
            r#""near a" AND "b" AND "or" AND "x" AND "c" AND "text d""#
        );
        assert_eq!(Query::read(" ?! \" "), Err(BadQuery::Empty));
        assert_eq!(Query::read(&"a ".repeat(300)), Err(BadQuery::Long));
        assert_eq!(Query::read(&"a ".repeat(100)), Err(BadQuery::Long));
    }

    #[test]
    fn what_was_found_is_shown() {
        assert_eq!(found("creme bru", "Une Crème, une brûlée!"), ["Crème", "brûlée"]);
        assert_eq!(found(r#""tea at""#, "tea time, tea at five"), ["tea at"]);
        assert_eq!(found("tea coffee", "tea time"), Vec::<&str>::new());
        assert_eq!(found("京", "我在北京。京都"), ["京", "京"]);
        assert_eq!(found("在北京", "我在北京站"), ["在北京"]);
        assert_eq!(found("สวัสด", "ครับสวัสดีครับ"), ["สวัสดี"]);
        assert_eq!(found("東京 タワー", "東京タワーに行く"), ["東京タワー"]);
        assert_eq!(found("手机abc", "我的手机abc"), ["手机abc"]);
    }

    #[test]
    fn whole_words_that_follow_one_another_are_better() {
        let rank = |query: &str, text: &str| Query::read(query).unwrap().rank(&super::super::words::indexed(text));
        assert_eq!(rank("green tea", "green tea"), 3);
        assert_eq!(rank("green tea", "tea that is green"), 2);
        assert_eq!(rank("green tea", "green teapot"), 1);
        assert_eq!(rank("green tea", "teapots, green"), 0);
        assert_eq!(rank("京", "北京"), 2);
    }

    proptest! {
        #[test]
        fn any_part_of_a_text_without_spaces_is_found(text in "[\u{4e00}-\u{4e20}]{2,12}", from in 0usize..12, len in 1usize..12) {
            let chars: Vec<char> = text.chars().collect();
            let from = from % chars.len();
            let part: String = chars[from..(from + len).min(chars.len())].iter().collect();
            let places = Query::read(&part).unwrap().places(&text);
            prop_assert!(places.iter().any(|place| text[place.clone()].contains(&part)));
        }

        #[test]
        fn anything_may_be_typed(query in any::<String>(), text in any::<String>()) {
            if let Ok(query) = Query::read(&query) {
                query.rank(&super::super::words::indexed(&text));
                for place in query.places(&text) {
                    prop_assert!(text.get(place).is_some());
                }
            }
        }
    }
}
