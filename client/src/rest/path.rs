//! The parts of a path and its query, escaped.

use std::fmt::{Display, Write};

use super::Paging;

/// One segment of a path, or one value of a query (RFC 3986, section 2.3: all but the unreserved is escaped).
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            write!(escaped, "%{byte:02X}").expect("a String takes all");
        }
    }
    escaped
}

/// A path with a query that grows.
pub(super) struct Query(String);

impl Query {
    pub(super) fn new(path: impl Into<String>) -> Self {
        Self(path.into())
    }

    /// Adds `name=value`, where there is a value.
    pub(super) fn with(mut self, name: &str, value: Option<impl Display>) -> Self {
        if let Some(value) = value {
            self.0.push(if self.0.contains('?') { '&' } else { '?' });
            self.0.push_str(name);
            self.0.push('=');
            self.0.push_str(&escape(&value.to_string()));
        }
        self
    }

    /// Adds which part of a list.
    pub(super) fn paging(self, paging: &Paging) -> String {
        self.with("limit", paging.limit).with("cursor", paging.cursor.as_ref()).0
    }

    pub(super) fn done(self) -> String {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_carries_any_value() {
        let paging = Paging { limit: Some(3), cursor: Some("a&b=c/?".into()) };
        let path = Query::new("/v1/users").with("username", Some("ännä")).paging(&paging);
        assert_eq!(path, "/v1/users?username=%C3%A4nn%C3%A4&limit=3&cursor=a%26b%3Dc%2F%3F");
        assert_eq!(Query::new("/v1/users").paging(&Paging::default()), "/v1/users");
    }
}
