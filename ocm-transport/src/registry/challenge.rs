use http::{HeaderMap, header::WWW_AUTHENTICATE};
use http_auth::{ChallengeRef, parse_challenges};
use url::Url;

/// How a registry wants to be told who we are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Challenge {
    /// By name and password.
    Basic,
    /// By a token from the server at `realm`.
    Bearer {
        realm: Url,
        service: Option<String>,
        /// What the refused request would have needed.
        scope: Option<String>,
    },
}

impl Challenge {
    /// Chooses from what a registry offers; tokens where it offers them, since those that also
    /// offer Basic often mean it for people.
    pub(crate) fn choose(headers: &HeaderMap, at: &Url) -> Option<Self> {
        let texts = headers.get_all(WWW_AUTHENTICATE).iter().filter_map(|it| it.to_str().ok());
        let parsed = texts.filter_map(|text| parse_challenges(text).ok()).flatten();
        let offers: Vec<_> = parsed.filter_map(|offer| Self::read(&offer, at)).collect();
        let bearer = offers.iter().find(|offer| **offer != Self::Basic);
        bearer.or(offers.first()).cloned()
    }

    fn read(offer: &ChallengeRef<'_>, at: &Url) -> Option<Self> {
        let parameter = |name: &str| {
            let mut found = offer.params.iter().filter(|(it, _)| it.eq_ignore_ascii_case(name));
            found.next().map(|(_, value)| value.to_unescaped()).filter(|text| !text.is_empty())
        };
        if offer.scheme.eq_ignore_ascii_case("basic") {
            return Some(Self::Basic);
        }
        if !offer.scheme.eq_ignore_ascii_case("bearer") {
            return None;
        }
        let realm = at.join(&parameter("realm")?).ok()?;
        let is_usable = matches!(realm.scheme(), "https" | "http") && realm.has_host();
        is_usable.then(|| Self::Bearer {
            realm,
            service: parameter("service"),
            scope: parameter("scope"),
        })
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use proptest::prelude::*;

    use super::*;

    fn choose(texts: &[&str]) -> Option<Challenge> {
        let mut headers = HeaderMap::new();
        for text in texts {
            headers.append(WWW_AUTHENTICATE, HeaderValue::from_str(text).unwrap());
        }
        Challenge::choose(&headers, &"https://r.io/v2/".parse().unwrap())
    }

    fn bearer(realm: &str, service: Option<&str>, scope: Option<&str>) -> Challenge {
        let (service, scope) = (service.map(str::to_owned), scope.map(str::to_owned));
        Challenge::Bearer { realm: realm.parse().unwrap(), service, scope }
    }

    #[test]
    fn reads_what_registries_send() {
        assert_eq!(choose(&[r#"Basic realm="Registry Realm""#]), Some(Challenge::Basic));
        assert_eq!(choose(&["basic"]), Some(Challenge::Basic));
        let hub = r#"Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:a/b:pull,push",error="invalid_token""#;
        let (service, scope) = (Some("registry.docker.io"), Some("repository:a/b:pull,push"));
        let expected = Some(bearer("https://auth.docker.io/token", service, scope));
        assert_eq!(choose(&[hub]), expected);
        assert_eq!(choose(&["Negotiate abc=", "Basic realm=x", hub]), expected);
        assert_eq!(
            choose(&[r#"bearer Realm="/token""#]),
            Some(bearer("https://r.io/token", None, None))
        );
        for odd in ["", "Bearer", "Bearer service=x", r#"Bearer realm="file:///x""#, "Digest a=b"] {
            assert_eq!(choose(&[odd]), None, "{odd}");
        }
    }

    proptest! {
        #[test]
        fn any_parameter_is_read_back(service in "[ -~]{1,30}", scope in "[a-z:/,*]{1,40}") {
            let escaped = service.replace('\\', "\\\\").replace('"', "\\\"");
            let text = format!(r#"Bearer realm="https://t.io/t", service="{escaped}",scope="{scope}""#);
            prop_assert_eq!(choose(&[&text]), Some(bearer("https://t.io/t", Some(&service), Some(&scope))));
        }

        #[test]
        fn no_header_panics(text in "[ -~]{0,80}") {
            prop_assert!(choose(&[&text]) != Some(Challenge::Basic) || text.len() >= 5);
        }
    }
}
