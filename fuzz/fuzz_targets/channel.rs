//! The upgrades of a channel, whatever they are: what is accepted is what a search over all ways
//! accepts, and what is cut out of it is accepted, too.
#![no_main]

use std::collections::BTreeSet;

use libfuzzer_sys::fuzz_target;
use ocm_catalog::{
    Catalog, ChannelSelection, Extent, Flaw, PackageSelection, PreReleases, Selection,
    VersionRange, Wanted, assemble, read, validate,
};
use serde_json::json;

/// Most entries: so few that all ways can be gone, and each fits into the bits of a mask.
const MOST: usize = 8;

/// An entry: the place of what it replaces, which may be none of them, and what it skips.
#[derive(Debug, Clone, Copy)]
struct Entry {
    replaces: Option<usize>,
    skips: u8,
}

impl Entry {
    fn of(bytes: [u8; 2]) -> Self {
        let replaces = usize::from(bytes[0]) % (MOST + 2);
        Self { replaces: Some(replaces).filter(|place| *place <= MOST), skips: bytes[1] }
    }

    fn skips(self) -> impl Iterator<Item = usize> {
        (0..MOST).filter(move |place| self.skips & (1 << place) != 0)
    }

    fn upgrades_from(self) -> impl Iterator<Item = usize> {
        self.replaces.into_iter().chain(self.skips())
    }
}

fuzz_target!(|input: &[u8]| {
    let Some(([lowest, highest], rest)) = input.split_first_chunk::<2>() else { return };
    let (pairs, _) = rest.as_chunks::<2>();
    let entries: Vec<_> = pairs.iter().take(MOST).map(|pair| Entry::of(*pair)).collect();
    let catalog = catalog(&entries);
    let defects = validate(&catalog);
    let is_refused = defects.iter().any(|defect| matches!(defect.flaw, Flaw::Channel { .. }));
    assert_eq!(!is_refused, is_sound(&entries), "{entries:?}: {defects:?}");
    for extent in [Extent::Heads, Extent::Full] {
        cut(&catalog, VersionRange::default(), extent);
    }
    let bound = |byte: &u8| match byte % 12 {
        nth @ 0..=9 => Some(format!("1.{nth}.0").parse().expect("it is a version")),
        _ => None,
    };
    cut(&catalog, VersionRange::new(bound(lowest), bound(highest)), Extent::Heads);
});

fn name(place: usize) -> String {
    format!("op.v1.{place}.0")
}

fn catalog(entries: &[Entry]) -> Catalog {
    let entry = |(place, entry): (usize, &Entry)| {
        let skips: Vec<_> = entry.skips().map(name).collect();
        json!({"name": name(place), "replaces": entry.replaces.map(name), "skips": skips})
    };
    let bundle = |place: usize| {
        let version = json!({"packageName": "op", "version": format!("1.{place}.0")});
        json!({
            "schema": "olm.bundle", "package": "op", "name": name(place), "image": "quay.io/op/op:v1",
            "properties": [{"type": "olm.package", "value": version}],
        })
    };
    let channel: Vec<_> = entries.iter().enumerate().map(entry).collect();
    let mut objects = vec![
        json!({"schema": "olm.package", "name": "op", "defaultChannel": "stable"}),
        json!({"schema": "olm.channel", "package": "op", "name": "stable", "entries": channel}),
    ];
    objects.extend((0..entries.len()).map(bundle));
    let text: String = objects.iter().map(ToString::to_string).collect();
    assemble([read("op.json", text.as_bytes(), &Wanted::All)]).expect("all can be read").catalog
}

/// Whether there is one head, and no way leads back to where it began.
fn is_sound(entries: &[Entry]) -> bool {
    let named: BTreeSet<_> = entries.iter().flat_map(|entry| entry.upgrades_from()).collect();
    let heads = (0..entries.len()).filter(|place| !named.contains(place)).count();
    heads == 1 && (0..entries.len()).all(|place| !leads_back(entries, place))
}

fn leads_back(entries: &[Entry], start: usize) -> bool {
    let (mut left, mut seen) = (vec![start], BTreeSet::new());
    while let Some(entry) = left.pop().and_then(|place| entries.get(place)) {
        for place in entry.upgrades_from().filter(|place| *place < entries.len()) {
            if place == start {
                return true;
            }
            if seen.insert(place) {
                left.push(place);
            }
        }
    }
    false
}

fn cut(catalog: &Catalog, versions: VersionRange, extent: Extent) {
    let channels = vec![ChannelSelection { name: "stable".to_owned(), versions }];
    let name = "op".to_owned();
    let package = PackageSelection { name, channels, ..PackageSelection::default() };
    let pre_releases = PreReleases::Hidden;
    let selection = Selection { extent, packages: vec![package], pre_releases };
    let Ok(filtered) = catalog.filter(&selection) else { return };
    let refused = validate(&filtered.catalog).into_iter().find(|one| one.flaw.is_refused());
    assert_eq!(refused, None, "{selection:?}");
    let again = filtered.catalog.filter(&selection).expect("it was possible once").catalog;
    assert!(again == filtered.catalog, "it was cut differently the second time: {selection:?}");
}
