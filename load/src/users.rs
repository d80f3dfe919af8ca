//! `kith-load users`: the import file of users who sign in with tokens that follow from a seed.
//!
//! So 15 000 connections need no 15 000 passwords hashed: the file says the hash of each token, and whoever knows the seed knows the token.

use std::{
    fs::File,
    io::{self, BufWriter, Write},
    path::PathBuf,
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::error::{Error, Result};

/// A well-formed hash that no password has: these users have only their tokens.
const NO_PASSWORD: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$a2l0aC1sb2FkLWtpdGgtbA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// The arguments of `kith-load users`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Number of users
    #[arg(long)]
    count: usize,
    /// The first one's number
    #[arg(long, default_value_t = 0)]
    first: usize,
    /// Prefix of their names
    #[arg(long, default_value = "bench")]
    prefix: String,
    /// Seed of their tokens; whoever knows it can sign in as them
    #[arg(long, default_value = "kith")]
    seed: String,
    /// The file for `kith users import`
    #[arg(long)]
    out: PathBuf,
}

/// Writes the file, one user a line.
///
/// # Errors
/// The file cannot be written.
pub fn run(args: &Args) -> Result<Value> {
    let what = || format!("cannot write {}", args.out.display());
    let mut file = BufWriter::new(File::create(&args.out).map_err(Error::io(what()))?);
    let users = args.first..args.first + args.count;
    users.clone().try_for_each(|index| write_line(&mut file, args, index)).map_err(Error::io(what()))?;
    file.flush().map_err(Error::io(what()))?;
    Ok(json!({ "command": "users", "ok": true, "count": args.count, "file": args.out }))
}

fn write_line(file: &mut impl Write, args: &Args, index: usize) -> io::Result<()> {
    let line = json!({
        "username": username(&args.prefix, index),
        "password_hash": NO_PASSWORD,
        "token_hash": hex(&Sha256::digest(token(&args.seed, &args.prefix, index))),
    });
    writeln!(file, "{line}")
}

/// The name of the user with this number.
pub fn username(prefix: &str, index: usize) -> String {
    format!("{prefix}-{index}")
}

/// The token of the user with this number.
pub fn token(seed: &str, prefix: &str, index: usize) -> String {
    let bytes = Sha256::digest(format!("{seed}/{prefix}/{index}"));
    format!("kith_{}", URL_SAFE_NO_PAD.encode(bytes))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_has_the_server_s_form_and_is_one_s_own() {
        let token = super::token("kith", "bench", 17);
        assert_eq!(token.len(), "kith_".len() + 43);
        assert_eq!(token, super::token("kith", "bench", 17));
        assert_ne!(token, super::token("kith", "bench", 18));
        assert_ne!(token, super::token("other", "bench", 17));
    }

    #[test]
    fn the_file_has_a_line_for_each_with_the_hash_of_the_token() {
        let dir = tempfile::tempdir().unwrap();
        let out = dir.path().join("users");
        let args = Args { count: 3, first: 5, prefix: "p".into(), seed: "s".into(), out: out.clone() };
        run(&args).unwrap();
        let text = std::fs::read_to_string(out).unwrap();
        let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines.len(), 3);
        assert_eq!(lines[2]["username"], "p-7");
        assert_eq!(lines[2]["token_hash"], hex(&Sha256::digest(token("s", "p", 7))));
        // FIPS 180-2's first example, so that "hash" means what the server means.
        assert!(hex(&Sha256::digest("abc")).starts_with("ba7816bf8f01cfea414140de5dae2223"));
    }
}
