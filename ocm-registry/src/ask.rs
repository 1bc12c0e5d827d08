use std::sync::Arc;

use axum::{body::Body, extract::Query};
use http::{HeaderName, Method, header, request};
use ocm_oci::{Digest, RepoName};
use ocm_transport::{Destination, Source};

use crate::{
    Access,
    problem::{Code, Problem},
    route,
    router::Registry,
};

/// One request: what every handler needs of it.
#[derive(Debug)]
pub(crate) struct Ask {
    pub(crate) registry: Arc<Registry>,
    pub(crate) parts: request::Parts,
    query: Vec<(String, String)>,
}

impl Ask {
    /// Reads head and query of a request.
    pub(crate) fn of(
        registry: Arc<Registry>,
        request: http::Request<Body>,
    ) -> Result<(Self, Body), Problem> {
        let (parts, body) = request.into_parts();
        let Query(query) = Query::try_from_uri(&parts.uri)
            .map_err(|error| Problem::bad(Code::Unsupported, &error))?;
        Ok((Self { registry, parts, query }, body))
    }

    pub(crate) fn method(&self) -> &Method {
        &self.parts.method
    }

    pub(crate) fn is_head(&self) -> bool {
        self.parts.method == Method::HEAD
    }

    /// Returns the header `name`, if it is there as text.
    pub(crate) fn header(&self, name: &HeaderName) -> Option<&str> {
        self.parts.headers.get(name)?.to_str().ok()
    }

    /// Returns every value of the query's `name`.
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.query.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Returns the first value of the query's `name`.
    pub(crate) fn first(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Returns the digest in the query's `name`.
    pub(crate) fn digest(&self, name: &str) -> Result<Option<Digest>, Problem> {
        self.first(name).map(route::digest).transpose()
    }

    /// Whether the client has `digest` already, and says so.
    pub(crate) fn has_already(&self, digest: &Digest) -> bool {
        let Some(tags) = self.header(&header::IF_NONE_MATCH) else { return false };
        let (tag, digest) = (format!("\"{digest}\""), digest.to_string());
        let strong = |one: &str| one.trim().trim_start_matches("W/").to_owned();
        // Bare digests too: what docker's server accepts.
        tags.split(',').map(strong).any(|one| one == "*" || one == tag || one == digest)
    }

    pub(crate) fn source(&self, repository: &RepoName) -> Arc<dyn Source> {
        self.registry.place.source(repository)
    }

    pub(crate) fn destination(
        &self,
        repository: &RepoName,
    ) -> Result<Arc<dyn Destination>, Problem> {
        let is_open = self.registry.options.access == Access::ReadWrite;
        let destination = is_open.then(|| self.registry.place.destination(repository)).flatten();
        destination.ok_or_else(|| Problem::unsupported("this registry is read-only"))
    }
}
