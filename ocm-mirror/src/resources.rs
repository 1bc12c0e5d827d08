use std::collections::BTreeSet;

use ocm_oci::{Digest, Host, ImageRef, RepoName, Tag, TagOrDigest};
use ocm_resources::{
    AtMirror, Document, ImageKind, MirrorSets, Mirrored, NamedCatalog, ReleaseSignatures, Scope,
    Stamp, UpdateService,
};

use crate::{Decided, Destination, Kind, Name, Place, Plan, Report};

/// Returns what the cluster has to be told of the images that `report` says are at the
/// destination of `plan`: those brought there by the run, and those that were there before.
///
/// Images that were directories have no name that a cluster could ask for, and are left out; so
/// is everything, where the destination is no registry. Images that a cluster does not find by
/// the names they were mirrored by are in [`MirrorSets::notices`].
pub fn mirror_sets(plan: &Plan, report: &Report, scope: Scope) -> MirrorSets {
    let Place::Registry(host) = plan.destination() else { return MirrorSets::default() };
    let mirrored = |name: &Name, (repository, root): (&RepoName, &Digest), kind: Kind| {
        Some(Mirrored {
            kind: image_kind(kind),
            origin: name.origin.parse::<ImageRef>().ok()?,
            host: host.clone(),
            repository: repository.clone(),
            tag: name.tag.clone(),
            digest: root.clone(),
        })
    };
    let there = report.present.iter().filter_map(|present| {
        mirrored(&present.name, (&present.repository, &present.root), present.kind)
    });
    let brought = report.done.iter().filter_map(|id| plan.image(*id)).flat_map(|image| {
        let place = (&image.repository, &image.root);
        image.names.iter().filter_map(move |name| mirrored(name, place, image.kind))
    });
    let images: Vec<_> = there.chain(brought).collect();
    MirrorSets::of(&images, scope)
}

/// Returns what resources call it.
fn image_kind(kind: Kind) -> ImageKind {
    match kind {
        Kind::Release => ImageKind::ReleaseImage,
        Kind::ReleaseContent => ImageKind::ReleaseContent,
        Kind::UpdateGraph => ImageKind::Graph,
        Kind::Catalog => ImageKind::Catalog,
        Kind::Bundle | Kind::RelatedImage | Kind::Selection => ImageKind::Operator,
        Kind::Additional | Kind::Helm | Kind::Attachment(_) => ImageKind::Generic,
    }
}

/// Returns everything else that a cluster has to be told of what `report` says is at the
/// destination of `plan`: the signatures of releases, the update service, and the objects of
/// catalogs, which were named before; those of earlier runs among them, that stand there still.
pub fn documents(
    plan: &Plan,
    report: &Report,
    (decided, catalogs): (&Decided, &[NamedCatalog]),
    stamp: &Stamp,
) -> Vec<Document> {
    let Place::Registry(host) = plan.destination() else { return Vec::new() };
    let there = There::of(plan, report);
    let mut documents = Vec::new();
    let is_there = |catalog: &&NamedCatalog| {
        let place = &catalog.catalog().place;
        let TagOrDigest::Tag(tag) = &place.selector else { return false };
        let at = Destination { repository: place.repository.clone(), tag: tag.clone() };
        there.has(&at.repository, &at.tag) || decided.standing.contains(&at)
    };
    for catalog in catalogs.iter().filter(is_there) {
        documents.extend(catalog.documents(stamp));
    }
    let releases = decided.releases.iter().filter(|release| {
        let Destination { repository, tag } = &release.destination;
        there.has(repository, tag)
    });
    let releases: Vec<_> = releases.collect();
    let mut signatures = ReleaseSignatures::default();
    for release in &releases {
        for signature in &release.signatures {
            signatures.add(release.digest.clone(), signature.to_vec());
        }
    }
    documents.extend(signatures.documents(stamp));
    let graph = decided.update_graph.as_ref().filter(|at| there.has(&at.repository, &at.tag));
    if let (Some(graph), Some(release)) = (graph, releases.first()) {
        let release_image = at_mirror(host, &release.destination);
        let service = UpdateService { release_image, graph_data: at_mirror(host, graph) };
        documents.push(service.document(stamp));
    }
    documents
}

/// Returns how an image is called at the registry `host`.
pub fn at_mirror(host: &Host, Destination { repository, tag }: &Destination) -> AtMirror {
    let selector = TagOrDigest::Tag(tag.clone());
    AtMirror { host: host.clone(), repository: repository.clone(), selector }
}

/// What is at the destination, by repository and tag.
#[derive(Debug)]
pub(crate) struct There<'a>(BTreeSet<(&'a RepoName, &'a Tag)>);

impl<'a> There<'a> {
    pub(crate) fn of(plan: &'a Plan, report: &'a Report) -> Self {
        let present = report.present.iter().map(|present| (&present.repository, &present.name.tag));
        let done = report.done.iter().filter_map(|id| plan.image(*id));
        let done = done.flat_map(|image| image.tags.iter().map(|tag| (&image.repository, tag)));
        Self(present.chain(done).collect())
    }

    pub(crate) fn has(&self, repository: &RepoName, tag: &Tag) -> bool {
        self.0.contains(&(repository, tag))
    }
}
