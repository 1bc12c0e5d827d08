//! Listings, which registries cut into pages.

use std::str::FromStr;

use http::{HeaderMap, Method, header::LINK};
use ocm_oci::{RepoName, Tag};
use serde::Deserialize;
use url::Url;

use super::{
    answer::Answer,
    call::{Call, Target},
    endpoint::Endpoint,
    failure::Failure,
    repository::Repository,
    scope::Scope,
    url::{Location, is_same_place, locate, query},
};
use crate::{Listing, Page};

/// Most bytes of one page: 100,000 tags have 4 MiB.
pub(crate) const PAGE_LIMIT: usize = 16 << 20;
/// Most pages that are put together where a registry's links cannot be told to somebody else.
const PAGES_LIMIT: usize = 1000;

#[derive(Deserialize)]
struct Names {
    /// `null`, where there are none.
    #[serde(alias = "repositories")]
    tags: Option<Vec<String>>,
}

/// Lists tags.
pub(crate) async fn tags(repository: &Repository, page: &Page) -> Result<Listing<Tag>, Failure> {
    let path = repository.path("tags/list");
    let listing = list(&repository.endpoint, &path, &repository.scope, page).await?;
    Ok(parsed(listing))
}

/// Lists repositories.
pub(crate) async fn repositories(
    endpoint: &Endpoint,
    page: &Page,
) -> Result<Listing<RepoName>, Failure> {
    let listing = list(endpoint, "v2/_catalog", &Scope::catalog(), page).await?;
    Ok(parsed(listing))
}

/// Makes a page of what came without a link.
pub(crate) fn listing<T: FromStr>(names: Vec<String>, page: &Page) -> Listing<T> {
    parsed(cut(names, None, page))
}

/// Leaves out what is no name, since nothing could be asked for by it.
fn parsed<T: FromStr>(listing: Listing<String>) -> Listing<T> {
    let items = listing.items.iter().filter_map(|name| name.parse().ok()).collect();
    Listing { items, next: listing.next }
}

/// Asks for a page, and for more of them while the registry's link says where to go on in a way
/// that no [`Page`] can: then there is one page, of everything.
async fn list(
    endpoint: &Endpoint,
    path: &str,
    scope: &Scope,
    page: &Page,
) -> Result<Listing<String>, Failure> {
    let limit = page.limit.to_string();
    let after = page.after.as_deref().map(|after| ("last", after));
    let query = query([("n", limit.as_str())].into_iter().chain(after));
    let mut call = Call::new(Method::GET, format!("{path}{query}"), scope.clone());
    let (mut names, mut next) = (Vec::new(), None);
    for _ in 0..PAGES_LIMIT {
        let (answer, link) = follow(endpoint, &call).await?;
        let read: Result<Names, _> = serde_json::from_slice(&answer.body);
        let read = read.map_err(|_content| Failure::odd(&answer.request, "is no listing"))?;
        names.extend(read.tags.unwrap_or_default());
        next = link;
        match &next {
            Some(link) if last_of(&link.url).is_none() => call.target = Target::At(link.clone()),
            _ => break,
        }
    }
    let more = next.map(|link| last_of(&link.url));
    if more == Some(None) {
        let request = super::failure::RequestLine::new(&Method::GET, &endpoint.reach().await?.base);
        return Err(Failure::odd(&request, format!("has more than {PAGES_LIMIT} pages")));
    }
    Ok(cut(names, more.flatten(), page))
}

/// Sends `call`; returns the answer and where the next page is.
pub(crate) async fn follow(
    endpoint: &Endpoint,
    call: &Call,
) -> Result<(Answer, Option<Location>), Failure> {
    let answer = endpoint.ask(call, PAGE_LIMIT).await?.checked()?;
    let next = next_page(endpoint, &answer).await?;
    Ok((answer, next))
}

/// Returns where the page after `answer` is.
pub(crate) async fn next_page(
    endpoint: &Endpoint,
    answer: &Answer,
) -> Result<Option<Location>, Failure> {
    let Some(link) = next_link(&answer.headers) else { return Ok(None) };
    let base = endpoint.reach().await?.base;
    match locate(&answer.url, &base, &link) {
        Ok(location) if location.is_home && is_same_place(&answer.url, &base) => Ok(Some(location)),
        // It would be shown what was asked, and could answer anything.
        Ok(_) | Err(_) => Err(Failure::odd(&answer.request, "continues elsewhere")),
    }
}

/// Makes a page of what came: some registries ignore where they were asked to begin, and some how
/// much they were asked for.
fn cut(mut names: Vec<String>, link_last: Option<String>, page: &Page) -> Listing<String> {
    if let Some(after) = &page.after
        && let Some(at) = names.iter().position(|name| name == after)
    {
        names.drain(..=at);
    }
    let limit = page.limit.get();
    // A full page without a link is usually the last; but there are registries without links.
    let is_full = names.len() >= limit;
    let is_cut = names.len() > limit;
    names.truncate(limit);
    let last = names.last().cloned();
    let after = if is_cut || link_last.is_none() { last.filter(|_| is_full) } else { link_last };
    // One that does not advance would never end.
    let next = after.filter(|after| page.after.as_ref() != Some(after));
    let next = next.map(|after| Page { after: Some(after), limit: page.limit });
    Listing { items: names, next }
}

/// Returns the name after which a link goes on, where it does so by name alone.
fn last_of(url: &Url) -> Option<String> {
    let known = |name: &str| matches!(name, "n" | "last");
    if url.query_pairs().any(|(name, _)| !known(&name)) {
        return None;
    }
    url.query_pairs().find(|(name, _)| name == "last").map(|(_, last)| last.into_owned())
}

/// Finds `</v2/a/tags/list?n=2&last=b>; rel="next"`.
///
/// Source: <https://www.rfc-editor.org/rfc/rfc8288#section-3>.
fn next_link(headers: &HeaderMap) -> Option<String> {
    headers.get_all(LINK).iter().filter_map(|value| value.to_str().ok()).find_map(next_of)
}

fn next_of(mut text: &str) -> Option<String> {
    while let Some((_, rest)) = text.split_once('<') {
        let (target, rest) = rest.split_once('>')?;
        // A parameter's value can be quoted and then hold anything, commas too.
        let mut is_quoted = false;
        let end = rest.find(|c: char| {
            is_quoted ^= c == '"';
            c == ',' && !is_quoted
        });
        let (parameters, following) = rest.split_at_checked(end.unwrap_or(rest.len()))?;
        if parameters.split(';').any(is_next) {
            return Some(target.to_owned());
        }
        text = following;
    }
    None
}

fn is_next(parameter: &str) -> bool {
    let Some((name, value)) = parameter.split_once('=') else { return false };
    let mut relations = value.trim().trim_matches('"').split_ascii_whitespace();
    name.trim().eq_ignore_ascii_case("rel") && relations.any(|it| it.eq_ignore_ascii_case("next"))
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroUsize;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn finds_the_next_page() {
        let table = [
            ("</v2/a/tags/list?n=2&last=b>; rel=\"next\"", Some("/v2/a/tags/list?n=2&last=b")),
            ("<x>;rel=next", Some("x")),
            ("<x>; REL=\"prev NEXT\"", Some("x")),
            ("<a>; rel=prev, <b>; title=\"1, <2>\"; rel=\"next\"", Some("b")),
            ("<a>; rel=prev", None),
            ("<a", None),
            ("a; rel=next", None),
            ("", None),
        ];
        for (text, expected) in table {
            assert_eq!(next_of(text).as_deref(), expected, "{text}");
        }
    }

    fn page(after: Option<&str>, limit: usize) -> Page {
        Page { after: after.map(str::to_owned), limit: NonZeroUsize::new(limit).unwrap() }
    }

    /// What came, where the link goes on, what was asked for; what is returned.
    #[test]
    fn pages_are_cut_whatever_a_registry_sends() {
        type Case = (&'static str, Option<&'static str>, (Option<&'static str>, usize));
        let table: [(Case, (&str, Option<&str>)); 8] = [
            (("a b", Some("b"), (None, 2)), ("a b", Some("b"))),
            (("c", None, (Some("b"), 2)), ("c", None)),
            // Full, and no link: asks once more.
            (("a b", None, (None, 2)), ("a b", Some("b"))),
            (("", None, (Some("b"), 2)), ("", None)),
            // Ignores how many.
            (("a b c", None, (None, 2)), ("a b", Some("b"))),
            // Ignores where to begin.
            (("a b c", None, (Some("b"), 2)), ("c", None)),
            // Has an order of its own.
            (("B c", None, (Some("a"), 3)), ("B c", None)),
            // Does not advance.
            (("", Some("b"), (Some("b"), 2)), ("", None)),
        ];
        for ((names, link, (after, limit)), (items, next)) in table {
            let sent = names.split_whitespace().map(str::to_owned).collect();
            let listing = cut(sent, link.map(str::to_owned), &page(after, limit));
            assert_eq!(listing.items.join(" "), items, "{names} {link:?} {after:?}");
            assert_eq!(listing.next, next.map(|next| page(Some(next), limit)), "{names}");
        }
    }

    proptest! {
        #[test]
        fn any_address_is_read_back(target in "[ -;=?-~]{1,40}", title in "[ -!#-~]{0,20}") {
            let text = format!("<first>; rel=\"first\", <{target}>; title=\"{title}\"; rel=\"next\"");
            prop_assume!(!title.contains(';'));
            prop_assert_eq!(next_of(&text), Some(target));
        }

        #[test]
        fn no_header_panics(text in "\\PC{0,60}") {
            prop_assert!(next_of(&text).is_none_or(|target| text.contains(&target)));
        }
    }
}
