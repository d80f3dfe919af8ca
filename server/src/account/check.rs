//! Checks of what a person may type: its length, its characters.

use kith_protocol::{limits::Limits, visible};

use crate::{Error, limits};

/// A username as it is kept: what a person typed, in lower case.
pub fn folded(name: &str) -> String {
    name.to_ascii_lowercase()
}

/// A new username: so many of `a-z 0-9 . _ -`.
pub fn username(name: &str, bounds: &Limits) -> Result<(), Error> {
    let [min, max] = bounds.username_chars;
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"._-".contains(&byte);
    if !(min as usize..=max as usize).contains(&name.len()) || !name.bytes().all(allowed) {
        return Err(Error::field("/username", format!("must be {min} to {max} of a-z 0-9 . _ -")));
    }
    Ok(())
}

/// A new password.
pub fn password(pointer: &str, password: &str, bounds: &Limits) -> Result<(), Error> {
    let [min, max] = bounds.password_chars;
    if !(min as usize..=max as usize).contains(&password.chars().count()) {
        return Err(Error::field(pointer, format!("must have {min} to {max} characters")));
    }
    Ok(())
}

/// Checks a text that is shown on one line, which may be empty.
pub fn line(pointer: &str, text: &str, max: u32) -> Result<(), Error> {
    if text.chars().any(visible::is_control) {
        return Err(Error::field(pointer, "must not have control characters"));
    }
    shown(pointer, text, max)
}

/// Checks a name: a line with something to see.
pub fn name(pointer: &str, text: &str, max: u32) -> Result<(), Error> {
    if text.is_empty() {
        return Err(Error::field(pointer, "must not be empty"));
    }
    line(pointer, text, max)
}

/// Checks a text of several lines, which may be empty.
pub fn prose(pointer: &str, text: &str, max: u32) -> Result<(), Error> {
    if text.chars().any(|char| char.is_control() && !matches!(char, '\n' | '\t')) {
        return Err(Error::field(pointer, "must not have control characters"));
    }
    shown(pointer, text, max)
}

/// Checks that a text is not too long, that it is seen where there is any, and that it turns nothing else around.
fn shown(pointer: &str, text: &str, max: u32) -> Result<(), Error> {
    if text.chars().count() > max as usize {
        return Err(Error::field(pointer, format!("must have {max} characters at most")));
    }
    if !text.is_empty() && !visible::is_visible(text) {
        return Err(Error::field(pointer, "must have a character that can be seen"));
    }
    if !visible::is_balanced(text) {
        return Err(Error::field(pointer, "must close the bidi controls that it opens, and no other"));
    }
    Ok(())
}

/// An e-mail address, as far as one can tell without writing to it; empty for none.
pub fn email(pointer: &str, text: &str) -> Result<(), Error> {
    let form = text.rsplit_once('@').is_some_and(|(local, domain)| !local.is_empty() && !domain.is_empty());
    let plain = !text.chars().any(|char| char.is_whitespace() || char.is_control());
    if !text.is_empty() && (!form || !plain || text.chars().count() > limits::EMAIL_CHARS) {
        return Err(Error::field(pointer, "must be an e-mail address"));
    }
    Ok(())
}

/// A telephone number, in any usual notation; empty for none.
pub fn phone(pointer: &str, text: &str) -> Result<(), Error> {
    let allowed = |char: char| char.is_ascii_digit() || " +-()./".contains(char);
    let digits = text.chars().any(|char| char.is_ascii_digit());
    if !text.is_empty() && (!digits || !text.chars().all(allowed) || text.len() > limits::PHONE_CHARS) {
        return Err(Error::field(pointer, "must be a telephone number"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_has_the_form_is_a_username() {
        let bounds = Limits::default();
        for good in ["abc", "a.b_c-9", &"x".repeat(32)] {
            username(good, &bounds).unwrap();
        }
        for bad in ["", "ab", "Anna", "anna ", "änna", "a/b", &"x".repeat(33)] {
            username(bad, &bounds).unwrap_err();
        }
    }

    #[test]
    fn characters_are_counted_not_bytes() {
        let bounds = Limits::default();
        password("/password", "žžžžžžžž", &bounds).unwrap();
        password("/password", "žžžžžžž", &bounds).unwrap_err();
        password("/password", &"ž".repeat(129), &bounds).unwrap_err();
    }

    #[test]
    fn a_name_is_seen_and_turns_nothing_around() {
        for good in ["Anna", "\u{202b}אנה\u{202c}", "می\u{200c}خواهم", "a\u{200e}", "👍"] {
            name("/display_name", good, 100).unwrap();
        }
        for bad in ["", " ", "\u{200b}", "\u{3164}", "\u{202e}anna", "an\u{2028}na", "an\u{9b}na", "an\nna"] {
            name("/display_name", bad, 100).unwrap_err();
        }
        for (text, good) in
            [("", true), ("two\n\tlines", true), ("\n", false), ("\u{202e}a\nb\u{202c}", false), ("\u{1b}a", false)]
        {
            assert_eq!(prose("/about", text, 100).is_ok(), good, "{}", text.escape_unicode());
        }
        line("/device/name", "", 100).unwrap();
        line("/device/name", "\u{2800}", 100).unwrap_err();
    }

    #[test]
    fn contacts_have_their_usual_forms() {
        for good in ["", "a@b", "a.b+c@example.org"] {
            email("/email", good).unwrap();
        }
        for bad in ["a", "@b", "a@", "a b@c"] {
            email("/email", bad).unwrap_err();
        }
        for good in ["", "+49 (0)30 / 12-34"] {
            phone("/phone", good).unwrap();
        }
        for bad in ["+", "call me", "0\n1"] {
            phone("/phone", bad).unwrap_err();
        }
    }
}
