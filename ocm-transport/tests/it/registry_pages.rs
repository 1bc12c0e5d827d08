//! Listings, page by page, as registries of several kinds cut them.

use std::num::NonZeroUsize;

use ocm_oci::RepoName;
use ocm_transport::{Kind, Page, Source, Transport as _, TransportError};

use crate::{
    fake::{Fake, Seen, envelope, reply, with},
    support::{chain, open, plain},
};

fn page(limit: usize) -> Page {
    Page { after: None, limit: NonZeroUsize::new(limit).unwrap() }
}

/// Reads a parameter of the query.
fn query(seen: &Seen, name: &str) -> Option<String> {
    let (_, query) = seen.line.split_once('?')?;
    let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    pairs.find(|(it, _)| *it == name).map(|(_, value)| value.to_owned())
}

async fn all(from: &dyn Source, limit: usize) -> Result<Vec<String>, TransportError> {
    let (mut names, mut next) = (Vec::new(), Some(page(limit)));
    while let Some(page) = next.take() {
        let listing = from.tags(&page).await?;
        assert!(listing.items.len() <= limit);
        names.extend(listing.items.iter().map(ToString::to_string));
        next = listing.next;
        assert!(names.len() < 100, "it never ends");
    }
    Ok(names)
}

fn source(fake: &Fake) -> std::sync::Arc<dyn Source> {
    let name: RepoName = "a/b".parse().unwrap();
    open(&fake.host(), plain()).source(&name)
}

const TAGS: [&str; 5] = ["B", "a", "c", "d", "e"];

fn tags<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let quoted: Vec<_> = names.into_iter().map(|name| format!("{name:?}")).collect();
    format!(r#"{{"name":"a/b","tags":[{}]}}"#, quoted.join(","))
}

/// Which habits a registry has.
#[derive(Debug, Clone, Copy)]
struct Habits {
    counts: bool,
    begins: bool,
    links: Links,
}

/// How a registry says where to go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Links {
    Never,
    ByName,
    ByToken,
}

fn registry(habits: Habits) -> impl Fn(&Seen) -> axum::response::Response + Clone {
    move |seen: &Seen| {
        let token = query(seen, "token").map(|token| token.parse().unwrap());
        let after = query(seen, "last").filter(|_| habits.begins);
        let start = after.map(|after| TAGS.iter().position(|tag| *tag == after).unwrap() + 1);
        let start: usize = token.or(start).unwrap_or(0);
        let count = query(seen, "n").filter(|_| habits.counts).map(|n| n.parse().unwrap());
        let end = (start + count.unwrap_or(TAGS.len())).min(TAGS.len());
        let body = tags(TAGS[start..end].iter().copied());
        let n = query(seen, "n").unwrap_or_default();
        let link = if habits.links == Links::ByToken {
            format!("</v2/a/b/tags/list?n={n}&token={end}>; rel=\"next\"")
        } else {
            format!("</v2/a/b/tags/list?n={n}&last={}>; rel=\"next\"", TAGS[end - 1])
        };
        if habits.links != Links::Never && end < TAGS.len() {
            with(200, &[("link", &link)], body)
        } else {
            reply(200, body)
        }
    }
}

#[tokio::test]
async fn every_tag_comes_once_whatever_the_registry_does() {
    let every = [false, true];
    for (counts, begins) in every.into_iter().flat_map(|c| every.map(|b| (c, b))) {
        for links in [Links::Never, Links::ByName, Links::ByToken] {
            let habits = Habits { counts, begins, links };
            // One that cuts has to begin where it is told, or to say how to go on.
            if counts && !begins && links != Links::ByToken {
                continue;
            }
            let fake = Fake::serve(registry(habits)).await;
            for limit in 1..=6 {
                let names = all(&*source(&fake), limit).await.unwrap();
                assert_eq!(names, TAGS, "{habits:?} by {limit}");
            }
        }
    }
}

#[tokio::test]
async fn a_page_is_one_request() {
    let fake =
        Fake::serve(registry(Habits { counts: true, begins: true, links: Links::ByName })).await;
    let first = source(&fake).tags(&page(2)).await.unwrap();
    assert_eq!(first.items.len(), 2);
    source(&fake).tags(&first.next.unwrap()).await.unwrap();
    assert_eq!(fake.log(), ["GET /v2/a/b/tags/list?n=2", "GET /v2/a/b/tags/list?n=2&last=a"]);
}

#[tokio::test]
async fn no_link_leads_elsewhere_or_in_circles() {
    let elsewhere = Fake::serve(|_: &Seen| reply(200, tags(["x"]))).await;
    let link = format!("<http://{}/v2/a/b/tags/list?n=1&last=a>; rel=next", elsewhere.address);
    let fake = Fake::serve(move |_: &Seen| with(200, &[("link", &link)], tags(["a"]))).await;
    let error = source(&fake).tags(&page(1)).await.unwrap_err();
    assert!(chain(&error).contains("continues elsewhere"), "{}", chain(&error));
    assert!(elsewhere.seen().is_empty());
    let link = "</v2/a/b/tags/list?n=1&last=a>; rel=next";
    let fake = Fake::serve(move |_: &Seen| with(200, &[("link", link)], tags(["a"]))).await;
    assert_eq!(all(&*source(&fake), 1).await.unwrap(), ["a"]);
    let link = "</v2/a/b/tags/list?token=again>; rel=next";
    let fake = Fake::serve(move |_: &Seen| with(200, &[("link", link)], tags(["a"]))).await;
    let error = source(&fake).tags(&page(1)).await.unwrap_err();
    assert!(chain(&error).contains("more than 1000 pages"), "{}", chain(&error));
}

#[tokio::test]
async fn listings_that_are_none_are_refused() {
    let table = [
        (200, r#"{"name":"a/b","tags":null}"#.to_owned(), None),
        (200, "<html>".to_owned(), Some(Kind::Refused)),
        (404, envelope("NAME_UNKNOWN", "no"), Some(Kind::NotFound)),
    ];
    for (status, body, expected) in table {
        let fake = Fake::serve(move |_: &Seen| reply(status, body.clone())).await;
        let listed = all(&*source(&fake), 10).await;
        assert_eq!(listed.err().map(|error| error.kind()), expected, "{status}");
    }
    // What nobody could ask for is left out.
    let fake = Fake::serve(|_: &Seen| reply(200, tags(["ok", "not ok", "-x"]))).await;
    assert_eq!(all(&*source(&fake), 10).await.unwrap(), ["ok"]);
}

#[tokio::test]
async fn repositories_are_listed() {
    let fake = Fake::serve(|_: &Seen| reply(200, r#"{"repositories":["a/b","c"]}"#)).await;
    let listing = open(&fake.host(), plain()).repositories(&page(10)).await.unwrap();
    let names: Vec<_> = listing.items.iter().map(ToString::to_string).collect();
    assert_eq!((names.as_slice(), listing.next), (&["a/b".to_owned(), "c".to_owned()][..], None));
    assert_eq!(fake.log(), ["GET /v2/_catalog?n=10"]);
}
