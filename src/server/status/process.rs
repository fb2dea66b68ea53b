//! What the system says of this process, read from `/proc` as proc(5) has it.

use std::fs;

use crate::telemetry::Process;

pub fn read(start: u64) -> Process {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let memory = fs::read_to_string("/proc/self/statm").unwrap_or_default();
    Process {
        cpu_seconds: processor_ticks(&stat)
            .map(|ticks| ticks as f64 / rustix::param::clock_ticks_per_second().max(1) as f64),
        resident_bytes: resident_pages(&memory)
            .map(|pages| pages * rustix::param::page_size() as u64),
        // Reading the directory takes a descriptor of its own.
        open_fds: fs::read_dir("/proc/self/fd")
            .ok()
            .map(|entries| (entries.count() as u64).saturating_sub(1)),
        max_fds: rustix::process::getrlimit(rustix::process::Resource::Nofile).current,
        start,
    }
}

/// User and system time of all threads.
fn processor_ticks(stat: &str) -> Option<u64> {
    // The name of the program may hold spaces and brackets; what follows may not.
    let (_, rest) = stat.rsplit_once(") ")?;
    let mut fields = rest.split(' ').skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    user.checked_add(system)
}

fn resident_pages(statm: &str) -> Option<u64> {
    statm.split(' ').nth(1)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fields_are_where_proc_5_says() {
        let stat = "7 (a ) b) S 1 7 7 0 -1 4194560 100 0 0 0 12 30 0 0 20 0 3 0 99 1 2\n";
        assert_eq!(processor_ticks(stat), Some(42));
        assert_eq!(resident_pages("900 77 5 1 0 8 0\n"), Some(77));
        assert_eq!(processor_ticks(""), None);
    }

    #[test]
    fn this_process_is_seen() {
        let seen = read(5);
        assert!(seen.resident_bytes.unwrap() > 100_000);
        assert!(seen.open_fds.unwrap() >= 3);
        assert!(seen.cpu_seconds.is_some());
    }
}
