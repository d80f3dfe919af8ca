//! The memory that the process may have, and the share of it that pictures may have.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::limits;

/// Bytes in which pictures may be read: an eighth of what the process may have, within bounds.
pub fn for_pictures() -> u64 {
    let read = |path: &Path| fs::read_to_string(path).ok();
    (available(read) / limits::PICTURES_PART).clamp(limits::PICTURES_BYTES_AT_LEAST, limits::PICTURES_BYTES_AT_MOST)
}

/// Bytes that the machine has, or that the process's control groups allow where that is less; 0 where nobody says.
fn available(read: impl Fn(&Path) -> Option<String>) -> u64 {
    let machine = read(Path::new("/proc/meminfo")).and_then(|text| {
        let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
        line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
    });
    let groups = read(Path::new("/proc/self/cgroup")).unwrap_or_default();
    let allowed = groups.lines().flat_map(files).filter_map(|file| read(&file)?.trim().parse().ok());
    allowed.chain(machine).min().unwrap_or(0)
}

/// The files that say what a line of `/proc/self/cgroup` allows: of its group and of all around it (cgroups(7)).
fn files(line: &str) -> Vec<PathBuf> {
    let mut parts = line.splitn(3, ':').skip(1);
    let (Some(controllers), Some(group)) = (parts.next(), parts.next()) else { return Vec::new() };
    let (root, file) = match controllers {
        "" => ("/sys/fs/cgroup", "memory.max"),
        _ if controllers.split(',').any(|one| one == "memory") => ("/sys/fs/cgroup/memory", "memory.limit_in_bytes"),
        _ => return Vec::new(),
    };
    let group = Path::new(group.trim_start_matches('/'));
    group.ancestors().map(|group| Path::new(root).join(group).join(file)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(files: &[(&str, &str)]) -> u64 {
        available(|path| files.iter().find(|(name, _)| Path::new(name) == path).map(|(_, text)| (*text).to_owned()))
    }

    #[test]
    fn the_narrowest_group_counts() {
        let machine = ("/proc/meminfo", "MemTotal:       16000000 kB\nMemFree:  1 kB\n");
        assert_eq!(of(&[machine]), 16_384_000_000);
        let group = ("/proc/self/cgroup", "0::/a.slice/kith.service\n");
        let unbounded = ("/sys/fs/cgroup/a.slice/kith.service/memory.max", "max\n");
        let around = ("/sys/fs/cgroup/a.slice/memory.max", "1000000000\n");
        assert_eq!(of(&[machine, group, unbounded, around]), 1_000_000_000);
        // A container sees itself as the root.
        assert_eq!(of(&[machine, ("/proc/self/cgroup", "0::/\n"), ("/sys/fs/cgroup/memory.max", "5000\n")]), 5000);
        let old = ("/proc/self/cgroup", "4:cpu,memory:/kith\n1:name=systemd:/\n");
        assert_eq!(of(&[machine, old, ("/sys/fs/cgroup/memory/kith/memory.limit_in_bytes", "7000\n")]), 7000);
        assert_eq!(of(&[]), 0);
    }

    #[test]
    fn pictures_have_an_eighth_of_it_within_bounds() {
        let bytes = for_pictures();
        assert!((limits::PICTURES_BYTES_AT_LEAST..=limits::PICTURES_BYTES_AT_MOST).contains(&bytes));
    }
}
