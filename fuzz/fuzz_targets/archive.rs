//! An archive that somebody altered is refused, or gives what it promises; it never gives other
//! bytes, and never takes memory or time for what it only claims to have.
#![no_main]

use bytes::Bytes;
use futures::{StreamExt as _, executor::block_on};
use libfuzzer_sys::fuzz_target;
use ocm_oci::Digest;
use ocm_transport::{Page, Source as _, Transport as _, archive::ArchiveReader};

const ALL: Page = Page { after: None, limit: std::num::NonZeroUsize::MAX };

fuzz_target!(|volumes: Vec<&[u8]>| {
    let volumes: Vec<Bytes> = volumes.into_iter().map(Bytes::copy_from_slice).collect();
    let Ok(archive) = ArchiveReader::from_bytes(&volumes) else { return };
    block_on(read(&archive));
});
