//! Where images go, held against what oc-mirror answered for 2,960 of them.
//!
//! Equal, or different in one of the ways that [`Difference`] names; `docs/differences.md` has
//! the reasons.

use std::{
    collections::{BTreeMap, BTreeSet},
    env, fs,
    num::NonZeroUsize,
    path::PathBuf,
};

use futures::StreamExt as _;
use ocm_config::{AdditionalImage, ImageProblem};
use ocm_mirror::{
    Destination, DestinationRules, PlatformIndex, Report, Wanted, Wishes, mirror_sets,
};
use ocm_oci::{Digest, Platform, PlatformFilter, Reference, ReferenceFault, RepoName, TagOrDigest};
use ocm_resources::{Change, ImageKind, MirrorKind, MirrorSets, Mirrored, Notice, Scope};
use ocm_transport::Transport as _;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::world::{World, repository};

/// The ways in which we differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Difference {
    /// `host:5000/x@sha256:…` without a tag is refused there and mirrored here.
    HostPortAndDigest,
    /// `foo/bar:1` loses its `foo` there: it is taken for a host.
    DockerHubPath,
    /// With a limit of one, the path begins with a second slash there.
    NestingOne,
    /// `sha512-` and 128 digits are no tag: it is cut here.
    Sha512Tag,
    /// A tag that is none is refused here, before anything is copied.
    InvalidTag,
    /// Upper case in a path is refused here, before anything is copied.
    UpperCase,
    /// Blanks, empty components and hosts that are none are refused here.
    InvalidName,
    /// A directory whose path is no repository name is refused here; `targetRepo` helps.
    LayoutPath,
    /// In a mirror set, Docker Hub's images are called by their full name here.
    DockerHubSource,
    /// No mirror set speaks of directories here: no cluster asks for them.
    LayoutSource,
    /// No mirror set speaks of IPv6 hosts here: a cluster refuses them.
    Ipv6Source,
    /// `b-app` ends with `app`: as text, so there the namespaces are taken to be mirrored; here
    /// only whole components count.
    ChanceEnding,
    /// Of the sources that a name begins with, a cluster looks at the longest only. So here one
    /// that is a repository also lists the mirrors of the images that the namespace covers.
    LongestSource,
}

/// An image of one line, as both see it.
struct Image {
    ours: Option<(Reference, Destination)>,
    theirs: Option<(String, String)>,
    /// Why the two differ, in themselves or in the mirror sets.
    difference: Option<Difference>,
}

type Entries = BTreeMap<String, Vec<String>>;

/// How often each difference is met: in images, and in pairs of a source and a mirror.
#[derive(Debug, Default)]
struct Count {
    images: usize,
    pairs: usize,
}

#[test]
fn every_image_goes_where_oc_mirror_puts_it_or_the_difference_has_a_name() {
    let Some(corpus) = env::var_os("OCM_CORPUS").map(PathBuf::from) else {
        eprintln!("skipped: OCM_CORPUS names no corpus");
        return;
    };
    let text = fs::read_to_string(corpus.join("oracle/mapping.jsonl")).unwrap();
    let mut counts: BTreeMap<Difference, Count> = BTreeMap::new();
    let (mut lines, mut images, mut same) = (0, 0, 0);
    for line in text.lines() {
        let line = Line::read(serde_json::from_str(line).unwrap());
        lines += 1;
        for image in &line.images {
            images += 1;
            match image.difference {
                Some(difference) => counts.entry(difference).or_default().images += 1,
                None => same += 1,
            }
        }
        for difference in line.compare_sets() {
            counts.entry(difference).or_default().pairs += 1;
        }
    }
    eprintln!("{images} images in {lines} lines, {same} without any difference");
    for (difference, count) in &counts {
        eprintln!("{:6} images {:6} pairs  {difference:?}", count.images, count.pairs);
    }
    assert_eq!((lines, images, same), (600, 2960, 2231));
    let counts =
        counts.into_iter().map(|(difference, count)| (difference, count.images, count.pairs));
    assert_eq!(counts.collect::<Vec<_>>(), COUNTS);
}

/// An index from which a platform was taken out has another digest: no entry leads to it, neither
/// after the run that brought it nor after one that found it there.
#[tokio::test]
async fn what_was_rewritten_is_noticed_and_not_among_the_digests() {
    let only = BTreeSet::from([Platform::new("linux", "amd64")]);
    for (platforms, is_rewritten) in
        [(PlatformFilter::All, false), (PlatformFilter::Only(only), true)]
    {
        let world = world_of_two_platforms(platforms).await;
        for run in ["brings it", "finds it"] {
            let (plan, events) = world.start().await;
            let mut report = Report::default();
            report.extend(&events.collect::<Vec<_>>().await);
            assert!(report.is_complete(), "{report:?}");
            let sets = mirror_sets(&plan, &report, Scope::Shortest);
            let changed = |notice: &Notice| matches!(notice.change, Change::Digest { .. });
            let noticed = sets.notices().iter().filter(|notice| changed(notice)).count();
            assert_eq!(sets.sets().is_empty(), is_rewritten, "{run}: {sets:?}");
            assert_eq!(noticed, usize::from(is_rewritten), "{run}: {sets:?}");
        }
    }
}

/// A source with an index for two processors, asked for by its digest; indexes are rewritten.
async fn world_of_two_platforms(platforms: PlatformFilter) -> World {
    let mut world = World { platform_index: PlatformIndex::Rewrite, ..World::default() };
    let mut entries = Vec::new();
    for arch in ["amd64", "arm64"] {
        let child = world.image("team/app", &[arch]).await;
        let at = world.from.source(&repository("team/app"));
        let mut entry = serde_json::to_value(at.head(&(&child).into()).await.unwrap()).unwrap();
        entry["platform"] = json!({ "os": "linux", "architecture": arch });
        entries.push(entry);
    }
    let index = json!({ "schemaVersion": 2, "manifests": entries });
    let root = world.manifest("team/app", &index).await;
    world.wish("team/app", TagOrDigest::Digest(root), &[]);
    let wanted: Vec<_> = world.wishes.iter().map(|(_, wanted)| wanted.clone()).collect();
    world.wishes = Wishes::default();
    for wanted in wanted {
        world.wishes.add(Wanted { platforms: platforms.clone(), ..wanted });
    }
    world
}

/// Images, and pairs of a source and a mirror, with each difference. An image that has two is
/// counted with the first that is met.
const COUNTS: [(Difference, usize, usize); 13] = [
    (Difference::HostPortAndDigest, 19, 36),
    (Difference::DockerHubPath, 37, 141),
    (Difference::NestingOne, 257, 1024),
    (Difference::Sha512Tag, 23, 21),
    (Difference::InvalidTag, 160, 271),
    (Difference::UpperCase, 22, 44),
    (Difference::InvalidName, 105, 207),
    (Difference::LayoutPath, 25, 52),
    (Difference::DockerHubSource, 33, 117),
    (Difference::LayoutSource, 25, 50),
    (Difference::Ipv6Source, 22, 47),
    (Difference::ChanceEnding, 1, 4),
    (Difference::LongestSource, 0, 11),
];

/// A line of the oracle.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Record {
    destination: String,
    max_nested_paths: usize,
    /// As in an `ImageSetConfiguration`.
    images: Value,
    expect: Expect,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Expect {
    images: Vec<Answer>,
    #[serde(default)]
    idms: Set,
    #[serde(default)]
    itms: Set,
    #[serde(default)]
    idms_by_repository: Set,
    #[serde(default)]
    itms_by_repository: Set,
}

/// Where an image comes from and goes to; neither where there is an error.
#[derive(Deserialize)]
struct Answer {
    source: Option<String>,
    destination: Option<String>,
}

#[derive(Deserialize, Default)]
struct Set {
    name: String,
    mirrors: Entries,
}

/// A line of the oracle, beside what we make of it.
struct Line {
    expect: Expect,
    rules: DestinationRules,
    images: Vec<Image>,
}

impl Line {
    fn read(record: Record) -> Self {
        let rules: DestinationRules = record.destination.parse().unwrap();
        let limit = NonZeroUsize::new(record.max_nested_paths);
        let rules = match limit {
            Some(limit) => rules.with_nesting(limit),
            None => rules,
        };
        let document = json!({
            "kind": "ImageSetConfiguration",
            "apiVersion": "mirror.openshift.io/v2alpha1",
            "mirror": { "additionalImages": record.images },
        });
        let parsed = ocm_config::parse(document.to_string().as_bytes()).unwrap();
        let configured = parsed.image_set.mirror.additional_images;
        assert_eq!(configured.len(), record.expect.images.len());
        let images = configured
            .iter()
            .zip(&record.expect.images)
            .map(|(image, answer)| compare(image, answer, &rules, limit))
            .collect();
        Self { expect: record.expect, rules, images }
    }

    /// Compares the mirror sets, and returns what each pair that differs is due to.
    fn compare_sets(&self) -> Vec<Difference> {
        let mut differences = Vec::new();
        let expect = &self.expect;
        for (set, kind, scope) in [
            (&expect.idms, MirrorKind::Digest, Scope::Shortest),
            (&expect.itms, MirrorKind::Tag, Scope::Shortest),
            (&expect.idms_by_repository, MirrorKind::Digest, Scope::Repository),
            (&expect.itms_by_repository, MirrorKind::Tag, Scope::Repository),
        ] {
            // Compared as pairs: the mirrors of a source are sorted in this oracle, and in the
            // order of the images in what the program writes.
            let theirs = &set.mirrors;
            let name = if kind == MirrorKind::Digest { "idms-generic-0" } else { "itms-generic-0" };
            assert!(theirs.is_empty() || set.name == name);
            let ours = self.entries(self.images.iter(), kind, scope);
            for (source, mirror) in pairs(theirs).difference(&pairs(&ours)) {
                differences.push(self.explain_theirs(source, mirror));
            }
            for pair in pairs(&ours).difference(&pairs(theirs)) {
                differences.push(self.explain_ours(pair, kind, scope));
            }
        }
        differences
    }

    fn entries<'i>(
        &self,
        images: impl Iterator<Item = &'i Image>,
        kind: MirrorKind,
        scope: Scope,
    ) -> Entries {
        let mirrored = |image: &Image| match image.ours.clone()? {
            (Reference::Image(origin), place) => Some(Mirrored {
                digest: origin.digest().cloned().unwrap_or_else(|| Digest::of(b"manifest")),
                origin,
                host: self.rules.host().clone(),
                repository: place.repository,
                tag: place.tag,
                kind: ImageKind::Generic,
            }),
            (Reference::Layout(_) | Reference::Directory(_), _) => None,
        };
        let sets = MirrorSets::of(&images.filter_map(mirrored).collect::<Vec<_>>(), scope);
        let set = sets.sets().iter().find(|set| set.kind == kind);
        set.map(|set| set.entries.clone()).unwrap_or_default()
    }

    /// Returns the difference that took a pair out of our sets.
    fn explain_theirs(&self, source: &str, mirror: &str) -> Difference {
        let explains = |image: &&Image| {
            let Some((their_source, their_destination)) = &image.theirs else { return false };
            let (_, their_source) = their_source.split_once("://").unwrap();
            let (_, their_destination) = their_destination.split_once("://").unwrap();
            // The source that they write for a directory begins with a slash too many.
            their_source.trim_start_matches('/').starts_with(source.trim_start_matches('/'))
                && their_destination.starts_with(mirror)
        };
        let differing = self.images.iter().filter(|image| image.difference.is_some());
        let Some(difference) = differing.clone().find(explains).and_then(|image| image.difference)
        else {
            panic!("only theirs: {source} -> {mirror}");
        };
        difference
    }

    /// Returns the difference that brought a pair into our sets.
    fn explain_ours(&self, pair: &(String, String), kind: MirrorKind, scope: Scope) -> Difference {
        let explains = |image: &&Image| {
            pairs(&self.entries(std::iter::once(*image), kind, scope)).contains(pair)
        };
        let differing = self.images.iter().filter(|image| image.difference.is_some());
        if let Some(difference) =
            differing.clone().find(explains).and_then(|image| image.difference)
        {
            return difference;
        }
        assert!(scope == Scope::Shortest && self.is_hidden(pair, kind), "only ours: {pair:?}");
        Difference::LongestSource
    }

    /// Whether `pair` is that of the repository of an image whose own entry is shorter, and is
    /// hidden from a cluster by that of another image.
    fn is_hidden(&self, pair: &(String, String), kind: MirrorKind) -> bool {
        let alone =
            |image: &Image, kind, scope| pairs(&self.entries(std::iter::once(image), kind, scope));
        let shorter = |image: &Image| {
            alone(image, kind, Scope::Repository).contains(pair)
                && !alone(image, kind, Scope::Shortest).contains(pair)
        };
        let hides = |image: &Image| {
            let kinds = [MirrorKind::Digest, MirrorKind::Tag].into_iter();
            let mut entries = kinds.flat_map(|kind| alone(image, kind, Scope::Shortest));
            entries.any(|(source, _)| source == pair.0)
        };
        self.images.iter().any(shorter) && self.images.iter().any(hides)
    }
}

fn pairs(entries: &Entries) -> BTreeSet<(String, String)> {
    let pair = |(source, mirrors): (&String, &Vec<String>)| {
        let source = source.clone();
        mirrors.iter().map(move |mirror| (source.clone(), mirror.clone())).collect::<Vec<_>>()
    };
    entries.iter().flat_map(pair).collect()
}

fn compare(
    image: &AdditionalImage,
    answer: &Answer,
    rules: &DestinationRules,
    limit: Option<NonZeroUsize>,
) -> Image {
    let theirs = answer.source.clone().zip(answer.destination.clone());
    let ours = image.wanted.as_ref().ok().and_then(|wanted| {
        let place = rules.of(wanted).ok()?;
        Some((wanted.reference.clone(), place))
    });
    let difference = match (&ours, &theirs) {
        (None, None) => None,
        (None, Some(_)) => Some(refusal(image)),
        (Some((reference, _)), None) => Some(acceptance(reference)),
        (Some((reference, place)), Some((source, destination))) => {
            assert_same_source(reference, source);
            let here = format!("docker://{}/{}:{}", rules.host(), place.repository, place.tag);
            if here == *destination {
                in_sets_only(reference, &place.repository)
            } else {
                let host = rules.host();
                let there = destination.replacen(&format!("{host}//"), &format!("{host}/"), 1);
                if limit == NonZeroUsize::new(1) && here == there {
                    Some(Difference::NestingOne)
                } else {
                    Some(elsewhere(reference, &here, &there))
                }
            }
        }
    };
    Image { ours, theirs, difference }
}

/// Returns why an image goes to another place.
fn elsewhere(reference: &Reference, here: &str, there: &str) -> Difference {
    let Reference::Image(origin) = reference else { panic!("{here} {there}") };
    if here.contains(":sha512-") && there.starts_with(here) {
        return Difference::Sha512Tag;
    }
    let names_hub = origin.as_written().contains("docker.io");
    assert!(origin.host().as_str() == "docker.io" && !names_hub, "{here} {there}");
    Difference::DockerHubPath
}

/// Returns why only we mirror an image.
fn acceptance(reference: &Reference) -> Difference {
    let Reference::Image(origin) = reference else { panic!("{reference}") };
    assert!(origin.host().port().is_some() && origin.tag().is_none(), "{reference}");
    Difference::HostPortAndDigest
}

/// What is pulled must be the same, however it is written.
fn assert_same_source(reference: &Reference, source: &str) {
    let parsed: Reference = source.parse().unwrap();
    match (reference, &parsed) {
        (Reference::Image(ours), Reference::Image(theirs)) => {
            assert_eq!(ours.host(), theirs.host());
            assert_eq!(ours.repository(), theirs.repository());
            assert_eq!(ours.selector(), theirs.selector(), "{source}");
        }
        (Reference::Layout(ours), Reference::Layout(theirs)) => assert_eq!(ours, theirs),
        _ => panic!("{reference} is not {source}"),
    }
}

/// Returns why an image that goes to the same place is found elsewhere in the mirror sets.
fn in_sets_only(reference: &Reference, place: &RepoName) -> Option<Difference> {
    match reference {
        Reference::Layout(_) | Reference::Directory(_) => Some(Difference::LayoutSource),
        Reference::Image(image) if image.host().as_str().starts_with('[') => {
            Some(Difference::Ipv6Source)
        }
        Reference::Image(image) => {
            let full = format!("{}/{}", image.host(), image.repository());
            let written = image.as_written().trim_start_matches("docker://");
            let source = image.repository();
            if !written.starts_with(&full) {
                Some(Difference::DockerHubSource)
            } else if place.as_str().ends_with(source.as_str()) && !place.ends_with(source) {
                Some(Difference::ChanceEnding)
            } else {
                None
            }
        }
    }
}

/// Returns why we refuse an image.
fn refusal(image: &AdditionalImage) -> Difference {
    let faults = match &image.wanted {
        Ok(wanted) => {
            assert!(matches!(wanted.reference, Reference::Layout(_)), "{}", image.name);
            return Difference::LayoutPath;
        }
        Err(faults) => faults,
    };
    let problem = &faults.iter().next().unwrap().problem;
    match problem {
        ImageProblem::TargetTag(_) => Difference::InvalidTag,
        ImageProblem::Reference(error) => match &error.fault {
            ReferenceFault::Tag(name) if !name.text.contains(' ') => Difference::InvalidTag,
            ReferenceFault::Repository(name) if name.text.contains(char::is_uppercase) => {
                Difference::UpperCase
            }
            ReferenceFault::Tag(_) | ReferenceFault::Repository(_) | ReferenceFault::Host(_) => {
                Difference::InvalidName
            }
            fault => panic!("{}: {fault}", image.name),
        },
        problem => panic!("{}: {problem}", image.name),
    }
}
