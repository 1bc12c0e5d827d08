use crate::{
    channel_graph::{GraphFaults, list},
    model::Deprecated,
    range::OlmRangeError,
    version::{BundleVersion, VersionError},
};

/// Something in a package that OLM does not accept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("OLM does not accept package `{package}`")]
pub struct Defect {
    /// The package.
    pub package: String,
    /// What is wrong with it.
    #[source]
    pub flaw: Flaw,
}

/// What OLM does not accept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Flaw {
    /// There is no object `olm.package` for it.
    #[error("there is no `olm.package` for it")]
    NotIntroduced,
    /// It has no channels.
    #[error("it has no channels")]
    NoChannels,
    /// It has no default channel.
    #[error("it has no default channel")]
    NoDefaultChannel,
    /// Its default channel is not there.
    #[error("its default channel `{channel}` is not there")]
    DefaultChannelAbsent {
        /// The channel.
        channel: String,
    },
    /// The upgrades of a channel make no sense.
    #[error("its channel `{channel}` makes no sense: {faults}")]
    Channel {
        /// The channel.
        channel: String,
        /// What is wrong with it.
        faults: GraphFaults,
    },
    /// There is no way from some entries to the head of their channel.
    #[error(
        "nothing on the way to the head of its channel `{channel}` replaces or skips {}",
        list(entries)
    )]
    Stranded {
        /// The channel.
        channel: String,
        /// The entries, by name.
        entries: Vec<String>,
    },
    /// The `skipRange` of an entry is none.
    #[error("entry `{entry}` of its channel `{channel}` has a `skipRange` that is none: {reason}")]
    SkipRange {
        /// The channel.
        channel: String,
        /// The entry.
        entry: String,
        /// Why it is none.
        reason: OlmRangeError,
    },
    /// An entry of a channel has no bundle.
    #[error("there is no bundle `{entry}`, which is in its channel `{channel}`")]
    NoBundle {
        /// The channel.
        channel: String,
        /// The entry.
        entry: String,
    },
    /// A bundle is in no channel.
    #[error("its bundle `{bundle}` is in no channel")]
    NoChannel {
        /// The bundle.
        bundle: String,
    },
    /// A bundle does not have one property `olm.package`.
    #[error("its bundle `{bundle}` has {count} properties `olm.package` instead of one")]
    Identities {
        /// The bundle.
        bundle: String,
        /// How many it has.
        count: usize,
    },
    /// A bundle says that it belongs to another package.
    #[error("its bundle `{bundle}` says that it belongs to package `{says}`")]
    OtherPackage {
        /// The bundle.
        bundle: String,
        /// The package that it names.
        says: String,
    },
    /// A bundle has no version that can be read.
    #[error("its bundle `{bundle}` has no version: {reason}")]
    Version {
        /// The bundle.
        bundle: String,
        /// Why not.
        reason: VersionError,
    },
    /// Two bundles have the same version, build metadata included.
    #[error("its bundles `{first}` and `{second}` are both of version {version}")]
    SameVersion {
        /// The version.
        version: BundleVersion,
        /// One bundle.
        first: String,
        /// Another.
        second: String,
    },
    /// A bundle has no image.
    #[error("its bundle `{bundle}` has no image")]
    NoImage {
        /// The bundle.
        bundle: String,
    },
    /// The image of a bundle is no reference.
    #[error("its bundle `{bundle}` has an image that is none: `{image}`")]
    Image {
        /// The bundle.
        bundle: String,
        /// What it calls its image.
        image: String,
    },
    /// There is more than one object `olm.deprecations`.
    #[error("it has several `olm.deprecations`")]
    SeveralDeprecations,
    /// Something is deprecated that is not there.
    #[error("it deprecates `{}` `{}`, which is not there", deprecated.schema, deprecated.name)]
    DeprecatedAbsent {
        /// What it is.
        deprecated: Deprecated,
    },
    /// Something is deprecated without a word.
    #[error("it deprecates `{}` `{}` without a message", deprecated.schema, deprecated.name)]
    NoMessage {
        /// What it is.
        deprecated: Deprecated,
    },
    /// Something is deprecated twice.
    #[error("it deprecates `{}` `{}` twice", deprecated.schema, deprecated.name)]
    DeprecatedTwice {
        /// What it is.
        deprecated: Deprecated,
    },
}

impl Flaw {
    /// Whether OLM refuses the whole catalog for it. What it does not look at before it is used
    /// does no harm to others.
    pub fn is_refused(&self) -> bool {
        !matches!(self, Self::SkipRange { .. } | Self::Image { .. })
    }
}
