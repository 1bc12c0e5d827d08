use ocm_oci::{Digest, RepoName, TagOrDigest};

use crate::problem::{Code, Problem};

/// What a path under `/v2/` means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Route {
    /// `/v2/`
    Base,
    /// `/v2/_catalog`
    Catalog,
    /// `/v2/{name}/blobs/{digest}`
    Blob(RepoName, Digest),
    /// `/v2/{name}/blobs/uploads/`
    Uploads(RepoName),
    /// `/v2/{name}/blobs/uploads/{id}`
    Upload(RepoName, String),
    /// `/v2/{name}/manifests/{reference}`
    Manifest(RepoName, TagOrDigest),
    /// `/v2/{name}/tags/list`
    Tags(RepoName),
    /// `/v2/{name}/referrers/{digest}`
    Referrers(RepoName, Digest),
}

/// What separates a repository's name from what is asked of it.
const SEPARATORS: [&str; 4] = ["/blobs/", "/manifests/", "/tags/", "/referrers/"];

impl Route {
    /// Reads a path as it stands in the request line.
    ///
    /// Names have any depth, and a component may be called `blobs`: what is meant is told by the
    /// last separator.
    pub(crate) fn parse(path: &str) -> Result<Self, Problem> {
        let path = decode(path).ok_or_else(|| Problem::no_such_path(path))?;
        let rest = path.strip_prefix("/v2").ok_or_else(|| Problem::no_such_path(&path))?;
        match rest {
            "" | "/" => return Ok(Self::Base),
            "/_catalog" => return Ok(Self::Catalog),
            _ => {}
        }
        let (at, separator) = SEPARATORS
            .into_iter()
            .filter_map(|separator| rest.rfind(separator).map(|at| (at, separator)))
            .max()
            .ok_or_else(|| Problem::no_such_path(&path))?;
        let (name, tail) = rest.split_at(at);
        let name = repository(name.strip_prefix('/').unwrap_or_default())?;
        let tail = tail.strip_prefix(separator).unwrap_or_default();
        match separator {
            "/blobs/" => blob(name, tail),
            "/manifests/" => manifest(name, tail),
            "/tags/" if tail == "list" => Ok(Self::Tags(name)),
            "/referrers/" => digest(tail).map(|subject| Self::Referrers(name, subject)),
            _ => Err(Problem::no_such_path(&path)),
        }
    }
}

fn blob(name: RepoName, tail: &str) -> Result<Route, Problem> {
    match tail.strip_prefix("uploads") {
        Some("" | "/") => Ok(Route::Uploads(name)),
        Some(id) if id.starts_with('/') => {
            Ok(Route::Upload(name, id.trim_start_matches('/').to_owned()))
        }
        _ => digest(tail).map(|digest| Route::Blob(name, digest)),
    }
}

fn manifest(name: RepoName, tail: &str) -> Result<Route, Problem> {
    // A colon is in digests only, so that text with one is a digest that went wrong.
    if tail.contains(':') {
        return digest(tail).map(|digest| Route::Manifest(name, TagOrDigest::Digest(digest)));
    }
    let reference = tail.parse().map_err(|error| Problem::bad(Code::ManifestInvalid, &error))?;
    Ok(Route::Manifest(name, reference))
}

pub(crate) fn repository(text: &str) -> Result<RepoName, Problem> {
    text.parse().map_err(|error| Problem::bad(Code::NameInvalid, &error))
}

pub(crate) fn digest(text: &str) -> Result<Digest, Problem> {
    text.parse().map_err(|error| Problem::bad(Code::DigestInvalid, &error))
}

/// Undoes percent-encoding: some clients send the colon of a digest as `%3A`.
fn decode(path: &str) -> Option<String> {
    let mut pieces = path.split('%');
    let mut bytes = pieces.next()?.as_bytes().to_vec();
    for piece in pieces {
        let (code, plain) = piece.split_at_checked(2)?;
        bytes.push(u8::from_str_radix(code, 16).ok()?);
        bytes.extend_from_slice(plain.as_bytes());
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> RepoName {
        text.parse().unwrap()
    }

    #[test]
    fn the_last_separator_decides() {
        let some = Digest::of(b"");
        let tag = |text: &str| TagOrDigest::Tag(text.parse().unwrap());
        let cases = [
            ("/v2".to_owned(), Route::Base),
            ("/v2/".to_owned(), Route::Base),
            ("/v2/_catalog".to_owned(), Route::Catalog),
            ("/v2/a/manifests/v1".to_owned(), Route::Manifest(name("a"), tag("v1"))),
            (
                "/v2/a/tags/list/manifests/list".to_owned(),
                Route::Manifest(name("a/tags/list"), tag("list")),
            ),
            ("/v2/a/manifests/tags/list".to_owned(), Route::Tags(name("a/manifests"))),
            ("/v2/a/b/c/d/e/tags/list".to_owned(), Route::Tags(name("a/b/c/d/e"))),
            (format!("/v2/a/blobs/blobs/{some}"), Route::Blob(name("a/blobs"), some.clone())),
            (format!("/v2/a/blobs/sha256%3A{}", some.hex()), Route::Blob(name("a"), some.clone())),
            (format!("/v2/a/referrers/{some}"), Route::Referrers(name("a"), some.clone())),
            ("/v2/a/blobs/uploads/".to_owned(), Route::Uploads(name("a"))),
            ("/v2/a/blobs/uploads".to_owned(), Route::Uploads(name("a"))),
            ("/v2/a/blobs/uploads/7".to_owned(), Route::Upload(name("a"), "7".to_owned())),
            (
                "/v2/a/blobs/uploads/blobs/uploads/".to_owned(),
                Route::Uploads(name("a/blobs/uploads")),
            ),
        ];
        for (path, route) in cases {
            assert_eq!(Route::parse(&path).unwrap(), route, "{path}");
        }
    }

    #[test]
    fn refuses_what_no_client_means() {
        let long = format!("/v2/a/manifests/{}", "t".repeat(129));
        for (path, code) in [
            ("/v2/A/tags/list", Code::NameInvalid),
            ("/v2/a//b/tags/list", Code::NameInvalid),
            ("/v2/a/../b/tags/list", Code::NameInvalid),
            ("/v2//tags/list", Code::NameInvalid),
            ("/v2/a/blobs/sha256:00", Code::DigestInvalid),
            ("/v2/a/blobs/", Code::DigestInvalid),
            ("/v2/a/manifests/sha256:00", Code::DigestInvalid),
            ("/v2/a/manifests/", Code::ManifestInvalid),
            (&long, Code::ManifestInvalid),
            ("/v2/a/referrers/v1", Code::DigestInvalid),
            ("/v2/a/tags/other", Code::Unsupported),
            ("/v2/a", Code::Unsupported),
            ("/v2/%zz/tags/list", Code::Unsupported),
            ("/v2/a%", Code::Unsupported),
        ] {
            assert_eq!(Route::parse(path).unwrap_err().code(), code, "{path}");
        }
    }
}
