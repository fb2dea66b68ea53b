//! One question to one name server, and its answer as it came: the strings of a record
//! apart, the aliases on the way, the code. For finding out what is wrong with a zone,
//! where a resolver's own opinion hides it. Follows no alias and asks nobody else.

use std::fmt::{Display, Formatter, Result as FormatResult};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use hickory_resolver::proto::op::{Edns, Message, Query, ResponseCode};
use hickory_resolver::proto::rr::{Name, RData, RecordType};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};
use tokio::task::JoinSet;
use tokio::time::timeout;

/// How long one try may take; there are two.
const PATIENCE: Duration = Duration::from_secs(3);
/// What fits through the world's networks unfragmented.
const LARGEST_UDP: u16 = 1232;
/// Questions on the way at the same time.
const AT_ONCE: usize = 32;

/// The type of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    A,
    Aaaa,
    Cname,
    Mx,
    Ns,
    Ptr,
    Txt,
}

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Question {
    /// The full name, with or without the dot at its end.
    pub name: String,
    pub kind: Kind,
    /// The answer is wanted even when its DNSSEC signatures are wrong.
    pub unchecked: bool,
}

impl Question {
    pub fn new(name: impl Into<String>, kind: Kind) -> Self {
        Self {
            name: name.into(),
            kind,
            unchecked: false,
        }
    }
}

/// What a name server said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    pub code: Code,
    /// It speaks for the zone itself.
    pub authoritative: bool,
    /// The aliases (CNAME) in the answer: a name and what it stands for.
    pub aliases: Vec<(String, String)>,
    /// The records of the type that was asked for.
    pub records: Vec<Data>,
}

impl Response {
    /// The texts among the records, each as its character-strings.
    pub fn texts(&self) -> impl Iterator<Item = &Vec<Vec<u8>>> {
        self.records.iter().filter_map(|record| match record {
            Data::Text(strings) => Some(strings),
            _ => None,
        })
    }

    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.records.iter().filter_map(|record| match record {
            Data::Name(name) => Some(name.as_str()),
            _ => None,
        })
    }

    pub fn addresses(&self) -> impl Iterator<Item = IpAddr> {
        self.records.iter().filter_map(|record| match record {
            Data::Address(address) => Some(*address),
            _ => None,
        })
    }
}

/// The outcome that a name server reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Code {
    Success,
    NoSuchName,
    Failed,
    Refused,
    Other(u16),
}

impl Display for Code {
    fn fmt(&self, f: &mut Formatter<'_>) -> FormatResult {
        match self {
            Self::Success => f.write_str("NOERROR"),
            Self::NoSuchName => f.write_str("NXDOMAIN"),
            Self::Failed => f.write_str("SERVFAIL"),
            Self::Refused => f.write_str("REFUSED"),
            Self::Other(code) => write!(f, "code {code}"),
        }
    }
}

/// What a record holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Data {
    Address(IpAddr),
    /// Of CNAME, MX, NS and PTR: in small letters, without a dot at the end.
    Name(String),
    /// The character-strings of a TXT record.
    Text(Vec<Vec<u8>>),
}

/// Why a name server gave no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AskError {
    #[error("it did not answer in time")]
    Silent,
    #[error("it cannot be reached: {0}")]
    Unreachable(String),
    #[error("its answer cannot be read")]
    Garbled,
    #[error("the name cannot be asked for: {0}")]
    Name(String),
}

/// Asks one name server, by UDP and, when the answer is too long for it, by TCP.
///
/// # Errors
/// When there is no answer.
pub async fn ask(server: SocketAddr, question: &Question) -> Result<Response, AskError> {
    let mut name = Name::from_str_relaxed(&question.name)
        .map_err(|error| AskError::Name(error.to_string()))?;
    name.set_fqdn(true);
    let kind = match question.kind {
        Kind::A => RecordType::A,
        Kind::Aaaa => RecordType::AAAA,
        Kind::Cname => RecordType::CNAME,
        Kind::Mx => RecordType::MX,
        Kind::Ns => RecordType::NS,
        Kind::Ptr => RecordType::PTR,
        Kind::Txt => RecordType::TXT,
    };
    let mut last = AskError::Silent;
    for _ in 0..2 {
        let mut message = Message::query();
        message.metadata.recursion_desired = true;
        message.metadata.checking_disabled = question.unchecked;
        message.add_query(Query::query(name.clone(), kind));
        let mut edns = Edns::new();
        edns.set_max_payload(LARGEST_UDP);
        message.set_edns(edns);
        match timeout(PATIENCE, exchange(server, &message)).await {
            Ok(Ok(answer)) => return Ok(read(&answer, kind)),
            Ok(Err(error)) => last = error,
            Err(_) => last = AskError::Silent,
        }
    }
    Err(last)
}

/// Asks many at the same time; the answers are in the order of the questions.
pub async fn ask_all(questions: Vec<(SocketAddr, Question)>) -> Vec<Result<Response, AskError>> {
    let mut answers: Vec<_> = questions.iter().map(|_| Err(AskError::Silent)).collect();
    let mut waiting = questions.into_iter().enumerate();
    let mut running = JoinSet::new();
    loop {
        while running.len() < AT_ONCE
            && let Some((place, (server, question))) = waiting.next()
        {
            running.spawn(async move { (place, ask(server, &question).await) });
        }
        match running.join_next().await {
            Some(Ok((place, answer))) => {
                if let Some(slot) = answers.get_mut(place) {
                    *slot = answer;
                }
            }
            Some(Err(_)) => {}
            None => return answers,
        }
    }
}

async fn exchange(server: SocketAddr, message: &Message) -> Result<Message, AskError> {
    let unreachable = |error: std::io::Error| AskError::Unreachable(error.to_string());
    let bytes = message.to_vec().map_err(|_| AskError::Garbled)?;
    let any: IpAddr = match server {
        SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let socket = UdpSocket::bind((any, 0)).await.map_err(unreachable)?;
    socket.connect(server).await.map_err(unreachable)?;
    socket.send(&bytes).await.map_err(unreachable)?;
    let mut buffer = vec![0; 65535];
    let answer = loop {
        let length = socket.recv(&mut buffer).await.map_err(unreachable)?;
        let answer = Message::from_vec(buffer.get(..length).unwrap_or_default());
        // A packet that does not fit the question was not meant for us.
        if let Ok(answer) = answer
            && answers(message, &answer)
        {
            break answer;
        }
    };
    if !answer.metadata.truncation {
        return Ok(answer);
    }
    let mut stream = TcpStream::connect(server).await.map_err(unreachable)?;
    let length = u16::try_from(bytes.len()).map_err(|_| AskError::Garbled)?;
    stream.write_u16(length).await.map_err(unreachable)?;
    stream.write_all(&bytes).await.map_err(unreachable)?;
    let length = stream.read_u16().await.map_err(unreachable)?;
    let mut buffer = vec![0; usize::from(length)];
    stream.read_exact(&mut buffer).await.map_err(unreachable)?;
    let answer = Message::from_vec(&buffer).map_err(|_| AskError::Garbled)?;
    if answers(message, &answer) {
        Ok(answer)
    } else {
        Err(AskError::Garbled)
    }
}

/// Whether this is the answer to that question.
fn answers(question: &Message, answer: &Message) -> bool {
    answer.metadata.id == question.metadata.id
        && (answer.queries.is_empty() || answer.queries == question.queries)
}

/// A name as people write it.
fn plain(name: &Name) -> String {
    let text = name.to_lowercase().to_string();
    text.trim_end_matches('.').to_owned()
}

fn read(message: &Message, kind: RecordType) -> Response {
    let mut response = Response {
        code: match message.metadata.response_code {
            ResponseCode::NoError => Code::Success,
            ResponseCode::NXDomain => Code::NoSuchName,
            ResponseCode::ServFail => Code::Failed,
            ResponseCode::Refused => Code::Refused,
            other => Code::Other(other.into()),
        },
        authoritative: message.metadata.authoritative,
        aliases: Vec::new(),
        records: Vec::new(),
    };
    for record in &message.answers {
        if let RData::CNAME(target) = &record.data {
            let alias = (plain(&record.name), plain(&target.0));
            response.aliases.push(alias);
        }
        if record.data.record_type() != kind {
            continue;
        }
        response.records.push(match &record.data {
            RData::A(address) => Data::Address(address.0.into()),
            RData::AAAA(address) => Data::Address(address.0.into()),
            RData::CNAME(name) => Data::Name(plain(&name.0)),
            RData::NS(name) => Data::Name(plain(&name.0)),
            RData::PTR(name) => Data::Name(plain(&name.0)),
            RData::MX(exchange) => Data::Name(plain(&exchange.exchange)),
            RData::TXT(text) => {
                Data::Text(text.txt_data.iter().map(|string| string.to_vec()).collect())
            }
            _ => continue,
        });
    }
    response
}
