use std::{fmt, net::IpAddr};

use reqwest::Proxy;
use url::{Host, Url};

/// Which proxies requests go through, as the variables of these names say it.
///
/// `localhost`, `127.0.0.0/8` and `::1` are never asked for through a proxy.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Proxies {
    /// `HTTP_PROXY`: for plain HTTP. Without a scheme, the proxy itself is spoken to in HTTP.
    pub http: Option<String>,
    /// `HTTPS_PROXY`: for HTTPS.
    pub https: Option<String>,
    /// `NO_PROXY`: what is asked for directly, separated by commas. `*` is everything, a domain
    /// includes what is below it, `.domain` is only what is below it; addresses can be ranges
    /// such as `10.0.0.0/8`; a port can follow.
    pub no_proxy: Option<String>,
}

impl fmt::Debug for Proxies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { http, https, no_proxy } = self;
        f.debug_struct("Proxies")
            .field("http", &http.as_deref().map(without_login))
            .field("https", &https.as_deref().map(without_login))
            .field("no_proxy", no_proxy)
            .finish()
    }
}

/// Leaves out what stands before the last `@`: a login, in an address that may be none.
fn without_login(address: &str) -> &str {
    address.rsplit_once('@').map_or(address, |(_login, place)| place)
}

/// Why proxies could not be used.
#[derive(Debug, thiserror::Error)]
#[error("proxy for {scheme} is not a valid address")]
pub struct ProxyError {
    /// What it is for.
    pub scheme: &'static str,
    source: url::ParseError,
}

impl Proxies {
    /// Makes what reqwest asks for each request.
    pub(crate) fn compile(&self) -> Result<Option<Proxy>, ProxyError> {
        let http = parse("http", self.http.as_deref())?;
        let https = parse("https", self.https.as_deref())?;
        if http.is_none() && https.is_none() {
            return Ok(None);
        }
        let exceptions = Exceptions::parse(self.no_proxy.as_deref().unwrap_or_default());
        Ok(Some(Proxy::custom(move |url| {
            let proxy = if url.scheme() == "https" { &https } else { &http };
            proxy.clone().filter(|_| !exceptions.include(url))
        })))
    }
}

/// Reads a proxy's address. It may hold a password, so errors do not repeat it.
fn parse(scheme: &'static str, text: Option<&str>) -> Result<Option<Url>, ProxyError> {
    let Some(text) = text.map(str::trim).filter(|text| !text.is_empty()) else { return Ok(None) };
    let url =
        if text.contains("://") { Url::parse(text) } else { Url::parse(&format!("http://{text}")) };
    let is_usable = |url: &Url| {
        url.has_host() && matches!(url.scheme(), "http" | "https" | "socks5" | "socks5h")
    };
    match url {
        Ok(url) if is_usable(&url) => Ok(Some(url)),
        Ok(_) => Err(ProxyError { scheme, source: url::ParseError::RelativeUrlWithoutBase }),
        Err(source) => Err(ProxyError { scheme, source }),
    }
}

/// What goes around the proxies.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Exceptions(Vec<Exception>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Exception {
    place: Place,
    port: Option<u16>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Place {
    Everything,
    Range {
        address: IpAddr,
        bits: u32,
    },
    /// This name, and all that end with a dot and this name.
    Domain(String),
    /// Only what ends with a dot and this name.
    Below(String),
}

impl Exceptions {
    /// Reads the list; what cannot be read applies to nothing.
    fn parse(list: &str) -> Self {
        let entries = list.split(',').map(str::trim).filter(|entry| !entry.is_empty());
        Self(entries.filter_map(Exception::parse).collect())
    }

    fn include(&self, url: &Url) -> bool {
        let port = url.port_or_known_default();
        let (name, address) = match url.host() {
            None => return true,
            Some(Host::Domain(name)) => {
                let name = name.trim_end_matches('.').to_ascii_lowercase();
                let address = name.parse().ok();
                (name, address)
            }
            Some(Host::Ipv4(address)) => (address.to_string(), Some(IpAddr::V4(address))),
            Some(Host::Ipv6(address)) => (address.to_string(), Some(IpAddr::V6(address))),
        };
        let is_loopback = name == "localhost" || address.is_some_and(|it| it.is_loopback());
        is_loopback || self.0.iter().any(|exception| exception.includes(&name, address, port))
    }
}

impl Exception {
    fn parse(entry: &str) -> Option<Self> {
        let entry = entry.to_ascii_lowercase();
        if entry == "*" {
            return Some(Self { place: Place::Everything, port: None });
        }
        if let Some(place) = range(&entry) {
            return Some(Self { place, port: None });
        }
        let (name, port) = match entry.rsplit_once(':') {
            Some((name, port)) => (name, Some(port.parse().ok()?)),
            None => (entry.as_str(), None),
        };
        let bare = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name);
        let place = range(bare).or_else(|| domain(bare))?;
        Some(Self { place, port })
    }

    fn includes(&self, name: &str, address: Option<IpAddr>, port: Option<u16>) -> bool {
        let is_below = |domain: &str| {
            name.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.') && rest.len() > 1)
        };
        let is_there = match &self.place {
            Place::Everything => true,
            Place::Range { address: range, bits } => {
                address.is_some_and(|address| is_within(address, *range, *bits))
            }
            Place::Domain(domain) => name == domain || is_below(domain),
            Place::Below(domain) => is_below(domain),
        };
        is_there && self.port.is_none_or(|wanted| port == Some(wanted))
    }
}

fn domain(name: &str) -> Option<Place> {
    let name = name.strip_prefix('*').filter(|rest| rest.starts_with('.')).unwrap_or(name);
    match name.strip_prefix('.') {
        Some("") => None,
        Some(domain) => Some(Place::Below(domain.to_owned())),
        None if name.is_empty() => None,
        None => Some(Place::Domain(name.to_owned())),
    }
}

/// Reads `10.0.0.0/8`, or one address.
fn range(text: &str) -> Option<Place> {
    let (address, bits) = match text.split_once('/') {
        Some((address, bits)) => (address.parse::<IpAddr>().ok()?, Some(bits.parse().ok()?)),
        None => (text.parse().ok()?, None),
    };
    let width = if address.is_ipv4() { 32 } else { 128 };
    let bits = bits.unwrap_or(width);
    (bits <= width).then_some(Place::Range { address, bits })
}

/// Whether the first `bits` bits are the same.
fn is_within(address: IpAddr, range: IpAddr, bits: u32) -> bool {
    let differ = match (address.to_canonical(), range) {
        (IpAddr::V4(one), IpAddr::V4(other)) => {
            (one.to_bits() ^ other.to_bits()).checked_shr(32_u32.saturating_sub(bits)).unwrap_or(0)
                != 0
        }
        (IpAddr::V6(one), IpAddr::V6(other)) => {
            (one.to_bits() ^ other.to_bits()).checked_shr(128_u32.saturating_sub(bits)).unwrap_or(0)
                != 0
        }
        _ => true,
    };
    !differ
}

#[cfg(test)]
mod tests {
    use super::*;

    fn direct(list: &str, url: &str) -> bool {
        Exceptions::parse(list).include(&url.parse().unwrap())
    }

    /// As Go reads the variable, since people set it once for all programs.
    ///
    /// Source: <https://pkg.go.dev/golang.org/x/net/http/httpproxy#Config>.
    #[test]
    fn exceptions_are_read_as_go_does() {
        let direct_ones = [
            ("", "http://localhost:5000/"),
            ("", "http://127.9.9.9/"),
            ("", "http://[::1]:5000/"),
            ("*", "https://quay.io/"),
            ("quay.io", "https://quay.io/"),
            ("Quay.IO", "https://cdn.quay.io/"),
            (".quay.io", "https://cdn.quay.io/"),
            ("*.quay.io", "https://cdn.quay.io/"),
            ("quay.io:443", "https://quay.io/"),
            (" a.b , quay.io:8443 ,", "https://quay.io:8443/"),
            ("10.0.0.0/8", "http://10.1.2.3:5000/"),
            ("10.1.2.3", "http://10.1.2.3:5000/"),
            ("10.1.2.3:5000", "http://10.1.2.3:5000/"),
            ("fd00::/8", "http://[fd12::1]/"),
            ("[fd12::1]:5000", "http://[fd12::1]:5000/"),
            ("0.0.0.0/0", "http://8.8.8.8/"),
        ];
        for (list, url) in direct_ones {
            assert!(direct(list, url), "{list:?} does not except {url}");
        }
        let proxied = [
            ("", "https://quay.io/"),
            (".quay.io", "https://quay.io/"),
            ("quay.io", "https://notquay.io/"),
            ("quay.io:8443", "https://quay.io/"),
            ("10.0.0.0/8", "http://11.1.2.3/"),
            ("10.0.0.0/33", "http://10.0.0.0/"),
            ("10.0.0.0/8", "http://ten.example/"),
            ("fd00::/8", "http://10.1.2.3/"),
            (",.,:80,", "https://quay.io/"),
        ];
        for (list, url) in proxied {
            assert!(!direct(list, url), "{list:?} excepts {url}");
        }
    }

    #[test]
    fn addresses_of_proxies() {
        let read = |text| parse("http", Some(text)).unwrap().map(|url| url.to_string());
        assert_eq!(read("proxy:3128").as_deref(), Some("http://proxy:3128/"));
        assert_eq!(read("socks5://p:1080").as_deref(), Some("socks5://p:1080"));
        assert_eq!(read(" "), None);
        let error = parse("https", Some("http://me:secret@[bad")).unwrap_err();
        assert!(!format!("{error:?} {error}").contains("secret"));
        assert!(parse("https", Some("ftp://p")).is_err());
        for address in ["http://me:secret@proxy:3128", "me:sec@secret@proxy:3128"] {
            let proxies = Proxies { https: Some(address.to_owned()), ..Proxies::default() };
            let shown = format!("{proxies:?}");
            assert!(shown.contains("proxy:3128") && !shown.contains("secret"), "{shown}");
        }
    }
}
