//! How a message is signed, and what becomes of it when it cannot be.

use std::time::Duration;

use super::headers::{Headers, Lists};
use super::work::Work;
use crate::config::OnFailure;
use crate::import::report::Outcome::{Changed, Dropped, NeedsYou, Same};
use crate::names::FieldName;

pub fn read(work: &mut Work) {
    canonicalization(work);
    header_sets(work);
    author(work);
    tags(work);
    failure(work);
    limits(work);
    habits(work);
}

fn canonicalization(work: &mut Work) {
    let advice = "relaxed/relaxed survives more of what servers on the way do to a message";
    let Some(setting) = work.setting("Canonicalization") else {
        work.settings.canonicalization = simple();
        let why = format!("OpenDKIM's default is simple/simple, and is kept. {advice}");
        work.tell_default(Same, "Canonicalization", why);
        return;
    };
    // OpenDKIM takes simple for the body that is not named.
    let text = match setting.value.contains('/') {
        true => setting.value.clone(),
        false => format!("{}/simple", setting.value),
    };
    match text.to_ascii_lowercase().parse() {
        Ok(canonicalization) => {
            work.settings.canonicalization = canonicalization;
            let why = match text.to_ascii_lowercase().contains("simple") {
                true => format!("signing.canonicalization = \"{canonicalization}\". {advice}"),
                false => format!("signing.canonicalization = \"{canonicalization}\""),
            };
            work.tell(Same, &setting, why);
        }
        Err(_) => work.wrong(
            &setting,
            "is not simple or relaxed, nor two of them with a slash",
        ),
    }
}

fn simple() -> crate::dkim::Canonicalization {
    "simple/simple".parse().unwrap_or_default()
}

fn header_sets(work: &mut Work) {
    let mut set = |option| Some(work.data_set(option)?.1);
    let lists = Lists {
        sign: set("SignHeaders"),
        omit: set("OmitHeaders"),
        oversign: set("OversignHeaders"),
    };
    let headers = Headers::new(&lists, &mut work.report);
    work.settings.sign = headers.sign;
    work.settings.oversign = headers.oversign;
    for option in ["SignHeaders", "OmitHeaders", "OversignHeaders"] {
        if let Some(setting) = work.setting(option) {
            work.tell(
                Same,
                &setting,
                "signing.sign and signing.oversign hold the names that remain",
            );
        }
    }
    if lists.sign.is_none() {
        let why = "OpenDKIM's default list is kept. signet's own covers more (take signing.sign, \
                   signing.oversign_present and signing.oversign out to have it)";
        work.tell_default(Same, "SignHeaders", why);
    }
    if !work
        .settings
        .oversign
        .iter()
        .any(|name| name.as_str() == "from")
    {
        let why = "From is not oversigned: somebody may add a second From to a signed message. \
                   signing.oversign = [\"from\"] prevents it";
        work.tell_default(Same, "OversignHeaders", why);
    }
}

fn author(work: &mut Work) {
    let Some((setting, set)) = work.data_set("SenderHeaders") else {
        return;
    };
    let mut names = Vec::new();
    for entry in &set.entries {
        match FieldName::parse(&entry.key) {
            Ok(name) => names.push(name),
            Err(error) => work.wrong(&setting, error.to_string()),
        }
    }
    // OpenDKIM looks at From last whether it is named or not.
    let from = FieldName::parse("from");
    if let Ok(from) = from
        && !names.contains(&from)
    {
        names.push(from);
    }
    work.settings.author_headers = names;
    let why = "author_headers: the first of these fields that is there names the author. Of several \
               addresses in it OpenDKIM takes the first; signet does not guess and leaves the \
               message unsigned";
    work.tell(Changed, &setting, why);
}

fn tags(work: &mut Work) {
    if let Some(setting) = work.setting("SignatureTTL") {
        match work.conf.number("SignatureTTL") {
            Some(0) => work.tell(Same, &setting, "no x="),
            Some(seconds) if seconds > 0 => {
                work.settings.expiry = Some(Duration::from_secs(seconds.unsigned_abs()));
                work.tell(Same, &setting, format!("signing.expiry = \"{seconds}s\""));
            }
            _ => work.wrong(&setting, "is not a number of seconds"),
        }
    }
    if let Some(setting) = work.setting("RequestReports") {
        work.settings.request_reports = work.conf.flag("RequestReports", false);
        work.tell(Same, &setting, "signing.request_reports (r=y, RFC 6651)");
    }
    let Some(setting) = work.setting("SignatureAlgorithm") else {
        return;
    };
    match setting.value.to_ascii_lowercase().as_str() {
        "rsa-sha256" | "ed25519-sha256" => {
            work.tell(Same, &setting, "the key says which algorithm it is for");
        }
        "rsa-sha1" => {
            let why = "signet signs with rsa-sha256: SHA-1 counts as no signature since RFC 8301. \
                       See that the key record in DNS has no h=sha1";
            work.tell(NeedsYou, &setting, why);
        }
        _ => work.wrong(&setting, "is not an algorithm of DKIM; take the line out"),
    }
}

/// The first of these that is set decides: signet has one action for all that can go
/// wrong with a message it should sign.
const FAILURES: [&str; 4] = [
    "On-SignatureError",
    "On-InternalError",
    "On-Security",
    "On-Default",
];

fn failure(work: &mut Work) {
    let settings: Vec<_> = FAILURES
        .iter()
        .filter_map(|option| work.setting(option))
        .collect();
    let mut decided = None;
    for setting in &settings {
        let action = match setting.value.to_ascii_lowercase().as_str() {
            "a" | "accept" => OnFailure::Unsigned,
            "t" | "tempfail" => OnFailure::Tempfail,
            "r" | "reject" => OnFailure::Reject,
            "d" | "discard" | "q" | "quarantine" => {
                let why = "signet neither discards nor quarantines mail: it is told to come again";
                work.tell(NeedsYou, setting, why);
                decided = decided.or(Some(OnFailure::Tempfail));
                continue;
            }
            _ => {
                work.wrong(
                    setting,
                    "is not accept, tempfail, reject, discard or quarantine",
                );
                continue;
            }
        };
        let taken = *decided.get_or_insert(action);
        match taken == action {
            true => work.tell(Same, setting, format!("signing.on_failure = \"{taken}\"")),
            false => {
                let why = format!(
                    "signing.on_failure is one for all failures of signing; it is \"{taken}\", as \
                     {} says",
                    settings.first().map_or("", |first| first.known.name)
                );
                work.tell(Changed, setting, why);
            }
        }
    }
    work.settings.on_failure = decided.unwrap_or_default();
    if decided.is_none() {
        let why = "OpenDKIM rejects mail for good when signing fails; signet has it wait \
                   (signing.on_failure = \"tempfail\"), and none is lost";
        work.tell_default(Changed, "On-SignatureError", why);
    }
}

fn limits(work: &mut Work) {
    let Some(setting) = work.setting("MaximumHeaders") else {
        let why = "OpenDKIM's limit is 65536 bytes, signet's limits.header_bytes is 1 MiB";
        work.tell_default(Changed, "MaximumHeaders", why);
        return;
    };
    match work.conf.number("MaximumHeaders") {
        Some(0) => {
            let why = "signet always has a limit: limits.header_bytes is 1 MiB, more than Postfix lets in";
            work.tell(Changed, &setting, why);
        }
        Some(bytes) if bytes >= 1024 => {
            work.settings.header_bytes = Some(bytes.unsigned_abs());
            work.tell(Same, &setting, format!("limits.header_bytes = {bytes}"));
        }
        Some(bytes) if bytes > 0 => {
            work.settings.header_bytes = Some(1024);
            let why = "limits.header_bytes = 1024, the least that signet takes";
            work.tell(Changed, &setting, why);
        }
        _ => work.wrong(&setting, "is not a number of bytes"),
    }
}

/// Options that change a message or judge it.
fn habits(work: &mut Work) {
    for (option, why) in [
        (
            "RemoveOldSignatures",
            "signet touches no signature of others; a receiver passes over those that it cannot verify",
        ),
        (
            "RequiredHeaders",
            "signet signs mail with exactly one From and author, and says why it does not sign \
             other mail; it does not count the other fields",
        ),
        (
            "StrictHeaders",
            "signet signs mail with exactly one From and author, and says why it does not sign \
             other mail; it does not count the other fields",
        ),
        (
            "FixCRLF",
            "Postfix repairs line ends before a milter sees them",
        ),
        ("SoftwareHeader", "mail is not told which program signed it"),
        ("X-Header", "mail is not told which program signed it"),
        (
            "IgnoreMalformedMail",
            "signet passes malformed mail on unsigned, and adds nothing to it",
        ),
    ] {
        let Some(setting) = work.setting(option) else {
            continue;
        };
        match work.conf.flag(option, false) {
            true => work.tell(Dropped, &setting, why),
            false => work.tell(Same, &setting, "off"),
        }
    }
}
