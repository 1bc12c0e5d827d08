use ocm_oci::Host;
use url::{Url, form_urlencoded};

/// Name that Docker Hub has in references, and the one at which its API answers.
const DOCKER_HUB: (&str, &str) = ("docker.io", "registry-1.docker.io");

/// How a registry is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scheme {
    Https,
    Http,
}

/// Returns the address that all paths of `host` begin with.
pub(crate) fn base(scheme: Scheme, host: &Host) -> Result<Url, url::ParseError> {
    let (name, api) = DOCKER_HUB;
    let host = if host.as_str() == name { api } else { host.as_str() };
    match scheme {
        Scheme::Https => Url::parse(&format!("https://{host}/")),
        Scheme::Http => Url::parse(&format!("http://{host}/")),
    }
}

/// Returns `url` for people: user, password, query and fragment can hold secrets, such as the
/// signature of a redirect into object storage.
pub(crate) fn redacted(url: &Url) -> String {
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    format!("{}://{}{port}{}", url.scheme(), url.host_str().unwrap_or_default(), url.path())
}

/// Whether credentials for one may be sent to the other.
pub(crate) fn is_same_place(one: &Url, other: &Url) -> bool {
    one.scheme() == other.scheme()
        && one.host() == other.host()
        && one.port_or_known_default() == other.port_or_known_default()
}

/// Where an upload goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Location {
    pub(crate) url: Url,
    /// Whether it is the registry itself, which may see credentials.
    pub(crate) is_home: bool,
}

/// Why a `Location` cannot be followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum LocationError {
    #[error("names no location")]
    Missing,
    #[error("names a location that is no address")]
    Unreadable,
    #[error("leads from HTTPS to plain HTTP")]
    Insecure,
}

/// Reads where `at` sends us; `base` is the registry.
///
/// A registry behind a proxy that ends TLS often believes that it is spoken to in plain HTTP, and
/// says so in its locations. The same name without a port, or with ours, is taken as ours.
pub(crate) fn locate(at: &Url, base: &Url, location: &str) -> Result<Location, LocationError> {
    let mut url = match at.join(location) {
        Ok(url) if matches!(url.scheme(), "https" | "http") && url.has_host() => url,
        Ok(_) | Err(_) => return Err(LocationError::Unreadable),
    };
    let is_downgrade = base.scheme() == "https" && url.scheme() == "http";
    let names_base =
        url.host() == base.host() && (url.port().is_none() || url.port() == base.port());
    if is_downgrade && names_base {
        let fixed = url.set_scheme("https").and_then(|()| url.set_port(base.port()));
        fixed.map_err(|()| LocationError::Unreadable)?;
    } else if is_downgrade {
        return Err(LocationError::Insecure);
    }
    url.set_fragment(None);
    let is_home = is_same_place(&url, base);
    Ok(Location { url, is_home })
}

/// Adds the digest to the location of an upload, whose own query has to stay as it is.
pub(crate) fn with_digest(location: &Url, digest: &ocm_oci::Digest) -> Url {
    let mut url = location.clone();
    url.query_pairs_mut().append_pair("digest", &digest.to_string());
    url
}

/// Writes a query, with its question mark; nothing where there is nothing to ask.
pub(crate) fn query<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let mut query = form_urlencoded::Serializer::for_suffix(String::from("?"), 1);
    query.extend_pairs(pairs);
    match query.finish() {
        query if query == "?" => String::new(),
        query => query,
    }
}

/// Returns which registry's settings an address falls under.
pub(crate) fn host_of(url: &Url) -> Option<Host> {
    let name = url.host_str()?;
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    format!("{name}{port}").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        text.parse().unwrap()
    }

    #[test]
    fn addresses_tell_no_secrets() {
        let secret = url("https://me:pw@h.io:8443/v2/a/blobs/x?sig=secret#part");
        assert_eq!(redacted(&secret), "https://h.io:8443/v2/a/blobs/x");
        assert_eq!(redacted(&url("http://[::1]:5000/v2/")), "http://[::1]:5000/v2/");
    }

    #[test]
    fn docker_hub_has_another_address() {
        let address = |host: &str| base(Scheme::Https, &host.parse().unwrap()).unwrap().to_string();
        assert_eq!(address("docker.io"), "https://registry-1.docker.io/");
        assert_eq!(address("[::1]:5000"), "https://[::1]:5000/");
        assert_eq!(address("a_b:5000"), "https://a_b:5000/");
    }

    /// Where we are, where we are sent, where we go, whether with credentials.
    #[test]
    fn locations_are_resolved() {
        let table = [
            ("https://r.io", "/v2/u?_state=a%2Fb", "https://r.io/v2/u?_state=a%2Fb", true),
            ("https://r.io", "https://r.io:443/u", "https://r.io/u", true),
            ("https://r.io", "http://r.io/u", "https://r.io/u", true),
            ("https://r.io:5000", "http://r.io/u", "https://r.io:5000/u", true),
            ("https://r.io:5000", "http://r.io:5000/u", "https://r.io:5000/u", true),
            ("https://r.io", "https://r.io:5000/u", "https://r.io:5000/u", false),
            ("https://r.io", "https://evil.io/u#x", "https://evil.io/u", false),
            ("http://r.io", "https://r.io/u", "https://r.io/u", false),
            ("http://r.io", "http://other.io/u", "http://other.io/u", false),
        ];
        for (base, location, to, is_home) in table {
            let located = locate(&url(base), &url(base), location);
            assert_eq!(located, Ok(Location { url: url(to), is_home }), "{base} {location}");
        }
        let refused = |to| locate(&url("https://r.io"), &url("https://r.io"), to).unwrap_err();
        assert_eq!(refused("http://other.io/u"), LocationError::Insecure);
        assert_eq!(refused("file:///etc/passwd"), LocationError::Unreadable);
        assert_eq!(refused("http://["), LocationError::Unreadable);
    }

    #[test]
    fn a_digest_joins_the_query_that_is_there() {
        let digest = ocm_oci::Digest::of(b"");
        let located = with_digest(&url("https://r.io/u?_state=a%2Bb%3D"), &digest);
        assert!(located.as_str().starts_with("https://r.io/u?_state=a%2Bb%3D&digest=sha256%3Ae3b"));
    }
}
