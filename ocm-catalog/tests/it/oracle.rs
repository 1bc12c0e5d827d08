//! Selections, held against what oc-mirror made of them.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
};

use ocm_catalog::{
    Bound, BrokenCatalog, Catalog, ChannelSelection, Defect, Extent, FilterError, Flaw,
    PackageSelection, Selection, VersionRange, validate,
};
use serde::Deserialize;

use crate::corpus::{catalog, corpus};

#[derive(Deserialize)]
struct Case {
    catalog: String,
    operator: Operator,
    expect: Expected,
}

#[derive(Deserialize, Debug)]
struct Operator {
    #[serde(default)]
    full: bool,
    #[serde(default)]
    packages: Vec<OperatorPackage>,
}

#[derive(Deserialize, Debug)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct OperatorPackage {
    name: String,
    #[serde(default)]
    channels: Vec<OperatorChannel>,
    default_channel: Option<String>,
    min_version: Option<String>,
    max_version: Option<String>,
}

#[derive(Deserialize, Debug)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct OperatorChannel {
    name: String,
    min_version: Option<String>,
    max_version: Option<String>,
}

#[derive(Deserialize, Debug)]
struct Expected {
    error: Option<String>,
    #[serde(default)]
    packages: BTreeMap<String, ExpectedPackage>,
    #[serde(default)]
    unstable: bool,
}

#[derive(Deserialize, Debug, Clone, PartialEq, Eq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ExpectedPackage {
    default_channel: String,
    channels: BTreeMap<String, BTreeSet<String>>,
    bundles: BTreeSet<String>,
}

fn range(minimum: Option<&String>, maximum: Option<&String>) -> Result<VersionRange, String> {
    let bound = |text: Option<&String>| {
        let text = text.filter(|text| !text.is_empty());
        text.map(|text| text.parse::<Bound>().map_err(|error| error.to_string())).transpose()
    };
    Ok(VersionRange::new(bound(minimum)?, bound(maximum)?))
}

fn selection(operator: &Operator) -> Result<Selection, String> {
    let channel = |channel: &OperatorChannel| {
        let versions = range(channel.min_version.as_ref(), channel.max_version.as_ref())?;
        Ok(ChannelSelection { name: channel.name.clone(), versions })
    };
    let package = |package: &OperatorPackage| {
        Ok::<_, String>(PackageSelection {
            name: package.name.clone(),
            default_channel: package.default_channel.clone(),
            versions: range(package.min_version.as_ref(), package.max_version.as_ref())?,
            channels: package.channels.iter().map(channel).collect::<Result<_, String>>()?,
            ..PackageSelection::default()
        })
    };
    let extent = if operator.full { Extent::Full } else { Extent::Heads };
    let packages = operator.packages.iter().map(package).collect::<Result<_, String>>()?;
    Ok(Selection { extent, packages, ..Selection::default() })
}

/// What came of a selection: packages, or why there are none.
type Outcome = Result<BTreeMap<String, ExpectedPackage>, Vec<&'static str>>;

fn found(catalog: &Catalog) -> BTreeMap<String, ExpectedPackage> {
    let packages = catalog.packages().iter();
    packages
        .map(|(name, package)| {
            let channels = package.channels().iter().map(|(name, channel)| {
                (name.clone(), channel.entries().names().map(str::to_owned).collect())
            });
            let found = ExpectedPackage {
                default_channel: package.default_channel().to_owned(),
                channels: channels.collect(),
                bundles: package.bundles().keys().cloned().collect(),
            };
            (name.clone(), found)
        })
        .collect()
}

fn outcome(catalog: &Result<Catalog, BrokenCatalog>, operator: &Operator) -> Outcome {
    let Ok(selection) = selection(operator) else { return Err(vec![NO_VERSION]) };
    let Ok(catalog) = catalog else { return Err(vec![CHANNEL_TWICE]) };
    let reason = |error: &FilterError| match error {
        FilterError::FullWithVersions { .. } => FULL,
        FilterError::VersionsTwice { .. } => VERSIONS_TWICE,
        FilterError::CrossedBounds { .. } => CROSSED,
        FilterError::NoSuchDefault { .. } => NO_DEFAULT,
        FilterError::DefaultNotSelected { .. } => DEFAULT_LOST,
        FilterError::DefaultEmptied { .. } => EMPTIED,
        FilterError::NoSuchVersion { .. } => NO_SUCH_VERSION,
        FilterError::Invalid(Defect { flaw, .. }) => match flaw {
            Flaw::NotIntroduced | Flaw::NoBundle { .. } => NO_CATALOG,
            Flaw::Stranded { .. } => STRANDED,
            _ => "something else",
        },
        _ => "something else",
    };
    let filtered = catalog.filter(&selection);
    let filtered =
        filtered.map_err(|errors| errors.errors().iter().map(reason).collect::<Vec<_>>())?;
    let refused = validate(&filtered.catalog).into_iter().find(|defect| defect.flaw.is_refused());
    assert!(refused.is_none() || selection.is_everything(), "{operator:?}: {refused:?}");
    Ok(found(&filtered.catalog))
}

const NO_VERSION: &str = "a bound is no version";
const CHANNEL_TWICE: &str = "a channel is in the catalog twice";
const FULL: &str = "full, and versions";
const VERSIONS_TWICE: &str = "versions of a package and of its channel";
const CROSSED: &str = "the lower bound is above the upper one";
const NO_DEFAULT: &str = "the default channel that is asked for is not selected";
const DEFAULT_LOST: &str = "the default channel is not selected";
const EMPTIED: &str = "the default channel has none of the versions";
const NO_SUCH_VERSION: &str = "no bundle has the only version that is wanted";
const NO_CATALOG: &str = "there is a channel alone, without a package and bundles";
const STRANDED: &str = "the catalog has entries that no upgrade leads from";

/// Returns for what reason of ours oc-mirror refuses, going by its words.
fn reason(error: &str) -> &'static str {
    let reasons = [
        ("improper constraint", NO_VERSION),
        ("are exclusive", VERSIONS_TWICE),
        ("cannot be mixed with versionRange", FULL),
        ("does not exist in the filtered output", NO_DEFAULT),
        ("was filtered out", DEFAULT_LOST),
        ("results in an empty channel", EMPTIED),
        ("not found in bundles", NO_SUCH_VERSION),
    ];
    reasons.into_iter().find(|(words, _)| error.contains(words)).map_or("?", |(_, reason)| reason)
}

/// Whether something is so wrong that nothing else was looked at.
fn is_refused_early(reasons: &[&str]) -> bool {
    reasons.iter().all(|reason| [NO_VERSION, CHANNEL_TWICE, NO_CATALOG].contains(reason))
}

/// Takes out of what oc-mirror found what OLM would not accept there.
fn without(
    packages: &BTreeMap<String, ExpectedPackage>,
    take: impl Fn(&mut ExpectedPackage),
) -> BTreeMap<String, ExpectedPackage> {
    let mut packages = packages.clone();
    packages.values_mut().for_each(take);
    packages
}

/// A channel without entries, and what only that had.
fn empty_channels(package: &mut ExpectedPackage) {
    package.channels.retain(|_, entries| !entries.is_empty());
    unlisted_bundles(package);
}

/// A bundle that is in no channel.
fn unlisted_bundles(package: &mut ExpectedPackage) {
    let listed: BTreeSet<_> = package.channels.values().flatten().cloned().collect();
    package.bundles.retain(|bundle| listed.contains(bundle));
}

/// Returns in what way the two answers differ.
fn difference(expected: &Expected, ours: &Outcome) -> String {
    let theirs = &expected.packages;
    match (&expected.error, ours) {
        (Some(error), Err(ours)) if ours.contains(&reason(error)) => "both refuse".to_owned(),
        (Some(_), Err(ours)) if is_refused_early(ours) => "both refuse".to_owned(),
        (Some(error), Err(ours)) => format!("refused because {}, not {}", ours[0], reason(error)),
        (Some(error), Ok(_)) => format!("accepted, not refused because {}", reason(error)),
        (None, Err(ours)) => format!("refused because {}", ours[0]),
        (None, Ok(ours)) if ours == theirs => "same".to_owned(),
        (None, Ok(ours)) if *ours == without(theirs, unlisted_bundles) => {
            "without bundles that are in no channel".to_owned()
        }
        (None, Ok(ours)) if *ours == without(theirs, empty_channels) => {
            "without channels that have no entries".to_owned()
        }
        (None, Ok(_)) if expected.unstable => "another of several bundles of a version".to_owned(),
        (None, Ok(ours)) => format!("other packages: {ours:?}"),
    }
}

/// Every way in which the answers differ, and how often; `docs/differences.md` says why.
const KINDS: [(&str, u32); 12] = [
    ("accepted, not refused because the default channel has none of the versions", 1),
    ("another of several bundles of a version", 3),
    ("both refuse", 536),
    ("refused because a bound is no version", 4),
    ("refused because a channel is in the catalog twice", 155),
    ("refused because the catalog has entries that no upgrade leads from", 2),
    ("refused because the default channel has none of the versions", 29),
    ("refused because the lower bound is above the upper one", 18),
    ("refused because there is a channel alone, without a package and bundles", 197),
    ("same", 1866),
    ("without bundles that are in no channel", 7),
    ("without channels that have no entries", 10),
];

#[test]
fn selections_as_oc_mirror_reads_them() {
    let Some(corpus) = corpus() else { return };
    let cases = fs::read_to_string(corpus.join("oracle/filter.jsonl")).unwrap();
    let mut catalogs = BTreeMap::new();
    let mut counts: BTreeMap<String, u32> = BTreeMap::new();
    for line in cases.lines() {
        let Case { catalog: folder, operator, expect } = serde_json::from_str(line).unwrap();
        let root = corpus.join(&folder);
        let catalog = catalogs.entry(folder).or_insert_with(|| catalog(&root));
        let kind = difference(&expect, &outcome(catalog, &operator));
        *counts.entry(kind).or_default() += 1;
    }
    let counts: Vec<_> = counts.iter().map(|(kind, count)| (kind.as_str(), *count)).collect();
    assert_eq!(counts, KINDS);
}
