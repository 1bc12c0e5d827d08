//! Files of a catalog that somebody altered are refused, or mean the same however often they are
//! written, and what is selected of them is as sound as they were.
#![no_main]

use std::collections::BTreeSet;

use libfuzzer_sys::fuzz_target;
use ocm_catalog::{
    BundleImages, Catalog, Extent, ImageList, Outline, PackageSelection, Selection, Wanted,
    assemble, read,
};

/// What the files are called: names decide nothing but their order.
const NAMES: [&str; 2] = ["a/catalog.yaml", "b.json"];

fuzz_target!(|input: &[u8]| {
    // The first two bytes say where the second file begins.
    let Some((at, rest)) = input.split_first_chunk::<2>() else { return };
    let (first, second) = rest.split_at(usize::from(u16::from_le_bytes(*at)).min(rest.len()));
    // Whoever writes a document ends its last line.
    let [first, second] = [first, second].map(|bytes| [bytes, b"\n"].concat());
    let files = [(NAMES[0], &*first), (NAMES[1], &*second)];
    let none = Wanted::Named(BTreeSet::new());
    let names = files.map(|(path, bytes)| read(path, bytes, &none));
    let names = assemble(names).map(|assembled| assembled.catalog.known_packages().clone());
    let outline = files.map(|(path, bytes)| read(path, bytes, &Wanted::Outline));
    drop(Outline::assemble(outline).close(&Selection::default()));
    let list = files.map(|(path, bytes)| read(path, bytes, &Wanted::Images));
    let list = ImageList::assemble(list);
    let all = files.map(|(path, bytes)| read(path, bytes, &Wanted::All));
    let Ok(assembled) = assemble(all) else { return };
    let catalog = assembled.catalog;
    assert_eq!(names.ok().as_ref(), Some(catalog.known_packages()));
    let list = list.expect("what all is read of is read for its images");
    let told = |images: BundleImages<'_>| format!("{images:?}");
    assert!(list.images().map(told).eq(catalog.images().map(told)), "other images");
    if has_flaws(&catalog) {
        return;
    }
    let again = written(&catalog);
    assert_eq!(catalog.packages(), again.packages());
    assert_eq!(catalog.others(), again.others());
    for package in catalog.packages().keys() {
        for extent in [Extent::Heads, Extent::Full] {
            select(&catalog, package, extent);
        }
    }
    drop(catalog.unmet());
});

fn has_flaws(catalog: &Catalog) -> bool {
    ocm_catalog::validate(catalog).iter().any(|defect| defect.flaw.is_refused())
}

fn written(catalog: &Catalog) -> Catalog {
    let files: Vec<_> = catalog.render().collect();
    let files = files.iter().map(|file| read(&file.path, &file.bytes, &Wanted::All));
    assemble(files).expect("what we write can be read").catalog
}

fn select(catalog: &Catalog, package: &str, extent: Extent) {
    let package = PackageSelection { name: package.to_owned(), ..PackageSelection::default() };
    let selection = Selection { extent, packages: vec![package], ..Selection::default() };
    let Ok(filtered) = catalog.filter(&selection) else { return };
    assert!(!has_flaws(&filtered.catalog), "what was selected of a sound catalog is not");
    let again = filtered.catalog.filter(&selection).expect("it was possible once");
    assert!(again.catalog == filtered.catalog, "it was cut differently the second time");
    assert_eq!(written(&filtered.catalog).packages(), filtered.catalog.packages());
}
