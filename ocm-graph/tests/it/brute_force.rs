//! Every path of the corpus' graphs, held against a search that is written another way: on the
//! JSON itself, by relaxing until nothing gets better.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use ocm_graph::{Advice, Graph, NoPath, Refusal, UpgradePath, Version, solve};
use serde_json::Value;

use crate::{
    corpus,
    fixture::{Chance, parts, steps, texts, version},
};

/// Most releases of a graph of which all pairs are tried.
const SMALL: usize = 64;
/// How many pairs are tried of a larger one.
const PAIRS: usize = 10_000;
/// How many of these begin at the same release: what the other search finds from there is found
/// once.
const PER_SOURCE: usize = 100;

/// A graph as lists, indices being those of the JSON.
pub(crate) struct Plain {
    versions: Vec<Version>,
    /// For each release those that it can become, the newest first, without conditions.
    next: Vec<Vec<usize>>,
    /// The same, with conditions.
    risky: Vec<Vec<usize>>,
}

/// Conditional upgrades, and all upgrades.
type Cost = (usize, usize);

impl Plain {
    pub(crate) fn of(json: &Value) -> Self {
        let nodes = json["nodes"].as_array().unwrap();
        let text = |node: &Value| node["version"].as_str().unwrap().parse().unwrap();
        let versions: Vec<Version> = nodes.iter().map(text).collect();
        let mut next = vec![BTreeSet::new(); versions.len()];
        for edge in json["edges"].as_array().unwrap() {
            let end = |at: usize| usize::try_from(edge[at].as_u64().unwrap()).unwrap();
            if end(0).max(end(1)) < versions.len() {
                next[end(0)].insert(end(1));
            }
        }
        let mut risky = vec![BTreeSet::new(); versions.len()];
        let place = |text: &Value| {
            let version = text.as_str()?.parse().ok()?;
            versions.iter().position(|known| *known == version)
        };
        for group in json["conditionalEdges"].as_array().into_iter().flatten() {
            for edge in group["edges"].as_array().unwrap() {
                if let (Some(from), Some(to)) = (place(&edge["from"]), place(&edge["to"]))
                    && !next[from].contains(&to)
                {
                    risky[from].insert(to);
                }
            }
        }
        let newest_first = |all: Vec<BTreeSet<usize>>| {
            let sorted = |some: BTreeSet<usize>| {
                let mut some: Vec<_> = some.into_iter().collect();
                some.sort_by(|a, b| versions[*b].cmp(&versions[*a]));
                some
            };
            all.into_iter().map(sorted).collect()
        };
        Self { next: newest_first(next), risky: newest_first(risky), versions }
    }

    pub(crate) fn count(&self) -> usize {
        self.versions.len()
    }

    /// Returns what each release costs to reach, with conditional upgrades: relaxed, round by
    /// round, until nothing changes.
    fn costs(&self, from: usize) -> Vec<Option<Cost>> {
        let mut costs = vec![None; self.versions.len()];
        costs[from] = Some((0, 0));
        // All of them in each round, not only up to the first that gets better.
        while (0..costs.len()).filter(|here| self.relax(*here, &mut costs)).count() > 0 {}
        costs
    }

    /// Takes note of what can be reached from `here` at a lower cost; returns whether there is any.
    fn relax(&self, here: usize, costs: &mut [Option<Cost>]) -> bool {
        let Some((conditions, hops)) = costs[here] else { return false };
        let mut is_better = false;
        let risky = self.risky[here].iter().map(|there| (there, 1));
        for (there, condition) in self.next[here].iter().map(|there| (there, 0)).chain(risky) {
            let cost = (conditions + condition, hops + 1);
            if costs[*there].is_none_or(|known| cost < known) {
                costs[*there] = Some(cost);
                is_better = true;
            }
        }
        is_better
    }

    /// Returns the path that oc-mirror takes: level by level, the newest first.
    fn breadth_first(&self, from: usize) -> Vec<Option<usize>> {
        let mut before = vec![None; self.versions.len()];
        before[from] = Some(from);
        let mut level = vec![from];
        while !level.is_empty() {
            let mut following = Vec::new();
            for (here, there) in
                level.iter().flat_map(|here| self.next[*here].iter().map(move |t| (here, t)))
            {
                if before[*there].is_none() {
                    before[*there] = Some(*here);
                    following.push(*there);
                }
            }
            level = following;
        }
        before
    }

    fn path(&self, before: &[Option<usize>], from: usize, to: usize) -> Option<Vec<String>> {
        let mut path = vec![to];
        while *path.last().unwrap() != from {
            path.push(before[*path.last().unwrap()]?);
        }
        path.reverse();
        Some(path.into_iter().map(|at| self.versions[at].to_string()).collect())
    }

    fn is_edge(&self, (from, to): (&Version, &Version), advice: Advice) -> bool {
        // As text: graphs of all architectures have versions that differ in build metadata alone.
        let place = |version: &Version| {
            let mut known = self.versions.iter().map(ToString::to_string);
            known.position(|known| known == version.to_string()).unwrap()
        };
        let all = match advice {
            Advice::Recommended => &self.next,
            Advice::Conditional => &self.risky,
        };
        all[place(from)].contains(&place(to))
    }
}

fn cost(path: &UpgradePath) -> Cost {
    (path.conditional().count(), path.hops().len())
}

/// What came out of the pairs of one graph or of many.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pairs: usize,
    safe: usize,
    risky: usize,
    none: usize,
}

pub(crate) fn compare(
    name: &str,
    (graph, plain): (&Graph, &Plain),
    from: usize,
    to: &[usize],
) -> Tally {
    let (costs, before) = (plain.costs(from), plain.breadth_first(from));
    let mut tally = Tally::default();
    for &to in to {
        tally.pairs += 1;
        let ends = (&plain.versions[from], &plain.versions[to]);
        let what = || format!("{name}: {} to {}", ends.0, ends.1);
        let best = solve(graph, ends, &Refusal::Nothing);
        let strict = solve(graph, ends, &Refusal::Everything);
        let expected = plain.path(&before, from, to);
        assert_eq!(strict.as_ref().ok().map(steps), expected, "{}", what());
        match (&best, costs[to]) {
            (Ok(path), Some(expected)) => {
                assert_eq!(cost(path), expected, "{}", what());
                let ends_of = |path: &UpgradePath| {
                    let (first, last) = (path.releases().first(), path.releases().last());
                    (first.unwrap().version.clone(), last.unwrap().version.clone())
                };
                assert_eq!(ends_of(path), (ends.0.clone(), ends.1.clone()), "{}", what());
                for hop in path.hops() {
                    assert!(plain.is_edge((&hop.from, &hop.to), hop.advice), "{}", what());
                }
                if expected.0 == 0 {
                    assert_eq!(Some(path), strict.as_ref().ok(), "{}", what());
                    tally.safe += 1;
                } else {
                    assert!(matches!(strict, Err(NoPath::Refused { .. })), "{}", what());
                    tally.risky += 1;
                }
            }
            (Err(NoPath::Unreachable { newest }), None) => {
                let reached = (0..costs.len()).filter(|at| costs[*at].is_some());
                let expected = reached.map(|at| &plain.versions[at]).max().unwrap();
                assert_eq!(newest, expected, "{}", what());
                tally.none += 1;
            }
            (best, expected) => panic!("{}: {best:?}, not {expected:?}", what()),
        }
    }
    tally
}

/// Returns the graphs below `folder`, each text once.
fn graphs(folder: &Path) -> BTreeMap<String, PathBuf> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if let Ok(text) = fs::read_to_string(&path)
                && serde_json::from_str(&text).is_ok_and(|json: Value| json["nodes"].is_array())
            {
                let first = found.entry(text).or_insert_with(|| path.clone());
                // The same name in every run, whatever order the folder has.
                *first = first.clone().min(path);
            }
        }
    }
    found
}

#[test]
fn paths_are_those_of_a_search_written_another_way() {
    let Some(corpus) = corpus::folder() else { return };
    let (mut all, mut small, mut large) = (Tally::default(), 0, 0);
    for folder in ["openshift-cincinnati", "oc-mirror", "derived/amd64"] {
        for (text, path) in graphs(&corpus.join("graphs").join(folder)) {
            let name = path.display().to_string();
            let graph = Graph::from_json(text.as_bytes()).unwrap();
            let plain = Plain::of(&serde_json::from_str(&text).unwrap());
            let count = plain.versions.len();
            let mut add = |tally: Tally| {
                all.pairs += tally.pairs;
                all.safe += tally.safe;
                all.risky += tally.risky;
                all.none += tally.none;
            };
            if count <= SMALL {
                small += 1;
                let to: Vec<_> = (0..count).collect();
                (0..count).for_each(|from| add(compare(&name, (&graph, &plain), from, &to)));
            } else {
                large += 1;
                let mut chance = Chance::new(7);
                for _ in 0..PAIRS / PER_SOURCE {
                    let from = chance.below(count);
                    let to: Vec<_> = (0..PER_SOURCE).map(|_| chance.below(count)).collect();
                    add(compare(&name, (&graph, &plain), from, &to));
                }
            }
        }
    }
    eprintln!("{small} small graphs, {large} large ones: {all:?}");
    assert_eq!((small, large), (50, 58));
    let expected = Tally { pairs: 631_026, safe: 154_047, risky: 31_880, none: 445_099 };
    assert_eq!(all, expected);
}

/// How many pairs of bounds are tried of each graph.
const BOUNDS: usize = 50;

#[test]
fn ranges_are_those_of_a_naive_filter() {
    let Some(corpus) = corpus::folder() else { return };
    let mut count = 0;
    for (text, path) in graphs(&corpus.join("graphs")) {
        let json: Value = serde_json::from_str(&text).unwrap();
        let nodes = json["nodes"].as_array().unwrap().iter();
        let versions: Vec<_> = nodes.map(|node| node["version"].as_str().unwrap()).collect();
        if versions.is_empty() {
            continue;
        }
        let graph = Graph::from_json(text.as_bytes()).unwrap();
        let mut chance = Chance::new(11);
        for _ in 0..BOUNDS {
            let [min, max] = [(); 2].map(|()| versions[chance.below(versions.len())]);
            let mut expected: Vec<_> = versions
                .iter()
                .filter(|version| parts(version) >= parts(min) && parts(version) <= parts(max))
                .copied()
                .collect();
            let bounds = version(min)..=version(max);
            let found = texts(graph.range(bounds).map(|release| &release.version));
            assert!(found.is_sorted_by_key(|version| parts(version)), "{}", path.display());
            expected.sort_by_key(|version| parts(version));
            assert_eq!(found, expected, "{}: {min} to {max}", path.display());
            count += 1;
        }
    }
    eprintln!("{count} ranges");
    assert_eq!(count, 5_350);
}
