//! What corresponds to what: a line for each image, for people and scripts.

use ocm_mirror::{Name, Place, Plan, Report};
use ocm_oci::{Digest, RepoName};

use crate::request::Mode;

/// An image at both ends.
#[derive(Debug)]
struct Pair<'a> {
    plan: &'a Plan,
    name: &'a Name,
    repository: &'a RepoName,
    root: &'a Digest,
}

/// Lists everything of `plan` that is, or would be, at the destination.
pub(super) fn all(plan: &Plan, mode: Mode) -> String {
    list(there(plan), mode) + &list(wanted(plan), mode)
}

/// Lists everything of `plan` that is not at the destination.
pub(super) fn missing(plan: &Plan, mode: Mode) -> String {
    list(wanted(plan), mode)
}

/// Lists what `report` says is at the destination.
pub(super) fn mirrored(plan: &Plan, report: &Report) -> String {
    let done = report.done.iter().filter_map(|id| plan.image(*id)).flat_map(|image| {
        let (repository, root) = (&image.repository, &image.root);
        image.names.iter().map(move |name| Pair { plan, name, repository, root })
    });
    list(there(plan), Mode::Mirror) + &list(done, Mode::Mirror)
}

fn there(plan: &Plan) -> impl Iterator<Item = Pair<'_>> {
    plan.present().iter().map(move |present| {
        let (name, repository, root) = (&present.name, &present.repository, &present.root);
        Pair { plan, name, repository, root }
    })
}

fn wanted(plan: &Plan) -> impl Iterator<Item = Pair<'_>> {
    plan.images().flat_map(move |(_, image)| {
        let (repository, root) = (&image.repository, &image.root);
        image.names.iter().map(move |name| Pair { plan, name, repository, root })
    })
}

fn list<'a>(pairs: impl Iterator<Item = Pair<'a>>, mode: Mode) -> String {
    let mut text = String::new();
    for pair in pairs {
        let (source, destination) = (pair.source(), pair.destination());
        text.extend([&source, "=", &destination, ":", pair.name.tag.as_str(), "\n"]);
        if mode != Mode::DryRunWithLists {
            continue;
        }
        let (source, _) = source.split_once('@').unwrap_or((&source, ""));
        for child in pair.plan.manifest(pair.root).iter().flat_map(|node| &node.children) {
            let child = child.to_string();
            text.extend([source, "@", &child, "=", &destination, "@", &child, "\n"]);
        }
    }
    text
}

impl Pair<'_> {
    /// Returns the image as it was written, with its transport.
    fn source(&self) -> String {
        let origin = &self.name.origin;
        if origin.contains("://") { origin.clone() } else { format!("docker://{origin}") }
    }

    fn destination(&self) -> String {
        match self.plan.destination() {
            Place::Registry(host) => format!("docker://{host}/{}", self.repository),
            _ => format!("file://{}", self.repository),
        }
    }
}
