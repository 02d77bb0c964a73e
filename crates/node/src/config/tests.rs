//! What is refused, and what an operator may see.

use serde_json::json;

use super::*;

fn with(overrides: &str) -> Result<Config, ConfigError> {
    let built = config::Config::builder()
        .add_source(config::File::from_str(DEFAULTS, config::FileFormat::Toml))
        .add_source(config::File::from_str(overrides, config::FileFormat::Toml))
        .build()?;
    let config: Config = built.try_deserialize()?;
    config.check().map(|()| config)
}

#[test]
fn the_defaults_are_complete_and_valid() {
    let config = with("").unwrap();
    assert_eq!(config.http.bind.to_string(), "127.0.0.1:7700");
    assert_eq!(config.rules(), Policy::default());
}

#[test]
fn an_unknown_key_is_refused_by_name() {
    let message = with("[http]\nbnid = 1").unwrap_err().to_string();
    assert!(message.contains("bnid"), "{message}");
}

#[test]
fn a_short_secret_is_refused_with_its_length() {
    let message = with("[auth]\nhs256_secret = \"short\"").unwrap_err().to_string();
    assert_eq!(message, "auth.hs256_secret: needs at least 32 bytes, has 5");
    let message = with("[admin]\ntoken = \"short\"").unwrap_err().to_string();
    assert_eq!(message, "admin.token: needs at least 32 bytes, has 5");
}

#[test]
fn the_admin_token_is_a_secret_of_its_own_that_fits_into_a_header() {
    let text = format!("[admin]\ntoken = \"{0}\"\n[auth]\nhs256_secret = \"{0}\"", "s".repeat(32));
    let message = with(&text).unwrap_err().to_string();
    assert_eq!(message, "admin.token: must differ from auth.hs256_secret");
    let message = with(&format!("[admin]\ntoken = \"a b{}\"", "s".repeat(32))).unwrap_err().to_string();
    assert_eq!(message, "admin.token: must be printable ASCII without spaces: it is sent in a header");
}

#[test]
fn a_certificate_needs_its_key_and_a_key_its_certificate() {
    for (section, setting) in
        [("http", "cert_file"), ("http", "key_file"), ("admin", "cert_file"), ("admin", "key_file")]
    {
        let message = with(&format!("[{section}]\n{setting} = \"some.pem\"")).unwrap_err().to_string();
        assert_eq!(message, format!("{section}.cert_file: and {section}.key_file must be set together"));
    }
    assert!(with("[http]\ncert_file = \"missing.pem\"\nkey_file = \"missing.key\"").is_ok(), "no file is opened");
    assert_eq!(with("[tls]\nreload_s = 0").unwrap_err().to_string(), "tls.reload_s: must be at least 1");
}

#[test]
fn a_list_is_an_array_or_text_with_commas_and_its_items_are_checked() {
    for text in ["[\"https://a.example\", \"http://B:81\"]", "\"https://a.example, http://B:81,\""] {
        let config = with(&format!("[http]\nallowed_origins = {text}")).unwrap();
        assert_eq!(
            serde_json::to_value(config.http.allowed_origins).unwrap(),
            json!(["https://a.example", "http://b:81"])
        );
    }
    assert!(with("[http]\nallowed_origins = \"\"").unwrap().http.allowed_origins.0.is_empty());
    let message = with("[http]\nallowed_origins = [\"https://a.example/\"]").unwrap_err().to_string();
    assert!(
        message.contains("\"https://a.example/\" is no origin") && message.contains("allowed_origins"),
        "{message}"
    );
}

#[test]
fn nodes_that_share_a_redis_need_a_key() {
    let message = with("[store]\nkind = \"redis\"").unwrap_err().to_string();
    assert_eq!(message, "auth.hs256_secret: nodes that share a Redis need the same key: set it");
}

const ISSUER: &str = r#"
[[auth.issuers]]
issuer = "https://id.example"
jwks_url = "https://id.example/jwks.json"
algorithms = ["RS256", "EdDSA"]
"#;

#[test]
fn an_issuer_that_publishes_keys_is_a_key_of_its_own() {
    let config = with(&format!("[store]\nkind = \"redis\"\n{ISSUER}")).unwrap();
    assert!(config.auth.has_public_keys());
    let shown = serde_json::to_value(config.masked().auth.issuers).unwrap();
    assert_eq!(shown[0]["jwks_url"], "https://id.example/jwks.json");
    let unencrypted = ISSUER.replace("https://id.example/jwks", "http://id.example/jwks");
    assert!(with(&format!("{unencrypted}[outbound]\nallow_private = true")).is_ok());
}

#[test]
fn an_issuer_with_a_mistake_is_refused_by_name() {
    for (text, named) in [
        (ISSUER.replace("jwks_url =", "jwks_uri ="), "jwks_uri"),
        (ISSUER.replace("algorithms", "#"), "algorithms"),
        (ISSUER.replace("RS256", "RS257"), "RS257"),
        (ISSUER.replace("RS256", "HS256"), "must not name HS256"),
        (ISSUER.replace("RS256", "EdDSA"), "each of them once"),
        (ISSUER.replace("\"RS256\", \"EdDSA\"", ""), "at least one algorithm"),
        (ISSUER.replace("issuer = \"https://id.example\"", "issuer = \"\""), "must not be empty"),
        (ISSUER.replace("https://id.example/jwks", "http://id.example/jwks"), "must begin with https://"),
        (ISSUER.replace("https://id.example/jwks", "https://ann:pass@id.example/jwks"), "must not hold a user"),
        (ISSUER.repeat(2), "is there twice"),
        (format!("[auth]\nissuer = \"https://id.example\"\n{ISSUER}"), "leave it out here"),
        (format!("[auth]\njwks_throttle_s = 0\n{ISSUER}"), "jwks_throttle_s must be at least 1"),
        (
            format!("{ISSUER}[[auth.keys]]\nalgorithm = \"RS256\"\nissuer = \"https://id.example\""),
            "its tokens know no other key",
        ),
    ] {
        let message = with(&text).unwrap_err().to_string();
        assert!(message.contains(named), "{named}: {message}");
    }
}

#[test]
fn secrets_are_masked() {
    let text = format!("[auth]\nhs256_secret = \"{}\"", "s".repeat(32));
    assert_eq!(with(&text).unwrap().masked().auth.hs256_secret, "***");
    let text = format!("[admin]\ntoken = \"{}\"", "s".repeat(32));
    assert_eq!(with(&text).unwrap().masked().admin.token, "***");
    let text = "[store.redis]\nurl = \"redis://ann:pass@host:1/2\"";
    assert_eq!(with(text).unwrap().masked().store.redis.url, "redis://ann:***@host:1/2");
}

#[test]
fn more_rings_than_can_be_counted_are_refused() {
    assert_eq!(with("[limits]\nrings_per_minute = 1000").unwrap().rules().rings_per_minute, 1000);
    let message = with("[limits]\nrings_per_minute = 1001").unwrap_err().to_string();
    assert_eq!(message, "limits.rings_per_minute: must be at most 1000");
}

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

#[test]
fn an_authorization_hook_is_off_without_a_url_and_needs_secrets_with_one() {
    assert!(with("").unwrap().authorization.url.is_none());
    let hook = format!("[authorization]\nurl = \"https://hook.example/ask\"\nsecrets = [\"{SECRET}\"]");
    let config = with(&hook).unwrap();
    let shown = serde_json::to_value(config.masked().authorization).unwrap();
    assert_eq!(
        shown,
        json!({
            "url": "https://hook.example/ask", "secrets": ["***"], "timeout_ms": 1_000, "on_failure": "deny",
            "max_in_flight": 256,
        })
    );
    let unencrypted = hook.replace("https", "http");
    assert!(with(&format!("{unencrypted}\n[outbound]\nallow_private = true")).is_ok());
    for (text, named) in [
        (unencrypted, "authorization.url: must begin with https://"),
        (hook.replace("https://", "https://ann:pass@"), "must not hold a user"),
        (hook.replace(SECRET, "whsec_short"), "authorization.secrets: must be whsec_"),
        (hook.replace(&format!("\"{SECRET}\""), ""), "authorization.secrets: must be one, or two"),
        (format!("{hook}\non_failure = \"ignore\""), "ignore"),
        (format!("{hook}\ntimeout_ms = 99"), "authorization.timeout_ms: must be between"),
        (format!("{hook}\nmax_in_flight = 0"), "authorization.max_in_flight: must be between"),
    ] {
        let message = with(&text).unwrap_err().to_string();
        assert!(message.contains(named), "{named}: {message}");
    }
}
