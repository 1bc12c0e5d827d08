//! Whether what stands beside a payload is a signature that nodes count.
//!
//! For other images a name or a type is enough, as nobody is known who asks for more. A node that
//! finds nothing it can count refuses the payload, and never boots.

use std::collections::BTreeSet;

use ocm_oci::{Digest, TagOrDigest};
use ocm_transport::{Source, SourceExt as _, TransportError};
use serde::Deserialize;

use super::{
    Context,
    find::{Heard, is_absence},
    subjects::{Subject, Subjects},
};
use crate::{Code, Failure, Side, WishId, drive::drive, expand::MANIFEST_LIMIT, retry::Patience};

/// The type of what cosign has signed, a text that names the image.
///
/// Source: <https://github.com/sigstore/cosign/blob/v2.4.1/specs/SIGNATURE_SPEC.md>.
const SIMPLE_SIGNING: &str = "application/vnd.dev.cosign.simplesigning.v1+json";
/// How the type of a referrer begins that holds all that belongs to a signature.
const BUNDLE: &str = "application/vnd.dev.sigstore.bundle";
/// Most bytes of such a text. Real ones have 300.
const TEXT_LIMIT: u64 = 64 << 10;
/// Most texts of one image that are read: each signer adds one.
const TEXTS_LIMIT: usize = 32;

#[derive(Deserialize)]
struct Text {
    critical: Critical,
}

#[derive(Deserialize)]
struct Critical {
    image: SignedImage,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct SignedImage {
    docker_manifest_digest: Digest,
}

/// Whether `root` is a sigstore signature of `subject`: cosign's, whose text names it, or a bundle
/// that has it as its subject. Whose it is, and whether it is good, nodes find out.
pub(super) async fn speaks_for(
    source: &dyn Source,
    (root, subject): (&Digest, &Digest),
    patience: &Patience,
) -> Result<bool, TransportError> {
    let name = TagOrDigest::from(root);
    let manifest = patience.run(|| source.manifest(&name, MANIFEST_LIMIT)).await?;
    let Ok(children) = manifest.children() else { return Ok(false) };
    let is_bundle = children.artifact_type.is_some_and(|kind| kind.starts_with(BUNDLE));
    if is_bundle && children.subject.is_some_and(|named| named.digest == *subject) {
        return Ok(true);
    }
    let is_text = |blob: &&ocm_oci::Descriptor| {
        blob.media_type.to_string() == SIMPLE_SIGNING && blob.size <= TEXT_LIMIT
    };
    for text in children.blobs.iter().filter(is_text).take(TEXTS_LIMIT) {
        let bytes = patience.run(|| source.blob_bytes(text)).await?;
        let text = serde_json::from_slice::<Text>(&bytes);
        if text.is_ok_and(|text| text.critical.image.docker_manifest_digest == *subject) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Looks into what is called a signature of images that are of no use without a sigstore one, and
/// takes that name from what is none.
pub(super) async fn confirm(
    heard: &mut Heard,
    (subjects, strict): (&Subjects, &BTreeSet<WishId>),
    context: Context<'_>,
) {
    let is_strict = |subject: &&Subject| {
        let wanted_by = subjects.wanted_by.get(subject);
        wanted_by.is_some_and(|ids| !ids.is_disjoint(strict))
    };
    let claims: Vec<(Subject, Digest)> = heard
        .found
        .iter()
        .filter(|(subject, _)| is_strict(subject))
        .flat_map(|(subject, found)| found.iter().map(move |one| (subject, one)))
        .filter(|(_, one)| one.is_signature)
        .map(|(subject, one)| (subject.clone(), one.root.clone()))
        .collect();
    let (mut left, patience) = (claims.into_iter(), &Patience::new(context.asking.retry));
    let next = || left.next().map(|claim| judge(claim, context, patience));
    let keep = |((subject, root), answer): ((Subject, Digest), Result<bool, Failure>)| {
        let is_signature = answer.unwrap_or_else(|failure| {
            let first = heard.failed.entry(subject.clone()).or_insert_with(|| failure.clone());
            if failure.chain < first.chain {
                *first = failure;
            }
            false
        });
        let found = heard.found.get_mut(&subject).into_iter().flatten();
        for one in found.filter(|one| one.root == root) {
            one.is_signature &= is_signature;
        }
    };
    drive(context.asking.at_once, next, keep).await;
}

async fn judge(
    (subject, root): (Subject, Digest),
    context: Context<'_>,
    patience: &Patience,
) -> ((Subject, Digest), Result<bool, Failure>) {
    let Some(source) = context.places.source(&subject.0) else {
        let what = format!("{} is not open", subject.0.place);
        let closed = Failure::without(Code::Place, Side::Source, what);
        return ((subject, root), Err(closed));
    };
    let answer = match speaks_for(&*source, (&root, &subject.1), patience).await {
        Err(error) if is_absence(&error) => Ok(false),
        answer => answer.map_err(|error| Failure::at(Side::Source, &error)),
    };
    ((subject, root), answer)
}
