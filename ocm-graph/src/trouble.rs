//! What is to be said of a selection.

use std::{collections::BTreeMap, fmt};

use ocm_oci::{ImageRef, ReferenceError};

use crate::{Channel, ChannelNameError, Hop, NoPath, Risk, UpgradePath, Version};

/// What was asked for and cannot be had.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SelectError {
    /// There are releases, but none of those that are meant; the warnings say what was looked for.
    #[error("no release lies between the bounds of any channel")]
    Nothing,
    /// There is nothing in the channel; mostly there is no such channel.
    #[error("channel `{channel}` has no releases")]
    NoReleases {
        /// The channel.
        channel: Channel,
    },
    /// None of the channel's releases may be its newest or its oldest one.
    #[error("no release of channel `{channel}` counts as its newest or its oldest one")]
    NoneConsidered {
        /// The channel.
        channel: Channel,
    },
    /// A path was wanted from or to a release that the channel does not have.
    #[error("release {version} is not in channel `{channel}`")]
    UnknownRelease {
        /// The channel.
        channel: Channel,
        /// The release.
        version: Version,
    },
    /// The release is meant, and its payload cannot be asked for.
    #[error("release {version} of channel `{channel}` has no payload that can be pulled")]
    Payload {
        /// The channel.
        channel: Channel,
        /// The release.
        version: Version,
        /// What is wrong with it.
        #[source]
        source: ReferenceError,
    },
    /// It cannot be said which channels lie between two.
    #[error("the upgrade path between the channels cannot be found")]
    ChannelName(#[from] ChannelNameError),
    /// Nobody upgrades that far.
    #[error("there are too many minor versions between `{from}` and `{to}`")]
    TooFar {
        /// The channel with the lowest version.
        from: Channel,
        /// The channel with the highest version.
        to: Channel,
    },
    /// A path is required, and there is none.
    #[error(transparent)]
    NoPath(MissingPath),
}

/// What might be meant otherwise. It is told as errors are.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Warning {
    /// There is no path, and only its ends are selected.
    #[error(transparent)]
    NoPath(MissingPath),
    /// A path takes upgrades that are not offered to all clusters.
    #[error(transparent)]
    Risks(RiskyPath),
    /// No release lies between the bounds.
    #[error("channel `{channel}` has no release from {min} to {max}")]
    NothingBetween {
        /// The channel.
        channel: Channel,
        /// The lower bound.
        min: Version,
        /// The upper bound.
        max: Version,
    },
    /// No lower bound was given, and the channel begins with the minor version before its own.
    #[error("channel `{channel}` begins with {oldest}; `minVersion` leaves the older ones out")]
    OlderMinor {
        /// The channel.
        channel: Channel,
        /// Its oldest release.
        oldest: Version,
    },
    /// Bounds that far apart need an intermediate version.
    #[error(
        "from {min} to {max} channel `{channel}` goes through a minor version in between; \
         https://access.redhat.com/labs/ocpupgradegraph/update_path shows which"
    )]
    EusSpan {
        /// The channel.
        channel: Channel,
        /// The lower bound.
        min: Version,
        /// The upper bound.
        max: Version,
    },
    /// One version has several payloads, of which a tag can name only one.
    #[error("release {version} has two payloads, `{}` and `{}`", payloads[0].as_written(), payloads[1].as_written())]
    SeveralPayloads {
        /// The version.
        version: Version,
        /// The payloads.
        payloads: [ImageRef; 2],
    },
    /// A risk is refused by a name that nothing has.
    #[error(
        "no upgrade in the graphs that were read has the risk `{name}`{}",
        similar.as_ref().map(|one| format!("; is `{one}` meant?")).unwrap_or_default()
    )]
    UnknownRisk {
        /// The name.
        name: String,
        /// One that is there and looks like it.
        similar: Option<String>,
    },
    /// The graph names releases that are not in it.
    #[error("the graph of channel `{channel}` has {count} upgrades that lead nowhere")]
    SkippedEdges {
        /// The channel.
        channel: Channel,
        /// How many upgrades were left out.
        count: usize,
    },
}

/// A release, and the channel in which it is looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct End {
    /// The release.
    pub version: Version,
    /// The channel.
    pub channel: Channel,
}

/// A path that is wanted and that is not there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no upgrade path leads from {from} to {to}; releases between them may be missing")]
pub struct MissingPath {
    /// Where it should begin.
    pub from: End,
    /// Where it should end.
    pub to: End,
    /// Why there is none.
    #[source]
    pub why: WhyMissing,
}

/// Why a path is missing.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum WhyMissing {
    /// There is none in the graphs.
    NoPath(NoPath),
    /// There is one, but not by the newest release of each channel, and no other is looked for
    /// where all risks are refused: so does oc-mirror.
    Detour(UpgradePath),
}

/// A path with upgrades that are not offered to all clusters.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the upgrade path from {from} to {to} has risks for some clusters: {}", list(hops))]
pub struct RiskyPath {
    /// Where it begins.
    pub from: End,
    /// Where it ends.
    pub to: End,
    /// Its upgrades with risks.
    pub hops: Vec<Hop>,
}

/// A risk, and the upgrades of a path that have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exposure<'a> {
    /// The risk.
    pub risk: &'a Risk,
    /// The upgrades.
    pub hops: Vec<&'a Hop>,
}

impl MissingPath {
    pub(crate) fn new(
        channels: (&Channel, &Channel),
        versions: (&Version, &Version),
        why: impl Into<WhyMissing>,
    ) -> Self {
        let (from, to) = ends(channels, versions);
        Self { from, to, why: why.into() }
    }
}

impl RiskyPath {
    /// Returns what is risky of a path; `None` where nothing is.
    pub(crate) fn of(channels: (&Channel, &Channel), path: &UpgradePath) -> Option<Self> {
        let hops = path.hops().iter().filter(|hop| hop.risks().next().is_some());
        let hops: Vec<_> = hops.cloned().collect();
        let (first, last) = (path.releases().first()?, path.releases().last()?);
        let (from, to) = ends(channels, (&first.version, &last.version));
        (!hops.is_empty()).then_some(Self { from, to, hops })
    }

    /// Returns each risk once, with the upgrades that have it, by name.
    pub fn exposures(&self) -> Vec<Exposure<'_>> {
        exposures(&self.hops)
    }
}

pub(crate) fn exposures(hops: &[Hop]) -> Vec<Exposure<'_>> {
    let mut exposed: BTreeMap<&Risk, Vec<&Hop>> = BTreeMap::new();
    for hop in hops {
        for risk in hop.risks() {
            exposed.entry(risk).or_default().push(hop);
        }
    }
    exposed.into_iter().map(|(risk, hops)| Exposure { risk, hops }).collect()
}

fn ends(channels: (&Channel, &Channel), versions: (&Version, &Version)) -> (End, End) {
    let end = |version: &Version, channel: &Channel| End {
        version: version.clone(),
        channel: channel.clone(),
    };
    (end(versions.0, channels.0), end(versions.1, channels.1))
}

fn list(hops: &[Hop]) -> String {
    hops.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} in `{}`", self.version, self.channel)
    }
}

impl fmt::Display for Exposure<'_> {
    /// Writes name, message, clusters and address, in this order, and nothing a terminal obeys.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Risk { name, url, message, rules } = self.risk;
        write!(f, "{}: {}", harmless(name), harmless(message))?;
        let rules: Vec<_> = rules.iter().map(|rule| harmless(&rule.to_string())).collect();
        if !rules.is_empty() {
            write!(f, " (for {})", rules.join(", and "))?;
        }
        if url.is_empty() { Ok(()) } else { write!(f, " {}", harmless(url)) }
    }
}

impl std::error::Error for WhyMissing {}

impl fmt::Display for WhyMissing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoPath(why) => why.fmt(f),
            Self::Detour(path) => {
                f.write_str("there is one that avoids the newest releases:")?;
                let mut releases = path.releases().iter();
                releases.try_for_each(|release| write!(f, " {}", release.version))
            }
        }
    }
}

impl From<NoPath> for WhyMissing {
    fn from(why: NoPath) -> Self {
        Self::NoPath(why)
    }
}

impl From<UpgradePath> for WhyMissing {
    fn from(path: UpgradePath) -> Self {
        Self::Detour(path)
    }
}

/// Returns text from a graph without anything that a terminal would obey.
pub(crate) fn harmless(text: &str) -> String {
    let blank = |c: char| if c.is_control() { ' ' } else { c };
    text.trim().chars().map(blank).collect()
}
