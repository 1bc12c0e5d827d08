//! Releases: from channels and versions to every image of every release.
//!
//! ```text
//! graphs ─select─► payloads by digest ─signatures─► what is a release ─payload─► its components
//! ```

use std::{collections::BTreeSet, error::Error, fmt};

use futures::{StreamExt as _, stream};
use ocm_config::{ReleaseKind, ReleasePayload, Releases};
use ocm_graph::{Minor, Product, Version};
use ocm_oci::{Digest, ImageRef, PlatformFilter, Reference, RepoName, Tag, TagOrDigest};

use super::{DecidedRelease, Gathered, Notice, Part, Resolving, Upstream, explained};
use crate::{
    BootKeys, Code, Component, ContentStore, Destination, Failure, Group, ImageFiles, Kind,
    Location, Payload, ReleaseWarning, SelectedRelease, SelectedReleases, Side, Wanted, WishId,
    keep_graphs, select_releases,
    signature::{Policy, Signed},
};

mod accept;
mod asked;

use accept::Accepted;
pub use asked::{AtHand, ReleaseTrust, Releasing};

/// Where payloads go, whatever they were called.
const PAYLOADS: &str = "openshift/release-images";
/// Where their components go.
const COMPONENTS: &str = "openshift/release";
/// How many payloads are read at once: each is one layer, mostly of other people's files.
const READ_AT_ONCE: usize = 4;
/// The minor release before which a cluster asks for an acknowledgement, and what it is called.
///
/// Source: <https://github.com/openshift/machine-config-operator/pull/5558>.
const SIGSTORE_ACK: (Minor, &str) = (Minor { major: 4, minor: 21 }, "ack-4.20-sigstore-in-4.21");

/// What a release was selected as.
#[derive(Debug, Clone, PartialEq, Eq)]
struct SelectedAs {
    version: Version,
    /// What it was asked for, as servers call it.
    architecture: String,
    /// The channel it was found in.
    channel: String,
}

impl fmt::Display for SelectedAs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.version, self.architecture)
    }
}

/// A payload that may be mirrored, if it is a release.
#[derive(Debug, Clone)]
struct Candidate {
    /// What it was selected as, unless the configuration names it by itself.
    selected: Option<SelectedAs>,
    /// What the configuration or the graph calls it.
    payload: ImageRef,
    digest: Digest,
    kind: ReleaseKind,
    policy: Policy,
}

impl Gathered<'_> {
    /// Adds every image of every release that is wanted.
    pub(super) async fn releases(&mut self, resolving: &Resolving<'_>) {
        self.sigstore = resolving.releasing.sigstore;
        let releases = &resolving.image_set.mirror.platform;
        if !releases.has_releases() {
            return;
        }
        let candidates = match &releases.release {
            Some(payload) => self.named(payload, resolving).await.into_iter().collect(),
            None => self.selected(releases, resolving).await,
        };
        self.warn_of_acknowledgement(&candidates);
        let mut accepted = self.accepted(&candidates, resolving).await;
        // Before they are read: what was blocked is in no archive either.
        accepted.retain(|one| {
            let destination = self.destination(PAYLOADS, one.tag.clone());
            !self.is_blocked(one.origin.as_written(), &destination)
        });
        let from = resolving.upstream;
        let store = self.store(&accepted, resolving).await;
        let read = stream::iter(accepted).map(|accepted| {
            let store = store.clone();
            async move {
                let read = read(&accepted, resolving, store).await;
                (accepted, read)
            }
        });
        // In the order of the configuration, whichever comes first.
        let mut read = read.buffered(READ_AT_ONCE);
        while let Some((accepted, read)) = read.next().await {
            match read {
                Ok((location, payload)) => self.release(accepted, location, (&payload, from)),
                Err(failure) => self.lose(Kind::Release, accepted.origin.as_written(), failure),
            }
        }
    }

    /// Returns where to keep what is read of payloads, so that it is not fetched once more to be
    /// copied; where nothing can be kept, it is.
    async fn store(
        &mut self,
        accepted: &[Accepted],
        resolving: &Resolving<'_>,
    ) -> Option<ContentStore> {
        if accepted.is_empty() || matches!(resolving.upstream, Upstream::Archive(_)) {
            return None;
        }
        match self.workshop(resolving).await {
            Ok(workshop) => Some(workshop.store().clone()),
            Err(failure) => {
                let (group, text) = (Group::Release, failure.chain.join(": "));
                self.notice_once(Notice { group, text, hint: None });
                None
            }
        }
    }

    /// Returns the payload that the configuration names, by its digest.
    async fn named(
        &mut self,
        named: &ReleasePayload,
        resolving: &Resolving<'_>,
    ) -> Option<Candidate> {
        let Reference::Image(payload) = &named.reference else {
            let what = "a release is an image in a registry".to_owned();
            let failure = Failure::without(Code::Reference, Side::Source, what);
            self.lose(Kind::Release, &named.written, failure);
            return None;
        };
        match digest_of(payload, resolving).await {
            Ok(digest) => {
                let policy = resolving.releasing.unsigned;
                let (payload, kind) = (payload.clone(), ReleaseKind::Ocp);
                Some(Candidate { selected: None, payload, digest, kind, policy })
            }
            Err(failure) => {
                self.lose(Kind::Release, &named.written, failure);
                None
            }
        }
    }

    /// Returns the payloads of the versions that the configuration means.
    async fn selected(&mut self, releases: &Releases, resolving: &Resolving<'_>) -> Vec<Candidate> {
        let Releasing { paths, graphs, .. } = resolving.releasing;
        let selected = select_releases(releases, paths, *graphs).await;
        let SelectedReleases { releases: found, errors, warnings, graphs } = selected;
        for error in &errors {
            let failure = Failure::new(Code::Release, Side::Source, error);
            let failure = Failure { hint: error.hint().map(str::to_owned), ..failure };
            self.lose(Kind::Release, &error.subject(), failure);
        }
        self.resolved.notices.extend(warnings.iter().flat_map(ReleaseWarning::notices));
        if let Err(error) = keep_graphs(resolving.working_dir, &graphs).await {
            self.warn_of_unkept(&error);
        }
        self.resolved.decided.records.extend(graphs);
        let mut candidates = Vec::new();
        for release in found {
            let Some(digest) = release.payload.digest().cloned() else {
                let what = "the update graph does not name this payload by digest".to_owned();
                let failure = Failure::without(Code::Release, Side::Source, what);
                self.lose(Kind::Release, release.payload.as_written(), failure);
                continue;
            };
            let (kind, policy) = match release.channel.product {
                Product::Ocp => (ReleaseKind::Ocp, Policy::Required),
                Product::Okd => (ReleaseKind::Okd, resolving.releasing.unsigned),
            };
            let SelectedRelease { architecture, version, payload, channel, .. } = release;
            let selected = Some(SelectedAs { version, architecture, channel: channel.name });
            candidates.push(Candidate { selected, payload, digest, kind, policy });
        }
        candidates
    }

    /// Says that a cluster will ask whether signatures were thought of.
    fn warn_of_acknowledgement(&mut self, candidates: &[Candidate]) {
        let (minor, name) = SIGSTORE_ACK;
        let of = |candidate: &Candidate| Some(candidate.selected.as_ref()?.version.line());
        let minors: BTreeSet<_> = candidates.iter().filter_map(of).collect();
        if minors.contains(&minor) && minors.range(..minor).next().is_some() {
            self.resolved.notices.push(Notice {
                group: Group::Release,
                text: format!(
                    "before a cluster with mirrors goes to 4.21 it asks for the acknowledgement \
                     `{name}`: from then on nodes refuse payloads without a sigstore signature"
                ),
                hint: Some(format!(
                    "when this mirror is complete: oc -n openshift-config patch cm admin-acks \
                     --type merge -p '{{\"data\":{{\"{name}\":\"true\"}}}}'"
                )),
            });
        }
    }

    /// What could not be kept was decided by all the same.
    fn warn_of_unkept(&mut self, error: &dyn Error) {
        let chain = Failure::new(Code::Workspace, Side::Source, error).chain.join(": ");
        self.notice_once(Notice { group: Group::Release, text: chain, hint: None });
    }

    /// Adds a release: its components first, and then the payload, which needs them.
    fn release(
        &mut self,
        accepted: Accepted,
        location: Location,
        (payload, from): (&Payload, Upstream<'_>),
    ) {
        if let Err(failure) = accepted.agrees_with(payload) {
            return self.lose(Kind::Release, accepted.origin.as_written(), failure);
        }
        let (minor, _) = SIGSTORE_ACK;
        let needs_signature = self.sigstore == Policy::Required
            && accepted.is_under_policy()
            && accepted.line(payload).is_some_and(|line| line >= minor);
        let Accepted { origin, digest, tag, signed, .. } = accepted;
        let written = origin.as_written();
        let platforms = self.image_set.mirror.platform.platforms.clone();
        let components = match self.components(payload) {
            Ok(components) => components,
            Err(failure) => return self.lose(Kind::Release, written, failure),
        };
        let mut needs = BTreeSet::new();
        for component in &components {
            match self.component(component, &tag, (&platforms, from)) {
                Ok(wish) => needs.extend(wish),
                Err(failure) => {
                    let name = component.reference.as_written();
                    self.lose(Kind::ReleaseContent, name, failure);
                    let what = format!("its component `{}` cannot be had", component.name);
                    let failure = Failure::without(Code::Needs, Side::Source, what);
                    return self.lose(Kind::Release, written, failure);
                }
            }
        }
        let destination = self.destination(PAYLOADS, tag);
        let wish = self.wish(Wanted {
            origin: written.to_owned(),
            from: location,
            reference: TagOrDigest::Digest(digest.clone()),
            platforms,
            repository: destination.repository.clone(),
            tag: destination.tag.clone(),
            kind: Kind::Release,
            needs,
        });
        if needs_signature {
            self.resolved.need_signature.insert(wish);
        }
        let signatures = signed.into_iter().map(|signed: Signed| signed.message).collect();
        let decided = DecidedRelease { origin, digest, destination, signatures };
        self.resolved.decided.releases.push(decided);
    }

    /// Returns the images of a release, that for virtual machines among them where it is wanted.
    fn components(&mut self, payload: &Payload) -> Result<Vec<Component>, Failure> {
        let releases = &self.image_set.mirror.platform;
        let mut components = payload.components().to_vec();
        if !releases.kube_virt_container {
            return Ok(components);
        }
        let platforms = match &releases.platforms {
            PlatformFilter::All => Vec::new(),
            PlatformFilter::Only(platforms) => {
                platforms.iter().map(|platform| platform.architecture.as_str()).collect()
            }
        };
        let architectures = releases.architectures.iter().map(String::as_str);
        let keys = BootKeys::new(platforms, architectures);
        let found = payload.kube_virt(&keys);
        let found = found.map_err(|error| Failure::new(Code::Release, Side::Source, &error))?;
        for absent in keys.unknown().iter().chain(&found.absent) {
            let text = format!("no image for virtual machines on {absent} is in this release");
            self.notice_once(Notice { group: Group::Release, text, hint: None });
        }
        components.extend(found.components);
        Ok(components)
    }

    /// Adds a component; `None` where a pattern blocks it.
    fn component(
        &mut self,
        component: &Component,
        release: &Tag,
        (platforms, from): (&PlatformFilter, Upstream<'_>),
    ) -> Result<Option<WishId>, Failure> {
        let tag = format!("{release}-{}", component.name);
        let tag = tag.parse().map_err(|error| explained(&error, None))?;
        let destination = self.destination(COMPONENTS, tag);
        let (image, kind, needs) = (&component.reference, Kind::ReleaseContent, BTreeSet::new());
        self.part(Part { image, kind, platforms, destination, needs }, from)
    }

    /// Returns where something goes that has a place of its own.
    pub(super) fn destination(&self, path: &'static str, tag: Tag) -> Destination {
        let path: RepoName = path.parse().expect("the constants are names of repositories");
        Destination { repository: self.placed(&path), tag }
    }
}

/// Returns the digest that a reference means now.
async fn digest_of(payload: &ImageRef, resolving: &Resolving<'_>) -> Result<Digest, Failure> {
    if let Some(digest) = payload.digest() {
        return Ok(digest.clone());
    }
    let reference = Reference::Image(payload.clone());
    let (location, reference) = resolving.upstream.find(payload.as_written(), &reference)?;
    match &reference {
        TagOrDigest::Digest(digest) => Ok(digest.clone()),
        TagOrDigest::Tag(_) => resolving.head(&location, &reference).await,
    }
}

/// Reads what is in a release.
async fn read(
    accepted: &Accepted,
    resolving: &Resolving<'_>,
    store: Option<ContentStore>,
) -> Result<(Location, Payload), Failure> {
    let Accepted { origin, digest, .. } = accepted;
    let written = origin.as_written();
    let (location, _) = resolving.upstream.find(written, &Reference::Image(origin.clone()))?;
    let source = resolving.source(&location)?;
    let reference = TagOrDigest::Digest(digest.clone());
    // One of those that are copied: the others are in no archive.
    let platforms = &resolving.image_set.mirror.platform.platforms;
    let files = ImageFiles::open_among(source, &reference, platforms, resolving.retry).await;
    let files = files.map_err(|error| Failure::new(Code::Release, Side::Source, &error))?;
    let files = match &store {
        Some(store) => files.kept_in(store),
        None => files,
    };
    let payload = Payload::read(&files).await;
    let payload = payload.map_err(|error| Failure::new(Code::Release, Side::Source, &error))?;
    Ok((location, payload))
}
