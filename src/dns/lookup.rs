//! The DNS client: asks for the TXT records of a name and tells "there is none" from
//! "could not be found out", which are different news to an administrator. Decides
//! nothing about what the records say.

use std::net::SocketAddr;

use hickory_resolver::net::NetError;

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

/// Why there is nobody to ask.
#[derive(Debug, thiserror::Error)]
#[error("the system's DNS settings (/etc/resolv.conf) cannot be used")]
pub struct LookupError(#[from] NetError);

/// Asks one set of resolvers, one after the other until one knows. Has to be used inside
/// a tokio runtime.
#[derive(Debug, Clone)]
pub struct Lookup {
    servers: Vec<SocketAddr>,
}

impl Lookup {
    /// Asks the name servers that the system is set up with.
    ///
    /// # Errors
    /// When `/etc/resolv.conf` cannot be read or used.
    pub fn of_system() -> Result<Self, LookupError> {
        let (config, _) = hickory_resolver::system_conf::read_system_conf()?;
        let servers = config.name_servers().iter().map(|server| {
            let port = server.connections.first().map_or(53, |c| c.port);
            SocketAddr::new(server.ip, port)
        });
        Ok(Self {
            servers: servers.collect(),
        })
    }

    /// Asks one name server.
    pub fn of_server(address: SocketAddr) -> Self {
        Self {
            servers: vec![address],
        }
    }

    /// Whom it asks, in this order.
    pub fn servers(&self) -> &[SocketAddr] {
        &self.servers
    }

    /// The TXT records of a full name.
    pub async fn txt(&self, name: &str) -> Answer {
        self.records(name, Kind::Txt, |data| match data {
            Data::Text(strings) => Some(strings.concat()),
            _ => None,
        })
        .await
    }

    /// The names of the servers of a zone, in small letters without a dot at the end.
    pub async fn name_servers(&self, zone: &str) -> Answer<String> {
        self.records(zone, Kind::Ns, |data| match data {
            Data::Name(name) => Some(name.clone()),
            _ => None,
        })
        .await
    }

    async fn records<T>(
        &self,
        name: &str,
        kind: Kind,
        read: impl Fn(&Data) -> Option<T>,
    ) -> Answer<T> {
        let question = Question::new(name, kind);
        let mut trouble = "no name server is known (/etc/resolv.conf)".to_owned();
        for server in &self.servers {
            let why = match ask(*server, &question).await {
                Ok(response) => match response.code {
                    Code::Success | Code::NoSuchName => {
                        let records: Vec<T> = response.records.iter().filter_map(read).collect();
                        return match records.is_empty() {
                            true => Answer::Missing,
                            false => Answer::Found(records),
                        };
                    }
                    code => format!("the name server answered {code}"),
                },
                Err(AskError::Silent) => "the name server did not answer in time".to_owned(),
                Err(AskError::Unreachable(why)) => {
                    format!("the name server cannot be reached: {why}")
                }
                Err(AskError::Garbled) => "the answer cannot be read".to_owned(),
                Err(error @ AskError::Name(_)) => error.to_string(),
            };
            trouble = format!("{why} (asked {server})");
        }
        Answer::Trouble(trouble)
    }
}
