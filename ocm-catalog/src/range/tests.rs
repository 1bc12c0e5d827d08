use proptest::prelude::*;

use super::*;

fn version(text: &str) -> BundleVersion {
    text.parse().unwrap()
}

fn range(minimum: &str, maximum: &str) -> VersionRange {
    let bound = |text: &str| (!text.is_empty()).then(|| text.parse().unwrap());
    VersionRange::new(bound(minimum), bound(maximum))
}

fn contains(minimum: &str, maximum: &str, text: &str) -> bool {
    range(minimum, maximum).contains(&version(text), PreReleases::Hidden)
}

#[test]
fn bounds() {
    for (minimum, maximum, inside, outside) in [
        ("5.2", "", &["5.2.0", "5.2.1", "6.0.0"][..], &["5.1.9", "5.2.0-rc1", "6.0.0-rc1"][..]),
        ("", "5.2", &["5.2.0", "5.2.99", "5.1.0", "0.0.1"], &["5.3.0", "6.0.0", "5.2.0-rc1"]),
        ("", "5", &["5.9.9", "4.0.0"], &["6.0.0", "6.0.0-rc1"]),
        ("", "5.2.0", &["5.2.0", "5.2.0+build", "5.1.99"], &["5.2.1"]),
        ("05.02", "v5.2.3", &["5.2.0", "5.2.3"], &["5.2.4"]),
        ("1.0.0-0", "2", &["1.0.0-rc1", "2.9.0-rc1", "2.0.0"], &["0.9.0", "3.0.0-rc1"]),
        ("1.0.0", "2.0.0-rc1", &["1.5.0-x", "2.0.0-rc1", "1.0.0"], &["2.0.0", "2.0.0-rc2"]),
        ("0.8.0+0.1634606167.p", "", &["0.8.0", "0.8.0+a"], &["0.7.9"]),
    ] {
        for text in inside {
            assert!(contains(minimum, maximum, text), "{text} is in {minimum}..{maximum}");
        }
        for text in outside {
            assert!(!contains(minimum, maximum, text), "{text} is not in {minimum}..{maximum}");
        }
    }
}

#[test]
fn pre_releases_can_be_admitted() {
    let (range, version) = (range("1.0.0", ""), version("1.2.0-rc1"));
    assert!(!range.contains(&version, PreReleases::Hidden));
    assert!(range.contains(&version, PreReleases::Admitted));
}

#[test]
fn what_is_no_bound() {
    for text in ["", "v", "1.2.3-", "1.2.3.4", "1.x", "*", "1.2.3-01", "+1", "1..2", "1.2.3+", "a"]
    {
        assert!(text.parse::<Bound>().is_err(), "{text}");
    }
    assert!("99999999999999999999".parse::<Bound>().is_err());
    assert_eq!(
        "1.2.3.4".parse::<Bound>().unwrap_err().to_string(),
        "`1.2.3.4` is not a version: it has more than three numbers"
    );
}

#[test]
fn crossed_bounds() {
    for (minimum, maximum) in
        [("2.0.0", "1.9.9"), ("1.0.0", "1.0.0-rc1"), ("6", "5"), ("5.3", "5.2")]
    {
        assert!(range(minimum, maximum).is_crossed(), "{minimum} {maximum}");
    }
    for (minimum, maximum) in [("1.0.0", "1.0.0"), ("5.2.7", "5.2"), ("5.2", "5"), ("1", "")] {
        assert!(!range(minimum, maximum).is_crossed(), "{minimum} {maximum}");
    }
}

#[test]
fn one_version() {
    let exact =
        |minimum: &str, maximum: &str| range(minimum, maximum).exact().map(ToString::to_string);
    assert_eq!(exact("1.2.3", "v1.2.3").as_deref(), Some("1.2.3"));
    assert_eq!(exact("1.2.3+a", "1.2.3+b").as_deref(), Some("1.2.3+a"));
    assert_eq!(exact("1.2", "1.2").as_deref(), Some("1.2.0"));
    assert_eq!(exact("1.2", "1.2.0").as_deref(), Some("1.2.0"));
    assert_eq!(exact("1.2.0", "1.2"), None, "from 1.2.0 to any 1.2.z is no single version");
    assert_eq!(exact("1.2.3", ""), None);
    assert_eq!(exact("1.2.3", "1.2.4"), None);
}

#[test]
fn how_to_admit_pre_releases() {
    for (minimum, maximum, opened) in [
        ("1.34.1", "", ">=1.34.1-0"),
        ("0.9", "1.0.0", ">=0.9.0-0 <=1.0.0"),
        ("", "1.42.0", "<=1.42.1-0"),
        ("", "5.2", "<=5.3.0-0"),
        ("", "5", "<=6.0.0-0"),
        ("1.0.0-rc1", "2", ">=1.0.0-rc1 <=2"),
    ] {
        assert_eq!(range(minimum, maximum).with_pre_releases().to_string(), opened);
    }
    assert!(range("1.34.1-0", "").contains(&version("1.34.1-5"), PreReleases::Hidden));
}

fn some_version() -> impl Strategy<Value = String> {
    ("[0-3]\\.[0-3]\\.[0-3]", prop_oneof![Just(""), Just("-1"), Just("-rc.2"), Just("+b")])
        .prop_map(|(numbers, rest)| format!("{numbers}{rest}"))
}

fn some_bound() -> impl Strategy<Value = String> {
    prop_oneof![Just(String::new()), some_version(), "[0-3]", "[0-3]\\.[0-3]"]
}

proptest! {
    /// What admits them admits all that was in, and all that pre-releases alone kept out.
    #[test]
    fn a_range_with_pre_releases_loses_nothing(
        minimum in some_bound(), maximum in some_bound(), text in some_version(),
    ) {
        let (range, version) = (range(&minimum, &maximum), version(&text));
        let opened = range.with_pre_releases();
        prop_assert!(
            range.names_pre_releases()
                || range.is_unbounded()
                || !range.contains(&version, PreReleases::Admitted)
                || opened.contains(&version, PreReleases::Hidden)
        );
    }

    #[test]
    fn nothing_is_in_a_range_whose_bounds_are_crossed(
        minimum in some_bound(), maximum in some_bound(), text in some_version(),
    ) {
        let range = range(&minimum, &maximum);
        let version = version(&text);
        prop_assert!(!range.is_crossed() || !range.contains(&version, PreReleases::Admitted));
    }
}
