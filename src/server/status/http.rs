//! The HTTP server of the status: a handful of pages to read, and nothing to change.
//!
//! It knows no password and no TLS. What it costs is bounded: few connections, each
//! for a short time; mail never waits for it.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use base64ct::{Base64, Encoding};
use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{self, HeaderName, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tracing::{debug, warn};

use super::super::Shared;
use super::{Status, page};
use crate::telemetry::exposition;

/// Connections at the same time; the next ones wait.
const CONNECTIONS: usize = 16;
/// How long one connection may last, whatever it does.
const LONGEST: Duration = Duration::from_secs(60);
const HEADERS_WITHIN: Duration = Duration::from_secs(5);

const TEXT: &str = "text/plain; charset=utf-8";

/// Beside the policy of [`policy`]: nobody frames the page, keeps it, or learns whence
/// its reader came.
const HARDENING: [(HeaderName, HeaderValue); 4] = [
    (
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    ),
    (
        header::REFERRER_POLICY,
        HeaderValue::from_static("no-referrer"),
    ),
    (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
];

/// Why there is no status server.
#[derive(Debug, thiserror::Error)]
#[error("cannot show the status on {address} (metrics.listen)")]
pub struct HttpError {
    address: SocketAddr,
    source: io::Error,
}

/// A socket that is bound, and will answer once [`StatusListener::serve`] runs.
#[derive(Debug)]
pub struct StatusListener {
    listener: std::net::TcpListener,
    address: SocketAddr,
}

impl StatusListener {
    /// # Errors
    /// When the address cannot be had.
    pub fn bind(address: SocketAddr) -> Result<Self, HttpError> {
        let failed = |source| HttpError { address, source };
        let listener = std::net::TcpListener::bind(address).map_err(failed)?;
        listener.set_nonblocking(true).map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        Ok(Self { listener, address })
    }

    /// With the port that the system chose when the config said 0.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers for ever.
    pub async fn serve(self, shared: Arc<Shared>) {
        let listener = match TcpListener::from_std(self.listener) {
            Ok(listener) => listener,
            Err(error) => {
                warn!(address = %self.address, %error, "the status cannot be shown");
                return;
            }
        };
        let places = Arc::new(Semaphore::new(CONNECTIONS));
        loop {
            let Ok(place) = places.clone().acquire_owned().await else {
                return;
            };
            match listener.accept().await {
                Ok((stream, _)) => {
                    let shared = shared.clone();
                    tokio::spawn(async move {
                        converse(stream, shared).await;
                        drop(place);
                    });
                }
                Err(error) => {
                    warn!(address = %self.address, %error, "cannot accept a connection; trying again");
                    tokio::time::sleep(Duration::from_secs(1)).await;
                }
            }
        }
    }
}

async fn converse(stream: TcpStream, shared: Arc<Shared>) {
    let service = service_fn(move |request| {
        let shared = shared.clone();
        async move { Ok::<_, Infallible>(answer(&request, shared).await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADERS_WITHIN)
        .max_buf_size(16 << 10)
        .serve_connection(TokioIo::new(stream), service);
    if let Ok(Err(error)) = tokio::time::timeout(LONGEST, connection).await {
        debug!(%error, "status connection closed");
    }
}

async fn answer<B>(request: &Request<B>, shared: Arc<Shared>) -> Response<Full<Bytes>> {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        let mut refused = respond(StatusCode::METHOD_NOT_ALLOWED, TEXT, "only GET\n".into());
        let allowed = HeaderValue::from_static("GET, HEAD");
        refused.headers_mut().insert(header::ALLOW, allowed);
        return refused;
    }
    let show: fn(&Shared) -> Response<Full<Bytes>> = match request.uri().path() {
        "/healthz" => return respond(StatusCode::OK, TEXT, "alive\n".into()),
        "/readyz" => ready,
        "/metrics" => metrics,
        "/status.json" => json,
        "/" => people,
        _ => {
            return respond(
                StatusCode::NOT_FOUND,
                TEXT,
                "there is no such page\n".into(),
            );
        }
    };
    // It looks at files, and must not hold up those who sign.
    let shown = tokio::task::spawn_blocking(move || show(&shared)).await;
    shown.unwrap_or_else(|error| {
        warn!(%error, "the status could not be gathered");
        let text = "the status could not be gathered; the log says why\n";
        respond(StatusCode::INTERNAL_SERVER_ERROR, TEXT, text.into())
    })
}

/// One line a trouble.
fn ready(shared: &Shared) -> Response<Full<Bytes>> {
    let mut troubles = shared.snapshot().troubles();
    if shared.is_stopping() {
        troubles.push("stopping".to_owned());
    }
    match troubles.is_empty() {
        true => respond(StatusCode::OK, TEXT, "ready\n".into()),
        false => {
            let text = troubles.join("\n") + "\n";
            respond(StatusCode::SERVICE_UNAVAILABLE, TEXT, text)
        }
    }
}

fn metrics(shared: &Shared) -> Response<Full<Bytes>> {
    let text = exposition(shared.metrics(), &Status::gather(shared).gauges());
    respond(
        StatusCode::OK,
        "text/plain; version=0.0.4; charset=utf-8",
        text,
    )
}

fn json(shared: &Shared) -> Response<Full<Bytes>> {
    match serde_json::to_string_pretty(&Status::gather(shared)) {
        Ok(text) => respond(StatusCode::OK, "application/json", text + "\n"),
        Err(error) => {
            let text = format!("{error}\n");
            respond(StatusCode::INTERNAL_SERVER_ERROR, TEXT, text)
        }
    }
}

fn people(shared: &Shared) -> Response<Full<Bytes>> {
    let text = page::render(&Status::gather(shared));
    respond(StatusCode::OK, "text/html; charset=utf-8", text)
}

fn respond(status: StatusCode, kind: &'static str, text: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(text.into()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    if let Ok(policy) = HeaderValue::from_str(policy()) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    for (name, value) in HARDENING {
        headers.insert(name, value);
    }
    response
}

/// Nothing is fetched from anywhere, no script runs, and the only style is the page's
/// own, known by its hash.
fn policy() -> &'static str {
    static POLICY: OnceLock<String> = OnceLock::new();
    POLICY.get_or_init(|| {
        let style = Base64::encode_string(digest(&SHA256, page::STYLE.as_bytes()).as_ref());
        format!(
            "default-src 'none'; style-src 'sha256-{style}'; base-uri 'none'; \
             form-action 'none'; frame-ancestors 'none'"
        )
    })
}
