//! What a process costs, read from `/proc`: processor time and resident memory.
//! It observes; it never signals or starts a process.

use std::fs;
use std::io;
use std::time::Duration;

/// The processes that together are the milter under test.
#[derive(Debug, Default)]
pub struct Processes {
    pids: Vec<u32>,
}

/// Resident memory in bytes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Memory {
    pub resident: u64,
    /// The largest `resident` since the process began or [`Processes::reset_peak`].
    pub peak: u64,
}

/// A file of `/proc` that could not be read or understood.
#[derive(Debug, thiserror::Error)]
#[error("cannot measure process {pid} by {path}")]
pub struct ProcessError {
    pid: u32,
    path: String,
    source: io::Error,
}

impl Processes {
    pub fn new(pids: &[u32]) -> Self {
        Self {
            pids: pids.to_vec(),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.pids.is_empty()
    }

    /// User and system time of all threads, ended ones included, in steps of the
    /// kernel's clock tick (usually 10 ms).
    ///
    /// # Errors
    /// When a process is gone or hidden.
    pub fn processor_time(&self) -> Result<Duration, ProcessError> {
        self.sum("stat", processor_ticks).map(|ticks| {
            let per_second = rustix::param::clock_ticks_per_second().max(1);
            Duration::from_micros(ticks * 1_000_000 / per_second)
        })
    }

    /// # Errors
    /// When a process is gone or hidden.
    pub fn memory(&self) -> Result<Memory, ProcessError> {
        Ok(Memory {
            resident: self.sum("status", |text| status_bytes(text, "VmRSS:"))?,
            peak: self.sum("status", |text| status_bytes(text, "VmHWM:"))?,
        })
    }

    /// Lets the peak begin anew at what is resident now. False when the kernel
    /// does not permit that; the peak then counts from the start of the process.
    pub fn reset_peak(&self) -> bool {
        // proc(5): writing 5 to clear_refs resets the peak resident set size.
        self.pids
            .iter()
            .all(|pid| fs::write(format!("/proc/{pid}/clear_refs"), "5").is_ok())
    }

    fn sum(&self, file: &str, read: impl Fn(&str) -> Option<u64>) -> Result<u64, ProcessError> {
        self.pids
            .iter()
            .map(|&pid| {
                let path = format!("/proc/{pid}/{file}");
                fs::read_to_string(&path)
                    .and_then(|text| {
                        read(&text).ok_or_else(|| io::Error::other("not in the form of proc(5)"))
                    })
                    .map_err(|source| ProcessError { pid, path, source })
            })
            .sum()
    }
}

/// utime + stime of proc_pid_stat(5). The command name before them is in
/// parentheses and may itself hold spaces and parentheses.
fn processor_ticks(stat: &str) -> Option<u64> {
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_ascii_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(user + system)
}

fn status_bytes(status: &str, field: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(field))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_name_with_spaces_and_parentheses_does_not_shift_the_fields() {
        let stat = "42 (a) b (c) S 1 42 42 0 -1 4194304 100 0 0 0 17 5 900 900 20 0 4 0 100";
        assert_eq!(processor_ticks(stat), Some(22));
        assert_eq!(processor_ticks("42 (short) S 1 2"), None);
    }

    #[test]
    fn status_is_in_kibibytes() {
        let status = "Name:\tx\nVmHWM:\t    2048 kB\nVmRSS:\t    1024 kB\n";
        assert_eq!(status_bytes(status, "VmHWM:"), Some(2048 * 1024));
        assert_eq!(status_bytes(status, "VmSwap:"), None);
    }

    #[test]
    fn this_process_has_memory_and_a_peak_not_below_it() {
        let memory = Processes::new(&[std::process::id()]).memory().unwrap();
        assert!(memory.resident > 0);
        assert!(memory.peak >= memory.resident);
    }

    #[test]
    fn a_process_that_is_gone_is_named_in_the_error() {
        // Larger than any pid_max the kernel permits (2^22).
        let error = Processes::new(&[99_999_999]).processor_time().unwrap_err();
        assert!(error.to_string().contains("process 99999999"), "{error}");
    }
}
