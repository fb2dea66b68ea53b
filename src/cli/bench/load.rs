//! A run of load: many connections, each sending message after message, or messages
//! falling due at moments of their own that any free connection takes up.
//!
//! Everything runs on the calling thread, so that one core is enough for the
//! generator. Only the clock of `--rate` has a thread of its own: a timer of the
//! runtime is precise to a millisecond, more than a whole message takes.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::{Mutex, mpsc};
use tokio::task::LocalSet;

use super::exchange::{Exchange, Plan};
use super::process::{Memory, Processes};
use super::report::{LoadReport, MilterCost};
use super::statistics::Latencies;
use super::{BenchError, generator_time};
use crate::cli::with_causes;

/// How long to go on.
#[derive(Debug, Clone, Copy)]
pub enum Extent {
    /// Measure for so long, after a warm-up that is not counted.
    Time {
        warm_up: Duration,
        measured: Duration,
    },
    /// So many messages in all, without a warm-up.
    Messages(u64),
}

/// What to send and how.
#[derive(Debug)]
pub struct Load {
    pub plan: Plan,
    pub connections: usize,
    pub extent: Extent,
    /// When messages are due; none: every connection sends as fast as it can.
    pub rate: Option<Rate>,
    pub processes: Processes,
}

/// When messages fall due.
#[derive(Debug, Clone, Copy)]
pub struct Rate {
    pub per_second: f64,
    /// At even intervals; otherwise independently of each other (a Poisson process), so
    /// many on average.
    pub evenly: bool,
}

/// After the end, the connections may finish the message they are at for so long.
const GRACE: Duration = Duration::from_secs(60);

/// Shared by the connections of one run, on one thread.
struct Run {
    /// Answers count only while this is set.
    counting: Cell<bool>,
    /// The clock of `--rate` watches it too; when it ends, nobody waits any longer.
    over: Arc<AtomicBool>,
    /// Messages still to begin; `u64::MAX` when time sets the end.
    left: Cell<u64>,
    tally: RefCell<Tally>,
    /// Moments at which messages were due.
    due: Option<Mutex<mpsc::UnboundedReceiver<Instant>>>,
}

#[derive(Default)]
struct Tally {
    messages: u64,
    signed: u64,
    unsigned: BTreeMap<String, u64>,
    failures: Vec<String>,
    latency: Latencies,
    end_of_message: Latencies,
}

/// # Errors
/// When the milter cannot be reached or measured at all. What goes wrong on single
/// connections later is in the report.
pub async fn run(load: Load) -> Result<LoadReport, BenchError> {
    LocalSet::new().run_until(run_local(load)).await
}

async fn run_local(load: Load) -> Result<LoadReport, BenchError> {
    let peak_is_of_this_run = load.processes.reset_peak();
    let before = measured_memory(&load.processes)?;

    let mut exchanges = Vec::with_capacity(load.connections);
    for _ in 0..load.connections {
        exchanges.push(Exchange::open(&load.plan).await?);
    }
    let negotiation = exchanges
        .first()
        .map_or_else(String::new, Exchange::negotiation);

    let (due, clock) = match load.rate {
        Some(rate) => {
            let (sender, receiver) = mpsc::unbounded_channel();
            (Some(Mutex::new(receiver)), Some((rate, sender)))
        }
        None => (None, None),
    };
    let run = Rc::new(Run {
        counting: Cell::new(matches!(load.extent, Extent::Messages(_))),
        over: Arc::default(),
        left: Cell::new(match load.extent {
            Extent::Messages(count) => count,
            Extent::Time { .. } => u64::MAX,
        }),
        tally: RefCell::default(),
        due,
    });

    let mut start = Mark::now(&load.processes)?;
    let mut tasks: Vec<_> = exchanges
        .into_iter()
        .map(|exchange| tokio::task::spawn_local(converse(exchange, Rc::clone(&run))))
        .collect();
    if let Some((rate, sender)) = clock {
        let over = Arc::clone(&run.over);
        thread::spawn(move || rate.tick(&sender, &over));
    }
    if let Extent::Time { warm_up, measured } = load.extent {
        tokio::time::sleep(warm_up).await;
        start = Mark::now(&load.processes)?;
        run.counting.set(true);
        tokio::time::sleep(measured).await;
        run.counting.set(false);
    } else {
        for task in &mut tasks {
            // A connection that panicked has printed why; its messages are missing.
            let _ = task.await;
        }
        tasks.clear();
    }
    let end = Mark::now(&load.processes)?;
    let memory = measured_memory(&load.processes)?;
    run.over.store(true, Ordering::Relaxed);
    let finish = async {
        for task in tasks {
            let _ = task.await;
        }
    };
    if tokio::time::timeout(GRACE, finish).await.is_err() {
        run.fail(format!("a message was not answered within {GRACE:?}"));
    }

    let tally = run.tally.take();
    Ok(report(
        &load,
        tally,
        negotiation,
        &start,
        &end,
        before.zip(memory),
        peak_is_of_this_run,
    ))
}

/// One connection from its first message to its last.
async fn converse(mut exchange: Exchange, run: Rc<Run>) {
    while let Some(due) = run.next_message().await {
        match exchange.message().await {
            Ok(reaction) => {
                let whole = reaction
                    .answered
                    .saturating_duration_since(due.unwrap_or(reaction.began));
                if run.counting.get() {
                    let mut tally = run.tally.borrow_mut();
                    tally.messages += 1;
                    tally.latency.record(whole);
                    tally.end_of_message.record(reaction.end_of_message);
                    if reaction.signatures > 0 {
                        tally.signed += 1;
                    } else {
                        *tally.unsigned.entry(reaction.verdict).or_default() += 1;
                    }
                }
            }
            Err(error) => {
                run.fail(with_causes(&error));
                return;
            }
        }
    }
    if let Err(error) = exchange.quit().await {
        run.fail(with_causes(&error));
    }
}

impl Run {
    /// The moment at which the next message was due, or that it may begin now (`Some(None)`),
    /// or that there is none.
    async fn next_message(&self) -> Option<Option<Instant>> {
        if self.over.load(Ordering::Relaxed) || self.left.get() == 0 {
            return None;
        }
        let due = match &self.due {
            Some(due) => Some(due.lock().await.recv().await?),
            None => None,
        };
        // Others may have begun the last one while this one waited.
        let left = self.left.get().checked_sub(1)?;
        if self.left.get() != u64::MAX {
            self.left.set(left);
        }
        Some(due)
    }

    fn fail(&self, why: String) {
        let mut tally = self.tally.borrow_mut();
        // The same story from every connection is one story.
        if tally.failures.len() < 10 {
            tally.failures.push(why);
        }
    }
}

impl Rate {
    /// Lets messages fall due until the run is over.
    fn tick(self, due: &mpsc::UnboundedSender<Instant>, over: &AtomicBool) {
        let mut state = 0x9E37_79B9_7F4A_7C15_u64;
        let mut next = Instant::now();
        loop {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            // In (0, 1], so that the logarithm is finite.
            let uniform = ((state >> 11) + 1) as f64 / (1_u64 << 53) as f64;
            let share = if self.evenly { 1.0 } else { -uniform.ln() };
            next += Duration::from_secs_f64(share / self.per_second);
            while let Some(wait) = next.checked_duration_since(Instant::now()) {
                if over.load(Ordering::Relaxed) {
                    return;
                }
                thread::sleep(wait.min(Duration::from_millis(100)));
            }
            if over.load(Ordering::Relaxed) || due.send(next).is_err() {
                return;
            }
        }
    }
}

/// A moment and what had been spent until then.
struct Mark {
    at: Instant,
    milter: Option<Duration>,
    generator: Duration,
}

impl Mark {
    fn now(processes: &Processes) -> Result<Self, BenchError> {
        Ok(Self {
            milter: match processes.is_empty() {
                true => None,
                false => Some(processes.processor_time()?),
            },
            generator: generator_time(),
            at: Instant::now(),
        })
    }
}

fn measured_memory(processes: &Processes) -> Result<Option<Memory>, BenchError> {
    if processes.is_empty() {
        return Ok(None);
    }
    Ok(Some(processes.memory()?))
}

fn report(
    load: &Load,
    tally: Tally,
    negotiation: String,
    start: &Mark,
    end: &Mark,
    memory: Option<(Memory, Memory)>,
    peak_is_of_this_run: bool,
) -> LoadReport {
    let wall = end.at.saturating_duration_since(start.at);
    let seconds = wall.as_secs_f64();
    let per_message = |spent: Duration| spent.as_secs_f64() * 1e6 / tally.messages.max(1) as f64;
    let milter = match (start.milter, end.milter, memory) {
        (Some(from), Some(to), Some((before, after))) => Some(MilterCost {
            processor_us_per_message: per_message(to.saturating_sub(from)),
            cores: to.saturating_sub(from).as_secs_f64() / seconds,
            resident_before: before.resident,
            resident_peak: after.peak,
            peak_is_of_this_run,
        }),
        _ => None,
    };
    LoadReport {
        socket: load.plan.address.to_string(),
        size: load.plan.size,
        connections: load.connections,
        offered_rate: load.rate.map(|rate| rate.per_second),
        negotiation,
        seconds,
        messages: tally.messages,
        messages_per_second: tally.messages as f64 / seconds,
        signed: tally.signed,
        unsigned: tally.messages - tally.signed,
        signed_share: tally.signed as f64 / tally.messages.max(1) as f64,
        unsigned_answers: tally.unsigned.into_iter().collect(),
        failures: tally.failures,
        latency_us: tally.latency.quantiles(),
        end_of_message_us: tally.end_of_message.quantiles(),
        milter,
        generator_us_per_message: per_message(end.generator.saturating_sub(start.generator)),
    }
}
