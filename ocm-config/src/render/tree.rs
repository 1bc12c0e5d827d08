use ocm_oci::PlatformFilter;

use crate::{
    document::{API_VERSION, Kind},
    image_set::{
        AdditionalImage, Catalog, Chart, Charts, DeleteSet, Helm, ImageSet, Mirror, Package,
        ReleaseChannel, ReleaseKind, Releases, WantedCatalog, WantedImage,
    },
    tree::{Fields, Tree},
    version::VersionBound,
};

pub(super) fn image_set(image_set: &ImageSet) -> Tree {
    let gib = image_set.archive_size.map(|size| Tree::Word(size.gib().to_string()));
    header(Kind::ImageSet).with("archiveSize", gib).with("mirror", mirror(&image_set.mirror)).done()
}

pub(super) fn delete_set(delete_set: &DeleteSet) -> Tree {
    header(Kind::DeleteSet).with("delete", mirror(&delete_set.delete)).done()
}

fn header(kind: Kind) -> Fields {
    Fields::default().with_text("kind", kind.name()).with_text("apiVersion", API_VERSION)
}

fn mirror(mirror: &Mirror) -> Tree {
    let named = |name: &str| Fields::default().with_text("name", name).done();
    let blocked = mirror.blocked_images.iter().map(|image| named(image.pattern.as_str()));
    Fields::default()
        .with_map("platform", releases(&mirror.platform))
        .with_list("operators", mirror.operators.iter().map(catalog).collect())
        .with_list("additionalImages", mirror.additional_images.iter().map(image).collect())
        .with_map("helm", helm(&mirror.helm))
        .with_list("blockedImages", blocked.collect())
        .with_list("samples", mirror.samples.iter().map(|sample| named(&sample.name)).collect())
        .done()
}

fn releases(releases: &Releases) -> Fields {
    Fields::default()
        .with_list("architectures", releases.architectures.iter().map(Tree::text).collect())
        .with_list("platforms", platforms(&releases.platforms))
        .with_some("release", releases.release.as_ref().map(|release| &release.written))
        .with_list("channels", releases.channels.iter().map(release_channel).collect())
        .with_switch("graph", releases.graph)
        .with_switch("kubeVirtContainer", releases.kube_virt_container)
}

fn release_channel(channel: &ReleaseChannel) -> Tree {
    let kind = Some(channel.kind).filter(|kind| *kind != ReleaseKind::Ocp);
    Fields::default()
        .with_text("name", &channel.name)
        .with_some("type", kind.map(ReleaseKind::as_str))
        .with_some("minVersion", channel.min.as_ref())
        .with_some("maxVersion", channel.max.as_ref())
        .with_switch("shortestPath", channel.shortest_path)
        .with_switch("full", channel.full)
        .done()
}

fn platforms(filter: &PlatformFilter) -> Vec<Tree> {
    let PlatformFilter::Only(platforms) = filter else { return Vec::new() };
    let platform = |platform: &ocm_oci::Platform| {
        Fields::default()
            .with_text("os", &platform.os)
            .with_text("architecture", &platform.architecture)
            .done()
    };
    platforms.iter().map(platform).collect()
}

fn catalog(catalog: &Catalog) -> Tree {
    match &catalog.wanted {
        Ok(wanted) => wanted_catalog(&catalog.written, wanted),
        Err(faults) => faults.written().clone(),
    }
}

fn wanted_catalog(written: &str, wanted: &WantedCatalog) -> Tree {
    Fields::default()
        .with_text("catalog", written)
        .with_some("targetCatalog", wanted.target_catalog.as_ref())
        .with_some("targetTag", wanted.target_tag.as_ref())
        .with_some("targetCatalogSourceTemplate", wanted.source_template.as_ref())
        .with_some("catalogSourceName", wanted.source_name.as_ref())
        .with_switch("full", wanted.full)
        .with_switch("skipDependencies", wanted.skip_dependencies)
        .with_list("platforms", platforms(&wanted.platforms))
        .with_list("packages", wanted.packages.iter().map(package).collect())
        .done()
}

pub(crate) fn package(package: &Package) -> Tree {
    let channels = package.channels.iter().map(|channel| {
        let name = Fields::default().with_text("name", &channel.name);
        bounds(name, channel.min.as_ref(), channel.max.as_ref()).done()
    });
    let fields = Fields::default()
        .with_text("name", &package.name)
        .with_some("defaultChannel", package.default_channel.as_ref());
    bounds(fields, package.min.as_ref(), package.max.as_ref())
        .with_list("channels", channels.collect())
        .done()
}

fn bounds(fields: Fields, min: Option<&VersionBound>, max: Option<&VersionBound>) -> Fields {
    fields.with_some("minVersion", min).with_some("maxVersion", max)
}

fn image(image: &AdditionalImage) -> Tree {
    let WantedImage { target_repo, target_tag, platforms: filter, .. } = match &image.wanted {
        Ok(wanted) => wanted,
        Err(faults) => return faults.written().clone(),
    };
    Fields::default()
        .with_text("name", &image.name)
        .with_some("targetRepo", target_repo.as_ref())
        .with_some("targetTag", target_tag.as_ref())
        .with_list("platforms", platforms(filter))
        .done()
}

fn helm(helm: &Helm) -> Fields {
    let repositories = helm.repositories.iter().map(|repository| {
        // A list that is empty means none, and one that is not there means all.
        let charts = match &repository.charts {
            Charts::All => None,
            Charts::Only(charts) => Some(Tree::List(charts.iter().map(chart).collect())),
        };
        Fields::default()
            .with_text("name", &repository.name)
            .with_text("url", &repository.url)
            .with("charts", charts)
            .done()
    });
    Fields::default()
        .with_list("repositories", repositories.collect())
        .with_list("local", helm.local.iter().map(chart).collect())
}

fn chart(chart: &Chart) -> Tree {
    let name = Some(&chart.name).filter(|name| !name.is_empty());
    Fields::default()
        .with_some("name", name)
        .with_some("version", chart.version.as_ref())
        .with_some("path", chart.path.as_ref())
        .with_list("imagePaths", chart.image_paths.iter().map(Tree::text).collect())
        .with_list("platforms", platforms(&chart.platforms))
        .done()
}
