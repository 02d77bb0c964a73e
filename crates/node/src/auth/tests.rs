//! Tokens that are and are not accepted. The keys in `test_keys` were made for these tests and serve nothing else.

use super::*;

const SECRET: &[u8] = b"0123456789abcdef0123456789abcdef";
const NOW: UnixMillis = UnixMillis(1_000_000_000_000);

fn auth() -> config::Auth {
    config::Auth {
        hs256_secret: String::new(),
        issuer: String::new(),
        audience: String::new(),
        keys: Vec::new(),
        issuers: Vec::new(),
        jwks_refresh_s: 600,
        jwks_throttle_s: 10,
    }
}

fn authenticator() -> Authenticator {
    Authenticator::new(&auth(), Some(SECRET)).unwrap()
}

fn verdict(authenticator: &Authenticator, token: &str, now: UnixMillis) -> Result<Identity, &'static str> {
    authenticator.check(token, now).map_err(|doubt| match doubt {
        Doubt::Refused(reason) => reason,
        Doubt::UnknownKey(_) => "its issuer has no such key",
    })
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
    let identity = verdict(&authenticator(), &token, NOW).unwrap();
    assert_eq!(identity, Identity { user: alice, is_server: true, expires_at: NOW.plus(5_000) });
    assert_eq!(verdict(&authenticator(), &token, NOW.plus(5_000)), Err("the token has expired"));
}

#[test]
fn a_token_of_another_key_is_refused() {
    let token = signed(&Header::new(Algorithm::HS256), &claims(2_000_000_000), b"another secret of thirty-two byte");
    assert_eq!(verdict(&authenticator(), &token, NOW), Err("the token is not valid under any key"));
}

#[test]
fn an_unsigned_token_is_refused() {
    // {"alg":"none"} . {"sub":"alice","exp":2000000000} .
    let token = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhbGljZSIsImV4cCI6MjAwMDAwMDAwMH0.";
    assert!(verdict(&authenticator(), token, NOW).is_err());
}

#[test]
fn another_algorithm_of_the_same_family_is_refused() {
    let token = signed(&Header::new(Algorithm::HS384), &claims(2_000_000_000), SECRET);
    assert!(verdict(&authenticator(), &token, NOW).is_err());
}

#[test]
fn a_token_without_exp_or_sub_is_refused() {
    for incomplete in [serde_json::json!({"sub": "alice"}), serde_json::json!({"exp": 2_000_000_000_u64})] {
        let token = signed(&Header::new(Algorithm::HS256), &incomplete, SECRET);
        assert!(verdict(&authenticator(), &token, NOW).is_err());
    }
}

#[test]
fn issuer_and_audience_must_match_when_configured() {
    let demanding = config::Auth { issuer: "https://id.example".into(), audience: "ringwire".into(), ..auth() };
    let authenticator = Authenticator::new(&demanding, Some(SECRET)).unwrap();
    let alice = UserId::parse("alice").unwrap();
    let good = issue(&demanding, SECRET, &alice, None, NOW.plus(5_000)).unwrap();
    assert!(verdict(&authenticator, &good, NOW).is_ok());
    for (issuer, audience) in [("", "ringwire"), ("https://id.example", ""), ("https://other.example", "ringwire")] {
        let other = config::Auth { issuer: issuer.into(), audience: audience.into(), ..auth() };
        let token = issue(&other, SECRET, &alice, None, NOW.plus(5_000)).unwrap();
        assert!(verdict(&authenticator, &token, NOW).is_err(), "{issuer} {audience}");
    }
}

fn public_key(algorithm: KeyAlgorithm, pem: &str) -> config::Key {
    let public_key = Some(pem.to_owned());
    config::Key { id: None, algorithm, secret: None, public_key, public_key_file: None, issuer: None }
}

#[test]
fn tokens_of_every_public_key_algorithm_are_accepted_under_their_own_key_only() {
    let rsa = EncodingKey::from_rsa_pem(include_bytes!("test_keys/rs256.private.pem")).unwrap();
    let elliptic = EncodingKey::from_ec_pem(include_bytes!("test_keys/es256.private.pem")).unwrap();
    let edwards = EncodingKey::from_ed_pem(include_bytes!("test_keys/eddsa.private.pem")).unwrap();
    let cases = [
        (KeyAlgorithm::RS256, include_str!("test_keys/rs256.public.pem"), Algorithm::RS256, rsa),
        (KeyAlgorithm::ES256, include_str!("test_keys/es256.public.pem"), Algorithm::ES256, elliptic),
        (KeyAlgorithm::EdDSA, include_str!("test_keys/eddsa.public.pem"), Algorithm::EdDSA, edwards),
    ];
    for (verifies, public, _, _) in &cases {
        let configured = config::Auth { keys: vec![public_key(*verifies, public)], ..auth() };
        let authenticator = Authenticator::new(&configured, None).unwrap();
        for (signs, _, algorithm, private) in &cases {
            let token = jsonwebtoken::encode(&Header::new(*algorithm), &claims(2_000_000_000), private).unwrap();
            let accepted = verdict(&authenticator, &token, NOW).is_ok();
            assert_eq!(accepted, signs == verifies, "{signs:?} under {verifies:?}");
        }
    }
}

#[test]
fn a_key_with_an_id_or_an_issuer_serves_only_tokens_that_name_them() {
    let secret = "a configured secret of 32 bytes!";
    let key = config::Key {
        id: Some("k1".into()),
        algorithm: KeyAlgorithm::HS256,
        secret: Some(secret.into()),
        public_key: None,
        public_key_file: None,
        issuer: Some("https://id.example".into()),
    };
    let configured = config::Auth { keys: vec![key], ..auth() };
    let authenticator = Authenticator::new(&configured, None).unwrap();
    let verdict = |kid: Option<&str>, iss: Option<&str>| {
        let header = Header { kid: kid.map(str::to_owned), ..Header::new(Algorithm::HS256) };
        let claims = serde_json::json!({"sub": "alice", "exp": 2_000_000_000_u64, "iss": iss});
        verdict(&authenticator, &signed(&header, &claims, secret.as_bytes()), NOW).is_ok()
    };
    assert!(verdict(Some("k1"), Some("https://id.example")));
    assert!(!verdict(Some("k2"), Some("https://id.example")));
    assert!(!verdict(None, Some("https://id.example")));
    assert!(!verdict(Some("k1"), Some("https://other.example")));
    assert!(!verdict(Some("k1"), None));
}

#[test]
fn a_public_key_does_not_verify_a_shared_secret_token() {
    let pem = include_str!("test_keys/es256.public.pem");
    let configured = config::Auth { keys: vec![public_key(KeyAlgorithm::ES256, pem)], ..auth() };
    let authenticator = Authenticator::new(&configured, Some(SECRET)).unwrap();
    // The classic confusion: the public key's text used as an HMAC secret.
    let token = signed(&Header::new(Algorithm::HS256), &claims(2_000_000_000), pem.as_bytes());
    assert!(verdict(&authenticator, &token, NOW).is_err());
}

#[test]
fn a_key_that_does_not_fit_its_algorithm_is_refused_by_number() {
    let pem = include_str!("test_keys/es256.public.pem");
    let configured = config::Auth { keys: vec![public_key(KeyAlgorithm::RS256, pem)], ..auth() };
    let message = Authenticator::new(&configured, Some(SECRET)).err().unwrap().to_string();
    assert!(message.starts_with("auth.keys[0]: is no RS256 public key"), "{message}");
}
