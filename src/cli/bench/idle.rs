//! What a connection costs while nothing happens on it: once when it is new, and
//! once when it has carried a message, because that is what most connections of a
//! busy server have behind them.

use std::time::Duration;

use super::BenchError;
use super::exchange::{Exchange, Plan};
use super::process::Processes;
use super::report::IdleReport;

/// Opens `connections` and reads the milter's resident memory before, after, and
/// after one message over each.
///
/// # Errors
/// When the milter cannot be reached or measured.
pub async fn run(
    plan: &Plan,
    connections: usize,
    processes: &Processes,
) -> Result<IdleReport, BenchError> {
    // What the first connection costs is the program's, not the connection's.
    let mut first = Exchange::open(plan).await?;
    first.message().await?;
    let before = settled(processes).await?;

    let mut exchanges = Vec::with_capacity(connections);
    for _ in 0..connections {
        exchanges.push(Exchange::open(plan).await?);
    }
    let negotiated = settled(processes).await?;

    for exchange in &mut exchanges {
        exchange.message().await?;
    }
    let used = settled(processes).await?;

    for exchange in exchanges {
        exchange.quit().await?;
    }
    first.quit().await?;
    let per_connection =
        |resident: u64| (resident as f64 - before as f64) / (connections.max(1) as f64);
    Ok(IdleReport {
        socket: plan.address.to_string(),
        connections,
        resident_before: before,
        resident_negotiated: negotiated,
        bytes_per_connection: per_connection(negotiated),
        size: plan.size,
        resident_after_a_message: used,
        bytes_per_used_connection: per_connection(used),
    })
}

/// Resident memory once three readings in a row agree, or after two seconds: what
/// needs no reply may still be on its way through the milter.
async fn settled(processes: &Processes) -> Result<u64, BenchError> {
    let mut last = processes.memory()?.resident;
    let mut same = 0;
    for _ in 0..40 {
        tokio::time::sleep(Duration::from_millis(50)).await;
        let now = processes.memory()?.resident;
        same = if now == last { same + 1 } else { 0 };
        last = now;
        if same == 3 {
            break;
        }
    }
    Ok(last)
}
