use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use ocm_oci::{Digest, ImageRef, Reference};
use ocm_resources::SourceName;

use crate::{Destination, Group};

/// What was decided while images were looked for, and is needed when they are there.
#[derive(Debug, Clone, Default)]
pub struct Decided {
    /// Files that an archive carries along, by name: what was decided by, so that the far side
    /// decides the same without a network.
    pub records: BTreeMap<String, Bytes>,
    /// Releases, in the order of the configuration.
    pub releases: Vec<DecidedRelease>,
    /// Where the image goes that brings the update graph to a cluster.
    pub update_graph: Option<Destination>,
    /// Catalogs, in the order of the configuration; those that cannot be had among them, where it
    /// is known where they would go.
    pub catalogs: Vec<DecidedCatalog>,
    /// Where catalogs of earlier runs are, since this one could not bring newer ones.
    pub standing: BTreeSet<Destination>,
}

/// A release that is to be mirrored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecidedRelease {
    /// Its payload, as a cluster asks for it.
    pub origin: ImageRef,
    /// The payload's digest.
    pub digest: Digest,
    /// Where the payload goes.
    pub destination: Destination,
    /// Its signatures, each as it was served.
    pub signatures: Vec<Bytes>,
}

/// A catalog that is to be mirrored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecidedCatalog {
    /// Its reference as it is written in the configuration: what its image is asked for by.
    pub origin: String,
    /// The same, read.
    pub reference: Reference,
    /// Where it goes.
    pub destination: Destination,
    /// Whether its image brings the program that serves it.
    pub has_program: bool,
    /// Path of a file with a `CatalogSource`, as written, into which the generated one is merged.
    pub source_template: Option<String>,
    /// Name of the `CatalogSource`, where the configuration gives it one.
    pub source_name: Option<SourceName>,
}

/// Something that people should know and that stops nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// Which images it is about.
    pub group: Group,
    /// What is so.
    pub text: String,
    /// What can be done about it.
    pub hint: Option<String>,
}
