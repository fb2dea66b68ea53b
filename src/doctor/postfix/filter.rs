//! Content filters: whether mail is signed behind the filter that changes it, once, and
//! strangers' mail that comes back from it is not taken for ours.

use super::asked::{OPTIONS, asks, disabled, joined, lists, options, without_no_milters};
use super::{Code, PostfixFacts, Section};
use crate::policy::{Origin, origin};
use crate::postfix::{Filter, Service, milters};

/// A parameter of a service: its id, the name, the value.
type Setting = (String, &'static str, String);

pub(super) fn check(facts: &PostfixFacts, section: &mut Section) {
    let postfix = &facts.postfix;
    let (signing, quiet): (Vec<&Service>, Vec<&Service>) = postfix
        .handing_back()
        .into_iter()
        .partition(|back| signs(facts, back));
    let strangers = postfix.filters_strangers();
    // With more than one way back, strangers have theirs and our people another.
    if strangers && quiet.is_empty() && !signing.is_empty() {
        for back in &signing {
            let what = "mail of strangers comes back from the filter here, from an address of this machine: signet takes it for ours and signs it";
            let mend = mend(facts, &before_the_filter(facts, &signing));
            section.add(Code::PostfixFilterStrangers, back.id(), what, mend);
        }
        return;
    }
    for front in postfix.entrances() {
        match postfix.filter_of(front) {
            Some(Filter::Queued(filter)) if asks(facts, front) => {
                queued(facts, front, filter, &signing, &quiet, section);
            }
            Some(Filter::Proxy(proxy)) if signing.is_empty() => {
                proxied(facts, front, proxy, &quiet, section);
            }
            _ => {}
        }
    }
}

/// Whether what comes in there goes through a filter, and is signed behind it.
pub(super) fn signed_behind(facts: &PostfixFacts, service: &Service) -> bool {
    let backs = || facts.postfix.handing_back();
    facts.postfix.filter_of(service).is_some() && backs().iter().any(|back| signs(facts, back))
}

/// Whether signet is asked there, and signs what this machine sends.
fn signs(facts: &PostfixFacts, back: &Service) -> bool {
    let name = facts.postfix.value_for(back, "milter_macro_daemon_name");
    let name = facts.postfix.expanded(name);
    let origin = Origin {
        client: Some(std::net::Ipv4Addr::LOCALHOST.into()),
        daemon_name: Some(name.as_bytes()),
        ..Origin::default()
    };
    asks(facts, back) && origin::decide(&facts.trust, &origin).is_ok()
}

fn queued(
    facts: &PostfixFacts,
    front: &Service,
    filter: &str,
    signing: &[&Service],
    quiet: &[&Service],
    section: &mut Section,
) {
    let strangers = facts.postfix.filters_strangers();
    if facts.postfix.takes_strangers(front) || (strangers && signing.is_empty()) {
        let what = format!(
            "what people send is signed before the filter {filter}, which strangers' mail passes too: if it changes that mail, the signature breaks"
        );
        let mend = vec![
            "nothing, if it leaves alone what people send; else give that a way of its own through the filter:".to_owned(),
            format!("signet doctor --explain {}", Code::PostfixFilterShared),
        ];
        section.add(Code::PostfixFilterShared, front.id(), what, mend);
        return;
    }
    let again = match signing.is_empty() {
        true => "",
        false => ", and again behind it",
    };
    let what = format!(
        "signet signs before the content filter {filter} sees the mail{again}: what the filter changes breaks the signature"
    );
    let options = match options(facts, front) {
        "" => "no_milters".to_owned(),
        options => format!("{options},no_milters"),
    };
    let mut settings = vec![(front.id(), OPTIONS, options)];
    let mut mend = Vec::new();
    if signing.is_empty() {
        match quiet {
            [back] => settings.splice(..0, to_ask(facts, back)).for_each(drop),
            _ => {
                mend.push("have the service that takes the mail back ask signet, then:".to_owned())
            }
        }
    }
    mend.extend(self::mend(facts, &settings));
    section.add(Code::PostfixContentFilter, front.id(), what, mend);
}

fn proxied(
    facts: &PostfixFacts,
    front: &Service,
    proxy: &str,
    quiet: &[&Service],
    section: &mut Section,
) {
    let postfix = &facts.postfix;
    let another = |service: &Service| {
        !postfix.takes_strangers(service)
            && service.program == "smtpd"
            && !matches!(postfix.filter_of(service), Some(Filter::Proxy(_)))
            && asks(facts, service)
    };
    let strangers = postfix.filters_strangers();
    if strangers && postfix.entrances().any(another) {
        return;
    }
    let what = format!(
        "mail goes through the proxy {proxy} before the queue: signet sees no message here and signs nothing"
    );
    let mend = match quiet {
        _ if strangers => vec![
            "let people send by a service of their own, without the proxy:".to_owned(),
            facts.command("postconf", "-M 'submission/inet=submission inet n - y - - smtpd -o smtpd_proxy_filter= -o smtpd_sasl_auth_enable=yes -o smtpd_tls_security_level=encrypt -o smtpd_client_restrictions=permit_sasl_authenticated,reject'"),
            facts.command("postfix", "reload"),
        ],
        [back] => mend(facts, &to_ask(facts, back)),
        _ => vec![
            "have the service that takes the mail back from the proxy ask signet; these take mail:"
                .to_owned(),
            facts.command("postconf", "-M | grep smtpd"),
        ],
    };
    section.add(Code::PostfixProxyFilter, front.id(), what, mend);
}

/// Who hands mail to the filter asks signet, who takes it back does not.
fn before_the_filter(facts: &PostfixFacts, signing: &[&Service]) -> Vec<Setting> {
    let postfix = &facts.postfix;
    let filtered = |service: &&Service| postfix.filter_of(service).is_some();
    let mut settings: Vec<Setting> = postfix
        .entrances()
        .filter(filtered)
        .flat_map(|front| to_ask(facts, front))
        .collect();
    settings.extend(signing.iter().map(|back| {
        let list = postfix.expanded(postfix.value_for(back, "smtpd_milters"));
        let others: Vec<String> = milters(&list)
            .iter()
            .filter(|entry| !facts.is_ours(&entry.address))
            .map(ToString::to_string)
            .collect();
        (back.id(), "smtpd_milters", others.join(", "))
    }));
    settings
}

/// What has a service ask signet that does not.
fn to_ask(facts: &PostfixFacts, service: &Service) -> Vec<Setting> {
    let mut settings = Vec::new();
    if disabled(facts, service) {
        let options = without_no_milters(options(facts, service));
        settings.push((service.id(), OPTIONS, options));
    }
    let list = facts.postfix.value_for(service, "smtpd_milters");
    if service.program == "smtpd" && !lists(facts, &facts.postfix.expanded(list)) {
        let list = joined(list, &facts.right_address());
        settings.push((service.id(), "smtpd_milters", list));
    }
    settings
}

fn mend(facts: &PostfixFacts, settings: &[Setting]) -> Vec<String> {
    let edits = settings.iter();
    let mut commands: Vec<String> = edits
        .map(|(id, name, value)| facts.edit_of(id, name, value))
        .collect();
    commands.push(facts.command("postfix", "reload"));
    commands
}
