//! The contract of [`Transport`] as callable tests.
//!
//! A backend's own tests call [`all`] with a way to make an empty, writable place. Functions panic
//! on a breach, as tests do. Each check is public, and also listed with its name in one of three
//! groups, for backends that cannot run them all:
//!
//! | group | wants | fits |
//! |---|---|---|
//! | [`writes()`] | an empty place for each check | also places that are planned beforehand: they are told of [`Fixture::everything`] |
//! | [`reads()`] | one place that holds [`Fixture::readable`] | also places that cannot be written |
//! | [`changes()`] | an empty place for each check; tags move, content is removed | the rest |
//!
//! ```
//! # async fn example() {
//! use ocm_transport::{Memory, conformance};
//!
//! conformance::all(|| Box::new(Memory::default())).await;
//! # }
//! ```
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    reason = "these are tests, by design: a breach is a panic"
)]

mod blobs;
mod changes;
mod fixture;
mod manifests;
mod reads;
mod uploads;

use std::{fmt, future::ready, num::NonZeroUsize};

use futures::future::BoxFuture;
use ocm_oci::{Descriptor, RepoName};

pub use blobs::{
    mounts_or_opens_in_one_question, refuses_corruption, round_trip,
    stopping_at_size_never_completes_corruption, takes_sha512, takes_what_has_no_size_yet,
};
pub use changes::{deletes_blobs, deletes_manifests, deletes_tags, moves_tags};
pub use fixture::{CONTENT, Fixture, body, describe};
pub use manifests::{
    keeps_docker_types, keeps_manifests_in_order, keeps_nested_indexes, keeps_unheard_types,
};
pub use reads::{
    lists_repositories, lists_tags_in_pages, reads_manifests, reads_ranges, says_what_is_absent,
    says_what_refers,
};
pub use uploads::{
    commits_what_was_appended, dropped_work_leaves_nothing, never_joins_a_wrong_beginning,
    resumes_an_interrupted_upload, takes_one_blob_many_times_at_once,
};

use crate::{Begun, BlobStream, Destination, Kind, Page, Source, Stored, Transport, Upload};

/// One check.
pub struct Check {
    /// The name of the function that makes it.
    pub name: &'static str,
    run: fn(&dyn Transport) -> BoxFuture<'_, ()>,
}

impl Check {
    /// Makes the check on `place`.
    pub async fn run(&self, place: &dyn Transport) {
        (self.run)(place).await;
    }
}

impl fmt::Debug for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Check").field(&self.name).finish()
    }
}

macro_rules! checks {
    ($($name:ident),* $(,)?) => {
        vec![$(Check { name: stringify!($name), run: |place| Box::pin($name(place)) }),*]
    };
}

/// Makes every check, on places that `fresh` makes.
pub async fn all(fresh: impl Fn() -> Box<dyn Transport>) {
    all_with(move || ready(fresh())).await;
}

/// Makes every check, on places that `fresh` makes in its own time.
pub async fn all_with<F>(fresh: impl Fn() -> F)
where
    F: Future<Output = Box<dyn Transport>>,
{
    for check in writes().into_iter().chain(changes()) {
        check.run(&*fresh().await).await;
    }
    let place = fresh().await;
    Fixture::readable().push(&*place).await;
    for check in reads() {
        check.run(&*place).await;
    }
}

/// Lists the checks that write into an empty place.
pub fn writes() -> Vec<Check> {
    checks![
        round_trip,
        takes_sha512,
        takes_what_has_no_size_yet,
        refuses_corruption,
        stopping_at_size_never_completes_corruption,
        mounts_or_opens_in_one_question,
        commits_what_was_appended,
        resumes_an_interrupted_upload,
        never_joins_a_wrong_beginning,
        dropped_work_leaves_nothing,
        takes_one_blob_many_times_at_once,
        keeps_manifests_in_order,
        keeps_docker_types,
        keeps_unheard_types,
        keeps_nested_indexes,
    ]
}

/// Lists the checks that read a place which holds [`Fixture::readable`], and leave it as it is.
pub fn reads() -> Vec<Check> {
    checks![
        reads_ranges,
        reads_manifests,
        lists_tags_in_pages,
        lists_repositories,
        says_what_refers,
        says_what_is_absent,
    ]
}

/// Lists the checks that move tags or remove content; a place may say that it does not.
pub fn changes() -> Vec<Check> {
    checks![moves_tags, deletes_tags, deletes_manifests, deletes_blobs]
}

/// Stores `content` in `to`, whole.
pub async fn push(to: &dyn Destination, content: &[u8]) -> Descriptor {
    let blob = describe(content);
    push_as(to, &blob, content).await;
    blob
}

async fn push_as(to: &dyn Destination, blob: &Descriptor, content: &[u8]) {
    if let Begun::Open(upload) = to.begin(&blob.digest, Some(blob.size), None).await.unwrap() {
        let stored = upload.finish(BlobStream::new(blob.clone(), body(&[content], None))).await;
        assert_eq!(stored.unwrap(), Stored::New);
    }
}

fn repository(name: &str) -> RepoName {
    name.parse().unwrap()
}

async fn open(to: &dyn Destination, blob: &Descriptor) -> Box<dyn Upload> {
    match to.begin(&blob.digest, Some(blob.size), None).await.unwrap() {
        Begun::Open(upload) => upload,
        begun => panic!("the place was not empty: {begun:?}"),
    }
}

/// Follows the list of tags, asked for in pages of one. A registry does not know a repository
/// that holds nothing.
async fn tags_of(from: &dyn Source) -> Vec<String> {
    let (mut tags, mut next) = (Vec::new(), Some(Page { after: None, limit: NonZeroUsize::MIN }));
    while let Some(page) = next.take() {
        let listing = match from.tags(&page).await {
            Err(error) if error.kind() == Kind::NotFound => break,
            listing => listing.unwrap(),
        };
        tags.extend(listing.items.iter().map(ToString::to_string));
        next = listing.next;
    }
    tags
}
