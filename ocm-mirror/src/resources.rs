use ocm_oci::{Digest, ImageRef, RepoName};
use ocm_resources::{ImageKind, MirrorSets, Mirrored, Scope};

use crate::{Kind, Name, Place, Plan, Report};

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
            kind: image_kind(kind)?,
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

/// Returns what mirror sets call it; `None` for images that resources of their own name.
fn image_kind(kind: Kind) -> Option<ImageKind> {
    match kind {
        Kind::Release => Some(ImageKind::ReleaseImage),
        Kind::ReleaseContent => Some(ImageKind::ReleaseContent),
        Kind::Bundle | Kind::RelatedImage => Some(ImageKind::Operator),
        Kind::Additional | Kind::Helm => Some(ImageKind::Generic),
        Kind::UpdateGraph | Kind::Catalog => None,
    }
}
