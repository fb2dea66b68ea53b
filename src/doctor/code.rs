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
        PostfixUnreadable = "postfix-unreadable",
        PostfixNotAsked = "postfix-not-asked",
        PostfixSmtpdMilters = "postfix-smtpd-milters",
        PostfixNonSmtpdMilters = "postfix-non-smtpd-milters",
        PostfixNoMilters = "postfix-no-milters",
        PostfixServiceOverride = "postfix-service-override",
        PostfixAddress = "postfix-address",
        PostfixTransport = "postfix-transport",
        PostfixSendmailAddress = "postfix-sendmail-address",
        PostfixPathLong = "postfix-path-long",
        PostfixSocketChroot = "postfix-socket-chroot",
        PostfixSocketMissing = "postfix-socket-missing",
        PostfixSocketFile = "postfix-socket-file",
        PostfixSocketDenied = "postfix-socket-denied",
        PostfixDirectoryDenied = "postfix-directory-denied",
        PostfixSocketRefused = "postfix-socket-refused",
        PostfixNotAMilter = "postfix-not-a-milter",
        PostfixNoAddress = "postfix-no-address",
        PostfixChrootHosts = "postfix-chroot-hosts",
        PostfixActionUnknown = "postfix-action-unknown",
        PostfixProtocolUnknown = "postfix-protocol-unknown",
        PostfixFilterStrangers = "postfix-filter-strangers",
        PostfixEightBit = "postfix-8bit",
        PostfixLineLength = "postfix-line-length",
        SpfTwoRecords = "spf-two-records",
        SpfSyntax = "spf-syntax",
        SpfIncludeMissing = "spf-include-missing",
        SpfLookups = "spf-lookups",
        SpfPassAll = "spf-pass-all",
        SpfHostMissing = "spf-host-missing",
        SpfUnknown = "spf-unknown",
        DmarcTwoRecords = "dmarc-two-records",
        DmarcSyntax = "dmarc-syntax",
        DmarcAlignment = "dmarc-alignment",
        DmarcUnknown = "dmarc-unknown",
        HelloName = "helo-name",
        HelloUnknown = "helo-unknown",
        PtrMissing = "ptr-missing",
        PtrUnconfirmed = "ptr-unconfirmed",
        PtrUnknown = "ptr-unknown",
    }
    Warning: {
        ConfigWarning = "config-warning",
        KeyWeak = "key-weak",
        DnsSpaceInKey = "dns-space-in-key",
        DnsBareKey = "dns-bare-key",
        DnsCached = "dns-cached",
        DnsServerSilent = "dns-server-silent",
        DnsServerRefuses = "dns-server-refuses",
        PostfixListedTwice = "postfix-listed-twice",
        PostfixOrder = "postfix-order",
        PostfixTwoSigners = "postfix-two-signers",
        PostfixDefaultAction = "postfix-default-action",
        PostfixProtocolOld = "postfix-protocol-old",
        PostfixMilterMaps = "postfix-milter-maps",
        PostfixHeaderChecks = "postfix-header-checks",
        PostfixBodyChecks = "postfix-body-checks",
        PostfixGenericMaps = "postfix-generic-maps",
        PostfixMilterHeaderChecks = "postfix-milter-header-checks",
        PostfixContentFilter = "postfix-content-filter",
        PostfixProxyFilter = "postfix-proxy-filter",
        LogNoSuchFile = "log-no-such-file",
        LogPermissionDenied = "log-permission-denied",
        LogConnectionRefused = "log-connection-refused",
        LogTimedOut = "log-timed-out",
        LogHostNotFound = "log-host-not-found",
        LogNeedsTransport = "log-needs-transport",
        LogInvalidTransport = "log-invalid-transport",
        LogSendmailAddress = "log-sendmail-address",
        LogPathTooLong = "log-path-too-long",
        LogBadProtocol = "log-bad-protocol",
        LogBadAction = "log-bad-action",
        LogClosed = "log-closed",
        LogNotAMilter = "log-not-a-milter",
        LogMilterReject = "log-milter-reject",
        LogUnknown = "log-unknown",
        SpfMissing = "spf-missing",
        SpfNoAll = "spf-no-all",
        SpfPtr = "spf-ptr",
        DmarcMissing = "dmarc-missing",
        DmarcObsolete = "dmarc-obsolete",
        DmarcIgnored = "dmarc-ignored",
        DmarcPsd = "dmarc-psd",
        DmarcNoDomain = "dmarc-no-domain",
        DmarcReports = "dmarc-reports",
        DmarcReportsUnknown = "dmarc-reports-unknown",
        HelloAddress = "helo-address",
    }
    Note: {
        PostfixSignerUnknown = "postfix-signer-unknown",
        PostfixListHost = "postfix-list-host",
        PostfixFilterShared = "postfix-filter-shared",
        PostfixBounces = "postfix-bounces",
        DmarcNone = "dmarc-none",
        DmarcTesting = "dmarc-testing",
        AliasGmail = "alias-gmail",
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
