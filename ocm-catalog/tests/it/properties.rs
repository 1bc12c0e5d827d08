//! What holds of every catalog and every selection: on all of the corpus, and on catalogs made up.

use std::{collections::BTreeMap, fs, path::Path};

use ocm_catalog::{
    Bound, Catalog, ChannelSelection, Extent, PackageSelection, PreReleases, Selection,
    VersionRange, Wanted, assemble, read, validate,
};

use crate::{
    corpus::{self, corpus},
    fixture, naive,
};

/// Numbers that look random, and are the same every time.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn roll(&mut self, sides: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % sides.max(1)
    }

    pub(crate) fn once_in(&mut self, sides: usize) -> bool {
        self.roll(sides) == 0
    }

    fn pick<'a, T>(&mut self, from: &'a [T]) -> Option<&'a T> {
        from.get(self.roll(from.len()))
    }
}

/// Writes a bound that is near to some version of the package, in one of the ways that people do.
fn bound(dice: &mut Dice, versions: &[String]) -> Bound {
    let version = dice.pick(versions).cloned().unwrap_or_else(|| "1.0.0".to_owned());
    let numbers = version.split(['-', '+']).next().unwrap_or_default().to_owned();
    let text = match dice.roll(8) {
        0 => numbers,
        1 => numbers.rsplit_once('.').map_or_else(|| numbers.clone(), |(two, _)| two.to_owned()),
        2 => numbers.split('.').next().unwrap_or_default().to_owned(),
        3 => format!("v{version}"),
        4 => format!("{numbers}-0"),
        _ => version,
    };
    text.parse().unwrap()
}

fn range(dice: &mut Dice, versions: &[String]) -> VersionRange {
    match dice.roll(8) {
        0..=2 => VersionRange::new(Some(bound(dice, versions)), None),
        3..=4 => VersionRange::new(None, Some(bound(dice, versions))),
        5 => {
            let bound = Some(bound(dice, versions));
            VersionRange::new(bound.clone(), bound)
        }
        _ => VersionRange::new(Some(bound(dice, versions)), Some(bound(dice, versions))),
    }
}

fn package(dice: &mut Dice, name: &str, catalog: &Catalog) -> PackageSelection {
    let package = &catalog.packages()[name];
    let channels: Vec<_> = package.channels().keys().cloned().collect();
    let versions: Vec<_> =
        package.bundles().values().filter_map(|bundle| bundle.version()).collect();
    let versions: Vec<_> = versions.iter().map(ToString::to_string).collect();
    let mut wanted = PackageSelection { name: name.to_owned(), ..PackageSelection::default() };
    let by_package = dice.once_in(2);
    if by_package && !dice.once_in(4) {
        wanted.versions = range(dice, &versions);
    }
    for _ in 0..dice.roll(4) {
        let Some(name) = dice.pick(&channels).cloned() else { break };
        if wanted.channels.iter().any(|channel| channel.name == name) {
            continue;
        }
        let bounded = if by_package { dice.once_in(20) } else { dice.once_in(2) };
        let versions = if bounded { range(dice, &versions) } else { VersionRange::default() };
        wanted.channels.push(ChannelSelection { name, versions });
    }
    let is_default = |channel: &ChannelSelection| channel.name == package.default_channel();
    let loses_default = !wanted.channels.is_empty() && !wanted.channels.iter().any(is_default);
    if loses_default && !dice.once_in(4) || dice.once_in(10) {
        let from = wanted.channels.iter().map(|channel| channel.name.clone());
        let from: Vec<_> = from.collect();
        wanted.default_channel =
            dice.pick(if from.is_empty() { &channels } else { &from }).cloned();
    }
    wanted
}

fn selection(dice: &mut Dice, catalog: &Catalog) -> Selection {
    let names: Vec<_> = catalog.packages().keys().cloned().collect();
    let mut packages: Vec<PackageSelection> = Vec::new();
    for _ in 0..=dice.roll(3) {
        let Some(name) = dice.pick(&names) else { break };
        if packages.iter().all(|package| package.name != *name) {
            packages.push(package(dice, name, catalog));
        }
    }
    let extent = if dice.once_in(12) { Extent::Full } else { Extent::Heads };
    if dice.once_in(40) {
        packages.clear();
    }
    let pre_releases = if dice.once_in(4) { PreReleases::Admitted } else { PreReleases::Hidden };
    Selection { extent, packages, pre_releases }
}

/// Reads the files that a catalog is written as.
pub(crate) fn read_again(catalog: &Catalog) -> Catalog {
    let files: Vec<_> = catalog.render().collect();
    let files = files.iter().map(|file| read(&file.path, &file.bytes, &Wanted::All));
    assemble(files).unwrap().catalog
}

/// Checks one selection; returns whether something remains.
fn check(
    catalog: &Catalog,
    packages: &BTreeMap<String, naive::Package>,
    selection: &Selection,
    dice: &mut Dice,
) -> bool {
    if selection.is_everything() {
        return false;
    }
    let expected = naive::filter(packages, selection);
    let Ok(filtered) = catalog.filter(selection) else {
        assert!(expected.is_none(), "refused: {selection:#?}");
        return false;
    };
    let left = filtered.catalog;
    assert_eq!(expected, Some(naive::packages(&left)), "{selection:#?}");
    let refused = validate(&left).into_iter().find(|defect| defect.flaw.is_refused());
    assert_eq!(refused, None, "{selection:#?}");
    let again = left.filter(selection).map(|filtered| filtered.catalog);
    let again = again.unwrap_or_else(|e| panic!("{}: {selection:#?}", fixture::words(&e)));
    assert!(again == left, "once more: {selection:#?}");
    if dice.once_in(8) {
        // The packages that were not wanted are not known any more; else it is the same.
        assert!(read_again(&left) == left, "written: {selection:#?}");
    }
    check_bodies(catalog, &left);
    check_wider(catalog, selection, &left, dice);
    true
}

/// What stays as it is, is the same bytes.
pub(crate) fn check_bodies(before: &Catalog, after: &Catalog) {
    for (name, package) in after.packages() {
        let old = &before.packages()[name];
        for (name, bundle) in package.bundles() {
            assert!(bundle.body() == old.bundles()[name].body(), "{name}");
        }
        for (name, channel) in package.channels() {
            let old = &old.channels()[name];
            if channel.entries().len() == old.entries().len() {
                assert!(channel.body() == old.body(), "{name}");
            }
        }
    }
}

/// A wider range has all that the narrower one has.
fn check_wider(catalog: &Catalog, selection: &Selection, left: &Catalog, dice: &mut Dice) {
    let mut wider = selection.clone();
    let stretch = |range: &VersionRange, dice: &mut Dice| match (range.minimum(), range.maximum()) {
        // What names no pre-release has none; so only bounds go that name none.
        (Some(minimum), maximum) if range.exact().is_none() => {
            let is_pre_release = |bound: &Bound| bound.to_string().contains('-');
            let lowest = if is_pre_release(minimum) { "0.0.0-0" } else { "0" };
            let keeps = maximum.filter(|bound| is_pre_release(bound) || dice.once_in(2)).cloned();
            VersionRange::new(lowest.parse().ok(), keeps)
        }
        _ => range.clone(),
    };
    for package in &mut wider.packages {
        package.versions = stretch(&package.versions, dice);
        for channel in &mut package.channels {
            channel.versions = stretch(&channel.versions, dice);
        }
    }
    let Ok(more) = catalog.filter(&wider) else { return };
    for (name, package) in left.packages() {
        for bundle in package.bundles().keys() {
            let has = more.catalog.packages()[name].bundles().contains_key(bundle);
            assert!(has, "{bundle} is lost: {selection:#?} {wider:#?}");
        }
    }
}

#[test]
fn selections_of_the_corpus() {
    let Some(corpus) = corpus() else { return };
    let (mut catalogs, mut remaining, mut all) = (0, 0, 0);
    for root in roots(&corpus) {
        let Ok(catalog) = corpus::catalog(&root) else { continue };
        let packages = naive::packages(&catalog);
        // The many versions of one operator's catalog need fewer each.
        let rolls = if catalog.packages().len() > 1 { 300 } else { 60 };
        let mut dice = Dice(catalogs);
        for _ in 0..rolls {
            let selection = selection(&mut dice, &catalog);
            remaining += u32::from(check(&catalog, &packages, &selection, &mut dice));
            all += 1;
        }
        catalogs += 1;
    }
    eprintln!("{all} selections of {catalogs} catalogs, of {remaining} something remains");
    assert!(catalogs > 20 && all > 2_000 && remaining * 3 > all, "{catalogs} {all} {remaining}");
}

/// Returns the directories that are a catalog each.
pub(crate) fn roots(corpus: &Path) -> Vec<std::path::PathBuf> {
    let mut roots = vec![
        corpus.join("fbc/art-fbc-4.17"),
        corpus.join("fbc/community-operators-prod/catalogs/v4.16"),
        corpus.join("fbc/community-operators-prod/catalogs/v4.18"),
        corpus.join("fbc-derived/community-v4.18"),
        corpus.join("fbc-fixtures/deprecations"),
    ];
    let mut several =
        vec![corpus.join("fbc/konflux-coo-fbc/catalog"), corpus.join("fbc/lightspeed-operator")];
    several.push(corpus.join("fbc/konflux-tempo/catalog"));
    for release in directories(&corpus.join("fbc/rhods-operator/main/catalog")) {
        several.push(release);
    }
    several.push(corpus.join("fbc/snapshots"));
    // Releases of one operator differ little: every third will do.
    roots.extend(several.iter().flat_map(|parent| directories(parent)).step_by(3));
    roots
}

fn directories(parent: &Path) -> Vec<std::path::PathBuf> {
    let entries = fs::read_dir(parent).unwrap().map(|entry| entry.unwrap().path());
    let mut directories: Vec<_> = entries.filter(|path| path.is_dir()).collect();
    directories.sort();
    directories
}

/// Catalogs of a few bundles, in which everything can be replaced and skipped by everything, names
/// are missing, and versions meet.
#[test]
fn selections_of_catalogs_made_up() {
    let mut remaining = 0;
    for seed in 0..1_500 {
        let mut dice = Dice(seed);
        let catalog = made_up(&mut dice);
        let packages = naive::packages(&catalog);
        for _ in 0..8 {
            let selection = selection(&mut dice, &catalog);
            remaining += u32::from(check(&catalog, &packages, &selection, &mut dice));
        }
    }
    eprintln!("of {remaining} something remains");
    assert!(remaining > 2_000, "{remaining}");
}

pub(crate) fn made_up(dice: &mut Dice) -> Catalog {
    let versions = ["0.9.0", "1.0.0-1", "1.0.0", "1.0.0+b", "1.1.0", "1.2.0-rc.1", "2.0.0", "none"];
    let names = ["a", "b", "c", "d", "e", "f", "g", "h"];
    let channel = |dice: &mut Dice| {
        let length = 1 + dice.roll(names.len());
        let start = dice.roll(names.len() - length + 1);
        let entries = (start..start + length).map(|nth| {
            // Mostly a chain; now and then anything at all.
            let replaces = match dice.roll(8) {
                0 => format!("<{}", names[dice.roll(names.len())]),
                sides if nth > 0 && (nth > start || sides > 4) => format!("<{}", names[nth - 1]),
                _ => String::new(),
            };
            let skips = (0..dice.roll(5).saturating_sub(2)).map(|_| names[dice.roll(nth + 1)]);
            let skips: Vec<_> = skips.filter(|skip| *skip != names[nth]).collect();
            format!("{}{replaces}{{{}}}", names[nth], skips.join(","))
        });
        entries.collect::<Vec<_>>().join(" ")
    };
    let offset = dice.roll(3);
    let is_broken = dice.once_in(10);
    let version = |name: &str| {
        let nth = names.iter().position(|known| *known == name)?;
        let nth = if is_broken { nth } else { nth.min(6) };
        Some(versions[(nth + offset).min(if is_broken { 7 } else { 6 })].to_owned()).map(
            |version| if nth == 6 && !is_broken { format!("2.{offset}.{nth}") } else { version },
        )
    };
    let channels = [channel(dice), channel(dice), channel(dice)];
    let [one, two, three] = channels.each_ref().map(String::as_str);
    let channels = [("one", one), ("two", two), ("three", three)];
    fixture::catalog(&[&fixture::package("p", "one", &channels[..=dice.roll(3)], version)])
}
