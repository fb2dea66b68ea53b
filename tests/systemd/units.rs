//! The units in `contrib/systemd`.

use std::process::Command;

use crate::left_out;

const SERVICE: &str = include_str!("../../contrib/systemd/signet.service");
const SOCKET: &str = include_str!("../../contrib/systemd/signet.socket");

/// systemd's own measure, from 0 (nothing is exposed) to 10.
#[test]
fn the_service_is_exposed_to_little() {
    let service = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/contrib/systemd/signet.service"
    );
    let Some(analyze) = left_out::program("systemd-analyze", "systemd") else {
        return;
    };
    let output = Command::new(analyze)
        .args(["security", "--offline=true", "--no-pager", "--threshold=15"])
        .arg(service)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.contains("Overall exposure level"), "{output:?}");
    assert!(output.status.success(), "{text}");
}

#[test]
fn systemd_knows_every_setting_of_the_units() {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/contrib/systemd");
    let Some(analyze) = left_out::program("systemd-analyze", "systemd") else {
        return;
    };
    let output = Command::new(analyze)
        .args(["verify", "--man=no"])
        .args([
            format!("{root}/signet.service"),
            format!("{root}/signet.socket"),
        ])
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    for mistake in ["Unknown", "Failed to parse", "Invalid", "ignoring"] {
        let of_ours = |line: &&str| line.contains("signet.") && line.contains(mistake);
        let found: Vec<_> = text.lines().filter(of_ours).collect();
        assert!(found.is_empty(), "{found:#?}");
    }
}

#[test]
fn the_socket_lies_where_the_readme_tells_postfix() {
    let path = "/var/spool/postfix/signet/signet.sock";
    assert!(SOCKET.contains(&format!("ListenStream={path}\n")));
    assert!(include_str!("../../README.md").contains(path));
    let tmpfiles = include_str!("../../contrib/systemd/tmpfiles.conf");
    assert!(tmpfiles.contains("d /var/spool/postfix/signet 0750 signet postfix"));
}

/// Type=notify-reload needs systemd 253, and Debian 12 and RHEL 9 have 252.
#[test]
fn the_service_works_with_the_systemd_of_debian_12() {
    assert!(SERVICE.contains("\nType=notify\n"));
    assert!(SERVICE.contains("\nExecReload=/bin/kill -HUP $MAINPID\n"));
}
