//! The web client is part of the program: a new one is a new program.

fn main() {
    println!("cargo::rerun-if-changed=../web/dist");
}
