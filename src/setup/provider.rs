//! Who serves a zone, known by the names of its name servers, and which form of the
//! record that provider's console takes.

/// Where a zone is kept, as far as the names of its servers tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Provider {
    /// For people; `None` when nobody known serves the zone.
    pub name: Option<&'static str>,
    /// The `--format` to print the record in.
    pub format: &'static str,
    /// What to do with that form there.
    pub how: &'static str,
}

const UNKNOWN: Provider = Provider {
    name: None,
    format: "plain",
    how: "create one TXT record with this name and value; if the console says the value is too long, take --format quoted",
};

/// Part of a server's name, the provider, the form, and what to do with it.
const KNOWN: &[(&str, &str, &str, &str)] = &[
    (
        ".awsdns-",
        "Amazon Route53",
        "quoted",
        "create a TXT record and paste the value with its quotation marks, on one line: two lines would be two records",
    ),
    (
        ".ns.cloudflare.com",
        "Cloudflare",
        "plain",
        "create a TXT record and paste the value; Cloudflare cuts it into strings itself",
    ),
    (
        ".azure-dns.",
        "Azure DNS",
        "azure",
        "run the command with your resource group in place of RG",
    ),
    (
        ".googledomains.com",
        "Google Cloud DNS",
        "gcloud",
        "run the command with your managed zone in place of ZONE",
    ),
    (
        ".digitalocean.com",
        "DigitalOcean",
        "digitalocean",
        "run the command, or paste what follows --record-data into the console",
    ),
    (".hetzner.", "Hetzner", "plain", PASTE),
    (".your-server.de", "Hetzner", "plain", PASTE),
    (".ovh.", "OVH", "plain", PASTE),
    (".anycast.me", "OVH", "plain", PASTE),
    (".gandi.net", "Gandi", "plain", PASTE),
    (".registrar-servers.com", "Namecheap", "plain", PASTE),
    (".domaincontrol.com", "GoDaddy", "plain", PASTE),
    (".ui-dns.", "IONOS", "plain", PASTE),
    (".linode.com", "Linode", "plain", PASTE),
    (
        ".desec.",
        "deSEC",
        "quoted",
        "create a TXT record and paste the value with its quotation marks",
    ),
];

const PASTE: &str = "create a TXT record and paste the value";

impl Provider {
    /// The provider whose servers these are; `own` when the zone lies on this machine.
    pub fn of(name_servers: &[String], own: bool) -> Self {
        if own {
            return Self {
                name: Some("this machine"),
                format: "bind",
                how: "add the record to the zone file, raise the serial, and reload the zone",
            };
        }
        KNOWN
            .iter()
            .find(|(part, ..)| {
                name_servers
                    .iter()
                    .any(|server| server.to_ascii_lowercase().contains(part))
            })
            .map_or(UNKNOWN, |(_, name, format, how)| Self {
                name: Some(name),
                format,
                how,
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dns::Format;

    fn format(server: &str) -> &'static str {
        Provider::of(&[server.to_owned()], false).format
    }

    #[test]
    fn providers_are_known_by_their_name_servers() {
        assert_eq!(format("ns-1234.awsdns-56.co.uk"), "quoted");
        assert_eq!(format("Dana.NS.Cloudflare.com"), "plain");
        assert_eq!(format("ns1-01.azure-dns.com"), "azure");
        assert_eq!(format("ns-cloud-a1.googledomains.com"), "gcloud");
        assert_eq!(format("ns2.digitalocean.com"), "digitalocean");
        assert_eq!(
            Provider::of(&["ns.example.net".to_owned()], false).name,
            None
        );
        assert_eq!(
            Provider::of(&["ns.example.net".to_owned()], true).format,
            "bind"
        );
    }

    #[test]
    fn every_form_exists() {
        for (_, name, format, _) in KNOWN {
            assert!(format.parse::<Format>().is_ok(), "{name}: {format}");
        }
        assert!(UNKNOWN.format.parse::<Format>().is_ok());
    }
}
