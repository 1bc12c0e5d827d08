use ocm_oci::Platform;

use crate::{Blob, Content, Format, Published, chance::derive};

/// A layer that images share, or that one has: a seed and its size in KiB.
type Sheet = (u64, u64);

/// Base layers, as distributions have them: one large, some small.
const UBI: [Sheet; 2] = [(1, 18_000), (2, 900)];
const MINIMAL: [Sheet; 1] = [(3, 9_000)];
const JAVA: [Sheet; 1] = [(4, 14_000)];

/// An image: repository, tag, types, base layers, own layers.
type Row = (&'static str, &'static str, Format, &'static [&'static [Sheet]], &'static [Sheet]);

#[rustfmt::skip]
const IMAGES: [Row; 12] = [
    ("ubi9/ubi", "9.4", Format::Oci, &[&UBI], &[]),
    ("ubi9/ubi-minimal", "9.4", Format::Oci, &[&MINIMAL], &[]),
    ("openshift/cli", "v4.16", Format::Docker, &[&UBI], &[(10, 6_200), (11, 12)]),
    ("openshift/console", "v4.16", Format::Docker, &[&UBI], &[(12, 5_400), (13, 310)]),
    ("openshift/oauth-proxy", "v4.16", Format::Docker, &[&UBI], &[(14, 2_100)]),
    ("openshift/router", "v4.16", Format::Docker, &[&UBI], &[(15, 1_700), (16, 40), (17, 2)]),
    ("middleware/openjdk", "21", Format::Oci, &[&MINIMAL, &JAVA], &[(18, 350)]),
    ("apps/payments", "v1.2.0", Format::Oci, &[&MINIMAL, &JAVA], &[(18, 350), (19, 3_100)]),
    ("apps/payments", "v1.3.0", Format::Oci, &[&MINIMAL, &JAVA], &[(18, 350), (20, 3_200)]),
    ("apps/ledger", "v7", Format::Oci, &[&MINIMAL, &JAVA], &[(18, 350), (21, 4_800)]),
    ("monitoring/prometheus", "v2.54", Format::Docker, &[&MINIMAL], &[(22, 8_300), (23, 5)]),
    ("monitoring/grafana", "11.1", Format::Docker, &[&MINIMAL], &[(24, 7_600), (25, 900)]),
];

/// Platforms of the one image that has several: a seed and KiB of a layer for each.
const PLATFORMS: [(&str, Sheet); 3] =
    [("amd64", (30, 3_300)), ("arm64", (31, 3_400)), ("s390x", (32, 3_200))];

/// Makes the images that are named one by one.
pub(crate) fn published() -> Vec<Published> {
    let platform = Platform::new("linux", "amd64");
    let image = |(repository, tag, format, bases, own): Row| {
        let layers = bases.iter().copied().chain([own]).flatten().copied().map(layer).collect();
        let content = Content::image(format, &platform, repository, layers);
        Published::tagged(repository, tag, content)
    };
    let mut published: Vec<_> = IMAGES.into_iter().map(image).collect();
    published.push(multi_arch("library/alpine", "3.20"));
    published
}

fn multi_arch(repository: &str, tag: &str) -> Published {
    let children = PLATFORMS.map(|(architecture, sheet)| {
        let platform = Platform::new("linux", architecture);
        let image = Content::image(Format::Oci, &platform, repository, vec![layer(sheet)]);
        (Some(platform), image)
    });
    Published::tagged(repository, tag, Content::index(Format::Oci, children.into()))
}

fn layer((seed, kib): Sheet) -> Blob {
    // Not a round number, as sizes never are.
    Blob::layer(derive(0x0ce1, seed), kib * 1024 + seed * 37)
}
