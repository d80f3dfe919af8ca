//! A doc comment begins with the thing that it documents.

use super::{SOURCES, sources};

/// First words that have the reader look for the noun: a comment that begins so names no thing, but asks for one.
const RELATIVES: [&str; 12] =
    ["What", "Whether", "Who", "Whom", "Whose", "Those", "How", "When", "Where", "Which", "Why", "That"];

/// The doc comments of a file: the line in which each begins, and its first word.
fn beginnings(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let comment = |line: &str| line.trim_start().starts_with("///") || line.trim_start().starts_with("//!");
    let lines: Vec<&str> = text.lines().collect();
    let first = move |at: usize, line: &str| comment(line) && (at == 0 || !comment(lines[at - 1]));
    let begins = text.lines().enumerate().filter(move |(at, line)| first(*at, line));
    begins.filter_map(|(at, line)| {
        let words = line.trim_start().trim_start_matches(['/', '!']).trim_start();
        Some((at + 1, words.split(|c: char| !c.is_alphanumeric()).next()?))
    })
}

#[test]
fn a_doc_comment_begins_with_the_thing_that_it_documents() {
    let mut broken = Vec::new();
    for folder in SOURCES.iter().chain(&["server/tests", "server/benches", "powercut", "fuzz/src"]) {
        for (file, text) in sources(folder) {
            let relative = beginnings(&text).filter(|(_, word)| RELATIVES.contains(word));
            broken.extend(relative.map(|(line, word)| format!("{file}:{line}: {word} …")));
        }
    }
    assert!(
        broken.is_empty(),
        "the first sentence of a doc comment has a subject and the field's term for it\n{}",
        broken.join("\n")
    );
}

#[test]
fn the_first_words_of_doc_comments_are_found() {
    let text = "//! What a file is.\n//!\n//! Which is so.\n\nfn f() {}\n\n    /// Whether.\n    fn g() {}\n// Who\n/// The `x`.\nfn h() {}\n";
    assert_eq!(beginnings(text).collect::<Vec<_>>(), [(1, "What"), (7, "Whether"), (10, "The")]);
}
