//! Tokens that are and are not accepted.

use super::*;

const SECRET: &[u8] = b"0123456789abcdef0123456789abcdef";
const NOW: UnixMillis = UnixMillis(1_000_000_000_000);

fn auth() -> config::Auth {
    config::Auth { hs256_secret: String::new(), issuer: String::new(), audience: String::new(), keys: Vec::new() }
}

fn authenticator() -> Authenticator {
    Authenticator::new(&auth(), Some(SECRET)).unwrap()
}

fn signed(header: &Header, claims: &serde_json::Value, secret: &[u8]) -> String {
    jsonwebtoken::encode(header, claims, &EncodingKey::from_secret(secret)).unwrap()
}

fn claims(exp: u64) -> serde_json::Value {
    serde_json::json!({"sub": "alice", "exp": exp})
}

#[test]
fn an_issued_token_is_accepted_until_it_expires() {
    let alice = UserId::parse("alice").unwrap();
    let token = issue(&auth(), SECRET, &alice, Some("server"), NOW.plus(5_000)).unwrap();
    let identity = authenticator().verify(&token, NOW).unwrap();
    assert_eq!(identity, Identity { user: alice, is_server: true, expires_at: NOW.plus(5_000) });
    assert_eq!(authenticator().verify(&token, NOW.plus(5_000)), Err("the token has expired"));
}

#[test]
fn a_token_of_another_key_is_refused() {
    let token = signed(&Header::new(Algorithm::HS256), &claims(2_000_000_000), b"another secret of thirty-two byte");
    assert_eq!(authenticator().verify(&token, NOW), Err("the token is not valid under any key"));
}

#[test]
fn an_unsigned_token_is_refused() {
    // {"alg":"none"} . {"sub":"alice","exp":2000000000} .
    let token = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhbGljZSIsImV4cCI6MjAwMDAwMDAwMH0.";
    assert!(authenticator().verify(token, NOW).is_err());
}

#[test]
fn another_algorithm_of_the_same_family_is_refused() {
    let token = signed(&Header::new(Algorithm::HS384), &claims(2_000_000_000), SECRET);
    assert!(authenticator().verify(&token, NOW).is_err());
}

#[test]
fn a_token_without_exp_or_sub_is_refused() {
    for incomplete in [serde_json::json!({"sub": "alice"}), serde_json::json!({"exp": 2_000_000_000_u64})] {
        let token = signed(&Header::new(Algorithm::HS256), &incomplete, SECRET);
        assert!(authenticator().verify(&token, NOW).is_err());
    }
}

#[test]
fn issuer_and_audience_must_match_when_configured() {
    let demanding = config::Auth { issuer: "https://id.example".into(), audience: "ringwire".into(), ..auth() };
    let authenticator = Authenticator::new(&demanding, Some(SECRET)).unwrap();
    let alice = UserId::parse("alice").unwrap();
    let good = issue(&demanding, SECRET, &alice, None, NOW.plus(5_000)).unwrap();
    assert!(authenticator.verify(&good, NOW).is_ok());
    for (issuer, audience) in [("", "ringwire"), ("https://id.example", ""), ("https://other.example", "ringwire")] {
        let other = config::Auth { issuer: issuer.into(), audience: audience.into(), ..auth() };
        let token = issue(&other, SECRET, &alice, None, NOW.plus(5_000)).unwrap();
        assert!(authenticator.verify(&token, NOW).is_err(), "{issuer} {audience}");
    }
}

#[test]
fn a_public_key_does_not_verify_a_shared_secret_token() {
    let pem = include_str!("es256.test.pem");
    let key = config::Key {
        id: None,
        algorithm: KeyAlgorithm::ES256,
        secret: None,
        public_key: Some(pem.into()),
        public_key_file: None,
        issuer: None,
    };
    let configured = config::Auth { keys: vec![key], ..auth() };
    let authenticator = Authenticator::new(&configured, Some(SECRET)).unwrap();
    // The classic confusion: the public key's text used as an HMAC secret.
    let token = signed(&Header::new(Algorithm::HS256), &claims(2_000_000_000), pem.as_bytes());
    assert!(authenticator.verify(&token, NOW).is_err());
}

#[test]
fn a_key_that_does_not_fit_its_algorithm_is_refused_by_number() {
    let key = config::Key {
        id: None,
        algorithm: KeyAlgorithm::RS256,
        secret: None,
        public_key: Some(include_str!("es256.test.pem").into()),
        public_key_file: None,
        issuer: None,
    };
    let configured = config::Auth { keys: vec![key], ..auth() };
    let message = Authenticator::new(&configured, Some(SECRET)).err().unwrap().to_string();
    assert!(message.starts_with("auth.keys[0]: is no RS256 public key"), "{message}");
}
