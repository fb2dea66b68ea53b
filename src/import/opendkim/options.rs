//! Every option that OpenDKIM 2.11 and its releases since 2.0 know, with its type and
//! what becomes of it.

use Kind::{Boolean, Integer, Text};
use Treatment::{Dropped, Read, Stop, Verification};

/// How OpenDKIM reads the value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Boolean,
    Integer,
    /// A string or a data set.
    Text,
}

/// What becomes of an option.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Treatment {
    /// The importer reads it, and reports what it made of it.
    Read,
    /// It is about verification, which signet leaves to others.
    Verification,
    /// signet does not have it, for this reason.
    Dropped(&'static str),
    /// Which mail is signed, and how, may depend on it: the import stops.
    Stop(&'static str),
}

#[derive(Debug, PartialEq, Eq)]
pub struct Known {
    pub name: &'static str,
    pub kind: Kind,
    pub treatment: Treatment,
}

/// The option of this name, in any case.
pub fn find(name: &str) -> Option<&'static Known> {
    KNOWN
        .iter()
        .find(|known| known.name.eq_ignore_ascii_case(name))
}

/// The option that was most likely meant.
pub fn nearest(name: &str) -> Option<&'static str> {
    let name = name.to_ascii_lowercase();
    if name.len() > 64 {
        return None;
    }
    let distance =
        |known: &&Known| strsim::damerau_levenshtein(&name, &known.name.to_ascii_lowercase());
    let known = KNOWN.iter().min_by_key(distance)?;
    (distance(&known) <= 1 + known.name.len() / 4).then_some(known.name)
}

const SUPERVISED: &str = "the service manager starts, stops and restarts signet";
const DEBUGGING: &str = "a means of debugging OpenDKIM";
const LUA: &str = "a Lua script decides here, and no importer can know what it does; write what it \
                   is for as rules of signet's and take the line out";
const LDAP: &str = "is for data sets in LDAP, which signet does not read";
const STATISTICS: &str = "signet counts in its own metrics";
const REPUTATION: &str = "reputation is left to a spam filter";
const REWRITES: &str = "changes what is signed, in a way that signet does not have; take the line \
                        out if you can do without";
const VOUCHING: &str = "vouching (RFC 5518) is not in use any more";
const L_TAG: &str =
    "l= lets anybody append to a signed message; signet always signs the whole body";
const RATES: &str = "rates are limited by Postfix (anvil) or a policy service";
const ATPS: &str = "atps= (RFC 6541) is an experiment that no receiver asks for";

macro_rules! known {
    ($($kind:ident $treatment:expr => $($name:literal)+;)+) => {
        /// In no order that means anything.
        const KNOWN: &[Known] = &[$($(
            Known { name: $name, kind: $kind, treatment: $treatment },
        )+)+];
    };
}

known! {
    Text Read =>
        "Canonicalization" "Domain" "DontSignMailTo" "ExemptDomains" "ExternalIgnoreList"
        "InternalHosts" "KeyFile" "KeyTable" "MacroList" "Mode" "MTA" "OmitHeaders" "On-Default"
        "On-InternalError" "On-Security" "On-SignatureError" "OversignHeaders" "PeerList"
        "Selector" "SenderHeaders" "SignatureAlgorithm" "SignHeaders" "SigningTable" "Socket"
        "UserID" "BaseDirectory" "SyslogFacility" "SyslogName";
    Boolean Read =>
        "MultipleSignatures" "RequireSafeKeys" "SubDomains" "RequestReports" "Syslog"
        "SyslogSuccess" "LogWhy" "RemoveOldSignatures" "RequiredHeaders" "StrictHeaders"
        "FixCRLF" "SoftwareHeader" "X-Header" "IgnoreMalformedMail";
    Integer Read => "MaximumHeaders" "MinimumKeyBits" "SignatureTTL" "UMask";

    Text Stop(LUA) =>
        "SetupPolicyScript" "ScreenPolicyScript" "FinalPolicyScript" "StatisticsPolicyScript";
    Text Stop(REWRITES) =>
        "ReplaceRules" "ReplaceHeaders" "IdentityHeader" "SenderMacro" "DefaultSender"
        "POPDBFile" "ConditionalSignatures" "ResignMailTo" "SelectorHeader";
    Boolean Stop(REWRITES) => "IdentityHeaderRemove" "ResignAll" "SelectorHeaderRemove";

    Boolean Dropped(SUPERVISED) => "AutoRestart" "Background" "EnableCoredumps";
    Integer Dropped(SUPERVISED) => "AutoRestartCount";
    Text Dropped(SUPERVISED) => "AutoRestartRate" "PidFile" "ChangeRootDirectory";
    Integer Dropped(DEBUGGING) => "MilterDebug";
    Boolean Dropped(DEBUGGING) => "DisableCryptoInit" "KeepTemporaryFiles" "StrictTestMode";
    Text Dropped(DEBUGGING) => "TemporaryDirectory";
    Text Dropped(L_TAG) => "BodyLengthDB";
    Integer Dropped(L_TAG) => "MaximumSignedBytes";
    Boolean Dropped("z= copies the header section into the signature, for debugging alone") =>
        "Diagnostics";
    Text Dropped("would let the sender choose the canonicalization") =>
        "SelectCanonicalizationHeader";
    Text Dropped(ATPS) => "ATPSDomains" "ATPSHashAlgorithm";
    Text Dropped(RATES) => "RateLimits" "FlowData";
    Integer Dropped(RATES) => "FlowDataFactor" "FlowDataTTL";
    Text Dropped(STATISTICS) => "Statistics" "StatisticsName" "StatisticsPrefix";
    Boolean Dropped(STATISTICS) => "AnonymousStatistics";
    Text Dropped(REPUTATION) =>
        "DKIMReputationRoot" "ReputationCache" "ReputationDuplicates" "ReputationLimits"
        "ReputationLowTime" "ReputationLimitModifiers" "ReputationRatios" "ReputationRRDRoot"
        "ReputationSpamCheck" "ReputationTimeFactor" "On-ReputationError";
    Integer Dropped(REPUTATION) =>
        "DKIMReputationFail" "DKIMReputationPass" "DKIMReputationReject" "ReputationCacheTTL"
        "ReputationMinimum" "ReputationRRDHashDepth" "ReputationTimeout";
    Boolean Dropped(REPUTATION) => "ReputationTest" "ReputationVerbose";
    Text Dropped(VOUCHING) => "VBR-Certifiers" "VBR-TrustedCertifiers" "VBR-Type";
    Boolean Dropped(VOUCHING) => "VBR-PurgeFields" "VBR-TrustedCertifiersOnly";
    Text Dropped(LDAP) =>
        "LDAPAuthMechanism" "LDAPAuthName" "LDAPAuthRealm" "LDAPAuthUser" "LDAPBindPassword"
        "LDAPBindUser" "LDAPKeepaliveIdle" "LDAPKeepaliveInterval" "LDAPKeepaliveProbes"
        "LDAPTimeout";
    Boolean Dropped(LDAP) => "LDAPDisableCache" "LDAPSoftStart" "LDAPUseTLS" "SoftStart";

    Text Verification =>
        "ADSPAction" "AuthservID" "BogusKey" "BogusPolicy" "DiagnosticDirectory" "LocalADSP"
        "Minimum" "MTACommand" "MustBeSigned" "Nameservers" "NoDiscardableMailTo"
        "On-BadSignature" "On-DNSError" "On-KeyNotFound" "On-NoSignature" "On-PolicyError"
        "RedirectFailuresTo" "RemoveARFrom" "ReportAddress" "ReportBccAddress"
        "ResolverConfiguration" "SMTPURI" "TestDNSData" "TestPublicKeys" "TrustAnchorFile"
        "TrustSignaturesFrom" "UnprotectedKey" "UnprotectedPolicy";
    Boolean Verification =>
        "AddAllSignatureResults" "ADSPNoSuchDomain" "AllowSHA1Only" "AlwaysAddARHeader"
        "AuthservIDWithJobID" "CaptureUnknownErrors" "DisableADSP" "DNSConnect"
        "DomainKeysCompat" "KeepAuthResults" "LogResults" "NoHeaderB" "Quarantine" "QueryCache"
        "RemoveARAll" "ResolverTracing" "SendADSPReports" "SendReports" "WeakSyntaxChecks";
    Integer Verification => "ClockDrift" "DNSTimeout" "MaximumSignaturesToVerify";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_option_is_there_once_and_has_a_treatment() {
        let mut names: Vec<_> = KNOWN
            .iter()
            .map(|known| known.name.to_lowercase())
            .collect();
        names.sort_unstable();
        let all = names.len();
        names.dedup();
        assert_eq!(names.len(), all);
        assert_eq!(find("oversignheaders").unwrap().name, "OversignHeaders");
        assert_eq!(nearest("SigningTabel"), Some("SigningTable"));
        assert_eq!(nearest("Wibble"), None);
    }

    #[test]
    fn none_of_the_installed_manual_page_is_missing() {
        // The options of opendkim.conf(5) of Debian's 2.11.0~beta2-8+deb12u1.
        for name in include_str!("options.txt").split_whitespace() {
            assert!(name == "Include" || find(name).is_some(), "{name}");
        }
    }
}
