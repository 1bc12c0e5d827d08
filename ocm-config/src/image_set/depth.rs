use std::num::NonZeroUsize;

use ocm_oci::{Reference, RepoName};

use super::Mirror;
use crate::fault::{Code, Fault, Location, quoted};

impl Mirror {
    /// Returns a warning for each image and each catalog whose repository has more components
    /// than `limit`, which some registries refuse. The namespace of the destination counts too,
    /// and is not known here.
    pub fn deeper_than(&self, limit: NonZeroUsize) -> Vec<Fault> {
        let images = self.additional_images.iter().filter_map(|image| {
            let wanted = image.wanted.as_ref().ok()?;
            let repository = place(&wanted.reference, wanted.target_repo.as_ref())?;
            too_deep(repository, limit, &image.location, "targetRepo")
        });
        let catalogs = self.operators.iter().filter_map(|catalog| {
            let wanted = catalog.wanted.as_ref().ok()?;
            let repository = place(&wanted.reference, wanted.target_catalog.as_ref())?;
            too_deep(repository, limit, &catalog.location, "targetCatalog")
        });
        let mut warnings: Vec<_> = catalogs.chain(images).collect();
        warnings.sort_by_key(|warning| (warning.location.line, warning.location.column));
        warnings
    }
}

fn place<'r>(reference: &'r Reference, target: Option<&'r RepoName>) -> Option<&'r RepoName> {
    target.or(match reference {
        Reference::Image(image) => Some(image.repository()),
        Reference::Layout(_) | Reference::Directory(_) => None,
    })
}

fn too_deep(
    repository: &RepoName,
    limit: NonZeroUsize,
    location: &Location,
    key: &str,
) -> Option<Fault> {
    let depth = repository.components().count();
    if depth <= limit.get() {
        return None;
    }
    let message =
        format!("{} has {depth} components, more than {limit}", quoted(repository.as_str()));
    let fault = Fault::warning(Code::NestedPath, location.clone(), message);
    let help = format!("mirror with `--max-nested-paths {limit}`, or name a `{key}`");
    Some(fault.with_help(help))
}
