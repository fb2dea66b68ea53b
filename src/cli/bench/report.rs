//! What a run found, for a person and as JSON. It computes shares and rates from
//! counts; it measures nothing.

use std::fmt;

use serde::Serialize;

use super::primitive::Price;
use super::statistics::Quantiles;

/// One run of load.
#[derive(Debug, Serialize)]
pub struct LoadReport {
    pub socket: String,
    /// Of each message, header section and body, in bytes.
    pub size: usize,
    pub connections: usize,
    /// Messages offered per second; none when every connection sends as fast as it can.
    pub offered_rate: Option<f64>,
    /// Version, actions and protocol flags agreed on.
    pub negotiation: String,
    pub seconds: f64,
    pub messages: u64,
    pub messages_per_second: f64,
    /// Answers that held at least one DKIM-Signature.
    pub signed: u64,
    pub unsigned: u64,
    pub signed_share: f64,
    /// How the unsigned ones were answered, with their numbers.
    pub unsigned_answers: Vec<(String, u64)>,
    /// Connections that ended early, each with its reason.
    pub failures: Vec<String>,
    /// Microseconds from the first byte of MAIL (with an offered rate: from the moment
    /// the message was due) to the answer at end of message.
    pub latency_us: Option<Quantiles>,
    /// Microseconds from the last byte of end of message to its answer.
    pub end_of_message_us: Option<Quantiles>,
    pub milter: Option<MilterCost>,
    /// Microseconds of processor time the generator itself spent per message.
    pub generator_us_per_message: f64,
}

/// What the milter's processes spent.
#[derive(Debug, Serialize)]
pub struct MilterCost {
    pub processor_us_per_message: f64,
    /// Processor time by wall time; 1 is one core kept busy.
    pub cores: f64,
    /// Resident bytes before the first connection, and the most during the run.
    pub resident_before: u64,
    pub resident_peak: u64,
    /// False: the kernel did not let the peak begin anew with the run.
    pub peak_is_of_this_run: bool,
}

/// One run of idle connections.
#[derive(Debug, Serialize)]
pub struct IdleReport {
    pub socket: String,
    pub connections: usize,
    pub resident_before: u64,
    /// After negotiation, CONNECT and HELO.
    pub resident_negotiated: u64,
    pub bytes_per_connection: f64,
    /// After each connection has carried one message of `size` bytes.
    pub size: usize,
    pub resident_after_a_message: u64,
    pub bytes_per_used_connection: f64,
}

impl LoadReport {
    /// Whether every message was signed and every connection lived to its end.
    pub fn is_clean(&self) -> bool {
        self.messages > 0 && self.unsigned == 0 && self.failures.is_empty()
    }
}

impl fmt::Display for LoadReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "load         {}: {}-byte messages over {} connections for {:.1} s",
            self.socket, self.size, self.connections, self.seconds
        )?;
        match self.offered_rate {
            Some(rate) => writeln!(f, ", {rate:.1} offered per second")?,
            None => writeln!(f)?,
        }
        writeln!(f, "negotiated   {}", self.negotiation)?;
        writeln!(
            f,
            "messages     {}, {:.1} per second",
            self.messages, self.messages_per_second
        )?;
        writeln!(
            f,
            "signed       {} ({:.2} %)",
            self.signed,
            self.signed_share * 100.0
        )?;
        for (answer, count) in &self.unsigned_answers {
            writeln!(f, "UNSIGNED     {count} answered with {answer}")?;
        }
        for failure in &self.failures {
            writeln!(f, "FAILED       {failure}")?;
        }
        if let Some(latency) = &self.latency_us {
            let from = match self.offered_rate {
                Some(_) => "from the moment it is due to the answer",
                None => "from MAIL to the answer",
            };
            writeln!(f, "a message    {latency}, {from}")?;
        }
        if let Some(latency) = &self.end_of_message_us {
            writeln!(
                f,
                "its end      {latency}, from end of message to the answer"
            )?;
        }
        if let Some(milter) = &self.milter {
            writeln!(
                f,
                "processor    {:.1} us per message, {:.2} cores",
                milter.processor_us_per_message, milter.cores
            )?;
            writeln!(
                f,
                "memory       {} before, peak {}{}",
                Bytes(milter.resident_before),
                Bytes(milter.resident_peak),
                if milter.peak_is_of_this_run {
                    ""
                } else {
                    " (since the process began)"
                }
            )?;
        }
        write!(
            f,
            "generator    {:.1} us of processor time per message",
            self.generator_us_per_message
        )
    }
}

impl fmt::Display for IdleReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "idle         {}: {} connections, {} before",
            self.socket,
            self.connections,
            Bytes(self.resident_before)
        )?;
        writeln!(
            f,
            "negotiated   {}, {:.1} KiB per connection",
            Bytes(self.resident_negotiated),
            self.bytes_per_connection / 1024.0
        )?;
        write!(
            f,
            "used         {}, {:.1} KiB per connection that has carried one message of {} bytes",
            Bytes(self.resident_after_a_message),
            self.bytes_per_used_connection / 1024.0,
            self.size
        )
    }
}

impl fmt::Display for Price {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:?}      {:.1} us of processor time each (median of {} rounds; least {:.1})",
            self.primitive, self.median_us, self.rounds, self.minimum_us
        )
    }
}

impl fmt::Display for Quantiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "p50 {} p90 {} p99 {} max {}",
            Time(self.p50),
            Time(self.p90),
            Time(self.p99),
            Time(self.max)
        )
    }
}

/// Microseconds, shown as such below one millisecond.
struct Time(f64);

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 < 1000.0 {
            write!(f, "{:.0} us", self.0)
        } else {
            write!(f, "{:.2} ms", self.0 / 1000.0)
        }
    }
}

struct Bytes(u64);

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.1} MiB", self.0 as f64 / 1_048_576.0)
    }
}
