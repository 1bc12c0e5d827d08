//! Layers that somebody wrote to do harm, or that were damaged.

use std::error::Error as _;

use ocm_mirror::{Below, LayerFault, LayersError, Limits};
use ocm_transport::Kind;
use tar::EntryType;

use super::{
    read,
    sheet::{Gallery, Pack, Sheet, gzip, header},
    texts,
};

async fn fault(sheet: Sheet) -> LayerFault {
    fault_of(&sheet.packed(Pack::Gzip), "", Limits::default()).await
}

async fn fault_of(layer: &[u8], media_type: &str, limits: Limits) -> LayerFault {
    let gallery = Gallery::default();
    let image = gallery.of(media_type, &[layer.to_vec()]).await;
    match read(&gallery, &image, &Below::new("d").with_limits(limits)).await {
        Err(LayersError::Layer { source, .. }) => source,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn names_that_lead_out_are_refused() {
    for path in ["d/../../etc/passwd", "../d/a", "/..", "d/.."] {
        let fault = fault(Sheet::default().file(path, "x")).await;
        assert!(matches!(&fault, LayerFault::Tainted(named) if named == path), "{fault}");
    }
}

#[tokio::test]
async fn a_file_twice_is_refused_where_it_is_wanted() {
    let twice = Sheet::default().file("d/a", "1").file("./d/a", "2");
    assert!(matches!(fault(twice).await, LayerFault::Twice(path) if path == "a"));
    let gallery = Gallery::default();
    let elsewhere = Sheet::default().file("e/a", "1").file("e/a", "2").file("d/b", "3");
    let image = gallery.image(&[elsewhere], Pack::Gzip).await;
    assert_eq!(read(&gallery, &image, &Below::new("d")).await.unwrap().files, 1);
}

#[tokio::test]
async fn names_that_are_no_text_are_refused_where_they_are_wanted() {
    let name = b"d/\xff\xfe";
    let fault = fault(Sheet::default().named(name, b"x")).await;
    assert!(matches!(fault, LayerFault::Name(_)), "{fault}");
    let gallery = Gallery::default();
    let elsewhere = Sheet::default().named(b"e/\xff\xfe", b"x").file("d/b", "3");
    let image = gallery.image(&[elsewhere], Pack::Gzip).await;
    assert_eq!(read(&gallery, &image, &Below::new("d")).await.unwrap().files, 1);
}

#[tokio::test]
async fn what_unpacks_without_end_is_given_up() {
    let zeros = vec![0; 1 << 20];
    let bomb = Sheet::default().named(b"e/zeros", &zeros).packed(Pack::Gzip);
    assert!(bomb.len() < 100_000, "it is no bomb");
    let limits = Limits { unpacked: 100_000, ..Limits::default() };
    let LayerFault::Io(error) = fault_of(&bomb, "", limits).await else { panic!() };
    assert!(error.to_string().contains("unpacks to more"), "{error}");

    let many = (0..200).fold(Sheet::default(), |sheet, _| sheet.directory("e/"));
    let limits = Limits { entries: 150, ..Limits::default() };
    let fault = fault_of(&many.packed(Pack::Zstd), "", limits).await;
    assert!(matches!(fault, LayerFault::TooMany { limit: 150 }), "{fault}");

    let large = Sheet::default().named(b"d/a", &zeros).packed(Pack::Gzip);
    let limits = Limits { file: (1 << 20) - 1, ..Limits::default() };
    let fault = fault_of(&large, "", limits).await;
    assert!(matches!(fault, LayerFault::TooLarge { what: "a file", .. }), "{fault}");
}

#[tokio::test]
async fn limits_are_for_all_layers_together() {
    let gallery = Gallery::default();
    let sheet =
        |name: &str| Sheet::default().named(format!("e/{name}").as_bytes(), &vec![0; 60_000]);
    let image = gallery.image(&[sheet("a"), sheet("b"), sheet("c")], Pack::Gzip).await;
    for (unpacked, is_enough) in [(190_000, true), (150_000, false)] {
        let limits = Limits { unpacked, ..Limits::default() };
        let read = read(&gallery, &image, &Below::new("d").with_limits(limits)).await;
        assert_eq!(read.is_ok(), is_enough, "{unpacked}");
    }
}

#[tokio::test]
async fn names_and_attributes_are_bounded() {
    for kind in [EntryType::GNULongName, EntryType::XHeader] {
        let sheet = Sheet::default().raw(header(kind, b"x", 1 << 40).as_bytes());
        assert!(matches!(fault(sheet).await, LayerFault::TooLarge { .. }));
    }
    let long = "x".repeat(5000);
    let record = format!("5011 path={long}\n");
    let sheet = Sheet::default().entry(EntryType::XHeader, b"x", record.as_bytes());
    assert!(matches!(fault(sheet).await, LayerFault::TooLarge { what: "a name", .. }));
}

#[tokio::test]
async fn attributes_say_name_and_size() {
    let gallery = Gallery::default();
    let records = b"12 path=d/z\n9 size=3\n";
    let mut wrong = header(EntryType::Regular, b"short", 9);
    wrong.set_cksum();
    let sheet = Sheet::default()
        .entry(EntryType::XHeader, b"x", records)
        .raw(wrong.as_bytes())
        .raw(b"abc")
        .raw(&[0; 509])
        .file("d/next", "1");
    let image = gallery.image(&[sheet], Pack::Plain).await;
    let seen = texts(read(&gallery, &image, &Below::new("d")).await.unwrap());
    assert_eq!(seen["z"], "abc");
    assert_eq!(seen["next"], "1");
    for broken in [&b"12 path=d/z"[..], b"99 path=d/z\n", b"path=d/z\n", b"9 size=x\n", b"5 abc\n"]
    {
        let sheet = Sheet::default().entry(EntryType::XHeader, b"x", broken).file("d/a", "1");
        assert!(matches!(fault(sheet).await, LayerFault::Header), "{broken:?}");
    }
}

#[tokio::test]
async fn what_is_no_tar_is_refused() {
    let sheet = Sheet::default().file("d/a", "1");
    let mut damaged = sheet.packed(Pack::Plain);
    damaged[3] ^= 1;
    assert!(matches!(fault_of(&damaged, "", Limits::default()).await, LayerFault::Header));
    let page = b"<!DOCTYPE html>".repeat(100);
    assert!(matches!(fault_of(&page, "", Limits::default()).await, LayerFault::Header));
    // What follows one empty record, readers disagree about.
    let hidden = Sheet::default().raw(&[0; 512]).file("d/a", "1");
    assert!(matches!(fault(hidden).await, LayerFault::Header));
    let mut cut = sheet.packed(Pack::Plain);
    cut.truncate(512);
    assert!(matches!(fault_of(&cut, "", Limits::default()).await, LayerFault::Io(_)));
    let mut cut = gzip(&sheet.packed(Pack::Plain));
    cut.truncate(cut.len() / 2);
    assert!(matches!(fault_of(&cut, "", Limits::default()).await, LayerFault::Io(_)));
    let encrypted = "application/vnd.oci.image.layer.v1.tar+gzip+encrypted";
    let fault = fault_of(&page, encrypted, Limits::default()).await;
    assert!(matches!(fault, LayerFault::Encrypted), "{fault}");
}

#[tokio::test]
async fn a_sparse_file_is_refused_where_it_is_wanted_and_passed_over_elsewhere() {
    let mut sparse = header(EntryType::GNUSparse, b"d/a", 3);
    sparse.as_gnu_mut().unwrap().isextended = [1];
    sparse.set_cksum();
    let mut map = [0; 1024];
    map[504] = 1;
    let sheet = |path: &[u8]| {
        let mut header = sparse.clone();
        header.as_old_mut().name[..path.len()].copy_from_slice(path);
        header.set_cksum();
        let sheet = Sheet::default().raw(header.as_bytes()).raw(&map).raw(b"abc").raw(&[0; 509]);
        sheet.file("d/b", "1")
    };
    assert!(matches!(fault(sheet(b"d/a")).await, LayerFault::Sparse(path) if path == "a"));
    let gallery = Gallery::default();
    let image = gallery.image(&[sheet(b"e/a")], Pack::Plain).await;
    assert_eq!(texts(read(&gallery, &image, &Below::new("d")).await.unwrap())["b"], "1");
}

/// Headers altered at random, with sums put right again, are read as something or refused.
#[tokio::test]
async fn altered_layers_are_read_or_refused() {
    let right = Sheet::default()
        .directory("d/")
        .file("d/a", "one")
        .named(format!("d/{}", "long/".repeat(30)).as_bytes(), b"two")
        .entry(EntryType::XHeader, b"x", b"12 path=d/z\n9 size=3\n")
        .file("d/b", "abc")
        .file("d/.wh.gone", "")
        .link("d/l", "a")
        .packed(Pack::Plain);
    let mut state = 1_u64;
    let mut random = |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        usize::try_from(state >> 33).unwrap() % below
    };
    let limits = Limits { entries: 500, file: 5000, unpacked: 50_000 };
    let (mut accepted, mut refused) = (0, 0);
    for _ in 0..2000 {
        let mut layer = right.clone();
        for _ in 0..=random(3) {
            let at = random(layer.len());
            layer[at] = [0, b'/', b'.', b'0', b'7', 0xff, b'L', b'x'][random(8)];
        }
        for record in layer.chunks_exact_mut(512).filter(|one| one[257..262] == *b"ustar") {
            record[148..156].fill(b' ');
            let sum: u32 = record.iter().map(|byte| u32::from(*byte)).sum();
            record[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        }
        let gallery = Gallery::default();
        let image = gallery.of("", &[layer]).await;
        match read(&gallery, &image, &Below::new("d").with_limits(limits)).await {
            Ok(seen) => {
                let files = seen.visitor.into_files();
                assert!(files.keys().all(|path| !path.split('/').any(|part| part == "..")));
                accepted += 1;
            }
            Err(LayersError::Layer { .. }) => refused += 1,
            Err(other) => panic!("{other}"),
        }
    }
    assert!(accepted > 300 && refused > 300, "{accepted} accepted, {refused} refused");
}

/// Bytes that are not those promised explain whatever came of them.
#[tokio::test]
async fn a_place_that_lies_is_told_as_such() {
    let gallery = Gallery::default();
    let right = Sheet::default().file("d/a", "right").packed(Pack::Gzip);
    let mut wrong = right.clone();
    let middle = wrong.len() / 2;
    wrong[middle] ^= 0x55;
    let image = gallery.of("", std::slice::from_ref(&right)).await;
    let liar = super::sheet::liar(gallery.source(), &right, wrong);
    let reference = ocm_oci::TagOrDigest::from(&image);
    let files = ocm_mirror::ImageFiles::open(liar, &reference, crate::world::quick()).await;
    let wanted = Below::new("d");
    let read = files.unwrap().read(&wanted, ocm_mirror::Collected::all(1 << 20)).await;
    let error = read.unwrap_err();
    assert!(error.source().is_some(), "the cause is told");
    assert!(matches!(error, LayersError::Transport(e) if e.kind() == Kind::Corrupt));
}

#[tokio::test]
async fn a_directory_that_leads_out_is_refused() {
    let gallery = Gallery::default();
    let image = gallery.image(&[Sheet::default()], Pack::Gzip).await;
    let error = read(&gallery, &image, &Below::new("../etc")).await.unwrap_err();
    assert!(matches!(error, LayersError::Directory { .. }), "{error}");
}
