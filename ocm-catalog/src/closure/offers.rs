use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
};

use crate::{
    channel_graph::ChannelGraph,
    model::{Bundle, Catalog, Channel, Package},
    requirement::{ApiKind, Requirement},
    version::BundleVersion,
};

/// What the bundles of a catalog are to others.
#[derive(Debug)]
pub(super) struct Offers<'c> {
    catalog: &'c Catalog,
    /// Of each kind, the bundles that bring it: package and name.
    kinds: BTreeMap<&'c ApiKind, Vec<(&'c str, &'c str)>>,
}

/// A bundle that meets a requirement, and how to get it.
#[derive(Debug)]
pub(super) struct Offer<'c> {
    pub(super) package: &'c str,
    pub(super) channel: &'c str,
    pub(super) bundle: &'c str,
    /// The channel to make the default one, if the catalog's will not be there.
    pub(super) default_channel: Option<&'c str>,
}

/// How good an offer is; the least is the best.
type Rank<'c> = (bool, bool, Reverse<Option<&'c BundleVersion>>, &'c str, &'c str);

impl<'c> Offers<'c> {
    pub(super) fn of(catalog: &'c Catalog) -> Self {
        let mut kinds: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for (package, content) in catalog.packages() {
            for (name, bundle) in content.bundles() {
                for kind in bundle.kinds() {
                    kinds.entry(kind).or_default().push((package.as_str(), name.as_str()));
                }
            }
        }
        Self { catalog, kinds }
    }

    /// Whether a bundle is what is required: a package, or a kind.
    pub(super) fn has(&self, requirement: &Requirement) -> bool {
        match requirement {
            Requirement::Kind(kind) => self.kinds.contains_key(kind),
            requirement => !self.bundles(requirement).is_empty(),
        }
    }

    /// Returns the best bundle that is what is required, of a package that is not `selected`: the
    /// head of a default channel, or else the newest in one, or else the newest.
    pub(super) fn best(
        &self,
        requirement: &Requirement,
        selected: &BTreeSet<String>,
    ) -> Option<Offer<'c>> {
        let bundles = self.bundles(requirement).into_iter();
        let offers = bundles.filter(|(package, _)| !selected.contains(*package));
        let mut heads = BTreeMap::new();
        let ranked = offers.filter_map(|(package, bundle)| self.offer(package, bundle, &mut heads));
        ranked.min_by(|(left, _), (right, _)| left.cmp(right)).map(|(_, offer)| offer)
    }

    fn bundles(&self, requirement: &Requirement) -> Vec<(&'c str, &'c str)> {
        match requirement {
            Requirement::Kind(kind) => self.kinds.get(kind).cloned().unwrap_or_default(),
            Requirement::Package { package, range: Some(range), .. } => {
                let Some((package, content)) = self.catalog.packages().get_key_value(package)
                else {
                    return Vec::new();
                };
                let is_in = |bundle: &Bundle| bundle.version().is_some_and(|v| range.contains(v));
                let bundles = content.bundles().iter().filter(|(_, bundle)| is_in(bundle));
                bundles.map(|(name, _)| (package.as_str(), name.as_str())).collect()
            }
            _ => Vec::new(),
        }
    }

    /// Ranks a bundle; `heads` are those of default channels, as far as they are known.
    fn offer(
        &self,
        package: &'c str,
        bundle: &'c str,
        heads: &mut BTreeMap<&'c str, Option<&'c str>>,
    ) -> Option<(Rank<'c>, Offer<'c>)> {
        let content = self.catalog.packages().get(package)?;
        let has = |channel: &Channel| channel.entries().get(bundle).is_some();
        let default = content.default_channel();
        let is_in_default = content.channels().get(default).is_some_and(|channel| has(channel));
        let channel = if is_in_default {
            default
        } else {
            content.channels().iter().find(|(_, channel)| has(channel))?.0
        };
        let head = *heads.entry(package).or_insert_with(|| head(content, default));
        let is_head = is_in_default && head == Some(bundle);
        let version = content.bundles().get(bundle).and_then(|bundle| bundle.version());
        let rank = (!is_head, !is_in_default, Reverse(version), package, bundle);
        let default_channel = (!is_in_default).then_some(channel);
        Some((rank, Offer { package, channel, bundle, default_channel }))
    }
}

fn head<'c>(package: &'c Package, channel: &str) -> Option<&'c str> {
    let entries = package.channels().get(channel)?.entries();
    let graph = ChannelGraph::of(entries).ok()?;
    Some(entries.name(graph.head()))
}
