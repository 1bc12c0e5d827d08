//! The layout as a pure function: every byte has one place, and no volume is too long.

use std::{
    io::{Cursor, Read as _, repeat},
    mem,
};

use ocm_oci::{Algorithm, Digest, Hasher};
use ocm_transport::archive::{ArchiveLayout, Contents, LayoutError, Member, Piece, Volume};

use crate::archive::{Images, repository, tag};

/// Layers from nothing to larger than a volume, one of them named by SHA-512.
fn contents() -> Contents {
    let mut contents = Images::new("the plan", &[0, 1, 511, 512, 513, 5000, 20_000]).contents;
    contents.blobs.push((Hasher::new(Algorithm::Sha512).finish(), 9000));
    contents
}

fn layout(size: u64) -> Result<ArchiveLayout, LayoutError> {
    ArchiveLayout::of(&contents(), Some(size))
}

/// Returns the least length of volumes for `contents`.
fn least(contents: &Contents) -> u64 {
    match ArchiveLayout::of(contents, Some(0)).unwrap_err() {
        LayoutError::TooSmall { size: 0, least } => least,
        error => panic!("{error}"),
    }
}

/// Lengths of a volume, from the least one.
fn sizes() -> impl Iterator<Item = u64> {
    let least = least(&contents());
    (least..least + 3).chain((least..40_000).step_by(509)).chain([u64::MAX])
}

/// Returns offset and length of each piece of some content, in order of the volumes.
fn pieces(layout: &ArchiveLayout, digest: &Digest) -> Vec<(u64, u64)> {
    let members = layout.volumes().iter().flat_map(Volume::members);
    let piece = |member: &Member| match member.piece() {
        Piece::Whole(held) if held.digest == *digest => Some((0, member.size())),
        Piece::Part { held, at } if held.digest == *digest => Some((*at, member.size())),
        _ => None,
    };
    members.filter_map(piece).collect()
}

#[test]
fn every_byte_has_one_place_and_no_volume_is_too_long() {
    let contents = contents();
    for size in sizes() {
        let layout = layout(size).unwrap();
        assert_eq!(layout.set(), &contents.set);
        assert!(layout.volumes().iter().all(|volume| volume.len() <= size), "{size}");
        let total: u64 = layout.volumes().iter().map(Volume::len).sum();
        assert_eq!(layout.total_len(), total);
        let manifests = contents.manifests.iter().map(|one| (&one.digest, one.size));
        let blobs = contents.blobs.iter().map(|(digest, size)| (digest, *size));
        for (digest, len) in manifests.chain(blobs) {
            let found = pieces(&layout, digest);
            let starts: Vec<_> = found.iter().map(|(at, _)| *at).collect();
            let ends = found.iter().scan(0, |end, (_, len)| Some(mem::replace(end, *end + len)));
            assert_eq!(starts, ends.collect::<Vec<_>>(), "{size}: the pieces have a gap");
            assert_eq!(found.iter().map(|(_, len)| len).sum::<u64>(), len, "{size}");
        }
    }
}

/// Writes a volume with another implementation of tar, and reads where it put things.
#[test]
fn offsets_are_those_of_a_real_tar() {
    for size in sizes() {
        for volume in layout(size).unwrap().volumes() {
            let mut builder = tar::Builder::new(Vec::new());
            for member in volume.members() {
                let mut header = tar::Header::new_ustar();
                header.set_size(member.size());
                header.set_path("long").unwrap();
                let name = member.name();
                if name.len() > 100 {
                    builder.append_pax_extensions([("path", name.as_bytes())]).unwrap();
                } else {
                    header.set_path(&name).unwrap();
                }
                header.set_cksum();
                builder.append(&header, repeat(0).take(member.size())).unwrap();
            }
            let bytes = builder.into_inner().unwrap();
            assert_eq!(bytes.len() as u64, volume.len());
            let mut archive = tar::Archive::new(Cursor::new(bytes));
            let found: Vec<_> = archive
                .entries()
                .unwrap()
                .map(Result::unwrap)
                .map(|entry| {
                    (entry.path().unwrap().display().to_string(), entry.raw_file_position())
                })
                .collect();
            let planned = volume.members().iter().map(|one| (one.name(), one.offset()));
            assert_eq!(found, planned.collect::<Vec<_>>());
        }
    }
}

#[test]
fn names_and_frames_of_a_volume() {
    let names = |volume: &Volume| volume.members().iter().map(Member::name).collect::<Vec<_>>();
    let one = layout(u64::MAX).unwrap();
    assert_eq!(one.volumes(), ArchiveLayout::of(&contents(), None).unwrap().volumes());
    let [volume] = one.volumes() else { panic!("an unlimited volume holds everything") };
    assert_eq!(names(volume)[..3], [".ocm/volume.json", "oci-layout", "index.json"]);
    assert!(names(volume).contains(&format!("blobs/sha256/{}", contents().set.hex())));
    for size in sizes() {
        for volume in layout(size).unwrap().volumes() {
            assert_eq!(names(volume).first().unwrap(), ".ocm/volume.json");
            assert_eq!(names(volume).last().unwrap(), ".ocm/index.json");
        }
    }
}

/// The length that an error names is enough, and one byte less is not.
#[test]
fn what_is_needed_at_least_is_enough() {
    let (mut no_names, mut long_names) = (contents(), contents());
    no_names.names.clear();
    no_names.records.clear();
    let root = long_names.manifests[0].digest.clone();
    for number in 0..1000 {
        let name = (repository(&format!("some/path/{number}")), tag("v1"));
        long_names.names.insert(name, root.clone());
    }
    for contents in [contents(), no_names, long_names, Contents::new(Digest::of(b""))] {
        let least = least(&contents);
        assert!(ArchiveLayout::of(&contents, Some(least)).is_ok());
        let size = least - 1;
        let refused = ArchiveLayout::of(&contents, Some(size)).unwrap_err();
        assert_eq!(refused, LayoutError::TooSmall { size, least });
    }
}

/// A blob that a volume can hold is in one, to the byte; one byte less, and it is cut.
#[test]
fn only_what_fits_no_volume_is_cut() {
    let (small, large) = ((Digest::of(b"small"), 10_000), (Digest::of(b"large"), 40 * 512));
    let mut contents = Contents::new(Digest::of(b""));
    contents.blobs = vec![small, large.clone()];
    let alone = ArchiveLayout::of(&contents, Some(29_000)).unwrap();
    let everything = ArchiveLayout::of(&contents, None).unwrap().total_len();
    let volumes = |size| ArchiveLayout::of(&contents, Some(size)).unwrap().volumes().len();
    assert_eq!((volumes(everything), volumes(everything - 1)), (1, 2));
    let [_, volume] = alone.volumes() else { panic!("both fit into one volume") };
    assert_eq!(pieces(&alone, &large.0), [(0, large.1)]);
    let exact = ArchiveLayout::of(&contents, Some(volume.len())).unwrap();
    assert_eq!(pieces(&exact, &large.0), [(0, large.1)]);
    assert_eq!(exact.cut().count(), 0);
    let short = ArchiveLayout::of(&contents, Some(volume.len() - 1)).unwrap();
    assert!(pieces(&short, &large.0).len() > 1);
    assert_eq!(short.cut().map(|held| &held.digest).collect::<Vec<_>>(), [&large.0]);
}

/// Sizes beyond 8 GiB, whole and in parts, cost a pax header, and nothing overflows.
#[test]
fn holds_what_is_larger_than_a_plain_header_can_say() {
    let (digest, gib) = (Digest::of(b"large"), 1_u64 << 30);
    let mut contents = Contents::new(Digest::of(b""));
    contents.blobs = vec![(digest.clone(), 40 * gib + 1)];
    for size in [None, Some(8 * gib), Some(8 * gib + 4096), Some(9 * gib), Some(13 * gib + 77)] {
        let layout = ArchiveLayout::of(&contents, size).unwrap();
        let found = pieces(&layout, &digest);
        assert_eq!(found.iter().map(|(_, len)| len).sum::<u64>(), 40 * gib + 1);
        let longest = layout.volumes().iter().map(Volume::len).max().unwrap();
        assert!(longest <= size.unwrap_or(u64::MAX));
    }
}

#[test]
fn faults_of_the_contents_are_named() {
    let (one, of) = (Digest::of(b"one"), |contents: &Contents| ArchiveLayout::of(contents, None));
    let mut contents = Contents::new(Digest::of(b""));
    contents.blobs = vec![(one.clone(), 1), (one.clone(), 1)];
    assert_eq!(pieces(&of(&contents).unwrap(), &one), [(0, 1)]);
    contents.blobs.push((one.clone(), 2));
    let expected = LayoutError::TwoSizes { digest: one.clone(), one: 1, other: 2 };
    assert_eq!(of(&contents).unwrap_err(), expected);
    contents.blobs = vec![(one.clone(), u64::MAX)];
    let expected = LayoutError::TooLarge { digest: one.clone(), size: u64::MAX };
    assert_eq!(of(&contents).unwrap_err(), expected);
    contents.blobs = vec![(one.clone(), 1 << 34)];
    let least = least(&contents);
    let too_many = ArchiveLayout::of(&contents, Some(least)).unwrap_err();
    assert_eq!(too_many, LayoutError::TooMany { size: least });
    contents.blobs.clear();
    contents.names.insert((repository("a/b"), tag("v1")), one.clone());
    let expected = LayoutError::Unknown { name: "a/b:v1".to_owned(), digest: one };
    assert_eq!(of(&contents).unwrap_err(), expected);
}
