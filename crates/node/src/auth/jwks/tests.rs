//! Which published key verifies which token. How keys are fetched is tested end to end.

use jsonwebtoken::EncodingKey;
use jsonwebtoken::jwk::Jwk;
use ringwire_signaling::UnixMillis;
use serde_json::{Value, json};

use super::*;
use crate::auth::{Authenticator, Doubt};
use crate::config::{HttpUrl, KeyAlgorithm};

const SECRET: &[u8] = b"0123456789abcdef0123456789abcdef";
const NOW: UnixMillis = UnixMillis(1_000_000_000_000);
const HOME: &str = "https://id.example";
const ABROAD: &str = "https://id.abroad.example";
const ALL: [Algorithm; 3] = [Algorithm::RS256, Algorithm::ES256, Algorithm::EdDSA];

fn private(algorithm: Algorithm) -> EncodingKey {
    match algorithm {
        Algorithm::RS256 => EncodingKey::from_rsa_pem(include_bytes!("../test_keys/rs256.private.pem")).unwrap(),
        Algorithm::ES256 => EncodingKey::from_ec_pem(include_bytes!("../test_keys/es256.private.pem")).unwrap(),
        _ => EncodingKey::from_ed_pem(include_bytes!("../test_keys/eddsa.private.pem")).unwrap(),
    }
}

/// The public half as an issuer publishes it.
fn published(algorithm: Algorithm, id: Option<&str>) -> Value {
    let mut key = serde_json::to_value(Jwk::from_encoding_key(&private(algorithm), algorithm).unwrap()).unwrap();
    if let Some(id) = id {
        key["kid"] = json!(id);
    }
    key
}

fn issuer(name: &str, algorithms: &[KeyAlgorithm]) -> config::Issuer {
    config::Issuer {
        issuer: name.to_owned(),
        jwks_url: HttpUrl::try_from(format!("{name}/jwks.json")).unwrap(),
        algorithms: algorithms.to_vec(),
        audience: None,
    }
}

fn accepting(issuers: Vec<config::Issuer>) -> Authenticator {
    let auth = config::Auth {
        hs256_secret: String::new(),
        issuer: String::new(),
        audience: String::new(),
        keys: Vec::new(),
        issuers,
        jwks_refresh_s: 600,
        jwks_throttle_s: 10,
    };
    Authenticator::new(&auth, Some(SECRET)).unwrap()
}

/// A node that knows these keys of [`HOME`].
fn knowing(keys: &[Value]) -> Authenticator {
    let all = [KeyAlgorithm::RS256, KeyAlgorithm::ES256, KeyAlgorithm::EdDSA];
    let authenticator = accepting(vec![issuer(HOME, &all), issuer(ABROAD, &all)]);
    publish(&authenticator, 0, keys);
    authenticator
}

fn publish(authenticator: &Authenticator, number: usize, keys: &[Value]) {
    let jwks = &authenticator.published[number];
    jwks.end(KeySet::parse(json!({ "keys": keys }).to_string().as_bytes(), &jwks.algorithms));
}

fn claims(issuer: &str) -> Value {
    json!({ "sub": "alice", "exp": 2_000_000_000, "iss": issuer })
}

fn token(algorithm: Algorithm, id: Option<&str>, claims: &Value) -> String {
    let header = Header { kid: id.map(str::to_owned), ..Header::new(algorithm) };
    jsonwebtoken::encode(&header, claims, &private(algorithm)).unwrap()
}

const UNKNOWN: &str = "unknown key";

fn verdict(authenticator: &Authenticator, token: &str) -> Result<String, &'static str> {
    match authenticator.check(token, NOW) {
        Ok(identity) => Ok(identity.user.as_str().to_owned()),
        Err(Doubt::Refused(reason)) => Err(reason),
        Err(Doubt::UnknownKey(_)) => Err(UNKNOWN),
    }
}

#[test]
fn a_token_is_accepted_under_the_key_that_it_names_whatever_its_algorithm() {
    let keys = ALL.map(|algorithm| published(algorithm, Some(&format!("{algorithm:?}"))));
    let node = knowing(&keys);
    for algorithm in ALL {
        let id = format!("{algorithm:?}");
        assert_eq!(verdict(&node, &token(algorithm, Some(&id), &claims(HOME))), Ok("alice".to_owned()));
    }
    assert_eq!(verdict(&node, &token(Algorithm::ES256, Some("gone"), &claims(HOME))), Err(UNKNOWN));
    let wrong = token(Algorithm::ES256, Some("RS256"), &claims(HOME));
    assert_eq!(verdict(&node, &wrong), Err("the token's algorithm is not that of its key"));
}

#[test]
fn a_token_without_a_key_id_needs_the_only_key_of_its_algorithm() {
    let node = knowing(&[published(Algorithm::RS256, Some("a")), published(Algorithm::ES256, None)]);
    assert!(verdict(&node, &token(Algorithm::RS256, None, &claims(HOME))).is_ok());
    assert!(verdict(&node, &token(Algorithm::ES256, None, &claims(HOME))).is_ok());
    assert_eq!(verdict(&node, &token(Algorithm::EdDSA, None, &claims(HOME))), Err(UNKNOWN));
    publish(&node, 0, &[published(Algorithm::ES256, Some("a")), published(Algorithm::ES256, Some("b"))]);
    let ambiguous = verdict(&node, &token(Algorithm::ES256, None, &claims(HOME)));
    assert_eq!(ambiguous, Err("the token names none of its issuer's keys"));
}

#[test]
fn a_published_key_is_no_shared_secret() {
    let node = knowing(&[published(Algorithm::RS256, Some("a"))]);
    let modulus = published(Algorithm::RS256, None)["n"].as_str().unwrap().to_owned();
    let pem = include_str!("../test_keys/rs256.public.pem");
    for secret in [pem.as_bytes(), modulus.as_bytes(), SECRET, b""] {
        for id in [Some("a"), None] {
            let header = Header { kid: id.map(str::to_owned), ..Header::new(Algorithm::HS256) };
            let forged = jsonwebtoken::encode(&header, &claims(HOME), &EncodingKey::from_secret(secret)).unwrap();
            assert_eq!(verdict(&node, &forged), Err("the token's algorithm is not accepted of its issuer"));
        }
    }
}

#[test]
fn an_unsigned_token_of_an_issuer_is_refused() {
    let node = knowing(&[published(Algorithm::RS256, Some("a"))]);
    let signed = token(Algorithm::RS256, Some("a"), &claims(HOME));
    let (_, rest) = signed.split_once('.').unwrap();
    let (payload, _) = rest.split_once('.').unwrap();
    // {"alg":"none","kid":"a"}, and the right header with no signature.
    for forged in [format!("eyJhbGciOiJub25lIiwia2lkIjoiYSJ9.{payload}."), signed[..=signed.rfind('.').unwrap()].into()]
    {
        let refused = verdict(&node, &forged);
        assert!(refused.is_err_and(|reason| reason != UNKNOWN));
    }
}

#[test]
fn a_key_verifies_tokens_of_its_own_issuer_only() {
    let node = knowing(&[published(Algorithm::RS256, Some("a"))]);
    publish(&node, 1, &[published(Algorithm::ES256, Some("b"))]);
    assert!(verdict(&node, &token(Algorithm::ES256, Some("b"), &claims(ABROAD))).is_ok());
    assert_eq!(verdict(&node, &token(Algorithm::ES256, Some("b"), &claims(HOME))), Err(UNKNOWN));
    assert_eq!(verdict(&node, &token(Algorithm::RS256, Some("a"), &claims(ABROAD))), Err(UNKNOWN));
    // The same id and algorithm at both, and still another key.
    publish(&node, 1, &[json!({ "kty": "RSA", "kid": "a", "n": modulus(2048), "e": "AQAB" })]);
    let foreign = verdict(&node, &token(Algorithm::RS256, Some("a"), &claims(ABROAD)));
    assert_eq!(foreign, Err("the token is not valid under its issuer's key"));
    for nobody in ["", "https://id.example/", "HTTPS://ID.EXAMPLE"] {
        let refused = verdict(&node, &token(Algorithm::RS256, Some("a"), &claims(nobody)));
        assert_eq!(refused, Err("the token is not valid under any key"), "{nobody}");
    }
    let nameless = json!({ "sub": "alice", "exp": 2_000_000_000 });
    assert!(verdict(&node, &token(Algorithm::RS256, Some("a"), &nameless)).is_err());
}

#[test]
fn other_tokens_are_verified_as_without_issuers() {
    let node = knowing(&[]);
    let signed = |claims: &Value| {
        jsonwebtoken::encode(&Header::new(Algorithm::HS256), claims, &EncodingKey::from_secret(SECRET)).unwrap()
    };
    assert!(verdict(&node, &signed(&json!({ "sub": "alice", "exp": 2_000_000_000 }))).is_ok());
    assert!(verdict(&node, &signed(&claims("https://elsewhere.example"))).is_ok());
}

#[test]
fn what_a_header_brings_along_is_not_used() {
    let node = knowing(&[published(Algorithm::RS256, Some("a"))]);
    for id in ["../../dev/null", "' or '1'='1", "https://evil.example/jwks.json", "", "a\u{0}", "A"] {
        assert_eq!(verdict(&node, &token(Algorithm::RS256, Some(id), &claims(HOME))), Err(UNKNOWN), "{id}");
    }
    let mut header = Header::new(Algorithm::ES256);
    header.jwk = Some(Jwk::from_encoding_key(&private(Algorithm::ES256), Algorithm::ES256).unwrap());
    header.jku = Some("https://evil.example/jwks.json".to_owned());
    header.kid = Some("a".to_owned());
    let forged = jsonwebtoken::encode(&header, &claims(HOME), &private(Algorithm::ES256)).unwrap();
    assert_eq!(verdict(&node, &forged), Err("the token's algorithm is not that of its key"));
}

#[test]
fn an_expired_token_makes_nobody_ask_for_its_key() {
    let old = json!({ "sub": "alice", "exp": 1_000_000_000, "iss": HOME });
    assert_eq!(verdict(&knowing(&[]), &token(Algorithm::RS256, Some("gone"), &old)), Err("the token has expired"));
}

#[test]
fn an_issuer_may_have_an_audience_of_its_own() {
    let own = config::Issuer { audience: Some("rings".to_owned()), ..issuer(HOME, &[KeyAlgorithm::EdDSA]) };
    let node = accepting(vec![own]);
    publish(&node, 0, &[published(Algorithm::EdDSA, Some("a"))]);
    let audience = |audience: Value| {
        let claims = json!({ "sub": "alice", "exp": 2_000_000_000, "iss": HOME, "aud": audience });
        verdict(&node, &token(Algorithm::EdDSA, Some("a"), &claims)).is_ok()
    };
    assert!(audience(json!("rings")) && audience(json!(["mail", "rings"])));
    assert!(!audience(json!("mail")) && !audience(Value::Null));
}

/// A modulus of so many bits, a multiple of eight.
fn modulus(bits: usize) -> String {
    let length = (bits / 8 * 4).div_ceil(3);
    format!("v{}", "A".repeat(length - 1))
}

#[test]
fn keys_that_do_not_fit_are_left_out_and_the_others_are_used() {
    let good = published(Algorithm::RS256, Some("a"));
    let with = |field: &str, value: Value| {
        let mut key = good.clone();
        key[field] = value;
        key
    };
    let rsa = |bits: usize| json!({ "kty": "RSA", "n": modulus(bits), "e": "AQAB" });
    for (key, is_used) in [
        (good.clone(), true),
        (with("alg", json!("RS256")), true),
        (with("use", json!("sig")), true),
        (with("key_ops", json!(["verify"])), true),
        (with("x5t", json!("anything")), true),
        (rsa(2048), true),
        (rsa(4096), true),
        (rsa(1024), false),
        (rsa(2040), false),
        (rsa(4104), false),
        (with("alg", json!("PS256")), false),
        (with("alg", json!("HS256")), false),
        (with("alg", json!("ES256")), false),
        (with("alg", json!("none")), false),
        (with("use", json!("enc")), false),
        (with("key_ops", json!(["encrypt"])), false),
        (with("kty", json!("oct")), false),
        (with("crv", json!("P-256")), false),
        (with("n", json!("not base64!")), false),
        (with("kid", json!(7)), false),
        (published(Algorithm::ES256, Some("a")), false),
        (json!({ "kty": "oct", "k": "c2VjcmV0", "alg": "HS256" }), false),
        (json!({ "kty": "EC", "crv": "P-384", "x": "AA", "y": "AA" }), false),
        (json!({ "kty": "OKP", "crv": "X25519", "x": "AA" }), false),
        (json!("nonsense"), false),
    ] {
        let document = json!({ "keys": [key, published(Algorithm::RS256, Some("other"))], "more": 1 }).to_string();
        let found = KeySet::parse(document.as_bytes(), &[Algorithm::RS256]).unwrap();
        assert_eq!(found.len(), 1 + usize::from(is_used), "{key}");
    }
}

#[test]
fn what_is_no_set_of_keys_is_refused_as_a_whole() {
    let crowd = json!({ "keys": vec![json!({}); 101] }).to_string();
    for document in ["", "[]", "{}", "<html>", "{\"keys\":{}}", &crowd] {
        assert!(KeySet::parse(document.as_bytes(), &ALL).is_err(), "{document}");
    }
    assert_eq!(KeySet::parse(br#"{"keys":[]}"#, &ALL).map(|keys| keys.len()), Ok(0));
}

#[test]
fn keys_of_an_issuer_that_fails_stay_and_those_it_takes_back_go() {
    let node = knowing(&[published(Algorithm::EdDSA, Some("a"))]);
    let good = token(Algorithm::EdDSA, Some("a"), &claims(HOME));
    node.published[0].end(Err("answered with status 500".to_owned()));
    assert!(verdict(&node, &good).is_ok());
    publish(&node, 0, &[]);
    assert_eq!(verdict(&node, &good), Err(UNKNOWN));
}
