//! Into an archive and out of it, where nobody can be asked.

use ocm_config::parse;
use ocm_mirror::Archived;
use ocm_testkit::{Published, Upstream};
use ocm_transport::{Memory, archive::ArchiveReader};

use super::*;
use crate::archive::{far, from_disk, to_disk};

/// An index, a signature of one of its images, a bundle about the index, and an image that is
/// signed by nobody.
fn upstream() -> (Upstream, Content, Content) {
    let (child, _, root) = index("it");
    let plain = Content::image(Format::Oci, &Platform::new("linux", "amd64"), "plain", vec![]);
    let signature = statement(COSIGN, "child", None);
    let signature_tag = about(child.digest(), "sig");
    let bundle = statement(BUNDLE, "root", Some(root.descriptor()));
    let published = vec![
        Published::tagged("team/it", "v1", root.clone()),
        Published::tagged("team/plain", "v1", plain),
        Published::tagged("team/it", signature_tag.as_str(), signature),
        Published { repository: repository("team/it"), tag: None, content: bundle },
    ];
    (Upstream::new(published), root, child)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_said_about_images_goes_in_and_comes_out() {
    let (upstream, root, child) = upstream();
    let text = format!(
        "kind: ImageSetConfiguration\napiVersion: mirror.openshift.io/v2alpha1\nmirror:\n  \
         additionalImages:\n  - name: {0}/team/it:v1\n  - name: {0}/team/plain:v1\n",
        far()
    );
    let set = parse(text.as_bytes()).unwrap().image_set;
    let (directory, to) = (tempfile::tempdir().unwrap(), Memory::default());
    let (report, _) = to_disk(&upstream, &set, (directory.path(), None)).await;
    assert!(report.is_complete(), "{report:?}");
    let tally = Tally { expected: 2, done: 2, failed: 0 };
    assert_eq!(report.attachments[&Group::Additional], tally);

    let reader = ArchiveReader::open(directory.path()).await.unwrap();
    let archived = Archived::read(&reader).await.unwrap();
    let attached: Vec<_> =
        archived.plan().images().filter_map(|(_, image)| image.attached.clone()).collect();
    assert!(attached.iter().all(|one| one.is_signature && !one.is_required), "{attached:?}");
    // Far away there is nobody else to ask: only the archive is open for reading.
    let report = from_disk(&set, directory.path(), &to).await;
    assert!(report.is_complete(), "{report:?}");
    assert_eq!(report.attachments[&Group::Additional], tally);
    let there = to.source(&repository("ns/team/it"));
    let name = TagOrDigest::from(&about(child.digest(), "sig"));
    let signature = statement(COSIGN, "child", None);
    assert_eq!(there.head(&name).await.unwrap().unwrap().digest, *signature.digest());
    assert_eq!(there.referrers(root.digest(), None).await.unwrap().len(), 1);
    let again = from_disk(&set, directory.path(), &to).await;
    assert_eq!((again.present.len(), again.attachments.len()), (2, 0));
}
