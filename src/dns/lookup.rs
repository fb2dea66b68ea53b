//! The DNS client: asks for the TXT records of a name and tells "there is none" from
//! "could not be found out", which are different news to an administrator. Decides
//! nothing about what the records say.

use std::net::SocketAddr;
use std::time::Duration;

use hickory_resolver::TokioResolver;
use hickory_resolver::config::{
    ConnectionConfig, NameServerConfig, ResolveHosts, ResolverConfig, ResolverOpts,
};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::op::ResponseCode;
use hickory_resolver::proto::rr::{Name, RData, RecordType};

mod direct;

pub use direct::{AskError, Code, Data, Kind, Question, Response, ask, ask_all};

/// What a lookup of the records of one name and type came to; by default of TXT, each
/// with its character-strings joined.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer<T = Vec<u8>> {
    /// The records. Not empty.
    Found(Vec<T>),
    /// The name does not exist or has no record of this type.
    Missing,
    /// It could not be found out; the text says why.
    Trouble(String),
}

/// Why there is no DNS client.
#[derive(Debug, thiserror::Error)]
pub enum LookupError {
    #[error("the system's DNS settings (/etc/resolv.conf) cannot be used")]
    System(#[source] NetError),
    #[error("the DNS client cannot be set up")]
    Client(#[source] NetError),
}

/// Asks one set of name servers. Has to be used inside a tokio runtime.
pub struct Lookup {
    resolver: TokioResolver,
    /// Whom it asks, for messages.
    server: String,
}

impl std::fmt::Debug for Lookup {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Lookup({})", self.server)
    }
}

impl Lookup {
    /// Asks the name servers that the system is set up with.
    ///
    /// # Errors
    /// When `/etc/resolv.conf` cannot be read or used.
    pub fn of_system() -> Result<Self, LookupError> {
        let (config, options) =
            hickory_resolver::system_conf::read_system_conf().map_err(LookupError::System)?;
        let servers: Vec<String> = config
            .name_servers()
            .iter()
            .map(|server| server.ip.to_string())
            .collect();
        Self::new(config, options, servers.join(", "))
    }

    /// The addresses of the name servers that the system is set up with.
    ///
    /// # Errors
    /// When `/etc/resolv.conf` cannot be read or used.
    pub fn servers_of_system() -> Result<Vec<SocketAddr>, LookupError> {
        let (config, _) =
            hickory_resolver::system_conf::read_system_conf().map_err(LookupError::System)?;
        let servers = config.name_servers().iter();
        Ok(servers
            .map(|server| {
                let port = server.connections.first().map_or(53, |c| c.port);
                SocketAddr::new(server.ip, port)
            })
            .collect())
    }

    /// Asks one name server, by UDP and, for answers that are too long, TCP.
    ///
    /// # Errors
    /// When the client cannot be set up.
    pub fn of_server(address: SocketAddr) -> Result<Self, LookupError> {
        let connections = [ConnectionConfig::udp(), ConnectionConfig::tcp()];
        let connections = connections.into_iter().map(|mut connection| {
            connection.port = address.port();
            connection
        });
        let server = NameServerConfig::new(address.ip(), true, connections.collect());
        let config = ResolverConfig::from_name_servers(vec![server]);
        Self::new(config, ResolverOpts::default(), address.to_string())
    }

    fn new(
        config: ResolverConfig,
        mut options: ResolverOpts,
        server: String,
    ) -> Result<Self, LookupError> {
        options.timeout = Duration::from_secs(3);
        options.attempts = 2;
        // A 2048-bit key does not fit into the 512 bytes of plain DNS.
        options.edns0 = true;
        options.use_hosts_file = ResolveHosts::Never;
        let builder = TokioResolver::builder_with_config(config, TokioRuntimeProvider::default());
        let resolver = builder
            .with_options(options)
            .build()
            .map_err(LookupError::Client)?;
        Ok(Self { resolver, server })
    }

    /// The TXT records of a full name.
    pub async fn txt(&self, name: &str) -> Answer {
        self.records(name, RecordType::TXT, |data| match data {
            RData::TXT(txt) => Some(txt.txt_data.concat()),
            _ => None,
        })
        .await
    }

    /// The names of the servers of a zone, in small letters without a dot at the end.
    pub async fn name_servers(&self, zone: &str) -> Answer<String> {
        self.records(zone, RecordType::NS, |data| match data {
            RData::NS(server) => Some(plain(&server.0)),
            _ => None,
        })
        .await
    }

    async fn records<T>(
        &self,
        name: &str,
        kind: RecordType,
        read: impl Fn(&RData) -> Option<T>,
    ) -> Answer<T> {
        let trouble = |why: String| Answer::Trouble(format!("{why} (asked {})", self.server));
        let name = match Name::from_str_relaxed(name) {
            Ok(mut name) => {
                // No search list: the name is complete.
                name.set_fqdn(true);
                name
            }
            Err(error) => return trouble(format!("the name cannot be asked for: {error}")),
        };
        let found = match self.resolver.lookup(name, kind).await {
            Ok(found) => found,
            // Only these two say that there is no record; hickory puts every kind of
            // "no answer" into one error.
            Err(NetError::Dns(DnsError::NoRecordsFound(none)))
                if matches!(
                    none.response_code,
                    ResponseCode::NXDomain | ResponseCode::NoError
                ) =>
            {
                return Answer::Missing;
            }
            Err(error) => return trouble(words(&error)),
        };
        let records: Vec<T> = found
            .answers()
            .iter()
            .filter_map(|record| read(&record.data))
            .collect();
        if records.is_empty() {
            Answer::Missing
        } else {
            Answer::Found(records)
        }
    }
}

/// A name as people write it.
fn plain(name: &Name) -> String {
    let text = name.to_lowercase().to_string();
    text.trim_end_matches('.').to_owned()
}

fn words(error: &NetError) -> String {
    match error {
        NetError::Timeout => "the name server did not answer in time".to_owned(),
        NetError::NoConnections => "no name server can be reached".to_owned(),
        NetError::Dns(DnsError::ResponseCode(code)) => {
            format!("the name server answered {code:?}")
        }
        NetError::Dns(DnsError::NoRecordsFound(none)) => {
            format!("the name server answered {:?}", none.response_code)
        }
        other => other.to_string(),
    }
}
