//! What servers may do to the client, with real sockets.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::mpsc;
use std::thread;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use super::*;

const LIMITS: Limits = Limits { timeout: Duration::from_secs(20), max_body_bytes: 1000 };

fn client(allow_private: bool, ca_file: PathBuf) -> Outbound {
    Outbound::new(&config::Outbound { allow_private, ca_file }).unwrap()
}

fn trusting() -> Outbound {
    client(true, PathBuf::new())
}

fn url(text: &str) -> HttpUrl {
    HttpUrl::try_from(text.to_owned()).unwrap()
}

/// Serves each connection with `serve`, one after the other.
fn listener(serve: impl FnMut(TcpStream) + Send + 'static) -> SocketAddr {
    listener_on("127.0.0.1:0", serve)
}

fn listener_on(place: &str, serve: impl FnMut(TcpStream) + Send + 'static) -> SocketAddr {
    let listener = TcpListener::bind(place).unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || listener.incoming().flatten().for_each(serve));
    address
}

/// The head of a request.
fn head(stream: &mut impl Read) -> String {
    let mut text = Vec::new();
    let mut byte = [0];
    while !text.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap_or(0) == 1 {
        text.push(byte[0]);
    }
    String::from_utf8(text).unwrap()
}

/// A server that answers every request in the same way, and what it was asked.
fn answering(answer: &'static str) -> (SocketAddr, mpsc::Receiver<String>) {
    let (heads, asked) = mpsc::channel();
    let address = listener(move |mut stream| {
        let _ = heads.send(head(&mut stream));
        let _ = stream.write_all(answer.as_bytes());
    });
    (address, asked)
}

#[tokio::test]
async fn an_answer_comes_whole_with_its_headers() {
    let (address, asked) =
        answering("HTTP/1.1 429 Too Many\r\nRetry-After: 7\r\nContent-Length: 5\r\nConnection: close\r\n\r\nlater");
    let mut headers = HeaderMap::new();
    headers.insert("webhook-id", "m-1".parse().unwrap());
    let target = url(&format!("http://{address}/hook?x=1"));
    let answer = trusting().post(&target, headers, Bytes::from_static(b"{}"), LIMITS).await.unwrap();
    assert_eq!((answer.status, &answer.body[..]), (429, &b"later"[..]));
    assert_eq!(answer.retry_after(), Some(Duration::from_secs(7)));
    let asked = asked.recv().unwrap().to_lowercase();
    assert!(asked.starts_with("post /hook?x=1 http/1.1\r\n"), "{asked}");
    for line in [format!("user-agent: ringwire/{}", env!("CARGO_PKG_VERSION")), "webhook-id: m-1".to_owned()] {
        assert!(asked.lines().any(|found| found == line), "{line} is not in {asked}");
    }
    assert!(!asked.contains("cookie") && !asked.contains("accept-encoding"), "{asked}");
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let (elsewhere, asked) = answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    let address = listener(move |mut stream| {
        head(&mut stream);
        let _ = write!(stream, "HTTP/1.1 302 Found\r\nLocation: http://{elsewhere}/\r\nContent-Length: 0\r\n\r\n");
    });
    let answer = trusting().get(&url(&format!("http://{address}/")), LIMITS).await.unwrap();
    assert_eq!(answer.status, 302);
    assert!(asked.try_recv().is_err());
}

#[tokio::test]
async fn an_answer_that_is_too_long_is_cut_whether_it_says_so_or_not() {
    let (address, _asked) = answering("HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n");
    let announced = trusting().get(&url(&format!("http://{address}/")), LIMITS).await;
    assert_eq!(announced.unwrap_err(), OutboundError::TooLarge(1000));

    let (ended, end) = mpsc::channel();
    let address = listener(move |mut stream| {
        head(&mut stream);
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
        // Ends when the client drops the connection; it would go on for ever.
        while stream.write_all(b"8\r\nendless!\r\n").is_ok() {}
        let _ = ended.send(());
    });
    let endless = trusting().get(&url(&format!("http://{address}/")), LIMITS).await;
    assert_eq!(endless.unwrap_err(), OutboundError::TooLarge(1000));
    let dropped = tokio::task::spawn_blocking(move || end.recv_timeout(Duration::from_secs(20))).await.unwrap();
    assert!(dropped.is_ok(), "the client went on reading");
}

#[tokio::test]
async fn an_answer_that_does_not_come_in_time_is_given_up() {
    let limits = Limits { timeout: Duration::from_millis(200), ..LIMITS };
    let mut held = Vec::new();
    let silent = listener(move |stream| held.push(stream));
    let error = trusting().get(&url(&format!("http://{silent}/")), limits).await.unwrap_err();
    assert_eq!(error, OutboundError::Timeout);
    // One that begins and does not end.
    let mut held = Vec::new();
    let stalling = listener(move |mut stream| {
        head(&mut stream);
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf");
        held.push(stream);
    });
    let error = trusting().get(&url(&format!("http://{stalling}/")), limits).await.unwrap_err();
    assert_eq!(error, OutboundError::Timeout);
}

#[tokio::test]
async fn a_broken_answer_and_a_closed_port_are_told_apart() {
    let (address, _asked) = answering("HTTP/1.1 200 OK\r\nContent-Length: 9\r\nConnection: close\r\n\r\nhalf");
    let broken = trusting().get(&url(&format!("http://{address}/")), LIMITS).await.unwrap_err();
    assert!(matches!(broken, OutboundError::Broken(_)), "{broken}");
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let closed = trusting().get(&url(&format!("http://{free}/")), LIMITS).await.unwrap_err();
    assert!(
        matches!(&closed, OutboundError::Connect(_)) && !closed.to_string().contains(&free.to_string()),
        "{closed}"
    );
}

#[tokio::test]
async fn private_addresses_are_refused_as_literals_and_as_names() {
    let (address, asked) = answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    let port = address.port();
    let client = client(false, PathBuf::new());
    for host in ["127.0.0.1", "localhost", "2130706433", "0x7f.1", "[::1]", "[::ffff:127.0.0.1]", "127.0.0.1."] {
        let error = client.get(&url(&format!("http://{host}:{port}/")), LIMITS).await.unwrap_err();
        assert!(matches!(error, OutboundError::Refused(_)), "{host}: {error}");
    }
    assert!(asked.try_recv().is_err());
}

fn tls_file(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/redis/tls").join(name)
}

fn tls_listener(place: &str) -> SocketAddr {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let certificates = CertificateDer::pem_file_iter(tls_file("server.pem")).unwrap().map(Result::unwrap).collect();
    let key = PrivateKeyDer::from_pem_file(tls_file("server.key")).unwrap();
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(certificates, key)
        .unwrap();
    let config = Arc::new(config);
    listener_on(place, move |stream| {
        let mut stream = StreamOwned::new(ServerConnection::new(Arc::clone(&config)).unwrap(), stream);
        if !head(&mut stream).is_empty() {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok");
        }
    })
}

#[tokio::test]
async fn a_certificate_is_checked_against_the_system_and_the_configured_authority() {
    let port = tls_listener("127.0.0.1:0").port();
    let target = url(&format!("https://localhost:{port}/"));
    let stranger = trusting().get(&target, LIMITS).await.unwrap_err();
    assert!(matches!(stranger, OutboundError::Tls(_)), "{stranger}");
    let client = client(true, tls_file("ca.pem"));
    assert_eq!(&client.get(&target, LIMITS).await.unwrap().body[..], b"ok");
    // The right authority, and a name that the certificate does not have.
    let elsewhere = tls_listener("127.0.0.2:0");
    let other = client.get(&url(&format!("https://{elsewhere}/")), LIMITS).await.unwrap_err();
    assert!(matches!(other, OutboundError::Tls(_)), "{other}");
}

#[test]
fn an_authority_that_is_none_is_refused_by_its_path() {
    for (file, problem) in [("missing.pem", "No such file"), ("server.key", "holds no certificate")] {
        let settings = config::Outbound { allow_private: false, ca_file: tls_file(file) };
        let error = Outbound::new(&settings).unwrap_err().to_string();
        assert!(error.starts_with("outbound.ca_file: ") && error.contains(problem), "{error}");
    }
}
