use super::*;
use crate::postfix::Printed;

const SERVICES: &str = "\
smtp inet n - y - - smtpd
submission inet n - y - - smtpd
127.0.0.1:10025 inet n - y - - smtpd
cleanup unix n - y - 0 cleanup
";

fn machine(parameters: &str, overrides: &str) -> Machine {
    let parameters =
        format!("mail_version = 3.7.11\nqueue_directory = /var/spool/postfix\n{parameters}");
    Machine {
        domain: "example.com".parse().unwrap(),
        selector: "s1".parse().unwrap(),
        keys: Vec::new(),
        key_directory: "/var/lib/signet/keys".into(),
        name_keys: false,
        postfix: Some(Postfix::read(Printed {
            raw: &parameters,
            expanded: &parameters,
            set: "",
            services: SERVICES,
            overrides,
        })),
        postfix_config: None,
        listen: None,
        systemd: Systemd::WithUnits,
        selinux: false,
        user: "signet".to_owned(),
        user_exists: true,
        zone: Zone {
            apex: Some("example.com".to_owned()),
            name_servers: vec!["ns-1.awsdns-01.org".to_owned()],
            ..Zone::default()
        },
    }
}

fn commands(machine: &Machine) -> Vec<String> {
    let steps = Plan::of(machine).steps;
    steps.into_iter().flat_map(|step| step.commands).collect()
}

#[test]
fn a_fresh_debian_with_route53_needs_these_commands() {
    assert_eq!(
        commands(&machine("", "")),
        [
            "install -d -o signet -m 700 /var/lib/signet /var/lib/signet/keys",
            "signet keygen example.com --selector s1",
            "signet dns example.com --selector s1 --format quoted",
            "systemctl enable --now signet.socket signet.service",
            "postconf -e smtpd_milters=unix:signet/signet.sock",
            "postconf -e non_smtpd_milters=unix:signet/signet.sock",
            "postfix reload",
            "signet selftest --socket unix:/var/spool/postfix/signet/signet.sock --from postmaster@example.com",
        ]
    );
}

#[test]
fn milters_that_are_there_stay_before_signet() {
    let machine = machine(
        "smtpd_milters = { inet:127.0.0.1:11332, default_action=accept }\nnon_smtpd_milters = $smtpd_milters\n",
        "submission/inet/smtpd_milters = unix:own\n127.0.0.1:10025/inet/smtpd_milters = \n",
    );
    let plan = Plan::of(&machine);
    let step = plan
        .steps
        .iter()
        .find(|step| step.title == "Let Postfix ask signet")
        .unwrap();
    assert_eq!(
        step.commands,
        [
            "postconf -e 'smtpd_milters={ inet:127.0.0.1:11332, default_action=accept }, unix:signet/signet.sock'",
            "postconf -P submission/inet/smtpd_milters=unix:own,unix:signet/signet.sock",
        ]
    );
    assert!(
        plan.notes
            .iter()
            .any(|note| note.starts_with("127.0.0.1:10025/inet has milters turned off"))
    );
}

/// Behind the filter nobody can tell strangers' mail from ours.
#[test]
fn where_a_filter_hands_back_strangers_mail_signet_is_kept_out() {
    let machine = machine(
        "smtpd_milters = unix:spam\ncontent_filter = scan:[127.0.0.1]:10024\n",
        "127.0.0.1:10025/inet/content_filter = \n",
    );
    let plan = Plan::of(&machine);
    let kept = "postconf -P 127.0.0.1:10025/inet/smtpd_milters=unix:spam".to_owned();
    assert!(commands(&machine).contains(&kept), "{:?}", plan.steps);
    let told = |note: &String| note.starts_with("127.0.0.1:10025/inet takes mail back");
    assert!(plan.notes.iter().any(told), "{:?}", plan.notes);
}

#[test]
fn what_is_done_is_not_done_again() {
    let mut machine = machine(
        "smtpd_milters = unix:signet/signet.sock\nnon_smtpd_milters = unix:signet/signet.sock\n",
        "",
    );
    machine.keys = vec!["s0".parse().unwrap()];
    let commands = commands(&machine);
    assert!(
        !commands
            .iter()
            .any(|c| c.contains("keygen") || c.starts_with("post")),
        "{commands:?}"
    );
    assert!(
        commands
            .iter()
            .any(|c| c.contains("dns example.com --selector s0")),
        "the record of the key that is there: {commands:?}"
    );
}

#[test]
fn without_systemd_the_user_the_place_and_the_daemon_are_made_by_hand() {
    let mut machine = machine("", "");
    machine.systemd = Systemd::Absent;
    machine.user_exists = false;
    machine.name_keys = true;
    machine.postfix_config = Some("/etc/postfix two".into());
    let commands = commands(&machine).join("\n");
    for part in [
        "signet keygen example.com --selector s1 --keys /var/lib/signet/keys\n",
        "useradd --system",
        "install -d -o signet -g postfix -m 750 /var/spool/postfix/signet\n",
        "setpriv --reuid=signet --regid=postfix --clear-groups signet serve --listen unix:/var/spool/postfix/signet/signet.sock --keys ",
        "postconf -c '/etc/postfix two' -e smtpd_milters=",
        "postfix -c '/etc/postfix two' reload",
    ] {
        assert!(commands.contains(part), "{part} in {commands}");
    }
}

#[test]
fn under_selinux_and_where_the_config_says_so_it_is_tcp() {
    let mut machine = machine("", "");
    machine.selinux = true;
    let expected = "postconf -e smtpd_milters=inet:127.0.0.1:8891".to_owned();
    assert!(commands(&machine).contains(&expected));
    machine.listen = Some("inet:[::1]:9999".parse().unwrap());
    let expected = "postconf -e 'smtpd_milters=inet:[::1]:9999'".to_owned();
    assert!(
        commands(&machine).contains(&expected),
        "{:?}",
        commands(&machine)
    );
}

#[test]
fn what_should_be_known_is_told() {
    let mut machine = machine(
        "smtpd_milters = unix:/opendkim/opendkim.sock\nmilter_default_action = accept\ncontent_filter = scan:[127.0.0.1]:10024\n",
        "",
    );
    machine.domain = "mail.example.com".parse().unwrap();
    let plan = Plan::of(&machine);
    for start in [
        "OpenDKIM is among",
        "milter_default_action is",
        "mail.example.com has no zone",
    ] {
        assert!(
            plan.notes.iter().any(|note| note.starts_with(start)),
            "{start}: {:#?}",
            plan.notes
        );
    }
    assert!(
        plan.notes
            .iter()
            .any(|note| note.contains("called s1._domainkey.mail."))
    );
    assert!(
        Plan::of(&self::machine("", "")).notes.is_empty(),
        "a healthy machine gets no note"
    );
}
