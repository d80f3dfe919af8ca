//! The characters of which a text may consist.

/// Takes the control characters (C0, DEL and C1) but newline and tab out of a text: they show nothing, and each takes six
/// bytes in JSON.
pub fn clean(text: &mut String) {
    if text.chars().any(is_refused) {
        text.retain(|char| !is_refused(char));
    }
}

fn is_refused(char: char) -> bool {
    char.is_control() && !matches!(char, '\n' | '\t')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_newline_and_tab_of_the_control_characters_stay() {
        for (given, kept) in [
            ("one\r\ntwo\tthree", "one\ntwo\tthree"),
            ("\u{0}\u{1}a\u{1f}\u{7f}\u{80}\u{85}\u{9f}", "a"),
            ("\u{1b}[31mred", "[31mred"),
            ("\u{a0}ü\u{200d}👍\u{2028}", "\u{a0}ü\u{200d}👍\u{2028}"),
            ("\u{1}\u{2}", ""),
        ] {
            let mut text = given.to_owned();
            clean(&mut text);
            assert_eq!(text, kept);
        }
    }
}
