//! The resources that a process has used, from Linux' /proc (proc(5)).

use std::{fs, time::Duration};

use serde::Serialize;

use crate::error::{Error, Result};

/// Linux counts CPU time for user space in hundredths of a second, on every architecture that Rust knows.
const TICK_MS: u64 = 10;

/// The resources that a process has used up to now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Usage {
    /// CPU time in user space, all threads.
    pub user: Duration,
    /// CPU time in the kernel, all threads.
    pub system: Duration,
    /// Threads that it has.
    pub threads: u64,
    /// Bytes of memory resident.
    pub rss_bytes: u64,
    /// System calls that wrote; those through `send(2)` are not counted by Linux. `None` where /proc does not tell.
    pub write_calls: Option<u64>,
    /// Bytes that it made the disk write.
    pub disk_bytes: Option<u64>,
}

/// The resources that a process used between two moments, and its memory at the second.
#[derive(Debug, Clone, Serialize)]
pub struct Spent {
    /// CPU seconds, user and kernel.
    pub cpu_s: f64,
    /// Seconds of CPU time in user space.
    pub user_s: f64,
    /// Cores kept busy.
    pub cores: f64,
    /// Threads at the end.
    pub threads: u64,
    /// MiB resident at the end.
    pub rss_mib: f64,
    /// Writing system calls as Linux counts them: not those through `send(2)`, but those to files too.
    pub write_calls: Option<u64>,
    /// MiB written to the disk.
    pub disk_mib: Option<f64>,
}

impl Usage {
    /// Reads what the process with this number has used.
    ///
    /// # Errors
    /// There is no such process, or it may not be looked at.
    pub fn of(pid: u32) -> Result<Self> {
        Self::read(&pid.to_string())
    }

    /// Reads the resources that this program itself has used.
    ///
    /// # Errors
    /// There is no /proc.
    pub fn own() -> Result<Self> {
        Self::read("self")
    }

    fn read(pid: &str) -> Result<Self> {
        let file = |name: &str| {
            let path = format!("/proc/{pid}/{name}");
            fs::read_to_string(&path).map_err(Error::io(format!("cannot read {path}")))
        };
        let bad = || Error::Refused(format!("/proc/{pid} is not in the form of Linux"));
        let (user, system, threads) = stat(&file("stat")?).ok_or_else(bad)?;
        // smaps_rollup is exact; status lags by what each thread has not yet added up.
        let rss = file("smaps_rollup")
            .ok()
            .and_then(|text| field(&text, "Rss:"))
            .or_else(|| field(&file("status").ok()?, "VmRSS:"))
            .ok_or_else(bad)?;
        let io = file("io").ok();
        let counted = |name| field(io.as_deref()?, name);
        Ok(Self {
            user: Duration::from_millis(user * TICK_MS),
            system: Duration::from_millis(system * TICK_MS),
            threads,
            rss_bytes: rss * 1024,
            write_calls: counted("syscw:"),
            disk_bytes: counted("write_bytes:"),
        })
    }

    /// CPU time, all of it.
    pub fn cpu(&self) -> Duration {
        self.user + self.system
    }

    /// The resources used from `earlier` to here, within `time`.
    pub fn since(&self, earlier: &Self, time: Duration) -> Spent {
        let cpu = self.cpu().saturating_sub(earlier.cpu());
        Spent {
            cpu_s: cpu.as_secs_f64(),
            user_s: self.user.saturating_sub(earlier.user).as_secs_f64(),
            cores: cpu.as_secs_f64() / time.as_secs_f64(),
            threads: self.threads,
            rss_mib: self.rss_bytes as f64 / f64::from(1 << 20),
            write_calls: self.write_calls.zip(earlier.write_calls).map(|(now, then)| now.saturating_sub(then)),
            disk_mib: (self.disk_bytes.zip(earlier.disk_bytes))
                .map(|(now, then)| now.saturating_sub(then) as f64 / f64::from(1 << 20)),
        }
    }
}

/// CPU time of the whole machine, in ticks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Machine {
    /// All of it, idle or not.
    pub all: u64,
    /// Steal time: the host gave it to others while somebody here wanted it.
    pub stolen: u64,
}

impl Machine {
    /// The times up to now; `None` where /proc does not tell.
    pub fn now() -> Option<Self> {
        machine(&fs::read_to_string("/proc/stat").ok()?)
    }

    /// The steal time from `earlier` to here, in hundredths of all time.
    pub fn stolen_percent_since(&self, earlier: &Self) -> f64 {
        100.0 * self.stolen.saturating_sub(earlier.stolen) as f64 / self.all.saturating_sub(earlier.all).max(1) as f64
    }
}

/// Of /proc/stat: user, nice, system, idle, iowait, irq, softirq, steal; what follows is counted in these already.
fn machine(text: &str) -> Option<Machine> {
    let numbers = text.lines().find_map(|line| line.strip_prefix("cpu "))?.split_ascii_whitespace();
    let ticks: Vec<u64> = numbers.take(8).map_while(|number| number.parse().ok()).collect();
    Some(Machine { all: ticks.iter().sum(), stolen: *ticks.get(7)? })
}

/// Refuses what would need more open files than this process may have.
///
/// # Errors
/// It would; the text says how many there are.
pub fn has_files_for(connections: usize) -> Result<()> {
    let Some(limit) = fs::read_to_string("/proc/self/limits").ok().and_then(|text| field(&text, "Max open files"))
    else {
        return Ok(());
    };
    let needed = connections as u64 + 64;
    if needed > limit {
        return Err(Error::Refused(format!("{needed} open files are needed, {limit} are allowed: see ulimit -n")));
    }
    Ok(())
}

/// User ticks, kernel ticks and threads of /proc/PID/stat. A program's name may hold spaces and brackets.
fn stat(text: &str) -> Option<(u64, u64, u64)> {
    let after_name = &text[text.rfind(')')? + 1..];
    let mut fields = after_name.split_ascii_whitespace().skip(11);
    let user = fields.next()?.parse().ok()?;
    let system = fields.next()?.parse().ok()?;
    let threads = fields.nth(4)?.parse().ok()?;
    Some((user, system, threads))
}

/// The first number after a name at the beginning of a line.
fn field(text: &str, name: &str) -> Option<u64> {
    let rest = text.lines().find_map(|line| line.strip_prefix(name))?;
    rest.split_ascii_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stat_is_read_behind_any_name() {
        let text = "7 (a) b (c) S 1 7 7 0 -1 4194560 1 2 3 4 250 150 0 0 20 0 9 0 1 2 3";
        assert_eq!(stat(text), Some((250, 150, 9)));
        assert_eq!(stat("7 (a"), None);
    }

    #[test]
    fn what_the_host_took_is_the_eighth_number() {
        let read = |text| machine(text).unwrap();
        let (then, now) = (read("cpu  10 0 5 80 2 1 1 1 9 9\ncpu0 1\n"), read("cpu  20 0 15 140 2 1 1 21 99 9\n"));
        assert_eq!((then, now.all), (Machine { all: 100, stolen: 1 }, 200));
        assert_eq!(now.stolen_percent_since(&then), 20.0);
        assert_eq!((machine("cpu  1 2 3\n"), machine("intr 5")), (None, None));
    }

    #[test]
    fn fields_are_found_by_their_name() {
        let text = "Max cpu time  unlimited\nMax open files            1024  4096  files\nRss:   12 kB\n";
        assert_eq!(
            (field(text, "Max open files"), field(text, "Rss:"), field(text, "Pss:")),
            (Some(1024), Some(12), None)
        );
    }

    #[test]
    fn this_process_has_used_something() {
        let own = Usage::own().unwrap();
        assert!(own.rss_bytes > 0 && own.threads > 0);
        assert!(Usage::of(u32::MAX).is_err());
        assert!(has_files_for(10_000_000).is_err());
    }
}
