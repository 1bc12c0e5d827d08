//! Catalogs with a selection in place of all they had.

use ocm_mirror::{Base, CatalogImageError, Change, rebuild, rebuild_catalog};
use ocm_testkit::{Blob, Catalog, Content, Files, Format, MadeCatalog, Settings, Upstream};
use serde_json::json;

use super::*;

const LABEL: &str = "operators.operatorframework.io.index.configs.v1";

fn made(format: Format, architectures: &[&str]) -> MadeCatalog {
    Catalog::new(1, &"quay.io".parse().unwrap())
        .with_package("etcd", &[("stable", &["0.9.0", "0.9.2"])])
        .with_package("vault", &[("stable", &["1.0.0"])])
        .for_architectures(architectures)
        .in_format(format)
        .made("operators/catalog", "v4.18")
}

fn selection() -> BTreeMap<String, Bytes> {
    let text = "{\"schema\":\"olm.package\",\"name\":\"etcd\"}\n";
    BTreeMap::from([("etcd/catalog.json".to_owned(), Bytes::from(text))])
}

async fn open(content: &Content) -> Result<CatalogImage, CatalogImageError> {
    let published = ocm_testkit::Published::tagged("operators/catalog", "v1", content.clone());
    let source = Upstream::new(vec![published]).source(&repository("operators/catalog"));
    let reference = TagOrDigest::from(content.digest());
    CatalogImage::open(ImageFiles::open(source, &reference, quick()).await.unwrap()).await
}

#[tokio::test]
async fn a_catalog_is_built_anew_for_all_platforms() {
    for (format, layer_type) in [
        (Format::Oci, "application/vnd.oci.image.layer.v1.tar+gzip"),
        (Format::Docker, "application/vnd.docker.image.rootfs.diff.tar.gzip"),
    ] {
        let made = made(format, &["s390x", "amd64"]);
        let catalog = open(&made.image().content).await.unwrap();
        assert_eq!(catalog.directory(), "configs");
        let workshop = Workshop::new().await;
        let built = rebuild_catalog(&catalog, &selection(), &workshop.store).await.unwrap();
        let base = catalog.base();
        let overlay = workshop.place(&built, &base.source);
        let mirror = mirror(&overlay, &built).await;
        let source = mirror.source(&repository("mirrored"));

        let root = built.root().unwrap();
        assert_eq!(root.descriptor().media_type, base.root.descriptor().media_type);
        let before = base.root.children().unwrap().manifests;
        let after = root.children().unwrap().manifests;
        assert_eq!(after.len(), 2);
        for (before, after) in before.iter().zip(&after) {
            assert_eq!(before.platform, after.platform);
            assert_eq!(before.descriptor.media_type, after.descriptor.media_type);
            let old = TagOrDigest::from(&before.descriptor.digest);
            let old = base.source.manifest(&old, 1 << 20).await.unwrap();
            let new = TagOrDigest::from(&after.descriptor.digest);
            let new = source.manifest(&new, 1 << 20).await.unwrap();
            let (old_json, new_json) = (json(&old), json(&new));
            let [was, is] = [&old_json, &new_json].map(|one| one["layers"].as_array().unwrap());
            assert_eq!((&is[..was.len()], is.len()), (&was[..], was.len() + 2));
            assert!(is[was.len()..].iter().all(|layer| layer["mediaType"] == layer_type));
            let was = configuration(&base.source, &old).await;
            let is = configuration(&source, &new).await;
            assert_eq!(is["config"]["Cmd"], json!(["serve", "/configs"]));
            assert_eq!(is["config"]["Env"], was["config"]["Env"]);
            assert_eq!(is["config"]["Labels"], was["config"]["Labels"]);
            assert_eq!(is["architecture"], was["architecture"]);
            assert_eq!(is["rootfs"]["diff_ids"].as_array().unwrap().len(), 5);
            let history = is["history"].as_array().unwrap();
            assert_eq!(history.len(), 5);
            assert_eq!(history[4]["created"], "1970-01-01T00:00:00Z");
        }
        assert_eq!(catalog_files(reopen(&mirror).await).await, selection());
        // Two layers, and a configuration for each platform; nothing else is new.
        assert_eq!((built.new_blobs().count(), built.base_blobs().count()), (4, 3));
        let cache = ocm_mirror::Below::new("tmp");
        let seen = reopen(&mirror).await.read(&cache, Collected::all(1 << 20)).await.unwrap();
        assert_eq!(seen.files, 0, "the stale cache is still there");
    }
}

/// On another day, with another umask, in another directory: by construction. What the digest is
/// made of is pinned here: a compressor that writes other bytes changes it for everybody.
#[tokio::test]
async fn the_digest_depends_on_original_and_selection_alone() {
    let mut digests = Vec::new();
    for _ in 0..2 {
        let catalog = open(&made(Format::Oci, &["amd64", "arm64"]).image().content).await.unwrap();
        let workshop = Workshop::new().await;
        let built = rebuild_catalog(&catalog, &selection(), &workshop.store).await.unwrap();
        digests.push(digest(&built));
    }
    assert_eq!(digests[0], digests[1]);
    assert_eq!(digests[0].hex().get(..16), Some("c271b78adff5084e"));
}

/// So that it is whole where it goes, and no registry misses what it lists.
#[tokio::test]
async fn it_is_built_for_the_platforms_that_are_wanted() {
    let only = |architectures: &[&str]| {
        let platforms = architectures.iter().map(|one| ocm_oci::Platform::new("linux", *one));
        PlatformFilter::Only(platforms.collect())
    };
    let content = made(Format::Oci, &["amd64", "arm64", "s390x"]).image().content.clone();
    let catalog = open(&content).await.unwrap();
    for (platforms, count) in [
        (PlatformFilter::All, 3),
        (only(&["arm64"]), 1),
        (only(&["amd64", "s390x"]), 2),
        (only(&["arm64", "riscv64"]), 3),
    ] {
        let workshop = Workshop::new().await;
        let base = Base { platforms, ..catalog.base() };
        let built = rebuild(&base, &Change::default(), &workshop.store).await.unwrap();
        assert_eq!(built.root().unwrap().children().unwrap().manifests.len(), count);
        assert_eq!(built.manifests().len(), count + 1);
        assert!(built.left_out().is_empty());
    }
}

#[tokio::test]
async fn a_single_image_stays_one_and_can_be_filtered_again() {
    let made = made(Format::Oci, &["amd64"]);
    let catalog = open(&made.image().content).await.unwrap();
    let workshop = Workshop::new().await;
    let built = rebuild_catalog(&catalog, &selection(), &workshop.store).await.unwrap();
    assert_eq!(built.manifests().len(), 1);
    let overlay = workshop.place(&built, &catalog.base().source);
    let first = mirror(&overlay, &built).await;

    // In an enclave, what was filtered is filtered again: nothing of the first two comes back.
    let catalog = CatalogImage::open(reopen(&first).await).await.unwrap();
    let text = Bytes::from("{\"schema\":\"olm.package\",\"name\":\"vault\"}");
    let other = BTreeMap::from([("other/index.json".to_owned(), text)]);
    let again = rebuild_catalog(&catalog, &other, &workshop.store).await.unwrap();
    let overlay = workshop.place(&again, &catalog.base().source);
    let second = mirror(&overlay, &again).await;
    assert_eq!(catalog_files(reopen(&second).await).await, other);
}

#[tokio::test]
async fn files_go_to_configs_wherever_they_were() {
    let settings = Settings::named("odd").with_label(LABEL, "/var/lib//catalog/");
    let files = Files::default()
        .with("var/lib/catalog/old.json", "old")
        .with("configs/of-somebody-else", "x")
        .with("var/lib/kept", "kept");
    let platform = ocm_oci::Platform::new("linux", "amd64");
    let content = Content::configured(Format::Oci, &platform, &settings, vec![Blob::files(&files)]);
    let catalog = open(&content).await.unwrap();
    assert_eq!(catalog.directory(), "var/lib/catalog");
    let workshop = Workshop::new().await;
    let built = rebuild_catalog(&catalog, &selection(), &workshop.store).await.unwrap();
    let overlay = workshop.place(&built, &catalog.base().source);
    let mirrored = mirror(&overlay, &built).await;
    let files = reopen(&mirrored).await;
    assert_eq!(files.configuration().await.unwrap().labels[LABEL], "/configs");
    let all = files.read(&ocm_mirror::Below::new(""), Collected::all(1 << 20)).await.unwrap();
    let all: Vec<_> = all.visitor.into_files().into_keys().collect();
    assert_eq!(all, ["configs/etcd/catalog.json", "var/lib/kept"]);
}

#[tokio::test]
async fn what_is_no_catalog_is_told_by_what_is_wrong() {
    let platform = ocm_oci::Platform::new("linux", "amd64");
    let image = |settings: &Settings, files: &Files| {
        Content::configured(Format::Oci, &platform, settings, vec![Blob::files(files)])
    };
    let (plain, files) = (Settings::named("x"), Files::default().with("configs/a", "{}"));
    let error = open(&image(&plain, &files)).await.unwrap_err();
    assert!(matches!(error, CatalogImageError::NoLabel(_)) && error.to_string().contains(LABEL));
    let database = "operators.operatorframework.io.index.database.v1";
    let database = plain.clone().with_label(database, "/database/index.db");
    let error = open(&image(&database, &files)).await.unwrap_err();
    assert!(matches!(error, CatalogImageError::Database(_)), "{error}");
    let both = database.with_label(LABEL, "/configs");
    assert!(open(&image(&both, &files)).await.is_ok());
    for root in ["/", "", "/.", "/configs/..", "../configs"] {
        let settings = plain.clone().with_label(LABEL, root);
        let error = open(&image(&settings, &files)).await.unwrap_err();
        assert!(matches!(error, CatalogImageError::Directory { .. }), "{root}: {error}");
    }
    let elsewhere = plain.with_label(LABEL, "/elsewhere");
    let catalog = open(&image(&elsewhere, &files)).await.unwrap();
    let error = catalog.read(Limits::default(), Collected::all(1)).await.unwrap_err();
    assert!(matches!(error, CatalogImageError::Empty { .. }), "{error}");
    let statement = Blob::of(ocm_oci::MediaType::OctetStream, "signed");
    let error = open(&Content::artifact("x/y", None, statement)).await.unwrap_err();
    assert!(matches!(error, CatalogImageError::NoLabel(_)), "{error}");
}

#[tokio::test]
async fn files_of_other_names_are_refused() {
    let catalog = open(&made(Format::Oci, &["amd64"]).image().content).await.unwrap();
    let workshop = Workshop::new().await;
    for path in ["../x", "/x", "a//b", ".wh.a/x", "a/.wh..wh..opq", "a/./b", "", "a/"] {
        let files = BTreeMap::from([(path.to_owned(), Bytes::new())]);
        let error = rebuild_catalog(&catalog, &files, &workshop.store).await.unwrap_err();
        assert!(matches!(error, ocm_mirror::RebuildError::Path(_)), "{path}: {error}");
    }
    let clash = [("a", "x"), ("a/b", "y")].map(|(path, text)| (path.to_owned(), text.into()));
    let error = rebuild_catalog(&catalog, &clash.into(), &workshop.store).await.unwrap_err();
    assert!(matches!(error, ocm_mirror::RebuildError::Path(_)), "{error}");
}
