//! Where OpenDKIM listens, as whom it runs, where it logs.

use super::work::Work;
use crate::config::{ListenAddress, Listener};
use crate::import::report::Outcome::{Changed, Dropped, NeedsYou, Same};

pub fn read(work: &mut Work) {
    socket(work);
    user(work);
    mode(work);
    log(work);
}

fn socket(work: &mut Work) {
    let Some(setting) = work.setting("Socket") else {
        let why = "OpenDKIM gets it by -p then. signet listens on inet:127.0.0.1:8891 until \
                   \"listen\" or --listen says otherwise";
        work.tell_default(NeedsYou, "Socket", why);
        return;
    };
    match address(&setting.value, work) {
        Ok((address, all)) => {
            let mode = match &address {
                ListenAddress::Unix { .. } => Some(socket_mode(work)),
                ListenAddress::Inet { .. } => None,
            };
            let listener = Listener {
                mode,
                ..Listener::from(address)
            };
            let postfix = postfix(&listener.address);
            let (outcome, why) = match all {
                true => (
                    Changed,
                    format!(
                        "OpenDKIM listens on every interface with this, and signs for whoever \
                         connects and says it is trusted; signet listens on {}. {postfix}",
                        listener.address
                    ),
                ),
                false => (
                    Same,
                    format!("listen = \"{}\". {postfix}", listener.address),
                ),
            };
            work.settings.listen = Some(listener);
            work.tell(outcome, &setting, why);
        }
        Err(problem) => work.wrong(&setting, problem),
    }
}

/// Both programs may not listen on one socket; Postfix names the other by its own notation.
fn postfix(address: &ListenAddress) -> String {
    format!("smtpd_milters and non_smtpd_milters stay as they are if they name {address}")
}

/// Sendmail's notation; and whether it means every interface.
fn address(value: &str, work: &Work) -> Result<(ListenAddress, bool), String> {
    let (kind, rest) = match value.split_once(':') {
        Some((kind, rest)) => (kind.to_ascii_lowercase(), rest),
        None => ("local".to_owned(), value),
    };
    let loopback = match kind.as_str() {
        "unix" | "local" => {
            if rest.is_empty() {
                return Err("names no path".to_owned());
            }
            let text = format!("unix:{}", work.path(rest).display());
            let address = ListenAddress::parse(&text).map_err(|error| error.to_string())?;
            return Ok((address, false));
        }
        "inet" => "127.0.0.1",
        "inet6" => "::1",
        _ => return Err("is not local:PATH, inet:PORT@HOST or inet6:PORT@HOST".to_owned()),
    };
    let (port, host) = rest.split_once('@').unwrap_or((rest, ""));
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let all = ["", "0.0.0.0", "::"].contains(&host);
    let host = if host.is_empty() { loopback } else { host };
    let text = match host.contains(':') {
        true => format!("inet:[{host}]:{port}"),
        false => format!("inet:{host}:{port}"),
    };
    let address = ListenAddress::parse(&text).map_err(|error| error.to_string())?;
    // Every interface that was asked for by name is what was meant.
    Ok((address, all && host == loopback))
}

fn socket_mode(work: &mut Work) -> u32 {
    let Some(setting) = work.setting("UMask") else {
        return Listener::DEFAULT_MODE;
    };
    match work.conf.number("UMask") {
        Some(mask) if (0..=0o777).contains(&mask) => {
            let mask = u32::try_from(mask).unwrap_or(0o777);
            // A socket is never executed.
            let mode = 0o666 & !mask;
            let why = match setting.value.starts_with('0') || mask < 8 {
                true => format!("mode = \"{mode:04o}\" of the socket"),
                false => format!(
                    "{} is decimal, which is {mask:03o} in octal; was 0{} meant? mode = \"{mode:04o}\" \
                     of the socket",
                    setting.value, setting.value
                ),
            };
            let outcome = match setting.value.starts_with('0') || mask < 8 {
                true => Same,
                false => NeedsYou,
            };
            work.tell(outcome, &setting, why);
            mode
        }
        _ => {
            work.wrong(&setting, "is not a mask of permissions");
            Listener::DEFAULT_MODE
        }
    }
}

fn user(work: &mut Work) {
    if let Some(setting) = work.setting("UserID") {
        let user = setting
            .value
            .split([':', '.'])
            .next()
            .unwrap_or_default()
            .to_owned();
        let why = format!(
            "the service manager starts signet as its user: let it be {user} (User={user} in the \
             unit), who can read the key files, or give the key files to signet's user"
        );
        work.tell(NeedsYou, &setting, why);
    }
    if let Some(setting) = work.setting("BaseDirectory") {
        work.tell(
            Same,
            &setting,
            "relative paths were taken from there and are written in full",
        );
    }
    if work
        .conf
        .get("Socket")
        .is_none_or(|s| s.value.to_ascii_lowercase().starts_with("inet"))
        && let Some(setting) = work.setting("UMask")
    {
        work.tell(Dropped, &setting, "is for a Unix socket");
    }
}

fn mode(work: &mut Work) {
    let verify = "verification of incoming mail is not taken over: leave that to rspamd or another \
                  verifier, and do not run OpenDKIM beside signet on the same mail";
    let Some(setting) = work.setting("Mode") else {
        work.tell_default(
            Dropped,
            "Mode",
            format!("OpenDKIM's default is sv; {verify}"),
        );
        return;
    };
    if let Some(unknown) = setting.value.chars().find(|c| !"sv".contains(*c)) {
        work.wrong(&setting, format!("\"{unknown}\" is not s or v"));
    } else if !setting.value.contains('s') {
        work.wrong(&setting, "does not sign; there is nothing for signet to do");
    } else if setting.value.contains('v') {
        work.tell(Dropped, &setting, verify);
    } else {
        work.tell(Same, &setting, "signet signs");
    }
}

fn log(work: &mut Work) {
    for (option, why) in [
        (
            "Syslog",
            "signet logs to standard error, which the service manager keeps",
        ),
        (
            "SyslogFacility",
            "signet logs to standard error, which the service manager keeps",
        ),
        (
            "SyslogName",
            "signet logs to standard error, which the service manager keeps",
        ),
        ("SyslogSuccess", "signet always logs one line a message"),
        ("LogWhy", "signet always logs why a message was not signed"),
    ] {
        if let Some(setting) = work.setting(option) {
            work.tell(Changed, &setting, why);
        }
    }
    if let Some(setting) = work.setting("MinimumKeyBits") {
        let why =
            "is for verification; signet signs with no key below 1024 bits and warns below 2048";
        work.tell(Dropped, &setting, why);
    }
}
