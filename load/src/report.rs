//! Writes a result: as JSON for programs, as lines for people.

use std::fmt::Write;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::error::{Error, Result};

/// The report of a command: what it measured, under its name, with whether every check was good.
///
/// # Errors
/// A number that JSON cannot say.
pub fn report(command: &str, ok: bool, measured: impl Serialize) -> Result<Value> {
    let measured = serde_json::to_value(measured).map_err(|error| Error::Refused(error.to_string()))?;
    let mut report = Map::new();
    report.insert("command".into(), command.into());
    report.insert("ok".into(), ok.into());
    if let Value::Object(fields) = measured {
        report.extend(fields);
    }
    Ok(Value::Object(report))
}

/// Returns true if every check of a report was good.
pub fn is_good(report: &Value) -> bool {
    report["ok"] == true
}

/// A report as lines of name and value, or as the text that it has ready.
pub fn lines(report: &Value) -> String {
    if let Some(text) = report["text"].as_str() {
        return text.into();
    }
    let mut rows = Vec::new();
    flatten("", report, &mut rows);
    let width = rows.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    rows.iter().fold(String::new(), |mut text, (name, value)| {
        writeln!(text, "{name:width$}  {value}").expect("a string takes everything");
        text
    })
}

fn flatten(name: &str, value: &Value, rows: &mut Vec<(String, String)>) {
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            for (key, value) in fields {
                let name = if name.is_empty() { key.clone() } else { format!("{name}.{key}") };
                flatten(&name, value, rows);
            }
        }
        Value::Null => rows.push((name.into(), "—".into())),
        Value::Number(number) if number.is_f64() => {
            rows.push((name.into(), format!("{:.3}", number.as_f64().unwrap_or(f64::NAN))));
        }
        Value::String(text) => rows.push((name.into(), text.clone())),
        other => rows.push((name.into(), other.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_report_reads_as_lines() {
        let report =
            report("pairs", true, json!({ "rate": 1234.5678, "check": { "missing": 0 }, "cpu": null })).unwrap();
        let text = lines(&report);
        for line in ["command        pairs", "rate           1234.568", "check.missing  0", "cpu            —"] {
            assert!(text.lines().any(|found| found == line), "{line:?} is not in\n{text}");
        }
        assert!(is_good(&report) && !is_good(&json!({})));
    }
}
