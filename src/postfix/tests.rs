use std::path::{Path, PathBuf};

use super::{Postfix, Printed, milters, without_blanks};

fn postfix(services: &str, overrides: &str, level: &str) -> Postfix {
    let values = format!(
        "queue_directory = /var/spool/postfix\nsmtpd_milters = inet:[::1]:11332\n\
         compatibility_level = {level}\n"
    );
    Postfix::read(Printed {
        raw: &values.replace("inet:[::1]:11332", "$spam"),
        expanded: &values,
        set: "smtpd_milters = $spam",
        services,
        overrides,
    })
}

const SERVICES: &str = "\
smtp       inet  n       -       y       -       -       smtpd
submission inet  n       -       -       -       -       smtpd -o {smtpd_milters={ unix:a }}
cleanup    unix  n       -       n       -       0       cleanup
";

#[test]
fn what_master_cf_says_for_a_service_comes_before_main_cf() {
    let overrides = "submission/inet/smtpd_milters = { unix:a, default_action=accept }";
    let postfix = postfix(SERVICES, overrides, "3.6");
    let [smtp, submission] = postfix.smtp_servers().collect::<Vec<_>>()[..] else {
        panic!("two services");
    };
    assert_eq!(postfix.value_for(smtp, "smtpd_milters"), "inet:[::1]:11332");
    let own = milters(postfix.value_for(submission, "smtpd_milters"));
    assert_eq!(own[0].address, "unix:a");
    assert_eq!(own[0].settings["default_action"], "accept");
    assert_eq!(postfix.raw("smtpd_milters"), "$spam");
    assert!(postfix.sets("smtpd_milters") && !postfix.sets("queue_directory"));
    assert_eq!(submission.id(), "submission/inet");
    assert_eq!(postfix.cleanup().unwrap().program, "cleanup");
}

/// A "-" was "y" before compatibility level 1.
#[test]
fn the_chroot_is_that_of_the_column_or_of_the_level() {
    let chroots = |level| {
        let postfix = postfix(SERVICES, "", level);
        let chroots = postfix.services.iter().map(|service| service.chroot);
        chroots.collect::<Vec<_>>()
    };
    assert_eq!(chroots("3.6"), [true, false, false]);
    assert_eq!(chroots("0"), [true, true, false]);
}

#[test]
fn a_socket_lies_where_the_service_sees_it() {
    let postfix = postfix(SERVICES, "", "3.6");
    let seen = |path: &str, chroot| postfix.socket_path(Path::new(path), chroot);
    let inside = PathBuf::from("/var/spool/postfix/signet/s.sock");
    assert_eq!(seen("signet/s.sock", true), inside);
    assert_eq!(seen("signet/s.sock", false), inside);
    assert_eq!(seen("/signet/s.sock", true), inside);
    assert_eq!(seen("/run/s.sock", false), PathBuf::from("/run/s.sock"));
    assert_eq!(
        seen("/run/s.sock", true),
        PathBuf::from("/var/spool/postfix/run/s.sock")
    );
}

#[test]
fn lists_are_parted_by_commas_and_white_space() {
    let addresses = |list: &str| -> Vec<String> {
        milters(list)
            .into_iter()
            .map(|entry| entry.address)
            .collect()
    };
    assert_eq!(
        addresses("unix:a,inet:b:1  unix:c"),
        ["unix:a", "inet:b:1", "unix:c"]
    );
    assert_eq!(
        addresses("{ unix:a, command_timeout = 3s }, {inet:[::1]:8891}"),
        ["unix:a", "inet:[::1]:8891"]
    );
    assert_eq!(addresses(" , "), [""; 0]);
    assert_eq!(addresses("{ unix:a"), ["unix:a"]);
}

#[test]
fn names_in_master_cf_are_replaced() {
    let postfix = postfix(SERVICES, "", "3.6");
    let all = "unix:a, $smtpd_milters ${smtpd_milters}, $(nothing)unix:b";
    assert_eq!(
        postfix.expanded(all),
        "unix:a, inet:[::1]:11332 inet:[::1]:11332, unix:b"
    );
}

#[test]
fn a_list_for_postconf_p_has_no_blanks() {
    let list = "{ inet:127.0.0.1:1, default_action=accept } unix:a,\n unix:b";
    let bare = without_blanks(list);
    assert_eq!(
        bare,
        "{inet:127.0.0.1:1,default_action=accept},unix:a,unix:b"
    );
    assert_eq!(milters(&bare), milters(list));
}
