//! Values with bounds, and errors that say where in the file they stand.

use serde::{Deserialize, Deserializer, de::Error};

use super::BadConfig;

/// Reads a whole number from `MIN` to `MAX`.
pub(super) fn within<'de, D, T, const MIN: i64, const MAX: i64>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: TryFrom<i64>,
{
    let number = i64::deserialize(deserializer)?;
    let within = Some(number).filter(|number| (MIN..=MAX).contains(number));
    within
        .and_then(|number| T::try_from(number).ok())
        .ok_or_else(|| D::Error::custom(format!("must be {MIN} to {MAX}")))
}

/// An error of the parser in one line, with the file, the line and the key.
pub(super) fn explain(text: &str, file: &str, error: &toml::de::Error) -> BadConfig {
    let at = error.span().map_or(0, |span| span.start.min(text.len()));
    let line = text.as_bytes()[..at].iter().filter(|byte| **byte == b'\n').count();
    let message = error.message().replace('\n', " ");
    let place = format!("{file}:{}", line + 1);
    if let Some(key) = message.strip_prefix("unknown field ").and_then(|rest| rest.split(',').next()) {
        return BadConfig(format!("{place}: unknown key {key}; `kith config` prints those that there are"));
    }
    let key = text.lines().nth(line).and_then(|line| line.split_once('=')).map(|(key, _)| key.trim());
    match key {
        Some(key) if message.starts_with("must be") => BadConfig(format!("{place}: {key} {message}")),
        Some(key) => BadConfig(format!("{place}: {key}: {message}")),
        None => BadConfig(format!("{place}: {message}")),
    }
}

/// `:` and the number of the line on which a key or section stands; nothing where it does not.
pub(super) fn line_of(text: &str, key: &str) -> String {
    let is_it = |line: &str| {
        let line = line.trim();
        line == format!("[{key}]") || line.split_once('=').is_some_and(|(name, _)| name.trim() == key)
    };
    text.lines().position(is_it).map_or_else(String::new, |line| format!(":{}", line + 1))
}
