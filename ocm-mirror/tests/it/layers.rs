//! Files out of images: what is seen, what is hidden, and what is refused.

mod choose;
mod flatten;
mod hostile;
pub(crate) mod sheet;

use std::collections::BTreeMap;

use ocm_mirror::{Below, Collected, ImageFiles, LayersError, Seen};
use ocm_oci::{Digest, TagOrDigest};
use ocm_transport::Kind;

use self::sheet::{Gallery, Pack, Sheet};
use crate::world::quick;

async fn read(
    gallery: &Gallery,
    image: &Digest,
    wanted: &Below,
) -> Result<Seen<Collected>, LayersError> {
    let files =
        ImageFiles::open(gallery.source(), &TagOrDigest::from(image), quick()).await.unwrap();
    files.read(wanted, Collected::all(1 << 20)).await
}

fn texts(seen: Seen<Collected>) -> BTreeMap<String, String> {
    let files = seen.visitor.into_files().into_iter();
    files.map(|(path, bytes)| (path, String::from_utf8(bytes.to_vec()).unwrap())).collect()
}

fn expected(files: &[(&str, &str)]) -> BTreeMap<String, String> {
    files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect()
}

#[tokio::test]
async fn upper_layers_hide_what_is_below() {
    let gallery = Gallery::default();
    let lowest = Sheet::default()
        .directory("configs/")
        .file("configs/kept/a", "lowest")
        .file("configs/replaced", "lowest")
        .file("configs/gone", "lowest")
        .file("configs/folder-gone/x", "lowest")
        .file("configs/emptied/x", "lowest")
        .file("configs/now-a-file/x", "lowest")
        .file("configs/now-a-link/x", "lowest")
        .file("configs/now-a-folder", "lowest")
        .file("elsewhere/x", "lowest");
    let upper = Sheet::default()
        .file("./configs/replaced", "upper")
        .file("/configs/.wh.gone", "")
        .file("configs/.wh.folder-gone", "")
        .file("configs/emptied/y", "upper")
        .file("configs/emptied/.wh..wh..opq", "")
        .file("configs/now-a-file", "upper")
        .link("configs/now-a-link", "kept")
        .file("configs/now-a-folder/x", "upper")
        // A mark is about the layers below, not about its own.
        .file("configs/both", "upper")
        .file("configs/.wh.both", "");
    let image = gallery.image(&[lowest, upper], Pack::Gzip).await;
    let seen = read(&gallery, &image, &Below::new("/configs")).await.unwrap();
    assert_eq!((seen.files, seen.links, seen.layers.len()), (6, 1, 2));
    let files = expected(&[
        ("both", "upper"),
        ("emptied/y", "upper"),
        ("kept/a", "lowest"),
        ("now-a-file", "upper"),
        ("now-a-folder/x", "upper"),
        ("replaced", "upper"),
    ]);
    assert_eq!(texts(seen), files);
}

#[tokio::test]
async fn every_compression_is_read_whatever_it_is_called() {
    for pack in [Pack::Plain, Pack::Gzip, Pack::Members, Pack::Zstd] {
        let gallery = Gallery::default();
        let long = "a-name-that-is-too-long-for-the-header-of-a-tar-".repeat(5);
        let sheet = Sheet::default().file("a/x", "1").named(format!("a/{long}/y").as_bytes(), b"2");
        let image = gallery.image(&[sheet], pack).await;
        for directory in ["a", "/a", "./a/", "a//"] {
            let seen = read(&gallery, &image, &Below::new(directory)).await.unwrap();
            assert_eq!(texts(seen), expected(&[("x", "1"), (&format!("{long}/y"), "2")]));
        }
    }
}

#[tokio::test]
async fn no_layer_is_fetched_that_cannot_matter() {
    let gallery = Gallery::default();
    let base = Sheet::default().file("bin/sh", "base").file("configs/old", "base");
    let gone = Sheet::default().file(".wh.configs", "");
    let new = Sheet::default().file("configs/new", "new");
    let image = gallery.image(&[base.clone(), gone, new.clone()], Pack::Gzip).await;
    let before = gallery.place.tally().read;
    let seen = read(&gallery, &image, &Below::new("configs")).await.unwrap();
    assert_eq!((seen.layers.len(), gallery.place.tally().read - before), (2, 2));
    assert_eq!(texts(seen), expected(&[("new", "new")]));

    // Without such a mark, only who asks for it is content with the uppermost layer.
    let other = Sheet::default().file("tmp/cache", "other");
    let image = gallery.image(&[base, new, other], Pack::Gzip).await;
    let seen = read(&gallery, &image, &Below::new("configs")).await.unwrap();
    assert_eq!(seen.layers.len(), 3);
    assert_eq!(texts(seen), expected(&[("new", "new"), ("old", "base")]));
    let wanted = Below::new("/configs").until_layer_with("new");
    let seen = read(&gallery, &image, &wanted).await.unwrap();
    assert_eq!(seen.layers.len(), 2);
    assert_eq!(texts(seen), expected(&[("new", "new")]));
    let wanted = Below::new("/configs").until_layer_with("never");
    assert_eq!(read(&gallery, &image, &wanted).await.unwrap().layers.len(), 3);
}

#[tokio::test]
async fn a_link_in_place_of_the_directory_is_told() {
    let gallery = Gallery::default();
    let base = Sheet::default().file("configs/a", "hidden").file("data/a", "1");
    let upper = Sheet::default().link("configs", "data");
    let image = gallery.image(&[base, upper], Pack::Gzip).await;
    let seen = read(&gallery, &image, &Below::new("configs")).await.unwrap();
    assert_eq!((seen.files, seen.links, seen.layers.len()), (0, 1, 1));
}

#[tokio::test]
async fn few_files_can_be_kept_of_many() {
    let gallery = Gallery::default();
    let sheet = Sheet::default().file("d/a", "1").file("d/b", "2").file("d/c", &"3".repeat(5000));
    let image = gallery.image(&[sheet], Pack::Gzip).await;
    let reference = TagOrDigest::from(&image);
    let files = ImageFiles::open(gallery.source(), &reference, quick()).await.unwrap();
    let seen = files.read(&Below::new("d"), Collected::only(["a"], 1)).await.unwrap();
    assert_eq!((seen.files, texts(seen)), (3, expected(&[("a", "1")])));
    let error = files.read(&Below::new("d"), Collected::all(4000)).await.unwrap_err();
    assert!(matches!(error, LayersError::Layer { .. }), "{error}");
}

#[tokio::test]
async fn reading_goes_on_where_the_connection_broke() {
    let gallery = Gallery::default();
    let text = "it goes on ".repeat(1000);
    let image = gallery.image(&[Sheet::default().file("d/a", &text)], Pack::Plain).await;
    gallery.place.cut_next_read(3000);
    let seen = read(&gallery, &image, &Below::new("d")).await.unwrap();
    assert_eq!(texts(seen), expected(&[("a", &text)]));
}

#[tokio::test]
async fn what_is_not_there_is_an_error_of_the_place() {
    let gallery = Gallery::default();
    let nothing = TagOrDigest::from(&Digest::of(b"nothing"));
    let error = ImageFiles::open(gallery.source(), &nothing, quick()).await.unwrap_err();
    assert!(matches!(error, LayersError::Transport(e) if e.kind() == Kind::NotFound));
    let image = gallery.image(&[Sheet::default().file("d/a", "1")], Pack::Gzip).await;
    let manifest = gallery.source().manifest(&TagOrDigest::from(&image), 4096).await.unwrap();
    let layer = manifest.children().unwrap().blobs.pop().unwrap().digest;
    gallery.forget(&layer).await;
    let error = read(&gallery, &image, &Below::new("d")).await.unwrap_err();
    assert!(matches!(error, LayersError::Transport(e) if e.kind() == Kind::NotFound));
}

#[test]
fn what_reads_can_move_between_threads() {
    fn is_send<T: Send>(_: &T) {}
    let gallery = Gallery::default();
    let reference = TagOrDigest::from(&Digest::of(b""));
    is_send(&async move {
        let files = ImageFiles::open(gallery.source(), &reference, quick()).await;
        files.unwrap().read(&Below::new("d"), Collected::all(1)).await.map(drop)
    });
}
