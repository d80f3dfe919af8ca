//! The invariants of the source that a test can check; each says why it is there when it is broken.

mod comments;
mod functions;
mod imports;

use std::{
    fs,
    path::{Path, PathBuf},
};

/// Every folder of sources that are no tests.
const SOURCES: [&str; 7] =
    ["server/src", "protocol/src", "log/src", "device/src", "client/src", "terminal/src", "load/src"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace").to_owned()
}

/// The names of the packages that a crate needs to run, without those of its tests.
fn dependencies(manifest: &str) -> Vec<String> {
    let text = fs::read_to_string(root().join(manifest)).expect("a manifest");
    let (_, rest) = text.split_once("[dependencies]\n").expect("a manifest with dependencies");
    let lines = rest.lines().take_while(|line| !line.starts_with('['));
    let names = lines.filter_map(|line| line.split([' ', '.', '=']).next()).filter(|name| !name.is_empty());
    names.map(str::to_owned).collect()
}

/// Every source file under a folder, with its path from the workspace.
fn sources(folder: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for file in fs::read_dir(&folder).expect("a folder of sources").flatten() {
            let path = file.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path.strip_prefix(root()).expect("below the workspace").display().to_string();
                found.push((name, fs::read_to_string(&path).expect("a source")));
            }
        }
    }
    assert!(!found.is_empty(), "{folder} has sources");
    found
}

/// The lines that are no comment and no unit test, with their numbers.
fn code(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let tests = text.find("\n#[cfg(test)]\nmod tests {").unwrap_or(text.len());
    let lines = text[..tests].lines().enumerate();
    lines.map(|(number, line)| (number + 1, line)).filter(|(_, line)| !line.trim_start().starts_with("//"))
}

/// No line of the files for which `of` holds may hold one of `words`.
fn never(folder: &str, of: impl Fn(&str) -> bool, words: &[&str], reason: &str) {
    let mut broken = Vec::new();
    for (name, text) in sources(folder).iter().filter(|(name, _)| of(name)) {
        let lines = code(text).filter(|(_, line)| words.iter().any(|word| line.contains(word)));
        broken.extend(lines.map(|(number, line)| format!("{name}:{number}: {}", line.trim())));
    }
    assert!(broken.is_empty(), "{reason}\n{}", broken.join("\n"));
}

#[test]
fn the_doors_know_nothing_of_what_is_behind() {
    for door in ["server/src/http", "server/src/socket"] {
        never(
            door,
            |name| !name.ends_with("tests.rs"),
            &["crate::store", "store::", "crate::bus", "rusqlite", "foundationdb"],
            "a door speaks with sessions, accounts and conversations only, so that any store can stand behind it",
        );
    }
}

#[test]
fn no_door_reaches_past_a_node_to_its_store() {
    never(
        "server/src",
        |name| name.ends_with("src/node.rs"),
        &["pub store", "pub(crate) store"],
        "a door asks accounts and conversations, which check who may: the store of a node is its own",
    );
}

#[test]
fn keys_are_built_in_one_place() {
    never(
        "server/src",
        |name| !name.starts_with("server/src/store/") && !name.ends_with("tests.rs"),
        &["KeyRange {", "tagged(", "last.key[..]", "row.key[..]", "key: vec!", "partition: vec!", "partition: ["],
        "what a key means can be changed because only `store/schema` builds keys and ranges of them",
    );
}

#[test]
fn an_engine_is_known_in_one_place() {
    never(
        "server/src",
        |name| {
            let engines = ["server/src/store/sqlite", "server/src/search/fts"];
            !engines.iter().any(|engine| name.starts_with(engine)) && !name.ends_with("src/backends.rs")
        },
        &["rusqlite"],
        "an embedded engine can be replaced because only its own folder knows it",
    );
}

#[test]
fn the_keeper_of_bytes_is_known_in_one_place() {
    never(
        "server/src",
        |name| {
            !name.starts_with("server/src/media") && !name.ends_with("src/backends.rs") && !name.ends_with("tests.rs")
        },
        &["object_store"],
        "the bytes of media can lie in a folder or elsewhere because only `media` knows what keeps them",
    );
}

#[test]
fn the_protocol_waits_for_nothing() {
    never(
        "protocol/src",
        |_| true,
        &["tokio", "async ", ".await", "std::net", "std::fs", "SystemTime::now", "Instant::now", "getrandom"],
        "what is said must not depend on when, where or by whom it is read: the fuzzers and every client use it",
    );
}

#[test]
fn the_meaning_of_a_log_waits_for_nothing() {
    const REASON: &str =
        "the server, its checks and every client fold a log to the same, so nothing else may go into it";
    assert_eq!(dependencies("log/Cargo.toml"), ["kith-protocol", "serde", "thiserror"], "{REASON}");
    never(
        "log/src",
        |_| true,
        &["tokio", "async ", ".await", "std::net", "std::fs", "std::thread", "std::time", "getrandom", "HashMap"],
        REASON,
    );
}

#[test]
fn the_client_does_not_know_the_server() {
    const REASON: &str = "a client is built from the protocol alone, as a stranger's would be";
    for folder in ["device", "client", "terminal"] {
        let names = dependencies(&format!("{folder}/Cargo.toml"));
        assert!(names.iter().all(|name| name != "kith"), "{REASON}\n{folder}: {names:?}");
        never(&format!("{folder}/src"), |_| true, &["kith::"], REASON);
    }
}

#[test]
fn a_device_waits_for_nothing_and_owns_no_clock() {
    const REASON: &str = "a device can be run from a seed, in any program, because all that it knows is passed in";
    let names = dependencies("device/Cargo.toml");
    assert_eq!(names, ["kith-log", "kith-protocol", "thiserror"], "{REASON}");
    never(
        "device/src",
        |name| !name.contains("/tests/"),
        &["async ", ".await", "std::net", "std::fs", "std::thread", "SystemTime::now", "Instant::now", "Uuid::now"],
        REASON,
    );
}

#[test]
fn who_uses_the_client_library_pays_for_no_program() {
    let names = dependencies("client/Cargo.toml");
    let foreign = ["clap", "jiff", "rpassword"];
    assert!(!names.iter().any(|name| foreign.contains(&name.as_str())), "a library has no command line\n{names:?}");
}

#[test]
fn one_file_writes_to_the_terminal() {
    never(
        "terminal/src",
        |name| !name.ends_with("src/screen.rs"),
        &["print!(", "println!(", "stdout()", "stderr()"],
        "what others say steers no terminal because all that is shown goes through `screen`, which cleans it",
    );
    for folder in ["device/src", "client/src"] {
        never(folder, |_| true, &["print!(", "println!("], "a library has no terminal");
    }
}

#[test]
fn time_and_chance_come_from_one_place() {
    never(
        "server/src",
        |name| !name.ends_with("src/clock.rs") && !name.ends_with("tests.rs") && !name.contains("/tests/"),
        &["SystemTime::now", "Uuid::now_v7", "getrandom::fill"],
        "wall clock, identifiers and randomness come from `clock` alone, so that a simulation can give them",
    );
}

#[test]
fn nothing_is_left_undone() {
    for folder in SOURCES {
        never(
            folder,
            |_| true,
            &["todo!(", "unimplemented!(", "dbg!("],
            "what is not there is not pretended to be there",
        );
    }
}

#[test]
fn every_select_is_in_a_stated_order() {
    let mut broken = Vec::new();
    // The load generator measures, and takes what is ready.
    for (name, text) in SOURCES.iter().filter(|folder| **folder != "load/src").flat_map(|folder| sources(folder)) {
        let lines: Vec<_> = text.lines().collect();
        for (number, line) in lines.iter().enumerate().filter(|(_, line)| line.contains("select! {")) {
            let next = lines.get(number + 1).is_some_and(|line| line.trim() == "biased;");
            if !next {
                broken.push(format!("{name}:{}: {}", number + 1, line.trim()));
            }
        }
    }
    assert!(broken.is_empty(), "an order by chance cannot be run again from a seed\n{}", broken.join("\n"));
}

#[test]
fn a_file_can_be_read_at_once() {
    const LINES: usize = 500;
    let mut broken = Vec::new();
    for folder in SOURCES {
        for (name, text) in sources(folder) {
            if code(&text).count() > LINES {
                broken.push(name);
            }
        }
    }
    assert!(
        broken.is_empty(),
        "a file of more than {LINES} lines of code does more than one thing\n{}",
        broken.join("\n")
    );
}

#[test]
fn a_lint_is_not_silenced_without_a_reason() {
    for folder in SOURCES {
        never(
            folder,
            |_| true,
            &["#[allow(", "#![allow("],
            "`#[expect(…, reason)]` says why, and tells when it is over",
        );
    }
}
