//! The documented example file, made from the doc comments of [`Config`] and its defaults.

use serde_json::{Map, Value};
use utoipa::PartialSchema;

use super::{Config, Limits, Load, Media, Push, Tls};
use crate::telemetry::Log;

const WIDTH: usize = 100;

/// The text of an example file: every key with its documentation and its default. A key without a default is there as a
/// comment, with an example.
pub fn text() -> String {
    let defaults = toml::to_string(&Config::default()).expect("the defaults have a TOML form");
    let root = properties("");
    let mut text = String::from("# The configuration of a Kith server. All that is said here is the default.\n");
    let mut keys = root.clone();
    for line in defaults.lines() {
        if let Some(section) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            without_default(&keys, &mut text);
            document(&root[section], &mut text);
            keys = properties(section);
            text.push_str(&format!("{line}\n"));
        } else if let Some((key, _)) = line.split_once(" = ") {
            let key = keys.remove(key).expect("every key is a field");
            document(&key, &mut text);
            text.push_str(&format!("{line}\n"));
        }
    }
    without_default(&keys, &mut text);
    text
}

/// The fields of a section, with what their doc comments say.
fn properties(section: &str) -> Map<String, Value> {
    let schema = match section {
        "" => Config::schema(),
        "tls" => Tls::schema(),
        "log" => Log::schema(),
        "limits" => Limits::schema(),
        "load" => Load::schema(),
        "media" => Media::schema(),
        "push" => Push::schema(),
        _ => unreachable!("[{section}] is a section of Config"),
    };
    let mut schema = serde_json::to_value(schema).expect("a schema has a JSON form");
    serde_json::from_value(schema["properties"].take()).expect("a section has properties")
}

fn document(property: &Value, text: &mut String) {
    let mut line = String::from("\n#");
    for word in property["description"].as_str().unwrap_or_default().split_whitespace() {
        if line.len() + word.len() > WIDTH {
            text.push_str(&line);
            line = String::from("\n#");
        }
        line.push(' ');
        line.push_str(word);
    }
    text.push_str(&line);
    text.push('\n');
}

/// The keys that have no default. Sections are none of them: each is there under its own heading.
fn without_default(keys: &Map<String, Value>, text: &mut String) {
    for (key, property) in keys.iter().filter(|(_, property)| property.get("example").is_some()) {
        document(property, text);
        text.push_str(&format!("# {key} = {}\n", property["example"]));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_default_and_names_every_key() {
        let text = text();
        assert_eq!(Config::parse(&text, "example").unwrap(), Config::default());
        for section in ["", "tls", "log", "limits", "load", "media", "push"] {
            for (key, property) in properties(section) {
                let there = |line: &str| {
                    let line = line.trim_start_matches("# ");
                    line.starts_with(&format!("{key} = ")) || line == format!("[{key}]")
                };
                assert!(text.lines().any(there), "{key} of [{section}] is missing from\n{text}");
                assert!(property["description"].is_string(), "{key} of [{section}] has no documentation: {property}");
            }
        }
    }

    #[test]
    fn with_every_comment_opened_it_is_still_a_configuration() {
        let opened: String = text()
            .lines()
            .map(|line| match line.strip_prefix("# ") {
                Some(rest) if rest.split_once(" = ").is_some_and(|(key, _)| !key.contains(' ')) => {
                    format!("{rest}\n")
                }
                _ => format!("{line}\n"),
            })
            .collect();
        let config = Config::parse(&opened, "example").unwrap();
        assert_eq!(config.region.as_deref(), Some("eu-west"));
        assert!(config.tls.key.is_some());
    }
}
