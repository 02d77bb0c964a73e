//! A URL that the node asks: a document of keys, a hook.

use reqwest::Url;
use serde::{Deserialize, Serialize};

/// `https://…` or `http://…`, without a user, a password or a fragment.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct HttpUrl(Url);

impl HttpUrl {
    /// As the client takes it.
    pub(crate) fn url(&self) -> &Url {
        &self.0
    }

    /// Whether nobody on the way can read or change what is exchanged.
    pub(crate) fn is_encrypted(&self) -> bool {
        self.0.scheme() == "https"
    }
}

impl std::fmt::Display for HttpUrl {
    /// For logs: without the query, which may hold a key.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut shown = self.0.clone();
        shown.set_query(None);
        shown.fmt(formatter)
    }
}

impl TryFrom<String> for HttpUrl {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        // The text may hold a password by mistake, so that no message repeats it.
        let url = Url::parse(&text).map_err(|error| format!("is no URL: {error}"))?;
        if !matches!(url.scheme(), "https" | "http") {
            return Err("a URL must begin with https:// or http://".to_owned());
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err("a URL must not hold a user or a password".to_owned());
        }
        if url.fragment().is_some() {
            return Err("a URL must not have a fragment: it is never sent".to_owned());
        }
        Ok(Self(url))
    }
}

impl From<HttpUrl> for String {
    fn from(url: HttpUrl) -> Self {
        url.0.into()
    }
}

/// A URL that may be left empty.
pub(super) mod optional {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    use super::HttpUrl;

    // Serde hands a reference to the field, whatever its type.
    #[allow(clippy::ref_option)]
    pub(in crate::config) fn serialize<S: Serializer>(url: &Option<HttpUrl>, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(url.as_ref().map_or("", |url| url.url().as_str()))
    }

    pub(in crate::config) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<HttpUrl>, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text.is_empty() { Ok(None) } else { HttpUrl::try_from(text).map(Some).map_err(D::Error::custom) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_http_with_a_host_and_nothing_secret() {
        for text in ["https://id.example/jwks.json?tenant=7", "http://10.1.2.3:8080", "https://[2001:db8::1]/x"] {
            assert!(HttpUrl::try_from(text.to_owned()).is_ok(), "{text}");
        }
        for text in
            ["", "id.example/jwks", "ftp://id.example", "file:///etc/passwd", "https://", "https://a.example/#x"]
        {
            assert!(HttpUrl::try_from(text.to_owned()).is_err(), "{text}");
        }
    }

    #[test]
    fn a_password_is_refused_and_not_repeated() {
        for text in ["https://ann:pass-word@id.example", "https://pass-word@id.example"] {
            let problem = HttpUrl::try_from(text.to_owned()).unwrap_err();
            assert!(!problem.contains("pass-word"), "{problem}");
        }
    }
}
