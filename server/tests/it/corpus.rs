//! The corpus of the fuzzer, with what it once found, goes through the same doors as bytes from a stranger.

use std::{fs, path::Path};

#[path = "../../../fuzz/src/lib.rs"]
mod targets;

#[test]
fn no_bytes_of_the_corpus_do_what_bytes_must_not_do() {
    let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz");
    for (name, target) in targets::TARGETS {
        assert!(run(&fuzz.join("corpus").join(name), target) > 0, "{name} has a corpus");
        run(&fuzz.join("regressions").join(name), target);
    }
}

/// Runs every file of a folder, if it is there; how many there were.
fn run(folder: &Path, target: targets::Target) -> usize {
    let files = fs::read_dir(folder).into_iter().flatten();
    let run = files.map(|file| {
        let path = file.expect("a folder can be read").path();
        println!("{}", path.display());
        target(&fs::read(path).expect("a file can be read"));
    });
    run.count()
}
