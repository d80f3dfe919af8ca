//! A function can be seen at once.

use super::{code, sources};

/// Lines that a function may have, from its name to its end.
const LINES: usize = 72;

/// The functions of a file, as rustfmt leaves it: the line in which each begins, and how many lines it has.
fn functions(text: &str) -> Vec<(usize, usize)> {
    let Some((end, _)) = code(text).last() else { return Vec::new() };
    let lines: Vec<&str> = text.lines().take(end).collect();
    let mut found = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let begin = line.trim_start();
        let words = begin.split(['(', '<', ' ']).take_while(|word| !word.is_empty());
        let modifiers = ["pub", "const", "async", "crate)", "super)", "in"];
        let is_function = words.clone().any(|word| word == "fn")
            && words.take_while(|word| *word != "fn").all(|word| modifiers.contains(&word) || word.ends_with(')'));
        if !is_function || line.ends_with('}') || line.ends_with(';') {
            continue;
        }
        let indent = &line[..line.len() - begin.len()];
        // A declaration ends where its arguments do.
        let ends = |line: &&str| {
            let rest = line.strip_prefix(indent).unwrap_or(" ");
            rest.starts_with('}') || rest.starts_with(')') && rest.ends_with(';')
        };
        let last = lines[at + 1..].iter().position(ends).map_or(lines.len(), |behind| at + 1 + behind);
        found.push((at + 1, last - at + 1));
    }
    found
}

#[test]
fn a_function_can_be_seen_at_once() {
    let (mut broken, mut looked_at) = (Vec::new(), 0);
    for folder in ["server/src", "protocol/src", "client/src", "load/src", "fuzz/src"] {
        for (file, text) in sources(folder).into_iter().filter(|(file, _)| !file.ends_with("tests.rs")) {
            let functions = functions(&text);
            looked_at += functions.len();
            let long = functions.into_iter().filter(|(_, lines)| *lines > LINES);
            broken.extend(long.map(|(line, lines)| format!("{file}:{line}: {lines} lines")));
        }
    }
    assert!(looked_at > 1000, "functions are found: {looked_at}");
    assert!(broken.is_empty(), "a function of more than {LINES} lines does more than one thing\n{}", broken.join("\n"));
}

#[test]
fn the_lines_of_a_function_are_counted() {
    let text = "pub(crate) async fn one(\n    a: u8,\n) -> u8 {\n    if a {\n    }\n    a\n}\n\nimpl It {\n    fn short() {}\n\n    \
                const fn two() {\n        x();\n    }\n    fn declared(\n        a: u8,\n    ) -> u8;\n}\n\
                #[cfg(test)]\nmod tests {\n    fn no() {\n    }\n}\n";
    assert_eq!(functions(text), [(1, 7), (12, 3), (15, 3)]);
}
