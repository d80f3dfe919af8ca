//! `kith-load fsync`: how long the disk itself takes to keep 4 KiB, with no server in between. Figures of durable writes are judged by it.

use std::{
    fs::{File, remove_file},
    io::Write,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::{
    error::{Error, Result},
    latency::Latency,
    report::report,
};

const APPEND_BYTES: usize = 4096;

/// The arguments of `kith-load fsync`.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// A folder on the disk in question
    #[arg(long)]
    dir: PathBuf,
    /// Seconds of appending
    #[arg(long, default_value_t = 3.0)]
    duration: f64,
}

/// Measures.
///
/// # Errors
/// The folder cannot be written.
pub fn run(args: &Args) -> Result<Value> {
    let path = args.dir.join(format!("kith-load-fsync-{}", std::process::id()));
    let measured = append(&path, Duration::from_secs_f64(args.duration.clamp(0.0, 600.0)));
    let removed = remove_file(&path).map_err(Error::io(format!("cannot remove {}", path.display())));
    let times = measured.map_err(Error::io(format!("cannot append to {}", path.display())))?;
    removed?;
    report("fsync", true, json!({ "append_bytes": APPEND_BYTES, "fdatasync": times.summary() }))
}

fn append(path: &Path, duration: Duration) -> std::io::Result<Latency> {
    let mut file = File::create_new(path)?;
    let (mut times, block, began) = (Latency::default(), [7; APPEND_BYTES], Instant::now());
    while began.elapsed() < duration {
        file.write_all(&block)?;
        let before = Instant::now();
        file.sync_data()?;
        times.record(before.elapsed().as_micros() as u64);
    }
    Ok(times)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_leaves_nothing_behind_and_needs_a_folder() {
        let dir = tempfile::tempdir().unwrap();
        let report = run(&Args { dir: dir.path().into(), duration: 0.05 }).unwrap();
        assert!(report["fdatasync"]["count"].as_u64() > Some(0));
        assert_eq!(dir.path().read_dir().unwrap().count(), 0);
        assert!(run(&Args { dir: dir.path().join("not there"), duration: 0.05 }).is_err());
    }
}
