use ocm_testkit::{Catalog, Format, Published, Upstream};
use ocm_transport::Memory;
use serde_json::Value;

fn catalog() -> Catalog {
    Catalog::new(1, &"quay.io".parse().unwrap())
        .with_package("etcd", &[("stable", &["0.9.0", "0.9.2"]), ("alpha", &["0.9.2", "0.10.0"])])
        .with_package("vault", &[("stable", &["1.0.0"])])
}

#[tokio::test]
async fn a_catalog_leads_to_images_that_are_there() {
    let made = catalog().for_architectures(&["amd64", "s390x"]).made("operators/catalog", "v4.18");
    assert_eq!(
        made,
        catalog().for_architectures(&["amd64", "s390x"]).made("operators/catalog", "v4.18")
    );
    assert_eq!(made.image().content.children().len(), 2);
    assert_eq!(made.related().len(), 1 + 2 * 4);
    Upstream::new(made.published()).fill(&Memory::default()).await.unwrap();
    let objects = made.files().iter().flat_map(|(_, text)| {
        serde_json::Deserializer::from_str(text).into_iter::<Value>().map(Result::unwrap)
    });
    let named: Vec<String> = objects
        .flat_map(|object| object["relatedImages"].as_array().cloned().unwrap_or_default())
        .map(|image| image["image"].as_str().unwrap().to_owned())
        .collect();
    let is_made = |image: &String| {
        let name = |one: &Published| format!("quay.io/{}@{}", one.repository, one.content.digest());
        made.related().iter().any(|one| name(one) == *image)
    };
    assert!(named.len() == 3 * 4 && named.iter().all(is_made), "{named:?}");
    // Whoever changes these changes what recorded outputs elsewhere are compared with.
    let hex = made.image().content.digest().hex();
    assert_eq!(hex.get(..16), Some("82deb489787a786e"));
}

#[test]
fn catalogs_share_what_operators_share() {
    let one = catalog().made("operators/catalog", "v4.17");
    let other = catalog().in_format(Format::Docker).with_package("more", &[("a", &["1.0.0"])]);
    let other = other.made("operators/catalog", "v4.18");
    assert_ne!(one.image().content.digest(), other.image().content.digest());
    assert!(other.related().starts_with(one.related()));
    let all = Upstream::new([one.published(), other.published()].concat());
    assert!(all.distinct_bytes() < 100_000, "{} bytes", all.distinct_bytes());
}
