//! The words by which a text is searched, folded so that case, accents and width do not matter.
//!
//! A word is a run of letters, digits and their marks. In scripts that write without spaces (Chinese, Japanese, Thai, Lao,
//! Khmer, Burmese, Tibetan, and Korean, which glues its particles to its nouns) nobody can tell where a word ends without
//! a dictionary, so each pair of neighbouring characters is one, and the last character of a run stands for itself. What
//! was asked for is cut in the same way; then any part of such a text is found, from one character on.

use std::ops::Range;

use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

/// A word of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    /// Its folded form: letters, digits and marks only.
    pub folded: String,
    /// Its place in the text, in bytes.
    pub at: Range<usize>,
    /// The end of its first character, if the word is one or two characters of a script without spaces.
    pub first: Option<usize>,
}

/// Characters of one kind that follow one another, folded.
#[derive(Default)]
struct Run {
    /// The folded forms of all of them, in one buffer.
    folded: String,
    clusters: Vec<Cluster>,
}

/// A character with its marks.
struct Cluster {
    /// The place of its folded form in that of the run.
    folded: Range<usize>,
    at: Range<usize>,
    spaceless: bool,
}

/// The words of a text, in order.
pub fn words(text: &str) -> Vec<Word> {
    let mut words = Vec::new();
    let mut run = Run::default();
    let mut chars = text.char_indices().peekable();
    while let Some((start, base)) = chars.next() {
        let mut end = start + base.len_utf8();
        while let Some((_, mark)) = chars.next_if(|(_, next)| is_mark(*next)) {
            end += mark.len_utf8();
        }
        let from = run.folded.len();
        fold(&text[start..end], &mut run.folded);
        let Some(letter) = run.folded[from..].chars().next() else {
            run.finish(&mut words);
            continue;
        };
        let spaceless = is_spaceless(letter);
        let mut folded = from..run.folded.len();
        if run.clusters.last().is_some_and(|last| last.spaceless != spaceless) {
            let next = run.folded.split_off(from);
            run.finish(&mut words);
            folded = 0..next.len();
            run.folded = next;
        }
        run.clusters.push(Cluster { folded, at: start..end, spaceless });
    }
    run.finish(&mut words);
    words
}

/// The text's words as one string with a space between any two: the form in which a text is indexed.
pub fn indexed(text: &str) -> String {
    let words = words(text);
    let mut all = String::with_capacity(text.len() + words.len());
    for word in &words {
        if !all.is_empty() {
            all.push(' ');
        }
        all.push_str(&word.folded);
    }
    all
}

impl Run {
    /// Makes words of the characters, and begins anew.
    fn finish(&mut self, words: &mut Vec<Word>) {
        let (Some(first), Some(last)) = (self.clusters.first(), self.clusters.last()) else { return };
        if !first.spaceless {
            words.push(Word { folded: self.folded.clone(), at: first.at.start..last.at.end, first: None });
        } else {
            for (index, cluster) in self.clusters.iter().enumerate() {
                let last = self.clusters.get(index + 1).unwrap_or(cluster);
                let folded = self.folded[cluster.folded.start..last.folded.end].to_owned();
                words.push(Word { folded, at: cluster.at.start..last.at.end, first: Some(cluster.at.end) });
            }
        }
        self.folded.clear();
        self.clusters.clear();
    }
}

/// Marks that belong to the character before them; the half-width ones of Japanese too.
fn is_mark(c: char) -> bool {
    is_combining_mark(c) || matches!(c, '\u{ff9e}' | '\u{ff9f}')
}

/// Appends a character without case, accent and width; nothing for what is no letter, digit or mark.
fn fold(cluster: &str, folded: &mut String) {
    if let [byte] = cluster.as_bytes() {
        folded.extend(byte.is_ascii_alphanumeric().then(|| char::from(byte.to_ascii_lowercase())));
        return;
    }
    let from = folded.len();
    let plain = cluster.nfkd().flat_map(char::to_lowercase).filter(|c| !is_accent(*c)).nfc();
    for c in plain {
        match spelled(c) {
            Some(letters) => folded.push_str(letters),
            None if c.is_alphanumeric() || is_combining_mark(c) => folded.push(c),
            None => {}
        }
    }
    // Marks alone are no word.
    if folded[from..].chars().all(is_combining_mark) {
        folded.truncate(from);
    }
}

/// Letters that people without them on their keyboard write so.
fn spelled(c: char) -> Option<&'static str> {
    Some(match c {
        'ß' => "ss",
        'æ' => "ae",
        'œ' => "oe",
        'ø' => "o",
        'ł' => "l",
        'đ' | 'ð' => "d",
        'þ' => "th",
        'ı' => "i",
        _ => return None,
    })
}

/// Marks that people leave out: accents of Latin, Greek and Cyrillic, the points of Hebrew, the vowels of Arabic. Those of
/// other scripts, the sound marks of Japanese among them, make another letter.
fn is_accent(c: char) -> bool {
    matches!(c,
        '\u{0300}'..='\u{036f}' | '\u{1ab0}'..='\u{1aff}' | '\u{1dc0}'..='\u{1dff}' | '\u{20d0}'..='\u{20ff}'
        | '\u{fe20}'..='\u{fe2f}' | '\u{0591}'..='\u{05c7}' | '\u{064b}'..='\u{065f}' | '\u{0670}' | '\u{06d6}'..='\u{06ed}')
}

/// Returns true for a letter whose script does not set words apart by spaces.
fn is_spaceless(c: char) -> bool {
    matches!(c,
        // Thai, Lao, Tibetan, Burmese, Khmer
        '\u{0e00}'..='\u{109f}' | '\u{1780}'..='\u{17ff}'
        // Korean
        | '\u{1100}'..='\u{11ff}' | '\u{3130}'..='\u{318f}' | '\u{ac00}'..='\u{d7ff}'
        // Chinese and Japanese
        | '\u{3005}'..='\u{3007}' | '\u{3040}'..='\u{312f}' | '\u{31a0}'..='\u{31ff}' | '\u{3400}'..='\u{9fff}'
        | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn words_are_folded() {
        assert_eq!(indexed("Crème BRÛLÉE, l'été!"), "creme brulee l ete");
        assert_eq!(indexed("Straße ŁÓDŹ smørrebrød İstanbul Ïlk"), "strasse lodz smorrebrod istanbul ilk");
        assert_eq!(indexed("ΆΛΦΑ Ёлка ﬁn ｆｕｌｌ x² 3½"), "αλφα елка fin full x2 312");
        assert_eq!(indexed("שָׁלוֹם مَرْحَبًا"), "שלום مرحبا");
        assert_eq!(indexed("हिन्दी नमस्ते"), "हिन्दी नमस्ते");
        assert_eq!(indexed("🎉 — … \u{301}"), "");
    }

    #[test]
    fn scripts_without_spaces_are_cut_into_pairs() {
        assert_eq!(indexed("我在北京。"), "我在 在北 北京 京");
        assert_eq!(indexed("iPhone手机"), "iphone 手机 机");
        assert_eq!(indexed("がか ｶﾞ"), "がか か ガ");
        assert_eq!(indexed("서울에서"), "서울 울에 에서 서");
        assert_eq!(indexed("ดี"), "ดี");
    }

    #[test]
    fn words_say_where_they_are() {
        let text = "é 北京";
        let found: Vec<_> = words(text).into_iter().map(|word| (&text[word.at], word.first)).collect();
        assert_eq!(found, [("é", None), ("北京", Some(6)), ("京", Some(9))]);
    }

    proptest! {
        #[test]
        fn words_hold_nothing_that_a_query_could_mean(text in any::<String>()) {
            for word in words(&text) {
                prop_assert!(!word.folded.is_empty() && text.is_char_boundary(word.at.start));
                prop_assert!(text.is_char_boundary(word.at.end) && word.at.start < word.at.end);
                let plain = |c: char| if c.is_ascii() { c.is_ascii_alphanumeric() } else { !c.is_whitespace() };
                prop_assert!(word.folded.chars().all(plain), "{:?}", word.folded);
            }
        }
    }
}
