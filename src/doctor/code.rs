//! The name of every finding. A name does not change once it is out: scripts and
//! notes of administrators hold it.

use std::fmt;
use std::str::FromStr;

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Nothing is wrong; good to know.
    Note,
    /// It works now, and will not always or not everywhere.
    Warning,
    /// Mail leaves unsigned, or its signatures do not count.
    Fault,
}

impl Severity {
    pub fn name(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Fault => "fault",
        }
    }
}

macro_rules! codes {
    ($($severity:ident: { $($code:ident = $name:literal,)* })*) => {
        /// What can be found; `docs/doctor.md` has a section for each.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Code {
            $($($code,)*)*
        }

        impl Code {
            pub const ALL: &[Self] = &[$($(Self::$code,)*)*];

            pub fn name(self) -> &'static str {
                match self {
                    $($(Self::$code => $name,)*)*
                }
            }

            pub fn severity(self) -> Severity {
                match self {
                    $($(Self::$code => Severity::$severity,)*)*
                }
            }
        }
    };
}

codes! {
    Fault: {
        ConfigMistake = "config-mistake",
        ConfigProblem = "config-problem",
        KeyDirectory = "key-directory",
        KeyMissing = "key-missing",
        KeyPermissions = "key-permissions",
        KeyUnreadable = "key-unreadable",
        KeyBroken = "key-broken",
        KeyName = "key-name",
        DnsUnreachable = "dns-unreachable",
        DnsMissing = "dns-missing",
        DnsDoubledDomain = "dns-doubled-domain",
        DnsCnameLoop = "dns-cname-loop",
        DnsCnameDangling = "dns-cname-dangling",
        DnsWildcard = "dns-wildcard",
        DnsDnssec = "dns-dnssec",
        DnsServerFailure = "dns-server-failure",
        DnsDisagree = "dns-disagree",
        DnsTwoRecords = "dns-two-records",
        DnsSplitRecord = "dns-split-record",
        DnsRevoked = "dns-revoked",
        DnsUnquotedSemicolon = "dns-unquoted-semicolon",
        DnsQuotes = "dns-quotes",
        DnsBackslash = "dns-backslash",
        DnsTruncated = "dns-truncated",
        DnsPem = "dns-pem",
        DnsLowerCase = "dns-lower-case",
        DnsOldKey = "dns-old-key",
        DnsOtherSelector = "dns-other-selector",
        DnsKeyType = "dns-key-type",
        DnsHash = "dns-hash",
        DnsService = "dns-service",
        DnsVersion = "dns-version",
        DnsNotAKey = "dns-not-a-key",
        DnsTesting = "dns-testing",
        DnsUnreadable = "dns-unreadable",
    }
    Warning: {
        ConfigWarning = "config-warning",
        KeyWeak = "key-weak",
        DnsSpaceInKey = "dns-space-in-key",
        DnsBareKey = "dns-bare-key",
        DnsCached = "dns-cached",
        DnsServerSilent = "dns-server-silent",
        DnsServerRefuses = "dns-server-refuses",
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// There is no finding of that name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no finding \"{name}\"{}", meant(name))]
pub struct UnknownCode {
    pub name: String,
}

impl FromStr for Code {
    type Err = UnknownCode;

    fn from_str(name: &str) -> Result<Self, UnknownCode> {
        let found = Self::ALL.iter().find(|code| code.name() == name);
        found.copied().ok_or_else(|| UnknownCode {
            name: name.to_owned(),
        })
    }
}

fn meant(name: &str) -> String {
    let nearest = Code::ALL
        .iter()
        .map(|code| (strsim::damerau_levenshtein(code.name(), name), code))
        .min_by_key(|(distance, _)| *distance);
    match nearest {
        Some((distance, code)) if distance <= 4 => format!("; did you mean {code}?"),
        _ => "; docs/doctor.md lists them".to_owned(),
    }
}
