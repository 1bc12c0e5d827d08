//! Why what remains remains, and the rest does not.

use ocm_catalog::{Catalog, Extent, PreReleases, Selection, Verdict, Warning};

use crate::fixture::{catalog, package, selection};

fn foo() -> Catalog {
    let stable =
        "0.9.0 1.0.0<0.9.0 1.1.0-rc1<1.0.0 1.2.0<1.1.0-rc1{1.1.5} 1.1.5{1.0.5} 1.0.5 2.0.0<1.2.0";
    let version = |name: &str| (name != "0.9.0").then(|| name.to_owned());
    catalog(&[&package("foo", "stable", &[("stable", stable), ("fast", "2.0.0")], version)])
}

/// Returns the entries of a channel with what becomes of them.
fn verdicts(selection: &Selection, channel: &str) -> Vec<(String, Verdict)> {
    let explanation = foo().explain("foo", selection).unwrap();
    let channel = explanation.channels.iter().find(|known| known.name == channel).unwrap();
    channel.entries.iter().map(|entry| (entry.name.clone(), entry.verdict)).collect()
}

fn assert_verdicts(selection: &Selection, expected: &[(&str, Verdict)]) {
    let found = verdicts(selection, "stable");
    let found: Vec<_> = found.iter().map(|(name, verdict)| (name.as_str(), *verdict)).collect();
    assert_eq!(found, expected);
    // It tells what the filter does.
    let left = foo().filter(selection).unwrap().catalog;
    let kept = left.packages()["foo"].channels().get("stable");
    for (name, verdict) in found {
        let is_kept = kept.is_some_and(|channel| channel.entries().get(name).is_some());
        assert_eq!(verdict.is_kept(), is_kept, "{name}");
    }
}

#[test]
fn a_range() {
    assert_verdicts(
        &selection("foo stable[1.0.0..1.9]"),
        &[
            ("2.0.0", Verdict::Above),
            ("1.2.0", Verdict::InRange),
            ("1.1.5", Verdict::InRange),
            ("1.1.0-rc1", Verdict::OnTheWay),
            ("1.0.5", Verdict::OffTheWay),
            ("1.0.0", Verdict::InRange),
            ("0.9.0", Verdict::NoVersion),
        ],
    );
    assert_verdicts(
        &selection("foo stable[1.2.0..] fast"),
        &[
            ("2.0.0", Verdict::InRange),
            ("1.2.0", Verdict::InRange),
            ("1.1.5", Verdict::Below),
            ("1.1.0-rc1", Verdict::Below),
            ("1.0.5", Verdict::Below),
            ("1.0.0", Verdict::Below),
            ("0.9.0", Verdict::NoVersion),
        ],
    );
    let hidden = verdicts(&selection("foo stable[1.0.5..1.1.0]"), "stable");
    assert!(hidden.contains(&("1.1.0-rc1".to_owned(), Verdict::PreRelease)), "{hidden:?}");
    let admitted =
        Selection { pre_releases: PreReleases::Admitted, ..selection("foo stable[1.0.5..1.1.0]") };
    let admitted = verdicts(&admitted, "stable");
    assert!(admitted.contains(&("1.1.0-rc1".to_owned(), Verdict::InRange)), "{admitted:?}");
}

#[test]
fn a_bundle_without_a_version_is_told_once_whatever_channels_it_is_in() {
    let version = |name: &str| (!name.starts_with("odd")).then(|| name.to_owned());
    let channels = [("fast", "odd1 1.0.0<odd1"), ("slow", "odd1 odd2<odd1 1.0.0<odd2")];
    let foo = catalog(&[&package("foo", "slow", &channels, version)]);
    let warnings = foo.filter(&selection("foo[1.0.0..]")).unwrap().warnings;
    let unread = warnings.iter().filter_map(|warning| match warning {
        Warning::NoVersion { bundle, .. } => Some(bundle.as_str()),
        _ => None,
    });
    assert_eq!(unread.collect::<Vec<_>>(), ["odd1", "odd2"], "{warnings:?}");
}

#[test]
fn heads_and_everything() {
    let [first, rest @ ..] = &verdicts(&selection("foo"), "stable")[..] else { panic!("some") };
    assert_eq!(*first, ("2.0.0".to_owned(), Verdict::Head));
    assert!(rest.iter().all(|(_, verdict)| *verdict == Verdict::NotHead));
    let full = Selection { extent: Extent::Full, ..selection("foo") };
    assert!(verdicts(&full, "stable").iter().all(|(_, v)| *v == Verdict::Everything));
    let exact = verdicts(&selection("foo stable[1.1.5]"), "stable");
    assert_eq!(exact.iter().filter(|(_, verdict)| verdict.is_kept()).count(), 1);
}

#[test]
fn what_is_not_selected() {
    let other = verdicts(&selection("bar"), "stable");
    assert!(other.iter().all(|(_, verdict)| *verdict == Verdict::PackageNotSelected));
    let channel = verdicts(&selection("foo stable"), "fast");
    assert!(channel.iter().all(|(_, verdict)| *verdict == Verdict::ChannelNotSelected));
    assert!(foo().explain("bar", &selection("bar")).is_none());
    let refused = foo().explain("foo", &selection("foo fast")).unwrap();
    assert_eq!(refused.errors.unwrap().errors().len(), 1);
}
