//! Which program listens at a socket, and how it was started: from `/proc`, as far as
//! this user may see it.

use std::fs;
use std::net::IpAddr;
use std::path::Path;

use crate::postfix::Endpoint;

/// How the program was started that listens there; `path` is where a Unix socket lies.
/// None when nobody does, or it is not ours to see.
pub fn command(endpoint: &Endpoint, path: Option<&Path>) -> Option<Vec<String>> {
    let socket = match endpoint {
        Endpoint::Unix { path: written } => unix(path.unwrap_or(written))?,
        Endpoint::Inet { host, port } => tcp(host, port.parse().ok()?)?,
    };
    let link = format!("socket:[{socket}]");
    let processes = fs::read_dir("/proc").ok()?.flatten();
    let holds = |process: &fs::DirEntry| {
        let files = fs::read_dir(process.path().join("fd")).into_iter();
        files
            .flatten()
            .flatten()
            .filter_map(|file| fs::read_link(file.path()).ok())
            .any(|target| target.as_os_str() == link.as_str())
    };
    // systemd holds the sockets that it opened for others.
    let numbered = |process: &fs::DirEntry| {
        let name = process.file_name();
        let number = name.to_str().and_then(|name| name.parse::<u32>().ok());
        number.is_some_and(|number| number > 1)
    };
    let holder = processes
        .into_iter()
        .find(|process| numbered(process) && holds(process))?;
    let line = fs::read(holder.path().join("cmdline")).ok()?;
    let words = String::from_utf8_lossy(&line).into_owned();
    let words = words.trim_end_matches('\0').split('\0').map(str::to_owned);
    Some(words.collect())
}

/// The number of the listening socket at a path.
fn unix(path: &Path) -> Option<String> {
    const ACCEPTS: u32 = 0x1_0000;
    let table = fs::read_to_string("/proc/net/unix").ok()?;
    table.lines().find_map(|line| {
        let mut words = line.split_whitespace();
        let flags = u32::from_str_radix(words.nth(3)?, 16).ok()?;
        let number = words.nth(2)?;
        (flags & ACCEPTS != 0 && Path::new(words.next()?) == path).then(|| number.to_owned())
    })
}

/// The number of the socket that listens at a port of this machine.
fn tcp(host: &str, port: u16) -> Option<String> {
    const LISTENS: &str = "0A";
    let host = match host {
        "localhost" => "127.0.0.1",
        host => host,
    };
    let address = host.parse::<IpAddr>().ok()?;
    let tables = ["/proc/net/tcp", "/proc/net/tcp6"];
    let tables = tables
        .iter()
        .filter_map(|table| fs::read_to_string(table).ok());
    tables.into_iter().find_map(|table| {
        table.lines().skip(1).find_map(|line| {
            let mut words = line.split_whitespace();
            let (bound, bound_port) = words.nth(1)?.split_once(':')?;
            let state = words.nth(1)?;
            let number = words.nth(5)?;
            let any = bound.bytes().all(|digit| digit == b'0') && address.is_loopback();
            let here = u16::from_str_radix(bound_port, 16) == Ok(port);
            (state == LISTENS && here && (any || bound == hexadecimal(address)))
                .then(|| number.to_owned())
        })
    })
}

/// An address as the kernel's tables have it: words of four bytes, each in the order of
/// the processor.
fn hexadecimal(address: IpAddr) -> String {
    let bytes = match address {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().to_vec(),
    };
    let (words, _) = bytes.as_chunks::<4>();
    let word = |bytes: &[u8; 4]| format!("{:08X}", u32::from_ne_bytes(*bytes));
    words.iter().map(word).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;
    use std::os::unix::net::UnixListener;

    /// This test listens, so it is this program.
    #[test]
    fn the_program_behind_a_socket_is_found() {
        let own: Vec<String> = std::env::args().collect();
        for address in ["127.0.0.1:0", "[::1]:0", "0.0.0.0:0"] {
            let Ok(listener) = TcpListener::bind(address) else {
                // There need not be IPv6.
                continue;
            };
            let at = listener.local_addr().unwrap();
            let host = match at.ip().is_unspecified() {
                true => "localhost".to_owned(),
                false => at.ip().to_string(),
            };
            let port = at.port().to_string();
            assert_eq!(
                command(&Endpoint::Inet { host, port }, None),
                Some(own.clone())
            );
        }
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("s.sock");
        let endpoint = Endpoint::Unix { path: path.clone() };
        assert_eq!(command(&endpoint, Some(&path)), None);
        let _listener = UnixListener::bind(&path).unwrap();
        assert_eq!(command(&endpoint, Some(&path)), Some(own));
    }
}
