//! Metrics in Prometheus's text format (version 0.0.4).
//!
//! No label holds a domain, a selector or an address: a label's values must be few,
//! and who sends mail is nobody's business who may read a graph.

use std::fmt::{Display, Write};

use super::Limit;
use super::histogram::Distribution;
use super::metrics::{Breach, Fate, Metrics};
use crate::policy::Reason;

/// What the counters do not know.
#[derive(Debug, Clone, Default)]
pub struct Gauges {
    pub keys_usable: u64,
    pub keys_unusable: u64,
    /// Key files that nobody has read yet.
    pub keys_unread: u64,
    pub domains: u64,
    /// When the oldest key file was written, in seconds since 1970.
    pub oldest_key: Option<u64>,
    pub connection_limit: u64,
    /// When the configuration in force was loaded, in seconds since 1970.
    pub reload_success: u64,
    pub reload_failures: u64,
    /// Whether the last reload succeeded; true before the first.
    pub reload_ok: bool,
    pub ready: bool,
    pub process: Process,
}

/// The daemon as the system sees it; none where the system does not tell.
#[derive(Debug, Clone, Default)]
pub struct Process {
    pub cpu_seconds: Option<f64>,
    pub resident_bytes: Option<u64>,
    pub open_fds: Option<u64>,
    pub max_fds: Option<u64>,
    /// Seconds since 1970.
    pub start: u64,
}

/// Everything, as one page of text.
pub fn exposition(metrics: &Metrics, gauges: &Gauges) -> String {
    let mut page = Page(String::with_capacity(8192));
    page.info();
    page.family(
        "signet_messages_total",
        "counter",
        "Messages by what became of them.",
    );
    for fate in Fate::ALL {
        let label = Some(("result", fate.as_str()));
        page.sample("signet_messages_total", label, metrics.messages(fate));
    }
    page.family(
        "signet_skipped_total",
        "counter",
        "Messages that were not signed, by reason.",
    );
    for reason in Reason::ALL {
        let label = Some(("reason", reason.as_str()));
        page.sample("signet_skipped_total", label, metrics.not_signed(*reason));
    }
    page.family(
        "signet_signatures_total",
        "counter",
        "Signatures by algorithm.",
    );
    for (algorithm, count) in metrics.signatures() {
        page.sample(
            "signet_signatures_total",
            Some(("algorithm", algorithm)),
            count,
        );
    }
    page.histogram(
        "signet_sign_duration_seconds",
        "Time from the end of a message to its signed answer.",
        &metrics.sign_micros.read(),
        1e6,
    );
    page.histogram(
        "signet_message_size_bytes",
        "Size of the messages that were signed.",
        &metrics.message_bytes.read(),
        1.0,
    );
    let connections = &metrics.connections;
    page.family(
        "signet_connections",
        "gauge",
        "Milter connections by state.",
    );
    page.sample(
        "signet_connections",
        Some(("state", "open")),
        connections.open(),
    );
    page.counter(
        "signet_connections_total",
        "Milter connections accepted.",
        connections.accepted.get(),
    );
    page.family(
        "signet_connections_broken_total",
        "counter",
        "Milter connections closed before their peer was done, by cause.",
    );
    for breach in Breach::ALL {
        let label = Some(("cause", breach.as_str()));
        let count = connections.broken_by(breach);
        page.sample("signet_connections_broken_total", label, count);
    }
    page.counter(
        "signet_accept_errors_total",
        "Connections that could not be accepted.",
        connections.accept_errors.get(),
    );
    page.family(
        "signet_limit_reached_total",
        "counter",
        "How often a limit was reached, by its key in the config.",
    );
    for limit in Limit::ALL {
        let label = Some(("limit", limit.as_str()));
        let count = metrics.limits.reached(*limit);
        page.sample("signet_limit_reached_total", label, count);
    }
    page.family(
        "signet_batch_signatures_total",
        "counter",
        "Signatures of keys that can be batched, by how they were made.",
    );
    let batches = &metrics.batches;
    for (how, count) in [
        ("batched", &batches.batched),
        ("alone", &batches.alone),
        ("wrong", &batches.wrong),
    ] {
        let label = Some(("how", how));
        page.sample("signet_batch_signatures_total", label, count.get());
    }
    page.counter(
        "signet_batches_total",
        "Batches of signatures.",
        batches.made.get(),
    );
    page.gauges(gauges);
    page.process(&gauges.process);
    page.into_text()
}

/// A page of metrics, written from the top.
#[derive(Debug, Default)]
pub struct Page(String);

// Writing to a `String` cannot fail.
impl Page {
    /// Opens a metric; its samples follow.
    pub fn family(&mut self, name: &str, kind: &str, help: &str) {
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    /// Labels here are words of our own and need no escape.
    pub fn sample(&mut self, name: &str, label: Option<(&str, &str)>, value: impl Display) {
        let _ = match label {
            Some((label, text)) => writeln!(self.0, "{name}{{{label}=\"{text}\"}} {value}"),
            None => writeln!(self.0, "{name} {value}"),
        };
    }

    pub fn into_text(self) -> String {
        self.0
    }

    fn counter(&mut self, name: &str, help: &str, value: impl Display) {
        self.family(name, "counter", help);
        self.sample(name, None, value);
    }

    pub fn gauge(&mut self, name: &str, help: &str, value: impl Display) {
        self.family(name, "gauge", help);
        self.sample(name, None, value);
    }

    /// `per_unit` of what was counted make one of the metric's base unit.
    fn histogram(&mut self, name: &str, help: &str, read: &Distribution, per_unit: f64) {
        self.family(name, "histogram", help);
        let bucket = format!("{name}_bucket");
        for &(bound, count) in &read.cumulative {
            let bound = (bound as f64 / per_unit).to_string();
            self.sample(&bucket, Some(("le", &bound)), count);
        }
        self.sample(&bucket, Some(("le", "+Inf")), read.count);
        self.sample(&format!("{name}_sum"), None, read.sum as f64 / per_unit);
        self.sample(&format!("{name}_count"), None, read.count);
    }

    fn info(&mut self) {
        self.family(
            "signet_build_info",
            "gauge",
            "The version that runs; always 1.",
        );
        let version = Some(("version", env!("CARGO_PKG_VERSION")));
        self.sample("signet_build_info", version, 1);
    }

    fn gauges(&mut self, gauges: &Gauges) {
        self.family("signet_keys", "gauge", "Key files by state.");
        for (state, count) in [
            ("usable", gauges.keys_usable),
            ("unusable", gauges.keys_unusable),
            ("unread", gauges.keys_unread),
        ] {
            self.sample("signet_keys", Some(("state", state)), count);
        }
        self.gauge(
            "signet_domains",
            "Domains that are signed for.",
            gauges.domains,
        );
        if let Some(oldest) = gauges.oldest_key {
            self.gauge(
                "signet_oldest_key_timestamp_seconds",
                "When the oldest key file was written.",
                oldest,
            );
        }
        self.gauge(
            "signet_connections_limit",
            "How many milter connections may be open.",
            gauges.connection_limit,
        );
        self.gauge(
            "signet_config_last_reload_success_timestamp_seconds",
            "When the configuration in force was loaded.",
            gauges.reload_success,
        );
        self.gauge(
            "signet_config_last_reload_successful",
            "Whether the last reload was taken over.",
            u8::from(gauges.reload_ok),
        );
        self.counter(
            "signet_config_reload_failures_total",
            "Reloads that were refused; the old configuration served on.",
            gauges.reload_failures,
        );
        self.gauge(
            "signet_ready",
            "Whether everything that is to be signed can be.",
            u8::from(gauges.ready),
        );
    }

    fn process(&mut self, process: &Process) {
        if let Some(seconds) = process.cpu_seconds {
            self.counter(
                "process_cpu_seconds_total",
                "Processor time, user and system.",
                seconds,
            );
        }
        if let Some(bytes) = process.resident_bytes {
            self.gauge("process_resident_memory_bytes", "Resident memory.", bytes);
        }
        if let Some(count) = process.open_fds {
            self.gauge("process_open_fds", "Open file descriptors.", count);
        }
        if let Some(count) = process.max_fds {
            self.gauge(
                "process_max_fds",
                "File descriptors that may be open.",
                count,
            );
        }
        self.gauge(
            "process_start_time_seconds",
            "When the daemon started.",
            process.start,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sample_belongs_to_a_family_that_was_declared_once() {
        let gauges = Gauges {
            oldest_key: Some(1),
            process: Process {
                cpu_seconds: Some(0.5),
                resident_bytes: Some(1),
                open_fds: Some(1),
                max_fds: Some(1),
                start: 1,
            },
            ..Gauges::default()
        };
        let metrics = Metrics::default();
        metrics.sign_micros.observe(250);
        let text = exposition(&metrics, &gauges);
        let mut families: Vec<&str> = Vec::new();
        for line in text.lines() {
            if let Some(rest) = line.strip_prefix("# TYPE ") {
                let name = rest.split(' ').next().unwrap();
                assert!(!families.contains(&name), "{name} twice");
                families.push(name);
            } else if !line.starts_with('#') {
                let family = families.last().unwrap();
                assert!(line.starts_with(family), "{line} under {family}");
            }
        }
        for line in [
            "signet_sign_duration_seconds_bucket{le=\"0.0002\"} 0",
            "signet_sign_duration_seconds_bucket{le=\"0.0003\"} 1",
            "signet_sign_duration_seconds_bucket{le=\"+Inf\"} 1",
            "signet_sign_duration_seconds_sum 0.00025",
            "signet_skipped_total{reason=\"no-rule\"} 0",
        ] {
            assert!(text.lines().any(|found| found == line), "{line}\n{text}");
        }
    }
}
