use std::{fmt, time::Duration};

use bytes::Bytes;
use http::{
    HeaderMap, HeaderValue, Method,
    header::{AUTHORIZATION, CONTENT_TYPE, DATE},
};
use serde::Deserialize;
use tokio::time::Instant;
use url::{Url, form_urlencoded};

use super::{answer::Answer, date, failure::Failure, url::redacted};
use crate::{Kind, Login, Retry, credentials::bearer_header};

/// How long a token is good whose server does not say.
///
/// Source: <https://distribution.github.io/distribution/spec/auth/token/#token-response-fields>.
const DEFAULT_LIFE: Duration = Duration::from_mins(1);
/// Longest that a token is used, whatever its server says: sums of dates must not overflow.
const LONGEST_LIFE: Duration = Duration::from_hours(24);
/// Nearest to its end that a token is still used; a fifth of its life where that is less, or
/// tokens of short life would be fetched for every request.
const LEEWAY: Duration = Duration::from_secs(30);
/// Most bytes of a token server's answer.
pub(crate) const TOKEN_LIMIT: usize = 1 << 20;

/// A token, and until when it is used.
#[derive(Debug, Clone)]
pub(crate) struct Token {
    pub(crate) header: HeaderValue,
    good_until: Instant,
}

impl Token {
    pub(crate) fn is_good(&self) -> bool {
        Instant::now() < self.good_until
    }
}

/// What a token server is asked. Headers and body hold the login.
pub(crate) struct TokenRequest {
    pub(crate) method: Method,
    pub(crate) url: Url,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl TokenRequest {
    /// Asks as `login`, or as anyone.
    pub(crate) fn new(
        realm: &Url,
        service: Option<&str>,
        scopes: &[String],
        login: Option<&Login>,
    ) -> Self {
        match login {
            Some(Login::Identity { token }) => Self::exchange(realm, service, scopes, token),
            _ => Self::plain(realm, service, scopes, login),
        }
    }

    /// Source: <https://distribution.github.io/distribution/spec/auth/token/#requesting-a-token>.
    fn plain(realm: &Url, service: Option<&str>, scopes: &[String], login: Option<&Login>) -> Self {
        let mut url = realm.clone();
        {
            let mut query = url.query_pairs_mut();
            query.extend_pairs(service.map(|service| ("service", service)));
            query.extend_pairs(scopes.iter().map(|scope| ("scope", scope.as_str())));
        }
        if url.query() == Some("") {
            url.set_query(None);
        }
        let header = login.and_then(Login::basic_header);
        let headers = header.map(|header| (AUTHORIZATION, header)).into_iter().collect();
        Self { method: Method::GET, url, headers, body: Bytes::new() }
    }

    /// Source: <https://distribution.github.io/distribution/spec/auth/oauth/>.
    fn exchange(realm: &Url, service: Option<&str>, scopes: &[String], token: &str) -> Self {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("grant_type", "refresh_token").append_pair("client_id", "ocm");
        form.extend_pairs(service.map(|service| ("service", service)));
        form.append_pair("scope", &scopes.join(" ")).append_pair("refresh_token", token);
        let form_type = HeaderValue::from_static("application/x-www-form-urlencoded");
        Self {
            method: Method::POST,
            url: realm.clone(),
            headers: [(CONTENT_TYPE, form_type)].into_iter().collect(),
            body: form.finish().into(),
        }
    }
}

impl fmt::Debug for TokenRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { method, url, headers: _, body: _ } = self;
        f.debug_struct("TokenRequest")
            .field("method", method)
            .field("url", &redacted(url))
            .finish_non_exhaustive()
    }
}

/// Either name may be used for the token.
#[derive(Deserialize)]
struct Given {
    token: Option<String>,
    access_token: Option<String>,
    expires_in: Option<u64>,
    issued_at: Option<String>,
}

/// Reads the token out of an answer to what was asked at `asked`.
pub(crate) fn read(answer: Answer, asked: Instant) -> Result<Token, Failure> {
    let answer = answer.checked().map_err(refused)?;
    let odd = |what: &str| Failure::odd(&answer.request, what).of_kind(Kind::Auth);
    let given: Option<Given> = serde_json::from_slice(&answer.body).ok();
    let given = given.ok_or_else(|| odd("is not that of a token server"))?;
    let life = given.life(answer.header(&DATE));
    let token = given.token.filter(|text| !text.is_empty()).or(given.access_token);
    let token = token.filter(|text| !text.is_empty()).ok_or_else(|| odd("holds no token"))?;
    let header = bearer_header(&token).ok_or_else(|| odd("holds a token that is none"))?;
    Ok(Token { header, good_until: asked + life.saturating_sub(LEEWAY.min(life / 5)) })
}

/// A token server that says no, says it about our login, whatever status it chose.
fn refused(failure: Failure) -> Failure {
    match failure.kind() {
        Kind::NotFound | Kind::Unsupported | Kind::Incomplete => failure.of_kind(Kind::Auth),
        Kind::Refused if failure.retry() == Retry::Never => failure.of_kind(Kind::Auth),
        _ => failure,
    }
}

impl Given {
    /// A token can come from the server's own store and have lived for a while. By the server's
    /// clock alone: ours may be wrong.
    fn life(&self, now: Option<&str>) -> Duration {
        let life = self.expires_in.map_or(DEFAULT_LIFE, Duration::from_secs);
        let issued = self.issued_at.as_deref().and_then(date::rfc3339);
        let age =
            now.and_then(date::http).zip(issued).map(|(now, issued)| now.saturating_sub(issued));
        let age = Duration::from_secs(age.and_then(|age| age.try_into().ok()).unwrap_or(0));
        // A date far in the past is a mistake rather than a token that has ended already.
        if age < life { life.saturating_sub(age) } else { life }.min(LONGEST_LIFE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_do_not_show_the_login() {
        let realm: Url = "https://me:hidden@auth.test/token".parse().unwrap();
        let login = Login::Identity { token: "refresh".into() };
        let logins = [login, Login::basic("me", "hidden")];
        for login in logins {
            let request = TokenRequest::new(&realm, None, &[], Some(&login));
            let shown = format!("{request:?}");
            assert!(shown.contains("auth.test"), "{shown}");
            for secret in ["hidden", "refresh", "Basic"] {
                assert!(!shown.contains(secret), "{shown}");
            }
        }
    }
}
