//! Where the daemon shows its metrics and its status.

use std::net::SocketAddr;
use std::path::PathBuf;

/// Both are off unless the operator asks for them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Metrics {
    /// Where a small HTTP server listens: `/metrics`, `/healthz`, `/readyz` and a page
    /// for people. It knows no password, so the address should be the machine's own.
    pub listen: Option<SocketAddr>,
    /// A file that node_exporter's textfile collector reads.
    pub textfile: Option<PathBuf>,
}

/// Reads `ADDRESS:PORT`.
///
/// # Errors
/// What to write instead.
pub fn parse_listen(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| {
        format!(
            "\"{text}\" is not an address and a port; write \"127.0.0.1:9891\" or \"[::1]:9891\""
        )
    })
}
