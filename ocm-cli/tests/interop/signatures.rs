//! A signature as cosign makes them, and a referrer, read by a program of others at the mirror.
//!
//! skopeo only looks whether they are there: Debian's is built without sigstore.

use ocm_oci::MediaType;
use ocm_transport::Manifest;

use super::*;

const SIMPLE_SIGNING: &str = "application/vnd.dev.cosign.simplesigning.v1+json";
const BILL: &str = "application/spdx+json";

/// Puts a signature and a referrer beside an image; returns the manifest of the signature.
async fn sign(registry: &Registry, repository: &str, image: &Digest) -> Vec<u8> {
    let tls = TlsOptions { verify: Verify::Never, ..TlsOptions::default() };
    let client = Client::new(ClientOptions::default().with_tls(tls)).unwrap();
    let registry = client.registry(&registry.address.parse().unwrap());
    let to = registry.destination(&repository.parse().unwrap()).unwrap();
    let subject = to.head(&image.into()).await.unwrap().unwrap();
    let payload = Blob::of(MediaType::from(SIMPLE_SIGNING.to_owned()), format!("{image} is good"));
    let statement = Content::artifact(BILL, Some(&subject), payload.clone());
    statement.push(&*to, None).await.unwrap();
    let mut layer = serde_json::to_value(payload.descriptor()).unwrap();
    let signature = json!({ "dev.cosignproject.cosign/signature": "c2lnbmVkIGJ5IG5vYm9keQ==" });
    layer.as_object_mut().unwrap().insert("annotations".to_owned(), signature);
    let config = statement.blobs().first().unwrap().descriptor();
    let media_type = MediaType::OciManifest;
    let manifest = json!({
        "schemaVersion": 2, "mediaType": media_type.to_string(), "config": config, "layers": [layer],
    });
    let manifest = Manifest::new(media_type, manifest.to_string().into());
    let tag = format!("sha256-{}.sig", image.hex()).parse().unwrap();
    assert!(to.push_manifest(&manifest, Some(&tag)).await.is_ok());
    manifest.bytes().to_vec()
}

/// Returns a manifest, if there is one.
fn found(registry: &Registry, repository: &str, tag: &str) -> Option<Vec<u8>> {
    let image = at(registry, repository, tag);
    let mut command = Command::new("skopeo");
    let output = command.args(["inspect", "--raw", "--tls-verify=false", &image]).output().unwrap();
    output.status.success().then_some(output.stdout)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_said_about_an_image_is_beside_it_at_the_mirror() {
    if !has_programs() {
        return;
    }
    let (source, target) = (Registry::start(), Registry::start());
    let home = tempfile::tempdir().unwrap();
    let digest = push(&source, "team/signed", &image("amd64", 5), "oci");
    let signature = sign(&source, "team/signed", &digest).await;
    let name = json!({ "name": format!("{}/team/signed:v1", source.address) });
    let config = write_configuration(home.path(), &[name]);
    let mirror = |words: &[&str]| {
        let insecure = ["--src-tls-verify=false", "--dest-tls-verify=false"];
        let arguments = ["-c", &config].into_iter().chain(insecure).chain(words.iter().copied());
        succeed(&ocm(home.path(), &arguments.collect::<Vec<_>>()), &format!("{words:?}"));
    };
    let to = |namespace: &str| format!("docker://{}/{namespace}", target.address);
    mirror(&["--workspace", "file://w", &to("signed")]);
    mirror(&["--workspace", "file://w", "--remove-signatures", &to("bare")]);
    mirror(&["file://disk"]);
    mirror(&["--from", "file://disk", &to("carried")]);
    for (namespace, is_signed) in [("signed", true), ("bare", false), ("carried", true)] {
        let repository = format!("{namespace}/team/signed");
        let tag = format!("sha256-{}", digest.hex());
        let there = found(&target, &repository, &format!("{tag}.sig"));
        assert!(there == is_signed.then(|| signature.clone()), "{namespace}");
        // docker-registry keeps no list of referrers, so ocm keeps it.
        let list = found(&target, &repository, &tag).map(String::from_utf8);
        let is_listed = list.is_some_and(|list| list.unwrap().contains(BILL));
        assert_eq!(is_listed, is_signed, "{namespace}");
        if is_signed {
            let all = at(&target, &repository, &format!("{tag}.sig"));
            pull(&["--src-tls-verify=false", &all], &Digest::of(&signature));
        }
    }
}
