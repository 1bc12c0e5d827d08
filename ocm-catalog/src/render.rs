//! A catalog as files again: a directory for each package.

use crate::{
    fbc::{Body, Format},
    model::{Catalog, Definition, Package},
};

/// A file of a catalog.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RenderedFile {
    /// Where it belongs: relative to the root of the catalog, with `/` between its parts.
    pub path: String,
    /// What is in it.
    pub bytes: Vec<u8>,
}

impl Catalog {
    /// Returns the files of the catalog, one package after the other, so that no more than one of
    /// them has to be there at a time.
    ///
    /// Each package has a `catalog.json`, a `catalog.yaml`, or both: objects stay in the format
    /// they were written in, and to the byte as they were.
    pub fn render(&self) -> impl Iterator<Item = RenderedFile> {
        let others = self.others.iter().map(|other| &other.body);
        let shared = files("", &others.collect::<Vec<_>>());
        let packages = self.packages.iter();
        shared.into_iter().chain(packages.flat_map(|(name, package)| {
            let directory = format!("{name}/");
            files(&directory, &bodies(package))
        }))
    }
}

/// Returns the objects of a package in the order they are written: what introduces it, channels
/// and bundles by name, others, deprecations.
fn bodies(package: &Package) -> Vec<&Body> {
    let definition = package.definition.as_deref().map(Definition::body);
    let channels = package.channels.values().map(|channel| &channel.body);
    let bundles = package.bundles.values().map(|bundle| &bundle.body);
    let others = package.others.iter().map(|other| &other.body);
    let deprecations = package.deprecations.iter().map(|deprecations| &deprecations.body);
    let all = definition.into_iter().chain(channels).chain(bundles).chain(others);
    all.chain(deprecations).collect()
}

fn files(directory: &str, bodies: &[&Body]) -> Vec<RenderedFile> {
    let file = |format: Format, name: &str| {
        let bodies = bodies.iter().filter(|body| body.format() == format);
        let bytes = bodies.fold(Vec::new(), |mut bytes, body| {
            if format == Format::Yaml {
                bytes.extend_from_slice(b"---\n");
            }
            bytes.extend_from_slice(body.bytes());
            if !body.bytes().ends_with(b"\n") {
                bytes.push(b'\n');
            }
            bytes
        });
        RenderedFile { path: format!("{directory}{name}"), bytes }
    };
    let all = [file(Format::Json, "catalog.json"), file(Format::Yaml, "catalog.yaml")];
    all.into_iter().filter(|file| !file.bytes.is_empty()).collect()
}
