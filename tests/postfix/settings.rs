//! The main.cf and master.cf of a private Postfix.

use std::fmt::Write as _;
use std::net::Ipv4Addr;
use std::path::Path;

use crate::instance::{FIRST_PORT, RELATIVE_SOCKET, Setup, WORLD, daemon_directory, tcp_listener};
use crate::sink::Sink;

pub fn main_cf(home: &Path, host: Ipv4Addr, sink: &Sink, setup: &Setup) -> String {
    let home = home.display();
    let milter = if setup.tcp {
        tcp_listener(host)
    } else {
        RELATIVE_SOCKET.to_owned()
    };
    let list = [&setup.before[..], &[milter], &setup.behind[..]].concat();
    let list = list.join(", ");
    let (smtpd_milters, non_smtpd_milters) = match setup.milters {
        Some(milters) => (milters, ""),
        None => (list.as_str(), list.as_str()),
    };
    let daemons = daemon_directory();
    let sink = format!("[{}]:{}", sink.address().ip(), sink.address().port());
    let mut text = format!(
        "compatibility_level = 3.6
enable_long_queue_ids = yes
queue_directory = {home}/queue
data_directory = {home}/data
daemon_directory = {daemons}
maillog_file = {home}/log/mail.log
maillog_file_prefixes = {home}
myhostname = mail.example.net
mydestination =
alias_maps =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
relayhost = {sink}
disable_dns_lookups = yes
smtp_host_lookup = native
smtpd_peername_lookup = no
smtpd_authorized_xclient_hosts = 127.0.0.0/8
smtpd_relay_restrictions = permit_mynetworks, permit_sasl_authenticated, reject_unauth_destination
relay_domains = sink.test
smtpd_recipient_restrictions = check_recipient_access texthash:{home}/etc/recipients
smtpd_error_sleep_time = 0
message_size_limit = 62914560
minimal_backoff_time = 1s
maximal_backoff_time = 2s
queue_run_delay = 1s
smtpd_milters = {smtpd_milters}
non_smtpd_milters = {non_smtpd_milters}
milter_default_action = tempfail
"
    );
    for line in &setup.main_cf {
        writeln!(text, "{line}").unwrap();
    }
    text
}

pub fn master_cf(host: Ipv4Addr, setup: &Setup) -> String {
    let chroot = if setup.chroot { "y" } else { "n" };
    let mut text = String::new();
    let standard = [
        ("signed", Vec::new()),
        ("plain", vec!["smtpd_milters=".to_owned()]),
    ];
    for (index, (name, options)) in standard.iter().chain(&setup.services).enumerate() {
        let address = match setup.public && !name.starts_with("back") {
            true => WORLD.to_owned(),
            false => host.to_string(),
        };
        let port = usize::from(FIRST_PORT) + index;
        writeln!(text, "{address}:{port} inet n - {chroot} - - smtpd").unwrap();
        writeln!(text, "  -o syslog_name=postfix/{name}").unwrap();
        for option in options {
            writeln!(text, "  -o {{ {option} }}").unwrap();
        }
    }
    for (service, private, wakeup, limit, program) in [
        ("pickup", "n", "60", "1", "pickup"),
        ("cleanup", "n", "-", "0", "cleanup"),
        ("qmgr", "n", "300", "1", "qmgr"),
        ("rewrite", "-", "-", "-", "trivial-rewrite"),
        ("bounce", "-", "-", "0", "bounce"),
        ("defer", "-", "-", "0", "bounce"),
        ("trace", "-", "-", "0", "bounce"),
        ("verify", "-", "-", "1", "verify"),
        ("flush", "n", "1000?", "0", "flush"),
        ("showq", "n", "-", "-", "showq"),
        ("smtp", "-", "-", "-", "smtp"),
        ("relay", "-", "-", "-", "smtp"),
        ("error", "-", "-", "-", "error"),
        ("retry", "-", "-", "-", "error"),
        ("anvil", "-", "-", "1", "anvil"),
        ("scache", "-", "-", "1", "scache"),
    ] {
        // The queue manager is never chrooted in Debian's master.cf.
        let chroot = if service == "qmgr" { "n" } else { chroot };
        writeln!(
            text,
            "{service} unix {private} - {chroot} {wakeup} {limit} {program}"
        )
        .unwrap();
    }
    text.push_str("proxymap unix - - n - - proxymap\nlocal unix - n n - - local\n");
    text.push_str("postlog unix-dgram n - n - 1 postlogd\n");
    for line in &setup.master_cf {
        writeln!(text, "{line}").unwrap();
    }
    text
}
