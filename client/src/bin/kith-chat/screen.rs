//! What is shown: one short line for each thing that happens.

use std::{
    env,
    io::{self, IsTerminal, Write},
};

use jiff::{Timestamp as Time, Zoned, civil::Date, tz::TimeZone};
use kith_protocol::{Timestamp, UserId};

/// Standard output, in colour where it is a terminal.
pub struct Screen {
    colour: bool,
    zone: TimeZone,
    day: Option<Date>,
}

impl Screen {
    /// In colour unless it is no terminal, or `NO_COLOR` is set (no-color.org).
    pub fn new() -> Self {
        let colour = io::stdout().is_terminal() && env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        Self { colour, zone: TimeZone::system(), day: None }
    }

    /// A line as it is.
    pub fn line(&self, text: &str) {
        // Where nobody reads any longer, the end of the input ends the program.
        let _ = writeln!(io::stdout(), "{text}");
    }

    /// A line about what goes on.
    pub fn note(&self, text: &str) {
        self.line(&self.paint("2", &clean(text)));
    }

    /// A line about what went wrong.
    pub fn fault(&self, text: &str) {
        self.line(&self.paint("31", &clean(text)));
    }

    /// A line with its time in front; the first one of a day comes after the date.
    pub fn timed(&mut self, at: Timestamp, text: &str) {
        let time = self.local(at);
        if self.day != Some(time.date()) {
            self.day = Some(time.date());
            self.note(&format!("— {} —", time.strftime("%A, %-d %B %Y")));
        }
        let clock = self.paint("2", &time.strftime("%H:%M").to_string());
        self.line(&format!("{clock} {text}"));
    }

    /// A time of day, for within a line.
    pub fn clock(&self, at: Timestamp) -> String {
        self.local(at).strftime("%-d %b %H:%M").to_string()
    }

    /// A name, in a colour of its own.
    pub fn name(&self, user: UserId, name: &str) -> String {
        let colour = 31 + user.bytes()[15] % 6;
        self.paint(&format!("1;{colour}"), &clean(name))
    }

    /// A title of a conversation.
    pub fn title(&self, title: &str) -> String {
        self.paint("36", &format!("[{}]", clean(title)))
    }

    fn paint(&self, code: &str, text: &str) -> String {
        if self.colour { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }

    fn local(&self, at: Timestamp) -> Zoned {
        let millis = i64::try_from(at.millis()).unwrap_or(0);
        Time::from_millisecond(millis).unwrap_or(Time::UNIX_EPOCH).to_zoned(self.zone.clone())
    }
}

/// What somebody else wrote, without what would steer the terminal or turn the line around.
pub fn clean(text: &str) -> String {
    let steers = |char: char| {
        char.is_control() || matches!(char, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    let mut cleaned = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '\n' => cleaned.push_str("\n      "),
            '\t' => cleaned.push(' '),
            char if steers(char) => cleaned.push('\u{fffd}'),
            char => cleaned.push(char),
        }
    }
    cleaned
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_is_received_steers_the_terminal() {
        assert_eq!(clean("a\x1b[2Jb\u{9b}1m\rc\u{202e}d"), "a\u{fffd}[2Jb\u{fffd}1m\u{fffd}c\u{fffd}d");
        assert_eq!(clean("two\nlines 👍\tä"), "two\n      lines 👍 ä");
    }
}
