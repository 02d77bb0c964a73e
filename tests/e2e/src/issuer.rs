//! An issuer of tokens that publishes its keys over HTTP, counts who asks for them, and can be away.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use crate::story::now_ms;
use crate::{Settings, until};

/// The `iss` of its tokens.
const NAME: &str = "https://id.test";

/// See the module. It stops to serve when this is dropped.
pub struct Issuer {
    served: Arc<Served>,
    server: JoinHandle<()>,
    url: String,
    directory: TempDir,
}

#[derive(Default)]
struct Served {
    /// None while the issuer is away.
    document: Mutex<Option<String>>,
    asked: AtomicUsize,
}

/// A private key of the node's own tests, by its algorithm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SigningKey {
    /// RS256.
    Rsa,
    /// ES256.
    Elliptic,
    /// `EdDSA`.
    Edwards,
}

impl SigningKey {
    fn algorithm(self) -> Algorithm {
        match self {
            Self::Rsa => Algorithm::RS256,
            Self::Elliptic => Algorithm::ES256,
            Self::Edwards => Algorithm::EdDSA,
        }
    }

    fn private(self) -> EncodingKey {
        let name = match self {
            Self::Rsa => "rs256",
            Self::Elliptic => "es256",
            Self::Edwards => "eddsa",
        };
        let keys = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../crates/node/src/auth/test_keys");
        let pem = std::fs::read(keys.join(format!("{name}.private.pem"))).expect("the test key can be read");
        let key = match self {
            Self::Rsa => EncodingKey::from_rsa_pem(&pem),
            Self::Elliptic => EncodingKey::from_ec_pem(&pem),
            Self::Edwards => EncodingKey::from_ed_pem(&pem),
        };
        key.expect("the test key is one")
    }

    fn published(self, id: &str) -> Value {
        let key = Jwk::from_encoding_key(&self.private(), self.algorithm()).expect("the key has a public half");
        let mut key = serde_json::to_value(key).expect("a key is JSON");
        key["kid"] = json!(id);
        key
    }
}

impl Issuer {
    /// An issuer that publishes these keys under these ids.
    ///
    /// # Panics
    /// When it cannot listen.
    pub async fn new(keys: &[(&str, SigningKey)]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
        let url = format!("http://{}/jwks.json", listener.local_addr().expect("it has an address"));
        let served = Arc::new(Served::default());
        let server = tokio::spawn(serve(listener, Arc::clone(&served)));
        let directory = tempfile::tempdir().expect("a directory can be made");
        let issuer = Self { served, server, url, directory };
        issuer.publish(keys);
        issuer
    }

    /// Replaces what it publishes; it is there again if it was away.
    pub fn publish(&self, keys: &[(&str, SigningKey)]) {
        let keys: Vec<_> = keys.iter().map(|(id, key)| key.published(id)).collect();
        self.serve(Some(json!({ "keys": keys }).to_string()));
    }

    /// From here on it takes connections and answers nothing.
    pub fn leave(&self) {
        self.serve(None);
    }

    fn serve(&self, document: Option<String>) {
        *self.served.document.lock().unwrap_or_else(PoisonError::into_inner) = document;
    }

    /// How often it was asked for its keys, also while it was away.
    #[must_use]
    pub fn asked(&self) -> usize {
        self.served.asked.load(Ordering::SeqCst)
    }

    /// Waits until it was asked so often.
    pub async fn is_asked(&self, times: usize) {
        until("the issuer to be asked", async || (self.asked() >= times).then_some(())).await;
    }

    /// Settings of a node that accepts its tokens of these algorithms, and HS256 tokens as well.
    ///
    /// # Panics
    /// When the file cannot be written.
    #[must_use]
    pub fn accepted_by(&self, settings: Settings, algorithms: &[&str]) -> Settings {
        let file = self.directory.path().join("ringwire.toml");
        let url = &self.url;
        let text = format!(
            "[[auth.issuers]]\nissuer = \"{NAME}\"\njwks_url = \"{url}\"\nalgorithms = {algorithms:?}\naudience = \"rings\"\n"
        );
        std::fs::write(&file, text).expect("the directory is ours");
        settings
            .with_file(&file)
            .with("outbound.allow_private", true)
            .with("auth.hs256_secret", "what signs the other tokens of a test")
    }

    /// A token of this user for an hour, under this key and id.
    #[must_use]
    pub fn token(&self, id: &str, key: SigningKey, user: &str) -> String {
        self.token_with(id, key, &json!({ "sub": user }))
    }

    /// The same with these claims in place of, or beside, its own.
    ///
    /// # Panics
    /// When they are no object.
    #[must_use]
    pub fn token_with(&self, id: &str, key: SigningKey, claims: &Value) -> String {
        let mut all = json!({ "iss": NAME, "aud": "rings", "exp": now_ms() / 1000 + 3600 });
        for (name, value) in claims.as_object().expect("claims are an object") {
            all[name] = value.clone();
        }
        let header = Header { kid: Some(id.to_owned()), ..Header::new(key.algorithm()) };
        jsonwebtoken::encode(&header, &all, &key.private()).expect("the key signs")
    }

    /// The name of the counter of a node's fetches with this outcome, `ok` or `failed`.
    #[must_use]
    pub fn metric(&self, outcome: &str) -> String {
        format!("ringwire_jwks_fetches_total{{issuer=\"{NAME}\",outcome=\"{outcome}\"}}")
    }
}

impl Drop for Issuer {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn serve(listener: TcpListener, served: Arc<Served>) {
    while let Ok((stream, _)) = listener.accept().await {
        served.asked.fetch_add(1, Ordering::SeqCst);
        let document = served.document.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(document) = document {
            tokio::spawn(answer(stream, document));
        }
    }
}

async fn answer(mut stream: TcpStream, document: String) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let Ok(byte) = stream.read_u8().await else { return };
        head.push(byte);
    }
    let length = document.len();
    let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{document}");
    // Whoever asked may have given up.
    let _ = stream.write_all(answer.as_bytes()).await;
}
