//! Examples worked by hand, on graphs small enough to see.

use ocm_graph::{
    Between, Channel, ChannelQuery, Extent, Graph, Graphs, MissingPaths, NoPath, Query, Reason,
    Refusal, Selection, Warning, WhyMissing, needs, select, solve,
};

use crate::fixture::{Sketch, graph, graphs, steps, texts, version};

const G40: Sketch<'_> = (
    "stable-4.0",
    &["4.0.0-4", "4.0.0-5", "4.0.0-6", "4.0.0-0.okd-0", "4.0.0-7", "4.0.0-8"],
    &[(0, 1), (1, 2), (2, 4), (2, 5), (4, 5)],
    &[],
);
const G41: Sketch<'_> = (
    "stable-4.1",
    &["4.0.0-4", "4.0.0-5", "4.0.0-6", "4.0.0-0.okd-0", "4.0.0-7", "4.0.0-8", "4.1.0-6"],
    &[(0, 1), (1, 2), (2, 4), (2, 5), (4, 5), (5, 6)],
    &[],
);
const G42: Sketch<'_> =
    ("stable-4.2", &["4.1.0-6", "4.2.0-2", "4.2.0-3", "4.2.0-5"], &[(0, 2), (1, 2), (2, 3)], &[]);
const G43: Sketch<'_> = ("stable-4.3", &["4.3.0", "4.3.1"], &[(0, 1)], &[]);
const F43: Sketch<'_> =
    ("fast-4.3", &["4.2.0-5", "4.3.0", "4.3.1", "4.3.2"], &[(0, 1), (1, 2), (2, 3)], &[]);
const EMPTY: Sketch<'_> = ("empty-4.0", &[], &[], &[]);
const ALL: [Sketch<'_>; 6] = [G40, G41, G42, G43, F43, EMPTY];

fn asked(channel: &str, min: &str, max: &str) -> ChannelQuery {
    let bound = |text: &str| (!text.is_empty()).then(|| version(text));
    ChannelQuery {
        channel: Channel::ocp(channel),
        min: bound(min),
        max: bound(max),
        extent: Extent::Head,
        between: Between::All,
    }
}

fn shortest(channel: &str, min: &str, max: &str) -> ChannelQuery {
    ChannelQuery { between: Between::ShortestPath, ..asked(channel, min, max) }
}

fn query(channels: Vec<ChannelQuery>) -> Query {
    Query { channels, ..Query::default() }
}

fn found(selection: &Selection) -> Vec<String> {
    texts(selection.releases.iter().map(|release| &release.version))
}

fn said(selection: &Selection) -> Vec<String> {
    let errors = selection.errors.iter().map(|error| format!("error: {error}"));
    errors.chain(selection.warnings.iter().map(ToString::to_string)).collect()
}

/// One channel, and what it gives.
#[test]
fn ranges() {
    let full = |query| ChannelQuery { extent: Extent::Full, ..query };
    let cases: [(ChannelQuery, &[&str]); 10] = [
        (asked("stable-4.0", "", ""), &["4.0.0-8"]),
        (
            full(asked("stable-4.0", "", "")),
            &["4.0.0-4", "4.0.0-5", "4.0.0-6", "4.0.0-7", "4.0.0-8", "4.0.0-0.okd-0"],
        ),
        (asked("stable-4.0", "4.0.0-5", ""), &["4.0.0-5", "4.0.0-6", "4.0.0-7", "4.0.0-8"]),
        (full(asked("stable-4.1", "4.0.0-8", "")), &["4.0.0-8", "4.1.0-6"]),
        // The lowest of the channel is where a range without a lower bound begins.
        (asked("stable-4.1", "", "4.0.0-5"), &["4.0.0-0.okd-0", "4.0.0-4", "4.0.0-5"]),
        (asked("stable-4.1", "4.0.0-5", "4.0.0-6"), &["4.0.0-5", "4.0.0-6"]),
        // Bounds need not be there, and a pre-release by itself is a release.
        (asked("stable-4.1", "4.0.0-3", "4.0.0-4"), &["4.0.0-4"]),
        (asked("stable-4.1", "4.0.0-6", "4.0.0-6"), &["4.0.0-6"]),
        (asked("fast-4.3", "4.2.0", "4.3.1"), &["4.3.0", "4.3.1"]),
        (asked("stable-4.3", "4.3.1", "4.3.0"), &[]),
    ];
    for (asked, expected) in cases {
        let selection = select(&query(vec![asked.clone()]), &graphs(&ALL));
        let mut found = found(&selection);
        found.sort();
        let mut expected = expected.to_vec();
        expected.sort_unstable();
        assert_eq!(found, expected, "{asked:?}");
        assert!(selection.releases.iter().all(|release| release.reason == Reason::Bound));
        assert_eq!(selection.errors.is_empty(), !expected.is_empty(), "{selection:?}");
    }
}

#[test]
fn versions_are_sorted_by_precedence() {
    let graph = graph(&G40);
    let sorted = texts(graph.releases().map(|release| &release.version));
    // Numbers come before words.
    let expected = ["4.0.0-0.okd-0", "4.0.0-4", "4.0.0-5", "4.0.0-6", "4.0.0-7", "4.0.0-8"];
    assert_eq!(sorted, expected);
    let ends = [graph.oldest(), graph.newest()].map(|end| end.unwrap().version.to_string());
    assert_eq!(ends, ["4.0.0-0.okd-0", "4.0.0-8"]);
}

/// As `VERSION_FILTER` of oc-mirror: which versions count when a channel's newest and oldest are
/// looked for, and only then.
#[test]
fn some_versions_can_be_left_out_of_the_ends() {
    let versions = ["4.20.12", "4.20.2", "4.20.1", "4.20.0", "4.19.0"];
    let edges = [(4, 3), (3, 2), (2, 1), (1, 0)];
    let twenty = graph(&("stable-4.20", &versions, &edges, &[]));
    let filtered = |wanted: &'static str| {
        twenty.clone().with_ends_among(|version| version.to_string().starts_with(wanted))
    };
    let ends = |graph: &Graph| {
        [graph.oldest(), graph.newest()].map(|end| end.map(|one| one.version.to_string()))
    };
    let both = |low: &str, high: &str| [Some(low.to_owned()), Some(high.to_owned())];
    assert_eq!(ends(&filtered("4.20.1")), both("4.20.1", "4.20.12"));
    assert_eq!(ends(&filtered("4.20.2")), both("4.20.2", "4.20.2"));
    assert_eq!(ends(&filtered("4.21")), [None, None]);
    assert_eq!(twenty.releases().count(), filtered("4.21").releases().count());

    let of = |wanted, asked: ChannelQuery| {
        let mut graphs = Graphs::default();
        graphs.insert(asked.channel.clone(), filtered(wanted));
        let selection = select(&query(vec![asked]), &graphs);
        (found(&selection), said(&selection))
    };
    let full = ChannelQuery { extent: Extent::Full, ..asked("stable-4.20", "", "") };
    let all = ["4.20.1", "4.20.2", "4.20.12"].map(str::to_owned).to_vec();
    // What lies between the ends is mirrored, whether it counts or not.
    assert_eq!(of("4.20.1", full), (all, vec![]));
    let head = asked("stable-4.20", "", "");
    assert_eq!(of("4.20.0", head.clone()), (vec!["4.20.0".to_owned()], vec![]));
    let none = "error: no release of channel `stable-4.20` counts as its newest or its oldest one";
    assert_eq!(of("4.21", head), (vec![], vec![none.to_owned()]));
    let bounded = asked("stable-4.20", "4.20.0", "4.20.1");
    assert_eq!(of("4.21", bounded).0, ["4.20.0", "4.20.1"]);
}

#[test]
fn a_channel_without_releases_is_an_error() {
    for asked in [asked("empty-4.0", "", ""), asked("empty-4.0", "4.0.0", "4.0.1")] {
        let selection = select(&query(vec![asked]), &graphs(&ALL));
        assert_eq!(said(&selection), ["error: channel `empty-4.0` has no releases"]);
    }
}

/// Both ends, and the path or the reason why there is none.
type PathCase<'a> = (&'a str, &'a str, Result<&'a [&'a str], NoPath>);

/// One channel's paths.
#[test]
fn paths() {
    let graph = graph(&G40);
    let cases: [PathCase<'_>; 6] = [
        ("4.0.0-4", "4.0.0-5", Ok(&["4.0.0-4", "4.0.0-5"])),
        ("4.0.0-4", "4.0.0-8", Ok(&["4.0.0-4", "4.0.0-5", "4.0.0-6", "4.0.0-8"])),
        ("4.0.0-4", "4.0.0-4", Ok(&["4.0.0-4"])),
        ("4.0.0-4", "4.0.0-0.okd-0", Err(NoPath::Unreachable { newest: version("4.0.0-8") })),
        ("4.0.0-3", "4.0.0-8", Err(NoPath::UnknownRelease(version("4.0.0-3")))),
        ("4.0.0-5", "4.0.0-9", Err(NoPath::UnknownRelease(version("4.0.0-9")))),
    ];
    for (from, to, expected) in cases {
        let got = solve(&graph, (&version(from), &version(to)), &Refusal::Nothing);
        match (got, expected) {
            (Ok(path), Ok(expected)) => assert_eq!(steps(&path), expected),
            (got, expected) => assert_eq!(got.map(|path| steps(&path)), expected.map(|_| vec![])),
        }
    }
}

#[test]
fn a_channel_gives_the_shortest_path_or_both_its_ends() {
    let graphs = graphs(&ALL);
    let path = select(&query(vec![shortest("stable-4.0", "4.0.0-4", "4.0.0-8")]), &graphs);
    let with_reasons: Vec<_> =
        path.releases.iter().map(|r| (r.version.to_string(), r.reason)).collect();
    let expected = [
        ("4.0.0-4", Reason::Bound),
        ("4.0.0-5", Reason::Path),
        ("4.0.0-6", Reason::Path),
        ("4.0.0-8", Reason::Bound),
    ];
    assert_eq!(with_reasons, expected.map(|(version, reason)| (version.to_owned(), reason)));
    assert_eq!(said(&path), Vec::<String>::new());

    let backwards = || shortest("stable-4.0", "4.0.0-7", "4.0.0-5");
    let selection = select(&query(vec![backwards()]), &graphs);
    assert_eq!(found(&selection), ["4.0.0-5", "4.0.0-7"]);
    let sentence = "no upgrade path leads from 4.0.0-7 in `stable-4.0` to 4.0.0-5 in `stable-4.0`; \
                    releases between them may be missing";
    assert_eq!(said(&selection), [sentence]);
    let strict = Query { missing_paths: MissingPaths::Fail, ..query(vec![backwards()]) };
    let selection = select(&strict, &graphs);
    assert_eq!(found(&selection), ["4.0.0-5", "4.0.0-7"]);
    assert_eq!(said(&selection), [format!("error: {sentence}")]);

    let unknown = select(&query(vec![shortest("stable-4.0", "4.0.0-3", "4.0.0-9")]), &graphs);
    assert_eq!(found(&unknown), Vec::<String>::new());
    let lines = ["4.0.0-3", "4.0.0-9"]
        .map(|v| format!("error: release {v} is not in channel `stable-4.0`"));
    assert_eq!(said(&unknown), lines);
}

/// The only version that each channel is asked for, what is found, and what is said.
type CrossCase<'a> = (&'a [(&'a str, &'a str)], &'a [&'a str], &'a [&'a str]);

/// Several channels.
#[test]
fn across_channels() {
    let cases: [CrossCase<'_>; 7] = [
        (
            &[("stable-4.0", "4.0.0-5"), ("stable-4.1", "4.1.0-6")],
            &["4.0.0-5", "4.0.0-6", "4.0.0-8", "4.1.0-6"],
            &[],
        ),
        (
            &[("stable-4.0", "4.0.0-5"), ("stable-4.2", "4.2.0-3")],
            &["4.0.0-5", "4.0.0-6", "4.0.0-8", "4.1.0-6", "4.2.0-3"],
            &[],
        ),
        (&[("stable-4.3", "4.3.0"), ("fast-4.3", "4.3.1")], &["4.3.0", "4.3.1"], &[]),
        (
            &[("stable-4.1", "4.1.0-6"), ("stable-4.2", "4.2.0-2")],
            &["4.1.0-6", "4.2.0-2"],
            &["no upgrade path leads from 4.1.0-6 in `stable-4.1` to 4.2.0-2 in `stable-4.2`; \
               releases between them may be missing"],
        ),
        // The newest of the first is not in the last.
        (
            &[("stable-4.2", "4.2.0-3"), ("stable-4.3", "4.3.0")],
            &["4.2.0-3", "4.2.0-5", "4.3.0"],
            &["no upgrade path leads from 4.2.0-3 in `stable-4.2` to 4.3.0 in `stable-4.3`; \
               releases between them may be missing"],
        ),
        (
            &[("stable-4.2", "4.2.0-9"), ("stable-4.3", "4.3.0")],
            &["4.3.0"],
            &["error: release 4.2.0-9 is not in channel `stable-4.2`"],
        ),
        (
            &[("stable-4.2", "4.2.0-3"), ("stable-4.3", "4.3.5")],
            &["4.2.0-3"],
            &["error: release 4.3.5 is not in channel `stable-4.3`"],
        ),
    ];
    for (channels, expected, lines) in cases {
        let one = |(channel, version): &(&str, &str)| asked(channel, version, version);
        let selection = select(&query(channels.iter().map(one).collect()), &graphs(&ALL));
        assert_eq!(found(&selection), expected, "{channels:?}");
        let said: Vec<_> =
            said(&selection).into_iter().filter(|line| !line.contains("has no release")).collect();
        assert_eq!(said, lines, "{channels:?}");
    }
}

#[test]
fn what_leads_from_channel_to_channel_has_a_reason_of_its_own() {
    let channels = ["stable-4.0", "stable-4.1"].map(|channel| asked(channel, "", ""));
    let heads = select(&query(channels.to_vec()), &graphs(&ALL));
    let reasons: Vec<_> =
        heads.releases.iter().map(|r| (r.version.to_string(), r.reason)).collect();
    let bound = |version: &str| (version.to_owned(), Reason::Bound);
    assert_eq!(reasons, [bound("4.0.0-8"), bound("4.1.0-6")]);

    let channels = [asked("stable-4.0", "4.0.0-5", "4.0.0-5"), asked("stable-4.2", "", "4.1.0-6")];
    let selection = select(&query(channels.to_vec()), &graphs(&ALL));
    let releases: Vec<_> = selection
        .releases
        .iter()
        .map(|r| (r.version.to_string(), r.channel.name.as_str(), r.reason))
        .collect();
    let expected = [
        ("4.0.0-5", "stable-4.0", Reason::Bound),
        ("4.0.0-6", "stable-4.0", Reason::CrossChannel),
        ("4.0.0-8", "stable-4.0", Reason::CrossChannel),
        ("4.1.0-6", "stable-4.2", Reason::Bound),
    ];
    assert_eq!(releases, expected.map(|(v, c, r)| (v.to_owned(), c, r)));
}

#[test]
fn what_is_not_there_for_a_path_is_asked_for_step_by_step() {
    let ask = |channels: &[&str], known: &[Sketch<'_>]| {
        let channels = channels.iter().map(|channel| asked(channel, "", "")).collect();
        let needs = needs(&query(channels), &graphs(known));
        needs.into_iter().map(|channel| channel.name).collect::<Vec<_>>()
    };
    let none: Sketch<'_> = ("eus-4.4", &[], &[], &[]);
    let one = |name| -> Sketch<'_> { (name, &["4.1.1"], &[], &[]) };
    let both = ["stable-4.0", "stable-4.3"];
    assert_eq!(ask(&both, &[]), both);
    assert_eq!(ask(&both, &[G40, G43]), ["stable-4.1", "stable-4.2"]);
    assert_eq!(ask(&both, &[G40, G41, G42, G43]), Vec::<String>::new());
    // Two minor versions at a time, and another kind where there is none of the same.
    let eus: Sketch<'_> = ("eus-4.2", &["4.2.0"], &[], &[]);
    let last: Sketch<'_> = ("stable-4.7", &["4.7.0"], &[], &[]);
    assert_eq!(ask(&["eus-4.2", "stable-4.7"], &[eus, last]), ["eus-4.4", "eus-4.6"]);
    let known = [eus, last, none, one("eus-4.6")];
    assert_eq!(ask(&["eus-4.2", "stable-4.7"], &known), ["stable-4.4"]);
    // Nothing lies between channels of one minor version.
    assert_eq!(ask(&["fast-4.3", "stable-4.3"], &[F43, G43]), Vec::<String>::new());
    // Nothing lies between those of another product.
    let okd = Query {
        channels: [("4-stable", "4.1.0"), ("4-next", "4.9.0")]
            .map(|(name, v)| ChannelQuery { channel: Channel::okd(name), ..asked(name, v, v) })
            .to_vec(),
        ..Query::default()
    };
    let mut known = Graphs::default();
    okd.channels.iter().for_each(|q| known.insert(q.channel.clone(), graph(&G43)));
    assert!(needs(&okd, &known).is_empty());
    assert!(select(&okd, &known).errors.iter().all(|e| e.to_string().contains("no release lies")));
}

/// 4.23 is followed by 5.0: that there is no 4.24, its graph says.
#[test]
fn a_major_version_follows_the_last_minor_one() {
    let g22: Sketch<'_> = ("stable-4.22", &["4.22.0", "4.22.9"], &[(0, 1)], &[]);
    let g23: Sketch<'_> = ("stable-4.23", &["4.22.9", "4.23.1"], &[(0, 1)], &[]);
    let g24: Sketch<'_> = ("stable-4.24", &[], &[], &[]);
    let g50: Sketch<'_> = ("stable-5.0", &["4.23.1", "5.0.2"], &[(0, 1)], &[]);
    let channels =
        || vec![asked("stable-4.22", "4.22.0", "4.22.0"), asked("stable-5.0", "5.0.2", "5.0.2")];
    let mut known = vec![g22, g50];
    let mut rounds = Vec::new();
    for step in [g23, g24] {
        let needs = needs(&query(channels()), &graphs(&known));
        rounds.extend(needs.into_iter().map(|channel| channel.name));
        known.push(step);
    }
    assert_eq!(rounds, ["stable-4.23", "stable-4.24"]);
    assert!(needs(&query(channels()), &graphs(&known)).is_empty());
    let selection = select(&query(channels()), &graphs(&known));
    assert_eq!(found(&selection), ["4.22.0", "4.22.9", "4.23.1", "5.0.2"]);
    assert_eq!(said(&selection), Vec::<String>::new());
}

/// An `eus` channel lists the minor version in between.
#[test]
fn extended_support_goes_by_two() {
    let e12: Sketch<'_> = ("eus-4.12", &["4.12.1", "4.12.5"], &[(0, 1)], &[]);
    let e14: Sketch<'_> = ("eus-4.14", &["4.12.5", "4.13.3", "4.14.2"], &[(0, 1), (1, 2)], &[]);
    let channels =
        vec![asked("eus-4.12", "4.12.1", "4.12.1"), asked("eus-4.14", "4.14.2", "4.14.2")];
    let selection = select(&query(channels), &graphs(&[e12, e14]));
    assert_eq!(found(&selection), ["4.12.1", "4.12.5", "4.13.3", "4.14.2"]);
    assert_eq!(said(&selection), Vec::<String>::new());

    let channels = vec![asked("eus-4.14", "4.12.5", "4.14.2")];
    let selection = select(&query(channels), &graphs(&[e14]));
    assert!(matches!(selection.warnings.as_slice(), [Warning::EusSpan { .. }]), "{selection:?}");
}

#[test]
fn a_name_from_which_nothing_follows_is_an_error_only_where_it_must_lead_on() {
    let odd: Sketch<'_> = ("fast:4.2", &["4.2.0-5", "4.2.1"], &[], &[]);
    let graphs = graphs(&[odd, G43]);
    let alone = select(&query(vec![asked("fast:4.2", "", "")]), &graphs);
    assert_eq!((found(&alone), said(&alone)), (vec!["4.2.1".to_owned()], vec![]));
    let channels = vec![asked("fast:4.2", "", ""), asked("stable-4.3", "", "")];
    let selection = select(&query(channels), &graphs);
    assert_eq!(found(&selection), ["4.2.1", "4.3.1"]);
    assert_eq!(said(&selection), ["error: the upgrade path between the channels cannot be found"]);

    let far: Sketch<'_> = ("stable-4.4000000000", &["4.4000000000.0"], &[], &[]);
    let channels = vec![asked("stable-4.3", "", ""), asked(far.0, "", "")];
    let known = crate::fixture::graphs(&[G43, far]);
    assert!(needs(&query(channels.clone()), &known).is_empty());
    let selection = select(&query(channels), &known);
    assert_eq!(
        said(&selection),
        ["error: there are too many minor versions between `stable-4.3` and `stable-4.4000000000`"]
    );
}

const RISKY: Sketch<'_> = (
    "stable-4.18",
    &["4.18.1", "4.18.2", "4.18.3", "4.18.4", "4.18.5"],
    &[(0, 1), (1, 2)],
    // 4.18.5 by two risky upgrades, or by one later on.
    &[(0, 3, &["Slow"]), (3, 4, &["Slow", "Loud"]), (2, 4, &["Loud"])],
);

#[test]
fn the_fewest_conditional_upgrades_come_first() {
    let graph = graph(&RISKY);
    let solve =
        |to: &str, refusal: &Refusal| solve(&graph, (&version("4.18.1"), &version(to)), refusal);
    let named = |name: &str| Refusal::Named([name.to_owned()].into());
    let path = solve("4.18.5", &Refusal::Nothing).unwrap();
    assert_eq!(steps(&path), ["4.18.1", "4.18.2", "4.18.3", "4.18.5"]);
    let conditional: Vec<_> = path.conditional().map(ToString::to_string).collect();
    assert_eq!(conditional, ["4.18.3 to 4.18.5 (Loud)"]);
    assert_eq!(solve("4.18.5", &named("Slow")).unwrap(), path);

    let refused = solve("4.18.5", &named("Loud")).unwrap_err().to_string();
    assert_eq!(refused, "each path needs an upgrade that is refused; 4.18.3 to 4.18.5 (Loud)");
    assert!(matches!(solve("4.18.4", &Refusal::Everything), Err(NoPath::Refused { .. })));
    // Names that nothing is called refuse nothing.
    assert_eq!(solve("4.18.5", &named("Quiet")).unwrap(), path);
}

#[test]
fn risks_are_named_with_what_is_known_of_them() {
    let channels = vec![shortest("stable-4.18", "4.18.1", "4.18.5")];
    let selection = select(&query(channels.clone()), &graphs(&[RISKY]));
    assert_eq!(found(&selection), ["4.18.1", "4.18.2", "4.18.3", "4.18.5"]);
    let [Warning::Risks(risky)] = selection.warnings.as_slice() else { panic!("{selection:?}") };
    assert_eq!(
        risky.to_string(),
        "the upgrade path from 4.18.1 in `stable-4.18` to 4.18.5 in `stable-4.18` has risks for \
         some clusters: 4.18.3 to 4.18.5 (Loud)"
    );
    let exposures: Vec<_> = risky.exposures().iter().map(ToString::to_string).collect();
    assert_eq!(exposures, ["Loud: It is slow. (for all clusters) https://risks.example/Loud"]);
    let named = |name: &str| Refusal::Named([name.to_owned()].into());
    // A name that is mistyped refuses nothing, and that is said.
    for (name, end) in [("loud", "; is `Loud` meant?"), ("Quiet", "")] {
        let refused = Query { refusal: named(name), ..query(channels.clone()) };
        let selection = select(&refused, &graphs(&[RISKY]));
        let unknown = selection.warnings.iter().find_map(|warning| match warning {
            Warning::UnknownRisk { .. } => Some(warning.to_string()),
            _ => None,
        });
        let expected =
            format!("no upgrade in the graphs that were read has the risk `{name}`{end}");
        assert_eq!(unknown.as_deref(), Some(expected.as_str()));
    }
    let refused = Query { refusal: named("Loud"), ..query(channels.clone()) };
    let selection = select(&refused, &graphs(&[RISKY]));
    assert!(!selection.warnings.iter().any(|one| matches!(one, Warning::UnknownRisk { .. })));
    let refused = Query { refusal: Refusal::Everything, ..query(channels) };
    let selection = select(&refused, &graphs(&[RISKY]));
    assert_eq!(found(&selection), ["4.18.1", "4.18.5"]);
    let [Warning::NoPath(missing)] = selection.warnings.as_slice() else { panic!("{selection:?}") };
    assert!(
        matches!(&missing.why, WhyMissing::NoPath(NoPath::Refused { hops }) if hops.len() == 1)
    );
}

/// A path that does not go by the newest release of each channel is better than none, unless we
/// are asked to do as oc-mirror.
#[test]
fn the_newest_releases_are_gone_around_where_they_lead_nowhere() {
    let g12: Sketch<'_> = ("stable-4.12", &["4.12.1", "4.12.2", "4.12.3"], &[(0, 1), (0, 2)], &[]);
    let g13: Sketch<'_> = ("stable-4.13", &["4.12.1", "4.12.2", "4.13.1"], &[(1, 2)], &[]);
    let channels =
        vec![asked("stable-4.12", "4.12.1", "4.12.1"), asked("stable-4.13", "4.13.1", "4.13.1")];
    let known = graphs(&[g12, g13]);
    let selection = select(&query(channels.clone()), &known);
    assert_eq!(found(&selection), ["4.12.1", "4.12.2", "4.13.1"]);
    assert_eq!(said(&selection), Vec::<String>::new());
    let strict = Query { refusal: Refusal::Everything, ..query(channels) };
    let selection = select(&strict, &known);
    assert_eq!(found(&selection), ["4.12.1", "4.12.3", "4.13.1"]);
    let [Warning::NoPath(missing)] = selection.warnings.as_slice() else { panic!("{selection:?}") };
    assert_eq!(
        missing.why.to_string(),
        "there is one that avoids the newest releases: 4.12.1 4.12.2 4.13.1"
    );
}

#[test]
fn one_version_with_two_payloads_is_warned_of() {
    let other = br#"{"nodes": [{"version": "4.3.1", "payload": "example.com/other:4.3.1"}]}"#;
    let mut known = graphs(&[G43]);
    known.insert(Channel::ocp("fast-4.3"), Graph::from_json(other).unwrap());
    let channels = vec![asked("stable-4.3", "", ""), asked("fast-4.3", "", "")];
    let selection = select(&query(channels), &known);
    assert_eq!(found(&selection), ["4.3.1", "4.3.1"]);
    assert_eq!(
        said(&selection),
        [
            "release 4.3.1 has two payloads, `example.com/other:4.3.1` and `example.com/release:4.3.1`"
        ]
    );
}

#[test]
fn a_channel_that_could_not_be_had_fails_alone() {
    let mut known = graphs(&[G43]);
    known.insert_unavailable(Channel::ocp("fast-4.3"));
    let channels = vec![asked("fast-4.3", "", ""), asked("stable-4.3", "", "")];
    assert!(needs(&query(channels.clone()), &known).is_empty());
    let selection = select(&query(channels), &known);
    assert_eq!((found(&selection), said(&selection)), (vec!["4.3.1".to_owned()], vec![]));
}
