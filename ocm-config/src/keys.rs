//! The keys of both kinds of document: what the reader takes, and what the JSON Schema says.

use crate::node::{Node, Value};

/// What the value of a key is.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Shape {
    /// Text.
    Text,
    /// Text where numbers are usual, and are taken as they are written: a tag, a version.
    Written,
    /// Yes or no.
    Switch,
    /// A whole number of GiB.
    Gib,
    /// A mapping with these keys.
    Map(&'static Keys),
    /// A list.
    List(&'static Self),
}

impl Shape {
    fn has_old(self, node: &Node, dialect: Dialect) -> bool {
        match (self, &node.value) {
            (Self::Map(keys), _) => keys.has_old(node, dialect),
            (Self::List(item), Value::List(items)) => {
                items.iter().any(|node| item.has_old(node, dialect))
            }
            _ => false,
        }
    }
}

/// One key.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Key {
    pub(crate) name: &'static str,
    pub(crate) shape: Shape,
    /// What it is for, as an editor shows it.
    pub(crate) about: &'static str,
    pub(crate) need: Need,
    /// Values that are usual.
    pub(crate) examples: &'static [&'static str],
}

/// Whether a key must be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Need {
    Optional,
    /// It must, if only with nothing.
    Stated,
    /// It must, with something.
    Given,
}

impl Key {
    const fn stated(self) -> Self {
        Self { need: Need::Stated, ..self }
    }

    const fn given(self) -> Self {
        Self { need: Need::Given, ..self }
    }

    const fn such_as(self, examples: &'static [&'static str]) -> Self {
        Self { examples, ..self }
    }
}

/// The keys that a mapping may have.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Keys {
    /// What such a mapping is called.
    pub(crate) name: &'static str,
    /// What each means is for the reader of the mapping to know.
    pub(crate) known: &'static [Key],
    /// Keys of version 1.
    pub(crate) old: &'static [Old],
}

/// The versions of a configuration, each of which has keys that the next has not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) enum Dialect {
    V1alpha1,
    V1alpha2,
    #[default]
    V2alpha1,
}

/// A key of version 1.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Old {
    pub(crate) name: &'static str,
    /// The last version that has it.
    pub(crate) last: Dialect,
    pub(crate) job: Job,
}

/// Where the job of an old key is done now.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Job {
    /// By no key; the advice says by what.
    Gone(&'static str),
    /// By another key, which means the same.
    Renamed(&'static str),
    /// By another key that means something else: the reader makes the one of the other.
    Converted {
        /// What to write instead.
        advice: &'static str,
    },
}

impl Dialect {
    /// Returns the word for it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::V1alpha1 => "v1alpha1",
            Self::V1alpha2 => "v1alpha2",
            Self::V2alpha1 => "v2alpha1",
        }
    }
}

impl Keys {
    /// Returns the names of the keys.
    pub(crate) fn names(&self) -> impl Iterator<Item = &'static str> + Clone + use<> {
        self.known.iter().map(|key| key.name)
    }

    /// Whether there is, anywhere in `node`, a key that `dialect` has and version 2 has not.
    pub(crate) fn has_old(&self, node: &Node, dialect: Dialect) -> bool {
        let Value::Map(entries) = &node.value else { return false };
        entries.iter().any(|entry| {
            let is_named = |name: &str| entry.key.eq_ignore_ascii_case(name);
            let is_old = |old: &Old| dialect <= old.last && is_named(old.name);
            self.old.iter().any(is_old)
                || self
                    .known
                    .iter()
                    .any(|key| is_named(key.name) && key.shape.has_old(&entry.value, dialect))
        })
    }
}

const fn gone(name: &'static str, last: Dialect, advice: &'static str) -> Old {
    Old { name, last, job: Job::Gone(advice) }
}

const fn renamed(name: &'static str, now: &'static str) -> Old {
    Old { name, last: Dialect::V1alpha1, job: Job::Renamed(now) }
}

const fn converted(name: &'static str, last: Dialect, advice: &'static str) -> Old {
    Old { name, last, job: Job::Converted { advice } }
}

const fn key(name: &'static str, shape: Shape, about: &'static str) -> Key {
    Key { name, shape, about, need: Need::Optional, examples: &[] }
}

const KIND: Key = key("kind", Shape::Text, "What the document is").given();
const API_VERSION: Key = key("apiVersion", Shape::Text, "`mirror.openshift.io/v2alpha1`")
    .such_as(&["mirror.openshift.io/v2alpha1"]);

/// The keys of all mappings.
pub(crate) const ALL: [Keys; 16] = [
    ROOT,
    DELETE_ROOT,
    MIRROR,
    DELETE,
    PLATFORM,
    RELEASES,
    RELEASE_CHANNEL,
    CATALOG,
    PACKAGE,
    PACKAGE_CHANNEL,
    ADDITIONAL_IMAGE,
    BLOCKED_IMAGE,
    SAMPLE,
    HELM,
    HELM_REPOSITORY,
    CHART,
];

/// Keys of an `ImageSetConfiguration`.
pub(crate) const ROOT: Keys = Keys {
    name: "imageSet",
    known: &[
        KIND,
        API_VERSION,
        key("mirror", Shape::Map(&MIRROR), "What to mirror").stated(),
        key("archiveSize", Shape::Gib, "Largest volume of an archive, in GiB; 500 if absent"),
    ],
    old: &[gone(
        "storageConfig",
        Dialect::V1alpha2,
        "what is there is recognised where it was mirrored to, no store is configured",
    )],
};

const PULL_SECRET: &str = "credentials are those of `podman login`, or of the file in `--authfile`";
const VERSIONS: &str = "write `minVersion` and `maxVersion`";
const HEADS_ONLY: &str = "write `full: true` instead of `false`, and nothing instead of `true`";
const MIN_BUNDLE: &str = "write `minVersion`, with the version of that bundle";

/// Keys of a `DeleteImageSetConfiguration`.
pub(crate) const DELETE_ROOT: Keys = Keys {
    name: "deleteSet",
    known: &[KIND, API_VERSION, key("delete", Shape::Map(&DELETE), "What to delete").stated()],
    old: &[],
};

const RELEASES_KEY: Key = key("platform", Shape::Map(&RELEASES), "OpenShift and OKD releases");
const OPERATORS_KEY: Key =
    key("operators", Shape::List(&Shape::Map(&CATALOG)), "Operators, by the catalogs they are in");
const IMAGES_KEY: Key =
    key("additionalImages", Shape::List(&Shape::Map(&ADDITIONAL_IMAGE)), "Images named one by one");
const HELM_KEY: Key = key("helm", Shape::Map(&HELM), "Helm charts, and the images they name");
const SAMPLES_KEY: Key =
    key("samples", Shape::List(&Shape::Map(&SAMPLE)), "Read and ignored, as oc-mirror does");

/// Keys of `mirror`.
pub(crate) const MIRROR: Keys = Keys {
    name: "mirror",
    known: &[
        RELEASES_KEY,
        OPERATORS_KEY,
        IMAGES_KEY,
        HELM_KEY,
        key(
            "blockedImages",
            Shape::List(&Shape::Map(&BLOCKED_IMAGE)),
            "Images that are left out, wherever they come from",
        ),
        SAMPLES_KEY,
    ],
    old: &[renamed("ocp", "platform")],
};

/// Keys of `delete`.
pub(crate) const DELETE: Keys = Keys {
    name: "delete",
    known: &[RELEASES_KEY, OPERATORS_KEY, IMAGES_KEY, HELM_KEY, SAMPLES_KEY],
    old: &[],
};

const PLATFORMS: Key = key(
    "platforms",
    Shape::List(&Shape::Map(&PLATFORM)),
    "Which images of an index are wanted; all if absent",
);

/// Architectures of releases, apart from `multi`.
pub(crate) const ARCHITECTURES: [&str; 4] = ["amd64", "arm64", "ppc64le", "s390x"];

/// Keys of a platform.
pub(crate) const PLATFORM: Keys = Keys {
    name: "platform",
    known: &[
        key("os", Shape::Text, "Operating system, as Go names it").such_as(&["linux"]),
        key("architecture", Shape::Text, "Processor, as Go names it").such_as(&ARCHITECTURES),
    ],
    old: &[],
};

/// Keys of `platform`.
pub(crate) const RELEASES: Keys = Keys {
    name: "releases",
    known: &[
        key("graph", Shape::Switch, "Build the image of the update graph, for OSUS"),
        key(
            "channels",
            Shape::List(&Shape::Map(&RELEASE_CHANNEL)),
            "Channels, and the range of each",
        ),
        key(
            "architectures",
            Shape::List(&Shape::Text),
            "`amd64`, `arm64`, `ppc64le`, `s390x` or `multi`; `amd64` if absent. Deprecated: \
             `platforms`",
        ),
        key(
            "platforms",
            Shape::List(&Shape::Map(&PLATFORM)),
            "Take the multi payload, and of its images only these",
        ),
        key("release", Shape::Text, "One payload, by its reference, instead of channels"),
        key("kubeVirtContainer", Shape::Switch, "Mirror the disk image for KubeVirt, too"),
    ],
    old: &[gone("pullSecret", Dialect::V1alpha1, PULL_SECRET)],
};

/// Keys of a channel of releases.
pub(crate) const RELEASE_CHANNEL: Keys = Keys {
    name: "releaseChannel",
    known: &[
        key("name", Shape::Written, "Name of the channel: `stable-4.18`").given(),
        key("type", Shape::Text, "`ocp` if absent, or `okd`").such_as(&["ocp", "okd"]),
        key(
            "minVersion",
            Shape::Written,
            "Lowest version; the head of the channel alone if absent",
        ),
        key("maxVersion", Shape::Written, "Highest version; the head of the channel if absent"),
        key("shortestPath", Shape::Switch, "Only what the shortest way up from min to max needs"),
        key("full", Shape::Switch, "All of the channel, from its first version"),
    ],
    old: &[converted("versions", Dialect::V1alpha1, VERSIONS)],
};

/// Keys of a catalog of operators.
pub(crate) const CATALOG: Keys = Keys {
    name: "catalog",
    known: &[
        key("catalog", Shape::Text, "The catalog: a reference, `oci://` and a layout, or `dir://` and a directory with its files")
            .given(),
        key("targetCatalog", Shape::Text, "Repository to put it in, instead of its own"),
        key("targetTag", Shape::Written, "Tag to give it, instead of its own"),
        key("full", Shape::Switch, "All versions, instead of the heads of channels"),
        key("skipDependencies", Shape::Switch, "Read and ignored, as oc-mirror does"),
        key(
            "targetCatalogSourceTemplate",
            Shape::Text,
            "File with a CatalogSource, into which the generated one is merged",
        ),
        key("catalogSourceName", Shape::Text, "Name of the CatalogSource that is written"),
        PLATFORMS,
        key("packages", Shape::List(&Shape::Map(&PACKAGE)), "Which operators; all if absent"),
    ],
    old: &[
        converted("targetName", Dialect::V1alpha2, "write `targetCatalog`, with the whole path"),
        gone("originalRef", Dialect::V1alpha2, "the catalog is known by its reference"),
        converted("headsOnly", Dialect::V1alpha1, HEADS_ONLY),
        converted("latestOnly", Dialect::V1alpha1, HEADS_ONLY),
        renamed("skipDeps", "skipDependencies"),
        gone("pullSecret", Dialect::V1alpha1, PULL_SECRET),
    ],
};

/// Keys of a package, which is what a catalog calls an operator.
pub(crate) const PACKAGE: Keys = Keys {
    name: "package",
    known: &[
        key("name", Shape::Written, "Name of the operator's package").given(),
        key(
            "channels",
            Shape::List(&Shape::Map(&PACKAGE_CHANNEL)),
            "Which channels; all if absent",
        ),
        key("defaultChannel", Shape::Text, "The default, where the catalog's own is left out"),
        key("minVersion", Shape::Written, "Lowest version, in every channel"),
        key("maxVersion", Shape::Written, "Highest version, in every channel"),
    ],
    old: &[
        converted("minBundle", Dialect::V1alpha2, MIN_BUNDLE),
        renamed("startingVersion", "minVersion"),
        converted("startingBundle", Dialect::V1alpha1, MIN_BUNDLE),
        converted("versions", Dialect::V1alpha1, VERSIONS),
    ],
};

/// Keys of a channel of a package.
pub(crate) const PACKAGE_CHANNEL: Keys = Keys {
    name: "packageChannel",
    known: &[
        key("name", Shape::Written, "Name of the channel").given(),
        key("minVersion", Shape::Written, "Lowest version in this channel"),
        key("maxVersion", Shape::Written, "Highest version in this channel"),
    ],
    old: &[
        converted("minBundle", Dialect::V1alpha2, MIN_BUNDLE),
        renamed("startingVersion", "minVersion"),
        converted("startingBundle", Dialect::V1alpha1, MIN_BUNDLE),
    ],
};

/// Keys of an additional image.
pub(crate) const ADDITIONAL_IMAGE: Keys = Keys {
    name: "additionalImage",
    known: &[
        key("name", Shape::Text, "The image, with its tag or digest, or `oci://` and a directory")
            .given(),
        key("targetRepo", Shape::Text, "Repository to put it in, instead of its own"),
        key("targetTag", Shape::Written, "Tag to give it, instead of its own"),
        PLATFORMS,
    ],
    old: &[gone("pullSecret", Dialect::V1alpha1, PULL_SECRET)],
};

/// Keys of a blocked image.
pub(crate) const BLOCKED_IMAGE: Keys = Keys {
    name: "blockedImage",
    known: &[key("name", Shape::Text, "A regular expression in Go's syntax, unanchored").given()],
    old: &[],
};

/// Keys of a sample.
pub(crate) const SAMPLE: Keys = Keys {
    name: "sample",
    known: &[key("name", Shape::Text, "Name of a sample").given()],
    old: &[],
};

/// Keys of `helm`.
pub(crate) const HELM: Keys = Keys {
    name: "helm",
    known: &[
        key("repositories", Shape::List(&Shape::Map(&HELM_REPOSITORY)), "Repositories of charts"),
        key("local", Shape::List(&Shape::Map(&CHART)), "Charts on this machine"),
    ],
    old: &[renamed("repos", "repositories")],
};

/// Keys of a repository of charts.
pub(crate) const HELM_REPOSITORY: Keys = Keys {
    name: "helmRepository",
    known: &[
        key("name", Shape::Written, "What to call it").given(),
        key("url", Shape::Text, "Where its `index.yaml` is").given(),
        key("charts", Shape::List(&Shape::Map(&CHART)), "Which charts; all if absent"),
    ],
    old: &[],
};

/// Keys of a chart.
pub(crate) const CHART: Keys = Keys {
    name: "chart",
    known: &[
        key("name", Shape::Written, "Name of the chart"),
        key("version", Shape::Written, "Its version; the latest if absent"),
        key("path", Shape::Text, "A directory or `.tgz` on this machine"),
        key(
            "imagePaths",
            Shape::List(&Shape::Text),
            "More places of images in the chart's manifests, in kubectl's JSONPath",
        ),
        PLATFORMS,
    ],
    old: &[],
};
