//! The page for who opens the server's address in a browser.

use std::sync::Arc;

use axum::{
    extract::State,
    http::{HeaderName, header},
    response::Html,
};

use super::{App, auth::Guest};

const PAGE: &str = include_str!("page.html");
/// The page asks for nothing, and runs nothing.
const POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Says what this is, and how to chat here.
pub async fn start(State(app): State<Arc<App>>, _: Guest) -> ([(HeaderName, &'static str); 1], Html<String>) {
    let text =
        PAGE.replace("{{name}}", &escaped(&app.node.config.name)).replace("{{version}}", env!("CARGO_PKG_VERSION"));
    ([(header::CONTENT_SECURITY_POLICY, POLICY)], Html(text))
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_become_markup() {
        assert_eq!(escaped(r#"<b a="x">&"#), "&lt;b a=&quot;x&quot;&gt;&amp;");
    }
}
