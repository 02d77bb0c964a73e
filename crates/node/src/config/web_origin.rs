//! Where a web page comes from, as browsers tell it in `Origin` (RFC 6454).

use serde::Serialize;

/// `scheme://host[:port]` in lower case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct WebOrigin(String);

impl WebOrigin {
    /// Whether a browser means this one.
    pub(crate) fn is(&self, header: &[u8]) -> bool {
        self.0.as_bytes().eq_ignore_ascii_case(header)
    }
}

impl TryFrom<String> for WebOrigin {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let text = text.to_ascii_lowercase();
        let is_part = |byte: u8| byte.is_ascii_graphic() && !b"/?#@*,\"\\".contains(&byte);
        let parts = text.split_once("://").filter(|(scheme, place)| !scheme.is_empty() && !place.is_empty());
        let Some((scheme, place)) = parts.filter(|(scheme, place)| scheme.bytes().chain(place.bytes()).all(is_part))
        else {
            return Err(format!("{text:?} is no origin: scheme://host[:port], without a path"));
        };
        // It would match no browser, which is hard to find out.
        if matches!((scheme, place.rsplit_once(':')), ("http", Some((_, "80"))) | ("https", Some((_, "443")))) {
            return Err(format!("{text:?}: browsers leave the usual port out"));
        }
        Ok(Self(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_compared_without_case_and_as_a_whole() {
        let origin = WebOrigin::try_from("HTTPS://App.example:8443".to_owned()).unwrap();
        assert!(origin.is(b"https://app.EXAMPLE:8443"));
        for other in ["https://app.example", "http://app.example:8443", "https://app.example:84430", "null", ""] {
            assert!(!origin.is(other.as_bytes()), "{other}");
        }
    }

    #[test]
    fn what_no_browser_sends_is_refused() {
        for text in ["", "*", "app.example", "https://", "https://app.example/", "https://*.example", "https://a:443"] {
            assert!(WebOrigin::try_from(text.to_owned()).is_err(), "{text}");
        }
        for text in ["https://app.example", "http://localhost:3000", "capacitor://localhost", "http://[::1]:8080"] {
            assert!(WebOrigin::try_from(text.to_owned()).is_ok(), "{text}");
        }
    }
}
