//! Pushes blobs and does nothing else: `push_alone URL BLOBS DIRECTORY CONNECTIONS`.
//!
//! What pushing costs at least. It does not hash, verify, or look at what is there; BLOBS is as
//! `fill` writes it, and the files of DIRECTORY are named by the hex digits of their digests.

use std::{error::Error, fs, io, path::Path};

use bytes::{Bytes, BytesMut};
use futures::{Stream, StreamExt as _, TryStreamExt as _, stream};
use ocm_benches::Plain;
use ocm_oci::{Descriptor, MediaType, RepoName};
use tokio::{fs::File, io::AsyncReadExt as _};

/// Bytes read at once: more is no faster.
const CHUNK: usize = 256 << 10;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [url, blobs, directory, connections] = arguments.as_slice() else {
        return Err("push_alone URL BLOBS DIRECTORY CONNECTIONS".into());
    };
    let (to, connections) = (Plain::new(url)?, connections.parse()?);
    let blobs = fs::read_to_string(blobs)?;
    let blobs = blobs.lines().map(read).collect::<Result<Vec<_>, _>>()?;
    let push = async |(content, repository): (Descriptor, RepoName)| {
        let file = File::open(Path::new(directory).join(content.digest.hex())).await?;
        to.push_blob(&repository, &content, (chunks(file), None)).await?;
        Ok::<_, Box<dyn Error>>(())
    };
    stream::iter(blobs).map(push).buffer_unordered(connections).try_collect().await
}

/// Reads a line about a blob.
fn read(line: &str) -> Result<(Descriptor, RepoName), Box<dyn Error>> {
    let mut words = line.split(' ');
    let mut next = || words.next().ok_or("a line has three words");
    let (digest, size, repository) = (next()?.parse()?, next()?.parse()?, next()?.parse()?);
    Ok((Descriptor { media_type: MediaType::OctetStream, digest, size }, repository))
}

fn chunks(file: File) -> impl Stream<Item = io::Result<Bytes>> {
    stream::try_unfold(file, async |mut file| {
        let mut chunk = BytesMut::with_capacity(CHUNK);
        let len = file.read_buf(&mut chunk).await?;
        Ok((len > 0).then(|| (chunk.freeze(), file)))
    })
}
