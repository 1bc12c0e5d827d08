//! The filter once more, straight from the words of the specification, for clarity alone: what it
//! says of a selection, the fast one has to say as well.

use std::collections::{BTreeMap, BTreeSet};

use ocm_catalog::{Catalog, Extent, PackageSelection, PreReleases, Selection};
use semver::Version;

/// A package as it is read and as it is left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Package {
    pub(crate) default: String,
    pub(crate) channels: BTreeMap<String, Vec<Entry>>,
    /// Of each bundle its version.
    pub(crate) bundles: BTreeMap<String, Option<Version>>,
    pub(crate) deprecated: Vec<(String, String)>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    name: String,
    replaces: Option<String>,
    skips: Vec<String>,
}

/// Two bounds, as they are written.
type Bounds = (Option<String>, Option<String>);

pub(crate) fn packages(catalog: &Catalog) -> BTreeMap<String, Package> {
    let package = |package: &ocm_catalog::Package| Package {
        default: package.default_channel().to_owned(),
        channels: package
            .channels()
            .iter()
            .map(|(name, channel)| {
                let entries = channel.entries().edges().map(|edges| Entry {
                    name: edges.name().to_owned(),
                    replaces: edges.replaces().map(str::to_owned),
                    skips: edges.skips().map(str::to_owned).collect(),
                });
                (name.clone(), entries.collect())
            })
            .collect(),
        bundles: package
            .bundles()
            .iter()
            .map(|(name, bundle)| {
                let version = bundle.version().map(|v| Version::parse(&v.to_string()).unwrap());
                (name.clone(), version)
            })
            .collect(),
        deprecated: package
            .deprecations()
            .iter()
            .flat_map(|list| list.entries())
            .map(|entry| (entry.schema.clone(), entry.name.clone()))
            .collect(),
    };
    catalog.packages().iter().map(|(name, content)| (name.clone(), package(content))).collect()
}

/// Returns what remains, or `None` where something is wrong with what is wanted, or with the result.
pub(crate) fn filter(
    packages: &BTreeMap<String, Package>,
    selection: &Selection,
) -> Option<BTreeMap<String, Package>> {
    let mut left = BTreeMap::new();
    for (name, package) in packages {
        let wanted = selection.packages.iter().find(|wanted| wanted.name == *name);
        if wanted.is_none() && !selection.packages.is_empty() {
            continue;
        }
        if let Some(wanted) = wanted.filter(|wanted| has_none_of(package, wanted)) {
            bounds_of_channels(package, wanted, selection)?;
            continue;
        }
        let package = filter_package(package, wanted, selection)?;
        if !is_accepted(&package) {
            return None;
        }
        left.insert(name.clone(), package);
    }
    Some(left)
}

/// Whether channels are named, and the package has none of them.
fn has_none_of(package: &Package, wanted: &PackageSelection) -> bool {
    let mut channels = wanted.channels.iter();
    !wanted.channels.is_empty() && channels.all(|c| !package.channels.contains_key(&c.name))
}

fn filter_package(
    package: &Package,
    wanted: Option<&PackageSelection>,
    selection: &Selection,
) -> Option<Package> {
    let mut left = package.clone();
    let mut ranges = BTreeMap::new();
    if let Some(wanted) = wanted {
        select_channels(&mut left, wanted)?;
        ranges = bounds_of_channels(package, wanted, selection)?;
    }
    for (name, entries) in left.channels.clone() {
        let bounds = ranges.get(&name).cloned().unwrap_or((None, None));
        let kept = if selection.extent == Extent::Full {
            entries.iter().map(|entry| entry.name.clone()).collect()
        } else if let Some((version, texts)) = exact(&bounds) {
            the_one(&entries, package, &version, &texts)
        } else if bounds == (None, None) {
            BTreeSet::from([head(&entries)?])
        } else {
            cut(&entries, package, &bounds, selection.pre_releases)?
        };
        let entries: Vec<_> =
            entries.into_iter().filter(|entry| kept.contains(&entry.name)).collect();
        if entries.is_empty() {
            if name == left.default {
                return None;
            }
            left.channels.remove(&name);
        } else {
            left.channels.insert(name, entries);
        }
    }
    let kept: BTreeSet<_> = left.channels.values().flatten().map(|e| e.name.clone()).collect();
    left.bundles.retain(|name, _| kept.contains(name));
    left.deprecated.retain(|(schema, name)| match schema.as_str() {
        "olm.bundle" => left.bundles.contains_key(name),
        "olm.channel" => left.channels.contains_key(name),
        _ => true,
    });
    Some(left)
}

/// Takes away the channels that are not named, and finds the default one among the rest.
fn select_channels(package: &mut Package, wanted: &PackageSelection) -> Option<()> {
    if !wanted.channels.is_empty() {
        package.channels.retain(|name, _| wanted.channels.iter().any(|c| c.name == *name));
    }
    if let Some(default) = &wanted.default_channel {
        package.default.clone_from(default);
    }
    let is_there = package.default.is_empty() || package.channels.contains_key(&package.default);
    is_there.then_some(())
}

/// Returns the bounds of each channel, if they can be meant: its own, or those of the package.
fn bounds_of_channels(
    package: &Package,
    wanted: &PackageSelection,
    selection: &Selection,
) -> Option<BTreeMap<String, Bounds>> {
    let bounds = |range: &ocm_catalog::VersionRange| {
        let text = |bound: Option<&ocm_catalog::Bound>| bound.map(ToString::to_string);
        (text(range.minimum()), text(range.maximum()))
    };
    let of_package = bounds(&wanted.versions);
    let mut ranges = BTreeMap::new();
    let own = wanted.channels.iter().map(|channel| (&channel.name, bounds(&channel.versions)));
    for (name, own) in own {
        let is_bounded = own != (None, None);
        if is_bounded && of_package != (None, None) {
            return None;
        }
        // What a channel that is not there would have is nobody's concern.
        let is_there = package.channels.contains_key(name);
        if is_bounded && !is_meant(&own, package, selection, is_there) {
            return None;
        }
        ranges.insert(name.clone(), own);
    }
    if of_package != (None, None) && !is_meant(&of_package, package, selection, true) {
        return None;
    }
    for name in package.channels.keys() {
        let bounds = ranges.entry(name.clone()).or_insert((None, None));
        if *bounds == (None, None) {
            bounds.clone_from(&of_package);
        }
    }
    Some(ranges)
}

fn is_meant(bounds: &Bounds, package: &Package, selection: &Selection, is_there: bool) -> bool {
    let has = |version: &Version| {
        package.bundles.values().flatten().any(|known| is_equal(known, version))
    };
    let only = exact(bounds).filter(|_| is_there);
    selection.extent != Extent::Full
        && !is_crossed(bounds)
        && only.is_none_or(|(version, _)| has(&version))
}

/// Returns the one entry that nothing replaces or skips, if the channel is sound.
fn head(entries: &[Entry]) -> Option<String> {
    let names: BTreeSet<_> = entries.iter().map(|entry| &entry.name).collect();
    let is_itself = |entry: &Entry| {
        entry.replaces.as_ref() == Some(&entry.name) || entry.skips.contains(&entry.name)
    };
    if names.len() < entries.len() || entries.iter().any(is_itself) {
        return None;
    }
    let below = names_below(entries.iter());
    let heads: Vec<_> = names.into_iter().filter(|name| !below.contains(name)).collect();
    let [head] = heads.as_slice() else { return None };
    // Without a cycle, heads can be taken away until nothing is left.
    let mut left: Vec<&Entry> = entries.iter().collect();
    while !left.is_empty() {
        let below = names_below(left.iter().copied());
        let next: Vec<&Entry> =
            left.iter().copied().filter(|entry| below.contains(&entry.name)).collect();
        if next.len() == left.len() {
            return None;
        }
        left = next;
    }
    Some((**head).clone())
}

fn names_below<'e>(entries: impl Iterator<Item = &'e Entry>) -> BTreeSet<&'e String> {
    entries.flat_map(|entry| entry.replaces.iter().chain(&entry.skips)).collect()
}

/// Returns the head, what it replaces, and so on; also a name at the end that is no entry.
fn chain(entries: &[Entry], head: String) -> Vec<String> {
    let mut chain = vec![head];
    while let Some(last) = chain.last().and_then(|last| find(entries, last)) {
        match &last.replaces {
            Some(next) => chain.push(next.clone()),
            None => break,
        }
    }
    chain
}

fn find<'e>(entries: &'e [Entry], name: &str) -> Option<&'e Entry> {
    entries.iter().find(|entry| entry.name == name)
}

fn cut(
    entries: &[Entry],
    package: &Package,
    bounds: &Bounds,
    pre_releases: PreReleases,
) -> Option<BTreeSet<String>> {
    let chain = chain(entries, head(entries)?);
    let in_range = |name: &String| {
        let version = package.bundles.get(name).cloned().flatten();
        // What is no entry cannot remain, so nothing should for its sake: here we are stricter.
        find(entries, name).is_some()
            && version.is_some_and(|version| contains(bounds, &version, pre_releases))
    };
    let skips = |name: &String| find(entries, name).map(|e| e.skips.clone()).unwrap_or_default();
    let mut seen = BTreeSet::new();
    let mut counts = vec![0; chain.len()];
    let mut count = 0;
    for (nth, name) in chain.iter().enumerate().rev() {
        for name in [name.clone()].into_iter().chain(skips(name)) {
            if in_range(&name) && seen.insert(name) {
                count += 1;
            }
        }
        counts[nth] = count;
    }
    let mut kept = BTreeSet::new();
    if count == 0 {
        return Some(kept);
    }
    let new_head = counts.iter().rposition(|c| *c == count)?;
    let new_tail = counts.iter().position(|c| *c == 0).unwrap_or(chain.len());
    for name in &chain[new_head..new_tail] {
        kept.insert(name.clone());
        kept.extend(skips(name).into_iter().filter(in_range));
    }
    Some(kept)
}

/// Returns the entry of one version: of several the one that is written the same, or the one that
/// is nearest to the head.
fn the_one(
    entries: &[Entry],
    package: &Package,
    version: &Version,
    texts: &[String],
) -> BTreeSet<String> {
    let mut order = Vec::new();
    for name in head(entries).map(|head| chain(entries, head)).unwrap_or_default() {
        order.push(name.clone());
        order.extend(find(entries, &name).map(|e| e.skips.clone()).unwrap_or_default());
    }
    order.extend(entries.iter().map(|entry| entry.name.clone()));
    order.retain(|name| {
        let known = package.bundles.get(name).cloned().flatten();
        find(entries, name).is_some() && known.is_some_and(|known| is_equal(&known, version))
    });
    let is_written = |name: &&String| {
        let known = package.bundles.get(*name).cloned().flatten();
        known.is_some_and(|known| texts.contains(&known.to_string()))
    };
    order.iter().find(is_written).or(order.first()).cloned().into_iter().collect()
}

/// Reads a bound: its version, and how many of its numbers are written.
fn bound(text: &str) -> (Version, usize) {
    let text = text.trim().trim_start_matches('v');
    let end = text.find(['-', '+']).unwrap_or(text.len());
    let numbers: Vec<u64> = text[..end].split('.').map(|part| part.parse().unwrap()).collect();
    let nth = |nth: usize| numbers.get(nth).copied().unwrap_or(0);
    let full = format!("{}.{}.{}{}", nth(0), nth(1), nth(2), &text[end..]);
    (Version::parse(&full).unwrap(), numbers.len())
}

fn is_equal(left: &Version, right: &Version) -> bool {
    left.cmp_precedence(right).is_eq()
}

fn at_most(version: &Version, text: &str) -> bool {
    match bound(text) {
        (most, 1) => version.major <= most.major,
        (most, 2) => [version.major, version.minor] <= [most.major, most.minor],
        (most, _) => version.cmp_precedence(&most).is_le(),
    }
}

fn contains((minimum, maximum): &Bounds, version: &Version, pre_releases: PreReleases) -> bool {
    let named = [minimum, maximum].into_iter().flatten().any(|text| !bound(text).0.pre.is_empty());
    let is_hidden = !version.pre.is_empty() && !named && pre_releases == PreReleases::Hidden;
    let is_above =
        minimum.as_ref().is_none_or(|text| version.cmp_precedence(&bound(text).0).is_ge());
    !is_hidden && is_above && maximum.as_ref().is_none_or(|text| at_most(version, text))
}

fn is_crossed(bounds: &Bounds) -> bool {
    matches!(bounds, (Some(minimum), Some(maximum)) if !at_most(&bound(minimum).0, maximum))
}

/// Returns the only version that is wanted, and the ways it is written.
fn exact(bounds: &Bounds) -> Option<(Version, [String; 2])> {
    let (minimum, maximum) = (bound(bounds.0.as_ref()?), bound(bounds.1.as_ref()?));
    let is_whole = maximum.1 == 3 || minimum.1 == maximum.1;
    let is_same = is_equal(&minimum.0, &maximum.0) && is_whole;
    let texts = [minimum.0.to_string(), maximum.0.to_string()];
    is_same.then_some((minimum.0, texts))
}

/// Whether OLM accepts a package, as far as filtering can change that.
fn is_accepted(package: &Package) -> bool {
    let channels = &package.channels;
    let mut versions = BTreeSet::new();
    channels.contains_key(&package.default)
        && channels.values().all(|entries| is_accepted_channel(entries))
        && channels.values().flatten().all(|entry| package.bundles.contains_key(&entry.name))
        && package.bundles.values().all(|version| {
            version.as_ref().is_some_and(|version| versions.insert(version.to_string()))
        })
}

fn is_accepted_channel(entries: &[Entry]) -> bool {
    let Some(head) = head(entries) else { return false };
    let skipped: BTreeSet<_> = entries.iter().flat_map(|entry| &entry.skips).collect();
    let mut reached = BTreeSet::new();
    for name in chain(entries, head) {
        if skipped.contains(&name) {
            break;
        }
        reached.insert(name);
    }
    entries.iter().all(|e| skipped.contains(&e.name) || reached.contains(&e.name))
}
