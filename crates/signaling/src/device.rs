//! Devices that may be pushed to: what an app registers so that a push hook can reach it.
//!
//! A registration is independent of connections: it stays until it is removed or crowded out. The
//! rules check its shape; what a token means, only the provider's service knows.

use std::collections::BTreeMap;
use std::fmt;

use crate::id::DeviceId;
use crate::limits::{PLATFORM_CHARS, PROVIDER_CHARS, PROVIDERS_PER_DEVICE, PUSH_TOKEN_BYTES};
use crate::refusal::Refusal;
use crate::time::UnixMillis;

/// A device with the tokens under which push services know it.
///
/// Tokens are secrets of the user: `Debug` shows only whose they are, so that they get into no log.
#[derive(Clone, PartialEq, Eq)]
pub struct RegisteredDevice {
    /// Which device.
    pub device: DeviceId,
    /// `ios`, `android`, `web` or anything else, as the app says.
    pub platform: String,
    /// Provider (`apns`, `apns_voip`, `fcm`, `hms` or any other name) → the token it gave the device.
    pub tokens: BTreeMap<String, String>,
    /// When it was registered last.
    pub set_at: UnixMillis,
}

impl fmt::Debug for RegisteredDevice {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("RegisteredDevice")
            .field("device", &self.device)
            .field("platform", &self.platform)
            .field("providers", &self.tokens.keys())
            .field("set_at", &self.set_at)
            .finish_non_exhaustive()
    }
}

/// Checks what an app wants to register.
///
/// # Errors
/// `Invalid` names `platform` or `tokens`, `PayloadTooLarge` a token over its size; neither repeats a token.
pub fn check(platform: &str, tokens: &BTreeMap<String, String>) -> Result<(), Refusal> {
    if platform.is_empty() {
        return Err(Refusal::invalid("platform", "must not be empty"));
    }
    if platform.chars().nth(PLATFORM_CHARS).is_some() {
        return Err(Refusal::invalid("platform", format!("is longer than {PLATFORM_CHARS} characters")));
    }
    if platform.chars().any(char::is_control) {
        return Err(Refusal::invalid("platform", "must not contain control characters"));
    }
    if tokens.is_empty() {
        return Err(Refusal::invalid("tokens", "must not be empty"));
    }
    if tokens.len() > PROVIDERS_PER_DEVICE {
        return Err(Refusal::invalid("tokens", format!("are of more than {PROVIDERS_PER_DEVICE} providers")));
    }
    tokens.iter().try_for_each(|(provider, token)| check_token(provider, token))
}

fn check_token(provider: &str, token: &str) -> Result<(), Refusal> {
    let is_name = (1..=PROVIDER_CHARS).contains(&provider.len())
        && provider.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-'));
    if !is_name {
        let problem = format!("name a provider that is not 1 to {PROVIDER_CHARS} of a-z, 0-9, _ and -");
        return Err(Refusal::invalid("tokens", problem));
    }
    if token.is_empty() {
        return Err(Refusal::invalid("tokens", format!("of {provider} must not be empty")));
    }
    if token.chars().any(char::is_control) {
        return Err(Refusal::invalid("tokens", format!("of {provider} must not contain control characters")));
    }
    if token.len() > PUSH_TOKEN_BYTES {
        return Err(Refusal::PayloadTooLarge { field: "tokens", limit: PUSH_TOKEN_BYTES });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(of: &[(&str, &str)]) -> BTreeMap<String, String> {
        of.iter().map(|(provider, token)| ((*provider).to_owned(), (*token).to_owned())).collect()
    }

    #[test]
    fn a_registration_has_a_platform_and_tokens_of_named_providers() {
        let longest = ("p".repeat(32), "t".repeat(4096));
        let four = [("apns", "a"), ("apns_voip", "b"), ("fcm-2", "ü"), (longest.0.as_str(), longest.1.as_str())];
        assert_eq!(check(&"é".repeat(32), &tokens(&four)), Ok(()));
    }

    #[test]
    fn what_breaks_a_bound_is_named() {
        let field = |platform: &str, of: &[(&str, &str)]| match check(platform, &tokens(of)) {
            Err(Refusal::Invalid { field, .. }) => field,
            other => panic!("{other:?}"),
        };
        for platform in ["", "a\nb", &"x".repeat(33)] {
            assert_eq!(field(platform, &[("fcm", "t")]), "platform", "{platform:?}");
        }
        let long = "p".repeat(33);
        let five = [("a", "t"), ("b", "t"), ("c", "t"), ("d", "t"), ("e", "t")];
        for wrong in [&[][..], &five, &[("", "t")], &[(&long, "t")], &[("APNS", "t")], &[("fcm", "")], &[("fcm", "\0")]]
        {
            assert_eq!(field("ios", wrong), "tokens", "{wrong:?}");
        }
        let large = "t".repeat(4097);
        let refused = check("ios", &tokens(&[("fcm", &large)]));
        assert_eq!(refused, Err(Refusal::PayloadTooLarge { field: "tokens", limit: 4096 }));
    }

    #[test]
    fn debug_and_refusals_show_no_token() {
        let device = RegisteredDevice {
            device: DeviceId::parse("phone").unwrap(),
            platform: "ios".to_owned(),
            tokens: tokens(&[("fcm", "secret")]),
            set_at: UnixMillis(1),
        };
        let shown = format!("{device:?}");
        assert!(shown.contains("fcm") && !shown.contains("secret"), "{shown}");
        let refused = check("ios", &tokens(&[("fcm", "secret\n")])).unwrap_err().to_string();
        assert!(!refused.contains("secret"), "{refused}");
    }
}
