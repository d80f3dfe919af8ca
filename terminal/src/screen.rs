//! The screen: one short line for each thing that happens.

use std::{
    env,
    io::{self, IsTerminal, Write},
};

use jiff::{Timestamp as Time, Zoned, civil::Date, tz::TimeZone};
use kith_protocol::{Timestamp, UserId, visible};

/// A line to be shown. All that is put into it is cleaned on the way, and colours come from [`Screen`] alone.
#[derive(Debug, Clone, Default)]
pub struct Line(String);

impl Line {
    /// A line that begins with a text.
    pub fn of(text: &str) -> Self {
        Self(clean(text))
    }

    /// The same line, with a text behind it.
    pub fn and(mut self, text: &str) -> Self {
        self.0.push_str(&clean(text));
        self
    }

    /// The same line, with another behind it.
    pub fn then(mut self, line: &Line) -> Self {
        self.0.push_str(&line.0);
        self
    }
}

/// Standard output, in colour where it is a terminal. Nothing else of the program writes to it.
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

    /// Shows a line.
    pub fn line(&self, line: &Line) {
        // Where nobody reads any longer, the end of the input ends the program.
        let _ = writeln!(io::stdout(), "{}", line.0);
    }

    /// A line about what goes on.
    pub fn note(&self, text: &str) {
        self.line(&self.paint("2", text));
    }

    /// A line about what went wrong.
    pub fn fault(&self, text: &str) {
        self.line(&self.paint("31", text));
    }

    /// A line with its time in front; the first one of a day comes after the date.
    pub fn timed(&mut self, at: Timestamp, line: &Line) {
        let time = self.local(at);
        if self.day != Some(time.date()) {
            self.day = Some(time.date());
            self.note(&format!("— {} —", time.strftime("%A, %-d %B %Y")));
        }
        let clock = self.paint("2", &time.strftime("%H:%M").to_string());
        self.line(&clock.and(" ").then(line));
    }

    /// A time of day, for within a line.
    pub fn clock(&self, at: Timestamp) -> String {
        self.local(at).strftime("%-d %b %H:%M").to_string()
    }

    /// A name, in a colour of its own.
    pub fn name(&self, user: UserId, name: &str) -> Line {
        let colour = 31 + user.bytes()[15] % 6;
        self.paint(&format!("1;{colour}"), name)
    }

    /// A title of a conversation.
    pub fn title(&self, title: &str) -> Line {
        self.paint("36", &format!("[{}]", visible::isolated(title)))
    }

    fn paint(&self, code: &str, text: &str) -> Line {
        let text = clean(text);
        Line(if self.colour { format!("\x1b[{code}m{text}\x1b[0m") } else { text })
    }

    fn local(&self, at: Timestamp) -> Zoned {
        let millis = i64::try_from(at.millis()).unwrap_or(0);
        Time::from_millisecond(millis).unwrap_or(Time::UNIX_EPOCH).to_zoned(self.zone.clone())
    }
}

/// Asks a question, and returns what is typed as its answer.
pub fn ask(question: &str) -> io::Result<String> {
    let mut answer = String::new();
    write!(io::stdout(), "{}", clean(question))?;
    io::stdout().flush()?;
    io::stdin().read_line(&mut answer)?;
    Ok(answer.trim().to_owned())
}

/// Says on standard error why the program ends.
pub fn end(reason: &str) {
    let _ = writeln!(io::stderr(), "kith-chat: {}", clean(reason));
}

/// Returns a name or title that somebody else chose, as it may stand within a sentence; nothing where nobody would see it.
pub fn called(name: &str) -> Option<String> {
    visible::name(name).map(|name| visible::isolated(&name).into_owned())
}

/// Returns a text as it may stand on the terminal: nothing in it steers that or turns the rest of its line around.
fn clean(text: &str) -> String {
    let line = |line: &str| {
        let safe = |char| match char {
            '\t' => ' ',
            char if visible::is_control(char) => '\u{fffd}',
            char => char,
        };
        visible::isolated(&line.chars().map(safe).collect::<String>()).into_owned()
    };
    text.split('\n').map(line).collect::<Vec<_>>().join("\n      ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_is_received_steers_the_terminal() {
        for (given, shown) in [
            ("a\x1b[2Jb\u{9b}1m\rc", "a\u{fffd}[2Jb\u{fffd}1m\u{fffd}c"),
            ("\x1b]0;title\x07\x1b]52;c;aGk=\x1b\\", "\u{fffd}]0;title\u{fffd}\u{fffd}]52;c;aGk=\u{fffd}\\"),
            (
                "\u{9d}8;;http://x\u{9c}\u{90}q\u{85}\u{7f}\0",
                "\u{fffd}8;;http://x\u{fffd}\u{fffd}q\u{fffd}\u{fffd}\u{fffd}",
            ),
            ("two\nlines 👍\tä", "two\n      lines 👍 ä"),
            ("one\u{2028}two", "one\u{fffd}two"),
            ("c\u{202e}d", "\u{2068}c\u{202e}d\u{202c}\u{2069}"),
            ("\u{202c}שלום\u{2069}\nx", "\u{2068}שלום\u{2069}\n      x"),
        ] {
            assert_eq!(clean(given), shown, "{}", given.escape_unicode());
        }
    }

    #[test]
    fn a_line_is_clean_whatever_is_put_into_it() {
        let screen = Screen { colour: true, zone: TimeZone::UTC, day: None };
        let evil = "x\x1b]0;y\x07\u{9b}2J\u{202e}";
        let user = UserId::from_bytes([0; 16]);
        let line = screen.name(user, evil).and(": ").and(evil).then(&screen.title(evil));
        let ours = line.0.replace("\x1b[1;31m", "").replace("\x1b[36m", "").replace("\x1b[0m", "");
        assert!(line.0.starts_with("\x1b[1;31m") && !ours.contains(char::is_control), "{ours:?}");
        assert!(visible::is_balanced(&ours), "{ours:?}");
    }
}
