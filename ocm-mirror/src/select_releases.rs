//! Which releases a configuration means, for each architecture.

use std::{collections::BTreeMap, error::Error, iter};

use bytes::Bytes;
use futures::{StreamExt as _, stream};
use ocm_config::{Pattern, ReleaseChannel, ReleaseKind, Releases};
use ocm_graph::{
    Between, Channel, ChannelQuery, Extent, Graph, Graphs, MissingPaths, Product, Query, Reason,
    Refusal, SelectError, Selected, Selection, Version, Warning, needs, select,
};
use ocm_oci::{ImageRef, PlatformFilter};

use crate::{Group, Notice, UpdateGraphError, UpdateGraphs, graph_file};

/// Where nothing is said of architectures.
const USUAL_ARCHITECTURE: &str = "amd64";
/// What a payload for several architectures is asked for by.
const MULTI: &str = "multi";
/// How many graphs are asked for at once.
const ASKED_AT_ONCE: usize = 4;

/// What is made of paths that are risky, or are not there.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PathRules {
    /// Which upgrades are not to be relied on.
    pub refusal: Refusal,
    /// What is said where a path is wanted and there is none.
    pub missing_paths: MissingPaths,
    /// Which versions count as the newest or the oldest of a channel, if not all.
    pub ends: Option<Pattern>,
}

impl PathRules {
    fn apply(&self, graph: Graph) -> Graph {
        match &self.ends {
            Some(pattern) => graph.with_ends_among(|one| pattern.matches(&one.to_string())),
            None => graph,
        }
    }
}

/// The releases that are meant, and all that was learnt on the way.
#[derive(Debug, Default)]
pub struct SelectedReleases {
    /// The releases: by architecture in the order of the configuration, oldest first, each once.
    pub releases: Vec<SelectedRelease>,
    /// What was asked for and cannot be had; all else is there.
    pub errors: Vec<ReleaseError>,
    /// What might be meant otherwise.
    pub warnings: Vec<ReleaseWarning>,
    /// The graphs that it was decided by, as served, by the names of [`graph_file`].
    pub graphs: BTreeMap<String, Bytes>,
}

/// A release that is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SelectedRelease {
    /// What it was asked for, as servers call it: `amd64`, `multi`.
    pub architecture: String,
    /// Its version.
    pub version: Version,
    /// Its payload, as the graph has it.
    pub payload: ImageRef,
    /// The channel it was found in; of several, the first that asked for it.
    pub channel: Channel,
    /// What it is needed for.
    pub reason: Reason,
}

/// Why not everything that was asked for is there.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReleaseError {
    /// A graph is not known.
    #[error(transparent)]
    Graph(#[from] UpdateGraphError),
    /// The graphs do not have what was asked for.
    #[error("not every release that is asked for can be had for {architecture}")]
    Select {
        /// The architecture.
        architecture: String,
        /// What they do not have.
        source: SelectError,
    },
}

impl ReleaseError {
    /// Returns what it is about, as people know it: a channel, and an architecture.
    pub fn subject(&self) -> String {
        match self {
            Self::Graph(error) => error.subject(),
            Self::Select { architecture, .. } => format!("releases for {architecture}"),
        }
    }

    /// Returns what can be done about it, where that can be said.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Graph(error) => error.hint(),
            Self::Select { .. } => None,
        }
    }
}

/// What might be meant otherwise, of one architecture.
#[derive(Debug, PartialEq, Eq)]
pub struct ReleaseWarning {
    /// The architecture.
    pub architecture: String,
    /// What it is.
    pub warning: Warning,
}

impl ReleaseWarning {
    /// Returns what is to be said: what it is and why, and each risk of a path by itself.
    pub fn notices(&self) -> Vec<Notice> {
        let notice = |text| Notice { group: Group::Release, text, hint: None };
        let architecture = &self.architecture;
        let whole: &dyn Error = &self.warning;
        let chain: Vec<_> = iter::successors(Some(whole), |&error| error.source())
            .map(ToString::to_string)
            .collect();
        let first = notice(format!("{architecture}: {}", chain.join(": ")));
        let exposures = match &self.warning {
            Warning::Risks(risky) => risky.exposures(),
            _ => Vec::new(),
        };
        let each = exposures.iter().map(|exposure| notice(format!("risk {exposure}")));
        iter::once(first).chain(each).collect()
    }
}

/// Finds out which releases a configuration means. Each graph is asked for once.
///
/// A payload that the configuration names by itself is not looked up here; where there is one,
/// channels mean nothing.
///
/// # Cancel safety
///
/// Dropping the future stops asking.
pub async fn select_releases(
    releases: &Releases,
    rules: &PathRules,
    graphs: &dyn UpdateGraphs,
) -> SelectedReleases {
    let mut all = SelectedReleases::default();
    if releases.release.is_some() {
        return all;
    }
    let query = query(releases, rules);
    for architecture in architectures(releases) {
        let known = all.learn((&query, rules), architecture, graphs).await;
        all.add(&query, select(&query, &known), architecture);
    }
    all
}

/// Returns what is asked for, each once.
fn architectures(releases: &Releases) -> Vec<&str> {
    if releases.platforms != PlatformFilter::All {
        return vec![MULTI];
    }
    let mut all: Vec<&str> = Vec::new();
    for architecture in &releases.architectures {
        if !all.contains(&architecture.as_str()) {
            all.push(architecture);
        }
    }
    if all.is_empty() { vec![USUAL_ARCHITECTURE] } else { all }
}

fn query(releases: &Releases, rules: &PathRules) -> Query {
    Query {
        channels: releases.channels.iter().map(channel_query).collect(),
        refusal: rules.refusal.clone(),
        missing_paths: rules.missing_paths,
    }
}

fn channel_query(asked: &ReleaseChannel) -> ChannelQuery {
    let product = match asked.kind {
        ReleaseKind::Ocp => Product::Ocp,
        ReleaseKind::Okd => Product::Okd,
    };
    ChannelQuery {
        channel: Channel { product, name: asked.name.clone() },
        min: asked.min.clone().map(Version::from),
        max: asked.max.clone().map(Version::from),
        extent: if asked.full { Extent::Full } else { Extent::Head },
        between: if asked.shortest_path { Between::ShortestPath } else { Between::All },
    }
}

impl SelectedReleases {
    /// Asks for graphs until none is needed any more.
    async fn learn(
        &mut self,
        (query, rules): (&Query, &PathRules),
        architecture: &str,
        graphs: &dyn UpdateGraphs,
    ) -> Graphs {
        let mut known = Graphs::default();
        loop {
            let needed = needs(query, &known);
            if needed.is_empty() {
                return known;
            }
            let ask = |channel: Channel| async move {
                let read = read(&channel, architecture, graphs).await;
                (channel, read)
            };
            // In the order of the channels, whoever answers first.
            let mut answers = stream::iter(needed).map(ask).buffered(ASKED_AT_ONCE);
            while let Some((channel, read)) = answers.next().await {
                match read {
                    Ok((name, bytes, graph)) => {
                        self.graphs.insert(name, bytes);
                        known.insert(channel, rules.apply(graph));
                    }
                    Err(error) => {
                        self.errors.push(error.into());
                        known.insert_unavailable(channel);
                    }
                }
            }
        }
    }

    fn add(&mut self, query: &Query, mut selection: Selection, architecture: &str) {
        // Of two payloads of one version the first one counts, whatever their digests are.
        let position =
            |one: &Selected| query.channels.iter().position(|asked| asked.channel == one.channel);
        selection
            .releases
            .sort_by_cached_key(|one| (one.version.clone(), position(one).unwrap_or(usize::MAX)));
        let of = |selected: Selected| {
            let Selected { version, payload, channel, reason } = selected;
            let architecture = architecture.to_owned();
            SelectedRelease { architecture, version, payload, channel, reason }
        };
        let fail = |source| ReleaseError::Select { architecture: architecture.to_owned(), source };
        let warn = |warning| ReleaseWarning { architecture: architecture.to_owned(), warning };
        self.releases.extend(selection.releases.into_iter().map(of));
        self.errors.extend(selection.errors.into_iter().map(fail));
        self.warnings.extend(selection.warnings.into_iter().map(warn));
    }
}

async fn read(
    channel: &Channel,
    architecture: &str,
    graphs: &dyn UpdateGraphs,
) -> Result<(String, Bytes, Graph), UpdateGraphError> {
    let name = graph_file(channel, architecture)?;
    let bytes = graphs.fetch(channel, architecture).await?;
    match Graph::from_json(&bytes) {
        Ok(graph) => Ok((name, bytes, graph)),
        Err(source) => {
            let (channel, architecture) = (channel.clone(), architecture.to_owned());
            Err(UpdateGraphError::NotAGraph { channel, architecture, source })
        }
    }
}
