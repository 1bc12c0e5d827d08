//! Copies a blob from one place into two repositories of another, and says what that took.
//!
//! `cargo run -p ocm-transport --example copy_blob`
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::error::Error;

use futures::stream::{self, StreamExt as _};
use ocm_oci::{Descriptor, Digest, MediaType, RepoName};
use ocm_transport::{
    Begun, BlobStream, Body, Destination, Memory, Operation, Source, SourceExt as _, Transport,
    TransportError, Verb,
};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // Any places will do: a `Registry`, a directory, an archive, or one of your own.
    let (from, to) = (Memory::default(), Memory::default());
    let (app, copy): (RepoName, RepoName) = ("team/app".parse()?, "team/copy".parse()?);
    let blob = fill(&from, &app).await?;

    for (repository, elsewhere) in [(&app, None), (&copy, Some(&app)), (&copy, None)] {
        let destination = to.destination(repository).ok_or("the place is read-only")?;
        let outcome = copy_blob(&*from.source(&app), &*destination, &blob, elsewhere).await?;
        println!("{} in {repository}: {outcome}", blob.digest);
    }
    println!("{:?}", to.tally());
    Ok(())
}

/// Brings one blob into `to`: found there, mounted from `elsewhere`, or sent and verified.
async fn copy_blob(
    from: &dyn Source,
    to: &dyn Destination,
    blob: &Descriptor,
    elsewhere: Option<&RepoName>,
) -> Result<&'static str, TransportError> {
    match to.begin(&blob.digest, Some(blob.size), elsewhere).await? {
        Begun::Present => Ok("was there already"),
        Begun::Mounted => Ok("mounted, no byte moved"),
        Begun::Open(upload) => {
            let stored = upload.finish(from.stream(blob).await?).await;
            // An interrupted upload could be continued with what the error holds.
            stored.map(|_stored| "sent").map_err(|interrupted| interrupted.cause)
        }
    }
}

/// Puts a blob into `place` and describes it.
async fn fill(place: &Memory, repository: &RepoName) -> Result<Descriptor, Box<dyn Error>> {
    let content = vec![7_u8; 1 << 20];
    let blob = Descriptor {
        media_type: MediaType::OctetStream,
        digest: Digest::of(&content),
        size: content.len() as u64,
    };
    let operation = Operation {
        place: "this program".to_owned(),
        verb: Verb::Fetch,
        reference: blob.digest.to_string(),
    };
    let bytes = stream::iter([Ok(content.into())]).boxed();
    let stream =
        BlobStream::new(blob.clone(), Body { operation, starts_at: 0, bytes, kept_in: None });
    let destination = place.destination(repository).ok_or("memory can be written")?;
    if let Begun::Open(upload) = destination.begin(&blob.digest, Some(blob.size), None).await? {
        let _stored = upload.finish(stream).await?;
    }
    Ok(blob)
}
