//! The order of the modules in `lib.rs` is the order of their imports: each imports only what stands below it.

use std::fs;

use super::{code, root, sources};

/// The modules of the server in the order of `lib.rs`, and for what it hands on from one, that one: `Error` and `error`.
fn order() -> (Vec<String>, Vec<(String, String)>) {
    let lib = fs::read_to_string(root().join("server/src/lib.rs")).expect("the map of the server");
    let modules = lib.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';'));
    let handed_on = lib.lines().filter_map(|line| line.strip_prefix("pub use ")?.strip_suffix(';')?.split_once("::"));
    let handed_on = handed_on.map(|(module, item)| (item.to_owned(), module.to_owned()));
    (modules.map(str::to_owned).collect(), handed_on.collect())
}

/// The top-level module of a file, and how many `super` lead from it to the root of the crate; none for the root itself and
/// for what holds tests only.
fn place(file: &str) -> Option<(&str, usize)> {
    if file.ends_with("tests.rs") || file.contains("/tests/") {
        return None;
    }
    let path = file.strip_prefix("server/src/")?.strip_suffix(".rs")?;
    let path = path.strip_suffix("/mod").unwrap_or(path);
    Some((path.split('/').next()?, path.split('/').count()))
}

/// The names that the code of a file takes from the root of its crate, with their lines: by `crate`, or by as many `super`
/// as lead there.
fn from_root(text: &str, supers: usize) -> Vec<(usize, String)> {
    let mut plain = String::new();
    let mut starts = Vec::new();
    for (number, line) in code(text) {
        starts.push((plain.len(), number));
        plain.extend([line, "\n"]);
    }
    let line_of = |at: usize| starts[starts.partition_point(|(start, _)| *start <= at) - 1].1;
    let mut found = Vec::new();
    for root in ["crate::".to_owned(), "super::".repeat(supers)] {
        for (at, _) in plain.match_indices(&root) {
            let within = plain[..at].ends_with(|before: char| before.is_alphanumeric() || "_:".contains(before));
            if !within {
                found.extend(first_names(&plain[at + root.len()..]).into_iter().map(|name| (line_of(at), name)));
            }
        }
    }
    found
}

/// The first name of a path, or of each path where several stand in braces.
fn first_names(path: &str) -> Vec<String> {
    let name = |path: &str| -> String {
        path.trim_start().chars().take_while(|letter| letter.is_alphanumeric() || *letter == '_').collect()
    };
    let Some(group) = path.strip_prefix('{') else { return vec![name(path)] };
    let (mut names, mut depth, mut start) = (Vec::new(), 0, 0);
    for (at, letter) in group.char_indices() {
        match letter {
            '{' => depth += 1,
            ',' | '}' if depth == 0 => {
                names.push(name(&group[start..at]));
                start = at + 1;
                if letter == '}' {
                    break;
                }
            }
            '}' => depth -= 1,
            _ => {}
        }
    }
    names.retain(|name| !name.is_empty());
    names
}

#[test]
fn a_module_imports_only_what_stands_below_it() {
    let (order, handed_on) = order();
    let height = |module: &str| order.iter().position(|other| other == module);
    let (mut broken, mut looked_at) = (Vec::new(), 0);
    for (file, text) in sources("server/src") {
        let Some((module, supers)) = place(&file) else { continue };
        let Some(own) = height(module) else { continue };
        for (line, name) in from_root(&text, supers) {
            let of = handed_on.iter().find(|(item, _)| *item == name).map_or(&name, |(_, of)| of);
            let Some(other) = height(of) else { continue };
            looked_at += 1;
            if other < own {
                broken.push(format!("{file}:{line}: {module} imports {of}, which stands above it in lib.rs"));
            }
        }
    }
    assert!(looked_at > 500, "imports are found: {looked_at}");
    assert!(broken.is_empty(), "whoever reads a module needs to know only what is below it\n{}", broken.join("\n"));
}

#[test]
fn an_import_is_seen_however_it_is_written() {
    let text = "use crate::store;\n// use crate::comment;\nuse crate::{\n    Error, account::{Actor, check},\n    node::Node,\n};\n\
                fn f() { crate::room::make(); super::super::wire::frame() }\nuse super::sibling;\n\
                #[cfg(test)]\nmod tests {\n    use crate::server;\n}\n";
    let mut found = from_root(text, 2);
    found.sort();
    let expected = [(1, "store"), (3, "Error"), (3, "account"), (3, "node"), (7, "room"), (7, "wire")];
    assert_eq!(found, expected.map(|(line, name)| (line, name.to_owned())));
    assert_eq!(from_root("use super::store;\n", 1), [(1, "store".to_owned())]);
    assert_eq!(place("server/src/store/sqlite/mod.rs"), Some(("store", 2)));
    assert_eq!(place("server/src/node.rs"), Some(("node", 1)));
    assert_eq!(place("server/src/http/tests.rs"), None);
}
