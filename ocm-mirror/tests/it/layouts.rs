//! Images that are directories.

use std::{env, path::Path, sync::Arc};

use futures::StreamExt as _;
use ocm_config::parse;
use ocm_mirror::{
    Code, DestinationRules, Layouts, Means, Options, Place, Places, Report, Request, Resolved,
    Upstream, additional_images, execute, prepare,
};
use ocm_oci::{Platform, TagOrDigest};
use ocm_testkit::{Blob, Content, Format};
use ocm_transport::{Memory, Transport as _, layout::OciLayout};

fn image(name: &str) -> Content {
    let platform = Platform::new("linux", "amd64");
    Content::image(Format::Oci, &platform, name, vec![Blob::layer(1, 3000)])
}

/// Mirrors what `lines` name, relative to `directory`, into `to`.
async fn mirror(lines: &str, directory: &Path, to: &Memory) -> Report {
    let text = format!(
        "kind: ImageSetConfiguration\napiVersion: mirror.openshift.io/v2alpha1\nmirror:\n  \
         additionalImages:\n{lines}"
    );
    let set = parse(text.as_bytes()).unwrap().image_set;
    let layouts = Layouts::open(&set, directory).await;
    let rules: DestinationRules = "docker://mirror.example/ns".parse().unwrap();
    let Resolved { wishes, lost, .. } =
        additional_images(&set, Some(&rules), Upstream::Origins(&layouts));
    let place = Place::Registry(rules.host().clone());
    let places = layouts.in_places(Places::default());
    let places = places.with_destination(place.clone(), Arc::new(to.clone()));
    let request = Request::new(wishes, place, env::temp_dir());
    let prepared = prepare(Request { lost, ..request }, &places).await.unwrap();
    let means = Means { places, pack: prepared.pack };
    let run = execute(Arc::new(prepared.planned.plan), means, Options::default());
    let mut report = Report::default();
    report.extend(&run.collect::<Vec<_>>().await);
    report
}

#[tokio::test]
async fn a_directory_beside_the_configuration_is_mirrored() {
    let directory = tempfile::tempdir().unwrap();
    let layout = OciLayout::create(&directory.path().join("images/app")).await.unwrap();
    let app = image("app");
    let at = layout.destination(&"team/app".parse().unwrap()).unwrap();
    app.push(&*at, Some(&"v1".parse().unwrap())).await.unwrap();
    let to = Memory::default();
    let lines = "  - name: oci://images/app\n  - name: oci://images/app\n    targetRepo: apps/app\n    targetTag: new\n";
    let report = mirror(lines, directory.path(), &to).await;
    assert!(report.is_complete(), "{report:?}");
    for (repository, tag) in [("ns/images/app", "latest"), ("ns/apps/app", "new")] {
        let tag = TagOrDigest::Tag(tag.parse().unwrap());
        let found = to.source(&repository.parse().unwrap()).head(&tag).await.unwrap().unwrap();
        assert_eq!(found.digest, *app.digest());
    }
}

#[tokio::test]
async fn which_of_several_has_to_be_said_and_what_is_not_there_is_told() {
    let directory = tempfile::tempdir().unwrap();
    let layout = OciLayout::create(&directory.path().join("two")).await.unwrap();
    let at = layout.destination(&"team/app".parse().unwrap()).unwrap();
    for (name, tag) in [("one", "v1"), ("other", "v2")] {
        image(name).push(&*at, Some(&tag.parse().unwrap())).await.unwrap();
    }
    let (to, digest) = (Memory::default(), image("other").digest().clone());
    let lines =
        format!("  - name: oci://two\n  - name: oci://gone\n  - name: oci://two@{digest}\n");
    let report = mirror(&lines, directory.path(), &to).await;
    assert_eq!((report.done.len(), report.lost.len()), (1, 2), "{report:?}");
    let codes: Vec<_> = report.lost.iter().map(|lost| lost.failure.code).collect();
    assert_eq!(codes, [Code::Reference, Code::Place]);
    let hint = report.lost[0].failure.hint.as_ref().unwrap();
    assert!(hint.contains(&format!("@{digest}` (v2)")), "{hint}");
}
