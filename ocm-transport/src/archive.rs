//! A whole mirror in tar files: every byte's place is known before the first one is fetched.
//!
//! ```text
//! Contents ──► ArchiveLayout::of ──► ArchiveWriter ──seal──► mirror_000001.tar … ──► ArchiveReader
//!  what goes in    pure, exact         blobs in any order,      renamed at once        checked whole,
//!                                      straight to their place                         read in place
//! ```
//!
//! # The files
//!
//! A volume is an ordinary tar of regular files (mode 0644, owner 0, time 0), and an archive of one
//! volume is an OCI layout that `skopeo copy oci-archive:mirror_000001.tar:team/app:v1 …` reads:
//!
//! ```text
//! 1  .ocm/volume.json │ oci-layout │ index.json │ blobs/sha256/… records, manifests, blobs │ .ocm/index.json
//! 2  .ocm/volume.json │ blobs/sha256/… │ .ocm/parts/… first part of a large blob           │ .ocm/index.json
//! 3  .ocm/volume.json │ .ocm/parts/… rest of it │ blobs/sha256/…                           │ .ocm/index.json
//! ```
//!
//! 1. No volume is longer than asked for, headers and padding included.
//! 2. A blob that fits into a volume is in one; only a larger one is cut.
//! 3. Equal contents give equal bytes, whatever the order in which they came.
//! 4. What could not be had keeps its place, as zeros, under the name `.ocm/absent/<digest>`.
//!
//! `volume.json` has one size everywhere. It names the set, says which volume of how many this is,
//! and carries the digest of `.ocm/index.json`, which lists every other member with offset, size
//! and digest. So whoever opens an archive can tell that no volume is missing, cut, swapped or
//! altered in its headers before a byte of content is read; contents are verified as they stream.
//!
//! *Records* are files of the engine's own (the plan, the configuration): blobs that the index
//! lists by name.
//!
//! # Example
//!
//! ```
//! use ocm_oci::Digest;
//! use ocm_transport::{
//!     Begun, Memory, SourceExt as _, Transport as _,
//!     archive::{ArchiveLayout, ArchiveReader, ArchiveWriter, Contents},
//!     conformance::push,
//! };
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let name = "team/app".parse()?;
//! let upstream = Memory::default().destination(&name).ok_or("read-only")?;
//! let layer = push(&*upstream, b"a layer").await;
//!
//! // What goes in has a size before it is fetched.
//! let mut contents = Contents::new(Digest::of(b"the plan"));
//! contents.records.insert("plan.json".to_owned(), b"the plan"[..].into());
//! contents.blobs.push((layer.digest.clone(), layer.size));
//! let layout = ArchiveLayout::of(&contents, Some(4 << 30))?;
//!
//! let directory = tempfile::tempdir()?;
//! let writer = ArchiveWriter::create(directory.path(), layout, &contents).await?;
//! let to = writer.destination(&name).ok_or("read-only")?;
//! if let Begun::Open(upload) = to.begin(&layer.digest, Some(layer.size), None).await? {
//!     upload.finish(upstream.stream(&layer).await?).await.map(drop)?;
//! }
//! let sealed = writer.seal().await?;
//! assert!(sealed.absent.is_empty());
//!
//! let reader = ArchiveReader::open(directory.path()).await?;
//! assert_eq!(reader.record("plan.json").await?.ok_or("no plan")?, b"the plan"[..]);
//! assert_eq!(reader.source(&name).blob_bytes(&layer).await?, b"a layer");
//! # Ok(())
//! # }
//! ```

mod contents;
mod destination;
mod error;
mod header;
mod holding;
mod index;
mod pack;
mod plan;
mod publish;
mod reader;
mod scan;
mod seal;
mod source;
mod upload;
mod volume;
mod writer;
mod writing;

pub use contents::Contents;
pub use error::ArchiveError;
pub use plan::{ArchiveLayout, Held, LayoutError, Member, Piece, Volume};
pub use reader::ArchiveReader;
pub use seal::Sealed;
pub use writer::ArchiveWriter;
