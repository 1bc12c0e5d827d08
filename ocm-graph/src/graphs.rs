use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use crate::{Channel, Graph};

/// The graphs of one architecture's channels, as far as they are known.
#[derive(Debug, Clone, Default)]
pub struct Graphs {
    known: BTreeMap<Channel, Option<Arc<Graph>>>,
}

/// What is known of a channel.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Knowledge<'a> {
    /// Nothing: it was not asked for.
    Unasked,
    /// It could not be had.
    Unavailable,
    /// It has no releases: so servers answer where there is no such channel.
    Absent,
    /// Its releases.
    There(&'a Graph),
}

impl Graphs {
    /// Adds a channel's graph.
    pub fn insert(&mut self, channel: Channel, graph: impl Into<Arc<Graph>>) {
        self.known.insert(channel, Some(graph.into()));
    }

    /// Notes that a channel's graph could not be had, so that it is not asked for again.
    pub fn insert_unavailable(&mut self, channel: Channel) {
        self.known.insert(channel, None);
    }

    /// Returns a channel's graph, where it is known.
    pub fn get(&self, channel: &Channel) -> Option<&Graph> {
        self.known.get(channel)?.as_deref()
    }

    /// Returns the names of all risks, and whether any graph is known.
    pub(crate) fn risk_names(&self) -> (BTreeSet<&str>, bool) {
        let graphs = self.known.values().flatten();
        let names = graphs.clone().flat_map(|graph| graph.risk_names()).collect();
        (names, graphs.count() > 0)
    }

    pub(crate) fn look_up(&self, channel: &Channel) -> Knowledge<'_> {
        match self.known.get(channel) {
            None => Knowledge::Unasked,
            Some(None) => Knowledge::Unavailable,
            Some(Some(graph)) if graph.is_empty() => Knowledge::Absent,
            Some(Some(graph)) => Knowledge::There(graph),
        }
    }
}
